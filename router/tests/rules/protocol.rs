//! The offer protocol, every way it can go: two agents, three calls, and a crash at every point.
//!
//! Breadth first over the real floor: from each state every input that people, phones and time can give is tried on a copy.
//! States that differ only in when they are, in tokens and in counters are one.

use std::collections::{BTreeSet, VecDeque};

use model::agent::AgentState;
use model::id::{AgentId, Id, InteractionId, OfferToken, SessionId, TenantId};
use model::interaction::{Channel, EndedBy};
use model::journal::{Entry, Event, OfferEnd, Seq};
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::{QueueRules, RingRule, Treatment};
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;
use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output, Refusal, Stage};

use crate::hall::{MORNING, hotline, seconds, service, team};

const AGENTS: u64 = 2;
const CALLS: u64 = 3;

fn config(ring: RingRule) -> FloorConfig {
    let queue = QueueRules {
        ring,
        ring_time: seconds(10),
        refusal_cooldown: seconds(0),
        when_unstaffed: Treatment::Queue,
        ..QueueRules::default()
    };
    let rules = GroupRules { after_login: RestState::Ready, wrap_up_time: None, ..GroupRules::default() };
    let profile = |number| AgentProfile {
        agent: AgentId::from_number(number),
        group: Some(team()),
        skills: Default::default(),
        at_once: Default::default(),
    };
    FloorConfig {
        agents: (1..=AGENTS).map(profile).collect(),
        services: vec![service(1, Requirement::fixed(SkillExpr::Any), queue)],
        groups: [(team(), rules)].into(),
        ..FloorConfig::default()
    }
}

/// One state, and one of the shortest ways to it.
#[derive(Clone)]
struct Node {
    floor: Floor,
    now: Timestamp,
    journal: Vec<Entry>,
    arrived: u64,
    /// Leases that ended, of each agent the last one.
    over: [Option<OfferToken>; AGENTS as usize],
}

impl Node {
    /// What is the same in equal states.
    fn key(&self) -> String {
        let picture = self.floor.snapshot();
        let left = |at: Timestamp| at.since(self.now).as_micros();
        let mut idle: Vec<_> = picture.agents.iter().map(|agent| agent.idle_since).collect();
        idle.sort_unstable();
        idle.dedup();
        let agents: Vec<_> = picture
            .agents
            .iter()
            .map(|agent| {
                let idle = idle.iter().position(|since| *since == agent.idle_since);
                let offer = agent.offer.map(|(call, _)| call);
                (agent.state, agent.intent, offer, &agent.active, &agent.wrapping, idle)
            })
            .collect();
        let calls: Vec<_> = picture
            .interactions
            .iter()
            .map(|call| {
                let stage = match &call.stage {
                    Stage::Offered { deadline, agents, .. } => format!("{} {agents:?}", left(*deadline)),
                    Stage::WrapUp { agent, .. } => format!("after {agent}"),
                    other => format!("{other:?}"),
                };
                let refusals: Vec<_> = call.refusals.iter().map(|(who, until)| (who, left(*until))).collect();
                (call.interaction, stage, refusals)
            })
            .collect();
        format!("{} {:?} {agents:?} {calls:?}", self.arrived, self.over.map(|over| over.is_some()))
    }

    /// Everything that may happen next.
    fn inputs(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.arrived < CALLS {
            let call = InteractionId::from_number(self.arrived + 1);
            inputs.push(Input::Arrive(Arrival::new(call, hotline(), Channel::Voice)));
        }
        for view in self.floor.agents() {
            let agent = view.agent;
            if let Some((_, token)) = view.offer {
                inputs.extend([
                    Input::Accept { agent, token },
                    Input::Decline { agent, token },
                    Input::OfferFailed { agent, token },
                ]);
            }
            inputs.push(match view.state {
                AgentState::LoggedOut => {
                    Input::LogIn { agent, session: SessionId::from_number(1), phone: PhoneKind::Browser }
                }
                _ => Input::LogOut { agent },
            });
            if matches!(view.intent, router::Intent::NotReady(_)) {
                inputs.push(Input::Ready { agent });
            }
            inputs.extend(view.wrapping.iter().map(|&interaction| Input::Complete { agent, interaction }));
        }
        for call in self.floor.snapshot().interactions {
            let interaction = call.interaction;
            inputs.push(Input::Abandon { interaction });
            if matches!(call.stage, Stage::Active { .. }) {
                inputs.push(Input::Hangup { interaction, by: EndedBy::Agent });
            }
        }
        inputs
    }

