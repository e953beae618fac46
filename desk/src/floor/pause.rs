//! Pauses of a recording (RECO-04): card data is read out, and nothing of it may be kept.
//!
//! The agent of the call pauses and resumes; a supervisor may. A pause that was forgotten ends by itself after the time the
//! service sets, with a warning: an agent must not lose the rest of a call to a forgotten button.

use model::call::CallOrder;
use model::flow::FlowEnd;
use model::id::{InteractionId, RecordingId, UserId};
use model::journal::Event;
use model::time::Timestamp;
use serde_json::json;

use super::call::Call;
use super::core::{Core, Effect};
use crate::console::protocol::Level;
use crate::refusal::Refusal;

/// After a limit was reached and the resume was ordered, it is ordered again this much later unless it happened.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

impl Core {
    /// The agent of a call pauses its recording, or goes on.
    pub(super) fn pause_own(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        paused: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&interaction).filter(|call| call.seat(agent).is_some());
        call.ok_or(Refusal::missing("call"))?;
        self.pause_recording(interaction, agent, paused, out)
    }

    /// Pauses the recording of a call for somebody who may, or goes on. Done already: nothing happens.
    pub fn pause_recording(
        &mut self,
        interaction: InteractionId,
        by: UserId,
        paused: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&interaction).filter(|call| call.up()).ok_or(Refusal::missing("call"))?;
        if !call.recording_now {
            return Err(Refusal::NotNow { why: "This call is not being recorded." });
        }
        if !paused && self.is_asked_for_secret(interaction) {
            return Err(Refusal::NotNow {
                why: "The caller is entering something that must not be recorded.",
            });
        }
        if call.recording_pause.is_some() != paused {
            out.push(Effect::Order(CallOrder::PauseRecording { interaction, by: Some(by), paused }));
        }
        Ok(())
    }

    /// It is paused, or goes on.
    pub(super) fn recording_paused(
        &mut self,
        (interaction, recording): (InteractionId, RecordingId),
        by: Option<UserId>,
        paused: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let rules = call.service().and_then(|id| self.config.services.get(&id)).map(|s| s.recording);
        let until = now + rules.unwrap_or_default().pause_max;
        // Two who pressed at once: one pause.
        if call.recording_pause.is_some() == paused {
            return;
        }
        call.recording_pause = paused.then_some((now, until));
        if paused {
            self.paused.insert(interaction);
        }
        let holders = call.holders();
        out.push(Effect::Journal(match (paused, by) {
            (true, Some(by)) => Event::RecordingPaused { interaction, recording, by },
            _ => Event::RecordingResumed { interaction, recording, by },
        }));
        self.show_work(interaction, out);
        if !paused && by.is_none() {
            tracing::warn!(%interaction, %recording, "a pause of a recording reached its limit and was ended");
            for agent in holders {
                let params = json!({ "interaction": interaction });
                self.banner(agent, Level::Warning, "recording_pause_over", params, out);
            }
        }
    }

    /// The pause did not happen: the agent must not take the card.
    pub(super) fn pause_failed(
        &mut self,
        interaction: InteractionId,
        by: Option<UserId>,
        paused: bool,
        why: &str,
        out: &mut Vec<Effect>,
    ) {
        tracing::error!(%interaction, paused, why, "a recording could not be paused or resumed");
        if paused && self.is_asked_for_secret(interaction) {
            self.flow_over(interaction, FlowEnd::Failed, out);
        }
        if let Some(agent) = by {
            let code = if paused { "recording_pause_failed" } else { "recording_resume_failed" };
            self.banner(agent, Level::Error, code, json!({ "interaction": interaction }), out);
        }
    }

    /// Ends pauses whose time is over.
    pub(super) fn end_long_pauses(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let stays = |call: &Call| call.recording_pause.is_some();
        self.paused.retain(|interaction| self.calls.get(interaction).is_some_and(stays));
        for interaction in self.paused.clone() {
            let secret = self.is_asked_for_secret(interaction);
            if let Some((_, until)) =
                self.calls.get_mut(&interaction).and_then(|call| call.recording_pause.as_mut())
                && *until <= now
            {
                *until = now + AGAIN;
                // Not while a card is keyed: its flow ends by itself.
                if secret {
                    continue;
                }
                out.push(Effect::Order(CallOrder::PauseRecording { interaction, by: None, paused: false }));
            }
        }
    }

    /// When the next pause is over by itself.
    pub(super) fn next_pause_over(&self) -> Option<Timestamp> {
        let paused = self.paused.iter().filter_map(|interaction| self.calls.get(interaction));
        paused.filter_map(|call| call.recording_pause).map(|(_, until)| until).min()
    }
}
