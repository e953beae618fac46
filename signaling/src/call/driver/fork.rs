//! INVITEs to phones and over trunks: each in a task that outlives the call if it must.

use tokio::sync::{mpsc, watch};

use super::{Driver, Message, Party, PhoneSide};
use crate::call::fork::{Fork, ForkInput, ForkOutput};
use crate::call::refusal::{self, Refusal};
use crate::call::timer::SessionTimer;
use crate::call::words::Branch;
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::{ALLOW, Method, Request, Response};
use crate::endpoint::uri::{escape_user, quoted};
use crate::endpoint::{Endpoint, Flow, Progress};

/// A registered contact to ring.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) branch: Branch,
    /// Its contact URI, as the phone wrote it.
    pub(crate) uri: String,
    /// The address of record: the extension.
    pub(crate) user: String,
    pub(crate) flow: Flow,
}

/// A phone's dialog and the way to it.
#[derive(Clone)]
pub(crate) struct Established {
    pub(crate) dialog: Dialog,
    pub(crate) flow: Flow,
    /// By which we are called there.
    pub(crate) user: String,
    /// Of whoever came from another call, in which they had one.
    pub(crate) timer: Option<SessionTimer>,
    /// Becomes true with the ACK of our 2xx: before it, BYE is forbidden (RFC 3261 §15).
    pub(crate) acknowledged: watch::Receiver<bool>,
}

/// What an INVITE to a phone or over a trunk comes to.
pub(crate) enum ForkNews {
    /// Of a trunk: the way to it.
    Reached(Flow),
    /// Of a trunk: it has no room.
    Full,
    Progress {
        status: u16,
        sdp: Option<String>,
    },
    Answered {
        up: Box<Established>,
        sdp: String,
        timer: Option<SessionTimer>,
    },
    Refused(Refusal),
    Unreachable(String),
}

impl Driver {
    pub(super) fn invite(&mut self, branch: Branch, sdp: String) {
        if self.ways.contains_key(&branch) {
            return self.invite_over(branch, sdp);
        }
        let Some(target) = self.targets.remove(&branch) else { return };
        let endpoint = self.shared.endpoint.clone();
        let local = target.flow.local;
        // The agent's phone shows who calls; the host is ours, because the number is not an address of the caller.
        let caller = format!(
            "{} <sip:{}@{local}>",
            quoted(self.caller_name.as_deref().unwrap_or(&self.caller)),
            escape_user(&self.caller)
        );
        let callee = format!("<sip:{}@{local}>", escape_user(&target.user));
        let tag = endpoint.token();
        let mut dialog = Dialog::begin(&endpoint.token(), &caller, &tag, &callee, &target.uri);
        let mut invite = dialog.request(Method::Invite);
        invite.headers.push("Contact", target.flow.contact("patchbay"));
        invite.headers.push("Allow", ALLOW);
        invite.headers.push("P-Asserted-Identity", caller);
        self.send_invite(branch, Party::Phone(branch), (dialog, target.flow), (invite, sdp));
    }

    /// Sends an INVITE with our offer, in a task of its own.
    pub(super) fn send_invite(
        &mut self,
        branch: Branch,
        party: Party,
        (dialog, flow): (Dialog, Flow),
        (mut invite, sdp): (Request, String),
    ) {
        invite.headers.push("Content-Type", "application/sdp");
        invite.body = sdp.into_bytes();
        self.shared.tracer.claim(&dialog.key().0, self.interaction);
        self.shared.directory.add(dialog.key(), self.interaction, self.mailbox.clone(), party);
        let (wanted, unwanted) = mpsc::channel(1);
        self.phones.insert(branch, PhoneSide::Forking { _wanted: wanted });
        let run = Run {
            endpoint: self.shared.endpoint.clone(),
            flow,
            dialog,
            branch,
            mailbox: self.mailbox.clone(),
            shared: self.shared.clone(),
            handed: false,
        };
        self.shared.farewells.spawn(run.run(invite, unwanted));
    }
}

