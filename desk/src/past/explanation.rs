//! An explanation as people and programs read it: with names, and each ground in a sentence.

use model::id::{InteractionId, SkillId, UserId};
use model::skill::{Level, SkillExpr, text};
use model::time::Timestamp;
use router::{Advice, AgentTerm, Candidate, Decider, Explanation, Stage, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use crate::configuration::Configuration;
use crate::console::protocol::ServiceName;

/// Why an interaction is where it is, at a moment. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExplanationView {
    /// Which one.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// The moment it speaks of.
    pub at: u64,
    /// Over whose queue it came.
    pub service: Option<ServiceName>,
    /// `waiting`, `ringing`, `talking` or `wrap_up`.
    pub stage: &'static str,
    /// When it was queued.
    pub waiting_since: u64,
    /// Queue priority points.
    pub priority: i32,
    /// How many of the same service come first; none when it does not wait.
    pub position: Option<usize>,
    /// Seconds that it will probably still wait; none when it does not wait, nobody is there, or nothing is known yet.
    pub expected_wait_s: Option<u64>,
    /// Number of the step of the requirement that applies, from 1.
    pub step: usize,
    /// How many steps there are.
    pub steps: usize,
    /// Whom this step asks for.
    pub asks_for: Option<String>,
    /// When the next step begins, and whom it asks for.
    pub next: Option<NextStep>,
    /// Agents whose skills fit this step, signed in or not.
    pub fitting: usize,
    /// Of those, how many are signed in and not Offline.
    pub online: usize,
    /// Nobody of the configuration fits this step or a later one.
    pub hopeless: bool,
    /// Who was rung, when an offer is explained.
    pub chosen: Option<Named>,
    /// Whether the explanation comes to the same agent as the floor did.
    pub rederived: Option<bool>,
    /// Who could be rung, in the order of choice, with what each lost on.
    pub candidates: Vec<CandidateView>,
    /// What stands between it and each agent; those who fit come first, at most 200.
    pub agents: Vec<AgentGround>,
    /// What would help.
    pub advice: Vec<AdviceView>,
    /// All its offers so far; told when the past is asked for.
    pub offers: Vec<OfferedView>,
}

/// Somebody with the name that colleagues see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// Who.
    #[schema(value_type = String)]
    pub id: UserId,
    /// Empty for somebody who is no longer there.
    pub name: String,
}

/// The next step of a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextStep {
    /// When it begins.
    pub at: Option<u64>,
    /// Whom it asks for.
    pub asks_for: String,
}

/// Somebody who could be rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CandidateView {
    /// Who.
    pub agent: Named,
    /// How well the agent fits: 1 to 10.
    pub fit: u8,
    /// The term of the order on which the agent came behind the first: `most_skilled`, `longest_idle` …, or `id` for equals;
    /// none for the first.
    pub lost_on: Option<String>,
    /// In a sentence.
    pub text: String,
}

/// What stands between an interaction and an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentGround {
    /// Who.
    pub agent: Named,
    /// `eligible`, `ringing`, `handling`, `refused`, `no_room`, `not_ready`, `no_phone`, `not_for_kind`, `away` or `unskilled`.
    pub verdict: String,
    /// When a refusal is forgotten.
    pub until: Option<u64>,
}

/// Something that would help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdviceView {
    /// `not_ready`, `no_phone`, `not_for_kind`, `at_work`, `refused`, `away`, `lower_level`, `lacks_only` or `next_step`.
    pub kind: String,
    /// How many agents it concerns.
    pub agents: usize,
    /// The first few of them.
    pub who: Vec<Named>,
    /// What is asked that they lack, as text: of `lower_level` and `lacks_only`.
    pub asked: Option<String>,
    /// What would let them in: of `lower_level`.
    pub instead: Option<String>,
    /// When it comes by itself: of `refused` and `next_step`.
    pub at: Option<u64>,
    /// In a sentence.
    pub text: String,
}

