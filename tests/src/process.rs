//! Child processes that end with the test, by their own process id.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
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

/// A UDP port that is free now, on 127.0.0.1.
pub fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port").port()
}

/// A port free for both UDP and TCP now, on 127.0.0.1.
pub fn free_port() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free for both UDP and TCP")
}

/// The first even port of a stretch of `count` ports where the ends are free; stretches of one process do not overlap.
pub fn free_stretch(count: u16) -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 40).unwrap_or(0) * 400;
    for _ in 0..50 {
        let first = 20_000 + (offset + NEXT.fetch_add(count.next_multiple_of(2), Ordering::Relaxed)) % 12_000;
        let free = |p| UdpSocket::bind(("127.0.0.1", p)).is_ok();
        if free(first) && free(first + count - 1) && free(first + count / 2) {
            return first & !1;
        }
    }
    panic!("no stretch of {count} media ports is free")
}
