//! The command line. `patchbay COMMAND --help` teaches each one.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A contact-centre appliance: takes calls over SIP, gives each to the right agent, records and measures them.
#[derive(Debug, Parser)]
#[command(
    name = "patchbay",
    version,
    max_term_width = 100,
    after_help = "First time here:\n  patchbay demo                     a self-contained appliance with a simulated caller\n  patchbay init && patchbay run     a real one; `patchbay doctor` says what is missing"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which configuration file.
#[derive(Clone, Debug, Args)]
pub struct ConfigArg {
    /// The configuration file.
    #[arg(
        short,
        long,
        global = true,
        env = "PATCHBAY_CONFIG",
        default_value = "/etc/patchbay/patchbay.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a configuration file, make the database, and create the first administrator.
    ///
    /// Nothing that exists is overwritten. The administrator's password is shown once.
    #[command(
        after_help = "Example:\n  patchbay init --tenant \"Example Ltd\" --config ./patchbay.toml --data-dir ./data"
    )]
    Init {
        /// Which configuration file.
        #[command(flatten)]
        config: ConfigArg,
        /// Where database, recordings and certificates go; written into a new configuration file.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Name of the customer this appliance works for.
        #[arg(long, default_value = "Main")]
        tenant: String,
        /// User name of the first administrator.
        #[arg(long, default_value = "admin")]
        admin: String,
    },
    /// Run the appliance in the foreground until SIGTERM or Ctrl-C.
    ///
    /// The first signal takes no new calls and waits for those in progress (at most 5 minutes); a second one ends them.
    /// SIGHUP reads the configuration again; a file with an error changes nothing.
    Run {
        /// Which configuration file.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Run a self-contained appliance with a simulated customer who calls every few seconds.
    ///
    /// Everything lives in a temporary folder that is removed at the end. Needs SIPp (Debian package sip-tester).
    Demo {
        /// Address of the console; 0.0.0.0 lets other machines in.
        #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
        listen: std::net::IpAddr,
        /// Port of the console.
        #[arg(long, default_value_t = 8443)]
        https_port: u16,
        /// Port of SIP, on 127.0.0.1 only.
        #[arg(long, default_value_t = 5062)]
        sip_port: u16,
        /// First of 2000 media ports.
        #[arg(long, default_value_t = 34_000)]
        media_port: u16,
        /// Seconds between two calls.
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
        every: u64,
    },
    /// Read a configuration file as `run` would and say what is wrong with it.
    CheckConfig {
        /// Which configuration file.
        #[command(flatten)]
        config: ConfigArg,
        /// Also print every value in force.
        #[arg(long)]
        print: bool,
    },
    /// Create and change users.
    User {
        /// Which configuration file.
        #[command(flatten)]
        config: ConfigArg,
        /// What to do.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Prove what a recording holds, and change the key that recordings are encrypted with.
    Recording {
        /// Which configuration file.
        #[command(flatten)]
        config: ConfigArg,
        /// The configuration file of a media node, in the place of an appliance's.
        #[arg(long, global = true, value_name = "FILE")]
        media: Option<PathBuf>,
        /// What to do.
        #[command(subcommand)]
        command: RecordingCommand,
    },
    /// Show whether the running appliance is well, and what it does.
    Status {
        /// How to ask and show.
        #[command(flatten)]
        ask: Ask,
    },
    /// List the calls in progress.
    Calls {
        /// How to ask and show.
        #[command(flatten)]
        ask: Ask,
    },
    /// Show the queues: who waits, how long, how many agents there are for them.
    #[command(
        after_help = "Keys of --watch on a terminal: q quits, s sorts by the next key, r turns the order round.\n\nExamples:\n  patchbay queues --watch\n  patchbay queues --json | jq '.items[] | select(.waiting > 5)'"
    )]
    Queues(QueuesArgs),
    /// Say why a caller waits, rings or rang at an agent's: who may take it, who lost on what, what comes next, what would help.
    ///
    /// Without an interaction: everybody who waits now. The past is worked out from the journal.
    #[command(
        after_help = "Examples:\n  patchbay explain                                  everybody who waits\n  patchbay explain interaction_0198f1c2-…           one, as it is now\n  patchbay explain interaction_0198f1c2-… --offer 1  whom the floor chose first, among whom, and why\n  patchbay explain interaction_0198f1c2-… --at 2026-11-22T07:30"
    )]
    Explain(ExplainArgs),
    /// Show what went over the wire for a call: every SIP message, from and to whom, and when.
    ///
    /// Of a call in progress as well. Keys of media, passwords and keys that were pressed are blotted out.
    #[command(
        after_help = "Examples:\n  patchbay trace interaction_0198f1c2-…                  one line a message\n  patchbay trace interaction_0198f1c2-… --whole          with all their words\n  patchbay trace interaction_0198f1c2-… --pcap call.pcap  for Wireshark"
    )]
    Trace(TraceArgs),
    /// Decide the journal again and say whether it comes out the same; or try the time under other rules.
    ///
    /// Reads the database only, also while the appliance runs. Without other rules it ends with 1 when the journal came out otherwise.
    /// With other rules it shows service level, abandonment, waits and occupancy: as recorded, as a twin has it with nothing changed, and
    /// with the change.
    #[command(
        after_help = "Examples:\n  patchbay replay --from 2026-11-21 --to 2026-11-22\n  patchbay replay --from 1d --agents '2@german >= 7, billing'\n  patchbay replay --from 1d --requirement 'Hotline=german >= 5' --ring-time 15\n  patchbay replay --from 7d --current                the past under today's configuration"
    )]
    Replay(ReplayArgs),
    /// Run as a media node in rtpengine's place: a SIP proxy commands it over NG (Kamailio's and OpenSIPS' rtpengine modules).
    ///
    /// No store, no console, no SIP of its own. Ends with SIGTERM or Ctrl-C, and all calls with it.
    #[command(
        after_help = "Examples:\n  patchbay media --config /etc/patchbay/media.toml\n  patchbay media --ng 10.0.0.5:2223 --interface internal/10.0.0.5 --interface external/10.0.0.6=203.0.113.7\n  patchbay media top                              watch the live legs of the appliance on this machine\n  patchbay media top --node 127.0.0.1:9090        … of a media node\n\nNG has no authentication: listen only where proxies are. docs/protocols/ng.md says what is understood."
    )]
    Media(MediaArgs),
    /// Check this machine: ports, limits, clock, disk, certificate, database. Says what to do about each finding.
    Doctor {
        /// Which configuration file.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// How to run as a media node. What is left out is as the file says, or as `--print-defaults` shows.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MediaArgs {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub command: Option<MediaCommand>,
    /// The node's configuration file; without it only flags and defaults count.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say what is wrong with file and flags, and end.
    #[arg(long)]
    pub check_config: bool,
    /// Show a file with all keys, documented, at their defaults, and end.
    #[arg(long)]
    pub print_defaults: bool,
    /// Address and UDP port that proxies speak NG to; may be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub ng: Vec<std::net::SocketAddr>,
    /// An address for media, as `NAME/ADDRESS` or `NAME/ADDRESS=ADVERTISED` behind one-to-one NAT; proxies choose by name
    /// in `direction`. May be given more than once; the first of a family is the default.
    #[arg(long, value_name = "NAME/ADDRESS[=ADVERTISED]")]
    pub interface: Vec<crate::media::settings::InterfaceArg>,
    /// First and last UDP port for media.
    #[arg(long, value_name = "FIRST-LAST")]
    pub ports: Option<crate::media::settings::PortsArg>,
    /// UDP port for browsers; each media thread takes one more.
    #[arg(long)]
    pub browser_port: Option<u16>,
    /// Media threads.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Calls at once.
    #[arg(long)]
    pub calls_max: Option<u32>,
    /// Folder for recordings; without it recording is refused.
    #[arg(long, value_name = "DIR")]
    pub recordings: Option<PathBuf>,
    /// Folder of the WAV files that `play media` may name; without it they are refused.
    #[arg(long, value_name = "DIR")]
    pub sounds: Option<PathBuf>,
    /// HTTP address of /metrics, /legs, /livez and /readyz; may be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub watch: Vec<std::net::SocketAddr>,
    /// Log level, also by part: `info`, `debug`, `info,ng=debug`.
    #[arg(long)]
    pub log: Option<String>,
}

