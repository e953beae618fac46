//! Telephone events (RFC 4733): digits as packets and back.
//!
//! [`Receiver`] tells each digit once, however many of its packets came: its three end packets, a lost end, a repeated
//! packet all make one digit. [`Sender`] makes the packets of digits: first one with the marker, one each 20 ms with the
//! growing duration, three at the end with the final one. Digits as tones are in [`inband`].

pub mod inband;

use std::collections::VecDeque;
use std::time::Duration;

use model::time::Timestamp;

/// Octets of an event payload (§2.3).
pub const PAYLOAD_LEN: usize = 4;
/// Time between two packets of an event we send.
pub const PACKET_INTERVAL: Duration = Duration::from_millis(20);
/// An event none of whose packets came for this long has ended, though its end packets were lost: several packet times,
/// less than a person needs for the next digit.
const LOST_END_AFTER: Duration = Duration::from_millis(150);
/// Digits that wait to be sent at most; more are refused.
pub const DIGITS_MAX: usize = 128;
/// How loud: -10 dBm0, as telephones send (§2.3.4 counts downward).
const VOLUME: u8 = 10;
/// The pause that a comma stands for.
const COMMA: Duration = Duration::from_secs(1);
/// The shortest gap between digits that detectors at the far end take for one.
const GAP_MIN: Duration = Duration::from_millis(50);
/// The shortest digit (ITU-T Q.24 wants 40 ms at least).
const DIGIT_MIN: Duration = Duration::from_millis(40);
/// The longest digit we send: its duration fits 16 bits of a 48 kHz clock.
const DIGIT_MAX: Duration = Duration::from_millis(1_300);

const DIGITS: &[u8; 16] = b"0123456789*#ABCD";

/// The event code of a digit (§3.2).
pub fn code_of(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    DIGITS.iter().position(|known| char::from(*known) == digit).map(|at| at as u8)
}

/// The digit of an event code; `None` for events that are no digits (flash, tones).
pub fn digit_of(code: u8) -> Option<char> {
    DIGITS.get(usize::from(code)).map(|digit| char::from(*digit))
}

/// The payload of one event packet (§2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which event.
    pub code: u8,
    /// Whether it is over.
    pub end: bool,
    /// How loud, in -dBm0.
    pub volume: u8,
    /// How long so far, in ticks of the clock.
    pub duration: u16,
}

impl Event {
    /// Reads a payload. Several events in one packet (§2.5.1.5 of the older RFC 2833) are not in use; the first is read.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, high, low] = *payload.first_chunk::<PAYLOAD_LEN>()?;
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { code, end: flags & 0x80 != 0, volume: flags & 0x3F, duration })
    }
    /// The payload.
    pub fn octets(self) -> [u8; PAYLOAD_LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | self.volume & 0x3F, high, low]
    }
    /// The same event in the units of another clock.
    pub fn in_clock(self, from_hz: u32, to_hz: u32) -> Self {
        let ticks = u64::from(self.duration) * u64::from(to_hz) / u64::from(from_hz.max(1));
        Self { duration: u16::try_from(ticks).unwrap_or(u16::MAX), ..self }
    }
}

/// A digit that was held and let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// `0-9 * # A-D`.
    pub digit: char,
    /// How long it was held.
    pub held: Duration,
}

/// Makes digits of event packets.
#[derive(Clone, Debug)]
pub struct Receiver {
    clock_hz: u32,
    current: Option<Current>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    /// Timestamp of the event's beginning, which names it.
    began: u32,
    /// Timestamp of the present segment: events longer than 16 bits go on under a later one (§2.5.1.3).
    segment: u32,
    code: u8,
    ticks: u32,
    told: bool,
    last_packet: Timestamp,
}

impl Receiver {
    /// A receiver for events counted in this clock.
    pub const fn new(clock_hz: u32) -> Self {
        Self { clock_hz, current: None }
    }

    /// An event packet with this RTP timestamp. Up to two digits end with it: one whose end was lost, and its own.
    pub fn packet(&mut self, timestamp: u32, event: Event, now: Timestamp) -> [Option<Digit>; 2] {
        let mut before = None;
        match &mut self.current {
            Some(current) if current.goes_on(timestamp, event.code) => {
                if timestamp != current.segment {
                    current.segment = timestamp;
                }
                let ticks = timestamp.wrapping_sub(current.began) + u32::from(event.duration);
                current.ticks = current.ticks.max(ticks);
                current.last_packet = now;
            }
            // An overtaken packet of an event before the present one.
            Some(current) if timestamp.wrapping_sub(current.began).cast_signed() < 0 => return [None, None],
            current => {
                before = current.as_mut().and_then(|current| current.tell(self.clock_hz));
                *current = Some(Current {
                    began: timestamp,
                    segment: timestamp,
                    code: event.code,
                    ticks: u32::from(event.duration),
                    told: false,
                    last_packet: now,
                });
            }
        }
        let own = self.current.as_mut().filter(|_| event.end).and_then(|current| current.tell(self.clock_hz));
        [before, own]
    }

