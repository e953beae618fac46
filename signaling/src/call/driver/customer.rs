//! Orders for the customer's dialog, carried out.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::{CustomerSide, Driver, Message, Party, timer_headers};
use crate::call::timer::SessionTimer;
use crate::call::words::PeerOrder;
use crate::endpoint::Flow;
use crate::endpoint::message::{ALLOW, Method, Reply, Request};
use crate::switchboard::shared::{DialogKey, Shared};

impl Driver {
    pub(super) fn tell_customer(&mut self, order: PeerOrder) {
        let Some(side) = &mut self.customer else { return };
        let contact = side.flow.contact(&side.user);
        match order {
            PeerOrder::Ring => {
                side.respond(&Reply::new(180).with("Contact", contact).with("Allow", ALLOW));
            }
            PeerOrder::Answer { sdp } => {
                let mut reply = Reply::new(200)
                    .with("Contact", contact)
                    .with("Allow", ALLOW)
                    .with("Supported", "timer")
                    .with_sdp(Some(sdp));
                if let Some(timer) = &side.timer {
                    reply = timer_headers(reply, timer);
                }
                side.respond(&reply);
                self.held().accepted = Some(true);
            }
            PeerOrder::Refuse { status, retry_after_s, warning } => {
                let mut reply = Reply::new(status);
                if let Some(seconds) = retry_after_s {
                    reply = reply.with("Retry-After", seconds.to_string());
                }
                if let Some(warning) = warning {
                    reply = reply.with("Warning", warning);
                }
                side.respond(&reply);
                self.held().accepted = Some(false);
            }
            PeerOrder::Reply(answered) => self.reply(Party::Customer, answered),
            PeerOrder::Bye { reason } => {
                if self.dialled.is_some() {
                    self.held.lock().unwrap_or_else(PoisonError::into_inner).dialled = None;
                }
                let mut bye = side.dialog.request(Method::Bye);
                if let Some(reason) = reason {
                    bye.headers.push(
                        "Reason",
                        format!("SIP;cause=480;text={}", crate::endpoint::uri::quoted(&reason)),
                    );
                }
                let (flow, acknowledged) = (side.flow.clone(), side.acknowledged.clone());
                self.say_bye(bye, flow, acknowledged);
                self.held().accepted = Some(false);
            }
            PeerOrder::Notify { status } => self.notify(Party::Customer, status),
            PeerOrder::Renew => {
                let update = side.dialog.request(Method::Update);
                let (key, flow) = (side.dialog.key(), side.flow.clone());
                renew(self.shared.clone(), (key, flow), update, contact, side.timer.as_ref());
            }
        }
    }

    /// BYE, once the far end knows that we answered.
    pub(super) fn say_bye(&mut self, bye: Request, flow: Flow, mut acknowledged: watch::Receiver<bool>) {
        let (endpoint, before) = (self.shared.endpoint.clone(), self.notified());
        self.shared.farewells.spawn(async move {
            before.await;
            let patience = Duration::from_secs(33);
            tokio::time::timeout(patience, acknowledged.wait_for(|known| *known)).await.ok();
            endpoint.request(&flow, bye).await.ok();
        });
    }
}

/// Renews a session (RFC 4028 §7.4). The answer goes to the call that the dialog belongs to by then.
pub(super) fn renew(
    shared: Arc<Shared>,
    (key, flow): (DialogKey, Flow),
    mut update: Request,
    contact: String,
    timer: Option<&SessionTimer>,
) {
    update.headers.push("Contact", contact);
    update.headers.push("Supported", "timer");
    if let Some(timer) = timer {
        // In our own request we are the client.
        update.headers.push("Session-Expires", timer.header().replace("refresher=uas", "refresher=uac"));
    }
    tokio::spawn(async move {
        let status = shared.endpoint.request(&flow, update).await.map_or(408, |r| r.status);
        if let Some((mailbox, party)) = shared.directory.find(&key) {
            mailbox.send(Message::Renewed(party, status)).await.ok();
        }
    });
}

impl CustomerSide {
    fn respond(&self, reply: &Reply) {
        if let Some(responder) = &self.responder {
            responder.respond(reply, &self.tag);
        }
    }
}
