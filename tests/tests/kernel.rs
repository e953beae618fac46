//! `patchbay media` and the kernel it runs on: with the fast path on a wire of the test's own, and where io_uring is refused.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scenarios::appliance::binary;
use scenarios::call::{Phone, call};
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
    let phones = call(&node, "k", [0, 1].map(socket));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let talk = scope.spawn(|| talk(phones, &over));
        let seen = std::panic::catch_unwind(AssertUnwindSafe(|| carried_and_back(&node)));
        over.store(true, Ordering::Relaxed);
        talk.join().expect("each packet comes once and in order, whichever way it went");
        seen.unwrap_or_else(|why| std::panic::resume_unwind(why));
    });
}

/// Both say something every 20 ms and hear the other say it, until it is over.
#[expect(clippy::disallowed_methods, reason = "phones speak in real time")]
fn talk(mut phones: [Phone; 2], over: &AtomicBool) {
    let mut said = 0_u8;
    let mut next = Instant::now();
    while !over.load(Ordering::Relaxed) {
        for (from, to) in [(0, 1), (1, 0)] {
            phones[from].says();
            assert_eq!(phones[to].hears(), said);
        }
        said = said.wrapping_add(1);
        next += Duration::from_millis(20);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn carried_and_back(node: &Node) {
    let shown = || legs(node)["items"].as_array().expect("legs").clone();
    let all = |what: &dyn Fn(&Value) -> bool| {
        let legs = shown();
        (legs.len() == 2 && legs.iter().all(what)).then_some(legs)
    };
    let by_kernel = || node.metrics().sum("patchbay_rtp_forwarded_total", &["way=\"kernel\""]);
    let packets = |leg: &Value, way: &str| leg[way]["packets"].as_u64().expect("a count");
    // By default a stream must have been plain for five seconds.
    let then = eventually("both are carried by the kernel", Duration::from_secs(60), || {
        all(&|leg| leg["carried"] == "kernel")
    });
    let before = by_kernel();
    eventually("figures go on", Duration::from_secs(60), || {
        let now = shown();
        let risen = now.iter().zip(&then).all(|(now, then)| {
            ["received", "sent"].iter().all(|way| packets(now, way) >= packets(then, way) + 50)
        });
        (risen && by_kernel() >= before + 100.0).then_some(())
    });
    let top = Command::new(binary())
        .args(["media", "top", "--once", "--json", "--node"])
        .arg(format!("127.0.0.1:{}", node.watch))
        .output()
        .expect("it runs");
    let top: Value = serde_json::from_slice(&top.stdout).expect("JSON");
    let carriers: Vec<_> = top["items"].as_array().expect("legs").iter().map(|leg| &leg["carried"]).collect();
    assert_eq!(carriers, ["kernel", "kernel"], "{top}");
    assert_eq!(node.metrics().sum("patchbay_fast_path_flows", &[]), 2.0);
    for leg in shown() {
        assert_eq!(leg["received"]["lost"], 0, "{leg}");
        assert!(leg["mos"].is_number(), "{leg}");
    }
    // Whoever records needs the packets here.
    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    proxy.send_to(b"record d7:call-id1:k7:command15:start recordinge", ("127.0.0.1", node.ng)).expect("sent");
    let mut answer = [0; 2_000];
    let len = proxy.recv(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..len]).into_owned();
    assert!(answer.contains("6:result2:ok"), "{answer}");
    eventually("both are recorded, in user space", Duration::from_secs(30), || {
        all(&|leg| leg["carried"] == "user" && leg["recorded"] == true)
    });
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
