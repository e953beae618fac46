//! REFER within a dialog, and the NOTIFYs that say how the transfer goes (RFC 3515; without them, RFC 4488).

use std::time::Duration;

use model::call::ReferTo;
use tokio::task::JoinHandle;

use super::requests::Waiting;
use super::{Driver, Party, PhoneSide, peer};
use crate::call::words::{Input, Peer};
use crate::endpoint::ServerTransaction;
use crate::endpoint::message::{Method, Reply, Request};
use crate::endpoint::uri;
use crate::switchboard::shared::{DialogKey, Directory};
use crate::trunk::dialled;

/// A NOTIFY is answered sooner than this, or what follows it is sent all the same.
const NOTIFIED_MAX: Duration = Duration::from_secs(1);
/// RFC 3515 §2.4.7: how long we may notify; no transfer takes longer.
const EXPIRES_S: u32 = 60;

/// Who waits for NOTIFYs, and what was sent last.
#[derive(Default)]
pub(super) struct Notifying {
    /// Whose dialog, and its `Event`.
    to: Option<(Party, String)>,
    /// How many were asked for in this call: all but the first carry their number (RFC 3515 §2.4.6).
    asked: u32,
    last: Option<JoinHandle<()>>,
}

/// A REFER that waits for its answer.
pub(super) struct Asked {
    pub(super) transaction: Box<ServerTransaction>,
    seq: u32,
    /// No NOTIFY is wanted.
    quiet: bool,
}

impl Driver {
    /// A REFER came; what cannot be done is answered at once.
    pub(super) fn refer(
        &mut self,
        party: Party,
        request: &Request,
        transaction: ServerTransaction,
    ) -> Option<Input> {
        let to = match target(request, &self.shared.directory) {
            Ok(to) => to,
            Err(status) => {
                transaction.finish(&Reply::new(status), None);
                return None;
            }
        };
        let id = self.request_id();
        let quiet = request.headers.get("Refer-Sub").is_some_and(|sub| sub.trim().starts_with("false"));
        let asked =
            Asked { transaction: Box::new(transaction), seq: request.cseq().unwrap_or_default(), quiet };
        self.waiting.insert(id, Waiting::Refer(asked));
        Some(peer(party, Peer::Refer { id, to }))
    }

    /// The answer to a REFER.
    pub(super) fn answer_refer(&mut self, party: Party, asked: Asked, reply: Reply) {
        let Asked { transaction, seq, quiet } = asked;
        if reply.status >= 300 {
            return transaction.finish(&reply, None);
        }
        self.notifying.asked += 1;
        let event = match self.notifying.asked {
            1 => "refer".to_owned(),
            _ => format!("refer;id={seq}"),
        };
        self.notifying.to = (!quiet).then_some((party, event));
        let reply = if quiet { reply.with("Refer-Sub", "false") } else { reply };
        // No NOTIFY before it.
        self.notifying.last = Some(transaction.answer(&reply, None));
    }

    /// Says how the transfer goes, to whoever asked for it and wants to know.
    pub(super) fn notify(&mut self, party: Party, status: u16) {
        let Some((_, event)) = self.notifying.to.clone().filter(|(to, _)| *to == party) else { return };
        let over = status >= 200;
        if over {
            self.notifying.to = None;
        }
        let (dialog, flow, contact) = match party {
            Party::Customer => match &mut self.customer {
                Some(side) => (&mut side.dialog, side.flow.clone(), side.flow.contact(&side.user)),
                None => return,
            },
            Party::Phone(branch) => match self.phones.get_mut(&branch) {
                Some(PhoneSide::Up(up)) => (&mut up.dialog, up.flow.clone(), up.flow.contact(&up.user)),
                _ => return,
            },
        };
        let mut notify = dialog.request(Method::Notify);
        let state = match over {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={EXPIRES_S}"),
        };
        for (name, value) in [
            ("Contact", contact),
            ("Event", event),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag;version=2.0".to_owned()),
        ] {
            notify.headers.push(name, value);
        }
        notify.body = format!("SIP/2.0 {status} {}\r\n", phrase(status)).into_bytes();
        let (endpoint, before) = (self.shared.endpoint.clone(), self.notified());
        self.notifying.last = Some(self.shared.farewells.spawn(async move {
            before.await;
            endpoint.request(&flow, notify).await.ok();
        }));
    }

    /// Waits until the last NOTIFY was answered: what follows in its dialog comes after it.
    pub(super) fn notified(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let last = self.notifying.last.take();
        async move {
            if let Some(last) = last {
                tokio::time::timeout(NOTIFIED_MAX, last).await.ok();
            }
        }
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        200 => "OK",
        487 => "Request Terminated",
        _ => "Service Unavailable",
    }
}

