//! Rules that hold for every key and packet, and agreement with `rtc-srtp`, an implementation that shares no code with
//! ours.

use proptest::prelude::*;
use rtc_srtp::context::Context;
use rtc_srtp::crypto::default_provider;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::index::WINDOW;
use super::sources::SOURCES;
use super::{MAX_OVERHEAD, Receiver, Sender, SrtpError};
use crate::control::{SrtpKey, SrtpSuite};

const SUITES: [SrtpSuite; 5] = [
    SrtpSuite::AesCm128HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_32,
    SrtpSuite::Aes256CmHmacSha1_80,
    SrtpSuite::AeadAes128Gcm,
    SrtpSuite::AeadAes256Gcm,
];

fn theirs(key: &SrtpKey) -> Context {
    let profile = match key.suite {
        SrtpSuite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        SrtpSuite::Aes256CmHmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        SrtpSuite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpSuite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    let (master, salt) = key.key_and_salt.split_at(key.suite.key_len());
    Context::new(master, salt, profile, None, None, default_provider().unwrap().crypto()).unwrap()
}

fn any_key() -> impl Strategy<Value = SrtpKey> {
    (prop::sample::select(SUITES.to_vec()), prop::collection::vec(any::<u8>(), 46)).prop_map(
        |(suite, octets)| SrtpKey { suite, key_and_salt: octets[..suite.key_and_salt_len()].to_vec() },
    )
}

fn key(suite: SrtpSuite) -> SrtpKey {
    SrtpKey { suite, key_and_salt: (7..).take(suite.key_and_salt_len()).collect() }
}

/// An RTP packet with CSRCs and an extension or without.
fn rtp(sequence: u16, ssrc: u32, csrcs: u8, extension: Option<u8>, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80 | csrcs | if extension.is_some() { 0x10 } else { 0 }, 96];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..csrcs * 4).map(|octet| octet ^ 0x5a));
    if let Some(words) = extension {
        // A profile of nobody, so that no parser looks into it.
        packet.extend([0x12, 0x34, 0, words]);
        packet.extend((0..words * 4).map(|octet| octet ^ 0xa5));
    }
    packet.extend(payload);
    packet
}

fn rtcp(ssrc: u32, body: &[u8]) -> Vec<u8> {
    let words = (body.len() / 4 + 1) as u8;
    [&[0x80, 200, 0, words][..], &ssrc.to_be_bytes(), &body[..body.len() / 4 * 4]].concat()
}

fn protected(sender: &mut Sender, plain: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buf = [plain, &[0xcc; MAX_OVERHEAD]].concat();
    let len = sender.protect_rtp(&mut buf, plain.len())?;
    assert!(buf[len..].iter().all(|&octet| octet == 0xcc), "what lies behind the tag is not ours");
    buf.truncate(len);
    Ok(buf)
}

fn protected_rtcp(sender: &mut Sender, plain: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buf = [plain, &[0xcc; MAX_OVERHEAD]].concat();
    let len = sender.protect_rtcp(&mut buf, plain.len())?;
    buf.truncate(len);
    Ok(buf)
}

fn opened(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buf = packet.to_vec();
    let len = receiver.unprotect_rtp(&mut buf)?;
    buf.truncate(len);
    Ok(buf)
}

fn opened_rtcp(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buf = packet.to_vec();
    let len = receiver.unprotect_rtcp(&mut buf)?;
    buf.truncate(len);
    Ok(buf)
}

/// One packet of a stream and its fate on the way.
#[derive(Clone, Debug)]
struct Step {
    /// How much the sequence number grows; mostly 1, sometimes a jump as after a long hold.
    ahead: u16,
    csrcs: u8,
    extension: Option<u8>,
    payload: Vec<u8>,
    lost: bool,
    /// Overtaken by the next one.
    late: bool,
}

fn any_step() -> impl Strategy<Value = Step> {
    let ahead = prop_oneof![8 => Just(1u16), 2 => 2..40u16, 1 => 1_000..32_000u16];
    let payload = prop::collection::vec(any::<u8>(), 0..200);
    (ahead, 0..4u8, prop::option::of(0..5u8), payload, prop::bool::weighted(0.1), prop::bool::weighted(0.2))
        .prop_map(|(ahead, csrcs, extension, payload, lost, late)| Step {
            ahead,
            csrcs,
            extension,
            payload,
            lost,
            late,
        })
}

