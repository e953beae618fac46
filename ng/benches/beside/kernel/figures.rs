//! What relaying costs above nothing, as a table for people and as JSON for the chart.

use std::time::Duration;

use serde_json::{Value, json};

use super::{End, Kind, SIZES, WAYS};
use crate::load::Counted;

/// The share of the peer's time that we want to stay below, and the one we dream of.
const GOAL: (f64, f64) = (0.12, 0.08);
/// Loss that is still none, in percent.
const LOSS_MAX: f64 = 0.01;
const LATE: f64 = 1.01;
const FULL: f64 = 98.0;

/// One run of one way. Times in microseconds a packet.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Of sending and listening.
    load: f64,
    /// Of the kernel's own threads for packets.
    kernel: f64,
    program: f64,
    pub per_second: f64,
    pub lost_percent: f64,
    wrong: u64,
    /// Of a hundred packets: relayed by the kernel, and come up to user space, as our program counts them.
    carried: Option<(f64, f64)>,
    late: bool,
    realtime: bool,
}

/// Times of the kernel's threads and of the program, and what the program counts.
type Look = ([f64; 2], Option<Value>);

impl Sample {
    pub fn between(before: &Look, after: &Look, counted: &Counted, length: Duration, realtime: bool) -> Self {
        let packets = counted.metered.max(1) as f64;
        let each = |at: usize| (after.0[at] - before.0[at]) / packets;
        let count = |look: &Look, name: &str| {
            let threads = look.1.as_ref()?.as_array()?;
            Some(threads.iter().filter_map(|thread| thread[name].as_f64()).sum::<f64>())
        };
        let share = |name| Some(100.0 * (count(after, name)? - count(before, name)?) / packets);
        Self {
            load: counted.worked_us / packets,
            kernel: each(0),
            program: each(1),
            per_second: packets / counted.took.as_secs_f64(),
            lost_percent: counted.lost_percent(),
            wrong: counted.wrong + counted.gaps,
            carried: share("fast_packets").zip(share("received")),
            late: counted.took > length.mul_f64(LATE),
            realtime,
        }
    }

    /// Everybody's time.
    fn all(&self) -> f64 {
        self.load + self.kernel + self.program
    }

    fn is_full(&self) -> bool {
        self.late || self.lost_percent >= 1.0 || self.program * self.per_second / 10_000.0 >= FULL
    }
}

#[derive(Default)]
pub struct Figures {
    pub samples: Vec<(End, Option<Kind>, usize, Sample)>,
    /// Nanoseconds of the XDP program alone, and packets it saw of a hundred.
    pub program_ns: Option<(f64, f64)>,
}

/// Of the runs of one way with one number of calls.
struct Row {
    kind: Option<Kind>,
    calls: usize,
    middle: Sample,
    /// Above nobody, microseconds a packet: the run in the middle, the cheapest, the dearest.
    above: [f64; 3],
    full: bool,
}

