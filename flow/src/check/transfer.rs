//! Steps that connect the caller with a number outside.

use model::dialling::Dialled;

use super::Checking;
use crate::graph::{RING_S, Transfer};
use crate::template::Piece;

impl Checking<'_> {
    pub(super) fn transfer(&mut self, at: &str, transfer: &Transfer) {
        if self.flow.while_waiting {
            self.fault(at, "whoever waits has a place in the queue: lead them out of it by `queue` first");
        }
        let field = format!("{at}.number");
        self.template(&field, &transfer.number);
        let pieces = transfer.number.pieces().unwrap_or_default();
        let secrets = self.flow.secrets();
        for piece in &pieces {
            if let Piece::Value(var) = piece
                && secrets.contains(*var)
            {
                let what = format!("`{var}` is secret, and a number that is dialled is written down");
                self.fault(&field, what);
            }
        }
        let is_fixed = pieces.iter().all(|piece| matches!(piece, Piece::Text(_)));
        let dialled = Dialled::parse(&transfer.number.0).filter(|dialled| dialled.after.is_empty());
        if is_fixed && dialled.is_none() {
            self.fault(field, "a number has 2 to 20 digits, with an optional + before them");
        }
        if !RING_S.contains(&transfer.ring_s) {
            let what = format!("a number rings for {} to {} seconds", RING_S.start(), RING_S.end());
            self.fault(format!("{at}.ring_s"), what);
        }
    }
}
