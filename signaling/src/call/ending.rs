//! The end of a call: everybody is told, the recording is closed, the last figures are read, and then one `Ended`.

use std::collections::HashMap;

use media::control::{Answer, MediaError};
use model::call::CallFact;
use model::id::{InteractionId, LegId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::media::{Codec, StreamStats};

use super::Call;
use super::agent::{Agent, end_branches};
use super::customer::Customer;
use super::figures::Figures;
use super::link::End;
use super::words::{
    Answered, Branch, Heard, Input, MediaOrder, Order, Output, Peer, PeerOrder, PhoneEvent, PhoneOrder, Step,
};

/// A call that is ending, or has ended when nothing is left.
#[derive(Debug)]
pub(super) struct Ending {
    by: EndedBy,
    failure: Option<String>,
    /// What the media plane still has to answer, and what is said then.
    left: HashMap<Step, Last>,
    /// For whom it is over with this call.
    guests: Vec<InteractionId>,
    /// Whoever was here besides the agent is in another call, which says when it is over for them.
    handed: bool,
    said: bool,
}

/// What is said when the media plane has answered its last order about something.
#[derive(Debug)]
pub(super) enum Last {
    Captured,
    LegEnded {
        leg: LegId,
        party: Party,
        figures: Figures,
    },
    /// Of somebody who came from another call, by the name of that; then it is over for them, unless the call's end says so.
    GuestOver {
        name: InteractionId,
        leg: LegId,
        party: Party,
        figures: Figures,
        end: Option<(EndedBy, Option<String>)>,
    },
    /// The same of somebody who has the agent's place from now on.
    TookOver(Box<TookOver>),
    Silently,
}

/// What is said of a guest who took the agent's place.
#[derive(Debug)]
pub(super) struct TookOver {
    pub(super) name: InteractionId,
    pub(super) leg: LegId,
    /// What they were under the name they had, if that is still to be said.
    pub(super) was: Option<(Party, Figures)>,
    /// What they are now.
    pub(super) party: Party,
    pub(super) codec: Option<(Codec, bool)>,
}

impl Ending {
    pub(super) fn is_over(&self) -> bool {
        self.said
    }

    /// Whether everybody else goes on in another call.
    pub(super) fn is_handed(&self) -> bool {
        self.handed
    }
}

/// How the customer's side is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// They left themselves.
    None,
    /// They cancelled: 487.
    Cancelled,
    /// A refusal of the INVITE.
    Refuse(u16),
    /// A refusal because of the description, with its warning.
    Description(u16, Option<String>),
    /// 503: try elsewhere, or later.
    Overloaded,
    /// BYE.
    Bye,
    /// They are only being dialled: CANCEL, or BYE if the answer was faster.
    LetGo(Branch),
}

impl Call {
    /// Ends the call, in the way the customer's leg allows.
    pub(super) fn end(&mut self, by: EndedBy, failure: Option<String>, out: &mut Vec<Output>) {
        let farewell = self.customer.farewell();
        self.end_with(by, failure, farewell, out);
    }

