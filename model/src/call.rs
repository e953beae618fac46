//! What the desk and the signalling say to each other about calls: orders one way, facts the other way.
//!
//! The desk decides (which service, which agent, hold, hang up); signalling does it and tells what happened. Nobody waits
//! for an answer in line: an order is answered by facts. Orders and facts about one interaction keep their order. Both
//! are plain data, so they travel over a channel on one box and over the wire to another.

mod joining;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{InteractionId, LegId, OfferToken, RecordingId, SessionId, TenantId, TrunkId, UserId};
use crate::interaction::EndedBy;
use crate::journal::Party;
use crate::media::{Codec, StreamStats};
use crate::people::PhoneKind;
use crate::time::Timestamp;
pub use joining::{AfterJoin, Attending, ReferTo};

/// Orders from the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub enum CallOrder {
    /// Refuse the customer's call before it was answered.
    Reject {
        /// Which call.
        interaction: InteractionId,
        /// With which meaning.
        why: Rejection,
    },
    /// Answer the customer's call, if it is not, and play a sound instead of what is heard now.
    Play {
        /// Which call.
        interaction: InteractionId,
        /// Which sound.
        sound: Sound,
        /// Hang up at its end. Ignored for sounds that repeat.
        then_hang_up: bool,
    },
    /// Answer the customer's call, if it is not, and play these sounds one after the other instead of what is heard now. None:
    /// nothing is heard. Answered by [`CallFact::Played`] when the last one was played to its end.
    PlaySounds {
        /// Which call.
        interaction: InteractionId,
        /// Comes back with the answer.
        number: u32,
        /// By name; one that is not there is left out.
        sounds: Vec<String>,
    },
    /// Capture what the caller says from now on, as a message. Answered by [`CallFact::RecordingStarted`] or
    /// [`CallFact::RecordingFailed`]; meanwhile [`CallFact::CallerSilent`] tells of silence.
    RecordMessage {
        /// Which call.
        interaction: InteractionId,
        /// Record as this.
        recording: RecordingId,
    },
    /// The message is over. Answered by [`CallFact::RecordingCaptured`].
    EndMessage {
        /// Which call.
        interaction: InteractionId,
    },
    /// Ring the agent's phone. A browser phone is only checked: the console rings.
    /// Answered by [`CallFact::AgentAnswered`] (SIP phone), or [`CallFact::AgentUnreachable`].
    RingAgent {
        /// Which call.
        interaction: InteractionId,
        /// The lease that rings.
        token: OfferToken,
        /// Whom.
        agent: UserId,
        /// How.
        phone: PhoneKind,
    },
    /// Dial the agent's phone outside, for agents whose phone is a [`PhoneKind::Number`]. Who picks up hears `confirm` again and
    /// again and presses 1 to take the call, 2 to refuse it: a mailbox does neither. Answered by [`CallFact::AgentAnswered`],
    /// [`CallFact::AgentRefused`] or [`CallFact::AgentUnreachable`]; ended by [`CallOrder::StopRinging`].
    RingNumber {
        /// Which call.
        interaction: InteractionId,
        /// The lease that rings.
        token: OfferToken,
        /// Whom.
        agent: UserId,
        /// Digits with an optional `+`.
        number: String,
        /// The calling number; `None`: the trunk's own.
        caller_id: Option<String>,
        /// The trunks, the first first.
        trunks: Vec<TrunkId>,
        /// Names of the sounds.
        confirm: Vec<String>,
    },
    /// Stop ringing; the lease is over.
    StopRinging {
        /// Which call.
        interaction: InteractionId,
        /// The lease that rang.
        token: OfferToken,
        /// Whom.
        agent: UserId,
    },
    /// Join customer and agent; recording starts before they hear each other. Answered by [`CallFact::Bridged`].
    Connect {
        /// Which call.
        interaction: InteractionId,
        /// With whom.
        agent: UserId,
        /// Record as this; what is being recorded already goes on. `None`: not, and what is being recorded ends.
        record: Option<RecordingId>,
        /// Play the two-tone prompt to the agent first (VOICE-11).
        announce: bool,
    },
    /// The agent leaves the call, and the customer stays: hears hold music until another order says what else. What the agent says
    /// is recorded no longer; the recording itself goes on with whoever is joined next (RECO-01). Of a call between colleagues it
    /// changes nothing.
    Release {
        /// Which call.
        interaction: InteractionId,
        /// Who leaves.
        agent: UserId,
    },
    /// Begin an internal call from the agent's softphone. No [`CallFact::Incoming`] follows: the desk knows of the call. The
    /// softphone hears ringing while the colleague is rung, and the busy tone when the call is rejected. A softphone that is
    /// not connected: [`CallFact::Ended`] with the failure.
    CallColleague {
        /// The new call.
        interaction: InteractionId,
        /// The tenant of both.
        tenant: TenantId,
        /// Who calls.
        agent: UserId,
        /// The caller's extension.
        caller: String,
        /// The caller's name.
        caller_name: Option<String>,
        /// The extension that is called.
        contact: String,
    },
    /// Begin a call that we place. Nobody is on it yet and no [`CallFact::Incoming`] follows: [`CallOrder::RingAgent`] brings the
    /// agent's phone in, [`CallOrder::Dial`] the far end. What cannot begin: [`CallFact::Ended`] with the failure.
    Place {
        /// The new call.
        interaction: InteractionId,
        /// Who is called: what a phone on a desk shows while it rings.
        contact: String,
    },
    /// Dial a number, over these trunks one after the other: the customer's side of a call that was placed; of a call that
    /// came in, who is to be joined with the caller, whose call is answered if it is not. The other side hears ringing, or what
    /// the far end lets hear before it answers. Answered by [`CallFact::FarEndRinging`], [`CallFact::FarEndAnswered`] or
    /// [`CallFact::DialFailed`].
    Dial {
        /// Which call.
        interaction: InteractionId,
        /// Digits with an optional `+`.
        number: String,
        /// The calling number that is shown there; `None`: it stays unknown.
        caller_id: Option<String>,
        /// The first is tried first; the next when one does not work.
        trunks: Vec<TrunkId>,
        /// How long the far end may ring, all trunks together.
        ring_time: Duration,
    },
    /// Join the caller with the number outside that was dialled and answered; recording starts before they hear each other.
    /// Answered by [`CallFact::FarEndBridged`].
    JoinFarEnd {
        /// Which call.
        interaction: InteractionId,
        /// Record as this.
        record: Option<RecordingId>,
    },
    /// The far side hears hold music; the agent still hears it (C1).
    Hold {
        /// Which call.
        interaction: InteractionId,
        /// Who holds.
        agent: UserId,
    },
    /// Back from hold.
    Retrieve {
        /// Which call.
        interaction: InteractionId,
        /// Who held.
        agent: UserId,
    },
    /// Customer and agent do not hear each other from now on: the customer hears what [`CallOrder::PlaySounds`] and
    /// [`CallOrder::Play`] play, and is told of by [`CallFact::DigitReceived`]; the agent hears hardly anything, and no keys. Who
    /// holds, holds on (CTRL-06).
    TakeAside {
        /// Which call.
        interaction: InteractionId,
    },
    /// They hear each other again, unless one holds the other.
    BringBack {
        /// Which call.
        interaction: InteractionId,
    },
    /// The far side does not hear the agent (CTRL-01).
    Mute {
        /// Which call.
        interaction: InteractionId,
        /// Who is muted.
        agent: UserId,
        /// Whether muted from now on.
        muted: bool,
    },
    /// Leave out of the recording what is said from now on, or no longer (RECO-04). Answered by
    /// [`CallFact::RecordingPaused`] or [`CallFact::PauseFailed`].
    PauseRecording {
        /// Which call.
        interaction: InteractionId,
        /// Who wants it; `None`: the service's limit.
        by: Option<UserId>,
        /// Whether paused from now on.
        paused: bool,
    },
    /// Send digits to the far side (CTRL-05).
    SendDigits {
        /// Which call.
        interaction: InteractionId,
        /// Who presses them.
        agent: UserId,
        /// `0-9 * # A-D ,`.
        digits: String,
    },
    /// End the call: both legs.
    HangUp {
        /// Which call.
        interaction: InteractionId,
        /// Which side wants it, for [`CallFact::Ended`].
        by: EndedBy,
    },
    /// Brings whoever the agent talks to in another call (`from`) into this one (XFER-03, XFER-04, XFER-09). Both calls are up and the
    /// agent is in both; either may be held. Who comes over keeps `from` as a name in the call: orders about them and facts about
    /// them carry it ([`CallOrder::Mute`], [`CallOrder::Hold`], [`CallOrder::SendDigits`], [`CallOrder::HangUp`]), and
    /// [`CallFact::Ended`] of `from` is the last one. The agent's own end of `from` is let go. Answered by [`CallFact::Joined`], of a
    /// transfer by [`CallFact::TookOver`]; or by [`CallFact::JoinFailed`].
    Join {
        /// The call that they come into.
        interaction: InteractionId,
        /// The call that they are in.
        from: InteractionId,
        /// Who brings them.
        agent: UserId,
        /// What becomes of who brings them.
        then: AfterJoin,
    },
    /// The agent leaves a call in which others go on talking (XFER-13). Answered by [`CallFact::TookOver`]; when somebody else has the
    /// agent's place already, by [`CallFact::LegEnded`] alone.
    Leave {
        /// Which call.
        interaction: InteractionId,
        /// Who leaves.
        agent: UserId,
    },
    /// A supervisor comes into a call by softphone, silently or not, or changes the way (HELP-03 to HELP-05). Answered by
    /// [`CallFact::Joined`] or [`CallFact::JoinFailed`].
    Attend {
        /// Which call.
        interaction: InteractionId,
        /// The name of the supervisor's part, as that of a call which comes over.
        from: InteractionId,
        /// The supervisor.
        agent: UserId,
        /// In which way.
        how: Attending,
    },
    /// Whether a transfer is taken up that the agent's phone asked for: the answer to [`CallFact::Referred`], before the orders that do it.
    AnswerReferral {
        /// Which call.
        interaction: InteractionId,
        /// Whose phone.
        agent: UserId,
        /// Why not; `None`: it is.
        refused: Option<Rejection>,
    },
    /// Connect or re-connect the softphone in an agent's page (WRTC-01, WRTC-02).
    /// Answered by [`CallFact::PhoneAnswer`] or [`CallFact::PhoneRefused`].
    AttachPhone {
        /// Whose.
        agent: UserId,
        /// The tenant of the agent.
        tenant: TenantId,
        /// Of which sign-in.
        session: SessionId,
        /// The page's SDP offer.
        sdp: String,
    },
    /// The agent signed out: take the softphone down.
    DetachPhone {
        /// Whose.
        agent: UserId,
    },
    /// Trunks, phones and numbers changed: use these from now on; calls in progress stay.
    Configure(Box<CallConfig>),
}

