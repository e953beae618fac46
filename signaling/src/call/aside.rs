//! A customer who goes through a flow while the agent waits (CTRL-06): one hears what is played, the other nothing of it.
//!
//! Hold goes its own way meanwhile: who holds, holds on, and may talk to somebody else.

use super::Call;
use super::link::{End, Link};
use super::words::{MediaOrder, Output};

impl Call {
    /// Takes the customer away from the agent they talk to, or who holds them; doing it twice changes nothing.
    pub(super) fn take_aside(&mut self, out: &mut Vec<Output>) {
        // Between colleagues there is nobody who could be taken aside.
        let Link::Joined(joined) = &mut self.link else { return };
        if self.calling.is_some() || joined.aside || !self.guests.is_empty() {
            return;
        }
        joined.aside = true;
        self.tune(End::Called, out);
    }

    /// Brings the customer back.
    pub(super) fn bring_back(&mut self, out: &mut Vec<Output>) {
        let Link::Joined(joined) = &mut self.link else { return };
        if !std::mem::take(&mut joined.aside) {
            return;
        }
        let both = joined.are_together();
        self.playing = None;
        match (both, self.agent.media_leg()) {
            (true, Some(b)) => out.push(Output::Media(MediaOrder::Bridge { a: self.leg, b })),
            _ => {
                self.tune(End::Caller, out);
                self.tune(End::Called, out);
            }
        }
    }

    /// Whether the customer can be played something: nobody else is heard.
    pub(super) fn may_be_played_to(&self) -> bool {
        match &self.link {
            Link::Apart => true,
            Link::Connecting { .. } => false,
            Link::Joined(joined) => joined.aside,
        }
    }
}
