//! The situations of RFC 4475 §3.1 to §3.3 and RFC 5118 §4, with messages of our own.

mod properties;
mod refused;

use std::borrow::Cow;

use super::*;

/// A well-formed request in lines, to be bent in one place.
#[derive(Clone)]
struct Request {
    start: String,
    headers: Vec<String>,
    body: &'static str,
}

impl Request {
    fn new(method: &str) -> Self {
        let headers = [
            "Via: SIP/2.0/UDP 198.51.100.2:5060;rport;branch=z9hG4bK-1",
            "Max-Forwards: 70",
            "From: \"Ann\" <sip:ann@far.example>;tag=a1",
            "To: <sip:100@pbx.example>",
            "Call-ID: 77@198.51.100.2",
        ];
        let mut headers: Vec<String> = headers.map(str::to_owned).to_vec();
        headers.push(format!("CSeq: 1 {method}"));
        headers.push("Contact: <sip:ann@198.51.100.2>".to_owned());
        headers.push("Content-Length: 0".to_owned());
        Self { start: format!("{method} sip:100@pbx.example SIP/2.0"), headers, body: "" }
    }
    fn start(mut self, line: &str) -> Self {
        self.start = line.to_owned();
        self
    }
    /// Replaces the header of this name, or adds it.
    fn with(mut self, header: &str) -> Self {
        let name = header.split(':').next().unwrap();
        match self.headers.iter_mut().find(|h| h.split(':').next() == Some(name)) {
            Some(old) => *old = header.to_owned(),
            None => self.headers.push(header.to_owned()),
        }
        self
    }
    fn also(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }
    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|h| !h.starts_with(name));
        self
    }
    fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self.with(&format!("Content-Length: {}", body.len()))
    }
    fn text(&self) -> String {
        format!("{}\r\n{}\r\n\r\n{}", self.start, self.headers.join("\r\n"), self.body)
    }
    fn checked(&self) -> Checked<'static> {
        look(self.text().as_bytes())
    }
    fn status(&self) -> u16 {
        status(&self.checked())
    }
}

fn look(raw: &[u8]) -> Checked<'static> {
    match check(raw, Carrier::Datagram, &DIALECT) {
        Checked::Fine(bytes) => Checked::Fine(Cow::Owned(bytes.into_owned())),
        Checked::KeepAlive => Checked::KeepAlive,
        Checked::Answer(answer) => Checked::Answer(answer),
        Checked::Drop(why) => Checked::Drop(why),
    }
}

/// 200: let through; 0: dropped.
fn status(checked: &Checked<'_>) -> u16 {
    match checked {
        Checked::Fine(_) => 200,
        Checked::Answer(answer) => answer.status,
        Checked::KeepAlive | Checked::Drop(_) => 0,
    }
}

