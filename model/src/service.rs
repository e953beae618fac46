//! Services, dispositions, numbers and trunks: what an administrator sets up.

mod callback;
mod farewell;
mod regulars;
mod treatment;
mod voicemail;
mod waiting;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::calendar::Calendar;
use crate::id::{DispositionId, FlowId, NumberId, ServiceId, SkillId, TenantId, TrunkId};
use crate::interaction::Channel;
use crate::recording::RecordingRules;
use crate::skill::Requirement;

pub use self::callback::CallbackRules;
pub use self::farewell::{FAREWELL_MAX, Farewell, Farewells};
pub use self::regulars::RegularRules;
pub use self::treatment::{Overflow, Treatment};
pub use self::voicemail::VoicemailRules;
pub use self::waiting::{COMFORT_MAX, WaitingRules};

/// A skill that agents can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Its id.
    pub id: SkillId,
    /// Whose skill this is.
    pub tenant: TenantId,
    /// Unique in the tenant.
    pub name: String,
}

/// An entry point and its queue, with its own rules and dispositions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Whose service this is.
    pub tenant: TenantId,
    /// Shown in the offer window; unique in the tenant.
    pub name: String,
    /// Who may answer.
    pub requirement: Requirement,
    /// Queue rules.
    pub queue: QueueRules,
    /// Whether a disposition must be given before completing (ACW-01).
    pub disposition_mandatory: bool,
    /// Whether calls are recorded (C15: yes unless switched off).
    pub record: bool,
    /// How recordings are treated.
    #[serde(default)]
    pub recording: RecordingRules,
    /// A closed service treats callers by [`QueueRules::when_closed`].
    pub open: bool,
}

/// How callers wait and how agents are rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueRules {
    /// Kinds of contact that the service takes, of [`Channel::INCOMING`]. Default: all of them.
    pub takes: BTreeSet<Channel>,
    /// 0 (default) to 1000; one point is worth [`QueueRules::priority_second`] of waiting.
    pub priority: i32,
    /// How many seconds of waiting one priority point buys (finite ageing, ROUTE-03). Default 60.
    pub priority_second: u32,
    /// What decides who of those who wait is served first (ROUTE-03). Default [`WaitingOrder::Ageing`].
    pub order: WaitingOrder,
    /// What becomes of a contact whose deadline has passed, under [`WaitingOrder::Deadline`].
    pub late: LateContacts,
    /// How fast urgency grows with the wait, in percent, under [`WaitingOrder::Slopes`]: 1 to [`SLOPE_MAX`], default 100.
    pub slope_percent: u32,
    /// How many agents are rung at once (ROUTE-05). Default [`RingRule::One`].
    pub ring: RingRule,
    /// How many under [`RingRule::Several`]: 2 to [`RING_MAX`], default 3.
    pub ring_agents: u32,
    /// How long one agent is rung before the next is tried. Default 20 s: four European ring cycles.
    pub ring_time: Duration,
    /// Callers allowed to wait. What the next one meets says [`QueueRules::when_full`]. Default 500.
    pub waiting_max: u32,
    /// The longest wait; what follows says [`QueueRules::when_waited_long`]. `None`: no limit.
    pub wait_time_max: Option<Duration>,
    /// Answered within this time counts for the service level. Default 20 s.
    pub service_level: Duration,
    /// What becomes of callers who leave within [`QueueRules::short_abandon_after`] in the service level. Default
    /// [`ShortAbandons::Count`].
    pub short_abandons: ShortAbandons,
    /// Leaving within this time is a wrong number, not impatience. Default 5 s.
    pub short_abandon_after: Duration,
    /// Seconds before an agent who refused or missed an interaction may be offered it again. Default 60.
    pub refusal_cooldown: Duration,
    /// What a caller meets when nobody is signed in.
    pub when_unstaffed: Treatment,
    /// What a caller meets when the service is closed.
    pub when_closed: Treatment,
    /// What a caller meets when as many wait as may.
    pub when_full: Treatment,
    /// What becomes of a caller whose longest wait is over.
    pub when_waited_long: Treatment,
    /// What becomes of those who wait when the last agent of the service leaves. `None`: as [`QueueRules::when_unstaffed`].
    pub when_agents_left: Option<Treatment>,
    /// What callers hear while they wait.
    pub waiting: WaitingRules,
    /// Whether and how callers are called back.
    pub callback: CallbackRules,
    /// Whether customers who come again are held for the agent who served them last.
    pub regulars: Option<RegularRules>,
    /// How messages of callers are taken and kept.
    pub voicemail: VoicemailRules,
    /// When the service is open, while it is switched on; `None`: always.
    pub hours: Option<Calendar>,
    /// Whether new callers meet the emergency treatment instead of everything else.
    pub emergency: bool,
    /// What that is.
    pub when_emergency: Treatment,
    /// What customers who write read where callers hear an announcement.
    pub farewells: Farewells,
}

