//! `patchbay media` and the kernel it runs on: where io_uring is refused.

use std::net::{Ipv4Addr, UdpSocket};

use scenarios::call::call;
use scenarios::node::Node;
use scenarios::sandbox::without_io_uring;
use serde_json::Value;

fn legs(node: &Node) -> Value {
    let (status, body) = node.page("/legs");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

/// MEDIA-03: where io_uring is refused, as containers do, the node says so, moves packets by recvmmsg and sendmmsg, and relays
/// calls as ever.
#[test]
fn where_io_uring_is_refused_calls_are_relayed_all_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let start =
        |name: &str, driver: &str| Node::start_at(dir.path(), name, 20, "", Ipv4Addr::LOCALHOST, driver);
    let allowed = start("allowed", "driver = \"uring\"");
    assert_eq!(legs(&allowed)["totals"]["threads"][0]["driver"], "io_uring", "this machine has it");
    let node = without_io_uring(|| start("refused", ""));
    let log = node.running.output();
    assert!(
        log.contains("io_uring is refused here: packets go by recvmmsg and sendmmsg")
            && log.contains("Operation not permitted"),
        "{log}"
    );
    assert_eq!(legs(&node)["totals"]["threads"][0]["driver"], "mmsg");
    let socket = |_| UdpSocket::bind("127.0.0.1:0").expect("a port");
    let [mut anna, mut ben] = call(&node, "r", [0, 1].map(socket));
    for said in 0..100 {
        anna.says();
        assert_eq!(ben.hears(), said);
        ben.says();
        assert_eq!(anna.hears(), said);
    }
}
