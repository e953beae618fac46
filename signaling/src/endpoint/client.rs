//! Requests we send: each in a client transaction of the library, over the flow it is meant for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rsipstack::sip::{self, SipMessage};
use rsipstack::transaction::Transaction;
use rsipstack::transaction::key::{TransactionKey, TransactionRole};

use super::dialog::Dialog;
use super::message::{Headers, Method, Request, Response};
use super::signing::{Signing, credentials_of};
use super::{Endpoint, Flow, wire};

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection it should go over is closed.
    #[error("the connection is closed")]
    FlowClosed,
    /// What should be sent cannot be written as SIP.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// Nobody answered (Timer F, 32 s).
    #[error("no answer")]
    NoAnswer,
}

/// How an INVITE of ours goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// 100 to 199.
    Provisional(Response),
    /// 200 to 299: has to be acknowledged with [`Endpoint::acknowledge`].
    Answered(Response),
    /// 300 to 699; the library has acknowledged it.
    Refused(Response),
    /// Nobody answered, or it could not be sent.
    Failed(SendError),
}

impl Endpoint {
    /// Sends a request other than INVITE and ACK and waits for its final response. Challenges that the flow's account can
    /// answer are answered first.
    pub async fn request(&self, flow: &Flow, request: Request) -> Result<Response, SendError> {
        let mut signing = Signing::new(request, flow);
        loop {
            let response = self.request_in(flow, signing.next(self), &self.branch()).await?;
            if !signing.goes_on(&response) {
                return Ok(response);
            }
        }
    }

    /// Sends an INVITE; `progress` hears of everything, the last time of its end. Returns at once, with what cancels it.
    /// Challenges that the flow's account can answer are answered, and not heard of.
    pub fn invite(
        &self,
        flow: &Flow,
        request: Request,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> PendingInvite {
        let mut signing = Signing::new(request, flow);
        let turn =
            Turn { request: signing.next(self), branch: self.branch(), heard: false, cancelled: false };
        let pending = PendingInvite {
            endpoint: self.clone(),
            flow: flow.clone(),
            turn: Arc::new(Mutex::new(turn.clone())),
        };
        let invite = pending.clone();
        tokio::spawn(async move {
            let over =
                (turn.request.call_id().to_owned(), turn.request.from_tag().unwrap_or_default().to_owned());
            let mut turn = Some(turn);
            while let Some(Turn { request, branch, .. }) = turn.take() {
                let sent = invite.endpoint.transaction(&invite.flow, &request, &branch).await;
                let (mut transaction, last) = match sent {
                    Ok(mut transaction) => {
                        let last = invite.answer(&mut transaction, &progress).await;
                        (transaction, last)
                    }
                    Err(e) => return progress(Progress::Failed(e)),
                };
                match &last {
                    Progress::Refused(response) if signing.goes_on(response) => {
                        turn = invite.again(&mut signing);
                    }
                    _ => {}
                }
                // Timer D: the library repeats the ACK of a repeated refusal as long as the transaction lives.
                tokio::spawn(async move { while transaction.receive().await.is_some() {} });
                if turn.is_none() {
                    invite.endpoint.0.acks.over(over.0.clone(), over.1.clone());
                    progress(last);
                }
            }
        });
        pending
    }

    /// Sends the ACK of a 2xx and keeps it for when the 2xx comes again. `credentials` are those of the INVITE.
    pub async fn acknowledge(&self, flow: &Flow, dialog: &Dialog, invite_seq: u32, credentials: Headers) {
        let mut ack = dialog.ack(invite_seq);
        for (name, value) in credentials.iter() {
            ack.headers.push(name, value);
        }
        let key = (ack.call_id().to_owned(), invite_seq, ack.to_tag().unwrap_or_default().to_owned());
        match wire::request_to(&ack, &flow.via(&self.branch()), &self.0.user_agent) {
            Ok(message) => {
                let message = SipMessage::Request(message);
                let destination = flow.destination();
                if let Err(e) = flow.connection.send(message.clone(), Some(&destination)).await {
                    tracing::debug!(error = %e, "an ACK could not be sent");
                }
                self.0.acks.keep(key, message, flow.connection.clone(), destination);
            }
            Err(e) => tracing::warn!(error = %e, "an ACK cannot be written"),
        }
    }

    async fn request_in(&self, flow: &Flow, request: Request, branch: &str) -> Result<Response, SendError> {
        let mut transaction = self.transaction(flow, &request, branch).await?;
        while let Some(message) = transaction.receive().await {
            if let SipMessage::Response(response) = message {
                if response.status_code.code() == 408 && !has_peer_mark(&response) {
                    return Err(SendError::NoAnswer);
                }
                if response.status_code.code() >= 200 {
                    return Ok(wire::response_from(&response));
                }
            }
        }
        Err(SendError::NoAnswer)
    }

    async fn transaction(
        &self,
        flow: &Flow,
        request: &Request,
        branch: &str,
    ) -> Result<Transaction, SendError> {
        if !flow.is_alive() {
            return Err(SendError::FlowClosed);
        }
        let message = wire::request_to(request, &flow.via(branch), &self.0.user_agent)
            .map_err(SendError::Unsendable)?;
        let key = TransactionKey::from_request(&message, TransactionRole::Client)
            .map_err(|e| SendError::Unsendable(e.to_string()))?;
        let mut transaction =
            Transaction::new_client(key, message, self.0.inner.clone(), Some(flow.connection.clone()));
        transaction.destination = Some(flow.destination());
        transaction.send().await.map_err(|e| SendError::Unsendable(e.to_string()))?;
        Ok(transaction)
    }

    fn branch(&self) -> String {
        format!("z9hG4bK{}", self.token())
    }
}

/// The library reports its own time-outs as a 408 it made from our request; a real one went through somebody's hands, who
/// put a tag into `To` (RFC 3261 §8.2.6.2).
fn has_peer_mark(response: &sip::Response) -> bool {
    wire::response_from(response).to_tag().is_some()
}

/// An INVITE that can be cancelled.
#[derive(Clone)]
pub struct PendingInvite {
    endpoint: Endpoint,
    flow: Flow,
    turn: Arc<Mutex<Turn>>,
}

/// How an INVITE went out last.
#[derive(Clone)]
struct Turn {
    request: Request,
    branch: String,
    /// Something came back: before, CANCEL is forbidden (RFC 3261 §9.1).
    heard: bool,
    /// It is not wanted any more.
    cancelled: bool,
}

impl PendingInvite {
    /// Sends CANCEL, at once or as soon as something comes back: same branch, same number, no body (RFC 3261 §9.1). The
    /// INVITE's own end is told by its progress.
    pub fn cancel(&self) {
        let mut turn = self.turn();
        turn.cancelled = true;
        if turn.heard {
            self.send_cancel(&turn);
        }
    }

