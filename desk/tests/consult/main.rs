//! Somebody is asked about a customer, and has the customer then (XFER-01 to XFER-04).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod conference;
mod referral;

use std::time::Duration;

use desk::console::protocol::Command;
use desk::testing::{House, Page, Setup, anna, cleo, help, tenant, trunk_out};
use model::call::{AfterJoin, CallFact, CallOrder, DialFailure, Source};
use model::id::{Id as _, InteractionId, UserId};
use model::interaction::{EndStatus, EndedBy, ServiceRecord};
use model::people::PhoneKind;
use model::transfer::TransferTarget;
use serde_json::{Value, json};

async fn at_work(house: &House, login: &str, agent: UserId) -> Page {
    let page = house.page(login).await;
    house.fact(CallFact::PhoneUp { agent, phone: PhoneKind::Browser }).await;
    house.settled().await;
    page
}

/// Anna talks to a customer, Cleo is there, and numbers outside can be dialled.
async fn open() -> (House, Page, Page, InteractionId) {
    let mut house = House::open().await;
    house.opens_a_trunk().await;
    let mut annas = at_work(&house, "anna", anna()).await;
    let call = house.talking(&mut annas).await;
    let cleos = at_work(&house, "cleo", cleo()).await;
    (house, annas, cleos, call)
}

fn ask(interaction: InteractionId, user: UserId) -> Command {
    Command::Consult { interaction, user: Some(user), extension: None, number: None }
}
fn ask_outside(interaction: InteractionId) -> Command {
    Command::Consult { interaction, user: None, extension: None, number: Some("+49 30 555".into()) }
}

/// The customer is held, and the new call begins: which one it is.
async fn held_and_called(house: &mut House, call: InteractionId) -> InteractionId {
    let held = house.order(|order| match order {
        CallOrder::Hold { interaction, agent } => Some((*interaction, *agent)),
        _ => None,
    });
    assert_eq!(held.await, (call, anna()));
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: true }).await;
    house
        .order(|order| match order {
            CallOrder::CallColleague { interaction, .. } | CallOrder::Place { interaction, .. } => {
                Some(*interaction)
            }
            _ => None,
        })
        .await
}

/// Cleo is asked and answers.
async fn they_confer(
    house: &mut House,
    annas: &mut Page,
    cleos: &mut Page,
    call: InteractionId,
) -> InteractionId {
    annas.does(ask(call, cleo())).await.unwrap();
    let talk = held_and_called(house, call).await;
    let (_, token) = house.rung(talk).await;
    cleos.does(Command::Accept { offer: token }).await.unwrap();
    house.order(|order| matches!(order, CallOrder::Connect { .. }).then_some(())).await;
    house.bridged(talk, cleo()).await;
    annas.event("work", |e| is(e, talk, "talking")).await;
    talk
}

/// A number outside is asked and answers.
async fn they_confer_outside(house: &mut House, annas: &mut Page, call: InteractionId) -> InteractionId {
    annas.does(ask_outside(call)).await.unwrap();
    let talk = held_and_called(house, call).await;
    house.fact(CallFact::FarEndAnswered { interaction: talk, trunk: trunk_out() }).await;
    house.order(|order| matches!(order, CallOrder::Connect { .. }).then_some(())).await;
    house.bridged(talk, anna()).await;
    annas.event("work", |e| is(e, talk, "talking")).await;
    talk
}

fn is(event: &Value, call: InteractionId, phase: &str) -> bool {
    event["work"]["interaction"] == call.to_string() && event["work"]["phase"] == phase
}

async fn joins(house: &mut House) -> (InteractionId, InteractionId, UserId, AfterJoin) {
    house
        .order(|order| match order {
            CallOrder::Join { interaction, from, agent, then } => Some((*interaction, *from, *agent, *then)),
            _ => None,
        })
        .await
}

async fn record(house: &House, call: InteractionId) -> ServiceRecord {
    house.store.records().record(tenant(), call).await.unwrap().unwrap()
}

/// What is left to Anna: after-call work under an id of its own.
async fn own_part(page: &mut Page, call: InteractionId) -> InteractionId {
    page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    let work = page.event("work", |e| e["work"]["phase"] == "wrap_up").await["work"].clone();
    assert_ne!(work["interaction"], call.to_string());
    work["interaction"].as_str().unwrap().parse().unwrap()
}

