//! A network of the test's own: a namespace behind a veth pair, for peers that refuse the loopback. Gone with the test.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Networks of two hosts that are tried: all of 10.254.0.0/16.
const NETWORKS: u32 = 1 << 14;

/// A namespace with one interface. Dropping it takes it down, so drop what runs in it before.
#[derive(Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Our end of the pair, as an interface.
    pub link: String,
    /// Our address.
    pub here: Ipv4Addr,
    /// The address inside.
    pub there: Ipv4Addr,
    /// Our address in IPv6.
    pub here6: Ipv6Addr,
    /// The address inside in IPv6.
    pub there6: Ipv6Addr,
}

impl Namespace {
    /// Makes one whose names and addresses nobody else has.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let (here, there) = (0..NETWORKS)
            .map(|n| (pid.wrapping_mul(7).wrapping_add(count).wrapping_add(n)) % NETWORKS)
            .map(|n| u32::from(Ipv4Addr::new(10, 254, 0, 0)) + 4 * n)
            .map(|base| (Ipv4Addr::from(base + 1), Ipv4Addr::from(base + 2)))
            .find(|(here, _)| {
                ip(&["-4", "-o", "address", "show", "to", &here.to_string()]).is_ok_and(|out| out.is_empty())
            })
            .expect("one of many networks is free");
        let name = format!("pb{pid}-{count}");
        // Names of interfaces have 15 characters at most; a process id has seven.
        let (link, inner) = (format!("pv{pid}o{count}"), format!("pv{pid}i{count}"));
        run(&["netns", "add", &name]);
        // From here on a panic takes down what is up already.
        let six = |of: Ipv4Addr| {
            let [_, _, high, low] = of.octets();
            Ipv6Addr::new(0xFD25, 0x4B, 0, u16::from_be_bytes([high, low & !3]), 0, 0, 0, u16::from(low & 3))
        };
        let namespace = Self { name, link, here6: six(here), there6: six(there), here, there };
        let (name, link) = (&namespace.name, &namespace.link);
        run(&["link", "add", "dev", link, "type", "veth", "peer", "name", &inner, "netns", name]);
        run(&["address", "add", &format!("{here}/30"), "dev", link]);
        run(&["address", "add", &format!("{}/64", namespace.here6), "dev", link, "nodad"]);
        run(&["link", "set", "dev", link, "up"]);
        run(&["-n", name, "address", "add", &format!("{there}/30"), "dev", &inner]);
        run(&["-n", name, "address", "add", &format!("{}/64", namespace.there6), "dev", &inner, "nodad"]);
        run(&["-n", name, "link", "set", "dev", "lo", "up"]);
        run(&["-n", name, "link", "set", "dev", &inner, "up"]);
        // Nobody fills in checksums that are left to a card which is not there.
        let mut ethtool = Command::new("ethtool");
        ethtool.args(["-K", link, "tx", "off"]);
        finish(&mut ethtool, "ethtool");
        let mut ethtool = namespace.command("ethtool");
        ethtool.args(["-K", &inner, "tx", "off"]);
        finish(&mut ethtool, "ethtool");
        namespace
    }

    /// A UDP socket inside. It stays there, whoever uses it.
    pub fn socket(&self, addr: SocketAddr) -> UdpSocket {
        let file = format!("/run/netns/{}", self.name);
        let bind = move || {
            let inside = File::open(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
            // SAFETY: no pointers. Only this thread changes its network, and it ends right after.
            let moved = unsafe { libc::setns(inside.as_raw_fd(), libc::CLONE_NEWNET) };
            assert_eq!(moved, 0, "{file}: {}", std::io::Error::last_os_error());
            UdpSocket::bind(addr).unwrap_or_else(|e| panic!("{addr} in {file}: {e}"))
        };
        std::thread::spawn(bind).join().expect("the thread that went inside")
    }

    /// A command that runs inside. Its process id is the program's own: `ip` turns into it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The pair first: a namespace lives on as long as something runs in it. It may not be there yet.
        let _ = ip(&["link", "delete", "dev", &self.link]);
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

fn run(arguments: &[&str]) {
    if let Err(why) = ip(arguments) {
        panic!("{why}");
    }
}

/// What `ip` printed, or why it failed.
fn ip(arguments: &[&str]) -> Result<String, String> {
    let out = Command::new("ip")
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("ip cannot be started ({e}); it is in the Debian package iproute2"));
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&out.stderr).into_owned();
    Err(format!("ip {}: {why} (network namespaces need root)", arguments.join(" ")))
}

fn finish(command: &mut Command, package: &str) {
    let out = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; it is in the Debian package {package}"));
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?} (Debian package {package}): {why}");
}
