//! Chance with a seed, and a floor that is watched at every move.

use std::time::Duration;

use model::capacity::Blend;
use model::id::{AgentId, GroupId, Id, ReasonId, ServiceId, SkillId, TenantId};
use model::interaction::Channel;
use model::journal::{Entry, Event, Seq};
use model::people::{GroupRules, RestState};
use model::service::{LateContacts, QueueRules, RingRule, Service, ShortAbandons, Treatment, WaitingOrder};
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use router::{
    AgentProfile, AgentTerm, Capacity, Floor, FloorConfig, Input, Output, Refusal, Retrace, Weight,
};

use crate::hall::{MORNING, service};
use crate::oracle::Oracle;

/// All chance of a test comes from here.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n.max(1)
    }
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.below(from.len() as u64) as usize].clone()) }
    }
    pub fn one<T: Clone, const N: usize>(&mut self, of: [T; N]) -> T {
        of[self.below(N as u64) as usize].clone()
    }
    /// Exponentially distributed around a mean.
    pub fn around(&mut self, mean: Duration) -> Duration {
        let uniform = (self.below(1 << 30) + 1) as f64 / f64::from(1 << 30);
        mean.mul_f64(-uniform.ln())
    }
}

/// `SIM_SEED` plays one seed again; `SIM_SEEDS` says how many are played.
pub fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(default),
    }
}

/// Plays a test for each seed and says which one failed.
pub fn for_each_seed(default: u64, play: impl Fn(u64)) {
    for seed in seeds(default) {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(seed)));
        if let Err(cause) = played {
            eprintln!("play it again with SIM_SEED={seed}");
            std::panic::resume_unwind(cause);
        }
    }
}

pub fn expression(dice: &mut Dice, depth: u64) -> SkillExpr {
    let skill = SkillId::from_number(dice.below(4) + 1);
    let level = Level::new(dice.below(6) as u8 + 1).unwrap();
    let two = |dice: &mut Dice| vec![expression(dice, depth - 1), expression(dice, depth - 1)];
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        0 => SkillExpr::Any,
        1..=3 => SkillExpr::AtLeast { skill, level },
        4 => SkillExpr::InGroup(GroupId::from_number(dice.below(3) + 1)),
        5 => SkillExpr::OneOf((0..dice.below(3)).map(|_| AgentId::from_number(dice.below(14) + 1)).collect()),
        6 | 7 => SkillExpr::And(two(dice)),
        8 => SkillExpr::Or(two(dice)),
        _ => SkillExpr::Not(Box::new(expression(dice, depth - 1))),
    }
}

pub fn requirement(dice: &mut Dice) -> Requirement {
    let steps = 1 + dice.below(3);
    let step = |dice: &mut Dice| Step {
        who: expression(dice, 2),
        lasts: (!dice.percent(10)).then(|| Duration::from_secs(5 + dice.below(60))),
    };
    let mode = dice.one([StepMode::Replace, StepMode::Cumulative]);
    Requirement { steps: (0..steps).map(|_| step(dice)).collect(), mode }
}

fn random_service(dice: &mut Dice, number: u64) -> Service {
    let treatment = |dice: &mut Dice| dice.one([Treatment::Announce, Treatment::Reject, Treatment::Queue]);
    let when_unstaffed = treatment(dice);
    let elsewhere = Treatment::Service(ServiceId::from_number(number + 1));
    let queue = QueueRules {
        priority: dice.one([0, 0, 0, 1, 5, 1_000]),
        priority_second: dice.one([0, 1, 60]),
        order: dice.one([WaitingOrder::Ageing, WaitingOrder::Deadline, WaitingOrder::Slopes]),
        late: dice.one([LateContacts::First, LateContacts::Last]),
        slope_percent: dice.one([1, 50, 100, 100, 250, 10_000]),
        ring: dice.one([RingRule::One, RingRule::One, RingRule::Several, RingRule::All]),
        ring_agents: 2 + dice.below(2) as u32,
        service_level: Duration::from_secs(dice.one([5, 20, 30])),
        short_abandons: ShortAbandons::Count,
        short_abandon_after: Duration::from_secs(5),
        ring_time: Duration::from_secs(5 + dice.below(20)),
        waiting_max: dice.one([3, 10, 50]),
        wait_time_max: dice.one([None, None, Some(Duration::from_secs(45))]),
        refusal_cooldown: Duration::from_secs(dice.one([0, 10, 60])),
        when_unstaffed,
        when_closed: treatment(dice),
        when_full: treatment(dice),
        when_waited_long: dice.one([Treatment::Announce, Treatment::Queue, elsewhere]),
        // Who may come while nobody is there may also stay.
        when_agents_left: dice
            .one([None, Some(Treatment::Queue), Some(elsewhere)])
            .filter(|_| when_unstaffed != Treatment::Queue),
        takes: Channel::INCOMING.into_iter().filter(|_| !dice.percent(5)).collect(),
        waiting: Default::default(),
        callback: Default::default(),
        regulars: None,
        voicemail: Default::default(),
        hours: None,
        emergency: dice.percent(3),
        when_emergency: Treatment::Announce,
        farewells: Default::default(),
    };
    Service { open: !dice.percent(5), ..service(number, requirement(dice), queue) }
}

