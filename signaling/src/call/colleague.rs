//! An agent who calls a colleague from a softphone: the leg is there already, there is no dialog with it.

use model::call::{CallFact, Sound};
use model::id::{InteractionId, LegId, UserId};
use model::journal::Party;
use model::media::Codec;
use model::time::Timestamp;

use super::customer::Customer;
use super::figures::Tally;
use super::link::Link;
use super::session::Session;
use super::words::{Heard, MediaOrder, Output, Softphone};
use super::{BUSY_MAX, Call, UNORDERED_MAX};
use crate::sdp::{Ability, KeySeed};

/// What is known of a call from a softphone.
#[derive(Debug)]
pub struct NewInside {
    /// Its id.
    pub interaction: InteractionId,
    /// Who calls.
    pub agent: UserId,
    /// The calling softphone.
    pub softphone: Softphone,
    /// The name its half gets in this call.
    pub half: LegId,
    /// What phones that are rung show: who calls.
    pub caller: String,
    /// With which name.
    pub caller_name: Option<String>,
    /// What we can do on SIP legs, should the colleague have a SIP phone.
    pub ability: Ability,
}

/// The calling softphone's part in this call.
#[derive(Debug)]
pub(super) struct Colleague {
    /// The half's name in this call.
    pub(super) half: LegId,
    /// What it speaks.
    pub(super) codec: Codec,
    /// What came in over it that is this call's.
    pub(super) tally: Tally,
    /// Without any order until then it is over, and so is a busy tone. `None`: an order came.
    pub(super) give_up_at: Option<Timestamp>,
}

impl Call {
    /// A call from a softphone, about which the desk knows.
    pub fn begin_inside(new: NewInside, now: Timestamp) -> (Self, Vec<Output>) {
        let NewInside { interaction, agent, softphone, half, ability, .. } = new;
        let give_up_at = Some(now + UNORDERED_MAX);
        let customer = Customer::Colleague(Colleague {
            half,
            codec: softphone.codec,
            tally: Tally::default(),
            give_up_at,
        });
        // Nothing is ever negotiated in this session: the softphone did that when its page was opened.
        let session = Session::new(ability.clone(), KeySeed::new([0; 32]), 0);
        let mut call = Self::new(interaction, softphone.leg, ability, customer, session);
        call.calling = Some(agent);
        let answered = CallFact::LegAnswered {
            interaction,
            leg: half,
            party: Party::Customer,
            codec: softphone.codec,
            secure: true,
        };
        let out = vec![
            Output::Media(MediaOrder::Measure(softphone.leg)),
            Output::Media(MediaOrder::Mute { leg: softphone.leg, muted: false }),
            Output::Fact(answered),
        ];
        (call, out)
    }

    /// The colleague refused, did not answer or cannot be reached: the caller hears busy, and then it is over (VOICE-08).
    pub(super) fn colleague_is_busy(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if matches!(self.link, Link::Apart) {
            self.drop_agent(out);
            self.then_hang_up = true;
            if let Customer::Colleague(colleague) = &mut self.customer {
                colleague.give_up_at = Some(now + BUSY_MAX);
            }
            self.hear(self.leg, Heard::Sound(Sound::Busy), out);
        }
    }
}
