//! The call machine: whoever calls, at most one agent who answers, and what is said between them. Pure.
//!
//! Who calls is a customer or, in an internal call, an agent; the calling end is called the customer's all the same, and so is
//! the far end of a call that we place (`placed`).
//!
//! The states say what is true and hold nothing else: a deadline cannot outlive ringing, a recording cannot outlive its
//! call. Three small machines stand side by side, because they move on their own:
//!
//! - the [`Customer`]'s leg: incoming, opening (the media leg is being made), answered, over; or an agent's softphone, which
//!   is there already (`colleague`); or dialled over trunks (`dialling`);
//! - the [`Agent`]'s: nobody, a phone that rings or was picked up, a softphone; or in the agent's place a number outside
//!   (`far_end`);
//! - their [`Link`]: apart, connecting (recording starts, two tones), joined (perhaps held, perhaps without a softphone);
//!   `figures` are read meanwhile. An agent may leave a customer who stays (`release`): then they are apart again.
//!
//! Beside the two ends there may be `guest`s: whoever comes over from another call (`joining`, `handover`), and supervisors. Who hears whom
//! then, `seating` works out; who goes on when somebody leaves, `leaving`.
//!
//! [`Call::handle`] takes what happened and says what has to be done. The driver carries out all outputs, hands in the
//! media plane's answers, and only then whatever else came in; so a media order is never in flight while something
//! else is decided. Once [`CallFact::Ended`] was said, nothing follows.
//!
//! Not here: the dialogs' tags and numbers (`endpoint::dialog`), a single INVITE's CANCEL races ([`fork`]), the softphones
//! themselves, which outlive calls (`phones::softphone`), and who may call at all (`service`).

pub mod fork;
pub mod refusal;
pub mod session;
pub mod timer;
pub mod who;
pub mod words;

mod agent;
mod aside;
mod colleague;
#[cfg(test)]
mod colleague_tests;
mod connect;
mod customer;
mod dialling;
mod ending;
mod far_end;
mod figures;
#[cfg(test)]
mod fixture;
mod guest;
mod handover;
mod joining;
mod leaving;
mod link;
mod message;
mod outside;
mod placed;
mod playing;
mod referral;
mod release;
mod seating;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub(crate) mod driver;

use std::time::Duration;

use media::control::{Event, Latching};
use media::quality::watch::Trouble;
use model::call::{CallFact, Sound, Source};
use model::id::{InteractionId, LegId, RecordingId, TenantId, UserId};
use model::interaction::EndedBy;
use model::service::SrtpPolicy;
use model::time::Timestamp;

use crate::sdp::{Ability, KeySeed};
use agent::Agent;
pub use colleague::NewInside;
use customer::Customer;
pub use dialling::ATTEMPTS_MAX;
use ending::{Ending, Last};
use guest::Guest;
use handover::Given;
use joining::Joining;
use link::Link;
pub use placed::NewPlaced;
use playing::Playing;
use referral::Referral;
use seating::Seating;
use session::Session;
use timer::SessionTimer;
use words::{Heard, Input, MediaOrder, Order, Output, Peer, PeerOrder, PhoneEvent, Step};

/// An unanswered call without any order ends with 480 after this time.
pub const UNORDERED_MAX: Duration = Duration::from_secs(10);
/// A phone rings no longer than this, whatever the desk forgets.
pub const RINGING_MAX: Duration = Duration::from_secs(120);
/// The busy tone in a softphone is over after this time, even if the plane does not say so.
pub const BUSY_MAX: Duration = Duration::from_secs(10);
/// The two tones are over after this time, even if the plane does not say so.
pub const ANNOUNCEMENT_MAX: Duration = Duration::from_secs(3);
/// How long a call waits for a softphone that was lost (WRTC-02).
pub const SOFTPHONE_AWAY_MAX: Duration = Duration::from_secs(30);
/// How often figures are read while customer and agent talk.
pub const QUALITY_EVERY: Duration = Duration::from_secs(2);
/// A customer who was silent before being connected gets this long to be heard.
pub const SILENCE_GRACE: Duration = Duration::from_secs(10);
/// Orders that may wait for the customer's leg.
const WISHES_MAX: usize = 8;

