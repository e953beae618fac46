//! Several calls of several agents, joined, held, attended and left in any order, from one seed.
//!
//! The desk's rule is kept: an agent talks in one call at a time and holds the others. Whatever happens, only those hear each other who
//! are in one call, a coach is heard by the agent alone, whoever is there hears something, and at the end every leg, room, recording
//! and phone is gone, and of each name exactly one last fact was said.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::call::link::Link;
use crate::call::words::{MediaOrder, RequestId, Step};

const HOUSES: u64 = 1_500;
const AGENTS: [u64; 3] = [ANA, BEN, CEM];
/// Names of supervisors' parts begin here.
const PARTS: u64 = 50;

#[test]
fn whoever_is_joined_with_whom_nobody_is_lost_and_nobody_overheard() {
    let (mut joined, mut took_over) = (0, 0);
    for seed in 0..HOUSES {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut sim = Sim { house: House::open(), begun: 0, parts: PARTS, seed, refused: false };
        for _ in 0..random.random_range(4..40) {
            sim.step(&mut random);
            sim.look();
        }
        joined += sim.house.facts.iter().filter(|fact| matches!(fact, CallFact::Joined { .. })).count();
        took_over += sim.house.facts.iter().filter(|fact| matches!(fact, CallFact::TookOver { .. })).count();
        sim.close();
    }
    assert!(joined > 1_000 && took_over > 100, "something happens: {joined} joined, {took_over} took over");
}

struct Sim {
    house: House,
    begun: u64,
    /// Names of supervisors' parts that were given.
    parts: u64,
    seed: u64,
    /// The media plane refused something: who then hears nothing is told of it otherwise.
    refused: bool,
}

impl Sim {
    fn step(&mut self, random: &mut ChaCha8Rng) {
        let agent = AGENTS[random.random_range(0..3)];
        let other = AGENTS[random.random_range(0..3)];
        let number = random.random_range(1..=self.begun.max(1));
        let from = random.random_range(1..=self.begun.max(1));
        match random.random_range(0..24) {
            0..=5 if self.begun < 6 => self.begin(agent, other, random),
            6..=10 => {
                let then = if random.random() { AfterJoin::Stay } else { AfterJoin::Leave };
                if random.random_bool(0.1) {
                    self.refused = true;
                    self.house.plane.refuses =
                        Some(|order| matches!(order.step(), Step::Gathered) || is_bridge(order));
                }
                // Whose softphone comes over is in that call and in no other.
                if from != number {
                    self.house.join(number, from, agent, then);
                }
                self.house.plane.refuses = None;
            }
            11 | 12 => {
                let how =
                    [Attending::Monitor, Attending::Coach, Attending::BargeIn][random.random_range(0..3)];
                let again = self.parts > PARTS && random.random();
                self.parts += u64::from(!again);
                self.free(SUE);
                let (name, in_call) = (self.parts, self.house.guests.get(&call(self.parts)).copied());
                let in_call = in_call.filter(|_| again).map_or(number, |id| id.uuid().as_u128() as u64);
                if self.house.ended(name).is_none() {
                    self.house.attend(in_call, name, SUE, how);
                    self.house.order(name, Order::Retrieve(user(SUE)));
                }
            }
            13 => self.house.order(number, Order::Leave(user(agent))),
            14 => self.house.order(number, Order::Hold(user(agent))),
            15 | 16 => {
                self.free(agent);
                self.house.order(number, Order::Retrieve(user(agent)));
            }
            17 => self.house.order(number, Order::Mute { agent: user(agent), muted: random.random() }),
            18 if random.random_bool(0.4) => self.house.order(number, Order::HangUp(EndedBy::Agent)),
            19 if random.random_bool(0.5) => self.house.tell(number, Input::Customer(Peer::Bye)),
            20 if random.random_bool(0.5) => {
                let branch = if random.random() { branch_of(from) } else { guest_branch(from) };
                self.house.hangs_up(number, branch);
            }
            21 => {
                let branch = if random.random() { branch_of(from) } else { guest_branch(from) };
                let direction = ["sendonly", "sendrecv"][random.random_range(0..2)];
                let sdp = Some(sdp("192.0.2.20", direction, random.random_range(2..99)));
                let offer = Peer::Offer { id: RequestId(1), sdp };
                self.house.tell(number, Input::Phone(branch, PhoneEvent::Peer(offer)));
            }
            22 => {
                let (leg, up) =
                    (soft([ANA, BEN, CEM, SUE][random.random_range(0..4)]), random.random_bool(0.7));
                for number in 1..=self.begun {
                    self.house.tell(number, Input::Softphone { leg, up });
                }
            }
            _ => self.house.pass(Duration::from_millis(random.random_range(0..20_000))),
        }
    }

