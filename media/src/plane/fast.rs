//! Which streams the kernel carries, and their way there and back (MEDIA-04).
//!
//! A leg's sweep, once a second, finds that its voice has been passed on plainly for a while: in the clear, as it comes, to one leg.
//! Its flow is then watched, and offered in a moment in which no packet of it is between the kernel and us; the program refuses if there
//! was one after all. Figures come back at each sweep. Whatever touches the leg pulls the flow back first: an order to it or its
//! hearer, or a packet that comes up although the flow is the program's (it has closed the flow then, and all after it comes up too).

use std::net::SocketAddr;
use std::time::Duration;

use fastpath::{Flow, Installed, Lane, Meter, Offer, Progress};
use model::id::LegId;
use model::time::Timestamp;

use super::orders::{Order, legs_of};
use super::shard::Shard;
use super::sockets::Sockets;
use super::table::Heard;
use crate::control::Command;
use crate::leg::SourceKey;
use crate::quality::{Forwarded, Handover};
use crate::rtp::{HEADER_LEN, RtpTimestamp, SeqNo, is_rtcp};

/// After this many returns in a row with hardly a packet between them a stream is not as plain as it looks.
const RETURNS_MAX: u32 = 10;
/// Hardly a packet.
const PACKETS_FEW: u64 = 50;
/// How long a stream that did not stay, or was refused, is left alone.
const REST: Duration = Duration::from_secs(60);

/// A thread's way to the kernel.
#[derive(Debug)]
pub(super) struct Fast {
    lane: Lane,
    after: Duration,
    /// Our time less the program's, in microseconds.
    bridge_us: i64,
    /// Speakers that are watched and wait to be offered.
    waiting: Vec<u32>,
}

/// What a seat knows of it.
#[derive(Debug, Default)]
pub(super) struct FastSeat {
    /// What the kernel watches or carries of the leg's voice.
    carried: Option<Box<Carried>>,
    /// Since when it has been passed on plainly.
    plain_since: Option<Timestamp>,
    /// Not to be tried before.
    rests_until: Option<Timestamp>,
}

#[derive(Debug)]
struct Carried {
    installed: Installed,
    hearer: u32,
    key: SourceKey,
    /// What is in the figures already.
    counted: Progress,
    /// The newest packet that came up, and the turn it was handled in.
    handled: Option<(u16, u64)>,
    returns: u32,
}

impl FastSeat {
    /// Whether packets of the leg must be told to [`Shard::came_up`].
    pub const fn is_watched(&self) -> bool {
        self.carried.is_some()
    }
    /// Whether the kernel forwards it, as far as is known here.
    pub fn is_carried(&self) -> bool {
        self.carried.as_ref().is_some_and(|carried| carried.installed.is_offered())
    }
}

impl Fast {
    pub fn new(lane: Lane, after: Duration, now: Timestamp) -> Self {
        let theirs = fastpath::monotonic_ns() / 1_000;
        let bridge_us = now.micros().cast_signed() - theirs.cast_signed();
        Self { lane, after, bridge_us, waiting: Vec::with_capacity(64) }
    }

    fn our_us(&self, ns: u64) -> u64 {
        ((ns / 1_000).cast_signed() + self.bridge_us).max(0).cast_unsigned()
    }
    fn their_ns(&self, us: u64) -> u64 {
        (us.cast_signed() - self.bridge_us).max(0).cast_unsigned() * 1_000
    }

    fn where_it_is(&self, from: &Handover) -> Meter {
        Meter {
            seen: from.seen,
            last_ns: self.their_ns(from.last.1),
            transit_us: from.transit_us,
            floor_us: from.floor_us,
            span_ends_ns: self.their_ns(from.span_ends_us),
            highest: from.highest,
            last_time: from.last.0,
            // Asked for only after a higher number came.
            highest_time: from.last.0,
            jitter: (from.jitter_us * 1_024.0) as u32,
        }
    }

