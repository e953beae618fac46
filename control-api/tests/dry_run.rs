//! Changes that are tried before they are made.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use common::Api;
use desk::testing::help;
use serde_json::{Value, json};

/// ROUTE-06: a change of the set-up says beforehand what it would do, and does nothing.
#[tokio::test]
async fn a_change_can_be_tried_before_it_is_made() {
    let mut api = Api::open().await;
    let anna_page = api.house.page("anna").await;
    anna_page.does(desk::console::protocol::Command::NotReady { reason: None }).await.unwrap();
    let call = api.house.customer_calls("100").await;
    api.house.settled().await;
    let adam = api.client("adam").await;
    let find = async |kind: &str, name: &str| -> serde_json::Value {
        let all = adam.get(&format!("/{kind}")).await.body;
        let items = all["items"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("{all}")).clone()
    };

    // Nobody would meet it any more.
    let mut service = find("services", "Help").await;
    let id = service["id"].as_str().unwrap().to_owned();
    let step = &mut service["requirement"]["steps"][0];
    step["who_text"] = "German >= 10".into();
    step.as_object_mut().unwrap().remove("who");
    let tried = adam.put(&format!("/services/{id}?dry_run=true"), "\"7\"", service.clone()).await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    assert_eq!(tried.body["queues"][0]["before"], 2, "{}", tried.body);
    assert_eq!(tried.body["queues"][0]["after"], 0, "{}", tried.body);
    assert_eq!(tried.body["nobody_meets"][0]["asks_for"], "German >= 10", "{}", tried.body);
    assert_eq!(tried.body["agents_total"], 2, "{}", tried.body);
    assert_eq!(tried.body["waiting_total"], 0, "who waits keeps the requirement: {}", tried.body);
    assert_eq!(find("services", "Help").await["requirement"], {
        let same = adam.get(&format!("/services/{id}")).await.body;
        same["requirement"].clone()
    });
    assert_ne!(find("services", "Help").await["requirement"], service["requirement"], "nothing was stored");

    // Without Anna the caller who waits has one agent, without Ben as well none.
    let anna = find("users", "ANNA").await;
    let path = format!("/users/{}?dry_run=true", anna["id"].as_str().unwrap());
    let tried = adam.delete(&path, "*").await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    assert_eq!(tried.body["agents"][0]["loses"][0], "Help", "{}", tried.body);
    let waiting = &tried.body["waiting"][0];
    assert_eq!((&waiting["before"], &waiting["after"]), (&2.into(), &1.into()), "{}", tried.body);
    assert_eq!(waiting["interaction"], call.to_string());
    let mut ben = find("users", "BEN").await;
    let ben_path = format!("/users/{}", ben["id"].as_str().unwrap());
    let etag = adam.get(&ben_path).await.etag();
    ben["skills"] = serde_json::json!({});
    let tried = adam.put(&format!("{ben_path}?dry_run=true"), &etag, ben.clone()).await;
    assert_eq!(tried.body["queues"][0]["after"], 1, "{}", tried.body);
    assert_eq!(adam.put(&ben_path, &etag, ben).await.status, 200, "the version is still the one it was");
    let tried = adam.delete(&path, "*").await;
    let warnings = tried.body["warnings"].to_string();
    assert!(warnings.contains("One caller who waits would lose every agent"), "{warnings}");
    assert!(warnings.contains("Nobody could answer Help"), "{warnings}");

    // What cannot be stored is refused as in earnest, and a trial needs the same right.
    let odd = adam.post("/skills?dry_run=true", serde_json::json!({ "name": "" })).await;
    assert_eq!(odd.status, 422, "{}", odd.body);
    let new = adam.post("/skills?dry_run=true", serde_json::json!({ "name": "Klingon" })).await;
    assert_eq!((new.status, &new.body["queues"]), (200, &serde_json::json!([])), "{}", new.body);
    let sue = api.client("sue").await;
    assert_eq!(sue.delete(&path, "*").await.status, 403);
}

/// ROUTE-06: times that would be other ones are said, with how many who wait keep theirs; what stays is not said.
#[tokio::test]
async fn times_that_change_are_said_before() {
    let mut api = Api::open().await;
    let page = api.house.page("anna").await;
    page.does(desk::console::protocol::Command::NotReady { reason: None }).await.unwrap();
    api.house.customer_calls("100").await;
    api.house.settled().await;
    let adam = api.client("adam").await;
    let path = format!("/services/{}", help());
    let mut service = adam.get(&path).await.body;
    let same = adam.put(&format!("{path}?dry_run=true"), "*", service.clone()).await;
    assert_eq!((same.status, &same.body["times"]), (200, &json!([])), "{}", same.body);
    let ring = service["queue"]["ring_time_ms"].clone();
    service["queue"]["ring_time_ms"] = json!(7_000);
    service["queue"]["wait_time_max_ms"] = json!(90_000);
    let tried = adam.put(&format!("{path}?dry_run=true"), "*", service).await.body;
    let time = |what: &str, before: Value, after: u64, kept_by: u64| json!({"what": what, "of": "Help", "step": null, "before_ms": before, "after_ms": after, "kept_by": kept_by});
    let wanted = [time("ring_time", ring, 7_000, 0), time("longest_wait", Value::Null, 90_000, 1)];
    assert_eq!(tried["times"], json!(wanted), "{tried}");

    let team = adam.get("/groups").await.body["items"][0].clone();
    let path = format!("/groups/{}?dry_run=true", team["id"].as_str().unwrap());
    let mut other = team.clone();
    other["rules"]["wrap_up_ms"] = json!(5_000);
    other["rules"]["wrap_up"] = json!(true);
    let tried = adam.put(&path, "*", other).await.body;
    assert_eq!(tried["times"][0]["what"], "after_call_work", "{tried}");
    assert_eq!(
        (&tried["times"][0]["of"], &tried["times"][0]["after_ms"]),
        (&team["name"], &json!(5_000)),
        "{tried}"
    );
}

/// ROUTE-01, CHAT-01: what is set for all can be tried as well: how many agents could carry fewer contacts of a kind, and how many none.
#[tokio::test]
async fn the_tenants_settings_can_be_tried() {
    let api = Api::open().await;
    let adam = api.client("adam").await;
    let before = adam.get("/tenant").await;
    let mut tenant = before.body.clone();
    tenant["capacity"]["chat"]["at_once"] = json!(2);
    tenant["capacity"]["email"]["at_once"] = json!(0);
    let tried = adam.put("/tenant?dry_run=true", "\"7\"", tenant.clone()).await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    let agents = adam.get("/users").await.body["items"].as_array().unwrap().len();
    let carried = |channel: &str, none: usize| json!({"channel": channel, "fewer": agents, "none": none});
    assert_eq!(
        tried.body["carried"],
        json!([carried("chat", 0), carried("email", agents)]),
        "{}",
        tried.body
    );
    assert!(tried.body["warnings"].to_string().contains("email contacts any more"), "{}", tried.body);
    assert_eq!(adam.get("/tenant").await.body, before.body, "nothing was stored");
    tenant["capacity"]["units"] = json!(0);
    assert_eq!(adam.put("/tenant?dry_run=true", "*", tenant.clone()).await.status, 422);
    assert_eq!(api.client("sue").await.put("/tenant?dry_run=true", "*", tenant).await.status, 403);
}
