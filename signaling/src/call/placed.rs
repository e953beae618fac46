//! A call that we place: nobody is on it when it begins, an agent's phone comes in, and the far end is dialled.
//!
//! Whoever is dialled is the customer's side, whichever way the call went: records and recordings have the customer at the
//! same place. The agent hears ringing, or what the far end lets hear before it answers, and the busy tone when it does not.

use model::call::{CallFact, DialFailure, Sound};
use model::id::{InteractionId, LegId};
use model::time::Timestamp;

use super::customer::Customer;
use super::dialling::{Dialling, News};
use super::link::Link;
use super::session::Session;
use super::words::{Branch, Dial, Heard, Output, PhoneEvent};
use super::{BUSY_MAX, Call, UNORDERED_MAX};
use crate::sdp::{Ability, KeySeed};

/// What is known of a call that we place.
#[derive(Debug)]
pub struct NewPlaced {
    /// Its id.
    pub interaction: InteractionId,
    /// Stands for the far end's leg until there is one.
    pub leg: LegId,
    /// What phones that are rung show: whom the call goes to.
    pub contact: String,
    /// What we can do on SIP legs.
    pub ability: Ability,
}

impl Call {
    /// A call that we place, about which the desk knows.
    pub fn begin_placed(new: NewPlaced, now: Timestamp) -> (Self, Vec<Output>) {
        // Replaced by the session of the trunk that is tried.
        let session = Session::new(new.ability.clone(), KeySeed::new([0; 32]), 0);
        let customer = Customer::Nobody { give_up_at: Some(now + UNORDERED_MAX) };
        let mut call = Self::new(new.interaction, new.leg, new.ability, customer, session);
        call.placed = true;
        (call, Vec::new())
    }

    /// Dials the customer's side of a call that we place.
    pub(super) fn dial(&mut self, dial: Dial, now: Timestamp, out: &mut Vec<Output>) {
        let near = self.agent.media_leg();
        // Somebody is being dialled already, or is there: a second order changes nothing.
        if !matches!(self.customer, Customer::Nobody { .. }) {
            return;
        }
        match Dialling::begin(dial, self.ability.clone(), near, now, out) {
            Some(dialling) => {
                self.leg = dialling.leg();
                self.customer = Customer::Dialling(Box::new(dialling));
            }
            None => self.dial_failed(DialFailure::Unreachable, None, now, out),
        }
    }

    /// Whether this is the trunk over which the customer's side is dialled.
    pub(super) fn dials(&self, branch: Branch) -> bool {
        matches!(&self.customer, Customer::Dialling(dialling) if dialling.branch() == branch)
    }

    pub(super) fn dialled_trunk_said(&mut self, event: PhoneEvent, now: Timestamp, out: &mut Vec<Output>) {
        let Customer::Dialling(dialling) = &mut self.customer else { return };
        let news = dialling.said(event, now, out);
        self.customer_dialled(news, now, out);
    }

    pub(super) fn dialling_deadline(&self) -> Timestamp {
        match &self.customer {
            Customer::Dialling(dialling) => dialling.deadline(),
            _ => Timestamp::NEVER,
        }
    }

    pub(super) fn dialling_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Customer::Dialling(dialling) = &mut self.customer else { return };
        let news = dialling.tick(now, out);
        self.customer_dialled(news, now, out);
    }

    /// Follows what came of dialling the customer's side.
    pub(super) fn customer_dialled(&mut self, news: Option<News>, now: Timestamp, out: &mut Vec<Output>) {
        let Customer::Dialling(dialling) = &self.customer else { return };
        let (interaction, trunk) = (self.interaction, dialling.trunk());
        match news {
            None => {}
            Some(News::NextTrunk) => self.leg = dialling.leg(),
            Some(News::Ringing { early }) => {
                let heard = if early { Heard::Leg(self.leg) } else { Heard::Sound(Sound::Ringback) };
                self.agent_hears(heard, out);
                out.push(Output::Fact(CallFact::FarEndRinging { interaction, trunk }));
            }
            Some(News::Failed { why, status }) => self.dial_failed(why, status, now, out),
            Some(News::Answered) => {
                let taken = std::mem::replace(&mut self.customer, Customer::Answered { pending: None });
                if let Customer::Dialling(dialling) = taken {
                    (self.session, self.timer) = dialling.into_session();
                }
                // What is said first is heard, however long the recording takes to begin.
                self.agent_hears(Heard::Leg(self.leg), out);
                self.answered(now, out);
                out.push(Output::Fact(CallFact::FarEndAnswered { interaction, trunk }));
            }
        }
    }

    /// The agent hears busy, and then the call is over, unless the desk has something else in mind.
    fn dial_failed(&mut self, why: DialFailure, status: Option<u16>, now: Timestamp, out: &mut Vec<Output>) {
        self.customer = Customer::Nobody { give_up_at: Some(now + BUSY_MAX) };
        self.then_hang_up = true;
        self.agent_hears(Heard::Sound(Sound::Busy), out);
        out.push(Output::Fact(CallFact::DialFailed { interaction: self.interaction, why, status }));
    }

    fn agent_hears(&self, heard: Heard, out: &mut Vec<Output>) {
        if let (Link::Apart, Some(leg)) = (&self.link, self.agent.media_leg()) {
            self.hear(leg, heard, out);
        }
    }
}
