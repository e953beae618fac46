//! Wiring: store, journal, media, signalling, desk and the door, in this order; and the stop, in the other.

mod house;
mod parts;
mod reload;
mod traces;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use axum_server::tls_rustls::RustlsConfig;
use control_api::ApiState;
use desk::{Desk, DeskConfig, DeskHandle, Parts, SoundNames};
use media::plane::Plane;
use media::prompt::tones::{Plan, Tone};
use media::record::Formats;
use prometheus::{IntCounterVec, Registry};
use signaling::service::{Algorithm, Signaling, SignalingConfig, SignalingControl, TlsIdentity};
use store::{Journal, JournalConfig, Store};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, DigestFile, RecordingFormat};
use crate::finisher::Finisher;
use crate::legs::{Legs, OfAppliance};
use crate::logging::LevelHandle;
use crate::recordings;
use crate::sounds::Library;
use crate::systems::HttpSystems;
use crate::{ask, clock, init, metrics, secret, tls, users};

use house::House;
pub use parts::driver_config;
use parts::{listeners, origins, plane_config};

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
    systems: Arc<HttpSystems>,
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
            named_sounds: Arc::new({
                let sounds = sounds.clone();
                move |name: &str| sounds.named(name)
            }),
            announce: Arc::new(Plan::default().tone(Tone::TwoTone)?),
            codecs: config.sip.codecs.clone(),
            annexb: config.sip.g729_annexb,
            calls_max: usize::try_from(config.sip.calls_max)?,
            user_agent: format!("Patchbay/{}", env!("CARGO_PKG_VERSION")),
            trace: config.trace.for_signaling()?,
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
        let systems = Arc::new(HttpSystems::new(&config.flows)?);
        let (control, sip_counters) = (signaling.control(), signaling.counters());
        let (tracer, traces) = (signaling.tracer(), signaling.traces);
        let desk = Desk::start(
            DeskConfig {
                sounds: SoundNames(Arc::new({
                    let sounds = sounds.clone();
                    move || sounds.names()
                })),
                language: config.language.spoken(),
                tenant,
                realm: config.sip.realm.clone(),
                phone_srtp: config.sip.phone_srtp,
                phone_missing_max: match config.sip.phone_missing_minutes {
                    0 => None,
                    minutes => Some(Duration::from_secs(u64::from(minutes) * 60)),
                },
                auth: desk::auth::AuthConfig {
                    key_lifetime_max: config.key_lifetime_max,
                    ..Default::default()
                },
            },
            Parts {
                store: store.clone(),
                journal: journal.clone(),
                orders: signaling.orders,
                facts: signaling.facts,
                finisher: Arc::new(finisher),
                systems: systems.clone(),
                speaking: Arc::new(sounds.clone()),
                clock: Arc::new(clock::DeskClock),
                entropy: Arc::new(secret::fill),
                registry: registry.clone(),
            },
        )
        .await
        .context("cannot start the desk")?;

        tokio::spawn(traces::keep(desk.clone(), store.clone(), traces, config.trace.keep));
        let accepts = Arc::new(AtomicBool::new(true));
        let reloads = metrics::reloads(&registry)?;
        metrics::register(&registry, plane.handle(), sip_counters, &config, &tls_files.cert)?;
        let house = House {
            plane: plane.clone(),
            accepts: accepts.clone(),
            tracer,
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
            systems,
            reloads,
            socket,
        })
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
            first = thread.first,
            "media thread"
        );
        if let Some(why) = &thread.refused {
            tracing::warn!(why, "io_uring is refused here: packets go by recvmmsg and sendmmsg");
        }
    }
}
