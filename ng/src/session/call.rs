//! What is known of a call: dialogues of two parties, and the legs of their media.

use std::collections::VecDeque;

use media::control::{EventFormat, LegCreated, LegSetup, Transport};
use media::ice::Credentials;
use media::prompt::Prompt;
use model::id::{LegId, RecordingId};
use model::time::Timestamp;
use std::sync::Arc;

use super::subscribe::Subscription;
use super::{Chance, JobId, Ticket};
use crate::request::{Options, Profile, Request};
use crate::sdp::{Crypto, Format, Sdp};

/// Dialogues of one call-id: parallel legs of one call, or what a back-to-back agent makes of it.
pub(super) const DIALOGUES_MAX: usize = 32;
/// Requests of one call that wait for the one that is carried out.
pub(super) const WAITING_MAX: usize = 16;
/// Tags and branches remembered of a forked offer.
pub(super) const BRANCHES_MAX: usize = 16;

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub created: Timestamp,
    pub last_signal: Timestamp,
    pub dialogues: Vec<Dialogue>,
    /// The request that is carried out now; others wait, so that each sees the call as the one before left it.
    pub busy: Option<JobId>,
    pub waiting: VecDeque<(Ticket, Request)>,
    pub recording: Option<Recording>,
    pub subscriptions: Vec<Subscription>,
}

/// What is recorded of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recording {
    pub id: RecordingId,
    pub paused: bool,
}

/// Two parties that offer and answer.
#[derive(Debug)]
pub(super) struct Dialogue {
    pub number: u64,
    pub created: Timestamp,
    pub parties: [Party; 2],
    pub lines: Vec<Line>,
    /// The last offer; kept after its answer, because other branches may answer it too.
    pub pending: Option<Pending>,
    pub answered: bool,
    /// When it is to be gone, after a delete with a delay.
    pub ends_at: Option<Timestamp>,
}

/// One party of a dialogue.
#[derive(Debug, Default)]
pub(super) struct Party {
    /// `None`: not known before its answer.
    pub tag: Option<String>,
    /// Tags of other branches that answered before.
    pub earlier: Vec<String>,
    /// Via branches that the offer went out on.
    pub branches: Vec<String>,
    pub label: Option<String>,
}

impl Party {
    /// Whether a tag means it.
    pub fn is(&self, tag: &str) -> bool {
        self.tag.as_deref() == Some(tag) || self.earlier.iter().any(|earlier| earlier == tag)
    }
    /// Gives it the tag of the branch that speaks now.
    pub fn speaks_as(&mut self, tag: &str) {
        if self.tag.as_deref() == Some(tag) {
            return;
        }
        self.earlier.retain(|earlier| earlier != tag);
        if let Some(before) = self.tag.replace(tag.to_owned())
            && self.earlier.len() < BRANCHES_MAX
        {
            self.earlier.push(before);
        }
    }
}

/// One m= line: a leg towards each party.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub kind: String,
    pub protocols: [String; 2],
    /// The last packet time that was said; it counts until another is.
    pub ptime: Option<String>,
    pub legs: [Option<Leg>; 2],
    /// These legs hear each other.
    pub joined: Option<[LegId; 2]>,
}

/// A leg of the plane.
#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    pub transport: Transport,
    pub created: LegCreated,
    /// Keys that we offer; they stay for the leg's life.
    pub offered: Vec<Crypto>,
    /// ICE on ports of its own: our credentials, once it was spoken of.
    pub credentials: Option<Credentials>,
    /// The key we answered with.
    pub answered: Option<Crypto>,
    pub setup: Option<LegSetup>,
    /// Nothing came since then; `None`: something comes.
    pub quiet_since: Option<Timestamp>,
    pub started: bool,
    pub digits_blocked: bool,
    /// The telephone events that were negotiated, blocked or not.
    pub events: Option<EventFormat>,
    pub sound: Option<Sound>,
}

/// What a leg hears in the place of the other party.
#[derive(Clone, Debug)]
pub(super) struct Sound {
    pub prompt: Arc<Prompt>,
    /// How many times more.
    pub left: u32,
}

/// An offer that may be answered.
#[derive(Debug)]
pub(super) struct Pending {
    /// Which party offered.
    pub by: usize,
    pub sdp: Sdp,
    pub options: Options,
    pub lines: Vec<OfferedLine>,
}

/// What was made of an offered medium.
#[derive(Clone, Debug)]
pub(super) enum OfferedLine {
    /// Refused, by the offerer or by us.
    Refused,
    /// Passed on as it was.
    Passed,
    /// Through the plane.
    Relayed {
        /// The profile towards the answerer.
        profile: Profile,
        /// What the answerer was offered.
        formats: Vec<Format>,
    },
}

impl Call {
    pub fn new(now: Timestamp) -> Self {
        Self {
            created: now,
            last_signal: now,
            dialogues: Vec::new(),
            busy: None,
            waiting: VecDeque::new(),
            recording: None,
            subscriptions: Vec::new(),
        }
    }

