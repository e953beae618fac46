//! The plane with the kernel's fast path, between far ends in network namespaces (MEDIA-04). Needs root; see `net`.
#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]
#![expect(clippy::disallowed_methods, reason = "phones speak in real time")]

#[path = "../../fastpath/tests/net/mod.rs"]
mod net;

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use media::control::{
    Answer, Command, Direction, Event, Format, Latching, LegSetup, LegStats, Security, Source, Transport,
};
use media::driver::{DriverChoice, DriverConfig};
use media::plane::{FastPathConfig, FastPathInfo, Interface, Plane, PlaneConfig, PlaneHandle};
use media::quality::watch::Trouble;
use media::rtp::rtcp::{self, Packet};
use model::id::{Id, LegId};
use model::media::Codec;
use net::{Net, Side, net, rtp};

const PCMU: Format = Format { payload_type: 0, codec: Codec::Pcmu, ptime_ms: 20 };
/// After which a far end is called silent.
const MEDIA_TIMEOUT: Duration = Duration::from_secs(6);
const LEFT: u64 = 1;
const RIGHT: u64 = 2;

/// A far end: sends numbered packets every few milliseconds and checks what comes.
struct Phone {
    socket: UdpSocket,
    reports: UdpSocket,
    to: SocketAddr,
    ssrc: u32,
    sent: AtomicU32,
    arrived: AtomicU32,
    /// Numbers that are skipped from now on, one at a time.
    skip: AtomicU32,
    /// Every twentieth number is skipped.
    lossy: AtomicBool,
    /// Says nothing, and its numbers stand still.
    hushed: AtomicBool,
    /// The longest time between two packets while it spoke: what a machine that is held up does to it.
    stalled_ms: AtomicU32,
    stop: AtomicBool,
}

impl Phone {
    fn speak(&self) {
        let mut seq = 0_u16;
        let mut last: Option<Instant> = None;
        while !self.stop.load(Ordering::Relaxed) {
            if self.hushed.load(Ordering::Relaxed) {
                last = None;
                std::thread::sleep(Duration::from_millis(4));
                continue;
            }
            let now = Instant::now();
            if let Some(before) = last.replace(now) {
                self.stalled_ms.fetch_max((now - before).as_millis() as u32, Ordering::Relaxed);
            }
            if self.lossy.load(Ordering::Relaxed) && seq.is_multiple_of(20) {
                seq = seq.wrapping_add(1);
            }
            if self.skip.load(Ordering::Relaxed) > 0 {
                self.skip.fetch_sub(1, Ordering::Relaxed);
                seq = seq.wrapping_add(1);
            }
            // Each carries its count, so that the other side can tell which it is.
            let mut packet = rtp(0, seq, u32::from(seq) * 32, self.ssrc, 32);
            let count = self.sent.fetch_add(1, Ordering::Relaxed);
            packet[12..16].copy_from_slice(&count.to_be_bytes());
            self.socket.send_to(&packet, self.to).unwrap();
            seq = seq.wrapping_add(1);
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    /// Every packet of the other comes once and in order, whichever way it went. Muted ones carry no count.
    fn listen(&self) {
        let mut buffer = [0; 2_000];
        let mut expected = 0;
        let mut last: Option<u16> = None;
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((len, from)) = self.socket.recv_from(&mut buffer) else { continue };
            assert_eq!((len, from), (44, self.to));
            let seq = u16::from_be_bytes([buffer[2], buffer[3]]);
            if let Some(last) = last {
                assert!((1..=2).contains(&seq.wrapping_sub(last)), "{seq} after {last}");
            }
            last = Some(seq);
            if buffer[12..16] != [0xFF; 4] {
                let count = u32::from_be_bytes(buffer[12..16].try_into().unwrap());
                assert_eq!(count, expected, "nothing is lost, doubled or overtaken");
            }
            expected += 1;
            self.arrived.store(expected, Ordering::Relaxed);
        }
    }

    /// What the last report says: packets sent by us, and lost by the other.
    fn report(&self) -> (u32, i32) {
        let mut buffer = [0; 2_000];
        let (len, _) = self.reports.recv_from(&mut buffer).expect("a report comes within 10 s");
        for packet in rtcp::parse(&buffer[..len]).unwrap() {
            if let Packet::Report { sender: Some(sender), mut blocks, .. } = packet {
                return (sender.packets, blocks.next().unwrap().cumulative_lost);
            }
        }
        panic!("no sender report");
    }
}

fn plane(net: &Net, privileged: bool) -> Plane {
    let here = |right| {
        let ip = net.address(Side::Middle, right, false);
        Interface { bind: ip, advertised: ip }
    };
    let config = PlaneConfig {
        threads: 1,
        pin: false,
        interfaces: vec![here(false), here(true)],
        driver: DriverConfig {
            choice: DriverChoice::Mmsg,
            receive_buffers: 256,
            own_buffers: 256,
            ..DriverConfig::default()
        },
        fast_path: Some(FastPathConfig { links: Vec::new(), after: Duration::ZERO }),
        media_timeout: MEDIA_TIMEOUT,
        ..PlaneConfig::default()
    };
    net.within(Side::Middle, || {
        if !privileged {
            let none = rustix::thread::CapabilitySet::empty();
            let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
            rustix::thread::set_capabilities(None, sets).unwrap();
        }
        Plane::start(config).unwrap()
    })
}

fn command(media: &PlaneHandle, command: Command) -> Answer {
    static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> = std::sync::LazyLock::new(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    });
    RUNTIME.block_on(media.command(command)).unwrap()
}

