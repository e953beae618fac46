//! What people get: two channels, in three formats, with a waveform.

use std::process::Command;

use super::*;
use crate::control::PauseReason;
use crate::record::{Finished, Formats, Span, find_unfinished, finish};

const WAV: Formats = Formats { wav: true, opus: false, mp3: false };

fn finished(written: &Written, formats: Formats) -> Finished {
    finish(&written.path(), &written.folder.path().join("out"), formats).unwrap()
}

fn file(finished: &Finished, extension: &str) -> PathBuf {
    let is = |path: &PathBuf| path.to_string_lossy().ends_with(extension);
    finished.files.iter().map(|f| f.path.clone()).find(is).unwrap()
}

/// Both talk for a while.
fn talk(written: &mut Written, left: &mut Talker, right: &mut Talker, from_ms: u64, to_ms: u64) {
    for ms in (from_ms..to_ms).step_by(20) {
        let at_us = BEGAN_US + ms * 1_000;
        written.add(Entry::Payload(left.say(at_us)));
        written.add(Entry::Payload(right.say(at_us + 7_000)));
    }
}

/// RECO-01: customer left, our side right, continuous through hold and transfer.
#[test]
fn the_customer_is_left_and_we_are_right_through_hold_and_transfer() {
    let mut written = Written::new();
    let mut customer = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut first = Talker::new(Channel::Right, Codec::Pcma, 700.0);
    written.add(Entry::Tap { channel: Channel::Left, leg: Some(leg(1)), at_us: BEGAN_US });
    written.add(Entry::Tap { channel: Channel::Right, leg: Some(leg(2)), at_us: BEGAN_US });
    talk(&mut written, &mut customer, &mut first, 0, 2_000);
    // Hold: nobody on our side, the customer goes on.
    written.add(Entry::Tap { channel: Channel::Right, leg: None, at_us: BEGAN_US + 2_000_000 });
    for ms in (2_000..3_000).step_by(20) {
        written.add(Entry::Payload(customer.say(BEGAN_US + ms * 1_000)));
    }
    // Transfer: another agent, another codec, other numbers.
    let mut second = Talker::new(Channel::Right, Codec::Pcmu, 1_100.0);
    (second.epoch, second.seq, second.timestamp) = (1, 9, 1_234);
    written.add(Entry::Tap { channel: Channel::Right, leg: Some(leg(3)), at_us: BEGAN_US + 3_000_000 });
    talk(&mut written, &mut customer, &mut second, 3_000, 5_000);
    written.end(5_000_000);

    let finished = finished(&written, WAV);
    assert!(finished.complete, "{finished:?}");
    assert_eq!((finished.length_ms, finished.rate_hz), (5_000, 8_000));
    let (rate, left, right) = wav(&file(&finished, ".wav"));
    assert_eq!((rate, left.len(), right.len()), (8_000, 40_000, 40_000));
    assert!(purity(part(&left, rate, 50, 4_950), 400.0, rate) > 0.99, "the customer without a break");
    assert!(purity(part(&right, rate, 50, 1_950), 700.0, rate) > 0.99);
    assert!(is_silent(part(&right, rate, 2_010, 3_000)), "on hold");
    assert!(purity(part(&right, rate, 3_050, 4_950), 1_100.0, rate) > 0.99);
    assert_eq!(
        finished.taken.iter().map(|t| t.leg).collect::<Vec<_>>(),
        [Some(leg(1)), Some(leg(2)), None, Some(leg(3))]
    );
    assert_eq!((finished.left.expected_ms, finished.right.expected_ms), (5_000, 4_000));
    assert_eq!((finished.left.captured, finished.left.expected), (250, 250));
    assert_eq!((finished.right.captured_ms, finished.right.captured), (4_000, 200));
}

/// RECO-02: from payloads with arrival times to Opus, WAV and MP3 with peaks, after the call.
#[test]
fn a_container_becomes_opus_wav_and_mp3_with_peaks() {
    let mut written = Written::new();
    let mut browser = Talker::new(Channel::Right, Codec::Opus, 900.0);
    let mut trunk = Talker::new(Channel::Left, Codec::Pcma, 500.0);
    talk(&mut written, &mut trunk, &mut browser, 0, 6_000);
    written.end(6_000_000);
    let finished = finished(&written, Formats { wav: true, opus: true, mp3: true });
    assert!(finished.complete);
    assert_eq!(finished.rate_hz, 16_000, "Opus carries more than a telephone band");

    let (rate, left, right) = wav(&file(&finished, ".wav"));
    assert_eq!(left.len(), 96_000);
    let both = |left: &[i16], right: &[i16], rate, least: f64| {
        let (l, r) = (
            purity(part(left, rate, 200, 5_800), 500.0, rate),
            purity(part(right, rate, 200, 5_800), 900.0, rate),
        );
        assert!(l > least && r > least, "{l:.3} {r:.3}");
        let (wrong_l, wrong_r) = (purity(left, 900.0, rate), purity(right, 500.0, rate));
        assert!(wrong_l < 0.001 && wrong_r < 0.001, "no voice leaks: {wrong_l:.5} {wrong_r:.5}");
    };
    both(&left, &right, rate, 0.97);

    let (left, right) = decode_opus(&file(&finished, ".opus"));
    assert_eq!(left.len(), 6 * 48_000, "the length is exact, to the sample");
    both(&left, &right, 48_000, 0.97);

    let back = written.folder.path().join("back.wav");
    let decoded =
        Command::new("lame").args(["--quiet", "--decode"]).args([&file(&finished, ".mp3"), &back]).status();
    assert!(decoded.unwrap().success());
    let (rate, left, right) = wav(&back);
    assert!((left.len() as f64 / f64::from(rate) - 6.0).abs() < 0.2, "{} samples at {rate}", left.len());
    both(&left, &right, rate, 0.97);

    let peaks: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file(&finished, ".peaks.json")).unwrap()).unwrap();
    assert_eq!((&peaks["length_ms"], peaks["left"].as_array().unwrap().len()), (&6_000.into(), 300));
    let loud = peaks["right"][150].as_u64().unwrap();
    assert!((60..85).contains(&loud), "9000 of 32768 is 70 of 255: {loud}");
}

