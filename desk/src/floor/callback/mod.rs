//! Customers who are called back (CB-01): nobody is on the line while they wait, and their place in the line is kept.
//!
//! It stays one interaction with one record, from the first call to the last attempt. On the floor it waits and is offered like a
//! call, as [`Channel::Callback`] and at the place of its first arrival; between two attempts it is not on the floor. The agent who
//! takes it is reserved, reads a notice, and then the customer is dialled: whoever answers is from there on a caller like any other
//! (CB-02).
//!
//! An attempt counts from the moment the number is dialled, also when the appliance dies meanwhile: the customer's phone has rung.

mod asking;
mod attempt;
mod booking;

use std::time::Duration;

use model::call::CallOrder;
use model::id::{InteractionId, ServiceId, UserId};
use model::interaction::{CallbackEnd, Channel, EndedBy, RecordedCallback, ServiceRecord};
use model::journal::Event;
use model::service::CallbackRules;
use model::skill::Requirement;
use model::time::Timestamp;
use router::{Arrival, Input};

pub use self::booking::NewCallback;

use super::call::{Aim, Call, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use crate::refusal::Refusal;

/// After a hang-up it takes a moment until the customer's phone can ring.
const LINE_CLEARS: Duration = Duration::from_secs(3);
/// Whoever does not answer the notice dials all the same after this: the customer has waited long enough.
pub(super) const NOTICE: Duration = Duration::from_secs(15);

/// What the desk knows of a callback.
#[derive(Clone, Debug)]
pub struct Callback {
    /// What is dialled.
    pub number: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Its place in the line is that of this time.
    pub since: Timestamp,
    requirement: Option<Requirement>,
    priority: Option<i32>,
    /// How often it was dialled.
    pub attempts: u32,
    step: Step,
}

/// How far it has come. Each holds exactly what is true in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The call in which it was asked for is not over yet.
    Leaving,
    /// Not queued before this time.
    Held { until: Timestamp },
    /// On the floor. `placed`: an agent was rung, and signalling has a call that nobody is on.
    Queued { placed: bool },
    /// An agent took it, and is dialled for then at the latest.
    Reserved { dials_at: Timestamp },
    /// The customer's phone rings.
    Dialling,
    /// Nobody was reached, and the call of the attempt is not over yet. `end`: it was the last.
    Failing { end: Option<CallbackEnd> },
    /// Somebody answered.
    Reached,
}

impl Callback {
    /// Whether the customer answered: a call like any other.
    pub fn is_reached(&self) -> bool {
        self.step == Step::Reached
    }
    pub(super) fn reached(&mut self) {
        self.step = Step::Reached;
    }
    /// When the notice is over, while it is shown.
    pub fn dials_at(&self) -> Option<Timestamp> {
        if let Step::Reserved { dials_at } = self.step { Some(dials_at) } else { None }
    }
    /// Until when it is not queued.
    pub fn held_until(&self) -> Option<Timestamp> {
        if let Step::Held { until } = self.step { Some(until) } else { None }
    }
    fn expires(&self, rules: &CallbackRules) -> Timestamp {
        // One that was booked for later is kept from then on.
        self.asked_at.max(self.since) + Duration::from_secs(u64::from(rules.keep_h) * 3_600)
    }
}

impl Call {
    /// Whether the customer is being dialled after having asked for it.
    pub fn is_dialled_back(&self) -> bool {
        self.callback.as_ref().is_some_and(|callback| callback.step == Step::Dialling)
    }
    /// The callback, while the customer was not reached.
    pub fn open_callback(&self) -> Option<&Callback> {
        self.callback.as_ref().filter(|callback| !callback.is_reached())
    }
}

