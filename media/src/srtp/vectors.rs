//! Vectors from the RFCs and, for whole AES-CM packets, the reference packets of libsrtp's own tests.

use super::cipher::{Aes, Cipher, keystream};
use super::derive::Prf;
use super::{Receiver, Sender, SrtpError};
use crate::control::{SrtpKey, SrtpSuite};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn derived(key: &str, salt: &str, label: u8, len: usize) -> Vec<u8> {
    let mut out = vec![0xff; len];
    Prf::new(&hex(key), &hex(salt)).unwrap().fill(label, &mut out);
    out
}

/// RFC 3711 appendix B.3.
#[test]
fn session_keys_are_derived_as_in_rfc_3711() {
    let (key, salt) = ("E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6");
    assert_eq!(derived(key, salt, 0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(key, salt, 2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication = "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
        E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
        6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2";
    assert_eq!(derived(key, salt, 1, 94), hex(authentication));
}

/// RFC 6188 §7.2.
#[test]
fn long_session_keys_are_derived_as_in_rfc_6188() {
    let key = "f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6";
    let salt = "3b04803de51ee7c96423ab5b78d2";
    let session = "5ba1064e30ec51613cad926c5a28ef73 1ec7fb397f70a960653caf06554cd8c4";
    assert_eq!(derived(key, salt, 0, 32), hex(session));
    assert_eq!(derived(key, salt, 2, 14), hex("fa31791685ca444a9e07c6c64e93"));
    assert_eq!(derived(key, salt, 1, 20), hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

/// RFC 3711 appendix B.2 and RFC 6188 §7.1: the first blocks of the key stream and those before its last.
#[test]
fn the_key_stream_of_counter_mode_is_that_of_the_rfcs() {
    let cases = [
        (
            "2B7E151628AED2A6ABF7158809CF4F3C",
            "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0",
            "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44",
        ),
        (
            "57f82fe3613fd170a85ec93c40b1f092 2ec4cb0dc025b58272147cc438944a98",
            "92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac 63c4868b7096d88421b563b8c94c9a31",
            "cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d 6eb246913062a16891433e97dd01a57f",
        ),
    ];
    for (key, first, last) in cases {
        let iv: [u8; 16] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
        let mut stream = vec![0; 0xff02 * 16];
        keystream(&Aes::new(&hex(key)).unwrap(), iv, &mut stream);
        assert_eq!(stream[..48], hex(first));
        assert_eq!(stream[0xfeff * 16..], hex(last));
    }
}

fn sent(
    sender: &mut Sender,
    plain: &[u8],
    protect: fn(&mut Sender, &mut [u8], usize) -> Result<usize, SrtpError>,
) -> Vec<u8> {
    let mut buf = plain.to_vec();
    buf.resize(plain.len() + super::MAX_OVERHEAD, 0xee);
    let len = protect(sender, &mut buf, plain.len()).unwrap();
    buf.truncate(len);
    buf
}

fn opened(
    receiver: &mut Receiver,
    packet: &[u8],
    open: fn(&mut Receiver, &mut [u8]) -> Result<usize, SrtpError>,
) -> Vec<u8> {
    let mut buf = packet.to_vec();
    let len = open(receiver, &mut buf).unwrap();
    buf.truncate(len);
    buf
}

const GCM_SALT: &str = "517569642070726f2071756f";
const GCM_RTP: &str =
    "8040f17b8041f8d35501a0b2 47616c6c696120657374206f6d6e6973 20646976697361 20696e207061727465732074726573";
const GCM_RTCP: &str = "81c8000d4d617273 4e5450314e5450325254502000 00042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

fn gcm(len: u8) -> Cipher {
    Cipher::gcm(&(0..len).collect::<Vec<_>>(), &hex(GCM_SALT)).unwrap()
}

/// RFC 7714 §16.1 and §16.2.
#[test]
fn gcm_protects_rtp_as_in_rfc_7714() {
    let cases = [
        (
            16,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833 899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            32,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b 7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ];
    for (key, expected) in cases {
        let expected = [hex("8040f17b8041f8d35501a0b2"), hex(expected)].concat();
        let mut sender = Sender::with(gcm(key), gcm(key));
        assert_eq!(sent(&mut sender, &hex(GCM_RTP), Sender::protect_rtp), expected);
        let mut receiver = Receiver::with(gcm(key), gcm(key));
        assert_eq!(opened(&mut receiver, &expected, Receiver::unprotect_rtp), hex(GCM_RTP));
    }
}

/// RFC 7714 §17.1 and §17.2, with the index 0x5d4.
#[test]
fn gcm_protects_rtcp_as_in_rfc_7714() {
    let cases = [
        (
            16,
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b c84aa45896cf4d2fc5abf87245d9eade 800005d4",
        ),
        (
            32,
            "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad 1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
        ),
    ];
    for (key, expected) in cases {
        let expected = [hex("81c8000d4d617273"), hex(expected)].concat();
        let mut sender = Sender::with(gcm(key), gcm(key));
        sender.set_last_report(0x4d61_7273, 0x5d3);
        assert_eq!(sent(&mut sender, &hex(GCM_RTCP), Sender::protect_rtcp), expected);
        let mut receiver = Receiver::with(gcm(key), gcm(key));
        assert_eq!(opened(&mut receiver, &expected, Receiver::unprotect_rtcp), hex(GCM_RTCP));
    }
}

/// RFC 7714 §17.3: the far end may leave its reports readable; they are verified all the same.
#[test]
fn a_readable_report_is_verified_as_in_rfc_7714() {
    let tagged = [hex(GCM_RTCP), hex("841dd9683dd78ec92ae58790125f62b3 000005d4")].concat();
    let mut receiver = Receiver::with(gcm(16), gcm(16));
    let mut damaged = tagged.clone();
    damaged[20] ^= 1;
    assert_eq!(receiver.unprotect_rtcp(&mut damaged), Err(SrtpError::Forged));
    assert_eq!(opened(&mut receiver, &tagged, Receiver::unprotect_rtcp), hex(GCM_RTCP));
    assert_eq!(receiver.unprotect_rtcp(&mut tagged.clone()), Err(SrtpError::Replayed));
}

/// The reference packets of libsrtp (`srtp_validate`, `srtp_validate_aes_256`).
#[test]
fn counter_mode_packets_are_those_of_libsrtp() {
    let short = SrtpKey {
        suite: SrtpSuite::AesCm128HmacSha1_80,
        key_and_salt: hex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6"),
    };
    let long = SrtpKey {
        suite: SrtpSuite::Aes256CmHmacSha1_80,
        key_and_salt: hex(
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2",
        ),
    };
    let rtp = [hex("800f1234decafbadcafebabe"), vec![0xab; 16]].concat();
    let cases = [
        (&short, "4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb"),
        (&long, "f1d9de17ff251ff1aa007774b0b4b40d a08d9d9a5b3a55d8873b"),
    ];
    for (key, expected) in cases {
        let expected = [hex("800f1234decafbadcafebabe"), hex(expected)].concat();
        assert_eq!(sent(&mut Sender::new(key).unwrap(), &rtp, Sender::protect_rtp), expected);
        assert_eq!(opened(&mut Receiver::new(key).unwrap(), &expected, Receiver::unprotect_rtp), rtp);
    }
    let rtcp = [hex("81c8000bcafebabe"), vec![0xab; 16]].concat();
    let expected = hex("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
    assert_eq!(sent(&mut Sender::new(&short).unwrap(), &rtcp, Sender::protect_rtcp), expected);
    assert_eq!(opened(&mut Receiver::new(&short).unwrap(), &expected, Receiver::unprotect_rtcp), rtcp);
}