/// What can be done with a media plane that runs.
#[derive(Debug, Subcommand)]
pub enum MediaCommand {
    /// Watch live media legs: what each sends and gets, how it sounds, what carries it. Refreshed every second.
    ///
    /// Asks the appliance on this machine over its control socket, as its owner or root, or a media node over HTTP. However many
    /// watch, legs are looked at once a second, and no packet waits for it.
    #[command(
        after_help = "Columns:\n  CODEC, PKT/S and KBIT/S are in/out, of RTP without IP and UDP; LOSS and JITTER are of what comes in.\n  BUFFER is the wait in the jitter buffer, where a voice is decoded. MOS is 1 to 4.5, of what comes in.\n  CARRIED says whether packets go through user space or are forwarded by the kernel.\n  R recorded, M muted, V video.\n\nKeys: q quits, s sorts by the next key, r turns the order round.\nOutput that is no terminal gets plain text; NO_COLOR is honoured.\n\nExamples:\n  patchbay media top --sort loss\n  patchbay media top --trunk carrier --once\n  patchbay media top --once --json | jq '.items[] | select(.mos < 3.5)'\n  patchbay media top --node 127.0.0.1:9090 --call 7c2f"
    )]
    Top(TopArgs),
}

/// What to watch, and how.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// Which appliance: its configuration file says where the control socket is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Watch the media node that serves HTTP at this address ([watch] listen) instead.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub node: Option<std::net::SocketAddr>,
    /// Show it once and end.
    #[arg(long)]
    pub once: bool,
    /// Print JSON, one object a look: what the API gives, filtered and sorted.
    #[arg(long)]
    pub json: bool,
    /// What comes first: the worst, the most, the oldest.
    #[arg(long, value_enum, default_value_t = crate::top::SortBy::Mos, value_name = "KEY")]
    pub sort: crate::top::SortBy,
    /// The other way round.
    #[arg(long)]
    pub reverse: bool,
    /// Only calls whose id contains this.
    #[arg(long, value_name = "TEXT")]
    pub call: Option<String>,
    /// Only calls over trunks whose name contains this: all their legs.
    #[arg(long, value_name = "NAME")]
    pub trunk: Option<String>,
}

