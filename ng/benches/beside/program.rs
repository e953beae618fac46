//! The two programs, each a process of its own with one media thread on core 0, commanded over NG.
#![expect(clippy::disallowed_methods, reason = "a media node tells its calls the time")]

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::driver::{DriverChoice, DriverConfig};
use media::leg::DropReason;
use media::plane::{FastPathConfig, FastPathInfo, Interface, Plane, PlaneConfig, PlaneHandle};
use model::time::Timestamp;
use ng::session::{self, Chance};
use ng::{Config, Server, Surroundings};
use serde_json::{Value, json};

use crate::ng_client::Client;

pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// An address of the program, by the name that `direction` calls it.
pub type Named = (&'static str, IpAddr);
/// Where both sides of a call are on this machine.
const LOOPBACK: [Named; 1] = [("default", HERE)];
/// How long a stream is plain before the kernel is asked to carry it; a bench need not wait for the usual 5 s.
const PLAIN: Duration = Duration::from_secs(1);
/// The word that turns this program into the media node that is measured.
pub const NODE: &str = "--node";
/// Longer than any bench: calls stand while others are measured.
const NEVER: Duration = Duration::from_secs(3_600);

/// Which program, and how it moves packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ours(DriverChoice),
    /// Ours with io_uring, and plain streams carried by the kernel.
    Kernel,
    Rtpengine,
}

impl Kind {
    pub const ALL: [Self; 3] =
        [Self::Ours(DriverChoice::Uring), Self::Ours(DriverChoice::Mmsg), Self::Rtpengine];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours(DriverChoice::Uring) => "io_uring",
            Self::Ours(DriverChoice::Mmsg) => "mmsg",
            Self::Ours(DriverChoice::Auto) => "auto",
            Self::Kernel => "xdp",
            Self::Rtpengine => "rtpengine",
        }
    }
}

/// A program that runs; ended when dropped.
pub struct Program {
    child: Child,
    pub client: Client,
    /// Where it records.
    pub recordings: PathBuf,
}

impl Program {
    /// On core 0 with one media thread.
    pub fn start(kind: Kind, recordings: &Path) -> Result<Self, String> {
        Self::start_with(kind, recordings, 1, &LOOPBACK)
    }

    /// Ours on all cores.
    pub fn start_on_all(recordings: &Path, threads: usize) -> Result<Self, String> {
        Self::start_with(Kind::Ours(DriverChoice::Uring), recordings, threads, &LOOPBACK)
    }