struct Run {
    endpoint: Endpoint,
    flow: Flow,
    dialog: Dialog,
    branch: Branch,
    mailbox: mpsc::Sender<Message>,
    shared: std::sync::Arc<crate::switchboard::shared::Shared>,
    /// The dialog is the call's now.
    handed: bool,
}

impl Run {
    async fn run(mut self, invite: Request, mut unwanted: mpsc::Receiver<()>) {
        let (progress, mut heard) = mpsc::channel(32);
        let pending = self.endpoint.invite(&self.flow, invite, move |p| {
            // Provisional responses beyond the bound tell nothing new.
            progress.try_send(p).ok();
        });
        let mut fork = Fork::default();
        let mut wanted = true;
        while !fork.is_over() && !self.handed {
            let (input, response, why) = tokio::select! {
                biased;
                // The call lets go of its sender when it wants the phone no more, or is gone.
                _ = unwanted.recv(), if wanted => {
                    wanted = false;
                    (ForkInput::Unwanted, None, String::new())
                }
                progress = heard.recv() => match progress {
                    Some(Progress::Provisional(response)) => (ForkInput::Provisional, Some(response), String::new()),
                    Some(Progress::Answered(response)) => (ForkInput::Answered, Some(response), String::new()),
                    Some(Progress::Refused(response)) => {
                        (ForkInput::Refused(response.status), Some(response), String::new())
                    }
                    Some(Progress::Failed(why)) => (ForkInput::Failed, None, why.to_string()),
                    None => (ForkInput::Failed, None, "the INVITE was lost".to_owned()),
                },
            };
            for output in fork.handle(input) {
                match output {
                    ForkOutput::SendCancel => pending.cancel(),
                    ForkOutput::SendAck => {
                        if let Some(response) = &response {
                            self.dialog.complete(response);
                        }
                        let seq = response.as_ref().and_then(Response::cseq).unwrap_or(1);
                        let credentials = pending.credentials();
                        self.endpoint.acknowledge(&self.flow, &self.dialog, seq, credentials).await;
                    }
                    ForkOutput::TellProgress => {
                        if let Some(response) = &response {
                            let (status, sdp) = (response.status, response.sdp());
                            self.tell(ForkNews::Progress { status, sdp }).await;
                        }
                    }
                    ForkOutput::SendBye => self.bye().await,
                    ForkOutput::TellAnswered => self.hand_over(response.as_ref()).await,
                    ForkOutput::TellRefused(status) => {
                        let cause = response.as_ref().and_then(|r| refusal::q850(&r.headers));
                        self.tell(ForkNews::Refused(Refusal { status, cause })).await;
                    }
                    ForkOutput::TellUnreachable => self.tell(ForkNews::Unreachable(why.clone())).await,
                }
            }
        }
        if !self.handed {
            self.shared.directory.forget(&self.dialog.key());
        }
    }

    async fn hand_over(&mut self, response: Option<&Response>) {
        let sdp = response.and_then(Response::sdp).unwrap_or_default();
        let up = Box::new(Established {
            dialog: self.dialog.clone(),
            flow: self.flow.clone(),
            user: "patchbay".to_owned(),
            timer: None,
            // Our ACK is out.
            acknowledged: watch::channel(true).1,
        });
        let expires = response.and_then(|r| r.headers.get("Session-Expires"));
        let timer = SessionTimer::of_response(expires, self.shared.now());
        let news = ForkNews::Answered { up, sdp, timer };
        if self.mailbox.send(Message::Fork(self.branch, news)).await.is_err() {
            self.bye().await;
            self.shared.directory.forget(&self.dialog.key());
        }
        self.handed = true;
    }

    async fn tell(&self, news: ForkNews) {
        self.mailbox.send(Message::Fork(self.branch, news)).await.ok();
    }

    async fn bye(&mut self) {
        let bye = self.dialog.request(Method::Bye);
        self.endpoint.request(&self.flow, bye).await.ok();
    }
}
