//! The load: parties that talk through whatever is measured, and count what comes.
//!
//! Parties are spread evenly over the packet time, as phones are that know nothing of each other; both parties of a call are half
//! a packet time apart. What they send was encoded before.
#![expect(clippy::disallowed_methods, reason = "a load generator paces real packets with a real clock")]

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::rtp::{Header, RtpTimestamp, SeqNo};
use media::srtp;

/// What parties do is looked at this often, and so a delay is known to this.
const TICK: Duration = Duration::from_micros(100);
/// Ticks between two packets of a party: 20 ms.
const PTIME: usize = 200;
/// A packet that has not come after so long is looked for at the end only.
const PATIENCE: Duration = Duration::from_millis(60);

/// What a party says, over and over.
#[derive(Clone, Debug)]
pub struct Speech {
    pub payload_type: u8,
    pub payloads: Arc<[Vec<u8>]>,
    /// RTP clock ticks a packet.
    pub ticks: u32,
}

/// One far end. Parties `2n` and `2n + 1` talk to each other.
pub struct Party {
    pub socket: UdpSocket,
    /// Where to send.
    pub to: SocketAddr,
    pub speech: Speech,
    pub protect: Option<srtp::Sender>,
    /// What every packet that comes must look like: payload type, and payloads where they can be known.
    pub expects: (u8, Option<Arc<[Vec<u8>]>>),
    ssrc: u32,
    seq: u32,
    /// When the packets left that the partner has not got yet.
    on_their_way: VecDeque<Instant>,
}

impl Party {
    pub fn new(number: usize, speech: Speech, expects: u8) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0")
            .expect("a socket for each party; is the limit of open files too low?");
        socket.set_nonblocking(true).expect("a non-blocking socket");
        Self {
            socket,
            to: SocketAddr::from(([127, 0, 0, 1], 9)),
            speech,
            protect: None,
            expects: (expects, None),
            ssrc: 0x1000_0000 + number as u32,
            seq: 0,
            on_their_way: VecDeque::with_capacity(64),
        }
    }

    pub fn addr(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }

    fn say(&mut self, room: &mut [u8; 2_048]) {
        let header = Header {
            marker: self.seq == 0,
            payload_type: self.speech.payload_type,
            seq: SeqNo(self.seq as u16),
            timestamp: RtpTimestamp(self.seq.wrapping_mul(self.speech.ticks)),
            ssrc: self.ssrc,
        };
        let payload = &self.speech.payloads[self.seq as usize % self.speech.payloads.len()];
        self.seq = self.seq.wrapping_add(1);
        let mut len = 12 + payload.len();
        room[..12].copy_from_slice(&header.octets());
        room[12..len].copy_from_slice(payload);
        if let Some(protect) = &mut self.protect {
            len = protect.protect_rtp(room, len).expect("room for a tag");
        }
        if self.on_their_way.len() < self.on_their_way.capacity() {
            self.on_their_way.push_back(Instant::now());
        }
        self.socket.send_to(&room[..len], self.to).expect("loopback takes it");
    }
}

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub sent: u64,
    pub received: u64,
    /// Of these: not what was expected.
    pub wrong: u64,
    /// Delays in microseconds, to the next [`TICK`].
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

/// Lets these parties talk for so long.
pub fn run(parties: &mut [Party], length: Duration) -> Counted {
    let mut counted = Counted { delays_us: Vec::with_capacity(1 << 20), ..Counted::default() };
    parties.iter_mut().for_each(|party| party.on_their_way.clear());
    let mut room = [0; 2_048];
    // Parties whose partner's packet is on its way, in the order of sending.
    let mut waiting: VecDeque<(usize, Instant)> = VecDeque::with_capacity(parties.len() * 4);
    let began = Instant::now();
    let ticks = (length.as_micros() / TICK.as_micros()) as usize;
    for tick in 0..ticks {
        let due = began + TICK * tick as u32;
        while let Some(early) = due.checked_duration_since(Instant::now()).filter(|early| !early.is_zero()) {
            std::thread::sleep(early);
        }
        for n in speakers(parties.len(), tick) {
            parties[n].say(&mut room);
            counted.sent += 1;
            waiting.push_back((n ^ 1, Instant::now()));
        }
        for _ in 0..waiting.len() {
            let Some((n, since)) = waiting.pop_front() else { break };
            if listen(parties, n, &mut room, &mut counted) == 0 && since.elapsed() < PATIENCE {
                waiting.push_back((n, since));
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
fn speakers(parties: usize, tick: usize) -> impl Iterator<Item = usize> {
    let calls = parties / 2;
    // Call c has its turn at tick c * PTIME / calls of each packet time.
    let of = move |at: usize| (at * calls).div_ceil(PTIME)..((at + 1) * calls).div_ceil(PTIME);
    let (now, half) = (tick % PTIME, (tick + PTIME / 2) % PTIME);
    of(now).map(|call| 2 * call).chain(of(half).map(|call| 2 * call + 1))
}

/// Takes what came to a party; says how many packets of audio that were.
fn listen(parties: &mut [Party], n: usize, room: &mut [u8; 2_048], counted: &mut Counted) -> usize {
    let mut came = 0;
    while let Ok(len) = parties[n].socket.recv(room) {
        // Reports come on the same port where the far end's RTCP is muxed; they are not audio.
        if media::rtp::is_rtcp(&room[..len]) {
            continue;
        }
        came += 1;
        let (payload_type, payloads) = &parties[n].expects;
        let right = len > 12
            && room[1] & 0x7F == *payload_type
            && payloads.as_ref().is_none_or(|all| all.iter().any(|payload| room[12..len] == payload[..]));
        counted.wrong += u64::from(!right);
        if let Some(left) = parties[n ^ 1].on_their_way.pop_front()
            && counted.delays_us.len() < counted.delays_us.capacity()
        {
            counted.delays_us.push(left.elapsed().as_micros() as u32);
        }
    }
    counted.received += came as u64;
    came
}
