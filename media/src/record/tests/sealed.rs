//! Encryption at rest, and what is gone for ever.

use std::sync::mpsc::channel;

use super::*;
use crate::record::keys::{KeyError, Vault};
use crate::record::{
    Config, Erasing, FinishError, Finished, Formats, MadeAudio, ReadError, Reader, Recorder, Report,
    erase_all, erase_range, find_unfinished, finish_with, verify,
};
use model::id::UserId;
use model::recording::Completeness;

const ALL: Formats = Formats { wav: true, opus: true, mp3: true };

struct Office {
    folder: tempfile::TempDir,
    vault: Vault,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::create(&folder.path().join("recordings.key")).unwrap();
        Self { folder, vault }
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.path().join(format!("call.{extension}"))
    }

    /// Records two voices for as long, through tap and writer.
    fn record(&self, packets: u64) -> PathBuf {
        let (sender, reports) = channel();
        let report = move |report| drop(sender.send(report));
        let recorder = Recorder::start_with(Config::default(), Some(self.vault.clone()), report).unwrap();
        let mut tap = recorder.tap().unwrap();
        let path = self.file("pbr");
        let handle = recorder.open(&path, head()).unwrap();
        let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
        let mut right = Talker::new(Channel::Right, Codec::Pcma, 700.0);
        for n in 0..packets {
            let at_us = BEGAN_US + n * 20_000;
            assert!(tap.payload(handle, &left.say(at_us)) && tap.payload(handle, &right.say(at_us)));
            if n % 25 == 24 {
                // Several blocks.
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        }
        tap.stop(handle, BEGAN_US + packets * 20_000).unwrap();
        let closed = reports.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        assert!(matches!(closed, Report::Closed { missing: 0, .. }), "{closed:?}");
        path
    }

    fn finish(&self, container: &Path, formats: Formats) -> Finished {
        let keys = self.vault.of(container).unwrap();
        finish_with(container, self.folder.path(), formats, &keys).unwrap()
    }

    fn read(&self, extension: &str) -> Vec<u8> {
        let file = self.file(extension);
        let keys = self.vault.of(&self.file("pbr")).unwrap();
        let made = MadeAudio::open(&file, &keys).unwrap();
        let mut octets = Vec::new();
        while (octets.len() as u64) < made.len() {
            octets.extend(made.read_at(octets.len() as u64, 1 << 20).unwrap());
        }
        octets
    }
}

fn holds(octets: &[u8], what: &[u8]) -> bool {
    octets.windows(what.len()).any(|window| window == what)
}

/// RECO-05: encrypted at rest with a key per recording: no word of it is on the disk in the clear, neither in the container nor in
/// what is made of it, and with the key everything is as it was.
#[test]
fn nothing_of_a_recording_is_on_the_disk_in_the_clear() {
    let office = Office::new();
    let path = office.record(150);
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let word = left.say(BEGAN_US).octets.to_vec();
    assert!(!holds(&std::fs::read(&path).unwrap(), &word[..32]));
    assert!(matches!(verify(&path, &[]), Err(FinishError::Read { source: ReadError::NoKey, .. })));
    let other = Office::new();
    other.record(1);
    let wrong = other.vault.of(&other.file("pbr")).unwrap();
    assert!(matches!(verify(&path, &wrong), Err(FinishError::Read { source: ReadError::NoKey, .. })));

    let finished = office.finish(&path, ALL);
    assert_eq!(finished.verdict, Completeness::Complete, "{finished:?}");
    assert_eq!((finished.left.captured, finished.right.captured), (150, 150));
    for (extension, clear) in
        [("wav", &b"RIFF"[..]), ("opus", b"OggS"), ("mp3", &[0xFF, 0xE3]), ("peaks.json", b"{\"")]
    {
        let on_disk = std::fs::read(office.file(extension)).unwrap();
        assert_eq!(&on_disk[..4], b"PBX\x01", "{extension}");
        assert!(!holds(&on_disk, b"RIFF") && !holds(&on_disk, b"OpusHead") && !holds(&on_disk, b"length_ms"));
        let read = office.read(extension);
        assert!(read.starts_with(clear), "{extension} begins with {:?}", &read[..4]);
    }
    let clear = office.folder.path().join("clear.wav");
    std::fs::write(&clear, office.read("wav")).unwrap();
    let (rate, left, right) = wav(&clear);
    assert!(purity(part(&left, rate, 50, 2_950), 400.0, rate) > 0.99);
    assert!(purity(part(&right, rate, 50, 2_950), 700.0, rate) > 0.99);
}

