//! Customers who ask to be called back, and are (CB-01, CB-02).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::floor::callback::NewCallback;
use desk::past::Past;
use desk::records::RecordView;
use desk::testing::{House, Page, Setup, anna, ben, help, sue, tenant};
use model::call::{CallFact, CallOrder, DialFailure};
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, NumberId, OfferToken, TrunkId, UserId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{CallbackRules, Number, QueueRules, Service, Treatment, WaitingRules};
use model::time::Timestamp;

const ASKING: &str = r#"
name = "Asking"
start = "music"
while_waiting = true

[wait.music]
seconds = 20
choices = { 1 = "back", 2 = "another" }
next = "music"

[wait.rest]
seconds = 1
next = "another"

[collect.another]
prompt = "choose"
into = "callback_number"
next = "typed"
failed = "music"

[callback.back]
next = "bye"
invalid = "rest"
already = "sorry"
refused = "sorry"

[callback.typed]
number = "{callback_number}"
next = "bye"
invalid = "rest"
already = "sorry"
refused = "sorry"

[play.sorry]
prompt = "welcome"
next = "music"

[play.bye]
prompt = "goodbye"
next = "end"

[hangup.end]
"#;

const BEFORE: &str = r#"
name = "Before"
start = "back"

[callback.back]
service = "Help"
next = "bye"
invalid = "help"
already = "help"
refused = "help"

[play.bye]
prompt = "goodbye"
next = "end"

[hangup.end]

[queue.help]
service = "Help"
"#;

/// What a caller hears who was promised to be called back, and who was not.
const GOODBYE: &str = "goodbye";
const SORRY: &str = "welcome";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn stored(id: FlowId, name: &str, text: &str) -> Flow {
    let mut flow = Flow { id, tenant: tenant(), name: name.into(), active: None, versions: vec![] };
    flow.active = Some(flow.save(text.into()));
    flow
}

/// A house with a trunk out and the flow for those who wait. Ben is there, so that it is staffed, and takes nothing.
async fn house_with(callback: CallbackRules) -> (House, Page) {
    let house = House::open_with(Setup::default()).await;
    house.opens_a_trunk().await;
    let page = house.page("ben").await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let flow = FlowId::from_number(1);
    house.desk.create(stored(flow, "Asking", ASKING), Actor::default()).await.unwrap();
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let waiting = WaitingRules { flow: Some(flow), ..WaitingRules::default() };
    let queue = QueueRules { waiting, callback, when_unstaffed: Treatment::Queue, ..row.item.queue.clone() };
    house.desk.update(Service { queue, ..row.item }, row.version, Actor::default()).await.unwrap();
    (house, page)
}

async fn house() -> (House, Page) {
    house_with(CallbackRules { pause_s: 60, ..CallbackRules::default() }).await
}

/// Anna at her page, ready, with her phone.
async fn anna_is_ready(house: &mut House) -> Page {
    let page = house.page("anna").await;
    house.fact(CallFact::PhoneUp { agent: anna(), phone: PhoneKind::Browser }).await;
    house.settled().await;
    page.does(Command::Ready).await.unwrap();
    page
}

async fn presses(house: &House, call: InteractionId, keys: &str) {
    for digit in keys.chars() {
        house.fact(CallFact::DigitReceived { interaction: call, digit }).await;
    }
    house.settled().await;
}

/// The next sounds that a caller hears to their end.
async fn hears(house: &mut House, call: InteractionId) -> String {
    let (number, heard) = house
        .order(|o| match o {
            CallOrder::PlaySounds { interaction, number, sounds } if *interaction == call && *number > 0 => {
                Some((*number, sounds.join(" ")))
            }
            _ => None,
        })
        .await;
    house.fact(CallFact::Played { interaction: call, number }).await;
    heard
}