    fn forwarded(&self, before: &Progress, now: &Progress) -> Option<Forwarded> {
        let packets = now.packets.checked_sub(before.packets).filter(|packets| *packets > 0)?;
        let micros = |jitter: f64| jitter / 1_024.0;
        let meter = &now.meter;
        Some(Forwarded {
            packets,
            octets: now.octets.saturating_sub(before.octets),
            bursts: now.bursts - before.bursts,
            late: now.late.saturating_sub(before.late),
            jitter_mean_us: micros(now.jitter_sum.saturating_sub(before.jitter_sum) as f64 / packets as f64),
            jitter_max_us: micros(f64::from(now.jitter_max)),
            now: Handover {
                seen: meter.seen,
                highest: meter.highest,
                last: (meter.last_time, self.our_us(meter.last_ns)),
                jitter_us: micros(f64::from(meter.jitter)),
                transit_us: meter.transit_us,
                floor_us: meter.floor_us,
                span_ends_us: self.our_us(meter.span_ends_ns),
            },
        })
    }
}

impl Shard {
    /// At each round of looks: next hops may have changed.
    pub(super) fn ask_for_ways_anew(&mut self) {
        if let Some(fast) = &mut self.fast {
            fast.lane.ask_anew();
        }
    }

    /// Once a second for each leg, before it reports.
    pub(super) fn look_after_flow(&mut self, index: u32) {
        let Some(mut fast) = self.fast.take() else { return };
        // A leg's own figures are of what comes in; what it sends is counted where the voice it hears comes in.
        if let Some(Heard::Leg(speaker)) = self.table.get(index).map(|seat| seat.hears) {
            self.count(&mut fast, speaker);
        }
        self.count(&mut fast, index);
        self.decide(&mut fast, index);
        self.fast = Some(fast);
    }

    /// Offers what waits to be: its newest packet was handled in an earlier turn, so it has been sent.
    pub(super) fn offer_flows(&mut self) {
        let Some(mut fast) = self.fast.take() else { return };
        let mut waiting = std::mem::take(&mut fast.waiting);
        waiting.retain(|index| !self.offer(&mut fast, *index));
        fast.waiting = waiting;
        self.fast = Some(fast);
    }

    /// A datagram of a watched leg came up to us by its RTP port.
    pub(super) fn came_up(&mut self, index: u32, from: SocketAddr, head: [u8; HEADER_LEN]) {
        let (turns, Some(mut fast)) = (self.turns, self.fast.take()) else { return };
        if let Some(mut carried) = self.table.get_mut(index).and_then(|seat| seat.fast.carried.take()) {
            // The program notes exactly these.
            if carried.installed.flow().from == from && head[0] >> 6 == 2 && !is_rtcp(&head) {
                if carried.installed.is_offered() {
                    let progress = fast.lane.withdraw(&mut carried.installed).ok();
                    let packets = progress.map_or(0, |now| now.packets - carried.counted.packets);
                    carried.returns = if packets < PACKETS_FEW { carried.returns + 1 } else { 0 };
                    if let Some(progress) = progress {
                        self.note(&fast, index, &mut carried, progress);
                    }
                    fast.waiting.push(index);
                }
                carried.handled = Some((u16::from_be_bytes([head[2], head[3]]), turns));
            }
            if let Some(seat) = self.table.get_mut(index) {
                seat.fast.carried = Some(carried);
            }
        }
        self.fast = Some(fast);
    }

