//! What a tenant sets for all of its agents: the content of the offer window, and names for the states the system sets.

use serde::{Deserialize, Serialize};

/// What the offer window shows, in this order (VOICE-05). A field stands in a list at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferWindow {
    /// Of calls from outside (VOICE-03).
    pub external: Vec<ExternalField>,
    /// Of a colleague's calls (VOICE-04).
    pub internal: Vec<InternalField>,
}

impl Default for OfferWindow {
    /// The standard windows of VOICE-03 and VOICE-04, and of a caller from outside what was entered and how long it took.
    fn default() -> Self {
        use ExternalField::{Channel, Name, Noted, Number, Service, Waited};
        Self {
            external: vec![Service, Channel, Name, Number, Noted, Waited],
            internal: vec![InternalField::Channel, InternalField::Name, InternalField::Extension],
        }
    }
}

/// What can be shown of a call from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalField {
    /// The service that was called.
    Service,
    /// Kind of contact.
    Channel,
    /// The caller's name, or the number when there is none.
    Name,
    /// Calling number.
    Number,
    /// Called number.
    Line,
    /// What flows noted of the caller (ROUTE-07).
    Noted,
    /// How long the caller has waited.
    Waited,
}

/// What can be shown of a colleague's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InternalField {
    /// Kind of contact.
    Channel,
    /// The colleague's name.
    Name,
    /// The colleague's extension.
    Extension,
    /// How long it has rung.
    Waited,
}

/// The tenant's names for the two reasons that the system sets (STATE-13). `None`: the usual name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SystemNames {
    /// Instead of "No answer".
    pub no_answer: Option<String>,
    /// Instead of "Connection lost".
    pub connection_lost: Option<String>,
}

/// Who is chosen among several agents who would do, after those whom the contact prefers: the first term that tells two of them
/// apart decides, then the lower id (ROUTE-04). At most [`AGENT_TERMS_MAX`] terms, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentOrder(pub Vec<AgentTerm>);

impl Default for AgentOrder {
    fn default() -> Self {
        Self(vec![AgentTerm::MostSkilled, AgentTerm::LeastLoaded, AgentTerm::LongestIdle])
    }
}

/// Terms of an [`AgentOrder`].
pub const AGENT_TERMS_MAX: usize = 4;

/// One term of the order in which agents are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentTerm {
    /// The highest level first: the lowest level among the skills asked for counts.
    MostSkilled,
    /// The lowest sufficient level first, to keep experts free.
    LeastSkilled,
    /// Whoever carries the fewest units.
    LeastLoaded,
    /// Whoever took or ended work, or became ready, longest ago.
    LongestIdle,
    /// Whoever was rung longest ago.
    RoundRobin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_as_the_protocol_says() {
        let text = serde_json::to_string(&OfferWindow::default()).unwrap();
        assert_eq!(
            text,
            r#"{"external":["service","channel","name","number","noted","waited"],"internal":["channel","name","extension"]}"#
        );
        let unknown = r#"{"external":["shoe_size"],"internal":["name"]}"#;
        assert!(serde_json::from_str::<OfferWindow>(unknown).is_err());
    }
}
