//! The order of looking: what is wrong first decides the answer.

use std::borrow::Cow;

use super::head::{Head, is_token};
use super::rules::{body_length, common};
use super::uri::{BadUri, parse_sip_uri};
use super::{Answer, Carrier, Checked, DATAGRAM_MAX, Dialect, STREAM_MAX};

pub(super) fn check<'a>(raw: &'a [u8], carrier: Carrier, dialect: &Dialect) -> Checked<'a> {
    // Line breaks before a message are allowed (RFC 3261 §7.5), alone they keep a NAT open.
    let message = raw.trim_ascii_start();
    let leading = raw.len() - message.len();
    if raw.iter().take(leading).any(|b| !matches!(b, b'\r' | b'\n')) {
        return Checked::Drop("blanks before the message");
    }
    if message.is_empty() || message.iter().all(|b| *b == 0) {
        return Checked::KeepAlive;
    }
    let most = match carrier {
        Carrier::Datagram => DATAGRAM_MAX,
        Carrier::Stream => STREAM_MAX,
    };
    let Some(head) = Head::read(message.get(..most).unwrap_or(message)) else {
        return Checked::Drop("no start line");
    };
    if head.start.starts_with("SIP/") {
        return response(message, &head, carrier, most);
    }
    let Some(method) = request_line(&head) else { return Checked::Drop("not SIP") };
    // An answer finds its way by Via alone; an ACK has none (§17).
    match request(message, &head, method, carrier, dialect, most) {
        Ok(plain) => Checked::Fine(plain),
        Err(answer) if method == "ACK" => Checked::Drop(answer.reason),
        Err(answer) if head.all("via").next().is_none() => Checked::Drop(answer.reason),
        Err(answer) => Checked::Answer(answer),
    }
}

/// The method, if the start line is meant as a request: its last word names SIP.
fn request_line<'h>(head: &Head<'h>) -> Option<&'h str> {
    let version = head.start.trim_end_matches(' ').rsplit(' ').next()?;
    let method = head.start.split(' ').next()?;
    (version.get(..4)?.eq_ignore_ascii_case("SIP/") && is_token(method)).then_some(method)
}

fn request<'a>(
    message: &'a [u8],
    head: &Head<'_>,
    method: &str,
    carrier: Carrier,
    dialect: &Dialect,
    most: usize,
) -> Result<Cow<'a, [u8]>, Answer> {
    if message.len() > most {
        return Err(Answer::new(513, "Message Too Large"));
    }
    let words: Vec<&str> = head.start.split(' ').collect();
    let version = head.start.trim_end_matches(' ').rsplit(' ').next().unwrap_or_default();
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        let digits = version.get(4..).unwrap_or_default();
        let known_form = digits
            .split_once('.')
            .is_some_and(|(major, minor)| super::rules::is_digits(major) && super::rules::is_digits(minor));
        return Err(if known_form {
            Answer::new(505, "Version Not Supported")
        } else {
            Answer::bad("Bad Version")
        });
    }
    let [_, uri, _] = words.as_slice() else { return Err(Answer::bad("Bad Request-Line")) };
    common(head, Some(method)).map_err(Answer::bad)?;
    let length = body_length(head, carrier == Carrier::Stream).map_err(Answer::bad)?;
    request_uri(uri)?;
    if !dialect.methods.contains(&method) {
        let mut answer = Answer::new(405, "Method Not Allowed");
        answer.headers.push(("Allow", dialect.methods.join(", ")));
        return Err(answer);
    }
    extensions(head, method, dialect)?;
    if method == "INVITE" {
        invite(head, length)?;
    }
    Ok(plain(message, head, length))
}

fn request_uri(uri: &str) -> Result<(), Answer> {
    match parse_sip_uri(uri) {
        // Headers there would be put into a request on somebody else's behalf (RFC 4475 §3.1.2.11).
        Ok(parts) if parts.headers.is_some() => Err(Answer::bad("Headers in Request-URI")),
        Ok(_) => Ok(()),
        Err(BadUri::OtherScheme) if tel(uri) => Ok(()),
        Err(BadUri::OtherScheme) if uri.bytes().all(|b| b > b' ' && !b"<>\"".contains(&b)) => {
            Err(Answer::new(416, "Unsupported URI Scheme"))
        }
        Err(_) => Err(Answer::bad("Bad Request-URI")),
    }
}

/// `tel:` comes from some carriers (RFC 3966).
fn tel(uri: &str) -> bool {
    uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"))
        && uri.get(4..).is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.()*#;=%:_~!'".contains(&b))
        })
}

/// Option tags we do not have end the request (§8.2.2.3), except where it cannot be answered so.
fn extensions(head: &Head<'_>, method: &str, dialect: &Dialect) -> Result<(), Answer> {
    if matches!(method, "ACK" | "CANCEL") {
        return Ok(());
    }
    let tags =
        head.all("require").flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    let unknown: Vec<&str> =
        tags.filter(|tag| !dialect.options.iter().any(|known| known.eq_ignore_ascii_case(tag))).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    if !unknown.iter().all(|tag| is_token(tag)) {
        return Err(Answer::bad("Bad Require"));
    }
    let mut answer = Answer::new(420, "Bad Extension");
    answer.headers.push(("Unsupported", unknown.join(", ")));
    Err(answer)
}