/// What signalling has to know about trunks and phones. Secrets of those who sign in here are HA1 values, never plain
/// passwords.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallConfig {
    /// Digest realm of this appliance.
    pub realm: String,
    /// Trunks that may call in.
    pub trunks: Vec<(crate::service::Trunk, Option<Ha1>)>,
    /// Phones that may register.
    pub phones: Vec<PhoneAccount>,
    /// What we sign in with at carriers.
    #[serde(default)]
    pub logins: Vec<TrunkLogin>,
}

/// What we sign in with at a carrier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkLogin {
    /// The trunk to it.
    pub trunk: TrunkId,
    /// As the carrier knows us.
    pub username: String,
    /// In clear: the realm that it is hashed with is the carrier's to choose.
    pub password: String,
}

impl std::fmt::Debug for TrunkLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrunkLogin({} {:?}, hidden)", self.trunk, self.username)
    }
}

/// How we stand with a carrier at which we register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// Nothing was answered yet.
    Trying,
    /// Calls come to us until then, or until it is renewed, which it is in time.
    Registered {
        /// When it would end.
        until: Timestamp,
    },
    /// The carrier does not let us in; it is tried again.
    Refused {
        /// What it answered: 401 and 403 mostly mean a wrong user name or password.
        status: u16,
    },
    /// There is no way to it, or no answer; it is tried again.
    Unreached {
        /// In words for the operator.
        why: String,
    },
}