/// XFER-01, XFER-02: the customer is held and both calls are there; the colleague's offer says who asks and about whom, and shows what the
/// agent sends.
#[tokio::test]
async fn a_colleague_is_asked_about_a_customer() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let comment = Some("wants the invoice of May".to_owned());
    annas.does(Command::Code { interaction: call, disposition: None, comment }).await.unwrap();
    annas.does(ask(call, cleo())).await.unwrap();
    let talk = held_and_called(&mut house, call).await;
    let work = annas.event("work", |e| is(e, talk, "dialling")).await["work"].clone();
    assert_eq!((&work["consults"], &work["screen"]), (&json!(call), &Value::Null));
    let offer = cleos.event("offered", |_| true).await["offer"].clone();
    assert_eq!((&offer["colleague"]["name"], &offer["about"]["by"]), (&"ANNA".into(), &"ANNA".into()));
    let about = &offer["about"];
    assert_eq!(
        (&about["number"], &about["name"], &about["service"]["name"], &about["comment"]),
        (&"+4930123456".into(), &"Erika Muster".into(), &"Help".into(), &"".into())
    );
    let (_, token) = house.rung(talk).await;
    cleos.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(talk, cleo()).await;
    let work = cleos.event("work", |e| is(e, talk, "talking")).await["work"].clone();
    assert_eq!((&work["consults"], &work["screen"]), (&Value::Null, &Value::Null), "nothing was sent yet");
    let not_hers = cleos.does(Command::SendScreen { interaction: talk }).await.unwrap_err();
    assert_eq!(not_hers.kind().slug, "not-now");
    annas.does(Command::SendScreen { interaction: talk }).await.unwrap();
    for page in [&mut cleos, &mut annas] {
        let work = page.event("work", |e| e["work"]["screen"] != Value::Null).await["work"].clone();
        assert_eq!(work["screen"]["comment"], "wants the invoice of May");
    }
    let phases: Vec<_> = house.desk.calls().await.unwrap().iter().map(|call| call.phase).collect();
    assert_eq!(phases, ["held", "talking"]);
    // Ended, it leads back to the customer, who is still held (B5).
    house.call_ends(talk, EndedBy::Agent).await;
    annas.event("work_ended", |e| e["interaction"] == talk.to_string()).await;
    annas.does(Command::Retrieve { interaction: call }).await.unwrap();
    house
        .order(|o| matches!(o, CallOrder::Retrieve { interaction, .. } if *interaction == call).then_some(()))
        .await;
    let asked = record(&house, talk).await;
    assert_eq!(
        (asked.consult_of, asked.service),
        (Some(call), Some(help())),
        "counted under the same service"
    );
}

/// XFER-04: both calls leave the agent, who has after-call work of the part; the colleague owns the call; one record with the talk time of
/// each, counted once.
#[tokio::test]
async fn whoever_was_asked_has_the_customer_then() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    house.pass(Duration::from_secs(40)).await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    house.pass(Duration::from_secs(10)).await;
    annas.does(Command::CompleteTransfer { interaction: call, from: talk }).await.unwrap();
    assert_eq!(joins(&mut house).await, (call, talk, anna(), AfterJoin::Leave));
    house.fact(CallFact::TookOver { interaction: call, from: talk, agent: Some(cleo()) }).await;
    let part = own_part(&mut annas, call).await;
    annas.state("wrap_up").await;
    cleos.event("work_ended", |e| e["interaction"] == talk.to_string()).await;
    let work = cleos.event("work", |e| is(e, call, "talking")).await["work"].clone();
    assert_eq!((&work["passed_by"], &work["recording"]), (&"ANNA".into(), &true.into()));
    house.pass(Duration::from_secs(20)).await;
    cleos.does(Command::Hold { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::Hold { interaction: call, agent: cleo() }).then_some(())).await;
    annas.does(Command::Complete { interaction: part }).await.unwrap();
    annas.state("ready").await;
    house.call_ends(call, EndedBy::Customer).await;
    cleos.state("wrap_up").await;
    cleos.does(Command::Complete { interaction: call }).await.unwrap();
    cleos.state("ready").await;
    let seen = record(&house, call).await;
    assert_eq!((seen.status, seen.agent), (Some(EndStatus::Transferred), Some(cleo())));
    let [own] = &seen.parts[..] else { panic!("{:?}", seen.parts) };
    assert_eq!((own.agent, &own.to), (anna(), &TransferTarget::Agent { agent: cleo() }));
    assert_eq!(own.ended_at.since(own.answered_at.unwrap()).as_secs(), 50);
    assert_eq!(seen.ended_at.unwrap().since(seen.talking_since.unwrap()).as_secs(), 20);
    assert!(own.completed_at.is_some() && seen.completed_at.is_some());
    let asked = record(&house, talk).await;
    assert_eq!((asked.status, asked.consult_of), (Some(EndStatus::Normal), Some(call)));
    let queues = house.desk.queues().await.unwrap();
    assert_eq!((queues[0].today.offered, queues[0].today.answered), (1, 1));
    let figures = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(figures.contains(r#"patchbay_transfers_total{to="agent"} 1"#), "{figures}");
    let open = house.store.records().unfinished_records(tenant(), None).await.unwrap();
    assert!(open.is_empty(), "{open:?}");
}

/// XFER-04: to a number outside that was asked: as after a transfer to a number that answered.
#[tokio::test]
async fn a_number_that_was_asked_has_the_customer_then() {
    let (mut house, mut annas, _cleos, call) = open().await;
    let talk = they_confer_outside(&mut house, &mut annas, call).await;
    annas.does(Command::CompleteTransfer { interaction: call, from: talk }).await.unwrap();
    assert_eq!(joins(&mut house).await, (call, talk, anna(), AfterJoin::Leave));
    house.fact(CallFact::TookOver { interaction: call, from: talk, agent: None }).await;
    let part = own_part(&mut annas, call).await;
    annas.does(Command::Complete { interaction: part }).await.unwrap();
    annas.state("ready").await;
    let phases: Vec<_> = house.desk.calls().await.unwrap().iter().map(|call| call.phase).collect();
    assert_eq!(phases, ["passed_on"]);
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
    let seen = record(&house, call).await;
    assert_eq!((seen.status, seen.agent), (Some(EndStatus::Transferred), None));
    assert_eq!(seen.passed_on.unwrap().number, "+4930555");
    assert_eq!(seen.parts[0].to, TransferTarget::Number { number: "+4930555".into() });
    let asked = record(&house, talk).await;
    assert_eq!(
        (asked.service, asked.consult_of),
        (Some(help()), Some(call)),
        "counted under the service (OUT-02)"
    );
    let open = house.store.records().unfinished_records(tenant(), None).await.unwrap();
    assert!(open.is_empty(), "{open:?}");
}

/// XFER-03: what cannot be joined stays as it was, is said, and may be tried again; meanwhile nothing is asked for twice.
#[tokio::test]
async fn two_calls_that_cannot_be_joined_stay() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    let over = Command::CompleteTransfer { interaction: call, from: talk };
    annas.does(over.clone()).await.unwrap();
    joins(&mut house).await;
    assert_eq!(annas.does(over.clone()).await.unwrap_err().kind().slug, "not-now");
    let why = "no room".to_owned();
    house.fact(CallFact::JoinFailed { interaction: call, from: talk, why }).await;
    let banner = annas.event("banner", |e| e["code"] == "join_failed").await;
    assert_eq!((&banner["level"], &banner["params"]["from"]), (&"error".into(), &json!(talk)));
    let phases: Vec<_> = house.desk.calls().await.unwrap().iter().map(|call| call.phase).collect();
    assert_eq!(phases, ["held", "talking"]);
    annas.does(over).await.unwrap();
    joins(&mut house).await;
}

