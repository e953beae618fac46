//! Answers that were given, kept for repeated datagrams: proxies send the same request up to five times, and it must be
//! carried out once.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use model::time::Timestamp;

/// How long an answer is kept: proxies give up after 5 s, rtpengine keeps its answers 30 to 60 s.
pub const KEPT: Duration = Duration::from_secs(30);
/// Answers kept at most; then the oldest goes.
pub const ANSWERS_MAX: usize = 65_536;
/// Octets of answers kept at most; then the oldest goes.
pub const OCTETS_MAX: usize = 64 * 1024 * 1024;

type Key = (IpAddr, Vec<u8>);

/// What is known of a cookie.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// It is new; its request is to be carried out.
    Never,
    /// Its request is being carried out; the answer will go out by itself.
    Working,
    /// It was answered with this datagram.
    Answered(&'a [u8]),
}

#[derive(Debug)]
struct Kept {
    since: Timestamp,
    answer: Option<Vec<u8>>,
}

/// See the module. A cookie counts for the host that sent it.
#[derive(Debug, Default)]
pub struct Replies {
    kept: HashMap<Key, Kept>,
    order: VecDeque<(Timestamp, Key)>,
    octets: usize,
}

impl Replies {
    /// Looks a cookie up, and remembers it.
    pub fn seen(&mut self, from: IpAddr, cookie: &[u8], now: Timestamp) -> Seen<'_> {
        self.forget_old(now);
        let key = (from, cookie.to_vec());
        if !self.kept.contains_key(&key) {
            self.order.push_back((now, key.clone()));
            self.kept.insert(key, Kept { since: now, answer: None });
            return Seen::Never;
        }
        match self.kept.get(&key).and_then(|kept| kept.answer.as_deref()) {
            Some(answer) => Seen::Answered(answer),
            None => Seen::Working,
        }
    }

    /// Keeps the answer to a cookie.
    pub fn answered(&mut self, from: IpAddr, cookie: &[u8], answer: &[u8]) {
        if let Some(kept) = self.kept.get_mut(&(from, cookie.to_vec())) {
            self.octets += answer.len();
            self.octets -= kept.answer.replace(answer.to_vec()).map_or(0, |old| old.len());
        }
    }

    /// Cookies known now.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some((since, key)) = self.order.front() {
            let full = self.kept.len() >= ANSWERS_MAX || self.octets > OCTETS_MAX;
            if !full && now.since(*since) < KEPT {
                return;
            }
            if self.kept.get(key).is_some_and(|kept| kept.since == *since)
                && let Some(gone) = self.kept.remove(key)
            {
                self.octets -= gone.answer.map_or(0, |answer| answer.len());
            }
            self.order.pop_front();
        }
    }
}
