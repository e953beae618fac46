//! The journal while the database is away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::id::{AgentId, Id, TenantId};
use model::interaction::EndStatus;
use model::journal::{Event, Seq};
use sqlx::Connection as _;
use store::testing::{PostgresServer, Scratch};
use store::{AppendError, HealthState, Journal, JournalConfig, Store};

use crate::fixture::*;

fn logout(n: u64) -> Event {
    Event::AgentLoggedOut { agent: AgentId::from_number(n) }
}

/// Short times, so that an outage of two seconds is a long one.
fn config(spool: &Path) -> JournalConfig {
    JournalConfig { spool_after: Duration::from_millis(300), ..JournalConfig::at(spool) }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// Appends one event after the other, counted from 1, until told to stop; gives the places in order of acknowledgement.
fn appender(
    journal: &Journal,
    tenant: TenantId,
    stop: &Arc<AtomicBool>,
) -> tokio::task::JoinHandle<Vec<u64>> {
    let (journal, stop) = (journal.clone(), stop.clone());
    tokio::spawn(async move {
        let mut places = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let n = places.len() as u64 + 1;
            places.push(journal.append(tenant, vec![logout(n)], at(n)).unwrap().await.unwrap().first.0);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        places
    })
}

/// Everything acknowledged is there, in order, without a gap or a double.
async fn check(journal: &Journal, tenant: TenantId, places: &[u64]) {
    assert_eq!(places, (1..=places.len() as u64).collect::<Vec<_>>(), "acknowledged in order");
    let stored = journal.read(tenant, Seq(1), 10_000).await.unwrap();
    let expected: Vec<(u64, Event)> = (1..=places.len() as u64).map(|n| (n, logout(n))).collect();
    assert_eq!(stored.into_iter().map(|entry| (entry.seq.0, entry.event)).collect::<Vec<_>>(), expected);
}

/// OPS-03: PostgreSQL is stopped at once for some seconds, twice, while calls go on: every event is acknowledged from
/// the local file, and afterwards all of them are in the database in their order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stopped_for_seconds_loses_nothing() {
    let server = Arc::new(PostgresServer::start_durable());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&server.create_database("outage")).await.unwrap();
    let spool = folder.path().join("spool");
    let journal = Journal::open(&store, config(&spool)).await.unwrap();
    let mut heard = journal.subscribe();
    let tenants = [TenantId::from_number(1), TenantId::from_number(2)];
    for tenant in tenants {
        // Known before the outage, so that its places can be given during it.
        journal.append(tenant, vec![], at(0)).unwrap().await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let appenders = tenants.map(|tenant| appender(&journal, tenant, &stop));

    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let away = server.clone();
        tokio::task::spawn_blocking(move || away.stop()).await.unwrap();
        until("the outage is noticed and spooled", || journal.health().spooled > 50).await;
        assert_eq!(journal.health().state, HealthState::Away);
        assert!(journal.health().error.is_some());
        let back = server.clone();
        tokio::task::spawn_blocking(move || back.resume()).await.unwrap();
        until("the database is used again", || journal.health().state == HealthState::Up).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let mut all = 0;
    let mut acknowledged = Vec::new();
    for appender in appenders {
        acknowledged.push(appender.await.unwrap());
    }
    until("the spool file is drained", || journal.health().spooled == 0).await;
    for (tenant, places) in tenants.into_iter().zip(&acknowledged) {
        check(&journal, tenant, places).await;
        all += places.len();
    }
    assert_eq!(std::fs::metadata(&spool).unwrap().len(), 0, "the spool file is empty again");
    let mut last = [0, 0];
    for _ in 0..all {
        let entry = heard.recv().await.unwrap();
        let of = tenants.iter().position(|tenant| *tenant == entry.tenant).unwrap();
        last[of] += 1;
        assert_eq!(entry.seq.0, last[of], "published once, in order");
    }
    assert!(heard.try_recv().is_err(), "nothing is published twice");
}

/// OPS-03: a SQLite file that somebody holds locked is an outage like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_file_loses_nothing() {
    let db = Scratch::sqlite();
    let patience = Duration::from_millis(100);
    let store =
        Store::open_with(&db.url, &store::StoreConfig { patience, ..Default::default() }).await.unwrap();
    let journal = Journal::open(&store, config(&db.spool())).await.unwrap();
    journal.append(tenant_id(), vec![], at(0)).unwrap().await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let appender = appender(&journal, tenant_id(), &stop);
    tokio::time::sleep(Duration::from_millis(100)).await;

    let mut holder = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    until("events are spooled", || journal.health().spooled > 50).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    until("the spool file is drained", || journal.health() == store::Health::default()).await;
    stop.store(true, Ordering::Relaxed);
    let places = appender.await.unwrap();
    check(&journal, tenant_id(), &places).await;
}