/// A customer waits, asks to be called back, hears good-bye and is hung up.
async fn asks(house: &mut House) -> InteractionId {
    let call = house.customer_calls("100").await;
    presses(house, call, "1").await;
    assert_eq!(hears(house, call).await, GOODBYE);
    house
        .order(|o| matches!(o, CallOrder::HangUp { interaction, .. } if *interaction == call).then_some(()))
        .await;
    house.call_ends(call, EndedBy::System).await;
    house.settled().await;
    call
}

/// A phone is rung for the callback, on a call that nobody is on.
async fn offered(house: &mut House, call: InteractionId, number: &str) -> (UserId, OfferToken) {
    house
        .order(|o| match o {
            CallOrder::Place { interaction, contact } if *interaction == call => {
                assert_eq!(contact, number);
                Some(())
            }
            _ => None,
        })
        .await;
    house.rung(call).await
}

async fn dialled(house: &mut House, call: InteractionId) -> String {
    house
        .order(|o| match o {
            CallOrder::Dial { interaction, number, .. } if *interaction == call => Some(number.clone()),
            _ => None,
        })
        .await
}

async fn record(house: &House, page: &Page, call: InteractionId) -> RecordView {
    house.settled().await;
    house.desk.record(&page.who, call).await.unwrap()
}

async fn events_of(house: &House, call: InteractionId) -> Vec<Event> {
    house.journal().await.into_iter().filter(|event| event.interaction() == Some(call)).collect()
}

/// CB-01, CB-02: the place is kept, the agent reads a notice before the customer is dialled, and whoever answers is a caller like
/// any other. Nobody was abandoned; the past is decided again as it was.
#[tokio::test]
async fn whoever_asked_is_called_back_at_the_place_that_was_kept() {
    let (mut house, _ben) = house().await;
    let call = asks(&mut house).await;
    house.pass(seconds(5)).await;
    let later = other_customer(&mut house, 77).await;
    house.pass(seconds(5)).await;
    let queue = house.desk.queues().await.unwrap().remove(0);
    assert_eq!((queue.waiting, queue.callbacks, queue.today.callbacks, queue.today.abandoned), (2, 1, 1, 0));
    let mut page = anna_is_ready(&mut house).await;
    let (agent, offer) = offered(&mut house, call, "+4930123456").await;
    assert_eq!(agent, anna(), "before the one who came later");
    // She was rung before her page was there.
    let shown = &page.welcome["snapshot"]["offers"][0];
    assert_eq!(
        (&shown["channel"], &shown["callback"]["number"]),
        (&"callback".into(), &"+4930123456".into())
    );
    page.does(Command::Accept { offer }).await.unwrap();
    let work = page.event("work", |e| e["work"]["phase"] == "reserved").await;
    assert_eq!(work["work"]["direction"], "inbound");
    house.settled().await;
    assert!(
        !house.orders_so_far().iter().any(|o| matches!(o, CallOrder::Dial { .. })),
        "the notice comes first"
    );
    page.does(Command::CallBack { interaction: call }).await.unwrap();
    assert_eq!(dialled(&mut house, call).await, "+4930123456");
    page.event("work", |e| e["work"]["phase"] == "dialling").await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: TrunkId::from_number(7) }).await;
    let connect = house.next_order().await;
    assert!(
        matches!(connect, CallOrder::Connect { record: Some(_), agent, .. } if agent == anna()),
        "{connect:?}"
    );
    house.bridged(call, anna()).await;
    page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.pass(seconds(30)).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let found = record(&house, &page, call).await;
    assert_eq!((found.status, found.agent), (Some("normal"), Some(anna())));
    let callback = found.callback.expect("the record tells of it");
    assert_eq!((callback.number.as_str(), callback.attempts.len()), ("+4930123456", 1));
    let today = house.desk.queues().await.unwrap().remove(0).today;
    assert_eq!((today.offered, today.answered, today.abandoned, today.called_back), (1, 0, 0, 1));
    assert_eq!(house.rung(later).await.0, anna());
    let again =
        Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert_eq!(again.difference, None);
}

