//! Waiting times against closed formulas: Poisson arrivals, exponential times, one skill.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::{AgentId, Id, InteractionId, OfferToken, ServiceId, SessionId};
use model::interaction::{Channel, EndedBy};
use model::journal::Event;
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::{QueueRules, Treatment, WaitingOrder};
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;
use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output};

use crate::agenda::Agenda;
use crate::hall::{MORNING, service, team};
use crate::sim::Dice;

/// A queue as the textbooks have it.
struct Queue {
    agents: u64,
    /// Mean time of a call.
    talk: Duration,
    /// Mean time between arrivals, of each service.
    between: Vec<Duration>,
    /// Mean patience; none: everybody waits.
    patience: Option<Duration>,
    services: Vec<QueueRules>,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    Arrive(usize),
    Answer(AgentId, OfferToken),
    HangUp(InteractionId),
    Leave(InteractionId),
}

/// Waits in seconds of each service, in the order of arrival, and how many left.
struct Outcome {
    waits: Vec<Vec<f64>>,
    left: u64,
    all: u64,
}

impl Queue {
    fn play(&self, seed: u64, calls: u64) -> Outcome {
        let mut dice = Dice::new(seed);
        let rules = GroupRules { after_login: RestState::Ready, wrap_up: false, ..GroupRules::default() };
        let services = self.services.iter().enumerate().map(|(n, rules)| {
            let queue =
                QueueRules { when_unstaffed: Treatment::Queue, waiting_max: u32::MAX, ..rules.clone() };
            service(n as u64 + 1, Requirement::fixed(SkillExpr::Any), queue)
        });
        let profile = |number| AgentProfile {
            agent: AgentId::from_number(number),
            group: Some(team()),
            skills: Default::default(),
            at_once: Default::default(),
        };
        let config = FloorConfig {
            agents: (1..=self.agents).map(profile).collect(),
            services: services.collect(),
            groups: [(team(), rules)].into(),
            ..FloorConfig::default()
        };
        let mut floor = Floor::new(config).unwrap();
        let mut now = MORNING;
        let mut out = Vec::new();
        for number in 1..=self.agents {
            let (agent, session) = (AgentId::from_number(number), SessionId::from_number(number));
            floor.handle(Input::LogIn { agent, session, phone: PhoneKind::Browser }, now, &mut out).unwrap();
        }
        let mut plans = Agenda::new();
        for service in 0..self.services.len() {
            plans.plan(now, Plan::Arrive(service));
        }
        let mut came: BTreeMap<InteractionId, (usize, Timestamp)> = BTreeMap::new();
        let mut outcome = Outcome { waits: vec![Vec::new(); self.services.len()], left: 0, all: 0 };
        while let Some((at, what)) = plans.take() {
            now = at;
            out.clear();
            match what {
                Plan::Arrive(service) => {
                    if outcome.all >= calls {
                        continue;
                    }
                    outcome.all += 1;
                    let call = InteractionId::from_number(outcome.all);
                    let to = ServiceId::from_number(service as u64 + 1);
                    floor
                        .handle(Input::Arrive(Arrival::new(call, to, Channel::Voice)), now, &mut out)
                        .unwrap();
                    came.insert(call, (service, now));
                    let next = dice.around(self.between[service]);
                    plans.plan(now + next, Plan::Arrive(service));
                    if let Some(patience) = self.patience {
                        let patience = dice.around(patience);
                        plans.plan(now + patience, Plan::Leave(call));
                    }
                }
                Plan::Answer(agent, token) => {
                    let _ = floor.handle(Input::Accept { agent, token }, now, &mut out);
                }
                Plan::HangUp(interaction) => {
                    floor
                        .handle(Input::Hangup { interaction, by: EndedBy::Customer }, now, &mut out)
                        .unwrap();
                }
                Plan::Leave(interaction) => {
                    if floor.is_waiting(interaction) {
                        floor.handle(Input::Abandon { interaction }, now, &mut out).unwrap();
                        outcome.left += 1;
                    }
                }
            }
            for output in &out {
                match output {
                    Output::Offer { agent, token, .. } => plans.plan(now, Plan::Answer(*agent, *token)),
                    Output::Journal(Event::Accepted { interaction, .. }) => {
                        let (service, since) = came[interaction];
                        outcome.waits[service].push(now.since(since).as_secs_f64());
                        let talk = dice.around(self.talk);
                        plans.plan(now + talk, Plan::HangUp(*interaction));
                    }
                    _ => {}
                }
            }
        }
        outcome
    }
}

