//! `patchbay doctor`: looks at what usually goes wrong and says what to do next.

use std::fmt;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::Result;
use media::driver::{Driver, DriverChoice, DriverConfig, Trial, Wake, go_first};
use store::Store;

use crate::config::{Config, DriverFile};
use crate::tls;

enum Grade {
    Good,
    Look,
    Bad,
}

struct Finding {
    grade: Grade,
    what: &'static str,
    found: String,
    /// What to do, when something has to be done.
    next: Option<String>,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { grade: Grade::Good, what, found: found.into(), next: None }
    }
    fn look(what: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { grade: Grade::Look, what, found: found.into(), next: Some(next.into()) }
    }
    fn bad(what: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { grade: Grade::Bad, what, found: found.into(), next: Some(next.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.grade {
            Grade::Good => "ok  ",
            Grade::Look => "look",
            Grade::Bad => "BAD ",
        };
        write!(f, "{mark}  {:<14} {}", self.what, self.found)?;
        self.next.as_ref().map_or(Ok(()), |next| write!(f, "\n      {:<14} -> {next}", ""))
    }
}

/// Checks everything; failure when something is bad.
pub async fn doctor(file: &Path) -> Result<ExitCode> {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            println!(
                "{}",
                Finding::bad(
                    "configuration",
                    error.to_string(),
                    "mend the file, or `patchbay init` for a new one"
                )
            );
            return Ok(ExitCode::FAILURE);
        }
    };
    let running = crate::ask::is_running(&config).await;
    let mut findings = vec![Finding::good("configuration", file.display().to_string()), appliance(running)];
    if !running {
        findings.extend(ports(&config));
    }
    findings.extend([folder("data_dir", &config.data_dir), folder("recordings", &config.recordings_dir)]);
    findings.push(database(&config).await);
    findings.push(certificate(&config));
    findings.extend([open_files(), priority(), driver(config.driver), lame(), addresses(&config)]);
    let bad = findings.iter().filter(|f| matches!(f.grade, Grade::Bad)).count();
    findings.iter().for_each(|f| println!("{f}"));
    println!("\n{}", if bad == 0 { "Nothing stands in the way.".into() } else { format!("{bad} to mend.") });
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn appliance(running: bool) -> Finding {
    if running {
        Finding::good("appliance", "runs and answers on its control socket")
    } else {
        Finding::look("appliance", "does not run", "`patchbay run`")
    }
}

fn ports(config: &Config) -> Vec<Finding> {
    let tcp = config.http_listen.iter().chain(&config.sip.tcp).chain(&config.sip.tls);
    let busy_tcp = tcp.filter(|a| TcpListener::bind(a).is_err()).map(|a| format!("tcp {a}"));
    let busy_udp = config.sip.udp.iter().filter(|a| UdpSocket::bind(a).is_err()).map(|a| format!("udp {a}"));
    let busy: Vec<String> = busy_tcp.chain(busy_udp).collect();
    let calls = (config.ports.1 - config.ports.0) / 2;
    vec![
        if busy.is_empty() {
            Finding::good("ports", "all listeners are free")
        } else {
            Finding::bad(
                "ports",
                format!("in use: {}", busy.join(", ")),
                "`ss -lnptu` shows by whom; stop that, or change [http] or [sip]",
            )
        },
        if u32::from(calls) >= config.sip.calls_max {
            Finding::good("media ports", format!("{calls} legs at once"))
        } else {
            Finding::look(
                "media ports",
                format!("{calls} legs at once, sip.calls_max is {}", config.sip.calls_max),
                "widen [media] port_min to port_max, and the firewall with it",
            )
        },
    ]
}

fn folder(what: &'static str, path: &Path) -> Finding {
    const ENOUGH: u64 = 1 << 30;
    if !path.is_dir() {
        return Finding::bad(what, format!("{} is not there", path.display()), "`patchbay init` makes it");
    }
    if tempfile::tempfile_in(path).is_err() {
        return Finding::bad(
            what,
            format!("{} cannot be written", path.display()),
            "give it to the user who runs patchbay",
        );
    }
    match rustix::fs::statvfs(path) {
        Ok(v) if v.f_bavail * v.f_frsize < ENOUGH => Finding::look(
            what,
            format!("{} MiB free in {}", (v.f_bavail * v.f_frsize) >> 20, path.display()),
            "an hour of recorded G.711 takes about 60 MiB a call: make room",
        ),
        Ok(v) => {
            Finding::good(what, format!("{} GiB free in {}", (v.f_bavail * v.f_frsize) >> 30, path.display()))
        }
        Err(e) => Finding::look(what, format!("{}: {e}", path.display()), "check the file system"),
    }
}

