//! Which driver is cheaper on this machine: both relay a few hundred datagrams over the loopback, and the processor time of this
//! thread is taken.
//!
//! One datagram each for many sockets and then the next round, as calls come. Rounds of both alternate, so that whatever else
//! the machine does meets both; the quarter of the rounds that was disturbed least decides.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use super::sys::thread_time;
use super::{Driver, DriverChoice, DriverConfig, DriverKind, Load, SocketId, Turn, Wake, open_socket};

/// Sockets of the trial, and so datagrams of a round: as many as a busy thread finds in one turn.
const SOCKETS: usize = 32;
/// Rounds of each driver; the first warms up.
const ROUNDS: usize = 13;
/// Turns in which a round's datagrams must have come.
const TURNS_MAX: usize = 4;
/// Octets of 20 ms of G.711 with its header.
const DATAGRAM: [u8; 172] = [0x80; 172];

/// What it found: processor time a datagram, received and sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// io_uring.
    pub uring: Duration,
    /// epoll with recvmmsg and sendmmsg.
    pub mmsg: Duration,
}

impl Trial {
    /// Takes a few milliseconds. An error: one of the drivers cannot be made, or the loopback does not carry what is sent.
    pub fn run() -> io::Result<Self> {
        let mut runners = [Runner::new(DriverChoice::Uring)?, Runner::new(DriverChoice::Mmsg)?];
        for _ in 0..ROUNDS {
            for runner in &mut runners {
                runner.round()?;
            }
        }
        let [uring, mmsg] = runners.map(Runner::cost);
        Ok(Self { uring, mmsg })
    }

    /// Both figures and the verdict, for people.
    pub fn summary(&self) -> String {
        let us = |cost: Duration| cost.as_nanos() as f64 / 1_000.0;
        let (uring, mmsg, better) = (us(self.uring), us(self.mmsg), self.better().name());
        format!("io_uring {uring:.2} us, mmsg {mmsg:.2} us a packet: {better}")
    }

    /// The cheaper one.
    pub fn better(&self) -> DriverKind {
        if self.mmsg < self.uring { DriverKind::Mmsg } else { DriverKind::Uring }
    }
}

struct Runner {
    driver: Driver,
    turn: Turn,
    sockets: Vec<(SocketId, SocketAddr)>,
    feeder: UdpSocket,
    sink: UdpSocket,
    sink_addr: SocketAddr,
    rounds: Vec<Duration>,
}

impl Runner {
    fn new(choice: DriverChoice) -> io::Result<Self> {
        let config = DriverConfig {
            choice,
            receive_buffers: 2 * SOCKETS as u16,
            own_buffers: 1,
            sockets_max: SOCKETS as u32,
        };
        let (mut driver, _) = Driver::new(&config, Arc::new(Wake::new()?))?;
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut add = |tag: usize| {
            let socket = open_socket(here)?;
            let addr = socket.local_addr()?;
            Ok((driver.add(socket, tag as u64, Load::OneParty)?, addr))
        };
        let sockets = (0..SOCKETS).map(&mut add).collect::<io::Result<Vec<_>>>()?;
        let (feeder, sink) = (open_socket(here)?, open_socket(here)?);
        let sink_addr = sink.local_addr()?;
        let rounds = Vec::with_capacity(ROUNDS);
        Ok(Self { driver, turn: Turn::new(), sockets, feeder, sink, sink_addr, rounds })
    }

    fn round(&mut self) -> io::Result<()> {
        // So that datagrams find the sockets being read.
        self.driver.turn(Duration::ZERO, Duration::ZERO, &mut self.turn)?;
        for (_, addr) in &self.sockets {
            self.feeder.send_to(&DATAGRAM, addr)?;
        }
        let before = thread_time();
        let mut came = 0;
        for _ in 0..TURNS_MAX {
            self.driver.turn(Duration::ZERO, Duration::from_millis(1), &mut self.turn)?;
            for arrival in self.turn.arrivals.drain(..) {
                came += 1;
                self.driver.send(arrival.packet, arrival.range, arrival.socket, self.sink_addr);
            }
            if came >= SOCKETS {
                break;
            }
        }
        self.driver.turn(Duration::ZERO, Duration::ZERO, &mut self.turn)?;
        let took = thread_time().saturating_sub(before);
        let mut octets = [0; DATAGRAM.len()];
        let arrived = std::iter::from_fn(|| self.sink.recv(&mut octets).ok()).count();
        if arrived < SOCKETS {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the loopback does not carry what is sent"));
        }
        self.rounds.push(took);
        Ok(())
    }

    fn cost(mut self) -> Duration {
        self.rounds.sort_unstable();
        self.rounds.get(ROUNDS / 4).copied().unwrap_or_default() / SOCKETS as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_drivers_relay_every_datagram_of_the_trial_and_the_cheaper_one_is_named() {
        let trial = Trial::run().unwrap();
        assert!(trial.uring > Duration::ZERO && trial.mmsg > Duration::ZERO, "{trial:?}");
        let us = Duration::from_micros;
        assert_eq!(Trial { uring: us(5), mmsg: us(6) }.better(), DriverKind::Uring);
        assert_eq!(Trial { uring: us(5), mmsg: us(4) }.better(), DriverKind::Mmsg);
        assert_eq!(
            Trial { uring: us(5), mmsg: us(5) }.better(),
            DriverKind::Uring,
            "none is worse than the other"
        );
    }
}
