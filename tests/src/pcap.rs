//! What travelled: packets captured by tcpdump, as UDP payloads with their times.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::eventually;
use crate::process::Running;

/// One UDP datagram on the wire.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Microseconds since 1970.
    pub at_us: u64,
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// UDP payload.
    pub payload: Vec<u8>,
    /// Octets of the frame it came in, as the capture sees it: without preamble and check sequence.
    pub frame_octets: usize,
}

/// What a UDP or TCP packet takes of an Ethernet line.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Microseconds since 1970.
    pub at_us: u64,
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// Octets on the line: Ethernet with preamble and check sequence. A loopback carries large TCP segments whole; they count
    /// as the many that an Ethernet needs.
    pub line_octets: usize,
}

/// A capture that runs until it is read.
pub struct Capture {
    running: Running,
    file: PathBuf,
}

impl Capture {
    /// Captures UDP on `interface`, in network namespace `namespace` if given.
    pub fn start(dir: &Path, interface: &str, filter: &str, namespace: Option<&str>) -> Self {
        let file = dir.join(format!("capture-{interface}.pcap"));
        let mut command = match namespace {
            Some(name) => {
                let mut c = Command::new("ip");
                c.args(["netns", "exec", name, "tcpdump"]);
                c
            }
            None => Command::new("tcpdump"),
        };
        command
            .args(["-i", interface, "-n", "-U", "-s", "0", "-B", "32768", "-Z", "root", "-w"])
            .arg(&file)
            .arg(filter);
        let running =
            Running::start("tcpdump", "tcpdump", &mut command, &dir.join(format!("tcpdump-{interface}.log")));
        eventually("tcpdump listens", Duration::from_secs(10), || {
            running.output().contains("listening on").then_some(())
        });
        Self { running, file }
    }

    /// Ends the capture and reads it.
    pub fn stop(self) -> Vec<Datagram> {
        self.stop_with_tcp().0
    }

    /// As [`Capture::stop`], with what TCP and UDP took of the line.
    pub fn stop_with_tcp(mut self) -> (Vec<Datagram>, Vec<Taken>) {
        // What was sent just now still has to reach the capture's ring.
        std::thread::sleep(Duration::from_millis(500));
        self.running.signal(libc::SIGINT);
        self.running.wait(Duration::from_secs(10));
        read(&std::fs::read(&self.file).expect("tcpdump wrote its file"))
    }
}

/// Reads a pcap file of Ethernet or loopback frames (link types 1, and 113 for `any`): datagrams of both families, and what IPv4 takes of a line.
fn read(bytes: &[u8]) -> (Vec<Datagram>, Vec<Taken>) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(word(0), 0xa1b2_c3d4, "a pcap file of this machine's order, in microseconds");
    let link = match word(20) {
        1 => 14,
        113 => 16,
        other => panic!("link type {other} is not expected"),
    };
    let (mut at, mut found, mut taken) = (24, Vec::new(), Vec::new());
    while at + 16 <= bytes.len() {
        let (length, at_us) =
            (word(at + 8) as usize, u64::from(word(at)) * 1_000_000 + u64::from(word(at + 4)));
        let Some(frame) = bytes.get(at + 16..at + 16 + length) else { break };
        at += 16 + length;
        let ip = frame.get(link..).unwrap_or_default();
        taken.extend(line(ip, at_us));
        let datagram = datagram(ip, at_us);
        found.extend(datagram.map(|datagram| Datagram { frame_octets: length, ..datagram }));
    }
    (found, taken)
}

/// Octets of speech or text that a TCP segment carries over Ethernet, with the usual timestamps.
const SEGMENT: usize = 1_448;
/// Ethernet: header, preamble, check sequence.
const ETHERNET: usize = 14 + 8 + 4;

fn line(ip: &[u8], at_us: u64) -> Option<Taken> {
    let header = usize::from(ip.first()? & 15) * 4;
    let protocol = *ip.get(9)?;
    if ip[0] >> 4 != 4 || !matches!(protocol, 6 | 17) {
        return None;
    }
    let inner = ip.get(header..)?;
    let len = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let address =
        |at: usize| Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?)));
    let port = |at: usize| Some(u16::from_be_bytes([*inner.get(at)?, *inner.get(at + 1)?]));
    let (frames, headers) = if protocol == 6 {
        let headers = header + usize::from(*inner.get(12)? >> 4) * 4;
        (len.saturating_sub(headers).div_ceil(SEGMENT).max(1), headers)
    } else {
        (1, 0)
    };
    let line_octets = len + (frames - 1) * headers + frames * ETHERNET;
    let (from, to) = (SocketAddr::new(address(12)?, port(0)?), SocketAddr::new(address(16)?, port(2)?));
    Some(Taken { at_us, from, to, line_octets })
}

