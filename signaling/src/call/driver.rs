//! Carries a call: one task with a mailbox, the dialogs, and the machine that decides.

mod customer;
mod dial;
mod fork;
mod handover;
mod held;
mod media;
mod referral;
mod requests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::media::control::Event;
use model::call::CallFact;
use model::id::{InteractionId, LegId};
use tokio::sync::{mpsc, watch};

use super::timer::SessionTimer;
use super::words::{Branch, Input, Order, Output, Peer, PhoneEvent, PhoneOrder, RequestId};
use super::{Call, NewCall, NewInside, NewPlaced};
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::{Method, Reply};
use crate::endpoint::{Flow, Incoming, InviteEvent, Responder};
use crate::switchboard::Internal;
use crate::switchboard::shared::Shared;
use crate::trunk::Place;
pub(crate) use dial::TrunkTarget;
use dial::Way;
pub(crate) use fork::Target;
use fork::{Established, ForkNews};
pub(crate) use handover::{Asked, Handed, guest_order};
use handover::{Gone, Taking};
use held::{Goodbye, Held, clean_up};
use referral::Notifying;
use requests::Waiting;

/// Messages that may wait for one call.
pub(crate) const MAILBOX_MAX: usize = 256;

/// What a call is told.
pub(crate) enum Message {
    /// An order of the desk.
    Order(Order),
    /// An order that rings phones, with the ways to them.
    Ring(Order, Vec<Target>),
    /// An order that dials, with the trunks to do it over.
    Dial(Order, Vec<TrunkTarget>),
    /// About the customer's INVITE.
    Invite(InviteEvent),
    /// A request within one of its dialogs.
    Request(Party, Box<Incoming>),
    /// About a re-INVITE within one of its dialogs.
    Reinvite(Party, InviteEvent),
    /// From an INVITE to a phone or over a trunk.
    Fork(Branch, ForkNews),
    /// From the media plane.
    Media(Event),
    /// The agent's softphone.
    Softphone { leg: LegId, up: bool },
    /// A renewal of the session was answered, or the far end renewed it.
    Renewed(Party, u16),
    /// An order that brings somebody in from another call, with the way to that.
    Join(Order, InteractionId, Option<mpsc::Sender<Message>>),
    /// Another call asks for somebody.
    HandOver(Box<Asked>),
    /// Somebody comes from another call.
    Handed(Box<Handed>),
    /// Somebody who was asked for stays in the other call, and why.
    Kept(InteractionId, String),
}

/// Whose dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Customer,
    Phone(Branch),
}

/// The customer's side at the beginning; of one we dialled, from the answer on.
pub(crate) struct CustomerSide {
    pub(crate) dialog: Dialog,
    pub(crate) tag: String,
    pub(crate) flow: Flow,
    pub(crate) user: String,
    pub(crate) timer: Option<SessionTimer>,
    /// Answers its INVITE; `None`: the INVITE was ours.
    pub(crate) responder: Option<Responder>,
    /// Becomes true with the ACK of our 2xx: before it, BYE is forbidden (RFC 3261 §15).
    pub(crate) acknowledged: watch::Receiver<bool>,
    /// Of a call that came in over a trunk, its place there.
    pub(crate) place: Option<Place>,
}

pub(crate) struct Driver {
    shared: Arc<Shared>,
    interaction: InteractionId,
    customer_leg: LegId,
    caller: String,
    caller_name: Option<String>,
    call: Call,
    /// `None`: a softphone calls, with which there is no dialog, or nobody was reached yet.
    customer: Option<CustomerSide>,
    /// Trunks that may be tried.
    trunks: HashMap<Branch, TrunkTarget>,
    /// Trunks that are being tried, and the one that worked: they hold its place.
    ways: HashMap<Branch, Way>,
    /// The trunk whose answer made the customer's side.
    dialled: Option<Branch>,
    phones: HashMap<Branch, PhoneSide>,
    targets: HashMap<Branch, Target>,
    /// Where phone legs get their ports.
    phone_listener: usize,
    /// Requests that wait for the machine's answer.
    waiting: HashMap<RequestId, Waiting>,
    next_request: u32,
    mailbox: mpsc::Sender<Message>,
    held: Arc<Mutex<Held>>,
    /// Places on trunks of those who came from other calls.
    places: HashMap<Branch, Place>,
    /// Calls that are to be asked for somebody.
    others: HashMap<InteractionId, mpsc::Sender<Message>>,
    /// The call that asked this one.
    asked_by: Option<Asked>,
    taking: Option<Taking>,
    gone: Option<Gone>,
    notifying: Notifying,
    internal: mpsc::Sender<Internal>,
}

