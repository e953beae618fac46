//! The ICE-lite agent: answers connectivity checks and knows which addresses are the browser's (RFC 8445 §7.3).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::stun::Message;

/// After this long without a check, an address is no longer the browser's (RFC 7675 §5.1).
pub const CONSENT_EXPIRY: Duration = Duration::from_secs(30);

/// Addresses kept: a laptop checks from a handful (networks, IPv4 and IPv6, VPN).
const MAX_PAIRS: usize = 8;

/// While checks begin, a browser that nominates all of them (Firefox) means the one with the highest priority; after
/// that, a new nomination is a move to another network.
const SETTLING: Duration = Duration::from_secs(2);

/// A nominated address is given up for another when its checks stop for this long: browsers check every 2.5 to 5 s.
const STALE: Duration = Duration::from_secs(6);

/// An address that passed a check.
#[derive(Debug)]
struct Pair {
    address: SocketAddr,
    /// Under which credentials of the browser, since an ICE restart ends what went before.
    remote_ufrag: Box<str>,
    priority: u32,
    /// Whether its last check carried USE-CANDIDATE.
    nominated: bool,
    checked_at: Instant,
}

/// What a check or the passing of time did to the place where we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Selected(SocketAddr),
    Lost,
}

/// The agent of one leg.
pub(super) struct Agent {
    ufrag: String,
    pwd: String,
    remote_ufrag: Option<String>,
    pairs: Vec<Pair>,
    selected: Option<SocketAddr>,
    first_nominated_at: Option<Instant>,
}

impl Agent {
    pub(super) fn new(ufrag: String, pwd: String) -> Self {
        Self { ufrag, pwd, remote_ufrag: None, pairs: Vec::new(), selected: None, first_nominated_at: None }
    }

    pub(super) fn ufrag(&self) -> &str {
        &self.ufrag
    }

    pub(super) fn pwd(&self) -> &str {
        &self.pwd
    }

    pub(super) fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Whether this address passed a check, under the browser's present credentials, not too long ago.
    pub(super) fn is_verified(&self, address: SocketAddr) -> bool {
        self.pairs.iter().any(|pair| pair.address == address && self.is_present(pair))
    }

    /// When the last check came, under the browser's present credentials.
    pub(super) fn checked_at(&self) -> Option<Instant> {
        self.pairs.iter().filter(|pair| self.is_present(pair)).map(|pair| pair.checked_at).max()
    }

    fn is_present(&self, pair: &Pair) -> bool {
        self.remote_ufrag.as_deref() == Some(&*pair.remote_ufrag)
    }

    /// Takes the browser's credentials. Checks that came before its answer count if they were made under them.
    ///
    /// The `same` browser goes on hearing us where it was until it checked anew (RFC 8445 §9); a new one's predecessor is
    /// gone, and its addresses with it.
    pub(super) fn set_remote(&mut self, ufrag: &str, same: bool, now: Instant) -> Option<Change> {
        if self.remote_ufrag.as_deref() == Some(ufrag) {
            return None;
        }
        let kept = self.selected.filter(|_| same);
        self.pairs.retain(|pair| &*pair.remote_ufrag == ufrag || Some(pair.address) == kept);
        self.remote_ufrag = Some(ufrag.to_owned());
        self.selected = kept;
        let nominated = self.pairs.iter().any(|pair| pair.nominated && self.is_present(pair));
        self.first_nominated_at = nominated.then_some(now);
        self.select_best()
    }

