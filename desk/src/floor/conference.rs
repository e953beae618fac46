//! Calls in which more than two talk (XFER-08, XFER-09, XFER-11 to XFER-14).
//!
//! Whoever an agent had called comes into a call of that agent, and is a guest there under the name of the call they came from. A colleague keeps
//! that call as the work in hand, and leaves the conference by ending it; a number outside is no work of anybody, and the call to it is over.
//! The call itself stays what it was: its record, its recording, its agent. When that agent leaves, signalling says who has the place.

use model::call::CallOrder;
use model::id::{InteractionId, UserId};
use model::interaction::EndedBy;
use model::journal::{Event, Party};
use model::time::Timestamp;
use router::Input;

use super::call::{Call, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use crate::console::protocol::{ConferenceView, ConsoleEvent, PartyKind, PartyView};
use crate::refusal::Refusal;

/// Who else is in a call, or the call that it is a part of.
#[derive(Clone, Debug, Default)]
pub struct Conference {
    /// Who was brought into it, in their order.
    pub guests: Vec<Guest>,
    /// Who first brought somebody (XFER-12), or has that agent's place.
    pub organiser: Option<UserId>,
    /// Its customer left, and others go on.
    pub customer_gone: bool,
    /// It goes on as a part of this one: its colleague is a guest there.
    pub into: Option<InteractionId>,
}

/// Somebody who was brought into a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The call that they came from.
    pub from: InteractionId,
    /// The colleague; none: a number outside.
    pub agent: Option<UserId>,
    /// The number that was called.
    pub number: String,
}

/// What is done with one customer is not done with several people.
pub(super) const IN_CONFERENCE: Refusal =
    Refusal::NotNow { why: "Several people are in this call. Leave it, or take them out first." };

impl Core {
    /// The call that this one is a part of, or itself.
    pub(super) fn whole(&self, interaction: InteractionId) -> InteractionId {
        self.calls.get(&interaction).and_then(|call| call.conference.into).unwrap_or(interaction)
    }

    /// A guest of a call, by the call that they came from.
    pub(super) fn guest(&self, interaction: InteractionId, from: InteractionId) -> Option<&Guest> {
        self.calls.get(&interaction)?.conference.guests.iter().find(|guest| guest.from == from)
    }

    /// The calls that the guests of a call came from.
    pub(super) fn guests_of(&self, interaction: InteractionId) -> Vec<InteractionId> {
        let guests = self.calls.get(&interaction).into_iter().flat_map(|call| &call.conference.guests);
        guests.map(|guest| guest.from).collect()
    }

    /// Whoever an agent had called is in the call now.
    pub(super) fn joined(
        &mut self,
        interaction: InteractionId,
        from: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.attends(from, out) || !self.calls.contains_key(&interaction) {
            return;
        }
        let Some(call) = self.calls.get_mut(&from) else { return };
        let (agent, by) = match call.inside() {
            Some(inside) => (Some(inside.callee), Some(inside.caller)),
            None => (None, call.agent()),
        };
        let Some(by) = by else { return };
        let (number, own) = (call.contact.clone(), call.take_own());
        call.joining = false;
        call.conference.into = Some(interaction);
        if let Some(whole) = self.calls.get_mut(&interaction) {
            whole.conference.organiser.get_or_insert(by);
            whole.conference.guests.push(Guest { from, agent, number: number.clone() });
        }
        if agent.is_some() {
            out.push(Effect::Tell(by, Box::new(ConsoleEvent::WorkEnded { interaction: from })));
        }
        let brought = Input::BringIn { interaction, from, agent, number, by };
        if let Err(refusal) = self.tell_floor(brought, now, out) {
            tracing::error!(%interaction, %refusal, "the floor did not know a call that somebody was brought into");
        }
        if let Some(own) = own {
            self.free_caller(own, EndedBy::Agent, now, out);
        }
        self.show_work(interaction, out);
    }

