//! What pages and the API show, read off the floor and the calls at the moment they ask.

use std::collections::BTreeMap;
use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::id::{InteractionId, OfferToken, ServiceId, UserId};
use model::interaction::Direction;
use model::time::Timestamp;
use router::{AwayView, Intent};
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Seat, Stage};
use super::callback::Callback;
use super::core::Core;
use crate::console::protocol::{
    AgentView, BreakView, CallbackView, OfferView, OfferWindowView, PauseView, Phase, QualityView,
    RefusedWhy, ServiceName, Snapshot, StateReason, StateView, WorkView, WrapUpView, state_name,
};

/// A call as supervisors see it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CallView {
    /// Which one.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Of which service; none of an internal call.
    pub service: Option<ServiceName>,
    /// Who began it.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// What flows noted of the caller, by name (ROUTE-07).
    pub noted: BTreeMap<String, String>,
    /// Who calls, in an internal call.
    #[schema(value_type = Option<String>)]
    pub calling_agent: Option<UserId>,
    /// `announced`, `self_service`, `passing_on` (an agent passed the customer on to a number outside, which rings), `passed_on` (it answered, or one that a flow dialled), `waiting`, `ringing`, `called_back` (waits for a callback, not in
    /// the line at the moment), `reserved`, `dialling`, `connecting`, `talking`, `held`, `refused` or `wrap_up`.
    pub phase: &'static str,
    /// Who is rung or works on it.
    #[schema(value_type = Option<String>)]
    pub agent: Option<UserId>,
    /// The customer asked to be called back and was not reached yet.
    pub callback: Option<OpenCallback>,
    /// When it came.
    pub arrived_at: u64,
    /// When they began to hear each other.
    pub answered_at: Option<u64>,
    /// Whether it is being recorded.
    pub recording: bool,
}

/// A customer who is to be called back, as supervisors see it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OpenCallback {
    /// What is dialled.
    pub number: String,
    /// How often it was dialled so far.
    pub attempts: u32,
    /// The place in the line is that of this time.
    pub since: u64,
    /// It is not in the line before.
    pub held_until: Option<u64>,
}

impl From<&Callback> for OpenCallback {
    fn from(callback: &Callback) -> Self {
        Self {
            number: callback.number.clone(),
            attempts: callback.attempts,
            since: callback.since.millis(),
            held_until: callback.held_until().map(Timestamp::millis),
        }
    }
}

impl Core {
    /// Everything a page of `agent` shows.
    pub fn snapshot(&self, agent: UserId, now: Timestamp) -> Snapshot {
        let offers = self.ringing.iter().filter(|((_, user), _)| *user == agent);
        let of_calls = self.calls.iter().filter(|(_, call)| call.seat(agent).is_some()).map(|(id, _)| id);
        let of_written = self.written_in_hand(agent).map(|(id, _)| id);
        Snapshot {
            me: self.agent_view(agent, now).unwrap_or_else(|| self.stranger(agent)),
            offers: offers.filter_map(|(key, _)| self.offer_view(*key, now)).collect(),
            work: of_calls.copied().chain(of_written).filter_map(|id| self.work_view(id, agent)).collect(),
            personal: self.personal_tab(agent),
            queues: self.queue_views(now),
            reasons: self.config.reason_views(),
            phone: self.phone_view(agent),
            offer_window: OfferWindowView::from(&self.config.offer_window),
            services: self.config.service_views(),
            help: if self.supervises(agent) { self.help_views(agent) } else { Vec::new() },
            attending: self.attended_view(agent),
        }
    }

