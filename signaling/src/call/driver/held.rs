//! What a call holds of others, so that it can be given back even if its task dies.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use media::control::{Command, RoomOrder, Source};
use model::call::CallFact;
use model::id::{InteractionId, LegId, RecordingId};
use model::interaction::EndedBy;

use super::fork::Established;
use super::media::room_of;
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::{Method, Reply};
use crate::endpoint::{Flow, Responder};
use crate::switchboard::shared::{DialogKey, Shared};

/// What must be given back even if the call's task dies.
#[derive(Default)]
pub(crate) struct Held {
    pub(super) legs: HashSet<LegId>,
    pub(super) recording: Option<RecordingId>,
    pub(super) softphones: HashSet<LegId>,
    pub(super) phones: Vec<Established>,
    /// The customer whom we dialled, who answered.
    pub(super) dialled: Option<Established>,
    /// The customer's INVITE had a final answer: 2xx or another.
    pub(super) accepted: Option<bool>,
    pub(super) ended: bool,
    /// Its room is open.
    pub(super) room: bool,
}

impl Held {
    /// A phone's dialog is over, or goes on in another call.
    pub(super) fn forget(&mut self, key: &DialogKey) {
        self.phones.retain(|up| up.dialog.key() != *key);
    }
}

/// What is needed to tell the customer that it is over.
pub(super) struct Goodbye {
    pub(super) responder: Responder,
    pub(super) tag: String,
    pub(super) dialog: Dialog,
    pub(super) flow: Flow,
}

/// After a panic: nothing of the call is left standing, and the desk hears of its end exactly once.
pub(super) async fn clean_up(
    shared: &Shared,
    interaction: InteractionId,
    held: &Mutex<Held>,
    goodbye: Option<Goodbye>,
) {
    let held = std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(goodbye) = goodbye {
        say_goodbye(shared, held.accepted, goodbye);
    }
    for Established { mut dialog, flow, .. } in held.phones.into_iter().chain(held.dialled) {
        shared.directory.forget(&dialog.key());
        let (endpoint, bye) = (shared.endpoint.clone(), dialog.request(Method::Bye));
        tokio::spawn(async move { endpoint.request(&flow, bye).await });
    }
    if let Some(recording) = held.recording
        && shared.command(Command::StopRecording { recording }).await.is_ok()
    {
        shared.tell(CallFact::RecordingCaptured { interaction, recording }).await;
    }
    if held.room {
        let (room, order) = (room_of(interaction), RoomOrder::Close);
        shared.command(Command::Room { room, order }).await.ok();
    }
    for leg in held.softphones {
        shared.command(Command::Hear { leg, source: Source::Nothing }).await.ok();
    }
    for leg in held.legs {
        shared.command(Command::DeleteLeg { leg }).await.ok();
    }
    if !held.ended {
        shared.counters.calls_failed.add();
        let failure = Some("an error in the appliance ended the call".to_owned());
        shared.tell(CallFact::Ended { interaction, by: EndedBy::System, failure }).await;
    }
}

/// The customer is told as the state of the INVITE allows.
fn say_goodbye(shared: &Shared, accepted: Option<bool>, mut goodbye: Goodbye) {
    match accepted {
        None => goodbye.responder.respond(&Reply::new(500), &goodbye.tag),
        Some(false) => {}
        Some(true) => {
            // The dead task may have spent numbers of this dialog; a gap does no harm (§12.2.2).
            for _ in 0..100 {
                goodbye.dialog.request(Method::Update);
            }
            let (endpoint, flow, bye) =
                (shared.endpoint.clone(), goodbye.flow, goodbye.dialog.request(Method::Bye));
            tokio::spawn(async move { endpoint.request(&flow, bye).await });
        }
    }
}
