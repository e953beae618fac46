//! The load: parties that talk through whatever is measured, and count what comes.
//!
//! Parties are spread evenly over the packet time, as phones are that know nothing of each other; both parties of a call are half
//! a packet time apart. What they send was encoded before. The schedule is kept whatever the program under test does: who is
//! behind with listening goes on with it at the next tick, and what does not come out is counted as lost.
#![expect(clippy::disallowed_methods, reason = "a load generator paces real packets with a real clock")]

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::ice::{Kind, classify};
use media::rtp::{Header, RtpTimestamp, SeqNo};
use media::srtp;

use crate::page::Page;

/// The time between two packets of a party.
const PTIME: Duration = Duration::from_millis(20);
/// A packet that has not come after so long is looked for at the end only.
const PATIENCE: Duration = Duration::from_millis(60);
/// What is late is waited for so long at the end.
const LATE: Duration = Duration::from_millis(100);
/// Between two checks of a page (RFC 7675 §5.1).
const CONSENT: Duration = Duration::from_secs(5);

/// How parties find out what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// Who waits for a packet looks every 0.1 ms, to which delays are known: a load with a core of its own.
    Eagerly,
    /// Everybody looks every 4 ms, to which delays are known: a load that shares its cores.
    InTurn,
    /// Everybody looks once a packet time, so that listening costs the same however late packets are. Delays are not known.
    Evenly,
    /// Nobody looks: what comes is counted elsewhere.
    Never,
}

impl Listening {
    /// What parties do is looked at this often.
    const fn tick(self) -> Duration {
        match self {
            Self::Eagerly | Self::Evenly | Self::Never => Duration::from_micros(100),
            Self::InTurn => Duration::from_millis(1),
        }
    }
    /// In which everybody is listened to once.
    const fn turn(self) -> Option<Duration> {
        match self {
            Self::Eagerly | Self::Never => None,
            Self::InTurn => Some(Duration::from_millis(4)),
            Self::Evenly => Some(PTIME),
        }
    }
}

/// How parties talk.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// Before anything is metered.
    pub lead: Duration,
    /// What is metered.
    pub length: Duration,
    /// Calls begin one by one within this.
    pub ramp: Duration,
    pub listening: Listening,
}

impl Talk {
    /// All at once, eagerly.
    pub const fn of(length: Duration) -> Self {
        Self { lead: Duration::ZERO, length, ramp: Duration::ZERO, listening: Listening::Eagerly }
    }
}

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
    pub open: Option<srtp::Receiver>,
    /// A browser's.
    pub page: Option<Page>,
    /// What every packet that comes must look like: payload type, and payloads where they can be known.
    pub expects: (u8, Option<Arc<[Vec<u8>]>>),
    ssrc: u32,
    seq: u32,
    /// The last sequence number that came.
    came_last: Option<SeqNo>,
    /// When the packets left that the partner has not got yet.
    on_their_way: VecDeque<Instant>,
}

impl Party {
    /// In the network namespace of the thread that asks.
    pub fn new(number: usize, at: IpAddr, speech: Speech, expects: u8) -> Self {
        let socket =
            UdpSocket::bind((at, 0)).expect("a socket for each party; is the limit of open files too low?");
        socket.set_nonblocking(true).expect("a non-blocking socket");
        Self {
            socket,
            to: SocketAddr::from(([127, 0, 0, 1], 9)),
            speech,
            protect: None,
            open: None,
            page: None,
            expects: (expects, None),
            ssrc: 0x1000_0000 + number as u32,
            seq: 0,
            came_last: None,
            on_their_way: VecDeque::with_capacity(64),
        }
    }

    /// Packets it has sent in its life.
    pub const fn spoken(&self) -> u32 {
        self.seq
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
        self.socket.send_to(&room[..len], self.to).expect("the network takes it");
    }
}

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub sent: u64,
    pub received: u64,
    /// Of these: not what was expected.
    pub wrong: u64,
    /// Sequence numbers that were left out.
    pub gaps: u64,
    /// What the meter showed while packets were sent.
    pub spent_us: f64,
    /// How long packets were sent and metered, and how many were sent in that time.
    pub took: Duration,
    pub metered: u64,
    /// Processor time that sending and listening took meanwhile, waiting and waking left out; only where parties listen evenly or never.
    pub worked_us: f64,
    /// Delays in microseconds, to the next look.
    delays_us: Vec<u32>,
}

