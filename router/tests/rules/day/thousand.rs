//! Twenty-four hours of a house with a thousand agents.

use std::collections::BTreeMap;
use std::time::Duration;

use model::agent::AgentState;
use model::capacity::Weight;
use model::id::{AgentId, GroupId, Id, InteractionId, ServiceId};
use model::interaction::Channel;
use model::journal::Event;
use model::people::{GroupRules, RestState};
use model::service::{LateContacts, QueueRules, RingRule, Treatment, WaitingOrder};
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;
use router::{AgentProfile, FloorConfig};

use super::scene::{Demand, HOUR, MINUTE, Scene, Worker, at_least, some_skills, widening};
use super::{Day, lunch};
use crate::erlang::erlang_c;
use crate::hall::{MORNING, service};
use crate::sim::{Dice, for_each_seed};

const AGENTS: u64 = 1_000;
/// The first agents are the crew of a service of its own: a queue of the textbooks in the middle of the house.
const CREW: u64 = 20;
const CREW_TALK: Duration = Duration::from_secs(30);
const CREW_CALLS_AN_HOUR: f64 = 1_920.0;
/// How customers come over the day: a peak in the morning and one in the afternoon.
const CURVE: [f64; 24] = [
    0.06, 0.04, 0.03, 0.03, 0.05, 0.1, 0.25, 0.5, 0.8, 0.95, 1.0, 0.95, 0.8, 0.75, 0.85, 0.95, 1.0, 0.9, 0.7,
    0.5, 0.35, 0.25, 0.15, 0.1,
];
/// When shifts begin, in hours, and how many of a hundred begin then. The last is the night shift, which goes on after
/// midnight; the first has come before it.
const SHIFTS: [(u64, u64); 9] =
    [(0, 5), (6, 8), (7, 10), (8, 18), (9, 18), (10, 11), (12, 12), (14, 13), (22, 5)];

fn team() -> GroupId {
    GroupId::from_number(1)
}
fn crew() -> GroupId {
    GroupId::from_number(2)
}
/// The service of the crew.
const CREWS: u64 = 7;

impl Scene {
    /// A thousand agents in shifts with breaks; eleven services: six of calls that widen, with all orders of waiting, one with
    /// a crew of its own, one of chats, of emails, of text messages and of callbacks; four changes of the set-up, and a
    /// crash at half past twelve.
    fn thousand(dice: &mut Dice) -> Self {
        let config = house(dice);
        let mut workers: Vec<Worker> = (1..=CREW).map(steady).collect();
        workers.extend((CREW + 1..=AGENTS).map(|number| worker(dice, number)));
        let changes = changes(dice, &config, &mut workers);
        Self {
            config,
            lasts: 24 * HOUR,
            crew: workers,
            demands: demands(),
            between_colleagues: Duration::from_secs(15),
            changes,
            crash: Some(12 * HOUR + 30 * MINUTE),
            // Prime, so that the looks do not keep step with anything.
            look_each: 401,
            audit_each: 4_001,
        }
    }
}

fn house(dice: &mut Dice) -> FloorConfig {
    let rules = GroupRules { after_login: RestState::Ready, ..GroupRules::default() };
    let at_once = GroupRules { wrap_up: false, ..rules.clone() };
    let member = |number| AgentProfile {
        agent: AgentId::from_number(number),
        group: Some(crew()),
        skills: Default::default(),
        at_once: Default::default(),
    };
    let mut agents: Vec<_> = (1..=CREW).map(member).collect();
    agents.extend((CREW + 1..=AGENTS).map(|number| some_skills(dice, number, team(), 3)));
    let queue = QueueRules { waiting_max: 2_000, when_unstaffed: Treatment::Queue, ..QueueRules::default() };
    let calls = |number| {
        let queue = QueueRules { waiting_max: 60, ..QueueRules::default() };
        match number {
            2 => QueueRules { priority: 5, ..queue },
            3 => QueueRules { order: WaitingOrder::Deadline, late: LateContacts::Last, ..queue },
            4 => QueueRules { order: WaitingOrder::Slopes, slope_percent: 200, ..queue },
            5 => QueueRules { ring: RingRule::Several, ..queue },
            _ => queue,
        }
    };
    let mut services: Vec<_> =
        (1..=6).map(|number| service(number, widening(number), calls(number))).collect();
    services.push(service(CREWS, Requirement::fixed(SkillExpr::InGroup(crew())), queue.clone()));
    services.extend(
        (1..=4).map(|skill| service(CREWS + skill, Requirement::fixed(at_least(skill, 1)), queue.clone())),
    );
    FloorConfig {
        agents,
        services,
        groups: [(team(), rules), (crew(), at_once)].into(),
        stays: [(lunch(), 40 * MINUTE)].into(),
        ..FloorConfig::default()
    }
}

