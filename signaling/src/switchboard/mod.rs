//! The switchboard: which call a dialog, a leg or an order belongs to, who may call, where phones are. One task owns it.
//!
//! It never waits: a call that does not empty its mailbox loses the message (counted), not the others their turn; and a
//! desk that is slow to take facts while it waits to give orders cannot lock both up.

pub(crate) mod accounts;
pub(crate) mod inbound;
mod joining;
pub(crate) mod orders;
mod outages;
mod outbound;
pub(crate) mod owners;
mod registering;
pub(crate) mod shared;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use media::control::Event;
use model::call::CallOrder;
use model::id::{InteractionId, LegId, RecordingId, TrunkId, UserId};
use model::media::Codec;
use model::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::call::driver::Message;
use crate::call::words::Order;
use crate::digest::DigestServer;
use crate::endpoint::message::Reply;
use crate::endpoint::{Flow, Incoming};
use crate::phones::softphone_task::SoftphoneMessage;
use crate::registrar::Registrar;
use accounts::SharedAccounts;
use outages::Outages;
use owners::{LegOwner, Whose};
use registering::Registering;
use shared::{DialogKey, Shared};

/// How long the sockets stay open for the last BYEs.
const FAREWELL_MAX: Duration = Duration::from_secs(3);

/// What the switchboard is told by its own tasks.
pub(crate) enum Internal {
    /// A call is over and cleaned up.
    CallOver(InteractionId),
    /// A softphone's media came or went.
    Softphone { agent: UserId, leg: LegId, codec: Codec, up: bool },
    /// A carrier with which a trunk registers was reached at this address.
    CarrierReached { trunk: TrunkId, ip: IpAddr },
    /// A call found this trunk silent.
    TrunkSilent(TrunkId),
    /// A trunk that was silent counts as back.
    TrunkBack(TrunkId),
    /// A softphone was taken down.
    SoftphoneGone { agent: UserId },
    /// Somebody went from one call to another.
    HandedOver {
        from: InteractionId,
        to: InteractionId,
        leg: LegId,
        agent: Option<UserId>,
        /// Theirs is the dialog that the call began with.
        customer: bool,
        /// From now on everything of theirs goes to the other call.
        done: oneshot::Sender<()>,
    },
}

/// What its owner wants of it.
pub(crate) enum Control {
    /// Take no new calls.
    Drain,
    /// Say whose legs are.
    Owners(oneshot::Sender<Vec<LegOwner>>),
    /// End all calls, say when they are over.
    Stop(oneshot::Sender<()>),
}

pub(crate) struct Switchboard {
    pub(crate) shared: Arc<Shared>,
    pub(crate) accounts: SharedAccounts,
    digest: DigestServer,
    /// When the desk was told last that passwords are guessed.
    guessing_told: Option<Timestamp>,
    pub(crate) registrar: Registrar,
    /// The way to each registered contact, by user and contact key.
    pub(crate) flows: HashMap<(String, String), Flow>,
    calls: HashMap<InteractionId, Entry>,
    calls_max: usize,
    /// INVITEs in progress, by Call-ID and their tag: a second one with another branch is the same call twice (482).
    invites: HashMap<DialogKey, InteractionId>,
    legs: HashMap<LegId, InteractionId>,
    recordings: HashMap<RecordingId, InteractionId>,
    /// Those who came from other calls, by the names of these: where they are.
    guests: HashMap<InteractionId, InteractionId>,
    /// The calls that rang or connected an agent and are not over: one talks, others may be held.
    agents: HashMap<UserId, Vec<InteractionId>>,
    /// Agents whose SIP phone can be rung, as the desk was told, by extension.
    pub(crate) phones_up: HashMap<String, UserId>,
    softphones: HashMap<UserId, SoftphoneEntry>,
    registering: Registering,
    outages: Outages,
    codecs: Vec<Codec>,
    annexb: bool,
    next_branch: u32,
    draining: bool,
    stopping: Option<oneshot::Sender<()>>,
    internal: mpsc::Sender<Internal>,
}