fn phone(net: &Net, media: &PlaneHandle, number: u64) -> Phone {
    let (side, right) = if number == LEFT { (Side::Left, false) } else { (Side::Right, true) };
    let leg = LegId::from_number(number);
    let transport = Transport::Ports { interface: net.address(Side::Middle, right, false) };
    // Ports are opened by who asks for them.
    let create = Command::CreateLeg { leg, transport, near: None };
    let Answer::Created(created) = net.within(Side::Middle, || command(media, create)) else {
        panic!("no leg");
    };
    let at = SocketAddr::new(net.address(side, right, false), 4_000);
    let setup = LegSetup {
        remote: Some(at),
        remote_rtcp: None,
        rtcp_mux: false,
        send: Some(PCMU),
        receive: vec![PCMU],
        passed: Vec::new(),
        video: None,
        events: None,
        security: Security::None,
        direction: Direction::SendRecv,
        latching: Latching::Off,
        ..LegSetup::default()
    };
    command(media, Command::ConfigureLeg { leg, setup: Box::new(setup) });
    Phone {
        socket: net.socket(side, at),
        reports: net.socket(side, SocketAddr::new(at.ip(), at.port() + 1)),
        to: created.rtp,
        ssrc: 0x1000 + number as u32,
        sent: AtomicU32::new(0),
        arrived: AtomicU32::new(0),
        skip: AtomicU32::new(0),
        lossy: AtomicBool::new(false),
        hushed: AtomicBool::new(false),
        stalled_ms: AtomicU32::new(0),
        stop: AtomicBool::new(false),
    }
}