    /// The state after an input, or after time brought the next deadline.
    fn after(&self, input: Option<&Input>) -> Self {
        let mut next = self.clone();
        let mut out = Vec::new();
        match input {
            Some(input) => {
                let answer = next.floor.handle(input.clone(), next.now, &mut out);
                // A second sign-out and the like may be refused; it then changes nothing.
                assert!(answer.is_ok() || out.is_empty(), "{input:?}: {answer:?}, yet {out:?}");
                next.arrived += u64::from(matches!(input, Input::Arrive(_)));
            }
            None => {
                next.now = next.floor.next_deadline().unwrap_or(next.now);
                next.floor.tick(next.now, &mut out);
            }
        }
        next.check_outputs(&out);
        for output in out {
            let Output::Journal(event) = output else { continue };
            if let Event::OfferEnded { agent, token, .. } | Event::Accepted { agent, token, .. } = &event {
                let number = (1..=AGENTS).position(|n| AgentId::from_number(n) == *agent).unwrap();
                next.over[number] = Some(*token);
            }
            let (seq, tenant) = (Seq(next.journal.len() as u64 + 1), TenantId::from_number(1));
            next.journal.push(Entry { seq, tenant, at: next.now, event });
        }
        next
    }

    /// The first to accept wins, and everybody else is released in the same step.
    fn check_outputs(&self, out: &[Output]) {
        let before = self.journal.iter().map(|entry| &entry.event);
        let new = || {
            out.iter().filter_map(|output| match output {
                Output::Journal(event) => Some(event),
                _ => None,
            })
        };
        let all: Vec<&Event> = before.chain(new()).collect();
        for event in new() {
            let Event::Accepted { token, agent, interaction } = event else { continue };
            let rung =
                all.iter().filter(|event| matches!(event, Event::Offered { token: of, .. } if of == token));
            let ended = all
                .iter()
                .filter(|event| matches!(event, Event::OfferEnded { token: of, .. } if of == token));
            assert_eq!(rung.count(), ended.count() + 1, "one of {interaction}'s phones was not released");
            let released = new().filter(|event| matches!(event, Event::OfferEnded { .. }));
            assert!(released.clone().all(|event| matches!(event, Event::OfferEnded { why: OfferEnd::TakenElsewhere, agent: who, .. } if who != agent)));
        }
    }

    /// What must hold here: the invariants; a stale answer changes nothing; a crash loses nobody.
    fn check(&self, config: &FloorConfig) {
        assert_eq!(self.floor.audit(), Vec::<String>::new());
        let mut out = Vec::new();
        for (n, over) in self.over.iter().enumerate() {
            let agent = AgentId::from_number(n as u64 + 1);
            let Some(token) = over
                .filter(|token| self.floor.agent(agent).unwrap().offer.is_none_or(|(_, now)| now != *token))
            else {
                continue;
            };
            let mut copy = self.floor.clone();
            for stale in [
                Input::Accept { agent, token },
                Input::Decline { agent, token },
                Input::OfferFailed { agent, token },
            ] {
                assert_eq!(copy.handle(stale, self.now, &mut out), Err(Refusal::Stale));
            }
            assert_eq!((copy.snapshot(), out.len()), (self.floor.snapshot(), 0));
        }

        let mut crashed = Floor::replay(config.clone(), &self.journal).unwrap();
        crashed.tick(self.now, &mut out);
        assert_eq!(out, [], "a replay decides nothing anew");
        assert_eq!(crashed.snapshot(), self.floor.snapshot());
        crashed.restart(self.now, &mut out);
        assert_eq!(crashed.snapshot().interactions, []);
        assert_eq!(crashed.audit(), Vec::<String>::new());
        for number in 1..=self.arrived {
            let call = InteractionId::from_number(number);
            let after = out.iter().filter_map(|output| match output {
                Output::Journal(event) => Some(event),
                _ => None,
            });
            let ends =
                self.journal.iter().map(|entry| &entry.event).chain(after).filter(
                    |event| matches!(event, Event::Ended { interaction, .. } if *interaction == call),
                );
            assert_eq!(ends.count(), 1, "{call} ends once, crash or not");
        }
    }
}

/// ROUTE-05, ROUTE-06: leases, ring-all and crashes in every order that two agents and three calls can bring about.
#[test]
fn route_05_the_offer_protocol_holds_in_every_state_it_can_reach() {
    for ring in [RingRule::All, RingRule::One] {
        let config = config(ring);
        let start = Node {
            floor: Floor::new(config.clone()).unwrap(),
            now: MORNING,
            journal: Vec::new(),
            arrived: 0,
            over: [None; AGENTS as usize],
        };
        let mut seen = BTreeSet::from([start.key()]);
        let mut frontier = VecDeque::from([start]);
        let mut steps = 0_u64;
        while let Some(node) = frontier.pop_front() {
            node.check(&config);
            let next = node.inputs().into_iter().map(Some).chain(node.floor.next_deadline().map(|_| None));
            for input in next {
                steps += 1;
                let next = node.after(input.as_ref());
                if seen.insert(next.key()) {
                    frontier.push_back(next);
                }
            }
        }
        println!("{ring:?}: {} states, {steps} steps, a crash in each state", seen.len());
        assert!(seen.len() > 5_000, "{} states are too few to prove anything", seen.len());
    }
}
