//! The rules that single headers must keep, whoever sent them.

use super::VIA_MAX;
use super::address::{Contacts, Scan, parse_address, parse_contacts};
use super::head::{Head, is_token};
use super::uri::host_port;

/// Headers that a message has once at most (RFC 3261 §7.3.1: all that are no comma-separated list).
const SINGLE: &[&str] = &[
    "from",
    "to",
    "call-id",
    "cseq",
    "max-forwards",
    "content-length",
    "content-type",
    "expires",
    "date",
    "timestamp",
    "subject",
    "min-expires",
    "session-expires",
    "min-se",
    "event",
    "refer-to",
    "referred-by",
    "replaces",
    "rseq",
    "rack",
    "identity-info",
    "user-agent",
    "organization",
    "priority",
];

type Fault = Result<(), &'static str>;

/// What a request and a response must both keep. `method`: that of the start line, for a request.
pub(super) fn common(head: &Head<'_>, method: Option<&str>) -> Fault {
    if let Some(why) = head.fault {
        return Err(why);
    }
    for name in SINGLE {
        head.one(name).map_err(|()| "Header That Must Be Single Comes Twice")?;
    }
    via(head)?;
    let from = head.all("from").next().ok_or("Missing From")?;
    let from = parse_address(from).map_err(|_| "Bad From")?;
    // Without it there is no dialog (§8.1.1.3); RFC 2543 clients, which had none, died out.
    from.parameter("tag").filter(|tag| is_token(tag)).ok_or("Missing From Tag")?;
    let to = parse_address(head.all("to").next().ok_or("Missing To")?).map_err(|_| "Bad To")?;
    if to.parameter("tag").is_some_and(|tag| !is_token(tag)) {
        return Err("Bad To Tag");
    }
    let call_id = head.all("call-id").next().ok_or("Missing Call-ID")?;
    if call_id.is_empty() || call_id.bytes().any(|b| b <= b' ') {
        return Err("Bad Call-ID");
    }
    cseq(head.all("cseq").next().ok_or("Missing CSeq")?, method)?;
    bounded(head, "max-forwards", 255, "Bad Max-Forwards")?;
    bounded(head, "expires", u64::from(u32::MAX), "Bad Expires")?;
    bounded(head, "min-expires", u64::from(u32::MAX), "Bad Min-Expires")?;
    for value in head.all("contact") {
        if let Contacts::List(all) = parse_contacts(value).map_err(|_| "Bad Contact")? {
            let expires = all.iter().filter_map(|c| c.parameter("expires"));
            // The numbers are taken as they are: a phone that asks for ten years is told an hour.
            if expires.into_iter().any(|text| !is_digits(text)) {
                return Err("Bad Contact Expires");
            }
        }
    }
    Ok(())
}

/// `Content-Length` against what is there; how many octets of the body count.
pub(super) fn body_length(head: &Head<'_>, stream: bool) -> Result<usize, &'static str> {
    match head.all("content-length").next() {
        None if stream => Err("Missing Content-Length"),
        None => Ok(head.body.len()),
        Some(text) if is_digits(text) => match text.parse::<usize>() {
            // A datagram may hold more than its message; the rest is nobody's (§18.3, RFC 4475 §3.1.1.8).
            Ok(length) if length <= head.body.len() => Ok(length),
            _ => Err("Content-Length Larger Than the Body"),
        },
        Some(_) => Err("Bad Content-Length"),
    }
}

/// Number of `Via` values, each well-formed.
pub(super) fn via(head: &Head<'_>) -> Fault {
    let mut count = 0;
    for value in head.all("via") {
        let mut scan = Scan(value);
        loop {
            one_via(&mut scan)?;
            count += 1;
            if count > VIA_MAX {
                return Err("Too Many Via");
            }
            scan.blanks();
            if scan.0.is_empty() {
                break;
            }
            if !scan.take(',') {
                return Err("Bad Via");
            }
        }
    }
    if count == 0 { Err("Missing Via") } else { Ok(()) }
}

/// `SIP / 2.0 / UDP host[:port] ;parameters`, blanks allowed around slashes and colon (§20.42).
fn one_via(scan: &mut Scan<'_>) -> Fault {
    const BAD: &str = "Bad Via";
    for (part, wanted) in [(0, Some("SIP")), (1, Some("2.0")), (2, None)] {
        scan.blanks();
        let word = scan.until(&['/', ' ', '\t', ',', ';']);
        if !is_token(word) || wanted.is_some_and(|w| !w.eq_ignore_ascii_case(word)) {
            return Err(BAD);
        }
        scan.blanks();
        if part < 2 && !scan.take('/') {
            return Err(BAD);
        }
    }
    let place = scan.until(&[';', ',']);
    let place: String = place.chars().filter(|c| !matches!(c, ' ' | '\t')).collect();
    host_port(&place).map_err(|_| BAD)?;
    let parameters = scan.parameters().map_err(|_| BAD)?;
    let branch = parameters.iter().find(|(name, _)| name == "branch").and_then(|(_, value)| value.as_deref());
    match branch {
        // The magic cookie alone names no transaction (RFC 4475 §3.2.1).
        Some(branch) if !is_token(branch) || branch.eq_ignore_ascii_case("z9hG4bK") => Err("Bad Via Branch"),
        _ => Ok(()),
    }
}

/// `number method`; the number below 2^31 (§8.1.1.5).
fn cseq(value: &str, method: Option<&str>) -> Fault {
    let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    let number = words.next().filter(|text| is_digits(text)).ok_or("Bad CSeq")?;
    let named = words.next().filter(|word| is_token(word)).ok_or("Bad CSeq")?;
    if words.next().is_some() {
        return Err("Bad CSeq");
    }
    if number.parse::<u64>().ok().is_none_or(|n| n >= 1 << 31) {
        return Err("CSeq Number Too Large");
    }
    match method {
        // Methods are compared with case (§7.1).
        Some(method) if method != named => Err("CSeq Method Differs From Request"),
        _ => Ok(()),
    }
}

fn bounded(head: &Head<'_>, name: &str, most: u64, why: &'static str) -> Fault {
    match head.all(name).next() {
        None => Ok(()),
        Some(text) if is_digits(text) && text.parse::<u64>().is_ok_and(|n| n <= most) => Ok(()),
        Some(_) => Err(why),
    }
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
