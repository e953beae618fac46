//! Requests and responses as the rooms above see them: a method, headers by name, a body. No library type shows.

use std::fmt;

/// The methods we know (RFC 3261, 3262, 3311, 3515, 3428, 3903, 6086, 6665).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the method names of the RFCs")]
pub enum Method {
    Ack,
    Bye,
    Cancel,
    Info,
    Invite,
    Message,
    Notify,
    Options,
    Prack,
    Publish,
    Refer,
    Register,
    Subscribe,
    Update,
}

impl Method {
    /// As it stands in the request line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Info => "INFO",
            Self::Invite => "INVITE",
            Self::Message => "MESSAGE",
            Self::Notify => "NOTIFY",
            Self::Options => "OPTIONS",
            Self::Prack => "PRACK",
            Self::Publish => "PUBLISH",
            Self::Refer => "REFER",
            Self::Register => "REGISTER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Update => "UPDATE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The methods we act on, as `Allow` lists them.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO, REFER";

/// Header fields in their order. Names are compared without case; compact forms were expanded when the message was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }
    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
    /// The values of all fields of this name, one item a field: a field may hold a list.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
    /// The items of a comma-separated list over all fields of this name. Commas in quotes and angle brackets do not
    /// separate (RFC 3261 §7.3.1).
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).flat_map(|(_, v)| split_list(v)).collect()
    }
    /// Whether a list header such as `Supported` holds this token.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).iter().any(|item| item.eq_ignore_ascii_case(token))
    }
    fn cseq(&self) -> Option<u32> {
        self.get("CSeq")?.split_ascii_whitespace().next()?.parse().ok()
    }
    /// Adds a field at the end.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
    /// Adds a field at the end; for building in one expression.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }
    /// Puts another value into the first field of this name.
    pub fn replace(&mut self, name: &str, value: impl Into<String>) {
        if let Some((_, old)) = self.0.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            *old = value.into();
        }
    }
    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Request-URI.
    pub uri: String,
    /// Header fields.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

/// What we answer to a request; what every response carries (Via, From, To, Call-ID, CSeq) is added by the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 100 to 699.
    pub status: u16,
    /// Further header fields.
    pub headers: Headers,
    /// Session description, if any.
    pub sdp: Option<String>,
}

impl Reply {
    /// A bare status.
    pub const fn new(status: u16) -> Self {
        Self { status, headers: Headers::new(), sdp: None }
    }
    /// Adds a header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }
    /// Adds a session description.
    #[must_use]
    pub fn with_sdp(mut self, sdp: Option<String>) -> Self {
        self.sdp = sdp;
        self
    }
}

impl Request {
    /// The number of `CSeq`; `None` if it cannot be read.
    pub fn cseq(&self) -> Option<u32> {
        self.headers.cseq()
    }
    /// Takes the next number: the same request once more, as another one (RFC 3261 §22.2).
    pub fn count_up(&mut self) {
        if let Some(seq) = self.cseq() {
            self.headers.replace("CSeq", format!("{} {}", seq.saturating_add(1), self.method));
        }
    }
    /// The tag of `From`.
    pub fn from_tag(&self) -> Option<&str> {
        tag(self.headers.get("From")?)
    }
    /// The tag of `To`: present in every request within a dialog.
    pub fn to_tag(&self) -> Option<&str> {
        tag(self.headers.get("To")?)
    }
    /// `Call-ID`.
    pub fn call_id(&self) -> &str {
        self.headers.get("Call-ID").unwrap_or_default()
    }
    /// The session description in the body, if there is one. `multipart/mixed` is searched for its SDP part.
    pub fn sdp(&self) -> Option<String> {
        sdp_of(&self.headers, &self.body)
    }
}

impl Response {
    /// The number of `CSeq`: of the request that it answers; `None` if it cannot be read.
    pub fn cseq(&self) -> Option<u32> {
        self.headers.cseq()
    }
    /// The tag of `To`.
    pub fn to_tag(&self) -> Option<&str> {
        tag(self.headers.get("To")?)
    }
    /// The session description in the body, if there is one.
    pub fn sdp(&self) -> Option<String> {
        sdp_of(&self.headers, &self.body)
    }
}

