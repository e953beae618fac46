//! A step that looks something up in a table of the appliance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::defaults::*;
use crate::template::Template;

/// Looks a key up in a table of the appliance, and notes what its row has (ROUTE-08).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The name of the table.
    pub table: String,
    /// The key; `{name}` stands for what was noted.
    pub key: Template,
    /// Values that are noted, each with the column it is in.
    pub picks: BTreeMap<String, String>,
    /// What is found can be used in the flow, but is never written down nor shown. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub secret: bool,
    /// Where to with a row.
    pub next: String,
    /// Where to when the table has no such key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}
