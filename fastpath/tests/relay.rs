//! The program among three network namespaces: what it forwards, what it lets pass, and that nothing is lost between the two.
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod net;

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};

use fastpath::{FastPath, Flow, Installed, Lane, Meter, Mode, Offer, Progress, Why};
use net::{MIDDLE, Net, Side, net, rtp};

const SSRC: u32 = 0x1122_3344;
const OURS: u32 = 0xAABB_CCDD;

/// One stream from left to right through the middle.
struct Line {
    net: Net,
    _fast: FastPath,
    lane: Lane,
    left: UdpSocket,
    middle: UdpSocket,
    right: UdpSocket,
    flow: Flow,
}

fn line(six: bool) -> Option<Line> {
    let net = net()?;
    let addr = |side, right, port| SocketAddr::new(net.address(side, right, six), port);
    let fast = open(&net);
    let lane = net.within(Side::Middle, || fast.lane(0, 1)).unwrap();
    let flow = Flow {
        from: addr(Side::Left, false, 4_000),
        at: addr(Side::Middle, false, 30_000),
        ssrc_in: SSRC,
        type_in: 0,
        clock_hz: 8_000,
        out: addr(Side::Middle, true, 30_002),
        to: addr(Side::Right, true, 5_000),
        ssrc_out: OURS,
        type_out: 8,
    };
    Some(Line {
        left: net.socket(Side::Left, flow.from),
        middle: net.socket(Side::Middle, flow.at),
        right: net.socket(Side::Right, flow.to),
        net,
        _fast: fast,
        lane,
        flow,
    })
}

fn open(net: &Net) -> FastPath {
    let fast = net.within(Side::Middle, || FastPath::open(&MIDDLE.map(String::from))).unwrap();
    assert_eq!(fast.modes(), MIDDLE.map(|name| (name.to_owned(), Mode::Native)));
    fast
}

/// How a receiver that has heard `seq` at `time` just now goes on.
fn resume(seq: u32, time: u32) -> Meter {
    let last_ns = fastpath::monotonic_ns();
    Meter {
        seen: u64::MAX,
        last_ns,
        span_ends_ns: last_ns + 5_000_000_000,
        highest: seq,
        last_time: time,
        highest_time: time,
        ..Meter::default()
    }
}

impl Line {
    fn send(&self, packet: &[u8]) {
        self.left.send_to(packet, self.flow.at).unwrap();
    }
    fn hears(socket: &UdpSocket) -> Vec<u8> {
        let mut packet = vec![0; 2_000];
        let (len, _) = socket.recv_from(&mut packet).expect("a packet comes within 10 s");
        packet.truncate(len);
        packet
    }
    /// The next packet that comes up at our own socket.
    fn up(&self) -> Vec<u8> {
        Self::hears(&self.middle)
    }
    fn out(&self) -> Vec<u8> {
        Self::hears(&self.right)
    }
    /// The program is to take the flow after the packet with this number, which user space handles here.
    fn hand_over(&mut self, installed: &mut Installed, seq: u16) {
        let packet = rtp(0, seq, u32::from(seq) * 160, SSRC, 160);
        self.send(&packet);
        assert_eq!(self.up(), packet, "watched only: it comes up as it is");
        let resume = resume(u32::from(seq), u32::from(seq) * 160);
        let offer = Offer { handled: seq, seq_offset: 1_000, time_offset: 77, resume };
        self.lane.offer(installed, &offer).unwrap();
    }
    fn progress(&self, installed: &Installed) -> Progress {
        self.lane.read(installed).unwrap()
    }
}

/// MEDIA-04: what the program sends is, to the octet, what our own socket would have sent.
#[test]
fn a_flow_leaves_as_our_own_packets_to_the_octet() {
    for six in [false, true] {
        let Some(mut line) = line(six) else { return };
        let mut flow = line.lane.watch(line.flow).unwrap();
        line.hand_over(&mut flow, 65_535);
        let frames = line.net.frames(Side::Right);
        for payload in [160, 161, 33, 0, 1_300] {
            // With the marker bit; the number wraps.
            let seq = line.progress(&flow).packets as u16;
            line.send(&rtp(0x80, seq, 160 * (65_536 + u32::from(seq)), SSRC, payload));
            let mut expected =
                rtp(0x88, seq.wrapping_add(1_000), 160 * (65_536 + u32::from(seq)) + 77, OURS, payload);
            expected[12..].copy_from_slice(&rtp(0, seq, 0, 0, payload)[12..]);
            assert_eq!(line.out(), expected, "IPv6 {six}, {payload} octets");
            let frame = next_frame(&frames, line.flow.to.port());
            check_frame(&frame, &line.flow, &expected);
        }
        let last = line.lane.remove(flow).unwrap();
        assert_eq!((last.packets, last.octets), (5, 12 * 5 + 160 + 161 + 33 + 1_300));
        assert_eq!(last.meter.highest, 65_540);
        assert!(last.open, "nothing unexpected came");
    }
}

