//! Keys of programs.

use model::id::{Id, KeyId};
use model::people::Privilege;
use store::api_keys::ApiKey;

use crate::fixture::*;
use crate::on_each_engine;

fn key(n: u64) -> ApiKey {
    ApiKey {
        id: KeyId::from_number(n),
        tenant: tenant_id(),
        name: format!("key {n}"),
        prefix: "pbk_abcdefgh".into(),
        privileges: vec![Privilege::Supervise, Privilege::SeeAllRecords],
        created_at: at(n),
        created_by: (!n.is_multiple_of(2)).then(|| user(n).id),
        expires_at: at(1_000),
        used_at: None,
        revoked_at: None,
    }
}

on_each_engine! {
    /// API-03: a key is found by the hash of its secret, used, listed, and dead once it is revoked.
    async fn a_key_is_found_by_its_hash_until_it_is_revoked(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let keys = store.api_keys();
        for n in 1..=3 {
            keys.insert_key(&key(n), [n as u8; 32]).await.unwrap();
        }
        assert_eq!(keys.key_of([2; 32]).await.unwrap(), Some(key(2)));
        assert_eq!(keys.key_of([9; 32]).await.unwrap(), None);
        let page = keys.keys(tenant_id(), None, 2).await.unwrap();
        assert_eq!(page.items, [key(3), key(2)]);
        assert_eq!(keys.keys(tenant_id(), page.next.as_ref(), 2).await.unwrap().items, [key(1)]);
        assert_eq!(keys.keys(tenant(2).id, None, 2).await.unwrap().items, [], "another tenant's are not seen");

        keys.touch_key(key(1).id, at(20)).await.unwrap();
        let used = keys.key_of([1; 32]).await.unwrap().unwrap();
        assert_eq!(used, ApiKey { used_at: Some(at(20)), ..key(1) });
        assert!(used.is_live(at(999)) && !used.is_live(at(1_000)));
        assert_eq!(keys.revoke_key(tenant(2).id, key(1).id, at(30)).await.unwrap(), None, "nor ended");
        let revoked = keys.revoke_key(tenant_id(), key(1).id, at(30)).await.unwrap().unwrap();
        assert!(!revoked.is_live(at(31)));
        let again = keys.revoke_key(tenant_id(), key(1).id, at(40)).await.unwrap().unwrap();
        assert_eq!(again.revoked_at, Some(at(30)), "the first time stands");
        assert_eq!(keys.revoke_key(tenant_id(), KeyId::from_number(77), at(40)).await.unwrap(), None);
    }
}
