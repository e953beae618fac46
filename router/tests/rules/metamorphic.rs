//! What must not matter: who has which number, colleagues who could not answer anyway, another way to say the same
//! requirement, the speed of the clock. Two floors are told the same, each in its own words, and must decide the same.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::{AgentId, GroupId, Id, InteractionId, ServiceId, SessionId, SkillId};
use model::interaction::{Channel, EndedBy};
use model::journal::Event;
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::{QueueRules, RingRule, Treatment, WaitingOrder};
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;
use router::{AgentProfile, AgentTerm, Arrival, Floor, FloorConfig, Input, Output};

use crate::hall::{MORNING, service};
use crate::sim::{Dice, for_each_seed};

/// How one floor of a pair is told what happens.
struct World {
    floor: Floor,
    /// Each microsecond of the story takes so many here.
    pace: u32,
    agent: fn(u64) -> AgentId,
    call: fn(u64) -> InteractionId,
    names: (BTreeMap<AgentId, u64>, BTreeMap<InteractionId, u64>),
    /// What was decided last, in the numbers of the story.
    said: Vec<(&'static str, u64, u64)>,
}

const AGENTS: u64 = 8;
const CALLS: u64 = 200;

impl World {
    fn new(
        config: FloorConfig,
        pace: u32,
        agent: fn(u64) -> AgentId,
        call: fn(u64) -> InteractionId,
    ) -> Self {
        let agents = (1..=AGENTS).map(|number| (agent(number), number)).collect();
        let calls = (1..=CALLS).map(|number| (call(number), number)).collect();
        Self {
            floor: Floor::new(config).unwrap(),
            pace,
            agent,
            call,
            names: (agents, calls),
            said: Vec::new(),
        }
    }

    fn at(&self, told: Duration) -> Timestamp {
        MORNING + told * self.pace
    }

