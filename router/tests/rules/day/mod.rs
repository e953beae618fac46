//! Whole days of work, watched by the oracle: people and customers do what they do, each at a time, and the day jumps from
//! one such moment to the next.

pub mod scene;
mod thousand;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, Id, InteractionId, OfferToken, ReasonId, SessionId};
use model::interaction::{Channel, EndedBy};
use model::journal::Event;
use model::people::PhoneKind;
use model::time::Timestamp;
use router::{Arrival, FloorConfig, Input, Output, Refusal};

use crate::agenda::Agenda;
use crate::hall::MORNING;
use crate::sim::{Dice, Watched, for_each_seed};
use scene::{Demand, HOUR, MINUTE, Scene, Worker};

/// What people are about to do, each at a time.
#[derive(Clone, Debug)]
enum Plan {
    Arrive(usize),
    CallColleague,
    Leave(InteractionId),
    Answer(AgentId, OfferToken),
    Open(AgentId, InteractionId),
    HangUp(InteractionId),
    Finish(AgentId, InteractionId),
    Break(AgentId, Duration),
    ComeBack(AgentId),
    LosePage(AgentId),
    GoHome(AgentId),
    Reconfigure(usize),
    Crash,
}

pub struct Day {
    pub world: Watched,
    pub seen: Seen,
    dice: Dice,
    plans: Agenda<Plan>,
    end: Timestamp,
    demands: Vec<Demand>,
    steady: BTreeSet<AgentId>,
    /// Whoever may be called by a colleague.
    sociable: Vec<AgentId>,
    /// Whoever is on the way home, or no longer works here.
    leaving: BTreeSet<AgentId>,
    changes: Vec<FloorConfig>,
    between_colleagues: Duration,
    contacts: BTreeMap<InteractionId, usize>,
    /// Calls between colleagues: what rings or is talked, and what keeps the caller busy.
    internal: BTreeMap<InteractionId, InteractionId>,
    internal_calls: u64,
}

/// What could be seen from outside.
#[derive(Default)]
pub struct Seen {
    /// Customers who came to each service, by number of the demand.
    pub came: Vec<u64>,
    /// Those whom the door refused.
    pub refused: Vec<u64>,
    /// Every state that consoles were told, with the time since when.
    pub states: BTreeMap<AgentId, Vec<(Timestamp, AgentState)>>,
}

/// The reason for a break.
pub fn lunch() -> ReasonId {
    ReasonId::from_number(1)
}

impl Day {
    pub fn begin(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let scene = Scene::shift_of_forty(&mut dice);
        Self::of(scene, dice)
    }

    pub fn of(scene: Scene, dice: Dice) -> Self {
        let mut world = Watched::new(scene.config, scene.audit_each);
        world.look_each = scene.look_each;
        let came = vec![0; scene.demands.len()];
        let chosen = |steady| scene.crew.iter().filter(move |worker| worker.steady == steady);
        let mut day = Self {
            world,
            seen: Seen { refused: came.clone(), came, ..Seen::default() },
            dice,
            plans: Agenda::new(),
            end: MORNING + scene.lasts,
            steady: chosen(true).map(|worker| worker.agent).collect(),
            sociable: chosen(false).map(|worker| worker.agent).collect(),
            leaving: BTreeSet::new(),
            changes: Vec::new(),
            between_colleagues: scene.between_colleagues,
            demands: scene.demands,
            contacts: BTreeMap::new(),
            internal: BTreeMap::new(),
            internal_calls: 0,
        };
        for worker in scene.crew {
            day.expect(worker);
        }
        for demand in 0..day.demands.len() {
            day.plan_arrival(demand);
        }
        for (at, config) in scene.changes {
            day.plan(at, Plan::Reconfigure(day.changes.len()));
            day.changes.push(config);
        }
        if let Some(at) = scene.crash {
            day.plan(at, Plan::Crash);
        }
        day.plan(Duration::ZERO, Plan::CallColleague);
        day
    }

