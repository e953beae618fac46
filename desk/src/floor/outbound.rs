//! Calls to numbers outside that an agent dials (OUT-01): the agent's phone first, then the number.
//!
//! It is the agent's work from the first moment (STATE-06), coded and followed by after-call work like a call that came in. A
//! softphone is there already; a phone on the desk is rung, and picking it up dials.

use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::call::{CallOrder, DialFailure};
use model::dialling::Dialled;
use model::id::{InteractionId, OfferToken, ServiceId, UserId};
use model::interaction::{Channel, Direction, EndedBy};
use model::journal::Event;
use model::people::PhoneKind;
use model::time::Timestamp;
use router::Input;

use super::call::{Aim, Call, Outgoing, Seat, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use crate::console::protocol::Phase;
use crate::refusal::Refusal;

/// How long a number outside is rung: most carriers give up after a minute themselves.
pub(super) const RING_TIME: Duration = Duration::from_secs(50);
/// Over which the numbers are counted that an agent dials.
const MINUTE: Duration = Duration::from_secs(60);

/// What an agent wants dialled.
pub(super) struct ToDial {
    /// As typed.
    pub number: String,
    /// Under which service it is counted.
    pub service: Option<ServiceId>,
    /// Which of the house's numbers is shown there.
    pub caller_id: Option<String>,
}

impl Core {
    /// The page of `agent` calls a number outside, or says why not; a refused command changes nothing.
    pub(super) fn dial_out(
        &mut self,
        agent: UserId,
        ToDial { number, service, caller_id }: ToDial,
        consults: Option<InteractionId>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.may_place(agent)?;
        if let Some(AgentState::NotReady { reason: NotReadyReason::Chosen(reason) }) = self.state_of(agent)
            && self.config.reasons.get(&reason).is_some_and(|reason| !reason.call_out)
        {
            return Err(Refusal::NotNow {
                why: "No numbers are dialled in your present state. Choose another one first.",
            });
        }
        let dialled = Dialled::parse(&number)
            .ok_or_else(|| Refusal::field("/number", "digits with an optional +, 2 to 20 of them"))?;
        self.may_dial(&dialled.number)?;
        let dialled = Dialled { number: self.config.dialling.normal(&dialled.number), ..dialled };
        let service = self.counted_under(agent, service)?;
        let caller_id = self.shown_to(service, caller_id)?;
        if matches!(self.state_of(agent), None | Some(AgentState::LoggedOut)) {
            return Err(Self::refused(router::Refusal::LoggedOut));
        }
        let phone = self.phone_for_calling(agent)?;
        self.not_too_often(agent, now)?;
        self.clear_the_line(agent, None, out)?;
        let (interaction, token): (InteractionId, OfferToken) = (self.sources.id(), self.sources.id());
        let caller = caller_id.clone().unwrap_or_default();
        let contact = dialled.number.clone();
        // What the floor refuses has not arrived.
        let mark = out.len();
        out.push(Effect::Journal(Event::Arrived {
            interaction,
            channel: Channel::Voice,
            direction: Direction::Outbound,
            caller: caller.clone(),
            caller_name: None,
            contact: contact.clone(),
            trunk: None,
            service: Some(service),
            calling_agent: None,
        }));
        let begin = Input::Begin { interaction, agent, channel: Channel::Voice, internal: false };
        if let Err(refusal) = self.tell_floor(begin, now, out) {
            out.remove(mark);
            return Err(Self::refused(refusal));
        }
        if let Some(of) = consults.map(|of| self.whole(of)) {
            out.push(Effect::Journal(Event::Consults { interaction, of, agent }));
        }
        self.hold_others(agent, interaction, out);
        let aim = Aim::Outside(Outgoing { service, token, dialled, caller_id, failed: None });
        let mut call = Call { consults, ..Call::new(aim, caller, None, contact.clone(), now) };
        call.enter(agent, Phase::Dialling, now);
        self.calls.insert(interaction, call);
        self.person(agent).dialled.push_back(now);
        out.push(order(CallOrder::Place { interaction, contact }));
        self.ring(interaction, token, agent, out);
        if phone == PhoneKind::Browser {
            self.dial(interaction, out);
        }
        self.show_work(interaction, out);
        Ok(())
    }

    /// Whether this is the phone of an agent who dials, rather than an offer.
    pub(super) fn dials_for(&self, interaction: InteractionId, token: OfferToken) -> bool {
        let outgoing = self.calls.get(&interaction).and_then(Call::outside);
        outgoing.is_some_and(|outgoing| outgoing.token == token)
    }

    /// The agent's phone is there: the number is dialled.
    pub(super) fn dial(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&interaction) else { return };
        let Some(Outgoing { caller_id, dialled, .. }) = call.outside() else { return };
        let (number, caller_id) = (dialled.number.clone(), caller_id.clone());
        self.order_dial(interaction, number, caller_id, RING_TIME, out);
    }

    /// Dials a number for a call, over every trunk that takes calls out.
    pub(super) fn order_dial(
        &self,
        interaction: InteractionId,
        number: String,
        caller_id: Option<String>,
        ring_time: Duration,
        out: &mut Vec<Effect>,
    ) {
        let (trunks, number) = (self.config.trunks_out(), self.config.dialling.normal(&number));
        out.push(Effect::Journal(Event::Dialled { interaction, number: number.clone() }));
        out.push(order(CallOrder::Dial { interaction, number, caller_id, trunks, ring_time }));
    }

    /// The number answered: the agent is joined with it, as with a caller.
    pub(super) fn far_end_answered(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let dialled = |call: &&mut Call| call.outside().is_some() || call.is_dialled_back();
        let Some(call) = self.calls.get_mut(&interaction).filter(dialled) else { return };
        if let Some(callback) = &mut call.callback {
            callback.reached();
        }
        let (Some(agent), true) = (call.agent(), call.up()) else { return };
        call.enter(agent, Phase::Connecting, now);
        self.join(interaction, agent, false, out);
        self.show_work(interaction, out);
    }

    /// Nobody answered: the agent hears busy and sees why. Signalling ends the call soon, or the agent does.
    pub(super) fn dial_failed(
        &mut self,
        interaction: InteractionId,
        why: DialFailure,
        status: Option<u16>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction).filter(|call| call.up()) else { return };
        out.push(Effect::Journal(Event::DialFailed { interaction, why, status }));
        let (in_flow, dialled_back) = (call.stage == Stage::InFlow, call.is_dialled_back());
        if call.stage == Stage::Dialled {
            return self.number_failed(interaction, why, now, out);
        }
        if in_flow {
            return self.not_passed_on(interaction, why, now, out);
        }
        if dialled_back {
            return self.callback_failed(interaction, why, now, out);
        }
        let agent = call.agent();
        if let (Aim::Outside(outgoing), Some(agent)) = (&mut call.aim, agent) {
            outgoing.failed = Some(why);
            call.enter(agent, Phase::Refused, now);
            self.show_work(interaction, out);
        }
    }

    /// What is to be pressed once the number answered (OUT-08, OUT-15).
    pub(super) fn press_after(&self, interaction: InteractionId, agent: UserId, out: &mut Vec<Effect>) {
        let outgoing = self.calls.get(&interaction).and_then(Call::outside);
        if let Some(after) = outgoing.map(|o| &o.dialled.after).filter(|after| !after.is_empty()) {
            out.push(order(CallOrder::SendDigits { interaction, agent, digits: after.clone() }));
        }
    }

    /// Whether this agent's call is being dialled: nobody answered yet.
    pub(super) fn is_dialled_by(&self, agent: UserId, interaction: InteractionId) -> bool {
        let call = self
            .calls
            .get(&interaction)
            .filter(|call| call.outside().is_some() && call.agent() == Some(agent));
        call.is_some_and(|call| matches!(call.phase(Seat::Called), Some((Phase::Dialling, _))))
    }

    /// Keys for when the number answers, after those that were given with it, a second later (OUT-15).
    pub(super) fn press_later(&mut self, interaction: InteractionId, keys: &str) -> Result<(), Refusal> {
        let Some(Aim::Outside(outgoing)) = self.calls.get_mut(&interaction).map(|call| &mut call.aim) else {
            return Err(Refusal::missing("call"));
        };
        outgoing.dialled.then_press(keys).then_some(()).ok_or_else(|| {
            Refusal::field(
                "/digits",
                "1 to 32 of 0-9 * # and the comma, those given with the number included",
            )
        })
    }

    /// Whether a number outside can be dialled at all, by whomever.
    pub(super) fn may_dial(&self, number: &str) -> Result<(), Refusal> {
        if !self.config.dialling.permit(number) {
            return Err(Refusal::NumberClosed);
        }
        if self.config.trunks_out().is_empty() {
            return Err(Refusal::NoTrunk);
        }
        Ok(())
    }

    /// The service that was chosen; else the first that the agent may answer, else the first of the house (OUT-02).
    fn counted_under(&self, agent: UserId, chosen: Option<ServiceId>) -> Result<ServiceId, Refusal> {
        let services = &self.config.services;
        if let Some(service) = chosen {
            return services.contains_key(&service).then_some(service).ok_or(Refusal::missing("service"));
        }
        let own = services.keys().find(|service| self.config.eligible(**service).contains(&agent));
        own.or(services.keys().next()).copied().ok_or(Refusal::missing("service"))
    }

    /// The number that whoever is called sees: the one that was chosen, if it is the house's; else by itself (OUT-11).
    fn shown_to(&self, service: ServiceId, chosen: Option<String>) -> Result<Option<String>, Refusal> {
        match chosen {
            None => Ok(self.config.caller_id(service)),
            Some(number) if self.config.numbers.contains_key(&number) => Ok(Some(number)),
            Some(_) => Err(Refusal::field("/caller_id", "one of the house's own numbers")),
        }
    }

    /// So many numbers within a minute (SAFE-01).
    pub(super) fn not_too_often(&mut self, agent: UserId, now: Timestamp) -> Result<(), Refusal> {
        let most = usize::try_from(self.config.dialling.per_minute).unwrap_or(usize::MAX);
        let dialled = &mut self.person(agent).dialled;
        while dialled.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            dialled.pop_front();
        }
        match dialled.front() {
            Some(first) if dialled.len() >= most => {
                Err(Refusal::DialledTooOften { wait: MINUTE.saturating_sub(now.since(*first)) })
            }
            _ => Ok(()),
        }
    }

    /// An agent's phone that could not be rung, or was hung up, before the number answered.
    pub(super) fn gave_up(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        out.push(order(CallOrder::HangUp { interaction, by: EndedBy::Agent }));
    }
}