impl Core {
    /// Callbacks that the last run left open: each is queued again at its place.
    pub fn take_up_callbacks(&mut self, records: Vec<ServiceRecord>, now: Timestamp) {
        for record in records {
            let (Some(callback), Some(service)) = (record.callback, record.service) else { continue };
            let RecordedCallback { number, asked_at, since, requirement, priority, .. } = callback;
            let until = callback.held_until.unwrap_or(now).max(since).max(now);
            let aim = Aim::Service(service);
            let mut call =
                Call::new(aim, record.caller, record.caller_name, record.contact, record.arrived_at);
            call.noted = record.noted;
            call.stage = Stage::Aside;
            call.waits_since = Some(since);
            call.callback = Some(Callback {
                number,
                asked_at,
                since,
                requirement,
                priority,
                attempts: u32::try_from(callback.attempts.len()).unwrap_or(u32::MAX),
                step: Step::Held { until },
            });
            self.calls.insert(record.interaction, call);
            self.called_back.insert(record.interaction);
            self.touch_queue(service);
        }
    }

    /// Calls that were asked for, oldest first.
    pub(super) fn to_call_back(&self) -> impl Iterator<Item = (InteractionId, &Call)> {
        let found = self.called_back.iter().filter_map(|id| Some((*id, self.calls.get(id)?)));
        found.filter(|(_, call)| call.callback.is_some())
    }

    /// Customers of a service who are to be called back.
    pub(super) fn open_callbacks(&self, service: ServiceId) -> usize {
        let open = |call: &&Call| call.open_callback().is_some() && call.service() == Some(service);
        self.to_call_back().map(|(_, call)| call).filter(open).count()
    }

    pub(super) fn callback_rules(&self, call: &Call) -> CallbackRules {
        let service = call.service().and_then(|service| self.config.services.get(&service));
        service.map(|service| service.queue.callback.clone()).unwrap_or_default()
    }

    pub(super) fn next_callback_deadline(&self) -> Option<Timestamp> {
        self.to_call_back().filter_map(|(id, call)| self.callback_due(id, call)).min()
    }

    /// When something is to be done about a callback by itself.
    fn callback_due(&self, interaction: InteractionId, call: &Call) -> Option<Timestamp> {
        let callback = call.callback.as_ref()?;
        match callback.step {
            Step::Held { until } => Some(until.min(callback.expires(&self.callback_rules(call)))),
            // What is rung for is taken or not in a moment.
            Step::Queued { .. } if !self.is_rung(interaction) => {
                Some(callback.expires(&self.callback_rules(call)))
            }
            Step::Reserved { dials_at } => Some(dials_at),
            _ => None,
        }
    }

