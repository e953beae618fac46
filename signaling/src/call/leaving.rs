//! Who leaves a call in which others go on talking: the customer, the agent, whoever came from another call.
//!
//! The agent's place is taken by the colleague who is here longest, else by the number outside that is; the customer's stays empty.
//! When nobody is left to talk to, the call is over.

use model::id::{InteractionId, LegId, UserId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::media::Codec;
use model::time::Timestamp;

use super::Call;
use super::agent::Agent;
use super::customer::Customer;
use super::ending::{Farewell, Last, TookOver};
use super::figures::Figures;
use super::guest::Guest;
use super::link::{End, EndState, Link};
use super::timer::{Due, SessionTimer};
use super::who::{Line, Who};
use super::words::{Branch, Heard, MediaOrder, Output, Peer, PeerOrder, PhoneOrder};

impl Call {
    /// How many talk here besides the customer and the agent.
    fn members_besides(&self) -> usize {
        self.guests.iter().filter(|guest| guest.is_member()).count()
    }

    /// A guest leaves.
    pub(super) fn drop_guest(
        &mut self,
        name: InteractionId,
        by: EndedBy,
        failure: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let Some(at) = self.guests.iter().position(|guest| guest.name == name) else { return };
        let was_member = self.guests.get(at).is_some_and(Guest::is_member);
        if was_member && matches!(self.customer, Customer::Gone) && self.members_besides() <= 1 {
            // Only the agent is left.
            return self.end(by, failure, out);
        }
        let guest = self.guests.remove(at);
        let (order, last) = guest.let_go(by, failure, out);
        // The others first: nobody hears a gap because somebody left.
        self.arrange(out);
        self.leaving.push((order.step(), last));
        out.push(Output::Media(order));
    }

    /// The customer's side is over: others who talk go on.
    pub(super) fn customer_left(
        &mut self,
        by: EndedBy,
        failure: Option<String>,
        farewell: Farewell,
        out: &mut Vec<Output>,
    ) {
        let go_on = matches!(self.link, Link::Joined(_)) && self.members_besides() > 0;
        if !go_on || self.is_taking() {
            return self.end_with(by, failure, farewell, out);
        }
        if farewell == Farewell::Bye {
            out.push(Output::Customer(PeerOrder::Bye { reason: failure }));
        }
        let held = self.holds(End::Caller);
        let (order, half, figures) = match &self.customer {
            Customer::Colleague(colleague) => {
                if !held {
                    self.hear(self.leg, Heard::Nothing, out);
                    out.push(Output::Media(MediaOrder::Mute { leg: self.leg, muted: false }));
                } else if let Some(speaker) = self.agent.media_leg() {
                    out.push(Output::Media(MediaOrder::StopHearing { leg: self.leg, speaker }));
                }
                let figures = Figures::of_softphone(&colleague.tally, held);
                (MediaOrder::Stats(self.leg), colleague.half, figures)
            }
            _ => (MediaOrder::Delete(self.leg), self.leg, Figures::Own),
        };
        self.customer = Customer::Gone;
        if let Link::Joined(joined) = &mut self.link {
            joined.caller = EndState::default();
        }
        self.arrange(out);
        let last = Last::LegEnded { leg: half, party: Party::Customer, figures };
        self.leaving.push((order.step(), last));
        out.push(Output::Media(order));
    }

    /// The same, because something went wrong with it.
    pub(super) fn customer_failed(&mut self, failure: String, out: &mut Vec<Output>) {
        let farewell = self.customer.farewell();
        self.customer_left(EndedBy::System, Some(failure), farewell, out);
    }

    /// An agent leaves others who go on talking.
    pub(super) fn leave(&mut self, agent: UserId, out: &mut Vec<Output>) {
        if let Some(name) = self.guest_named(agent) {
            return self.drop_guest(name, EndedBy::Agent, None, out);
        }
        match self.end_of(agent) {
            Some(End::Called) if self.members_besides() > 0 => self.leave_seat(None, out),
            Some(End::Caller) if self.members_besides() > 0 => {
                let farewell = self.customer.farewell();
                self.customer_left(EndedBy::Customer, None, farewell, out);
            }
            _ => tracing::debug!(%agent, "nobody else would be left in this call"),
        }
    }

    /// Whoever has the agent's place hung up.
    pub(super) fn seat_hung_up(&mut self, out: &mut Vec<Output>) {
        match self.members_besides() {
            0 => self.end(EndedBy::Agent, None, out),
            _ => self.leave_seat(None, out),
        }
    }

    /// Something went wrong with whoever has the agent's place.
    pub(super) fn seat_failed(&mut self, failure: String, out: &mut Vec<Output>) {
        match self.members_besides() {
            0 => self.end(EndedBy::System, Some(failure), out),
            _ => self.leave_seat(Some(failure), out),
        }
    }

    /// Somebody else takes the agent's place.
    fn leave_seat(&mut self, failure: Option<String>, out: &mut Vec<Output>) {
        let gone = matches!(self.customer, Customer::Gone);
        if self.is_taking() || (gone && self.members_besides() <= 1) {
            let by = if failure.is_some() { EndedBy::System } else { EndedBy::Agent };
            return self.end(by, failure, out);
        }
        let is_next = |guest: &&Guest| guest.is_member() && guest.who.agent.is_some();
        let next = self.guests.iter().find(is_next).or_else(|| self.guests.iter().find(|g| g.is_member()));
        let Some(name) = next.map(|guest| guest.name) else { return };
        let Some(at) = self.guests.iter().position(|guest| guest.name == name) else { return };
        let Link::Joined(joined) = &mut self.link else { return };
        let Guest { who, faults, .. } = self.guests.remove(at);
        let (leg, media, codec) = (who.half(), who.media(), who.codec());
        let (was, party) = (Some((who.party, who.figures())), who.as_party());
        let left_as = std::mem::replace(&mut joined.party, party);
        joined.faults.1 = faults;
        let (seat, state) = who.counted_anew().into_seat();
        let left_state = std::mem::replace(&mut joined.called, state);
        let left = std::mem::replace(&mut self.agent, seat);
        self.arrange(out);
        let here = !left_state.holds;
        self.let_seat_go((left, left_as, left_state), here, out);
        let over = TookOver { name, leg, was, party, codec };
        let order = MediaOrder::Stats(media);
        self.leaving.push((order.step(), Last::TookOver(Box::new(over))));
        out.push(Output::Media(order));
        if leg != media {
            out.push(Output::Media(MediaOrder::Measure(media)));
        }
    }

    /// Lets go of whoever had the agent's place until now.
    pub(super) fn let_seat_go(
        &mut self,
        (seat, party, state): (Agent, Party, EndState),
        here: bool,
        out: &mut Vec<Output>,
    ) {
        let Ok(who) = Who::of_seat(seat, party, state) else { return };
        let (leg, figures) = (who.half(), who.figures());
        if let (false, Line::Softphone(soft)) = (here, &who.line) {
            // The customer, or whoever comes from the other call that was held.
            for speaker in [Some(self.leg), self.agent.media_leg()].into_iter().flatten() {
                out.push(Output::Media(MediaOrder::StopHearing { leg: soft.media, speaker }));
            }
        }
        let order = who.let_go(here, out);
        self.leaving.push((order.step(), Last::LegEnded { leg, party, figures }));
        out.push(Output::Media(order));
    }

    /// The name and the codec of whoever has the agent's place.
    pub(super) fn seat_named(&self) -> (LegId, Option<(Codec, bool)>) {
        match &self.agent {
            Agent::Softphone(soft) => (soft.half.unwrap_or(soft.media), Some((soft.codec, true))),
            Agent::Phone(phone) => {
                (phone.leg, phone.session.codec().map(|codec| (codec, phone.session.is_secure())))
            }
            Agent::FarEnd(far) => {
                (far.leg, far.session.codec().map(|codec| (codec, far.session.is_secure())))
            }
            Agent::Nobody | Agent::Outside(_) | Agent::Dialled(_) => (self.leg, None),
        }
    }

    /// The session of whoever has the agent's place was renewed, or cannot be.
    pub(super) fn seat_renewed(&mut self, event: &Peer, now: Timestamp, out: &mut Vec<Output>) {
        if let Peer::RenewalAnswered(408 | 481) = event {
            return self.seat_failed("the other side is gone".to_owned(), out);
        }
        if let Some((_, timer)) = self.seat_timer() {
            timer.renewed(now);
        }
    }

    fn seat_timer(&mut self) -> Option<(Branch, &mut SessionTimer)> {
        match &mut self.agent {
            Agent::Phone(phone) => Some((phone.picked?, phone.timer.as_mut()?)),
            Agent::FarEnd(far) => Some((far.branch, far.timer.as_mut()?)),
            _ => None,
        }
    }

    /// When the session of whoever has the agent's place is to be renewed.
    pub(super) fn seat_deadline(&self) -> Timestamp {
        let timer = match &self.agent {
            Agent::Phone(phone) => phone.timer,
            Agent::FarEnd(far) => far.timer,
            _ => None,
        };
        timer.map_or(Timestamp::NEVER, |timer| timer.deadline())
    }

    pub(super) fn seat_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Some((branch, timer)) = self.seat_timer() else { return };
        match timer.due(now) {
            None => {}
            Some(Due::Renew) => out.push(Output::Phone(branch, PhoneOrder::Renew)),
            Some(Due::Expired) => {
                self.seat_failed("the other side did not renew the session".to_owned(), out);
            }
        }
    }
}
