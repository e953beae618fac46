//! What an internal call means for the states of both, and for their other calls.

use desk::Refusal;
use desk::console::protocol::Command;
use desk::testing::{House, Setup, anna, ben};
use model::call::{CallFact, CallOrder};
use model::interaction::EndedBy;
use model::service::Treatment;

use crate::{ben_calls_anna, call_to, called_by, phones_up, state_of};

/// STATE-18, for internal calls: a Busy agent gets no queue work, but a colleague's call rings. Taken, it puts the customer
/// on hold first; afterwards the customer is still there.
#[tokio::test]
async fn a_busy_agent_is_rung_by_a_colleague_but_not_by_the_queue() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    ben_page.does(Command::NotReady { reason: None }).await.unwrap();
    let customer = house.talking(&mut anna_page).await;
    let waiting = house.customer_calls("100").await;
    house.settled().await;
    let rings = |o: &CallOrder| matches!(o, CallOrder::RingAgent { .. });
    assert!(!house.orders_so_far().iter().any(rings), "the queue waits");
    let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
    assert_eq!(state_of(&house, anna()).await, "busy");
    anna_page.does(Command::Accept { offer: token }).await.unwrap();
    house.settled().await;
    let orders: Vec<_> = house.orders_so_far();
    let at = |order: CallOrder| orders.iter().position(|o| *o == order);
    let hold = at(CallOrder::Hold { interaction: customer, agent: anna() });
    let connect = at(CallOrder::Connect { interaction: call, agent: anna(), record: None, announce: false });
    assert!(hold.is_some() && hold < connect, "{orders:?}");
    house.fact(CallFact::HoldChanged { interaction: customer, agent: anna(), held: true }).await;
    house.bridged(call, anna()).await;
    ben_page.event("work", |e| e["work"]["phase"] == "talking").await;
    // To and fro: each taken back puts the other one on hold.
    anna_page.does(Command::Retrieve { interaction: customer }).await.unwrap();
    house.settled().await;
    let there = [
        CallOrder::Hold { interaction: call, agent: anna() },
        CallOrder::Retrieve { interaction: customer, agent: anna() },
    ];
    assert_eq!(house.orders_so_far(), there);
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: true }).await;
    house.fact(CallFact::HoldChanged { interaction: customer, agent: anna(), held: false }).await;
    house.call_ends(call, EndedBy::Agent).await;
    ben_page.state("not_ready").await;
    anna_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    assert_eq!(state_of(&house, anna()).await, "busy", "the customer is still there");
    house.call_ends(customer, EndedBy::Customer).await;
    anna_page.state("wrap_up").await;
    anna_page.does(Command::Complete { interaction: customer }).await.unwrap();
    assert_eq!(house.rung(waiting).await.0, anna());
}

#[tokio::test]
async fn an_agent_calls_a_colleague_during_a_call_but_not_while_it_rings_and_not_from_offline() {
    let mut house = House::open().await;
    let (mut anna_page, _ben_page) = (house.page("anna").await, house.page("ben").await);
    phones_up(&house).await;
    let customer = house.customer_calls("100").await;
    let (_, token) = house.rung(customer).await;
    let refused = anna_page.does(call_to(ben())).await;
    assert!(matches!(refused, Err(Refusal::NotNow { .. })), "{refused:?}");
    anna_page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(customer, anna()).await;
    anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    anna_page.does(call_to(ben())).await.unwrap();
    house.settled().await;
    let orders: Vec<_> = house.orders_so_far();
    let hold = orders.iter().position(|o| *o == CallOrder::Hold { interaction: customer, agent: anna() });
    let call = orders.iter().position(|o| called_by(o, anna()).is_some());
    assert!(hold.is_some() && hold < call, "the customer hears music first: {orders:?}");
    let back = anna_page.does(Command::Retrieve { interaction: customer }).await;
    assert!(matches!(back, Err(Refusal::NotNow { .. })), "one thing after the other: {back:?}");
    let interaction = called_by(&orders[call.unwrap()], anna()).unwrap();
    house.call_ends(interaction, EndedBy::Customer).await;
    house.call_ends(customer, EndedBy::Customer).await;
    anna_page.state("wrap_up").await;
    anna_page.does(Command::Offline).await.unwrap();
    anna_page.state("offline").await;
    let refused = anna_page.does(call_to(ben())).await;
    assert!(matches!(refused, Err(Refusal::NotNow { .. })), "{refused:?}");
}

/// A group whose calls are answered by themselves: a colleague's too, but never in the middle of a conversation.
#[tokio::test]
async fn auto_answer_does_not_take_a_colleagues_call_during_another_one() {
    let mut setup = Setup::default();
    setup.rules.auto_answer = true;
    setup.queue.when_unstaffed = Treatment::Queue;
    let mut house = House::open_with(setup).await;
    let (mut anna_page, ben_page) = (house.page("anna").await, house.page("ben").await);
    phones_up(&house).await;
    ben_page.does(call_to(anna())).await.unwrap();
    let call = house.order(|o| called_by(o, ben())).await;
    house.order(|o| matches!(o, CallOrder::Connect { announce: true, .. }).then_some(())).await;
    house.bridged(call, anna()).await;
    anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    let mut cleo_page = house.page("cleo").await;
    cleo_page.does(call_to(anna())).await.unwrap();
    let offered = anna_page.event("offered", |e| e["offer"]["colleague"]["name"] == "CLEO").await;
    assert_eq!(offered["offer"]["auto_answer"], false);
    house.settled().await;
    assert!(
        !house
            .orders_so_far()
            .iter()
            .any(|o| matches!(o, CallOrder::Connect { .. } | CallOrder::Hold { .. }))
    );
    cleo_page.event("work", |e| e["work"]["phase"] == "dialling").await;
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
}
