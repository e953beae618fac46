//! The configuration file, checked.
//!
//! [`File`] is what TOML says, with units in the keys and a default for each; [`Config`] is what the rest of the program
//! sees: addresses, durations and checked ranges, never a raw number. `default.toml` is the documentation of the keys; a
//! test holds it to the defaults here.

mod file;
mod suggest;
mod trace;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::prompt::tones::Plan;
use serde::de::DeserializeOwned;

pub(crate) use file::section;
pub use file::{
    DigestFile, DriverFile, FastPathFile, File, FlowsFile, HttpFile, Language, LogFile, LogFormat, MediaFile,
    RecordingFormat, SipFile, TraceFile,
};
use suggest::with_suggestion;
pub use trace::Trace;

/// The commented file that `patchbay init` writes.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read {file}: {source}. {hint}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// Where one comes from.
        hint: &'static str,
    },
    /// Not TOML, an unknown key, or a value of the wrong type. The message carries line and column.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The parser's words, with the place.
        message: String,
    },
    /// A value outside its range.
    #[error("{key}: {message}")]
    Value {
        /// The key, with its section.
        key: &'static str,
        /// What is wrong and what would do.
        message: String,
    },
}

/// A local address for RTP and what far ends see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Bound locally.
    pub bind: IpAddr,
    /// Written into SDP.
    pub advertise: IpAddr,
}

/// A checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where everything lives.
    pub data_dir: PathBuf,
    /// Console and API listeners.
    pub http_listen: Vec<SocketAddr>,
    /// Certificate and key files; `None`: self-signed in `data_dir/tls`.
    pub http_cert: Option<(PathBuf, PathBuf)>,
    /// Names for the certificate and the check of `Origin`.
    pub http_names: Vec<String>,
    /// Database URL, with a SQLite file made absolute.
    pub database_url: String,
    /// SIP listeners.
    pub sip: SipFile,
    /// Address for Contact and Via, when not the interface's own.
    pub sip_advertise: Option<IpAddr>,
    /// Media addresses; at least one.
    pub interfaces: Vec<Interface>,
    /// First and last RTP port.
    pub ports: (u16, u16),
    /// First shared browser port.
    pub browser_port: u16,
    /// Media threads; at least one.
    pub media_threads: usize,
    /// Packet driver.
    pub driver: DriverFile,
    /// Interfaces for the kernel's fast path, none for those with a media address; `None`: no fast path.
    pub fast_path: Option<Vec<String>>,
    /// Silence that ends a call.
    pub silence_timeout: Duration,
    /// Where recordings go.
    pub recordings_dir: PathBuf,
    /// The key recordings are encrypted with.
    pub recording_key_file: PathBuf,
    /// How long a recorded party that should be heard may send nothing before that is told.
    pub recording_silence: Duration,
    /// Files made of each recording.
    pub recording_formats: BTreeSet<RecordingFormat>,
    /// Finishers at once.
    pub recording_workers: usize,
    /// The longest life of a program's key.
    pub key_lifetime_max: Duration,
    /// Operator's own sounds.
    pub sounds_dir: Option<PathBuf>,
    /// Language of built-in announcements.
    pub language: Language,
    /// Whose exchange tones callers hear.
    pub tones: Plan,
    /// What flows may ask.
    pub flows: FlowsFile,
    /// What is kept of the messages of calls, and where copies go.
    pub trace: Trace,
    /// Logging.
    pub log: LogFile,
}

impl Config {
    /// Reads and checks a file.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        Self::try_from(read::<File>(file, "`patchbay init` writes one")?)
    }
}

/// Reads a file of keys; `hint` says where one comes from when it is not there.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, hint: &'static str) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
        file: file.to_owned(),
        source,
        hint,
    })?;
    toml::from_str(&text).map_err(|e| ConfigError::Syntax {
        file: file.to_owned(),
        message: with_suggestion(e.to_string().trim_end()),
    })
}

impl TryFrom<File> for Config {
    type Error = ConfigError;

