//! Questions that callers answer with a mark.

use serde::{Deserialize, Serialize};

use super::defaults::*;
use crate::prompt::Prompt;

/// Asks for a mark by one key. The name of the step is that of the question: under it the mark stands in the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// What is asked. A key may be pressed before its end.
    pub prompt: Prompt,
    /// Said before it is asked again; nothing unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Prompt>,
    /// The lowest mark, 0 to 8. Default 1.
    #[serde(default = "first_mark", skip_serializing_if = "is_first_mark")]
    pub lowest: u8,
    /// The highest mark, up to 9. Default 5.
    #[serde(default = "last_mark", skip_serializing_if = "is_last_mark")]
    pub highest: u8,
    /// Notes the mark here, for steps that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Seconds to wait for a key after the prompt, 1 to 60. Default 5.
    #[serde(default = "five", skip_serializing_if = "is_five")]
    pub wait_s: u32,
    /// How often it is asked, 1 to 10. Default 3.
    #[serde(default = "three", skip_serializing_if = "is_three")]
    pub tries: u32,
    /// Where to with a mark.
    pub next: String,
    /// Where to without one after the last try, if not as `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
}

fn first_mark() -> u8 {
    1
}
fn is_first_mark(mark: &u8) -> bool {
    *mark == first_mark()
}
fn last_mark() -> u8 {
    5
}
fn is_last_mark(mark: &u8) -> bool {
    *mark == last_mark()
}