fn demands() -> Vec<Demand> {
    let demand = |number, channel, peak: f64, patience, takes| Demand {
        service: ServiceId::from_number(number),
        channel,
        hourly: CURVE.map(|share| share * peak).into(),
        patience: Some(patience),
        takes,
        preferring: 2,
    };
    let mut demands: Vec<_> =
        (1..=6).map(|number| demand(number, Channel::Voice, 700.0, 3 * MINUTE, 5 * MINUTE)).collect();
    demands.push(Demand {
        hourly: (0..24).map(|hour| if (8..18).contains(&hour) { CREW_CALLS_AN_HOUR } else { 0.0 }).collect(),
        patience: None,
        preferring: 0,
        ..demand(CREWS, Channel::Voice, 0.0, HOUR, CREW_TALK)
    });
    demands.push(demand(8, Channel::Chat, 900.0, 5 * MINUTE, 12 * MINUTE));
    demands.push(demand(9, Channel::Email, 600.0, 6 * HOUR, 7 * MINUTE));
    demands.push(demand(10, Channel::Sms, 400.0, HOUR, 2 * MINUTE));
    demands.push(demand(11, Channel::Callback, 200.0, HOUR, 5 * MINUTE));
    demands
}

/// One of the crew: here from seven to six, without a break.
fn steady(number: u64) -> Worker {
    let agent = AgentId::from_number(number);
    Worker { agent, comes: 7 * HOUR, goes: Some(18 * HOUR), breaks: Vec::new(), steady: true }
}

/// Eight hours with lunch in the middle and two short breaks.
fn worker(dice: &mut Dice, number: u64) -> Worker {
    let mut share = dice.below(100);
    let mut begins = 0;
    for (hour, of_hundred) in SHIFTS {
        begins = hour;
        if share < of_hundred {
            break;
        }
        share -= of_hundred;
    }
    let mut some_minutes = |most: u64| Duration::from_secs(dice.below(most * 60));
    let comes = HOUR * begins as u32 + some_minutes(15);
    let breaks = vec![
        (comes + 2 * HOUR + some_minutes(40), 10 * MINUTE),
        (comes + 4 * HOUR + some_minutes(60), 30 * MINUTE),
        (comes + 6 * HOUR + some_minutes(40), 10 * MINUTE),
    ];
    let lasts = if begins == 0 { 6 * HOUR } else { 8 * HOUR };
    let goes = Some(comes + lasts).filter(|goes| *goes < 24 * HOUR);
    Worker { agent: AgentId::from_number(number), comes, goes, breaks, steady: false }
}

/// Thirty agents learn something; a service asks for less; agents take four chats; ten agents leave and five are new.
fn changes(dice: &mut Dice, start: &FloorConfig, workers: &mut Vec<Worker>) -> Vec<(Duration, FloorConfig)> {
    let mut config = start.clone();
    let mut some_agent = |from: &FloorConfig| (CREW + dice.below(from.agents.len() as u64 - CREW)) as usize;
    let mut changes = Vec::new();
    for _ in 0..30 {
        let at = some_agent(&config);
        config.agents[at].skills.insert(Id::from_number(6), model::skill::Level::MAX);
    }
    changes.push((7 * HOUR, config.clone()));
    config.services[0].requirement = Requirement::fixed(at_least(1, 3));
    changes.push((10 * HOUR + 40 * MINUTE, config.clone()));
    config.capacity.chat = Weight { units: 25, at_once: 4 };
    changes.push((15 * HOUR + 20 * MINUTE, config.clone()));
    for _ in 0..10 {
        let at = some_agent(&config);
        config.agents.remove(at);
    }
    for number in AGENTS + 1..=AGENTS + 5 {
        config.agents.push(some_skills(dice, number, team(), 3));
        workers.push(Worker { comes: 19 * HOUR + 5 * MINUTE, ..worker(dice, number) });
    }
    changes.push((19 * HOUR, config));
    changes
}

/// What became of the customers of one service, by the journal alone.
#[derive(Clone, Debug, Default)]
struct Fates {
    queued: u64,
    answered: u64,
    abandoned: u64,
    /// By the floor: nobody online, waited too long.
    turned_away: u64,
    /// In the crash, while they waited.
    interrupted: u64,
    waiting: u64,
}

/// A customer who is still to be answered.
struct Unanswered {
    service: ServiceId,
    since: Timestamp,
}

