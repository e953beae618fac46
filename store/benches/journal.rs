//! How many events a second the journal makes durable, and how long one append waits for it.
//!
//! Many tasks append one event each and wait for the receipt. Beside each figure stands a bare floor: a
//! file to which the same bytes are appended in groups of the size that the journal reached, each group flushed with
//! `fdatasync`. No database can be faster than that on this disk.
//!
//! Then **assignments**, as a floor writes them: callers who wait are offered and accepted, so many in an append, and the next append is made
//! when the one before is durable. Each assignment is two events of an interaction of its own, and changes its record.
//!
//! Results: one line each, and `target/bench/journal.json`.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use model::id::{AgentId, Id, InteractionId, OfferToken, TenantId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::journal::{Event, Seq};
use model::time::Timestamp;
use store::testing::{PostgresServer, Scratch};
use store::{Journal, JournalConfig, Store};

/// Events a second that one appliance must be able to keep.
const GOAL: f64 = 10_000.0;
/// Assignments a second that one appliance must be able to keep, and the 99th percentile of their wait.
const ASSIGNMENTS_GOAL: f64 = 100_000.0;
const ASSIGNMENTS_P99_MS: f64 = 5.0;
/// Assignments in one append: what a floor decides while the last append becomes durable.
const TOGETHER: u64 = 256;
/// Interactions that wait at a time and then are all assigned, and how often that comes; the first is for warming up.
const WAITING: u64 = 10_240;
const ROUNDS: u64 = 11;
/// Tasks that append and wait: calls that change at the same moment on a large floor.
const APPENDERS: u64 = 512;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

struct Figure {
    engine: &'static str,
    events_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    group: f64,
    floor_per_s: f64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut figures = Vec::new();
    let mut assigned = Vec::new();

    let db = Scratch::sqlite();
    figures.push(runtime.block_on(measure("sqlite", &db.url, db.folder())));
    let db = Scratch::sqlite();
    assigned.push(runtime.block_on(assign("sqlite", &db.url, db.folder())));

    if PostgresServer::is_installed() {
        let server = PostgresServer::start_durable();
        let url = server.create_database("bench");
        figures.push(runtime.block_on(measure("postgres", &url, db.folder())));
        let url = server.create_database("assignments");
        assigned.push(runtime.block_on(assign("postgres", &url, db.folder())));
    } else {
        println!("journal postgres: not installed, not measured");
    }

    for figure in &figures {
        println!(
            "journal {:<8} {:>7.0} events/s durable, p50 {:.2} ms, p99 {:.2} ms, {:.0} a flush | floor {:.0} events/s \
             (write + fdatasync, same groups) | ratio {:.2} | goal {GOAL:.0}: {}",
            figure.engine,
            figure.events_per_s,
            figure.p50_ms,
            figure.p99_ms,
            figure.group,
            figure.floor_per_s,
            figure.events_per_s / figure.floor_per_s,
            if figure.events_per_s >= GOAL { "reached" } else { "missed" },
        );
    }
    for Assigned { engine, per_s, p50_ms, p99_ms, saved_after_s } in &assigned {
        let reached = *per_s >= ASSIGNMENTS_GOAL && *p99_ms <= ASSIGNMENTS_P99_MS;
        println!(
            "assignments {engine:<8} {per_s:>7.0}/s durable, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, their records saved \
             {saved_after_s:.2} s later | goal {ASSIGNMENTS_GOAL:.0} and {ASSIGNMENTS_P99_MS:.0} ms: {}",
            if reached { "reached" } else { "missed" },
        );
    }
    save(&figures, &assigned);
}

struct Assigned {
    engine: &'static str,
    per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// How long the records that were still in memory took when the last assignment was durable.
    saved_after_s: f64,
}

/// Callers arrive and wait; then all of them are offered and accepted, as fast as it goes: this is measured.
async fn assign(engine: &'static str, url: &str, folder: &Path) -> Assigned {
    let store = Store::open(url).await.expect("the database opens");
    let config = JournalConfig::at(folder.join(format!("{engine}.assignments.spool")));
    let journal = Journal::open(&store, config).await.expect("the journal opens");
    let tenant = TenantId::from_number(1);
    let append = async |events: Vec<Event>| {
        let at = Timestamp::from_millis(1);
        journal.append(tenant, events, at).expect("room").await.expect("durable");
    };
    let (mut waits, mut spent) = (Vec::new(), Duration::ZERO);
    for round in 0..ROUNDS {
        let all: Vec<u64> = (round * WAITING..(round + 1) * WAITING).collect();
        for some in all.chunks(512) {
            let arrived = |n: &u64| arrived(InteractionId::from_number(n + 1), format!("+4917{n:010}"));
            append(some.iter().map(arrived).collect()).await;
        }
        let start = Instant::now();
        for some in all.chunks(TOGETHER as usize) {
            let events = some.iter().flat_map(|n| {
                let (interaction, agent) =
                    (InteractionId::from_number(n + 1), AgentId::from_number(n % 10_000));
                let token = OfferToken::from_number(n + 1);
                let deadline = Timestamp::from_millis(20_000);
                [
                    Event::Offered { interaction, agent, token, deadline },
                    Event::Accepted { interaction, agent, token },
                ]
            });
            let asked = Instant::now();
            append(events.collect()).await;
            waits.push(asked.elapsed());
        }
        if round == 0 {
            waits.clear();
        } else {
            spent += start.elapsed();
        }
        // They end, and are forgotten.
        for some in all.chunks(512) {
            let interaction = |n: &u64| InteractionId::from_number(n + 1);
            let (status, by) = (EndStatus::Abandoned, EndedBy::Customer);
            append(some.iter().map(|n| Event::Ended { interaction: interaction(n), status, by }).collect())
                .await;
        }
    }
    let per_s = (waits.len() as u64 * TOGETHER) as f64 / spent.as_secs_f64();
    let ended = Instant::now();
    let last = InteractionId::from_number(ROUNDS * WAITING);
    let record = store.records().record(tenant, last).await.expect("read").expect("a record");
    assert!(record.agent.is_some(), "the last assignment is in its record");
    let saved_after_s = ended.elapsed().as_secs_f64();
    journal.close().await;
    store.close().await;
    waits.sort_unstable();
    let ms = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    Assigned { engine, per_s, p50_ms: ms(0.50), p99_ms: ms(0.99), saved_after_s }
}

