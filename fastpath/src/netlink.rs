//! Questions to the kernel about links, addresses, routes and neighbours (rtnetlink(7)), as far as a next hop needs them.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub index: u32,
    pub name: String,
    pub mac: [u8; 6],
    pub mtu: u32,
    /// One end of a pair, as containers have.
    pub is_veth: bool,
}

/// Where packets to an address go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub interface: u32,
    /// The neighbour they are given to.
    pub neighbour: IpAddr,
    /// Whether it leads to another machine at all.
    pub away: bool,
}

/// See the module. Answers come at once: the kernel writes them before the question's system call returns.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: Socket,
    number: u32,
    buffer: Box<[u8; 32 * 1024]>,
}

const AF_NETLINK: i32 = 16;
const FAMILY_4: u8 = 2;
const FAMILY_6: u8 = 10;

const MESSAGE_ERROR: u16 = 2;
const MESSAGE_DONE: u16 = 3;
const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;

const REQUEST: u16 = 1;
const DUMP: u16 = 0x300;
const MULTI: u16 = 2;

const LINK_ADDRESS: u16 = 1;
const LINK_NAME: u16 = 3;
const LINK_MTU: u16 = 4;
const LINK_INFO: u16 = 18;
const INFO_KIND: u16 = 1;
const ADDRESS_ADDRESS: u16 = 1;
const ADDRESS_LOCAL: u16 = 2;
const ROUTE_TO: u16 = 1;
const ROUTE_FROM: u16 = 2;
const ROUTE_OUT: u16 = 4;
const ROUTE_GATEWAY: u16 = 5;
const NEIGHBOUR_OF: u16 = 1;
const NEIGHBOUR_ADDRESS: u16 = 2;

const ETHERNET: u16 = 1;
const UNICAST: u8 = 1;
/// REACHABLE, STALE, DELAY, PROBE, NOARP, PERMANENT: the kernel itself would send there.
const NEIGHBOUR_VALID: u16 = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80;

impl Netlink {
    pub fn open() -> io::Result<Self> {
        let socket = Socket::new(Domain::from(AF_NETLINK), Type::DGRAM, None)?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        Ok(Self { socket, number: 0, buffer: Box::new([0; _]) })
    }

    /// An Ethernet interface by its name; `None` when there is none.
    pub fn link(&mut self, name: &str) -> io::Result<Option<Link>> {
        let mut body = vec![0; 16];
        attribute(&mut body, LINK_NAME, &[name.as_bytes(), &[0]].concat());
        self.link_by(&body)
    }

    fn link_by(&mut self, body: &[u8]) -> io::Result<Option<Link>> {
        let mut found = None;
        let asked = self.ask(GET_LINK, 0, body, |kind, body| {
            let Some(attributes) = body.get(16..).filter(|_| kind == NEW_LINK) else { return };
            let (Some(hardware), Some(index)) = (number(body, 2, 2), number(body, 4, 4)) else { return };
            let mut link = Link { index, name: String::new(), mac: [0; 6], mtu: 0, is_veth: false };
            let mut has_mac = false;
            for (kind, value) in walk(attributes) {
                match kind {
                    LINK_ADDRESS => {
                        has_mac = value.try_into().map(|mac| link.mac = mac).is_ok();
                    }
                    LINK_NAME => {
                        link.name = String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
                    }
                    LINK_MTU => link.mtu = number(value, 0, 4).unwrap_or(0),
                    LINK_INFO => {
                        link.is_veth =
                            walk(value).any(|(kind, value)| kind == INFO_KIND && value.starts_with(b"veth"));
                    }
                    _ => {}
                }
            }
            if hardware == u32::from(ETHERNET) && has_mac {
                found = Some(link);
            }
        });
        match asked {
            Err(why) if why.raw_os_error() == Some(19) => Ok(None),
            other => other.map(|()| found),
        }
    }

    /// The Ethernet interfaces that have one of these addresses.
    pub fn links_with(&mut self, addresses: &[IpAddr]) -> io::Result<Vec<Link>> {
        let mut indices = Vec::new();
        self.ask(GET_ADDRESS, DUMP, &[0; 8], |kind, body| {
            let Some(attributes) = body.get(8..).filter(|_| kind == NEW_ADDRESS) else { return };
            let Some(index) = number(body, 4, 4) else { return };
            let of = |wanted| walk(attributes).find(|(kind, _)| *kind == wanted).and_then(|(_, it)| ip(it));
            // On a point-to-point link the two differ, and ours is the local one.
            let own = of(ADDRESS_LOCAL).or_else(|| of(ADDRESS_ADDRESS));
            if own.is_some_and(|own| addresses.contains(&own)) && !indices.contains(&index) {
                indices.push(index);
            }
        })?;
        let mut links = Vec::new();
        for index in indices {
            let mut body = vec![0; 16];
            if let Some(place) = body.get_mut(4..8) {
                place.copy_from_slice(&index.to_ne_bytes());
            }
            links.extend(self.link_by(&body)?);
        }
        Ok(links)
    }

