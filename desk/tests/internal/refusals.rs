//! Colleagues who refuse, do not answer, or cannot be called.

use std::time::Duration;

use desk::Refusal;
use desk::console::protocol::Command;
use desk::testing::{House, anna, ben, cleo, lunch};
use model::call::{CallFact, CallOrder, Rejection};
use model::id::{Id, UserId};
use model::interaction::EndedBy;

use crate::{ben_calls_anna, call_to, own_records, phones_up, state_of};

/// VOICE-08: refusing an internal call ends it: the caller hears busy, and the agent is where the agent was before.
#[tokio::test]
async fn a_refused_colleague_hears_busy_and_the_refuser_is_where_they_were() {
    for before in ["ready", "not_ready (Lunch)", "busy"] {
        let mut house = House::open().await;
        let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
        match before {
            "busy" => drop(house.talking(&mut anna_page).await),
            "ready" => {}
            _ => anna_page.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap(),
        }
        assert_eq!(state_of(&house, anna()).await, before);
        let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
        anna_page.does(Command::Decline { offer: token }).await.unwrap();
        let busy = CallOrder::Reject { interaction: call, why: Rejection::Busy };
        house.order(|o| (*o == busy).then_some(())).await;
        anna_page.event("offer_ended", |e| e["why"] == "declined").await;
        assert_eq!(state_of(&house, anna()).await, before);
        let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
        assert_eq!(work["work"]["refused_why"], "declined");
        assert_eq!(state_of(&house, ben()).await, "busy", "the busy tone is in Ben's ear");
        house.call_ends(call, EndedBy::System).await;
        ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
        ben_page.state("ready").await;
        assert_eq!(state_of(&house, anna()).await, before);
        let record = &own_records(&house, &ben_page).await[0];
        assert_eq!((record.status, record.ended_by), (Some("refused"), Some(EndedBy::Agent)));
        assert_eq!(record.agent, Some(anna()), "who was called");
    }
}

#[tokio::test]
async fn an_unanswered_or_unreachable_colleague_is_told_to_the_caller_and_leaves_the_state_alone() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    house.pass(Duration::from_secs(20)).await;
    let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "no_answer");
    let missed = anna_page.banner("missed_offer").await;
    assert!(missed["params"]["reason"].is_null(), "a colleague's call makes nobody Not ready: {missed}");
    assert_eq!(state_of(&house, anna()).await, "ready");
    assert_eq!(house.desk.agents().await.unwrap()[0].missed_today, 1);
    // Ben does not listen to the tone for long.
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    house.call_ends(call, EndedBy::Customer).await;
    ben_page.state("ready").await;
    let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
    let why = "ICE failed".to_owned();
    house.fact(CallFact::AgentUnreachable { interaction: call, token, agent: anna(), why }).await;
    let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "unreachable");
    assert_eq!(state_of(&house, anna()).await, "ready");
}

#[tokio::test]
async fn who_cannot_be_called_is_said_and_nothing_happens() {
    let mut house = House::open().await;
    let (anna_page, ben_page) = (house.page("anna").await, house.page("ben").await);
    let no_phone_yet = ben_page.does(call_to(anna())).await;
    assert!(matches!(no_phone_yet, Err(Refusal::NotNow { .. })), "{no_phone_yet:?}");
    phones_up(&house).await;
    let before = house.journal().await;
    let try_it = async |command: Command| ben_page.does(command).await.unwrap_err();
    assert_eq!(try_it(call_to(UserId::from_number(99))).await, Refusal::missing("colleague"));
    let nobodys = Command::Call { user: None, extension: Some("99999".into()) };
    assert_eq!(try_it(nobodys).await, Refusal::missing("colleague"));
    let both = Command::Call { user: Some(anna()), extension: Some("201".into()) };
    assert!(matches!(try_it(both).await, Refusal::Invalid { .. }));
    let neither = Command::Call { user: None, extension: None };
    assert!(matches!(try_it(neither).await, Refusal::Invalid { .. }));
    assert!(matches!(try_it(call_to(ben())).await, Refusal::NotNow { .. }), "oneself");
    assert_eq!(try_it(call_to(cleo())).await, Refusal::ColleagueOffline, "signed out");
    assert_eq!(house.journal().await, before, "a refused call leaves no trace");
    assert_eq!(house.orders_so_far().iter().filter(|o| !matches!(o, CallOrder::Configure(_))).count(), 0);
    assert_eq!(state_of(&house, ben()).await, "ready");
    anna_page.does(Command::Offline).await.unwrap();
    assert_eq!(try_it(call_to(anna())).await, Refusal::ColleagueOffline);
    anna_page.does(Command::Online).await.unwrap();
    let customer = house.customer_calls("100").await;
    house.rung(customer).await;
    assert_eq!(try_it(call_to(anna())).await, Refusal::ColleagueBusy, "her phone rings already");
    house.desk.admit(false).await;
    assert_eq!(try_it(call_to(anna())).await, Refusal::Unavailable, "the appliance is about to stop");
}
