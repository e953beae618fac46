//! The tenant as it travels.

use desk::console::protocol::OfferWindowView;
use model::dialling::{self, DialRules};
use model::id::TenantId;
use model::people::Withheld;
use model::tenant::{AgentOrder, OfferWindow, SystemNames};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::capacity::Capacity;
use super::voicemail::Voicemail;

/// What is set for everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Unique on the appliance.
    pub name: String,
    /// What offer windows show, in this order: each field once, at least one in each list (VOICE-05).
    pub offer_window: OfferWindowView,
    /// Names of the two reasons that the system sets (STATE-13).
    pub system_names: Names,
    /// What agents carry at once, unless the rules of their group say otherwise (ROUTE-01).
    #[serde(default)]
    pub capacity: Capacity,
    /// Who of several agents who would do is rung first: `most_skilled`, `least_skilled`, `least_loaded`, `longest_idle`,
    /// `round_robin`; the first that tells two agents apart decides. One to four, each once (ROUTE-04).
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub agent_order: AgentOrder,
    /// Which numbers outside may be dialled: the longest prefix decides (SAFE-01).
    #[serde(default)]
    pub dialling: Dialling,
    /// What roles may not do although they usually may: `{"agent": ["handle_chats", "handle_emails"]}` (CHAT-01).
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    pub withheld: Withheld,
    /// How messages for extensions are taken and kept (VM-12).
    #[serde(default)]
    pub own_voicemail: Voicemail,
}

/// Which numbers outside may be dialled. `00` at the beginning is the same as `+`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dialling {
    /// Prefixes that may be dialled; as long as one that may not, they win.
    pub allow: Vec<String>,
    /// Prefixes that may not.
    pub deny: Vec<String>,
    /// Whether numbers may be dialled that none of the prefixes fits.
    pub others: bool,
    /// How many numbers one agent may dial within a minute, 1 to 1000.
    pub per_minute: u32,
    /// Whether agents may name a number outside as their phone (CONN-06); `true` if it is missing.
    #[serde(default = "yes")]
    pub own_numbers: bool,
    /// How numbers are dialled here (OUT-05): what one begins with, and what that becomes before it is looked at and sent to a trunk. The
    /// longest beginning that fits counts; at most 50.
    #[serde(default)]
    pub forms: Vec<Form>,
}

/// One way in which numbers are dialled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// 1 to 15 digits.
    pub begins: String,
    /// At most 15 digits, after a + if it is to have one.
    pub becomes: String,
}

fn yes() -> bool {
    true
}

impl Default for Dialling {
    fn default() -> Self {
        DialRules::default().into()
    }
}

impl From<DialRules> for Dialling {
    fn from(DialRules { allow, deny, others, per_minute, own_numbers, forms }: DialRules) -> Self {
        let forms =
            forms.into_iter().map(|form| Form { begins: form.begins, becomes: form.becomes }).collect();
        Self { allow, deny, others, per_minute, own_numbers, forms }
    }
}

/// The tenant's own names; `null`: the usual one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Instead of "No answer".
    #[serde(default)]
    pub no_answer: Option<String>,
    /// Instead of "Connection lost".
    #[serde(default)]
    pub connection_lost: Option<String>,
}

impl Tenant {
    /// As it is stored.
    pub fn into_item(self, id: TenantId) -> model::people::Tenant {
        let OfferWindowView { external, internal } = self.offer_window;
        let Names { no_answer, connection_lost } = self.system_names;
        let Dialling { allow, deny, others, per_minute, own_numbers, forms } = self.dialling;
        let of = |form: Form| dialling::Form { begins: form.begins, becomes: form.becomes };
        let forms = forms.into_iter().map(of).collect();
        let dialling = DialRules { allow, deny, others, per_minute, own_numbers, forms };
        model::people::Tenant {
            id,
            name: self.name,
            offer_window: OfferWindow { external, internal },
            system_names: SystemNames { no_answer, connection_lost },
            capacity: self.capacity.into(),
            agent_order: self.agent_order,
            dialling,
            withheld: self.withheld,
            own_voicemail: self.own_voicemail.into(),
        }
    }

    /// As it travels.
    pub fn show(item: &model::people::Tenant) -> Self {
        let SystemNames { no_answer, connection_lost } = item.system_names.clone();
        Self {
            name: item.name.clone(),
            offer_window: OfferWindowView::from(&item.offer_window),
            system_names: Names { no_answer, connection_lost },
            capacity: item.capacity.into(),
            agent_order: item.agent_order.clone(),
            dialling: item.dialling.clone().into(),
            withheld: item.withheld.clone(),
            own_voicemail: item.own_voicemail.clone().into(),
        }
    }
}
