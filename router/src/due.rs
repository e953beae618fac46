//! What time alone brings about.

use model::id::AgentId;
use model::interaction::{Channel, EndedBy};
use model::journal::{Event, OfferEnd};
use model::service::{Overflow, Treatment};
use model::time::Timestamp;

use crate::floor::Floor;
use crate::io::Output;
use crate::item::{Item, Phase, Queue};
use crate::lanes::lane;
use crate::order;
use crate::slab::Key;
use crate::steps;
use crate::timers::Timer;

impl Floor {
    pub(crate) fn arm(&mut self, due: Timestamp, timer: Timer) {
        self.timers.arm(self.now, due, timer);
        if self.timers.wants_sweep() {
            let mut timers = std::mem::take(&mut self.timers);
            timers.sweep(|due, timer| self.applies(due, timer));
            self.timers = timers;
        }
    }

    /// Whether a timer still means what it meant when it was armed.
    fn applies(&self, due: Timestamp, timer: Timer) -> bool {
        let item = |key: Key| self.items.get(key);
        match timer {
            Timer::Offer { item: key } => item(key)
                .is_some_and(|item| matches!(&item.phase, Phase::Offered(ring) if ring.deadline == due)),
            Timer::Step { item: key, step } => {
                item(key).is_some_and(|item| item.is_unanswered() && item.step == step)
            }
            Timer::Late { item: key } => {
                item(key).is_some_and(|item| item.is_unanswered() && item.falls_at == Some(due))
            }
            Timer::CoolDown { item: key } => {
                item(key).is_some_and(|item| item.refusals.iter().any(|&(_, until)| until == due))
            }
            Timer::Wait { item: key } => item(key).is_some_and(Item::is_unanswered),
            Timer::WrapUp { agent } => {
                self.agents.get(agent).is_some_and(|agent| agent.wrap_until == Some(due))
            }
            Timer::Stay { agent } => {
                self.agents.get(agent).is_some_and(|agent| agent.stay_until == Some(due))
            }
        }
    }

    /// Drops dead entries at the front, so that the next deadline is a real one.
    pub(crate) fn trim_timers(&mut self) {
        while let Some((due, timer)) = self.timers.first()
            && !self.applies(due, timer)
        {
            self.timers.pop();
        }
    }

    /// Fires everything due by now; true when something was.
    pub(crate) fn fire_due(&mut self) -> bool {
        let mut fired = false;
        while let Some((due, timer)) = self.timers.first()
            && due <= self.now
        {
            self.timers.pop();
            fired |= self.fire_if_applies(due, timer);
        }
        fired
    }

