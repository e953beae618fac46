//! How messages of callers are taken and kept, as the API says it.

use model::service::VoicemailRules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How messages are taken and kept (ROUTE-07).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Voicemail {
    /// A sound that callers hear before the tone; `null`: the appliance's own.
    pub greeting: Option<String>,
    /// Seconds that one message may last, 10 to 600.
    pub length_max_s: u32,
    /// Messages that are kept at once, 1 to 1000; the next caller is told that none can be left.
    pub messages_max: u32,
    /// Days after which a message is erased, 1 to 36500 (VM-12).
    pub keep_days: u32,
}

impl Default for Voicemail {
    fn default() -> Self {
        VoicemailRules::default().into()
    }
}

impl From<VoicemailRules> for Voicemail {
    fn from(rules: VoicemailRules) -> Self {
        let VoicemailRules { greeting, length_max_s, messages_max, keep_days } = rules;
        Self { greeting, length_max_s, messages_max, keep_days }
    }
}

impl From<Voicemail> for VoicemailRules {
    fn from(voicemail: Voicemail) -> Self {
        let Voicemail { greeting, length_max_s, messages_max, keep_days } = voicemail;
        Self { greeting, length_max_s, messages_max, keep_days }
    }
}
