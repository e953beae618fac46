//! Looking at all legs of a thread, some at a time, so that watching holds up no packet for long. The list is the asker's: the
//! thread fills what there is room for and allocates nothing.

use tokio::sync::oneshot;

use super::handle::PlaneHandle;
use super::orders::Order;
use super::shard::Shard;
use super::table::Heard;
use crate::control::{Hears, LegSight, MediaError};

/// Legs that are looked at in one turn of a thread.
const AT_ONCE: usize = 32;

/// A part of a thread's legs.
#[derive(Debug)]
pub(super) struct Look {
    /// Where to go on; `None`: these were the last.
    pub next: Option<u32>,
    pub legs: Vec<LegSight>,
}

impl Shard {
    /// Puts the legs from slot `from` on into `legs`, as many as it has room for.
    pub(super) fn look(&self, from: u32, mut legs: Vec<LegSight>) -> Look {
        let end = self.table.slots() as u32;
        for index in from..end {
            if legs.len() == legs.capacity() {
                return Look { next: Some(index), legs };
            }
            let Some(seat) = self.table.get(index) else { continue };
            let hears = match seat.hears {
                Heard::Nothing => Hears::Nothing,
                Heard::Sound => Hears::Sound,
                Heard::Leg(speaker) => {
                    self.table.get(speaker).map_or(Hears::Nothing, |speaker| Hears::Leg(speaker.leg.id()))
                }
                Heard::Room { room, .. } => self.rooms.id_of(room).map_or(Hears::Nothing, Hears::Room),
            };
            let mut sight = seat.leg.sight(self.number, hears);
            sight.recorded = !seat.taps.is_empty();
            sight.in_kernel = seat.fast.is_carried();
            legs.push(sight);
        }
        Look { next: None, legs }
    }
}

impl PlaneHandle {
    /// All legs, each as it was at some moment during the call, in the order of their ids. Costs a thread some microseconds for
    /// every 32 legs; meant for people who watch, not for each packet.
    pub async fn sights(&self) -> Result<Vec<LegSight>, MediaError> {
        let mut all = Vec::new();
        for thread in 0..self.directory().threads() {
            let mut from = Some(0);
            while let Some(begin) = from {
                let (told, answer) = oneshot::channel();
                self.post(thread, Order::Look(begin, Vec::with_capacity(AT_ONCE), told))?;
                let look = answer.await.map_err(|_| MediaError::Unavailable)?;
                all.extend(look.legs);
                from = look.next;
            }
        }
        // A leg that moved meanwhile may have been met on both threads.
        all.sort_by_key(|sight| sight.leg);
        all.dedup_by_key(|sight| sight.leg);
        Ok(all)
    }

    /// Rooms that are open.
    pub fn rooms(&self) -> usize {
        self.directory().rooms_open()
    }
}
