//! What scenarios share: starting the appliance and its peers, and stopping them by process id.
//!
//! Everything talks over 127.0.0.1 or network namespaces made here. A tool that is missing fails the test with the name of
//! its Debian package; nothing is skipped.

pub mod agent;
pub mod appliance;
pub mod baresip;
pub mod bcg729;
pub mod browser;
pub mod call;
pub mod carrier;
pub mod http;
pub mod kamailio;
pub mod metrics;
pub mod namespace;
pub mod node;
pub mod pcap;
pub mod place;
pub mod pressing;
pub mod process;
pub mod sandbox;
pub mod sip;
pub mod sipp;
pub mod softphone;
pub mod tone;
pub mod web;

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

/// As [`eventually`], for questions that are asked over the network. The limit is for the slowest of machines.
pub async fn until(what: &str, ask: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if ask().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: not within a minute")
}

/// Asks over REST until it is there: recordings are finished a moment after the call.
pub async fn eventually_ok(ask: impl AsyncFn() -> (reqwest::StatusCode, Vec<u8>)) -> Vec<u8> {
    let mut last = None;
    for _ in 0..300 {
        let (status, bytes) = ask().await;
        if status.is_success() {
            return bytes;
        }
        last = Some((status, String::from_utf8_lossy(&bytes).into_owned()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("still not there after a minute: {last:?}")
}

/// Milliseconds since 1970, to be compared with the appliance's.
#[expect(clippy::disallowed_methods, reason = "scenarios run in real time")]
pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("before the year 500 million")
}
