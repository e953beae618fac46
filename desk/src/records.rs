//! Service records as people see them, and their recordings.
//!
//! Agents see their own records only; the privilege widens it (REC-01, C18). Every access to a recording is audited.

mod attendance;
mod guest;
mod part;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::attendance::AttendanceOfRecord;
pub use self::guest::GuestOfRecord;
pub use self::part::PartOfRecord;
use model::id::{DispositionId, InteractionId, RecordingId, ServiceId, TrunkId, UserId};
use model::interaction::{
    Channel, Direction, EndStatus, EndedBy, RecordedCallback, RecordedMessage, RecordedOverflow,
    ServiceRecord,
};
use model::journal::Party;
use model::media::StreamStats;
use model::people::Privilege;
use model::recording::{ErasedRange, RecordingProof};
use model::service::{Overflow, Treatment};
use model::survey::{Mark, RecordedMark};
use model::time::Timestamp;
use serde::Serialize;
pub use store::records::RecordFilter;
use store::records::{duration, time};
use utoipa::ToSchema;

use crate::audit::{Actor, AuditEntry, AuditFilter};
use crate::auth::Identity;
use crate::configuration::Configuration;
use crate::metrics::{callback_end_name, dial_failure_name, status_name};
use crate::page::{Cursor, Page};
use crate::recorded_flows::FlowOfRecord;
use crate::recording::{Audio, AudioFormat, Peaks, RecordingError};
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// One line of the service records.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RecordView {
    /// The interaction it describes.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Who began it.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// Calling number (REC-05).
    pub caller: String,
    /// Called number (REC-05).
    pub contact: String,
    /// Display name the caller sent.
    pub caller_name: Option<String>,
    /// The trunk it came over.
    #[schema(value_type = Option<String>)]
    pub trunk: Option<TrunkId>,
    /// The service that was reached.
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceId>,
    /// Its name.
    pub service_name: Option<String>,
    /// The agent who handled it, in whose ringing it was abandoned, or whom a colleague called.
    #[schema(value_type = Option<String>)]
    pub agent: Option<UserId>,
    /// The agent's name.
    pub agent_name: Option<String>,
    /// The agent who called, in an internal call.
    #[schema(value_type = Option<String>)]
    pub calling_agent: Option<UserId>,
    /// That agent's name.
    pub calling_agent_name: Option<String>,
    /// The time it is shown under (REC-03), in milliseconds since 1970 as all times.
    pub time: u64,
    /// From arrival to hang-up (REC-04).
    pub duration_ms: Option<u64>,
    /// What flows noted of the caller, by name; nothing secret (ROUTE-07).
    pub noted: BTreeMap<String, String>,
    /// What the caller answered when flows asked for marks (ROUTE-08).
    pub marks: Vec<MarkOfRecord>,
    /// Queues that led the caller on, in this order (ROUTE-07).
    pub overflows: Vec<OverflowOfRecord>,
    /// The customer asked to be called back.
    pub callback: Option<CallbackOfRecord>,
    /// A flow, or an agent, connected the customer with a number outside.
    pub passed_on: Option<PassingOfRecord>,
    /// Flows that the agent started for the customer (CTRL-06).
    pub flows: Vec<FlowOfRecord>,
    /// Messages that the caller left (ROUTE-07).
    pub messages: Vec<MessageOfRecord>,
    /// The parts of agents who passed the customer on, in this order (XFER-05).
    pub parts: Vec<PartOfRecord>,
    /// The record of the call that its agent asked about in it (XFER-01).
    #[schema(value_type = Option<String>)]
    pub consult_of: Option<InteractionId>,
    /// Who was brought into it (XFER-08).
    pub guests: Vec<GuestOfRecord>,
    /// Supervisors who took part, for those who supervise; empty for others (HELP-03).
    pub attended: Vec<AttendanceOfRecord>,
    /// Since when the agent who had it last talked to the customer.
    pub talking_since: Option<u64>,
    /// First INVITE.
    pub arrived_at: u64,
    /// Entered the queue.
    pub queued_at: Option<u64>,
    /// First offered to an agent.
    pub offered_at: Option<u64>,
    /// Conversation began.
    pub answered_at: Option<u64>,
    /// Hang-up.
    pub ended_at: Option<u64>,
    /// After-call work completed.
    pub completed_at: Option<u64>,
    /// How it ended (REC-06).
    pub status: Option<&'static str>,
    /// Which side ended it.
    #[schema(value_type = Option<String>)]
    pub ended_by: Option<EndedBy>,
    /// How the agent coded it.
    #[schema(value_type = Option<String>)]
    pub disposition: Option<DispositionId>,
    /// Its name.
    pub disposition_name: Option<String>,
    /// The agent's remark (ACW-06).
    pub comment: String,
    /// Its recording.
    #[schema(value_type = Option<String>)]
    pub recording: Option<RecordingId>,
    /// When capturing was paused on purpose, and by whom (RECO-04).
    pub recording_pauses: Vec<PauseOfRecord>,
    /// When a channel was empty although its party should have been heard (RECO-04).
    pub recording_gaps: Vec<GapOfRecord>,
    /// What was destroyed of it, by whom and when (RECO-05).
    pub recording_erased: Vec<ErasureOfRecord>,
    /// What finishing the recording found (RECO-04): `verdict`, expected and captured time of each channel, the last seal.
    #[schema(value_type = Option<Object>)]
    pub recording_proof: Option<RecordingProof>,
    /// What came from the customer.
    #[schema(value_type = Option<Object>)]
    pub customer_stats: Option<StreamStats>,
    /// What came from the agent.
    #[schema(value_type = Option<Object>)]
    pub agent_stats: Option<StreamStats>,
    /// Times the customer was put on hold.
    pub holds: u32,
    /// When its agent asked for help (HELP-01).
    pub help: Vec<HelpOfRecord>,
    /// When an agent first wrote in it, of a written contact.
    pub first_reply_at: Option<u64>,
    /// Messages of the customer.
    pub customer_messages: u32,
    /// Messages of agents.
    pub agent_messages: u32,
}

