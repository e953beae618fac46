//! Services with their requirements and queue rules as they travel.

use std::collections::BTreeSet;
use std::time::Duration;

use desk::configuration::Configuration;
use desk::refusal::{FieldError, Refusal};
use model::calendar::Calendar;
use model::id::{ServiceId, TenantId};
use model::interaction::Channel;
use model::recording::RecordingRules;
use model::service::{LateContacts, QueueRules, RingRule, ShortAbandons, Treatment, WaitingOrder};
use model::skill::{StepMode, text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callback::CallbackOffer;
use super::farewell::Farewells;
use super::regulars::Regulars;
use super::voicemail::Voicemail;
use super::waiting::Waiting;
use super::{Wire, ms, no_id, yes};

pub use model::skill::SkillExpr;

/// An entry point and its queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Made by the appliance; ignored in requests.
    #[serde(default = "no_id")]
    #[schema(value_type = String, read_only)]
    pub id: ServiceId,
    /// Unique.
    pub name: String,
    /// Who may answer; without it everybody.
    #[serde(default)]
    pub requirement: Requirement,
    /// Queue rules.
    #[serde(default)]
    pub queue: Queue,
    /// Whether work cannot be completed without a disposition (ACW-01).
    #[serde(default)]
    pub disposition_mandatory: bool,
    /// Whether calls are recorded.
    #[serde(default = "yes")]
    pub record: bool,
    /// How recordings are treated.
    #[serde(default)]
    pub recording: Recording,
    /// A closed service treats callers by `queue.when_closed`.
    #[serde(default = "yes")]
    pub open: bool,
    /// What may surprise, in answers to POST and PUT.
    #[serde(default, skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    #[schema(read_only)]
    pub warnings: Vec<String>,
}

/// How recordings of a service are treated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recording {
    /// A pause ends by itself after this time, 5 s to 1 h (RECO-04).
    pub pause_max_ms: u64,
    /// A recording is erased this many days after the call, 1 to 36500; none: it is kept (RECO-05).
    pub keep_days: Option<u32>,
}

impl Default for Recording {
    fn default() -> Self {
        RecordingRules::default().into()
    }
}

impl From<RecordingRules> for Recording {
    fn from(rules: RecordingRules) -> Self {
        Self { pause_max_ms: ms(rules.pause_max), keep_days: rules.keep_days }
    }
}

impl From<Recording> for RecordingRules {
    fn from(recording: Recording) -> Self {
        Self { pause_max: Duration::from_millis(recording.pause_max_ms), keep_days: recording.keep_days }
    }
}

/// Whom an interaction may be offered to, as time passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `replace` or `cumulative`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub mode: StepMode,
    /// At least one.
    pub steps: Vec<Step>,
}

impl Default for Requirement {
    fn default() -> Self {
        Self {
            mode: StepMode::Replace,
            steps: vec![Step { who: Some(SkillExpr::Any), who_text: None, lasts_ms: None }],
        }
    }
}

/// One step of a requirement. Requests have `who` or `who_text`, or both saying the same; answers have both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `"any"`, `{"at_least":{"skill","level"}}`, `{"in_group"}`, `{"one_of":[…]}`, `{"and":[…]}`, `{"or":[…]}`, `{"not":…}`.
    #[serde(default)]
    #[schema(value_type = serde_json::Value)]
    pub who: Option<SkillExpr>,
    /// The same as text: `german >= 7 and (billing or not trainee)`, `group "Night shift"`, `agent in (anna, boris)`.
    #[serde(default)]
    pub who_text: Option<String>,
    /// How long it lasts; `null`: until somebody answers.
    #[serde(default)]
    pub lasts_ms: Option<u64>,
}

impl Step {
    /// As it is stored. `pointer`: where it stands.
    fn read(self, pointer: &str, now: &Configuration) -> Result<model::skill::Step, FieldError> {
        let text = |text: &String| {
            let read = text::parse(text, now.names());
            read.map_err(|error| FieldError::in_text(format!("{pointer}/who_text"), text, &error))
        };
        let who = match (self.who, self.who_text.as_ref().map(text).transpose()?) {
            (None, None) => return Err(FieldError::new(pointer, "one of who and who_text is needed")),
            // Whoever changed one of both and sent the other back as it was would be misunderstood either way.
            (Some(who), Some(said)) if who != said => {
                let why = "says something else than who: leave out the one that was not changed";
                return Err(FieldError::new(format!("{pointer}/who_text"), why));
            }
            (Some(who), _) | (None, Some(who)) => who,
        };
        Ok(model::skill::Step { who, lasts: self.lasts_ms.map(Duration::from_millis) })
    }
}

