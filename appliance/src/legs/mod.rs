//! Live media legs for whoever watches: read from the media plane when somebody asks, at most once a second, however many ask.

mod owners;
mod show;

use std::sync::Arc;
use std::time::Duration;

use control_api::wire::legs::MediaLegs;
use media::control::LegSight;
use media::plane::{PlaneHandle, ThreadCounters};
use model::time::Timestamp;
use tokio::sync::Mutex;

use crate::clock;
pub use owners::{OfAppliance, OfNode, Owner, Owners};

/// What was read is shown for so long.
const FRESH: Duration = Duration::from_millis(900);
/// What was read longer ago than this says nothing of now: rates begin anew.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// The plane answers sooner than this, or it is taken to be stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// The legs of a media plane.
pub struct Legs {
    plane: PlaneHandle,
    owners: Box<dyn Owners>,
    last: Mutex<Option<Last>>,
}

/// What was read at one moment.
struct Reading {
    at: Timestamp,
    /// By id.
    sights: Vec<LegSight>,
    rooms: usize,
    threads: Vec<ThreadCounters>,
}

/// What was read last, and how it was shown.
struct Last {
    reading: Reading,
    shown: Arc<MediaLegs>,
}

impl Legs {
    /// Of this plane; `owners` says whose each leg is.
    pub fn new(plane: PlaneHandle, owners: Box<dyn Owners>) -> Self {
        Self { plane, owners, last: Mutex::default() }
    }

    /// All legs as they are now, or were a second ago; `None`: the plane does not answer.
    pub async fn read(&self) -> Option<Arc<MediaLegs>> {
        // Who comes while somebody reads waits here, and finds what that one read.
        let mut last = self.last.lock().await;
        if let Some(last) = last.as_ref().filter(|last| clock::now().since(last.reading.at) < FRESH) {
            return Some(Arc::clone(&last.shown));
        }
        let sights = tokio::time::timeout(PATIENCE, self.plane.sights()).await.ok()?.ok()?;
        let reading =
            Reading { at: clock::now(), sights, rooms: self.plane.rooms(), threads: self.plane.counters() };
        let owners = self.owners.of(&reading.sights).await;
        let before =
            last.as_ref().map(|last| &last.reading).filter(|before| reading.at.since(before.at) < FORGOTTEN);
        let shown = Arc::new(show::show(&reading, before, &owners));
        *last = Some(Last { reading, shown: Arc::clone(&shown) });
        Some(shown)
    }
}
