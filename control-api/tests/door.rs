//! Everything else behind the door: documents, health, figures, records, recordings, events, live views.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Method;
use common::Api;
use desk::console::protocol::Command;
use futures_util::StreamExt as _;
use model::call::{CallFact, CallOrder};
use model::id::{Id, RecordingId};
use model::interaction::EndedBy;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// What docs/protocols/console.md promises, without `/api/v1`.
const CONTRACT: &[(&str, &str)] = &[
    ("/session/numbers", "get"),
    ("/session/phone", "delete get put"),
    ("/session/preferences", "get put"),
    ("/session/diversion", "get put"),
    ("/users/{id}/diversion", "get put"),
    ("/users/{id}/greetings", "get post"),
    ("/users/{id}/greetings/{greeting}", "put delete"),
    ("/users/{id}/greetings/{greeting}/audio", "get put"),
    ("/session", "post get delete"),
    ("/console", "get"),
    ("/users", "get post"),
    ("/users/{id}", "get put delete"),
    ("/users/{id}/password", "put"),
    ("/users/{id}/phone-secret", "post"),
    ("/groups", "get post"),
    ("/groups/{id}", "get put delete"),
    ("/skills", "get post"),
    ("/skills/{id}", "get put delete"),
    ("/reasons", "get post"),
    ("/reasons/{id}", "get put delete"),
    ("/services", "get post"),
    ("/services/{id}", "get put delete"),
    ("/services/{service}/dispositions", "get post"),
    ("/services/{service}/emergency", "put"),
    ("/emergency", "put"),
    ("/services/{service}/dispositions/{id}", "get put delete"),
    ("/numbers", "get post"),
    ("/numbers/{id}", "get put delete"),
    ("/trunk-states", "get"),
    ("/trunks", "get post"),
    ("/trunks/{id}", "get put delete"),
    ("/agents", "get"),
    ("/agents/{user}/state", "put"),
    ("/help", "get"),
    ("/queues", "get"),
    ("/colleagues", "get"),
    ("/requirement/check", "post"),
    ("/flows", "get post"),
    ("/flows/{id}", "get put delete"),
    ("/contacts", "post"),
    ("/contacts/{interaction}", "get"),
    ("/contacts/{interaction}/messages", "get post"),
    ("/contacts/{interaction}/draft", "get put"),
    ("/written", "get"),
    ("/contacts/{interaction}/end", "post"),
    ("/callbacks", "post"),
    ("/waiting", "get"),
    ("/waiting/{interaction}/take", "post"),
    ("/tables", "get"),
    ("/tables/{name}", "put delete"),
    ("/flow/check", "post"),
    ("/flow/try", "post"),
    ("/tenant/dialling", "get"),
    ("/tenant", "get put"),
    ("/calls", "get"),
    ("/calls/{interaction}", "get"),
    ("/calls/{interaction}/legs", "get"),
    ("/media/legs", "get"),
    ("/interactions/{interaction}/explanation", "get"),
    ("/waiting/explanations", "get"),
    ("/calls", "post"),
    ("/calls/{interaction}/hang_up", "post"),
    ("/calls/{interaction}/flow", "put delete"),
    ("/calls/{interaction}/attending", "put delete"),
    ("/calls/{interaction}/take_over", "post"),
    ("/reports", "get post"),
    ("/reports/count", "get"),
    ("/reports/{report}/log", "get"),
    ("/reports/{report}/done", "put"),
    ("/voicemails", "get"),
    ("/voicemails/count", "get"),
    ("/voicemails/{voicemail}", "delete"),
    ("/voicemails/{voicemail}/heard", "put"),
    ("/voicemails/{voicemail}/message/peaks", "get"),
    ("/voicemails/{voicemail}/{file}", "get"),
    ("/calls/{interaction}/cancel_callback", "post"),
    ("/calls/{interaction}/recording", "put"),
    ("/records", "get"),
    ("/records/{interaction}", "get"),
    ("/records/{interaction}/{file}", "get"),
    ("/records/{interaction}/trace", "get"),
    ("/records/{interaction}/trace.pcap", "get"),
    ("/records/{interaction}/recording", "delete"),
    ("/records/{interaction}/recording/accesses", "get"),
    ("/records/{interaction}/recording/peaks", "get"),
    ("/events", "get"),
    ("/audit", "get"),
    ("/keys", "get post"),
    ("/keys/{id}", "delete"),
    ("/blocks", "get post"),
    ("/blocks/{id}", "delete"),
    ("/status", "get"),
];

/// API-01: OpenAPI 3.1 generated from the handlers, with exactly what is promised and served.
#[tokio::test]
async fn every_route_is_in_the_document_and_every_promise_is_a_route() {
    let api = Api::open().await;
    let document = api.stranger().get("/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (path.clone(), method.clone()))
        })
        .collect();
    let promised: BTreeSet<(String, String)> = CONTRACT
        .iter()
        .flat_map(|(path, methods)| methods.split(' ').map(move |m| (format!("/api/v1{path}"), m.to_owned())))
        .collect();
    assert_eq!(documented, promised);
    let mut names = BTreeSet::new();
    for (path, method) in &documented {
        let operation = &document["paths"][path][method];
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path} {method}");
        assert!(operation["summary"].is_string(), "{method} {path} says what it does");
        assert!(operation["responses"].as_object().unwrap().keys().any(|status| status.as_str() < "400"));
    }
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(schemas.contains_key(reference), "{reference} is defined");
    }
}