/// A queue that did not take a caller, or not any longer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OverflowOfRecord {
    /// When.
    pub at: u64,
    /// Whose queue, by name.
    pub from: String,
    /// `closed`, `unstaffed`, `full`, `waited_long`, `agents_left`, `chosen` (by a key) or `emergency`.
    #[schema(value_type = String)]
    pub why: Overflow,
    /// Where it led: the name of a service or of a flow.
    pub to: String,
    /// Whether that is a flow.
    pub to_flow: bool,
    /// Whether the caller was to leave a message there.
    pub to_voicemail: bool,
}

impl OverflowOfRecord {
    fn new(overflow: &RecordedOverflow, names: &Configuration) -> Self {
        let (to, to_flow) = match overflow.to {
            Treatment::Service(service) => (names.name_service(service).name, false),
            Treatment::Flow(flow) => {
                (names.flows.get(&flow).map(|flow| flow.name.clone()).unwrap_or_default(), true)
            }
            Treatment::Voicemail => (names.name_service(overflow.from).name, false),
            Treatment::Announce | Treatment::Reject | Treatment::Queue => (String::new(), false),
        };
        let from = names.name_service(overflow.from).name;
        let to_voicemail = overflow.to == Treatment::Voicemail;
        Self { at: overflow.at.millis(), from, why: overflow.why, to, to_flow, to_voicemail }
    }
}

/// A customer who asked to be called back (CB-01, CB-02).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CallbackOfRecord {
    /// When it was asked for.
    pub asked_at: u64,
    /// What is dialled.
    pub number: String,
    /// The place in the line is that of this time.
    pub since: u64,
    /// Each time the number was dialled.
    pub attempts: Vec<AttemptOfRecord>,
    /// Why it was given up: `attempts`, `expired`, `cancelled`, `called_in` or `impossible`.
    pub over: Option<&'static str>,
    /// Who cancelled it.
    #[schema(value_type = Option<String>)]
    pub cancelled_by: Option<UserId>,
    /// That person's name.
    pub cancelled_by_name: Option<String>,
}

/// One time a customer was dialled.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AttemptOfRecord {
    /// When.
    pub at: u64,
    /// For which agent, by name.
    pub agent_name: Option<String>,
    /// Why nobody answered, as of calls to numbers outside; none: somebody did, or the agent or the appliance went away first.
    pub failed: Option<&'static str>,
}

