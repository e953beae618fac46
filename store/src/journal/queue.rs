//! Events on their way to the database: placed, perhaps spooled, not yet committed. Pure; the writer does the I/O.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use model::id::TenantId;
use model::journal::{Entry, Event, Seq};
use model::media::StreamStats;
use model::time::Timestamp;
use tokio::sync::oneshot;

use super::ledger::{Head, Line};
use super::{AppendError, Appended, Fact};

/// Who waits for events to be durable.
pub(super) type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// Events to be appended, with their JSON made by the caller's thread.
pub(super) struct Append {
    pub tenant: TenantId,
    pub at: Timestamp,
    pub events: Vec<(Event, Arc<str>, Option<Arc<str>>)>,
    pub answer: Answer,
}

impl Append {
    pub fn new(tenant: TenantId, facts: Vec<Fact>, at: Timestamp, answer: Answer) -> Self {
        let events = facts.into_iter().map(|Fact { event, text }| {
            let event = readable(event);
            let json = serde_json::to_string(&event).unwrap_or_default();
            (event, json.into(), text)
        });
        Self { tenant, at, events: events.collect(), answer }
    }
}

/// JSON has no NaN: a figure that is none would be written as null and never be read again.
fn readable(mut event: Event) -> Event {
    if let Event::LegEnded { stats: Some(stats), .. } = &mut event {
        let StreamStats { jitter_ms, jitter_max_ms, rtt_ms, mos, mos_min, .. } = stats;
        for figure in [jitter_ms, jitter_max_ms] {
            if !figure.is_finite() {
                *figure = 0.0;
            }
        }
        for figure in [rtt_ms, mos, mos_min] {
            *figure = figure.filter(|value| value.is_finite());
        }
    }
    event
}

/// One event with its place.
struct Waiting {
    line: Line,
    /// Answered when this event is durable: it is the last of its append.
    answer: Option<(Answer, Appended)>,
}

/// What became durable and is to be published, in order.
#[derive(Default)]
pub(super) struct Durable {
    pub entries: Vec<Arc<Entry>>,
    pub answers: Vec<(Answer, Appended)>,
}

/// The queue. The first `spooled` events are durable in the spool file and already published.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    spooled: usize,
    heads: HashMap<TenantId, Head>,
    /// Appends to tenants whose log was not taken over yet.
    strangers: VecDeque<Append>,
}

impl Queue {
    /// A queue that goes on from these heads.
    pub fn from_heads(heads: impl IntoIterator<Item = (TenantId, Head)>) -> Self {
        Self { heads: heads.into_iter().collect(), ..Self::default() }
    }

    /// Gives the events their places, or keeps them until the tenant's log is taken over.
    pub fn push(&mut self, append: Append) {
        let Some(head) = self.heads.get_mut(&append.tenant) else {
            self.strangers.push_back(append);
            return;
        };
        let Append { tenant, at, events, answer } = append;
        let first = Seq(head.seq.0 + 1);
        let last = Seq(head.seq.0 + events.len() as u64);
        if events.is_empty() {
            // Nobody minds if the answer is not awaited any more.
            answer.send(Ok(Appended { first, last })).ok();
            return;
        }
        let mut answer = Some((answer, Appended { first, last }));
        for (event, payload, text) in events {
            head.seq = Seq(head.seq.0 + 1);
            let entry = Arc::new(Entry { seq: head.seq, tenant, at, event });
            let answer = if head.seq == last { answer.take() } else { None };
            self.waiting.push_back(Waiting { line: Line { entry, payload, text }, answer });
        }
    }

    /// A tenant whose log has to be taken over before anything of it can be placed.
    pub fn stranger(&self) -> Option<TenantId> {
        self.strangers.front().map(|append| append.tenant)
    }

    /// The tenant's log was taken over.
    pub fn meet(&mut self, tenant: TenantId, head: Head) {
        self.heads.insert(tenant, head);
        for append in std::mem::take(&mut self.strangers) {
            self.push(append);
        }
    }

    /// The next events to commit, at most `max`, and where each tenant's log stands after them.
    pub fn batch(&self, max: usize) -> (Vec<Line>, Vec<(TenantId, Head)>) {
        let lines: Vec<Line> = self.waiting.iter().take(max).map(|w| w.line.clone()).collect();
        let mut heads = BTreeMap::new();
        for line in &lines {
            let tenant = line.entry.tenant;
            let epoch = self.heads.get(&tenant).map_or(0, |head| head.epoch);
            heads.insert(tenant, Head { seq: line.entry.seq, epoch });
        }
        // In the order of the tenants, so that two writers lock rows in the same order.
        (lines, heads.into_iter().collect())
    }

