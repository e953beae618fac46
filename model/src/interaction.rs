//! Interactions and the service records that remain of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::call::DialFailure;
use crate::conference::RecordedGuest;
use crate::diversion::MessageBox;
use crate::flow::RecordedFlow;
use crate::id::{DispositionId, InteractionId, RecordingId, ServiceId, TenantId, TrunkId, UserId};
use crate::media::StreamStats;
use crate::recording::{RecordingErasure, RecordingGap, RecordingPause, RecordingProof};
use crate::service::{Overflow, Treatment};
use crate::skill::Requirement;
use crate::supervision::RecordedAttendance;
use crate::survey::RecordedMark;
use crate::time::Timestamp;
use crate::transfer::RecordedPart;
use crate::written::RecordedAssignment;

/// The kind of contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A telephone or browser call.
    #[default]
    Voice,
    /// A chat.
    Chat,
    /// An email.
    Email,
    /// A text message.
    Sms,
    /// A call to a customer who asked to be called back.
    Callback,
    /// A record of a campaign that an agent is to call.
    Campaign,
}

impl Channel {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Voice, Self::Chat, Self::Email, Self::Sms, Self::Callback, Self::Campaign];
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Kinds with which customers come to a service.
    pub const INCOMING: [Self; 4] = [Self::Voice, Self::Chat, Self::Email, Self::Sms];

    /// The kind with which a customer comes who ends up with this one: whoever is called back called.
    pub fn comes_as(self) -> Self {
        if self.is_call() { Self::Voice } else { self }
    }

    /// Whether the agent needs a telephone for it.
    pub fn is_call(self) -> bool {
        matches!(self, Self::Voice | Self::Callback | Self::Campaign)
    }

    /// Whether it is written: a conversation of messages, which outlives a restart of the appliance.
    pub fn is_written(self) -> bool {
        matches!(self, Self::Chat | Self::Email | Self::Sms)
    }
}

/// Who began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The customer came to us.
    Inbound,
    /// We went to the customer.
    Outbound,
    /// An agent called a colleague.
    Internal,
}

/// How a call ended, as the records show it (REC-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndStatus {
    /// Talked and hung up.
    Normal,
    /// Refused: the caller is on the block list.
    Blocked,
    /// The colleague who was called refused it or did not answer (VOICE-08); a number outside rejected it (OUT-13).
    Refused,
    /// Talked and hung up, after an agent had passed the customer on to a service, a colleague or a number outside (XFER-05).
    Transferred,
    /// The caller left while waiting in the queue.
    Abandoned,
    /// The caller left while an agent's phone rang; counts against that agent (VOICE-15).
    AbandonedRinging,
    /// Nobody of the service was signed in (VOICE-15).
    NoAgentOnline,
    /// The service was closed.
    Closed,
    /// The queue was full or the longest wait was over.
    QueueFull,
    /// The dialled number leads nowhere; of calls out: the carrier knows no such number (OUT-13).
    UnknownNumber,
    /// The appliance stopped or was killed during the call; the record was finished at the next start.
    Interrupted,
    /// A flow ended the call: the caller heard what there was, and no agent was asked (ROUTE-08).
    SelfServed,
    /// A flow connected the caller with a number outside, and it answered (ROUTE-08).
    PassedOn,
    /// The caller left a message (ROUTE-07).
    Voicemail,
    /// The number we called was busy (OUT-13).
    Busy,
    /// Nobody answered the number we called (OUT-13).
    NoAnswer,
    /// The telephone we called is switched off or out of coverage (OUT-13).
    PhoneOff,
    /// The number we called is suspended or barred by its carrier (OUT-13).
    Barred,
    /// The agent gave up before the number we called was answered (OUT-13), or a supervisor cancelled the callback.
    Cancelled,
    /// Whoever asked to be called back was not reached, as often or as long as that was tried (CB-02).
    CallbackFailed,
    /// Whoever asked to be called back called again: that call took its place.
    CalledIn,
    /// Set-up or media failed.
    Failed,
}

/// Which side ended the call (UI-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The customer's side; in an internal call the colleague who called.
    Customer,
    /// Our side: the agent; in an internal call the colleague who was called; the number outside that a flow connected the
    /// caller with.
    Agent,
    /// Neither: time-out, failure, shutdown.
    System,
}

/// A queue that did not take a caller, or not any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedOverflow {
    /// When.
    pub at: Timestamp,
    /// Whose queue.
    pub from: ServiceId,
    /// Why.
    pub why: Overflow,
    /// Where it led: a service or a flow.
    pub to: Treatment,
}

