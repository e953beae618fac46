//! Commands as a thread carries them out: each is checked in full first, so that a refused one changes nothing (MEDIA-13).

use model::id::{LegId, RoomId};
use tokio::sync::oneshot;

use super::doors::doors;
use super::guests::Check;
use super::newcomers::Newcomer;
use super::recordings::SeatTap;
use super::relocate::{Evicted, Weight};
use super::rooms::formats_of;
use super::shard::Shard;
use super::sight::Look;
use super::table::Heard;
use crate::control::{Answer, Command, LegSetup, LegSight, MediaError, RoomOrder, Source};
use crate::leg::SourceKey;

/// Where the answer goes.
pub(super) type Reply = oneshot::Sender<Result<Answer, MediaError>>;

/// What a thread can be told.
#[derive(Debug)]
pub(super) enum Order {
    /// A new leg.
    Seat(Box<Newcomer>, oneshot::Sender<Result<(), MediaError>>),
    /// A command about legs that live here.
    Run(Command, Reply),
    /// Let a leg, and all that is bound to it, move to another thread. Answered when they are there; false: they cannot.
    Move(LegId, usize, oneshot::Sender<Result<bool, MediaError>>),
    /// What a leg would take along if it moved; `None` when it lives here no longer.
    Weigh(LegId, oneshot::Sender<Option<Weight>>),
    /// Legs from this slot on, as many as the list has room for, for somebody who watches.
    Look(u32, Vec<LegSight>, oneshot::Sender<Look>),
    /// Legs that come from another thread.
    Adopt(Vec<Evicted>),
    /// A browser's check that came to another thread.
    Check(Box<Check>),
    /// A channel of a recording captures a leg, or no longer.
    Tap {
        /// Whose words.
        leg: LegId,
        /// Where they go.
        tap: SeatTap,
        /// Whether from now on, or no longer.
        on: bool,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), MediaError>>,
    },
    /// A channel of a recording captures the mix of a room, or no longer.
    TapRoom {
        /// The room.
        room: RoomId,
        /// Where the mix goes.
        tap: SeatTap,
        /// Whose words are not in it.
        without: Option<LegId>,
        /// Whether from now on, or no longer.
        on: bool,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), MediaError>>,
    },
    /// End.
    Stop,
}

/// Orders carried out in one turn at most, so that a flood of them does not hold up packets.
const ORDERS_A_TURN: usize = 64;
/// Orders that wait for legs on the move.
pub(super) const DEFERRED_MAX: usize = 256;

