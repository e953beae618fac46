//! The deciding half of the floor service: inputs in, effects out, no I/O.
//!
//! It drives the router's floor and keeps what the floor does not know: callers' numbers, phases of a conversation,
//! notes, phones. Effects come out in order; the driver writes the events of a batch to the journal first and then
//! carries out the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use model::agent::AgentState;
use model::call::{CallOrder, Standing};
use model::diversion::MessageBox;
use model::id::{InteractionId, OfferToken, RecordingId, ServiceId, SessionId, TenantId, TrunkId, UserId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::Event;
use model::people::{OwnPhone, PhoneKind};
use model::time::Timestamp;
use model::written::Author;
use router::{Floor, Input, Output};
use store::preferences::Wanted;
use store::voicemails::NewVoicemail;

use super::call::Call;
use super::diversion::Diverting;
use super::figures::Counting;
use super::presence::Attendance;
use super::regulars::Regulars;
use super::self_service::InFlow;
use super::supervision::Part;
use super::timed::Timed;
use super::waiting::Waiting;
use super::watch::Audit;
use super::written::{Lists, Written};
use crate::clock::Sources;
use crate::configuration::Configuration;
use crate::console::protocol::{ConsoleEvent, Level};
use crate::refusal::Refusal;
use crate::start::Returning;

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write down before anything else of the batch is done.
    Journal(Event),
    /// Write down a message of a written contact, in its place among the events.
    Wrote {
        /// Of which contact.
        interaction: InteractionId,
        /// Its place among the messages.
        number: u32,
        /// Who wrote it.
        by: Author,
        /// What it says.
        text: String,
    },
    /// Tell signalling.
    Order(CallOrder),
    /// Ask a system of the operator: for which call, and which of the call's requests it is.
    Ask(InteractionId, u32, flow::Request),
    /// Look something up for a flow, the same way.
    LookUp(InteractionId, u32, flow::LookUp),
    /// Ask whether fewer messages in a box are kept than this, the same way.
    CountMessages(InteractionId, u32, MessageBox, u32),
    /// Tell a user's page.
    Tell(UserId, Box<ConsoleEvent>),
    /// A captured recording can be finished.
    Finish(InteractionId, RecordingId),
    /// What is known of a recording changed: capturing began, or failed.
    Recording(InteractionId, RecordingId, RecordingNews),
    /// A caller speaks a message.
    Voicemail(Box<NewVoicemail>),
    /// What was captured was too short for a message.
    DropVoicemail(RecordingId),
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
    /// The phone in the page can be reached.
    pub softphone_up: bool,
    /// The phone on the desk can be reached.
    pub desk_phone_up: bool,
    /// Since when the phone that is used cannot be reached.
    pub phone_missing_since: Option<Timestamp>,
    /// The phone that was chosen before the last sign-in, instead of the one that was set (CONN-10).
    pub own_phone: Option<OwnPhone>,
    /// What is wrong with it.
    pub phone_problem: Option<String>,
    /// The day the counts are of.
    pub day: u64,
    /// Offers left unanswered that day (VOICE-10).
    pub missed: u32,
    /// Offers refused that day (VOICE-10).
    pub declined: u32,
    /// What colleagues see of the person.
    pub(super) attendance: Attendance,
    /// What the person wants to see or not.
    pub preferences: Wanted,
    /// When numbers outside were dialled, within a minute.
    pub dialled: VecDeque<Timestamp>,
}