    /// An agent's own plans.
    fn expect(&mut self, worker: Worker) {
        let agent = worker.agent;
        self.plan(worker.comes, Plan::ComeBack(agent));
        if !worker.steady {
            let lost = self.dice.around(8 * HOUR);
            self.plan(worker.comes + lost, Plan::LosePage(agent));
        }
        for (at, lasts) in worker.breaks {
            self.plan(at, Plan::Break(agent, lasts));
        }
        if let Some(at) = worker.goes {
            self.plan(at, Plan::GoHome(agent));
        }
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.plans.plan(self.world.now + after, plan);
    }

    /// The next customer of a service: exponential gaps, drawn anew where an hour of another rate begins.
    fn plan_arrival(&mut self, demand: usize) {
        let mut after = Duration::ZERO;
        loop {
            let since = self.world.now.since(MORNING) + after;
            let hour = (since.as_secs() / 3_600) as usize;
            let Some(&rate) = self.demands[demand].hourly.get(hour) else { return };
            let left = HOUR * (hour as u32 + 1) - since;
            let gap = if rate > 0.0 { self.dice.around(HOUR.div_f64(rate)) } else { left };
            if gap < left {
                return self.plan(after + gap, Plan::Arrive(demand));
            }
            after += left;
        }
    }

    /// Jumps from event to event until the day is over.
    pub fn run(&mut self) {
        // No two inputs in one microsecond, so that the journal tells them apart.
        let moment = Duration::from_micros(1);
        while self.world.now < self.end {
            let due = self.world.floor.next_deadline();
            let planned = self.plans.due();
            match (due, planned) {
                (Some(due), planned) if planned.is_none_or(|planned| due <= planned) => {
                    self.world.now = due.max(self.world.now);
                    self.world.tick();
                    self.react();
                }
                _ => {
                    let Some((at, plan)) = self.plans.take() else { break };
                    self.world.now = at.max(self.world.now + moment);
                    self.play(plan);
                    self.react();
                }
            }
        }
    }

    fn play(&mut self, plan: Plan) {
        match plan {
            Plan::Arrive(demand) => self.arrive(demand),
            Plan::CallColleague => self.call_colleague(),
            Plan::Leave(interaction) => {
                // Whoever is being talked to does not hang up for impatience.
                if self.world.oracle.callers.get(&interaction).is_some_and(|caller| !caller.answered) {
                    assert_eq!(self.world.tell(Input::Abandon { interaction }), Ok(()));
                }
            }
            Plan::Answer(agent, token) => {
                let accept = Input::Accept { agent, token };
                let answer = match self.dice.below(100) {
                    _ if self.steady.contains(&agent) => self.world.tell(accept),
                    // Only what is written can be put back, and only emails put off.
                    0 => match self.postpone(agent, token) {
                        Err(Refusal::NotAllowed) => match self.world.tell(Input::PutBack { agent, token }) {
                            Err(Refusal::NotAllowed) => self.world.tell(Input::Decline { agent, token }),
                            answer => answer,
                        },
                        answer => answer,
                    },
                    1..3 => self.world.tell(Input::Decline { agent, token }),
                    3 => self.world.tell(Input::OfferFailed { agent, token }),
                    _ => self.world.tell(accept),
                };
                assert!(matches!(answer, Ok(()) | Err(Refusal::Stale)));
            }
            Plan::Open(agent, interaction) => self.open(agent, interaction),
            Plan::HangUp(interaction) => {
                let mut by = self.dice.one([EndedBy::Customer, EndedBy::Agent]);
                // Whose agent went away in the middle can only leave.
                if self.world.oracle.callers.get(&interaction).is_some_and(|caller| !caller.answered) {
                    by = EndedBy::Customer;
                }
                let _ = self.world.tell(Input::Hangup { interaction, by });
            }
            Plan::Finish(agent, interaction) => {
                let _ = self.world.tell(Input::Complete { agent, interaction });
            }
            Plan::Break(agent, lasts) => {
                let reason = NotReadyReason::Chosen(lunch());
                if self.is_here(agent) && self.world.tell(Input::NotReady { agent, reason }).is_ok() {
                    self.plan(lasts, Plan::ComeBack(agent));
                }
            }
            Plan::ComeBack(agent) => self.come_back(agent),
            Plan::LosePage(agent) => {
                let _ = self.world.tell(Input::LogOut { agent });
                self.requeue_written(agent);
                let away = self.dice.around(5 * MINUTE);
                self.plan(away, Plan::ComeBack(agent));
            }
            Plan::GoHome(agent) => self.go_home(agent),
            Plan::Reconfigure(number) => self.reconfigure(number),
            Plan::Crash => self.crash(),
        }
    }

