//! Sounds played to a leg: prompts, hold music, and tones for digits where events were not negotiated.
//!
//! Their packets lie ready in every codec, so playing one is a header and a copy. A tone goes before a prompt, which waits.
//! What many hear at the same place ([`Leg::play_along`]) has its place by the clock: nobody keeps it.
//!
//! A sound that is cut off ends in a packet that dies away, where the far end hears G.711. Opus would have to be encoded for it,
//! with the state of an encoder that has long done its work; its decoders smooth such an edge themselves.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::media::Codec;
use model::time::Timestamp;

use super::{Leg, Outbox, Wire};
use crate::codec::g711;
use crate::control::{Event, Format};
use crate::dtmf::inband::Tones;
use crate::dtmf::{self, Digit};
use crate::prompt::Prompt;
use crate::rtp::RtpTimestamp;

/// A prompt waits so long for an address to send to, or for keys, before it plays unheard: the first words should not be
/// said while the far end's first packet, or a handshake, is under way.
const WAIT_FOR_LISTENER: Duration = Duration::from_secs(5);
/// A player that is later than this goes on from now instead of catching up in a burst.
const LATE_MAX: Duration = Duration::from_millis(100);
/// Samples of the longest packet that dies away: 60 ms.
const FADE_MAX: usize = 480;
/// The longest tone that lies ready.
const TONE_MAX: Duration = Duration::from_millis(500);

/// A sound on its way.
#[derive(Debug)]
pub(super) struct Player {
    prompt: Arc<Prompt>,
    repeat: bool,
    /// Its place is told by the clock.
    along: bool,
    /// How far into it, and where to stop (tones are cut to the length of the digit).
    position_ms: u32,
    until_ms: Option<u32>,
    next_at: Timestamp,
    /// Until when it waits at its beginning for somebody to hear it.
    waits_until: Timestamp,
    /// RTP time of the next packet; `None` when it must be joined to what was sent before.
    time: Option<RtpTimestamp>,
}

impl Player {
    fn new(prompt: Arc<Prompt>, repeat: bool, until: Option<Duration>, now: Timestamp) -> Self {
        Self {
            prompt,
            repeat,
            along: false,
            position_ms: 0,
            until_ms: until.map(|until| until.as_millis() as u32),
            next_at: now,
            waits_until: now + WAIT_FOR_LISTENER,
            time: None,
        }
    }
    /// Goes to where everybody who plays this along is, at the next packet that begins there.
    fn join(&mut self, ptime_ms: u32, now: Timestamp) {
        let length = (self.prompt.length().as_millis() as u64).max(1);
        let begins = now.millis() + 1;
        let place = begins % length;
        let wait = (u64::from(ptime_ms) - place % u64::from(ptime_ms)) % u64::from(ptime_ms);
        let wait = wait.min(length - place);
        self.position_ms = ((place + wait) % length) as u32;
        self.next_at = Timestamp::from_millis(begins + wait);
        self.time = None;
    }
    /// Something else is heard until then. What is played along goes on meanwhile.
    fn put_off(&mut self, until: Timestamp) {
        match self.along {
            true => self.join(20, until),
            false => self.next_at = until,
        }
        self.time = None;
    }
    /// When the next packet is due.
    pub const fn next_deadline(&self) -> Timestamp {
        self.next_at
    }
}

impl Leg {
    /// Whether a sound can be said to the far end, as far as is negotiated.
    pub fn can_sound(&self) -> bool {
        self.setup.as_ref().is_none_or(|setup| setup.send.is_some())
    }
    /// Whether digits can be, as events or as sounds.
    pub fn can_dial(&self) -> bool {
        self.can_sound() || self.setup.as_ref().is_some_and(|setup| setup.events.is_some())
    }

    /// Plays a sound from its beginning.
    pub fn play(&mut self, prompt: Arc<Prompt>, repeat: bool, now: Timestamp) {
        self.sound = Some(Box::new(Player::new(prompt, repeat, None, now)));
    }
    /// Plays a sound over and over, at the same place for all who play it along, whenever they began.
    pub fn play_along(&mut self, prompt: Arc<Prompt>, now: Timestamp) {
        let ptime_ms =
            self.setup.as_ref().and_then(|setup| setup.send).map_or(20, |send| send.ptime_ms.max(1));
        let mut player = Player::new(prompt, true, None, now);
        (player.along, player.waits_until) = (true, now);
        player.join(u32::from(ptime_ms), now);
        self.sound = Some(Box::new(player));
    }
    /// Lets the sound die away that is about to be cut off: one packet more, falling to silence.
    pub fn fade_sound(&mut self, now: Timestamp, wire: &mut dyn Wire) {
        let Some(player) = self.sound.take() else { return };
        let (Some(time), Some(send)) = (player.time, self.setup.as_ref().and_then(|setup| setup.send)) else {
            return;
        };
        let encode = match send.codec {
            Codec::Pcmu => g711::encode_mu,
            Codec::Pcma => g711::encode_a,
            _ => return,
        };
        let Some(to) = self.destination().filter(|_| !self.sends_digits()) else { return };
        let len = (usize::from(send.ptime_ms) * 8).min(FADE_MAX);
        let pcm = player.prompt.pcm_8k();
        let from = player.position_ms as usize * 8;
        if from >= pcm.len() && !player.repeat {
            // All of it was said.
            return;
        }
        // At its end it goes on with its beginning, or with silence.
        let next = |i: usize| match pcm.get(from + i) {
            Some(sample) => *sample,
            None if player.repeat => pcm.get((from + i) % pcm.len().max(1)).copied().unwrap_or(0),
            None => 0,
        };
        let mut payload = [0u8; FADE_MAX];
        let Some(payload) = payload.get_mut(..len) else { return };
        for (i, code) in payload.iter_mut().enumerate() {
            *code = encode((i32::from(next(i)) * (len - 1 - i) as i32 / len as i32) as i16);
        }
        let header = self.outgoing.own(send.payload_type, false, time);
        self.put(&header, payload, to, wire);
        self.outgoing.sent(&header, len, len as u32, now);
    }
    /// Ends the sound, if one plays.
    pub fn stop_sound(&mut self) {
        self.sound = None;
    }

