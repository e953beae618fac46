//! One media thread: waits for datagrams, lets legs handle them, sends what they make of them.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use model::time::Timestamp;
use tokio::sync::mpsc;

use super::browsers::Browsers;
use super::counters::{Counters, Shown};
use super::directory::Directory;
use super::doors::doors;
use super::fast::Fast;
use super::governor::Governor;
use super::guests::CHECKS_MAX;
use super::orders::Order;
use super::relocate::{Closing, Moving};
use super::rooms::Rooms;
use super::table::{Heard, Seat, Table};
use super::wheel::Wheel;
use crate::control::Event;
use crate::driver::{Arrival, BUFFER_LEN, Clock, Driver, Turn};
use crate::leg::{LOOKS_EVERY, Outbox};
use crate::record::Tap;

/// The tag of shared sockets.
pub(super) const SHARED: u64 = u64::MAX;
/// Legs are looked after a part of them at a time.
const SWEEP: Duration = Duration::from_millis(20);
const SWEEP_PARTS: usize = (LOOKS_EVERY.as_millis() / SWEEP.as_millis()) as usize;
/// A thread that wakes so much later than it wished was held up.
const OVERSLEPT: Duration = Duration::from_millis(1);
/// A thread without legs waits this long; an order wakes it.
const IDLE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Shard {
    pub number: usize,
    pub driver: Driver,
    pub clock: Clock,
    pub now: Timestamp,
    /// How long what is read now may have waited, in microseconds.
    pub held_us: u32,
    /// The turn before did not read all there was.
    left_over: bool,
    /// When the work of the turn before was done.
    done: Timestamp,
    period: Duration,
    pub table: Table,
    pub wheel: Wheel<Due>,
    pub rooms: Rooms,
    pub browsers: Browsers,
    pub inbox: Receiver<Order>,
    pub deferred: Vec<Order>,
    pub directory: Arc<Directory>,
    pub events: mpsc::Sender<Event>,
    pub out: Outbox,
    pub counters: Counters,
    pub shown: Arc<Shown>,
    pub closing: Vec<Closing>,
    pub moving: Vec<Moving>,
    pub stopping: bool,
    /// Turns so far.
    pub turns: u64,
    /// Checks that may be handed over before the next sweep.
    pub checks_left: usize,
    pub tap: Tap,
    /// The way to the kernel, where there is one.
    pub fast: Option<Box<Fast>>,
    due: Vec<(u64, Due)>,
    sweep_at: Timestamp,
    sweep_part: usize,
    random: u32,
    pub governor: Governor,
    /// Milliseconds that voices wait, and how many voices, in the round of sweeps that runs.
    waits: (u64, u64),
    /// Where a payload lies that cannot stay in its buffer: for a transcoder, or for a second hearer.
    pub scratch: Box<[u8; BUFFER_LEN]>,
}

/// Who is called by the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Leg(u32),
    Room(u32),
}

/// What a thread is started with.
pub(super) struct Start {
    pub number: usize,
    pub driver: Driver,
    pub clock: Clock,
    /// It wakes this often at most.
    pub period: Duration,
    pub browsers: Browsers,
    pub inbox: Receiver<Order>,
    pub directory: Arc<Directory>,
    pub events: mpsc::Sender<Event>,
    pub shown: Arc<Shown>,
    pub tap: Tap,
    pub fast: Option<Box<Fast>>,
    /// Seed for scattering reports; not zero.
    pub random: u32,
}

/// How long a datagram that is read now may have lain there: `passed` since the reading before, of which `away` went by in work
/// and rest, and `wait` at most was to be waited for datagrams, which ends with the first. Who was away longer than all that
/// was held up, and nobody knows since when.
fn held(passed: Duration, away: Duration, wait: Duration) -> Duration {
    if passed > away + wait + OVERSLEPT { passed } else { passed.min(away) }
}

