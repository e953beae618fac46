//! Packets in formats that are passed on as they are: to all who hear the leg and have the format.

use super::doors::doors;
use super::recordings::missed;
use super::shard::Shard;
use super::table::Heard;
use crate::driver::Packet;
use crate::leg::{Door, DropReason, Pass, Passing, SourceKey};

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
            self.counters.relayed_copies += u64::from(self.pass(speaker, *hearer, key, passing, copy, at));
        }
        self.counters.relayed_in_place += u64::from(self.pass(speaker, *last, key, passing, packet, at));
    }

    fn pass(
        &mut self,
        speaker: u32,
        hearer: u32,
        key: SourceKey,
        passing: &Passing,
        packet: Packet,
        at: usize,
    ) -> bool {
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
            (Pass::Policed, _) => {
                if let Some(count) = self.counters.dropped.get_mut(DropReason::Policed as usize) {
                    *count += 1;
                }
                if let Some(seat) = self.table.get_mut(speaker) {
                    seat.leg.dropped_for_cap(self.now);
                }
            }
            _ => {}
        }
        self.driver.release(packet);
        false
    }

    /// Passes on what a leg's far end told by RTCP: its clock to those who hear it, its wishes to the one it sees.
    pub(super) fn pass_told(&mut self, index: u32) {
        let Some(seat) = self.table.get_mut(index) else { return };
        let told = seat.leg.take_told();
        let key = SourceKey { speaker: seat.serial, stream: seat.leg.stream_number() };
        let (hears, hearers) = (seat.hears, seat.hearers);
        if let Some(clock) = told.clock {
            for hearer in hearers.iter() {
                if let Some(seat) = self.table.get_mut(*hearer) {
                    seat.leg.source_told(key, clock);
                }
            }
        }
        let Heard::Leg(speaker) = hears else { return };
        let Some(hearers) = self.table.get(speaker).filter(|_| told.asks()).map(|seat| seat.hearers) else {
            return;
        };
        // What the weakest of the receivers takes.
        let takes = |hearer: &u32| self.table.get(*hearer)?.leg.takes_bits_per_second(self.now);
        let least = hearers.iter().filter_map(takes).min();
        let Some(seat) = self.table.get_mut(speaker) else { return };
        let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
        seat.leg.asked(&told, seat.serial, least, self.now, &mut doors);
        self.arm(speaker);
    }

    /// Somebody begins to see this leg, or sees it again: a whole picture is asked for.
    pub(super) fn begins_to_be_seen(&mut self, speaker: u32) {
        if let Some(seat) = self.table.get_mut(speaker) {
            seat.leg.want_keyframe(self.now);
        }
        self.arm(speaker);
    }
}