/// CB-02: nobody answers: the agent is ready again at once and is given the next caller; after the pause the customer is tried once
/// more, and is reached.
#[tokio::test]
async fn an_attempt_that_fails_frees_the_agent_and_is_repeated_after_the_pause() {
    let (mut house, _ben) = house().await;
    let call = asks(&mut house).await;
    house.pass(seconds(5)).await;
    let mut page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    page.does(Command::CallBack { interaction: call }).await.unwrap();
    dialled(&mut house, call).await;
    house.fact(CallFact::DialFailed { interaction: call, why: DialFailure::Busy, status: Some(486) }).await;
    let banner = page.banner("callback_failed").await;
    assert_eq!(banner["params"]["why"], "busy");
    page.state("ready").await;
    house.call_ends(call, EndedBy::System).await;
    let other = other_customer(&mut house, 77).await;
    assert_eq!(house.rung(other).await.0, anna(), "routing goes on");
    house.call_ends(other, EndedBy::Customer).await;
    house.pass(seconds(59)).await;
    assert!(
        house.orders_so_far().iter().all(|o| !matches!(o, CallOrder::Place { .. })),
        "not before the pause"
    );
    house.pass(seconds(2)).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    // Nobody looks at the notice: it dials by itself.
    house.pass(seconds(16)).await;
    dialled(&mut house, call).await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: TrunkId::from_number(7) }).await;
    house.bridged(call, anna()).await;
    house.call_ends(call, EndedBy::Agent).await;
    let found = record(&house, &page, call).await;
    let attempts = found.callback.unwrap().attempts;
    assert_eq!(attempts.iter().map(|a| a.failed).collect::<Vec<_>>(), [Some("busy"), None]);
}

/// CB-02: after the last attempt it is given up, with its reasons.
#[tokio::test]
async fn after_the_last_attempt_it_is_given_up() {
    let rules = CallbackRules { pause_s: 60, attempts_max: 2, ..CallbackRules::default() };
    let (mut house, _ben) = house_with(rules).await;
    let call = asks(&mut house).await;
    let page = anna_is_ready(&mut house).await;
    for (number, why) in [DialFailure::Busy, DialFailure::NoAnswer].into_iter().enumerate() {
        house.pass(seconds(61)).await;
        let (_, offer) = offered(&mut house, call, "+4930123456").await;
        page.does(Command::Accept { offer }).await.unwrap();
        if number == 1 {
            // The agent's phone is lost, or the agent hangs up: that is an attempt as well, once it was dialled.
            page.does(Command::CallBack { interaction: call }).await.unwrap();
            dialled(&mut house, call).await;
            house.call_ends(call, EndedBy::Agent).await;
            continue;
        }
        page.does(Command::CallBack { interaction: call }).await.unwrap();
        dialled(&mut house, call).await;
        house.fact(CallFact::DialFailed { interaction: call, why, status: None }).await;
        house.call_ends(call, EndedBy::System).await;
    }
    let supervisor = house.page("sue").await;
    let found = record(&house, &supervisor, call).await;
    assert_eq!((found.status, found.agent), (Some("callback_failed"), None));
    assert_eq!(found.callback.unwrap().over, Some("attempts"));
    house.pass(seconds(300)).await;
    assert!(house.orders_so_far().iter().all(|o| !matches!(o, CallOrder::Place { .. })));
    assert_eq!(house.desk.queues().await.unwrap().remove(0).callbacks, 0);
}

