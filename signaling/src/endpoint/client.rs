//! Requests we send: each in a client transaction of the library, over the flow it is meant for.

use rsipstack::sip::{self, SipMessage};
use rsipstack::transaction::Transaction;
use rsipstack::transaction::key::{TransactionKey, TransactionRole};

use super::dialog::Dialog;
use super::message::{Method, Request, Response};
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
    /// Sends a request other than INVITE and ACK and waits for its final response.
    pub async fn request(&self, flow: &Flow, request: Request) -> Result<Response, SendError> {
        let branch = self.branch();
        self.request_in(flow, request, &branch).await
    }

    /// Sends an INVITE; `progress` hears of everything, the last time of its end. Returns at once, with what cancels it.
    pub fn invite(
        &self,
        flow: &Flow,
        request: Request,
        progress: impl Fn(Progress) + Send + 'static,
    ) -> PendingInvite {
        let branch = self.branch();
        let pending = PendingInvite {
            endpoint: self.clone(),
            flow: flow.clone(),
            request: request.clone(),
            branch: branch.clone(),
        };
        let (endpoint, flow) = (self.clone(), flow.clone());
        tokio::spawn(async move {
            let over = (request.call_id().to_owned(), request.from_tag().unwrap_or_default().to_owned());
            let mut transaction = match endpoint.transaction(&flow, &request, &branch).await {
                Ok(transaction) => transaction,
                Err(e) => return progress(Progress::Failed(e)),
            };
            let mut last = Progress::Failed(SendError::NoAnswer);
            while let Some(message) = transaction.receive().await {
                let SipMessage::Response(response) = message else { continue };
                let local_timeout = response.status_code.code() == 408 && !has_peer_mark(&response);
                let response = wire::response_from(&response);
                match response.status {
                    100..=199 => progress(Progress::Provisional(response)),
                    200..=299 => {
                        last = Progress::Answered(response);
                        break;
                    }
                    _ if local_timeout => break,
                    _ => {
                        last = Progress::Refused(response);
                        break;
                    }
                }
            }
            endpoint.0.acks.over(over.0, over.1);
            progress(last);
            // Timer D: the library repeats the ACK of a repeated refusal as long as the transaction lives.
            while transaction.receive().await.is_some() {}
        });
        pending
    }

    /// Sends the ACK of a 2xx and keeps it for when the 2xx comes again.
    pub async fn acknowledge(&self, flow: &Flow, dialog: &Dialog, invite_seq: u32) {
        self.acknowledge_with(flow, dialog, invite_seq, None).await;
    }

    /// Like [`Endpoint::acknowledge`], with an answer to an offer that came in the 2xx.
    pub async fn acknowledge_with(&self, flow: &Flow, dialog: &Dialog, invite_seq: u32, sdp: Option<String>) {
        let mut ack = dialog.ack(invite_seq);
        if let Some(sdp) = sdp {
            ack.headers.push("Content-Type", "application/sdp");
            ack.body = sdp.into_bytes();
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
pub struct PendingInvite {
    endpoint: Endpoint,
    flow: Flow,
    request: Request,
    branch: String,
}

impl PendingInvite {
    /// Sends CANCEL: same branch, same number, no body (RFC 3261 §9.1). The INVITE's own end is told by its progress.
    pub fn cancel(&self) {
        let mut cancel = Request {
            method: Method::Cancel,
            uri: self.request.uri.clone(),
            headers: super::message::Headers::new(),
            body: Vec::new(),
        };
        for name in ["From", "To", "Call-ID", "Max-Forwards", "Route"] {
            for value in self.request.headers.all(name) {
                cancel.headers.push(name, value);
            }
        }
        cancel.headers.push("CSeq", format!("{} CANCEL", self.request.cseq().unwrap_or(1)));
        let (endpoint, flow, branch) = (self.endpoint.clone(), self.flow.clone(), self.branch.clone());
        tokio::spawn(async move { endpoint.request_in(&flow, cancel, &branch).await });
    }
}
