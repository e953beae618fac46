//! The doing half of the floor service: one task owns the floor of a tenant and is its only writer.
//!
//! It gathers what has come in (commands of pages, facts of signalling, time), lets [`Core`] decide, writes the events
//! of the batch to the journal, waits until they are durable, and only then rings, connects and tells pages. Many
//! inputs share one flush. When the database is away the journal keeps events elsewhere and calls go on; when nothing
//! can be kept any more, new calls are refused and running ones go on.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use model::call::{CallFact, CallOrder};
use model::id::{ServiceId, SessionId, TenantId, UserId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::Privilege;
use model::time::Timestamp;
use store::{Journal, Store};
use tokio::sync::{mpsc, oneshot};

use super::core::{Core, Effect};
use super::regulars;
use super::request::{Attach, Look, Request};
use super::written::Wrote;
use crate::auth::SharedAuth;
use crate::clock::Sources;
use crate::configuration::Configuration;
use crate::console::protocol::{Command, ConsoleEvent, OfferWindowView, QueueView, SessionOver};
use crate::console::{Consoles, GRACE};
use crate::metrics::Metrics;
use crate::recording::{Job, Outcome};
use crate::recording_rows::{RecordingRows, RowChange};
use crate::refusal::Refusal;
use crate::systems::{Asking, Replied};

/// Inputs handled under one flush.
const BATCH_MAX: usize = 256;
/// Requests waiting for the task; whoever asks waits then.
pub(crate) const MAILBOX: usize = 1_024;
/// Figures of a queue are told at most this often.
pub(super) const QUEUE_EVERY: Duration = Duration::from_millis(500);
/// How often figures for dashboards are brought up to date and sessions are kept alive.
pub(super) const HOUSEKEEPING: Duration = Duration::from_secs(15);
/// How often the floor looks a part of itself over (ROUTE-06).
pub(super) const AUDIT_EVERY: Duration = Duration::from_millis(250);

/// What waits for the end of the batch.
pub(super) enum Later {
    Answer(oneshot::Sender<Result<(), Refusal>>, Result<(), Refusal>),
    /// The same, of a message: what is taken is kept.
    Wrote(oneshot::Sender<Result<Wrote, Refusal>>, Result<Wrote, Refusal>),
    Done(oneshot::Sender<()>),
    Attach(Attach, oneshot::Sender<Result<(), Refusal>>),
    Resync(UserId),
    Farewell(UserId, SessionOver),
    Expect(UserId, SessionId),
    Read(Look),
    Configure(Box<model::call::CallConfig>),
}

/// The task.
pub(crate) struct Service {
    pub tenant: TenantId,
    pub sources: Sources,
    pub core: Core,
    pub consoles: Consoles,
    pub journal: Journal,
    pub auth: SharedAuth,
    pub metrics: Arc<Metrics>,
    pub requests: mpsc::Receiver<Request>,
    /// For tasks that report back.
    pub mailbox: mpsc::WeakSender<Request>,
    pub facts: mpsc::Receiver<CallFact>,
    pub orders: mpsc::Sender<CallOrder>,
    pub jobs: mpsc::Sender<Job>,
    pub outcomes: mpsc::Receiver<Outcome>,
    pub phone_missing_max: Option<Duration>,
    pub asking: Asking,
    pub replies: mpsc::Receiver<Replied>,
    pub rows: RecordingRows,
    pub store: Store,
    pub state: State,
}

/// What the task remembers between two batches.
#[derive(Default)]
pub(crate) struct State {
    pub(super) orders: VecDeque<CallOrder>,
    pub(super) out: Vec<Effect>,
    pub(super) later: Vec<Later>,
    pub(super) queues_told: Timestamp,
    /// What pages show of each queue.
    pub(super) told: HashMap<ServiceId, QueueView>,
    pub(super) housekept: Timestamp,
    pub(super) audited: Timestamp,
    /// Who served whom before this run is known, or being read.
    pub(super) regulars_read: bool,
    /// The operator's wish.
    pub(super) admitting: Option<bool>,
    pub(super) journal_full: bool,
    pub(super) behind: bool,
}

/// What woke the task.
enum Woken {
    Request(Option<Request>),
    Fact(Option<CallFact>),
    Outcome(Outcome),
    Reply(Replied),
    Time,
    OrdersMoved,
    Health,
}

impl Service {
    /// Runs until nobody can ask any more and signalling is gone.
    pub async fn run(mut self) {
        self.read_regulars();
        let mut health = self.journal.watch_health();
        let mut facts_open = true;
        let mut requests_open = true;
        while facts_open || requests_open {
            let deadline = self.next_deadline();
            let clock = self.sources.clock.clone();
            let woken = tokio::select! {
                biased;
                fact = self.facts.recv(), if facts_open => Woken::Fact(fact),
                request = self.requests.recv(), if requests_open => Woken::Request(request),
                Some(outcome) = self.outcomes.recv() => Woken::Outcome(outcome),
                Some(reply) = self.replies.recv() => Woken::Reply(reply),
                permit = self.orders.reserve(), if !self.state.orders.is_empty() => {
                    // A closed channel is found out by `send_orders`.
                    drop(permit);
                    Woken::OrdersMoved
                }
                Ok(()) = health.changed() => Woken::Health,
                () = clock.sleep_until(deadline) => Woken::Time,
            };
            let now = self.sources.now();
            match woken {
                Woken::Fact(None) => facts_open = false,
                Woken::Request(None) => requests_open = false,
                Woken::Fact(Some(fact)) => self.take_fact(fact, now),
                Woken::Request(Some(request)) => self.take(request, now),
                Woken::Outcome(outcome) => self.recorded(outcome),
                Woken::Reply(reply) => self.core.replied(reply, now, &mut self.state.out),
                Woken::Time => {}
                Woken::OrdersMoved => self.send_orders(),
                Woken::Health => self.health_changed(now),
            }
            self.drain(now);
            self.core.tick(now, &mut self.state.out);
            self.carry_out(now).await;
            self.look_after(now);
            if !self.state.out.is_empty() || !self.state.later.is_empty() {
                self.carry_out(now).await;
            }
        }
        tracing::info!(tenant = %self.tenant, "the floor's task ends");
    }

    /// Takes what else is there already, up to a batch.
    fn drain(&mut self, now: Timestamp) {
        for _ in 0..BATCH_MAX {
            // One of each, so that a flood of one kind does not keep the others waiting.
            let (fact, request) = (self.facts.try_recv(), self.requests.try_recv());
            let outcome = self.outcomes.try_recv();
            if fact.is_err() && request.is_err() && outcome.is_err() {
                break;
            }
            if let Ok(fact) = fact {
                self.take_fact(fact, now);
            }
            if let Ok(request) = request {
                self.take(request, now);
            }
            if let Ok(outcome) = outcome {
                self.recorded(outcome);
            }
        }
    }

    fn next_deadline(&self) -> Timestamp {
        let queues = (!self.core.queues_changed().is_empty()).then(|| self.state.queues_told + QUEUE_EVERY);
        let gone = self.consoles.next_abandoned(GRACE, |user| !self.core.has_call(user));
        [self.core.next_deadline(), queues, gone, Some(self.state.audited + AUDIT_EVERY)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Timestamp::NEVER)
    }

    fn take_fact(&mut self, fact: CallFact, now: Timestamp) {
        // A page that has reloaded has another negotiation under way: an answer to the old one would confuse it.
        if let CallFact::PhoneAnswer { agent, session, .. } | CallFact::PhoneRefused { agent, session, .. } =
            &fact
            && self.consoles.session_of(*agent) != Some(*session)
        {
            return;
        }
        self.core.fact(fact, now, &mut self.state.out);
    }

    fn take(&mut self, request: Request, now: Timestamp) {
        let Self { core, consoles, state, .. } = self;
        let out = &mut state.out;
        match request {
            Request::Prefer(user, wanted) => core.prefer(user, wanted),
            Request::Attach(attach, answer) => {
                core.prefer(attach.user, attach.preferences.clone());
                if attach.takes_work && !core.is_on_floor(attach.user) {
                    core.log_in(attach.user, attach.session, now, out);
                }
                state.later.push(Later::Attach(attach, answer));
            }
            Request::Detached(user) => consoles.detached(user, now),
            Request::SessionOf(user, answer) => drop(answer.send(consoles.session_of(user))),
            Request::Command(user, session, command, answer) => {
                let result = if consoles.session_of(user) == Some(session) {
                    let resync = command == Command::Resync;
                    if resync {
                        state.later.push(Later::Resync(user));
                    }
                    core.command(user, session, command, now, out)
                } else {
                    Err(Refusal::NotSignedIn)
                };
                state.later.push(Later::Answer(answer, result));
            }
            Request::SignOut { user, session, force, answer } => {
                let result = if core.has_open_work(user) && !force {
                    Err(Refusal::WorkOpen)
                } else {
                    self.sign_out(user, session, SessionOver::SignedOut, now);
                    Ok(())
                };
                self.state.later.push(Later::Answer(answer, result));
            }
            Request::TakenOver { user, ended, by, answer } => {
                if consoles.session_of(user).is_some_and(|session| ended.contains(&session)) {
                    state.later.push(Later::Farewell(user, SessionOver::Elsewhere));
                    if core.has_work(user) {
                        // The work waits for the new page, with the usual patience.
                        state.later.push(Later::Expect(user, by));
                    } else {
                        core.log_out(user, now, out);
                    }
                }
                state.later.push(Later::Done(answer));
            }
            Request::Expired(sessions) => {
                for (user, session) in sessions {
                    // A conversation is not cut by the clock: the session ends with it.
                    if !self.core.has_open_work(user) {
                        self.sign_out(user, session, SessionOver::Expired, now);
                    }
                }
            }
            Request::Force { agent, ready, answer } => {
                let result = core.force(agent, ready, now, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::Bring(interaction, contact, answer) => {
                let result = core.bring(interaction, *contact, now, out);
                state.later.push(Later::Wrote(answer, result));
            }
            Request::CustomerWrites(interaction, text, answer) => {
                let result = core.customer_writes(interaction, &text, now, out);
                state.later.push(Later::Wrote(answer, result));
            }
            Request::Reopen(record, text, answer) => {
                let result = core.reopen(&record, &text, now, out);
                state.later.push(Later::Wrote(answer, result));
            }
            Request::CustomerEnds(interaction, answer) => {
                let result = core.end_written(interaction, EndedBy::Customer, now, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::BookCallback(interaction, wanted, answer) => {
                let result = core.book_callback(interaction, *wanted, now, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::HangUp(interaction, answer) => {
                let result = core.hang_up(interaction, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::CancelCallback { interaction, by, answer } => {
                let result = core.cancel_callback(interaction, by, now, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::PauseRecording { interaction, by, paused, answer } => {
                let result = core.pause_recording(interaction, by, paused, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::Configure { configuration, generation, calls, answer } => {
                self.configure(configuration, generation, now);
                self.state.later.push(Later::Configure(calls));
                self.state.later.push(Later::Done(answer));
            }
            Request::Remember(records) => records.iter().for_each(|record| core.regulars.read(record)),
            Request::Read(look) => state.later.push(Later::Read(look)),
            Request::Admit(admitting) => {
                state.admitting = Some(admitting);
                core.admit(admitting && !state.journal_full);
            }
        }
    }

    /// Ends a user's presence: calls are hung up, routing and softphone end, the page is told.
    pub(super) fn sign_out(&mut self, user: UserId, session: SessionId, why: SessionOver, now: Timestamp) {
        if self.consoles.session_of(user) != Some(session) {
            return;
        }
        let out = &mut self.state.out;
        self.core.hang_up_all(user, out);
        self.core.log_out(user, now, out);
        self.state.later.push(Later::Farewell(user, why));
    }

    fn configure(&mut self, config: Arc<Configuration>, generation: u64, now: Timestamp) {
        self.metrics.name_services(config.services.values());
        let may = |user: &UserId| {
            config.users.get(user).is_some_and(|u| !u.disabled && u.role.may(Privilege::TakeInteractions))
        };
        let gone: Vec<_> = self.consoles.everybody().into_iter().filter(|(user, _)| !may(user)).collect();
        for (user, session) in gone {
            self.sign_out(user, session, SessionOver::BySupervisor, now);
        }
        if config.offer_window != self.core.config().offer_window {
            let offer_window = OfferWindowView::from(&config.offer_window);
            // Whoever has no page at this moment finds it among the missed events.
            for (user, _) in self.consoles.everybody() {
                let settings = ConsoleEvent::Settings { offer_window: offer_window.clone() };
                self.state.out.push(Effect::Tell(user, Box::new(settings)));
            }
        }
        self.state.told.retain(|service, _| config.services.contains_key(service));
        self.core.configure(config, generation, now, &mut self.state.out);
        self.read_regulars();
    }

    /// Reads who served whom before this run, once somebody wants to know; calls do not wait for it.
    fn read_regulars(&mut self) {
        if self.core.wants_regulars() && !std::mem::replace(&mut self.state.regulars_read, true) {
            tokio::spawn(regulars::read(self.store.clone(), self.tenant, self.mailbox.clone()));
        }
    }

    /// A recording is finished, or given up.
    fn recorded(&mut self, (job, result): Outcome) {
        self.metrics.recordings_pending.dec();
        let Job { interaction, recording } = job;
        match result {
            Ok(finished) => {
                let (length, complete, proof) = (finished.length, finished.complete, finished.proof.clone());
                let event = Event::RecordingFinished { interaction, recording, length, complete, proof };
                self.state.out.push(Effect::Journal(event));
                self.rows.change(RowChange::Finished { interaction, recording, finished });
            }
            Err(error) => {
                self.core.recording_failed(interaction, error.to_string(), &mut self.state.out);
                self.rows.change(RowChange::Failed { interaction, recording });
            }
        }
    }
}
