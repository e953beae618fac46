//! The floor service of a tenant: [`core`] decides, [`service`] does.

pub mod call;
pub mod callback;
mod carry_out;
pub mod commands;
mod conference;
mod consult;
pub mod core;
mod diversion;
mod during_call;
pub mod facts;
pub(crate) mod figures;
mod follow;
mod help;
mod incoming;
mod internal;
pub mod message;
mod outbound;
mod overflow;
mod passing_on;
mod pause;
mod presence;
pub mod recovery;
mod referral;
pub(crate) mod regulars;
pub(crate) mod request;
mod self_service;
pub(crate) mod service;
mod status;
mod supervision;
mod timed;
mod transfer;
pub mod views;
mod waiting;
mod watch;
pub mod written;

pub(crate) use self::diversion::Way;
