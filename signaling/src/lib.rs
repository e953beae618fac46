//! SIP endpoint, SDP, trunks, registrar and the call machine.
#![forbid(unsafe_code)]

pub mod digest;
pub mod registrar;
pub mod sdp;
pub mod service;
