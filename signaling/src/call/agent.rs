//! The agent's half: a SIP phone that is rung and picked up, or a softphone that is there already.

use media::control::{Answer, MediaError};
use model::call::{CallFact, Sound};
use model::id::{LegId, OfferToken, UserId};
use model::journal::Party;
use model::media::Codec;
use model::time::Timestamp;

use super::customer::{Customer, Pending, Side};
use super::dialling::Dialling;
use super::far_end::FarEnd;
use super::figures::Tally;
use super::link::Link;
use super::outside::{Confirming, Outside};
use super::refusal::Refusal;
use super::session::Session;
use super::timer::SessionTimer;
use super::who::DialogLine;
use super::words::{
    Branch, Heard, MediaOrder, Output, Peer, PeerOrder, PhoneEvent, PhoneOrder, Ring, RingPhones, Softphone,
    Step,
};
use super::{Call, RINGING_MAX};
use crate::sdp::Ability;

/// Who is, or will be, at the other end.
#[derive(Debug)]
pub(super) enum Agent {
    /// Nobody.
    Nobody,
    /// A softphone whose console rings, or that is linked.
    Softphone(Box<SoftphoneHalf>),
    /// Registered phones that ring, or the one that was picked up.
    Phone(Box<Phone>),
    /// A number outside that is dialled because it is the agent's phone.
    Outside(Box<Outside>),
    /// No agent: a number outside that is dialled for the caller.
    Dialled(Box<Dialling>),
    /// No agent: a number outside that answered.
    FarEnd(Box<FarEnd>),
}

/// A softphone's part in this call.
#[derive(Debug)]
pub(super) struct SoftphoneHalf {
    pub(super) ring: Option<Ring>,
    pub(super) media: LegId,
    /// What it speaks.
    pub(super) codec: Codec,
    /// The half's name in this call; `None` until linked.
    pub(super) half: Option<LegId>,
    /// What came in over it that is this call's.
    pub(super) tally: Tally,
}

/// SIP phones.
#[derive(Debug)]
pub(super) struct Phone {
    /// Whose.
    pub(super) agent: UserId,
    /// The lease that rang it; none of one that took over from an agent who left.
    pub(super) ring: Option<Ring>,
    pub(super) leg: LegId,
    pub(super) session: Session,
    /// Those that may still answer.
    pub(super) branches: Vec<Branch>,
    /// The one that did.
    pub(super) picked: Option<Branch>,
    /// It is set up: it can be linked.
    pub(super) ready: bool,
    /// It is not known yet whether the agent picked up.
    pub(super) confirming: Option<Confirming>,
    /// One refused by hand.
    refused: bool,
    /// Why the last one could not be reached.
    why: String,
    give_up_at: Timestamp,
    pub(super) pending: Option<Pending>,
    /// The phone put its side on hold.
    pub(super) holds: bool,
    /// Of one that called us, in the call that it came from.
    pub(super) timer: Option<SessionTimer>,
}

impl Phone {
    /// One that took over from an agent who left.
    pub(super) fn taken_over(line: DialogLine, agent: UserId) -> Self {
        let DialogLine { branch, leg, session, timer, holds, pending } = line;
        Self {
            agent,
            ring: None,
            leg,
            session,
            branches: Vec::new(),
            picked: Some(branch),
            ready: true,
            confirming: None,
            refused: false,
            why: String::new(),
            give_up_at: Timestamp::NEVER,
            pending,
            holds,
            timer,
        }
    }

    /// A number outside that was picked up, it is not known by whom.
    pub(super) fn outside(
        (ring, leg, branch): (Ring, LegId, Branch),
        session: Session,
        confirming: Confirming,
        give_up_at: Timestamp,
    ) -> Self {
        Self {
            agent: ring.agent,
            ring: Some(ring),
            leg,
            session,
            branches: Vec::new(),
            picked: Some(branch),
            ready: true,
            confirming: Some(confirming),
            refused: false,
            why: String::new(),
            give_up_at,
            pending: None,
            holds: false,
            timer: None,
        }
    }

    /// The line of a phone that was picked up; back as it was, if it only rings.
    pub(super) fn into_line(self: Box<Self>) -> Result<DialogLine, Box<Self>> {
        let (true, Some(branch)) = (self.ready, self.picked) else { return Err(self) };
        let Self { leg, session, timer, holds, pending, .. } = *self;
        Ok(DialogLine { branch, leg, session, timer, holds, pending })
    }
}

