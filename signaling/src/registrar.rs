//! Where phones are: the location service behind REGISTER (RFC 3261 §10.3).
//!
//! One list of contacts a user, changed all at once or not at all. Who may register whom was decided before ([`digest`]);
//! here a register is taken at its word. Contacts keep the address their request came from, because behind NAT that is
//! the only one that reaches the phone. What changed comes out as [`Change`]s, to be stored and told to whom it concerns.
//!
//! [`digest`]: crate::digest

mod binding;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use model::time::Timestamp;

pub use binding::{Binding, Contact, contact_key};

/// Contacts of one user at the same time.
pub const CONTACTS_MAX: usize = 10;
/// Users with contacts, unless said otherwise.
pub const USERS_MAX: usize = 100_000;
/// Shortest time a contact may ask for; shorter is answered 423.
pub const EXPIRES_MIN: Duration = Duration::from_secs(60);
/// What a contact gets that asks for nothing, and the longest it gets.
pub const EXPIRES_MAX: Duration = Duration::from_secs(3_600);
/// Longest contact, `Path` or Call-ID that is kept, in bytes.
pub const TEXT_MAX: usize = 1_024;
/// `Path` values of one contact.
pub const PATHS_MAX: usize = 8;

/// A REGISTER whose sender was proven to be the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Whom the contacts belong to: the address of record, in the form the caller uses everywhere.
    pub user: String,
    /// `Call-ID`.
    pub call_id: String,
    /// The number of `CSeq`.
    pub cseq: u32,
    /// The contacts.
    pub contacts: Contacts,
    /// The `Expires` header: for each contact without a parameter of its own.
    pub expires: Option<u32>,
    /// Where the request came from.
    pub received: std::net::SocketAddr,
    /// How, in lower case: `udp`, `tcp`, `tls`, `ws`, `wss`.
    pub transport: &'static str,
    /// `Path` values in their order (RFC 3327), for who sends requests to the contact.
    pub path: Vec<String>,
}

/// The `Contact` headers of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// The contacts named; none: only asks which there are.
    Named(Vec<Contact>),
    /// `*`: all of the user.
    All,
}

/// What the registrar did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// All contacts of the user now, for the 200.
    pub bindings: Vec<Binding>,
    /// What is different.
    pub changes: Vec<Change>,
}

/// A contact came, stayed or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// New.
    Added(Binding),
    /// There before; its expiry, address or Call-ID changed.
    Refreshed(Binding),
    /// Taken back by its phone.
    Removed(Binding),
    /// Its time is over: the phone is gone, or cannot reach us.
    Expired(Binding),
}

/// Why a REGISTER changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// 423 with `Min-Expires`.
    #[error("expiry below {} s", EXPIRES_MIN.as_secs())]
    IntervalTooBrief,
    /// 400: `*` stands alone and with `Expires: 0` (§10.3 step 6).
    #[error("`Contact: *` without `Expires: 0`")]
    StarNeedsExpiresZero,
    /// 400.
    #[error("{0} too long")]
    TooLong(&'static str),
    /// 403: the user has ten contacts already.
    #[error("more than {CONTACTS_MAX} contacts")]
    TooManyContacts,
    /// 500: an older request overtaken by a newer one with the same Call-ID (§10.3 steps 6 and 7).
    #[error("CSeq is not above the last one")]
    OutOfOrder,
    /// 503: the tables are full.
    #[error("no room for more users")]
    Full,
}

impl RegisterError {
    /// The status of the SIP response.
    pub const fn status(&self) -> u16 {
        match self {
            Self::IntervalTooBrief => 423,
            Self::StarNeedsExpiresZero | Self::TooLong(_) => 400,
            Self::TooManyContacts => 403,
            Self::OutOfOrder => 500,
            Self::Full => 503,
        }
    }
}

/// The location service.
#[derive(Debug)]
pub struct Registrar {
    users: HashMap<String, Vec<Binding>>,
    /// When something ends, and whose: soonest first.
    deadlines: BTreeSet<(Timestamp, String)>,
    users_max: usize,
}

impl Default for Registrar {
    fn default() -> Self {
        Self::new(USERS_MAX)
    }
}

impl Registrar {
    /// An empty service for so many users.
    pub fn new(users_max: usize) -> Self {
        Self { users: HashMap::new(), deadlines: BTreeSet::new(), users_max }
    }

    /// Takes back what was stored before a restart, so that nobody waits for a phone to register again.
    pub fn restore(&mut self, bindings: impl IntoIterator<Item = Binding>, now: Timestamp) {
        for binding in bindings.into_iter().filter(|b| b.expires_at > now) {
            let mut all = self.users.get(&binding.user).cloned().unwrap_or_default();
            let room = all.len() < CONTACTS_MAX && (!all.is_empty() || self.users.len() < self.users_max);
            if room && all.iter().all(|b| b.key() != binding.key()) {
                let user = binding.user.clone();
                all.push(binding);
                self.put(&user, all);
            }
        }
    }

