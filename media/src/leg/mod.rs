//! One party's RTP, both directions, without I/O.
//!
//! A [`Leg`] takes datagrams and `now`, and says what they are: audio for whoever hears this leg, an event, or nothing for
//! others. It writes packets for its own far end into buffers it is given. What is relayed stays in the buffer it came in:
//! checked and opened by the leg it came to ([`Leg::receive`]), renumbered and closed by the leg it goes to ([`Leg::relay`]).
//!
//! - `latch`: whose packets are believed, and where to send
//! - `protection`: SRTP, kept over re-negotiations
//! - `incoming`: from datagram to audio; `overheard`: digits as tones in it
//! - `passing`: formats that are passed on without being understood
//! - `video`: what only video needs: its cap, feedback, repairs
//! - `outgoing`: our one stream to the far end; `hearing`, `voice`, `sounds`, `mixed`: what goes into it
//! - `forwarding`: what another relays in its place
//! - `reports`: RTCP, time-outs, quality; `watching`: one-way audio, silence, clipping, clock skew
//! - `setup`: applying what was negotiated; `sight`: telling it to those who watch
//!
//! Not here: who hears whom (`plane`), sockets (`driver`).

mod forwarding;
mod hearing;
mod incoming;
mod latch;
mod mixed;
mod outgoing;
mod overheard;
mod passing;
mod protection;
mod reports;
mod setup;
mod sight;
mod silence;
mod sounds;
mod video;
mod voice;
mod watching;

use std::mem::offset_of;
use std::net::SocketAddr;
use std::time::Duration;

use model::id::LegId;
use model::media::Codec;
use model::time::Timestamp;

use crate::control::{Direction, Event, EventFormat, Format, LegSetup, LegStats};
use crate::driver::Clock;
use crate::dtmf;
use crate::ice::{BrowserTransport, Certificate, DtlsTransport, IceOutput, PortChecks};
use crate::quality::StreamMeter;
use crate::quality::watch::Watch;

pub use forwarding::{PlainIn, PlainOut};
pub use hearing::Way;
pub use incoming::{Audio, DropReason, HeardEvent, Received};
pub use latch::{LEARNING_WINDOW, Latch};
pub use outgoing::{Outgoing, SourceKey};
pub use passing::{Pass, Passing};
pub use reports::{LOOKS_EVERY, SourceClock};
pub use sounds::prepare_tones;
pub use video::Told;
pub use voice::{Loudness, PlayoutNews};

use incoming::{Accepts, Said};
use passing::Passes;
use protection::Protection;
use reports::Reports;
use sounds::Player;
use video::VideoState;

/// Which of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// RTP, and RTCP where both share a port.
    Rtp,
    /// RTCP alone.
    Rtcp,
}

/// Where a leg puts packets of its own making.
pub trait Wire {
    /// Sends what `write` puts into an empty buffer; it returns the length, 0 for nothing.
    fn put(&mut self, door: Door, to: SocketAddr, write: &mut dyn FnMut(&mut [u8]) -> usize);
}

/// What legs tell, gathered until somebody takes it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For control.
    pub events: Vec<Event>,
    /// From the leg's ICE; [`Leg::apply_ice`] empties it.
    pub ice: Vec<IceOutput>,
}

/// What a leg is born with.
#[derive(Clone, Copy, Debug)]
pub struct Birth {
    /// SSRC, first sequence number and timestamp: unpredictable (RFC 3550 §5.1).
    pub ssrc: u32,
    /// See `ssrc`.
    pub seq: u16,
    /// See `ssrc`.
    pub timestamp: u32,
    /// Silence of this length is told.
    pub media_timeout: Duration,
    /// A recording that captures it may get nothing for so long before that is told.
    pub recording_silence: Duration,
    /// The clock that `now` comes from.
    pub clock: Clock,
}

/// See the module.
///
/// The order is that of memory: what each packet needs lies together in front, because with hundreds of legs each is cold when
/// its packet comes, and waiting for memory is most of what a packet costs in user space. [`Leg::SENDS`] and [`Leg::RECEIVES`]
/// say how far a packet to the far end and one from it reach.
#[derive(Debug)]
#[repr(C)]
pub struct Leg {
    // Every packet.
    protection: Protection,
    terms: Option<Terms>,
    /// The far end holds us with an address of zeros: nothing is sent, and what was learnt is kept for later.
    nowhere: bool,
    /// The browser let go of the address it had verified (RFC 7675).
    consent_lost: bool,
    muted: bool,
    /// Whether tones are listened for.
    overhears: bool,
    latch: Latch,
    // Those to the far end.
    digits: Option<Box<Digits>>,
    tone: Option<Box<Player>>,
    outgoing: Outgoing,
    // Those from it.
    accepts: Accepts,
    passes: Passes,
    ice: Option<Box<BrowserTransport>>,
    /// ICE without DTLS.
    checks: Option<Box<PortChecks>>,
    video: Option<Box<VideoState>>,
    voice: Option<Box<voice::Voice>>,
    overheard: Option<Box<overheard::Overheard>>,
    stream: Stream,
    alive: Alive,
    watching: watching::Watching,
    meter: StreamMeter,
    // The rest.
    watch: Watch,
    id: LegId,
    clock: Clock,
    setup: Option<LegSetup>,
    /// What the far end said that concerns other legs, until it is taken.
    told: Told,
    /// DTLS without ICE.
    dtls: Option<Box<DtlsTransport>>,
    /// For DTLS without ICE; `None`: it cannot.
    certificate: Option<Certificate>,
    sound: Option<Box<Player>>,
    event_relay: Option<hearing::EventRelay>,
    /// Time of the next packet of a conference's mix; `None` when it must be joined to what was sent before.
    mixed: Option<crate::rtp::RtpTimestamp>,
    events_in: dtmf::Receiver,
    media_timeout: Duration,
    recording_silence: Duration,
    reports: Reports,
    /// Times it was looked after.
    looks: u32,
}

