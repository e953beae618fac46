//! Our half of a SIP dialog (RFC 3261 §12): tags, sequence numbers, route set and remote target. Pure.

use super::message::{Headers, Method, Request, Response};
use super::uri;
use crate::digest::TURNS_MAX;

/// One dialog, from either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    call_id: String,
    /// Our `From` in requests we send, with our tag.
    local: String,
    local_tag: String,
    /// Their `From` in requests they send.
    remote: String,
    /// Unknown until the first response of a dialog we begin.
    remote_tag: Option<String>,
    local_seq: u32,
    /// The highest CSeq they have used; `None` before their first request.
    remote_seq: Option<u32>,
    /// Where requests go: their Contact.
    target: String,
    route: Vec<String>,
}

/// Why a request does not fit its dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfDialog {
    /// 481: their tag is not the one we know.
    Stranger,
    /// 500: a sequence number that was passed already (§12.2.2).
    OutOfOrder,
}

impl Dialog {
    /// The dialog that an INVITE begins at us, with the tag we put into our responses.
    pub fn of_invite(invite: &Request, local_tag: &str) -> Option<Self> {
        let to = invite.headers.get("To")?;
        Some(Self {
            call_id: invite.call_id().to_owned(),
            local: format!("{to};tag={local_tag}"),
            local_tag: local_tag.to_owned(),
            remote: invite.headers.get("From")?.to_owned(),
            remote_tag: Some(invite.from_tag()?.to_owned()),
            local_seq: 0,
            remote_seq: Some(invite.cseq()?),
            target: contact(&invite.headers)?,
            // §12.1.1: the order of Record-Route is kept.
            route: invite.headers.list("Record-Route").into_iter().map(str::to_owned).collect(),
        })
    }

    /// The dialog we begin with an INVITE to `target`. `local` and `remote` are name-addrs without tags.
    pub fn begin(call_id: &str, local: &str, local_tag: &str, remote: &str, target: &str) -> Self {
        Self {
            call_id: call_id.to_owned(),
            local: format!("{local};tag={local_tag}"),
            local_tag: local_tag.to_owned(),
            remote: remote.to_owned(),
            remote_tag: None,
            local_seq: 0,
            remote_seq: None,
            target: target.to_owned(),
            route: Vec::new(),
        }
    }

    /// A dialog we began, from what the far end repeats of it: `local` has our tag already, and `seq` was spent.
    pub fn resumed(call_id: &str, local: &str, local_tag: &str, seq: u32) -> Self {
        Self {
            call_id: call_id.to_owned(),
            local: local.to_owned(),
            local_tag: local_tag.to_owned(),
            remote: String::new(),
            remote_tag: None,
            local_seq: seq,
            remote_seq: None,
            target: String::new(),
            route: Vec::new(),
        }
    }

    /// Completes a dialog we began with a response that made it (§12.1.2): the tag, the target and the reversed routes.
    /// `false` if the response makes no dialog.
    pub fn complete(&mut self, response: &Response) -> bool {
        let (Some(tag), Some(to)) = (response.to_tag(), response.headers.get("To")) else { return false };
        self.remote_tag = Some(tag.to_owned());
        self.remote = to.to_owned();
        if let Some(target) = contact(&response.headers) {
            self.target = target;
        }
        self.route = response.headers.list("Record-Route").into_iter().rev().map(str::to_owned).collect();
        true
    }

    /// `Call-ID` and our tag: what names the dialog at our side.
    pub fn key(&self) -> (String, String) {
        (self.call_id.clone(), self.local_tag.clone())
    }