/// Samples of a two-channel Ogg Opus file as a player gives them (RFC 7845): at 48 kHz, without what is to be skipped.
fn decode_opus(path: &Path) -> (Vec<i16>, Vec<i16>) {
    let mut reader = ogg::PacketReader::new(std::fs::File::open(path).unwrap());
    let head = reader.read_packet_expected().unwrap().data;
    assert_eq!((&head[..8], head[8], head[9], head.len()), (&b"OpusHead"[..], 1, 2, 19));
    let pre_skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
    assert_eq!(&reader.read_packet_expected().unwrap().data[..8], b"OpusTags");
    let mut decoder = opus::Decoder::new(48_000, opus::Channels::Stereo).unwrap();
    let (mut samples, mut end) = (vec![], 0);
    while let Some(packet) = reader.read_packet().unwrap() {
        let mut pcm = vec![0; 5_760 * 2];
        let n = decoder.decode(&packet.data, &mut pcm, false).unwrap();
        samples.extend_from_slice(&pcm[..n * 2]);
        end = packet.absgp_page() as usize;
    }
    samples.truncate(end * 2);
    samples.drain(..pre_skip * 2);
    samples.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip()
}

/// RECO-04: a pause is marked, and what was said in it is nowhere.
#[test]
fn a_pause_is_marked_and_empty() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut right = Talker::new(Channel::Right, Codec::Pcma, 700.0);
    written.add(Entry::Tap { channel: Channel::Left, leg: Some(leg(1)), at_us: BEGAN_US });
    talk(&mut written, &mut left, &mut right, 0, 1_000);
    written.add(Entry::Pause { at_us: BEGAN_US + 1_000_000, why: PauseReason::CardData });
    talk(&mut written, &mut left, &mut right, 1_000, 2_000);
    written.add(Entry::Resume { at_us: BEGAN_US + 2_000_000 });
    talk(&mut written, &mut left, &mut right, 2_000, 3_000);
    written.end(3_000_000);
    let finished = finished(&written, WAV);
    assert_eq!(finished.pauses, [Span { from_ms: 1_000, to_ms: 2_000 }]);
    assert_eq!((finished.length_ms, finished.left.expected_ms), (3_000, 2_000));
    let (rate, left, right) = wav(&file(&finished, ".wav"));
    assert!(is_silent(part(&left, rate, 1_000, 2_000)) && is_silent(part(&right, rate, 1_010, 2_000)));
    assert!(purity(part(&left, rate, 2_050, 2_950), 400.0, rate) > 0.99);
}

#[test]
fn outputs_appear_whole_and_the_container_is_renamed_last() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    (0..50).for_each(|n| written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000))));
    written.end(1_000_000);
    let folder = written.folder.path();
    assert_eq!(find_unfinished(folder).unwrap(), [written.path()]);
    // A folder where an output should be: the recording must stay unfinished, and nothing half-made may lie around.
    std::fs::create_dir_all(folder.join("out/call.wav/x")).unwrap();
    assert!(finish(&written.path(), &folder.join("out"), WAV).is_err());
    assert_eq!(find_unfinished(folder).unwrap(), [written.path()]);
    std::fs::remove_dir_all(folder.join("out/call.wav")).unwrap();
    let finished = finished(&written, WAV);
    assert!(find_unfinished(folder).unwrap().is_empty());
    assert!(finished.container.exists() && !written.path().exists());
    let mut names: Vec<_> =
        std::fs::read_dir(folder.join("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["call.peaks.json", "call.wav"]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Whatever the packets were, finishing gives a file of the recording's length.
    #[test]
    fn no_packets_make_finishing_fail(
        packets in proptest::collection::vec(
            (0u64..9_000_000, 0usize..4, 0u16..3, 0u16.., 0u32.., proptest::collection::vec(0u8.., 0..400), proptest::bool::ANY),
            0..60,
        ),
    ) {
        let mut written = Written::new();
        for (after_us, codec, epoch, seq, timestamp, octets, right) in &packets {
            let channel = if *right { Channel::Right } else { Channel::Left };
            let codec = [Codec::Pcmu, Codec::Pcma, Codec::Opus, Codec::G729][*codec];
            let (epoch, seq, timestamp, at_us) = (*epoch, *seq, *timestamp, BEGAN_US + after_us);
            written.add(Entry::Payload(Payload { channel, codec, epoch, seq, timestamp, at_us, octets }));
        }
        written.end(10_000_000);
        let finished = finished(&written, Formats { wav: true, opus: true, mp3: false });
        let (rate, left, _) = wav(&file(&finished, ".wav"));
        proptest::prop_assert_eq!(left.len(), 10 * rate as usize);
        proptest::prop_assert_eq!(finished.frames, packets.len() as u64);
    }
}
