//! One run of the twin: a real floor, customers and agents as the workload has them, a clock that jumps from event to event.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use model::agent::AgentState;
use model::id::{AgentId, Id, InteractionId, OfferToken, ServiceId, SessionId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{Overflow, Treatment};
use model::time::Timestamp;
use router::{Arrival, Floor, FloorConfig, Input, Output, Refusal};

use super::change::Change;
use super::dice::{Dice, Draw, Patience};
use super::figures::Gathered;
use super::workload::{Customer, Reaction, Workload, by_rule};
use super::{Outcome, Rules, rules_of};
use crate::past::PastError;

/// When nothing was recorded: quick enough to be no reason for what comes out.
const REACTION: Reaction = Reaction::Took(Duration::from_secs(3));
const TALK: Duration = Duration::from_secs(180);
const WRAP_UP: Duration = Duration::from_secs(15);
const RETURN: Duration = Duration::from_secs(30);

/// Queues that one customer is led on to, at most.
const LED_ON_MAX: u32 = 8;

/// What comes at its time. Of the same instant, the order of planning counts.
enum Plan {
    Rules(usize),
    Shift(usize),
    Arrive(usize),
    Leave(InteractionId),
    Answer(AgentId, OfferToken, Reaction),
    HangUp(InteractionId),
    Complete(AgentId, InteractionId),
    Return(AgentId),
}

pub(super) struct Run<'a> {
    work: &'a Workload,
    rules: Vec<(Timestamp, FloorConfig)>,
    now: usize,
    floor: Floor,
    dice: Dice,
    end: Timestamp,
    plans: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    planned: Vec<Plan>,
    out: Vec<Output>,
    gathered: Gathered,
    customers: HashMap<InteractionId, usize>,
    patience: Patience,
    talks: HashMap<ServiceId, Vec<Duration>>,
    wraps: HashMap<ServiceId, Vec<Duration>>,
    reactions: Vec<Reaction>,
    /// How often something was drawn for an agent.
    drawn: HashMap<AgentId, u64>,
}

impl<'a> Run<'a> {
    pub fn new(
        work: &'a Workload,
        rules: &Rules,
        change: &Change,
        seed: u64,
        (from, end): (Timestamp, Timestamp),
    ) -> Result<Self, PastError> {
        let rules: Vec<_> = rules.iter().map(|(at, config)| (*at, change.of(config))).collect();
        let first = rules.first().map(|(_, config)| config.clone()).unwrap_or_default();
        let waits = work.customers.iter().filter_map(|customer| customer.waited).collect();
        let (mut talks, mut wraps): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = Default::default();
        for customer in &work.customers {
            talks.entry(customer.service).or_default().extend(customer.talked);
            wraps.entry(customer.service).or_default().extend(customer.wrapped);
        }
        let mut agents: Vec<_> = work.reactions.iter().collect();
        agents.sort_unstable_by_key(|(agent, _)| **agent);
        let mut run = Self {
            work,
            now: 0,
            floor: Floor::new(first)?,
            rules,
            dice: Dice(seed),
            end,
            plans: BinaryHeap::new(),
            planned: Vec::new(),
            out: Vec::new(),
            gathered: Gathered::default(),
            customers: work.customers.iter().enumerate().map(|(n, one)| (one.interaction, n)).collect(),
            patience: Patience::of(waits),
            talks,
            wraps,
            reactions: agents.into_iter().flat_map(|(_, all)| all.iter().copied()).collect(),
            drawn: HashMap::new(),
        };
        for n in 1..run.rules.len() {
            run.plan(run.rules[n].0, Plan::Rules(n));
        }
        for (n, (at, _)) in work.shifts.iter().enumerate() {
            run.plan(*at, Plan::Shift(n));
        }
        for (n, customer) in work.customers.iter().enumerate() {
            run.plan(customer.at, Plan::Arrive(n));
        }
        for (agent, _) in change.added() {
            let session = SessionId::from_number(1);
            run.try_to(Input::LogIn { agent, session, phone: PhoneKind::Browser }, from);
            run.try_to(Input::Ready { agent }, from);
        }
        Ok(run)
    }

