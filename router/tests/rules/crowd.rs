//! What nobody does on purpose: everybody at once, and clocks that jump. The outcome is right, and what is written and
//! ordered stays in proportion to what happened.

use std::time::Duration;

use model::id::{AgentId, Id, InteractionId, SessionId, SkillId};
use model::interaction::Channel;
use model::journal::Event;
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::{LateContacts, QueueRules, Treatment, WaitingOrder};
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;
use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output};

use crate::hall::{MORNING, hotline, seconds, service, team};

struct Crowd {
    floor: Floor,
    now: Timestamp,
    out: Vec<Output>,
}

impl Crowd {
    /// So many agents of ten profiles, signed in but not Ready; one service that widens after 30 s from nobody to all.
    fn of(agents: u64, queue: QueueRules) -> Self {
        let skill = |number: u64| (SkillId::from_number(number % 10), Level::MAX);
        let profile = |number| AgentProfile {
            agent: AgentId::from_number(number),
            group: Some(team()),
            skills: [skill(number)].into(),
            at_once: Default::default(),
        };
        let steps = vec![
            Step { who: SkillExpr::Or(vec![]), lasts: Some(seconds(30)) },
            Step { who: SkillExpr::Any, lasts: None },
        ];
        let queue = QueueRules { waiting_max: u32::MAX, ..queue };
        let rules = GroupRules { after_login: RestState::NotReady, ..GroupRules::default() };
        let config = FloorConfig {
            agents: (1..=agents).map(profile).collect(),
            services: vec![service(1, Requirement { steps, mode: StepMode::Replace }, queue)],
            groups: [(team(), rules)].into(),
            ..FloorConfig::default()
        };
        let mut crowd = Self { floor: Floor::new(config).unwrap(), now: MORNING, out: Vec::new() };
        for number in 1..=agents {
            let (agent, session) = (AgentId::from_number(number), SessionId::from_number(number));
            crowd.does(Input::LogIn { agent, session, phone: PhoneKind::Browser });
        }
        crowd
    }
    fn does(&mut self, input: Input) -> usize {
        self.out.clear();
        self.floor.handle(input, self.now, &mut self.out).unwrap();
        self.out.len()
    }
    fn tick(&mut self) -> usize {
        self.out.clear();
        self.floor.tick(self.now, &mut self.out);
        self.out.len()
    }
    fn calls(&mut self, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let call = InteractionId::from_number(number);
            self.does(Input::Arrive(Arrival::new(call, hotline(), Channel::Voice)));
        }
    }
    fn offers(&self) -> usize {
        self.out.iter().filter(|output| matches!(output, Output::Offer { .. })).count()
    }
}

fn patient() -> QueueRules {
    QueueRules { when_unstaffed: Treatment::Queue, ..QueueRules::default() }
}

/// ROUTE-06: ten thousand agents who toggle between Ready and Not ready ten times write two lines for each toggle, and a
/// caller in the middle of it is rung at once.
#[test]
fn route_06_ten_thousand_agents_toggle() {
    let mut crowd = Crowd::of(10_000, patient());
    let mut lines = 0;
    for round in 0..10 {
        crowd.now = crowd.now + Duration::from_millis(100);
        for number in 1..=10_000 {
            let agent = AgentId::from_number(number);
            lines += crowd.does(if round % 2 == 0 {
                Input::Ready { agent }
            } else {
                Input::ForceNotReady { agent }
            });
        }
    }
    assert_eq!(lines, 10 * 10_000 * 2, "what changed, and that it changed");
    assert_eq!(crowd.floor.next_deadline(), None, "nothing is left to be done");
    crowd.does(Input::Ready { agent: AgentId::from_number(77) });
    crowd.calls(1..=1);
    crowd.now = crowd.now + seconds(30);
    crowd.tick();
    assert_eq!(crowd.offers(), 1);
}

