//! Requests that come to us: each in a server transaction of the library.

use rsipstack::sip::{self, Header, SipMessage};
use rsipstack::transaction::transaction::{TransactionEvent, TransactionEventSender};
use rsipstack::transaction::{Transaction, TransactionReceiver};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::message::{Method, Reply, Request};
use super::{Endpoint, Flow, wire};

/// A request to be answered.
pub struct Incoming {
    /// What is asked.
    pub request: Request,
    /// Over which flow.
    pub flow: Flow,
    /// How it is answered.
    pub transaction: ServerTransaction,
}

/// The server transaction of a request.
pub struct ServerTransaction {
    transaction: Transaction,
    responder: Responder,
}

/// What happens to an INVITE after it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteEvent {
    /// The far end gave up before our final answer. 200 was said to the CANCEL; the INVITE wants its 487.
    Cancelled,
    /// Our 2xx was acknowledged; the ACK may carry the answer to our offer.
    Acknowledged(Option<String>),
    /// 64 × T1 passed and nobody acknowledged our 2xx.
    NeverAcknowledged,
}

/// Answers an INVITE from elsewhere than its own task.
#[derive(Clone)]
pub struct Responder {
    endpoint: Endpoint,
    original: std::sync::Arc<sip::Request>,
    sender: TransactionEventSender,
}

/// Takes transactions from the library until it ends.
pub(super) async fn receive(
    endpoint: Endpoint,
    mut transactions: TransactionReceiver,
    sender: mpsc::Sender<Incoming>,
) {
    let stopped = endpoint.0.cancel.clone();
    // The library's queue never closes by itself, because the endpoint we hold holds its sender.
    while let Some(Some(transaction)) = stopped.run_until_cancelled(transactions.recv()).await {
        let Some(flow) = transaction.connection.as_ref().and_then(|c| endpoint.flow(c)) else { continue };
        let responder = Responder {
            endpoint: endpoint.clone(),
            original: std::sync::Arc::new(transaction.original.clone()),
            sender: transaction.tu_sender.clone(),
        };
        let request = wire::request_from(&transaction.original);
        let incoming = Incoming { request, flow, transaction: ServerTransaction { transaction, responder } };
        match sender.try_send(incoming) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(incoming)) => {
                endpoint.0.counters.queue_overflow.add();
                incoming.transaction.finish(&Reply::new(503).with("Retry-After", "5"), None);
            }
            Err(mpsc::error::TrySendError::Closed(_)) => return,
        }
    }
}

impl ServerTransaction {
    /// Gives the one final answer to a request, and sees the transaction through. `tag` goes into `To` if it has none.
    pub fn finish(self, reply: &Reply, tag: Option<&str>) {
        drop(self.answer(reply, tag));
    }

    /// The same, for who has something to send after it: the task is over when the answer is on its way.
    pub fn answer(mut self, reply: &Reply, tag: Option<&str>) -> JoinHandle<()> {
        let token = self.responder.endpoint.token();
        let response = self.responder.response(reply, tag.unwrap_or(&token));
        tokio::spawn(async move {
            if let Err(e) = self.transaction.respond(response).await {
                tracing::debug!(error = %e, "a response could not be sent");
            }
            // An INVITE's refusal is repeated until its ACK comes.
            if self.transaction.original.method == sip::Method::Invite {
                while self.transaction.receive().await.is_some() {}
            }
        })
    }

    /// Says 100 to an INVITE and lives on in a task of its own; `sink` hears what happens to it.
    pub fn proceed(mut self, sink: impl Fn(InviteEvent) + Send + 'static) -> Responder {
        let responder = self.responder.clone();
        tokio::spawn(async move {
            if let Err(e) = self.transaction.send_trying().await {
                tracing::debug!(error = %e, "100 could not be sent");
            }
            let mut acknowledged = false;
            while let Some(message) = self.transaction.receive().await {
                let SipMessage::Request(request) = message else { continue };
                let request = wire::request_from(&request);
                match request.method {
                    Method::Cancel => sink(InviteEvent::Cancelled),
                    Method::Ack => {
                        acknowledged = true;
                        if self.answered() {
                            sink(InviteEvent::Acknowledged(request.sdp()));
                        }
                    }
                    _ => {}
                }
            }
            if !acknowledged && self.answered() {
                sink(InviteEvent::NeverAcknowledged);
            }
        });
        responder
    }

    fn answered(&self) -> bool {
        self.transaction.last_response.as_ref().is_some_and(|r| (200..300).contains(&r.status_code.code()))
    }
}

impl Responder {
    /// Sends a response to the INVITE. After a final one, further ones are ignored by the transaction.
    pub fn respond(&self, reply: &Reply, tag: &str) {
        self.sender.send(TransactionEvent::Respond(self.response(reply, tag))).ok();
    }

    fn response(&self, reply: &Reply, tag: &str) -> sip::Response {
        let body = reply.sdp.clone().map(String::into_bytes);
        let mut response =
            self.endpoint.0.inner.make_response(&self.original, wire::status(reply.status), body);
        if reply.status > 100 {
            for header in response.headers.iter_mut() {
                if let Header::To(to) = header
                    && super::message::tag(to.value()).is_none()
                {
                    *to = sip::To::new(format!("{};tag={tag}", to.value()));
                }
            }
        }
        // RFC 3261 §12.1.1: a response that makes a dialog repeats the route.
        if self.original.method == sip::Method::Invite && (101..300).contains(&reply.status) {
            for header in self.original.headers.iter() {
                if matches!(header, Header::RecordRoute(_)) {
                    response.headers.push(header.clone());
                }
            }
        }
        for header in wire::reply_headers(reply) {
            response.headers.push(header);
        }
        response
    }
}
