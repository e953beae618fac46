//! Requests that the far ends send within their dialogs.

use super::referral::Asked;
use super::{Driver, Message, Party, PhoneSide, peer, timer_headers};
use crate::call::words::{Answered, Input, Peer, RequestId};
use crate::endpoint::dialog::OutOfDialog;
use crate::endpoint::message::{ALLOW, Method, Reply, Request};
use crate::endpoint::{Incoming, Responder, ServerTransaction};

/// Requests of one call that may wait for the machine.
const WAITING_MAX: usize = 16;

/// A request that waits for the machine's answer.
pub(super) enum Waiting {
    Invite(Responder),
    Update(Box<ServerTransaction>),
    Refer(Asked),
}

impl Driver {
    pub(super) fn request(&mut self, party: Party, incoming: Incoming) -> Option<Input> {
        let Incoming { request, flow, transaction } = incoming;
        let dialog = match party {
            Party::Customer => self.customer.as_mut().map(|side| (&mut side.dialog, &mut side.flow)),
            Party::Phone(branch) => match self.phones.get_mut(&branch) {
                Some(PhoneSide::Up(up)) => Some((&mut up.dialog, &mut up.flow)),
                _ => None,
            },
        };
        let key = dialog.as_ref().map(|(dialog, _)| dialog.key());
        let admitted = match dialog {
            None => Err(OutOfDialog::Stranger),
            Some((dialog, known)) => dialog.admit(&request).map(|()| {
                // The far end may have opened a new connection, or its NAT a new port.
                if request.method != Method::Bye && flow.transport == known.transport {
                    *known = flow;
                }
            }),
        };
        match admitted {
            Ok(()) => {}
            Err(OutOfDialog::Stranger) => {
                self.shared.counters.no_dialog.add();
                transaction.finish(&Reply::new(481), None);
                return None;
            }
            Err(OutOfDialog::OutOfOrder) => {
                transaction.finish(&Reply::new(500), None);
                return None;
            }
        }
        match request.method {
            Method::Bye => {
                transaction.finish(&Reply::new(200), None);
                if let Party::Phone(branch) = party
                    && let Some(PhoneSide::Up(up)) = self.phones.remove(&branch)
                {
                    self.shared.directory.forget(&up.dialog.key());
                    self.held().forget(&up.dialog.key());
                }
                Some(peer(party, Peer::Bye))
            }
            Method::Invite => {
                let id = self.request_id();
                // Whoever it comes from may be in another call by then.
                let shared = self.shared.clone();
                let responder = transaction.proceed(move |event| {
                    if let Some((mailbox, party)) = key.as_ref().and_then(|key| shared.directory.find(key)) {
                        mailbox.try_send(Message::Reinvite(party, event)).ok();
                    }
                });
                if self.waiting.len() >= WAITING_MAX {
                    responder.respond(&Reply::new(500).with("Retry-After", "5"), "");
                    return None;
                }
                self.waiting.insert(id, Waiting::Invite(responder));
                self.renewed(party, &request);
                Some(peer(party, Peer::Offer { id, sdp: request.sdp() }))
            }
            Method::Update => match request.sdp() {
                Some(_) if self.waiting.len() >= WAITING_MAX => {
                    transaction.finish(&Reply::new(500).with("Retry-After", "5"), None);
                    None
                }
                Some(sdp) => {
                    let id = self.request_id();
                    self.waiting.insert(id, Waiting::Update(Box::new(transaction)));
                    self.renewed(party, &request);
                    Some(peer(party, Peer::Offer { id, sdp: Some(sdp) }))
                }
                // RFC 4028 §7.4: a renewal without a description changes nothing else.
                None => {
                    let reply = self.dress(party, Reply::new(200));
                    transaction.finish(&reply, None);
                    Some(peer(party, Peer::Renewed))
                }
            },
            Method::Info => {
                let digit = relayed_digit(&request);
                let status = if digit.is_some() || request.body.is_empty() { 200 } else { 415 };
                transaction.finish(&Reply::new(status), None);
                digit.map(|d| peer(party, Peer::Digit(d)))
            }
            Method::Refer if self.waiting.len() >= WAITING_MAX => {
                transaction.finish(&Reply::new(500).with("Retry-After", "5"), None);
                None
            }
            Method::Refer => self.refer(party, &request, transaction),
            Method::Options => {
                transaction
                    .finish(&Reply::new(200).with("Allow", ALLOW).with("Accept", "application/sdp"), None);
                None
            }
            _ => {
                self.shared.counters.method_refused.add();
                transaction.finish(&Reply::new(405).with("Allow", ALLOW), None);
                None
            }
        }
    }

