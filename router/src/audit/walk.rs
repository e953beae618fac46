//! The audit a few steps at a time, so that it can run beside the work: each check looks at one place of the floor between
//! two inputs, and the next one goes on from there.

use crate::audit::Broken;
use crate::floor::Floor;

/// Steps of a slice that the appliance takes between two batches of work: well below a millisecond, see the bench `floor`.
pub const AUDIT_STEPS: usize = 1_024;

/// How far the audit has come. Begins anew when it has seen everything.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    part: Part,
    /// The place within the part, and the place within that.
    outer: usize,
    inner: usize,
    rounds: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Items,
    Agents,
    Classes,
    Blocks,
    Profiles,
    Queues,
    Conservation,
    Matrix,
}

impl Walk {
    /// How often everything has been seen.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    fn next_part(&mut self) {
        (self.outer, self.inner) = (0, 0);
        self.part = match self.part {
            Part::Items => Part::Agents,
            Part::Agents => Part::Classes,
            Part::Classes => Part::Blocks,
            Part::Blocks => Part::Profiles,
            Part::Profiles => Part::Queues,
            Part::Queues => Part::Conservation,
            Part::Conservation => Part::Matrix,
            Part::Matrix => {
                self.rounds += 1;
                Part::Items
            }
        };
    }
}

impl Floor {
    /// Goes on with the audit for about this many comparisons, and at most to the end of the round; adds what is broken.
    /// Nothing is repaired: what is broken is a fault of the program, and hiding it would hide the next one too.
    ///
    /// One step costs at most some hundred nanoseconds, but the queues are counted in one go: a pass over everything
    /// that waits, a third of a millisecond for 50,000.
    pub fn audit_some(&self, walk: &mut Walk, steps: usize, broken: &mut Broken) {
        let round = walk.rounds;
        let mut left = steps;
        while left > 0 && walk.rounds == round {
            let taken = self.audit_next(walk, left, broken);
            left = left.saturating_sub(taken.max(1));
        }
    }

