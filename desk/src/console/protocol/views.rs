//! What pages show.

use std::collections::BTreeMap;

use model::agent::AgentState;
use model::call::DialFailure;
use model::id::{DispositionId, FlowId, InteractionId, OfferToken, ReasonId, ServiceId, UserId};
use model::interaction::{Channel, Direction};
use model::media::StreamStats;
use model::people::PhoneKind;
use model::tenant::{ExternalField, InternalField, OfferWindow};
use model::time::Timestamp;
use model::written::Author;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::consult::{ConferenceView, ScreenView};
use super::supervision::{AttendantView, AttendedView};
use crate::floor::callback::Callback;
use crate::floor::written::TabView;

/// Everything the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Snapshot {
    /// The own state.
    pub me: AgentView,
    /// Open offers.
    pub offers: Vec<OfferView>,
    /// Open work.
    pub work: Vec<WorkView>,
    /// The own personal queue of emails.
    pub personal: TabView,
    /// All queues.
    pub queues: Vec<QueueView>,
    /// What can be chosen when leaving work.
    pub reasons: Vec<ReasonView>,
    /// The own phone.
    pub phone: PhoneView,
    /// What the offer window shows (VOICE-05).
    pub offer_window: OfferWindowView,
    /// Services with their dispositions.
    pub services: Vec<ServiceView>,
    /// Who asks for help, for those who supervise; empty for others (HELP-02).
    pub help: Vec<HelpView>,
    /// The call in which a supervisor takes part (HELP-03 to HELP-05).
    pub attending: Option<AttendedView>,
}

/// An agent as everybody sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AgentView {
    /// Who.
    #[schema(value_type = String)]
    pub user: UserId,
    /// Shown name.
    pub name: String,
    /// Routing state.
    pub state: StateView,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
    /// What follows at the end of the work, when something was chosen.
    pub after_work: Option<StateView>,
    /// States that may be chosen now.
    pub can: Vec<&'static str>,
    /// Offers left unanswered today.
    pub missed_today: u32,
    /// Offers refused today.
    pub declined_today: u32,
    /// Break time of today.
    pub breaks: BreakView,
    /// What colleagues see (STATE-23); none of whom is not signed in.
    pub presence: Option<Presence>,
    /// Whether the agent chose not to be disturbed, whatever shows of it at the moment (STATE-25).
    pub undisturbed: bool,
}

/// What colleagues see of somebody, apart from routing (STATE-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// At the workplace.
    Available,
    /// Nothing was done there for 15 minutes (STATE-24).
    Away,
    /// Chosen by hand (STATE-25).
    DoNotDisturb,
    /// With a customer, by voice (STATE-26).
    OnCall,
}

/// Break time of an agent today; days are counted in UTC (STATE-14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BreakView {
    /// In breaks that are over, in milliseconds.
    pub used_ms: u64,
    /// Since when a break lasts, as far as it is of today, in milliseconds since 1970.
    pub since: Option<u64>,
    /// What the team has a day, in milliseconds; none: as much as it takes.
    pub allowance_ms: Option<u64>,
}

/// A routing state with the reason's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateView {
    /// `logged_out`, `ready`, `ringing`, `busy`, `wrap_up`, `not_ready` or `offline`.
    pub state: &'static str,
    /// Why not ready.
    pub reason: Option<StateReason>,
}

/// Why an agent is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateReason {
    /// `login`, `after_interaction`, `declined`, `no_answer`, `connection_lost`, `forced` or `chosen`.
    pub kind: &'static str,
    /// Of a chosen reason.
    #[schema(value_type = Option<String>)]
    pub id: Option<ReasonId>,
    /// For people.
    pub name: String,
}

/// The name of a state on the wire.
pub fn state_name(state: AgentState) -> &'static str {
    match state {
        AgentState::LoggedOut => "logged_out",
        AgentState::Ready => "ready",
        AgentState::Ringing => "ringing",
        AgentState::Busy => "busy",
        AgentState::WrapUp => "wrap_up",
        AgentState::NotReady { .. } => "not_ready",
        AgentState::Offline => "offline",
    }
}

