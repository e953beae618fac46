//! What the XDP program and user space share, octet by octet: `bpf/flows.h` in Rust. Encoded by hand, so that no memory is
//! reinterpreted and the room needs no unsafe code.

use std::net::{IpAddr, SocketAddr};

use crate::{Hop, Meter, Progress};

pub(crate) type Key = [u8; 36];
pub(crate) type RawRule = [u8; 160];
pub(crate) type RawProgress = [u8; 128];

/// `progress.passed` when nothing passed.
const NONE_PASSED: u32 = 0x1_0000;

/// `struct rule`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub slot: u32,
    pub offer: u32,
    pub handled: u16,
    pub ssrc_in: u32,
    pub ssrc_out: u32,
    pub time_offset: u32,
    pub tick_us_q16: u32,
    pub seq_offset: u16,
    pub type_in: u8,
    pub type_out: u8,
    pub hop: Hop,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub resume: Meter,
}

/// An address as the program compares it.
fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// Fills an array from its front; what is not filled stays zero.
struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    fn put(&mut self, octets: &[u8]) {
        let rest = std::mem::take(&mut self.0);
        if let Some((place, rest)) = rest.split_at_mut_checked(octets.len()) {
            place.copy_from_slice(octets);
            self.0 = rest;
        }
    }
    fn u32(&mut self, value: u32) {
        self.put(&value.to_ne_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.put(&value.to_ne_bytes());
    }
    fn meter(&mut self, meter: &Meter) {
        self.u64(meter.seen);
        self.u64(meter.last_ns);
        for value in [meter.transit_us, meter.floor_us[0], meter.floor_us[1]] {
            self.put(&value.to_ne_bytes());
        }
        self.u64(meter.span_ends_ns);
        for value in [meter.highest, meter.last_time, meter.highest_time, meter.jitter] {
            self.u32(value);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn u32(&mut self) -> u32 {
        self.0.split_off(..4).and_then(|it| it.try_into().ok()).map_or(0, u32::from_ne_bytes)
    }
    fn u64(&mut self) -> u64 {
        self.0.split_off(..8).and_then(|it| it.try_into().ok()).map_or(0, u64::from_ne_bytes)
    }
    fn i64(&mut self) -> i64 {
        self.u64().cast_signed()
    }
    fn meter(&mut self) -> Meter {
        Meter {
            seen: self.u64(),
            last_ns: self.u64(),
            transit_us: self.i64(),
            floor_us: [self.i64(), self.i64()],
            span_ends_ns: self.u64(),
            highest: self.u32(),
            last_time: self.u32(),
            highest_time: self.u32(),
            jitter: self.u32(),
        }
    }
}

/// `struct key`: packets from `from` that come in at `at`.
pub(crate) fn key(from: SocketAddr, at: SocketAddr) -> Key {
    let mut key = [0; _];
    let mut writer = Writer(&mut key);
    writer.put(&octets(from.ip()));
    writer.put(&octets(at.ip()));
    writer.put(&from.port().to_be_bytes());
    writer.put(&at.port().to_be_bytes());
    key
}

impl Rule {
    pub fn encode(&self) -> RawRule {
        let mut raw = [0; _];
        let mut writer = Writer(&mut raw);
        // The lock: the kernel leaves its own in place.
        writer.u32(0);
        for value in [self.slot, self.offer, u32::from(self.handled)] {
            writer.u32(value);
        }
        writer.put(&self.ssrc_in.to_be_bytes());
        writer.put(&self.ssrc_out.to_be_bytes());
        writer.u32(self.time_offset);
        writer.u32(self.tick_us_q16);
        writer.put(&self.seq_offset.to_ne_bytes());
        writer.put(&[self.type_in, self.type_out]);
        writer.u32(self.hop.interface);
        writer.put(&self.hop.to);
        writer.put(&self.hop.from);
        writer.put(&octets(self.from.ip()));
        writer.put(&octets(self.to.ip()));
        writer.put(&self.from.port().to_be_bytes());
        writer.put(&self.to.port().to_be_bytes());
        writer.u32(self.hop.mtu);
        writer.u32(self.hop.is_veth.into());
        writer.meter(&self.resume);
        raw
    }
}

/// `struct progress` of a flow that begins.
pub(crate) fn nothing_yet() -> RawProgress {
    let mut raw = [0; _];
    if let Some(passed) = raw.get_mut(60..64) {
        passed.copy_from_slice(&NONE_PASSED.to_ne_bytes());
    }
    raw
}

pub(crate) fn progress(raw: &RawProgress) -> Progress {
    let mut reader = Reader(raw);
    let (packets, octets, bursts) = (reader.u64(), reader.u64(), reader.i64());
    let (late, jitter_sum, highest_ns) = (reader.u64(), reader.u64(), reader.u64());
    let (jitter_max, taken, open, _passed) = (reader.u32(), reader.u32(), reader.u32(), reader.u32());
    let meter = reader.meter();
    Progress {
        packets,
        octets,
        bursts,
        late,
        jitter_sum,
        highest_ns,
        jitter_max,
        offer: taken,
        open: open != 0,
        meter,
    }
}