    fn arrive(&mut self, demand: usize) {
        self.plan_arrival(demand);
        self.world.tick();
        self.react();
        let id = InteractionId::from_number(self.seen.came.iter().sum::<u64>() + 1);
        self.seen.came[demand] += 1;
        let &Demand { service, channel, patience, preferring, .. } = &self.demands[demand];
        let expected = self.world.oracle.door(service, channel);
        let mut arrival = Arrival::new(id, service, channel);
        if self.dice.percent(preferring)
            && let Some(agent) = self.dice.pick(&self.sociable)
        {
            arrival.preferred = vec![agent];
            arrival.preferred_hold = Duration::from_secs(15);
            arrival.ahead = Duration::from_secs(60);
        }
        assert_eq!(self.world.tell(Input::Arrive(arrival)), expected);
        if expected.is_err() {
            self.seen.refused[demand] += 1;
            return;
        }
        self.contacts.insert(id, demand);
        if let Some(patience) = patience {
            let patience = self.dice.around(patience);
            self.plan(patience, Plan::Leave(id));
        }
    }

    fn is_here(&self, agent: AgentId) -> bool {
        self.world.oracle.agents.get(&agent).is_some_and(|seen| seen.signed_in)
    }

    /// Whoever wrote to somebody who is gone waits for others; an email waits for the agent.
    fn requeue_written(&mut self, agent: AgentId) {
        let Some(seen) = self.world.oracle.agents.get(&agent) else { return };
        let channel = |id: &InteractionId| self.world.oracle.callers[id].channel;
        let open: Vec<_> = seen.active.iter().map(|id| (*id, channel(id))).collect();
        for (interaction, channel) in open.into_iter().filter(|(_, channel)| channel.is_written()) {
            self.react();
            let input = if channel == Channel::Email {
                self.plan(10 * MINUTE, Plan::Open(agent, interaction));
                Input::LayAside { interaction }
            } else {
                Input::Requeue { interaction }
            };
            assert_eq!(self.world.tell(input), Ok(()));
        }
    }

    /// An offered email goes into the agent's personal queue (MAIL-04), and is opened a while later.
    fn postpone(&mut self, agent: AgentId, token: OfferToken) -> Result<(), Refusal> {
        let offered = self.world.oracle.agents.get(&agent).and_then(|seen| seen.offer);
        let answer = self.world.tell(Input::Postpone { agent, token });
        if let (Ok(()), Some((interaction, _))) = (answer, offered) {
            let later = self.dice.around(20 * MINUTE);
            self.plan(later, Plan::Open(agent, interaction));
        }
        answer
    }

    /// An email out of a personal queue, when there is room for it.
    fn open(&mut self, agent: AgentId, interaction: InteractionId) {
        let channel = Channel::Email;
        let room = self.world.floor.has_room(agent, channel);
        let begin = Input::Begin { interaction, agent, channel, internal: false };
        if room && self.world.tell(begin).is_ok() {
            let takes = self.dice.around(3 * MINUTE);
            self.plan(takes, Plan::HangUp(interaction));
        } else {
            self.plan(10 * MINUTE, Plan::Open(agent, interaction));
        }
    }

    /// Picks who has waited the longest to write with somebody (LIVE-06); not possible for everybody at any time.
    fn pick(&mut self, agent: AgentId) {
        let waits = |caller: &crate::oracle::Caller| {
            caller.queued && !caller.answered && caller.rung.is_empty() && caller.channel.is_written()
        };
        let first = self.world.oracle.callers.iter().find(|(_, caller)| waits(caller)).map(|(id, _)| *id);
        if let Some(interaction) = first {
            let _ = self.world.tell(Input::Take { agent, interaction });
        }
    }

