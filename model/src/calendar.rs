//! Opening hours as data. What they mean is read by the crate `flow`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Opening hours as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// A name of the IANA time zone database, such as `Europe/Berlin`.
    pub zone: String,
    /// Days and times, such as `mon-fri 09:00-17:30` or `sat,sun 10:00-14:00`. An end of `24:00` is midnight; times past midnight are
    /// written as two. Any of them may hold.
    pub open: Vec<String>,
    /// Days that are none of these: `2026-12-25`, or `12-25` of every year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Days with times of their own, holidays or not: `2026-12-24 = "09:00-12:00"`; `closed` for none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub special: BTreeMap<String, String>,
}
