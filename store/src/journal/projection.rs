//! Records between the journal and their table. Pure; the engines do the I/O.
//!
//! Each commit folds its entries into the records they speak of, in memory; the table gets a record a little later, so that a call of which ten
//! things are told within half a second is written once. Nothing can be lost by that: `journal_heads.folded` says up to which entry every record
//! of a tenant is in the table, `service_records.folded` up to which entry each one is, and whoever takes the journal over folds what came after.

use std::collections::{BTreeMap, HashMap};

use model::id::{InteractionId, TenantId};
use model::interaction::ServiceRecord;
use model::journal::{Entry, Event, Seq};

use super::ledger::Head;
use crate::records::{fold_record, is_unfinished};

/// Records kept at most that are in the table as they are, some 10 MB. When it is reached they are forgotten and read again as needed.
const KNOWN_MAX: usize = 20_000;
/// As many changed records wait for their time. Of more, each commit saves a part of what is beyond: a burst is absorbed, and what lasts is
/// paid for by whoever makes it, evenly. Whoever reads waits for all of them to be saved, which takes a tenth of a second at this size.
const CALM: usize = 4_096;
/// The part of what is beyond that a commit saves.
const PART: usize = 32;

/// A record, and the last entry that was folded into it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Folded {
    pub record: ServiceRecord,
    pub seq: Seq,
}

/// Records of interactions that go on, and those that the table does not have as they are.
#[derive(Debug, Default)]
pub(crate) struct Projection {
    known: HashMap<InteractionId, Folded>,
    /// By the first entry that the table's record lacks.
    unsaved: BTreeMap<TenantId, BTreeMap<Seq, InteractionId>>,
    unsaved_since: HashMap<InteractionId, (TenantId, Seq)>,
    heads: BTreeMap<TenantId, Head>,
}

/// What a transaction writes of records.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Records for the table.
    pub save: Vec<&'a Folded>,
    /// Up to which entry the table is whole then.
    pub folded: Vec<(TenantId, Seq)>,
}

impl Plan<'_> {
    /// The records' interactions.
    pub fn ids(&self) -> Vec<InteractionId> {
        self.save.iter().map(|folded| folded.record.interaction).collect()
    }
}

impl Projection {
    /// Begins to fold entries; nothing is kept until [`Projection::keep`], so a failed commit leaves no trace.
    pub fn begin<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Changes {
        let mut records = BTreeMap::new();
        for entry in entries {
            let Some(id) = entry.event.interaction() else { continue };
            records.entry(id).or_insert_with(|| {
                let found = match (self.known.get(&id), &entry.event) {
                    (Some(folded), _) => Known::Loaded(Some(Box::new(folded.clone()))),
                    (None, Event::Arrived { .. }) => Known::Loaded(None),
                    (None, _) => Known::NotYet,
                };
                Change { found, since: None }
            });
        }
        Changes { records }
    }

    /// Which records a transaction saves that moves the logs to these heads: `at_most` of them, the longest changed first; more in a burst.
    pub fn plan<'a>(&'a self, changes: &'a Changes, heads: &[(TenantId, Head)], at_most: usize) -> Plan<'a> {
        let mut new: BTreeMap<TenantId, BTreeMap<Seq, InteractionId>> = BTreeMap::new();
        for (id, change) in &changes.records {
            if let (Known::Loaded(Some(folded)), Some(since)) = (&change.found, change.since)
                && !self.unsaved_since.contains_key(id)
            {
                new.entry(folded.record.tenant).or_default().insert(since, *id);
            }
        }
        let all = self.unsaved() + new.values().map(BTreeMap::len).sum::<usize>();
        let mut left = at_most.max(all.saturating_sub(CALM) / PART);
        let mut plan = Plan { save: Vec::new(), folded: Vec::new() };
        for (n, (tenant, head)) in heads.iter().enumerate() {
            let share = left.div_ceil(heads.len() - n);
            let of = |all: &'a BTreeMap<TenantId, BTreeMap<Seq, InteractionId>>| {
                all.get(tenant).into_iter().flatten().map(|(seq, id)| (*seq, *id)).collect::<Vec<_>>()
            };
            // What waits changed before what this commit changes.
            let waiting = of(&self.unsaved);
            let new = new.get(tenant).into_iter().flatten().map(|(seq, id)| (*seq, *id));
            let mut rest = waiting.into_iter().chain(new);
            let chosen: Vec<_> = rest.by_ref().take(share).collect();
            left -= chosen.len();
            plan.save.extend(
                chosen.iter().filter_map(|(_, id)| changes.folded(*id).or_else(|| self.known.get(id))),
            );
            plan.folded
                .push((*tenant, rest.next().map_or(head.seq, |(seq, _)| Seq(seq.0.saturating_sub(1)))));
        }
        plan
    }

    /// The commit happened: keeps what goes on or is not saved yet, and forgets what is over.
    pub fn keep(&mut self, changes: Changes, heads: &[(TenantId, Head)], saved: &[InteractionId]) {
        self.heads.extend(heads.iter().copied());
        for (id, Change { found, since }) in changes.records {
            let Known::Loaded(Some(folded)) = found else { continue };
            if let Some(since) = since
                && !self.unsaved_since.contains_key(&id)
            {
                let tenant = folded.record.tenant;
                self.unsaved.entry(tenant).or_default().insert(since, id);
                self.unsaved_since.insert(id, (tenant, since));
            }
            self.known.insert(id, *folded);
        }
        self.saved(saved);
    }

    /// These are in the table as they are known.
    pub fn saved(&mut self, saved: &[InteractionId]) {
        for id in saved {
            if let Some((tenant, since)) = self.unsaved_since.remove(id)
                && let Some(unsaved) = self.unsaved.get_mut(&tenant)
            {
                unsaved.remove(&since);
                if unsaved.is_empty() {
                    self.unsaved.remove(&tenant);
                }
            }
            if self.known.get(id).is_some_and(|folded| is_over(&folded.record)) {
                self.known.remove(id);
            }
        }
        if self.known.len() - self.unsaved_since.len() > KNOWN_MAX {
            self.known.retain(|id, _| self.unsaved_since.contains_key(id));
        }
    }

    /// How many records the table does not have as they are.
    pub fn unsaved(&self) -> usize {
        self.unsaved_since.len()
    }

    /// Where the logs stand whose records are not all in the table, in the order of the tenants.
    pub fn heads(&self) -> Vec<(TenantId, Head)> {
        self.unsaved.keys().filter_map(|tenant| Some((*tenant, *self.heads.get(tenant)?))).collect()
    }

    /// The table has another version of this record now.
    pub fn forget(&mut self, id: InteractionId) {
        self.saved(&[id]);
        self.known.remove(&id);
    }
}

