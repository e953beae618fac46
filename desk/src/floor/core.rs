//! The deciding half of the floor service: inputs in, effects out, no I/O.
//!
//! It drives the router's floor and keeps what the floor does not know: callers' numbers, phases of a conversation,
//! notes, phones. Effects come out in order; the driver writes the events of a batch to the journal first and then
//! carries out the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use model::agent::AgentState;
use model::call::{CallOrder, Sound};
use model::id::{InteractionId, OfferToken, RecordingId, ServiceId, SessionId, TenantId, UserId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::{Event, OfferEnd};
use model::people::PhoneKind;
use model::time::Timestamp;
use router::{Floor, Input, Intent, Output};
use serde_json::json;

use super::call::{Call, Stage};
use crate::clock::Sources;
use crate::configuration::Configuration;
use crate::console::protocol::{ConsoleEvent, Level, OfferOver, Phase};
use crate::refusal::Refusal;
use crate::start::Returning;

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write down before anything else of the batch is done.
    Journal(Event),
    /// Tell signalling.
    Order(CallOrder),
    /// Tell a user's page.
    Tell(UserId, Box<ConsoleEvent>),
    /// A captured recording can be finished.
    Finish(InteractionId, RecordingId),
    /// What is known of a recording changed: capturing began, or failed.
    Recording(InteractionId, RecordingId, RecordingNews),
}

/// What happened to a recording, for its row in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingNews {
    /// Capturing began.
    Started,
    /// The container is closed.
    Captured,
    /// There is nothing usable.
    Failed,
}

/// An offer that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ringing {
    /// For which call.
    pub interaction: InteractionId,
    /// Whom.
    pub agent: UserId,
    /// When it ends.
    pub deadline: Timestamp,
}

/// What is remembered of an agent besides the floor's state.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The phone can be reached.
    pub phone_up: bool,
    /// What is wrong with it.
    pub phone_problem: Option<String>,
    /// The day the counts are of.
    pub day: u64,
    /// Offers left unanswered that day (VOICE-10).
    pub missed: u32,
    /// Offers refused that day (VOICE-10).
    pub declined: u32,
}

/// The desk of one tenant, without its I/O.
pub struct Core {
    pub(super) tenant: TenantId,
    pub(super) sources: Sources,
    pub(super) config: Arc<Configuration>,
    pub(super) floor: Floor,
    pub(super) calls: BTreeMap<InteractionId, Call>,
    /// Open offers. One lease may ring several agents.
    pub(super) ringing: HashMap<(OfferToken, UserId), Ringing>,
    /// The call that is being ended, and how: the floor's event about its end is written with this.
    pub(super) ending: Option<(InteractionId, EndStatus, EndedBy)>,
    pub(super) people: HashMap<UserId, Person>,
    /// Queues whose figures may have changed.
    pub(super) dirty: BTreeSet<ServiceId>,
    /// New calls are taken.
    pub(super) admitting: bool,
    /// What the floor said and was not looked at yet.
    pub(super) said: VecDeque<Output>,
    pub(super) scratch: Vec<Output>,
    /// Agents of the last run whose page may come back.
    returning: Returning,
}

impl Core {
    /// A desk over a floor that was set up with the same configuration.
    pub fn new(tenant: TenantId, sources: Sources, config: Arc<Configuration>, floor: Floor) -> Self {
        Self {
            tenant,
            sources,
            config,
            floor,
            calls: BTreeMap::new(),
            ringing: HashMap::new(),
            ending: None,
            people: HashMap::new(),
            dirty: BTreeSet::new(),
            admitting: true,
            said: VecDeque::new(),
            scratch: Vec::new(),
            returning: Returning::new(),
        }
    }