    /// Carries out a REGISTER, wholly or not at all.
    ///
    /// # Errors
    /// [`RegisterError`]; its [`status`](RegisterError::status) is the answer.
    pub fn register(&mut self, register: Register, now: Timestamp) -> Result<Registered, RegisterError> {
        let (before, gone) = self.split(&register.user, now);
        let mut changes: Vec<Change> = gone.into_iter().map(Change::Expired).collect();
        let after = after(&before, &register, &mut changes, now)?;
        if !after.is_empty() && !self.users.contains_key(&register.user) && self.users.len() >= self.users_max
        {
            return Err(RegisterError::Full);
        }
        self.put(&register.user, after.clone());
        Ok(Registered { bindings: after, changes })
    }

    /// Where a user can be reached, the preferred contact first (`q`), then the one registered last.
    pub fn contacts(&self, user: &str, now: Timestamp) -> Vec<&Binding> {
        let all = self.users.get(user).map(Vec::as_slice).unwrap_or_default();
        let mut valid: Vec<&Binding> = all.iter().filter(|b| b.expires_at > now).collect();
        valid.sort_by_key(|b| std::cmp::Reverse((b.q, b.since)));
        valid
    }

    /// Users who have contacts.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Lets go what ran out.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some((at, _)) = self.deadlines.first()
            && *at <= now
            && let Some((_, user)) = self.deadlines.pop_first()
        {
            let (stay, gone) = self.split(&user, now);
            self.put(&user, stay);
            changes.extend(gone.into_iter().map(Change::Expired));
        }
        changes
    }

    /// When [`Registrar::tick`] has something to do.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A user's contacts that are still valid, and those that ran out.
    fn split(&self, user: &str, now: Timestamp) -> (Vec<Binding>, Vec<Binding>) {
        let all = self.users.get(user).cloned().unwrap_or_default();
        all.into_iter().partition(|b| b.expires_at > now)
    }

    fn put(&mut self, user: &str, bindings: Vec<Binding>) {
        let soonest = |all: &[Binding]| all.iter().map(|b| b.expires_at).min();
        if let Some(at) = self.users.get(user).and_then(|all| soonest(all)) {
            self.deadlines.remove(&(at, user.to_owned()));
        }
        match soonest(&bindings) {
            None => {
                self.users.remove(user);
            }
            Some(at) => {
                self.deadlines.insert((at, user.to_owned()));
                self.users.insert(user.to_owned(), bindings);
            }
        }
    }
}

/// The contacts after a REGISTER, with what changed added to `changes`.
fn after(
    before: &[Binding],
    register: &Register,
    changes: &mut Vec<Change>,
    now: Timestamp,
) -> Result<Vec<Binding>, RegisterError> {
    if register.call_id.len() > TEXT_MAX {
        return Err(RegisterError::TooLong("Call-ID"));
    }
    if register.path.len() > PATHS_MAX || register.path.iter().any(|p| p.len() > TEXT_MAX) {
        return Err(RegisterError::TooLong("Path"));
    }
    let in_order = |b: &Binding| b.call_id != register.call_id || register.cseq > b.cseq;
    let mut after = before.to_vec();
    let mut found = Vec::new();
    match &register.contacts {
        Contacts::All if register.expires != Some(0) => return Err(RegisterError::StarNeedsExpiresZero),
        Contacts::All if !before.iter().all(in_order) => return Err(RegisterError::OutOfOrder),
        Contacts::All => found.extend(after.drain(..).map(Change::Removed)),
        Contacts::Named(contacts) => {
            for contact in contacts {
                if contact.uri.len() > TEXT_MAX {
                    return Err(RegisterError::TooLong("Contact"));
                }
                let key = contact_key(&contact.uri);
                let there = after.iter().position(|b| b.key() == key);
                // Compared with what was there before this request: it may name a contact twice.
                if before.iter().any(|b| b.key() == key && !in_order(b)) {
                    return Err(RegisterError::OutOfOrder);
                }
                let lasting = lasting(contact.expires.or(register.expires))?;
                let old = there.map(|at| after.remove(at));
                match (lasting, old) {
                    (None, None) => {}
                    (None, Some(old)) => found.push(Change::Removed(old)),
                    (Some(lasting), old) => {
                        let since = old.as_ref().map_or(now, |old| old.since);
                        let binding = Binding::new(register, contact, since, now + lasting);
                        after.push(binding.clone());
                        let known = before.iter().any(|b| b.key() == key);
                        found.push(if known { Change::Refreshed(binding) } else { Change::Added(binding) });
                    }
                }
            }
        }
    }
    if after.len() > CONTACTS_MAX {
        return Err(RegisterError::TooManyContacts);
    }
    changes.extend(found);
    Ok(after)
}

/// How long a contact lasts; `None`: it is taken back.
fn lasting(expires: Option<u32>) -> Result<Option<Duration>, RegisterError> {
    match expires.map(|s| Duration::from_secs(s.into())) {
        None => Ok(Some(EXPIRES_MAX)),
        Some(Duration::ZERO) => Ok(None),
        Some(short) if short < EXPIRES_MIN => Err(RegisterError::IntervalTooBrief),
        Some(wish) => Ok(Some(wish.min(EXPIRES_MAX))),
    }
}
