//! Recordings that capture a room's mix: each is a place in the mixer that only hears, and one encoded stream.

use model::id::LegId;
use model::media::Codec;

use super::Room;
use super::ear::Ear;
use crate::control::{Channel, Format, MediaError, RoomRole};
use crate::mix::Seat;
use crate::record::Handle;

/// Where a mix goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The recording.
    pub handle: Handle,
    /// Its channel.
    pub channel: Channel,
    /// Number of the stream in the container.
    pub epoch: u16,
}

/// A packet for a recording.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// Where it goes.
    pub to: Capture,
    /// In which codec.
    pub codec: Codec,
    /// Counts up by one.
    pub seq: u16,
    /// In the codec's clock.
    pub timestamp: u32,
    /// The packet.
    pub payload: &'a [u8],
}

pub(super) struct RoomTap {
    pub to: Capture,
    without: Option<LegId>,
    pub seat: Seat,
    pub ear: Ear,
    pub seq: u16,
    pub timestamp: u32,
}

impl RoomTap {
    /// The room has another rate.
    pub fn set_rate(&mut self, room_hz: u32) {
        // It was made for another rate, so it can be made.
        if let Ok(ear) = Ear::new(format(room_hz), room_hz) {
            self.ear = ear;
        }
    }
}

impl Room {
    /// A recording captures the mix from now on, without the words of one leg.
    pub fn tap(&mut self, to: Capture, without: Option<LegId>) -> Result<(), MediaError> {
        let room_hz = self.mixer.rate_hz();
        let ear = Ear::new(format(room_hz), room_hz).map_err(|why| MediaError::BadSetup(why.to_string()))?;
        let full = |_| {
            MediaError::BadSetup(format!(
                "{} recordings capture this room already",
                crate::mix::LISTENERS_MAX
            ))
        };
        let seat = self.mixer.listen().map_err(full)?;
        self.taps.push(RoomTap { to, without, seat, ear, seq: 0, timestamp: 0 });
        self.mask_taps();
        Ok(())
    }

    /// A recording's channel captures it no longer. False: it did not.
    pub fn untap(&mut self, handle: Handle, channel: Channel) -> bool {
        let before = self.taps.len();
        for tap in self.taps.extract_if(.., |tap| (tap.to.handle, tap.to.channel) == (handle, channel)) {
            self.mixer.leave(tap.seat);
        }
        self.taps.len() != before
    }

    /// All that capture it.
    pub fn captures(&self) -> Vec<Capture> {
        self.taps.iter().map(|tap| tap.to).collect()
    }

    /// A recording is of all who are heard by anybody, coaches included; who is left out is left out whatever the role.
    pub(super) fn mask_taps(&mut self) {
        for tap in &self.taps {
            for party in self.parties.iter().flatten() {
                let captured = Some(party.leg) != tap.without && party.role != RoomRole::Monitor;
                self.mixer.set_audible(tap.seat, party.seat, captured);
            }
        }
    }
}

/// Wide rooms are kept wide.
const fn format(room_hz: u32) -> Format {
    let codec = if room_hz > 8_000 { Codec::Opus } else { Codec::Pcmu };
    Format { payload_type: 0, codec, ptime_ms: 20 }
}
