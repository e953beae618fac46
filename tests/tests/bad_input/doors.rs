//! The API and the consoles' sockets: bodies that are no JSON, frames that are no commands, pages from elsewhere, guessed
//! passwords.

use std::io::{Read, Write};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode, header};
use scenarios::agent::{Agent, Opening, Socket};
use scenarios::appliance::{Appliance, PASSWORD};
use scenarios::http::Http;
use scenarios::place::Place;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{ANNA_HZ, a_call_works, nothing_broke, open, still_well};

/// API-01, SAFE-02: what REST cannot take is refused with a problem that says why; bodies and headers have bounds.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_not_understood_are_problems_and_nothing_else() {
    let (mut appliance, house, admin) = open().await;
    let skills = admin.walk("/skills", 50).await;
    let post = |path: &str, body: Vec<u8>| {
        let request = admin.request(Method::POST, path).header("x-csrf", admin.csrf());
        request.header(header::CONTENT_TYPE, "application/json").body(body)
    };
    let text = |body: &str| body.as_bytes().to_vec();
    for (what, body, status) in [
        ("nothing", vec![], 400),
        ("half an object", text("{\"name\": "), 400),
        ("words", text("name=x"), 400),
        ("a list", text("[]"), 400),
        ("no name", text("{}"), 400),
        ("a number for a name", text("{\"name\": 7}"), 400),
        ("an unknown key", text("{\"name\": \"x\", \"level\": 3}"), 400),
        ("a key twice", text("{\"name\": \"x\", \"name\": \"y\"}"), 400),
        ("what is no UTF-8", vec![b'"', 0xff, 0xfe, b'"'], 400),
        ("a hundred thousand brackets", vec![b'['; 100_000], 400),
        ("a name without end", format!("{{\"name\": \"{}\"}}", "x".repeat(500_000)).into_bytes(), 422),
        ("an empty name", text("{\"name\": \"\"}"), 422),
    ] {
        is_problem(what, post("/skills", body), status).await;
    }
    // The refusal comes while the body is still being sent, so a client may see the closed connection instead of it.
    for _ in 0..3 {
        let request = Http::anonymous(&appliance.base).post(format!("{}/api/v1/skills", appliance.base));
        let request = request.header("cookie", &admin.cookie).header("x-csrf", admin.csrf());
        let sent =
            request.header(header::CONTENT_TYPE, "application/json").body(vec![b' '; 2 << 20]).send().await;
        let status = sent.map(|answer| answer.status().as_u16());
        println!("two megabytes: {status:?}");
        assert!(status.is_err() || status.is_ok_and(|s| s == 413), "bodies have a bound");
    }
    let get = |path: &str| admin.request(Method::GET, path);
    is_problem(
        "no type",
        admin.request(Method::POST, "/skills").header("x-csrf", admin.csrf()).body("{}"),
        415,
    )
    .await;
    is_problem("no such address", get("/nothing"), 404).await;
    is_problem("no such method", admin.request(Method::PATCH, "/skills").header("x-csrf", admin.csrf()), 405)
        .await;
    is_problem("an id of another kind", get(&format!("/users/{}", house.skill)), 404).await;
    is_problem("a path to elsewhere", get("/records/..%2f..%2fpatchbay.db/recording.wav"), 404).await;
    is_problem("a limit that is no number", get("/records?limit=many"), 400).await;
    is_problem("a cursor of one's own", get("/records?cursor=JyBPUiAxPTE"), 400).await;
    is_problem("a status there is not", get("/records?status=' OR 1=1"), 422).await;
    let delete = |path: &str| admin.request(Method::DELETE, path).header("x-csrf", admin.csrf());
    is_problem("a change without If-Match", delete(&format!("/skills/{}", house.skill)), 428).await;
    let stale = delete(&format!("/skills/{}", house.skill)).header(header::IF_MATCH, "\"stale\"");
    is_problem("a stale If-Match", stale, 412).await;
    let large = get("/skills").header("x-large", "x".repeat(100_000)).send().await;
    assert!(large.is_err() || large.is_ok_and(|a| a.status() == 431), "headers have a bound");

    // A page elsewhere can make a browser send the cookie, but not know the token.
    for (what, request) in [
        ("no token", admin.request(Method::POST, "/skills")),
        ("a wrong token", admin.request(Method::POST, "/skills").header("x-csrf", "guess")),
    ] {
        is_problem(what, request.json(&json!({ "name": "Forged" })), 403).await;
    }
    let stranger = Http::anonymous(&appliance.base);
    is_problem("nobody", stranger.get(format!("{}/api/v1/records", appliance.base)), 401).await;
    not_http(&appliance);
    assert_eq!(admin.walk("/skills", 50).await, skills, "nothing was made by any of it");
    let metrics = admin.metrics().await;
    for (status, at_least) in [(400, 12.0), (403, 2.0), (404, 3.0), (415, 1.0), (422, 3.0)] {
        let counted = metrics.sum("patchbay_http_responses_total", &[&format!("status=\"{status}\"")]);
        assert!(counted >= at_least, "{counted} answers of {status} are counted");
    }
    still_well(&mut appliance, &admin).await;
}

