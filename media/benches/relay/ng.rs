//! rtpengine as the peer: started on the loopback, told of calls by its NG protocol, ended by its process id.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The loopback port of its control protocol.
const CONTROL: u16 = 22_223;

pub struct Peer {
    child: Child,
    socket: UdpSocket,
    cookie: u32,
}

/// What a party learns from the peer: where to send, and the key that it is sent with.
#[derive(Debug)]
pub struct Learnt {
    pub to: SocketAddr,
    pub crypto: Option<String>,
}

impl Peer {
    /// `None` where rtpengine is not installed or does not start.
    pub fn start(core: usize) -> Option<Self> {
        let control = format!("127.0.0.1:{CONTROL}");
        let child = Command::new("taskset")
            .args(["-c", &core.to_string(), "rtpengine", "--config-file=none", "--table=-1", "--foreground"])
            .args(["--log-stderr", "--log-level=2", "--interface=127.0.0.1", "--num-threads=1"])
            .args(["--port-min=40000", "--port-max=59999", "--delete-delay=0", "--timeout=3600"])
            .arg(format!("--listen-ng={control}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.connect(control).ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        let mut peer = Self { child, socket, cookie: 0 };
        for _ in 0..20 {
            if peer.ask("d7:command4:pinge").is_some_and(|answer| answer.contains("4:pong")) {
                return Some(peer);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    pub fn pid(&self) -> u32 {
        // taskset becomes rtpengine, with the same id.
        self.child.id()
    }

    fn ask(&mut self, dictionary: &str) -> Option<String> {
        self.cookie += 1;
        let cookie = format!("c{}", self.cookie);
        self.socket.send(format!("{cookie} {dictionary}").as_bytes()).ok()?;
        let mut answer = [0; 65_536];
        loop {
            let len = self.socket.recv(&mut answer).ok()?;
            let text = String::from_utf8_lossy(answer.get(..len)?).into_owned();
            if let Some(rest) = text.strip_prefix(&format!("{cookie} ")) {
                return Some(rest.to_owned());
            }
        }
    }

    /// The caller's offer: what the callee learns. `more`: further keys, in bencode.
    pub fn offer(&mut self, call: usize, sdp: &str, more: &str) -> Option<Learnt> {
        let text = |s: &str| format!("{}:{s}", s.len());
        let call = text(&format!("call{call}"));
        let sdp = text(sdp);
        self.learn(&format!("d7:command5:offer7:call-id{call}8:from-tag1:a3:ICE6:remove3:sdp{sdp}{more}e"))
    }

    /// The callee's answer: what the caller learns.
    pub fn answer(&mut self, call: usize, sdp: &str) -> Option<Learnt> {
        let text = |s: &str| format!("{}:{s}", s.len());
        let call = text(&format!("call{call}"));
        let sdp = text(sdp);
        self.learn(&format!("d7:command6:answer7:call-id{call}8:from-tag1:a6:to-tag1:b3:sdp{sdp}e"))
    }

    fn learn(&mut self, dictionary: &str) -> Option<Learnt> {
        let answer = self.ask(dictionary)?;
        let port = answer.split("m=audio ").nth(1)?.split(' ').next()?.parse().ok()?;
        let crypto = answer
            .split("inline:")
            .nth(1)
            .map(|rest| rest.chars().take_while(|c| !c.is_whitespace()).collect());
        Some(Learnt { to: SocketAddr::from(([127, 0, 0, 1], port)), crypto })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An SDP of one audio stream.
pub fn sdp(at: SocketAddr, profile: &str, payload_type: u8, crypto: Option<&str>) -> String {
    let name = if payload_type == 0 { "PCMU" } else { "PCMA" };
    let crypto =
        crypto.map(|key| format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")).unwrap_or_default();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {} {profile} {payload_type}\r\na=rtpmap:{payload_type} {name}/8000\r\na=ptime:20\r\na=sendrecv\r\n{crypto}",
        at.port()
    )
}
