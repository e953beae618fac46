//! The journal decided again, and under other rules (ROUTE-10).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::audit::Actor;
use desk::configuration::Configuration;
use desk::console::protocol::Command;
use desk::past::Past;
use desk::past::twin::Change;
use desk::testing::{House, Page, anna, ben, cleo, german, help, tenant};
use model::id::InteractionId;
use model::interaction::EndedBy;
use model::people::User;
use model::skill::{Level, SkillExpr};
use model::time::Timestamp;
use sqlx::{Connection as _, Row as _, SqliteConnection};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Anna takes the call that rings after 3 s, talks for 57 s and completes it at once.
async fn anna_serves(house: &mut House, page: &mut Page, call: InteractionId) {
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna());
    house.pass(seconds(3)).await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(call, anna()).await;
    house.pass(seconds(57)).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    house.settled().await;
}

/// Three callers at once and one agent: two are answered, after 3 s and after 63 s, and the third leaves after 100 s.
async fn three_callers(house: &mut House) -> Page {
    let mut page = house.page("anna").await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(house.customer_calls("100").await);
    }
    house.settled().await;
    anna_serves(house, &mut page, calls[0]).await;
    let (_, token) = house.rung(calls[1]).await;
    house.pass(seconds(3)).await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(calls[1], anna()).await;
    house.pass(seconds(37)).await;
    house.call_ends(calls[2], EndedBy::Customer).await;
    house.pass(seconds(20)).await;
    house.call_ends(calls[1], EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: calls[1] }).await.unwrap();
    house.settled().await;
    page
}

/// ROUTE-10: work of every kind, changes of the configuration and a crash: decided again, the journal comes out the same byte for byte.
#[tokio::test]
async fn route_10_what_was_journaled_is_decided_again() {
    let mut house = House::open().await;
    let page = three_callers(&mut house).await;
    let _ben = house.page("ben").await;
    // Declined, missed, and left while it rings.
    let call = house.customer_calls("100").await;
    let (_, token) = house.rung(call).await;
    page.does(Command::Decline { offer: token }).await.unwrap();
    house.rung(call).await;
    house.pass(seconds(21)).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    page.does(Command::Call { user: Some(ben()), extension: None }).await.ok();
    house.pass(seconds(30)).await;
    let row = house.desk.get::<User>(cleo()).await.unwrap();
    let learnt = User { skills: [(german(), Level::MAX)].into(), ..row.item };
    house.desk.update_user(learnt, row.version, Actor::default()).await.unwrap();
    let cleo_page = house.page("cleo").await;
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, cleo());
    cleo_page.does(Command::Accept { offer: token }).await.unwrap();
    house.settled().await;
    let mut house = house.crash().await;
    house.pass(seconds(5)).await;
    three_callers(&mut house).await;

    let past = Past::of(&house.store, tenant());
    let all = past.decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert_eq!(all.difference, None);
    assert_eq!((all.starts, all.changes, all.unknown), (2, 1, None));
    assert!(all.same.offers >= 6 && all.same.decisions > all.same.offers, "{all:?}");
    let late = past.decide_again(house.clock_now(), Timestamp::NEVER).await.unwrap();
    assert!(
        late.difference.is_none() && late.starts == 1 && late.same.entries < all.same.entries,
        "{late:?}"
    );
    let half = past.decide_again(Timestamp::ZERO, late.since.unwrap() - seconds(1)).await.unwrap();
    assert_eq!((half.starts, half.difference), (1, None));
}

/// ROUTE-10: a journal in which somebody else was rung than the floor rings is not the journal of this floor.
#[tokio::test]
async fn route_10_a_changed_journal_is_found() {
    let mut house = House::open().await;
    three_callers(&mut house).await;
    let url = format!("sqlite://{}", house.folder().join("patchbay.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    let blocks =
        sqlx::query("SELECT first, entries FROM journal_blocks").fetch_all(&mut other).await.unwrap();
    for block in blocks {
        let (first, entries): (i64, String) = (block.get("first"), block.get("entries"));
        let mut told = entries.split("\"type\":\"offered\"");
        let mut swapped = told.next().unwrap_or_default().to_owned();
        for rest in told {
            let rest = rest.replacen(&anna().to_string(), &cleo().to_string(), 1);
            swapped.extend(["\"type\":\"offered\"", &rest]);
        }
        let update = sqlx::query("UPDATE journal_blocks SET entries = $1 WHERE first = $2");
        update.bind(swapped).bind(first).execute(&mut other).await.unwrap();
    }
    let found =
        Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    let difference = found.difference.expect("it is found");
    let text = serde_json::to_string(&difference.written.event).unwrap();
    assert!(text.contains(&cleo().to_string()) && text.contains("offered"), "{text}");
    assert!(format!("{:?}", difference.decided).contains(&anna().to_string()), "{:?}", difference.decided);
}

/// ROUTE-10: the same time under other rules. With nothing changed the twin does what happened, to the second; with a second agent
/// the second caller does not wait and the third is answered.
#[tokio::test]
async fn route_10_yesterday_is_tried_under_other_rules() {
    let mut house = House::open().await;
    let from = house.clock_now();
    three_callers(&mut house).await;
    let past = Past::of(&house.store, tenant());
    let now = Configuration::load(&house.store, tenant()).await.unwrap();
    let time = (from, house.clock_now());
    let more = Change { agents: vec![(1, [(german(), Level::MIN)].into())], ..Change::default() };
    let compared = past.what_if(time, &more, &now, 7).await.unwrap();
    let waits = |outcome: &desk::past::twin::Outcome| {
        let f = &outcome.total;
        (f.customers, f.answered, f.abandoned, f.mean_wait_s, f.p95_wait_s, f.service_level_percent.round())
    };
    assert_eq!(waits(&compared.recorded), (3, 2, 1, 33.0, 63.0, 33.0));
    assert_eq!(compared.same_rules, compared.recorded, "with nothing changed nothing changes");
    assert_eq!(waits(&compared.changed), (3, 3, 0, 23.0, 63.0, 67.0));
    assert!(compared.changed.occupancy_percent < compared.recorded.occupancy_percent, "{compared:?}");
    assert_eq!(past.what_if(time, &more, &now, 7).await.unwrap(), compared, "the same seed, the same day");

    // Whom nobody meets nobody answers.
    let who = SkillExpr::AtLeast { skill: german(), level: Level::MAX };
    let fewer = Change { requirements: vec![(help(), who)], ..Change::default() };
    let compared = past.what_if(time, &fewer, &now, 7).await.unwrap();
    assert_eq!((compared.changed.total.answered, compared.changed.total.customers), (0, 3), "{compared:?}");
}