fn stats(media: &PlaneHandle, leg: u64) -> LegStats {
    match command(media, Command::Stats { leg: LegId::from_number(leg) }) {
        Answer::Stats(stats) => *stats,
        other => panic!("{other:?}"),
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within 30 s: {what}");
}

/// Two phones in a call; `meanwhile` runs while both talk. All packets sent arrive, in order.
fn call(net: &Net, plane: &Plane, meanwhile: impl FnOnce(&PlaneHandle, &Phone, &Phone) + Send) {
    let media = plane.handle();
    let (left, right) = (phone(net, &media, LEFT), phone(net, &media, RIGHT));
    command(&media, Command::Bridge { a: LegId::from_number(LEFT), b: LegId::from_number(RIGHT) });
    std::thread::scope(|scope| {
        for phone in [&left, &right] {
            scope.spawn(|| phone.speak());
            scope.spawn(|| phone.listen());
        }
        let done =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| meanwhile(&media, &left, &right)));
        for phone in [&left, &right] {
            phone.stop.store(true, Ordering::Relaxed);
        }
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
}

fn forwarded(media: &PlaneHandle) -> (u64, u64) {
    let counters = media.counters()[0].counters;
    (counters.fast_flows, counters.fast_packets)
}

/// MEDIA-04: a plain call goes to the kernel; any change pulls it back without losing a packet; reports and figures stay right.
#[test]
fn a_plain_call_is_carried_by_the_kernel_and_comes_back_whole_with_every_order() {
    let Some(net) = net() else { return };
    let plane = plane(&net, true);
    assert!(
        matches!(&plane.info().fast_path, FastPathInfo::On(links) if links.iter().all(|(_, mode)| *mode == "native"))
    );
    call(&net, &plane, |media, left, right| {
        let (a, b) = (LegId::from_number(LEFT), LegId::from_number(RIGHT));
        for round in 0..6 {
            let before = forwarded(media).1;
            until("both ways in the kernel", || {
                let (flows, packets) = forwarded(media);
                flows == 2 && packets > before + 200
            });
            let order = match round % 3 {
                0 => Command::Mute { leg: a, muted: round == 0 },
                1 => Command::Hear { leg: a, source: Source::Leg(b) },
                _ => Command::Bridge { a, b },
            };
            command(media, order);
            if round == 0 {
                let muted = left.sent.load(Ordering::Relaxed);
                until("some are muted", || left.sent.load(Ordering::Relaxed) > muted + 50);
                command(media, Command::Mute { leg: a, muted: false });
            }
            let came = (left.arrived.load(Ordering::Relaxed), right.arrived.load(Ordering::Relaxed));
            until("they go on", || {
                left.arrived.load(Ordering::Relaxed) > came.0 + 5
                    && right.arrived.load(Ordering::Relaxed) > came.1 + 5
            });
        }
        // Loss that the kernel sees is ours to report, and figures are of both ways.
        let before = forwarded(media).1;
        until("in the kernel again", || forwarded(media).1 > before + 100);
        left.skip.store(3, Ordering::Relaxed);
        until("they are skipped", || stats(media, LEFT).received.lost == 3);
        let (of_left, of_right) = (stats(media, LEFT), stats(media, RIGHT));
        assert_eq!(of_right.received.lost, 0);
        let sent = u64::from(left.sent.load(Ordering::Relaxed));
        assert!(
            of_left.received.packets + 20 > sent && of_left.received.packets <= sent,
            "{of_left:?} of {sent}"
        );
        assert!(of_right.sent_packets + 20 > sent, "{of_right:?} of {sent}");
        assert!(of_left.received.jitter_ms < 20.0 && of_left.received.jitter_ms > 0.0);
        until("the report that tells the loss", || {
            let (_, lost) = left.report();
            lost == 3
        });
        let (said, _) = right.report();
        let arrived = right.arrived.load(Ordering::Relaxed);
        // A report may have waited in its socket, seconds old; it never tells more than was sent.
        assert!(said > 100 && said <= arrived + 20, "{said} of {arrived}");
        let (flows, packets) = forwarded(media);
        assert!(flows == 2 && packets > 1_000, "{flows} {packets}");
    });
}

/// Packets carried by the kernel so far, and those that came up to us.
fn ways(media: &PlaneHandle) -> (u64, u64) {
    let counters = media.counters()[0].counters;
    (counters.fast_packets, counters.received_packets)
}

/// What happened to a leg, in short.
#[derive(Debug, PartialEq)]
enum Told {
    Silent(u64),
    Poor(u64, bool),
    Nothing(u64, bool),
}

fn told(event: Event) -> Option<Told> {
    let number = |leg: LegId| if leg == LegId::from_number(LEFT) { LEFT } else { RIGHT };
    match event {
        Event::Silent { leg, .. } => Some(Told::Silent(number(leg))),
        Event::Quality { leg, poor, .. } => Some(Told::Poor(number(leg), poor)),
        Event::Trouble { leg, trouble: Trouble::NothingReceived, began } => {
            Some(Told::Nothing(number(leg), began))
        }
        _ => None,
    }
}

/// MEDIA-04, MEDIA-08: a stream that the kernel carries is not taken for silent; its loss is seen in the windows of quality and told;
/// and when its far end stops, that is told as of any other.
#[test]
fn silence_and_poor_quality_are_told_of_what_the_kernel_carries() {
    let Some(net) = net() else { return };
    let plane = plane(&net, true);
    let mut events = plane.events().unwrap();
    call(&net, &plane, |media, left, right| {
        let mut all = Vec::new();
        let mut wait = |what: &str, wanted: &[Told]| {
            until(what, || {
                all.extend(std::iter::from_fn(|| events.try_recv().ok()).filter_map(told));
                wanted.iter().all(|it| all.contains(it))
            });
            std::mem::take(&mut all)
        };
        let carried = || forwarded(media).0 == 2 && forwarded(media).1 > 400;
        until("both ways in the kernel", carried);
        let before = ways(media);
        left.lossy.store(true, Ordering::Relaxed);
        // By an average of ten seconds, which is longer than the time after which a far end is called silent.
        let happened = wait("one in twenty is lost", &[Told::Poor(LEFT, true)]);
        let stalled = left.stalled_ms.load(Ordering::Relaxed).max(right.stalled_ms.load(Ordering::Relaxed));
        if stalled < 1_000 {
            assert_eq!(happened, [Told::Poor(LEFT, true)], "and nothing else is wrong with either");
        }
        let after = ways(media);
        let (kernel, up) = (after.0 - before.0, after.1 - before.1);
        assert!(kernel > 10 * up && kernel > 2_000, "{kernel} by the kernel, {up} here");
        let stats = stats(media, LEFT);
        assert!(stats.quality.is_some_and(|windows| windows.worst.mos < 4.2), "{stats:?}");
        left.lossy.store(false, Ordering::Relaxed);

        left.hushed.store(true, Ordering::Relaxed);
        wait(
            "its silence is told, and that audio goes one way",
            &[Told::Nothing(LEFT, true), Told::Silent(LEFT)],
        );
        left.hushed.store(false, Ordering::Relaxed);
        wait("that it is over is told", &[Told::Nothing(LEFT, false)]);
        let before = ways(media);
        until("it is carried again", || ways(media).0 > before.0 + 1_000);
    });
}

/// MEDIA-04: without privilege everything works as before, and the plane says why.
#[test]
fn without_privilege_calls_work_and_the_reason_is_shown() {
    let Some(net) = net() else { return };
    let plane = plane(&net, false);
    let shown = plane.handle().fast_path().clone();
    assert!(matches!(shown, FastPathInfo::Absent { reason: "not_allowed", .. }), "{shown:?}");
    call(&net, &plane, |media, left, right| {
        until("they hear each other", || {
            left.arrived.load(Ordering::Relaxed) > 100 && right.arrived.load(Ordering::Relaxed) > 100
        });
        assert_eq!(forwarded(media), (0, 0));
    });
}
