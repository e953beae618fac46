//! The door of the crate: what signalling is given at start, and the handle that remains.
//!
//! One task owns the switchboard (which call belongs to which dialog, which phone to which agent), one task each call.
//! Everything that talks to the outside is passed in: clock, randomness, the media plane, the sounds. So a test runs the
//! same code with a fake plane, and nothing here asks the machine for the time.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use media::control::{Answer, Command, Event, MediaError};
use media::plane::PlaneHandle;
use media::prompt::Prompt;
use model::call::{CallFact, CallOrder, Sound};
use model::media::Codec;
use model::time::Timestamp;
use model::trace::CallTrace;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

pub use crate::digest::Algorithm;
use crate::endpoint::counters::Counters;
use crate::endpoint::{Bound, Endpoint, EndpointConfig};
use crate::switchboard::accounts::SharedAccounts;
pub use crate::switchboard::owners::{LegOwner, Whose};
use crate::switchboard::shared::{Directory, Shared};
use crate::switchboard::{Control, Queues, Switchboard};
use crate::trace::{TraceConfig, Tracer};

/// Carries out commands of the media plane, here or on another box.
pub trait MediaPlane: Send + Sync + 'static {
    /// Sends a command and waits for its answer.
    fn command(
        &self,
        command: Command,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, MediaError>> + Send + '_>>;
}

impl MediaPlane for PlaneHandle {
    fn command(
        &self,
        command: Command,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, MediaError>> + Send + '_>> {
        Box::pin(Self::command(self, command))
    }
}

/// What SIP travels over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

/// An address SIP is listened to on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Over which transport.
    pub transport: Transport,
    /// Local address and port; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What is written into Via and Contact when the box stands behind a one-to-one NAT. `None`: the bound address.
    pub advertise: Option<SocketAddr>,
    /// The media plane's interface for calls that come in here. An unspecified `bind` needs a definite one.
    pub media: IpAddr,
}

/// Certificate chain and key of the TLS listeners, PEM.
#[derive(Clone)]
pub struct TlsIdentity {
    /// Certificates, leaf first.
    pub chain_pem: Vec<u8>,
    /// Private key (PKCS#8, SEC1 or PKCS#1).
    pub key_pem: Vec<u8>,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsIdentity(hidden)")
    }
}

/// Gives the samples of a sound.
pub type Sounds = Arc<dyn Fn(Sound) -> Arc<Prompt> + Send + Sync>;
/// Gives the samples of a sound that flows name; for a name that there is not (any more), a moment of silence.
pub type NamedSounds = Arc<dyn Fn(&str) -> Arc<Prompt> + Send + Sync>;
/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Fills a buffer with randomness that nobody can guess: tags, branches, nonces and ids are made of it.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What signalling is started with.
#[derive(Clone)]
pub struct SignalingConfig {
    /// Where SIP is listened to.
    pub listeners: Vec<Listener>,
    /// Needed when a listener speaks TLS.
    pub tls: Option<TlsIdentity>,
    /// Directory of recording containers, `<recording id>.pbr`.
    pub recordings: PathBuf,
    /// What customers hear.
    pub sounds: Sounds,
    /// What flows play.
    pub named_sounds: NamedSounds,
    /// The two tones an agent hears before an automatically answered call (VOICE-11).
    pub announce: Arc<Prompt>,
    /// Codecs towards trunks and phones, preferred first.
    pub codecs: Vec<Codec>,
    /// Silence may be left out of G.729 (Annex B), if the far end agrees.
    pub annexb: bool,
    /// Calls at once; the next INVITE gets 503 with Retry-After.
    pub calls_max: usize,
    /// `User-Agent` and `Server`.
    pub user_agent: String,
    /// What is done with the messages of calls.
    pub trace: TraceConfig,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

/// The running signalling: how it is started.
pub struct Signaling;

impl Signaling {
    /// Binds all listeners and begins to serve. No call is taken before the first [`CallOrder::Configure`], because no
    /// trunk is known.
    pub async fn start(
        config: SignalingConfig,
        plane: Arc<dyn MediaPlane>,
        media_events: mpsc::Receiver<Event>,
    ) -> Result<SignalingHandle, StartError> {
        Self::start_offering(vec![Algorithm::Sha256, Algorithm::Md5], config, plane, media_events).await
    }

