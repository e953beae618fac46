//! A whole WebRTC agent negotiates through the node: it reads what we write, and the handshake shows that we read it rightly.
#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ng::wire::Value;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use support::{Ours, Proxy, instant, port, receive, request, sdp_of};

struct Browser {
    rtc: Rtc,
    socket: UdpSocket,
    mid: Option<Mid>,
    connected: bool,
    known: bool,
    heard: usize,
    said: u64,
}

impl Browser {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut rtc = Rtc::builder().clear_codecs().enable_opus(true, false).build(instant());
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap()).unwrap();
        Self { rtc, socket, mid: None, connected: false, known: false, heard: 0, said: 0 }
    }

    fn offers(&mut self) -> (String, SdpPendingOffer) {
        let mut change = self.rtc.sdp_api();
        self.mid = Some(change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None));
        let (offer, pending) = change.apply().unwrap();
        (offer.to_sdp_string(), pending)
    }

    fn live(&mut self) {
        let here = self.socket.local_addr().unwrap();
        let mut octets = [0; 2_048];
        while let Ok((len, from)) = self.socket.recv_from(&mut octets) {
            self.learn_ssrc(&octets[..len]);
            let receive = Receive::new(Protocol::Udp, from, here, &octets[..len]).unwrap();
            self.rtc.handle_input(Input::Receive(instant(), receive)).unwrap();
            self.drain();
        }
        self.rtc.handle_input(Input::Timeout(instant())).unwrap();
        self.drain();
    }

    /// Browsers take a stream that was not announced; this agent wants to be told.
    fn learn_ssrc(&mut self, datagram: &[u8]) {
        let is_media =
            datagram.first().is_some_and(|first| first >> 6 == 2) && !media::rtp::is_rtcp(datagram);
        let Some(view) = media::rtp::View::parse(datagram).ok().filter(|_| is_media) else { return };
        if !self.known {
            self.known = true;
            let ssrc = view.header.ssrc.into();
            self.rtc.direct_api().expect_stream_rx(ssrc, None, self.mid.unwrap(), None);
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(it) => drop(self.socket.send_to(&it.contents, it.destination)),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::MediaAdded(added)) => self.mid = Some(added.mid),
                Output::Event(Event::MediaData(_)) => self.heard += 1,
                Output::Event(_) => {}
            }
        }
    }

    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = instant() + Duration::from_secs(5);
        while !done(self) {
            assert!(instant() < deadline, "{what}");
            self.live();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// 20 ms of silence in Opus.
    fn says(&mut self) {
        let writer = self.rtc.writer(self.mid.unwrap()).unwrap();
        let payload_type = writer.payload_params().next().unwrap().pt();
        let time = MediaTime::new(self.said * 960, str0m::media::Frequency::FORTY_EIGHT_KHZ);
        writer.write(payload_type, instant(), time, vec![0x08, 0x0B, 0xE4]).unwrap();
        self.said += 1;
        self.live();
    }
}

/// This agent wants a group even for one medium; browsers do not, and rtpengine writes none either.
fn grouped(sdp: &str) -> String {
    let mid = sdp.split_once("a=mid:").unwrap().1.split("\r\n").next().unwrap();
    sdp.replacen("m=audio", &format!("a=group:BUNDLE {mid}\r\nm=audio"), 1)
}

fn phone() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let port = socket.local_addr().unwrap().port();
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    );
    (socket, sdp)
}

async fn talk(browser: &mut Browser, phone: &UdpSocket, to: u16) {
    browser.until("the handshake is done", |browser| browser.connected).await;
    let to = SocketAddr::from(([127, 0, 0, 1], to));
    for n in 0..25_u8 {
        let mut packet = vec![0x80, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, 9];
        packet[4..8].copy_from_slice(&(u32::from(n) * 160).to_be_bytes());
        packet.extend_from_slice(&[n; 160]);
        phone.send_to(&packet, to).unwrap();
        browser.says();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    browser.until("the phone is heard", |browser| browser.heard >= 10).await;
    let heard = receive(phone, Duration::from_secs(1)).await.expect("the browser is heard");
    assert_eq!((heard[1] & 0x7f, heard.len()), (0, 172), "Opus came as PCMU");
}

/// MEDIA-15: a browser calls a phone through a proxy with the usual flags.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_a_phone() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let mut browser = Browser::new();
    let (offer, pending) = browser.offers();
    let (phone, sdp) = phone();
    let codec = Value::dict().with("mask", vec!["opus".into()]).with("transcode", vec!["PCMU".into()]);
    let ask =
        request("offer").with("from-tag", "a").with("sdp", offer).with("ICE", "remove").with("codec", codec);
    let ask = ask.with("transport-protocol", "RTP/AVP").with("rtcp-mux", vec!["demux".into()]);
    let to_phone = sdp_of(&proxy.ask(ask).await.unwrap());
    assert!(to_phone.contains("RTP/AVP 0"), "{to_phone}");
    let ask =
        request("answer").with("from-tag", "a").with("to-tag", "b").with("sdp", sdp).with("ICE", "force");
    let to_browser = sdp_of(&proxy.ask(ask).await.unwrap());
    let answer =
        SdpAnswer::from_sdp_string(&grouped(&to_browser)).unwrap_or_else(|e| panic!("{e}: {to_browser}"));
    browser.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    talk(&mut browser, &phone, port(&to_phone)).await;
}

/// MEDIA-15: a phone calls a browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_calls_a_browser() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let mut browser = Browser::new();
    let (phone, sdp) = phone();
    let codec = Value::dict().with("mask", vec!["PCMU".into()]).with("transcode", vec!["opus".into()]);
    let ask = request("offer")
        .with("from-tag", "a")
        .with("sdp", sdp)
        .with("codec", codec)
        .with("flags", vec!["WebRTC".into()]);
    let to_browser = sdp_of(&proxy.ask(ask).await.unwrap());
    let offer =
        SdpOffer::from_sdp_string(&grouped(&to_browser)).unwrap_or_else(|e| panic!("{e}: {to_browser}"));
    let answer = browser.rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string();
    browser.drain();
    let ask =
        request("answer").with("from-tag", "a").with("to-tag", "b").with("sdp", answer).with("ICE", "remove");
    let to_phone = sdp_of(&proxy.ask(ask).await.unwrap());
    assert!(to_phone.contains("RTP/AVP 0\r\n"), "{to_phone}");
    talk(&mut browser, &phone, port(&to_phone)).await;
}