/// Which queues, and how to show them.
#[derive(Debug, Args)]
pub struct QueuesArgs {
    /// How to ask and show.
    #[command(flatten)]
    pub ask: Ask,
    /// Show them again every second.
    #[arg(short, long)]
    pub watch: bool,
    /// What comes first.
    #[arg(long, value_enum, default_value_t = crate::queues::SortBy::Wait, value_name = "KEY")]
    pub sort: crate::queues::SortBy,
    /// The other way round.
    #[arg(long)]
    pub reverse: bool,
    /// Only services whose name contains this.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}

/// Whom to explain, at which moment.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Which one; `patchbay calls` and the records name them.
    #[arg(value_name = "INTERACTION")]
    pub interaction: Option<String>,
    /// Just before it was offered the nth time: a number from 1, or last.
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub offer: Option<String>,
    /// As it was then: 2026-11-22T07:30 (UTC), milliseconds since 1970, or 30m, 2h, 7d for so long ago.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// How to ask and show.
    #[command(flatten)]
    pub ask: Ask,
}

/// Whose messages to show, and how.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// Which call; `patchbay calls` and the records name them.
    #[arg(value_name = "INTERACTION")]
    pub interaction: String,
    /// Every message with all its words.
    #[arg(long)]
    pub whole: bool,
    /// Write a capture file instead.
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<std::path::PathBuf>,
    /// How to ask and show.
    #[command(flatten)]
    pub ask: Ask,
}

/// Which time, and what is to be different.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Which appliance: its configuration file says where the database is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// From when: 2026-11-22T07:30 (UTC), milliseconds since 1970, or 30m, 2h, 7d for so long ago. Without it the last day.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when; now without it.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Use today's services, groups and users in the place of those of the time.
    #[arg(long)]
    pub current: bool,
    /// Another requirement: `Hotline=german >= 7 and not trainee`. May be given more than once.
    #[arg(long, value_name = "SERVICE=TEXT")]
    pub requirement: Vec<String>,
    /// Another priority, 0 to 1000. May be given more than once.
    #[arg(long, value_name = "SERVICE=POINTS")]
    pub priority: Vec<String>,
    /// Another order of waiting: ageing, deadline or slopes. May be given more than once.
    #[arg(long, value_name = "SERVICE=ORDER")]
    pub order: Vec<String>,
    /// Agents more, there and Ready all the time: `2@german >= 7, billing`. May be given more than once.
    #[arg(long, value_name = "COUNT@SKILLS")]
    pub agents: Vec<String>,
    /// Seconds one agent is rung, for all services.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(5..=300))]
    pub ring_time: Option<u64>,
    /// How many agents are rung at once for one caller, for all services; 0: all who are free.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub ring: Option<u32>,
    /// Of the chance in what has to be assumed: the same seed gives the same day.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print JSON for programs instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// How to ask the running appliance, and how to show the answer.
#[derive(Debug, Args)]
pub struct Ask {
    /// Which configuration file: it says where the control socket is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Print JSON for programs instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What can be done with recordings while the appliance runs or not.
#[derive(Debug, Subcommand)]
pub enum RecordingCommand {
    /// Read a recording from front to end and say whether it is complete: hash chain, frames, what is missing, pauses.
    ///
    /// Ends with 1 when it is not.
    #[command(after_help = "Example:\n  patchbay recording verify rec_01jd8k3t5v6w7x8y9z0a1b2c3d")]
    Verify {
        /// A recording's id, or a container's file.
        #[arg(value_name = "ID|FILE")]
        recording: String,
        /// All of it, as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a new tenant key, wrap every recording's key with it, and forget the old one.
    RenewKey,
}

/// What can be done with users while the appliance runs or not.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List users.
    List,
    /// Create a user; the password is made and shown once.
    Add {
        /// User name for sign-in.
        login: String,
        /// Name that colleagues see; the login when left out.
        #[arg(long)]
        name: Option<String>,
        /// agent, supervisor or administrator.
        #[arg(long, default_value = "agent", value_parser = ["agent", "supervisor", "administrator"])]
        role: String,
        /// Internal number, 2 to 8 digits.
        #[arg(long)]
        extension: Option<String>,
    },
    /// Give a user a new password, made and shown once.
    Password {
        /// User name for sign-in.
        login: String,
    },
}
