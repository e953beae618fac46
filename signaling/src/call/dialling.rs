//! A number that is dialled over trunks, one after the other. Pure.
//!
//! Each trunk is tried with a leg and an offer of its own: [`Stage::Reaching`] until the way to it stands, [`Stage::Making`]
//! until the leg does, [`Stage::Calling`] until it says anything, then [`Stage::Progressing`] until somebody answers, and
//! [`Stage::SettingUp`] until the leg can be heard. A trunk that does not work gives way to the next; what the one who was
//! called says ends it. It is the customer's side of a call that we place: `placed`.

use std::collections::VecDeque;
use std::time::Duration;

use media::control::{Answer, Latching, MediaError};
use model::call::DialFailure;
use model::id::{LegId, TrunkId};
use model::time::Timestamp;

use super::session::Session;
use super::timer::SessionTimer;
use super::words::{Attempt, Branch, Dial, MediaOrder, Output, PhoneEvent, PhoneOrder, Step};
use crate::sdp::{Ability, KeySeed};

/// A trunk that has not said a word for so long is given up for the next one. Timer B (RFC 3261 §17.1.1.2) would take 32 s.
pub const TRUNK_SILENT_MAX: Duration = Duration::from_secs(6);
/// No way to a trunk takes longer: a name is looked up, a connection is made.
pub const REACHING_MAX: Duration = Duration::from_secs(8);
/// Most trunks that are tried for one call.
pub const ATTEMPTS_MAX: usize = 8;

/// A number that is being dialled.
#[derive(Debug)]
pub(super) struct Dialling {
    /// Terms that are the same for all trunks.
    ability: Ability,
    /// On whose media thread the legs are made.
    near: Option<LegId>,
    trying: Attempt,
    /// Not tried yet.
    rest: VecDeque<Attempt>,
    session: Session,
    stage: Stage,
    timer: Option<SessionTimer>,
    give_up_at: Timestamp,
    /// What the last trunk said that did not work.
    status: Option<u16>,
    /// A trunk was there, and only had no room.
    full: bool,
}

/// How far the present trunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reaching { until: Timestamp },
    Making,
    Calling { until: Timestamp },
    Progressing,
    SettingUp,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum News {
    /// Another trunk is tried: the leg is another one.
    NextTrunk,
    /// It rings there, or something is heard already.
    Ringing { early: bool },
    /// Somebody answered and the leg can be heard.
    Answered,
    /// Nobody will.
    Failed { why: DialFailure, status: Option<u16> },
}