/// The order in which the packets that were not lost arrive.
fn arrivals(steps: &[Step]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..steps.len()).filter(|&at| !steps[at].lost).collect();
    for at in 0..order.len().saturating_sub(1) {
        // Further behind than the replay window, a packet is refused; the other implementation has none here.
        let behind: u64 = steps[order[at]..order[at + 1]].iter().map(|step| u64::from(step.ahead)).sum();
        if steps[order[at]].late && behind < WINDOW {
            order.swap(at, at + 1);
        }
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Octet for octet what the other implementation makes, over loss, overtaking and the wrap-around of the sequence
    /// number, in both directions.
    #[test]
    fn rtp_agrees_with_another_implementation(
        key in any_key(),
        start in prop_oneof![any::<u16>(), 65_400..=u16::MAX],
        ssrc in any::<u32>(),
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let (mut sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
        let (mut their_sender, mut their_receiver) = (theirs(&key), theirs(&key));
        let mut sequence = start;
        let mut sent = Vec::new();
        for step in &steps {
            let plain = rtp(sequence, ssrc, step.csrcs, step.extension, &step.payload);
            let packet = protected(&mut sender, &plain).unwrap();
            prop_assert_eq!(&packet[..], &their_sender.encrypt_rtp(&plain).unwrap()[..]);
            sent.push((plain, packet));
            sequence = sequence.wrapping_add(step.ahead);
        }
        for at in arrivals(&steps) {
            let (plain, packet) = &sent[at];
            // A receiver that missed a whole cycle, or joined before the wrap, is lost by design; then both must be.
            let they = their_receiver.decrypt_rtp(packet).ok();
            let we = opened(&mut receiver, packet).ok();
            prop_assert_eq!(we.as_deref(), they.as_deref());
            if let Some(we) = we {
                prop_assert_eq!(&we, plain);
                prop_assert_eq!(opened(&mut receiver, packet), Err(SrtpError::Replayed));
            }
        }
    }

    #[test]
    fn rtcp_agrees_with_another_implementation(
        key in any_key(),
        reports in prop::collection::vec((0..3u32, prop::collection::vec(any::<u8>(), 0..120)), 1..20),
    ) {
        let (mut sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
        let (mut their_sender, mut their_receiver) = (theirs(&key), theirs(&key));
        for (ssrc, body) in reports {
            let plain = rtcp(ssrc, &body);
            let packet = protected_rtcp(&mut sender, &plain).unwrap();
            prop_assert_eq!(&packet[..], &their_sender.encrypt_rtcp(&plain).unwrap()[..]);
            prop_assert_eq!(&their_receiver.decrypt_rtcp(&packet).unwrap()[..], &plain[..]);
            prop_assert_eq!(opened_rtcp(&mut receiver, &packet), Ok(plain));
            prop_assert_eq!(opened_rtcp(&mut receiver, &packet), Err(SrtpError::Replayed));
        }
    }

    /// One wrong bit anywhere, and the packet is refused; the true one passes afterwards, so nothing was noted.
    #[test]
    fn a_tampered_packet_is_refused_and_changes_nothing(
        key in any_key(),
        sequence in any::<u16>(),
        step in any_step(),
        damage in any::<(prop::sample::Index, u8)>(),
    ) {
        let (mut sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
        let first = protected(&mut sender, &rtp(sequence, 1, 0, None, b"first")).unwrap();
        opened(&mut receiver, &first).unwrap();
        let next = rtp(sequence.wrapping_add(1), 1, step.csrcs, step.extension, &step.payload);
        for (plain, packet, open) in [
            (next.clone(), protected(&mut sender, &next).unwrap(), opened as fn(&mut Receiver, &[u8]) -> _),
            (rtcp(1, &step.payload), protected_rtcp(&mut sender, &rtcp(1, &step.payload)).unwrap(), opened_rtcp),
        ] {
            let mut damaged = packet.clone();
            damaged[damage.0.index(packet.len())] ^= 1 << (damage.1 % 8);
            let refused = open(&mut receiver, &damaged);
            prop_assert!(matches!(refused, Err(SrtpError::Forged | SrtpError::Malformed | SrtpError::Replayed)));
            prop_assert_eq!(open(&mut receiver, &packet), Ok(plain));
        }
    }

    #[test]
    fn no_octets_bring_either_side_down(key in any_key(), octets in prop::collection::vec(any::<u8>(), 0..120), len in 0..140usize) {
        let (mut sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
        prop_assert!(receiver.unprotect_rtp(&mut octets.clone()).is_err());
        prop_assert!(receiver.unprotect_rtcp(&mut octets.clone()).is_err());
        let (mut a, mut b) = (octets.clone(), octets.clone());
        if len + sender.rtp_overhead() > octets.len() {
            prop_assert_eq!(sender.protect_rtp(&mut a, len), Err(SrtpError::NoRoom));
        } else {
            let _ = sender.protect_rtp(&mut a, len);
        }
        let _ = sender.protect_rtcp(&mut b, len);
    }
}

/// MEDIA-12: the roll-over counter lives as long as the key; a far end that was silent meanwhile is understood again.
#[test]
fn the_roll_over_counter_goes_on_over_many_wraps_and_a_long_silence() {
    for suite in SUITES {
        let (mut sender, mut receiver) =
            (Sender::new(&key(suite)).unwrap(), Receiver::new(&key(suite)).unwrap());
        for round in 0..40u32 {
            // About a third of the cycle is lost each time.
            let plain = rtp((round * 21_000) as u16, 7, 0, None, b"word");
            let packet = protected(&mut sender, &plain).unwrap();
            assert_eq!(opened(&mut receiver, &packet), Ok(plain), "{suite:?} round {round}");
        }
    }
}

/// MEDIA-12: each packet passes once, out of order too, and none that is older than the replay window.
#[test]
fn a_replayed_packet_is_refused() {
    for suite in SUITES {
        let (mut sender, mut receiver) =
            (Sender::new(&key(suite)).unwrap(), Receiver::new(&key(suite)).unwrap());
        let packets: Vec<_> =
            (0..400u16).map(|at| protected(&mut sender, &rtp(at, 7, 0, None, b"word")).unwrap()).collect();
        let newest = 399 - usize::try_from(WINDOW).unwrap();
        assert!(opened(&mut receiver, &packets[399]).is_ok());
        for (at, packet) in packets.iter().enumerate().rev() {
            assert_eq!(opened(&mut receiver, packet).is_ok(), at < 399 && at > newest, "packet {at}");
        }
        for packet in &packets {
            assert_eq!(opened(&mut receiver, packet), Err(SrtpError::Replayed));
        }
    }
}

#[test]
fn a_sender_never_uses_an_index_twice() {
    let mut sender = Sender::new(&key(SrtpSuite::AeadAes128Gcm)).unwrap();
    protected(&mut sender, &rtp(10, 7, 0, None, b"word")).unwrap();
    protected(&mut sender, &rtp(12, 7, 0, None, b"word")).unwrap();
    assert!(protected(&mut sender, &rtp(11, 7, 0, None, b"late")).is_ok(), "a relay may overtake itself");
    assert_eq!(protected(&mut sender, &rtp(11, 7, 0, None, b"again")), Err(SrtpError::Replayed));
    for ssrc in 0..SOURCES as u32 - 1 {
        protected(&mut sender, &rtp(11, 100 + ssrc, 0, None, b"other")).unwrap();
    }
    let one_more = protected(&mut sender, &rtp(11, 99, 0, None, b"other"));
    assert_eq!(one_more, Err(SrtpError::TooManySources), "forgetting one would let its indexes come again");
}

#[test]
fn a_used_up_key_protects_nothing_more() {
    let mut sender = Sender::new(&key(SrtpSuite::AesCm128HmacSha1_80)).unwrap();
    sender.set_highest(7, (1 << 48) - 2);
    assert!(protected(&mut sender, &rtp(65_535, 7, 0, None, b"last")).is_ok());
    assert_eq!(protected(&mut sender, &rtp(0, 7, 0, None, b"none")), Err(SrtpError::KeyUsedUp));
    sender.set_last_report(7, (1 << 31) - 2);
    assert!(protected_rtcp(&mut sender, &rtcp(7, b"last")).is_ok());
    assert_eq!(protected_rtcp(&mut sender, &rtcp(7, b"none")), Err(SrtpError::KeyUsedUp));
}

#[test]
fn forged_sources_take_nobodys_place() {
    let (mut sender, mut receiver) = (
        Sender::new(&key(SrtpSuite::AeadAes128Gcm)).unwrap(),
        Receiver::new(&key(SrtpSuite::AeadAes128Gcm)).unwrap(),
    );
    let mut stranger = Sender::new(&key(SrtpSuite::AeadAes256Gcm)).unwrap();
    let first = protected(&mut sender, &rtp(1, 7, 0, None, b"word")).unwrap();
    opened(&mut receiver, &first).unwrap();
    let forged = protected(&mut stranger, &rtp(1, 8, 0, None, b"word")).unwrap();
    for ssrc in 0..1_000u32 {
        let mut packet = forged.clone();
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        assert!(opened(&mut receiver, &packet).is_err());
    }
    assert_eq!(opened(&mut receiver, &first), Err(SrtpError::Replayed), "7 is still known");
}

#[test]
fn a_key_of_the_wrong_length_is_refused() {
    for suite in SUITES {
        for given in [0, suite.key_and_salt_len() - 1, suite.key_and_salt_len() + 1] {
            let key = SrtpKey { suite, key_and_salt: vec![1; given] };
            let wanted = suite.key_and_salt_len();
            assert_eq!(Sender::new(&key).err(), Some(SrtpError::KeyLength { wanted, given }));
            assert_eq!(Receiver::new(&key).err(), Some(SrtpError::KeyLength { wanted, given }));
        }
    }
}
