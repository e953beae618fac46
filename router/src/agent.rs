//! What is known of one agent. The routing state is read off these facts and stored nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, GroupId, OfferToken, ReasonId, SessionId, SkillId};
use model::interaction::Channel;
use model::people::PhoneKind;
use model::skill::Level;
use model::time::Timestamp;
use serde::Serialize;

use crate::config::AgentTerm;
use crate::lanes::{EVERY, LANES, Lanes, Limits, Load, bit, calls};
use crate::profiles::Standing;
use crate::slab::Key;

/// Where an agent stands when nothing is in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Takes work.
    Ready,
    /// Takes none.
    NotReady(NotReadyReason),
    /// Out of routing and dialling.
    Offline,
}

/// Offers of one agent since the floor began, by how they ended (VOICE-10, VOICE-15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Rung.
    pub offered: u64,
    /// Taken.
    pub accepted: u64,
    /// Left unanswered.
    pub missed: u64,
    /// Refused.
    pub declined: u64,
    /// The phone could not be reached.
    pub failed: u64,
    /// The customer left while it rang.
    pub abandoned: u64,
}

/// Reasons of one agent and day that are told apart; further ones are not counted.
const REASONS_MAX: usize = 64;
/// How much longer a call rings at a number outside.
const OUTSIDE_GRACE: Duration = Duration::from_secs(20);

/// How long an agent was away today, by the reason that was chosen (STATE-14). Days are counted in UTC.
#[derive(Clone, Debug, Default)]
pub(crate) struct Away {
    day: u64,
    by: Vec<(ReasonId, Duration)>,
}

impl Away {
    /// A stay is over.
    pub fn add(&mut self, reason: ReasonId, since: Timestamp, at: Timestamp) {
        if self.day != at.day() {
            (self.day, self.by) = (at.day(), Vec::new());
        }
        let time = at.since(since.max(at.start_of_day()));
        if let Some((_, all)) = self.by.iter_mut().find(|(known, _)| *known == reason) {
            *all += time;
        } else if self.by.len() < REASONS_MAX {
            self.by.push((reason, time));
        }
    }
    /// What was added today.
    pub fn today(&self, now: Timestamp) -> &[(ReasonId, Duration)] {
        if self.day == now.day() { &self.by } else { &[] }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub item: Key,
    pub token: OfferToken,
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub id: AgentId,
    pub skills: BTreeMap<SkillId, Level>,
    pub group: Option<GroupId>,
    /// Limits of the agent's own.
    pub at_once: BTreeMap<Channel, u32>,
    pub profile: usize,
    /// In the configuration. An agent taken out of it stays until the last work is done.
    pub enrolled: bool,

    pub session: Option<SessionId>,
    pub phone: PhoneKind,
    pub intent: Intent,
    pub lease: Option<Lease>,
    /// Work in hand.
    pub active: Vec<Key>,
    /// Ended, but not completed.
    pub wrapping: Vec<Key>,
    pub wrap_until: Option<Timestamp>,
    /// When the stay in Not ready ends by itself.
    pub stay_until: Option<Timestamp>,
    /// Interactions leased, in hand or wrapping, by lane.
    pub load: Load,
    /// Which limits apply: those of the group, the agent's own, or 0 for the tenant's.
    pub limits: usize,
    /// The limits changed while work was in hand, which may exceed the new ones until the hands are empty.
    pub excused: bool,

    pub since: Timestamp,
    pub idle_since: Timestamp,
    /// Number of the last offer.
    pub turn: u64,
    pub tally: Tally,
    pub away: Away,

    /// Where the agent lies in the lists of free agents: for what, and at which place.
    pub filed: Option<(Lanes, Standing)>,
    /// Whether the profile counts the agent as online, and as working.
    pub counted: (bool, bool),
    /// Whether the change of state is still to be told.
    pub touched: bool,
    /// Whether the lists of free agents are still to be brought up to the facts.
    pub stirred: bool,
}

impl Agent {
    pub fn new(id: AgentId) -> Self {
        Self {
            id,
            skills: BTreeMap::new(),
            group: None,
            at_once: BTreeMap::new(),
            profile: 0,
            enrolled: false,
            session: None,
            phone: PhoneKind::None,
            intent: Intent::NotReady(NotReadyReason::Login),
            lease: None,
            active: Vec::new(),
            wrapping: Vec::new(),
            wrap_until: None,
            stay_until: None,
            load: [0; LANES],
            limits: 0,
            excused: false,
            since: Timestamp::ZERO,
            idle_since: Timestamp::ZERO,
            turn: 0,
            tally: Tally::default(),
            away: Away::default(),
            filed: None,
            counted: (false, false),
            touched: false,
            stirred: false,
        }
    }

