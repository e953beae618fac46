//! Service level and expected wait, as pages and the API show them, over restarts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::console::protocol::{Command, PeriodView, QueueView};
use desk::testing::{House, Page, help};
use model::interaction::EndedBy;
use model::journal::Event;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Answers a call after so many seconds, talks for a minute, and completes it.
async fn served_after(house: &mut House, page: &mut Page, wait: u64) {
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    house.pass(seconds(wait)).await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(call, agent).await;
    house.pass(seconds(60)).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.does(Command::Complete { interaction: call }).await.ok();
    house.settled().await;
}

async fn queue(house: &House) -> QueueView {
    let queues = house.desk.queues().await.unwrap();
    queues.into_iter().find(|queue| queue.service.id == help()).unwrap()
}

fn told(period: &PeriodView) -> (u64, u64, u64, u64, Option<f64>) {
    let PeriodView { offered, answered, abandoned, turned_away, service_level_percent, .. } = *period;
    (offered, answered, abandoned, turned_away, service_level_percent)
}

/// ROUTE-11: what became of callers is the same after a kill as without one, callers whom nobody was there for included; only
/// whoever waited at that moment is not counted, since nobody failed them but the machine.
#[tokio::test]
async fn route_11_figures_outlive_a_kill() {
    let mut house = House::open().await;
    // Nobody is there.
    let call = house.customer_calls("100").await;
    house.call_ends(call, EndedBy::Customer).await;
    let mut page = house.page("anna").await;
    page.does(Command::Ready).await.unwrap();
    house.settled().await;
    served_after(&mut house, &mut page, 5).await;
    served_after(&mut house, &mut page, 15).await;
    // One talks, and behind it one leaves at once and one later.
    let talk = house.customer_calls("100").await;
    let (agent, token) = house.rung(talk).await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(talk, agent).await;
    for patience in [3, 40] {
        let call = house.customer_calls("100").await;
        house.pass(seconds(patience)).await;
        house.call_ends(call, EndedBy::Customer).await;
    }
    house.settled().await;
    let before = queue(&house).await;
    assert_eq!(told(&before.today), (6, 3, 2, 1, Some(50.0)));
    assert_eq!(before.today, before.half_hour);
    assert_eq!((before.today.speed_of_answer_s, before.today.longest_wait_s), (Some(6.7), 40.0));
    assert_eq!((before.busy_agents, before.ready_agents, before.agents), (1, 0, 1));
    assert_eq!(
        before.expected_wait_s.map(|wait| wait / 10),
        Some(7),
        "a minute of talk, and some seconds to answer"
    );

    let waits = house.customer_calls("100").await;
    house.settled().await;
    let carried = |event: &&Event| matches!(event, Event::FiguresCarried { .. });
    assert!(house.journal().await.iter().filter(carried).count() >= 1, "what was counted is in the journal");
    let mut house = house.crash().await;
    let after = queue(&house).await;
    assert_eq!(
        (&after.today, &after.half_hour),
        (&before.today, &before.half_hour),
        "{waits} is not counted"
    );
    assert_eq!(after.expected_wait_s, None, "nobody is there");

    let mut page = Page::attach(&house.desk, &page.who, None).await;
    page.does(Command::Ready).await.ok();
    house.settled().await;
    served_after(&mut house, &mut page, 12).await;
    house.pass(seconds(1_800)).await;
    let later = queue(&house).await;
    assert_eq!(told(&later.today), (7, 4, 2, 1, Some(57.1)));
    assert_eq!(told(&later.half_hour), (0, 0, 0, 0, None), "half an hour later");
    house.pass(seconds(86_400)).await;
    assert_eq!(told(&queue(&house).await.today), (0, 0, 0, 0, None), "another day");
}
