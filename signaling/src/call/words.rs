//! What goes into a call and what comes out of it.

mod joining;

use std::time::Duration;

use media::control::{Answer, Channel, Event, LegSetup, MediaError, RoomOrder};
use model::call::{CallFact, ReferTo, Rejection, Sound};
use model::id::{InteractionId, LegId, OfferToken, RecordingId, TrunkId, UserId};
use model::interaction::EndedBy;
use model::service::SrtpPolicy;

pub use joining::{Attend, GuestOrder, HandOver, Join};

use super::refusal::Refusal;
use super::timer::SessionTimer;
use super::who::Who;
use crate::sdp::KeySeed;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The desk ordered something.
    Order(Order),
    /// The customer's side did something.
    Customer(Peer),
    /// A phone or a trunk that we rang did something.
    Phone(Branch, PhoneEvent),
    /// The agent's softphone came or went (by its media leg).
    Softphone {
        /// Its media leg.
        leg: LegId,
        /// Whether its media is up now.
        up: bool,
    },
    /// The media plane noticed something.
    Media(Event),
    /// Somebody comes from the call that was asked for them.
    Handed(InteractionId, Box<Who>),
    /// The call that was asked for somebody keeps them, and why.
    Kept(InteractionId, String),
    /// Whoever was handed to another call is there.
    Given,
    /// Whoever was handed to another call is back.
    GivenBack(Box<Who>),
    /// Whoever was handed to another call is lost with it.
    Lost,
    /// The media plane answered an order.
    Done(Step, Result<Answer, MediaError>),
    /// A deadline may have come.
    Tick,
}

/// One of the far ends that we invite: a phone rung for an offer, or a trunk over which a number is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Branch(pub u32);

/// A request within a dialog that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u32);

/// An order of the desk, with what the switchboard knows about the agent's phone.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Refuse the call.
    Reject(Rejection),
    /// Answer if need be, and play.
    Play {
        /// What.
        sound: Sound,
        /// Hang up at its end.
        then_hang_up: bool,
    },
    /// Answer if need be, and play sounds of these names, one after the other; none: silence.
    PlaySounds {
        /// Comes back when they are over.
        number: u32,
        /// Which.
        sounds: Vec<String>,
    },
    /// Capture what the caller says, as this.
    RecordMessage(RecordingId),
    /// That is over.
    EndMessage,
    /// Ring the agent's registered phones.
    RingPhones(Box<RingPhones>),
    /// Dial the agent's phone outside.
    RingNumber(Box<RingNumber>),
    /// Check the agent's softphone; the console rings.
    RingSoftphone {
        /// For which lease.
        ring: Ring,
        /// The softphone, if its media is up.
        softphone: Option<Softphone>,
    },
    /// Ring nobody: the agent has no phone that could ring.
    RingNothing {
        /// For which lease.
        ring: Ring,
        /// Why, in words.
        why: String,
    },
    /// The lease is over.
    StopRinging {
        /// Which.
        token: OfferToken,
    },
    /// Dial a number over trunks: the customer's side of a call that we place; of another, who is in the agent's place.
    Dial(Box<Dial>),
    /// Join customer and agent.
    Connect(Connect),
    /// Join the caller with the number outside that was dialled and answered; record as this.
    JoinFarEnd(Option<RecordingId>),
    /// This agent leaves, and the customer stays and hears hold music.
    Release(UserId),
    /// The side of the call far from this agent hears hold music.
    Hold(UserId),
    /// Back.
    Retrieve(UserId),
    /// The customer hears what is played instead of the agent, and the agent nothing of the customer.
    TakeAside,
    /// Back.
    BringBack,
    /// Whether the far side hears this agent.
    Mute {
        /// Who.
        agent: UserId,
        /// Whether muted from now on.
        muted: bool,
    },
    /// Leave what is said out of the recording, or no longer.
    PauseRecording {
        /// Who wants it; `None`: a rule.
        by: Option<UserId>,
        /// Whether from now on.
        paused: bool,
    },
    /// Digits to the side far from this agent.
    SendDigits {
        /// Who presses them.
        agent: UserId,
        /// Which.
        digits: String,
    },
    /// Ask another call for whoever this agent talks to there.
    Join(Join),
    /// Hand whoever this agent talks to here to another call.
    HandOver(HandOver),
    /// This agent leaves others who go on talking.
    Leave(UserId),
    /// A supervisor takes part, or in another way than before.
    Attend(Attend),
    /// What becomes of a transfer that this agent's phone asked for; `None`: it is taken up.
    AnswerReferral(UserId, Option<Rejection>),
    /// About somebody who came from another call, by the name of that.
    Guest(InteractionId, GuestOrder),
    /// End it.
    HangUp(EndedBy),
    /// End it, because the appliance stops.
    Stop,
}

