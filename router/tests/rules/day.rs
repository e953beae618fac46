//! Whole shifts of work, watched by the oracle.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use model::id::{AgentId, Id, InteractionId, OfferToken, ServiceId, SessionId, SkillId};
use model::interaction::{Channel, EndedBy};
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::QueueRules;
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;
use router::{AgentProfile, Arrival, FloorConfig, Input, Output, Refusal};

use crate::hall::{MORNING, service};
use crate::sim::{Dice, Watched, for_each_seed};

/// What people are about to do, each at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plan {
    Arrive,
    CallColleague,
    Leave(InteractionId),
    Answer(AgentId, OfferToken),
    HangUp(InteractionId),
    Finish(AgentId, InteractionId),
    ComeBack(AgentId),
    LosePage(AgentId),
}

pub struct Day {
    pub world: Watched,
    dice: Dice,
    plans: BinaryHeap<Reverse<(Timestamp, u64, Plan)>>,
    planned: u64,
    calls: u64,
    /// Calls between colleagues: what rings or is talked, and what keeps the caller busy.
    internal: BTreeMap<InteractionId, InteractionId>,
    internal_calls: u64,
}

const AGENTS: u64 = 40;
const SHIFT: Duration = Duration::from_secs(4 * 3_600);

impl Day {
    pub fn begin(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let world = Watched::new(Self::call_centre(&mut dice), 50);
        let mut day = Self {
            world,
            dice,
            plans: BinaryHeap::new(),
            planned: 0,
            calls: 0,
            internal: BTreeMap::new(),
            internal_calls: 0,
        };
        for number in 1..=AGENTS {
            let agent = AgentId::from_number(number);
            day.sign_in(agent);
            let lost_at = day.dice.around(Duration::from_secs(8 * 3_600));
            day.plan(lost_at, Plan::LosePage(agent));
        }
        day.plan(Duration::ZERO, Plan::Arrive);
        day.plan(Duration::ZERO, Plan::CallColleague);
        day
    }

    /// Forty agents with two of six skills each, six services, rings that widen after 30 s.
    fn call_centre(dice: &mut Dice) -> FloorConfig {
        let at_least = |skill, level| SkillExpr::AtLeast {
            skill: SkillId::from_number(skill),
            level: Level::new(level).unwrap(),
        };
        let rules = GroupRules { after_login: RestState::Ready, ..GroupRules::default() };
        let group = model::id::GroupId::from_number(1);
        FloorConfig {
            agents: (1..=AGENTS)
                .map(|number| {
                    let skills = (0..2).map(|_| {
                        let level = Level::new(dice.below(10) as u8 + 1).unwrap();
                        (SkillId::from_number(dice.below(6) + 1), level)
                    });
                    AgentProfile {
                        agent: AgentId::from_number(number),
                        group: Some(group),
                        skills: skills.collect(),
                    }
                })
                .collect(),
            services: (1..=6)
                .map(|number| {
                    let steps = vec![
                        Step { who: at_least(number, 5), lasts: Some(Duration::from_secs(30)) },
                        Step { who: at_least(number, 1), lasts: None },
                    ];
                    let priority = dice.one([0, 0, 5]);
                    let queue = QueueRules { priority, waiting_max: 40, ..QueueRules::default() };
                    service(number, Requirement { steps, mode: StepMode::Cumulative }, queue)
                })
                .collect(),
            groups: [(group, rules)].into(),
            ..FloorConfig::default()
        }
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.planned += 1;
        self.plans.push(Reverse((self.world.now + after, self.planned, plan)));
    }

    fn sign_in(&mut self, agent: AgentId) {
        self.planned += 1;
        let session = SessionId::from_number(self.planned);
        assert_eq!(self.world.tell(Input::LogIn { agent, session, phone: PhoneKind::Browser }), Ok(()));
        self.react();
    }

    /// Jumps from event to event until the shift is over.
    pub fn run(&mut self) {
        let end = MORNING + SHIFT;
        while self.world.now < end {
            let due = self.world.floor.next_deadline();
            let planned = self.plans.peek().map(|Reverse((at, ..))| *at);
            match (due, planned) {
                (Some(due), planned) if planned.is_none_or(|planned| due <= planned) => {
                    self.world.now = due;
                    self.world.tick();
                    self.react();
                }
                _ => {
                    let Some(Reverse((at, _, plan))) = self.plans.pop() else { break };
                    self.world.now = at;
                    self.play(plan);
                    self.react();
                }
            }
        }
    }

