//! Our decoder beside libbcg729's and ffmpeg's, each in a process of its own.
//!
//! `G729_ROUNDS` makes as many rounds of other material, about a minute and a half of sound each (default 1; `make g729-long`: an
//! hour).

mod outside;

use outside::material::{Dice, all};
use outside::{LOST, bcg_decode, bcg_encode, ffmpeg_decode, our_decode, split};

/// How far two decodings of the same frames lie apart.
#[derive(Default)]
struct Distance {
    samples: usize,
    exact: usize,
    signal: f64,
    error: f64,
    /// Signal to difference of each 10 ms that is not near silence, dB.
    segments: Vec<f64>,
}

impl Distance {
    fn add(&mut self, theirs: &[i16], ours: &[i16]) {
        assert_eq!(theirs.len(), ours.len());
        for (a, b) in theirs.chunks(80).zip(ours.chunks(80)) {
            let signal: f64 = a.iter().map(|x| f64::from(*x).powi(2)).sum();
            let error: f64 = a.iter().zip(b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
            self.samples += a.len();
            self.exact += a.iter().zip(b).filter(|(x, y)| x == y).count();
            self.signal += signal;
            self.error += error;
            // Below an amplitude of 30 the rounding of a single unit is already 30 dB.
            if signal > 80.0 * 30.0 * 30.0 {
                self.segments.push((10.0 * (signal / error.max(1e-3)).log10()).min(100.0));
            }
        }
    }

    fn whole(&self) -> f64 {
        10.0 * (self.signal / self.error.max(1e-3)).log10()
    }

    /// The signal to difference that all but `part` of the segments exceed.
    fn quantile(&mut self, part: f64) -> f64 {
        self.segments.sort_by(f64::total_cmp);
        let at = (self.segments.len() as f64 * part) as usize;
        self.segments.get(at).copied().unwrap_or(100.0)
    }

    fn mean(&self) -> f64 {
        self.segments.iter().sum::<f64>() / self.segments.len().max(1) as f64
    }

    fn line(&mut self, name: &str) -> String {
        let [low, fifth, half] = [0.01, 0.05, 0.5].map(|part| self.quantile(part));
        let exact = 100.0 * self.exact as f64 / self.samples.max(1) as f64;
        format!(
            "{name}: whole {:.1} dB, segments' mean {:.1} dB, 1 % below {low:.1}, 5 % below {fifth:.1}, half below {half:.1}; \
             samples alike {exact:.1} %",
            self.whole(),
            self.mean()
        )
    }
}

fn rounds() -> u64 {
    std::env::var("G729_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Takes out every frame the dice say, in bursts of up to three.
///
/// Frames not sent after a description of silence that was lost become lost ones: libbcg729 cannot be told the difference, and
/// goes on with concealment where we begin with comfort noise as loud as what was last heard.
fn with_losses(frames: &[u8], seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let (mut left, mut speaking) = (0, true);
    split(frames)
        .flat_map(|(length, octets)| {
            if left == 0 && dice.next().is_multiple_of(25) {
                left = 1 + dice.next() % 3;
            }
            if left > 0 {
                left -= 1;
                return vec![LOST];
            }
            if length == 0 && speaking {
                return vec![LOST];
            }
            speaking = length > 2;
            [&[length], octets].concat()
        })
        .collect()
}

/// Each class of material coded by libbcg729, changed by `change`, decoded by both: figures a class, and of all together.
fn beside_bcg729(silence: bool, change: impl Fn(&[u8], u64) -> Vec<u8>) -> Distance {
    let mut together = Distance::default();
    for round in 0..rounds() {
        for (n, material) in all(round).into_iter().enumerate() {
            let frames = change(&bcg_encode(&material.samples, silence), round * 100 + n as u64);
            let (theirs, ours) = (bcg_decode(&frames), our_decode(&frames));
            let mut distance = Distance::default();
            distance.add(&theirs, &ours);
            println!("{}", distance.line(&material.name));
            together.add(&theirs, &ours);
        }
    }
    println!("{}", together.line("together"));
    together
}

/// MEDIA-05: speech frames decode to what libbcg729 makes of them.
#[test]
fn speech_frames_sound_as_libbcg729_decodes_them() {
    let mut distance = beside_bcg729(false, |frames, _| frames.to_vec());
    assert!(distance.mean() > 40.0 && distance.quantile(0.05) > 22.0);
}

/// MEDIA-05: a lost frame is concealed as libbcg729 conceals it.
#[test]
fn lost_frames_are_concealed_as_libbcg729_conceals_them() {
    let mut distance = beside_bcg729(false, with_losses);
    assert!(distance.mean() > 38.0 && distance.quantile(0.05) > 20.0);
}

/// MEDIA-05: Annex B, descriptions of silence and frames not sent, and the ways into silence and out of it.
#[test]
fn comfort_noise_sounds_as_libbcg729_makes_it() {
    let mut distance = beside_bcg729(true, |frames, _| frames.to_vec());
    assert!(distance.mean() > 38.0 && distance.quantile(0.05) > 20.0);
    let mut lossy = beside_bcg729(true, with_losses);
    assert!(lossy.mean() > 38.0 && lossy.quantile(0.05) > 20.0);
}

/// MEDIA-05: ffmpeg's decoder, whose post-filter is the main body's and not Annex A's, makes nearly the same of the frames.
#[test]
fn speech_frames_sound_as_ffmpeg_decodes_them() {
    let mut together = Distance::default();
    for material in all(0).into_iter().filter(|material| material.name.starts_with("speech")) {
        let frames = bcg_encode(&material.samples, false);
        let theirs = ffmpeg_decode(&frames);
        let ours = our_decode(&frames);
        let length = theirs.len().min(ours.len());
        assert!(length + 800 > ours.len(), "ffmpeg decoded {} of {}", theirs.len(), ours.len());
        together.add(&theirs[..length], &ours[..length]);
    }
    println!("{}", together.line("ffmpeg"));
    assert!(together.mean() > 10.0, "{}", together.mean());
}

/// Frames nobody encoded: both decoders live through them; how near they stay is printed, not judged, as one
/// decision that falls differently moves everything after it.
#[test]
fn random_bits_decode_in_both() {
    let mut dice = Dice(11);
    let mut frames = Vec::new();
    for _ in 0..3_000 {
        frames.push(10);
        frames.extend((0..10).map(|_| dice.next() as u8));
    }
    let (theirs, ours) = (bcg_decode(&frames), our_decode(&frames));
    let mut distance = Distance::default();
    distance.add(&theirs, &ours);
    println!("{}", distance.line("random bits"));
    let level = |x: &[i16]| (x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / x.len() as f64).sqrt();
    assert!((level(&ours) / level(&theirs)).log10().abs() < 0.15, "{} {}", level(&ours), level(&theirs));
}
