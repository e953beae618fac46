//! HMAC-SHA1 (RFC 2104) over a packet and the four octets that follow it in thought or in fact (RFC 3711 §4.2).
//!
//! The key is worked into two compression states once. A packet is compressed where it lies; only its last blocks, with the
//! trailer and the padding, are put together on the stack. So a packet of 172 octets costs four compressions, and 40 octets of
//! state are all that has to come from memory; the general HMAC keeps and copies ten times as much.

use sha1::block_api::compress;

/// Octets of a block, and of a hash.
const BLOCK: usize = 64;
const HASH: usize = 20;
/// What a hash begins with (FIPS 180-4 §5.3.1).
const BEGIN: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
/// Octets of the length at the end of the padding.
const LENGTH: usize = 8;

/// See the module.
pub(super) struct Authenticator {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl Authenticator {
    /// `None`: the key is longer than a block; SRTP's have 20 octets.
    pub fn new(key: &[u8]) -> Option<Self> {
        let state = |pad: u8| {
            let mut block = [pad; BLOCK];
            for (octet, key) in block.iter_mut().zip(key) {
                *octet ^= key;
            }
            let mut state = BEGIN;
            compress(&mut state, &[block]);
            state
        };
        (key.len() <= BLOCK).then(|| Self { inner: state(0x36), outer: state(0x5C) })
    }

    /// The whole tag of `packet` followed by `trailer`.
    pub fn tag(&self, packet: &[u8], trailer: [u8; 4]) -> [u8; HASH] {
        let (blocks, rest) = packet.as_chunks::<BLOCK>();
        let mut state = self.inner;
        compress(&mut state, blocks);
        // The rest, the trailer, the bit that ends it and the length: one block more, or two.
        let mut last = [[0; BLOCK]; 2];
        let room = last.as_flattened_mut();
        let end = rest.len() + trailer.len();
        room[..rest.len()].copy_from_slice(rest);
        room[rest.len()..end].copy_from_slice(&trailer);
        room[end] = 0x80;
        let used = (end + 1 + LENGTH).div_ceil(BLOCK);
        let bits = (BLOCK + packet.len() + trailer.len()) as u64 * 8;
        room[used * BLOCK - LENGTH..used * BLOCK].copy_from_slice(&bits.to_be_bytes());
        compress(&mut state, &last[..used]);

        let mut block = [0; BLOCK];
        block[..HASH].copy_from_slice(&octets(state));
        block[HASH] = 0x80;
        block[BLOCK - LENGTH..].copy_from_slice(&((BLOCK + HASH) as u64 * 8).to_be_bytes());
        let mut state = self.outer;
        compress(&mut state, &[block]);
        octets(state)
    }
}

fn octets(state: [u32; 5]) -> [u8; HASH] {
    let mut hash = [0; HASH];
    for (place, word) in hash.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    use super::*;

    /// Every length up to the largest datagram, so every place where the padding may fall.
    #[test]
    fn a_tag_is_the_hmac_of_packet_and_trailer_at_every_length() {
        let key: [u8; 20] = std::array::from_fn(|n| n as u8 * 7 + 1);
        let authenticator = Authenticator::new(&key).unwrap();
        let packet: Vec<u8> = (0..1_600_u32).map(|n| (n * 31 % 251) as u8).collect();
        for len in 0..packet.len() {
            let mut reference = Hmac::<Sha1>::new_from_slice(&key).unwrap();
            reference.update(&packet[..len]);
            reference.update(&[9, 8, 7, len as u8]);
            let tag = authenticator.tag(&packet[..len], [9, 8, 7, len as u8]);
            assert_eq!(tag[..], reference.finalize().into_bytes()[..], "{len} octets");
        }
        assert!(Authenticator::new(&[0; 65]).is_none());
    }
}
