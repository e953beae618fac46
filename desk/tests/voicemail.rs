//! Callers who leave a message for a service (ROUTE-07, ROUTE-08).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::auth::Identity;
use desk::testing::{House, anna, help, tenant};
use desk::voicemails::{Boxes, VoicemailView};
use model::call::{CallFact, CallOrder};
use model::diversion::MessageBox;
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, RecordingId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::Privilege;
use model::service::{Overflow, QueueRules, Service, Treatment, VoicemailRules};
use store::recordings::RecordingState;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn change(house: &House, how: impl FnOnce(&mut QueueRules)) -> Result<(), Refusal> {
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item;
    how(&mut service.queue);
    house.desk.update(service, row.version, Actor::default()).await.map(drop)
}

/// A house whose callers leave a message when nobody is signed in.
async fn open() -> House {
    let house = House::open().await;
    change(&house, |queue| queue.when_unstaffed = Treatment::Voicemail).await.unwrap();
    house
}

async fn plays(house: &mut House, call: InteractionId) -> (u32, Vec<String>) {
    house
        .order(|order| match order {
            CallOrder::PlaySounds { interaction, number, sounds } if *interaction == call => {
                Some((*number, sounds.clone()))
            }
            _ => None,
        })
        .await
}

async fn hears(house: &mut House, call: InteractionId, sound: &str) {
    let (number, sounds) = plays(house, call).await;
    assert_eq!(sounds, [sound]);
    house.fact(CallFact::Played { interaction: call, number }).await;
}

/// The caller heard greeting and tone, and speaks.
async fn speaks(house: &mut House, call: InteractionId) -> RecordingId {
    hears(house, call, "voicemail-greeting").await;
    hears(house, call, "voicemail-tone").await;
    let recording = house
        .order(|order| match order {
            CallOrder::RecordMessage { interaction, recording } if *interaction == call => Some(*recording),
            _ => None,
        })
        .await;
    house.fact(CallFact::RecordingStarted { interaction: call, recording }).await;
    house.settled().await;
    recording
}

/// The caller hangs up; signalling closes the container first.
async fn hangs_up(house: &House, call: InteractionId, captured: Option<RecordingId>) {
    if let Some(recording) = captured {
        house.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
    }
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
}

async fn listed(house: &House, who: &Identity) -> Vec<VoicemailView> {
    house.desk.voicemails(who, (Boxes::All, false), None, 50).await.unwrap().items
}

/// A caller leaves a message of ten seconds.
async fn leaves(house: &mut House) -> (InteractionId, RecordingId) {
    let call = house.customer_calls("100").await;
    let recording = speaks(house, call).await;
    house.pass(seconds(10)).await;
    hangs_up(house, call, Some(recording)).await;
    house
        .eventually(async |house| {
            let row = house.store.recordings().recording(tenant(), recording).await.unwrap();
            row.is_some_and(|row| row.state == RecordingState::Ready)
        })
        .await;
    (call, recording)
}

/// ROUTE-07: with nobody there the caller is asked for a message instead of an announcement; it ends by the key, is thanked for, and
/// can be heard by whoever may answer the service. The record says so, and has no recording of a conversation.
#[tokio::test]
async fn a_message_is_left_and_heard() {
    let mut house = open().await;
    let call = house.customer_calls("100").await;
    let recording = speaks(&mut house, call).await;
    house.pass(seconds(6)).await;
    house.fact(CallFact::DigitReceived { interaction: call, digit: '#' }).await;
    house
        .order(|order| {
            matches!(order, CallOrder::EndMessage { interaction } if *interaction == call).then_some(())
        })
        .await;
    house.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
    hears(&mut house, call, "voicemail-thanks").await;
    house
        .order(|order| {
            matches!(order, CallOrder::HangUp { interaction, .. } if *interaction == call).then_some(())
        })
        .await;
    house.call_ends(call, EndedBy::System).await;

    let sue = house.sign_in("sue").await;
    house
        .eventually(async |house| listed(house, &sue).await.iter().any(|m| m.state == RecordingState::Ready))
        .await;
    let [message] = &listed(&house, &sue).await[..] else { panic!("one message") };
    assert_eq!((message.id, message.interaction), (recording, call));
    assert_eq!((message.service_name.as_str(), message.caller.as_str()), ("Help", "+4930123456"));
    assert_eq!((message.length_ms, message.heard_at), (7_000, None));
    let journal = house.journal().await;
    let over = Event::MessageOver {
        interaction: call,
        to: MessageBox::Service { service: help() },
        recording,
        spoken: seconds(6),
        kept: true,
    };
    let overflowed = Event::Overflowed {
        interaction: call,
        from: help(),
        why: Overflow::Unstaffed,
        to: Treatment::Voicemail,
    };
    assert!(journal.contains(&over) && journal.contains(&overflowed), "{journal:?}");
    let record = house.desk.record(&sue, call).await.unwrap();
    assert_eq!((record.status, record.recording), (Some("voicemail"), None));
    assert_eq!((record.messages[0].voicemail, record.messages[0].spoken_ms), (Some(recording), Some(6_000)));
    assert!(record.overflows[0].to_voicemail);

    // Anna may answer the service, Cleo may not.
    let (anna_in, cleo) = (house.sign_in("anna").await, house.sign_in("cleo").await);
    assert_eq!(listed(&house, &cleo).await, []);
    let nothing = house.desk.mark_voicemail(&cleo, recording, true).await;
    assert_eq!(nothing.unwrap_err(), Refusal::missing("message"));
    assert_eq!(house.desk.unheard_voicemails(&anna_in).await, Ok(1));
    let marked = house.desk.mark_voicemail(&anna_in, recording, true).await.unwrap();
    assert_eq!((marked.heard_by, marked.heard_by_name.as_deref()), (Some(anna()), Some("ANNA")));
    assert_eq!(house.desk.unheard_voicemails(&sue).await, Ok(0));
    let second = house.desk.mark_voicemail(&sue, recording, true).await.unwrap();
    assert_eq!(second.heard_by, Some(anna()), "who was first stays");
    let anew = house.desk.mark_voicemail(&sue, recording, false).await.unwrap();
    assert_eq!((anew.heard_by, anew.heard_at), (None, None));
}

