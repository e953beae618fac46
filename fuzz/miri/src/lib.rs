//! The media driver's buffers with their own tests, where Miri can run them.
#![allow(dead_code, reason = "the driver uses the rest")]

#[path = "../../../media/src/driver/buffers.rs"]
mod buffers;
