//! Customers whom agents pass on (XFER-05 to XFER-07).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::records::RecordFilter;
use desk::testing::{House, Page, Setup, anna, ben, cleo, german, help, lunch, solved, tenant, trunk_out};
use model::call::{CallFact, CallOrder, DialFailure, Sound};
use model::id::{Id, InteractionId, ServiceId, UserId};
use model::interaction::{EndStatus, EndedBy, ServiceRecord};
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{QueueRules, Service, Treatment};
use model::skill::{Level, Requirement, SkillExpr};
use model::transfer::TransferTarget;
use serde_json::Value;

fn billing() -> ServiceId {
    ServiceId::from_number(2)
}
/// A house with a second service, which anybody but those with German answers, a trunk out, and Anna at her page.
async fn open() -> (House, Page) {
    let queue = QueueRules { when_unstaffed: Treatment::Announce, ..QueueRules::default() };
    let house = House::open_with(Setup { queue: queue.clone(), ..Setup::default() }).await;
    let who = SkillExpr::Not(Box::new(SkillExpr::AtLeast { skill: german(), level: Level::MIN }));
    let service = Service {
        id: billing(),
        tenant: tenant(),
        name: "Billing".into(),
        requirement: Requirement::fixed(who),
        queue,
        disposition_mandatory: false,
        record: true,
        recording: model::recording::RecordingRules::default(),
        open: true,
    };
    house.desk.create(service, Actor::default()).await.unwrap();
    house.opens_a_trunk().await;
    let page = at_work(&house, "anna", anna()).await;
    (house, page)
}

async fn at_work(house: &House, login: &str, agent: UserId) -> Page {
    let page = house.page(login).await;
    house.fact(CallFact::PhoneUp { agent, phone: PhoneKind::Browser }).await;
    house.settled().await;
    page
}

fn transfer(interaction: InteractionId) -> Command {
    Command::Transfer { interaction, service: None, user: None, number: None }
}
fn to_service(interaction: InteractionId, service: ServiceId) -> Command {
    Command::Transfer { interaction, service: Some(service), user: None, number: None }
}
fn to_agent(interaction: InteractionId, user: UserId) -> Command {
    Command::Transfer { interaction, service: None, user: Some(user), number: None }
}
fn to_number(interaction: InteractionId, number: &str) -> Command {
    Command::Transfer { interaction, service: None, user: None, number: Some(number.into()) }
}

/// What is left to the agent: after-call work under an id of its own.
async fn own_part(page: &mut Page, call: InteractionId) -> (InteractionId, Value) {
    page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    let work = page.event("work", |e| e["work"]["phase"] == "wrap_up").await["work"].clone();
    (work["interaction"].as_str().unwrap().parse().unwrap(), work)
}

async fn released(house: &mut House, call: InteractionId, agent: UserId) {
    let found = house.order(|order| match order {
        CallOrder::Release { interaction, agent } => Some((*interaction, *agent)),
        _ => None,
    });
    assert_eq!(found.await, (call, agent));
}

async fn record(house: &House, call: InteractionId) -> ServiceRecord {
    house.store.records().record(tenant(), call).await.unwrap().unwrap()
}

