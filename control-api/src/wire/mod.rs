//! Configuration objects as they travel (docs/protocols/console.md): durations in milliseconds, ids made by us.

pub mod callback;
mod capacity;
mod farewell;
mod flows;
pub mod legs;
mod people;
mod regulars;
mod rules;
mod tenant;
pub mod trace;
mod voicemail;
mod waiting;

use desk::configuration::Configuration;
use desk::refusal::Refusal;
use model::id::{DispositionId, FlowId, Id, NumberId, ReasonId, ServiceId, SkillId, TenantId, TrunkId};
use model::service::SrtpPolicy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::flows::Flow;
pub use self::people::{Group, Rules, User};
pub use self::rules::{Queue, Requirement, Service, SkillExpr, Step};
pub use self::tenant::{Names, Tenant};

/// An object that travels, and the one that is stored.
pub trait Wire: Sized {
    /// The stored one.
    type Item: desk::configuration::Configured;
    /// As it is stored, under this id. `now` has the names that it may use.
    fn into_item(
        self,
        id: <Self::Item as desk::configuration::Item>::Id,
        tenant: TenantId,
        now: &Configuration,
    ) -> Result<Self::Item, Refusal>;
    /// As it travels.
    fn show(item: Self::Item) -> Self;
    /// With what is told by the names of other objects.
    fn named(self, _now: &Configuration) -> Self {
        self
    }
}

/// An id before the appliance has given one: read and ignored in requests.
fn no_id<I: Id>() -> I {
    I::from_number(0)
}

/// A default.
fn yes() -> bool {
    true
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident of $item:path, $id:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Made by the appliance; ignored in requests.
            #[serde(default = "no_id")]
            #[schema(value_type = String, read_only)]
            pub id: $id,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Wire for $name {
            type Item = $item;
            fn into_item(self, id: $id, tenant: TenantId, _: &Configuration) -> Result<$item, Refusal> {
                type Stored = $item;
                Ok(Stored { id, tenant, $($field: self.$field,)* })
            }
            fn show(item: $item) -> Self {
                Self { id: item.id, $($field: item.$field,)* }
            }
        }
    )*};
}

objects! {
    /// A skill that agents can have.
    Skill of model::service::Skill, SkillId {
        /// Unique.
        name: String,
    }
    /// A reason for being Not ready (STATE-12).
    Reason of model::agent::Reason, ReasonId {
        /// Shown in the state menu.
        name: String,
        /// `coffee`, `lunch`, `meeting`, `training`, `away`, `busy`.
        icon: String,
        /// The stay ends in Ready by itself after so many minutes, 1 to 1440; none: only by hand (STATE-04).
        #[serde(default)]
        ends_after_minutes: Option<u32>,
        /// Whether the stay counts as break time (STATE-14).
        #[serde(default)]
        is_break: bool,
        /// Whether numbers outside may be dialled meanwhile (STATE-17).
        #[serde(default = "yes")]
        call_out: bool,
    }
    /// A way an interaction of a service can end (ACW-01, ACW-07).
    Disposition of model::service::Disposition, DispositionId {
        /// The service in whose list it stands; taken from the address.
        #[serde(default = "no_id")]
        #[schema(value_type = String)]
        service: ServiceId,
        /// Unique in the service.
        name: String,
        /// Counts as a success.
        #[serde(default)]
        success: bool,
        /// Closes the matter.
        #[serde(default)]
        closing: bool,
    }
    /// A dialled number.
    Number of model::service::Number, NumberId {
        /// Digits with an optional `+`.
        digits: String,
        /// The service that answers.
        #[schema(value_type = String)]
        service: ServiceId,
        /// The flow that callers go through first, if any.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        flow: Option<FlowId>,
    }
}

/// A carrier or PBX.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Made by the appliance; ignored in requests.
    #[serde(default = "no_id")]
    #[schema(value_type = String, read_only)]
    pub id: TrunkId,
    /// Unique.
    pub name: String,
    /// `address` or `address/prefix-length`; empty: digest only.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Digest user name.
    #[serde(default)]
    pub username: Option<String>,
    /// Digest password: only in requests, never shown.
    #[serde(default, skip_serializing)]
    #[schema(write_only)]
    pub password: Option<String>,
    /// `host[:port][;transport=udp|tcp|tls]`; none: inbound only.
    #[serde(default)]
    pub target: Option<String>,
    /// User name with which we sign in at its target, where that asks us to.
    #[serde(default)]
    pub account: Option<String>,
    /// Its password: only in requests, never shown. Left out, it stays as it is.
    #[serde(default, skip_serializing)]
    #[schema(write_only)]
    pub account_password: Option<String>,
    /// Whether we register there, so that calls come to us; needs `target`, `account` and its password. How it stands: `/trunk-states`.
    #[serde(default)]
    pub registers: bool,
    /// Calls at once.
    #[serde(default = "calls_max")]
    pub calls_max: u32,
    /// `accept`, `require` or `never`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub srtp: SrtpPolicy,
}

fn calls_max() -> u32 {
    500
}

impl Wire for Trunk {
    type Item = model::service::Trunk;
    fn into_item(
        self,
        id: TrunkId,
        tenant: TenantId,
        _: &Configuration,
    ) -> Result<model::service::Trunk, Refusal> {
        Ok(model::service::Trunk {
            id,
            tenant,
            name: self.name,
            addresses: self.addresses,
            username: self.username,
            target: self.target,
            account: self.account,
            registers: self.registers,
            calls_max: self.calls_max,
            srtp: self.srtp,
        })
    }
    fn show(item: model::service::Trunk) -> Self {
        Self {
            id: item.id,
            name: item.name,
            addresses: item.addresses,
            username: item.username,
            password: None,
            target: item.target,
            account: item.account,
            registers: item.registers,
            account_password: None,
            calls_max: item.calls_max,
            srtp: item.srtp,
        }
    }
}

/// Milliseconds of a duration.
fn ms(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