/// The next UDP frame to this port.
fn next_frame(mut frames: &socket2::Socket, port: u16) -> Vec<u8> {
    loop {
        let mut frame = vec![0; 2_000];
        let len = frames.read(&mut frame).unwrap();
        frame.truncate(len);
        let at = if frame[12..14] == [0x86, 0xDD] { 54 } else { 34 };
        if frame.get(at + 2..at + 4) == Some(&port.to_be_bytes()) {
            return frame;
        }
    }
}

fn sum(bytes: &[u8], from: u32) -> u32 {
    let mut sum = from;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum
}

fn check_frame(frame: &[u8], flow: &Flow, payload: &[u8]) {
    let (ip, udp) = match (flow.out, flow.to) {
        (SocketAddr::V4(out), SocketAddr::V4(to)) => {
            let ip = &frame[14..34];
            assert_eq!((ip[0], ip[1], ip[8], ip[9]), (0x45, 0xB8, 64, 17), "voice, fresh time to live");
            assert_eq!(usize::from(u16::from_be_bytes([ip[2], ip[3]])), 28 + payload.len());
            assert_eq!((&ip[12..16], &ip[16..20]), (&out.ip().octets()[..], &to.ip().octets()[..]));
            assert_eq!(sum(ip, 0), 0xFFFF, "the header's checksum");
            (ip, &frame[34..])
        }
        (SocketAddr::V6(out), SocketAddr::V6(to)) => {
            let ip = &frame[14..54];
            assert_eq!((&ip[..4], ip[6], ip[7]), (&[0x6B, 0x80, 0, 0][..], 17, 64));
            assert_eq!((&ip[8..24], &ip[24..40]), (&out.ip().octets()[..], &to.ip().octets()[..]));
            (ip, &frame[54..])
        }
        _ => panic!("two families"),
    };
    assert_eq!(udp[..2], flow.out.port().to_be_bytes());
    assert_eq!(usize::from(u16::from_be_bytes([udp[4], udp[5]])), 8 + payload.len());
    if ip.len() == 40 {
        let pseudo = sum(&ip[8..40], 17 + udp.len() as u32);
        assert_eq!(sum(udp, pseudo), 0xFFFF, "IPv6 wants a checksum, and a right one");
    }
    assert_eq!(&udp[8..], payload);
}

/// MEDIA-04: only exactly the flow's packets are taken; RTCP and checks go up beside it and change nothing.
#[test]
fn reports_and_checks_and_strangers_pass_beside_the_flow() {
    let Some(mut line) = line(false) else { return };
    let mut flow = line.lane.watch(line.flow).unwrap();
    line.hand_over(&mut flow, 10);
    let stranger = line.net.socket(Side::Left, SocketAddr::new(line.flow.from.ip(), 4_444));
    let mut report = rtp(0, 11, 0, SSRC, 16);
    report[1] = 200;
    let mut check = rtp(0, 11, 0, SSRC, 16);
    check[0] = 0;
    for packet in [report, check] {
        line.send(&packet);
        assert_eq!(line.up(), packet);
    }
    let foreign = rtp(0, 11, 11 * 160, SSRC, 160);
    stranger.send_to(&foreign, line.flow.at).unwrap();
    assert_eq!(line.up(), foreign);
    line.send(&rtp(0, 11, 11 * 160, SSRC, 160));
    assert_eq!(line.out()[2..4], 1_011_u16.to_be_bytes());
    let last = line.lane.remove(flow).unwrap();
    assert_eq!((last.packets, last.open), (1, true));
}

/// MEDIA-04: whatever is unexpected in the flow itself goes up untouched, and all that follows goes up behind it.
#[test]
fn the_unexpected_goes_up_and_all_that_follows_behind_it() {
    let Some(mut line) = line(false) else { return };
    let plain = |seq: u16| rtp(0, seq, u32::from(seq) * 160, SSRC, 160);
    type Change = fn(&mut Vec<u8>);
    let unexpected: [(&str, Change); 9] = [
        ("a telephone event", |it| it[1] = 101),
        ("another SSRC", |it| it[8] ^= 1),
        ("a header extension", |it| it[0] |= 0x10),
        ("padding", |it| it[0] |= 0x20),
        ("contributing sources", |it| it[0] |= 1),
        ("the same packet once more", |it| it[2..4].copy_from_slice(&100_u16.to_be_bytes())),
        ("numbers that jumped", |it| it[2..4].copy_from_slice(&20_000_u16.to_be_bytes())),
        ("time that jumped", |it| it[4..8].copy_from_slice(&9_000_000_u32.to_be_bytes())),
        ("too large for the way out", |it| it.resize(1_400, 0)),
    ];
    for (what, change) in unexpected {
        let mut flow = line.lane.watch(line.flow).unwrap();
        line.hand_over(&mut flow, 100);
        let mut packet = plain(101);
        change(&mut packet);
        line.send(&packet);
        assert_eq!(line.up(), packet, "{what}");
        line.send(&plain(102));
        assert_eq!(line.up(), plain(102), "behind {what}");
        assert!(!line.progress(&flow).open);
        // User space has caught up: the next offer is taken.
        let resume = resume(102, 102 * 160);
        line.lane.offer(&mut flow, &Offer { handled: 102, seq_offset: 7, time_offset: 0, resume }).unwrap();
        line.send(&plain(103));
        assert_eq!(line.out()[2..4], 110_u16.to_be_bytes(), "after {what}");
        assert_eq!(line.lane.remove(flow).unwrap().packets, 1, "{what}");
    }
}

