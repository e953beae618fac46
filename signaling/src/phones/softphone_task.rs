//! Carries a softphone: one task an agent, from the first page to sign-out.

use std::sync::Arc;
use std::time::Duration;

use media::control::{Answer, Command, Event, MediaError, Transport};
use model::id::{LegId, SessionId, UserId};
use tokio::sync::mpsc;

use super::softphone::{Input, Output, Softphone};
use crate::switchboard::Internal;
use crate::switchboard::shared::Shared;

/// Messages that may wait for one softphone.
pub(crate) const MAILBOX_MAX: usize = 32;

/// What a softphone is told.
pub(crate) enum SoftphoneMessage {
    Attach { session: SessionId, sdp: String },
    Detach,
    Media(Event),
}

/// Runs a softphone until it is taken down or the switchboard lets go of it.
pub(crate) fn spawn(
    shared: Arc<Shared>,
    agent: UserId,
    leg: LegId,
    mailbox: mpsc::Receiver<SoftphoneMessage>,
    internal: mpsc::Sender<Internal>,
) {
    tokio::spawn(async move {
        let task = tokio::spawn(run(shared.clone(), agent, leg, mailbox, internal.clone()));
        if let Err(error) = task.await {
            tracing::error!(%agent, %error, "a softphone's task died");
            shared.command(Command::DeleteLeg { leg }).await.ok();
            internal.send(Internal::SoftphoneGone { agent }).await.ok();
        }
    });
}

async fn run(
    shared: Arc<Shared>,
    agent: UserId,
    leg: LegId,
    mut mailbox: mpsc::Receiver<SoftphoneMessage>,
    internal: mpsc::Sender<Internal>,
) {
    let mut softphone = Softphone::new(agent, leg, shared.seed(), shared.session_number());
    while !softphone.is_gone() {
        let patience = softphone.next_deadline().since(shared.now()).min(Duration::from_secs(3_600));
        let input = tokio::select! {
            message = mailbox.recv() => match message {
                Some(SoftphoneMessage::Attach { session, sdp }) => Input::Attach { session, sdp },
                Some(SoftphoneMessage::Media(event)) => Input::Media(event),
                Some(SoftphoneMessage::Detach) | None => Input::Detach,
            },
            () = tokio::time::sleep(patience) => Input::Tick,
        };
        let mut next = Some(input);
        while let Some(input) = next.take() {
            for output in softphone.handle(input, shared.now()) {
                match output {
                    Output::Create => next = Some(Input::Created(create(&shared, leg).await)),
                    Output::Configure(setup) => {
                        next = Some(Input::Configured(
                            shared.command(Command::ConfigureLeg { leg, setup }).await,
                        ));
                    }
                    Output::Delete => {
                        shared.command(Command::DeleteLeg { leg }).await.ok();
                    }
                    Output::Fact(fact) => shared.tell(fact).await,
                    Output::Moved { up, codec } => {
                        internal.send(Internal::Softphone { agent, leg, codec, up }).await.ok();
                    }
                }
            }
        }
    }
}

async fn create(shared: &Shared, leg: LegId) -> Result<Answer, MediaError> {
    shared.command(Command::CreateLeg { leg, transport: Transport::Ice, near: None }).await
}
