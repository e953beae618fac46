//! The door's lock: sessions, throttling, tokens, privileges.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use axum::http::Method;
use common::Api;
use desk::testing::PASSWORD;
use serde_json::json;

#[tokio::test]
async fn signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use() {
    let api = Api::open().await;
    let mut client = api.stranger();
    let answer = client.post("/session", json!({"login": "anna", "password": PASSWORD})).await;
    assert_eq!(answer.status, 200);
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["patchbay_session=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert_eq!(answer.body["user"]["login"], "anna");
    let may = ["take_interactions", "handle_chats", "handle_emails", "call_out", "block_callers"];
    assert_eq!(answer.body["privileges"], json!(may));
    assert!(answer.body["expires_at"].as_u64().unwrap() > api.house.desk.now().millis());
    assert!(answer.body["user"].get("password").is_none());
    client.take_session(&answer);
    assert_eq!(client.get("/session").await.body["csrf"], answer.body["csrf"]);
    assert_eq!(client.send(Method::DELETE, "/session", &[], None).await.status, 204);
    assert_eq!(client.get("/session").await.problem(), "not-signed-in");
}

/// ERR-12, SAFE-04: wrong names and passwords get one answer; after five of them the source waits, longer each time.
#[tokio::test]
async fn guessing_is_answered_alike_and_then_slowed() {
    let api = Api::open().await;
    let client = api.stranger();
    let guess =
        |login: &'static str| client.post("/session", json!({"login": login, "password": "guess guess"}));
    let (known, unknown) = (guess("anna").await, guess("nobody").await);
    assert_eq!((known.status, known.problem()), (401, "bad-credentials"));
    assert_eq!(known.body["detail"], unknown.body["detail"]);
    for _ in 0..4 {
        assert_eq!(guess("anna").await.status, 401);
    }
    let throttled = guess("anna").await;
    assert_eq!((throttled.status, throttled.problem()), (429, "too-many-attempts"));
    assert_eq!(throttled.header("retry-after"), "2");
    let right = client.post("/session", json!({"login": "anna", "password": PASSWORD})).await;
    assert_eq!(right.status, 429, "even the right password waits");
    api.house.clock.advance(std::time::Duration::from_secs(2));
    let right = client.post("/session", json!({"login": "anna", "password": PASSWORD})).await;
    assert_eq!(right.status, 200);
}

/// ACC-14, ERR-17.
#[tokio::test]
async fn a_second_sign_in_asks_before_it_ends_the_first() {
    let api = Api::open().await;
    let first = api.client("anna").await;
    let asked = api.stranger().post("/session", json!({"login": "anna", "password": PASSWORD})).await;
    assert_eq!((asked.status, asked.problem()), (409, "already-signed-in"));
    assert_eq!(first.get("/session").await.status, 200);
    let second = api.client("anna").await;
    assert_eq!(first.get("/session").await.status, 401);
    assert_eq!(second.get("/session").await.status, 200);
}

/// SAFE-04: what changes something carries the token; reading does not need it.
#[tokio::test]
async fn a_change_without_the_csrf_token_is_refused() {
    let api = Api::open().await;
    let mut client = api.client("adam").await;
    let right = client.csrf.take();
    let skill = json!({"name": "French"});
    assert_eq!(client.post("/skills", skill.clone()).await.problem(), "bad-csrf");
    client.csrf = Some("wrong".into());
    assert_eq!(client.post("/skills", skill.clone()).await.status, 403);
    assert_eq!(client.get("/skills").await.status, 200);
    client.csrf = right;
    assert_eq!(client.post("/skills", skill).await.status, 201);
}

/// SEC-05, ERR-13: an operation without the privilege is refused, whatever is asked.
#[tokio::test]
async fn an_agent_may_neither_supervise_nor_configure() {
    let api = Api::open().await;
    let agent = api.client("anna").await;
    for path in
        ["/agents", "/calls", "/status", "/events", "/audit", "/skills", "/users", "/trunks", "/services"]
    {
        let refused = agent.get(path).await;
        assert_eq!((refused.status, refused.problem()), (403, "forbidden"), "{path}");
        assert_eq!(refused.body["detail"], "You do not have the rights for this action.");
    }
    let supervisor = api.client("sue").await;
    assert_eq!(supervisor.get("/skills").await.status, 200, "supervisors read configuration");
    assert_eq!(supervisor.post("/skills", json!({"name": "French"})).await.problem(), "forbidden");
    assert_eq!(supervisor.get("/audit").await.status, 403);
}

/// Every address of the document wants to know who asks; nothing is open by accident (SAFE-01).
#[tokio::test]
async fn nothing_but_sign_in_is_answered_to_strangers() {
    let api = Api::open().await;
    let stranger = api.stranger();
    let document = control_api::document();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if path == "/api/v1/session" && method == "post" {
                continue;
            }
            let id = "user_00000000-0000-0000-0000-000000000001";
            let address = path.replace("{file}", "recording.wav").replace("{id}", id);
            let address = address.split('/').map(|part| if part.starts_with('{') { id } else { part });
            let address = format!("!{}", address.collect::<Vec<_>>().join("/"));
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = stranger.send(method.clone(), &address, &[], Some(json!({}))).await;
            assert_eq!((answer.status, answer.problem()), (401, "not-signed-in"), "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked}");
}

#[tokio::test]
async fn a_forged_cookie_opens_nothing() {
    let api = Api::open().await;
    let mut client = api.stranger();
    for cookie in
        ["patchbay_session=", "patchbay_session=00", &format!("patchbay_session={}", "0".repeat(64))]
    {
        client.cookie = Some(cookie.to_owned());
        assert_eq!(client.get("/session").await.problem(), "not-signed-in");
    }
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let agent = api.client("anna").await;
    let id = agent.get("/session").await.body["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/users/{id}");
    let shown = admin.get(&path).await;
    let mut body = shown.body.clone();
    body["disabled"] = true.into();
    assert_eq!(admin.put(&path, &shown.etag(), body).await.status, 200);
    assert_eq!(agent.get("/session").await.status, 401);
    let again = api.stranger().post("/session", json!({"login": "anna", "password": PASSWORD})).await;
    assert_eq!(again.problem(), "bad-credentials");
}
