//! Customers who come again, and who served them last (C16): the newest few ten thousand, in memory. What was before this run
//! is read from the records after the start.

use std::collections::HashMap;
use std::time::Duration;

use model::id::{InteractionId, TenantId, UserId};
use model::interaction::{Direction, ServiceRecord};
use model::time::Timestamp;
use router::Arrival;
use store::Store;
use store::records::RecordFilter;
use tokio::sync::mpsc;

use super::core::Core;
use super::request::Request;
use crate::lookups::phone_key;

/// Customers of one generation. Of the generation before, all are known as well; older ones are forgotten.
const GENERATION: usize = 25_000;
/// Records read after a start.
const READ_MAX: usize = GENERATION;
/// At once.
const PAGE: u32 = store::page::LIMIT_MAX;

/// Who served whom last.
#[derive(Debug, Default)]
pub(crate) struct Regulars {
    newer: HashMap<String, (UserId, Timestamp)>,
    older: HashMap<String, (UserId, Timestamp)>,
}

impl Regulars {
    /// An agent served a customer. Nobody is remembered by a number that is withheld.
    pub fn remember(&mut self, customer: &str, agent: UserId, at: Timestamp) {
        let Some(key) = key(customer) else { return };
        if self.of(&key).is_some_and(|(_, known)| at < known) {
            return;
        }
        if self.newer.len() >= GENERATION && !self.newer.contains_key(&key) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, (agent, at));
    }

    /// Who served the customer last, and when.
    pub fn agent_of(&self, customer: &str) -> Option<(UserId, Timestamp)> {
        self.of(&key(customer)?)
    }

    fn of(&self, key: &str) -> Option<(UserId, Timestamp)> {
        self.newer.get(key).or_else(|| self.older.get(key)).copied()
    }

    /// What a record says of it.
    pub fn read(&mut self, record: &ServiceRecord) {
        let customer = match record.direction {
            Direction::Inbound => &record.caller,
            Direction::Outbound => &record.contact,
            Direction::Internal => return,
        };
        if let Some((agent, at)) = record.agent.zip(record.answered_at) {
            self.remember(customer, agent, at);
        }
    }
}

/// Telephone numbers however they are written; addresses as they are but for upper and lower case.
fn key(customer: &str) -> Option<String> {
    let customer = customer.trim();
    (!customer.is_empty()).then(|| phone_key(customer).unwrap_or_else(|| customer.to_lowercase()))
}

impl Core {
    /// Whether a service wants agents remembered.
    pub(crate) fn wants_regulars(&self) -> bool {
        self.config.services.values().any(|service| service.queue.regulars.is_some())
    }

    /// An agent has a customer: remembered for the next time.
    pub(super) fn now_served(&mut self, interaction: InteractionId, agent: UserId, now: Timestamp) {
        let customer = match (self.calls.get(&interaction), self.written.get(&interaction)) {
            (Some(call), _) if call.inside().is_some() => return,
            (Some(call), _) if call.outside().is_some() => &call.contact,
            (Some(call), _) => &call.caller,
            (None, Some(written)) => &written.caller,
            (None, None) => return,
        };
        self.regulars.remember(customer, agent, now);
    }

    /// Holds a contact for the agent who served the customer last, where the service wants that and the agent is at work.
    pub(super) fn as_regular(&self, mut arrival: Arrival, now: Timestamp) -> Arrival {
        let service = self.config.services.get(&arrival.service);
        let Some(rules) = service.and_then(|service| service.queue.regulars) else { return arrival };
        let customer = match (self.calls.get(&arrival.interaction), self.written.get(&arrival.interaction)) {
            (Some(call), _) => &call.caller,
            (None, Some(written)) => &written.caller,
            (None, None) => return arrival,
        };
        let within = Duration::from_secs(u64::from(rules.within_days) * 86_400);
        let known = self.regulars.agent_of(customer).filter(|(_, at)| now.since(*at) <= within);
        if let Some((agent, _)) = known.filter(|(agent, _)| self.is_at_work(*agent)) {
            arrival.preferred = vec![agent];
            arrival.preferred_hold = Duration::from_secs(rules.hold_s.into());
            arrival.ahead = Duration::from_secs(rules.ahead_s.into());
        }
        arrival
    }

    /// Whether somebody may soon be free: Ready, or with work.
    fn is_at_work(&self, agent: UserId) -> bool {
        use model::agent::AgentState::{NotReady, Offline};
        self.floor.state(agent).is_some_and(|(state, _)| !matches!(state, NotReady { .. } | Offline))
    }
}

/// Reads the newest records, page by page, and tells them to the floor's task.
pub(crate) async fn read(store: Store, tenant: TenantId, mailbox: mpsc::WeakSender<Request>) {
    let (mut after, mut left) = (None, READ_MAX);
    while left > 0 {
        let page = match store.records().records(tenant, &RecordFilter::default(), after.as_ref(), PAGE).await
        {
            Ok(page) => page,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                return tracing::warn!(error, "who served customers before this run is not known");
            }
        };
        left = left.saturating_sub(page.items.len());
        let Some(mailbox) = mailbox.upgrade() else { return };
        if page.items.is_empty() || mailbox.send(Request::Remember(page.items)).await.is_err() {
            return;
        }
        after = page.next;
        if after.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;

    #[test]
    fn the_newest_are_remembered_and_the_oldest_forgotten() {
        let (ana, jonas) = (UserId::from_number(1), UserId::from_number(2));
        let at = Timestamp::from_millis;
        let mut regulars = Regulars::default();
        regulars.remember("+49 30 1234", ana, at(10));
        regulars.remember("0049 (30) 1234", jonas, at(9));
        assert_eq!(regulars.agent_of("+49301234"), Some((ana, at(10))), "an older record says nothing new");
        regulars.remember("Ann@Customer.example", jonas, at(11));
        assert_eq!(regulars.agent_of("ann@customer.example"), Some((jonas, at(11))));
        regulars.remember(" ", ana, at(12));
        assert_eq!(regulars.agent_of(""), None, "whoever withholds the number is nobody");
        for n in 0..2 * GENERATION as u64 {
            regulars.remember(&format!("+1555{n:07}"), ana, at(20 + n));
        }
        assert_eq!(regulars.agent_of("+49301234"), None);
        assert!(regulars.newer.len() + regulars.older.len() <= 2 * GENERATION);
        assert!(regulars.agent_of("+15550049999").is_some());
    }
}
