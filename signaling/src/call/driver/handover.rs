//! Whoever comes from one call into another, with the dialog and the place on the trunk that go with them.
//!
//! The call that gives them away waits for the other's answer, so that what the far end says meanwhile is still in its mailbox:
//! it goes after them, or stays if they come back. From then on the directory and the switchboard know where they are.

use std::time::Duration;

use model::id::{InteractionId, LegId};
use tokio::sync::{mpsc, oneshot};

use super::dial::Way;
use super::fork::Established;
use super::{CustomerSide, Driver, Message, Party, PhoneSide};
use crate::call::who::{Line, Who};
use crate::call::words::{Branch, GuestOrder, HandOver, Input, Order};
use crate::endpoint::InviteEvent;
use crate::switchboard::Internal;
use crate::trunk::Place;

/// The other call says what it has to say sooner than this, or is taken to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call is asked for whom an agent talks to there.
pub(crate) struct Asked {
    handover: HandOver,
    to: InteractionId,
    mailbox: mpsc::Sender<Message>,
}

/// Somebody on the way from one call to another.
pub(crate) struct Handed {
    from: InteractionId,
    who: Box<Who>,
    side: Option<Side>,
    answer: oneshot::Sender<Answered>,
    /// Comes when the call they come from has said all it has to say.
    over: oneshot::Receiver<()>,
}

/// The answer: they are here, or here they are back.
type Answered = Result<(), Box<(Box<Who>, Option<Side>)>>;

/// What goes with somebody who has a dialog.
pub(super) struct Side {
    branch: Branch,
    up: Box<Established>,
    way: Option<Way>,
    place: Option<Place>,
    /// They were the customer here.
    customer: bool,
}

/// Somebody who is here and not heard yet.
pub(super) struct Taking {
    answer: oneshot::Sender<Answered>,
    over: oneshot::Receiver<()>,
    /// They were the customer there.
    customer: bool,
}

/// Where somebody went.
pub(super) struct Gone {
    to: mpsc::Sender<Message>,
    /// Whose dialog it was here, and what it is called there.
    dialog: Option<(Party, Branch)>,
    media: LegId,
    over: oneshot::Sender<()>,
}

impl Asked {
    /// They stay.
    pub(super) fn refuse(&self, from: InteractionId, why: String) {
        self.mailbox.try_send(Message::Kept(from, why)).ok();
    }
}

impl Handed {
    /// Nobody takes them any more.
    pub(super) fn give_back(self) {
        self.answer.send(Err(Box::new((self.who, self.side)))).ok();
    }
}

impl Driver {
    /// Asks another call; at once the answer, if it cannot be asked.
    pub(super) fn ask_for(&mut self, from: InteractionId, handover: HandOver) -> Option<Input> {
        let asked = Asked { handover, to: self.interaction, mailbox: self.mailbox.clone() };
        let other = self.others.remove(&from);
        let sent = other.is_some_and(|other| other.try_send(Message::HandOver(Box::new(asked))).is_ok());
        (!sent).then(|| Input::Kept(from, "the other call is over".to_owned()))
    }

    /// This call is asked.
    pub(super) fn asked(&mut self, asked: Asked) -> Input {
        let handover = asked.handover;
        self.asked_by = Some(asked);
        Input::Order(Order::HandOver(handover))
    }

    /// They stay here.
    pub(super) fn keep(&mut self, why: String) {
        if let Some(asked) = self.asked_by.take() {
            asked.refuse(self.interaction, why);
        }
    }

