//! Signing in and out, pages that come and go, and what a crash leaves.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::net::IpAddr;
use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::auth::Credentials;
use desk::console::protocol::Command;
use desk::records::RecordFilter;
use desk::testing::{House, PASSWORD, Page, anna, tenant};
use model::call::{CallFact, CallOrder};
use model::id::{Id, RecordingId};
use model::interaction::EndedBy;
use model::journal::Event;
use store::recordings::RecordingState;

fn typed(login: &str, password: &str, force: bool) -> Credentials {
    let source = IpAddr::from([198, 51, 100, 7]);
    Credentials { login: login.into(), password: password.into(), force, source }
}

/// ERR-12: a wrong password and an unknown name get the same answer.
#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_apart_by_nobody() {
    let house = House::open().await;
    let wrong = house.desk.sign_in(typed("anna", "not her password", false)).await.unwrap_err();
    let unknown = house.desk.sign_in(typed("nobody", "not a password", false)).await.unwrap_err();
    assert_eq!((&wrong, &unknown), (&Refusal::BadCredentials, &Refusal::BadCredentials));
    assert!(
        house.desk.sign_in(typed("ANNA ", PASSWORD, false)).await.is_ok(),
        "case and blanks do not matter"
    );
}

/// ACC-14, ERR-17, ERR-21: one session a user; a second sign-in asks, and with force the first one ends and says why.
#[tokio::test]
async fn signing_in_elsewhere_asks_and_then_ends_the_first_session() {
    let house = House::open().await;
    let mut first = house.page("anna").await;
    let asked = house.desk.sign_in(typed("anna", PASSWORD, false)).await.unwrap_err();
    assert_eq!(asked, Refusal::AlreadySignedIn);
    let second = house.desk.sign_in(typed("anna", PASSWORD, true)).await.unwrap();
    let ended = first.event("session_ended", |_| true).await;
    assert_eq!(ended["why"], "elsewhere");
    assert_eq!(first.frame().await, None, "the socket closes after it");
    assert_eq!(first.does(Command::Ready).await, Err(Refusal::NotSignedIn));
    let page = Page::attach(&house.desk, &second.identity, None).await;
    assert_eq!(page.welcome["snapshot"]["me"]["state"]["state"], "ready");
}

/// A call survives the change of the place: the new page goes on where the old one was.
#[tokio::test]
async fn a_call_goes_on_in_the_page_that_took_over() {
    let mut house = House::open().await;
    let mut first = house.page("anna").await;
    let call = house.talking(&mut first).await;
    let second = house.desk.sign_in(typed("anna", PASSWORD, true)).await.unwrap();
    first.event("session_ended", |_| true).await;
    let page = Page::attach(&house.desk, &second.identity, None).await;
    assert_eq!(page.welcome["snapshot"]["work"][0]["interaction"], call.to_string());
    page.does(Command::HangUp { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(())).await;
}

/// ACC-16: with a call up, signing out is refused; the agent finishes first, or insists.
#[tokio::test]
async fn signing_out_waits_for_the_call_unless_forced() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    let actor = Actor::default();
    let refused = house.desk.sign_out(&page.who, false, actor).await;
    assert_eq!(refused, Err(Refusal::WorkOpen));
    house.desk.sign_out(&page.who, true, actor).await.unwrap();
    house.order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(())).await;
    assert_eq!(page.event("session_ended", |_| true).await["why"], "signed_out");
    house.call_ends(call, EndedBy::Agent).await;
    house.settled().await;
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "logged_out");
    assert!(house.desk.calls().await.unwrap().is_empty());
    let out = |e: &&Event| matches!(e, Event::AgentLoggedOut { .. });
    assert_eq!(house.journal().await.iter().filter(out).count(), 1);
}

/// ACC-18: a page that comes back within 15 s keeps session and place; after that the user is signed out.
#[tokio::test]
async fn a_closed_page_has_fifteen_seconds_to_come_back() {
    let house = House::open().await;
    let page = house.page("anna").await;
    let who = page.who.clone();
    let seen = page.closes().await;
    house.pass(Duration::from_secs(14)).await;
    let page = Page::attach(&house.desk, &who, Some(seen)).await;
    page.closes().await;
    house.pass(Duration::from_secs(15)).await;
    house.settled().await;
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "logged_out");
    house.eventually(async |house| house.desk.sign_in(typed("anna", PASSWORD, false)).await.is_ok()).await;
}

/// ACC-18, VOICE-10: a page that lost its connection is told what it missed, in order and once; then it has everything as it stands.
#[tokio::test]
async fn a_page_that_comes_back_is_told_what_it_missed() {
    let mut house = House::open().await;
    let page = house.page("anna").await;
    page.does(Command::Ready).await.unwrap();
    house.settled().await;
    let who = page.who.clone();
    let seen = page.closes().await;
    house.customer_calls("100").await;
    house.settled().await;
    let mut page = Page::attach(&house.desk, &who, Some(seen)).await;
    assert_eq!(
        (&page.welcome["seq"], page.welcome.get("snapshot")),
        (&seen.into(), None),
        "{}",
        page.welcome
    );
    let offer = page.event("offered", |_| true).await;
    let state = page.event("welcome", |_| true).await;
    assert_eq!(state["snapshot"]["offers"][0]["offer"], offer["offer"]["offer"], "{state}");
    assert!(state["seq"].as_u64() >= offer["seq"].as_u64(), "{state}");
    let again = Page::attach(&house.desk, &who, state["seq"].as_u64()).await;
    assert_eq!(again.welcome["seq"], state["seq"], "nothing was missed");
}

