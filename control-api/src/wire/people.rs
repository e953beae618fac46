//! Users and groups as they travel.

use std::collections::BTreeMap;
use std::time::Duration;

use desk::configuration::Configuration;
use desk::refusal::Refusal;
use model::id::{GroupId, SkillId, TenantId, UserId};
use model::people::{GroupRules, PhoneKind, RestState, Role};
use model::skill::Level;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::capacity::Capacity;
use super::{Wire, ms, no_id};

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Made by the appliance; ignored in requests.
    #[serde(default = "no_id")]
    #[schema(value_type = String, read_only)]
    pub id: UserId,
    /// What is typed at sign-in.
    pub login: String,
    /// What colleagues see.
    pub name: String,
    /// Optional second sign-in name.
    #[serde(default)]
    pub email: Option<String>,
    /// Internal number.
    #[serde(default)]
    pub extension: Option<String>,
    /// `agent`, `supervisor` or `administrator`.
    #[schema(value_type = String)]
    pub role: Role,
    /// The team whose rules apply.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub group: Option<GroupId>,
    /// Levels from 1 to 10 by skill.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, u8>)]
    pub skills: BTreeMap<SkillId, Level>,
    /// `browser`, `sip`, `number` (the one in `mobile`) or `none`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub phone: PhoneKind,
    /// The number outside by which the user can be reached: digits with an optional +. Colleagues see it.
    #[serde(default)]
    pub mobile: Option<String>,
    /// How many chats at once, instead of what group and tenant say: 0 to 50; 0: none (CHAT-14).
    #[serde(default)]
    pub chats_max: Option<u32>,
    /// May not sign in any more.
    #[serde(default)]
    pub disabled: bool,
    /// First password: only in POST, never shown.
    #[serde(default, skip_serializing)]
    #[schema(write_only)]
    pub password: Option<String>,
}

impl From<model::people::User> for User {
    fn from(user: model::people::User) -> Self {
        Self::show(user)
    }
}

impl Wire for User {
    type Item = model::people::User;
    fn into_item(
        self,
        id: UserId,
        tenant: TenantId,
        _: &Configuration,
    ) -> Result<model::people::User, Refusal> {
        Ok(model::people::User {
            id,
            tenant,
            login: self.login.to_lowercase(),
            name: self.name,
            email: self.email,
            extension: self.extension,
            role: self.role,
            group: self.group,
            skills: self.skills,
            phone: self.phone,
            mobile: self.mobile,
            chats_max: self.chats_max,
            disabled: self.disabled,
        })
    }
    fn show(item: model::people::User) -> Self {
        Self {
            id: item.id,
            login: item.login,
            name: item.name,
            email: item.email,
            extension: item.extension,
            role: item.role,
            group: item.group,
            skills: item.skills,
            phone: item.phone,
            mobile: item.mobile,
            chats_max: item.chats_max,
            disabled: item.disabled,
            password: None,
        }
    }
}

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Made by the appliance; ignored in requests.
    #[serde(default = "no_id")]
    #[schema(value_type = String, read_only)]
    pub id: GroupId,
    /// Unique.
    pub name: String,
    /// What happens to its agents without their asking.
    #[serde(default)]
    pub rules: Rules,
}

/// Rules of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// State after sign-in: `ready` or `not_ready`.
    #[schema(value_type = String)]
    pub after_login: RestState,
    /// Whether after-call work follows an interaction.
    pub wrap_up: bool,
    /// After-call work ends by itself after this time; `null`: by hand only.
    pub wrap_up_ms: Option<u64>,
    /// Whether the countdown may be stopped.
    pub wrap_up_continue: bool,
    /// State after an interaction.
    #[schema(value_type = String)]
    pub after_interaction: RestState,
    /// Whether refusing an offer makes the agent Not ready.
    pub not_ready_on_refusal: bool,
    /// Break time of a day in minutes, 1 to 1440; none: as much as it takes (STATE-14).
    pub break_minutes: Option<u32>,
    /// Calls are accepted by themselves.
    pub auto_answer: bool,
    /// What its agents carry at once; none: as the tenant says (ROUTE-01).
    pub capacity: Option<Capacity>,
    /// Whether an offered chat may be put back for others without a change of state (LIVE-05).
    pub put_back: bool,
}

impl Default for Rules {
    fn default() -> Self {
        GroupRules::default().into()
    }
}

impl From<GroupRules> for Rules {
    fn from(rules: GroupRules) -> Self {
        Self {
            after_login: rules.after_login,
            wrap_up: rules.wrap_up,
            wrap_up_ms: rules.wrap_up_time.map(ms),
            wrap_up_continue: rules.wrap_up_continue,
            after_interaction: rules.after_interaction,
            not_ready_on_refusal: rules.not_ready_on_refusal,
            break_minutes: rules.break_minutes,
            auto_answer: rules.auto_answer,
            capacity: rules.capacity.map(Capacity::from),
            put_back: rules.put_back,
        }
    }
}

impl From<Rules> for GroupRules {
    fn from(rules: Rules) -> Self {
        Self {
            after_login: rules.after_login,
            wrap_up: rules.wrap_up,
            wrap_up_time: rules.wrap_up_ms.map(Duration::from_millis),
            wrap_up_continue: rules.wrap_up_continue,
            after_interaction: rules.after_interaction,
            not_ready_on_refusal: rules.not_ready_on_refusal,
            break_minutes: rules.break_minutes,
            auto_answer: rules.auto_answer,
            capacity: rules.capacity.map(Into::into),
            put_back: rules.put_back,
        }
    }
}

impl Wire for Group {
    type Item = model::people::Group;
    fn into_item(
        self,
        id: GroupId,
        tenant: TenantId,
        _: &Configuration,
    ) -> Result<model::people::Group, Refusal> {
        Ok(model::people::Group { id, tenant, name: self.name, rules: self.rules.into() })
    }
    fn show(item: model::people::Group) -> Self {
        Self { id: item.id, name: item.name, rules: item.rules.into() }
    }
}