/// A call as the switchboard knows it.
struct Entry {
    mailbox: mpsc::Sender<Message>,
    /// The customer's dialog and INVITE; none when a softphone calls.
    dialogs: Option<(DialogKey, DialogKey)>,
    legs: Vec<(LegId, Whose)>,
    recordings: Vec<RecordingId>,
}

struct SoftphoneEntry {
    mailbox: mpsc::Sender<SoftphoneMessage>,
    leg: LegId,
    codec: Codec,
    up: bool,
}

/// The queues the switchboard listens to.
pub(crate) struct Queues {
    pub(crate) orders: mpsc::Receiver<CallOrder>,
    pub(crate) incoming: mpsc::Receiver<Incoming>,
    pub(crate) media: mpsc::Receiver<Event>,
    pub(crate) internal: mpsc::Receiver<Internal>,
    pub(crate) control: mpsc::Receiver<Control>,
}

impl Switchboard {
    pub(crate) fn new(
        shared: Arc<Shared>,
        accounts: SharedAccounts,
        (codecs, annexb): (Vec<Codec>, bool),
        calls_max: usize,
        internal: mpsc::Sender<Internal>,
    ) -> Self {
        let digest = accounts::digest_server("", &shared.random);
        Self {
            shared,
            accounts,
            digest,
            guessing_told: None,
            registrar: Registrar::default(),
            flows: HashMap::new(),
            calls: HashMap::new(),
            calls_max,
            invites: HashMap::new(),
            legs: HashMap::new(),
            recordings: HashMap::new(),
            guests: HashMap::new(),
            agents: HashMap::new(),
            phones_up: HashMap::new(),
            softphones: HashMap::new(),
            registering: Registering::default(),
            outages: Outages::default(),
            codecs,
            annexb,
            next_branch: 0,
            draining: false,
            stopping: None,
            internal,
        }
    }

