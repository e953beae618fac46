//! The configuration file, checked.
//!
//! [`File`] is what TOML says, with units in the keys and a default for each; [`Config`] is what the rest of the program
//! sees: addresses, durations and checked ranges, never a raw number. `default.toml` is the documentation of the keys; a
//! test holds it to the defaults here.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::prompt::tones::Plan;
use model::service::SrtpPolicy;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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

/// What TOML says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Where everything lives.
    pub data_dir: PathBuf,
    /// `[http]`.
    pub http: HttpFile,
    /// `[database]`.
    pub database: DatabaseFile,
    /// `[sip]`.
    pub sip: SipFile,
    /// `[media]`.
    pub media: MediaFile,
    /// `[recording]`.
    pub recording: RecordingFile,
    /// `[sounds]`.
    pub sounds: SoundsFile,
    /// `[log]`.
    pub log: LogFile,
}

impl Default for File {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/patchbay".into(),
            http: HttpFile::default(),
            database: DatabaseFile::default(),
            sip: SipFile::default(),
            media: MediaFile::default(),
            recording: RecordingFile::default(),
            sounds: SoundsFile::default(),
            log: LogFile::default(),
        }
    }
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $type:ty = $default:expr),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $(#[doc = concat!("`", stringify!($field), "`, see default.toml.")] pub $field: $type),* }
        impl Default for $name {
            fn default() -> Self { Self { $($field: $default),* } }
        }
    };
}
pub(crate) use section;

section!(
    /// `[http]`.
    HttpFile {
        listen: Vec<SocketAddr> = vec![SocketAddr::from(([0, 0, 0, 0], 8443))],
        cert_file: PathBuf = PathBuf::new(),
        key_file: PathBuf = PathBuf::new(),
        names: Vec<String> = vec!["localhost".into()],
    }
);
section!(
    /// `[database]`.
    DatabaseFile { url: String = "sqlite:patchbay.db".into() }
);
section!(
    /// `[sip]`.
    SipFile {
        udp: Vec<SocketAddr> = vec![SocketAddr::from(([0, 0, 0, 0], 5060))],
        tcp: Vec<SocketAddr> = vec![SocketAddr::from(([0, 0, 0, 0], 5060))],
        tls: Vec<SocketAddr> = vec![],
        realm: String = "patchbay".into(),
        digest: Vec<DigestFile> = vec![DigestFile::Sha256, DigestFile::Md5],
        phone_srtp: SrtpPolicy = SrtpPolicy::Accept,
        advertise: String = String::new(),
        calls_max: u32 = 1_000,
    }
);
section!(
    /// `[media]`.
    MediaFile {
        interfaces: Vec<String> = vec![],
        port_min: u16 = 30_000,
        port_max: u16 = 39_998,
        browser_port: u16 = 40_000,
        threads: u16 = 0,
        driver: DriverFile = DriverFile::Auto,
        fast_path: FastPathFile = FastPathFile::Off,
        fast_path_links: Vec<String> = vec![],
        silence_timeout_s: u32 = 30,
    }
);
section!(
    /// `[recording]`.
    RecordingFile {
        dir: PathBuf = PathBuf::new(),
        key_file: PathBuf = PathBuf::new(),
        formats: BTreeSet<RecordingFormat> = [RecordingFormat::Opus, RecordingFormat::Wav].into(),
        workers: u16 = 1,
        silence_alarm_s: u32 = 5,
    }
);
section!(
    /// `[sounds]`.
    SoundsFile {
        dir: PathBuf = PathBuf::new(),
        language: Language = Language::En,
        tones: String = "DE".into(),
    }
);
section!(
    /// `[log]`.
    LogFile { format: LogFormat = LogFormat::Text, level: String = "info".into(), mask_numbers: bool = true }
);

/// A digest algorithm for phones and trunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DigestFile {
    /// RFC 7616.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// RFC 2617, for old phones.
    #[serde(rename = "MD5")]
    Md5,
}

/// Whether the kernel may relay plain streams by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FastPathFile {
    /// Where it can.
    Auto,
    /// Never.
    Off,
}

