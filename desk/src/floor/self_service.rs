//! Callers who go through a flow before an agent is asked (ROUTE-08): the runs, and what comes of them.

use flow::{End, Input, Refused, Run, Wish};
use model::call::{CallOrder, Sound};
use model::flow::FlowEnd;
use model::id::{FlowId, InteractionId};
use model::interaction::{Channel, EndStatus, EndedBy, take_note};
use model::journal::Event;
use model::service::Overflow;
use model::skill::Requirement;
use model::time::Timestamp;
use router::Arrival;

use super::call::{Aim, Stage};
use super::core::{Core, Effect};
use super::during_call::DuringCall;
use super::facts::order;
use super::timed::Due;
use crate::configuration::FlowInUse;
use crate::systems::Replied;

/// A caller in a flow.
#[derive(Debug)]
pub struct InFlow {
    /// Which flow and which version; `None`: the settings of the service.
    pub(super) of: Option<(FlowId, u32)>,
    pub(super) run: Run,
    /// An agent started it during a call.
    pub(super) during: Option<DuringCall>,
}

impl Due for InFlow {
    fn due(&self) -> Option<Timestamp> {
        self.run.next_deadline()
    }
}

impl Core {
    /// A caller goes through a flow.
    pub(super) fn enter_flow(
        &mut self,
        interaction: InteractionId,
        FlowInUse { of, ready }: FlowInUse,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        call.stage = Stage::InFlow;
        let (run, effects) = Run::begin(ready, &call.as_caller(), now);
        self.flows.insert(interaction, InFlow { of, run, during: None });
        self.follow_flow(interaction, effects, now, out);
    }

    /// Something happened to a caller in a flow; for others it is too late, and changes nothing.
    pub(super) fn in_flow(
        &mut self,
        interaction: InteractionId,
        input: Input,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(effects) = self.flows.change(interaction, |caller| caller.run.handle(input, now)) {
            self.follow_flow(interaction, effects, now, out);
        }
    }