    /// Hands somebody over, and waits until the other call has them or gives them back.
    pub(super) async fn hand(&mut self, who: Box<Who>) -> Input {
        let Some(asked) = self.asked_by.take() else { return Input::GivenBack(who) };
        let (media, agent) = (who.media(), who.agent);
        let side = self.side_of(&who);
        let (customer, key) = match &side {
            Some(side) => (side.customer, Some((side.branch, side.up.clone()))),
            None => (false, None),
        };
        let (answer, answered) = oneshot::channel();
        let (over, is_over) = oneshot::channel();
        let handed = Handed { from: self.interaction, who, side, answer, over: is_over };
        if let Err(error) = asked.mailbox.try_send(Message::Handed(Box::new(handed))) {
            let Message::Handed(handed) = error.into_inner() else { return Input::Lost };
            return self.back(handed.who, handed.side);
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(back))) => return self.back(back.0, back.1),
            // Its task died, or it is as good as dead.
            Err(_) | Ok(Err(_)) => {
                if let Some((_, up)) = key {
                    self.shared.directory.forget(&up.dialog.key());
                    self.bye_phone(*up);
                }
                return Input::Lost;
            }
        }
        {
            let mut held = self.held();
            held.legs.remove(&media);
            held.softphones.remove(&media);
        }
        let dialog = key.map(|(branch, up)| {
            let key = up.dialog.key();
            self.shared.tracer.claim(&key.0, asked.to);
            self.shared.directory.add(key, asked.to, asked.mailbox.clone(), Party::Phone(branch));
            (if customer { Party::Customer } else { Party::Phone(branch) }, branch)
        });
        let (done, known) = oneshot::channel();
        let (from, to) = (self.interaction, asked.to);
        let news = Internal::HandedOver { from, to, leg: media, agent, customer, done };
        if self.internal.send(news).await.is_ok() {
            known.await.ok();
        }
        self.gone = Some(Gone { to: asked.mailbox, dialog, media, over });
        Input::Given
    }

    /// They come back, to where they were.
    fn back(&mut self, who: Box<Who>, side: Option<Side>) -> Input {
        match side {
            Some(side) if side.customer => {
                let Established { dialog, flow, user, timer, acknowledged } = *side.up;
                let up = Established {
                    dialog: dialog.clone(),
                    flow: flow.clone(),
                    user: user.clone(),
                    timer,
                    acknowledged: acknowledged.clone(),
                };
                let (tag, responder, place) = (String::new(), None, side.place);
                self.customer =
                    Some(CustomerSide { dialog, tag, flow, user, timer, responder, acknowledged, place });
                match side.way {
                    Some(way) => {
                        self.dialled = Some(way.branch());
                        self.ways.insert(way.branch(), way);
                        self.held().dialled = Some(up);
                    }
                    None => self.held().accepted = Some(true),
                }
            }
            Some(side) => self.settle(side),
            None => {}
        }
        Input::GivenBack(who)
    }

    /// The dialog of somebody who goes, and what belongs to it.
    fn side_of(&mut self, who: &Who) -> Option<Side> {
        let Line::Dialog(line) = &who.line else { return None };
        let branch = line.branch;
        if let Some(PhoneSide::Up(up)) = self.phones.remove(&branch) {
            self.held().forget(&up.dialog.key());
            let (way, place) = (self.ways.remove(&branch), self.places.remove(&branch));
            return Some(Side { branch, up, way, place, customer: false });
        }
        let side = self.customer.take()?;
        let way = self.dialled.take().and_then(|dialled| self.ways.remove(&dialled));
        {
            let mut held = self.held();
            held.dialled = None;
            held.accepted = Some(false);
        }
        let up = Box::new(Established {
            dialog: side.dialog,
            flow: side.flow,
            user: side.user,
            timer: side.timer,
            acknowledged: side.acknowledged,
        });
        Some(Side { branch, up, way, place: side.place, customer: true })
    }

    /// Somebody who comes has their dialog here from now on.
    fn settle(&mut self, side: Side) {
        let Side { branch, up, way, place, .. } = side;
        self.held().phones.push((*up).clone());
        self.phones.insert(branch, PhoneSide::Up(up));
        self.ways.extend(way.map(|way| (branch, way)));
        self.places.extend(place.map(|place| (branch, place)));
    }

    /// Somebody comes.
    pub(super) fn arrives(&mut self, handed: Handed) -> Input {
        let Handed { from, who, side, answer, over } = handed;
        {
            let mut held = self.held();
            match &who.line {
                Line::Softphone(soft) => held.softphones.insert(soft.media),
                Line::Dialog(line) => held.legs.insert(line.leg),
            };
        }
        let customer = side.as_ref().is_some_and(|side| side.customer);
        if let Some(side) = side {
            self.settle(side);
        }
        self.taking = Some(Taking { answer, over, customer });
        Input::Handed(from, who)
    }

    /// They are heard here: the call they come from ends, and is waited for.
    pub(super) async fn taken(&mut self) {
        let Some(Taking { answer, over, .. }) = self.taking.take() else { return };
        if answer.send(Ok(())).is_ok() {
            tokio::time::timeout(PATIENCE, over).await.ok();
        }
    }

    /// They go back.
    pub(super) fn give_back(&mut self, who: Box<Who>) {
        let Some(Taking { answer, customer, .. }) = self.taking.take() else { return };
        let side = self.side_of(&who).map(|side| Side { customer, ..side });
        {
            let mut held = self.held();
            held.legs.remove(&who.media());
            held.softphones.remove(&who.media());
        }
        answer.send(Err(Box::new((who, side)))).ok();
    }
}

