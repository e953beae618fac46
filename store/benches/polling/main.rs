//! The floor beside a router that polls a database, the way the incumbents work: events a second in the same run, by number of
//! agents and by number of those who wait (PERF-06).
//!
//! `cargo bench -p store --bench polling` prints a line a size and writes `target/bench/polling.json` and
//! `docs/pictures/router.svg`. It lives here because here SQLite is at hand. Environment: `POLLING_EVENTS` (how many events
//! of ours are measured at each size, default 300 000).
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod chart;
#[path = "../../../router/benches/floor/house.rs"]
mod house;
mod incumbent;

use std::time::Duration;

use house::{House, Size};
use incumbent::Incumbent;

/// Sizes by agents, five waiting for each; and by those who wait, for 10,000 agents.
const AGENTS: [u64; 5] = [100, 300, 1_000, 3_000, 10_000];
const WAITING: [usize; 4] = [0, 1_000, 10_000, 50_000];

/// What both did at one size.
#[derive(Clone, Copy, serde::Serialize)]
pub struct Point {
    /// Agents at work.
    pub agents: u64,
    /// Customers who wait.
    pub waiting: usize,
    /// Events a second of the floor.
    pub ours: f64,
    /// Events a second of the other.
    pub polling: f64,
    /// One pass of it over all who wait.
    pub pass_s: f64,
    /// How many of them it looks at in a second.
    pub members_per_s: f64,
}

/// The figures as they are drawn.
#[derive(serde::Serialize)]
pub struct Figures {
    /// By number of agents.
    pub by_agents: Vec<Point>,
    /// By number of those who wait.
    pub by_waiting: Vec<Point>,
}

fn main() {
    if !std::env::args().any(|word| word == "--bench") {
        println!("run it by `cargo bench`: it takes a minute");
        return;
    }
    let events = std::env::var("POLLING_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let measure = |agents, waiting| point(size(agents, waiting), events, &runtime);
    let by_agents = AGENTS.map(|agents| measure(agents, agents as usize * 5)).into();
    let by_waiting = WAITING.map(|waiting| measure(10_000, waiting)).into();
    let figures = Figures { by_agents, by_waiting };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench");
    let text = serde_json::to_string_pretty(&figures).expect("figures are numbers");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(format!("{folder}/polling.json"), text))
        .expect("target can be written");
    chart::draw(&figures);
}

/// A house of the usual proportions: a service for five agents, twenty agents of one profile, at most 2,000 and 500.
fn size(agents: u64, waiting: usize) -> Size {
    Size {
        agents,
        profiles: (agents / 20).clamp(20, 500),
        classes: (agents / 5).clamp(20, 2_000),
        waiting,
        mixed: false,
    }
}

fn point(size: Size, events: usize, runtime: &tokio::runtime::Runtime) -> Point {
    let mut house = House::new(&size);
    let warm = house.took.len() + events / 4;
    while house.took.len() < warm {
        house.round();
    }
    house.took.clear();
    while house.took.len() < events {
        house.round();
    }
    let nanos: u64 = house.took.iter().map(|ns| u64::from(*ns)).sum();
    let ours = house.took.len() as f64 / Duration::from_nanos(nanos).as_secs_f64();
    let polled = runtime.block_on(async { Incumbent::open(&size).await?.work().await });
    let polled = polled.expect("SQLite in memory does what it is told");
    let point = Point {
        agents: size.agents,
        waiting: size.waiting,
        ours,
        polling: polled.events_per_s,
        pass_s: polled.pass.as_secs_f64(),
        members_per_s: polled.members_per_s,
    };
    println!(
        "{:>6} agents, {:>6} waiting: {:>9.0} events/s | polling SQLite {:>7.0} events/s, a pass {:.3} s, {:.0} looked at a second | ratio {:.0}",
        point.agents,
        point.waiting,
        point.ours,
        point.polling,
        point.pass_s,
        point.members_per_s,
        point.ours / point.polling,
    );
    point
}