    /// An agent's state; `None` for whom the floor does not know.
    pub fn agent_view(&self, agent: UserId, now: Timestamp) -> Option<AgentView> {
        let seen = self.floor.agent(agent)?;
        let name = self.config.users.get(&agent).map(|user| user.name.clone()).unwrap_or_default();
        let counts = self.people.get(&agent).filter(|person| person.day == now.day());
        Some(AgentView {
            user: agent,
            name,
            state: self.state_view(seen.state),
            since: seen.since.millis(),
            after_work: after_work(seen.state, seen.intent).map(|state| self.state_view(state)),
            can: can(seen.state),
            missed_today: counts.map_or(0, |person| person.missed),
            declined_today: counts.map_or(0, |person| person.declined),
            breaks: self.break_view(agent, now),
            presence: self.presence(agent),
            undisturbed: self.undisturbed(agent),
        })
    }

    fn break_view(&self, agent: UserId, now: Timestamp) -> BreakView {
        let is_break =
            |away: &AwayView| self.config.reasons.get(&away.reason).is_some_and(|reason| reason.is_break);
        let breaks: Vec<_> = self.floor.away(agent, now).into_iter().filter(is_break).collect();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        BreakView {
            used_ms: breaks.iter().map(|away| millis(away.time)).sum(),
            since: breaks.iter().find_map(|away| away.since).map(Timestamp::millis),
            allowance_ms: self
                .config
                .rules_of(agent)
                .break_minutes
                .map(|minutes| u64::from(minutes) * 60_000),
        }
    }

    /// Everybody of the tenant who may sign in.
    pub fn agent_views(&self, now: Timestamp) -> Vec<AgentView> {
        let users = self.config.users.values().filter(|user| !user.disabled);
        users.map(|user| self.agent_view(user.id, now).unwrap_or_else(|| self.stranger(user.id))).collect()
    }

