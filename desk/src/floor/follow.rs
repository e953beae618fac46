//! What follows from what the floor said: orders to signalling, news for pages, work that begins and ends.

use model::call::{CallOrder, Sound};
use model::id::{InteractionId, OfferToken, RecordingId, UserId};
use model::interaction::EndStatus;
use model::journal::{Event, OfferEnd};
use model::service::Treatment;
use model::time::Timestamp;
use router::{Input, Output};
use serde_json::json;

use super::call::{Aim, Call, Outgoing, Stage};
use super::core::{Core, Effect, Ringing};
use crate::console::protocol::{ConsoleEvent, Level, OfferOver, Phase};

impl Core {
    /// Turns what the floor said into effects. Effects may tell the floor something again, so this is a loop.
    pub(super) fn follow(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.said.extend(self.scratch.drain(..));
        while let Some(output) = self.said.pop_front() {
            self.follow_one(output, now, out);
        }
    }

    fn follow_one(&mut self, output: Output, now: Timestamp, out: &mut Vec<Effect>) {
        match output {
            Output::Journal(mut event) => {
                // The floor knows that it ended, the desk knows how.
                if let (Event::Ended { interaction, status, by }, Some(ending)) = (&mut event, self.ending)
                    && *interaction == ending.0
                {
                    (*status, *by) = (ending.1, ending.2);
                    self.ending = None;
                }
                self.note_event(&event, now, out);
                let queued =
                    if let Event::Queued { interaction, .. } = event { Some(interaction) } else { None };
                let noted = event.clone();
                out.push(Effect::Journal(event));
                self.note_written(&noted, now, out);
                if let Some(interaction) = queued {
                    self.begin_waiting(interaction, now, out);
                }
            }
            Output::Offer { interaction, agent, token, deadline } => {
                self.offer(token, Ringing { interaction, agent, deadline }, now, out);
            }
            Output::WithdrawOffer { interaction, agent, token, why } => {
                self.offer_over(interaction, agent, token, why, now, out);
            }
            Output::TurnedAway { interaction, why } if self.written.contains_key(&interaction) => {
                self.turn_written_away(interaction, why, None, now, out);
            }
            Output::Overflowed { interaction, why, to, .. } if self.written.contains_key(&interaction) => {
                self.lead_written_on(interaction, why, to, now, out);
            }
            Output::TurnedAway { interaction, why } => {
                let service = self.calls.get(&interaction).and_then(Call::service);
                let service = service.and_then(|service| self.config.services.get(&service));
                let treatment = service.map_or(Treatment::Announce, |s| s.queue.treatment(why));
                self.give_up(interaction, (why, treatment), true, out);
            }
            Output::Overflowed { interaction, why, to, .. } => self.lead_on(interaction, why, to, now, out),
            Output::NobodyFits { interaction } => self.nobody_fits(interaction, out),
            Output::AgentStateChanged { agent, .. } => {
                if let Some(view) = self.agent_view(agent, now) {
                    out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Me { agent: view })));
                }
                self.touch_queues();
            }
        }
    }

    fn offer(&mut self, token: OfferToken, ringing: Ringing, now: Timestamp, out: &mut Vec<Effect>) {
        let Ringing { interaction, agent, .. } = ringing;
        let written = self.written.contains_key(&interaction);
        self.ringing.insert((token, agent), ringing);
        self.touch(interaction);
        if !written {
            self.place_callback(interaction, out);
            self.ring(interaction, token, agent, out);
        }
        if let Some(offer) = self.offer_view((token, agent), now) {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Offered { offer })));
        }
        // A SIP phone accepts by being picked up. The softphone of a group with auto-answer accepts at once; the agent
        // hears the two-tone prompt before the customer (VOICE-11).
        if !written && self.answers_itself(agent) && self.phone_up(agent) {
            // Refused only when the offer ended in the meantime.
            let _ = self.floor.handle(Input::Accept { agent, token }, now, &mut self.scratch);
            self.said.extend(self.scratch.drain(..));
        }
    }

    fn offer_over(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        token: OfferToken,
        why: OfferEnd,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.ringing.remove(&(token, agent));
        self.touch(interaction);
        let written = self.written.get(&interaction).map(|written| written.channel);
        if written.is_none() {
            out.push(Effect::Order(CallOrder::StopRinging { interaction, token, agent }));
        }
        self.colleague_refused(interaction, why, now, out);
        let shown = match why {
            OfferEnd::Declined => OfferOver::Declined,
            OfferEnd::NoAnswer => OfferOver::NoAnswer,
            OfferEnd::ConnectionLost => OfferOver::ConnectionLost,
            OfferEnd::CallerLeft => OfferOver::CallerLeft,
            OfferEnd::TakenElsewhere => OfferOver::TakenElsewhere,
            OfferEnd::AgentLeft | OfferEnd::Restart => OfferOver::AgentLeft,
            OfferEnd::PutBack => OfferOver::PutBack,
            OfferEnd::Postponed => OfferOver::Postponed,
        };
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::OfferEnded { offer: token, why: shown })));
        let person = self.person_today(agent, now);
        let banner = match why {
            OfferEnd::Declined => {
                person.declined = person.declined.saturating_add(1);
                Some((Level::Info, "declined_offer"))
            }
            OfferEnd::NoAnswer => {
                person.missed = person.missed.saturating_add(1);
                Some((Level::Warning, "missed_offer"))
            }
            OfferEnd::ConnectionLost => Some((Level::Error, "offer_unreachable")),
            _ => None,
        };
        if let Some((level, code)) = banner {
            // By the tenant's own name for it, when it made the agent Not ready (STATE-13).
            let queued = self.calls.get(&interaction).is_none_or(|call| call.inside().is_none());
            let state = self.floor.state(agent).filter(|_| queued);
            let reason = state.and_then(|(state, _)| self.state_view(state).reason).map(|reason| reason.name);
            let mut params = json!({ "at": now.millis(), "reason": reason });
            if let Some(channel) = written {
                params["channel"] = json!(channel);
            }
            self.banner(agent, level, code, params, out);
        }
        // The counts are part of the agent's view.
        if let (Some(_), Some(view)) = (banner, self.agent_view(agent, now)) {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Me { agent: view })));
        }
    }

    /// The caller cannot be served: the announcement of the case, then good-bye.
    pub(super) fn turn_away(
        &mut self,
        interaction: InteractionId,
        why: EndStatus,
        written: bool,
        out: &mut Vec<Effect>,
    ) {
        let sound = match why {
            EndStatus::NoAgentOnline => Sound::NobodyAvailable,
            EndStatus::Closed => Sound::Closed,
            _ => Sound::AllBusy,
        };
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.stage = Stage::Announced { status: why, written };
        }
        self.touch(interaction);
        out.push(Effect::Order(CallOrder::Play { interaction, sound, then_hang_up: true }));
    }

    /// Joins customer and agent; the call is recorded if its service says so.
    pub(super) fn join(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        announce: bool,
        out: &mut Vec<Effect>,
    ) {
        if self.calls.contains_key(&interaction) {
            let record = self.recording_of(interaction);
            out.push(Effect::Order(CallOrder::Connect { interaction, agent, record, announce }));
        }
    }

    /// The recording of a call whose parties are to be joined, if its service says so.
    pub(super) fn recording_of(&mut self, interaction: InteractionId) -> Option<RecordingId> {
        let call = self.calls.get_mut(&interaction)?;
        let recorded = match call.aim {
            Aim::Service(service) | Aim::Outside(Outgoing { service, .. }) => {
                self.config.services.get(&service).is_none_or(|s| s.record)
            }
            Aim::Colleague(_) => false,
        };
        // One that is going on goes on (RECO-01).
        let open = call.recording.filter(|_| call.recording_now);
        if recorded {
            call.recording = open.or_else(|| Some(self.sources.id()));
        }
        call.recording.filter(|_| recorded)
    }

    /// Nothing of a call is left to be done: it goes from the lists of whoever has it.
    pub(super) fn work_over(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        self.help_over(interaction, out);
        let Some(call) = self.calls.remove(&interaction) else { return };
        self.dirty.extend(call.service());
        for agent in call.holders() {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
        }
    }

    /// What a journal event of the floor means for the call and its agent.
    fn note_event(&mut self, event: &Event, now: Timestamp, out: &mut Vec<Effect>) {
        if let Event::Accepted { interaction, .. }
        | Event::Ended { interaction, .. }
        | Event::Overflowed { interaction, .. } = event
        {
            self.waiting.remove(*interaction);
            self.diverting.remove(*interaction);
        }
        match event {
            Event::Accepted { interaction, agent, token } => {
                self.ringing.remove(&(*token, *agent));
                self.touch(*interaction);
                let (id, agent, why) = (*interaction, *agent, OfferOver::Accepted);
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::OfferEnded { offer: *token, why })));
                // The rest is about the line, which a written contact does not take.
                if !self.calls.contains_key(&id) {
                    return;
                }
                // One conversation at a time: the other one waits.
                self.hold_others(agent, id, out);
                let Some(call) = self.calls.get_mut(&id) else { return };
                if call.callback.is_some() {
                    return self.reserve_for_callback(id, agent, now, out);
                }
                call.enter(agent, Phase::Connecting, now);
                let announce = self.config.rules_of(agent).auto_answer;
                self.join(id, agent, announce, out);
                self.show_work(id, out);
            }
            Event::WrapUpStarted { interaction, agent, until } => {
                if let Some(call) = self.calls.get_mut(interaction) {
                    call.stage =
                        Stage::Work { agent: *agent, phase: Phase::WrapUp, since: now, until: *until };
                }
                self.show_work(*interaction, out);
            }
            Event::WrapUpContinued { interaction, .. } => {
                if let Some(Call { stage: Stage::Work { until, .. }, .. }) = self.calls.get_mut(interaction) {
                    *until = None;
                }
                self.show_work(*interaction, out);
            }
            Event::Ended { interaction, .. } => self.help_over(*interaction, out),
            Event::Transferred { interaction, agent, part, to, consulted } => {
                self.transferred(*interaction, (*agent, *part), to, consulted.is_some(), now, out);
            }
            // What keeps a caller Busy during an internal call is no call, and no page knows of it.
            Event::Completed { interaction, agent, .. } => {
                self.part_completed(*interaction, *agent, out);
                self.work_over(*interaction, out);
            }
            Event::Queued { interaction, .. } => {
                if let Some(call) = self.calls.get_mut(interaction) {
                    call.waits_since.get_or_insert(now);
                }
                self.touch(*interaction);
            }
            _ => {}
        }
    }
}
