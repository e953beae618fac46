//! Whoever an agent talks to goes into another call: the other end, whichever it is and however it is connected.
//!
//! The call that wants them ([`joining`](super::joining)) asks this one, which gives them away as data and waits; nothing is decided
//! here meanwhile. The other lets them hear and be heard, and only when the media plane has done so they are its own: refused, they
//! come back, and both calls are as they were. This call then ends without a word about that: it goes on under its name in the
//! other, until they leave or take the agent's place.

use model::call::AfterJoin;
use model::id::LegId;
use model::interaction::EndedBy;
use model::journal::Party;

use super::Call;
use super::agent::Agent;
use super::colleague::Colleague;
use super::customer::Customer;
use super::ending::Last;
use super::link::{End, EndState, Link};
use super::session::Session;
use super::who::{DialogLine, Line, SoftphoneLine, Who};
use super::words::{HandOver, MediaOrder, Output};
use crate::sdp::KeySeed;

/// Someone who was given away and is not there yet: where they sat here.
#[derive(Debug)]
pub(super) struct Given {
    end: End,
    media: LegId,
    /// The softphone of the agent who goes on in the other call.
    softphone: Option<LegId>,
    /// What is said here of whoever goes on under that call's name.
    last: Option<(MediaOrder, Last)>,
}

impl Call {
    /// Gives whoever this agent talks to away, if they talk.
    pub(super) fn hand_over(&mut self, handover: HandOver, out: &mut Vec<Output>) {
        let end = self.end_of(handover.agent);
        let busy = self.joining.is_some() || !self.guests.is_empty() || self.given.is_some();
        let (end, joined) = match (&mut self.link, end) {
            (Link::Joined(joined), Some(end)) if !busy && !joined.aside => (end, joined),
            (Link::Joined(_), Some(_)) => {
                return out.push(Output::Keep("the other call is a conference, or in a flow".to_owned()));
            }
            (Link::Joined(_), None) => {
                return out.push(Output::Keep("the agent is not in the other call".to_owned()));
            }
            _ => return out.push(Output::Keep("nobody talks in the other call yet".to_owned())),
        };
        let far = joined.at_mut(end.other());
        if far.holds {
            return out.push(Output::Keep("the other side holds the other call".to_owned()));
        }
        if far.away_until.is_some() {
            return out.push(Output::Keep("the other side's softphone is away".to_owned()));
        }
        let state = std::mem::take(far);
        match self.take_out(end.other(), state, &handover) {
            Ok(mut who) => {
                who.was_held = self.holds(end);
                let last = (handover.then == AfterJoin::Leave).then(|| {
                    let (leg, party, figures) = (who.half(), who.party, who.figures_so_far());
                    (MediaOrder::Stats(who.media()), Last::LegEnded { leg, party, figures })
                });
                let (media, softphone) = (who.media(), handover.softphone);
                self.given = Some(Given { end: end.other(), media, softphone, last });
                out.push(Output::Hand(Box::new(who)));
            }
            Err(state) => {
                if let Link::Joined(joined) = &mut self.link {
                    *joined.at_mut(end.other()) = state;
                }
                out.push(Output::Keep("a description is being agreed in the other call".to_owned()));
            }
        }
    }

    /// Takes one end out of the call.
    fn take_out(&mut self, end: End, state: EndState, handover: &HandOver) -> Result<Who, EndState> {
        let party = self.linked_party().unwrap_or(Party::Customer);
        if end == End::Called {
            let seat = std::mem::replace(&mut self.agent, Agent::Nobody);
            return Who::of_seat(seat, party, state).map_err(|(seat, state)| {
                self.agent = seat;
                state
            });
        }
        let line = match std::mem::replace(&mut self.customer, Customer::Gone) {
            Customer::Colleague(Colleague { half, codec, tally, .. }) => {
                Line::Softphone(SoftphoneLine { media: self.leg, half, codec, tally })
            }
            Customer::Answered { pending } => {
                let nothing = Session::new(self.ability.clone(), KeySeed::new([0; 32]), 0);
                Line::Dialog(Box::new(DialogLine {
                    branch: handover.branch,
                    leg: self.leg,
                    session: std::mem::replace(&mut self.session, nothing),
                    timer: self.timer.take(),
                    holds: false,
                    pending,
                }))
            }
            other => {
                self.customer = other;
                return Err(state);
            }
        };
        Ok(Who { agent: self.calling, party: Party::Customer, line, state, was_held: false })
    }

    /// The other call has them: this one is over, without a word about that.
    pub(super) fn given(&mut self, out: &mut Vec<Output>) {
        let Some(Given { end, media: given, softphone, last }) = self.given.take() else { return };
        if let Link::Joined(joined) = &mut self.link {
            // What a softphone that stays there hears is for the other call to say.
            let own = end.other();
            let media = if own == End::Caller { Some(self.leg) } else { self.agent.media_leg() };
            if media.is_some() && media == softphone {
                joined.at_mut(own).holds = true;
            } else if let (Some(leg), true) = (media, joined.at(own).holds) {
                out.push(Output::Media(MediaOrder::StopHearing { leg, speaker: given }));
            }
        }
        self.end_handed(last, out);
    }

    /// They are lost with the other call.
    pub(super) fn lost(&mut self, out: &mut Vec<Output>) {
        if self.given.take().is_some() {
            self.end(EndedBy::System, Some("the call that took the other side over is gone".to_owned()), out);
        }
    }

    /// They come back: everything is as it was.
    pub(super) fn given_back(&mut self, who: Who) {
        let Some(Given { end, .. }) = self.given.take() else { return };
        let Link::Joined(joined) = &mut self.link else { return };
        if end == End::Called {
            let (seat, state) = who.into_seat();
            *joined.at_mut(end) = state;
            self.agent = seat;
            return;
        }
        *joined.at_mut(end) = who.state;
        match who.line {
            Line::Softphone(SoftphoneLine { half, codec, tally, .. }) => {
                self.customer = Customer::Colleague(Colleague { half, codec, tally, give_up_at: None });
            }
            Line::Dialog(line) => {
                self.customer = Customer::Answered { pending: line.pending };
                (self.session, self.timer) = (line.session, line.timer);
            }
        }
    }
}
