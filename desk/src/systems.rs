//! Systems of the operator and tables of the appliance that flows ask (ROUTE-08).
//!
//! How one is asked is for whoever implements [`Systems`]; this room only decides how many are asked at once and how long, and
//! counts. The floor's task never waits for a system: the answer comes back as a message.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use flow::{Reply, Request};
use model::diversion::MessageBox;
use model::id::{InteractionId, TenantId};
use store::Store;
use store::voicemails::VoicemailFilter;
use tokio::sync::{Semaphore, mpsc};

use crate::clock::Clock;
use crate::lookups::{LookupTable, look_up};
use crate::metrics::Metrics;

/// Requests under way at the same time. What comes on top fails at once: a system that is so slow is not helped by more.
pub const AT_ONCE: usize = 64;

/// What flows may ask, and with which secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Askable {
    /// Each as `host:port`.
    pub hosts: Vec<String>,
    /// By name.
    pub secrets: Vec<String>,
}

/// Asks systems of the operator.
#[async_trait]
pub trait Systems: Send + Sync {
    /// What there is now; asked whenever the configuration is read.
    fn askable(&self) -> Askable;
    /// Asks. Dropped when the request's time is over.
    async fn ask(&self, request: &Request) -> Reply;
}

/// What came of a request: of which call, which of the call's requests, and what.
pub(crate) type Replied = (InteractionId, u32, Reply);

/// Asks beside the floor's task.
pub(crate) struct Asking {
    tables: (TenantId, Store),
    systems: Arc<dyn Systems>,
    replies: mpsc::Sender<Replied>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    room: Arc<Semaphore>,
}

impl Asking {
    pub fn new(
        tables: (TenantId, Store),
        systems: Arc<dyn Systems>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> (Self, mpsc::Receiver<Replied>) {
        let (replies, receiver) = mpsc::channel(AT_ONCE);
        (Self { tables, systems, replies, clock, metrics, room: Arc::new(Semaphore::new(AT_ONCE)) }, receiver)
    }

    /// Begins to look a key up; the reply comes as of a system. `None`: the table is gone.
    pub fn look_up(&self, interaction: InteractionId, asked: u32, table: Option<LookupTable>, key: String) {
        let ((tenant, store), replies) = (self.tables.clone(), self.replies.clone());
        tokio::spawn(async move {
            let reply = match &table {
                Some(table) => {
                    let found = look_up(&store, tenant, table, &key);
                    tokio::time::timeout(flow::LOOK_UP_MAX, found).await.unwrap_or(Reply::TimedOut)
                }
                None => Reply::missing(),
            };
            // The floor's task is gone: so is the caller.
            let _ = replies.send((interaction, asked, reply)).await;
        });
    }

    /// Begins to count the messages in a box; the reply comes as of a table that has room for one more, or has it not. What cannot be
    /// counted has room: a message too many does less harm than one that is lost.
    pub fn count_messages(&self, interaction: InteractionId, asked: u32, of: MessageBox, most: u32) {
        let ((tenant, store), replies) = (self.tables.clone(), self.replies.clone());
        tokio::spawn(async move {
            let filter = VoicemailFilter {
                services: Some(of.service().into_iter().collect()),
                owner: of.owner(),
                unheard: false,
            };
            let counted = store.voicemails().count_voicemails(tenant, &filter);
            let counted = tokio::time::timeout(flow::LOOK_UP_MAX, counted).await;
            let full = matches!(counted, Ok(Ok(count)) if count >= u64::from(most));
            let reply = if full { Reply::missing() } else { Reply::found(BTreeMap::new()) };
            // The floor's task is gone: so is the caller.
            let _ = replies.send((interaction, asked, reply)).await;
        });
    }

    /// Begins to ask; the reply comes to the receiver, whatever happens.
    pub fn begin(&self, interaction: InteractionId, asked: u32, request: Request) {
        let (systems, replies) = (self.systems.clone(), self.replies.clone());
        let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
        let room = self.room.clone().try_acquire_owned();
        tokio::spawn(async move {
            let reply = match room {
                Err(_) => {
                    metrics.requests.overloaded();
                    Reply::Failed
                }
                Ok(_room) => {
                    let began = clock.now();
                    let answer = tokio::time::timeout(request.within, systems.ask(&request)).await;
                    let reply = answer.unwrap_or(Reply::TimedOut);
                    metrics.requests.replied(&reply, clock.now().since(began));
                    reply
                }
            };
            // The floor's task is gone: so is the caller.
            let _ = replies.send((interaction, asked, reply)).await;
        });
    }
}
