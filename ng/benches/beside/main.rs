//! What calls cost here and in rtpengine: processor time a packet, loss, delay, memory a call, in one run under one load.
//!
//! Both programs are processes with one media thread on core 0; the load is on core 1; calls are set up over NG in the same
//! words (`ng_client`). `cargo bench -p ng --bench beside [-- WORDS]`:
//!
//! - `relay`, `srtp-rtp`, `pcmu-pcma`, `pcmu-opus`, `pcmu-g729`, `recorded`: these profiles alone
//! - `rounds=N`, `seconds=N`: runs of each program, in turns (3 of 3 s); `calls=N`: this many calls at most
//! - `crowd`: 400 recorded calls from Opus in browsers to G.711 for a minute, on all cores, ours alone; `codec=g729`: to G.729
//! - `kernel`: plain relay among network namespaces, by the kernel (XDP) and by user space; see the module
//! - `floor`: what encoding and decoding Opus cost here by themselves, at each effort that the plane knows
//! - `chart`: measures nothing; draws the figures of the last run to `docs/pictures/cost.svg`
//!
//! Time is what the kernel charges to the threads of a program (`schedstat`), all of them. Prints a table; the figures go to
//! `target/bench/beside.json`.

mod chart;
mod cpu;
mod crowd;
mod floor;
mod kernel;
mod load;
#[expect(
    clippy::unwrap_used,
    reason = "the network of tests, which ends by panicking where there can be none"
)]
#[path = "../../../fastpath/tests/net/mod.rs"]
mod net;
mod ng_client;
mod page;
mod profile;
mod program;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use media::driver::pin_to_core;
use serde_json::Value;

use load::{Party, Talk};
use profile::{Profile, Said, Trunk};
use program::{Kind, Program};
use table::{Delay, Figures, Run};

/// Calls with Opus or G.729 beside the bare codecs, ours alone.
const ENCODED_CALLS: usize = 150;
const WARM_UP: Duration = Duration::from_secs(1);
/// A load that took longer than this for its time was not the load it says.
const LATE: f64 = 1.01;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if program::be_a_node(&words) {
        return;
    }
    if !words.iter().any(|word| word == "--bench") {
        println!("run it by `cargo bench`: it takes two cores and minutes");
        return;
    }
    if words.iter().any(|word| word == "chart") {
        let panels = ["beside", "kernel"].map(read).into_iter();
        let panels: Vec<_> = panels.filter_map(|it| it.as_array().cloned()).flatten().collect();
        return chart::draw(&panels);
    }
    let number = |name: &str| {
        let said = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        said.and_then(|text| text.parse::<usize>().ok())
    };
    if words.iter().any(|word| word == "floor") {
        pin_to_core(1).ok();
        return floor::show(&Said::prepare());
    }
    if words.iter().any(|word| word == "crowd") {
        let (calls, seconds) = (number("calls").unwrap_or(400), number("seconds").unwrap_or(60));
        let trunk = match words.iter().find_map(|word| word.strip_prefix("codec=")) {
            None | Some("g711") => Trunk::G711,
            Some("g729") => Trunk::G729,
            Some(other) => {
                println!("codec={other}: trunks speak g711 or g729");
                std::process::exit(1);
            }
        };
        return crowd::gather(&folder().join("crowd"), trunk, calls, Duration::from_secs(seconds as u64));
    }
    let plan = Plan {
        rounds: number("rounds").unwrap_or(3).max(1),
        length: Duration::from_secs(number("seconds").unwrap_or(3).max(1) as u64),
        calls_max: number("calls").unwrap_or(usize::MAX),
        recordings: folder().join("recordings"),
    };
    pin_to_core(1).ok();
    if !floor::raise_self() {
        println!("no real-time priority here: other work on this machine will show in the figures");
    }
    let said = Said::prepare();
    if words.iter().any(|word| word == "kernel") {
        let plan = kernel::Plan { rounds: plan.rounds, length: plan.length, calls_max: plan.calls_max };
        let done = kernel::gather(&folder().join("kernel"), &file("kernel"), &plan, &said);
        return done.unwrap_or_else(|why| {
            println!("{why}");
            std::process::exit(1);
        });
    }
    let some = Profile::ALL.iter().any(|profile| words.iter().any(|word| word == profile.name()));
    let wanted = |profile: &Profile| !some || words.iter().any(|word| word == profile.name());
    let mut all = Vec::new();
    for profile in Profile::ALL.into_iter().filter(wanted) {
        match plan.measure(profile, &said) {
            Ok(figures) => {
                table::show(&figures);
                all.push(figures);
            }
            Err(why) => {
                println!("{}: {why}; there is no ratio without both programs", profile.name());
                std::process::exit(1);
            }
        }
    }
    std::fs::remove_dir_all(&plan.recordings).ok();
    let text =
        serde_json::to_string_pretty(&Value::from_iter(all.iter().map(Figures::json))).unwrap_or_default();
    let file = file("beside");
    match std::fs::write(&file, text) {
        Ok(()) => println!("\n{}; `make bench-chart` draws it", file.display()),
        Err(why) => println!("cannot write {}: {why}", file.display()),
    }
}

