//! Written contacts: chats, text messages and emails. The floor owns their places, offers and after-call work as it does
//! those of calls; here is what was written last, who has it, and what an agent notes. There is no leg, so nothing of them
//! breaks with the appliance: a start takes them up again from their records ([`Core::go_on_with_written`]).

mod arriving;
mod handling;
mod listing;
mod lists;
mod personal;
mod picking;
mod reopening;
mod views;

use std::collections::BTreeMap;

use model::id::{DispositionId, InteractionId, ServiceId, UserId};
use model::interaction::{Channel, RecordedHelp, ServiceRecord};
use model::time::Timestamp;
use model::written::{Assignment, Author, CHAT_TEXT_MAX, EMAIL_TEXT_MAX};

use super::core::{Core, Effect};
use crate::console::protocol::{ConsoleEvent, Message, Phase};
use crate::refusal::Refusal;

pub use self::arriving::{Customer, NewContact, Tongue, Wrote};
pub use self::listing::{
    Asked, AssignedView, ListOf, SortBy, TabView, WrittenCount, WrittenList, WrittenRow,
};
pub(crate) use self::lists::Lists;
pub use self::picking::{WaitingContact, WaitingContacts};
pub use self::views::ContactView;

/// A live written contact, or one whose after-call work is open.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Kind of contact.
    pub channel: Channel,
    /// Whose queue it came over last.
    pub service: ServiceId,
    /// The customer's address: email, else telephone number.
    pub caller: String,
    /// The customer's name.
    pub caller_name: Option<String>,
    /// Where it was written: the page, the account or the mailbox.
    pub address: String,
    /// What else is known of the customer, by name.
    pub noted: BTreeMap<String, String>,
    /// Since when it waits, in this queue or in those before it.
    pub waits_since: Timestamp,
    /// How often it was led on from a queue.
    pub led_on: u8,
    /// When an agent first took it.
    pub answered_at: Option<Timestamp>,
    /// Who has it.
    pub stage: Stage,
    /// The number of the last message.
    pub last_message: u32,
    /// When it was written.
    pub wrote_at: Timestamp,
    /// Since when the customer has had no answer.
    pub unanswered_since: Option<Timestamp>,
    /// The customer wrote after the end of an email: it goes on once its after-call work is done.
    pub goes_on: bool,
    /// How the agent coded it.
    pub disposition: Option<DispositionId>,
    /// The agent's remark.
    pub comment: String,
}

/// What a written contact is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Waits, or is offered.
    Waiting,
    /// In the personal queue of an agent: theirs, and not in hand (MAIL-17). The floor does not know of it.
    Personal(Kept),
    /// An agent took it.
    Work {
        /// Who.
        agent: UserId,
        /// Whether it goes on or has ended.
        phase: Phase,
        /// Since when.
        since: Timestamp,
        /// When after-call work ends by itself.
        until: Option<Timestamp>,
    },
}

/// How an email lies in a personal queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Whose queue.
    pub agent: UserId,
    /// Since when.
    pub since: Timestamp,
    /// How it came there.
    pub why: Assignment,
    /// Who put it there, when that was somebody else.
    pub by: Option<UserId>,
}

impl Written {
    /// As its record has it.
    fn of(record: &ServiceRecord, service: ServiceId, stage: Stage) -> Self {
        Self {
            channel: record.channel,
            service,
            caller: record.caller.clone(),
            caller_name: record.caller_name.clone(),
            address: record.contact.clone(),
            noted: record.noted.clone(),
            waits_since: record.queued_at.unwrap_or(record.arrived_at),
            led_on: 0,
            answered_at: record.answered_at,
            stage,
            last_message: record.last_message,
            wrote_at: record.last_message_at.unwrap_or(record.arrived_at),
            unanswered_since: record.unanswered_since,
            goes_on: false,
            disposition: record.disposition,
            comment: record.comment.clone(),
        }
    }

