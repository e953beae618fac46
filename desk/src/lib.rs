//! What people work on: sign-in, agent sessions, offers, wrap-up, service records.
//!
//! [`Desk::start`] ends what the last run left open and gives a [`DeskHandle`], which is all that the API needs. Behind
//! it one task owns the tenant's floor ([`floor`]): commands of console pages and facts of signalling go in, journal
//! events, orders to signalling and console events come out, the journal always first.
//!
//! Not here: who is chosen for a call (`router`), SIP and media (`signaling`, `media`), HTTP (`control-api`), SQL
//! (`store`). Calls are reached by [`CallOrder`](model::call::CallOrder) and [`CallFact`](model::call::CallFact) alone.
#![forbid(unsafe_code)]

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod clock;
pub mod colleagues;
pub mod configuration;
pub mod console;
mod contacts;
mod diversions;
mod erasing;
mod events;
pub mod floor;
pub mod greetings;
mod hours;
pub mod idempotency;
pub mod lookups;
pub mod metrics;
pub mod past;
pub mod preferences;
mod recorded_flows;
pub mod recording;
mod recording_rows;
pub mod records;
pub mod refusal;
pub mod reports;
mod start;
pub mod systems;
#[cfg(feature = "testing")]
pub mod testing;
pub mod traces;
mod trouble;
pub mod trunks;
pub mod voicemails;

/// Lists in pages, and rows with versions.
pub mod page {
    pub use store::page::{Cursor, Page, Version, Versioned};
}

/// Flows as they are drawn, looked over and tried out.
pub use flow;

pub use clock::{Clock, Entropy, ManualClock, Sources};
pub use events::JournalReader;
pub use refusal::Refusal;
pub use start::{Desk, DeskConfig, DeskHandle, Parts, SoundNames, StartError};
