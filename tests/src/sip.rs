//! SIP by hand, one datagram or one stream at a time: for what no SIP stack would send.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// Longest wait for an answer that has to come: for the slowest of machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, as far as tests look at it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The whole message.
    pub text: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let status = text.strip_prefix("SIP/2.0 ").and_then(|t| t.get(..3)?.parse().ok());
        Self { status: status.unwrap_or_else(|| panic!("not an answer: {text}")), text }
    }

    /// The value of a header, by its long name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.text, name)
    }
}

fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A user agent without a stack.
pub struct Line {
    socket: UdpSocket,
    target: SocketAddr,
    count: std::cell::Cell<u32>,
}

impl Line {
    /// On 127.0.0.1, where the carrier is, towards the appliance's SIP port.
    pub fn to(sip_port: u16) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, sip_port)
    }

    /// On another address of the loopback: a stranger.
    pub fn at(address: Ipv4Addr, sip_port: u16) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a port");
        Self { socket, target: SocketAddr::from(([127, 0, 0, 1], sip_port)), count: Default::default() }
    }

    /// A number no other request of the test has.
    pub fn fresh(&self) -> String {
        self.count.set(self.count.get() + 1);
        format!("{}x{}", self.here().port(), self.count.get())
    }

    /// Where answers come.
    pub fn here(&self) -> SocketAddr {
        self.socket.local_addr().expect("bound")
    }

    /// A whole request; a test changes it before it goes out, so that each shows only what it breaks.
    pub fn request(&self, method: &str, user: &str, body: &str) -> String {
        let (here, fresh, target) = (self.here(), self.fresh(), self.target.port());
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:{user}@127.0.0.1:{target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {here};branch=z9hG4bK{fresh}\r\n\
             From: <sip:+493012345@127.0.0.1>;tag=t{fresh}\r\n\
             To: <sip:{user}@127.0.0.1>\r\n\
             Call-ID: {fresh}@test\r\n\
             CSeq: 1 {method}\r\n\
             Contact: <sip:test@{here}>\r\n\
             Max-Forwards: 70\r\n\
             {kind}Content-Length: {length}\r\n\r\n{body}",
            length = body.len(),
        )
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.target).expect("sent");
    }

    /// The next answer that is not provisional; `None` when nothing came in time.
    pub fn answer(&self, limit: Duration) -> Option<Answer> {
        let mut buffer = vec![0; 65_536];
        self.socket.set_read_timeout(Some(limit)).expect("a limit");
        loop {
            let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
            // What is asked of us, such as a BYE, is no answer.
            if buffer.starts_with(b"SIP/2.0 ") && !buffer.starts_with(b"SIP/2.0 1") {
                return Some(Answer::read(&buffer[..length]));
            }
        }
    }

    /// Sends a request and returns its final answer; a refused INVITE is acknowledged, as RFC 3261 §17.1.1.3 wants.
    pub fn ask(&self, request: &str) -> Answer {
        self.send(request.as_bytes());
        let answer = self.answer(PATIENCE).unwrap_or_else(|| panic!("no answer to:\n{request}"));
        if request.starts_with("INVITE ") && answer.status >= 300 {
            self.acknowledge(request, &answer);
        }
        answer
    }

    /// What was answered so far. Datagrams are taken in their order, so the answer to one more question shows that all before
    /// it were dealt with: silence is known without waiting for it.
    pub fn answered(&self) -> Vec<Answer> {
        let question = self.request("OPTIONS", "ping", "");
        self.send(question.as_bytes());
        let mut before = Vec::new();
        loop {
            let answer = self.answer(PATIENCE).expect("OPTIONS is answered");
            if answer.header("Call-ID") == header(&question, "Call-ID") {
                assert_eq!(answer.status, 200, "{}", answer.text);
                return before;
            }
            before.push(answer);
        }
    }

    fn acknowledge(&self, request: &str, answer: &Answer) {
        let uri = request.split(' ').nth(1).unwrap_or_default();
        let line = |name: &str| {
            request.lines().find(|l| l.starts_with(name)).unwrap_or_default().trim_end().to_owned()
        };
        let ack = format!(
            "ACK {uri} SIP/2.0\r\n{}\r\n{}\r\nTo: {}\r\n{}\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            line("Via:"),
            line("From:"),
            answer.header("To").unwrap_or_default(),
            line("Call-ID:"),
        );
        self.send(ack.as_bytes());
    }
}

/// A TCP connection without a stack.
pub struct Stream {
    stream: TcpStream,
    kept: Vec<u8>,
}

impl Stream {
    /// To the appliance on 127.0.0.1.
    pub fn to(sip_port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", sip_port)).expect("the appliance listens");
        stream.set_nodelay(true).expect("a socket takes it");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        // Whoever does not read must not hold up the test.
        stream.set_write_timeout(Some(PATIENCE)).expect("a limit");
        Self { stream, kept: Vec::new() }
    }

    /// Says these bytes. `false`: it was closed meanwhile.
    pub fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The next final answer; `None` when the appliance closed the connection.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut buffer = [0; 4_096];
        loop {
            if let Some(end) = self.kept.windows(4).position(|w| w == b"\r\n\r\n") {
                let length = header(&String::from_utf8_lossy(&self.kept[..end]), "Content-Length")
                    .map_or(0, |text| text.parse().expect("a length"));
                if self.kept.len() >= end + 4 + length {
                    let message: Vec<u8> = self.kept.drain(..end + 4 + length).collect();
                    if !message.starts_with(b"SIP/2.0 1") {
                        return Some(Answer::read(&message));
                    }
                    continue;
                }
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.kept.extend_from_slice(&buffer[..length]),
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(e) => {
                    panic!("neither answered nor closed ({e}) after: {}", String::from_utf8_lossy(&self.kept))
                }
            }
        }
    }

    /// Waits until the appliance closes the connection.
    pub fn closed(&mut self) {
        while self.answer().is_some() {}
    }
}

/// An offer of one audio stream at `port`.
pub fn offer(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
}
