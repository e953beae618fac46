//! The console's WebSocket, as a browser speaks it: a real client over loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{Api, Client};
use desk::testing::anna;
use futures_util::{SinkExt as _, StreamExt as _};
use model::interaction::EndedBy;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const PATIENCE: Duration = Duration::from_secs(10);

struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
}

/// Opens the socket; the HTTP status when it is refused.
async fn connect(
    server: SocketAddr,
    client: &Client,
    query: &str,
    origin: Option<&str>,
) -> Result<Socket, u16> {
    let csrf = client.csrf.as_deref().unwrap_or("none");
    let url = format!("ws://{server}/api/v1/console?csrf={csrf}{query}");
    let mut request = url.into_client_request().unwrap();
    if let Some(cookie) = &client.cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((stream, _)) => Ok(Socket { stream, next_id: 1 }),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

impl Socket {
    async fn message(&mut self) -> Option<Message> {
        tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a message").and_then(Result::ok)
    }
    async fn frame(&mut self) -> Value {
        loop {
            match self.message().await.expect("the socket is open") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other}"),
            }
        }
    }
    /// The next frame that fits; others are passed over.
    async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.frame().await;
            if fits(&frame) {
                return frame;
            }
        }
    }
    async fn event(&mut self, name: &str) -> Value {
        self.until(|frame| frame["event"] == name).await
    }
    async fn says(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }
    /// Sends a command and waits for its answer; events in between are lost to the test.
    async fn asks(&mut self, mut command: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        command["id"] = id.into();
        self.says(command.to_string()).await;
        self.until(|frame| frame["re"] == id).await
    }
    /// The code the appliance closes with.
    async fn close_code(&mut self) -> u16 {
        loop {
            match self.message().await {
                Some(Message::Close(Some(frame))) => return frame.code.into(),
                Some(_) => {}
                None => return 0,
            }
        }
    }
}

async fn opened(api: &Api, server: SocketAddr, login: &str) -> (Client, Socket, Value) {
    let client = api.client(login).await;
    let mut socket = connect(server, &client, "", None).await.ok().unwrap();
    let welcome = socket.frame().await;
    assert_eq!(welcome["event"], "welcome");
    (client, socket, welcome)
}

/// SAFE-04: the socket opens for the own page only: cookie, token, and an origin that is ours.
#[tokio::test]
async fn the_socket_opens_for_the_own_page_only() {
    let api = Api::open().await;
    let server = api.serve().await;
    let client = api.client("anna").await;
    let foreign = connect(server, &client, "", Some("https://evil.example")).await;
    assert_eq!(foreign.err(), Some(403));
    let no_cookie = Client { cookie: None, ..client.clone() };
    assert_eq!(connect(server, &no_cookie, "", None).await.err(), Some(401));
    let wrong_token = Client { csrf: Some("wrong".into()), ..client.clone() };
    assert_eq!(connect(server, &wrong_token, "", None).await.err(), Some(403));
    let own = connect(server, &client, "", Some(&format!("https://{server}"))).await;
    assert!(own.is_ok());
}

/// The whole life of a call on the wire: welcome, offer, accept, talk, hang up, code, complete.
#[tokio::test]
async fn a_call_is_taken_and_completed_over_the_socket() {
    let mut api = Api::open().await;
    let server = api.serve().await;
    let (_, mut socket, welcome) = opened(&api, server, "anna").await;
    assert_eq!(welcome["now"], api.house.desk.now().millis());
    assert_eq!(welcome["snapshot"]["me"]["state"]["state"], "ready");
    let call = api.house.customer_calls("100").await;
    let (_, token) = api.house.rung(call).await;
    let offered = socket.event("offered").await;
    assert_eq!(offered["offer"]["offer"], token.to_string());
    assert!(offered["seq"].is_u64() && offered["at"].is_u64());
    assert_eq!(socket.asks(json!({"do": "accept", "offer": token})).await["ok"], json!({}));
    let gone = socket.asks(json!({"do": "accept", "offer": token})).await;
    assert_eq!(
        (&gone["problem"]["type"], &gone["problem"]["status"]),
        (&json!("/problems/offer-gone"), &json!(409))
    );
    api.house.bridged(call, anna()).await;
    socket.until(|f| f["event"] == "work" && f["work"]["phase"] == "talking").await;
    let coded = json!({"do": "code", "interaction": call, "comment": "wants a refund"});
    assert!(socket.asks(coded).await.get("ok").is_some());
    assert!(socket.asks(json!({"do": "hang_up", "interaction": call})).await.get("ok").is_some());
    api.house.call_ends(call, EndedBy::Agent).await;
    socket.until(|f| f["event"] == "work" && f["work"]["phase"] == "wrap_up").await;
    assert!(socket.asks(json!({"do": "complete", "interaction": call})).await.get("ok").is_some());
}

