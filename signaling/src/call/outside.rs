//! An agent whose phone is a number outside: it is dialled over the trunks, and whoever picks up says by a key that it is the agent.
//!
//! A mailbox picks up as well, and a customer must not be left talking to one: only 1 takes the call (CONN-06, CONN-11). Then it is a
//! phone like any that was picked up.

use std::collections::VecDeque;
use std::time::Duration;

use media::control::{Answer, MediaError};
use model::call::{CallFact, DialFailure};
use model::id::LegId;
use model::time::Timestamp;

use super::agent::{Agent, Phone};
use super::dialling::{Dialling, News};
use super::words::{Branch, Dial, Heard, MediaOrder, Output, PhoneEvent, Ring, RingNumber, Step};
use super::{Call, RINGING_MAX};

/// So long is waited for the key, while what is to be pressed is said again and again.
pub const CONFIRMING_MAX: Duration = Duration::from_secs(20);

/// A number that is dialled for an agent.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) ring: Ring,
    pub(super) dialling: Dialling,
    confirm: Vec<String>,
}

/// Somebody picked up, and has not said yet that they are the agent.
#[derive(Debug)]
pub(super) struct Confirming {
    /// What is played, the next first.
    sounds: VecDeque<String>,
}

impl Call {
    pub(super) fn ring_number(&mut self, number: RingNumber, now: Timestamp, out: &mut Vec<Output>) {
        let RingNumber { ring, attempts, confirm } = number;
        if !self.takes_agent() {
            return self.unreachable(ring, "the call is connected already".to_owned(), out);
        }
        self.drop_agent(out);
        self.ring_customer(out);
        let near = self.customer.has_leg().then_some(self.leg);
        let dial = Dial { attempts, ring_time: RINGING_MAX };
        match Dialling::begin(dial, self.ability.clone(), near, now, out) {
            Some(dialling) => self.agent = Agent::Outside(Box::new(Outside { ring, dialling, confirm })),
            None => self.unreachable(ring, "no trunk takes calls out".to_owned(), out),
        }
    }

    /// Whether this is the trunk over which an agent's phone is dialled.
    pub(super) fn dials_agent(&self, branch: Branch) -> bool {
        matches!(&self.agent, Agent::Outside(outside) if outside.dialling.branch() == branch)
    }

    pub(super) fn outside_said(&mut self, event: PhoneEvent, now: Timestamp, out: &mut Vec<Output>) {
        let Agent::Outside(outside) = &mut self.agent else { return };
        let news = outside.dialling.said(event, now, out);
        self.outside_dialled(news, now, out);
    }

    pub(super) fn outside_media(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Agent::Outside(outside) = &mut self.agent else { return };
        let news = outside.dialling.media(step, result, now, out);
        self.outside_dialled(news, now, out);
    }

    pub(super) fn outside_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Agent::Outside(outside) = &mut self.agent else { return };
        let news = outside.dialling.tick(now, out);
        self.outside_dialled(news, now, out);
    }

    fn outside_dialled(&mut self, news: Option<News>, now: Timestamp, out: &mut Vec<Output>) {
        match news {
            None | Some(News::NextTrunk | News::Ringing { .. }) => {}
            Some(News::Failed { why, .. }) => {
                let Agent::Outside(outside) = std::mem::replace(&mut self.agent, Agent::Nobody) else {
                    return;
                };
                let Ring { token, agent } = outside.ring;
                if matches!(why, DialFailure::Busy | DialFailure::Rejected) {
                    out.push(Output::Fact(CallFact::AgentRefused {
                        interaction: self.interaction,
                        token,
                        agent,
                    }));
                } else {
                    self.unreachable(outside.ring, format!("the number did not answer: {why:?}"), out);
                }
            }
            Some(News::Answered) => {
                let Agent::Outside(outside) = std::mem::replace(&mut self.agent, Agent::Nobody) else {
                    return;
                };
                let Outside { ring, dialling, confirm } = *outside;
                let (leg, branch) = (dialling.leg(), dialling.branch());
                // It keeps the session alive itself: our INVITE did not offer to.
                let (session, _) = dialling.into_session();
                let confirming = Confirming { sounds: confirm.into() };
                let phone = Phone::outside((ring, leg, branch), session, confirming, now + CONFIRMING_MAX);
                self.say_phone_is_there(&phone, out);
                self.agent = Agent::Phone(Box::new(phone));
                self.ask_again(leg, out);
            }
        }
    }

    /// What is to be pressed is said, again if it was before; `false`: nothing is to be pressed on this leg.
    pub(super) fn ask_again(&mut self, leg: LegId, out: &mut Vec<Output>) -> bool {
        let Some(confirming) = self.confirming(leg) else { return false };
        if let Some(sound) = confirming.sounds.pop_front() {
            confirming.sounds.push_back(sound.clone());
            self.hear(leg, Heard::Named(sound), out);
        }
        true
    }

    /// A key of whoever picked up; `false`: none was waited for on this leg.
    pub(super) fn confirmed(&mut self, leg: LegId, digit: char, out: &mut Vec<Output>) -> bool {
        if self.confirming(leg).is_none() {
            return false;
        }
        let Agent::Phone(phone) = &mut self.agent else { return false };
        let (interaction, ring) = (self.interaction, phone.ring);
        let Some(Ring { token, agent }) = ring else { return false };
        match digit {
            '1' => {
                phone.confirming = None;
                out.push(Output::Media(MediaOrder::Hear { leg, heard: Heard::Nothing }));
                out.push(Output::Fact(CallFact::AgentAnswered { interaction, token, agent }));
            }
            '2' => {
                self.drop_agent(out);
                out.push(Output::Fact(CallFact::AgentRefused { interaction, token, agent }));
            }
            _ => {}
        }
        true
    }

    fn confirming(&mut self, leg: LegId) -> Option<&mut Confirming> {
        match &mut self.agent {
            Agent::Phone(phone) if phone.leg == leg => phone.confirming.as_mut(),
            _ => None,
        }
    }
}