/// Whom a REFER wants reached, or the status that refuses it.
fn target(request: &Request, directory: &Directory) -> Result<ReferTo, u16> {
    // RFC 3515 §2.4.2: exactly one.
    let values = request.headers.list("Refer-To");
    let [value] = values.as_slice() else { return Err(400) };
    let target = uri::of_address(value).ok_or(400_u16)?;
    let (address, headers) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters = address.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    // RFC 3261 §19.1.4: names of parameters have no case.
    let method = parameters.find(|(name, _)| name.eq_ignore_ascii_case("method"));
    if method.is_some_and(|(_, method)| !method.eq_ignore_ascii_case("INVITE")) {
        return Err(403);
    }
    let replaces = headers.split('&').filter_map(|header| header.split_once('='));
    let mut replaces = replaces.filter(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    if let Some((_, value)) = replaces.next() {
        let value = uri::unescape(value).ok_or(400_u16)?;
        let keys = dialogs(&value).ok_or(400_u16)?;
        return keys.iter().find_map(|key| directory.call_of(key)).map(ReferTo::Call).ok_or(404);
    }
    dialled(address).map(ReferTo::Dialled).ok_or(404)
}

/// The dialog that a `Replaces` names, at our side: by the tag that is ours as RFC 3891 §3 says, or as those have it who write
/// the two tags the other way round.
fn dialogs(replaces: &str) -> Option<[DialogKey; 2]> {
    let mut parts = replaces.split(';').map(str::trim);
    let call_id = parts.next().filter(|id| !id.is_empty())?;
    let (mut to, mut from) = (None, None);
    for part in parts {
        match part.split_once('=') {
            Some((name, tag)) if name.eq_ignore_ascii_case("to-tag") => to = Some(tag),
            Some((name, tag)) if name.eq_ignore_ascii_case("from-tag") => from = Some(tag),
            _ => {}
        }
    }
    Some([to?, from?].map(|tag| (call_id.to_owned(), tag.to_owned())))
}

#[cfg(test)]
mod tests {
    use model::id::{Id, InteractionId};
    use tokio::sync::mpsc;

    use super::*;
    use crate::endpoint::message::Headers;

    fn refer(values: &[&str]) -> Request {
        let mut headers = Headers::new();
        for value in values {
            headers.push("Refer-To", *value);
        }
        Request { method: Method::Refer, uri: "sip:x".into(), headers, body: Vec::new() }
    }

    #[test]
    fn a_number_an_extension_and_a_call_are_told_apart() {
        let directory = Directory::default();
        let of = |value: &str| target(&refer(&[value]), &directory);
        assert_eq!(of("<sip:1002@192.0.2.1>"), Ok(ReferTo::Dialled("1002".into())));
        assert_eq!(
            of("\"Boris\" <sips:+49-30-555@x;user=phone>;q=1"),
            Ok(ReferTo::Dialled("+4930555".into()))
        );
        assert_eq!(of("tel:+4930555"), Ok(ReferTo::Dialled("+4930555".into())));
        assert_eq!(of("<sip:boris@192.0.2.1>"), Err(404), "a name is nobody's number");
        assert_eq!(of("<sip:1002@192.0.2.1;method=BYE>"), Err(403));
        assert_eq!(of("<sip:1002@192.0.2.1;Method=MESSAGE>"), Err(403));
        assert_eq!(of("<sip:1002@192.0.2.1;METHOD=invite>"), Ok(ReferTo::Dialled("1002".into())));
    }

    #[test]
    fn a_replaced_dialog_is_found_by_either_order_of_its_tags() {
        let directory = Directory::default();
        let call = InteractionId::from_number(7);
        let (mailbox, _kept) = mpsc::channel(1);
        directory.add(("a@b".into(), "ours".into()), call, mailbox, Party::Customer);
        let of = |value: &str| target(&refer(&[value]), &directory);
        for tags in ["to-tag%3Dours%3Bfrom-tag%3Dtheirs", "from-tag=ours;to-tag=theirs"] {
            let with = format!("<sip:1002@192.0.2.1?Replaces=a%40b%3B{tags}>");
            assert_eq!(of(&with), Ok(ReferTo::Call(call)), "{tags}");
        }
        assert_eq!(of("<sip:1@x?Replaces=other%3Bto-tag%3Dours%3Bfrom-tag%3Dt>"), Err(404));
        assert_eq!(of("<sip:1@x?Replaces=a%40b%3Bto-tag%3Dours>"), Err(400), "RFC 3891 §6.1: both tags");
    }

    #[test]
    fn none_and_two_are_bad_requests() {
        let directory = Directory::default();
        for values in [&[] as &[&str], &["<sip:1@x>", "<sip:2@x>"], &["<sip:1@x>, <sip:2@x>"], &["<>"]] {
            assert_eq!(target(&refer(values), &directory), Err(400), "{values:?}");
        }
    }
}
