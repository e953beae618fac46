//! Packets in formats that are passed on as they are: to all who hear the leg and have the format.

use super::recordings::missed;
use super::shard::Shard;
use crate::driver::Packet;
use crate::leg::{Door, Pass, Passing, SourceKey};

impl Shard {
    /// Gives the packet to all who hear it; the last of them gets the buffer itself.
    pub(super) fn spread_passed(&mut self, speaker: u32, passing: &Passing, packet: Packet, at: usize) {
        let Some(seat) = self.table.get(speaker) else { return self.driver.release(packet) };
        let key = SourceKey { speaker: seat.serial, stream: passing.stream };
        self.counters.record_overruns += missed(&mut self.tap, seat);
        let hearers = seat.hearers;
        let Some((last, others)) = hearers.split_last() else { return self.driver.release(packet) };
        for hearer in others {
            let Some(copy) = self.copy(&packet) else { break };
            self.counters.relayed_copies += u64::from(self.pass(*hearer, key, passing, copy, at));
        }
        self.counters.relayed_in_place += u64::from(self.pass(*last, key, passing, packet, at));
    }

    fn pass(&mut self, hearer: u32, key: SourceKey, passing: &Passing, packet: Packet, at: usize) -> bool {
        let pass = match self.table.get_mut(hearer) {
            Some(seat) => seat.leg.pass(key, passing, self.driver.bytes(&packet), at, self.now),
            None => Pass::NotNow,
        };
        match (pass, self.table.get(hearer)) {
            (Pass::Sent(range, to), Some(seat)) => {
                let socket = seat.sockets.out(Door::Rtp, to, &self.browsers);
                self.send(packet, range, socket, to);
                return true;
            }
            (Pass::Unmatched, _) => self.counters.unmatched += 1,
            _ => {}
        }
        self.driver.release(packet);
        false
    }
}
