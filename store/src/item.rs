//! What configuration rows have in common: an id, a tenant, a name, and others they refer to.

use std::fmt;

use model::agent::Reason;
use model::block::Block;
use model::flow::Flow;
use model::id::{
    BlockId, DispositionId, FlowId, GroupId, Id, NumberId, ReasonId, ServiceId, SkillId, TenantId, TrunkId,
    UserId,
};
use model::people::{Group, User};
use model::service::{Disposition, Number, Service, Skill, Treatment, Trunk};
use model::skill::{Requirement, SkillExpr};

/// The kinds of stored things, as errors name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A customer of the operator.
    Tenant,
    /// A person with a sign-in.
    User,
    /// A team.
    Group,
    /// Something agents can do.
    Skill,
    /// A reason for being Not ready.
    Reason,
    /// An entry point.
    Service,
    /// How interactions end.
    Disposition,
    /// A dialled number.
    Number,
    /// A flow of self-service.
    Flow,
    /// A carrier or PBX.
    Trunk,
    /// An entry of the block list.
    Block,
    /// A service record.
    Record,
    /// A recording.
    Recording,
    /// The journal.
    Journal,
}

const KINDS: [(Kind, &str); 14] = [
    (Kind::Tenant, "tenant"),
    (Kind::User, "user"),
    (Kind::Group, "group"),
    (Kind::Skill, "skill"),
    (Kind::Reason, "reason"),
    (Kind::Service, "service"),
    (Kind::Disposition, "disposition"),
    (Kind::Number, "number"),
    (Kind::Flow, "flow"),
    (Kind::Trunk, "trunk"),
    (Kind::Block, "block"),
    (Kind::Record, "record"),
    (Kind::Recording, "recording"),
    (Kind::Journal, "journal"),
];

impl Kind {
    /// Its name in the database and in messages.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("row", |(_, name)| name)
    }
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A configuration row.
pub trait Item: Clone + fmt::Debug + Send + Sync + Unpin + 'static {
    /// Its kind of id.
    type Id: Id + Send + Sync + 'static;
    /// What it is.
    const KIND: Kind;
    /// Its id.
    fn id(&self) -> Self::Id;
    /// Whose it is.
    fn tenant(&self) -> TenantId;
    /// What people call it.
    fn label(&self) -> &str;
    /// What must exist as long as this row does, by kind and id.
    fn references(&self) -> Vec<(Kind, String)> {
        vec![]
    }
    /// The row as it is stored: logins and e-mail addresses become lower case.
    fn canonical(&self) -> Self {
        self.clone()
    }
}

macro_rules! items {
    ($($name:ident, $id:ident, $kind:ident, $label:ident, |$item:ident| $references:expr;)*) => {$(
        impl Item for $name {
            type Id = $id;
            const KIND: Kind = Kind::$kind;
            fn id(&self) -> $id { self.id }
            fn tenant(&self) -> TenantId { self.tenant }
            fn label(&self) -> &str { &self.$label }
            fn references(&self) -> Vec<(Kind, String)> {
                let $item = self;
                $references
            }
        }
    )*};
}

items! {
    Group, GroupId, Group, name, |_group| vec![];
    Skill, SkillId, Skill, name, |_skill| vec![];
    Reason, ReasonId, Reason, name, |_reason| vec![];
    Service, ServiceId, Service, name, |service| {
        let treatments = service.queue.treatments().into_iter().filter_map(|(_, _, treatment)| led_to(treatment));
        let waiting = service.queue.waiting.flow.map(|flow| (Kind::Flow, flow.to_string()));
        let found = required(&service.requirement).into_iter().chain(treatments).chain(waiting);
        let mut found: Vec<_> = found.collect();
        found.sort();
        found.dedup();
        found
    };
    Disposition, DispositionId, Disposition, name, |disposition| vec![(Kind::Service, disposition.service.to_string())];
    Flow, FlowId, Flow, name, |_flow| vec![];
    Number, NumberId, Number, digits, |number| {
        let flow = number.flow.map(|flow| (Kind::Flow, flow.to_string()));
        [(Kind::Service, number.service.to_string())].into_iter().chain(flow).collect()
    };
    Trunk, TrunkId, Trunk, name, |_trunk| vec![];
    Block, BlockId, Block, number, |_block| vec![];
}

impl Item for User {
    type Id = UserId;
    const KIND: Kind = Kind::User;
    fn id(&self) -> UserId {
        self.id
    }
    fn tenant(&self) -> TenantId {
        self.tenant
    }
    fn label(&self) -> &str {
        &self.login
    }
    fn references(&self) -> Vec<(Kind, String)> {
        let group = self.group.map(|id| (Kind::Group, id.to_string()));
        group.into_iter().chain(self.skills.keys().map(|id| (Kind::Skill, id.to_string()))).collect()
    }
    fn canonical(&self) -> Self {
        let email = self.email.as_ref().map(|email| email.to_lowercase());
        Self { login: self.login.to_lowercase(), email, ..self.clone() }
    }
}

/// What a treatment leads callers to.
fn led_to(treatment: Treatment) -> Option<(Kind, String)> {
    match treatment {
        Treatment::Service(service) => Some((Kind::Service, service.to_string())),
        Treatment::Flow(flow) => Some((Kind::Flow, flow.to_string())),
        Treatment::Announce | Treatment::Reject | Treatment::Queue | Treatment::Voicemail => None,
    }
}

/// The skills, groups and agents a requirement names. Walked with a list, not by recursion: the depth is the client's.
fn required(requirement: &Requirement) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let mut open: Vec<&SkillExpr> = requirement.steps.iter().map(|step| &step.who).collect();
    while let Some(expression) = open.pop() {
        match expression {
            SkillExpr::Any => {}
            SkillExpr::AtLeast { skill, .. } => found.push((Kind::Skill, skill.to_string())),
            SkillExpr::InGroup(group) => found.push((Kind::Group, group.to_string())),
            SkillExpr::OneOf(agents) => found.extend(agents.iter().map(|id| (Kind::User, id.to_string()))),
            SkillExpr::And(parts) | SkillExpr::Or(parts) => open.extend(parts),
            SkillExpr::Not(part) => open.push(part),
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::skill::Level;

    #[test]
    fn a_requirement_names_every_skill_group_and_agent_in_it_once() {
        let skill = |n| SkillExpr::AtLeast { skill: SkillId::from_number(n), level: Level::MIN };
        let who = SkillExpr::And(vec![
            skill(1),
            SkillExpr::Not(Box::new(SkillExpr::Or(vec![
                skill(1),
                SkillExpr::InGroup(GroupId::from_number(2)),
            ]))),
            SkillExpr::OneOf(vec![UserId::from_number(3)]),
        ]);
        let found = required(&Requirement::fixed(who));
        let kinds: Vec<Kind> = found.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [Kind::User, Kind::Group, Kind::Skill]);
    }
}
