//! Somebody comes into this call: whoever an agent talks to in another, or a supervisor.
//!
//! The other call is asked for them ([`handover`](super::handover)), one at a time. Whoever comes sits down as a guest, or in the
//! agent's place, and the media plane is told; refused, they go back and everybody sits as before.

use std::time::Duration;

use media::control::{Answer, MediaError};
use model::call::{AfterJoin, CallFact};
use model::id::{InteractionId, UserId};
use model::journal::Party;
use model::time::Timestamp;

use super::Call;
use super::agent::Agent;
use super::ending::{Last, TookOver, counted};
use super::guest::{GUESTS_MAX, Guest};
use super::link::{End, EndState, Link};
use super::seating::Seating;
use super::who::{Line, SoftphoneLine, Who};
use super::words::{Attend, HandOver, Join, MediaOrder, Output, Step};

/// So long the other call may take to answer.
pub const ASKED_MAX: Duration = Duration::from_secs(10);

/// Somebody is being brought into this call.
#[derive(Debug)]
pub(super) struct Joining {
    from: InteractionId,
    agent: UserId,
    then: AfterJoin,
    give_up_at: Timestamp,
    /// They are here, and the media plane has not answered yet.
    taking: Option<Taking>,
}

/// What goes back if the media plane refuses.
#[derive(Debug)]
struct Taking {
    /// Answers that are to come.
    left: usize,
    why: Option<MediaError>,
    /// How everybody sat.
    before: Seating,
    /// Who leaves for whoever comes.
    seat: Option<(Agent, EndState, Party)>,
    /// The agent who stays held the others, and does no longer.
    retrieved: Option<End>,
    /// A supervisor, who comes from no other call.
    attends: bool,
    /// The agent held whoever comes, too: the softphone may be in a third call.
    elsewhere: bool,
}

impl Call {
    /// Whether somebody who came is waiting to be heard.
    pub(super) fn is_taking(&self) -> bool {
        self.joining.as_ref().is_some_and(|joining| joining.taking.is_some())
    }

    pub(super) fn joining_deadline(&self) -> Timestamp {
        self.joining.as_ref().map_or(Timestamp::NEVER, |joining| joining.give_up_at)
    }

