//! The endpoint against a phone of plain sockets: who acknowledges what, and what becomes of answers nobody waits for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use signaling::digest::SignIn;
use signaling::endpoint::counters::Counters;
use signaling::endpoint::dialog::Dialog;
use signaling::endpoint::message::{Headers, Method, Reply};
use signaling::endpoint::{Endpoint, EndpointConfig, Flow, Progress};
use signaling::service::{Listener, Transport};
use signaling::trace::Tracer;
use support::{ip, now, random};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

struct Phone {
    socket: UdpSocket,
    house: SocketAddr,
}

impl Phone {
    async fn says(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.house).await.unwrap();
    }
    async fn hears(&self, method: &str) -> String {
        loop {
            let mut buffer = vec![0; 65_536];
            let (len, _) =
                timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await.expect(method).unwrap();
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            if text.starts_with(method) {
                return text;
            }
        }
    }
    async fn hears_nothing(&self) {
        let mut buffer = vec![0; 65_536];
        let heard = timeout(Duration::from_millis(300), self.socket.recv_from(&mut buffer)).await;
        assert!(heard.is_err(), "{}", String::from_utf8_lossy(&buffer));
    }
    /// The answer to a request, with a tag.
    fn answer(&self, request: &str, status: &str, tag: &str) -> String {
        let me = self.socket.local_addr().unwrap();
        let mut out = format!("SIP/2.0 {status}\r\n");
        for name in ["Via:", "From:", "To:", "Call-ID:", "CSeq:"] {
            let line = request.lines().find(|l| l.starts_with(name)).unwrap();
            let tagged = name == "To:" && !line.contains("tag=");
            out += &format!("{line}{}\r\n", if tagged { format!(";tag={tag}") } else { String::new() });
        }
        out + &format!("Contact: <sip:phone@{me};{tag}>\r\nContent-Length: 0\r\n\r\n")
    }
}

