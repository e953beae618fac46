//! Sounds played to a leg: prompts, hold music, and tones for digits where events were not negotiated.
//!
//! Their packets lie ready in every codec, so playing one is a header and a copy. A tone goes before a prompt, which waits.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::time::Timestamp;

use super::{Leg, Outbox, Wire};
use crate::control::{Event, Format};
use crate::dtmf::{self, Digit};
use crate::prompt::Prompt;
use crate::rtp::RtpTimestamp;

/// A prompt waits so long for an address to send to, or for keys, before it plays unheard: the first words should not be
/// said while the far end's first packet, or a handshake, is under way.
const WAIT_FOR_LISTENER: Duration = Duration::from_secs(5);
/// A player that is later than this goes on from now instead of catching up in a burst.
const LATE_MAX: Duration = Duration::from_millis(100);
/// The longest tone that lies ready.
const TONE_MAX: Duration = Duration::from_millis(500);

/// A sound on its way.
#[derive(Debug)]
pub(super) struct Player {
    prompt: Arc<Prompt>,
    repeat: bool,
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
            position_ms: 0,
            until_ms: until.map(|until| until.as_millis() as u32),
            next_at: now,
            waits_until: now + WAIT_FOR_LISTENER,
            time: None,
        }
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
    /// Ends the sound, if one plays.
    pub fn stop_sound(&mut self) {
        self.sound = None;
    }

    /// What is sent is now this: a sound goes on from the moment it has reached.
    pub(super) fn play_in(&mut self, send: Format) {
        for player in [&mut self.sound, &mut self.tone].into_iter().flatten() {
            player.time = None;
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
                sound.next_at = now + Duration::from_millis(20);
                sound.time = None;
            }
            return;
        }
        if let Some(mut sound) = self.sound.take() {
            if self.sends_digits() {
                sound.next_at = now + dtmf::PACKET_INTERVAL;
                sound.time = None;
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
            return now < player.waits_until;
        };
        if now.since(player.next_at) > LATE_MAX {
            player.next_at = now;
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

/// The two frequencies of a digit (ITU-T Q.23) at -9 and -11 dBm0, high group louder as telephones do.
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
    const KEYS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
    const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
    let place = KEYS.iter().enumerate().find_map(|(row, keys)| Some((row, keys.find(digit)?)));
    let Some((row, column)) = place else { return Vec::new() };
    let wave = |hz: f64, peak: f64, n: usize| peak * (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin();
    (0..TONE_MAX.as_millis() as usize * 8)
        .map(|n| (wave(LOW[row], 6_400.0, n) + wave(HIGH[column], 8_000.0, n)) as i16)
        .collect()
}
