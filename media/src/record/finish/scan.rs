//! The first pass: how long the recording is, which codecs it holds, whether it is whole.

use model::media::Codec;
use model::recording::Completeness;

use super::{ChannelReport, Erased, Finished, MadeFile, Span, Taken, place, since};
use crate::quality::{Sequence, Totals};
use crate::record::format::{Entry, Head};
use crate::record::reader::{Reader, Tail};
use crate::record::timeline::Track;
use std::path::PathBuf;

/// What the first pass learns.
pub(super) struct Scan {
    pub(super) head: Head,
    pub(super) tail: Tail,
    pub(super) rate_hz: u32,
    pub(super) samples: u64,
    pub(super) length_us: u64,
    ended: bool,
    frames: u64,
    missing: u64,
    channels: [ChannelScan; 2],
    pauses: Vec<Span>,
    erased: Vec<Erased>,
    taken: Vec<Taken>,
}

#[derive(Default)]
struct ChannelScan {
    sequence: Sequence,
    epoch: Option<(u16, Codec)>,
    /// Since when it captures; how long it did.
    since_us: Option<u64>,
    captured_us: u64,
    tapped: bool,
}

impl Scan {
    pub(super) fn of(reader: &mut Reader<impl std::io::Read>) -> std::io::Result<Self> {
        let head = reader.head();
        let mut scan = Self {
            head,
            tail: Tail::default(),
            rate_hz: 8_000,
            samples: 0,
            length_us: 0,
            ended: false,
            frames: 0,
            missing: 0,
            channels: Default::default(),
            pauses: vec![],
            erased: vec![],
            taken: vec![],
        };
        let mut paused: Option<u64> = None;
        let (mut newest_us, mut end_us) = (0, None);
        while let Some(entry) = reader.next_entry()? {
            match entry {
                Entry::Payload(p) => {
                    let Some(at_us) = since(head, p.at_us) else { continue };
                    newest_us = newest_us.max(at_us);
                    scan.frames += 1;
                    if matches!(p.codec, Codec::Opus | Codec::G722) {
                        scan.rate_hz = 16_000;
                    }
                    let channel = &mut scan.channels[place(p.channel)];
                    if channel.epoch.replace((p.epoch, p.codec)).is_some_and(|old| old != (p.epoch, p.codec))
                    {
                        channel.sequence.restart();
                    }
                    channel.sequence.note(p.seq);
                    // Some hosts never say whose words they are: then a channel begins with its first.
                    if !channel.tapped {
                        channel.tapped = true;
                        channel.since_us = Some(at_us);
                    }
                }
                Entry::Tap { channel, leg, at_us } => {
                    let Some(at_us) = since(head, at_us) else { continue };
                    newest_us = newest_us.max(at_us);
                    if scan.taken.len() < TAKEN_MAX {
                        scan.taken.push(Taken { channel, leg, from_ms: at_us / 1000 });
                    }
                    let channel = &mut scan.channels[place(channel)];
                    channel.tapped = true;
                    if let Some(since_us) = channel.since_us.take() {
                        channel.captured_us += at_us.saturating_sub(since_us);
                    }
                    channel.since_us = leg.map(|_| at_us);
                }
                Entry::Pause { at_us, .. } => paused = paused.or(since(head, at_us)),
                Entry::Resume { at_us } => {
                    if let (Some(from_us), Some(to_us)) = (paused.take(), since(head, at_us)) {
                        scan.pause(from_us, to_us);
                        // Numbers went on in the pause: those packets are not expected.
                        scan.channels.iter_mut().for_each(|channel| channel.sequence.restart());
                        newest_us = newest_us.max(to_us);
                    }
                }
                Entry::Erased { from_us, to_us, wall_us, by } => {
                    if let (Some(from_us), Some(to_us)) = (since(head, from_us), since(head, to_us)) {
                        scan.left_out(from_us, to_us);
                        let (from_ms, to_ms) = (from_us / 1000, to_us.max(from_us) / 1000);
                        if scan.erased.len() < TAKEN_MAX {
                            scan.erased.push(Erased { from_ms, to_ms, wall_us, by });
                        }
                        scan.channels.iter_mut().for_each(|channel| channel.sequence.restart());
                    }
                }
                Entry::Missed { count, .. } => scan.missing = scan.missing.saturating_add(count),
                Entry::Seal { .. } => {}
                Entry::End { at_us, missing, .. } => {
                    scan.ended = true;
                    scan.missing = scan.missing.max(missing);
                    end_us = since(head, at_us);
                }
            }
        }
        // A stop that was said before the last packets were in does not cut them off.
        scan.length_us = match end_us {
            Some(end_us) => newest_us.clamp(end_us, end_us + STOP_SLACK_US),
            None => newest_us + PACKET_US,
        };
        if let Some(from_us) = paused {
            scan.pause(from_us, scan.length_us);
        }
        for channel in &mut scan.channels {
            if let Some(since_us) = channel.since_us.take() {
                channel.captured_us += scan.length_us.saturating_sub(since_us);
            }
        }
        scan.samples = scan.length_us * u64::from(scan.rate_hz) / 1_000_000;
        scan.tail = reader.tail();
        Ok(scan)
    }

