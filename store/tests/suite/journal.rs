//! The journal in fair weather.

use std::sync::Arc;
use std::time::Duration;

use model::id::{AgentId, Id, TenantId};
use model::interaction::EndStatus;
use model::journal::{Entry, Event, Seq};
use store::testing::Scratch;
use store::{AppendError, Appended, Journal, JournalConfig, Store};
use tokio::sync::broadcast;

use crate::fixture::*;
use crate::on_each_engine;

async fn open(db: &Scratch) -> (Store, Journal) {
    let store = db.open().await;
    let journal = Journal::open(&store, JournalConfig::at(db.spool())).await.unwrap();
    (store, journal)
}

fn logout(n: u64) -> Event {
    Event::AgentLoggedOut { agent: AgentId::from_number(n) }
}

async fn next(subscriber: &mut broadcast::Receiver<Arc<Entry>>) -> Entry {
    let entry = tokio::time::timeout(Duration::from_secs(10), subscriber.recv()).await;
    Entry::clone(&*entry.expect("published in time").unwrap())
}

on_each_engine! {
    /// OPS-03: what was appended is read back in order, each tenant counting by itself from 1.
    async fn a_journal_counts_from_one_for_each_tenant(db: Scratch) {
        let (_store, journal) = open(&db).await;
        assert_eq!(journal.last_seq(tenant_id()).await.unwrap(), Seq(0));
        let first = journal.append(tenant_id(), vec![logout(1), logout(2)], at(5)).unwrap();
        let other = journal.append(TenantId::from_number(2), vec![logout(9)], at(6)).unwrap();
        let second = journal.append(tenant_id(), vec![logout(3)], at(7)).unwrap();
        assert_eq!(first.await, Ok(Appended { first: Seq(1), last: Seq(2) }));
        assert_eq!(other.await, Ok(Appended { first: Seq(1), last: Seq(1) }));
        assert_eq!(second.await, Ok(Appended { first: Seq(3), last: Seq(3) }));

        let entry = |seq, second, n| Entry { seq: Seq(seq), tenant: tenant_id(), at: at(second), event: logout(n) };
        let all = [entry(1, 5, 1), entry(2, 5, 2), entry(3, 7, 3)];
        assert_eq!(journal.read(tenant_id(), Seq(0), 100).await.unwrap(), all);
        assert_eq!(journal.read(tenant_id(), Seq(2), 1).await.unwrap(), all[1..2]);
        assert_eq!(journal.read(tenant_id(), Seq(4), 100).await.unwrap(), []);
        assert_eq!(journal.last_seq(tenant_id()).await.unwrap(), Seq(3));
    }

    /// OPS-03: the next run goes on where the last one stopped.
    async fn a_journal_opened_again_goes_on_without_a_gap(db: Scratch) {
        let (store, journal) = open(&db).await;
        journal.append(tenant_id(), vec![logout(1), logout(2)], at(5)).unwrap();
        journal.close().await;
        assert_eq!(journal.append(tenant_id(), vec![logout(3)], at(6)).unwrap_err(), AppendError::Closed);
        store.close().await;
        let (_store, journal) = open(&db).await;
        let places = journal.append(tenant_id(), vec![logout(3)], at(6)).unwrap().await;
        assert_eq!(places, Ok(Appended { first: Seq(3), last: Seq(3) }), "closing wrote what was queued");
    }

    /// OPS-03: many tasks append at once; every place is given once, and each task's events keep their order.
    async fn many_appenders_get_places_without_gap_or_double(db: Scratch) {
        let (_store, journal) = open(&db).await;
        let mut subscriber = journal.subscribe();
        let tasks: Vec<_> = (0..40_u64)
            .map(|task| {
                let journal = journal.clone();
                tokio::spawn(async move {
                    let mut places = Vec::new();
                    for n in 0..25 {
                        let event = logout(task * 1_000 + n);
                        places.push(journal.append(tenant_id(), vec![event], at(n)).unwrap().await.unwrap().first.0);
                    }
                    assert!(places.is_sorted(), "{places:?}");
                    places
                })
            })
            .collect();
        let mut places = Vec::new();
        for task in tasks {
            places.extend(task.await.unwrap());
        }
        places.sort_unstable();
        assert_eq!(places, (1..=1_000).collect::<Vec<_>>());
        let stored = journal.read(tenant_id(), Seq(1), 10_000).await.unwrap();
        assert_eq!(stored.len(), 1_000);
        for entry in stored {
            assert_eq!(next(&mut subscriber).await, entry, "published in the order of the journal");
        }
    }

    /// OPS-03: whoever hears of an event finds it in the journal, and its record is not behind.
    async fn an_event_is_published_after_it_and_its_record_are_stored(db: Scratch) {
        let (store, journal) = open(&db).await;
        let mut subscriber = journal.subscribe();
        for n in 1..=20 {
            let told = vec![arrived(n, "+49170"), bridged(n, 3)];
            drop(journal.append(tenant_id(), told, at(n)).unwrap());
            drop(journal.append(tenant_id(), vec![ended(n, EndStatus::Normal)], at(n + 10)).unwrap());
        }
        for _ in 0..60 {
            let heard = next(&mut subscriber).await;
            assert_eq!(journal.read(tenant_id(), heard.seq, 1).await.unwrap(), std::slice::from_ref(&heard));
            let id = heard.event.interaction().unwrap();
            let record = store.records().record(tenant_id(), id).await.unwrap().unwrap();
            match heard.event {
                Event::Bridged { .. } => assert_eq!(record.answered_at, Some(heard.at)),
                Event::Ended { .. } => assert_eq!(record.ended_at, Some(heard.at)),
                _ => assert_eq!(record.arrived_at, heard.at),
            }
        }
        assert_eq!(store.records().unfinished_records(tenant_id(), None).await.unwrap().len(), 20, "after-call work is open");
    }

    /// OPS-03: a record that an earlier run began is read from the database and folded on.
    async fn a_record_begun_by_an_earlier_run_is_finished_by_this_one(db: Scratch) {
        let (store, journal) = open(&db).await;
        journal.append(tenant_id(), vec![arrived(1, "+49170"), bridged(1, 3)], at(1)).unwrap().await.unwrap();
        journal.close().await;
        store.close().await;
        let (store, journal) = open(&db).await;
        let told = vec![ended(1, EndStatus::Interrupted), completed(1, 3), ended(99, EndStatus::Normal)];
        journal.append(tenant_id(), told, at(9)).unwrap().await.unwrap();
        let record = store.records().record(tenant_id(), call(1)).await.unwrap().unwrap();
        assert_eq!((record.answered_at, record.ended_at, record.completed_at), (Some(at(1)), Some(at(9)), Some(at(9))));
        assert_eq!(store.records().record(tenant_id(), call(99)).await.unwrap(), None, "what never arrived has no record");
        assert_eq!(store.records().unfinished_records(tenant_id(), None).await.unwrap(), []);
    }

    /// OPS-03: records that a killed run had not saved are folded at the next opening, each entry once; what the killed run still had in mind
    /// harms nothing.
    async fn records_that_were_not_saved_are_folded_by_the_next_run(db: Scratch) {
        let killed = db.open().await;
        let never = JournalConfig { save_after: Duration::from_secs(3_600), ..JournalConfig::at(db.spool()) };
        let journal = Journal::open(&killed, never.clone()).await.unwrap();
        journal.append(tenant_id(), vec![arrived(1, "+49170"), bridged(1, 3), held(1)], at(1)).unwrap().await.unwrap();
        assert_eq!(killed.records().record(tenant_id(), call(1)).await.unwrap().unwrap().holds, 1);
        let told = vec![held(1), logout(7), arrived(2, "+49171")];
        journal.append(tenant_id(), told, at(2)).unwrap().await.unwrap();

        let beside = db.open().await;
        assert_eq!(beside.records().record(tenant_id(), call(1)).await.unwrap().unwrap().holds, 1, "saved when it was read");
        assert_eq!(beside.records().record(tenant_id(), call(2)).await.unwrap(), None, "not saved yet");
        let next = Journal::open(&beside, never).await.unwrap();
        let saved = async || {
            let first = beside.records().record(tenant_id(), call(1)).await.unwrap().unwrap();
            (first.holds, beside.records().record(tenant_id(), call(2)).await.unwrap().is_some())
        };
        assert_eq!(saved().await, (2, true));
        next.append(tenant_id(), vec![held(1)], at(3)).unwrap().await.unwrap();
        assert_eq!(saved().await, (3, true));
        assert_eq!(killed.records().record(tenant_id(), call(1)).await.unwrap().unwrap().holds, 3);
        assert_eq!(saved().await, (3, true));
    }

    /// OPS-03: records are saved though nobody reads them.
    async fn a_changed_record_is_saved_after_a_while(db: Scratch) {
        let (_store, journal) = open(&db).await;
        journal.append(tenant_id(), vec![arrived(1, "+49170")], at(1)).unwrap().await.unwrap();
        let beside = db.open().await;
        let saved = async { while beside.records().record(tenant_id(), call(1)).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        } };
        tokio::time::timeout(Duration::from_secs(30), saved).await.expect("it is saved");
    }

    /// OPS-03: entries are read from any place, however they were grouped when they were written.
    async fn entries_are_read_from_within_a_group(db: Scratch) {
        let (_store, journal) = open(&db).await;
        for n in 0..5 {
            journal.append(tenant_id(), (0..=n).map(logout).collect(), at(n)).unwrap().await.unwrap();
        }
        let all = journal.read(tenant_id(), Seq(1), 100).await.unwrap();
        assert_eq!(all.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), (1..=15).collect::<Vec<_>>());
        for from in 1..=16_u64 {
            for limit in [1, 4, 100] {
                let read = journal.read(tenant_id(), Seq(from), limit).await.unwrap();
                let wanted = all.iter().skip(from as usize - 1).take(limit as usize).cloned().collect::<Vec<_>>();
                assert_eq!(read, wanted, "from {from}, {limit}");
            }
        }
    }

    /// OPS-03: a number no database text may hold comes from the network and must not stop the journal.
    async fn odd_bytes_from_the_network_do_not_stop_the_journal(db: Scratch) {
        let (store, journal) = open(&db).await;
        let odd = "+49\0' \" \\ \u{202e} \u{1F4DE} %_";
        journal.append(tenant_id(), vec![arrived(1, odd)], at(1)).unwrap().await.unwrap();
        let record = store.records().record(tenant_id(), call(1)).await.unwrap().unwrap();
        assert_eq!(record.caller, odd);
        assert_eq!(journal.read(tenant_id(), Seq(1), 1).await.unwrap()[0].event, arrived(1, odd));
    }

    /// OPS-03: two writers never mix: the older one is told that it is no longer the writer.
    async fn a_second_writer_takes_over_and_the_first_one_stops(db: Scratch) {
        let (_store, first) = open(&db).await;
        first.append(tenant_id(), vec![logout(1)], at(1)).unwrap().await.unwrap();
        let (_other, second) = open(&db).await;
        assert_eq!(first.append(tenant_id(), vec![logout(2)], at(2)).unwrap().await, Err(AppendError::Fenced));
        assert_eq!(first.health().state, store::HealthState::Fenced);
        let places = second.append(tenant_id(), vec![logout(3)], at(3)).unwrap().await;
        assert_eq!(places, Ok(Appended { first: Seq(2), last: Seq(2) }));
        let stored = second.read(tenant_id(), Seq(1), 10).await.unwrap();
        assert_eq!(stored.iter().map(|entry| entry.event.clone()).collect::<Vec<_>>(), [logout(1), logout(3)]);
    }

    /// OPS-03: appending nothing is allowed.
    async fn no_events_are_appended_at_once_and_take_no_place(db: Scratch) {
        let (_store, journal) = open(&db).await;
        journal.append(tenant_id(), vec![logout(1)], at(1)).unwrap().await.unwrap();
        let none = journal.append(tenant_id(), vec![], at(1)).unwrap().await.unwrap();
        assert!(none.last < none.first, "{none:?}");
        assert_eq!(journal.last_seq(tenant_id()).await.unwrap(), Seq(1));
    }
}