/// RECO-06: any range can be read without the rest, and is what the whole has there.
#[test]
fn any_range_of_an_encrypted_file_reads_as_the_whole_does() {
    let office = Office::new();
    let path = office.record(500);
    office.finish(&path, Formats { wav: true, opus: false, mp3: false });
    let whole = office.read("wav");
    assert_eq!(whole.len(), 44 + 10 * 8_000 * 4);
    let file = office.file("wav");
    let made = MadeAudio::open(&file, &office.vault.of(&file).unwrap()).unwrap();
    assert_eq!(made.len(), whole.len() as u64);
    for from in [0, 1, 43, 65_535, 65_536, 65_537, 131_072, 200_000, whole.len() - 1] {
        let piece = made.read_at(from as u64, 1_000).unwrap();
        assert!(!piece.is_empty() && whole[from..].starts_with(&piece), "at {from}");
    }
    assert!(made.read_at(whole.len() as u64, 10).unwrap().is_empty());
    // Cut off at a chunk, or changed: it does not pass for whole.
    let octets = std::fs::read(&file).unwrap();
    let keys = office.vault.of(&file).unwrap();
    let cut = office.folder.path().join("cut.wav");
    std::fs::write(&cut, &octets[..32 + 2 * (65_536 + 16)]).unwrap();
    assert!(MadeAudio::open(&cut, &keys).is_err());
    let mut changed = octets;
    changed[70_000] ^= 1;
    std::fs::write(&cut, &changed).unwrap();
    let made = MadeAudio::open(&cut, &keys).unwrap();
    assert!(made.read_at(0, 10).is_ok() && made.read_at(66_000, 10).is_err());
}

/// RECO-04: the hash chain runs over what is on the disk: whoever has no key can check it, and whoever changes an octet is seen.
#[test]
fn the_chain_over_encrypted_blocks_shows_every_change() {
    let office = Office::new();
    let path = office.record(100);
    let octets = std::fs::read(&path).unwrap();
    let tail = |octets: &[u8]| {
        let mut reader = Reader::open(octets, None).unwrap();
        assert_eq!(reader.next_entry().unwrap(), None, "no key, no records");
        reader.tail()
    };
    let whole = tail(&octets);
    assert!(whole.good_seals >= 4 && whole.broken_seals == 0 && whole.torn_octets == 0, "{whole:?}");
    let keys = office.vault.of(&path).unwrap();
    assert_eq!(
        verify(&path, &keys).unwrap().seal,
        whole.link.iter().map(|o| format!("{o:02x}")).collect::<String>()
    );
    for at in [60, 200, octets.len() / 2, octets.len() - 3] {
        let mut changed = octets.clone();
        changed[at] ^= 0x10;
        let found = tail(&changed);
        assert!(
            found.broken_seals + found.damaged_octets + found.torn_octets > 0 && found != whole,
            "octet {at}: {found:?}"
        );
        std::fs::write(&path, &changed).unwrap();
        assert_eq!(verify(&path, &keys).unwrap().verdict, Completeness::Incomplete, "octet {at}");
    }
    // A block cut off in the middle is torn, and all before it is there.
    std::fs::write(&path, &octets[..octets.len() - 40]).unwrap();
    let torn = verify(&path, &keys).unwrap();
    assert!(torn.torn_octets > 0 && torn.broken_seals == 0 && torn.damaged_octets == 0, "{torn:?}");
}

/// RECO-05: erasing one recording is final: with its key everything is gone, copies too.
#[test]
fn an_erased_recording_is_gone_wherever_copies_are() {
    let office = Office::new();
    let path = office.record(50);
    office.finish(&path, ALL);
    let done = office.file("pbr-done");
    let copies = tempfile::tempdir().unwrap();
    for extension in ["pbr-done", "wav", "opus", "mp3", "peaks.json"] {
        std::fs::copy(office.file(extension), copies.path().join(format!("call.{extension}"))).unwrap();
    }
    erase_all(&done, Some(&office.vault)).unwrap();
    let left: Vec<_> =
        std::fs::read_dir(office.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["recordings.key"]);
    let copy = copies.path().join("call.pbr-done");
    assert!(matches!(office.vault.of(&done), Err(KeyError::Gone(_))));
    assert!(matches!(office.vault.of(&copy), Err(KeyError::Gone(_))));
    assert!(verify(&copy, &[]).is_err());
    assert!(MadeAudio::open(&copies.path().join("call.wav"), &[]).is_err());
    erase_all(&done, Some(&office.vault)).expect("what is gone already is no error");
}

