//! One user's events: numbered from 1 without gaps, the last 256 kept for pages that come back. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use model::time::Timestamp;
use serde::Serialize;

use super::protocol::ConsoleEvent;

/// Events kept for a page that comes back.
pub const KEPT: usize = 256;

/// The events of one user since sign-in.
#[derive(Debug, Default)]
pub struct EventLog {
    last: u64,
    kept: VecDeque<Arc<str>>,
}

#[derive(Serialize)]
struct Numbered<'a> {
    seq: u64,
    at: u64,
    #[serde(flatten)]
    event: &'a ConsoleEvent,
}

impl EventLog {
    /// The number of the last event; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Numbers an event and keeps it; the frame is what goes to the page.
    pub fn push(&mut self, event: &ConsoleEvent, at: Timestamp) -> Arc<str> {
        self.last += 1;
        let frame: Arc<str> =
            match serde_json::to_string(&Numbered { seq: self.last, at: at.millis(), event }) {
                Ok(text) => text.into(),
                Err(error) => {
                    // Only a map with keys that are no text fails, and there is none. A gap would be worse than an empty event.
                    tracing::error!(%error, "an event for a console could not be written");
                    format!(r#"{{"seq":{},"at":{},"event":"lost"}}"#, self.last, at.millis()).into()
                }
            };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(frame.clone());
        frame
    }

    /// What a page missed that has seen everything up to `after`; `None` when that is no longer kept, or was never.
    pub fn missed(&self, after: u64) -> Option<impl Iterator<Item = &Arc<str>>> {
        let behind = usize::try_from(self.last.checked_sub(after)?).ok()?;
        (behind <= self.kept.len()).then(|| self.kept.iter().skip(self.kept.len() - behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::protocol::SessionOver;

    fn filled(n: u64) -> EventLog {
        let mut log = EventLog::default();
        for second in 1..=n {
            log.push(
                &ConsoleEvent::SessionEnded { why: SessionOver::SignedOut },
                Timestamp::from_millis(second),
            );
        }
        log
    }
    fn seqs(log: &EventLog, after: u64) -> Option<Vec<u64>> {
        log.missed(after).map(|frames| {
            frames
                .map(|f| serde_json::from_str::<serde_json::Value>(f).unwrap()["seq"].as_u64().unwrap())
                .collect()
        })
    }

    #[test]
    fn a_page_gets_exactly_what_it_missed() {
        let log = filled(300);
        assert_eq!(seqs(&log, 297), Some(vec![298, 299, 300]));
        assert_eq!(seqs(&log, 300), Some(vec![]));
        assert_eq!(seqs(&log, 44).unwrap().len(), 256, "the oldest kept event is number 45");
    }

    #[test]
    fn a_page_too_far_behind_or_from_another_life_gets_a_snapshot() {
        let log = filled(300);
        assert_eq!(seqs(&log, 43), None, "event 44 is gone");
        assert_eq!(seqs(&log, 301), None, "a number from before a restart");
    }

    #[test]
    fn an_event_carries_its_number_its_time_and_its_name() {
        let mut log = EventLog::default();
        let frame =
            log.push(&ConsoleEvent::SessionEnded { why: SessionOver::Elsewhere }, Timestamp::from_millis(5));
        assert_eq!(&*frame, r#"{"seq":1,"at":5,"event":"session_ended","why":"elsewhere"}"#);
    }
}
