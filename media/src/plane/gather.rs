//! Rooms as control sees them: a room stays on its thread, and whoever joins comes there.
//!
//! What a joining leg brings along is bounded: itself, and who hears it or whom it hears. A leg of another room never moves.

use model::id::{LegId, RoomId};
use tokio::sync::oneshot;

use super::handle::{MOVES_TRIED, PlaneHandle};
use super::orders::Order;
use crate::control::{Answer, Command, MediaError, RoomOrder};

impl PlaneHandle {
    pub(super) async fn order_room(&self, room: RoomId, order: RoomOrder) -> Result<Answer, MediaError> {
        match order {
            RoomOrder::Open(setup) => {
                let near = setup.parties.first().map(|(leg, _)| *leg);
                let thread = self.directory().settle_room(room, near).ok_or(MediaError::RoomExists(room))?;
                let legs: Vec<LegId> = setup.parties.iter().map(|(leg, _)| *leg).collect();
                let opened = self.with(&legs, thread, room, RoomOrder::Open(setup)).await;
                if opened.is_err() {
                    self.directory().room_gone(room);
                }
                opened
            }
            RoomOrder::Join { leg, role } => {
                let thread = self.home_of(room)?;
                self.with(&[leg], thread, room, RoomOrder::Join { leg, role }).await
            }
            RoomOrder::Close => {
                let thread = self.home_of(room)?;
                let closed = self.tell_room(thread, room, RoomOrder::Close).await;
                if closed.is_ok() {
                    self.directory().room_gone(room);
                }
                closed
            }
            order => self.tell_room(self.home_of(room)?, room, order).await,
        }
    }

    fn home_of(&self, room: RoomId) -> Result<usize, MediaError> {
        self.directory().room(room).ok_or(MediaError::NoSuchRoom(room))
    }

    /// Brings legs to a thread, then gives an order there. Again, when one of them was taken elsewhere meanwhile.
    async fn with(
        &self,
        legs: &[LegId],
        thread: usize,
        room: RoomId,
        order: RoomOrder,
    ) -> Result<Answer, MediaError> {
        let mut refused = MediaError::Unavailable;
        for _ in 0..MOVES_TRIED {
            for leg in legs {
                self.bring(*leg, thread).await?;
            }
            match self.tell_room(thread, room, order.clone()).await {
                Err(MediaError::NoSuchLeg(leg)) if self.directory().home(leg).is_some() => {
                    refused = MediaError::NoSuchLeg(leg);
                }
                answer => return answer,
            }
        }
        Err(refused)
    }

    async fn bring(&self, leg: LegId, thread: usize) -> Result<(), MediaError> {
        for _ in 0..MOVES_TRIED {
            let home = self.directory().home(leg).ok_or(MediaError::NoSuchLeg(leg))?;
            if home == thread || self.move_leg(leg, home, thread).await? {
                return Ok(());
            }
        }
        Err(MediaError::BadSetup(format!("leg {leg} cannot move to the thread of the room")))
    }

    async fn tell_room(&self, thread: usize, room: RoomId, order: RoomOrder) -> Result<Answer, MediaError> {
        let (told, answer) = oneshot::channel();
        self.post(thread, Order::Run(Command::Room { room, order }, told))?;
        answer.await.unwrap_or(Err(MediaError::Unavailable))
    }
}