/// The answer is a problem of this status, with all its parts.
async fn is_problem(what: &str, request: reqwest::RequestBuilder, status: u16) {
    let answer = request.send().await.unwrap_or_else(|e| panic!("{what}: {e}"));
    let kind = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let got = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    assert_eq!((got, kind.as_str()), (status, "application/problem+json"), "{what}: {body}");
    assert_eq!(body["status"], status, "{what}: {body}");
    for part in ["type", "title", "detail", "request_id"] {
        assert!(body[part].as_str().is_some_and(|text| !text.is_empty()), "{what} lacks {part}: {body}");
    }
}

/// Other protocols on the console's port: refused, and not kept.
fn not_http(appliance: &Appliance) {
    for bytes in [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        vec![0; 10_000],
        vec![0x16, 3, 1, 0xff, 0xff, 0],
    ] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", appliance.https)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a limit");
        // It may close before everything is said.
        let _ = stream.write_all(&bytes);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(!said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
    }
}

/// SAFE-04: a page from elsewhere, or without the session's token, gets no socket.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_opened_for_the_own_page_only() {
    let (mut appliance, _, admin) = open().await;
    let anna = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let own = Opening::of(&anna, appliance.https);
    let with = |change: fn(&mut Opening)| {
        let mut opening = own.clone();
        change(&mut opening);
        opening
    };
    for (what, opening, status) in [
        ("another origin", with(|o| o.origin = "https://evil.example".into()), 403),
        (
            "a similar origin",
            with(|o| o.origin = o.origin.replace("localhost", "localhost.evil.example")),
            403,
        ),
        ("an origin of nowhere", with(|o| o.origin = "null".into()), 403),
        ("another port", with(|o| o.origin = "https://localhost:1".into()), 403),
        ("a guessed token", with(|o| o.query = "csrf=guess".into()), 403),
        ("no token", with(|o| o.query = String::new()), 400),
        ("no cookie", with(|o| o.cookie = "a=b".into()), 401),
        (
            "another cookie",
            with(|o| o.cookie = "patchbay_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()),
            401,
        ),
    ] {
        match opening.open(appliance.https).await {
            Ok(_) => panic!("{what}: the socket opens"),
            Err(got) => assert_eq!(got, status, "{what}"),
        }
    }
    assert!(own.open(appliance.https).await.is_ok(), "the own page gets it");
    still_well(&mut appliance, &admin).await;
}

/// SAFE-02: frames that are not understood are answered one by one; twenty of them, or one that is too large, end the socket. A
/// colleague's call is not touched by it.
#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_no_commands_are_refused_and_too_many_end_the_socket() {
    let (mut appliance, house, admin) = open().await;
    appliance.hire(&admin, &house, "boris", "none", None).await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let boris = Http::sign_in(&appliance.base, "boris", PASSWORD).await.expect("signs in");

    let mut socket = Agent::connect(&boris, appliance.https).await.into_socket();
    let frames = [
        ("no JSON", "ready", Value::Null),
        ("half a frame", "{\"id\": 3, \"do\":", Value::Null),
        ("no object", "[7]", Value::Null),
        ("no id", "{\"do\": \"ready\"}", Value::Null),
        ("an id that is no number", "{\"id\": \"7\", \"do\": \"ready\"}", Value::Null),
        ("no command", "{\"id\": 8}", json!(8)),
        ("an unknown command", "{\"id\": 9, \"do\": \"launch\"}", json!(9)),
        ("an argument that lacks", "{\"id\": 10, \"do\": \"accept\"}", json!(10)),
        ("an id of another kind", "{\"id\": 11, \"do\": \"accept\", \"offer\": \"user_1\"}", json!(11)),
    ];
    for (what, frame, re) in &frames {
        socket.send(Message::text(*frame)).await.expect("sent");
        let answer = answer(&mut socket).await;
        assert_eq!((&answer["re"], &answer["problem"]["status"]), (re, &json!(400)), "{what}: {answer}");
    }
    // Understood, and refused: these do not count towards the end.
    for n in 100..130 {
        let frame = json!({ "id": n, "do": "accept", "offer": "offer_00000000-0000-0000-0000-000000000001" });
        socket.send(Message::text(frame.to_string())).await.expect("sent");
        assert_eq!(answer(&mut socket).await["problem"]["type"], "/problems/offer-gone");
    }
    for _ in frames.len()..20 {
        socket.send(Message::binary(vec![1, 2, 3])).await.expect("sent");
    }
    assert_eq!(closed(&mut socket).await, Some(1008));
    assert_eq!(admin.metrics().await.sum("patchbay_console_bad_frames_total", &[]), 20.0);

    let mut socket = Agent::connect(&boris, appliance.https).await.into_socket();
    // It may close before everything is said.
    let _ = socket.send(Message::text(format!("{{\"id\": 1, \"do\": \"{}\"}}", "x".repeat(1 << 20)))).await;
    closed(&mut socket).await;
    a_call_works(&appliance, &mut anna, &admin).await;
    nothing_broke(&mut appliance);
}

