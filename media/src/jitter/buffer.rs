//! Packets in fixed places, and what to do next.

use super::delay::Delay;
use super::outcome::{Counts, Pace, Placed, Taken};
use super::slots::{Slot, Slots};
use super::{Config, Kind, Meta};
use crate::quality::{Sequence, Verdict};

/// Puts packets into their order and their time. Allocates in [`Buffer::new`] only.
#[derive(Clone, Debug)]
pub struct Buffer {
    clock_hz: i64,
    delay_max_us: i64,
    in_phase: bool,
    slots: Slots,
    delay: Delay,
    sequence: Sequence,
    ssrc: Option<u32>,
    /// Of the highest packet: number and timestamp as they came, and extended.
    highest: Highest,
    /// The first number not yet played.
    next_seq: u64,
    phase: Phase,
    /// Duration of the last audio packet played.
    frame_ticks: u32,
    counts: Counts,
    /// Frames since the pace was changed.
    since_change: u32,
    /// Packets of the present hole that came late.
    late_ahead: u64,
    /// What comes next is not joined to what came before.
    rejoin: bool,
}

#[derive(Clone, Copy, Debug)]
struct Highest {
    seq: u16,
    seq_long: u64,
    timestamp: u32,
    time: i64,
    at_us: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is being said. `begun`: whether anything was before.
    Quiet { begun: bool },
    /// The tick `next` is to be played.
    Playing { next: i64, hole_ticks: u32, starved: bool },
}

impl Buffer {
    /// An empty buffer.
    pub fn new(config: Config) -> Self {
        let config = config.bounded();
        Self {
            clock_hz: i64::from(config.clock_hz),
            delay_max_us: i64::from(config.delay_ms_max) * 1_000,
            in_phase: config.in_phase,
            slots: Slots::new(config.packets_max, config.payload_max),
            delay: Delay::new(config.delay_ms_min, config.delay_ms_start, config.delay_ms_max),
            sequence: Sequence::default(),
            ssrc: None,
            highest: Highest { seq: 0, seq_long: FIRST_SEQ, timestamp: 0, time: 0, at_us: 0 },
            next_seq: FIRST_SEQ,
            phase: Phase::Quiet { begun: false },
            frame_ticks: config.clock_hz / 50,
            counts: Counts::default(),
            since_change: 0,
            late_ahead: 0,
            rejoin: false,
        }
    }

    /// A packet came. `ticks`: the duration of its audio, 0 for what is none. `at_us`: a clock that never runs back.
    pub fn put(&mut self, meta: Meta, ticks: u32, payload: &[u8], at_us: u64) -> Placed {
        self.counts.received += 1;
        let rejoins = std::mem::take(&mut self.rejoin);
        let another = self.ssrc.replace(meta.ssrc).is_some_and(|old| old != meta.ssrc || rejoins);
        if another {
            self.sequence.restart();
        }
        let first = self.counts.received == 1;
        let verdict = self.sequence.note(meta.seq);
        let fresh = first || another || verdict == Verdict::Restarted;
        match verdict {
            Verdict::Duplicate => {
                self.counts.duplicates += 1;
                return Placed::Duplicate;
            }
            Verdict::Stray => {
                self.counts.refused += 1;
                return Placed::Refused;
            }
            Verdict::InOrder | Verdict::Gap(_) | Verdict::Restarted | Verdict::Late => {}
        }
        let at_us = at_us.min(i64::MAX as u64) as i64;
        let (seq, time) = if fresh { self.begin(&meta, at_us) } else { self.extend(&meta, verdict, at_us) };
        if meta.kind != Kind::Event {
            // Events carry the time of their beginning, again and again: no measure of lateness.
            let said_us = self.micros(time);
            let came_us = self.delay.likely_us(at_us - i64::from(meta.held_us), at_us, said_us);
            match verdict {
                Verdict::Late => self.delay.note_overtaken(came_us, said_us),
                _ => self.delay.note(came_us, said_us),
            }
        }
        if self.is_late(seq, time) {
            self.counts.late += 1;
            if seq < self.next_seq {
                // Its place in the row had been counted.
                self.counts.lost = self.counts.lost.saturating_sub(1);
            } else {
                self.late_ahead += 1;
            }
            return Placed::Late;
        }
        if seq < self.next_seq {
            // Only before anything was played: the very first packet had overtaken this one.
            self.next_seq = seq;
        }
        if seq >= self.next_seq + self.slots.room() {
            self.overflow(seq + 1 - self.slots.room());
        }
        let slot = Slot { fresh, ..Slot::new(seq, time, ticks, meta.kind) };
        if !self.slots.put(slot, payload) {
            self.counts.refused += 1;
            return Placed::Refused;
        }
        Placed::Kept
    }

