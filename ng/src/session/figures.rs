//! Figures of a call and of the node, in rtpengine's shape.

use std::net::SocketAddr;
use std::time::Duration;

use media::control::{Direction, LegStats};
use media::quality::Window;
use model::time::Timestamp;

use super::call::{Call, Dialogue, Leg, Line};
use super::{Begun, Job, Machine, Step, Work};
use crate::request::Request;
use crate::wire::Value;

/// Call-ids that `list` gives where the request does not say.
const LIST_DEFAULT: i64 = 32;
/// Octets of call-ids in one answer: it has to fit into a datagram.
const LIST_OCTETS_MAX: usize = 48_000;

/// Whose figures are read.
#[derive(Debug)]
pub(super) struct Reading {
    pub dialogues: Vec<u64>,
    /// The answer is only `ok`.
    pub bare: bool,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// When it began.
    pub since: Timestamp,
    /// Calls that were offered.
    pub began: u64,
    /// Calls that ended, by whatever.
    pub ended: u64,
    /// Dialogues ended because nothing came.
    pub timed_out: u64,
    /// Offers refused because there are too many calls.
    pub refused: u64,
    /// Requests that the plane did not carry out.
    pub failed: u64,
    /// How long ended calls lasted together.
    pub lasted: Duration,
}

impl Totals {
    /// None yet.
    pub const fn new(since: Timestamp) -> Self {
        Self { since, began: 0, ended: 0, timed_out: 0, refused: 0, failed: 0, lasted: Duration::ZERO }
    }
    pub(super) fn ended(&mut self, lasted: Duration) {
        self.ended += 1;
        self.lasted = self.lasted.saturating_add(lasted);
    }
}

impl Machine {
    /// Counts since the start.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn begin_query(&self, id: &str, request: &Request) -> Result<Begun, String> {
        let call = self.calls.get(id).ok_or("Unknown call-id")?;
        let tag = request.from_tag.clone();
        let meant = |dialogue: &&Dialogue| {
            tag.as_ref().is_none_or(|tag| dialogue.parties.iter().any(|party| party.is(tag)))
        };
        let dialogues: Vec<&Dialogue> = call.dialogues.iter().filter(meant).collect();
        if dialogues.is_empty() {
            return Err("Unknown call-id".to_owned());
        }
        let legs = dialogues.iter().flat_map(|dialogue| dialogue.legs());
        let steps = legs.map(|leg| Step::Try(media::control::Command::Stats { leg: leg.id })).collect();
        let dialogues = dialogues.iter().map(|dialogue| dialogue.number).collect();
        Ok(Begun::Job(steps, Work::Figures(Reading { dialogues, bare: false })))
    }

    pub(super) fn end_figures(&mut self, job: &Job, reading: &Reading, now: Timestamp) -> (Value, Vec<Step>) {
        let value = match self.calls.get(&job.call) {
            Some(call) if !reading.bare => of_call(call, reading, job),
            _ => Value::ok(),
        };
        (value, self.bury(&job.call, now))
    }

    pub(super) fn list(&self, request: &Request) -> Value {
        let limit = request.int("limit").unwrap_or(LIST_DEFAULT);
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let mut left = LIST_OCTETS_MAX;
        let fits = |id: &&String| {
            left = left.saturating_sub(id.len() * 2 + 8);
            left > 0
        };
        let calls: Vec<Value> =
            self.calls.keys().take(limit).take_while(fits).map(|id| id.as_str().into()).collect();
        Value::dict().with("calls", calls).with("result", "ok")
    }

    pub(super) fn statistics(&self, now: Timestamp) -> Value {
        let Totals { since, began, ended, timed_out, refused, lasted, .. } = self.totals;
        let calls = self.calls.len() as u64;
        let average = lasted.as_secs_f64() / ended.max(1) as f64;
        let current = Value::dict()
            .with("sessionsown", calls)
            .with("sessionsforeign", 0_u64)
            .with("sessionstotal", calls)
            .with("media_userspace", self.legs.len() as u64 / 2);
        let total = Value::dict()
            .with("uptime", now.since(since).as_secs().to_string())
            .with("managedsessions", began)
            .with("rejectedsessions", refused)
            .with("timeoutsessions", timed_out)
            .with("regularterminatedsessions", ended.saturating_sub(timed_out))
            .with("avgcallduration", format!("{average:.6}"))
            .with("totalcallsduration", format!("{:.6}", lasted.as_secs_f64()));
        let sections = Value::dict().with("currentstatistics", current).with("totalstatistics", total);
        Value::dict().with("statistics", sections).with("result", "ok")
    }
}

