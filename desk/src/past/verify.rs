//! The journal decided again: what was told to the floor is told to it once more, and what it wrote must come out the same.

use std::collections::VecDeque;

use model::journal::{Entry, Event, Seq};
use model::time::Timestamp;
use router::{Difference, Floor, FloorConfig, Retrace, Retraced};
use serde::Serialize;

use super::{FOLDED_MAX, Past, PastError};

/// How far the journal was decided again, and whether it came out the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verified {
    /// Where it began: the last start of the appliance before the time asked for, because only there the whole state is known.
    pub since: Option<Timestamp>,
    /// The last entry that was looked at.
    pub until: Option<Timestamp>,
    /// What was the same.
    pub same: Retraced,
    /// Starts of the appliance on the way.
    pub starts: u64,
    /// Changes of the configuration on the way.
    pub changes: u64,
    /// The first entry that came out otherwise: what follows was not looked at.
    pub difference: Option<Difference>,
    /// The configuration of this generation is forgotten or was never stored: what follows was not looked at, up to the next start.
    pub unknown: Option<u64>,
}

/// A walk through the journal.
struct Walk {
    from: Timestamp,
    again: Option<Retrace>,
    /// What a start looks at: the entries of earlier pages.
    before: VecDeque<Entry>,
    found: Verified,
}

impl Past {
    /// Decides the journal again from the last start before `from` up to `to`. Entries from before the program stored what the floor
    /// decides by cannot be decided again and are passed over.
    pub async fn decide_again(&self, from: Timestamp, to: Timestamp) -> Result<Verified, PastError> {
        let mut walk = Walk { from, again: None, before: VecDeque::new(), found: Verified::default() };
        let (mut next, mut entries) = (Seq(1), Vec::new());
        loop {
            let page = self.read(next).await?;
            let at_end = page.is_empty();
            if let Some(last) = page.last() {
                next = Seq(last.seq.0 + 1);
            }
            entries.extend(page);
            // Those of the last instant may go on in the next page.
            let ready = match entries.last().map(|last: &Entry| last.at) {
                Some(last) if !at_end => entries.iter().position(|e| e.at >= last).unwrap_or_default(),
                _ => entries.len(),
            };
            for n in 0..ready {
                let (entry, around) = (&entries[n], (&entries[..n], &entries[n + 1..]));
                if entry.at > to {
                    return Ok(walk.found);
                }
                self.step(&mut walk, entry, around).await?;
                if walk.found.difference.is_some() {
                    return Ok(walk.found);
                }
            }
            walk.before.extend(entries.drain(..ready));
            let surplus = walk.before.len().saturating_sub(FOLDED_MAX as usize);
            walk.before.drain(..surplus);
            if at_end {
                return Ok(walk.found);
            }
        }
    }

    async fn step(
        &self,
        walk: &mut Walk,
        entry: &Entry,
        (earlier, later): (&[Entry], &[Entry]),
    ) -> Result<(), PastError> {
        if let Event::Configured { generation, started } = entry.event {
            let Some(config) = self.generation(generation).await? else {
                walk.found.unknown = Some(generation);
                walk.again = None;
                return Ok(());
            };
            return walk.configured(config, entry, earlier, started);
        }
        let Some(again) = &mut walk.again else { return Ok(()) };
        let taken = again.take(entry, later);
        (walk.found.same, walk.found.until) = (again.tally(), Some(entry.at));
        walk.found.difference = taken.err().map(|difference| *difference);
        Ok(())
    }
}

impl Walk {
    fn configured(
        &mut self,
        config: FloorConfig,
        entry: &Entry,
        earlier: &[Entry],
        started: bool,
    ) -> Result<(), PastError> {
        if !started {
            if let Some(again) = &mut self.again {
                again.configure(config, entry.at)?;
                self.found.changes += 1;
            }
            return Ok(());
        }
        // As the appliance looks at its journal when it starts.
        let oldest = (entry.seq.0 - 1).saturating_sub(FOLDED_MAX);
        let seen = self.before.iter().chain(earlier).filter(|earlier| earlier.seq.0 > oldest);
        let floor = Floor::replay(config.clone(), seen)?;
        let again = match self.again.take() {
            Some(again) if entry.at > self.from => again,
            _ => {
                self.found = Verified { since: Some(entry.at), ..Verified::default() };
                Retrace::of(Floor::new(config)?)
            }
        };
        self.again.insert(again).restart(floor, entry.at);
        self.found.starts += 1;
        Ok(())
    }
}
