//! The door of the crate: what signalling is given at start, and the handle that remains.
//!
//! One task owns the switchboard (which call belongs to which dialog, which phone to which agent), one task each call.
//! Everything that talks to the outside is passed in: clock, randomness, the media plane, the sounds. So a test runs the
//! same code with a fake plane, and nothing here asks the machine for the time.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use media::control::{Answer, Command, MediaError};
use media::prompt::Prompt;
use model::call::{CallFact, CallOrder, Sound};
use model::media::Codec;
use model::time::Timestamp;
use tokio::sync::mpsc;

/// Carries out commands of the media plane, here or on another box.
pub trait MediaPlane: Send + Sync + 'static {
    /// Sends a command and waits for its answer.
    fn command(
        &self,
        command: Command,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, MediaError>> + Send + '_>>;
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
    /// The two tones an agent hears before an automatically answered call (VOICE-11).
    pub announce: Arc<Prompt>,
    /// Codecs towards trunks and phones, preferred first.
    pub codecs: Vec<Codec>,
    /// Calls at once; the next INVITE gets 503 with Retry-After.
    pub calls_max: usize,
    /// `User-Agent` and `Server`.
    pub user_agent: String,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

/// A running signalling. Dropping it stops it.
pub struct SignalingHandle {
    /// Orders; bounded, so a desk that floods waits.
    pub orders: mpsc::Sender<CallOrder>,
    /// Facts; bounded, so they must be taken.
    pub facts: mpsc::Receiver<CallFact>,
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
