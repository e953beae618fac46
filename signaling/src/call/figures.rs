//! What the media plane measures while two talk: live figures, silence, poor quality.

use std::time::Duration;

use media::control::LegStats;
use model::call::CallFact;
use model::id::LegId;
use model::journal::Party;
use model::media::StreamStats;
use model::time::Timestamp;

use super::agent::Agent;
use super::customer::Customer;
use super::link::{End, Faults, Link};
use super::words::{MediaOrder, Output};
use super::{Call, QUALITY_EVERY, SILENCE_GRACE};

/// What came in over a softphone that belongs to one call.
///
/// The softphone outlives calls, and each call that gets it has the media plane count anew. When another call did so while
/// this one was held, the counters are lower than they were: what was counted before is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    earlier: Option<StreamStats>,
    last: Option<StreamStats>,
    /// The next figures are the last of a stretch: this end holds now, and may be in another call.
    closing: bool,
}

impl Tally {
    /// Takes the figures of the moment; gives those of the whole call.
    pub(super) fn take(&mut self, now: StreamStats) -> StreamStats {
        if self.last.is_some_and(|last| last.packets > now.packets) {
            self.earlier = self.so_far();
        }
        self.last = Some(now);
        self.so_far().unwrap_or_default()
    }

    /// This end begins to hold: the figures that are asked for now still count, later ones do not.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Takes the figures of the moment from an end that perhaps holds.
    pub(super) fn take_from(&mut self, now: StreamStats, holds: bool) -> StreamStats {
        if holds && !std::mem::take(&mut self.closing) {
            return self.so_far().unwrap_or_default();
        }
        self.take(now)
    }

    /// The figures of the whole call as they were last.
    pub(super) fn so_far(&self) -> Option<StreamStats> {
        match (self.earlier, self.last) {
            (Some(earlier), Some(last)) => Some(joined(earlier, last)),
            (earlier, last) => last.or(earlier),
        }
    }
}

/// Two stretches of a stream as one. MOS is weighed by packets; what is of the moment is the later's.
fn joined(a: StreamStats, b: StreamStats) -> StreamStats {
    let weighed = |x: f32, y: f32| {
        let (p, q) = (a.packets as f32, b.packets as f32);
        if p + q > 0.0 { (x * p + y * q) / (p + q) } else { y }
    };
    StreamStats {
        packets: a.packets + b.packets,
        octets: a.octets + b.octets,
        lost: a.lost + b.lost,
        duplicates: a.duplicates + b.duplicates,
        rejected: a.rejected + b.rejected,
        jitter_ms: b.jitter_ms,
        jitter_max_ms: a.jitter_max_ms.max(b.jitter_max_ms),
        rtt_ms: b.rtt_ms.or(a.rtt_ms),
        mos: a.mos.zip(b.mos).map(|(x, y)| weighed(x, y)).or(a.mos).or(b.mos),
        mos_min: a.mos_min.zip(b.mos_min).map(|(x, y)| x.min(y)).or(a.mos_min).or(b.mos_min),
    }
}

/// How the last figures of a leg become those of the call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Figures {
    /// The leg was this call's alone.
    Own,
    /// A softphone's, which is still in this call.
    Softphone(Tally),
    /// A softphone's, which was taken to another call while this one was held.
    Before(StreamStats),
}

impl Figures {
    pub(super) fn of_softphone(tally: &Tally, held: bool) -> Self {
        if held { Self::Before(tally.so_far().unwrap_or_default()) } else { Self::Softphone(*tally) }
    }
    pub(super) fn with(self, last: StreamStats) -> StreamStats {
        match self {
            Self::Own => last,
            Self::Softphone(mut tally) => tally.take(last),
            Self::Before(stats) => stats,
        }
    }
}

impl Call {
    pub(super) fn poll(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Link::Joined(joined) = &mut self.link else { return };
        if joined.poll_at <= now {
            joined.poll_at = now + QUALITY_EVERY;
            joined.polled = (None, None);
            let customer = self.customer.has_leg().then_some(self.leg);
            let guests = self.guests.iter().map(|guest| Some(guest.who.media()));
            let legs = [customer, self.agent.media_leg()].into_iter().chain(guests);
            out.extend(legs.flatten().map(|leg| Output::Media(MediaOrder::Stats(leg))));
        }
    }