    /// An agent talks in one call at a time.
    fn free(&mut self, agent: u64) {
        for number in (1..=self.begun).chain(PARTS..=self.parts) {
            self.house.order(number, Order::Hold(user(agent)));
        }
    }

    fn begin(&mut self, agent: u64, other: u64, random: &mut ChaCha8Rng) {
        self.free(agent);
        let shape = random.random_range(0..5);
        if shape > 2 {
            if agent == other {
                return;
            }
            self.free(other);
        }
        self.begun += 1;
        let number = self.begun;
        match shape {
            0 | 1 => self.house.customer_talks(number, agent),
            2 => self.house.number_talks(number, agent),
            3 => self.house.colleagues_talk(number, agent, other),
            _ => self.house.colleague_talks_by_phone(number, agent, other),
        }
    }

    /// Who hears whom, now.
    fn look(&self) {
        let house = &self.house;
        let mut together: HashMap<(LegId, LegId), ()> = HashMap::new();
        for of in house.calls.values().filter(|of| !of.is_over()) {
            let talking = matches!(of.link, Link::Joined(_));
            let parties = of.everybody();
            for (listener, _, _) in &parties {
                for (speaker, how, _) in &parties {
                    let audible = match how {
                        Attending::BargeIn => true,
                        Attending::Coach => of.agent.media_leg() == Some(*listener),
                        Attending::Monitor => false,
                    };
                    if audible {
                        together.insert((*listener, *speaker), ());
                    }
                }
            }
            if self.refused || !talking {
                continue;
            }
            for (leg, _, there) in &parties {
                let silent = *there && house.plane.is_in_silence(*leg) && !self.meets_twice(*leg);
                assert!(!silent, "seed {}: {leg} hears nothing in {}", self.seed, of.interaction);
            }
        }
        let legs: Vec<LegId> = house.plane.legs().collect();
        for listener in &legs {
            for speaker in &legs {
                if house.plane.hears(*listener, *speaker) {
                    let may = together.contains_key(&(*listener, *speaker));
                    assert!(may, "seed {}: {listener} hears {speaker}", self.seed);
                }
            }
        }
    }

    /// Two softphones that are in two calls together: the end of one is the end of what they hear of each other.
    fn meets_twice(&self, leg: LegId) -> bool {
        let softphones = [ANA, BEN, CEM, SUE].map(soft);
        let live = || self.house.calls.values().filter(|of| !of.is_over()).map(Call::everybody);
        softphones.contains(&leg)
            && softphones.into_iter().filter(|other| *other != leg).any(|other| {
                let both = |of: &Vec<(LegId, Attending, bool)>| {
                    [leg, other].iter().all(|leg| of.iter().any(|(party, _, _)| party == leg))
                };
                live().filter(both).count() > 1
            })
    }

    /// All is over: nothing is left, and everything was said once.
    fn close(mut self) {
        for number in 1..=self.begun {
            self.house.does(call(number), Input::Order(Order::HangUp(EndedBy::Agent)));
        }
        let Self { house, begun, parts, seed, .. } = self;
        assert!(house.calls.values().all(Call::is_over), "seed {seed}");
        assert!(house.live.is_empty(), "seed {seed}: {:?}", house.live);
        assert_eq!((house.plane.open_rooms(), house.plane.open_recordings()), (0, 0), "seed {seed}");
        assert_eq!(house.plane.legs().count(), 4, "seed {seed}: only the softphones are left");
        for number in (1..=begun).chain(PARTS..=parts) {
            let of = |is: fn(&CallFact) -> bool| {
                house.facts.iter().filter(|fact| is(fact) && fact_of(fact) == call(number)).count()
            };
            let ended = of(|fact| matches!(fact, CallFact::Ended { .. }));
            let took =
                |fact: &&CallFact| matches!(fact, CallFact::TookOver { from, .. } if *from == call(number));
            let last = ended + house.facts.iter().filter(took).count();
            let begun = of(|fact| matches!(fact, CallFact::LegAnswered { .. }));
            assert_eq!(last, usize::from(begun > 0), "seed {seed}, {number}: {:#?}", house.told());
            let gone = of(|fact| matches!(fact, CallFact::LegEnded { .. }));
            assert_eq!(begun, gone, "seed {seed}, {number}: {:#?}", house.told());
            assert_eq!(
                of(|fact| matches!(fact, CallFact::RecordingStarted { .. })),
                of(|fact| matches!(fact, CallFact::RecordingCaptured { .. })),
                "seed {seed}, {number}"
            );
        }
    }
}

fn is_bridge(order: &MediaOrder) -> bool {
    matches!(order, MediaOrder::Bridge { .. })
}