    /// Before an order is carried out: what it touches comes back, what it only asks about is counted.
    pub(super) fn make_way(&mut self, order: &Order) {
        if self.fast.is_none() {
            return;
        }
        match order {
            Order::Run(Command::Stats { leg }, _) => {
                if let (Some(index), Some(mut fast)) = (self.table.find(*leg), self.fast.take()) {
                    if let Some(Heard::Leg(speaker)) = self.table.get(index).map(|seat| seat.hears) {
                        self.count(&mut fast, speaker);
                    }
                    self.count(&mut fast, index);
                    self.fast = Some(fast);
                }
            }
            Order::Run(command, _) => {
                for leg in legs_of(command) {
                    self.pull_back_all_of(leg);
                }
            }
            Order::Tap { leg, .. } => self.pull_back_all_of(*leg),
            Order::Move(leg, ..) => {
                if let Some(index) = self.table.find(*leg) {
                    for index in self.table.company(index) {
                        self.pull_back(index);
                    }
                }
            }
            Order::Stop => (0..self.table.slots() as u32).for_each(|index| self.pull_back(index)),
            // New legs, and questions that are not about packets.
            Order::Seat(..) | Order::Weigh(..) | Order::Look(..) | Order::Adopt(_) | Order::Check(_) => {}
            // Whoever is in a room is not carried.
            Order::TapRoom { .. } => {}
        }
    }

    fn pull_back_all_of(&mut self, leg: LegId) {
        let Some(index) = self.table.find(leg) else { return };
        self.pull_back(index);
        if let Some(Heard::Leg(speaker)) = self.table.get(index).map(|seat| seat.hears) {
            self.pull_back(speaker);
        }
    }

    /// The kernel carries this leg's voice no longer; all of its packets come up from here on, and its figures are complete.
    fn pull_back(&mut self, index: u32) {
        let Some(mut fast) = self.fast.take() else { return };
        self.take_back(&mut fast, index);
        self.fast = Some(fast);
    }

    fn take_back(&mut self, fast: &mut Fast, index: u32) {
        let Some(seat) = self.table.get_mut(index) else { return };
        seat.fast.plain_since = None;
        let Some(carried) = seat.fast.carried.take() else { return };
        let Carried { installed, hearer, counted, .. } = *carried;
        self.counters.fast_flows -= 1;
        fast.waiting.retain(|waiting| *waiting != index);
        if let Ok(progress) = fast.lane.remove(installed) {
            self.note_for(fast, index, hearer, &counted, &progress);
        }
    }

    /// Brings the figures of what a leg said up to date.
    fn count(&mut self, fast: &mut Fast, index: u32) {
        let Some(mut carried) = self.table.get_mut(index).and_then(|seat| seat.fast.carried.take()) else {
            return;
        };
        if let Ok(progress) = fast.lane.read(&carried.installed) {
            self.note(fast, index, &mut carried, progress);
        }
        if let Some(seat) = self.table.get_mut(index) {
            seat.fast.carried = Some(carried);
        }
    }

    fn note(&mut self, fast: &Fast, index: u32, carried: &mut Carried, progress: Progress) {
        self.note_for(fast, index, carried.hearer, &carried.counted, &progress);
        carried.counted = progress;
    }

    fn note_for(&mut self, fast: &Fast, index: u32, hearer: u32, before: &Progress, progress: &Progress) {
        let Some(forwarded) = fast.forwarded(before, progress) else { return };
        self.counters.fast_packets += forwarded.packets;
        self.counters.fast_octets += forwarded.octets;
        let time = |us| Timestamp::from_micros(us);
        if let Some(seat) = self.table.get_mut(index) {
            seat.leg.forwarded_in(&forwarded, time(forwarded.now.last.1), &mut self.out);
        }
        if let Some(seat) = self.table.get_mut(hearer) {
            let newest = (SeqNo(progress.meter.highest as u16), RtpTimestamp(progress.meter.highest_time));
            seat.leg.forwarded_out(&forwarded, newest, time(fast.our_us(progress.highest_ns)));
        }
        self.tell();
    }