    fn play(&mut self, plan: Plan) {
        match plan {
            Plan::Arrive => {
                self.calls += 1;
                let id = InteractionId::from_number(self.calls);
                let service = ServiceId::from_number(self.dice.below(6) + 1);
                self.world.tick();
                let expected = self.world.oracle.door(service);
                let mut arrival = Arrival::new(id, service, Channel::Voice);
                if self.dice.percent(5) {
                    arrival.preferred = vec![AgentId::from_number(self.dice.below(AGENTS) + 1)];
                    arrival.preferred_hold = Duration::from_secs(15);
                }
                assert_eq!(self.world.tell(Input::Arrive(arrival)), expected);
                let patience = self.dice.around(Duration::from_secs(120));
                self.plan(patience, Plan::Leave(id));
                let gap = self.dice.around(Duration::from_secs(6));
                self.plan(gap, Plan::Arrive);
            }
            Plan::CallColleague => self.call_colleague(),
            Plan::Leave(interaction) => {
                // Whoever is being talked to does not hang up for impatience.
                if self.world.oracle.callers.get(&interaction).is_some_and(|caller| !caller.answered) {
                    assert_eq!(self.world.tell(Input::Abandon { interaction }), Ok(()));
                }
            }
            Plan::Answer(agent, token) => {
                let answer = match self.dice.below(100) {
                    0..3 => self.world.tell(Input::Decline { agent, token }),
                    3 => self.world.tell(Input::OfferFailed { agent, token }),
                    _ => self.world.tell(Input::Accept { agent, token }),
                };
                assert!(matches!(answer, Ok(()) | Err(Refusal::Stale)));
            }
            Plan::HangUp(interaction) => {
                let by = self.dice.one([EndedBy::Customer, EndedBy::Agent]);
                let _ = self.world.tell(Input::Hangup { interaction, by });
            }
            Plan::Finish(agent, interaction) => {
                let _ = self.world.tell(Input::Complete { agent, interaction });
            }
            Plan::ComeBack(agent) => {
                if self.world.oracle.agents[&agent].signed_in {
                    assert_eq!(self.world.tell(Input::Ready { agent }), Ok(()));
                } else {
                    self.sign_in(agent);
                }
            }
            Plan::LosePage(agent) => {
                let _ = self.world.tell(Input::LogOut { agent });
                let away = self.dice.around(Duration::from_secs(300));
                self.plan(away, Plan::ComeBack(agent));
            }
        }
    }

    /// Somebody calls somebody: taken exactly where the table "What each state permits" says so.
    fn call_colleague(&mut self) {
        let gap = self.dice.around(Duration::from_secs(60));
        self.plan(gap, Plan::CallColleague);
        let caller = AgentId::from_number(self.dice.below(AGENTS) + 1);
        let callee = AgentId::from_number(self.dice.below(AGENTS) + 1);
        if caller == callee {
            return;
        }
        let may = |day: &Self, who| {
            let seen = &day.world.oracle.agents[&who];
            seen.signed_in && !seen.offline && seen.offer.is_none()
        };
        let [own, call] = [1, 2].map(|n| InteractionId::from_number(1_000_000 + 2 * self.internal_calls + n));
        self.internal_calls += 1;
        let expected = may(self, caller);
        let begin = Input::Begin { interaction: own, agent: caller, channel: Channel::Voice, internal: true };
        assert_eq!(self.world.tell(begin).is_ok(), expected);
        self.react();
        if !expected {
            return;
        }
        let expected = may(self, callee);
        let ring = Input::CallAgent { interaction: call, agent: callee, ring_time: Duration::from_secs(20) };
        assert_eq!(self.world.tell(ring).is_ok(), expected);
        if expected {
            self.internal.insert(call, own);
            let patience = self.dice.around(Duration::from_secs(40));
            self.plan(patience, Plan::HangUp(call));
        } else {
            self.plan(Duration::ZERO, Plan::HangUp(own));
        }
    }

    /// People react to what the floor just did.
    fn react(&mut self) {
        use model::journal::Event;
        for output in std::mem::take(&mut self.world.out) {
            let dice = &mut self.dice;
            match output {
                Output::Offer { agent, token, .. } => {
                    let after = dice.around(Duration::from_secs(6));
                    self.plan(after, Plan::Answer(agent, token));
                }
                Output::Journal(Event::Accepted { interaction, .. }) => {
                    let talk = dice.around(Duration::from_secs(180));
                    self.plan(talk, Plan::HangUp(interaction));
                }
                // The call is over for the one who called, however it ended.
                Output::Journal(Event::Ended { interaction, .. }) => {
                    if let Some(own) = self.internal.remove(&interaction) {
                        self.plan(Duration::ZERO, Plan::HangUp(own));
                    }
                }
                Output::Journal(Event::WrapUpStarted { agent, interaction, .. }) => {
                    let after = dice.around(Duration::from_secs(20));
                    self.plan(after, Plan::Finish(agent, interaction));
                }
                Output::Journal(Event::AgentNotReady { agent, .. }) => {
                    let rest = dice.around(Duration::from_secs(120));
                    self.plan(rest, Plan::ComeBack(agent));
                }
                _ => {}
            }
        }
    }
}

/// ROUTE-06: a shift of forty agents and some two thousand calls; I1 to I11 after every event, and nobody is lost.
#[test]
fn route_06_nobody_is_lost_in_a_day_though_agents_drop_out() {
    for_each_seed(2, |seed| {
        let mut day = Day::begin(seed);
        day.run();
        let oracle = &day.world.oracle;
        assert!(
            oracle.arrived > 1_000 && oracle.completed > oracle.arrived / 2,
            "a day of work: {:?}",
            oracle.lost
        );
        assert!(day.internal_calls > 100, "colleagues call each other: {}", day.internal_calls);
        day.world.check_replay();
        let mut floor = day.world.floor;
        let mut out = Vec::new();
        floor.restart(day.world.now, &mut out);
        assert_eq!(floor.snapshot().interactions, [], "a restart accounts for everybody");
    });
}
