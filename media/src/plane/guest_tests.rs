//! Two threads of a plane, turned by hand: what each keeps of a browser's leg that moves.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use model::id::{Id, LegId};
use model::media::Codec;
use tokio::sync::{mpsc, oneshot};

use super::browsers::Browsers;
use super::counters::Shown;
use super::directory::{Directory, Post};
use super::newcomers::{Newcomer, Place};
use super::orders::Order;
use super::shard::{SHARED, Shard, Start};
use crate::control::{Answer, Command, Direction, Event, Format, Latching, LegSetup, MediaError, Security};
use crate::driver::{Clock, Driver, DriverChoice, DriverConfig, Load, SharedPort, Turn, Wake};
use crate::ice::peer::{Check, check};
use crate::ice::{BrowserTransport, Certificate, Credentials};
use crate::leg::{Birth, DropReason, Leg};
use crate::record::{self, Recorder};

/// Two threads' worth of shards, and what ends with them.
struct House {
    shards: [Shard; 2],
    turn: Turn,
    directory: Arc<Directory>,
    _recorder: Recorder,
    _events: mpsc::Receiver<Event>,
}

/// A browser's leg, with the check its browser sends.
struct Guest {
    leg: LegId,
    check: Vec<u8>,
    forged: Vec<u8>,
}

impl House {
    fn new(choice: DriverChoice, letters: usize) -> Self {
        let clock = Clock::start();
        let recorder = Recorder::start(record::Config::default(), drop).unwrap();
        let (events, _events) = mpsc::channel(64);
        let wakes = [Arc::new(Wake::new().unwrap()), Arc::new(Wake::new().unwrap())];
        let (posts, boxes): (Vec<_>, Vec<_>) = wakes
            .iter()
            .map(|wake| {
                let (inbox, letters) = sync_channel(letters);
                (Post { inbox, wake: Arc::clone(wake) }, letters)
            })
            .unzip();
        let directory = Arc::new(Directory::new(posts));
        let mut number = 0;
        let mut boxes = boxes.into_iter();
        let shards = wakes.map(|wake| {
            let config = DriverConfig { choice, ..DriverConfig::default() };
            let (mut driver, _) = Driver::new(&config, wake).unwrap();
            let (socket, port) = SharedPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let mut browsers = Browsers::default();
            browsers.sockets.push((driver.add(socket, SHARED, Load::Shared).unwrap(), port.local()));
            browsers.ports = Arc::new(vec![port]);
            let shard = Shard::new(Start {
                number,
                driver,
                clock,
                period: Duration::ZERO,
                browsers,
                inbox: boxes.next().unwrap(),
                directory: Arc::clone(&directory),
                events: events.clone(),
                shown: Arc::new(Shown::default()),
                tap: recorder.tap().unwrap(),
                fast: None,
                random: 7,
            });
            number += 1;
            shard
        });
        Self { shards, turn: Turn::new(), directory, _recorder: recorder, _events }
    }

    /// A few turns of each thread.
    fn turns(&mut self) {
        for _ in 0..6 {
            for shard in &mut self.shards {
                shard.wake_self();
                shard.turn(&mut self.turn).unwrap();
            }
        }
    }

    fn port(&self) -> SocketAddr {
        self.shards[0].browsers.ports[0].local()
    }

    /// A leg on the first thread, set up.
    fn guest(&mut self, number: u64) -> Guest {
        let leg = LegId::from_number(number);
        let near = Some(LegId::from_number(5));
        assert_eq!(self.directory.settle(leg, near), Some(0));
        let certificate = Certificate::generate().unwrap();
        let ice = |n| BrowserTransport::new(&certificate, Credentials::from_random(&[n; 32]));
        let (ours, other) = (ice(number as u8), ice(99));
        let nominates = Check { nominates: true, ..Check::default() };
        let check_of = |ice| check(ice, "theirs", nominates);
        // The right name, signed with another password.
        let ufrag = ours.local(vec![]).ufrag;
        let mut forged = check_of(&other);
        let at = forged.windows(8).position(|it| it == other.local(vec![]).ufrag.as_bytes()).unwrap();
        forged[at..at + 8].copy_from_slice(ufrag.as_bytes());
        let guest = Guest { leg, check: check_of(&ours), forged };
        let birth = Birth {
            ssrc: 1,
            seq: 1,
            timestamp: 1,
            media_timeout: Duration::from_secs(30),
            recording_silence: Duration::from_secs(5),
            clock: self.shards[0].clock,
        };
        let leg = Leg::new(leg, &birth, Some(ours));
        let newcomer = Box::new(Newcomer { leg, serial: number, place: Place::Shared(ufrag) });
        self.shards[0].order(Order::Seat(newcomer, oneshot::channel().0));
        let opus = Format { payload_type: 111, codec: Codec::Opus, ptime_ms: 20 };
        let setup = LegSetup {
            remote: None,
            remote_rtcp: None,
            rtcp_mux: true,
            send: Some(opus),
            receive: vec![opus],
            passed: Vec::new(),
            video: None,
            events: None,
            security: Security::Dtls {
                remote_ufrag: "theirs".into(),
                remote_pwd: "x".repeat(22),
                remote_fingerprint: certificate.fingerprint().to_string(),
                active: false,
            },
            direction: Direction::SendRecv,
            latching: Latching::Off,
            ..LegSetup::default()
        };
        self.run(0, Command::ConfigureLeg { leg: guest.leg, setup: Box::new(setup) }).unwrap();
        guest
    }

