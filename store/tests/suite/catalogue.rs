//! Configuration rows: versions, uniqueness, references, pages.

use std::collections::BTreeMap;

use model::agent::Reason;
use model::flow::Flow;
use model::id::{FlowId, Id, ReasonId, SkillId, TenantId, TrunkId};
use model::people::{GroupRules, RestState, User};
use model::service::{Number, Service, Skill, SrtpPolicy, Trunk};
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::tenant::ExternalField;
use store::{Cursor, DeleteError, Kind, StoreError, Version, WriteError, catalogue};

use crate::fixture::*;
use crate::on_each_engine;

fn trunk() -> Trunk {
    Trunk {
        id: TrunkId::from_number(1),
        tenant: tenant_id(),
        name: "carrier".into(),
        addresses: vec!["192.0.2.0/24".into(), "2001:db8::1".into()],
        username: Some("pbx".into()),
        target: Some("sip.example.org:5061;transport=tls".into()),
        account: Some("house".into()),
        registers: true,
        calls_max: 30,
        srtp: SrtpPolicy::Require,
    }
}

on_each_engine! {
    /// OPS-03: every kind of row reads back as it was written, with version 1.
    async fn what_is_inserted_reads_back(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let tenant = tenant_id();
        let step = |n, lasts| Step { who: SkillExpr::Not(Box::new(SkillExpr::AtLeast { skill: skill(n).id, level: Level::MAX })), lasts };
        let steps = vec![step(1, Some(std::time::Duration::from_secs(20))), step(2, None)];
        let odd = Service { requirement: Requirement { steps, mode: StepMode::Cumulative }, open: false, ..service(2) };
        let rules = GroupRules { wrap_up_time: None, after_login: RestState::Ready, auto_answer: true, ..GroupRules::default() };
        let group = model::people::Group { rules, name: "Größe 世界 ' \" \\ %".into(), ..group(2) };
        let reason = Reason {
            id: ReasonId::from_number(1),
            tenant,
            name: "Lunch".into(),
            icon: "lunch".into(),
            ends_after_minutes: Some(45),
            is_break: true,
            call_out: false,
        };
        let full = User {
            group: Some(group.id),
            skills: BTreeMap::from([(skill(1).id, Level::MIN), (skill(2).id, Level::MAX)]),
            role: model::people::Role::Supervisor,
            phone: model::people::PhoneKind::Sip,
            mobile: Some("+491701234567".into()),
            disabled: true,
            ..user(2)
        };
        let bare = User { email: None, extension: None, ..user(3) };

        assert_eq!(store.services().insert(&odd).await.unwrap().version, Version(1));
        store.groups().insert(&group).await.unwrap();
        store.reasons().insert(&reason).await.unwrap();
        store.users().insert(&full).await.unwrap();
        store.users().insert(&bare).await.unwrap();
        store.users().insert(&User { email: None, extension: None, ..user(4) }).await.unwrap();
        store.trunks().insert(&trunk()).await.unwrap();
        store.dispositions().insert(&disposition(1, odd.id)).await.unwrap();
        let (id, name) = (FlowId::from_number(1), "Größe".to_owned());
        let mut flow = Flow { id, tenant, name, active: None, versions: vec![] };
        let idle = Flow { id: FlowId::from_number(2), name: "idle".into(), ..flow.clone() };
        flow.save("start = \"a\"".into());
        flow.active = Some(flow.save("start = \"世界\"".into()));
        store.flows().insert(&flow).await.unwrap();
        store.flows().insert(&idle).await.unwrap();
        let led = Number { flow: Some(flow.id), ..number(1, "+4930123", odd.id) };
        store.numbers().insert(&led).await.unwrap();

        assert_eq!(store.flows().get(tenant, flow.id).await.unwrap().unwrap().item, flow);
        assert_eq!(store.flows().get(tenant, idle.id).await.unwrap().unwrap().item, idle);
        let used = store.flows().delete(tenant, flow.id, None).await;
        assert!(matches!(used, Err(DeleteError::InUse { .. })), "a number leads to it: {used:?}");
        assert_eq!(store.services().get(tenant, odd.id).await.unwrap().unwrap().item, odd);
        assert_eq!(store.groups().get(tenant, group.id).await.unwrap().unwrap().item, group);
        assert_eq!(store.reasons().get(tenant, reason.id).await.unwrap().unwrap().item, reason);
        assert_eq!(store.users().get(tenant, full.id).await.unwrap().unwrap().item, full);
        assert_eq!(store.users().get(tenant, bare.id).await.unwrap().unwrap().item, bare);
        assert_eq!(store.trunks().get(tenant, trunk().id).await.unwrap().unwrap().item, trunk());
        let found = store.dispositions().get(tenant, disposition(1, odd.id).id).await.unwrap().unwrap();
        assert_eq!((found.item, found.version), (disposition(1, odd.id), Version(1)));
        let found = store.numbers().number_by_digits("+4930123").await.unwrap().unwrap();
        assert_eq!(found.item, led);
    }

    /// OPS-03: two people who edit one row: the second is told, and nothing of hers is written.
    async fn an_update_from_a_stale_version_is_a_conflict(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let renamed = |name: &str| Skill { name: name.into(), ..skill(1) };
        let first = store.skills().update(&renamed("German"), Version(1)).await.unwrap();
        assert_eq!(first.version, Version(2));
        let second = store.skills().update(&renamed("Deutsch"), Version(1)).await;
        assert!(matches!(second, Err(WriteError::Conflict { current: Version(2) })), "{second:?}");
        let kept = store.skills().get(tenant_id(), skill(1).id).await.unwrap().unwrap();
        assert_eq!((kept.item.name.as_str(), kept.version), ("German", Version(2)));
        let unknown = store.skills().update(&skill(77), Version(1)).await;
        assert!(matches!(unknown, Err(WriteError::NotFound)), "{unknown:?}");
        let stale = store.skills().delete(tenant_id(), skill(2).id, Some(Version(9))).await;
        assert!(matches!(stale, Err(DeleteError::Conflict { current: Version(1) })), "{stale:?}");
    }

    /// OPS-03: of many who update one version at the same time, one wins.
    async fn of_simultaneous_updates_one_wins(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    let skill = Skill { name: format!("Name {n}"), ..skill(1) };
                    store.skills().update(&skill, Version(1)).await.map(|row| row.version)
                })
            })
            .collect();
        let mut won = 0;
        for attempt in tries {
            match attempt.await.unwrap() {
                Ok(version) => {
                    assert_eq!(version, Version(2));
                    won += 1;
                }
                Err(error) => assert!(matches!(error, WriteError::Conflict { current: Version(2) }), "{error:?}"),
            }
        }
        assert_eq!(won, 1);
    }

    /// What a tenant sets for its agents is kept; what it leaves alone goes along with the default.
    async fn a_tenants_offer_window_and_names_are_kept(db: Scratch) {
        let store = db.open().await;
        let first = store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let mut changed = first.item.clone();
        changed.offer_window.external = vec![ExternalField::Line];
        changed.system_names.no_answer = Some("Missed".into());
        let row = store.tenants().update_tenant(&changed, first.version).await.unwrap();
        assert_eq!(row.version, Version(2));
        assert_eq!(store.tenants().tenant(changed.id).await.unwrap(), Some(row));
        let stale = store.tenants().update_tenant(&first.item, first.version).await;
        assert!(matches!(stale, Err(WriteError::Conflict { .. })), "{stale:?}");
        let made = model::people::Tenant { offer_window: changed.offer_window.clone(), ..tenant(2) };
        store.tenants().insert_tenant(&made).await.unwrap();
        assert_eq!(store.tenants().tenant_by_name(&made.name).await.unwrap().unwrap().item, made);
    }

    /// OPS-03: what must be unique is refused by field, in its scope.
    async fn a_value_that_must_be_unique_is_refused_by_its_field(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        store.tenants().insert_tenant(&tenant(2)).await.unwrap();
        let taken = |result: Result<_, WriteError>| match result {
            Err(WriteError::Taken { kind, field }) => (kind, field),
            other => panic!("{:?}", other.map(|_: ()| ())),
        };
        let users = store.users();
        let insert = async |user: User| users.insert(&user).await.map(drop);
        assert_eq!(taken(insert(User { login: "USER1".into(), ..user(2) }).await), (Kind::User, "login"));
        assert_eq!(taken(insert(User { email: Some("User1@Example.org".into()), ..user(2) }).await), (Kind::User, "email"));
        assert_eq!(taken(insert(User { extension: user(1).extension, ..user(2) }).await), (Kind::User, "extension"));
        assert_eq!(taken(insert(User { id: user(1).id, ..user(2) }).await), (Kind::User, "id"));
        insert(User { tenant: tenant(2).id, id: user(2).id, ..user(1) }).await.expect("another tenant may have the same login");
        let again = store.tenants().insert_tenant(&model::people::Tenant { name: "Tenant 1".into(), ..tenant(3) }).await;
        assert_eq!(taken(again.map(drop)), (Kind::Tenant, "name"));
        store.numbers().insert(&number(1, "110", service(1).id)).await.unwrap();
        assert_eq!(taken(store.numbers().insert(&number(2, "110", service(1).id)).await.map(drop)), (Kind::Number, "digits"));
        store.users().insert(&user(5)).await.unwrap();
        let renamed = store.users().update(&User { login: "user1".into(), ..user(5) }, Version(1)).await;
        assert_eq!(taken(renamed.map(drop)), (Kind::User, "login"));
    }

    /// OPS-03: a row that others refer to stays, and the error says who they are.
    async fn what_is_still_used_is_not_deleted_and_its_users_are_named(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        let refused = store.skills().delete(tenant_id(), skill(1).id, None).await;
        let Err(DeleteError::InUse { by, more: false }) = refused else { panic!("{refused:?}") };
        let by: Vec<_> = by.iter().map(|r| (r.kind, r.name.as_str())).collect();
        assert_eq!(by, [(Kind::Service, "Service 1"), (Kind::User, "user1")]);

        // The service stops needing it and the user unlearns it: now it can go.
        store.services().update(&service(1), Version(1)).await.unwrap();
        store.users().update(&user(1), Version(1)).await.unwrap();
        store.skills().delete(tenant_id(), skill(1).id, None).await.unwrap();
        assert_eq!(store.skills().get(tenant_id(), skill(1).id).await.unwrap(), None);
        let again = store.skills().delete(tenant_id(), skill(1).id, None).await;
        assert!(matches!(again, Err(DeleteError::NotFound)), "{again:?}");

        store.numbers().insert(&number(1, "110", service(1).id)).await.unwrap();
        let refused = store.services().delete(tenant_id(), service(1).id, None).await;
        assert_eq!(refused.unwrap_err().to_string(), "still used by number 110");
        let refused = store.tenants().delete_tenant(tenant_id(), None).await;
        assert!(matches!(refused, Err(DeleteError::InUse { .. })), "{refused:?}");
    }

    /// OPS-03: more than twenty referrers are not all named.
    async fn a_crowd_of_referrers_is_cut_short(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        for n in 10..35 {
            store.numbers().insert(&number(n, &n.to_string(), service(1).id)).await.unwrap();
        }
        let refused = store.services().delete(tenant_id(), service(1).id, None).await;
        let Err(DeleteError::InUse { by, more: true }) = refused else { panic!("{refused:?}") };
        assert_eq!(by.len(), 20);
    }

    /// OPS-03: a row cannot refer to what is not there, nor to another tenant's.
    async fn a_reference_to_nothing_is_refused(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        store.tenants().insert_tenant(&tenant(2)).await.unwrap();
        let foreign = Skill { tenant: tenant(2).id, id: SkillId::from_number(50), name: "Foreign".into() };
        store.skills().insert(&foreign).await.unwrap();
        for missing in [skill(99), foreign] {
            let refused = store.services().insert(&Service { requirement: needs(&missing), ..service(2) }).await;
            let Err(WriteError::UnknownReference { kind: Kind::Skill, id }) = refused else { panic!("{refused:?}") };
            assert_eq!(id, missing.id.to_string());
        }
        let homeless = store.skills().insert(&Skill { tenant: TenantId::from_number(9), ..skill(60) }).await;
        assert!(matches!(homeless, Err(WriteError::UnknownReference { kind: Kind::Tenant, .. })), "{homeless:?}");
        assert_eq!(store.services().get(tenant_id(), service(2).id).await.unwrap(), None);
    }

    /// API-03: tenants are isolated: with another tenant's id there is no such row.
    async fn a_row_is_seen_through_its_own_tenant_only(db: Scratch) {
        let store = db.open().await;
        small_centre(&store).await;
        store.tenants().insert_tenant(&tenant(2)).await.unwrap();
        let other = tenant(2).id;
        assert_eq!(store.skills().get(other, skill(1).id).await.unwrap(), None);
        assert_eq!(store.skills().list(other, None, 10).await.unwrap().items, []);
        assert_eq!(store.users().user_by_sign_in(other, "user1").await.unwrap(), None);
        let moved = store.skills().update(&Skill { tenant: other, ..skill(1) }, Version(1)).await;
        assert!(matches!(moved, Err(WriteError::NotFound)), "{moved:?}");
        let deleted = store.skills().delete(other, skill(2).id, None).await;
        assert!(matches!(deleted, Err(DeleteError::NotFound)), "{deleted:?}");
    }

    /// OPS-03: pages follow each other in one order, miss nothing and repeat nothing.
    async fn a_list_is_read_in_pages(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        for n in (1..=450).rev() {
            store.skills().insert(&skill(n)).await.unwrap();
        }
        let first = store.skills().list(tenant_id(), None, 100_000).await.unwrap();
        assert_eq!(first.items.len(), 200, "a page has a limit whatever was asked for");
        let all = catalogue::all(store.skills(), tenant_id()).await.unwrap();
        let ids: Vec<_> = all.iter().map(|row| row.item.id).collect();
        assert_eq!(ids, (1..=450).map(SkillId::from_number).collect::<Vec<_>>());
        let last = store.skills().list(tenant_id(), Some(&Cursor::from_text(ids[448].to_string())), 1).await.unwrap();
        assert_eq!((last.items.len(), last.next), (1, None));
        let nonsense = store.skills().list(tenant_id(), Some(&Cursor::from_text("' OR 1=1 --")), 10).await;
        assert!(matches!(nonsense, Err(StoreError::BadCursor)), "{nonsense:?}");
        for n in 2..=4 {
            store.tenants().insert_tenant(&tenant(n)).await.unwrap();
        }
        let page = store.tenants().tenants(None, 3).await.unwrap();
        let rest = store.tenants().tenants(page.next.as_ref(), 3).await.unwrap();
        assert_eq!((page.items.len(), rest.items.len(), rest.next), (3, 1, None));
    }
}
