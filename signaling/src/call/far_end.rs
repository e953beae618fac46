//! A caller who is connected with a number outside: nobody of the house has a part in it.
//!
//! The number is dialled as in a call that we place (`dialling`), only that it is the other end: who called hears ringing, or what
//! the far end lets hear before it answers, and goes on in the flow when nobody does. Who answers is in the agent's place; there is
//! no hold and no mute, and whoever hangs up ends it.

use media::control::{Answer, MediaError};
use model::call::{CallFact, DialFailure, Sound};
use model::id::{LegId, RecordingId};
use model::journal::Party;
use model::time::Timestamp;

use super::Call;
use super::agent::Agent;
use super::customer::{Pending, Side};
use super::dialling::{Dialling, News};
use super::link::Link;
use super::session::Session;
use super::timer::SessionTimer;
use super::words::{Branch, Dial, Heard, Output, Peer, PhoneEvent, Step};

/// A number outside that answered.
#[derive(Debug)]
pub(super) struct FarEnd {
    pub(super) branch: Branch,
    pub(super) leg: LegId,
    pub(super) session: Session,
    /// Of one that came from another call, in which it had a timer.
    pub(super) timer: Option<SessionTimer>,
    pub(super) pending: Option<Pending>,
}

impl Call {
    /// Dials a number for a caller whom nobody serves. A second order, or one while somebody does, changes nothing.
    pub(super) fn dial_on(&mut self, dial: Dial, now: Timestamp, out: &mut Vec<Output>) {
        if !matches!((&self.link, &self.agent), (Link::Apart, Agent::Nobody)) {
            return;
        }
        (self.then_hang_up, self.playing) = (false, None);
        match Dialling::begin(dial, self.ability.clone(), Some(self.leg), now, out) {
            Some(dialling) => self.agent = Agent::Dialled(Box::new(dialling)),
            None => self.far_end_failed(DialFailure::Unreachable, None, out),
        }
    }

    /// Whether this is the trunk over which a number is dialled for the caller.
    pub(super) fn dials_on(&self, branch: Branch) -> bool {
        matches!(&self.agent, Agent::Dialled(dialling) if dialling.branch() == branch)
    }

    pub(super) fn far_end_said(&mut self, event: PhoneEvent, now: Timestamp, out: &mut Vec<Output>) {
        let Agent::Dialled(dialling) = &mut self.agent else { return };
        let news = dialling.said(event, now, out);
        self.far_end_dialled(news, out);
    }

    /// The media plane's answers about the far end's leg.
    pub(super) fn far_end_media(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        match &mut self.agent {
            Agent::Dialled(dialling) => {
                let news = dialling.media(step, result, now, out);
                self.far_end_dialled(news, out);
            }
            Agent::FarEnd(far) => {
                let (side, waiting) = (Side::Phone(far.branch), far.pending.take());
                if let Some(Pending { id, sdp }) = waiting {
                    self.reply_after(side, id, sdp, result, out);
                }
            }
            Agent::Outside(_) => self.outside_media(step, result, now, out),
            Agent::Nobody | Agent::Softphone(_) | Agent::Phone(_) => {}
        }
    }

    /// Follows what came of dialling.
    pub(super) fn far_end_dialled(&mut self, news: Option<News>, out: &mut Vec<Output>) {
        let Agent::Dialled(dialling) = &self.agent else { return };
        let (interaction, leg, trunk) = (self.interaction, dialling.leg(), dialling.trunk());
        match news {
            None | Some(News::NextTrunk) => {}
            Some(News::Ringing { early }) => {
                let heard = if early { Heard::Leg(leg) } else { Heard::Sound(Sound::Ringback) };
                self.hear(self.leg, heard, out);
                out.push(Output::Fact(CallFact::FarEndRinging { interaction, trunk }));
            }
            Some(News::Failed { why, status }) => {
                self.agent = Agent::Nobody;
                self.far_end_failed(why, status, out);
            }
            Some(News::Answered) => {
                let taken = std::mem::replace(&mut self.agent, Agent::Nobody);
                let Agent::Dialled(dialling) = taken else { return };
                let branch = dialling.branch();
                // It keeps the session alive itself: our INVITE did not offer to.
                let (session, _) = dialling.into_session();
                if let Some(codec) = session.codec() {
                    let (party, secure) = (Party::FarEnd, session.is_secure());
                    out.push(Output::Fact(CallFact::LegAnswered { interaction, leg, party, codec, secure }));
                }
                self.agent =
                    Agent::FarEnd(Box::new(FarEnd { branch, leg, session, timer: None, pending: None }));
                // What is said first is heard, however long the recording takes to begin.
                self.hear(self.leg, Heard::Leg(leg), out);
                out.push(Output::Fact(CallFact::FarEndAnswered { interaction, trunk }));
            }
        }
    }

    fn far_end_failed(&mut self, why: DialFailure, status: Option<u16>, out: &mut Vec<Output>) {
        self.hear(self.leg, Heard::Nothing, out);
        out.push(Output::Fact(CallFact::DialFailed { interaction: self.interaction, why, status }));
    }

    /// The caller and the number that answered are joined.
    pub(super) fn join_far_end(
        &mut self,
        record: Option<RecordingId>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        if matches!((&self.link, &self.agent), (Link::Apart, Agent::FarEnd(_))) {
            self.link_with(Party::FarEnd, record, false, now, out);
        }
    }

    /// What the number that answered does in its dialog.
    pub(super) fn far_end_did(&mut self, branch: Branch, event: Peer, now: Timestamp, out: &mut Vec<Output>) {
        if !matches!(&self.agent, Agent::FarEnd(far) if far.branch == branch) {
            return;
        }
        match event {
            Peer::Bye | Peer::NeverAcknowledged => self.seat_hung_up(out),
            Peer::Offer { id, sdp } => self.offered(Side::Phone(branch), id, sdp, out),
            Peer::OfferAcknowledged(answer) => self.offer_answered(Side::Phone(branch), answer, out),
            Peer::Renewed | Peer::RenewalAnswered(_) => self.seat_renewed(&event, now, out),
            Peer::Refer { id, to } => self.refer_asked(Side::Phone(branch), (id, to), now, out),
            Peer::Acknowledged(_) | Peer::Cancelled | Peer::Digit(_) => {}
        }
    }
}
