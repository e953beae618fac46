//! What is never written down: numbers and answers that a step calls secret, and whatever is made of them.

use std::collections::BTreeSet;

use crate::graph::Flow;
use crate::template::Piece;

impl Flow {
    /// Values that some step notes in secret, and those into which one of them is filled, over any number of steps.
    pub(super) fn secrets(&self) -> BTreeSet<String> {
        let entered = self.collect.values().filter(|collect| collect.secret).map(|collect| &collect.into);
        let answered = self.http.values().filter(|http| http.secret).flat_map(|http| http.picks.keys());
        let found =
            self.lookup.values().filter(|lookup| lookup.secret).flat_map(|lookup| lookup.picks.keys());
        let mut secrets: BTreeSet<String> = entered.chain(answered).chain(found).cloned().collect();
        loop {
            let holds = |piece: &Piece<'_>| matches!(piece, Piece::Value(var) if secrets.contains(*var));
            let made: Vec<String> = self
                .set
                .values()
                .flat_map(|set| &set.vars)
                .filter(|(var, text)| {
                    !secrets.contains(*var) && text.pieces().unwrap_or_default().iter().any(holds)
                })
                .map(|(var, _)| var.clone())
                .collect();
            if made.is_empty() {
                return secrets;
            }
            secrets.extend(made);
        }
    }
}