    /// A digit whose end packets were lost, when its time is over.
    pub fn expire(&mut self, now: Timestamp) -> Option<Digit> {
        let clock_hz = self.clock_hz;
        self.current
            .as_mut()
            .filter(|current| now.since(current.last_packet) >= LOST_END_AFTER)?
            .tell(clock_hz)
    }

    /// When [`Receiver::expire`] should be asked.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.current.filter(|current| !current.told).map(|current| current.last_packet + LOST_END_AFTER)
    }
}

impl Current {
    fn goes_on(&self, timestamp: u32, code: u8) -> bool {
        // A later segment begins exactly where the 16 bits of the one before ended, give or take a packet time.
        let step = timestamp.wrapping_sub(self.segment);
        code == self.code && (step == 0 || !self.told && (0xF000..=0xFFFF).contains(&step))
    }
    fn tell(&mut self, clock_hz: u32) -> Option<Digit> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let micros = u64::from(self.ticks) * 1_000_000 / u64::from(clock_hz.max(1));
        digit_of(self.code).map(|digit| Digit { digit, held: Duration::from_micros(micros) })
    }
}

/// An event packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToSend {
    /// Whether it is the first of its event: a new timestamp, and the marker (§2.5.1.1).
    pub first: bool,
    /// The payload.
    pub event: Event,
}

/// What a [`Sender`] wants at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this now.
    Send(ToSend),
    /// Begin this digit as a tone: events were not negotiated.
    Tone(Digit),
    /// All digits are out.
    Done,
}

/// Makes event packets of digits.
#[derive(Clone, Debug)]
pub struct Sender {
    waiting: VecDeque<(Option<u8>, Duration)>,
    now_sending: Option<Sending>,
    next_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    code: u8,
    began: Timestamp,
    length: Duration,
    /// End packets sent.
    ends: u8,
    first: bool,
}

impl Sender {
    /// Digits to send from `now` on, each held for `each`. `None` when a character is no digit, or there are too many.
    pub fn new(digits: &str, each: Duration, now: Timestamp) -> Option<Self> {
        let mut sender = Self { waiting: VecDeque::new(), now_sending: None, next_at: now };
        sender.add(digits, each).then_some(sender)
    }

    /// Appends digits; false, and nothing appended, when a character is no digit or there are too many.
    pub fn add(&mut self, digits: &str, each: Duration) -> bool {
        let length = each.clamp(DIGIT_MIN, DIGIT_MAX);
        let known = |digit| digit == ',' || code_of(digit).is_some();
        if digits.chars().count() + self.waiting.len() > DIGITS_MAX || !digits.chars().all(known) {
            return false;
        }
        self.waiting.extend(digits.chars().map(|digit| (code_of(digit), length)));
        true
    }

    /// When [`Sender::step`] has something to say.
    pub const fn next_deadline(&self) -> Timestamp {
        self.next_at
    }

    /// Whether a digit is being sent, so that audio must wait.
    pub const fn is_sending(&self) -> bool {
        self.now_sending.is_some()
    }

    /// What is due at `now`; ask again until it is `None`. `clock_hz`: the clock of the events, `None`: tones.
    pub fn step(&mut self, clock_hz: Option<u32>, now: Timestamp) -> Option<Step> {
        if now < self.next_at {
            return None;
        }
        if let Some(sending) = &mut self.now_sending {
            // Durations grow by whole packet times, whatever the moment we were called: a late call must not lengthen it.
            let clock = u64::from(clock_hz.unwrap_or(8_000));
            let grown = self.next_at.since(sending.began) + PACKET_INTERVAL;
            let held = grown.min(sending.length);
            let end = grown >= sending.length;
            let duration = (held.as_micros() as u64 * clock / 1_000_000).min(u64::from(u16::MAX)) as u16;
            let event = Event { code: sending.code, end, volume: VOLUME, duration };
            let step = Step::Send(ToSend { first: std::mem::take(&mut sending.first), event });
            self.next_at = self.next_at + PACKET_INTERVAL;
            if end {
                sending.ends += 1;
                if sending.ends == 3 {
                    let gap = sending.length.max(GAP_MIN);
                    self.next_at = (sending.began + sending.length + gap).max(self.next_at);
                    self.now_sending = None;
                }
            }
            return Some(step);
        }
        match self.waiting.pop_front() {
            Some((Some(code), length)) => {
                if clock_hz.is_none() {
                    self.next_at = now + length + length.max(GAP_MIN);
                    return digit_of(code).map(|digit| Step::Tone(Digit { digit, held: length }));
                }
                self.now_sending = Some(Sending { code, began: now, length, ends: 0, first: true });
                self.next_at = now;
                self.step(clock_hz, now)
            }
            Some((None, _)) => {
                self.next_at = now + COMMA;
                None
            }
            None => {
                self.next_at = Timestamp::NEVER;
                Some(Step::Done)
            }
        }
    }
}

#[cfg(test)]
mod tests;