pub fn random_agent(dice: &mut Dice, number: u64) -> AgentProfile {
    let skills = (1..=4).filter(|_| dice.percent(50)).collect::<Vec<u64>>();
    let skills = skills
        .into_iter()
        .map(|skill| (SkillId::from_number(skill), Level::new(dice.below(10) as u8 + 1).unwrap()))
        .collect();
    let group = dice.one([None, Some(1), Some(2), Some(3)]).map(GroupId::from_number);
    let own = Channel::ALL.into_iter().filter(|_| dice.percent(10)).collect::<Vec<_>>();
    let at_once = own.into_iter().map(|channel| (channel, dice.below(4) as u32)).collect();
    AgentProfile { agent: AgentId::from_number(number), group, skills, at_once }
}

fn random_rules(dice: &mut Dice) -> GroupRules {
    let rest = |dice: &mut Dice| dice.one([RestState::Ready, RestState::Ready, RestState::NotReady]);
    GroupRules {
        after_login: rest(dice),
        wrap_up: dice.percent(60),
        wrap_up_time: dice.one([None, Some(0), Some(5), Some(30)]).map(Duration::from_secs),
        wrap_up_continue: dice.percent(50),
        after_interaction: rest(dice),
        not_ready_on_refusal: dice.percent(50),
        break_minutes: None,
        put_back: true,
        auto_answer: false,
        capacity: dice.percent(30).then(|| random_capacity(dice)),
    }
}

/// Usual now and then; mostly any weight and any blend.
fn random_capacity(dice: &mut Dice) -> Capacity {
    let mut capacity = Capacity::default();
    if dice.percent(30) {
        return capacity;
    }
    capacity.units = dice.one([100, 100, 60, 250]);
    for current in Channel::ALL {
        let (units, at_once) = dice.one([(100, 1), (50, 2), (50, 1), (30, 3), (30, 2), (20, 5), (1, 0)]);
        *capacity.weight_mut(current) = Weight { units, at_once };
        for new in Channel::ALL {
            if dice.percent(50) {
                capacity.blending.set(
                    current,
                    new,
                    dice.one([Blend::Never, Blend::Beside, Blend::Interrupt]),
                );
            }
        }
    }
    capacity
}

/// A call centre set up by chance: every knob somewhere.
pub fn random_config(dice: &mut Dice) -> FloorConfig {
    use AgentTerm::{LeastLoaded, LeastSkilled, LongestIdle, MostSkilled, RoundRobin};
    let terms = [MostSkilled, LeastSkilled, LeastLoaded, LongestIdle, RoundRobin];
    let mut config = FloorConfig {
        agents: (1..=1 + dice.below(12)).map(|number| random_agent(dice, number)).collect(),
        services: (1..=1 + dice.below(6)).map(|number| random_service(dice, number)).collect(),
        agent_order: (0..dice.below(5)).map(|_| dice.one(terms)).collect(),
        ..FloorConfig::default()
    };
    config.capacity = random_capacity(dice);
    for group in 1..=3 {
        config.groups.insert(GroupId::from_number(group), random_rules(dice));
    }
    config.stays.insert(ReasonId::from_number(1), Duration::from_secs(40));
    config
}

/// Changes something while people work.
pub fn random_change(dice: &mut Dice, config: &mut FloorConfig) {
    let agents = config.agents.len() as u64;
    match dice.below(7) {
        5 => config.capacity = random_capacity(dice),
        0 => {
            let free: Vec<u64> = (1..=13)
                .filter(|number| config.agents.iter().all(|a| a.agent != AgentId::from_number(*number)))
                .collect();
            if let Some(number) = dice.pick(&free) {
                config.agents.push(random_agent(dice, number));
            }
        }
        1 if agents > 1 => drop(config.agents.remove(dice.below(agents) as usize)),
        2 => {
            let at = dice.below(agents) as usize;
            let agent = config.agents[at].agent;
            config.agents[at] = AgentProfile { agent, ..random_agent(dice, 1) };
        }
        3 => {
            let number = dice.below(8) + 1;
            let new = random_service(dice, number);
            config.services.retain(|service| service.id != ServiceId::from_number(number));
            config.services.push(new);
        }
        4 => drop(config.groups.insert(GroupId::from_number(dice.below(3) + 1), random_rules(dice))),
        _ => config.agent_order.reverse(),
    }
}

