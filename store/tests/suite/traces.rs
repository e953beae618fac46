//! What went over the wire for calls.

use model::id::{Id, InteractionId, TenantId};
use model::time::Timestamp;
use model::trace::{CallTrace, TracedMessage, Wire};

use crate::fixture::*;
use crate::on_each_engine;

fn trace(number: u64, messages: usize) -> CallTrace {
    let message = |n| TracedMessage {
        at: at(n),
        outgoing: n % 2 == 0,
        wire: Wire::Tls,
        ours: "[2001:db8::1]:5061".parse().unwrap(),
        theirs: "192.0.2.1:5061".parse().unwrap(),
        bytes: [&b"INVITE sip:a SIP/2.0\r\n"[..], &[0xff, 0], &[b'a'; 900]].concat(),
    };
    CallTrace {
        interaction: InteractionId::from_number(number),
        messages: (0..messages as u64).map(message).collect(),
        left_out: 3,
    }
}

on_each_engine! {
    /// SIP-08: traces come back as they were, once each, and go when they are old.
    async fn traces_are_kept_for_a_while(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let all = store.traces();
        let many: Vec<_> = (1..=450).map(|n| trace(n, 3)).collect();
        all.save_traces(tenant_id(), at(10), &many).await.unwrap();
        all.save_traces(tenant_id(), at(20), &[trace(1, 1), trace(451, 192)]).await.unwrap();
        all.save_traces(tenant_id(), at(20), &[]).await.unwrap();
        let found = async |number| all.trace(tenant_id(), InteractionId::from_number(number)).await.unwrap();
        assert_eq!(found(1).await, Some(trace(1, 3)));
        assert_eq!(found(450).await, Some(trace(450, 3)));
        assert_eq!(found(451).await, Some(trace(451, 192)));
        assert_eq!(found(452).await, None);
        assert_eq!(all.trace(TenantId::from_number(2), InteractionId::from_number(1)).await.unwrap(), None);
        assert_eq!(all.forget_traces(at(20)).await.unwrap(), 450);
        assert_eq!(all.forget_traces(at(20)).await.unwrap(), 0);
        assert_eq!((found(1).await, found(451).await.is_some()), (None, true));
        assert_eq!(all.forget_traces(Timestamp::NEVER).await.unwrap(), 1);
    }
}
