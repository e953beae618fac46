//! Wiring: store, journal, media, signalling, desk and the door, in this order; and the stop, in the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use axum_server::tls_rustls::RustlsConfig;
use control_api::wire::legs::MediaLegs;
use control_api::{ApiState, PartHealth, Soon};
use desk::{Desk, DeskConfig, DeskHandle, Parts};
use media::driver::{DriverChoice, DriverConfig};
use media::plane::{self, Plane, PlaneConfig};
use media::prompt::tones::{Plan, Tone};
use media::record::{Formats, Vault};
use model::media::Codec;
use prometheus::{IntCounterVec, Registry};
use signaling::service::{
    Algorithm, Listener, Signaling, SignalingConfig, SignalingControl, TlsIdentity, Transport,
};
use store::{Journal, JournalConfig, Store};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, DigestFile, DriverFile, RecordingFormat};
use crate::finisher::Finisher;
use crate::legs::{Legs, OfAppliance};
use crate::logging::LevelHandle;
use crate::recordings;
use crate::sounds::Library;
use crate::{ask, clock, init, metrics, secret, tls, users};

/// How long the first signal waits for calls to end.
const DRAIN_MAX: Duration = Duration::from_secs(300);

/// A running appliance.
pub struct Appliance {
    config: Config,
    desk: DeskHandle,
    signaling: SignalingControl,
    store: Store,
    journal: Journal,
    plane: Arc<Plane>,
    https: axum_server::Handle<std::net::SocketAddr>,
    certificate: RustlsConfig,
    accepts: Arc<AtomicBool>,
    level: LevelHandle,
    sounds: Library,
    reloads: IntCounterVec,
    socket: PathBuf,
}

/// Runs until a signal says stop.
pub async fn run(config: Config, file: Option<PathBuf>, level: LevelHandle) -> Result<()> {
    let appliance = Appliance::start(config, file.clone(), level).await?;
    let mut hangup = signal(SignalKind::hangup())?;
    let why = loop {
        tokio::select! {
            why = interrupted() => break why,
            _ = hangup.recv() => match &file {
                Some(file) => appliance.reload(file).await,
                None => tracing::warn!("there is no configuration file to read again"),
            },
        }
    };
    tracing::info!(
        signal = why,
        "stopping: no new calls, waiting for those in progress; a second signal ends them"
    );
    let patience = async {
        appliance.drain().await;
    };
    tokio::select! {
        () = patience => {}
        again = interrupted() => tracing::warn!(signal = again, "stopping at once"),
        () = tokio::time::sleep(DRAIN_MAX) => tracing::warn!("calls did not end in time"),
    }
    appliance.stop(Duration::from_secs(1)).await;
    Ok(())
}

/// Waits for SIGINT or SIGTERM and says which.
pub async fn interrupted() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