impl Shard {
    pub(super) fn take_orders(&mut self) {
        for _ in 0..ORDERS_A_TURN {
            match self.inbox.try_recv() {
                Ok(order) => self.order(order),
                Err(std::sync::mpsc::TryRecvError::Empty) => return,
                // All handles are gone, and with them whoever could want anything.
                Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    self.stopping = true;
                    return;
                }
            }
        }
        // More may wait: come back at once.
        self.wake_self();
    }

    pub(super) fn order(&mut self, order: Order) {
        self.make_way(&order);
        match order {
            Order::Seat(newcomer, reply) => {
                // Who asked may be gone; then the leg stays until it is deleted, as if the answer had been lost.
                reply.send(self.seat(*newcomer)).ok();
            }
            Order::Run(command, reply) => self.run_command(command, reply),
            Order::Move(leg, target, reply) => self.begin_move(leg, target, reply),
            Order::Weigh(leg, reply) => drop(reply.send(self.weigh(leg))),
            Order::Look(from, legs, reply) => drop(reply.send(self.look(from, legs))),
            Order::Adopt(legs) => self.adopt(legs),
            Order::Check(check) => self.checked(check),
            Order::Tap { leg, tap, on, reply } => self.order_tap(leg, tap, on, reply),
            Order::TapRoom { room, tap, without, on, reply } => {
                reply.send(self.tap_room(room, tap, without, on)).ok();
            }
            Order::Stop => self.stop(),
        }
    }

    fn order_tap(
        &mut self,
        leg: LegId,
        tap: SeatTap,
        on: bool,
        reply: oneshot::Sender<Result<(), MediaError>>,
    ) {
        let order = |reply| Order::Tap { leg, tap, on, reply };
        match self.table.find(leg) {
            Some(index) if self.table.get(index).is_some_and(|seat| seat.moving) => {
                if self.deferred.len() < DEFERRED_MAX {
                    self.deferred.push(order(reply));
                } else {
                    reply.send(Err(MediaError::Unavailable)).ok();
                }
            }
            Some(_) if on => drop(reply.send(self.tap(leg, tap))),
            Some(_) => {
                self.untap(leg, &tap);
                reply.send(Ok(())).ok();
            }
            None => match self.directory.home(leg).filter(|home| *home != self.number) {
                Some(home) => {
                    if let Err(Order::Tap { reply, .. }) = self.directory.post(home, order(reply)) {
                        reply.send(Err(MediaError::Unavailable)).ok();
                    }
                }
                None => drop(reply.send(Err(MediaError::NoSuchLeg(leg)))),
            },
        }
    }

    fn run_command(&mut self, command: Command, reply: Reply) {
        let concerned = legs_of(&command);
        // A room's legs come to the room, and do not take it along: the handle sees to that, and asks again.
        let follows = !matches!(command, Command::Room { .. });
        for leg in concerned {
            match self.table.find(leg) {
                Some(index) if self.table.get(index).is_some_and(|seat| seat.moving) => {
                    if self.deferred.len() < DEFERRED_MAX {
                        self.deferred.push(Order::Run(command, reply));
                    } else {
                        reply.send(Err(MediaError::Unavailable)).ok();
                    }
                    return;
                }
                Some(_) => {}
                // It moved while the command was on its way: the command follows.
                None => {
                    match self.directory.home(leg).filter(|home| follows && *home != self.number) {
                        Some(home) => {
                            if let Err(Order::Run(_, reply)) =
                                self.directory.post(home, Order::Run(command, reply))
                            {
                                reply.send(Err(MediaError::Unavailable)).ok();
                            }
                        }
                        None => drop(reply.send(Err(MediaError::NoSuchLeg(leg)))),
                    }
                    return;
                }
            }
        }
        match command {
            // Answered when the ports are closed and free again.
            Command::DeleteLeg { leg } => match self.table.find(leg) {
                Some(index) => self.delete(index, reply),
                None => drop(reply.send(Err(MediaError::NoSuchLeg(leg)))),
            },
            command => drop(reply.send(self.execute(command))),
        }
        self.tell();
    }

    fn execute(&mut self, command: Command) -> Result<Answer, MediaError> {
        match command {
            Command::ConfigureLeg { leg, setup } => self.configure(leg, *setup)?,
            Command::Hear { leg, source } => self.hear(leg, source)?,
            Command::StopHearing { leg, speaker } => {
                let listener = self.find(leg)?;
                let hears = self.table.get(listener).map(|seat| seat.hears);
                if self.table.find(speaker).is_some_and(|of| hears == Some(Heard::Leg(of))) {
                    self.hears(listener, Heard::Nothing);
                }
            }
            Command::Bridge { a, b } => self.bridge(a, b)?,
            Command::Mute { leg, muted } => {
                let index = self.find(leg)?;
                if let Some(seat) = self.table.get_mut(index) {
                    seat.leg.mute(muted);
                }
                if !muted {
                    self.begins_to_be_seen(index);
                }
            }
            Command::SendDtmf { leg, digits, each } => {
                let index = self.find(leg)?;
                let now = self.now;
                let taken = self
                    .table
                    .get_mut(index)
                    .filter(|seat| seat.leg.can_dial())
                    .is_some_and(|seat| seat.leg.add_digits(&digits, each, true, now));
                if !taken {
                    return Err(MediaError::BadSetup(
                        "these digits cannot be sent: only 0-9 * # A-D and comma, 128 at most, and a format to say them in"
                            .into(),
                    ));
                }
                self.arm(index);
            }
            Command::Stats { leg } => {
                let index = self.find(leg)?;
                let stats = self.table.get(index).map(|seat| seat.leg.stats()).unwrap_or_default();
                return Ok(Answer::Stats(Box::new(stats)));
            }
            Command::BeginMeasuring { leg } => {
                let index = self.find(leg)?;
                if let Some(seat) = self.table.get_mut(index) {
                    seat.leg.begin_measuring();
                }
            }
            Command::Room { room, order } => self.order_room(room, order)?,
            // The handle takes care of these, or never sends them here.
            Command::CreateLeg { .. }
            | Command::DeleteLeg { .. }
            | Command::StartRecording { .. }
            | Command::PauseRecording { .. }
            | Command::ResumeRecording { .. }
            | Command::Tap { .. }
            | Command::TapRoom { .. }
            | Command::StopRecording { .. } => return Err(MediaError::Unavailable),
        }
        Ok(Answer::Done)
    }

    fn find(&self, leg: LegId) -> Result<u32, MediaError> {
        self.table.find(leg).ok_or(MediaError::NoSuchLeg(leg))
    }

    fn configure(&mut self, leg: LegId, setup: LegSetup) -> Result<(), MediaError> {
        let index = self.find(leg)?;
        let in_room = self.equip_anew(index, formats_of(&setup))?;
        let Some(seat) = self.table.get_mut(index) else { return Err(MediaError::NoSuchLeg(leg)) };
        seat.leg.configure(setup, self.now, &mut self.out)?;
        let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
        seat.leg.apply_ice(self.now, &mut doors, &mut self.out);
        if let Some(in_room) = in_room {
            self.renegotiated(in_room);
        }
        let Some(seat) = self.table.get_mut(index) else { return Ok(()) };
        // Decoders and encoders that are needed now are made now, not when the next packet comes.
        let speaker = if let Heard::Leg(speaker) = seat.hears { Some(speaker) } else { None };
        let hearers = seat.hearers;
        if let Some(speaker) = speaker {
            self.expect(index, speaker)?;
        }
        for hearer in hearers.iter() {
            self.expect(*hearer, index)?;
        }
        self.arm(index);
        Ok(())
    }

    fn hear(&mut self, leg: LegId, source: Source) -> Result<(), MediaError> {
        let listener = self.find(leg)?;
        match source {
            Source::Nothing => self.hears(listener, Heard::Nothing),
            Source::Leg(speaker) => {
                let speaker = self.find(speaker)?;
                self.check_room(speaker, listener)?;
                self.expect(listener, speaker)?;
                self.hears(listener, Heard::Leg(speaker));
                self.begins_to_be_seen(speaker);
            }
            Source::PlayAlong(_) | Source::Prompt { .. }
                if self.table.get(listener).is_some_and(|seat| !seat.leg.can_sound()) =>
            {
                return Err(MediaError::BadSetup("it has no format that a sound can be said in".into()));
            }
            Source::PlayAlong(prompt) => {
                self.hears(listener, Heard::Sound);
                if let Some(seat) = self.table.get_mut(listener) {
                    seat.leg.play_along(prompt, self.now);
                }
            }
            Source::Prompt { prompt, repeat } => {
                self.hears(listener, Heard::Sound);
                if let Some(seat) = self.table.get_mut(listener) {
                    seat.leg.play(prompt, repeat, self.now);
                }
            }
        }
        self.arm(listener);
        Ok(())
    }

    fn bridge(&mut self, a: LegId, b: LegId) -> Result<(), MediaError> {
        let (a, b) = (self.find(a)?, self.find(b)?);
        self.check_room(a, b)?;
        self.check_room(b, a)?;
        self.expect(a, b)?;
        self.expect(b, a)?;
        self.drain(a, b);
        self.hears(a, Heard::Leg(b));
        self.hears(b, Heard::Leg(a));
        self.begins_to_be_seen(a);
        self.begins_to_be_seen(b);
        Ok(())
    }

    fn check_room(&self, speaker: u32, listener: u32) -> Result<(), MediaError> {
        if self.table.has_room(speaker, listener) {
            return Ok(());
        }
        Err(MediaError::BadSetup(format!("{} legs hear it already", super::table::HEARERS_MAX)))
    }

    /// Prepares what `listener` needs to hear `speaker` in its own codec.
    fn expect(&mut self, listener: u32, speaker: u32) -> Result<(), MediaError> {
        let Some(seat) = self.table.get(speaker) else { return Ok(()) };
        let key = SourceKey { speaker: seat.serial, stream: 0 };
        let Some(from) = seat.leg.setup().and_then(|setup| setup.receive.first().map(|format| format.codec))
        else {
            return Ok(());
        };
        let (tones, silences) = (seat.leg.has_no_events(), seat.leg.may_describe_silence());
        let Some(seat) = self.table.get_mut(listener) else { return Ok(()) };
        seat.leg.expect(key, from, silences)?;
        if tones && seat.leg.takes_events() {
            let Some(seat) = self.table.get_mut(speaker) else { return Ok(()) };
            seat.leg.overhear(true).map_err(|why| MediaError::BadSetup(why.to_string()))?;
        }
        Ok(())
    }
}

/// The legs a command needs on this thread.
pub(super) fn legs_of(command: &Command) -> Vec<LegId> {
    match command {
        Command::Bridge { a, b } => vec![*a, *b],
        Command::Hear { leg, source: Source::Leg(speaker) } => vec![*leg, *speaker],
        Command::Room { order: RoomOrder::Open(setup), .. } => {
            setup.parties.iter().map(|(leg, _)| *leg).collect()
        }
        Command::Room { order: RoomOrder::Join { leg, .. } | RoomOrder::Leave { leg }, .. }
        | Command::ConfigureLeg { leg, .. }
        | Command::Hear { leg, .. }
        | Command::StopHearing { leg, .. }
        | Command::Mute { leg, .. }
        | Command::SendDtmf { leg, .. }
        | Command::Stats { leg }
        | Command::BeginMeasuring { leg }
        | Command::DeleteLeg { leg }
        | Command::CreateLeg { leg, .. } => vec![*leg],
        Command::Room { .. }
        | Command::StartRecording { .. }
        | Command::PauseRecording { .. }
        | Command::ResumeRecording { .. }
        | Command::Tap { .. }
        | Command::TapRoom { .. }
        | Command::StopRecording { .. } => Vec::new(),
    }
}
