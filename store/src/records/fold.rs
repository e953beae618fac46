//! From journal entries to a service record. Pure: the same entries give the same record, at any time.

mod flows;

use std::collections::BTreeMap;
use std::time::Duration;

use model::conference::RecordedGuest;
use model::flow::{FlowEnd, RecordedFlow};
use model::id::{InteractionId, RecordingId};
use model::interaction::{
    Direction, RecordedAttempt, RecordedCallback, RecordedHelp, RecordedMessage, RecordedOverflow,
    RecordedPassing, ServiceRecord, take_note,
};
use model::journal::{Entry, Event, OfferEnd, Party};
use model::recording::{RecordingErasure, RecordingGap, RecordingPause};
use model::supervision::RecordedAttendance;
use model::survey::{MARKS_MAX, RecordedMark};
use model::time::Timestamp;
use model::transfer::{RecordedPart, TRANSFERS_MAX};
use model::written::{Author, RecordedAssignment};

/// Adds an entry to the record of its interaction.
///
/// `record` is `None` before the arrival; entries of an interaction that never arrived, and entries that speak of no
/// interaction or of another one, change nothing. Tells whether the record changed.
pub fn fold_record(record: &mut Option<ServiceRecord>, entry: &Entry) -> bool {
    if let (None, Event::Arrived { .. }) = (&record, &entry.event) {
        *record = arrived(entry);
        return record.is_some();
    }
    let Some(record) = record else { return false };
    if entry.event.interaction() != Some(record.interaction) || entry.tenant != record.tenant {
        return false;
    }
    let at = entry.at;
    match &entry.event {
        Event::Noted { values, .. } => take_note(&mut record.noted, values),
        Event::Rated { question, mark, .. } => {
            let mark = RecordedMark { at, question: question.clone(), mark: *mark };
            let full = record.marks.len() >= MARKS_MAX;
            match record.marks.iter_mut().find(|known| known.question == *question) {
                Some(known) => *known = mark,
                None if full => return false,
                None => record.marks.push(mark),
            }
        }
        Event::FlowStarted { flow, version, agent, .. } => {
            let flow = RecordedFlow { flow: *flow, version: *version, agent: *agent, from: at, over: None };
            return flows::began(record, flow);
        }
        Event::FlowOver { why, .. } => return flows::over(record, *why, at),
        Event::Overflowed { from, why, to, .. } if record.overflows.len() < OVERFLOWS_KEPT => {
            record.overflows.push(RecordedOverflow { at, from: *from, why: *why, to: *to });
        }
        Event::Queued { service, .. } => {
            record.queued_at.get_or_insert(at);
            record.service = Some(*service);
            record.assigned = None;
        }
        Event::Offered { agent, .. } => {
            record.offered_at.get_or_insert(at);
            // Only one colleague was called, whatever comes of it.
            if record.direction == Direction::Internal {
                record.agent = Some(*agent);
            }
        }
        Event::Accepted { agent, .. } | Event::Taken { agent, .. } | Event::HandlingStarted { agent, .. } => {
            record.agent = Some(*agent);
            record.assigned = None;
        }
        Event::Reopened { .. } => {
            (record.ended_at, record.completed_at, record.status, record.ended_by) = (None, None, None, None);
        }
        Event::Assigned { agent, why, by, .. } => {
            record.assigned = Some(RecordedAssignment { agent: *agent, at, why: *why, by: *by });
        }
        Event::Written { number, by, .. } => {
            record.last_message = *number;
            record.last_message_at = Some(at);
            match by {
                Author::Customer => {
                    record.customer_messages += 1;
                    record.unanswered_since.get_or_insert(at);
                }
                Author::Agent { .. } => {
                    record.agent_messages += 1;
                    record.unanswered_since = None;
                    record.first_reply_at.get_or_insert(at);
                }
                Author::System | Author::Note { .. } => {}
            }
        }
        // Nobody has it any more.
        Event::Requeued { .. } => {
            record.agent = None;
            no_help_any_more(record, at);
        }
        // The caller left while this agent's phone rang: it counts against the agent (VOICE-15).
        Event::OfferEnded { agent, why: OfferEnd::CallerLeft, .. } if record.answered_at.is_none() => {
            record.agent = Some(*agent);
        }
        Event::CallbackAsked { service, number, since, requirement, priority, .. } => {
            record.service = Some(*service);
            record.callback = Some(RecordedCallback {
                asked_at: at,
                number: number.clone(),
                since: *since,
                requirement: requirement.clone(),
                priority: *priority,
                held_until: None,
                attempts: Vec::new(),
                over: None,
                cancelled_by: None,
            });
        }
        Event::LaidAside { agent: Some(_), .. } => record.agent = None,
        Event::CallbackHeld { until, .. } => match &mut record.callback {
            Some(callback) => callback.held_until = Some(*until),
            None => return false,
        },
        Event::CallbackOver { why, by, .. } => match &mut record.callback {
            Some(callback) => (callback.over, callback.cancelled_by) = (Some(*why), *by),
            None => return false,
        },
        Event::Dialled { .. } => match &mut record.callback {
            Some(callback) if callback.attempts.len() < ATTEMPTS_KEPT => {
                callback.attempts.push(RecordedAttempt { at, agent: record.agent, failed: None });
            }
            _ => return false,
        },
        Event::DialFailed { why, .. } => {
            match record.callback.as_mut().and_then(|callback| callback.attempts.last_mut()) {
                Some(attempt) => attempt.failed = Some(*why),
                None => return false,
            }
        }
        Event::PassedOn { number, .. } => {
            record.passed_on.get_or_insert_with(|| RecordedPassing { at, number: number.clone() });
        }
        Event::MessageBegun { to, recording, .. } if record.messages.len() < MESSAGES_KEPT => {
            let (to, recording) = (*to, *recording);
            let (spoken, kept, erased_at) = (None, true, None);
            record.messages.push(RecordedMessage { at, to, recording, spoken, kept, erased_at });
        }
        Event::MessageOver { recording, spoken, kept, .. } => match message(record, *recording) {
            Some(message) => (message.spoken, message.kept) = (Some(*spoken), *kept),
            None => return false,
        },
        Event::RecordingErased { recording, range: None, .. } if message(record, *recording).is_some() => {
            message(record, *recording).into_iter().for_each(|message| message.erased_at = Some(at));
        }
        // What was captured of a message is no recording of the conversation.
        Event::RecordingFinished { recording, .. } if message(record, *recording).is_some() => return false,
        Event::Bridged { agent, .. } => {
            record.answered_at.get_or_insert(at);
            record.talking_since = Some(at);
            record.agent = Some(*agent);
        }
        Event::Transferred { agent, part, to, .. } => {
            let answered_at = record.talking_since.take();
            let (disposition, comment) = (record.disposition.take(), std::mem::take(&mut record.comment));
            if record.parts.len() < TRANSFERS_MAX {
                record.parts.push(RecordedPart {
                    part: *part,
                    agent: *agent,
                    service: record.service,
                    answered_at,
                    ended_at: at,
                    to: to.clone(),
                    disposition,
                    comment,
                    completed_at: None,
                });
            }
            record.agent = None;
            no_help_any_more(record, at);
        }
        Event::Consults { of, .. } => record.consult_of = Some(*of),
        Event::PartyJoined { from, agent, number, by, .. } if record.guests.len() < GUESTS_KEPT => {
            let (from, agent, number, by) = (*from, *agent, number.clone(), *by);
            record.guests.push(RecordedGuest { from, agent, number, by, joined_at: at, left_at: None });
        }
        Event::PartyLeft { from, .. } => {
            match record.guests.iter_mut().find(|guest| guest.from == *from && guest.left_at.is_none()) {
                Some(guest) => guest.left_at = Some(at),
                None => return false,
            }
        }
        Event::Attends { from, supervisor, how, .. } if record.attended.len() < ATTENDED_KEPT => {
            attending_over(record, *from, at);
            let (from, supervisor, how) = (*from, *supervisor, *how);
            record.attended.push(RecordedAttendance { from, supervisor, how, since: at, until: None });
        }
        Event::AttendingOver { from, .. } => return attending_over(record, *from, at),
        Event::PartCoded { part, disposition, comment, .. } => match part_of(record, *part) {
            Some(own) => {
                own.disposition = disposition.or(own.disposition);
                if let Some(comment) = comment {
                    own.comment.clone_from(comment);
                }
            }
            None => return false,
        },
        Event::PartCompleted { part, .. } => match part_of(record, *part) {
            Some(own) => drop(own.completed_at.get_or_insert(at)),
            None => return false,
        },
        Event::HoldChanged { held: true, .. } => record.holds = record.holds.saturating_add(1),
        Event::LegEnded { party, stats: Some(stats), .. } => match party {
            Party::Customer => record.customer_stats = Some(*stats),
            Party::Agent { .. } | Party::FarEnd => record.agent_stats = Some(*stats),
        },
        // The first end stands: a crash after the hang-up must not turn a good call into an interrupted one.
        Event::Ended { status, by, .. } if record.ended_at.is_none() => {
            record.ended_at = Some(at);
            record.status = Some(*status);
            record.ended_by = Some(*by);
            record.assigned = None;
            // An empty channel is heard of until the call ends, not for ever.
            for gap in record.recording_gaps.iter_mut().filter(|gap| gap.to.is_none()) {
                gap.to = Some(at);
            }
            for guest in record.guests.iter_mut().filter(|guest| guest.left_at.is_none()) {
                guest.left_at = Some(at);
            }
            for attended in record.attended.iter_mut().filter(|attended| attended.until.is_none()) {
                attended.until = Some(at);
            }
            no_help_any_more(record, at);
            flows::over(record, FlowEnd::CallEnded, at);
        }
        Event::HelpAsked { agent, .. } if record.help.len() < HELP_KEPT => {
            record.help.push(RecordedHelp { agent: *agent, from: at, to: None });
        }
        Event::HelpTakenBack { agent, .. } => {
            match record.help.iter_mut().rev().find(|help| help.agent == *agent && help.to.is_none()) {
                Some(help) => help.to = Some(at),
                None => return false,
            }
        }
        Event::Coded { disposition, comment, .. } => {
            record.disposition = disposition.or(record.disposition);
            if let Some(comment) = comment {
                record.comment.clone_from(comment);
            }
        }
        Event::Completed { .. } => {
            record.completed_at.get_or_insert(at);
        }
        Event::RecordingStarted { recording, .. } => record.recording = Some(*recording),
        Event::RecordingFinished { recording, proof, .. } => {
            record.recording = Some(*recording);
            record.recording_proof.clone_from(proof);
        }
        Event::RecordingPaused { by, .. } if record.recording_pauses.len() < PAUSES_KEPT => {
            let pause = RecordingPause { from: at, to: None, by: Some(*by), by_limit: false };
            record.recording_pauses.push(pause);
        }
        Event::RecordingErased { by, range, .. } if record.recording_erased.len() < PAUSES_KEPT => {
            record.recording_erased.push(RecordingErasure { at, by: *by, range: *range });
        }
        Event::RecordingResumed { by, .. } => match record.recording_pauses.last_mut() {
            Some(pause) if pause.to.is_none() => (pause.to, pause.by_limit) = (Some(at), by.is_none()),
            _ => return false,
        },
        Event::RecordingSilent { party, silent: true, .. } if record.recording_gaps.len() < PAUSES_KEPT => {
            record.recording_gaps.push(RecordingGap { party: *party, from: at, to: None });
        }
        Event::RecordingSilent { party, silent: false, .. } => {
            let open = |gap: &&mut RecordingGap| gap.party == *party && gap.to.is_none();
            match record.recording_gaps.iter_mut().rev().find(open) {
                Some(gap) => gap.to = Some(at),
                None => return false,
            }
        }
        _ => return false,
    }
    true
}