    /// The dialogue in which `from` is a party, and `to` may be the other; and which party `from` is.
    pub fn find(&self, from: &str, to: Option<&str>) -> Option<(usize, usize)> {
        let fits = |strict: bool| {
            self.dialogues.iter().enumerate().find_map(|(index, dialogue)| {
                let side = dialogue.parties.iter().position(|party| party.is(from))?;
                let other = &dialogue.parties[1 - side];
                let meant = match (to, &other.tag) {
                    (None, _) => true,
                    (Some(_), None) => !strict,
                    (Some(to), Some(_)) => other.is(to),
                };
                meant.then_some((index, side))
            })
        };
        fits(true).or_else(|| fits(false))
    }

    /// The dialogue in which `from` made an offer that went out on this branch, and which party `from` is.
    pub fn find_branch(&self, from: &str, branch: Option<&str>) -> Option<(usize, usize)> {
        let branch = branch?;
        self.dialogues.iter().enumerate().find_map(|(index, dialogue)| {
            let side = dialogue.parties.iter().position(|party| party.is(from))?;
            let known = dialogue.parties[1 - side].branches.iter().any(|known| known == branch);
            known.then_some((index, side))
        })
    }

    /// The dialogue in which `from` made the last offer.
    pub fn find_offerer(&self, from: &str) -> Option<(usize, usize)> {
        self.dialogues.iter().enumerate().find_map(|(index, dialogue)| {
            let by = dialogue.pending.as_ref()?.by;
            dialogue.parties[by].is(from).then_some((index, by))
        })
    }

    pub fn dialogue(&self, number: u64) -> Option<&Dialogue> {
        self.dialogues.iter().find(|dialogue| dialogue.number == number)
    }

    pub fn dialogue_mut(&mut self, number: u64) -> Option<&mut Dialogue> {
        self.dialogues.iter_mut().find(|dialogue| dialogue.number == number)
    }

    pub fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.dialogues.iter_mut().flat_map(Dialogue::legs_mut).find(|leg| leg.id == id)
    }

    /// The leg that a leg hears when it hears its partner.
    pub fn partner(&self, id: LegId) -> Option<LegId> {
        let joined =
            self.dialogues.iter().flat_map(|dialogue| &dialogue.lines).filter_map(|line| line.joined);
        joined.into_iter().find_map(|[a, b]| match id {
            _ if id == a => Some(b),
            _ if id == b => Some(a),
            _ => None,
        })
    }

    /// The first pair of legs that hear each other's voices: what a recording captures.
    pub fn first_pair(&self) -> Option<[LegId; 2]> {
        let mut lines = self.dialogues.iter().flat_map(|dialogue| &dialogue.lines);
        lines.find_map(|line| line.joined.filter(|_| line.is_audio()))
    }
}

impl Line {
    pub fn is_audio(&self) -> bool {
        self.kind == "audio"
    }
}

impl Dialogue {
    pub fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.lines.iter().flat_map(|line| line.legs.iter().flatten())
    }

    pub fn legs_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.lines.iter_mut().flat_map(|line| line.legs.iter_mut().flatten())
    }

    /// Legs towards one party that carry voices.
    pub fn voices_of(&self, side: usize) -> impl Iterator<Item = &Leg> {
        self.lines.iter().filter(|line| line.is_audio()).filter_map(move |line| line.legs.get(side)?.as_ref())
    }

    /// Legs towards one party.
    pub fn legs_of(&self, side: usize) -> impl Iterator<Item = &Leg> {
        self.lines.iter().filter_map(move |line| line.legs.get(side)?.as_ref())
    }
}

impl Leg {
    pub fn new(id: LegId, transport: Transport, created: LegCreated, offered: Vec<Crypto>) -> Self {
        Self {
            id,
            transport,
            created,
            offered,
            credentials: None,
            answered: None,
            setup: None,
            quiet_since: None,
            started: false,
            digits_blocked: false,
            events: None,
            sound: None,
        }
    }

    /// Sees to it that a leg with ports of its own can speak of ICE.
    pub fn may_be_checked(&mut self, chance: &mut dyn Chance) {
        if matches!(self.transport, Transport::Ports { .. }) && self.credentials.is_none() {
            let mut random = [0; 32];
            chance.fill(&mut random);
            self.credentials = Some(Credentials::from_random(&random));
        }
    }

    /// Takes over a setup that the plane accepted.
    pub fn is_set_up(&mut self, setup: LegSetup, now: Timestamp) {
        use media::control::Direction;
        let receives = matches!(setup.direction, Direction::SendRecv | Direction::RecvOnly);
        self.quiet_since = match self.quiet_since {
            _ if self.started && receives => None,
            since => since.or(Some(now)),
        };
        self.setup = Some(setup);
    }
}