fn arrived(interaction: InteractionId, caller: String) -> Event {
    Event::Arrived {
        interaction,
        channel: Channel::Voice,
        direction: Direction::Inbound,
        caller,
        caller_name: None,
        contact: "+4930555".into(),
        trunk: None,
        service: None,
        calling_agent: None,
    }
}

async fn measure(engine: &'static str, url: &str, folder: &Path) -> Figure {
    let store = Store::open(url).await.expect("the database opens");
    let config = JournalConfig::at(folder.join(format!("{engine}.spool")));
    let journal = Journal::open(&store, config).await.expect("the journal opens");
    let tenant = TenantId::from_number(1);
    let start = Instant::now();
    let (begin, end) = (start + WARM_UP, start + WARM_UP + MEASURED);
    let tasks: Vec<_> = (0..APPENDERS)
        .map(|task| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut waits = Vec::new();
                for n in 0.. {
                    let asked = Instant::now();
                    if asked >= end {
                        break;
                    }
                    let events = vec![event(task, n)];
                    journal
                        .append(tenant, events, Timestamp::from_millis(n))
                        .expect("room")
                        .await
                        .expect("durable");
                    if asked >= begin {
                        waits.push(asked.elapsed());
                    }
                }
                waits
            })
        })
        .collect();
    let mut commits = 0_u64;
    let mut seen = 0;
    let mut waits = Vec::new();
    // Groups are counted from outside: the head moves once a commit.
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_micros(200)).await;
        let head = journal.last_seq(tenant).await.expect("the head is read").0;
        commits += u64::from(head != seen && Instant::now() >= begin);
        seen = head;
    }
    for task in tasks {
        waits.extend(task.await.expect("an appender ends well"));
    }
    waits.sort_unstable();
    let rate = waits.len() as f64 / MEASURED.as_secs_f64();
    let group = (waits.len() as f64 / commits.max(1) as f64).max(1.0);
    let bytes: usize = {
        let sample = journal.read(tenant, Seq(1), 1_000).await.expect("the journal is read");
        let sizes = sample.iter().map(|entry| serde_json::to_vec(entry).map_or(0, |json| json.len()));
        sizes.sum::<usize>() / sample.len().max(1)
    };
    journal.close().await;
    store.close().await;
    let floor_per_s = floor(folder, bytes, group.round() as usize);
    let ms = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    Figure { engine, events_per_s: rate, p50_ms: ms(0.50), p99_ms: ms(0.99), group, floor_per_s }
}

/// The life of a call, one event after the other: so records are folded and written too.
fn event(task: u64, n: u64) -> Event {
    let interaction = InteractionId::from_number(task * 1_000_000 + n / 5 + 1);
    let agent = AgentId::from_number(task);
    match n % 5 {
        0 => arrived(interaction, format!("+4917{task:05}{n:05}")),
        1 => Event::Bridged { interaction, agent },
        2 => Event::HoldChanged { interaction, agent: None, held: true },
        3 => Event::Ended { interaction, status: EndStatus::Normal, by: EndedBy::Customer },
        _ => Event::Completed { interaction, agent, wrap_up: Duration::from_secs(1) },
    }
}

/// Events a second of a bare file: as many bytes, groups as large, each flushed.
fn floor(folder: &Path, bytes: usize, group: usize) -> f64 {
    let mut file = std::fs::File::create(folder.join("floor")).expect("a file");
    let text = vec![b'x'; bytes * group];
    let start = Instant::now();
    let mut groups = 0_u32;
    while start.elapsed() < Duration::from_secs(2) {
        file.write_all(&text).expect("written");
        file.sync_data().expect("flushed");
        groups += 1;
    }
    f64::from(groups) * group as f64 / start.elapsed().as_secs_f64()
}

fn save(figures: &[Figure], assigned: &[Assigned]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    let rows: Vec<_> = figures
        .iter()
        .map(|f| {
            serde_json::json!({
                "bench": "journal", "engine": f.engine, "appenders": APPENDERS, "events_per_s": f.events_per_s.round(),
                "p50_ms": f.p50_ms, "p99_ms": f.p99_ms, "events_per_flush": f.group.round(),
                "anchor": "write and fdatasync of the same bytes in the same groups",
                "anchor_events_per_s": f.floor_per_s.round(), "ratio": f.events_per_s / f.floor_per_s,
                "goal_events_per_s": GOAL, "goal_reached": f.events_per_s >= GOAL,
            })
        })
        .chain(assigned.iter().map(|a| {
            serde_json::json!({
                "bench": "assignments", "engine": a.engine, "per_s": a.per_s.round(), "p50_ms": a.p50_ms, "p99_ms": a.p99_ms,
                "saved_after_s": a.saved_after_s, "goal_per_s": ASSIGNMENTS_GOAL, "goal_p99_ms": ASSIGNMENTS_P99_MS,
            })
        }))
        .collect();
    std::fs::create_dir_all(&folder).expect("the folder of results");
    let text = serde_json::to_string_pretty(&rows).expect("figures are JSON");
    std::fs::write(folder.join("journal.json"), text).expect("the results are written");
}
