//! Routing states as an agent meets them: what a page says, what happens, what the page sees.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::testing::{House, Page, Setup, adam, anna, ben, lunch};
use model::agent::{NotReadyReason, Reason};
use model::call::{CallFact, CallOrder};
use model::id::{Id, ReasonId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::{GroupRules, RestState};
use serde_json::json;

fn rules(change: impl FnOnce(&mut GroupRules)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup.rules);
    setup
}

/// STATE-01, STATE-02: the state, since when it lasts, and what may be chosen are in everything the page shows.
#[tokio::test]
async fn a_page_shows_the_state_since_when_it_lasts_and_what_may_be_chosen() {
    let house = House::open().await;
    let page = house.page("anna").await;
    let me = &page.welcome["snapshot"]["me"];
    assert_eq!(me["state"]["state"], "ready");
    assert_eq!(me["since"], house.desk.now().millis());
    assert_eq!(me["can"], serde_json::json!(["not_ready", "offline"]));
    assert_eq!(me["missed_today"], 0);
}

/// STATE-03, STATE-05, STATE-06: Ready, Ringing, Busy, after-call work, Ready.
#[tokio::test]
async fn one_call_takes_the_agent_once_around() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna());
    page.event("offered", |e| e["offer"]["offer"] == token.to_string()).await;
    page.state("ringing").await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    page.event("offer_ended", |e| e["why"] == "accepted").await;
    page.state("busy").await;
    house.order(|o| matches!(o, CallOrder::Connect { .. }).then_some(())).await;
    house.bridged(call, anna()).await;
    page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.call_ends(call, EndedBy::Customer).await;
    let work = page.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    assert!(work["work"]["wrap_up"]["until"].is_u64());
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    page.state("ready").await;
}

/// STATE-04, STATE-11: the group's rule says where sign-in leads.
#[tokio::test]
async fn after_sign_in_the_group_says_whether_work_comes() {
    let house = House::open_with(rules(|r| r.after_login = RestState::NotReady)).await;
    let mut page = house.page("anna").await;
    let state = &page.welcome["snapshot"]["me"]["state"];
    assert_eq!((&state["state"], &state["reason"]["kind"]), (&"not_ready".into(), &"login".into()));
    page.does(Command::Ready).await.unwrap();
    page.state("ready").await;
}

/// STATE-08, STATE-09: after-call work begins whoever hung up, and its timer ends it by the group's rule.
#[tokio::test]
async fn wrap_up_ends_by_its_timer_in_the_state_of_the_group() {
    for (after, state) in [(RestState::Ready, "ready"), (RestState::NotReady, "not_ready")] {
        let mut house = House::open_with(rules(|r| r.after_interaction = after)).await;
        let mut page = house.page("anna").await;
        let call = house.talking(&mut page).await;
        page.does(Command::HangUp { interaction: call }).await.unwrap();
        house
            .order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(()))
            .await;
        house.call_ends(call, EndedBy::Agent).await;
        page.state("wrap_up").await;
        house.pass(Duration::from_secs(30)).await;
        page.event("work_ended", |_| true).await;
        page.state(state).await;
    }
}

/// STATE-08: a group without after-call work goes straight on.
#[tokio::test]
async fn without_wrap_up_the_work_is_over_with_the_call() {
    let mut house = House::open_with(rules(|r| r.wrap_up = false)).await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    page.state("ready").await;
}

/// STATE-10: "continue" stops the countdown; "return" ends after-call work early.
#[tokio::test]
async fn the_countdown_can_be_stopped_and_the_work_goes_on() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::ContinueWrapUp { interaction: call }).await.unwrap();
    let work = page.event("work", |e| e["work"]["wrap_up"]["until"].is_null()).await;
    assert_eq!(work["work"]["wrap_up"]["may_continue"], false);
    house.pass(Duration::from_secs(30 * 60)).await;
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "wrap_up");
    page.does(Command::Complete { interaction: call }).await.unwrap();
    page.state("ready").await;
}

/// STATE-12: reasons come from the tenant's list, and nothing else is taken.
#[tokio::test]
async fn a_reason_is_one_of_the_tenants_list() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    assert_eq!(page.welcome["snapshot"]["reasons"][0]["icon"], "lunch");
    page.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap();
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["state"]["reason"]["name"], "Lunch");
    assert_eq!(me["agent"]["state"]["reason"]["kind"], "chosen");
    let unknown = model::id::Id::from_number(99);
    let refused = page.does(Command::NotReady { reason: Some(unknown) }).await;
    assert_eq!(refused, Err(Refusal::missing("reason")));
}

/// STATE-15: after a missed call the agent comes back by hand only.
#[tokio::test]
async fn after_a_missed_call_only_the_agent_comes_back_to_work() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    house.rung(call).await;
    house.pass(Duration::from_secs(20)).await;
    page.event("offer_ended", |e| e["why"] == "no_answer").await;
    page.banner("missed_offer").await;
    house.pass(Duration::from_secs(40 * 60)).await;
    let view = &house.desk.agents().await.unwrap()[0];
    assert_eq!(view.state.reason.as_ref().unwrap().kind, "no_answer");
    page.does(Command::Ready).await.unwrap();
    page.state("ringing").await;
}

/// STATE-16: Not ready chosen while talking shows once the work ends, and nothing is offered meanwhile.
#[tokio::test]
async fn not_ready_chosen_in_a_call_shows_at_its_end() {
    let mut house = House::open_with(rules(|r| r.wrap_up = false)).await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    page.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap();
    page.event("me", |me| me["agent"]["after_work"]["state"] == "not_ready").await;
    house.settled().await;
    let view = &house.desk.agents().await.unwrap()[0];
    assert_eq!(view.state.state, "busy");
    assert_eq!(view.after_work.as_ref().unwrap().state, "not_ready");
    house.call_ends(call, EndedBy::Customer).await;
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["state"]["reason"]["name"], "Lunch");
}

