//! The doing half of the floor service: one task owns the floor of a tenant and is its only writer.
//!
//! It gathers what has come in (commands of pages, facts of signalling, time), lets [`Core`] decide, writes the events
//! of the batch to the journal, waits until they are durable, and only then rings, connects and tells pages. Many
//! inputs share one flush. When the database is away the journal keeps events elsewhere and calls go on; when nothing
//! can be kept any more, new calls are refused and running ones go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use model::call::{CallFact, CallOrder};
use model::id::{InteractionId, SessionId, TenantId, UserId};
use model::journal::Event;
use model::people::Privilege;
use model::time::Timestamp;
use store::Journal;
use store::journal::{AppendError, HealthState};
use tokio::sync::{mpsc, oneshot};

use super::core::{Core, Effect};
use crate::auth::SharedAuth;
use crate::clock::Sources;
use crate::configuration::Configuration;
use crate::console::outbox::Outbox;
use crate::console::protocol::{Command, ConsoleEvent, Level, SessionOver};
use crate::console::{Consoles, GRACE};
use crate::metrics::Metrics;
use crate::recording::{Job, Outcome};
use crate::recording_rows::{RecordingRows, RowChange};
use crate::refusal::Refusal;

/// Inputs handled under one flush.
const BATCH_MAX: usize = 256;
/// Requests waiting for the task; whoever asks waits then.
pub(crate) const MAILBOX: usize = 1_024;
/// Orders waiting for signalling. Beyond it signalling is dead, and orders are dropped with an error.
const ORDERS_MAX: usize = 100_000;
/// Figures of a queue are told at most this often.
const QUEUE_EVERY: Duration = Duration::from_millis(500);
/// How often figures for dashboards are brought up to date and sessions are kept alive.
const HOUSEKEEPING: Duration = Duration::from_secs(15);
/// A commit is waited for this long; then calls go on without it, since the journal keeps trying.
const COMMIT_PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the desk as it is now.
pub(crate) type Look = Box<dyn FnOnce(&Core, Timestamp) + Send>;

/// What the task is asked to do.
pub(crate) enum Request {
    /// A page came.
    Attach(Attach, oneshot::Sender<Result<(), Refusal>>),
    /// A socket ended.
    Detached(UserId),
    /// Asks whose page a user has or had.
    SessionOf(UserId, oneshot::Sender<Option<SessionId>>),
    /// A page wants something.
    Command(UserId, SessionId, Command, oneshot::Sender<Result<(), Refusal>>),
    /// A user signs out.
    SignOut { user: UserId, session: SessionId, force: bool, answer: oneshot::Sender<Result<(), Refusal>> },
    /// A user signed in elsewhere; these sessions are over.
    TakenOver { user: UserId, ended: Vec<SessionId>, by: SessionId, answer: oneshot::Sender<()> },
    /// Sessions that are over by time.
    Expired(Vec<(UserId, SessionId)>),
    /// A supervisor steers an agent (STATE-22).
    Force { agent: UserId, ready: bool, answer: oneshot::Sender<Result<(), Refusal>> },
    /// A supervisor ends a call.
    HangUp(InteractionId, oneshot::Sender<Result<(), Refusal>>),
    /// The configuration changed.
    Configure(Arc<Configuration>, Box<model::call::CallConfig>, oneshot::Sender<()>),
    /// Looks at the desk.
    Read(Look),
    /// Takes new calls, or not.
    Admit(bool),
}

/// A page that came.
pub(crate) struct Attach {
    pub user: UserId,
    pub session: SessionId,
    pub takes_work: bool,
    pub after: Option<u64>,
    pub page: Outbox,
}

/// What waits for the end of the batch.
enum Later {
    Answer(oneshot::Sender<Result<(), Refusal>>, Result<(), Refusal>),
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
    pub rows: RecordingRows,
    pub state: State,
}

/// What the task remembers between two batches.
#[derive(Default)]
pub(crate) struct State {
    orders: VecDeque<CallOrder>,
    out: Vec<Effect>,
    later: Vec<Later>,
    queues_told: Timestamp,
    housekept: Timestamp,
    /// The operator's wish.
    admitting: Option<bool>,
    journal_full: bool,
    behind: bool,
}

/// What woke the task.
enum Woken {
    Request(Option<Request>),
    Fact(Option<CallFact>),
    Outcome(Outcome),
    Time,
    OrdersMoved,
    Health,
}

