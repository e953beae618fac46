//! Elementary steps of the floor's work, counted when the crate's own tests run and not there otherwise: an entry of a list
//! looked at, a word of the matrix, a condition tested. What a search in a sorted tree costs is not counted.
//!
//! Time says what a machine does on a day; steps say what the work grows with.

/// So many steps were taken.
#[inline(always)]
#[cfg_attr(not(test), expect(unused_variables, reason = "nobody counts outside of tests"))]
pub(crate) fn count(steps: usize) {
    #[cfg(test)]
    tests::STEPS.with(|counted| counted.set(counted.get() + steps));
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the load of the benchmarks reads the clock")]
#[path = "../benches/floor/house.rs"]
mod house;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::house::{House, Size, config};
    use crate::{Arrival, Floor, FloorConfig, Input};
    use model::id::{AgentId, Id, InteractionId, ServiceId, SessionId};
    use model::interaction::Channel;
    use model::people::PhoneKind;
    use model::skill::{Requirement, SkillExpr, Step, StepMode};
    use model::time::Timestamp;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    std::thread_local! {
        pub static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    /// The steps of some work.
    fn steps_of(work: impl FnOnce()) -> usize {
        STEPS.set(0);
        work();
        STEPS.get()
    }

    fn size(agents: u64, waiting: usize, mixed: bool) -> Size {
        Size { agents, profiles: 100, classes: 300, waiting, mixed }
    }

    /// Mean steps of an event in a house at work.
    fn mean(size: Size) -> f64 {
        let mut house = House::new(&size);
        let begun = house.took.len();
        let steps = steps_of(|| {
            for _ in 0..2_000 {
                house.round();
            }
        });
        steps as f64 / (house.took.len() - begun) as f64
    }

    /// PERF-06, ROUTE-06 (I14): ten times the agents, or twenty times as many who wait, do not make an event more work.
    #[test]
    fn perf_06_the_work_of_an_event_depends_neither_on_agents_nor_on_those_who_wait() {
        for mixed in [false, true] {
            let small = mean(size(1_000, 1_000, mixed));
            for (agents, waiting) in [(1_000, 20_000), (10_000, 1_000), (10_000, 20_000)] {
                let large = mean(size(agents, waiting, mixed));
                println!(
                    "mixed {mixed}: {small:.1} steps, with {agents} agents and {waiting} waiting {large:.1}"
                );
                // Where more wait, more blocks of classes have somebody: all there are is the bound.
                assert!(large < 1.5 * small + 40.0, "{small} steps became {large}");
            }
        }
    }

    struct Crowd {
        floor: Floor,
        now: Timestamp,
    }

    impl Crowd {
        fn of(config: FloorConfig) -> Self {
            Self { floor: Floor::new(config).unwrap(), now: Timestamp::from_millis(1_000_000) }
        }
        fn tell(&mut self, input: Input) {
            self.floor.handle(input, self.now, &mut Vec::new()).unwrap();
        }
        fn everybody(&mut self, agents: u64, input: fn(AgentId) -> Input) -> usize {
            steps_of(|| {
                for number in 1..=agents {
                    self.tell(input(AgentId::from_number(number)));
                }
            })
        }
    }

    /// A house where everybody is rung and as many wait again.
    fn ringing(agents: u64) -> Crowd {
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let mut crowd = Crowd::of(config(&size(agents, 0, false), &mut dice));
        for n in 0..2 * agents {
            let call = InteractionId::from_number(n + 1);
            let service = ServiceId::from_number(n % 300 + 1);
            crowd.tell(Input::Arrive(Arrival::new(call, service, Channel::Voice)));
        }
        crowd.everybody(agents, |agent| Input::LogIn {
            agent,
            session: SessionId::from_number(1),
            phone: PhoneKind::Browser,
        });
        crowd.everybody(agents, |agent| Input::Ready { agent });
        crowd
    }

    /// PERF-06: everybody signs out while all phones ring: the work for each is the same in a house ten times the size.
    #[test]
    fn perf_06_signing_out_all_at_once_costs_each_the_same() {
        let each = |agents: u64| {
            let mut crowd = ringing(agents);
            crowd.everybody(agents, |agent| Input::LogOut { agent }) as f64 / agents as f64
        };
        let (small, large) = (each(1_000), each(10_000));
        println!("signing out: {small:.1} steps each of 1,000, {large:.1} each of 10,000");
        assert!(large < 1.5 * small + 20.0);
    }

    /// PERF-06: fifty thousand steps that end in the same instant cost each what five thousand do.
    #[test]
    fn perf_06_fifty_thousand_steps_that_end_at_once_cost_each_the_same() {
        let each = |calls: u64| {
            let mut dice = ChaCha8Rng::seed_from_u64(7);
            let mut set_up = config(&size(1_000, 0, false), &mut dice);
            let steps = vec![
                Step { who: SkillExpr::Or(vec![]), lasts: Some(Duration::from_secs(30)) },
                Step { who: SkillExpr::Any, lasts: None },
            ];
            set_up.services[0].requirement = Requirement { steps, mode: StepMode::Replace };
            let mut crowd = Crowd::of(set_up);
            for number in 1..=calls {
                let call = InteractionId::from_number(number);
                let arrival = Arrival::new(call, ServiceId::from_number(1), Channel::Voice);
                crowd.tell(Input::Arrive(arrival));
            }
            crowd.now = crowd.now + Duration::from_secs(30);
            let steps = steps_of(|| crowd.floor.tick(crowd.now, &mut Vec::new()));
            steps as f64 / calls as f64
        };
        let (few, many) = (each(5_000), each(50_000));
        println!("steps that end: {few:.1} each of 5,000, {many:.1} each of 50,000");
        assert!(many < 1.5 * few + 5.0);
    }

    /// PERF-06: a change of one agent's skills costs a test of each class and a look at each service, however many others there
    /// are. (That all agents are compared with what they were, once each, is not counted.)
    #[test]
    fn perf_06_a_change_of_one_agent_costs_a_test_of_each_class() {
        for agents in [1_000, 10_000] {
            let mut dice = ChaCha8Rng::seed_from_u64(7);
            let mut set_up = config(&size(agents, 0, false), &mut dice);
            let mut crowd = Crowd::of(set_up.clone());
            let skill = *set_up.agents[0].skills.keys().next().unwrap();
            set_up.agents[0].skills.remove(&skill);
            let steps = steps_of(|| crowd.floor.configure(set_up, crowd.now, &mut Vec::new()).unwrap());
            println!("one agent of {agents} changed: {steps} steps");
            assert!(steps <= 3 * 375, "{steps} steps for 375 classes and 300 services");
        }
    }
}