    pub(super) fn flows_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        for interaction in self.flows.due_by(now) {
            self.in_flow(interaction, Input::Tick, now, out);
        }
    }

    /// A system answered a flow, or did not. What comes after its run has gone on, or after another has begun, is for nobody.
    pub fn replied(&mut self, (interaction, asked, reply): Replied, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((last, number)) = self.calls.get(&interaction).map(|call| call.asked) else { return };
        if last == asked {
            // Flows number what they ask from 1.
            if number == 0 {
                return self.messages_counted(interaction, &reply, now, out);
            }
            let input = Input::Replied(number, reply);
            if self.flows.contains(interaction) {
                self.in_flow(interaction, input, now, out);
            } else {
                self.in_waiting(interaction, input, now, out);
            }
        }
    }

    pub(super) fn follow_flow(
        &mut self,
        interaction: InteractionId,
        mut effects: Vec<flow::Effect>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.guard_secrets(interaction, out);
        // A queue that refuses sends the run on; a run takes a bounded number of steps.
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                match effect {
                    flow::Effect::Entered(step) => {
                        let Some(InFlow { of, .. }) = self.flows.get(interaction) else { return };
                        let of = *of;
                        self.note_way(interaction, &step);
                        if let Some((flow, version)) = of {
                            out.push(Effect::Journal(Event::FlowStep { interaction, flow, version, step }));
                        }
                    }
                    flow::Effect::End(end) if self.has_agent_waiting(interaction) => {
                        let why = if end == End::GiveBack { FlowEnd::Returned } else { FlowEnd::Failed };
                        self.flow_over(interaction, why, out);
                    }
                    flow::Effect::Queue(wish) => {
                        more.extend(self.queue_from_flow(interaction, wish, now, out))
                    }
                    flow::Effect::CallBack(wish) => {
                        let answer = self.ask_callback(interaction, wish, now, out);
                        let told = self.flows.change(interaction, |caller| caller.run.handle(answer, now));
                        more.extend(told.unwrap_or_default());
                    }
                    flow::Effect::Transfer(wish) => {
                        if let Some(answer) = self.pass_on(interaction, wish, out) {
                            let told =
                                self.flows.change(interaction, |caller| caller.run.handle(answer, now));
                            more.extend(told.unwrap_or_default());
                        }
                    }
                    flow::Effect::TakeMessage { service } => {
                        self.take_message(interaction, &service, now, out);
                    }
                    flow::Effect::BeginMessage => self.begin_message(interaction, out),
                    flow::Effect::EndMessage { spoken } => self.message_over(interaction, spoken, out),
                    flow::Effect::End(End::HangUp | End::GiveBack | End::TooLong)
                        if self.is_called_back(interaction) =>
                    {
                        self.flows.remove(interaction);
                        out.push(order(CallOrder::HangUp { interaction, by: EndedBy::System }));
                    }
                    flow::Effect::End(end) => self.end_of_flow(interaction, end, now, out),
                    other => self.heard_from_flow(interaction, other, out),
                }
            }
            effects = more;
        }
        if self.has_agent_waiting(interaction) {
            self.show_work(interaction, out);
        }
    }

    /// What a flow plays, notes and asks: the same before a queue and in it.
    pub(super) fn heard_from_flow(
        &mut self,
        interaction: InteractionId,
        effect: flow::Effect,
        out: &mut Vec<Effect>,
    ) {
        let call = self.calls.get_mut(&interaction);
        match effect {
            flow::Effect::Noted(values) => {
                if let Some(call) = call {
                    take_note(&mut call.noted, &values);
                }
                out.push(Effect::Journal(Event::Noted { interaction, values }));
            }
            flow::Effect::Rated { question, mark } => {
                let service = call.and_then(|call| call.service());
                out.push(Effect::Journal(Event::Rated { interaction, service, question, mark }));
                service.into_iter().for_each(|service| self.touch_queue(service));
            }
            flow::Effect::Play { number, sounds } => {
                if let Some(call) = call {
                    call.heard = true;
                }
                out.push(order(CallOrder::PlaySounds { interaction, number, sounds }));
            }
            flow::Effect::Silence => {
                out.push(order(CallOrder::PlaySounds { interaction, number: 0, sounds: vec![] }));
            }
            flow::Effect::Music => {
                if let Some(call) = call {
                    call.heard = true;
                }
                let sound = Sound::QueueMusic;
                out.push(order(CallOrder::Play { interaction, sound, then_hang_up: false }));
            }
            flow::Effect::Request(request) => {
                if let Some(call) = call {
                    call.asked = (call.asked.0 + 1, request.number);
                    out.push(Effect::Ask(interaction, call.asked.0, request));
                }
            }
            flow::Effect::LookUp(look_up) => {
                if let Some(call) = call {
                    call.asked = (call.asked.0 + 1, look_up.number);
                    out.push(Effect::LookUp(interaction, call.asked.0, look_up));
                }
            }
            flow::Effect::Entered(_)
            | flow::Effect::Queue(_)
            | flow::Effect::CallBack(_)
            | flow::Effect::Transfer(_)
            | flow::Effect::TakeMessage { .. }
            | flow::Effect::BeginMessage
            | flow::Effect::EndMessage { .. }
            | flow::Effect::End(_) => {}
        }
    }

    /// Asks the queue that the flow named; what comes of a refusal.
    fn queue_from_flow(
        &mut self,
        interaction: InteractionId,
        wish: Wish,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Vec<flow::Effect> {
        let Some(call) = self.calls.get_mut(&interaction) else { return vec![] };
        // A service that is gone since the flow began: the number's own.
        if let Some(service) = self.config.service_named(&wish.service) {
            call.aim = Aim::Service(service.id);
        }
        let Some(service) = call.service() else { return vec![] };
        call.stage = Stage::Waiting;
        let arrival = Arrival {
            priority: wish.priority,
            requirement: wish.who.map(Requirement::fixed),
            since: call.waits_since,
            ..Arrival::new(interaction, service, Channel::Voice)
        };
        let (refused, why) = match self.queue(arrival, now, out) {
            Ok(()) => {
                self.flows.remove(interaction);
                return vec![];
            }
            Err(router::Refusal::Emergency) => (Refused::Closed, Overflow::Emergency),
            Err(router::Refusal::Closed | router::Refusal::NotTaken { .. }) => {
                (Refused::Closed, Overflow::Closed)
            }
            Err(router::Refusal::NoAgentOnline) => (Refused::Unstaffed, Overflow::Unstaffed),
            Err(router::Refusal::QueueFull) => (Refused::Full, Overflow::Full),
            Err(refusal) => {
                tracing::warn!(%interaction, %refusal, "the floor did not take a call from a flow");
                self.flows.remove(interaction);
                self.turn_away(interaction, EndStatus::Failed, false, out);
                return vec![];
            }
        };
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.stage = Stage::InFlow;
        }
        let next = self.flows.change(interaction, |caller| caller.run.handle(Input::Refused(refused), now));
        let next = next.unwrap_or_default();
        // When the flow leaves it to the service, the service says what it does; otherwise this is all that is said of it.
        let left = |effect: &flow::Effect| matches!(effect, flow::Effect::End(End::AsService(_)));
        if !next.iter().any(left) {
            out.push(Effect::Journal(Event::TurnedAway { interaction, service, why }));
        }
        self.touch_queue(service);
        next
    }

    fn end_of_flow(&mut self, interaction: InteractionId, end: End, now: Timestamp, out: &mut Vec<Effect>) {
        self.flows.remove(interaction);
        if self.calls.get(&interaction).is_some_and(|call| call.diverted.is_some()) {
            return self.diversion_over(interaction, now, out);
        }
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let refused = match end {
            End::HangUp | End::GiveBack => None,
            End::TooLong => {
                tracing::warn!(%interaction, "a caller went round and round in a flow and was hung up on");
                None
            }
            End::AsService(why) => Some(why),
        };
        let Some(why) = refused else {
            let status = if call.left_message { EndStatus::Voicemail } else { EndStatus::SelfServed };
            call.stage = Stage::Announced { status, written: false };
            out.push(order(CallOrder::HangUp { interaction, by: EndedBy::System }));
            return;
        };
        let service = call.service().and_then(|service| self.config.services.get(&service));
        let why = match why {
            Refused::Closed if service.is_some_and(|service| service.queue.emergency) => Overflow::Emergency,
            Refused::Closed => Overflow::Closed,
            Refused::Unstaffed => Overflow::Unstaffed,
            Refused::Full => Overflow::Full,
        };
        if let Some(service) = call.service() {
            self.overflow(interaction, service, why, now, out);
        }
    }
}
