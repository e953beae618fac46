//! Internal calls: an agent calls a colleague, from the page or from the phone on the desk.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::console::protocol::Command;
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Page, Setup, anna, ben, cleo, lunch, sue, tenant};
use model::call::{CallFact, CallOrder, Rejection, Source};
use model::id::{Id, InteractionId, OfferToken, UserId};
use model::interaction::{Direction, EndedBy};
use model::journal::Event;
use model::people::PhoneKind;
use model::service::Treatment;

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

/// VOICE-04: the standard window of an internal offer shows type, the colleague's name and the extension, and the offer has
/// them.
#[tokio::test]
async fn the_offer_of_a_colleagues_call_holds_type_name_and_extension() {
    let mut house = House::open().await;
    let (mut anna_page, ben_page) = (house.page("anna").await, house.page("ben").await);
    let window = &anna_page.welcome["snapshot"]["offer_window"];
    assert_eq!(window["internal"], serde_json::json!(["channel", "name", "extension"]));
    let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
    let offered = anna_page.event("offered", |_| true).await;
    let offer = &offered["offer"];
    assert_eq!(
        (&offer["offer"], &offer["interaction"]),
        (&token.to_string().into(), &call.to_string().into())
    );
    assert_eq!((&offer["direction"], &offer["channel"]), (&"internal".into(), &"voice".into()));
    let colleague = serde_json::json!({"user": ben(), "name": "BEN", "extension": extension(&house, ben())});
    assert_eq!(offer["colleague"], colleague);
    assert!(offer["service"].is_null(), "no queue, no service");
    assert_eq!(offer["deadline"], house.desk.now().millis() + 20_000);
}

/// A colleague is called by name; both talk, and the record belongs to both.
#[tokio::test]
async fn a_call_between_colleagues_goes_its_way_on_two_pages() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    phones_up(&house).await;
    ben_page.does(call_to(anna())).await.unwrap();
    let calls = house.next_order_of_calls().await;
    let CallOrder::CallColleague { interaction: call, agent, caller, caller_name, contact, .. } = calls
    else {
        panic!("the softphone is part of the call before Anna rings: {calls:?}")
    };
    assert_eq!((agent, caller, contact), (ben(), extension(&house, ben()), extension(&house, anna())));
    assert_eq!(caller_name.as_deref(), Some("BEN"));
    let (_, token) = house.rung(call).await;
    ben_page.state("busy").await;
    let work = ben_page.event("work", |_| true).await;
    assert_eq!((&work["work"]["phase"], &work["work"]["outgoing"]), (&"dialling".into(), &true.into()));
    assert_eq!(work["work"]["colleague"]["user"], anna().to_string());
    anna_page.state("ringing").await;
    anna_page.does(Command::Accept { offer: token }).await.unwrap();
    let connect = house.next_order_of_calls().await;
    assert_eq!(
        connect,
        CallOrder::Connect { interaction: call, agent: anna(), record: None, announce: false }
    );
    ben_page.event("work", |e| e["work"]["phase"] == "connecting").await;
    house.bridged(call, anna()).await;
    ben_page.event("work", |e| e["work"]["phase"] == "talking").await;
    let work = anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    assert_eq!(
        (&work["work"]["outgoing"], &work["work"]["wrap_up"]),
        (&false.into(), &serde_json::Value::Null)
    );
    assert_eq!(work["work"]["colleague"]["user"], ben().to_string());
    for command in [
        Command::Complete { interaction: call },
        Command::Code { interaction: call, disposition: None, comment: Some("chat".into()) },
    ] {
        let refused = anna_page.does(command).await;
        assert!(matches!(refused, Err(Refusal::NotNow { .. })), "there is nothing to code: {refused:?}");
    }
    house.pass(Duration::from_secs(60)).await;
    // The one who called hangs up.
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    assert_eq!(
        house.next_order_of_calls().await,
        CallOrder::HangUp { interaction: call, by: EndedBy::Customer }
    );
    house.call_ends(call, EndedBy::Customer).await;
    for page in [&mut ben_page, &mut anna_page] {
        page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
        page.state("ready").await;
    }
    for page in [&ben_page, &anna_page] {
        let records = own_records(&house, page).await;
        assert_eq!(records.len(), 1, "what keeps Ben busy has no record: {records:?}");
        let record = &records[0];
        assert_eq!((record.direction, record.status), (Direction::Internal, Some("normal")));
        assert_eq!((record.calling_agent, record.agent), (Some(ben()), Some(anna())));
        assert_eq!(record.calling_agent_name.as_deref(), Some("BEN"));
        assert_eq!(record.duration_ms, Some(60_000));
        assert_eq!(house.desk.record(&page.who, call).await.unwrap().interaction, call);
    }
    let cleo_page = house.page("cleo").await;
    assert!(own_records(&house, &cleo_page).await.is_empty(), "not hers");
    assert_eq!(house.desk.record(&cleo_page.who, call).await, Err(Refusal::missing("record")));
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(text.contains(r#"patchbay_calls_total{direction="internal",result="normal"} 1"#), "{text}");
    assert!(text.contains(r#"patchbay_calls_active{direction="internal"} 0"#), "{text}");
    assert!(text.contains("patchbay_wrapup_seconds_count 0"), "nobody had after-call work: {text}");
}

/// VOICE-08: refusing an internal call ends it: the caller hears busy, and the agent is where the agent was before.
#[tokio::test]
async fn a_refused_colleague_hears_busy_and_the_refuser_is_where_they_were() {
    for before in ["ready", "not_ready (Lunch)", "busy"] {
        let mut house = House::open().await;
        let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
        match before {
            "busy" => drop(house.talking(&mut anna_page).await),
            "ready" => {}
            _ => anna_page.does(Command::NotReady { reason: Some(lunch()) }).await.unwrap(),
        }
        assert_eq!(state_of(&house, anna()).await, before);
        let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
        anna_page.does(Command::Decline { offer: token }).await.unwrap();
        let busy = CallOrder::Reject { interaction: call, why: Rejection::Busy };
        house.order(|o| (*o == busy).then_some(())).await;
        anna_page.event("offer_ended", |e| e["why"] == "declined").await;
        assert_eq!(state_of(&house, anna()).await, before);
        let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
        assert_eq!(work["work"]["refused_why"], "declined");
        assert_eq!(state_of(&house, ben()).await, "busy", "the busy tone is in Ben's ear");
        house.call_ends(call, EndedBy::System).await;
        ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
        ben_page.state("ready").await;
        assert_eq!(state_of(&house, anna()).await, before);
        let record = &own_records(&house, &ben_page).await[0];
        assert_eq!((record.status, record.ended_by), (Some("refused"), Some(EndedBy::Agent)));
        assert_eq!(record.agent, Some(anna()), "who was called");
    }
}

#[tokio::test]
async fn an_unanswered_or_unreachable_colleague_is_told_to_the_caller_and_leaves_the_state_alone() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    house.pass(Duration::from_secs(20)).await;
    let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "no_answer");
    let missed = anna_page.banner("missed_offer").await;
    assert!(missed["params"]["reason"].is_null(), "a colleague's call makes nobody Not ready: {missed}");
    assert_eq!(state_of(&house, anna()).await, "ready");
    assert_eq!(house.desk.agents().await.unwrap()[0].missed_today, 1);
    // Ben does not listen to the tone for long.
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    house.call_ends(call, EndedBy::Customer).await;
    ben_page.state("ready").await;
    let (call, token) = ben_calls_anna(&mut house, &ben_page).await;
    let why = "ICE failed".to_owned();
    house.fact(CallFact::AgentUnreachable { interaction: call, token, agent: anna(), why }).await;
    let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "unreachable");
    assert_eq!(state_of(&house, anna()).await, "ready");
}

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

