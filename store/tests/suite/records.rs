//! Service records and recordings as they are listed.

use std::time::Duration;

use model::id::{Id, RecordingId, ServiceId, UserId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy, ServiceRecord};
use model::media::StreamStats;
use store::recordings::{Recording, RecordingState};
use store::records::RecordFilter;
use store::{Cursor, DeleteError, Kind, StoreError};

use crate::fixture::*;
use crate::on_each_engine;

pub fn record(n: u64) -> ServiceRecord {
    ServiceRecord {
        interaction: call(n),
        tenant: tenant_id(),
        channel: Channel::Voice,
        direction: if n.is_multiple_of(2) { Direction::Inbound } else { Direction::Outbound },
        caller: format!("+49170{n:04}"),
        contact: format!("Sip{n}@Example.org"),
        caller_name: Some("Ada".into()),
        trunk: None,
        service: Some(ServiceId::from_number(n % 3)),
        agent: Some(UserId::from_number(n % 2)),
        calling_agent: None,
        noted: [("account".to_owned(), n.to_string())].into(),
        marks: vec![],
        overflows: Vec::new(),
        callback: None,
        flows: Vec::new(),
        passed_on: None,
        messages: Vec::new(),
        parts: vec![],
        consult_of: None,
        guests: vec![],
        attended: vec![],
        talking_since: None,
        // Three calls at each moment.
        arrived_at: at(1_000 + n / 3),
        queued_at: Some(at(1_001)),
        offered_at: None,
        answered_at: Some(at(1_002)),
        ended_at: Some(at(2_000)),
        completed_at: Some(at(2_010)),
        status: Some(if n.is_multiple_of(5) { EndStatus::Transferred } else { EndStatus::Normal }),
        ended_by: Some(EndedBy::Agent),
        disposition: None,
        comment: "said thanks".into(),
        recording: None,
        recording_pauses: Vec::new(),
        recording_gaps: Vec::new(),
        recording_proof: None,
        recording_erased: Vec::new(),
        customer_stats: Some(StreamStats {
            packets: 500,
            jitter_ms: 1.25,
            mos: Some(4.3),
            ..StreamStats::default()
        }),
        agent_stats: None,
        holds: 2,
        help: Vec::new(),
        first_reply_at: None,
        assigned: None,
        last_message: 0,
        last_message_at: None,
        unanswered_since: None,
        customer_messages: 0,
        agent_messages: 0,
    }
}