/// A floor, its journal, and the oracle that reads along.
pub struct Watched {
    pub floor: Floor,
    pub oracle: Oracle,
    pub now: Timestamp,
    pub journal: Vec<Entry>,
    pub out: Vec<Output>,
    /// The configurations so far: the journal says where each began.
    pub configs: Vec<FloorConfig>,
    /// No two inputs come in one microsecond: then each entry's cause can be read off the journal.
    pub apart: bool,
    audit_each: u64,
    /// The brute force looks at one move in so many.
    pub look_each: u64,
    pub moves: u64,
}

impl Watched {
    pub fn new(config: FloorConfig, audit_each: u64) -> Self {
        Self {
            floor: Floor::new(config.clone()).unwrap(),
            oracle: Oracle::new(config.clone()),
            now: MORNING,
            journal: Vec::new(),
            out: Vec::new(),
            configs: vec![config],
            apart: true,
            audit_each,
            look_each: 1,
            moves: 0,
        }
    }

    pub fn tell(&mut self, input: Input) -> Result<(), Refusal> {
        self.out.clear();
        let answer = self.floor.handle(input, self.now, &mut self.out);
        self.watch();
        answer
    }

    pub fn tick(&mut self) {
        self.out.clear();
        self.floor.tick(self.now, &mut self.out);
        self.watch();
    }

    pub fn configure(&mut self, config: FloorConfig) {
        self.tick();
        self.out.clear();
        self.floor.configure(config.clone(), self.now, &mut self.out).unwrap();
        self.begin_generation(config.clone(), false);
        self.oracle.config = config;
        self.watch();
    }

    /// The process dies: a floor made from the journal is the one that died, and goes on after ending what did not survive.
    pub fn crash(&mut self) {
        self.tick();
        let rebuilt = self.rebuilt();
        assert_eq!(rebuilt.snapshot(), self.floor.snapshot(), "rebuilt after a crash");
        self.floor = rebuilt;
        self.begin_generation(self.oracle.config.clone(), true);
        self.out.clear();
        self.floor.restart(self.now, &mut self.out);
        self.watch();
    }

    fn begin_generation(&mut self, config: FloorConfig, started: bool) {
        let generation = self.configs.len() as u64;
        self.write(Event::Configured { generation, started });
        self.configs.push(config);
    }

    fn write(&mut self, event: Event) {
        let (seq, tenant) = (Seq(self.journal.len() as u64 + 1), TenantId::from_number(1));
        self.journal.push(Entry { seq, tenant, at: self.now, event });
    }

    fn watch(&mut self) {
        self.moves += 1;
        self.oracle.looks = self.moves.is_multiple_of(self.look_each);
        for output in std::mem::take(&mut self.out) {
            if let Output::Journal(event) = &output {
                self.oracle.happened(event, self.now);
                self.write(event.clone());
            }
            self.out.push(output);
        }
        self.oracle.check_rest(self.now);
        if self.moves.is_multiple_of(self.audit_each) {
            assert_eq!(self.floor.audit(), Vec::<String>::new());
        }
    }

    /// A second floor, made from the journal.
    fn rebuilt(&self) -> Floor {
        let mut copy = Floor::new(self.configs[0].clone()).unwrap();
        for entry in &self.journal {
            match entry.event {
                Event::Configured { generation, .. } => {
                    let config = self.configs[generation as usize].clone();
                    copy.fold_configuration(config, entry.at).unwrap();
                }
                _ => copy.fold(entry),
            }
        }
        copy.stand_at(self.now);
        copy
    }

    /// A second floor made from the journal is the same floor.
    pub fn check_replay(&mut self) {
        self.tick();
        let mut copy = self.rebuilt();
        let mut out = Vec::new();
        copy.tick(self.now, &mut out);
        assert_eq!(out, [], "a replay decides nothing anew");
        let (ours, theirs) = (self.floor.snapshot(), copy.snapshot());
        for (ours, theirs) in ours.agents.iter().zip(&theirs.agents) {
            assert_eq!(ours, theirs);
        }
        for (ours, theirs) in ours.interactions.iter().zip(&theirs.interactions) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "byte for byte");
        assert_eq!(copy.next_deadline(), self.floor.next_deadline());
        assert_eq!(copy.audit(), Vec::<String>::new());
        if self.apart {
            self.check_decided_again();
        }
    }

    /// Told the same again, the floor decides the same again (I11).
    pub fn check_decided_again(&self) -> router::Retraced {
        let mut again = Retrace::of(Floor::new(self.configs[0].clone()).unwrap());
        for (n, entry) in self.journal.iter().enumerate() {
            match entry.event {
                Event::Configured { started: true, .. } => again.restart(again.floor().clone(), entry.at),
                Event::Configured { generation, .. } => {
                    again.configure(self.configs[generation as usize].clone(), entry.at).unwrap();
                }
                _ => {}
            }
            let taken = again.take(entry, &self.journal[n + 1..]);
            if let Err(difference) = taken {
                let around = &self.journal[n.saturating_sub(8)..(n + 6).min(self.journal.len())];
                panic!("entry {n}: {difference:#?}\namong {around:#?}");
            }
        }
        again.tally()
    }
}
