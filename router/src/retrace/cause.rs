//! What must have happened outside for an entry to be written.

use model::agent::NotReadyReason;
use model::id::{AgentId, InteractionId, SessionId};
use model::journal::{Entry, Event, OfferEnd};
use model::people::PhoneKind;
use model::service::Overflow;
use model::transfer::TransferTarget;

use crate::agent::Intent;
use crate::floor::Floor;
use crate::io::{Arrival, Input, Onward};

pub(super) enum Cause {
    /// The floor was told this.
    Input(Input),
    /// The event itself is taken over.
    Fact,
}

/// The cause of the first entry of a group; `None` for one that only follows from something else. `later` are the floor's
/// entries after it of the same instant.
pub(super) fn of<'a>(
    floor: &Floor,
    entry: &Entry,
    later: impl Iterator<Item = &'a Entry> + Clone,
) -> Option<Cause> {
    let mut later = later.map(|entry| &entry.event);
    let input = match entry.event.clone() {
        Event::AgentLoggedIn { agent, session, phone } => signed_in(agent, session, phone, later.next()),
        Event::AgentLoggedOut { agent } => signed_out(agent, later),
        Event::AgentReady { agent, by_hand: true } => Input::Ready { agent },
        Event::AgentReady { agent, by_hand: false } => Input::ForceReady { agent },
        Event::AgentNotReady { agent, reason: NotReadyReason::Forced } => Input::ForceNotReady { agent },
        Event::AgentNotReady { agent, reason } => Input::NotReady { agent, reason },
        Event::AgentOffline { agent } => Input::Offline { agent },
        Event::Queued { .. } => return Some(Cause::Fact),
        Event::Overflowed { interaction, why: Overflow::Chosen, to, .. } => Input::MoveOn { interaction, to },
        Event::LaidAside { interaction, .. } => Input::LayAside { interaction },
        Event::Offered { interaction, agent, deadline, .. } => {
            if floor.item_key(interaction).is_ok() {
                return None;
            }
            // Never queued: a colleague calls.
            Input::CallAgent { interaction, agent, ring_time: deadline.since(entry.at) }
        }
        Event::Accepted { agent, token, .. } => Input::Accept { agent, token },
        Event::Taken { interaction, agent } => Input::Take { agent, interaction },
        Event::Requeued { interaction, .. } => Input::Requeue { interaction },
        Event::PartyJoined { interaction, from, agent, number, by } => {
            Input::BringIn { interaction, from, agent, number, by }
        }
        Event::Transferred { interaction, agent, part, to, consulted: Some(consulted) } => {
            Input::HandOver { interaction, agent, part, consulted, to }
        }
        Event::Transferred { interaction, agent, part, to, consulted: None } => {
            Input::PassOn { interaction, agent, part, to: Box::new(onward(interaction, to, later)?) }
        }
        Event::HandlingStarted { interaction, agent, channel, internal } => {
            Input::Begin { interaction, agent, channel, internal }
        }
        Event::OfferEnded { interaction, agent, token, why } => match why {
            OfferEnd::Declined => Input::Decline { agent, token },
            OfferEnd::PutBack => Input::PutBack { agent, token },
            OfferEnd::Postponed => Input::Postpone { agent, token },
            OfferEnd::ConnectionLost => Input::OfferFailed { agent, token },
            OfferEnd::CallerLeft => later
                .find_map(|event| match event {
                    Event::LaidAside { interaction: same, .. } if *same == interaction => {
                        Some(Input::LayAside { interaction })
                    }
                    Event::Ended { interaction: same, .. } if *same == interaction => {
                        Some(Input::Abandon { interaction })
                    }
                    _ => None,
                })
                .unwrap_or(Input::Abandon { interaction }),
            OfferEnd::TakenElsewhere => later.find_map(|event| match event {
                Event::Accepted { agent, token: taken, .. } if *taken == token => {
                    Some(Input::Accept { agent: *agent, token })
                }
                Event::OfferEnded { agent, token: same, why: OfferEnd::Postponed, .. } if *same == token => {
                    Some(Input::Postpone { agent: *agent, token })
                }
                _ => None,
            })?,
            OfferEnd::AgentLeft => leaves(agent, false, later).unwrap_or(Input::ForceNotReady { agent }),
            OfferEnd::NoAnswer | OfferEnd::Restart => return None,
        },
        Event::Ended { interaction, by, .. } => Input::Hangup { interaction, by },
        Event::WrapUpContinued { interaction, .. } => Input::WrapUpContinue { interaction },
        Event::Completed { interaction, agent, .. } => {
            // Who leaves completes all there is, in its order.
            let in_order = floor.agent(agent).is_some_and(|view| view.wrapping.first() == Some(&interaction));
            let left = if in_order { leaves(agent, true, later) } else { None };
            left.unwrap_or(Input::Complete { agent, interaction })
        }
        _ => return None,
    };
    Some(Cause::Input(input))
}

