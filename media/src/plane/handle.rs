//! The plane as control sees it: commands in, answers out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use model::id::{LegId, RecordingId};
use tokio::sync::oneshot;

use super::FastPathInfo;
use super::counters::{Shown, ThreadCounters};
use super::directory::Directory;
use super::newcomers::{Newcomer, Place};
use super::orders::Order;
use super::ports::PortPool;
use super::recordings::{Captures, Recordings, SeatTap};
use super::relocate::Weight;
use crate::control::{Answer, Channel, Command, LegCreated, MediaError, PauseReason, Source, Transport};
use crate::driver::{Clock, DriverKind, Trial};
use crate::ice::{BrowserTransport, Certificate, Credentials};
use crate::leg::{Birth, Leg};
use crate::record::{Head, RecordError, Recorder};

/// Attempts to bring two legs together.
pub(super) const MOVES_TRIED: usize = 4;

/// Sends commands to the plane and asks for its counts. Cheap to clone.
#[derive(Clone)]
pub struct PlaneHandle {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for PlaneHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlaneHandle({} threads)", self.inner.directory.threads())
    }
}

pub(super) struct Inner {
    pub clock: Clock,
    pub directory: Arc<Directory>,
    pub pools: Vec<Arc<PortPool>>,
    /// Shared addresses of each thread.
    pub shared: Vec<Vec<SocketAddr>>,
    pub certificate: Certificate,
    pub media_timeout: Duration,
    pub recording_silence: Duration,
    pub shown: Vec<Arc<Shown>>,
    pub drivers: Vec<DriverKind>,
    pub trial: Option<Trial>,
    pub fast_path: FastPathInfo,
    pub recordings: Arc<Recordings>,
    pub recorder: Recorder,
    pub serial: AtomicU64,
}

