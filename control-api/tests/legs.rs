//! Live media legs behind the door: who may look, pages, the legs of one call.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use common::Api;
use control_api::wire::legs::{Leg, MediaLegs, MediaTotals};
use model::id::{Id, InteractionId, LegId};
use serde_json::{Value, json};

fn legs(count: u64, call: Option<InteractionId>) -> MediaLegs {
    let leg = |n| Leg {
        leg: LegId::from_number(n).to_string(),
        call: call.filter(|_| n % 2 == 0).map(|call| call.to_string()),
        ..Leg::default()
    };
    let totals = MediaTotals { legs: count as usize, ..MediaTotals::default() };
    MediaLegs { at: 7, totals, items: (1..=count).map(leg).collect(), next_cursor: None }
}

fn ids(body: &Value) -> Vec<&str> {
    body["items"].as_array().unwrap().iter().map(|leg| leg["leg"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn legs_are_given_in_pages_and_the_whole_with_each() {
    let api = Api::open().await;
    api.shows_legs(legs(450, None));
    let sue = api.client("sue").await;
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = sue.get(&format!("/media/legs?limit=1000{cursor}")).await;
        assert_eq!(
            (page.status, &page.body["totals"]["legs"], &page.body["at"]),
            (200, &json!(450), &json!(7))
        );
        assert!(ids(&page.body).len() <= 200, "a page has a bound");
        seen.extend(ids(&page.body).into_iter().map(str::to_owned));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let all: Vec<String> = (1..=450).map(|n| LegId::from_number(n).to_string()).collect();
    assert_eq!(seen, all, "each once, oldest first");
    let odd = sue.get("/media/legs?cursor=%27;drop").await;
    assert_eq!((odd.status, odd.problem()), (400, "malformed"));
}

#[tokio::test]
async fn the_legs_of_a_call_are_those_and_no_others() {
    let mut api = Api::open().await;
    let mut page = api.house.page("anna").await;
    let call = api.house.talking(&mut page).await;
    api.shows_legs(legs(5, Some(call)));
    let sue = api.client("sue").await;
    let answer = sue.get(&format!("/calls/{call}/legs")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(ids(&answer.body), [2, 4].map(|n| LegId::from_number(n).to_string()));
}

#[tokio::test]
async fn a_call_that_is_not_there_is_said_to_be_missing() {
    let api = Api::open().await;
    api.shows_legs(legs(2, None));
    let sue = api.client("sue").await;
    for unknown in [InteractionId::from_number(99).to_string(), "nonsense".into()] {
        let answer = sue.get(&format!("/calls/{unknown}/legs")).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{unknown}");
    }
}

/// SEC-05: agents see their own work, not everybody's lines.
#[tokio::test]
async fn live_media_is_for_supervisors() {
    let mut api = Api::open().await;
    let mut page = api.house.page("anna").await;
    let call = api.house.talking(&mut page).await;
    api.shows_legs(legs(2, Some(call)));
    let anna = api.client("anna").await;
    for path in ["/media/legs".to_owned(), format!("/calls/{call}/legs")] {
        assert_eq!(anna.get(&path).await.status, 403, "{path}");
        assert_eq!(api.stranger().get(&path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_media_plane_that_does_not_answer_is_told() {
    let api = Api::open().await;
    let answer = api.client("sue").await.get("/media/legs").await;
    assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
}
