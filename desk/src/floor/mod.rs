//! The floor service of a tenant: [`core`] decides, [`service`] does.

pub mod call;
pub mod callback;
mod carry_out;
pub mod commands;
pub mod core;
pub mod facts;
pub(crate) mod figures;
mod follow;
mod help;
mod incoming;
mod internal;
mod outbound;
mod overflow;
mod passing_on;
mod pause;
mod presence;
pub mod recovery;
pub(crate) mod regulars;
pub(crate) mod request;
mod self_service;
pub(crate) mod service;
mod status;
mod timed;
pub mod views;
mod waiting;
mod watch;
pub mod written;