fn of_call(call: &Call, reading: &Reading, job: &Job) -> Value {
    let seconds = |at: Timestamp| at.millis() / 1_000;
    let stats = |leg: &Leg| job.stats.get(&leg.id).copied().unwrap_or_default();
    let mut tags = Value::dict();
    let (mut totals, mut reports) = (Sums::default(), Sums::default());
    let mut sources = Value::dict();
    for dialogue in call.dialogues.iter().filter(|dialogue| reading.dialogues.contains(&dialogue.number)) {
        for leg in dialogue.legs() {
            let stats = stats(leg);
            totals.add(&stats);
            reports.add_reports(&stats);
            if let Some(ssrc) = stats.received_ssrc {
                let other = call.partner(leg.id).and_then(|other| job.stats.get(&other)?.received.rtt_ms);
                sources = sources.with(ssrc.to_string(), of_source(&stats, other));
            }
        }
        for (side, party) in dialogue.parties.iter().enumerate() {
            let Some(tag) = &party.tag else { continue };
            let media = dialogue.lines.iter().enumerate();
            let media: Vec<Value> = media
                .filter_map(|(index, line)| of_line(index, line, side, &stats, dialogue.created))
                .collect();
            let mut entry = Value::dict().with("tag", tag.as_str());
            if let Some(label) = &party.label {
                entry = entry.with("label", label.as_str());
            }
            entry = entry.with("created", seconds(dialogue.created));
            if let Some(other) = &dialogue.parties[1 - side].tag {
                let peer = || vec![Value::dict().with("tag", other.as_str()).with("type", "offer/answer")];
                entry = entry.with("subscriptions", peer()).with("subscribers", peer());
            }
            tags = tags.with(tag.as_str(), entry.with("medias", media));
        }
    }
    Value::dict()
        .with("created", seconds(call.created))
        .with("created_us", call.created.micros() % 1_000_000)
        .with("last signal", seconds(call.last_signal))
        .with("SSRC", sources)
        .with("tags", tags)
        .with("totals", Value::dict().with("RTP", totals.value()).with("RTCP", reports.value()))
        .with("result", "ok")
}

#[derive(Default)]
struct Sums {
    packets: u64,
    bytes: u64,
    errors: u64,
}

impl Sums {
    fn add(&mut self, stats: &LegStats) {
        self.packets += stats.received.packets;
        self.bytes += stats.received.octets;
        self.errors += stats.received.rejected;
    }
    fn add_reports(&mut self, stats: &LegStats) {
        self.packets += stats.rtcp_received;
        self.bytes += stats.rtcp_received_octets;
    }
    fn value(&self) -> Value {
        Value::dict().with("packets", self.packets).with("bytes", self.bytes).with("errors", self.errors)
    }
}

/// What a party's stream was like where it came in. Qualities are tenths, as rtpengine counts them: 43 is a MOS of 4.3. Its round
/// trip is that of both parties together, as far as they are known; that of one party is the leg's.
fn of_source(stats: &LegStats, other_rtt_ms: Option<f32>) -> Value {
    let received = &stats.received;
    let Some(quality) = stats.quality else { return Value::dict() };
    let expected = (received.packets + received.lost).max(1);
    let figures = |mos: f32, jitter_ms: f32, loss_percent: u64, rtt_ms: Option<f32>| {
        let figures = Value::dict()
            .with("MOS", (mos * 10.0).round().clamp(0.0, 50.0) as u64)
            .with("jitter", jitter_ms.round().max(0.0) as u64)
            .with("packet loss", loss_percent);
        let micros = |ms: f32| (ms * 1_000.0).max(0.0) as u64;
        let figures = match (rtt_ms, other_rtt_ms) {
            (None, None) => figures,
            (own, other) => {
                figures.with("round-trip time", micros(own.unwrap_or(0.0) + other.unwrap_or(0.0)))
            }
        };
        match rtt_ms {
            Some(own) => figures.with("round-trip time leg", micros(own)),
            None => figures,
        }
    };
    let of = |window: &Window| {
        figures(window.mos, window.jitter_ms, window.loss_percent.round().max(0.0) as u64, window.rtt_ms)
            .with("reported at", window.ended_us / 1_000_000)
    };
    let lost = received.lost.min(expected) * 100 / expected;
    let average = figures(quality.mean, received.jitter_ms, lost, received.rtt_ms);
    let course = Value::dict()
        .with("interval", u64::from(quality.course.every()) * WINDOW_S)
        .with("entries", quality.course.windows().map(|window| of(&window)).collect::<Vec<_>>());
    Value::dict()
        .with("average MOS", average.with("samples", u64::from(quality.windows)))
        .with("lowest MOS", of(&quality.worst))
        .with("highest MOS", of(&quality.best))
        .with("MOS progression", course)
}

