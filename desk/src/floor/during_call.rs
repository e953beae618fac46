//! Flows that agents start during a call (CTRL-06): the caller goes through one, the agent waits and sees how far it is.
//!
//! The call stays the agent's, on the floor as well. Meanwhile the two do not hear each other, and keys go to the flow alone. While
//! something secret is asked for nothing is recorded, whoever wants it, and however long it takes; if the recording cannot be
//! paused, the flow is broken off before anything secret is said.

use flow::Run;
use model::call::CallOrder;
use model::flow::FlowEnd;
use model::id::{FlowId, InteractionId, UserId};
use model::journal::Event;
use model::time::Timestamp;
use serde_json::json;

use super::conference::IN_CONFERENCE;
use super::core::{Core, Effect};
use super::facts::order;
use super::self_service::InFlow;
use crate::console::protocol::{FlowProgress, Level};
use crate::refusal::Refusal;

/// Steps that the page shows; of more the last.
const WAY_MAX: usize = 32;

/// What is particular about such a flow.
#[derive(Debug)]
pub struct DuringCall {
    agent: UserId,
    since: Timestamp,
    /// The last steps.
    way: Vec<String>,
    /// The recording is paused for it.
    pauses: bool,
}

impl Core {
    /// An agent sends the customer through a flow.
    pub(super) fn start_flow(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        flow: FlowId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let caller = self.talking(agent, interaction)?.as_caller();
        let service = self.calls.get(&interaction).and_then(|call| call.service());
        let service = service.ok_or(Refusal::NotNow { why: "A colleague is not sent through a flow." })?;
        if self.calls.get(&interaction).is_some_and(|call| !call.conference.guests.is_empty()) {
            return Err(IN_CONFERENCE);
        }
        if self.flows.contains(interaction) {
            return Err(Refusal::NotNow { why: "The caller goes through a flow already." });
        }
        let found = self.config.flow_for_calls_of(service, flow);
        let (version, ready) = found.ok_or(Refusal::missing("flow"))?;
        out.push(Effect::Journal(Event::FlowStarted { interaction, flow, version, agent }));
        self.dismiss(interaction, out);
        out.push(order(CallOrder::TakeAside { interaction }));
        let (run, effects) = Run::begin(ready, &caller, now);
        let during = Some(DuringCall { agent, since: now, way: Vec::new(), pauses: false });
        self.flows.insert(interaction, InFlow { of: Some((flow, version)), run, during });
        self.follow_flow(interaction, effects, now, out);
        Ok(())
    }

    /// The agent takes the customer back.
    pub(super) fn take_back(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.work_of(agent, interaction)?;
        if !self.has_agent_waiting(interaction) {
            return Err(Refusal::NotNow { why: "The caller does not go through a flow." });
        }
        self.flow_over(interaction, FlowEnd::TakenBack, out);
        Ok(())
    }

    /// Whether the customer goes through a flow that an agent started.
    pub(super) fn has_agent_waiting(&self, interaction: InteractionId) -> bool {
        self.flows.get(interaction).is_some_and(|caller| caller.during.is_some())
    }

    /// The flow is over: customer and agent hear each other again.
    pub(super) fn flow_over(&mut self, interaction: InteractionId, why: FlowEnd, out: &mut Vec<Effect>) {
        let Some(InFlow { run, during: Some(during), .. }) = self.flows.remove(interaction) else { return };
        out.push(Effect::Journal(Event::FlowOver { interaction, why }));
        out.push(order(CallOrder::BringBack { interaction }));
        if during.pauses {
            let by = Some(during.agent);
            out.push(order(CallOrder::PauseRecording { interaction, by, paused: false }));
        }
        let told = match why {
            FlowEnd::Returned => Some((Level::Info, "flow_over")),
            FlowEnd::Failed => Some((Level::Error, "flow_failed")),
            FlowEnd::TakenBack | FlowEnd::CallEnded => None,
        };
        if let Some((level, code)) = told {
            let params = json!({ "interaction": interaction, "flow": run.flow().name });
            self.banner(during.agent, level, code, params, out);
        }
        self.show_work(interaction, out);
    }

    /// Keeps in mind which step the customer came to.
    pub(super) fn note_way(&mut self, interaction: InteractionId, step: &str) {
        self.flows.change(interaction, |caller| {
            if let Some(during) = &mut caller.during {
                if during.way.len() >= WAY_MAX {
                    during.way.remove(0);
                }
                during.way.push(step.to_owned());
            }
        });
    }

    /// Pauses the recording before something secret is asked for, and goes on when it was.
    pub(super) fn guard_secrets(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let recorded = self.calls.get(&interaction).is_some_and(|call| call.recording_now);
        let paused = self.calls.get(&interaction).is_some_and(|call| call.recording_pause.is_some());
        let change = self.flows.change(interaction, |caller| {
            let secret = caller.run.asks_secret();
            let during = caller.during.as_mut()?;
            let wanted = secret && recorded && (during.pauses || !paused);
            let before = std::mem::replace(&mut during.pauses, wanted);
            (before != wanted).then_some((during.agent, wanted))
        });
        if let Some((by, paused)) = change.flatten() {
            out.push(order(CallOrder::PauseRecording { interaction, by: Some(by), paused }));
        }
    }

    /// Whether the customer is being asked for something secret while an agent waits: nobody may have it recorded.
    pub(super) fn is_asked_for_secret(&self, interaction: InteractionId) -> bool {
        self.flows.get(interaction).is_some_and(|caller| caller.during.is_some() && caller.run.asks_secret())
    }

    /// How far the customer is, for the agent's page.
    pub(super) fn flow_progress(&self, interaction: InteractionId) -> Option<FlowProgress> {
        let caller = self.flows.get(interaction)?;
        let ((flow, _), during) = caller.of.zip(caller.during.as_ref())?;
        let (name, way) = (caller.run.flow().name.clone(), during.way.clone());
        let secret = caller.run.asks_secret();
        Some(FlowProgress { flow, name, way, secret, since: during.since.millis() })
    }
}