/// CB-01: which number is dialled, and what is not promised: a number that is none or closed, the same one twice, more than the
/// service allows, with nobody there, while a phone rings for the caller.
#[tokio::test]
async fn what_is_promised_and_what_is_not() {
    let rules = CallbackRules { open_max: 2, ..CallbackRules::default() };
    let (mut house, _ben) = house_with(rules).await;
    asks(&mut house).await;
    let again = house.customer_calls("100").await;
    house.settled().await;
    // Whoever calls again has used up the first: it is asked for anew.
    presses(&house, again, "1").await;
    assert_eq!(hears(&mut house, again).await, GOODBYE);
    let third = house.customer_calls("100").await;
    presses(&house, third, "1").await;
    assert_eq!(
        hears(&mut house, third).await,
        SORRY,
        "that number is on the line of the second, and to be called back"
    );
    presses(&house, third, "2").await;
    for closed in ["0900123#", "1#"] {
        presses(&house, third, closed).await;
        house.pass(seconds(1)).await;
        assert_eq!(hears(&mut house, third).await, "choose", "0900 is closed, and 1 is no number");
    }
    presses(&house, third, "030777#").await;
    assert_eq!(hears(&mut house, third).await, "choose", "asked once more");
    assert_eq!(hears(&mut house, third).await, GOODBYE);
    let fourth = house.customer_calls("100").await;
    presses(&house, fourth, "2030778#").await;
    assert_eq!(hears(&mut house, fourth).await, "choose");
    assert_eq!(hears(&mut house, fourth).await, SORRY, "two are open");
}

/// CB-01: asked for before any queue, by a flow.
#[tokio::test]
async fn a_flow_before_the_queue_asks_as_well() {
    let (mut house, _ben) = house().await;
    let flow = FlowId::from_number(2);
    house.desk.create(stored(flow, "Before", BEFORE), Actor::default()).await.unwrap();
    let number = Number {
        id: NumberId::from_number(9),
        tenant: tenant(),
        digits: "109".into(),
        service: help(),
        flow: Some(flow),
    };
    house.desk.create(number, Actor::default()).await.unwrap();
    let call = house.customer_calls("109").await;
    assert_eq!(hears(&mut house, call).await, GOODBYE);
    // The caller does not wait for the end.
    house.call_ends(call, EndedBy::Customer).await;
    house.pass(seconds(4)).await;
    anna_is_ready(&mut house).await;
    offered(&mut house, call, "+4930123456").await;
    let events = events_of(&house, call).await;
    assert!(!events.iter().any(|event| matches!(event, Event::Ended { .. })), "{events:?}");
}

/// CB-01: the agent who refuses it loses it as any offer; the next one is asked on the same call. A supervisor cancels it, but not
/// while somebody is at it.
#[tokio::test]
async fn it_is_refused_as_any_offer_and_cancelled_by_a_supervisor() {
    let (mut house, ben_page) = house().await;
    let call = asks(&mut house).await;
    house.pass(seconds(5)).await;
    let page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    assert!(matches!(house.desk.cancel_callback(call, sue_actor()).await, Err(Refusal::NotNow { .. })));
    page.does(Command::Decline { offer }).await.unwrap();
    house.fact(CallFact::PhoneUp { agent: ben(), phone: PhoneKind::Browser }).await;
    ben_page.does(Command::Ready).await.unwrap();
    let (agent, offer) = house.rung(call).await;
    assert_eq!(agent, ben());
    ben_page.does(Command::Decline { offer }).await.unwrap();
    house.settled().await;
    house.desk.cancel_callback(call, sue_actor()).await.unwrap();
    house
        .order(|o| matches!(o, CallOrder::HangUp { interaction, .. } if *interaction == call).then_some(()))
        .await;
    let supervisor = house.page("sue").await;
    let found = record(&house, &supervisor, call).await;
    let callback = found.callback.unwrap();
    assert_eq!(
        (found.status, callback.over, callback.cancelled_by),
        (Some("cancelled"), Some("cancelled"), Some(sue()))
    );
    assert_eq!(house.desk.cancel_callback(call, sue_actor()).await, Err(Refusal::missing("callback")));
}

fn sue_actor() -> Actor {
    Actor { user: Some(sue()), address: None, key: None }
}