    pub(super) fn end_with(
        &mut self,
        by: EndedBy,
        failure: Option<String>,
        farewell: Farewell,
        out: &mut Vec<Output>,
    ) {
        let refuse = |status, retry_after_s, warning| {
            Output::Customer(PeerOrder::Refuse { status, retry_after_s, warning })
        };
        match farewell {
            Farewell::None => {}
            Farewell::Cancelled => out.push(refuse(487, None, None)),
            Farewell::Refuse(status) => out.push(refuse(status, None, None)),
            Farewell::Description(status, warning) => out.push(refuse(status, None, warning)),
            Farewell::Overloaded => out.push(refuse(503, Some(10), None)),
            Farewell::LetGo(branch) => out.push(Output::Phone(branch, PhoneOrder::End)),
            Farewell::Bye => out.push(Output::Customer(PeerOrder::Bye { reason: failure.clone() })),
        }
        // What was asked a moment ago is said all the same.
        self.end_joining(out);
        let mut left: HashMap<Step, Last> = std::mem::take(&mut self.leaving).into_iter().collect();
        self.close_room(out);
        let mut ask = |order: MediaOrder, last: Last, out: &mut Vec<Output>| {
            left.insert(order.step(), last);
            out.push(Output::Media(order));
        };
        if let Some(recording) = self.recording {
            ask(MediaOrder::StopRecording(recording), Last::Captured, out);
        }
        if let Some((order, last)) = self.let_agent_go(out) {
            ask(order, last, out);
        }
        let mut guests = Vec::new();
        for guest in std::mem::take(&mut self.guests) {
            guests.push(guest.name);
            let (order, last) = guest.let_go(by, None, out);
            let last = match last {
                Last::GuestOver { name, leg, party, figures, .. } => {
                    Last::GuestOver { name, leg, party, figures, end: None }
                }
                other => other,
            };
            ask(order, last, out);
        }
        if let Customer::Colleague(colleague) = &self.customer {
            let held = self.holds(End::Caller);
            if !held {
                out.push(Output::Media(MediaOrder::Hear { leg: self.leg, heard: Heard::Nothing }));
                out.push(Output::Media(MediaOrder::Mute { leg: self.leg, muted: false }));
            } else if let Some(speaker) = self.agent.media_leg() {
                out.push(Output::Media(MediaOrder::StopHearing { leg: self.leg, speaker }));
            }
            let figures = Figures::of_softphone(&colleague.tally, held);
            let last = Last::LegEnded { leg: colleague.half, party: Party::Customer, figures };
            ask(MediaOrder::Stats(self.leg), last, out);
        }
        if self.customer.owns_leg() {
            let last = match self.is_answered() {
                true => Last::LegEnded { leg: self.leg, party: Party::Customer, figures: Figures::Own },
                false => Last::Silently,
            };
            ask(MediaOrder::Delete(self.leg), last, out);
        }
        self.ending = Some(Ending { by, failure, left, guests, handed: false, said: false });
        self.say_ended(out);
    }

    /// Lets go of whoever is at the other end. What is still to be asked of the media plane, and what is said then.
    pub(super) fn let_agent_go(&self, out: &mut Vec<Output>) -> Option<(MediaOrder, Last)> {
        match &self.agent {
            Agent::Nobody => None,
            Agent::Dialled(dialling) => {
                dialling.give_up(out);
                dialling.has_leg().then(|| (MediaOrder::Delete(dialling.leg()), Last::Silently))
            }
            Agent::Outside(outside) => {
                let dialling = &outside.dialling;
                dialling.give_up(out);
                dialling.has_leg().then(|| (MediaOrder::Delete(dialling.leg()), Last::Silently))
            }
            Agent::FarEnd(far) => {
                out.push(Output::Phone(far.branch, PhoneOrder::End));
                let last = Last::LegEnded { leg: far.leg, party: Party::FarEnd, figures: Figures::Own };
                Some((MediaOrder::Delete(far.leg), last))
            }
            Agent::Softphone(soft) => {
                let (Some(half), Some(agent)) = (soft.half, self.linked_agent()) else {
                    if self.placed && soft.half.is_none() {
                        // It heard the far end ring, or the busy tone.
                        out.push(Output::Media(MediaOrder::Hear { leg: soft.media, heard: Heard::Nothing }));
                    }
                    return None;
                };
                // The softphone stays for the next call. While this customer was held, it may be in another already.
                if self.holds(End::Called) {
                    if self.customer.has_leg() {
                        let (leg, speaker) = (soft.media, self.leg);
                        out.push(Output::Media(MediaOrder::StopHearing { leg, speaker }));
                    }
                } else {
                    out.push(Output::Media(MediaOrder::Hear { leg: soft.media, heard: Heard::Nothing }));
                    out.push(Output::Media(MediaOrder::Mute { leg: soft.media, muted: false }));
                }
                let party = Party::Agent { agent };
                let figures = Figures::of_softphone(&soft.tally, self.holds(End::Called));
                Some((MediaOrder::Stats(soft.media), Last::LegEnded { leg: half, party, figures }))
            }
            Agent::Phone(phone) => {
                end_branches(phone, out);
                let party = Party::Agent { agent: phone.agent };
                let last = match phone.ready {
                    true => Last::LegEnded { leg: phone.leg, party, figures: Figures::Own },
                    false => Last::Silently,
                };
                Some((MediaOrder::Delete(phone.leg), last))
            }
        }
    }