/// A caller whom a flow, or an agent's transfer, connected with a number outside (ROUTE-08, XFER-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPassing {
    /// When they began to hear each other.
    pub at: Timestamp,
    /// Which number.
    pub number: String,
}

/// A message that its caller left (ROUTE-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedMessage {
    /// When it began.
    pub at: Timestamp,
    /// For whom.
    #[serde(flatten)]
    pub to: MessageBox,
    /// What was said.
    pub recording: RecordingId,
    /// How long the caller spoke; `None`: the appliance stopped meanwhile, and what was said until then is kept.
    pub spoken: Option<Duration>,
    /// Whether it was long enough to be kept.
    pub kept: bool,
    /// When it was erased.
    pub erased_at: Option<Timestamp>,
}

/// An agent asked for help (HELP-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedHelp {
    /// Who.
    pub agent: UserId,
    /// When.
    pub from: Timestamp,
    /// When it was taken back, or the interaction ended; `None` while it is open.
    pub to: Option<Timestamp>,
}

/// Why a customer who was not reached will not be called back any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackEnd {
    /// Dialled as often as the service allows.
    Attempts,
    /// Open for as long as the service allows.
    Expired,
    /// A supervisor cancelled it.
    Cancelled,
    /// The customer called again.
    CalledIn,
    /// The service is not there any more, or the number may not be dialled any more.
    Impossible,
}

impl CallbackEnd {
    /// How the record shows it.
    pub fn status(self) -> EndStatus {
        match self {
            Self::Attempts | Self::Expired | Self::Impossible => EndStatus::CallbackFailed,
            Self::Cancelled => EndStatus::Cancelled,
            Self::CalledIn => EndStatus::CalledIn,
        }
    }
}

/// A customer who is called back: from the asking on (CB-01, CB-02).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedCallback {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What is dialled.
    pub number: String,
    /// The place in the line is that of this time.
    pub since: Timestamp,
    /// Who may answer, when that is not what the service asks for.
    #[serde(default)]
    pub requirement: Option<Requirement>,
    /// Queue priority points, when they are not the service's.
    #[serde(default)]
    pub priority: Option<i32>,
    /// It is not queued before.
    #[serde(default)]
    pub held_until: Option<Timestamp>,
    /// Each time the number was dialled.
    #[serde(default)]
    pub attempts: Vec<RecordedAttempt>,
    /// Why it was given up.
    #[serde(default)]
    pub over: Option<CallbackEnd>,
    /// Who cancelled it.
    #[serde(default)]
    pub cancelled_by: Option<UserId>,
}

/// One time a customer was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAttempt {
    /// When.
    pub at: Timestamp,
    /// For which agent.
    pub agent: Option<UserId>,
    /// Why nobody answered; `None`: somebody did, or the agent or the appliance went away first.
    pub failed: Option<DialFailure>,
}

/// Values of one caller that are kept.
pub const NOTED_MAX: usize = 64;

/// Takes over what a flow noted: new values replace old ones, an empty one is gone, and of new names those that fit into
/// [`NOTED_MAX`] are kept.
pub fn take_note(noted: &mut BTreeMap<String, String>, values: &BTreeMap<String, String>) {
    for (name, value) in values {
        if value.is_empty() {
            noted.remove(name);
        } else if noted.len() < NOTED_MAX || noted.contains_key(name) {
            noted.insert(name.clone(), value.clone());
        }
    }
}