/// How callers wait and how agents are rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// Kinds of contact that the service takes: `voice`, `chat`, `email`, `sms`; without it all of them.
    #[schema(value_type = Vec<String>)]
    pub takes: BTreeSet<Channel>,
    /// 0 to 1000.
    pub priority: i32,
    /// Seconds of waiting that one priority point buys.
    pub priority_second: u32,
    /// Who of those who wait is served first: `ageing` (the time waited), `deadline` (the earliest `service_level_ms` after
    /// the arrival) or `slopes` (the time waited by `slope_percent`). Services of different orders compete in virtual
    /// seconds of waiting (ROUTE-03).
    #[schema(value_type = String)]
    pub order: WaitingOrder,
    /// Under `deadline`, contacts that are late keep their place (`first`) or fall back by an hour (`last`).
    #[schema(value_type = String)]
    pub late: LateContacts,
    /// Under `slopes`, how fast urgency grows with the wait: 1 to 10000, 100 as under `ageing`.
    pub slope_percent: u32,
    /// How many agents are rung at once: `one`, `several` (`ring_agents`) or `all` who are free, up to 50 (ROUTE-05).
    #[schema(value_type = String)]
    pub ring: RingRule,
    /// How many under `several`: 2 to 50.
    pub ring_agents: u32,
    /// How long one agent is rung.
    pub ring_time_ms: u64,
    /// Callers allowed to wait.
    pub waiting_max: u32,
    /// Longest wait.
    pub wait_time_max_ms: Option<u64>,
    /// Answered within this time counts for the service level.
    pub service_level_ms: u64,
    /// Callers who leave within `short_abandon_after_ms` in the service level: they `count` like everybody else who left,
    /// are left out of it (`leave_out`), or `count_as_met`.
    #[schema(value_type = String)]
    pub short_abandons: ShortAbandons,
    /// Leaving within this time is short: 0 to 300 s.
    pub short_abandon_after_ms: u64,
    /// Before an agent who refused or missed a caller may be offered the same again.
    pub refusal_cooldown_ms: u64,
    /// When nobody is signed in: `announce`, `reject`, `queue` (wait all the same), `{"service": id}` (the queue of another service,
    /// with the place of the first arrival), `{"flow": id}` or `voicemail` (a message, then the end). A circle is refused (ROUTE-07).
    #[schema(value_type = serde_json::Value)]
    pub when_unstaffed: Treatment,
    /// The same when the service is closed.
    #[schema(value_type = serde_json::Value)]
    pub when_closed: Treatment,
    /// The same when `waiting_max` wait already.
    #[schema(value_type = serde_json::Value)]
    pub when_full: Treatment,
    /// The same when `wait_time_max_ms` is over.
    #[schema(value_type = serde_json::Value)]
    pub when_waited_long: Treatment,
    /// The same for those who wait when the last agent of the service leaves; `null`: as `when_unstaffed`.
    #[schema(value_type = Option<serde_json::Value>)]
    pub when_agents_left: Option<Treatment>,
    /// What callers hear while they wait.
    pub waiting: Waiting,
    /// Whether and how callers are called back.
    pub callback: CallbackOffer,
    /// Whether customers who come again are held for the agent who served them last; `null`: no.
    pub regulars: Option<Regulars>,
    /// How messages of callers are taken and kept.
    pub voicemail: Voicemail,
    /// When the service is open, while it is switched on: `{"zone": "Europe/Berlin", "open": ["mon-fri 09:00-17:30"], "holidays": ["12-25"],
    /// "special": {"2026-12-24": "09:00-12:00"}}`; `null`: always.
    #[schema(value_type = Option<serde_json::Value>)]
    pub hours: Option<Calendar>,
    /// Whether new callers meet `when_emergency` instead of everything else; supervisors switch it under `/services/{id}/emergency`.
    pub emergency: bool,
    /// As the other treatments, in an emergency.
    #[schema(value_type = serde_json::Value)]
    pub when_emergency: Treatment,
    /// What customers who write read in these cases, where it is `announce`.
    pub farewells: Farewells,
}

impl Default for Queue {
    fn default() -> Self {
        QueueRules::default().into()
    }
}