/// API-01: the documents can be read without anything from elsewhere; every problem type has a page.
#[tokio::test]
async fn the_pages_about_the_api_need_nothing_from_elsewhere() {
    let api = Api::open().await;
    let page = api.stranger().get("/docs").await;
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    assert!(html.contains("POST /api/v1/session") && html.contains("Sign in"), "{html}");
    for foreign in ["http://", "https://", "<script", "style="] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    for kind in desk::refusal::KINDS {
        let page = api.stranger().get(&format!("!/problems/{}", kind.slug)).await;
        assert_eq!(page.status, 200, "{}", kind.slug);
        assert!(String::from_utf8_lossy(&page.bytes).contains(kind.title));
    }
    assert_eq!(api.stranger().get("!/problems/none").await.status, 404);
}

/// SAFE-03: content security policy without inline script, on everything that is answered.
#[tokio::test]
async fn every_answer_tells_browsers_what_it_may_do() {
    let api = Api::open().await;
    for path in ["!/", "!/livez", "!/nothing.js", "/session", "/docs", "!/metrics"] {
        let answer = api.stranger().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("strict-transport-security").starts_with("max-age="), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

/// OPS-06: health and figures for machines that watch.
#[tokio::test]
async fn health_and_figures_are_there_without_sign_in() {
    let api = Api::open().await;
    let stranger = api.stranger();
    assert_eq!(stranger.get("!/livez").await.status, 200);
    let ready = stranger.get("!/readyz").await;
    assert_eq!((ready.status, &ready.body), (200, &json!({"ready": true, "checks": []})));
    let checks = stranger.get("!/readyz?verbose").await.body["checks"].clone();
    let names: Vec<_> =
        checks.as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["floor", "journal", "database", "calls", "sip"]);
    let metrics = stranger.get("!/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    assert!(String::from_utf8_lossy(&metrics.bytes).contains("patchbay_start_time_seconds"));
    // The database goes away: not ready, but alive.
    api.house.store.close().await;
    let away = stranger.get("!/readyz?verbose").await;
    assert_eq!(away.status, 503);
    assert_eq!(away.body["checks"][2], json!({"name": "database", "ok": false, "detail": null}));
    assert_eq!(stranger.get("!/livez").await.status, 200);
}

#[tokio::test]
async fn without_a_built_console_a_page_says_how_to_build_it() {
    let api = Api::open().await;
    let page = api.stranger().get("!/").await;
    assert_eq!(page.status, 200);
    let html = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(html.contains("make console") || html.contains("<script"), "{html}");
    assert_eq!(
        api.stranger().get("!/../../etc/passwd").await.header("content-type").split(';').next(),
        Some("text/html")
    );
    assert_eq!(api.stranger().get("!/assets/none.js").await.problem(), "not-found");
}

/// STATE-22 and the live views, as a supervisor uses them.
#[tokio::test]
async fn a_supervisor_sees_agents_queues_and_calls_and_steers() {
    let mut api = Api::open().await;
    let mut page = api.house.page("anna").await;
    let call = api.house.talking(&mut page).await;
    let sue = api.client("sue").await;
    let agents = sue.get("/agents").await.body;
    let anna = agents["items"].as_array().unwrap().iter().find(|a| a["name"] == "ANNA").unwrap().clone();
    assert_eq!(anna["state"]["state"], "busy");
    let queues = sue.get("/queues").await.body;
    assert_eq!(queues["items"][0]["agents"], 1);
    let calls = sue.get("/calls").await.body;
    assert_eq!(
        (&calls["items"][0]["phase"], &calls["items"][0]["agent"]),
        (&json!("talking"), &anna["user"])
    );
    let path = format!("/agents/{}/state", anna["user"].as_str().unwrap());
    let forced = sue.send(Method::PUT, &path, &[], Some(json!({"state": "not_ready"}))).await;
    assert_eq!((forced.status, &forced.body["after_work"]["state"]), (200, &json!("not_ready")));
    let hang_up = sue.send(Method::POST, &format!("/calls/{call}/hang_up"), &[], None).await;
    assert_eq!(hang_up.status, 202);
    api.house
        .order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(()))
        .await;
    let status = sue.get("/status").await.body;
    assert_eq!((&status["version"], &status["calls"]), (&json!("test"), &json!(1)));
    api.house.call_ends(call, EndedBy::Agent).await;
    page.state("wrap_up").await;
    let gone = sue.send(Method::POST, &format!("/calls/{call}/hang_up"), &[], None).await;
    assert_eq!(gone.problem(), "not-found");
    // ROUTE-07: the emergency is a supervisor's to switch.
    let path = format!("/services/{}/emergency", queues["items"][0]["service"]["id"].as_str().unwrap());
    let on = || Some(json!({"on": true}));
    assert_eq!(api.client("ben").await.send(Method::PUT, &path, &[], on()).await.problem(), "forbidden");
    assert_eq!(sue.send(Method::PUT, &path, &[], on()).await.status, 204);
    assert_eq!(sue.get("/queues").await.body["items"][0]["emergency"], true);
    // Agents see the queues, too.
    assert_eq!(api.client("ben").await.get("/queues").await.status, 200);
}

/// REC-01, REC-07: the own records with their recordings, whole and in ranges; others' are not there.
#[tokio::test]
async fn a_recording_is_served_whole_and_in_ranges_to_whom_it_concerns() {
    let mut api = Api::open().await;
    let take: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let file = api.house.folder().join("take.wav");
    std::fs::write(&file, &take).unwrap();
    *api.house.finisher.file.lock().unwrap() = Some(file);
    let mut page = api.house.page("anna").await;
    let call = api.house.talking(&mut page).await;
    let recording = RecordingId::from_number(5);
    api.house.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
    api.house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let anna = api.client("anna").await;
    let records = anna.get("/records?direction=inbound&caller=30123&status=normal").await.body;
    assert_eq!(records["items"][0]["interaction"], call.to_string(), "{records}");
    assert_eq!(anna.get("/records?status=lost").await.problem(), "invalid");
    // REC-01: telephone and online contacts apart.
    let calls = anna.get("/records?channel=voice,callback").await.body;
    assert_eq!(calls["items"], anna.get("/records").await.body["items"]);
    assert_eq!(anna.get("/records?channel=chat,email").await.body["items"], serde_json::json!([]));
    assert_eq!(anna.get("/records?channel=fax").await.problem(), "invalid");
    let path = format!("/records/{call}/recording.wav");
    let whole = anna.get(&path).await;
    assert_eq!((whole.status, whole.bytes.len()), (200, 100_000));
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("audio/wav", "bytes"));
    let part = anna.send(Method::GET, &path, &[("range", "bytes=10-19")], None).await;
    assert_eq!((part.status, part.header("content-range")), (206, "bytes 10-19/100000"));
    assert_eq!(part.bytes, (10..=19).collect::<Vec<u8>>());
    let beyond = anna.send(Method::GET, &path, &[("range", "bytes=100000-")], None).await;
    assert_eq!((beyond.problem(), beyond.header("content-range")), ("bad-range", "bytes */100000"));
    assert_eq!(anna.get(&format!("/records/{call}/recording.flac")).await.status, 404);
    let peaks = anna.get(&format!("/records/{call}/recording/peaks")).await.body;
    assert_eq!(peaks["length_ms"], 7_000);
    let ben = api.client("ben").await;
    assert_eq!(ben.get(&path).await.problem(), "not-found", "not his");
    assert_eq!(ben.get(&format!("/records/{call}")).await.status, 404);
    let adam = api.client("adam").await;
    let log = adam.get(&format!("/audit?target={call}")).await.body;
    let played: Vec<_> =
        log["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "recording.play").collect();
    assert_eq!(played.len(), 3, "API-03: each access of Anna is audited: {log}");
    // Who listened is for supervisors: neither for who did, nor for others.
    let accesses = format!("/records/{call}/recording/accesses");
    for agent in [&anna, &ben] {
        let refused = agent.get(&accesses).await;
        assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    }
    let told = api.client("sue").await.get(&format!("{accesses}?limit=2")).await;
    assert_eq!((told.status, told.body["items"].as_array().map(Vec::len)), (200, Some(2)), "{}", told.body);
    let newest = &told.body["items"][0];
    assert_eq!((&newest["by_name"], &newest["format"]), (&"ANNA".into(), &"wav".into()), "{newest}");
    assert!(told.body["next_cursor"].is_string(), "one is older: {}", told.body);
}

/// API-02: the journal as Server-Sent Events, resumed by Last-Event-ID without a gap.
#[tokio::test]
async fn the_journal_is_followed_and_resumed_without_a_gap() {
    let mut api = Api::open().await;
    let mut page = api.house.page("anna").await;
    let call = api.house.talking(&mut page).await;
    let sue = api.client("sue").await;
    let request = sue.request(Method::GET, "/events", &[("last-event-id", "2")], None);
    let response = sue.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut frames = response.into_body().into_data_stream();
    let mut text = String::new();
    api.house.call_ends(call, EndedBy::Customer).await;
    let read = async {
        while !text.contains("wrap_up_started") {
            text.push_str(&String::from_utf8_lossy(&frames.next().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap();
    let ids: Vec<u64> =
        text.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids, (3..=*ids.last().unwrap()).collect::<Vec<_>>());
    let first = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let entry: Value = serde_json::from_str(first).unwrap();
    assert_eq!(entry["seq"], 3);
    assert!(entry["event"]["type"].is_string());
    let wrong = sue.send(Method::GET, "/events", &[("last-event-id", "yesterday")], None).await;
    assert_eq!(wrong.problem(), "malformed");
}