    /// Plays to the end of the time; whoever waits or talks then is not counted.
    pub fn play(mut self) -> Result<Outcome, PastError> {
        loop {
            let planned = self.plans.peek().map(|Reverse((at, ..))| *at);
            let due = self.floor.next_deadline();
            let Some(at) = planned.into_iter().chain(due).min().filter(|at| *at <= self.end) else { break };
            // What is planned for an instant comes before what is due there: an answer in the last moment counts.
            if planned == Some(at)
                && let Some(Reverse((_, _, plan))) = self.plans.pop()
            {
                self.carry_out(plan, at)?;
            } else {
                self.floor.tick(at, &mut self.out);
                self.react(at);
            }
        }
        Ok(Outcome::of(self.gathered, self.end))
    }

    fn plan(&mut self, at: Timestamp, plan: Plan) {
        let number = self.planned.len();
        self.planned.push(plan);
        self.plans.push(Reverse((at, number as u64, number)));
    }

    fn tell(&mut self, input: Input, at: Timestamp) -> Option<Refusal> {
        let refusal = self.floor.handle(input, at, &mut self.out).err();
        self.react(at);
        refusal
    }

    /// Refusals are normal: an offer is over, a customer has left, an agent is somewhere else than at the time.
    fn try_to(&mut self, input: Input, at: Timestamp) {
        let _ = self.tell(input, at);
    }

    fn carry_out(&mut self, plan: usize, at: Timestamp) -> Result<(), PastError> {
        match self.planned[plan] {
            Plan::Rules(n) => {
                self.now = n;
                self.floor.configure(self.rules[n].1.clone(), at, &mut self.out)?;
                self.react(at);
            }
            Plan::Shift(n) => self.try_to(self.work.shifts[n].1.clone(), at),
            Plan::Arrive(n) => self.arrive(&self.work.customers[n], at),
            Plan::Leave(interaction) => {
                if self.floor.is_waiting(interaction) {
                    self.try_to(Input::Abandon { interaction }, at);
                }
            }
            Plan::Answer(agent, token, reaction) => {
                let input = match reaction {
                    Reaction::Took(_) => Input::Accept { agent, token },
                    Reaction::Declined(_) => Input::Decline { agent, token },
                    Reaction::Failed(_) | Reaction::Missed => Input::OfferFailed { agent, token },
                };
                self.try_to(input, at);
            }
            Plan::HangUp(interaction) => {
                self.try_to(Input::Hangup { interaction, by: EndedBy::Customer }, at);
            }
            Plan::Complete(agent, interaction) => self.try_to(Input::Complete { agent, interaction }, at),
            Plan::Return(agent) => {
                let aside = matches!(self.floor.state(agent), Some((AgentState::NotReady { reason }, _)) if by_rule(reason));
                if aside {
                    self.try_to(Input::Ready { agent }, at);
                }
            }
        }
        Ok(())
    }

    fn arrive(&mut self, customer: &Customer, at: Timestamp) {
        let mut arrival = Arrival::new(customer.interaction, customer.service, customer.channel);
        arrival.ahead = customer.ahead;
        arrival.requirement.clone_from(&customer.requirement);
        arrival.priority = customer.priority;
        if self.seek(customer, arrival, at)
            && let Some(patience) = self.patience_of(customer)
        {
            self.plan(at + patience, Plan::Leave(customer.interaction));
        }
    }

    /// Asks one queue after the other, as their services lead on; whether one took the customer.
    fn seek(&mut self, customer: &Customer, mut arrival: Arrival, at: Timestamp) -> bool {
        for _ in 0..LED_ON_MAX {
            let service = arrival.service;
            let why = match self.tell(Input::Arrive(arrival), at) {
                None => return true,
                Some(Refusal::Emergency) => Overflow::Emergency,
                Some(Refusal::Closed) => Overflow::Closed,
                Some(Refusal::NoAgentOnline) => Overflow::Unstaffed,
                Some(_) => Overflow::Full,
            };
            let known = self.rules[self.now].1.services.iter().find(|known| known.id == service);
            match known.map(|service| service.queue.treatment(why)) {
                Some(Treatment::Service(next)) => arrival = led_on(customer, next),
                _ => {
                    self.unanswered(customer, why.status(), at);
                    return false;
                }
            }
        }
        self.unanswered(customer, EndStatus::QueueFull, at);
        false
    }

    fn unanswered(&mut self, customer: &Customer, how: EndStatus, at: Timestamp) {
        let rules = rules_of(&self.rules[self.now].1, customer.service);
        self.gathered.unanswered(customer.service, how, at.since(customer.at), &rules);
    }

