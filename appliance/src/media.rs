//! The media plane alone, commanded by a SIP proxy over NG (MEDIA-15).

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use media::plane::{self, Plane, PlaneConfig};
use ng::{Config, Server, Surroundings, session};

use crate::cli::MediaArgs;
use crate::{clock, run, secret};

/// An address for media with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceArg {
    name: String,
    bind: IpAddr,
    advertised: IpAddr,
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
    first: u16,
    last: u16,
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

/// The system's randomness, for keys and ids.
struct Chance;

impl session::Chance for Chance {
    fn fill(&mut self, octets: &mut [u8]) {
        secret::fill(octets);
    }
}

/// Runs until it is told to end.
pub async fn run(args: MediaArgs) -> Result<()> {
    let mut names: Vec<&str> = args.interface.iter().map(|i| i.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("--interface {}: the name is given twice", twice[0]);
    }
    if let Some(folder) = &args.recordings {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let server = Server::bind(config(&args)).await.context("cannot serve NG; see --ng")?;
    let plane = Plane::start(plane_config(&args)).context("cannot start the media plane")?;
    run::tell_threads(&plane);
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
    let status = server.status();
    let stop = async {
        let why = run::interrupted().await;
        tracing::info!(signal = why, calls = status.read().calls, "stopping: all calls end");
    };
    server.run(around, stop).await;
    drop(plane);
    tracing::info!("stopped");
    Ok(())
}

fn config(args: &MediaArgs) -> Config {
    let interface = |i: &InterfaceArg| session::Interface { name: i.name.clone(), bind: i.bind };
    Config {
        listen: args.ng.clone(),
        session: session::Config {
            interfaces: args.interface.iter().map(interface).collect(),
            calls_max: args.calls_max,
            recordings: args.recordings.clone(),
            ..session::Config::default()
        },
        sounds: args.sounds.clone(),
    }
}

fn plane_config(args: &MediaArgs) -> PlaneConfig {
    let threads = args.threads.unwrap_or_else(|| PlaneConfig::default().threads);
    PlaneConfig {
        threads,
        pin: std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= threads),
        interfaces: args
            .interface
            .iter()
            .map(|i| plane::Interface { bind: i.bind, advertised: i.advertised })
            .collect(),
        port_min: args.ports.first,
        port_max: args.ports.last,
        ice_port: Some(args.browser_port),
        ..PlaneConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
