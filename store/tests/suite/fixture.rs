//! What the tests share: both engines, and a small contact centre.

use std::collections::BTreeMap;

use model::id::{DispositionId, GroupId, Id, InteractionId, NumberId, ServiceId, SkillId, TenantId, UserId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::journal::Event;
use model::people::{Group, GroupRules, PhoneKind, Role, Tenant, User};
use model::service::{Disposition, Number, QueueRules, Service, Skill};
use model::skill::{Level, Requirement, SkillExpr};
use model::time::Timestamp;
use store::Store;

/// Runs a rule on SQLite and on PostgreSQL, as two tests of one name.
#[macro_export]
macro_rules! on_each_engine {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: Scratch) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "what one rule needs another does not")]
            use super::*;
            async fn rule($db: store::testing::Scratch) $body
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() { rule(store::testing::Scratch::sqlite()).await; }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() { rule(store::testing::Scratch::postgres()).await; }
        }
    )*};
}

pub fn tenant_id() -> TenantId {
    TenantId::from_number(1)
}

pub fn tenant(n: u64) -> Tenant {
    Tenant::new(TenantId::from_number(n), format!("Tenant {n}"))
}

pub fn skill(n: u64) -> Skill {
    Skill { id: SkillId::from_number(n), tenant: tenant_id(), name: format!("Skill {n:03}") }
}

pub fn group(n: u64) -> Group {
    Group {
        id: GroupId::from_number(n),
        tenant: tenant_id(),
        name: format!("Group {n}"),
        rules: GroupRules::default(),
    }
}

pub fn user(n: u64) -> User {
    User {
        id: UserId::from_number(n),
        tenant: tenant_id(),
        login: format!("user{n}"),
        name: format!("User {n}"),
        email: Some(format!("user{n}@example.org")),
        extension: Some(format!("{}", 100 + n)),
        role: Role::Agent,
        group: None,
        skills: BTreeMap::new(),
        phone: PhoneKind::Browser,
        mobile: None,
        chats_max: None,
        disabled: false,
    }
}

pub fn service(n: u64) -> Service {
    Service {
        id: ServiceId::from_number(n),
        tenant: tenant_id(),
        name: format!("Service {n}"),
        requirement: Requirement::fixed(SkillExpr::Any),
        queue: QueueRules::default(),
        disposition_mandatory: true,
        record: true,
        recording: model::recording::RecordingRules::default(),
        open: true,
    }
}

pub fn needs(skill: &Skill) -> Requirement {
    Requirement::fixed(SkillExpr::AtLeast { skill: skill.id, level: Level::MIN })
}

pub fn disposition(n: u64, service: ServiceId) -> Disposition {
    let (id, name) = (DispositionId::from_number(n), format!("Disposition {n}"));
    Disposition { id, tenant: tenant_id(), service, name, success: true, closing: true }
}

pub fn number(n: u64, digits: &str, service: ServiceId) -> Number {
    Number { id: NumberId::from_number(n), tenant: tenant_id(), digits: digits.into(), service, flow: None }
}

pub fn call(n: u64) -> InteractionId {
    InteractionId::from_number(n)
}

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

pub fn arrived(n: u64, caller: &str) -> Event {
    Event::Arrived {
        interaction: call(n),
        channel: Channel::Voice,
        direction: Direction::Inbound,
        caller: caller.into(),
        caller_name: None,
        contact: "+4930555".into(),
        trunk: None,
        service: Some(ServiceId::from_number(1)),
        calling_agent: None,
    }
}

pub fn bridged(n: u64, agent: u64) -> Event {
    Event::Bridged { interaction: call(n), agent: UserId::from_number(agent) }
}

pub fn held(n: u64) -> Event {
    Event::HoldChanged { interaction: call(n), agent: None, held: true }
}

pub fn ended(n: u64, status: EndStatus) -> Event {
    Event::Ended { interaction: call(n), status, by: EndedBy::Customer }
}

pub fn completed(n: u64, agent: u64) -> Event {
    let wrap_up = std::time::Duration::from_secs(3);
    Event::Completed { interaction: call(n), agent: UserId::from_number(agent), wrap_up }
}

/// Tenant 1 with skills 1 and 2, group 1, service 1 that needs skill 1, and user 1 of group 1 with skill 1.
pub async fn small_centre(store: &Store) {
    store.tenants().insert_tenant(&tenant(1)).await.unwrap();
    for n in 1..=2 {
        store.skills().insert(&skill(n)).await.unwrap();
    }
    store.groups().insert(&group(1)).await.unwrap();
    store.services().insert(&Service { requirement: needs(&skill(1)), ..service(1) }).await.unwrap();
    let skills = BTreeMap::from([(skill(1).id, Level::MAX)]);
    store.users().insert(&User { group: Some(group(1).id), skills, ..user(1) }).await.unwrap();
}