/// Signed in. What the agent stood at is written next; by the team's rule or as before a restart, the entries are the same.
fn signed_in(agent: AgentId, session: SessionId, phone: PhoneKind, next: Option<&Event>) -> Input {
    let intent = match next {
        Some(Event::AgentReady { agent: same, .. }) if *same == agent => Intent::Ready,
        Some(Event::AgentNotReady { agent: same, reason }) if *same == agent => Intent::NotReady(*reason),
        Some(Event::AgentOffline { agent: same }) if *same == agent => Intent::Offline,
        _ => return Input::LogIn { agent, session, phone },
    };
    Input::LogBackIn { agent, session, phone, intent }
}

/// Signed out, or signed in elsewhere, which is one input.
fn signed_out<'a>(agent: AgentId, mut later: impl Iterator<Item = &'a Event>) -> Input {
    match later.next() {
        Some(Event::AgentLoggedIn { agent: same, session, phone }) if *same == agent => {
            signed_in(agent, *session, *phone, later.next())
        }
        _ => Input::LogOut { agent },
    }
}

/// To whom a customer was passed on, as the entries after it tell.
fn onward<'a>(
    interaction: InteractionId,
    to: TransferTarget,
    mut later: impl Iterator<Item = &'a Event>,
) -> Option<Onward> {
    let queued = |event: &Event| match event {
        Event::Queued { interaction: same, service, channel, requirement, priority, since, ahead }
            if *same == interaction =>
        {
            Some(Arrival {
                requirement: Some(requirement.clone()),
                priority: Some(*priority),
                since: *since,
                ahead: *ahead,
                ..Arrival::new(interaction, *service, *channel)
            })
        }
        _ => None,
    };
    Some(match to {
        TransferTarget::Number { number } => Onward::Number(number),
        TransferTarget::Service { .. } => Onward::Queue(later.find_map(queued)?),
        TransferTarget::Agent { agent } => Onward::Agent { agent, otherwise: later.find_map(queued)? },
    })
}

/// What took an offer or after-call work from an agent: the first change of state after it says so.
///
/// An open offer is taken back first, then after-call work ends: what ends after a completion has a cause of its own.
fn leaves<'a>(
    agent: AgentId,
    mut completed: bool,
    mut later: impl Iterator<Item = &'a Event>,
) -> Option<Input> {
    loop {
        match later.next()? {
            Event::AgentLoggedOut { agent: who } if *who == agent => {
                return Some(signed_out(agent, later));
            }
            Event::AgentOffline { agent: who } if *who == agent => return Some(Input::Offline { agent }),
            Event::AgentNotReady { agent: who, reason: NotReadyReason::Forced } if *who == agent => {
                return Some(Input::ForceNotReady { agent });
            }
            Event::AgentReady { agent: who, by_hand: false } if *who == agent => {
                return Some(Input::ForceReady { agent });
            }
            // More of the same leaving; whatever else happens ends the search.
            Event::Completed { agent: who, .. } if *who == agent => completed = true,
            Event::Ended { .. } | Event::OfferEnded { .. } | Event::Overflowed { .. } if !completed => {}
            _ => return None,
        }
    }
}