    /// A re-INVITE or UPDATE renews the session whatever else it does.
    fn renewed(&mut self, party: Party, request: &Request) {
        let now = self.shared.now();
        let timer = match party {
            Party::Customer => self.customer.as_mut().map(|side| &mut side.timer),
            // Of a phone that we invited there is none.
            Party::Phone(branch) => match self.phones.get_mut(&branch) {
                Some(PhoneSide::Up(up)) if up.timer.is_some() => Some(&mut up.timer),
                _ => None,
            },
        };
        let Some(timer) = timer else { return };
        let supported = request.headers.has_token("Supported", "timer");
        let asked = super::SessionTimer::of_request(request.headers.get("Session-Expires"), supported, now);
        if let Ok(Some(asked)) = asked {
            *timer = Some(asked);
        }
        self.mailbox.try_send(Message::Renewed(party, 200)).ok();
    }

    pub(super) fn reply(&mut self, party: Party, answered: Answered) {
        let Some(waiting) = self.waiting.remove(&answered.id) else { return };
        let mut reply = Reply::new(answered.status).with_sdp(answered.sdp);
        if let Some(warning) = answered.warning {
            reply = reply.with("Warning", warning);
        }
        if answered.status < 300 {
            reply = self.dress(party, reply);
        }
        match waiting {
            Waiting::Invite(responder) => responder.respond(&reply, ""),
            Waiting::Update(transaction) => transaction.finish(&reply, None),
            Waiting::Refer(asked) => self.answer_refer(party, asked, reply),
        }
    }

    /// What a 2xx within a dialog carries: our Contact, what we allow, the session timer.
    fn dress(&self, party: Party, reply: Reply) -> Reply {
        let side = match party {
            Party::Customer => self.customer.as_ref().map(|side| (&side.flow, &side.user, &side.timer)),
            Party::Phone(branch) => match self.phones.get(&branch) {
                Some(PhoneSide::Up(up)) => Some((&up.flow, &up.user, &up.timer)),
                _ => None,
            },
        };
        let allow = |reply: Reply| reply.with("Allow", ALLOW);
        let Some((flow, user, timer)) = side else { return allow(reply) };
        let reply = allow(reply.with("Contact", flow.contact(user)));
        match timer {
            Some(timer) => timer_headers(reply, timer),
            None => reply,
        }
    }

    pub(super) fn request_id(&mut self) -> RequestId {
        self.next_request = self.next_request.wrapping_add(1);
        RequestId(self.next_request)
    }
}

/// `application/dtmf-relay` (`Signal=5`) and `application/dtmf`: what far ends without telephone events send.
fn relayed_digit(request: &Request) -> Option<char> {
    let kind = request.headers.get("Content-Type")?.split(';').next()?.trim().to_ascii_lowercase();
    let text = std::str::from_utf8(request.body.get(..request.body.len().min(256))?).ok()?;
    let signal = match kind.as_str() {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })?,
        "application/dtmf" => text.trim(),
        _ => return None,
    };
    let mut chars = signal.chars();
    let digit = match (chars.next()?.to_ascii_uppercase(), chars.next()) {
        ('1', Some('0')) => '*',
        ('1', Some('1')) => '#',
        (digit, None) => digit,
        _ => return None,
    };
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D').then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::message::Headers;

    #[test]
    fn digits_by_info_are_understood() {
        let info = |kind: &str, body: &str| Request {
            method: Method::Info,
            uri: "sip:x".into(),
            headers: Headers::new().with("Content-Type", kind),
            body: body.into(),
        };
        assert_eq!(
            relayed_digit(&info("application/dtmf-relay", "Signal= 5\r\nDuration=160\r\n")),
            Some('5')
        );
        assert_eq!(relayed_digit(&info("application/dtmf-relay", "Signal=11\r\n")), Some('#'));
        assert_eq!(relayed_digit(&info("application/dtmf", "a")), Some('A'));
        assert_eq!(relayed_digit(&info("application/dtmf", "55")), None);
        assert_eq!(relayed_digit(&info("text/plain", "5")), None);
    }
}
