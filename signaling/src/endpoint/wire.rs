//! Between our messages and the library's.

use rsipstack::sip::{self, HasHeaders as _};

use super::message::{Headers, Method, Reply, Request, Response};

/// The library's request as ours.
pub(super) fn request_from(request: &sip::Request) -> Request {
    Request {
        method: method_from(request.method),
        uri: request.uri.to_string(),
        headers: headers_from(request.headers()),
        body: request.body.clone(),
    }
}

/// The library's response as ours.
pub(super) fn response_from(response: &sip::Response) -> Response {
    Response {
        status: response.status_code.code(),
        headers: headers_from(response.headers()),
        body: response.body.clone(),
    }
}

fn headers_from(headers: &sip::Headers) -> Headers {
    headers.iter().fold(Headers::new(), |out, h| out.with(h.name(), h.value().trim()))
}

fn method_from(method: sip::Method) -> Method {
    match method {
        sip::Method::Ack => Method::Ack,
        sip::Method::Bye => Method::Bye,
        sip::Method::Cancel => Method::Cancel,
        sip::Method::Info => Method::Info,
        sip::Method::Invite => Method::Invite,
        sip::Method::Message => Method::Message,
        sip::Method::Notify => Method::Notify,
        sip::Method::Options => Method::Options,
        sip::Method::PRack => Method::Prack,
        sip::Method::Publish => Method::Publish,
        sip::Method::Refer => Method::Refer,
        sip::Method::Register => Method::Register,
        sip::Method::Subscribe => Method::Subscribe,
        sip::Method::Update => Method::Update,
    }
}

/// Our request as the library's. It is written and read again, so that what could not be read is never sent.
pub(super) fn request_to(request: &Request, via: &str, user_agent: &str) -> Result<sip::Request, String> {
    let mut text = format!("{} {} SIP/2.0\r\nVia: {via}\r\n", request.method, request.uri);
    for (name, value) in request.headers.iter() {
        line(&mut text, name, value);
    }
    line(&mut text, "User-Agent", user_agent);
    text.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&request.body);
    sip::Request::try_from(bytes).map_err(|e| e.to_string())
}

/// The header fields of a reply that are not the library's own, ready to be pushed.
pub(super) fn reply_headers(reply: &Reply) -> Vec<sip::Header> {
    let mut headers: Vec<_> =
        reply.headers.iter().map(|(n, v)| sip::Header::Other(n.to_owned(), clean(v))).collect();
    if reply.sdp.is_some() {
        headers.push(sip::Header::Other("Content-Type".to_owned(), "application/sdp".to_owned()));
    }
    headers
}

fn line(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(&clean(value));
    text.push_str("\r\n");
}

/// A value can never end its line: what came from a far end must not become a header of ours.
fn clean(value: &str) -> String {
    value.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect()
}

/// The standard reason phrase.
pub(super) fn status(code: u16) -> sip::StatusCode {
    match code {
        422 => sip::StatusCode::Other(422, "Session Interval Too Small".to_owned()),
        _ => sip::StatusCode::try_from((code, "Refused"))
            .unwrap_or_else(|_| sip::StatusCode::Other(500, "Server Internal Error".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_smuggle_a_header() {
        let request = Request {
            method: Method::Bye,
            uri: "sip:a@192.0.2.1".into(),
            headers: Headers::new()
                .with("From", "<sip:b@us>;tag=1")
                .with("To", "<sip:a@them>;tag=2\r\nX-Evil: 1")
                .with("Call-ID", "c")
                .with("CSeq", "1 BYE"),
            body: Vec::new(),
        };
        let wire = request_to(&request, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1", "x").unwrap();
        assert_eq!(request_from(&wire).headers.get("X-Evil"), None);
        assert_eq!(request_from(&wire).headers.get("cseq"), Some("1 BYE"));
    }

    #[test]
    fn compact_names_are_expanded_when_read() {
        let text = "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\nk: timer\r\nm: <sip:q@r>\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n";
        let wire = sip::Request::try_from(text).unwrap();
        let ours = request_from(&wire);
        assert_eq!(ours.from_tag(), Some("1"));
        assert_eq!(ours.call_id(), "x");
        assert_eq!(ours.headers.get("Supported"), Some("timer"));
        assert_eq!(ours.headers.get("Contact"), Some("<sip:q@r>"));
    }
}
