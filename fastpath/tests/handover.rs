//! Between user space and the program and back, thousands of times under load: every packet arrives once, in order but for the switch.
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod net;

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use fastpath::{FastPath, Flow, Installed, Lane, Meter, Offer};
use net::{MIDDLE, Net, Side, net, rtp};

/// In each direction.
const SWITCHES: u32 = 2_000;
/// Packets sent beyond what has arrived: less than any socket's queue holds, so nothing is lost for want of room.
const UNDER_WAY_MAX: u32 = 48;
/// So many are sent at once.
const BURST: u32 = 24;
const SEQ_OFFSET: u16 = 12_345;

struct Direction {
    flow: Flow,
    sender: UdpSocket,
    relay: UdpSocket,
    out: UdpSocket,
    receiver: UdpSocket,
    lane: Lane,
    arrived: AtomicU32,
    switches: AtomicU32,
    /// How many there are in all, once that is known.
    all: AtomicU32,
    done: AtomicBool,
}

fn direction(net: &Net, fast: &FastPath, number: usize, six: bool) -> Direction {
    let port =
        |side, n| SocketAddr::new(net.address(side, (n + number) % 2 == 1, six), 20_000 + number as u16);
    let far = |n: usize| if (n + number) % 2 == 1 { Side::Right } else { Side::Left };
    let flow = Flow {
        from: port(far(0), 0),
        at: port(Side::Middle, 0),
        ssrc_in: 7,
        type_in: 0,
        clock_hz: 8_000,
        out: port(Side::Middle, 1),
        to: port(far(1), 1),
        ssrc_out: 8,
        type_out: 0,
    };
    Direction {
        sender: net.socket(far(0), flow.from),
        relay: net.socket(Side::Middle, flow.at),
        out: net.socket(Side::Middle, flow.out),
        receiver: net.socket(far(1), flow.to),
        lane: net.within(Side::Middle, || fast.lane(number, 2)).unwrap(),
        flow,
        arrived: AtomicU32::new(0),
        switches: AtomicU32::new(0),
        all: AtomicU32::new(u32::MAX),
        done: AtomicBool::new(false),
    }
}

/// What user space knows of the stream, as the program must know it to go on.
fn heard(meter: &mut Meter, packet: &[u8]) {
    let (seq, time) = numbers(packet);
    let ahead = seq.wrapping_sub(meter.highest as u16);
    assert_eq!(ahead, 1, "in user space too each comes once and in order");
    meter.highest += 1;
    meter.seen = u64::MAX;
    meter.last_ns = fastpath::monotonic_ns();
    (meter.last_time, meter.highest_time) = (time, time);
}

fn numbers(packet: &[u8]) -> (u16, u32) {
    (u16::from_be_bytes([packet[2], packet[3]]), u32::from_be_bytes(packet[4..8].try_into().unwrap()))
}

/// Relays by socket as long as packets come up, and lets the program have the flow whenever it can.
fn relay(direction: &Direction, lane: &mut Lane) {
    let Direction { flow, relay, out, .. } = direction;
    relay.set_nonblocking(true).unwrap();
    let mut installed: Installed = lane.watch(*flow).unwrap();
    let mut meter = Meter { highest: 65_535, seen: u64::MAX, ..Meter::default() };
    let mut handled = None;
    let mut taken = 0;
    let mut buffer = [0; 2_000];
    let mut by_socket = 0_u64;
    while !direction.done.load(Ordering::Relaxed) {
        let came = relay.recv_from(&mut buffer);
        // A packet came up, or the program has had some, now this many and now that: either way the flow is ours again.
        let had = || lane.read(&installed).unwrap().packets - taken;
        if came.is_err() && had() <= taken % 7 {
            std::thread::yield_now();
            continue;
        }
        let progress = lane.withdraw(&mut installed).unwrap();
        if progress.packets > taken {
            taken = progress.packets;
            meter = progress.meter;
            direction.switches.fetch_add(1, Ordering::Relaxed);
        }
        if let Ok((len, _)) = came {
            let (seq, _) = numbers(&buffer);
            heard(&mut meter, &buffer);
            buffer[2..4].copy_from_slice(&seq.wrapping_add(SEQ_OFFSET).to_be_bytes());
            buffer[8..12].copy_from_slice(&flow.ssrc_out.to_be_bytes());
            out.send_to(&buffer[..len], flow.to).unwrap();
            handled = Some(seq);
            by_socket += 1;
        }
        if let Some(handled) = handled {
            let offer = Offer { handled, seq_offset: SEQ_OFFSET, time_offset: 0, resume: meter };
            lane.offer(&mut installed, &offer).unwrap();
        }
    }
    let last = lane.remove(installed).unwrap();
    eprintln!(
        "{:?}: {} by socket, {} by the kernel, {} switches",
        flow.to,
        by_socket,
        last.packets,
        direction.switches.load(Ordering::Relaxed)
    );
}

