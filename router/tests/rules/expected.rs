//! Expected waits against what came: simulated days of callers who are told how long it will take, and then wait.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::{AgentId, Id, InteractionId, OfferToken, ServiceId, SessionId, SkillId};
use model::interaction::{Channel, EndedBy};
use model::journal::Event;
use model::people::{GroupRules, PhoneKind, RestState};
use model::service::{QueueRules, Treatment};
use model::skill::{Level, Requirement, SkillExpr};
use model::time::Timestamp;
use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output};

use crate::agenda::Agenda;
use crate::hall::{Hall, MORNING, hotline, seconds, service, team};
use crate::sim::Dice;

/// A service: mean seconds of a call, and mean seconds between two calls, each from a second of the day on.
struct Load {
    talk: f64,
    between: Vec<(u64, f64)>,
}

/// What is different from day to day. Agents are groups of so many who serve these services.
struct Day {
    agents: Vec<(u64, Vec<usize>)>,
    loads: Vec<Load>,
    /// Seconds a phone rings.
    ring: u64,
    /// Mean patience in seconds.
    patience: Option<f64>,
    /// At this second so many agents, from the first on, take a break for the rest of the day.
    go: Option<(u64, u64)>,
    hours: u64,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    Arrive(usize),
    Answer(AgentId, OfferToken),
    HangUp(InteractionId),
    Leave(InteractionId),
    Break(u64),
}

/// What somebody who had to wait was told, and what came.
struct Told {
    service: usize,
    /// Second of the day at which they came.
    at: u64,
    expected: Option<f64>,
    /// The mean of the last ten waits: what would have been told without thinking.
    last_ten: f64,
    waited: f64,
}

impl Day {
    fn play(&self, seed: u64) -> Vec<Told> {
        let mut dice = Dice::new(seed);
        let skill = |service: usize| SkillId::from_number(service as u64 + 1);
        let mut agents = Vec::new();
        for (count, services) in &self.agents {
            for _ in 0..*count {
                agents.push(AgentProfile {
                    agent: AgentId::from_number(agents.len() as u64 + 1),
                    group: Some(team()),
                    skills: services.iter().map(|service| (skill(*service), Level::MAX)).collect(),
                    at_once: Default::default(),
                });
            }
        }
        let queue =
            QueueRules { when_unstaffed: Treatment::Queue, waiting_max: u32::MAX, ..QueueRules::default() };
        let who = |n| SkillExpr::AtLeast { skill: skill(n), level: Level::new(1).unwrap() };
        let services =
            (0..self.loads.len()).map(|n| service(n as u64 + 1, Requirement::fixed(who(n)), queue.clone()));
        let rules = GroupRules { after_login: RestState::Ready, wrap_up: false, ..GroupRules::default() };
        let config = FloorConfig {
            services: services.collect(),
            groups: [(team(), rules)].into(),
            agents: agents.clone(),
            ..FloorConfig::default()
        };
        let mut floor = Floor::new(config).unwrap();
        let mut out = Vec::new();
        for AgentProfile { agent, .. } in &agents {
            let session = SessionId::from_number(1);
            let log_in = Input::LogIn { agent: *agent, session, phone: PhoneKind::Browser };
            floor.handle(log_in, MORNING, &mut out).unwrap();
        }
        let mut plans = Agenda::new();
        for n in 0..self.loads.len() {
            plans.plan(MORNING, Plan::Arrive(n));
        }
        if let Some((at, count)) = self.go {
            plans.plan(MORNING + seconds(at), Plan::Break(count));
        }
        let end = MORNING + seconds(self.hours * 3_600);
        let (mut came, mut told, mut calls) = (BTreeMap::new(), BTreeMap::new(), 0);
        let mut last = vec![Vec::new(); self.loads.len()];
        let mut all = Vec::new();
        while let Some((now, what)) = plans.take() {
            out.clear();
            match what {
                Plan::Arrive(n) if now < end => {
                    calls += 1;
                    let call = InteractionId::from_number(calls);
                    came.insert(call, (n, now));
                    let arrival = Arrival::new(call, ServiceId::from_number(n as u64 + 1), Channel::Voice);
                    floor.handle(Input::Arrive(arrival), now, &mut out).unwrap();
                    let second = now.since(MORNING).as_secs();
                    let of_now = self.loads[n].between.iter().rfind(|(from, _)| *from <= second).unwrap();
                    plans.plan(now + dice.around(Duration::from_secs_f64(of_now.1)), Plan::Arrive(n));
                    if let Some(patience) = self.patience {
                        let leaves = now + dice.around(Duration::from_secs_f64(patience));
                        plans.plan(leaves, Plan::Leave(call));
                    }
                    // Who is rung for at once is told nothing.
                    let waits = !out
                        .iter()
                        .any(|out| matches!(out, Output::Offer { interaction, .. } if *interaction == call));
                    if waits {
                        let of_last = last[n].len().max(1) as f64;
                        let last_ten = last[n].iter().sum::<f64>() / of_last;
                        let expected = floor.expected_wait(call, now).map(|wait| wait.as_secs_f64());
                        told.insert(call, Told { service: n, at: second, expected, last_ten, waited: 0.0 });
                    }
                }
                Plan::Arrive(_) => {}
                Plan::Answer(agent, token) => {
                    let _ = floor.handle(Input::Accept { agent, token }, now, &mut out);
                }
                Plan::HangUp(interaction) => {
                    let input = Input::Hangup { interaction, by: EndedBy::Customer };
                    floor.handle(input, now, &mut out).unwrap();
                }
                Plan::Leave(interaction) => {
                    if floor.is_waiting(interaction) {
                        floor.handle(Input::Abandon { interaction }, now, &mut out).unwrap();
                    }
                }
                Plan::Break(count) => {
                    for number in 1..=count {
                        let agent = AgentId::from_number(number);
                        let reason = model::agent::NotReadyReason::ByHand;
                        let _ = floor.handle(Input::NotReady { agent, reason }, now, &mut out);
                    }
                }
            }
            for output in &out {
                match output {
                    Output::Offer { agent, token, .. } => {
                        plans.plan(now + seconds(self.ring), Plan::Answer(*agent, *token));
                    }
                    Output::Journal(Event::Accepted { interaction, .. }) => {
                        let (n, since): (usize, Timestamp) = came[interaction];
                        let waited = now.since(since).as_secs_f64();
                        if let Some(told) = told.remove(interaction) {
                            all.push(Told { waited, ..told });
                        }
                        last[n].push(waited);
                        if last[n].len() > 10 {
                            last[n].remove(0);
                        }
                        let talk = dice.around(Duration::from_secs_f64(self.loads[n].talk));
                        plans.plan(now + talk, Plan::HangUp(*interaction));
                    }
                    _ => {}
                }
            }
        }
        all
    }
}