    /// Signs in, or is ready again.
    fn come_back(&mut self, agent: AgentId) {
        if self.leaving.contains(&agent) {
            return;
        }
        if self.is_here(agent) {
            self.pick(agent);
            self.react();
            assert_eq!(self.world.tell(Input::Ready { agent }), Ok(()));
        } else {
            let session = SessionId::from_number(self.plans.planned());
            assert_eq!(self.world.tell(Input::LogIn { agent, session, phone: PhoneKind::Browser }), Ok(()));
        }
    }

    /// Takes nothing more, finishes what is in hand, and leaves.
    fn go_home(&mut self, agent: AgentId) {
        self.leaving.insert(agent);
        if !self.is_here(agent) {
            return;
        }
        let seen = &self.world.oracle.agents[&agent];
        if seen.active.is_empty() && seen.wrapping.is_empty() && seen.offer.is_none() {
            assert_eq!(self.world.tell(Input::LogOut { agent }), Ok(()));
        } else {
            let reason = NotReadyReason::Chosen(lunch());
            assert_eq!(self.world.tell(Input::NotReady { agent, reason }), Ok(()));
            self.plan(MINUTE, Plan::GoHome(agent));
        }
    }

    fn reconfigure(&mut self, number: usize) {
        let config = self.changes[number].clone();
        let kept: BTreeSet<AgentId> = config.agents.iter().map(|agent| agent.agent).collect();
        let gone = self.sociable.iter().filter(|agent| !kept.contains(agent));
        self.leaving.extend(gone);
        self.sociable.retain(|agent| kept.contains(agent));
        self.world.configure(config);
    }

    /// Everybody is signed out and every call is lost; whoever worked is back within a minute or two.
    fn crash(&mut self) {
        let here: Vec<AgentId> =
            self.world.oracle.agents.iter().filter(|(_, seen)| seen.signed_in).map(|(id, _)| *id).collect();
        self.world.crash();
        self.internal.clear();
        for agent in here {
            let back = self.dice.around(MINUTE).min(2 * MINUTE);
            self.plan(back, Plan::ComeBack(agent));
        }
    }

    /// Somebody calls somebody: taken exactly where the table "What each state permits" says so.
    fn call_colleague(&mut self) {
        let gap = self.dice.around(self.between_colleagues);
        self.plan(gap, Plan::CallColleague);
        let (Some(caller), Some(callee)) = (self.dice.pick(&self.sociable), self.dice.pick(&self.sociable))
        else {
            return;
        };
        if caller == callee {
            return;
        }
        let may = |day: &Self, who| {
            let seen = day.world.oracle.agents.get(&who);
            seen.is_some_and(|seen| seen.signed_in && !seen.offline && seen.offer.is_none())
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
        for output in std::mem::take(&mut self.world.out) {
            match output {
                Output::Offer { agent, token, .. } => {
                    let after = if self.steady.contains(&agent) {
                        Duration::ZERO
                    } else {
                        self.dice.around(Duration::from_secs(6))
                    };
                    self.plan(after, Plan::Answer(agent, token));
                }
                Output::Journal(Event::Accepted { interaction, .. } | Event::Taken { interaction, .. }) => {
                    let takes = self.contacts.get(&interaction).map(|demand| self.demands[*demand].takes);
                    let talk = self.dice.around(takes.unwrap_or(3 * MINUTE));
                    self.plan(talk, Plan::HangUp(interaction));
                }
                // The call is over for the one who called, however it ended.
                Output::Journal(Event::Ended { interaction, .. }) => {
                    self.contacts.remove(&interaction);
                    if let Some(own) = self.internal.remove(&interaction) {
                        self.plan(Duration::ZERO, Plan::HangUp(own));
                    }
                }
                Output::Journal(Event::WrapUpStarted { agent, interaction, .. }) => {
                    let after = self.dice.around(Duration::from_secs(20));
                    self.plan(after, Plan::Finish(agent, interaction));
                }
                // Whoever takes a break has planned its end already.
                Output::Journal(Event::AgentNotReady { reason: NotReadyReason::Chosen(_), .. }) => {}
                Output::Journal(Event::AgentNotReady { agent, .. }) => {
                    let rest = self.dice.around(2 * MINUTE);
                    self.plan(rest, Plan::ComeBack(agent));
                }
                Output::AgentStateChanged { agent, state, since } => {
                    self.seen.states.entry(agent).or_default().push((since, state));
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