/// A service as it is named in other views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServiceName {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ServiceId,
    /// Its name.
    pub name: String,
}

/// What the offer window shows, in this order, as the tenant set it (VOICE-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferWindowView {
    /// Of calls from outside: `service`, `channel`, `name`, `number`, `line` (the called number), `noted` (what was
    /// entered), `waited`.
    #[schema(value_type = Vec<String>)]
    pub external: Vec<ExternalField>,
    /// Of a colleague's calls: `channel`, `name`, `extension`, `waited`.
    #[schema(value_type = Vec<String>)]
    pub internal: Vec<InternalField>,
}

impl From<&OfferWindow> for OfferWindowView {
    fn from(window: &OfferWindow) -> Self {
        Self { external: window.external.clone(), internal: window.internal.clone() }
    }
}

/// A colleague as named in the views of an internal call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Colleague {
    /// Who.
    #[schema(value_type = String)]
    pub user: UserId,
    /// Shown name.
    pub name: String,
    /// Internal number.
    pub extension: Option<String>,
}

/// A customer who is called back, as the agent sees it (CB-01).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallbackView {
    /// What is dialled: what the customer gave, mostly the calling number.
    pub number: String,
    /// How often it was dialled so far.
    pub attempts: u32,
    /// When it is dialled by itself, while the notice is shown; in milliseconds since 1970.
    pub dials_at: Option<u64>,
}

impl From<&Callback> for CallbackView {
    fn from(callback: &Callback) -> Self {
        Self {
            number: callback.number.clone(),
            attempts: callback.attempts,
            dials_at: callback.dials_at().map(Timestamp::millis),
        }
    }
}

/// An offer as the offer window shows it (VOICE-03, VOICE-04).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfferView {
    /// The lease.
    #[schema(value_type = String)]
    pub offer: OfferToken,
    /// What is offered.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// `inbound` or `internal`.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// Which service was called; none by a colleague.
    pub service: Option<ServiceName>,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// The customer asked to be called back.
    pub callback: Option<CallbackView>,
    /// What flows noted of the caller, by name (ROUTE-07).
    pub noted: BTreeMap<String, String>,
    /// The colleague who calls.
    pub colleague: Option<Colleague>,
    /// The colleague who passed the customer on, by name (XFER-05).
    pub passed_by: Option<String>,
    /// About whom the colleague asks (XFER-01).
    pub about: Option<ScreenView>,
    /// How long the caller has waited.
    pub waited_ms: u64,
    /// When the offer ends, in milliseconds since 1970 (VOICE-09).
    pub deadline: u64,
    /// Whether it is accepted without the agent's doing.
    pub auto_answer: bool,
    /// Whether the agent may put it back for others (LIVE-05).
    pub may_put_back: bool,
}

/// A message of a written contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Message {
    /// Its place, from 1 without gaps.
    pub number: u32,
    /// When it was taken, in milliseconds since 1970.
    pub at: u64,
    /// `author`: `customer`, `agent` (then `agent` names the user) or `system`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub by: Author,
    /// What it says: plain text.
    pub text: String,
}

/// What is shown of a written contact besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WrittenView {
    /// The number of the last message.
    pub last_message: u32,
    /// Since when the customer has had no answer (CHAT-15).
    pub unanswered_since: Option<u64>,
}

/// What a piece of work is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reserved for a callback: the notice is shown, and nobody is dialled yet (CB-01).
    Reserved,
    /// The colleague or the number outside rings; only for the one who called.
    Dialling,
    /// Accepted; the parties are being joined.
    Connecting,
    /// They hear each other.
    Talking,
    /// This agent has put the far side on hold.
    Held,
    /// The colleague or the number outside did not take the call: busy is heard; only for the one who called.
    Refused,
    /// After-call work.
    WrapUp,
}

/// Why a colleague, or a number outside, did not take a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedWhy {
    /// It was refused.
    Declined,
    /// Nobody answered.
    NoAnswer,
    /// The colleague's phone or page is away; or no trunk could carry the call.
    Unreachable,
    /// The number outside is busy.
    Busy,
    /// The telephone outside is switched off or out of coverage.
    PhoneOff,
    /// The number outside is suspended or barred by its carrier.
    Barred,
    /// There is no such number outside.
    NoSuchNumber,
    /// All trunks carry as many calls as they may.
    TrunksBusy,
}

