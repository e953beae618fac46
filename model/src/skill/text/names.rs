//! Names of skills, groups and agents, and the ids they stand for.

use std::collections::BTreeMap;

use super::lexer::{is_bare, quoted};
use crate::id::{AgentId, GroupId, SkillId};

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A skill.
    Skill,
    /// A group.
    Group,
    /// An agent, by user name.
    Agent,
}

impl Kind {
    /// In the language of the house.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::Group => "group",
            Self::Agent => "agent",
        }
    }
}

/// The names of one tenant.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub(super) skills: Dictionary<SkillId>,
    pub(super) groups: Dictionary<GroupId>,
    pub(super) agents: Dictionary<AgentId>,
}

impl Names {
    /// Adds a skill.
    pub fn skill(&mut self, id: SkillId, name: &str) {
        self.skills.add(id, name);
    }
    /// Adds a group.
    pub fn group(&mut self, id: GroupId, name: &str) {
        self.groups.add(id, name);
    }
    /// Adds an agent by user name.
    pub fn agent(&mut self, id: AgentId, login: &str) {
        self.agents.add(id, login);
    }
    /// What somebody who looked for a `kind` of this name perhaps meant, as it is to be written. `following`: the name with the
    /// words that stand behind it, nearest first.
    pub(super) fn meant(&self, kind: Kind, name: &str, following: &[String]) -> Option<String> {
        let own = |name: &str| match kind {
            Kind::Skill => self.skills.known(name),
            Kind::Group => self.groups.known(name),
            Kind::Agent => self.agents.known(name),
        };
        if let Some(longer) = following.iter().find_map(|longer| own(longer)) {
            return Some(written(longer));
        }
        // Something else has exactly that name.
        if kind == Kind::Skill {
            if let Some(name) = self.groups.known(name) {
                return Some(format!("group {}", written(name)));
            }
            if let Some(name) = self.agents.known(name) {
                return Some(format!("agent {}", written(name)));
            }
        }
        let near = match kind {
            Kind::Skill => self.skills.near(name),
            Kind::Group => self.groups.near(name),
            Kind::Agent => self.agents.near(name),
        };
        near.map(written)
    }
}

/// A name as it stands in a text.
pub(super) fn written(name: &str) -> String {
    if is_bare(name) { name.to_owned() } else { quoted(name) }
}

/// What a name led to.
pub(super) enum Found<'a, I> {
    One(I),
    None,
    /// Several, of which this is one.
    Several(&'a str),
}

#[derive(Clone, Debug)]
pub(super) struct Dictionary<I> {
    ids: BTreeMap<Box<str>, I>,
    names: BTreeMap<I, Box<str>>,
    /// Names that are not in lower case, by what they are then.
    folded: BTreeMap<Box<str>, Vec<Box<str>>>,
}

impl<I> Default for Dictionary<I> {
    fn default() -> Self {
        Self { ids: BTreeMap::new(), names: BTreeMap::new(), folded: BTreeMap::new() }
    }
}

/// Names that are looked at for a suggestion: an error must not take long.
const LOOKED_AT: usize = 10_000;

impl<I: Copy + Ord> Dictionary<I> {
    fn add(&mut self, id: I, name: &str) {
        self.ids.insert(name.into(), id);
        self.names.insert(id, name.into());
        let lower = name.to_lowercase();
        if lower != name {
            self.folded.entry(lower.into()).or_default().push(name.into());
        }
    }

    /// Exactly that name, or else the only one that differs in nothing but case.
    pub fn find(&self, name: &str) -> Found<'_, I> {
        if let Some(id) = self.ids.get(name) {
            return Found::One(*id);
        }
        let lower = name.to_lowercase();
        let folded = self.folded.get(&*lower).map_or(&[][..], Vec::as_slice);
        let mut all = folded.iter().chain(self.ids.get_key_value(&*lower).map(|(name, _)| name));
        match (all.next(), all.next()) {
            (None, _) => Found::None,
            (Some(name), None) => self.ids.get(name).map_or(Found::None, |id| Found::One(*id)),
            (Some(name), Some(_)) => Found::Several(name),
        }
    }

    /// The name of an id, if it leads back to the id.
    pub fn name(&self, id: I) -> Option<&str> {
        self.names.get(&id).map(|name| &**name).filter(|name| self.ids.get(*name) == Some(&id))
    }

    fn known(&self, name: &str) -> Option<&str> {
        match self.find(name) {
            Found::One(id) => self.name(id),
            _ => None,
        }
    }

    /// The name that takes the fewest changes of letters, at most two (one for short names).
    fn near(&self, name: &str) -> Option<&str> {
        let wanted: Vec<char> = name.to_lowercase().chars().take(128).collect();
        let most = if wanted.len() <= 4 { 1 } else { 2 };
        let changes = |known: &str| {
            let known: Vec<char> = known.to_lowercase().chars().take(128).collect();
            let far = known.len().abs_diff(wanted.len()) > most;
            (!far).then(|| changes(&wanted, &known)).filter(|changes| *changes <= most)
        };
        let all = self.ids.keys().take(LOOKED_AT);
        all.filter_map(|known| Some((changes(known)?, known))).min().map(|(_, known)| &**known)
    }
}

/// Letters put in, left out, replaced, or exchanged with their neighbour, to make one word of another.
fn changes(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}
