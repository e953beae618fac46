//! Our registration with a carrier (RFC 3261 §10.2): sent, renewed in time, tried again when it fails, taken back at the end. Pure.

use std::time::Duration;

use model::call::Standing;
use model::time::Timestamp;

/// How long a registration is asked for.
pub const EXPIRY: u32 = 600;
/// The longest that a carrier may insist on (423).
const EXPIRY_MAX: u32 = 86_400;
/// The first pause after a failure; each further one is twice as long (RFC 5626 §4.5).
const PAUSE: Duration = Duration::from_secs(30);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1_800);

/// What the carrier answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 699.
    pub status: u16,
    /// Seconds that were granted, of a 2xx.
    pub expires: Option<u32>,
    /// The least that may be asked for, of a 423.
    pub min_expires: Option<u32>,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u32>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The trunk registers from now on.
    Begin,
    /// The REGISTER was answered.
    Answered(Answer),
    /// There was no way, or no answer: in words.
    Failed(String),
    /// The deadline may have come.
    Tick,
    /// No longer.
    End,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// REGISTER for so many seconds; 0 takes it back.
    Send {
        /// For so many seconds.
        expires: u32,
    },
    /// How it stands.
    Tell(Standing),
}

/// A registration.
#[derive(Clone, Debug)]
pub struct Registration {
    state: State,
    /// What is asked for.
    expires: u32,
    /// One after the other.
    failures: u32,
    /// The carrier may still have us.
    registered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The REGISTER is out. `insisted`: the carrier wanted a longer time already.
    Sent {
        insisted: bool,
    },
    /// Until the next one.
    Resting {
        until: Timestamp,
    },
    /// It is being taken back.
    Leaving,
    Over,
}

impl Default for Registration {
    fn default() -> Self {
        Self { state: State::Over, expires: EXPIRY, failures: 0, registered: false }
    }
}

