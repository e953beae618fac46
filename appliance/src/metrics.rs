//! Figures of media, SIP and the process for Prometheus. Media and SIP count in plain numbers of their own; they are read
//! when somebody scrapes, never pushed.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use media::driver::DriverKind;
use media::leg::DropReason;
use media::plane::{FastPathInfo, PlaneHandle};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::config::Config;
use crate::tls;

/// Registers everything that lies behind the desk.
pub fn register(
    registry: &Registry,
    plane: PlaneHandle,
    sip: Arc<signaling::Counters>,
    config: &Config,
    certificate: &Path,
) -> Result<()> {
    register_media(registry, plane, usize::from((config.ports.1 - config.ports.0) / 2))?;
    registry.register(Box::new(Sip::new(sip)?))?;
    let expiry =
        IntGauge::new("patchbay_cert_expiry_timestamp_seconds", "When the console's certificate expires.")?;
    let days = tls::days_left(certificate)?;
    expiry.set(i64::try_from(crate::clock::now().millis() / 1_000)? + days * 86_400);
    registry.register(Box::new(expiry))?;
    Ok(())
}

/// Registers the media plane, which has so many port pairs, and the program's version.
pub fn register_media(registry: &Registry, plane: PlaneHandle, port_pairs: usize) -> Result<()> {
    registry.register(Box::new(Media::new(plane, port_pairs)?))?;
    let build = IntGaugeVec::new(
        Opts::new("patchbay_build_info", "Always 1; the label tells the version."),
        &["version"],
    )?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(build))?;
    Ok(())
}

/// How often the configuration was read again, and with what result.
pub fn reloads(registry: &Registry) -> Result<IntCounterVec> {
    let opts = Opts::new("patchbay_config_reloads_total", "Times the configuration was read again.");
    let reloads = IntCounterVec::new(opts, &["result"])?;
    // Both are there from the start, so that a first refusal is seen as a rise.
    for result in ["taken", "refused"] {
        reloads.with_label_values(&[result]);
    }
    registry.register(Box::new(reloads.clone()))?;
    Ok(reloads)
}

