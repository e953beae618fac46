//! Flows of self-service as they travel.

use desk::configuration::Configuration;
use desk::refusal::Refusal;
use model::id::{FlowId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Wire, no_id, yes};

/// What callers of a number go through before an agent is asked (ROUTE-08).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Made by the appliance; ignored in requests.
    #[serde(default = "no_id")]
    #[schema(value_type = String, read_only)]
    pub id: FlowId,
    /// Unique.
    pub name: String,
    /// The newest text, TOML. In requests: what becomes a new version, unless it is the newest already; none: no new version.
    #[serde(default)]
    pub text: Option<String>,
    /// The version that callers go through; none: numbers lead to their services at once. An older one is a way back.
    #[serde(default)]
    pub active: Option<u32>,
    /// In requests: a new version is the one in use from now on, whatever `active` says. True unless said otherwise.
    #[serde(default = "yes", skip_serializing)]
    #[schema(write_only)]
    pub activate: bool,
    /// The last 20, oldest first; ignored in requests.
    #[serde(default)]
    #[schema(read_only)]
    pub versions: Vec<FlowVersion>,
    /// Why callers do not go through the version in use, if something it names is gone; ignored in requests.
    #[serde(default)]
    #[schema(read_only)]
    pub problem: Option<String>,
}

/// One state of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowVersion {
    /// From 1.
    pub number: u32,
    /// TOML.
    pub text: String,
}

impl Wire for Flow {
    type Item = model::flow::Flow;
    fn into_item(
        self,
        id: FlowId,
        tenant: TenantId,
        now: &Configuration,
    ) -> Result<model::flow::Flow, Refusal> {
        let versions = now.flows.get(&id).map(|flow| flow.versions.clone()).unwrap_or_default();
        let mut flow = model::flow::Flow { id, tenant, name: self.name, active: self.active, versions };
        if let Some(text) = self.text {
            let before = flow.newest().map(|version| version.number);
            let number = flow.save(text);
            // What was read and is written back changes nothing.
            if self.activate && Some(number) != before {
                flow.active = Some(number);
            }
        }
        Ok(flow)
    }
    fn show(item: model::flow::Flow) -> Self {
        let text = item.newest().map(|version| version.text.clone());
        let version =
            |version: model::flow::FlowVersion| FlowVersion { number: version.number, text: version.text };
        Self {
            id: item.id,
            name: item.name,
            text,
            active: item.active,
            activate: true,
            versions: item.versions.into_iter().map(version).collect(),
            problem: None,
        }
    }
    fn named(mut self, now: &Configuration) -> Self {
        let active =
            self.active.and_then(|active| self.versions.iter().find(|version| version.number == active));
        self.problem =
            active.and_then(|version| now.check_flow(&version.text).err()).map(|wrong| wrong.first());
        self
    }
}
