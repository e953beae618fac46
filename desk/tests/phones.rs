//! By which phone agents are reached.

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::testing::{House, Page, Setup, anna, ben, trunk_out};
use model::call::{CallFact, CallOrder};
use model::id::{InteractionId, OfferToken, UserId};
use model::interaction::EndedBy;
use model::people::{OwnPhone, PhoneKind, User};

/// How long somebody may be without a phone.
const MISSING_MAX: Duration = Duration::from_secs(300);
const MOBILE: &str = "+491701234567";

/// A house with a trunk out, in which this phone is set for Anna.
async fn house(phone: PhoneKind, mobile: Option<&str>) -> House {
    let house = House::open_with(Setup { phone_missing_max: Some(MISSING_MAX), ..Setup::default() }).await;
    house.opens_a_trunk().await;
    set(&house, anna(), phone, mobile).await.expect("a phone that may be set");
    house
}

async fn set(house: &House, user: UserId, phone: PhoneKind, mobile: Option<&str>) -> Result<(), Refusal> {
    let row = house.desk.get::<User>(user).await.expect("a user");
    let user = User { phone, mobile: mobile.map(str::to_owned), ..row.item };
    house.desk.update_user(user, row.version, Actor::default()).await.map(drop)
}

/// The phone as a page shows it when it comes: kind, number, whether it is up.
fn phone(page: &Page) -> (String, Option<String>, bool) {
    let phone = &page.welcome["snapshot"]["phone"];
    let number = phone["number"].as_str().map(str::to_owned);
    (phone["kind"].as_str().expect("a kind").to_owned(), number, phone["up"].as_bool().expect("up or not"))
}

/// The order by which Anna's number is dialled.
async fn dialled(house: &mut House) -> (InteractionId, OfferToken, String) {
    house
        .order(|order| match order {
            CallOrder::RingNumber { interaction, token, agent, number, caller_id, trunks, confirm } => {
                assert_eq!(
                    (*agent, caller_id.as_deref(), &trunks[..]),
                    (anna(), Some("100"), &[trunk_out()][..])
                );
                assert_eq!(confirm, &["phone-confirm"], "a mailbox must not take customers");
                Some((*interaction, *token, number.clone()))
            }
            _ => None,
        })
        .await
}

/// CONN-06, CONN-11: calls ring at the agent's number outside; whoever is there takes them by picking up, not in the page.
#[tokio::test]
async fn calls_come_to_a_number_outside() {
    let mut house = house(PhoneKind::Number, Some(MOBILE)).await;
    let mut page = house.page("anna").await;
    assert_eq!(phone(&page), ("number".to_owned(), Some(MOBILE.to_owned()), true));
    let call = house.customer_calls("100").await;
    let (interaction, token, number) = dialled(&mut house).await;
    assert_eq!((interaction, number.as_str()), (call, MOBILE));
    let offer = page.event("offered", |_| true).await;
    assert_eq!(offer["offer"]["offer"], token.to_string());
    let refused = page.does(Command::Accept { offer: token }).await;
    assert!(matches!(refused, Err(Refusal::NotNow { why }) if why.contains("Pick up")));
    house.fact(CallFact::AgentAnswered { interaction, token, agent: anna() }).await;
    house
        .order(|order| matches!(order, CallOrder::Connect { agent, .. } if *agent == anna()).then_some(()))
        .await;
    house.bridged(call, anna()).await;
    page.event("work", |e| e["work"]["phase"] == "talking").await;
    // It takes one call at a time.
    let second = page.does(Command::Dial { number: "030555".into(), service: None, caller_id: None }).await;
    assert!(matches!(second, Err(Refusal::NotNow { why }) if why.contains("one call at a time")));
    house.call_ends(call, EndedBy::Customer).await;
    page.event("work", |e| e["work"]["phase"] == "wrap_up").await;
}