/// How good a prediction was: signed and absolute errors of all together, in parts of all that was waited.
struct Errors {
    signed: f64,
    absolute: f64,
    told: usize,
    mean_wait: f64,
}

fn errors(of: &[&Told], prediction: impl Fn(&Told) -> f64) -> Errors {
    let waited: f64 = of.iter().map(|told| told.waited).sum();
    let sum = |error: &dyn Fn(f64) -> f64| of.iter().map(|t| error(prediction(t) - t.waited)).sum::<f64>();
    Errors {
        signed: sum(&|error| error) / waited,
        absolute: sum(&f64::abs) / waited,
        told: of.len(),
        mean_wait: waited / of.len() as f64,
    }
}

/// Errors of the floor and of the last ten, of one service from one second of the day to another, over several days.
fn compare(days: &[Vec<Told>], service: usize, (from, to): (u64, u64)) -> (Errors, Errors) {
    let of: Vec<&Told> =
        days.iter().flatten().filter(|t| t.service == service && (from..to).contains(&t.at)).collect();
    assert!(of.iter().all(|told| told.expected.is_some()), "whoever waits is told something");
    let floor = errors(&of, |told| told.expected.unwrap());
    let last_ten = errors(&of, |told| told.last_ten);
    println!(
        "service {service}, {from} s to {to} s: {} told, mean wait {:.0} s; floor {:+.2} ±{:.2}, last ten {:+.2} ±{:.2}",
        floor.told, floor.mean_wait, floor.signed, floor.absolute, last_ten.signed, last_ten.absolute
    );
    (floor, last_ten)
}

fn days(day: &Day, count: u64) -> Vec<Vec<Told>> {
    (1..=count).map(|seed| day.play(seed)).collect()
}

/// ROUTE-11: ten agents of one queue, as busy as the textbook likes it. What callers are told is, on the average, what they
/// wait, and that is what Erlang C says of those who have to wait: `h / (n - a)`. One by one it is off by no more than a
/// perfect formula would be, whose error is that of chance: the place is known, the ends of the calls ahead are not.
#[test]
fn route_11_expected_waits_of_a_steady_queue_are_those_of_erlang_c() {
    let (talk, agents, erlangs) = (180.0, 10.0, 9.0);
    let day = Day {
        agents: vec![(10, vec![0])],
        loads: vec![Load { talk, between: vec![(0, talk / erlangs)] }],
        ring: 0,
        patience: None,
        go: None,
        hours: 400,
    };
    let days = days(&day, 3);
    let (floor, last_ten) = compare(&days, 0, (3_600, u64::MAX));
    let erlang_c = talk / (agents - erlangs);
    assert!((floor.mean_wait / erlang_c - 1.0).abs() < 0.15, "the simulation is the textbook's");
    assert!(floor.signed.abs() < 0.05 && floor.absolute < 0.40);
    assert!(floor.absolute < last_ten.absolute * 0.8);
    let told: Vec<&Told> = days.iter().flatten().filter(|told| told.at > 3_600).collect();
    let mean_told = told.iter().filter_map(|told| told.expected).sum::<f64>() / told.len() as f64;
    assert!(
        (mean_told / erlang_c - 1.0).abs() < 0.20,
        "{mean_told:.0} s are told, Erlang C says {erlang_c:.0} s"
    );
}