    /// An agent leaves a conference; the others go on.
    pub(super) fn leave(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.talking(agent, interaction)?;
        if call.conference.into.is_some() {
            out.push(order(CallOrder::HangUp { interaction, by: EndedBy::Agent }));
        } else if call.conference.guests.is_empty() && self.barged_in(interaction).next().is_none() {
            return Err(Refusal::NotNow { why: "Nobody else talks in this call. Hang up, or pass it on." });
        } else {
            out.push(order(CallOrder::Leave { interaction, agent }));
        }
        Ok(())
    }

    /// The organiser takes somebody out.
    pub(super) fn drop_party(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        from: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.talking(agent, interaction)?.conference.organiser != Some(agent) {
            return Err(Refusal::NotNow { why: "Only whoever began the conference takes somebody out." });
        }
        self.guest(interaction, from).ok_or(Refusal::missing("party"))?;
        out.push(order(CallOrder::HangUp { interaction: from, by: EndedBy::Agent }));
        Ok(())
    }

    /// A guest is gone from the call they were in, if they were in one.
    pub(super) fn party_left(&mut self, from: InteractionId, out: &mut Vec<Effect>) {
        let has = |call: &Call| call.conference.guests.iter().any(|guest| guest.from == from);
        let Some((interaction, call)) = self.calls.iter_mut().find(|(_, call)| has(call)) else { return };
        let interaction = *interaction;
        call.conference.guests.retain(|guest| guest.from != from);
        if call.conference.guests.is_empty() {
            call.conference.organiser = None;
        }
        out.push(Effect::Journal(Event::PartyLeft { interaction, from }));
        self.show_work(interaction, out);
    }

    /// The customer left, and whoever else is in the call goes on.
    pub(super) fn customer_left(&mut self, interaction: InteractionId, party: Party, out: &mut Vec<Effect>) {
        let others = self.barged_in(interaction).next().is_some();
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        if party == Party::Customer && (others || !call.conference.guests.is_empty()) {
            call.conference.customer_gone = true;
            self.show_work(interaction, out);
        }
    }

    /// Whoever has the place of the agent who left has what that agent had in the conference, and what they asked somebody about is
    /// this call now.
    pub(super) fn goes_on_without(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        (from, next): (InteractionId, Option<UserId>),
    ) {
        for call in self.calls.values_mut().filter(|call| call.consults == Some(from)) {
            call.consults = Some(interaction);
        }
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        if call.conference.organiser == Some(agent) {
            call.conference.organiser = next;
        }
    }

    /// Who is in a call with this agent, when more than two are.
    pub(super) fn conference_view(
        &self,
        interaction: InteractionId,
        agent: UserId,
    ) -> Option<ConferenceView> {
        let call = self.calls.get(&self.whole(interaction)).filter(|call| call.up())?;
        let Conference { guests, organiser, customer_gone, .. } = &call.conference;
        let supervisors = self.parties_barged_in(self.whole(interaction));
        if guests.is_empty() && supervisors.is_empty() {
            return None;
        }
        let colleague = |user: UserId, from| {
            let known = self.config.name_colleague(user);
            PartyView {
                from,
                kind: PartyKind::Agent,
                name: Some(known.name),
                number: known.extension.unwrap_or_default(),
                you: user == agent,
                organiser: *organiser == Some(user),
            }
        };
        let outside = |kind, name, number: &str, from| {
            let number = number.to_owned();
            PartyView { from, kind, name, number, you: false, organiser: false }
        };
        let customer = (!customer_gone).then(|| {
            let number = if call.outside().is_some() { &call.contact } else { &call.caller };
            outside(PartyKind::Customer, call.caller_name.clone(), number, None)
        });
        let owner = match (call.agent(), call.stage, &call.passes_to) {
            (Some(owner), ..) => Some(colleague(owner, None)),
            (None, Stage::PassedOn, Some(number)) => Some(outside(PartyKind::Number, None, number, None)),
            _ => None,
        };
        let guests = guests.iter().map(|guest| match guest.agent {
            Some(user) => colleague(user, Some(guest.from)),
            None => outside(PartyKind::Number, None, &guest.number, Some(guest.from)),
        });
        let parties = customer.into_iter().chain(owner).chain(guests).chain(supervisors).collect();
        Some(ConferenceView { organiser: *organiser == Some(agent), parties })
    }
}
