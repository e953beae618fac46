//! What receivers of video say to its sender, on its way through two legs.
//!
//! The leg whose far end receives translates what it hears into numbers of the source ([`Told`]); the leg whose far end sends says
//! it there as its own wish. The plane knows which leg is which.

use std::time::Duration;

use model::time::Timestamp;

use super::super::reports::SourceClock;
use super::super::{Leg, SourceKey, Wire};
use crate::rtp::feedback::{self, Feedback, Meaning, Nack};
use crate::rtp::rtcp;

/// Whole pictures are asked for once in this time at most; a wish in between waits for its turn.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(200);
/// After packets were dropped for the cap: a whole picture while the flood goes on would be dropped too.
const AFTER_HOLE: Duration = Duration::from_millis(300);
const AFTER_HOLE_INTERVAL: Duration = Duration::from_secs(1);
/// Missing packets passed on from one compound packet at most, each with sixteen neighbours.
const NACKS_MAX: usize = 16;
/// Feedback packets about missing packets passed on within a second at most.
const NACKS_A_SECOND: u32 = 100;
/// A receiver's word on bandwidth is passed on once in this time at most.
const BANDWIDTH_INTERVAL: Duration = Duration::from_millis(100);
/// A receiver that said nothing on bandwidth for so long does not say anything: the cap is told in its place.
const BANDWIDTH_SILENCE: Duration = Duration::from_secs(3);

/// What the far end of a leg said by RTCP that concerns others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Its clock, for those who hear it.
    pub clock: Option<SourceClock>,
    /// Whose stream the following is about; `None`: nothing that is sent now.
    of: Option<SourceKey>,
    keyframe: Option<Keyframe>,
    nacks: [Nack; NACKS_MAX],
    nack_count: usize,
    bandwidth: bool,
}

impl Told {
    /// Whether there is something to be passed on to the one who is seen.
    pub const fn asks(&self) -> bool {
        self.keyframe.is_some() || self.nack_count > 0 || self.bandwidth
    }
    /// Whether there is anything at all.
    pub const fn is_something(&self) -> bool {
        self.clock.is_some() || self.asks()
    }
}

/// How a whole picture is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keyframe {
    /// Because a picture was lost.
    Pli,
    /// In any case.
    Fir,
}

/// The wish for a whole picture.
#[derive(Debug, Default)]
pub(super) struct KeyframeWish {
    wanted: Option<(Keyframe, Timestamp)>,
    asked_at: Option<Timestamp>,
    fir_number: u8,
    sent: u64,
}

impl KeyframeWish {
    fn want(&mut self, how: Keyframe, not_before: Timestamp) {
        let due = self.asked_at.map_or(not_before, |at| not_before.max(at + KEYFRAME_INTERVAL));
        self.wanted = Some(match self.wanted {
            Some((before, at)) => (before.max(how), at.min(due)),
            None => (how, due),
        });
    }
    /// Packets were dropped on purpose.
    pub(super) fn want_after_hole(&mut self, now: Timestamp) {
        let earliest = self.asked_at.map_or(now, |at| at + AFTER_HOLE_INTERVAL);
        self.want(Keyframe::Pli, earliest.max(now + AFTER_HOLE));
    }
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }
}

/// How many missing packets may still be told in this second.
#[derive(Debug, Default)]
pub(super) struct Nacking {
    second_began: Option<Timestamp>,
    used: u32,
    sent: u64,
}

impl Nacking {
    fn may(&mut self, now: Timestamp) -> bool {
        if self.second_began.is_none_or(|at| now.since(at) >= Duration::from_secs(1)) {
            self.second_began = Some(now);
            self.used = 0;
        }
        self.used += 1;
        self.used <= NACKS_A_SECOND
    }
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }
}

impl Leg {
    /// What the far end told others since the last call.
    pub fn take_told(&mut self) -> Told {
        std::mem::take(&mut self.told)
    }

    /// The far end says something about the video it gets.
    pub(in super::super) fn note_feedback(&mut self, feedback: &Feedback<'_>, now: Timestamp) {
        let Some(video) = &mut self.video else { return };
        let told = &mut self.told;
        let mut keyframe = |how| {
            video.keyframes_asked += 1;
            told.keyframe = told.keyframe.max(Some(how));
        };
        match feedback.about(self.outgoing.ssrc()) {
            Meaning::PictureLoss => keyframe(Keyframe::Pli),
            Meaning::FullIntra => keyframe(Keyframe::Fir),
            Meaning::Bandwidth(bits) => {
                video.receives = Some((bits, now));
                told.bandwidth = true;
            }
            Meaning::Nack(nacks) => {
                for nack in nacks.take(NACKS_MAX) {
                    video.nacks_asked += 1;
                    // Packets of another source than now, or long gone: nobody could send them again.
                    let Some((key, first)) = self.outgoing.source_of(nack.first) else { continue };
                    if let Some(place) = told.nacks.get_mut(told.nack_count) {
                        *place = Nack { first, more: nack.more };
                        told.nack_count += 1;
                        told.of = Some(key);
                    }
                }
            }
            Meaning::Other => {}
        }
    }