/// RECO-05: erasing a time range is final: the hole is marked with who and when, and the key of what was there is destroyed.
#[test]
fn an_erased_range_is_a_marked_hole_and_the_old_key_is_gone() {
    let office = Office::new();
    let path = office.record(250);
    office.finish(&path, ALL);
    let done = office.file("pbr-done");
    let old_container = std::fs::read(&done).unwrap();
    let old_wav = std::fs::read(office.file("wav")).unwrap();
    let what = Erasing { from_ms: 1_000, to_ms: 2_000, wall_us: 77, by: Some(UserId::from_number(4)) };
    let left = erase_range(&done, Some(&office.vault), what, ALL).unwrap();
    assert_eq!(left.verdict, Completeness::CompleteExceptPauses, "{left:?}");
    let [hole] = left.erased[..] else { panic!("one hole: {left:?}") };
    assert_eq!((hole.from_ms, hole.to_ms, hole.wall_us, hole.by), (800, 2_200, 77, what.by));
    assert_eq!((left.length_ms, left.left.expected, left.left.captured), (5_000, 180, 180));
    assert_eq!(left.left.expected_ms, left.left.captured_ms);

    let clear = office.folder.path().join("clear.wav");
    std::fs::write(&clear, office.read("wav")).unwrap();
    let (rate, l, r) = wav(&clear);
    assert!(is_silent(part(&l, rate, 800, 2_200)) && is_silent(part(&r, rate, 800, 2_200)));
    assert!(purity(part(&l, rate, 50, 750), 400.0, rate) > 0.99);
    assert!(purity(part(&r, rate, 2_250, 4_950), 700.0, rate) > 0.99);
    // Somebody kept copies of everything but the key.
    let keys = office.vault.of(&done).unwrap();
    assert_eq!(keys.len(), 1);
    let copy = office.folder.path().join("copy.pbr");
    std::fs::write(&copy, old_container).unwrap();
    assert!(verify(&copy, &keys).is_err());
    std::fs::write(&copy, old_wav).unwrap();
    assert!(MadeAudio::open(&copy, &keys).is_err());
    // A second one in what is left.
    let more = Erasing { from_ms: 4_000, to_ms: 9_000, wall_us: 78, by: None };
    let left = erase_range(&done, Some(&office.vault), more, ALL).unwrap();
    assert_eq!(left.erased.iter().map(|e| e.by).collect::<Vec<_>>(), [what.by, None]);
}

/// RECO-05: each recording's key is wrapped by the tenant's key, which can be changed: then old copies of wrapped keys are worthless.
#[test]
fn the_tenants_key_can_be_changed() {
    let office = Office::new();
    let path = office.record(25);
    let old_tenant = std::fs::read(office.folder.path().join("recordings.key")).unwrap();
    let running = Vault::open(&office.folder.path().join("recordings.key")).unwrap();
    let (stolen, elsewhere) = (std::fs::read(office.file("key")).unwrap(), tempfile::tempdir().unwrap());
    office.vault.renew().unwrap();
    assert_eq!(
        verify(&path, &office.vault.of(&path).unwrap()).unwrap().frames,
        50,
        "the old one still opens"
    );
    assert_eq!(office.vault.rewrap(office.folder.path()).unwrap(), 1);
    office.vault.forget_old().unwrap();
    assert_eq!(
        verify(&path, &running.of(&path).unwrap()).unwrap().frames,
        50,
        "a running appliance sees the change"
    );
    std::fs::write(elsewhere.path().join("call.key"), stolen).unwrap();
    assert!(matches!(office.vault.of(&elsewhere.path().join("call.pbr")), Err(KeyError::Unwrap(_))));
    let old_file = elsewhere.path().join("tenant");
    std::fs::write(&old_file, old_tenant).unwrap();
    assert!(matches!(Vault::open(&old_file).unwrap().of(&path), Err(KeyError::Unwrap(_))));
    assert!(matches!(running.of(&office.folder.path().join("other.pbr")), Err(KeyError::Gone(_))));
    // A wrapped key is good for its own recording only.
    std::fs::copy(office.file("key"), office.folder.path().join("other.key")).unwrap();
    assert!(matches!(running.of(&office.folder.path().join("other.pbr")), Err(KeyError::Unwrap(_))));
    assert_eq!(find_unfinished(office.folder.path()).unwrap(), [path]);
}

/// RECO-05: a key file that anything happened to opens nothing, and says so in a type.
#[test]
fn a_damaged_key_opens_nothing() {
    let office = Office::new();
    let path = office.record(1);
    let key = path.with_extension("key");
    let whole = std::fs::read(&key).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        for damaged in [&changed[..], &whole[..at]] {
            std::fs::write(&key, damaged).unwrap();
            assert!(office.vault.of(&path).is_err(), "at octet {at}");
        }
    }
    std::fs::write(&key, &whole).unwrap();
    assert!(office.vault.of(&path).is_ok());
    let tenants = office.folder.path().join("recordings.key");
    let whole = std::fs::read(&tenants).unwrap();
    for at in 0..whole.len() - 1 {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        for damaged in [&changed[..], &whole[..at]] {
            std::fs::write(&tenants, damaged).unwrap();
            let opened = Vault::open(&tenants).and_then(|vault| vault.of(&path));
            assert!(opened.is_err(), "at octet {at}");
        }
    }
}

/// Two blocks are never encrypted with one nonce, even when the first could not be written.
#[test]
fn a_block_that_was_given_up_takes_its_number_along() {
    let key = crate::record::RecordingKey::random().unwrap();
    let mut sealer = crate::record::blocks::Sealer::new(&key).unwrap();
    let first = sealer.seal(b"good day").unwrap().clone();
    let second = sealer.seal(b"good day").unwrap().clone();
    assert_ne!(first[4..8], second[4..8]);
    assert_ne!(first[16..24], second[16..24]);
}
