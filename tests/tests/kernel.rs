//! `patchbay media` and the kernel it runs on: with the fast path on a wire of the test's own, and where io_uring is refused.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use scenarios::appliance::binary;
use scenarios::call::call;
use scenarios::eventually;
use scenarios::namespace::Namespace;
use scenarios::node::Node;
use scenarios::sandbox::without_io_uring;
use serde_json::Value;

fn legs(node: &Node) -> Value {
    let (status, body) = node.page("/legs");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

/// MEDIA-04: that the kernel carries a stream is seen in the view of legs, in `patchbay media top` and in metrics; figures go on
/// there, every packet arrives, and whoever records a call has it back in user space.
#[test]
fn a_leg_that_the_kernel_carries_is_shown_so_everywhere() {
    let dir = tempfile::tempdir().expect("a folder");
    let wire = Namespace::new();
    // A veth takes packets from the program only if its other end reads by NAPI, which GRO makes it do.
    let inner = wire.link.replace('o', "i");
    let gro = wire.command("ethtool").args(["-K", &inner, "gro", "on"]).output().expect("ethtool runs");
    assert!(gro.status.success(), "{}", String::from_utf8_lossy(&gro.stderr));
    let recordings = format!("[recording]\ndir = {:?}", dir.path());
    let node = Node::start_at(dir.path(), "node", 20, &recordings, wire.here, "fast_path = \"auto\"");
    let socket = |_| wire.socket(SocketAddr::new(wire.there.into(), 0));
    let [mut anna, mut ben] = call(&node, "k", [0, 1].map(socket));
    let carried = |shown: &Value| {
        let legs = shown["items"].as_array().expect("legs");
        legs.len() == 2 && legs.iter().all(|leg| leg["carried"] == "kernel")
    };
    let packets =
        |way: &str| node.metrics().sum("patchbay_rtp_forwarded_total", &[&format!("way=\"{way}\"")]);
    let mut said = 0_u8;
    let mut talk = || {
        for (from, to) in [(0, 1), (1, 0)] {
            let phones = [&mut anna, &mut ben];
            phones[from].says();
            assert_eq!(phones[to].hears(), said, "each comes once and in order, whichever way it went");
        }
        said = said.wrapping_add(1);
        std::thread::sleep(Duration::from_millis(15));
    };
    // By default a stream must have been plain for five seconds.
    eventually("both are carried by the kernel", Duration::from_secs(60), || {
        (0..25).for_each(|_| talk());
        carried(&legs(&node)).then_some(())
    });
    let (before, figures) = (packets("kernel"), legs(&node));
    eventually("figures go on", Duration::from_secs(60), || {
        (0..25).for_each(|_| talk());
        let now = legs(&node);
        let rises = |at: usize, way: &str| {
            now["items"][at][way]["packets"].as_u64()
                >= figures["items"][at][way]["packets"].as_u64().map(|it| it + 50)
        };
        let all = [0, 1].iter().all(|at| rises(*at, "received") && rises(*at, "sent"));
        (all && packets("kernel") >= before + 100.0).then_some(())
    });
    let top = Command::new(binary())
        .args(["media", "top", "--once", "--json", "--node"])
        .arg(format!("127.0.0.1:{}", node.watch))
        .output()
        .expect("it runs");
    let shown: Value = serde_json::from_slice(&top.stdout).expect("JSON");
    assert!(carried(&shown), "{shown}");
    assert_eq!(node.metrics().sum("patchbay_fast_path_flows", &[]), 2.0);
    for leg in legs(&node)["items"].as_array().expect("legs") {
        assert_eq!(leg["received"]["lost"], 0, "{leg}");
        assert!(leg["mos"].as_f64() > Some(3.0), "{leg}");
    }
    // Whoever records needs the packets here.
    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    proxy.send_to(b"1 d7:call-id1:k7:command15:start recordinge", ("127.0.0.1", node.ng)).expect("sent");
    let mut answer = [0; 2_000];
    let len = proxy.recv(&mut answer).expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..len]).contains("6:result2:ok"));
    for _ in 0..100 {
        talk();
    }
    let back = legs(&node);
    assert!(
        back["items"]
            .as_array()
            .expect("legs")
            .iter()
            .all(|leg| leg["carried"] == "user" && leg["recorded"] == true),
        "{back}"
    );
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
