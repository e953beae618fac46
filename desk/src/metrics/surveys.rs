//! Figures of what callers answer when they are asked for marks (ROUTE-08).

use model::survey::Mark;
use prometheus::{HistogramVec, Registry};

use super::register::histograms;

/// Marks of 1 to 5 fall on these, each on its own.
const BUCKETS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// See the module.
pub(super) struct Surveys {
    marks: HistogramVec,
}

impl Surveys {
    pub fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let (name, help) =
            ("patchbay_survey_mark_ratio", "Marks of callers, 0 the lowest of the scale, 1 the highest.");
        Ok(Self { marks: histograms(r, name, help, &BUCKETS, &["queue"])? })
    }

    /// A caller gave a mark.
    pub fn rated(&self, queue: &str, mark: Mark) {
        self.marks.with_label_values(&[queue]).observe(mark.percent() / 100.0);
    }
}
