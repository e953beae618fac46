//! Who comes into a call from another one, or as a supervisor, and is there beside its two ends.
//!
//! A guest keeps the name of the call it came from: orders about it and facts about it carry that name, and its `Ended` is the
//! last of them. How somebody comes over is in `handover`; who hears whom, in `seating`; who goes, in `leaving`.

use std::time::Duration;

use media::control::{Answer, MediaError};
use model::call::{Attending, CallFact};
use model::id::{InteractionId, LegId, UserId};
use model::interaction::EndedBy;
use model::media::StreamStats;
use model::time::Timestamp;

use super::customer::{Pending, Side};
use super::ending::Last;
use super::link::Faults;
use super::timer::Due;
use super::who::{DialogLine, Line, Who};
use super::words::{Branch, GuestOrder, MediaOrder, Output, Peer, PhoneOrder};
use super::{Call, SOFTPHONE_AWAY_MAX};

/// Most guests of a call: with the two ends, who talk and listen there still understand each other.
pub(super) const GUESTS_MAX: usize = 14;

/// Somebody beside the two ends of a call.
#[derive(Debug)]
pub(super) struct Guest {
    /// The call they came from, or the name of their part.
    pub(super) name: InteractionId,
    pub(super) who: Who,
    /// How they take part: whoever talked in another call, as everybody.
    pub(super) how: Attending,
    pub(super) faults: Faults,
}

impl Guest {
    /// Whoever talked in another call.
    pub(super) fn member(name: InteractionId, who: Who) -> Self {
        Self { name, who, how: Attending::BargeIn, faults: Faults::default() }
    }

    /// Whether they are one of those who talk with each other, rather than a supervisor who listens or coaches.
    pub(super) fn is_member(&self) -> bool {
        self.how == Attending::BargeIn
    }

    /// Lets go of their line: what is to be asked of the media plane, and what is said then.
    pub(super) fn let_go(
        self,
        by: EndedBy,
        failure: Option<String>,
        out: &mut Vec<Output>,
    ) -> (MediaOrder, Last) {
        let (leg, party, figures) = (self.who.half(), self.who.party, self.who.figures());
        let last = Last::GuestOver { name: self.name, leg, party, figures, end: Some((by, failure)) };
        (self.who.let_go(!self.who.state.holds, out), last)
    }
}

/// The dialog of one of these.
pub(super) fn line_of(guests: &mut [Guest], branch: Branch) -> Option<&mut DialogLine> {
    guests.iter_mut().find_map(|guest| match &mut guest.who.line {
        Line::Dialog(line) if line.branch == branch => Some(&mut **line),
        _ => None,
    })
}

impl Call {
    pub(super) fn guest_mut(&mut self, name: InteractionId) -> Option<&mut Guest> {
        self.guests.iter_mut().find(|guest| guest.name == name)
    }

    /// The dialog of a guest.
    fn guest_line(&mut self, branch: Branch) -> Option<&mut DialogLine> {
        line_of(&mut self.guests, branch)
    }

    /// The media plane set a guest's leg up anew; `false`: it is none of a guest's.
    pub(super) fn guest_configured(
        &mut self,
        leg: LegId,
        result: &Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) -> bool {
        let line = self.guests.iter_mut().find_map(|guest| match &mut guest.who.line {
            Line::Dialog(line) if line.leg == leg => Some(&mut **line),
            _ => None,
        });
        let Some(line) = line else { return false };
        let side = Side::Phone(line.branch);
        if let Some(Pending { id, sdp }) = line.pending.take() {
            self.reply_after(side, id, sdp, result.clone(), out);
        }
        true
    }