    /// The credentials it carries.
    pub fn credentials(&self) -> Headers {
        credentials_of(&self.turn().request)
    }

    fn send_cancel(&self, turn: &Turn) {
        let mut cancel = Request {
            method: Method::Cancel,
            uri: turn.request.uri.clone(),
            headers: Headers::new(),
            body: Vec::new(),
        };
        for name in ["From", "To", "Call-ID", "Max-Forwards", "Route"] {
            for value in turn.request.headers.all(name) {
                cancel.headers.push(name, value);
            }
        }
        cancel.headers.push("CSeq", format!("{} CANCEL", turn.request.cseq().unwrap_or(1)));
        let (endpoint, flow, branch) = (self.endpoint.clone(), self.flow.clone(), turn.branch.clone());
        tokio::spawn(async move { endpoint.request_in(&flow, cancel, &branch).await });
    }

    /// The end of one turn.
    async fn answer(&self, transaction: &mut Transaction, progress: &(impl Fn(Progress) + Sync)) -> Progress {
        while let Some(message) = transaction.receive().await {
            let SipMessage::Response(response) = message else { continue };
            let local_timeout = response.status_code.code() == 408 && !has_peer_mark(&response);
            let response = wire::response_from(&response);
            match response.status {
                100..=199 => {
                    self.heard();
                    progress(Progress::Provisional(response));
                }
                200..=299 => return Progress::Answered(response),
                _ if local_timeout => break,
                _ => return Progress::Refused(response),
            }
        }
        Progress::Failed(SendError::NoAnswer)
    }

    fn heard(&self) {
        let mut turn = self.turn();
        if turn.cancelled && !turn.heard {
            self.send_cancel(&turn);
        }
        turn.heard = true;
    }

    /// The next turn, with credentials; `None`: nobody wants it any more.
    fn again(&self, signing: &mut Signing) -> Option<Turn> {
        let mut turn = self.turn();
        if turn.cancelled {
            return None;
        }
        let (request, branch) = (signing.next(&self.endpoint), self.endpoint.branch());
        *turn = Turn { request, branch, heard: false, cancelled: false };
        Some(turn.clone())
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