/// The message that was captured as this.
fn message(record: &mut ServiceRecord, recording: RecordingId) -> Option<&mut RecordedMessage> {
    record.messages.iter_mut().find(|message| message.recording == recording)
}

fn part_of(record: &mut ServiceRecord, part: InteractionId) -> Option<&mut RecordedPart> {
    record.parts.iter_mut().find(|own| own.part == part)
}

/// Whether something is still to come: it goes on, or an agent has after-call work of it.
pub fn is_unfinished(record: &ServiceRecord) -> bool {
    let open = record.answered_at.is_some() && record.agent.is_some() && record.completed_at.is_none();
    record.ended_at.is_none() || open || record.parts.iter().any(|part| part.completed_at.is_none())
}

/// A supervisor takes part no longer, or in another way; tells whether one did.
fn attending_over(record: &mut ServiceRecord, from: InteractionId, at: Timestamp) -> bool {
    let mut open = record.attended.iter_mut();
    let open = open.find(|attended| attended.from == from && attended.until.is_none());
    open.map(|attended| attended.until = Some(at)).is_some()
}

/// Whoever asked for help has it in hand no longer.
fn no_help_any_more(record: &mut ServiceRecord, at: Timestamp) {
    for help in record.help.iter_mut().filter(|help| help.to.is_none()) {
        help.to = Some(at);
    }
}