/// What the journal says of a day.
#[derive(Default)]
struct Told {
    fates: BTreeMap<ServiceId, Fates>,
    waiting: BTreeMap<InteractionId, Unanswered>,
    /// Conversations that the crash cut off.
    cut_off: u64,
    /// When the crew's customers came, and how long they waited.
    crew_waits: Vec<(Timestamp, Duration)>,
    has: BTreeMap<InteractionId, AgentId>,
    hours: BTreeMap<AgentId, Hours>,
    /// Of which service those are who were answered.
    of: BTreeMap<InteractionId, ServiceId>,
}

/// How long an agent was signed in, and of that with work in hand.
#[derive(Clone, Debug, Default, PartialEq)]
struct Hours {
    here: Duration,
    busy: Duration,
    here_since: Option<Timestamp>,
    busy_since: Option<Timestamp>,
    in_hand: u32,
}

impl Hours {
    /// Counts what has passed; then the change is made.
    fn at(&mut self, now: Timestamp, change: impl FnOnce(&mut Self)) {
        let spent =
            |since: &mut Option<Timestamp>| since.take().map_or(Duration::ZERO, |since| now.since(since));
        self.busy += spent(&mut self.busy_since);
        change(self);
        self.busy_since = (self.here_since.is_some() && self.in_hand > 0).then_some(now);
    }
}

impl Told {
    fn by(day: &Day) -> Self {
        let mut told = Self::default();
        for entry in &day.world.journal {
            told.read(&entry.event, entry.at);
        }
        for left in told.waiting.values() {
            told.fates.get_mut(&left.service).unwrap().waiting += 1;
        }
        for hours in told.hours.values_mut() {
            hours.at(day.world.now, |hours| {
                if let Some(since) = hours.here_since.take() {
                    hours.here += day.world.now.since(since);
                }
            });
        }
        told
    }

    fn read(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Queued { interaction, service, .. } => {
                self.fates.entry(*service).or_default().queued += 1;
                self.waiting.insert(*interaction, Unanswered { service: *service, since: at });
            }
            Event::Accepted { interaction, agent, .. }
            | Event::Taken { interaction, agent }
            | Event::HandlingStarted { interaction, agent, .. } => {
                self.has.insert(*interaction, *agent);
                self.hours.entry(*agent).or_default().at(at, |hours| hours.in_hand += 1);
                if let Some(answered) = self.waiting.remove(interaction) {
                    self.of.insert(*interaction, answered.service);
                    self.fates.get_mut(&answered.service).unwrap().answered += 1;
                    if answered.service == ServiceId::from_number(CREWS) {
                        self.crew_waits.push((answered.since, at.since(answered.since)));
                    }
                }
            }
            Event::Requeued { interaction, agent } => {
                self.has.remove(interaction);
                self.hours.get_mut(agent).unwrap().at(at, |hours| hours.in_hand -= 1);
                // Whoever answered did not bring it to an end: it waits once more.
                let service = self.of[interaction];
                self.fates.get_mut(&service).unwrap().answered -= 1;
                self.waiting.insert(*interaction, Unanswered { service, since: at });
            }
            Event::Ended { interaction, status, .. } => {
                use model::interaction::EndStatus::{
                    Abandoned, AbandonedRinging, Interrupted, NoAgentOnline, QueueFull,
                };
                if let Some(agent) = self.has.remove(interaction) {
                    self.cut_off += u64::from(*status == Interrupted);
                    self.hours.get_mut(&agent).unwrap().at(at, |hours| hours.in_hand -= 1);
                } else if let Some(lost) = self.waiting.remove(interaction) {
                    let fates = self.fates.get_mut(&lost.service).unwrap();
                    match status {
                        Abandoned | AbandonedRinging => fates.abandoned += 1,
                        NoAgentOnline | QueueFull => fates.turned_away += 1,
                        Interrupted => fates.interrupted += 1,
                        other => panic!("nobody who waits ends as {other:?}"),
                    }
                }
            }
            // The crash cut nobody off: who was to be called back will be.
            Event::LaidAside { interaction, .. } => {
                if let Some(agent) = self.has.remove(interaction) {
                    self.hours.get_mut(&agent).unwrap().at(at, |hours| hours.in_hand -= 1);
                } else if let Some(aside) = self.waiting.remove(interaction) {
                    self.fates.get_mut(&aside.service).unwrap().interrupted += 1;
                }
            }
            Event::AgentLoggedIn { agent, .. } => {
                self.hours.entry(*agent).or_default().at(at, |hours| hours.here_since = Some(at));
            }
            Event::AgentLoggedOut { agent } => self.hours.entry(*agent).or_default().at(at, |hours| {
                if let Some(since) = hours.here_since.take() {
                    hours.here += at.since(since);
                }
            }),
            _ => {}
        }
    }
}