    /// With these addresses, in the network namespace of the thread that asks; on core 0 with one thread, on all with more.
    pub fn start_with(
        kind: Kind,
        recordings: &Path,
        threads: usize,
        addresses: &[Named],
    ) -> Result<Self, String> {
        let recordings = recordings.join(kind.name());
        std::fs::create_dir_all(&recordings).map_err(|why| format!("{}: {why}", recordings.display()))?;
        let (port, mut command) = match kind {
            Kind::Ours(_) | Kind::Kernel => {
                let port = if kind == Kind::Ours(DriverChoice::Mmsg) { 22_225 } else { 22_224 };
                let program = std::env::current_exe().map_err(|why| why.to_string())?;
                let mut command = Command::new("taskset");
                command.args(["-c", if threads == 1 { "0" } else { "0-1023" }]).arg(program);
                command
                    .args([NODE, &port.to_string(), kind.name()])
                    .arg(&recordings)
                    .arg(threads.to_string());
                command.args(addresses.iter().map(|(name, ip)| format!("{name}={ip}")));
                (port, command)
            }
            Kind::Rtpengine => {
                let mut command = Command::new("taskset");
                command
                    .args(["-c", "0", "rtpengine", "--config-file=none", "--table=-1", "--foreground"])
                    .args(["--log-stderr", "--log-level=2", "--num-threads=1"])
                    .args(["--port-min=40000", "--port-max=59999", "--delete-delay=0", "--timeout=3600"])
                    .args(["--recording-method=pcap", "--listen-ng=127.0.0.1:22223"])
                    .arg(format!("--recording-dir={}", recordings.display()));
                command.args(addresses.iter().map(|(name, ip)| format!("--interface={name}/{ip}")));
                (22_223, command)
            }
        };
        let (ask, err) = if kind == Kind::Rtpengine {
            (Stdio::null as fn() -> Stdio, Stdio::null())
        } else {
            (Stdio::piped as fn() -> Stdio, Stdio::inherit())
        };
        let child = command.stdin(ask()).stdout(ask()).stderr(err).spawn();
        let child = child.map_err(|why| format!("taskset: {why}"))?;
        let control = SocketAddr::new(HERE, port);
        let client = Client::connect(control).ok_or("no socket for NG")?;
        let mut program = Self { child, client, recordings };
        for _ in 0..20 {
            if program.client.ping() {
                return Ok(program);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!(
            "{} does not answer at {control}; is it installed (Debian package rtpengine)?",
            kind.name()
        ))
    }

    pub fn pid(&self) -> u32 {
        // taskset becomes the program, with the same id.
        self.child.id()
    }

    /// What our media threads counted, each.
    pub fn counters(&mut self) -> Option<Value> {
        self.child.stdin.as_mut()?.write_all(b"\n").ok()?;
        let mut line = String::new();
        BufReader::new(self.child.stdout.as_mut()?).read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Is the media node that is measured, if that is what was asked for: `--node PORT KIND FOLDER THREADS NAME=ADDRESS…`.
pub fn be_a_node(words: &[String]) -> bool {
    let Some(at) = words.iter().position(|word| word == NODE) else { return false };
    let [port, kind, folder, threads, addresses @ ..] = &words[at + 1..] else { return false };
    let (Ok(port), Ok(threads)) = (port.parse(), threads.parse()) else { return false };
    let driver = if kind == "mmsg" { DriverChoice::Mmsg } else { DriverChoice::Uring };
    let fast_path = (kind == "xdp").then(|| FastPathConfig { after: PLAIN, ..FastPathConfig::default() });
    let named = |word: &String| {
        let (name, ip) = word.split_once('=')?;
        Some(session::Interface { name: name.into(), bind: ip.parse().ok()? })
    };
    let interfaces = addresses.iter().filter_map(named).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(node(port, driver, PathBuf::from(folder), threads, interfaces, fast_path));
    true
}

async fn node(
    port: u16,
    driver: DriverChoice,
    recordings: PathBuf,
    threads: usize,
    interfaces: Vec<session::Interface>,
    fast_path: Option<FastPathConfig>,
) {
    let wanted = fast_path.is_some();
    let here = |at: &session::Interface| Interface { bind: at.bind, advertised: at.bind };
    let binds = interfaces.iter().map(here).collect();
    let config = Config {
        listen: vec![SocketAddr::new(HERE, port)],
        session: session::Config {
            interfaces,
            recordings: Some(recordings),
            silent_after: NEVER,
            ..session::Config::default()
        },
        sounds: None,
    };
    let server = Server::bind(config).await.expect("the NG port is free");
    let first = if driver == DriverChoice::Uring { 10_000 } else { 20_000 };
    let plane = Plane::start(PlaneConfig {
        threads,
        interfaces: binds,
        port_min: first,
        port_max: first + 9_999,
        ice_port: Some(0),
        driver: DriverConfig { choice: driver, ..DriverConfig::default() },
        period: period(),
        fast_path,
        ..PlaneConfig::default()
    });
    let plane = plane.expect("the plane starts");
    if wanted && !matches!(plane.info().fast_path, FastPathInfo::On(_)) {
        eprintln!("no fast path: {:?}", plane.info().fast_path);
        return;
    }
    let handle = plane.handle();
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            println!("{}", told(&handle));
        }
        // Whoever started us is gone.
        std::process::exit(0);
    });
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(since.as_micros() as u64)
    };
    let around = Surroundings {
        plane: plane.handle(),
        events: plane.events(),
        clock: Arc::new(now),
        chance: Box::new(Dice),
    };
    server.run(around, std::future::pending()).await;
}

fn told(plane: &PlaneHandle) -> Value {
    let of = |thread: media::plane::ThreadCounters| {
        let counters = thread.counters;
        let dropped = DropReason::ALL.iter().map(|reason| counters.dropped[*reason as usize]).sum::<u64>();
        let driver = counters.driver;
        json!({
            "legs": counters.legs, "received": counters.received_packets, "sent": counters.sent_packets,
            "dropped": dropped, "record_overruns": counters.record_overruns,
            "playout_late": counters.playout_late, "playout_lost": counters.playout_lost,
            "concealed_ms": counters.playout_concealed_ms, "waits_ms": counters.playout_waits_ms,
            "busy_permille": counters.busy_permille, "effort": counters.effort,
            "send_errors": driver.send_errors, "receive_errors": driver.receive_errors,
            "no_buffers": driver.no_buffers,
            "fast_flows": counters.fast_flows, "fast_packets": counters.fast_packets,
        })
    };
    plane.counters().into_iter().map(of).collect()
}

/// `PERIOD_US` tries another period than the default.
fn period() -> Duration {
    let said = std::env::var("PERIOD_US").ok().and_then(|text| text.parse().ok());
    said.map_or(PlaneConfig::default().period, Duration::from_micros)
}

/// The system's randomness, for keys and ids.
struct Dice;

impl Chance for Dice {
    fn fill(&mut self, octets: &mut [u8]) {
        use std::io::Read;
        let mut random = std::fs::File::open("/dev/urandom").expect("the system's randomness");
        random.read_exact(octets).expect("the system's randomness");
    }
}