/// The `tag` parameter of a `From` or `To` value: after the closing bracket, where parameters are the header's own
/// (RFC 3261 §20).
pub fn tag(value: &str) -> Option<&str> {
    parameter(after_address(value), "tag").filter(|tag| !tag.is_empty())
}

/// The parameters behind a name-addr or addr-spec.
pub fn after_address(value: &str) -> &str {
    let after_quotes = skip_quoted(value);
    match after_quotes.find('<') {
        Some(open) => after_quotes
            .get(open..)
            .and_then(|rest| rest.find('>').and_then(|close| rest.get(close + 1..)))
            .unwrap_or_default(),
        None => after_quotes.find(';').and_then(|at| after_quotes.get(at..)).unwrap_or_default(),
    }
}

/// A parameter of `;name=value;…`, without quotes. Empty for a flag.
pub fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|p| {
        let (n, v) = p.split_once('=').unwrap_or((p, ""));
        n.trim().eq_ignore_ascii_case(name).then(|| v.trim().trim_matches('"'))
    })
}

/// What follows a leading quoted display name.
fn skip_quoted(value: &str) -> &str {
    let Some(rest) = value.trim_start().strip_prefix('"') else { return value };
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return rest.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// The items of a comma-separated list.
fn split_list(value: &str) -> Vec<&str> {
    let (mut items, mut from, mut quoted, mut escaped, mut depth) = (Vec::new(), 0, false, false, 0u32);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => depth += 1,
            '>' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                items.push(value.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(value.get(from..).unwrap_or_default().trim());
    items.retain(|item| !item.is_empty());
    items
}

fn sdp_of(headers: &Headers, body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    let kind = headers.get("Content-Type")?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/sdp") {
        return Some(String::from_utf8_lossy(body).into_owned());
    }
    if !essence.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    // RFC 5621: each part has its own Content-Type; ours is the first that holds a session description.
    let boundary = parameter(kind, "boundary").filter(|b| !b.is_empty() && b.len() <= 70)?;
    let text = String::from_utf8_lossy(body);
    let delimiter = format!("--{boundary}");
    text.split(delimiter.as_str()).skip(1).take(16).find_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let is_sdp = head.lines().any(|line| {
            line.split_once(':').is_some_and(|(n, v)| {
                n.trim().eq_ignore_ascii_case("content-type")
                    && v.trim().to_ascii_lowercase().starts_with("application/sdp")
            })
        });
        is_sdp.then(|| content.strip_suffix("\r\n").unwrap_or(content).to_owned() + "\r\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_headers_own_parameter_not_the_uris() {
        assert_eq!(tag("\"A;tag=no\" <sip:a@b;tag=uri>;tag=x1"), Some("x1"));
        assert_eq!(tag("sip:a@b;tag=x2"), Some("x2"));
        assert_eq!(
            tag("<sip:a@b> ; tag = x3 ;y"),
            Some("x3"),
            "white space stands around ; and = (RFC 4475 3.1.1.1)"
        );
        assert_eq!(tag("<sip:a@b;tag=no>"), None);
        assert_eq!(tag("<sip:a@b>;tag="), None);
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        let headers = Headers::new()
            .with("Contact", "\"a, \\\"b\" <sip:a,b@c>;q=1, <sip:d@e>")
            .with("Contact", "sip:f@g");
        assert_eq!(headers.list("contact"), ["\"a, \\\"b\" <sip:a,b@c>;q=1", "<sip:d@e>", "sip:f@g"]);
        let supported = Headers::new().with("Supported", "100rel, Timer");
        assert!(supported.has_token("supported", "timer"));
    }

    #[test]
    fn the_sdp_of_a_multipart_body_is_found() {
        let headers = Headers::new().with("Content-Type", "multipart/mixed;boundary=\"x\"");
        let body = b"--x\r\nContent-Type: application/isup\r\n\r\n\x01\x02\r\n--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n--x--\r\n";
        assert_eq!(sdp_of(&headers, body).as_deref(), Some("v=0\r\ns=-\r\n"));
        assert_eq!(sdp_of(&Headers::new().with("Content-Type", "text/plain"), b"v=0"), None);
    }
}
