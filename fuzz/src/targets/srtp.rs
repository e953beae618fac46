//! SRTP: what was changed on the way is refused, and so is what came before.

use media::control::{SrtpKey, SrtpSuite};
use media::srtp::{MAX_OVERHEAD, Receiver, Sender};

use crate::pieces;

const SUITES: [SrtpSuite; 5] = [
    SrtpSuite::AesCm128HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_32,
    SrtpSuite::Aes256CmHmacSha1_80,
    SrtpSuite::AeadAes128Gcm,
    SrtpSuite::AeadAes256Gcm,
];

/// The same key for the same seed.
pub(super) fn key(suite: SrtpSuite, seed: u8) -> SrtpKey {
    SrtpKey { suite, key_and_salt: (0..suite.key_and_salt_len()).map(|at| at as u8 ^ seed).collect() }
}

/// The first octet: bits 0-2 suite. How a piece comes: 0: as it is; bit 0: protected by us; bit 1: RTCP; bit 2: then changed by
/// the last octet of the piece at the place of the one before; bit 3: delivered twice.
pub(super) fn srtp(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let key = key(SUITES[usize::from(first & 7) % SUITES.len()], 7);
    let mut sender = Sender::new(&key).expect("the length is right");
    let mut receiver = Receiver::new(&key).expect("the length is right");
    for (how, octets) in pieces(rest) {
        let rtcp = how & 2 != 0;
        let open = |receiver: &mut Receiver, packet: &mut [u8]| match rtcp {
            true => receiver.unprotect_rtcp(packet),
            false => receiver.unprotect_rtp(packet),
        };
        if how & 1 == 0 {
            let opened = open(&mut receiver, &mut octets.to_vec());
            assert!(opened.is_err(), "nobody guesses a tag");
            continue;
        }
        let mut packet = [octets, &[0; MAX_OVERHEAD]].concat();
        let protected = match rtcp {
            true => sender.protect_rtcp(&mut packet, octets.len()),
            false => sender.protect_rtp(&mut packet, octets.len()),
        };
        let Ok(len) = protected else { continue };
        packet.truncate(len);
        if let (true, [.., place, with]) = (how & 4 != 0, octets) {
            let place = usize::from(*place) % packet.len();
            packet[place] ^= with;
            let refused = open(&mut receiver, &mut packet.clone()).is_err();
            assert!(refused || *with == 0, "a changed packet is refused");
            continue;
        }
        let mut buffer = packet.clone();
        if let Ok(len) = open(&mut receiver, &mut buffer) {
            assert_eq!(&buffer[..len], octets, "what comes out went in");
        }
        if how & 8 != 0 {
            assert!(open(&mut receiver, &mut packet).is_err(), "once is enough");
        }
    }
}
