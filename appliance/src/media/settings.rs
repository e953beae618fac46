//! A media node's configuration: a file, and flags that come before it.
//!
//! [`File`] is what TOML says; [`Settings`] is what the node is started with. `default.toml` documents the keys; a test holds it
//! to the defaults here.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cli::MediaArgs;
use crate::config::{self, ConfigError, DriverFile, FastPathFile, LogFormat, section};
use crate::recordings::Place;

/// The commented file that `patchbay media --print-defaults` shows.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// What TOML says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// `[ng]`.
    pub ng: NgFile,
    /// `[media]`.
    pub media: PlaneFile,
    /// `[dtls]`.
    pub dtls: DtlsFile,
    /// `[recording]`.
    pub recording: RecordingFile,
    /// `[sounds]`.
    pub sounds: FolderFile,
    /// `[watch]`.
    pub watch: WatchFile,
    /// `[log]`.
    pub log: LinesFile,
}

section!(
    /// `[ng]`.
    NgFile {
        listen: Vec<SocketAddr> = vec![SocketAddr::from(([127, 0, 0, 1], 2223))],
        calls_max: u32 = 10_000,
        delete_delay_s: u32 = 30,
        silent_after_s: u32 = 60,
        held_after_s: u32 = 3_600,
        offered_after_s: u32 = 3_600,
    }
);
section!(
    /// `[media]`.
    PlaneFile {
        interfaces: Vec<String> = vec![],
        port_min: u16 = 30_000,
        port_max: u16 = 39_999,
        browser_port: u16 = 40_000,
        threads: u16 = 0,
        driver: DriverFile = DriverFile::Auto,
        fast_path: FastPathFile = FastPathFile::Off,
        fast_path_links: Vec<String> = vec![],
    }
);
section!(
    /// `[dtls]`.
    DtlsFile { cert_file: PathBuf = PathBuf::new(), key_file: PathBuf = PathBuf::new() }
);
section!(
    /// `[recording]`.
    RecordingFile { dir: PathBuf = PathBuf::new(), key_file: PathBuf = PathBuf::new() }
);
section!(
    /// `[sounds]`.
    FolderFile { dir: PathBuf = PathBuf::new() }
);
section!(
    /// `[watch]`.
    WatchFile { listen: Vec<SocketAddr> = vec![] }
);
section!(
    /// `[log]`.
    LinesFile { format: LogFormat = LogFormat::Text, level: String = "info".into() }
);

/// An address for media with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceArg {
    /// What proxies call it.
    pub name: String,
    /// Bound locally.
    pub bind: IpAddr,
    /// Written into descriptions.
    pub advertised: IpAddr,
}

impl FromStr for InterfaceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, addresses) = text.split_once('/').unwrap_or(("default", text));
        if name.is_empty() {
            return Err("the name before `/` is empty".into());
        }
        // rtpengine writes `!` where we write `=`.
        let (bind, advertised) = addresses.split_once(['=', '!']).unwrap_or((addresses, addresses));
        let address = |text: &str| {
            let parsed = text.parse::<IpAddr>().map_err(|_| format!("`{text}` is not an IP address"))?;
            if parsed.is_unspecified() {
                return Err(format!("`{text}` names no address that a far end could send to: name one"));
            }
            Ok(parsed)
        };
        Ok(Self { name: name.to_owned(), bind: address(bind)?, advertised: address(advertised)? })
    }
}

/// The range of media ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortsArg {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl FromStr for PortsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        let (first, last) =
            parts.ok_or_else(|| format!("`{text}` is not FIRST-LAST, such as 30000-39999"))?;
        if last <= first {
            return Err(format!("`{text}` is an empty range"));
        }
        Ok(Self { first, last })
    }
}

/// What a node is started with; checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where NG is spoken; at least one.
    pub ng: Vec<SocketAddr>,
    /// Calls at once.
    pub calls_max: usize,
    /// How long a deleted call lives on.
    pub delete_delay: Duration,
    /// Silence that ends a call.
    pub silent_after: Duration,
    /// Silence that ends a call on hold.
    pub held_after: Duration,
    /// How long an offer waits for its answer.
    pub offered_after: Duration,
    /// Media addresses; at least one. Names are different within a family.
    pub interfaces: Vec<InterfaceArg>,
    /// First and last media port.
    pub ports: PortsArg,
    /// First shared browser port.
    pub browser_port: u16,
    /// Media threads; at least one.
    pub threads: usize,
    /// Packet driver.
    pub driver: DriverFile,
    /// Interfaces for the kernel's fast path, none for those with a media address; `None`: no fast path.
    pub fast_path: Option<Vec<String>>,
    /// PEM files of certificate and key; `None`: made at start.
    pub dtls: Option<(PathBuf, PathBuf)>,
    /// Where recordings go.
    pub recordings: Option<PathBuf>,
    /// The file of the key that they are encrypted with; `None`: they are not.
    pub recording_key_file: Option<PathBuf>,
    /// Where sounds are.
    pub sounds: Option<PathBuf>,
    /// Where `/metrics` is.
    pub watch: Vec<SocketAddr>,
    /// Log format and level.
    pub log: LinesFile,
}