/// CB-01: whoever calls again has the place that was kept, and is not called back any more.
#[tokio::test]
async fn whoever_calls_again_takes_the_kept_place() {
    let (mut house, _ben) = house().await;
    let call = asks(&mut house).await;
    house.pass(seconds(5)).await;
    let between = other_customer(&mut house, 77).await;
    house.pass(seconds(30)).await;
    let again = house.customer_calls("100").await;
    house.settled().await;
    anna_is_ready(&mut house).await;
    house.rung(again).await;
    let supervisor = house.page("sue").await;
    assert_eq!(record(&house, &supervisor, call).await.status, Some("called_in"));
    assert_eq!(record(&house, &supervisor, between).await.status, None);
}

async fn other_customer(house: &mut House, number: u64) -> InteractionId {
    let interaction = InteractionId::from_number(number);
    house
        .fact(CallFact::Incoming {
            interaction,
            tenant: tenant(),
            from: model::call::Source::Trunk { trunk: TrunkId::from_number(1) },
            caller: "+4930999".into(),
            caller_name: None,
            contact: "100".into(),
        })
        .await;
    interaction
}

/// CB-01: the appliance is killed at each point; the customer is still called back at the place, and an attempt that had begun
/// counts.
#[tokio::test]
async fn a_crash_loses_nobody_who_is_to_be_called_back() {
    let (mut house, _) =
        house_with(CallbackRules { pause_s: 60, attempts_max: 2, ..Default::default() }).await;
    let call = house.customer_calls("100").await;
    presses(&house, call, "1").await;
    hears(&mut house, call).await;
    // While good-bye is heard.
    let mut house = house.crash().await;
    house.pass(seconds(5)).await;
    assert_eq!(house.desk.queues().await.unwrap().remove(0).callbacks, 1);
    let page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    house.settled().await;
    drop(page);
    // While the agent is reserved.
    let mut house = house.crash().await;
    let page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    page.does(Command::CallBack { interaction: call }).await.unwrap();
    dialled(&mut house, call).await;
    drop(page);
    // While the customer's phone rings.
    let mut house = house.crash().await;
    let page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    page.does(Command::CallBack { interaction: call }).await.unwrap();
    dialled(&mut house, call).await;
    house.fact(CallFact::DialFailed { interaction: call, why: DialFailure::NoAnswer, status: None }).await;
    house.call_ends(call, EndedBy::System).await;
    let supervisor = house.page("sue").await;
    let found = record(&house, &supervisor, call).await;
    assert_eq!((found.status, found.callback.unwrap().attempts.len()), (Some("callback_failed"), 2));
}

/// CB-01: what was not reached in time is given up.
#[tokio::test]
async fn nobody_is_kept_for_ever() {
    let (mut house, _ben) = house_with(CallbackRules { keep_h: 1, ..CallbackRules::default() }).await;
    let call = asks(&mut house).await;
    house.pass(seconds(3_500)).await;
    assert_eq!(house.desk.queues().await.unwrap().remove(0).callbacks, 1);
    house.pass(seconds(101)).await;
    let supervisor = house.page("sue").await;
    assert_eq!(record(&house, &supervisor, call).await.callback.unwrap().over, Some("expired"));
}

/// CB-03: whoever does not want to see the notice again dials by accepting, also after a restart; it can be shown again.
#[tokio::test]
async fn the_notice_is_left_out_for_whoever_does_not_want_it() {
    let (mut house, _ben) = house().await;
    let call = asks(&mut house).await;
    house.pass(seconds(5)).await;
    let page = anna_is_ready(&mut house).await;
    house.desk.show_callback_notice(&page.who, false).await.unwrap();
    drop(page);
    let mut house = house.crash().await;
    let page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    assert_eq!(dialled(&mut house, call).await, "+4930123456");
    house.fact(CallFact::DialFailed { interaction: call, why: DialFailure::Busy, status: Some(486) }).await;
    house.call_ends(call, EndedBy::System).await;
    house.desk.show_callback_notice(&page.who, true).await.unwrap();
    house.pass(seconds(61)).await;
    let (_, offer) = offered(&mut house, call, "+4930123456").await;
    page.does(Command::Accept { offer }).await.unwrap();
    house.settled().await;
    assert!(!house.orders_so_far().iter().any(|o| matches!(o, CallOrder::Dial { .. })));
}

