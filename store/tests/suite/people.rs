//! Users, their secrets and their sign-ins.

use model::id::{Id, SessionId, TrunkId, UserId};
use model::people::User;
use model::service::{SrtpPolicy, Trunk};
use store::secrets::{DigestSecret, PasswordHash};
use store::sessions::{Session, SessionToken};
use store::{Kind, Version, WriteError};

use crate::fixture::*;
use crate::on_each_engine;

fn session(n: u64) -> Session {
    Session {
        id: SessionId::from_number(n),
        user: user(1).id,
        tenant: tenant_id(),
        created_at: at(100),
        seen_at: at(100),
        expires_at: at(200),
        csrf: "c".repeat(43),
    }
}

fn token(n: u8) -> SessionToken {
    SessionToken::from_random([n; 32])
}

on_each_engine! {
    /// OPS-03: logins are lower case whatever was typed; a login wins over somebody's address of the same text.
    async fn a_user_is_found_by_login_address_and_extension(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let written = User { login: "Jörg.Weiß".into(), email: Some("JW@Example.org".into()), ..user(2) };
        let stored = store.users().insert(&written).await.unwrap().item;
        assert_eq!((stored.login.as_str(), stored.email.as_deref()), ("jörg.weiß", Some("jw@example.org")));
        let by = async |name: &str| store.users().user_by_sign_in(tenant_id(), name).await.unwrap().map(|row| row.item);
        assert_eq!(by("JÖRG.weiß").await, Some(stored.clone()));
        assert_eq!(by("jw@EXAMPLE.org").await, Some(stored.clone()));
        assert_eq!(by("nobody").await, None);
        let by_extension = store.users().user_by_extension(tenant_id(), "102").await.unwrap();
        assert_eq!(by_extension.map(|row| row.item), Some(stored));
        store.users().insert(&User { login: "jw@example.org".into(), email: None, ..user(3) }).await.unwrap();
        assert_eq!(by("jw@example.org").await.map(|u| u.id), Some(user(3).id));
    }

    /// OPS-03: a password is stored as a hash apart from the user, and goes with the user.
    async fn a_password_hash_is_set_replaced_and_gone_with_its_user(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        store.users().insert(&user(2)).await.unwrap();
        let hash = |tail: &str| PasswordHash::from_phc(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${tail}")).unwrap();
        assert_eq!(store.secrets().password(user(2).id).await.unwrap(), None);
        store.secrets().set_password(user(2).id, &hash("b25l"), at(1)).await.unwrap();
        store.secrets().set_password(user(2).id, &hash("dHdv"), at(2)).await.unwrap();
        assert_eq!(store.secrets().password(user(2).id).await.unwrap(), Some((hash("dHdv"), at(2))));
        store.users().delete(tenant_id(), user(2).id, Some(Version(1))).await.unwrap();
        assert_eq!(store.secrets().password(user(2).id).await.unwrap(), None);
        let nobody = store.secrets().set_password(UserId::from_number(99), &hash("b25l"), at(3)).await;
        assert!(matches!(nobody, Err(WriteError::UnknownReference { kind: Kind::User, .. })), "{nobody:?}");
    }

    /// OPS-03: a SIP phone is checked by its digest; the plain password is not in the database.
    async fn a_phone_and_a_trunk_are_known_by_realm_and_user_name(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        store.users().insert(&user(2)).await.unwrap();
        let phone = DigestSecret::derive("101", "pbx.example.org", "correct horse");
        store.secrets().set_phone_secret(user(1).id, Some(&phone)).await.unwrap();
        let known = store.secrets().phone_secret("pbx.example.org", "101").await.unwrap().unwrap();
        assert_eq!((known.owner, known.tenant, &known.secret), (user(1).id, tenant_id(), &phone));
        assert_eq!(store.secrets().phone_secret("other.example.org", "101").await.unwrap(), None);
        let stolen = store.secrets().set_phone_secret(user(2).id, Some(&phone)).await;
        assert!(matches!(stolen, Err(WriteError::Taken { kind: Kind::User, field: "username" })), "{stolen:?}");
        store.secrets().set_phone_secret(user(1).id, None).await.unwrap();
        assert_eq!(store.secrets().phone_secret("pbx.example.org", "101").await.unwrap(), None);

        let trunk = Trunk {
            id: TrunkId::from_number(1),
            tenant: tenant_id(),
            name: "carrier".into(),
            addresses: vec![],
            username: Some("carrier".into()),
            target: None,
            account: None,
            registers: false,
            calls_max: 10,
            srtp: SrtpPolicy::Accept,
        };
        store.trunks().insert(&trunk).await.unwrap();
        let secret = DigestSecret::derive("carrier", "pbx.example.org", "battery staple");
        store.secrets().set_trunk_secret(trunk.id, Some(&secret)).await.unwrap();
        let known = store.secrets().trunk_secret("pbx.example.org", "carrier").await.unwrap().unwrap();
        assert_eq!((known.owner, known.secret), (trunk.id, secret));
        let ours = store.secrets();
        ours.set_trunk_password(trunk.id, Some("1234")).await.unwrap();
        ours.set_trunk_password(trunk.id, Some("5678")).await.unwrap();
        assert_eq!(ours.trunk_password(trunk.id).await.unwrap().as_deref(), Some("5678"));
        store.trunks().delete(tenant_id(), trunk.id, None).await.unwrap();
        assert_eq!(store.secrets().trunk_password(trunk.id).await.unwrap(), None, "it goes with its trunk");
        assert_eq!(store.secrets().trunk_secret("pbx.example.org", "carrier").await.unwrap(), None);
    }

    /// API-03: sessions live until they expire, are renewed by use, and are rotated.
    async fn a_session_is_found_by_its_token_until_it_expires(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let sessions = store.sessions();
        sessions.open_session(&session(1), &token(1)).await.unwrap();
        assert_eq!(sessions.session(&token(1), at(150)).await.unwrap(), Some(session(1)));
        assert_eq!(sessions.session(&token(2), at(150)).await.unwrap(), None);
        assert_eq!(sessions.session(&token(1), at(200)).await.unwrap(), None, "expired");
        assert!(sessions.touch_session(session(1).id, at(199), at(300)).await.unwrap());
        let touched = sessions.session(&token(1), at(250)).await.unwrap().unwrap();
        assert_eq!((touched.seen_at, touched.expires_at), (at(199), at(300)));
        assert!(!sessions.touch_session(session(1).id, at(301), at(400)).await.unwrap(), "too late to renew");

        assert!(sessions.rotate_session(session(1).id, &token(3), "new").await.unwrap());
        assert_eq!(sessions.session(&token(1), at(250)).await.unwrap(), None, "the old token is dead");
        assert_eq!(sessions.session(&token(3), at(250)).await.unwrap().unwrap().csrf, "new");
    }

    /// OPS-03: signing out here, everywhere, and by the clock.
    async fn a_session_ends_by_sign_out_by_user_and_by_sweep(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let sessions = store.sessions();
        for n in 1..=4 {
            let expires_at = at(if n == 4 { 1_000 } else { 200 });
            sessions.open_session(&Session { expires_at, ..session(n.into()) }, &token(n)).await.unwrap();
        }
        assert_eq!(sessions.sessions_of(user(1).id, at(150)).await.unwrap().len(), 4);
        assert!(sessions.close_session(session(1).id).await.unwrap());
        assert!(!sessions.close_session(session(1).id).await.unwrap());
        assert_eq!(sessions.sweep_sessions(at(200)).await.unwrap(), 2);
        assert_eq!(sessions.sessions_of(user(1).id, at(250)).await.unwrap()[0].id, session(4).id);
        assert_eq!(sessions.close_sessions_of(user(1).id).await.unwrap(), 1);
        let nobody = sessions.open_session(&Session { user: UserId::from_number(9), ..session(5) }, &token(5)).await;
        assert!(matches!(nobody, Err(WriteError::UnknownReference { kind: Kind::User, .. })), "{nobody:?}");
    }
}

/// What a session token or a SIP password looks like is nowhere in the file.
#[tokio::test]
async fn no_token_and_no_sip_password_is_in_the_database_file() {
    let db = store::testing::Scratch::sqlite();
    let store = db.open().await;
    small_centre(&store).await;
    store.sessions().open_session(&session(1), &token(0xab)).await.unwrap();
    let secret = DigestSecret::derive("101", "realm", "correct horse battery");
    store.secrets().set_phone_secret(user(1).id, Some(&secret)).await.unwrap();
    store.close().await;
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(db.folder()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(secret.ha1_sha256().as_bytes()), "the search finds what is there");
    assert!(!holds(b"correct horse battery"));
    assert!(!holds(token(0xab).reveal().as_bytes()) && !holds(&[0xab; 32]));
}
