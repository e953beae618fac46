//! The journal: everything that happened, in order, a log a tenant.
//!
//! State is a fold of these events; call records, statistics, console events and webhooks are read from them. Events are
//! facts in the past tense and never change their meaning: new facts are new variants, new fields have defaults.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::agent::NotReadyReason;
use crate::call::{Attending, DialFailure};
use crate::diversion::MessageBox;
use crate::figures::{Counts, Pace};
use crate::flow::FlowEnd;
use crate::id::{
    AgentId, DispositionId, FlowId, InteractionId, LegId, OfferToken, RecordingId, ServiceId, SessionId,
    TenantId, TrunkId,
};
use crate::interaction::{CallbackEnd, Channel, Direction, EndStatus, EndedBy};
use crate::media::{Codec, StreamStats};
use crate::people::PhoneKind;
use crate::recording::{ErasedRange, RecordingProof};
use crate::service::{Overflow, Treatment};
use crate::skill::Requirement;
use crate::survey::Mark;
use crate::time::Timestamp;
use crate::transfer::TransferTarget;
use crate::written::{Assignment, Author};

/// Place of an event in its tenant's journal; starts at 1, no gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// An event with its place and time, as stored and as sent to consoles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// Whose journal.
    pub tenant: TenantId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Event {
    /// An agent signed in and can be routed to by the group's rule.
    AgentLoggedIn {
        /// Who.
        agent: AgentId,
        /// The session that began.
        session: SessionId,
        /// How voice reaches the agent.
        phone: PhoneKind,
    },
    /// An agent signed out, was signed out, or lost the page for too long.
    AgentLoggedOut {
        /// Who.
        agent: AgentId,
    },
    /// An agent takes work.
    AgentReady {
        /// Who.
        agent: AgentId,
        /// Whether the agent chose it, rather than a rule or a supervisor.
        by_hand: bool,
    },
    /// An agent takes no work. While handling, it shows only once the work ends (STATE-16).
    AgentNotReady {
        /// Who.
        agent: AgentId,
        /// Why.
        reason: NotReadyReason,
    },
    /// An agent left routing and dialling without signing out (STATE-20).
    AgentOffline {
        /// Who.
        agent: AgentId,
    },
    /// An agent does not want to be disturbed, or does again (STATE-25). Routing does not ask for it.
    DoNotDisturb {
        /// Who.
        agent: AgentId,
        /// Whether from now on.
        on: bool,
    },

    /// A customer contact began.
    Arrived {
        /// The interaction.
        interaction: InteractionId,
        /// Kind of contact.
        channel: Channel,
        /// Who began it.
        direction: Direction,
        /// Calling number.
        caller: String,
        /// Display name the caller sent.
        #[serde(default)]
        caller_name: Option<String>,
        /// Called number.
        contact: String,
        /// The trunk it came over.
        trunk: Option<TrunkId>,
        /// The service reached, when the number leads to one.
        service: Option<ServiceId>,
        /// Who calls, when it is a colleague.
        #[serde(default)]
        calling_agent: Option<AgentId>,
    },
    /// Before an agent is asked, it came to a step of a flow (ROUTE-08). What was pressed is not here: it may be secret.
    FlowStep {
        /// The interaction.
        interaction: InteractionId,
        /// Which flow.
        flow: FlowId,
        /// Which version of it.
        version: u32,
        /// The name of the step.
        step: String,
    },
    /// An agent started a flow for the customer during the call (CTRL-06); its steps follow.
    FlowStarted {
        /// The interaction.
        interaction: InteractionId,
        /// Which flow.
        flow: FlowId,
        /// Which version of it.
        version: u32,
        /// Who started it.
        agent: AgentId,
    },
    /// The flow that an agent started is over, and the customer is with the agent again. Of a flow that the end of the call ended
    /// nothing is said.
    FlowOver {
        /// The interaction.
        interaction: InteractionId,
        /// Why it is over.
        why: FlowEnd,
    },
    /// A flow noted what the caller entered, or what follows from it (ROUTE-07). Values that the flow calls secret are not here.
    Noted {
        /// The interaction.
        interaction: InteractionId,
        /// New values by name, at most 32; an empty one is gone. What was noted before stays.
        values: BTreeMap<String, String>,
    },
    /// Its caller answered a question of a flow with a mark (ROUTE-08). Of two marks to one question the later counts.
    Rated {
        /// The interaction.
        interaction: InteractionId,
        /// The service it is for at that moment.
        service: Option<ServiceId>,
        /// The name of the flow's step.
        question: String,
        /// The mark.
        mark: Mark,
    },
    /// A number outside is being dialled for it.
    Dialled {
        /// The interaction.
        interaction: InteractionId,
        /// Which number.
        number: String,
    },
    /// Nobody answered the number that was dialled (OUT-13).
    DialFailed {
        /// The interaction.
        interaction: InteractionId,
        /// Why.
        why: DialFailure,
        /// The last status a trunk answered with.
        status: Option<u16>,
    },
    /// A flow, or the agent who passed it on, connected its customer with a number outside that answered: they hear each other
    /// from here (ROUTE-08, XFER-05).
    PassedOn {
        /// The interaction.
        interaction: InteractionId,
        /// Which number.
        number: String,
    },
    /// Its caller began to speak a message for a service or an agent, after the tone (ROUTE-07, VM-04).
    MessageBegun {
        /// The interaction.
        interaction: InteractionId,
        /// For whom.
        #[serde(flatten)]
        to: MessageBox,
        /// What is said is captured as this.
        recording: RecordingId,
    },
    /// The message is over.
    MessageOver {
        /// The interaction.
        interaction: InteractionId,
        /// For whom.
        #[serde(flatten)]
        to: MessageBox,
        /// What was said.
        recording: RecordingId,
        /// How long the caller spoke, silence at the end left out.
        spoken: Duration,
        /// Whether that was long enough to be kept.
        kept: bool,
    },
    /// No message could be taken: as many are kept as may be, or nothing can be captured.
    MessageRefused {
        /// The interaction.
        interaction: InteractionId,
        /// For whom.
        #[serde(flatten)]
        to: MessageBox,
    },
    /// It waits for an agent.
    Queued {
        /// The interaction.
        interaction: InteractionId,
        /// The service whose queue it is.
        service: ServiceId,
        /// Kind of contact: what it weighs on an agent.
        #[serde(default)]
        channel: Channel,
        /// Who may answer, as it stood at this moment.
        requirement: Requirement,
        /// Queue priority points.
        priority: i32,
        /// Since when it has waited, when it was led on from another queue: its place is that of this time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// As how much longer a wait the wait for the first step of the requirement counts: it is held for agents whom the customer
        /// knows (C16).
        #[serde(default, skip_serializing_if = "Duration::is_zero")]
        ahead: Duration,
    },
    /// It was not queued, or not any longer, and was led on (ROUTE-07). What comes of it is told by what follows.
    Overflowed {
        /// The interaction.
        interaction: InteractionId,
        /// Whose queue did not take it, or keep it.
        from: ServiceId,
        /// Why.
        why: Overflow,
        /// Where to: a service, a flow, or a message.
        to: Treatment,
    },
    /// The queue of a service did not take it, and led it nowhere either; what becomes of it is told by what follows.
    TurnedAway {
        /// The interaction.
        interaction: InteractionId,
        /// The service.
        service: ServiceId,
        /// Why.
        why: Overflow,
    },
    /// Its customer is to be called back (CB-01), and keeps the place in the line.
    CallbackAsked {
        /// The interaction.
        interaction: InteractionId,
        /// For whose agents it waits.
        service: ServiceId,
        /// What will be dialled.
        number: String,
        /// Since when it has waited: its place is that of this time.
        since: Timestamp,
        /// Who may answer, when that is not what the service asks for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requirement: Option<Requirement>,
        /// Queue priority points, when they are not the service's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i32>,
    },
    /// It left the queue, or the agent who had taken it, without having ended: it will be queued again at its place.
    LaidAside {
        /// The interaction.
        interaction: InteractionId,
        /// Who had taken it, and has no after-call work for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
    },
    /// A callback is not queued before this time.
    CallbackHeld {
        /// The interaction.
        interaction: InteractionId,
        /// Until when.
        until: Timestamp,
    },
    /// The customer will not be called back any more. That it has ended is told by what follows.
    CallbackOver {
        /// The interaction.
        interaction: InteractionId,
        /// Why.
        why: CallbackEnd,
        /// Who cancelled it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AgentId>,
    },
    /// An agent was leased for it: rings until the deadline.
    Offered {
        /// The interaction.
        interaction: InteractionId,
        /// To whom.
        agent: AgentId,
        /// The lease.
        token: OfferToken,
        /// When the lease ends.
        deadline: Timestamp,
    },
    /// The agent took it.
    Accepted {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// The lease that was used.
        token: OfferToken,
    },
    /// An agent took it from the queue by their own choice, without an offer (LIVE-06).
    Taken {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// It left its agent unfinished and waits again at the place it had.
    Requeued {
        /// The interaction.
        interaction: InteractionId,
        /// Who had it.
        agent: AgentId,
    },
    /// It had ended and goes on, because the customer wrote again.
    Reopened {
        /// The interaction.
        interaction: InteractionId,
    },
    /// It lies in the personal queue of an agent: theirs, and not in hand (MAIL-17).
    Assigned {
        /// The interaction.
        interaction: InteractionId,
        /// Whose queue.
        agent: AgentId,
        /// How it came there.
        why: Assignment,
        /// Who put it there, when that was somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AgentId>,
    },
    /// Something was written in it. What it says is kept apart from the journal, so that it can be erased.
    Written {
        /// The interaction.
        interaction: InteractionId,
        /// Its place among the messages of the interaction, from 1.
        number: u32,
        /// Who wrote it.
        by: Author,
    },
    /// An agent began work that nobody offered: a manual outbound call, dialling included (STATE-06).
    HandlingStarted {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// Kind of contact: what it weighs on an agent.
        channel: Channel,
        /// The agent's own part of a call to a colleague: without after-call work.
        #[serde(default)]
        internal: bool,
    },
    /// The lease ended without acceptance; the interaction keeps its place.
    OfferEnded {
        /// The interaction.
        interaction: InteractionId,
        /// Who was rung.
        agent: AgentId,
        /// The lease that ended.
        token: OfferToken,
        /// Why.
        why: OfferEnd,
    },
    /// The customer or we ended it, with or without conversation.
    Ended {
        /// The interaction.
        interaction: InteractionId,
        /// How.
        status: EndStatus,
        /// By whom.
        by: EndedBy,
    },
    /// The agent asked for help with it (HELP-01): supervisors were told. It is over with the interaction, or sooner.
    HelpAsked {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// The agent needs no help any more.
    HelpTakenBack {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// An agent passed the customer on (XFER-05): the agent's part is over, and its after-call work goes on under an id of its own.
    /// Who has the customer next is told by what follows.
    Transferred {
        /// The interaction.
        interaction: InteractionId,
        /// Who passed it on.
        agent: AgentId,
        /// What the agent's after-call work is called from here on.
        part: InteractionId,
        /// To whom.
        to: TransferTarget,
        /// The call in which whoever has it next was asked before (XFER-04), and which is over with this. None: nobody was asked.
        #[serde(default)]
        consulted: Option<InteractionId>,
    },
    /// An agent asks about one call in another one that the agent places (XFER-01).
    Consults {
        /// The new call.
        interaction: InteractionId,
        /// The call it is about.
        of: InteractionId,
        /// Who asks.
        agent: AgentId,
    },
    /// Whoever an agent had called came into another call of that agent, and talks there with the others (XFER-09).
    PartyJoined {
        /// The call that they came into.
        interaction: InteractionId,
        /// The call that they were in.
        from: InteractionId,
        /// The colleague; none: a number outside, whose call is over with this.
        agent: Option<AgentId>,
        /// The number that was called.
        number: String,
        /// Who brought them.
        by: AgentId,
    },
    /// They are not in it any more, or have another place in it.
    PartyLeft {
        /// The call.
        interaction: InteractionId,
        /// The call that they had come from.
        from: InteractionId,
    },
    /// A supervisor takes part in a call, or does so in this way from now on (HELP-03 to HELP-05).
    Attends {
        /// The call.
        interaction: InteractionId,
        /// The name of the supervisor's part.
        from: InteractionId,
        /// Who.
        supervisor: AgentId,
        /// In which way.
        how: Attending,
    },
    /// A supervisor takes part no longer, or has the agent's place.
    AttendingOver {
        /// The call.
        interaction: InteractionId,
        /// The name of the supervisor's part.
        from: InteractionId,
    },
    /// An agent who had passed it on gave a disposition or comment. The last one stands.
    PartCoded {
        /// The interaction.
        interaction: InteractionId,
        /// Which part.
        part: InteractionId,
        /// Who.
        agent: AgentId,
        /// How it ended; `None` leaves it as it was.
        disposition: Option<DispositionId>,
        /// Free text; `None` leaves it as it was.
        comment: Option<String>,
    },
    /// All work of an agent who had passed it on is done.
    PartCompleted {
        /// The interaction.
        interaction: InteractionId,
        /// Which part.
        part: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// After-call work began.
    WrapUpStarted {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// When it ends by itself.
        until: Option<Timestamp>,
    },
    /// The agent stopped the countdown (STATE-10).
    WrapUpContinued {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// A disposition or comment was given (ACW-03, ACW-05). The last one stands.
    Coded {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// How it ended; `None` leaves it as it was.
        disposition: Option<DispositionId>,
        /// Free text; `None` leaves it as it was.
        comment: Option<String>,
    },
    /// All work on it is done (ACW-04).
    Completed {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// How long after-call work took.
        wrap_up: Duration,
    },

    /// A party's half was connected.
    LegAnswered {
        /// The interaction.
        interaction: InteractionId,
        /// The leg.
        leg: LegId,
        /// Whose half.
        party: Party,
        /// What is spoken on it.
        codec: Codec,
        /// Whether its media is encrypted.
        secure: bool,
    },
    /// The conversation between customer and agent began: both hear each other from here (REC-03).
    Bridged {
        /// The interaction.
        interaction: InteractionId,
        /// Who talks to the customer.
        agent: AgentId,
    },
    /// The far side was put on hold, or taken back.
    HoldChanged {
        /// The interaction.
        interaction: InteractionId,
        /// Who holds; unknown in old journals.
        #[serde(default)]
        agent: Option<AgentId>,
        /// Whether the customer is held now.
        held: bool,
    },
    /// A party's half was disconnected.
    LegEnded {
        /// The interaction.
        interaction: InteractionId,
        /// The leg.
        leg: LegId,
        /// Whose half.
        party: Party,
        /// What came in over it.
        stats: Option<StreamStats>,
    },
    /// Quality left or regained the limits of QUAL-01.
    QualityChanged {
        /// The interaction.
        interaction: InteractionId,
        /// Whose half.
        party: Party,
        /// Whether it is poor now.
        poor: bool,
    },
    /// Both channels are being captured.
    RecordingStarted {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
    },
    /// The recording can be played.
    RecordingFinished {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Length of its audio.
        length: Duration,
        /// Captured equals expected.
        complete: bool,
        /// What finishing found; unknown in old journals.
        #[serde(default)]
        proof: Option<RecordingProof>,
    },
    /// A recording, or a stretch of it, was destroyed for ever (RECO-05).
    RecordingErased {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Who did it; `None`: the service's retention.
        by: Option<AgentId>,
        /// Which stretch; `None`: all of it.
        range: Option<ErasedRange>,
    },
    /// Capturing stopped on purpose: what is said from here on is nowhere (RECO-04).
    RecordingPaused {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Who paused it.
        by: AgentId,
    },
    /// Capturing goes on.
    RecordingResumed {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Who resumed it; `None`: the service's limit.
        by: Option<AgentId>,
    },
    /// Somebody guesses the password of a phone or a trunk, and has to pause (SAFE-02).
    PasswordGuessed {
        /// From where.
        source: std::net::IpAddr,
        /// The user name that was tried last, as the guesser wrote it.
        account: String,
        /// For how long nothing of theirs is looked at, in seconds.
        pause_s: u64,
    },
    /// The audit of a running floor found something that must never be (ROUTE-06): a fault of the program.
    InvariantBroken {
        /// The rule, such as `I3`.
        invariant: String,
        /// What is broken, in words for whoever repairs the program.
        what: String,
    },
    /// It waits for somebody who is not in the configuration: nobody can ever take it, unless the configuration changes.
    NobodyFits {
        /// The interaction.
        interaction: InteractionId,
    },
    /// What has been counted of a service since midnight UTC, up to here (ROUTE-11). It says nothing new: a start goes on
    /// from it, without reading the whole day.
    FiguresCarried {
        /// The service.
        service: ServiceId,
        /// What became of those who asked for it.
        today: Counts,
        /// How fast its customers are served.
        pace: Pace,
    },
    /// What the floor decides by changed here, or the appliance was started with it.
    Configured {
        /// Number of the stored configuration.
        generation: u64,
        /// Whether the appliance was started: what the run before left open ends after this.
        #[serde(default)]
        started: bool,
    },
    /// A call that should be recorded is not.
    RecordingFailed {
        /// The interaction.
        interaction: InteractionId,
        /// What went wrong, in words for the operator.
        why: String,
    },
    /// Nothing comes from a party whose channel is being captured, though it should; or something comes again (RECO-04).
    RecordingSilent {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// Whose channel.
        party: Party,
        /// Whether it is empty now.
        silent: bool,
    },
}

/// Whose half of an interaction a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "party")]
pub enum Party {
    /// The customer; in an internal call the colleague who called.
    Customer,
    /// An agent.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// The number outside that a flow, or the agent's transfer, connected the caller with.
    FarEnd,
}

/// Why an offer ended without acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// The agent refused (VOICE-07).
    Declined,
    /// The deadline passed (VOICE-09).
    NoAnswer,
    /// The agent's phone could not be reached (VOICE-14).
    ConnectionLost,
    /// The customer left.
    CallerLeft,
    /// The agent signed out or was forced away.
    AgentLeft,
    /// Several agents were rung and another one took it.
    TakenElsewhere,
    /// The appliance was restarted while it rang.
    Restart,
    /// The agent put it back into the queue for others, without a change of state (LIVE-05).
    PutBack,
    /// The agent put the offered email into the own personal queue, without a change of state (MAIL-04).
    Postponed,
}

impl Event {
    /// The interaction it speaks of, if it speaks of one.
    pub fn interaction(&self) -> Option<InteractionId> {
        match self {
            Self::AgentLoggedIn { .. }
            | Self::AgentLoggedOut { .. }
            | Self::AgentReady { .. }
            | Self::AgentNotReady { .. }
            | Self::AgentOffline { .. }
            | Self::DoNotDisturb { .. }
            | Self::PasswordGuessed { .. }
            | Self::InvariantBroken { .. }
            | Self::FiguresCarried { .. }
            | Self::Configured { .. } => None,
            Self::Arrived { interaction, .. }
            | Self::FlowStep { interaction, .. }
            | Self::FlowStarted { interaction, .. }
            | Self::FlowOver { interaction, .. }
            | Self::Noted { interaction, .. }
            | Self::Rated { interaction, .. }
            | Self::Dialled { interaction, .. }
            | Self::DialFailed { interaction, .. }
            | Self::PassedOn { interaction, .. }
            | Self::MessageBegun { interaction, .. }
            | Self::MessageOver { interaction, .. }
            | Self::MessageRefused { interaction, .. }
            | Self::Queued { interaction, .. }
            | Self::Overflowed { interaction, .. }
            | Self::TurnedAway { interaction, .. }
            | Self::CallbackAsked { interaction, .. }
            | Self::LaidAside { interaction, .. }
            | Self::CallbackHeld { interaction, .. }
            | Self::CallbackOver { interaction, .. }
            | Self::Offered { interaction, .. }
            | Self::Accepted { interaction, .. }
            | Self::Taken { interaction, .. }
            | Self::Requeued { interaction, .. }
            | Self::Reopened { interaction }
            | Self::Assigned { interaction, .. }
            | Self::Written { interaction, .. }
            | Self::HandlingStarted { interaction, .. }
            | Self::OfferEnded { interaction, .. }
            | Self::Ended { interaction, .. }
            | Self::HelpAsked { interaction, .. }
            | Self::Transferred { interaction, .. }
            | Self::Consults { interaction, .. }
            | Self::PartyJoined { interaction, .. }
            | Self::PartyLeft { interaction, .. }
            | Self::Attends { interaction, .. }
            | Self::AttendingOver { interaction, .. }
            | Self::PartCoded { interaction, .. }
            | Self::PartCompleted { interaction, .. }
            | Self::HelpTakenBack { interaction, .. }
            | Self::WrapUpStarted { interaction, .. }
            | Self::WrapUpContinued { interaction, .. }
            | Self::Coded { interaction, .. }
            | Self::Completed { interaction, .. }
            | Self::LegAnswered { interaction, .. }
            | Self::Bridged { interaction, .. }
            | Self::HoldChanged { interaction, .. }
            | Self::LegEnded { interaction, .. }
            | Self::QualityChanged { interaction, .. }
            | Self::RecordingStarted { interaction, .. }
            | Self::RecordingFinished { interaction, .. }
            | Self::RecordingErased { interaction, .. }
            | Self::RecordingPaused { interaction, .. }
            | Self::RecordingResumed { interaction, .. }
            | Self::RecordingFailed { interaction, .. }
            | Self::RecordingSilent { interaction, .. }
            | Self::NobodyFits { interaction } => Some(*interaction),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn an_event_is_stored_under_a_stable_name() {
        let event = Event::AgentNotReady { agent: AgentId::from_number(1), reason: NotReadyReason::NoAnswer };
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.starts_with(r#"{"type":"agent_not_ready","agent":"user_"#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }

    #[test]
    fn every_reason_survives_the_journal() {
        for reason in [NotReadyReason::Login, NotReadyReason::Chosen(crate::id::ReasonId::from_number(3))] {
            let text = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<NotReadyReason>(&text).unwrap(), reason, "{text}");
        }
    }
}
