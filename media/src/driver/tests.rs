//! What both drivers promise, on real sockets of the loopback.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use super::*;

const SOON: Duration = Duration::from_millis(100);

struct Bench {
    driver: Driver,
    wake: Arc<Wake>,
    turn: Turn,
}

impl Bench {
    fn new(choice: DriverChoice, receive_buffers: u16) -> Self {
        let config = DriverConfig { choice, receive_buffers, own_buffers: 4, ..DriverConfig::default() };
        let wake = Arc::new(Wake::new().unwrap());
        let (driver, _) = Driver::new(&config, Arc::clone(&wake)).unwrap();
        Self { driver, wake, turn: Turn::new() }
    }
    fn socket(&mut self, tag: u64, load: Load) -> (SocketId, SocketAddr) {
        let socket = open_socket("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = socket.local_addr().unwrap();
        (self.driver.add(socket, tag, load).unwrap(), addr)
    }
    /// What comes within a few turns; buffers are given back only after each turn.
    fn receives(&mut self) -> Vec<(u64, Vec<u8>)> {
        let mut all = Vec::new();
        let mut nothing = 0;
        // A turn may bring only what is dropped.
        while nothing < 2 {
            self.driver.turn(Duration::ZERO, SOON, &mut self.turn).unwrap();
            nothing = if self.turn.arrivals.is_empty() { nothing + 1 } else { 0 };
            for arrival in self.turn.arrivals.drain(..) {
                all.push((arrival.tag, self.driver.bytes(&arrival.packet)[arrival.range].to_vec()));
                self.driver.release(arrival.packet);
            }
        }
        all
    }
}

fn with_each_driver(run: impl Fn(DriverChoice)) {
    run(DriverChoice::Mmsg);
    run(DriverChoice::Uring);
}

fn far_end() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

#[test]
fn more_datagrams_than_buffers_wait_in_the_socket_and_none_is_lost() {
    with_each_driver(|choice| {
        for load in [Load::OneParty, Load::Shared] {
            let mut bench = Bench::new(choice, 4);
            let (_, addr) = bench.socket(7, load);
            let far = far_end();
            for n in 0..50u8 {
                far.send_to(&[n; 20], addr).unwrap();
            }
            let came = bench.receives();
            let expected: Vec<_> = (0..50u8).map(|n| (7, vec![n; 20])).collect();
            assert_eq!(came, expected, "{choice:?} {load:?}");
        }
    });
}

#[test]
fn a_packet_is_sent_from_the_buffer_it_came_in_and_from_a_buffer_of_ours() {
    with_each_driver(|choice| {
        for load in [Load::OneParty, Load::Shared] {
            let mut bench = Bench::new(choice, 4);
            let (socket, addr) = bench.socket(0, load);
            let far = far_end();
            let there = far.local_addr().unwrap();
            // More often than there are buffers: each comes back.
            for n in 0..20u8 {
                far.send_to(&[n, 1, 2, 3], addr).unwrap();
                bench.driver.turn(Duration::ZERO, SOON, &mut bench.turn).unwrap();
                let Some(arrival) = bench.turn.arrivals.pop() else {
                    panic!("{choice:?}: number {n} is lost")
                };
                assert_eq!((arrival.from, arrival.socket), (there, socket));
                bench.driver.bytes(&arrival.packet)[arrival.range.start + 1] = 9;
                bench.driver.send(arrival.packet, arrival.range, socket, there);
                let own = bench.driver.take().unwrap();
                bench.driver.bytes(&own)[..2].copy_from_slice(&[n, 77]);
                bench.driver.send(own, 0..2, socket, there);
                bench.driver.turn(Duration::ZERO, Duration::ZERO, &mut bench.turn).unwrap();
                let mut octets = [0; 10];
                assert_eq!(far.recv(&mut octets).unwrap(), 4);
                assert_eq!(octets[..4], [n, 9, 2, 3]);
                assert_eq!(far.recv(&mut octets).unwrap(), 2);
                assert_eq!(octets[..2], [n, 77]);
            }
        }
    });
}

#[test]
fn a_retired_socket_comes_back_after_its_last_arrival_and_keeps_what_comes_later() {
    with_each_driver(|choice| {
        let mut bench = Bench::new(choice, 8);
        let (socket, addr) = bench.socket(3, Load::OneParty);
        let far = far_end();
        far.send_to(&[1], addr).unwrap();
        assert_eq!(bench.receives(), [(3, vec![1])]);
        bench.driver.retire(socket);
        bench.driver.retire(socket);
        let mut back = Vec::new();
        for _ in 0..5 {
            bench.driver.turn(Duration::ZERO, SOON, &mut bench.turn).unwrap();
            back.append(&mut bench.turn.retired);
        }
        let retired = socket;
        let [(3, socket)] = &back[..] else { panic!("{choice:?}: {back:?}") };
        far.send_to(&[2], addr).unwrap();
        socket.set_nonblocking(false).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        assert_eq!(socket.recv(&mut [0; 10]).unwrap(), 1, "it waits for the next owner");
        let (next, _) = bench.socket(4, Load::OneParty);
        assert_ne!(next, retired, "its place is used again under another name");
    });
}

#[test]
fn a_datagram_that_is_too_large_is_dropped_and_counted() {
    with_each_driver(|choice| {
        for load in [Load::OneParty, Load::Shared] {
            let mut bench = Bench::new(choice, 4);
            let (_, addr) = bench.socket(0, load);
            let far = far_end();
            far.send_to(&[0; 5_000], addr).unwrap();
            far.send_to(&vec![5; RECEIVE_MAX], addr).unwrap();
            let came = bench.receives();
            assert_eq!(came.len(), 1, "{choice:?} {load:?}");
            assert_eq!(came[0].1.len(), RECEIVE_MAX);
            assert_eq!(bench.driver.counters().too_large, 1);
        }
    });
}

#[test]
fn a_wake_ends_a_wait_and_a_wait_ends_by_itself() {
    with_each_driver(|choice| {
        let mut bench = Bench::new(choice, 4);
        let clock = Clock::start();
        let wake = Arc::clone(&bench.wake);
        let waker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            wake.wake();
        });
        let before = clock.now();
        bench.driver.turn(Duration::ZERO, Duration::from_secs(5), &mut bench.turn).unwrap();
        assert!(clock.now().since(before) < Duration::from_secs(2), "{choice:?} was woken");
        waker.join().unwrap();
        let before = clock.now();
        bench.driver.turn(Duration::ZERO, Duration::from_millis(30), &mut bench.turn).unwrap();
        let took = clock.now().since(before);
        assert!((25..1_000).contains(&took.as_millis()), "{choice:?} waited {took:?}");
    });
}