/// ACC-18: with a call up, the agent is signed out at its end, not before.
#[tokio::test]
async fn a_closed_page_does_not_end_the_call() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    page.closes().await;
    house.pass(Duration::from_secs(600)).await;
    assert_eq!(house.desk.call(call).await.unwrap().phase, "talking");
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "logged_out");
}

#[tokio::test]
async fn a_page_that_was_away_for_long_gets_everything_anew() {
    let house = House::open().await;
    let page = house.page("anna").await;
    let who = page.who.clone();
    page.closes().await;
    let page = Page::attach(&house.desk, &who, Some(9_999)).await;
    assert!(page.welcome["snapshot"]["me"].is_object(), "a number from another life");
}

#[tokio::test]
async fn the_newest_page_of_a_session_wins() {
    let house = House::open().await;
    let mut first = house.page("anna").await;
    let mut second = Page::attach(&house.desk, &first.who, None).await;
    assert_eq!(first.frame().await, None);
    house.desk.detached(anna()).await;
    second.does(Command::NotReady { reason: None }).await.unwrap();
    second.state("not_ready").await;
}

#[tokio::test]
async fn resync_brings_a_snapshot_and_the_numbers_go_on() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    page.state("not_ready").await;
    page.does(Command::Resync).await.unwrap();
    let welcome = page.event("welcome", |_| true).await;
    assert_eq!(welcome["snapshot"]["me"]["state"]["state"], "not_ready");
    assert!(welcome["seq"].as_u64().unwrap() >= page.last_seen());
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_and_an_attached_page_keeps_it() {
    let house = House::open().await;
    let (idle, attached) = (house.sign_in("cleo").await, house.page("anna").await);
    for _ in 0..5 {
        house.pass(Duration::from_secs(20 * 60)).await;
        // The page's use is written beside the floor's task.
        house
            .eventually(async |house| {
                let now = house.desk.now();
                let live = house.store.sessions().sessions_of(anna(), now).await.unwrap();
                live.first().is_some_and(|session| now.since(session.seen_at) < Duration::from_secs(60))
            })
            .await;
    }
    let live = house.store.sessions().sessions_of(idle.user.id, house.desk.now()).await.unwrap();
    assert!(live.is_empty(), "idle for 100 minutes");
    attached.does(Command::NotReady { reason: None }).await.unwrap();
}

/// The softphone of a page is negotiated over the socket, and only the present page hears the answer.
#[tokio::test]
async fn the_softphone_is_attached_and_its_state_is_shown() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    assert_eq!(
        page.welcome["snapshot"]["phone"],
        serde_json::json!({"kind":"browser","number":null,"up":false,"problem":null})
    );
    page.does(Command::PhoneOffer { sdp: "v=0".into() }).await.unwrap();
    let session = house
        .order(|o| match o {
            CallOrder::AttachPhone { agent, session, sdp, .. } if *agent == anna() && sdp == "v=0" => {
                Some(*session)
            }
            _ => None,
        })
        .await;
    assert_eq!(session, page.who.session);
    let stale = model::id::SessionId::from_number(1);
    house.fact(CallFact::PhoneAnswer { agent: anna(), session: stale, sdp: "old".into() }).await;
    house.fact(CallFact::PhoneAnswer { agent: anna(), session, sdp: "new".into() }).await;
    assert_eq!(page.event("phone_answer", |_| true).await["sdp"], "new");
    house.fact(CallFact::PhoneUp { agent: anna(), phone: model::people::PhoneKind::Browser }).await;
    page.event("phone", |e| e["phone"]["up"] == true).await;
    page.does(Command::PhoneReady { microphone: false, detail: None }).await.unwrap();
    page.event("phone", |e| e["phone"]["problem"] == "no_microphone").await;
    let long = Command::PhoneOffer { sdp: "x".repeat(20_000) };
    assert!(matches!(page.does(long).await, Err(Refusal::Invalid { .. })));
}

/// After a kill every call that was up has a record that ends, "interrupted", and its recording is finished and linked.
#[tokio::test]
async fn after_a_kill_no_call_is_forgotten_and_its_recording_is_finished() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let talked = house.talking(&mut page).await;
    let waiting = house.customer_calls("100").await;
    house.settled().await;
    // A third call was connected, but its recording's beginning did not reach the journal.
    let orphan = RecordingId::from_number(77);
    house.finisher.left.lock().unwrap().push((orphan, waiting));
    let session = page.who.clone();
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let house = house.crash().await;
    house.settled().await;
    let sue = house.sign_in("sue").await;
    for call in [talked, waiting] {
        let record = house.desk.record(&sue, call).await.unwrap();
        assert_eq!(record.status, Some("interrupted"), "{call}");
        assert!(record.ended_at.unwrap() <= house.desk.now().millis());
    }
    house
        .eventually(async |house| {
            house.desk.record(&sue, waiting).await.unwrap().recording == Some(orphan)
                && house.finisher.finished.lock().unwrap().len() == 2
        })
        .await;
    house
        .eventually(async |house| {
            let row = house.store.recordings().recording(tenant(), orphan).await.unwrap();
            row.is_some_and(|row| row.state == RecordingState::Ready)
        })
        .await;
    // A page that comes back with the same session stands where it stood.
    let page = Page::attach(&house.desk, &session, Some(3)).await;
    let me = &page.welcome["snapshot"]["me"]["state"];
    assert_eq!(me["state"], "not_ready", "{me}");
    assert!(house.desk.records(&sue, RecordFilter::default(), None, 50).await.unwrap().items.len() == 2);
    let again = house.crash().await;
    let ends = |e: &&Event| matches!(e, Event::Ended { .. });
    assert_eq!(again.journal().await.iter().filter(ends).count(), 2, "a second start ends nothing twice");
}
