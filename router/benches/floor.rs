//! How many events a second the floor takes, and how long the slowest take.
//!
//! One event is one call of `Floor::handle` or `Floor::tick`. The mix keeps a full house busy: agents answer, end and
//! complete calls; for each call served two arrive and one of those who wait gives up; requirements widen by steps. Goals
//! are those of the design study this data structure comes from.
//!
//! `cargo bench -p router` prints a line a figure and writes `target/bench/router.json`. Environment: `FLOOR_EVENTS` (how
//! many are measured, default 1 000 000), `FLOOR_CASE` (only this one).
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use model::id::{AgentId, Id, InteractionId, OfferToken, ServiceId, SessionId, SkillId, TenantId};
use model::interaction::{Channel, EndedBy};
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{LateContacts, QueueRules, RingRule, Service, Treatment, WaitingOrder};
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use router::{AUDIT_STEPS, AgentProfile, Arrival, Floor, FloorConfig, Input, Output, Walk};

/// A call centre of a size, and what is expected of it.
struct Case {
    name: &'static str,
    agents: u64,
    profiles: u64,
    classes: u64,
    backlog: usize,
    /// Mixed kinds of contact, orders of waiting of every sort, several rung at once, preferred agents.
    mixed: bool,
    goal_per_second: f64,
    goal_p99: Option<Duration>,
}

const CASES: [Case; 4] = [
    Case {
        name: "small",
        agents: 1_000,
        profiles: 100,
        classes: 300,
        backlog: 1_000,
        mixed: false,
        goal_per_second: 1_500_000.0,
        goal_p99: Some(Duration::from_micros(3)),
    },
    Case {
        name: "large",
        agents: 10_000,
        profiles: 500,
        classes: 2_000,
        backlog: 50_000,
        mixed: false,
        goal_per_second: 1_500_000.0,
        goal_p99: Some(Duration::from_micros(3)),
    },
    Case {
        name: "worst",
        agents: 10_000,
        profiles: 10_000,
        classes: 20_000,
        backlog: 50_000,
        mixed: false,
        goal_per_second: 600_000.0,
        goal_p99: None,
    },
    Case {
        name: "mixed",
        agents: 10_000,
        profiles: 500,
        classes: 2_000,
        backlog: 50_000,
        mixed: true,
        goal_per_second: 1_500_000.0,
        goal_p99: Some(Duration::from_micros(3)),
    },
];

const SKILLS: u64 = 200;

struct Bench {
    floor: Floor,
    dice: ChaCha8Rng,
    now: Timestamp,
    out: Vec<Output>,
    services: u64,
    mixed: bool,
    next: u64,
    offers: VecDeque<(AgentId, OfferToken)>,
    talking: Vec<InteractionId>,
    wrapping: VecDeque<(AgentId, InteractionId)>,
    queued: Vec<InteractionId>,
    took: Vec<u32>,
    events: u64,
}