    /// What the far end says it can take, no more than the cap; the cap alone when it says nothing. `None`: no video.
    pub fn takes_bits_per_second(&self, now: Timestamp) -> Option<u64> {
        let video = self.video.as_ref()?;
        let said = video.receives.filter(|(_, at)| now.since(*at) < BANDWIDTH_SILENCE).map(|(bits, _)| bits);
        Some(said.map_or(video.limit(), |bits| bits.min(video.limit())))
    }

    /// A whole picture is wanted of the far end: somebody begins to see it.
    pub fn want_keyframe(&mut self, now: Timestamp) {
        if let Some(video) = &mut self.video {
            video.keyframe.want(Keyframe::Pli, now);
        }
    }
    /// A packet for somebody who sees the far end was dropped for the cap.
    pub fn dropped_for_cap(&mut self, now: Timestamp) {
        if let Some(video) = &mut self.video {
            video.keyframe.want_after_hole(now);
        }
    }

    /// When a whole picture is to be asked for; `None`: not, or nobody could be asked.
    pub fn keyframe_deadline(&self) -> Option<Timestamp> {
        let (_, due) = self.video.as_ref()?.keyframe.wanted?;
        let askable = self.stream.ssrc.is_some() && self.may_send() && self.latch.rtcp_to().is_some();
        askable.then_some(due)
    }

    /// Asks for a whole picture, if one is due.
    pub(in super::super) fn ask_for_keyframe(&mut self, now: Timestamp, wire: &mut dyn Wire) {
        if self.keyframe_deadline().is_none_or(|due| now < due) {
            return;
        }
        let (Some(video), Some(media)) = (&mut self.video, self.stream.ssrc) else { return };
        let Some((how, _)) = video.keyframe.wanted.take() else { return };
        video.keyframe.asked_at = Some(now);
        video.keyframe.sent += 1;
        if how == Keyframe::Fir {
            video.keyframe.fir_number = video.keyframe.fir_number.wrapping_add(1);
        }
        let number = video.keyframe.fir_number;
        self.put_feedback(wire, |room, ours| match how {
            Keyframe::Pli => feedback::picture_loss(room, ours, media),
            Keyframe::Fir => feedback::full_intra(room, ours, media, number),
        });
    }

    /// Somebody who sees the far end of this leg said something to it. `bits_per_second`: what all who see it can take.
    pub fn asked(
        &mut self,
        told: &Told,
        speaker: u64,
        bits_per_second: Option<u64>,
        now: Timestamp,
        wire: &mut dyn Wire,
    ) {
        let (Some(video), Some(media)) = (&mut self.video, self.stream.ssrc) else { return };
        if let Some(how) = told.keyframe {
            video.keyframe.want(how, now);
        }
        let stream = SourceKey { speaker, stream: self.stream.number };
        let nacks = told.nacks.get(..told.nack_count).unwrap_or_default();
        let nacks = if told.of == Some(stream) && !nacks.is_empty() && video.nacking.may(now) {
            video.nacking.sent += nacks.len() as u64;
            nacks
        } else {
            &[]
        };
        let limit = bits_per_second.map_or(video.limit(), |bits| bits.min(video.limit()));
        let passes =
            told.bandwidth && video.passed_bandwidth_at.is_none_or(|at| now.since(at) >= BANDWIDTH_INTERVAL);
        if passes {
            video.passed_bandwidth_at = Some(now);
        }
        if !nacks.is_empty() {
            self.put_feedback(wire, |room, ours| feedback::nack(room, ours, media, nacks));
        }
        if passes {
            self.put_feedback(wire, |room, ours| feedback::bandwidth(room, ours, media, limit));
        }
        self.ask_for_keyframe(now, wire);
    }

    /// Once a second: rates are measured, and the cap is told where no receiver says less.
    pub(in super::super) fn look_after_video(&mut self, now: Timestamp, wire: &mut dyn Wire) {
        let Some(video) = &mut self.video else { return };
        video.inbound.sample(now);
        video.outbound.sample(now);
        let limit = video.limit();
        let silent = video.passed_bandwidth_at.is_none_or(|at| now.since(at) >= BANDWIDTH_SILENCE);
        if let Some(media) = self.stream.ssrc.filter(|_| silent) {
            self.put_feedback(wire, |room, ours| feedback::bandwidth(room, ours, media, limit));
        }
    }

    /// Puts one feedback packet on the wire, behind a report that says nothing.
    fn put_feedback(&mut self, wire: &mut dyn Wire, write: impl Fn(&mut [u8], u32) -> usize) {
        let ours = self.outgoing.ssrc();
        self.put_rtcp(wire, &mut |room, cname| {
            let report = rtcp::Report { ssrc: ours, sender: None, block: None, cname, bye: false };
            let len = rtcp::build(room, &report);
            let more = room.get_mut(len..).map_or(0, |room| write(room, ours));
            if more == 0 { 0 } else { len + more }
        });
    }
}