/// Which system calls move packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriverFile {
    /// Measured at start.
    Auto,
    /// io_uring or nothing.
    Uring,
    /// recvmmsg and sendmmsg.
    Mmsg,
}

/// A file made of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordingFormat {
    /// Ogg Opus.
    Opus,
    /// 16-bit WAV.
    Wav,
}

/// Language of built-in announcements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Russian.
    Ru,
}

impl Language {
    /// The folder of its sounds.
    pub fn folder(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
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
    /// Operator's own sounds.
    pub sounds_dir: Option<PathBuf>,
    /// Language of built-in announcements.
    pub language: Language,
    /// Whose exchange tones callers hear.
    pub tones: Plan,
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
            language: f.sounds.language,
            tones,
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

/// Adds "did you mean" to the parser's message about an unknown key.
fn with_suggestion(message: &str) -> String {
    let Some((_, rest)) = message.split_once("unknown field `") else { return message.to_owned() };
    let Some((wrong, known)) = rest.split_once('`') else { return message.to_owned() };
    let best = known
        .split('`')
        .filter(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '_') && w.len() > 1)
        // Of words equally far away, letters that changed places are likelier than other letters.
        .map(|w| (distance(wrong, w), letters(wrong) != letters(w), w))
        .min();
    match best {
        Some((d, _, word)) if d <= wrong.len() / 2 + 1 => format!("{message}\ndid you mean `{word}`?"),
        _ => message.to_owned(),
    }
}

fn letters(word: &str) -> Vec<char> {
    let mut all: Vec<char> = word.chars().collect();
    all.sort_unstable();
    all
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, cb) in b.chars().enumerate() {
            let edited = corner + usize::from(ca != cb);
            corner = row[j + 1];
            row[j + 1] = edited.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("patchbay.toml");
        std::fs::write(&file, text).unwrap();
        Config::read(&file).map_err(|e| e.to_string().replace(dir.path().to_str().unwrap(), "."))
    }

    /// OPS-02: every key is documented at its default.
    #[test]
    fn the_documented_file_with_every_comment_removed_is_the_default() {
        let all: String = DEFAULT_FILE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => key,
                _ => line,
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let documented: toml::Table = toml::from_str(&all).unwrap();
        assert_eq!(documented, toml::Table::try_from(File::default()).unwrap());
        assert_eq!(toml::from_str::<File>(DEFAULT_FILE).unwrap(), File::default());
    }

    /// OPS-02: unknown keys are errors with a suggestion and a place.
    #[test]
    fn a_misspelt_key_is_refused_with_its_line_and_the_word_that_was_meant() {
        let error = config("[media]\nport_mni = 4000\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        assert!(error.contains("did you mean `port_min`?"), "{error}");
    }

    #[test]
    fn values_outside_their_range_say_the_range() {
        assert!(config("[sip]\ncalls_max = 0").unwrap_err().contains("1 to 10000"));
        assert!(config("[media]\nport_min = 30001").unwrap_err().contains("even port"));
        assert!(config("[media]\nbrowser_port = 30010").unwrap_err().contains("browser_port"));
        assert!(config("[http]\ncert_file = \"a.pem\"").unwrap_err().contains("both"));
        assert!(config("[database]\nurl = \"mysql://x\"").unwrap_err().contains("sqlite"));
        assert!(config("[media]\ninterfaces = [\"eth0\"]").unwrap_err().contains("`eth0`"));
    }

    #[test]
    fn an_interface_may_name_what_far_ends_see() {
        let c = config("[media]\ninterfaces = [\"10.0.0.5=203.0.113.7\"]").unwrap();
        assert_eq!(c.interfaces[0].bind.to_string(), "10.0.0.5");
        assert_eq!(c.interfaces[0].advertise.to_string(), "203.0.113.7");
    }

    #[test]
    fn an_empty_file_is_a_complete_configuration() {
        let c = config("").unwrap();
        assert_eq!(c.database_url, "sqlite:///var/lib/patchbay/patchbay.db");
        assert!(!c.interfaces.is_empty() && c.media_threads >= 1);
    }
}