fn fine(checked: Checked<'_>) -> String {
    match checked {
        Checked::Fine(bytes) => String::from_utf8(bytes.into_owned()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn response(start: &str) -> Vec<u8> {
    Request::new("OPTIONS").start(start).text().into_bytes()
}

#[test]
fn an_ordinary_request_passes_untouched() {
    let text = Request::new("INVITE").text();
    assert!(matches!(check(text.as_bytes(), Carrier::Datagram, &DIALECT), Checked::Fine(Cow::Borrowed(_))));
    assert!(matches!(check(text.as_bytes(), Carrier::Stream, &DIALECT), Checked::Fine(Cow::Borrowed(_))));
}

/// SIP-06, RFC 4475 §3.1.1.1: folded lines, compact names and blanks around separators mean what they always mean.
#[test]
fn a_tortuous_invite_passes_in_its_plain_form() {
    let invite = "INVITE sip:100@pbx.example;unknownparam SIP/2.0\r\nTO :\r\n sip:100@pbx.example ;   tag    = b2\r\n\
        from   : \"A \\\\\\\"\"       <sip:ann@far.example>\r\n  ;\r\n  tag = a1\r\nMaX-fOrWaRdS: 0068\r\n\
        i: x.77@198.51.100.2\r\nl   : 4\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    \
        198.51.100.2;branch=z9hG4bK390\r\ns :\r\nNewFangled:   new\r\n continued ;;,,;\r\n\
        v:  SIP  / 2.0  / TCP     hop.example   ;\r\n  branch  =   z9hG4bK9 ,\r\n SIP  /    2.0   / UDP  192.0.2.1 \
        : 5060  ; branch=\r\n z9hG4bK30\r\nm:\"Quoted  string ; \\\"\\\"\" <sip:ann@198.51.100.2> ; newparam =\r\n      \
        newvalue ;\r\n  secondparam ; q = 0.33\r\nc: application/sdp\r\n\r\nv=0\n";
    let plain = fine(look(invite.as_bytes()));
    for line in [
        "TO: sip:100@pbx.example;tag=b2",
        "from: \"A \\\\\\\"\" <sip:ann@far.example>;tag=a1",
        "cseq: 0009 INVITE",
        "Via: SIP/2.0/UDP 198.51.100.2;branch=z9hG4bK390",
        "v: SIP/2.0/TCP hop.example;branch=z9hG4bK9,SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK30",
        "m: \"Quoted  string ; \\\"\\\"\" <sip:ann@198.51.100.2>;newparam=newvalue;secondparam;q=0.33",
        "NewFangled: new continued ;;,,;",
    ] {
        assert!(plain.lines().any(|l| l == line), "{line}\n{plain}");
    }
    assert_eq!(fine(look(plain.as_bytes())), plain, "the plain form is its own plain form");
}

#[test]
fn a_blank_before_the_colon_alone_is_taken_out() {
    let text = Request::new("OPTIONS").with("Call-ID : 5@far.example").without("Call-ID: ").text();
    assert_eq!(fine(look(text.as_bytes())), text.replace("Call-ID :", "Call-ID:"));
}

/// SIP-06, RFC 4475 §3.1.1: rare but right.
#[test]
fn unusual_but_valid_requests_pass() {
    let options = Request::new("OPTIONS");
    let unusual = [
        // 3.1.1.3, 3.1.1.4, 3.1.1.5: escapes, NUL among them, and what only looks like one.
        options.clone().start("OPTIONS sip:sips%3Auser%40example.com@pbx.example SIP/2.0"),
        options.clone().start("OPTIONS sip:null-%00-null@pbx.example SIP/2.0"),
        // 3.1.1.6: no blank between name and address.
        options.clone().with("From: caller<sip:ann@far.example>;tag=a1"),
        // 3.1.1.7: long values.
        options.clone().with(&format!("From: \"{}\" <sip:ann@far.example>;tag=a1", "x".repeat(2_000))),
        // 3.1.1.9: parameters in the user part.
        options.clone().start("OPTIONS sip:user;par=u%40example.net@pbx.example SIP/2.0"),
        // 3.1.1.10: transports nobody has.
        options
            .clone()
            .also("Via: SIP/2.0/SCTP a.example;branch=z9hG4bK2, SIP/2.0/UNKNOWN b.example;branch=z9hG4bK3"),
        // 3.3.11: Max-Forwards 0 forbids passing on, not answering.
        options.clone().with("Max-Forwards: 0"),
        // 3.3.12 to 3.3.14: parameters of contacts, escaped headers in their URIs.
        options.clone().with("Contact: sip:+1972@gw1.example.net;unknownparam"),
        options.clone().with("Contact: <sip:ann@far.example?Route=%3Csip:proxy.example%3E>"),
        // 3.3.4: schemes of other worlds in To and From.
        options.clone().with("To: isbn:2983792873").with("From: <http://www.example.com>;tag=3234233"),
        // A date that no calendar knows is no reason to refuse (3.1.2.12 leaves it open).
        options.clone().also("Date: Fri, 01 Jan 2010 16:00:00 EST"),
        options.clone().without("Max-Forwards"),
        options.clone().without("Content-Length"),
        options.clone().start("OPTIONS tel:+49-30-1234;phone-context=x SIP/2.0"),
    ];
    for request in unusual {
        assert_eq!(request.status(), 200, "{:?}\n{}", request.checked(), request.text());
    }
    for start in ["SIP/2.0 200 OK", "SIP/2.0 100 ", "SIP/2.0 200 = 2**3 * 5**2 но сто"] {
        assert_eq!(status(&look(&response(start))), 200, "3.1.1.12, 3.1.1.13: {start}");
    }
}

/// SIP-06, RFC 4475 §3.1.1.8: two requests in one datagram are one request and litter.
#[test]
fn what_follows_the_body_in_a_datagram_is_cut_off() {
    let mut text = Request::new("OPTIONS").text();
    let alone = text.clone();
    text.push_str(&Request::new("INVITE").text());
    assert_eq!(fine(look(text.as_bytes())), alone);
}

/// SIP-06, RFC 5118 §4: IPv6 where it may stand.
#[test]
fn ipv6_references_pass() {
    let o = || Request::new("REGISTER");
    for request in [
        o().start("REGISTER sip:[2001:db8::10] SIP/2.0"),
        o().start("REGISTER sip:[2001:db8::10:5070] SIP/2.0"),
        o().start("REGISTER sip:[2001:db8::10]:5070 SIP/2.0"),
        o().start("REGISTER sip:[::ffff:192.0.2.10] SIP/2.0"),
        o().with("Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3"),
        o().with("Via: SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255;branch=z9hG4bKas3"),
        o().with("Call-ID: SSG95523997077@[2001:db8::1]"),
        o().with("Contact: \"Caller\" <sip:caller@[2001:db8::1]>"),
    ] {
        assert_eq!(request.status(), 200, "{:?}", request.checked());
    }
}