/// Whom to join the customer with, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect {
    /// Whom.
    pub agent: UserId,
    /// The agent's softphone, if its media is up; used when no phone of the agent was picked up.
    pub softphone: Option<Softphone>,
    /// The name the softphone's half gets in this call.
    pub half: LegId,
    /// Record as this.
    pub record: Option<RecordingId>,
    /// Two tones to the agent first.
    pub announce: bool,
}

/// The lease that rings, and whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The lease.
    pub token: OfferToken,
    /// The agent.
    pub agent: UserId,
}

/// Which phones to ring, and on what terms.
#[derive(Clone, Debug, PartialEq)]
pub struct RingPhones {
    /// For which lease.
    pub ring: Ring,
    /// The agent's half, if it is picked up.
    pub leg: LegId,
    /// One for each registered contact.
    pub branches: Vec<Branch>,
    /// Encryption of the phone's media.
    pub srtp: SrtpPolicy,
    /// Our keys.
    pub seed: KeySeed,
    /// Names our session description.
    pub session: u64,
}

/// An agent's phone outside, and over which trunks it is dialled.
#[derive(Clone, Debug, PartialEq)]
pub struct RingNumber {
    /// For which lease.
    pub ring: Ring,
    /// The trunks, the first first.
    pub attempts: Vec<Attempt>,
    /// Sounds that say what is to be pressed to take the call.
    pub confirm: Vec<String>,
}

/// A number to dial, trunk by trunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Dial {
    /// The trunks, the first first.
    pub attempts: Vec<Attempt>,
    /// How long it may take until somebody answers, all trunks together.
    pub ring_time: Duration,
}

/// One trunk over which a number is dialled.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The INVITE's name.
    pub branch: Branch,
    /// The trunk.
    pub trunk: TrunkId,
    /// The leg it gets if it comes to that.
    pub leg: LegId,
    /// Its terms of encryption.
    pub srtp: SrtpPolicy,
    /// Our keys.
    pub seed: KeySeed,
    /// Names our session description.
    pub session: u64,
}

/// An agent's softphone whose media is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softphone {
    /// Its media leg, which outlives the call.
    pub leg: LegId,
    /// What it speaks.
    pub codec: model::media::Codec,
}

/// What a SIP peer does within its dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// CANCEL before our final answer.
    Cancelled,
    /// ACK of our 2xx, perhaps with the answer to our offer.
    Acknowledged(Option<String>),
    /// No ACK within 32 s.
    NeverAcknowledged,
    /// BYE; it was answered 200 already.
    Bye,
    /// re-INVITE, or UPDATE with a description.
    Offer {
        /// Which request.
        id: RequestId,
        /// The description; `None`: it wants our offer.
        sdp: Option<String>,
    },
    /// A re-INVITE or UPDATE came that also renews the session.
    Renewed,
    /// ACK of our 2xx to a re-INVITE, perhaps with the answer to our offer.
    OfferAcknowledged(Option<String>),
    /// Our own renewal was answered with this status; 408 also when nobody answered.
    RenewalAnswered(u16),
    /// REFER: the phone wants whom it talks to connected with somebody else.
    Refer {
        /// Which request.
        id: RequestId,
        /// With whom.
        to: ReferTo,
    },
    /// A digit by INFO (`application/dtmf-relay`), for far ends without telephone events.
    Digit(char),
}