/// Pauses, gaps and erasures of a recording that its record tells of; the journal has them all.
const PAUSES_KEPT: usize = 100;

/// Attempts to reach a customer that a record tells of: more than a service allows, so that those over restarts fit as well.
const ATTEMPTS_KEPT: usize = 32;

/// Queues that a record tells of because they led its caller on.
const OVERFLOWS_KEPT: usize = 16;

/// Who was brought into a call, as far as its record tells.
const GUESTS_KEPT: usize = 32;
/// Ways in which supervisors took part that are kept.
const ATTENDED_KEPT: usize = 64;

/// Messages of one caller that a record tells of.
const MESSAGES_KEPT: usize = 8;

/// Times that a record tells of because its agent asked for help.
const HELP_KEPT: usize = 16;

/// The time a record is shown under (REC-03): inbound when the conversation began, or the arrival if none did;
/// outbound and internal when dialling began.
pub fn time(record: &ServiceRecord) -> Timestamp {
    match record.direction {
        Direction::Inbound => record.answered_at.unwrap_or(record.arrived_at),
        Direction::Outbound | Direction::Internal => record.arrived_at,
    }
}

/// How long it took (REC-04): from arrival, or from the start of dialling, to hang-up. `None` while it goes on.
pub fn duration(record: &ServiceRecord) -> Option<Duration> {
    record.ended_at.map(|ended| ended.since(record.arrived_at))
}

