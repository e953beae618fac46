//! A proxy's half of the NG protocol, as little as calls need: the same words for both programs.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// Tries until an answer comes.
const TRIES: usize = 5;

pub struct Client {
    socket: UdpSocket,
    cookie: u32,
}

/// What a party learns from the program: where to send, and the key that it is sent with.
#[derive(Debug)]
pub struct Learnt {
    pub to: SocketAddr,
    pub crypto: Option<String>,
    answer: String,
}

impl Learnt {
    /// What the description says in `a=NAME:`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let rest = self.answer.split_once(&format!("a={name}:"))?.1;
        rest.split(['\r', '\n']).next()
    }

    /// The payload type that the description gives a codec.
    pub fn payload_type(&self, codec: &str) -> Option<u8> {
        let maps = self.answer.split("a=rtpmap:").skip(1).filter_map(|map| map.split_once(' '));
        maps.filter(|(_, name)| name.to_ascii_lowercase().starts_with(codec))
            .find_map(|(number, _)| number.parse().ok())
    }
}

/// A stream in a description.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub at: SocketAddr,
    /// `RTP/AVP` or `RTP/SAVP`.
    pub profile: &'a str,
    pub payload_type: u8,
    /// `PCMU/8000` and the like.
    pub codec: &'a str,
    pub crypto: Option<&'a str>,
    /// Further lines.
    pub attributes: &'a str,
}

impl Client {
    pub fn connect(control: SocketAddr) -> Option<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.connect(control).ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        Some(Self { socket, cookie: 0 })
    }

    pub fn ping(&mut self) -> bool {
        self.ask("d7:command4:pinge").is_ok_and(|answer| answer.contains("4:pong"))
    }

    fn ask(&mut self, dictionary: &str) -> Result<String, String> {
        self.cookie += 1;
        let cookie = format!("c{}", self.cookie);
        let mut answer = [0; 65_536];
        for _ in 0..TRIES {
            // Refused while nobody listens yet: as good as no answer.
            self.socket.send(format!("{cookie} {dictionary}").as_bytes()).ok();
            while let Ok(len) = self.socket.recv(&mut answer) {
                let text = String::from_utf8_lossy(&answer[..len]).into_owned();
                if let Some(rest) = text.strip_prefix(&format!("{cookie} ")) {
                    return Ok(rest.to_owned());
                }
            }
        }
        Err("no answer".to_owned())
    }

    /// The caller's offer: what the callee learns. `more`: further keys, in bencode.
    pub fn offer(&mut self, call: usize, line: &Line<'_>, more: &str) -> Result<Learnt, String> {
        let (call, sdp) = (text(&format!("call{call}")), text(&line.sdp()));
        self.learn(&format!("d7:command5:offer7:call-id{call}8:from-tag1:a3:sdp{sdp}{more}e"))
    }

    /// The callee's answer: what the caller learns.
    pub fn answer(&mut self, call: usize, line: &Line<'_>) -> Result<Learnt, String> {
        let (call, sdp) = (text(&format!("call{call}")), text(&line.sdp()));
        self.learn(&format!("d7:command6:answer7:call-id{call}8:from-tag1:a6:to-tag1:b3:sdp{sdp}e"))
    }

    /// Records a call from now on.
    pub fn record(&mut self, call: usize) -> Result<(), String> {
        let call = text(&format!("call{call}"));
        let answer = self.ask(&format!("d7:command15:start recording7:call-id{call}8:from-tag1:ae"))?;
        if answer.contains("6:result2:ok") { Ok(()) } else { Err(answer) }
    }

    /// Ends a call.
    pub fn delete(&mut self, call: usize) -> Result<(), String> {
        let call = text(&format!("call{call}"));
        let answer = self.ask(&format!("d7:command6:delete7:call-id{call}12:delete delayi0ee"))?;
        if answer.contains("6:result2:ok") { Ok(()) } else { Err(answer) }
    }

    fn learn(&mut self, dictionary: &str) -> Result<Learnt, String> {
        let answer = self.ask(dictionary)?;
        let port = answer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        let Some(port) = port else { return Err(answer) };
        let at =
            answer.split("c=IN IP4 ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        let Some(at) = at else { return Err(answer) };
        let key = |rest: &str| rest.chars().take_while(|c| !c.is_whitespace() && *c != '|').collect();
        let crypto = answer.split("AES_CM_128_HMAC_SHA1_80 inline:").nth(1).map(key);
        Ok(Learnt { to: SocketAddr::new(at, port), crypto, answer })
    }
}

impl Line<'_> {
    fn sdp(&self) -> String {
        let Self { at, profile, payload_type, codec, crypto, attributes } = self;
        let crypto = crypto
            .map(|key| format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n"))
            .unwrap_or_default();
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {} {profile} {payload_type}\r\na=rtpmap:{payload_type} {codec}\r\na=ptime:20\r\na=sendrecv\r\n{crypto}{attributes}",
            at.port(),
            ip = at.ip()
        )
    }
}

fn text(s: &str) -> String {
    format!("{}:{s}", s.len())
}