/// What a rung phone or a trunk does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
    /// Of a trunk: the way to it stands and it has room for the call.
    Reached,
    /// Of a trunk: it carries as many calls as it may.
    Full,
    /// A provisional response, perhaps with the description of what can be heard already.
    Progress {
        /// 100 to 199.
        status: u16,
        /// The description.
        sdp: Option<String>,
    },
    /// 200; it is acknowledged already.
    Answered {
        /// Its description; empty if there is none.
        sdp: String,
        /// The session timer it asks for.
        timer: Option<SessionTimer>,
    },
    /// A final refusal.
    Refused(Refusal),
    /// It could not be reached, in words.
    Unreachable(String),
    /// After it answered: as for the customer.
    Peer(Peer),
}

/// What has to be done.
#[derive(Debug)]
pub enum Output {
    /// Towards the customer.
    Customer(PeerOrder),
    /// Towards a phone or a trunk.
    Phone(Branch, PhoneOrder),
    /// By the media plane; answered by [`Input::Done`].
    Media(MediaOrder),
    /// To the desk.
    Fact(CallFact),
    /// To the switchboard: this trunk could not be reached, or said nothing.
    Silent(TrunkId),
    /// To another call: hand over whom this agent talks to; answered by [`Input::Handed`] or [`Input::Kept`].
    AskFor(InteractionId, HandOver),
    /// To the call that asked: here they are; answered by [`Input::Given`], [`Input::GivenBack`] or [`Input::Lost`].
    Hand(Box<Who>),
    /// To the call that asked: they stay, and why.
    Keep(String),
    /// To the call that handed somebody over: they are here. What follows waits until that call has said all it has to say.
    Taken,
    /// To the call that handed somebody over: here they are back.
    GiveBack(Box<Who>),
}

/// Orders for the customer's dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerOrder {
    /// 180.
    Ring,
    /// 200 with a description.
    Answer {
        /// Our answer, or our offer.
        sdp: String,
    },
    /// A final refusal of the INVITE.
    Refuse {
        /// 400 to 699.
        status: u16,
        /// `Retry-After`, seconds.
        retry_after_s: Option<u32>,
        /// `Warning`.
        warning: Option<String>,
    },
    /// The answer to a request within the dialog.
    Reply(Answered),
    /// BYE, with a reason for the far end's log.
    Bye {
        /// `Reason` text.
        reason: Option<String>,
    },
    /// Renew the session (RFC 4028 §7.4).
    Renew,
    /// How the transfer goes that it asked for, as a status: from 200 on the last that is said of it.
    Notify {
        /// 100 to 699.
        status: u16,
    },
}

/// Orders for a phone or a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneOrder {
    /// Find the way to the trunk and a place on it; answered by [`PhoneEvent::Reached`] or what it is instead.
    Reach,
    /// INVITE with our offer.
    Invite {
        /// The offer.
        sdp: String,
    },
    /// End it as its state wants: CANCEL, or BYE if the 200 was faster.
    End,
    /// The answer to a request within the dialog.
    Reply(Answered),
    /// Renew the session.
    Renew,
    /// As for the customer.
    Notify {
        /// 100 to 699.
        status: u16,
    },
}

/// The answer to a request within a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Which request.
    pub id: RequestId,
    /// Its status.
    pub status: u16,
    /// Our description.
    pub sdp: Option<String>,
    /// `Warning`.
    pub warning: Option<String>,
}