impl Figures {
    fn rows(&self, end: End) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let sizes: std::collections::BTreeSet<usize> = self.samples.iter().map(|sample| sample.2).collect();
        for (calls, kind) in sizes.into_iter().flat_map(|calls| WAYS.map(|kind| (calls, kind))) {
            let of = self.samples.iter().filter(|(at, of, n, _)| (*at, *of, *n) == (end, kind, calls));
            let mut runs: Vec<Sample> = of.map(|(.., sample)| *sample).collect();
            runs.sort_by(|a, b| a.all().total_cmp(&b.all()));
            let (Some(least), Some(most)) = (runs.first(), runs.last()) else { continue };
            // Loss and wrong packets of any run count.
            let middle = Sample {
                lost_percent: runs.iter().map(|run| run.lost_percent).fold(0.0, f64::max),
                wrong: runs.iter().map(|run| run.wrong).sum(),
                ..runs[runs.len() / 2]
            };
            let nobody = rows.iter().find(|row| row.kind.is_none() && row.calls == calls);
            let nobody = nobody.map_or(0.0, |row| row.middle.all());
            let above = [middle.all(), least.all(), most.all()].map(|all| all - nobody);
            let full = runs.iter().any(Sample::is_full);
            rows.push(Row { kind, calls, middle, above, full });
        }
        rows
    }

    /// Prints them.
    pub fn show(&self) {
        println!(
            "\nplain relay among network namespaces, far ends drop at their interface: by the kernel at most {:.2} of rtpengine's time a packet, better {:.2}",
            GOAL.0, GOAL.1
        );
        self.table(End::Interface);
        if let Some((ns, seen)) = self.program_ns {
            println!(
                "        the XDP program by itself: {ns:.0} ns a packet by the kernel's statistics, {seen:.2} of 100 packets seen"
            );
        }
        println!(
            "the same, far ends are sockets and look at every packet; with the copies that a veth makes for a program"
        );
        self.table(End::Sockets);
    }

    fn table(&self, end: End) {
        println!(
            "{:>6}  {:10} {:>9} {:>13} {:>9} {:>9} {:>9} {:>15}  {:>5}",
            "calls",
            "relayed by",
            "us/packet",
            "least-most",
            "program",
            "others",
            "lost",
            "kernel/came up",
            "ratio"
        );
        let rows = self.rows(end);
        for row in &rows {
            let of = |kind: Option<Kind>| rows.iter().find(|it| it.kind == kind && it.calls == row.calls);
            let run = &row.middle;
            let carried = run.carried.map_or_else(String::new, |(by, up)| format!("{by:.2}/{up:.2} %"));
            let nobody = of(None).filter(|_| row.kind.is_some()).map_or(0.0, |row| row.middle.all());
            print!(
                "{:>6}  {:10} {:9.2} {:6.2}-{:6.2} {:9.2} {:9.2} {:8.4}% {carried:>15}  ",
                row.calls,
                row.kind.map_or("nobody", Kind::name),
                row.above[0],
                row.above[1],
                row.above[2],
                run.program,
                run.load + run.kernel - nobody,
                run.lost_percent
            );
            println!("{}", judged(end, row, of(Some(Kind::Rtpengine))));
        }
    }

    /// In the shape of the other figures, so that the chart can draw it.
    pub fn json(&self) -> Value {
        let run = |row: &Row| {
            json!({
                "calls": row.calls, "us_per_packet": row.above[0], "us_least": row.above[1], "us_most": row.above[2],
                "core_percent": row.above[0] * row.middle.per_second / 10_000.0,
                "us_of_program": row.middle.program, "full": row.full,
                "lost_percent": row.middle.lost_percent, "wrong": row.middle.wrong,
                "carried_percent": row.middle.carried.map(|carried| carried.0),
                "came_up_percent": row.middle.carried.map(|carried| carried.1),
                "realtime": row.middle.realtime,
            })
        };
        let engines = |end: End| {
            let rows = self.rows(end);
            let engine = |kind: Option<Kind>| {
                let runs = rows.iter().filter(|row| row.kind == kind).map(run);
                json!({ "name": kind.map_or("nobody", Kind::name), "runs": Value::from_iter(runs) })
            };
            Value::from_iter(WAYS.map(engine))
        };
        json!([{
            "profile": "kernel", "title": "plain relay among namespaces", "goal": GOAL.0, "moonshot": GOAL.1,
            "program_ns": self.program_ns.map(|it| it.0), "sizes": SIZES,
            "engines": engines(End::Interface), "at_sockets": engines(End::Sockets),
        }])
    }
}

fn judged(end: End, row: &Row, peer: Option<&Row>) -> String {
    let mut said = String::new();
    match peer.filter(|_| row.kind.is_some_and(|kind| kind != Kind::Rtpengine)) {
        None if row.kind.is_none() => said += "       is subtracted from the others",
        None => {}
        Some(peer) if peer.full || row.full => said += "    -  no ratio: somebody is full",
        Some(peer) => {
            let ratio = row.above[0] / peer.above[0];
            let verdict = match ratio {
                _ if row.kind != Some(Kind::Kernel) || end == End::Sockets => "",
                ratio if ratio <= GOAL.1 => "better than hoped",
                ratio if ratio <= GOAL.0 => "reached",
                _ => "not reached",
            };
            said += &format!("{ratio:5.3}  {verdict}");
        }
    }
    for (remark, is_so) in [
        ("FULL", row.full),
        ("LOSS", row.middle.lost_percent >= LOSS_MAX),
        ("WRONG", row.middle.wrong > 0),
        ("without priority", !row.middle.realtime),
    ] {
        if is_so {
            said += &format!("  {remark}");
        }
    }
    said
}