impl From<QueueRules> for Queue {
    fn from(rules: QueueRules) -> Self {
        Self {
            takes: rules.takes,
            priority: rules.priority,
            priority_second: rules.priority_second,
            order: rules.order,
            late: rules.late,
            slope_percent: rules.slope_percent,
            ring: rules.ring,
            ring_agents: rules.ring_agents,
            ring_time_ms: ms(rules.ring_time),
            waiting_max: rules.waiting_max,
            wait_time_max_ms: rules.wait_time_max.map(ms),
            service_level_ms: ms(rules.service_level),
            short_abandons: rules.short_abandons,
            short_abandon_after_ms: ms(rules.short_abandon_after),
            refusal_cooldown_ms: ms(rules.refusal_cooldown),
            when_unstaffed: rules.when_unstaffed,
            when_closed: rules.when_closed,
            when_full: rules.when_full,
            when_waited_long: rules.when_waited_long,
            when_agents_left: rules.when_agents_left,
            waiting: rules.waiting.into(),
            callback: rules.callback.into(),
            regulars: rules.regulars.map(Into::into),
            voicemail: rules.voicemail.into(),
            hours: rules.hours,
            emergency: rules.emergency,
            when_emergency: rules.when_emergency,
            farewells: rules.farewells.into(),
        }
    }
}

impl From<Queue> for QueueRules {
    fn from(queue: Queue) -> Self {
        Self {
            takes: queue.takes,
            priority: queue.priority,
            priority_second: queue.priority_second,
            order: queue.order,
            late: queue.late,
            slope_percent: queue.slope_percent,
            ring: queue.ring,
            ring_agents: queue.ring_agents,
            ring_time: Duration::from_millis(queue.ring_time_ms),
            waiting_max: queue.waiting_max,
            wait_time_max: queue.wait_time_max_ms.map(Duration::from_millis),
            service_level: Duration::from_millis(queue.service_level_ms),
            short_abandons: queue.short_abandons,
            short_abandon_after: Duration::from_millis(queue.short_abandon_after_ms),
            refusal_cooldown: Duration::from_millis(queue.refusal_cooldown_ms),
            when_unstaffed: queue.when_unstaffed,
            when_closed: queue.when_closed,
            when_full: queue.when_full,
            when_waited_long: queue.when_waited_long,
            when_agents_left: queue.when_agents_left,
            waiting: queue.waiting.into(),
            callback: queue.callback.into(),
            regulars: queue.regulars.map(Into::into),
            voicemail: queue.voicemail.into(),
            hours: queue.hours,
            emergency: queue.emergency,
            when_emergency: queue.when_emergency,
            farewells: queue.farewells.into(),
        }
    }
}

impl Wire for Service {
    type Item = model::service::Service;
    fn into_item(
        self,
        id: ServiceId,
        tenant: TenantId,
        now: &Configuration,
    ) -> Result<model::service::Service, Refusal> {
        let (mut steps, mut errors) = (Vec::new(), Vec::new());
        for (n, step) in self.requirement.steps.into_iter().enumerate() {
            match step.read(&format!("/requirement/steps/{n}"), now) {
                Ok(step) => steps.push(step),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(Refusal::Invalid { errors });
        }
        Ok(model::service::Service {
            id,
            tenant,
            name: self.name,
            requirement: model::skill::Requirement { steps, mode: self.requirement.mode },
            queue: self.queue.into(),
            disposition_mandatory: self.disposition_mandatory,
            record: self.record,
            recording: self.recording.into(),
            open: self.open,
        })
    }
    fn show(item: model::service::Service) -> Self {
        let step = |step: model::skill::Step| Step {
            who: Some(step.who),
            who_text: None,
            lasts_ms: step.lasts.map(ms),
        };
        Self {
            id: item.id,
            name: item.name,
            requirement: Requirement {
                mode: item.requirement.mode,
                steps: item.requirement.steps.into_iter().map(step).collect(),
            },
            queue: item.queue.into(),
            disposition_mandatory: item.disposition_mandatory,
            record: item.record,
            recording: item.recording.into(),
            open: item.open,
            warnings: Vec::new(),
        }
    }
    fn named(mut self, now: &Configuration) -> Self {
        for step in &mut self.requirement.steps {
            step.who_text = step.who.as_ref().map(|who| text::print(who, now.names()));
        }
        self
    }
}
