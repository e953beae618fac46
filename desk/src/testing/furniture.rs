//! Who and what is in the house.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use model::agent::Reason;
use model::id::{
    DispositionId, GroupId, Id, NumberId, ReasonId, ServiceId, SkillId, TenantId, TrunkId, UserId,
};
use model::people::{Group, GroupRules, PhoneKind, RestState, Role, Tenant, User};
use model::service::{Disposition, Number, QueueRules, Service, Skill};
use model::skill::{Level, Requirement, SkillExpr};
use store::Store;

/// The only tenant.
pub fn tenant() -> TenantId {
    TenantId::from_number(1)
}
/// The service "Help".
pub fn help() -> ServiceId {
    ServiceId::from_number(1)
}
/// The trunk that [`super::House::opens_a_trunk`] makes.
pub fn trunk_out() -> TrunkId {
    TrunkId::from_number(7)
}

/// The skill that "Help" asks for.
pub fn german() -> SkillId {
    SkillId::from_number(1)
}
/// The reason "Lunch".
pub fn lunch() -> ReasonId {
    ReasonId::from_number(1)
}
/// The disposition "Solved" of "Help".
pub fn solved() -> DispositionId {
    DispositionId::from_number(1)
}
/// Everybody's group.
pub fn team() -> GroupId {
    GroupId::from_number(1)
}
/// Has the skill.
pub fn anna() -> UserId {
    UserId::from_number(1)
}
/// Has the skill, less of it.
pub fn ben() -> UserId {
    UserId::from_number(2)
}
/// Has no skill.
pub fn cleo() -> UserId {
    UserId::from_number(3)
}
/// Supervises.
pub fn sue() -> UserId {
    UserId::from_number(4)
}
/// Administers.
pub fn adam() -> UserId {
    UserId::from_number(5)
}

/// What may be different from test to test.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Rules of the team.
    pub rules: GroupRules,
    /// Rules of the queue.
    pub queue: QueueRules,
    /// Whether dispositions are mandatory.
    pub mandatory: bool,
    /// Whether the service is open.
    pub open: bool,
    /// Everybody's phone.
    pub phone: PhoneKind,
    /// Whoever has no phone for so long is signed out.
    pub phone_missing_max: Option<Duration>,
}

impl Default for Setup {
    /// Ready after sign-in, everything else as it comes.
    fn default() -> Self {
        Self {
            rules: GroupRules { after_login: RestState::Ready, ..GroupRules::default() },
            queue: QueueRules::default(),
            mandatory: false,
            open: true,
            phone: PhoneKind::Browser,
            phone_missing_max: None,
        }
    }
}

pub(super) async fn open_store(folder: &Path) -> Store {
    Store::open(&format!("sqlite://{}", folder.join("patchbay.db").display())).await.unwrap()
}

pub(super) async fn furnish(store: &Store, setup: &Setup) {
    let tenant = tenant();
    store.tenants().insert_tenant(&Tenant::new(tenant, "Example")).await.unwrap();
    store.skills().insert(&Skill { id: german(), tenant, name: "German".into() }).await.unwrap();
    let group = Group { id: team(), tenant, name: "Team".into(), rules: setup.rules.clone() };
    store.groups().insert(&group).await.unwrap();
    let reason = Reason {
        id: lunch(),
        tenant,
        name: "Lunch".into(),
        icon: "lunch".into(),
        ends_after_minutes: None,
        is_break: true,
        call_out: true,
    };
    store.reasons().insert(&reason).await.unwrap();
    let who = SkillExpr::AtLeast { skill: german(), level: Level::MIN };
    let service = Service {
        id: help(),
        tenant,
        name: "Help".into(),
        requirement: Requirement::fixed(who),
        queue: setup.queue.clone(),
        disposition_mandatory: setup.mandatory,
        record: true,
        recording: model::recording::RecordingRules::default(),
        open: setup.open,
    };
    store.services().insert(&service).await.unwrap();
    let disposition = Disposition {
        id: solved(),
        tenant,
        service: help(),
        name: "Solved".into(),
        success: true,
        closing: true,
    };
    store.dispositions().insert(&disposition).await.unwrap();
    let number =
        Number { id: NumberId::from_number(1), tenant, digits: "100".into(), service: help(), flow: None };
    store.numbers().insert(&number).await.unwrap();
    for (id, login, role, level) in [
        (anna(), "anna", Role::Agent, Some(9)),
        (ben(), "ben", Role::Agent, Some(3)),
        (cleo(), "cleo", Role::Agent, None),
        (sue(), "sue", Role::Supervisor, None),
        (adam(), "adam", Role::Administrator, None),
    ] {
        let level = level.and_then(Level::new);
        let user = User {
            id,
            tenant,
            login: login.into(),
            name: login.to_uppercase(),
            email: None,
            extension: Some(format!("20{}", &id.to_string()[id.to_string().len() - 1..])),
            role,
            group: Some(team()),
            skills: level.map(|level| BTreeMap::from([(german(), level)])).unwrap_or_default(),
            phone: setup.phone,
            mobile: None,
            chats_max: None,
            disabled: false,
        };
        store.users().insert(&user).await.unwrap();
    }
}