    /// Nothing is decided any more; what comes late gets the answer that it is late.
    pub(super) fn while_ending(&mut self, input: Input, out: &mut Vec<Output>) {
        let late = |id| Answered { id, status: 481, sdp: None, warning: None };
        match input {
            Input::Done(step, result) => self.last_answer(step, result, out),
            Input::Order(Order::HandOver(_)) => out.push(Output::Keep("the other call is over".to_owned())),
            Input::Order(Order::Join(join)) => self.join_failed(join.from, "the call is over", out),
            Input::Order(Order::Attend(attend)) => self.join_failed(attend.from, "the call is over", out),
            Input::Handed(_, who) => out.push(Output::GiveBack(who)),
            Input::Customer(Peer::Offer { id, .. } | Peer::Refer { id, .. }) => {
                out.push(Output::Customer(PeerOrder::Reply(late(id))))
            }
            Input::Phone(branch, PhoneEvent::Peer(Peer::Offer { id, .. } | Peer::Refer { id, .. })) => {
                out.push(Output::Phone(branch, PhoneOrder::Reply(late(id))));
            }
            Input::Phone(branch, PhoneEvent::Answered { .. }) => {
                out.push(Output::Phone(branch, PhoneOrder::End))
            }
            _ => {}
        }
    }

    fn last_answer(&mut self, step: Step, result: Result<Answer, MediaError>, out: &mut Vec<Output>) {
        let Some(ending) = &mut self.ending else { return };
        let Some(last) = ending.left.remove(&step) else { return };
        self.say_last(last, step, result, out);
        self.say_ended(out);
    }

    /// What is to be said of something that is over.
    pub(super) fn say_last(
        &self,
        last: Last,
        step: Step,
        result: Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) {
        let interaction = self.interaction;
        match (last, step) {
            (Last::Captured, Step::Stopped(recording)) => out.push(Output::Fact(match result {
                Ok(_) => CallFact::RecordingCaptured { interaction, recording },
                Err(why) => CallFact::RecordingFailed { interaction, recording, why: why.to_string() },
            })),
            (Last::LegEnded { leg, party, figures }, _) => {
                let stats = counted(figures, result);
                out.push(Output::Fact(CallFact::LegEnded { interaction, leg, party, stats }));
            }
            (Last::GuestOver { name: interaction, leg, party, figures, end }, _) => {
                let stats = counted(figures, result);
                out.push(Output::Fact(CallFact::LegEnded { interaction, leg, party, stats }));
                if let Some((by, failure)) = end {
                    out.push(Output::Fact(CallFact::Ended { interaction, by, failure }));
                }
            }
            (Last::TookOver(over), _) => self.say_took_over(*over, result, out),
            _ => {}
        }
    }

    fn say_ended(&mut self, out: &mut Vec<Output>) {
        let Some(ending) = &mut self.ending else { return };
        if ending.left.is_empty() && !std::mem::replace(&mut ending.said, true) {
            if ending.handed {
                return;
            }
            let (by, failure) = (ending.by, ending.failure.take());
            for interaction in std::mem::take(&mut ending.guests) {
                out.push(Output::Fact(CallFact::Ended { interaction, by, failure: None }));
            }
            out.push(Output::Fact(CallFact::Ended { interaction: self.interaction, by, failure }));
        }
    }

    /// Ends what is left of a call whose other party is in another call now.
    pub(super) fn end_handed(&mut self, party: Option<(MediaOrder, Last)>, out: &mut Vec<Output>) {
        self.end_with(EndedBy::Agent, None, self.customer.farewell(), out);
        if let Some(ending) = &mut self.ending {
            ending.handed = true;
            if let Some((order, last)) = party {
                ending.left.insert(order.step(), last);
                out.push(Output::Media(order));
            }
        }
    }
}

/// What the media plane's last answer counts for.
pub(super) fn counted(figures: Figures, result: Result<Answer, MediaError>) -> Option<StreamStats> {
    match result {
        Ok(Answer::Stats(stats)) => Some(figures.with(stats.received)),
        _ => None,
    }
}