    /// Signed-in agents by the name of their state.
    pub fn agents_by_state(&self) -> BTreeMap<&'static str, i64> {
        let names = ["ready", "ringing", "busy", "wrap_up", "not_ready", "offline"];
        let mut counts: std::collections::BTreeMap<_, _> = names.into_iter().map(|name| (name, 0)).collect();
        for user in self.config.users.keys() {
            if let Some((state, _)) = self.floor.state(*user)
                && let Some(count) = counts.get_mut(state_name(state))
            {
                *count += 1;
            }
        }
        counts
    }

    fn stranger(&self, agent: UserId) -> AgentView {
        AgentView {
            user: agent,
            name: self.config.users.get(&agent).map(|user| user.name.clone()).unwrap_or_default(),
            state: self.state_view(AgentState::LoggedOut),
            since: 0,
            after_work: None,
            can: can(AgentState::LoggedOut),
            missed_today: 0,
            declined_today: 0,
            breaks: BreakView::default(),
            presence: None,
            undisturbed: self.undisturbed(agent),
        }
    }

    /// A state with the tenant's name of its reason.
    pub fn state_view(&self, state: AgentState) -> StateView {
        let reason = match state {
            AgentState::NotReady { reason } => Some(self.reason_view(reason)),
            _ => None,
        };
        StateView { state: state_name(state), reason }
    }

    fn reason_view(&self, reason: NotReadyReason) -> StateReason {
        let names = &self.config.system_names;
        let (kind, name) = match reason {
            NotReadyReason::Login => ("login", "Signed in"),
            NotReadyReason::AfterInteraction => ("after_interaction", "After a call"),
            NotReadyReason::Declined => ("declined", "Declined"),
            NotReadyReason::NoAnswer => ("no_answer", names.no_answer.as_deref().unwrap_or("No answer")),
            NotReadyReason::ConnectionLost => {
                ("connection_lost", names.connection_lost.as_deref().unwrap_or("Connection lost"))
            }
            NotReadyReason::Forced => ("forced", "Set by a supervisor"),
            NotReadyReason::ByHand => ("chosen", "Not ready"),
            NotReadyReason::Chosen(id) => {
                let name = self.config.reasons.get(&id).map(|reason| reason.name.clone()).unwrap_or_default();
                return StateReason { kind: "chosen", id: Some(id), name };
            }
        };
        StateReason { kind, id: None, name: name.to_owned() }
    }

    /// An open offer as the offer window shows it.
    pub fn offer_view(&self, key: (OfferToken, UserId), now: Timestamp) -> Option<OfferView> {
        let ringing = self.ringing.get(&key)?;
        let Some(call) = self.calls.get(&ringing.interaction) else {
            return self.written_offer_view(key, ringing, now);
        };
        Some(OfferView {
            offer: key.0,
            interaction: ringing.interaction,
            direction: call.direction(),
            service: call.service().map(|service| self.config.name_service(service)),
            channel: call.channel(),
            caller: call.caller.clone(),
            caller_name: call.caller_name.clone(),
            contact: call.contact.clone(),
            callback: call.callback.as_ref().map(CallbackView::from),
            noted: call.noted.clone(),
            colleague: call.inside().map(|inside| self.config.name_colleague(inside.caller)),
            passed_by: call.passed_by.map(|agent| self.config.name_colleague(agent).name),
            about: self.asked_about(call),
            waited_ms: u64::try_from(now.since(call.arrived_at).as_millis()).unwrap_or(u64::MAX),
            deadline: ringing.deadline.millis(),
            auto_answer: self.answers_itself(key.1),
            may_put_back: false,
        })
    }

    /// A piece of work as one of its agents sees it.
    pub fn work_view(&self, interaction: InteractionId, agent: UserId) -> Option<WorkView> {
        let Some(call) = self.calls.get(&interaction) else {
            return self.written_work_view(interaction, agent);
        };
        let seat = call.seat(agent)?;
        let (phase, since) = call.phase(seat)?;
        let until = if let Stage::Work { until, .. } = call.stage { until } else { None };
        let wrap_up = (phase == Phase::WrapUp).then(|| WrapUpView {
            until: until.map(Timestamp::millis),
            may_continue: until.is_some() && self.config.rules_of(agent).wrap_up_continue,
        });
        let poor = call.poor.0 || call.poor.1;
        Some(WorkView {
            interaction,
            direction: call.direction(),
            service: call.service().map(|service| self.config.name_service(service)),
            channel: call.channel(),
            caller: call.caller.clone(),
            caller_name: call.caller_name.clone(),
            contact: call.contact.clone(),
            callback: call.callback.as_ref().map(CallbackView::from),
            noted: call.noted.clone(),
            colleague: call.other_of(seat).map(|user| self.config.name_colleague(user)),
            passed_by: call.passed_by.map(|agent| self.config.name_colleague(agent).name),
            passed_to: call.passed_to.as_ref().map(|to| self.name_target(to)),
            record: call.part_of.unwrap_or(interaction),
            consults: call.consults.filter(|_| call.is_placed_by(agent)),
            screen: call.screen.as_deref().cloned(),
            conference: self.conference_view(interaction, agent),
            attendants: self.attendants(interaction),
            outgoing: seat == Seat::Calling || call.outside().is_some() || call.placed,
            phase,
            refused_why: match call.stage {
                Stage::Refused { why, .. } => Some(why),
                _ => call.outside().and_then(|outgoing| outgoing.failed).map(RefusedWhy::from),
            },
            muted: call.half(seat).muted,
            since: since.millis(),
            answered_at: call.answered_at.map(Timestamp::millis),
            wrap_up,
            disposition: call.disposition,
            comment: call.comment.clone(),
            quality: call.quality.map(|(customer, agent)| QualityView { poor, customer, agent }),
            recording: call.recording_now,
            recording_pause: call
                .recording_pause
                .map(|(since, until)| PauseView { since: since.millis(), until: until.millis() }),
            flow: self.flow_progress(interaction),
            help_since: self.help_since(interaction, agent).map(Timestamp::millis),
            digits: call.digits.clone(),
            written: None,
        })
    }

    /// The first calls that wait or are rung for, with what they still ask for; and whether there are more.
    pub(crate) fn waiting_for(
        &self,
        most: usize,
    ) -> (Vec<(InteractionId, Option<ServiceId>, model::skill::Requirement)>, bool) {
        let all = self.waiting();
        let seen = all.iter().take(most).filter_map(|interaction| self.floor.interaction(*interaction));
        let asked = seen.map(|seen| {
            (
                seen.interaction,
                seen.service,
                crate::configuration::dry_run::remaining(&seen.requirement, seen.step),
            )
        });
        (asked.collect(), all.len() > most)
    }

    /// Calls and written contacts that wait or are rung for, oldest first.
    pub fn waiting(&self) -> Vec<InteractionId> {
        let all = self.calls.keys().chain(self.written.keys()).copied();
        let mut waiting: Vec<_> = all.filter(|interaction| self.floor.is_waiting(*interaction)).collect();
        waiting.sort_unstable();
        waiting
    }

    /// Live calls, oldest first.
    pub fn call_views(&self) -> Vec<CallView> {
        self.calls.keys().filter_map(|interaction| self.call_view(*interaction)).collect()
    }

    /// One live call.
    pub fn call_view(&self, interaction: InteractionId) -> Option<CallView> {
        let call = self.calls.get(&interaction)?;
        let rung = self.ringing.values().find(|ringing| ringing.interaction == interaction);
        let phase = match (call.stage, rung) {
            (Stage::Announced { .. }, _) => "announced",
            (Stage::InFlow, _) => "self_service",
            (Stage::PassedOn, _) => "passed_on",
            (Stage::Dialled, _) => "passing_on",
            (Stage::Aside, _) => "called_back",
            (Stage::Work { phase: Phase::Reserved, .. }, _) => "reserved",
            (Stage::Waiting, Some(_)) => "ringing",
            (Stage::Waiting, None) => "waiting",
            (Stage::Refused { .. }, _) => "refused",
            (Stage::Work { phase: Phase::Dialling, .. }, _) => "dialling",
            (Stage::Work { phase: Phase::Refused, .. }, _) => "refused",
            (Stage::Work { phase: Phase::Connecting, .. }, _) => "connecting",
            (Stage::Work { phase: Phase::WrapUp, .. }, _) => "wrap_up",
            (Stage::Work { .. }, _) if self.has_agent_waiting(interaction) => "self_service",
            (Stage::Work { .. }, _) if call.agent_half.held || call.calling_half.held => "held",
            (Stage::Work { .. }, _) => "talking",
        };
        Some(CallView {
            interaction,
            service: call.service().map(|service| self.config.name_service(service)),
            direction: call.direction(),
            caller: call.caller.clone(),
            caller_name: call.caller_name.clone(),
            contact: call.contact.clone(),
            noted: call.noted.clone(),
            calling_agent: call.inside().map(|inside| inside.caller),
            phase,
            agent: call.inside().map(|inside| inside.callee).or(call.agent()).or(rung.map(|r| r.agent)),
            callback: call.open_callback().map(OpenCallback::from),
            arrived_at: call.arrived_at.millis(),
            answered_at: call.answered_at.map(Timestamp::millis),
            recording: call.recording_now,
        })
    }
}

/// What an agent may choose now: the same answer the floor would give.
fn can(state: AgentState) -> Vec<&'static str> {
    match state {
        AgentState::LoggedOut => vec![],
        AgentState::Ready => vec!["not_ready", "offline"],
        AgentState::NotReady { .. } => vec!["ready", "not_ready", "offline"],
        AgentState::WrapUp => vec!["ready", "not_ready", "offline"],
        AgentState::Ringing => vec!["not_ready"],
        AgentState::Busy => vec!["ready", "not_ready"],
        AgentState::Offline => vec!["online"],
    }
}

/// What follows the work in hand, when it is not simply the next call.
fn after_work(state: AgentState, intent: Intent) -> Option<AgentState> {
    match (state, intent) {
        (AgentState::Ringing | AgentState::Busy | AgentState::WrapUp, Intent::NotReady(reason)) => {
            Some(AgentState::NotReady { reason })
        }
        (AgentState::Ringing | AgentState::Busy | AgentState::WrapUp, Intent::Offline) => {
            Some(AgentState::Offline)
        }
        _ => None,
    }
}
