//! The figures, as a table for people and as JSON for the chart.

use serde_json::{Value, json};

use crate::profile::Profile;
use crate::program::Kind;

/// Of one profile.
pub struct Figures {
    pub profile: Profile,
    /// Processor time of the bare codecs, microseconds a packet.
    pub floor_us: Option<f64>,
    pub engines: Vec<Engine>,
}

/// Of one program.
pub struct Engine {
    pub kind: Kind,
    pub runs: Vec<Run>,
    pub kib_per_call: Option<f64>,
    /// At half load.
    pub delay: Option<Delay>,
}

/// With one number of calls; of several runs the one in the middle.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub calls: usize,
    /// By packets that came out.
    pub us_per_packet: f64,
    /// The cheapest run and the dearest.
    pub spread_us: (f64, f64),
    pub core_percent: f64,
    pub lost_percent: f64,
    pub wrong: u64,
    /// The load fell behind its schedule.
    pub late: bool,
    pub delay: Delay,
    pub realtime: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Delay {
    pub calls: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Loss that is still none, in percent.
const LOSS_MAX: f64 = 0.01;
/// Milliseconds at the 99th percentile at half load.
const DELAY_MAX: f64 = 1.0;
/// What transcoding may cost over the bare codecs.
const OVER_FLOOR_MAX: f64 = 1.15;

/// A core that is used so far is full, in percent: what comes then waits, and in the end is lost.
const FULL: f64 = 98.0;
/// A program that loses so much, in percent, cannot carry the load, whatever it uses: real-time threads get 95 % of a core.
const LOSES: f64 = 1.0;

impl Run {
    /// Whether its figures are those of the load that it names.
    pub fn is_full(&self) -> bool {
        self.late || self.core_percent >= FULL || self.lost_percent >= LOSES
    }
}

/// Of the runs with each number of calls the one in the middle by cost a packet, with loss and wrong packets of any. Not the
/// cheapest: a program that was kept from its core finds more packets when it wakes, and batches are cheap.
pub fn medians(runs: &[Run]) -> Vec<Run> {
    let mut runs = runs.to_vec();
    runs.sort_by(|a, b| (a.calls.cmp(&b.calls)).then(a.us_per_packet.total_cmp(&b.us_per_packet)));
    let middle = |same: &[Run]| {
        let mut run = same[same.len() / 2];
        run.spread_us = (same[0].us_per_packet, same[same.len() - 1].us_per_packet);
        run.lost_percent = same.iter().map(|run| run.lost_percent).fold(0.0, f64::max);
        run.wrong = same.iter().map(|run| run.wrong).sum();
        run.late = same.iter().any(|run| run.late);
        run
    };
    runs.chunk_by(|a, b| a.calls == b.calls).map(middle).collect()
}

impl Figures {
    fn peer(&self) -> Option<&Engine> {
        self.engines.iter().find(|engine| engine.kind == Kind::Rtpengine)
    }

    pub fn json(&self) -> Value {
        let run = |run: &Run| {
            json!({
                "calls": run.calls, "us_per_packet": run.us_per_packet, "core_percent": run.core_percent,
                "us_least": run.spread_us.0, "us_most": run.spread_us.1, "full": run.is_full(),
                "lost_percent": run.lost_percent, "wrong": run.wrong, "realtime": run.realtime,
                "delay_p50_ms": run.delay.p50_ms, "delay_p99_ms": run.delay.p99_ms,
            })
        };
        let engine = |engine: &Engine| {
            let delay =
                engine.delay.map(|at| json!({ "calls": at.calls, "p50_ms": at.p50_ms, "p99_ms": at.p99_ms }));
            json!({
                "name": engine.kind.name(), "kib_per_call": engine.kib_per_call, "half_load": delay,
                "runs": Value::from_iter(engine.runs.iter().map(run)),
            })
        };
        json!({
            "profile": self.profile.name(), "title": self.profile.title(), "codec_floor_us": self.floor_us,
            "goal": self.profile.goal().0, "moonshot": self.profile.goal().1,
            "engines": Value::from_iter(self.engines.iter().map(engine)),
        })
    }
}

/// Prints one profile.
pub fn show(figures: &Figures) {
    let profile = figures.profile;
    let (goal, moonshot) = profile.goal();
    println!("\n{}: at most {goal:.2} of rtpengine's time a packet, better {moonshot:.2}", profile.title());
    println!(
        "{:>6}  {:10} {:>9} {:>13} {:>6} {:>9} {:>13}  {:>5}",
        "calls", "program", "us/packet", "least-most", "core", "lost", "delay p50/p99", "ratio"
    );
    let Some(peer) = figures.peer() else { return };
    // Numbers of calls that all programs had.
    for calls in peer.runs.iter().map(|run| &run.calls) {
        let of = |engine: &Engine| engine.runs.iter().find(|run| run.calls == *calls).copied();
        let beside = of(peer);
        for engine in &figures.engines {
            let Some(run) = of(engine) else { continue };
            let judged = match beside.filter(|_| engine.kind != Kind::Rtpengine) {
                None => String::new(),
                Some(peer) if peer.is_full() || run.is_full() => {
                    "    -  no ratio: a program is full".to_owned()
                }
                Some(peer) => {
                    let ratio = run.us_per_packet / peer.us_per_packet;
                    let verdict = match ratio {
                        ratio if ratio <= moonshot => "better than hoped",
                        ratio if ratio <= goal => "reached",
                        _ => "not reached",
                    };
                    format!("{ratio:5.2}  {verdict}")
                }
            };
            let mut remarks = String::new();
            if run.is_full() {
                remarks += &format!("  full: {:.1} % of the offered packets", 100.0 - run.lost_percent);
            }
            if run.late {
                remarks += "  (the load was late)";
            }
            if run.lost_percent >= LOSS_MAX {
                remarks += "  LOSS";
            }
            if run.wrong > 0 {
                remarks += &format!("  {} WRONG", run.wrong);
            }
            if !run.realtime {
                remarks += "  (without priority)";
            }
            println!(
                "{calls:>6}  {:10} {:9.2} {:6.2}-{:6.2} {:5.0}% {:8.4}% {:6.2}/{:6.2}  {judged}{remarks}",
                engine.kind.name(),
                run.us_per_packet,
                run.spread_us.0,
                run.spread_us.1,
                run.core_percent,
                run.lost_percent,
                run.delay.p50_ms,
                run.delay.p99_ms
            );
        }
    }
    for engine in &figures.engines {
        let ours = engine.kind != Kind::Rtpengine;
        let verdict = |good: bool| {
            if !ours {
                ""
            } else if good {
                ": reached"
            } else {
                ": not reached"
            }
        };
        if let Some(kib) = engine.kib_per_call {
            let most = profile.memory_goal_kib();
            println!(
                "        {:10} {kib:.1} KiB a call, at most {most:.0}{}",
                engine.kind.name(),
                verdict(kib <= most)
            );
        }
        if let Some(at) = engine.delay {
            println!(
                "        {:10} delay at half load ({} calls) {:.2}/{:.2} ms, p99 at most {DELAY_MAX:.0}{}",
                engine.kind.name(),
                at.calls,
                at.p50_ms,
                at.p99_ms,
                verdict(at.p99_ms < DELAY_MAX)
            );
        }
        if let (Some(floor), Some(run)) = (figures.floor_us, engine.runs.last()) {
            let over = run.us_per_packet / floor;
            let judged = if profile.encodes() { verdict(over <= OVER_FLOOR_MAX) } else { "" };
            println!(
                "        {:10} {over:.2} times the bare codecs ({floor:.2} us a packet) with {} calls{judged}",
                engine.kind.name(),
                run.calls
            );
        }
    }
}
