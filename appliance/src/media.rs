//! The media plane alone, commanded by a SIP proxy over NG (MEDIA-15).

pub mod settings;
mod watch;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use media::ice::Certificate;
use media::plane::{self, Plane, PlaneConfig};
use media::record::Vault;
use ng::{Config, Server, Surroundings, session};
use prometheus::Registry;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use self::settings::Settings;
use crate::legs::{Legs, OfNode};
use crate::recordings::{self, Place};
use crate::{clock, metrics, run, secret};

/// The system's randomness, for keys and ids.
struct Chance;

impl session::Chance for Chance {
    fn fill(&mut self, octets: &mut [u8]) {
        secret::fill(octets);
    }
}

/// Runs until it is told to end.
pub async fn run(settings: Settings) -> Result<()> {
    if let Some(folder) = &settings.recordings {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let server = Server::bind(config(&settings)).await.context("cannot serve NG; see [ng] listen")?;
    let (status, owners) = (server.status(), server.owners());
    let vault = match place(&settings) {
        Some(place) => Some(recordings::vault(&place).context("see [recording] key_file")?),
        None => None,
    };
    let plane = Plane::start(plane_config(&settings, vault)?).context("cannot start the media plane")?;
    run::tell_threads(&plane);
    let registry = Registry::new();
    // Each address has the whole range; a pair begins at an even port.
    let pairs = (settings.ports.first..settings.ports.last).filter(|port| port.is_multiple_of(2)).count();
    let pairs = pairs * settings.interfaces.len();
    metrics::register_media(&registry, plane.handle(), pairs)?;
    registry.register(Box::new(watch::Proxies::new(status.clone())?))?;
    let legs = Legs::new(plane.handle(), Box::new(OfNode(owners)));
    watch::serve(&settings.watch, registry, status.clone(), settings.calls_max, legs).await?;
    let around = Surroundings {
        plane: plane.handle(),
        events: plane.events(),
        clock: Arc::new(clock::now),
        chance: Box::new(Chance),
    };
    for address in server.addresses()? {
        tracing::info!(%address, "NG");
    }
    tracing::info!("ready");
    let stop = async {
        let why = run::interrupted().await;
        tracing::info!(signal = why, calls = status.read().calls, "stopping: all calls end");
    };
    server.run(around, stop).await;
    drop(plane);
    tracing::info!("stopped");
    Ok(())
}

/// Reads what `run` would read, without starting anything.
pub fn check(settings: &Settings) -> Result<()> {
    let key = settings.recording_key_file.as_ref().filter(|file| file.exists());
    let vault = key.map(|file| Vault::open(file)).transpose().context("see [recording] key_file")?;
    plane_config(settings, vault).map(drop)
}

fn config(settings: &Settings) -> Config {
    let interface = |i: &settings::InterfaceArg| session::Interface { name: i.name.clone(), bind: i.bind };
    Config {
        listen: settings.ng.clone(),
        session: session::Config {
            interfaces: settings.interfaces.iter().map(interface).collect(),
            calls_max: settings.calls_max,
            delete_delay: settings.delete_delay,
            silent_after: settings.silent_after,
            held_after: settings.held_after,
            offered_after: settings.offered_after,
            recordings: settings.recordings.clone(),
            ..session::Config::default()
        },
        sounds: settings.sounds.clone(),
    }
}

/// Where encrypted recordings are, if any are made.
fn place(settings: &Settings) -> Option<Place> {
    let (dir, key_file) = (settings.recordings.clone()?, settings.recording_key_file.clone()?);
    Some(Place { dir, key_file })
}

fn plane_config(settings: &Settings, recording_keys: Option<Vault>) -> Result<PlaneConfig> {
    let certificate = settings.dtls.as_ref().map(|(cert, key)| certificate(cert, key)).transpose()?;
    Ok(PlaneConfig {
        threads: settings.threads,
        pin: std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= settings.threads),
        interfaces: settings
            .interfaces
            .iter()
            .map(|i| plane::Interface { bind: i.bind, advertised: i.advertised })
            .collect(),
        port_min: settings.ports.first,
        port_max: settings.ports.last,
        ice_port: Some(settings.browser_port),
        certificate,
        recording_keys,
        driver: run::driver_config(settings.driver),
        fast_path: settings
            .fast_path
            .clone()
            .map(|links| plane::FastPathConfig { links, ..plane::FastPathConfig::default() }),
        ..PlaneConfig::default()
    })
}

fn certificate(cert: &Path, key: &Path) -> Result<Certificate> {
    let bad = |file: &Path| format!("{}: see [dtls] cert_file and key_file", file.display());
    let der = CertificateDer::from_pem_file(cert).with_context(|| bad(cert))?;
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| bad(key))?;
    Certificate::from_der(der.to_vec(), private.secret_der().to_vec()).with_context(|| bad(cert))
}