/// A phone's side.
enum PhoneSide {
    /// Rings; dropping the sender means that nobody wants it any more.
    Forking { _wanted: mpsc::Sender<()> },
    /// Picked up.
    Up(Box<Established>),
}

/// A call that begins.
pub(crate) enum New {
    /// By an INVITE.
    Outside(Box<(NewCall, CustomerSide)>),
    /// From a softphone.
    Inside(NewInside),
    /// By us.
    Placed(NewPlaced),
}

/// Runs a call to its end in a task of its own, and cleans up behind it if it panics.
pub(crate) fn spawn(
    shared: Arc<Shared>,
    new: New,
    mailbox: (mpsc::Sender<Message>, mpsc::Receiver<Message>),
    internal: mpsc::Sender<Internal>,
    over: impl FnOnce() + Send + 'static,
) {
    let held = Arc::new(Mutex::new(Held::default()));
    let now = shared.now();
    let (interaction, customer_leg, caller, caller_name, (call, first), customer) = match new {
        New::Outside(new) => {
            let (new, side) = *new;
            let (caller, name) = (new.caller.clone(), new.caller_name.clone());
            (new.interaction, new.leg, caller, name, Call::begin(new, now), Some(side))
        }
        New::Inside(new) => {
            let (caller, name) = (new.caller.clone(), new.caller_name.clone());
            (new.interaction, new.softphone.leg, caller, name, Call::begin_inside(new, now), None)
        }
        New::Placed(new) => {
            let contact = new.contact.clone();
            (new.interaction, new.leg, contact, None, Call::begin_placed(new, now), None)
        }
    };
    let goodbye = customer.as_ref().and_then(|side| {
        Some(Goodbye {
            responder: side.responder.clone()?,
            tag: side.tag.clone(),
            dialog: side.dialog.clone(),
            flow: side.flow.clone(),
        })
    });
    let driver = Driver {
        shared: shared.clone(),
        interaction,
        customer_leg,
        caller,
        caller_name,
        call,
        customer,
        trunks: HashMap::new(),
        ways: HashMap::new(),
        dialled: None,
        phones: HashMap::new(),
        targets: HashMap::new(),
        phone_listener: 0,
        waiting: HashMap::new(),
        next_request: 0,
        mailbox: mailbox.0,
        held: held.clone(),
        places: HashMap::new(),
        others: HashMap::new(),
        asked_by: None,
        taking: None,
        gone: None,
        notifying: Notifying::default(),
        internal,
    };
    tokio::spawn(async move {
        let task = tokio::spawn(driver.run(first, mailbox.1));
        if let Err(error) = task.await {
            shared.counters.call_panics.add();
            tracing::error!(%interaction, %error, "a call's task died; the call is ended");
            clean_up(&shared, interaction, &held, goodbye).await;
        }
        over();
    });
}

impl Driver {
    async fn run(mut self, first: Vec<Output>, mut mailbox: mpsc::Receiver<Message>) {
        self.carry_out(first).await;
        while !self.call.is_over() {
            let patience = self.call.next_deadline().since(self.shared.now()).min(Duration::from_secs(3_600));
            let input = tokio::select! {
                message = mailbox.recv() => match message {
                    Some(message) => self.input(message).await,
                    // Never while we hold a sender ourselves.
                    None => return,
                },
                () = tokio::time::sleep(patience) => Some(Input::Tick),
            };
            if let Some(input) = input {
                let outputs = self.call.handle(input, self.shared.now());
                self.carry_out(outputs).await;
            }
        }
        if let (Some(_), Some(side)) = (self.dialled, &self.customer) {
            self.shared.directory.forget(&side.dialog.key());
        }
        // Whoever still writes to this call is answered; a pick-up that came too late is hung up.
        let gone = self.gone.take().map(Gone::close);
        mailbox.close();
        while let Some(message) = mailbox.recv().await {
            let message = match &gone {
                None => message,
                Some((to, trail)) => match trail.follow(self.interaction, message) {
                    Ok(message) => {
                        to.send(message).await.ok();
                        continue;
                    }
                    Err(message) => message,
                },
            };
            match message {
                Message::HandOver(asked) => {
                    asked.refuse(self.interaction, "the other call is over".to_owned())
                }
                Message::Handed(handed) => handed.give_back(),
                Message::Request(_, incoming) => {
                    let status = if incoming.request.method == Method::Bye { 200 } else { 481 };
                    incoming.transaction.finish(&Reply::new(status), None);
                }
                Message::Fork(_, ForkNews::Answered { up, .. }) => self.bye_phone(*up),
                _ => {}
            }
        }
    }