    fn run(&mut self, thread: usize, command: Command) -> Result<Answer, MediaError> {
        let (told, mut answer) = oneshot::channel();
        self.shards[thread].order(Order::Run(command, told));
        self.turns();
        answer.try_recv().expect("an answer within a few turns")
    }

    fn moves(&mut self, leg: LegId, from: usize, to: usize) -> Result<bool, MediaError> {
        let (told, mut answer) = oneshot::channel();
        self.shards[from].order(Order::Move(leg, to, told));
        self.turns();
        answer.try_recv().expect("an answer within a few turns")
    }

    /// Sends a datagram to the first thread's port; whether an answer comes.
    fn answers(&mut self, from: &UdpSocket, datagram: &[u8]) -> bool {
        let port = self.port();
        from.send_to(datagram, port).unwrap();
        self.turns();
        let answer = from.recv_from(&mut [0; 200]);
        answer.is_ok_and(|(_, by)| {
            assert_eq!(by, port, "the browser knows one port only");
            true
        })
    }

    fn lines(&self, thread: usize, leg: LegId) -> usize {
        let seat = self.shards[thread].table.find(leg).and_then(|index| self.shards[thread].table.get(index));
        seat.expect("it lives here").sockets.browser().unwrap().lines.len()
    }

    fn received(&self) -> [u64; 2] {
        [0, 1].map(|thread| self.shards[thread].counters.received_packets)
    }

    /// Addresses and names that the threads keep.
    fn kept(&self) -> [(usize, usize); 2] {
        [0, 1].map(|thread| self.shards[thread].browsers.len())
    }
}

fn party() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn with_each_driver(letters: usize, run: impl Fn(House)) {
    run(House::new(DriverChoice::Mmsg, letters));
    run(House::new(DriverChoice::Uring, letters));
}

#[test]
fn a_guest_is_reached_by_its_lines_and_leaves_nothing_behind() {
    with_each_driver(64, |mut house| {
        let guest = house.guest(5);
        let (browser, elsewhere, stranger) = (party(), party(), party());
        assert!(house.answers(&browser, &guest.check));
        assert_eq!(house.kept(), [(1, 1), (0, 0)]);

        assert_eq!(house.moves(guest.leg, 0, 1), Ok(true));
        assert_eq!((house.directory.home(guest.leg), house.lines(1, guest.leg)), (Some(1), 1));
        assert_eq!(house.kept(), [(0, 1), (0, 0)], "at home only its name is left");
        let before = house.received();
        assert!(house.answers(&browser, &guest.check));
        assert_eq!(house.received(), [before[0], before[1] + 1], "packets come where the leg lives");

        assert!(house.answers(&elsewhere, &guest.check), "its first check from there is handed over");
        assert_eq!(house.lines(1, guest.leg), 2);
        let before = house.received();
        assert!(house.answers(&elsewhere, &guest.check));
        assert_eq!(house.received(), [before[0], before[1] + 1]);

        assert!(!house.answers(&stranger, &guest.forged), "who proves nothing gets no line");
        assert_eq!(house.lines(1, guest.leg), 2);
        house.shards[0].checks_left = 0;
        let dropped = |house: &House| house.shards[0].counters.dropped[DropReason::NoLeg as usize];
        let before = dropped(&house);
        let port = house.port();
        // More than a sweep may hand over, in one turn.
        (0..200).for_each(|_| _ = stranger.send_to(&guest.forged, port).unwrap());
        house.turns();
        assert!(dropped(&house) > before, "the rest is dropped and counted");

        assert!(matches!(house.run(1, Command::DeleteLeg { leg: guest.leg }), Ok(Answer::Stats(_))));
        assert_eq!(house.directory.home(guest.leg), None);
        assert!(!house.answers(&browser, &guest.check), "nobody is there");
        house.shards[0].forget_ended_guests();
        assert_eq!(house.kept(), [(0, 0), (0, 0)]);
        assert_eq!([0, 1].map(|thread| house.shards[thread].table.len()), [0, 0]);
        // With its lines closed, its address is free for another leg of the same port.
        let next = house.guest(6);
        assert!(house.answers(&browser, &next.check));
        assert_eq!(house.kept(), [(1, 1), (0, 0)]);
    });
}