impl Dialling {
    /// Begins with the first trunk. `None`: there is none.
    pub(super) fn begin(
        dial: Dial,
        ability: Ability,
        near: Option<LegId>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Option<Self> {
        let mut rest: VecDeque<Attempt> = dial.attempts.into_iter().take(ATTEMPTS_MAX).collect();
        let trying = rest.pop_front()?;
        let session = session_of(&ability, &trying);
        let mut dialling = Self {
            ability,
            near,
            trying,
            rest,
            session,
            stage: Stage::Making,
            timer: None,
            give_up_at: now + dial.ring_time,
            status: None,
            full: false,
        };
        dialling.reach(now, out);
        Some(dialling)
    }

    /// The leg of the present trunk.
    pub(super) fn leg(&self) -> LegId {
        self.trying.leg
    }
    /// The present trunk.
    pub(super) fn trunk(&self) -> TrunkId {
        self.trying.trunk
    }
    /// The present trunk's INVITE.
    pub(super) fn branch(&self) -> Branch {
        self.trying.branch
    }
    /// Whether there is a media leg, or one was asked for.
    pub(super) fn has_leg(&self) -> bool {
        !matches!(self.stage, Stage::Reaching { .. })
    }
    /// What was agreed with whoever answered.
    pub(super) fn into_session(self) -> (Session, Option<SessionTimer>) {
        (self.session, self.timer)
    }

    pub(super) fn deadline(&self) -> Timestamp {
        match self.stage {
            Stage::Reaching { until } | Stage::Calling { until } => until.min(self.give_up_at),
            Stage::Progressing => self.give_up_at,
            // The media plane answers, or is taken to be gone.
            Stage::Making | Stage::SettingUp => Timestamp::NEVER,
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) -> Option<News> {
        if self.deadline() > now {
            return None;
        }
        if self.give_up_at <= now {
            let why =
                if self.stage == Stage::Progressing { DialFailure::NoAnswer } else { self.nobody_there() };
            return Some(self.fail(why, out));
        }
        if matches!(self.stage, Stage::Reaching { .. } | Stage::Calling { .. }) {
            out.push(Output::Silent(self.trying.trunk));
        }
        Some(self.next_trunk(now, out))
    }

    /// What the present trunk says; what another one says comes too late.
    pub(super) fn said(&mut self, event: PhoneEvent, now: Timestamp, out: &mut Vec<Output>) -> Option<News> {
        match (self.stage, event) {
            (Stage::Reaching { .. }, PhoneEvent::Reached) => {
                self.stage = Stage::Making;
                out.push(Output::Media(MediaOrder::Create { leg: self.trying.leg, near: self.near }));
                None
            }
            (Stage::Reaching { .. }, PhoneEvent::Full) => {
                self.full = true;
                Some(self.next_trunk(now, out))
            }
            (Stage::Calling { .. } | Stage::Progressing, PhoneEvent::Progress { status, sdp }) => {
                self.stage = Stage::Progressing;
                self.progressed(status, sdp, out)
            }
            (Stage::Calling { .. } | Stage::Progressing, PhoneEvent::Answered { sdp, timer }) => {
                self.timer = timer;
                self.stage = Stage::SettingUp;
                self.answered(&sdp, out)
            }
            (Stage::Calling { .. } | Stage::Progressing, PhoneEvent::Refused(refusal)) => {
                self.status = Some(refusal.status);
                match refusal.failure() {
                    Some(why) => Some(self.fail(why, out)),
                    None => Some(self.next_trunk(now, out)),
                }
            }
            (_, PhoneEvent::Unreachable(why)) => {
                tracing::warn!(trunk = %self.trying.trunk, why, "a trunk does not work; the next one is tried");
                out.push(Output::Silent(self.trying.trunk));
                Some(self.next_trunk(now, out))
            }
            _ => None,
        }
    }

    /// What the media plane says about the present leg.
    pub(super) fn media(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Option<News> {
        match (self.stage, step, result) {
            (Stage::Making, Step::Created(_), Ok(Answer::Created(at))) => match self.session.offer_at(at) {
                Ok(sdp) => {
                    self.stage = Stage::Calling { until: now + TRUNK_SILENT_MAX };
                    out.push(Output::Phone(self.trying.branch, PhoneOrder::Invite { sdp }));
                    None
                }
                Err(why) => {
                    tracing::warn!(trunk = %self.trying.trunk, %why, "nothing can be offered to a trunk");
                    Some(self.next_trunk(now, out))
                }
            },
            (Stage::SettingUp, Step::Configured(_), Ok(_)) => Some(News::Answered),
            (Stage::Making | Stage::SettingUp, Step::Created(_) | Step::Configured(_), Err(_)) => {
                Some(self.fail(DialFailure::Unreachable, out))
            }
            _ => None,
        }
    }

    /// Lets go of the present trunk.
    pub(super) fn give_up(&self, out: &mut Vec<Output>) {
        out.push(Output::Phone(self.trying.branch, PhoneOrder::End));
    }

    fn reach(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.stage = Stage::Reaching { until: now + REACHING_MAX };
        out.push(Output::Phone(self.trying.branch, PhoneOrder::Reach));
    }

    fn progressed(&mut self, status: u16, sdp: Option<String>, out: &mut Vec<Output>) -> Option<News> {
        // A description that cannot be used is none: the answer will say what is wrong.
        let early = sdp.and_then(|sdp| self.session.apply_early(&sdp).ok());
        let heard = early.is_some();
        if let Some(setup) = early.flatten() {
            let setup = Box::new(setup);
            out.push(Output::Media(MediaOrder::Configure { leg: self.trying.leg, setup }));
        }
        (heard || status > 100).then_some(News::Ringing { early: heard })
    }

    fn answered(&mut self, sdp: &str, out: &mut Vec<Output>) -> Option<News> {
        let early = self.session.codec().is_some();
        if sdp.is_empty() && early {
            return Some(News::Answered);
        }
        match self.session.apply(sdp) {
            Ok((Some(setup), _)) => {
                let setup = Box::new(setup);
                out.push(Output::Media(MediaOrder::Configure { leg: self.trying.leg, setup }));
                None
            }
            Ok((None, _)) => Some(News::Answered),
            Err(why) => {
                tracing::warn!(trunk = %self.trying.trunk, %why, "a trunk answered with what cannot be used");
                Some(self.fail(DialFailure::Rejected, out))
            }
        }
    }

    fn next_trunk(&mut self, now: Timestamp, out: &mut Vec<Output>) -> News {
        let Some(next) = self.rest.pop_front() else {
            let why = self.nobody_there();
            return self.fail(why, out);
        };
        self.let_go(out);
        self.session = session_of(&self.ability, &next);
        self.trying = next;
        self.reach(now, out);
        News::NextTrunk
    }

    fn fail(&mut self, why: DialFailure, out: &mut Vec<Output>) -> News {
        self.let_go(out);
        self.rest.clear();
        News::Failed { why, status: self.status }
    }

    /// The same, and its leg goes too.
    pub(super) fn let_go(&self, out: &mut Vec<Output>) {
        self.give_up(out);
        if self.has_leg() {
            out.push(Output::Media(MediaOrder::Delete(self.trying.leg)));
        }
    }

    fn nobody_there(&self) -> DialFailure {
        if self.full && self.status.is_none() { DialFailure::TrunksBusy } else { DialFailure::Unreachable }
    }
}

fn session_of(ability: &Ability, attempt: &Attempt) -> Session {
    let ability = Ability { srtp: attempt.srtp, latching: Latching::Off, ..ability.clone() };
    Session::new(ability, KeySeed::clone(&attempt.seed), attempt.session)
}
