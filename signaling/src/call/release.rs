//! An agent who leaves a customer: passed on to somebody else, the customer stays on the line and is never in silence.
//!
//! The call is as it was before the agent was joined: an agent may be rung, a number dialled. Only the recording goes on, with an empty
//! channel of ours until somebody is joined again: it belongs to the interaction, not to a leg (RECO-01).

use media::control::Channel;
use model::call::{CallFact, Sound};
use model::id::UserId;

use super::Call;
use super::link::Link;
use super::words::{Heard, MediaOrder, Output};

impl Call {
    /// Lets an agent who talks to the customer leave. Of another agent, of a call between colleagues
    /// or of a conference it changes nothing: those are left.
    pub(super) fn release(&mut self, agent: UserId, out: &mut Vec<Output>) {
        let talks = matches!(self.link, Link::Joined(_)) && self.linked_agent() == Some(agent);
        if !talks || self.calling.is_some() || !self.guests.is_empty() {
            return;
        }
        // First of all: the softphone outlives the call, and what is said in the next one is not of this recording.
        if let Some(recording) = self.recording {
            let channel = Channel::Right;
            out.push(Output::Media(MediaOrder::Untap { recording, channel }));
            if let (true, Some(party)) = (std::mem::take(&mut self.unheard.1), self.linked_party()) {
                let interaction = self.interaction;
                let heard = CallFact::RecordingSilent { interaction, recording, party, silent: false };
                out.push(Output::Fact(heard));
            }
        }
        self.hear(self.leg, Heard::Sound(Sound::HoldMusic), out);
        if let Some((order, last)) = self.let_agent_go(out) {
            self.leaving.push((order.step(), last));
            out.push(Output::Media(order));
        }
        self.playing = None;
        self.nobody_is_linked();
    }
}
