//! The outage of a trunk that did not answer a call: when it is asked whether it is back (OPTIONS), and when it counts as back. Pure.

use std::time::Duration;

use model::time::Timestamp;

/// Answers one after the other that end an outage: one alone may be luck on a path that loses packets.
const ANSWERS: u32 = 2;
/// Between an answer and the next question.
const PAUSE_ANSWERED: Duration = Duration::from_secs(5);
/// Between a question that nobody answered and the next. The question itself is repeated for 32 s (Timer F).
const PAUSE_SILENT: Duration = Duration::from_secs(10);
/// After so long a call may try the trunk again, because some carriers answer no OPTIONS at all.
pub const OUTAGE_MAX: Duration = Duration::from_secs(300);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The question was answered with this status, 200 to 699.
    Answered(u16),
    /// There was no way, or no answer.
    Silent,
    /// The deadline may have come.
    Tick,
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// OPTIONS.
    Ask,
    /// It is over: the trunk is tried in its turn again.
    Over,
}

/// An outage.
#[derive(Clone, Debug)]
pub struct Outage {
    began: Timestamp,
    /// When the next question is due; `None`: one is out, or it is over.
    ask_at: Option<Timestamp>,
    /// One after the other.
    answers: u32,
}

impl Outage {
    /// Begins. The first question is due at once.
    pub const fn begin(now: Timestamp) -> Self {
        Self { began: now, ask_at: Some(now), answers: 0 }
    }

    /// Moves on.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Option<Output> {
        match (self.ask_at, input) {
            (Some(at), Input::Tick) if at <= now => {
                self.ask_at = None;
                Some(Output::Ask)
            }
            // A trunk that says that it is not available is there, but of no use.
            (None, Input::Answered(status)) if status != 503 => {
                self.answers += 1;
                self.rest(PAUSE_ANSWERED, now)
            }
            (None, Input::Answered(_) | Input::Silent) => {
                self.answers = 0;
                self.rest(PAUSE_SILENT, now)
            }
            _ => None,
        }
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn deadline(&self) -> Timestamp {
        self.ask_at.unwrap_or(Timestamp::NEVER)
    }

    fn rest(&mut self, pause: Duration, now: Timestamp) -> Option<Output> {
        if self.answers >= ANSWERS || now.since(self.began) >= OUTAGE_MAX {
            return Some(Output::Over);
        }
        self.ask_at = Some(now + pause);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// The next question, at its time; and its answer.
    fn turn(outage: &mut Outage, answer: Input) -> Option<Output> {
        let due = outage.deadline();
        assert_eq!(outage.handle(Input::Tick, due), Some(Output::Ask));
        assert_eq!(outage.deadline(), Timestamp::NEVER, "one question at a time");
        assert_eq!(outage.handle(Input::Tick, due), None);
        outage.handle(answer, due)
    }

    /// SIP-02: a trunk is back when it answered twice, one after the other, whatever it said but 503.
    #[test]
    fn a_trunk_is_back_when_it_answered_twice_in_a_row() {
        let mut outage = Outage::begin(NOW);
        assert_eq!(outage.deadline(), NOW, "the first question is due at once");
        assert_eq!(turn(&mut outage, Input::Answered(200)), None);
        assert_eq!(outage.deadline(), NOW + PAUSE_ANSWERED);
        assert_eq!(outage.handle(Input::Tick, NOW), None, "not yet");
        assert_eq!(turn(&mut outage, Input::Silent), None);
        assert_eq!(outage.deadline(), NOW + PAUSE_ANSWERED + PAUSE_SILENT);
        assert_eq!(turn(&mut outage, Input::Answered(405)), None, "what was answered before does not count");
        assert_eq!(turn(&mut outage, Input::Answered(503)), None);
        assert_eq!(turn(&mut outage, Input::Answered(404)), None);
        assert_eq!(turn(&mut outage, Input::Answered(407)), Some(Output::Over));
    }

    /// SIP-02: a trunk that answers no OPTIONS at all is tried again by a call after a while.
    #[test]
    fn an_outage_ends_after_a_while_by_itself() {
        let mut outage = Outage::begin(NOW);
        let mut turns = 1;
        while turn(&mut outage, Input::Silent).is_none() {
            assert!(outage.deadline() <= NOW + OUTAGE_MAX);
            turns += 1;
        }
        assert_eq!(turns, 31, "each ten seconds for five minutes");
    }

    #[test]
    fn what_nobody_asked_for_changes_nothing() {
        let mut outage = Outage::begin(NOW);
        for _ in 0..3 {
            assert_eq!(outage.handle(Input::Answered(200), NOW), None);
        }
        assert_eq!(outage.deadline(), NOW);
    }
}
