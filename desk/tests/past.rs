//! Why a caller waits, rings or rang where it does; what must not be is said; the journal can be decided again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::past::When;
use desk::past::explanation::ExplanationView;
use desk::testing::{House, Setup, anna, ben, german, help};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::User;
use model::service::{QueueRules, Service, Treatment};
use model::skill::{Level, Requirement, SkillExpr};

/// Changes a user as an administrator would.
async fn change(house: &House, user: model::id::UserId, change: impl FnOnce(&mut User)) {
    let row = house.desk.get::<User>(user).await.unwrap();
    let (mut user, version) = (row.item, row.version);
    change(&mut user);
    house.desk.update_user(user, version, Actor::default()).await.unwrap();
    house.settled().await;
}

async fn ask_for(house: &House, level: u8) {
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let who = SkillExpr::AtLeast { skill: german(), level: Level::new(level).unwrap() };
    let service = Service { requirement: Requirement::fixed(who), ..row.item };
    house.desk.update(service, row.version, Actor::default()).await.unwrap();
    house.settled().await;
}

fn names(why: &ExplanationView) -> Vec<(&str, Option<&str>)> {
    why.candidates.iter().map(|one| (one.agent.name.as_str(), one.lost_on.as_deref())).collect()
}

/// ROUTE-09: a caller who waits is explained in words, with what would help.
#[tokio::test]
async fn route_09_a_waiting_caller_is_explained_with_what_would_help() {
    let mut house = House::open().await;
    let anna_page = house.page("anna").await;
    let _ben = house.page("ben").await;
    let _cleo = house.page("cleo").await;
    ask_for(&house, 7).await;
    anna_page.does(Command::NotReady { reason: None }).await.unwrap();
    let call = house.customer_calls("100").await;
    house.pass(Duration::from_secs(12)).await;

    let why = house.desk.explain(call, When::Now).await.unwrap();
    assert_eq!((why.stage, why.position, why.step, why.steps), ("waiting", Some(0), 1, 1));
    assert_eq!((why.fitting, why.online, why.hopeless), (1, 1, false));
    assert_eq!(why.asks_for.as_deref(), Some("German >= 7"));
    let said: Vec<_> = why.advice.iter().map(|advice| advice.text.as_str()).collect();
    assert_eq!(
        said,
        [
            "1 fitting agent is signed in and not Ready: ANNA",
            "1 more signed-in agent would fit if `German >= 3` were asked instead of `German >= 7`: BEN",
            "1 signed-in agent lacks nothing but `German >= 7`: CLEO",
        ]
    );
    let verdicts: Vec<_> =
        why.agents.iter().map(|one| (one.agent.name.as_str(), one.verdict.as_str())).take(3).collect();
    assert_eq!(verdicts, [("ANNA", "not_ready"), ("BEN", "unskilled"), ("CLEO", "unskilled")]);
    assert_eq!(house.desk.explain_waiting().await.unwrap().len(), 1);
}

