//! SIP endpoint, SDP, trunks, registrar and the call machine.
#![forbid(unsafe_code)]

pub mod service;
