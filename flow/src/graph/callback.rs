//! Callers who are called back.

use serde::{Deserialize, Serialize};

use crate::template::Template;

/// Asks for the caller to be called back: whoever waits leaves the queue and keeps the place. What follows says good-bye: from
/// `next` on no way leads to a queue any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The name of the service whose agents call back. While the caller waits it is the service waited for, and not said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The number to be dialled. Default `{caller}`.
    #[serde(default = "caller", skip_serializing_if = "is_caller")]
    pub number: Template,
    /// Where to when it is promised.
    pub next: String,
    /// Where to when the number is none, or may not be dialled.
    pub invalid: String,
    /// Where to when that number is to be called back already.
    pub already: String,
    /// Where to when no more is promised: nobody is there, too many are to be called back, or an agent is just being rung.
    pub refused: String,
}

fn caller() -> Template {
    Template("{caller}".to_owned())
}

fn is_caller(number: &Template) -> bool {
    *number == caller()
}
