//! The first rows of an empty database: what `init` and `demo` begin with.

use anyhow::{Context, Result, bail};
use model::agent::Reason;
use model::id::{GroupId, Id, NumberId, ReasonId, ServiceId, SkillId, TenantId, TrunkId, UserId};
use model::people::{Group, GroupRules, PhoneKind, Role, Tenant, User};
use model::service::{Disposition, Number, QueueRules, Service, Skill, SrtpPolicy, Trunk};
use model::skill::{Level, Requirement, SkillExpr};
use store::Store;
use store::secrets::PasswordHash;

use crate::clock::{self, SystemIds};
use crate::secret;

/// Makes a tenant with a team and the usual reasons. Fails when one of that name is there.
pub async fn tenant(store: &Store, name: &str) -> Result<(TenantId, GroupId)> {
    if store.tenants().tenant_by_name(name).await?.is_some() {
        bail!("there is a tenant `{name}` already; `patchbay user` works on it");
    }
    let tenant = Tenant::new(TenantId::make(&mut SystemIds), name);
    store.tenants().insert_tenant(&tenant).await.context("making the tenant")?;
    let group = Group {
        id: GroupId::make(&mut SystemIds),
        tenant: tenant.id,
        name: "Everybody".into(),
        rules: GroupRules::default(),
    };
    store.groups().insert(&group).await.context("making the team")?;
    for (name, icon, is_break) in [
        ("Lunch", "lunch", true),
        ("Away", "away", true),
        ("Break", "coffee", true),
        ("Meeting", "meeting", false),
        ("Training", "training", false),
        ("Busy", "busy", false),
    ] {
        let reason = Reason {
            id: ReasonId::make(&mut SystemIds),
            tenant: tenant.id,
            name: name.into(),
            icon: icon.into(),
            ends_after_minutes: None,
            is_break,
            call_out: true,
        };
        store.reasons().insert(&reason).await.context("making the reasons for being Not ready")?;
    }
    Ok((tenant.id, group.id))
}

/// What is said about a new user.
pub struct NewUser<'a> {
    /// User name for sign-in.
    pub login: &'a str,
    /// Name that colleagues see.
    pub name: &'a str,
    /// What the user may do.
    pub role: Role,
    /// Internal number.
    pub extension: Option<&'a str>,
    /// How voice reaches the user.
    pub phone: PhoneKind,
    /// Skills and levels.
    pub skills: &'a [(SkillId, Level)],
}

/// Makes a user with a password that is returned and kept nowhere else.
pub async fn user(
    store: &Store,
    tenant: TenantId,
    group: Option<GroupId>,
    new: NewUser<'_>,
) -> Result<(UserId, String)> {
    let user = User {
        id: UserId::make(&mut SystemIds),
        tenant,
        login: new.login.to_lowercase(),
        name: new.name.into(),
        email: None,
        extension: new.extension.map(Into::into),
        role: new.role,
        group,
        skills: new.skills.iter().copied().collect(),
        phone: new.phone,
        mobile: None,
        chats_max: None,
        disabled: false,
    };
    store.users().insert(&user).await.with_context(|| format!("making user `{}`", new.login))?;
    let password = set_password(store, user.id).await?;
    Ok((user.id, password))
}

/// Gives a user a new strong password and returns it.
pub async fn set_password(store: &Store, user: UserId) -> Result<String> {
    let password = secret::password();
    let hash = secret::passwords()?.hash(&password).await?;
    let hash = PasswordHash::from_phc(hash).context("the password could not be hashed")?;
    store.secrets().set_password(user, &hash, clock::now()).await?;
    Ok(password)
}

/// Makes a skill.
pub async fn skill(store: &Store, tenant: TenantId, name: &str) -> Result<SkillId> {
    let skill = Skill { id: SkillId::make(&mut SystemIds), tenant, name: name.into() };
    store.skills().insert(&skill).await?;
    Ok(skill.id)
}

/// Makes a service that needs a skill, with its dispositions and a number that leads to it.
pub async fn service(
    store: &Store,
    tenant: TenantId,
    name: &str,
    needs: (SkillId, Level),
    dispositions: &[(&str, bool)],
    digits: &str,
) -> Result<ServiceId> {
    let service = Service {
        id: ServiceId::make(&mut SystemIds),
        tenant,
        name: name.into(),
        requirement: Requirement::fixed(SkillExpr::AtLeast { skill: needs.0, level: needs.1 }),
        queue: QueueRules::default(),
        disposition_mandatory: true,
        record: true,
        recording: model::recording::RecordingRules::default(),
        open: true,
    };
    store.services().insert(&service).await?;
    for (name, success) in dispositions {
        let id = Id::make(&mut SystemIds);
        let row = Disposition {
            id,
            tenant,
            service: service.id,
            name: (*name).into(),
            success: *success,
            closing: true,
        };
        store.dispositions().insert(&row).await?;
    }
    let number = Number {
        id: NumberId::make(&mut SystemIds),
        tenant,
        digits: digits.into(),
        service: service.id,
        flow: None,
    };
    store.numbers().insert(&number).await?;
    Ok(service.id)
}

/// Makes a trunk known by its addresses.
pub async fn trunk(store: &Store, tenant: TenantId, name: &str, addresses: &[&str]) -> Result<TrunkId> {
    let trunk = Trunk {
        id: TrunkId::make(&mut SystemIds),
        tenant,
        name: name.into(),
        addresses: addresses.iter().map(|a| (*a).into()).collect(),
        username: None,
        target: None,
        account: None,
        registers: false,
        calls_max: 500,
        srtp: SrtpPolicy::Accept,
    };
    store.trunks().insert(&trunk).await?;
    Ok(trunk.id)
}

/// Changes a service that was just made.
pub async fn change_service(
    store: &Store,
    tenant: TenantId,
    id: ServiceId,
    change: impl FnOnce(&mut Service),
) -> Result<()> {
    let mut row = store.services().get(tenant, id).await?.context("the service is there")?;
    change(&mut row.item);
    store.services().update(&row.item, row.version).await?;
    Ok(())
}
