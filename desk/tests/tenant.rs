//! What is set for the tenant as a whole, and the list of colleagues.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::{Actor, AuditFilter};
use desk::page::Cursor;
use desk::testing::{House, Page, adam, anna, ben, cleo, sue};
use model::call::CallFact;
use model::interaction::EndedBy;
use model::people::Tenant;
use model::tenant::{AgentOrder, AgentTerm, ExternalField, InternalField, OfferWindow, SystemNames};
use serde_json::json;

async fn set(house: &House, change: impl FnOnce(&mut Tenant)) -> Result<(), Refusal> {
    let row = house.desk.tenant_settings().await.unwrap();
    let mut tenant = row.item;
    change(&mut tenant);
    let actor = Actor { user: Some(adam()), address: None, key: None };
    house.desk.update_tenant(tenant, row.version, actor).await.map(drop)
}

/// VOICE-05: the tenant says what offer windows show and in which order; open pages follow at once, new ones begin with it,
/// and it outlives the process.
#[tokio::test]
async fn the_content_of_the_offer_window_is_the_tenants_to_set() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let standard = json!({
        "external": ["service", "channel", "name", "number", "noted", "waited"], "internal": ["channel", "name", "extension"],
    });
    assert_eq!(page.welcome["snapshot"]["offer_window"], standard);
    let wanted = OfferWindow {
        external: vec![ExternalField::Line, ExternalField::Number],
        internal: vec![InternalField::Name],
    };
    set(&house, |tenant| tenant.offer_window = wanted).await.unwrap();
    let told = page.event("settings", |_| true).await;
    let shown = json!({"external": ["line", "number"], "internal": ["name"]});
    assert_eq!(told["offer_window"], shown);
    assert_eq!(house.page("ben").await.welcome["snapshot"]["offer_window"], shown);
    let audit = house.desk.audit().list(&AuditFilter::default(), None, 50).await.unwrap();
    let entry = audit.items.iter().find(|entry| entry.action == "tenant.update").unwrap();
    assert_eq!((entry.actor, &entry.detail["offer_window"]), (Some(adam()), &shown));
    let house = house.crash().await;
    let back = Page::attach(&house.desk, &page.who, None).await;
    assert_eq!(back.welcome["snapshot"]["offer_window"], shown);
}

#[tokio::test]
async fn a_window_that_shows_nothing_or_something_twice_is_refused_with_the_place() {
    let house = House::open().await;
    let refused = set(&house, |tenant| {
        tenant.offer_window.external = vec![];
        tenant.offer_window.internal = vec![InternalField::Name, InternalField::Channel, InternalField::Name];
        tenant.system_names.no_answer = Some(" ".into());
    })
    .await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(places, ["/offer_window/external", "/offer_window/internal/2", "/system_names/no_answer"]);
    assert_eq!(house.desk.tenant_settings().await.unwrap().item.offer_window, OfferWindow::default());
}

/// STATE-13: "No answer" and "Connection lost" are set by the system, under the names that the tenant gave them, in states
/// and in messages; a new name is shown at once.
#[tokio::test]
async fn the_reasons_that_the_system_sets_have_the_tenants_names() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    house.rung(call).await;
    house.pass(Duration::from_secs(20)).await;
    let banner = page.banner("missed_offer").await;
    assert_eq!(banner["params"]["reason"], "No answer");
    let named = SystemNames { no_answer: Some("Missed".into()), connection_lost: Some("Off the net".into()) };
    set(&house, |tenant| tenant.system_names = named).await.unwrap();
    let me = page.event("me", |e| e["agent"]["state"]["reason"]["name"] == "Missed").await;
    assert_eq!(me["agent"]["state"]["reason"]["kind"], "no_answer", "the reason is the same");
    page.does(desk::console::protocol::Command::Ready).await.unwrap();
    house.pass(Duration::from_secs(60)).await;
    let (agent, token) = house.rung(call).await;
    let why = "ICE failed".to_owned();
    house.fact(CallFact::AgentUnreachable { interaction: call, token, agent, why }).await;
    let banner = page.banner("offer_unreachable").await;
    assert_eq!(banner["params"]["reason"], "Off the net");
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["state"]["reason"]["name"], "Off the net");
}

#[tokio::test]
async fn colleagues_are_listed_by_name_with_who_can_be_called() {
    let house = House::open().await;
    let page = house.page("anna").await;
    let _ben = house.page("ben").await;
    let cleo_page = house.page("cleo").await;
    cleo_page.does(desk::console::protocol::Command::Offline).await.unwrap();
    let list = async |q: &str, after: Option<&Cursor>, limit| {
        house.desk.colleagues(&page.who, (q, None), after, limit).await
    };
    // XFER-07: those of one service only.
    let of_help =
        house.desk.colleagues(&page.who, ("", Some(desk::testing::help())), None, 50).await.unwrap();
    assert_eq!(of_help.items.iter().map(|c| c.user).collect::<Vec<_>>(), [ben()]);
    let all = list("", None, 50).await.unwrap();
    let seen: Vec<_> = all.items.iter().map(|c| (c.user, c.state, c.callable)).collect();
    let expected = [
        (adam(), "logged_out", false),
        (ben(), "ready", true),
        (cleo(), "offline", false),
        (sue(), "logged_out", false),
    ];
    assert_eq!(seen, expected, "without Anna herself");
    let first = list("", None, 3).await.unwrap();
    let rest = list("", first.next.as_ref(), 3).await.unwrap();
    assert_eq!((first.items.len(), rest.items[0].user, rest.next), (3, sue(), None));
    for q in ["BE", "ben", all.items[1].extension.as_deref().unwrap()] {
        let found: Vec<_> = list(q, None, 50).await.unwrap().items.iter().map(|c| c.user).collect();
        assert_eq!(found, [ben()], "{q}");
    }
    assert!(list("", Some(&Cursor::from_text("nonsense")), 3).await.is_err());
    assert!(matches!(list(&"x".repeat(81), None, 3).await, Err(Refusal::Invalid { .. })));
    let row = house.desk.get::<model::people::User>(ben()).await.unwrap();
    let disabled = model::people::User { disabled: true, ..row.item };
    house.desk.update_user(disabled, row.version, Actor::default()).await.unwrap();
    assert!(list("ben", None, 50).await.unwrap().items.is_empty(), "nobody calls who is disabled");
}

/// ROUTE-04: the tenant says who of several agents is rung first, and what makes no sense is refused with the place.
#[tokio::test]
async fn who_is_rung_first_is_the_tenants_to_set() {
    let mut house = House::open().await;
    let (_anna, _ben) = (house.page("anna").await, house.page("ben").await);
    let call = house.customer_calls("100").await;
    assert_eq!(house.rung(call).await.0, anna(), "the most skilled, as it comes");
    house.call_ends(call, EndedBy::Customer).await;
    set(&house, |tenant| tenant.agent_order = AgentOrder(vec![AgentTerm::LeastSkilled])).await.unwrap();
    let call = house.customer_calls("100").await;
    assert_eq!(house.rung(call).await.0, ben(), "the least skilled who will do");
    for (order, place) in
        [(vec![], "/agent_order"), (vec![AgentTerm::RoundRobin, AgentTerm::RoundRobin], "/agent_order/1")]
    {
        let refused = set(&house, |tenant| tenant.agent_order = AgentOrder(order)).await;
        let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
        assert_eq!(errors[0].pointer, place);
    }
    let house = house.crash().await;
    assert_eq!(house.desk.tenant_settings().await.unwrap().item.agent_order.0, [AgentTerm::LeastSkilled]);
}
