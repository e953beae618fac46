//! The media plane: everything that touches an RTP packet.
#![deny(unsafe_code)]

pub mod codec;
pub mod control;
pub mod driver;
pub mod dtmf;
pub mod ice;
pub mod jitter;
pub mod leg;
pub mod mix;
pub mod plane;
pub mod prompt;
pub mod quality;
pub mod record;
mod room;
pub mod rtp;
pub mod srtp;
