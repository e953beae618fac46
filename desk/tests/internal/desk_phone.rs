//! Calls that begin at the phone on the desk.

use desk::Refusal;
use desk::testing::{House, Setup, anna, ben, cleo, tenant};
use model::call::{CallFact, CallOrder, Rejection, Source};
use model::id::{Id, InteractionId, UserId};
use model::interaction::EndedBy;
use model::people::PhoneKind;

use crate::{Orders as _, call_to, called_by, extension, own_records, state_of};

#[tokio::test]
async fn an_extension_is_dialled_on_a_desk_phone() {
    let mut house = House::open_with(Setup { phone: PhoneKind::Sip, ..Setup::default() }).await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let by_page = ben_page.does(call_to(anna())).await;
    assert_eq!(by_page, Err(Refusal::NotNow { why: "Dial the extension on your phone." }));
    let digits = extension(&house, anna());
    let call = dials(&house, 1, ben(), &digits).await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna());
    assert!(
        !house.orders_so_far().iter().any(|o| called_by(o, ben()).is_some()),
        "the call is there already"
    );
    let work = ben_page.event("work", |_| true).await;
    assert_eq!((&work["work"]["phase"], &work["work"]["outgoing"]), (&"dialling".into(), &true.into()));
    let busy = dials(&house, 2, cleo(), &digits).await;
    assert_eq!(house.rejected(busy).await, Rejection::Busy, "her phone rings already");
    house.fact(CallFact::AgentAnswered { interaction: call, token, agent }).await;
    house.order(|o| matches!(o, CallOrder::Connect { record: None, .. }).then_some(())).await;
    house.bridged(call, anna()).await;
    anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.call_ends(call, EndedBy::Agent).await;
    ben_page.state("ready").await;
    anna_page.state("ready").await;
    for (n, digits, why) in [
        (3, "77777".to_owned(), Rejection::UnknownNumber),
        (4, extension(&house, cleo()), Rejection::NobodyThere),
        (5, extension(&house, ben()), Rejection::Declined),
    ] {
        let refused = dials(&house, n, ben(), &digits).await;
        assert_eq!(house.rejected(refused).await, why, "{digits}");
        assert_eq!(state_of(&house, ben()).await, "ready");
    }
    let statuses: Vec<_> = own_records(&house, &ben_page).await.iter().filter_map(|r| r.status).collect();
    assert_eq!(statuses, ["refused", "no_agent_online", "unknown_number", "normal"], "newest first");
    let stranger = dials(&house, 6, UserId::from_number(99), &digits).await;
    assert_eq!(house.rejected(stranger).await, Rejection::Declined);
}

/// A phone works without a page: the call is placed, and makes its caller Busy from the sign-in on.
#[tokio::test]
async fn a_desk_phone_calls_though_nobody_is_signed_in_at_it() {
    let mut house = House::open_with(Setup { phone: PhoneKind::Sip, ..Setup::default() }).await;
    let mut anna_page = house.page("anna").await;
    let call = dials(&house, 1, ben(), &extension(&house, anna())).await;
    let (agent, token) = house.rung(call).await;
    house.fact(CallFact::AgentAnswered { interaction: call, token, agent }).await;
    house.bridged(call, anna()).await;
    anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    let mut ben_page = house.page("ben").await;
    let snapshot = &ben_page.welcome["snapshot"];
    assert_eq!(
        (&snapshot["me"]["state"]["state"], &snapshot["work"][0]["phase"]),
        (&"busy".into(), &"talking".into())
    );
    house.call_ends(call, EndedBy::Customer).await;
    ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    ben_page.state("ready").await;
}

/// A phone on a desk dials.
async fn dials(house: &House, number: u64, agent: UserId, digits: &str) -> InteractionId {
    let interaction = InteractionId::from_number(5_000 + number);
    house
        .fact(CallFact::Incoming {
            interaction,
            tenant: tenant(),
            from: Source::Phone { agent },
            caller: "whatever the phone says".into(),
            caller_name: None,
            contact: digits.into(),
        })
        .await;
    interaction
}
