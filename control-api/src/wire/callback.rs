//! How callers are called back, as the API says it.

use model::service::CallbackRules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether those who wait are offered to be called back, and how that is done (CB-01).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackOffer {
    /// Offered to whoever has waited so many seconds, 5 to 3600; `null`: not for the time waited.
    pub offer_after_s: Option<u32>,
    /// Offered to whoever is expected to wait at least so many minutes, 1 to 240; `null`: not for that.
    pub offer_from_min: Option<u32>,
    /// Customers of the service who may be waiting to be called back, 0 to 500.
    pub open_max: u32,
    /// How often a customer is dialled, 1 to 10.
    pub attempts_max: u32,
    /// Seconds between one attempt and the next, 10 to 7200.
    pub pause_s: u32,
    /// Seconds that the customer's phone rings, 10 to 120.
    pub ring_s: u32,
    /// Hours after which it is given up, 1 to 72.
    pub keep_h: u32,
}

impl Default for CallbackOffer {
    fn default() -> Self {
        CallbackRules::default().into()
    }
}

impl From<CallbackRules> for CallbackOffer {
    fn from(rules: CallbackRules) -> Self {
        let CallbackRules { offer_after_s, offer_from_min, open_max, attempts_max, pause_s, ring_s, keep_h } =
            rules;
        Self { offer_after_s, offer_from_min, open_max, attempts_max, pause_s, ring_s, keep_h }
    }
}

impl From<CallbackOffer> for CallbackRules {
    fn from(offer: CallbackOffer) -> Self {
        let CallbackOffer { offer_after_s, offer_from_min, open_max, attempts_max, pause_s, ring_s, keep_h } =
            offer;
        Self { offer_after_s, offer_from_min, open_max, attempts_max, pause_s, ring_s, keep_h }
    }
}
