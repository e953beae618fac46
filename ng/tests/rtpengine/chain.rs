//! A node of ours and Debian's rtpengine in one call, each with a plain phone behind it: what lies between them is negotiated and
//! spoken by both.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ng::wire::Value;

use super::Theirs;
use super::support::{Ours, Proxy, instant, port, receive, sdp_of};

struct Phone {
    socket: UdpSocket,
    octet: u8,
    seq: u16,
}

impl Phone {
    fn new(octet: u8) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, octet, seq: 0 }
    }

    fn sdp(&self) -> String {
        let port = self.socket.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
        )
    }

    fn speaks_to(&mut self, port: u16) {
        let mut packet = vec![0x80, 8];
        packet.extend_from_slice(&self.seq.to_be_bytes());
        packet.extend_from_slice(&(u32::from(self.seq) * 160).to_be_bytes());
        packet.extend_from_slice(&u32::from(self.octet).to_be_bytes());
        packet.extend_from_slice(&[self.octet; 160]);
        self.seq += 1;
        self.socket.send_to(&packet, SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    }

    async fn hears(&self, octet: u8) -> bool {
        let packet = receive(&self.socket, Duration::from_millis(20)).await;
        packet.is_some_and(|packet| packet.len() == 172 && packet[1] & 0x7f == 8 && packet[12] == octet)
    }
}

fn keys(words: &[(&str, &str)]) -> Value {
    words.iter().fold(Value::dict(), |keys, (key, value)| keys.with(*key, *value))
}

/// The descriptions between the two, if both parties hear each other. `role`: what the one who offers says of its role on the way,
/// in the place of `actpass` (RFC 4145 §4).
async fn talk(
    id: &str,
    first: SocketAddr,
    second: SocketAddr,
    between: Value,
    role: &str,
) -> Result<[String; 2], String> {
    let (mut to_first, mut to_second) = (Proxy::to(first), Proxy::to(second));
    let (mut anna, mut ben) = (Phone::new(0x11), Phone::new(0x22));
    let with = |command: &str, sdp: String, more: &Value| {
        let mut request =
            Value::dict().with("command", command).with("call-id", id).with("from-tag", "a").with("sdp", sdp);
        if command == "answer" {
            request = request.with("to-tag", "b");
        }
        if let Value::Dict(entries) = more {
            for (key, value) in entries {
                request = request.with(key.as_str(), value.clone());
            }
        }
        request
    };
    let plain = keys(&[("transport-protocol", "RTP/AVP"), ("ICE", "remove")]);
    let none = Value::dict();
    let offer = sdp_of(&to_first.ask(with("offer", anna.sdp(), &between)).await.unwrap());
    let said = offer.replace("a=setup:actpass", &format!("a=setup:{role}"));
    let to_ben = sdp_of(&to_second.ask(with("offer", said, &plain)).await.unwrap());
    let answer = sdp_of(&to_second.ask(with("answer", ben.sdp(), &none)).await.unwrap());
    let to_anna = sdp_of(&to_first.ask(with("answer", answer.clone(), &none)).await.unwrap());
    let end = instant() + Duration::from_secs(20);
    let (mut anna_heard, mut ben_heard) = (0, 0);
    while (anna_heard < 10 || ben_heard < 10) && instant() < end {
        anna.speaks_to(port(&to_anna));
        ben.speaks_to(port(&to_ben));
        anna_heard += u32::from(anna.hears(0x22).await);
        ben_heard += u32::from(ben.hears(0x11).await);
    }
    if anna_heard < 10 || ben_heard < 10 {
        return Err(format!("anna heard {anna_heard}, ben {ben_heard}\n{offer}\n{answer}"));
    }
    Ok([offer, answer])
}

const DTLS: &[(&str, &str)] =
    &[("transport-protocol", "UDP/TLS/RTP/SAVP"), ("ICE", "remove"), ("SDES", "off")];

/// MEDIA-01, MEDIA-15: SRTP by DTLS without ICE, with another implementation at the other end: both directions of the offer, both roles.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dtls_without_ice_is_spoken_with_rtpengine() {
    let theirs = Theirs::start().await;
    let ours = Ours::start(80, None, None).await;
    for (name, ours_first, role, setup) in [
        ("we offer, they open", true, "actpass", "active"),
        ("we offer and open", true, "active", "passive"),
        ("we offer, they must open", true, "passive", "active"),
        ("they offer, we open", false, "actpass", "active"),
        ("they offer and open", false, "active", "passive"),
        ("they offer, we must open", false, "passive", "active"),
    ] {
        let (first, second) =
            if ours_first { (ours.address, theirs.address) } else { (theirs.address, ours.address) };
        let [offer, answer] = talk(name, first, second, keys(DTLS).with("SDES", vec!["off".into()]), role)
            .await
            .unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(offer.contains("a=setup:actpass") && !offer.contains("a=crypto"), "{name}: {offer}");
        assert!(answer.contains(&format!("a=setup:{setup}")), "{name}: {answer}");
    }
}

/// MEDIA-12, MEDIA-15: ICE on a port pair, in the clear and with SDES, with rtpengine as the full agent that checks: audio passes
/// only between addresses that checks proved, so what is heard shows that they were made and answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ice_without_dtls_is_spoken_with_rtpengine() {
    let theirs = Theirs::start().await;
    let ours = Ours::start(80, None, None).await;
    for (name, ours_first, profile, mux) in [
        ("plain, we offer", true, "RTP/AVP", false),
        ("plain, they offer", false, "RTP/AVP", false),
        ("plain, on one port, they offer", false, "RTP/AVP", true),
        ("SDES, we offer", true, "RTP/SAVP", false),
        ("SDES, they offer", false, "RTP/SAVP", false),
    ] {
        let (first, second) =
            if ours_first { (ours.address, theirs.address) } else { (theirs.address, ours.address) };
        let mut between = keys(&[("transport-protocol", profile), ("ICE", "force"), ("DTLS", "off")]);
        if mux {
            between = between.with("rtcp-mux", vec!["offer".into()]);
        }
        let [offer, answer] =
            talk(name, first, second, between, "actpass").await.unwrap_or_else(|why| panic!("{name}: {why}"));
        for sdp in [&offer, &answer] {
            assert!(sdp.contains("a=candidate:") && sdp.contains(profile), "{name}: {sdp}");
            assert_eq!(sdp.contains("a=crypto:"), profile == "RTP/SAVP", "{name}: {sdp}");
        }
        let id = Value::dict().with("command", "query").with("call-id", name);
        let figures = Proxy::to(ours.address).ask(id).await.unwrap();
        let mut text = Vec::new();
        ng::wire::json::write(&figures, &mut text);
        assert!(String::from_utf8_lossy(&text).contains("\"ICE\""), "{name}");
    }
}
