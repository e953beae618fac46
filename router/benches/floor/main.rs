//! How many events a second the floor takes, how long the slowest take, and how much memory those who wait need (PERF-06).
//!
//! One event is one call of `Floor::handle` or `Floor::tick`; `house` says what happens. Goals are those of the design study
//! this data structure comes from.
//!
//! `cargo bench -p router` prints a line a figure and writes `target/bench/router.json`. Environment: `FLOOR_EVENTS` (how
//! many are measured, default 1 000 000), `FLOOR_CASE` (only this one).
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod house;
mod memory;

use std::time::{Duration, Instant};

use router::{AUDIT_STEPS, Floor, Walk};

use house::{House, Size};

/// A call centre of a size, and what is expected of it.
struct Case {
    name: &'static str,
    size: Size,
    goal_per_second: f64,
    goal_p99: Option<Duration>,
}

const CASES: [Case; 4] = [
    Case {
        name: "small",
        size: Size { agents: 1_000, profiles: 100, classes: 300, waiting: 1_000, mixed: false },
        goal_per_second: 1_500_000.0,
        goal_p99: Some(Duration::from_micros(3)),
    },
    Case {
        name: "large",
        size: Size { agents: 10_000, profiles: 500, classes: 2_000, waiting: 50_000, mixed: false },
        goal_per_second: 1_500_000.0,
        goal_p99: Some(Duration::from_micros(3)),
    },
    Case {
        name: "worst",
        size: Size { agents: 10_000, profiles: 10_000, classes: 20_000, waiting: 50_000, mixed: false },
        goal_per_second: 600_000.0,
        goal_p99: None,
    },
    Case {
        name: "mixed",
        size: Size { agents: 10_000, profiles: 500, classes: 2_000, waiting: 50_000, mixed: true },
        goal_per_second: 1_500_000.0,
        goal_p99: Some(Duration::from_micros(3)),
    },
];

/// The value below which this share of the sorted samples lies.
fn quantile(sorted: &[u32], share: f64) -> u32 {
    sorted
        .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

/// The longest of many slices of the run-time audit, as the desk takes them.
fn audit(floor: &Floor) -> u64 {
    let (mut walk, mut broken, mut longest) = (Walk::default(), Vec::new(), Duration::ZERO);
    for _ in 0..2_000 {
        let start = Instant::now();
        floor.audit_some(&mut walk, AUDIT_STEPS, &mut broken);
        longest = longest.max(start.elapsed());
    }
    assert_eq!(broken, [], "a floor under load is whole");
    u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX)
}

fn run(case: &Case, events: usize) -> serde_json::Value {
    let mut bench = House::new(&case.size);
    // Steps and forgiven refusals reach their steady state before anything is measured.
    let warm = bench.took.len() + events / 4;
    while bench.took.len() < warm {
        bench.round();
    }
    bench.took.clear();
    let served_before = bench.floor.offers();
    while bench.took.len() < events {
        bench.round();
    }
    let offers = bench.floor.offers() - served_before;
    let total: u64 = bench.took.iter().map(|ns| u64::from(*ns)).sum();
    let seconds = total as f64 / 1e9;
    let per_second = bench.took.len() as f64 / seconds;
    let mut sorted = std::mem::take(&mut bench.took);
    sorted.sort_unstable();
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|share| quantile(&sorted, share));
    let audit = audit(&bench.floor);
    let rate_ratio = per_second / case.goal_per_second;
    println!(
        "{:6} {:>9.0} events/s (goal {:.0}, ratio {rate_ratio:.2}), {:.0} offers/s, p50 {p50} ns, p99 {p99} ns{}, p99.9 {p999} ns, longest {max} ns, longest audit slice {audit} ns",
        case.name,
        per_second,
        case.goal_per_second,
        offers as f64 / seconds,
        case.goal_p99.map_or(String::new(), |goal| {
            format!(" (goal {}, ratio {:.2})", goal.as_nanos(), goal.as_nanos() as f64 / f64::from(p99))
        }),
    );
    serde_json::json!({
        "case": case.name,
        "agents": case.size.agents, "profiles": case.size.profiles, "classes": case.size.classes,
        "backlog": case.size.waiting,
        "events": sorted.len(), "offers": offers,
        "events_per_second": per_second, "goal_events_per_second": case.goal_per_second, "ratio": rate_ratio,
        "longest_audit_slice_ns": audit,
        "p50_ns": p50, "p99_ns": p99, "p999_ns": p999, "longest_ns": max,
        "goal_p99_ns": case.goal_p99.map(|goal| goal.as_nanos() as u64),
    })
}

fn main() -> std::io::Result<()> {
    let events = std::env::var("FLOOR_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let wanted = std::env::var("FLOOR_CASE").ok();
    let cases = CASES.iter().filter(|case| wanted.as_ref().is_none_or(|name| name == case.name));
    // First, while no other case has left memory behind.
    let memory = wanted.as_ref().is_none_or(|name| name == "memory").then(memory::run);
    let figures: Vec<_> = memory.into_iter().chain(cases.map(|case| run(case, events))).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("router.json"), serde_json::to_string_pretty(&figures)?)
}
