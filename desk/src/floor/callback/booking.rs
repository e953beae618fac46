//! Callbacks that a program books for a customer who has not called: at once, or for a time within the hours of the service.

use std::time::Duration;

use model::dialling::Dialled;
use model::id::{InteractionId, ServiceId};
use model::interaction::{Channel, Direction};
use model::journal::Event;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Callback, Step};
use crate::floor::call::{Aim, Call, Stage};
use crate::floor::core::{Core, Effect};
use crate::floor::incoming::cut;
use crate::refusal::Refusal;

/// Nobody books further ahead.
const AHEAD: Duration = Duration::from_secs(7 * 86_400);

/// A customer who wants to be called (CB-01).
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCallback {
    /// What is dialled.
    pub number: String,
    /// Whose agents call.
    #[schema(value_type = String)]
    pub service: ServiceId,
    /// The name, if it is known.
    #[serde(default)]
    pub name: String,
    /// Not before this time, in milliseconds since 1970: at most seven days ahead, and within the hours of the service. Without it
    /// as soon as it is its turn.
    #[serde(default)]
    pub at: Option<u64>,
}

impl Core {
    /// A customer is to be called who is not on the line. The place in the line is that of the time that was booked, or of now.
    pub fn book_callback(
        &mut self,
        interaction: InteractionId,
        wanted: NewCallback,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let NewCallback { number, service: id, name, at } = wanted;
        if !self.admitting {
            return Err(Refusal::Unavailable);
        }
        let Some(service) = self.config.services.get(&id) else {
            return Err(Refusal::field("/service", "no such service"));
        };
        if !service.queue.takes(Channel::Callback) {
            return Err(Refusal::field("/service", "this service takes no calls"));
        }
        let dialled = Dialled::parse(&number).filter(|dialled| dialled.after.is_empty());
        let number =
            dialled.ok_or(Refusal::field("/number", "this is no number that can be dialled"))?.number;
        self.may_dial(&number)?;
        let due = at.map(Timestamp::from_millis).filter(|due| *due > now);
        match due {
            Some(due) if due > now + AHEAD => {
                return Err(Refusal::field("/at", "at most seven days ahead"));
            }
            Some(due) if !self.config.is_open_at(service, due) => {
                return Err(Refusal::field("/at", "the service is closed at this time"));
            }
            None if !self.config.is_open(service) || service.queue.emergency => {
                return Err(Refusal::NotNow { why: "The service is closed." });
            }
            _ => {}
        }
        if self.to_call_back().any(|(_, call)| call.open_callback().is_some_and(|open| open.number == number))
        {
            return Err(Refusal::Conflict { why: "This number is to be called back already.".into() });
        }
        if self.open_callbacks(id) >= service.queue.callback.open_max as usize {
            return Err(Refusal::NotNow {
                why: "As many customers of the service as may be are to be called back.",
            });
        }
        let caller_name = Some(cut(name.trim())).filter(|name| !name.is_empty());
        let contact = self.config.caller_id(id).unwrap_or_default();
        let since = due.unwrap_or(now);
        out.push(Effect::Journal(Event::Arrived {
            interaction,
            channel: Channel::Voice,
            direction: Direction::Inbound,
            caller: number.clone(),
            caller_name: caller_name.clone(),
            contact: contact.clone(),
            trunk: None,
            service: Some(id),
            calling_agent: None,
        }));
        out.push(Effect::Journal(Event::CallbackAsked {
            interaction,
            service: id,
            number: number.clone(),
            since,
            requirement: None,
            priority: None,
        }));
        let mut call = Call::new(Aim::Service(id), number.clone(), caller_name, contact, now);
        (call.stage, call.waits_since) = (Stage::Aside, Some(since));
        call.callback = Some(Callback {
            number,
            asked_at: now,
            since,
            requirement: None,
            priority: None,
            attempts: 0,
            step: Step::Held { until: since },
        });
        self.calls.insert(interaction, call);
        self.called_back.insert(interaction);
        self.touch_queue(id);
        match due {
            Some(due) => self.hold_callback_until(interaction, due, out),
            None => self.queue_callback(interaction, now, out),
        }
        Ok(())
    }
}
