//! Where written contacts lie: in the group queue of a service, in the personal queue of an agent, or in an agent's hands.
//! Kept in the order of waiting, so that a page of a million is read without going through them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::id::{InteractionId, ServiceId, UserId};
use model::interaction::Channel;
use model::time::Timestamp;

use super::super::core::{Core, Effect};
use super::{Kept, Stage, Written};
use crate::console::protocol::ConsoleEvent;

/// Since when it waits, and which it is.
pub(super) type Key = (Timestamp, InteractionId);

/// The queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    group: BTreeMap<(Channel, ServiceId), BTreeSet<Key>>,
    personal: HashMap<UserId, BTreeSet<Key>>,
    hand: HashMap<UserId, BTreeSet<Key>>,
}

impl Lists {
    /// What waits for a service, or is offered to its agents.
    pub fn group(&self, channel: Channel, service: ServiceId) -> Option<&BTreeSet<Key>> {
        self.group.get(&(channel, service))
    }
    /// What lies in an agent's personal queue.
    pub fn personal(&self, agent: UserId) -> Option<&BTreeSet<Key>> {
        self.personal.get(&agent)
    }

    fn enter(&mut self, interaction: InteractionId, written: &Written) {
        self.list_of(written).insert((written.waits_since, interaction));
    }

    fn leave(&mut self, interaction: InteractionId, written: &Written) {
        let list = self.list_of(written);
        list.remove(&(written.waits_since, interaction));
        if list.is_empty() {
            match written.stage {
                Stage::Waiting => drop(self.group.remove(&(written.channel, written.service))),
                Stage::Personal(kept) => drop(self.personal.remove(&kept.agent)),
                Stage::Work { agent, .. } => drop(self.hand.remove(&agent)),
            }
        }
    }

    fn list_of(&mut self, written: &Written) -> &mut BTreeSet<Key> {
        match written.stage {
            Stage::Waiting => self.group.entry((written.channel, written.service)).or_default(),
            Stage::Personal(kept) => self.personal.entry(kept.agent).or_default(),
            Stage::Work { agent, .. } => self.hand.entry(agent).or_default(),
        }
    }
}

impl Core {
    /// A written contact is there from now on.
    pub(super) fn enter_written(&mut self, interaction: InteractionId, written: Written) {
        self.lists.enter(interaction, &written);
        self.written.insert(interaction, written);
    }

    /// It is there no longer.
    pub(super) fn leave_written(
        &mut self,
        interaction: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Option<Written> {
        let written = self.written.remove(&interaction)?;
        self.lists.leave(interaction, &written);
        self.tell_personal(written.stage, out);
        Some(written)
    }

    /// It is somewhere else from now on.
    pub(super) fn restage(
        &mut self,
        interaction: InteractionId,
        stage: Stage,
        out: &mut Vec<Effect>,
    ) -> Option<&mut Written> {
        let written = self.written.get_mut(&interaction)?;
        self.lists.leave(interaction, written);
        let before = std::mem::replace(&mut written.stage, stage);
        self.lists.enter(interaction, written);
        for stage in [before, stage] {
            self.tell_personal(stage, out);
        }
        self.written.get_mut(&interaction)
    }

    /// It belongs to another service from now on.
    pub(super) fn move_written(&mut self, interaction: InteractionId, service: ServiceId) {
        let Some(written) = self.written.get_mut(&interaction) else { return };
        self.lists.leave(interaction, written);
        written.service = service;
        self.lists.enter(interaction, written);
    }

    /// Written contacts that an agent has in hand or after-call work of.
    pub(crate) fn written_in_hand(&self, agent: UserId) -> impl Iterator<Item = (InteractionId, &Written)> {
        let keys = self.lists.hand.get(&agent).into_iter().flatten();
        keys.filter_map(|(_, id)| Some((*id, self.written.get(id)?)))
    }

    /// Shows the agent whose personal queue this is, or was, what is in it.
    fn tell_personal(&self, stage: Stage, out: &mut Vec<Effect>) {
        if let Stage::Personal(Kept { agent, .. }) = stage {
            let personal = self.personal_tab(agent);
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Personal { personal })));
        }
    }
}
