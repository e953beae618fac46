//! A softphone without a browser: a whole WebRTC peer (str0m) that speaks a tone in mu-law and keeps what it hears.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::agent::Agent;
use crate::tone;

/// One packet every 20 ms.
const PTIME: Duration = Duration::from_millis(20);

/// A connected softphone.
pub struct Softphone {
    stop: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<i16>>>,
    thread: Option<JoinHandle<()>>,
}

impl Softphone {
    /// Negotiates over the agent's console and begins to speak `hz`; returns when media flows.
    #[expect(clippy::disallowed_methods, reason = "scenarios run in real time")]
    pub async fn attach(agent: &mut Agent, hz: f64) -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let mut rtc = RtcConfig::new().clear_codecs().enable_pcmu(true, false).build(Instant::now());
        let local = Candidate::host(socket.local_addr().expect("bound"), "udp").expect("a candidate");
        rtc.add_local_candidate(local);
        let mut change = rtc.sdp_api();
        let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().expect("an offer");
        agent.send("phone_offer", json!({ "sdp": offer.to_sdp_string() })).await.expect("the offer is taken");
        let answer = agent
            .wait_for("phone answer", |e| e["event"] == "phone_answer" || e["event"] == "phone_refused")
            .await;
        let sdp = answer["sdp"].as_str().unwrap_or_else(|| panic!("refused: {answer}"));
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap_or_else(|e| panic!("{e}:\n{sdp}"));
        let (stop, heard) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (up, is_up) = mpsc::channel();
        let thread = {
            let (stop, heard) = (stop.clone(), heard.clone());
            std::thread::spawn(move || run(Call { rtc, socket, mid, hz, stop, heard, up }, pending, answer))
        };
        tokio::task::spawn_blocking(move || {
            is_up.recv_timeout(Duration::from_secs(20)).expect("ICE and DTLS connect")
        })
        .await
        .expect("no panic");
        // This end may know of it before the other.
        agent.see("the phone is up", |e| e["event"] == "phone" && e["phone"]["up"] == true).await;
        Self { stop, heard, thread: Some(thread) }
    }

    /// What it heard so far, 8 kHz.
    pub fn heard(&self) -> Vec<i16> {
        self.heard.lock().expect("not poisoned").clone()
    }
}

impl Drop for Softphone {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Call {
    rtc: Rtc,
    socket: UdpSocket,
    mid: Mid,
    hz: f64,
    stop: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<i16>>>,
    up: mpsc::Sender<()>,
}

#[expect(clippy::disallowed_methods, reason = "scenarios run in real time")]
fn run(mut call: Call, pending: SdpPendingOffer, answer: SdpAnswer) {
    call.rtc.sdp_api().accept_answer(pending, answer).expect("the answer fits the offer");
    let speech: Vec<u8> = tone::sine(call.hz, 8_000, 10.0).into_iter().map(tone::to_mulaw).collect();
    let here = call.socket.local_addr().expect("bound");
    let (mut buffer, mut spoken, mut connected) = (vec![0; 2_000], 0_usize, false);
    let mut next = Instant::now();
    let mut known = None;
    while !call.stop.load(Ordering::Relaxed) && call.rtc.is_alive() {
        let timeout = loop {
            match call.rtc.poll_output().expect("str0m goes on") {
                Output::Timeout(at) => break at,
                Output::Transmit(t) => drop(call.socket.send_to(&t.contents, t.destination)),
                Output::Event(Event::Connected) => {
                    connected = true;
                    next = Instant::now();
                    let _ = call.up.send(());
                }
                Output::Event(Event::MediaData(data)) => {
                    call.heard
                        .lock()
                        .expect("not poisoned")
                        .extend(data.data.iter().map(|c| tone::from_mulaw(*c)));
                }
                Output::Event(_) => {}
            }
        };
        let now = Instant::now();
        if connected && now >= next {
            next += PTIME;
            let from = spoken * 160 % speech.len();
            let time = MediaTime::new(spoken as u64 * 160, Frequency::EIGHT_KHZ);
            if let Some(writer) = call.rtc.writer(call.mid) {
                let payload_type = writer.payload_params().next().expect("one codec").pt();
                writer.write(payload_type, now, time, speech[from..from + 160].to_vec()).expect("written");
            }
            spoken += 1;
            continue;
        }
        let until = if connected { timeout.min(next) } else { timeout };
        call.socket
            .set_read_timeout(Some(until.saturating_duration_since(now).max(Duration::from_millis(1))))
            .expect("a time-out");
        let input = match call.socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                expect_source(&mut call, &mut known, &buffer[..length]);
                match buffer[..length].try_into() {
                    Ok(contents) => Input::Receive(
                        Instant::now(),
                        Receive { proto: Protocol::Udp, source, destination: here, contents },
                    ),
                    Err(_) => continue,
                }
            }
            Err(_) => Input::Timeout(Instant::now()),
        };
        call.rtc.handle_input(input).expect("str0m takes it");
    }
}

/// Browsers take any SSRC on the only audio line (RFC 8843 §9.2: by payload type); str0m wants to be told.
fn expect_source(call: &mut Call, known: &mut Option<u32>, datagram: &[u8]) {
    let rtp = datagram.len() > 12 && datagram[0] >> 6 == 2 && !(64..96).contains(&(datagram[1] & 0x7f));
    let ssrc = u32::from_be_bytes(datagram.get(8..12).map_or([0; 4], |b| b.try_into().expect("four bytes")));
    if rtp && *known != Some(ssrc) {
        *known = Some(ssrc);
        call.rtc.direct_api().expect_stream_rx(ssrc.into(), None, call.mid, None);
    }
}