/// Nothing more is told of most of these.
fn is_over(record: &ServiceRecord) -> bool {
    !is_unfinished(record)
}

/// The records that a group of entries speaks of.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    records: BTreeMap<InteractionId, Change>,
}

#[derive(Debug)]
struct Change {
    found: Known,
    /// The first of the entries that changed it.
    since: Option<Seq>,
}

#[derive(Debug)]
enum Known {
    NotYet,
    Loaded(Option<Box<Folded>>),
}

impl Changes {
    /// Interactions whose record has to be read first.
    pub fn unknown(&self) -> Vec<InteractionId> {
        let unknown = self.records.iter().filter(|(_, change)| matches!(change.found, Known::NotYet));
        unknown.map(|(id, _)| *id).collect()
    }

    /// The records of these interactions were read; the others of them have none.
    pub fn know(&mut self, unknown: &[InteractionId], stored: Vec<Folded>) {
        for id in unknown {
            self.records.insert(*id, Change { found: Known::Loaded(None), since: None });
        }
        for folded in stored {
            let id = folded.record.interaction;
            self.records.insert(id, Change { found: Known::Loaded(Some(Box::new(folded))), since: None });
        }
    }

    /// Folds the entries, each into its record, unless the record has it already: a commit whose answer was lost is sent again.
    pub fn fold<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>) {
        for entry in entries {
            let Some(change) = entry.event.interaction().and_then(|id| self.records.get_mut(&id)) else {
                continue;
            };
            let found = std::mem::replace(&mut change.found, Known::Loaded(None));
            let folded = if let Known::Loaded(Some(folded)) = found { Some(*folded) } else { None };
            if folded.as_ref().is_some_and(|folded| folded.seq >= entry.seq) {
                change.found = Known::Loaded(folded.map(Box::new));
                continue;
            }
            let mut record = folded.map(|folded| folded.record);
            if fold_record(&mut record, entry) {
                change.since.get_or_insert(entry.seq);
            }
            change.found = Known::Loaded(record.map(|record| Box::new(Folded { record, seq: entry.seq })));
        }
    }

    /// All of them that changed.
    pub fn all(&self) -> Vec<&Folded> {
        self.records
            .iter()
            .filter(|(_, change)| change.since.is_some())
            .filter_map(|(id, _)| self.folded(*id))
            .collect()
    }

    fn folded(&self, id: InteractionId) -> Option<&Folded> {
        match &self.records.get(&id)?.found {
            Known::Loaded(folded) => folded.as_deref(),
            Known::NotYet => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use model::id::{AgentId, Id};
    use model::interaction::{Channel, Direction, EndStatus, EndedBy};
    use model::time::Timestamp;

    fn tenant(n: u64) -> TenantId {
        TenantId::from_number(n)
    }

    fn call(n: u64) -> InteractionId {
        InteractionId::from_number(n)
    }

    fn entry(tenant: TenantId, seq: u64, event: Event) -> Arc<Entry> {
        Entry { seq: Seq(seq), tenant, at: Timestamp::from_millis(seq), event }.into()
    }

    fn arrived(tenant: TenantId, seq: u64, n: u64) -> Arc<Entry> {
        let event = Event::Arrived {
            interaction: call(n),
            channel: Channel::Voice,
            direction: Direction::Inbound,
            caller: "+49".into(),
            caller_name: None,
            contact: "+30".into(),
            trunk: None,
            service: None,
            calling_agent: None,
        };
        entry(tenant, seq, event)
    }

    fn held(tenant: TenantId, seq: u64, n: u64) -> Arc<Entry> {
        entry(
            tenant,
            seq,
            Event::HoldChanged { interaction: call(n), agent: Some(AgentId::from_number(1)), held: true },
        )
    }

    fn ended(tenant: TenantId, seq: u64, n: u64) -> Arc<Entry> {
        entry(
            tenant,
            seq,
            Event::Ended { interaction: call(n), status: EndStatus::Abandoned, by: EndedBy::Customer },
        )
    }

    /// A commit of entries of one tenant; what it saves and up to where its table is whole.
    fn commit(
        projection: &mut Projection,
        entries: &[Arc<Entry>],
        at_most: usize,
    ) -> (Vec<InteractionId>, Seq) {
        let last = entries.last().expect("entries");
        let heads = [(last.tenant, Head { seq: last.seq, epoch: 1 })];
        let mut changes = projection.begin(entries.iter().map(|entry| &**entry));
        changes.know(&changes.unknown(), vec![]);
        changes.fold(entries.iter().map(|entry| &**entry));
        let plan = projection.plan(&changes, &heads, at_most);
        let (ids, folded) = (plan.ids(), plan.folded[0].1);
        projection.keep(changes, &heads, &ids);
        (ids, folded)
    }

    #[test]
    fn the_longest_changed_are_saved_first_and_the_table_is_whole_up_to_the_next() {
        let mut projection = Projection::default();
        let t = tenant(1);
        assert_eq!(commit(&mut projection, &[arrived(t, 1, 1), arrived(t, 2, 2)], 0), (vec![], Seq(0)));
        // The first is still changed since its first entry.
        assert_eq!(commit(&mut projection, &[held(t, 3, 1), arrived(t, 4, 3)], 1), (vec![call(1)], Seq(1)));
        assert_eq!(commit(&mut projection, &[held(t, 5, 1)], 0), (vec![], Seq(1)));
        assert_eq!(commit(&mut projection, &[held(t, 6, 2)], 2), (vec![call(2), call(3)], Seq(4)));
        let plan = projection.plan(&Changes::default(), &projection.heads(), 9).ids();
        assert_eq!(plan, [call(1)]);
        projection.saved(&[call(1)]);
        assert_eq!((projection.unsaved(), projection.heads()), (0, vec![]));
    }

    #[test]
    fn what_is_over_is_forgotten_once_it_is_saved() {
        let mut projection = Projection::default();
        let t = tenant(1);
        commit(&mut projection, &[arrived(t, 1, 1), ended(t, 2, 1)], 0);
        assert_eq!(projection.known.len(), 1);
        projection.saved(&[call(1)]);
        assert_eq!(projection.known.len(), 0);
    }

    #[test]
    fn entries_that_are_sent_again_are_folded_once() {
        let mut projection = Projection::default();
        let t = tenant(1);
        let (first, second) =
            ([arrived(t, 1, 1), held(t, 2, 1)], [arrived(t, 1, 1), held(t, 2, 1), held(t, 3, 1)]);
        commit(&mut projection, &first, 0);
        commit(&mut projection, &second, 0);
        assert_eq!((projection.known[&call(1)].record.holds, projection.known[&call(1)].seq), (2, Seq(3)));
    }

    /// A tenant with much to save does not keep another's waiting, and a burst is saved by those who make it.
    #[test]
    fn tenants_share_and_a_burst_is_bounded() {
        let mut projection = Projection::default();
        let (a, b) = (tenant(1), tenant(2));
        for seq in 1..=100 {
            commit(&mut projection, &[arrived(a, seq, seq)], 0);
        }
        commit(&mut projection, &[arrived(b, 1, 1_000)], 0);
        let plan = projection.plan(&Changes::default(), &projection.heads(), 10).ids();
        assert!(plan.contains(&call(1_000)) && plan.len() <= 10, "{plan:?}");
        for batch in 0..200 {
            let entries: Vec<_> =
                (1..=200).map(|n| arrived(a, 100 + batch * 200 + n, 2_000 + batch * 200 + n)).collect();
            commit(&mut projection, &entries, 0);
        }
        assert!(projection.unsaved() < CALM + 200 * (PART + 1), "{}", projection.unsaved());
    }
}