impl Bench {
    fn new(case: &Case) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let floor = Floor::new(config(case, &mut dice)).expect("a configuration within the limits");
        let mut bench = Self {
            floor,
            dice,
            now: Timestamp::from_millis(1_000_000),
            out: Vec::new(),
            services: case.classes,
            mixed: case.mixed,
            next: 0,
            offers: VecDeque::new(),
            talking: Vec::new(),
            wrapping: VecDeque::new(),
            queued: Vec::new(),
            took: Vec::new(),
            events: 0,
        };
        for number in 1..=case.agents {
            let agent = AgentId::from_number(number);
            bench.does(Input::LogIn {
                agent,
                session: SessionId::from_number(number),
                phone: PhoneKind::Browser,
            });
            bench.does(Input::Ready { agent });
        }
        while bench.queued.len() < case.backlog {
            bench.arrive();
            bench.answer_all();
        }
        bench
    }

    fn below(&mut self, n: usize) -> usize {
        (self.dice.next_u64() % n as u64) as usize
    }

    /// One measured event. The clock of the floor moves half a millisecond with each.
    fn does(&mut self, input: Input) {
        self.now = self.now + Duration::from_micros(500);
        self.out.clear();
        let start = Instant::now();
        let _ = black_box(self.floor.handle(black_box(input), self.now, &mut self.out));
        let took = start.elapsed();
        self.took.push(u32::try_from(took.as_nanos()).unwrap_or(u32::MAX));
        self.events += 1;
        for output in &self.out {
            match output {
                Output::Offer { agent, token, .. } => self.offers.push_back((*agent, *token)),
                Output::Journal(Event::Accepted { interaction, .. }) => self.talking.push(*interaction),
                Output::Journal(Event::WrapUpStarted { interaction, agent, .. }) => {
                    self.wrapping.push_back((*agent, *interaction));
                }
                _ => {}
            }
        }
    }

    fn arrive(&mut self) {
        self.next += 1;
        let service = ServiceId::from_number(self.below(self.services as usize) as u64 + 1);
        let interaction = InteractionId::from_number(self.next);
        let mut arrival = Arrival::new(interaction, service, self.channel());
        if self.mixed && self.next.is_multiple_of(50) {
            arrival.preferred = vec![AgentId::from_number(self.below(200) as u64 + 1)];
            arrival.preferred_hold = Duration::from_secs(20);
        }
        arrival.priority = Some((self.next % 7) as i32);
        self.does(Input::Arrive(arrival));
        self.queued.push(interaction);
    }

    /// Of ten contacts six are calls, two are chats, one is mail, and one something else.
    fn channel(&mut self) -> Channel {
        match self.mixed.then(|| self.below(20)) {
            None | Some(0..12) => Channel::Voice,
            Some(12..16) => Channel::Chat,
            Some(16..18) => Channel::Email,
            Some(18) => Channel::Sms,
            Some(_) => Channel::Callback,
        }
    }

    /// Every phone that rings is answered; one in twenty is declined.
    fn answer_all(&mut self) {
        while let Some((agent, token)) = self.offers.pop_front() {
            if self.below(20) == 0 {
                self.does(Input::Decline { agent, token });
                self.does(Input::Ready { agent });
            } else {
                self.does(Input::Accept { agent, token });
            }
        }
    }

    /// A call ends and is completed, which frees an agent; two arrive; one gives up.
    fn round(&mut self) {
        if !self.talking.is_empty() {
            let at = self.below(self.talking.len());
            let interaction = self.talking.swap_remove(at);
            self.does(Input::Hangup { interaction, by: EndedBy::Customer });
        }
        while let Some((agent, interaction)) = self.wrapping.pop_front() {
            self.does(Input::Complete { agent, interaction });
        }
        self.answer_all();
        self.arrive();
        self.arrive();
        self.answer_all();
        // Some picks are answered already; then nobody gives up and it is no event.
        for _ in 0..4 {
            let at = self.below(self.queued.len());
            let interaction = self.queued.swap_remove(at);
            if self.floor.is_waiting(interaction) {
                self.does(Input::Abandon { interaction });
                break;
            }
        }
    }
}

fn config(case: &Case, dice: &mut ChaCha8Rng) -> FloorConfig {
    let mut below = |n: u64| dice.next_u64() % n;
    let mut skills = |count: u64| -> Vec<(SkillId, Level)> {
        (0..count)
            .map(|_| {
                let level = Level::new((below(10) + 1) as u8).unwrap_or(Level::MIN);
                (SkillId::from_number(below(SKILLS) + 1), level)
            })
            .collect()
    };
    let profiles: Vec<_> = (0..case.profiles).map(|_| skills(8)).collect();
    let agents = (0..case.agents).map(|number| AgentProfile {
        agent: AgentId::from_number(number + 1),
        group: None,
        skills: profiles[(number % case.profiles) as usize].iter().copied().collect(),
    });
    let agents = agents.collect();
    let services = (1..=case.classes).map(|number| {
        let wanted = skills(1 + number % 2);
        let at = |scale: u8| {
            let all = wanted.iter().map(|(skill, level)| SkillExpr::AtLeast {
                skill: *skill,
                level: Level::new((level.get() / scale).max(1)).unwrap_or(Level::MIN),
            });
            SkillExpr::And(all.collect())
        };
        // Every fourth requirement widens after half a minute.
        let requirement = if number % 4 == 0 {
            let first = Step { who: at(1), lasts: Some(Duration::from_secs(30)) };
            Requirement { steps: vec![first, Step { who: at(3), lasts: None }], mode: StepMode::Replace }
        } else {
            Requirement::fixed(at(1))
        };
        Service {
            id: ServiceId::from_number(number),
            tenant: TenantId::from_number(1),
            name: format!("service {number}"),
            requirement,
            queue: QueueRules {
                waiting_max: u32::MAX,
                when_unstaffed: Treatment::Queue,
                priority_second: 60,
                ..if case.mixed { of_every_sort(number) } else { QueueRules::default() }
            },
            disposition_mandatory: false,
            record: true,
            recording: model::recording::RecordingRules::default(),
            open: true,
        }
    });
    let services = services.collect();
    FloorConfig { agents, services, interactions_max: 1_000_000, ..FloorConfig::default() }
}