/// What is known of a call when its INVITE was accepted for looking at.
#[derive(Debug)]
pub struct NewCall {
    /// Its id.
    pub interaction: InteractionId,
    /// The tenant of the trunk or phone.
    pub tenant: TenantId,
    /// The trunk or the phone.
    pub from: Source,
    /// Its terms of encryption.
    pub srtp: SrtpPolicy,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// The description in the INVITE; `None`: it wants our offer.
    pub offer: Option<String>,
    /// The customer's leg.
    pub leg: LegId,
    /// What we can do on SIP legs.
    pub ability: Ability,
    /// Our keys towards the customer.
    pub seed: KeySeed,
    /// Names our session description.
    pub session: u64,
    /// The session timer that was agreed, if any.
    pub timer: Option<SessionTimer>,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    interaction: InteractionId,
    leg: LegId,
    ability: Ability,
    /// The agent who calls, in an internal call.
    calling: Option<UserId>,
    /// We placed it: the customer is dialled.
    placed: bool,
    customer: Customer,
    /// The customer's session.
    session: Session,
    timer: Option<SessionTimer>,
    /// Nothing was heard from the customer since.
    silent_since: Option<Timestamp>,
    agent: Agent,
    link: Link,
    recording: Option<RecordingId>,
    /// The message that the caller leaves.
    message: Option<RecordingId>,
    /// The caller says nothing.
    quiet: bool,
    /// Whether the channels of the customer and of the agent are empty, though they should be heard.
    unheard: (bool, bool),
    /// Orders that wait until the customer's leg is answered.
    wishes: Vec<Order>,
    /// Hang up when the sound that is played now is over.
    then_hang_up: bool,
    /// Sounds by name: what is still to come, and what is said at the end.
    playing: Option<Playing>,
    /// What is said about those who left, with the media plane's answer to these steps.
    leaving: Vec<(Step, Last)>,
    /// Those who came from other calls, and supervisors; who is here longest first.
    guests: Vec<Guest>,
    /// How everybody sits, while there are guests.
    seating: Seating,
    /// Somebody is on the way from another call.
    joining: Option<Joining>,
    /// Somebody is on the way to another call.
    given: Option<Given>,
    /// An agent's phone asked for a transfer.
    referral: Option<Referral>,
    ending: Option<Ending>,
}

impl Call {
    /// A call that just came in; the first outputs tell the desk.
    pub fn begin(new: NewCall, now: Timestamp) -> (Self, Vec<Output>) {
        let latching = match new.from {
            Source::Trunk { .. } => new.ability.latching,
            Source::Phone { .. } => Latching::Any,
        };
        let ability = Ability { srtp: new.srtp, latching, ..new.ability.clone() };
        let session = Session::new(ability, new.seed, new.session);
        let customer = Customer::Incoming { offer: new.offer, give_up_at: Some(now + UNORDERED_MAX) };
        let mut call = Self::new(new.interaction, new.leg, new.ability, customer, session);
        call.timer = new.timer;
        if let Source::Phone { agent } = new.from {
            call.calling = Some(agent);
        }
        let incoming = CallFact::Incoming {
            interaction: new.interaction,
            tenant: new.tenant,
            from: new.from,
            caller: new.caller,
            caller_name: new.caller_name,
            contact: new.contact,
        };
        (call, vec![Output::Fact(incoming)])
    }

    fn new(
        interaction: InteractionId,
        leg: LegId,
        ability: Ability,
        customer: Customer,
        session: Session,
    ) -> Self {
        Self {
            interaction,
            leg,
            ability,
            calling: None,
            placed: false,
            customer,
            session,
            timer: None,
            silent_since: None,
            agent: Agent::Nobody,
            link: Link::Apart,
            recording: None,
            message: None,
            quiet: false,
            unheard: (false, false),
            wishes: Vec::new(),
            then_hang_up: false,
            playing: None,
            leaving: Vec::new(),
            guests: Vec::new(),
            seating: Seating::default(),
            joining: None,
            given: None,
            referral: None,
            ending: None,
        }
    }

