//! How the trunks stand with the carriers at which they register (SIP-02).

use model::call::Standing;
use model::id::TrunkId;
use model::people::Privilege;

use crate::auth::Identity;
use crate::floor::core::Core;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::start::DeskHandle;

/// How a trunk stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkState {
    /// Which.
    pub trunk: TrunkId,
    /// Its name.
    pub name: String,
    /// How.
    pub standing: Standing,
}

impl DeskHandle {
    /// The trunks that register, in the order in which they were made.
    pub async fn trunk_states(&self, who: &Identity) -> Result<Vec<TrunkState>, Refusal> {
        who.needs(Privilege::SeeConfiguration)?;
        self.read(|core, _| core.trunk_states()).await
    }
}

impl Core {
    pub(crate) fn trunk_states(&self) -> Vec<TrunkState> {
        let registering = self.config().trunks.iter().filter(|trunk| trunk.registers);
        let state = |trunk: &model::service::Trunk| TrunkState {
            trunk: trunk.id,
            name: trunk.name.clone(),
            standing: self.trunks_stand.get(&trunk.id).cloned().unwrap_or(Standing::Trying),
        };
        registering.map(state).collect()
    }
}

/// Shows who is registered; a trunk that registers no longer is shown no longer.
pub(crate) fn show(core: &Core, metrics: &Metrics) {
    metrics.trunk_registered.reset();
    for state in core.trunk_states() {
        let registered = matches!(state.standing, Standing::Registered { .. });
        metrics.trunk_registered.with_label_values(&[&state.name]).set(registered.into());
    }
}
