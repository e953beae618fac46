//! Sockets, the plane and the passing of time around a [`Node`].
//!
//! One task owns the node. A task for each socket hands it datagrams through a bounded channel: what does not fit there
//! waits in the socket's buffer, and the proxy repeats what the kernel drops.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media::control::{Event, MediaError};
use media::plane::PlaneHandle;
use model::time::Timestamp;
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::node::{Counts, Deed, Node};
use crate::session::{self, Chance, Input, LegOwner, Totals};
use crate::sounds::Sounds;
use crate::told;

/// Datagrams that wait for the node.
const DATAGRAMS_MAX: usize = 1_024;
/// Results and events that wait for the node.
const RESULTS_MAX: usize = 1_024;
/// Sounds that are encoded at once.
const LOADING_MAX: usize = 2;
/// Questions that wait for the node.
const QUESTIONS_MAX: usize = 16;
/// Octets of the largest datagram.
const OCTETS_MAX: usize = 65_535;
/// Deletions at the end are waited for so long.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a node listens and what it may.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Addresses to listen at; answers leave from the one that was asked. Port 2223 is usual.
    ///
    /// NG has no authentication: whoever reaches it commands the node. Only addresses that only proxies reach.
    pub listen: Vec<SocketAddr>,
    /// Calls and their bounds.
    pub session: session::Config,
    /// Folder of the files that `play media` may name; `None`: refused.
    pub sounds: Option<PathBuf>,
}

/// What drives a node.
pub struct Surroundings {
    /// The media plane.
    pub plane: PlaneHandle,
    /// What the plane tells. Without it calls in which nothing comes are not noticed.
    pub events: Option<mpsc::Receiver<Event>>,
    /// The time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Randomness for keys and ids; must not be predictable.
    pub chance: Box<dyn Chance>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surroundings({:?})", self.plane)
    }
}

/// What runs now; for metrics and the command line.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Datagrams and requests.
    pub counts: Counts,
    /// Calls, since the start.
    pub totals: Totals,
    /// Calls that exist.
    pub calls: usize,
    /// Legs that exist.
    pub legs: usize,
    /// When the node last looked up; it does so every second.
    pub at: Timestamp,
}

/// Asks a running node for its counts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StatusHandle(Arc<Mutex<Status>>);

impl StatusHandle {
    /// The counts, as of the last thing that happened.
    pub fn read(&self) -> Status {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a running node whose legs are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OwnersHandle(mpsc::Sender<oneshot::Sender<Vec<LegOwner>>>);

impl OwnersHandle {
    /// Whose every leg is; empty when the node has ended.
    pub async fn read(&self) -> Vec<LegOwner> {
        let (told, owners) = oneshot::channel();
        self.0.send(told).await.ok();
        owners.await.unwrap_or_default()
    }
}

/// A node that listens.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<Arc<UdpSocket>>,
    config: Config,
    status: StatusHandle,
    owners: OwnersHandle,
    questions: mpsc::Receiver<oneshot::Sender<Vec<LegOwner>>>,
}

impl Server {
    /// Binds all addresses; an error names the one that cannot be.
    pub async fn bind(config: Config) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for addr in &config.listen {
            let named =
                |e: io::Error| io::Error::new(e.kind(), format!("cannot listen for NG at {addr}: {e}"));
            sockets.push(Arc::new(UdpSocket::bind(addr).await.map_err(named)?));
        }
        let (counts, totals) = (Counts::default(), Totals::new(Timestamp::ZERO));
        let status = Status { counts, totals, calls: 0, legs: 0, at: Timestamp::ZERO };
        let (asked, questions) = mpsc::channel(QUESTIONS_MAX);
        let status = StatusHandle(Arc::new(Mutex::new(status)));
        Ok(Self { sockets, config, status, owners: OwnersHandle(asked), questions })
    }

