//! Datagrams: a cookie, a space, a dictionary in bencode or JSON. The answer has the cookie and the encoding of the request.

pub mod bencode;
pub mod json;
mod replies;
#[cfg(test)]
mod tests;
mod value;

pub use replies::{Replies, Seen};
pub use value::{DEPTH_MAX, VALUES_MAX, Value, same_name};

/// Octets a cookie may have.
pub const COOKIE_MAX: usize = 255;
/// Octets of an answer: what one UDP datagram over IPv4 holds.
pub const ANSWER_MAX: usize = 65_507;

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bencode.
    Bencode,
    /// JSON.
    Json,
}

/// Takes a datagram apart; `None` when it has no cookie, which is not answered at all.
pub fn cookie(datagram: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = datagram.iter().take(COOKIE_MAX + 1).position(|octet| *octet == b' ')?;
    let (cookie, rest) = datagram.split_at_checked(end)?;
    (!cookie.is_empty()).then_some((cookie, rest.get(1..)?))
}

/// Reads the dictionary behind the cookie. The error is the text that proxies and log watchers know.
pub fn payload(octets: &[u8]) -> (Encoding, Result<Value, &'static str>) {
    let (encoding, read, broken) = match octets.first() {
        Some(b'd') => (Encoding::Bencode, bencode::read(octets), "Could not decode bencode dictionary"),
        Some(b'{') => (Encoding::Json, json::read(octets), "Failed to parse JSON document"),
        _ => return (Encoding::Bencode, Err("Invalid NG data format")),
    };
    (encoding, read.ok_or(broken))
}

/// The datagram of an answer. One that would not fit says so instead.
pub fn answer(cookie: &[u8], encoding: Encoding, value: &Value) -> Vec<u8> {
    let datagram = written(cookie, encoding, value);
    if datagram.len() <= ANSWER_MAX {
        return datagram;
    }
    written(cookie, encoding, &Value::error("The answer does not fit into a datagram"))
}

fn written(cookie: &[u8], encoding: Encoding, value: &Value) -> Vec<u8> {
    let mut out = cookie.to_vec();
    out.push(b' ');
    match encoding {
        Encoding::Bencode => bencode::write(value, &mut out),
        Encoding::Json => json::write(value, &mut out),
    }
    out
}
