//! RTCP feedback between video's receiver and sender: lost pictures and packets (RFC 4585), whole pictures (RFC 5104 §4.3.1),
//! and how much may be sent (REMB, draft-alvestrand-rmcat-remb-03).
//!
//! Reading believes nothing: a packet says something about one of our streams, or it is [`Meaning::Other`]. Writing puts
//! single packets; they travel behind a report in a compound packet (RFC 4585 §3.1).

use super::SeqNo;

/// Transport-layer feedback.
pub(super) const TRANSPORT: u8 = 205;
/// Payload-specific feedback.
pub(super) const PAYLOAD: u8 = 206;

const NACK: u8 = 1;
const PLI: u8 = 1;
const FIR: u8 = 4;
/// Application layer feedback, of which REMB is a kind.
const APPLICATION: u8 = 15;
const REMB: [u8; 4] = *b"REMB";

/// One feedback packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback<'a> {
    kind: u8,
    format: u8,
    /// The stream it is about; 0 where the packet itself lists streams.
    media: u32,
    fci: &'a [u8],
}

/// What a feedback packet says about a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// Packets are missing.
    Nack(Nacks<'a>),
    /// A picture is lost.
    PictureLoss,
    /// A whole picture is wanted, with or without a loss.
    FullIntra,
    /// No more than this should be sent, in bits per second.
    Bandwidth(u64),
    /// Something else, or about somebody else.
    Other,
}

/// A missing packet, and which of the sixteen after it are missing too: bit n for the number n + 1 later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nack {
    /// The first.
    pub first: SeqNo,
    /// The others.
    pub more: u16,
}

/// The missing packets of one feedback packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nacks<'a> {
    rest: &'a [u8],
}

impl Iterator for Nacks<'_> {
    type Item = Nack;
    fn next(&mut self) -> Option<Nack> {
        let ([a, b, c, d], rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(Nack { first: SeqNo(u16::from_be_bytes([*a, *b])), more: u16::from_be_bytes([*c, *d]) })
    }
}

impl<'a> Feedback<'a> {
    /// Reads the body of an RTCP packet of this kind; `None` when it is too short to be feedback.
    pub(super) fn read(kind: u8, format: u8, body: &'a [u8]) -> Option<Self> {
        let (head, fci) = body.split_first_chunk::<8>()?;
        let media = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        Some(Self { kind, format, media, fci })
    }

    /// What it says about the stream `ssrc`.
    pub fn about(&self, ssrc: u32) -> Meaning<'a> {
        match (self.kind, self.format) {
            (TRANSPORT, NACK) if self.media == ssrc => Meaning::Nack(Nacks { rest: self.fci }),
            (PAYLOAD, PLI) if self.media == ssrc => Meaning::PictureLoss,
            (PAYLOAD, FIR)
                if self.fci.chunks_exact(8).any(|entry| entry.starts_with(&ssrc.to_be_bytes())) =>
            {
                Meaning::FullIntra
            }
            (PAYLOAD, APPLICATION) => self.bandwidth(ssrc).map_or(Meaning::Other, Meaning::Bandwidth),
            _ => Meaning::Other,
        }
    }

    fn bandwidth(&self, ssrc: u32) -> Option<u64> {
        let (head, listed) = self.fci.split_first_chunk::<8>()?;
        let listed = listed.get(..usize::from(head[4]) * 4)?;
        let ours = listed.chunks_exact(4).any(|one| one == ssrc.to_be_bytes());
        let exponent = u32::from(head[5] >> 2);
        let mantissa = u64::from(head[5] & 3) << 16 | u64::from(head[6]) << 8 | u64::from(head[7]);
        // Six bits of exponent reach beyond any number of bits there is.
        let bits = u128::from(mantissa) << exponent;
        (head.starts_with(&REMB) && ours).then(|| u64::try_from(bits).unwrap_or(u64::MAX))
    }
}

/// Writes "a picture of `media` is lost"; the length, 0 without room.
pub fn picture_loss(out: &mut [u8], ours: u32, media: u32) -> usize {
    write(out, (PAYLOAD, PLI), [ours, media], &[])
}

/// Writes "a whole picture of `media` is wanted"; `number` is another with each new wish.
pub fn full_intra(out: &mut [u8], ours: u32, media: u32, number: u8) -> usize {
    let [a, b, c, d] = media.to_be_bytes();
    // The stream is named in the entry, not in the head (RFC 5104 §4.3.1.2).
    write(out, (PAYLOAD, FIR), [ours, 0], &[[a, b, c, d], [number, 0, 0, 0]])
}

/// Writes "no more than so many bits per second for `media`". They are rounded down to 18 bits of precision.
pub fn bandwidth(out: &mut [u8], ours: u32, media: u32, bits_per_second: u64) -> usize {
    let exponent = (64 - bits_per_second.leading_zeros()).saturating_sub(18);
    let [.., a, b, c] = (bits_per_second >> exponent).to_be_bytes();
    let number = [1, (exponent as u8) << 2 | a & 3, b, c];
    write(out, (PAYLOAD, APPLICATION), [ours, 0], &[REMB, number, media.to_be_bytes()])
}

