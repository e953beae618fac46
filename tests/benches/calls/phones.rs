//! The agents' desk phones: all of them on one socket, answering at once and hanging up after a while.

#[path = "register.rs"]
mod register;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

pub struct Phones {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    seen: Mutex<Seen>,
    talk: Mutex<Duration>,
}

/// What the phones have seen since the last beginning.
#[derive(Default)]
pub struct Seen {
    pub answered: u32,
    /// From a phone's BYE to its next INVITE, in the order of the calls.
    pub gaps: Vec<Duration>,
    /// From the customer's INVITE to the phone's, sorted.
    pub delays: Vec<Duration>,
}

impl Phones {
    /// Registers these extensions, each with its secret, and begins to answer.
    pub fn start(sip_port: u16, accounts: &[(String, String)]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
        for (extension, secret) in accounts {
            register::register(&socket, sip_port, extension, secret);
        }
        socket.set_read_timeout(Some(Duration::from_millis(1))).expect("a time-out");
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let thread = std::thread::spawn(move || Desk::new(socket, own).run());
        Self { shared, thread: Some(thread) }
    }

    /// From now on is counted anew.
    pub fn begin(&self, talk: Duration) {
        *self.shared.talk.lock().expect("no panic") = talk;
        *self.shared.seen.lock().expect("no panic") = Seen::default();
    }

    pub fn end(&self) -> Seen {
        let mut seen = std::mem::take(&mut *self.shared.seen.lock().expect("no panic"));
        seen.delays.sort_unstable();
        seen
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// The other end of one dialog, as far as a phone has to know it.
struct Dialog {
    ok: String,
    bye: String,
    extension: String,
}

struct Desk {
    socket: UdpSocket,
    shared: Arc<Shared>,
    dialogs: HashMap<String, Dialog>,
    /// Who hangs up when, by Call-ID.
    ends: BinaryHeap<Reverse<(Instant, String)>>,
    /// Since when a phone is free, by extension.
    free: HashMap<String, Instant>,
}

impl Desk {
    fn new(socket: UdpSocket, shared: Arc<Shared>) -> Self {
        let (dialogs, ends, free) = Default::default();
        Self { socket, shared, dialogs, ends, free }
    }

    fn run(&mut self) {
        let mut buffer = vec![0; 65_536];
        let mut appliance = None;
        while !self.shared.stop.load(Ordering::Relaxed) {
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                let now = Instant::now();
                appliance = Some(from);
                if let Some(answer) = self.take(&String::from_utf8_lossy(&buffer[..length]), now) {
                    self.socket.send_to(answer.as_bytes(), from).expect("sent");
                }
            }
            let now = Instant::now();
            while self.ends.peek().is_some_and(|Reverse((due, _))| *due <= now) {
                let Some(Reverse((_, call))) = self.ends.pop() else { break };
                if let (Some(dialog), Some(to)) = (self.dialogs.get(&call), appliance) {
                    self.free.insert(dialog.extension.clone(), Instant::now());
                    self.socket.send_to(dialog.bye.as_bytes(), to).expect("sent");
                }
            }
        }
    }

    /// What a phone answers.
    fn take(&mut self, text: &str, now: Instant) -> Option<String> {
        let call = header(text, "Call-ID")?.to_owned();
        let method = text.split(' ').next()?;
        match method {
            "INVITE" => {
                if let Some(known) = self.dialogs.get(&call) {
                    return Some(known.ok.clone());
                }
                let extension = text.split_once("sip:")?.1.split('@').next()?.to_owned();
                let dialog = dialog(text, &call, extension, self.socket.local_addr().ok()?.port())?;
                let ok = dialog.ok.clone();
                let mut seen = self.shared.seen.lock().expect("no panic");
                seen.answered += 1;
                seen.gaps.extend(self.free.remove(&dialog.extension).map(|since| now - since));
                seen.delays.extend(since_sent(text));
                drop(seen);
                self.dialogs.insert(call, dialog);
                Some(ok)
            }
            "ACK" => {
                let talk = *self.shared.talk.lock().expect("no panic");
                self.ends.push(Reverse((now + talk, call)));
                None
            }
            // The answer to our BYE.
            "SIP/2.0" => {
                self.dialogs.remove(&call);
                None
            }
            _ => {
                self.dialogs.remove(&call);
                Some(answered(text, "200 OK"))
            }
        }
    }
}

/// The dialog that an INVITE begins (RFC 3261 §12.1.1), with what the phone is going to say in it.
fn dialog(invite: &str, call: &str, extension: String, port: u16) -> Option<Dialog> {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
    let contact = format!("<sip:{extension}@127.0.0.1:{port}>");
    let more = format!("Contact: {contact}\r\nContent-Type: application/sdp\r\n");
    let (from, to) = (header(invite, "From")?, header(invite, "To")?);
    let far = header(invite, "Contact")?.trim_matches(['<', '>']);
    let bye = format!(
        "BYE {far} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKb{call}\r\nFrom: {to};tag={TAG}\r\n\
         To: {from}\r\nCall-ID: {call}\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    Some(Dialog { ok: answered_with(invite, "200 OK", &more, sdp), bye, extension })
}

/// The phones' tag: which call it is says the Call-ID.
const TAG: &str = "desk";

fn answered(request: &str, status: &str) -> String {
    answered_with(request, status, "", "")
}

fn answered_with(request: &str, status: &str, more: &str, body: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let value = header(request, name).unwrap_or_default();
        let tag =
            if name == "To" && !value.contains(";tag=") { format!(";tag={TAG}") } else { String::new() };
        text += &format!("{name}: {value}{tag}\r\n");
    }
    text + more + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

pub fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// How long ago the customer sent the INVITE: its time stands in the caller's name, as SIPp writes it: day, time of day, and
/// seconds since 1970.
fn since_sent(invite: &str) -> Option<Duration> {
    let name = header(invite, "From")?.split('"').nth(1)?;
    let sent: f64 = name.rsplit(char::is_whitespace).next()?.parse().ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
    Duration::try_from_secs_f64(now - sent).ok()
}
