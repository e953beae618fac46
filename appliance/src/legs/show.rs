//! From what was read to what is shown. Pure.

use std::collections::HashMap;
use std::time::Duration;

use control_api::wire::legs::{
    Dropped, Leg, LegReceived, LegSent, LegWho, MediaLegs, MediaThread, MediaTotals,
};
use media::control::{Hears, LegSight, Secured, Spoken};
use media::leg::DropReason;
use media::plane::{Counters, ThreadCounters};
use model::id::{Id, LegId};
use model::time::Timestamp;

use super::{Owner, Reading};

/// The legs, with rates over the time since `before`.
pub fn show(now: &Reading, before: Option<&Reading>, owners: &HashMap<LegId, Owner>) -> MediaLegs {
    let since = before.map(|before| Since { span: now.at.since(before.at), before });
    MediaLegs {
        at: now.at.millis(),
        totals: totals(now, since),
        items: now.sights.iter().map(|sight| one(sight, since, owners.get(&sight.leg), now.at)).collect(),
        next_cursor: None,
    }
}

/// What was read before, and how long ago.
#[derive(Clone, Copy)]
struct Since<'a> {
    span: Duration,
    before: &'a Reading,
}

impl Since<'_> {
    fn leg(&self, leg: LegId) -> Option<&LegSight> {
        let at = self.before.sights.binary_search_by_key(&leg, |sight| sight.leg).ok()?;
        self.before.sights.get(at)
    }
    /// So many a second; `None` when the count began anew.
    fn rate(&self, before: u64, now: u64) -> Option<f32> {
        Some((now.checked_sub(before)? as f64 / self.span.as_secs_f64().max(0.001)) as f32)
    }
}

fn one(sight: &LegSight, since: Option<Since<'_>>, owner: Option<&Owner>, now: Timestamp) -> Leg {
    let (stats, received) = (&sight.stats, &sight.stats.received);
    let before = since.and_then(|since| Some((since, since.leg(sight.leg)?.stats)));
    let rate = |of: &dyn Fn(&media::control::LegStats) -> u64| {
        before.and_then(|(since, before)| since.rate(of(&before), of(stats)))
    };
    let kbits = |octets_a_second: Option<f32>| octets_a_second.map(|octets| octets * 8.0 / 1_000.0);
    let (lost, came) = match before.map(|(_, before)| before.received) {
        Some(before) if before.packets <= received.packets => {
            (received.lost.saturating_sub(before.lost), received.packets - before.packets)
        }
        _ => (received.lost, received.packets),
    };
    let (hears, hears_id) = match sight.hears {
        Hears::Nothing => ("nothing", None),
        Hears::Sound => ("sound", None),
        Hears::Leg(leg) => ("leg", Some(leg.to_string())),
        Hears::Room(room) => ("room", Some(room.to_string())),
    };
    Leg {
        leg: sight.leg.to_string(),
        call: owner.and_then(|owner| owner.call.clone()),
        who: LegWho {
            kind: owner.map_or("unknown", |owner| owner.kind).into(),
            name: owner.and_then(|owner| owner.name.clone()),
        },
        medium: if sight.video { "video" } else { "audio" }.into(),
        remote: sight.remote.map(|remote| remote.to_string()),
        codec_in: sight.comes_in.map(name),
        codec_out: sight.goes_out.map(name),
        security: match sight.secured {
            Secured::Plain => "none".into(),
            Secured::Waiting => "waiting".into(),
            Secured::Sdes(suite) => format!("sdes {}", suite.sdp_name()),
            Secured::Dtls(suite) => format!("dtls {}", suite.sdp_name()),
        },
        hears: hears.into(),
        hears_id,
        carried: if sight.in_kernel { "kernel" } else { "user" }.into(),
        muted: sight.muted,
        recorded: sight.recorded,
        age_ms: sight.leg.made_at().map(|made| now.since(made).as_millis() as u64),
        thread: sight.thread,
        received: LegReceived {
            packets: received.packets,
            octets: received.octets,
            lost: received.lost,
            rejected: received.rejected,
            packets_per_s: rate(&|stats| stats.received.packets),
            kbits_per_s: kbits(rate(&|stats| stats.received.octets)),
            loss_percent: if lost == 0 { 0.0 } else { lost as f32 * 100.0 / (lost + came) as f32 },
            jitter_ms: received.jitter_ms,
        },
        sent: LegSent {
            packets: stats.sent_packets,
            octets: stats.sent_octets,
            packets_per_s: rate(&|stats| stats.sent_packets),
            kbits_per_s: kbits(rate(&|stats| stats.sent_octets)),
            far_loss_percent: stats.far_lost_percent,
            far_jitter_ms: stats.far_jitter_ms,
        },
        rtt_ms: received.rtt_ms,
        buffer_ms: stats.playout.map(|playout| playout.buffered_ms),
        mos: received.mos,
        mos_worst: stats.quality.map(|quality| quality.worst.mos).or(received.mos_min),
        mos_conversational: stats.mos_conversational,
    }
}

