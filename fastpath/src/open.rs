//! Loading the program and putting it on interfaces.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

use aya::maps::{Array, HashMap, Map, MapData};
use aya::programs::{Xdp, XdpFlags};
use aya::{Ebpf, include_bytes_aligned};

use crate::lane::{Interfaces, Lane};
use crate::netlink::{Link, Netlink};
use crate::{FLOWS_MAX, layout};

static PROGRAM: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/relay.o"));

/// Why there is no fast path.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// The binary was built without clang.
    #[error("built without the XDP program: clang was missing")]
    NotBuilt,
    /// CAP_BPF or CAP_NET_ADMIN is missing.
    #[error("not allowed: it needs CAP_BPF and CAP_NET_ADMIN ({0})")]
    NotAllowed(String),
    /// There is none of the interfaces.
    #[error("no Ethernet interface {0}")]
    NoInterface(String),
    /// An interface refused the program: another program is on it, or its driver does not know XDP.
    #[error("{interface} does not take the program: {why}")]
    Interface {
        /// Its name.
        interface: String,
        /// What the kernel said.
        why: String,
    },
    /// The kernel refused something else.
    #[error("the kernel refused: {0}")]
    Kernel(String),
}

impl Why {
    /// For metrics: one of a closed set.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotBuilt => "not_built",
            Self::NotAllowed(_) => "not_allowed",
            Self::NoInterface(_) => "no_interface",
            Self::Interface { .. } => "interface",
            Self::Kernel(_) => "kernel",
        }
    }
}

/// Where in the kernel the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver, before anything is allocated for the packet.
    Native,
    /// Behind the driver, where that does not know XDP: later, and still before the network stack.
    Generic,
}

impl Mode {
    /// For metrics and the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }
}

/// The program on its interfaces, until this is dropped. Belongs to the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct FastPath {
    /// Keeps the program attached.
    _program: Ebpf,
    rules: MapData,
    progress: MapData,
    interfaces: Interfaces,
    modes: Vec<(String, Mode)>,
}

impl FastPath {
    /// Puts the program on these interfaces, natively where the driver can.
    pub fn open(names: &[String]) -> Result<Self, Why> {
        let mut netlink = Netlink::open().map_err(refused)?;
        let mut links = Vec::new();
        for name in names {
            let link = netlink.link(name).map_err(refused)?;
            links.push(link.ok_or_else(|| Why::NoInterface(name.clone()))?);
        }
        Self::attach(links)
    }

    /// The same on the interfaces that have these addresses. Those on no Ethernet interface (the loopback's) are passed over.
    pub fn open_at(addresses: &[IpAddr]) -> Result<Self, Why> {
        let links = Netlink::open().and_then(|mut netlink| netlink.links_with(addresses)).map_err(refused)?;
        if links.is_empty() {
            let all: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
            return Err(Why::NoInterface(format!("with the address {}", all.join(", "))));
        }
        Self::attach(links)
    }

    fn attach(links: Vec<Link>) -> Result<Self, Why> {
        if PROGRAM.is_empty() {
            return Err(Why::NotBuilt);
        }
        let mut loaded = Ebpf::load(PROGRAM).map_err(refused)?;
        let (Some(Map::HashMap(rules)), Some(Map::Array(progress))) =
            (loaded.take_map("rules"), loaded.take_map("progress"))
        else {
            return Err(Why::Kernel("the program has other maps than expected".into()));
        };
        let program: &mut Xdp = match loaded.program_mut("relay").map(TryInto::try_into) {
            Some(Ok(program)) => program,
            _ => return Err(Why::Kernel("the program has another name than expected".into())),
        };
        program.load().map_err(refused)?;
        let mut modes = Vec::new();
        for link in &links {
            let natively = program.attach_to_if_index(link.index, XdpFlags::DRV_MODE).map(|_| Mode::Native);
            let mode = natively.or_else(|_| {
                program.attach_to_if_index(link.index, XdpFlags::SKB_MODE).map(|_| Mode::Generic)
            });
            match mode {
                Ok(mode) => modes.push((link.name.clone(), mode)),
                Err(why) => {
                    return Err(match refused(why) {
                        Why::Kernel(why) => Why::Interface { interface: link.name.clone(), why },
                        other => other,
                    });
                }
            }
        }
        Ok(Self { _program: loaded, rules, progress, interfaces: links.into(), modes })
    }

    /// The interfaces, and how the program runs there.
    pub fn modes(&self) -> &[(String, Mode)] {
        &self.modes
    }

    /// The way of one thread to the program: the `number`th of `of`, which share the room for flows evenly.
    pub fn lane(&self, number: usize, of: usize) -> Result<Lane, Why> {
        let copy = |map: &MapData| {
            let fd = map.fd().as_fd().try_clone_to_owned().map_err(refused)?;
            MapData::from_fd(fd).map_err(refused)
        };
        let rules: HashMap<_, layout::Key, layout::RawRule> =
            Map::HashMap(copy(&self.rules)?).try_into().map_err(refused)?;
        let progress: Array<_, layout::RawProgress> =
            Map::Array(copy(&self.progress)?).try_into().map_err(refused)?;
        let each = FLOWS_MAX as usize / of.max(1);
        let slots = (number * each..(number + 1) * each).map(|slot| slot as u32).rev().collect();
        let netlink = Netlink::open().map_err(refused)?;
        Ok(Lane::new(rules, progress, slots, netlink, self.interfaces.clone()))
    }
}

/// What the kernel said, from the bottom of a library's error.
fn refused(why: impl std::error::Error + 'static) -> Why {
    let mut text = why.to_string();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&why);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            text = format!("{text}: {cause}");
            // EPERM, EACCES.
            if matches!(cause.raw_os_error(), Some(1 | 13)) {
                return Why::NotAllowed(text);
            }
        }
        next = cause.source();
    }
    Why::Kernel(text)
}