impl Agent {
    pub(super) fn deadline(&self) -> Timestamp {
        match self {
            Self::Phone(phone) if !phone.ready || phone.confirming.is_some() => phone.give_up_at,
            Self::Outside(outside) => outside.dialling.deadline(),
            Self::Dialled(dialling) => dialling.deadline(),
            _ => Timestamp::NEVER,
        }
    }
    /// The media leg by which the agent speaks and hears.
    pub(super) fn media_leg(&self) -> Option<LegId> {
        match self {
            Self::Nobody => None,
            Self::Softphone(soft) => Some(soft.media),
            Self::Phone(phone) => Some(phone.leg),
            Self::Outside(outside) => outside.dialling.has_leg().then(|| outside.dialling.leg()),
            Self::Dialled(dialling) => dialling.has_leg().then(|| dialling.leg()),
            Self::FarEnd(far) => Some(far.leg),
        }
    }
    fn ring(&self) -> Option<Ring> {
        match self {
            Self::Nobody | Self::Dialled(_) | Self::FarEnd(_) => None,
            Self::Softphone(soft) => soft.ring,
            Self::Phone(phone) => phone.ring,
            Self::Outside(outside) => Some(outside.ring),
        }
    }
}

impl Call {
    pub(super) fn ring_phones(&mut self, phones: RingPhones, now: Timestamp, out: &mut Vec<Output>) {
        if !self.takes_agent() {
            return self.unreachable(phones.ring, "the call is connected already".to_owned(), out);
        }
        self.drop_agent(out);
        self.ring_customer(out);
        let ability =
            Ability { srtp: phones.srtp, latching: media::control::Latching::Any, ..self.ability.clone() };
        let near = self.customer.has_leg().then_some(self.leg);
        out.push(Output::Media(MediaOrder::Create { leg: phones.leg, near }));
        self.agent = Agent::Phone(Box::new(Phone {
            agent: phones.ring.agent,
            ring: Some(phones.ring),
            leg: phones.leg,
            session: Session::new(ability, phones.seed, phones.session),
            branches: phones.branches,
            picked: None,
            ready: false,
            confirming: None,
            refused: false,
            why: "no phone answered".to_owned(),
            give_up_at: now + RINGING_MAX,
            pending: None,
            holds: false,
            timer: None,
        }));
    }

    pub(super) fn ring_softphone(&mut self, ring: Ring, softphone: Option<Softphone>, out: &mut Vec<Output>) {
        if !self.takes_agent() {
            return self.unreachable(ring, "the call is connected already".to_owned(), out);
        }
        self.drop_agent(out);
        match softphone {
            None => self.unreachable(ring, "the softphone is not connected".to_owned(), out),
            Some(soft) => {
                self.ring_customer(out);
                self.agent = Agent::Softphone(Box::new(SoftphoneHalf {
                    ring: Some(ring),
                    media: soft.leg,
                    codec: soft.codec,
                    half: None,
                    tally: Tally::default(),
                }));
            }
        }
    }

    pub(super) fn ring_nothing(&mut self, ring: Ring, why: String, out: &mut Vec<Output>) {
        if self.takes_agent() {
            self.drop_agent(out);
        }
        self.unreachable(ring, why, out);
    }

    /// Whether an agent may be rung: nobody talks to the customer, and no number outside is dialled for them.
    pub(super) fn takes_agent(&self) -> bool {
        matches!(self.link, Link::Apart) && !matches!(self.agent, Agent::Dialled(_) | Agent::FarEnd(_))
    }

    /// A lease that is over rings no longer; a stale token changes nothing.
    pub(super) fn stop_ringing(&mut self, token: OfferToken, out: &mut Vec<Output>) {
        if matches!(self.link, Link::Apart) && self.agent.ring().is_some_and(|r| r.token == token) {
            self.drop_agent(out);
        }
    }

    /// The caller hears ringing while nothing else was answered.
    pub(super) fn ring_customer(&mut self, out: &mut Vec<Output>) {
        match self.customer {
            Customer::Incoming { .. } => out.push(Output::Customer(PeerOrder::Ring)),
            Customer::Colleague(_) => self.hear(self.leg, Heard::Sound(Sound::Ringback), out),
            _ => {}
        }
    }

