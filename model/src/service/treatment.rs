//! What becomes of callers who are not queued, or not any longer (ROUTE-07).

use serde::{Deserialize, Serialize};

use super::QueueRules;
use crate::id::{FlowId, ServiceId};
use crate::interaction::EndStatus;

/// Why a caller is not queued, or not any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The service is closed.
    Closed,
    /// Nobody of the service is signed in.
    Unstaffed,
    /// As many wait as may.
    Full,
    /// The longest wait is over.
    WaitedLong,
    /// Nobody of the service is signed in any more.
    AgentsLeft,
    /// The caller chose another service by a key.
    Chosen,
    /// A supervisor has switched the emergency treatment on.
    Emergency,
}

impl Overflow {
    /// How the call will have ended if it leads nowhere else.
    pub fn status(self) -> EndStatus {
        match self {
            Self::Closed | Self::Emergency => EndStatus::Closed,
            Self::Unstaffed | Self::AgentsLeft => EndStatus::NoAgentOnline,
            Self::Full | Self::WaitedLong | Self::Chosen => EndStatus::QueueFull,
        }
    }
}

/// What is done with a caller who is not queued, or not any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Plays the announcement of the case, then ends the call.
    Announce,
    /// Answers 480 (nobody there), 486 (full) or 603 (closed) without taking the call; one that is answered already is ended.
    Reject,
    /// Lets the caller wait all the same.
    Queue,
    /// Leads on to the queue of another service. Of those who wait there the caller has the place of the first arrival.
    Service(ServiceId),
    /// Leads on into a flow.
    Flow(FlowId),
    /// Takes a message for the service, then ends the call.
    Voicemail,
}

impl QueueRules {
    /// What is done in a case.
    pub fn treatment(&self, why: Overflow) -> Treatment {
        match why {
            Overflow::Closed => self.when_closed,
            Overflow::Unstaffed => self.when_unstaffed,
            Overflow::Full => self.when_full,
            Overflow::WaitedLong => self.when_waited_long,
            Overflow::AgentsLeft => self.when_agents_left.unwrap_or(self.when_unstaffed),
            Overflow::Emergency => self.when_emergency,
            // Where to, the caller says.
            Overflow::Chosen => Treatment::Queue,
        }
    }

    /// Every case with what is done in it and the field that says it.
    pub fn treatments(&self) -> [(Overflow, &'static str, Treatment); 6] {
        let of = |why, field| (why, field, self.treatment(why));
        [
            of(Overflow::Closed, "when_closed"),
            of(Overflow::Unstaffed, "when_unstaffed"),
            of(Overflow::Full, "when_full"),
            of(Overflow::WaitedLong, "when_waited_long"),
            of(Overflow::AgentsLeft, "when_agents_left"),
            of(Overflow::Emergency, "when_emergency"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    /// ROUTE-07: what was stored before callers could be led on means what it meant.
    #[test]
    fn treatments_of_an_older_appliance_are_read() {
        let old = r#"{"when_unstaffed":"queue","when_closed":"reject"}"#;
        let rules: QueueRules = serde_json::from_str(old).unwrap();
        let all: Vec<_> = rules.treatments().into_iter().map(|(_, _, treatment)| treatment).collect();
        use Treatment::{Announce, Queue, Reject};
        assert_eq!(all, [Reject, Queue, Announce, Announce, Queue, Announce]);
        let on = Treatment::Service(ServiceId::from_number(1));
        let text = serde_json::to_string(&on).unwrap();
        assert!(text.starts_with(r#"{"service":"service_"#), "{text}");
        assert_eq!(serde_json::from_str::<Treatment>(&text).unwrap(), on);
        assert_eq!(serde_json::from_str::<Treatment>(r#""voicemail""#).unwrap(), Treatment::Voicemail);
    }
}