impl Settings {
    /// Reads the file that the flags name, if any, and puts the flags before it.
    pub fn read(args: &MediaArgs) -> Result<Self, ConfigError> {
        let file = match &args.config {
            Some(file) => read(file)?,
            None => File::default(),
        };
        Self::check(file, args)
    }

    fn check(file: File, args: &MediaArgs) -> Result<Self, ConfigError> {
        let File { ng, media, dtls, recording, sounds, watch, log } = file;
        let or = |flags: &[SocketAddr], file: Vec<SocketAddr>| {
            if flags.is_empty() { file } else { flags.to_vec() }
        };
        let listen = or(&args.ng, ng.listen);
        if listen.is_empty() {
            return value("ng.listen", "at least one address is needed".into());
        }
        let interfaces = if args.interface.is_empty() {
            let wrong = |message| ConfigError::Value { key: "media.interfaces", message };
            media.interfaces.iter().map(|text| text.parse().map_err(wrong)).collect::<Result<Vec<_>, _>>()?
        } else {
            args.interface.clone()
        };
        if interfaces.is_empty() {
            return value(
                "media.interfaces",
                "at least one address for media is needed, here or as --interface NAME/ADDRESS".into(),
            );
        }
        for (index, one) in interfaces.iter().enumerate() {
            let same = |other: &&InterfaceArg| {
                other.bind == one.bind || other.name == one.name && other.bind.is_ipv4() == one.bind.is_ipv4()
            };
            if let Some(other) = interfaces[..index].iter().find(same) {
                return value(
                    "media.interfaces",
                    format!("{}/{} and {}/{} exclude each other", other.name, other.bind, one.name, one.bind),
                );
            }
        }
        let ports = args.ports.unwrap_or(PortsArg { first: media.port_min, last: media.port_max });
        if ports.first < 1_024 || ports.last <= ports.first {
            return value("media.port_min", format!("{} to {} is no usable range", ports.first, ports.last));
        }
        let threads = match args.threads.unwrap_or(usize::from(media.threads)) {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(64),
            threads @ 1..=64 => threads,
            threads => return value("media.threads", format!("{threads} is not within 0 to 64")),
        };
        let browser_port = args.browser_port.unwrap_or(media.browser_port);
        let last_browser_port = usize::from(browser_port) + threads - 1;
        if browser_port == 0 || last_browser_port > 65_535 {
            return value("media.browser_port", format!("{browser_port} leaves no port for each thread"));
        }
        if last_browser_port >= usize::from(ports.first) && browser_port <= ports.last {
            return value("media.browser_port", "lies inside port_min to port_max; move one of them".into());
        }
        let dtls = match (dtls.cert_file.as_os_str().is_empty(), dtls.key_file.as_os_str().is_empty()) {
            (true, true) => None,
            (false, false) => Some((dtls.cert_file, dtls.key_file)),
            _ => return value("dtls.cert_file", "give both cert_file and key_file, or neither".into()),
        };
        let calls_max = args.calls_max.unwrap_or(ng.calls_max);
        let within = |key, number: u32, from: u32, to: u32| {
            if (from..=to).contains(&number) {
                return Ok(Duration::from_secs(number.into()));
            }
            value(key, format!("{number} is not within {from} to {to}"))
        };
        within("ng.calls_max", calls_max, 1, 100_000)?;
        let folder = |flag: &Option<PathBuf>, file: PathBuf| {
            flag.clone().or_else(|| (!file.as_os_str().is_empty()).then_some(file))
        };
        let recordings = folder(&args.recordings, recording.dir);
        let recording_key_file = folder(&None, recording.key_file);
        if recording_key_file.is_some() && recordings.is_none() {
            return value("recording.key_file", "there is nothing to encrypt: dir is empty".into());
        }
        let level = args.log.clone().unwrap_or(log.level);
        Ok(Self {
            ng: listen,
            calls_max: usize::try_from(calls_max).unwrap_or(usize::MAX),
            delete_delay: within("ng.delete_delay_s", ng.delete_delay_s, 0, 3_600)?,
            silent_after: within("ng.silent_after_s", ng.silent_after_s, 10, 86_400)?,
            held_after: within("ng.held_after_s", ng.held_after_s, 10, 86_400)?,
            offered_after: within("ng.offered_after_s", ng.offered_after_s, 60, 86_400)?,
            interfaces,
            ports,
            browser_port,
            threads,
            driver: media.driver,
            fast_path: (media.fast_path == FastPathFile::Auto).then_some(media.fast_path_links),
            dtls,
            recordings,
            recording_key_file,
            sounds: folder(&args.sounds, sounds.dir),
            watch: or(&args.watch, watch.listen),
            log: LinesFile { format: log.format, level },
        })
    }
}

/// Where a node's file says that recordings and their key are.
pub fn recordings(file: &Path) -> Result<Place, ConfigError> {
    let RecordingFile { dir, key_file } = read(file)?.recording;
    if dir.as_os_str().is_empty() {
        return value("recording.dir", "it is empty: this node records nothing".into());
    }
    Ok(Place { dir, key_file })
}

