//! A node of ours on the loopback with a real plane, and a proxy that asks it or rtpengine.

#![allow(dead_code, reason = "each test file uses its part")]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime};

use media::plane::{Interface, Plane, PlaneConfig};
use model::time::Timestamp;
use ng::driver::StatusHandle;
use ng::session::Chance;
use ng::wire::{Value, bencode};
use ng::{Config, Server, Surroundings};
use tokio::sync::oneshot;

static NEXT_PORT: AtomicU16 = AtomicU16::new(24_000);

/// Enough for keys in a test.
pub struct Dice(pub u64);

impl Chance for Dice {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.0 >> 56) as u8;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test over real sockets has no other clock")]
pub fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros() as u64)
}

#[expect(clippy::disallowed_methods, reason = "a test over real sockets has no other clock")]
pub fn instant() -> Instant {
    Instant::now()
}

pub struct Ours {
    pub plane: Plane,
    pub status: StatusHandle,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Ours {
    /// A node with so many ports.
    pub async fn start(
        ports: u16,
        recordings: Option<std::path::PathBuf>,
        sounds: Option<std::path::PathBuf>,
    ) -> Self {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let port_min = NEXT_PORT.fetch_add(ports, Ordering::Relaxed);
        let plane = Plane::start(PlaneConfig {
            threads: 1,
            pin: false,
            interfaces: vec![Interface { bind: here, advertised: here }],
            port_min,
            port_max: port_min + ports - 1,
            ice_port: Some(0),
            ..PlaneConfig::default()
        })
        .unwrap();
        let session = ng::session::Config {
            interfaces: vec![ng::session::Interface { name: "default".into(), bind: here }],
            recordings,
            ..ng::session::Config::default()
        };
        let config = Config { listen: vec!["127.0.0.1:0".parse().unwrap()], session, sounds };
        let server = Server::bind(config).await.unwrap();
        let (address, status) = (server.addresses().unwrap()[0], server.status());
        let (stop, stopped) = oneshot::channel();
        let around = Surroundings {
            plane: plane.handle(),
            events: plane.events(),
            clock: Arc::new(clock),
            chance: Box::new(Dice(u64::from(port_min))),
        };
        let served = tokio::spawn(server.run(around, async {
            stopped.await.ok();
        }));
        Self { plane, status, address, stop: Some(stop), served }
    }

    pub async fn stop(mut self) -> StatusHandle {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.await.unwrap();
        self.status
    }
}

/// A proxy with a socket of its own.
pub struct Proxy {
    socket: UdpSocket,
    cookie: u32,
}

impl Proxy {
    pub fn to(node: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(node).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, cookie: 0 }
    }

    /// Asks in bencode, again and again for two seconds, as proxies do.
    pub async fn ask(&mut self, request: Value) -> Option<Value> {
        self.cookie += 1;
        // Nodes repeat what they answered to a cookie before, whichever port it comes from.
        let port = self.socket.local_addr().unwrap().port();
        let cookie = format!("7_{}_{port}_{} ", std::process::id(), self.cookie);
        let mut datagram = cookie.clone().into_bytes();
        bencode::write(&request, &mut datagram);
        for _ in 0..4 {
            self.socket.send(&datagram).ok();
            if let Some(answer) = self.listen(Duration::from_millis(500)).await
                && let Some(body) = answer.strip_prefix(cookie.as_bytes())
            {
                return bencode::read(body);
            }
        }
        None
    }

    pub async fn send_raw(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        self.socket.send(datagram).unwrap();
        self.listen(Duration::from_millis(500)).await
    }

    async fn listen(&self, wait: Duration) -> Option<Vec<u8>> {
        receive(&self.socket, wait).await
    }
}

/// The next datagram within a time.
pub async fn receive(socket: &UdpSocket, wait: Duration) -> Option<Vec<u8>> {
    let mut octets = vec![0; 65_536];
    let end = instant() + wait;
    loop {
        match socket.recv(&mut octets) {
            Ok(len) => return Some(octets[..len].to_vec()),
            Err(_) if instant() >= end => return None,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

pub fn request(command: &str) -> Value {
    Value::dict().with("command", command).with("call-id", "call-1")
}

pub fn sdp_of(answer: &Value) -> String {
    answer.get("sdp").and_then(Value::text).unwrap_or_else(|| panic!("no sdp in {answer:?}"))
}

/// The port of the first audio line.
pub fn port(sdp: &str) -> u16 {
    sdp.split_once("m=audio ").unwrap().1.split(' ').next().unwrap().parse().unwrap()
}