    /// Audits what comes next in the part, and says how many steps it took.
    fn audit_next(&self, walk: &mut Walk, left: usize, broken: &mut Broken) -> usize {
        let (classes, profiles) = (&self.board.classes, &self.board.profiles);
        let count = match walk.part {
            Part::Items => self.items.slots(),
            Part::Agents | Part::Conservation => self.agents.len(),
            Part::Classes | Part::Matrix => classes.heads.len(),
            Part::Blocks => classes.block_heads.len(),
            Part::Profiles => profiles.numbers(),
            Part::Queues => 1,
        };
        if walk.outer >= count {
            walk.next_part();
            return 1;
        }
        let at = walk.outer;
        let (length, taken) = match walk.part {
            Part::Items => {
                if let Some((key, item)) = self.items.at(at) {
                    self.audit_item(key, item, broken);
                }
                (0, 1)
            }
            Part::Agents => {
                self.audit_agent(at, broken);
                (0, 4)
            }
            Part::Classes => {
                if classes.is_used(at) {
                    self.audit_class(at, broken);
                }
                (0, 1)
            }
            Part::Blocks => {
                self.audit_block(at, broken);
                (0, 8)
            }
            Part::Profiles => {
                if profiles.enrolled.has(at) {
                    self.audit_open(at, broken);
                }
                (0, 1)
            }
            Part::Queues => {
                self.audit_queues(broken);
                (0, self.items.slots() + self.queues.len())
            }
            Part::Conservation if self.is_free(at) => {
                let end = classes.heads.len().min(walk.inner + left);
                for class in (walk.inner..end).filter(|&class| classes.is_used(class)) {
                    self.audit_conservation(at, class, broken);
                }
                (classes.heads.len(), end - walk.inner)
            }
            Part::Conservation => (0, 1),
            Part::Matrix if classes.is_used(at) => {
                let end = profiles.numbers().min(walk.inner + left);
                for profile in (walk.inner..end).filter(|&profile| profiles.enrolled.has(profile)) {
                    self.audit_pair(at, profile, broken);
                }
                (profiles.numbers(), end - walk.inner)
            }
            Part::Matrix => (0, 1),
        };
        walk.inner += taken;
        if walk.inner >= length {
            (walk.outer, walk.inner) = (at + 1, 0);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgentProfile, Arrival, FloorConfig, Input};
    use model::id::{AgentId, Id, InteractionId, ServiceId, SessionId, TenantId};
    use model::interaction::Channel;
    use model::people::PhoneKind;
    use model::service::{QueueRules, Service, Treatment};
    use model::skill::{Requirement, SkillExpr};
    use model::time::Timestamp;

    /// Two agents who are Ready after sign-in, one of them rung, one waiting caller whom nobody may take.
    fn floor() -> Floor {
        let (ana, ben) = (AgentId::from_number(1), AgentId::from_number(2));
        let service = |number, who| Service {
            id: ServiceId::from_number(number),
            tenant: TenantId::from_number(1),
            name: "service".into(),
            requirement: Requirement::fixed(who),
            queue: QueueRules { when_unstaffed: Treatment::Queue, ..QueueRules::default() },
            disposition_mandatory: false,
            record: false,
            recording: Default::default(),
            open: true,
        };
        let config = FloorConfig {
            agents: [ana, ben]
                .map(|agent| AgentProfile {
                    agent,
                    group: None,
                    skills: Default::default(),
                    at_once: Default::default(),
                })
                .into(),
            services: vec![
                service(1, SkillExpr::Any),
                service(2, SkillExpr::OneOf(vec![AgentId::from_number(9)])),
            ],
            ..FloorConfig::default()
        };
        let mut floor = Floor::new(config).unwrap();
        let (now, mut out) = (Timestamp::from_millis(1_000), Vec::new());
        for agent in [ana, ben] {
            let session = SessionId::from_number(1);
            floor.handle(Input::LogIn { agent, session, phone: PhoneKind::Browser }, now, &mut out).unwrap();
            floor.handle(Input::Ready { agent }, now, &mut out).unwrap();
        }
        for number in [1, 2] {
            let (call, service) = (InteractionId::from_number(number), ServiceId::from_number(number));
            floor.handle(Input::Arrive(Arrival::new(call, service, Channel::Voice)), now, &mut out).unwrap();
        }
        floor
    }

    /// One round, a few steps at a time.
    fn round(floor: &Floor, steps: usize) -> Vec<&'static str> {
        let (mut walk, mut broken) = (Walk::default(), Vec::new());
        for _ in 0..10_000 {
            floor.audit_some(&mut walk, steps, &mut broken);
            if walk.rounds() == 1 {
                break;
            }
        }
        assert_eq!(walk.rounds(), 1, "a round ends");
        let mut found: Vec<_> = broken.into_iter().map(|broken| broken.invariant).collect();
        found.dedup();
        found
    }

    /// ROUTE-06: each kind of damage is found by a walk as by the whole audit, however short the steps; a whole floor has
    /// none.
    #[test]
    fn route_06_a_walk_finds_what_is_broken() {
        assert_eq!(round(&floor(), 1), Vec::<&str>::new());
        type Damage = (&'static str, fn(&mut Floor));
        let damages: [Damage; 6] = [
            ("I1", |floor| floor.agents[0].lease = None),
            ("I2", |floor| floor.agents[1].load[0] = 3),
            ("I3", |floor| {
                // The caller of the second queue may now be taken by anybody, and nobody was told.
                let class = floor.board.classes.all().find(|&class| !floor.board.has_agents(class)).unwrap();
                floor.board.classes.get_mut(class).condition = crate::condition::Condition::Any;
            }),
            ("I10", |floor| floor.queues[1].waiting = 7),
            ("lists", |floor| floor.board.classes.block_heads[0] = crate::order::Place::LAST),
            ("matrix", |floor| {
                let class = floor.board.classes.all().find(|&class| !floor.board.has_agents(class)).unwrap();
                floor.board.classes.get_mut(class).profiles.set(0);
            }),
        ];
        for (invariant, damage) in damages {
            let mut floor = floor();
            damage(&mut floor);
            for steps in [1, 3, 1_000] {
                assert!(round(&floor, steps).contains(&invariant), "{invariant} in steps of {steps}");
            }
            assert!(floor.audit().iter().any(|what| what.starts_with(invariant)), "{:?}", floor.audit());
        }
    }
}
