//! What callers hear and press while they wait (ROUTE-07): flows, as before a queue. They delay nothing: an offer is made and taken
//! whatever is heard, and with the place in the line the run is over.

use std::collections::BTreeSet;
use std::time::Duration;

use flow::{End, Input, Refused, Run, Wish};
use model::call::{CallOrder, Sound};
use model::id::{FlowId, InteractionId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::Event;
use model::service::{Overflow, Treatment};
use model::time::Timestamp;

use super::call::Stage;
use super::core::{Core, Effect};
use super::facts::order;
use super::overflow::{LED_ON_MAX, overflow_of};
use super::timed::Due;
use crate::configuration::FlowInUse;

/// A caller who waits, and hears more than music.
#[derive(Debug)]
pub struct Waiting {
    /// Which flow and which version; `None`: the settings of the service.
    of: Option<(FlowId, u32)>,
    run: Run,
    /// Minutes that were last thought of as the expected wait.
    said: Option<u32>,
    /// Steps that the journal has already: of those that come again and again it has the first.
    seen: BTreeSet<String>,
}

impl Due for Waiting {
    fn due(&self) -> Option<Timestamp> {
        self.run.next_deadline()
    }
}

/// What a run knows of the line at a moment: the place, the expected wait, the time waited.
type Known = (Option<usize>, Option<Duration>, Duration);

impl Core {
    /// A caller was queued.
    pub(super) fn begin_waiting(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        // Whoever is called back hears nothing.
        let Some(call) = self.calls.get(&interaction).filter(|call| call.callback.is_none()) else { return };
        let found = call.service().and_then(|service| self.config.waiting.get(&service));
        let Some(FlowInUse { of, ready }) = found.cloned() else { return };
        let (known, mut said) = (self.known_of(interaction, now), None);
        let (run, effects) = Run::begin_with(ready, &call.as_caller(), &values(known, &mut said), now);
        self.waiting.insert(interaction, Waiting { of, run, said, seen: BTreeSet::new() });
        self.follow_waiting(interaction, effects, now, out);
    }

    /// Something happened to a caller who waits.
    pub(super) fn in_waiting(
        &mut self,
        interaction: InteractionId,
        input: Input,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let known = self.known_of(interaction, now);
        let effects = self.waiting.change(interaction, |waiting| {
            for (name, value) in values(known, &mut waiting.said) {
                waiting.run.know(name, value);
            }
            waiting.run.handle(input, now)
        });
        if let Some(effects) = effects {
            self.follow_waiting(interaction, effects, now, out);
        }
    }

    pub(super) fn waiting_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        for interaction in self.waiting.due_by(now) {
            self.in_waiting(interaction, Input::Tick, now, out);
        }
    }

    fn known_of(&self, interaction: InteractionId, now: Timestamp) -> Known {
        let since = self.calls.get(&interaction).and_then(|call| call.waits_since).unwrap_or(now);
        let floor = &self.floor;
        (floor.position(interaction), floor.expected_wait(interaction, now), now.since(since))
    }

    fn follow_waiting(
        &mut self,
        interaction: InteractionId,
        mut effects: Vec<flow::Effect>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        // A queue that refuses sends the run on; a run takes a bounded number of steps.
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                match effect {
                    flow::Effect::Entered(step) => {
                        let new =
                            |waiting: &mut Waiting| waiting.of.filter(|_| waiting.seen.insert(step.clone()));
                        let Some(new) = self.waiting.change(interaction, new) else { return };
                        if let Some((flow, version)) = new {
                            out.push(Effect::Journal(Event::FlowStep { interaction, flow, version, step }));
                        }
                    }
                    flow::Effect::Queue(wish) => {
                        more.extend(self.change_queue(interaction, &wish, now, out));
                    }
                    flow::Effect::CallBack(wish) => {
                        let answer = self.ask_callback(interaction, wish, now, out);
                        let told =
                            self.waiting.change(interaction, |waiting| waiting.run.handle(answer, now));
                        more.extend(told.unwrap_or_default());
                    }
                    flow::Effect::End(End::HangUp | End::GiveBack | End::TooLong)
                        if self.is_called_back(interaction) =>
                    {
                        self.waiting.remove(interaction);
                        out.push(order(CallOrder::HangUp { interaction, by: EndedBy::System }));
                    }
                    flow::Effect::TakeMessage { .. } => self.leave_for_message(interaction, now, out),
                    flow::Effect::End(End::AsService(_)) => self.wait_on(interaction, out),
                    flow::Effect::End(End::HangUp | End::GiveBack | End::TooLong) => {
                        self.end_waiting(interaction, now, out)
                    }
                    other => self.heard_from_flow(interaction, other, out),
                }
            }
            effects = more;
        }
    }

    /// The caller wants to wait for another service. Whom it does not take waits on here; while a phone rings nobody changes.
    fn change_queue(
        &mut self,
        interaction: InteractionId,
        wish: &Wish,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Vec<flow::Effect> {
        let to = self.config.service_named(&wish.service).map(|service| service.id);
        let call = self.calls.get(&interaction).filter(|call| call.led_on < LED_ON_MAX);
        let at = call.and_then(|call| call.service());
        // Whoever goes to and fro without end stays where they are.
        let Some(to) = to.filter(|to| at.is_some_and(|at| at != *to)) else {
            self.wait_on(interaction, out);
            return Vec::new();
        };
        if let Err(refusal) = self.floor.door(to, Channel::Voice) {
            let why = match overflow_of(refusal) {
                Some(Overflow::Closed | Overflow::Emergency) => Refused::Closed,
                Some(Overflow::Unstaffed) => Refused::Unstaffed,
                _ => Refused::Full,
            };
            let told =
                self.waiting.change(interaction, |waiting| waiting.run.handle(Input::Refused(why), now));
            return told.unwrap_or_default();
        }
        if self
            .tell_floor(router::Input::MoveOn { interaction, to: Treatment::Service(to) }, now, out)
            .is_err()
        {
            self.wait_on(interaction, out);
        }
        Vec::new()
    }

    /// Whoever waits would rather leave a message; while a phone rings the wait goes on.
    fn leave_for_message(&mut self, interaction: InteractionId, now: Timestamp, out: &mut Vec<Effect>) {
        let leaves = router::Input::MoveOn { interaction, to: Treatment::Voicemail };
        if self.tell_floor(leaves, now, out).is_err() {
            self.wait_on(interaction, out);
        }
    }

    /// The run is over, the wait is not: music.
    fn wait_on(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        self.waiting.remove(interaction);
        out.push(order(CallOrder::Play { interaction, sound: Sound::QueueMusic, then_hang_up: false }));
    }

    /// The flow ends the call.
    fn end_waiting(&mut self, interaction: InteractionId, now: Timestamp, out: &mut Vec<Effect>) {
        let (status, by) = (EndStatus::SelfServed, EndedBy::System);
        self.ending = Some((interaction, status, by));
        // Refused only if the floor ended it in the meantime.
        let _ = self.tell_floor(router::Input::Hangup { interaction, by }, now, out);
        self.ending = None;
        self.touch(interaction);
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.stage = Stage::Announced { status, written: true };
            out.push(order(CallOrder::HangUp { interaction, by }));
        }
    }
}

/// The values of [`flow::WHILE_WAITING`].
fn values(known: Known, said: &mut Option<u32>) -> [(&'static str, Option<u64>); 3] {
    let (position, expected, waited) = known;
    if let Some(expected) = expected {
        *said = Some(flow::minutes_to_say(*said, expected));
    }
    let [place, wait, time] = flow::WHILE_WAITING;
    [
        (place, position.and_then(|position| u64::try_from(position).ok())),
        (wait, said.filter(|_| expected.is_some()).map(u64::from)),
        (time, Some(waited.as_secs())),
    ]
}
