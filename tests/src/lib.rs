//! What scenarios share: starting the appliance and its peers, and stopping them by process id.
//!
//! Everything talks over 127.0.0.1 or network namespaces made here. A tool that is missing fails the test with the name of
//! its Debian package; nothing is skipped.

pub mod agent;
pub mod appliance;
pub mod http;
pub mod pcap;
pub mod process;
pub mod sipp;
pub mod tone;

use std::time::{Duration, Instant};

/// Asks again and again until the answer is there. Panics with `what` after `limit`.
#[expect(clippy::disallowed_methods, reason = "scenarios run in real time")]
pub fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: did not happen within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
