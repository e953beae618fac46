//! What becomes of the customers of each service, today and in the last half hour (ROUTE-11).
//!
//! A fold of the journal as it is written, apart from the floor: what is counted does not hang on what the floor remembers,
//! and the word of the record counts. A call is answered when both hear each other; whoever hangs up between an agent's
//! acceptance and that moment has left.
//!
//! A day is more than a start can read. So what has been counted since midnight is written down again and again
//! ([`Event::FiguresCarried`]), and a start reads from one of those on; the half hour lies within what it reads anyway.
//! A service takes the same memory however many call, and an event a constant time.

mod counted;

use std::time::Duration;

use model::figures::{Counts, Outcome};
use model::id::{InteractionId, ServiceId};
use model::interaction::Channel;
use model::journal::Event;
use model::service::{Overflow, QueueRules};
use model::time::Timestamp;

use crate::slab::{IdMap, IdSet};
use counted::Counted;

/// The figures of all services of a tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    services: IdMap<ServiceId, Counted>,
    /// Whoever waits or is not heard yet, for which service and since when. Every one of them has an end in the journal, so
    /// there are never more than the floor holds.
    waiting: IdMap<InteractionId, (ServiceId, Timestamp)>,
    /// Whoever is being called back, for which service; they were counted when they asked.
    called_back: IdMap<InteractionId, ServiceId>,
    /// Whom an agent has passed on: they were counted when the first one answered, and count no second time while they wait again.
    passed_on: IdSet<InteractionId>,
    counted: u64,
}

/// The figures of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceFigures {
    /// Since midnight UTC.
    pub today: Counts,
    /// In the minute that has begun and the 29 before it.
    pub half_hour: Counts,
}

impl Figures {
    /// Takes an event as it stands in the journal. `rules` knows the services of the configuration; others are not counted.
    pub fn take<'a>(
        &mut self,
        event: &Event,
        at: Timestamp,
        rules: impl Fn(ServiceId) -> Option<&'a QueueRules>,
    ) {
        if let Event::Queued { interaction, .. }
        | Event::Overflowed { interaction, .. }
        | Event::TurnedAway { interaction, .. } = event
            && self.passed_on.contains(interaction)
        {
            return;
        }
        match event {
            Event::Transferred { interaction, .. } => drop(self.passed_on.insert(*interaction)),
            Event::Queued { interaction, service, channel: Channel::Callback, .. } => {
                self.called_back.insert(*interaction, *service);
            }
            Event::LaidAside { interaction, .. } => drop(self.called_back.remove(interaction)),
            Event::CallbackAsked { interaction, service, .. } => {
                let (service, since) = self.waiting.remove(interaction).unwrap_or((*service, at));
                self.count(service, Outcome::AskedBack, at.since(since), at, rules);
            }
            Event::Queued { interaction, service, .. } => {
                self.waiting.insert(*interaction, (*service, at));
            }
            Event::Overflowed { interaction, from, why, .. } => {
                if let Some((service, since)) = self.waiting.remove(interaction) {
                    self.count(service, Outcome::Overflowed, at.since(since), at, rules);
                } else if !matches!(why, Overflow::Closed | Overflow::Emergency) {
                    self.count(*from, Outcome::Overflowed, Duration::ZERO, at, rules);
                }
            }
            Event::Bridged { interaction, .. } => {
                if let Some((service, since)) = self.waiting.remove(interaction) {
                    self.count(service, Outcome::Answered, at.since(since), at, rules);
                } else if let Some(service) = self.called_back.remove(interaction)
                    && rules(service).is_some()
                {
                    self.services.entry(service).or_default().reached(at);
                    self.counted += 1;
                }
            }
            Event::Ended { interaction, status, .. } => {
                self.called_back.remove(interaction);
                self.passed_on.remove(interaction);
                if let Some((service, since)) = self.waiting.remove(interaction)
                    && let Some(outcome) = Outcome::unanswered(*status)
                {
                    self.count(service, outcome, at.since(since), at, rules);
                }
            }
            Event::TurnedAway { service, why, .. } => {
                if let Some(outcome) = Outcome::unanswered(why.status()) {
                    self.count(*service, outcome, Duration::ZERO, at, rules);
                }
            }
            Event::Rated { service: Some(service), mark, .. } if rules(*service).is_some() => {
                self.services.entry(*service).or_default().rated(*mark, at);
                self.counted += 1;
            }
            Event::FiguresCarried { service, today, .. } if rules(*service).is_some() => {
                self.services.entry(*service).or_default().carry(*today, at);
            }
            _ => {}
        }
    }

    fn count<'a>(
        &mut self,
        service: ServiceId,
        outcome: Outcome,
        waited: Duration,
        at: Timestamp,
        rules: impl Fn(ServiceId) -> Option<&'a QueueRules>,
    ) {
        let Some(rules) = rules(service) else { return };
        self.services.entry(service).or_default().count(outcome, waited, rules, at);
        self.counted += 1;
    }

    /// The figures of a service; of one that nobody called they are empty.
    pub fn of(&self, service: ServiceId, now: Timestamp) -> ServiceFigures {
        self.services.get(&service).map_or_else(ServiceFigures::default, |counted| ServiceFigures {
            today: counted.today(now),
            half_hour: counted.half_hour(now),
        })
    }

    /// What has been counted today, of each service that was called; in the order of ids.
    pub fn today(&self, now: Timestamp) -> Vec<(ServiceId, Counts)> {
        let all = self.services.iter().map(|(service, counted)| (*service, counted.today(now)));
        let mut called: Vec<_> = all.filter(|(_, counts)| *counts != Counts::default()).collect();
        called.sort_unstable_by_key(|(service, _)| *service);
        called
    }

    /// How many were counted since this was made: when it stands still, there is nothing new to carry.
    pub fn counted(&self) -> u64 {
        self.counted
    }

    /// Forgets services that are not in the configuration any more.
    pub fn keep(&mut self, known: impl Fn(ServiceId) -> bool) {
        self.services.retain(|service, _| known(*service));
    }
}