impl Registration {
    /// Moves on. `chance` is drawn anew for each input, evenly.
    pub fn handle(&mut self, input: Input, chance: u32, now: Timestamp) -> Vec<Output> {
        match (self.state, input) {
            (State::Over, Input::Begin) => {
                self.state = State::Sent { insisted: false };
                vec![Output::Tell(Standing::Trying), Output::Send { expires: self.expires }]
            }
            (State::Sent { insisted }, Input::Answered(answer)) => {
                self.answered(answer, insisted, chance, now)
            }
            (State::Sent { .. }, Input::Failed(why)) => {
                self.rest(self.pause(chance), now);
                vec![Output::Tell(Standing::Unreached { why })]
            }
            (State::Resting { until }, Input::Tick) if until <= now => {
                self.state = State::Sent { insisted: false };
                vec![Output::Send { expires: self.expires }]
            }
            (State::Sent { .. } | State::Resting { .. }, Input::End) if self.registered => {
                self.state = State::Leaving;
                vec![Output::Send { expires: 0 }]
            }
            (State::Sent { .. } | State::Resting { .. }, Input::End)
            | (State::Leaving, Input::Answered(_) | Input::Failed(_)) => {
                self.state = State::Over;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn deadline(&self) -> Timestamp {
        match self.state {
            State::Resting { until } => until,
            _ => Timestamp::NEVER,
        }
    }

    /// Whether nothing can follow.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    fn answered(&mut self, answer: Answer, insisted: bool, chance: u32, now: Timestamp) -> Vec<Output> {
        let Answer { status, expires, min_expires, retry_after } = answer;
        let granted = expires.unwrap_or(self.expires).min(EXPIRY_MAX);
        if (200..300).contains(&status) && granted > 0 {
            (self.failures, self.registered) = (0, true);
            // Time for a few tries before it is over; of short ones a half.
            let early = (granted / 5).clamp(granted.min(10) / 2, 60);
            self.state = State::Resting { until: now + seconds(granted - early) };
            return vec![Output::Tell(Standing::Registered { until: now + seconds(granted) })];
        }
        if status == 423
            && !insisted
            && let Some(least) = min_expires.filter(|least| (self.expires + 1..=EXPIRY_MAX).contains(least))
        {
            (self.state, self.expires) = (State::Sent { insisted: true }, least);
            return vec![Output::Send { expires: least }];
        }
        let asked = seconds(retry_after.unwrap_or(0)).min(PAUSE_MAX);
        self.registered &= !matches!(status, 200..=299 | 403 | 404);
        self.rest(self.pause(chance).max(asked), now);
        vec![Output::Tell(Standing::Refused { status })]
    }

    /// Between half of it and the whole, so that not all who lost the same carrier come back in one moment.
    fn pause(&self, chance: u32) -> Duration {
        let whole = PAUSE.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(PAUSE_MAX);
        whole / 2 + (whole / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }

    fn rest(&mut self, pause: Duration, now: Timestamp) {
        self.failures = self.failures.saturating_add(1).min(16);
        self.state = State::Resting { until: now + pause };
    }
}

fn seconds(n: u32) -> Duration {
    Duration::from_secs(n.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn ok(expires: u32) -> Input {
        Input::Answered(Answer { status: 200, expires: Some(expires), ..Answer::default() })
    }
    fn refused(status: u16) -> Input {
        Input::Answered(Answer { status, ..Answer::default() })
    }
    fn begun() -> Registration {
        let mut registration = Registration::default();
        let out = registration.handle(Input::Begin, 0, NOW);
        assert_eq!(out, [Output::Tell(Standing::Trying), Output::Send { expires: EXPIRY }]);
        registration
    }

    /// SIP-02: it is renewed before it ends, for as long as the carrier grants, and taken back at the end.
    #[test]
    fn a_registration_is_renewed_in_time_and_taken_back() {
        for (granted, renewed) in [(600, 540), (300, 240), (60, 48), (10, 5), (1, 1)] {
            let mut registration = begun();
            let until = NOW + seconds(granted);
            let told = registration.handle(ok(granted), 0, NOW);
            assert_eq!(told, [Output::Tell(Standing::Registered { until })]);
            assert_eq!(registration.deadline(), NOW + seconds(renewed), "of {granted} s");
            assert_eq!(registration.handle(Input::Tick, 0, NOW), [], "not yet");
            let due = registration.deadline();
            assert_eq!(registration.handle(Input::Tick, 0, due), [Output::Send { expires: EXPIRY }]);
            assert_eq!(registration.handle(ok(granted), 0, due).len(), 1);
            assert_eq!(registration.handle(Input::End, 0, due), [Output::Send { expires: 0 }]);
            assert_eq!(registration.handle(ok(0), 0, due), []);
            assert!(registration.is_over());
        }
        let mut never = begun();
        assert_eq!(never.handle(Input::End, 0, NOW), [], "there is nothing to be taken back");
        assert!(never.is_over());
    }

    /// SIP-02: a carrier may insist on a longer time (423), once; without one, or in a circle, it is a refusal.
    #[test]
    fn a_carrier_may_want_a_longer_time() {
        let brief = |least| Input::Answered(Answer { status: 423, min_expires: least, ..Answer::default() });
        let mut registration = begun();
        assert_eq!(registration.handle(brief(Some(1_800)), 0, NOW), [Output::Send { expires: 1_800 }]);
        assert_eq!(
            registration.handle(brief(Some(3_600)), 0, NOW),
            [Output::Tell(Standing::Refused { status: 423 })]
        );
        for least in [None, Some(5), Some(EXPIRY), Some(1_000_000)] {
            let told = begun().handle(brief(least), 0, NOW);
            assert_eq!(told, [Output::Tell(Standing::Refused { status: 423 })], "{least:?}");
        }
    }

    /// SIP-02: after failures the pauses grow to half an hour, drawn between half and whole, and end with the first success; the carrier's own wish
    /// counts if it is longer.
    #[test]
    fn failures_are_tried_again_ever_later() {
        let mut registration = begun();
        let mut pauses = Vec::new();
        let mut now = NOW;
        for turn in 0..9 {
            let failed = if turn % 2 == 0 { refused(403) } else { Input::Failed("no answer".into()) };
            registration.handle(failed, u32::MAX, now);
            pauses.push(registration.deadline().since(now).as_secs());
            now = registration.deadline();
            assert_eq!(registration.handle(Input::Tick, 0, now), [Output::Send { expires: EXPIRY }]);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1_800, 1_800, 1_800]);
        registration.handle(refused(500), 0, now);
        assert_eq!(registration.deadline().since(now).as_secs(), 900, "the other end of the draw");
        now = registration.deadline();
        registration.handle(Input::Tick, 0, now);
        registration.handle(ok(600), 0, now);
        now = registration.deadline();
        registration.handle(Input::Tick, 0, now);
        let later = Input::Answered(Answer { status: 503, retry_after: Some(200), ..Answer::default() });
        registration.handle(later, 0, now);
        assert_eq!(registration.deadline().since(now).as_secs(), 200);
        // It is still registered there, for all we know.
        assert_eq!(registration.handle(Input::End, 0, now), [Output::Send { expires: 0 }]);
        assert_eq!(registration.handle(Input::Failed("no answer".into()), 0, now), []);
        assert!(registration.is_over());
    }

    /// A 2xx that grants nothing is a refusal: nobody would find us.
    #[test]
    fn a_registration_for_no_time_is_none() {
        let mut registration = begun();
        assert_eq!(registration.handle(ok(0), 0, NOW), [Output::Tell(Standing::Refused { status: 200 })]);
        assert_eq!(registration.handle(Input::End, 0, NOW), []);
    }
}
