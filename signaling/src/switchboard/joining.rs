//! Calls that become one, and supervisors who take part: to which call what concerns them goes.

use model::call::{AfterJoin, Attending, CallFact};
use model::id::{InteractionId, LegId, UserId};

use super::Switchboard;
use crate::call::driver::Message;
use crate::call::words::{Attend, Branch, Join, Order};

impl Switchboard {
    /// Brings whoever the agent talks to in one call into another.
    pub(super) fn join(
        &mut self,
        interaction: InteractionId,
        from: InteractionId,
        agent: UserId,
        then: AfterJoin,
    ) {
        let Some(entry) = self.calls.get(&interaction).filter(|_| interaction != from) else {
            return self.cannot_join(interaction, from);
        };
        self.next_branch = self.next_branch.wrapping_add(1);
        let join = Join { from, agent, then, branch: Branch(self.next_branch) };
        let other = self.calls.get(&from).map(|other| other.mailbox.clone());
        self.post(&entry.mailbox, Message::Join(Order::Join(join), from, other));
    }

    /// Lets a supervisor take part in a call, or in another way.
    pub(super) fn attend(
        &mut self,
        interaction: InteractionId,
        from: InteractionId,
        agent: UserId,
        how: Attending,
    ) {
        if !self.calls.contains_key(&interaction) || self.calls.contains_key(&from) {
            return self.cannot_join(interaction, from);
        }
        self.belongs(agent, interaction);
        self.guests.insert(from, interaction);
        let (half, softphone) = (self.shared.id(), self.softphone_of(agent));
        self.pass(interaction, Order::Attend(Attend { from, agent, softphone, half, how }));
    }

    fn cannot_join(&self, interaction: InteractionId, from: InteractionId) {
        let why = "the call is over".to_owned();
        self.shared.tell_soon(CallFact::JoinFailed { interaction, from, why });
    }

    /// Somebody is in another call now: what is said of them goes there.
    pub(super) fn handed_over(
        &mut self,
        (from, to): (InteractionId, InteractionId),
        leg: LegId,
        agent: Option<UserId>,
        customer: bool,
    ) {
        self.guests.insert(from, to);
        if let Some(agent) = agent {
            self.belongs(agent, to);
        }
        let Some(entry) = self.calls.get_mut(&from) else { return };
        let moved: Vec<_> = entry.legs.extract_if(.., |(own, _)| *own == leg).collect();
        // Where the dialog belongs, the directory knows already.
        if let Some((_, invite)) = entry.dialogs.take_if(|_| customer) {
            self.invites.remove(&invite);
        }
        if let Some(there) = self.calls.get_mut(&to) {
            if !moved.is_empty() {
                self.legs.insert(leg, to);
            }
            there.legs.extend(moved);
        }
    }
}
