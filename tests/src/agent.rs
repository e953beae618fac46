//! An agent without a browser: the console's WebSocket, spoken by a program.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use crate::http::Http;

/// A WebSocket over TLS.
pub type Socket = WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>>;

/// What a page shows when it opens its socket.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What follows the question mark.
    pub query: String,
    /// The session's cookie.
    pub cookie: String,
    /// Where the page came from.
    pub origin: String,
}

impl Opening {
    /// What a page of this session shows.
    pub fn of(http: &Http, port: u16) -> Self {
        let origin = format!("https://localhost:{port}");
        Self { query: format!("csrf={}", http.csrf()), cookie: http.cookie.clone(), origin }
    }

    /// Opens the socket; a refusal is its HTTP status.
    pub async fn open(&self, port: u16) -> Result<Socket, u16> {
        let mut request = format!("wss://localhost:{port}/api/v1/console?{}", self.query)
            .into_client_request()
            .expect("a request");
        request.headers_mut().insert("cookie", self.cookie.parse().expect("a header"));
        request.headers_mut().insert("origin", self.origin.parse().expect("a header"));
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.expect("the appliance listens");
        let config = rustls::ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("TLS");
        match tokio_tungstenite::client_async(request, tls).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("the socket does not open: {error}"),
        }
    }
}

/// A connected console.
pub struct Agent {
    socket: Socket,
    id: u64,
    /// Events that came while an answer was awaited.
    events: std::collections::VecDeque<Value>,
    /// The first frame: a welcome with the snapshot.
    pub welcome: Value,
}

impl Agent {
    /// Opens the console's socket of a signed-in user. `port` is the appliance's HTTPS port on 127.0.0.1.
    pub async fn connect(http: &Http, port: u16) -> Self {
        Self::connect_after(http, port, None).await
    }

    /// As [`Agent::connect`], asking for what was missed after `seq`.
    pub async fn connect_after(http: &Http, port: u16, after: Option<u64>) -> Self {
        let after = after.map(|n| format!("&after={n}")).unwrap_or_default();
        let opening = Opening { query: format!("csrf={}{after}", http.csrf()), ..Opening::of(http, port) };
        let socket = opening.open(port).await.expect("the console's socket opens");
        let mut agent = Self { socket, id: 0, events: Default::default(), welcome: Value::Null };
        agent.welcome = agent.wait_for("welcome", |e| e["event"] == "welcome").await;
        agent
    }

    /// Sends a command and waits for its answer: `Ok` fields or the problem.
    pub async fn send(&mut self, command: &str, fields: Value) -> Result<Value, Value> {
        self.id += 1;
        let mut frame = json!({ "id": self.id, "do": command });
        if let (Some(frame), Some(fields)) = (frame.as_object_mut(), fields.as_object()) {
            frame.extend(fields.clone());
        }
        self.socket.send(Message::text(frame.to_string())).await.expect("the socket takes it");
        loop {
            let frame = self.frame(Duration::from_secs(20), command).await;
            if frame["re"] == self.id {
                return if frame["problem"].is_null() {
                    Ok(frame["ok"].clone())
                } else {
                    Err(frame["problem"].clone())
                };
            }
            self.events.push_back(frame);
        }
    }

    /// The next event, whatever it is; `None` when none came within `limit`.
    pub async fn next(&mut self, limit: Duration) -> Option<Value> {
        match self.events.pop_front() {
            Some(event) => Some(event),
            None => {
                tokio::time::timeout(limit, self.frame(Duration::from_secs(3_600), "an event")).await.ok()
            }
        }
    }

    /// The next event that fits; others before it are dropped.
    pub async fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait(what, Duration::from_secs(60), fits).await
    }

    /// Waits until an event that fits has come, and leaves it and all others to be waited for.
    pub async fn see(&mut self, what: &str, fits: impl Fn(&Value) -> bool) {
        while !self.events.iter().any(&fits) {
            let frame = self.frame(Duration::from_secs(60), what).await;
            self.events.push_back(frame);
        }
    }

    /// As [`Agent::wait_for`], with a limit of one's own.
    pub async fn wait(&mut self, what: &str, limit: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        while let Some(event) = self.events.pop_front() {
            if fits(&event) {
                return event;
            }
        }
        let wait = async {
            loop {
                let frame = self.frame(limit, what).await;
                if fits(&frame) {
                    return frame;
                }
            }
        };
        tokio::time::timeout(limit, wait)
            .await
            .unwrap_or_else(|_| panic!("{what}: no such event within {limit:?}"))
    }

    async fn frame(&mut self, limit: Duration, what: &str) -> Value {
        loop {
            let message = tokio::time::timeout(limit, self.socket.next()).await;
            match message.unwrap_or_else(|_| panic!("{what}: the socket is silent")) {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).expect("frames are JSON");
                }
                Some(Ok(Message::Close(why))) => panic!("{what}: the socket was closed: {why:?}"),
                Some(Ok(_)) => {}
                other => panic!("{what}: the socket ended: {other:?}"),
            }
        }
    }

    /// Sends a frame as it is: for what no console would send.
    pub async fn send_raw(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).await.expect("the socket takes it");
    }

    /// The socket itself, when the agent has no use for it any more.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// Takes offers and hangs up after `talk`, `count` times, each time completing after-call work.
    pub async fn serve(&mut self, count: usize, talk: Duration) -> Vec<Value> {
        let mut served = Vec::new();
        while served.len() < count {
            let event = self.wait_for("an offer", |e| e["event"] == "offered").await;
            if self.send("accept", json!({ "offer": event["offer"]["offer"] })).await.is_err() {
                continue;
            }
            let interaction = event["offer"]["interaction"].clone();
            self.wait_for("talking", |e| {
                e["work"]["interaction"] == interaction && e["work"]["phase"] == "talking"
            })
            .await;
            tokio::time::sleep(talk).await;
            let _ = self.send("hang_up", json!({ "interaction": interaction })).await;
            served.push(interaction);
        }
        served
    }
}

/// Trusts anybody: the certificate under test is self-signed.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