/// ROUTE-11: two services share some agents, and the load of one of them moves in the middle of the day: the other one's
/// callers, whose own load did not change, are told what that means for them.
#[test]
fn route_11_expected_waits_hold_where_services_share_agents() {
    let day = Day {
        agents: vec![(4, vec![0]), (8, vec![0, 1]), (4, vec![1])],
        loads: vec![
            Load { talk: 200.0, between: vec![(0, 24.0)] },
            Load { talk: 120.0, between: vec![(0, 20.0), (14_400, 12.0), (21_600, 20.0)] },
        ],
        ring: 4,
        patience: Some(400.0),
        go: None,
        hours: 10,
    };
    let days = days(&day, 20);
    for (service, from, to) in
        [(0, 3_600, 14_400), (0, 14_400, 21_600), (0, 21_600, 36_000), (1, 14_400, 21_600)]
    {
        let (floor, last_ten) = compare(&days, service, (from, to));
        assert!(floor.signed.abs() < 0.25 && floor.absolute < 0.60 && floor.told > 100);
        assert!(floor.absolute < last_ten.absolute);
    }
}

/// ROUTE-11: after a rush, and after half of the agents went for lunch, callers are told better than by the average of the
/// last ten waits.
#[test]
fn route_11_expected_waits_follow_a_change_sooner_than_the_last_ten_waits() {
    let rush = Day {
        agents: vec![(20, vec![0])],
        loads: vec![Load { talk: 180.0, between: vec![(0, 10.0), (14_400, 6.0), (18_000, 14.0)] }],
        ring: 3,
        patience: None,
        go: None,
        hours: 8,
    };
    let days = days(&rush, 20);
    for times in [(14_400, 18_000), (18_000, 21_600)] {
        let (floor, last_ten) = compare(&days, 0, times);
        assert!(floor.signed.abs() < 0.10 && floor.absolute < 0.25);
        assert!(floor.absolute < last_ten.absolute * 0.6);
    }
    let lunch = Day {
        loads: vec![Load { talk: 180.0, between: vec![(0, 10.0), (16_200, 30.0)] }],
        go: Some((14_400, 10)),
        ..rush
    };
    let days: Vec<_> = (1..=20).map(|seed| lunch.play(seed)).collect();
    let (floor, last_ten) = compare(&days, 0, (14_400, 18_000));
    assert!(floor.signed.abs() < 0.10 && floor.absolute < 0.25);
    assert!(floor.absolute < last_ten.absolute * 0.6);
}

/// ROUTE-11: callers who give up make the wait of those behind them shorter, and those are told so.
#[test]
fn route_11_expected_waits_count_on_callers_who_give_up() {
    let day = Day {
        agents: vec![(10, vec![0])],
        loads: vec![Load { talk: 180.0, between: vec![(0, 12.0)] }],
        ring: 2,
        patience: Some(180.0),
        go: None,
        hours: 10,
    };
    let (floor, _) = compare(&days(&day, 10), 0, (3_600, u64::MAX));
    assert!(floor.signed.abs() < 0.15 && floor.absolute < 0.45);
}

/// ROUTE-11: nothing is made up while nothing is known, nobody is told of no wait who waits, and a place is counted from one.
#[test]
fn route_11_nothing_is_told_before_anything_is_known() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let first = hall.call();
    let (second, third) = (hall.call(), hall.call());
    let wait = |hall: &Hall, call| hall.floor.expected_wait(call, hall.now).map(|wait| wait.as_secs());
    assert_eq!(wait(&hall, second), None, "nobody has been served yet");
    hall.pass(seconds(4));
    assert_eq!(wait(&hall, first), Some(1), "it rings");
    hall.accepts(ana);
    hall.pass(seconds(116));
    hall.customer_hangs_up(first);
    let places = |hall: &Hall| [second, third].map(|call| hall.floor.position(call));
    assert_eq!(places(&hall), [Some(1), Some(2)]);
    hall.completes(ana);
    // The second rings now. The third will be served after it: one handling of 116 s, and 4 s of ringing.
    assert_eq!(places(&hall), [Some(1), Some(2)]);
    assert_eq!((wait(&hall, second), wait(&hall, third)), (Some(4), Some(120)));
    let on_arrival = |hall: &Hall| hall.floor.expected_wait_on_arrival(hotline(), hall.now);
    assert_eq!(on_arrival(&hall).map(|wait| wait.as_secs()), Some(236));
    hall.must(Input::LogOut { agent: ana });
    assert_eq!(on_arrival(&hall), None, "nobody is there");
    assert_eq!(hall.floor.position(first), None, "it does not wait");
}