impl From<DialFailure> for RefusedWhy {
    fn from(why: DialFailure) -> Self {
        match why {
            DialFailure::Busy => Self::Busy,
            DialFailure::NoAnswer => Self::NoAnswer,
            DialFailure::PhoneOff => Self::PhoneOff,
            DialFailure::Barred => Self::Barred,
            DialFailure::Rejected => Self::Declined,
            DialFailure::NotFound => Self::NoSuchNumber,
            DialFailure::Unreachable => Self::Unreachable,
            DialFailure::TrunksBusy => Self::TrunksBusy,
        }
    }
}

/// A piece of work as its agent sees it (VOICE-06).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WorkView {
    /// Which call.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// `inbound`, `outbound` or `internal`.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// Of which service; none of an internal call.
    pub service: Option<ServiceName>,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// The customer asked to be called back.
    pub callback: Option<CallbackView>,
    /// What flows noted of the caller, by name (ROUTE-07).
    pub noted: BTreeMap<String, String>,
    /// The other one of an internal call.
    pub colleague: Option<Colleague>,
    /// The colleague who passed the customer on, by name (XFER-05).
    pub passed_by: Option<String>,
    /// To whom this agent passed the customer on: a service or a colleague by name, or a number.
    pub passed_to: Option<String>,
    /// Whose record it is part of: of what an agent passed on that of the whole call, else its own.
    #[schema(value_type = String)]
    pub record: InteractionId,
    /// The call that this agent asks about in it (XFER-01).
    #[schema(value_type = Option<String>)]
    pub consults: Option<InteractionId>,
    /// What the one who asks showed of that call (XFER-02).
    pub screen: Option<ScreenView>,
    /// Who else is in it, when more than two are (XFER-08).
    pub conference: Option<ConferenceView>,
    /// Supervisors who coach or talk in it (HELP-04, HELP-05); nobody who only listens.
    pub attendants: Vec<AttendantView>,
    /// Whether this agent called.
    pub outgoing: bool,
    /// What it is at.
    pub phase: Phase,
    /// Why the colleague did not take it.
    pub refused_why: Option<RefusedWhy>,
    /// Whether the far side does not hear this agent.
    pub muted: bool,
    /// Since when the phase lasts.
    pub since: u64,
    /// When they began to hear each other.
    pub answered_at: Option<u64>,
    /// After-call work, while it lasts.
    pub wrap_up: Option<WrapUpView>,
    /// How it was coded so far.
    #[schema(value_type = Option<String>)]
    pub disposition: Option<DispositionId>,
    /// The remark so far.
    pub comment: String,
    /// Live figures.
    pub quality: Option<QualityView>,
    /// Whether it is being recorded.
    pub recording: bool,
    /// What is said is left out of the recording now.
    pub recording_pause: Option<PauseView>,
    /// The flow that the customer goes through while the agent waits (CTRL-06).
    pub flow: Option<FlowProgress>,
    /// Since when this agent asks for help with it (HELP-01).
    pub help_since: Option<u64>,
    /// Digits the calling side pressed.
    pub digits: String,
    /// Of a chat, text message or email.
    pub written: Option<WrittenView>,
}

/// An agent who asks for help, as supervisors see it (HELP-02).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HelpView {
    /// With which interaction.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Who asks.
    pub agent: Colleague,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// `inbound`, `outbound` or `internal`.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// Of which service; none of an internal call.
    pub service: Option<ServiceName>,
    /// The other one of an internal call.
    pub colleague: Option<Colleague>,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
}

/// How far a customer is in a flow that the agent started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowProgress {
    /// Which.
    #[schema(value_type = String)]
    pub flow: FlowId,
    /// Its name.
    pub name: String,
    /// Names of the steps so far, the last where the customer is; of more than 32 the last.
    pub way: Vec<String>,
    /// Whether something is being entered that is neither shown nor recorded.
    pub secret: bool,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
}