impl Appliance {
    /// Starts everything; when it returns, calls are taken.
    pub async fn start(config: Config, file: Option<PathBuf>, level: LevelHandle) -> Result<Self> {
        init::folders(&config)?;
        let tls_files = tls::files(&config)?;
        let sounds = Library::load(config.sounds_dir.as_deref(), config.language, config.tones)?;
        let store = Store::open(&config.database_url)
            .await
            .context("cannot open the database; see [database] url")?;
        let tenant = users::only_tenant(&store).await?;
        let journal = Journal::open(&store, JournalConfig::at(config.data_dir.join("journal.spool")))
            .await
            .context("cannot open the journal")?;
        let registry = Registry::new();

        let vault = recordings::vault(&recordings::Place::of(&config))
            .context("cannot use the key of recordings; see [recording] key_file")?;
        let plane = Arc::new(
            Plane::start(plane_config(&config, &vault))
                .context("cannot start the media plane; see [media]")?,
        );
        let media_events = plane.events().context("the media plane gives its events once")?;
        tell_threads(&plane);

        let signaling_config = SignalingConfig {
            listeners: listeners(&config),
            tls: Some(TlsIdentity {
                chain_pem: std::fs::read(&tls_files.cert)?,
                key_pem: std::fs::read(&tls_files.key)?,
            }),
            recordings: config.recordings_dir.clone(),
            sounds: Arc::new({
                let sounds = sounds.clone();
                move |sound| sounds.get(sound)
            }),
            announce: Arc::new(Plan::default().tone(Tone::TwoTone)?),
            codecs: vec![Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu],
            calls_max: usize::try_from(config.sip.calls_max)?,
            user_agent: format!("Patchbay/{}", env!("CARGO_PKG_VERSION")),
            clock: Arc::new(clock::now),
            random: Arc::new(secret::fill),
        };
        let digest = config
            .sip
            .digest
            .iter()
            .map(|algorithm| match algorithm {
                DigestFile::Sha256 => Algorithm::Sha256,
                DigestFile::Md5 => Algorithm::Md5,
            })
            .collect();
        let signaling =
            Signaling::start_offering(digest, signaling_config, Arc::new(plane.handle()), media_events)
                .await
                .context("cannot start SIP; see [sip]")?;
        for bound in signaling.listeners() {
            tracing::info!(?bound, "SIP");
        }

        let formats = Formats {
            wav: config.recording_formats.contains(&RecordingFormat::Wav),
            opus: config.recording_formats.contains(&RecordingFormat::Opus),
            mp3: false,
        };
        let finisher = Finisher::new(
            config.recordings_dir.clone(),
            formats,
            vault,
            config.recording_workers,
            store.clone(),
        );
        let (control, sip_counters) = (signaling.control(), signaling.counters());
        let desk = Desk::start(
            DeskConfig {
                tenant,
                realm: config.sip.realm.clone(),
                phone_srtp: config.sip.phone_srtp,
                auth: desk::auth::AuthConfig::default(),
            },
            Parts {
                store: store.clone(),
                journal: journal.clone(),
                orders: signaling.orders,
                facts: signaling.facts,
                finisher: Arc::new(finisher),
                clock: Arc::new(clock::DeskClock),
                entropy: Arc::new(secret::fill),
                registry: registry.clone(),
            },
        )
        .await
        .context("cannot start the desk")?;

        let accepts = Arc::new(AtomicBool::new(true));
        let reloads = metrics::reloads(&registry)?;
        metrics::register(&registry, plane.handle(), sip_counters, &config, &tls_files.cert)?;
        let house = House {
            plane: plane.clone(),
            accepts: accepts.clone(),
            recordings: config.recordings_dir.clone(),
            legs: Legs::new(
                plane.handle(),
                Box::new(OfAppliance { signaling: control.clone(), desk: desk.clone() }),
            ),
        };
        let state = ApiState {
            desk: desk.clone(),
            counters: control_api::Counters::new(&registry)?,
            registry,
            appliance: Arc::new(house),
            version: env!("CARGO_PKG_VERSION"),
            started: clock::now(),
            origins: origins(&config).into(),
        };
        let router = control_api::router(state);
        let certificate = RustlsConfig::from_pem_file(&tls_files.cert, &tls_files.key)
            .await
            .with_context(|| format!("{} and its key cannot be used", tls_files.cert.display()))?;
        let https = axum_server::Handle::new();
        for address in &config.http_listen {
            let listener = std::net::TcpListener::bind(address).with_context(|| {
                format!("cannot listen on {address}; see [http] listen, and `ss -lntp` for who does")
            })?;
            listener.set_nonblocking(true)?;
            let server = axum_server::from_tcp_rustls(listener, certificate.clone())?
                .handle(https.clone())
                .serve(router.clone().into_make_service_with_connect_info::<std::net::SocketAddr>());
            tokio::spawn(server);
            tracing::info!(%address, "console and API");
        }
        let socket = ask::socket(&config);
        serve_operator(&socket, router)?;
        tracing::info!(config = file.map(|f| f.display().to_string()), "ready");
        Ok(Self {
            config,
            desk,
            signaling: control,
            store,
            journal,
            plane,
            https,
            certificate,
            accepts,
            level,
            sounds,
            reloads,
            socket,
        })
    }