/// Orders and ways of ringing by turns: one service in ten rings three at once.
fn of_every_sort(number: u64) -> QueueRules {
    let orders = [WaitingOrder::Ageing, WaitingOrder::Deadline, WaitingOrder::Slopes];
    QueueRules {
        order: orders[(number % 3) as usize],
        late: if number.is_multiple_of(2) { LateContacts::First } else { LateContacts::Last },
        slope_percent: 100 + 50 * (number % 4) as u32,
        ring: if number.is_multiple_of(10) { RingRule::Several } else { RingRule::One },
        ..QueueRules::default()
    }
}

/// The value below which this share of the sorted samples lies.
fn quantile(sorted: &[u32], share: f64) -> u32 {
    sorted
        .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

/// The longest of many slices of the run-time audit, as the desk takes them.
fn audit(floor: &Floor) -> u64 {
    let (mut walk, mut broken, mut longest) = (Walk::default(), Vec::new(), Duration::ZERO);
    for _ in 0..2_000 {
        let start = Instant::now();
        floor.audit_some(&mut walk, AUDIT_STEPS, &mut broken);
        longest = longest.max(start.elapsed());
    }
    assert_eq!(broken, [], "a floor under load is whole");
    u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX)
}

fn run(case: &Case, events: usize) -> serde_json::Value {
    let mut bench = Bench::new(case);
    // Steps and forgiven refusals reach their steady state before anything is measured.
    let warm = bench.took.len() + events / 4;
    while bench.took.len() < warm {
        bench.round();
    }
    bench.took.clear();
    let served_before = bench.floor.offers();
    while bench.took.len() < events {
        bench.round();
    }
    let offers = bench.floor.offers() - served_before;
    let total: u64 = bench.took.iter().map(|ns| u64::from(*ns)).sum();
    let seconds = total as f64 / 1e9;
    let per_second = bench.took.len() as f64 / seconds;
    let mut sorted = std::mem::take(&mut bench.took);
    sorted.sort_unstable();
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|share| quantile(&sorted, share));
    let audit = audit(&bench.floor);
    let rate_ratio = per_second / case.goal_per_second;
    println!(
        "{:6} {:>9.0} events/s (goal {:.0}, ratio {rate_ratio:.2}), {:.0} offers/s, p50 {p50} ns, p99 {p99} ns{}, p99.9 {p999} ns, longest {max} ns, longest audit slice {audit} ns",
        case.name,
        per_second,
        case.goal_per_second,
        offers as f64 / seconds,
        case.goal_p99.map_or(String::new(), |goal| {
            format!(" (goal {}, ratio {:.2})", goal.as_nanos(), goal.as_nanos() as f64 / f64::from(p99))
        }),
    );
    serde_json::json!({
        "case": case.name,
        "agents": case.agents, "profiles": case.profiles, "classes": case.classes, "backlog": case.backlog,
        "events": sorted.len(), "offers": offers,
        "events_per_second": per_second, "goal_events_per_second": case.goal_per_second, "ratio": rate_ratio,
        "longest_audit_slice_ns": audit,
        "p50_ns": p50, "p99_ns": p99, "p999_ns": p999, "longest_ns": max,
        "goal_p99_ns": case.goal_p99.map(|goal| goal.as_nanos() as u64),
    })
}

fn main() -> std::io::Result<()> {
    let events = std::env::var("FLOOR_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let wanted = std::env::var("FLOOR_CASE").ok();
    let cases = CASES.iter().filter(|case| wanted.as_ref().is_none_or(|name| name == case.name));
    let figures: Vec<_> = cases.map(|case| run(case, events)).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("router.json"), serde_json::to_string_pretty(&figures)?)
}
