//! The way of a call: from the trunk to an agent and into the records.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::console::protocol::Command;
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Setup, anna, ben, help, tenant};
use model::call::{CallFact, CallOrder, Rejection, Sound};
use model::id::{Id, InteractionId, OfferToken};
use model::interaction::EndedBy;
use model::journal::{Event, Party};
use model::people::PhoneKind;
use model::service::Treatment;

async fn all_records(house: &House) -> Vec<RecordView> {
    house.settled().await;
    let sue = house.sign_in("sue").await;
    house.desk.records(&sue, RecordFilter::default(), None, 50).await.unwrap().items
}

/// VOICE-01: only agents who are Ready and have what the service asks for are rung.
#[tokio::test]
async fn only_a_ready_agent_with_the_skill_is_rung() {
    let mut house = House::open().await;
    let _cleo_has_no_german = house.page("cleo").await;
    let mut anna_page = house.page("anna").await;
    let _ben_page = house.page("ben").await;
    anna_page.does(Command::NotReady { reason: None }).await.unwrap();
    anna_page.state("not_ready").await;
    let call = house.customer_calls("100").await;
    assert_eq!(house.rung(call).await.0, ben());
}

/// VOICE-02: the call rings and opens an offer with all the window needs; the caller hears music meanwhile.
#[tokio::test]
async fn an_offered_call_opens_an_offer_window_and_makes_the_agent_ringing() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    let music = CallOrder::Play { interaction: call, sound: Sound::QueueMusic, then_hang_up: false };
    assert_eq!(house.order(|o| matches!(o, CallOrder::Play { .. }).then(|| o.clone())).await, music);
    let (_, token) = house.rung(call).await;
    page.state("ringing").await;
    let Page { offers, .. } = view(&house, "anna").await;
    let offer = &offers[0];
    assert_eq!(offer["offer"], token.to_string());
    assert_eq!((&offer["service"]["name"], &offer["channel"]), (&"Help".into(), &"voice".into()));
    assert_eq!((&offer["caller"], &offer["caller_name"]), (&"+4930123456".into(), &"Erika Muster".into()));
    assert_eq!(offer["deadline"], house.desk.now().millis() + 20_000);
}

struct Page {
    offers: Vec<serde_json::Value>,
    work: Vec<serde_json::Value>,
}

/// What a page of somebody would show now: a second sign-in looks at it.
async fn view(house: &House, login: &str) -> Page {
    // Whoever is rung keeps being rung only as long as the page stays: so this asks the desk, not a new page.
    let who =
        house.desk.agents().await.unwrap().into_iter().find(|a| a.name == login.to_uppercase()).unwrap();
    let snapshot = house.desk.snapshot_of(who.user).await.unwrap();
    let value = serde_json::to_value(snapshot).unwrap();
    Page {
        offers: value["offers"].as_array().unwrap().clone(),
        work: value["work"].as_array().unwrap().clone(),
    }
}

/// VOICE-06: accepted, the agent is Busy and the call stands in the list with service, number and time.
#[tokio::test]
async fn an_accepted_call_stands_in_the_list_of_work() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    let Page { work, offers } = view(&house, "anna").await;
    assert!(offers.is_empty());
    assert_eq!(work[0]["interaction"], call.to_string());
    assert_eq!(work[0]["service"]["name"], "Help");
    assert_eq!(work[0]["caller"], "+4930123456");
    assert_eq!(work[0]["answered_at"], house.desk.now().millis());
    assert_eq!(work[0]["recording"], true);
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "busy");
}

/// VOICE-07, ERR-04: a refused call goes back to its place, the refuser is Not ready and reads why.
#[tokio::test]
async fn a_refused_call_goes_to_the_next_agent_and_the_refuser_rests() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let _ben = house.page("ben").await;
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    assert_eq!(agent, anna(), "she knows more German");
    page.does(Command::Decline { offer: token }).await.unwrap();
    house
        .order(|o| (*o == CallOrder::StopRinging { interaction: call, token, agent: anna() }).then_some(()))
        .await;
    page.banner("declined_offer").await;
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["state"]["reason"]["kind"], "declined");
    assert_eq!(house.rung(call).await.0, ben());
}

