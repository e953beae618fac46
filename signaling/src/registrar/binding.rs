//! One contact of one user, and when two contacts are the same.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Register;

/// One `Contact` of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The URI between the angle brackets.
    pub uri: String,
    /// Its `expires` parameter.
    pub expires: Option<u32>,
    /// Its `q` in thousandths, 0 to 1000; 1000 where none is said.
    pub q: u16,
}

/// Where a user can be reached, until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Whose contact this is.
    pub user: String,
    /// The contact's URI, as the phone wrote it: requests carry it so (RFC 3261 §16.6).
    pub uri: String,
    /// Preference in thousandths.
    pub q: u16,
    /// `Call-ID` of the REGISTER that last touched it.
    pub call_id: String,
    /// `CSeq` of that REGISTER.
    pub cseq: u32,
    /// Where that REGISTER came from.
    pub received: SocketAddr,
    /// How it came: `udp`, `tcp`, `tls`, `ws`, `wss`.
    pub transport: String,
    /// Proxies to go through (RFC 3327).
    pub path: Vec<String>,
    /// Since when the contact is known.
    pub since: Timestamp,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

impl Binding {
    pub(super) fn new(
        register: &Register,
        contact: &Contact,
        since: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            user: register.user.clone(),
            uri: contact.uri.clone(),
            q: contact.q.min(1_000),
            call_id: register.call_id.clone(),
            cseq: register.cseq,
            received: register.received,
            transport: register.transport.to_owned(),
            path: register.path.clone(),
            since,
            expires_at,
        }
    }

    /// What makes it this contact and no other.
    pub fn key(&self) -> String {
        contact_key(&self.uri)
    }

    /// How long it is still valid, rounded up: a phone told 0 would think itself gone.
    pub fn expires_in(&self, now: Timestamp) -> Duration {
        Duration::from_secs(self.expires_at.since(now).as_micros().div_ceil(1_000_000) as u64)
    }

    /// The value of a `Contact` header of the 200.
    pub fn contact_header(&self, now: Timestamp) -> String {
        let expires = self.expires_in(now).as_secs();
        let q = match self.q {
            1_000 => String::new(),
            q => format!(";q=0.{q:03}"),
        };
        format!("<{}>{q};expires={expires}", self.uri)
    }

    /// Where to send instead of where the contact says: the phone is behind NAT, or its contact is no public place.
    ///
    /// Connections are always used again, since nobody can connect to a browser or into a NAT. With a `Path` the
    /// proxy knows better, so there is no such place then.
    pub fn nat_target(&self) -> Option<SocketAddr> {
        let said =
            parts(&self.uri).and_then(|p| Some((p.host.parse::<IpAddr>().ok()?, p.port.unwrap_or(5_060))));
        let as_said = said == Some((self.received.ip(), self.received.port()));
        (self.path.is_empty() && !(self.transport == "udp" && as_said)).then_some(self.received)
    }
}

/// Contacts with the same key are the same contact: RFC 3261 §19.1.4 for what contacts are made of. The user part
/// counts by letter, host and scheme without case; of the parameters only `transport` and `maddr` say where to go.
pub fn contact_key(uri: &str) -> String {
    let Some(p) = parts(uri) else { return uri.to_owned() };
    let mut key = format!("{}:{}@{}", p.scheme.to_ascii_lowercase(), p.user, p.host.to_ascii_lowercase());
    if let Some(port) = p.port {
        key.push_str(&format!(":{port}"));
    }
    for name in ["transport", "maddr"] {
        let value = p.parameters.split(';').find_map(|parameter| {
            let (n, v) = parameter.split_once('=')?;
            n.eq_ignore_ascii_case(name).then(|| v.to_ascii_lowercase())
        });
        key.extend(value.map(|v| format!(";{name}={v}")));
    }
    key
}

struct Parts<'a> {
    scheme: &'a str,
    user: &'a str,
    host: &'a str,
    port: Option<u16>,
    parameters: &'a str,
}

fn parts(uri: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
        return None;
    }
    let rest = rest.split('?').next().unwrap_or(rest);
    let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (place, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => None,
        Some(port) => Some(port.parse().ok()?),
    };
    Some(Parts { scheme, user, host, port, parameters })
}
