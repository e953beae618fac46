//! More than two in one call (XFER-08, XFER-09, XFER-11 to XFER-15).

use desk::console::protocol::Command;
use desk::records::RecordFilter;
use desk::testing::{House, Page, anna, ben, cleo, tenant, trunk_out};
use model::call::{AfterJoin, CallFact, CallOrder};
use model::id::{InteractionId, UserId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::Party;
use serde_json::Value;

use crate::{
    ask, ask_outside, at_work, held_and_called, is, joins, open, record, they_confer, they_confer_outside,
};

/// Whoever is in `talk` with Anna comes into the customer's call.
async fn merged(house: &mut House, annas: &mut Page, call: InteractionId, talk: InteractionId) -> Value {
    annas.does(Command::Merge { interaction: call, from: talk }).await.unwrap();
    assert_eq!(joins(house).await, (call, talk, anna(), AfterJoin::Stay));
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: false }).await;
    house.fact(CallFact::Joined { interaction: call, from: talk }).await;
    annas.event("work_ended", |e| e["interaction"] == talk.to_string()).await;
    conference(annas, call).await
}

/// What a page shows of a conference.
async fn conference(page: &mut Page, call: InteractionId) -> Value {
    let shown =
        |e: &Value| e["work"]["interaction"] == call.to_string() && e["work"]["conference"] != Value::Null;
    page.event("work", shown).await["work"]["conference"].clone()
}

/// Who is in it: what they are and their names, or numbers.
fn parties(conference: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parties = conference["parties"].as_array().unwrap();
    let named = |party: &Value| match party["name"].as_str() {
        Some(name) => name.to_owned(),
        None => text(&party["number"]),
    };
    parties.iter().map(|party| (text(&party["kind"]), named(party))).collect()
}

fn who(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect()
}

async fn ends_order(house: &mut House) -> (InteractionId, EndedBy) {
    house
        .order(|order| match order {
            CallOrder::HangUp { interaction, by } => Some((*interaction, *by)),
            _ => None,
        })
        .await
}

async fn nothing_open(house: &House) {
    let open = house.store.records().unfinished_records(tenant(), None).await.unwrap();
    assert!(open.is_empty(), "{open:?}");
    assert!(house.desk.calls().await.unwrap().is_empty());
}

/// XFER-08, XFER-09, XFER-12, XFER-14: whoever was asked comes into the call; everybody is listed for everybody; whoever brought the first is the
/// organiser; a colleague leaves it and the others go on.
#[tokio::test]
async fn a_colleague_and_a_number_are_brought_into_the_call() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    let seen = merged(&mut house, &mut annas, call, talk).await;
    let three = who(&[("customer", "Erika Muster"), ("agent", "ANNA"), ("agent", "CLEO")]);
    assert_eq!((parties(&seen), &seen["organiser"]), (three.clone(), &true.into()));
    let seen = conference(&mut cleos, talk).await;
    assert_eq!((parties(&seen), &seen["organiser"]), (three.clone(), &false.into()));
    assert_eq!((&seen["parties"][2]["you"], &seen["parties"][1]["organiser"]), (&true.into(), &true.into()));
    // A fourth, by number.
    let outside = they_confer_outside(&mut house, &mut annas, call).await;
    let seen = merged(&mut house, &mut annas, call, outside).await;
    assert_eq!(parties(&seen).last(), who(&[("number", "+4930555")]).last());
    // It is nobody's work any more, and coded with the call.
    assert_eq!(record(&house, outside).await.status, Some(EndStatus::Normal));
    // Cleo leaves: hers has no after-call work.
    cleos.does(Command::Leave { interaction: talk }).await.unwrap();
    assert_eq!(ends_order(&mut house).await, (talk, EndedBy::Agent));
    house.call_ends(talk, EndedBy::Agent).await;
    cleos.event("work_ended", |e| e["interaction"] == talk.to_string()).await;
    cleos.state("ready").await;
    let seen = conference(&mut annas, call).await;
    let left = who(&[("customer", "Erika Muster"), ("agent", "ANNA"), ("number", "+4930555")]);
    assert_eq!(parties(&seen), left);
    // Ended for all (XFER-13): each name first, then the call.
    annas.does(Command::HangUp { interaction: call }).await.unwrap();
    assert_eq!(ends_order(&mut house).await, (call, EndedBy::Agent));
    house.call_ends(outside, EndedBy::Agent).await;
    house.call_ends(call, EndedBy::Agent).await;
    annas.state("wrap_up").await;
    annas.does(Command::Complete { interaction: call }).await.unwrap();
    annas.state("ready").await;
    // XFER-15: the record says who was in it, from when to when, and is theirs too.
    let seen = record(&house, call).await;
    let guests: Vec<_> = seen.guests.iter().map(|g| (g.from, g.agent, g.by, g.left_at.is_some())).collect();
    assert_eq!(guests, [(talk, Some(cleo()), anna(), true), (outside, None, anna(), true)]);
    assert_eq!(seen.status, Some(EndStatus::Normal));
    let list = house.desk.records(&cleos.who, RecordFilter::default(), None, 10).await.unwrap();
    let hers =
        list.items.iter().find(|record| record.interaction == call).expect("Cleo finds it among her own");
    assert_eq!(
        (hers.guests[0].agent_name.as_deref(), hers.guests[1].number.as_str()),
        (Some("CLEO"), "+4930555")
    );
    nothing_open(&house).await;
}

