//! Skills, levels and what an interaction requires (ROUTE-02).

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::id::{AgentId, GroupId, SkillId};

pub mod text;

/// Terms of one condition, counting `and`, `or`, `not` and each agent named.
pub const TERMS_MAX: usize = 256;
/// How deep conditions may be nested.
pub const DEPTH_MAX: usize = 16;

/// How well an agent masters a skill: 1 (knows the words) to 10 (teaches it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

impl Level {
    /// The lowest level.
    pub const MIN: Self = Self(1);
    /// The highest level.
    pub const MAX: Self = Self(10);
    /// A level from 1 to 10; `None` for anything else.
    pub const fn new(level: u8) -> Option<Self> {
        if level >= 1 && level <= 10 { Some(Self(level)) } else { None }
    }
    /// The number, 1 to 10.
    pub const fn get(self) -> u8 {
        self.0
    }
}
impl TryFrom<u8> for Level {
    type Error = String;
    fn try_from(level: u8) -> Result<Self, String> {
        Self::new(level).ok_or_else(|| format!("a skill level is 1 to 10, not {level}"))
    }
}
impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.0
    }
}

/// A condition on an agent. Evaluated on agent profiles only, never on the wall clock or on other calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillExpr {
    /// Everybody.
    Any,
    /// Has the skill at this level or above.
    AtLeast {
        /// The skill asked for.
        skill: SkillId,
        /// The lowest level that will do.
        level: Level,
    },
    /// Belongs to the group.
    InGroup(GroupId),
    /// Is one of these agents.
    OneOf(Vec<AgentId>),
    /// All hold.
    And(Vec<SkillExpr>),
    /// At least one holds.
    Or(Vec<SkillExpr>),
    /// Does not hold.
    Not(Box<SkillExpr>),
}

/// One step of a requirement: whom to ask, and for how long before the next step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Who will do in this step.
    pub who: SkillExpr,
    /// How long this step lasts. `None`: until somebody answers.
    pub lasts: Option<Duration>,
}

/// What happens to earlier steps when the next one begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepMode {
    /// The new step's condition stands alone.
    #[default]
    Replace,
    /// Whoever fitted an earlier step still fits: rings that only widen.
    Cumulative,
}

/// Whom an interaction may be offered to, as time passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Requirement {
    /// At least one step.
    pub steps: Vec<Step>,
    /// How steps combine.
    #[serde(default)]
    pub mode: StepMode,
}

impl Requirement {
    /// A requirement that never changes.
    pub fn fixed(who: SkillExpr) -> Self {
        Self { steps: vec![Step { who, lasts: None }], mode: StepMode::Replace }
    }
}