/// XFER-03: a colleague who refuses, or does not answer, is one key away from the customer.
#[tokio::test]
async fn a_consult_that_comes_to_nothing_leads_back_by_one_key() {
    let (mut house, mut annas, cleos, call) = open().await;
    let back = Command::Retrieve { interaction: call };
    annas.does(ask(call, cleo())).await.unwrap();
    let talk = held_and_called(&mut house, call).await;
    // While it rings.
    house.rung(talk).await;
    annas.does(back.clone()).await.unwrap();
    let ended = house.order(|o| match o {
        CallOrder::HangUp { interaction, by } => Some((*interaction, *by)),
        _ => None,
    });
    assert_eq!(ended.await, (talk, EndedBy::Customer));
    house.order(|o| matches!(o, CallOrder::Retrieve { .. }).then_some(())).await;
    house.call_ends(talk, EndedBy::Customer).await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: false }).await;
    // Refused.
    annas.does(ask(call, cleo())).await.unwrap();
    let talk = held_and_called(&mut house, call).await;
    let (_, token) = house.rung(talk).await;
    cleos.does(Command::Decline { offer: token }).await.unwrap();
    annas.event("work", |e| is(e, talk, "refused")).await;
    annas.does(back.clone()).await.unwrap();
    house.order(|o| matches!(o, CallOrder::Retrieve { .. }).then_some(())).await;
    house.call_ends(talk, EndedBy::Customer).await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: false }).await;
    // A number that does not answer.
    annas.does(ask_outside(call)).await.unwrap();
    let talk = held_and_called(&mut house, call).await;
    let (why, status) = (DialFailure::Busy, Some(486));
    house.fact(CallFact::DialFailed { interaction: talk, why, status }).await;
    annas.event("work", |e| is(e, talk, "refused")).await;
    annas.does(back).await.unwrap();
    house.order(|o| matches!(o, CallOrder::Retrieve { .. }).then_some(())).await;
}