    /// Runs until it is stopped or its owner is gone.
    pub(crate) async fn run(mut self, mut queues: Queues) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut media_open = true;
        loop {
            tokio::select! {
                biased;
                control = queues.control.recv() => match control {
                    Some(Control::Drain) => self.draining = true,
                    // Who asked may be gone.
                    Some(Control::Owners(told)) => drop(told.send(self.owners())),
                    Some(Control::Stop(done)) => self.begin_stop(done),
                    // The handle was dropped.
                    None => break,
                },
                Some(internal) = queues.internal.recv() => self.internal(internal),
                event = queues.media.recv(), if media_open => match event {
                    Some(event) => self.media(event),
                    None => media_open = false,
                },
                Some(order) = queues.orders.recv() => self.order(order),
                Some(incoming) = queues.incoming.recv() => self.incoming(incoming),
                _ = second.tick() => {
                    self.registrations_tick();
                    self.shared.tracer.sweep();
                }
            }
            if self.stopping.is_some() && self.calls.is_empty() {
                break;
            }
        }
        self.shared.farewells.close();
        tokio::time::timeout(FAREWELL_MAX, self.shared.farewells.wait()).await.ok();
        self.shared.endpoint.stop();
        self.shared.tracer.close();
        if let Some(done) = self.stopping.take() {
            done.send(()).ok();
        }
    }

    fn begin_stop(&mut self, done: oneshot::Sender<()>) {
        self.draining = true;
        self.registering.end();
        for entry in self.calls.values() {
            self.post(&entry.mailbox, Message::Order(Order::Stop));
        }
        for phone in self.softphones.values() {
            phone.mailbox.try_send(SoftphoneMessage::Detach).ok();
        }
        self.stopping = Some(done);
    }

    fn internal(&mut self, internal: Internal) {
        match internal {
            Internal::CallOver(interaction) => self.call_over(interaction),
            Internal::HandedOver { from, to, leg, agent, customer, done } => {
                self.handed_over((from, to), leg, agent, customer);
                done.send(()).ok();
            }
            Internal::Softphone { agent, leg, codec, up } => {
                if let Some(phone) = self.softphones.get_mut(&agent).filter(|p| p.leg == leg) {
                    phone.up = up;
                    phone.codec = codec;
                    self.post_to_agent(agent, || Message::Softphone { leg, up });
                }
            }
            Internal::CarrierReached { trunk, ip } => self.carrier_reached(trunk, ip),
            Internal::TrunkSilent(trunk) => self.trunk_silent(trunk),
            Internal::TrunkBack(trunk) => self.trunk_back(trunk),
            Internal::SoftphoneGone { agent } => {
                if let Some(phone) = self.softphones.remove(&agent) {
                    self.post_to_agent(agent, || Message::Softphone { leg: phone.leg, up: false });
                }
            }
        }
    }

    fn call_over(&mut self, interaction: InteractionId) {
        let Some(entry) = self.calls.remove(&interaction) else { return };
        self.shared.tracer.over(interaction);
        self.guests.retain(|_, in_call| *in_call != interaction);
        if let Some((dialog, invite)) = &entry.dialogs {
            self.shared.directory.forget(dialog);
            self.invites.remove(invite);
        }
        for (leg, _) in &entry.legs {
            self.legs.remove(leg);
        }
        for recording in &entry.recordings {
            self.recordings.remove(recording);
        }
        self.agents.retain(|_, calls| {
            calls.retain(|call| *call != interaction);
            !calls.is_empty()
        });
    }

    /// An event of the media plane goes to whom the leg belongs: a call, or a softphone and the call it is in.
    fn media(&mut self, event: Event) {
        let leg = match &event {
            Event::RecordingFailed { recording, .. } => {
                let call = self.recordings.get(recording).and_then(|i| self.calls.get(i));
                if let Some(entry) = call {
                    self.post(&entry.mailbox, Message::Media(event));
                }
                return;
            }
            // Nobody is shown who speaks.
            Event::Speaking { .. } => return,
            Event::Started { leg }
            | Event::Secured { leg }
            | Event::SecureFailed { leg, .. }
            | Event::Dtmf { leg, .. }
            | Event::PromptEnded { leg }
            | Event::DtmfSent { leg }
            | Event::Silent { leg, .. }
            | Event::Quality { leg, .. } => *leg,
            Event::Trouble { leg, trouble, began } => {
                let (interaction, trouble) = (self.legs.get(leg), trouble.name());
                tracing::warn!(%leg, ?interaction, trouble, began, "trouble on a leg");
                *leg
            }
        };
        if let Some(entry) = self.legs.get(&leg).and_then(|i| self.calls.get(i)) {
            return self.post(&entry.mailbox, Message::Media(event));
        }
        let Some((agent, phone)) = self.softphones.iter().find(|(_, p)| p.leg == leg) else { return };
        match event {
            Event::Started { .. }
            | Event::Secured { .. }
            | Event::SecureFailed { .. }
            | Event::Silent { .. } => {
                if phone.mailbox.try_send(SoftphoneMessage::Media(event)).is_err() {
                    self.shared.counters.queue_overflow.add();
                }
            }
            event => self.post_to_agent(*agent, || Message::Media(event.clone())),
        }
    }

    /// To all calls of an agent; those it does not concern pass over it.
    fn post_to_agent(&self, agent: UserId, message: impl Fn() -> Message) {
        for entry in self.agents.get(&agent).into_iter().flatten().filter_map(|i| self.calls.get(i)) {
            self.post(&entry.mailbox, message());
        }
    }

    fn post(&self, mailbox: &mpsc::Sender<Message>, message: Message) {
        match mailbox.try_send(message) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(message)) => {
                self.shared.counters.queue_overflow.add();
                tracing::warn!("a call does not empty its mailbox");
                if let Message::Request(_, incoming) = message {
                    incoming.transaction.finish(&Reply::new(500).with("Retry-After", "5"), None);
                }
            }
        }
    }
}
