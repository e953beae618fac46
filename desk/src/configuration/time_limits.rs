//! What a change of the set-up does to the times that people wait by, and to how much an agent carries at once.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::ServiceId;
use model::interaction::Channel;
use model::service::{Service, WaitingOrder};
use serde::Serialize;
use utoipa::ToSchema;

use super::snapshot::Configuration;

/// A time that would be another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeEffect {
    /// Which time.
    pub what: Time,
    /// Name of the service, or of the team for after-call work.
    pub of: String,
    /// Which step of the requirement, from 1, where it is a step's.
    pub step: Option<usize>,
    /// Milliseconds now; `null`: without end.
    pub before_ms: Option<u64>,
    /// Milliseconds then.
    pub after_ms: Option<u64>,
    /// How many who wait now keep the time that they were queued with. The others have the new one at their next ring.
    pub kept_by: usize,
}

/// A time that people wait by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Time {
    /// How long a phone is rung.
    RingTime,
    /// The longest wait.
    LongestWait,
    /// In which time it is to be answered; under the order *deadline* this is the deadline itself.
    ServiceLevel,
    /// Until an agent who refused is asked again.
    RefusalPause,
    /// How long a step of the requirement lasts.
    Step,
    /// After-call work.
    AfterCallWork,
}

/// A kind of contact of which agents could carry fewer at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CarriedEffect {
    /// Which kind.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Agents who could carry fewer than now.
    pub fewer: usize,
    /// Those of them who could carry none any more.
    pub none: usize,
}

/// Times that would be other ones. `waiting`: how many wait for each service.
pub(super) fn times(
    now: &Configuration,
    then: &Configuration,
    waiting: &BTreeMap<ServiceId, usize>,
) -> Vec<TimeEffect> {
    let mut found = Vec::new();
    for service in then.services.values() {
        let Some(known) = now.services.get(&service.id) else { continue };
        let waiting = waiting.get(&service.id).copied().unwrap_or(0);
        let mut say = |what, step, before: Option<Duration>, after: Option<Duration>, kept_by| {
            if before != after {
                let of = service.name.clone();
                found.push(TimeEffect {
                    what,
                    of,
                    step,
                    before_ms: ms(before),
                    after_ms: ms(after),
                    kept_by,
                });
            }
        };
        let (old, new) = (&known.queue, &service.queue);
        let by_deadline = [old.order, new.order].contains(&WaitingOrder::Deadline);
        say(Time::RingTime, None, Some(old.ring_time), Some(new.ring_time), 0);
        say(Time::LongestWait, None, old.wait_time_max, new.wait_time_max, waiting);
        let kept = if by_deadline { waiting } else { 0 };
        say(Time::ServiceLevel, None, Some(old.service_level), Some(new.service_level), kept);
        say(Time::RefusalPause, None, Some(old.refusal_cooldown), Some(new.refusal_cooldown), 0);
        // A step that is new or gone has no time that changes; of the last one nobody waits for the end.
        for (n, (old, new)) in known.requirement.steps.iter().zip(&service.requirement.steps).enumerate() {
            say(Time::Step, Some(n + 1), lasts(known, n, old.lasts), lasts(service, n, new.lasts), waiting);
        }
    }
    for group in then.groups.values() {
        let Some(known) = now.groups.get(&group.id) else { continue };
        let time = |rules: &model::people::GroupRules| {
            if rules.wrap_up { rules.wrap_up_time } else { Some(Duration::ZERO) }
        };
        let (before, after) = (time(&known.rules), time(&group.rules));
        if before != after {
            let (before_ms, after_ms) = (ms(before), ms(after));
            let of = group.name.clone();
            found.push(TimeEffect {
                what: Time::AfterCallWork,
                of,
                step: None,
                before_ms,
                after_ms,
                kept_by: 0,
            });
        }
    }
    found
}

fn lasts(service: &Service, step: usize, lasts: Option<Duration>) -> Option<Duration> {
    if step + 1 == service.requirement.steps.len() { None } else { lasts }
}

fn ms(time: Option<Duration>) -> Option<u64> {
    time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Kinds of contact of which agents who are there before and after could carry fewer.
pub(super) fn carried(now: &Configuration, then: &Configuration) -> Vec<CarriedEffect> {
    let both = || then.users.values().filter_map(|user| Some((now.users.get(&user.id)?, user)));
    let both = || both().filter(|(old, new)| !old.disabled && !new.disabled);
    let effect = |channel: Channel| {
        let (mut fewer, mut none) = (0, 0);
        for (old, new) in both() {
            let (before, after) = (now.at_once(old, channel), then.at_once(new, channel));
            fewer += usize::from(after < before);
            none += usize::from(after == 0 && before > 0);
        }
        CarriedEffect { channel, fewer, none }
    };
    Channel::ALL.into_iter().map(effect).filter(|effect| effect.fewer > 0).collect()
}