impl Shard {
    pub fn new(start: Start) -> Self {
        let now = start.clock.now();
        Self {
            number: start.number,
            driver: start.driver,
            clock: start.clock,
            now,
            held_us: 0,
            left_over: false,
            done: now,
            period: start.period,
            table: Table::default(),
            wheel: Wheel::new(now),
            rooms: Rooms::default(),
            browsers: start.browsers,
            inbox: start.inbox,
            deferred: Vec::new(),
            directory: start.directory,
            events: start.events,
            out: Outbox::default(),
            counters: Counters::default(),
            shown: start.shown,
            closing: Vec::new(),
            moving: Vec::new(),
            stopping: false,
            turns: 0,
            checks_left: CHECKS_MAX,
            tap: start.tap,
            fast: start.fast,
            due: Vec::with_capacity(1_024),
            sweep_at: now,
            sweep_part: 0,
            random: start.random | 1,
            governor: Governor::new(now),
            waits: (0, 0),
            scratch: Box::new([0; BUFFER_LEN]),
        }
    }

    /// Runs until it is told to stop.
    pub fn run(&mut self) -> std::io::Result<()> {
        let mut turn = Turn::new();
        while !self.stopping {
            self.turn(&mut turn)?;
        }
        // What was said last goes out before the sockets close.
        self.driver.turn(Duration::ZERO, Duration::ZERO, &mut turn)
    }

    pub(super) fn turn(&mut self, turn: &mut Turn) -> std::io::Result<()> {
        let period = self.period * self.governor.periods();
        let rest = period.saturating_sub(self.done.since(self.now));
        let wait = self.wait();
        self.driver.turn(rest, wait, turn)?;
        let before = std::mem::replace(&mut self.now, self.clock.now());
        let held = held(self.now.since(before), self.done.since(before) + rest, wait);
        let held_us = u32::try_from(held.as_micros()).unwrap_or(u32::MAX);
        self.held_us = if self.left_over { self.held_us.saturating_add(held_us) } else { held_us };
        self.left_over = turn.is_full();
        self.turns += 1;
        let mut arrivals = turn.arrivals.drain(..);
        while let Some(arrival) = arrivals.next() {
            self.fetch_ahead(arrivals.as_slice());
            self.arrived(arrival);
        }
        drop(arrivals);
        for (tag, socket) in turn.retired.drain(..) {
            self.retired(tag, socket);
        }
        self.finish_moves();
        self.take_orders();
        self.call_due();
        self.sweep();
        if self.counters.legs != self.table.len() as u64 {
            self.show();
        }
        // Sending is most of the work, so it is done before the work is measured and the rest begins.
        self.driver.flush();
        // Twice a turn the clock is read, however many packets came.
        self.done = self.clock.now();
        let relayed = self.counters.relayed_in_place + self.counters.relayed_copies;
        self.governor.worked(self.now, self.done, relayed);
        Ok(())
    }

    /// Fetches the legs of the next arrivals from memory while the present one is handled.
    fn fetch_ahead(&self, next: &[Arrival]) {
        let seat_of =
            |arrival: &Arrival| self.table.of_tag(arrival.tag).and_then(|(index, _)| self.table.get(index));
        let hearer_of = |seat: &Seat| seat.hearers.first().and_then(|hearer| self.table.get(*hearer));
        if let Some(seat) = next.get(4).and_then(seat_of) {
            seat.fetch_speaker();
        }
        // By now its seat is here, so its hearer and its keys can be looked up without waiting; and so on.
        if let Some(seat) = next.get(2).and_then(seat_of) {
            seat.leg.fetch_receiver();
            if let Some(hearer) = hearer_of(seat) {
                hearer.fetch_hearer();
            }
        }
        if let Some(hearer) = next.first().and_then(seat_of).and_then(hearer_of) {
            hearer.leg.fetch_sender();
        }
    }

    fn wait(&self) -> Duration {
        if self.table.len() == 0 {
            return IDLE;
        }
        let next = self.wheel.next().map_or(self.sweep_at, |at| at.min(self.sweep_at));
        next.since(self.done)
    }

