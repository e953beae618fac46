//! What a day is made of: who works when, who asks for what and how often, and what goes wrong.

use std::time::Duration;

use model::id::{AgentId, GroupId, Id, ServiceId, SkillId};
use model::interaction::Channel;
use model::people::{GroupRules, RestState};
use model::service::QueueRules;
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use router::{AgentProfile, FloorConfig};

use crate::hall::service;
use crate::sim::Dice;

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3_600);

/// A day before it has begun. All times are from its beginning.
pub struct Scene {
    pub config: FloorConfig,
    pub lasts: Duration,
    pub crew: Vec<Worker>,
    pub demands: Vec<Demand>,
    /// Mean time between calls among colleagues.
    pub between_colleagues: Duration,
    pub changes: Vec<(Duration, FloorConfig)>,
    /// When the appliance dies and is started again from its journal.
    pub crash: Option<Duration>,
    /// The brute force looks at one move in so many, the audit at one in so many.
    pub look_each: u64,
    pub audit_each: u64,
}

/// An agent's day.
pub struct Worker {
    pub agent: AgentId,
    pub comes: Duration,
    /// `None`: stays to the end.
    pub goes: Option<Duration>,
    /// When a break begins, and how long it lasts.
    pub breaks: Vec<(Duration, Duration)>,
    /// Answers at once, refuses nothing, keeps the page open and is not called by colleagues: a server of the textbooks.
    pub steady: bool,
}

/// Customers of a service.
pub struct Demand {
    pub service: ServiceId,
    pub channel: Channel,
    /// How many come in each hour of the day, on average.
    pub hourly: Vec<f64>,
    /// Mean time until they give up; none: never.
    pub patience: Option<Duration>,
    /// Mean time that serving one takes.
    pub takes: Duration,
    /// Of a hundred, how many ask for an agent by name.
    pub preferring: u64,
}

pub fn at_least(skill: u64, level: u8) -> SkillExpr {
    SkillExpr::AtLeast { skill: SkillId::from_number(skill), level: Level::new(level).unwrap() }
}

/// First the good ones, after 30 s anybody who has the skill.
pub fn widening(skill: u64) -> Requirement {
    let first = Step { who: at_least(skill, 5), lasts: Some(Duration::from_secs(30)) };
    Requirement {
        steps: vec![first, Step { who: at_least(skill, 1), lasts: None }],
        mode: StepMode::Cumulative,
    }
}

/// A profile with some of six skills.
pub fn some_skills(dice: &mut Dice, number: u64, group: GroupId, count: u64) -> AgentProfile {
    let skills = (0..count).map(|_| {
        let level = Level::new(dice.below(10) as u8 + 1).unwrap();
        (SkillId::from_number(dice.below(6) + 1), level)
    });
    AgentProfile {
        agent: AgentId::from_number(number),
        group: Some(group),
        skills: skills.collect(),
        at_once: Default::default(),
    }
}

impl Scene {
    /// A shift of four hours: forty agents with two of six skills each, six services, rings that widen after 30 s. The
    /// oracle looks at every move.
    pub fn shift_of_forty(dice: &mut Dice) -> Self {
        let rules = GroupRules { after_login: RestState::Ready, ..GroupRules::default() };
        let group = GroupId::from_number(1);
        let services = (1..=6).map(|number| {
            let queue =
                QueueRules { priority: dice.one([0, 0, 5]), waiting_max: 40, ..QueueRules::default() };
            service(number, widening(number), queue)
        });
        let services = services.collect();
        let agents = (1..=40).map(|number| some_skills(dice, number, group, 2)).collect();
        let config =
            FloorConfig { agents, services, groups: [(group, rules)].into(), ..FloorConfig::default() };
        let worker = |number| Worker {
            agent: AgentId::from_number(number),
            comes: Duration::ZERO,
            goes: None,
            breaks: Vec::new(),
            steady: false,
        };
        let demand = |number| Demand {
            service: ServiceId::from_number(number),
            channel: Channel::Voice,
            hourly: vec![100.0; 4],
            patience: Some(2 * MINUTE),
            takes: 3 * MINUTE,
            preferring: 5,
        };
        Self {
            config,
            lasts: 4 * HOUR,
            crew: (1..=40).map(worker).collect(),
            demands: (1..=6).map(demand).collect(),
            between_colleagues: MINUTE,
            changes: Vec::new(),
            crash: None,
            look_each: 1,
            audit_each: 50,
        }
    }
}
