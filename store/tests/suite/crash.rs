//! The appliance is killed while it appends: a child process, this test binary again, dies by SIGKILL.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use model::id::{AgentId, Id, TenantId};
use model::journal::{Event, Seq};
use store::testing::PostgresServer;
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
type Acknowledged = (u64, u64, u64);

/// Runs a child, asks `enough` after each acknowledgement with their number so far, and kills it then.
fn run_and_kill(url: &str, spool: &Path, mut enough: impl FnMut(usize) -> bool) -> Vec<Acknowledged> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(URL, url)
        .env(SPOOL, spool)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // The kill can tear the last line; the test harness says other things.
        if let Some(numbers) = line.strip_suffix('\n').and_then(|line| line.split_once("acknowledged ")) {
            let numbers: Vec<u64> = numbers.1.split(' ').map(|n| n.parse().unwrap()).collect();
            acknowledged.push((numbers[0], numbers[1], numbers[2]));
            if enough(acknowledged.len()) {
                child.kill().unwrap();
            }
        }
        line.clear();
    }
    child.wait().unwrap();
    acknowledged
}

/// All that was acknowledged is there, no place is missing or used twice, no append is there in part, no record is behind.
async fn check(url: &str, spool: &Path, acknowledged: &[Acknowledged]) {
    let store = Store::open(url).await.unwrap();
    let journal = Journal::open(&store, JournalConfig::at(spool)).await.unwrap();
    assert_eq!(journal.health(), store::Health::default());
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
            let (Event::Arrived { interaction, .. }, Event::AgentLoggedOut { .. }) =
                (&first.event, &second.event)
            else {
                panic!("appends were mixed: {pair:?}")
            };
            // The last ones are those a crash could have left without their record.
            if first.seq.0 + 3_000 > entries.len() as u64 {
                let record = store.records().record(id, *interaction).await.unwrap();
                assert_eq!(record.map(|record| record.arrived_at), Some(first.at), "a record is behind");
            }
        }
        for (_, place, call_id) in acknowledged.iter().filter(|(of, _, _)| *of == tenant) {
            let entry = entries.get(*place as usize - 1).expect("an acknowledged event is there");
            assert_eq!(entry.event.interaction(), Some(call(*call_id)), "at the place that was acknowledged");
        }
    }
    journal.close().await;
    store.close().await;
}

#[expect(clippy::disallowed_methods, reason = "the test kills by the clock")]
fn now() -> Instant {
    Instant::now()
}

on_each_engine! {
    /// OPS-03: killed at odd moments during appends, again and again on one database.
    async fn a_killed_appliance_has_everything_it_acknowledged(db: Scratch) {
        let mut all = Vec::new();
        for round in 0..6_u64 {
            // Its life begins with its first acknowledgement.
            let (life, mut die_at) = (Duration::from_millis(5 + round * 37), None);
            let enough = |_| now() >= *die_at.get_or_insert_with(|| now() + life);
            let acknowledged = tokio::task::block_in_place(|| run_and_kill(&db.url, &db.spool(), enough));
            assert!(!acknowledged.is_empty(), "round {round} acknowledged nothing");
            all.extend(acknowledged);
            check(&db.url, &db.spool(), &all).await;
        }
    }
}

/// OPS-03: killed while the database is away: what was acknowledged from the spool file alone is in the database after
/// the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appliance_killed_during_an_outage_has_everything_it_acknowledged() {
    let server = PostgresServer::start_durable();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let url = server.create_database("killed");
    // The pipe may hold two thousand lines of before the outage: those after them were acknowledged without a database.
    let mut spooled_at = None;
    let enough = |count| {
        if count == 200 {
            server.stop();
        }
        if spooled_at.is_none() && std::fs::metadata(&spool).is_ok_and(|file| file.len() > 0) {
            spooled_at = Some(count);
        }
        spooled_at.is_some_and(|first| count > first + 3_000)
    };
    let acknowledged = tokio::task::block_in_place(|| run_and_kill(&url, &spool, enough));
    assert!(acknowledged.len() > 3_000);
    server.resume();
    check(&url, &spool, &acknowledged).await;
}