/// The next answer; events pass by.
async fn answer(socket: &mut Socket) -> Value {
    loop {
        match tokio::time::timeout(Duration::from_secs(30), socket.next()).await.expect("an answer in time") {
            Some(Ok(Message::Text(text))) => {
                let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                if frame.get("re").is_some() {
                    return frame;
                }
            }
            Some(Ok(_)) => {}
            other => panic!("the socket ended: {other:?}"),
        }
    }
}

/// Waits for the end of the socket; its code, if it was said.
async fn closed(socket: &mut Socket) -> Option<u16> {
    let end = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|f| f.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the socket ends")
}

/// ERR-12, SAFE-04: a wrong password and an unknown name are answered alike; whoever goes on guessing has to wait, and is told how
/// long; then the right password does.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_and_tells_nothing() {
    let (mut appliance, _, admin) = open().await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let client = Http::anonymous(&appliance.base);
    let guess = async |login: &str, password: &str| {
        let body = json!({ "login": login, "password": password, "force": true });
        let answer = client
            .post(format!("{}/api/v1/session", appliance.base))
            .json(&body)
            .send()
            .await
            .expect("an answer");
        let wait =
            answer.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let mut body: Value = answer.json().await.unwrap_or_default();
        body["request_id"] = Value::Null;
        (StatusCode::from_u16(body["status"].as_u64().unwrap_or(200) as u16).expect("a status"), wait, body)
    };
    let wrong = guess("anna", "Sesam-oeffne-2").await;
    let unknown = guess("nobody-of-that-name", "Sesam-oeffne-2").await;
    assert_eq!(wrong, unknown, "the answer does not tell whether the name exists");
    assert_eq!((wrong.0.as_u16(), &wrong.2["type"]), (401, &json!("/problems/bad-credentials")));
    assert!(guess("anna", &"x".repeat(200_000)).await.0.is_client_error(), "a password has a bound");

    // The first pauses are so short that a slow machine may miss one; each is longer than the one before.
    let (mut guesses, mut waited) = (3, 0);
    let wait = loop {
        let (status, wait, body) = guess("anna", &format!("guess-{guesses}")).await;
        guesses += 1;
        match (status.as_u16(), wait) {
            (401, None) => assert!(guesses <= 20, "twenty guesses without a pause"),
            (429, Some(wait)) if wait > 3 => break wait,
            (429, Some(wait)) => {
                waited += wait;
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
            (429, None) => panic!("how long? {body}"),
            other => panic!("{other:?}: {body}"),
        }
    };
    println!("a pause of {wait} s comes after {guesses} guesses and {waited} s");
    assert!(wait <= 60, "somebody who mistyped can wait for it: {wait} s");
    assert_eq!(
        guess("anna", PASSWORD).await.0,
        StatusCode::TOO_MANY_REQUESTS,
        "the pause holds for right ones too"
    );
    let refused = admin.metrics().await.sum("patchbay_signins_total", &["result=\"throttled\""]);
    assert!(refused >= 2.0, "{refused} counted");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    // Anna is at her desk all the while: guesses by others neither sign her out nor lock her out.
    a_call_works(&appliance, &mut anna, &admin).await;
    assert_eq!(guess("anna", PASSWORD).await.0, StatusCode::OK);
    nothing_broke(&mut appliance);
}