on_each_engine! {
    /// OPS-03: a record keeps everything a line of the list shows, and more.
    async fn a_record_reads_back_and_is_replaced(db: Scratch) {
        let store = db.open().await;
        let first = record(1);
        store.records().save_record(&first).await.unwrap();
        assert_eq!(store.records().record(tenant_id(), call(1)).await.unwrap(), Some(first.clone()));
        let changed = ServiceRecord { comment: "called back".into(), agent: None, ..first };
        store.records().save_record(&changed).await.unwrap();
        assert_eq!(store.records().record(tenant_id(), call(1)).await.unwrap(), Some(changed));
        assert_eq!(store.records().record(tenant(2).id, call(1)).await.unwrap(), None, "another tenant's is not seen");
    }

    /// OPS-03: newest first; records of one moment keep one order from page to page.
    async fn records_are_listed_newest_first_and_pages_join(db: Scratch) {
        let store = db.open().await;
        for n in 0..50 {
            store.records().save_record(&record(n)).await.unwrap();
        }
        let mut found = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = store.records().records(tenant_id(), &RecordFilter::default(), after.as_ref(), 7).await.unwrap();
            found.extend(page.items.iter().map(|record| record.interaction));
            // Something new arrives while the reader turns the page: it does not move what follows.
            store.records().save_record(&ServiceRecord { interaction: call(900 + found.len() as u64), arrived_at: at(9_000), ..record(1) }).await.unwrap();
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, (0..50).rev().map(call).collect::<Vec<_>>());
        let nonsense = store.records().records(tenant_id(), &RecordFilter::default(), Some(&Cursor::from_text("zz.9")), 7).await;
        assert!(matches!(nonsense, Err(StoreError::BadCursor)), "{nonsense:?}");
    }

    /// REC-01: own records only, by date range, service, direction, caller and contact number; each alone and together.
    async fn records_are_filtered(db: Scratch) {
        let store = db.open().await;
        for n in 0..30 {
            store.records().save_record(&record(n)).await.unwrap();
        }
        store.records().save_record(&ServiceRecord { caller: "100%_\\x".into(), ..record(30) }).await.unwrap();
        let list = async |filter: RecordFilter| {
            let page = store.records().records(tenant_id(), &filter, None, 200).await.unwrap();
            page.items.iter().rev().map(|r| (0..=30).find(|n| call(*n) == r.interaction).unwrap()).collect::<Vec<u64>>()
        };
        let none = RecordFilter::default;
        assert_eq!(list(none()).await.len(), 31);
        assert_eq!(list(RecordFilter { from: Some(at(1_002)), to: Some(at(1_003)), ..none() }).await, [6, 7, 8]);
        assert_eq!(list(RecordFilter { agent: Some(UserId::from_number(1)), to: Some(at(1_002)), ..none() }).await, [1, 3, 5]);
        assert_eq!(list(RecordFilter { service: Some(ServiceId::from_number(2)), to: Some(at(1_003)), ..none() }).await, [2, 5, 8]);
        assert_eq!(list(RecordFilter { direction: Some(Direction::Inbound), to: Some(at(1_002)), ..none() }).await, [0, 2, 4]);
        assert_eq!(list(RecordFilter { status: Some(EndStatus::Transferred), ..none() }).await, [0, 5, 10, 15, 20, 25, 30]);
        assert_eq!(list(RecordFilter { channels: [Channel::Voice, Channel::Sms].into(), to: Some(at(1_001)), ..none() }).await, [0, 1, 2]);
        assert_eq!(list(RecordFilter { channels: [Channel::Chat, Channel::Sms].into(), ..none() }).await, Vec::<u64>::new());
        assert_eq!(list(RecordFilter { caller: Some("1700007".into()), ..none() }).await, [7]);
        assert_eq!(list(RecordFilter { contact: Some("sIP12@".into()), ..none() }).await, [12], "either case");
        assert_eq!(list(RecordFilter { caller: Some("%_\\".into()), ..none() }).await, [30], "no wildcards from outside");
        let both = RecordFilter { direction: Some(Direction::Inbound), contact: Some("sip1".into()), ..none() };
        assert_eq!(list(both).await, [10, 12, 14, 16, 18]);
    }

    /// A call between colleagues is among the own records of both, and of nobody else.
    async fn an_internal_call_is_found_under_whoever_called_and_whoever_was_called(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let [caller, callee] = [user(1).id, UserId::from_number(7)];
        let inside = ServiceRecord {
            direction: Direction::Internal,
            calling_agent: Some(caller),
            agent: Some(callee),
            service: None,
            ..record(1)
        };
        store.records().save_record(&inside).await.unwrap();
        store.records().save_record(&ServiceRecord { agent: Some(UserId::from_number(8)), ..record(2) }).await.unwrap();
        let list = async |filter: RecordFilter| store.records().records(tenant_id(), &filter, None, 50).await.unwrap().items;
        for agent in [caller, callee] {
            assert_eq!(list(RecordFilter { agent: Some(agent), ..RecordFilter::default() }).await, std::slice::from_ref(&inside));
        }
        let somebody = RecordFilter { agent: Some(UserId::from_number(9)), ..RecordFilter::default() };
        assert!(list(somebody).await.is_empty());
        let direction = Some(Direction::Internal);
        assert_eq!(list(RecordFilter { direction, ..RecordFilter::default() }).await.len(), 1);
        let both = RecordFilter { agent: Some(caller), direction: Some(Direction::Inbound), ..RecordFilter::default() };
        assert!(list(both).await.is_empty(), "each filter narrows the list");
        let refused = store.users().delete(tenant_id(), caller, None).await;
        assert!(matches!(refused, Err(DeleteError::InUse { .. })), "{refused:?}");
    }

    /// OPS-03: a user, service or disposition that records name is not deleted.
    async fn what_records_name_stays(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        store.records().save_record(&ServiceRecord { agent: Some(user(1).id), service: None, ..record(1) }).await.unwrap();
        let refused = store.users().delete(tenant_id(), user(1).id, None).await;
        let Err(DeleteError::InUse { by, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!((by[0].kind, by[0].id.clone()), (Kind::Record, call(1).to_string()));
    }

    /// OPS-03: after a crash the open records are found, oldest first.
    async fn unfinished_records_are_those_not_ended_or_not_completed(db: Scratch) {
        let store = db.open().await;
        let open = ServiceRecord { ended_at: None, completed_at: None, status: None, ..record(6) };
        let wrap_up = ServiceRecord { completed_at: None, ..record(3) };
        let abandoned = ServiceRecord { answered_at: None, completed_at: None, ..record(4) };
        for record in [&open, &wrap_up, &abandoned, &record(5)] {
            store.records().save_record(record).await.unwrap();
        }
        let after = Some((wrap_up.arrived_at, wrap_up.interaction));
        assert_eq!(store.records().unfinished_records(tenant_id(), after).await.unwrap(), std::slice::from_ref(&open));
        assert_eq!(store.records().unfinished_records(tenant_id(), None).await.unwrap(), [wrap_up, open]);
    }

    /// OPS-03: a recording is followed from capture to playable; what a crash left is found again.
    async fn a_recording_is_followed_until_it_can_be_played(db: Scratch) {
        let store = db.open().await;
        let capturing = Recording {
            id: RecordingId::from_number(1),
            tenant: tenant_id(),
            interaction: call(1),
            state: RecordingState::Capturing,
            files: vec!["2026/11/raw-1.pbr".into()],
            length: Duration::ZERO,
            complete: false,
            peaks: None,
            bytes: 0,
            created_at: at(50),
        };
        let recordings = store.recordings();
        recordings.save_recording(&capturing).await.unwrap();
        let other = Recording { id: RecordingId::from_number(2), state: RecordingState::Finishing, created_at: at(40), ..capturing.clone() };
        recordings.save_recording(&other).await.unwrap();
        assert_eq!(recordings.unfinished_recordings().await.unwrap(), [other.clone(), capturing.clone()]);

        let ready = Recording {
            state: RecordingState::Ready,
            files: vec!["2026/11/1.opus".into()],
            length: Duration::from_millis(61_234),
            complete: true,
            peaks: Some((0..=255).collect()),
            bytes: 123_456,
            ..capturing.clone()
        };
        recordings.save_recording(&ready).await.unwrap();
        assert_eq!(recordings.recording(tenant_id(), ready.id).await.unwrap(), Some(ready.clone()));
        assert_eq!(recordings.recording(tenant(2).id, ready.id).await.unwrap(), None);
        assert_eq!(recordings.recordings_of(tenant_id(), call(1)).await.unwrap(), [other.clone(), ready.clone()]);
        assert_eq!(recordings.unfinished_recordings().await.unwrap(), [other]);
        assert!(recordings.delete_recording(tenant_id(), ready.id).await.unwrap());
        assert_eq!(recordings.recording(tenant_id(), ready.id).await.unwrap(), None);
    }
}
