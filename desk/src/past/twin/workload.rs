//! What came and what people did, read off the journal: the twin is told it again.

use std::collections::HashMap;
use std::time::Duration;

use model::agent::NotReadyReason;
use model::id::{AgentId, InteractionId, OfferToken, ServiceId, SessionId};
use model::interaction::{Channel, Direction, EndStatus};
use model::journal::{Entry, Event, OfferEnd};
use model::people::PhoneKind;
use model::skill::Requirement;
use model::time::Timestamp;
use router::{FloorConfig, Input};

/// A customer.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub interaction: InteractionId,
    pub service: ServiceId,
    pub channel: Channel,
    pub at: Timestamp,
    /// What was asked for other than what the service asks for.
    pub requirement: Option<Requirement>,
    pub priority: Option<i32>,
    /// What it was ahead by while it was held for an agent.
    pub ahead: Duration,
    /// How long the customer waited, and whether that ended by leaving.
    pub waited: Option<(Duration, bool)>,
    pub answered: Option<(AgentId, Timestamp)>,
    pub talked: Option<Duration>,
    pub wrapped: Option<Duration>,
    /// Ended in the time that is looked at, one way or the other.
    pub end: Option<EndStatus>,
}

/// What an agent did with an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    Took(Duration),
    Declined(Duration),
    Failed(Duration),
    Missed,
}

/// Everything that is told to the twin.
#[derive(Default)]
pub(super) struct Workload {
    pub customers: Vec<Customer>,
    /// What agents did by themselves, at their times.
    pub shifts: Vec<(Timestamp, Input)>,
    /// How agents dealt with offers, in order.
    pub reactions: HashMap<AgentId, Vec<Reaction>>,
    /// How long agents were away whom a rule had made Not ready: after a call, after a missed one, after sign-in.
    pub returns: Vec<Duration>,
    /// Where the configuration changed.
    pub changes: Vec<(Timestamp, u64)>,

    by_id: HashMap<InteractionId, usize>,
    arrived: HashMap<InteractionId, (Timestamp, ServiceId, Channel)>,
    offered: HashMap<(OfferToken, AgentId), Timestamp>,
    /// Agents whom a rule made Not ready, since when.
    set_aside: HashMap<AgentId, Timestamp>,
    signed_in: HashMap<AgentId, Timestamp>,
}

/// Whether the floor gives this reason by itself.
pub(super) fn by_rule(reason: NotReadyReason) -> bool {
    use NotReadyReason::{
        AfterInteraction, ByHand, Chosen, ConnectionLost, Declined, Forced, Login, NoAnswer,
    };
    match reason {
        Login | AfterInteraction | Declined | NoAnswer | ConnectionLost => true,
        Forced | ByHand | Chosen(_) => false,
    }
}

impl Workload {
    /// Reads one entry. `config` is what the floor decided by then.
    pub fn read(&mut self, entry: &Entry, config: &FloorConfig) {
        let at = entry.at;
        match &entry.event {
            Event::Configured { generation, .. } => self.changes.push((at, *generation)),
            Event::Arrived {
                interaction,
                direction: Direction::Inbound,
                service: Some(service),
                channel,
                ..
            } => {
                self.arrived.insert(*interaction, (at, *service, *channel));
            }
            // Led on from another queue: the customer is known, and was of that service.
            Event::Queued { interaction, .. } if self.by_id.contains_key(interaction) => {}
            Event::Overflowed { interaction, from, .. } if !self.by_id.contains_key(interaction) => {
                let channel =
                    self.arrived.get(interaction).map_or(Channel::Voice, |(_, _, channel)| *channel);
                self.customer((*interaction, at, *from, channel), |_| {});
            }
            Event::Queued { interaction, service, channel, requirement, priority, ahead, .. } => {
                let rules = config.services.iter().find(|known| known.id == *service);
                let own = rules.is_none_or(|rules| rules.requirement != *requirement);
                let special = rules.is_none_or(|rules| rules.queue.priority != *priority);
                self.customer((*interaction, at, *service, *channel), |customer| {
                    customer.requirement = own.then(|| requirement.clone());
                    customer.ahead = *ahead;
                    customer.priority = special.then_some(*priority);
                });
            }
            Event::Offered { agent, token, .. } => drop(self.offered.insert((*token, *agent), at)),
            Event::Accepted { interaction, agent, token } => {
                let after = self.offered.remove(&(*token, *agent)).map(|offered| at.since(offered));
                self.react(*agent, after.map(Reaction::Took));
                if let Some(customer) = self.known(*interaction) {
                    customer.answered = Some((*agent, at));
                    customer.waited = Some((at.since(customer.at), false));
                }
            }
            // What the twin makes of a customer is over with the first agent: whom to pass on was that agent's choice.
            Event::Transferred { interaction, .. } => self.ended(*interaction, EndStatus::Transferred, at),
            Event::Taken { interaction, agent } => {
                if let Some(customer) = self.known(*interaction) {
                    customer.answered = Some((*agent, at));
                    customer.waited = Some((at.since(customer.at), false));
                }
            }
            Event::OfferEnded { agent, token, why, .. } => {
                let after = self.offered.remove(&(*token, *agent)).map(|offered| at.since(offered));
                self.react(
                    *agent,
                    match why {
                        OfferEnd::Declined => after.map(Reaction::Declined),
                        OfferEnd::ConnectionLost => after.map(Reaction::Failed),
                        OfferEnd::NoAnswer => Some(Reaction::Missed),
                        // It says nothing of the agent.
                        OfferEnd::CallerLeft
                        | OfferEnd::AgentLeft
                        | OfferEnd::TakenElsewhere
                        | OfferEnd::Restart
                        | OfferEnd::PutBack
                        | OfferEnd::Postponed => None,
                    },
                );
            }
            Event::Ended { interaction, status, .. } => self.ended(*interaction, *status, at),
            Event::Completed { interaction, wrap_up, .. } => {
                if let Some(customer) = self.known(*interaction) {
                    customer.wrapped = Some(*wrap_up);
                }
            }
            event => self.shift(event, at),
        }
    }

