//! SIP endpoint, SDP, trunks, registrar and the call machine.
#![forbid(unsafe_code)]

pub mod check;
pub mod digest;
pub mod registrar;
pub mod sdp;
pub mod service;
pub mod trunk;
pub mod call;
pub mod endpoint;
pub mod phones;
mod switchboard;

pub use endpoint::counters::Counters;
