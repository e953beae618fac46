//! A plain call through a media node: what a proxy asks for, and two phones that send G.711 by plain sockets.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::node::Node;

/// The longest a test waits for one packet or one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A phone with the port of the node that it sends to.
#[derive(Debug)]
pub struct Phone {
    socket: UdpSocket,
    /// Where it sends.
    pub to: SocketAddr,
    ssrc: u8,
    seq: u16,
}

impl Phone {
    /// Twenty milliseconds of speech.
    pub fn says(&mut self) {
        let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, self.ssrc];
        packet[2..4].copy_from_slice(&self.seq.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(self.seq) * 160).to_be_bytes());
        packet.extend([self.seq as u8; 160]);
        self.socket.send_to(&packet, self.to).expect("sent");
        self.seq = self.seq.wrapping_add(1);
    }

    /// The octet that the next packet of audio carries all through.
    pub fn hears(&self) -> u8 {
        let mut packet = [0; 2_000];
        loop {
            let len = self.socket.recv(&mut packet).expect("a packet comes within 10 s");
            let reports = (200..=207).contains(&packet[1]);
            if !reports {
                assert_eq!((len, packet[1] & 0x7F), (172, 0), "20 ms of PCMU");
                assert!(packet[12..len].iter().all(|octet| *octet == packet[12]), "as it was said");
                return packet[12];
            }
        }
    }
}

/// A call between two sockets of phones, whose addresses the node can reach: asked for over NG as a proxy does.
pub fn call(node: &Node, name: &str, phones: [UdpSocket; 2]) -> [Phone; 2] {
    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.connect(("127.0.0.1", node.ng)).expect("connected");
    proxy.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut cookie = 0;
    let mut ask = |pairs: &[(&str, &str)]| {
        cookie += 1;
        let text: String = pairs.iter().map(|(k, v)| format!("{}:{k}{}:{v}", k.len(), v.len())).collect();
        proxy.send(format!("{cookie} d{text}e").as_bytes()).expect("sent");
        let mut answer = [0; 65_536];
        let len = proxy.recv(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..len]).into_owned();
        assert!(answer.contains("6:result2:ok"), "{answer}");
        answer
    };
    let sdp = |phone: &UdpSocket| {
        let at = phone.local_addr().expect("an address");
        let (ip, port) = (at.ip(), at.port());
        format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n")
    };
    let (caller, callee) = (sdp(&phones[0]), sdp(&phones[1]));
    // Phones without ICE: what it chose could change with the next check, so a stream with it stays in user space.
    let tags = [("ICE", "remove"), ("call-id", name), ("command", "offer"), ("from-tag", "f")];
    let offered = ask(&[&tags[..], &[("sdp", caller.as_str())]].concat());
    let tags = [("call-id", name), ("command", "answer"), ("from-tag", "f")];
    let answered = ask(&[&tags[..], &[("sdp", callee.as_str()), ("to-tag", "t")]].concat());
    let ports = [door(&answered), door(&offered)];
    let mut number = 0;
    phones.map(|socket| {
        socket.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let to = ports[number];
        number += 1;
        Phone { socket, to, ssrc: number as u8, seq: 0 }
    })
}

/// Where a description says that audio goes.
fn door(answer: &str) -> SocketAddr {
    let after = |what: &str| answer.split_once(what).and_then(|(_, rest)| rest.split_whitespace().next());
    let ip = after("c=IN IP4 ").and_then(|ip| ip.parse().ok());
    let port = after("m=audio ").and_then(|port| port.parse().ok());
    SocketAddr::new(ip.expect("an address"), port.expect("a port"))
}