impl Default for QueueRules {
    fn default() -> Self {
        Self {
            takes: Channel::INCOMING.into(),
            priority: 0,
            priority_second: 60,
            order: WaitingOrder::Ageing,
            late: LateContacts::First,
            slope_percent: 100,
            ring: RingRule::One,
            ring_agents: 3,
            ring_time: Duration::from_secs(20),
            waiting_max: 500,
            wait_time_max: None,
            service_level: Duration::from_secs(20),
            short_abandons: ShortAbandons::Count,
            short_abandon_after: Duration::from_secs(5),
            refusal_cooldown: Duration::from_secs(60),
            when_unstaffed: Treatment::Announce,
            when_closed: Treatment::Announce,
            when_full: Treatment::Announce,
            when_waited_long: Treatment::Announce,
            when_agents_left: None,
            waiting: WaitingRules::default(),
            callback: CallbackRules::default(),
            regulars: None,
            voicemail: VoicemailRules::default(),
            hours: None,
            emergency: false,
            when_emergency: Treatment::Announce,
            farewells: Farewells::default(),
        }
    }
}

impl QueueRules {
    /// Whether a contact of this kind may come to the service.
    pub fn takes(&self, channel: Channel) -> bool {
        self.takes.contains(&channel.comes_as())
    }
    /// How many agents are rung at once, at most.
    pub fn rung_at_once(&self) -> u32 {
        match self.ring {
            RingRule::One => 1,
            RingRule::Several => self.ring_agents.clamp(1, RING_MAX),
            RingRule::All => RING_MAX,
        }
    }
}

/// Phones that ring at once for one contact, at most.
pub const RING_MAX: u32 = 50;
/// The steepest slope, in percent.
pub const SLOPE_MAX: u32 = 10_000;

/// What decides who of those who wait is served first (ROUTE-03).
///
/// Everybody is measured in virtual seconds of waiting, so that services of different orders can compete for one agent;
/// who has the most is served first, and of equals who came first. Priority adds to it under every order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingOrder {
    /// The time waited.
    #[default]
    Ageing,
    /// The time since the deadline, which is the arrival and [`QueueRules::service_level`]: the earliest deadline comes
    /// first. Beside ageing services, whose deadline is the arrival itself.
    Deadline,
    /// The time waited, multiplied by the slope.
    Slopes,
}

/// What becomes of a contact whose deadline has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateContacts {
    /// It keeps its place, which is before those whose deadline is yet to come.
    #[default]
    First,
    /// It falls back by an hour: those who can still be answered in time go first, but nobody is overtaken for ever.
    Last,
}

/// What becomes of short abandons in the service level; all three are usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortAbandons {
    /// They count as not answered in time, like everybody else who left.
    #[default]
    Count,
    /// They do not count at all.
    LeaveOut,
    /// They count as if they had been answered in time.
    CountAsMet,
}

/// How many agents are rung at once; the first to accept wins (ROUTE-05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingRule {
    /// One after the other.
    #[default]
    One,
    /// [`QueueRules::ring_agents`] of those who are free.
    Several,
    /// All who are free, up to [`RING_MAX`].
    All,
}

/// A way an interaction of a service can end (ACW-01, ACW-07).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Its id.
    pub id: DispositionId,
    /// Whose disposition this is.
    pub tenant: TenantId,
    /// The service whose list it stands in.
    pub service: ServiceId,
    /// Shown in the picker; unique in the service.
    pub name: String,
    /// Counts as a success in reports.
    pub success: bool,
    /// Closes the matter, rather than being an interim step.
    pub closing: bool,
}

/// A number callers dial, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// Whose number this is.
    pub tenant: TenantId,
    /// As the trunk sends it in the Request-URI: digits with an optional leading `+`.
    pub digits: String,
    /// The service that answers.
    pub service: ServiceId,
    /// What callers go through first.
    #[serde(default)]
    pub flow: Option<FlowId>,
}

/// A carrier or PBX that exchanges calls with us (SIP-02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Its id.
    pub id: TrunkId,
    /// Whose trunk this is.
    pub tenant: TenantId,
    /// Unique on the appliance; a label of metrics.
    pub name: String,
    /// Source addresses that belong to it, as `address` or `address/prefix-length`. `0.0.0.0/0` is refused. Empty: digest only.
    pub addresses: Vec<String>,
    /// Digest user name with which it may come from any address. Its password hash lives in the store.
    pub username: Option<String>,
    /// Where outbound calls go: `host[:port][;transport=udp|tcp|tls]`. `None`: inbound only.
    pub target: Option<String>,
    /// The user name with which we sign in where it asks us to. Its password lives in the store.
    pub account: Option<String>,
    /// Whether we register there, so that calls come to us (RFC 3261 §10). Needs target and account.
    pub registers: bool,
    /// Calls at once, both directions. Default 500.
    pub calls_max: u32,
    /// Whether media must be, may be or is not encrypted.
    pub srtp: SrtpPolicy,
}

/// Whether media with a far end is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SrtpPolicy {
    /// Taken when offered; we offer RTP/AVP.
    #[default]
    Accept,
    /// Calls without it are refused with 488; we offer RTP/SAVP.
    Require,
    /// Never used.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was stored before a rule existed is read as it was meant.
    #[test]
    fn rules_stored_by_an_older_appliance_are_read() {
        let old =
            r#"{"priority":3,"priority_second":60,"ring_time":{"secs":20,"nanos":0},"waiting_max":500}"#;
        let rules: QueueRules = serde_json::from_str(old).expect("rules of an older appliance");
        assert_eq!(rules, QueueRules { priority: 3, ..QueueRules::default() });
        assert_eq!((rules.order, rules.rung_at_once()), (WaitingOrder::Ageing, 1));
    }
}
