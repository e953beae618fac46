//! What a ring does when something of it is full: datagrams wait, none is lost.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use super::super::{DriverConfig, Turn, Wake, open_socket};
use super::{SUBMISSIONS, Uring};
use crate::driver::Load;

const SOON: Duration = Duration::from_millis(100);
/// Turns that bring nothing before a test gives up: ten seconds.
const IDLE_MAX: usize = 100;

/// A ring that relays: what comes in by party `n`'s socket goes on to its sink.
struct Relay {
    ring: Uring,
    turn: Turn,
    doors: Vec<SocketAddr>,
    sinks: Vec<UdpSocket>,
    feeder: UdpSocket,
    /// Times the kernel had completions for which the queue had no room.
    overflows: usize,
}

impl Relay {
    fn new(parties: usize, receive_buffers: u16) -> Self {
        let config = DriverConfig { receive_buffers, own_buffers: 4, ..DriverConfig::default() };
        let mut ring = Uring::new(&config, Arc::new(Wake::new().unwrap())).unwrap();
        let here = || open_socket("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut doors = Vec::new();
        for party in 0..parties {
            let socket = here();
            doors.push(socket.local_addr().unwrap());
            ring.add(socket, party as u64, Load::OneParty).unwrap();
        }
        let sinks = (0..parties).map(|_| here()).collect();
        Self { ring, turn: Turn::new(), doors, sinks, feeder: here(), overflows: 0 }
    }

    /// A datagram with this number for each party.
    fn feed(&self, number: u32) {
        for (party, door) in self.doors.iter().enumerate() {
            let mut datagram = [0; 172];
            datagram[..4].copy_from_slice(&number.to_be_bytes());
            datagram[4..8].copy_from_slice(&(party as u32).to_be_bytes());
            self.feeder.send_to(&datagram, door).unwrap();
        }
    }

    /// Takes turns until so many datagrams have been relayed; buffers come back only after each turn.
    fn relay(&mut self, datagrams: usize, rest: Duration) {
        let (mut relayed, mut idle) = (0, 0);
        while relayed < datagrams {
            self.ring.turn(rest, SOON, &mut self.turn).unwrap();
            self.overflows += usize::from(self.ring.ring.submission().cq_overflow());
            idle = if self.turn.arrivals.is_empty() { idle + 1 } else { 0 };
            assert!(idle < IDLE_MAX, "{relayed} of {datagrams} came; {:?}", self.ring.counters());
            for arrival in self.turn.arrivals.drain(..) {
                relayed += 1;
                let to = self.sinks[arrival.tag as usize].local_addr().unwrap();
                self.ring.send(arrival.packet, arrival.range, arrival.socket, to);
            }
        }
        self.ring.flush();
    }

    /// Every sink got exactly these numbers, in order.
    fn check(&self, numbers: std::ops::Range<u32>) {
        for (party, sink) in self.sinks.iter().enumerate() {
            let mut datagram = [0; 2_000];
            for number in numbers.clone() {
                let len = sink.recv(&mut datagram);
                assert_eq!(len.unwrap_or_else(|why| panic!("party {party}, {number}: {why}")), 172);
                let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
                assert_eq!((word(0), word(4)), (number, party as u32), "once, in order, and its own");
            }
            assert!(sink.recv(&mut datagram).is_err(), "nothing comes twice");
        }
    }
}

/// MEDIA-03: there are always fewer buffers than datagrams, so receives end for want of one and are armed anew, over and over.
#[test]
fn buffers_run_out_again_and_again_and_nothing_is_lost() {
    let mut relay = Relay::new(64, 16);
    let at_once = 3;
    for round in 0..200 {
        let numbers = round * at_once..(round + 1) * at_once;
        numbers.clone().for_each(|number| relay.feed(number));
        relay.relay(64 * at_once as usize, Duration::ZERO);
        relay.check(numbers);
    }
    let counters = relay.ring.counters();
    assert!(counters.no_buffers >= 200, "{counters:?}");
    assert_eq!((counters.send_errors, counters.receive_errors, counters.too_large), (0, 0, 0));
}

/// MEDIA-03: more datagrams wait than the completion queue has entries, and turns take fewer than come.
#[test]
fn more_waits_than_the_completion_queue_holds_and_nothing_is_lost() {
    let (parties, each) = (160, 128);
    assert!(parties * each > 16 * SUBMISSIONS as usize);
    let mut relay = Relay::new(parties, 32_768);
    for number in 0..each as u32 {
        relay.feed(number);
    }
    relay.relay(parties * each, Duration::from_millis(2));
    relay.check(0..each as u32);
    let counters = relay.ring.counters();
    eprintln!("{} turns with an overflow, {counters:?}", relay.overflows);
    assert_eq!((counters.send_errors, counters.receive_errors, counters.too_large), (0, 0, 0));
}

/// MEDIA-02: who has no time to rest still reads all that lies there, however many parties it is from.
#[test]
fn a_busy_turn_reads_all_that_came() {
    const PARTIES: usize = 200;
    let mut relay = Relay::new(PARTIES, 512);
    // The receives are armed by the first turn.
    relay.ring.turn(Duration::ZERO, Duration::ZERO, &mut relay.turn).unwrap();
    relay.feed(0);
    relay.ring.turn(Duration::ZERO, Duration::ZERO, &mut relay.turn).unwrap();
    assert_eq!(relay.turn.arrivals.len(), PARTIES);
}