/// Brings a counter up to a total that is counted elsewhere.
pub(crate) fn follow(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

struct Media {
    plane: PlaneHandle,
    packets: IntCounterVec,
    bytes: IntCounterVec,
    ways: IntCounterVec,
    dropped: IntCounterVec,
    troubles: IntCounterVec,
    playout: IntCounterVec,
    concealed: IntCounter,
    waits: IntGauge,
    busy: IntGaugeVec,
    effort: IntGaugeVec,
    errors: IntCounterVec,
    recorded: IntCounter,
    overruns: IntCounter,
    events_lost: IntCounter,
    legs: IntGauge,
    threads: IntGaugeVec,
    trial: GaugeVec,
    ports: IntGauge,
    fast_state: IntGaugeVec,
    fast_flows: IntGauge,
    fast_bytes: IntCounter,
    fast_refused: IntCounter,
}

impl Media {
    fn new(plane: PlaneHandle, port_pairs: usize) -> Result<Self> {
        let vec = |name: &str, help: &str, label: &str| IntCounterVec::new(Opts::new(name, help), &[label]);
        let gauges = |name: &str, help: &str| IntGaugeVec::new(Opts::new(name, help), &["thread"]);
        let ports =
            IntGauge::new("patchbay_ports_limit", "Port pairs there are for legs of trunks and phones.")?;
        let trial = GaugeVec::new(
            Opts::new(
                "patchbay_media_trial_seconds",
                "Processor time a packet that each driver took at start, where the cheaper one was to be chosen.",
            ),
            &["driver"],
        )?;
        if let Some(found) = plane.trial() {
            for (kind, cost) in [(DriverKind::Uring, found.uring), (DriverKind::Mmsg, found.mmsg)] {
                trial.with_label_values(&[kind.name()]).set(cost.as_secs_f64());
            }
        }
        ports.set(i64::try_from(port_pairs)?);
        Ok(Self {
            plane,
            packets: vec("patchbay_rtp_packets_total", "Datagrams on media ports.", "direction")?,
            bytes: vec("patchbay_rtp_bytes_total", "UDP payload of datagrams on media ports.", "direction")?,
            ways: vec(
                "patchbay_rtp_forwarded_total",
                "Packets forwarded: in the buffer they came in, copied for several listeners, transcoded, mixed, or by the kernel alone.",
                "way",
            )?,
            dropped: vec("patchbay_rtp_dropped_total", "Datagrams that were not let through.", "reason")?,
            troubles: vec(
                "patchbay_leg_troubles_total",
                "Troubles of legs that began: one-way audio, silence, clipping, clock skew.",
                "kind",
            )?,
            playout: vec(
                "patchbay_playout_missed_total",
                "Packets of decoded voices that were late or lost.",
                "why",
            )?,
            concealed: IntCounter::new(
                "patchbay_playout_concealed_milliseconds_total",
                "Milliseconds of voices invented for packets that were late or lost.",
            )?,
            waits: IntGauge::new(
                "patchbay_playout_delay_milliseconds",
                "How long decoded voices wait in jitter buffers now, on average over the busiest thread.",
            )?,
            busy: gauges("patchbay_media_thread_busy_permille", "Share of a second that a thread works.")?,
            effort: gauges(
                "patchbay_media_thread_effort",
                "How hard a thread's Opus encoders try, 0 to 10.",
            )?,
            errors: vec(
                "patchbay_media_io_errors_total",
                "What the kernel refused or had no buffer for.",
                "kind",
            )?,
            recorded: IntCounter::new("patchbay_recorded_payloads_total", "Payloads given to recordings.")?,
            overruns: IntCounter::new(
                "patchbay_recording_overruns_total",
                "Payloads lost because the disk was behind.",
            )?,
            events_lost: IntCounter::new(
                "patchbay_media_events_lost_total",
                "Events lost because control was behind.",
            )?,
            legs: IntGauge::new("patchbay_media_legs", "Legs at this moment.")?,
            threads: IntGaugeVec::new(
                Opts::new("patchbay_media_threads", "Media threads by driver."),
                &["driver"],
            )?,
            trial,
            ports,
            fast_state: IntGaugeVec::new(
                Opts::new(
                    "patchbay_fast_path_state",
                    "1 for the state of the kernel's fast path: off, native, generic, or absent and why.",
                ),
                &["state", "reason"],
            )?,
            fast_flows: IntGauge::new("patchbay_fast_path_flows", "Streams the kernel watches or carries.")?,
            fast_bytes: IntCounter::new("patchbay_fast_path_bytes_total", "RTP the kernel forwarded.")?,
            fast_refused: IntCounter::new(
                "patchbay_fast_path_refused_total",
                "Plain streams that could not be given to the kernel.",
            )?,
        })
    }

    fn families(&self) -> [&dyn Collector; 22] {
        [
            &self.packets,
            &self.bytes,
            &self.ways,
            &self.dropped,
            &self.troubles,
            &self.playout,
            &self.concealed,
            &self.waits,
            &self.busy,
            &self.effort,
            &self.errors,
            &self.recorded,
            &self.overruns,
            &self.events_lost,
            &self.legs,
            &self.threads,
            &self.trial,
            &self.ports,
            &self.fast_state,
            &self.fast_flows,
            &self.fast_bytes,
            &self.fast_refused,
        ]
    }

    fn refresh(&self) {
        let threads = self.plane.counters();
        let sum = |of: &dyn Fn(&media::plane::Counters) -> u64| {
            threads.iter().map(|t| of(&t.counters)).sum::<u64>()
        };
        let labelled =
            |vec: &IntCounterVec, label: &str, total| follow(&vec.with_label_values(&[label]), total);
        labelled(&self.packets, "in", sum(&|c| c.received_packets));
        labelled(&self.packets, "out", sum(&|c| c.sent_packets));
        labelled(&self.bytes, "in", sum(&|c| c.received_octets));
        labelled(&self.bytes, "out", sum(&|c| c.sent_octets));
        labelled(&self.ways, "in_place", sum(&|c| c.relayed_in_place));
        labelled(&self.ways, "copied", sum(&|c| c.relayed_copies));
        labelled(&self.ways, "transcoded", sum(&|c| c.transcoded));
        labelled(&self.ways, "mixed", sum(&|c| c.mixed));
        labelled(&self.ways, "kernel", sum(&|c| c.fast_packets));
        self.fast_flows.set(i64::try_from(sum(&|c| c.fast_flows)).unwrap_or(i64::MAX));
        follow(&self.fast_bytes, sum(&|c| c.fast_octets));
        follow(&self.fast_refused, sum(&|c| c.fast_refused));
        self.fast_state.reset();
        match self.plane.fast_path() {
            FastPathInfo::Off => self.fast_state.with_label_values(&["off", ""]).set(1),
            FastPathInfo::Absent { reason, .. } => {
                self.fast_state.with_label_values(&["absent", reason]).set(1);
            }
            FastPathInfo::On(modes) => {
                modes.iter().for_each(|(_, mode)| self.fast_state.with_label_values(&[mode, ""]).inc());
            }
        }
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            labelled(&self.dropped, reason.name(), sum(&|c| c.dropped[index]));
        }
        labelled(&self.dropped, "unmatched", sum(&|c| c.unmatched));
        for (index, kind) in media::quality::watch::Trouble::NAMES.into_iter().enumerate() {
            labelled(&self.troubles, kind, sum(&|c| c.troubles[index]));
        }
        labelled(&self.playout, "late", sum(&|c| c.playout_late));
        labelled(&self.playout, "lost", sum(&|c| c.playout_lost));
        follow(&self.concealed, sum(&|c| c.playout_concealed_ms));
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.waits.set(gauge(threads.iter().map(|t| t.counters.playout_waits_ms).max().unwrap_or(0)));
        for thread in &threads {
            let label = thread.thread.to_string();
            self.busy.with_label_values(&[&label]).set(gauge(thread.counters.busy_permille));
            self.effort.with_label_values(&[&label]).set(gauge(thread.counters.effort));
        }
        labelled(&self.errors, "send", sum(&|c| c.driver.send_errors));
        labelled(&self.errors, "receive", sum(&|c| c.driver.receive_errors));
        labelled(&self.errors, "no_buffer", sum(&|c| c.driver.no_buffers));
        labelled(&self.errors, "too_large", sum(&|c| c.driver.too_large));
        follow(&self.recorded, sum(&|c| c.recorded));
        follow(&self.overruns, sum(&|c| c.record_overruns));
        follow(&self.events_lost, sum(&|c| c.events_lost));
        self.legs.set(i64::try_from(sum(&|c| c.legs)).unwrap_or(i64::MAX));
        self.threads.reset();
        threads.iter().for_each(|t| self.threads.with_label_values(&[t.driver.name()]).inc());
    }
}

