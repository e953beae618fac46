//! Steps that connect the caller with a number outside.

use std::time::Duration;

use model::time::Timestamp;

use super::{Effect, NotReached, Run, State, TransferWish};
use crate::graph::{Node, TRANSFERS_MAX, Transfer};

impl Run {
    /// Dials; where to at once, when enough was dialled for this caller.
    pub(super) fn transfer(&mut self, transfer: &Transfer, out: &mut Vec<Effect>) -> Option<String> {
        self.transfers += 1;
        if self.transfers > TRANSFERS_MAX {
            return Some(transfer.failed.clone());
        }
        self.typed.clear();
        self.state = State::Transferring;
        let number = transfer.number.fill(&self.vars);
        let ring_time = Duration::from_secs(transfer.ring_s.into());
        out.push(Effect::Transfer(TransferWish { number, ring_time }));
        None
    }

    pub(super) fn not_reached(&mut self, why: NotReached, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        let Some(Node::Transfer(transfer)) = ready.node(&self.node) else { return };
        let way = match why {
            NotReached::Busy => transfer.busy.as_ref(),
            NotReached::Unanswered => transfer.unanswered.as_ref(),
            NotReached::Failed => None,
        };
        self.enter(way.unwrap_or(&transfer.failed).clone(), now, out);
    }
}