fn datagram(ip: &[u8], at_us: u64) -> Option<Datagram> {
    let six = ip.first()? >> 4 == 6;
    // An IPv6 header with others behind it is none of a test's.
    let (header, protocol) = if six { (40, 6) } else { (usize::from(ip[0] & 15) * 4, 9) };
    if !matches!(ip[0] >> 4, 4 | 6) || *ip.get(protocol)? != 17 {
        return None;
    }
    let udp = ip.get(header..)?;
    let four = |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?));
    let sixteen = |at: usize| Some(IpAddr::from(<[u8; 16]>::try_from(ip.get(at..at + 16)?).ok()?));
    let (from, to) = if six { (sixteen(8)?, sixteen(24)?) } else { (four(12)?, four(16)?) };
    let port = |at: usize| Some(u16::from_be_bytes([*udp.get(at)?, *udp.get(at + 1)?]));
    Some(Datagram {
        at_us,
        from: SocketAddr::new(from, port(0)?),
        to: SocketAddr::new(to, port(2)?),
        payload: udp.get(8..usize::from(port(4)?))?.to_vec(),
        frame_octets: 0,
    })
}

/// An RTP packet for SIPp to play.
pub struct Spoken {
    /// Milliseconds since the start at which it leaves.
    pub at_ms: u64,
    /// Time of its first sample, at 8 kHz.
    pub timestamp: u32,
    /// First after a pause, or of an event.
    pub marker: bool,
    /// What it carries.
    pub payload_type: u8,
    /// Without header.
    pub payload: Vec<u8>,
}

/// Writes packets for SIPp to play, in this order.
pub fn write_rtp(file: &Path, packets: &[Spoken]) {
    let mut bytes: Vec<u8> =
        [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1].iter().flat_map(|w| w.to_le_bytes()).collect();
    for (number, packet) in packets.iter().enumerate() {
        let number = u16::try_from(number).expect("a short speech").to_be_bytes();
        let marker = u8::from(packet.marker) << 7;
        let mut rtp = vec![0x80, marker | packet.payload_type, number[0], number[1]];
        rtp.extend(packet.timestamp.to_be_bytes());
        rtp.extend(0x0729_0b0b_u32.to_be_bytes());
        rtp.extend(&packet.payload);
        let port = 4_000_u16.to_be_bytes();
        let length = |more: usize| u16::try_from(rtp.len() + more).expect("short").to_be_bytes();
        let mut frame = [&[0; 12][..], &[8, 0, 0x45, 0], &length(28), &[0, 0, 0, 0, 64, 17, 0, 0]].concat();
        frame.extend([127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend([port, port, length(8), [0, 0]].concat());
        frame.extend(rtp);
        let octets = u32::try_from(frame.len()).expect("short");
        let (seconds, micros) = ((packet.at_ms / 1_000) as u32, (packet.at_ms % 1_000 * 1_000) as u32);
        bytes.extend([seconds, micros, octets, octets].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(frame);
    }
    std::fs::write(file, bytes).expect("a file");
}

/// RTP payloads of one payload type among datagrams to `port`, in order of sequence number, duplicates removed.
pub fn rtp_payloads(datagrams: &[Datagram], to_port: u16, payload_type: u8) -> Vec<Vec<u8>> {
    let mut packets: Vec<(u16, Vec<u8>)> = datagrams
        .iter()
        .filter(|d| d.to.port() == to_port && d.payload.len() > 12)
        .filter(|d| d.payload[0] >> 6 == 2 && d.payload[1] & 0x7f == payload_type)
        .map(|d| (u16::from_be_bytes([d.payload[2], d.payload[3]]), d.payload[12..].to_vec()))
        .collect();
    let first = packets.first().map_or(0, |p| p.0);
    packets.sort_by_key(|p| p.0.wrapping_sub(first).wrapping_add(100));
    packets.dedup_by_key(|p| p.0);
    packets.into_iter().map(|p| p.1).collect()
}
