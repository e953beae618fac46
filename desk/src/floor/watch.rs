//! What must not be and is said aloud: a floor that contradicts itself, a caller whom nobody can answer.

use std::collections::BTreeSet;

use model::id::InteractionId;
use model::journal::Event;
use router::{AUDIT_STEPS, Violation, Walk};
use serde_json::json;

use super::core::{Core, Effect};
use crate::console::protocol::Level;

/// Violations written down in one round of the audit; the log says when there are more.
const WRITTEN_MAX: usize = 100;

/// The audit of the running floor (ROUTE-06).
#[derive(Default)]
pub(super) struct Audit {
    walk: Walk,
    /// What this round has found, and what the round before had: the same is not written down twice.
    found: BTreeSet<Violation>,
    known: BTreeSet<Violation>,
    /// Found and not written down.
    more: u64,
}

impl Core {
    /// Looks the next part of the floor over, well below a millisecond; gives how many rounds that ended.
    pub fn audit(&mut self, out: &mut Vec<Effect>) -> u64 {
        let (before, mut broken) = (self.audit.walk.rounds(), Vec::new());
        self.floor.audit_some(&mut self.audit.walk, AUDIT_STEPS, &mut broken);
        self.broken(broken, out);
        let ended = self.audit.walk.rounds() - before;
        if ended > 0 {
            let audit = &mut self.audit;
            if audit.more > 0 {
                tracing::error!(
                    more = audit.more,
                    "the floor contradicts itself in more places than are written down"
                );
            }
            audit.known = std::mem::take(&mut audit.found);
            audit.more = 0;
        }
        ended
    }

    /// Writes down what is broken and was not before. Nothing is repaired.
    fn broken(&mut self, broken: Vec<Violation>, out: &mut Vec<Effect>) {
        for violation in broken {
            if self.audit.found.len() >= WRITTEN_MAX {
                self.audit.more += 1;
                continue;
            }
            if !self.audit.found.insert(violation.clone()) || self.audit.known.contains(&violation) {
                continue;
            }
            let Violation { invariant, what } = violation;
            tracing::error!(invariant, what, "the floor contradicts itself: please report this");
            out.push(Effect::Journal(Event::InvariantBroken { invariant: invariant.into(), what }));
        }
    }

    /// Nobody of the configuration can ever answer this caller (I13): supervisors are told while there is time to change
    /// something.
    pub(super) fn nobody_fits(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let service = self.floor.interaction(interaction).and_then(|seen| seen.service);
        let service = service.map(|service| self.config.name_service(service).name).unwrap_or_default();
        tracing::warn!(%interaction, service, "nobody in the configuration can answer this caller");
        out.push(Effect::Journal(Event::NobodyFits { interaction }));
        self.tell_responsible(
            (interaction, None),
            (Level::Warning, "nobody_fits"),
            json!({ "service": service }),
            out,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Sources};
    use crate::configuration::Configuration;
    use crate::metrics::Metrics;
    use model::id::{Id, TenantId};
    use model::time::Timestamp;
    use router::{Floor, FloorConfig};
    use std::sync::Arc;

    /// ROUTE-06: a contradiction becomes an event once, and again when it came back after it was gone; the figure counts it
    /// by its rule. (That each kind is found is tried in the router, which can damage a floor.)
    #[test]
    fn route_06_a_contradiction_is_written_down_once() {
        let clock = ManualClock::at(Timestamp::from_millis(1_000));
        let sources = Sources { clock: Arc::new(clock), entropy: Arc::new(|bytes: &mut [u8]| bytes.fill(0)) };
        let floor = Floor::new(FloorConfig::default()).unwrap();
        let config = Arc::new(Configuration::default());
        let mut core = Core::new(TenantId::from_number(1), sources, config, floor);
        let registry = prometheus::Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        let mut finds = |found: &[Violation]| {
            let mut out = Vec::new();
            core.broken(found.to_vec(), &mut out);
            while core.audit(&mut out) == 0 {}
            for effect in &out {
                if let Effect::Journal(event) = effect {
                    metrics.observe(event, Timestamp::from_millis(1_000));
                }
            }
            out.len()
        };
        let waits = Violation { invariant: "I3", what: "one waits though another is free".into() };
        let load = Violation { invariant: "I2", what: "somebody carries 2, not 1".into() };
        assert_eq!(finds(&[waits.clone(), waits.clone()]), 1);
        assert_eq!(finds(&[waits.clone(), load]), 1, "the first is known");
        assert_eq!(finds(&[]), 0);
        assert_eq!(finds(&[waits]), 1, "it came back");
        let many: Vec<_> = (0..500).map(|n| Violation { invariant: "I1", what: n.to_string() }).collect();
        assert_eq!(finds(&many), WRITTEN_MAX);
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for (invariant, count) in [("I1", 100), ("I2", 1), ("I3", 2), ("matrix", 0)] {
            let line =
                format!("patchbay_floor_invariant_violations_total{{invariant=\"{invariant}\"}} {count}");
            assert!(text.contains(&line), "{line} in {text}");
        }
    }
}
