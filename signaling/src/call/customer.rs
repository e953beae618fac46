//! The customer's leg: from INVITE to answer, and re-negotiation afterwards.

use media::control::{Answer, LegSetup, MediaError};
use model::call::{CallFact, Rejection};
use model::id::LegId;
use model::interaction::EndedBy;
use model::journal::Party;
use model::time::Timestamp;

use super::Call;
use super::agent::Agent;
use super::colleague::Colleague;
use super::dialling::Dialling;
use super::ending::Farewell;
use super::guest;
use super::words::{Answered, Branch, MediaOrder, Output, Peer, PeerOrder, PhoneOrder, RequestId, Step};
use crate::sdp::Refusal;

/// Where the customer's leg stands.
#[derive(Debug)]
pub(super) enum Customer {
    /// 100 was sent; nothing else binds us yet.
    Incoming {
        /// The description in the INVITE.
        offer: Option<String>,
        /// Without any order until then: 480. `None`: one came.
        give_up_at: Option<Timestamp>,
    },
    /// Its media leg is being made or set up; then `answer` goes out.
    Opening {
        /// Our answer, once the leg's address is known.
        answer: Option<String>,
    },
    /// 200 went out with our own offer; the ACK brings the answer.
    Offered,
    /// A colleague's softphone: it is there already, and no dialog with it.
    Colleague(Colleague),
    /// Of a call that we place: not dialled yet, or in vain.
    Nobody {
        /// Without any order until then it is over. `None`: one came.
        give_up_at: Option<Timestamp>,
    },
    /// Of a call that we place: being dialled.
    Dialling(Box<Dialling>),
    /// Left, or came over into another call; others go on talking, or the call ends.
    Gone,
    /// Up.
    Answered {
        /// A request within the dialog whose answer waits for the media plane.
        pending: Option<Pending>,
    },
}

/// A re-negotiation that waits for the media plane.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: RequestId,
    pub(super) sdp: String,
}

impl Customer {
    pub(super) fn deadline(&self) -> Timestamp {
        match self {
            Self::Incoming { give_up_at: Some(at), .. } => *at,
            Self::Colleague(Colleague { give_up_at: Some(at), .. }) => *at,
            Self::Nobody { give_up_at: Some(at) } => *at,
            _ => Timestamp::NEVER,
        }
    }
    pub(super) fn ordered(&mut self) {
        if let Self::Incoming { give_up_at, .. }
        | Self::Colleague(Colleague { give_up_at, .. })
        | Self::Nobody { give_up_at } = self
        {
            *give_up_at = None;
        }
    }
    /// How the far end is told that it is over.
    pub(super) fn farewell(&self) -> Farewell {
        match self {
            Self::Incoming { .. } | Self::Opening { .. } => Farewell::Refuse(480),
            Self::Offered | Self::Answered { .. } => Farewell::Bye,
            Self::Colleague(_) | Self::Nobody { .. } | Self::Gone => Farewell::None,
            Self::Dialling(dialling) => Farewell::LetGo(dialling.branch()),
        }
    }
    /// Whether there is a media leg, or one was asked for.
    pub(super) fn has_leg(&self) -> bool {
        match self {
            Self::Incoming { .. } | Self::Nobody { .. } | Self::Gone => false,
            Self::Dialling(dialling) => dialling.has_leg(),
            _ => true,
        }
    }
    /// Whether that leg is this call's own, rather than a softphone's, which outlives calls.
    pub(super) fn owns_leg(&self) -> bool {
        self.has_leg() && !matches!(self, Self::Colleague(_))
    }
}

/// Which dialog a re-negotiation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Customer,
    Phone(Branch),
}