impl CallbackOfRecord {
    fn new(callback: &RecordedCallback, names: &Configuration) -> Self {
        let name = |id: Option<UserId>| id.and_then(|id| Some(names.users.get(&id)?.name.clone()));
        let attempts = callback.attempts.iter().map(|attempt| AttemptOfRecord {
            at: attempt.at.millis(),
            agent_name: name(attempt.agent),
            failed: attempt.failed.map(dial_failure_name),
        });
        Self {
            asked_at: callback.asked_at.millis(),
            number: callback.number.clone(),
            since: callback.since.millis(),
            attempts: attempts.collect(),
            over: callback.over.map(callback_end_name),
            cancelled_by: callback.cancelled_by,
            cancelled_by_name: name(callback.cancelled_by),
        }
    }
}

/// An answer to a question of a flow (ROUTE-08).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MarkOfRecord {
    /// When it was given.
    pub at: u64,
    /// The question: the name of the flow's step.
    pub question: String,
    /// The mark.
    pub given: u8,
    /// The worst that could be given.
    pub lowest: u8,
    /// The best.
    pub highest: u8,
}

impl From<RecordedMark> for MarkOfRecord {
    fn from(answer: RecordedMark) -> Self {
        let RecordedMark { at, question, mark: Mark { given, lowest, highest } } = answer;
        Self { at: at.millis(), question, given, lowest, highest }
    }
}

/// A caller whom a flow connected with a number outside (ROUTE-08).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PassingOfRecord {
    /// When they began to hear each other.
    pub at: u64,
    /// Which number.
    pub number: String,
}

/// A message that a caller left (ROUTE-07).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MessageOfRecord {
    /// When it began.
    pub at: u64,
    /// For which service, or for whom, by name.
    pub service_name: String,
    /// Its id under `/voicemails`; none: it was too short to be kept, or was erased.
    #[schema(value_type = Option<String>)]
    pub voicemail: Option<RecordingId>,
    /// How long the caller spoke; none: the appliance stopped meanwhile.
    pub spoken_ms: Option<u64>,
    /// When it was erased.
    pub erased_at: Option<u64>,
}

impl MessageOfRecord {
    fn new(message: &RecordedMessage, names: &Configuration) -> Self {
        Self {
            at: message.at.millis(),
            service_name: names.name_box(message.to),
            voicemail: (message.kept && message.erased_at.is_none()).then_some(message.recording),
            spoken_ms: message.spoken.map(|spoken| u64::try_from(spoken.as_millis()).unwrap_or(u64::MAX)),
            erased_at: message.erased_at.map(Timestamp::millis),
        }
    }
}

/// A stretch in which a channel of a recording was empty although its party should have been heard.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GapOfRecord {
    /// Whose channel: `customer` or `agent`.
    pub party: &'static str,
    /// When it was noticed.
    pub from: u64,
    /// Until when; none: it goes on.
    pub to: Option<u64>,
}

/// What was destroyed of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ErasureOfRecord {
    /// When.
    pub at: u64,
    /// Who did it; none: the service's retention.
    #[schema(value_type = Option<String>)]
    pub by: Option<UserId>,
    /// That person's name.
    pub by_name: Option<String>,
    /// Which stretch; none: all of it.
    #[schema(value_type = Option<Object>)]
    pub range: Option<ErasedRange>,
}

/// Somebody who played or downloaded a recording.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AccessOfRecording {
    /// When.
    pub at: u64,
    /// Who; none: the operator of the appliance, on its command line.
    #[schema(value_type = Option<String>)]
    pub by: Option<UserId>,
    /// That person's name.
    pub by_name: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// `wav`, `opus` or `mp3`: the page plays Opus or WAV.
    pub format: Option<String>,
}

/// A call for help as its record tells of it (HELP-01).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HelpOfRecord {
    /// Who asked.
    #[schema(value_type = String)]
    pub by: UserId,
    /// Their name.
    pub by_name: Option<String>,
    /// When.
    pub from: u64,
    /// When it was taken back, or the interaction ended.
    pub to: Option<u64>,
}

/// A pause of a recording as its record tells of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PauseOfRecord {
    /// Since when.
    pub from: u64,
    /// Until when; none: to the end of the call.
    pub to: Option<u64>,
    /// Who paused.
    #[schema(value_type = Option<String>)]
    pub by: Option<UserId>,
    /// That person's name.
    pub by_name: Option<String>,
    /// Whether the service's limit ended it.
    pub by_limit: bool,
}

