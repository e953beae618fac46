//! What the floor is told, what it answers, and why it may refuse.

use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, InteractionId, OfferToken, ServiceId, SessionId};
use model::interaction::{Channel, EndedBy};
use model::journal::{Event, OfferEnd};
use model::people::PhoneKind;
use model::service::{Overflow, Treatment};
use model::skill::Requirement;
use model::time::Timestamp;
use model::transfer::TransferTarget;

use crate::agent::Intent;
use crate::config::RequirementError;

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An agent signed in. A second sign-in takes the place of the first.
    LogIn {
        /// Who.
        agent: AgentId,
        /// The session that began.
        session: SessionId,
        /// How voice reaches the agent.
        phone: PhoneKind,
    },
    /// An agent of the last run is back with the same session, and stands where they stood, whatever the team's rule for signing in says:
    /// nobody is rung at lunch because the appliance was started anew.
    LogBackIn {
        /// Who.
        agent: AgentId,
        /// The session that goes on.
        session: SessionId,
        /// How voice reaches the agent.
        phone: PhoneKind,
        /// What the agent wanted.
        intent: Intent,
    },
    /// An agent signed out, was signed out, or lost the page for too long.
    LogOut {
        /// Who.
        agent: AgentId,
    },
    /// The agent wants work.
    Ready {
        /// Who.
        agent: AgentId,
    },
    /// The agent wants none; shows once the work in hand ends (STATE-16).
    NotReady {
        /// Who.
        agent: AgentId,
        /// Why.
        reason: NotReadyReason,
    },
    /// The agent leaves routing and dialling without signing out (STATE-20).
    Offline {
        /// Who.
        agent: AgentId,
    },
    /// The agent comes back from Offline.
    Online {
        /// Who.
        agent: AgentId,
    },
    /// A supervisor puts the agent to work (STATE-22).
    ForceReady {
        /// Who.
        agent: AgentId,
    },
    /// A supervisor takes the agent out of work (STATE-22).
    ForceNotReady {
        /// Who.
        agent: AgentId,
    },
    /// A customer asks for a service.
    Arrive(Arrival),
    /// An internal call to one agent: rings, and is never queued (VOICE-08).
    CallAgent {
        /// The interaction.
        interaction: InteractionId,
        /// Who is called.
        agent: AgentId,
        /// How long it rings.
        ring_time: Duration,
    },
    /// An agent begins work that nobody offered: a manual outbound call, dialling included (STATE-06).
    Begin {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// Kind of contact.
        channel: Channel,
        /// The agent's own part of a call to a colleague: without after-call work, and it does not cost the place among
        /// the idle.
        internal: bool,
    },
    /// The customer left, wherever the interaction stands.
    Abandon {
        /// The interaction.
        interaction: InteractionId,
    },
    /// Whoever waits goes on to another service, or leaves a message, by their own choice (ROUTE-07). Not while a phone rings for them.
    MoveOn {
        /// The interaction.
        interaction: InteractionId,
        /// Where to.
        to: Treatment,
    },
    /// The agent passes the customer on (XFER-05). The agent's part is over as after a hang-up, and its after-call work goes on
    /// under the id `part`.
    PassOn {
        /// The interaction.
        interaction: InteractionId,
        /// Who has it.
        agent: AgentId,
        /// What the agent's after-call work is called from here on.
        part: InteractionId,
        /// To whom.
        to: Box<Onward>,
    },
    /// The customer is with whom the agent asked before (XFER-04). The agent's part is over as with [`Self::PassOn`], and so is the call in
    /// which they spoke, for both and without after-call work.
    HandOver {
        /// The customer's interaction.
        interaction: InteractionId,
        /// Who had it.
        agent: AgentId,
        /// What the agent's after-call work is called from here on.
        part: InteractionId,
        /// The call in which they spoke.
        consulted: InteractionId,
        /// Who has the customer now: an agent, or a number outside, which is off the floor.
        to: TransferTarget,
    },
    /// Whoever an agent had called has come into another call (XFER-09). A colleague goes on with what is in hand; a number outside is off
    /// the floor, and the call to it is over without after-call work of its own.
    BringIn {
        /// The call that they came into.
        interaction: InteractionId,
        /// The call that they were in.
        from: InteractionId,
        /// The colleague; none: a number outside.
        agent: Option<AgentId>,
        /// The number that was called.
        number: String,
        /// Who brought them.
        by: AgentId,
    },
    /// It leaves the queue, or the agent who took it, without having ended, and will come again at its place: its customer is to
    /// be called back, or was not reached. An agent who is rung for it is rung no longer.
    LayAside {
        /// The interaction.
        interaction: InteractionId,
    },
    /// The agent takes an offer.
    Accept {
        /// Who.
        agent: AgentId,
        /// The offer.
        token: OfferToken,
    },
    /// The agent refuses an offer.
    Decline {
        /// Who.
        agent: AgentId,
        /// The offer.
        token: OfferToken,
    },
    /// The agent puts an offered chat or email back for others, without becoming Not ready (LIVE-05).
    PutBack {
        /// Who.
        agent: AgentId,
        /// The offer.
        token: OfferToken,
    },
    /// The agent puts an offered email aside instead of answering it (MAIL-04): it leaves the floor without having ended.
    Postpone {
        /// Who.
        agent: AgentId,
        /// The offer.
        token: OfferToken,
    },
    /// The agent takes a written contact out of the queue (LIVE-06).
    Take {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
    },
    /// A written contact leaves its agent, who is gone, and waits again at the place it had.
    Requeue {
        /// Which.
        interaction: InteractionId,
    },
    /// The agent's phone could not be reached.
    OfferFailed {
        /// Who.
        agent: AgentId,
        /// The offer.
        token: OfferToken,
    },
    /// The conversation or the work ended.
    Hangup {
        /// The interaction.
        interaction: InteractionId,
        /// Who ended it.
        by: EndedBy,
    },
    /// The agent stops the countdown of after-call work (STATE-10).
    WrapUpContinue {
        /// The interaction.
        interaction: InteractionId,
    },
    /// The agent is done with an interaction that has ended (ACW-04).
    Complete {
        /// Who.
        agent: AgentId,
        /// The interaction.
        interaction: InteractionId,
    },
}