/// ROUTE-06: fifty thousand callers whose step ends in the same instant: each free agent is rung once, first come first
/// served, in one move; the others wait on in their places.
#[test]
fn route_06_fifty_thousand_steps_end_at_once() {
    let mut crowd = Crowd::of(1_000, patient());
    for number in 1..=1_000 {
        crowd.does(Input::Ready { agent: AgentId::from_number(number) });
    }
    crowd.calls(1..=50_000);
    crowd.now = crowd.now + seconds(30);
    let lines = crowd.tick();
    let rung: Vec<u64> = (1..=50_000)
        .filter(|&number| {
            crowd
                .floor
                .interaction(InteractionId::from_number(number))
                .is_some_and(|call| call.stage != router::Stage::Waiting)
        })
        .collect();
    assert_eq!(rung, (1..=1_000).collect::<Vec<_>>(), "the first thousand");
    assert_eq!((crowd.offers(), lines), (1_000, 3_000), "offered, written, shown: three lines for each");
    assert_eq!(crowd.floor.queue(hotline()).unwrap().waiting, 50_000);
    assert_eq!(crowd.floor.ahead(InteractionId::from_number(50_000)), Some(49_999));
}

/// ROUTE-03, ROUTE-06: fifty thousand become late at once where the late are served last: nothing is written, all are behind
/// whoever comes now.
#[test]
fn route_06_fifty_thousand_become_late_at_once() {
    let queue = QueueRules { order: WaitingOrder::Deadline, late: LateContacts::Last, ..patient() };
    let mut crowd = Crowd::of(10, queue);
    crowd.calls(1..=50_000);
    crowd.now = crowd.now + seconds(20);
    assert_eq!(crowd.tick(), 0);
    crowd.calls(50_001..=50_001);
    let place = |number| crowd.floor.ahead(InteractionId::from_number(number));
    assert_eq!([50_001, 1, 50_000].map(place), [Some(0), Some(1), Some(50_000)]);
}

/// ROUTE-06: everybody signs out while a thousand phones ring: all calls are back in their places, and nobody is lost.
#[test]
fn route_06_everybody_signs_out() {
    let mut crowd = Crowd::of(1_000, patient());
    crowd.calls(1..=2_000);
    crowd.now = crowd.now + seconds(30);
    crowd.tick();
    for number in 1..=1_000 {
        crowd.does(Input::Ready { agent: AgentId::from_number(number) });
    }
    let mut ended = 0;
    for number in 1..=1_000 {
        let lines = crowd.does(Input::LogOut { agent: AgentId::from_number(number) });
        assert!(lines <= 8, "{lines} lines for one who leaves");
        ended += crowd.out.iter().filter(|o| matches!(o, Output::Journal(Event::OfferEnded { .. }))).count();
    }
    assert_eq!(ended, 1_000);
    assert_eq!(crowd.floor.queue(hotline()).unwrap().waiting, 2_000);
    assert!((1..=2_000).all(|n| crowd.floor.ahead(InteractionId::from_number(n)) == Some(n as usize - 1)));
    assert_eq!(crowd.floor.next_deadline(), None);
}

/// ROUTE-06: a clock that jumps back stands still for the floor; one that jumps ahead makes due what is due, once.
#[test]
fn route_06_the_clock_jumps() {
    let mut crowd = Crowd::of(2, patient());
    crowd.calls(1..=1);
    crowd.now = crowd.now + seconds(30);
    crowd.does(Input::Ready { agent: AgentId::from_number(1) });
    assert_eq!(crowd.offers(), 1, "the second step has begun");
    let due = crowd.floor.next_deadline().unwrap();
    crowd.now = MORNING - seconds(86_400);
    assert_eq!(crowd.tick(), 0, "a day back: nothing happens");
    crowd.does(Input::Ready { agent: AgentId::from_number(2) });
    assert_eq!(crowd.floor.next_deadline(), Some(due), "the lease ends when it was to end");
    crowd.now = MORNING + seconds(86_400);
    crowd.tick();
    let missed = crowd.out.iter().filter(|o| matches!(o, Output::Journal(Event::OfferEnded { .. })));
    assert_eq!((missed.count(), crowd.offers()), (1, 1), "a day ahead: missed once, and rung at the other");
    assert_eq!(crowd.floor.audit(), Vec::<String>::new());
}