impl RecordView {
    fn new(record: ServiceRecord, names: &Configuration, who: &Identity) -> Self {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
        Self {
            interaction: record.interaction,
            channel: record.channel,
            direction: record.direction,
            service_name: record.service.and_then(|id| Some(names.services.get(&id)?.name.clone())),
            agent_name: record.agent.and_then(|id| Some(names.users.get(&id)?.name.clone())),
            calling_agent_name: record.calling_agent.and_then(|id| Some(names.users.get(&id)?.name.clone())),
            disposition_name: record
                .disposition
                .and_then(|id| Some(names.dispositions.get(&id)?.name.clone())),
            time: time(&record).millis(),
            duration_ms: duration(&record).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
            caller: record.caller,
            contact: record.contact,
            caller_name: record.caller_name,
            trunk: record.trunk,
            service: record.service,
            agent: record.agent,
            calling_agent: record.calling_agent,
            noted: record.noted,
            marks: record.marks.into_iter().map(MarkOfRecord::from).collect(),
            overflows: record.overflows.iter().map(|each| OverflowOfRecord::new(each, names)).collect(),
            callback: record.callback.as_ref().map(|callback| CallbackOfRecord::new(callback, names)),
            parts: record.parts.into_iter().map(|part| PartOfRecord::new(part, names)).collect(),
            consult_of: record.consult_of,
            guests: record.guests.iter().map(|guest| GuestOfRecord::new(guest, names)).collect(),
            attended: match who.may(Privilege::Supervise) {
                true => record.attended.iter().map(|each| AttendanceOfRecord::new(each, names)).collect(),
                false => Vec::new(),
            },
            talking_since: millis(record.talking_since),
            passed_on: record
                .passed_on
                .as_ref()
                .map(|passed| PassingOfRecord { at: passed.at.millis(), number: passed.number.clone() }),
            flows: record.flows.iter().map(|flow| FlowOfRecord::new(flow, names)).collect(),
            messages: record.messages.iter().map(|message| MessageOfRecord::new(message, names)).collect(),
            arrived_at: record.arrived_at.millis(),
            queued_at: millis(record.queued_at),
            offered_at: millis(record.offered_at),
            answered_at: millis(record.answered_at),
            ended_at: millis(record.ended_at),
            completed_at: millis(record.completed_at),
            status: record.status.map(status_name),
            ended_by: record.ended_by,
            disposition: record.disposition,
            comment: record.comment,
            recording: record.recording,
            recording_pauses: record
                .recording_pauses
                .iter()
                .map(|pause| PauseOfRecord {
                    from: pause.from.millis(),
                    to: pause.to.map(Timestamp::millis),
                    by: pause.by,
                    by_name: pause.by.and_then(|id| Some(names.users.get(&id)?.name.clone())),
                    by_limit: pause.by_limit,
                })
                .collect(),
            recording_gaps: record
                .recording_gaps
                .iter()
                .map(|gap| GapOfRecord {
                    party: match gap.party {
                        Party::Customer => "customer",
                        Party::Agent { .. } | Party::FarEnd => "agent",
                    },
                    from: gap.from.millis(),
                    to: gap.to.map(Timestamp::millis),
                })
                .collect(),
            recording_erased: record
                .recording_erased
                .iter()
                .map(|erasure| ErasureOfRecord {
                    at: erasure.at.millis(),
                    by: erasure.by,
                    by_name: erasure.by.and_then(|id| Some(names.users.get(&id)?.name.clone())),
                    range: erasure.range,
                })
                .collect(),
            recording_proof: record.recording_proof,
            customer_stats: record.customer_stats,
            agent_stats: record.agent_stats,
            holds: record.holds,
            help: record
                .help
                .iter()
                .map(|help| HelpOfRecord {
                    by: help.agent,
                    by_name: names.users.get(&help.agent).map(|user| user.name.clone()),
                    from: help.from.millis(),
                    to: help.to.map(Timestamp::millis),
                })
                .collect(),
            first_reply_at: record.first_reply_at.map(Timestamp::millis),
            customer_messages: record.customer_messages,
            agent_messages: record.agent_messages,
        }
    }
}

/// The status of a name, as filters give it.
pub fn status_of(name: &str) -> Option<EndStatus> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

