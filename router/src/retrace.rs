//! Deciding a journal anew (ROUTE-10): what happened outside is read off the entries and told to a floor again, and each
//! entry that the floor itself wrote is compared with what it writes now.
//!
//! An entry is either the first of a group, whose cause is then told to the floor (`cause`), or follows from an earlier
//! cause or from time, and must be exactly what the floor says. Only two things are taken over as they stand: a queueing
//! (the arrival's wishes are worked into its requirement already) and how an interaction ended, which signalling knows.

mod cause;

use std::collections::VecDeque;

use model::journal::{Entry, Event};
use model::time::Timestamp;

use crate::config::{ConfigError, FloorConfig};
use crate::floor::Floor;
use crate::io::Output;
use cause::Cause;

/// What was the same so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Retraced {
    /// Entries of the floor that were looked at.
    pub entries: u64,
    /// What was told to the floor again.
    pub causes: u64,
    /// Entries that the floor decided to write, and wrote the same.
    pub decisions: u64,
    /// Of those, interactions offered to an agent.
    pub offers: u64,
}

/// The first entry that the floor does not write again.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// What stands in the journal.
    pub written: Entry,
    /// What the floor writes in its place; `None`: nothing.
    pub decided: Option<Event>,
}

/// A floor that is led through a journal.
#[derive(Debug)]
pub struct Retrace {
    floor: Floor,
    /// What the floor has written and the journal has not shown yet.
    pending: VecDeque<Event>,
    out: Vec<Output>,
    tally: Retraced,
}

impl Retrace {
    /// Goes on from a floor as it stood; see [`Floor::replay`].
    pub fn of(floor: Floor) -> Self {
        Self { floor, pending: VecDeque::new(), out: Vec::new(), tally: Retraced::default() }
    }
    /// The floor as it stands.
    pub fn floor(&self) -> &Floor {
        &self.floor
    }
    /// What was the same so far.
    pub fn tally(&self) -> Retraced {
        self.tally
    }

    /// The configuration changed at this point of the journal.
    pub fn configure(&mut self, config: FloorConfig, at: Timestamp) -> Result<(), ConfigError> {
        let answer = self.floor.configure(config, at, &mut self.out);
        self.listen();
        answer
    }

    /// The appliance was started at this point: what the run before left open is ended.
    pub fn restart(&mut self, floor: Floor, at: Timestamp) {
        self.floor = floor;
        self.pending.clear();
        self.floor.restart(at, &mut self.out);
        self.listen();
    }

    /// Takes the next entry. `later` are those after it: the same cause may have written them.
    pub fn take(&mut self, entry: &Entry, later: &[Entry]) -> Result<(), Box<Difference>> {
        let differs = |decided| Err(Box::new(Difference { written: entry.clone(), decided }));
        if !is_of_the_floor(&entry.event) || self.is_of_another(&entry.event) {
            return Ok(());
        }
        self.tally.entries += 1;
        if self.pending.is_empty() {
            self.floor.tick(entry.at, &mut self.out);
            self.listen();
        }
        let told = self.pending.is_empty();
        if told {
            self.tally.causes += 1;
            let same_time = later.iter().take_while(|later| later.at == entry.at);
            let of_the_floor = same_time.filter(|later| is_of_the_floor(&later.event));
            match cause::of(&self.floor, entry, of_the_floor) {
                Some(Cause::Input(input)) => {
                    // A refusal writes nothing, and that is the difference.
                    let _ = self.floor.handle(input, entry.at, &mut self.out);
                }
                Some(Cause::Fact) => self.floor.take_over(&entry.event, entry.at, &mut self.out),
                None => return differs(None),
            }
            self.listen();
        }
        match self.pending.pop_front() {
            Some(decided) if same(&decided, &entry.event) => {
                if !told {
                    self.tally.decisions += 1;
                    self.tally.offers += u64::from(matches!(decided, Event::Offered { .. }));
                }
                Ok(())
            }
            decided => differs(decided),
        }
    }

    /// Whether an end is of a call that the floor never had: turned away at the door, or older than the floor.
    fn is_of_another(&self, event: &Event) -> bool {
        let (Event::Ended { interaction, .. }
        | Event::Completed { interaction, .. }
        | Event::Overflowed { interaction, .. }
        | Event::LaidAside { interaction, .. }) = event
        else {
            return false;
        };
        self.floor.item_key(*interaction).is_err() && !self.pending.iter().any(|pending| same(pending, event))
    }

    fn listen(&mut self) {
        let written = self.out.drain(..).filter_map(|output| match output {
            Output::Journal(event) => Some(event),
            _ => None,
        });
        self.pending.extend(written);
    }
}

impl Floor {
    /// Writes an event as it stands and serves whom it lets be served.
    fn take_over(&mut self, event: &Event, at: Timestamp, out: &mut Vec<Output>) {
        self.begin(at, out);
        self.record(event.clone());
        self.finish(out);
    }
}

/// Whether the floor writes such events; the others are of the desk and of signalling.
fn is_of_the_floor(event: &Event) -> bool {
    matches!(
        event,
        Event::AgentLoggedIn { .. }
            | Event::AgentLoggedOut { .. }
            | Event::AgentReady { .. }
            | Event::AgentNotReady { .. }
            | Event::AgentOffline { .. }
            | Event::Queued { .. }
            | Event::Overflowed { .. }
            | Event::LaidAside { .. }
            | Event::Offered { .. }
            | Event::Accepted { .. }
            | Event::Taken { .. }
            | Event::Requeued { .. }
            | Event::Transferred { .. }
            | Event::PartyJoined { .. }
            | Event::HandlingStarted { .. }
            | Event::OfferEnded { .. }
            | Event::Ended { .. }
            | Event::WrapUpStarted { .. }
            | Event::WrapUpContinued { .. }
            | Event::Completed { .. }
    )
}

fn same(decided: &Event, written: &Event) -> bool {
    match (decided, written) {
        // The floor knows that it ended, signalling knows how.
        (Event::Ended { interaction: one, .. }, Event::Ended { interaction: other, .. }) => one == other,
        (decided, written) => decided == written,
    }
}
