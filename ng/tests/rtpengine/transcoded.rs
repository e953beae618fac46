//! G.729 between a node of ours and Debian's rtpengine, whose codec is libbcg729: each transcodes for a phone that has G.711 alone.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use media::codec::g711;
use ng::wire::Value;

use super::Theirs;
use super::cases::list;
use super::support::{Ours, Proxy, instant, port, receive, sdp_of};

/// A phone that speaks a tone in mu-law, and what it heard.
struct Phone {
    socket: UdpSocket,
    hz: f64,
    said: u32,
    heard: Vec<i16>,
}

impl Phone {
    fn new(hz: f64) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, hz, said: 0, heard: Vec::new() }
    }

    fn sdp(&self) -> String {
        let port = self.socket.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
        )
    }

    fn speaks_to(&mut self, port: u16) {
        let tone = |n: u32| (f64::from(n) / 8_000.0 * self.hz * std::f64::consts::TAU).sin() * 9_000.0;
        let mut packet = vec![0x80, 0];
        packet.extend_from_slice(&(self.said as u16).to_be_bytes());
        packet.extend_from_slice(&(self.said * 160).to_be_bytes());
        packet.extend_from_slice(&(self.hz as u32).to_be_bytes());
        packet.extend((0..160).map(|i| g711::encode_mu(tone(self.said * 160 + i) as i16)));
        self.said += 1;
        self.socket.send_to(&packet, SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    }

    async fn listens(&mut self) {
        while let Some(packet) = receive(&self.socket, Duration::ZERO).await {
            if packet.len() > 12 && packet[1] & 0x7f == 0 {
                self.heard.extend(packet[12..].iter().map(|code| g711::decode_mu(*code)));
            }
        }
    }

    /// Windows of 100 ms that hold this tone and little else.
    fn windows_with(&self, hz: f64) -> usize {
        let share = |window: &&[i16]| {
            let (mut re, mut im, mut all) = (0.0, 0.0, 1.0);
            for (n, sample) in window.iter().enumerate() {
                let (sample, angle) = (f64::from(*sample), hz * std::f64::consts::TAU * n as f64 / 8_000.0);
                re += sample * angle.cos();
                im += sample * angle.sin();
                all += sample * sample;
            }
            2.0 * (re * re + im * im) / window.len() as f64 / all > 0.8
        };
        self.heard.chunks_exact(800).filter(share).count()
    }
}

/// The description between the two, once both phones heard the other's tone for a second.
async fn talk(id: &str, first: SocketAddr, second: SocketAddr) -> [String; 2] {
    let (mut to_first, mut to_second) = (Proxy::to(first), Proxy::to(second));
    let (mut anna, mut ben) = (Phone::new(500.0), Phone::new(1_100.0));
    let codec = |hidden: &str, added: &str| {
        Value::dict().with("mask", list(&[hidden])).with("transcode", list(&[added]))
    };
    let with = |command: &str, sdp: String| {
        let request =
            Value::dict().with("command", command).with("call-id", id).with("from-tag", "a").with("sdp", sdp);
        if command == "answer" { request.with("to-tag", "b") } else { request }
    };
    let offer = with("offer", anna.sdp()).with("codec", codec("PCMU", "G729"));
    let offer = sdp_of(&to_first.ask(offer).await.unwrap());
    let to_ben = with("offer", offer.clone()).with("codec", codec("G729", "PCMU"));
    let to_ben = sdp_of(&to_second.ask(to_ben).await.unwrap());
    let answer = sdp_of(&to_second.ask(with("answer", ben.sdp())).await.unwrap());
    let to_anna = sdp_of(&to_first.ask(with("answer", answer.clone())).await.unwrap());
    let end = instant() + Duration::from_secs(30);
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let (mut anna_heard, mut ben_heard) = (0, 0);
    while (anna_heard < 10 || ben_heard < 10) && instant() < end {
        pace.tick().await;
        anna.speaks_to(port(&to_anna));
        ben.speaks_to(port(&to_ben));
        anna.listens().await;
        ben.listens().await;
        (anna_heard, ben_heard) = (anna.windows_with(ben.hz), ben.windows_with(anna.hz));
    }
    assert!(
        anna_heard >= 10 && ben_heard >= 10,
        "{id}: a second each was wanted; anna heard {anna_heard} windows, ben {ben_heard}\n{offer}\n{answer}"
    );
    [offer, answer]
}

/// MEDIA-05, MEDIA-15: what rtpengine encodes we decode, and it decodes what we encode: tones cross both, whoever offers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g729_is_transcoded_to_and_from_rtpengine() {
    let theirs = Theirs::start().await;
    let ours = Ours::start(40, None, None).await;
    for (name, first, second) in [
        ("rtpengine offers G.729", theirs.address, ours.address),
        ("we offer G.729", ours.address, theirs.address),
    ] {
        for sdp in talk(name, first, second).await {
            let line = sdp.lines().find(|line| line.starts_with("m=audio")).unwrap_or_default();
            assert!(line.ends_with(" RTP/AVP 18"), "{name}: nothing but G.729 lies between them: {sdp}");
            assert!(sdp.contains("a=fmtp:18 annexb=no"), "{name}: {sdp}");
        }
    }
}
