//! What agents report as not working.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use axum::http::Method;
use common::Api;
use model::id::{Id as _, InteractionId, ReportId};
use serde_json::{Value, json};

/// QUAL-03, QUAL-04: an agent reports a problem with a part of the page's log; it goes to the administrators, who read the log,
/// audited, and deal with it. Nobody else sees it.
#[tokio::test]
async fn an_agent_reports_a_problem_and_an_administrator_deals_with_it() {
    let mut api = Api::open().await;
    let (anna, sue, adam) = (api.client("anna").await, api.client("sue").await, api.client("adam").await);
    let mut page = api.house.page("ben").await;
    let call = api.house.talking(&mut page).await;
    let ben = api.client("ben").await;
    let log = "10:00:01 phone: connected\n10:00:07 phone: disconnected\n";
    let body =
        json!({ "interaction": call.to_string(), "fault": "noise", "remark": " It crackles. ", "log": log });
    assert_eq!(anna.post("/reports", body.clone()).await.status, 404, "it is not her call");
    let made = ben.post("/reports", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let general = ben.post("/reports", json!({ "fault": "other", "remark": "The page is slow." })).await;
    assert_eq!((general.status, &general.body["interaction"]), (201, &Value::Null));

    for other in [&ben, &sue] {
        for path in ["/reports".to_owned(), "/reports/count".to_owned(), format!("/reports/{id}/log")] {
            assert_eq!(other.get(&path).await.status, 403, "{path}");
        }
    }
    assert_eq!(adam.get("/reports/count").await.body["open"], 2);
    let all = adam.get("/reports?open=true").await.body;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let seen =
        all["items"].as_array().unwrap().iter().find(|report| report["id"] == id.as_str()).unwrap().clone();
    assert_eq!(
        (&seen["agent_name"], &seen["fault"], &seen["remark"], &seen["interaction"], &seen["log_size"]),
        (&json!("BEN"), &json!("noise"), &json!("It crackles."), &json!(call.to_string()), &json!(log.len())),
        "{seen}"
    );
    let read = adam.get(&format!("/reports/{id}/log")).await;
    assert_eq!((read.status, read.header("content-type")), (200, "text/plain; charset=utf-8"));
    let none = format!("/reports/{}/log", general.body["id"].as_str().unwrap());
    assert_eq!(adam.get(&none).await.status, 404);
    let audited = adam.get("/audit?action=report.log").await.body;
    assert_eq!(audited["items"].as_array().unwrap().len(), 1, "{audited}");

    let mark = async |done: bool| {
        adam.send(Method::PUT, &format!("/reports/{id}/done"), &[], Some(json!({ "done": done }))).await
    };
    assert_eq!(mark(true).await.body["done_by_name"], "ADAM");
    assert_eq!(mark(true).await.status, 200, "said twice");
    assert_eq!(adam.get("/reports/count").await.body["open"], 1);
    assert_eq!(mark(false).await.body["done_at"], Value::Null);
    let nobodys = format!("/reports/{}/done", ReportId::from_number(9));
    assert_eq!(adam.send(Method::PUT, &nobodys, &[], Some(json!({ "done": true }))).await.status, 404);
}

/// QUAL-03: what cannot be a report is refused with its reason, and one agent does not fill the list.
#[tokio::test]
async fn what_is_no_report_is_refused() {
    let api = Api::open().await;
    let anna = api.client("anna").await;
    for (body, pointer) in [
        (json!({ "fault": "other", "remark": "  " }), "/remark"),
        (json!({ "fault": "echo", "remark": "x".repeat(2_001) }), "/remark"),
        (json!({ "fault": "echo", "log": "x".repeat(262_145) }), "/log"),
        (json!({ "fault": "echo", "log": "\u{0}" }), "/log"),
    ] {
        let answer = anna.post("/reports", body).await;
        assert_eq!(
            (answer.status, &answer.body["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{}",
            answer.body
        );
    }
    assert_eq!(anna.post("/reports", json!({ "fault": "hunger" })).await.status, 400);
    let of_nobody = json!({ "fault": "echo", "interaction": InteractionId::from_number(5) });
    assert_eq!(anna.post("/reports", of_nobody).await.status, 404);
    for _ in 0..20 {
        assert_eq!(anna.post("/reports", json!({ "fault": "echo" })).await.status, 201);
    }
    assert_eq!(anna.post("/reports", json!({ "fault": "echo" })).await.status, 409);
}
