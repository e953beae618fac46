//! After a start: what the last run left open is ended, so that nobody is forgotten (I10) and every record has an end.
//!
//! The floor is brought to where it stood by the journal's last entries and then restarted: open offers end, calls are
//! interrupted, agents are signed out; written contacts go on. Records that are older than those entries are ended by themselves. Agents whose
//! page comes back with the same session are put back to where they were.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::id::{InteractionId, RecordingId, SessionId, TenantId, UserId};
use model::interaction::{Channel, EndStatus, EndedBy, ServiceRecord};
use model::journal::{Event, Seq};
use model::time::Timestamp;
use model::written::{Assignment, RecordedAssignment};
use router::{Arrival, Figures, Floor, Input, Intent, Output, Stage};
use store::recordings::RecordingState;
use store::{Journal, Store};

use super::figures::count;
use crate::configuration::Configuration;
use crate::past::FOLDED_MAX;
use crate::recording::{Job, RecordingFinisher};
use crate::start::StartError;

/// What is found at a start.
pub struct Recovered {
    /// An empty floor whose journal accounts for everybody.
    pub floor: Floor,
    /// Events to be written before anything else happens.
    pub events: Vec<Event>,
    /// What had become of customers, those included who were interrupted.
    pub figures: Figures,
    /// Where agents stood when the last run ended.
    pub returning: HashMap<UserId, (SessionId, Intent)>,
    /// Who was not to be disturbed (STATE-25).
    pub left_alone: BTreeSet<UserId>,
    /// Customers who are still to be called back.
    pub callbacks: Vec<ServiceRecord>,
    /// Recordings to be finished.
    pub jobs: Vec<Job>,
    /// Written contacts that go on.
    pub written: Vec<ServiceRecord>,
}

/// Looks at what the last run left.
pub async fn recover(
    tenant: TenantId,
    store: &Store,
    journal: &Journal,
    config: &Arc<Configuration>,
    finisher: &dyn RecordingFinisher,
    now: Timestamp,
) -> Result<Recovered, StartError> {
    let last = journal.last_seq(tenant).await?.0;
    let mut next = last.saturating_sub(FOLDED_MAX) + 1;
    let mut entries = Vec::new();
    while next <= last {
        let read = journal.read(tenant, Seq(next), store::journal::READ_MAX).await?;
        let Some(end) = read.last() else { break };
        next = end.seq.0 + 1;
        entries.extend(read);
    }
    let mut floor = Floor::replay(config.floor(), &entries)?;
    let mut figures = Figures::default();
    let mut left_alone = BTreeSet::new();
    for entry in &entries {
        count(&mut figures, config, [&entry.event], entry.at);
        match entry.event {
            Event::DoNotDisturb { agent, on: true } => drop(left_alone.insert(agent)),
            Event::DoNotDisturb { agent, on: false } => drop(left_alone.remove(&agent)),
            _ => {}
        }
    }
    let returning: HashMap<UserId, (SessionId, Intent)> = floor
        .agents()
        .into_iter()
        .filter_map(|agent| Some((agent.agent, (agent.session?, agent.intent))))
        .collect();
    let mut out = Vec::new();
    floor.restart(now, &mut out);
    let mut written = Vec::new();
    let mut unfinished_records: Vec<ServiceRecord> = Vec::new();
    loop {
        let last = unfinished_records.last().map(|record| (record.arrived_at, record.interaction));
        let page = store.records().unfinished_records(tenant, last).await?;
        if page.is_empty() {
            break;
        }
        unfinished_records.extend(page);
    }
    for record in unfinished_records.iter().filter(|r| r.channel.is_written() && r.ended_at.is_none()) {
        if let Some(stays) = put_off(&mut floor, record, &returning, now, &mut out) {
            written.push(stays);
        } else if take_up(&mut floor, record, &returning, now, &mut out) {
            written.push(record.clone());
        }
    }
    let goes_on: BTreeSet<InteractionId> = written.iter().map(|record| record.interaction).collect();
    let mut events: Vec<Event> = out
        .into_iter()
        .filter_map(|o| if let Output::Journal(event) = o { Some(event) } else { None })
        .collect();
    let ended: BTreeSet<InteractionId> = events
        .iter()
        .filter(|event| matches!(event, Event::Ended { .. } | Event::Completed { .. }))
        .filter_map(Event::interaction)
        .collect();
    let mut callbacks = Vec::new();
    let mut goes_on_after_all = Vec::new();
    for record in unfinished_records {
        let interaction = record.interaction;
        if wrote_after_the_end(&record) {
            goes_on_after_all.push(record.clone());
        }
        for part in record.parts.iter().filter(|part| part.completed_at.is_none()) {
            events.push(Event::PartCompleted { interaction, part: part.part, agent: part.agent });
        }
        if ended.contains(&interaction) || goes_on.contains(&interaction) {
            continue;
        }
        if record.ended_at.is_none() && record.answered_at.is_none() && record.callback.is_some() {
            callbacks.push(record);
            continue;
        }
        if record.ended_at.is_none() {
            let (status, by) = (EndStatus::Interrupted, EndedBy::System);
            events.push(Event::Ended { interaction, status, by });
        }
        if let (Some(agent), None) = (record.agent, record.completed_at) {
            let wrap_up = record.ended_at.map_or_else(Default::default, |ended| now.since(ended));
            events.push(Event::Completed { interaction, agent, wrap_up });
        }
    }
    for record in goes_on_after_all {
        let (interaction, why, by) = (record.interaction, Assignment::Answered, None);
        let Some(agent) = record.agent else { continue };
        events.push(Event::Reopened { interaction });
        events.push(Event::Assigned { interaction, agent, why, by });
        let assigned = Some(RecordedAssignment { agent, at: now, why, by });
        written.push(ServiceRecord { assigned, ..record });
    }
    let jobs = unfinished(tenant, store, finisher).await?;
    link(tenant, store, &jobs, &mut events).await?;
    count(&mut figures, config, &events, now);
    Ok(Recovered { floor, events, figures, returning, left_alone, callbacks, jobs, written })
}

