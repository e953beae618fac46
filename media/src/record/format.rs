//! The container's octets: header and records, written and read. Told in `docs/protocols/recording.md`.
//!
//! All numbers are little-endian. Every record carries its length and a CRC-32, so a torn end is seen; what a record means
//! never depends on the one before.

use model::id::{Id, LegId, RecordingId, UserId};
use model::media::Codec;

use crate::control::{Channel, PauseReason};

/// What a container says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which recording.
    pub recording: RecordingId,
    /// When it began: microseconds since 1970 (UTC).
    pub wall_us: u64,
    /// The same moment on the clock of the arrival times.
    pub at_us: u64,
}

/// One RTP payload of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Whose words.
    pub channel: Channel,
    /// In which codec.
    pub codec: Codec,
    /// Counts up whenever numbers and timestamps begin anew: another leg, another SSRC.
    pub epoch: u16,
    /// RTP sequence number.
    pub seq: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// When it came, in microseconds of a clock that never runs back.
    pub at_us: u64,
    /// The payload itself, padding removed.
    pub octets: &'a [u8],
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Words.
    Payload(Payload<'a>),
    /// A channel captures another leg from now on.
    Tap {
        /// The channel.
        channel: Channel,
        /// Whose words; `None`: nobody's.
        leg: Option<LegId>,
        /// Since when.
        at_us: u64,
    },
    /// Nothing is captured from now on, on purpose (card data).
    Pause {
        /// Since when.
        at_us: u64,
        /// Why.
        why: PauseReason,
    },
    /// Capturing goes on.
    Resume {
        /// Since when.
        at_us: u64,
    },
    /// Payloads that came but could not be written.
    Missed {
        /// How many.
        count: u64,
        /// When it was noticed; 0 where nobody looked at the clock.
        at_us: u64,
    },
    /// The chain over everything before.
    Seal {
        /// Records before this one.
        records: u64,
        /// SHA-256 over the seal before and all octets since.
        hash: [u8; 32],
    },
    /// A stretch was erased later: nothing is kept of it (RECO-05).
    Erased {
        /// Since when.
        from_us: u64,
        /// Until when.
        to_us: u64,
        /// When it was erased: microseconds since 1970 (UTC).
        wall_us: u64,
        /// Who erased it; `None`: a rule.
        by: Option<UserId>,
    },
    /// The recording was ended in order.
    End {
        /// When.
        at_us: u64,
        /// Payloads written.
        frames: u64,
        /// Payloads that could not be written.
        missing: u64,
    },
}

/// Why a file cannot be read as a container at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has no valid header: the process died before it was written, or it is something else.
    #[error("not a recording container, or cut off in its header")]
    NoHead,
    /// A newer program wrote it.
    #[error("container version {0} is not known; this program reads versions 1 and 2")]
    Version(u16),
    /// It is encrypted, and no key was given, or none that opens it.
    #[error("the container is encrypted, and there is no key that opens it")]
    NoKey,
    /// The system refused.
    #[error("the container cannot be read")]
    Io(#[from] std::io::Error),
}

/// First octets of every container. The line ends show damage by text transfer at once, as in PNG.
const MAGIC: [u8; 8] = [0x89, b'P', b'B', b'R', 0x0D, 0x0A, 0x1A, 0x0A];
/// Records in the clear.
const PLAIN: u16 = 1;
/// Records in encrypted blocks.
const SEALED: u16 = 2;
/// Octets of the header.
pub(super) const HEAD_LEN: usize = 52;
/// Octets before a record's body.
pub(super) const RECORD_HEAD: usize = 8;
/// Octets of a payload record before the payload.
const PAYLOAD_HEAD: usize = 18;
/// Largest payload: what a datagram on Ethernet carries.
pub(super) const OCTETS_MAX: usize = 1_500;
/// Largest body.
pub(super) const BODY_MAX: usize = PAYLOAD_HEAD + OCTETS_MAX;

const PAYLOAD: u8 = 1;
const TAP: u8 = 2;
const PAUSE: u8 = 3;
const RESUME: u8 = 4;
const MISSED: u8 = 5;
const SEAL: u8 = 6;
const END: u8 = 7;
const ERASED: u8 = 8;

const NO_CHANNEL: u8 = 0xFF;