/// VOICE-09, ERR-03: an offer nobody answers ends at its deadline, goes to another agent, and its agent is Not ready.
#[tokio::test]
async fn an_unanswered_offer_goes_on_after_its_countdown() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let _ben = house.page("ben").await;
    let call = house.customer_calls("100").await;
    let (_, stale) = house.rung(call).await;
    house.pass(Duration::from_millis(19_999)).await;
    assert!(house.orders_so_far().is_empty(), "the countdown is not over");
    house.pass(Duration::from_millis(1)).await;
    assert_eq!(house.rung(call).await.0, ben());
    page.event("offer_ended", |e| e["why"] == "no_answer").await;
    page.banner("missed_offer").await;
    // A click that comes too late changes nothing.
    assert_eq!(page.does(Command::Accept { offer: stale }).await, Err(Refusal::OfferGone));
}

/// VOICE-10: refused and unanswered offers are counted for each agent, for today and in the figures.
#[tokio::test]
async fn refused_and_missed_offers_are_counted_for_the_agent() {
    let mut setup = Setup::default();
    setup.queue.refusal_cooldown = Duration::ZERO;
    setup.rules.not_ready_on_refusal = false;
    let mut house = House::open_with(setup).await;
    let page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    let (_, token) = house.rung(call).await;
    page.does(Command::Decline { offer: token }).await.unwrap();
    house.rung(call).await;
    house.pass(Duration::from_secs(20)).await;
    let view = &house.desk.agents().await.unwrap()[0];
    assert_eq!((view.declined_today, view.missed_today), (1, 1));
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(text.contains(r#"patchbay_offers_total{result="declined"} 1"#), "{text}");
    assert!(text.contains(r#"patchbay_offers_total{result="no_answer"} 1"#), "{text}");
    house.pass(Duration::from_secs(24 * 3_600)).await;
    let view = &house.desk.agents().await.unwrap()[0];
    assert_eq!((view.declined_today, view.missed_today), (0, 0), "another day");
}

/// VOICE-15: nobody of the service is signed in: announced, and recorded as "no agent online".
#[tokio::test]
async fn a_call_while_nobody_is_signed_in_is_recorded_as_no_agent_online() {
    let mut house = House::open().await;
    let _cleo_cannot_help = house.page("cleo").await;
    let call = house.customer_calls("100").await;
    let order = house.next_of(call).await;
    let sound = Sound::NobodyAvailable;
    assert_eq!(order, CallOrder::Play { interaction: call, sound, then_hang_up: true });
    house.call_ends(call, EndedBy::System).await;
    assert_eq!(all_records(&house).await[0].status, Some("no_agent_online"));
}

/// VOICE-15: a caller who leaves while an agent's phone rings is abandoned in ringing, against that agent.
#[tokio::test]
async fn a_caller_who_leaves_while_it_rings_counts_against_that_agent() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    house.rung(call).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.event("offer_ended", |e| e["why"] == "caller_left").await;
    page.state("ready").await;
    let record = &all_records(&house).await[0];
    assert_eq!((record.status, record.agent), (Some("abandoned_ringing"), Some(anna())));
    assert_eq!(record.ended_by, Some(EndedBy::Customer));
}

/// REC-06: what callers meet at a closed service, in a full queue, and behind an unknown number, and its record.
#[tokio::test]
async fn callers_who_cannot_be_served_hear_why_and_leave_a_record() {
    let mut closed = House::open_with(Setup { open: false, ..Setup::default() }).await;
    let call = closed.customer_calls("100").await;
    let announced = CallOrder::Play { interaction: call, sound: Sound::Closed, then_hang_up: true };
    assert_eq!(closed.next_of(call).await, announced);
    closed.call_ends(call, EndedBy::Customer).await;
    assert_eq!(all_records(&closed).await[0].status, Some("closed"));

    let mut setup = Setup { open: false, ..Setup::default() };
    setup.queue.when_closed = Treatment::Reject;
    let mut rejecting = House::open_with(setup).await;
    let call = rejecting.customer_calls("100").await;
    let rejected = CallOrder::Reject { interaction: call, why: Rejection::Declined };
    assert_eq!(rejecting.next_of(call).await, rejected);
    assert_eq!(all_records(&rejecting).await[0].status, Some("closed"));

    let mut setup = Setup::default();
    setup.queue.waiting_max = 1;
    let mut full = House::open_with(setup).await;
    let page = full.page("anna").await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    full.customer_calls("100").await;
    let second = full.customer_calls("100").await;
    let busy = CallOrder::Play { interaction: second, sound: Sound::AllBusy, then_hang_up: true };
    assert_eq!(full.next_of(second).await, busy);
    full.call_ends(second, EndedBy::System).await;
    let records = all_records(&full).await;
    let record = records.iter().find(|r| r.interaction == second).unwrap();
    assert_eq!(record.status, Some("queue_full"));

    let unknown = full.customer_calls("999").await;
    let rejected = CallOrder::Reject { interaction: unknown, why: Rejection::UnknownNumber };
    assert_eq!(full.next_of(unknown).await, rejected);
    let records = all_records(&full).await;
    let record = records.iter().find(|r| r.interaction == unknown).unwrap();
    assert_eq!((record.status, record.service), (Some("unknown_number"), None));
}

#[tokio::test]
async fn a_caller_who_waits_too_long_is_told_so_and_the_record_ends_once() {
    let mut setup = Setup::default();
    setup.queue.wait_time_max = Some(Duration::from_secs(60));
    let mut house = House::open_with(setup).await;
    let page = house.page("anna").await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let call = house.customer_calls("100").await;
    house.next_of(call).await;
    house.pass(Duration::from_secs(60)).await;
    let busy = CallOrder::Play { interaction: call, sound: Sound::AllBusy, then_hang_up: true };
    assert_eq!(house.next_of(call).await, busy);
    house.call_ends(call, EndedBy::System).await;
    let ends = |e: &&Event| matches!(e, Event::Ended { .. });
    assert_eq!(house.journal().await.iter().filter(ends).count(), 1);
    assert_eq!(all_records(&house).await[0].status, Some("queue_full"));
}

#[tokio::test]
async fn a_sip_phone_is_accepted_by_picking_it_up_and_refused_by_its_reject_key() {
    let mut house = House::open_with(Setup { phone: PhoneKind::Sip, ..Setup::default() }).await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    let (agent, token) = house.rung(call).await;
    let clicked = page.does(Command::Accept { offer: token }).await;
    assert!(matches!(clicked, Err(Refusal::NotNow { .. })), "the phone is on the desk: {clicked:?}");
    house.fact(CallFact::AgentAnswered { interaction: call, token, agent }).await;
    let joined =
        house.order(|o| matches!(o, CallOrder::Connect { agent: a, .. } if *a == agent).then_some(()));
    joined.await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let next = house.customer_calls("100").await;
    let (agent, token) = house.rung(next).await;
    house.fact(CallFact::AgentRefused { interaction: next, token, agent }).await;
    page.event("offer_ended", |e| e["why"] == "declined").await;
}

/// An acceptance and the end of the call cross: the call is over, whoever was first.
#[tokio::test]
async fn a_caller_who_leaves_at_the_moment_of_acceptance_is_not_lost() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.customer_calls("100").await;
    let (_, token) = house.rung(call).await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let record = &all_records(&house).await[0];
    assert_eq!((record.status, record.agent, record.answered_at), (Some("abandoned"), Some(anna()), None));
    assert!(house.desk.calls().await.unwrap().is_empty());
}

#[tokio::test]
async fn hold_mute_digits_and_quality_are_seen_on_the_page() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    page.does(Command::Hold { interaction: call }).await.unwrap();
    house.order(|o| (*o == CallOrder::Hold { interaction: call, agent: anna() }).then_some(())).await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: true }).await;
    page.event("work", |e| e["work"]["phase"] == "held").await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: false }).await;
    page.event("work", |e| e["work"]["phase"] == "talking").await;
    page.does(Command::Mute { interaction: call }).await.unwrap();
    house
        .order(|o| (*o == CallOrder::Mute { interaction: call, agent: anna(), muted: true }).then_some(()))
        .await;
    house.fact(CallFact::MuteChanged { interaction: call, agent: anna(), muted: true }).await;
    page.event("work", |e| e["work"]["muted"] == true).await;
    page.does(Command::Digits { interaction: call, digits: "12#".into() }).await.unwrap();
    house.order(|o| matches!(o, CallOrder::SendDigits { digits, .. } if digits == "12#").then_some(())).await;
    let wrong = page.does(Command::Digits { interaction: call, digits: "call me".into() }).await;
    assert!(matches!(wrong, Err(Refusal::Invalid { .. })));
    house.fact(CallFact::DigitReceived { interaction: call, digit: '5' }).await;
    page.event("work", |e| e["work"]["digits"] == "5").await;
    // ERR-19 comes and clears by itself.
    house.fact(CallFact::QualityChanged { interaction: call, party: Party::Customer, poor: true }).await;
    page.banner("poor_quality").await;
    house.fact(CallFact::QualityChanged { interaction: call, party: Party::Customer, poor: false }).await;
    page.banner("quality_recovered").await;
    house.call_ends(call, EndedBy::Customer).await;
    assert_eq!(all_records(&house).await[0].holds, 1);
}

