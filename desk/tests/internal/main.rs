//! Internal calls: an agent calls a colleague, from the page or from the phone on the desk.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod desk_phone;
mod ends;
mod refusals;
mod states;
mod way;

use desk::console::protocol::Command;
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Page, anna, ben, cleo, sue};
use model::call::{CallFact, CallOrder, Rejection};
use model::id::{InteractionId, OfferToken, UserId};
use model::people::PhoneKind;

/// Softphones can be reached.
async fn phones_up(house: &House) {
    for agent in [anna(), ben(), cleo(), sue()] {
        house.fact(CallFact::PhoneUp { agent, phone: PhoneKind::Browser }).await;
    }
    house.settled().await;
}

fn call_to(user: UserId) -> Command {
    Command::Call { user: Some(user), extension: None }
}

/// Ben calls Anna from his page; her phone rings.
async fn ben_calls_anna(house: &mut House, ben_page: &Page) -> (InteractionId, OfferToken) {
    phones_up(house).await;
    ben_page.does(call_to(anna())).await.unwrap();
    let call = house.order(|o| called_by(o, ben())).await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna());
    (call, token)
}

fn called_by(order: &CallOrder, who: UserId) -> Option<InteractionId> {
    match order {
        CallOrder::CallColleague { interaction, agent, .. } if *agent == who => Some(*interaction),
        _ => None,
    }
}

/// Ben and Anna talk.
async fn they_talk(house: &mut House, ben_page: &mut Page, anna_page: &mut Page) -> InteractionId {
    let (call, token) = ben_calls_anna(house, ben_page).await;
    anna_page.does(Command::Accept { offer: token }).await.unwrap();
    house
        .order(|o| matches!(o, CallOrder::Connect { interaction, .. } if *interaction == call).then_some(()))
        .await;
    house.bridged(call, anna()).await;
    for page in [ben_page, anna_page] {
        page.event("work", |e| {
            e["work"]["interaction"] == call.to_string() && e["work"]["phase"] == "talking"
        })
        .await;
    }
    call
}

async fn state_of(house: &House, user: UserId) -> String {
    let agents = house.desk.agents().await.unwrap();
    let state = &agents.iter().find(|agent| agent.user == user).unwrap().state;
    match &state.reason {
        Some(reason) => format!("{} ({})", state.state, reason.name),
        None => state.state.to_owned(),
    }
}

async fn own_records(house: &House, page: &Page) -> Vec<RecordView> {
    house.settled().await;
    house.desk.records(&page.who, RecordFilter::default(), None, 50).await.unwrap().items
}

fn extension(house: &House, user: UserId) -> String {
    house.desk.configuration().users[&user].extension.clone().unwrap()
}

/// Orders about calls, waited for one by one.
trait Orders {
    async fn next_order_of_calls(&mut self) -> CallOrder;
    async fn rejected(&mut self, call: InteractionId) -> Rejection;
}
impl Orders for House {
    async fn next_order_of_calls(&mut self) -> CallOrder {
        self.order(|o| {
            (!matches!(o, CallOrder::Configure(_) | CallOrder::AttachPhone { .. })).then(|| o.clone())
        })
        .await
    }
    async fn rejected(&mut self, call: InteractionId) -> Rejection {
        self.order(|o| match o {
            CallOrder::Reject { interaction, why } if *interaction == call => Some(*why),
            _ => None,
        })
        .await
    }
}
