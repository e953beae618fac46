//! The second pass: decodes both channels and gives their samples to the sinks.

use std::path::Path;

use super::scan::Scan;
use super::{place, since};
use crate::record::format::Entry;
use crate::record::keys::RecordingKey;
use crate::record::reader::Reader;
use crate::record::sinks::{OggOpus, Peaks, Wav};
use crate::record::timeline::{MIX_BEHIND_US, Track};

/// Decodes and mixes the whole container.
pub(super) fn mix(
    reader: &mut Reader<impl std::io::Read>,
    scan: &Scan,
    sinks: &mut Sinks,
) -> std::io::Result<(Track, Track)> {
    let mut tracks = [Track::new(scan.rate_hz), Track::new(scan.rate_hz)];
    let mut mixed = 0;
    // A pause holds nothing; whatever claims to be in it is not played. Payloads of before it may stand behind its mark.
    let mut paused: Option<u64> = None;
    while let Some(entry) = reader.next_entry()? {
        match entry {
            Entry::Payload(payload) if paused.is_none_or(|from| payload.at_us < from) => {
                let Some(at_us) = since(scan.head, payload.at_us) else { continue };
                tracks[place(payload.channel)].push(&payload, at_us);
                tracks.iter_mut().for_each(|track| track.settle(at_us));
                let ready_us = at_us.saturating_sub(MIX_BEHIND_US);
                let ready = (ready_us * u64::from(scan.rate_hz) / 1_000_000).min(scan.samples);
                sinks.take(&mut tracks, &mut mixed, ready)?;
            }
            Entry::Pause { at_us, .. } => paused = paused.or(Some(at_us)),
            Entry::Resume { .. } => paused = None,
            _ => {}
        }
    }
    tracks.iter_mut().for_each(Track::settle_all);
    sinks.take(&mut tracks, &mut mixed, scan.samples)?;
    let [left, right] = tracks;
    Ok((left, right))
}

/// What takes the samples.
pub(super) struct Sinks {
    pub(super) wav: Option<Wav>,
    pub(super) opus: Option<OggOpus>,
    pub(super) peaks: Peaks,
}

impl Sinks {
    fn take(&mut self, tracks: &mut [Track; 2], mixed: &mut u64, until: u64) -> std::io::Result<()> {
        let (mut left, mut right) = ([0; BLOCK], [0; BLOCK]);
        while *mixed < until {
            let len = (until - *mixed).min(BLOCK as u64) as usize;
            tracks[0].read(&mut left[..len]);
            tracks[1].read(&mut right[..len]);
            *mixed += len as u64;
            if let Some(wav) = &mut self.wav {
                wav.block(&left[..len], &right[..len])?;
            }
            if let Some(opus) = &mut self.opus {
                opus.block(&left[..len], &right[..len])?;
            }
            self.peaks.block(&left[..len], &right[..len]);
        }
        Ok(())
    }

    pub(super) fn end(self, peaks: &Path, scan: &Scan, key: Option<&RecordingKey>) -> std::io::Result<()> {
        if let Some(wav) = self.wav {
            wav.end()?;
        }
        if let Some(opus) = self.opus {
            opus.end()?;
        }
        self.peaks.end(peaks, scan.rate_hz, scan.length_us / 1000, key)
    }
}

/// Samples moved at a time.
const BLOCK: usize = 1_024;
