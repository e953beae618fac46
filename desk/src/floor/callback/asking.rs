//! Who may be called back, and whoever calls again meanwhile.

use flow::{CallbackWish, Input as Answer, NoCallback};
use model::dialling::Dialled;
use model::id::InteractionId;
use model::interaction::CallbackEnd;
use model::journal::Event;
use model::skill::Requirement;
use model::time::Timestamp;
use router::Input;

use super::{Callback, Step};
use crate::configuration::dry_run::remaining;
use crate::floor::call::{Aim, Call, Stage};
use crate::floor::core::{Core, Effect};

impl Core {
    /// A caller asks to be called back; what the flow is told.
    pub(in crate::floor) fn ask_callback(
        &mut self,
        interaction: InteractionId,
        wish: CallbackWish,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Answer {
        match self.promise_callback(interaction, wish, now, out) {
            Ok(()) => Answer::CallbackTaken,
            Err(why) => Answer::CallbackRefused(why),
        }
    }

    fn promise_callback(
        &mut self,
        interaction: InteractionId,
        wish: CallbackWish,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), NoCallback> {
        let dialled = Dialled::parse(&wish.number).filter(|dialled| dialled.after.is_empty());
        let number = dialled.ok_or(NoCallback::Invalid)?.number;
        if !self.config.dialling.permit(&number) {
            return Err(NoCallback::Invalid);
        }
        let call = self.calls.get(&interaction).ok_or(NoCallback::Refused)?;
        let named = self.config.service_named(&wish.queue.service).map(|service| service.id);
        let id = named.or(call.service()).ok_or(NoCallback::Refused)?;
        if self.to_call_back().any(|(_, call)| call.open_callback().is_some_and(|open| open.number == number))
        {
            return Err(NoCallback::Already);
        }
        let service = self.config.services.get(&id).ok_or(NoCallback::Refused)?;
        // Later somebody else may be there than now.
        let due = match wish.at {
            Some(wished) => Some(self.config.open_hour_of(service, wished, now).ok_or(NoCallback::Outside)?),
            None => None,
        };
        let staffed = || self.config.eligible(id).iter().any(|agent| self.is_on_floor(*agent));
        let promised = self.may_dial(&number).is_ok()
            && (due.is_some() || self.config.is_open(service) && staffed())
            && !service.queue.emergency
            && self.open_callbacks(id) < service.queue.callback.open_max as usize;
        // While an agent is rung for the caller, being answered is nearer than being called back.
        if !promised || self.is_rung(interaction) {
            return Err(NoCallback::Refused);
        }
        let (requirement, priority, waits) = match self.floor.interaction(interaction) {
            Some(seen) => {
                // What has been given up by now is not asked for again.
                let left = remaining(&seen.requirement, seen.step);
                (Some(left), Some(seen.priority), true)
            }
            None => (wish.queue.who.map(Requirement::fixed), wish.queue.priority, false),
        };
        let requirement = requirement.filter(|asked| *asked != service.requirement);
        let priority = priority.filter(|points| *points != service.queue.priority);
        let since = due.or(call.waits_since).unwrap_or(now);
        out.push(Effect::Journal(Event::CallbackAsked {
            interaction,
            service: id,
            number: number.clone(),
            since,
            requirement: requirement.clone(),
            priority,
        }));
        if waits {
            // It waits, and nobody is rung for it: the floor has no reason to refuse.
            let _ = self.tell_floor(Input::LayAside { interaction }, now, out);
        }
        if let Some(call) = self.calls.get_mut(&interaction) {
            (call.aim, call.stage) = (Aim::Service(id), Stage::Aside);
            call.waits_since = Some(since);
            let (asked_at, attempts, step) = (now, 0, Step::Leaving);
            call.callback = Some(Callback { number, asked_at, since, requirement, priority, attempts, step });
            self.called_back.insert(interaction);
        }
        self.touch_queue(id);
        Ok(())
    }

    /// Whether somebody is to be called back, and still hears good-bye.
    pub(in crate::floor) fn is_called_back(&self, interaction: InteractionId) -> bool {
        self.calls.get(&interaction).is_some_and(|call| call.open_callback().is_some())
    }

    /// Whoever calls again is not called back any more, and has the place that was kept if the call is for the same service.
    pub(in crate::floor) fn takes_kept_place(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(caller) = self.calls.get(&interaction) else { return };
        let Some(number) = Dialled::parse(&caller.caller).map(|dialled| dialled.number) else { return };
        let theirs = |call: &Call| call.open_callback().is_some_and(|open| open.number == number);
        let found = self.to_call_back().find(|(id, call)| theirs(call) && self.may_end_callback(*id));
        let Some((before, call)) = found else { return };
        let kept = call.waits_since.filter(|_| call.service() == caller.service());
        self.end_callback(before, (CallbackEnd::CalledIn, None), now, out);
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.waits_since = kept;
        }
    }
}
