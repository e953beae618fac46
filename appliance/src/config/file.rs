//! What the configuration file says: keys with their units, and a default for each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use model::media::Codec;
use model::service::SrtpPolicy;
use serde::{Deserialize, Serialize};

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
    /// `[flows]`.
    pub flows: FlowsFile,
    /// `[trace]`.
    pub trace: TraceFile,
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
            flows: FlowsFile::default(),
            trace: TraceFile::default(),
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
        key_days_max: u32 = 365,
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
        phone_missing_minutes: u32 = 5,
        advertise: String = String::new(),
        calls_max: u32 = 1_000,
        codecs: Vec<Codec> = vec![Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu, Codec::G729],
        g729_annexb: bool = true,
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
    /// `[flows]`.
    FlowsFile {
        http_allow: Vec<String> = vec![],
        http_allow_private: Vec<String> = vec![],
        secrets: BTreeMap<String, PathBuf> = BTreeMap::new(),
    }
);
section!(
    /// `[trace]`.
    TraceFile {
        keep_days: u16 = 3,
        hep: String = String::new(),
        hep_id: u32 = 1,
        hep_password_file: PathBuf = PathBuf::new(),
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
    /// What numbers are spoken in.
    pub fn spoken(self) -> desk::flow::Language {
        match self {
            Self::En => desk::flow::Language::English,
            Self::Ru => desk::flow::Language::Russian,
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