    /// Moves on. `now` never runs backwards.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        if self.ending.is_some() {
            self.while_ending(input, &mut out);
            return out;
        }
        match input {
            Input::Order(order) => self.order(order, now, &mut out),
            Input::Customer(event) => self.customer_did(event, now, &mut out),
            Input::Phone(branch, event) if self.dials(branch) => {
                self.dialled_trunk_said(event, now, &mut out);
            }
            Input::Phone(branch, event) if self.dials_on(branch) => {
                self.far_end_said(event, now, &mut out);
            }
            Input::Phone(branch, event) if self.dials_agent(branch) => {
                self.outside_said(event, now, &mut out)
            }
            Input::Phone(branch, PhoneEvent::Peer(event)) => self.phone_did(branch, event, now, &mut out),
            Input::Phone(branch, event) => self.phone_said(branch, event, &mut out),
            Input::Softphone { leg, up } => self.softphone_moved(leg, up, now, &mut out),
            Input::Media(event) => self.media_said(event, now, &mut out),
            Input::Handed(from, who) => self.handed(from, *who, &mut out),
            Input::Kept(from, why) => self.kept(from, why, &mut out),
            Input::Given => self.given(&mut out),
            Input::GivenBack(who) => {
                self.given_back(*who);
                self.referral_failed(&mut out);
            }
            Input::Lost => self.lost(&mut out),
            Input::Done(step, result) => self.media_answered(step, result, now, &mut out),
            Input::Tick => self.tick(now, &mut out),
        }
        self.tell_referral(&mut out);
        out
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn next_deadline(&self) -> Timestamp {
        if self.ending.is_some() {
            return Timestamp::NEVER;
        }
        self.customer
            .deadline()
            .min(self.dialling_deadline())
            .min(self.agent.deadline())
            .min(self.seat_deadline())
            .min(self.guests_deadline())
            .min(self.joining_deadline())
            .min(self.referral_deadline())
            .min(self.link.deadline(self.silent_since))
            .min(self.timer.map_or(Timestamp::NEVER, |t| {
                if self.is_answered() { t.deadline() } else { Timestamp::NEVER }
            }))
    }

    /// Whether everything was said.
    pub fn is_over(&self) -> bool {
        self.ending.as_ref().is_some_and(Ending::is_over)
    }

    fn order(&mut self, order: Order, now: Timestamp, out: &mut Vec<Output>) {
        self.customer.ordered();
        match order {
            Order::Reject(why) => self.reject(why, now, out),
            Order::HangUp(by) => self.end(by, None, out),
            Order::Stop => self.end(EndedBy::System, Some("the appliance was stopped".to_owned()), out),
            Order::Dial(dial) if self.placed => self.dial(*dial, now, out),
            Order::RingPhones(phones) => self.ring_phones(*phones, now, out),
            Order::RingNumber(number) => self.ring_number(*number, now, out),
            Order::RingSoftphone { ring, softphone } => self.ring_softphone(ring, softphone, out),
            Order::RingNothing { ring, why } => self.ring_nothing(ring, why, out),
            Order::StopRinging { token } => self.stop_ringing(token, out),
            // These need an answered customer: it is answered for them.
            order @ (Order::Play { .. }
            | Order::PlaySounds { .. }
            | Order::RecordMessage(_)
            | Order::Connect(_)
            | Order::Dial(_)
            | Order::JoinFarEnd(_))
                if !self.is_answered() =>
            {
                if self.wishes.len() < WISHES_MAX {
                    self.wishes.push(order);
                }
                self.open(out);
            }
            Order::PlaySounds { number, sounds } => self.play_sounds(number, sounds, out),
            Order::RecordMessage(recording) => self.record_message(recording, out),
            Order::EndMessage => self.end_message(out),
            Order::Play { sound, then_hang_up } => self.play(sound, then_hang_up, out),
            Order::Connect(connect) => self.connect(connect, now, out),
            Order::Dial(dial) => self.dial_on(*dial, now, out),
            Order::JoinFarEnd(record) => self.join_far_end(record, now, out),
            Order::Release(agent) => self.release(agent, out),
            Order::Join(join) => self.join(join, now, out),
            Order::HandOver(handover) => self.hand_over(handover, out),
            Order::Leave(agent) => self.leave(agent, out),
            Order::Attend(attend) => self.attend(attend, now, out),
            Order::AnswerReferral(agent, refused) => self.answer_referral(agent, refused, out),
            Order::Guest(name, order) => self.order_guest(name, order, out),
            Order::Hold(agent) => self.hold(agent, true, out),
            Order::Retrieve(agent) => self.hold(agent, false, out),
            Order::TakeAside => self.take_aside(out),
            Order::BringBack => self.bring_back(out),
            Order::Mute { agent, muted } => self.mute(agent, muted, out),
            Order::PauseRecording { by, paused } => self.pause_recording(by, paused, out),
            Order::SendDigits { agent, digits } => self.send_digits(agent, digits, out),
        }
    }

    /// A sound for the customer instead of what is heard now. While customer and agent talk it is not played: that is what
    /// hold is for, and a late order must not tear them apart; unless the customer is aside.
    fn play(&mut self, sound: Sound, then_hang_up: bool, out: &mut Vec<Output>) {
        if !self.may_be_played_to() {
            return;
        }
        self.then_hang_up = then_hang_up && !sound.repeats();
        self.playing = None;
        self.hear(self.leg, Heard::Sound(sound), out);
    }

    fn media_said(&mut self, event: Event, now: Timestamp, out: &mut Vec<Output>) {
        match event {
            Event::PromptEnded { leg } if leg == self.leg => self.sound_over(out),
            Event::PromptEnded { leg } => self.heard_out(leg, out),
            Event::Started { leg } if leg == self.leg => self.silent_since = None,
            Event::Silent { leg, lasting } => self.fell_silent(leg, lasting, now, out),
            Event::Dtmf { leg, digit, .. } if leg == self.leg => self.digit(digit, out),
            Event::Dtmf { leg, digit, .. } => drop(self.confirmed(leg, digit, out)),
            Event::Quality { leg, poor, .. } => {
                self.quality_changed(leg, |faults| faults.limits = poor, out);
            }
            Event::Trouble { leg, trouble: Trouble::NothingReceived, began } => {
                self.quality_changed(leg, |faults| faults.one_way = began, out);
            }
            Event::Trouble { leg, trouble: Trouble::Clipping, began } => {
                self.quality_changed(leg, |faults| faults.clipping = began, out);
            }
            Event::Trouble { leg, trouble: Trouble::Silence, began } if leg == self.leg => {
                self.caller_silent(began, out);
            }
            Event::Trouble { leg, trouble: Trouble::NothingToRecord, began } => {
                // A far end that sends nothing where nothing is said.
                if leg == self.leg && self.message.is_some() {
                    self.caller_silent(began, out);
                }
                self.recording_silent(leg, began, out);
            }
            Event::RecordingFailed { recording, why } if self.recording == Some(recording) => {
                out.push(Output::Fact(CallFact::RecordingFailed {
                    interaction: self.interaction,
                    recording,
                    why,
                }));
            }
            Event::SecureFailed { leg, why } if leg == self.leg => {
                self.end(EndedBy::System, Some(format!("media could not be secured: {why}")), out);
            }
            _ => {}
        }
    }

    /// A sound that an agent heard is over.
    fn heard_out(&mut self, leg: LegId, out: &mut Vec<Output>) {
        if !self.ask_again(leg, out) {
            self.announcement_over(leg, out);
        }
    }

    fn sound_over(&mut self, out: &mut Vec<Output>) {
        if self.playing.is_some() {
            return self.next_sound(out);
        }
        if std::mem::take(&mut self.then_hang_up) && matches!(self.link, Link::Apart) {
            self.end(EndedBy::System, None, out);
        }
    }

    fn digit(&mut self, digit: char, out: &mut Vec<Output>) {
        out.push(Output::Fact(CallFact::DigitReceived { interaction: self.interaction, digit }));
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.customer.deadline() <= now {
            return self.no_order_came(out);
        }
        self.dialling_tick(now, out);
        self.agent_tick(now, out);
        self.link_tick(now, out);
        self.joining_tick(now, out);
        self.referral_tick(now, out);
        for tick in [Self::guests_tick, Self::seat_tick, Self::session_tick] {
            if self.ending.is_none() {
                tick(self, now, out);
            }
        }
    }

    fn session_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.ending.is_some() || !self.is_answered() {
            return;
        }
        match self.timer.as_mut().and_then(|t| t.due(now)) {
            None => {}
            Some(timer::Due::Renew) => out.push(Output::Customer(PeerOrder::Renew)),
            Some(timer::Due::Expired) => {
                self.customer_failed("the customer's side did not renew the session".to_owned(), out);
            }
        }
    }

    fn hear(&self, leg: LegId, heard: Heard, out: &mut Vec<Output>) {
        out.push(Output::Media(MediaOrder::Hear { leg, heard }));
    }

    /// What every dialog's peer may do the same way; `true` if it was that.
    fn common_peer_event(&mut self, event: &Peer, now: Timestamp) -> bool {
        match event {
            Peer::Renewed => {
                if let Some(timer) = &mut self.timer {
                    timer.renewed(now);
                }
                true
            }
            _ => false,
        }
    }
}