/// XFER-05, XFER-06, RECO-01: Anna is in after-call work at once, the customer hears music and is offered in the other service, with who
/// passed it on; the recording goes on; both parts are in one record, each with its talk time and its coding; it counts once.
#[tokio::test]
async fn a_customer_is_passed_on_to_a_service() {
    let (mut house, mut page) = open().await;
    let call = house.talking(&mut page).await;
    let before = record(&house, call).await.recording;
    house.pass(Duration::from_secs(40)).await;
    let mut cleos = at_work(&house, "cleo", cleo()).await;
    page.does(to_service(call, billing())).await.unwrap();
    released(&mut house, call, anna()).await;
    let music = house.next_order().await;
    assert!(
        matches!(music, CallOrder::Play { sound: Sound::QueueMusic, then_hang_up: false, .. }),
        "{music:?}"
    );
    let (part, work) = own_part(&mut page, call).await;
    assert_eq!((&work["passed_to"], &work["service"]["name"]), (&"Billing".into(), &"Help".into()));
    page.state("wrap_up").await;
    let offer = cleos.event("offered", |_| true).await["offer"].clone();
    assert_eq!((&offer["passed_by"], &offer["service"]["name"]), (&"ANNA".into(), &"Billing".into()));
    house.pass(Duration::from_secs(5)).await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, cleo());
    cleos.does(Command::Accept { offer: token }).await.unwrap();
    let connect = house.order(|order| match order {
        CallOrder::Connect { interaction, record, .. } if *interaction == call => Some(*record),
        _ => None,
    });
    assert_eq!(connect.await, before, "one recording, from the first word to the last");
    house.bridged(call, cleo()).await;
    let talking = cleos.event("work", |e| e["work"]["phase"] == "talking").await;
    assert_eq!(talking["work"]["passed_by"], "ANNA");
    // Anna codes her part while Cleo talks.
    let (disposition, comment) = (Some(solved()), Some("asked for the invoice".to_owned()));
    page.does(Command::Code { interaction: part, disposition, comment }).await.unwrap();
    page.does(Command::Complete { interaction: part }).await.unwrap();
    page.event("work_ended", |e| e["interaction"] == part.to_string()).await;
    page.state("ready").await;
    house.pass(Duration::from_secs(20)).await;
    house.call_ends(call, EndedBy::Customer).await;
    cleos.state("wrap_up").await;
    cleos.does(Command::Complete { interaction: call }).await.unwrap();
    cleos.state("ready").await;

    let seen = record(&house, call).await;
    assert_eq!(
        (seen.status, seen.agent, seen.service),
        (Some(EndStatus::Transferred), Some(cleo()), Some(billing()))
    );
    assert_eq!((seen.disposition, seen.comment.as_str()), (None, ""));
    let [own] = &seen.parts[..] else { panic!("{:?}", seen.parts) };
    assert_eq!((own.agent, own.service, own.disposition), (anna(), Some(help()), Some(solved())));
    assert_eq!(
        (own.comment.as_str(), &own.to),
        ("asked for the invoice", &TransferTarget::Service { service: billing() })
    );
    assert_eq!(own.ended_at.since(own.answered_at.unwrap()).as_secs(), 40);
    assert_eq!(seen.ended_at.unwrap().since(seen.talking_since.unwrap()).as_secs(), 20);
    assert!(own.completed_at.is_some() && seen.completed_at.is_some());
    // The record is Anna's and Cleo's, and nobody else's.
    for (login, theirs) in [("anna", 1), ("cleo", 1), ("ben", 0)] {
        let who = house.sign_in(login).await;
        let list = house.desk.records(&who, RecordFilter::default(), None, 10).await.unwrap();
        assert_eq!(list.items.len(), theirs, "{login}");
        assert_eq!(house.desk.record(&who, call).await.is_ok(), theirs == 1, "{login}");
    }
    let queues = house.desk.queues().await.unwrap();
    let counted =
        queues.iter().map(|queue| (queue.service.name.as_str(), queue.today.offered, queue.today.answered));
    assert_eq!(counted.collect::<Vec<_>>(), [("Help", 1, 1), ("Billing", 0, 0)]);
    let figures = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(figures.contains(r#"patchbay_transfers_total{to="service"} 1"#), "{figures}");
}

/// XFER-07: one colleague is offered it, at lunch as well; refused, the customer waits for the service of before, and is lost to nobody.
#[tokio::test]
async fn a_colleague_who_refuses_leaves_the_customer_to_the_service() {
    let (mut house, mut page) = open().await;
    let call = house.talking(&mut page).await;
    let mut cleos = at_work(&house, "cleo", cleo()).await;
    cleos.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap();
    page.does(to_agent(call, cleo())).await.unwrap();
    released(&mut house, call, anna()).await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, cleo());
    cleos.event("offered", |e| e["offer"]["service"]["name"] == "Help").await;
    cleos.does(Command::Decline { offer: token }).await.unwrap();
    let state = cleos.state("not_ready").await;
    assert_eq!(state["agent"]["state"]["reason"]["name"], "Lunch");
    let (part, _) = own_part(&mut page, call).await;
    page.does(Command::Complete { interaction: part }).await.unwrap();
    let work = house.talking_to(&mut page, call).await;
    assert_eq!(work["work"]["service"]["name"], "Help");
    house.call_ends(call, EndedBy::Agent).await;
    page.state("wrap_up").await;
    let seen = record(&house, call).await;
    assert_eq!((seen.status, seen.agent, seen.parts.len()), (Some(EndStatus::Transferred), Some(anna()), 1));
    assert!(seen.parts[0].completed_at.is_some() && seen.completed_at.is_none(), "two parts of one agent");
}

