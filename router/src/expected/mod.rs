//! How long whoever waits, or comes now, has to wait (ROUTE-11).
//!
//! All of it follows from the journal's events and their times, so a floor that is replayed says the same.
//! A service takes the same memory whatever comes, and an event a constant time.

mod pace;

use std::time::Duration;

use model::id::{InteractionId, ServiceId};
use model::time::Timestamp;

use crate::floor::Floor;
use crate::item::{Item, Phase, Queue};
use crate::slab::Key;
use crate::steps;
pub(crate) use pace::{Leaving, Pace};

/// How old a look at the agents of a service may be, for counting who is due. Whoever asks for a wait is told by the agents of
/// the moment.
const LOOK_US: u64 = 5_000_000;
/// The agents of all services together are looked at this often, at most: a look goes through all who fit.
const LOOKS_US: u64 = 100_000;

impl Floor {
    /// How many unanswered interactions of the same service come before this one; `None` when it does not wait.
    pub fn ahead(&self, interaction: InteractionId) -> Option<usize> {
        let (item, queue) = self.waits(interaction)?;
        Some(queue.order.before(item.place))
    }

    /// The place in the line of its service, counted from 1; `None` when it does not wait. Whoever is rung for counts.
    ///
    /// Costs as little for the last of fifty thousand as for the first. After a change of a service's slope, who waited
    /// before it and who came after it may be counted in another order than they are served.
    pub fn position(&self, interaction: InteractionId) -> Option<usize> {
        self.ahead(interaction).map(|ahead| ahead + 1)
    }

    /// How long it will still take until an agent answers, at least a second; `None` when it does not wait, when no agent
    /// who may serve it works at the moment, or when nothing is known yet of how long handling takes.
    pub fn expected_wait(&self, interaction: InteractionId, now: Timestamp) -> Option<Duration> {
        let (item, queue) = self.waits(interaction)?;
        if let Phase::Offered(ring) = &item.phase {
            return Some(queue.pace.wait_rung(ring.since, ring.deadline, now));
        }
        // Those who are rung for are in the line of the unanswered, but not ahead any more.
        let rung = queue.waiting.saturating_sub(queue.pace.backlog() as usize);
        let place = (queue.order.before(item.place) + 1).saturating_sub(rung).max(1);
        queue.pace.wait_at(place, self.full_rate(queue), now)
    }

    /// How long somebody would wait who came now and is nobody special; zero when an agent is free and answers at once.
    /// `None` for an unknown service, and as for [`Floor::expected_wait`].
    pub fn expected_wait_on_arrival(&self, service: ServiceId, now: Timestamp) -> Option<Duration> {
        let queue = self.queues.get(*self.queue_numbers.get(&service)?)?;
        let class = self.board.classes.get(queue.plan.steps.first()?.class);
        if class.profiles.meets(&self.board.profiles.open[crate::lanes::lane(class.sort.channel)]) {
            return Some(Duration::from_secs_f64(queue.pace.known.answer_s.value.max(0.0)));
        }
        queue.pace.wait_at(queue.pace.backlog() as usize + 1, self.full_rate(queue), now)
    }

    /// What is known of how fast the customers of a service are served; what a start goes on from
    /// ([`model::journal::Event::FiguresCarried`]).
    pub fn pace(&self, service: ServiceId) -> Option<model::figures::Pace> {
        self.queues.get(*self.queue_numbers.get(&service)?).map(|queue| queue.pace.known)
    }

    /// An interaction that is not answered yet, and its queue.
    fn waits(&self, interaction: InteractionId) -> Option<(&Item, &Queue)> {
        let item = self.items.get(self.item_key(interaction).ok()?).filter(|item| item.is_unanswered())?;
        Some((item, self.queues.get(item.service?)?))
    }

    /// Customers a second who would be drawn from the line, had its agents nobody else. 0: nobody works, or nothing is known.
    fn full_rate(&self, queue: &Queue) -> f64 {
        let handling = queue.pace.known.handling_s.get().or(self.handling_s.get());
        handling.map_or(0.0, |handling| f64::from(self.working_for(queue)) / handling.max(1.0))
    }

    /// Agents who work and fit some step of the service.
    fn working_for(&self, queue: &Queue) -> u32 {
        let profiles = &self.board.profiles;
        let row =
            |step: usize| queue.plan.steps.get(step).map(|step| &self.board.classes.get(step.class).profiles);
        let seen_before =
            |step: usize, profile| (0..step).any(|n| row(n).is_some_and(|row| row.has(profile)));
        (0..queue.plan.steps.len())
            .filter_map(|step| Some((step, row(step)?)))
            .flat_map(|(step, row)| row.iter().filter(move |&profile| !seen_before(step, profile)))
            .map(|profile| {
                steps::count(1);
                profiles.working(profile)
            })
            .sum()
    }

    /// Looks at the agents of a service when the last look is old.
    fn keep_looking(&mut self, number: usize, at: Timestamp) {
        let younger = |looked: Timestamp, than: u64| at.micros().saturating_sub(looked.micros()) < than;
        if younger(self.looked, LOOKS_US) {
            return;
        }
        let Some(queue) = self.queues.get(number).filter(|queue| !younger(queue.pace.looked(), LOOK_US))
        else {
            return;
        };
        let full = self.full_rate(queue);
        self.looked = at;
        self.queues[number].pace.look(full, at);
    }

    // What the fold tells.

    pub(crate) fn pace_enters(&mut self, service: Option<usize>, at: Timestamp) {
        let Some(number) = service else { return };
        if let Some(queue) = self.queues.get_mut(number) {
            queue.pace.enters(at);
        }
        self.keep_looking(number, at);
    }

    pub(crate) fn pace_leaves(&mut self, service: Option<usize>, why: Leaving, at: Timestamp) {
        let Some(number) = service else { return };
        if let Some(queue) = self.queues.get_mut(number) {
            queue.pace.leaves(why, at);
        }
        // Afterwards: what was drawn is held against what was due until now.
        self.keep_looking(number, at);
    }

    /// All work on an answered interaction is done.
    pub(crate) fn pace_completed(&mut self, key: Key, at: Timestamp) {
        let Some(item) = self.items.get(key) else { return };
        let (Some(answered), Some(number)) = (item.answered_at, item.service) else { return };
        let took = at.since(answered);
        self.handling_s.add(took.as_secs_f64(), ALL_HANDLED);
        if let Some(queue) = self.queues.get_mut(number) {
            queue.pace.handled_in(took);
        }
    }
}

/// Handling times of all services together that are remembered: what a new service begins with.
const ALL_HANDLED: u32 = 1_000;
