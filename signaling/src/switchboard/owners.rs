//! Whose media legs are, for those who watch them.

use model::call::Source;
use model::id::{InteractionId, LegId, TrunkId, UserId};

use super::Switchboard;

/// Whose a leg is, and which calls it may be heard in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegOwner {
    /// The leg.
    pub leg: LegId,
    /// Whose.
    pub whose: Whose,
    /// Of a trunk's or a phone's leg, its one call. A softphone's leg outlives calls: those that rang or connected its agent and are
    /// not over; none, one that it is in, and others that are held or rang.
    pub calls: Vec<InteractionId>,
}

/// Who is at the far end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Somebody outside, over this trunk.
    Trunk(TrunkId),
    /// This agent, at a SIP phone.
    Phone(UserId),
    /// This agent, at a browser.
    Browser(UserId),
}

impl From<Source> for Whose {
    fn from(source: Source) -> Self {
        match source {
            Source::Trunk { trunk } => Self::Trunk(trunk),
            Source::Phone { agent } => Self::Phone(agent),
        }
    }
}

impl Switchboard {
    /// Of every leg that may exist now. A leg that was announced and never made, or is over, may be among them.
    pub(super) fn owners(&self) -> Vec<LegOwner> {
        let of_calls = self.calls.iter().flat_map(|(interaction, entry)| {
            entry.legs.iter().map(|(leg, whose)| LegOwner {
                leg: *leg,
                whose: *whose,
                calls: vec![*interaction],
            })
        });
        let of_softphones = self.softphones.iter().map(|(agent, phone)| LegOwner {
            leg: phone.leg,
            whose: Whose::Browser(*agent),
            calls: self.agents.get(agent).cloned().unwrap_or_default(),
        });
        of_calls.chain(of_softphones).collect()
    }
}