    fn shift(&mut self, event: &Event, at: Timestamp) {
        let input = match *event {
            Event::AgentLoggedIn { agent, session, phone } => {
                self.signed_in.insert(agent, at);
                self.set_aside.remove(&agent);
                Input::LogIn { agent, session, phone }
            }
            Event::AgentLoggedOut { agent } => {
                self.set_aside.remove(&agent);
                Input::LogOut { agent }
            }
            // The group's rule at sign-in: the twin's floor does it by itself.
            Event::AgentReady { agent, by_hand: false } if self.signed_in.get(&agent) == Some(&at) => return,
            Event::AgentReady { agent, .. } => match self.set_aside.remove(&agent) {
                Some(since) => return self.returns.push(at.since(since)),
                None => Input::Ready { agent },
            },
            Event::AgentNotReady { agent, reason } if by_rule(reason) => {
                self.set_aside.insert(agent, at);
                return;
            }
            Event::AgentNotReady { agent, reason } => {
                self.set_aside.remove(&agent);
                Input::NotReady { agent, reason }
            }
            Event::AgentOffline { agent } => {
                self.set_aside.remove(&agent);
                Input::Offline { agent }
            }
            _ => return,
        };
        self.shifts.push((at, input));
    }

    /// An agent as found at the beginning.
    pub fn begins(
        &mut self,
        at: Timestamp,
        agent: AgentId,
        session: SessionId,
        phone: PhoneKind,
        rest: Option<Input>,
    ) {
        self.shifts.push((at, Input::LogIn { agent, session, phone }));
        self.shifts.extend(rest.map(|rest| (at, rest)));
    }

    fn react(&mut self, agent: AgentId, reaction: Option<Reaction>) {
        self.reactions.entry(agent).or_default().extend(reaction);
    }

    fn known(&mut self, interaction: InteractionId) -> Option<&mut Customer> {
        let found = self.by_id.get(&interaction).and_then(|&n| self.customers.get_mut(n));
        found.filter(|customer| customer.end != Some(EndStatus::Transferred))
    }

    fn customer(
        &mut self,
        (interaction, at, service, channel): (InteractionId, Timestamp, ServiceId, Channel),
        more: impl FnOnce(&mut Customer),
    ) {
        let mut customer = Customer {
            interaction,
            service,
            channel,
            at,
            requirement: None,
            priority: None,
            ahead: Duration::ZERO,
            waited: None,
            answered: None,
            talked: None,
            wrapped: None,
            end: None,
        };
        more(&mut customer);
        self.by_id.insert(interaction, self.customers.len());
        self.customers.push(customer);
    }

    fn ended(&mut self, interaction: InteractionId, status: EndStatus, at: Timestamp) {
        use EndStatus::{Abandoned, AbandonedRinging, Closed, NoAgentOnline, QueueFull};
        let turned_away = matches!(status, QueueFull | NoAgentOnline | Closed);
        if !self.by_id.contains_key(&interaction)
            && turned_away
            && let Some((at, service, channel)) = self.arrived.remove(&interaction)
        {
            // Turned away at the door: the twin may let the customer in.
            self.customer((interaction, at, service, channel), |_| {});
        }
        if let Some(customer) = self.known(interaction) {
            customer.end = Some(status);
            match customer.answered {
                Some((_, answered)) => customer.talked = Some(at.since(answered)),
                None => {
                    let left = matches!(status, Abandoned | AbandonedRinging);
                    customer.waited = Some((at.since(customer.at), left));
                }
            }
        }
    }
}

impl Workload {
    /// Who answered a call.
    pub fn agent_of(&self, interaction: InteractionId) -> Option<AgentId> {
        let customer = self.by_id.get(&interaction).and_then(|&n| self.customers.get(n))?;
        customer.answered.map(|(agent, _)| agent)
    }
}

/// The agent an event speaks of.
pub(super) fn agent_in(event: &Event) -> Option<AgentId> {
    match event {
        Event::AgentLoggedIn { agent, .. }
        | Event::AgentLoggedOut { agent }
        | Event::AgentReady { agent, .. }
        | Event::AgentNotReady { agent, .. }
        | Event::AgentOffline { agent }
        | Event::DoNotDisturb { agent, .. }
        | Event::Offered { agent, .. }
        | Event::Accepted { agent, .. }
        | Event::Taken { agent, .. }
        | Event::Requeued { agent, .. }
        | Event::HandlingStarted { agent, .. }
        | Event::OfferEnded { agent, .. }
        | Event::WrapUpStarted { agent, .. }
        | Event::Completed { agent, .. } => Some(*agent),
        _ => None,
    }
}