    pub(crate) fn fire_if_applies(&mut self, due: Timestamp, timer: Timer) -> bool {
        let applies = self.applies(due, timer);
        if applies {
            self.fire(timer);
        }
        applies
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Offer { item } => {
                let Some(Item { phase: Phase::Offered(ring), .. }) = self.items.get(item) else { return };
                for agent in ring.members.clone() {
                    self.offer_refused(item, agent, OfferEnd::NoAnswer);
                }
            }
            Timer::Step { item, .. } => self.next_step(item),
            Timer::Late { item } => self.fall_back(item),
            Timer::CoolDown { item } => self.forgive(item),
            Timer::Wait { item } => {
                if self.items.get(item).is_some_and(|item| matches!(item.phase, Phase::Waiting)) {
                    self.overflow(item, Overflow::WaitedLong);
                }
            }
            Timer::WrapUp { agent } => self.complete_all(agent),
            Timer::Stay { agent } => {
                let agent = self.agents[agent].id;
                self.record(Event::AgentReady { agent, by_hand: false });
            }
        }
    }

    /// The next step of the requirement begins. An interaction that rings goes on ringing.
    fn next_step(&mut self, key: Key) {
        self.leave_class(key);
        let Some(item) = self.items.get_mut(key) else { return };
        item.step += 1;
        let (step, due, waits) = (item.step, item.step_due(), matches!(item.phase, Phase::Waiting));
        // Held no longer: it stands among the others as it came.
        let ahead = std::mem::take(&mut item.ahead);
        if ahead != 0 {
            self.move_back(key, ahead);
        }
        if let Some(due) = due {
            self.arm(due, Timer::Step { item: key, step });
        }
        if waits {
            self.enter_class(key);
            self.report_if_hopeless(key);
        }
    }

    /// The interaction is late, and its service serves those last.
    fn fall_back(&mut self, key: Key) {
        self.leave_class(key);
        let Some(item) = self.items.get_mut(key) else { return };
        item.falls_at = None;
        let waits = matches!(item.phase, Phase::Waiting);
        self.move_back(key, order::LATE_FALL_MICROS);
        if waits {
            self.stand(key);
        }
    }

    /// An unanswered interaction that is in no class now gets a place further back.
    fn move_back(&mut self, key: Key, by: i64) {
        let Some(item) = self.items.get_mut(key) else { return };
        let before = item.place;
        item.place = before.moved_back(by);
        if let Some(queue) = item.service.and_then(|number| self.queues.get_mut(number)) {
            queue.order.remove(before);
            queue.order.insert(item.place);
        }
    }

    /// What began by now although no timer said so: the fold of a journal has no timers, and a step may last no time at
    /// all.
    pub(crate) fn catch_up(&mut self, key: Key, now: Timestamp) {
        if self.items.get(key).and_then(|item| item.falls_at).is_some_and(|due| due <= now) {
            self.fall_back(key);
        }
        while self.items.get(key).and_then(Item::step_due).is_some_and(|due| due <= now) {
            self.next_step(key);
        }
    }

    /// Refusals that are old enough are forgotten.
    fn forgive(&mut self, key: Key) {
        let now = self.now;
        let Some(item) = self.items.get_mut(key) else { return };
        item.refusals.retain(|&(_, until)| now < until);
        self.loose.push(key);
    }

    /// Somebody who waits is to wait no longer, if the service says so: led on, or given up.
    fn overflow(&mut self, key: Key, why: Overflow) {
        // Nobody is on the line to be led on or told: a callback waits, and so does an email.
        let on_the_line = self.items.get(key).filter(|item| !item.is_patient());
        let Some((interaction, service)) = on_the_line.map(|item| (item.id, item.service)) else { return };
        let from = service.and_then(|number| self.queues.get(number)).map(|queue| queue.service.id);
        match (self.queue_rules(service).treatment(why), from) {
            (Treatment::Queue, _) => {}
            (to @ (Treatment::Service(_) | Treatment::Flow(_) | Treatment::Voicemail), Some(from)) => {
                self.overflowed_to(interaction, from, why, to);
            }
            _ => {
                self.record(Event::Ended { interaction, status: why.status(), by: EndedBy::System });
                self.out.push(Output::TurnedAway { interaction, why });
            }
        }
    }

    /// Whether the longest wait of an interaction has an end to it.
    pub(crate) fn ends_wait(&self, key: Key) -> bool {
        self.items.get(key).is_some_and(|item| {
            !item.is_patient()
                && self.queue_rules(item.service).treatment(Overflow::WaitedLong) != Treatment::Queue
        })
    }

    /// An interaction waits again after an offer: is there still anything to wait for?
    pub(crate) fn recheck_waiting(&mut self, key: Key) {
        let Some(item) = self.items.get(key).filter(|item| matches!(item.phase, Phase::Waiting)) else {
            return;
        };
        let rules = self.queue_rules(item.service);
        let over = rules.wait_time_max.is_some_and(|longest| self.now.since(item.queued_at) >= longest);
        if over && rules.treatment(Overflow::WaitedLong) != Treatment::Queue {
            self.overflow(key, Overflow::WaitedLong);
        } else if item.service.is_some_and(|service| self.ends_unstaffed(service, item.channel)) {
            self.overflow(key, Overflow::AgentsLeft);
        } else {
            self.report_if_hopeless(key);
        }
    }

    /// Whether those who wait for a service are not to wait on, as nobody is there.
    fn ends_unstaffed(&self, service: usize, channel: Channel) -> bool {
        self.queue_rules(Some(service)).treatment(Overflow::AgentsLeft) != Treatment::Queue
            && !self.is_staffed(service, channel)
    }

    /// The last agent of a service left: those who wait for it hear so (VOICE-15).
    pub(crate) fn end_unstaffed(&mut self) {
        if !std::mem::take(&mut self.staff_left) {
            return;
        }
        steps::count(self.queues.len());
        for service in 0..self.queues.len() {
            if self.queues[service].waiting == 0 {
                continue;
            }
            let unstaffed = Channel::ALL.map(|channel| self.ends_unstaffed(service, channel));
            if unstaffed.contains(&true) {
                for key in self.queues[service].line.iter().copied().collect::<Vec<_>>() {
                    let ends =
                        |item: &Item| matches!(item.phase, Phase::Waiting) && unstaffed[lane(item.channel)];
                    if self.items.get(key).is_some_and(ends) {
                        self.overflow(key, Overflow::AgentsLeft);
                    }
                }
            }
        }
    }

    pub(crate) fn is_staffed(&self, service: usize, channel: Channel) -> bool {
        let staffed =
            |queue: &Queue| queue.plan.steps.iter().any(|step| self.board.is_staffed(step.class, channel));
        self.queues.get(service).is_some_and(staffed)
    }

    pub(crate) fn agent_id(&self, agent: usize) -> AgentId {
        self.agents[agent].id
    }
}
