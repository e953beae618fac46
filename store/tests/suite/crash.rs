//! The appliance is killed while it appends: a child process, this test binary again, dies by SIGKILL.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use model::id::{AgentId, Id, TenantId};
use model::journal::{Event, Seq};
use store::testing::Scratch;
use store::{Journal, JournalConfig, Store};

use crate::fixture::*;
use crate::on_each_engine;

const URL: &str = "PATCHBAY_CRASH_URL";
const SPOOL: &str = "PATCHBAY_CRASH_SPOOL";
const TENANTS: u64 = 3;

/// Not a test: what the crash tests run and kill. Appends as fast as it can and says what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the crash tests run it as a child process"]
async fn child() {
    let url = std::env::var(URL).expect("run by the crash tests only");
    let store = Store::open(&url).await.unwrap();
    let journal = Journal::open(&store, JournalConfig::at(std::env::var(SPOOL).unwrap())).await.unwrap();
    let appenders: Vec<_> = (0..12)
        .map(|task| {
            let journal = journal.clone();
            let tenant = task % TENANTS;
            tokio::spawn(async move {
                for n in 0.. {
                    let call_id = (u64::from(std::process::id()) * 100 + task) * 1_000_000 + n;
                    let events = vec![
                        arrived(call_id, "+49170"),
                        Event::AgentLoggedOut { agent: AgentId::from_number(call_id) },
                    ];
                    let places =
                        journal.append(TenantId::from_number(tenant), events, at(n)).unwrap().await.unwrap();
                    // One write a line: the parent reads whole lines only.
                    println!("acknowledged {tenant} {} {call_id}", places.first.0);
                }
            })
        })
        .collect();
    for appender in appenders {
        appender.await.unwrap();
    }
}

/// What a child said it had been told is durable: tenant, place, call.
fn run_and_kill(db: &Scratch, life: Duration) -> Vec<(u64, u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(URL, &db.url)
        .env(SPOOL, db.spool())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut die_at = None;
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // The kill can tear the last line; the test harness says other things.
        if let Some(numbers) = line.strip_suffix('\n').and_then(|line| line.split_once("acknowledged ")) {
            let numbers: Vec<u64> = numbers.1.split(' ').map(|n| n.parse().unwrap()).collect();
            acknowledged.push((numbers[0], numbers[1], numbers[2]));
            // Its life begins with its first acknowledgement.
            if now() >= *die_at.get_or_insert_with(|| now() + life) {
                child.kill().unwrap();
            }
        }
        line.clear();
    }
    child.wait().unwrap();
    acknowledged
}

#[expect(clippy::disallowed_methods, reason = "the test kills by the clock")]
fn now() -> Instant {
    Instant::now()
}

on_each_engine! {
    /// OPS-03: killed at odd moments during appends, again and again on one database: all that was acknowledged is
    /// there, no place is missing or used twice, no append is there in part, and no record is behind.
    async fn a_killed_appliance_has_everything_it_acknowledged(db: Scratch) {
        let mut all = Vec::new();
        for round in 0..6_u64 {
            let life = Duration::from_millis(5 + round * 37);
            let before = all.len();
            let acknowledged = tokio::task::block_in_place(|| run_and_kill(&db, life));
            all.extend(acknowledged);
            assert!(all.len() > before, "round {round} acknowledged nothing");

            let store = db.open().await;
            let journal = Journal::open(&store, JournalConfig::at(db.spool())).await.unwrap();
            for tenant in 0..TENANTS {
                let id = TenantId::from_number(tenant);
                let mut entries = Vec::new();
                loop {
                    let more = journal.read(id, Seq(entries.len() as u64 + 1), 10_000).await.unwrap();
                    if more.is_empty() {
                        break;
                    }
                    entries.extend(more);
                }
                let places: Vec<u64> = entries.iter().map(|entry| entry.seq.0).collect();
                assert_eq!(places, (1..=entries.len() as u64).collect::<Vec<_>>(), "no gap, no double");
                assert_eq!(journal.last_seq(id).await.unwrap().0, entries.len() as u64);
                for pair in entries.chunks(2) {
                    let [first, second] = pair else { panic!("half an append was stored: {pair:?}") };
                    let (Event::Arrived { interaction, .. }, Event::AgentLoggedOut { .. }) = (&first.event, &second.event)
                    else {
                        panic!("appends were mixed: {pair:?}")
                    };
                    if first.seq.0 + 200 > entries.len() as u64 {
                        let found = store.records().record(id, *interaction).await.unwrap();
                        assert_eq!(found.map(|record| record.interaction), Some(*interaction), "a record is behind");
                    }
                }
                for (_, place, call_id) in all.iter().filter(|(of, _, _)| *of == tenant) {
                    let entry = entries.get(*place as usize - 1).expect("an acknowledged event is there");
                    assert_eq!(entry.event.interaction(), Some(call(*call_id)), "at the place that was acknowledged");
                }
            }
            journal.close().await;
            store.close().await;
        }
    }
}