/// ROUTE-07: who hangs up at the tone, or says nothing, has left no message; what was captured of it goes by itself.
#[tokio::test]
async fn what_is_too_short_is_no_message() {
    let mut house = open().await;
    let call = house.customer_calls("100").await;
    let recording = speaks(&mut house, call).await;
    house.pass(seconds(1)).await;
    hangs_up(&house, call, Some(recording)).await;
    let silent = house.customer_calls("100").await;
    let nothing = speaks(&mut house, silent).await;
    house.fact(CallFact::CallerSilent { interaction: silent, silent: true }).await;
    house.pass(seconds(6)).await;
    house.fact(CallFact::RecordingCaptured { interaction: silent, recording: nothing }).await;
    hears(&mut house, silent, "voicemail-thanks").await;
    house.call_ends(silent, EndedBy::System).await;
    let sue = house.sign_in("sue").await;
    let statuses = async |house: &House| {
        (
            house.desk.record(&sue, call).await.unwrap().status,
            house.desk.record(&sue, silent).await.unwrap().status,
        )
    };
    house.settled().await;
    assert_eq!(statuses(&house).await, (Some("abandoned"), Some("self_served")));
    house
        .eventually(async |house| {
            let both =
                [recording, nothing].map(async |id| house.store.recordings().recording(tenant(), id).await);
            let mut ready = true;
            for row in both {
                ready &= row.await.unwrap().is_some_and(|row| row.state == RecordingState::Ready);
            }
            ready
        })
        .await;
    assert_eq!(listed(&house, &sue).await, []);
    house.pass(seconds(3_601)).await;
    house.eventually(async |house| house.finisher.erased.lock().unwrap().len() == 2).await;
}

/// ROUTE-07: as many messages are kept as the service says; the next caller is told. VM-12: after its days a message is erased, and
/// whoever may can do that before. A service's rule for conversations is none for messages.
#[tokio::test]
async fn messages_are_bounded_and_go() {
    let mut house = open().await;
    change(&house, |queue| queue.voicemail = VoicemailRules { messages_max: 1, ..VoicemailRules::default() })
        .await
        .unwrap();
    let (first, recording) = leaves(&mut house).await;
    let call = house.customer_calls("100").await;
    hears(&mut house, call, "voicemail-refused").await;
    house.call_ends(call, EndedBy::System).await;
    assert!(
        house.journal().await.contains(&Event::MessageRefused {
            interaction: call,
            to: MessageBox::Service { service: help() }
        })
    );

    let (sue, adam) = (house.sign_in("sue").await, house.sign_in("adam").await);
    let refused = house.desk.erase_voicemail(&sue, recording, Actor::default()).await;
    assert_eq!(refused, Err(Refusal::Forbidden { needs: Privilege::EraseRecordings }));
    house.desk.erase_voicemail(&adam, recording, Actor::default()).await.unwrap();
    assert_eq!(listed(&house, &adam).await, []);
    let record = house.desk.record(&adam, first).await.unwrap();
    assert!(record.messages[0].erased_at.is_some() && record.messages[0].voicemail.is_none());
    assert!(record.recording_erased.is_empty(), "no conversation was");

    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item;
    service.recording.keep_days = Some(1);
    house.desk.update(service, row.version, Actor::default()).await.unwrap();
    let (_, old) = leaves(&mut house).await;
    house.pass(seconds(3 * 86_400)).await;
    assert_eq!(listed(&house, &adam).await.len(), 1);
    house.pass(seconds(88 * 86_400)).await;
    // The hour may have come while the one before was still being looked at.
    let gone = async |house: &House| {
        house.pass(seconds(3_601)).await;
        listed(house, &adam).await.is_empty()
    };
    house.eventually(gone).await;
    assert!(house.finisher.erased.lock().unwrap().contains(&(old, None)));
}

