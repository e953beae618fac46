//! Flows that ask systems of the operator.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::audit::Actor;
use desk::testing::{House, help, tenant};
use model::call::{CallFact, CallOrder, Sound};
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, NumberId};
use model::journal::Event;
use model::service::{Number, Service, Treatment, WaitingRules};

const ASKING: &str = r#"
name = "Known"
start = "account"

[collect.account]
prompt = "choose"
into = "account"
max = 4
secret = true
next = "crm"
failed = "help"

[http.crm]
url = "https://crm.example/accounts/{account}"
picks = { tier = "/tier" }
status = "status"
next = "help"
failed = "help"
timeout = "slow"

[play.slow]
prompt = "goodbye"
next = "help"

[queue.help]
service = "Help"
"#;

/// A house with a flow.
async fn having(text: &str) -> House {
    let house = House::open().await;
    let (id, name) = (FlowId::from_number(1), "Known".to_owned());
    let mut flow = Flow { id, tenant: tenant(), name, active: None, versions: vec![] };
    flow.active = Some(flow.save(text.to_owned()));
    house.desk.create(flow, Actor::default()).await.unwrap();
    house
}

/// A house whose number 200 leads to the flow that asks.
async fn open() -> House {
    let house = having(ASKING).await;
    let (digits, flow) = ("200".to_owned(), Some(FlowId::from_number(1)));
    let number = Number { id: NumberId::from_number(2), tenant: tenant(), digits, service: help(), flow };
    house.desk.create(number, Actor::default()).await.unwrap();
    house
}

/// A caller who entered an account.
async fn asking(house: &mut House) -> InteractionId {
    let call = house.customer_calls("200").await;
    for digit in "4711".chars() {
        house.fact(CallFact::DigitReceived { interaction: call, digit }).await;
    }
    call
}

fn figure(house: &House, line: &str) -> bool {
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    text.contains(line)
}

/// ROUTE-08: what a system answers is before the agent and in the journal; what was sent in secret is nowhere but there.
#[tokio::test]
async fn what_a_system_answers_goes_with_the_caller() {
    let mut house = open().await;
    house.systems.answers.lock().unwrap().push_back((200, r#"{"tier":"gold"}"#));
    let mut page = house.page("anna").await;
    asking(&mut house).await;
    let offered = page.event("offered", |_| true).await;
    assert_eq!(offered["offer"]["noted"], serde_json::json!({ "tier": "gold", "status": "200" }));
    assert_eq!(*house.systems.asked.lock().unwrap(), ["https://crm.example/accounts/4711"]);
    let written = serde_json::to_string(&house.journal().await).unwrap();
    assert!(written.contains(r#""tier":"gold""#) && !written.contains("4711"), "{written}");
    assert!(figure(&house, r#"patchbay_flow_request_seconds_count{result="ok"} 1"#));
}

/// ROUTE-08: a system that never answers keeps nobody: music after a second, and then the way for it.
#[tokio::test]
async fn a_system_that_never_answers_keeps_nobody() {
    let mut house = open().await;
    let call = asking(&mut house).await;
    house.eventually(async |house| !house.systems.asked.lock().unwrap().is_empty()).await;
    house.pass(Duration::from_secs(1)).await;
    let music = |o: &CallOrder| matches!(o, CallOrder::Play { sound: Sound::QueueMusic, .. }).then_some(());
    house.order(music).await;
    house.pass(Duration::from_secs(4)).await;
    let heard = |o: &CallOrder| match o {
        CallOrder::PlaySounds { interaction, sounds, .. } if *interaction == call => Some(sounds.clone()),
        _ => None,
    };
    assert_eq!(house.order(heard).await, ["goodbye"]);
}

/// ROUTE-07, ROUTE-08: who waits in a queue may be asked about as well, and keeps the place; a refusal is not a loss.
#[tokio::test]
async fn a_flow_of_those_who_wait_may_ask_too() {
    let waiting = r#"
name = "Known"
start = "crm"
while_waiting = true

[http.crm]
url = "https://crm.example/line"
status = "status"
next = "say"
failed = "say"

[play.say]
prompt = "welcome"
next = "music"

[wait.music]
seconds = 60
next = "music"
"#;
    let mut house = having(waiting).await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item;
    service.queue.waiting = WaitingRules { flow: Some(FlowId::from_number(1)), ..WaitingRules::default() };
    service.queue.when_unstaffed = Treatment::Queue;
    house.desk.update(service, row.version, Actor::default()).await.unwrap();
    house.systems.answers.lock().unwrap().push_back((503, ""));
    let call = house.customer_calls("100").await;
    let heard = |o: &CallOrder| match o {
        CallOrder::PlaySounds { interaction, sounds, .. } if *interaction == call && !sounds.is_empty() => {
            Some(sounds.clone())
        }
        _ => None,
    };
    assert_eq!(house.order(heard).await, ["welcome"]);
    let noted = |event: &Event| matches!(event, Event::Noted { values, .. } if values["status"] == "503");
    assert!(house.journal().await.iter().any(noted));
    assert!(figure(&house, r#"patchbay_flow_request_seconds_count{result="refused"} 1"#));
}