impl Head {
    pub(super) fn encode(&self, sealed: bool) -> [u8; HEAD_LEN] {
        let mut out = [0; HEAD_LEN];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&(if sealed { SEALED } else { PLAIN }).to_le_bytes());
        out[10..12].copy_from_slice(&(HEAD_LEN as u16).to_le_bytes());
        out[12..28].copy_from_slice(self.recording.uuid().as_bytes());
        out[28..36].copy_from_slice(&self.wall_us.to_le_bytes());
        out[36..44].copy_from_slice(&self.at_us.to_le_bytes());
        let crc = crc32fast::hash(&out[..48]);
        out[48..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// And whether records are encrypted.
    pub(super) fn decode(octets: &[u8; HEAD_LEN]) -> Result<(Self, bool), ReadError> {
        let mut fields = Fields(octets);
        if fields.array() != Some(MAGIC) {
            return Err(ReadError::NoHead);
        }
        let sealed = match fields.array().map(u16::from_le_bytes) {
            Some(PLAIN) => false,
            Some(SEALED) => true,
            Some(other) => return Err(ReadError::Version(other)),
            None => return Err(ReadError::NoHead),
        };
        let parse = |mut fields: Fields<'_>| {
            let _len: [u8; 2] = fields.array()?;
            let recording = RecordingId::from_uuid(uuid::Uuid::from_bytes(fields.array()?));
            let (wall_us, at_us) = (fields.u64()?, fields.u64()?);
            let _reserved: [u8; 4] = fields.array()?;
            let crc = u32::from_le_bytes(fields.array()?);
            (crc == crc32fast::hash(&octets[..48])).then_some((Self { recording, wall_us, at_us }, sealed))
        };
        parse(fields).ok_or(ReadError::NoHead)
    }
}

impl Entry<'_> {
    /// Appends the record. A payload longer than [`OCTETS_MAX`] is not written: `false`.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        let (kind, channel) = match self {
            Entry::Payload(p) if p.octets.len() > OCTETS_MAX => return false,
            Entry::Payload(p) => (PAYLOAD, channel_octet(p.channel)),
            Entry::Tap { channel, .. } => (TAP, channel_octet(*channel)),
            Entry::Pause { .. } => (PAUSE, NO_CHANNEL),
            Entry::Resume { .. } => (RESUME, NO_CHANNEL),
            Entry::Missed { .. } => (MISSED, NO_CHANNEL),
            Entry::Seal { .. } => (SEAL, NO_CHANNEL),
            Entry::Erased { .. } => (ERASED, NO_CHANNEL),
            Entry::End { .. } => (END, NO_CHANNEL),
        };
        out.extend_from_slice(&[kind, channel, 0, 0, 0, 0, 0, 0]);
        match self {
            Entry::Payload(p) => {
                out.extend_from_slice(&[codec_octet(p.codec), 0]);
                out.extend_from_slice(&p.epoch.to_le_bytes());
                out.extend_from_slice(&p.seq.to_le_bytes());
                out.extend_from_slice(&p.timestamp.to_le_bytes());
                out.extend_from_slice(&p.at_us.to_le_bytes());
                out.extend_from_slice(p.octets);
            }
            Entry::Tap { leg, at_us, .. } => {
                out.extend_from_slice(&at_us.to_le_bytes());
                if let Some(leg) = leg {
                    out.extend_from_slice(leg.uuid().as_bytes());
                }
            }
            Entry::Pause { at_us, why } => {
                out.extend_from_slice(&at_us.to_le_bytes());
                out.push(match why {
                    PauseReason::NotSaid => 0,
                    PauseReason::CardData => 1,
                    PauseReason::Proxy => 2,
                });
            }
            Entry::Resume { at_us } => out.extend_from_slice(&at_us.to_le_bytes()),
            Entry::Missed { count, at_us } => {
                out.extend_from_slice(&at_us.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
            }
            Entry::Seal { records, hash } => {
                out.extend_from_slice(&records.to_le_bytes());
                out.extend_from_slice(hash);
            }
            Entry::Erased { from_us, to_us, wall_us, by } => {
                [from_us, to_us, wall_us].into_iter().for_each(|us| out.extend_from_slice(&us.to_le_bytes()));
                out.extend_from_slice(by.map_or(uuid::Uuid::nil(), |by| by.uuid()).as_bytes());
            }
            Entry::End { at_us, frames, missing } => {
                out.extend_from_slice(&at_us.to_le_bytes());
                out.extend_from_slice(&frames.to_le_bytes());
                out.extend_from_slice(&missing.to_le_bytes());
            }
        }
        let len = (out.len() - from - RECORD_HEAD) as u16;
        out[from + 2..from + 4].copy_from_slice(&len.to_le_bytes());
        let crc = checksum(&out[from..from + 4], &out[from + RECORD_HEAD..]);
        out[from + 4..from + 8].copy_from_slice(&crc.to_le_bytes());
        true
    }
}

