//! Callers who are not queued, or not any longer: what their service does with them, and where it leads them (ROUTE-07).

use model::call::{CallOrder, Rejection, Sound};
use model::id::{InteractionId, ServiceId};
use model::interaction::{Channel, EndStatus};
use model::journal::Event;
use model::service::{Overflow, Treatment};
use model::time::Timestamp;
use router::{Arrival, Input};

use super::call::{Aim, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use super::incoming::refuse;
use crate::configuration::FlowInUse;

/// How often one caller is led on, at most; then the case is announced. The configuration is refused when it goes round in a
/// circle: this is for flows that lead back, and for circles that two changes at once have closed.
pub(super) const LED_ON_MAX: u8 = 8;

impl Core {
    /// Asks the queue of a service for a caller, and goes on as the service says when it does not take them.
    pub(super) fn seek(&mut self, arrival: Arrival, now: Timestamp, out: &mut Vec<Effect>) {
        let (interaction, service) = (arrival.interaction, arrival.service);
        match self.queue(arrival, now, out) {
            Ok(()) => {}
            Err(refusal) => match overflow_of(refusal) {
                Some(why) => self.overflow(interaction, service, why, now, out),
                None => {
                    tracing::warn!(%interaction, %refusal, "the floor did not take a call");
                    self.send_away(interaction, Rejection::Overloaded, (EndStatus::Failed, false), out);
                }
            },
        }
    }

    /// Asks the floor to take a caller.
    pub(super) fn queue(
        &mut self,
        arrival: Arrival,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), router::Refusal> {
        // The music comes first: an agent may be rung at once, and orders about a call keep their order. When the floor
        // takes the caller to no queue, the order is taken back before it left this room.
        let (interaction, music) = (arrival.interaction, out.len());
        out.push(order(CallOrder::Play { interaction, sound: Sound::QueueMusic, then_hang_up: false }));
        let arrival = self.as_regular(arrival, now);
        let answer = self.tell_floor(Input::Arrive(arrival), now, out);
        match (&answer, self.calls.get_mut(&interaction)) {
            (Ok(()), Some(call)) => call.heard = true,
            (Ok(()), None) => {}
            (Err(_), _) => drop(out.remove(music)),
        }
        answer
    }

    /// A service does not queue a caller: what it does instead. The caller is not on the floor.
    pub(super) fn overflow(
        &mut self,
        interaction: InteractionId,
        from: ServiceId,
        why: Overflow,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let treatment =
            self.config.services.get(&from).map_or(Treatment::Announce, |s| s.queue.treatment(why));
        if let Treatment::Service(_) | Treatment::Flow(_) | Treatment::Voicemail = treatment {
            out.push(Effect::Journal(Event::Overflowed { interaction, from, why, to: treatment }));
            self.lead_on(interaction, why, treatment, now, out);
        } else {
            out.push(Effect::Journal(Event::TurnedAway { interaction, service: from, why }));
            self.give_up(interaction, (why, treatment), false, out);
        }
    }

    /// A caller leaves one queue for another, or for a flow.
    pub(super) fn lead_on(
        &mut self,
        interaction: InteractionId,
        why: Overflow,
        to: Treatment,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.touch(interaction);
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        call.led_on += 1;
        if call.led_on > LED_ON_MAX {
            tracing::warn!(%interaction, "a caller was led on too often, and is given up");
            return self.give_up(interaction, (why, Treatment::Announce), false, out);
        }
        let since = *call.waits_since.get_or_insert(now);
        match to {
            Treatment::Service(service) => {
                (call.aim, call.stage) = (Aim::Service(service), Stage::Waiting);
                let arrival = Arrival::new(interaction, service, Channel::Voice);
                self.seek(Arrival { since: Some(since), ..arrival }, now, out);
            }
            Treatment::Flow(flow) => match self.config.ready_flows.get(&flow) {
                Some((version, ready)) => {
                    let flow = FlowInUse { of: Some((flow, *version)), ready: ready.clone() };
                    self.enter_flow(interaction, flow, now, out);
                }
                // It is in trouble, and the log said so when the configuration was taken.
                None => self.give_up(interaction, (why, Treatment::Announce), false, out),
            },
            Treatment::Voicemail => {
                match call.service().and_then(|service| self.config.voicemail.get(&service)).cloned() {
                    Some(flow) => self.enter_flow(interaction, flow, now, out),
                    None => self.give_up(interaction, (why, Treatment::Announce), false, out),
                }
            }
            Treatment::Announce | Treatment::Reject | Treatment::Queue => {
                self.give_up(interaction, (why, to), false, out);
            }
        }
    }

    /// Nobody will serve the caller (VOICE-15): the announcement of the case, or an end without words. `written`: the journal has
    /// the end already.
    pub(super) fn give_up(
        &mut self,
        interaction: InteractionId,
        (why, treatment): (Overflow, Treatment),
        written: bool,
        out: &mut Vec<Effect>,
    ) {
        if treatment != Treatment::Reject {
            return self.turn_away(interaction, why.status(), written, out);
        }
        let rejection = match why {
            Overflow::Closed | Overflow::Emergency => Rejection::Declined,
            Overflow::Unstaffed | Overflow::AgentsLeft => Rejection::NobodyThere,
            Overflow::Full | Overflow::WaitedLong | Overflow::Chosen => Rejection::Busy,
        };
        self.send_away(interaction, rejection, (why.status(), written), out);
    }

    /// Ends a call without words. One that was never answered is refused.
    fn send_away(
        &mut self,
        interaction: InteractionId,
        why: Rejection,
        (status, written): (EndStatus, bool),
        out: &mut Vec<Effect>,
    ) {
        self.touch(interaction);
        match self.calls.get_mut(&interaction) {
            Some(call) if call.heard => {
                call.stage = Stage::Announced { status, written };
                out.push(order(CallOrder::Reject { interaction, why }));
            }
            _ => {
                self.calls.remove(&interaction);
                refuse(interaction, why, status, out);
            }
        }
    }
}

/// What a refusal of the floor is to the service, if it is the service's to say what is done.
pub(super) fn overflow_of(refusal: router::Refusal) -> Option<Overflow> {
    match refusal {
        router::Refusal::Emergency => Some(Overflow::Emergency),
        // For what it does not take a service is closed.
        router::Refusal::Closed | router::Refusal::NotTaken { .. } => Some(Overflow::Closed),
        router::Refusal::NoAgentOnline => Some(Overflow::Unstaffed),
        router::Refusal::QueueFull => Some(Overflow::Full),
        _ => None,
    }
}
