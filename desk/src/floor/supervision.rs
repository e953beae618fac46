//! Supervisors in the calls of agents: they listen, coach, barge in, and take the customer over (HELP-02 to HELP-05).
//!
//! A supervisor's part has a name of its own, by which signalling speaks of it, and keeps the supervisor Busy on the floor with work that
//! has no record and no page. It belongs to the call and not to its agent: it goes on when a consulted colleague takes over, and is
//! over when the call is, or when the customer is led on to where nobody could be listened to: into a queue, a flow, to a number outside.
//! Agents never learn of a supervisor who only listens; of the others they do.

use model::call::{Attending, CallOrder};
use model::conference::GUESTS_MAX;
use model::id::{InteractionId, UserId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::{PhoneKind, Privilege};
use model::time::Timestamp;
use serde_json::json;

use super::call::{Call, Seat};
use super::core::{Core, Effect};
use super::facts::order;
use crate::console::protocol::{
    AttendantView, AttendedView, ConsoleEvent, Level, PartyKind, PartyView, Phase,
};
use crate::refusal::Refusal;

/// A supervisor's part in a call.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// In which call.
    of: InteractionId,
    supervisor: UserId,
    /// What the supervisor asked for last.
    wants: Attending,
    /// How signalling has it; none before it does.
    how: Option<Attending>,
    /// What keeps the supervisor Busy on the floor.
    own: InteractionId,
    since: Timestamp,
}

impl Core {
    /// A supervisor takes part in a call, or in another way than before.
    pub(super) fn attend(
        &mut self,
        supervisor: UserId,
        interaction: InteractionId,
        how: Attending,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let needs = Privilege::Supervise;
        if !self.supervises(supervisor) {
            return Err(Refusal::Forbidden { needs });
        }
        let of = self.whole(interaction);
        if let Some((from, part)) = self.part_of(supervisor) {
            if part.of != of {
                return Err(ATTENDS);
            }
            if let Some(part) = self.attending.get_mut(&from) {
                part.wants = how;
            }
            out.push(order(CallOrder::Attend { interaction: of, from, agent: supervisor, how }));
            self.show_attended(from, out);
            return Ok(());
        }
        self.may_attend(supervisor, of)?;
        self.clear_the_line(supervisor, None, out)?;
        let own = self.keep_busy(supervisor, now, out)?;
        let from = self.sources.id();
        self.attending.insert(from, Part { of, supervisor, wants: how, how: None, own, since: now });
        out.push(order(CallOrder::Attend { interaction: of, from, agent: supervisor, how }));
        self.show_attended(from, out);
        Ok(())
    }

    fn may_attend(&self, supervisor: UserId, of: InteractionId) -> Result<(), Refusal> {
        let call = self.calls.get(&of).ok_or(Refusal::missing("call"))?;
        if call.service().is_none() {
            return Err(Refusal::NotNow { why: "Only in customers' calls a supervisor takes part." });
        }
        if call.agent().is_none()
            || !matches!(call.phase(Seat::Called), Some((Phase::Talking | Phase::Held, _)))
            || self.has_agent_waiting(of)
        {
            return Err(Refusal::NotNow { why: "No agent and customer talk in this call now." });
        }
        if call.conference.guests.len() + self.parts_in(of).count() >= GUESTS_MAX {
            return Err(Refusal::NotNow { why: "There are as many in this call as may be." });
        }
        let phone = match self.phone_of(supervisor) {
            PhoneKind::Browser if self.phone_up(supervisor) => None,
            PhoneKind::Browser => {
                Some("Your phone is not connected. Reload the page and allow the microphone.")
            }
            PhoneKind::Sip | PhoneKind::Number | PhoneKind::None => {
                Some("Only with the phone in the browser a supervisor takes part in calls.")
            }
        };
        if let Some(why) = phone {
            return Err(Refusal::NotNow { why });
        }
        if self.has_call(supervisor) {
            return Err(Refusal::NotNow { why: "You are in a call yourself. End it first." });
        }
        if self.floor.agent(supervisor).is_some_and(|own| own.offer.is_some()) {
            return Err(Refusal::NotNow { why: "Answer or refuse the call that rings first." });
        }
        Ok(())
    }

    /// A supervisor leaves a call; the others go on.
    pub(super) fn stop_attending(
        &self,
        supervisor: UserId,
        interaction: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let (from, _) = self.own_part(supervisor, interaction)?;
        out.push(order(CallOrder::HangUp { interaction: from, by: EndedBy::Agent }));
        Ok(())
    }