    fn call_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.advance(self.now, &mut due);
        for (tick, who) in due.drain(..) {
            let index = match who {
                Due::Leg(index) => index,
                Due::Room(room) => {
                    self.call_room(tick, room);
                    continue;
                }
            };
            let Some(seat) = self.table.get_mut(index).filter(|seat| seat.armed == Some(tick)) else {
                continue;
            };
            seat.armed = None;
            let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
            seat.leg.timer(self.now, &mut doors, &mut self.out);
            self.tell();
            self.arm(index);
        }
        self.due = due;
    }

    fn sweep(&mut self) {
        if self.now < self.sweep_at {
            return;
        }
        self.sweep_at = self.now + SWEEP;
        self.sweep_part = (self.sweep_part + 1) % SWEEP_PARTS;
        self.checks_left = CHECKS_MAX;
        if self.sweep_part == 0 {
            let (sum, legs) = std::mem::take(&mut self.waits);
            self.counters.playout_waits_ms = sum.checked_div(legs).unwrap_or(0);
            self.forget_ended_guests();
            self.ask_for_ways_anew();
        }
        for index in (self.sweep_part..self.table.slots()).step_by(SWEEP_PARTS) {
            // xorshift: it only has to scatter.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            self.look_after_flow(index as u32);
            self.note_playout(index as u32);
            let fed = self.table.is_fed(index as u32);
            if let Some(seat) = self.table.get_mut(index as u32) {
                let mut doors =
                    doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
                let recorded = !seat.taps.is_empty();
                seat.leg.look_after(self.random, (fed, recorded), self.now, &mut doors, &mut self.out);
            }
            self.prune_lines(index as u32);
        }
        self.offer_flows();
        self.tell();
        self.show();
    }

    /// Gathers what the jitter buffer of a leg did, and tells the leg it hears how loud that was.
    fn note_playout(&mut self, index: u32) {
        let (now, effort) = (self.now, self.governor.effort());
        let Some(seat) = self.table.get_mut(index) else { return };
        seat.leg.set_effort(effort);
        let (tones, hearers) = (seat.leg.has_no_events(), seat.hearers);
        if let Some((news, waits_ms)) = seat.leg.playout_news(now) {
            self.counters.playout_late += news.late;
            self.counters.playout_lost += news.lost;
            self.counters.playout_concealed_ms += news.concealed_ms;
            if let Some(waits_ms) = waits_ms {
                self.waits.0 += waits_ms;
                self.waits.1 += 1;
            }
        }
        let (hears, loudness) = (seat.hears, seat.leg.take_loudness());
        if tones {
            let takes_events =
                |hearer: &u32| self.table.get(*hearer).is_some_and(|seat| seat.leg.takes_events());
            let wanted = hearers.iter().any(takes_events);
            if let Some(seat) = self.table.get_mut(index) {
                seat.leg.keep_overhearing(wanted);
            }
        }
        if let (Heard::Leg(speaker), Some(loudness)) = (hears, loudness)
            && let Some(speaker) = self.table.get_mut(speaker)
        {
            speaker.leg.was_decoded(loudness);
        }
    }

    fn show(&mut self) {
        self.counters.legs = self.table.len() as u64;
        self.counters.busy_permille = self.governor.busy_permille();
        self.counters.effort = self.governor.effort() as u64;
        self.counters.driver = self.driver.counters();
        self.shown.show(&self.counters);
    }

    /// Puts the leg's next deadline on the wheel.
    pub fn arm(&mut self, index: u32) {
        let Some(seat) = self.table.get_mut(index) else { return };
        let Some(at) = seat.leg.next_deadline().filter(|at| *at != Timestamp::NEVER) else { return };
        let tick = self.wheel.tick_of(at);
        if seat.armed.is_none_or(|armed| tick < armed) {
            seat.armed = Some(tick);
            self.wheel.add(tick, Due::Leg(index));
        }
    }

    /// Comes back at once instead of waiting.
    pub fn wake_self(&self) {
        self.directory.wake(self.number);
    }

    /// Tells control what legs told.
    pub fn tell(&mut self) {
        for event in self.out.events.drain(..) {
            if let Event::Trouble { trouble, began: true, .. } = &event {
                self.counters.troubles[trouble.index()] += 1;
            }
            if self.events.try_send(event).is_err() {
                self.counters.events_lost += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_while_the_thread_waited_was_not_held() {
        let ms = Duration::from_millis;
        assert_eq!(held(ms(15), ms(1), ms(20)), ms(1), "woken by the datagram");
        assert_eq!(held(ms(1), ms(3), ms(0)), ms(1), "never longer than since the reading before");
        assert_eq!(held(ms(30), ms(1), ms(20)), ms(30), "held up in its sleep");
        assert_eq!(held(ms(9), ms(8), ms(0)), ms(8), "a long turn");
    }
}