    /// The first `count` events are in the database.
    pub fn committed(&mut self, count: usize) -> Durable {
        let mut durable = Durable::default();
        for waiting in self.waiting.drain(..count.min(self.waiting.len())) {
            if self.spooled > 0 {
                self.spooled -= 1;
            } else {
                durable.entries.push(waiting.line.entry);
                durable.answers.extend(waiting.answer);
            }
        }
        durable
    }

    /// The events that are durable nowhere yet.
    pub fn unspooled(&self) -> Vec<Line> {
        self.waiting.iter().skip(self.spooled).map(|w| w.line.clone()).collect()
    }

    /// The next `count` of [`Queue::unspooled`] are flushed to the spool file.
    pub fn spooled(&mut self, count: usize) -> Durable {
        let mut durable = Durable::default();
        for waiting in self.waiting.iter_mut().skip(self.spooled).take(count) {
            durable.entries.push(waiting.line.entry.clone());
            durable.answers.extend(waiting.answer.take());
        }
        self.spooled += durable.entries.len();
        durable
    }

    /// How many events are durable in the spool file only.
    pub fn spooled_len(&self) -> usize {
        self.spooled
    }
    /// How many events have a place and are not in the database.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
    /// Whether there is nothing to commit, not even a tenant to take over.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.strangers.is_empty()
    }

    /// Everybody who still waits, when nothing can be written any more.
    pub fn give_up(&mut self) -> Vec<Answer> {
        let placed = self.waiting.drain(..).filter_map(|w| w.answer).map(|(answer, _)| answer);
        placed.chain(self.strangers.drain(..).map(|append| append.answer)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{AgentId, Id, InteractionId, LegId};
    use model::journal::Party;

    fn events(count: usize) -> Vec<Fact> {
        (0..count).map(|n| Event::AgentLoggedOut { agent: AgentId::from_number(n as u64) }.into()).collect()
    }

    fn append(
        queue: &mut Queue,
        tenant: u64,
        count: usize,
    ) -> oneshot::Receiver<Result<Appended, AppendError>> {
        let (answer, receipt) = oneshot::channel();
        queue.push(Append::new(TenantId::from_number(tenant), events(count), Timestamp::ZERO, answer));
        receipt
    }

    fn queue() -> Queue {
        Queue::from_heads([(TenantId::from_number(1), Head { seq: Seq(7), epoch: 3 })])
    }

    #[test]
    fn places_go_on_from_the_head_without_a_gap() {
        let mut queue = queue();
        append(&mut queue, 1, 2);
        append(&mut queue, 1, 1);
        let (lines, heads) = queue.batch(10);
        assert_eq!(lines.iter().map(|l| l.entry.seq.0).collect::<Vec<_>>(), [8, 9, 10]);
        assert_eq!(heads, [(TenantId::from_number(1), Head { seq: Seq(10), epoch: 3 })]);
    }

    #[test]
    fn a_tenant_nobody_has_met_waits_until_its_log_is_taken_over() {
        let mut queue = queue();
        append(&mut queue, 2, 1);
        assert_eq!((queue.len(), queue.stranger()), (0, Some(TenantId::from_number(2))));
        queue.meet(TenantId::from_number(2), Head { seq: Seq(0), epoch: 1 });
        assert_eq!((queue.len(), queue.stranger()), (1, None));
    }

    #[test]
    fn a_spooled_event_is_published_and_answered_once_though_it_is_committed_later() {
        let mut queue = queue();
        append(&mut queue, 1, 2);
        let spooled = queue.spooled(2);
        assert_eq!((spooled.entries.len(), spooled.answers.len()), (2, 1));
        append(&mut queue, 1, 1);
        let committed = queue.committed(3);
        assert_eq!(committed.entries.iter().map(|e| e.seq.0).collect::<Vec<_>>(), [10]);
        assert_eq!((committed.answers.len(), queue.spooled_len()), (1, 0));
    }

    #[test]
    fn an_append_is_answered_only_when_its_last_event_is_durable() {
        let mut queue = queue();
        append(&mut queue, 1, 3);
        assert_eq!(queue.committed(2).answers.len(), 0);
        assert_eq!(queue.committed(1).answers[0].1, Appended { first: Seq(8), last: Seq(10) });
    }

    #[test]
    fn a_figure_that_is_no_number_can_be_read_back_all_the_same() {
        let stats = StreamStats { jitter_ms: f32::NAN, mos: Some(f32::INFINITY), ..StreamStats::default() };
        let (interaction, leg) = (InteractionId::from_number(1), LegId::from_number(1));
        let event = Event::LegEnded { interaction, leg, party: Party::Customer, stats: Some(stats) };
        let (answer, _receipt) = oneshot::channel();
        let append = Append::new(TenantId::from_number(1), vec![event.into()], Timestamp::ZERO, answer);
        let (kept, json, _) = &append.events[0];
        assert_eq!(&serde_json::from_str::<Event>(json).unwrap(), kept);
    }
}
