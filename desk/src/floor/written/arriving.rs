//! Written contacts at the door: to a service, led on, or turned away in words instead of an announcement.

use std::collections::BTreeMap;

use flow::Language;
use model::id::{InteractionId, ServiceId};
use model::interaction::{Channel, Direction, EndedBy};
use model::journal::Event;
use model::service::{Overflow, Treatment};
use model::time::Timestamp;
use model::written::{Author, MESSAGES_MAX};
use router::{Arrival, Input};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::core::{Core, Effect};
use super::super::incoming::{NAME_MAX, cut};
use super::super::overflow::{LED_ON_MAX, overflow_of};
use super::{Stage, Written, cleaned, text_max};
use crate::refusal::Refusal;

/// Longest address of a page.
const ADDRESS_MAX: usize = 1_000;
/// Longest subject: the longest line that RFC 5322 §2.1.1 allows.
const SUBJECT_MAX: usize = 998;

/// A written contact that a channel brings.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// `chat`, `sms` or `email`.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Which service is asked for.
    #[schema(value_type = String)]
    pub service: ServiceId,
    /// Who writes.
    #[serde(default)]
    pub customer: Customer,
    /// Where it was written: the page, the messenger's account, the mailbox. At most 1000 characters.
    #[serde(default)]
    pub address: String,
    /// The language of the customer, `en` or `ru`: what the service says is said in it. Without it that of the house.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub language: Option<Tongue>,
    /// What an email is about; at most 998 characters. Other contacts have none, and neither of the two after it.
    #[serde(default)]
    pub subject: String,
    /// How the sender's system sorts the email; at most 128 characters.
    #[serde(default)]
    pub category: String,
    /// The name that the sender's system has for the email, such as its Message-ID; at most 128 characters.
    #[serde(default)]
    pub reference: String,
    /// The first message as plain text: 1 to 4000 characters, of an email 1 to 100 000.
    pub text: String,
}

/// A language that customers are told things in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tongue {
    /// English.
    En,
    /// Russian.
    Ru,
}

impl Tongue {
    fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }
    fn of(code: &str) -> Option<Self> {
        [Self::En, Self::Ru].into_iter().find(|tongue| tongue.code() == code)
    }
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::English,
            Tongue::Ru => Self::Russian,
        }
    }
}

/// Under which name the language of the customer is noted, so that it outlives a restart and the agent knows it.
const LANGUAGE: &str = "language";

impl NewContact {
    /// What only emails have, by the name it is noted under.
    fn of_email(&self) -> Result<[(&'static str, String); 3], Refusal> {
        let parts = [
            ("subject", &self.subject, SUBJECT_MAX),
            ("category", &self.category, NAME_MAX),
            ("reference", &self.reference, NAME_MAX),
        ];
        if self.channel == Channel::Email && !self.customer.email.contains('@') {
            return Err(Refusal::field("/customer/email", "the address that the email is from"));
        }
        if let Some((name, ..)) =
            parts.iter().find(|(_, text, _)| self.channel != Channel::Email && !text.is_empty())
        {
            return Err(Refusal::field(&format!("/{name}"), "only emails have it"));
        }
        Ok(parts.map(|(name, text, most)| {
            (name, text.trim().chars().filter(|c| !c.is_control()).take(most).collect())
        }))
    }
}

/// What a channel knows of a customer; each at most 128 characters.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Customer {
    /// Name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// Telephone number.
    pub phone: String,
    /// Company.
    pub company: String,
}

/// A message that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Wrote {
    /// Of which contact.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Its place among the messages of the contact, from 1.
    pub number: u32,
    /// When it was taken, in milliseconds since 1970.
    pub at: u64,
}