impl Call {
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.customer, Customer::Answered { .. } | Customer::Colleague(_))
    }

    /// Answers the customer, if nobody has begun to.
    pub(super) fn open(&mut self, out: &mut Vec<Output>) {
        let Customer::Incoming { offer, .. } = &mut self.customer else { return };
        let offer = offer.take();
        if let Some(offer) = &offer
            && let Err(why) = self.session.consider(offer)
        {
            return self.refuse_description(&why, out);
        }
        self.customer = Customer::Opening { answer: None };
        out.push(Output::Media(MediaOrder::Create { leg: self.leg, near: None }));
    }

    pub(super) fn reject(&mut self, why: Rejection, now: Timestamp, out: &mut Vec<Output>) {
        if let Customer::Colleague(_) = self.customer {
            return self.colleague_is_busy(now, out);
        }
        let farewell = match (&self.customer, why) {
            (Customer::Incoming { .. } | Customer::Opening { .. }, Rejection::UnknownNumber) => {
                Farewell::Refuse(404)
            }
            (Customer::Incoming { .. } | Customer::Opening { .. }, Rejection::NobodyThere) => {
                Farewell::Refuse(480)
            }
            (Customer::Incoming { .. } | Customer::Opening { .. }, Rejection::Busy) => Farewell::Refuse(486),
            (Customer::Incoming { .. } | Customer::Opening { .. }, Rejection::Declined) => {
                Farewell::Refuse(603)
            }
            (Customer::Incoming { .. } | Customer::Opening { .. }, Rejection::Overloaded) => {
                Farewell::Overloaded
            }
            (Customer::Nobody { .. } | Customer::Dialling(_) | Customer::Gone, _) => self.customer.farewell(),
            // Too late to refuse: it can only be ended.
            (Customer::Offered | Customer::Answered { .. } | Customer::Colleague(_), _) => Farewell::Bye,
        };
        self.end_with(EndedBy::System, None, farewell, out);
    }

    pub(super) fn no_order_came(&mut self, out: &mut Vec<Output>) {
        let failure = (!self.then_hang_up).then(|| "nobody took up the call".to_owned());
        self.end(EndedBy::System, failure, out);
    }

    pub(super) fn customer_did(&mut self, event: Peer, now: Timestamp, out: &mut Vec<Output>) {
        // With a softphone there is no dialog, so nothing can come over one; nor with whom was not reached yet.
        let without = matches!(
            self.customer,
            Customer::Colleague(_) | Customer::Nobody { .. } | Customer::Dialling(_) | Customer::Gone
        );
        if without || self.common_peer_event(&event, now) {
            return;
        }
        match event {
            Peer::Cancelled => self.end_with(EndedBy::Customer, None, Farewell::Cancelled, out),
            Peer::Bye if self.leaves_for_referral(Side::Customer) => {}
            Peer::Bye => self.customer_left(EndedBy::Customer, None, Farewell::None, out),
            Peer::Acknowledged(answer) => self.acknowledged(answer, now, out),
            Peer::NeverAcknowledged => {
                let failure = "the customer's side never acknowledged our answer".to_owned();
                self.customer_failed(failure, out);
            }
            Peer::Offer { id, sdp } => self.offered(Side::Customer, id, sdp, out),
            Peer::OfferAcknowledged(answer) => self.offer_answered(Side::Customer, answer, out),
            // RFC 4028 §10: 408 and 481 end the session; others leave it to the next try.
            Peer::RenewalAnswered(408 | 481) => {
                self.customer_failed("the customer's side is gone".to_owned(), out);
            }
            Peer::RenewalAnswered(_) => {
                if let Some(timer) = &mut self.timer {
                    timer.renewed(now);
                }
            }
            Peer::Digit(digit) => self.digit(digit, out),
            Peer::Refer { id, to } => self.refer_asked(Side::Customer, (id, to), now, out),
            Peer::Renewed => {}
        }
    }

    fn acknowledged(&mut self, answer: Option<String>, now: Timestamp, out: &mut Vec<Output>) {
        if !matches!(self.customer, Customer::Offered) {
            return;
        }
        let applied = match &answer {
            Some(sdp) => self.session.apply(sdp).map_err(|e| e.to_string()),
            None => Err("the ACK has no answer to our offer".to_owned()),
        };
        match applied {
            Ok((Some(setup), _)) => {
                self.customer = Customer::Opening { answer: None };
                self.configure(self.leg, setup, out);
            }
            Ok((None, _)) => self.answered(now, out),
            Err(why) => self.end(EndedBy::System, Some(why), out),
        }
    }

    /// What the media plane says to the steps of opening and re-negotiation of the customer's leg.
    pub(super) fn customer_media(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        if let Customer::Dialling(dialling) = &mut self.customer {
            let news = dialling.media(step, result, now, out);
            return self.customer_dialled(news, now, out);
        }
        match (&mut self.customer, step, result) {
            (Customer::Opening { .. }, Step::Created(_), Ok(Answer::Created(at))) => self.leg_made(at, out),
            (Customer::Opening { answer }, Step::Configured(_), Ok(_)) => {
                // Without an answer, ours was the offer and the 200 is out already.
                if let Some(sdp) = answer.take() {
                    out.push(Output::Customer(PeerOrder::Answer { sdp }));
                }
                self.answered(now, out);
            }
            (Customer::Opening { .. }, _, Err(why)) => {
                let farewell = match (&self.customer, &why) {
                    (Customer::Opening { answer: None }, _) if self.session.codec().is_some() => {
                        Farewell::Bye
                    }
                    (_, MediaError::PortsExhausted(_) | MediaError::Unavailable) => Farewell::Overloaded,
                    _ => Farewell::Refuse(500),
                };
                self.end_with(EndedBy::System, Some(why.to_string()), farewell, out);
            }
            (Customer::Answered { pending }, Step::Configured(_), result) => {
                let Some(Pending { id, sdp }) = pending.take() else { return };
                self.reply_after(Side::Customer, id, sdp, result, out);
            }
            _ => {}
        }
    }

    fn leg_made(&mut self, at: media::control::LegCreated, out: &mut Vec<Output>) {
        if self.session.has_considered() {
            match self.session.answer_at(at) {
                Ok(turn) => {
                    self.customer = Customer::Opening { answer: Some(turn.sdp) };
                    if let Some(setup) = turn.setup {
                        self.configure(self.leg, setup, out);
                    }
                }
                Err(why) => self.refuse_description(&why, out),
            }
        } else {
            match self.session.offer_at(at) {
                Ok(sdp) => {
                    self.customer = Customer::Offered;
                    out.push(Output::Customer(PeerOrder::Answer { sdp }));
                }
                Err(why) => self.refuse_description(&why, out),
            }
        }
    }

    pub(super) fn answered(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.customer = Customer::Answered { pending: None };
        if let Some(timer) = &mut self.timer {
            timer.renewed(now);
        }
        self.leg_answered(self.leg, Party::Customer, out);
        for wish in std::mem::take(&mut self.wishes) {
            if self.ending.is_none() {
                self.order(wish, now, out);
            }
        }
    }

    fn leg_answered(&mut self, leg: LegId, party: Party, out: &mut Vec<Output>) {
        let Some(codec) = self.session.codec() else { return };
        let secure = self.session.is_secure();
        out.push(Output::Fact(CallFact::LegAnswered {
            interaction: self.interaction,
            leg,
            party,
            codec,
            secure,
        }));
    }

    fn refuse_description(&mut self, why: &Refusal, out: &mut Vec<Output>) {
        let farewell = match self.customer.farewell() {
            Farewell::Refuse(_) => Farewell::Description(why.status(), why.warning("appliance")),
            other => other,
        };
        self.end_with(EndedBy::System, Some(why.to_string()), farewell, out);
    }

    pub(super) fn configure(&self, leg: LegId, setup: LegSetup, out: &mut Vec<Output>) {
        out.push(Output::Media(MediaOrder::Configure { leg, setup: Box::new(setup) }));
    }

    /// An offer in a running session, from either side.
    pub(super) fn offered(&mut self, side: Side, id: RequestId, sdp: Option<String>, out: &mut Vec<Output>) {
        let Some((leg, session, pending)) = self.negotiation(side) else {
            return self.reply(side, id, 491, None, None, out);
        };
        if pending.is_some() || session.awaits_answer() {
            // RFC 3261 §14.2: one at a time; the far end tries again a little later.
            return self.reply(side, id, 491, None, None, out);
        }
        let Some(sdp) = sdp else {
            return match session.offer_again() {
                Ok(sdp) => self.reply(side, id, 200, Some(sdp), None, out),
                Err(why) => self.reply(side, id, why.status(), None, why.warning("appliance"), out),
            };
        };
        match session.renegotiate(&sdp) {
            Err(why) => self.reply(side, id, why.status(), None, why.warning("appliance"), out),
            Ok(turn) => {
                match turn.setup {
                    // A renewal of the session: nothing changed.
                    None => self.reply(side, id, 200, Some(turn.sdp), None, out),
                    Some(setup) => {
                        *pending = Some(Pending { id, sdp: turn.sdp });
                        self.configure(leg, setup, out);
                    }
                }
                self.peer_holds(side, turn.held, out);
            }
        }
    }

    /// The ACK brought the answer to the offer we made in reply to an empty re-INVITE.
    pub(super) fn offer_answered(&mut self, side: Side, answer: Option<String>, out: &mut Vec<Output>) {
        let Some((leg, session, _)) = self.negotiation(side) else { return };
        if !session.awaits_answer() {
            return;
        }
        // Without a usable answer the session stays as it was (RFC 3261 §14.2).
        let Some(Ok((setup, held))) = answer.map(|sdp| session.apply(&sdp)) else { return };
        if let Some(setup) = setup {
            self.configure(leg, setup, out);
        }
        self.peer_holds(side, held, out);
    }

    pub(super) fn reply_after(
        &mut self,
        side: Side,
        id: RequestId,
        sdp: String,
        result: Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) {
        match result {
            Ok(_) => self.reply(side, id, 200, Some(sdp), None, out),
            Err(_) => self.reply(side, id, 500, None, None, out),
        }
    }

    pub(super) fn reply(
        &self,
        side: Side,
        id: RequestId,
        status: u16,
        sdp: Option<String>,
        warning: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let answered = Answered { id, status, sdp, warning };
        out.push(match side {
            Side::Customer => Output::Customer(PeerOrder::Reply(answered)),
            Side::Phone(branch) => Output::Phone(branch, PhoneOrder::Reply(answered)),
        });
    }

    /// The leg, session and pending place of a side that is up.
    fn negotiation(
        &mut self,
        side: Side,
    ) -> Option<(LegId, &mut super::session::Session, &mut Option<Pending>)> {
        match side {
            Side::Customer => match &mut self.customer {
                Customer::Answered { pending } => Some((self.leg, &mut self.session, pending)),
                _ => None,
            },
            Side::Phone(branch) => match &mut self.agent {
                Agent::Phone(phone) if phone.picked == Some(branch) => {
                    Some((phone.leg, &mut phone.session, &mut phone.pending))
                }
                Agent::FarEnd(far) if far.branch == branch => {
                    Some((far.leg, &mut far.session, &mut far.pending))
                }
                _ => {
                    let line = guest::line_of(&mut self.guests, branch)?;
                    Some((line.leg, &mut line.session, &mut line.pending))
                }
            },
        }
    }
}
