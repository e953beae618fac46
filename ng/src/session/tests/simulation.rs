//! Days of many calls with lost, repeated and late datagrams, a plane that is slow and sometimes refuses.

use std::time::Duration;

use media::control::MediaError;
use serde_json::{Value as Json, json};

use super::world::{ANNA, BEN, Seed, World, proxy};
use crate::node::{Deed, UNDER_WAY_MAX};
use crate::session::Input;

struct Day {
    world: World,
    chance: Seed,
    /// Deeds of the node that were not carried out yet.
    waiting: Vec<Deed>,
    cookie: u64,
    sent: Vec<Vec<u8>>,
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.plane.room = 12;
        Self { world, chance: Seed(seed), waiting: Vec::new(), cookie: 0, sent: Vec::new() }
    }

    fn send(&mut self, request: Json) {
        self.cookie += 1;
        let datagram = format!("{} {request}", self.cookie).into_bytes();
        self.sent.push(datagram.clone());
        // One in eight is lost, one in four comes twice.
        match self.chance.below(8) {
            0 => {}
            1 | 2 => {
                self.arrive(&datagram);
                self.arrive(&datagram);
            }
            _ => self.arrive(&datagram),
        }
    }

    fn arrive(&mut self, datagram: &[u8]) {
        self.world.node.datagram(0, proxy(), datagram, self.world.now, &mut self.waiting);
    }

    /// Carries out one deed, any of them: commands of different jobs overtake each other.
    fn carry_out_one(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let place = self.chance.below(self.waiting.len() as u64) as usize;
        if let Deed::Plane { job, command } = self.waiting.swap_remove(place) {
            let refused = self.chance.below(20) == 0;
            // A leg that is to go goes: the plane refuses that only when the leg is gone.
            let deletes = matches!(command, media::control::Command::DeleteLeg { .. });
            let result = if refused && !deletes {
                Err(MediaError::Unavailable)
            } else {
                self.world.plane.carry_out(&command)
            };
            self.world.node.input(Input::Plane { job, result }, self.world.now, &mut self.waiting);
        }
    }

    fn step(&mut self) {
        let call = format!("call{}", self.chance.below(5));
        let tags = ["a", "b", "x"];
        let (from, to) = (tags[self.chance.below(3) as usize], tags[self.chance.below(3) as usize]);
        let sdp = [ANNA, BEN][self.chance.below(2) as usize];
        let profile = ["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF"][self.chance.below(3) as usize];
        let delay = self.chance.below(3);
        match self.chance.below(12) {
            0 | 1 => self.send(json!({"command": "offer", "call-id": call, "from-tag": from, "sdp": sdp, "transport-protocol": profile})),
            2 => self.send(json!({"command": "offer", "call-id": call, "from-tag": from, "to-tag": to, "sdp": sdp})),
            3 | 4 => self.send(json!({"command": "answer", "call-id": call, "from-tag": from, "to-tag": to, "sdp": sdp})),
            5 => self.send(json!({"command": "delete", "call-id": call, "from-tag": from, "delete-delay": delay})),
            6 => self.send(json!({"command": "delete", "call-id": call, "delete-delay": delay})),
            7 => {
                let command = ["query", "block DTMF", "stop media"][delay as usize];
                self.send(json!({"command": command, "call-id": call, "from-tag": from}));
            }
            8 => {
                let again = self.chance.below(self.sent.len().max(1) as u64) as usize;
                if let Some(datagram) = self.sent.get(again).cloned() {
                    self.arrive(&datagram);
                }
            }
            9 => {
                self.world.now = self.world.now + Duration::from_millis(self.chance.below(2_000));
                self.world.node.input(Input::Tick, self.world.now, &mut self.waiting);
            }
            _ => self.carry_out_one(),
        }
    }

    fn quiet(&mut self) {
        while !self.waiting.is_empty() {
            self.carry_out_one();
        }
    }
}

/// MEDIA-15: calls made and deleted in any order, with lost and repeated datagrams, leave no leg behind.
#[test]
fn whatever_the_day_brings_no_leg_is_left_behind() {
    for seed in 0..200 {
        let mut day = Day::new(seed);
        for _ in 0..400 {
            day.step();
            let machine = day.world.node.machine();
            assert!(machine.calls() <= 5 && machine.under_way() <= UNDER_WAY_MAX, "seed {seed}");
        }
        day.quiet();
        let machine = day.world.node.machine();
        assert_eq!(machine.under_way(), 0, "every job ends; seed {seed}");
        assert_eq!(machine.legs(), day.world.plane.legs.len(), "books and node agree; seed {seed}");
        for call in 0..5 {
            // Proxies repeat a delete until it is answered.
            day.cookie += 1;
            let request = json!({"command": "delete", "call-id": format!("call{call}"), "delete-delay": 0});
            let datagram = format!("end{} {request}", day.cookie);
            day.arrive(datagram.as_bytes());
        }
        day.quiet();
        assert!(day.world.plane.legs.is_empty(), "seed {seed}: {:?}", day.world.plane.legs.keys());
        assert_eq!(day.world.node.machine().calls(), 0, "seed {seed}");
    }
}

/// A proxy that never deletes loses its calls to the time-outs.
#[test]
fn calls_that_nobody_deletes_end_by_themselves() {
    for seed in 0..40 {
        let mut day = Day::new(seed);
        for _ in 0..200 {
            day.step();
        }
        day.quiet();
        for _ in 0..3 {
            day.world.now = day.world.now + Duration::from_secs(3_700);
            day.world.node.input(Input::Tick, day.world.now, &mut day.waiting);
            day.quiet();
        }
        assert_eq!((day.world.plane.legs.len(), day.world.node.machine().calls()), (0, 0), "seed {seed}");
    }
}

mod noise {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{ANNA, BEN, World, proxy};

    /// A request a proxy could send, with octets changed.
    fn damaged() -> impl Strategy<Value = Vec<u8>> {
        let requests = vec![
            format!(
                "1 {}",
                json!({"command": "offer", "call-id": "c", "from-tag": "a", "sdp": ANNA, "flags": ["codec-strip-PCMA", "transcode-opus"]})
            ),
            format!(
                "2 {}",
                json!({"command": "answer", "call-id": "c", "from-tag": "a", "to-tag": "b", "sdp": BEN})
            ),
            "3 d7:call-id1:c7:command6:delete12:delete-delayi0e8:from-tag1:ae".to_owned(),
            format!(
                "4 {}",
                json!({"command": "play DTMF", "call-id": "c", "from-tag": "a", "code": "5", "duration": -1})
            ),
            format!("5 {}", json!({"command": "list", "limit": "32"})),
        ];
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
        (prop::sample::select(requests), changes).prop_map(|(request, changes)| {
            let mut octets = request.into_bytes();
            for (place, octet) in changes {
                let place = place.index(octets.len());
                octets[place] = octet;
            }
            octets
        })
    }

    proptest! {
        /// SAFE-05: damaged requests never panic, and each is answered once at most.
        #[test]
        fn damaged_requests_are_answered_or_dropped_and_leave_nothing_under_way(
            datagrams in prop::collection::vec(damaged(), 1..8)
        ) {
            let mut world = World::new();
            for datagram in datagrams {
                let mut deeds = Vec::new();
                world.node.datagram(0, proxy(), &datagram, world.now, &mut deeds);
                prop_assert!(world.settle_raw(deeds).len() <= 1);
                prop_assert_eq!(world.node.machine().under_way(), 0);
                prop_assert_eq!(world.node.machine().legs(), world.plane.legs.len());
            }
        }
    }
}