#[test]
fn a_guest_that_comes_home_is_reached_by_its_lines_and_by_the_shared_port() {
    with_each_driver(64, |mut house| {
        let guest = house.guest(5);
        let (browser, elsewhere) = (party(), party());
        assert!(house.answers(&browser, &guest.check));
        assert_eq!(house.moves(guest.leg, 0, 1), Ok(true));
        assert_eq!(house.moves(guest.leg, 1, 0), Ok(true));
        assert_eq!((house.lines(0, guest.leg), house.kept()), (1, [(0, 1), (0, 0)]));
        assert!(house.answers(&browser, &guest.check));
        assert!(house.answers(&elsewhere, &guest.check));
        assert_eq!((house.lines(0, guest.leg), house.kept()), (1, [(1, 1), (0, 0)]));
        assert_eq!(house.moves(guest.leg, 0, 1), Ok(true));
        assert_eq!(house.lines(1, guest.leg), 2, "both addresses go along");
        let before = house.received();
        assert!(house.answers(&browser, &guest.check) && house.answers(&elsewhere, &guest.check));
        assert_eq!(house.received(), [before[0], before[1] + 2]);
        assert!(house.run(1, Command::DeleteLeg { leg: guest.leg }).is_ok());
        house.shards[0].forget_ended_guests();
        assert_eq!(house.kept(), [(0, 0), (0, 0)]);
    });
}

#[test]
fn a_guest_that_is_not_let_in_goes_on_at_home() {
    with_each_driver(1, |mut house| {
        let guest = house.guest(5);
        let browser = party();
        assert!(house.answers(&browser, &guest.check));
        let (told, mut answer) = oneshot::channel();
        house.shards[0].order(Order::Move(guest.leg, 1, told));
        // The other thread's box is full, and it does not look into it.
        assert!(house.directory.post(1, Order::Weigh(guest.leg, oneshot::channel().0)).is_ok());
        for _ in 0..6 {
            house.shards[0].wake_self();
            house.shards[0].turn(&mut house.turn).unwrap();
        }
        assert_eq!(answer.try_recv().unwrap(), Err(MediaError::Unavailable));
        assert_eq!(house.directory.home(guest.leg), Some(0));
        assert!(house.answers(&browser, &guest.check));
        assert_eq!(house.kept()[1], (0, 0));
        assert_eq!(house.moves(guest.leg, 0, 1), Ok(true), "the next attempt may succeed");
        assert!(house.answers(&browser, &guest.check));
    });
}

/// A page that was loaded again may get a new leg and keep its address: the old leg must not take that along.
#[test]
fn an_address_that_went_over_to_another_leg_stays_with_it() {
    with_each_driver(64, |mut house| {
        let (old, new) = (house.guest(5), house.guest(6));
        let browser = party();
        assert!(house.answers(&browser, &old.check));
        assert!(house.answers(&browser, &new.check));
        assert_eq!(house.moves(old.leg, 0, 1), Ok(true));
        assert_eq!(house.lines(1, old.leg), 0);
        let before = house.received();
        assert!(house.answers(&browser, &new.check));
        assert_eq!(house.received(), [before[0] + 1, before[1]]);
    });
}

/// A second order to move does not tear the first one apart.
#[test]
fn who_is_asked_to_move_twice_at_once_moves_once() {
    with_each_driver(64, |mut house| {
        let guest = house.guest(5);
        let browser = party();
        assert!(house.answers(&browser, &guest.check));
        let (first, mut first_answer) = oneshot::channel();
        let (second, mut second_answer) = oneshot::channel();
        house.shards[0].order(Order::Move(guest.leg, 1, first));
        house.shards[0].order(Order::Move(guest.leg, 1, second));
        // A check that comes meanwhile follows the leg.
        assert!(house.answers(&browser, &guest.check));
        house.turns();
        assert_eq!(first_answer.try_recv().unwrap(), Ok(true));
        assert_eq!(second_answer.try_recv().unwrap(), Ok(false), "it is gone; who asked looks again");
        assert_eq!(house.lines(1, guest.leg), 1);
    });
}
