//! Steps that ask for a mark.

use super::Checking;
use crate::graph::Survey;

/// Marks are single keys.
const MARK_MAX: u8 = 9;

impl Checking<'_> {
    pub(super) fn survey(&mut self, at: &str, survey: &Survey) {
        self.asking(at, &survey.prompt, survey.again.as_ref(), (survey.wait_s, survey.tries));
        if survey.lowest >= survey.highest || survey.highest > MARK_MAX {
            self.fault(at, format!("marks are keys from `lowest` to a higher `highest`, {MARK_MAX} at most"));
        }
        if let Some(var) = &survey.into {
            self.noting(&format!("{at}.into"), var);
        }
    }
}