fn invite(head: &Head<'_>, length: usize) -> Result<(), Answer> {
    use super::address::{Contacts, parse_contacts};
    // The dialog would have no target (§8.1.1.8).
    let contact = head.one("contact").ok().flatten().and_then(|value| parse_contacts(value).ok());
    match contact {
        Some(Contacts::List(all)) if all.len() == 1 => {}
        _ => return Err(Answer::bad("INVITE Needs One Contact")),
    }
    let kind = head.all("content-type").next().unwrap_or("application/sdp");
    let kind = kind.split(';').next().unwrap_or(kind).trim().to_ascii_lowercase();
    let kind: String = kind.chars().filter(|c| !matches!(c, ' ' | '\t')).collect();
    let optional = || {
        let disposition = head.all("content-disposition").next().unwrap_or_default().to_ascii_lowercase();
        disposition.replace([' ', '\t'], "").contains("handling=optional")
    };
    if length > 0 && kind != "application/sdp" && !kind.starts_with("multipart/") && !optional() {
        let mut answer = Answer::new(415, "Unsupported Media Type");
        answer.headers.push(("Accept", "application/sdp".to_owned()));
        return Err(answer);
    }
    Ok(())
}

fn response<'a>(message: &'a [u8], head: &Head<'_>, carrier: Carrier, most: usize) -> Checked<'a> {
    let looked = || -> Result<usize, &'static str> {
        if message.len() > most {
            return Err("too long");
        }
        let rest =
            head.start.get(..8).filter(|v| v.eq_ignore_ascii_case("SIP/2.0 ")).and(head.start.get(8..));
        let code = rest.and_then(|rest| rest.split(' ').next()).ok_or("another version")?;
        if code.len() != 3 || !code.parse::<u16>().is_ok_and(|code| (100..700).contains(&code)) {
            return Err("status code out of range");
        }
        common(head, None)?;
        // It went through us: that is another element's response, or one that was sent astray (§8.1.3.3).
        if head.all("via").map(values).sum::<usize>() != 1 {
            return Err("more than one Via in a response");
        }
        body_length(head, carrier == Carrier::Stream)
    };
    match looked() {
        Ok(length) => Checked::Fine(plain(message, head, length)),
        Err(why) => Checked::Drop(why),
    }
}

/// How many values stand between commas, outside of quotes.
fn values(value: &str) -> usize {
    outside(value).filter(|(_, c)| *c == ',').count() + 1
}

/// The characters outside of quoted strings and angle brackets.
fn outside(value: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    value.char_indices().filter(move |(_, c)| {
        let inside = quoted || bracketed;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if !bracketed => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => {}
        }
        !inside && !quoted && !bracketed
    })
}

/// The message in its plain form: headers on one line each, no blanks around separators where dialogs are made of
/// them, nothing behind the body.
fn plain<'a>(message: &'a [u8], head: &Head<'_>, length: usize) -> Cow<'a, [u8]> {
    let mut changed = length != head.body.len();
    let values: Vec<Cow<'_, str>> = head
        .headers
        .iter()
        .map(|header| {
            changed |= header.odd;
            let separators: &[u8] = match header.name.as_str() {
                "via" => b";=,/:",
                "from" | "to" | "contact" | "route" | "record-route" | "path" | "refer-to" => b";=,",
                "cseq" => b"",
                _ => return Cow::Borrowed(header.value.as_str()),
            };
            let squeezed = squeeze(&header.value, separators);
            changed |= squeezed != header.value;
            Cow::Owned(squeezed)
        })
        .collect();
    if !changed {
        return Cow::Borrowed(message);
    }
    let mut out = Vec::with_capacity(message.len());
    out.extend(head.start.as_bytes());
    out.extend(b"\r\n");
    for (header, value) in head.headers.iter().zip(values) {
        out.extend(header.written.as_bytes());
        out.extend(b": ");
        out.extend(value.as_bytes());
        out.extend(b"\r\n");
    }
    out.extend(b"\r\n");
    out.extend(head.body.get(..length).unwrap_or(head.body));
    Cow::Owned(out)
}

/// Takes out blanks beside separators and doubled blanks, outside of quotes and brackets.
fn squeeze(value: &str, separators: &[u8]) -> String {
    let mut open = outside(value).map(|(at, _)| at).peekable();
    let mut out = String::with_capacity(value.len());
    // A run of blanks waits here until it is known what follows it.
    let (mut pending, mut after_separator) = (false, true);
    for (at, c) in value.char_indices() {
        let free = open.next_if_eq(&at).is_some();
        if free && matches!(c, ' ' | '\t') {
            pending = true;
            continue;
        }
        let separator = free && u8::try_from(c).is_ok_and(|b| separators.contains(&b));
        if pending && !separator && !after_separator {
            out.push(' ');
        }
        (pending, after_separator) = (false, separator);
        out.push(c);
    }
    out
}
