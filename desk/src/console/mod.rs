//! The pages agents work in: one event log a user, at most one attached page, and patience when a page is gone.
//!
//! A page can be closed, reloaded or opened elsewhere in the middle of a call: everything it shows comes from here.

pub mod log;
pub mod outbox;
pub mod protocol;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::id::{SessionId, UserId};
use model::time::Timestamp;
use serde::Serialize;

use self::log::EventLog;
use self::outbox::{Outbox, UNSENT_MAX};
use self::protocol::{ConsoleEvent, Snapshot};

/// A page may be gone for so long before its agent is signed out (ACC-18).
pub const GRACE: Duration = Duration::from_secs(15);

/// One user's pages.
struct Console {
    session: SessionId,
    log: EventLog,
    page: Option<Outbox>,
    /// Since when there is no page.
    gone_since: Timestamp,
}

/// Consoles of everybody who is signed in with a page.
#[derive(Default)]
pub struct Consoles {
    open: HashMap<UserId, Console>,
}

/// The first frame of a page.
#[derive(Serialize)]
struct Welcome<'a> {
    event: &'static str,
    seq: u64,
    now: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<&'a Snapshot>,
}

impl Consoles {
    /// A page came. One that was away gets what it missed since `after`, for banners are told once; and every page gets all there is, for
    /// figures of queues are told only to pages that are open. An older page of the user is let go.
    pub fn attach(
        &mut self,
        (user, session): (UserId, SessionId),
        after: Option<u64>,
        page: Outbox,
        snapshot: impl FnOnce() -> Snapshot,
        now: Timestamp,
    ) {
        let console = self.open.entry(user).or_insert_with(|| Console::new(session, now));
        if console.session != session {
            *console = Console::new(session, now);
        }
        let state = welcome(console.log.last(), now, Some(&snapshot()));
        if let Some(after) = after
            && let Some(missed) = console.log.missed(after)
        {
            let missed: Vec<&Arc<str>> = missed.collect();
            // More than fits would close the page, which would ask for the same again.
            if state.len() + missed.iter().map(|frame| frame.len()).sum::<usize>() <= UNSENT_MAX / 2 {
                page.put(welcome(after, now, None));
                for frame in missed {
                    page.put(frame.clone());
                }
            }
        }
        page.put(state);
        // The old page's sender is dropped here: its socket closes.
        console.page = Some(page);
    }

    /// A console without a page: a sign-in that outlived a restart. It has the grace from now on.
    pub fn expect(&mut self, user: UserId, session: SessionId, now: Timestamp) {
        self.open.entry(user).or_insert_with(|| Console::new(session, now));
    }

    /// The page asked for everything anew.
    pub fn resync(&mut self, user: UserId, snapshot: impl FnOnce() -> Snapshot, now: Timestamp) {
        if let Some(console) = self.open.get_mut(&user)
            && let Some(page) = &console.page
        {
            page.put(welcome(console.log.last(), now, Some(&snapshot())));
        }
    }

    /// Numbers an event for a user and sends it to the page, if there is one.
    pub fn tell(&mut self, user: UserId, event: &ConsoleEvent, now: Timestamp) {
        let Some(console) = self.open.get_mut(&user) else { return };
        let frame = console.log.push(event, now);
        if let Some(page) = &console.page
            && !page.put(frame)
        {
            console.page = None;
            console.gone_since = now;
        }
    }

    /// Tells everybody who has a page. Who has none gets the present state when one comes.
    pub fn tell_attached(&mut self, event: &ConsoleEvent, now: Timestamp) {
        let attached: Vec<UserId> =
            self.open.iter().filter(|(_, c)| c.page.is_some()).map(|(user, _)| *user).collect();
        for user in attached {
            self.tell(user, event, now);
        }
    }

    /// A socket ended. Nothing happens if a newer page took its place already.
    pub fn detached(&mut self, user: UserId, now: Timestamp) {
        if let Some(console) = self.open.get_mut(&user)
            && console.page.as_ref().is_some_and(Outbox::is_closed)
        {
            console.page = None;
            console.gone_since = now;
        }
    }

    /// Says good-bye and forgets the console.
    pub fn close(&mut self, user: UserId, farewell: &ConsoleEvent, now: Timestamp) {
        self.tell(user, farewell, now);
        self.open.remove(&user);
    }

    /// The session whose page a user has or had.
    pub fn session_of(&self, user: UserId) -> Option<SessionId> {
        self.open.get(&user).map(|console| console.session)
    }

    /// Users whose page has been gone for longer than the grace, with their sessions.
    pub fn abandoned(&self, grace: Duration, now: Timestamp) -> Vec<(UserId, SessionId)> {
        let gone = |console: &Console| console.page.is_none() && now.since(console.gone_since) >= grace;
        self.open.iter().filter(|(_, c)| gone(c)).map(|(user, c)| (*user, c.session)).collect()
    }

    /// When the next page will have been gone for the grace, of users who count.
    pub fn next_abandoned(&self, grace: Duration, counts: impl Fn(UserId) -> bool) -> Option<Timestamp> {
        let gone = self.open.iter().filter(|(user, c)| c.page.is_none() && counts(**user));
        gone.map(|(_, c)| c.gone_since + grace).min()
    }

    /// Everybody who has or had a page, with their sessions.
    pub fn everybody(&self) -> Vec<(UserId, SessionId)> {
        self.open.iter().map(|(user, console)| (*user, console.session)).collect()
    }

    /// Users with a page, with their sessions.
    pub fn attached(&self) -> Vec<(UserId, SessionId)> {
        self.open.iter().filter(|(_, c)| c.page.is_some()).map(|(user, c)| (*user, c.session)).collect()
    }
}

impl Console {
    fn new(session: SessionId, now: Timestamp) -> Self {
        Self { session, log: EventLog::default(), page: None, gone_since: now }
    }
}

fn welcome(seq: u64, now: Timestamp, snapshot: Option<&Snapshot>) -> Arc<str> {
    let welcome = Welcome { event: "welcome", seq, now: now.millis(), snapshot };
    serde_json::to_string(&welcome).unwrap_or_default().into()
}
