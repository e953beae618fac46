//! What requests leave behind: the audit log and the keys of repeated requests.

use model::id::{AuditId, Id, KeyId};
use store::audit::{AuditEntry, AuditFilter};
use store::idempotency::{Answer, Reservation};

use crate::fixture::*;
use crate::on_each_engine;

fn entry(n: u64) -> AuditEntry {
    AuditEntry {
        id: AuditId::from_number(n),
        tenant: tenant_id(),
        at: at(n / 2),
        actor: (!n.is_multiple_of(3)).then(|| user(n % 3).id),
        key: n.is_multiple_of(3).then(|| KeyId::from_number(n)),
        address: Some("192.0.2.1".into()),
        action: "user.update".into(),
        target: user(n % 2).id.to_string(),
        detail: serde_json::json!({ "name": ["old", "new"], "n": n }),
    }
}

on_each_engine! {
    /// OPS-03: the audit log is listed newest first, and filtered.
    async fn the_audit_log_is_read_newest_first(db: Scratch) {
        let store = db.open().await;
        for n in 1..=9 {
            store.audit().append_audit(&entry(n)).await.unwrap();
        }
        let page = store.audit().audit_entries(tenant_id(), &AuditFilter::default(), None, 4).await.unwrap();
        assert_eq!(page.items, [entry(9), entry(8), entry(7), entry(6)]);
        let rest = store.audit().audit_entries(tenant_id(), &AuditFilter::default(), page.next.as_ref(), 20).await.unwrap();
        assert_eq!((rest.items.len(), rest.items[0].clone(), rest.next), (5, entry(5), None));
        let of_user = AuditFilter { actor: Some(user(1).id), from: Some(at(2)), to: Some(at(4)), ..AuditFilter::default() };
        let found = store.audit().audit_entries(tenant_id(), &of_user, None, 20).await.unwrap();
        assert_eq!(found.items, [entry(7), entry(4)]);
        let of_target = AuditFilter { target: Some(user(0).id.to_string()), ..AuditFilter::default() };
        assert_eq!(store.audit().audit_entries(tenant_id(), &of_target, None, 20).await.unwrap().items.len(), 4);
        assert_eq!(store.audit().audit_entries(tenant(2).id, &AuditFilter::default(), None, 20).await.unwrap().items, []);
    }

    /// OPS-03: the first request does the work, the others get its answer.
    async fn a_repeated_request_gets_the_first_answer(db: Scratch) {
        let store = db.open().await;
        let keys = store.idempotency();
        let reserve = async |key: &str, print: &str| keys.reserve_key(tenant_id(), key, print, at(10)).await.unwrap();
        assert_eq!(reserve("k", "dial 110").await, Reservation::New);
        assert_eq!(reserve("k", "dial 110").await, Reservation::InProgress);
        assert_eq!(reserve("k", "dial 112").await, Reservation::Mismatch);
        let other = keys.reserve_key(tenant(2).id, "k", "dial 112", at(10)).await.unwrap();
        assert_eq!(other, Reservation::New, "keys belong to tenants");
        let answer = Answer { status: 201, body: vec![0, 1, 255] };
        keys.answer_key(tenant_id(), "k", &answer).await.unwrap();
        keys.answer_key(tenant_id(), "k", &Answer { status: 500, body: vec![] }).await.unwrap();
        assert_eq!(reserve("k", "dial 110").await, Reservation::Answered(answer), "the first answer stands");
        keys.release_key(tenant_id(), "k").await.unwrap();
        assert_ne!(reserve("k", "dial 110").await, Reservation::New, "an answered key is not given back");
        assert_eq!(reserve("failed", "x").await, Reservation::New);
        keys.release_key(tenant_id(), "failed").await.unwrap();
        assert_eq!(reserve("failed", "x").await, Reservation::New);
        assert_eq!(keys.sweep_keys(at(11)).await.unwrap(), 3);
        assert_eq!(reserve("k", "dial 112").await, Reservation::New);
    }

    /// OPS-03: of many simultaneous requests with one key, one is new.
    async fn of_simultaneous_requests_one_does_the_work(db: Scratch) {
        let store = db.open().await;
        let tries: Vec<_> = (0..12)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.idempotency().reserve_key(tenant_id(), "k", "x", at(1)).await.unwrap() })
            })
            .collect();
        let mut new = 0;
        for attempt in tries {
            new += usize::from(attempt.await.unwrap() == Reservation::New);
        }
        assert_eq!(new, 1);
    }

    /// ROUTE-10: what a floor decided by is found by its number and by its time; the same twice is one, and old ones are forgotten.
    async fn what_a_floor_decided_by_is_kept_under_a_number(db: Scratch) {
        let store = db.open().await;
        let kept = store.generations();
        let keep = async |text: &str, second| kept.keep_generation(tenant_id(), text, at(second)).await.unwrap();
        assert_eq!((keep("one", 10).await, keep("one", 11).await, keep("two", 20).await), (1, 1, 2));
        assert_eq!(keep("one", 30).await, 3, "what comes back is a generation of its own");
        let of = async |second| kept.generation_at(tenant_id(), at(second)).await.unwrap().map(|found| (found.number, found.payload));
        assert_eq!(of(25).await, Some((2, "two".into())));
        assert_eq!(of(5).await, Some((1, "one".into())), "before the oldest, that one");
        assert_eq!(kept.generation(tenant(2).id, 1).await.unwrap(), None, "generations belong to tenants");
        for n in 0..store::generations::KEPT {
            keep(&format!("more {n}"), 40 + n).await;
        }
        assert_eq!(kept.generation(tenant_id(), 3).await.unwrap(), None);
        let oldest = kept.generation(tenant_id(), 4).await.unwrap().unwrap();
        assert_eq!((oldest.at, oldest.payload), (at(40), "more 0".into()));
    }
}