    /// Where packets from `from` to `to` go.
    pub fn route(&mut self, from: IpAddr, to: IpAddr) -> io::Result<Option<Route>> {
        let (family, bits) = family(to);
        let mut body = vec![family, bits, bits, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        attribute(&mut body, ROUTE_TO, &bytes(to));
        attribute(&mut body, ROUTE_FROM, &bytes(from));
        let mut found = None;
        self.ask(GET_ROUTE, 0, &body, |kind, body| {
            let Some(attributes) = body.get(12..).filter(|_| kind == NEW_ROUTE) else { return };
            let mut route =
                Route { interface: 0, neighbour: to, away: body.get(7).is_some_and(|it| *it == UNICAST) };
            for (kind, value) in walk(attributes) {
                match kind {
                    ROUTE_OUT => route.interface = number(value, 0, 4).unwrap_or(0),
                    ROUTE_GATEWAY => route.neighbour = ip(value).unwrap_or(to),
                    _ => {}
                }
            }
            found = Some(route);
        })?;
        Ok(found)
    }

    /// The hardware address of a neighbour; `None` when the kernel does not know it now.
    pub fn neighbour(&mut self, interface: u32, of: IpAddr) -> io::Result<Option<[u8; 6]>> {
        let mut body = vec![0; 12];
        if let Some(place) = body.get_mut(..1) {
            place.copy_from_slice(&[family(of).0]);
        }
        if let Some(place) = body.get_mut(4..8) {
            place.copy_from_slice(&interface.to_ne_bytes());
        }
        attribute(&mut body, NEIGHBOUR_OF, &bytes(of));
        let mut found = None;
        let asked = self.ask(GET_NEIGHBOUR, 0, &body, |kind, body| {
            let Some(attributes) = body.get(12..).filter(|_| kind == NEW_NEIGHBOUR) else { return };
            let valid = number(body, 8, 2).is_some_and(|state| state & u32::from(NEIGHBOUR_VALID) != 0);
            let address = walk(attributes).find(|(kind, _)| *kind == NEIGHBOUR_ADDRESS);
            found = address.filter(|_| valid).and_then(|(_, value)| value.try_into().ok());
        });
        match asked {
            // ENOENT: never heard of.
            Err(why) if why.raw_os_error() == Some(2) => Ok(None),
            other => other.map(|()| found),
        }
    }

    /// Sends a question and hands each message of the answer to `read`.
    fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        body: &[u8],
        mut read: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        self.number = self.number.wrapping_add(1);
        let mut message = Vec::with_capacity(16 + body.len());
        message.extend(((16 + body.len()) as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((REQUEST | flags).to_ne_bytes());
        message.extend(self.number.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(body);
        (&self.socket).write_all(&message)?;
        loop {
            let len = (&self.socket).read(&mut self.buffer[..])?;
            let mut rest = self.buffer.get(..len).unwrap_or_default();
            while let Some(length) = number(rest, 0, 4) {
                let (Some(kind), Some(flags)) = (number(rest, 4, 2), number(rest, 6, 2)) else { break };
                let Some(body) = rest.get(16..length as usize) else { break };
                // What answers an older question that timed out is passed over.
                if number(rest, 8, 4) == Some(self.number) {
                    match kind as u16 {
                        MESSAGE_DONE => return Ok(()),
                        MESSAGE_ERROR => {
                            let code = number(body, 0, 4).unwrap_or(0).cast_signed();
                            return if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-code)) };
                        }
                        kind => read(kind, body),
                    }
                    if flags as u16 & MULTI == 0 {
                        return Ok(());
                    }
                }
                rest = rest.get((length as usize).next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }
}

const fn family(ip: IpAddr) -> (u8, u8) {
    match ip {
        IpAddr::V4(_) => (FAMILY_4, 32),
        IpAddr::V6(_) => (FAMILY_6, 128),
    }
}

fn bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// A number of two or four octets in the machine's order.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + len)?;
    match len {
        2 => bytes.try_into().ok().map(u16::from_ne_bytes).map(u32::from),
        _ => bytes.try_into().ok().map(u32::from_ne_bytes),
    }
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend(((4 + value.len()) as u16).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn walk(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (length, kind) = (number(rest, 0, 2)? as usize, number(rest, 2, 2)?);
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // The upper bits say how it is nested.
        Some((kind as u16 & 0x3FFF, value))
    })
}
