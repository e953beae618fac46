//! Programs and their keys.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use axum::http::Method;
use common::{Answer, Api, Client};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A program with a key.
struct Program {
    client: Client,
    authorization: String,
}

impl Program {
    fn with(api: &Api, secret: &str) -> Self {
        Self { client: api.stranger(), authorization: format!("Bearer {secret}") }
    }
    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.client.send(method, path, &[("authorization", &self.authorization)], body).await
    }
}

async fn made(adam: &Client, wanted: Value) -> (String, String) {
    let made = adam.post("/keys", wanted).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    (made.body["id"].as_str().unwrap().to_owned(), made.body["secret"].as_str().unwrap().to_owned())
}

/// API-03: a key is shown once, stands for a session with the privileges it was given and no others, and the audit log names
/// it.
#[tokio::test]
async fn a_key_opens_what_it_was_given_and_the_audit_log_names_it() {
    let api = Api::open().await;
    let adam = api.client("adam").await;
    let (id, secret) =
        made(&adam, json!({"name": "Reports", "privileges": ["supervise", "administer"]})).await;
    assert!(secret.starts_with("pbk_") && secret.len() == 47, "256 bits");
    let listed = adam.get("/keys").await;
    assert!(!listed.bytes.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "told once");
    assert_eq!(
        (&listed.body["items"][0]["name"], &listed.body["items"][0]["used_at"]),
        (&json!("Reports"), &Value::Null)
    );
    assert!(secret.starts_with(listed.body["items"][0]["prefix"].as_str().unwrap()));

    let program = Program::with(&api, &secret);
    assert_eq!(program.get("/agents").await.status, 200);
    let refused = program.get("/events").await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    // No cookie, so no CSRF token.
    let skill = program.send(Method::POST, "/skills", Some(json!({"name": "French"}))).await;
    assert_eq!(skill.status, 201, "{:?}", skill.body);
    let audited = adam.get("/audit?action=skill.create").await;
    assert_eq!(
        (&audited.body["items"][0]["key"], &audited.body["items"][0]["actor"]),
        (&json!(id), &Value::Null)
    );
    let listed = adam.get("/keys").await;
    assert_eq!(listed.body["items"][0]["used_at"], api.house.desk.now().millis());
}

/// API-03: its use is written once a minute at most.
#[tokio::test]
async fn the_last_use_of_a_key_is_known_to_a_minute() {
    let api = Api::open().await;
    let adam = api.client("adam").await;
    let (_, secret) = made(&adam, json!({"name": "Reports", "privileges": ["supervise"]})).await;
    let program = Program::with(&api, &secret);
    let used = async || adam.get("/keys").await.body["items"][0]["used_at"].as_u64().unwrap();
    program.get("/agents").await;
    let first = used().await;
    api.house.clock.advance(Duration::from_secs(59));
    program.get("/agents").await;
    assert_eq!(used().await, first);
    api.house.clock.advance(Duration::from_secs(1));
    program.get("/agents").await;
    assert_eq!(used().await, first + 60_000);
}

/// API-03: a key ends by its time or by being revoked, at once; what ended looks like what never was.
#[tokio::test]
async fn a_key_ends_by_its_time_or_when_it_is_revoked() {
    let api = Api::open().await;
    let adam = api.client("adam").await;
    let (id, secret) = made(&adam, json!({"name": "a", "privileges": ["supervise"]})).await;
    let (_, short) = made(&adam, json!({"name": "b", "privileges": ["supervise"], "valid_days": 2})).await;
    let (program, short) = (Program::with(&api, &secret), Program::with(&api, &short));
    assert_eq!(adam.send(Method::DELETE, &format!("/keys/{id}"), &[], None).await.status, 204);
    assert_eq!(program.get("/agents").await.problem(), "not-signed-in");
    assert_eq!(short.get("/agents").await.status, 200);
    api.house.clock.advance(2 * DAY);
    assert_eq!(short.get("/agents").await.problem(), "not-signed-in");
    let adam = api.client("adam").await;
    let keys = adam.get("/keys").await;
    assert!(keys.body["items"][1]["revoked_at"].is_u64(), "it stays listed: {:?}", keys.body);
    let year = keys.body["items"][1]["expires_at"].as_u64().unwrap()
        - keys.body["items"][1]["created_at"].as_u64().unwrap();
    assert_eq!(year, 365 * 86_400_000);
    let missing =
        adam.send(Method::DELETE, "/keys/key_00000000-0000-0000-0000-000000000009", &[], None).await;
    assert_eq!(missing.problem(), "not-found");
}

/// API-03, SAFE-04: wrong keys are slowed down as wrong passwords are, and neither people nor right keys of the same place suffer.
#[tokio::test]
async fn wrong_keys_are_slowed_and_right_ones_are_not() {
    let api = Api::open().await;
    let adam = api.client("adam").await;
    let (_, secret) = made(&adam, json!({"name": "a", "privileges": ["supervise"]})).await;
    let wrong = Program::with(&api, &format!("pbk_{}", "A".repeat(43)));
    for _ in 0..6 {
        assert_eq!(wrong.get("/agents").await.problem(), "not-signed-in");
    }
    let slowed = wrong.get("/agents").await;
    assert_eq!((slowed.status, slowed.problem()), (429, "too-many-attempts"));
    assert_eq!(Program::with(&api, &secret).get("/agents").await.status, 200);
    api.client("sue").await;
    for odd in ["", "pbk_", "pb", "ключ", &"A".repeat(9_000)] {
        let answer = Program::with(&api, odd).get("/agents").await;
        assert!([401, 429, 431].contains(&answer.status), "{odd:.9}: {}", answer.status);
    }
}

/// API-03: nobody gives a key more than they may themselves, a key makes no keys, and what needs a page or a phone is for people.
#[tokio::test]
async fn a_key_is_no_way_to_more_rights() {
    let api = Api::open().await;
    let (adam, sue) = (api.client("adam").await, api.client("sue").await);
    let wanted = json!({"name": "a", "privileges": ["supervise"]});
    assert_eq!(sue.post("/keys", wanted.clone()).await.problem(), "forbidden");
    assert_eq!(sue.get("/keys").await.problem(), "forbidden");
    let (_, secret) = made(&adam, json!({"name": "a", "privileges": ["administer", "call_out"]})).await;
    let program = Program::with(&api, &secret);
    assert_eq!(program.send(Method::POST, "/keys", Some(wanted)).await.problem(), "not-now");
    assert_eq!(
        program.send(Method::POST, "/calls", Some(json!({"number": "+49301"}))).await.problem(),
        "not-now"
    );
    assert_eq!(program.get("/session").await.problem(), "not-now");
    for (field, body) in [
        ("/name", json!({"name": " ", "privileges": ["supervise"]})),
        ("/name", json!({"name": "x".repeat(65), "privileges": ["supervise"]})),
        ("/privileges", json!({"name": "a", "privileges": []})),
        ("/valid_days", json!({"name": "a", "privileges": ["supervise"], "valid_days": 0})),
        ("/valid_days", json!({"name": "a", "privileges": ["supervise"], "valid_days": 366})),
    ] {
        let refused = adam.post("/keys", body).await;
        assert_eq!((refused.problem(), &refused.body["errors"][0]["pointer"]), ("invalid", &json!(field)));
    }
    let unknown = adam.post("/keys", json!({"name": "a", "privileges": ["everything"]})).await;
    assert_eq!(unknown.status, 400);
}
