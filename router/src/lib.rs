//! The floor: skills, queues, agents and offers as one pure state machine.
#![forbid(unsafe_code)]

mod agent;
mod apply;
mod audit;
mod bits;
mod board;
mod classes;
mod condition;
mod config;
mod configure;
mod due;
mod explain;
mod floor;
mod io;
mod item;
mod offers;
mod people;
mod profiles;
mod pump;
mod replay;
mod slab;
mod timers;
mod views;
mod work;

pub use agent::{Intent, Tally};
pub use classes::Place;
pub use config::*;
pub use explain::{EXPLAINED_AGENTS_MAX, Explanation, Verdict};
pub use floor::Floor;
pub use io::{Arrival, Input, Output, Refusal};
pub use views::{AgentView, InteractionView, QueueView, Snapshot, Stage};
