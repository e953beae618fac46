//! The ACK of a 2xx to an INVITE of ours, said again each time the 2xx comes again (RFC 3261 §13.2.2.4).
//!
//! The library ends an INVITE transaction at its 2xx, so later ones reach [`Watch`] first. A 2xx of another fork, or one
//! that crossed our giving up, belongs to a call nobody wants: it is acknowledged and ended at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::time::Timestamp;
use rsipstack::sip::SipMessage;
use rsipstack::transaction::endpoint::TransportEventInspector;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tokio::sync::mpsc;

use super::dialog::Dialog;
use super::message::{Headers, Method, Response, tag};
use super::{Endpoint, wire};
use crate::service::Clock;

/// How long a 2xx may be repeated: 64 × T1 (§13.3.1.4), and a little for the way.
const KEEP: Duration = Duration::from_secs(40);
/// Entries kept; the oldest go first. Each is about a kilobyte.
const KEPT_MAX: usize = 16_384;
/// A 2xx comes eleven times in 32 s when its ACK is lost each time; more is a loop of two machines.
const AGAIN_MAX: u8 = 16;
/// Stray answers that may wait.
const STRAYS_MAX: usize = 256;

/// What was acknowledged, and which INVITEs are over.
pub(super) struct Acks {
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By Call-ID, CSeq number and their tag.
    sent: HashMap<(String, u32, String), Sent>,
    /// By Call-ID and our tag: INVITEs that had their final answer.
    over: HashMap<(String, String), Timestamp>,
}

struct Sent {
    message: SipMessage,
    connection: SipConnection,
    destination: SipAddr,
    at: Timestamp,
    /// How often it may still be said again.
    again: u8,
}

impl Acks {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// Remembers an ACK that was sent.
    pub(super) fn keep(
        &self,
        (call_id, seq, their_tag): (String, u32, String),
        message: SipMessage,
        connection: SipConnection,
        destination: SipAddr,
    ) {
        let at = (self.clock)();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.tidy(at);
        kept.sent.insert(
            (call_id, seq, their_tag),
            Sent { message, connection, destination, at, again: AGAIN_MAX },
        );
    }

    /// Remembers that an INVITE of ours has its final answer.
    pub(super) fn over(&self, call_id: String, our_tag: String) {
        let at = (self.clock)();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.tidy(at);
        kept.over.insert((call_id, our_tag), at);
    }

    fn find(&self, response: &Response) -> Found {
        let (Some(call_id), Some(seq), Some(theirs), Some(ours)) = (
            response.headers.get("Call-ID"),
            response.cseq(),
            response.to_tag(),
            response.headers.get("From").and_then(tag),
        ) else {
            return Found::Unknown;
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sent) = kept.sent.get_mut(&(call_id.to_owned(), seq, theirs.to_owned())) {
            let Some(left) = sent.again.checked_sub(1) else { return Found::TooOften };
            sent.again = left;
            let again = (sent.message.clone(), sent.connection.clone(), sent.destination.clone());
            return Found::Acknowledged(Box::new(again));
        }
        if kept.over.contains_key(&(call_id.to_owned(), ours.to_owned())) {
            return Found::Stray;
        }
        Found::Unknown
    }
}

enum Found {
    /// The same 2xx again.
    Acknowledged(Box<(SipMessage, SipConnection, SipAddr)>),
    /// The same 2xx again and again.
    TooOften,
    /// A 2xx nobody waits for.
    Stray,
    /// The first, or none of ours: the transaction layer knows.
    Unknown,
}

impl Kept {
    /// Forgets what is over, in rare sweeps; at the bound everything but the newest half goes.
    fn tidy(&mut self, now: Timestamp) {
        if self.sent.len().max(self.over.len()) < KEPT_MAX
            && !(self.sent.len() + self.over.len()).is_multiple_of(512)
        {
            return;
        }
        let keep = if self.sent.len().max(self.over.len()) < KEPT_MAX { KEEP } else { KEEP / 4 };
        self.sent.retain(|_, s| now.since(s.at) < keep);
        self.over.retain(|_, at| now.since(*at) < keep);
        if self.sent.len() >= KEPT_MAX {
            self.sent.clear();
        }
        if self.over.len() >= KEPT_MAX {
            self.over.clear();
        }
    }
}

/// Sees everything before the transactions do.
pub(super) struct Watch {
    acks: Arc<Acks>,
    strays: mpsc::Sender<Stray>,
}

/// A 2xx nobody waits for.
pub(super) struct Stray(Response, SipConnection);

/// The watch, and where strays come out.
pub(super) fn watch(acks: Arc<Acks>) -> (Watch, mpsc::Receiver<Stray>) {
    let (strays, receiver) = mpsc::channel(STRAYS_MAX);
    (Watch { acks, strays }, receiver)
}

#[async_trait::async_trait]
impl TransportEventInspector for Watch {
    async fn handle(&self, event: TransportEvent) -> Option<TransportEvent> {
        let TransportEvent::Incoming(SipMessage::Response(response), connection, _) = &event else {
            return Some(event);
        };
        if !(200..300).contains(&response.status_code.code()) {
            return Some(event);
        }
        let ours = wire::response_from(response);
        if !ours.headers.get("CSeq").is_some_and(|c| c.trim_end().ends_with(Method::Invite.name())) {
            return Some(event);
        }
        match self.acks.find(&ours) {
            Found::Unknown => Some(event),
            Found::Acknowledged(again) => {
                let (ack, connection, destination) = *again;
                connection.send(ack, Some(&destination)).await.ok();
                None
            }
            Found::TooOften => None,
            Found::Stray => {
                self.strays.try_send(Stray(ours, connection.clone())).ok();
                None
            }
        }
    }
}

/// Acknowledges and ends what nobody waits for.
pub(super) async fn answer_strays(endpoint: Endpoint, mut strays: mpsc::Receiver<Stray>) {
    let stopped = endpoint.0.cancel.clone();
    while let Some(Some(Stray(response, connection))) = stopped.run_until_cancelled(strays.recv()).await {
        let Some(flow) = endpoint.flow(&connection) else { continue };
        let headers = &response.headers;
        let (Some(from), Some(seq)) = (
            headers.get("From"),
            headers.get("CSeq").and_then(|c| c.split_ascii_whitespace().next()?.parse::<u32>().ok()),
        ) else {
            continue;
        };
        let Some(our_tag) = tag(from) else { continue };
        let mut dialog = Dialog::resumed(headers.get("Call-ID").unwrap_or_default(), from, our_tag, seq);
        if !dialog.complete(&response) {
            continue;
        }
        endpoint.acknowledge(&flow, &dialog, seq, Headers::new()).await;
        let bye = dialog.request(Method::Bye);
        let endpoint = endpoint.clone();
        tokio::spawn(async move { endpoint.request(&flow, bye).await });
    }
}
