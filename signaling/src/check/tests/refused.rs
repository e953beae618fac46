//! What does not pass, and what its sender is told.

use super::*;

/// SIP-06, RFC 4475 §3.1.2: wrong requests are answered 400 and go no further.
#[test]
fn malformed_requests_are_answered_400() {
    let o = || Request::new("OPTIONS");
    let wrong = [
        ("3.1.2.1 stray separators", o().with("Via: SIP/2.0/UDP 192.0.2.15;;,;,,")),
        ("3.1.2.1 stray separators", o().with("Contact: \"Joe\" <sip:joe@example.org>;;;;")),
        ("3.1.2.2 length beyond the message", o().with("Content-Length: 9999")),
        ("3.1.2.3 negative length", o().with("Content-Length: -999")),
        ("3.1.2.4 CSeq beyond 2^31", o().with("CSeq: 36893488147419103232 OPTIONS")),
        ("CSeq at 2^31", o().with("CSeq: 2147483648 OPTIONS")),
        ("3.1.2.4 Max-Forwards above 255", o().with("Max-Forwards: 300")),
        ("3.1.2.6 unbalanced quote", o().with("To: \"Mr. J. User <sip:j.user@example.com>")),
        ("unbalanced quote", o().with("From: \"Ann\\\" <sip:ann@far.example>;tag=a1")),
        ("unbalanced quote", o().with("Contact: \"Ann <sip:ann@far.example>")),
        ("unbalanced bracket", o().with("To: <sip:100@pbx.example")),
        ("3.1.2.7 brackets around the Request-URI", o().start("OPTIONS <sip:100@pbx.example> SIP/2.0")),
        ("3.1.2.8 blank in the Request-URI", o().start("OPTIONS sip:100@pbx.example; lr SIP/2.0")),
        ("3.1.2.9 two blanks in the start line", o().start("OPTIONS  sip:100@pbx.example  SIP/2.0")),
        ("3.1.2.10 blanks at the end of the start line", o().start("OPTIONS sip:100@pbx.example SIP/2.0  ")),
        (
            "3.1.2.11 headers in the Request-URI",
            o().start("OPTIONS sip:100@pbx.example?Route=%3Csip:a%3E SIP/2.0"),
        ),
        (
            "3.1.2.13 URI with headers and no brackets",
            o().with("Contact: sip:u@a.example?Route=%3Csip:b.example%3E"),
        ),
        ("3.1.2.14 blanks in an address", o().with("To: \"Watson, Thomas\" < sip:t.watson@example.org >")),
        (
            "3.1.2.15 comma in a bare name",
            o().with("From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
        ),
        ("3.1.2.17 CSeq of another method", o().with("CSeq: 8 INVITE")),
        ("3.1.2.18 the same with an unknown one", Request::new("NEWMETHOD").with("CSeq: 8 INVITE")),
        ("3.2.1 branch that is only the cookie", o().with("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK")),
        ("3.3.1 no Call-ID", o().without("Call-ID")),
        ("3.3.1 no From", o().without("From")),
        ("3.3.1 no To", o().without("To")),
        ("3.3.1 no CSeq", o().without("CSeq")),
        ("no From tag", o().with("From: <sip:ann@far.example>")),
        ("3.3.8 two CSeq", o().also("CSeq: 59 OPTIONS")),
        ("3.3.8 two Call-ID", o().also("i: 98a")),
        ("3.3.8 two From", o().also("f: <sip:bob@far.example>;tag=5")),
        ("3.3.8 two To", o().also("t: <sip:200@pbx.example>")),
        ("3.3.8 two Max-Forwards", o().also("Max-Forwards: 5")),
        ("3.3.9 two Content-Length", o().also("l: 0")),
        ("garbage length", o().with("Content-Length: zero")),
        ("odd octet before the colon", o().also("X-Thing\u{b}: 1")),
        ("header without a name", o().also(": 1")),
        ("header without a colon", o().also("Nonsense")),
        ("lone line feed", o().also("Subject: a\nTo: <sip:b@c>")),
        ("broken escape", o().start("OPTIONS sip:%zz@pbx.example SIP/2.0")),
        ("host of nothing", o().start("OPTIONS sip:100@ SIP/2.0")),
        ("bad version", o().start("OPTIONS sip:100@pbx.example SIP/two")),
        ("INVITE without a contact", Request::new("INVITE").without("Contact")),
        ("5118 4.2 IPv6 without brackets", o().start("OPTIONS sip:2001:db8::10 SIP/2.0")),
        ("5118 4.2 IPv6 without brackets", o().with("Via: SIP/2.0/UDP 2001:db8::9:1;branch=z9hG4bK1")),
    ];
    for (case, request) in wrong {
        assert_eq!(request.status(), 400, "{case}: {:?}", request.checked());
    }
    let endless = Request::new("OPTIONS").text().replace("\r\n\r\n", "\r\n");
    assert_eq!(status(&look(endless.as_bytes())), 400, "no empty line");
}

/// SIP-06, RFC 4475 §3.1.2.16, §3.3.2, §3.3.3, §3.3.5, §3.3.6, §3.1.1.2: what we do not speak is told by its own status.
#[test]
fn what_we_do_not_speak_is_named_in_the_answer() {
    let o = || Request::new("OPTIONS");
    let answer = |request: &Request| match request.checked() {
        Checked::Answer(answer) => answer,
        other => panic!("{other:?}"),
    };
    let seven = o().start("OPTIONS sip:100@pbx.example SIP/7.0");
    assert_eq!(answer(&seven).status, 505);
    for scheme in ["nobodyKnowsThisScheme:totallyopaque", "soap.beep://192.0.2.103:3002"] {
        assert_eq!(answer(&o().start(&format!("OPTIONS {scheme} SIP/2.0"))).status, 416);
    }
    let required = answer(&o().also("Require: nothingSupportsThis, timer, norThis"));
    assert_eq!(
        (required.status, required.headers),
        (420, vec![("Unsupported", "nothingSupportsThis, norThis".into())])
    );
    let opaque = Request::new("INVITE").with("Content-Type: application/unknown").body("x");
    assert_eq!(
        (answer(&opaque).status, answer(&opaque).headers),
        (415, vec![("Accept", "application/sdp".into())])
    );
    assert_eq!(opaque.clone().also("Content-Disposition: x; handling = optional").status(), 200);
    for method in ["NEWMETHOD", "!interesting-Method0123456789_*+`.%indeed'~", "invite"] {
        let unknown = answer(&Request::new(method));
        assert_eq!(unknown.status, 405);
        assert!(
            unknown.headers.iter().any(|(name, value)| *name == "Allow" && value.starts_with("INVITE, ACK"))
        );
    }
    let quoted_controls = Request::new("NEWMETHOD").with("To: \"BEL:\\\u{7} DEL:\\\u{7f}\" <sip:a@b>");
    assert_eq!(quoted_controls.status(), 405, "a quoted pair may hold a control character");
}

/// SIP-06, RFC 4475 §3.1.2.5, §3.1.2.19, §3.3.10: bad responses are never answered.
#[test]
fn bad_responses_vanish() {
    for start in [
        "SIP/2.0 4294967301 better not",
        "SIP/2.0 99 low",
        "SIP/2.0 700 high",
        "SIP/7.0 200 OK",
        "SIP/2.0 +20 x",
    ] {
        assert_eq!(status(&look(&response(start))), 0, "{start}");
    }
    let o = || Request::new("OPTIONS").start("SIP/2.0 200 OK");
    for (case, response) in [
        ("3.1.2.5", o().with("CSeq: 9292394834772304023312 OPTIONS")),
        (
            "3.3.10 went to somebody else first",
            o().also("Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"),
        ),
        ("two Via in one line", o().with("Via: SIP/2.0/UDP a;branch=z9hG4bK1,SIP/2.0/UDP b;branch=z9hG4bK2")),
        ("no Via", o().without("Via")),
        ("no From tag", o().with("From: <sip:ann@far.example>")),
        ("length", o().with("Content-Length: 5")),
    ] {
        assert_eq!(response.status(), 0, "{case}");
    }
}

#[test]
fn an_ack_and_what_has_no_via_are_never_answered() {
    assert!(matches!(Request::new("ACK").without("Call-ID").checked(), Checked::Drop("Missing Call-ID")));
    assert!(matches!(Request::new("OPTIONS").without("Via").checked(), Checked::Drop("Missing Via")));
    for junk in
        ["GET / HTTP/1.1\r\n\r\n", "x", "\u{16}\u{3}\u{1}", " OPTIONS sip:a SIP/2.0\r\n\r\n", "\r\n \r\n"]
    {
        assert!(matches!(look(junk.as_bytes()), Checked::Drop(_)), "{junk:?}");
    }
    assert!(matches!(look(&[0xff, 0xfe, b'\r', b'\n']), Checked::Drop(_)));
}

#[test]
fn line_breaks_alone_keep_alive_and_before_a_message_are_skipped() {
    for alive in [b"\r\n".as_slice(), b"\r\n\r\n", b"", &[0; 4]] {
        assert_eq!(look(alive), Checked::KeepAlive);
    }
    let late = format!("\r\n\r\n{}", Request::new("OPTIONS").text());
    assert_eq!(status(&look(late.as_bytes())), 200);
}

/// SIP-06: every bound has its answer.
#[test]
fn what_is_too_much_is_refused() {
    let o = || Request::new("OPTIONS");
    assert_eq!(o().also(&format!("X: {}", "y".repeat(LINE_MAX))).status(), 400, "line");
    assert_eq!(o().also(&format!("X: y{}", "\r\n z".repeat(LINE_MAX / 2))).status(), 400, "folded line");
    let many = (0..HEADERS_MAX).fold(o(), |r, n| r.also(&format!("X-{n}: y")));
    assert_eq!(many.status(), 400, "headers");
    let via = |n: usize| (1..n).fold(o(), |r, n| r.also(&format!("Via: SIP/2.0/UDP h;branch=z9hG4bK{n}")));
    assert_eq!((via(VIA_MAX).status(), via(VIA_MAX + 1).status()), (200, 400), "Via");
    let long = o().text() + &"x".repeat(DATAGRAM_MAX);
    assert_eq!(status(&look(long.as_bytes())), 513);
    let text = o().text();
    assert_eq!(
        status(&check(text.replace("Content-Length: 0\r\n", "").as_bytes(), Carrier::Stream, &DIALECT)),
        400
    );
}

#[test]
fn an_answer_finds_its_way_back_and_says_where_the_request_came_from() {
    let request = Request::new("NEWMETHOD").also("Via: SIP/2.0/TCP first.example;branch=z9hG4bK0");
    let Checked::Answer(answer) = request.checked() else { panic!() };
    let source = "203.0.113.9:40000".parse().unwrap();
    let text =
        String::from_utf8(answer_bytes(request.text().as_bytes(), &answer, source, "us1").unwrap()).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "SIP/2.0 405 Method Not Allowed");
    assert_eq!(
        lines[1],
        "Via: SIP/2.0/UDP 198.51.100.2:5060;rport=40000;branch=z9hG4bK-1;received=203.0.113.9"
    );
    assert_eq!(lines[2], "Via: SIP/2.0/TCP first.example;branch=z9hG4bK0");
    assert!(lines.contains(&"To: <sip:100@pbx.example>;tag=us1") && lines.contains(&"CSeq: 1 NEWMETHOD"));
    assert_eq!(status(&look(text.as_bytes())), 0, "with two Via it is not for us");
    let ours = Request::new("NEWMETHOD").text();
    let bytes = answer_bytes(ours.as_bytes(), &answer, source, "us1").unwrap();
    assert_eq!(status(&look(&bytes)), 200, "our own answers pass our own rules");
    let bent = Request::new("OPTIONS").with("To: \"x <sip:a@b>");
    assert!(answer_bytes(bent.text().as_bytes(), &Answer::bad("Bad To"), source, "t").is_some());
}
