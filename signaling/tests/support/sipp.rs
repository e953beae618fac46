//! SIPp as the far end. A run that fails shows SIPp's own error log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

/// One SIPp with one scenario. Killed when dropped.
pub struct Sipp {
    name: String,
    child: Child,
    log: PathBuf,
}

/// How it runs.
pub struct Run<'a> {
    pub scenario: &'a str,
    pub from: &'a str,
    /// 0: any.
    pub port: u16,
    pub to: SocketAddr,
    pub tcp: bool,
    /// The user it calls, or is.
    pub service: &'a str,
    pub calls: u32,
}

impl Sipp {
    /// Starts a scenario of `tests/sipp`.
    pub fn start(dir: &Path, run: Run<'_>) -> Self {
        let scenario =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(format!("{}.xml", run.scenario));
        let log = dir.join(format!("{}-{}.log", run.scenario, run.port));
        let mut command = Command::new("sipp");
        command
            .current_dir(dir)
            .arg("-sf")
            .arg(scenario)
            .args(["-i", run.from, "-mi", run.from, "-s", run.service])
            .args(["-m", &run.calls.to_string(), "-l", &run.calls.to_string()])
            .args(["-t", if run.tcp { "t1" } else { "u1" }])
            .args(["-nostdin", "-timeout", "30", "-timeout_error", "-recv_timeout", "20000"])
            .args(["-trace_err", "-error_file"])
            .arg(&log);
        // SIPp hashes the address it sends to, without the user: right for REGISTER only.
        if run.scenario == "caller_by_digest" {
            command.args(["-auth_uri", &format!("{}@{}", run.service, run.to)]);
        }
        if run.port != 0 {
            command.args(["-p", &run.port.to_string()]);
        }
        let child = command
            .arg(run.to.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("sipp cannot be run ({e}): install the Debian package sip-tester"));
        Self { name: run.scenario.to_owned(), child, log }
    }

    /// A caller over the trunk or from elsewhere, to a dialled number.
    pub fn calls(dir: &Path, scenario: &str, from: &str, to: SocketAddr, tcp: bool) -> Self {
        Self::start(dir, Run { scenario, from, port: 0, to, tcp, service: "4930555", calls: 1 })
    }

    /// Waits for its end and demands that it was a good one.
    pub async fn succeeds(self) {
        let Self { name, child, log } = self;
        let output = tokio::time::timeout(Duration::from_secs(40), child.wait_with_output())
            .await
            .unwrap_or_else(|_| panic!("{name} does not end"))
            .unwrap();
        if !output.status.success() {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            panic!("{name}: {}\n{stderr}\n{log}", output.status);
        }
    }
}

/// A UDP port that was free a moment ago.
pub fn free_port(ip: &str) -> u16 {
    std::net::UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap().port()
}
