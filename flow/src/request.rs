//! What a system is asked, and what its answer says to the flow.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::address::Address;
use crate::graph::{Http, Method};
use crate::template::{Template, VALUE_MAX};

/// A look-up that takes longer counts as one that found nothing.
pub const LOOK_UP_MAX: Duration = Duration::from_secs(5);
/// Longest answer that is looked at, in octets.
pub const ANSWER_MAX: usize = 64 * 1024;

/// A request to a system of the operator.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// Comes back with the reply.
    pub number: u32,
    /// How.
    pub method: Method,
    /// By TLS.
    pub secure: bool,
    /// A name or an address, in lower case; IPv6 without brackets.
    pub host: String,
    /// Where.
    pub port: u16,
    /// Path and query, escaped.
    pub path: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// Header fields whose value is a secret of this name.
    pub secrets: Vec<(String, String)>,
    /// JSON.
    pub body: Option<String>,
    /// The answer comes within this time or is too late.
    pub within: Duration,
    picks: BTreeMap<String, String>,
}

/// What a caller entered in secret may be in it: a log learns only where it goes.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, method, host, port, .. } = self;
        write!(f, "Request({number}, {} {host}:{port})", method.word())
    }
}

/// A key to be looked up in a table of the appliance.
#[derive(Clone, PartialEq, Eq)]
pub struct LookUp {
    /// Comes back with the reply.
    pub number: u32,
    /// By name.
    pub table: String,
    /// As the flow has it.
    pub key: String,
}

/// A key may have been entered in secret.
impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookUp({}, {})", self.number, self.table)
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The system answered, or the table: 200 with the values by the names of the columns, or 404.
    Answered {
        /// With this status.
        status: u16,
        /// What was picked, by the names of the values.
        values: BTreeMap<String, String>,
    },
    /// It could not be asked, or what it answered cannot be used.
    Failed,
    /// It did not answer in time.
    TimedOut,
}

impl Reply {
    /// A table has the key: values by the names of the columns.
    pub fn found(values: BTreeMap<String, String>) -> Self {
        Self::Answered { status: 200, values }
    }
    /// It has not.
    pub fn missing() -> Self {
        Self::Answered { status: 404, values: BTreeMap::new() }
    }
}

impl Request {
    /// The request of a step with values in their places; `None`: its address would be too long.
    pub(crate) fn of(http: &Http, number: u32, vars: &BTreeMap<String, String>) -> Option<Self> {
        let address = Address::parse(&http.url.0).ok()?;
        let filled =
            |text: &Template| text.fill(vars).chars().filter(|c| !c.is_control()).collect::<String>();
        let headers = http.headers.iter().map(|(name, text)| (name.clone(), filled(text)));
        let object = || http.body.iter().map(|(name, text)| (name.clone(), text.fill(vars).into()));
        Some(Self {
            number,
            method: http.method,
            secure: address.secure,
            path: address.path(vars)?,
            host: address.host,
            port: address.port,
            headers: headers.collect(),
            secrets: http.secret_headers.iter().map(|(name, of)| (name.clone(), of.clone())).collect(),
            body: (http.method == Method::Post).then(|| Value::Object(object().collect()).to_string()),
            within: Duration::from_secs(http.wait_s.into()),
            picks: http.picks.clone(),
        })
    }

    /// The whole address, for people.
    pub fn url(&self) -> String {
        let Self { secure, host, port, path, .. } = self;
        let (scheme, own) = if *secure { ("https", 443) } else { ("http", 80) };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let port = if *port == own { String::new() } else { format!(":{port}") };
        format!("{scheme}://{host}{port}{path}")
    }

    /// Picks out of an answer what the flow wants. One that is refused says nothing more than its status.
    pub fn read(&self, status: u16, body: &[u8]) -> Reply {
        if !(200..300).contains(&status) || self.picks.is_empty() {
            return Reply::Answered { status, values: BTreeMap::new() };
        }
        let Ok(body) = serde_json::from_slice::<Value>(body.get(..ANSWER_MAX).unwrap_or(body)) else {
            return Reply::Failed;
        };
        let pick = |(name, at): (&String, &String)| {
            let value = match body.pointer(at)? {
                Value::String(text) => text.chars().filter(|c| !c.is_control()).take(VALUE_MAX).collect(),
                Value::Bool(yes) => yes.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((name.clone(), value))
        };
        Reply::Answered { status, values: self.picks.iter().filter_map(pick).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let pick = |name: &str, at: &str| (name.to_owned(), at.to_owned());
        let http = Http {
            method: Method::Post,
            url: Template("https://crm.example/by/{pin}".into()),
            headers: BTreeMap::from([("X-Caller".into(), Template("{name}".into()))]),
            secret_headers: BTreeMap::from([("Authorization".into(), "crm".into())]),
            body: BTreeMap::from([("said".into(), Template("\"{name}\"".into()))]),
            picks: [pick("tier", "/customer/tier"), pick("debt", "/debts/0"), pick("all", "/customer")]
                .into(),
            status: None,
            secret: false,
            prompt: None,
            wait_s: 5,
            next: String::new(),
            failed: None,
            timeout: None,
        };
        let vars = [("pin", "0815"), ("name", "Eve\r\nHost: elsewhere")];
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Request::of(&http, 1, &vars).unwrap()
    }

    /// ROUTE-08: values fill address, header fields and body, and none of them adds a header field or a field of the body.
    #[test]
    fn values_are_filled_in_and_stay_values() {
        let request = request();
        assert_eq!(request.url(), "https://crm.example/by/0815");
        assert_eq!(request.headers, [("X-Caller".to_owned(), "EveHost: elsewhere".to_owned())]);
        assert_eq!(request.body.as_deref(), Some(r#"{"said":"\"Eve\r\nHost: elsewhere\""}"#));
        assert_eq!(format!("{request:?}"), "Request(1, POST crm.example:443)", "no value is in a log");
    }

    /// ROUTE-08: values are picked by pointer; what is not there, or is no single value, is not picked, and no answer is too odd.
    #[test]
    fn an_answer_is_read_in_bounds() {
        let request = request();
        let picked = |status, body: &[u8]| match request.read(status, body) {
            Reply::Answered { values, .. } => {
                values.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
            }
            other => format!("{other:?}"),
        };
        assert_eq!(picked(200, br#"{"customer":{"tier":"gold"},"debts":[12.5]}"#), "debt=12.5 tier=gold");
        assert_eq!(picked(204, br#"{"customer":null}"#), "");
        assert_eq!(picked(200, b"<html>"), "Failed");
        assert_eq!(picked(200, &b"[".repeat(60_000)), "Failed");
        assert_eq!(picked(404, b"<html>"), "", "what is said with a refusal is not looked at");
        let long = format!(r#"{{"customer":{{"tier":"{}"}}}}"#, "x\\n".repeat(9_999));
        assert_eq!(picked(200, long.as_bytes()).len(), "tier=".len() + VALUE_MAX);
    }
}