/// An offer and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedView {
    /// Its number, from 1.
    pub number: u32,
    /// When.
    pub at: u64,
    /// To whom.
    pub agent: Named,
    /// When it ended.
    pub ended_at: Option<u64>,
    /// `accepted`, or why it ended.
    pub result: Option<&'static str>,
}

impl ExplanationView {
    /// The explanation with the names of a configuration.
    pub fn of(why: &Explanation, config: &Configuration) -> Self {
        let seen = &why.interaction;
        let first = why.candidates.first();
        let who = |who: &SkillExpr| text::print(who, config.names());
        Self {
            interaction: seen.interaction,
            at: why.at.millis(),
            service: seen.service.map(|service| config.name_service(service)),
            stage: match seen.stage {
                Stage::Waiting => "waiting",
                Stage::Offered { .. } => "ringing",
                Stage::Active { .. } => "talking",
                Stage::WrapUp { .. } => "wrap_up",
            },
            waiting_since: seen.since.millis(),
            priority: seen.priority,
            position: why.position,
            expected_wait_s: why.expected_wait.map(|wait| wait.as_secs_f64().ceil() as u64),
            step: seen.step + 1,
            steps: seen.requirement.steps.len(),
            asks_for: why.who.as_ref().map(who),
            next: why
                .next
                .as_ref()
                .map(|next| NextStep { at: seen.next_step.map(Timestamp::millis), asks_for: who(next) }),
            fitting: why.fitting,
            online: why.online,
            hopeless: why.hopeless,
            chosen: None,
            rederived: None,
            candidates: why.candidates.iter().map(|one| candidate(one, first, why.at, config)).collect(),
            agents: why.agents.iter().map(|(agent, verdict)| ground(*agent, *verdict, config)).collect(),
            advice: why.advice.iter().map(|advice| advise(advice, why.at, config)).collect(),
            offers: Vec::new(),
        }
    }

    /// An agent with a name.
    pub fn name(agent: UserId, config: &Configuration) -> Named {
        let user = config.users.get(&agent);
        Named { id: agent, name: user.map(|user| user.name.clone()).unwrap_or_default() }
    }
}

