//! `a=crypto`: SRTP keys by SDP (RFC 4568, with the suites of RFC 6188 and RFC 7714).
//!
//! A line is taken only if we can do exactly what it asks. One with a master key identifier (MKI), several keys, a key
//! derivation rate or an unencrypted or unauthenticated session is passed over, and the next one is looked at (§5.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use media::control::{SrtpKey, SrtpSuite};
use sha2::{Digest as _, Sha512};

use super::description::{Attribute, Media};
use super::parse::number;

/// Suites we speak, best first: GCM authenticates and encrypts in one pass, and its tag is not truncated.
pub const SUITES: [SrtpSuite; 5] = [
    SrtpSuite::AeadAes256Gcm,
    SrtpSuite::AeadAes128Gcm,
    SrtpSuite::Aes256CmHmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_32,
];

/// Fewest packets for which a key must be good: we do not change keys within a call, and 2^16 is 20 minutes of audio.
const LIFETIME_MIN: u64 = 1 << 16;

/// An `a=crypto` line that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoLine {
    /// Names the line in the answer.
    pub tag: u32,
    /// The suite and the key of the one who wrote the line.
    pub key: SrtpKey,
}

impl CryptoLine {
    /// Reads the value of an `a=crypto` line; `None` if it is malformed or asks for what we do not do.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9).and_then(|tag| number(tag).ok())?;
        let name = words.next()?;
        let suite = SUITES.into_iter().find(|suite| suite.sdp_name().eq_ignore_ascii_case(name))?;
        let key = inline_key(suite, words.next()?)?;
        words.all(is_harmless).then_some(Self { tag, key })
    }

    /// The lines of a media section that can be used, in the writer's order.
    pub fn all(media: &Media) -> Vec<Self> {
        media.attributes("crypto").filter_map(Self::parse).collect()
    }

    /// The best line by our order, not the writer's: both ends accept any line that is there (§5.1.2).
    pub fn best(media: &Media) -> Option<Self> {
        let rank = |line: &Self| SUITES.iter().position(|suite| *suite == line.key.suite);
        Self::all(media).into_iter().min_by_key(rank)
    }

    /// The line as SDP.
    pub fn attribute(&self) -> Attribute {
        let key = general_purpose::STANDARD.encode(&self.key.key_and_salt);
        Attribute::new("crypto", format_args!("{} {} inline:{key}", self.tag, self.key.suite.sdp_name()))
    }
}

/// The secret from which our own SRTP keys of one leg come; drawn at random when the leg is made.
///
/// Each suite has a key of its own, because keys of different lines must differ (§6.1), and the same suite has the
/// same key in every later offer and answer of the leg, so that a re-negotiation does not interrupt the audio.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySeed([u8; 32]);

impl KeySeed {
    /// From random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }
    /// Our key for a suite.
    pub fn key(&self, suite: SrtpSuite) -> SrtpKey {
        let mut hash = Sha512::new();
        hash.update(b"SDES master key and salt\0");
        hash.update(suite.sdp_name().as_bytes());
        hash.update(self.0);
        let digest = hash.finalize();
        // 46 octets at most, of 64.
        SrtpKey { suite, key_and_salt: digest.iter().copied().take(suite.key_and_salt_len()).collect() }
    }
}

impl std::fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySeed(hidden)")
    }
}

/// `inline:<key||salt>[|lifetime]`, without MKI.
fn inline_key(suite: SrtpSuite, parameter: &str) -> Option<SrtpKey> {
    let method = parameter.get(..7)?;
    if !method.eq_ignore_ascii_case("inline:") || parameter.contains(';') {
        return None;
    }
    let mut parts = parameter.get(7..)?.split('|');
    let key_and_salt = BASE64.decode(parts.next()?).ok()?;
    match (parts.next(), parts.next()) {
        (None, _) => {}
        // An MKI is `number:length`; a lifetime has no colon.
        (Some(lifetime), None) if packets(lifetime)? >= LIFETIME_MIN => {}
        _ => return None,
    }
    (key_and_salt.len() == suite.key_and_salt_len()).then_some(SrtpKey { suite, key_and_salt })
}

/// A lifetime in packets: decimal, or a power of two.
fn packets(lifetime: &str) -> Option<u64> {
    let packets = match lifetime.strip_prefix("2^") {
        Some(power) => 1u64.checked_shl(number(power).ok()?)?,
        None => number(lifetime).ok()?,
    };
    (1..=1 << 48).contains(&packets).then_some(packets)
}

/// Session parameters that change nothing for us: a replay window hint, and what is marked as optional (§6.3).
fn is_harmless(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.strip_prefix("WSH=").is_some_and(|n| number::<u32>(n).is_ok())
}

/// Some phones leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 octets: the key and salt of AES_CM_128.
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn line(rest: &str) -> Option<CryptoLine> {
        CryptoLine::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{rest}"))
    }

    #[test]
    fn a_plain_line_and_one_with_a_lifetime_are_read() {
        assert_eq!(line("").unwrap().key.key_and_salt.len(), 30);
        assert!(line("|2^20").is_some());
        assert!(line("|1048576").is_some());
        assert!(line(" WSH=64").is_some());
        assert!(line(" -SOMETHING").is_some());
    }

    #[test]
    fn a_line_that_asks_for_what_we_do_not_do_is_passed_over() {
        for rest in [
            "|2^20|1:4",
            "|1:4",
            "|2^3",
            "|2^49",
            "|2^99",
            " KDR=5",
            " UNENCRYPTED_SRTP",
            " UNAUTHENTICATED_SRTP",
            " UNENCRYPTED_SRTCP",
            " FEC_ORDER=SRTP_FEC",
            " WSH=x",
            "A",
            "|",
            ";inline:x",
        ] {
            assert_eq!(line(rest), None, "{rest}");
        }
        assert_eq!(CryptoLine::parse("1 F8_128_HMAC_SHA1_80 inline:x"), None);
        assert_eq!(CryptoLine::parse(&format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}")), None);
        assert_eq!(
            CryptoLine::parse(&format!("1 AEAD_AES_128_GCM inline:{KEY}")),
            None,
            "30 octets are not 28"
        );
        assert_eq!(CryptoLine::parse(""), None);
    }

    #[test]
    fn gcm_is_taken_before_counter_mode_whatever_the_order_of_the_lines() {
        let seed = KeySeed::new([3; 32]);
        let mut media = Media {
            kind: "audio".into(),
            port: 4000,
            protocol: "RTP/SAVP".into(),
            formats: vec!["0".into()],
            connection: None,
            attributes: Vec::new(),
        };
        for (tag, suite) in (1..).zip(SUITES.into_iter().rev()) {
            media.attributes.push(CryptoLine { tag, key: seed.key(suite) }.attribute());
        }
        assert_eq!(CryptoLine::all(&media).len(), 5, "what we write, we can read");
        assert_eq!(CryptoLine::best(&media).unwrap().key, seed.key(SrtpSuite::AeadAes256Gcm));
    }

    #[test]
    fn our_keys_differ_by_suite_and_stay_through_the_life_of_a_leg() {
        let seed = KeySeed::new([7; 32]);
        let keys: Vec<_> = SUITES.iter().map(|s| seed.key(*s).key_and_salt).collect();
        for (i, a) in keys.iter().enumerate() {
            assert_eq!(a.len(), SUITES[i].key_and_salt_len());
            assert!(keys[i + 1..].iter().all(|b| b[..16] != a[..16]));
        }
        assert_eq!(seed.clone().key(SUITES[0]), seed.key(SUITES[0]));
        assert!(!format!("{seed:?}").contains('7'));
    }
}