/// Orders for the media plane: its commands without what only the driver knows (addresses, files, samples).
#[derive(Clone, Debug, PartialEq)]
pub enum MediaOrder {
    /// Make a leg with ports of its own.
    Create {
        /// The leg.
        leg: LegId,
        /// Together with.
        near: Option<LegId>,
    },
    /// Set up a leg.
    Configure {
        /// The leg.
        leg: LegId,
        /// How.
        setup: Box<LegSetup>,
    },
    /// Change what a leg hears.
    Hear {
        /// Who hears.
        leg: LegId,
        /// What.
        heard: Heard,
    },
    /// A leg hears another no longer, if it does.
    StopHearing {
        /// Who hears.
        leg: LegId,
        /// Whom no longer.
        speaker: LegId,
    },
    /// Both hear each other.
    Bridge {
        /// One.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Drop a leg's words.
    Mute {
        /// Whose.
        leg: LegId,
        /// Whether.
        muted: bool,
    },
    /// Send digits.
    SendDigits {
        /// To whose far end.
        leg: LegId,
        /// Which.
        digits: String,
    },
    /// Begin a recording.
    StartRecording(RecordingId),
    /// Choose who is captured.
    Tap {
        /// Into which recording.
        recording: RecordingId,
        /// On which channel.
        channel: Channel,
        /// Whom.
        leg: LegId,
    },
    /// Open, change or close the call's room.
    Room(RoomOrder),
    /// Our side's channel captures the call's room.
    TapRoom {
        /// Into which recording.
        recording: RecordingId,
        /// Who has the other channel.
        without: LegId,
    },
    /// Capture nobody on this channel from now on.
    Untap {
        /// Of which recording.
        recording: RecordingId,
        /// Which channel.
        channel: Channel,
    },
    /// Leave what is said out of a recording, or no longer.
    PauseRecording {
        /// Which.
        recording: RecordingId,
        /// Who wants it; `None`: a rule.
        by: Option<UserId>,
        /// Whether from now on.
        paused: bool,
    },
    /// Close a recording.
    StopRecording(RecordingId),
    /// Figures of a leg count from here.
    Measure(LegId),
    /// Read figures.
    Stats(LegId),
    /// End a leg.
    Delete(LegId),
}

/// What a leg hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// The two tones before a call that was accepted for the agent.
    Announcement,
    /// A sound.
    Sound(Sound),
    /// A sound of the operator's, by name.
    Named(String),
    /// Another leg.
    Leg(LegId),
}

/// Which order of the media plane was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`MediaOrder::Create`].
    Created(LegId),
    /// [`MediaOrder::Configure`].
    Configured(LegId),
    /// [`MediaOrder::Bridge`].
    Bridged,
    /// [`MediaOrder::Room`] that somebody is to hear by.
    Gathered,
    /// [`MediaOrder::StartRecording`].
    Recording(RecordingId),
    /// [`MediaOrder::Tap`], [`MediaOrder::TapRoom`].
    Tapped(RecordingId),
    /// [`MediaOrder::PauseRecording`].
    Paused {
        /// Which.
        recording: RecordingId,
        /// Who wanted it.
        by: Option<UserId>,
        /// Whether a pause was wanted.
        paused: bool,
    },
    /// [`MediaOrder::StopRecording`].
    Stopped(RecordingId),
    /// [`MediaOrder::Stats`].
    Stats(LegId),
    /// [`MediaOrder::Delete`].
    Deleted(LegId),
    /// Anything whose failure changes nothing but a log line.
    Minor,
}

impl MediaOrder {
    /// The step its answer belongs to.
    pub fn step(&self) -> Step {
        match self {
            Self::Create { leg, .. } => Step::Created(*leg),
            Self::Configure { leg, .. } => Step::Configured(*leg),
            Self::Bridge { .. } => Step::Bridged,
            Self::StartRecording(recording) => Step::Recording(*recording),
            Self::Tap { recording, .. } | Self::TapRoom { recording, .. } => Step::Tapped(*recording),
            Self::Room(RoomOrder::Leave { .. } | RoomOrder::Close) => Step::Minor,
            Self::Room(_) => Step::Gathered,
            Self::PauseRecording { recording, by, paused } => {
                Step::Paused { recording: *recording, by: *by, paused: *paused }
            }
            Self::StopRecording(recording) => Step::Stopped(*recording),
            Self::Stats(leg) => Step::Stats(*leg),
            Self::Delete(leg) => Step::Deleted(*leg),
            Self::Hear { .. }
            | Self::StopHearing { .. }
            | Self::Mute { .. }
            | Self::SendDigits { .. }
            | Self::Untap { .. }
            | Self::Measure(_) => Step::Minor,
        }
    }
}
