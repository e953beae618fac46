//! What the configuration means to the parts that are started.

use media::driver::{DriverChoice, DriverConfig};
use media::plane::{self, PlaneConfig};
use media::record::Vault;
use signaling::service::{Listener, Transport};

use crate::config::{Config, DriverFile};

/// The driver that the configuration names.
pub fn driver_config(driver: DriverFile) -> DriverConfig {
    let choice = match driver {
        DriverFile::Auto => DriverChoice::Auto,
        DriverFile::Uring => DriverChoice::Uring,
        DriverFile::Mmsg => DriverChoice::Mmsg,
    };
    DriverConfig { choice, ..DriverConfig::default() }
}

pub(super) fn plane_config(config: &Config, vault: &Vault) -> PlaneConfig {
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

pub(super) fn listeners(config: &Config) -> Vec<Listener> {
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
pub(super) fn origins(config: &Config) -> Vec<String> {
    let ports: Vec<u16> = config.http_listen.iter().map(|a| a.port()).collect();
    let origin = |name: &String| {
        ports
            .iter()
            .map(|p| if *p == 443 { format!("https://{name}") } else { format!("https://{name}:{p}") })
            .collect::<Vec<_>>()
    };
    config.http_names.iter().flat_map(origin).collect()
}
