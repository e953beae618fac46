use super::tones::{Plan, Tone};
use super::*;
use crate::codec::Decoder;

fn tone(rate: u32, hz: f64, seconds: f64) -> Vec<i16> {
    let len = (f64::from(rate) * seconds) as usize;
    (0..len)
        .map(|i| ((i as f64 * hz * std::f64::consts::TAU / f64::from(rate)).sin() * 8_000.0) as i16)
        .collect()
}

/// Share of the power at one frequency.
fn purity(pcm: &[i16], hz: f64) -> f64 {
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (i, s) in pcm.iter().enumerate() {
        let (s, angle) = (f64::from(*s), hz * std::f64::consts::TAU * i as f64 / 8_000.0);
        re += s * angle.cos();
        im += s * angle.sin();
        all += s * s;
    }
    2.0 * (re * re + im * im) / pcm.len() as f64 / all.max(1.0)
}

fn played(prompt: &Prompt, codec: Codec, ptime_ms: u8, times: usize) -> Vec<i16> {
    let mut decoder = Decoder::new(codec, 8_000).unwrap();
    let mut pcm = vec![];
    for _ in 0..times {
        for frame in prompt.frames(codec, ptime_ms).unwrap().iter() {
            let mut out = [0; 960];
            let n = decoder.decode(frame.payload, &mut out).unwrap();
            assert_eq!(n as u32, frame.ticks * 8_000 / codec.clock_hz());
            pcm.extend(&out[..n]);
        }
    }
    pcm
}

#[test]
fn a_sound_can_be_played_in_every_codec() {
    for rate in [8_000, 16_000, 44_100, 48_000] {
        let prompt = Prompt::from_pcm("tone", rate, &tone(rate, 1_000.0, 2.0)).unwrap();
        assert_eq!(prompt.length().as_millis(), 2_000);
        for codec in Codec::ALL.into_iter().filter(|codec| *codec != Codec::G722) {
            let pcm = played(&prompt, codec, 20, 1);
            assert_eq!(pcm.len(), 16_000);
            let pure = purity(&pcm[800..15_200], 1_000.0);
            // G.729 makes voices, not tones.
            let least = if codec == Codec::G729 { 0.95 } else { 0.97 };
            assert!(pure > least, "{codec:?} from {rate} Hz: {pure:.3}");
        }
    }
}

#[test]
fn packets_are_as_long_as_was_negotiated() {
    let prompt = Prompt::from_pcm("tone", 8_000, &tone(8_000, 440.0, 1.0)).unwrap();
    for ptime in [10, 20, 30, 40, 60] {
        let frames = prompt.frames(Codec::Pcma, ptime).unwrap();
        assert_eq!(frames.len(), 1_000usize.div_ceil(ptime.into()));
        assert_eq!(frames.get(0).unwrap().payload.len(), usize::from(ptime) * 8);
        assert_eq!(frames.iter().map(|f| f.ticks).sum::<u32>(), 8_000);
        assert_eq!(frames.get(frames.len()), None);
        let frames = prompt.frames(Codec::G729, ptime).unwrap();
        assert_eq!(frames.get(0).unwrap().payload.len(), usize::from(ptime));
        assert_eq!(frames.iter().map(|f| f.ticks).sum::<u32>(), 8_000);
    }
    let frames = prompt.frames(Codec::G729, 35).unwrap();
    assert_eq!((frames.ptime_ms(), frames.get(0).unwrap().payload.len()), (30, 30), "whole frames");
    assert_eq!(prompt.frames(Codec::Opus, 60).unwrap().ptime_ms(), 20);
    assert!(prompt.frames(Codec::Pcmu, 5).is_none());
}

/// MEDIA-11: seamless loop.
#[test]
fn a_repeated_sound_has_no_seam() {
    let prompt = Prompt::from_pcm("loop", 8_000, &tone(8_000, 400.0, 1.0)).unwrap();
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::Opus] {
        let pcm = played(&prompt, codec, 20, 3);
        // The steepest step of this sine is 2513: at a seam it may not be much steeper.
        let steepest =
            pcm[1_600..].windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap();
        assert!(steepest < 3_200, "{codec:?}: {steepest}");
        let around = purity(&pcm[7_800..8_200], 400.0);
        assert!(around > 0.97, "{codec:?}: {around:.3} around the seam");
    }
}

