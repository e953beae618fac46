//! Transfers that agents ask for by the keys of their phones.

use model::call::{ReferTo, Rejection};

use desk::testing::ben;

use super::*;

async fn asks(house: &House, interaction: InteractionId, to: ReferTo) {
    house.fact(CallFact::Referred { interaction, agent: anna(), to }).await;
}

async fn answered(house: &mut House) -> (InteractionId, Option<Rejection>) {
    house
        .order(|order| match order {
            CallOrder::AnswerReferral { interaction, agent, refused } if *agent == anna() => {
                Some((*interaction, *refused))
            }
            _ => None,
        })
        .await
}

/// Everybody of the house has one, by the last digit of their number.
fn extension(of: UserId) -> String {
    format!("20{}", of.to_string().chars().last().unwrap())
}

/// SIP-04, XFER-05: an extension dialled as a blind transfer: the phone is answered first, the agent is released, and the colleague is rung.
#[tokio::test]
async fn a_phone_transfers_to_a_colleague() {
    let (mut house, mut annas, cleos, call) = open().await;
    asks(&house, call, ReferTo::Dialled(extension(cleo()))).await;
    assert_eq!(answered(&mut house).await, (call, None));
    let released = CallOrder::Release { interaction: call, agent: anna() };
    house.order(|order| (*order == released).then_some(())).await;
    let part = own_part(&mut annas, call).await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, cleo());
    cleos.does(Command::Accept { offer: token }).await.unwrap();
    annas.does(Command::Complete { interaction: part }).await.unwrap();
}

/// SIP-04, XFER-05, SAFE-01: a number outside is dialled as the page's transfer would dial it, and under the same rules.
#[tokio::test]
async fn a_phone_transfers_to_a_number() {
    let (mut house, mut annas, _cleos, call) = open().await;
    asks(&house, call, ReferTo::Dialled("+4930555".into())).await;
    assert_eq!(answered(&mut house).await, (call, None));
    let number = house.order(|order| match order {
        CallOrder::Dial { interaction, number, .. } if *interaction == call => Some(number.clone()),
        _ => None,
    });
    assert_eq!(number.await, "+4930555");
    own_part(&mut annas, call).await;
}

/// What cannot be done is refused to the phone, and nothing is changed: a colleague who is not there, oneself, a number that nobody has.
#[tokio::test]
async fn a_transfer_that_cannot_be_leaves_the_phone_in_the_call() {
    let (mut house, annas, _cleos, call) = open().await;
    for (to, why) in [
        (ReferTo::Dialled(extension(ben())), Rejection::NobodyThere),
        (ReferTo::Dialled("1".into()), Rejection::Declined),
        (ReferTo::Call(InteractionId::from_number(77)), Rejection::UnknownNumber),
    ] {
        asks(&house, call, to.clone()).await;
        assert_eq!(answered(&mut house).await, (call, Some(why)), "{to:?}");
    }
    let phases: Vec<_> = house.desk.calls().await.unwrap().iter().map(|call| call.phase).collect();
    assert_eq!(phases, ["talking"]);
    annas.does(Command::Hold { interaction: call }).await.unwrap();
}

/// SIP-04, XFER-04: an attended transfer, whichever of the two calls the phone names first.
#[tokio::test]
async fn a_phone_transfers_to_whom_it_called() {
    for first in [true, false] {
        let (mut house, mut annas, mut cleos, call) = open().await;
        let talk = they_confer(&mut house, &mut annas, &mut cleos, call).await;
        let (asks_in, other) = if first { (call, talk) } else { (talk, call) };
        asks(&house, asks_in, ReferTo::Call(other)).await;
        assert_eq!(answered(&mut house).await, (asks_in, None));
        assert_eq!(joins(&mut house).await, (call, talk, anna(), AfterJoin::Leave));
        house.fact(CallFact::TookOver { interaction: call, from: talk, agent: Some(cleo()) }).await;
        own_part(&mut annas, call).await;
        cleos.event("work", |e| is(e, call, "talking")).await;
    }
}
