//! What a text means, tried against conditions as routing evaluates them.

use super::*;
use model::id::Id;
use model::skill::text::{Names, parse};
use proptest::prelude::*;

/// What an author has in mind: skills, groups and agents by number.
#[derive(Clone, Debug)]
enum Meant {
    Anybody,
    Nobody,
    /// Skill, level, whether written with `>`.
    Skill(usize, u8, bool),
    Group(u64),
    Agents(Vec<u64>),
    Both(Box<Meant>, Box<Meant>),
    Either(Box<Meant>, Box<Meant>),
    Lacks(Box<Meant>),
}
use Meant::{Agents, Anybody, Both, Either, Group, Lacks, Nobody, Skill};

const SKILLS: [&str; 3] = ["german", "Night shift", "not"];

/// An agent: levels (0: none), group, number.
#[derive(Clone, Debug)]
struct Agent([u8; 3], u64, u64);

impl Meant {
    /// The rule itself, said without any of our types.
    fn holds(&self, agent: &Agent) -> bool {
        match self {
            Anybody => true,
            Nobody => false,
            Skill(skill, level, _) => agent.0[*skill] >= *level,
            Group(group) => agent.1 == *group,
            Agents(agents) => agents.contains(&agent.2),
            Both(a, b) => a.holds(agent) & b.holds(agent),
            Either(a, b) => a.holds(agent) | b.holds(agent),
            Lacks(a) => a.holds(agent) ^ true,
        }
    }

    /// As an author may write it, with brackets only where `and` before `or` needs them. `strength`: 0 stands in `or`, 1 in
    /// `and`, 2 behind `not`.
    fn write(&self, strength: u8) -> String {
        let (text, own) = match self {
            Anybody => ("ANY".to_owned(), 2),
            Nobody => ("nobody".to_owned(), 2),
            Skill(skill, level, above) => {
                let name = ["german", "\"Night shift\"", "\"not\""][*skill];
                let sign = if *above { format!("> {}", level - 1) } else { format!(">={level}") };
                (if *level == 1 && !above { name.to_owned() } else { format!("{name} {sign}") }, 2)
            }
            Group(group) => (format!("group\tteam-{group}"), 2),
            Agents(agents) => match agents[..] {
                [one] => (format!("Agent a{one}"), 2),
                _ => {
                    let all: Vec<_> = agents.iter().map(|n| format!("a{n}")).collect();
                    (format!("agent in ({})", all.join(",")), 2)
                }
            },
            Both(a, b) => (format!("{} And {}", a.write(1), b.write(1)), 1),
            Either(a, b) => (format!("{}\nor {}", a.write(0), b.write(0)), 0),
            Lacks(a) => (format!("not {}", a.write(2)), 2),
        };
        if own < strength { format!("( {text})") } else { text }
    }
}

fn meant() -> impl Strategy<Value = Meant> {
    let leaf = prop_oneof![
        Just(Anybody),
        Just(Nobody),
        (0..3usize, 1..=10u8, any::<bool>()).prop_map(|(skill, level, above)| Skill(skill, level, above)),
        (0..3u64).prop_map(Group),
        prop::collection::vec(0..4u64, 0..3).prop_map(Agents),
    ];
    leaf.prop_recursive(6, 40, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Both(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Either(a.into(), b.into())),
            inner.prop_map(|a| Lacks(a.into())),
        ]
    })
}

proptest! {
    /// ROUTE-02: whoever a text means, and nobody else, is whom routing finds fit.
    #[test]
    fn routing_takes_whom_the_text_means(
        meant in meant(),
        agents in prop::collection::vec((prop::array::uniform3(0..=10u8), 0..3u64, 0..4u64), 1..20)
    ) {
        let mut names = Names::default();
        let mut skills = Skills::default();
        let numbers = [0, 1, 2].map(|n| {
            let id = SkillId::from_number(n);
            names.skill(id, SKILLS[n as usize]);
            skills.number(id)
        });
        (0..3).for_each(|n| names.group(GroupId::from_number(n), &format!("Team-{n}")));
        (0..4).for_each(|n| names.agent(AgentId::from_number(n), &format!("a{n}")));
        let text = meant.write(0);
        let who = parse(&text, &names).map_err(|e| TestCaseError::fail(format!("{e}\n{}", e.shown(&text))))?;
        let condition = Condition::compile(&who, &skills);
        for (levels, group, own) in agents {
            let mut traits = Traits {
                levels: vec![0; 3],
                group: Some(GroupId::from_number(group)),
                own: Some(AgentId::from_number(own)),
                closed: 0,
            };
            (0..3).for_each(|n| traits.levels[numbers[n]] = levels[n]);
            let agent = Agent(levels, group, own);
            prop_assert_eq!(condition.fit(&traits).is_some(), meant.holds(&agent), "{} for {:?}", text, agent);
        }
    }
}
