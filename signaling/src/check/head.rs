//! Takes a message apart into start line, headers and body, within bounds.

use super::{HEADERS_MAX, LINE_MAX};

/// A message in its parts.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub start: &'a str,
    pub headers: Vec<Header>,
    pub body: &'a [u8],
    /// What is wrong with a header; the rest could be read, so that the request can be answered.
    pub fault: Option<&'static str>,
}

/// A header, unfolded.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// As written, without blanks.
    pub written: String,
    /// In lower case and long form.
    pub name: String,
    /// Without blanks at its ends.
    pub value: String,
    /// It was folded, or had blanks before the colon.
    pub odd: bool,
}

impl<'a> Head<'a> {
    /// Takes a message apart; `None` when not even a start line is there.
    pub fn read(raw: &'a [u8]) -> Option<Self> {
        let blank = raw.windows(4).position(|w| w == b"\r\n\r\n");
        let (head, body) = match blank {
            Some(at) => (raw.get(..at)?, raw.get(at + 4..)?),
            None => (raw.strip_suffix(b"\r\n").unwrap_or(raw), [].as_slice()),
        };
        let mut fault = blank.is_none().then_some("No Empty Line After the Headers");
        let mut lines = split_crlf(head);
        let start = std::str::from_utf8(lines.next()?).ok()?;
        if start.bytes().any(|b| b.is_ascii_control()) || start.len() > LINE_MAX {
            return None;
        }
        let mut headers: Vec<Header> = Vec::new();
        for line in lines {
            if let Err(why) = add(&mut headers, line) {
                fault = fault.or(Some(why));
                // What comes after the bounds is not looked at.
                if headers.len() >= HEADERS_MAX {
                    break;
                }
            }
        }
        Some(Self { start, headers, body, fault })
    }

    /// All values of a header, in order; not split at commas.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.headers.iter().filter(move |h| h.name == name).map(|h| h.value.as_str())
    }
    /// The value of a header that must not come twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, ()> {
        let mut all = self.headers.iter().filter(|h| h.name == name);
        let first = all.next().map(|h| h.value.as_str());
        if all.next().is_some() { Err(()) } else { Ok(first) }
    }
}

fn split_crlf(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(head);
    std::iter::from_fn(move || {
        let text = rest?;
        match text.windows(2).position(|w| w == b"\r\n") {
            Some(at) => {
                rest = text.get(at + 2..);
                text.get(..at)
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

fn add(headers: &mut Vec<Header>, line: &[u8]) -> Result<(), &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "Header Is Not UTF-8")?;
    if has_control(text) {
        return Err("Control Character in Header");
    }
    if text.starts_with([' ', '\t']) {
        let last = headers.last_mut().ok_or("Folded Line Before the First Header")?;
        if last.value.len() + text.len() > LINE_MAX {
            return Err("Header Too Long");
        }
        last.odd = true;
        let separator = if last.value.is_empty() { "" } else { " " };
        last.value.push_str(separator);
        last.value.push_str(text.trim_matches([' ', '\t']));
        return Ok(());
    }
    if headers.len() >= HEADERS_MAX {
        return Err("Too Many Headers");
    }
    if text.len() > LINE_MAX {
        return Err("Header Too Long");
    }
    let (name, value) = text.split_once(':').ok_or("Header Without a Colon")?;
    // Only blanks may stand before the colon: anything else is a name that somebody else would read differently.
    let written = name.trim_end_matches([' ', '\t']);
    if !is_token(written) {
        return Err("Header Name Is Not a Token");
    }
    headers.push(Header {
        written: written.to_owned(),
        name: long_name(&written.to_ascii_lowercase()).to_owned(),
        value: value.trim_matches([' ', '\t']).to_owned(),
        odd: written.len() != name.len(),
    });
    Ok(())
}

/// Control characters are allowed only where a backslash takes away their meaning (quoted-pair, §25.1).
fn has_control(text: &str) -> bool {
    let mut before = 0;
    text.bytes().any(|b| {
        let bad = b.is_ascii_control() && b != b'\t' && (before != b'\\' || matches!(b, b'\r' | b'\n'));
        before = b;
        bad
    })
}

/// A token (RFC 3261 §25.1).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

/// The long form of a compact header name, from the registry of header fields.
fn long_name(name: &str) -> &str {
    match name {
        "a" => "accept-contact",
        "b" => "referred-by",
        "c" => "content-type",
        "d" => "request-disposition",
        "e" => "content-encoding",
        "f" => "from",
        "i" => "call-id",
        "j" => "reject-contact",
        "k" => "supported",
        "l" => "content-length",
        "m" => "contact",
        "n" => "identity-info",
        "o" => "event",
        "r" => "refer-to",
        "s" => "subject",
        "t" => "to",
        "u" => "allow-events",
        "v" => "via",
        "x" => "session-expires",
        "y" => "identity",
        long => long,
    }
}
