//! How requests are carried out: one step after the other, and backwards when one fails.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use media::control::{Answer, Command, LegCreated, LegStats, MediaError};
use media::prompt::Prompt;
use model::id::LegId;
use model::time::Timestamp;

use super::call::Dialogue;
use super::{JobId, Machine, Output, SoundSource, Ticket, answer, ends, extras, figures, offer, subscribe};
use crate::request::Command as Asked;
use crate::wire::Value;

/// One thing the plane is asked for.
#[derive(Debug)]
pub(super) enum Step {
    Plane(Command),
    /// A command whose failure changes nothing: the leg may be gone already.
    Try(Command),
    Sound(SoundSource),
}

/// A request that is being carried out.
#[derive(Debug)]
pub(super) struct Job {
    pub call: String,
    pub ticket: Option<Ticket>,
    pub steps: VecDeque<Step>,
    pub current: Option<Step>,
    pub made: Vec<(LegId, LegCreated)>,
    pub stats: HashMap<LegId, LegStats>,
    pub sound: Option<Arc<Prompt>>,
    pub work: Work,
}

/// What is done when all steps are.
#[derive(Debug)]
pub(super) enum Work {
    Offer(Box<offer::Offering>),
    Answer(Box<answer::Answering>),
    Figures(figures::Reading),
    Play(extras::Playing),
    Record(extras::Recorded),
    Subscribe(Box<subscribe::Subscribing>),
    Subscribed(subscribe::Subscribed),
    /// Only the answer is due.
    Reply(Value),
}

impl Machine {
    pub(super) fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    pub(super) fn open(&mut self, call: &str, ticket: Option<Ticket>, steps: Vec<Step>, work: Work) -> JobId {
        let id = JobId(self.number());
        let job = Job {
            call: call.to_owned(),
            ticket,
            steps: steps.into(),
            current: None,
            made: Vec::new(),
            stats: HashMap::new(),
            sound: None,
            work,
        };
        self.jobs.insert(id, job);
        id
    }

    /// Commands that nobody waits for, beside whatever the call is busy with.
    pub(super) fn aside(&mut self, call: &str, steps: Vec<Step>, now: Timestamp, out: &mut Vec<Output>) {
        let job = self.open(call, None, steps, Work::Reply(Value::ok()));
        self.advance(job, now, out);
    }

    /// The next step of a job, or its end.
    pub(super) fn advance(&mut self, id: JobId, now: Timestamp, out: &mut Vec<Output>) {
        loop {
            let Some(job) = self.jobs.get_mut(&id) else { return };
            if let Some(step) = job.steps.pop_front() {
                out.push(match &step {
                    Step::Plane(command) | Step::Try(command) => {
                        Output::Plane { job: id, command: command.clone() }
                    }
                    Step::Sound(source) => Output::Sound { job: id, source: source.clone() },
                });
                job.current = Some(step);
                return;
            }
            let Some(mut job) = self.jobs.remove(&id) else { return };
            let work = std::mem::replace(&mut job.work, Work::Reply(Value::ok()));
            let (value, more) = match work {
                Work::Offer(work) => self.end_offer(&mut job, *work, now),
                Work::Answer(work) => self.end_answer(&job, *work, now),
                Work::Figures(work) => self.end_figures(&job, &work, now),
                Work::Play(work) => self.end_play(&mut job, work),
                Work::Record(work) => self.end_record(&job, work),
                Work::Subscribe(work) => self.end_subscribe(&mut job, *work),
                Work::Subscribed(work) => self.end_subscribed(&job, work, now),
                Work::Reply(value) => {
                    self.finish(id, &job, value, now, out);
                    return;
                }
            };
            job.steps = more.into();
            job.work = Work::Reply(value);
            self.jobs.insert(id, job);
        }
    }

    pub(super) fn finish(
        &mut self,
        id: JobId,
        job: &Job,
        value: Value,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        if let Some(ticket) = job.ticket {
            out.push(Output::Answer { ticket, value });
        }
        if let Some(call) = self.calls.get_mut(&job.call).filter(|call| call.busy == Some(id)) {
            call.busy = None;
            self.released(&job.call, now, out);
        }
    }

    /// A call is free for its next request, or gone.
    pub(super) fn released(&mut self, id: &str, now: Timestamp, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.busy.is_some() {
            return;
        }
        if let Some((ticket, request)) = call.waiting.pop_front() {
            if call.dialogues.is_empty() && request.command != Asked::Offer {
                out.push(Output::Answer { ticket, value: ends::unknown(&request) });
                return self.released(id, now, out);
            }
            return self.begin(id.to_owned(), ticket, request, now, out);
        }
        if call.dialogues.is_empty() {
            self.calls.remove(id);
        }
    }

    pub(super) fn plane(
        &mut self,
        id: JobId,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let Some(step) = job.current.take() else { return };
        let (Step::Plane(command) | Step::Try(command)) = &step else { return };
        match (&result, command) {
            (Ok(Answer::Created(created)), Command::CreateLeg { leg, .. }) => {
                job.made.push((*leg, created.clone()));
                self.legs.insert(*leg, job.call.clone());
            }
            (Ok(Answer::Stats(stats)), Command::Stats { leg } | Command::DeleteLeg { leg }) => {
                job.stats.insert(*leg, **stats);
            }
            _ => {}
        }
        if let (Err(_), Command::StartRecording { recording, .. }) = (&result, command)
            && let Some(call) = self.calls.get_mut(&job.call)
        {
            call.recording = call.recording.filter(|begun| begun.id != *recording);
        }
        if let Command::DeleteLeg { leg } = command {
            self.legs.remove(leg);
        }
        if let (Err(why), Step::Plane(_)) = (&result, &step) {
            self.failed(id, &reason(why));
        }
        self.advance(id, now, out);
    }

    pub(super) fn sound(
        &mut self,
        id: JobId,
        result: Result<Arc<Prompt>, String>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.current = None;
        match result {
            Ok(prompt) => job.sound = Some(prompt),
            Err(why) => self.failed(id, &why),
        }
        self.advance(id, now, out);
    }

    /// A step failed: what the job made goes away again, and the answer is an error.
    pub(super) fn failed(&mut self, id: JobId, why: &str) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let made = std::mem::take(&mut job.made);
        job.steps = made.iter().map(|(leg, _)| Step::Try(Command::DeleteLeg { leg: *leg })).collect();
        job.work = Work::Reply(Value::error(why));
        self.totals.failed += 1;
    }

    /// Legs of a dialogue that is to go.
    pub(super) fn deletions(dialogue: &Dialogue) -> impl Iterator<Item = Step> {
        dialogue.legs().map(|leg| Step::Try(Command::DeleteLeg { leg: leg.id }))
    }
}

/// Why the plane refused, in the words that make proxies try another node where that helps.
fn reason(error: &MediaError) -> String {
    match error {
        MediaError::PortsExhausted(_) => "Ran out of ports".to_owned(),
        MediaError::Unavailable => "Parallel session limit reached".to_owned(),
        other => other.to_string(),
    }
}