    /// Reads the configuration again. What can change at once does; an error changes nothing.
    async fn reload(&self, file: &std::path::Path) {
        let read = Config::read(file).map_err(anyhow::Error::from);
        let read = read.and_then(|new| self.level.set(&new.log.level).map(|()| new));
        let new = match read {
            Ok(new) => new,
            Err(error) => {
                self.reloads.with_label_values(&["refused"]).inc();
                let error = format!("{error:#}");
                return tracing::error!(error, "the configuration was not reloaded, the old one stays");
            }
        };
        self.reloads.with_label_values(&["taken"]).inc();
        match tls::files(&new) {
            Ok(files) => {
                if let Err(error) = self.certificate.reload_from_pem_file(&files.cert, &files.key).await {
                    tracing::error!(%error, "the certificate was not reloaded, the old one stays");
                }
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the certificate was not reloaded, the old one stays"
            ),
        }
        if let Err(error) = self.sounds.reload(new.sounds_dir.as_deref(), new.language, new.tones) {
            tracing::error!(error = format!("{error:#}"), "the sounds were not reloaded, the old ones stay");
        }
        if let Err(error) = self.desk.reload().await {
            tracing::error!(%error, "users and services were not read again");
        }
        let restart: Vec<&str> = [
            ("http.listen", new.http_listen != self.config.http_listen),
            ("database.url", new.database_url != self.config.database_url),
            ("sip", new.sip != self.config.sip),
            (
                "media",
                new.interfaces != self.config.interfaces
                    || new.ports != self.config.ports
                    || new.driver != self.config.driver,
            ),
            ("recording", new.recordings_dir != self.config.recordings_dir),
        ]
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
        .collect();
        tracing::info!(needs_restart = restart.join(", "), "configuration reloaded");
    }

    /// Takes no new calls and waits for those in progress.
    async fn drain(&self) {
        self.accepts.store(false, Ordering::Relaxed);
        self.signaling.drain().await;
        self.desk.admit(false).await;
        while self.desk.calls().await.is_ok_and(|calls| !calls.is_empty()) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends everything. What happened is written before it returns.
    pub async fn stop(self, grace: Duration) {
        self.signaling.stop().await;
        // The last facts are on their way through the desk into the journal.
        tokio::time::sleep(grace.max(Duration::from_millis(200))).await;
        self.https.graceful_shutdown(Some(grace));
        self.journal.close().await;
        self.store.close().await;
        drop(self.plane);
        // Nothing to tell the operator when it is gone already.
        let _ = std::fs::remove_file(&self.socket);
        tracing::info!("stopped");
    }
}

/// The operator's door: the same routes on a socket that only the owner of the data folder can open.
fn serve_operator(socket: &std::path::Path, router: axum::Router) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // A socket left by a killed process refuses nothing but bind.
    let _ = std::fs::remove_file(socket);
    let listener = tokio::net::UnixListener::bind(socket)
        .with_context(|| format!("cannot listen on {}", socket.display()))?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    let router = router.layer(axum::Extension(control_api::LocalOperator));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the control socket ended");
        }
    });
    Ok(())
}

/// Says in the log what moves packets.
pub fn tell_threads(plane: &Plane) {
    if let Some(trial) = plane.info().trial {
        tracing::info!(found = trial.summary(), "trial of the media drivers");
    }
    for thread in &plane.info().threads {
        tracing::info!(
            driver = thread.driver.name(),
            core = thread.core,
            refused = thread.refused,
            "media thread"
        );
    }
}

