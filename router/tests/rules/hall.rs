//! A small call centre in the words of the trade: who works here, who calls, what they do. Behind it the real floor, a
//! clock that stands still until told to move on, and the journal so far.
//!
//! After every move the floor audits itself, the states it announced are compared with the states it has, and the
//! journal is replayed into a second floor that must be equal.

use std::collections::BTreeMap;
use std::time::Duration;

use model::agent::AgentState;
use model::id::{AgentId, GroupId, Id, InteractionId, OfferToken, ServiceId, SessionId, SkillId, TenantId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::{Entry, Event, Seq};
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::{QueueRules, Service};
use model::skill::{Level, Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;
use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output, Refusal, Stage, Weight};

pub const MORNING: Timestamp = Timestamp::from_millis(1_795_244_400_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skill {
    German,
    English,
    Billing,
}
pub use Skill::*;

impl Skill {
    pub fn id(self) -> SkillId {
        SkillId::from_number(self as u64 + 1)
    }
    pub fn at(self, level: u8) -> SkillExpr {
        SkillExpr::AtLeast { skill: self.id(), level: Level::new(level).unwrap() }
    }
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub struct Hall {
    pub floor: Floor,
    pub config: FloorConfig,
    pub now: Timestamp,
    pub journal: Vec<Entry>,
    /// Outputs of the last move.
    pub out: Vec<Output>,
    shown: BTreeMap<AgentId, AgentState>,
    started_with: Option<FloorConfig>,
    interactions: u64,
}

/// The group everybody is in, unless said otherwise.
pub fn team() -> GroupId {
    GroupId::from_number(1)
}
/// The service everybody answers.
pub fn hotline() -> ServiceId {
    ServiceId::from_number(1)
}

pub fn service(number: u64, requirement: Requirement, queue: QueueRules) -> Service {
    Service {
        id: ServiceId::from_number(number),
        tenant: TenantId::from_number(1),
        name: format!("service {number}"),
        requirement,
        queue,
        disposition_mandatory: false,
        record: true,
        recording: model::recording::RecordingRules::default(),
        open: true,
    }
}

impl Hall {
    /// One team that is Ready after sign-in and after work, 30 s of after-call work; one hotline that anybody answers.
    pub fn open() -> Self {
        Self::with_rules(GroupRules { after_login: RestState::Ready, ..GroupRules::default() })
    }
    pub fn with_rules(rules: GroupRules) -> Self {
        Self::with(|config| {
            config.groups.insert(team(), rules);
        })
    }
    pub fn with(change: impl FnOnce(&mut FloorConfig)) -> Self {
        let mut config = FloorConfig::default();
        let rules = GroupRules { after_login: RestState::Ready, ..GroupRules::default() };
        config.groups.insert(team(), rules);
        let queue = QueueRules { when_unstaffed: model::service::Treatment::Queue, ..QueueRules::default() };
        config.services.push(service(1, Requirement::fixed(SkillExpr::Any), queue));
        change(&mut config);
        Self {
            floor: Floor::new(config.clone()).unwrap(),
            started_with: Some(config.clone()),
            config,
            now: MORNING,
            journal: Vec::new(),
            out: Vec::new(),
            shown: BTreeMap::new(),
            interactions: 0,
        }
    }
    /// Two calls at once for each agent.
    pub fn two_at_once() -> Self {
        Self::with(|config| config.capacity.voice = Weight { units: 50, at_once: 2 })
    }

    /// Changes the set-up while people work.
    pub fn reconfigure(&mut self, change: impl FnOnce(&mut FloorConfig)) {
        change(&mut self.config);
        self.started_with = None;
        self.out.clear();
        self.floor.configure(self.config.clone(), self.now, &mut self.out).unwrap();
        self.after_move();
    }

    /// Adds an agent of the team, who does not sign in yet.
    pub fn hires(&mut self, skills: &[(Skill, u8)]) -> AgentId {
        let agent = AgentId::from_number(self.config.agents.len() as u64 + 1);
        let skills = skills.iter().map(|(skill, level)| (skill.id(), Level::new(*level).unwrap())).collect();
        let before = self.started_with.take();
        self.reconfigure(|config| {
            config.agents.push(AgentProfile {
                agent,
                group: Some(team()),
                skills,
                at_once: Default::default(),
            })
        });
        // A new colleague who has done nothing yet may as well have been there from the start.
        self.started_with = before.map(|_| self.config.clone());
        agent
    }
    /// An agent with these skills at level 5, signed in.
    pub fn agent(&mut self, skills: &[Skill]) -> AgentId {
        self.expert(&skills.iter().map(|skill| (*skill, 5)).collect::<Vec<_>>())
    }
    pub fn expert(&mut self, skills: &[(Skill, u8)]) -> AgentId {
        let agent = self.hires(skills);
        self.signs_in(agent);
        agent
    }
    pub fn signs_in(&mut self, agent: AgentId) {
        let session = SessionId::from_number(self.journal.len() as u64 + 1);
        self.must(Input::LogIn { agent, session, phone: PhoneKind::Browser });
    }

    /// Tells the floor something it must take.
    pub fn must(&mut self, input: Input) {
        let told = format!("{input:?}");
        assert_eq!(self.tell(input), Ok(()), "{told}");
    }
    pub fn tell(&mut self, input: Input) -> Result<(), Refusal> {
        self.out.clear();
        let answer = self.floor.handle(input, self.now, &mut self.out);
        self.after_move();
        answer
    }

    /// Lets time pass, from one deadline to the next.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.floor.next_deadline().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.out.clear();
            self.floor.tick(self.now, &mut self.out);
            self.after_move();
        }
        self.now = end;
        self.out.clear();
        self.floor.tick(end, &mut self.out);
        self.after_move();
    }

    fn after_move(&mut self) {
        for output in &self.out {
            match output {
                Output::Journal(event) => self.journal.push(Entry {
                    seq: Seq(self.journal.len() as u64 + 1),
                    tenant: TenantId::from_number(1),
                    at: self.now,
                    event: event.clone(),
                }),
                Output::AgentStateChanged { agent, state, .. } => {
                    self.shown.insert(*agent, *state);
                }
                _ => {}
            }
        }
        assert_eq!(self.floor.audit(), Vec::<String>::new());
        for view in self.floor.agents() {
            let shown = self.shown.get(&view.agent).copied().unwrap_or(AgentState::LoggedOut);
            assert_eq!(view.state, shown, "what consoles were told of {}", view.agent);
        }
        if let Some(config) = &self.started_with {
            let mut copy = Floor::replay(config.clone(), &self.journal).unwrap();
            let mut out = Vec::new();
            copy.tick(self.now, &mut out);
            assert_eq!(out, [], "a replay decides nothing anew");
            assert_eq!(copy.snapshot(), self.floor.snapshot());
            for service in self.config.services.iter().map(|service| service.id) {
                let expected = |floor: &Floor| floor.expected_wait_on_arrival(service, self.now);
                assert_eq!(
                    (copy.pace(service), expected(&copy)),
                    (self.floor.pace(service), expected(&self.floor))
                );
            }
        }
    }

    // Customers.

    pub fn call(&mut self) -> InteractionId {
        self.call_to(hotline())
    }
    pub fn call_to(&mut self, service: ServiceId) -> InteractionId {
        let id = self.next_id();
        self.must(Input::Arrive(Arrival::new(id, service, Channel::Voice)));
        id
    }
    pub fn call_needing(&mut self, who: SkillExpr) -> InteractionId {
        self.special_call(|call| call.requirement = Some(Requirement::fixed(who)))
    }
    pub fn call_with_steps(
        &mut self,
        mode: StepMode,
        steps: Vec<(SkillExpr, Option<Duration>)>,
    ) -> InteractionId {
        let steps = steps.into_iter().map(|(who, lasts)| Step { who, lasts }).collect();
        self.special_call(|call| call.requirement = Some(Requirement { steps, mode }))
    }
    pub fn call_with_priority(&mut self, priority: i32) -> InteractionId {
        self.special_call(|call| call.priority = Some(priority))
    }
    pub fn special_call(&mut self, wish: impl FnOnce(&mut Arrival)) -> InteractionId {
        let mut arrival = Arrival::new(self.next_id(), hotline(), Channel::Voice);
        wish(&mut arrival);
        let id = arrival.interaction;
        self.must(Input::Arrive(arrival));
        id
    }
    pub fn contact(&mut self, channel: Channel) -> InteractionId {
        self.special_call(|contact| contact.channel = channel)
    }
    pub fn tries_to_call(&mut self, service: ServiceId) -> Result<(), Refusal> {
        let id = self.next_id();
        self.tell(Input::Arrive(Arrival::new(id, service, Channel::Voice)))
    }
    pub fn next_id(&mut self) -> InteractionId {
        self.interactions += 1;
        InteractionId::from_number(self.interactions)
    }
    pub fn customer_leaves(&mut self, interaction: InteractionId) {
        self.must(Input::Abandon { interaction });
    }
    pub fn customer_hangs_up(&mut self, interaction: InteractionId) {
        self.must(Input::Hangup { interaction, by: EndedBy::Customer });
    }

    // Agents.

    pub fn token(&self, agent: AgentId) -> OfferToken {
        self.floor.agent(agent).unwrap().offer.expect("an open offer").1
    }
    pub fn accepts(&mut self, agent: AgentId) {
        let token = self.token(agent);
        self.must(Input::Accept { agent, token });
    }
    pub fn declines(&mut self, agent: AgentId) {
        let token = self.token(agent);
        self.must(Input::Decline { agent, token });
    }
    pub fn cannot_be_reached(&mut self, agent: AgentId) {
        let token = self.token(agent);
        self.must(Input::OfferFailed { agent, token });
    }
    pub fn hangs_up(&mut self, interaction: InteractionId) {
        self.must(Input::Hangup { interaction, by: EndedBy::Agent });
    }
    pub fn completes(&mut self, agent: AgentId) {
        let interaction = self.floor.agent(agent).unwrap().wrapping[0];
        self.must(Input::Complete { agent, interaction });
    }
    /// Takes a call and is talking.
    pub fn takes_a_call(&mut self, agent: AgentId) -> InteractionId {
        let call = self.call();
        assert_eq!(self.offered_to(call), Some(agent));
        self.accepts(agent);
        call
    }

    // What can be seen.

    pub fn state(&self, agent: AgentId) -> AgentState {
        self.floor.state(agent).unwrap().0
    }
    pub fn offered_to(&self, interaction: InteractionId) -> Option<AgentId> {
        self.all_rung(interaction).first().copied()
    }
    pub fn all_rung(&self, interaction: InteractionId) -> Vec<AgentId> {
        match self.floor.interaction(interaction).map(|view| view.stage) {
            Some(Stage::Offered { agents, .. }) => agents,
            _ => Vec::new(),
        }
    }
    pub fn waits(&self, interaction: InteractionId) -> bool {
        matches!(self.floor.interaction(interaction).map(|view| view.stage), Some(Stage::Waiting))
    }
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.journal.iter().map(|entry| &entry.event)
    }
    pub fn ended_as(&self, of: InteractionId) -> Option<EndStatus> {
        self.events().find_map(|event| match event {
            Event::Ended { interaction, status, .. } if *interaction == of => Some(*status),
            _ => None,
        })
    }
}
