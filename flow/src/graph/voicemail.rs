//! Callers who leave a message.

use serde::{Deserialize, Serialize};

use crate::prompt::Prompt;

/// Takes a message for a service: a greeting, the tone, what the caller says. It ends with `#`, with five seconds of silence, or
/// after as long as the service allows. Of whoever waits in a queue it says nothing: the message is for the service waited for, and
/// is taken as that says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voicemail {
    /// The name of the service. While the caller waits it is the service waited for, and not said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What is heard before the tone, if not the greeting of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Prompt>,
    /// Where to after the message; without it the caller is thanked and the call ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where to when none can be taken: as many are kept as may be; without it the caller is told so and the call ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