/// XFER-05: to a number outside: the customer hears it ring and is joined in the same recording; nobody of the house is in the call.
#[tokio::test]
async fn a_customer_is_passed_on_to_a_number() {
    let (mut house, mut page) = open().await;
    let call = house.talking(&mut page).await;
    let recording = record(&house, call).await.recording;
    page.does(to_number(call, "+49 30 555")).await.unwrap();
    released(&mut house, call, anna()).await;
    let dial = house.next_order().await;
    let CallOrder::Dial { number, trunks, .. } = dial else { panic!("{dial:?}") };
    assert_eq!((number.as_str(), trunks), ("+4930555", vec![trunk_out()]));
    let phases = async |house: &House| {
        house.desk.calls().await.unwrap().iter().map(|call| call.phase).collect::<Vec<_>>()
    };
    assert_eq!(phases(&house).await, ["passing_on", "wrap_up"]);
    house.fact(CallFact::FarEndRinging { interaction: call, trunk: trunk_out() }).await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    let joined = house.order(|order| match order {
        CallOrder::JoinFarEnd { record, .. } => Some(*record),
        _ => None,
    });
    assert_eq!(joined.await, recording);
    house.fact(CallFact::FarEndBridged { interaction: call }).await;
    house.settled().await;
    assert_eq!(phases(&house).await, ["passed_on", "wrap_up"]);
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
    let seen = record(&house, call).await;
    assert_eq!((seen.status, seen.agent), (Some(EndStatus::Transferred), None));
    assert_eq!(seen.passed_on.unwrap().number, "+4930555");
    assert_eq!(seen.parts[0].to, TransferTarget::Number { number: "+4930555".into() });
    let figures = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(!figures.contains(r#"patchbay_flow_transfers_total{result="answered"}"#), "that was no flow");
}

/// XFER-05: a number that does not answer leaves the customer to the service of before, at the old place; who hangs up while it rings has
/// abandoned.
#[tokio::test]
async fn a_number_that_does_not_answer_leaves_the_customer_to_the_service() {
    let (mut house, mut page) = open().await;
    let call = house.talking(&mut page).await;
    let _bens = at_work(&house, "ben", ben()).await;
    page.does(to_number(call, "+4930555")).await.unwrap();
    released(&mut house, call, anna()).await;
    let (why, status) = (DialFailure::Busy, Some(486));
    house.fact(CallFact::DialFailed { interaction: call, why, status }).await;
    assert_eq!(house.rung(call).await.0, ben());
    let journal = house.journal().await;
    let since: Vec<_> = journal
        .iter()
        .filter_map(|event| match event {
            Event::Queued { service, since, .. } => Some((*service, since.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(since, [(help(), false), (help(), false)], "the clock stood still: it is the same place");
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
    assert_eq!(record(&house, call).await.status, Some(EndStatus::AbandonedRinging));
}

/// XFER-05: what cannot be is said, and the agent goes on talking.
#[tokio::test]
async fn what_cannot_be_passed_on_stays() {
    let (mut house, mut page) = open().await;
    let call = house.talking(&mut page).await;
    let answers = [
        (transfer(call), "invalid"),
        (to_service(call, ServiceId::from_number(9)), "not-found"),
        (to_service(call, billing()), "takes-nobody"),
        (to_agent(call, anna()), "not-now"),
        (to_agent(call, cleo()), "colleague-offline"),
        (to_agent(call, UserId::from_number(99)), "not-found"),
        (to_number(call, "call me"), "invalid"),
        (to_number(call, "+4930555,,1"), "invalid"),
        (to_number(InteractionId::from_number(1), "+4930555"), "not-found"),
    ];
    for (command, slug) in answers {
        let refusal = page.does(command.clone()).await.unwrap_err();
        assert_eq!(refusal.kind().slug, slug, "{command:?}: {refusal:?}");
    }
    assert!(!house.orders_so_far().iter().any(|order| matches!(order, CallOrder::Release { .. })));
    page.does(Command::Hold { interaction: call }).await.unwrap();
    assert_eq!(house.desk.calls().await.unwrap().len(), 1);
    // A call between colleagues has no customer.
    let _cleos = at_work(&house, "cleo", cleo()).await;
    page.does(Command::Call { user: Some(cleo()), extension: None }).await.unwrap();
    let (_, token) = house
        .order(|order| match order {
            CallOrder::RingAgent { token, agent, .. } if *agent == cleo() => Some((*agent, *token)),
            _ => None,
        })
        .await;
    house.desk.command(cleo(), _cleos.who.session, Command::Accept { offer: token }).await.unwrap();
    let inside = house
        .order(|order| match order {
            CallOrder::Connect { interaction, agent, .. } if *agent == cleo() => Some(*interaction),
            _ => None,
        })
        .await;
    house.bridged(inside, cleo()).await;
    house.settled().await;
    let refusal = page.does(to_service(inside, billing())).await.unwrap_err();
    assert!(matches!(refusal, Refusal::NotNow { .. }), "{refusal:?}");
}

/// XFER-05: the appliance dies at every stage: each record has an end, and nobody's part stays open.
#[tokio::test]
async fn a_crash_at_any_stage_leaves_nothing_open() {
    for stage in 0..4 {
        let (mut house, mut page) = open().await;
        let call = house.talking(&mut page).await;
        let _cleos = at_work(&house, "cleo", cleo()).await;
        let to = match stage {
            0 | 1 => to_agent(call, cleo()),
            _ => to_number(call, "+4930555"),
        };
        page.does(to).await.unwrap();
        released(&mut house, call, anna()).await;
        match stage {
            1 => {
                let (_, token) = house.rung(call).await;
                _cleos.does(Command::Accept { offer: token }).await.unwrap();
                house.bridged(call, cleo()).await;
            }
            3 => {
                house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
                house.fact(CallFact::FarEndBridged { interaction: call }).await;
            }
            _ => {}
        }
        house.journal().await;
        let house = house.crash().await;
        house
            .eventually(async |house| {
                record(house, call).await.parts.iter().all(|part| part.completed_at.is_some())
            })
            .await;
        let seen = record(&house, call).await;
        assert_eq!((seen.status, seen.parts.len()), (Some(EndStatus::Interrupted), 1), "stage {stage}");
        assert!(house.desk.calls().await.unwrap().is_empty());
        let open = house.store.records().unfinished_records(tenant(), None).await.unwrap();
        assert!(open.is_empty(), "stage {stage}: {open:?}");
    }
}
