//! What administrators set up: how it is checked, stored, and given to floor and signalling.

pub mod blocks;
mod callback;
mod diversion;
pub mod dry_run;
mod flows;
mod leading;
mod service;
mod snapshot;
mod tenant;
pub mod time_limits;
mod validate;
mod voicemail;

pub use self::leading::{Circle, Stop, StopKind};
pub use self::service::{Configured, NewSecret};
pub use self::snapshot::{Configuration, FlowInUse, WrongFlow, meets};
pub use self::validate::Checked;
pub use store::Item;