#[test]
fn what_cannot_be_sent_is_counted_and_its_buffer_comes_back() {
    with_each_driver(|choice| {
        let mut bench = Bench::new(choice, 4);
        let (socket, _) = bench.socket(0, Load::OneParty);
        // No route leads from 127.0.0.1 to the outside.
        let nowhere: SocketAddr = "192.0.2.1:9".parse().unwrap();
        for n in 0..10 {
            let Some(packet) = bench.driver.take() else { panic!("{choice:?}: a buffer is lost at {n}") };
            bench.driver.send(packet, 0..10, socket, nowhere);
            bench.driver.turn(Duration::ZERO, Duration::ZERO, &mut bench.turn).unwrap();
        }
        assert_eq!(bench.driver.counters().send_errors, 10, "{choice:?}");
    });
}

#[test]
fn a_driver_that_ended_leaves_its_ports_free() {
    with_each_driver(|choice| {
        let mut bench = Bench::new(choice, 4);
        let addrs: Vec<_> = (0..200).map(|n| bench.socket(n, Load::OneParty).1).collect();
        bench.driver.turn(Duration::ZERO, Duration::from_millis(5), &mut bench.turn).unwrap();
        drop(bench);
        for addr in addrs {
            assert!(UdpSocket::bind(addr).is_ok(), "{choice:?} still holds {addr}");
        }
    });
}