/// OUT-14: an agent's own call begins at the agent's number, and the customer is dialled when it was taken there.
#[tokio::test]
async fn a_number_is_dialled_from_a_phone_outside() {
    let mut house = house(PhoneKind::Number, Some(MOBILE)).await;
    let mut page = house.page("anna").await;
    page.does(Command::Dial { number: "030555".into(), service: None, caller_id: None }).await.unwrap();
    let (interaction, token, _) = dialled(&mut house).await;
    house.settled().await;
    let dials = |order: &CallOrder| matches!(order, CallOrder::Dial { .. });
    assert!(!house.orders_so_far().iter().any(dials), "not before somebody is there");
    house.fact(CallFact::AgentAnswered { interaction, token, agent: anna() }).await;
    house.order(|order| dials(order).then_some(())).await;
    page.event("work", |e| e["work"]["phase"] == "dialling").await;
    let _ben = house.page("ben").await;
    let colleague = page.does(Command::Call { user: Some(ben()), extension: None }).await;
    assert!(matches!(colleague, Err(Refusal::NotNow { .. })));
}

/// CONN-10: what an agent chooses is theirs from the next sign-in on, and so is the phone that is set, when they want it back.
#[tokio::test]
async fn an_agent_has_another_phone_from_the_next_sign_in_on() {
    let mut house = house(PhoneKind::Browser, None).await;
    let who = house.sign_in("anna").await;
    let page = Page::attach(&house.desk, &who, None).await;
    house.desk.choose_phone(&who, Some((PhoneKind::Number, Some("+49 170 1234567".into())))).await.unwrap();
    assert_eq!(phone(&page).0, "browser");
    house.customer_calls("100").await;
    house.order(|o| matches!(o, CallOrder::RingAgent { phone: PhoneKind::Browser, .. }).then_some(())).await;
    house.desk.sign_out(&who, true, Actor::default()).await.unwrap();
    let who = house.sign_in("anna").await;
    let page = Page::attach(&house.desk, &who, None).await;
    assert_eq!(phone(&page), ("number".to_owned(), Some(MOBILE.to_owned()), true));
    house.customer_calls("100").await;
    dialled(&mut house).await;
    let phones = house.desk.phones(&who).await.unwrap();
    let own = OwnPhone { kind: PhoneKind::Number, number: Some(MOBILE.into()) };
    assert_eq!((phones.set, phones.own), (PhoneKind::Browser, Some(own)));
    // The notice before callbacks is another wish, and neither forgets the other.
    house.desk.show_callback_notice(&who, false).await.unwrap();
    assert!(house.desk.phones(&who).await.unwrap().own.is_some());
    house.desk.choose_phone(&who, None).await.unwrap();
    assert!(house.desk.preferences(&who).await.unwrap().no_callback_notice);
    house.desk.sign_out(&who, true, Actor::default()).await.unwrap();
    let who = house.sign_in("anna").await;
    assert_eq!(phone(&Page::attach(&house.desk, &who, None).await).0, "browser");
}

/// CONN-06, CONN-10, SAFE-01: only numbers that may be dialled, only where agents may name them, and a phone on the desk only for whom
/// one was set up.
#[tokio::test]
async fn not_every_phone_can_be_chosen() {
    let house = house(PhoneKind::Browser, None).await;
    let who = house.sign_in("anna").await;
    let choose = async |kind, number: Option<&str>| {
        house.desk.choose_phone(&who, Some((kind, number.map(str::to_owned)))).await
    };
    assert!(matches!(choose(PhoneKind::Number, None).await, Err(Refusal::Invalid { .. })), "which?");
    assert!(matches!(choose(PhoneKind::Number, Some("my mobile")).await, Err(Refusal::Invalid { .. })));
    assert!(matches!(choose(PhoneKind::Number, Some("030555,,1")).await, Err(Refusal::Invalid { .. })));
    assert!(
        matches!(choose(PhoneKind::Number, Some("+881612345678")).await, Err(Refusal::Invalid { .. })),
        "closed"
    );
    assert!(matches!(choose(PhoneKind::Sip, None).await, Err(Refusal::NotNow { .. })));
    choose(PhoneKind::None, None).await.unwrap();
    choose(PhoneKind::Number, Some(MOBILE)).await.unwrap();
    let row = house.desk.tenant_settings().await.unwrap();
    let mut tenant = row.item;
    tenant.dialling.own_numbers = false;
    house.desk.update_tenant(tenant, row.version, Actor::default()).await.unwrap();
    assert!(matches!(choose(PhoneKind::Number, Some(MOBILE)).await, Err(Refusal::NotNow { .. })));
    // What was chosen before does not count any longer.
    assert_eq!(phone(&house.page("anna").await).0, "browser");
    // What administrators set is checked in the same way.
    for (mobile, why) in [(None, "missing"), (Some("x"), "no number"), (Some("+881612345678"), "closed")] {
        let refused = set(&house, ben(), PhoneKind::Number, mobile).await;
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{why}: {refused:?}");
    }
}