/// OPS-03: the appliance stops while the database is away: the events wait in the file and come in at the next start,
/// once, with the records they change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spooled_at_the_end_comes_in_at_the_next_start() {
    let server = PostgresServer::start_durable();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let url = server.create_database("restart");
    let store = Store::open(&url).await.unwrap();
    let journal = Journal::open(&store, config(&spool)).await.unwrap();
    journal.append(tenant_id(), vec![arrived(1, "+49170")], at(1)).unwrap().await.unwrap();
    server.stop();
    let places = journal.append(tenant_id(), vec![bridged(1, 3)], at(2)).unwrap().await.unwrap();
    assert_eq!(places.first, Seq(2), "acknowledged without a database");
    let last = journal.append(tenant_id(), vec![ended(1, EndStatus::Normal)], at(3)).unwrap();
    journal.close().await;
    assert!(last.await.is_ok(), "closing makes durable what was queued");
    store.close().await;
    let kept = std::fs::read(&spool).unwrap();
    assert!(!kept.is_empty());
    server.resume();

    for attempt in 0..2 {
        let store = Store::open(&url).await.unwrap();
        // The second time as after a crash between the commit and the emptying of the file: the same lines again.
        std::fs::write(&spool, &kept).unwrap();
        let journal = Journal::open(&store, config(&spool)).await.unwrap();
        let stored = journal.read(tenant_id(), Seq(1), 10).await.unwrap();
        let events: Vec<Event> = stored.into_iter().map(|entry| entry.event).collect();
        assert_eq!(
            events,
            [arrived(1, "+49170"), bridged(1, 3), ended(1, EndStatus::Normal)],
            "attempt {attempt}"
        );
        let record = store.records().record(tenant_id(), call(1)).await.unwrap().unwrap();
        assert_eq!((record.answered_at, record.ended_at), (Some(at(2)), Some(at(3))));
        assert_eq!(std::fs::metadata(&spool).unwrap().len(), 0);
        assert_eq!(journal.health().set_aside, None);
        journal.close().await;
        store.close().await;
    }
}

/// A spool file of another history, say beside a database restored from an old backup, is kept for a person to look at
/// and never mixed in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_file_that_contradicts_the_database_is_set_aside() {
    let db = Scratch::sqlite();
    let patience = Duration::from_millis(100);
    let store =
        Store::open_with(&db.url, &store::StoreConfig { patience, ..Default::default() }).await.unwrap();
    let journal = Journal::open(&store, config(&db.spool())).await.unwrap();
    journal.append(tenant_id(), vec![logout(1)], at(1)).unwrap().await.unwrap();
    let mut holder = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    journal.append(tenant_id(), vec![logout(2)], at(2)).unwrap().await.unwrap();
    let spooled = std::fs::read(db.spool()).unwrap();
    journal.close().await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    // Another history: place 2 holds something else.
    std::fs::write(db.spool(), b"").unwrap();
    let journal = Journal::open(&store, config(&db.spool())).await.unwrap();
    journal.append(tenant_id(), vec![logout(77)], at(3)).unwrap().await.unwrap();
    journal.close().await;
    std::fs::write(db.spool(), &spooled).unwrap();

    let journal = Journal::open(&store, config(&db.spool())).await.unwrap();
    let aside = journal.health().set_aside.expect("the file was set aside");
    assert_eq!(std::fs::read(aside).unwrap(), spooled);
    let stored = journal.read(tenant_id(), Seq(1), 10).await.unwrap();
    assert_eq!(stored.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), [logout(1), logout(77)]);
}

/// A queue has an end: when it is reached, `append` says so at once, and it takes again when the database is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_and_takes_again_after_the_outage() {
    let db = Scratch::sqlite();
    let patience = Duration::from_millis(100);
    let store =
        Store::open_with(&db.url, &store::StoreConfig { patience, ..Default::default() }).await.unwrap();
    let journal =
        Journal::open(&store, JournalConfig { outstanding_max: 100, ..config(&db.spool()) }).await.unwrap();
    journal.append(tenant_id(), vec![logout(0)], at(0)).unwrap().await.unwrap();
    let mut holder = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    let receipts: Vec<_> =
        (0..50).map(|n| journal.append(tenant_id(), vec![logout(n), logout(n)], at(n)).unwrap()).collect();
    assert_eq!(journal.append(tenant_id(), vec![logout(1)], at(1)).unwrap_err(), AppendError::Full);
    for receipt in receipts {
        receipt.await.expect("what was taken is durable in the spool file");
    }
    assert_eq!(
        journal.append(tenant_id(), vec![logout(1)], at(1)).unwrap_err(),
        AppendError::Full,
        "memory has a bound too"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    until("the spool file is drained", || journal.health() == store::Health::default()).await;
    journal.append(tenant_id(), vec![logout(1)], at(1)).unwrap().await.unwrap();
    assert_eq!(journal.last_seq(tenant_id()).await.unwrap(), Seq(102));
}