fn read(file: &Path) -> Result<File, ConfigError> {
    config::read(file, "`patchbay media --print-defaults` shows one")
}

fn value<T>(key: &'static str, message: String) -> Result<T, ConfigError> {
    Err(ConfigError::Value { key, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    /// As on the command line, with this file.
    fn settings(text: &str, flags: &[&str]) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("media.toml");
        std::fs::write(&file, text).unwrap();
        let words = ["patchbay", "media", "--config", file.to_str().unwrap()];
        let cli = Cli::try_parse_from(words.iter().chain(flags)).map_err(|e| e.to_string())?;
        let Command::Media(args) = cli.command else { panic!("another command") };
        Settings::read(&args).map_err(|e| e.to_string())
    }
    const ONE: &str = "[media]\ninterfaces = [\"default/127.0.0.1\"]\n";

    /// OPS-02: every key is documented at its default.
    #[test]
    fn the_documented_file_with_every_comment_removed_is_the_default() {
        let uncommented = |line: &str| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{key}\n"),
            _ => format!("{line}\n"),
        };
        let all: String = DEFAULT_FILE.lines().map(uncommented).collect();
        assert_eq!(
            toml::from_str::<toml::Table>(&all),
            toml::Table::try_from(File::default()).map_err(|_| unreachable!())
        );
        assert_eq!(toml::from_str::<File>(DEFAULT_FILE), Ok(File::default()));
    }

    /// OPS-02: unknown keys are errors with a suggestion and a place.
    #[test]
    fn a_misspelt_key_is_refused_with_its_line_and_the_word_that_was_meant() {
        let error = settings("[ng]\ncals_max = 5\n", &[]).unwrap_err();
        assert!(error.contains("line 2") && error.contains("did you mean `calls_max`?"), "{error}");
    }

    #[test]
    fn flags_come_before_the_file() {
        let file = format!("{ONE}port_min = 20000\nport_max = 20100\n[ng]\ncalls_max = 7\n");
        let read = settings(&file, &[]).unwrap();
        assert_eq!((read.calls_max, read.ports), (7, PortsArg { first: 20_000, last: 20_100 }));
        let flags = ["--calls-max", "9", "--interface", "ext/::1", "--ng", "127.0.0.1:2299"];
        let read = settings(&file, &flags).unwrap();
        assert_eq!((read.calls_max, read.interfaces[0].name.as_str()), (9, "ext"));
        assert_eq!(read.ng, ["127.0.0.1:2299".parse().unwrap()]);
    }

    #[test]
    fn one_name_may_have_an_address_of_each_family_and_no_more() {
        let two = |a: &str, b: &str| settings(&format!("[media]\ninterfaces = [\"{a}\", \"{b}\"]"), &[]);
        assert_eq!(two("x/127.0.0.1", "x/::1").map(|s| s.interfaces.len()), Ok(2));
        assert!(two("x/127.0.0.1", "x/127.0.0.2").unwrap_err().contains("exclude"));
        assert!(two("x/127.0.0.1", "y/127.0.0.1").unwrap_err().contains("exclude"));
    }

    #[test]
    fn values_that_cannot_work_are_refused_before_anything_is_started() {
        for (text, named) in [
            ("", "media.interfaces"),
            ("[media]\ninterfaces = [\"eth0\"]", "eth0"),
            (&format!("{ONE}port_min = 500"), "500"),
            (&format!("{ONE}browser_port = 30100"), "browser_port"),
            (&format!("{ONE}threads = 65"), "0 to 64"),
            (&format!("{ONE}[ng]\nlisten = []"), "ng.listen"),
            (&format!("{ONE}[ng]\nsilent_after_s = 1"), "10 to 86400"),
            (&format!("{ONE}[recording]\nkey_file = \"a.key\""), "nothing to encrypt"),
            (&format!("{ONE}[dtls]\ncert_file = \"a.pem\""), "both"),
        ] {
            let error = settings(text, &[]).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn an_interface_has_a_name_and_perhaps_another_address_outside() {
        let parsed: InterfaceArg = "ext/10.0.0.5=203.0.113.7".parse().unwrap();
        assert_eq!((parsed.name.as_str(), parsed.bind.to_string().as_str()), ("ext", "10.0.0.5"));
        assert_eq!(parsed.advertised.to_string(), "203.0.113.7");
        assert_eq!("ext/10.0.0.5!203.0.113.7".parse(), Ok(parsed));
        let bare: InterfaceArg = "::1".parse().unwrap();
        assert_eq!((bare.name.as_str(), bare.bind), ("default", bare.advertised));
        for wrong in ["/10.0.0.5", "ext/", "ext/eth0", "ext/0.0.0.0", "ext/10.0.0.5="] {
            assert!(wrong.parse::<InterfaceArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_of_ports_goes_upwards() {
        assert_eq!("30000-30999".parse(), Ok(PortsArg { first: 30_000, last: 30_999 }));
        for wrong in ["30000", "30999-30000", "30000-30000", "a-b", "30000-99999"] {
            assert!(wrong.parse::<PortsArg>().is_err(), "{wrong}");
        }
    }
}