/// The desk of one tenant, without its I/O.
pub struct Core {
    pub(super) tenant: TenantId,
    pub(super) sources: Sources,
    pub(super) config: Arc<Configuration>,
    pub(super) floor: Floor,
    pub(super) calls: BTreeMap<InteractionId, Call>,
    /// How we stand with carriers at which we register.
    pub(crate) trunks_stand: BTreeMap<TrunkId, Standing>,
    /// Chats, text messages and emails.
    pub(super) written: BTreeMap<InteractionId, Written>,
    /// In which queue each of them lies.
    pub(super) lists: Lists,
    /// Callers who go through a flow.
    pub(super) flows: Timed<InFlow>,
    /// Callers who wait, and hear more than music.
    pub(super) waiting: Timed<Waiting>,
    /// Calls that ring an extension, and are diverted when it has rung long enough.
    pub(super) diverting: Timed<Diverting>,
    /// Calls whose recording is paused, and some whose pause is over.
    pub(super) paused: BTreeSet<InteractionId>,
    /// Customers who are to be called back, and some for whom that is over.
    pub(super) called_back: BTreeSet<InteractionId>,
    /// Open offers. One lease may ring several agents.
    pub(super) ringing: HashMap<(OfferToken, UserId), Ringing>,
    /// The call that is being ended, and how: the floor's event about its end is written with this.
    pub(super) ending: Option<(InteractionId, EndStatus, EndedBy)>,
    pub(super) people: HashMap<UserId, Person>,
    /// Who served which customer last.
    pub(crate) regulars: Regulars,
    /// Who asks for help with what, and since when (HELP-01).
    pub(super) help: BTreeMap<(InteractionId, UserId), Timestamp>,
    /// Supervisors who take part in calls, by the name of their part.
    pub(super) attending: BTreeMap<InteractionId, Part>,
    /// Queues whose figures may have changed.
    pub(super) dirty: BTreeSet<ServiceId>,
    /// New calls are taken.
    pub(super) admitting: bool,
    /// What the floor said and was not looked at yet.
    pub(super) said: VecDeque<Output>,
    pub(super) scratch: Vec<Output>,
    /// Agents of the last run whose page may come back.
    returning: Returning,
    /// When somebody may be away next; earlier than that nobody is.
    pub(super) next_away: Option<Timestamp>,
    /// Number under which the store has what the floor decides by; 0 when it could not be stored.
    generation: u64,
    /// How far the floor has looked itself over.
    pub(super) audit: Audit,
    /// What becomes of customers, and what of it the journal has.
    pub(super) counting: Counting,
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
            trunks_stand: BTreeMap::new(),
            written: BTreeMap::new(),
            lists: Lists::default(),
            flows: Timed::default(),
            waiting: Timed::default(),
            diverting: Timed::default(),
            paused: BTreeSet::new(),
            called_back: BTreeSet::new(),
            ringing: HashMap::new(),
            ending: None,
            people: HashMap::new(),
            regulars: Regulars::default(),
            help: BTreeMap::new(),
            attending: BTreeMap::new(),
            dirty: BTreeSet::new(),
            admitting: true,
            said: VecDeque::new(),
            scratch: Vec::new(),
            returning: Returning::new(),
            next_away: None,
            generation: 0,
            audit: Audit::default(),
            counting: Counting::default(),
        }
    }

    /// The number of the configuration that the floor was set up with.
    pub fn began_with(&mut self, generation: u64) {
        self.generation = generation;
    }
    /// The floor, to be asked.
    pub(crate) fn floor(&self) -> &Floor {
        &self.floor
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
        let others = self
            .next_pause_over()
            .into_iter()
            .chain(self.flows.next())
            .chain(self.waiting.next())
            .chain(self.diverting.next())
            .chain(self.next_callback_deadline())
            .chain(self.next_away);
        self.floor.next_deadline().into_iter().chain(others).min()
    }

    /// Time passed.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        // Before the floor ends what rings for too long.
        self.diversions_tick(now, out);
        self.floor.tick(now, &mut self.scratch);
        self.follow(now, out);
        self.end_long_pauses(now, out);
        self.flows_tick(now, out);
        self.waiting_tick(now, out);
        self.callback_tick(now, out);
        self.away_tick(now, out);
    }

    /// A page of a user who is not on the floor came: the agent is there (STATE-04, STATE-11).
    pub fn log_in(&mut self, agent: UserId, session: SessionId, now: Timestamp, out: &mut Vec<Effect>) {
        self.active(agent, now, out);
        self.take_phone(agent, now);
        let phone = self.phone_of(agent);
        // After a restart the page comes back by itself: the agent did not sign in again, and chose this before.
        let input = match self.returning.remove(&agent).filter(|(before, _)| *before == session) {
            Some((_, intent)) => Input::LogBackIn { agent, session, phone, intent },
            None => Input::LogIn { agent, session, phone },
        };
        if let Err(refusal) = self.tell_floor(input, now, out) {
            tracing::warn!(%agent, %refusal, "an agent could not be signed in to routing");
        }
        self.take_up_calls(agent, now, out);
        self.touch_queues();
    }

    /// Signs an agent out of routing and takes the softphone down.
    pub fn log_out(&mut self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        self.divert_rings_of(agent, now, out);
        self.dismiss_supervisor(agent, out);
        // A refusal says that the agent was not there: nothing to do.
        let _ = self.tell_floor(Input::LogOut { agent }, now, out);
        // After a restart the floor does not know the agent who did not come back.
        self.release_written(agent, now, out);
        if self.phone_of(agent) == PhoneKind::Browser {
            out.push(Effect::Order(CallOrder::DetachPhone { agent }));
            self.person(agent).softphone_up = false;
        }
        self.touch_queues();
    }

    /// The agent's routing state; `None` for whom the floor does not know.
    pub fn state_of(&self, agent: UserId) -> Option<AgentState> {
        self.floor.state(agent).map(|(state, _)| state)
    }
    /// Whether the agent is signed in to routing.
    pub fn is_on_floor(&self, agent: UserId) -> bool {
        self.state_of(agent).is_some_and(|state| state != AgentState::LoggedOut)
    }
    /// Queues whose figures may have changed since they were last taken.
    pub fn queues_changed(&self) -> &BTreeSet<ServiceId> {
        &self.dirty
    }
    /// The same, and forgets them.
    pub fn take_changed_queues(&mut self) -> BTreeSet<ServiceId> {
        std::mem::take(&mut self.dirty)
    }
    /// Ends every call of an agent who goes; in a conference the others go on.
    pub fn hang_up_all(&self, agent: UserId, out: &mut Vec<Effect>) {
        for (interaction, call) in &self.calls {
            if let Some(seat) = call.seat(agent).filter(|_| call.up()) {
                let (interaction, by) = (*interaction, seat.side());
                out.push(Effect::Order(match call.conference.guests.is_empty() {
                    true => CallOrder::HangUp { interaction, by },
                    false => CallOrder::Leave { interaction, agent },
                }));
            }
        }
    }

    /// Whether a call of this agent is up.
    pub fn has_call(&self, agent: UserId) -> bool {
        self.calls.values().any(|call| call.seat(agent).is_some() && call.up())
    }
    /// Whether a call of this agent is up, or a written contact is open.
    pub fn has_open_work(&self, agent: UserId) -> bool {
        self.has_call(agent) || self.has_open_written(agent)
    }
    /// Whether the agent has a call, a written contact or after-call work.
    pub fn has_work(&self, agent: UserId) -> bool {
        self.calls.values().any(|call| call.seat(agent).is_some())
            || self.written_in_hand(agent).next().is_some()
    }

    /// The administrator changed something. The journal names the generation at the point where the floor takes it, so that
    /// the past can be decided again.
    pub fn configure(
        &mut self,
        config: Arc<Configuration>,
        generation: u64,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let renamed = self.config.system_names != config.system_names;
        self.config = config;
        self.forget_figures();
        let same = generation != 0 && generation == self.generation;
        self.generation = generation;
        if !same {
            out.push(Effect::Journal(Event::Configured { generation, started: false }));
        }
        if !same && let Err(error) = self.floor.configure(self.config.floor(), now, &mut self.scratch) {
            tracing::error!(%error, "the floor keeps its old configuration");
        }
        self.follow(now, out);
        self.dismiss_others(out);
        self.touch_queues();
        if renamed {
            for agent in self.config.users.keys().filter(|agent| self.is_on_floor(**agent)) {
                if let Some(view) = self.agent_view(*agent, now) {
                    out.push(Effect::Tell(*agent, Box::new(ConsoleEvent::Me { agent: view })));
                }
            }
        }
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

    /// Tells each agent of a call how it stands, those included who were brought into it.
    pub(super) fn show_work(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let guests = self.calls.get(&interaction).into_iter().flat_map(|call| &call.conference.guests);
        for guest in guests.filter(|guest| guest.agent.is_some()) {
            self.show_work(guest.from, out);
        }
        self.show_attending(interaction, out);
        let of_call = self.calls.get(&interaction).into_iter().flat_map(Call::holders);
        for agent in of_call.chain(self.written.get(&interaction).and_then(Written::agent)) {
            if let Some(work) = self.work_view(interaction, agent) {
                let work = Box::new(work);
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Work { work })));
            }
        }
    }

    /// What a user wants to see or not.
    pub fn prefer(&mut self, user: UserId, wanted: Wanted) {
        self.person(user).preferences = wanted;
    }
    pub(super) fn person(&mut self, agent: UserId) -> &mut Person {
        self.people.entry(agent).or_default()
    }
    /// The counts of today; yesterday's are forgotten. Days are counted in UTC.
    pub(super) fn person_today(&mut self, agent: UserId, now: Timestamp) -> &mut Person {
        let day = now.day();
        let person = self.person(agent);
        if person.day != day {
            (person.day, person.missed, person.declined) = (day, 0, 0);
        }
        person
    }

    /// The queue of a service may look different now.
    pub fn touch_queue(&mut self, service: ServiceId) {
        self.dirty.insert(service);
    }
    /// The queue of a call may look different now.
    pub(super) fn touch(&mut self, interaction: InteractionId) {
        self.dirty.extend(self.calls.get(&interaction).and_then(Call::service));
        self.dirty.extend(self.written.get(&interaction).map(|written| written.service));
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
            router::Refusal::NoRoom => Refusal::HandsFull,
            router::Refusal::NotNow { .. } => Refusal::NotNow { why: "Not possible in your present state." },
            router::Refusal::UnknownService => Refusal::missing("service"),
            router::Refusal::Duplicate
            | router::Refusal::QueueFull
            | router::Refusal::Closed
            | router::Refusal::NotTaken { .. }
            | router::Refusal::Emergency
            | router::Refusal::NoAgentOnline
            | router::Refusal::FloorFull
            | router::Refusal::Requirement(_) => Refusal::NotNow { why: "The call cannot be queued." },
        }
    }
}
