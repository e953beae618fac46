//! Which video formats two browsers have in common: VP8 and H.264, by their parameters, with their retransmissions.
//!
//! Nothing is transcoded, so a format is common only when each side can decode what the other encodes. Payload types are each
//! side's own; what they share is the number that this gives them ([`Passed::format`]).

use super::Passed;

/// A format as a session description offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered<'a> {
    /// Payload type.
    pub payload_type: u8,
    /// Encoding name of `a=rtpmap`: `VP8`, `H264`, `rtx`, …
    pub name: &'a str,
    /// Clock of `a=rtpmap`.
    pub clock_hz: u32,
    /// What follows the payload type in `a=fmtp`; empty without that line.
    pub parameters: &'a str,
}

/// A format that both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// On the first side's leg.
    pub first: Passed,
    /// On the second side's leg; the same format number.
    pub second: Passed,
    /// Whether it carries retransmissions of another (RFC 4588).
    pub repair: bool,
}

/// The formats both sides have, in the order of the first, each with its retransmissions behind it. Format numbers count up
/// from `number`.
pub fn common_video(first: &[Offered<'_>], second: &[Offered<'_>], number: u16) -> Vec<Common> {
    let mut common: Vec<Common> = Vec::new();
    for one in first {
        let free = |other: &&Offered<'_>| {
            !common.iter().any(|known| known.second.payload_type == other.payload_type)
                && decodes_the_same(one, other)
        };
        let Some(other) = second.iter().find(free) else { continue };
        let next = number.wrapping_add(common.len() as u16);
        common.push(pair(one, other, next, false));
        let repairs = (repair_of(first, one.payload_type), repair_of(second, other.payload_type));
        if let (Some(one), Some(other)) = repairs {
            common.push(pair(one, other, next.wrapping_add(1), true));
        }
    }
    common
}

fn pair(one: &Offered<'_>, other: &Offered<'_>, format: u16, repair: bool) -> Common {
    let passed = |it: &Offered<'_>| Passed { payload_type: it.payload_type, format, clock_hz: it.clock_hz };
    Common { first: passed(one), second: passed(other), repair }
}

fn repair_of<'a, 'b>(offered: &'b [Offered<'a>], payload_type: u8) -> Option<&'b Offered<'a>> {
    offered.iter().find(|it| {
        it.name.eq_ignore_ascii_case("rtx")
            && parameter(it.parameters, "apt").and_then(|apt| apt.parse().ok()) == Some(payload_type)
    })
}

fn decodes_the_same(one: &Offered<'_>, other: &Offered<'_>) -> bool {
    let named = |name: &str| one.name.eq_ignore_ascii_case(name) && other.name.eq_ignore_ascii_case(name);
    if one.clock_hz != other.clock_hz {
        return false;
    }
    if named("VP8") {
        return true;
    }
    named("H264")
        && packetization(one.parameters) == packetization(other.parameters)
        && profile(one.parameters).is_some_and(|it| Some(it) == profile(other.parameters))
}

/// RFC 6184 §8.1: single NAL units (0) unless something else is said.
fn packetization(parameters: &str) -> &str {
    parameter(parameters, "packetization-mode").unwrap_or("0")
}

/// Profiles of H.264 that differ for a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
}

/// The profile in `profile-level-id`: its constraint flags make one profile of several numbers (RFC 6184 §8.1, table 5). The
/// level is no matter of the format: each side is told the other's and keeps below it.
fn profile(parameters: &str) -> Option<Profile> {
    // Baseline, and no more of it than everybody has, when nothing is said.
    let id = parameter(parameters, "profile-level-id").unwrap_or("420010");
    let id = u32::from_str_radix(id, 16).ok().filter(|_| id.len() == 6)?;
    let (number, flags) = (id >> 16, id >> 8 & 0xFF);
    let set = |n: u32| flags & (0x80 >> n) != 0;
    match number {
        0x42 if set(1) => Some(Profile::ConstrainedBaseline),
        0x42 => Some(Profile::Baseline),
        0x4D if set(0) => Some(Profile::ConstrainedBaseline),
        0x4D => Some(Profile::Main),
        0x58 if set(0) && set(1) => Some(Profile::ConstrainedBaseline),
        0x58 if set(0) => Some(Profile::Baseline),
        0x64 if set(4) && set(5) => Some(Profile::ConstrainedHigh),
        0x64 => Some(Profile::High),
        _ => None,
    }
}

/// The value of a parameter in `name=value;name=value`.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|one| {
        let (key, value) = one.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered<'a>(payload_type: u8, name: &'a str, parameters: &'a str) -> Offered<'a> {
        Offered { payload_type, name, clock_hz: 90_000, parameters }
    }
    fn types(common: &[Common]) -> Vec<(u8, u8, u16, bool)> {
        common
            .iter()
            .map(|it| (it.first.payload_type, it.second.payload_type, it.first.format, it.repair))
            .collect()
    }

    #[test]
    fn two_browsers_meet_in_what_both_decode_each_by_its_own_payload_types() {
        let chromium = [
            offered(96, "VP8", ""),
            offered(97, "rtx", "apt=96"),
            offered(103, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
            offered(104, "rtx", "apt=103"),
            offered(109, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
            offered(114, "rtx", "apt=109"),
            offered(45, "AV1", "level-idx=5;profile=0;tier=0"),
        ];
        let firefox = [
            offered(120, "VP8", "max-fs=12288;max-fr=60"),
            offered(124, "rtx", "apt=120"),
            offered(126, "H264", "profile-level-id=42e01f; level-asymmetry-allowed=1; packetization-mode=1"),
            offered(127, "rtx", "apt=126"),
            offered(97, "H264", "profile-level-id=42e01f;level-asymmetry-allowed=1"),
        ];
        let common = common_video(&chromium, &firefox, 10);
        assert_eq!(
            types(&common),
            [(96, 120, 10, false), (97, 124, 11, true), (109, 126, 12, false), (114, 127, 13, true)]
        );
        assert!(common.iter().all(|it| it.first.format == it.second.format));
    }

    #[test]
    fn profiles_written_differently_are_one_and_packetization_must_agree() {
        let one = |parameters| [offered(100, "h264", parameters)];
        let meets = |a, b| !common_video(&one(a), &one(b), 0).is_empty();
        assert!(meets("profile-level-id=42e01f", "profile-level-id=4D801F"), "both are constrained baseline");
        assert!(meets("profile-level-id=42e01f", "profile-level-id=42e034"), "levels may differ");
        assert!(!meets("profile-level-id=42e01f", "profile-level-id=64001f"));
        assert!(!meets("packetization-mode=1", "packetization-mode=0"));
        assert!(meets("packetization-mode=0", ""));
        assert!(!meets("profile-level-id=zz", "profile-level-id=zz"), "what cannot be read is not common");
    }

    #[test]
    fn a_repair_without_its_twin_is_left_out_and_no_payload_type_serves_twice() {
        let both = [offered(96, "VP8", ""), offered(98, "VP8", ""), offered(97, "rtx", "apt=96")];
        let bare = [offered(96, "VP8", "")];
        assert_eq!(types(&common_video(&both, &bare, 0)), [(96, 96, 0, false)]);
    }
}