#[test]
fn an_offer_is_taken_only_when_nothing_is_under_way() {
    let Some(mut line) = line(false) else { return };
    let plain = |seq: u16| rtp(0, seq, u32::from(seq) * 160, SSRC, 160);
    let mut flow = line.lane.watch(line.flow).unwrap();
    line.hand_over(&mut flow, 1);
    // 2 and 3 lie in the socket; user space has handled 2 when it offers.
    let _ = line.lane.withdraw(&mut flow).unwrap();
    line.send(&plain(2));
    line.send(&plain(3));
    assert_eq!(line.up(), plain(2));
    let offer = |seq: u16| Offer {
        handled: seq,
        seq_offset: 0,
        time_offset: 0,
        resume: resume(u32::from(seq), u32::from(seq) * 160),
    };
    line.lane.offer(&mut flow, &offer(2)).unwrap();
    line.send(&plain(4));
    assert_eq!(line.up(), plain(3));
    assert_eq!(line.up(), plain(4), "not before 3 and 4 are handled");
    assert_eq!(line.progress(&flow).packets, 0);
    line.lane.offer(&mut flow, &offer(4)).unwrap();
    line.send(&plain(5));
    assert_eq!(line.out()[2..4], 5_u16.to_be_bytes());
    // Withdrawn, the very next goes up.
    assert_eq!(line.lane.withdraw(&mut flow).unwrap().packets, 1);
    line.send(&plain(6));
    assert_eq!(line.up(), plain(6));
    let _ = line.lane.remove(flow).unwrap();
    line.send(&plain(7));
    assert_eq!(line.up(), plain(7), "and so it does when the flow is forgotten");
}

/// MEDIA-04: loss, overtaken packets and runs are counted as the media plane's meter counts them.
#[test]
fn loss_is_counted_by_sequence_number() {
    let Some(mut line) = line(false) else { return };
    let mut flow = line.lane.watch(line.flow).unwrap();
    line.hand_over(&mut flow, 0);
    let sent = [1_u16, 2, 5, 6, 4, 9, 8, 7, 10, 80, 81];
    for seq in sent {
        // The time of the moment, so that nothing looks like a jump.
        line.send(&rtp(0, seq, 160 * u32::from(seq.min(12)), SSRC, 160));
        assert_eq!(line.out()[2..4], (seq + 1_000).to_be_bytes());
    }
    let last = line.lane.remove(flow).unwrap();
    assert_eq!((last.packets, last.meter.highest, last.bursts), (11, 81, 2), "3, and 11 to 79");
    assert_eq!(last.meter.seen & 0b111, 0b011);
}

#[test]
fn ways_that_lead_nowhere_are_refused_with_the_reason() {
    let Some(mut line) = line(false) else { return };
    let refused = |line: &mut Line, change: fn(&mut Flow)| {
        let mut flow = line.flow;
        change(&mut flow);
        line.lane.watch(flow).map(|_| ()).unwrap_err().to_string()
    };
    assert!(refused(&mut line, |it| it.to = "[fd77:2::2]:9".parse().unwrap()).contains("families"));
    assert!(refused(&mut line, |it| it.to = it.at).contains("none of the fast path's interfaces"));
    assert!(refused(&mut line, |it| it.to.set_ip([10, 77, 2, 99].into())).contains("has not answered"));
    let nobody = line.net.within(Side::Middle, || FastPath::open(&["none0".into()])).unwrap_err();
    assert!(matches!(nobody, Why::NoInterface(_)), "{nobody}");
    let loopback = line.net.within(Side::Middle, || FastPath::open(&["lo".into()])).unwrap_err();
    assert!(matches!(loopback, Why::NoInterface(_)), "{loopback}");
    let taken = line.net.within(Side::Middle, || FastPath::open(&[MIDDLE[0].into()])).unwrap_err();
    assert!(matches!(taken, Why::Interface { .. }), "{taken}");
    drop(line._fast);
    let found = line.net.within(Side::Middle, || FastPath::open_at(&[line.flow.at.ip()])).unwrap();
    assert_eq!(found.modes(), [(MIDDLE[0].to_owned(), Mode::Native)]);
}

/// MEDIA-04: without privilege there is no fast path, and it says why.
#[test]
fn without_privilege_it_says_so() {
    let Some(net) = net() else { return };
    let why = net.within(Side::Middle, || {
        let none = rustix::thread::CapabilitySet::empty();
        let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
        rustix::thread::set_capabilities(None, sets).unwrap();
        FastPath::open(&MIDDLE.map(String::from)).unwrap_err()
    });
    assert_eq!(why.name(), "not_allowed", "{why}");
}
