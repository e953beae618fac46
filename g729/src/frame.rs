//! Frames as they lie in a packet (RFC 3551 section 4.5.6).

use crate::bits::{Silence, Speech};

/// Samples of a frame: 10 ms.
pub const SAMPLES: usize = 80;
/// Octets of a speech frame.
pub const SPEECH_OCTETS: usize = 10;
/// Octets of a description of silence.
pub const SILENCE_OCTETS: usize = 2;

/// What arrived for 10 ms, or that nothing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Ten octets.
    Speech(Speech),
    /// Two octets: how the silence sounds (SID).
    Silence(Silence),
    /// Nothing was sent: the silence goes on (Annex B).
    Untransmitted,
    /// It was lost.
    Erased,
}

impl Frame {
    /// The frame these octets are: ten, two or none of them. Other lengths are no frame.
    pub fn from_octets(octets: &[u8]) -> Option<Frame> {
        match octets.len() {
            0 => Some(Frame::Untransmitted),
            SILENCE_OCTETS => Some(Frame::Silence(Silence::from_octets(octets.try_into().ok()?))),
            SPEECH_OCTETS => Some(Frame::Speech(Speech::from_octets(octets.try_into().ok()?))),
            _ => None,
        }
    }
}

/// The frames of a packet's payload: speech frames, and at most one description of silence after them.
///
/// `None` if the length fits no number of frames.
pub fn frames(payload: &[u8]) -> Option<impl Iterator<Item = Frame> + Clone + '_> {
    matches!(payload.len() % SPEECH_OCTETS, 0 | SILENCE_OCTETS)
        .then(|| payload.chunks(SPEECH_OCTETS).filter_map(Frame::from_octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_speech_frames_and_perhaps_a_silence_after_them() {
        let kinds = |length: usize| {
            frames(&[0; 60][..length])
                .map(|all| all.map(|frame| matches!(frame, Frame::Speech(_))).collect::<Vec<_>>())
        };
        assert_eq!(kinds(20), Some(vec![true, true]));
        assert_eq!(kinds(12), Some(vec![true, false]));
        assert_eq!(kinds(2), Some(vec![false]));
        assert_eq!(kinds(0), Some(vec![]));
        for wrong in [1, 3, 9, 11, 13, 21, 24] {
            assert_eq!(kinds(wrong), None);
        }
    }
}