impl Counted {
    /// What another part of the load counted at the same time.
    pub fn join(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.wrong += other.wrong;
        self.gaps += other.gaps;
        self.spent_us += other.spent_us;
        self.metered += other.metered;
        self.worked_us += other.worked_us;
        self.took = self.took.max(other.took);
        self.delays_us.extend(other.delays_us);
    }
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

/// Lets these parties talk. `meter`: microseconds of what is measured.
pub fn run(parties: &mut [Party], talk: Talk, meter: impl Fn() -> f64) -> Counted {
    let Talk { lead, length, ramp, listening } = talk;
    let mut counted = Counted { delays_us: Vec::with_capacity(1 << 22), ..Counted::default() };
    for party in &mut *parties {
        party.on_their_way.clear();
        // What came meanwhile may have been counted elsewhere.
        party.came_last = None;
    }
    let mut room = [0; 2_048];
    // Parties whose partner's packet is on its way, in the order of sending.
    let mut waiting: VecDeque<(usize, Instant)> = VecDeque::with_capacity(parties.len() * 4);
    let (mut before, mut metered) = (0.0, (Instant::now(), 0));
    let own_us = || if matches!(listening, Listening::Evenly | Listening::Never) { own_us() } else { 0.0 };
    let began = Instant::now();
    let step = listening.tick();
    let ticks_of = |time: Duration| (time.as_micros() / step.as_micros()) as usize;
    let (lead, ticks, ramp) = (ticks_of(lead), ticks_of(lead + length), ticks_of(ramp));
    let (ptime, consent, turn) = (ticks_of(PTIME), ticks_of(CONSENT), listening.turn().map(ticks_of));
    for tick in 0..ticks {
        let due = began + step * tick as u32;
        while let Some(early) = due.checked_duration_since(Instant::now()).filter(|early| !early.is_zero()) {
            std::thread::sleep(early);
        }
        if tick == lead {
            (before, metered) = (meter(), (Instant::now(), counted.sent));
        }
        let begun_us = own_us();
        for n in speakers(parties.len(), tick, ptime) {
            if n * ramp > tick * parties.len() {
                continue;
            }
            parties[n].say(&mut room);
            counted.sent += 1;
            if listening == Listening::Eagerly {
                waiting.push_back((n ^ 1, Instant::now()));
            }
        }
        for n in share(parties.len(), tick % consent, consent) {
            let Party { page, socket, to, .. } = &mut parties[n];
            if let Some(page) = page {
                page.check(socket, *to);
            }
        }
        if let Some(turn) = turn {
            for n in share(parties.len(), tick % turn, turn) {
                listen(parties, n, &mut room, &mut counted);
            }
        }
        // At least one a tick; the rest only while there is time.
        for _ in 0..waiting.len() {
            let Some((n, since)) = waiting.pop_front() else { break };
            if listen(parties, n, &mut room, &mut counted) == 0 && since.elapsed() < PATIENCE {
                waiting.push_back((n, since));
            }
            if due.elapsed() >= step {
                break;
            }
        }
        if tick >= lead {
            counted.worked_us += own_us() - begun_us;
        }
    }
    (counted.spent_us, counted.took) = (meter() - before, metered.0.elapsed());
    counted.metered = counted.sent - metered.1;
    let end = Instant::now() + LATE;
    while Instant::now() < end {
        (0..parties.len()).for_each(|n| _ = listen(parties, n, &mut room, &mut counted));
        std::thread::sleep(LATE / 20);
    }
    counted
}

/// Microseconds on a processor of the thread that asks, to the moment.
fn own_us() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}

/// The parties that speak at this tick.
fn speakers(parties: usize, tick: usize, ptime: usize) -> impl Iterator<Item = usize> {
    let calls = parties / 2;
    let (now, half) = (tick % ptime, (tick + ptime / 2) % ptime);
    share(calls, now, ptime).map(|call| 2 * call).chain(share(calls, half, ptime).map(|call| 2 * call + 1))
}

/// Which of so many have their turn at this of `turns` turns.
fn share(of: usize, turn: usize, turns: usize) -> std::ops::Range<usize> {
    (turn * of).div_ceil(turns)..((turn + 1) * of).div_ceil(turns)
}

/// Takes what came to a party; says how many packets of audio that were.
fn listen(parties: &mut [Party], n: usize, room: &mut [u8; 2_048], counted: &mut Counted) -> usize {
    let mut came = 0;
    while let Ok(mut len) = parties[n].socket.recv(room) {
        let party = &mut parties[n];
        let kind = classify(room[0]);
        if let (Kind::Stun, Some(page)) = (kind, &mut party.page) {
            page.is_answered(&room[..len]);
        }
        // Reports come on the same port where the far end's RTCP is muxed; they are not audio.
        if kind != Kind::Media || media::rtp::is_rtcp(&room[..len]) {
            continue;
        }
        came += 1;
        // What does not open stays as it is, and is not what was expected.
        let opened = party
            .open
            .as_mut()
            .is_none_or(|open| open.unprotect_rtp(&mut room[..len]).map(|opened| len = opened).is_ok());
        let seq = SeqNo(u16::from_be_bytes([room[2], room[3]]));
        if let Some(last) = party.came_last {
            counted.gaps += u64::from(seq.0.wrapping_sub(last.0).wrapping_sub(1));
        }
        party.came_last = Some(seq);
        let (payload_type, payloads) = &party.expects;
        let right = opened
            && len > 12
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
