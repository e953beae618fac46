//! What runs for every frame of a voice takes no memory: playout, mixing, G.722, comfort noise, in-band digits.

mod counting;

use counting::allocations;
use media::codec::comfort::{NoiseMaker, NoiseMeter};
use media::codec::g722::{G722Decoder, G722Encoder};
use media::codec::g729::{G729Decoder, G729Encoder};
use media::dtmf::inband::{Detector, Tones};
use media::jitter::{Kind, Meta, Player};
use media::mix::{Mixer, Role};
use model::media::Codec;

#[test]
fn playing_a_frame_takes_no_memory() {
    let mut player = Player::new(Codec::Pcmu, 8_000).unwrap();
    let payload: Vec<u8> = (0..160).map(|i| 0x80 | (i % 40) as u8).collect();
    let mut out = [0; 160];
    let taken = allocations(|| {
        let mut late_us = 0;
        for n in 0..4_000u32 {
            let meta = Meta {
                ssrc: 1 + n / 1_500,
                seq: n as u16,
                timestamp: n * 160,
                kind: Kind::Audio,
                held_us: 0,
            };
            let now_us = u64::from(n) * 20_000;
            // Losses and delays that come and go: concealing, shortening and lengthening take no memory either.
            late_us = if n % 400 < 200 { 0 } else { 90_000.max(late_us) };
            if n % 13 != 5 {
                player.put(meta, &payload, now_us + late_us);
            }
            player.take(now_us + late_us, &mut out);
        }
    });
    assert_eq!(taken, 0);
    let counts = player.counts();
    assert!(counts.concealed_ticks > 0 && counts.accelerated + counts.expanded > 0, "{counts:?}");
}

/// MEDIA-10: a frame of 64 parties takes no memory, whatever they do.
#[test]
fn mixing_a_frame_takes_no_memory() {
    for rate in [8_000, 48_000] {
        let mut mixer = Mixer::new(rate, 64, 8).unwrap();
        let said = vec![1_000; mixer.frame()];
        let mut out = vec![0; mixer.frame()];
        let mut seats = [None; 64];
        let mut heard = 0u64;
        let taken = allocations(|| {
            for n in 0..100usize {
                let place = &mut seats[n * 7 % 64];
                match place.take() {
                    Some(seat) => _ = mixer.leave(seat),
                    None => *place = mixer.join(Role::Member).ok(),
                }
                for seat in seats.iter().flatten() {
                    mixer.put(*seat, &said);
                }
                mixer.mix();
                for seat in seats.iter().flatten() {
                    heard += u64::from(mixer.read(*seat, &mut out));
                }
            }
        });
        assert_eq!(taken, 0);
        assert!(heard > 1_000, "{heard}");
    }
}

#[test]
fn coding_and_listening_take_no_memory() {
    let (mut encoder, mut decoder) = (G722Encoder::default(), G722Decoder::default());
    let (mut meter, mut maker, mut detector) = (NoiseMeter::new(10), NoiseMaker::new(7), Detector::default());
    // The detector's tables are made once, by whoever listens first.
    detector.feed(&[0; 160], &mut |_| {});
    let (mut octets, mut wide, mut samples, mut payload) = ([0; 160], [0; 320], [0; 160], [0; 11]);
    let (mut found, mut g729, mut frame) = (0, G729Encoder::new(true), [0; 10]);
    let mut back = G729Decoder::default();
    let taken = allocations(|| {
        for n in 0..200 {
            if let Some(mut tones) = Tones::new('5', std::time::Duration::from_millis(80), 8_000)
                && n % 10 == 0
            {
                for _ in 0..4 {
                    tones.fill(&mut samples);
                    detector.feed(&samples, &mut |_| found += 1);
                }
            }
            encoder.encode(&wide, &mut octets);
            decoder.decode(&octets, &mut wide);
            let len = g729.encode(&samples[..80], &mut frame).unwrap_or(0);
            back.decode(&frame[..len], &mut samples);
            back.conceal(&mut samples[..30]);
            meter.listen(&samples);
            meter.payload(&mut payload);
            maker.wish(&payload);
            maker.fill(&mut samples);
            detector.feed(&samples, &mut |_| found += 1);
        }
    });
    assert_eq!(taken, 0);
    assert!(found >= 38, "{found}");
}
