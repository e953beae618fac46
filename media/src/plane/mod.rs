//! The pinned threads that own the legs.
//!
//! ```text
//! control ── Command ──▶ PlaneHandle ── Order ──▶ Shard (a thread) ── Driver ── kernel
//!         ◀── Answer, Event ───────────────────────┘
//! ```
//! Each thread has its own driver, legs, wheel and counters; nothing is shared on the packet path. Legs that hear each other
//! live on one thread (`relocate` brings them together); packets are never handed between threads. That holds for browsers too,
//! though each knows one port of one thread only: a browser's leg that moves takes sockets on that port with it (`guests`).
//!
//! - `handle`: commands from control, from any task; `gather`: rooms; `directory`: which leg lives where
//! - `shard`: the loop of a thread; `packets`: the way of a packet; `doors`: packets of our own making; `orders`: commands
//!   as a thread carries them out; `newcomers`: its new legs
//! - `rooms`: conferences, each on one thread; its parties are brought there
//! - `table`: who hears whom; `sockets`: by which way its packets go; `browsers`: whose address is whose on shared ports;
//!   `wheel`: who is called when
//! - `fast`: streams that the kernel carries in our place
//! - `config`: what a plane is started with; `ports`: port pairs; `recordings`: what is captured where; `counters`: for metrics;
//!   `sight`: for those who watch
//!
//! Not here: what a packet means (`leg`), system calls (`driver`).

mod browsers;
mod config;
mod counters;
mod directory;
mod doors;
mod fast;
mod gather;
mod governor;
#[cfg(test)]
mod guest_tests;
mod guests;
mod handle;
mod newcomers;
mod orders;
mod packets;
mod passing;
mod ports;
mod recordings;
mod relocate;
mod rooms;
mod shard;
mod sight;
mod sockets;
mod table;
mod wheel;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use fastpath::{FastPath, Lane};
use tokio::sync::mpsc;

use crate::control::Event;
use crate::driver::{
    Clock, Driver, DriverChoice, DriverKind, Load, SharedPort, Trial, Wake, go_first, pin_to_core,
};
use crate::ice::Certificate;
use crate::leg::prepare_tones;
use crate::record::{Recorder, Tap};

pub use config::{FastPathConfig, Interface, PlaneConfig};
pub use counters::{Counters, ThreadCounters};
pub use handle::PlaneHandle;

use browsers::Browsers;
use counters::Shown;
use directory::{Directory, Post};
use fast::Fast;
use handle::Inner;
use orders::Order;
use ports::PortPool;
use recordings::Recordings;
use shard::{SHARED, Shard, Start};

/// Why a plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// The configuration cannot work.
    #[error("the media plane cannot start: {0}")]
    Config(String),
    /// A shared port could not be bound.
    #[error("the media plane cannot bind {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused something else.
    #[error("the media plane cannot start: {0}")]
    System(#[from] io::Error),
}

/// What runs: for metrics and the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaneInfo {
    /// One entry a thread.
    pub threads: Vec<ThreadInfo>,
    /// What decided between the drivers; `None` where one was named, or where io_uring is refused.
    pub trial: Option<Trial>,
    /// The kernel's fast path.
    pub fast_path: FastPathInfo,
}

/// Whether the kernel relays plain streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FastPathInfo {
    /// It was not asked for.
    #[default]
    Off,
    /// It does, on these interfaces, in driver or behind it (`native`, `generic`).
    On(Vec<(String, &'static str)>),
    /// It cannot.
    Absent {
        /// One of a closed set, for metrics.
        reason: &'static str,
        /// In words.
        why: String,
    },
}

/// What one thread runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// Its driver.
    pub driver: DriverKind,
    /// Why it is not io_uring, when that was wanted.
    pub refused: Option<String>,
    /// The core it keeps to.
    pub core: Option<usize>,
    /// It goes before other threads of the machine.
    pub first: bool,
    /// Addresses of its shared ports, to be signalled.
    pub shared: Vec<SocketAddr>,
}

/// The running plane; ends its threads when dropped.
#[derive(Debug)]
pub struct Plane {
    handle: PlaneHandle,
    info: PlaneInfo,
    events: Mutex<Option<mpsc::Receiver<Event>>>,
    threads: Vec<JoinHandle<()>>,
    /// The program stays as long as this does: longer than the threads.
    _fast_path: Option<Mutex<FastPath>>,
}

