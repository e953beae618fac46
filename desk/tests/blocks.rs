//! The block list: who is refused, and who says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::auth::Identity;
use desk::configuration::blocks::{BlockView, NewBlock};
use desk::testing::House;
use model::call::{CallOrder, Rejection};
use model::interaction::EndStatus;

/// Who calls in the house's tests.
const CALLER: &str = "+4930123456";

fn of(number: &str) -> NewBlock {
    NewBlock { number: number.into(), prefix: false, reason: "Only breathes".into(), until: None }
}

async fn block(house: &House, who: &Identity, new: NewBlock) -> Result<BlockView, Refusal> {
    house.desk.block(who, new, Actor { user: Some(who.user.id), ..Actor::default() }).await
}

/// Whether the next caller is refused.
async fn refused(house: &mut House) -> bool {
    let call = house.customer_calls("100").await;
    let refused = house
        .order(|order| match order {
            CallOrder::Reject { interaction, why } if *interaction == call => {
                Some(*why == Rejection::Declined)
            }
            CallOrder::RingAgent { interaction, .. } | CallOrder::Play { interaction, .. }
                if *interaction == call =>
            {
                Some(false)
            }
            _ => None,
        })
        .await;
    if refused {
        let sue = house.sign_in("sue").await;
        house
            .eventually(async |house| {
                let record = house.desk.record(&sue, call).await;
                record.is_ok_and(|record| record.status == Some("blocked"))
            })
            .await;
    }
    refused
}

/// VOICE-16, C17: an agent puts a caller on the list; the next call is refused and recorded as blocked, until the entry ends or is
/// taken off.
#[tokio::test]
async fn a_caller_on_the_list_is_refused_and_recorded_as_blocked() {
    let mut house = House::open().await;
    let anna = house.sign_in("anna").await;
    assert!(!refused(&mut house).await);
    let entry = block(&house, &anna, of("0049 30 / 123456")).await.unwrap();
    assert_eq!((entry.number.as_str(), entry.by_name.as_deref()), (CALLER, Some("ANNA")));
    assert!(refused(&mut house).await);
    let twice = block(&house, &anna, of(CALLER)).await;
    assert!(matches!(twice, Err(Refusal::Conflict { .. })), "{twice:?}");
    house.desk.unblock(&anna, entry.id, Actor::default()).await.unwrap();
    assert!(!refused(&mut house).await);

    let until = house.clock_now() + Duration::from_secs(60);
    block(&house, &anna, NewBlock { until: Some(until), ..of(CALLER) }).await.unwrap();
    assert!(refused(&mut house).await);
    house.pass(Duration::from_secs(60)).await;
    assert!(!refused(&mut house).await);
    let status = house
        .journal()
        .await
        .into_iter()
        .filter(|event| matches!(event, model::journal::Event::Ended { status: EndStatus::Blocked, .. }));
    assert_eq!(status.count(), 2);
}

/// VOICE-16, ADM-14: agents add single numbers and remove their own; beginnings, and other people's entries, are the administrator's.
#[tokio::test]
async fn agents_block_numbers_and_administrators_beginnings_too() {
    let mut house = House::open().await;
    let (anna, ben, adam) =
        (house.sign_in("anna").await, house.sign_in("ben").await, house.sign_in("adam").await);
    let wide = NewBlock { prefix: true, ..of("+4930") };
    let refusal = block(&house, &anna, wide.clone()).await;
    assert!(matches!(refusal, Err(Refusal::Forbidden { .. })), "{refusal:?}");
    let wide = block(&house, &adam, wide).await.unwrap();
    assert!(refused(&mut house).await);
    house.clock.advance(Duration::from_secs(1));
    let own = block(&house, &anna, of("+4940777")).await.unwrap();
    let list = |who: &Identity, q: &str| house.desk.blocks(who, q, None, 50).unwrap().items;
    let seen: Vec<_> = list(&anna, "").iter().map(|entry| (entry.number.clone(), entry.removable)).collect();
    assert_eq!(seen, [("+4940777".to_owned(), true), ("+4930".to_owned(), false)], "newest first");
    assert_eq!(list(&ben, "40 77").len(), 1);
    assert_eq!(list(&ben, "BREATHES").len(), 2);
    assert_eq!(list(&ben, "nobody").len(), 0);
    let page = house.desk.blocks(&ben, "", None, 1).unwrap();
    let rest = house.desk.blocks(&ben, "", page.next.as_ref(), 1).unwrap();
    assert_eq!((rest.items[0].id, rest.next), (wide.id, None));
    for (who, entry) in [(&ben, own.id), (&anna, wide.id)] {
        let refusal = house.desk.unblock(who, entry, Actor::default()).await;
        assert!(matches!(refusal, Err(Refusal::Forbidden { .. })), "{refusal:?}");
    }
    house.desk.unblock(&adam, own.id, Actor::default()).await.unwrap();
    for (new, field) in [
        (of("anonymous"), "/number"),
        (of("1"), "/number"),
        (NewBlock { until: Some(house.clock_now()), ..of("+4977") }, "/until"),
        (NewBlock { reason: "x".repeat(201), ..of("+4977") }, "/reason"),
    ] {
        match block(&house, &anna, new).await {
            Err(Refusal::Invalid { errors }) => assert_eq!(errors[0].pointer, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}