/// The word that JSON has for a variant.
fn word(of: impl Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(value) => ["verdict", "advice"]
            .iter()
            .find_map(|tag| value[tag].as_str())
            .map(ToOwned::to_owned)
            .unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn candidate(
    one: &Candidate,
    first: Option<&Candidate>,
    at: Timestamp,
    config: &Configuration,
) -> CandidateView {
    let stands = |candidate: &Candidate, term: AgentTerm| {
        let rank = candidate.ranks.iter().find(|rank| rank.term == term);
        let value = rank.map_or(0, |rank| rank.value);
        match term {
            AgentTerm::MostSkilled | AgentTerm::LeastSkilled => format!("fit {}", candidate.fit),
            AgentTerm::LeastLoaded => format!("{value} units of work"),
            AgentTerm::LongestIdle => format!("idle for {}", ago(Timestamp::from_micros(value), at)),
            _ => format!("offer number {value}"),
        }
    };
    let text = match (one.lost_on, first) {
        (Some(Decider::Term(term)), Some(first)) => {
            format!("{}, the first has {}", stands(one, term), stands(first, term))
        }
        (Some(Decider::Id), _) => "equal in all; the lower id comes first".into(),
        _ => {
            let all: Vec<_> = one.ranks.iter().map(|rank| stands(one, rank.term)).collect();
            format!("first by the order: {}", all.join(", "))
        }
    };
    CandidateView {
        agent: ExplanationView::name(one.agent, config),
        fit: one.fit,
        lost_on: one.lost_on.map(|lost| match lost {
            Decider::Term(term) => word(term),
            Decider::Id => "id".into(),
        }),
        text,
    }
}

fn ground(agent: UserId, verdict: Verdict, config: &Configuration) -> AgentGround {
    let until = if let Verdict::Refused { until } = verdict { Some(until.millis()) } else { None };
    AgentGround { agent: ExplanationView::name(agent, config), verdict: word(verdict), until }
}

fn advise(advice: &Advice, at: Timestamp, config: &Configuration) -> AdviceView {
    let names = |agents: usize, who: &[UserId]| {
        let mut names: Vec<_> = who.iter().map(|agent| ExplanationView::name(*agent, config).name).collect();
        if agents > who.len() {
            names.push(format!("{} more", agents - who.len()));
        }
        names.join(", ")
    };
    let one = |agents: usize, one: &'static str, more: &'static str| if agents == 1 { one } else { more };
    let at_least = |skill: SkillId, level: u8| {
        let level = Level::new(level).unwrap_or(Level::MIN);
        text::print(&SkillExpr::AtLeast { skill, level }, config.names())
    };
    let (agents, text) = match advice {
        Advice::NotReady { agents, who } => (
            *agents,
            format!(
                "{agents} fitting {} signed in and not Ready: {}",
                one(*agents, "agent is", "agents are"),
                names(*agents, who)
            ),
        ),
        Advice::NoPhone { agents, who } => (
            *agents,
            format!(
                "{agents} fitting {} no phone: {}",
                one(*agents, "agent has", "agents have"),
                names(*agents, who)
            ),
        ),
        Advice::NotForKind { agents, who } => (
            *agents,
            format!(
                "{agents} fitting {} no contacts of this kind, by role, limit or group: {}",
                one(*agents, "agent takes", "agents take"),
                names(*agents, who)
            ),
        ),
        Advice::AtWork { agents, who } => (
            *agents,
            format!(
                "{agents} fitting {} at work: {}",
                one(*agents, "agent is", "agents are"),
                names(*agents, who)
            ),
        ),
        Advice::Refused { agents, until } => (
            *agents,
            format!(
                "{agents} fitting {} or missed it; asked again in {}",
                one(*agents, "agent refused", "agents refused"),
                ago(at, *until)
            ),
        ),
        Advice::Away { agents, who } => (
            *agents,
            format!(
                "{agents} fitting {} not signed in: {}",
                one(*agents, "agent is", "agents are"),
                names(*agents, who)
            ),
        ),
        Advice::LowerLevel { skill: what, asked, instead, agents, who } => (
            *agents,
            format!(
                "{agents} more signed-in {} fit if `{}` were asked instead of `{}`: {}",
                one(*agents, "agent would", "agents would"),
                at_least(*what, *instead),
                at_least(*what, *asked),
                names(*agents, who)
            ),
        ),
        Advice::LacksOnly { skill: what, asked, agents, who } => (
            *agents,
            format!(
                "{agents} signed-in {} nothing but `{}`: {}",
                one(*agents, "agent lacks", "agents lack"),
                at_least(*what, *asked),
                names(*agents, who)
            ),
        ),
        Advice::NextStep { at: begins, agents } => (
            *agents,
            format!(
                "the next step begins in {}; {agents} signed-in {} it",
                ago(at, *begins),
                one(*agents, "agent fits", "agents fit")
            ),
        ),
    };
    let (who, asked, instead, at) = match advice {
        Advice::NotReady { who, .. }
        | Advice::NoPhone { who, .. }
        | Advice::NotForKind { who, .. }
        | Advice::AtWork { who, .. }
        | Advice::Away { who, .. } => (who.as_slice(), None, None, None),
        Advice::LowerLevel { skill, asked, instead, who, .. } => {
            (who.as_slice(), Some(at_least(*skill, *asked)), Some(at_least(*skill, *instead)), None)
        }
        Advice::LacksOnly { skill, asked, who, .. } => {
            (who.as_slice(), Some(at_least(*skill, *asked)), None, None)
        }
        Advice::Refused { until: at, .. } | Advice::NextStep { at, .. } => {
            (&[][..], None, None, Some(at.millis()))
        }
    };
    let who = who.iter().map(|agent| ExplanationView::name(*agent, config)).collect();
    AdviceView { kind: word(advice), agents, who, asked, instead, at, text }
}

/// A stretch of time for people.
fn ago(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(since).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}