    /// Handles a STUN datagram; gives the answer to send back, if one is due, and what changed.
    pub(super) fn handle(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
    ) -> (Option<Vec<u8>>, Option<Change>) {
        // Indications need no answer, and answers never come to one who asks nothing (RFC 8445 §2.5).
        let Some(request) = Message::read(datagram).filter(Message::is_binding_request) else {
            return (None, None);
        };
        if !request.fingerprint_ok() {
            return (None, None);
        }
        let Some(username) = request.username().filter(|_| request.has_integrity()) else {
            return (Some(request.error(400, "Bad Request", None)), None);
        };
        let remote_ufrag =
            username.split_once(':').and_then(|(ours, theirs)| (ours == self.ufrag).then_some(theirs));
        let Some(remote_ufrag) = remote_ufrag.filter(|_| request.integrity_ok(&self.pwd)) else {
            return (Some(request.error(401, "Unauthenticated", None)), None);
        };
        // After an ICE restart, checks of the time before it come for a while; they verify nothing any more.
        if self.remote_ufrag.as_deref().is_some_and(|expected| expected != remote_ufrag) {
            return (Some(request.error(401, "Unauthenticated", None)), None);
        }
        if !request.unknown().is_empty() {
            return (Some(request.error(420, "Unknown Attribute", Some(&self.pwd))), None);
        }
        // A lite agent is the controlled one; who thinks to be controlled too must change over (RFC 8445 §7.3.1.1).
        if request.controlled {
            return (Some(request.error(487, "Role Conflict", Some(&self.pwd))), None);
        }
        let answer = request.success(from, &self.pwd);
        let newly_nominated =
            self.note(from, remote_ufrag, request.priority.unwrap_or(0), request.use_candidate, now);
        let change =
            if self.remote_ufrag.is_some() { self.reconsider(from, newly_nominated, now) } else { None };
        (Some(answer), change)
    }

    /// Notes a verified check; tells whether it nominates an address that was not nominated before.
    fn note(
        &mut self,
        from: SocketAddr,
        remote_ufrag: &str,
        priority: u32,
        nominated: bool,
        now: Instant,
    ) -> bool {
        if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.address == from) {
            let newly = nominated && !(pair.nominated && &*pair.remote_ufrag == remote_ufrag);
            if &*pair.remote_ufrag != remote_ufrag {
                pair.remote_ufrag = remote_ufrag.into();
            }
            pair.nominated = nominated;
            pair.priority = priority;
            pair.checked_at = now;
            return newly;
        }
        if self.pairs.len() >= MAX_PAIRS {
            let oldest = (self.pairs.iter().enumerate())
                .filter(|(_, pair)| Some(pair.address) != self.selected)
                .min_by_key(|(_, pair)| pair.checked_at)
                .map(|(at, _)| at);
            oldest.map(|at| self.pairs.swap_remove(at));
        }
        self.pairs.push(Pair {
            address: from,
            remote_ufrag: remote_ufrag.into(),
            priority,
            nominated,
            checked_at: now,
        });
        nominated
    }

    /// Whether a check from `from` moves us there.
    fn reconsider(&mut self, from: SocketAddr, newly_nominated: bool, now: Instant) -> Option<Change> {
        let settling = match self.first_nominated_at {
            Some(since) => now.saturating_duration_since(since) < SETTLING,
            None => {
                self.first_nominated_at = newly_nominated.then_some(now);
                true
            }
        };
        let new = self.pairs.iter().find(|pair| pair.address == from)?;
        let current = self.pairs.iter().find(|pair| Some(pair.address) == self.selected);
        let moves = match current {
            None => true,
            Some(current) if !self.is_present(current) => true,
            Some(current) if current.address == from || !new.nominated => false,
            Some(current) if !current.nominated => true,
            Some(current) if newly_nominated => !settling || new.priority >= current.priority,
            Some(current) => now.saturating_duration_since(current.checked_at) > STALE,
        };
        moves.then(|| self.select(from))
    }

    fn select(&mut self, address: SocketAddr) -> Change {
        self.selected = Some(address);
        Change::Selected(address)
    }

    /// Selects among the addresses verified under the present credentials, if there are any.
    fn select_best(&mut self) -> Option<Change> {
        let best = (self.pairs.iter())
            .filter(|pair| self.is_present(pair))
            .max_by_key(|pair| (pair.nominated, pair.checked_at, pair.priority))?;
        Some(self.select(best.address))
    }

    /// Forgets addresses whose checks stopped. When the selected one is among them, another takes its place, if any.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Change> {
        self.pairs.retain(|pair| now.saturating_duration_since(pair.checked_at) < CONSENT_EXPIRY);
        let selected = self.selected?;
        if self.pairs.iter().any(|pair| pair.address == selected) {
            return None;
        }
        self.selected = None;
        Some(self.select_best().unwrap_or(Change::Lost))
    }

    /// When the first of the addresses expires.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.pairs.iter().map(|pair| pair.checked_at + CONSENT_EXPIRY).min()
    }
}