    /// What is sent is now this: a sound goes on from the moment it has reached.
    pub(super) fn play_in(&mut self, send: Format) {
        for player in [&mut self.sound, &mut self.tone].into_iter().flatten() {
            player.time = None;
            if player.along {
                let at = player.next_at;
                player.join(u32::from(send.ptime_ms.max(1)), at);
                continue;
            }
            player.position_ms -= player.position_ms % u32::from(send.ptime_ms.max(1));
        }
    }

    pub(super) fn begin_tone(&mut self, digit: Digit, now: Timestamp) {
        if let Some(prompt) = tone_of(digit.digit) {
            let length = digit.held.clamp(Duration::from_millis(80), TONE_MAX);
            self.tone = Some(Box::new(Player::new(prompt, false, Some(length), now)));
        }
    }

    /// Whether a tone is heard now, so that voices must wait.
    pub(super) const fn sends_tone(&self) -> bool {
        self.tone.is_some()
    }

    /// Sends what is due of tone or sound.
    pub(super) fn play_on(&mut self, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        if let Some(mut tone) = self.tone.take() {
            if self.play_due(&mut tone, now, wire) {
                self.tone = Some(tone);
            }
            if let Some(sound) = &mut self.sound {
                sound.put_off(now + Duration::from_millis(20));
            }
            return;
        }
        if let Some(mut sound) = self.sound.take() {
            if self.sends_digits() {
                sound.put_off(now + dtmf::PACKET_INTERVAL);
                self.sound = Some(sound);
            } else if self.play_due(&mut sound, now, wire) {
                self.sound = Some(sound);
            } else {
                out.events.push(Event::PromptEnded { leg: self.id });
            }
        }
    }

    /// Sends the packets of a player that are due; false when it is at its end.
    fn play_due(&mut self, player: &mut Player, now: Timestamp, wire: &mut dyn Wire) -> bool {
        let Some(send) = self.send_format() else {
            player.next_at = now + Duration::from_millis(20);
            return player.along || now < player.waits_until;
        };
        if now.since(player.next_at) > LATE_MAX {
            match player.along {
                true => player.join(u32::from(send.ptime_ms.max(1)), now),
                false => player.next_at = now,
            }
        }
        while now >= player.next_at {
            let to = self.destination();
            if to.is_none() && player.position_ms == 0 && now < player.waits_until {
                player.next_at = now + Duration::from_millis(20);
                return true;
            }
            let prompt = Arc::clone(&player.prompt);
            let Some(frames) = prompt.frames(send.codec, send.ptime_ms) else { return false };
            let ptime_ms = u32::from(frames.ptime_ms().max(1));
            let over = player.until_ms.is_some_and(|until| player.position_ms >= until);
            let frame = match frames.get((player.position_ms / ptime_ms) as usize).filter(|_| !over) {
                Some(frame) => frame,
                None if player.repeat => {
                    player.position_ms = 0;
                    let Some(first) = frames.get(0) else { return false };
                    first
                }
                None => return false,
            };
            self.outgoing.set_clock(send.codec.clock_hz());
            let joined = player.time.is_none();
            let time = player.time.unwrap_or_else(|| self.outgoing.time_at(now));
            if let Some(to) = to {
                let header = self.outgoing.own(send.payload_type, joined, time);
                self.put(&header, frame.payload, to, wire);
                self.outgoing.sent(&header, frame.payload.len(), frame.ticks, now);
            }
            player.time = to.map(|_| time.plus(frame.ticks));
            player.position_ms += ptime_ms;
            // A last packet may be shorter than the others: the next one follows it as soon.
            let clock_hz = u64::from(send.codec.clock_hz());
            player.next_at =
                player.next_at + Duration::from_micros(u64::from(frame.ticks) * 1_000_000 / clock_hz);
        }
        true
    }
}

/// Makes the sixteen tones, so that no media thread has to; takes some hundredths of a second once a process.
pub fn prepare_tones() {
    let _ = tone_of('0');
}

/// A digit as a tone.
fn tone_of(digit: char) -> Option<Arc<Prompt>> {
    static TONES: OnceLock<Vec<Option<Arc<Prompt>>>> = OnceLock::new();
    let tones = TONES.get_or_init(|| {
        let tone =
            |digit| Prompt::from_pcm(format!("dtmf {digit}"), 8_000, &dual_tone(digit)).ok().map(Arc::new);
        (0..16).filter_map(dtmf::digit_of).map(tone).collect()
    });
    tones.get(usize::from(dtmf::code_of(digit)?))?.clone()
}

fn dual_tone(digit: char) -> Vec<i16> {
    let mut samples = vec![0; TONE_MAX.as_millis() as usize * 8];
    let len = Tones::new(digit, TONE_MAX, 8_000).map_or(0, |mut tones| tones.fill(&mut samples));
    samples.truncate(len);
    samples
}
