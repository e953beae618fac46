//! Emails that had ended and go on, because the customer wrote again: in the personal queue of whoever handled them before
//! (MAIL-17), or else in the group queue.

use model::id::{InteractionId, UserId};
use model::interaction::{Channel, ServiceRecord};
use model::journal::Event;
use model::time::Timestamp;
use model::written::{Assignment, Author, MESSAGES_MAX};
use router::Arrival;

use super::super::core::{Core, Effect};
use super::{Kept, Stage, Written, Wrote, cleaned};
use crate::refusal::Refusal;

impl Core {
    /// The customer writes in an email that has ended; `record` is what remained of it.
    pub fn reopen(
        &mut self,
        record: &ServiceRecord,
        text: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Wrote, Refusal> {
        let interaction = record.interaction;
        // Somebody else was as fast.
        if self.written.contains_key(&interaction) {
            return self.customer_writes(interaction, text, now, out);
        }
        let service = record.service.filter(|service| self.config.services.contains_key(service));
        let Some(service) = service.filter(|_| record.channel == Channel::Email) else {
            return Err(Refusal::NotNow { why: "The contact has ended." });
        };
        if record.last_message >= MESSAGES_MAX {
            return Err(Refusal::NotNow { why: "The contact has as many messages as it may have." });
        }
        if !self.admitting || self.floor.is_full() {
            return Err(Refusal::Unavailable);
        }
        let written = Written::of(record, service, Stage::Waiting);
        let text = cleaned(text, written.text_max())?;
        out.push(Effect::Journal(Event::Reopened { interaction }));
        self.written.insert(interaction, written.clone());
        let number = self.add_message(interaction, Author::Customer, text, now, out);
        let written = self.written.remove(&interaction).unwrap_or(written);
        self.lie_anew(interaction, record.agent, written, now, out);
        Ok(Wrote { interaction, number, at: now.millis() })
    }

    /// Its after-call work is done, and the customer had written meanwhile.
    pub(super) fn go_on(
        &mut self,
        interaction: InteractionId,
        written: Written,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Journal(Event::Reopened { interaction }));
        self.lie_anew(interaction, written.agent(), written, now, out);
    }

    /// With whoever handled it, if that agent can still have it; else with the group.
    fn lie_anew(
        &mut self,
        interaction: InteractionId,
        agent: Option<UserId>,
        written: Written,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let (service, channel) = (written.service, written.channel);
        let written =
            Written { stage: Stage::Waiting, waits_since: now, led_on: 0, goes_on: false, ..written };
        self.enter_written(interaction, written);
        if let Some(agent) = agent.filter(|agent| self.takes_emails(*agent).is_ok()) {
            let kept = Kept { agent, since: now, why: Assignment::Answered, by: None };
            self.lies_with(interaction, kept, out);
            self.tell_assigned(interaction, out);
        } else {
            let arrival = Arrival::new(interaction, service, channel);
            self.seek_for_written(Arrival { returns: true, ..arrival }, now, out);
        }
    }
}