/// CTRL-04, XFER-04: several customers are held at once, and the agent says whose call it is; two customers are never mixed (XFER-11).
#[tokio::test]
async fn the_agent_says_which_of_several_held_customers_it_is() {
    let (mut house, mut annas, mut cleos, first) = open().await;
    house.fact(CallFact::HoldChanged { interaction: first, agent: anna(), held: true }).await;
    annas.does(Command::Dial { number: "+49301".into(), service: None, caller_id: None }).await.unwrap();
    let second = house
        .order(|o| if let CallOrder::Place { interaction, .. } = o { Some(*interaction) } else { None })
        .await;
    house.fact(CallFact::FarEndAnswered { interaction: second, trunk: trunk_out() }).await;
    house.bridged(second, anna()).await;
    annas.event("work", |e| is(e, second, "talking")).await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, second).await;
    let phase = async |house: &House, of: InteractionId| {
        let calls = house.desk.calls().await.unwrap();
        calls.iter().find(|call| call.interaction == of).map(|call| (call.phase, call.agent))
    };
    assert_eq!(phase(&house, first).await, Some(("held", Some(anna()))));
    assert_eq!(phase(&house, second).await, Some(("held", Some(anna()))));
    assert_eq!(phase(&house, talk).await, Some(("talking", Some(cleo()))));
    let nobody = InteractionId::from_number(1);
    for (interaction, from, slug) in [
        (second, first, "not-now"),
        (talk, second, "not-now"),
        (second, second, "not-now"),
        (nobody, talk, "not-found"),
        (first, nobody, "not-found"),
    ] {
        let refused = annas.does(Command::CompleteTransfer { interaction, from }).await.unwrap_err();
        assert_eq!(refused.kind().slug, slug, "{interaction} {from}");
    }
    let hers = Command::CompleteTransfer { interaction: first, from: talk };
    assert_eq!(cleos.does(hers.clone()).await.unwrap_err().kind().slug, "not-found");
    annas.does(hers).await.unwrap();
    assert_eq!(joins(&mut house).await, (first, talk, anna(), AfterJoin::Leave));
    house.fact(CallFact::TookOver { interaction: first, from: talk, agent: Some(cleo()) }).await;
    cleos.event("work", |e| is(e, first, "talking")).await;
    assert_eq!(phase(&house, first).await, Some(("talking", Some(cleo()))));
    assert_eq!(phase(&house, second).await, Some(("held", Some(anna()))));
    assert_eq!(annas.does(ask(talk, cleo())).await.unwrap_err().kind().slug, "not-found");
}

/// XFER-01: who has one customer in hand and dials on the phone of the desk asks about that one.
#[tokio::test]
async fn a_desk_phone_that_dials_asks_about_the_only_customer() {
    let mut house = House::open_with(Setup { phone: PhoneKind::Sip, ..Setup::default() }).await;
    let (mut annas, _cleos) = (house.page("anna").await, house.page("cleo").await);
    let extension = house.desk.configuration().users[&cleo()].extension.clone().unwrap();
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna());
    house.fact(CallFact::AgentAnswered { interaction: call, token, agent }).await;
    house.bridged(call, anna()).await;
    annas.event("work", |e| is(e, call, "talking")).await;
    let talk = InteractionId::from_number(7_000);
    house
        .fact(CallFact::Incoming {
            interaction: talk,
            tenant: tenant(),
            from: Source::Phone { agent: anna() },
            caller: "whatever the phone says".into(),
            caller_name: None,
            contact: extension,
        })
        .await;
    let work = annas.event("work", |e| is(e, talk, "dialling")).await["work"].clone();
    assert_eq!(work["consults"], json!(call));
    assert_eq!(record(&house, talk).await.consult_of, Some(call));
}

/// XFER-04: the appliance dies at every stage: each record has an end, and nobody's part stays open.
#[tokio::test]
async fn a_crash_at_any_stage_of_a_consult_leaves_nothing_open() {
    for stage in 0..5 {
        let (mut house, mut annas, mut cleos, call) = open().await;
        let talk = match stage {
            0 => {
                annas.does(ask(call, cleo())).await.unwrap();
                let talk = held_and_called(&mut house, call).await;
                house.rung(talk).await;
                talk
            }
            1..=3 => they_confer(&mut house, &mut annas, &mut cleos, call).await,
            _ => they_confer_outside(&mut house, &mut annas, call).await,
        };
        if stage >= 2 {
            annas.does(Command::CompleteTransfer { interaction: call, from: talk }).await.unwrap();
            joins(&mut house).await;
        }
        if stage >= 3 {
            let agent = (stage == 3).then(cleo);
            house.fact(CallFact::TookOver { interaction: call, from: talk, agent }).await;
        }
        house.journal().await;
        let house = house.crash().await;
        house
            .eventually(async |house| {
                house.store.records().unfinished_records(tenant(), None).await.unwrap().is_empty()
            })
            .await;
        assert_eq!(record(&house, call).await.status, Some(EndStatus::Interrupted), "stage {stage}");
        assert!(record(&house, talk).await.ended_at.is_some(), "stage {stage}");
        assert!(house.desk.calls().await.unwrap().is_empty());
    }
}
