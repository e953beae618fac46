//! What a run is told, and what it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use model::skill::SkillExpr;
use model::survey::Mark;

use crate::request::{LookUp, Reply, Request};

/// What is known of a caller before the first step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Calling number.
    pub number: String,
    /// Display name, or nothing.
    pub name: String,
    /// Called number.
    pub called: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The prompt of this number was played to its end.
    Played(u32),
    /// The caller pressed a key: `0` to `9`, `*`, `#`, `A` to `D`.
    Key(char),
    /// The queue did not take the caller.
    Refused(Refused),
    /// What came of the request of this number.
    Replied(u32, Reply),
    /// The caller will be called back.
    CallbackTaken,
    /// The caller will not be called back.
    CallbackRefused(NoCallback),
    /// The number that was dialled for the caller did not answer.
    NotReached(NotReached),
    /// A message can be taken.
    MessageTaken(Opened),
    /// No message can be taken, or not any further.
    NoMessage,
    /// Whoever speaks a message says nothing, or speaks again.
    Silent(bool),
    /// A deadline may have come.
    Tick,
}

/// How a message is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The sound before the tone; `None`: the appliance's own.
    pub greeting: Option<String>,
    /// How long it may last.
    pub length_max: Duration,
}

/// Why a queue did not take a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The service is closed.
    Closed,
    /// Nobody of the service is signed in.
    Unstaffed,
    /// As many wait as may.
    Full,
}

/// Why a caller will not be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCallback {
    /// The number is none, or may not be dialled.
    Invalid,
    /// That number is to be called back already.
    Already,
    /// No more is promised at the moment.
    Refused,
    /// Not at that time.
    Outside,
}

/// Why a caller was not connected with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReached {
    /// The line is busy.
    Busy,
    /// Nobody answered in time.
    Unanswered,
    /// It cannot be dialled or reached, may not be, or refused.
    Failed,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A step began: for the journal.
    Entered(String),
    /// Values were noted: for the journal and the agent. Secret ones are not among them; an empty one is gone.
    Noted(BTreeMap<String, String>),
    /// The caller answered a question with a mark: for the journal.
    Rated {
        /// The name of the step.
        question: String,
        /// The mark.
        mark: Mark,
    },
    /// Play these sounds one after the other instead of what is heard now, and tell [`Input::Played`] with the number at the end.
    Play {
        /// Of the prompt.
        number: u32,
        /// By name.
        sounds: Vec<String>,
    },
    /// Play nothing: the caller is entering a number.
    Silence,
    /// Play the queue's music instead of what is heard now.
    Music,
    /// Ask a system of the operator, and tell [`Input::Replied`] with the number of the request.
    Request(Request),
    /// Look a key up, and tell [`Input::Replied`] with the number of the request.
    LookUp(LookUp),
    /// Ask this queue to take the caller. If it does, the run is over; if not: [`Input::Refused`].
    Queue(Wish),
    /// Promise the caller to be called back: [`Input::CallbackTaken`] or [`Input::CallbackRefused`].
    CallBack(CallbackWish),
    /// Connect the caller with a number. When it answers, the run is over; if it does not: [`Input::NotReached`].
    Transfer(TransferWish),
    /// A message is to be taken for this service: [`Input::MessageTaken`] or [`Input::NoMessage`]. Whoever waits leaves the queue, and
    /// with it this run; the name of the service is empty then.
    TakeMessage {
        /// The name of the service.
        service: String,
    },
    /// Capture what the caller says from now on; if that cannot be done: [`Input::NoMessage`].
    BeginMessage,
    /// The message is over.
    EndMessage {
        /// How long the caller spoke.
        spoken: Duration,
    },
    /// The run is over.
    End(End),
}

/// What a caller is queued with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// The name of the service.
    pub service: String,
    /// Instead of the service's requirement, as text.
    pub require: Option<String>,
    /// The same as routing knows it, when names were known at the check.
    pub who: Option<SkillExpr>,
    /// Instead of the service's priority.
    pub priority: Option<i32>,
}

/// How a caller wants to be called back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallbackWish {
    /// The number, as it was noted.
    pub number: String,
    /// When, if not as soon as possible.
    pub at: Option<WishedTime>,
    /// As of somebody who is queued; of whoever waits already the name of the service is empty.
    pub queue: Wish,
}

/// A full hour of one of the next days, in the time zone of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WishedTime {
    /// 0: today; at most 6.
    pub in_days: u8,
    /// At most 23.
    pub hour: u8,
}

impl WishedTime {
    /// From what was noted; `None` for what is no such time.
    pub fn parse(in_days: &str, hour: &str) -> Option<Self> {
        let up_to = |text: &str, most: u8| text.parse::<u8>().ok().filter(|number| *number <= most);
        Some(Self { in_days: up_to(in_days, 6)?, hour: up_to(hour, 23)? })
    }
}

/// Whom a caller is to be connected with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransferWish {
    /// The number, as it was noted.
    pub number: String,
    /// How long it may ring.
    pub ring_time: Duration,
}

/// How a run ends without an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Hang up.
    HangUp,
    /// Give the caller back to the agent.
    GiveBack,
    /// The queue did not take the caller and the flow leads nowhere from there: do as the service says.
    AsService(Refused),
    /// It took too many steps: hang up, or give the caller back to the agent if there is one.
    TooLong,
}