    pub(super) fn callback_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Self { called_back, calls, .. } = self;
        called_back.retain(|interaction| calls.get(interaction).is_some_and(|call| call.callback.is_some()));
        let due = |(id, call): (InteractionId, &Call)| {
            self.callback_due(id, call).filter(|due| *due <= now).map(|_| id)
        };
        let found: Vec<_> = self.to_call_back().filter_map(due).collect();
        for interaction in found {
            let Some(call) = self.calls.get(&interaction) else { continue };
            let rules = self.callback_rules(call);
            let Some(callback) = &call.callback else { continue };
            match callback.step {
                Step::Reserved { .. } => {
                    // Refused only when it may not be dialled any more, and then it is over.
                    let _ = self.dial_back(interaction, now, out);
                }
                _ if callback.expires(&rules) <= now => {
                    self.end_callback(interaction, (CallbackEnd::Expired, None), now, out);
                }
                Step::Held { .. } => self.queue_callback(interaction, now, out),
                _ => {}
            }
        }
    }

    /// It waits for an agent, at its place.
    fn queue_callback(&mut self, interaction: InteractionId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&interaction) else { return };
        let most = self.callback_rules(call).attempts_max;
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let (Some(service), Some(callback)) = (call.service(), &mut call.callback) else { return };
        // After a restart, or when the service was changed meanwhile.
        if callback.attempts >= most {
            return self.end_callback(interaction, (CallbackEnd::Attempts, None), now, out);
        }
        callback.step = Step::Queued { placed: false };
        call.stage = Stage::Waiting;
        let arrival = Arrival {
            priority: callback.priority,
            requirement: callback.requirement.clone(),
            since: Some(callback.since),
            ..Arrival::new(interaction, service, Channel::Callback)
        };
        let arrival = self.as_regular(arrival, now);
        match self.tell_floor(Input::Arrive(arrival), now, out) {
            Ok(()) => {}
            Err(router::Refusal::FloorFull) => self.hold_callback(interaction, now, out),
            Err(refusal) => {
                tracing::warn!(%interaction, %refusal, "a callback cannot be queued any more");
                if let Some(Call { callback: Some(callback), stage, .. }) = self.calls.get_mut(&interaction) {
                    (callback.step, *stage) = (Step::Held { until: now }, Stage::Aside);
                }
                self.end_callback(interaction, (CallbackEnd::Impossible, None), now, out);
            }
        }
    }

    /// It rests for the pause of its service, not on the floor.
    fn hold_callback(&mut self, interaction: InteractionId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&interaction) else { return };
        let pause = Duration::from_secs(self.callback_rules(call).pause_s.into());
        self.hold_callback_until(interaction, now + pause, out);
    }

    fn hold_callback_until(&mut self, interaction: InteractionId, until: Timestamp, out: &mut Vec<Effect>) {
        let Some(Call { callback: Some(callback), stage, .. }) = self.calls.get_mut(&interaction) else {
            return;
        };
        (callback.step, *stage) = (Step::Held { until }, Stage::Aside);
        out.push(Effect::Journal(Event::CallbackHeld { interaction, until }));
        self.touch(interaction);
    }

    /// A supervisor cancels a callback that nobody has taken yet.
    pub fn cancel_callback(
        &mut self,
        interaction: InteractionId,
        by: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&interaction);
        call.and_then(Call::open_callback).ok_or(Refusal::missing("callback"))?;
        if !self.may_end_callback(interaction) {
            return Err(Refusal::NotNow { why: "The customer is on the line or is just being called." });
        }
        self.end_callback(interaction, (CallbackEnd::Cancelled, Some(by)), now, out);
        Ok(())
    }

    /// Whether an agent is rung for it.
    fn is_rung(&self, interaction: InteractionId) -> bool {
        self.ringing.values().any(|ringing| ringing.interaction == interaction)
    }

    /// Whether nobody is at it: the customer is not on the line, and no agent has it.
    fn may_end_callback(&self, interaction: InteractionId) -> bool {
        let callback = self.calls.get(&interaction).and_then(|call| call.callback.as_ref());
        matches!(callback.map(|callback| callback.step), Some(Step::Held { .. } | Step::Queued { .. }))
            && !self.is_rung(interaction)
    }

    /// The customer is not called back any more.
    fn end_callback(
        &mut self,
        interaction: InteractionId,
        (why, by): (CallbackEnd, Option<UserId>),
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(step) = self.calls.get(&interaction).and_then(|call| Some(call.callback.as_ref()?.step))
        else {
            return;
        };
        let (status, side) = (why.status(), if by.is_some() { EndedBy::Agent } else { EndedBy::System });
        out.push(Effect::Journal(Event::CallbackOver { interaction, why, by }));
        self.ending = Some((interaction, status, side));
        if matches!(step, Step::Queued { .. }) {
            // Refused only if the floor did not have it.
            let _ = self.tell_floor(Input::Hangup { interaction, by: side }, now, out);
        }
        if self.ending.take().is_some() {
            out.push(Effect::Journal(Event::Ended { interaction, status, by: side }));
        }
        if step == (Step::Queued { placed: true }) {
            out.push(order(CallOrder::HangUp { interaction, by: side }));
        }
        self.touch(interaction);
        self.calls.remove(&interaction);
    }
}
