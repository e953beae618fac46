//! Calls that an agent places to numbers outside.

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::testing::{House, Page, anna, help, lunch, tenant, trunk_out};
use model::agent::Reason;
use model::call::{CallFact, CallOrder, DialFailure};
use model::dialling::Form;
use model::id::{Id as _, InteractionId, NumberId};
use model::interaction::{Direction, EndedBy};
use model::journal::Event;
use model::people::PhoneKind;
use model::service::Number;

/// A house with a trunk out, and Anna at her page with her phone.
async fn house() -> (House, Page) {
    let house = House::open().await;
    house.opens_a_trunk().await;
    let page = house.page("anna").await;
    house.fact(CallFact::PhoneUp { agent: anna(), phone: PhoneKind::Browser }).await;
    house.settled().await;
    (house, page)
}

fn dial(number: &str) -> Command {
    Command::Dial { number: number.into(), service: None, caller_id: None }
}

/// Anna dials; the orders that signalling gets come in their order.
async fn dials(house: &mut House, page: &Page) -> InteractionId {
    page.does(dial("+49 30 555,,1")).await.expect("dialled");
    let call = house
        .order(|order| match order {
            CallOrder::Place { interaction, contact } => {
                assert_eq!(contact, "+4930555");
                Some(*interaction)
            }
            _ => None,
        })
        .await;
    assert!(
        matches!(house.next_order().await, CallOrder::RingAgent { interaction, .. } if interaction == call)
    );
    let CallOrder::Dial { interaction, number, caller_id, trunks, .. } = house.next_order().await else {
        panic!("the softphone is there: the number is dialled at once")
    };
    assert_eq!((interaction, number.as_str(), caller_id.as_deref()), (call, "+4930555", Some("100")));
    assert_eq!(trunks, [trunk_out()]);
    call
}

/// OUT-01, OUT-08, REC-05, STATE-06: from dialling to after-call work, as a call that came in; keys follow the answer.
#[tokio::test]
async fn a_number_that_answers_is_the_agents_work() {
    let (mut house, mut page) = house().await;
    let call = dials(&mut house, &page).await;
    page.state("busy").await;
    let work = page.event("work", |e| e["work"]["phase"] == "dialling").await;
    assert_eq!((&work["work"]["direction"], &work["work"]["outgoing"]), (&"outbound".into(), &true.into()));
    assert_eq!(work["work"]["service"]["id"], help().to_string(), "the first that Anna answers");
    house.fact(CallFact::FarEndRinging { interaction: call, trunk: trunk_out() }).await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    let connect = house.next_order().await;
    assert!(matches!(connect, CallOrder::Connect { record: Some(_), announce: false, .. }), "{connect:?}");
    house.bridged(call, anna()).await;
    let digits = CallOrder::SendDigits { interaction: call, agent: anna(), digits: ",,1".into() };
    assert_eq!(house.next_order().await, digits);
    page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.pass(Duration::from_secs(30)).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let record = house.desk.record(&page.who, call).await.unwrap();
    assert_eq!((record.direction, record.status), (Direction::Outbound, Some("normal")));
    assert_eq!((record.caller.as_str(), record.contact.as_str()), ("100", "+4930555"));
    let journal = house.journal().await;
    assert!(journal.iter().any(|e| matches!(e, Event::Dialled { number, .. } if number == "+4930555")));
}

/// OUT-13: why nobody answered is shown and kept.
#[tokio::test]
async fn a_number_that_does_not_answer_says_why() {
    for (why, shown, status) in [
        (DialFailure::Busy, "busy", "busy"),
        (DialFailure::NoAnswer, "no_answer", "no_answer"),
        (DialFailure::PhoneOff, "phone_off", "phone_off"),
        (DialFailure::Barred, "barred", "barred"),
        (DialFailure::Rejected, "declined", "refused"),
        (DialFailure::NotFound, "no_such_number", "unknown_number"),
        (DialFailure::TrunksBusy, "trunks_busy", "failed"),
    ] {
        let (mut house, mut page) = house().await;
        let call = dials(&mut house, &page).await;
        house.fact(CallFact::DialFailed { interaction: call, why, status: None }).await;
        let work = page.event("work", |e| e["work"]["phase"] == "refused").await;
        assert_eq!(work["work"]["refused_why"], shown);
        house.call_ends(call, EndedBy::System).await;
        house.settled().await;
        let record = house.desk.record(&page.who, call).await.unwrap();
        assert_eq!(record.status, Some(status), "{why:?}");
    }
}

