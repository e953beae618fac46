//! When the database does not answer: calls go on, promises wait in the spool, and nothing is told that is not so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use desk::console::protocol::Command;
use desk::testing::{House, anna};
use model::call::{CallOrder, Rejection};
use model::interaction::EndedBy;
use model::journal::Event;
use sqlx::{Connection as _, Executor as _, SqliteConnection};

/// SAFE-06: the database is away while a call comes, is answered, and ends; afterwards the journal has all of it, once.
#[tokio::test]
async fn a_call_goes_its_way_while_the_database_is_away() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    house.settled().await;
    let url = format!("sqlite://{}", house.folder().join("patchbay.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    // Somebody holds the only write lock: nothing can be committed.
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna());
    page.banner("database_away").await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.order(|o| matches!(o, CallOrder::Connect { .. }).then_some(())).await;
    house.bridged(call, anna()).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    page.state("ready").await;
    let health = house.desk.journal_health();
    assert!(!health.0, "the operator is told: {health:?}");

    other.execute("ROLLBACK").await.unwrap();
    page.banner("database_back").await;
    let story = |events: &[Event]| events.iter().filter(|e| e.interaction() == Some(call)).count();
    house.eventually(async |house| story(&house.journal().await) == 8).await;
    let told = "arrived queued offered accepted bridged ended wrap_up_started completed";
    let names: Vec<_> = house
        .journal()
        .await
        .iter()
        .filter(|event| event.interaction() == Some(call))
        .map(|event| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.join(" "), told);
}

/// SAFE-06: when not even the spool takes events, running calls go on and new ones are refused: no promise is made that
/// could not be kept.
#[tokio::test]
async fn without_any_journal_new_calls_are_refused_and_running_ones_go_on() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.desk.journal().close().await;
    page.does(Command::Hold { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::Hold { interaction: call, agent: anna() }).then_some(())).await;
    // The desk finds out with the first event it cannot write.
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let late = house.customer_calls("100").await;
    let why = Rejection::Overloaded;
    house.order(|o| (*o == CallOrder::Reject { interaction: late, why }).then_some(())).await;
    page.does(Command::HangUp { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(())).await;
}
