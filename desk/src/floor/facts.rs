//! What signalling tells.

use model::call::{CallFact, CallOrder, Rejection, Sound, Source};
use model::id::{InteractionId, OfferToken, UserId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::journal::{Event, Party};
use model::people::PhoneKind;
use model::service::{Service, Treatment};
use model::time::Timestamp;
use router::{Arrival, Input};
use serde_json::json;

use super::call::{Call, Stage};
use super::core::{Core, Effect, RecordingNews};
use crate::console::protocol::{ConsoleEvent, Level, Phase};

/// Longest number or name that is kept of a caller.
const NAME_MAX: usize = 128;

impl Core {
    /// Takes a fact. Facts about calls that are gone change nothing: late ones are normal.
    pub fn fact(&mut self, fact: CallFact, now: Timestamp, out: &mut Vec<Effect>) {
        match fact {
            CallFact::Incoming { interaction, tenant, from, caller, caller_name, contact } => {
                let Source::Trunk { trunk } = from else {
                    out.push(order(CallOrder::Reject { interaction, why: Rejection::UnknownNumber }));
                    return;
                };
                if tenant != self.tenant || self.calls.contains_key(&interaction) {
                    tracing::warn!(%interaction, %tenant, "a call that is not for this desk");
                    out.push(order(CallOrder::Reject { interaction, why: Rejection::UnknownNumber }));
                    return;
                }
                let caller = cut(&caller);
                let caller_name = caller_name.as_deref().map(cut).filter(|name| !name.is_empty());
                self.incoming(interaction, Some(trunk), caller, caller_name, cut(&contact), now, out);
            }
            CallFact::LegAnswered { interaction, leg, party, codec, secure } => {
                self.journal_of(
                    interaction,
                    Event::LegAnswered { interaction, leg, party, codec, secure },
                    out,
                );
            }
            CallFact::AgentAnswered { interaction: _, token, agent } => {
                // The offer may have ended while the phone was picked up: then the phone is hung up by StopRinging.
                if let Err(refusal) = self.tell_floor(Input::Accept { agent, token }, now, out) {
                    tracing::debug!(%agent, %refusal, "an answer that came too late");
                }
            }
            CallFact::AgentRefused { interaction: _, token, agent } => {
                let _ = self.tell_floor(Input::Decline { agent, token }, now, out);
            }
            CallFact::AgentUnreachable { interaction, token, agent, why } => {
                self.unreachable(interaction, token, agent, &why, now, out);
            }
            CallFact::Bridged { interaction, agent } => self.bridged(interaction, agent, now, out),
            CallFact::HoldChanged { interaction, agent: holder, held } => {
                let Some(call) = self.talking_call(interaction) else { return };
                call.held = held;
                let (agent, phase) = (call.agent(), call.conversation());
                if let Some(agent) = agent {
                    call.enter(agent, phase, now);
                }
                out.push(Effect::Journal(Event::HoldChanged { interaction, agent: Some(holder), held }));
                self.show_work(interaction, out);
            }
            CallFact::MuteChanged { interaction, agent: _, muted } => {
                if let Some(call) = self.talking_call(interaction) {
                    call.muted = muted;
                    self.show_work(interaction, out);
                }
            }
            CallFact::DigitReceived { interaction, digit } => {
                if let Some(call) = self.calls.get_mut(&interaction) {
                    call.pressed(digit);
                    self.show_work(interaction, out);
                }
            }
            CallFact::Quality { interaction, customer, agent } => {
                if let Some(call) = self.talking_call(interaction) {
                    call.quality = Some((customer, agent));
                    self.show_work(interaction, out);
                }
            }
            CallFact::QualityChanged { interaction, party, poor } => {
                self.quality_changed(interaction, party, poor, out);
            }
            CallFact::RecordingStarted { interaction, recording } => {
                if let Some(call) = self.calls.get_mut(&interaction) {
                    (call.recording, call.recording_now) = (Some(recording), true);
                    out.push(Effect::Journal(Event::RecordingStarted { interaction, recording }));
                    out.push(Effect::Recording(interaction, recording, RecordingNews::Started));
                    self.show_work(interaction, out);
                }
            }
            CallFact::RecordingCaptured { interaction, recording } => {
                if let Some(call) = self.calls.get_mut(&interaction) {
                    call.recording_now = false;
                    self.show_work(interaction, out);
                }
                out.push(Effect::Recording(interaction, recording, RecordingNews::Captured));
                out.push(Effect::Finish(interaction, recording));
            }
            CallFact::RecordingFailed { interaction, recording, why } => {
                self.recording_failed(interaction, why, out);
                out.push(Effect::Recording(interaction, recording, RecordingNews::Failed));
            }
            CallFact::LegEnded { interaction, leg, party, stats } => {
                self.journal_of(interaction, Event::LegEnded { interaction, leg, party, stats }, out);
            }
            CallFact::Ended { interaction, by, failure } => self.ended(interaction, by, failure, now, out),
            CallFact::PhoneAnswer { agent, session: _, sdp } => {
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::PhoneAnswer { sdp })));
            }
            CallFact::PhoneRefused { agent, session: _, why } => {
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::PhoneRefused { why })));
            }
            CallFact::PhoneUp { agent, phone } => self.phone_changed(agent, phone, true, out),
            CallFact::PhoneDown { agent, phone } => self.phone_changed(agent, phone, false, out),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one fact, named")]
    fn incoming(
        &mut self,
        interaction: InteractionId,
        trunk: Option<model::id::TrunkId>,
        caller: String,
        caller_name: Option<String>,
        contact: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let service = self.config.service_of_number(&contact).cloned();
        out.push(Effect::Journal(Event::Arrived {
            interaction,
            channel: Channel::Voice,
            direction: Direction::Inbound,
            caller: caller.clone(),
            caller_name: caller_name.clone(),
            contact: contact.clone(),
            trunk,
            service: service.as_ref().map(|service| service.id),
            calling_agent: None,
        }));
        let Some(service) = service else {
            return refuse(interaction, Rejection::UnknownNumber, EndStatus::UnknownNumber, out);
        };
        if !self.admitting {
            return refuse(interaction, Rejection::Overloaded, EndStatus::Failed, out);
        }
        self.calls.insert(interaction, Call::new(service.id, caller, caller_name, contact, now));
        let arrival = Arrival::new(interaction, service.id, Channel::Voice);
        // The music comes first: an agent may be rung at once, and orders about a call keep their order. When the floor
        // takes the caller to no queue, the order is taken back before it left this room.
        let music = out.len();
        out.push(order(CallOrder::Play { interaction, sound: Sound::QueueMusic, then_hang_up: false }));
        if let Err(refusal) = self.tell_floor(Input::Arrive(arrival), now, out) {
            out.remove(music);
            self.not_queued(interaction, &service, refusal, out);
        }
    }

    /// The floor did not take the caller: the treatment of the case (VOICE-15).
    fn not_queued(
        &mut self,
        interaction: InteractionId,
        service: &Service,
        refusal: router::Refusal,
        out: &mut Vec<Effect>,
    ) {
        let (status, treatment, rejection) = match refusal {
            router::Refusal::Closed => (EndStatus::Closed, service.queue.when_closed, Rejection::Declined),
            router::Refusal::NoAgentOnline => {
                (EndStatus::NoAgentOnline, service.queue.when_unstaffed, Rejection::NobodyThere)
            }
            router::Refusal::QueueFull => (EndStatus::QueueFull, Treatment::Announce, Rejection::Busy),
            other => {
                tracing::warn!(%interaction, refusal = %other, "the floor did not take a call");
                (EndStatus::Failed, Treatment::Reject, Rejection::Overloaded)
            }
        };
        if treatment == Treatment::Reject {
            self.calls.remove(&interaction);
            refuse(interaction, rejection, status, out);
        } else {
            self.turn_away(interaction, status, false, out);
        }
    }

    fn bridged(&mut self, interaction: InteractionId, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&interaction).filter(|call| call.agent() == Some(agent)) else {
            return;
        };
        if !call.up() {
            return;
        }
        call.answered_at.get_or_insert(now);
        call.enter(agent, call.conversation(), now);
        out.push(Effect::Journal(Event::Bridged { interaction, agent }));
        self.show_work(interaction, out);
    }

    /// An agent's phone could not be reached: while it rang, the caller keeps the place; after the agent accepted,
    /// there is nobody to join the caller with, and the call is ended.
    fn unreachable(
        &mut self,
        interaction: InteractionId,
        token: OfferToken,
        agent: UserId,
        why: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        tracing::info!(%interaction, %agent, why, "an agent's phone could not be reached");
        let joined =
            self.calls.get(&interaction).is_some_and(|c| c.agent() == Some(agent) && c.answered_at.is_none());
        if self.tell_floor(Input::OfferFailed { agent, token }, now, out).is_err() && joined {
            self.banner(agent, Level::Error, "offer_unreachable", json!({ "at": now.millis() }), out);
            out.push(order(CallOrder::HangUp { interaction, by: EndedBy::System }));
        }
    }

    fn quality_changed(
        &mut self,
        interaction: InteractionId,
        party: Party,
        poor: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let before = call.poor.0 || call.poor.1;
        match party {
            Party::Customer => call.poor.0 = poor,
            Party::Agent { .. } => call.poor.1 = poor,
        }
        let after = call.poor.0 || call.poor.1;
        let agent = call.agent();
        out.push(Effect::Journal(Event::QualityChanged { interaction, party, poor }));
        self.show_work(interaction, out);
        // ERR-19 clears by itself.
        if let (Some(agent), true) = (agent, before != after) {
            let half = match party {
                Party::Customer => "customer",
                Party::Agent { .. } => "agent",
            };
            let (level, code) =
                if after { (Level::Warning, "poor_quality") } else { (Level::Info, "quality_recovered") };
            self.banner(agent, level, code, json!({ "interaction": interaction, "half": half }), out);
        }
    }

    /// A call that should be recorded is not: the call goes on, everybody concerned is told.
    pub(super) fn recording_failed(
        &mut self,
        interaction: InteractionId,
        why: String,
        out: &mut Vec<Effect>,
    ) {
        tracing::error!(%interaction, why, "a call is not recorded");
        let agent = self.calls.get_mut(&interaction).and_then(|call| {
            call.recording_now = false;
            call.agent()
        });
        out.push(Effect::Journal(Event::RecordingFailed { interaction, why }));
        self.show_work(interaction, out);
        if let Some(agent) = agent {
            self.banner(agent, Level::Error, "recording_failed", json!({ "interaction": interaction }), out);
        }
    }

    /// The call is over: the record's status, then the floor, then after-call work or nothing.
    fn ended(
        &mut self,
        interaction: InteractionId,
        by: EndedBy,
        failure: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction).filter(|call| call.up()) else { return };
        if let Some(why) = &failure {
            tracing::warn!(%interaction, why, "a call ended by a failure");
        }
        let ringing = self.ringing.values().any(|ringing| ringing.interaction == interaction);
        let status = call.end_status(ringing, by, failure.is_some());
        (call.muted, call.held, call.recording_now) = (false, false, false);
        let stage = call.stage;
        if let Stage::Announced { written, .. } = stage {
            self.calls.remove(&interaction);
            if !written {
                out.push(Effect::Journal(Event::Ended { interaction, status, by }));
            }
            return;
        }
        self.ending = Some((interaction, status, by));
        let input = match stage {
            Stage::Work { .. } => Input::Hangup { interaction, by },
            _ => Input::Abandon { interaction },
        };
        if let Err(refusal) = self.tell_floor(input, now, out) {
            tracing::warn!(%interaction, %refusal, "the floor did not know a call that ended");
        }
        // Nobody else wrote the end down: a call the floor did not know.
        if self.ending.take().is_some() {
            out.push(Effect::Journal(Event::Ended { interaction, status, by }));
        }
        // Whoever has no after-call work is gone now; work without it was completed by the floor's event.
        let open = self.calls.get(&interaction).is_some_and(|call| call.phase() == Some(Phase::WrapUp));
        if !open && let Some(call) = self.calls.remove(&interaction) {
            self.dirty.insert(call.service);
            if let Some(agent) = call.agent() {
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
            }
        }
    }

    fn phone_changed(&mut self, agent: UserId, kind: PhoneKind, up: bool, out: &mut Vec<Effect>) {
        if self.config.phone_of(agent) != kind {
            return;
        }
        self.person(agent).phone_up = up;
        let phone = self.phone_view(agent);
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Phone { phone })));
    }

    /// A call in which customer and agent are joined, or are being joined.
    fn talking_call(&mut self, interaction: InteractionId) -> Option<&mut Call> {
        self.calls.get_mut(&interaction).filter(|call| call.agent().is_some() && call.up())
    }

    /// Writes down a fact about a call that is known.
    fn journal_of(&self, interaction: InteractionId, event: Event, out: &mut Vec<Effect>) {
        if self.calls.contains_key(&interaction) {
            out.push(Effect::Journal(event));
        }
    }
}

fn order(order: CallOrder) -> Effect {
    Effect::Order(order)
}

fn refuse(interaction: InteractionId, why: Rejection, status: EndStatus, out: &mut Vec<Effect>) {
    out.push(order(CallOrder::Reject { interaction, why }));
    out.push(Effect::Journal(Event::Ended { interaction, status, by: EndedBy::System }));
}

/// Text from outside, cut to a length that can be kept, without control characters.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect()
}