/// STATE-17: dialling is allowed when Not ready, unless the reason says otherwise; refused while a call rings and from Offline.
/// STATE-21: whoever stands in line, for whom a call rings, is neither offered another call nor dials. SAFE-01: closed numbers and floods.
#[tokio::test]
async fn who_may_dial_what_and_when() {
    let (mut house, mut page) = house().await;
    assert_eq!(page.does(dial("+881612345678")).await, Err(Refusal::NumberClosed));
    assert!(matches!(page.does(dial("alice")).await, Err(Refusal::Invalid { .. })));
    page.does(Command::Offline).await.unwrap();
    assert!(matches!(page.does(dial("030555")).await, Err(Refusal::NotNow { .. })));
    page.does(Command::Online).await.unwrap();
    page.does(Command::Ready).await.unwrap();
    let waiting = house.customer_calls("100").await;
    house.rung(waiting).await;
    assert!(matches!(page.does(dial("030555")).await, Err(Refusal::NotNow { .. })), "a call rings");
    let second = house.customer_calls("100").await;
    house.settled().await;
    let rings =
        |o: &CallOrder| matches!(o, CallOrder::RingAgent { interaction, .. } if *interaction == second);
    assert!(!house.orders_so_far().iter().any(rings), "one call at a time rings");
    house.call_ends(second, EndedBy::Customer).await;
    house.call_ends(waiting, EndedBy::Customer).await;
    let row = house.desk.get::<Reason>(lunch()).await.unwrap();
    let quiet = Reason { call_out: false, ..row.item };
    house.desk.update(quiet, row.version, Actor::default()).await.unwrap();
    page.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap();
    assert!(matches!(page.does(dial("030555")).await, Err(Refusal::NotNow { .. })), "not at lunch");
    page.does(Command::NotReady { reason: None }).await.unwrap();
    for n in 0..20 {
        page.does(dial("030555")).await.unwrap_or_else(|refusal| panic!("{n}: {refusal}"));
        let call = house
            .order(|o| if let CallOrder::Place { interaction, .. } = o { Some(*interaction) } else { None })
            .await;
        if n == 0 {
            assert!(matches!(page.does(dial("030555")).await, Err(Refusal::NotNow { .. })), "one at a time");
        }
        house.call_ends(call, EndedBy::Agent).await;
        page.event("work", |e| e["work"]["phase"] == "wrap_up").await;
        page.does(Command::Complete { interaction: call }).await.unwrap();
    }
    assert!(matches!(page.does(dial("030555")).await, Err(Refusal::DialledTooOften { .. })));
    house.pass(Duration::from_secs(61)).await;
    page.does(dial("030555")).await.unwrap();
}

#[tokio::test]
async fn without_a_trunk_out_nothing_is_dialled() {
    let house = House::open().await;
    let page = house.page("anna").await;
    house.fact(CallFact::PhoneUp { agent: anna(), phone: PhoneKind::Browser }).await;
    assert_eq!(page.does(dial("030555")).await, Err(Refusal::NoTrunk));
    assert!(house.journal().await.iter().all(|e| !matches!(e, Event::Arrived { .. })));
}

/// OUT-05, OUT-06, OUT-15: a number is dialled as it is dialled here, and sent in one form; the rules look at that. An extension given while it rings is pressed
/// a second after the answer, behind what came with the number.
#[tokio::test]
async fn a_number_is_dialled_in_the_countrys_form_and_its_extension_later() {
    let (mut house, page) = house().await;
    let row = house.desk.tenant_settings().await.unwrap();
    let mut tenant = row.item;
    let form = |begins: &str, becomes: &str| Form { begins: begins.into(), becomes: becomes.into() };
    let wrong = [vec![form("", "+")], vec![form("0", "x")], vec![form("0", "+49"), form("0", "+43")]];
    for forms in wrong {
        tenant.dialling.forms = forms;
        let refused = house.desk.update_tenant(tenant.clone(), row.version, Actor::default()).await;
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{refused:?}");
    }
    tenant.dialling.forms = vec![form("0", "+49")];
    house.desk.update_tenant(tenant, row.version, Actor::default()).await.unwrap();
    assert_eq!(page.does(dial("0900 1234")).await, Err(Refusal::NumberClosed), "+49900 is closed");
    page.does(dial("030 555,1")).await.unwrap();
    let dialled = house
        .order(|order| match order {
            CallOrder::Dial { interaction, number, .. } => Some((*interaction, number.clone())),
            _ => None,
        })
        .await;
    let (call, number) = dialled;
    assert_eq!(number, "+4930555");
    let press = |digits: &str| Command::Digits { interaction: call, digits: digits.into() };
    page.does(press("42")).await.unwrap();
    assert!(matches!(page.does(press("x")).await, Err(Refusal::Invalid { .. })));
    assert!(matches!(page.does(press(&"1".repeat(32))).await, Err(Refusal::Invalid { .. })));
    page.does(press("#")).await.unwrap();
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    house.bridged(call, anna()).await;
    let pressed = CallOrder::SendDigits { interaction: call, agent: anna(), digits: ",1,42,#".into() };
    house.order(|order| (*order == pressed).then_some(())).await;
}

/// OUT-11: whoever is called sees the number that the agent chose, if it is the house's; else one of the service's.
#[tokio::test]
async fn the_number_that_is_shown_is_chosen() {
    let (mut house, page) = house().await;
    let row = house.desk.configuration().numbers.clone();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["100"]);
    let number = Number {
        id: NumberId::from_number(2),
        tenant: tenant(),
        digits: "+4930200".into(),
        service: help(),
        flow: None,
    };
    house.desk.create(number, Actor::default()).await.unwrap();
    assert_eq!(house.desk.house_numbers(&page.who).unwrap(), ["+4930200", "100"]);
    let dial = |caller_id: Option<&str>| Command::Dial {
        number: "030555".into(),
        service: None,
        caller_id: caller_id.map(str::to_owned),
    };
    let refused = page.does(dial(Some("+4930999"))).await;
    assert!(matches!(refused, Err(Refusal::Invalid { .. })), "somebody else's: {refused:?}");
    for (chosen, shown) in [(Some("100"), "100"), (None, "+4930200")] {
        page.does(dial(chosen)).await.unwrap();
        let (call, caller_id) = house
            .order(|order| match order {
                CallOrder::Dial { interaction, caller_id, .. } => Some((*interaction, caller_id.clone())),
                _ => None,
            })
            .await;
        assert_eq!(caller_id.as_deref(), Some(shown));
        house.call_ends(call, EndedBy::Agent).await;
        house.settled().await;
        page.does(Command::Complete { interaction: call }).await.unwrap();
        assert_eq!(house.desk.record(&page.who, call).await.unwrap().caller, shown);
    }
}