impl Plane {
    /// Starts the threads; returns when each of them runs.
    pub fn start(mut config: PlaneConfig) -> Result<Self, PlaneError> {
        config.check()?;
        let trial = try_drivers(config.driver.choice);
        // io_uring may still be refused to one of several threads, so what prefers it stays free to fall back.
        if trial.is_some_and(|trial| trial.better() == DriverKind::Mmsg) {
            config.driver.choice = DriverChoice::Mmsg;
        }
        prepare_tones();
        let clock = Clock::start();
        let (events, events_out) = mpsc::channel(config.events_max.max(1));
        let recordings = Arc::new(Recordings::default());
        let recorder = {
            let (recordings, events) = (Arc::clone(&recordings), events.clone());
            {
                let report = move |report| recordings.reported(report, &events);
                Recorder::start_with(config.recording, config.recording_keys.clone(), report)?
            }
        };
        let mut boxes = Vec::new();
        let mut posts = Vec::new();
        for _ in 0..config.threads {
            let (inbox, letters) = sync_channel(config.commands_max.max(1));
            let wake = Arc::new(Wake::new()?);
            boxes.push((letters, Arc::clone(&wake)));
            posts.push(Post { inbox, wake });
        }
        let directory = Arc::new(Directory::new(posts));
        let certificate = match config.certificate.clone() {
            Some(certificate) => certificate,
            None => Certificate::generate().map_err(|why| PlaneError::Config(why.to_string()))?,
        };
        let mut threads = Vec::new();
        let (fast_path, shown_fast) = open_fast_path(&config);
        let mut info = PlaneInfo { threads: Vec::new(), trial, fast_path: shown_fast };
        let mut shown = Vec::new();
        for (number, (letters, wake)) in boxes.into_iter().enumerate() {
            let tap = recorder.tap().map_err(|why| PlaneError::Config(why.to_string()))?;
            let counts = Arc::new(Shown::default());
            shown.push(Arc::clone(&counts));
            let seed = Seed {
                number,
                config: config.clone(),
                clock,
                letters,
                wake,
                directory: Arc::clone(&directory),
                events: events.clone(),
                shown: counts,
                tap,
                lane: fast_path.as_ref().and_then(|fast| fast.lane(number, config.threads).ok()),
            };
            let (ready, started) = sync_channel(1);
            let thread = std::thread::Builder::new()
                .name(format!("media-{number}"))
                .spawn(move || run(seed, &ready))?;
            threads.push(thread);
            let started =
                started.recv().unwrap_or_else(|_| Err(PlaneError::Config("a thread ended at once".into())));
            match started {
                Ok(thread) => info.threads.push(thread),
                Err(why) => {
                    end(&directory, threads);
                    return Err(why);
                }
            }
        }
        let pool = |interface: &Interface| {
            Arc::new(PortPool::new(interface.bind, interface.advertised, config.port_min, config.port_max))
        };
        let drivers = info.threads.iter().map(|thread| thread.driver).collect();
        let inner = Inner {
            clock,
            directory,
            pools: config.interfaces.iter().map(pool).collect(),
            shared: info.threads.iter().map(|thread| thread.shared.clone()).collect(),
            certificate,
            media_timeout: config.media_timeout,
            recording_silence: config.recording_silence,
            shown,
            drivers,
            trial,
            fast_path: info.fast_path.clone(),
            recordings,
            recorder,
            serial: std::sync::atomic::AtomicU64::new(1),
        };
        let handle = PlaneHandle::new(inner);
        Ok(Self {
            handle,
            info,
            events: Mutex::new(Some(events_out)),
            threads,
            _fast_path: fast_path.map(Mutex::new),
        })
    }

    /// For commands; may be cloned and used from anywhere.
    pub fn handle(&self) -> PlaneHandle {
        self.handle.clone()
    }
    /// What runs.
    pub const fn info(&self) -> &PlaneInfo {
        &self.info
    }
    /// What happens without being asked. One reader: the second call gives `None`.
    pub fn events(&self) -> Option<mpsc::Receiver<Event>> {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        end(self.handle.directory(), std::mem::take(&mut self.threads));
    }
}

/// Lets both drivers run for some milliseconds, where neither was named. On a thread of its own: drivers set theirs up as they
/// need it.
fn try_drivers(choice: DriverChoice) -> Option<Trial> {
    if choice != DriverChoice::Auto {
        return None;
    }
    let thread = std::thread::Builder::new().name("media-trial".into()).spawn(Trial::run).ok()?;
    thread.join().ok()?.ok()
}

