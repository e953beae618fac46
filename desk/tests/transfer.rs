//! Callers whom a flow connects with a number outside (ROUTE-08).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use desk::audit::Actor;
use desk::testing::{House, help, tenant, trunk_out};
use model::call::{CallFact, CallOrder, DialFailure};
use model::dialling::DialRules;
use model::id::{Id, InteractionId, LegId, RecordingId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::{Event, Party};
use model::media::Codec;
use model::people::Tenant;
use model::service::Service;

const FLOW: &str = r##"
name = "Branch"
start = "which"

[collect.which]
prompt = "choose"
into = "branch"
next = "branch"
failed = "help"

[transfer.branch]
number = "+4930{branch}"
ring_s = 25
busy = "busy"
unanswered = "help"
failed = "gone"

[play.busy]
prompt = "welcome"
next = "which"

[queue.help]
service = "Help"

[hangup.gone]
"##;

/// A house with a trunk out, whose number 200 leads to the flow.
async fn open() -> House {
    let house = House::open().await;
    house.opens_a_trunk().await;
    house.answers_with_flow("200", FLOW).await;
    house
}

async fn presses(house: &mut House, interaction: InteractionId, keys: &str) {
    for digit in keys.chars() {
        house.fact(CallFact::DigitReceived { interaction, digit }).await;
    }
}

/// A caller for whom the number is dialled.
async fn dialled(house: &mut House) -> InteractionId {
    let call = house.customer_calls("200").await;
    presses(house, call, "1234#").await;
    dials(house, call).await;
    call
}

async fn dials(house: &mut House, call: InteractionId) {
    let (number, seconds) = house
        .order(|order| match order {
            CallOrder::Dial { interaction, number, trunks, ring_time, .. } if *interaction == call => {
                assert_eq!(*trunks, [trunk_out()]);
                Some((number.clone(), ring_time.as_secs()))
            }
            _ => None,
        })
        .await;
    assert_eq!((number.as_str(), seconds), ("+49301234", 25));
}

async fn joined(house: &mut House, call: InteractionId) -> Option<RecordingId> {
    house
        .order(|order| match order {
            CallOrder::JoinFarEnd { interaction, record } if *interaction == call => Some(*record),
            _ => None,
        })
        .await
}

async fn heard(house: &mut House) -> Vec<String> {
    house
        .order(|order| match order {
            CallOrder::PlaySounds { sounds, .. } if !sounds.is_empty() => Some(sounds.clone()),
            _ => None,
        })
        .await
}

/// ROUTE-08: the number answers, the two are joined and recorded as the service says, and the record says where the caller went. What
/// is pressed then is between the two.
#[tokio::test]
async fn a_caller_is_passed_on() {
    let mut house = open().await;
    let call = dialled(&mut house).await;
    house.fact(CallFact::FarEndRinging { interaction: call, trunk: trunk_out() }).await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    let recording = joined(&mut house, call).await.expect("the service records");
    house.fact(CallFact::RecordingStarted { interaction: call, recording }).await;
    house.fact(CallFact::FarEndBridged { interaction: call }).await;
    let live = house.desk.calls().await.unwrap();
    assert_eq!(live.iter().map(|call| call.phase).collect::<Vec<_>>(), ["passed_on"]);
    presses(&mut house, call, "9#").await;
    let (leg, party) = (LegId::from_number(9), Party::FarEnd);
    let codec = Codec::Pcmu;
    house.fact(CallFact::LegAnswered { interaction: call, leg, party, codec, secure: false }).await;
    let stats = Some(Default::default());
    house.fact(CallFact::LegEnded { interaction: call, leg, party, stats }).await;
    house.fact(CallFact::Ended { interaction: call, by: EndedBy::Customer, failure: None }).await;
    let written = house.journal().await;
    let told = |event: &Event| matches!(event, Event::PassedOn { number, .. } if number == "+49301234");
    assert_eq!(written.iter().filter(|event| told(event)).count(), 1);
    let steps = written.iter().filter(|event| matches!(event, Event::FlowStep { .. })).count();
    assert_eq!(steps, 2, "the flow was over");
    let status = EndStatus::PassedOn;
    assert!(written.iter().any(|e| matches!(e, Event::Ended { status: s, .. } if *s == status)));
    let record = house.store.records().record(tenant(), call).await.unwrap().unwrap();
    assert_eq!(record.passed_on.map(|passed| passed.number).as_deref(), Some("+49301234"));
    assert_eq!((record.recording, record.agent), (Some(recording), None));
    assert!(record.agent_stats.is_some() && record.answered_at.is_none());
    assert!(figure(&house, r#"patchbay_flow_transfers_total{result="answered"} 1"#));
    assert!(house.desk.calls().await.unwrap().is_empty());
}

/// ROUTE-08: busy, unanswered, unreachable: the caller goes on in the flow, each in its way; the second try may be answered, and a
/// service that does not record has no recording of it.
#[tokio::test]
async fn a_caller_who_is_not_connected_goes_on_in_the_flow() {
    let mut house = open().await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let service = Service { record: false, ..row.item };
    house.desk.update(service, row.version, Actor::default()).await.unwrap();
    let fails = |interaction, why| CallFact::DialFailed { interaction, why, status: None };
    let call = dialled(&mut house).await;
    house.fact(fails(call, DialFailure::Busy)).await;
    assert_eq!(heard(&mut house).await, ["welcome"]);
    presses(&mut house, call, "1").await;
    presses(&mut house, call, "234#").await;
    dials(&mut house, call).await;
    // What is late, or for another, changes nothing.
    house.fact(CallFact::FarEndBridged { interaction: call }).await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    assert_eq!(joined(&mut house, call).await, None);

    let second = dialled(&mut house).await;
    let _page = house.page("anna").await;
    house.fact(fails(second, DialFailure::NoAnswer)).await;
    house.order(|order| matches!(order, CallOrder::RingAgent { .. }).then_some(())).await;

    let third = dialled(&mut house).await;
    house.fact(fails(third, DialFailure::NotFound)).await;
    let hung_up = |order: &CallOrder| {
        matches!(order, CallOrder::HangUp { interaction, .. } if *interaction == third).then_some(())
    };
    house.order(hung_up).await;
    for result in ["busy", "no_answer", "no_such_number"] {
        let line = format!(r#"patchbay_flow_transfers_total{{result="{result}"}} 1"#);
        assert!(figure(&house, &line), "{line}");
    }
}

/// ROUTE-08, SAFE-01: a number that may not be dialled is not, whatever is keyed in; who leaves while it rings has abandoned.
#[tokio::test]
async fn only_numbers_that_may_be_dialled_are() {
    let mut house = open().await;
    let call = dialled(&mut house).await;
    house.fact(CallFact::Ended { interaction: call, by: EndedBy::Customer, failure: None }).await;
    let row = house.desk.tenant_settings().await.unwrap();
    let dialling = DialRules { deny: vec!["+4930".into()], ..DialRules::default() };
    let changed = Tenant { dialling, ..row.item };
    house.desk.update_tenant(changed, row.version, Actor::default()).await.unwrap();
    let second = house.customer_calls("200").await;
    presses(&mut house, second, "1234#").await;
    let next = house
        .order(|order| match order {
            CallOrder::Dial { .. } => Some("dialled"),
            CallOrder::HangUp { interaction, .. } if *interaction == second => Some("hung up"),
            _ => None,
        })
        .await;
    assert_eq!(next, "hung up");
    let ends: Vec<EndStatus> = house
        .journal()
        .await
        .iter()
        .filter_map(|event| match event {
            Event::Ended { status, .. } => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [EndStatus::Abandoned]);
}

/// ROUTE-08: a crash while the two talk ends the record, which still says where the caller went.
#[tokio::test]
async fn a_crash_leaves_a_record_of_where_the_caller_went() {
    let mut house = open().await;
    let call = dialled(&mut house).await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    joined(&mut house, call).await;
    house.fact(CallFact::FarEndBridged { interaction: call }).await;
    house.journal().await;
    let house = house.crash().await;
    let record = async |house: &House| house.store.records().record(tenant(), call).await.unwrap().unwrap();
    // The start does not wait for what it wrote.
    house.eventually(async |house| record(house).await.status == Some(EndStatus::Interrupted)).await;
    assert!(record(&house).await.passed_on.is_some());
    assert!(house.desk.calls().await.unwrap().is_empty());
}

fn figure(house: &House, line: &str) -> bool {
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    text.contains(line)
}