impl PlaneHandle {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }
    pub(super) fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    /// Carries out a command. Dropping the future does not undo it.
    pub async fn command(&self, command: Command) -> Result<Answer, MediaError> {
        match command {
            Command::CreateLeg { leg, transport, near } => self.create(leg, transport, near).await,
            Command::StartRecording { recording, file } => self.start_recording(recording, file).await,
            Command::Tap { recording, channel, leg } => {
                self.tap(recording, channel, leg.map(Captures::Leg), None).await
            }
            Command::TapRoom { recording, channel, room, without } => {
                self.tap(recording, channel, Some(Captures::Room(room)), without).await
            }
            Command::Room { room, order } => self.order_room(room, order).await,
            Command::PauseRecording { recording, why } => self.pause_recording(recording, Some(why)).await,
            Command::ResumeRecording { recording } => self.pause_recording(recording, None).await,
            Command::StopRecording { recording } => self.stop_recording(recording).await,
            Command::Bridge { a, b } => {
                self.bring_together(a, b).await?;
                self.run(a, Command::Bridge { a, b }).await
            }
            Command::Hear { leg, source: Source::Leg(speaker) } => {
                self.bring_together(leg, speaker).await?;
                self.run(leg, Command::Hear { leg, source: Source::Leg(speaker) }).await
            }
            Command::ConfigureLeg { leg, .. }
            | Command::Hear { leg, .. }
            | Command::StopHearing { leg, .. }
            | Command::Mute { leg, .. }
            | Command::SendDtmf { leg, .. }
            | Command::Stats { leg }
            | Command::BeginMeasuring { leg }
            | Command::DeleteLeg { leg } => self.run(leg, command).await,
        }
    }

    /// Our `a=fingerprint`, the same for all legs: `sha-256 AB:CD:…`.
    pub fn fingerprint(&self) -> String {
        self.inner.certificate.fingerprint().to_string()
    }

    /// The counts of all threads, at most 20 ms old on a busy one.
    pub fn counters(&self) -> Vec<ThreadCounters> {
        let threads = self.inner.shown.iter().zip(&self.inner.drivers).enumerate();
        threads
            .map(|(thread, (shown, driver))| ThreadCounters {
                thread,
                driver: *driver,
                counters: shown.read(),
            })
            .collect()
    }

    /// What decided between the drivers, if something had to.
    pub fn trial(&self) -> Option<Trial> {
        self.inner.trial
    }

    /// Whether the kernel relays plain streams, and if not, why.
    pub fn fast_path(&self) -> &FastPathInfo {
        &self.inner.fast_path
    }

    /// The counts of the recording writer.
    pub fn recording_counters(&self) -> crate::record::Counters {
        self.inner.recorder.counters()
    }

    async fn create(
        &self,
        id: LegId,
        transport: Transport,
        near: Option<LegId>,
    ) -> Result<Answer, MediaError> {
        let thread = self.inner.directory.settle(id, near).ok_or(MediaError::LegExists(id))?;
        let created = self.create_on(thread, id, transport).await;
        if created.is_err() {
            self.inner.directory.gone(id);
        }
        created.map(Answer::Created)
    }

    async fn create_on(
        &self,
        thread: usize,
        id: LegId,
        transport: Transport,
    ) -> Result<LegCreated, MediaError> {
        let mut random = [0u8; 42];
        SystemRandom::new().fill(&mut random).map_err(|_| MediaError::Unavailable)?;
        let [s0, s1, s2, s3, q0, q1, t0, t1, t2, t3, secret @ ..] = random;
        let birth = Birth {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            seq: u16::from_be_bytes([q0, q1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            media_timeout: self.inner.media_timeout,
            recording_silence: self.inner.recording_silence,
            clock: self.inner.clock,
        };
        let serial = self.inner.serial.fetch_add(1, Ordering::Relaxed);
        let (leg, place, created) = match transport {
            Transport::Ports { interface } => {
                let (lease, rtp, rtcp) = self.pool(interface)?.lease()?;
                let created = LegCreated { rtp: lease.rtp(), rtcp: lease.rtcp(), ice: None };
                let leg = Leg::new(id, &birth, None).with_certificate(self.inner.certificate.clone());
                (leg, Place::Own(lease, rtp, rtcp), created)
            }
            Transport::Ice => {
                let shared = self.inner.shared.get(thread).filter(|shared| !shared.is_empty());
                let no_port =
                    || MediaError::BadSetup("no port is configured for browsers: set media.ice_port".into());
                let candidates = shared.ok_or_else(no_port)?.clone();
                let credentials = Credentials::from_random(&secret);
                let ufrag = credentials.ufrag.clone();
                let ice = BrowserTransport::new(&self.inner.certificate, credentials);
                let first = candidates.first().copied().ok_or_else(no_port)?;
                let created = LegCreated { rtp: first, rtcp: first, ice: Some(ice.local(candidates)) };
                (Leg::new(id, &birth, Some(ice)), Place::Shared(ufrag), created)
            }
        };
        let (told, answer) = oneshot::channel();
        let newcomer = Box::new(Newcomer { leg, serial, place });
        self.post(thread, Order::Seat(newcomer, told))?;
        answer.await.unwrap_or(Err(MediaError::Unavailable))?;
        Ok(created)
    }

    fn pool(&self, interface: IpAddr) -> Result<&Arc<PortPool>, MediaError> {
        let found = self.inner.pools.iter().find(|pool| pool.bind() == interface);
        found.ok_or_else(|| MediaError::BadSetup(format!("{interface} is not an address of the media plane")))
    }

    /// Runs a command where this leg lives.
    pub(super) async fn run(&self, leg: LegId, command: Command) -> Result<Answer, MediaError> {
        let home = self.inner.directory.home(leg).ok_or(MediaError::NoSuchLeg(leg))?;
        let (told, answer) = oneshot::channel();
        self.post(home, Order::Run(command, told))?;
        answer.await.unwrap_or(Err(MediaError::Unavailable))
    }

    pub(super) fn post(&self, thread: usize, order: Order) -> Result<(), MediaError> {
        self.inner.directory.post(thread, order).map_err(|_| MediaError::Unavailable)
    }

    /// Sees to it that two legs live on one thread.
    async fn bring_together(&self, a: LegId, b: LegId) -> Result<(), MediaError> {
        let home = |leg| self.inner.directory.home(leg).ok_or(MediaError::NoSuchLeg(leg));
        // More than once, because a leg may be on the move for somebody else.
        for _ in 0..MOVES_TRIED {
            let (of_a, of_b) = (home(a)?, home(b)?);
            if of_a == of_b {
                return Ok(());
            }
            let weights = (self.weigh(a, of_a).await?, self.weigh(b, of_b).await?);
            // One of them lives elsewhere by now.
            let (Some(of_a_weight), Some(of_b_weight)) = weights else { continue };
            let (ours, theirs) = ((a, of_a, of_b), (b, of_b, of_a));
            let lighter_first = if of_a_weight <= of_b_weight { [ours, theirs] } else { [theirs, ours] };
            for (leg, from, to) in lighter_first {
                if self.move_leg(leg, from, to).await? {
                    return Ok(());
                }
            }
        }
        Err(MediaError::BadSetup("neither leg can move to the other's thread".into()))
    }

    /// What a leg would take along; `None`: it does not live there.
    async fn weigh(&self, leg: LegId, home: usize) -> Result<Option<Weight>, MediaError> {
        let (told, answer) = oneshot::channel();
        self.post(home, Order::Weigh(leg, told))?;
        answer.await.map_err(|_| MediaError::Unavailable)
    }

    /// False: it cannot move now, or is not there.
    pub(super) async fn move_leg(&self, leg: LegId, from: usize, to: usize) -> Result<bool, MediaError> {
        let (told, answer) = oneshot::channel();
        self.post(from, Order::Move(leg, to, told))?;
        answer.await.unwrap_or(Err(MediaError::Unavailable))
    }

    async fn start_recording(
        &self,
        recording: RecordingId,
        file: std::path::PathBuf,
    ) -> Result<Answer, MediaError> {
        let now = self.inner.clock.now().micros();
        let head = Head { recording, wall_us: now, at_us: now };
        if self.inner.recordings.is_open(recording) {
            return Err(MediaError::Recording { file, why: "this recording is open already".into() });
        }
        let inner = Arc::clone(&self.inner);
        let path = file.clone();
        let opened = tokio::task::spawn_blocking(move || inner.recorder.open(&path, head)).await;
        match opened {
            Ok(Ok(handle)) => {
                self.inner.recordings.opened(recording, handle);
                Ok(Answer::Done)
            }
            Ok(Err(RecordError::Create { source, .. })) => {
                Err(MediaError::Recording { file, why: source.to_string() })
            }
            Ok(Err(why)) => Err(MediaError::Recording { file, why: why.to_string() }),
            Err(_) => Err(MediaError::Unavailable),
        }
    }

    async fn tap(
        &self,
        recording: RecordingId,
        channel: Channel,
        what: Option<Captures>,
        without: Option<LegId>,
    ) -> Result<Answer, MediaError> {
        match what {
            Some(Captures::Leg(leg)) if self.inner.directory.home(leg).is_none() => {
                return Err(MediaError::NoSuchLeg(leg));
            }
            Some(Captures::Room(room)) if self.inner.directory.room(room).is_none() => {
                return Err(MediaError::NoSuchRoom(room));
            }
            _ => {}
        }
        let change = self
            .inner
            .recordings
            .change(recording, channel, what)
            .ok_or(MediaError::NoSuchRecording(recording))?;
        let tap = SeatTap { handle: change.handle, channel, epoch: change.epoch };
        if let Some(before) = change.before {
            self.untap(before, tap).await;
        }
        if let Some(what) = what {
            self.tell_tap(what, tap, without, true).await?;
        }
        Ok(Answer::Done)
    }

    /// What is gone is captured no longer anyway.
    async fn untap(&self, what: Captures, tap: SeatTap) {
        self.tell_tap(what, tap, None, false).await.ok();
    }

    async fn tell_tap(
        &self,
        what: Captures,
        tap: SeatTap,
        without: Option<LegId>,
        on: bool,
    ) -> Result<(), MediaError> {
        let (reply, answer) = oneshot::channel();
        let (home, order) = match what {
            Captures::Leg(leg) => {
                let home = self.inner.directory.home(leg).ok_or(MediaError::NoSuchLeg(leg))?;
                (home, Order::Tap { leg, tap, on, reply })
            }
            Captures::Room(room) => {
                let home = self.inner.directory.room(room).ok_or(MediaError::NoSuchRoom(room))?;
                (home, Order::TapRoom { room, tap, without, on, reply })
            }
        };
        self.post(home, order)?;
        answer.await.unwrap_or(Err(MediaError::Unavailable))
    }

    /// `None`: goes on.
    async fn pause_recording(
        &self,
        recording: RecordingId,
        why: Option<PauseReason>,
    ) -> Result<Answer, MediaError> {
        let none = MediaError::NoSuchRecording(recording);
        let handle = self.inner.recordings.handle(recording).ok_or(none.clone())?;
        let at_us = self.inner.clock.now().micros();
        let done = self.inner.recorder.pause(handle, at_us, why).map_err(|_| MediaError::Unavailable)?;
        // The writer drops the question when the recording has ended in the meantime.
        done.await.map(|()| Answer::Done).map_err(|_| none)
    }

    async fn stop_recording(&self, recording: RecordingId) -> Result<Answer, MediaError> {
        let none = MediaError::NoSuchRecording(recording);
        let (handle, captures, closed) = self.inner.recordings.ending(recording).ok_or(none)?;
        for (what, channel) in captures.into_iter().zip([Channel::Left, Channel::Right]) {
            if let Some(what) = what {
                self.untap(what, SeatTap { handle, channel, epoch: 0 }).await;
            }
        }
        // Everything the media threads pushed before the answers above is in their rings, which the writer empties
        // once more before it ends the container.
        self.inner
            .recorder
            .close(handle, self.inner.clock.now().micros())
            .map_err(|_| MediaError::Unavailable)?;
        let (frames, missing) = closed.await.map_err(|_| MediaError::Unavailable)?;
        Ok(Answer::Recorded { frames, missing })
    }
}
