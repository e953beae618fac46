//! What the rules of calling back may be.

use std::ops::RangeInclusive;

use model::service::{CallbackRules, WaitingRules};

use super::Configuration;
use crate::refusal::FieldError;

/// Says what is out of bounds.
pub(super) fn callback(rules: &CallbackRules, now: &Configuration, errors: &mut Vec<FieldError>) {
    let mut within = |field: &str, value: Option<u32>, range: RangeInclusive<u32>| {
        if value.is_some_and(|value| !range.contains(&value)) {
            let why = format!("{} to {}", range.start(), range.end());
            errors.push(FieldError::new(format!("/queue/callback/{field}"), why));
        }
    };
    within("offer_after_s", rules.offer_after_s, CallbackRules::OFFER_AFTER_S);
    within("offer_from_min", rules.offer_from_min, CallbackRules::OFFER_FROM_MIN);
    within("open_max", Some(rules.open_max), CallbackRules::OPEN_MAX);
    within("attempts_max", Some(rules.attempts_max), CallbackRules::ATTEMPTS_MAX);
    within("pause_s", Some(rules.pause_s), CallbackRules::PAUSE_S);
    within("ring_s", Some(rules.ring_s), CallbackRules::RING_S);
    within("keep_h", Some(rules.keep_h), CallbackRules::KEEP_H);
    // The sentences of the offer.
    if let Some(Err(faults)) = now.check_announcements(&WaitingRules::default(), rules) {
        let field = if rules.offer_after_s.is_some() { "offer_after_s" } else { "offer_from_min" };
        let why = faults.first().map(|fault| fault.what.clone()).unwrap_or_default();
        errors.push(FieldError::new(format!("/queue/callback/{field}"), why));
    }
}
