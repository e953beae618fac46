//! What colleagues see of each other, apart from routing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::console::protocol::{Command, Presence};
use desk::testing::{House, Page, anna};
use model::interaction::EndedBy;

async fn seen(house: &House, of: &str) -> (Option<Presence>, bool) {
    let ben = house.sign_in("ben").await;
    let page = house.desk.colleagues(&ben, (of, None), None, 1).await.unwrap();
    (page.items[0].presence, page.items[0].callable)
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// STATE-23, STATE-24: whoever does nothing for 15 minutes is away, in whatever routing state, and back with the next thing done.
#[tokio::test]
async fn whoever_does_nothing_is_away_until_the_next_action() {
    let house = House::open().await;
    assert_eq!(seen(&house, "anna").await.0, None, "not signed in");
    let mut page = house.page("anna").await;
    assert_eq!(page.welcome["snapshot"]["me"]["presence"], "available");
    house.pass(minutes(14)).await;
    page.does(Command::Active).await.unwrap();
    house.pass(minutes(14)).await;
    assert_eq!(seen(&house, "anna").await.0, Some(Presence::Available), "something was done meanwhile");
    house.pass(minutes(1)).await;
    let me = page.event("me", |e| e["agent"]["presence"] == "away").await;
    assert_eq!(me["agent"]["state"]["state"], "ready", "routing does not ask for it");
    assert_eq!(seen(&house, "anna").await.0, Some(Presence::Away));
    // What a page does by itself is no sign of life.
    page.does(Command::Resync).await.unwrap();
    assert_eq!(seen(&house, "anna").await.0, Some(Presence::Away));
    page.does(Command::NotReady { reason: None }).await.unwrap();
    page.event("me", |e| e["agent"]["presence"] == "available").await;
}

/// STATE-25: do not disturb is set and cleared by hand, outlives a crash, and stops nobody from calling; nor does being away.
#[tokio::test]
async fn do_not_disturb_is_chosen_and_colleagues_still_get_through() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    house
        .fact(model::call::CallFact::PhoneUp { agent: anna(), phone: model::people::PhoneKind::Browser })
        .await;
    page.event("phone", |e| e["phone"]["up"] == true).await;
    page.does(Command::DoNotDisturb { on: true }).await.unwrap();
    page.event("me", |e| e["agent"]["presence"] == "do_not_disturb").await;
    assert_eq!(seen(&house, "anna").await, (Some(Presence::DoNotDisturb), true));
    house.pass(minutes(20)).await;
    assert_eq!(seen(&house, "anna").await, (Some(Presence::DoNotDisturb), true), "and away behind it");
    let call = house.customer_calls("100").await;
    assert_eq!(house.rung(call).await.0, anna(), "routing does not ask for it");
    let house = house.crash().await;
    let mut page = Page::attach(&house.desk, &page.who, None).await;
    assert_eq!(page.welcome["snapshot"]["me"]["presence"], "do_not_disturb");
    page.does(Command::DoNotDisturb { on: false }).await.unwrap();
    page.event("me", |e| e["agent"]["presence"] == "available").await;
}

/// STATE-26: on a call is who talks to a customer, and only as long; afterwards it is as before.
#[tokio::test]
async fn on_a_call_is_who_talks_to_a_customer() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    page.does(Command::DoNotDisturb { on: true }).await.unwrap();
    let call = house.talking(&mut page).await;
    assert_eq!(seen(&house, "anna").await.0, Some(Presence::OnCall));
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    assert_eq!(seen(&house, "anna").await.0, Some(Presence::DoNotDisturb), "after-call work is none");
}