    /// Who works on it.
    pub fn agent(&self) -> Option<UserId> {
        match self.stage {
            Stage::Work { agent, .. } => Some(agent),
            Stage::Waiting | Stage::Personal(_) => None,
        }
    }
    /// In whose personal queue it lies.
    pub fn kept(&self) -> Option<Kept> {
        if let Stage::Personal(kept) = self.stage { Some(kept) } else { None }
    }
    /// Whether both sides can still write.
    pub fn up(&self) -> bool {
        !matches!(self.stage, Stage::Work { phase: Phase::WrapUp, .. })
    }
    /// Characters that one message may have.
    fn text_max(&self) -> usize {
        text_max(self.channel)
    }
}

fn text_max(channel: Channel) -> usize {
    if channel == Channel::Email { EMAIL_TEXT_MAX } else { CHAT_TEXT_MAX }
}

/// Text from outside as it is kept: line breaks and tabs stay, other control characters go, and so does space around it.
fn cleaned(text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let kept = kept.trim();
    if kept.is_empty() || kept.chars().count() > most {
        return Err(Refusal::field("/text", format!("1 to {most} characters")));
    }
    Ok(kept.to_owned())
}

impl Core {
    /// What the last run left: their records, of those that the floor still has.
    pub(crate) fn go_on_with_written(&mut self, records: Vec<ServiceRecord>) {
        for record in records {
            if let (Some(kept), Some(service)) = (record.assigned, record.service) {
                let stage =
                    Stage::Personal(Kept { agent: kept.agent, since: kept.at, why: kept.why, by: kept.by });
                self.enter_written(record.interaction, Written::of(&record, service, stage));
                continue;
            }
            let Some(seen) = self.floor.interaction(record.interaction) else { continue };
            let Some(service) = seen.service.or(record.service) else { continue };
            let stage = match seen.stage {
                router::Stage::Active { agent } => {
                    let since = record.answered_at.unwrap_or(record.arrived_at);
                    Stage::Work { agent, phase: Phase::Talking, since, until: None }
                }
                _ => Stage::Waiting,
            };
            let written = Written::of(&record, service, stage);
            // Whoever asked for help still needs it (HELP-01).
            let open = |help: &&RecordedHelp| help.to.is_none() && written.agent() == Some(help.agent);
            if let Some(help) = record.help.iter().find(open) {
                self.help.insert((record.interaction, help.agent), help.from);
            }
            self.enter_written(record.interaction, written);
        }
    }

    /// Whether the agent has a written contact in hand that has not ended.
    pub(crate) fn has_open_written(&self, agent: UserId) -> bool {
        self.written_in_hand(agent).any(|(_, written)| written.up())
    }

    /// Adds a message, shows it to its agent, and tells the number it got.
    fn add_message(
        &mut self,
        interaction: InteractionId,
        by: Author,
        text: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> u32 {
        let Some(written) = self.written.get_mut(&interaction) else { return 0 };
        written.last_message += 1;
        written.wrote_at = now;
        match by {
            Author::Customer => drop(written.unanswered_since.get_or_insert(now)),
            Author::Agent { .. } => written.unanswered_since = None,
            Author::System | Author::Note { .. } => {}
        }
        let (number, agent) = (written.last_message, written.agent());
        if let Some(agent) = agent {
            let message = Message { number, at: now.millis(), by, text: text.clone() };
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Message { interaction, message })));
        }
        out.push(Effect::Wrote { interaction, number, by, text });
        self.show_work(interaction, out);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_kept_as_text_and_within_bounds() {
        assert_eq!(cleaned(" a\r\nb\u{0}\u{7}\tc ", 10).unwrap(), "a\nb\tc");
        assert_eq!(cleaned("<b>ж</b>", 8).unwrap(), "<b>ж</b>", "characters are counted, not octets");
        assert!(cleaned("123456789", 8).is_err());
        assert!(cleaned(" \n\u{1} ", 8).is_err());
    }
}