impl Gone {
    /// All is said.
    pub(super) fn close(self) -> (mpsc::Sender<Message>, Trail) {
        self.over.send(()).ok();
        (self.to, Trail { dialog: self.dialog, media: self.media })
    }
}

/// What in a mailbox is for somebody who went.
pub(super) struct Trail {
    dialog: Option<(Party, Branch)>,
    media: LegId,
}

impl Trail {
    /// The message as it is to be read where they are; back, if it is not for them.
    #[expect(clippy::result_large_err, reason = "a message is read or passed on by the caller, right there")]
    pub(super) fn follow(&self, name: InteractionId, message: Message) -> Result<Message, Message> {
        let there = |party: Party| match self.dialog {
            Some((here, branch)) if here == party => Some(Party::Phone(branch)),
            _ => None,
        };
        match message {
            Message::Request(party, request) => match there(party) {
                Some(party) => Ok(Message::Request(party, request)),
                None => Err(Message::Request(party, request)),
            },
            Message::Reinvite(party, event) => match there(party) {
                Some(party) => Ok(Message::Reinvite(party, event)),
                None => Err(Message::Reinvite(party, event)),
            },
            Message::Renewed(party, status) => match there(party) {
                Some(party) => Ok(Message::Renewed(party, status)),
                None => Err(Message::Renewed(party, status)),
            },
            Message::Invite(event) => match there(Party::Customer) {
                Some(party) if !matches!(event, InviteEvent::Cancelled) => {
                    Ok(Message::Reinvite(party, event))
                }
                _ => Err(Message::Invite(event)),
            },
            // What is of no leg or recording of theirs means nothing there.
            Message::Media(event) => Ok(Message::Media(event)),
            Message::Softphone { leg, up } if leg == self.media => Ok(Message::Softphone { leg, up }),
            Message::Order(order) => match guest_order(order) {
                Ok(order) => Ok(Message::Order(Order::Guest(name, order))),
                Err(order) => Err(Message::Order(order)),
            },
            other => Err(other),
        }
    }
}

/// An order about somebody as it is given where they went.
pub(crate) fn guest_order(order: Order) -> Result<GuestOrder, Order> {
    Ok(match order {
        Order::HangUp(by) => GuestOrder::HangUp(by),
        Order::Mute { agent, muted } => GuestOrder::Mute { agent, muted },
        Order::Hold(agent) => GuestOrder::Hold { agent, held: true },
        Order::Retrieve(agent) => GuestOrder::Hold { agent, held: false },
        Order::SendDigits { agent, digits } => GuestOrder::SendDigits { agent, digits },
        other => return Err(other),
    })
}