    /// Checks and counts a request of the far end. ACK and CANCEL have the number of their INVITE and are not counted.
    pub fn admit(&mut self, request: &Request) -> Result<(), OutOfDialog> {
        if self.remote_tag.as_deref() != request.from_tag() {
            return Err(OutOfDialog::Stranger);
        }
        let seq = request.cseq().ok_or(OutOfDialog::OutOfOrder)?;
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return Ok(());
        }
        // Gaps are allowed: a challenged or lost request has spent its number (§12.2.2).
        if self.remote_seq.is_some_and(|last| seq <= last) {
            return Err(OutOfDialog::OutOfOrder);
        }
        self.remote_seq = Some(seq);
        // A re-INVITE or UPDATE may move the target (§12.2.2, RFC 3311 §5.2).
        if matches!(request.method, Method::Invite | Method::Update)
            && let Some(target) = contact(&request.headers)
        {
            self.target = target;
        }
        Ok(())
    }

    /// A new request within the dialog, with the next sequence number. Via and Contact are the endpoint's. The numbers after
    /// it are left for when it is challenged and has to go out once more: a gap is nobody's harm (§12.2.2).
    pub fn request(&mut self, method: Method) -> Request {
        let seq = self.local_seq.saturating_add(1);
        self.local_seq = self.local_seq.saturating_add(u32::from(TURNS_MAX));
        self.with_seq(method, seq)
    }

    /// The ACK of a 2xx: a request of its own with the number of its INVITE (§13.2.2.4).
    pub fn ack(&self, invite_seq: u32) -> Request {
        self.with_seq(Method::Ack, invite_seq)
    }

    fn with_seq(&self, method: Method, seq: u32) -> Request {
        let to = match (&self.remote_tag, super::message::tag(&self.remote)) {
            (Some(tag), None) => format!("{};tag={tag}", self.remote),
            _ => self.remote.clone(),
        };
        let mut headers = Headers::new()
            .with("From", self.local.clone())
            .with("To", to)
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", format!("{seq} {method}"))
            .with("Max-Forwards", "70");
        for route in &self.route {
            headers.push("Route", route.clone());
        }
        Request { method, uri: self.target.clone(), headers, body: Vec::new() }
    }

    /// Where the far end says it is.
    pub fn target(&self) -> &str {
        &self.target
    }
}

fn contact(headers: &Headers) -> Option<String> {
    headers.list("Contact").first().and_then(|c| uri::of_address(c)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Request {
        Request {
            method: Method::Invite,
            uri: "sip:100@us".into(),
            headers: Headers::new()
                .with("From", "\"A\" <sip:a@them>;tag=their")
                .with("To", "<sip:100@us>")
                .with("Call-ID", "c1")
                .with("CSeq", "7 INVITE")
                .with("Contact", "<sip:a@10.0.0.1:5080>")
                .with("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"),
            body: Vec::new(),
        }
    }

    #[test]
    fn a_request_back_to_the_caller_turns_the_names_and_keeps_the_routes() {
        let mut dialog = Dialog::of_invite(&invite(), "ours").unwrap();
        let bye = dialog.request(Method::Bye);
        assert_eq!(bye.uri, "sip:a@10.0.0.1:5080");
        assert_eq!(bye.headers.get("From"), Some("<sip:100@us>;tag=ours"));
        assert_eq!(bye.headers.get("To"), Some("\"A\" <sip:a@them>;tag=their"));
        assert_eq!(bye.headers.list("Route"), ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!(bye.cseq(), Some(1));
        let next = dialog.request(Method::Update).cseq();
        assert_eq!(next, Some(1 + u32::from(TURNS_MAX)), "room for a BYE that is challenged");
    }

    #[test]
    fn a_request_of_a_stranger_or_of_the_past_does_not_fit() {
        let mut dialog = Dialog::of_invite(&invite(), "ours").unwrap();
        let mut bye = invite();
        bye.method = Method::Bye;
        assert_eq!(dialog.admit(&bye), Err(OutOfDialog::OutOfOrder), "7 was the INVITE's");
        bye.headers = bye
            .headers
            .iter()
            .fold(Headers::new(), |h, (n, v)| h.with(n, if n == "CSeq" { "9 BYE" } else { v }));
        assert_eq!(dialog.admit(&bye), Ok(()), "a gap is allowed");
        bye.headers = bye.headers.iter().fold(Headers::new(), |h, (n, v)| {
            h.with(n, if n == "From" { "<sip:a@them>;tag=other" } else { v })
        });
        assert_eq!(dialog.admit(&bye), Err(OutOfDialog::Stranger));
    }

    #[test]
    fn our_own_dialog_is_completed_by_the_answer_with_the_routes_turned() {
        let mut dialog = Dialog::begin("c2", "<sip:a@us>", "ours", "<sip:200@phone>", "sip:200@10.0.0.2");
        let first = dialog.request(Method::Invite);
        assert_eq!(first.headers.get("To"), Some("<sip:200@phone>"));
        let answer = Response {
            status: 200,
            headers: Headers::new()
                .with("To", "<sip:200@phone>;tag=p")
                .with("Contact", "<sip:200@10.0.0.2:5099;ob>")
                .with("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"),
            body: Vec::new(),
        };
        assert!(dialog.complete(&answer));
        let ack = dialog.ack(1);
        assert_eq!((ack.uri.as_str(), ack.cseq()), ("sip:200@10.0.0.2:5099;ob", Some(1)));
        assert_eq!(ack.headers.list("Route"), ["<sip:p2;lr>", "<sip:p1;lr>"]);
    }
}