/// A phone that may register: its user name is the agent's extension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhoneAccount {
    /// Whose phone.
    pub agent: UserId,
    /// The tenant of the agent.
    pub tenant: TenantId,
    /// User part of its address of record.
    pub extension: String,
    /// Its secret.
    pub ha1: Ha1,
    /// Whether its media must be encrypted.
    pub srtp: crate::service::SrtpPolicy,
}

/// Hashes of `user:realm:password` for digest authentication (RFC 7616 §3.4.2), lower-case hex.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha1 {
    /// With MD5.
    pub md5: String,
    /// With SHA-256.
    pub sha256: String,
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1(hidden)")
    }
}

/// Why a customer's call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// 404: the number leads nowhere.
    UnknownNumber,
    /// 480: nobody is there.
    NobodyThere,
    /// 486: all lines are busy.
    Busy,
    /// 603: closed, or blocked.
    Declined,
    /// 503 with Retry-After: we are overloaded or draining.
    Overloaded,
}

/// A sound customers hear. The operator may replace each by a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// Waiting music; repeats.
    QueueMusic,
    /// Hold music; repeats.
    HoldMusic,
    /// "Nobody is available."
    NobodyAvailable,
    /// "We are closed."
    Closed,
    /// "All lines are busy."
    AllBusy,
    /// Barely audible noise, so that a line does not sound dead while a page is loaded anew (WRTC-02); repeats.
    ComfortNoise,
    /// The colleague's phone rings: for whoever calls from a softphone; repeats.
    Ringback,
    /// The colleague is busy, refused or did not answer: for whoever called from a softphone.
    Busy,
}