    fn hear(&mut self, out: &[Output]) {
        self.said.clear();
        for output in out {
            let Output::Journal(event) = output else { continue };
            let (what, call, agent) = match event {
                Event::Offered { interaction, agent, .. } => ("offered", interaction, Some(agent)),
                Event::Accepted { interaction, agent, .. } => ("accepted", interaction, Some(agent)),
                Event::OfferEnded { interaction, agent, .. } => ("offer ended", interaction, Some(agent)),
                Event::Ended { interaction, .. } => ("ended", interaction, None),
                Event::Completed { interaction, agent, .. } => ("completed", interaction, Some(agent)),
                _ => continue,
            };
            let agent = agent.map_or(0, |agent| self.names.0[agent]);
            self.said.push((what, self.names.1[call], agent));
        }
    }
}

/// One thing that happens, in the numbers of the story.
#[derive(Clone, Copy, Debug)]
enum Told {
    In(u64),
    Ready(u64),
    Away(u64),
    Arrive(u64, u64, i32),
    Leave(u64),
    Answer(u64, bool),
    HangUp(u64),
    Finish(u64),
    Time,
}

impl World {
    fn told(&mut self, what: Told, at: Duration) {
        let now = self.at(at);
        let mut out = Vec::new();
        let open = |world: &Self, agent| world.floor.agent((world.agent)(agent)).and_then(|view| view.offer);
        let input = match what {
            Told::In(n) => Some(Input::LogIn {
                agent: (self.agent)(n),
                session: SessionId::from_number(n),
                phone: PhoneKind::Browser,
            }),
            Told::Ready(n) => Some(Input::Ready { agent: (self.agent)(n) }),
            Told::Away(n) => Some(Input::ForceNotReady { agent: (self.agent)(n) }),
            Told::Arrive(call, to, priority) => {
                let mut arrival = Arrival::new((self.call)(call), ServiceId::from_number(to), Channel::Voice);
                arrival.priority = Some(priority);
                Some(Input::Arrive(arrival))
            }
            Told::Leave(call) => Some(Input::Abandon { interaction: (self.call)(call) }),
            Told::Answer(n, yes) => open(self, n).map(|(_, token)| {
                let agent = (self.agent)(n);
                if yes { Input::Accept { agent, token } } else { Input::Decline { agent, token } }
            }),
            Told::HangUp(call) => Some(Input::Hangup { interaction: (self.call)(call), by: EndedBy::Agent }),
            Told::Finish(n) => {
                let agent = (self.agent)(n);
                let after = self.floor.agent(agent).and_then(|view| view.wrapping.first().copied());
                after.map(|interaction| Input::Complete { agent, interaction })
            }
            Told::Time => None,
        };
        match input {
            Some(input) => drop(self.floor.handle(input, now, &mut out)),
            None => self.floor.tick(now, &mut out),
        }
        self.hear(&out);
    }
}

/// The set-up of the story; `pace` stretches all of its times, `numbers` names the agents.
fn config(seed: u64, pace: u32, numbers: fn(u64) -> AgentId) -> FloorConfig {
    let mut dice = Dice::new(seed);
    let time = |seconds: u64| Duration::from_secs(seconds) * pace;
    let group = GroupId::from_number(1);
    let agents = (1..=AGENTS)
        .map(|number| {
            let skills = (1..=3).filter(|_| dice.percent(60)).collect::<Vec<u64>>();
            let level = |dice: &mut Dice| Level::new(dice.below(10) as u8 + 1).unwrap();
            let skills =
                skills.into_iter().map(|skill| (SkillId::from_number(skill), level(&mut dice))).collect();
            AgentProfile { agent: numbers(number), group: Some(group), skills, at_once: Default::default() }
        })
        .collect();
    let services = (1..=3)
        .map(|number| {
            let who = |level| SkillExpr::AtLeast {
                skill: SkillId::from_number(number),
                level: Level::new(level).unwrap(),
            };
            let steps = vec![Step { who: who(5), lasts: Some(time(30)) }, Step { who: who(1), lasts: None }];
            let queue = QueueRules {
                order: dice.one([WaitingOrder::Ageing, WaitingOrder::Deadline, WaitingOrder::Slopes]),
                slope_percent: dice.one([50, 300]),
                ring: dice.one([RingRule::One, RingRule::Several]),
                priority_second: 60 * pace,
                service_level: time(20),
                ring_time: time(10),
                refusal_cooldown: time(40),
                when_unstaffed: Treatment::Queue,
                ..QueueRules::default()
            };
            service(number, Requirement { steps, mode: StepMode::Replace }, queue)
        })
        .collect();
    let rules = GroupRules {
        after_login: RestState::NotReady,
        wrap_up_time: Some(time(15)),
        ..GroupRules::default()
    };
    FloorConfig {
        agents,
        services,
        groups: [(group, rules)].into(),
        agent_order: vec![AgentTerm::MostSkilled, AgentTerm::LongestIdle, AgentTerm::RoundRobin],
        ..FloorConfig::default()
    }
}

fn agent(number: u64) -> AgentId {
    AgentId::from_number(number)
}
fn call(number: u64) -> InteractionId {
    InteractionId::from_number(number)
}

/// Tells both the same story of chance, and compares what they decide at every move.
fn tell_both(seed: u64, mut one: World, mut other: World) -> usize {
    let mut dice = Dice::new(seed);
    let (mut at, mut calls, mut decided) = (Duration::ZERO, 0, 0);
    // Everybody becomes idle at a time of their own, so that no choice is left to the numbers.
    let mut story: Vec<Told> = (1..=AGENTS).flat_map(|n| [Told::In(n), Told::Ready(n)]).collect();
    story.reverse();
    for _ in 0..700 {
        at += Duration::from_micros(1 + dice.below(4_000_000));
        let told = story.pop().unwrap_or_else(|| {
            let (who, which) = (dice.below(AGENTS) + 1, dice.below(calls.max(1)) + 1);
            match dice.below(100) {
                0..25 if calls < CALLS => {
                    calls += 1;
                    Told::Arrive(calls, dice.below(3) + 1, dice.below(3) as i32)
                }
                0..50 => Told::Answer(who, !dice.percent(15)),
                50..55 => Told::Leave(which),
                55..75 => Told::HangUp(which),
                75..85 => Told::Finish(who),
                85..95 => Told::Ready(who),
                95..97 => Told::Away(who),
                _ => Told::Time,
            }
        });
        one.told(told, at);
        other.told(told, at);
        assert_eq!(one.said, other.said, "after {told:?} at {at:?}");
        decided += one.said.iter().filter(|(what, ..)| *what == "offered").count();
    }
    decided
}

fn pairs(other: impl Fn(u64) -> World) {
    for_each_seed(20, |seed| {
        let one = World::new(config(seed, 1, agent), 1, agent, call);
        let offers = tell_both(seed, one, other(seed));
        assert!(offers > 20, "{offers} offers are too few to compare");
    });
}

/// ROUTE-06: other ids for everybody, in another order.
#[test]
fn route_06_ids_do_not_matter() {
    fn other_agent(number: u64) -> AgentId {
        AgentId::from_number(1_000_000 - number * 77)
    }
    fn other_call(number: u64) -> InteractionId {
        InteractionId::from_number(900_000 - number * 13)
    }
    pairs(|seed| World::new(config(seed, 1, other_agent), 1, other_agent, other_call));
}

/// ROUTE-06: everything three times as slow.
#[test]
fn route_06_the_pace_does_not_matter() {
    pairs(|seed| World::new(config(seed, 3, agent), 3, agent, call));
}

/// ROUTE-06: colleagues who answer none of this, Ready or not.
#[test]
fn route_06_colleagues_who_cannot_answer_do_not_matter() {
    pairs(|seed| {
        let mut config = config(seed, 1, agent);
        let stranger = |number| AgentProfile {
            agent: AgentId::from_number(number),
            group: None,
            skills: [(SkillId::from_number(9), Level::MAX)].into(),
            at_once: Default::default(),
        };
        config.agents.extend((100..120).map(stranger));
        let mut world = World::new(config, 1, agent, call);
        for number in 100..110 {
            let (agent, session) = (AgentId::from_number(number), SessionId::from_number(number));
            let mut out = Vec::new();
            world
                .floor
                .handle(Input::LogIn { agent, session, phone: PhoneKind::Browser }, MORNING, &mut out)
                .unwrap();
            world.floor.handle(Input::Ready { agent }, MORNING, &mut out).unwrap();
        }
        world
    });
}

/// ROUTE-06: the same requirement in other words, so that its callers wait in lines of their own.
#[test]
fn route_06_how_a_requirement_is_said_does_not_matter() {
    pairs(|seed| {
        let mut config = config(seed, 1, agent);
        for (n, service) in config.services.iter_mut().enumerate() {
            for step in &mut service.requirement.steps {
                let who = step.who.clone();
                let any = vec![SkillExpr::Any; n];
                step.who = SkillExpr::And(
                    [any, vec![SkillExpr::Not(Box::new(SkillExpr::Not(Box::new(who.clone())))), who]]
                        .concat(),
                );
            }
        }
        World::new(config, 1, agent, call)
    });
}
