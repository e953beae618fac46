//! What a plane is started with.

use std::net::IpAddr;
use std::time::Duration;

use super::PlaneError;
use crate::driver::DriverConfig;
use crate::ice::Certificate;

/// One address media uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The address to bind; names the interface in [`Transport::Ports`](crate::control::Transport::Ports).
    pub bind: IpAddr,
    /// The address to signal: the same, or the public one of a one-to-one NAT.
    pub advertised: IpAddr,
}

/// The kernel's fast path for plain RTP (MEDIA-04).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FastPathConfig {
    /// Interfaces to put the program on; none: those that have the addresses of [`PlaneConfig::interfaces`].
    pub links: Vec<String>,
    /// How long a stream must have been passed on plainly. Default 5 s: a call's first seconds bring changes.
    pub after: Duration,
}

impl Default for FastPathConfig {
    fn default() -> Self {
        Self { links: Vec::new(), after: Duration::from_secs(5) }
    }
}

/// What a plane is started with.
#[derive(Clone, Debug)]
pub struct PlaneConfig {
    /// Threads, 1 to 64. Default: one a core.
    pub threads: usize,
    /// Whether each thread keeps to one core. Default true.
    pub pin: bool,
    /// Addresses; at least one.
    pub interfaces: Vec<Interface>,
    /// First port of the range for port pairs. Default 30000.
    pub port_min: u16,
    /// Last port of the range. Default 39999.
    pub port_max: u16,
    /// Port for browsers: thread `n` uses this one plus `n`, on every interface; 0: the system chooses. `None`: no browsers.
    pub ice_port: Option<u16>,
    /// Our certificate for DTLS; made at start when `None`.
    pub certificate: Option<Certificate>,
    /// Which driver, and its buffers.
    pub driver: DriverConfig,
    /// A thread wakes this often at most, and so lets datagrams gather. Default 0.5 ms: with it most of the cost of waking is saved,
    /// and a packet that comes alone waits for half a millisecond at most; a busy thread takes two or four of them at a time, one that
    /// relays nothing takes four. Zero wakes
    /// for each datagram.
    pub period: Duration,
    /// A leg that nothing verified came to for this long is told to be silent. Default 30 s.
    pub media_timeout: Duration,
    /// A recording whose channel gets nothing for this long, though audio is to come, is told to be empty (RECO-04). Default 5 s:
    /// longer than the pauses of far ends that suppress silence and do not say so.
    pub recording_silence: Duration,
    /// Bounds and cadences of recording.
    pub recording: crate::record::Config,
    /// With it recordings are encrypted. Default: they are in the clear.
    pub recording_keys: Option<crate::record::Vault>,
    /// Commands that wait for one thread at most; more are refused as unavailable. Default 1024.
    pub commands_max: usize,
    /// Lets the kernel relay what is plain, where it can; what it cannot is relayed here. Default `None`: not.
    pub fast_path: Option<FastPathConfig>,
    /// Events that wait for control at most; more are lost and counted. Default 16384.
    pub events_max: usize,
}

impl Default for PlaneConfig {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            pin: true,
            interfaces: Vec::new(),
            port_min: 30_000,
            port_max: 39_999,
            ice_port: None,
            certificate: None,
            driver: DriverConfig::default(),
            period: Duration::from_micros(500),
            media_timeout: Duration::from_secs(30),
            recording_silence: Duration::from_secs(5),
            recording: crate::record::Config::default(),
            recording_keys: None,
            fast_path: None,
            commands_max: 1_024,
            events_max: 16_384,
        }
    }
}

impl PlaneConfig {
    /// Finds what cannot work before anything is started.
    pub(super) fn check(&self) -> Result<(), PlaneError> {
        let refuse = |why: &str| Err(PlaneError::Config(why.into()));
        if !(1..=64).contains(&self.threads) {
            return refuse("media.threads must be 1 to 64");
        }
        if self.interfaces.is_empty() {
            return refuse("media.interfaces is empty: name at least one address");
        }
        if self.port_min < 1_024 || self.port_max <= self.port_min {
            return refuse("media.port_min and media.port_max must span a range above 1023");
        }
        if let Some(first) = self.ice_port.filter(|first| *first != 0) {
            let last = usize::from(first) + self.threads - 1;
            if last > 65_535 {
                return refuse("media.ice_port plus the number of threads goes beyond 65535");
            }
            if last >= usize::from(self.port_min) && first <= self.port_max {
                return refuse("media.ice_port lies within media.port_min and media.port_max");
            }
        }
        Ok(())
    }
}