fn arrived(entry: &Entry) -> Option<ServiceRecord> {
    let Event::Arrived {
        interaction,
        channel,
        direction,
        caller,
        caller_name,
        contact,
        trunk,
        service,
        calling_agent,
    } = &entry.event
    else {
        return None;
    };
    Some(ServiceRecord {
        interaction: *interaction,
        tenant: entry.tenant,
        channel: *channel,
        direction: *direction,
        caller: caller.clone(),
        contact: contact.clone(),
        caller_name: caller_name.clone(),
        trunk: *trunk,
        service: *service,
        agent: None,
        calling_agent: *calling_agent,
        noted: BTreeMap::new(),
        marks: Vec::new(),
        overflows: Vec::new(),
        callback: None,
        passed_on: None,
        flows: Vec::new(),
        messages: Vec::new(),
        parts: Vec::new(),
        consult_of: None,
        guests: Vec::new(),
        attended: Vec::new(),
        talking_since: None,
        arrived_at: entry.at,
        queued_at: None,
        offered_at: None,
        answered_at: None,
        ended_at: None,
        completed_at: None,
        status: None,
        ended_by: None,
        disposition: None,
        comment: String::new(),
        recording: None,
        recording_pauses: Vec::new(),
        recording_gaps: Vec::new(),
        recording_proof: None,
        recording_erased: Vec::new(),
        customer_stats: None,
        agent_stats: None,
        holds: 0,
        help: Vec::new(),
        first_reply_at: None,
        assigned: None,
        last_message: 0,
        last_message_at: None,
        unanswered_since: None,
        customer_messages: 0,
        agent_messages: 0,
    })
}

#[cfg(test)]
mod tests;
