//! What people say to callers who are to leave them a message.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use axum::http::Method;
use common::Api;
use desk::testing::{anna, ben};
use serde_json::json;

/// VM-03, VM-16: a file is brought, heard, named, chosen, replaced and deleted; what is wrong is said, and nobody reaches what is another's.
#[tokio::test]
async fn a_greeting_is_kept_over_the_api() {
    let api = Api::open().await;
    let (own, adam, other) = (api.client("anna").await, api.client("adam").await, api.client("ben").await);
    let path = format!("/users/{}/greetings", anna());
    let file = |octets: &[u8]| Some(("audio/wav", octets.to_vec()));
    let made = own.raw(Method::POST, &format!("{path}?name=On%20holiday"), &[], file(b"RIFFabc")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.body["name"], &made.body["chosen"]), (&json!("On holiday"), &json!(false)));
    let one = format!("{path}/{}", made.body["id"].as_str().unwrap());
    let wrong = own.raw(Method::POST, &format!("{path}?name=Two"), &[], file(b"%PDF")).await;
    assert_eq!((wrong.status, wrong.problem()), (422, "invalid"), "{}", wrong.body);
    let nameless = own.raw(Method::POST, &path, &[], file(b"RIFFabc")).await;
    assert_eq!(nameless.status, 400, "{}", nameless.body);
    let large = own.raw(Method::POST, &format!("{path}?name=Two"), &[], file(&vec![0; 13 << 20])).await;
    assert_eq!(large.status, 413);

    let chosen = json!({ "name": "Away", "chosen": true });
    assert_eq!(other.send(Method::PUT, &one, &[], Some(chosen.clone())).await.status, 403);
    assert_eq!(adam.send(Method::PUT, &one, &[], Some(chosen)).await.body["name"], "Away");
    let again = own.raw(Method::PUT, &format!("{one}/audio"), &[], file(b"RIFFab")).await;
    assert_eq!((again.status, &again.body["length_ms"]), (200, &json!(2_000)), "{}", again.body);
    let heard = own.get(&format!("{one}/audio")).await;
    assert_eq!(
        (heard.status, heard.header("content-type"), &heard.bytes[..]),
        (200, "audio/wav", &b"RIFFab"[..])
    );
    assert_eq!(other.get(&path).await.status, 403);
    let all = adam.get(&path).await.body;
    assert_eq!(
        (&all["items"][0]["name"], &all["items"][0]["chosen"]),
        (&json!("Away"), &json!(true)),
        "{all}"
    );

    let not_theirs = one.replace(&anna().to_string(), &ben().to_string());
    assert_eq!(other.get(&format!("{not_theirs}/audio")).await.status, 404);
    assert_eq!(own.send(Method::DELETE, &one, &[], None).await.status, 204);
    assert_eq!(own.get(&format!("{one}/audio")).await.status, 404);
    assert_eq!(own.get(&path).await.body["items"], json!([]));
}
