//! What the handlers work with.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use desk::DeskHandle;
use model::id::InteractionId;
use model::time::Timestamp;
use model::trace::CallTrace;
use prometheus::Registry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::counters::Counters;
use crate::wire::legs::MediaLegs;

/// How a part of the appliance is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartHealth {
    /// `database`, `journal`, `sip`, `media`, …
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// In words, when there is something to say.
    pub detail: Option<String>,
}

/// What will be there a little later.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the API shows of the rest of the house: told by whoever wires it.
pub trait Appliance: Send + Sync + 'static {
    /// Parts that are neither desk nor journal: listeners, media threads, disk.
    fn parts(&self) -> Vec<PartHealth>;
    /// How packets are moved: `io_uring`, `mmsg`, …
    fn media_driver(&self) -> String;
    /// Whether new calls are taken: `false` while draining before a stop.
    fn accepts_calls(&self) -> bool;
    /// What went over the wire for a call that is not over, or was a moment ago.
    fn trace(&self, interaction: InteractionId) -> Option<CallTrace>;
    /// All live media legs, by id, at most a second ago; `None`: the media plane does not answer.
    fn legs(&self) -> Soon<'_, Option<Arc<MediaLegs>>>;
}

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// The desk.
    pub desk: DeskHandle,
    /// Where `/metrics` reads.
    pub registry: Registry,
    /// What the doors count.
    pub counters: Counters,
    /// The rest of the house.
    pub appliance: Arc<dyn Appliance>,
    /// What `/status` says.
    pub version: &'static str,
    /// Since when the appliance runs.
    pub started: Timestamp,
    /// Origins besides the appliance's own from which the WebSocket may be opened: `https://desk.example.org`.
    pub origins: Arc<[String]>,
}