    /// Whether this leg's voice is passed on plainly now: as which flow, to whom.
    fn plain(&self, index: u32) -> Option<(Flow, u32, SourceKey)> {
        let speaker = self.table.get(index).filter(|seat| !seat.moving && seat.taps.is_empty())?;
        // A room needs its voice here.
        if matches!(speaker.hears, Heard::Room { .. }) {
            return None;
        }
        let [hearer] = *speaker.hearers else { return None };
        let listener = self.table.get(hearer).filter(|seat| !seat.moving)?;
        let (Sockets::Own { lease: at, .. }, Sockets::Own { lease: out, .. }) =
            (&speaker.sockets, &listener.sockets)
        else {
            return None;
        };
        let coming = speaker.leg.plain_in(self.now)?;
        let going = listener.leg.plain_out(coming.codec, self.now)?;
        let flow = Flow {
            from: coming.from,
            at: at.bound(),
            ssrc_in: coming.ssrc,
            type_in: coming.payload_type,
            clock_hz: coming.codec.clock_hz(),
            out: out.bound(),
            to: going.to,
            ssrc_out: going.ssrc,
            type_out: going.payload_type,
        };
        Some((flow, hearer, SourceKey { speaker: speaker.serial, stream: coming.stream }))
    }

    fn decide(&mut self, fast: &mut Fast, index: u32) {
        let plain = self.plain(index);
        let now = self.now;
        let heard = plain.as_ref().and_then(|(_, hearer, _)| self.table.get(*hearer));
        let hardly_heard = heard.is_some_and(|seat| seat.leg.is_hardly_heard());
        let Some(seat) = self.table.get_mut(index) else { return };
        let rests = |seat: &mut super::table::Seat| seat.fast.rests_until = Some(now + REST);
        if let Some(carried) = &mut seat.fast.carried {
            let same = plain.is_some_and(|(flow, hearer, key)| {
                flow == *carried.installed.flow() && (hearer, key) == (carried.hearer, carried.key)
            });
            // A far end that gets nothing may be behind an interface that does not send what is redirected to it.
            let tired = carried.returns > RETURNS_MAX || hardly_heard;
            if same && !tired && fast.lane.follow(&mut carried.installed).is_ok() {
                return;
            }
            if tired {
                rests(seat);
            }
            return self.take_back(fast, index);
        }
        let Some((flow, hearer, key)) = plain.filter(|_| !hardly_heard) else {
            seat.fast.plain_since = None;
            return;
        };
        let since = *seat.fast.plain_since.get_or_insert(now);
        if now.since(since) < fast.after || seat.fast.rests_until.is_some_and(|until| now < until) {
            return;
        }
        match fast.lane.watch(flow) {
            Ok(installed) => {
                let counted = Progress::default();
                let carried = Carried { installed, hearer, key, counted, handled: None, returns: 0 };
                seat.fast.carried = Some(Box::new(carried));
                fast.waiting.push(index);
                self.counters.fast_flows += 1;
            }
            Err(why) => {
                tracing::debug!(leg = %seat.leg.id(), %why, "stays in user space");
                rests(seat);
                self.counters.fast_refused += 1;
            }
        }
    }

    /// Offers a watched flow; false when it must wait.
    fn offer(&mut self, fast: &mut Fast, index: u32) -> bool {
        let Some(mut carried) = self.table.get_mut(index).and_then(|seat| seat.fast.carried.take()) else {
            return true;
        };
        let offered = self.offer_of(fast, index, &mut carried).is_some();
        if let Some(seat) = self.table.get_mut(index) {
            seat.fast.carried = Some(carried);
        }
        offered
    }

    fn offer_of(&self, fast: &mut Fast, index: u32, carried: &mut Carried) -> Option<()> {
        let (handled, _) = carried.handled.filter(|(_, turn)| *turn < self.turns)?;
        let (seq_offset, time_offset) = self.table.get(carried.hearer)?.leg.offsets(carried.key)?;
        let resume = fast.where_it_is(&self.table.get(index)?.leg.hand_over()?);
        let offer = Offer { handled, seq_offset, time_offset, resume };
        fast.lane.offer(&mut carried.installed, &offer).ok()
    }
}
