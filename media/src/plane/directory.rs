//! Which leg lives on which thread, and how to reach the threads. Looked into by commands, never by packets.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::id::{LegId, RoomId};

use super::orders::Order;
use crate::driver::Wake;

/// The letter box of a thread.
#[derive(Debug)]
pub(super) struct Post {
    pub inbox: SyncSender<Order>,
    pub wake: Arc<Wake>,
}

/// Where legs live.
#[derive(Debug, Default)]
pub(super) struct Homes {
    by_leg: HashMap<LegId, usize>,
    legs: Vec<usize>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Directory {
    posts: Vec<Post>,
    homes: Mutex<Homes>,
    /// Which room lives on which thread, for good.
    rooms: Mutex<HashMap<RoomId, usize>>,
}

impl Directory {
    pub fn new(posts: Vec<Post>) -> Self {
        let legs = vec![0; posts.len()];
        let homes = Mutex::new(Homes { by_leg: HashMap::new(), legs });
        Self { posts, homes, rooms: Mutex::default() }
    }

    pub fn threads(&self) -> usize {
        self.posts.len()
    }

    /// Leaves an order for a thread; gives it back when the box is full or the thread is gone.
    pub fn post(&self, thread: usize, order: Order) -> Result<(), Order> {
        let Some(post) = self.posts.get(thread) else { return Err(order) };
        match post.inbox.try_send(order) {
            Ok(()) => {
                post.wake.wake();
                Ok(())
            }
            Err(TrySendError::Full(order) | TrySendError::Disconnected(order)) => Err(order),
        }
    }

    /// Wakes a thread.
    pub fn wake(&self, thread: usize) {
        if let Some(post) = self.posts.get(thread) {
            post.wake.wake();
        }
    }

    pub fn home(&self, leg: LegId) -> Option<usize> {
        self.homes().by_leg.get(&leg).copied()
    }

    /// Chooses a home for a new leg: with `near`, else where the fewest are. `None` when the leg exists.
    pub fn settle(&self, leg: LegId, near: Option<LegId>) -> Option<usize> {
        let mut homes = self.homes();
        if homes.by_leg.contains_key(&leg) {
            return None;
        }
        let near = near.and_then(|near| homes.by_leg.get(&near).copied());
        let thread = near.unwrap_or_else(|| homes.fewest());
        homes.put(leg, thread);
        Some(thread)
    }

    /// Chooses a thread for a new room: that of the first party, else where the fewest legs are. `None` when the room exists.
    pub fn settle_room(&self, room: RoomId, near: Option<LegId>) -> Option<usize> {
        let thread = {
            let homes = self.homes();
            let near = near.and_then(|near| homes.by_leg.get(&near).copied());
            near.unwrap_or_else(|| homes.fewest())
        };
        match self.rooms().entry(room) {
            std::collections::hash_map::Entry::Occupied(_) => None,
            std::collections::hash_map::Entry::Vacant(place) => Some(*place.insert(thread)),
        }
    }

    pub fn room(&self, room: RoomId) -> Option<usize> {
        self.rooms().get(&room).copied()
    }

    /// Rooms there are.
    pub fn rooms_open(&self) -> usize {
        self.rooms().len()
    }

    /// The room is gone.
    pub fn room_gone(&self, room: RoomId) {
        self.rooms().remove(&room);
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, usize>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The leg lives elsewhere now.
    pub fn moved(&self, leg: LegId, thread: usize) {
        let mut homes = self.homes();
        homes.take(leg);
        homes.put(leg, thread);
    }

    /// The leg is gone.
    pub fn gone(&self, leg: LegId) {
        self.homes().take(leg);
    }

    fn homes(&self) -> MutexGuard<'_, Homes> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Homes {
    fn fewest(&self) -> usize {
        self.legs.iter().enumerate().min_by_key(|(_, legs)| **legs).map_or(0, |(thread, _)| thread)
    }
    fn put(&mut self, leg: LegId, thread: usize) {
        self.by_leg.insert(leg, thread);
        if let Some(legs) = self.legs.get_mut(thread) {
            *legs += 1;
        }
    }
    fn take(&mut self, leg: LegId) {
        if let Some(thread) = self.by_leg.remove(&leg)
            && let Some(legs) = self.legs.get_mut(thread)
        {
            *legs = legs.saturating_sub(1);
        }
    }
}