/// ROUTE-07, I10: a kill in the middle of a message keeps what was said until then, as a message and as nothing else.
#[tokio::test]
async fn a_message_survives_a_crash() {
    let mut house = open().await;
    let call = house.customer_calls("100").await;
    let recording = speaks(&mut house, call).await;
    house.pass(seconds(20)).await;
    house
        .eventually(async |house| {
            house.store.recordings().recording(tenant(), recording).await.unwrap().is_some()
        })
        .await;
    let house = house.crash().await;
    let sue = house.sign_in("sue").await;
    house
        .eventually(async |house| listed(house, &sue).await.iter().any(|m| m.state == RecordingState::Ready))
        .await;
    let record = house.desk.record(&sue, call).await.unwrap();
    assert_eq!((record.status, record.recording), (Some("interrupted"), None));
    assert_eq!((record.messages[0].voicemail, record.messages[0].spoken_ms), (Some(recording), None));
}

/// ROUTE-07: what cannot be captured is told to the caller.
#[tokio::test]
async fn a_message_that_cannot_be_captured_is_refused() {
    let mut house = open().await;
    let call = house.customer_calls("100").await;
    let recording = speaks(&mut house, call).await;
    house.fact(CallFact::RecordingFailed { interaction: call, recording, why: "disk full".into() }).await;
    hears(&mut house, call, "voicemail-refused").await;
    house.call_ends(call, EndedBy::System).await;
    assert!(
        house.journal().await.contains(&Event::MessageRefused {
            interaction: call,
            to: MessageBox::Service { service: help() }
        })
    );
}

const LEAVE: &str = r#"
name = "Leave"
start = "music"
while_waiting = true

[wait.music]
seconds = 60
choices = { 2 = "leave" }
next = "music"

[voicemail.leave]
"#;

/// ROUTE-07: whoever waits may leave a message instead: they leave the queue for it, and not while a phone rings for them.
#[tokio::test]
async fn whoever_waits_leaves_a_message() {
    let mut house = open().await;
    let (id, name) = (FlowId::from_number(1), "Leave".to_owned());
    let mut flow = Flow { id, tenant: tenant(), name, active: None, versions: vec![] };
    flow.active = Some(flow.save(LEAVE.to_owned()));
    house.desk.create(flow, Actor::default()).await.unwrap();
    change(&house, |queue| {
        queue.when_unstaffed = Treatment::Queue;
        queue.waiting.flow = Some(id);
    })
    .await
    .unwrap();
    let call = house.customer_calls("100").await;
    house.settled().await;
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 1);
    house.fact(CallFact::DigitReceived { interaction: call, digit: '2' }).await;
    let recording = speaks(&mut house, call).await;
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 0);
    house.pass(seconds(5)).await;
    hangs_up(&house, call, Some(recording)).await;
    let sue = house.sign_in("sue").await;
    assert_eq!(house.desk.record(&sue, call).await.unwrap().status, Some("voicemail"));

    let page = house.page("anna").await;
    let rings = house.customer_calls("100").await;
    house.rung(rings).await;
    house.fact(CallFact::DigitReceived { interaction: rings, digit: '2' }).await;
    house.settled().await;
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 1, "the phone rings on");
    drop(page);
}

/// Settings out of bounds are refused with the field, and with what would do.
#[tokio::test]
async fn bounds_are_told() {
    let house = open().await;
    let wrong =
        VoicemailRules { greeting: Some("none".into()), length_max_s: 9, messages_max: 0, keep_days: 0 };
    let Err(Refusal::Invalid { errors }) = change(&house, |queue| queue.voicemail = wrong).await else {
        panic!("taken");
    };
    let fields: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    let names = ["greeting", "length_max_s", "messages_max", "keep_days"];
    assert_eq!(fields, names.map(|name| format!("/queue/voicemail/{name}")));
}