/// A flow that agents may start during a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowChoice {
    /// Its id.
    #[schema(value_type = String)]
    pub id: FlowId,
    /// Its name.
    pub name: String,
}

/// A pause of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PauseView {
    /// Since when.
    pub since: u64,
    /// When it ends by itself.
    pub until: u64,
}

/// After-call work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WrapUpView {
    /// When it ends by itself.
    pub until: Option<u64>,
    /// Whether the countdown may be stopped.
    pub may_continue: bool,
}

/// Live figures of a call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct QualityView {
    /// Outside the limits now (ERR-19).
    pub poor: bool,
    /// What comes from the customer, or the colleague who called.
    #[schema(value_type = Object)]
    pub customer: StreamStats,
    /// What comes from the agent who was called.
    #[schema(value_type = Object)]
    pub agent: StreamStats,
}

/// A queue as everybody sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueueView {
    /// Of which service.
    pub service: ServiceName,
    /// Whether it takes callers: switched on, and within its hours.
    pub open: bool,
    /// Whether new callers meet the emergency treatment.
    pub emergency: bool,
    /// Callers waiting, those to be called back whose turn it is among them.
    pub waiting: u32,
    /// Customers who are to be called back, in the line or not yet again.
    pub callbacks: u32,
    /// When the one who waits longest came.
    pub longest_since: Option<u64>,
    /// Agents of the service who could take a call now.
    pub ready_agents: u32,
    /// Agents of the service who are rung, talk, or are in after-call work.
    pub busy_agents: u32,
    /// Agents of the service who are signed in.
    pub agents: u32,
    /// Seconds that somebody who calls now will probably wait; null when nobody is there or nothing is known yet.
    pub expected_wait_s: Option<u64>,
    /// What became of callers in the minute that has begun and the 29 before it.
    pub half_hour: PeriodView,
    /// What became of callers since midnight UTC.
    pub today: PeriodView,
}

/// What became of those who asked for a service in some time. Everybody counts once, when it is decided.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PeriodView {
    /// Answered, abandoned, turned away, overflowed and callbacks together.
    pub offered: u64,
    /// Talked to an agent.
    pub answered: u64,
    /// Left before that.
    pub abandoned: u64,
    /// The queue was full, nobody was there, or the longest wait was over.
    pub turned_away: u64,
    /// Led on to the queue of another service, or into a flow.
    pub overflowed: u64,
    /// Asked to be called back.
    pub callbacks: u64,
    /// Customers who were called back and talked to an agent; they are none of the others.
    pub called_back: u64,
    /// Marks that callers gave (ROUTE-08).
    pub marks: u64,
    /// What they are worth on average: 0 is the lowest mark of the scale, 100 the highest. Null without any.
    pub mean_mark_percent: Option<f64>,
    /// Answered within the service's time, of those offered; short abandons as the service treats them. Null of nobody.
    pub service_level_percent: Option<f64>,
    /// Left, of those offered; short abandons as the service treats them. Null of nobody.
    pub abandoned_percent: Option<f64>,
    /// Mean wait of those who were answered.
    pub speed_of_answer_s: Option<f64>,
    /// The longest wait of anybody.
    pub longest_wait_s: f64,
}

/// The own phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PhoneView {
    /// Which kind.
    #[schema(value_type = String)]
    pub kind: PhoneKind,
    /// Of a phone outside, its number.
    pub number: Option<String>,
    /// Whether calls can reach it.
    pub up: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// A reason that can be chosen (STATE-12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ReasonId,
    /// Its name.
    pub name: String,
    /// Its icon's name.
    pub icon: String,
}

/// A service with what its work is coded with (ACW-01).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServiceView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Whether work cannot be completed without a disposition.
    pub disposition_mandatory: bool,
    /// Its list.
    pub dispositions: Vec<DispositionView>,
    /// Flows that agents may start during its calls (CTRL-06).
    pub flows: Vec<FlowChoice>,
}

/// A disposition in a picker (ACW-07).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DispositionView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: DispositionId,
    /// Its name.
    pub name: String,
    /// A success in reports.
    pub success: bool,
    /// Closes the matter.
    pub closing: bool,
}