impl DeskHandle {
    /// A page of records, newest first: the person's own, unless they may see all (REC-01).
    pub async fn records(
        &self,
        who: &Identity,
        mut filter: RecordFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<RecordView>, Refusal> {
        if !who.may(Privilege::SeeAllRecords) {
            if filter.agent.is_some_and(|agent| agent != who.user.id) {
                return Err(Refusal::Forbidden { needs: Privilege::SeeAllRecords });
            }
            filter.agent = Some(who.user.id);
        }
        let page =
            self.0.store.records().records(self.tenant(), &filter, after, limit).await.map_err(read)?;
        let names = self.configuration();
        let items = page.items.into_iter().map(|record| RecordView::new(record, &names, who)).collect();
        Ok(Page { items, next: page.next })
    }

    /// One record. Somebody else's is not there for whoever may see only their own.
    pub async fn record(&self, who: &Identity, interaction: InteractionId) -> Result<RecordView, Refusal> {
        let record = self.0.store.records().record(self.tenant(), interaction).await.map_err(read)?;
        let own = |record: &ServiceRecord| {
            [record.agent, record.calling_agent].contains(&Some(who.user.id))
                || record.others().contains(&who.user.id)
        };
        let record = record.filter(|record| who.may(Privilege::SeeAllRecords) || own(record));
        Ok(RecordView::new(record.ok_or(Refusal::missing("record"))?, &self.configuration(), who))
    }

    /// The audio of a record, to be sent. Audited, whether or not the file can be made.
    pub async fn recording(
        &self,
        who: &Identity,
        interaction: InteractionId,
        format: AudioFormat,
        actor: Actor,
    ) -> Result<Arc<dyn Audio>, Refusal> {
        let recording = self.recording_of(who, interaction).await?;
        let detail = serde_json::json!({ "recording": recording, "format": format.ending() });
        self.audit().record(actor, PLAYED, interaction, detail).await?;
        self.0.finisher.file(recording, format).await.map_err(no_recording)
    }

    /// Who played or downloaded the recording of a record, newest first; of one that was erased as well (RECO-06). A player that
    /// jumps asks anew, and is told anew.
    pub async fn recording_accesses(
        &self,
        who: &Identity,
        interaction: InteractionId,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AccessOfRecording>, Refusal> {
        let record = self.record(who, interaction).await?;
        record.recording.ok_or(Refusal::missing("recording"))?;
        let filter = AuditFilter {
            target: Some(interaction.to_string()),
            action: Some(PLAYED.into()),
            ..AuditFilter::default()
        };
        let page = self.audit().list(&filter, after, limit).await?;
        let names = self.configuration();
        let show = |entry: AuditEntry| AccessOfRecording {
            at: entry.at.millis(),
            by: entry.actor,
            by_name: entry.actor.and_then(|by| names.users.get(&by)).map(|user| user.name.clone()),
            address: entry.address,
            format: entry.detail["format"].as_str().map(Into::into),
        };
        Ok(Page { items: page.items.into_iter().map(show).collect(), next: page.next })
    }

    /// The shape of a record's audio.
    pub async fn peaks(&self, who: &Identity, interaction: InteractionId) -> Result<Peaks, Refusal> {
        let recording = self.recording_of(who, interaction).await?;
        self.0.finisher.peaks(recording).await.map_err(no_recording)
    }

    pub(crate) async fn recording_of(
        &self,
        who: &Identity,
        interaction: InteractionId,
    ) -> Result<RecordingId, Refusal> {
        let record = self.record(who, interaction).await?;
        let gone = record.recording_erased.iter().any(|erasure| erasure.range.is_none());
        record.recording.filter(|_| !gone).ok_or(Refusal::missing("recording"))
    }
}

/// What the audit log calls playing and downloading.
pub(crate) const PLAYED: &str = "recording.play";

pub(crate) fn no_recording(error: RecordingError) -> Refusal {
    match error {
        RecordingError::Missing(_) => Refusal::missing("recording"),
        RecordingError::Format(_) => Refusal::NotNow { why: "This format cannot be made on this appliance." },
        RecordingError::Failed(why) => {
            tracing::warn!(why, "a recording could not be opened");
            Refusal::NotNow { why: "The recording is not ready yet. Try again soon." }
        }
    }
}