#[test]
fn a_sound_of_more_than_ten_minutes_is_refused_with_the_limit() {
    let error = Prompt::from_pcm("long", 8_000, &vec![0; 8_000 * 601]).unwrap_err();
    assert!(matches!(error, PromptError::TooLong { seconds: 601 }));
    assert!(error.to_string().contains("10 minutes"));
    assert!(matches!(Prompt::from_pcm("none", 8_000, &[]), Err(PromptError::Empty)));
}

/// MEDIA-11: WAV files.
#[test]
fn wav_files_are_read_and_others_are_refused() {
    let wav = |channels, rate, bits| {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = std::io::Cursor::new(vec![]);
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        for sample in tone(rate, 500.0, 1.0) {
            (0..channels).for_each(|_| writer.write_sample(if bits == 16 { sample } else { 0 }).unwrap());
        }
        writer.finalize().unwrap();
        file.into_inner()
    };
    for (channels, rate) in [(1, 8_000), (2, 8_000), (1, 16_000), (2, 48_000), (1, 44_100)] {
        let prompt = Prompt::from_wav("file", &wav(channels, rate, 16)[..]).unwrap();
        assert_eq!(prompt.length().as_millis(), 1_000);
        assert!(purity(&prompt.pcm_8k()[400..7_600], 500.0) > 0.99);
    }
    assert!(matches!(Prompt::from_wav("x", &wav(1, 8_000, 8)[..]), Err(PromptError::Layout { bits: 8, .. })));
    assert!(matches!(Prompt::from_wav("x", &b"ID3 not a wav"[..]), Err(PromptError::Wav(_))));
    let whole = wav(1, 8_000, 16);
    assert!(
        Prompt::from_wav("cut", &whole[..whole.len() / 2]).is_err(),
        "a torn file is not played as if it were whole"
    );
}

/// MEDIA-11: Opus files, as the recorder writes them and as any encoder does.
#[test]
fn opus_files_are_read_to_the_sample_and_broken_ones_are_refused() {
    let said = tone(48_000, 500.0, 1.0);
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Audio).unwrap();
    let skip = encoder.get_lookahead().unwrap() as u16;
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(skip.to_le_bytes());
    head.extend(48_000u32.to_le_bytes());
    head.extend([0, 0, 0]);
    let mut file = std::io::Cursor::new(vec![]);
    let mut writer = ogg::PacketWriter::new(&mut file);
    let page = ogg::PacketWriteEndInfo::EndPage;
    writer.write_packet(head.clone(), 7, page, 0).unwrap();
    writer.write_packet(&b"OpusTags\0\0\0\0\0\0\0\0"[..], 7, page, 0).unwrap();
    let mut padded = said.clone();
    padded.resize((said.len() + usize::from(skip)).next_multiple_of(960), 0);
    let frames = padded.len() / 960;
    for (n, frame) in padded.chunks(960).enumerate() {
        let packet = encoder.encode_vec(frame, 400).unwrap();
        let last = n + 1 == frames;
        let end =
            if last { ogg::PacketWriteEndInfo::EndStream } else { ogg::PacketWriteEndInfo::NormalPacket };
        let granule = if last { said.len() + usize::from(skip) } else { (n + 1) * 960 };
        writer.write_packet(packet, 7, end, granule as u64).unwrap();
    }
    let octets = file.into_inner();
    let prompt = Prompt::from_ogg_opus("file", std::io::Cursor::new(&octets)).unwrap();
    assert_eq!(prompt.length().as_millis(), 1_000, "neither the pre-skip nor the filling is heard");
    assert!(purity(&prompt.pcm_8k()[400..7_600], 500.0) > 0.98);
    for (broken, why) in [
        (octets[..octets.len() / 2].to_vec(), "torn"),
        (b"RIFF no ogg".to_vec(), "something else"),
        (vec![], "empty"),
    ] {
        let read = Prompt::from_ogg_opus("file", std::io::Cursor::new(broken));
        assert!(matches!(read, Err(PromptError::Opus(_))), "{why}: {read:?}");
    }
    // Many channels, each with a place in a room, are no telephone sound.
    let mut wide = head;
    (wide[9], wide[18]) = (6, 1);
    let mut file = std::io::Cursor::new(vec![]);
    ogg::PacketWriter::new(&mut file).write_packet(wide, 7, page, 0).unwrap();
    file.set_position(0);
    assert!(matches!(Prompt::from_ogg_opus("x", file), Err(PromptError::Layout { channels: 6, .. })));
}

