//! By which phone an agent is reached: the one that was set, or the one they chose for themselves (CONN-03 to CONN-12).

use std::time::Duration;

use model::agent::AgentState;
use model::call::CallOrder;
use model::dialling::Dialled;
use model::id::{InteractionId, OfferToken, UserId};
use model::people::{OwnPhone, PhoneKind, Role};
use model::time::Timestamp;

use super::core::{Core, Effect, Person};
use super::facts::order;
use crate::console::protocol::{ConsoleEvent, PhoneView};
use crate::refusal::Refusal;

/// What whoever picks up a phone outside hears again and again.
const CONFIRM: &[&str] = &["phone-confirm"];

impl Core {
    /// The kind of phone by which an agent is reached now.
    pub(crate) fn phone_of(&self, agent: UserId) -> PhoneKind {
        self.own_phone(agent).map_or_else(|| self.config.phone_of(agent), |own| own.kind)
    }

    fn own_phone(&self, agent: UserId) -> Option<&OwnPhone> {
        let own = self.people.get(&agent)?.own_phone.as_ref()?;
        // Whom the number is not allowed any more has the phone that was set.
        (own.kind != PhoneKind::Number || self.config.dialling.own_numbers).then_some(own)
    }

    /// The number of an agent whose phone is a number outside.
    fn number_of_phone(&self, agent: UserId) -> Option<&str> {
        let own = self.own_phone(agent).and_then(|own| own.number.as_deref());
        own.or_else(|| self.config.users.get(&agent)?.mobile.as_deref())
    }

    /// What the agent chose becomes their phone, at a sign-in (CONN-10).
    pub(super) fn take_phone(&mut self, agent: UserId, now: Timestamp) {
        let set = self.config.phone_of(agent);
        let wanted = self.people.get(&agent).and_then(|person| person.preferences.own_phone.clone());
        // A phone on the desk registers only if it was set.
        let own = wanted.filter(|own| own.kind != PhoneKind::Sip || set == PhoneKind::Sip);
        self.person(agent).own_phone = own;
        self.person(agent).phone_missing_since = (!self.phone_up(agent)).then_some(now);
    }

    /// Who has been here for so long with a phone that cannot be reached, and has no work (CONN-12). A number outside can only be
    /// found out to be wrong by dialling it. Supervisors and administrators have other things to do here than calls: of them only
    /// who is Ready is meant.
    pub(crate) fn without_phone(&self, max: Duration, now: Timestamp) -> Vec<UserId> {
        let missing = |agent: &UserId, person: &Person| {
            person.phone_missing_since.is_some_and(|since| now.since(since) >= max)
                && matches!(self.phone_of(*agent), PhoneKind::Browser | PhoneKind::Sip)
                && (self.state_of(*agent) == Some(AgentState::Ready)
                    || self.config.users.get(agent).is_some_and(|user| user.role == Role::Agent))
                && !self.phone_up(*agent)
                && !self.has_open_work(*agent)
        };
        let here =
            self.people.iter().filter(|(agent, person)| self.is_on_floor(**agent) && missing(agent, person));
        let mut users: Vec<_> = here.map(|(agent, _)| *agent).collect();
        users.sort_unstable();
        users
    }

    /// Whether calls can reach the agent's phone.
    pub(super) fn phone_up(&self, agent: UserId) -> bool {
        let person = self.people.get(&agent);
        match self.phone_of(agent) {
            PhoneKind::Browser => person.is_some_and(|person| person.softphone_up),
            PhoneKind::Sip => person.is_some_and(|person| person.desk_phone_up),
            PhoneKind::Number => {
                self.number_of_phone(agent).is_some_and(|number| self.may_dial(number).is_ok())
            }
            PhoneKind::None => false,
        }
    }