    /// Carries out all outputs, then hands in what the media plane answered, until nothing is left to do.
    async fn carry_out(&mut self, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        let mut done = VecDeque::new();
        loop {
            while let Some(output) = outputs.pop_front() {
                match output {
                    Output::Customer(order) => self.tell_customer(order),
                    Output::Phone(branch, order) => self.tell_phone(branch, order),
                    Output::Fact(fact) => self.tell_desk(fact).await,
                    Output::Silent(trunk) => self.trunk_silent(trunk).await,
                    Output::Media(order) => {
                        let step = order.step();
                        let result = self.order_media(order).await;
                        if let Err(why) = &result {
                            tracing::warn!(interaction = %self.interaction, ?step, %why, "the media plane refused");
                        }
                        done.push_back(Input::Done(step, result));
                    }
                    Output::AskFor(from, handover) => done.extend(self.ask_for(from, handover)),
                    Output::Hand(who) => done.push_back(self.hand(who).await),
                    Output::Keep(why) => self.keep(why),
                    Output::Taken => self.taken().await,
                    Output::GiveBack(who) => self.give_back(who),
                }
            }
            let Some(input) = done.pop_front() else { return };
            outputs.extend(self.call.handle(input, self.shared.now()));
        }
    }

    async fn tell_desk(&mut self, fact: CallFact) {
        if let CallFact::Ended { by, failure, .. } = &fact {
            self.held().ended = true;
            match failure {
                Some(why) => {
                    self.shared.counters.calls_failed.add();
                    tracing::warn!(interaction = %self.interaction, ?by, why, "call failed");
                }
                None => tracing::info!(interaction = %self.interaction, ?by, "call ended"),
            }
        }
        self.shared.tell(fact).await;
    }

    fn tell_phone(&mut self, branch: Branch, order: PhoneOrder) {
        match order {
            PhoneOrder::Reach => self.reach(branch),
            PhoneOrder::Invite { sdp } => self.invite(branch, sdp),
            PhoneOrder::Reply(answered) => self.reply(Party::Phone(branch), answered),
            PhoneOrder::Notify { status } => self.notify(Party::Phone(branch), status),
            PhoneOrder::Renew => {
                if let Some(PhoneSide::Up(up)) = self.phones.get_mut(&branch) {
                    let update = up.dialog.request(Method::Update);
                    let (way, contact) = ((up.dialog.key(), up.flow.clone()), up.flow.contact(&up.user));
                    customer::renew(self.shared.clone(), way, update, contact, up.timer.as_ref());
                }
            }
            PhoneOrder::End => {
                self.ways.remove(&branch);
                self.places.remove(&branch);
                if self.dialled == Some(branch)
                    && let Some(side) = self.customer.take()
                {
                    self.shared.directory.forget(&side.dialog.key());
                    self.held().dialled = None;
                    let CustomerSide { dialog, flow, user, timer, acknowledged, .. } = side;
                    self.bye_phone(Established { dialog, flow, user, timer, acknowledged });
                }
                if let Some(PhoneSide::Up(up)) = self.phones.remove(&branch) {
                    self.shared.directory.forget(&up.dialog.key());
                    self.held().forget(&up.dialog.key());
                    self.bye_phone(*up);
                }
            }
        }
    }