    /// What to play at `now_us`. `ahead_us`: what was taken before and has not been played yet.
    ///
    /// Each answer but `Quiet` and `Noise` moves on by a frame; those mean silence for as long as the caller plays at a time.
    pub fn take(&mut self, now_us: u64, ahead_us: u64) -> Taken<'_> {
        let now_us = now_us.min(i64::MAX as u64) as i64 + ahead_us.min(1_000_000) as i64;
        // Each turn frees a packet or returns, or changes from playing to quiet once.
        for _ in 0..=self.slots.room() + 1 {
            let head = self.slots.first(self.next_seq, self.highest.seq_long);
            // After a long gap the next packet will tell whether this one was held up or the talker had paused.
            let head = head.filter(|head| !(self.delay.in_doubt() && self.too_old(head.time, now_us)));
            match (self.phase, head) {
                (Phase::Quiet { .. }, None) => return Taken::Quiet,
                (Phase::Quiet { .. }, Some(head)) if head.kind == Kind::Event => self.pass(head),
                (Phase::Quiet { .. }, Some(head)) => {
                    if self.delay.waited_us(self.micros(head.time), now_us) < self.delay.target_us() {
                        return Taken::Quiet;
                    }
                    if self.too_old(head.time, now_us) {
                        self.counts.late += 1;
                        self.pass(head);
                        continue;
                    }
                    if head.kind == Kind::Noise {
                        self.pass(head);
                        return Taken::Noise(self.slots.payload(&head));
                    }
                    self.phase = Phase::Playing { next: head.time, hole_ticks: 0, starved: false };
                }
                (Phase::Playing { next, hole_ticks, .. }, None) => {
                    if i64::from(hole_ticks) >= self.clock_hz * STARVED_MS / 1_000 {
                        self.phase = Phase::Quiet { begun: true };
                        return Taken::Quiet;
                    }
                    return self.conceal(next, hole_ticks, self.frame_ticks, true, None);
                }
                (Phase::Playing { .. }, Some(head)) if head.kind != Kind::Audio => {
                    self.pass(head);
                    self.phase = Phase::Quiet { begun: true };
                    match head.kind {
                        Kind::Noise => return Taken::Noise(self.slots.payload(&head)),
                        _ => continue,
                    }
                }
                (Phase::Playing { next, hole_ticks, starved }, Some(head)) => {
                    let missing = head.seq - self.next_seq;
                    let gap = head.time - next;
                    let filled = i64::from(hole_ticks) >= missing as i64 * i64::from(self.frame_ticks);
                    if gap > 0 && missing > 0 && !filled {
                        let ticks = gap.min(i64::from(self.frame_ticks)) as u32;
                        let follows = gap <= i64::from(self.frame_ticks);
                        return self.conceal(next, hole_ticks, ticks, false, follows.then_some(head));
                    }
                    if gap > 0 {
                        if missing == 0 {
                            // It is the talker who paused: what was concealed was no loss.
                            self.counts.concealed_ticks -=
                                u64::from(hole_ticks).min(self.counts.concealed_ticks);
                        }
                        self.phase = Phase::Quiet { begun: true };
                        continue;
                    }
                    if gap < 0 && (!starved || self.too_old(head.time, now_us)) {
                        // Overlaps with what was played, or older than anybody wants to hear.
                        self.counts.late += 1;
                        self.pass(head);
                        continue;
                    }
                    return self.play(head, now_us);
                }
            }
        }
        Taken::Quiet
    }

    /// Whoever plays was held up: what has waited beyond the delay is dropped. To work it off would cost most where there is
    /// least time.
    pub fn shed(&mut self, now_us: u64) {
        let now_us = now_us.min(i64::MAX as u64) as i64;
        let enough_us = self.delay.target_us() + HASTE_US;
        while let Some(head) = self.slots.first(self.next_seq, self.highest.seq_long)
            && self.delay.waited_us(self.micros(head.time), now_us) > enough_us
        {
            self.counts.late += 1;
            self.pass(head);
            self.phase = Phase::Quiet { begun: true };
        }
    }

    /// What waits is not wanted any more: another talker comes.
    pub fn clear(&mut self) {
        while let Some(head) = self.slots.first(self.next_seq, self.highest.seq_long) {
            self.pass(head);
        }
        if self.phase != (Phase::Quiet { begun: false }) {
            self.phase = Phase::Quiet { begun: true };
        }
        self.rejoin = true;
    }

    /// The player took out (negative) or put in ticks.
    pub fn stretched(&mut self, ticks: i32) {
        let size = u64::from(ticks.unsigned_abs());
        if ticks < 0 {
            self.counts.accelerated += 1;
            self.counts.accelerated_ticks += size;
        } else if ticks > 0 {
            self.counts.expanded += 1;
            self.counts.expanded_ticks += size;
        }
        if ticks != 0 {
            self.since_change = 0;
        }
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Packets that wait now.
    pub fn buffered(&self) -> usize {
        self.slots.held()
    }

    /// The delay, as it is chosen.
    pub fn delay(&self) -> &Delay {
        &self.delay
    }

    /// How long what is played now has waited, against the fastest possible arrival; `None` in a pause.
    pub fn waited_us(&self, now_us: u64, ahead_us: u64) -> Option<i64> {
        let Phase::Playing { next, .. } = self.phase else { return None };
        let now_us = now_us.min(i64::MAX as u64) as i64 + ahead_us.min(1_000_000) as i64;
        Some(self.delay.waited_us(self.micros(next), now_us))
    }

    fn play(&mut self, head: Slot, now_us: i64) -> Taken<'_> {
        let pace = self.pace(&head, now_us);
        self.since_change = self.since_change.saturating_add(1);
        self.frame_ticks = if head.ticks > 0 { head.ticks } else { self.frame_ticks };
        self.phase =
            Phase::Playing { next: head.time + i64::from(self.frame_ticks), hole_ticks: 0, starved: false };
        self.pass(head);
        Taken::Frame { payload: self.slots.payload(&head), fresh: head.fresh, pace }
    }

    fn pace(&self, head: &Slot, now_us: i64) -> Pace {
        let waited = self.delay.waited_us(self.micros(head.time), now_us);
        let target = self.delay.target_us();
        let (out_of_phase, slack) = match self.in_phase {
            true => (0, SLACK_IN_PHASE_US),
            false => (self.micros(i64::from(self.frame_ticks)), SLACK_US),
        };
        let excess = waited - target - out_of_phase;
        let follows = self.slots.get(head.seq + 1).is_some_and(|next| next.kind == Kind::Audio);
        if excess > slack && follows && (self.since_change >= REST || excess > HASTE_US) {
            Pace::Faster
        } else if waited < target - MARGIN_US && self.since_change >= REST {
            Pace::Slower
        } else {
            Pace::Even
        }
    }

    fn conceal(
        &mut self,
        next: i64,
        hole_ticks: u32,
        ticks: u32,
        starved: bool,
        head: Option<Slot>,
    ) -> Taken<'_> {
        self.counts.concealed_ticks += u64::from(ticks);
        let starved = starved || matches!(self.phase, Phase::Playing { starved: true, .. });
        self.phase = Phase::Playing {
            next: next + i64::from(ticks),
            hole_ticks: hole_ticks.saturating_add(ticks),
            starved,
        };
        Taken::Lost { ticks, next: head.map(|head| self.slots.payload(&head)) }
    }

    /// Everything up to this packet is over.
    fn pass(&mut self, head: Slot) {
        self.counts.lost += (head.seq - self.next_seq).saturating_sub(self.late_ahead);
        self.late_ahead = 0;
        self.next_seq = head.seq + 1;
        self.slots.free(head.seq);
    }

    /// Drops all packets before this number.
    fn overflow(&mut self, before: u64) {
        while let Some(head) = self.slots.first(self.next_seq, self.highest.seq_long.min(before - 1)) {
            self.counts.overflowed += 1;
            self.pass(head);
        }
        self.counts.lost += before.saturating_sub(self.next_seq);
        self.next_seq = self.next_seq.max(before);
        // What comes next begins at its own time.
        self.phase = Phase::Quiet { begun: true };
    }

    fn is_late(&self, seq: u64, time: i64) -> bool {
        match self.phase {
            Phase::Quiet { begun: false } => false,
            _ if seq < self.next_seq => true,
            // While nothing else is there, better late than never.
            Phase::Playing { next, starved, .. } => time < next && !starved,
            Phase::Quiet { .. } => false,
        }
    }

    fn too_old(&self, time: i64, now_us: i64) -> bool {
        self.delay.waited_us(self.micros(time), now_us) > self.delay_max_us
    }

    /// Another source or another row of numbers: it goes on where the old one ends, so that what waits is still played.
    fn begin(&mut self, meta: &Meta, at_us: i64) -> (u64, i64) {
        let first = self.counts.received == 1;
        let seq_long = if first { FIRST_SEQ } else { self.highest.seq_long + 1 };
        let time = if first { 0 } else { self.highest.time + i64::from(self.frame_ticks) };
        self.counts.restarts += u64::from(!first);
        self.delay.begin_anew();
        self.highest = Highest { seq: meta.seq, seq_long, timestamp: meta.timestamp, time, at_us };
        (seq_long, time)
    }

    /// Number and timestamp without wrap-around, and without jumps of the sender's clock.
    fn extend(&mut self, meta: &Meta, verdict: Verdict, at_us: i64) -> (u64, i64) {
        let highest = self.highest;
        let step = i64::from(meta.seq.wrapping_sub(highest.seq).cast_signed());
        let seq = highest.seq_long.saturating_add_signed(step);
        let said = i64::from(meta.timestamp.wrapping_sub(highest.timestamp).cast_signed());
        let mut time = highest.time + said;
        if verdict == Verdict::Late {
            return (seq, time);
        }
        if meta.kind == Kind::Event {
            // Its time is its beginning; only its place in the row of numbers matters. The timestamps of audio go on.
            self.highest = Highest { seq: meta.seq, seq_long: seq, ..highest };
            return (seq, time.max(highest.time));
        }
        let ahead_us = self.micros(said) - at_us.saturating_sub(highest.at_us);
        let jumped = said < 0 || ahead_us > JUMP_US;
        if jumped {
            // Numbers go on but time does not: the sender's clock was set. The audio goes on, so its time does too.
            time = highest.time + step * i64::from(self.frame_ticks);
            self.counts.restarts += 1;
        }
        self.highest = Highest { seq: meta.seq, seq_long: seq, timestamp: meta.timestamp, time, at_us };
        (seq, time)
    }

    fn micros(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / self.clock_hz
    }
}

/// Extended numbers begin here, so that a packet overtaken by the first one has a number too.
const FIRST_SEQ: u64 = 1 << 16;
/// A hole this long with nothing behind it is a pause.
const STARVED_MS: i64 = 1_000;
/// A timestamp this far ahead of the time that passed is a jump: no burst brings that much.
const JUMP_US: i64 = 1_000_000;
/// Delay above the target, and the frame that packets and takes may be out of phase by, that is not worth a change.
const SLACK_US: i64 = 20_000;
/// The same where they are in phase: a long pitch period, so that taking one out does not make delay too short.
const SLACK_IN_PHASE_US: i64 = 12_000;
/// Delay missing to the target that is worth a change: a bin of the histogram. Late packets cost more than delay.
const MARGIN_US: i64 = 5_000;
/// Delay above the target that is worked off without a rest.
const HASTE_US: i64 = 100_000;
/// Frames of rest between changes, so that no voice sounds hurried.
const REST: u32 = 5;
