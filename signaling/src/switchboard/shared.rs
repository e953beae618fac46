//! What the switchboard, the calls and the softphones have in common.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use media::control::{Answer, Command, MediaError};
use media::prompt::Prompt;
use model::call::CallFact;
use model::id::{Id, IdSource, InteractionId};
use model::time::Timestamp;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::call::driver::{Message, Party};
use crate::digest::Algorithm;
use crate::endpoint::Endpoint;
use crate::endpoint::counters::Counters;
use crate::sdp::KeySeed;
use crate::service::{Clock, MediaPlane, NamedSounds, Random, Sounds};
use crate::trace::Tracer;
use crate::trunk::TrunkPlaces;

/// The media plane answers sooner than this, or it is taken to be gone.
const PLANE_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Shared {
    pub(crate) endpoint: Endpoint,
    pub(crate) tracer: Arc<Tracer>,
    pub(crate) plane: Arc<dyn MediaPlane>,
    pub(crate) facts: mpsc::Sender<CallFact>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) sounds: Sounds,
    pub(crate) named_sounds: NamedSounds,
    pub(crate) announce: Arc<Prompt>,
    pub(crate) recordings: PathBuf,
    pub(crate) digest: Vec<Algorithm>,
    pub(crate) directory: Directory,
    /// Calls on trunks, both directions.
    pub(crate) places: Mutex<TrunkPlaces>,
    /// Tasks that tell far ends of the end; the sockets stay open for them.
    pub(crate) farewells: TaskTracker,
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Tells the desk; waits while its queue is full, which holds up only the call that has something to tell.
    pub(crate) async fn tell(&self, fact: CallFact) {
        if self.facts.send(fact).await.is_err() {
            tracing::warn!("nobody takes the facts any more");
        }
    }

    /// Tells the desk without waiting; what finds the queue full follows as soon as there is room.
    pub(crate) fn tell_soon(self: &Arc<Self>, fact: CallFact) {
        if let Err(mpsc::error::TrySendError::Full(fact)) = self.facts.try_send(fact) {
            self.counters.queue_overflow.add();
            let shared = self.clone();
            tokio::spawn(async move { shared.tell(fact).await });
        }
    }

    /// Places on trunks, to take one.
    pub(crate) fn places(&self) -> MutexGuard<'_, TrunkPlaces> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn command(&self, command: Command) -> Result<Answer, MediaError> {
        match tokio::time::timeout(PLANE_PATIENCE, self.plane.command(command)).await {
            Ok(result) => result,
            Err(_) => Err(MediaError::Unavailable),
        }
    }

    /// The media interface of calls over this listener.
    pub(crate) fn interface(&self, listener: usize) -> IpAddr {
        let listeners = self.endpoint.listeners();
        listeners.get(listener).or(listeners.first()).map_or(IpAddr::from([127, 0, 0, 1]), |l| l.media)
    }

    /// A new id.
    pub(crate) fn id<T: Id>(&self) -> T {
        T::make(&mut Ids(self))
    }

    /// A seed for the SRTP keys of a leg.
    pub(crate) fn seed(&self) -> KeySeed {
        let mut bytes = [0; 32];
        (self.random)(&mut bytes);
        KeySeed::new(bytes)
    }

    /// The number of a session description; 62 bits, because some far ends read a signed one (RFC 8866 §5.2).
    pub(crate) fn session_number(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes);
        u64::from_be_bytes(bytes) >> 2
    }
}

struct Ids<'a>(&'a Shared);

impl IdSource for Ids<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn random(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        (self.0.random)(&mut bytes);
        bytes
    }
}

/// A dialog's name at our side: Call-ID and our tag.
pub(crate) type DialogKey = (String, String);

/// Which call a dialog belongs to.
#[derive(Default)]
pub(crate) struct Directory(Mutex<HashMap<DialogKey, Entry>>);

struct Entry {
    call: InteractionId,
    mailbox: mpsc::Sender<Message>,
    party: Party,
}

impl Directory {
    pub(crate) fn add(
        &self,
        key: DialogKey,
        call: InteractionId,
        mailbox: mpsc::Sender<Message>,
        party: Party,
    ) {
        self.entries().insert(key, Entry { call, mailbox, party });
    }
    pub(crate) fn forget(&self, key: &DialogKey) {
        self.entries().remove(key);
    }
    pub(crate) fn find(&self, key: &DialogKey) -> Option<(mpsc::Sender<Message>, Party)> {
        self.entries().get(key).map(|entry| (entry.mailbox.clone(), entry.party))
    }
    /// The call that a dialog belongs to now.
    pub(crate) fn call_of(&self, key: &DialogKey) -> Option<InteractionId> {
        self.entries().get(key).map(|entry| entry.call)
    }
    fn entries(&self) -> MutexGuard<'_, HashMap<DialogKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
