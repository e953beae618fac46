//! Writes the response to a request that goes no further (RFC 3261 §8.2.6, stateless as in §8.2.7).

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::Answer;
use super::head::Head;

/// Longest response: a little more than the headers that are copied may hold.
const BYTES_MAX: usize = 16 * 1024;

/// The response as it goes to `source`; `None` if the request has not even that many parts.
///
/// `tag` names our side in `To`. A stateless server gives the same request the same tag each time (§8.2.7), so it
/// should be made from the request, for instance as a keyed hash of its `Via` and `Call-ID`.
pub fn answer_bytes(request: &[u8], answer: &Answer, source: SocketAddr, tag: &str) -> Option<Vec<u8>> {
    let head = Head::read(request.trim_ascii_start())?;
    let mut out = format!("SIP/2.0 {} {}\r\n", answer.status, answer.reason);
    let mut top = true;
    for via in head.all("via") {
        let via = if top { received(via, source) } else { via.to_owned() };
        top = false;
        write!(out, "Via: {via}\r\n").ok()?;
    }
    if top {
        return None;
    }
    for (name, label) in [("from", "From"), ("to", "To"), ("call-id", "Call-ID"), ("cseq", "CSeq")] {
        // Copied as it came, once, however wrong it is: the sender must recognise its own request.
        if let Some(value) = head.all(name).next() {
            let tagged =
                name == "to" && super::parse_address(value).is_ok_and(|to| to.parameter("tag").is_none());
            let end = if tagged { format!(";tag={tag}") } else { String::new() };
            write!(out, "{label}: {value}{end}\r\n").ok()?;
        }
    }
    for (name, value) in &answer.headers {
        write!(out, "{name}: {value}\r\n").ok()?;
    }
    out.push_str("Content-Length: 0\r\n\r\n");
    (out.len() <= BYTES_MAX).then(|| out.into_bytes())
}

/// The topmost `Via` with where the request really came from (§18.2.1, RFC 3581 §4).
fn received(via: &str, source: SocketAddr) -> String {
    let (first, others) = match via.split_once(',') {
        Some((first, others)) => (first, Some(others)),
        None => (via, None),
    };
    let mut parts = first.split(';');
    let mut out = parts.next().unwrap_or_default().trim_end().to_owned();
    for parameter in parts {
        let name = parameter.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            // Only we may say these.
            "received" => {}
            "rport" => out.push_str(&format!(";rport={}", source.port())),
            _ => {
                out.push(';');
                out.push_str(parameter.trim());
            }
        }
    }
    out.push_str(&format!(";received={}", source.ip().to_canonical()));
    if let Some(others) = others {
        out.push(',');
        out.push_str(others);
    }
    out
}