/// The driver that the configuration names.
pub fn driver_config(driver: DriverFile) -> DriverConfig {
    let choice = match driver {
        DriverFile::Auto => DriverChoice::Auto,
        DriverFile::Uring => DriverChoice::Uring,
        DriverFile::Mmsg => DriverChoice::Mmsg,
    };
    DriverConfig { choice, ..DriverConfig::default() }
}

fn plane_config(config: &Config, vault: &Vault) -> PlaneConfig {
    PlaneConfig {
        threads: config.media_threads,
        // With one core there is nothing to pin to that others would leave free.
        pin: std::thread::available_parallelism().is_ok_and(|n| n.get() > config.media_threads),
        interfaces: config
            .interfaces
            .iter()
            .map(|i| plane::Interface { bind: i.bind, advertised: i.advertise })
            .collect(),
        port_min: config.ports.0,
        port_max: config.ports.1,
        ice_port: Some(config.browser_port),
        driver: driver_config(config.driver),
        media_timeout: config.silence_timeout,
        recording_silence: config.recording_silence,
        recording_keys: Some(vault.clone()),
        fast_path: config
            .fast_path
            .clone()
            .map(|links| plane::FastPathConfig { links, ..plane::FastPathConfig::default() }),
        ..PlaneConfig::default()
    }
}

fn listeners(config: &Config) -> Vec<Listener> {
    let first = config.interfaces.first().map_or(std::net::Ipv4Addr::LOCALHOST.into(), |i| i.bind);
    let all = [
        (Transport::Udp, &config.sip.udp),
        (Transport::Tcp, &config.sip.tcp),
        (Transport::Tls, &config.sip.tls),
    ];
    all.into_iter()
        .flat_map(|(transport, binds)| binds.iter().map(move |bind| (transport, *bind)))
        .map(|(transport, bind)| Listener {
            transport,
            bind,
            advertise: config.sip_advertise.map(|ip| (ip, bind.port()).into()),
            // A call's audio goes where its signalling came in, if media is spoken there.
            media: config.interfaces.iter().map(|i| i.bind).find(|ip| *ip == bind.ip()).unwrap_or(first),
        })
        .collect()
}

/// What pages of this appliance say they come from.
fn origins(config: &Config) -> Vec<String> {
    let ports: Vec<u16> = config.http_listen.iter().map(|a| a.port()).collect();
    let origin = |name: &String| {
        ports
            .iter()
            .map(|p| if *p == 443 { format!("https://{name}") } else { format!("https://{name}:{p}") })
            .collect::<Vec<_>>()
    };
    config.http_names.iter().flat_map(origin).collect()
}

/// What the API tells of the parts behind the desk.
struct House {
    plane: Arc<Plane>,
    accepts: Arc<AtomicBool>,
    recordings: PathBuf,
    legs: Legs,
}

/// Below this much room recordings are about to fail.
const DISK_MIN: u64 = 256 << 20;

impl control_api::Appliance for House {
    fn parts(&self) -> Vec<PartHealth> {
        let free = rustix::fs::statvfs(&self.recordings).map(|v| v.f_bavail * v.f_frsize);
        let disk = match free {
            Ok(free) if free < DISK_MIN => Some(format!("only {} MiB left for recordings", free >> 20)),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        let legs: u64 = self.plane.handle().counters().iter().map(|t| t.counters.legs).sum();
        vec![
            PartHealth { name: "media".into(), ok: true, detail: Some(format!("{legs} legs")) },
            PartHealth { name: "disk".into(), ok: disk.is_none(), detail: disk },
        ]
    }
    fn media_driver(&self) -> String {
        let mut names: Vec<&str> = self.plane.info().threads.iter().map(|t| t.driver.name()).collect();
        names.dedup();
        names.join(", ")
    }
    fn accepts_calls(&self) -> bool {
        self.accepts.load(Ordering::Relaxed)
    }
    fn legs(&self) -> Soon<'_, Option<Arc<MediaLegs>>> {
        Box::pin(self.legs.read())
    }
}