    fn try_from(f: File) -> Result<Self, ConfigError> {
        let value = |key, message: String| Err(ConfigError::Value { key, message });
        if f.http.listen.is_empty() {
            return value("http.listen", "at least one address is needed".into());
        }
        let http_cert =
            match (f.http.cert_file.as_os_str().is_empty(), f.http.key_file.as_os_str().is_empty()) {
                (true, true) => None,
                (false, false) => Some((f.http.cert_file, f.http.key_file)),
                _ => return value("http.cert_file", "give both cert_file and key_file, or neither".into()),
            };
        if f.sip.udp.is_empty() && f.sip.tcp.is_empty() && f.sip.tls.is_empty() {
            return value("sip.udp", "no transport is left: give at least one of udp, tcp, tls".into());
        }
        if !(1..=10_000).contains(&f.sip.calls_max) {
            return value("sip.calls_max", format!("{} is not within 1 to 10000", f.sip.calls_max));
        }
        let codecs = &f.sip.codecs;
        if codecs.is_empty()
            || codecs.iter().enumerate().any(|(n, codec)| codecs.iter().take(n).any(|c| c == codec))
        {
            return value("sip.codecs", "name at least one codec, and each of them once".into());
        }
        if f.sip.realm.is_empty() || f.sip.realm.contains(['"', '\\']) || f.sip.realm.len() > 64 {
            return value("sip.realm", "1 to 64 characters without quotes or backslashes".into());
        }
        if f.sip.digest.is_empty() {
            return value("sip.digest", "give at least one of \"SHA-256\" and \"MD5\"".into());
        }
        let sip_advertise = match f.sip.advertise.as_str() {
            "" => None,
            text => match text.parse() {
                Ok(ip) => Some(ip),
                Err(_) => return value("sip.advertise", format!("`{text}` is not an IP address")),
            },
        };
        let interfaces = if f.media.interfaces.is_empty() {
            default_interfaces()
        } else {
            f.media.interfaces.iter().map(|text| interface(text)).collect::<Result<_, _>>()?
        };
        if !f.media.port_min.is_multiple_of(2) || f.media.port_max <= f.media.port_min.saturating_add(2) {
            return value(
                "media.port_min",
                format!(
                    "{} to {} is no usable range: begin at an even port",
                    f.media.port_min, f.media.port_max
                ),
            );
        }
        if (f.media.port_min..=f.media.port_max).contains(&f.media.browser_port) {
            return value("media.browser_port", "lies inside port_min to port_max; move one of them".into());
        }
        if !(5..=3_600).contains(&f.media.silence_timeout_s) {
            return value(
                "media.silence_timeout_s",
                format!("{} is not within 5 to 3600", f.media.silence_timeout_s),
            );
        }
        if !(1..=3_650).contains(&f.http.key_days_max) {
            return value("http.key_days_max", format!("{} is not within 1 to 3650", f.http.key_days_max));
        }
        if !(1..=16).contains(&f.recording.workers) {
            return value("recording.workers", format!("{} is not within 1 to 16", f.recording.workers));
        }
        if !(2..=60).contains(&f.recording.silence_alarm_s) {
            return value(
                "recording.silence_alarm_s",
                format!("{} is not within 2 to 60", f.recording.silence_alarm_s),
            );
        }
        let Some(tones) = Plan::of_country(&f.sounds.tones) else {
            let known = Plan::countries().collect::<Vec<_>>().join(" ");
            return value("sounds.tones", format!("`{}` is none of {known}", f.sounds.tones));
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let data_dir = f.data_dir;
        let database_url = match f.database.url.strip_prefix("sqlite:") {
            Some(file) => format!("sqlite://{}", data_dir.join(file.trim_start_matches("//")).display()),
            None if f.database.url.starts_with("postgres") => f.database.url,
            None => return value("database.url", "begins with neither `sqlite:` nor `postgres:`".into()),
        };
        Ok(Self {
            recording_key_file: or_default(f.recording.key_file, || {
                // A systemd credential, where the unit gives one (LoadCredential=recordings.key:…).
                std::env::var_os("CREDENTIALS_DIRECTORY")
                    .map(|folder| PathBuf::from(folder).join("recordings.key"))
                    .filter(|file| file.exists())
                    .unwrap_or_else(|| data_dir.join("recordings.key"))
            }),
            recordings_dir: or_default(f.recording.dir, || data_dir.join("recordings")),
            sounds_dir: (!f.sounds.dir.as_os_str().is_empty()).then_some(f.sounds.dir),
            http_listen: f.http.listen,
            http_cert,
            http_names: f.http.names,
            database_url,
            sip: f.sip,
            sip_advertise,
            interfaces,
            ports: (f.media.port_min, f.media.port_max),
            browser_port: f.media.browser_port,
            media_threads: match f.media.threads {
                0 => cores.saturating_sub(1).max(1),
                n => usize::from(n),
            },
            driver: f.media.driver,
            fast_path: (f.media.fast_path == FastPathFile::Auto).then_some(f.media.fast_path_links),
            silence_timeout: Duration::from_secs(f.media.silence_timeout_s.into()),
            recording_silence: Duration::from_secs(f.recording.silence_alarm_s.into()),
            recording_formats: f.recording.formats,
            recording_workers: usize::from(f.recording.workers),
            key_lifetime_max: Duration::from_secs(u64::from(f.http.key_days_max) * 86_400),
            language: f.sounds.language,
            tones,
            flows: f.flows,
            trace: Trace::try_from(f.trace)?,
            log: f.log,
            data_dir,
        })
    }
}

fn or_default(path: PathBuf, default: impl FnOnce() -> PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() { default() } else { path }
}

fn interface(text: &str) -> Result<Interface, ConfigError> {
    let (bind, advertise) = text.split_once('=').unwrap_or((text, text));
    match (bind.trim().parse(), advertise.trim().parse()) {
        (Ok(bind), Ok(advertise)) => Ok(Interface { bind, advertise }),
        _ => Err(ConfigError::Value {
            key: "media.interfaces",
            message: format!("`{text}` is neither an address nor `address=address`"),
        }),
    }
}

/// The address packets to the outside would leave from (no packet is sent to find it), and loopback.
fn default_interfaces() -> Vec<Interface> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let outside = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|s| s.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).and_then(|()| s.local_addr()))
        .map(|a| a.ip())
        .ok()
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified());
    outside.into_iter().chain([loopback]).map(|ip| Interface { bind: ip, advertise: ip }).collect()
}

#[cfg(test)]
mod tests;
