//! An agent's phone asks us to pass on whom it talks to (REFER, RFC 3515 and RFC 5589): blindly, or to whom it talks to in another call.
//!
//! The desk decides, and only then the phone is answered: refused, it goes on talking. From the 202 on it waits for the NOTIFY that says
//! how it went, which is sent before the BYE that lets it go. A phone that hangs up without waiting is taken to have left: nothing is
//! done to the others on its account as long as the transfer may still be.

use std::time::Duration;

use model::call::{CallFact, ReferTo, Rejection};
use model::id::UserId;
use model::interaction::EndedBy;
use model::time::Timestamp;

use super::Call;
use super::agent::Agent;
use super::customer::Side;
use super::ending::Farewell;
use super::link::Link;
use super::words::{Output, PeerOrder, PhoneOrder, RequestId};

/// So long a transfer that the desk took up may take.
const DONE_MAX: Duration = Duration::from_secs(20);

/// A phone that asked.
#[derive(Debug)]
pub(super) struct Referral {
    side: Side,
    agent: UserId,
    /// The request, until it is answered.
    asked: Option<RequestId>,
    give_up_at: Timestamp,
    /// The phone hung up meanwhile.
    left: bool,
}

impl Call {
    /// A phone asks; at most one at a time is heard.
    pub(super) fn refer_asked(
        &mut self,
        side: Side,
        (id, to): (RequestId, ReferTo),
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let talks = matches!(self.link, Link::Joined(_));
        let status = match self.agent_at(side) {
            // A carrier's, or a guest's.
            None => 403,
            Some(_) if self.referral.is_some() => 491,
            Some(_) if !talks => 403,
            Some(agent) => {
                let give_up_at = now + DONE_MAX;
                self.referral = Some(Referral { side, agent, asked: Some(id), give_up_at, left: false });
                return out.push(Output::Fact(CallFact::Referred {
                    interaction: self.interaction,
                    agent,
                    to,
                }));
            }
        };
        self.reply(side, id, status, None, None, out);
    }

    /// The agent whose phone's dialog this is.
    fn agent_at(&self, side: Side) -> Option<UserId> {
        match (side, &self.agent) {
            (Side::Customer, _) => self.calling,
            (Side::Phone(branch), Agent::Phone(phone)) if phone.picked == Some(branch) => Some(phone.agent),
            (Side::Phone(_), _) => None,
        }
    }

    /// What the desk makes of it.
    pub(super) fn answer_referral(
        &mut self,
        agent: UserId,
        refused: Option<Rejection>,
        out: &mut Vec<Output>,
    ) {
        let Some(referral) = self.referral.as_mut().filter(|referral| referral.agent == agent) else {
            return;
        };
        let side = referral.side;
        let Some(id) = referral.asked.take() else { return };
        let Some(why) = refused else {
            self.reply(side, id, 202, None, None, out);
            return out.push(notify(side, 100));
        };
        let status = match why {
            Rejection::UnknownNumber => 404,
            Rejection::NobodyThere => 480,
            Rejection::Busy => 486,
            Rejection::Declined => 603,
            Rejection::Overloaded => 503,
        };
        self.reply(side, id, status, None, None, out);
        self.referral_over(out);
    }

    /// The transfer that a phone asked for did not come about: it talks on, if it is still there.
    pub(super) fn referral_failed(&mut self, out: &mut Vec<Output>) {
        let Some(referral) = &mut self.referral else { return };
        let side = referral.side;
        match referral.asked.take() {
            Some(id) => self.reply(side, id, 503, None, None, out),
            None => out.push(notify(side, 503)),
        }
        self.referral_over(out);
    }

    fn referral_over(&mut self, out: &mut Vec<Output>) {
        let Some(Referral { side, left: true, .. }) = self.referral.take() else { return };
        match side {
            Side::Customer => self.customer_left(EndedBy::Customer, None, Farewell::None, out),
            Side::Phone(_) => {
                self.phone_is_gone();
                self.seat_hung_up(out);
            }
        }
    }

    /// A phone hung up: `true` if it waits no longer for the transfer it asked for, which goes on without it.
    pub(super) fn leaves_for_referral(&mut self, side: Side) -> bool {
        match &mut self.referral {
            Some(referral) if referral.side == side => {
                referral.left = true;
                true
            }
            _ => false,
        }
    }

    /// A phone that is let go is told first how the transfer went that it asked for.
    pub(super) fn tell_referral(&mut self, out: &mut Vec<Output>) {
        let Some(Referral { side, asked, .. }) = &self.referral else { return };
        let (side, asked) = (*side, *asked);
        let lets_go = |output: &Output| match (output, side) {
            (Output::Customer(PeerOrder::Bye { .. }), Side::Customer) => true,
            (Output::Phone(at, PhoneOrder::End), Side::Phone(branch)) => *at == branch,
            _ => false,
        };
        if asked.is_none() && out.iter().any(|output| matches!(output, Output::Keep(_))) {
            return self.referral_failed(out);
        }
        let goes = out.iter().position(lets_go);
        let done = self.ending.as_ref().is_none_or(|ending| ending.is_handed());
        let tells = match asked {
            Some(id) => {
                let mut answer = Vec::new();
                self.reply(side, id, 481, None, None, &mut answer);
                answer
            }
            None => vec![notify(side, if done { 200 } else { 487 })],
        };
        match goes {
            Some(at) => drop(out.splice(at..at, tells)),
            None if self.ending.is_some() => out.extend(tells.into_iter().filter(|_| asked.is_some())),
            None => return,
        }
        self.referral = None;
    }

    pub(super) fn referral_deadline(&self) -> Timestamp {
        self.referral.as_ref().map_or(Timestamp::NEVER, |referral| referral.give_up_at)
    }

    pub(super) fn referral_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.referral_deadline() <= now {
            self.referral_failed(out);
        }
    }
}

/// The state of the transfer, as a status line would say it.
fn notify(side: Side, status: u16) -> Output {
    match side {
        Side::Customer => Output::Customer(PeerOrder::Notify { status }),
        Side::Phone(branch) => Output::Phone(branch, PhoneOrder::Notify { status }),
    }
}