    /// Agents of the last run: whoever comes back with the same session stands where they stood.
    pub fn expect_back(&mut self, returning: Returning) {
        self.returning = returning;
    }
    /// The configuration in use.
    pub fn config(&self) -> &Configuration {
        &self.config
    }
    /// Takes new calls, or not: an appliance that is about to stop, or whose journal is full, does not.
    pub fn admit(&mut self, admitting: bool) {
        self.admitting = admitting;
    }
    /// When time has to be told next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.floor.next_deadline()
    }

    /// Time passed.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.floor.tick(now, &mut self.scratch);
        self.follow(now, out);
    }

    /// A page of a user who is not on the floor came: the agent is there (STATE-04, STATE-11).
    pub fn log_in(&mut self, agent: UserId, session: SessionId, now: Timestamp, out: &mut Vec<Effect>) {
        let phone = self.config.phone_of(agent);
        let input = Input::LogIn { agent, session, phone };
        if let Err(refusal) = self.tell_floor(input, now, out) {
            tracing::warn!(%agent, %refusal, "an agent could not be signed in to routing");
        }
        // After a restart the page comes back by itself: the agent did not sign in again, and chose this before.
        if let Some((_, intent)) = self.returning.remove(&agent).filter(|(before, _)| *before == session) {
            let input = match intent {
                Intent::Ready => Input::Ready { agent },
                Intent::NotReady(reason) => Input::NotReady { agent, reason },
                Intent::Offline => Input::Offline { agent },
            };
            // Refused only if the agent could not be signed in, which is in the log already.
            let _ = self.tell_floor(input, now, out);
        }
        self.touch_queues();
    }

    /// Signs an agent out of routing and takes the softphone down.
    pub fn log_out(&mut self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        // A refusal says that the agent was not there: nothing to do.
        let _ = self.tell_floor(Input::LogOut { agent }, now, out);
        if self.config.phone_of(agent) == PhoneKind::Browser {
            out.push(Effect::Order(CallOrder::DetachPhone { agent }));
            self.person(agent).phone_up = false;
        }
        self.touch_queues();
    }

    /// Whether the agent is signed in to routing.
    pub fn is_on_floor(&self, agent: UserId) -> bool {
        self.floor.state(agent).is_some_and(|(state, _)| state != AgentState::LoggedOut)
    }
    /// Queues whose figures may have changed since they were last taken.
    pub fn queues_changed(&self) -> &BTreeSet<ServiceId> {
        &self.dirty
    }
    /// The same, and forgets them.
    pub fn take_changed_queues(&mut self) -> BTreeSet<ServiceId> {
        std::mem::take(&mut self.dirty)
    }
    /// Ends every call of an agent who goes.
    pub fn hang_up_all(&self, agent: UserId, out: &mut Vec<Effect>) {
        let up = self.calls.iter().filter(|(_, call)| call.agent() == Some(agent) && call.up());
        out.extend(up.map(|(id, _)| Effect::Order(CallOrder::HangUp { interaction: *id })));
    }

    /// Whether a call of this agent is up.
    pub fn has_call(&self, agent: UserId) -> bool {
        self.calls.values().any(|call| call.agent() == Some(agent) && call.up())
    }
    /// Whether the agent has a call or after-call work.
    pub fn has_work(&self, agent: UserId) -> bool {
        self.calls.values().any(|call| call.agent() == Some(agent))
    }

    /// The administrator changed something.
    pub fn configure(&mut self, config: Arc<Configuration>, now: Timestamp, out: &mut Vec<Effect>) {
        self.config = config;
        if let Err(error) = self.floor.configure(self.config.floor(), now, &mut self.scratch) {
            tracing::error!(%error, "the floor keeps its old configuration");
        }
        self.follow(now, out);
        self.touch_queues();
    }

    /// Gives the floor an input and follows what comes of it.
    pub(super) fn tell_floor(
        &mut self,
        input: Input,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), router::Refusal> {
        let answer = self.floor.handle(input, now, &mut self.scratch);
        self.follow(now, out);
        answer
    }

    /// Turns what the floor said into effects. Effects may tell the floor something again, so this is a loop.
    fn follow(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.said.extend(self.scratch.drain(..));
        while let Some(output) = self.said.pop_front() {
            self.follow_one(output, now, out);
        }
    }

    fn follow_one(&mut self, output: Output, now: Timestamp, out: &mut Vec<Effect>) {
        match output {
            Output::Journal(mut event) => {
                // The floor knows that it ended, the desk knows how.
                if let (Event::Ended { interaction, status, by }, Some(ending)) = (&mut event, self.ending)
                    && *interaction == ending.0
                {
                    (*status, *by) = (ending.1, ending.2);
                    self.ending = None;
                }
                self.note_event(&event, now, out);
                out.push(Effect::Journal(event));
            }
            Output::Offer { interaction, agent, token, deadline } => {
                self.offer(token, Ringing { interaction, agent, deadline }, now, out);
            }
            Output::WithdrawOffer { interaction, agent, token, why } => {
                self.offer_over(interaction, agent, token, why, now, out);
            }
            Output::TurnedAway { interaction, why } => self.turn_away(interaction, why, true, out),
            Output::NobodyFits { interaction } => {
                tracing::warn!(%interaction, "nobody in the configuration can answer this caller");
            }
            Output::AgentStateChanged { agent, .. } => {
                if let Some(view) = self.agent_view(agent, now) {
                    out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Me { agent: view })));
                }
                self.touch_queues();
            }
        }
    }

    fn offer(&mut self, token: OfferToken, ringing: Ringing, now: Timestamp, out: &mut Vec<Effect>) {
        let Ringing { interaction, agent, .. } = ringing;
        let phone = self.config.phone_of(agent);
        self.ringing.insert((token, agent), ringing);
        self.touch(interaction);
        out.push(Effect::Order(CallOrder::RingAgent { interaction, token, agent, phone }));
        if let Some(offer) = self.offer_view((token, agent), now) {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Offered { offer })));
        }
        // A SIP phone accepts by being picked up. The softphone of a group with auto-answer accepts at once; the agent
        // hears the two-tone prompt before the customer (VOICE-11).
        if phone == PhoneKind::Browser && self.config.rules_of(agent).auto_answer && self.phone_up(agent) {
            // Refused only when the offer ended in the meantime.
            let _ = self.floor.handle(Input::Accept { agent, token }, now, &mut self.scratch);
            self.said.extend(self.scratch.drain(..));
        }
    }

    fn offer_over(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        token: OfferToken,
        why: OfferEnd,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.ringing.remove(&(token, agent));
        self.touch(interaction);
        out.push(Effect::Order(CallOrder::StopRinging { interaction, token, agent }));
        let shown = match why {
            OfferEnd::Declined => OfferOver::Declined,
            OfferEnd::NoAnswer => OfferOver::NoAnswer,
            OfferEnd::ConnectionLost => OfferOver::ConnectionLost,
            OfferEnd::CallerLeft => OfferOver::CallerLeft,
            OfferEnd::TakenElsewhere => OfferOver::TakenElsewhere,
            OfferEnd::AgentLeft | OfferEnd::Restart => OfferOver::AgentLeft,
        };
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::OfferEnded { offer: token, why: shown })));
        let person = self.person_today(agent, now);
        let banner = match why {
            OfferEnd::Declined => {
                person.declined = person.declined.saturating_add(1);
                Some((Level::Info, "declined_offer"))
            }
            OfferEnd::NoAnswer => {
                person.missed = person.missed.saturating_add(1);
                Some((Level::Warning, "missed_offer"))
            }
            OfferEnd::ConnectionLost => Some((Level::Error, "offer_unreachable")),
            _ => None,
        };
        if let Some((level, code)) = banner {
            self.banner(agent, level, code, json!({ "at": now.millis() }), out);
        }
        // The counts are part of the agent's view.
        if let (Some(_), Some(view)) = (banner, self.agent_view(agent, now)) {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Me { agent: view })));
        }
    }

    /// The caller cannot be served: the announcement of the case, then good-bye.
    pub(super) fn turn_away(
        &mut self,
        interaction: InteractionId,
        why: EndStatus,
        written: bool,
        out: &mut Vec<Effect>,
    ) {
        let sound = match why {
            EndStatus::NoAgentOnline => Sound::NobodyAvailable,
            EndStatus::Closed => Sound::Closed,
            _ => Sound::AllBusy,
        };
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.stage = Stage::Announced { status: why, written };
        }
        self.touch(interaction);
        out.push(Effect::Order(CallOrder::Play { interaction, sound, then_hang_up: true }));
    }

    /// What a journal event of the floor means for the call and its agent.
    fn note_event(&mut self, event: &Event, now: Timestamp, out: &mut Vec<Effect>) {
        match event {
            Event::Accepted { interaction, agent, token } => {
                self.ringing.remove(&(*token, *agent));
                self.touch(*interaction);
                let (id, agent) = (*interaction, *agent);
                let record = self.calls.get(&id).and_then(|call| self.config.services.get(&call.service));
                let record = record.is_none_or(|service| service.record).then(|| self.sources.id());
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.recording = record;
                call.enter(agent, Phase::Connecting, now);
                let announce = self.config.rules_of(agent).auto_answer;
                out.push(Effect::Order(CallOrder::Connect { interaction: id, agent, record, announce }));
                let why = OfferOver::Accepted;
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::OfferEnded { offer: *token, why })));
                self.show_work(id, out);
            }
            Event::WrapUpStarted { interaction, agent, until } => {
                if let Some(call) = self.calls.get_mut(interaction) {
                    call.stage =
                        Stage::Work { agent: *agent, phase: Phase::WrapUp, since: now, until: *until };
                }
                self.show_work(*interaction, out);
            }
            Event::WrapUpContinued { interaction, .. } => {
                if let Some(Call { stage: Stage::Work { until, .. }, .. }) = self.calls.get_mut(interaction) {
                    *until = None;
                }
                self.show_work(*interaction, out);
            }
            Event::Completed { interaction, agent, .. } => {
                self.calls.remove(interaction);
                out.push(Effect::Tell(
                    *agent,
                    Box::new(ConsoleEvent::WorkEnded { interaction: *interaction }),
                ));
            }
            Event::Queued { interaction, .. } => self.touch(*interaction),
            _ => {}
        }
    }

    /// Shows something at the top of an agent's screen (UI-20).
    pub(super) fn banner(
        &self,
        agent: UserId,
        level: Level,
        code: &'static str,
        params: serde_json::Value,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Banner { level, code, params })));
    }

    /// Tells the agent of a call how it stands.
    pub(super) fn show_work(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        if let (Some(agent), Some(work)) =
            (self.calls.get(&interaction).and_then(Call::agent), self.work_view(interaction))
        {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Work { work })));
        }
    }

    pub(super) fn person(&mut self, agent: UserId) -> &mut Person {
        self.people.entry(agent).or_default()
    }
    pub(super) fn phone_up(&self, agent: UserId) -> bool {
        self.people.get(&agent).is_some_and(|person| person.phone_up)
    }
    /// The counts of today; yesterday's are forgotten. Days are counted in UTC.
    fn person_today(&mut self, agent: UserId, now: Timestamp) -> &mut Person {
        let day = day_of(now);
        let person = self.person(agent);
        if person.day != day {
            (person.day, person.missed, person.declined) = (day, 0, 0);
        }
        person
    }

    /// The queue of a call may look different now.
    fn touch(&mut self, interaction: InteractionId) {
        if let Some(call) = self.calls.get(&interaction) {
            self.dirty.insert(call.service);
        }
    }
    /// All queues may look different: an agent came, went, or changed state.
    pub(super) fn touch_queues(&mut self) {
        self.dirty.extend(self.config.services.keys());
    }

    /// The refusal of the floor, in the words of the desk.
    pub(super) fn refused(refusal: router::Refusal) -> Refusal {
        match refusal {
            router::Refusal::Stale => Refusal::OfferGone,
            router::Refusal::UnknownAgent | router::Refusal::LoggedOut => {
                Refusal::NotNow { why: "You are not signed in to routing. Reload the page." }
            }
            router::Refusal::UnknownInteraction | router::Refusal::NotYours => Refusal::missing("call"),
            router::Refusal::NotAllowed => {
                Refusal::NotNow { why: "The rules of your group do not allow it." }
            }
            router::Refusal::NotNow { .. } => Refusal::NotNow { why: "Not possible in your present state." },
            router::Refusal::UnknownService => Refusal::missing("service"),
            router::Refusal::Duplicate
            | router::Refusal::QueueFull
            | router::Refusal::Closed
            | router::Refusal::NoAgentOnline
            | router::Refusal::FloorFull
            | router::Refusal::Requirement(_) => Refusal::NotNow { why: "The call cannot be queued." },
        }
    }
}

/// The number of a day since 1970, in UTC.
pub(super) fn day_of(now: Timestamp) -> u64 {
    now.millis() / 86_400_000
}
