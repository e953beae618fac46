//! Child processes that end with the test, by their own process id.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::eventually;

/// A running child. Dropping it kills it.
pub struct Running {
    child: Child,
    /// Where its output goes.
    pub log: PathBuf,
    name: String,
}

impl Running {
    /// Starts a program; both outputs go to `log`.
    pub fn start(name: &str, package: &str, command: &mut Command, log: &Path) -> Self {
        let out = File::create(log).unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        let err = out.try_clone().expect("a file can be shared");
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap_or_else(|e| {
            panic!("{name} cannot be started ({e}); it is in the Debian package {package}")
        });
        Self { child, log: log.into(), name: name.into() }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: kill(2) takes two integers; the child is ours and has not been waited for yet.
        unsafe { libc::kill(self.pid(), signal) };
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Waits for its end.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let name = self.name.clone();
        eventually(&format!("end of {name}"), limit, || self.child.try_wait().expect("a child can be asked"))
    }

    /// Memory it holds now, in MiB (`VmRSS`).
    pub fn memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|l| l.strip_prefix("VmRSS:"))
            .unwrap_or_else(|| panic!("{} is gone", self.name));
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number of KiB")
            / 1_024
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.runs() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Where HTTPS and SIP ports are picked: well below 32 768, where the system begins to pick ports for everybody else.
const PORTS: Range<u16> = 10_000..16_000;
/// Where stretches of media ports are picked.
const MEDIA_PORTS: Range<u16> = 16_000..32_700;

/// A port that is free for UDP and TCP now, on every address. No two calls of one process get the same.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    let free = |port: &u16| {
        let address = (Ipv4Addr::UNSPECIFIED, *port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    (0..count)
        .map(|_| first_place(count).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count)
        .map(|place| PORTS.start + place as u16)
        .find(free)
        .unwrap_or_else(|| panic!("no port of {PORTS:?} is free for both UDP and TCP"))
}

/// The first, even port of a stretch of `count` ports that are all free for UDP now. Stretches of one process do not overlap
/// until the whole range was given away once.
pub fn free_stretch(count: u16) -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (size, all) = (u32::from(count.next_multiple_of(2)), u32::from(MEDIA_PORTS.end - MEDIA_PORTS.start));
    let free = |port| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
    (0..100)
        .map(|_| (first_place(all) & !1).wrapping_add(NEXT.fetch_add(size, Ordering::Relaxed)) % all)
        .filter(|place| place + size <= all)
        .map(|place| MEDIA_PORTS.start + place as u16)
        .find(|first| (*first..first + count).all(free))
        .unwrap_or_else(|| panic!("no stretch of {count} ports of {MEDIA_PORTS:?} is free"))
}

/// Where this process begins to pick: test runs that go on side by side begin far from each other (the multiplier spreads
/// neighbouring process ids, Knuth vol. 3 §6.4).
fn first_place(count: u32) -> u32 {
    (std::process::id().wrapping_mul(2_654_435_761) >> 8) % count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_given_once_and_only_when_they_are_free() {
        let given: Vec<u16> = (0..50).map(|_| free_port()).collect();
        assert!(given.iter().all(|p| PORTS.contains(p)));
        let different: std::collections::HashSet<&u16> = given.iter().collect();
        assert_eq!(different.len(), given.len());
        // The next one in the row is taken: it is passed over.
        let next = PORTS.start + (given[49] + 1 - PORTS.start) % (PORTS.end - PORTS.start);
        let _taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, next)).unwrap();
        assert_ne!(free_port(), next);
    }

    #[test]
    fn stretches_do_not_overlap_and_pass_over_ports_in_use() {
        let first = free_stretch(1_201);
        assert!(first.is_multiple_of(2) && MEDIA_PORTS.contains(&first));
        let after = first + 1_202;
        let _taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, (after + 7).min(MEDIA_PORTS.end)));
        for _ in 0..5 {
            let next = free_stretch(100);
            assert!(next + 100 <= first || next >= first + 1_201, "{next} lies within {first} and 1201 more");
            assert!(!(next..next + 100).contains(&(after + 7)), "somebody has a port of it");
        }
    }
}