    /// Signalling says that a phone came or went.
    pub(super) fn phone_changed(
        &mut self,
        agent: UserId,
        kind: PhoneKind,
        up: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let person = self.person(agent);
        match kind {
            PhoneKind::Browser => person.softphone_up = up,
            PhoneKind::Sip => person.desk_phone_up = up,
            PhoneKind::Number | PhoneKind::None => {}
        }
        if self.phone_of(agent) == kind {
            self.person(agent).phone_missing_since = (!up).then_some(now);
            let phone = self.phone_view(agent);
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Phone { phone })));
        }
    }

    /// The own phone.
    pub fn phone_view(&self, agent: UserId) -> PhoneView {
        let kind = self.phone_of(agent);
        let number = (kind == PhoneKind::Number).then(|| self.number_of_phone(agent)).flatten();
        PhoneView {
            kind,
            number: number.map(str::to_owned),
            up: self.phone_up(agent),
            problem: self.people.get(&agent).and_then(|person| person.phone_problem.clone()),
        }
    }

    /// Rings an agent's phone for a call.
    pub(super) fn ring(
        &self,
        interaction: InteractionId,
        token: OfferToken,
        agent: UserId,
        out: &mut Vec<Effect>,
    ) {
        let phone = self.phone_of(agent);
        let number = self.number_of_phone(agent).filter(|number| self.may_dial(number).is_ok());
        out.push(order(match number {
            Some(number) if phone == PhoneKind::Number => CallOrder::RingNumber {
                interaction,
                token,
                agent,
                number: self.config.dialling.normal(number),
                // Carriers take no calls under the customer's number from everybody.
                caller_id: self.config.house_number(),
                trunks: self.config.trunks_out(),
                confirm: CONFIRM.iter().map(|sound| (*sound).to_owned()).collect(),
            },
            _ => CallOrder::RingAgent { interaction, token, agent, phone },
        }));
    }

    /// Whether the agent's phone can be used for a call that the agent begins, or why not.
    pub(super) fn phone_for_calling(&self, agent: UserId) -> Result<PhoneKind, Refusal> {
        let phone = self.phone_of(agent);
        let why = match phone {
            PhoneKind::Browser if self.phone_up(agent) => None,
            PhoneKind::Browser => {
                Some("Your phone is not connected. Reload the page and allow the microphone.")
            }
            PhoneKind::Number if self.has_call(agent) => {
                Some("A phone outside takes one call at a time. End the one that you have first.")
            }
            PhoneKind::Number if !self.phone_up(agent) => {
                Some("Your phone's number cannot be dialled. Choose another phone in the settings.")
            }
            PhoneKind::Number | PhoneKind::Sip => None,
            PhoneKind::None => {
                Some("You have no phone. Choose one in the settings, or ask an administrator.")
            }
        };
        why.map_or(Ok(phone), |why| Err(Refusal::NotNow { why }))
    }
}

/// Whether an agent may choose this phone for themselves, and as what it is kept.
pub(crate) fn chosen(
    config: &crate::configuration::Configuration,
    agent: UserId,
    kind: PhoneKind,
    number: Option<&str>,
) -> Result<OwnPhone, Refusal> {
    let plain = OwnPhone { kind, number: None };
    match kind {
        PhoneKind::Browser | PhoneKind::None => Ok(plain),
        PhoneKind::Sip if config.phone_of(agent) == PhoneKind::Sip => Ok(plain),
        PhoneKind::Sip => {
            Err(Refusal::NotNow { why: "An administrator has to set up your phone on the desk first." })
        }
        PhoneKind::Number if !config.dialling.own_numbers => {
            Err(Refusal::NotNow { why: "Numbers outside are not used as phones here. Ask an administrator." })
        }
        PhoneKind::Number => {
            let number = number.map(str::trim).filter(|number| !number.is_empty());
            let set = config.users.get(&agent).and_then(|user| user.mobile.as_deref());
            let Some(named) = number.or(set) else {
                return Err(Refusal::field(
                    "/number",
                    "the number of the phone: digits with an optional +, 2 to 20 of them",
                ));
            };
            let dialled = Dialled::parse(named)
                .filter(|dialled| dialled.after.is_empty())
                .ok_or_else(|| Refusal::field("/number", "digits with an optional +, 2 to 20 of them"))?;
            if !config.dialling.permit(&dialled.number) {
                return Err(Refusal::field("/number", "the rules of the house close this number"));
            }
            Ok(OwnPhone { kind, number: number.map(|_| dialled.number) })
        }
    }
}
