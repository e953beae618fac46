//! What somebody says to callers who are to leave them a message (VM-03).

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{GreetingId, UserId};
use crate::time::Timestamp;

/// A personal greeting. The sound itself is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Its id.
    pub id: GreetingId,
    /// Whose extension it is for.
    pub owner: UserId,
    /// What its owner calls it; of those of one person no two have the same.
    pub name: String,
    /// Callers hear it. Of those of one person at most one; none: the greeting of the house.
    pub chosen: bool,
    /// How long it lasts.
    pub length: Duration,
    /// When it was recorded or brought, the last time.
    pub made_at: Timestamp,
}

impl Greeting {
    /// How many one person keeps.
    pub const EACH_MAX: usize = 3;
    /// How many of a house are chosen: each lies ready in memory, in every codec.
    pub const CHOSEN_MAX: usize = 500;
    /// Characters of a name.
    pub const NAME: RangeInclusive<usize> = 1..=60;
    /// How long one may be.
    pub const LENGTH_MAX: Duration = Duration::from_secs(60);

    /// The name that a call plays it by.
    pub fn sound(&self) -> String {
        Self::sound_of(self.id)
    }

    /// The name that a call plays a greeting by. Sounds in files have no such names.
    pub fn sound_of(id: GreetingId) -> String {
        format!("{SOUND}{id}")
    }

    /// Whether a sound is somebody's greeting.
    pub fn is_sound(name: &str) -> bool {
        name.starts_with(SOUND)
    }
}

const SOUND: &str = "greeting:";