struct Plan {
    rounds: usize,
    length: Duration,
    calls_max: usize,
    recordings: PathBuf,
}

/// A program with its calls.
struct Engine {
    kind: Kind,
    program: Program,
    parties: Vec<Party>,
    runs: Vec<Run>,
    /// Calls and resident KiB after each stage.
    memory: Vec<(usize, f64)>,
    delay: Option<Delay>,
}

impl Plan {
    fn measure(&self, profile: Profile, said: &Said) -> Result<Figures, String> {
        let start = |kind| {
            let program = Program::start(kind, &self.recordings)?;
            let (parties, runs, memory) = (Vec::new(), Vec::new(), Vec::new());
            Ok::<_, String>(Engine { kind, program, parties, runs, memory, delay: None })
        };
        let mut engines = Kind::ALL.into_iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let sizes = profile.sizes().iter().map(|calls| *calls.min(&self.calls_max));
        for calls in sizes {
            for engine in &mut engines {
                engine.grow(profile, calls, said)?;
            }
            // In turns, so that what else the machine does disturbs all alike.
            for _ in 0..self.rounds {
                engines.iter_mut().for_each(|engine| engine.run(calls, self.length));
            }
            for engine in &mut engines {
                let kib = cpu::resident_kib(engine.program.pid()).ok_or("a program ended")?;
                engine.memory.push((calls, kib));
            }
        }
        for calls in profile.more_sizes().iter().filter(|calls| **calls < self.calls_max) {
            engines.iter_mut().for_each(|engine| engine.run(*calls, self.length));
        }
        // What codecs cost shows where waking for packets does not: with more calls than the peer can carry.
        if profile.encodes() && self.calls_max >= ENCODED_CALLS {
            for engine in engines.iter_mut().filter(|engine| engine.kind != Kind::Rtpengine) {
                engine.grow(profile, ENCODED_CALLS, said)?;
                engine.run(ENCODED_CALLS, self.length);
            }
        }
        if profile == Profile::Relay {
            engines.iter_mut().for_each(|engine| engine.delay_at_half_load(self.length));
        }
        let floor_us = floor::us_per_packet(profile, said);
        let engines = engines.into_iter().map(Engine::result).collect();
        Ok(Figures { profile, floor_us, engines })
    }
}

impl Engine {
    /// Sets up calls until there are so many.
    fn grow(&mut self, profile: Profile, calls: usize, said: &Said) -> Result<(), String> {
        for call in self.parties.len() / 2..calls {
            let set_up = profile.set_up(&mut self.program.client, call, said);
            let parties = set_up.map_err(|why| format!("{}: call {call}: {why}", self.kind.name()))?;
            self.parties.extend(parties);
        }
        Ok(())
    }

    /// Lets so many calls talk.
    fn run(&mut self, calls: usize, length: Duration) {
        let run = self.once(calls, length);
        self.runs.push(run);
    }

    fn once(&mut self, calls: usize, length: Duration) -> Run {
        let pid = self.program.pid();
        let realtime = cpu::raise(pid);
        let parties = &mut self.parties[..2 * calls];
        load::run(parties, Talk::of(WARM_UP), || 0.0);
        let mut counted = load::run(parties, Talk::of(length), || cpu::spent_us(pid));
        // A program that was full works off what it could not, on the core that the next one needs.
        cpu::await_rest(pid);
        Run {
            calls,
            us_per_packet: counted.spent_us / counted.received.max(1) as f64,
            core_percent: counted.spent_us / counted.took.as_micros() as f64 * 100.0,
            lost_percent: counted.lost_percent(),
            late: counted.took > length.mul_f64(LATE),
            wrong: counted.wrong,
            spread_us: (0.0, 0.0),
            delay: Delay { calls, p50_ms: counted.delay_ms(0.5), p99_ms: counted.delay_ms(0.99) },
            realtime,
        }
    }

    /// The delay with as many calls as take half of the core.
    fn delay_at_half_load(&mut self, length: Duration) {
        let Some(most) = table::medians(&self.runs).pop() else { return };
        let calls = (most.calls as f64 * 50.0 / most.core_percent) as usize;
        let calls = calls.clamp(1, self.parties.len() / 2);
        // The better of two: a pause of the machine is nobody's delay.
        let runs = [self.once(calls, length), self.once(calls, length)];
        let best = runs.into_iter().map(|run| run.delay).min_by(|a, b| a.p99_ms.total_cmp(&b.p99_ms));
        self.delay = best;
    }

    fn result(self) -> table::Engine {
        let kib_per_call = match (self.memory.first(), self.memory.last()) {
            (Some((few, before)), Some((many, after))) if many > few => {
                Some((after - before) / (many - few) as f64)
            }
            _ => None,
        };
        let runs = table::medians(&self.runs);
        table::Engine { kind: self.kind, runs, kib_per_call, delay: self.delay }
    }
}

/// Where figures go.
fn folder() -> PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    std::fs::create_dir_all(&folder).ok();
    folder
}

fn file(name: &str) -> PathBuf {
    folder().join(name).with_extension("json")
}

fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(file(name)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