/// The same hours by what consoles showed.
fn shown(day: &Day, agent: AgentId) -> Hours {
    let mut hours = Hours::default();
    let states = day.seen.states.get(&agent).map(Vec::as_slice).unwrap_or_default();
    for (n, (since, state)) in states.iter().enumerate() {
        let until = states.get(n + 1).map_or(day.world.now, |(next, _)| *next);
        let lasts = until.since(*since);
        hours.here += if *state == AgentState::LoggedOut { Duration::ZERO } else { lasts };
        hours.busy += if *state == AgentState::Busy { lasts } else { Duration::ZERO };
    }
    hours
}

/// The share of the crew's customers who were answered within 20 s, and how many they were: of those who came when neither
/// the morning's empty queue nor the crash told on them.
fn crew_level(told: &Told) -> (f64, usize) {
    let hours = |from: u32, to: u32| (MORNING + HOUR * from)..(MORNING + HOUR * to);
    let counted = |at: &Timestamp| hours(9, 12).contains(at) || hours(13, 17).contains(at);
    let waits: Vec<_> = told.crew_waits.iter().filter(|(at, _)| counted(at)).collect();
    let in_time = waits.iter().filter(|(_, wait)| *wait <= Duration::from_secs(20)).count();
    (in_time as f64 / waits.len() as f64, waits.len())
}

/// ROUTE-06: a day of a thousand agents in shifts, with calls, chats, emails, text messages and callbacks, breaks, lost pages,
/// colleagues' calls, four changes of the set-up, and a crash at noon. The oracle looks at one move in 400, the audit at one in
/// 4,000; the fold and the second decision see all of them.
///
/// At the end everybody is accounted for; each agent's hours by the journal are those by the states that were shown; and the
/// service with a crew of its own was as good as Erlang C says, within 4 points of a hundred. One day is not more exact: how
/// busy the crew is goes up and down in minutes, so a day has some 90 independent moments (of 16 days the mean is 0.1
/// points off, and one day 1.7 at most).
#[test]
fn route_06_nobody_is_lost_in_a_day_of_a_thousand_agents() {
    for_each_seed(2, |seed| {
        let mut dice = Dice::new(seed);
        let mut day = Day::of(Scene::thousand(&mut dice), dice);
        day.run();
        let told = Told::by(&day);
        let mut all = Fates::default();
        for (n, demand) in day.demands.iter().enumerate() {
            let fates = told.fates[&demand.service].clone();
            let accounted =
                fates.answered + fates.abandoned + fates.turned_away + fates.interrupted + fates.waiting;
            assert_eq!(day.seen.came[n] - day.seen.refused[n], fates.queued, "{:?}", demand.service);
            assert_eq!(fates.queued, accounted, "I10, {:?}: {fates:?}", demand.service);
            let waiting = day.world.floor.queue(demand.service).unwrap().waiting;
            assert_eq!(waiting as u64, fates.waiting, "{:?}", demand.service);
            println!("seed {seed}, service {}: {:?} came, {fates:?}", n + 1, day.seen.came[n]);
            all.queued += fates.queued;
            all.answered += fates.answered;
        }
        assert!(all.queued > 50_000 && all.answered > all.queued * 3 / 5, "a day of work: {all:?}");
        assert!(told.cut_off > 200, "the crash met a busy house: {}", told.cut_off);
        let (mut here, mut busy) = (Duration::ZERO, Duration::ZERO);
        for (agent, hours) in &told.hours {
            let shown = shown(&day, *agent);
            assert_eq!((shown.here, shown.busy), (hours.here, hours.busy), "{agent}'s day does not add up");
            (here, busy) = (here + hours.here, busy + hours.busy);
        }
        assert!(here > 6 * AGENTS as u32 * HOUR, "a thousand shifts: {here:?}");
        let occupancy = busy.as_secs_f64() / here.as_secs_f64();
        assert!((0.4..0.95).contains(&occupancy), "occupied {occupancy}");

        let (level, calls) = crew_level(&told);
        let erlangs = CREW_CALLS_AN_HOUR * CREW_TALK.as_secs_f64() / 3_600.0;
        let spare = (CREW as f64 - erlangs) * 20.0 / CREW_TALK.as_secs_f64();
        let expected = 1.0 - erlang_c(CREW, erlangs) * (-spare).exp();
        println!(
            "seed {seed}: {} moves, {} entries, {all:?}, occupied {occupancy:.2}; of the crew's {calls} calls {level:.3} in time, Erlang C says {expected:.3}",
            day.world.moves,
            day.world.journal.len(),
        );
        assert!((level - expected).abs() < 0.04, "{level} in time, Erlang C says {expected}");

        day.world.check_replay();
    });
}
