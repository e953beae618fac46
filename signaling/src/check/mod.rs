//! Looks a SIP message over before the dialog layer sees it (RFC 3261 §7, §8.2; torture tests RFC 4475 and RFC 5118).
//!
//! The SIP library reads leniently: it takes garbage for a length, an unknown version for ours, a broken quote for a name.
//! What gets past this module is whole, bounded and means one thing. What does not is answered without keeping
//! anything ([`Answer`], [`answer_bytes`]) or dropped: a response, or an ACK, is never answered.
//! Forms that are allowed but rare (folded lines, white space around `;` and `=`) are written in the plain form
//! (RFC 4475 §3.1.1.1), because the library finds no tag in them.
//!
//! Not here: framing on streams (the library), who may send what ([`digest`](crate::digest), [`trunk`](crate::trunk)).

mod address;
mod answer;
mod head;
mod message;
mod rules;
#[cfg(test)]
mod tests;
mod uri;

pub use address::{Address, BadAddress, Contacts, Parameter, parse_address, parse_addresses, parse_contacts};
pub use answer::answer_bytes;
pub use uri::{BadUri, SipUri, parse_sip_uri};

use std::borrow::Cow;

/// Longest message in a datagram.
pub const DATAGRAM_MAX: usize = 64 * 1024;
/// Longest message on a stream.
pub const STREAM_MAX: usize = 256 * 1024;
/// Most header lines, folded ones counted once.
pub const HEADERS_MAX: usize = 200;
/// Longest header line after unfolding, name included.
pub const LINE_MAX: usize = 8 * 1024;
/// Most `Via` values: the highest `Max-Forwards` in use is 70.
pub const VIA_MAX: usize = 70;

/// How the message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// UDP, or one WebSocket message: the message ends where the packet ends.
    Datagram,
    /// TCP or TLS: only `Content-Length` says where the message ends.
    Stream,
}

/// What we speak; the rest is answered 405 and 420.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Methods, for `Allow`.
    pub methods: &'static [&'static str],
    /// Option tags (RFC 3261 §19.2), for `Require`.
    pub options: &'static [&'static str],
}

/// What the appliance speaks.
pub const DIALECT: Dialect = Dialect {
    methods: &[
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "INFO",
        "PRACK",
        "UPDATE",
        "REFER",
        "NOTIFY",
        "SUBSCRIBE",
        "REGISTER",
        "MESSAGE",
        "PUBLISH",
    ],
    options: &["100rel", "timer", "replaces", "path", "norefersub", "tdialog", "outbound"],
};

/// What a look at a message came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked<'a> {
    /// Give these bytes to the library: the message itself, or its plain form.
    Fine(Cow<'a, [u8]>),
    /// Line breaks only (RFC 5626 §4.4.1). On a stream, two of them are answered with one.
    KeepAlive,
    /// Answer without keeping anything.
    Answer(Answer),
    /// Say nothing; the words are for a counter or a debug log.
    Drop(&'static str),
}

/// A final response to a request that goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Reason phrase; says what is wrong, as §21.4.1 suggests.
    pub reason: &'static str,
    /// Headers that belong to this status.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(crate) const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason, headers: Vec::new() }
    }
    const fn bad(reason: &'static str) -> Self {
        Self::new(400, reason)
    }
}

/// Looks a message over.
pub fn check<'a>(raw: &'a [u8], carrier: Carrier, dialect: &Dialect) -> Checked<'a> {
    message::check(raw, carrier, dialect)
}