    /// Ends the agent's half; whether that answers a lease is for the caller to say.
    pub(super) fn drop_agent(&mut self, out: &mut Vec<Output>) {
        let gone = std::mem::replace(&mut self.agent, Agent::Nobody);
        if let Agent::Outside(outside) = &gone {
            outside.dialling.let_go(out);
        }
        if let Agent::Phone(phone) = gone {
            end_branches(&phone, out);
            out.push(Output::Media(MediaOrder::Delete(phone.leg)));
            if phone.ready {
                let (leg, party) = (phone.leg, Party::Agent { agent: phone.agent });
                out.push(Output::Fact(CallFact::LegEnded {
                    interaction: self.interaction,
                    leg,
                    party,
                    stats: None,
                }));
            }
        }
    }

    pub(super) fn unreachable(&self, ring: Ring, why: String, out: &mut Vec<Output>) {
        let Ring { token, agent } = ring;
        out.push(Output::Fact(CallFact::AgentUnreachable {
            interaction: self.interaction,
            token,
            agent,
            why,
        }));
    }

    /// The media plane's answers about the phone's leg.
    pub(super) fn phone_media(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Agent::Phone(phone) = &mut self.agent else {
            return self.far_end_media(step, result, now, out);
        };
        match (step, result) {
            (Step::Created(_), Ok(Answer::Created(at))) => match phone.session.offer_at(at) {
                Ok(sdp) => {
                    for branch in &phone.branches {
                        out.push(Output::Phone(*branch, PhoneOrder::Invite { sdp: sdp.clone() }));
                    }
                }
                Err(why) => self.give_up_phone(why.to_string(), out),
            },
            (Step::Configured(_), result) if phone.ready => {
                let (Some(branch), Some(Pending { id, sdp })) = (phone.picked, phone.pending.take()) else {
                    return;
                };
                self.reply_after(Side::Phone(branch), id, sdp, result, out);
            }
            (Step::Configured(_), Ok(_)) => {
                phone.ready = true;
                let ring = phone.ring;
                if let Agent::Phone(phone) = &self.agent {
                    self.say_phone_is_there(phone, out);
                }
                if let Some(Ring { token, agent }) = ring {
                    out.push(Output::Fact(CallFact::AgentAnswered {
                        interaction: self.interaction,
                        token,
                        agent,
                    }));
                }
            }
            (_, Err(why)) => self.give_up_phone(why.to_string(), out),
            _ => {}
        }
    }

    pub(super) fn say_phone_is_there(&self, phone: &Phone, out: &mut Vec<Output>) {
        let (agent, leg, secure) = (phone.agent, phone.leg, phone.session.is_secure());
        if let Some(codec) = phone.session.codec() {
            let (interaction, party) = (self.interaction, Party::Agent { agent });
            out.push(Output::Fact(CallFact::LegAnswered { interaction, leg, party, codec, secure }));
        }
    }

    fn give_up_phone(&mut self, why: String, out: &mut Vec<Output>) {
        let Some(ring) = self.agent.ring() else { return };
        self.drop_agent(out);
        self.unreachable(ring, why, out);
    }

    /// What rung phones say.
    pub(super) fn phone_said(&mut self, branch: Branch, event: PhoneEvent, out: &mut Vec<Output>) {
        let Agent::Phone(phone) = &mut self.agent else {
            // A pick-up that crossed the end of its lease.
            if let PhoneEvent::Answered { .. } = event {
                out.push(Output::Phone(branch, PhoneOrder::End));
            }
            return;
        };
        let known = phone.branches.contains(&branch);
        match event {
            PhoneEvent::Answered { sdp, .. } if known && phone.picked.is_none() => {
                phone.branches.retain(|b| *b != branch);
                phone.picked = Some(branch);
                // The others stop ringing.
                for other in std::mem::take(&mut phone.branches) {
                    out.push(Output::Phone(other, PhoneOrder::End));
                }
                let leg = phone.leg;
                match phone.session.apply(&sdp) {
                    Ok((Some(setup), _)) => self.configure(leg, setup, out),
                    Ok((None, _)) => {}
                    Err(why) => self.give_up_phone(why.to_string(), out),
                }
            }
            PhoneEvent::Answered { .. } => out.push(Output::Phone(branch, PhoneOrder::End)),
            PhoneEvent::Refused(Refusal { status, .. }) if known => {
                // 480 comes from phones set to "do not disturb".
                phone.refused |= matches!(status, 480 | 486 | 600 | 603);
                phone.why = format!("the phone answered {status}");
                // 6xx speaks for all phones of the agent (RFC 3261 §21.6).
                let for_all = (600..700).contains(&status);
                self.branch_over(branch, for_all, out);
            }
            PhoneEvent::Unreachable(why) if known => {
                phone.why = why;
                self.branch_over(branch, false, out);
            }
            _ => {}
        }
    }

