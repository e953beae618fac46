//! RTCP (RFC 3550 §6): reading compound packets, and building the one a leg sends.
//!
//! Lengths are checked for the whole compound packet before anything in it is believed. What a BYE says ends no call: anybody
//! who can guess an SSRC could say it.

use model::time::Timestamp;

use super::Malformed;
use super::feedback::{self, Feedback};

/// Sender report.
const SR: u8 = 200;
/// Receiver report.
const RR: u8 = 201;
/// Source description.
const SDES: u8 = 202;
/// Goodbye.
const BYE: u8 = 203;
/// Seconds between 1900 (NTP) and 1970.
const NTP_EPOCH_S: u64 = 2_208_988_800;

/// Longest packet [`build`] writes: SR with one block, a CNAME of [`CNAME_MAX`] octets, BYE.
pub const BUILT_MAX: usize = 28 + 24 + 4 + 4 + 2 + CNAME_MAX + 4 + 8;
/// Longest CNAME we send.
pub const CNAME_MAX: usize = 40;

/// What one receiver says about one stream (§6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream it is about.
    pub ssrc: u32,
    /// Loss since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Loss since the beginning, 24 bits signed.
    pub cumulative_lost: i32,
    /// Highest sequence number with its wrap-arounds.
    pub highest_seq: u32,
    /// Jitter in ticks of the stream's clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report; 0: none came.
    pub last_sr: u32,
    /// Time since then, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

/// What a sender says about its stream (§6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// NTP time.
    pub ntp: u64,
    /// The same moment in the stream's clock.
    pub rtp_timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Octets of payload sent.
    pub octets: u32,
}

/// One packet of a compound packet, as far as we use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Sender report or, without `sender`, receiver report.
    Report {
        /// Who says it.
        ssrc: u32,
        /// About its own stream.
        sender: Option<SenderInfo>,
        /// About streams it hears.
        blocks: Blocks<'a>,
    },
    /// The sender leaves. Noted, never obeyed.
    Bye,
    /// What a receiver wants (RFC 4585).
    Feedback(Feedback<'a>),
    /// Source description, extended reports: of no use here.
    Other(u8),
}

/// The middle 32 bits of an NTP time: what LSR and DLSR count in.
pub const fn ntp_middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// A time as NTP writes it: seconds since 1900, 32 bits of fraction.
pub fn ntp_of(now: Timestamp) -> u64 {
    (NTP_EPOCH_S << 32).wrapping_add(ntp_span(now.micros()))
}

/// A span of time as NTP writes it.
pub const fn ntp_span(micros: u64) -> u64 {
    ((micros / 1_000_000) << 32) | (((micros % 1_000_000) << 32) / 1_000_000)
}

/// The packets of a compound packet, after all lengths were checked. It must begin with a report (§6.1).
pub fn parse(compound: &[u8]) -> Result<Compound<'_>, Malformed> {
    let mut rest = compound;
    let mut first = true;
    while !rest.is_empty() {
        let (head, body) = rest.split_first_chunk::<4>().ok_or(Malformed::TooShort)?;
        if head[0] >> 6 != 2 {
            return Err(Malformed::Version);
        }
        if first && !matches!(head[1], SR | RR) {
            return Err(Malformed::NotAReport);
        }
        let len = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let (body, after) = body.split_at_checked(len).ok_or(Malformed::TooShort)?;
        let needed = match head[1] {
            SR => 24 + usize::from(head[0] & 0x1F) * 24,
            RR => 4 + usize::from(head[0] & 0x1F) * 24,
            _ => 0,
        };
        if body.len() < needed {
            return Err(Malformed::TooShort);
        }
        first = false;
        rest = after;
    }
    if first { Err(Malformed::TooShort) } else { Ok(Compound { rest: compound }) }
}

/// Walks over a compound packet; see [`parse`].
#[derive(Clone, Debug)]
pub struct Compound<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Compound<'a> {
    type Item = Packet<'a>;
    fn next(&mut self) -> Option<Packet<'a>> {
        let (head, body) = self.rest.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let (body, after) = body.split_at_checked(len)?;
        self.rest = after;
        Some(match head[1] {
            kind @ (SR | RR) => {
                let ssrc = word(body, 0)?;
                let blocks_at = if kind == SR { 24 } else { 4 };
                let sender = (kind == SR).then(|| SenderInfo {
                    ntp: u64::from(word(body, 4).unwrap_or(0)) << 32 | u64::from(word(body, 8).unwrap_or(0)),
                    rtp_timestamp: word(body, 12).unwrap_or(0),
                    packets: word(body, 16).unwrap_or(0),
                    octets: word(body, 20).unwrap_or(0),
                });
                let blocks_len = usize::from(head[0] & 0x1F) * 24;
                let blocks = Blocks { rest: body.get(blocks_at..blocks_at + blocks_len)? };
                Packet::Report { ssrc, sender, blocks }
            }
            BYE => Packet::Bye,
            kind @ (feedback::TRANSPORT | feedback::PAYLOAD) => {
                Feedback::read(kind, head[0] & 0x1F, body).map_or(Packet::Other(kind), Packet::Feedback)
            }
            other => Packet::Other(other),
        })
    }
}

/// The report blocks of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a> {
    rest: &'a [u8],
}

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;
    fn next(&mut self) -> Option<ReportBlock> {
        let (block, after) = self.rest.split_at_checked(24)?;
        self.rest = after;
        let lost = word(block, 4)?;
        Some(ReportBlock {
            ssrc: word(block, 0)?,
            fraction_lost: (lost >> 24) as u8,
            // Sign-extended from 24 bits.
            cumulative_lost: (lost << 8).cast_signed() >> 8,
            highest_seq: word(block, 8)?,
            jitter: word(block, 12)?,
            last_sr: word(block, 16)?,
            delay_since_last_sr: word(block, 20)?,
        })
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at + 4)?.first_chunk::<4>().map(|w| u32::from_be_bytes(*w))
}