/// Mean, and half the width of its confidence interval at 99.9 %, from means of batches: waits of neighbours are alike.
fn mean(waits: &[f64]) -> (f64, f64) {
    const BATCHES: usize = 40;
    let batches: Vec<f64> = waits
        .chunks_exact(waits.len() / BATCHES)
        .map(|batch| batch.iter().sum::<f64>() / batch.len() as f64)
        .collect();
    let mean = batches.iter().sum::<f64>() / batches.len() as f64;
    let spread = batches.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / (batches.len() - 1) as f64;
    // Student's t, 39 degrees of freedom, two-sided 99.9 %.
    (mean, 3.56 * (spread / batches.len() as f64).sqrt())
}

/// Erlang C: the chance of waiting at all, with `n` agents and `a` Erlangs.
pub fn erlang_c(n: u64, a: f64) -> f64 {
    let blocked = (1..=n).fold(1.0, |b, k| a * b / (k as f64 + a * b));
    let rho = a / n as f64;
    blocked / (1.0 - rho + rho * blocked)
}

fn seconds(n: f64) -> Duration {
    Duration::from_secs_f64(n)
}

/// ROUTE-06: with patient callers the mean wait is that of Erlang C.
#[test]
fn route_06_patient_callers_wait_as_erlang_c_says() {
    for (agents, erlangs) in [(1, 0.6), (10, 8.0)] {
        let talk = 180.0;
        let queue = Queue {
            agents,
            talk: seconds(talk),
            between: vec![seconds(talk / erlangs)],
            patience: None,
            services: vec![QueueRules::default()],
        };
        let outcome = queue.play(1, 200_000);
        let (mean, half) = mean(&outcome.waits[0]);
        let expected = erlang_c(agents, erlangs) * talk / (agents as f64 - erlangs);
        println!("{agents} agents: {mean:.1} s, Erlang C says {expected:.1} s, within {half:.1} s");
        assert!((mean - expected).abs() < half && half < expected / 4.0);
    }
}

/// ROUTE-06: with impatient callers the share of those who leave is that of Erlang A.
#[test]
fn route_06_impatient_callers_leave_as_erlang_a_says() {
    let (agents, erlangs, talk, patience) = (10_u64, 11.0, 180.0, 120.0);
    let queue = Queue {
        agents,
        talk: seconds(talk),
        between: vec![seconds(talk / erlangs)],
        patience: Some(seconds(patience)),
        services: vec![QueueRules::default()],
    };
    // Birth and death: `agents` servers, whoever waits leaves at the rate of the patience.
    let (lambda, mu, theta) = (erlangs / talk, 1.0 / talk, 1.0 / patience);
    let (mut weight, mut total, mut waiting) = (1.0, 1.0, 0.0);
    for k in 1..2_000_u64 {
        let (served, queued) = (k.min(agents) as f64, k.saturating_sub(agents) as f64);
        weight *= lambda / (served * mu + queued * theta);
        total += weight;
        waiting += weight * queued;
    }
    let expected = theta * (waiting / total) / lambda;
    let outcome = queue.play(2, 60_000);
    let left = outcome.left as f64 / outcome.all as f64;
    // Losses come in bursts, so the interval is wider than that of a coin: three times.
    let half = 3.0 * 3.3 * (expected * (1.0 - expected) / outcome.all as f64).sqrt();
    println!("{left:.4} leave, Erlang A says {expected:.4}, within {half:.4}");
    assert!((left - expected).abs() < half);
}

/// ROUTE-03: with class slopes the steep class waits shorter, by the formula of Kleinrock (1964) for one server:
/// `W_p = (W0/(1 - rho) - sum over i flatter than p of rho_i W_i (1 - b_i/b_p)) / (1 - sum over i steeper of rho_i (1 - b_p/b_i))`.
#[test]
fn route_03_slopes_share_the_wait_as_kleinrock_says() {
    let (talk, rho) = (100.0, [0.4, 0.4]);
    let slope =
        |slope_percent| QueueRules { order: WaitingOrder::Slopes, slope_percent, ..QueueRules::default() };
    let queue = Queue {
        agents: 1,
        talk: seconds(talk),
        between: rho.iter().map(|rho| seconds(talk / rho)).collect(),
        patience: None,
        services: vec![slope(100), slope(300)],
    };
    let outcome = queue.play(3, 200_000);
    // What is left of the call in hand when somebody comes: exponential, so a whole mean, when the agent is busy.
    let w0: f64 = rho.iter().sum::<f64>() * talk;
    let ratio = 100.0 / 300.0;
    let all = w0 / (1.0 - rho.iter().sum::<f64>());
    let flat = all / (1.0 - rho[1] * (1.0 - ratio));
    let steep = all - rho[0] * flat * (1.0 - ratio);
    for (waits, expected) in outcome.waits.iter().zip([flat, steep]) {
        let (mean, half) = mean(waits);
        println!("{mean:.0} s, Kleinrock says {expected:.0} s, within {half:.0} s");
        assert!((mean - expected).abs() < half && half < expected / 4.0);
    }
}
