//! Flows of self-service as they are stored: texts with their versions. What a text means is read by the crate `flow`.

use serde::{Deserialize, Serialize};

use crate::id::{FlowId, TenantId, UserId};
use crate::time::Timestamp;

/// Versions that are kept; with the next one the oldest that is not in use goes.
pub const VERSIONS_MAX: usize = 20;

/// How a flow that an agent started during a call came to its end (CTRL-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowEnd {
    /// It gave the customer back.
    Returned,
    /// The agent took the customer back.
    TakenBack,
    /// It was broken off: the recording could not be paused for something secret, or it took too many steps.
    Failed,
    /// The call ended, or the appliance stopped.
    CallEnded,
}

/// A flow that an agent started during a call, as the record has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFlow {
    /// Which.
    pub flow: FlowId,
    /// Which version of it.
    pub version: u32,
    /// Who started it.
    pub agent: UserId,
    /// When.
    pub from: Timestamp,
    /// When it was over and how; `None` while it goes on.
    pub over: Option<(Timestamp, FlowEnd)>,
}

/// What callers of a number go through before an agent is asked (ROUTE-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Whose flow this is.
    pub tenant: TenantId,
    /// Unique in the tenant.
    pub name: String,
    /// The version that callers go through. `None`: numbers that lead here lead to their service at once.
    pub active: Option<u32>,
    /// Texts, oldest first.
    pub versions: Vec<FlowVersion>,
}

/// One state of a flow. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowVersion {
    /// From 1, without end.
    pub number: u32,
    /// TOML.
    pub text: String,
}

impl Flow {
    /// The version in use.
    pub fn active(&self) -> Option<&FlowVersion> {
        let active = self.active?;
        self.versions.iter().find(|version| version.number == active)
    }

    /// The newest version.
    pub fn newest(&self) -> Option<&FlowVersion> {
        self.versions.last()
    }

    /// Adds a version, unless the newest says the same; returns its number.
    pub fn save(&mut self, text: String) -> u32 {
        if let Some(newest) = self.newest().filter(|newest| newest.text == text) {
            return newest.number;
        }
        let number = self.newest().map_or(1, |newest| newest.number + 1);
        if self.versions.len() >= VERSIONS_MAX
            && let Some(oldest) = self.versions.iter().position(|version| Some(version.number) != self.active)
        {
            self.versions.remove(oldest);
        }
        self.versions.push(FlowVersion { number, text });
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    /// ROUTE-08: versions count on, the one in use is never lost, and the same text is no new version.
    #[test]
    fn versions_count_on_and_the_one_in_use_stays() {
        let id = FlowId::from_number(1);
        let (tenant, name) = (TenantId::from_number(1), "Main".to_owned());
        let mut flow = Flow { id, tenant, name, active: None, versions: vec![] };
        assert_eq!((flow.save("a".into()), flow.save("a".into()), flow.save("b".into())), (1, 1, 2));
        flow.active = Some(1);
        for n in 0..100 {
            assert_eq!(flow.save(format!("{n}")), n + 3);
        }
        assert_eq!(flow.versions.len(), VERSIONS_MAX);
        assert_eq!(flow.active().map(|version| version.text.as_str()), Some("a"));
        assert_eq!(flow.newest().map(|version| version.number), Some(102));
    }
}