/// A colleague is found, called over the socket, and cannot be called while offline.
#[tokio::test]
async fn a_colleague_is_looked_up_and_called() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (client, mut socket, _) = opened(&api, server, "anna").await;
    let list = client.get("/colleagues?q=ben").await;
    assert_eq!(list.status, 200);
    let found = &list.body["items"][0];
    assert_eq!((&found["name"], &found["callable"]), (&json!("BEN"), &json!(false)));
    let ben = found["user"].clone();
    let phone = model::people::PhoneKind::Browser;
    api.house.fact(model::call::CallFact::PhoneUp { agent: anna(), phone }).await;
    let offline = socket.asks(json!({"do": "call", "user": ben})).await;
    let (kind, status) = (&offline["problem"]["type"], &offline["problem"]["status"]);
    assert_eq!((kind, status), (&json!("/problems/colleague-offline"), &json!(409)));
    assert_eq!(offline["problem"]["detail"], "This colleague is offline.");
    let (_, mut bens, _) = opened(&api, server, "ben").await;
    let list = client.get("/colleagues?q=ben").await;
    assert_eq!(
        (&list.body["items"][0]["state"], &list.body["items"][0]["callable"]),
        (&json!("ready"), &json!(true))
    );
    let both = socket.asks(json!({"do": "call", "user": ben, "extension": "202"})).await;
    assert_eq!(both["problem"]["errors"][0]["pointer"], "/user");
    let command = json!({"id": 900, "do": "call", "extension": found["extension"]});
    socket.says(command.to_string()).await;
    // Answer and events come in any order.
    let (mut work, mut answer) = (Value::Null, Value::Null);
    while work.is_null() || answer.is_null() {
        let frame = socket.until(|frame| frame["event"] == "work" || frame["re"] == 900).await;
        let seen = if frame["event"] == "work" { &mut work } else { &mut answer };
        *seen = frame;
    }
    assert_eq!(answer["ok"], json!({}));
    assert_eq!((&work["work"]["phase"], &work["work"]["outgoing"]), (&json!("dialling"), &json!(true)));
    let offered = bens.event("offered").await;
    assert_eq!(offered["offer"]["colleague"]["user"], anna().to_string());
    let call = serde_json::from_value(work["work"]["interaction"].clone()).unwrap();
    api.house.call_ends(call, EndedBy::Customer).await;
    socket.event("work_ended").await;
    let records = client.get("/records?direction=internal").await;
    let record = &records.body["items"][0];
    assert_eq!((&record["calling_agent"], &record["agent"]), (&json!(anna()), &ben));
    assert_eq!(record["calling_agent_name"], "ANNA");
    let document = client.get("/openapi.json").await;
    for path in ["/api/v1/colleagues", "/api/v1/tenant"] {
        assert!(document.body["paths"][path].is_object(), "{path} is documented");
    }
}

/// Numbers have no gap; a page that was away gets what it missed and then a snapshot, and one that was away for too long the snapshot alone.
#[tokio::test]
async fn a_page_that_reconnects_goes_on_where_it_was() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (client, mut socket, _) = opened(&api, server, "anna").await;
    socket.asks(json!({"do": "not_ready"})).await;
    drop(socket);
    api.house.eventually(async |house| house.desk.session_of(anna()).await.is_some()).await;
    let mut socket = connect(server, &client, "&after=0", None).await.ok().unwrap();
    let welcome = socket.frame().await;
    assert_eq!(
        (&welcome["seq"], welcome.get("snapshot")),
        (&json!(0), None),
        "as far as the page is: {welcome}"
    );
    let mut last = 0;
    let state = loop {
        let frame = socket.frame().await;
        if frame["event"] == "welcome" {
            break frame;
        }
        last += 1;
        assert_eq!(frame["seq"], last);
    };
    assert!(last >= 1);
    assert_eq!((&state["seq"], state["snapshot"].is_object()), (&json!(last), true), "{state}");
    socket.says(json!({"id": 50, "do": "resync"}).to_string()).await;
    let welcome = socket.event("welcome").await;
    assert!(welcome["snapshot"].is_object());
    drop(socket);
    let mut socket = connect(server, &client, "&after=100000", None).await.ok().unwrap();
    assert!(socket.frame().await["snapshot"].is_object(), "a number from another life");
}