    /// Like [`Signaling::start`], with the digest algorithms that are offered, in this order; one left out is not offered.
    ///
    /// RFC 8760 §2.3 wants the better one first. Some phones (and SIPp 3.6) look at the first challenge only and know MD5
    /// only: where such are in use, MD5 has to come first.
    pub async fn start_offering(
        digest: Vec<Algorithm>,
        config: SignalingConfig,
        plane: Arc<dyn MediaPlane>,
        media_events: mpsc::Receiver<Event>,
    ) -> Result<SignalingHandle, StartError> {
        let counters = Arc::new(Counters::default());
        let accounts = SharedAccounts::default();
        let (tracer, traces) = Tracer::new(config.trace, config.clock.clone(), counters.clone())
            .map_err(|e| StartError::Config(format!("the capture server cannot be reached: {e}")))?;
        let tracer = Arc::new(tracer);
        let trunks = accounts.clone();
        let (endpoint, incoming) = Endpoint::start(EndpointConfig {
            listeners: config.listeners,
            tls: config.tls,
            user_agent: config.user_agent,
            clock: config.clock.clone(),
            random: config.random.clone(),
            trusted: Arc::new(move |ip| trunks.get().is_trunk(ip)),
            counters: counters.clone(),
            tracer: tracer.clone(),
        })
        .await?;
        let listeners = endpoint.listeners().to_vec();
        let (facts_sender, facts) = mpsc::channel(FACTS_MAX);
        let (orders, order_receiver) = mpsc::channel(ORDERS_MAX);
        let (internal_sender, internal) = mpsc::channel(ORDERS_MAX);
        let (control, control_receiver) = mpsc::channel(4);
        let shared = Arc::new(Shared {
            endpoint,
            tracer: tracer.clone(),
            plane,
            facts: facts_sender,
            counters: counters.clone(),
            clock: config.clock,
            random: config.random,
            sounds: config.sounds,
            named_sounds: config.named_sounds,
            announce: config.announce,
            recordings: config.recordings,
            digest,
            directory: Directory::default(),
            places: Mutex::default(),
            farewells: TaskTracker::new(),
        });
        let switchboard = Switchboard::new(
            shared,
            accounts,
            (config.codecs, config.annexb),
            config.calls_max,
            internal_sender,
        );
        let queues = Queues {
            orders: order_receiver,
            incoming,
            media: media_events,
            internal,
            control: control_receiver,
        };
        tokio::spawn(switchboard.run(queues));
        Ok(SignalingHandle { orders, facts, traces, tracer, counters, listeners, control })
    }
}

/// The handle of a running signalling. Dropping it stops it without a word to the far ends; see [`SignalingHandle::stop`].
pub struct SignalingHandle {
    /// Orders; bounded, so a desk that floods waits.
    pub orders: mpsc::Sender<CallOrder>,
    /// Facts; bounded, so they must be taken.
    pub facts: mpsc::Receiver<CallFact>,
    /// Traces of calls that are over; those that nobody takes in time are lost.
    pub traces: mpsc::Receiver<CallTrace>,
    tracer: Arc<Tracer>,
    counters: Arc<Counters>,
    listeners: Vec<Bound>,
    control: mpsc::Sender<Control>,
}

/// What can still be asked of the signalling when orders and facts were handed out.
#[derive(Clone)]
pub struct SignalingControl {
    control: mpsc::Sender<Control>,
}

impl SignalingHandle {
    /// Knows what went over the wire for calls in progress.
    pub fn tracer(&self) -> Arc<Tracer> {
        self.tracer.clone()
    }
    /// Totals for metrics; read at any time.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }
    /// The listeners with the ports they got.
    pub fn listeners(&self) -> &[Bound] {
        &self.listeners
    }
    /// Drain and stop, for another task.
    pub fn control(&self) -> SignalingControl {
        SignalingControl { control: self.control.clone() }
    }
    /// Takes no new calls from now on: INVITE gets 503, OPTIONS too, so that trunks look elsewhere.
    pub async fn drain(&self) {
        self.control().drain().await;
    }
    /// Ends all calls and closes all sockets. Facts must still be taken meanwhile, or clones of the queue dropped.
    pub async fn stop(&self) {
        self.control().stop().await;
    }
}

impl SignalingControl {
    /// See [`SignalingHandle::drain`].
    pub async fn drain(&self) {
        self.control.send(Control::Drain).await.ok();
    }
    /// Whose every leg is; empty when signalling has ended.
    pub async fn owners(&self) -> Vec<LegOwner> {
        let (told, owners) = oneshot::channel();
        self.control.send(Control::Owners(told)).await.ok();
        owners.await.unwrap_or_default()
    }
    /// See [`SignalingHandle::stop`]. Returns when all calls have ended.
    pub async fn stop(&self) {
        let (done, over) = oneshot::channel();
        if self.control.send(Control::Stop(done)).await.is_ok() {
            over.await.ok();
        }
    }
}

/// Why signalling did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened to.
    #[error("cannot listen on {transport:?} {bind}: {source}")]
    Bind {
        /// Over which transport.
        transport: Transport,
        /// Which address.
        bind: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A TLS listener without a usable certificate and key.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The configuration contradicts itself.
    #[error("the configuration cannot be used: {0}")]
    Config(String),
}

/// How many orders may wait.
pub const ORDERS_MAX: usize = 1_024;
/// How many facts may wait.
pub const FACTS_MAX: usize = 4_096;