    fn pause(&mut self, from_us: u64, to_us: u64) {
        if self.pauses.len() < TAKEN_MAX {
            self.pauses.push(Span { from_ms: from_us / 1000, to_ms: to_us.max(from_us) / 1000 });
        }
        self.left_out(from_us, to_us);
    }

    fn left_out(&mut self, from_us: u64, to_us: u64) {
        for channel in &mut self.channels {
            // A pause shortens what is expected of a channel that was capturing when it began.
            if let Some(since_us) = channel.since_us {
                channel.since_us = Some(since_us + to_us.saturating_sub(from_us.max(since_us)));
            }
        }
    }

    pub(super) fn told(
        self,
        left: Track,
        right: Track,
        files: Vec<MadeFile>,
        container: PathBuf,
    ) -> Finished {
        let rate = u64::from(self.rate_hz);
        let report = |channel: &ChannelScan, track: &Track| {
            let Totals { expected, lost, .. } = channel.sequence.totals();
            ChannelReport {
                expected,
                captured: expected - lost,
                expected_ms: channel.captured_us / 1000,
                captured_ms: track.samples * 1000 / rate,
            }
        };
        let [of_left, of_right] = &self.channels;
        let tail = self.tail;
        let complete = self.ended
            && self.missing == 0
            && (tail.torn_octets, tail.damaged_octets, tail.broken_seals, tail.unsealed_records)
                == (0, 0, 0, 0);
        let verdict = match (complete, self.pauses.is_empty() && self.erased.is_empty()) {
            (true, true) => Completeness::Complete,
            (true, false) => Completeness::CompleteExceptPauses,
            (false, _) => Completeness::Incomplete,
        };
        Finished {
            recording: self.head.recording,
            wall_us: self.head.wall_us,
            length_ms: self.length_us / 1000,
            complete,
            verdict,
            left: report(of_left, &left),
            right: report(of_right, &right),
            frames: self.frames,
            missing: self.missing,
            torn_octets: tail.torn_octets,
            damaged_octets: tail.damaged_octets,
            broken_seals: tail.broken_seals,
            seal: tail.link.iter().map(|octet| format!("{octet:02x}")).collect(),
            pauses: self.pauses,
            erased: self.erased,
            taken: self.taken,
            rate_hz: self.rate_hz,
            files,
            container,
        }
    }
}

/// What the last packet is taken to last, where nothing says when the recording ended.
const PACKET_US: u64 = 20_000;
/// How long after the stop packets may still have come.
const STOP_SLACK_US: u64 = 200_000;
/// Most changes and pauses told of.
const TAKEN_MAX: usize = 1_000;
