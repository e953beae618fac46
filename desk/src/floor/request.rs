//! What the floor's task can be asked.

use std::sync::Arc;

use model::id::{InteractionId, SessionId, UserId};
use model::interaction::ServiceRecord;
use model::time::Timestamp;
use store::preferences::Wanted;
use tokio::sync::oneshot;

use super::callback::NewCallback;
use super::core::Core;
use super::written::{NewContact, Wrote};
use crate::configuration::Configuration;
use crate::console::outbox::Outbox;
use crate::console::protocol::Command;
use crate::refusal::Refusal;

/// Looks at the desk as it is now.
pub(crate) type Look = Box<dyn FnOnce(&Core, Timestamp) + Send>;

/// What the task is asked to do.
pub(crate) enum Request {
    /// A page came.
    Attach(Attach, oneshot::Sender<Result<(), Refusal>>),
    /// What a user wants to see or not, from now on.
    Prefer(UserId, Wanted),
    /// A socket ended.
    Detached(UserId),
    /// Asks whose page a user has or had.
    SessionOf(UserId, oneshot::Sender<Option<SessionId>>),
    /// A page wants something.
    Command(UserId, SessionId, Command, oneshot::Sender<Result<(), Refusal>>),
    /// A user signs out.
    SignOut { user: UserId, session: SessionId, force: bool, answer: oneshot::Sender<Result<(), Refusal>> },
    /// A user signed in elsewhere; these sessions are over.
    TakenOver { user: UserId, ended: Vec<SessionId>, by: SessionId, answer: oneshot::Sender<()> },
    /// Sessions that are over by time.
    Expired(Vec<(UserId, SessionId)>),
    /// A supervisor steers an agent (STATE-22).
    Force { agent: UserId, ready: bool, answer: oneshot::Sender<Result<(), Refusal>> },
    /// A channel brings a written contact.
    Bring(InteractionId, Box<NewContact>, oneshot::Sender<Result<Wrote, Refusal>>),
    /// A customer writes on.
    CustomerWrites(InteractionId, String, oneshot::Sender<Result<Wrote, Refusal>>),
    /// A customer writes in an email that has ended, of which this is the record.
    Reopen(Box<ServiceRecord>, String, oneshot::Sender<Result<Wrote, Refusal>>),
    /// A customer ends a written contact.
    CustomerEnds(InteractionId, oneshot::Sender<Result<(), Refusal>>),
    /// A program books a callback.
    BookCallback(InteractionId, Box<NewCallback>, oneshot::Sender<Result<(), Refusal>>),
    /// A supervisor ends a call.
    HangUp(InteractionId, oneshot::Sender<Result<(), Refusal>>),
    /// A supervisor cancels a callback.
    CancelCallback { interaction: InteractionId, by: UserId, answer: oneshot::Sender<Result<(), Refusal>> },
    /// Somebody who may pauses the recording of a call, or goes on.
    PauseRecording {
        interaction: InteractionId,
        by: UserId,
        paused: bool,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
    /// The configuration changed.
    Configure {
        configuration: Arc<Configuration>,
        /// Number under which the store has the floor's part of it; 0 when it could not be stored.
        generation: u64,
        calls: Box<model::call::CallConfig>,
        answer: oneshot::Sender<()>,
    },
    /// Records of who served whom, newest first.
    Remember(Vec<ServiceRecord>),
    /// Looks at the desk.
    Read(Look),
    /// Takes new calls, or not.
    Admit(bool),
}

/// A page that came.
pub(crate) struct Attach {
    pub user: UserId,
    pub session: SessionId,
    pub takes_work: bool,
    pub preferences: Wanted,
    pub after: Option<u64>,
    pub page: Outbox,
}