/// What of the setup each packet needs.
#[derive(Clone, Copy, Debug)]
struct Terms {
    direction: Direction,
    send: Option<Format>,
    comfort_noise: Option<u8>,
    events: Option<EventFormat>,
    /// What it is sent is G.729, and silence may not be left out of it (`annexb=no`).
    wants_silence: bool,
}

impl Terms {
    const fn of(setup: &LegSetup) -> Self {
        let LegSetup { direction, send, comfort_noise, events, shape, .. } = *setup;
        let wants_silence = matches!(send, Some(Format { codec: Codec::G729, .. })) && !shape.dtx;
        Self { direction, send, comfort_noise, events, wants_silence }
    }
}

/// Digits on their way to the far end.
#[derive(Debug)]
struct Digits {
    sender: dtmf::Sender,
    /// Whether control asked for them and is told when they are out.
    told: bool,
    /// RTP time of the event being sent, and when that was.
    began: Option<(crate::rtp::RtpTimestamp, Timestamp)>,
}

/// The far end's stream, as hearers must know it.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    ssrc: Option<u32>,
    /// The SSRC before, and until when stragglers of it are expected.
    before: Option<(u32, Timestamp)>,
    said: Option<Said>,
    /// When the newest packet was said.
    timestamp: Option<crate::rtp::RtpTimestamp>,
    /// Grows with each new SSRC or format.
    number: u32,
    /// It described silence (G.729 Annex B): it may do so again.
    describes_silence: bool,
}

impl Stream {
    /// What it is coded in, when we have that codec.
    const fn codec(&self) -> Option<Codec> {
        match self.said {
            Some(Said::Codec(codec)) => Some(codec),
            _ => None,
        }
    }
}

/// Signs of life.
#[derive(Clone, Copy, Debug, Default)]
struct Alive {
    /// Since when something is expected; `None`: nothing is.
    expected_since: Option<Timestamp>,
    heard_at: Option<Timestamp>,
    started: bool,
    silent_told: bool,
}

impl Leg {
    /// Octets from its beginning that a packet to the far end reaches.
    pub const SENDS: usize = offset_of!(Self, accepts);
    /// Octets from its beginning that a packet from the far end reaches.
    pub const RECEIVES: usize = offset_of!(Self, meter) + StreamMeter::EACH_PACKET;

    /// A leg that nothing is known about yet.
    pub fn new(id: LegId, birth: &Birth, ice: Option<BrowserTransport>) -> Self {
        Self {
            id,
            clock: birth.clock,
            setup: None,
            terms: None,
            watch: Watch::default(),
            accepts: Accepts::default(),
            passes: Passes::default(),
            video: None,
            told: Told::default(),
            latch: Latch::new(crate::control::Latching::Off, None, None, true),
            ice: ice.map(Box::new),
            checks: None,
            dtls: None,
            certificate: None,
            nowhere: false,
            consent_lost: false,
            protection: Protection::Waiting,
            outgoing: Outgoing::new(birth.ssrc, birth.seq, birth.timestamp),
            voice: None,
            digits: None,
            tone: None,
            sound: None,
            event_relay: None,
            mixed: None,
            meter: StreamMeter::new(Codec::Pcmu),
            events_in: dtmf::Receiver::new(8_000),
            stream: Stream::default(),
            muted: false,
            media_timeout: birth.media_timeout,
            recording_silence: birth.recording_silence,
            alive: Alive::default(),
            reports: Reports::new(birth.ssrc, birth.timestamp),
            overheard: None,
            overhears: false,
            watching: watching::Watching::default(),
            looks: 0,
        }
    }

    /// A leg that can do DTLS without ICE.
    pub fn with_certificate(self, certificate: Certificate) -> Self {
        Self { certificate: Some(certificate), ..self }
    }
    /// Whether it has DTLS without ICE.
    pub const fn shakes_hands(&self) -> bool {
        self.dtls.is_some()
    }

