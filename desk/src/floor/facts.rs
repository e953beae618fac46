//! What signalling tells.

use model::call::{CallFact, CallOrder, Rejection, Source};
use model::id::{InteractionId, OfferToken, RecordingId, UserId};
use model::interaction::EndedBy;
use model::journal::{Event, Party};
use model::time::Timestamp;
use router::Input;
use serde_json::json;

use super::call::{Call, Seat, Stage};
use super::core::{Core, Effect, RecordingNews};
use super::incoming::cut;
use crate::console::protocol::{ConsoleEvent, Level, Phase};

impl Core {
    /// Takes a fact. Facts about calls that are gone change nothing: late ones are normal.
    pub fn fact(&mut self, fact: CallFact, now: Timestamp, out: &mut Vec<Effect>) {
        match fact {
            CallFact::Incoming { interaction, tenant, from, caller, caller_name, contact } => {
                if tenant != self.tenant || self.calls.contains_key(&interaction) {
                    tracing::warn!(%interaction, %tenant, "a call that is not for this desk");
                    out.push(order(CallOrder::Reject { interaction, why: Rejection::UnknownNumber }));
                    return;
                }
                match from {
                    Source::Trunk { trunk } => {
                        let caller_name = caller_name.as_deref().map(cut).filter(|name| !name.is_empty());
                        let numbers = (cut(&caller), caller_name, cut(&contact));
                        self.incoming(interaction, trunk, numbers, now, out);
                    }
                    // Who an agent is, the configuration says, not the phone.
                    Source::Phone { agent } => self.dialled(interaction, agent, cut(&contact), now, out),
                }
            }
            CallFact::LegAnswered { interaction, leg, party, codec, secure } => {
                self.journal_of(
                    interaction,
                    Event::LegAnswered { interaction, leg, party, codec, secure },
                    out,
                );
            }
            CallFact::AgentAnswered { interaction, token, .. } if self.dials_for(interaction, token) => {
                self.dial(interaction, out);
            }
            CallFact::AgentRefused { interaction, token, .. } if self.dials_for(interaction, token) => {
                self.gave_up(interaction, out);
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
            // The agent hears it.
            CallFact::FarEndRinging { .. } => {}
            CallFact::FarEndAnswered { interaction, .. } if self.is_passed_on(interaction) => {
                self.pass_on_answered(interaction, out);
            }
            CallFact::FarEndAnswered { interaction, .. } => self.far_end_answered(interaction, now, out),
            CallFact::DialFailed { interaction, why, status } => {
                self.dial_failed(interaction, why, status, now, out);
            }
            CallFact::FarEndBridged { interaction } => self.passed_on(interaction, out),
            CallFact::Bridged { interaction, agent } => self.bridged(interaction, agent, now, out),
            CallFact::TookOver { interaction, from, agent } => {
                self.took_over(interaction, from, agent, now, out);
            }
            CallFact::JoinFailed { interaction, from, why } => {
                self.join_failed(interaction, from, &why, now, out);
            }
            CallFact::Referred { interaction, agent, to } => {
                self.referred(interaction, agent, to, now, out);
            }
            CallFact::HoldChanged { interaction, agent, held } => {
                let Some((call, seat)) = self.held_by(interaction, agent) else { return };
                let half = call.half_mut(seat);
                (half.held, half.since) = (held, now);
                out.push(Effect::Journal(Event::HoldChanged { interaction, agent: Some(agent), held }));
                self.show_work(interaction, out);
            }
            CallFact::MuteChanged { interaction, agent, muted } => {
                if let Some((call, seat)) = self.held_by(interaction, agent) {
                    call.half_mut(seat).muted = muted;
                    self.show_work(interaction, out);
                }
            }
            CallFact::Joined { interaction, from } => self.joined(interaction, from, now, out),
            CallFact::Played { interaction, number } => {
                self.in_flow(interaction, flow::Input::Played(number), now, out);
                self.in_waiting(interaction, flow::Input::Played(number), now, out);
            }
            CallFact::CallerSilent { interaction, silent } => {
                self.in_flow(interaction, flow::Input::Silent(silent), now, out);
            }
            CallFact::DigitReceived { interaction, digit } if self.flows.contains(interaction) => {
                self.in_flow(interaction, flow::Input::Key(digit), now, out);
            }
            CallFact::DigitReceived { interaction, digit } if self.waiting.contains(interaction) => {
                self.in_waiting(interaction, flow::Input::Key(digit), now, out);
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
            CallFact::RecordingStarted { interaction, recording }
                if self.is_message(interaction, recording) =>
            {
                self.message_begun(interaction, recording, now, out);
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
            CallFact::RecordingPaused { interaction, recording, by, paused } => {
                self.recording_paused((interaction, recording), by, paused, now, out);
            }
            CallFact::PauseFailed { interaction, by, paused, why } => {
                self.pause_failed(interaction, by, paused, &why, out);
            }
            CallFact::RecordingFailed { interaction, recording, why } => {
                self.recording_failed(interaction, why, out);
                out.push(Effect::Recording(interaction, recording, RecordingNews::Failed));
                if self.is_message(interaction, recording) {
                    self.message_failed(interaction, now, out);
                }
            }
            CallFact::RecordingSilent { interaction, recording, party, silent } => {
                self.recording_silent((interaction, recording), party, silent, out);
            }
            CallFact::LegEnded { interaction, leg, party, stats } => {
                self.customer_left(interaction, party, out);
                self.journal_of(interaction, Event::LegEnded { interaction, leg, party, stats }, out);
            }
            CallFact::Ended { interaction, by, failure } => self.ended(interaction, by, failure, now, out),
            CallFact::PhoneAnswer { agent, session: _, sdp } => {
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::PhoneAnswer { sdp })));
            }
            CallFact::PhoneRefused { agent, session: _, why } => {
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::PhoneRefused { why })));
            }
            CallFact::PhoneUp { agent, phone } => self.phone_changed(agent, phone, true, now, out),
            CallFact::TrunkStands { trunk, standing } => {
                self.trunks_stand.insert(trunk, standing);
            }
            CallFact::PasswordGuessed { source, account, paused } => {
                let pause_s = paused.as_secs();
                let params = json!({ "source": source, "account": account, "minutes": pause_s.div_ceil(60) });
                for user in self.supervisors(None) {
                    self.banner(user, Level::Warning, "password_guessed", params.clone(), out);
                }
                out.push(Effect::Journal(Event::PasswordGuessed { source, account, pause_s }));
            }
            CallFact::PhoneDown { agent, phone } => self.phone_changed(agent, phone, false, now, out),
        }
    }

    pub(super) fn bridged(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction).filter(|call| call.agent() == Some(agent)) else {
            return;
        };
        if !call.up() {
            return;
        }
        call.answered_at.get_or_insert(now);
        call.enter(agent, Phase::Talking, now);
        out.push(Effect::Journal(Event::Bridged { interaction, agent }));
        self.now_served(interaction, agent, now);
        self.press_after(interaction, agent, out);
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
        if self.divert_ringing(interaction, now, out) {
            return;
        }
        let joined =
            self.calls.get(&interaction).is_some_and(|c| c.agent() == Some(agent) && c.answered_at.is_none());
        if self.tell_floor(Input::OfferFailed { agent, token }, now, out).is_err() && joined {
            let code =
                if self.dials_for(interaction, token) { "phone_unreachable" } else { "offer_unreachable" };
            self.banner(agent, Level::Error, code, json!({ "at": now.millis() }), out);
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
            Party::Agent { .. } | Party::FarEnd => call.poor.1 = poor,
        }
        let after = call.poor.0 || call.poor.1;
        let holders = call.holders();
        out.push(Effect::Journal(Event::QualityChanged { interaction, party, poor }));
        self.show_work(interaction, out);
        // ERR-19 clears by itself.
        if before != after {
            let half = match party {
                Party::Customer => "customer",
                Party::Agent { .. } | Party::FarEnd => "agent",
            };
            let (level, code) =
                if after { (Level::Warning, "poor_quality") } else { (Level::Info, "quality_recovered") };
            for agent in holders {
                self.banner(agent, level, code, json!({ "interaction": interaction, "half": half }), out);
            }
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
        self.tell_responsible((interaction, agent), (Level::Error, "recording_failed_of"), json!({}), out);
    }

    /// A channel of a recording is empty, or is not any more: the call goes on, everybody concerned is told.
    fn recording_silent(
        &mut self,
        (interaction, recording): (InteractionId, RecordingId),
        party: Party,
        silent: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get(&interaction) else { return };
        let agent = call.agent();
        tracing::warn!(%interaction, %recording, ?party, silent, "nothing comes to be recorded, or comes again");
        out.push(Effect::Journal(Event::RecordingSilent { interaction, recording, party, silent }));
        let (code, half) = match (silent, party) {
            (true, Party::Customer) => ("recording_silent", "customer"),
            (false, Party::Customer) => ("recording_heard", "customer"),
            // What the agent says is not recorded, and perhaps not heard either: they can do something about it.
            (true, Party::Agent { .. } | Party::FarEnd) => ("recording_without_you", "agent"),
            (false, Party::Agent { .. } | Party::FarEnd) => ("recording_with_you", "agent"),
        };
        let (level, code_of) = match silent {
            true => (Level::Warning, "recording_silent_of"),
            false => (Level::Info, "recording_heard_of"),
        };
        if let Some(agent) = agent {
            self.banner(agent, level, code, json!({ "interaction": interaction, "half": half }), out);
        }
        self.tell_responsible((interaction, agent), (level, code_of), json!({ "half": half }), out);
    }

    /// Whoever answers for recordings hears of it as well; without a page it waits for none.
    pub(super) fn tell_responsible(
        &self,
        (interaction, agent): (InteractionId, Option<UserId>),
        (level, code): (Level, &'static str),
        mut params: serde_json::Value,
        out: &mut Vec<Effect>,
    ) {
        let name = agent.and_then(|agent| self.config.users.get(&agent)).map(|user| user.name.clone());
        params["interaction"] = json!(interaction);
        params["name"] = json!(name.unwrap_or_default());
        for user in self.supervisors(agent) {
            self.banner(user, level, code, params.clone(), out);
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
        if self.attending_over(interaction, now, out) {
            return;
        }
        self.end_parts(interaction, now, out);
        self.message_cut_off(interaction, now, out);
        self.party_left(interaction, out);
        // Signalling ends the guests first; whoever is left then has nobody to talk to either.
        for from in self.guests_of(interaction) {
            self.ended(from, by, None, now, out);
        }
        self.diverting.remove(interaction);
        let Some(call) = self.calls.get_mut(&interaction).filter(|call| call.up()) else { return };
        if let Some(why) = &failure {
            tracing::warn!(%interaction, why, "a call ended by a failure");
        }
        if call.callback.as_ref().is_some_and(|callback| !callback.is_reached()) {
            return self.callback_line_over(interaction, now, out);
        }
        let ringing = self.ringing.values().any(|ringing| ringing.interaction == interaction);
        let status = call.end_status(ringing, by, failure.is_some());
        call.release();
        let (stage, diverted) = (call.stage, call.diverted.is_some());
        let own = call.inside().and_then(|inside| inside.own);
        self.flows.remove(interaction);
        // The floor has it no longer, but whoever called is still busy with it.
        if diverted {
            out.push(Effect::Journal(Event::Ended { interaction, status, by }));
            self.work_over(interaction, out);
            return own.into_iter().for_each(|own| self.free_caller(own, by, now, out));
        }
        // The floor has no such call, or has ended it.
        if let Stage::Announced { .. } | Stage::InFlow | Stage::Dialled | Stage::PassedOn = stage {
            self.calls.remove(&interaction);
            if !matches!(stage, Stage::Announced { written: true, .. }) {
                out.push(Effect::Journal(Event::Ended { interaction, status, by }));
            }
            return;
        }
        // The floor ended a call that the colleague refused, and said so, while the caller heard busy.
        if !matches!(stage, Stage::Refused { .. }) {
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
        }
        // Whoever has no after-call work is gone now; work without it was completed by the floor's event.
        if self.calls.get(&interaction).is_some_and(Call::up) {
            self.work_over(interaction, out);
        }
        if let Some(interaction) = own {
            self.free_caller(interaction, by, now, out);
        }
    }

    /// The same, when this agent has it, and as whom.
    fn held_by(&mut self, interaction: InteractionId, agent: UserId) -> Option<(&mut Call, Seat)> {
        let call = self.talking_call(interaction)?;
        let seat = call.seat(agent)?;
        Some((call, seat))
    }

    /// A call in which customer and agent are joined, or are being joined.
    fn talking_call(&mut self, interaction: InteractionId) -> Option<&mut Call> {
        let talks = |call: &&mut Call| call.agent().is_some() || call.stage == Stage::PassedOn;
        self.calls.get_mut(&interaction).filter(|call| talks(call) && call.up())
    }

    /// Writes down a fact about a call that is known.
    fn journal_of(&self, interaction: InteractionId, event: Event, out: &mut Vec<Effect>) {
        if self.calls.contains_key(&interaction) {
            out.push(Effect::Journal(event));
        }
    }
}

pub(super) fn order(order: CallOrder) -> Effect {
    Effect::Order(order)
}