async fn database(config: &Config) -> Finding {
    let what = config.database_url.split(':').next().unwrap_or("database").to_owned();
    match Store::open(&config.database_url).await {
        Ok(store) => {
            let tenant = crate::users::only_tenant(&store).await;
            store.close().await;
            match tenant {
                Ok(_) => Finding::good("database", format!("{what} opens, and has its tenant")),
                Err(e) => Finding::bad("database", e.to_string(), "`patchbay init`"),
            }
        }
        Err(e) => Finding::bad("database", e.to_string(), "check [database] url, and that the server runs"),
    }
}

fn certificate(config: &Config) -> Finding {
    match tls::files(config).and_then(|files| Ok((tls::days_left(&files.cert)?, files))) {
        Ok((days, _)) if days < 14 => Finding::bad(
            "certificate",
            format!("expires in {days} days"),
            "replace [http] cert_file and key_file",
        ),
        Ok((days, files)) if files.self_signed => Finding::look(
            "certificate",
            format!("self-signed, {days} days left"),
            "browsers warn once; give [http] cert_file and key_file of your own authority",
        ),
        Ok((days, _)) => Finding::good("certificate", format!("{days} days left")),
        Err(e) => Finding::bad("certificate", format!("{e:#}"), "check [http] cert_file and key_file"),
    }
}

fn open_files() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    // Two sockets a leg, two legs a call, and room for consoles.
    if limit >= 8_192 {
        Finding::good("open files", limit.to_string())
    } else {
        Finding::look(
            "open files",
            format!("{limit}: room for about {} calls", limit / 5),
            "`ulimit -n 65536`, or LimitNOFILE= in the unit",
        )
    }
}

/// Tried in a thread of its own, which then ends.
fn priority() -> Finding {
    match std::thread::spawn(go_first).join() {
        Ok(Ok(())) => Finding::good("priority", "media threads go before others"),
        _ => Finding::look(
            "priority",
            "media threads are threads like others: a backup or a build on this machine is heard in calls",
            "AmbientCapabilities=CAP_SYS_NICE in the unit, or LimitNICE=-10",
        ),
    }
}

fn driver(wanted: DriverFile) -> Finding {
    let uring = uring_works();
    if let (DriverFile::Auto, true, Ok(trial)) = (wanted, uring, Trial::run()) {
        return Finding::good("media driver", trial.summary());
    }
    match (wanted, uring) {
        (DriverFile::Uring, false) => Finding::bad(
            "media driver",
            "io_uring is refused here",
            "set [media] driver = \"auto\", or allow io_uring",
        ),
        (_, true) => Finding::good("media driver", "io_uring works"),
        (_, false) => Finding::look(
            "media driver",
            "io_uring is refused; recvmmsg will be used",
            "fine, about a fifth dearer a packet",
        ),
    }
}

/// Sets a ring up as a media thread would, and takes it down again.
fn uring_works() -> bool {
    let config = DriverConfig { choice: DriverChoice::Uring, ..DriverConfig::default() };
    Wake::new().is_ok_and(|wake| Driver::new(&config, Arc::new(wake)).is_ok())
}

fn lame() -> Finding {
    match Command::new("lame").arg("--version").output() {
        Ok(_) => Finding::good("mp3", "lame is there"),
        Err(_) => Finding::look("mp3", "recordings cannot be downloaded as MP3", "apt-get install lame"),
    }
}

fn addresses(config: &Config) -> Finding {
    let list: Vec<String> = config
        .interfaces
        .iter()
        .map(|i| {
            if i.bind == i.advertise { i.bind.to_string() } else { format!("{} as {}", i.bind, i.advertise) }
        })
        .collect();
    Finding::good("media addresses", list.join(", "))
}
