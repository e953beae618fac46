//! What agents carry at once, as it travels.

use std::collections::BTreeMap;

use model::capacity::{self, Blend, Blending};
use model::interaction::Channel;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much one agent carries at once (ROUTE-01). What is left out is as it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// What an agent has, 1 to 1000.
    pub units: u32,
    /// A call.
    pub voice: Weight,
    /// A chat.
    pub chat: Weight,
    /// An email.
    pub email: Weight,
    /// A text message.
    pub sms: Weight,
    /// A call that the customer asked for.
    pub callback: Weight,
    /// A record of a campaign.
    pub campaign: Weight,
    /// What may come while something else is in hand: `{current: {new: "never"|"beside"|"interrupt"}}`, by kind of contact.
    /// Pairs that are left out are as they come; two of one kind are always beside each other.
    #[schema(value_type = serde_json::Value)]
    pub blending: BTreeMap<Channel, BTreeMap<Channel, Blend>>,
}

/// What one kind of contact takes of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// Units for each, 1 to what an agent has.
    pub units: u32,
    /// How many at once, whatever the units allow: 0 to 50; 0: none are offered.
    pub at_once: u32,
}

impl Default for Capacity {
    fn default() -> Self {
        capacity::Capacity::default().into()
    }
}

impl From<capacity::Capacity> for Capacity {
    fn from(capacity: capacity::Capacity) -> Self {
        let weight = |channel| {
            let capacity::Weight { units, at_once } = capacity.weight(channel);
            Weight { units, at_once }
        };
        Self {
            units: capacity.units,
            voice: weight(Channel::Voice),
            chat: weight(Channel::Chat),
            email: weight(Channel::Email),
            sms: weight(Channel::Sms),
            callback: weight(Channel::Callback),
            campaign: weight(Channel::Campaign),
            blending: capacity.blending.into(),
        }
    }
}

impl From<Capacity> for capacity::Capacity {
    fn from(capacity: Capacity) -> Self {
        let weight = |Weight { units, at_once }| capacity::Weight { units, at_once };
        Self {
            units: capacity.units,
            voice: weight(capacity.voice),
            chat: weight(capacity.chat),
            email: weight(capacity.email),
            sms: weight(capacity.sms),
            callback: weight(capacity.callback),
            campaign: weight(capacity.campaign),
            blending: Blending::from(capacity.blending),
        }
    }
}
