//! The two programs, each a process of its own with one media thread on core 0, commanded over NG.
#![expect(clippy::disallowed_methods, reason = "a media node tells its calls the time")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::driver::{DriverChoice, DriverConfig};
use media::plane::{Interface, Plane, PlaneConfig};
use model::time::Timestamp;
use ng::session::{self, Chance};
use ng::{Config, Server, Surroundings};

use crate::ng_client::Client;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The word that turns this program into the media node that is measured.
pub const NODE: &str = "--node";
/// Longer than any bench: calls stand while others are measured.
const NEVER: Duration = Duration::from_secs(3_600);

/// Which program, and how it moves packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ours(DriverChoice),
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
        Self::start_with(kind, recordings, 1)
    }

    /// Ours with more threads has all cores.
    pub fn start_with(kind: Kind, recordings: &Path, threads: usize) -> Result<Self, String> {
        let recordings = recordings.join(kind.name());
        std::fs::create_dir_all(&recordings).map_err(|why| format!("{}: {why}", recordings.display()))?;
        let (port, mut command) = match kind {
            Kind::Ours(driver) => {
                let port = if driver == DriverChoice::Uring { 22_224 } else { 22_225 };
                let program = std::env::current_exe().map_err(|why| why.to_string())?;
                let mut command = Command::new("taskset");
                command.args(["-c", if threads == 1 { "0" } else { "0-1023" }]).arg(program);
                command
                    .args([NODE, &port.to_string(), kind.name()])
                    .arg(&recordings)
                    .arg(threads.to_string());
                (port, command)
            }
            Kind::Rtpengine => {
                let mut command = Command::new("taskset");
                command
                    .args(["-c", "0", "rtpengine", "--config-file=none", "--table=-1", "--foreground"])
                    .args(["--log-stderr", "--log-level=2", "--interface=127.0.0.1", "--num-threads=1"])
                    .args(["--port-min=40000", "--port-max=59999", "--delete-delay=0", "--timeout=3600"])
                    .args(["--recording-method=pcap", "--listen-ng=127.0.0.1:22223"])
                    .arg(format!("--recording-dir={}", recordings.display()));
                (22_223, command)
            }
        };
        let (out, err) = if kind == Kind::Rtpengine {
            (Stdio::null(), Stdio::null())
        } else {
            (Stdio::inherit(), Stdio::inherit())
        };
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
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
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Is the media node that is measured, if that is what was asked for: `--node PORT DRIVER FOLDER THREADS`.
pub fn be_a_node(words: &[String]) -> bool {
    let Some(at) = words.iter().position(|word| word == NODE) else { return false };
    let [port, driver, folder, threads] = &words[at + 1..] else { return false };
    let (Ok(port), Ok(threads)) = (port.parse(), threads.parse()) else { return false };
    let driver = if driver == "mmsg" { DriverChoice::Mmsg } else { DriverChoice::Uring };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(node(port, driver, PathBuf::from(folder), threads));
    true
}

async fn node(port: u16, driver: DriverChoice, recordings: PathBuf, threads: usize) {
    let config = Config {
        listen: vec![SocketAddr::new(HERE, port)],
        session: session::Config {
            interfaces: vec![session::Interface { name: "default".into(), bind: HERE }],
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
        interfaces: vec![Interface { bind: HERE, advertised: HERE }],
        port_min: first,
        port_max: first + 9_999,
        driver: DriverConfig { choice: driver, ..DriverConfig::default() },
        period: period(),
        ..PlaneConfig::default()
    });
    let plane = plane.expect("the plane starts");
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
