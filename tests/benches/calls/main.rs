//! What a call costs to set up, and how long an agent who is free waits for the next: the whole appliance between real callers and
//! registered phones, in one run.
//!
//! Customers are SIPp; the agents' desk phones are one socket of this program, registered by SIPp; each agent has a console open.
//! A call: INVITE in, queue, INVITE to the phone, both answers and ACKs, media legs on both sides, BYE from the phone, BYE to the
//! customer. Nobody speaks: what packets cost is measured by `beside`. `cargo bench -p scenarios --bench calls [-- WORDS]`, after
//! `cargo build --release` (`make bench-calls` does both):
//!
//! - `agents=N`: phones and consoles (200)
//! - `seconds=N`: of each step (10)
//! - `rates=N,N,…`: calls offered a second (25, 50, 100, 200, 400, 800, 1600; it ends with the first step that fails)
//! - `recorded`: the service records its calls
//! - `database=URL`: instead of embedded SQLite
//!
//! 1. **Set-ups**: steps of rising rate; calls that failed, processor time of the appliance a call, time from the customer's INVITE to
//!    the phone's.
//! 2. **Free to INVITE**: as many customers wait as there are agents; from a phone's BYE to the next INVITE that it gets.
//!
//! Prints a line each; the figures go to `target/bench/calls.json`.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

mod customers;
mod office;
mod phones;

use std::time::Duration;

use serde_json::{Value, json};

use customers::Customers;
use office::Office;

/// Calls a second that one core of signalling must set up, processor time of one, and the wait of a free agent.
const GOALS: (f64, f64, f64) = (1_000.0, 1.0, 5.0);
/// A phone hangs up so long after its answer.
const TALK: Duration = Duration::from_millis(100);

struct Words {
    agents: usize,
    seconds: u32,
    rates: Vec<u32>,
    recorded: bool,
    database: Option<String>,
}

fn main() {
    let words = words();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut office = runtime.block_on(Office::open(&words));
    println!("{} agents with desk phones and consoles are ready", words.agents);
    let mut figures = Vec::new();
    for &rate in &words.rates {
        let step = step(&mut office, &words, rate);
        println!("{}", step.line());
        let ends = step.failed > 0;
        figures.push(step.json());
        if ends {
            break;
        }
    }
    let free = free_to_invite(&mut office, &words);
    figures.push(free);
    save(&figures);
}

fn words() -> Words {
    let mut words = Words {
        agents: 200,
        seconds: 10,
        rates: vec![25, 50, 100, 200, 400, 800, 1_600],
        recorded: false,
        database: None,
    };
    for word in std::env::args().skip(1) {
        match word.split_once('=') {
            Some(("agents", n)) => words.agents = n.parse().expect("agents=N"),
            Some(("seconds", n)) => words.seconds = n.parse().expect("seconds=N"),
            Some(("rates", list)) => {
                words.rates = list.split(',').map(|n| n.parse().expect("rates=N,N")).collect();
            }
            Some(("database", url)) => words.database = Some(url.into()),
            None if word == "recorded" => words.recorded = true,
            // Cargo says that this is a bench.
            None if word == "--bench" => {}
            _ => panic!("{word}: agents=N seconds=N rates=N,N recorded database=URL"),
        }
    }
    words
}

/// Calls offered at one rate.
struct Step {
    rate: u32,
    calls: u32,
    failed: u32,
    cpu_ms: f64,
    /// From the customer's INVITE to the phone's, sorted.
    delays: Vec<Duration>,
}

fn step(office: &mut Office, words: &Words, rate: u32) -> Step {
    let calls = rate * words.seconds;
    office.phones.begin(TALK);
    let before = office.cpu();
    let customers = Customers { calls, rate, at_once: calls }.start(office, &format!("rate{rate}"));
    let failed = customers.end();
    office.rest();
    let cpu_ms = (office.cpu() - before).as_secs_f64() * 1_000.0 / f64::from(calls);
    let seen = office.phones.end();
    let missing = calls.saturating_sub(seen.answered);
    Step { rate, calls, failed: failed.max(missing), cpu_ms, delays: seen.delays }
}

impl Step {
    fn line(&self) -> String {
        format!(
            "set-ups {:>5}/s offered: {} of {} failed | {:.2} ms CPU a call (goal {:.0}) | INVITE in to INVITE out p50 {} p99 {}",
            self.rate,
            self.failed,
            self.calls,
            self.cpu_ms,
            GOALS.1,
            shown(at(&self.delays, 0.50)),
            shown(at(&self.delays, 0.99)),
        )
    }

    fn json(&self) -> Value {
        json!({
            "bench": "calls", "what": "set-ups", "offered_per_s": self.rate, "calls": self.calls, "failed": self.failed,
            "cpu_ms": self.cpu_ms, "delay_p50_ms": ms(at(&self.delays, 0.50)), "delay_p99_ms": ms(at(&self.delays, 0.99)),
            "goal_per_s": GOALS.0, "goal_cpu_ms": GOALS.1,
        })
    }
}

/// As many wait as there are agents, all the time: each who becomes free gets the next at once.
fn free_to_invite(office: &mut Office, words: &Words) -> Value {
    let agents = words.agents as u32;
    let calls = agents * 12;
    office.phones.begin(Duration::from_secs(1));
    let customers = Customers { calls, rate: agents * 2, at_once: agents * 2 }.start(office, "free");
    let failed = customers.end();
    office.rest();
    let seen = office.phones.end();
    // Those of the beginning and of the end, when nobody waited, are left out.
    let few = words.agents.min(seen.gaps.len() / 4);
    let mut gaps = seen.gaps[few..seen.gaps.len() - 2 * few].to_vec();
    gaps.sort_unstable();
    println!(
        "free to INVITE, {agents} agents and {agents} waiting: p50 {} p99 {} of {} | {failed} of {calls} failed | goal {:.0} ms",
        shown(at(&gaps, 0.50)),
        shown(at(&gaps, 0.99)),
        gaps.len(),
        GOALS.2,
    );
    json!({
        "bench": "calls", "what": "free to INVITE", "agents": agents, "calls": calls, "failed": failed, "measured": gaps.len(),
        "p50_ms": ms(at(&gaps, 0.50)), "p99_ms": ms(at(&gaps, 0.99)), "goal_ms": GOALS.2,
    })
}

fn at(sorted: &[Duration], share: f64) -> Option<Duration> {
    sorted.get((sorted.len().saturating_sub(1) as f64 * share) as usize).copied()
}

fn ms(time: Option<Duration>) -> Option<f64> {
    time.map(|time| time.as_secs_f64() * 1_000.0)
}

fn shown(time: Option<Duration>) -> String {
    ms(time).map_or_else(|| "–".into(), |ms| format!("{ms:.2} ms"))
}

fn save(figures: &[Value]) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&folder).expect("the folder of results");
    let text = serde_json::to_string_pretty(figures).expect("figures are JSON");
    std::fs::write(folder.join("calls.json"), text).expect("the results are written");
}
