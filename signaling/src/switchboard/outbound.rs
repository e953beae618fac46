//! Calls that we place: over which trunks a number is dialled.

use std::time::Duration;

use model::id::{InteractionId, LegId, TrunkId};
use model::service::SrtpPolicy;
use tokio::sync::mpsc;

use super::Switchboard;
use super::orders::FULL;
use super::owners::Whose;
use crate::call::driver::{Message, New, Party, TrunkTarget};
use crate::call::words::{Attempt, Branch, Dial, Order, Ring, RingNumber};
use crate::call::{ATTEMPTS_MAX, NewPlaced};
use crate::endpoint::reach::TrunkAddress;

impl Switchboard {
    /// Begins a call that we place, or says that it cannot be.
    pub(super) fn place(&mut self, interaction: InteractionId, contact: String) {
        // A callback is placed under the name of the call in which it was asked for. Unanswered, the agent would wait for ever.
        if self.calls.contains_key(&interaction) {
            return self.cannot_begin(interaction, "the call before it is not over yet");
        }
        if !self.has_room() {
            return self.cannot_begin(interaction, FULL);
        }
        tracing::info!(%interaction, "a call is placed");
        let (leg, ability) = (self.shared.id(), self.ability(0, SrtpPolicy::Accept));
        let mailbox = self.enter(interaction);
        let new = NewPlaced { interaction, leg, contact, ability };
        self.begin(interaction, New::Placed(new), mailbox);
    }

    /// Dials a number.
    pub(super) fn dial(
        &mut self,
        interaction: InteractionId,
        (number, caller_id): (String, Option<String>),
        trunks: &[TrunkId],
        ring_time: Duration,
    ) {
        let Some(entry) = self.calls.get(&interaction) else { return };
        // Of a call that came in, the customer is there: it is the other end that is dialled.
        let party = if entry.dialogs.is_some() { Party::Phone } else { |_| Party::Customer };
        let Some((mailbox, attempts, targets)) =
            self.attempts(interaction, (number, caller_id), trunks, party)
        else {
            return;
        };
        let dial = Dial { attempts, ring_time };
        self.post(&mailbox, Message::Dial(Order::Dial(Box::new(dial)), targets));
    }

    /// Dials an agent's phone outside.
    pub(super) fn ring_number(
        &mut self,
        interaction: InteractionId,
        ring: Ring,
        to: (String, Option<String>),
        trunks: &[TrunkId],
        confirm: Vec<String>,
    ) {
        self.belongs(ring.agent, interaction);
        let Some((mailbox, attempts, targets)) = self.attempts(interaction, to, trunks, Party::Phone) else {
            return;
        };
        let number = RingNumber { ring, attempts, confirm };
        self.post(&mailbox, Message::Dial(Order::RingNumber(Box::new(number)), targets));
    }

    /// The trunks over which a number can be dialled: what the machine is to know of each, and the driver. One that is gone or has
    /// no target is passed over, one that is out is tried last.
    fn attempts(
        &mut self,
        interaction: InteractionId,
        (number, caller_id): (String, Option<String>),
        trunks: &[TrunkId],
        party: fn(Branch) -> Party,
    ) -> Option<(mpsc::Sender<Message>, Vec<Attempt>, Vec<TrunkTarget>)> {
        let (accounts, trunks) = (self.accounts.get(), self.outages.order(trunks));
        let entry = self.calls.get_mut(&interaction)?;
        let (mut attempts, mut targets) = (Vec::new(), Vec::new());
        for id in trunks.iter().take(ATTEMPTS_MAX) {
            let Some(trunk) = accounts.trunk(*id) else { continue };
            let Some(address) = trunk.target.as_deref().and_then(TrunkAddress::parse) else { continue };
            self.next_branch = self.next_branch.wrapping_add(1);
            let (branch, leg): (_, LegId) = (Branch(self.next_branch), self.shared.id());
            entry.legs.push((leg, Whose::Trunk(trunk.id)));
            self.legs.insert(leg, interaction);
            let (seed, session) = (self.shared.seed(), self.shared.session_number());
            attempts.push(Attempt { branch, trunk: trunk.id, leg, srtp: trunk.srtp, seed, session });
            targets.push(TrunkTarget {
                branch,
                leg,
                party: party(branch),
                trunk: trunk.id,
                address,
                account: accounts.account(trunk.id),
                calls_max: trunk.calls_max,
                number: number.clone(),
                caller_id: caller_id.clone(),
            });
        }
        Some((entry.mailbox.clone(), attempts, targets))
    }
}