/// What stands at the beginning of some octets.
pub(super) enum Parsed<'a> {
    /// A record and its length.
    Entry(Entry<'a>, usize),
    /// More octets are needed to tell.
    Short,
    /// No record begins here.
    Damaged,
}

/// Reads one record from the beginning of `octets`.
pub(super) fn parse(octets: &[u8]) -> Parsed<'_> {
    let mut fields = Fields(octets);
    let Some([kind, channel, len_low, len_high, c0, c1, c2, c3]) = fields.array::<8>() else {
        return Parsed::Short;
    };
    let len = usize::from(u16::from_le_bytes([len_low, len_high]));
    if len > BODY_MAX || !(PAYLOAD..=ERASED).contains(&kind) {
        return Parsed::Damaged;
    }
    let Some(body) = fields.0.get(..len) else { return Parsed::Short };
    if checksum(&octets[..4], body) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Parsed::Damaged;
    }
    match entry(kind, channel, Fields(body)) {
        Some(entry) => Parsed::Entry(entry, RECORD_HEAD + len),
        None => Parsed::Damaged,
    }
}

fn entry<'a>(kind: u8, channel: u8, mut body: Fields<'a>) -> Option<Entry<'a>> {
    let channel = || match channel {
        0 => Some(Channel::Left),
        1 => Some(Channel::Right),
        _ => None,
    };
    Some(match kind {
        PAYLOAD => {
            let codec = codec_of(body.array::<2>()?[0])?;
            Entry::Payload(Payload {
                channel: channel()?,
                codec,
                epoch: u16::from_le_bytes(body.array()?),
                seq: u16::from_le_bytes(body.array()?),
                timestamp: u32::from_le_bytes(body.array()?),
                at_us: body.u64()?,
                octets: body.0,
            })
        }
        TAP => {
            let at_us = body.u64()?;
            let leg = body.array().map(|octets| LegId::from_uuid(uuid::Uuid::from_bytes(octets)));
            Entry::Tap { channel: channel()?, leg, at_us }
        }
        PAUSE => {
            let at_us = body.u64()?;
            let why = match body.array() {
                Some([1]) => PauseReason::CardData,
                Some([2]) => PauseReason::Proxy,
                _ => PauseReason::NotSaid,
            };
            Entry::Pause { at_us, why }
        }
        RESUME => Entry::Resume { at_us: body.u64()? },
        MISSED => {
            let at_us = body.u64()?;
            Entry::Missed { at_us, count: body.u64()? }
        }
        SEAL => Entry::Seal { records: body.u64()?, hash: body.array()? },
        ERASED => Entry::Erased {
            from_us: body.u64()?,
            to_us: body.u64()?,
            wall_us: body.u64()?,
            by: Some(uuid::Uuid::from_bytes(body.array()?)).filter(|by| !by.is_nil()).map(UserId::from_uuid),
        },
        END => Entry::End { at_us: body.u64()?, frames: body.u64()?, missing: body.u64()? },
        _ => return None,
    })
}

/// Takes fields from the front; `None` when there are too few octets.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(head);
    crc.update(body);
    crc.finalize()
}

fn channel_octet(channel: Channel) -> u8 {
    match channel {
        Channel::Left => 0,
        Channel::Right => 1,
    }
}

/// The static payload types of RFC 3551, and what browsers use for Opus.
fn codec_octet(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::G729 => 18,
        Codec::Opus => 111,
    }
}

fn codec_of(octet: u8) -> Option<Codec> {
    match octet {
        0 => Some(Codec::Pcmu),
        8 => Some(Codec::Pcma),
        9 => Some(Codec::G722),
        18 => Some(Codec::G729),
        111 => Some(Codec::Opus),
        _ => None,
    }
}