/// An endpoint, a phone, and the flow by which the phone was heard.
async fn meet() -> (Endpoint, Phone, Flow) {
    let listener = Listener {
        transport: Transport::Udp,
        bind: SocketAddr::new(ip("127.0.0.1"), 0),
        advertise: None,
        media: ip("127.0.0.1"),
    };
    let config = EndpointConfig {
        listeners: vec![listener],
        tls: None,
        user_agent: "test".into(),
        clock: Arc::new(now),
        random: Arc::new(random),
        trusted: Arc::new(|_| true),
        counters: Arc::new(Counters::default()),
        tracer: Arc::new(Tracer::idle(Arc::new(now))),
    };
    let (endpoint, mut incoming) = Endpoint::start(config).await.unwrap();
    let phone =
        Phone { socket: UdpSocket::bind("127.0.0.1:0").await.unwrap(), house: endpoint.listeners()[0].bound };
    let me = phone.socket.local_addr().unwrap();
    let options = format!(
        "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKhello\r\nFrom: <sip:p@x>;tag=1\r\n\
         To: <sip:us@x>\r\nCall-ID: hello\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    phone.says(&options).await;
    let hello = timeout(PATIENCE, incoming.recv()).await.unwrap().unwrap();
    let flow = hello.flow.clone();
    hello.transaction.finish(&Reply::new(200), None);
    phone.hears("SIP/2.0 200").await;
    (endpoint, phone, flow)
}

fn invite(
    endpoint: &Endpoint,
    flow: &Flow,
) -> (Dialog, mpsc::UnboundedReceiver<Progress>, impl FnOnce() + use<>) {
    let mut dialog = Dialog::begin("call-1", "<sip:us@x>", "ours", "<sip:phone@x>", "sip:phone@192.0.2.99");
    let mut request = dialog.request(Method::Invite);
    request.headers.push("Contact", flow.contact("us"));
    let (sender, progress) = mpsc::unbounded_channel();
    let pending = endpoint.invite(flow, request, move |p| {
        sender.send(p).ok();
    });
    (dialog, progress, move || pending.cancel())
}

/// RFC 3261 §13.2.2.4: each 2xx is acknowledged, however often it comes; one of another fork is also ended.
#[tokio::test]
async fn an_answer_that_comes_again_is_acknowledged_again_and_another_forks_is_ended() {
    let (endpoint, phone, flow) = meet().await;
    let (mut dialog, mut progress, _cancel) = invite(&endpoint, &flow);
    let request = phone.hears("INVITE").await;
    let ok = phone.answer(&request, "200 OK", "first");
    phone.says(&ok).await;
    let Some(Progress::Answered(response)) = progress.recv().await else { panic!("no answer") };
    assert!(dialog.complete(&response));
    endpoint.acknowledge(&flow, &dialog, 1, Headers::new()).await;
    let ack = phone.hears("ACK").await;
    assert!(ack.contains("tag=first") && ack.starts_with("ACK sip:phone@127.0.0.1"), "{ack}");
    for _ in 0..3 {
        phone.says(&ok).await;
        assert_eq!(phone.hears("ACK").await, ack);
    }
    phone.says(&phone.answer(&request, "200 OK", "second")).await;
    assert!(phone.hears("ACK").await.contains("tag=second"));
    let bye = phone.hears("BYE").await;
    assert!(bye.contains("tag=second") && bye.contains(";second"), "{bye}");
    phone.says(&phone.answer(&bye, "200 OK", "second")).await;
    // Two machines that answer each other for ever are stopped.
    for _ in 0..40 {
        phone.says(&ok).await;
    }
    for _ in 0..13 {
        phone.hears("ACK").await;
    }
    phone.hears_nothing().await;
}

#[tokio::test]
async fn a_cancel_names_its_invite_and_the_487_is_acknowledged() {
    let (endpoint, phone, flow) = meet().await;
    let (_dialog, mut progress, cancel) = invite(&endpoint, &flow);
    let request = phone.hears("INVITE").await;
    phone.says(&phone.answer(&request, "180 Ringing", "t")).await;
    assert!(matches!(progress.recv().await, Some(Progress::Provisional(r)) if r.status == 180));
    cancel();
    let cancel = phone.hears("CANCEL").await;
    let branch =
        |text: &str| text.split("branch=").nth(1).unwrap().split([';', '\r']).next().unwrap().to_owned();
    assert_eq!(branch(&cancel), branch(&request));
    assert!(cancel.contains("CSeq: 1 CANCEL"));
    phone.says(&phone.answer(&cancel, "200 OK", "t")).await;
    phone.says(&phone.answer(&request, "487 Request Terminated", "t")).await;
    assert!(phone.hears("ACK").await.contains("CSeq: 1 ACK"));
    assert!(matches!(progress.recv().await, Some(Progress::Refused(r)) if r.status == 487));
}

/// SIP-02: an INVITE that is challenged goes out once more, with credentials and the next number; a wrong password only once.
#[tokio::test]
async fn a_challenged_invite_goes_out_with_credentials_until_they_are_refused() {
    let (endpoint, phone, flow) = meet().await;
    let account = SignIn::new("house".into(), "zanzibar".into());
    let flow = flow.with_account(Some(Arc::new(Mutex::new(account))));
    let (mut dialog, mut progress, _cancel) = invite(&endpoint, &flow);
    let challenged = |request: &str, nonce: &str| {
        let answer = phone.answer(request, "407 Proxy Authentication Required", "t");
        answer.replacen(
            "Call-ID:",
            &format!("Proxy-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"\r\nCall-ID:"),
            1,
        )
    };
    let first = phone.hears("INVITE").await;
    assert!(first.contains("CSeq: 1 INVITE") && !first.contains("Authorization"), "{first}");
    phone.says(&challenged(&first, "n1")).await;
    assert!(phone.hears("ACK").await.contains("CSeq: 1 ACK"));
    let second = phone.hears("INVITE").await;
    assert!(second.contains("CSeq: 2 INVITE") && second.contains("Proxy-Authorization: Digest"), "{second}");
    phone.says(&challenged(&second, "n2")).await;
    assert!(phone.hears("ACK").await.contains("CSeq: 2 ACK"));
    assert!(matches!(progress.recv().await, Some(Progress::Refused(r)) if r.status == 407), "and no third");
    // What follows in the dialog has a number of its own.
    assert!(dialog.request(Method::Bye).cseq() > Some(2));
}

#[tokio::test]
async fn a_stopped_endpoint_lets_go_of_its_address() {
    let (endpoint, phone, flow) = meet().await;
    endpoint.stop();
    drop((endpoint, flow));
    for _ in 0..50 {
        if UdpSocket::bind(phone.house).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the address is still in use");
}