impl Service {
    /// Runs until nobody can ask any more and signalling is gone.
    pub async fn run(mut self) {
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
        [self.core.next_deadline(), queues, gone, Some(self.state.housekept + HOUSEKEEPING)]
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
            Request::Attach(attach, answer) => {
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
                let result = if core.has_call(user) && !force {
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
                    // A call is not cut by the clock: the session ends with it.
                    if !self.core.has_call(user) {
                        self.sign_out(user, session, SessionOver::Expired, now);
                    }
                }
            }
            Request::Force { agent, ready, answer } => {
                let result = core.force(agent, ready, now, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::HangUp(interaction, answer) => {
                let result = core.hang_up(interaction, out);
                state.later.push(Later::Answer(answer, result));
            }
            Request::Configure(config, calls, answer) => {
                self.configure(config, now);
                self.state.later.push(Later::Configure(calls));
                self.state.later.push(Later::Done(answer));
            }
            Request::Read(look) => state.later.push(Later::Read(look)),
            Request::Admit(admitting) => {
                state.admitting = Some(admitting);
                core.admit(admitting && !state.journal_full);
            }
        }
    }

    /// Ends a user's presence: calls are hung up, routing and softphone end, the page is told.
    fn sign_out(&mut self, user: UserId, session: SessionId, why: SessionOver, now: Timestamp) {
        if self.consoles.session_of(user) != Some(session) {
            return;
        }
        let out = &mut self.state.out;
        self.core.hang_up_all(user, out);
        self.core.log_out(user, now, out);
        self.state.later.push(Later::Farewell(user, why));
    }

    fn configure(&mut self, config: Arc<Configuration>, now: Timestamp) {
        self.metrics
            .name_services(config.services.values().map(|s| (s.id, s.name.clone(), s.queue.service_level)));
        let may = |user: &UserId| {
            config.users.get(user).is_some_and(|u| !u.disabled && u.role.may(Privilege::TakeInteractions))
        };
        let gone: Vec<_> = self.consoles.everybody().into_iter().filter(|(user, _)| !may(user)).collect();
        for (user, session) in gone {
            self.sign_out(user, session, SessionOver::BySupervisor, now);
        }
        self.core.configure(config, now, &mut self.state.out);
    }

    /// A recording is finished, or given up.
    fn recorded(&mut self, (job, result): Outcome) {
        self.metrics.recordings_pending.dec();
        let Job { interaction, recording } = job;
        match result {
            Ok(finished) => {
                let (length, complete) = (finished.length, finished.complete);
                let event = Event::RecordingFinished { interaction, recording, length, complete };
                self.state.out.push(Effect::Journal(event));
                self.rows.change(RowChange::Finished { interaction, recording, finished });
            }
            Err(error) => {
                self.core.recording_failed(interaction, error.to_string(), &mut self.state.out);
                self.rows.change(RowChange::Failed { interaction, recording });
            }
        }
    }

    /// Journal first, then everything else, in order.
    async fn carry_out(&mut self, now: Timestamp) {
        let effects = std::mem::take(&mut self.state.out);
        let events: Vec<Event> = effects.iter().filter_map(journaled).cloned().collect();
        if !events.is_empty() {
            for event in &events {
                self.metrics.observe(event, now);
            }
            self.commit(events, now).await;
        }
        for effect in effects {
            match effect {
                Effect::Journal(_) => {}
                Effect::Order(order) => self.order(order),
                Effect::Tell(user, event) => self.consoles.tell(user, &event, now),
                Effect::Finish(interaction, recording) => self.finish(Job { interaction, recording }),
                Effect::Recording(interaction, recording, news) => {
                    self.rows.change(RowChange::News { interaction, recording, news, at: now });
                }
            }
        }
        self.send_orders();
        for later in std::mem::take(&mut self.state.later) {
            self.then(later, now);
        }
        self.tell_queues(now);
        self.metrics.decision.observe(self.sources.now().since(now).as_secs_f64());
    }

    /// Waits until the events are durable, or long enough: the journal goes on trying.
    async fn commit(&mut self, events: Vec<Event>, now: Timestamp) {
        let full = match self.journal.append(self.tenant, events, now) {
            Ok(receipt) => {
                let patience = self.sources.clock.sleep_until(now + COMMIT_PATIENCE);
                tokio::select! {
                    written = receipt => written.err(),
                    () = patience => {
                        tracing::error!("the journal does not take events; calls go on without waiting for it");
                        None
                    }
                }
            }
            Err(error) => Some(error),
        };
        if let Some(error) = full {
            // Promises can no longer be kept: no new ones are made.
            tracing::error!(%error, "events are lost to the journal; new calls are refused");
        }
        self.state.journal_full =
            matches!(full, Some(AppendError::Full | AppendError::Fenced | AppendError::Closed));
        self.core.admit(self.state.admitting.unwrap_or(true) && !self.state.journal_full);
    }

    fn order(&mut self, order: CallOrder) {
        if self.state.orders.len() < ORDERS_MAX {
            self.state.orders.push_back(order);
        } else {
            tracing::error!("signalling does not take orders; one is dropped");
        }
    }

    /// Hands over what signalling takes now. The task never waits for it: signalling may be waiting for us.
    fn send_orders(&mut self) {
        while let Some(order) = self.state.orders.pop_front() {
            match self.orders.try_send(order) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(order)) => {
                    self.state.orders.push_front(order);
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    self.state.orders.clear();
                    return;
                }
            }
        }
    }

    fn finish(&mut self, job: Job) {
        match self.jobs.try_send(job) {
            Ok(()) => self.metrics.recordings_pending.inc(),
            // It is found again at the next start, by its row and by its container.
            Err(_) => tracing::error!(recording = %job.recording, "too many recordings wait to be finished"),
        }
    }

    fn then(&mut self, later: Later, now: Timestamp) {
        // Whoever asked may have gone: then nobody is there to hear the answer.
        match later {
            Later::Answer(answer, result) => drop(answer.send(result)),
            Later::Done(answer) => drop(answer.send(())),
            Later::Attach(attach, answer) => {
                let Attach { user, session, after, page, .. } = attach;
                let Self { core, consoles, .. } = self;
                consoles.attach((user, session), after, page, || core.snapshot(user, now), now);
                if after.is_some() {
                    for queue in core.queue_views() {
                        consoles.tell(user, &ConsoleEvent::Queue { queue }, now);
                    }
                }
                drop(answer.send(Ok(())));
            }
            Later::Resync(user) => {
                let Self { core, consoles, .. } = self;
                consoles.resync(user, || core.snapshot(user, now), now);
            }
            Later::Farewell(user, why) => {
                if let Some(session) = self.consoles.session_of(user) {
                    self.close_session(session);
                }
                self.consoles.close(user, &ConsoleEvent::SessionEnded { why }, now);
            }
            Later::Expect(user, session) => self.consoles.expect(user, session, now),
            Later::Read(look) => look(&self.core, now),
            Later::Configure(calls) => {
                self.order(CallOrder::Configure(calls));
                self.send_orders();
            }
        }
    }

    fn close_session(&self, session: SessionId) {
        let auth = self.auth.clone();
        tokio::spawn(async move {
            if auth.close(session).await.is_err() {
                tracing::warn!(%session, "a session that is over could not be removed; it ends by its time");
            }
        });
    }

    fn tell_queues(&mut self, now: Timestamp) {
        if self.core.queues_changed().is_empty() || now < self.state.queues_told + QUEUE_EVERY {
            return;
        }
        self.state.queues_told = now;
        for service in self.core.take_changed_queues() {
            if let Some(queue) = self.core.queue_view(service) {
                let label = self.metrics.label(service);
                self.metrics.queue_waiting.with_label_values(&[&label]).set(queue.waiting.into());
                self.consoles.tell_attached(&ConsoleEvent::Queue { queue }, now);
            }
        }
    }

    /// What time brings: pages that stay away, sessions to keep alive, figures.
    fn look_after(&mut self, now: Timestamp) {
        for (user, session) in self.consoles.abandoned(GRACE, now) {
            if !self.core.has_call(user) {
                self.sign_out(user, session, SessionOver::Expired, now);
            }
        }
        if now.since(self.state.housekept) < HOUSEKEEPING {
            return;
        }
        self.state.housekept = now;
        for (state, count) in self.core.agents_by_state() {
            self.metrics.agents.with_label_values(&[state]).set(count);
        }
        for queue in self.core.queue_views() {
            let label = self.metrics.label(queue.service.id);
            let oldest = queue.longest_since.map_or(0, |since| now.millis().saturating_sub(since));
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of waiting fit")]
            self.metrics.queue_oldest_wait.with_label_values(&[&label]).set(oldest as f64 / 1_000.0);
        }
        let attached = self.consoles.attached();
        self.metrics.consoles.set(i64::try_from(attached.len()).unwrap_or(i64::MAX));
        let (auth, mailbox) = (self.auth.clone(), self.mailbox.clone());
        tokio::spawn(async move {
            let over = auth.keep_alive(&attached).await;
            if let (false, Some(mailbox)) = (over.is_empty(), mailbox.upgrade()) {
                // The task is gone: so are its consoles.
                let _ = mailbox.send(Request::Expired(over)).await;
            }
            auth.sweep().await;
        });
    }

    fn health_changed(&mut self, now: Timestamp) {
        let behind = self.journal.health().state != HealthState::Up;
        if behind == self.state.behind {
            return;
        }
        self.state.behind = behind;
        self.metrics.journal_behind.set(behind.into());
        let (level, code) =
            if behind { (Level::Warning, "database_away") } else { (Level::Info, "database_back") };
        let banner = ConsoleEvent::Banner { level, code, params: serde_json::json!({}) };
        self.consoles.tell_attached(&banner, now);
    }
}

fn journaled(effect: &Effect) -> Option<&Event> {
    match effect {
        Effect::Journal(event) => Some(event),
        _ => None,
    }
}
