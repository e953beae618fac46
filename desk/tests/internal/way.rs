//! The way of a call between colleagues: offered, taken, talked, ended.

use std::time::Duration;

use desk::Refusal;
use desk::console::protocol::Command;
use desk::testing::{House, anna, ben, cleo};
use model::call::{CallFact, CallOrder};
use model::interaction::{Direction, EndedBy};

use crate::{Orders as _, ben_calls_anna, call_to, extension, own_records, phones_up, they_talk};

/// VOICE-04: the standard window of an internal offer shows type, the colleague's name and the extension, and the offer has
/// them.
#[tokio::test]
async fn the_offer_of_a_colleagues_call_holds_type_name_and_extension() {
    let mut house = House::open().await;
    let (mut anna_page, ben_page) = (house.page("anna").await, house.page("ben").await);
    let window = &anna_page.welcome["snapshot"]["offer_window"];
    assert_eq!(window["internal"], serde_json::json!(["channel", "name", "extension"]));
    let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
    let offered = anna_page.event("offered", |_| true).await;
    let offer = &offered["offer"];
    assert_eq!(
        (&offer["offer"], &offer["interaction"]),
        (&token.to_string().into(), &call.to_string().into())
    );
    assert_eq!((&offer["direction"], &offer["channel"]), (&"internal".into(), &"voice".into()));
    let colleague = serde_json::json!({"user": ben(), "name": "BEN", "extension": extension(&house, ben())});
    assert_eq!(offer["colleague"], colleague);
    assert!(offer["service"].is_null(), "no queue, no service");
    assert_eq!(offer["deadline"], house.desk.now().millis() + 20_000);
}

/// A colleague is called by name; both talk, and the record belongs to both.
#[tokio::test]
async fn a_call_between_colleagues_goes_its_way_on_two_pages() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    phones_up(&house).await;
    ben_page.does(call_to(anna())).await.unwrap();
    let calls = house.next_order_of_calls().await;
    let CallOrder::CallColleague { interaction: call, agent, caller, caller_name, contact, .. } = calls
    else {
        panic!("the softphone is part of the call before Anna rings: {calls:?}")
    };
    assert_eq!((agent, caller, contact), (ben(), extension(&house, ben()), extension(&house, anna())));
    assert_eq!(caller_name.as_deref(), Some("BEN"));
    let (_, token) = house.rung(call).await;
    ben_page.state("busy").await;
    let work = ben_page.event("work", |_| true).await;
    assert_eq!((&work["work"]["phase"], &work["work"]["outgoing"]), (&"dialling".into(), &true.into()));
    assert_eq!(work["work"]["colleague"]["user"], anna().to_string());
    anna_page.state("ringing").await;
    anna_page.does(Command::Accept { offer: token }).await.unwrap();
    let connect = house.next_order_of_calls().await;
    assert_eq!(
        connect,
        CallOrder::Connect { interaction: call, agent: anna(), record: None, announce: false }
    );
    ben_page.event("work", |e| e["work"]["phase"] == "connecting").await;
    house.bridged(call, anna()).await;
    ben_page.event("work", |e| e["work"]["phase"] == "talking").await;
    let work = anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    assert_eq!(
        (&work["work"]["outgoing"], &work["work"]["wrap_up"]),
        (&false.into(), &serde_json::Value::Null)
    );
    assert_eq!(work["work"]["colleague"]["user"], ben().to_string());
    for command in [
        Command::Complete { interaction: call },
        Command::Code { interaction: call, disposition: None, comment: Some("chat".into()) },
    ] {
        let refused = anna_page.does(command).await;
        assert!(matches!(refused, Err(Refusal::NotNow { .. })), "there is nothing to code: {refused:?}");
    }
    house.pass(Duration::from_secs(60)).await;
    // The one who called hangs up.
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    assert_eq!(
        house.next_order_of_calls().await,
        CallOrder::HangUp { interaction: call, by: EndedBy::Customer }
    );
    house.call_ends(call, EndedBy::Customer).await;
    for page in [&mut ben_page, &mut anna_page] {
        page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
        page.state("ready").await;
    }
    for page in [&ben_page, &anna_page] {
        let records = own_records(&house, page).await;
        assert_eq!(records.len(), 1, "what keeps Ben busy has no record: {records:?}");
        let record = &records[0];
        assert_eq!((record.direction, record.status), (Direction::Internal, Some("normal")));
        assert_eq!((record.calling_agent, record.agent), (Some(ben()), Some(anna())));
        assert_eq!(record.calling_agent_name.as_deref(), Some("BEN"));
        assert_eq!(record.duration_ms, Some(60_000));
        assert_eq!(house.desk.record(&page.who, call).await.unwrap().interaction, call);
    }
    let cleo_page = house.page("cleo").await;
    assert!(own_records(&house, &cleo_page).await.is_empty(), "not hers");
    assert_eq!(house.desk.record(&cleo_page.who, call).await, Err(Refusal::missing("record")));
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(text.contains(r#"patchbay_calls_total{direction="internal",result="normal"} 1"#), "{text}");
    assert!(text.contains(r#"patchbay_calls_active{direction="internal"} 0"#), "{text}");
    assert!(text.contains("patchbay_wrapup_seconds_count 0"), "nobody had after-call work: {text}");
}

#[tokio::test]
async fn held_and_muted_are_each_sides_own() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let call = they_talk(&mut house, &mut ben_page, &mut anna_page).await;
    ben_page.does(Command::Hold { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::Hold { interaction: call, agent: ben() }).then_some(())).await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: ben(), held: true }).await;
    anna_page.does(Command::Mute { interaction: call }).await.unwrap();
    let muted = CallOrder::Mute { interaction: call, agent: anna(), muted: true };
    house.order(|o| (*o == muted).then_some(())).await;
    house.fact(CallFact::MuteChanged { interaction: call, agent: anna(), muted: true }).await;
    let work = anna_page.event("work", |e| e["work"]["muted"] == true).await;
    assert_eq!(work["work"]["phase"], "talking", "held by Ben, not by her");
    let seen = house.desk.snapshot_of(ben()).await.unwrap();
    let bens = serde_json::to_value(&seen.work[0]).unwrap();
    assert_eq!((&bens["phase"], &bens["muted"]), (&"held".into(), &false.into()));
    // Nobody else's hands reach into it; a supervisor ends it for the agent's side.
    house.fact(CallFact::HoldChanged { interaction: call, agent: cleo(), held: true }).await;
    let cleo_page = house.page("cleo").await;
    assert_eq!(cleo_page.does(Command::HangUp { interaction: call }).await, Err(Refusal::missing("call")));
    house.desk.hang_up(call, desk::audit::Actor::default()).await.unwrap();
    house.order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(())).await;
    house.call_ends(call, EndedBy::Agent).await;
    ben_page.state("ready").await;
    assert_eq!(own_records(&house, &ben_page).await[0].holds, 1);
}
