//! Users, roles, privileges and groups.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::capacity::Capacity;
use crate::dialling::DialRules;
use crate::id::{GroupId, SkillId, TenantId, UserId};
use crate::service::VoicemailRules;
use crate::skill::Level;
use crate::tenant::{AgentOrder, OfferWindow, SystemNames};

/// A customer of the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Shown to people; unique on the appliance.
    pub name: String,
    /// What its agents' offer windows show (VOICE-05).
    pub offer_window: OfferWindow,
    /// Its names for the states that the system sets (STATE-13).
    pub system_names: SystemNames,
    /// What its agents carry at once (ROUTE-01).
    pub capacity: Capacity,
    /// Who of several agents who would do is rung first (ROUTE-04).
    pub agent_order: AgentOrder,
    /// Which numbers outside its agents and flows may dial (SAFE-01).
    pub dialling: DialRules,
    /// What its roles may not do, although they usually may.
    pub withheld: Withheld,
    /// How messages for extensions are taken and kept (VM-12).
    pub own_voicemail: VoicemailRules,
}

impl Tenant {
    /// A tenant with everything as it comes.
    pub fn new(id: TenantId, name: impl Into<String>) -> Self {
        let (offer_window, system_names) = (OfferWindow::default(), SystemNames::default());
        let (capacity, agent_order) = (Capacity::default(), AgentOrder::default());
        let (dialling, withheld) = (DialRules::default(), Withheld::default());
        let (name, own_voicemail) = (name.into(), VoicemailRules::default());
        Self {
            id,
            name,
            offer_window,
            system_names,
            capacity,
            agent_order,
            dialling,
            withheld,
            own_voicemail,
        }
    }
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Whose user this is.
    pub tenant: TenantId,
    /// What is typed at sign-in; unique in the tenant, lower case.
    pub login: String,
    /// What colleagues see.
    pub name: String,
    /// Optional second sign-in identifier.
    pub email: Option<String>,
    /// Internal number, 2 to 8 digits; unique in the tenant.
    pub extension: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// The team whose rules apply.
    pub group: Option<GroupId>,
    /// What the user can handle, and how well.
    pub skills: BTreeMap<SkillId, Level>,
    /// How voice reaches the user.
    pub phone: PhoneKind,
    /// The number outside by which the user can be reached: what is dialled for [`PhoneKind::Number`].
    pub mobile: Option<String>,
    /// How many chats at once, instead of what group and tenant say (CHAT-14, C2). 0: none.
    pub chats_max: Option<u32>,
    /// A user who may not sign in any more. Users are never deleted while records name them.
    pub disabled: bool,
}

/// How voice reaches an agent (CONN-03, CONN-04, CONN-06, CONN-09).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneKind {
    /// The softphone in the console page.
    #[default]
    Browser,
    /// A SIP phone that registers with the user's extension.
    Sip,
    /// A landline or mobile phone, dialled over the trunks.
    Number,
    /// No voice at all.
    None,
}

/// The phone that an agent chose instead of the one that was set for them (CONN-10). It is theirs from the next sign-in on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPhone {
    /// Which kind.
    pub kind: PhoneKind,
    /// Of [`PhoneKind::Number`], the number; `None`: the user's own as it was set.
    #[serde(default)]
    pub number: Option<String>,
}

/// A named set of privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes interactions; sees own records.
    Agent,
    /// Also sees and steers the agents of the tenant.
    Supervisor,
    /// Also changes users, services, skills and numbers.
    Administrator,
}

/// Something a user may or may not do. The API checks these, never roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privilege {
    /// Be offered interactions.
    TakeInteractions,
    /// Be offered chats and text messages (CHAT-01).
    HandleChats,
    /// Be offered emails.
    HandleEmails,
    /// Bring written contacts from a channel of one's own, and read and write them for the customer.
    BringContacts,
    /// Place calls.
    CallOut,
    /// See other people's service records.
    SeeAllRecords,
    /// See live figures and force agent states.
    Supervise,
    /// Read configuration.
    SeeConfiguration,
    /// Change users, services, skills, numbers, trunks.
    Administer,
    /// Destroy recordings.
    EraseRecordings,
    /// Put callers on the block list, and see it.
    BlockCallers,
}

