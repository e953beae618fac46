//! Pauses and losses of G.729, whose decoder makes the noise of both.

use super::network::{packet, voice};
use super::{Heard, Meta, Player};
use crate::codec::Encoder;
use model::media::Codec;

/// A talker and a listener, a packet and a frame each 20 ms.
struct Line {
    encoder: Encoder,
    player: Player,
    now_us: u64,
    n: u32,
}

impl Line {
    fn new() -> Self {
        let (encoder, player) =
            (Encoder::new(Codec::G729, 8_000).unwrap(), Player::new(Codec::G729, 8_000).unwrap());
        Self { encoder, player, now_us: 1_000_000, n: 0 }
    }

    /// What is sent in the next 20 ms, or nothing; what is heard then, and how loud.
    fn passes(&mut self, meta: impl Fn(Meta) -> Meta, payload: Option<&[u8]>) -> (Heard, f64) {
        if let Some(payload) = payload {
            self.player.put(meta(Meta { timestamp: self.n * 160, ..packet(self.n) }), payload, self.now_us);
        }
        self.n += 1;
        self.now_us += 20_000;
        let mut out = [0; 160];
        let heard = self.player.take(self.now_us, &mut out);
        let power = out.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / out.len() as f64;
        (heard, power.sqrt())
    }

    /// The next 20 ms of speech.
    fn speech(&mut self) -> [u8; 20] {
        let from = self.n as usize * 160;
        let samples: Vec<i16> = (from..from + 160).map(voice).collect();
        let mut payload = [0; 20];
        assert_eq!(self.encoder.encode(&samples, &mut payload), Some(20));
        payload
    }
}

/// MEDIA-05, MEDIA-06: every tenth packet is lost, and something is heard in its place.
#[test]
fn g729_plays_through_losses() {
    let (mut line, mut voiced, mut concealed) = (Line::new(), 0, 0);
    for n in 0..200 {
        let payload = line.speech();
        let (heard, loud) = line.passes(|meta| meta, (n % 10 != 7).then_some(&payload));
        assert!(n <= 20 || loud > 300.0, "frame {n} is silent at {loud:.0}: {heard:?}");
        voiced += u32::from(heard == Heard::Voice);
        concealed += u32::from(heard == Heard::Concealed);
    }
    assert_eq!((line.player.counts().late, line.player.counts().lost), (0, 20));
    assert!((18..=20).contains(&concealed) && voiced > 170, "{concealed} concealed, {voiced} voiced");
}

/// MEDIA-05, Annex B: a pause that was described sounds for as long as it lasts, is told anew in the middle of it, and counts as no loss;
/// the speech after it is heard whole.
#[test]
fn a_described_pause_is_noise_until_speech_comes_again() {
    let mut line = Line::new();
    // Numbers go on by what was sent, time by what passed.
    let mut sent = 0u16;
    let mut number = |meta: Meta| {
        sent += 1;
        Meta { seq: 100 + sent, ..meta }
    };
    for n in 0..250u32 {
        let payload = match n {
            ..50 | 150.. => Some(line.speech().to_vec()),
            // The pause begins in the second half of a packet, and is told again after a second.
            50 => Some([&line.speech()[..10], &[0, 10 << 1]].concat()),
            100 => Some(vec![0, 10 << 1]),
            _ => None,
        };
        let numbered = payload.as_ref().map(|_| number(packet(n)).seq);
        let with = |meta: Meta| Meta { seq: numbered.unwrap_or(meta.seq), ..meta };
        let (heard, loud) = line.passes(with, payload.as_deref());
        match n {
            // Until the delay of playout is over, the end of the speech is still heard.
            58..=149 => assert!((2.0..800.0).contains(&loud), "frame {n}: {heard:?} at {loud:.0}"),
            20..=47 | 160.. => assert!(loud > 1_000.0, "frame {n}: {heard:?} at {loud:.0}"),
            _ => {}
        }
    }
    assert_eq!(line.player.counts().lost, 0);
}

/// Another source begins in mid-stream: nothing of the first one's voice colours it.
#[test]
fn another_talker_is_decoded_from_the_beginning() {
    let heard = |before: u32| {
        let mut line = Line::new();
        for _ in 0..before {
            let payload = line.speech();
            line.passes(|meta| meta, Some(&payload));
        }
        let from = line.n;
        line.encoder.reset();
        let mut all = Vec::new();
        for n in 0..50 {
            line.n = n;
            let payload = line.speech();
            line.n = from + n;
            let another = |meta: Meta| Meta { ssrc: 0xB0B, ..meta };
            all.push(line.passes(another, Some(&payload)).1.round() as i64);
        }
        all
    };
    let (alone, after) = (heard(0), heard(100));
    // The end of what was said before is still heard in the first of it.
    assert_eq!(alone[5..], after[5..]);
}