#[tokio::test]
async fn who_cannot_be_called_is_said_and_nothing_happens() {
    let mut house = House::open().await;
    let (anna_page, ben_page) = (house.page("anna").await, house.page("ben").await);
    let no_phone_yet = ben_page.does(call_to(anna())).await;
    assert!(matches!(no_phone_yet, Err(Refusal::NotNow { .. })), "{no_phone_yet:?}");
    phones_up(&house).await;
    let before = house.journal().await;
    let try_it = async |command: Command| ben_page.does(command).await.unwrap_err();
    assert_eq!(try_it(call_to(UserId::from_number(99))).await, Refusal::missing("colleague"));
    let nobodys = Command::Call { user: None, extension: Some("99999".into()) };
    assert_eq!(try_it(nobodys).await, Refusal::missing("colleague"));
    let both = Command::Call { user: Some(anna()), extension: Some("201".into()) };
    assert!(matches!(try_it(both).await, Refusal::Invalid { .. }));
    let neither = Command::Call { user: None, extension: None };
    assert!(matches!(try_it(neither).await, Refusal::Invalid { .. }));
    assert!(matches!(try_it(call_to(ben())).await, Refusal::NotNow { .. }), "oneself");
    assert_eq!(try_it(call_to(cleo())).await, Refusal::ColleagueOffline, "signed out");
    assert_eq!(house.journal().await, before, "a refused call leaves no trace");
    assert_eq!(house.orders_so_far().iter().filter(|o| !matches!(o, CallOrder::Configure(_))).count(), 0);
    assert_eq!(state_of(&house, ben()).await, "ready");
    anna_page.does(Command::Offline).await.unwrap();
    assert_eq!(try_it(call_to(anna())).await, Refusal::ColleagueOffline);
    anna_page.does(Command::Online).await.unwrap();
    let customer = house.customer_calls("100").await;
    house.rung(customer).await;
    assert_eq!(try_it(call_to(anna())).await, Refusal::ColleagueBusy, "her phone rings already");
    house.desk.admit(false).await;
    assert_eq!(try_it(call_to(anna())).await, Refusal::Unavailable, "the appliance is about to stop");
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_it_rings_leaves_the_colleague_as_before() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    house
        .order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Customer }).then_some(()))
        .await;
    house.call_ends(call, EndedBy::Customer).await;
    anna_page.event("offer_ended", |e| e["why"] == "caller_left").await;
    anna_page.state("ready").await;
    ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    ben_page.state("ready").await;
    let record = &own_records(&house, &anna_page).await[0];
    assert_eq!((record.status, record.ended_by), (Some("abandoned_ringing"), Some(EndedBy::Customer)));
    // The softphone fails at the moment of dialling.
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    let failure = Some("the softphone is not connected".to_owned());
    house.fact(CallFact::Ended { interaction: call, by: EndedBy::System, failure }).await;
    ben_page.state("ready").await;
    anna_page.state("ready").await;
    assert_eq!(own_records(&house, &anna_page).await[0].status, Some("failed"));
}