/// CONN-09: without a phone no calls come, and none are made.
#[tokio::test]
async fn without_a_phone_there_are_no_calls() {
    let mut house = house(PhoneKind::Browser, None).await;
    let who = house.sign_in("anna").await;
    house.desk.choose_phone(&who, Some((PhoneKind::None, None))).await.unwrap();
    let page = Page::attach(&house.desk, &who, None).await;
    house.customer_calls("100").await;
    house.settled().await;
    let rings = |o: &CallOrder| matches!(o, CallOrder::RingAgent { .. } | CallOrder::RingNumber { .. });
    assert!(!house.orders_so_far().iter().any(rings));
    let dial = page.does(Command::Dial { number: "030555".into(), service: None, caller_id: None }).await;
    assert!(matches!(dial, Err(Refusal::NotNow { .. })));
    house.pass(MISSING_MAX * 2).await;
    house.settled().await;
    assert_eq!(phone(&page).0, "none", "and nobody is signed out for it");
}

/// CONN-12, ERR-20: who has no phone for some minutes is signed out and told why; who has one again in time, or talks, is not.
#[tokio::test]
async fn whose_phone_is_missing_is_signed_out() {
    let house = house(PhoneKind::Browser, None).await;
    let up = |up: bool| match up {
        true => CallFact::PhoneUp { agent: anna(), phone: PhoneKind::Browser },
        false => CallFact::PhoneDown { agent: anna(), phone: PhoneKind::Browser },
    };
    let chief = house.page("adam").await;
    chief.does(Command::NotReady { reason: None }).await.unwrap();
    let mut page = house.page("anna").await;
    house.fact(up(true)).await;
    for _ in 0..3 {
        house.fact(up(false)).await;
        house.pass(MISSING_MAX - Duration::from_secs(20)).await;
        house.fact(up(true)).await;
        house.pass(MISSING_MAX).await;
    }
    page.does(Command::Ready).await.expect("still signed in");
    house.fact(up(false)).await;
    house.pass(MISSING_MAX + Duration::from_secs(20)).await;
    let over = page.event("session_ended", |_| true).await;
    assert_eq!(over["why"], "phone_missing");
    chief.does(Command::NotReady { reason: None }).await.expect("an administrator works on without a phone");
}

/// OUT-04, ERR-34: of a colleague who cannot be called, the number outside is told instead.
#[tokio::test]
async fn a_colleague_who_is_away_has_a_mobile() {
    let house = house(PhoneKind::Browser, Some(MOBILE)).await;
    let ben = house.sign_in("ben").await;
    let of_anna = async || {
        let page = house.desk.colleagues(&ben, ("anna", None), None, 10).await.unwrap();
        page.items.first().map(|row| (row.callable, row.mobile.clone())).unwrap()
    };
    assert_eq!(of_anna().await, (false, Some(MOBILE.to_owned())));
    let _page = house.page("anna").await;
    assert_eq!(of_anna().await, (true, None));
}