/// What a leg reports.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Our SSRC.
    pub ssrc: u32,
    /// About our stream, when we sent since the last report (§6.4); else it is a receiver report.
    pub sender: Option<SenderInfo>,
    /// About the far end's stream, when there is one.
    pub block: Option<ReportBlock>,
    /// Canonical name (§6.5.1), up to [`CNAME_MAX`] octets.
    pub cname: &'a str,
    /// Whether this is the last one.
    pub bye: bool,
}

/// Writes a compound packet and says how long it is; 0 when `out` is shorter than [`BUILT_MAX`].
pub fn build(out: &mut [u8], report: &Report<'_>) -> usize {
    let Some(out) = out.first_chunk_mut::<BUILT_MAX>() else { return 0 };
    let mut at = 0;
    let mut put = |octets: &[u8]| {
        out[at..at + octets.len()].copy_from_slice(octets);
        at += octets.len();
        at
    };
    let blocks = u8::from(report.block.is_some());
    let (kind, info_words) = if report.sender.is_some() { (SR, 5) } else { (RR, 0) };
    put(&[0x80 | blocks, kind, 0, 1 + info_words + 6 * blocks]);
    put(&report.ssrc.to_be_bytes());
    if let Some(info) = &report.sender {
        put(&info.ntp.to_be_bytes());
        put(&info.rtp_timestamp.to_be_bytes());
        put(&info.packets.to_be_bytes());
        put(&info.octets.to_be_bytes());
    }
    if let Some(block) = &report.block {
        put(&block.ssrc.to_be_bytes());
        let lost = block.cumulative_lost.cast_unsigned() & 0x00FF_FFFF;
        put(&(u32::from(block.fraction_lost) << 24 | lost).to_be_bytes());
        put(&block.highest_seq.to_be_bytes());
        put(&block.jitter.to_be_bytes());
        put(&block.last_sr.to_be_bytes());
        put(&block.delay_since_last_sr.to_be_bytes());
    }
    // SDES: one chunk with the CNAME; the chunk ends with at least one zero octet on a word boundary (§6.5).
    let cname = &report.cname.as_bytes()[..report.cname.len().min(CNAME_MAX)];
    let zeros = 4 - (2 + cname.len()) % 4;
    let words = (4 + 2 + cname.len() + zeros) / 4;
    put(&[0x81, SDES, 0, words as u8]);
    put(&report.ssrc.to_be_bytes());
    put(&[1, cname.len() as u8]);
    put(cname);
    let mut end = put(&[0; 4][..zeros]);
    if report.bye {
        put(&[0x81, BYE, 0, 1]);
        end = put(&report.ssrc.to_be_bytes());
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> ReportBlock {
        ReportBlock {
            ssrc: 9,
            fraction_lost: 12,
            cumulative_lost: -5,
            highest_seq: 70_000,
            jitter: 33,
            last_sr: 44,
            delay_since_last_sr: 55,
        }
    }

    #[test]
    fn a_sender_report_reads_back_as_it_was_built() {
        let info = SenderInfo { ntp: 0x0102_0304_0506_0708, rtp_timestamp: 77, packets: 88, octets: 99 };
        for cname in ["", "a", "abc", "leg@patchbay", &"x".repeat(60)] {
            let mut out = [0; BUILT_MAX];
            let report = Report { ssrc: 7, sender: Some(info), block: Some(block()), cname, bye: true };
            let len = build(&mut out, &report);
            let packets: Vec<_> = parse(&out[..len]).unwrap().collect();
            let [
                Packet::Report { ssrc: 7, sender: Some(sender), mut blocks },
                Packet::Other(SDES),
                Packet::Bye,
            ] = packets[..]
            else {
                panic!("{packets:?}")
            };
            assert_eq!(sender, info);
            assert_eq!((blocks.next(), blocks.next()), (Some(block()), None));
        }
    }

    #[test]
    fn who_sent_nothing_reports_as_receiver_only() {
        let mut out = [0; BUILT_MAX];
        let len = build(&mut out, &Report { ssrc: 7, sender: None, block: None, cname: "x", bye: false });
        let first = parse(&out[..len]).unwrap().next();
        assert!(matches!(first, Some(Packet::Report { ssrc: 7, sender: None, .. })));
    }

    #[test]
    fn no_cut_or_changed_packet_causes_a_panic_or_reads_beyond_itself() {
        let mut out = [0; BUILT_MAX];
        let info = SenderInfo { ntp: 1, rtp_timestamp: 2, packets: 3, octets: 4 };
        let report = Report { ssrc: 7, sender: Some(info), block: Some(block()), cname: "leg", bye: true };
        let len = build(&mut out, &report);
        for cut in 0..len {
            if let Ok(packets) = parse(&out[..cut]) {
                packets.for_each(drop);
            }
            for value in 0..=255 {
                let mut changed = out;
                changed[cut] = value;
                if let Ok(packets) = parse(&changed[..len]) {
                    for packet in packets {
                        if let Packet::Report { blocks, .. } = packet {
                            assert!(blocks.count() <= 31);
                        }
                    }
                }
            }
        }
        assert_eq!(parse(&[]).err(), Some(Malformed::TooShort));
        assert_eq!(parse(&[0x80, BYE, 0, 0]).err(), Some(Malformed::NotAReport));
    }

    #[test]
    fn ntp_time_counts_from_1900_with_a_binary_fraction() {
        let ntp = ntp_of(Timestamp::from_micros(1_500_000));
        assert_eq!(ntp, (NTP_EPOCH_S + 1) << 32 | 1 << 31);
    }
}