    /// Its name.
    pub const fn id(&self) -> LegId {
        self.id
    }
    /// Whether its far end is a browser.
    pub const fn is_ice(&self) -> bool {
        self.ice.is_some()
    }
    /// What was negotiated last.
    pub const fn setup(&self) -> Option<&LegSetup> {
        self.setup.as_ref()
    }
    /// CTRL-01: silences its words towards whoever hears them. Its stream goes on, with silence in it; of formats that are
    /// passed on, nothing goes on.
    pub const fn mute(&mut self, muted: bool) {
        self.muted = muted;
        // What was not passed on meanwhile is no loss: hearers join anew.
        if matches!(self.stream.said, Some(Said::Passed { .. })) {
            self.stream.number = self.stream.number.wrapping_add(1);
        }
    }
    /// Whether media from this address may be this leg's (shared ports only).
    pub fn is_verified(&self, from: SocketAddr) -> bool {
        self.ice.as_ref().is_some_and(|ice| ice.is_verified(from))
    }

    /// A packet that came to this leg is handled soon: its keys are fetched from memory.
    pub fn fetch_receiver(&self) {
        self.protection.fetch_receiver();
    }
    /// A packet for this leg's far end is made soon: the same.
    pub fn fetch_sender(&self) {
        self.protection.fetch_sender();
    }

    /// Its figures.
    pub fn stats(&self) -> LegStats {
        LegStats {
            received: self.meter.snapshot(),
            sent_packets: self.outgoing.packets(),
            sent_octets: self.outgoing.octets(),
            far_lost_percent: self.reports.far_lost_percent(),
            far_jitter_ms: self.reports.far_jitter_ms(self.send_clock()),
            playout: self.playout(),
            quality: self.meter.mos(),
            mos_conversational: self.meter.conversational(),
            received_ssrc: self.stream.ssrc,
            sent_ssrc: self.outgoing.ssrc(),
            rtcp_received: self.reports.received_packets(),
            rtcp_received_octets: self.reports.received().0,
            rtcp_received_at: self.reports.received().1,
            heard_at: self.alive.heard_at,
            rtcp_sent: self.reports.sent_packets(),
            video: self.video_stats(),
        }
    }

    /// Its figures of what comes in begin anew. What it tells its far end by RTCP goes on.
    pub fn begin_measuring(&mut self) {
        self.meter.begin_anew();
    }

    /// Grows whenever the far end's stream is another one.
    pub const fn stream_number(&self) -> u32 {
        self.stream.number
    }

    /// Where audio goes now; `None` when none may.
    fn destination(&self) -> Option<SocketAddr> {
        if !matches!(self.terms?.direction, Direction::SendRecv | Direction::SendOnly) || !self.may_send() {
            return None;
        }
        self.latch.rtp_to()
    }

    /// Whether anything may leave at all, reports included.
    fn may_send(&self) -> bool {
        self.protection.is_ready() && !self.consent_lost && !self.nowhere
    }

    /// What sounds and voices are sent in.
    fn send_format(&self) -> Option<Format> {
        self.terms?.send
    }

    fn send_clock(&self) -> u32 {
        self.outgoing.clock_hz()
    }

    /// Ticks of one packet we send.
    fn send_step(&self) -> u32 {
        self.send_format().map_or(160, |send| send.codec.clock_hz() / 1_000 * u32::from(send.ptime_ms))
    }

    /// When [`Leg::timer`] has something to do, finer than once a second.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let digits = self.digits.as_ref().map(|digits| digits.sender.next_deadline());
        let tone = self.tone.as_ref().map(|tone| tone.next_deadline());
        let sound = self.sound.as_ref().map(|sound| sound.next_deadline());
        let alone = self.dtls.as_ref().and_then(|dtls| dtls.next_timeout());
        let ice = self.ice.as_ref().and_then(|ice| ice.next_timeout()).or(alone);
        // Libraries count in Instant; what lies in the past is due now.
        let ice = ice.map(|at| self.clock.timestamp(at));
        let keyframe = self.keyframe_deadline();
        [digits, tone, sound, ice, keyframe, self.events_in.next_deadline(), self.voice_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due: digits to be sent, digits whose end was lost, retransmissions of the handshake.
    pub fn timer(&mut self, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        if let Some(digit) = self.events_in.expire(now) {
            out.events.push(Event::Dtmf { leg: self.id, digit: digit.digit, held: digit.held });
        }
        if let Some(ice) = &mut self.ice {
            let instant = self.clock.instant(now);
            if ice.next_timeout().is_some_and(|at| at <= instant) {
                ice.handle_timeout(instant, &mut out.ice);
                self.apply_ice(now, wire, out);
            }
        }
        if let Some(dtls) = &mut self.dtls {
            let instant = self.clock.instant(now);
            if dtls.next_timeout().is_some_and(|at| at <= instant) {
                dtls.handle_timeout(instant, &mut out.ice);
                self.apply_ice(now, wire, out);
            }
        }
        self.ask_for_keyframe(now, wire);
        self.send_digits(now, wire, out);
        self.speak(now, wire);
        self.play_on(now, wire, out);
    }
}