impl Sound {
    /// Whether it begins again at its end.
    pub fn repeats(self) -> bool {
        matches!(self, Self::QueueMusic | Self::HoldMusic | Self::Ringback | Self::ComfortNoise)
    }
}

/// Where a call came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Source {
    /// A trunk: somebody outside.
    Trunk {
        /// Which.
        trunk: TrunkId,
    },
    /// An agent's registered phone.
    Phone {
        /// Whose.
        agent: UserId,
    },
}

/// Why nobody answered a number that was dialled (OUT-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialFailure {
    /// The line is busy.
    Busy,
    /// It rang, and nobody answered in time; or a telephone that is off, where the network does not say so.
    NoAnswer,
    /// A mobile telephone that is switched off or out of coverage: networks have one cause for both (Q.850, 20).
    PhoneOff,
    /// The number takes no calls now: suspended or barred by its carrier.
    Barred,
    /// Refused: by the one who was called, or by the carrier.
    Rejected,
    /// There is no such number.
    NotFound,
    /// No trunk could be reached, or none took the call.
    Unreachable,
    /// All trunks carry as many calls as they may.
    TrunksBusy,
}

/// Facts from signalling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum CallFact {
    /// A customer calls, or an agent from the phone on the desk. The call waits, unanswered, for an order (100 was sent; after
    /// 10 s without one: 480).
    Incoming {
        /// The new call.
        interaction: InteractionId,
        /// Whose trunk or phone it came from.
        tenant: TenantId,
        /// Who calls.
        from: Source,
        /// Calling number.
        caller: String,
        /// Display name.
        caller_name: Option<String>,
        /// Called number.
        contact: String,
    },
    /// A leg was answered and has media.
    LegAnswered {
        /// Which call.
        interaction: InteractionId,
        /// The leg.
        leg: LegId,
        /// Whose half.
        party: Party,
        /// What is spoken.
        codec: Codec,
        /// Whether media is encrypted.
        secure: bool,
    },
    /// The agent's SIP phone was picked up: it means acceptance of the offer.
    AgentAnswered {
        /// Which call.
        interaction: InteractionId,
        /// The lease.
        token: OfferToken,
        /// Who.
        agent: UserId,
    },
    /// The agent's phone was reached and refused (486, 603, or the reject key).
    AgentRefused {
        /// Which call.
        interaction: InteractionId,
        /// The lease.
        token: OfferToken,
        /// Who.
        agent: UserId,
    },
    /// The agent's phone could not be reached (VOICE-14).
    AgentUnreachable {
        /// Which call.
        interaction: InteractionId,
        /// The lease.
        token: OfferToken,
        /// Who.
        agent: UserId,
        /// In words for log and banner.
        why: String,
    },
    /// The far end that is dialled is being called, or begins to speak before it answers.
    FarEndRinging {
        /// Which call.
        interaction: InteractionId,
        /// Over which trunk.
        trunk: TrunkId,
    },
    /// The far end that was dialled answered.
    FarEndAnswered {
        /// Which call.
        interaction: InteractionId,
        /// Over which trunk.
        trunk: TrunkId,
    },
    /// Nobody answered the number that was dialled. Of a call that was placed, the agent hears the busy tone; of one that came
    /// in, the caller hears nothing.
    DialFailed {
        /// Which call.
        interaction: InteractionId,
        /// Why.
        why: DialFailure,
        /// The last status a trunk answered with, if one answered.
        status: Option<u16>,
    },
    /// Customer and agent hear each other.
    Bridged {
        /// Which call.
        interaction: InteractionId,
        /// Who.
        agent: UserId,
    },
    /// The caller and the number outside that was dialled hear each other.
    FarEndBridged {
        /// Which call.
        interaction: InteractionId,
    },
    /// Whoever came from `from` hears the others and is heard, as the order said.
    Joined {
        /// The call.
        interaction: InteractionId,
        /// The name of who came.
        from: InteractionId,
    },
    /// Nobody came over: both calls are as they were.
    JoinFailed {
        /// The call.
        interaction: InteractionId,
        /// The name of who should have come.
        from: InteractionId,
        /// In words for log and banner.
        why: String,
    },
    /// The agent's phone asks for a transfer, and waits for [`CallOrder::AnswerReferral`].
    Referred {
        /// Which call.
        interaction: InteractionId,
        /// Whose phone.
        agent: UserId,
        /// Whom to connect the other side with.
        to: ReferTo,
    },
    /// The agent who had the call left, and whoever came from `from` has that place. Nothing more is said of `from`: from now on
    /// orders about them and facts about them carry `interaction`.
    TookOver {
        /// The call.
        interaction: InteractionId,
        /// The name they had.
        from: InteractionId,
        /// The colleague who has it now; `None`: a number outside.
        agent: Option<UserId>,
    },
    /// The far side was put on hold, or taken back.
    HoldChanged {
        /// Which call.
        interaction: InteractionId,
        /// Who holds.
        agent: UserId,
        /// Whether the far side is held now.
        held: bool,
    },
    /// An agent was muted, or not any more.
    MuteChanged {
        /// Which call.
        interaction: InteractionId,
        /// Who.
        agent: UserId,
        /// Whether muted now.
        muted: bool,
    },
    /// The sounds of [`CallOrder::PlaySounds`] were played to their end. Of sounds that others took the place of nothing is said.
    Played {
        /// Which call.
        interaction: InteractionId,
        /// The number of the order.
        number: u32,
    },
    /// Whoever speaks a message says nothing, or speaks again. It is noticed about three seconds late.
    CallerSilent {
        /// Which call.
        interaction: InteractionId,
        /// Whether silent now.
        silent: bool,
    },
    /// A digit came from the customer.
    DigitReceived {
        /// Which call.
        interaction: InteractionId,
        /// `0-9 * # A-D`.
        digit: char,
    },
    /// Live figures, about every 2 s while customer and agent talk.
    Quality {
        /// Which call.
        interaction: InteractionId,
        /// What comes from the customer.
        customer: StreamStats,
        /// What comes from the agent.
        agent: StreamStats,
    },
    /// Quality left or regained the limits of QUAL-01.
    QualityChanged {
        /// Which call.
        interaction: InteractionId,
        /// Whose half.
        party: Party,
        /// Whether it is poor now.
        poor: bool,
    },
    /// Both channels are being captured.
    RecordingStarted {
        /// Which call.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
    },
    /// The container is closed and can be finished into audio files.
    RecordingCaptured {
        /// Which call.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
    },
    /// What is said is left out of the recording from now on, or no longer.
    RecordingPaused {
        /// Which call.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Who wanted it; `None`: the service's limit.
        by: Option<UserId>,
        /// Whether it is paused now.
        paused: bool,
    },
    /// Pausing or resuming did not work: the recording is as it was before.
    PauseFailed {
        /// Which call.
        interaction: InteractionId,
        /// Who wanted it.
        by: Option<UserId>,
        /// Whether a pause was wanted.
        paused: bool,
        /// In words for the operator.
        why: String,
    },
    /// A call that should be recorded is not; the call goes on.
    RecordingFailed {
        /// Which call.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// In words for the operator.
        why: String,
    },
    /// Nothing comes from a party whose channel is being captured, though it should; or something comes again.
    RecordingSilent {
        /// Which call.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Whose channel.
        party: Party,
        /// Whether it is empty now.
        silent: bool,
    },
    /// A leg is gone.
    LegEnded {
        /// Which call.
        interaction: InteractionId,
        /// The leg.
        leg: LegId,
        /// Whose half.
        party: Party,
        /// What came in over it.
        stats: Option<StreamStats>,
    },
    /// The call is over; it is the last fact about it.
    Ended {
        /// Which call.
        interaction: InteractionId,
        /// Which side ended it.
        by: EndedBy,
        /// Whether it ended by a failure (no media, lost transport, no agreement on codecs) rather than by hanging up.
        failure: Option<String>,
    },
    /// How we stand with a carrier at which we register.
    TrunkStands {
        /// The trunk to it.
        trunk: TrunkId,
        /// How.
        standing: Standing,
    },
    /// Somebody guesses the password of a phone or a trunk, and has to pause (SAFE-02). Not more than one in ten seconds is told.
    PasswordGuessed {
        /// From where.
        source: std::net::IpAddr,
        /// The user name that was tried last, as the guesser wrote it, without control characters.
        account: String,
        /// For how long nothing of theirs is looked at.
        paused: Duration,
    },
    /// The page's softphone may use this.
    PhoneAnswer {
        /// Whose.
        agent: UserId,
        /// Of which sign-in.
        session: SessionId,
        /// SDP answer.
        sdp: String,
    },
    /// The page's softphone cannot be connected.
    PhoneRefused {
        /// Whose.
        agent: UserId,
        /// Of which sign-in.
        session: SessionId,
        /// In words for the agent.
        why: String,
    },
    /// The agent's phone can be used: browser media is up, or the SIP phone is registered.
    PhoneUp {
        /// Whose.
        agent: UserId,
        /// Which kind.
        phone: PhoneKind,
    },
    /// The agent's phone cannot be used: browser media is lost, or the registration ended.
    PhoneDown {
        /// Whose.
        agent: UserId,
        /// Which kind.
        phone: PhoneKind,
    },
}
