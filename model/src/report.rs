//! What agents report as not working in their calls and pages (QUAL-03, QUAL-04).

use serde::{Deserialize, Serialize};

use crate::id::{InteractionId, ReportId, TenantId, UserId};
use crate::time::Timestamp;

/// Longest remark, in characters.
pub const REMARK_MAX: usize = 2_000;
/// Longest part of a page's log that is sent along, in octets.
pub const LOG_MAX: usize = 256 * 1024;

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Oneself or the other end heard with a delay.
    Echo,
    /// Humming, hissing, crackling.
    Noise,
    /// A voice that is torn or cannot be understood.
    Distortion,
    /// Nothing was heard, in one direction or both.
    SoundLost,
    /// The call was cut off.
    EndedUnexpectedly,
    /// Anything else; the remark says what.
    Other,
}

impl Fault {
    /// All of them, as they are offered.
    pub const ALL: [Self; 6] =
        [Self::Echo, Self::Noise, Self::Distortion, Self::SoundLost, Self::EndedUnexpectedly, Self::Other];

    /// Its name in lists and figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Noise => "noise",
            Self::Distortion => "distortion",
            Self::SoundLost => "sound_lost",
            Self::EndedUnexpectedly => "ended_unexpectedly",
            Self::Other => "other",
        }
    }
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Whose.
    pub tenant: TenantId,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub agent: UserId,
    /// In which call; `None`: about no call in particular.
    pub interaction: Option<InteractionId>,
    /// What was wrong.
    pub fault: Fault,
    /// In the agent's words.
    pub remark: String,
    /// Octets of the page's log that came along; 0: none.
    pub log_size: u64,
    /// An administrator has dealt with it, and when.
    pub done: Option<(UserId, Timestamp)>,
}