fn name(spoken: Spoken) -> String {
    match spoken {
        Spoken::Codec(codec) => codec.sdp_name().into(),
        Spoken::Passed(_) => "passed".into(),
    }
}

fn totals(now: &Reading, since: Option<Since<'_>>) -> MediaTotals {
    let sum = |threads: &[ThreadCounters], of: &dyn Fn(&Counters) -> u64| {
        threads.iter().map(|thread| of(&thread.counters)).sum::<u64>()
    };
    let rate = |of: &dyn Fn(&Counters) -> u64| {
        since.and_then(|since| since.rate(sum(&since.before.threads, of), sum(&now.threads, of)))
    };
    let reasons = DropReason::ALL.into_iter().enumerate().map(|(at, reason)| (reason.name(), Some(at)));
    let dropped = reasons.chain([("unmatched", None)]).filter_map(|(reason, at)| {
        let of = |counters: &Counters| at.map_or(counters.unmatched, |at| counters.dropped[at]);
        let total = sum(&now.threads, &of);
        (total > 0).then(|| Dropped { reason: reason.into(), total, per_s: rate(&of) })
    });
    MediaTotals {
        legs: now.sights.len(),
        rooms: now.rooms,
        packets_in_per_s: rate(&|counters| counters.received_packets + counters.fast_packets),
        packets_out_per_s: rate(&|counters| counters.sent_packets + counters.fast_packets),
        dropped: dropped.collect(),
        threads: now
            .threads
            .iter()
            .map(|thread| MediaThread {
                thread: thread.thread,
                driver: thread.driver.name().into(),
                busy_percent: thread.counters.busy_permille as f32 / 10.0,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::control::{LegStats, SrtpSuite};
    use model::media::{Codec, StreamStats};

    fn reading(at_ms: u64, packets: u64, lost: u64) -> Reading {
        let received = StreamStats { packets, octets: packets * 172, lost, ..StreamStats::default() };
        let stats = LegStats { received, sent_packets: packets * 2, ..LegStats::default() };
        let sight = LegSight {
            leg: LegId::from_number(1),
            thread: 0,
            browser: false,
            video: false,
            remote: None,
            comes_in: Some(Spoken::Codec(Codec::Pcma)),
            goes_out: Some(Spoken::Passed(3)),
            secured: Secured::Sdes(SrtpSuite::AeadAes128Gcm),
            hears: Hears::Sound,
            muted: false,
            recorded: true,
            in_kernel: true,
            stats,
        };
        Reading { at: Timestamp::from_millis(at_ms), sights: vec![sight], rooms: 0, threads: vec![] }
    }

    #[test]
    fn rates_are_over_the_time_between_two_looks() {
        let shown = show(&reading(3_000, 200, 5), Some(&reading(1_000, 100, 0)), &HashMap::new());
        let leg = &shown.items[0];
        assert_eq!(leg.received.packets_per_s, Some(50.0));
        assert_eq!(leg.received.kbits_per_s, Some(68.8));
        assert_eq!(leg.sent.packets_per_s, Some(100.0));
        assert!((leg.received.loss_percent - 500.0 / 105.0).abs() < 1e-3, "{}", leg.received.loss_percent);
    }

    #[test]
    fn without_an_earlier_look_there_is_no_rate_and_loss_is_of_the_whole_life() {
        let leg = show(&reading(1_000, 75, 25), None, &HashMap::new()).items.remove(0);
        assert_eq!((leg.received.packets_per_s, leg.received.loss_percent), (None, 25.0));
        assert_eq!(leg.who.kind, "unknown");
    }

    #[test]
    fn a_count_that_began_anew_gives_no_rate() {
        let leg =
            show(&reading(2_000, 10, 1), Some(&reading(1_000, 500, 7)), &HashMap::new()).items.remove(0);
        assert_eq!(leg.received.packets_per_s, None);
        assert!((leg.received.loss_percent - 100.0 / 11.0).abs() < 1e-3);
    }

    #[test]
    fn codecs_security_and_way_are_named_as_on_the_wire() {
        let leg = show(&reading(1_000, 1, 0), None, &HashMap::new()).items.remove(0);
        assert_eq!((leg.codec_in.as_deref(), leg.codec_out.as_deref()), (Some("PCMA"), Some("passed")));
        assert_eq!((leg.security.as_str(), leg.carried.as_str()), ("sdes AEAD_AES_128_GCM", "kernel"));
        assert_eq!((leg.hears.as_str(), leg.recorded), ("sound", true));
    }
}
