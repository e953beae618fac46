//! Ends that nobody chose: hang-up while it rings, sign-out, crash.

use desk::Refusal;
use desk::console::protocol::Command;
use desk::testing::{House, Page};
use model::call::{CallFact, CallOrder, Rejection};
use model::interaction::EndedBy;
use model::journal::Event;

use crate::{ben_calls_anna, own_records, they_talk};

#[tokio::test]
async fn a_caller_who_hangs_up_while_it_rings_leaves_the_colleague_as_before() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    house
        .order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Customer }).then_some(()))
        .await;
    house.call_ends(call, EndedBy::Customer).await;
    anna_page.event("offer_ended", |e| e["why"] == "caller_left").await;
    anna_page.state("ready").await;
    ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    ben_page.state("ready").await;
    let record = &own_records(&house, &anna_page).await[0];
    assert_eq!((record.status, record.ended_by), (Some("abandoned_ringing"), Some(EndedBy::Customer)));
    // The softphone fails at the moment of dialling.
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    let failure = Some("the softphone is not connected".to_owned());
    house.fact(CallFact::Ended { interaction: call, by: EndedBy::System, failure }).await;
    ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    ben_page.state("ready").await;
    anna_page.state("ready").await;
    assert_eq!(own_records(&house, &anna_page).await[0].status, Some("failed"));
}

#[tokio::test]
async fn signing_out_ends_an_internal_call_from_either_side() {
    let mut house = House::open().await;
    let (anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let actor = desk::audit::Actor::default();
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    house.desk.sign_out(&anna_page.who, false, actor).await.unwrap();
    house
        .order(|o| (*o == CallOrder::Reject { interaction: call, why: Rejection::Busy }).then_some(()))
        .await;
    let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "unreachable");
    house.call_ends(call, EndedBy::System).await;
    ben_page.state("ready").await;

    let mut anna_page = house.page("anna").await;
    let call = they_talk(&mut house, &mut ben_page, &mut anna_page).await;
    assert_eq!(house.desk.sign_out(&ben_page.who, false, actor).await, Err(Refusal::WorkOpen));
    house.desk.sign_out(&ben_page.who, true, actor).await.unwrap();
    house
        .order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Customer }).then_some(()))
        .await;
    house.call_ends(call, EndedBy::Customer).await;
    anna_page.state("ready").await;
    let ben_page = house.page("ben").await;
    assert_eq!(ben_page.welcome["snapshot"]["me"]["state"]["state"], "ready", "nothing keeps him busy");
}

/// After a crash the call is interrupted, and neither of the two is Busy.
#[tokio::test]
async fn a_crash_during_an_internal_call_leaves_nobody_busy() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let call = they_talk(&mut house, &mut ben_page, &mut anna_page).await;
    house.settled().await;
    let house = house.crash().await;
    for page in [&anna_page, &ben_page] {
        let back = Page::attach(&house.desk, &page.who, None).await;
        let snapshot = &back.welcome["snapshot"];
        assert_eq!(snapshot["me"]["state"]["state"], "ready");
        assert_eq!(snapshot["work"], serde_json::json!([]));
        let records = own_records(&house, &back).await;
        assert_eq!(
            (records.len(), records[0].interaction, records[0].status),
            (1, call, Some("interrupted"))
        );
        assert!(records[0].ended_at.is_some());
    }
    // What kept Ben busy is accounted for too, though it has no record.
    let begun = |e: &Event| matches!(e, Event::HandlingStarted { internal: true, .. });
    let events = house.journal().await;
    let own = events.iter().find(|e| begun(e)).and_then(Event::interaction).unwrap();
    assert!(events.iter().any(|e| matches!(e, Event::Completed { interaction, .. } if *interaction == own)));
    assert_eq!(house.desk.record(&ben_page.who, own).await, Err(Refusal::missing("record")));
}
