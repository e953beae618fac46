//! The load: parties that talk through whatever is measured, and count what comes.
#![expect(clippy::disallowed_methods, reason = "a load generator paces real packets with a real clock")]

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use media::rtp::{Header, RtpTimestamp, SeqNo};
use media::srtp;

/// Milliseconds between two packets of a party.
const PTIME_MS: usize = 20;
/// Ticks in which the answers to a tick's packets are looked for.
const READ_TICKS: usize = 4;

/// One far end. Parties `2n` and `2n + 1` talk to each other.
pub struct Party {
    pub socket: UdpSocket,
    /// Where to send.
    pub to: SocketAddr,
    pub payload_type: u8,
    pub payload: Vec<u8>,
    pub protect: Option<srtp::Sender>,
    /// What every packet that comes must look like: payload type, and payload where it is not encrypted.
    pub expects: (u8, Option<Vec<u8>>),
    pub ssrc: u32,
    seq: u16,
    sent_at: Option<Instant>,
}

impl Party {
    pub fn new(number: usize, payload_type: u8, payload: Vec<u8>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0")
            .expect("a socket for each party; is the limit of open files too low?");
        socket.set_nonblocking(true).expect("a non-blocking socket");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let ssrc = 0x1000_0000 + number as u32;
        let expects = (payload_type, None);
        Self {
            socket,
            to: nowhere,
            payload_type,
            payload,
            protect: None,
            expects,
            ssrc,
            seq: 0,
            sent_at: None,
        }
    }

    pub fn addr(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }

    fn say(&mut self, room: &mut [u8; 2_048], now: Instant) {
        let header = Header {
            marker: self.seq == 0,
            payload_type: self.payload_type,
            seq: SeqNo(self.seq),
            timestamp: RtpTimestamp(u32::from(self.seq) * 160),
            ssrc: self.ssrc,
        };
        self.seq = self.seq.wrapping_add(1);
        let mut len = 12 + self.payload.len();
        room[..12].copy_from_slice(&header.octets());
        room[12..len].copy_from_slice(&self.payload);
        if let Some(protect) = &mut self.protect {
            len = protect.protect_rtp(room, len).expect("room for a tag");
        }
        self.socket.send_to(&room[..len], self.to).expect("loopback takes it");
        self.sent_at = Some(now);
    }
}

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub sent: u64,
    pub received: u64,
    /// Of these: not what was expected.
    pub wrong: u64,
    /// Delays in microseconds, to the next 1 ms tick of reading.
    delays_us: Vec<u32>,
}

impl Counted {
    pub fn lost_percent(&self) -> f64 {
        100.0 * (self.sent.saturating_sub(self.received)) as f64 / self.sent.max(1) as f64
    }
    /// The delay that this share of the packets stayed below, in milliseconds.
    pub fn delay_ms(&mut self, share: f64) -> f64 {
        self.delays_us.sort_unstable();
        let at = (self.delays_us.len() as f64 * share) as usize;
        self.delays_us
            .get(at.min(self.delays_us.len().saturating_sub(1)))
            .map_or(0.0, |us| f64::from(*us) / 1_000.0)
    }
}

/// Lets all parties talk for this long, spread evenly over the packet time.
pub fn run(parties: &mut [Party], length: Duration) -> Counted {
    let mut counted = Counted { delays_us: Vec::with_capacity(1 << 20), ..Counted::default() };
    let mut room = [0; 2_048];
    let began = Instant::now();
    let ticks = length.as_millis() as usize;
    for tick in 0..ticks + PTIME_MS {
        let due = began + Duration::from_millis(tick as u64);
        while let Some(early) = due.checked_duration_since(Instant::now()).filter(|early| !early.is_zero()) {
            std::thread::sleep(early);
        }
        let now = Instant::now();
        // Both parties of a call share a phase.
        if tick < ticks {
            for n in phase(parties.len(), tick) {
                parties[n].say(&mut room, now);
                counted.sent += 1;
            }
        }
        for before in 1..=READ_TICKS.min(tick) {
            for n in phase(parties.len(), tick - before) {
                listen(parties, n, &mut room, &mut counted);
            }
        }
    }
    // What was late is not lost.
    std::thread::sleep(Duration::from_millis(100));
    for n in 0..parties.len() {
        listen(parties, n, &mut room, &mut counted);
    }
    counted
}

/// The parties that speak at this tick.
fn phase(parties: usize, tick: usize) -> impl Iterator<Item = usize> {
    let calls = parties / 2;
    (tick % PTIME_MS..calls).step_by(PTIME_MS).flat_map(|call| [2 * call, 2 * call + 1])
}

fn listen(parties: &mut [Party], n: usize, room: &mut [u8; 2_048], counted: &mut Counted) {
    let partner_spoke = parties[n ^ 1].sent_at;
    let party = &parties[n];
    while let Ok(len) = party.socket.recv(room) {
        // Reports come on the same port where the far end's RTCP is muxed; they are not audio.
        if media::rtp::is_rtcp(&room[..len]) {
            continue;
        }
        counted.received += 1;
        let (payload_type, payload) = &party.expects;
        let right = len >= 172
            && room[1] & 0x7F == *payload_type
            && payload.as_ref().is_none_or(|payload| room[12..len] == payload[..]);
        counted.wrong += u64::from(!right);
        if let Some(spoke) = partner_spoke
            && counted.delays_us.len() < counted.delays_us.capacity()
        {
            counted.delays_us.push(spoke.elapsed().as_micros() as u32);
        }
    }
}