/// Whether the after-call work of an email was open, and its customer had written meanwhile.
fn wrote_after_the_end(record: &ServiceRecord) -> bool {
    let wrote = record.unanswered_since.and(record.last_message_at);
    record.channel == Channel::Email && record.ended_at.zip(wrote).is_some_and(|(ended, wrote)| wrote > ended)
}

/// An email that lies in a personal queue stays there; one whose agent does not come back goes there.
fn put_off(
    floor: &mut Floor,
    record: &ServiceRecord,
    returning: &HashMap<UserId, (SessionId, Intent)>,
    now: Timestamp,
    out: &mut Vec<Output>,
) -> Option<ServiceRecord> {
    let interaction = record.interaction;
    if record.assigned.is_some() {
        return Some(record.clone());
    }
    let seen = floor.interaction(interaction).filter(|seen| seen.channel == Channel::Email)?;
    let Stage::Active { agent } = seen.stage else { return None };
    if returning.contains_key(&agent) {
        return None;
    }
    floor.handle(Input::LayAside { interaction }, now, out).ok()?;
    let (why, by) = (Assignment::SignedOut, None);
    out.push(Output::Journal(Event::Assigned { interaction, agent, why, by }));
    let assigned = Some(RecordedAssignment { agent, at: now, why, by });
    Some(ServiceRecord { assigned, ..record.clone() })
}

/// A written contact goes on: at its place, or with its agent, if the agent may come back. Tells whether it does.
fn take_up(
    floor: &mut Floor,
    record: &ServiceRecord,
    returning: &HashMap<UserId, (SessionId, Intent)>,
    now: Timestamp,
    out: &mut Vec<Output>,
) -> bool {
    let interaction = record.interaction;
    match floor.interaction(interaction).map(|seen| seen.stage) {
        Some(Stage::Active { agent }) if !returning.contains_key(&agent) => {
            floor.handle(Input::Requeue { interaction }, now, out).is_ok()
        }
        Some(_) => true,
        // Older than the entries that were read.
        None => record.service.is_some_and(|service| {
            let arrival = Arrival::new(interaction, service, record.channel);
            let since = Some(record.queued_at.unwrap_or(record.arrived_at));
            floor.handle(Input::Arrive(Arrival { since, returns: true, ..arrival }), now, out).is_ok()
        }),
    }
}

/// Recordings that were being captured or finished, by their rows and by the containers on disk.
async fn unfinished(
    tenant: TenantId,
    store: &Store,
    finisher: &dyn RecordingFinisher,
) -> Result<Vec<Job>, StartError> {
    let mut found: HashMap<RecordingId, InteractionId> = HashMap::new();
    for row in store.recordings().unfinished_recordings().await? {
        if row.tenant == tenant {
            found.insert(row.id, row.interaction);
        }
    }
    match finisher.unfinished().await {
        Ok(containers) => {
            for (recording, interaction) in containers {
                let row = store.recordings().recording(tenant, recording).await?;
                let over = |state| matches!(state, RecordingState::Ready | RecordingState::Failed);
                if !row.is_some_and(|row| over(row.state)) {
                    found.insert(recording, interaction);
                }
            }
        }
        Err(error) => tracing::error!(%error, "captured recordings of the last run cannot be listed"),
    }
    let mut jobs: Vec<_> =
        found.into_iter().map(|(recording, interaction)| Job { interaction, recording }).collect();
    jobs.sort_unstable_by_key(|job| job.recording);
    Ok(jobs)
}

/// A recording whose beginning did not reach the journal is linked to its record now.
async fn link(
    tenant: TenantId,
    store: &Store,
    jobs: &[Job],
    events: &mut Vec<Event>,
) -> Result<(), StartError> {
    for Job { interaction, recording } in jobs {
        let record = store.records().record(tenant, *interaction).await?;
        // What was captured of a message is no recording of the conversation.
        let is_message = |r: &ServiceRecord| r.messages.iter().any(|message| message.recording == *recording);
        if record.is_some_and(|record| record.recording.is_none() && !is_message(&record)) {
            events.push(Event::RecordingStarted { interaction: *interaction, recording: *recording });
        }
    }
    Ok(())
}