impl Core {
    /// A customer begins to write. Who cannot be queued is told so by a message of the service, and the contact has ended.
    pub fn bring(
        &mut self,
        interaction: InteractionId,
        contact: NewContact,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Wrote, Refusal> {
        if !contact.channel.is_written() {
            return Err(Refusal::field("/channel", "chat, sms or email"));
        }
        let of_email = contact.of_email()?;
        let NewContact { channel, service, customer, address, language, text, .. } = contact;
        let Some(asked) = self.config.services.get(&service) else {
            return Err(Refusal::field("/service", "no such service"));
        };
        if !asked.queue.takes(channel) {
            return Err(Refusal::field("/channel", "this service takes no contacts of this kind"));
        }
        if !self.admitting || self.floor.is_full() {
            return Err(Refusal::Unavailable);
        }
        let text = cleaned(&text, text_max(channel))?;
        let address: String = address.chars().filter(|c| !c.is_control()).take(ADDRESS_MAX).collect();
        let Customer { name, email, phone, company } = customer;
        let [name, email, phone, company] = [name, email, phone, company].map(|part| cut(part.trim()));
        let caller = if email.is_empty() { phone.clone() } else { email.clone() };
        let caller_name = Some(name).filter(|name| !name.is_empty());
        let language = language.map(Tongue::code).unwrap_or_default().to_owned();
        let known = [("email", email), ("phone", phone), ("company", company), (LANGUAGE, language)];
        let noted: BTreeMap<_, _> = known
            .into_iter()
            .chain(of_email)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        out.push(Effect::Journal(Event::Arrived {
            interaction,
            channel,
            direction: Direction::Inbound,
            caller: caller.clone(),
            caller_name: caller_name.clone(),
            contact: address.clone(),
            trunk: None,
            service: Some(service),
            calling_agent: None,
        }));
        if !noted.is_empty() {
            out.push(Effect::Journal(Event::Noted { interaction, values: noted.clone() }));
        }
        let written = Written {
            channel,
            service,
            caller,
            caller_name,
            address,
            noted,
            waits_since: now,
            led_on: 0,
            answered_at: None,
            stage: Stage::Waiting,
            last_message: 0,
            wrote_at: now,
            unanswered_since: None,
            goes_on: false,
            disposition: None,
            comment: String::new(),
        };
        self.enter_written(interaction, written);
        let number = self.add_message(interaction, Author::Customer, text, now, out);
        // An email waits whatever the hours and however many wait already.
        let returns = channel == Channel::Email;
        let arrival = Arrival::new(interaction, service, channel);
        self.seek_for_written(Arrival { returns, ..arrival }, now, out);
        Ok(Wrote { interaction, number, at: now.millis() })
    }

    /// The customer writes on.
    pub fn customer_writes(
        &mut self,
        interaction: InteractionId,
        text: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Wrote, Refusal> {
        let written = self.written.get(&interaction).ok_or(Refusal::missing("contact"))?;
        let goes_on = !written.up();
        if goes_on && written.channel != Channel::Email {
            return Err(Refusal::NotNow { why: "The contact has ended." });
        }
        let text = cleaned(text, written.text_max())?;
        if written.last_message >= MESSAGES_MAX {
            return Err(Refusal::NotNow { why: "The contact has as many messages as it may have." });
        }
        let number = self.add_message(interaction, Author::Customer, text, now, out);
        if let Some(written) = self.written.get_mut(&interaction) {
            written.goes_on |= goes_on;
        }
        Ok(Wrote { interaction, number, at: now.millis() })
    }

    /// Asks the queue of a service, and goes on as the service says when it does not take the contact.
    pub(super) fn seek_for_written(&mut self, arrival: Arrival, now: Timestamp, out: &mut Vec<Effect>) {
        let (interaction, from) = (arrival.interaction, arrival.service);
        let arrival = self.as_regular(arrival, now);
        let Err(refusal) = self.tell_floor(Input::Arrive(arrival), now, out) else { return };
        let Some(why) = overflow_of(refusal) else {
            tracing::warn!(%interaction, %refusal, "the floor did not take a written contact");
            return self.turn_written_away(interaction, Overflow::Full, Some(from), now, out);
        };
        let treatment =
            self.config.services.get(&from).map_or(Treatment::Announce, |s| s.queue.treatment(why));
        if let Treatment::Service(_) = treatment {
            out.push(Effect::Journal(Event::Overflowed { interaction, from, why, to: treatment }));
            self.lead_written_on(interaction, why, treatment, now, out);
        } else {
            self.turn_written_away(interaction, why, Some(from), now, out);
        }
    }

    /// A contact leaves one queue for another. Flows are heard, not read: where one is set, the customer is told in words.
    pub(crate) fn lead_written_on(
        &mut self,
        interaction: InteractionId,
        why: Overflow,
        to: Treatment,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(written) = self.written.get_mut(&interaction) else { return };
        self.dirty.insert(written.service);
        written.led_on += 1;
        let (since, channel, from) = (written.waits_since, written.channel, written.service);
        match to {
            Treatment::Service(service) if written.led_on <= LED_ON_MAX => {
                self.move_written(interaction, service);
                let arrival = Arrival::new(interaction, service, channel);
                self.seek_for_written(Arrival { since: Some(since), ..arrival }, now, out);
            }
            _ => self.turn_written_away(interaction, why, Some(from), now, out),
        }
    }

    /// Nobody will answer: the customer is told so, and the contact is over. `from`: the service did not take it, which the
    /// journal does not know yet; `None`: the floor has written its end.
    pub(crate) fn turn_written_away(
        &mut self,
        interaction: InteractionId,
        why: Overflow,
        from: Option<ServiceId>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let told = self.written.get(&interaction).map(|written| written.service);
        let rules = told.and_then(|service| self.config.services.get(&service)).map(|s| &s.queue);
        if rules.is_none_or(|rules| rules.treatment(why) != Treatment::Reject) {
            let noted = self.written.get(&interaction).and_then(|written| written.noted.get(LANGUAGE));
            let language =
                noted.and_then(|code| Tongue::of(code)).map_or(self.config.language, Language::from);
            let own = rules.map(|rules| rules.farewells.of(why));
            let own = own.map(|own| match language {
                Language::English => own.en.trim(),
                Language::Russian => own.ru.trim(),
            });
            let own = own.filter(|own| !own.is_empty());
            let text = own.unwrap_or_else(|| words(why, language)).to_owned();
            self.add_message(interaction, Author::System, text, now, out);
        }
        if let Some(service) = from {
            out.push(Effect::Journal(Event::TurnedAway { interaction, service, why }));
            let (status, by) = (why.status(), EndedBy::System);
            out.push(Effect::Journal(Event::Ended { interaction, status, by }));
        }
        self.leave_written(interaction, out);
        self.dirty.extend(told);
    }
}

/// What the customer reads where the service has no words of its own.
fn words(why: Overflow, language: Language) -> &'static str {
    match (language, why) {
        (Language::English, Overflow::Closed | Overflow::Emergency) => {
            "We are closed at the moment. Please write to us later."
        }
        (Language::English, Overflow::Unstaffed | Overflow::AgentsLeft) => {
            "Nobody is here to answer at the moment. Please write to us later."
        }
        (Language::English, _) => "All our agents are busy at the moment. Please write to us later.",
        (Language::Russian, Overflow::Closed | Overflow::Emergency) => {
            "Сейчас мы не работаем. Пожалуйста, напишите нам позже."
        }
        (Language::Russian, Overflow::Unstaffed | Overflow::AgentsLeft) => {
            "Сейчас некому ответить. Пожалуйста, напишите нам позже."
        }
        (Language::Russian, _) => "Сейчас все операторы заняты. Пожалуйста, напишите нам позже.",
    }
}
