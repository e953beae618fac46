//! Recordings from the tap to the listener's file.

mod container;
mod erased_again;
mod finishing;
mod full_disk;
mod killed;
mod sealed;
mod timelines;
mod writing;

use std::path::{Path, PathBuf};

use model::id::{Id, LegId, RecordingId};
use model::media::Codec;

use super::container::Container;
use super::format::{Entry, Head, Payload};
use crate::codec::Encoder;
use crate::control::Channel;

const BEGAN_US: u64 = 5_000_000;

fn head() -> Head {
    Head { recording: RecordingId::from_number(7), wall_us: 1_795_000_000_000_000, at_us: BEGAN_US }
}

fn leg(n: u64) -> LegId {
    LegId::from_number(n)
}

/// A talker with a tone, one packet each 20 ms.
struct Talker {
    channel: Channel,
    codec: Codec,
    encoder: Encoder,
    rate: u32,
    hz: f64,
    epoch: u16,
    seq: u16,
    timestamp: u32,
    said: usize,
    octets: Vec<u8>,
}

impl Talker {
    fn new(channel: Channel, codec: Codec, hz: f64) -> Self {
        let rate = if codec == Codec::Opus { 16_000 } else { 8_000 };
        let encoder = Encoder::new(codec, rate).unwrap();
        // Numbers near their end: recordings go through the wrap.
        let (seq, timestamp) = (65_500, u32::MAX - 8_000);
        Self { channel, codec, encoder, rate, hz, epoch: 0, seq, timestamp, said: 0, octets: vec![] }
    }

    /// The next packet.
    fn say(&mut self, at_us: u64) -> Payload<'_> {
        let len = self.rate as usize / 50;
        let pcm: Vec<i16> = (self.said..self.said + len)
            .map(|i| {
                ((i as f64 * self.hz * std::f64::consts::TAU / f64::from(self.rate)).sin() * 9_000.0) as i16
            })
            .collect();
        self.said += len;
        self.octets.resize(1_400, 0);
        let n = self.encoder.encode(&pcm, &mut self.octets).unwrap();
        self.octets.truncate(n);
        let (seq, timestamp) = (self.seq, self.timestamp);
        self.skip();
        let (channel, codec, epoch) = (self.channel, self.codec, self.epoch);
        Payload { channel, codec, epoch, seq, timestamp, at_us, octets: &self.octets }
    }

    /// A packet that is never sent on.
    fn skip(&mut self) {
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.codec.clock_hz() / 50);
    }
}

/// Writes a container the way the writer does, a block each tenth of a second.
struct Written {
    folder: tempfile::TempDir,
    container: Container,
    records: usize,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let container = Container::create(&folder.path().join("call.pbr"), &head()).unwrap();
        Self { folder, container, records: 0 }
    }

    fn add(&mut self, entry: Entry<'_>) {
        self.container.add(&entry);
        self.records += 1;
        if self.records.is_multiple_of(10) {
            self.container.flush().unwrap();
        }
    }

    fn end(&mut self, after_us: u64) -> PathBuf {
        let (_, _, ended) = self.container.end(BEGAN_US + after_us);
        ended.unwrap();
        self.path()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("call.pbr")
    }
}

/// Both channels of a WAV file.
fn wav(path: &Path) -> (u32, Vec<i16>, Vec<i16>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.bits_per_sample), (2, 16));
    let samples: Vec<i16> = reader.samples::<i16>().map(Result::unwrap).collect();
    let (left, right) = samples.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
    (spec.sample_rate, left, right)
}

/// Share of the power at one frequency, by Goertzel's filter; 0 for silence.
fn purity(pcm: &[i16], hz: f64, rate: u32) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / f64::from(rate)).cos();
    let (mut last, mut before, mut all) = (0.0, 0.0, 0.0);
    for sample in pcm {
        let sample = f64::from(*sample);
        all += sample * sample;
        (last, before) = (sample + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    if all < 1.0 { 0.0 } else { 2.0 * power / pcm.len() as f64 / all }
}

/// A stretch of samples, by milliseconds.
fn part(pcm: &[i16], rate: u32, from_ms: usize, to_ms: usize) -> &[i16] {
    &pcm[from_ms * rate as usize / 1000..to_ms * rate as usize / 1000]
}

fn is_silent(pcm: &[i16]) -> bool {
    pcm.iter().all(|sample| sample.unsigned_abs() < 16)
}