    /// The state everybody sees.
    pub fn state(&self) -> AgentState {
        if self.session.is_none() {
            AgentState::LoggedOut
        } else if !self.active.is_empty() {
            AgentState::Busy
        } else if self.lease.is_some() {
            AgentState::Ringing
        } else if !self.wrapping.is_empty() {
            AgentState::WrapUp
        } else {
            match self.intent {
                Intent::Ready => AgentState::Ready,
                Intent::NotReady(reason) => AgentState::NotReady { reason },
                Intent::Offline => AgentState::Offline,
            }
        }
    }

    pub fn has_work(&self) -> bool {
        self.lease.is_some() || !self.active.is_empty() || !self.wrapping.is_empty()
    }

    /// Signed in and in service.
    pub fn is_online(&self) -> bool {
        self.session.is_some() && self.intent != Intent::Offline
    }

    /// Takes work, or will when the work in hand is done.
    pub fn works(&self) -> bool {
        self.session.is_some() && self.intent == Intent::Ready
    }

    /// The kinds of contact that may be offered from a queue now.
    pub fn open(&self, limits: &Limits) -> Lanes {
        let in_wrap_up = self.active.is_empty() && !self.wrapping.is_empty();
        let takes = self.enrolled
            && self.session.is_some()
            && self.intent == Intent::Ready
            && self.lease.is_none()
            && !in_wrap_up;
        if takes { limits.open(&self.load) & self.reach() } else { 0 }
    }

    /// Whether a queued interaction of this kind may be offered now.
    pub fn is_open(&self, channel: Channel, limits: &Limits) -> bool {
        self.open(limits) & bit(channel) != 0
    }

    /// By how much longer a call rings here: a number outside begins to ring seconds after it was dialled, and whoever picks up hears
    /// first what to press.
    pub fn ring_grace(&self, channel: Channel) -> Duration {
        if self.phone == PhoneKind::Number && channel.is_call() { OUTSIDE_GRACE } else { Duration::ZERO }
    }

    /// What reaches the agent: without a telephone no calls.
    fn reach(&self) -> Lanes {
        if self.phone == PhoneKind::None { EVERY & !calls() } else { EVERY }
    }

    pub fn can_carry(&self, channel: Channel) -> bool {
        self.reach() & bit(channel) != 0
    }

    pub fn has_room(&self, channel: Channel, limits: &Limits) -> bool {
        limits.open(&self.load) & bit(channel) != 0
    }

    /// Rank among agents of the same profile, smallest first.
    pub fn standing(&self, order: &[AgentTerm], limits: &Limits) -> Standing {
        let mut standing = Standing::default();
        for (place, term) in standing.iter_mut().zip(order) {
            *place = match term {
                AgentTerm::MostSkilled | AgentTerm::LeastSkilled => 0,
                AgentTerm::LeastLoaded => limits.units(&self.load).into(),
                AgentTerm::LongestIdle => self.idle_since.micros(),
                AgentTerm::RoundRobin => self.turn,
            };
        }
        standing
    }
}
