//! Steps that ask for the caller to be called back.

use model::time::Timestamp;

use super::{CallbackWish, Effect, NoCallback, Run, State, WishedTime};
use crate::graph::{Callback, Node};

impl Run {
    /// Asks; where to, if there is nothing to be asked.
    pub(super) fn call_back(&mut self, callback: &Callback, out: &mut Vec<Effect>) -> Option<String> {
        let wished = callback
            .at
            .as_ref()
            .map(|at| WishedTime::parse(&at.in_days.fill(&self.vars), &at.hour.fill(&self.vars)));
        if wished == Some(None) {
            return callback.outside.clone();
        }
        let at = wished.flatten();
        self.state = State::CallingBack;
        let number = callback.number.fill(&self.vars);
        let queue = self.wish_of(callback.service.as_deref().unwrap_or_default());
        out.push(Effect::CallBack(CallbackWish { number, at, queue }));
        None
    }

    pub(super) fn called_back(&mut self, why: Option<NoCallback>, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        let Some(Node::Callback(callback)) = ready.node(&self.node) else { return };
        let next = match why {
            None => &callback.next,
            Some(NoCallback::Invalid) => &callback.invalid,
            Some(NoCallback::Already) => &callback.already,
            Some(NoCallback::Refused) => &callback.refused,
            Some(NoCallback::Outside) => callback.outside.as_ref().unwrap_or(&callback.refused),
        };
        self.enter(next.clone(), now, out);
    }
}