    /// Figures of a guest's leg came; `false`: it is none of a guest's.
    pub(super) fn guest_figures(&mut self, leg: LegId, stats: StreamStats) -> bool {
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.who.media() == leg) else { return false };
        let held = guest.who.state.holds;
        if let Line::Softphone(soft) = &mut guest.who.line {
            soft.tally.take_from(stats, held);
        }
        true
    }

    /// Something about a guest's sound changed.
    pub(super) fn guest_quality(
        &mut self,
        leg: LegId,
        change: impl FnOnce(&mut Faults),
        out: &mut Vec<Output>,
    ) {
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.who.media() == leg) else { return };
        let was_poor = guest.faults != Faults::default();
        change(&mut guest.faults);
        let poor = guest.faults != Faults::default();
        if poor != was_poor {
            let (interaction, party) = (guest.name, guest.who.party);
            out.push(Output::Fact(CallFact::QualityChanged { interaction, party, poor }));
        }
    }

    /// Nothing comes from a guest's leg any more.
    pub(super) fn guest_silent(&mut self, leg: LegId, lasting: Duration, out: &mut Vec<Output>) -> bool {
        let Some(guest) = self.guests.iter().find(|guest| guest.who.media() == leg) else { return false };
        if matches!(&guest.who.line, Line::Dialog(line) if line.session.expects_audio()) {
            let failure = format!("nothing was heard from the other side for {} s", lasting.as_secs());
            self.drop_guest(guest.name, EndedBy::System, Some(failure), out);
        }
        true
    }

    fn guest_of(&self, branch: Branch) -> Option<InteractionId> {
        let has = |guest: &&Guest| matches!(&guest.who.line, Line::Dialog(line) if line.branch == branch);
        self.guests.iter().find(has).map(|guest| guest.name)
    }

    /// The name of the guest who is this agent.
    pub(super) fn guest_named(&self, agent: UserId) -> Option<InteractionId> {
        self.guests.iter().find(|guest| guest.who.agent == Some(agent)).map(|guest| guest.name)
    }

    /// What a guest does in its dialog; `false`: it is none of a guest's.
    pub(super) fn guest_did(
        &mut self,
        branch: Branch,
        event: &Peer,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(name) = self.guest_of(branch) else { return false };
        match event.clone() {
            Peer::Bye => self.guest_hung_up(name, out),
            Peer::NeverAcknowledged | Peer::RenewalAnswered(408 | 481) => {
                self.drop_guest(name, EndedBy::System, Some("the other side is gone".to_owned()), out);
            }
            Peer::Offer { id, sdp } => self.offered(Side::Phone(branch), id, sdp, out),
            Peer::OfferAcknowledged(answer) => self.offer_answered(Side::Phone(branch), answer, out),
            Peer::Renewed | Peer::RenewalAnswered(_) => {
                if let Some(timer) = self.guest_line(branch).and_then(|line| line.timer.as_mut()) {
                    timer.renewed(now);
                }
            }
            Peer::Refer { id, to } => self.refer_asked(Side::Phone(branch), (id, to), now, out),
            Peer::Acknowledged(_) | Peer::Cancelled | Peer::Digit(_) => {}
        }
        true
    }

    fn guest_hung_up(&mut self, name: InteractionId, out: &mut Vec<Output>) {
        let by = self.guests.iter().find(|guest| guest.name == name).map(|guest| guest.who.side());
        if let Some(by) = by {
            self.drop_guest(name, by, None, out);
        }
    }

    /// An order about a guest.
    pub(super) fn order_guest(&mut self, name: InteractionId, order: GuestOrder, out: &mut Vec<Output>) {
        let interaction = name;
        let Some(guest) = self.guest_mut(name) else { return };
        let media = guest.who.media();
        match order {
            GuestOrder::HangUp(by) => self.drop_guest(name, by, None, out),
            GuestOrder::Mute { agent, muted } => {
                let fits = guest.who.agent == Some(agent) && guest.who.state.muted != muted;
                if fits {
                    guest.who.state.muted = muted;
                    out.push(Output::Media(MediaOrder::Mute { leg: media, muted }));
                    out.push(Output::Fact(CallFact::MuteChanged { interaction, agent, muted }));
                }
            }
            GuestOrder::Hold { agent, held } => {
                if guest.who.agent == Some(agent) {
                    self.guest_holds(name, held, out);
                }
            }
            // What they press goes to the customer, as what the agent presses does.
            GuestOrder::SendDigits { agent, digits } => {
                if guest.who.agent == Some(agent) && guest.is_member() && self.customer.has_leg() {
                    self.digits_to(self.leg, digits, out);
                }
            }
        }
    }

    /// A guest hears nobody and is heard by nobody, or comes back. Saying it twice changes nothing.
    pub(super) fn guest_holds(&mut self, name: InteractionId, held: bool, out: &mut Vec<Output>) {
        let Some(guest) = self.guest_mut(name) else { return };
        let Some(agent) = guest.who.agent.filter(|_| guest.who.state.holds != held) else { return };
        guest.who.state.holds = held;
        if let Line::Softphone(soft) = &mut guest.who.line {
            let leg = soft.media;
            if held {
                soft.tally.close();
                out.push(Output::Media(MediaOrder::Stats(leg)));
            } else {
                out.push(Output::Media(MediaOrder::Measure(leg)));
            }
        }
        self.arrange(out);
        out.push(Output::Fact(CallFact::HoldChanged { interaction: name, agent, held }));
    }

    /// A desk phone's own hold key.
    pub(super) fn guest_phone_holds(&mut self, branch: Branch, holds: bool, out: &mut Vec<Output>) {
        let Some(name) = self.guest_of(branch) else { return };
        let Some(line) = self.guest_line(branch) else { return };
        if std::mem::replace(&mut line.holds, holds) != holds {
            self.guest_holds(name, holds, out);
        }
    }

    /// A guest's softphone came or went; `false`: it is none of a guest's.
    pub(super) fn guest_moved(
        &mut self,
        leg: LegId,
        up: bool,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> bool {
        let is_soft =
            |guest: &&mut Guest| matches!(&guest.who.line, Line::Softphone(soft) if soft.media == leg);
        let Some(guest) = self.guests.iter_mut().find(is_soft) else { return false };
        let state = &mut guest.who.state;
        let away_until = (!up).then(|| state.away_until.unwrap_or(now + SOFTPHONE_AWAY_MAX));
        if std::mem::replace(&mut state.away_until, away_until).is_some() == up {
            self.arrange(out);
        }
        true
    }

    /// The next moment at which a guest is waited for no longer, or its session is renewed.
    pub(super) fn guests_deadline(&self) -> Timestamp {
        let of = |guest: &Guest| {
            let away = guest.who.state.away_until.unwrap_or(Timestamp::NEVER);
            match &guest.who.line {
                Line::Dialog(line) => line.timer.map_or(away, |timer| away.min(timer.deadline())),
                Line::Softphone(_) => away,
            }
        };
        self.guests.iter().map(of).min().unwrap_or(Timestamp::NEVER)
    }

    pub(super) fn guests_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let mut gone = Vec::new();
        for guest in &mut self.guests {
            if guest.who.state.away_until.is_some_and(|until| until <= now) {
                gone.push((guest.name, "the softphone did not come back"));
            } else if let Line::Dialog(line) = &mut guest.who.line {
                match line.timer.as_mut().and_then(|timer| timer.due(now)) {
                    None => {}
                    Some(Due::Renew) => out.push(Output::Phone(line.branch, PhoneOrder::Renew)),
                    Some(Due::Expired) => {
                        gone.push((guest.name, "the other side did not renew the session"));
                    }
                }
            }
        }
        for (name, why) in gone {
            if self.ending.is_none() {
                self.drop_guest(name, EndedBy::System, Some(why.to_owned()), out);
            }
        }
    }
}