    /// A supervisor who talks to the customer becomes the agent of the call, and its agent leaves. Answered by `TookOver`.
    pub(super) fn take_over(
        &self,
        supervisor: UserId,
        interaction: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let (from, part) = self.own_part(supervisor, interaction)?;
        if part.how != Some(Attending::BargeIn) {
            return Err(Refusal::NotNow { why: "Talk to the customer first." });
        }
        if !self.is_next(from) {
            return Err(Refusal::NotNow { why: "Somebody else in this call would have the customer then." });
        }
        let agent = self.calls.get(&part.of).and_then(Call::agent).ok_or(Refusal::missing("call"))?;
        out.push(order(CallOrder::Leave { interaction: part.of, agent }));
        Ok(())
    }

    /// Whether this supervisor has the customer when the agent leaves: nobody else talks to both. With two of them, who came first is not
    /// guessed at.
    fn is_next(&self, from: InteractionId) -> bool {
        let Some(part) = self.attending.get(&from).filter(|part| part.how == Some(Attending::BargeIn)) else {
            return false;
        };
        let alone = self.barged_in(part.of).all(|(other, _)| other == from);
        alone && self.guests_of(part.of).is_empty()
    }

    /// Whoever takes part leaves a call in which nobody can be attended any longer.
    pub(super) fn dismiss(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        for (from, _) in self.parts_in(interaction) {
            out.push(order(CallOrder::HangUp { interaction: from, by: EndedBy::System }));
        }
    }

    /// A supervisor goes, or may not supervise any more.
    pub(super) fn dismiss_supervisor(&self, supervisor: UserId, out: &mut Vec<Effect>) {
        if let Some((from, _)) = self.part_of(supervisor) {
            out.push(order(CallOrder::HangUp { interaction: from, by: EndedBy::System }));
        }
    }

    /// Whoever may not supervise any more takes part no longer.
    pub(super) fn dismiss_others(&self, out: &mut Vec<Effect>) {
        for part in self.attending.values().filter(|part| !self.supervises(part.supervisor)) {
            self.dismiss_supervisor(part.supervisor, out);
        }
    }

    /// Signalling has a supervisor in the call as was asked last; `false`: it is no supervisor's part.
    pub(super) fn attends(&mut self, from: InteractionId, out: &mut Vec<Effect>) -> bool {
        let Some(part) = self.attending.get_mut(&from) else { return false };
        let how = part.wants;
        let before = part.how.replace(how);
        let (interaction, supervisor) = (part.of, part.supervisor);
        if before != Some(how) {
            out.push(Effect::Journal(Event::Attends { interaction, from, supervisor, how }));
        }
        self.show_attended(from, out);
        if [before, Some(how)].into_iter().flatten().any(is_told) {
            self.show_work(interaction, out);
        }
        true
    }

    /// Signalling could not let a supervisor in; `false`: it is no supervisor's part.
    pub(super) fn attend_failed(
        &mut self,
        from: InteractionId,
        why: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(part) = self.attending.get(&from) else { return false };
        tracing::warn!(interaction = %part.of, why, "a supervisor could not come into a call");
        self.banner(part.supervisor, Level::Error, "attend_failed", json!({ "interaction": part.of }), out);
        self.attending_over(from, now, out)
    }

    /// A supervisor's part is over; `false`: it is none.
    pub(super) fn attending_over(
        &mut self,
        from: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(own) = self.take_part(from, out) else { return false };
        self.free_caller(own, EndedBy::Agent, now, out);
        true
    }

    /// The same, when the floor is told of it elsewhere: gives what keeps the supervisor Busy there.
    pub(super) fn take_part(&mut self, from: InteractionId, out: &mut Vec<Effect>) -> Option<InteractionId> {
        let Part { of: interaction, supervisor, how, own, .. } = self.attending.remove(&from)?;
        if how.is_some() {
            out.push(Effect::Journal(Event::AttendingOver { interaction, from }));
        }
        out.push(Effect::Tell(supervisor, Box::new(ConsoleEvent::AttendingOver { interaction })));
        if how.is_some_and(is_told) {
            self.show_work(interaction, out);
        }
        Some(own)
    }

