//! Three network namespaces in a row, made for a test and removed with it: `left` and `right` are far ends, `middle` is ours.
//!
//! ```text
//! left 10.77.1.2, fd77:1::2 ── veth ── middle .1 .1 ── veth ── 10.77.2.2, fd77:2::2 right
//! ```
//! Needs root. Where that cannot be had, `PATCHBAY_TESTS_WITHOUT_PRIVILEGE=1` says so, and these tests say that they were left out.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Middle,
    Right,
}

/// The middle's interfaces.
pub const MIDDLE: [&str; 2] = ["to-left", "to-right"];

/// Octets of a packet by the middle's right interface.
pub const RIGHT_MTU: u32 = 1_400;

pub struct Net {
    name: String,
}

/// The namespaces, or `None` if this machine is said to give no privilege.
pub fn net() -> Option<Net> {
    if std::env::var_os("PATCHBAY_TESTS_WITHOUT_PRIVILEGE").is_some_and(|it| it == "1") {
        eprintln!("left out: PATCHBAY_TESTS_WITHOUT_PRIVILEGE=1, so there are no network namespaces");
        return None;
    }
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("pb{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let net = Net { name };
    for side in [Side::Left, Side::Middle, Side::Right] {
        ip(&["netns", "add", &net.namespace(side)]);
        ip(&["-n", &net.namespace(side), "link", "set", "lo", "up"]);
    }
    let middle = net.namespace(Side::Middle);
    for (side, ours, n) in [(Side::Left, MIDDLE[0], 1), (Side::Right, MIDDLE[1], 2)] {
        let far = net.namespace(side);
        ip(&["-n", &middle, "link", "add", ours, "type", "veth", "peer", "name", "out", "netns", &far]);
        for (namespace, link, host) in [(&middle, ours, 1), (&far, "out", 2)] {
            ip(&["-n", namespace, "addr", "add", &format!("10.77.{n}.{host}/24"), "dev", link]);
            ip(&["-n", namespace, "addr", "add", &format!("fd77:{n}::{host}/64"), "dev", link, "nodad"]);
            ip(&["-n", namespace, "link", "set", link, "up"]);
        }
        // Less than what comes in may have.
        // A veth takes redirected packets only if its other end reads by NAPI; GRO makes it.
        run("ip", &["netns", "exec", &far, "ethtool", "-K", "out", "gro", "on"]);
        for six in [false, true] {
            let of = |host| if six { format!("fd77:{n}::{host}") } else { format!("10.77.{n}.{host}") };
            for (namespace, link, host) in [(&middle, ours, 2), (&far, "out", 1)] {
                let mac_of = if host == 2 { (&far, "out") } else { (&middle, ours) };
                let mac = mac(mac_of.0, mac_of.1);
                ip(&["-n", namespace, "neigh", "replace", &of(host), "lladdr", &mac, "dev", link]);
            }
        }
    }
    ip(&["-n", &middle, "link", "set", MIDDLE[1], "mtu", &RIGHT_MTU.to_string()]);
    Some(net)
}

fn mac(namespace: &str, link: &str) -> String {
    let out = run("ip", &["-n", namespace, "-o", "link", "show", link]);
    out.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

fn ip(args: &[&str]) {
    run("ip", args);
}

fn run(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().unwrap_or_else(|why| panic!("{program}: {why}"));
    assert!(
        out.status.success(),
        "{program} {args:?}: {}\nThese tests need root and network namespaces; PATCHBAY_TESTS_WITHOUT_PRIVILEGE=1 leaves them out.",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}

impl Net {
    pub fn namespace(&self, side: Side) -> String {
        format!("{}-{side:?}", self.name).to_lowercase()
    }

    /// Runs `what` on a thread within the namespace.
    pub fn within<R: Send>(&self, side: Side, what: impl FnOnce() -> R + Send) -> R {
        let path = format!("/run/netns/{}", self.namespace(side));
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                let namespace = std::fs::File::open(path).unwrap();
                let network = Some(rustix::thread::LinkNameSpaceType::Network);
                rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), network)
                    .expect("setns");
                what()
            });
            match inside.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// The address of a side as its neighbour sees it; `right`: on the middle's right link.
    pub fn address(&self, side: Side, right: bool, six: bool) -> IpAddr {
        let n = if right { 2 } else { 1 };
        let host = if side == Side::Middle { 1 } else { 2 };
        let text = if six { format!("fd77:{n}::{host}") } else { format!("10.77.{n}.{host}") };
        text.parse().unwrap()
    }

    /// A UDP socket with a receive queue that no test fills.
    pub fn socket(&self, side: Side, at: SocketAddr) -> std::net::UdpSocket {
        self.within(side, || {
            let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP)).unwrap();
            socket.bind(&at.into()).unwrap();
            // As far as the system lets us.
            socket.set_recv_buffer_size(8 << 20).ok();
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            socket.into()
        })
    }

    /// Everything that the side's link carries, in whole frames.
    pub fn frames(&self, side: Side) -> Socket {
        self.within(side, || {
            // ETH_P_ALL, in network order.
            let all = Protocol::from(i32::from(3_u16.to_be()));
            let socket = Socket::new(Domain::PACKET, Type::RAW, Some(all)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            socket
        })
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for side in [Side::Left, Side::Middle, Side::Right] {
            Command::new("ip").args(["netns", "del", &self.namespace(side)]).status().ok();
        }
    }
}

/// An RTP packet with so many octets of payload, numbered throughout.
pub fn rtp(kind: u8, seq: u16, time: u32, ssrc: u32, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, kind];
    packet.extend(seq.to_be_bytes());
    packet.extend(time.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..payload).map(|n| (n as u8).wrapping_mul(31).wrapping_add(seq as u8)));
    packet
}
