//! Internal calls: an agent calls a colleague (OUT-03).
//!
//! It is one call with two agents. The one who is called has it on the floor, as an offer and then as work; the one who
//! calls is kept Busy by a piece of work that only the floor knows, without a record and without after-call work.

use std::time::Duration;

use model::agent::AgentState;
use model::call::{CallOrder, Rejection};
use model::id::{InteractionId, ServiceId, UserId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::journal::{Event, OfferEnd};
use model::people::{PhoneKind, Privilege, User};
use model::time::Timestamp;
use router::Input;

use super::call::{Aim, Call, Inside, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use super::incoming::refuse;
use super::supervision::ATTENDS;
use crate::console::protocol::{Phase, RefusedWhy};
use crate::refusal::Refusal;

/// What a phone is told of a refusal.
pub(super) fn as_rejection(refusal: &Refusal) -> Rejection {
    match refusal {
        Refusal::NotFound { .. } => Rejection::UnknownNumber,
        Refusal::ColleagueOffline => Rejection::NobodyThere,
        Refusal::ColleagueBusy => Rejection::Busy,
        Refusal::Unavailable => Rejection::Overloaded,
        _ => Rejection::Declined,
    }
}

/// How long a colleague's phone rings: four European ring cycles.
const RING_TIME: Duration = Duration::from_secs(20);

impl Core {
    /// The page of `agent` calls a colleague, by user or by extension.
    pub(super) fn call_colleague(
        &mut self,
        agent: UserId,
        (user, extension): (Option<UserId>, Option<String>),
        consults: Option<InteractionId>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let callee = match (user, extension) {
            (Some(user), None) => self.config.colleague(user),
            (None, Some(extension)) => self.config.colleague_at(&extension),
            _ => return Err(Refusal::field("/user", "name either a user or an extension")),
        };
        let callee = callee.map(|user| user.id);
        let callee = self.may_call(agent, callee)?;
        match self.floor.state(agent).map(|(state, _)| state) {
            None | Some(AgentState::LoggedOut) => return Err(Self::refused(router::Refusal::LoggedOut)),
            _ => {}
        }
        let why = match self.phone_for_calling(agent)? {
            PhoneKind::Browser => None,
            PhoneKind::Sip => Some("Dial the extension on your phone."),
            PhoneKind::Number | PhoneKind::None => Some(
                "Colleagues are called with the phone in the browser or on the desk. Choose one in the settings.",
            ),
        };
        if let Some(why) = why {
            return Err(Refusal::NotNow { why });
        }
        self.clear_the_line(agent, None, out)?;
        let interaction = self.sources.id();
        self.place((interaction, consults), (agent, callee), true, now, out)
    }

    /// A phone on a desk dialled. Without a sign-in to routing the call is placed all the same.
    pub(super) fn dialled(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        digits: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(caller) = self.config.colleague(agent) else {
            tracing::warn!(%interaction, %agent, "a phone of somebody who may not call");
            out.push(order(CallOrder::Reject { interaction, why: Rejection::Declined }));
            return;
        };
        let arrived = arrived(interaction, caller, digits.clone(), None);
        let callee = self.config.colleague_at(&digits).map(|user| user.id);
        let placed = self.may_call(agent, callee).and_then(|callee| {
            let consults = self.only_customer_of(agent);
            self.place((interaction, consults), (agent, callee), false, now, out)
        });
        if let Err(refusal) = placed {
            let why = as_rejection(&refusal);
            let status = match why {
                Rejection::UnknownNumber => EndStatus::UnknownNumber,
                Rejection::NobodyThere => EndStatus::NoAgentOnline,
                Rejection::Overloaded => EndStatus::Failed,
                Rejection::Busy | Rejection::Declined => EndStatus::Refused,
            };
            out.push(Effect::Journal(arrived));
            refuse(interaction, why, status, out);
        }
    }

    /// Whether an agent may call this colleague now, by the states of both.
    fn may_call(&self, agent: UserId, callee: Option<UserId>) -> Result<UserId, Refusal> {
        self.may_place(agent)?;
        let callee = callee.ok_or(Refusal::missing("colleague"))?;
        if callee == agent {
            return Err(Refusal::NotNow { why: "You cannot call yourself." });
        }
        if !self.diverts_at_once(callee) {
            self.reachable(callee)?;
        }
        let both = |call: &Call| call.up() && call.seat(agent).is_some() && call.seat(callee).is_some();
        if self.calls.values().any(both) {
            return Err(Refusal::NotNow { why: "You are in a call with this colleague already." });
        }
        Ok(callee)
    }

    /// Whether an agent may place calls now, whomever to (STATE-17).
    pub(super) fn may_place(&self, agent: UserId) -> Result<(), Refusal> {
        let needs = Privilege::CallOut;
        if !self.config.users.get(&agent).is_some_and(|user| user.role.may(needs)) {
            return Err(Refusal::Forbidden { needs });
        }
        if !self.admitting {
            return Err(Refusal::Unavailable);
        }
        if let Some(own) = self.floor.agent(agent) {
            if own.offer.is_some() {
                return Err(Refusal::NotNow { why: "Answer or refuse the call that rings first." });
            }
            if own.state == AgentState::Offline {
                return Err(Refusal::NotNow { why: "You are offline. Go online to call." });
            }
        }
        Ok(())
    }

    /// Whether a colleague can be called now, whoever calls.
    pub(crate) fn reachable(&self, callee: UserId) -> Result<(), Refusal> {
        let seen = self.floor.agent(callee).ok_or(Refusal::ColleagueOffline)?;
        if matches!(seen.state, AgentState::LoggedOut | AgentState::Offline) {
            Err(Refusal::ColleagueOffline)
        } else if self.phone_of(callee) == PhoneKind::None {
            Err(Refusal::NotNow { why: "This colleague has no phone." })
        } else if seen.offer.is_some()
            || (self.phone_of(callee) == PhoneKind::Number && self.has_call(callee))
        {
            Err(Refusal::ColleagueBusy)
        } else {
            Ok(())
        }
    }

    /// Begins the call: the caller is Busy, the colleague rings.
    fn place(
        &mut self,
        (interaction, consults): (InteractionId, Option<InteractionId>),
        (caller, callee): (UserId, UserId),
        softphone: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let (Some(from), Some(to)) = (self.config.users.get(&caller), self.config.users.get(&callee)) else {
            return Err(Refusal::missing("colleague"));
        };
        let (number, name, contact) = (number_of(from), from.name.clone(), number_of(to));
        // It is counted under the service of the call that is asked about (OUT-02).
        let about = consults.map(|of| self.whole(of));
        let service = about.and_then(|of| self.calls.get(&of)).and_then(Call::service);
        let arrived = arrived(interaction, from, contact.clone(), service);
        let own = if self.is_on_floor(caller) { Some(self.keep_busy(caller, now, out)?) } else { None };
        // What is ordered before the floor has taken the call is taken back when it does not.
        let mark = out.len();
        out.push(Effect::Journal(arrived));
        if let Some(of) = about {
            out.push(Effect::Journal(Event::Consults { interaction, of, agent: caller }));
        }
        if softphone {
            self.hold_others(caller, interaction, out);
            out.push(order(CallOrder::CallColleague {
                interaction,
                tenant: self.tenant,
                agent: caller,
                caller: number.clone(),
                caller_name: Some(name.clone()),
                contact: contact.clone(),
            }));
        }
        let ordered = out.len();
        let aim = Aim::Colleague(Inside { caller, callee, own });
        let call = Call { consults, ..Call::new(aim, number, Some(name), contact, now) };
        self.calls.insert(interaction, call);
        if self.diverts_at_once(callee) {
            self.divert(interaction, callee, now, out);
            return Ok(());
        }
        let ring_time = self.ring_time_of(callee, RING_TIME);
        let ring = Input::CallAgent { interaction, agent: callee, ring_time };
        if let Err(refusal) = self.tell_floor(ring, now, out) {
            out.drain(mark..ordered);
            self.calls.remove(&interaction);
            if let Some(own) = own {
                self.free_caller(own, EndedBy::System, now, out);
            }
            return Err(Self::refused(refusal));
        }
        self.divert_later(interaction, callee, now);
        self.show_work(interaction, out);
        Ok(())
    }

    /// Makes an agent Busy with a call to a colleague.
    pub(super) fn keep_busy(
        &mut self,
        agent: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<InteractionId, Refusal> {
        let interaction = self.sources.id();
        let begin = Input::Begin { interaction, agent, channel: Channel::Voice, internal: true };
        self.tell_floor(begin, now, out).map_err(Self::refused)?;
        Ok(interaction)
    }

    /// The call to a colleague is over for the one who called.
    pub(super) fn free_caller(
        &mut self,
        own: InteractionId,
        by: EndedBy,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Err(refusal) = self.tell_floor(Input::Hangup { interaction: own, by }, now, out) {
            tracing::warn!(interaction = %own, %refusal, "the floor did not know that an agent called a colleague");
        }
    }

    /// An agent who called from the desk's phone before signing in is Busy from the sign-in on.
    pub(super) fn take_up_calls(&mut self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        let loose =
            |call: &Call| call.inside().is_some_and(|inside| inside.caller == agent && inside.own.is_none());
        let found: Vec<InteractionId> =
            self.calls.iter().filter(|(_, call)| loose(call)).map(|(id, _)| *id).collect();
        for interaction in found {
            // Refused when the floor is full: then the call goes on without it.
            let Ok(own) = self.keep_busy(agent, now, out) else { return };
            if let Some(Call { aim: Aim::Colleague(inside), .. }) = self.calls.get_mut(&interaction) {
                inside.own = Some(own);
            }
        }
    }

    /// The colleague did not take the call: whoever called hears busy (VOICE-08).
    pub(super) fn colleague_refused(
        &mut self,
        interaction: InteractionId,
        why: OfferEnd,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let why = match why {
            OfferEnd::Declined => RefusedWhy::Declined,
            OfferEnd::NoAnswer => RefusedWhy::NoAnswer,
            OfferEnd::ConnectionLost | OfferEnd::AgentLeft => RefusedWhy::Unreachable,
            OfferEnd::CallerLeft
            | OfferEnd::TakenElsewhere
            | OfferEnd::Restart
            | OfferEnd::PutBack
            | OfferEnd::Postponed => return,
        };
        if let Some(call) = self.calls.get_mut(&interaction).filter(|call| call.inside().is_some()) {
            call.stage = Stage::Refused { why, since: now };
            out.push(order(CallOrder::Reject { interaction, why: Rejection::Busy }));
            self.show_work(interaction, out);
        }
    }

    /// Puts the other conversations of an agent on hold.
    pub(super) fn hold_others(&self, agent: UserId, except: InteractionId, out: &mut Vec<Effect>) {
        for (interaction, call) in &self.calls {
            let phase = call.seat(agent).and_then(|seat| call.phase(seat));
            if *interaction != except && matches!(phase, Some((Phase::Talking, _))) {
                out.push(order(CallOrder::Hold { interaction: *interaction, agent }));
            }
        }
    }

    /// Makes room for another conversation of an agent: none may be half set up, and a busy tone ends. Who comes back to a call gives
    /// up asking about it (XFER-03).
    pub(super) fn clear_the_line(
        &self,
        agent: UserId,
        except: Option<InteractionId>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.is_attending(agent) {
            return Err(ATTENDS);
        }
        let mut busy = Vec::new();
        for (interaction, call) in &self.calls {
            let Some(seat) = call.seat(agent).filter(|_| Some(*interaction) != except) else { continue };
            match call.phase(seat) {
                Some((Phase::Dialling, _)) if except.is_some() && call.consults == except => {
                    busy.push((*interaction, seat.side()));
                }
                Some((Phase::Reserved | Phase::Dialling | Phase::Connecting, _)) => {
                    return Err(Refusal::NotNow { why: "Another call is being set up. End it first." });
                }
                Some((Phase::Refused, _)) => busy.push((*interaction, seat.side())),
                _ => {}
            }
        }
        out.extend(busy.into_iter().map(|(interaction, by)| order(CallOrder::HangUp { interaction, by })));
        Ok(())
    }

    /// Whether an agent's phone takes offers without the agent's doing (VOICE-11): never while the agent talks, since that
    /// call would be put on hold.
    pub(super) fn answers_itself(&self, agent: UserId) -> bool {
        self.phone_of(agent) == PhoneKind::Browser
            && self.config.rules_of(agent).auto_answer
            && !self.has_call(agent)
            && !self.is_attending(agent)
    }
}

/// Under which number colleagues know a user.
fn number_of(user: &User) -> String {
    user.extension.clone().unwrap_or_else(|| user.login.clone())
}

fn arrived(interaction: InteractionId, caller: &User, contact: String, service: Option<ServiceId>) -> Event {
    Event::Arrived {
        interaction,
        channel: Channel::Voice,
        direction: Direction::Internal,
        caller: number_of(caller),
        caller_name: Some(caller.name.clone()),
        contact,
        trunk: None,
        service,
        calling_agent: Some(caller.id),
    }
}