    fn branch_over(&mut self, branch: Branch, for_all: bool, out: &mut Vec<Output>) {
        let Agent::Phone(phone) = &mut self.agent else { return };
        phone.branches.retain(|b| *b != branch);
        if phone.picked.is_some() || (!phone.branches.is_empty() && !for_all) {
            return;
        }
        let (ring, refused, why) = (phone.ring, phone.refused, std::mem::take(&mut phone.why));
        self.drop_agent(out);
        let Some(ring) = ring else { return };
        if refused {
            let Ring { token, agent } = ring;
            out.push(Output::Fact(CallFact::AgentRefused { interaction: self.interaction, token, agent }));
        } else {
            self.unreachable(ring, why, out);
        }
    }

    /// What the picked-up phone does in its dialog.
    pub(super) fn phone_did(&mut self, branch: Branch, event: Peer, now: Timestamp, out: &mut Vec<Output>) {
        if self.guest_did(branch, &event, now, out) {
            return;
        }
        let Agent::Phone(phone) = &mut self.agent else {
            return self.far_end_did(branch, event, now, out);
        };
        if phone.picked != Some(branch) {
            return;
        }
        let leg = phone.leg;
        match event {
            // After the lease was accepted the agent's hanging up ends the call; before, the phone is just not there.
            Peer::Bye | Peer::NeverAcknowledged if matches!(self.link, Link::Apart) => {
                self.phone_left(out);
            }
            Peer::Bye if self.leaves_for_referral(Side::Phone(branch)) => {}
            Peer::Bye => {
                self.phone_is_gone();
                self.seat_hung_up(out);
            }
            Peer::Refer { id, to } => self.refer_asked(Side::Phone(branch), (id, to), now, out),
            Peer::Offer { id, sdp } => self.offered(Side::Phone(branch), id, sdp, out),
            Peer::OfferAcknowledged(answer) => self.offer_answered(Side::Phone(branch), answer, out),
            Peer::Renewed | Peer::RenewalAnswered(_) => self.seat_renewed(&event, now, out),
            Peer::Digit(digit) => drop(self.confirmed(leg, digit, out)),
            Peer::Acknowledged(_) | Peer::NeverAcknowledged | Peer::Cancelled => {}
        }
    }

    fn phone_left(&mut self, out: &mut Vec<Output>) {
        let Some(ring) = self.agent.ring() else { return };
        self.phone_is_gone();
        self.drop_agent(out);
        self.unreachable(ring, "the phone hung up before it was connected".to_owned(), out);
    }

    /// It hung up itself: nothing is to be sent to it.
    pub(super) fn phone_is_gone(&mut self) {
        if let Agent::Phone(phone) = &mut self.agent {
            phone.picked = None;
            phone.branches.clear();
        }
    }

    pub(super) fn agent_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.agent.deadline() > now {
            return;
        }
        if let Agent::Dialled(dialling) = &mut self.agent {
            let news = dialling.tick(now, out);
            self.far_end_dialled(news, out);
        } else if matches!(self.agent, Agent::Outside(_)) {
            self.outside_tick(now, out);
        } else if matches!(&self.agent, Agent::Phone(phone) if phone.confirming.is_some()) {
            self.give_up_phone("who picked up did not press 1".to_owned(), out);
        } else {
            self.give_up_phone("nobody picked up".to_owned(), out);
        }
    }
}

/// Ends every branch that rings or stands.
pub(super) fn end_branches(phone: &Phone, out: &mut Vec<Output>) {
    for branch in phone.branches.iter().chain(&phone.picked) {
        out.push(Output::Phone(*branch, PhoneOrder::End));
    }
}
