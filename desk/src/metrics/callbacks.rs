//! Figures of customers who are called back (CB-01, CB-02).

use std::collections::HashMap;

use model::id::{InteractionId, ServiceId};
use model::interaction::{Channel, EndStatus};
use model::journal::Event;
use prometheus::{IntCounterVec, Registry};

use super::register::counters;

/// See the module.
pub(super) struct Callbacks {
    total: IntCounterVec,
}

/// Customers who are to be called back, and by whose agents.
#[derive(Default)]
pub(super) struct Open(HashMap<InteractionId, ServiceId>);

impl Open {
    /// Whether its customer is to be called back.
    pub fn has(&self, interaction: InteractionId) -> bool {
        self.0.contains_key(&interaction)
    }
}

impl Callbacks {
    pub fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let total = counters(
            r,
            "patchbay_callbacks_total",
            "Callers who asked to be called back, and what became of them.",
            &["queue", "result"],
        )?;
        Ok(Self { total })
    }

    /// What an event says of a callback: whose it is, and what to count.
    pub fn observe(&self, open: &mut Open, event: &Event) -> Option<(ServiceId, &'static str)> {
        match event {
            Event::CallbackAsked { interaction, service, .. } => {
                open.0.insert(*interaction, *service);
                Some((*service, "asked"))
            }
            // Those of the last run come to the floor again.
            Event::Queued { interaction, service, channel: Channel::Callback, .. } => {
                open.0.insert(*interaction, *service);
                None
            }
            Event::Bridged { interaction, .. } => Some((open.0.remove(interaction)?, "answered")),
            Event::Ended { interaction, status, .. } => {
                let result = match status {
                    EndStatus::Cancelled => "cancelled",
                    EndStatus::CalledIn => "called_in",
                    _ => "failed",
                };
                Some((open.0.remove(interaction)?, result))
            }
            _ => None,
        }
    }

    pub fn count(&self, queue: &str, result: &str) {
        self.total.with_label_values(&[queue, result]).inc();
    }
}
