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
    /// When, if not as soon as possible. Its service has opening hours, and is open then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<CallbackTime>,
    /// Where to when it is promised.
    pub next: String,
    /// Where to when the number is none, or may not be dialled.
    pub invalid: String,
    /// Where to when that number is to be called back already.
    pub already: String,
    /// Where to when no more is promised: nobody is there, too many are to be called back, or an agent is just being rung.
    pub refused: String,
    /// With `at`: where to when there is no such time, it is over, or the service is closed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
}

/// A full hour of one of the next days, in the time zone of the service's opening hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackTime {
    /// In how many days, 0 to 6: 0 is today.
    pub in_days: Template,
    /// The hour, 0 to 23.
    pub hour: Template,
}

fn caller() -> Template {
    Template("{caller}".to_owned())
}

fn is_caller(number: &Template) -> bool {
    *number == caller()
}