    /// Figures of a leg came.
    pub(super) fn figures(&mut self, leg: LegId, stats: &LegStats, out: &mut Vec<Output>) {
        if self.guest_figures(leg, stats.received) {
            return;
        }
        let end = if leg == self.leg { End::Caller } else { End::Called };
        let held = self.holds(end);
        let received = match self.tally_of(end) {
            None => stats.received,
            // What it receives while it holds may be said to somebody else.
            Some(tally) => tally.take_from(stats.received, held),
        };
        let Link::Joined(joined) = &mut self.link else { return };
        match end {
            End::Caller => joined.polled.0 = Some(received),
            End::Called => joined.polled.1 = Some(received),
        }
        if let (Some(customer), Some(agent)) = joined.polled {
            joined.polled = (None, None);
            out.push(Output::Fact(CallFact::Quality { interaction: self.interaction, customer, agent }));
        }
    }

    /// The tally of an end that is a softphone.
    pub(super) fn tally_of(&mut self, end: End) -> Option<&mut Tally> {
        match (end, &mut self.customer, &mut self.agent) {
            (End::Caller, Customer::Colleague(colleague), _) => Some(&mut colleague.tally),
            (End::Called, _, Agent::Softphone(soft)) => Some(&mut soft.tally),
            _ => None,
        }
    }

    /// Something about a leg's sound changed: told when that makes its half poor, or good again.
    pub(super) fn quality_changed(
        &mut self,
        leg: LegId,
        change: impl FnOnce(&mut Faults),
        out: &mut Vec<Output>,
    ) {
        let is_guests = self.guests.iter().any(|guest| guest.who.media() == leg);
        if is_guests {
            self.guest_quality(leg, change, out);
            return;
        }
        let Link::Joined(joined) = &mut self.link else { return };
        let (party, faults) = if leg == self.leg {
            (Party::Customer, &mut joined.faults.0)
        } else if self.agent.media_leg() == Some(leg) {
            (joined.party, &mut joined.faults.1)
        } else {
            return;
        };
        let was_poor = *faults != Faults::default();
        change(faults);
        let poor = *faults != Faults::default();
        if poor == was_poor {
            return;
        }
        out.push(Output::Fact(CallFact::QualityChanged { interaction: self.interaction, party, poor }));
    }

    pub(super) fn fell_silent(
        &mut self,
        leg: LegId,
        lasting: Duration,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let joined = matches!(self.link, Link::Joined(_));
        if self.guest_silent(leg, lasting, out) {
            return;
        }
        if leg == self.leg && self.customer.owns_leg() {
            self.silent_since = Some(now - lasting);
            if joined && self.session.expects_audio() {
                let failure = format!("nothing was heard from the customer for {} s", lasting.as_secs());
                self.customer_failed(failure, out);
            }
            return;
        }
        let who = match &self.agent {
            Agent::Phone(phone) if phone.leg == leg && phone.session.expects_audio() => "the agent's phone",
            Agent::FarEnd(far) if far.leg == leg && far.session.expects_audio() => "the number outside",
            _ => return,
        };
        if joined {
            let failure = format!("nothing was heard from {who} for {} s", lasting.as_secs());
            self.seat_failed(failure, out);
        }
    }

    /// A customer who was silent before the call was connected has had time to speak.
    pub(super) fn still_silent(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Link::Joined(joined) = &self.link else { return };
        if self.silent_since.is_some() && joined.since + SILENCE_GRACE <= now {
            // Reported once; a customer who holds us may be silent.
            self.silent_since = None;
            if self.session.expects_audio() {
                let failure = "nothing was heard from the customer since the call was connected".to_owned();
                self.customer_failed(failure, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(packets: u64, jitter: f32, mos: f32) -> StreamStats {
        let (jitter_ms, jitter_max_ms) = (jitter, jitter);
        StreamStats {
            packets,
            jitter_ms,
            jitter_max_ms,
            mos: Some(mos),
            mos_min: Some(mos),
            ..Default::default()
        }
    }

    /// MEDIA-07: figures in a record are of that call, even when the softphone was in another call in between.
    #[test]
    fn what_another_call_counted_does_not_take_away_what_this_one_had() {
        let mut tally = Tally::default();
        assert_eq!(tally.take(stats(300, 9.0, 4.0)).packets, 300);
        // Another call had the media plane count anew, and then this one had, too.
        let whole = tally.take(stats(100, 2.0, 4.4));
        assert_eq!((whole.packets, whole.jitter_ms, whole.jitter_max_ms), (400, 2.0, 9.0));
        assert!(whole.mos.is_some_and(|mos| (mos - 4.1).abs() < 0.001), "{:?}", whole.mos);
        assert_eq!(whole.mos_min, Some(4.0));
    }
}