/// ROUTE-09: an offer of the past is explained by the configuration of its time, though it has changed since, the call is over
/// and the appliance was started anew; the explanation comes to the agent who was rung.
#[tokio::test]
async fn route_09_an_offer_of_the_past_is_worked_out_again() {
    let mut house = House::open().await;
    let anna_page = house.page("anna").await;
    let ben_page = house.page("ben").await;
    let call = house.customer_calls("100").await;
    let (first, token) = house.rung(call).await;
    assert_eq!(first, anna(), "the most skilled");
    house.pass(Duration::from_secs(1)).await;
    anna_page.does(Command::Decline { offer: token }).await.unwrap();
    let (second, token) = house.rung(call).await;
    assert_eq!(second, ben());
    let live = house.desk.explain(call, When::Now).await.unwrap();
    assert_eq!((live.stage, live.chosen), ("ringing", None));
    ben_page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(call, ben()).await;
    house.pass(Duration::from_secs(60)).await;
    house.call_ends(call, EndedBy::Customer).await;
    house.pass(Duration::from_secs(60)).await;
    // Now Ben is the better one; it was not so then.
    change(&house, ben(), |user| user.skills = [(german(), Level::MAX)].into()).await;
    change(&house, anna(), |user| user.skills.clear()).await;
    let house = house.crash().await;

    let why = house.desk.explain(call, When::Offer(1)).await.unwrap();
    assert_eq!(names(&why), [("ANNA", None), ("BEN", Some("most_skilled"))]);
    assert_eq!((why.chosen.as_ref().map(|who| who.id), why.rederived), (Some(anna()), Some(true)));
    assert_eq!(why.candidates[1].text, "fit 3, the first has fit 9");
    let why = house.desk.explain(call, When::Now).await.unwrap();
    assert_eq!((names(&why), why.rederived), (vec![("BEN", None)], Some(true)), "the last offer");
    let offers: Vec<_> = why.offers.iter().map(|o| (o.agent.name.as_str(), o.result)).collect();
    assert_eq!(offers, [("ANNA", Some("declined")), ("BEN", Some("accepted"))]);
    let between = model::time::Timestamp::from_millis(why.offers[0].at + 500);
    let why = house.desk.explain(call, When::At(between)).await.unwrap();
    assert_eq!((why.stage, why.agents[0].verdict.as_str()), ("ringing", "ringing"));

    let none = house.desk.explain(call, When::Offer(3)).await;
    assert_eq!(none.err(), Some(Refusal::missing("offer")));
    let before = house.desk.explain(call, When::At(model::time::Timestamp::from_millis(1))).await;
    assert!(matches!(before, Err(Refusal::NotFound { .. })), "{before:?}");
}

/// ROUTE-10: each change of what the floor decides by stands in the journal, once, and each start.
#[tokio::test]
async fn the_journal_names_the_configuration_of_the_time() {
    let house = House::open().await;
    house.desk.reload().await.unwrap();
    change(&house, ben(), |user| user.skills = [(german(), Level::MAX)].into()).await;
    let house = house.crash().await;
    let told = async |house: &House| -> Vec<(u64, bool)> {
        let written = house.journal().await.into_iter().filter_map(|event| match event {
            Event::Configured { generation, started } => Some((generation, started)),
            _ => None,
        });
        written.collect()
    };
    // The start does not wait for the journal.
    house.eventually(async |house| told(house).await.len() >= 3).await;
    assert_eq!(told(&house).await, [(1, true), (2, false), (2, true)]);
}

/// ROUTE-06: I13: a caller whom nobody of the configuration can answer is told of at once: to supervisors, in the journal and as
/// a figure.
#[tokio::test]
async fn route_06_a_caller_nobody_fits_is_told_of_at_once() {
    let queue = QueueRules { when_unstaffed: Treatment::Queue, ..QueueRules::default() };
    let mut house = House::open_with(Setup { queue, ..Setup::default() }).await;
    let mut sue = house.page("sue").await;
    let anna_page = house.page("anna").await;
    anna_page.does(Command::NotReady { reason: None }).await.unwrap();
    let call = house.customer_calls("100").await;
    house.settled().await;
    for user in [anna(), ben()] {
        change(&house, user, |user| user.skills.clear()).await;
    }
    let banner = sue.banner("nobody_fits").await;
    assert_eq!(banner["params"]["service"], "Help");
    let told =
        house.journal().await.iter().filter(|e| **e == Event::NobodyFits { interaction: call }).count();
    assert_eq!(told, 1);
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(text.contains("patchbay_queue_nobody_fits_total{queue=\"Help\"} 1"), "{text}");
    let why = house.desk.explain(call, When::Now).await.unwrap();
    assert!(why.hopeless);
}

/// ROUTE-06: the floor looks itself over while it runs, and finds nothing.
#[tokio::test]
async fn route_06_a_running_floor_looks_itself_over() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    house.talking(&mut page).await;
    house.customer_calls("100").await;
    for _ in 0..5 {
        house.pass(Duration::from_secs(1)).await;
    }
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    let rounds = text.lines().find_map(|line| line.strip_prefix("patchbay_floor_audit_rounds_total "));
    assert!(rounds.unwrap().parse::<u64>().unwrap() >= 3, "{rounds:?}");
    assert!(text.contains("patchbay_floor_invariant_violations_total{invariant=\"I3\"} 0"), "{text}");
}
