//! A line that takes packets more slowly than they are sent: what waits in front of it must not be lost by us.
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use media::driver::{Driver, DriverChoice, DriverConfig, Load, SharedPort, Turn, Wake};
use scenarios::namespace::Namespace;

/// More than the 277 that fit into a socket's usual queue, fewer than the 554 that any system lets us ask for.
const BURST: usize = 400;
/// Octets of 20 ms of encrypted G.711.
const DATAGRAM: usize = 182;

/// A pair whose outer end sends 8 Mbit/s and keeps what comes faster for two seconds.
fn slow_pair() -> Namespace {
    let namespace = Namespace::new();
    let line = format!("qdisc replace dev {} root tbf rate 8mbit burst 10k latency 2s", namespace.link);
    let out = Command::new("tc").args(line.split(' ')).output().expect("tc (Debian package iproute2)");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    namespace
}

/// How many of a burst by the port that browsers share arrive, and how many were refused.
fn burst(choice: DriverChoice) -> (usize, u64) {
    let namespace = slow_pair();
    let far = namespace.socket(SocketAddr::new(IpAddr::V4(namespace.there), 0));
    far.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let to = far.local_addr().unwrap();
    let receiver = std::thread::spawn(move || {
        let mut octets = [0; DATAGRAM];
        std::iter::from_fn(|| far.recv(&mut octets).ok()).take(BURST).count()
    });
    let wake = Arc::new(Wake::new().unwrap());
    let (mut driver, _) = Driver::new(&DriverConfig { choice, ..DriverConfig::default() }, wake).unwrap();
    let (socket, _port) = SharedPort::bind(SocketAddr::new(IpAddr::V4(namespace.here), 0)).unwrap();
    let socket = driver.add(socket, 0, Load::Shared).unwrap();
    // The far end's hardware address is asked for once; what waits for the answer is not the line's.
    let send = |driver: &mut Driver, count: usize| {
        for _ in 0..count {
            let packet = driver.take().expect("a buffer");
            driver.send(packet, 0..DATAGRAM, socket, to);
        }
        driver.turn(Duration::ZERO, Duration::ZERO, &mut Turn::new()).unwrap();
    };
    send(&mut driver, 1);
    std::thread::sleep(Duration::from_millis(300));
    send(&mut driver, BURST - 1);
    let arrived = receiver.join().unwrap();
    driver.turn(Duration::ZERO, Duration::ZERO, &mut Turn::new()).unwrap();
    (arrived, driver.counters().send_errors)
}

#[test]
fn a_burst_to_browsers_waits_for_a_slow_line_and_none_of_it_is_lost() {
    for choice in [DriverChoice::Uring, DriverChoice::Mmsg] {
        assert_eq!(burst(choice), (BURST, 0), "{choice:?}: arrived, refused");
    }
}