/// Seconds of a window.
const WINDOW_S: u64 = 5;

fn of_line(
    index: usize,
    line: &Line,
    side: usize,
    stats: &dyn Fn(&Leg) -> LegStats,
    created: Timestamp,
) -> Option<Value> {
    let leg = line.legs.get(side)?.as_ref()?;
    let setup = leg.setup.as_ref();
    let mut flags: Vec<Value> = vec!["initialized".into()];
    if let Some(setup) = setup {
        let (send, receive) = match setup.direction {
            Direction::SendRecv => (true, true),
            Direction::SendOnly => (true, false),
            Direction::RecvOnly => (false, true),
            Direction::Inactive => (false, false),
        };
        flags.extend(send.then(|| "send".into()));
        flags.extend(receive.then(|| "recv".into()));
        flags.extend(setup.rtcp_mux.then(|| "RTCP mux".into()));
    }
    let ice = leg.created.ice.is_some() || setup.is_some_and(|setup| setup.checks.is_some());
    flags.extend(ice.then(|| "ICE".into()));
    let (mut sums, mut reports, stats) = (Sums::default(), Sums::default(), stats(leg));
    sums.add(&stats);
    reports.add_reports(&stats);
    // As with rtpengine, nothing came when the leg was made.
    let last = |at: Option<Timestamp>| at.unwrap_or(created).millis() / 1_000;
    let remote = setup.and_then(|setup| setup.remote);
    let remote_rtcp = setup.and_then(|setup| {
        let after = || remote.map(|to| SocketAddr::new(to.ip(), to.port().saturating_add(1)));
        if setup.rtcp_mux { remote } else { setup.remote_rtcp.or_else(after) }
    });
    let streams = vec![
        of_stream(leg.created.rtp, remote, "RTP", sums.value(), last(stats.heard_at), stats.received_ssrc),
        of_stream(
            leg.created.rtcp,
            remote_rtcp,
            "RTCP",
            reports.value(),
            last(stats.rtcp_received_at),
            stats.received_ssrc.filter(|_| stats.rtcp_received > 0),
        ),
    ];
    let mut medium = Value::dict()
        .with("index", index as u64 + 1)
        .with("type", line.kind.as_str())
        .with("protocol", line.protocols[side].as_str())
        .with("streams", streams)
        .with("flags", flags);
    let spoken = setup.map(|setup| setup.receive.as_slice()).filter(|_| stats.received.packets > 0);
    if let Some([format]) = spoken {
        let channels = if format.codec.sdp_channels() > 1 { "/2" } else { "" };
        let name = format!("{}/{}{channels}", format.codec.sdp_name(), format.codec.clock_hz());
        medium = medium.with("codec", name);
    }
    Some(medium)
}

fn of_stream(
    local: SocketAddr,
    remote: Option<SocketAddr>,
    kind: &str,
    stats: Value,
    last_packet: u64,
    ssrc: Option<u32>,
) -> Value {
    let family = |ip: std::net::IpAddr| if ip.is_ipv6() { "IPv6" } else { "IPv4" };
    let endpoint = |to: SocketAddr| {
        Value::dict()
            .with("family", family(to.ip()))
            .with("address", to.ip().to_string())
            .with("port", u64::from(to.port()))
    };
    let mut stream = Value::dict()
        .with("local port", u64::from(local.port()))
        .with("local address", local.ip().to_string())
        .with("family", family(local.ip()));
    stream = stream.with("last packet", last_packet);
    if let Some(ssrc) = ssrc {
        stream = stream.with("SSRC", u64::from(ssrc));
    }
    let mut flags: Vec<Value> = vec![kind.into()];
    if let Some(remote) = remote {
        stream = stream.with("endpoint", endpoint(remote)).with("advertised endpoint", endpoint(remote));
        flags.push("filled".into());
    }
    stream.with("flags", flags).with("stats", stats)
}