    fn bye_phone(&mut self, Established { mut dialog, flow, acknowledged, .. }: Established) {
        let bye = dialog.request(Method::Bye);
        self.say_bye(bye, flow, acknowledged);
    }

    /// What a message means to the machine; what means nothing to it is answered here.
    async fn input(&mut self, message: Message) -> Option<Input> {
        Some(match message {
            Message::Order(order) => Input::Order(order),
            Message::Ring(order, targets) => {
                self.phone_listener = targets.first().map_or(0, |t| t.flow.listener);
                self.targets.extend(targets.into_iter().map(|t| (t.branch, t)));
                Input::Order(order)
            }
            Message::Dial(order, targets) => {
                self.trunks.extend(targets.into_iter().map(|t| (t.branch, t)));
                Input::Order(order)
            }
            Message::Invite(InviteEvent::Cancelled) => Input::Customer(Peer::Cancelled),
            Message::Invite(InviteEvent::Acknowledged(sdp)) => Input::Customer(Peer::Acknowledged(sdp)),
            Message::Invite(InviteEvent::NeverAcknowledged) => Input::Customer(Peer::NeverAcknowledged),
            Message::Reinvite(party, event) => peer(
                party,
                match event {
                    InviteEvent::Acknowledged(sdp) => Peer::OfferAcknowledged(sdp),
                    // RFC 3261 §14.2: without the ACK of a re-INVITE's 2xx the dialog is ended.
                    InviteEvent::NeverAcknowledged => Peer::NeverAcknowledged,
                    InviteEvent::Cancelled => return None,
                },
            ),
            Message::Request(party, incoming) => return self.request(party, *incoming),
            Message::Fork(branch, news) => return self.fork_said(branch, news),
            Message::Media(event) => Input::Media(event),
            Message::Softphone { leg, up } => Input::Softphone { leg, up },
            Message::Renewed(party, status) => peer(party, Peer::RenewalAnswered(status)),
            Message::Join(order, from, other) => {
                self.others.extend(other.map(|other| (from, other)));
                Input::Order(order)
            }
            Message::HandOver(asked) => self.asked(*asked),
            Message::Handed(handed) => self.arrives(*handed),
            Message::Kept(from, why) => Input::Kept(from, why),
        })
    }

    fn fork_said(&mut self, branch: Branch, news: ForkNews) -> Option<Input> {
        let event = match news {
            ForkNews::Reached(flow) => {
                self.ways.get_mut(&branch)?.flow = Some(flow);
                PhoneEvent::Reached
            }
            ForkNews::Full => PhoneEvent::Full,
            ForkNews::Progress { status, sdp } => {
                self.phones.get(&branch)?;
                PhoneEvent::Progress { status, sdp }
            }
            ForkNews::Answered { up, sdp, timer } => {
                // Its end was ordered already: the pick-up crossed it.
                if !matches!(self.phones.get(&branch), Some(PhoneSide::Forking { .. })) {
                    self.shared.directory.forget(&up.dialog.key());
                    self.bye_phone(*up);
                    return None;
                }
                if self.is_customers(branch) {
                    self.customer_answered(branch, *up, timer);
                } else {
                    self.held().phones.push((*up).clone());
                    self.phones.insert(branch, PhoneSide::Up(up));
                }
                PhoneEvent::Answered { sdp, timer }
            }
            ForkNews::Refused(refusal) => {
                self.phones.remove(&branch)?;
                self.ways.remove(&branch);
                PhoneEvent::Refused(refusal)
            }
            ForkNews::Unreachable(why) => {
                let reaching = self.ways.remove(&branch).is_some();
                let forking = self.phones.remove(&branch).is_some();
                if !reaching && !forking {
                    return None;
                }
                PhoneEvent::Unreachable(why)
            }
        };
        Some(Input::Phone(branch, event))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn peer(party: Party, event: Peer) -> Input {
    match party {
        Party::Customer => Input::Customer(event),
        Party::Phone(branch) => Input::Phone(branch, PhoneEvent::Peer(event)),
    }
}

fn timer_headers(reply: Reply, timer: &SessionTimer) -> Reply {
    let reply = reply.with("Session-Expires", timer.header());
    if timer.requires() { reply.with("Require", "timer") } else { reply }
}