/// A customer at the door of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The interaction.
    pub interaction: InteractionId,
    /// The service asked for.
    pub service: ServiceId,
    /// Kind of contact.
    pub channel: Channel,
    /// Instead of the service's priority.
    pub priority: Option<i32>,
    /// Instead of the service's requirement.
    pub requirement: Option<Requirement>,
    /// Agents asked first, when they fit the requirement (ROUTE-02).
    pub preferred: Vec<AgentId>,
    /// How long to wait for a preferred agent before anybody else is asked. Zero: only if one is free at once.
    pub preferred_hold: Duration,
    /// In its first step it counts as having waited this much longer: who is held for a preferred agent is taken by that agent
    /// before others who came a little earlier (C16). It ends with the step.
    pub ahead: Duration,
    /// Agents never asked.
    pub excluded: Vec<AgentId>,
    /// Since when it has waited elsewhere: its place is that of this time (ROUTE-07).
    pub since: Option<Timestamp>,
    /// It was taken before and only comes back, or it is an email, which waits as long as it must: whether the service takes
    /// anybody now is not asked.
    pub returns: bool,
}

/// Whom a customer is passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// Into the queue of a service, if that would take somebody now.
    Queue(Arrival),
    /// To one agent, who is rung whatever they are at, unless another phone rings already. Whoever does not take it leaves it to this
    /// queue.
    Agent {
        /// Who.
        agent: AgentId,
        /// Whose queue, and at which place.
        otherwise: Arrival,
    },
    /// Off the floor: a number outside is dialled.
    Number(String),
}

impl Arrival {
    /// A contact with nothing special about it.
    pub fn new(interaction: InteractionId, service: ServiceId, channel: Channel) -> Self {
        Self {
            interaction,
            service,
            channel,
            priority: None,
            requirement: None,
            preferred: Vec::new(),
            preferred_hold: Duration::ZERO,
            ahead: Duration::ZERO,
            excluded: Vec::new(),
            since: None,
            returns: false,
        }
    }
}

/// What is to be done outside, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Append to the journal before anything after it is done.
    Journal(Event),
    /// Ring the agent.
    Offer {
        /// For what.
        interaction: InteractionId,
        /// Whom.
        agent: AgentId,
        /// The lease that an answer must name.
        token: OfferToken,
        /// When it ends by itself.
        deadline: Timestamp,
    },
    /// Stop ringing the agent and close the offer window.
    WithdrawOffer {
        /// For what.
        interaction: InteractionId,
        /// Whom.
        agent: AgentId,
        /// The lease that ended.
        token: OfferToken,
        /// Why.
        why: OfferEnd,
    },
    /// A waiting interaction was given up by the floor: the caller is told so or simply hung up on, as the service says.
    TurnedAway {
        /// Which.
        interaction: InteractionId,
        /// Why.
        why: Overflow,
    },
    /// A waiting interaction is to be led on to another service or into a flow: it is not on the floor any more.
    Overflowed {
        /// Which.
        interaction: InteractionId,
        /// From whose queue.
        from: ServiceId,
        /// Why.
        why: Overflow,
        /// Where to.
        to: Treatment,
    },
    /// Nobody in the configuration fits a waiting interaction, now or in a later step: it waits in vain.
    NobodyFits {
        /// Which.
        interaction: InteractionId,
    },
    /// Show the agent's new state.
    AgentStateChanged {
        /// Who.
        agent: AgentId,
        /// The state now.
        state: AgentState,
        /// Since when.
        since: Timestamp,
    },
}

/// Why an input was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The offer ended before the answer came: normal, and nothing to do.
    #[error("the offer is over")]
    Stale,
    /// Not in the configuration.
    #[error("no such agent")]
    UnknownAgent,
    /// Not in the configuration.
    #[error("no such service")]
    UnknownService,
    /// Not on the floor (any more).
    #[error("no such interaction")]
    UnknownInteraction,
    /// Already on the floor.
    #[error("the interaction is already here")]
    Duplicate,
    /// The agent is signed out.
    #[error("the agent is not signed in")]
    LoggedOut,
    /// Not possible in the agent's state.
    #[error("not possible in the state {state:?}")]
    NotNow {
        /// The state.
        state: AgentState,
    },
    /// The agent has as much in hand as the capacity allows.
    #[error("no room for another of this kind")]
    NoRoom,
    /// Another agent has the interaction, or it has not ended.
    #[error("the interaction is not in this agent's after-call work")]
    NotYours,
    /// The group's rules do not allow it.
    #[error("the rules of the group do not allow it")]
    NotAllowed,
    /// The service takes no contacts of this kind.
    #[error("the service takes no contacts of the kind {channel:?}")]
    NotTaken {
        /// Which kind.
        channel: Channel,
    },
    /// The service has its limit of waiting callers.
    #[error("the queue is full")]
    QueueFull,
    /// The emergency treatment is on.
    #[error("the service has an emergency")]
    Emergency,
    /// The service is closed.
    #[error("the service is closed")]
    Closed,
    /// Nobody of the service is signed in.
    #[error("no agent online")]
    NoAgentOnline,
    /// The floor holds its limit of interactions or of different requirements.
    #[error("the floor is full")]
    FloorFull,
    /// The requirement cannot be used.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
}
