//! Callers who go through a flow before an agent is asked.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Setup, anna, help, tenant};
use model::call::{CallFact, CallOrder, Sound};
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, NumberId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{Number, Treatment};

/// Asks for an account and a PIN, and makes something of both.
const ENTERING: &str = r#"
name = "Main"
start = "account"

[collect.account]
prompt = "choose"
into = "account"
max = 4
next = "pin"
failed = "help"

[collect.pin]
prompt = "choose"
into = "pin"
secret = true
max = 4
next = "class"
failed = "help"

[set.class]
vars = { class = "gold", both = "{account} {pin}" }
next = "help"

[queue.help]
service = "Help"
"#;

const TEXT: &str = r#"
name = "Main"
start = "welcome"

[play.welcome]
prompt = "welcome"
next = "choose"

[menu.choose]
prompt = "choose"
choices = { 1 = "urgent", 9 = "bye" }
tries = 1
timeout = "help"
otherwise = "help"

[queue.urgent]
service = "Help"
require = "German >= 7"
priority = 100

[queue.help]
service = "Help"
full = "bye"

[play.bye]
prompt = "goodbye"
next = "end"

[hangup.end]
"#;

fn nobody() -> Actor {
    Actor { user: None, address: None, key: None }
}

fn flow(text: &str) -> Flow {
    let (id, name) = (FlowId::from_number(1), "Main".to_owned());
    let mut flow = Flow { id, tenant: tenant(), name, active: None, versions: vec![] };
    flow.active = Some(flow.save(text.to_owned()));
    flow
}

/// A house whose number 200 leads to the flow.
async fn open(setup: Setup) -> House {
    let house = House::open_with(setup).await;
    house.desk.create(flow(TEXT), nobody()).await.unwrap();
    let digits = "200".to_owned();
    let (id, flow) = (NumberId::from_number(2), Some(FlowId::from_number(1)));
    let number = Number { id, tenant: tenant(), digits, service: help(), flow };
    house.desk.create(number, nobody()).await.unwrap();
    house
}

/// The next sounds that a caller is played.
async fn played(house: &mut House, call: InteractionId) -> (u32, Vec<String>) {
    house
        .order(|o| match o {
            CallOrder::PlaySounds { interaction, number, sounds } if *interaction == call => {
                Some((*number, sounds.clone()))
            }
            _ => None,
        })
        .await
}

async fn heard(house: &mut House, call: InteractionId, sound: &str) {
    let (number, sounds) = played(house, call).await;
    assert_eq!(sounds, [sound]);
    house.fact(CallFact::Played { interaction: call, number }).await;
}

async fn record(house: &House) -> RecordView {
    house.settled().await;
    let sue = house.sign_in("sue").await;
    house.desk.records(&sue, RecordFilter::default(), None, 50).await.unwrap().items.remove(0)
}

fn steps(journal: &[Event]) -> Vec<&str> {
    journal
        .iter()
        .filter_map(|event| match event {
            Event::FlowStep { version: 1, step, .. } => Some(step.as_str()),
            _ => None,
        })
        .collect()
}

/// ROUTE-08: the caller hears, presses, and is queued as the flow says: only the agent with the level is rung.
#[tokio::test]
async fn a_key_leads_to_the_queue_with_what_the_flow_asks_for() {
    let mut house = open(Setup::default()).await;
    let _ben = house.page("ben").await;
    let _anna = house.page("anna").await;
    let call = house.customer_calls("200").await;
    heard(&mut house, call, "welcome").await;
    assert_eq!(played(&mut house, call).await.1, ["choose"]);
    house.fact(CallFact::DigitReceived { interaction: call, digit: '1' }).await;
    let music = CallOrder::Play { interaction: call, sound: Sound::QueueMusic, then_hang_up: false };
    assert_eq!(house.order(|o| matches!(o, CallOrder::Play { .. }).then(|| o.clone())).await, music);
    assert_eq!(house.rung(call).await.0, anna(), "Ben's German is not good enough");
    let journal = house.journal().await;
    assert_eq!(steps(&journal), ["welcome", "choose", "urgent"]);
    let queued =
        |event: &Event| matches!(event, Event::Queued { priority: 100, service, .. } if *service == help());
    assert!(journal.iter().any(queued), "{journal:?}");
}