/// STATE-20: Offline stays signed in and takes nothing; Online returns to service.
#[tokio::test]
async fn offline_takes_no_calls_until_online() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let mut other = house.page("ben").await;
    page.does(Command::Offline).await.unwrap();
    page.state("offline").await;
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, ben(), "Anna knows more German but is offline");
    other.event("offered", |_| true).await;
    other.does(Command::Decline { offer: token }).await.unwrap();
    page.does(Command::Online).await.unwrap();
    let (agent, _) = house.rung(call).await;
    assert_eq!(agent, anna());
}

/// STATE-22: a supervisor forces Not ready and Ready; the agent is told.
#[tokio::test]
async fn a_supervisor_puts_an_agent_out_of_work_and_back() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let sue = house.sign_in("sue").await;
    let actor = desk::audit::Actor { user: Some(sue.user.id), address: None, key: None };
    let view = house.desk.force_state(anna(), false, actor).await.unwrap();
    assert_eq!(view.state.reason.unwrap().kind, "forced");
    page.banner("state_forced").await;
    let view = house.desk.force_state(anna(), true, actor).await.unwrap();
    assert_eq!(view.state.state, "ready");
    let refused = house.desk.force_state(ben(), true, actor).await;
    assert!(matches!(refused, Err(Refusal::NotNow { .. })), "Ben is not signed in: {refused:?}");
    let events = house.journal().await;
    let forced = Event::AgentNotReady { agent: anna(), reason: NotReadyReason::Forced };
    assert!(events.contains(&forced), "{events:?}");
}

/// STATE-08: in after-call work nothing new is routed, whoever waits.
#[tokio::test]
async fn in_wrap_up_nothing_is_offered() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    let waiting = house.customer_calls("100").await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    house.settled().await;
    let rings = house.orders_so_far().iter().any(|o| matches!(o, CallOrder::RingAgent { .. }));
    assert!(!rings, "one call is in wrap-up, the other has to wait");
    page.does(Command::Complete { interaction: call }).await.unwrap();
    assert_eq!(house.rung(waiting).await.0, anna());
}

/// UI-20: what the system does to an agent's state is announced in a banner.
#[tokio::test]
async fn an_unreachable_phone_is_announced() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    let why = "ICE failed".to_owned();
    house.fact(CallFact::AgentUnreachable { interaction: call, token, agent, why }).await;
    page.event("offer_ended", |e| e["why"] == "connection_lost").await;
    // ERR-02: requeued, and Not ready with "Connection lost".
    page.banner("offer_unreachable").await;
    let view = &house.desk.agents().await.unwrap()[0];
    assert_eq!(view.state.reason.as_ref().unwrap().kind, "connection_lost");
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 1, "the caller keeps waiting");
}

/// STATE-04, STATE-14: a lunch that is long enough ends by itself; its time counts as break time, before and after a crash, and
/// what the team has is told beside it. STATE-19: a reason that is called Busy is one like the others.
#[tokio::test]
async fn break_time_is_counted_over_a_crash_and_a_stay_ends_by_itself() {
    let house = House::open_with(rules(|r| r.break_minutes = Some(45))).await;
    let actor = Actor { user: Some(adam()), address: None, key: None };
    let row = house.desk.get::<Reason>(lunch()).await.unwrap();
    let thirty = Reason { ends_after_minutes: Some(30), ..row.item };
    house.desk.update(thirty.clone(), row.version, actor).await.unwrap();
    let busy = Reason {
        id: ReasonId::from_number(2),
        name: "Busy".into(),
        icon: "busy".into(),
        is_break: false,
        ..thirty
    };
    house.desk.create(Reason { ends_after_minutes: None, ..busy }, actor).await.unwrap();
    let mut page = house.page("anna").await;
    let breaks = &page.welcome["snapshot"]["me"]["breaks"];
    assert_eq!(*breaks, json!({ "used_ms": 0, "since": null, "allowance_ms": 2_700_000 }));
    page.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap();
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["breaks"]["since"], house.desk.now().millis());
    house.pass(Duration::from_secs(30 * 60)).await;
    let me = page.state("ready").await;
    assert_eq!(
        me["agent"]["breaks"],
        json!({ "used_ms": 1_800_000, "since": null, "allowance_ms": 2_700_000 })
    );
    page.does(Command::NotReady { reason: Some(ReasonId::from_number(2)) }).await.unwrap();
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["state"]["reason"]["name"], "Busy");
    house.pass(Duration::from_secs(600)).await;
    let house = house.crash().await;
    let page = Page::attach(&house.desk, &page.who, None).await;
    let me = &page.welcome["snapshot"]["me"];
    assert_eq!(
        (&me["state"]["reason"]["name"], &me["breaks"]["used_ms"]),
        (&json!("Busy"), &json!(1_800_000))
    );
    let wrong = Reason {
        id: ReasonId::from_number(3),
        name: "Nap".into(),
        ends_after_minutes: Some(0),
        icon: "away".into(),
        ..Reason::clone(&house.desk.configuration().reasons[&lunch()])
    };
    let Err(Refusal::Invalid { errors }) = house.desk.create(wrong, actor).await else { panic!("taken") };
    assert_eq!(errors[0].pointer, "/ends_after_minutes");
}
