//! What customers who write read when a service does not take them, as the API says it.

use model::service;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Texts for customers who write, where callers hear an announcement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Farewells {
    /// The service is closed, or has an emergency.
    pub closed: Farewell,
    /// Nobody is signed in, or the last agent left.
    pub unstaffed: Farewell,
    /// As many wait as may, or the longest wait is over.
    pub full: Farewell,
}

/// One text in both languages, at most 1000 characters each. Empty: the usual words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Farewell {
    /// English.
    pub en: String,
    /// Russian.
    pub ru: String,
}

impl From<service::Farewells> for Farewells {
    fn from(texts: service::Farewells) -> Self {
        let text = |service::Farewell { en, ru }| Farewell { en, ru };
        Self { closed: text(texts.closed), unstaffed: text(texts.unstaffed), full: text(texts.full) }
    }
}

impl From<Farewells> for service::Farewells {
    fn from(texts: Farewells) -> Self {
        let text = |Farewell { en, ru }| service::Farewell { en, ru };
        Self { closed: text(texts.closed), unstaffed: text(texts.unstaffed), full: text(texts.full) }
    }
}