    pub(super) fn joining_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.joining_deadline() <= now
            && let Some(joining) = self.joining.take()
        {
            self.join_failed(joining.from, "the other call did not answer", out);
        }
    }

    pub(super) fn join_failed(&mut self, from: InteractionId, why: impl Into<String>, out: &mut Vec<Output>) {
        let (interaction, why) = (self.interaction, why.into());
        out.push(Output::Fact(CallFact::JoinFailed { interaction, from, why }));
        self.referral_failed(out);
    }

    /// Asks for whoever this agent talks to in another call.
    pub(super) fn join(&mut self, join: Join, now: Timestamp, out: &mut Vec<Output>) {
        let Join { from, agent, then, branch } = join;
        let end = self.end_of(agent);
        let refused = match &self.link {
            _ if self.joining.is_some() => Some("somebody else is being brought into this call"),
            _ if self.guests.len() >= GUESTS_MAX => Some("this conference is full"),
            Link::Joined(joined) if joined.aside => Some("the customer goes through a flow"),
            Link::Joined(joined) if end.is_some_and(|end| joined.at(end).away_until.is_some()) => {
                Some("the agent's softphone is away")
            }
            Link::Joined(_) if end.is_none() => Some("the agent is not in this call"),
            Link::Joined(_) if end == Some(End::Caller) && then == AfterJoin::Leave => {
                Some("whoever called a colleague cannot pass the call on")
            }
            Link::Joined(_) => None,
            Link::Apart | Link::Connecting { .. } => Some("nobody talks in this call"),
        };
        if let Some(why) = refused {
            return self.join_failed(from, why, out);
        }
        let give_up_at = now + ASKED_MAX;
        self.joining = Some(Joining { from, agent, then, give_up_at, taking: None });
        let softphone = end.filter(|end| self.is_softphone(*end)).and_then(|end| self.leg_at(end));
        out.push(Output::AskFor(from, HandOver { agent, then, branch, softphone }));
    }

    /// The other call keeps whom it was asked for.
    pub(super) fn kept(&mut self, from: InteractionId, why: String, out: &mut Vec<Output>) {
        if self.joining.take_if(|joining| joining.from == from && joining.taking.is_none()).is_some() {
            self.join_failed(from, why, out);
        }
    }

    /// Somebody comes from the call that was asked.
    pub(super) fn handed(&mut self, from: InteractionId, who: Who, out: &mut Vec<Output>) {
        let asked = self.joining.as_ref().filter(|joining| joining.from == from && joining.taking.is_none());
        let Some((agent, then)) = asked.map(|joining| (joining.agent, joining.then)) else {
            return out.push(Output::GiveBack(Box::new(who)));
        };
        let end = self.end_of(agent);
        let twice =
            who.agent.is_some_and(|who| self.end_of(who).is_some() || self.guest_named(who).is_some());
        let (Link::Joined(joined), Some(end), false) = (&mut self.link, end, twice) else {
            self.joining = None;
            out.push(Output::GiveBack(Box::new(who)));
            let why = if twice { "they are in this call already" } else { "the agent has left this call" };
            return self.join_failed(from, why, out);
        };
        let mut taking = Taking {
            left: 0,
            why: None,
            before: self.seating.clone(),
            seat: None,
            retrieved: None,
            attends: false,
            elsewhere: who.was_held,
        };
        match then {
            AfterJoin::Leave => {
                let was = (std::mem::take(&mut joined.called), joined.party);
                joined.party = who.as_party();
                let (seat, state) = who.counted_anew().into_seat();
                joined.called = state;
                let left = std::mem::replace(&mut self.agent, seat);
                taking.seat = Some((left, was.0, was.1));
            }
            AfterJoin::Stay => {
                if joined.at(end).holds && !self.phone_holds(end) {
                    taking.retrieved = Some(end);
                    self.set_holds(end, false);
                }
                self.guests.push(Guest::member(from, who));
            }
        }
        if let Some(joining) = &mut self.joining {
            joining.taking = Some(taking);
        }
        self.take_seats(out);
    }

    /// A supervisor takes part, or in another way.
    pub(super) fn attend(&mut self, attend: Attend, now: Timestamp, out: &mut Vec<Output>) {
        let Attend { from, agent, softphone, half, how } = attend;
        if let Some(guest) = self.guest_mut(from) {
            guest.how = how;
            self.arrange(out);
            return out.push(Output::Fact(CallFact::Joined { interaction: self.interaction, from }));
        }
        let refused = match (&self.link, softphone) {
            _ if self.joining.is_some() => "somebody else is being brought into this call",
            (Link::Joined(_), _) if self.guests.len() >= GUESTS_MAX => "this conference is full",
            (Link::Joined(_), _) if self.end_of(agent).is_some() || self.guest_named(agent).is_some() => {
                "the supervisor is in this call already"
            }
            (Link::Joined(_), None) => "the supervisor's softphone is not connected",
            (Link::Joined(joined), _) if joined.aside => "the customer goes through a flow",
            (Link::Joined(_), Some(soft)) => {
                let give_up_at = now + ASKED_MAX;
                let then = AfterJoin::Stay;
                let taking = Taking {
                    left: 0,
                    why: None,
                    before: self.seating.clone(),
                    seat: None,
                    retrieved: None,
                    attends: true,
                    elsewhere: false,
                };
                self.joining = Some(Joining { from, agent, then, give_up_at, taking: Some(taking) });
                let (media, codec, party) = (soft.leg, soft.codec, Party::Agent { agent });
                let line = Line::Softphone(SoftphoneLine { media, half, codec, tally: Default::default() });
                let state = EndState::default();
                let who = Who { agent: Some(agent), party, line, state, was_held: false };
                self.guests.push(Guest { name: from, who, how, faults: Default::default() });
                out.push(Output::Media(MediaOrder::Measure(media)));
                out.push(Output::Media(MediaOrder::Mute { leg: media, muted: false }));
                return self.take_seats(out);
            }
            _ => "nobody talks in this call",
        };
        self.join_failed(from, refused, out);
    }

    /// Lets everybody hear what they should with whoever came.
    fn take_seats(&mut self, out: &mut Vec<Output>) {
        let before = out.len();
        self.arrange(out);
        let is_awaited = |output: &&Output| match output {
            Output::Media(order) => {
                matches!(order.step(), Step::Bridged | Step::Gathered)
            }
            _ => false,
        };
        let left = out.iter().skip(before).filter(is_awaited).count();
        if let Some(taking) = self.joining.as_mut().and_then(|joining| joining.taking.as_mut()) {
            taking.left = left;
        }
        if left == 0 {
            self.come(out);
        }
    }

    /// The media plane has seated somebody, or refuses.
    pub(super) fn seated(&mut self, result: Result<Answer, MediaError>, out: &mut Vec<Output>) {
        let Some(taking) = self.joining.as_mut().and_then(|joining| joining.taking.as_mut()) else { return };
        taking.left = taking.left.saturating_sub(1);
        taking.why = result.err().or(taking.why.take());
        if taking.left > 0 {
            return;
        }
        match taking.why.take() {
            None => self.come(out),
            Some(why) => self.send_back(why.to_string(), out),
        }
    }

    /// They hear and are heard.
    fn come(&mut self, out: &mut Vec<Output>) {
        let Some(Joining { from, agent, taking: Some(taking), .. }) = self.joining.take() else { return };
        let interaction = self.interaction;
        self.capture(out);
        if let Some((seat, state, party)) = taking.seat {
            // Of an agent who held this customer the other call was the one that was heard.
            let here = !(state.holds && taking.elsewhere);
            self.let_seat_go((seat, party, state), here, out);
            if self.guests.is_empty() {
                self.seating = Seating::default();
            }
            out.push(Output::Taken);
            return self.say_seat_came(from, out);
        }
        if let Some(end) = taking.retrieved {
            let muted = matches!(&self.link, Link::Joined(joined) if joined.at(end).muted);
            if let (true, Some(leg)) = (self.is_softphone(end), self.leg_at(end)) {
                out.push(Output::Media(MediaOrder::Measure(leg)));
                out.push(Output::Media(MediaOrder::Mute { leg, muted }));
            }
            out.push(Output::Fact(CallFact::HoldChanged { interaction, agent, held: false }));
        }
        if taking.attends {
            if let Some((leg, codec)) =
                self.guest_mut(from).and_then(|g| Some((g.who.half(), g.who.codec()?)))
            {
                let (party, (codec, secure)) = (Party::Agent { agent }, codec);
                out.push(Output::Fact(CallFact::LegAnswered {
                    interaction: from,
                    leg,
                    party,
                    codec,
                    secure,
                }));
            }
        } else {
            out.push(Output::Taken);
        }
        out.push(Output::Fact(CallFact::Joined { interaction, from }));
    }

    /// Who took the agent's place is said to have done so after the last word about who left it.
    fn say_seat_came(&mut self, from: InteractionId, out: &mut Vec<Output>) {
        let (Some(party), Some(media)) = (self.linked_party(), self.agent.media_leg()) else { return };
        let (leg, codec) = self.seat_named();
        let (order, over) = (MediaOrder::Stats(media), TookOver { name: from, leg, was: None, party, codec });
        self.leaving.push((order.step(), Last::TookOver(Box::new(over))));
        out.push(Output::Media(order));
        if leg != media {
            out.push(Output::Media(MediaOrder::Measure(media)));
        }
    }

    pub(super) fn say_took_over(
        &self,
        over: TookOver,
        result: Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) {
        let (interaction, TookOver { name: from, leg, was, party, codec }) = (self.interaction, over);
        if let Some((party, figures)) = was {
            let stats = counted(figures, result);
            out.push(Output::Fact(CallFact::LegEnded { interaction: from, leg, party, stats }));
        }
        if let Some((codec, secure)) = codec {
            out.push(Output::Fact(CallFact::LegAnswered { interaction, leg, party, codec, secure }));
        }
        let agent = match party {
            Party::Agent { agent } => Some(agent),
            Party::Customer | Party::FarEnd => None,
        };
        out.push(Output::Fact(CallFact::TookOver { interaction, from, agent }));
    }

    /// The media plane refuses: everybody goes back to where they were.
    fn send_back(&mut self, why: String, out: &mut Vec<Output>) {
        let Some(Joining { from, taking: Some(taking), .. }) = self.joining.take() else { return };
        let who = match (taking.seat, &mut self.link) {
            (Some((seat, state, party)), Link::Joined(joined)) => {
                let (came, as_state) =
                    (std::mem::replace(&mut self.agent, seat), std::mem::replace(&mut joined.called, state));
                let as_party = std::mem::replace(&mut joined.party, party);
                Who::of_seat(came, as_party, as_state).ok()
            }
            _ => {
                let at = self.guests.iter().position(|guest| guest.name == from);
                at.map(|at| self.guests.remove(at).who)
            }
        };
        if let Some(end) = taking.retrieved {
            self.set_holds(end, true);
        }
        self.arrange_back(taking.before, out);
        if let (Some(who), false) = (who, taking.attends) {
            out.push(Output::GiveBack(Box::new(who)));
        }
        self.join_failed(from, why, out);
    }

    /// The call ends while somebody is on the way: they go back, if they are here already.
    pub(super) fn end_joining(&mut self, out: &mut Vec<Output>) {
        if self.is_taking() {
            return self.send_back("the call is over".to_owned(), out);
        }
        if let Some(joining) = self.joining.take() {
            self.join_failed(joining.from, "the call is over", out);
        }
    }

    fn phone_holds(&self, end: End) -> bool {
        matches!((end, &self.agent), (End::Called, Agent::Phone(phone)) if phone.holds)
    }

    fn set_holds(&mut self, end: End, holds: bool) {
        if let Link::Joined(joined) = &mut self.link {
            joined.at_mut(end).holds = holds;
        }
    }
}
