//! Flows that ask systems of the operator, and tables of the appliance.
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
    add(&house, text).await;
    house
}

async fn add(house: &House, text: &str) {
    let (id, name) = (FlowId::from_number(1), "Known".to_owned());
    let mut flow = Flow { id, tenant: tenant(), name, active: None, versions: vec![] };
    flow.active = Some(flow.save(text.to_owned()));
    house.desk.create(flow, Actor::default()).await.unwrap();
}

/// Number 200 leads to the flow.
async fn lead_to(house: &House, text: &str) {
    add(house, text).await;
    let (digits, flow) = ("200".to_owned(), Some(FlowId::from_number(1)));
    let number = Number { id: NumberId::from_number(2), tenant: tenant(), digits, service: help(), flow };
    house.desk.create(number, Actor::default()).await.unwrap();
}

/// A house whose number 200 leads to the flow that asks.
async fn open() -> House {
    let house = House::open().await;
    lead_to(&house, ASKING).await;
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

/// ROUTE-08: a table is imported, a flow finds the caller in it however the number is written, and what stands there goes with the caller. Gone,
/// it is named as what is missing, and callers come to the service at once.
#[tokio::test]
async fn a_table_says_who_calls() {
    let looking_up = r#"
name = "Known"
start = "who"

[lookup.who]
table = "customers"
key = "{caller}"
picks = { tier = "Tier" }
next = "help"
missing = "bye"

[queue.help]
service = "Help"

[hangup.bye]
"#;
    let mut house = House::open().await;
    assert!(house.desk.configuration().check_flow(looking_up).is_err(), "there is no such table");
    let csv = "Number;Tier\n0049 (30) 123-456;gold\n";
    let by = Actor::default();
    let refused = house.desk.import_lookup_table("customers", b"Number\n1\n", true, by).await.unwrap_err();
    assert!(matches!(refused, desk::Refusal::Invalid { .. }), "{refused:?}");
    house.desk.import_lookup_table("customers", csv.as_bytes(), true, by).await.unwrap();
    lead_to(&house, looking_up).await;
    let mut page = house.page("anna").await;
    house.customer_calls("200").await;
    let offered = page.event("offered", |_| true).await;
    assert_eq!(offered["offer"]["noted"], serde_json::json!({ "tier": "gold" }));

    // A new table takes the place of the old one: nobody of this number is in it.
    house.desk.import_lookup_table("customers", b"Number,Tier\n", true, by).await.unwrap();
    let call = house.customer_calls("200").await;
    let hung_up = |o: &CallOrder| {
        matches!(o, CallOrder::HangUp { interaction, .. } if *interaction == call).then_some(())
    };
    house.order(hung_up).await;
    house.desk.delete_lookup_table("customers", by).await.unwrap();
    assert!(house.desk.configuration().ready_flows.is_empty());
    let audited = house.desk.audit().list(&Default::default(), None, 50).await.unwrap();
    let done = |what: &str| audited.items.iter().filter(|entry| entry.action == what).count();
    assert_eq!((done("table.import"), done("table.delete")), (2, 1));
}

/// ROUTE-08: a table is taken as spreadsheets write it, or refused with the line that is wrong, and then the one before stays.
#[tokio::test]
async fn a_table_is_read_as_spreadsheets_write_it() {
    let house = House::open().await;
    let import = async |csv: &[u8], phone_keys| {
        let made = house.desk.import_lookup_table("codes", csv, phone_keys, Actor::default()).await;
        made.map(|_| ()).map_err(|refusal| match refusal {
            desk::Refusal::Invalid { errors } => errors[0].message.clone(),
            other => other.to_string(),
        })
    };
    let row = async |key: &str| house.store.lookups().look_up(tenant(), "codes", key).await.unwrap();
    let cells = |cells: &[&str]| Some(cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
    let quoted = "\u{feff}code,team,city\r\n10115, Berlin ,\"Berlin, Mitte\"\r\n";
    import(quoted.as_bytes(), false).await.unwrap();
    assert_eq!(row("10115").await, cells(&["Berlin", "Berlin, Mitte"]));
    import(b"code;team\n1;a,b\n", false).await.unwrap();
    assert_eq!(row("1").await, cells(&["a,b"]));
    import(b"code\tteam\n1\ta\n", false).await.unwrap();
    assert_eq!(row("1").await, cells(&["a"]));
    import(b"number,tier\n0049 30 123-456,gold\n030/99,none\n", true).await.unwrap();
    assert_eq!((row("+4930123456").await, row("03099").await), (cells(&["gold"]), cells(&["none"])));
    for (csv, phone_keys, what) in [
        ("", false, "line 1: a table has a column of keys"),
        ("code\n1\n", false, "line 1: a table has a column of keys"),
        ("code,a,a\n", false, "line 1: columns have different names"),
        ("code,a\n1\n", false, "line 2: it has more or fewer columns"),
        ("code,a\n1,x\n1,y\n", false, "line 3: the key `1` is there twice"),
        ("code,a\n,x\n", false, "line 2: the key is empty"),
        ("code,a\nanna,x\n", true, "line 2: the key is empty, or no telephone number"),
        ("code,a\n+49 30,x\n004930,x\n", true, "line 3: the key `+4930` is there twice"),
        ("code,a\n1,\"x\u{7}y\"\n", false, "line 2: a cell has at most"),
    ] {
        let said = import(csv.as_bytes(), phone_keys).await.unwrap_err();
        assert!(said.starts_with(what), "{csv:?}: {said}");
    }
    let said = import(b"code,a\n1,x\n2,\xe9\n", false).await.unwrap_err();
    assert!(said.starts_with("line 3: this is no UTF-8"), "{said}");
    let many =
        (0..=desk::lookups::ROWS_MAX).fold(String::from("code,a\n"), |csv, n| csv + &format!("{n},x\n"));
    assert!(import(many.as_bytes(), false).await.unwrap_err().contains("at most 100000 rows"));
    assert_eq!(row("03099").await, cells(&["none"]), "what is refused changes nothing");
}