    /// The addresses; of interest where the port was left to the system.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.sockets.iter().map(|socket| socket.local_addr()).collect()
    }

    /// For asking while it runs.
    pub fn status(&self) -> StatusHandle {
        self.status.clone()
    }

    /// The same, for whose legs are.
    pub fn owners(&self) -> OwnersHandle {
        self.owners.clone()
    }

    /// Serves until `stop` is over; then ends all calls.
    pub async fn run(mut self, around: Surroundings, stop: impl Future<Output = ()>) {
        let Surroundings { plane, mut events, clock, chance } = around;
        let session = session::Config { fingerprint: plane.fingerprint(), ..self.config.session };
        let node = Node::new(session, chance, clock());
        let (results_in, mut results) = mpsc::channel(RESULTS_MAX);
        let (datagrams_in, mut datagrams) = mpsc::channel(DATAGRAMS_MAX);
        let mut listeners = JoinSet::new();
        for (number, socket) in self.sockets.iter().enumerate() {
            listeners.spawn(listen(number, Arc::clone(socket), datagrams_in.clone()));
        }
        let mut driver = Driver {
            node,
            sockets: self.sockets,
            plane,
            results: results_in,
            sounds: Arc::new(Sounds::new(self.config.sounds)),
            loading: Arc::new(Semaphore::new(LOADING_MAX)),
            deeds: Vec::new(),
        };
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some((socket, from, octets)) = datagrams.recv() => {
                    let Driver { node, deeds, .. } = &mut driver;
                    node.datagram(socket, from, &octets, clock(), deeds);
                }
                Some(input) = results.recv() => driver.input(input, clock()),
                event = next(&mut events) => match event {
                    Some(event) => {
                        told::tell(driver.node.machine(), &event);
                        driver.input(Input::Event(event), clock());
                    }
                    None => events = None,
                },
                // Who asked may be gone.
                Some(told) = self.questions.recv() => drop(told.send(driver.node.machine().owners())),
                _ = second.tick() => driver.input(Input::Tick, clock()),
            }
            driver.carry_out().await;
            *self.status.0.lock().unwrap_or_else(PoisonError::into_inner) = driver.status(clock());
        }
        listeners.abort_all();
        // Nobody waits for an answer that does not come.
        drop(self.questions);
        let farewell = async {
            driver.input(Input::End, clock());
            driver.carry_out().await;
            while driver.node.machine().legs() > 0 {
                let Some(input) = results.recv().await else { break };
                driver.input(input, clock());
                // A call that was busy can be ended now.
                driver.input(Input::End, clock());
                driver.carry_out().await;
            }
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("NG: not every leg was ended in time");
        }
        *self.status.0.lock().unwrap_or_else(PoisonError::into_inner) = driver.status(clock());
    }
}

/// The next event; never, when nobody tells any.
async fn next(events: &mut Option<mpsc::Receiver<Event>>) -> Option<Event> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

async fn listen(number: usize, socket: Arc<UdpSocket>, out: mpsc::Sender<(usize, SocketAddr, Vec<u8>)>) {
    let mut octets = vec![0; OCTETS_MAX];
    loop {
        match socket.recv_from(&mut octets).await {
            Ok((len, from)) => {
                let datagram = octets.get(..len).unwrap_or_default().to_vec();
                if out.send((number, from, datagram)).await.is_err() {
                    return;
                }
            }
            // A proxy that went away shows as a refused connection on the next call; it passes by itself.
            Err(e) => {
                tracing::debug!(error = %e, "NG: receiving failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

struct Driver {
    node: Node,
    sockets: Vec<Arc<UdpSocket>>,
    plane: PlaneHandle,
    results: mpsc::Sender<Input>,
    sounds: Arc<Sounds>,
    loading: Arc<Semaphore>,
    deeds: Vec<Deed>,
}

impl Driver {
    fn input(&mut self, input: Input, now: Timestamp) {
        self.node.input(input, now, &mut self.deeds);
    }

    async fn carry_out(&mut self) {
        for deed in self.deeds.drain(..) {
            match deed {
                Deed::Send { socket, to, datagram } => {
                    let Some(socket) = self.sockets.get(socket) else { continue };
                    if let Err(e) = socket.send_to(&datagram, to).await {
                        tracing::debug!(error = %e, %to, "NG: an answer could not be sent; the proxy will ask again");
                    }
                }
                // One command a job is under way, and the node bounds its jobs.
                Deed::Plane { job, command } => {
                    let (plane, results) = (self.plane.clone(), self.results.clone());
                    tokio::spawn(async move {
                        let result = plane.command(command).await;
                        results.send(Input::Plane { job, result }).await.ok();
                    });
                }
                Deed::Sound { job, source } => {
                    let (sounds, results) = (Arc::clone(&self.sounds), self.results.clone());
                    let loading = Arc::clone(&self.loading);
                    tokio::spawn(async move {
                        let _permit = loading.acquire().await;
                        let loaded = tokio::task::spawn_blocking(move || sounds.load(&source)).await;
                        let result = loaded.unwrap_or_else(|_| Err(MediaError::Unavailable.to_string()));
                        results.send(Input::Sound { job, result }).await.ok();
                    });
                }
            }
        }
    }

    fn status(&self, at: Timestamp) -> Status {
        let machine = self.node.machine();
        Status {
            counts: self.node.counts(),
            totals: machine.totals(),
            calls: machine.calls(),
            legs: machine.legs(),
            at,
        }
    }
}

/// Binds and serves until `stop` is over.
pub async fn serve(config: Config, around: Surroundings, stop: impl Future<Output = ()>) -> io::Result<()> {
    Server::bind(config).await?.run(around, stop).await;
    Ok(())
}
