//! Carrying out what was decided: the journal first, then signalling, pages and recordings; and what time brings.

use std::time::Duration;

use model::call::CallOrder;
use model::id::SessionId;
use model::journal::Event;
use model::time::Timestamp;
use store::journal::{AppendError, Fact, HealthState};
use tokio::sync::mpsc;

use super::core::Effect;
use super::request::{Attach, Request};
use super::service::{AUDIT_EVERY, HOUSEKEEPING, Later, QUEUE_EVERY, Service};
use crate::console::GRACE;
use crate::console::protocol::{ConsoleEvent, Level, SessionOver};
use crate::recording::Job;
use crate::recording_rows::RowChange;
use crate::refusal::Refusal;

/// Orders waiting for signalling. Beyond it signalling is dead, and orders are dropped with an error.
const ORDERS_MAX: usize = 100_000;
/// A commit is waited for this long; then calls go on without it, since the journal keeps trying.
const COMMIT_PATIENCE: Duration = Duration::from_secs(2);

impl Service {
    /// Journal first, then everything else, in order.
    pub(super) async fn carry_out(&mut self, now: Timestamp) {
        let effects = std::mem::take(&mut self.state.out);
        let mut facts: Vec<Fact> = effects.iter().filter_map(journaled).collect();
        let events: Vec<Event> = facts.iter().map(|fact| fact.event.clone()).collect();
        facts.extend(self.core.count(&events, now).into_iter().map(Fact::from));
        let mut durable = true;
        if !facts.is_empty() {
            for fact in &facts {
                self.metrics.observe(&fact.event, now);
            }
            durable = self.commit(facts, now).await;
        }
        for effect in effects {
            match effect {
                Effect::Journal(_) | Effect::Wrote { .. } => {}
                Effect::Order(order) => self.order(order),
                Effect::Ask(interaction, asked, request) => self.asking.begin(interaction, asked, request),
                Effect::LookUp(interaction, asked, look_up) => {
                    let tables = &self.core.config().tables;
                    let table = tables.iter().find(|table| table.name == look_up.table).cloned();
                    self.asking.look_up(interaction, asked, table, look_up.key);
                }
                Effect::CountMessages(interaction, asked, of, most) => {
                    self.asking.count_messages(interaction, asked, of, most);
                }
                Effect::Voicemail(new) => self.rows.change(RowChange::Voicemail(new)),
                Effect::DropVoicemail(recording) => self.rows.change(RowChange::Dropped(recording)),
                Effect::Tell(user, event) => self.consoles.tell(user, &event, now),
                Effect::Finish(interaction, recording) => self.finish(Job { interaction, recording }),
                Effect::Recording(interaction, recording, news) => {
                    self.rows.change(RowChange::News { interaction, recording, news, at: now });
                }
            }
        }
        self.send_orders();
        for later in std::mem::take(&mut self.state.later) {
            self.then(later, durable, now);
        }
        self.tell_queues(now);
        self.metrics.decision.observe(self.sources.now().since(now).as_secs_f64());
    }

    /// Waits until the facts are durable, or long enough: the journal goes on trying. Tells whether they are.
    async fn commit(&mut self, facts: Vec<Fact>, now: Timestamp) -> bool {
        let (durable, full) = match self.journal.append_facts(self.tenant, facts, now) {
            Ok(receipt) => {
                let patience = self.sources.clock.sleep_until(now + COMMIT_PATIENCE);
                tokio::select! {
                    written = receipt => (written.is_ok(), written.err()),
                    () = patience => {
                        tracing::error!("the journal does not take events; calls go on without waiting for it");
                        (false, None)
                    }
                }
            }
            Err(error) => (false, Some(error)),
        };
        if let Some(error) = full {
            // Promises can no longer be kept: no new ones are made.
            tracing::error!(%error, "events are lost to the journal; new calls are refused");
        }
        self.state.journal_full =
            matches!(full, Some(AppendError::Full | AppendError::Fenced | AppendError::Closed));
        self.core.admit(self.state.admitting.unwrap_or(true) && !self.state.journal_full);
        durable
    }

    fn order(&mut self, order: CallOrder) {
        if self.state.orders.len() < ORDERS_MAX {
            self.state.orders.push_back(order);
        } else {
            tracing::error!("signalling does not take orders; one is dropped");
        }
    }

    /// Hands over what signalling takes now. The task never waits for it: signalling may be waiting for us.
    pub(super) fn send_orders(&mut self) {
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

    fn then(&mut self, later: Later, durable: bool, now: Timestamp) {
        // Whoever asked may have gone: then nobody is there to hear the answer.
        match later {
            Later::Answer(answer, result) => drop(answer.send(result)),
            Later::Wrote(answer, result) => {
                let kept =
                    result.and_then(|wrote| if durable { Ok(wrote) } else { Err(Refusal::Unavailable) });
                drop(answer.send(kept));
            }
            Later::Done(answer) => drop(answer.send(())),
            Later::Attach(attach, answer) => {
                let Attach { user, session, after, page, .. } = attach;
                let Self { core, consoles, .. } = self;
                consoles.attach((user, session), after, page, || core.snapshot(user, now), now);
                if after.is_some() {
                    for queue in core.queue_views(now) {
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
            if let Some(queue) = self.core.queue_view(service, now) {
                let label = self.metrics.label(service);
                self.metrics.queue_waiting.with_label_values(&[&label]).set(queue.waiting.into());
                self.state.told.insert(service, queue.clone());
                self.consoles.tell_attached(&ConsoleEvent::Queue { queue }, now);
            }
        }
    }

    /// What time brings: pages that stay away, sessions to keep alive, figures.
    pub(super) fn look_after(&mut self, now: Timestamp) {
        for (user, session) in self.consoles.abandoned(GRACE, now) {
            if !self.core.has_call(user) {
                self.sign_out(user, session, SessionOver::Expired, now);
            }
        }
        if now.since(self.state.audited) >= AUDIT_EVERY {
            self.state.audited = now;
            let rounds = self.core.audit(&mut self.state.out);
            self.metrics.audit_rounds.inc_by(rounds);
        }
        if now.since(self.state.housekept) < HOUSEKEEPING {
            return;
        }
        self.state.housekept = now;
        for user in self.phone_missing_max.map(|max| self.core.without_phone(max, now)).unwrap_or_default() {
            if let Some(session) = self.consoles.session_of(user) {
                self.sign_out(user, session, SessionOver::PhoneMissing, now);
            }
        }
        crate::trunks::show(&self.core, &self.metrics);
        for (state, count) in self.core.agents_by_state() {
            self.metrics.agents.with_label_values(&[state]).set(count);
        }
        for queue in self.core.queue_views(now) {
            // Time alone moves figures, too: the half hour goes on, an estimate changes.
            if self.state.told.get(&queue.service.id) != Some(&queue) {
                self.core.touch_queue(queue.service.id);
            }
            let label = self.metrics.label(queue.service.id);
            self.metrics.queues.show(&label, &queue, now.millis());
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

    pub(super) fn health_changed(&mut self, now: Timestamp) {
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

fn journaled(effect: &Effect) -> Option<Fact> {
    match effect {
        Effect::Journal(event) => Some(event.clone().into()),
        Effect::Wrote { interaction, number, by, text } => {
            let event = Event::Written { interaction: *interaction, number: *number, by: *by };
            Some(Fact { event, text: Some(text.as_str().into()) })
        }
        _ => None,
    }
}