fn end(directory: &Directory, threads: Vec<JoinHandle<()>>) {
    for (number, thread) in threads.into_iter().enumerate() {
        // A full letter box is being emptied; a thread that is gone has none.
        while !thread.is_finished() && directory.post(number, Order::Stop).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        thread.join().ok();
    }
}

/// Opens the fast path if it is wanted. That it cannot be opened is no reason not to start.
fn open_fast_path(config: &PlaneConfig) -> (Option<FastPath>, FastPathInfo) {
    let Some(wanted) = &config.fast_path else { return (None, FastPathInfo::Off) };
    let opened = if wanted.links.is_empty() {
        let addresses: Vec<_> = config.interfaces.iter().map(|interface| interface.bind).collect();
        FastPath::open_at(&addresses)
    } else {
        FastPath::open(&wanted.links)
    };
    match opened {
        Ok(fast) => {
            let modes = fast.modes().iter().map(|(name, mode)| (name.clone(), mode.name())).collect();
            tracing::info!(?modes, "the kernel relays plain streams");
            (Some(fast), FastPathInfo::On(modes))
        }
        Err(why) => {
            tracing::info!(%why, "the kernel does not relay plain streams; they are relayed here");
            (None, FastPathInfo::Absent { reason: why.name(), why: why.to_string() })
        }
    }
}

/// What a thread takes with it.
struct Seed {
    number: usize,
    config: PlaneConfig,
    clock: Clock,
    letters: Receiver<Order>,
    wake: Arc<Wake>,
    directory: Arc<Directory>,
    events: mpsc::Sender<Event>,
    shown: Arc<Shown>,
    tap: Tap,
    lane: Option<Lane>,
}

/// A thread's life: set up on the thread itself (io_uring belongs to who made it), report, run.
fn run(seed: Seed, ready: &std::sync::mpsc::SyncSender<Result<ThreadInfo, PlaneError>>) {
    let number = seed.number;
    match set_up(seed) {
        Ok((mut shard, info)) => {
            ready.send(Ok(info)).ok();
            if let Err(why) = shard.run() {
                tracing::error!(thread = number, %why, "a media thread ended");
            }
        }
        Err(why) => drop(ready.send(Err(why))),
    }
}

fn set_up(seed: Seed) -> Result<(Shard, ThreadInfo), PlaneError> {
    let Seed { number, config, clock, letters, wake, directory, events, shown, tap, lane } = seed;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let core = Some(number % cores).filter(|_| config.pin);
    // A core we may not have is no reason not to run.
    let core = core.filter(|core| pin_to_core(*core).is_ok());
    let first = go_first().is_ok();
    let (mut driver, refused) = Driver::new(&config.driver, wake)?;
    let mut browsers = Browsers::default();
    let mut ports = Vec::new();
    for interface in config.interfaces.iter().filter(|_| config.ice_port.is_some()) {
        let port = match config.ice_port {
            Some(0) | None => 0,
            Some(first) => first + number as u16,
        };
        let addr = SocketAddr::new(interface.bind, port);
        let bind = |source| PlaneError::Bind { addr, source };
        let (socket, port) = SharedPort::bind(addr).map_err(bind)?;
        let id = driver.add(socket, SHARED, Load::Shared).map_err(bind)?;
        browsers.sockets.push((id, SocketAddr::new(interface.advertised, port.local().port())));
        ports.push(port);
    }
    browsers.ports = Arc::new(ports);
    let info = ThreadInfo {
        driver: driver.kind(),
        refused: refused.map(|why| why.to_string()),
        core,
        first,
        shared: browsers.sockets.iter().map(|(_, addr)| *addr).collect(),
    };
    let random = clock.now().micros() as u32 ^ (number as u32).wrapping_mul(0x9E37_79B9);
    let after = config.fast_path.as_ref().map_or(Duration::ZERO, |fast| fast.after);
    let fast = lane.map(|lane| Box::new(Fast::new(lane, after, clock.now())));
    let start = Start {
        number,
        driver,
        clock,
        period: config.period,
        browsers,
        inbox: letters,
        directory,
        events,
        shown,
        tap,
        fast,
        random,
    };
    Ok((Shard::new(start), info))
}
