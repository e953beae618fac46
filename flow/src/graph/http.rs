//! A step that asks a system of the operator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::defaults::*;
use crate::prompt::Prompt;
use crate::template::Template;

/// Asks a system of the operator by HTTP while the caller hears a prompt or music, and notes what it answers (ROUTE-08). Whatever the
/// system does, the caller goes on in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Default `GET`.
    #[serde(default, skip_serializing_if = "Method::is_get")]
    pub method: Method,
    /// `https://host[:port]/path?query`; path and query have places for values, which are escaped there.
    pub url: Template,
    /// Header fields by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Template>,
    /// Header fields whose whole value is a secret of the appliance's configuration, by the secret's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_headers: BTreeMap<String, String>,
    /// Fields of the JSON object that a `POST` carries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub body: BTreeMap<String, Template>,
    /// Values that are noted, each by where it stands in the JSON answer (a pointer, RFC 6901). What is not there is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub picks: BTreeMap<String, String>,
    /// Notes the status here; empty without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What is picked can be used in the flow, but is never written down nor shown. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub secret: bool,
    /// What is heard meanwhile. When it ends, or without it after a second, music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    /// Seconds to wait for the answer, 1 to 20. Default 5.
    #[serde(default = "five", skip_serializing_if = "is_five")]
    pub wait_s: u32,
    /// Where to with an answer of status 200 to 299.
    pub next: String,
    /// Where to with another answer, or without a usable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Where to when no answer came in time, if not as `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// How a system is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Something is read.
    #[default]
    Get,
    /// Something is handed over.
    Post,
}

impl Method {
    /// As it stands in a request.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
    fn is_get(&self) -> bool {
        *self == Self::Get
    }
}