/// One line of the service records (REC-01 to REC-06).
///
/// Built by folding the journal; every timestamp is kept, so that REC-03, REC-04 and live timers can each be computed (C13).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// The interaction it describes.
    pub interaction: InteractionId,
    /// Whose record this is.
    pub tenant: TenantId,
    /// Kind of contact.
    pub channel: Channel,
    /// Who began it.
    pub direction: Direction,
    /// Calling number: the customer's for inbound, our line for outbound (REC-05), the caller's extension for internal.
    pub caller: String,
    /// Called number: our line for inbound, the customer's for outbound (REC-05), the called extension for internal.
    pub contact: String,
    /// Display name the caller sent.
    pub caller_name: Option<String>,
    /// The trunk it came over.
    pub trunk: Option<TrunkId>,
    /// The service that was reached.
    pub service: Option<ServiceId>,
    /// The agent who handled it, or in whose ringing it was abandoned; of several the last.
    pub agent: Option<UserId>,
    /// The agent who called, in an internal call: the record is theirs too.
    pub calling_agent: Option<UserId>,
    /// What flows noted of the caller, by name; nothing secret (ROUTE-07).
    #[serde(default)]
    pub noted: BTreeMap<String, String>,
    /// What its caller answered when flows asked for marks, each question once; the first 32 (ROUTE-08).
    #[serde(default)]
    pub marks: Vec<RecordedMark>,
    /// Where it was led on from its first service; the first 16 times (ROUTE-07).
    #[serde(default)]
    pub overflows: Vec<RecordedOverflow>,
    /// Its customer asked to be called back.
    #[serde(default)]
    pub callback: Option<RecordedCallback>,
    /// A flow, or its agent, connected it with a number outside.
    #[serde(default)]
    pub passed_on: Option<RecordedPassing>,
    /// Flows that its agent started for the customer; the first 16 (CTRL-06).
    #[serde(default)]
    pub flows: Vec<RecordedFlow>,
    /// Messages its caller left; the first 8.
    #[serde(default)]
    pub messages: Vec<RecordedMessage>,
    /// The parts of agents who passed its customer on, in their order (XFER-05).
    #[serde(default)]
    pub parts: Vec<RecordedPart>,
    /// The call that its agent asked about in it (XFER-01).
    #[serde(default)]
    pub consult_of: Option<InteractionId>,
    /// Who was brought into it, in their order; the first 32 (XFER-08). The first was brought by the organiser.
    #[serde(default)]
    pub guests: Vec<RecordedGuest>,
    /// Which supervisors took part, in which way; the first 64 (HELP-03 to HELP-05).
    #[serde(default)]
    pub attended: Vec<RecordedAttendance>,
    /// Since when the agent who has it now talks to the customer, or talked last.
    #[serde(default)]
    pub talking_since: Option<Timestamp>,
    /// First INVITE.
    pub arrived_at: Timestamp,
    /// Entered the queue.
    pub queued_at: Option<Timestamp>,
    /// First offered to an agent.
    pub offered_at: Option<Timestamp>,
    /// Conversation began, after any prompt tone (REC-03).
    pub answered_at: Option<Timestamp>,
    /// Hang-up.
    pub ended_at: Option<Timestamp>,
    /// After-call work completed.
    pub completed_at: Option<Timestamp>,
    /// How it ended; `None` while it goes on.
    pub status: Option<EndStatus>,
    /// Which side ended it.
    pub ended_by: Option<EndedBy>,
    /// How the agent coded it.
    pub disposition: Option<DispositionId>,
    /// The agent's remark (ACW-05, ACW-06).
    pub comment: String,
    /// Its recording.
    pub recording: Option<RecordingId>,
    /// When capturing was paused on purpose, and by whom (RECO-04); the first 100.
    #[serde(default)]
    pub recording_pauses: Vec<RecordingPause>,
    /// When a channel was empty although its party should have been heard (RECO-04); the first 100.
    #[serde(default)]
    pub recording_gaps: Vec<RecordingGap>,
    /// What was destroyed of it, by whom and when (RECO-05); the first 100.
    #[serde(default)]
    pub recording_erased: Vec<RecordingErasure>,
    /// What finishing the recording found (RECO-04).
    #[serde(default)]
    pub recording_proof: Option<RecordingProof>,
    /// What came from the customer, or from the colleague who called.
    pub customer_stats: Option<StreamStats>,
    /// What came from the agent, or from the number outside that a flow connected the caller with.
    pub agent_stats: Option<StreamStats>,
    /// Times the customer was put on hold.
    pub holds: u32,
    /// When its agent asked for help (HELP-01); the first 16 times.
    #[serde(default)]
    pub help: Vec<RecordedHelp>,
    /// When an agent first wrote in it, of a written contact.
    #[serde(default)]
    pub first_reply_at: Option<Timestamp>,
    /// In whose personal queue it lies now (MAIL-17).
    #[serde(default)]
    pub assigned: Option<RecordedAssignment>,
    /// The number of the last message.
    #[serde(default)]
    pub last_message: u32,
    /// When the last message was written.
    #[serde(default)]
    pub last_message_at: Option<Timestamp>,
    /// Since when the customer has had no answer to what was written last.
    #[serde(default)]
    pub unanswered_since: Option<Timestamp>,
    /// Messages of the customer.
    #[serde(default)]
    pub customer_messages: u32,
    /// Messages of agents.
    #[serde(default)]
    pub agent_messages: u32,
}

impl ServiceRecord {
    /// Whose record it is besides those of its last agent and of the one who called: who passed the customer on, was brought into the call, or brought somebody.
    pub fn others(&self) -> Vec<UserId> {
        let guests = self.guests.iter().flat_map(|guest| [guest.agent, Some(guest.by)]).flatten();
        self.parts.iter().map(|part| part.agent).chain(guests).collect()
    }
}