/// XFER-13: the organiser takes anybody out; nobody else does, and who is not in it cannot be taken out.
#[tokio::test]
async fn the_organiser_takes_somebody_out() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let refused = annas.does(Command::Leave { interaction: call }).await.unwrap_err();
    assert_eq!(refused.kind().slug, "not-now", "she is not in a conference");
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    merged(&mut house, &mut annas, call, talk).await;
    let drop = Command::Drop { interaction: talk, from: talk };
    assert_eq!(cleos.does(drop).await.unwrap_err().kind().slug, "not-now");
    let nobody = Command::Drop { interaction: call, from: call };
    assert_eq!(annas.does(nobody).await.unwrap_err().kind().slug, "not-found");
    let blind = Command::Transfer { interaction: call, service: None, user: Some(ben()), number: None };
    assert_eq!(annas.does(blind).await.unwrap_err().kind().slug, "not-now");
    annas.does(Command::Drop { interaction: call, from: talk }).await.unwrap();
    assert_eq!(ends_order(&mut house).await, (talk, EndedBy::Agent));
    house.call_ends(talk, EndedBy::Agent).await;
    let alone =
        annas.event("work", |e| is(e, call, "talking") && e["work"]["conference"] == Value::Null).await;
    assert_eq!(alone["work"]["interaction"], call.to_string(), "a call of two again");
    cleos.state("ready").await;
    house.call_ends(call, EndedBy::Customer).await;
    annas.state("wrap_up").await;
}

/// XFER-13: the organiser leaves, and the others go on: the colleague has the customer's call, and may take others out then.
#[tokio::test]
async fn the_organiser_leaves_and_the_others_go_on() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    merged(&mut house, &mut annas, call, talk).await;
    let outside = they_confer_outside(&mut house, &mut annas, call).await;
    merged(&mut house, &mut annas, call, outside).await;
    annas.does(Command::Leave { interaction: call }).await.unwrap();
    let left = house.order(|order| match order {
        CallOrder::Leave { interaction, agent } => Some((*interaction, *agent)),
        _ => None,
    });
    assert_eq!(left.await, (call, anna()));
    house.fact(CallFact::TookOver { interaction: call, from: talk, agent: Some(cleo()) }).await;
    annas.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    annas.state("wrap_up").await;
    let seen = conference(&mut cleos, call).await;
    let rest = who(&[("customer", "Erika Muster"), ("agent", "CLEO"), ("number", "+4930555")]);
    assert_eq!((parties(&seen), &seen["organiser"]), (rest, &true.into()));
    cleos.does(Command::Drop { interaction: call, from: outside }).await.unwrap();
    assert_eq!(ends_order(&mut house).await, (outside, EndedBy::Agent));
    house.call_ends(outside, EndedBy::Agent).await;
    house.call_ends(call, EndedBy::Customer).await;
    cleos.state("wrap_up").await;
    let seen = record(&house, call).await;
    assert_eq!((seen.agent, seen.parts.len(), seen.guests.len()), (Some(cleo()), 1, 2));
    assert_eq!(seen.status, Some(EndStatus::Transferred));
    assert!(seen.guests.iter().all(|guest| guest.left_at.is_some()));
}

/// XFER-13: when only a number outside is left with the customer, nobody of the house has the call.
#[tokio::test]
async fn a_number_is_left_alone_with_the_customer() {
    let (mut house, mut annas, _cleos, call) = open().await;
    let outside = they_confer_outside(&mut house, &mut annas, call).await;
    merged(&mut house, &mut annas, call, outside).await;
    annas.does(Command::Leave { interaction: call }).await.unwrap();
    house.fact(CallFact::TookOver { interaction: call, from: outside, agent: None }).await;
    annas.state("wrap_up").await;
    let phases: Vec<_> = house.desk.calls().await.unwrap().iter().map(|call| call.phase).collect();
    assert!(phases.contains(&"passed_on"), "{phases:?}");
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
    let seen = record(&house, call).await;
    assert_eq!(seen.passed_on.unwrap().number, "+4930555");
    assert_eq!(seen.status, Some(EndStatus::Transferred));
}

