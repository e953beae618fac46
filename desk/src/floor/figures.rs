//! Figures of the queues (ROUTE-11): counted from what is journaled, carried on in the journal, shown.

use std::time::Duration;

use model::agent::AgentState;
use model::figures::{Counts, Share};
use model::id::ServiceId;
use model::journal::Event;
use model::service::{QueueRules, ShortAbandons};
use model::time::Timestamp;
use router::Figures;

use super::core::Core;
use crate::configuration::Configuration;
use crate::console::protocol::{PeriodView, QueueView};

/// What has been counted today is written down this often, when it has changed.
const CARRY_EVERY: Duration = Duration::from_secs(600);
/// And after so many entries: a start reads several times as many ([`crate::past::FOLDED_MAX`]).
const CARRY_ENTRIES: u64 = 20_000;

/// What becomes of customers, and what of it the journal has.
#[derive(Default)]
pub(crate) struct Counting {
    pub figures: Figures,
    /// When it was written down last, how much was counted then, and how many entries ago.
    carried: Timestamp,
    counted: u64,
    entries: u64,
}

impl Core {
    /// Goes on with the figures of the last run.
    pub fn go_on_with(&mut self, figures: Figures) {
        self.counting.figures = figures;
    }

    /// Counts what is being written to the journal, and gives what is to be written after it: now and then, the figures.
    pub fn count(&mut self, events: &[Event], now: Timestamp) -> Vec<Event> {
        let Self { counting, config, .. } = self;
        count(&mut counting.figures, config, events, now);
        counting.entries += events.len() as u64;
        let counted = counting.figures.counted();
        let due = now.since(counting.carried) >= CARRY_EVERY || counting.entries >= CARRY_ENTRIES;
        if !due || counted == counting.counted {
            return Vec::new();
        }
        (counting.carried, counting.counted, counting.entries) = (now, counted, 0);
        let today = self.counting.figures.today(now).into_iter();
        let carried = today.map(|(service, today)| {
            let pace = self.floor.pace(service).unwrap_or_default();
            Event::FiguresCarried { service, today, pace }
        });
        carried.collect()
    }

    /// Services that are gone are not counted any more.
    pub(super) fn forget_figures(&mut self) {
        let services = &self.config.services;
        self.counting.figures.keep(|service| services.contains_key(&service));
    }

    /// All queues.
    pub fn queue_views(&self, now: Timestamp) -> Vec<QueueView> {
        self.config.services.keys().filter_map(|service| self.queue_view(*service, now)).collect()
    }

    /// The queue of a service.
    pub fn queue_view(&self, service: ServiceId, now: Timestamp) -> Option<QueueView> {
        let seen = self.floor.queue(service)?;
        let states = self.config.eligible(service).iter().filter_map(|agent| self.floor.state(*agent));
        let (mut agents, mut ready_agents, mut busy_agents) = (0, 0, 0);
        for (state, _) in states {
            agents += u32::from(state != AgentState::LoggedOut);
            ready_agents += u32::from(state == AgentState::Ready);
            let busy = matches!(state, AgentState::Ringing | AgentState::Busy | AgentState::WrapUp);
            busy_agents += u32::from(busy);
        }
        let figures = self.counting.figures.of(service, now);
        let short = self.config.services.get(&service).map(|s| s.queue.short_abandons).unwrap_or_default();
        let expected = self.floor.expected_wait_on_arrival(service, now);
        let known = self.config.services.get(&service);
        Some(QueueView {
            open: known.is_some_and(|service| self.config.is_open(service)),
            emergency: known.is_some_and(|service| service.queue.emergency),
            service: self.config.name_service(service),
            waiting: u32::try_from(seen.waiting).unwrap_or(u32::MAX),
            callbacks: u32::try_from(self.open_callbacks(service)).unwrap_or(u32::MAX),
            longest_since: seen.oldest.map(Timestamp::millis),
            ready_agents,
            busy_agents,
            agents,
            expected_wait_s: expected.map(|wait| wait.as_secs_f64().ceil() as u64),
            half_hour: period(&figures.half_hour, short),
            today: period(&figures.today, short),
        })
    }
}

/// Counts events as they stand in the journal, by the rules of the configuration.
pub(crate) fn count<'a>(
    figures: &mut Figures,
    config: &Configuration,
    events: impl IntoIterator<Item = &'a Event>,
    at: Timestamp,
) {
    let rules = |service| -> Option<&QueueRules> { config.services.get(&service).map(|known| &known.queue) };
    for event in events {
        figures.take(event, at, rules);
    }
}

fn period(counts: &Counts, short: ShortAbandons) -> PeriodView {
    PeriodView {
        offered: counts.offered(),
        answered: counts.answered,
        abandoned: counts.abandoned,
        turned_away: counts.turned_away,
        overflowed: counts.overflowed,
        callbacks: counts.callbacks,
        called_back: counts.called_back,
        marks: counts.marks,
        mean_mark_percent: percent(counts.mean_mark()),
        service_level_percent: percent(counts.service_level(short)),
        abandoned_percent: percent(counts.abandonment(short)),
        speed_of_answer_s: counts.speed_of_answer().map(|wait| tenths(wait.as_secs_f64())),
        longest_wait_s: tenths(Duration::from_millis(counts.longest_ms).as_secs_f64()),
    }
}

fn percent(share: Share) -> Option<f64> {
    share.get().map(|share| tenths(100.0 * share))
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
