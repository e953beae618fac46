//! One thread's flows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use aya::maps::{Array, HashMap, MapData, MapError};

use crate::layout::{self, Key, RawProgress, RawRule, Rule};
use crate::netlink::{Link, Netlink};
use crate::{Flow, Hop, Meter, Offer, Progress, Refused};

pub(crate) type Interfaces = Arc<[Link]>;

/// BPF_NOEXIST, and BPF_F_LOCK: the value is written under its lock, in place.
const NEW: u64 = 1;
const LOCKED: u64 = 4;

/// The way of one thread to the program. Every call is a few system calls at most, never one a packet.
pub struct Lane {
    rules: HashMap<MapData, Key, RawRule>,
    progress: Array<MapData, RawProgress>,
    slots: Vec<u32>,
    netlink: Netlink,
    interfaces: Interfaces,
    /// Next hops by our address and the far end's: the same for many flows. At most one for each flow.
    hops: BTreeMap<(IpAddr, IpAddr), Hop>,
}

/// A flow that the program knows; must come back to [`Lane::remove`] of the lane it is from.
#[derive(Debug)]
#[must_use = "a flow that is forgotten stays in the kernel"]
pub struct Installed {
    flow: Flow,
    key: Key,
    rule: Rule,
    /// The newest offer; `rule.offer` is 0 between two.
    offers: u32,
}

impl Installed {
    /// What it is.
    pub const fn flow(&self) -> &Flow {
        &self.flow
    }
    /// Whether it is offered, taken or not.
    pub const fn is_offered(&self) -> bool {
        self.rule.offer != 0
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lane({} places for flows)", self.slots.len())
    }
}

impl Lane {
    pub(crate) fn new(
        rules: HashMap<MapData, Key, RawRule>,
        progress: Array<MapData, RawProgress>,
        slots: Vec<u32>,
        netlink: Netlink,
        interfaces: Interfaces,
    ) -> Self {
        Self { rules, progress, slots, netlink, interfaces, hops: BTreeMap::new() }
    }

    /// The program notes from now on what goes up of this flow. Nothing is taken yet.
    pub fn watch(&mut self, flow: Flow) -> Result<Installed, Refused> {
        let all = [flow.from, flow.at, flow.out, flow.to];
        let families = all.iter().filter(|addr| addr.is_ipv4()).count();
        if !matches!(families, 0 | 4) || all.iter().any(|addr| addr.ip().is_unspecified()) {
            return Err(Refused::Addresses);
        }
        let hop = self.hop(flow.out.ip(), flow.to.ip())?;
        let slot = self.slots.pop().ok_or(Refused::Full)?;
        let rule = Rule {
            slot,
            offer: 0,
            handled: 0,
            ssrc_in: flow.ssrc_in,
            ssrc_out: flow.ssrc_out,
            time_offset: 0,
            tick_us_q16: ((1_000_000_u64 << 16) / u64::from(flow.clock_hz.max(1))) as u32,
            seq_offset: 0,
            type_in: flow.type_in,
            type_out: flow.type_out,
            hop,
            from: flow.out,
            to: flow.to,
            resume: Meter::default(),
        };
        let installed = Installed { flow, key: layout::key(flow.from, flow.at), rule, offers: 0 };
        let begun = self.progress.set(slot, layout::nothing_yet(), 0);
        let begun = begun.and_then(|()| self.rules.insert(installed.key, installed.rule.encode(), NEW));
        if let Err(why) = begun {
            self.slots.push(slot);
            return Err(kernel(why));
        }
        Ok(installed)
    }

    /// Lets the program take the flow, if it passed nothing up since `offer.handled`. Whether it did, [`Lane::read`] says.
    pub fn offer(&mut self, flow: &mut Installed, offer: &Offer) -> Result<(), Refused> {
        flow.offers = flow.offers.wrapping_add(1).max(1);
        flow.rule.offer = flow.offers;
        flow.rule.handled = offer.handled;
        flow.rule.seq_offset = offer.seq_offset;
        flow.rule.time_offset = offer.time_offset;
        flow.rule.resume = offer.resume;
        self.write(flow)
    }

    /// What the program has done so far.
    pub fn read(&self, flow: &Installed) -> Result<Progress, Refused> {
        self.progress.get(&flow.rule.slot, 0).map(|raw| layout::progress(&raw)).map_err(kernel)
    }

    /// Takes the offer back: no packet is taken any more once this returns, and what it gives is final until the next offer.
    ///
    /// Packets that it had taken may still lie in the bundle which the kernel sends when the driver's round ends: what came up in the
    /// same round and is sent by a socket at once overtakes them, by microseconds (longer on a starved machine). At one packet
    /// in 20 ms no round has two of a stream; to wait for the end of the round would hold every stream up for a grace period.
    pub fn withdraw(&mut self, flow: &mut Installed) -> Result<Progress, Refused> {
        if flow.is_offered() {
            flow.rule.offer = 0;
            self.write(flow)?;
        }
        self.read(flow)
    }

    /// The program forgets the flow. What it gives is final.
    pub fn remove(&mut self, mut flow: Installed) -> Result<Progress, Refused> {
        let last = self.withdraw(&mut flow);
        if self.rules.remove(&flow.key).is_ok() {
            self.slots.push(flow.rule.slot);
        }
        last
    }

    /// The kernel is asked anew for next hops from here on; flows with the same two addresses share the answer: a question takes
    /// some 20 microseconds, and there may be thousands of flows to few far ends.
    pub fn ask_anew(&mut self) {
        self.hops.clear();
    }

    /// Looks whether the next hop is still the same by what the kernel said since [`Self::ask_anew`], and lets the program use the new
    /// one if it is not. Refused: there is none, and the flow should be withdrawn.
    pub fn follow(&mut self, flow: &mut Installed) -> Result<(), Refused> {
        let hop = self.hop(flow.flow.out.ip(), flow.flow.to.ip())?;
        if hop == flow.rule.hop {
            return Ok(());
        }
        flow.rule.hop = hop;
        self.write(flow)
    }

    fn write(&mut self, flow: &Installed) -> Result<(), Refused> {
        self.rules.insert(flow.key, flow.rule.encode(), LOCKED).map_err(kernel)
    }

    fn hop(&mut self, from: IpAddr, to: IpAddr) -> Result<Hop, Refused> {
        if let Some(known) = self.hops.get(&(from, to)) {
            return Ok(*known);
        }
        let hop = self.ask_for_hop(from, to)?;
        self.hops.insert((from, to), hop);
        Ok(hop)
    }

    fn ask_for_hop(&mut self, from: IpAddr, to: IpAddr) -> Result<Hop, Refused> {
        let asked = |why: std::io::Error| Refused::Kernel(why.to_string());
        let route = self.netlink.route(from, to).map_err(asked)?.ok_or(Refused::Way)?;
        let link = self.interfaces.iter().find(|link| link.index == route.interface && route.away);
        let link = link.ok_or(Refused::Way)?;
        let neighbour = self.netlink.neighbour(route.interface, route.neighbour).map_err(asked)?;
        let to = neighbour.ok_or(Refused::Neighbour)?;
        let Link { index: interface, mac: from, mtu, is_veth, .. } = *link;
        Ok(Hop { interface, from, to, mtu, is_veth })
    }
}

fn kernel(why: MapError) -> Refused {
    match &why {
        MapError::SyscallError(call) => Refused::Kernel(format!("{why}: {}", call.io_error)),
        _ => Refused::Kernel(why.to_string()),
    }
}