/// XFER-12, XFER-14: a participant holds the conference, asks somebody, and brings them in; the organiser stays the organiser.
#[tokio::test]
async fn a_participant_brings_somebody_in() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    merged(&mut house, &mut annas, call, talk).await;
    let mut bens = at_work(&house, "ben", ben()).await;
    cleos.does(ask(talk, ben())).await.unwrap();
    let fourth = asked_by(&mut house, talk, cleo()).await;
    let offer = bens.event("offered", |_| true).await["offer"]["about"].clone();
    assert_eq!((&offer["by"], &offer["name"]), (&"CLEO".into(), &"Erika Muster".into()));
    let (_, token) = house.rung(fourth).await;
    bens.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(fourth, ben()).await;
    cleos.event("work", |e| is(e, fourth, "talking")).await;
    let over = Command::CompleteTransfer { interaction: talk, from: fourth };
    assert_eq!(cleos.does(over).await.unwrap_err().kind().slug, "not-now", "the customer is Anna's");
    cleos.does(Command::Merge { interaction: talk, from: fourth }).await.unwrap();
    assert_eq!(joins(&mut house).await, (call, fourth, cleo(), AfterJoin::Stay));
    house.fact(CallFact::Joined { interaction: call, from: fourth }).await;
    cleos.event("work_ended", |e| e["interaction"] == fourth.to_string()).await;
    let four = who(&[("customer", "Erika Muster"), ("agent", "ANNA"), ("agent", "CLEO"), ("agent", "BEN")]);
    let seen = conference(&mut bens, fourth).await;
    assert_eq!((parties(&seen), &seen["parties"][1]["organiser"]), (four, &true.into()));
    let seen = record(&house, call).await;
    assert_eq!(seen.guests.iter().map(|guest| guest.by).collect::<Vec<_>>(), [anna(), cleo()]);
    assert_eq!(record(&house, fourth).await.consult_of, Some(call), "about the customer's call");
    // Ben may not take anybody out; Anna signs out, and nobody is cut off.
    let drop = Command::Drop { interaction: fourth, from: talk };
    assert_eq!(bens.does(drop).await.unwrap_err().kind().slug, "not-now");
    house.desk.sign_out(&annas.who, true, desk::audit::Actor::default()).await.unwrap();
    house.order(|o| (*o == CallOrder::Leave { interaction: call, agent: anna() }).then_some(())).await;
}

/// XFER-09, XFER-13: the customer leaves, and those who remain go on.
#[tokio::test]
async fn the_customer_leaves_and_the_others_go_on() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    merged(&mut house, &mut annas, call, talk).await;
    let (leg, party) = (house.leg(), Party::Customer);
    house.fact(CallFact::LegEnded { interaction: call, leg, party, stats: None }).await;
    let gone = |e: &Value| e["work"]["conference"]["parties"].as_array().is_some_and(|all| all.len() == 2);
    let seen = annas.event("work", gone).await["work"]["conference"].clone();
    assert_eq!(parties(&seen), who(&[("agent", "ANNA"), ("agent", "CLEO")]));
    house.call_ends(talk, EndedBy::Agent).await;
    house.call_ends(call, EndedBy::Agent).await;
    cleos.state("ready").await;
    annas.state("wrap_up").await;
}

/// XFER-09: a call that breaks off as a whole leaves nobody Busy who was brought into it.
#[tokio::test]
async fn a_conference_that_breaks_off_leaves_nobody_busy() {
    let (mut house, mut annas, mut cleos, call) = open().await;
    let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
    merged(&mut house, &mut annas, call, talk).await;
    let failure = Some("the far end is gone".to_owned());
    house.fact(CallFact::Ended { interaction: call, by: EndedBy::System, failure }).await;
    cleos.event("work_ended", |e| e["interaction"] == talk.to_string()).await;
    cleos.state("ready").await;
    annas.state("wrap_up").await;
    annas.does(Command::Complete { interaction: call }).await.unwrap();
    annas.state("ready").await;
    nothing_open(&house).await;
}

/// XFER-09: the appliance dies in a conference: each record has an end.
#[tokio::test]
async fn a_crash_in_a_conference_leaves_nothing_open() {
    for stage in 0..4 {
        let (mut house, mut annas, mut cleos, call) = open().await;
        let talk = match stage {
            0 | 1 => they_confer(&mut house, &mut annas, &mut cleos, call).await,
            _ => they_confer_outside(&mut house, &mut annas, call).await,
        };
        merged(&mut house, &mut annas, call, talk).await;
        match stage {
            1 => house.fact(CallFact::TookOver { interaction: call, from: talk, agent: Some(cleo()) }).await,
            3 => {
                annas.does(ask_outside(call)).await.unwrap();
                let second = held_and_called(&mut house, call).await;
                house.fact(CallFact::FarEndAnswered { interaction: second, trunk: trunk_out() }).await;
            }
            _ => {}
        }
        house.journal().await;
        let house = house.crash().await;
        house
            .eventually(async |house| {
                house.store.records().unfinished_records(tenant(), None).await.unwrap().is_empty()
            })
            .await;
        let seen = record(&house, call).await;
        assert_eq!(seen.status, Some(EndStatus::Interrupted), "stage {stage}");
        assert!(seen.guests.iter().all(|guest| guest.left_at.is_some()), "stage {stage}");
    }
}

/// The call that this agent places while the other one is held.
async fn asked_by(house: &mut House, held: InteractionId, who: UserId) -> InteractionId {
    house.order(|o| (*o == CallOrder::Hold { interaction: held, agent: who }).then_some(())).await;
    house.fact(CallFact::HoldChanged { interaction: held, agent: who, held: true }).await;
    house
        .order(|order| match order {
            CallOrder::CallColleague { interaction, agent, .. } if *agent == who => Some(*interaction),
            _ => None,
        })
        .await
}