#[tokio::test]
async fn held_and_muted_are_each_sides_own() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let call = they_talk(&mut house, &mut ben_page, &mut anna_page).await;
    ben_page.does(Command::Hold { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::Hold { interaction: call, agent: ben() }).then_some(())).await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: ben(), held: true }).await;
    anna_page.does(Command::Mute { interaction: call }).await.unwrap();
    let muted = CallOrder::Mute { interaction: call, agent: anna(), muted: true };
    house.order(|o| (*o == muted).then_some(())).await;
    house.fact(CallFact::MuteChanged { interaction: call, agent: anna(), muted: true }).await;
    let work = anna_page.event("work", |e| e["work"]["muted"] == true).await;
    assert_eq!(work["work"]["phase"], "talking", "held by Ben, not by her");
    let seen = house.desk.snapshot_of(ben()).await.unwrap();
    let bens = serde_json::to_value(&seen.work[0]).unwrap();
    assert_eq!((&bens["phase"], &bens["muted"]), (&"held".into(), &false.into()));
    // Nobody else's hands reach into it; a supervisor ends it for the agent's side.
    house.fact(CallFact::HoldChanged { interaction: call, agent: cleo(), held: true }).await;
    let cleo_page = house.page("cleo").await;
    assert_eq!(cleo_page.does(Command::HangUp { interaction: call }).await, Err(Refusal::missing("call")));
    house.desk.hang_up(call, desk::audit::Actor::default()).await.unwrap();
    house.order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Agent }).then_some(())).await;
    house.call_ends(call, EndedBy::Agent).await;
    ben_page.state("ready").await;
    assert_eq!(own_records(&house, &ben_page).await[0].holds, 1);
}

#[tokio::test]
async fn signing_out_ends_an_internal_call_from_either_side() {
    let mut house = House::open().await;
    let (anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let actor = desk::audit::Actor::default();
    let (call, _) = ben_calls_anna(&mut house, &ben_page).await;
    house.desk.sign_out(&anna_page.who, false, actor).await.unwrap();
    house
        .order(|o| (*o == CallOrder::Reject { interaction: call, why: Rejection::Busy }).then_some(()))
        .await;
    let work = ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "unreachable");
    house.call_ends(call, EndedBy::System).await;
    ben_page.state("ready").await;

    let mut anna_page = house.page("anna").await;
    let call = they_talk(&mut house, &mut ben_page, &mut anna_page).await;
    assert_eq!(house.desk.sign_out(&ben_page.who, false, actor).await, Err(Refusal::WorkOpen));
    house.desk.sign_out(&ben_page.who, true, actor).await.unwrap();
    house
        .order(|o| (*o == CallOrder::HangUp { interaction: call, by: EndedBy::Customer }).then_some(()))
        .await;
    house.call_ends(call, EndedBy::Customer).await;
    anna_page.state("ready").await;
    let ben_page = house.page("ben").await;
    assert_eq!(ben_page.welcome["snapshot"]["me"]["state"]["state"], "ready", "nothing keeps him busy");
}

/// After a crash the call is interrupted, and neither of the two is Busy.
#[tokio::test]
async fn a_crash_during_an_internal_call_leaves_nobody_busy() {
    let mut house = House::open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    let call = they_talk(&mut house, &mut ben_page, &mut anna_page).await;
    house.settled().await;
    let house = house.crash().await;
    for page in [&anna_page, &ben_page] {
        let back = Page::attach(&house.desk, &page.who, None).await;
        let snapshot = &back.welcome["snapshot"];
        assert_eq!(snapshot["me"]["state"]["state"], "ready");
        assert_eq!(snapshot["work"], serde_json::json!([]));
        let records = own_records(&house, &back).await;
        assert_eq!(
            (records.len(), records[0].interaction, records[0].status),
            (1, call, Some("interrupted"))
        );
        assert!(records[0].ended_at.is_some());
    }
    // What kept Ben busy is accounted for too, though it has no record.
    let begun = |e: &Event| matches!(e, Event::HandlingStarted { internal: true, .. });
    let events = house.journal().await;
    let own = events.iter().find(|e| begun(e)).and_then(Event::interaction).unwrap();
    assert!(events.iter().any(|e| matches!(e, Event::Completed { interaction, .. } if *interaction == own)));
    assert_eq!(house.desk.record(&ben_page.who, own).await, Err(Refusal::missing("record")));
}

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
