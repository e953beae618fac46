//! An agent asks for help while service goes on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use desk::Refusal;
use desk::console::protocol::Command;
use desk::testing::{House, Page, anna};
use model::interaction::EndedBy;
use model::journal::Event;
use serde_json::Value;

/// HELP-01: the flag on an active call is seen by its agent and outlives a reload, is taken back by the agent, is in the
/// journal and the record, and interrupts nothing.
#[tokio::test]
async fn an_agent_asks_for_help_and_takes_it_back_while_the_call_goes_on() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.orders_so_far();
    page.does(Command::AskHelp { interaction: call }).await.unwrap();
    let work = page.event("work", |e| e["work"]["help_since"].is_u64()).await;
    assert_eq!(work["work"]["phase"], "talking");
    let mut page = Page::attach(&house.desk, &page.who, None).await;
    assert!(page.welcome["snapshot"]["work"][0]["help_since"].is_u64(), "after a reload");
    // Pressed twice, by key and by mouse: one flag.
    page.does(Command::AskHelp { interaction: call }).await.unwrap();
    page.does(Command::TakeBackHelp { interaction: call }).await.unwrap();
    page.event("work", |e| e["work"]["help_since"].is_null()).await;
    page.does(Command::AskHelp { interaction: call }).await.unwrap();
    assert_eq!(house.orders_so_far(), [], "nobody hears of it on the line");
    house.call_ends(call, EndedBy::Customer).await;
    let work = page.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    assert!(work["work"]["help_since"].is_null(), "it is over with the call");
    let refused = page.does(Command::AskHelp { interaction: call }).await;
    assert!(matches!(refused, Err(Refusal::NotNow { .. })), "{refused:?}");
    let flags = |event: &Event| match event {
        Event::HelpAsked { agent, .. } if *agent == anna() => Some(true),
        Event::HelpTakenBack { agent, .. } if *agent == anna() => Some(false),
        _ => None,
    };
    let told: Vec<_> = house.journal().await.iter().filter_map(flags).collect();
    assert_eq!(told, [true, false, true]);
    let sue = house.sign_in("sue").await;
    house
        .eventually(async |house| {
            let record = house.desk.record(&sue, call).await.unwrap();
            let help: Vec<_> = record.help.iter().map(|help| (help.by_name.as_deref(), help.to)).collect();
            matches!(help[..], [(Some("ANNA"), Some(_)), (Some("ANNA"), Some(_))])
        })
        .await;
}

/// HELP-02: supervisors see at once who asks for help with what, also on a page that comes later, until it is over;
/// agents see nothing of each other.
#[tokio::test]
async fn supervisors_see_who_asks_for_help_and_with_what() {
    let mut house = House::open().await;
    let (mut page, mut sue, ben) =
        (house.page("anna").await, house.page("sue").await, house.page("ben").await);
    let call = house.talking(&mut page).await;
    page.does(Command::AskHelp { interaction: call }).await.unwrap();
    let asked = sue.event("help_asked", |_| true).await;
    let help = &asked["help"];
    assert_eq!(help["interaction"], call.to_string());
    assert_eq!(
        (&help["agent"]["user"], &help["caller"]),
        (&Value::from(anna().to_string()), &"+4930123456".into())
    );
    assert_eq!(help["service"]["name"], "Help");
    let later = Page::attach(&house.desk, &sue.who, None).await;
    assert_eq!(later.welcome["snapshot"]["help"][0], *help);
    let of_ben = Page::attach(&house.desk, &ben.who, None).await;
    assert_eq!(of_ben.welcome["snapshot"]["help"], Value::Array(vec![]));
    let listed = house.desk.help_requests(sue.who.user.id).await.unwrap();
    assert_eq!(serde_json::to_value(&listed[0]).unwrap(), *help);

    let mut sue = later;
    page.does(Command::TakeBackHelp { interaction: call }).await.unwrap();
    sue.event("help_over", |e| e["interaction"] == call.to_string()).await;
    page.does(Command::AskHelp { interaction: call }).await.unwrap();
    sue.event("help_asked", |_| true).await;
    house.call_ends(call, EndedBy::Customer).await;
    sue.event("help_over", |e| e["agent"] == anna().to_string()).await;
    assert_eq!(house.desk.help_requests(sue.who.user.id).await.unwrap(), []);
}

/// HELP-01: only what is in hand can be flagged.
#[tokio::test]
async fn help_is_asked_for_with_own_work_only() {
    let mut house = House::open().await;
    let (mut page, ben) = (house.page("anna").await, house.page("ben").await);
    let call = house.talking(&mut page).await;
    let refused = ben.does(Command::AskHelp { interaction: call }).await;
    assert!(matches!(refused, Err(Refusal::NotFound { .. })), "{refused:?}");
}