impl Role {
    /// What the role may do.
    pub fn privileges(self) -> &'static [Privilege] {
        use Privilege::{
            Administer, BlockCallers, BringContacts, CallOut, EraseRecordings, HandleChats, HandleEmails,
            SeeAllRecords, SeeConfiguration, Supervise, TakeInteractions,
        };
        match self {
            Self::Agent => &[TakeInteractions, HandleChats, HandleEmails, CallOut, BlockCallers],
            Self::Supervisor => &[
                TakeInteractions,
                HandleChats,
                HandleEmails,
                CallOut,
                SeeAllRecords,
                Supervise,
                SeeConfiguration,
                BlockCallers,
            ],
            Self::Administrator => &[
                TakeInteractions,
                HandleChats,
                HandleEmails,
                BringContacts,
                CallOut,
                SeeAllRecords,
                Supervise,
                SeeConfiguration,
                Administer,
                EraseRecordings,
                BlockCallers,
            ],
        }
    }
    /// Whether the role may do `what`.
    pub fn may(self, what: Privilege) -> bool {
        self.privileges().contains(&what)
    }
}

/// Privileges that the roles of a tenant do not have, of those in [`Withheld::POSSIBLE`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Withheld(pub BTreeMap<Role, BTreeSet<Privilege>>);

impl Withheld {
    /// What can be withheld: work that is routed, and nothing that the appliance needs somebody to do.
    pub const POSSIBLE: [Privilege; 2] = [Privilege::HandleChats, Privilege::HandleEmails];

    /// Whether a role may still do something.
    pub fn leaves(&self, role: Role, what: Privilege) -> bool {
        role.may(what) && !self.0.get(&role).is_some_and(|withheld| withheld.contains(&what))
    }
}

/// A team and its rules (ADM-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Whose group this is.
    pub tenant: TenantId,
    /// Unique in the tenant.
    pub name: String,
    /// The rules of its agents.
    pub rules: GroupRules,
}

/// What happens to the agents of a group without their asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupRules {
    /// State after sign-in (STATE-04, STATE-11).
    pub after_login: RestState,
    /// Whether after-call work follows an interaction (STATE-08).
    pub wrap_up: bool,
    /// After-call work ends by itself after this time; `None`: only by hand (STATE-09).
    pub wrap_up_time: Option<Duration>,
    /// Whether the agent may stop the countdown (STATE-10).
    pub wrap_up_continue: bool,
    /// State after an interaction or its after-call work (STATE-09).
    pub after_interaction: RestState,
    /// Whether refusing an offer makes the agent Not ready (STATE-11).
    pub not_ready_on_refusal: bool,
    /// Break time of a day, in minutes; `None`: as much as it takes (STATE-14).
    pub break_minutes: Option<u32>,
    /// Voice calls are accepted by themselves after the two-tone prompt (VOICE-11).
    pub auto_answer: bool,
    /// What its agents carry at once, instead of what the tenant says (ROUTE-01).
    pub capacity: Option<Capacity>,
    /// Whether its agents may put an offered chat or email back into the queue without becoming Not ready (LIVE-05).
    pub put_back: bool,
}

impl Default for GroupRules {
    /// Ready after login and after work, 30 s of after-call work that can be continued, refusal makes Not ready.
    fn default() -> Self {
        Self {
            after_login: RestState::NotReady,
            wrap_up: true,
            wrap_up_time: Some(Duration::from_secs(30)),
            wrap_up_continue: true,
            after_interaction: RestState::Ready,
            not_ready_on_refusal: true,
            break_minutes: None,
            auto_answer: false,
            capacity: None,
            put_back: true,
        }
    }
}

/// Where an agent rests when nothing is being handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestState {
    /// Takes work.
    Ready,
    /// Takes none.
    NotReady,
}