#[tokio::test]
async fn frames_that_are_not_understood_are_answered_and_end_after_twenty() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (_, mut socket, _) = opened(&api, server, "anna").await;
    let deep = "[".repeat(5_000);
    for (frame, re) in [
        ("not json", Value::Null),
        ("{}", Value::Null),
        ("[1,2]", Value::Null),
        ("{\"do\":\"ready\"}", Value::Null),
        ("{\"id\":7,\"do\":\"self_destruct\"}", json!(7)),
        ("{\"id\":8,\"do\":\"accept\"}", json!(8)),
        ("{\"id\":9,\"do\":\"accept\",\"offer\":\"offer_1\"}", json!(9)),
        ("{\"id\":-1,\"do\":\"ready\"}", Value::Null),
        ("\u{0}", Value::Null),
        (deep.as_str(), Value::Null),
    ] {
        socket.says(frame).await;
        let answer = socket.until(|f| f.get("re").is_some()).await;
        assert_eq!(
            (&answer["re"], &answer["problem"]["type"]),
            (&re, &json!("/problems/malformed")),
            "{frame}"
        );
    }
    socket.stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    socket.until(|f| f.get("problem").is_some()).await;
    for _ in 11..20 {
        socket.says("?").await;
    }
    assert_eq!(socket.close_code().await, 1008);
}

#[tokio::test]
async fn a_frame_over_64_kib_ends_the_socket() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (_, mut socket, _) = opened(&api, server, "anna").await;
    let comment = "x".repeat(70_000);
    socket.says(json!({"id": 1, "do": "phone_offer", "sdp": comment}).to_string()).await;
    loop {
        match socket.message().await {
            None | Some(Message::Close(_)) => break,
            Some(Message::Text(text)) => assert!(!text.contains("\"re\""), "{text}"),
            Some(_) => {}
        }
    }
}

/// ERR-21: signed in elsewhere, the old page reads why and its socket closes.
#[tokio::test]
async fn the_old_page_reads_that_the_user_signed_in_elsewhere() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (_, mut first, _) = opened(&api, server, "anna").await;
    let (_, mut second, _) = opened(&api, server, "anna").await;
    assert_eq!(first.event("session_ended").await["why"], "elsewhere");
    assert_eq!(first.close_code().await, 1000);
    assert!(second.asks(json!({"do": "not_ready"})).await.get("ok").is_some());
}

#[tokio::test]
async fn a_second_page_of_the_session_takes_the_place_of_the_first() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (client, mut first, _) = opened(&api, server, "anna").await;
    let mut second = connect(server, &client, "", None).await.ok().unwrap();
    second.frame().await;
    assert_eq!(first.close_code().await, 4001);
    assert!(second.asks(json!({"do": "not_ready"})).await.get("ok").is_some());
}

/// The appliance pings each 15 s; a page that answers stays, one that is silent for 70 s is let go.
#[tokio::test]
async fn a_silent_page_is_let_go_after_seventy_seconds() {
    let api = Api::open().await;
    let server = api.serve().await;
    let (_, mut socket, _) = opened(&api, server, "anna").await;
    let tick = || api.house.pass(Duration::from_secs(15));
    for _ in 0..8 {
        tick().await;
        // Reading answers the ping.
        loop {
            if let Some(Message::Ping(_)) = socket.message().await {
                break;
            }
        }
        socket.stream.flush().await.unwrap();
        let answered = socket.asks(json!({"do": "resync"})).await;
        assert!(answered.get("ok").is_some(), "two minutes, and still here");
    }
    for _ in 0..6 {
        // Nobody reads, nobody answers; the server needs a moment to notice each step of the clock.
        tick().await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(socket.close_code().await, 1001);
}
