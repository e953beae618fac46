//! Calls that go out over trunks: real SIP carriers take them, refuse them, and are heard.

mod agent_dials;
mod callback;
mod mobile;
mod outage;
mod registering;
mod signing_in;