/// CB-01, CB-02: a program books a callback for a time: it is not in the line before, and has the place of that time; it outlives a kill,
/// is seen and cancelled like any other, and is dialled when an agent takes it.
#[tokio::test]
async fn a_callback_is_booked_for_a_time_and_survives_a_crash() {
    let (house, page) = house().await;
    let due = house.desk.now() + seconds(1_800);
    let wanted = |number: &str, at: Option<Timestamp>| NewCallback {
        number: number.into(),
        service: help(),
        name: "Mara Lind".into(),
        at: at.map(Timestamp::millis),
    };
    let call = house.desk.book_callback(wanted("+4930777", Some(due))).await.unwrap();
    let seen = house.desk.call(call).await.unwrap();
    let open = seen.callback.unwrap();
    assert_eq!((seen.phase, open.since, open.held_until), ("called_back", due.millis(), Some(due.millis())));
    let twice = house.desk.book_callback(wanted("+4930777", None)).await;
    assert!(matches!(twice, Err(Refusal::Conflict { .. })), "{twice:?}");
    for (number, at, field) in
        [("nobody", None, "/number"), ("+4930778", Some(house.desk.now() + seconds(8 * 86_400)), "/at")]
    {
        let refused = house.desk.book_callback(wanted(number, at)).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Invalid { errors } if errors[0].pointer == field), "{refused:?}");
    }
    let other = house.desk.book_callback(wanted("+4930779", Some(due))).await.unwrap();
    let by = Actor { user: Some(sue()), ..Actor::default() };
    house.desk.cancel_callback(other, by).await.unwrap();
    drop(page);
    let mut house = house.crash().await;
    let page = anna_is_ready(&mut house).await;
    house.pass(seconds(1_700)).await;
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 0, "not yet");
    house.pass(seconds(100)).await;
    let (agent, offer) = offered(&mut house, call, "+4930777").await;
    assert_eq!(agent, anna());
    page.does(Command::Accept { offer }).await.unwrap();
    page.does(Command::CallBack { interaction: call }).await.unwrap();
    assert_eq!(dialled(&mut house, call).await, "+4930777");
    let all = Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert!(all.difference.is_none(), "{all:?}");
}

/// CB-01: without a time it waits at once; a service that is closed then, or takes no calls, and a number that may not be dialled are
/// refused with the reason.
#[tokio::test]
async fn a_callback_without_a_time_is_queued_at_once_and_a_closed_service_refuses() {
    let (mut house, _page) = house().await;
    let wanted = |at: Option<Timestamp>| NewCallback {
        number: "+4930777".into(),
        service: help(),
        name: String::new(),
        at: at.map(Timestamp::millis),
    };
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let shut = Service { open: false, ..row.item.clone() };
    let row = house.desk.update(shut, row.version, Actor::default()).await.unwrap();
    let refused = house.desk.book_callback(wanted(None)).await;
    assert!(matches!(refused, Err(Refusal::NotNow { .. })), "{refused:?}");
    let later = house.desk.book_callback(wanted(Some(house.desk.now() + seconds(60)))).await.unwrap_err();
    assert!(matches!(&later, Refusal::Invalid { errors } if errors[0].pointer == "/at"), "{later:?}");
    let open = Service { open: true, ..row.item.clone() };
    house.desk.update(open, row.version, Actor::default()).await.unwrap();
    let call = house.desk.book_callback(wanted(None)).await.unwrap();
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 1);
    let page = anna_is_ready(&mut house).await;
    let (_, offer) = offered(&mut house, call, "+4930777").await;
    page.does(Command::Accept { offer }).await.unwrap();
}