fn send(direction: &Direction) {
    let mut sent = 0_u32;
    loop {
        // Bursts: the program takes over only in a moment with nothing under way, and must lose it in the midst of many.
        let room = if sent.is_multiple_of(BURST) { 1 } else { UNDER_WAY_MAX };
        if direction.done.load(Ordering::Relaxed) {
            // The receiver has failed: it says why.
            return;
        }
        if sent.wrapping_sub(direction.arrived.load(Ordering::Relaxed)) >= room {
            std::thread::yield_now();
            continue;
        }
        let last = direction.switches.load(Ordering::Relaxed) >= SWITCHES;
        if last {
            direction.all.store(sent + 1, Ordering::Relaxed);
        }
        // Time stands nearly still, as it does for a test that sends all at once.
        direction.sender.send_to(&rtp(0, sent as u16, sent, 7, 20), direction.flow.at).unwrap();
        sent += 1;
        if last {
            return;
        }
    }
}

/// Ends the other threads of a direction, whether its receiver has heard all or has failed.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every packet once. When a flow comes back, packets that the driver took in one go with the first that went up may still lie in
/// the program's bundle: that one overtakes them (`Lane::withdraw`). A jitter buffer sets that right; nothing else may be out of order.
fn receive(direction: &Direction) {
    let _done = Done(&direction.done);
    let mut buffer = [0; 2_000];
    // Below it all have come; beyond it these.
    let (mut whole, mut early) = (0_u32, BTreeSet::new());
    let (mut came, mut overtakings) = (0_u32, 0_u32);
    while came < direction.all.load(Ordering::Relaxed) {
        direction.receiver.recv_from(&mut buffer).expect("nothing is lost");
        let (seq, number) = numbers(&buffer);
        assert_eq!(seq, (number as u16).wrapping_add(SEQ_OFFSET));
        assert_eq!(buffer[8..12], 8_u32.to_be_bytes());
        assert!(number >= whole && early.insert(number), "{number} came twice");
        assert!(
            number - whole < UNDER_WAY_MAX,
            "{number} has overtaken {whole}, which cannot be under way with it"
        );
        overtakings += u32::from(early.first() == Some(&number) && number > whole);
        while early.remove(&whole) {
            whole += 1;
        }
        came += 1;
        direction.arrived.store(came, Ordering::Relaxed);
    }
    let switches = direction.switches.load(Ordering::Relaxed);
    eprintln!("{:?}: {overtakings} overtakings", direction.flow.to);
    assert!(overtakings <= switches, "{overtakings} overtakings with {switches} switches");
}

/// MEDIA-04: a stream that goes to the kernel and comes back loses nothing, repeats nothing, and changes the order of
/// packets in the moment of a switch only.
#[test]
fn every_packet_arrives_once_over_thousands_of_switches_both_ways() {
    for six in [false, true] {
        let Some(net) = net() else { return };
        let fast = net.within(Side::Middle, || FastPath::open(&MIDDLE.map(String::from))).unwrap();
        let mut directions = [0, 1].map(|number| direction(&net, &fast, number, six));
        std::thread::scope(|scope| {
            for direction in &mut directions {
                // The lane goes with its thread.
                let mut lane = std::mem::replace(&mut direction.lane, spare(&net, &fast));
                let direction = &*direction;
                scope.spawn(move || relay(direction, &mut lane));
                scope.spawn(move || send(direction));
                scope.spawn(move || receive(direction));
            }
        });
    }
}

fn spare(net: &Net, fast: &FastPath) -> Lane {
    net.within(Side::Middle, || fast.lane(3, 4)).unwrap()
}
