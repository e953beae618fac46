//! One attempt to reach a customer: an agent is reserved, the number is dialled, and somebody answers or not.

use std::time::Duration;

use model::call::{CallOrder, DialFailure};
use model::id::{InteractionId, UserId};
use model::interaction::{CallbackEnd, EndedBy};
use model::time::Timestamp;
use router::Input;
use serde_json::json;

use super::{LINE_CLEARS, NOTICE, Step};
use crate::console::protocol::{ConsoleEvent, Level, Phase, RefusedWhy};
use crate::floor::call::{Call, Stage};
use crate::floor::core::{Core, Effect};
use crate::floor::facts::order;
use crate::refusal::Refusal;

impl Core {
    /// An agent is to be rung: the first time signalling needs a call that the phone can be rung for.
    pub(in crate::floor) fn place_callback(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let callback = self.calls.get_mut(&interaction).and_then(|call| call.callback.as_mut());
        if let Some(callback) = callback.filter(|callback| callback.step == Step::Queued { placed: false }) {
            callback.step = Step::Queued { placed: true };
            out.push(order(CallOrder::Place { interaction, contact: callback.number.clone() }));
        }
    }

    /// An agent took it: the notice is shown, unless the agent does not want to see it again (CB-03).
    pub(in crate::floor) fn reserve_for_callback(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let known = self.people.get(&agent);
        let announced = known.is_none_or(|person| !person.preferences.no_callback_notice);
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let Some(callback) = &mut call.callback else { return };
        let dials_at = if announced { now + NOTICE } else { now };
        callback.step = Step::Reserved { dials_at };
        call.enter(agent, Phase::Reserved, now);
        if !announced {
            // Refused only when it may not be dialled any more, and then it is over.
            let _ = self.dial_back(interaction, now, out);
        }
        self.show_work(interaction, out);
    }

    /// The customer is dialled: the notice was read, or its time is over.
    pub(in crate::floor) fn dial_back(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let reserved = |call: &&Call| call.callback.as_ref().is_some_and(|c| c.dials_at().is_some());
        let Some(call) = self.calls.get(&interaction).filter(reserved) else {
            return Err(Refusal::NotNow { why: "No customer waits to be dialled here." });
        };
        let (Some(agent), Some(service)) = (call.agent(), call.service()) else { return Ok(()) };
        let number = call.callback.as_ref().map(|callback| callback.number.clone()).unwrap_or_default();
        if let Err(refusal) = self.may_dial(&number) {
            // The rules of dialling have changed since it was promised.
            self.give_back(interaction, Some(CallbackEnd::Impossible), now, out);
            return Err(refusal);
        }
        let ring_time = Duration::from_secs(self.callback_rules(call).ring_s.into());
        let caller_id = self.config.caller_id(service);
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.enter(agent, Phase::Dialling, now);
            if let Some(callback) = &mut call.callback {
                callback.attempts += 1;
                callback.step = Step::Dialling;
            }
        }
        self.order_dial(interaction, number, caller_id, ring_time, out);
        self.show_work(interaction, out);
        Ok(())
    }

    /// Nobody answered: the agent is free again at once (CB-02).
    pub(in crate::floor) fn callback_failed(
        &mut self,
        interaction: InteractionId,
        why: DialFailure,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let call = self.calls.get(&interaction);
        if let Some((agent, callback)) = call.and_then(|call| Some((call.agent()?, call.callback.as_ref()?)))
        {
            let params = json!({ "number": callback.number, "why": RefusedWhy::from(why) });
            self.banner(agent, Level::Info, "callback_failed", params, out);
        }
        self.give_back(interaction, None, now, out);
    }

    /// Takes it from the agent who has it. Its call ends, and then it is seen what follows.
    fn give_back(
        &mut self,
        interaction: InteractionId,
        end: Option<CallbackEnd>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let agent = call.agent();
        call.stage = Stage::Aside;
        if let Some(callback) = &mut call.callback {
            callback.step = Step::Failing { end };
        }
        // The phone first: whoever is free again may be rung at once.
        out.push(order(CallOrder::HangUp { interaction, by: EndedBy::System }));
        if let Some(agent) = agent {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
        }
        if let Err(refusal) = self.tell_floor(Input::LayAside { interaction }, now, out) {
            tracing::warn!(%interaction, %refusal, "the floor did not know a callback");
        }
        self.touch(interaction);
    }

    /// A call of a customer who was not reached is over: the one in which it was asked for, or that of an attempt.
    pub(in crate::floor) fn callback_line_over(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.flows.remove(interaction);
        self.waiting.remove(interaction);
        let Some(call) = self.calls.get(&interaction) else { return };
        let most = self.callback_rules(call).attempts_max;
        let Some((step, attempts, since)) =
            call.callback.as_ref().map(|callback| (callback.step, callback.attempts, callback.since))
        else {
            return;
        };
        let mut over = None;
        match step {
            Step::Leaving => return self.hold_callback_until(interaction, since.max(now + LINE_CLEARS), out),
            Step::Held { .. } | Step::Reached => return,
            Step::Failing { end } => over = end,
            // An agent hung up, or a phone was lost, before anybody answered; or signalling could not begin a call.
            Step::Queued { .. } | Step::Reserved { .. } | Step::Dialling => {
                self.give_back(interaction, None, now, out);
            }
        }
        match over.or((attempts >= most).then_some(CallbackEnd::Attempts)) {
            Some(why) => self.end_callback(interaction, (why, None), now, out),
            None => self.hold_callback(interaction, now, out),
        }
    }
}