    /// Signalling ends the parts in a call before the call; what is left is over as well.
    pub(super) fn end_parts(&mut self, interaction: InteractionId, now: Timestamp, out: &mut Vec<Effect>) {
        let parts: Vec<_> = self.parts_in(interaction).map(|(from, _)| from).collect();
        for from in parts {
            self.attending_over(from, now, out);
        }
    }

    /// Whether a supervisor takes part in somebody's call, or is about to.
    pub(super) fn is_attending(&self, supervisor: UserId) -> bool {
        self.part_of(supervisor).is_some()
    }

    fn parts_in(&self, interaction: InteractionId) -> impl Iterator<Item = (InteractionId, &Part)> {
        let here = self.attending.iter().filter(move |(_, part)| part.of == interaction);
        here.map(|(from, part)| (*from, part))
    }

    /// The supervisors who talk in a call as everybody does.
    pub(super) fn barged_in(
        &self,
        interaction: InteractionId,
    ) -> impl Iterator<Item = (InteractionId, UserId)> {
        let talk = |(_, part): &(InteractionId, &Part)| part.how == Some(Attending::BargeIn);
        self.parts_in(interaction).filter(talk).map(|(from, part)| (from, part.supervisor))
    }

    fn part_of(&self, supervisor: UserId) -> Option<(InteractionId, &Part)> {
        let own = self.attending.iter().find(|(_, part)| part.supervisor == supervisor);
        own.map(|(from, part)| (*from, part))
    }

    fn own_part(
        &self,
        supervisor: UserId,
        interaction: InteractionId,
    ) -> Result<(InteractionId, &Part), Refusal> {
        let of = self.whole(interaction);
        self.part_of(supervisor).filter(|(_, part)| part.of == of).ok_or(Refusal::missing("call"))
    }

    /// The call that a supervisor takes part in, as the supervisor's page shows it.
    pub(super) fn attended_view(&self, supervisor: UserId) -> Option<AttendedView> {
        let (from, part) = self.part_of(supervisor)?;
        let call = self.calls.get(&part.of)?;
        Some(AttendedView {
            interaction: part.of,
            agent: call.agent().map(|agent| self.config.name_colleague(agent)),
            service: call.service().map(|service| self.config.name_service(service)),
            direction: call.direction(),
            caller: call.caller.clone(),
            caller_name: call.caller_name.clone(),
            contact: call.contact.clone(),
            how: part.wants,
            up: part.how == Some(part.wants),
            held: call.agent_half.held,
            may_take_over: self.is_next(from) && call.agent().is_some(),
            since: part.since.millis(),
        })
    }

    fn show_attended(&self, from: InteractionId, out: &mut Vec<Effect>) {
        let Some(supervisor) = self.attending.get(&from).map(|part| part.supervisor) else { return };
        if let Some(attended) = self.attended_view(supervisor) {
            out.push(Effect::Tell(
                supervisor,
                Box::new(ConsoleEvent::Attending { attended: Box::new(attended) }),
            ));
        }
    }

    /// Tells whoever takes part in a call how it stands.
    pub(super) fn show_attending(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        for (from, _) in self.parts_in(interaction) {
            self.show_attended(from, out);
        }
    }

    /// Which supervisors an agent sees in a call: nobody who only listens (HELP-03).
    pub(super) fn attendants(&self, interaction: InteractionId) -> Vec<AttendantView> {
        let seen = self.parts_in(self.whole(interaction)).filter_map(|(_, part)| {
            let how = part.how.filter(|how| is_told(*how))?;
            Some(AttendantView { name: self.config.name_colleague(part.supervisor).name, how })
        });
        seen.collect()
    }

    /// The supervisors who talk as everybody does, for the list of who is in the call (HELP-05).
    pub(super) fn parties_barged_in(&self, interaction: InteractionId) -> Vec<PartyView> {
        let party = |(_, supervisor)| {
            let known = self.config.name_colleague(supervisor);
            let (name, number) = (Some(known.name), known.extension.unwrap_or_default());
            PartyView { from: None, kind: PartyKind::Agent, name, number, you: false, organiser: false }
        };
        self.barged_in(interaction).map(party).collect()
    }
}

/// One softphone, one call at a time.
pub(super) const ATTENDS: Refusal =
    Refusal::NotNow { why: "You take part in a colleague's call. Leave it first." };

/// Whether the agent hears of it.
fn is_told(how: Attending) -> bool {
    how != Attending::Monitor
}