/// Writes "these packets of `media` are missing".
pub fn nack(out: &mut [u8], ours: u32, media: u32, missing: &[Nack]) -> usize {
    let len = write(out, (TRANSPORT, NACK), [ours, media], &[]);
    let Some(places) = out.get_mut(len..len + 4 * missing.len()).filter(|_| len > 0) else { return 0 };
    for (place, one) in places.chunks_exact_mut(4).zip(missing) {
        let ([a, b], [c, d]) = (one.first.0.to_be_bytes(), one.more.to_be_bytes());
        place.copy_from_slice(&[a, b, c, d]);
    }
    let words = (2 + missing.len()) as u8;
    if let Some(place) = out.get_mut(3) {
        *place = words;
    }
    len + 4 * missing.len()
}

fn write(out: &mut [u8], (kind, format): (u8, u8), ssrcs: [u32; 2], fci: &[[u8; 4]]) -> usize {
    let len = 12 + 4 * fci.len();
    let Some(out) = out.get_mut(..len) else { return 0 };
    let (head, rest) = out.split_at_mut(12);
    head[..4].copy_from_slice(&[0x80 | format, kind, 0, (2 + fci.len()) as u8]);
    head[4..8].copy_from_slice(&ssrcs[0].to_be_bytes());
    head[8..].copy_from_slice(&ssrcs[1].to_be_bytes());
    for (place, word) in rest.chunks_exact_mut(4).zip(fci) {
        place.copy_from_slice(word);
    }
    len
}

#[cfg(test)]
mod tests {
    use super::super::rtcp::{self, Packet, Report};
    use super::*;

    const OURS: u32 = 0x0102_0304;
    const THEIRS: u32 = 0xFACE_B00C;

    /// What a compound packet with this feedback says about `ssrc`.
    fn said(feedback: &[u8], ssrc: u32) -> Vec<String> {
        let mut compound = [0; 600];
        let report = Report { ssrc: OURS, sender: None, block: None, cname: "leg", bye: false };
        let len = rtcp::build(&mut compound, &report);
        compound[len..len + feedback.len()].copy_from_slice(feedback);
        rtcp::parse(&compound[..len + feedback.len()])
            .unwrap()
            .filter_map(|packet| match packet {
                Packet::Feedback(feedback) => Some(match feedback.about(ssrc) {
                    Meaning::Nack(nacks) => format!("{:?}", nacks.collect::<Vec<_>>()),
                    other => format!("{other:?}"),
                }),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_is_written_reads_back_and_concerns_the_one_stream() {
        let mut out = [0; 100];
        let len = picture_loss(&mut out, OURS, THEIRS);
        assert_eq!(said(&out[..len], THEIRS), ["PictureLoss"]);
        assert_eq!(said(&out[..len], 1), ["Other"]);
        let len = full_intra(&mut out, OURS, THEIRS, 9);
        assert_eq!(
            (said(&out[..len], THEIRS), said(&out[..len], 0)),
            (vec!["FullIntra".into()], vec!["Other".into()])
        );
        let missing = [Nack { first: SeqNo(65_535), more: 0x8001 }, Nack { first: SeqNo(40), more: 0 }];
        let len = nack(&mut out, OURS, THEIRS, &missing);
        assert_eq!((len, said(&out[..len], THEIRS)), (20, vec![format!("{missing:?}")]));
        assert_eq!(said(&out[..len], OURS), ["Other"]);
    }

    #[test]
    fn a_bandwidth_is_rounded_down_and_never_wraps() {
        let mut out = [0; 100];
        for (bits, told) in
            [(816_000, 816_000), (1, 1), ((1 << 18) - 1, (1 << 18) - 1), (1_000_003, 1_000_000), (0, 0)]
        {
            let len = bandwidth(&mut out, OURS, THEIRS, bits);
            assert_eq!(said(&out[..len], THEIRS), [format!("Bandwidth({told})")], "{bits}");
        }
        let len = bandwidth(&mut out, OURS, THEIRS, 1);
        out[17] = 0xFF;
        assert_eq!(said(&out[..len], THEIRS), [format!("Bandwidth({})", u64::MAX)]);
    }

    #[test]
    fn no_changed_or_cut_feedback_causes_a_panic() {
        let mut out = [0; 100];
        let missing = [Nack::default(); 4];
        let mut all = Vec::new();
        for len in [picture_loss(&mut out, OURS, THEIRS), full_intra(&mut out, OURS, THEIRS, 1)] {
            all.push(out[..len].to_vec());
        }
        let len = bandwidth(&mut out, OURS, THEIRS, 960_000);
        all.push(out[..len].to_vec());
        let len = nack(&mut out, OURS, THEIRS, &missing);
        all.push(out[..len].to_vec());
        for packet in all {
            for at in 0..packet.len() {
                for value in 0..=255 {
                    let mut changed = packet.clone();
                    changed[at] = value;
                    for cut in [changed.len(), at] {
                        let body = changed.get(4..cut).unwrap_or_default();
                        let read = Feedback::read(changed[1], changed[0] & 0x1F, body);
                        if let Some(Meaning::Nack(nacks)) = read.map(|it| it.about(THEIRS)) {
                            assert!(nacks.count() <= 4);
                        }
                    }
                }
            }
        }
        assert_eq!(nack(&mut [0; 15], OURS, THEIRS, &missing[..1]), 0);
    }
}
