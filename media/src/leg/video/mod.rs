//! Video between browsers (MEDIA-14): relayed as it is, with a cap on its bandwidth, and with what its receiver has to say to its
//! sender.
//!
//! Between two browsers there are two of our streams, so feedback is written anew on the way: what the far end says about our
//! stream (its SSRC, its numbers) becomes what we say about the stream of whoever it sees. Requests for whole pictures are
//! gathered for 200 ms and never lost; lost packets are passed on by the numbers of their sender, so far as it is
//! still the one who is seen; the bandwidth told is the least of what the receivers and the cap allow.
//!
//! - `policer`: the cap, for who ignores what it is told
//! - `feedback`: from our receivers, and to our sender
//! - `repair`: retransmissions, a stream of their own (RFC 4588)

mod feedback;
mod policer;
mod repair;

use std::net::SocketAddr;

use model::time::Timestamp;

use super::setup::FORMATS_MAX;
use super::{DropReason, Leg};
use crate::control::{LegSetup, VideoStats};

pub use feedback::Told;

use feedback::{KeyframeWish, Nacking};
use policer::Policer;
use repair::Repair;

/// Of the cap, what senders are told they may use, in percent: they count payloads, the cap counts the wire, and what they
/// aim at they do not always meet.
const TOLD_PERCENT: u64 = 85;

/// What a leg with video has beside other legs.
#[derive(Debug)]
pub(super) struct VideoState {
    max_bits_per_second: u32,
    /// Formats that travel in the repair stream.
    repairs: [Option<u16>; FORMATS_MAX],
    inbound: Policer,
    outbound: Policer,
    repair: Repair,
    keyframe: KeyframeWish,
    nacking: Nacking,
    /// What the far end can take, and when it said so.
    receives: Option<(u64, Timestamp)>,
    /// When a receiver's word was passed on to the far end last.
    passed_bandwidth_at: Option<Timestamp>,
    keyframes_asked: u64,
    nacks_asked: u64,
}

impl VideoState {
    fn limit(&self) -> u64 {
        u64::from(self.max_bits_per_second) * TOLD_PERCENT / 100
    }
}

impl Leg {
    /// Takes over what was negotiated about video. What was measured and promised goes on.
    pub(super) fn configure_video(&mut self, setup: &LegSetup) {
        let Some(video) = &setup.video else {
            self.video = None;
            return;
        };
        let limit = video.max_bits_per_second;
        let state = self.video.get_or_insert_with(|| {
            Box::new(VideoState {
                max_bits_per_second: limit,
                repairs: [None; FORMATS_MAX],
                inbound: Policer::new(limit),
                outbound: Policer::new(limit),
                repair: Repair::beside(&self.outgoing),
                keyframe: KeyframeWish::default(),
                nacking: Nacking::default(),
                receives: None,
                passed_bandwidth_at: None,
                keyframes_asked: 0,
                nacks_asked: 0,
            })
        });
        if state.max_bits_per_second != limit {
            state.max_bits_per_second = limit;
            state.inbound.set_limit(limit);
            state.outbound.set_limit(limit);
        }
        state.repairs = [None; FORMATS_MAX];
        for (place, format) in state.repairs.iter_mut().zip(&video.repairs) {
            *place = Some(*format);
        }
    }

    /// Whether a format travels in the repair stream.
    pub(super) fn is_repair(&self, format: u16) -> bool {
        self.video.as_ref().is_some_and(|video| video.repairs.contains(&Some(format)))
    }

    /// Lets in what the cap allows (`len`: before protection); a hole is made good by a whole picture when the flood is over.
    pub(super) fn police_in(
        &mut self,
        len: usize,
        from: SocketAddr,
        now: Timestamp,
    ) -> Result<(), DropReason> {
        let Some(video) = &mut self.video else { return Ok(()) };
        if video.inbound.admits(len + self.protection.overhead(), from.ip(), now) {
            return Ok(());
        }
        video.keyframe.want_after_hole(now);
        Err(DropReason::Policed)
    }

    /// Lets out what the cap allows (`len`: before protection).
    pub(super) fn police_out(&mut self, len: usize, to: SocketAddr, now: Timestamp) -> bool {
        let len = len + self.protection.overhead();
        self.video.as_mut().is_none_or(|video| video.outbound.admits(len, to.ip(), now))
    }

    /// Its figures.
    pub(super) fn video_stats(&self) -> Option<VideoStats> {
        let video = self.video.as_deref()?;
        Some(VideoStats {
            repair_ssrc: video.repair.ssrc(),
            received_repair_ssrc: video.repair.heard(),
            received_bits_per_second: video.inbound.rate(),
            sent_bits_per_second: video.outbound.rate(),
            received_policed: video.inbound.dropped(),
            sent_policed: video.outbound.dropped(),
            keyframes_asked: video.keyframes_asked,
            keyframes_requested: video.keyframe.sent(),
            nacks_asked: video.nacks_asked,
            nacks_requested: video.nacking.sent(),
            repairs_received: video.repair.received(),
            repairs_sent: video.repair.sent(),
        })
    }
}
