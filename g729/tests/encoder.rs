//! Our encoder beside libbcg729's, both through the same outside decoders in processes of their own.
//!
//! `G729_ROUNDS` makes as many rounds of other material, about a minute and a half of sound each (default 1; `make g729-long`: an
//! hour).

mod outside;

use std::collections::BTreeMap;

use g729::bits::Speech;
use g729::{Encoder, SAMPLES};
use outside::material::all;
use outside::measure::{bark_distances, segmental_snrs};
use outside::{bcg_decode, bcg_encode, ffmpeg_decode, our_decode, split};

/// How far our encoder may come out worse than libbcg729's, dB: by signal-to-noise ratio and by Bark distance. Of one round
/// the classes are short, and chance decides a tenth; over an hour none may come out worse by more than a twentieth.
fn margins(rounds: u64) -> [f64; 2] {
    if rounds < 6 { [0.15, 0.2] } else { [0.05, 0.05] }
}

fn rounds() -> u64 {
    std::env::var("G729_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Our frames, each after its length.
fn our_encode(speech: &[i16], silence: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(silence);
    let mut out = Vec::new();
    for frame in speech.as_chunks::<SAMPLES>().0 {
        let mut octets = [0; 10];
        let length = encoder.encode(frame, &mut octets);
        out.push(length as u8);
        out.extend(&octets[..length]);
    }
    out
}

/// The look-ahead of the encoder: what comes out is this much later.
const DELAY: usize = 40;

/// Sums over a class of material.
#[derive(Default)]
struct Score {
    snr: Vec<f64>,
    bark: Vec<f64>,
}

impl Score {
    fn add(&mut self, said: &[i16], heard: &[i16]) {
        let length = heard.len() - DELAY;
        self.snr.extend(segmental_snrs(&said[..length], &heard[DELAY..]));
        self.bark.extend(bark_distances(&said[..length], &heard[DELAY..]));
    }

    fn means(&self) -> [f64; 2] {
        [&self.snr, &self.bark].map(|all| all.iter().sum::<f64>() / all.len().max(1) as f64)
    }
}

/// Frames, frames alike, and parameters alike of the fifteen.
#[derive(Default)]
struct Alike {
    frames: usize,
    whole: usize,
    parameters: [usize; 15],
}

impl Alike {
    fn add(&mut self, ours: &[u8], theirs: &[u8]) {
        for ((_, a), (_, b)) in split(ours).zip(split(theirs)) {
            let (Ok(a), Ok(b)) = (<&[u8; 10]>::try_from(a), <&[u8; 10]>::try_from(b)) else { continue };
            self.frames += 1;
            self.whole += usize::from(a == b);
            let (a, b) = (list(a), list(b));
            (0..15).for_each(|i| self.parameters[i] += usize::from(a[i] == b[i]));
        }
    }
}

fn list(octets: &[u8; 10]) -> [u16; 15] {
    let s = Speech::from_octets(octets);
    let [l1, l2, l3] = s.spectrum.map(u16::from);
    let half = |i: usize| [s.pulses[i], s.signs[i].into(), s.gain_a[i].into(), s.gain_b[i].into()];
    let ([c1, s1, a1, b1], [c2, s2, a2, b2]) = (half(0), half(1));
    let [p1, p2] = s.delay.map(u16::from);
    [s.predictor.into(), l1, l2, l3, p1, s.parity.into(), c1, s1, a1, b1, p2, c2, s2, a2, b2]
}

/// Classes of material: all speech is one.
fn class(name: &str) -> &str {
    if name.starts_with("speech ") && name != "speech in noise" { "speech" } else { name }
}

#[test]
fn what_we_encode_sounds_in_other_decoders_as_well_as_what_libbcg729_encodes() {
    let rounds = rounds();
    let mut scores: BTreeMap<String, [[Score; 2]; 2]> = BTreeMap::new();
    let mut alike: BTreeMap<String, Alike> = BTreeMap::new();
    for material in (0..rounds).flat_map(all) {
        let whole = material.samples.len() / SAMPLES * SAMPLES;
        let said = &material.samples[..whole];
        let streams = [our_encode(said, false), bcg_encode(said, false)];
        let name = class(&material.name).to_owned();
        alike.entry(name.clone()).or_default().add(&streams[0], &streams[1]);
        let score = scores.entry(name).or_default();
        for (stream, score) in streams.iter().zip(score) {
            score[0].add(said, &bcg_decode(stream));
            score[1].add(said, &ffmpeg_decode(stream));
        }
    }
    println!(
        "segmental SNR and Bark distance, dB: ours / libbcg729's, by decoder; frames and parameters alike, %"
    );
    let [snr_margin, bark_margin] = margins(rounds);
    let mut worse = Vec::new();
    for (name, [ours, theirs]) in &scores {
        let mut line = format!("{name:<16}");
        for (decoder, (a, b)) in ["libbcg729", "ffmpeg"].iter().zip(ours.iter().zip(theirs)) {
            let ([snr, bark], [their_snr, their_bark]) = (a.means(), b.means());
            line += &format!(" {decoder}: {snr:.3} / {their_snr:.3}, {bark:.3} / {their_bark:.3};");
            if snr < their_snr - snr_margin || bark > their_bark + bark_margin {
                worse.push(format!(
                    "{name} in {decoder}: {snr:.3} for {their_snr:.3}, {bark:.3} for {their_bark:.3}"
                ));
            }
        }
        let same = &alike[name];
        let percent = |n: usize| 100.0 * n as f64 / same.frames.max(1) as f64;
        let each = same.parameters.map(|n| format!("{:.0}", percent(n))).join(" ");
        println!("{line} {} frames, {:.1} alike; {each}", same.frames, percent(same.whole));
    }
    assert!(
        worse.is_empty(),
        "worse than libbcg729 by more than {snr_margin} and {bark_margin} dB: {worse:#?}"
    );
}

#[test]
fn our_own_decoder_hears_in_our_frames_what_libbcg729s_does() {
    for material in all(0).into_iter().filter(|material| material.name.starts_with("speech")) {
        let whole = material.samples.len() / SAMPLES * SAMPLES;
        let said = &material.samples[..whole];
        let stream = our_encode(said, false);
        let [ours, theirs] = [our_decode(&stream), bcg_decode(&stream)].map(|heard| {
            let mut score = Score::default();
            score.add(said, &heard);
            score.means()
        });
        assert!((ours[0] - theirs[0]).abs() < 0.2, "{}: {ours:?} for {theirs:?}", material.name);
    }
}

#[test]
fn silence_is_described_seldom_and_comes_out_as_loud_as_it_was() {
    // Speech, then four seconds of a room, twice.
    let mut said = Vec::new();
    let mut dice = outside::material::Dice(9);
    for voice in all(0).into_iter().take(2) {
        said.extend(voice.samples.iter().map(|x| x / 2));
        said.extend((0..4 * 8000).map(|_| (60.0 * dice.wave()) as i16));
    }
    said.truncate(said.len() / SAMPLES * SAMPLES);
    let stream = our_encode(&said, true);
    let lengths: Vec<u8> = split(&stream).map(|(length, _)| length).collect();
    let theirs: Vec<u8> = split(&bcg_encode(&said, true)).map(|(length, _)| length).collect();
    let count = |lengths: &[u8], length: u8| lengths.iter().filter(|l| **l == length).count();
    let same = lengths.iter().zip(&theirs).filter(|(a, b)| (**a == 10) == (**b == 10)).count();
    println!(
        "{} frames: speech {} (libbcg729 {}), descriptions {} ({}), the same verdict in {same}",
        lengths.len(),
        count(&lengths, 10),
        count(&theirs, 10),
        count(&lengths, 2),
        count(&theirs, 2)
    );
    assert_eq!(lengths.len(), said.len() / SAMPLES);
    for (at, pair) in lengths.windows(2).enumerate() {
        assert!(pair != [10, 0], "frame {at}: a silence begins with its description");
    }
    let descriptions: Vec<usize> = (0..lengths.len()).filter(|i| lengths[*i] == 2).collect();
    for pair in descriptions.windows(2) {
        let between = &lengths[pair[0] + 1..pair[1]];
        assert!(between.len() >= 2 || between.contains(&10), "two descriptions too near: {pair:?}");
    }
    // The last two seconds are room alone.
    let room = lengths.len() - 200;
    assert!(count(&lengths[room..], 10) < 20, "{:?}", &lengths[room..]);
    let level = |samples: &[i16]| {
        10.0 * (samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len() as f64).log10()
    };
    let was = level(&said[room * SAMPLES..]);
    for heard in [bcg_decode(&stream), our_decode(&stream)] {
        let is = level(&heard[room * SAMPLES..]);
        assert!((is - was).abs() < 3.0, "{is:.1} dB for {was:.1} dB");
    }
}