impl Collector for Media {
    fn desc(&self) -> Vec<&Desc> {
        self.families().into_iter().flat_map(Collector::desc).collect()
    }
    fn collect(&self) -> Vec<MetricFamily> {
        self.refresh();
        self.families().into_iter().flat_map(Collector::collect).collect()
    }
}

struct Sip {
    counters: Arc<signaling::Counters>,
    shown: Vec<IntCounter>,
}

impl Sip {
    fn new(counters: Arc<signaling::Counters>) -> Result<Self> {
        let shown = counters
            .all()
            .into_iter()
            .map(|(name, _)| {
                let words = name.trim_end_matches("_total").replace('_', " ");
                // The name of calls counted by the desk is taken: these are calls as SIP sees them.
                let name = if name.starts_with("calls") || name.starts_with("call_") {
                    format!("sip_{name}")
                } else {
                    name.into()
                };
                IntCounter::new(
                    format!("patchbay_{name}"),
                    format!("SIP: {words}; see the operator's guide."),
                )
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { counters, shown })
    }
}

impl Collector for Sip {
    fn desc(&self) -> Vec<&Desc> {
        self.shown.iter().flat_map(Collector::desc).collect()
    }
    fn collect(&self) -> Vec<MetricFamily> {
        for (shown, (_, total)) in self.shown.iter().zip(self.counters.all()) {
            follow(shown, total);
        }
        self.shown.iter().flat_map(Collector::collect).collect()
    }
}