    /// A queue keeps a customer no longer.
    fn overflowed(&mut self, interaction: InteractionId, why: Overflow, to: Treatment, at: Timestamp) {
        let work = self.work;
        let Some(customer) = self.customers.get(&interaction).and_then(|&n| work.customers.get(n)) else {
            return;
        };
        match to {
            Treatment::Service(next) => drop(self.seek(customer, led_on(customer, next), at)),
            _ => self.unanswered(customer, why.status(), at),
        }
    }

    fn patience_of(&self, customer: &Customer) -> Option<Duration> {
        match customer.waited {
            Some((wait, true)) => Some(wait),
            Some((wait, false)) => self.beyond(wait, customer),
            None => self.beyond(Duration::ZERO, customer),
        }
    }

    fn beyond(&self, known: Duration, customer: &Customer) -> Option<Duration> {
        self.patience.beyond(known, self.dice.share(Draw::Patience, customer.interaction, 0))
    }

    fn drawn_of(
        &self,
        of: &HashMap<ServiceId, Vec<Duration>>,
        what: Draw,
        customer: &Customer,
    ) -> Option<Duration> {
        let own = of.get(&customer.service).filter(|times| !times.is_empty());
        self.dice.one(own?, what, customer.interaction, 0)
    }

    /// What an agent does with an offer: as with one of the time.
    fn reaction_of(&mut self, agent: AgentId) -> Reaction {
        let own = self.work.reactions.get(&agent).filter(|all| !all.is_empty());
        let nth = self.nth(agent);
        let of = own.map_or(self.reactions.as_slice(), Vec::as_slice);
        self.dice.one(of, Draw::Answer, agent, nth).unwrap_or(REACTION)
    }

    fn nth(&mut self, agent: AgentId) -> u64 {
        let drawn = self.drawn.entry(agent).or_default();
        *drawn += 1;
        *drawn
    }

    /// People and figures follow what the floor said.
    fn react(&mut self, at: Timestamp) {
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Offer { agent, token, .. } => match self.reaction_of(agent) {
                    // The phone rings until the floor gives up.
                    Reaction::Missed => {}
                    reaction @ (Reaction::Took(after)
                    | Reaction::Declined(after)
                    | Reaction::Failed(after)) => {
                        self.plan(at + after, Plan::Answer(agent, token, reaction));
                    }
                },
                Output::AgentStateChanged { agent, state, since } => self.gathered.agent(agent, state, since),
                Output::Journal(event) => self.happened(&event, at),
                Output::Overflowed { interaction, why, to, .. } => self.overflowed(interaction, why, to, at),
                _ => {}
            }
        }
    }

    fn happened(&mut self, event: &Event, at: Timestamp) {
        let work = self.work;
        let customer =
            |run: &Self, id: &InteractionId| run.customers.get(id).and_then(|&n| work.customers.get(n));
        match event {
            Event::Accepted { interaction, .. } => {
                let Some(customer) = customer(self, interaction) else { return };
                let rules = rules_of(&self.rules[self.now].1, customer.service);
                self.gathered.answered(customer.service, at.since(customer.at), &rules);
                let drawn = || self.drawn_of(&self.talks, Draw::Talk, customer);
                let talk = customer.talked.or_else(drawn).unwrap_or(TALK);
                self.plan(at + talk, Plan::HangUp(*interaction));
            }
            Event::WrapUpStarted { interaction, agent, .. } => {
                let Some(customer) = customer(self, interaction) else { return };
                let drawn = || self.drawn_of(&self.wraps, Draw::WrapUp, customer);
                let wrap_up = customer.wrapped.or_else(drawn).unwrap_or(WRAP_UP);
                self.plan(at + wrap_up, Plan::Complete(*agent, *interaction));
            }
            Event::Ended { interaction, status, .. } => {
                if let Some(customer) = customer(self, interaction) {
                    self.unanswered(customer, *status, at);
                }
            }
            Event::AgentNotReady { agent, reason } if by_rule(*reason) => {
                let nth = self.nth(*agent);
                let after = self.dice.one(&work.returns, Draw::Return, *agent, nth).unwrap_or(RETURN);
                self.plan(at + after, Plan::Return(*agent));
            }
            _ => {}
        }
    }
}

/// A customer at the queue that another one led to, with the place of the first.
fn led_on(customer: &Customer, service: ServiceId) -> Arrival {
    Arrival { since: Some(customer.at), ..Arrival::new(customer.interaction, service, customer.channel) }
}