/// RECO-04: while nothing comes from a party that is recorded, the agent and whoever answers for recordings read it, it stands in
/// the journal, the figures and the record; and that it is over, too.
#[tokio::test]
async fn an_empty_channel_of_a_recording_is_told_shown_and_counted() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let mut supervisor = house.page("adam").await;
    let call = house.talking(&mut page).await;
    let recording = all_records(&house).await[0].recording.unwrap();
    let silent = |party, silent| CallFact::RecordingSilent { interaction: call, recording, party, silent };
    let figures =
        |house: &House| prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    house.fact(silent(Party::Customer, true)).await;
    page.banner("recording_silent").await;
    let notice = supervisor.banner("recording_silent_of").await;
    assert_eq!((&notice["params"]["name"], &notice["params"]["half"]), (&"ANNA".into(), &"customer".into()));
    let text = figures(&house);
    assert!(text.contains(r#"patchbay_recording_channels_silent{party="customer"} 1"#), "{text}");
    assert!(all_records(&house).await[0].recording_gaps[0].to.is_none());
    house.pass(Duration::from_secs(3)).await;
    house.fact(silent(Party::Customer, false)).await;
    page.banner("recording_heard").await;
    supervisor.banner("recording_heard_of").await;
    house.fact(silent(Party::Agent { agent: anna() }, true)).await;
    page.banner("recording_without_you").await;
    house.call_ends(call, EndedBy::Customer).await;
    let gaps = all_records(&house).await[0].recording_gaps.clone();
    let told: Vec<_> = gaps.iter().map(|gap| (gap.party, gap.to.map(|to| to - gap.from))).collect();
    assert_eq!(told, [("customer", Some(3_000)), ("agent", Some(0))]);
    let text = figures(&house);
    for line in [
        r#"patchbay_recording_silences_total{party="customer"} 1"#,
        r#"patchbay_recording_silences_total{party="agent"} 1"#,
        r#"patchbay_recording_channels_silent{party="customer"} 0"#,
        r#"patchbay_recording_channels_silent{party="agent"} 0"#,
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

/// RECO-04: the agent pauses the recording while card data is read out; who paused is known, and a forgotten pause is over
/// after the time the service sets, with a warning.
#[tokio::test]
async fn a_pause_is_the_agents_and_does_not_last_for_ever() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let ben_page = house.page("ben").await;
    let call = house.talking(&mut page).await;
    let recording = all_records(&house).await[0].recording.unwrap();
    let ordered = |by, paused| CallOrder::PauseRecording { interaction: call, by, paused };
    assert!(ben_page.does(Command::PauseRecording { interaction: call }).await.is_err());
    page.does(Command::PauseRecording { interaction: call }).await.unwrap();
    house.order(|o| (*o == ordered(Some(anna()), true)).then_some(())).await;
    let said = |by, paused| CallFact::RecordingPaused { interaction: call, recording, by, paused };
    assert!(view(&house, "anna").await.work[0]["recording_pause"].is_null(), "not before it is so");
    house.fact(said(Some(anna()), true)).await;
    let event = page.event("work", |e| !e["work"]["recording_pause"].is_null()).await;
    let began = event["work"]["recording_pause"]["since"].as_u64().unwrap();
    assert_eq!(event["work"]["recording_pause"]["until"], began + 300_000);
    page.does(Command::ResumeRecording { interaction: call }).await.unwrap();
    house.order(|o| (*o == ordered(Some(anna()), false)).then_some(())).await;
    house.fact(said(Some(anna()), false)).await;
    page.event("work", |e| e["work"]["recording_pause"].is_null()).await;

    // The second one is forgotten.
    page.does(Command::PauseRecording { interaction: call }).await.unwrap();
    house.order(|o| (*o == ordered(Some(anna()), true)).then_some(())).await;
    house.fact(said(Some(anna()), true)).await;
    page.event("work", |e| !e["work"]["recording_pause"].is_null()).await;
    house.pass(Duration::from_secs(301)).await;
    house.order(|o| (*o == ordered(None, false)).then_some(())).await;
    house.fact(said(None, false)).await;
    page.banner("recording_pause_over").await;
    // The plane could not: the agent must not take the card.
    page.does(Command::PauseRecording { interaction: call }).await.unwrap();
    house.order(|o| (*o == ordered(Some(anna()), true)).then_some(())).await;
    let (by, why) = (Some(anna()), "the recorder has stopped".to_owned());
    house.fact(CallFact::PauseFailed { interaction: call, by, paused: true, why }).await;
    page.banner("recording_pause_failed").await;
    house.call_ends(call, EndedBy::Customer).await;

    let record = all_records(&house).await.remove(0);
    let told: Vec<_> = record.recording_pauses.iter().map(|p| (p.by, p.to.is_some(), p.by_limit)).collect();
    assert_eq!(told, [(Some(anna()), true, false), (Some(anna()), true, true)]);
    let paused = |e: &&Event| matches!(e, Event::RecordingPaused { by, .. } if *by == anna());
    assert_eq!(house.journal().await.iter().filter(paused).count(), 2);
}

#[tokio::test]
async fn nobody_touches_a_colleagues_call_or_offer() {
    let mut house = House::open().await;
    let mut anna_page = house.page("anna").await;
    let ben_page = house.page("ben").await;
    let call = house.talking(&mut anna_page).await;
    for command in [
        Command::HangUp { interaction: call },
        Command::Hold { interaction: call },
        Command::Complete { interaction: call },
        Command::Code { interaction: call, disposition: None, comment: Some("mine".into()) },
        Command::ContinueWrapUp { interaction: call },
    ] {
        assert_eq!(ben_page.does(command).await, Err(Refusal::missing("call")));
    }
    let second = house.customer_calls("100").await;
    let (agent, token) = house.rung(second).await;
    assert_eq!(agent, ben());
    assert_eq!(anna_page.does(Command::Accept { offer: token }).await, Err(Refusal::OfferGone));
    let made_up = OfferToken::from_number(77);
    assert_eq!(ben_page.does(Command::Accept { offer: made_up }).await, Err(Refusal::OfferGone));
}

/// The journal tells the whole story of a call, in order, each fact once.
#[tokio::test]
async fn the_journal_has_the_story_of_a_call() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let story: Vec<String> = house
        .journal()
        .await
        .iter()
        .filter(|event| event.interaction() == Some(call))
        .map(|event| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    let told = "arrived queued offered accepted recording_started bridged ended wrap_up_started completed";
    assert_eq!(story.join(" "), told);
    let first = house.journal().await.into_iter().find_map(|event| match event {
        Event::Arrived { interaction, service, .. } => Some((interaction, service)),
        _ => None,
    });
    assert_eq!(first, Some((call, Some(help()))));
    assert_eq!(house.desk.tenant(), tenant());
}

/// Nothing is promised that is not written down: when an agent is rung, or joined with the caller, the journal has it.
#[tokio::test]
async fn the_journal_is_written_before_anything_is_done() {
    let mut house = House::open().await;
    let page = house.page("anna").await;
    for _ in 0..5 {
        let call = house.customer_calls("100").await;
        let (_, token) = house.rung(call).await;
        let written = house.desk.journal().read(tenant(), model::journal::Seq(1), 10_000).await.unwrap();
        let offered =
            |e: &model::journal::Entry| matches!(e.event, Event::Offered { token: t, .. } if t == token);
        assert!(written.iter().any(offered), "the phone rings, and the journal does not know");
        page.does(Command::Accept { offer: token }).await.unwrap();
        house.order(|o| matches!(o, CallOrder::Connect { .. }).then_some(())).await;
        let written = house.desk.journal().read(tenant(), model::journal::Seq(1), 10_000).await.unwrap();
        let accepted =
            |e: &model::journal::Entry| matches!(e.event, Event::Accepted { token: t, .. } if t == token);
        assert!(written.iter().any(accepted));
        house.call_ends(call, EndedBy::Customer).await;
        house.eventually(async |house| house.desk.agents().await.unwrap()[0].state.state == "wrap_up").await;
        page.does(Command::Complete { interaction: call }).await.unwrap();
    }
}

/// A drain before a stop: new calls are refused, running ones go on.
#[tokio::test]
async fn while_draining_new_calls_are_refused_and_running_ones_go_on() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.desk.admit(false).await;
    house.settled().await;
    let late = house.customer_calls("100").await;
    let refused = CallOrder::Reject { interaction: late, why: Rejection::Overloaded };
    assert_eq!(house.next_of(late).await, refused);
    assert_eq!(house.desk.call(call).await.unwrap().phase, "talking");
    house.desk.admit(true).await;
    house.settled().await;
    let next = house.customer_calls("100").await;
    let waits = CallOrder::Play { interaction: next, sound: Sound::QueueMusic, then_hang_up: false };
    assert_eq!(house.next_of(next).await, waits);
}

/// The orders of a call, waited for one by one.
trait NextOf {
    async fn next_of(&mut self, call: InteractionId) -> CallOrder;
}
impl NextOf for House {
    async fn next_of(&mut self, call: InteractionId) -> CallOrder {
        self.order(|order| match order {
            CallOrder::Play { interaction, .. } | CallOrder::Reject { interaction, .. }
                if *interaction == call =>
            {
                Some(order.clone())
            }
            _ => None,
        })
        .await
    }
}
