//! A call centre at work, of any size: the load of benchmarks.

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
use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output};

/// How large it is.
#[derive(Clone, Copy)]
pub struct Size {
    pub agents: u64,
    /// Different sets of skills.
    pub profiles: u64,
    /// Services, each with a requirement of its own.
    pub classes: u64,
    pub waiting: usize,
    /// Mixed kinds of contact, orders of waiting of every sort, several rung at once, preferred agents.
    pub mixed: bool,
}

const SKILLS: u64 = 200;

/// What happens on it: agents answer, end and complete calls; for each call served two arrive and one of those who wait gives
/// up; requirements widen by steps. Where nobody is to wait, one arrives for each served.
pub struct House {
    pub floor: Floor,
    dice: ChaCha8Rng,
    now: Timestamp,
    out: Vec<Output>,
    services: u64,
    mixed: bool,
    nobody_waits: bool,
    next: u64,
    offers: VecDeque<(AgentId, OfferToken)>,
    talking: Vec<InteractionId>,
    wrapping: VecDeque<(AgentId, InteractionId)>,
    queued: Vec<InteractionId>,
    /// Nanoseconds that each event took.
    pub took: Vec<u32>,
}

impl House {
    /// Everybody is at work, and as many wait as there should.
    pub fn new(size: &Size) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let floor = Floor::new(config(size, &mut dice)).expect("a configuration within the limits");
        let mut house = Self {
            floor,
            dice,
            now: Timestamp::from_millis(1_000_000),
            out: Vec::new(),
            services: size.classes,
            mixed: size.mixed,
            nobody_waits: size.waiting == 0,
            next: 0,
            offers: VecDeque::new(),
            talking: Vec::new(),
            wrapping: VecDeque::new(),
            queued: Vec::new(),
            took: Vec::new(),
        };
        for number in 1..=size.agents {
            let agent = AgentId::from_number(number);
            house.does(Input::LogIn {
                agent,
                session: SessionId::from_number(number),
                phone: PhoneKind::Browser,
            });
            house.does(Input::Ready { agent });
        }
        // Where nobody is to wait, four of five talk.
        let calls = if house.nobody_waits { size.agents as usize * 4 / 5 } else { size.waiting };
        while house.queued.len() < calls {
            house.arrive();
            house.answer_all();
        }
        house
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
    pub fn round(&mut self) {
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
        if self.nobody_waits {
            return self.answer_all();
        }
        self.arrive();
        self.answer_all();
        // Some picks are answered already; then nobody gives up and it is no event.
        for _ in 0..self.queued.len().min(4) {
            let at = self.below(self.queued.len());
            let interaction = self.queued.swap_remove(at);
            if self.floor.is_waiting(interaction) {
                self.does(Input::Abandon { interaction });
                break;
            }
        }
    }
}

pub fn config(size: &Size, dice: &mut ChaCha8Rng) -> FloorConfig {
    let mut below = |n: u64| dice.next_u64() % n;
    let mut skills = |count: u64| -> Vec<(SkillId, Level)> {
        (0..count)
            .map(|_| {
                let level = Level::new((below(10) + 1) as u8).unwrap_or(Level::MIN);
                (SkillId::from_number(below(SKILLS) + 1), level)
            })
            .collect()
    };
    let profiles: Vec<_> = (0..size.profiles).map(|_| skills(8)).collect();
    let agents = (0..size.agents).map(|number| AgentProfile {
        agent: AgentId::from_number(number + 1),
        group: None,
        skills: profiles[(number % size.profiles) as usize].iter().copied().collect(),
        at_once: Default::default(),
    });
    let agents = agents.collect();
    let services = (1..=size.classes).map(|number| {
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
                ..if size.mixed { of_every_sort(number) } else { QueueRules::default() }
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