/// MEDIA-11: tones by country, for at least forty of them; each tone in each country is audible and repeats in whole packets.
#[test]
fn tones_by_country_have_their_cadence() {
    let of = |code| Plan::of_country(code).unwrap();
    let busy = of("FR").tone(Tone::Busy).unwrap();
    assert_eq!(busy.length().as_millis(), 1_000);
    assert!(purity(&busy.pcm_8k()[..4_000], 440.0) > 0.98);
    assert!(busy.pcm_8k()[4_000..].iter().all(|s| *s == 0));
    assert_eq!(of("DE").tone(Tone::Ringback).unwrap().length().as_secs(), 5);
    let uk = of("gb").tone(Tone::Busy).unwrap();
    assert_eq!(
        uk.length().as_millis(),
        1_500,
        "two cadences of 750 ms, because one is no whole number of packets"
    );
    let us = of("US").tone(Tone::Ringback).unwrap();
    let (low, high) = (purity(&us.pcm_8k()[..16_000], 440.0), purity(&us.pcm_8k()[..16_000], 480.0));
    assert!(low > 0.45 && high > 0.45, "{low} {high}");
    // Japan rings at 400 Hz that tremble: most of the power is there, the rest in both bands beside it.
    let japan = of("JP").tone(Tone::Ringback).unwrap();
    let at = |hz| purity(&japan.pcm_8k()[..8_000], hz);
    assert!(at(400.0) > 0.6 && at(385.0) > 0.08 && at(415.0) > 0.08, "{} {}", at(400.0), at(385.0));
    let information = of("PL").tone(Tone::SpecialInformation).unwrap();
    for (n, hz) in [950.0, 1_400.0, 1_800.0].into_iter().enumerate() {
        assert!(purity(&information.pcm_8k()[n * 2_640..][..2_640], hz) > 0.97, "note {n}");
    }
    let codes: Vec<&str> = Plan::countries().collect();
    assert!(codes.len() >= 40 && codes.is_sorted(), "{codes:?}");
    for code in &codes {
        for tone in Tone::ALL {
            let samples = of(code).tone(tone).unwrap();
            assert!(samples.pcm_8k().len().is_multiple_of(160));
            assert!(samples.pcm_8k().iter().any(|s| *s != 0), "{code} {tone:?} is audible");
            assert!(samples.length().as_secs() <= 62, "{code} {tone:?} lasts {:?}", samples.length());
        }
        // A tone without end repeats without a step: the steepest is where its waves are.
        let dial = of(code).tone(Tone::Dial).unwrap();
        let (first, last) = (dial.pcm_8k()[0], dial.pcm_8k()[dial.pcm_8k().len() - 1]);
        assert!(first.abs_diff(last) < 4_200, "{code}: from {last} to {first}");
    }
    assert_eq!(Plan::of_country("XX"), None);
    assert_eq!(Plan::default().country(), "DE");
}

/// VOICE-11: the agent hears a two-tone prompt.
#[test]
fn the_two_tone_prompt_rises() {
    let prompt = Plan::default().tone(Tone::TwoTone).unwrap();
    assert!(purity(&prompt.pcm_8k()[..1_280], 660.0) > 0.95);
    assert!(purity(&prompt.pcm_8k()[1_440..3_200], 880.0) > 0.95);
}

#[test]
fn comfort_noise_is_quiet() {
    let noise = Plan::default().tone(Tone::ComfortNoise).unwrap();
    let power: f64 =
        noise.pcm_8k().iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / noise.pcm_8k().len() as f64;
    // A sine at full scale has a root mean square of 23170 (G.711).
    let dbm0 = 10.0 * power.log10() - 20.0 * 23_170f64.log10() + FULL_SCALE_DBM0;
    assert!((-66.0..-58.0).contains(&dbm0), "{dbm0:.1} dBm0");
}

#[test]
fn the_hold_music_is_soft_and_loops() {
    let prompt = music::hold_music().unwrap();
    assert_eq!(prompt.length().as_secs(), 12);
    let pcm = prompt.pcm_8k();
    let loudest = pcm.iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!((8_000..13_000).contains(&loudest), "{loudest}");
    // No hole and no click: every tenth of a second is audible, and the seam is no steeper than the rest.
    assert!(pcm.chunks(800).all(|part| part.iter().any(|s| s.abs() > 500)));
    let steepest = pcm.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap();
    assert!((i32::from(pcm[0]) - i32::from(pcm[pcm.len() - 1])).abs() <= steepest);
}

/// Level of a sine at full scale in A-law (G.711 §4).
#[expect(clippy::approx_constant, reason = "a level, not a circle")]
const FULL_SCALE_DBM0: f64 = 3.14;