/// ROUTE-07: what was entered is in the offer, the work, the record and the journal; what was entered in secret is nowhere.
#[tokio::test]
async fn what_a_caller_enters_is_shown_to_the_agent_and_a_secret_is_not() {
    let mut house = open(Setup::default()).await;
    let row = house.desk.get::<Flow>(FlowId::from_number(1)).await.unwrap();
    let mut changed = row.item;
    changed.active = Some(changed.save(ENTERING.to_owned()));
    house.desk.update(changed, row.version, nobody()).await.unwrap();
    let mut page = house.page("anna").await;
    let call = house.customer_calls("200").await;
    for digit in "47118936".chars() {
        house.fact(CallFact::DigitReceived { interaction: call, digit }).await;
    }
    let expected = serde_json::json!({ "account": "4711", "class": "gold" });
    let offered = page.event("offered", |_| true).await;
    assert_eq!(offered["offer"]["noted"], expected);
    let work = house.talking_to(&mut page, call).await;
    assert_eq!(work["work"]["noted"], expected);
    let live = house.desk.calls().await.unwrap().remove(0);
    assert_eq!(serde_json::to_value(&live.noted).unwrap(), expected);
    assert_eq!(serde_json::to_value(record(&house).await.noted).unwrap(), expected);
    let written = serde_json::to_string(&house.journal().await).unwrap();
    assert!(written.contains(r#""account":"4711""#) && !written.contains("8936"), "{written}");
}

/// ROUTE-08: who presses nothing goes on when the time is over.
#[tokio::test]
async fn a_caller_who_presses_nothing_goes_on_when_the_time_is_over() {
    let mut house = open(Setup::default()).await;
    let _anna = house.page("anna").await;
    let call = house.customer_calls("200").await;
    heard(&mut house, call, "welcome").await;
    heard(&mut house, call, "choose").await;
    house.settled().await;
    house.pass(Duration::from_secs(5)).await;
    house.rung(call).await;
    assert_eq!(steps(&house.journal().await), ["welcome", "choose", "help"]);
}

/// ROUTE-08, REC-06: a call that the flow ends has a record of its own kind; one whose caller leaves in it was abandoned.
#[tokio::test]
async fn a_call_that_a_flow_ends_is_self_service_and_one_that_is_left_is_abandoned() {
    let mut house = open(Setup::default()).await;
    let call = house.customer_calls("200").await;
    heard(&mut house, call, "welcome").await;
    played(&mut house, call).await;
    house.fact(CallFact::DigitReceived { interaction: call, digit: '9' }).await;
    heard(&mut house, call, "goodbye").await;
    house
        .order(|o| matches!(o, CallOrder::HangUp { interaction, .. } if *interaction == call).then_some(()))
        .await;
    house.call_ends(call, EndedBy::System).await;
    assert_eq!(record(&house).await.status, Some("self_served"));
    assert!(house.desk.calls().await.unwrap().is_empty());

    let call = house.customer_calls("200").await;
    heard(&mut house, call, "welcome").await;
    house.call_ends(call, EndedBy::Customer).await;
    assert_eq!(record(&house).await.status, Some("abandoned"));
    // What comes late changes nothing.
    house.fact(CallFact::DigitReceived { interaction: call, digit: '1' }).await;
    assert!(house.desk.calls().await.unwrap().is_empty());
}

/// ROUTE-08, VOICE-15: where the flow has no answer to a refusal, the service's treatment holds.
#[tokio::test]
async fn a_queue_that_refuses_leads_where_the_flow_says_or_to_the_services_treatment() {
    let mut house = open(Setup { open: false, ..Setup::default() }).await;
    let call = house.customer_calls("200").await;
    heard(&mut house, call, "welcome").await;
    played(&mut house, call).await;
    house.fact(CallFact::DigitReceived { interaction: call, digit: '1' }).await;
    let closed = CallOrder::Play { interaction: call, sound: Sound::Closed, then_hang_up: true };
    assert_eq!(house.order(|o| matches!(o, CallOrder::Play { .. }).then(|| o.clone())).await, closed);
    house.call_ends(call, EndedBy::System).await;
    assert_eq!(record(&house).await.status, Some("closed"));

    let mut queue = model::service::QueueRules { waiting_max: 1, ..Default::default() };
    queue.when_unstaffed = Treatment::Queue;
    let mut house = open(Setup { queue, ..Setup::default() }).await;
    for expected in ["", "goodbye"] {
        let call = house.customer_calls("200").await;
        heard(&mut house, call, "welcome").await;
        played(&mut house, call).await;
        house.fact(CallFact::DigitReceived { interaction: call, digit: '5' }).await;
        if expected.is_empty() {
            house.order(|o| matches!(o, CallOrder::Play { .. }).then_some(())).await;
        } else {
            heard(&mut house, call, expected).await;
        }
    }
}

/// ROUTE-08: a process killed in the middle of a flow leaves no call without an end.
#[tokio::test]
async fn a_crash_in_a_flow_leaves_a_record_with_an_end() {
    let mut house = open(Setup::default()).await;
    let call = house.customer_calls("200").await;
    heard(&mut house, call, "welcome").await;
    played(&mut house, call).await;
    house.settled().await;
    let house = house.crash().await;
    // A start does not wait until the ends of the last run are written.
    house.eventually(async |house| record(house).await.status == Some("interrupted")).await;
    assert!(house.desk.calls().await.unwrap().is_empty());
}

/// ROUTE-08: a flow in which something is wrong is refused; a new version takes the place of the old one, and the old one can be taken
/// up again; whatever it names has to be there.
#[tokio::test]
async fn a_wrong_flow_is_refused_and_an_older_version_can_be_taken_up_again() {
    let house = open(Setup { phone: PhoneKind::Browser, ..Setup::default() }).await;
    let row = house.desk.get::<Flow>(FlowId::from_number(1)).await.unwrap();
    for (wrong, named) in [
        (TEXT.replace("timeout = \"help\"", ""), "`timeout` is missing"),
        (TEXT.replace("\"goodbye\"", "\"goodby\""), "did you mean `goodbye`?"),
        (TEXT.replace("[menu.choose]", "[menu.choose"), "line 9, column"),
    ] {
        let mut changed = row.item.clone();
        changed.active = Some(changed.save(wrong));
        let Err(Refusal::Invalid { errors }) = house.desk.update(changed, row.version, nobody()).await else {
            panic!("{named} was taken");
        };
        assert!(
            errors.iter().any(|error| error.pointer == "/text" && error.message.contains(named)),
            "{errors:?}"
        );
    }
    let mut changed = row.item.clone();
    changed.active = Some(
        changed.save(
            TEXT.replace("start = \"welcome\"", "start = \"bye\"")
                .replace("next = \"choose\"", "next = \"choose\" # kept"),
        ),
    );
    assert!(
        matches!(
            house.desk.update(changed.clone(), row.version, nobody()).await,
            Err(Refusal::Invalid { .. })
        ),
        "steps that no way leads to"
    );
    changed = row.item.clone();
    changed.active = Some(changed.save(TEXT.replace("tries = 1", "tries = 2")));
    let row = house.desk.update(changed, row.version, nobody()).await.unwrap();
    let versions = |house: &House| house.desk.configuration().ready_flows[&FlowId::from_number(1)].0;
    assert_eq!(versions(&house), 2);
    let back = Flow { active: Some(1), ..row.item };
    house.desk.update(back, row.version, nobody()).await.unwrap();
    assert_eq!(versions(&house), 1);
}
