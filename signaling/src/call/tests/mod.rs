//! The rules of a call, told in the trade's words.

use std::time::Duration;

mod arriving;
mod aside;
mod dialling;
mod ending;
mod far_end;
mod joining;
mod message;
mod outside;
mod referral;
mod release;
mod ringing;
mod talking;
mod watching;

const SECOND: Duration = Duration::from_secs(1);
