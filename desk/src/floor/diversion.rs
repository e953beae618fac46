//! Calls made directly to an extension that its owner does not take: forwarded to a number outside, or led to a message (VM-01 to
//! VM-05, VM-13, VM-14). Calls of services never come here.
//!
//! Without a phone that could ring it happens at once, otherwise when the extension has rung for as long as its owner set. Whoever
//! refuses the call means it: then the caller hears busy. The way there is a flow of one step, as that of callers of a service.

use std::time::Duration;

use model::agent::AgentState;
use model::call::{CallOrder, Rejection};
use model::diversion::Diverted;
use model::id::{InteractionId, UserId};
use model::interaction::{EndStatus, EndedBy};
use model::people::PhoneKind;
use model::time::Timestamp;
use router::Input;

use super::call::{Call, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use super::timed::Due;
use crate::console::protocol::RefusedWhy;

/// Longer than any diversion waits: the offer that rings meanwhile does not end before.
const GRACE: Duration = Duration::from_secs(5);

/// Where a call was led from the extension that was called. The floor has it no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To a number outside.
    Number,
    /// To a message.
    Message,
}

/// A call that rings an extension whose owner diverts it after a while.
#[derive(Clone, Copy, Debug)]
pub struct Diverting {
    at: Timestamp,
}

impl Due for Diverting {
    fn due(&self) -> Option<Timestamp> {
        Some(self.at)
    }
}

impl Core {
    /// Whether a call to somebody is diverted before any phone rings.
    pub(crate) fn diverts_at_once(&self, callee: UserId) -> bool {
        let Some((to, after)) = self.config.diversion_of(callee).and_then(|diversion| diversion.leads())
        else {
            return false;
        };
        // Another call that rings cannot ring beside this one; who talks is busy for forwarding, and rung for messages (C20).
        let rings = self.floor.agent(callee).is_some_and(|seen| seen.offer.is_some());
        let busy = rings || (matches!(to, Diverted::Forwarded(_)) && self.has_call(callee));
        after.is_zero() || busy || !self.has_phone_now(callee)
    }

    /// Whether somebody is there, with a phone that could ring (VM-05).
    fn has_phone_now(&self, callee: UserId) -> bool {
        let there = self
            .floor
            .state(callee)
            .is_some_and(|(state, _)| !matches!(state, AgentState::LoggedOut | AgentState::Offline));
        there && self.phone_of(callee) != PhoneKind::None && self.phone_up(callee)
    }

    /// How long an extension rings that is not diverted: so long, or until it is.
    pub(super) fn ring_time_of(&self, callee: UserId, usual: Duration) -> Duration {
        let leads = self.config.diversion_of(callee).and_then(|diversion| diversion.leads());
        leads.map_or(usual, |(_, after)| after + GRACE)
    }

    /// The extension rings, and the call is diverted when it has rung long enough.
    pub(super) fn divert_later(&mut self, interaction: InteractionId, callee: UserId, now: Timestamp) {
        let leads = self.config.diversion_of(callee).and_then(|diversion| diversion.leads());
        if let Some((_, after)) = leads {
            self.diverting.insert(interaction, Diverting { at: now + after });
        }
    }

    /// Nobody took it in time.
    pub(super) fn diversions_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        for interaction in self.diverting.due_by(now) {
            self.divert_ringing(interaction, now, out);
        }
    }

    /// Whoever is rung goes: what rings there is diverted.
    pub(super) fn divert_rings_of(&mut self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        let rings = self.ringing.values().find(|ringing| ringing.agent == agent);
        if let Some(interaction) = rings.map(|ringing| ringing.interaction) {
            self.divert_ringing(interaction, now, out);
        }
    }

    /// The extension does not ring any longer, or cannot. Tells whether the call is diverted; if not, it is as without a diversion.
    pub(super) fn divert_ringing(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> bool {
        let waits = self.diverting.remove(interaction).is_some();
        let rings = self.calls.get(&interaction).is_some_and(|call| call.stage == Stage::Waiting);
        let Some(callee) = self.calls.get(&interaction).and_then(Call::inside).map(|inside| inside.callee)
        else {
            return false;
        };
        // What its owner set may have changed while it rang.
        let leads = self.config.diversion_of(callee).and_then(|found| self.config.way_of(found)).is_some();
        if !waits || !rings || !leads {
            return false;
        }
        // From here on it is no work of anybody's: the phone stops ringing.
        if let Err(refusal) = self.tell_floor(Input::LayAside { interaction }, now, out) {
            tracing::warn!(%interaction, %refusal, "a call that rings could not be diverted");
            return false;
        }
        self.divert(interaction, callee, now, out);
        true
    }

    /// Leads the caller to where the owner of the extension wants it.
    pub(super) fn divert(
        &mut self,
        interaction: InteractionId,
        callee: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        // Known to lead somewhere by whoever comes here; else the caller hears busy.
        let Some((flow, way)) = self.config.diversion_of(callee).and_then(|found| self.config.way_of(found))
        else {
            call.diverted = Some(Way::Number);
            return self.diversion_over(interaction, now, out);
        };
        call.diverted = Some(way);
        self.enter_flow(interaction, flow, now, out);
        self.show_work(interaction, out);
    }

    /// The way ended, and the call with it: after a message, or with the busy tone where the number was not reached.
    pub(super) fn diversion_over(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        if call.diverted == Some(Way::Message) {
            let status = if call.left_message { EndStatus::Voicemail } else { EndStatus::Refused };
            call.stage = Stage::Announced { status, written: false };
            out.push(order(CallOrder::HangUp { interaction, by: EndedBy::System }));
        } else {
            call.stage = Stage::Refused { why: RefusedWhy::NoAnswer, since: now };
            out.push(order(CallOrder::Reject { interaction, why: Rejection::Busy }));
        }
        self.show_work(interaction, out);
    }
}
