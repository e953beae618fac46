//! Calls to an extension that its owner does not take (VM-01 to VM-05, VM-13 to VM-16).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::records::RecordFilter;
use desk::testing::{House, Page, Setup, anna, ben, cleo, help, sue, trunk_out};
use desk::voicemails::Boxes;
use model::call::{CallFact, CallOrder, DialFailure, Rejection};
use model::diversion::{Diversion, Forwarding, MessageBox, OwnVoicemail};
use model::id::{InteractionId, RecordingId, UserId};
use model::interaction::EndedBy;
use model::journal::{Event, OfferEnd};
use model::people::{PhoneKind, Tenant, User};
use model::service::VoicemailRules;
use store::recordings::RecordingState;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn messages_after(after_s: u32) -> Diversion {
    Diversion { voicemail: OwnVoicemail { on: true, after_s }, ..Diversion::default() }
}

fn forwards_after(after_s: u32) -> Diversion {
    let forwarding = Forwarding { on: true, number: "+49 30 99".into(), after_s };
    Diversion { forwarding, ..messages_after(5) }
}

/// A house with a trunk, softphones that can be reached, and an email address of Anna's.
async fn open() -> House {
    let house = House::open().await;
    house.opens_a_trunk().await;
    let row = house.desk.get::<User>(anna()).await.unwrap();
    let user = User { email: Some("anna@example.org".into()), ..row.item };
    house.desk.update_user(user, row.version, Actor::default()).await.unwrap();
    house
}

async fn phones_up(house: &House) {
    for agent in [anna(), ben(), cleo(), sue()] {
        house.fact(CallFact::PhoneUp { agent, phone: PhoneKind::Browser }).await;
    }
    house.settled().await;
}

async fn set_for_anna(house: &House, diversion: Diversion) {
    let adam = house.sign_in("adam").await;
    house.desk.set_diversion(&adam, anna(), diversion, Actor::default()).await.unwrap();
}

async fn calls_anna(house: &mut House, page: &Page, who: UserId) -> InteractionId {
    page.does(Command::Call { user: Some(anna()), extension: None }).await.unwrap();
    house
        .order(|order| match order {
            CallOrder::CallColleague { interaction, agent, .. } if *agent == who => Some(*interaction),
            _ => None,
        })
        .await
}

async fn hears(house: &mut House, call: InteractionId, sound: &str) {
    let (number, sounds) = house
        .order(|order| match order {
            CallOrder::PlaySounds { interaction, number, sounds } if *interaction == call => {
                Some((*number, sounds.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!(sounds, [sound]);
    house.fact(CallFact::Played { interaction: call, number }).await;
}

async fn speaks(house: &mut House, call: InteractionId) -> RecordingId {
    hears(house, call, "extension-greeting").await;
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

async fn is_dialled(house: &mut House, call: InteractionId) -> String {
    house
        .order(|order| match order {
            CallOrder::Dial { interaction, number, caller_id, trunks, .. } if *interaction == call => {
                assert_eq!((caller_id.as_deref(), trunks.as_slice()), (Some("100"), &[trunk_out()][..]));
                Some(number.clone())
            }
            _ => None,
        })
        .await
}

async fn is_rejected(house: &mut House, call: InteractionId) -> Rejection {
    house
        .order(|order| match order {
            CallOrder::Reject { interaction, why } if *interaction == call => Some(*why),
            _ => None,
        })
        .await
}

async fn last_status(house: &House, page: &Page) -> &'static str {
    house.settled().await;
    let records = house.desk.records(&page.who, RecordFilter::default(), None, 50).await.unwrap().items;
    records[0].status.unwrap()
}

async fn own_messages(house: &House, page: &Page) -> Vec<RecordingId> {
    let found = house.desk.voicemails(&page.who, (Boxes::All, false), None, 50).await.unwrap();
    found.items.into_iter().map(|message| message.id).collect()
}

/// VM-01, VM-04, VM-11: an extension that nobody takes rings for as long as its owner set; then the caller leaves a message, which the
/// owner hears and nobody else, supervisors and administrators neither.
#[tokio::test]
async fn who_does_not_take_a_call_gets_a_message() {
    let mut house = open().await;
    let (mut anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    set_for_anna(&house, messages_after(25)).await;
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    house.rung(call).await;
    house.pass(seconds(24)).await;
    anna_page.state("ringing").await;
    house.pass(seconds(1)).await;
    anna_page.event("offer_ended", |_| true).await;
    anna_page.state("ready").await;
    let recording = speaks(&mut house, call).await;
    house.pass(seconds(10)).await;
    ben_page.does(Command::HangUp { interaction: call }).await.unwrap();
    house.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
    house.call_ends(call, EndedBy::Customer).await;
    ben_page.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    ben_page.state("ready").await;
    house
        .eventually(async |house| {
            let row = house.store.recordings().recording(desk::testing::tenant(), recording).await.unwrap();
            row.is_some_and(|row| row.state == RecordingState::Ready)
        })
        .await;
    assert_eq!(last_status(&house, &ben_page).await, "voicemail");
    let to = MessageBox::Own { owner: anna() };
    let over = Event::MessageOver { interaction: call, to, recording, spoken: seconds(10), kept: true };
    assert!(house.journal().await.contains(&over));
    assert_eq!(own_messages(&house, &anna_page).await, [recording]);
    assert_eq!(house.desk.unheard_voicemails(&anna_page.who).await.unwrap(), 1);
    for other in ["ben", "sue", "adam"] {
        let who = house.page(other).await;
        assert_eq!(own_messages(&house, &who).await, [], "{other}");
        let refused = house.desk.voicemail_peaks(&who.who, recording).await.map(drop);
        assert_eq!(refused, Err(Refusal::missing("message")), "{other}");
        let refused = house.desk.erase_voicemail(&who.who, recording, Actor::default()).await;
        assert_eq!(refused, Err(Refusal::missing("message")), "{other}");
    }
    house.desk.voicemail_peaks(&anna_page.who, recording).await.unwrap();
    house.desk.erase_voicemail(&anna_page.who, recording, Actor::default()).await.unwrap();
    assert_eq!(own_messages(&house, &anna_page).await, []);
}

/// VM-05: nobody is signed in, or the phone is not there: the caller does not wait.
#[tokio::test]
async fn without_a_phone_a_message_is_taken_at_once() {
    let mut house = open().await;
    let ben_page = house.page("ben").await;
    set_for_anna(&house, messages_after(25)).await;
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    hears(&mut house, call, "extension-greeting").await;
    house.call_ends(call, EndedBy::Customer).await;
    assert_eq!(last_status(&house, &ben_page).await, "abandoned");

    // Signed in, but the softphone is gone.
    let anna_page = house.page("anna").await;
    house.fact(CallFact::PhoneDown { agent: anna(), phone: PhoneKind::Browser }).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    hears(&mut house, call, "extension-greeting").await;
    house.call_ends(call, EndedBy::Customer).await;

    // It goes while it rings.
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    let (agent, token) = house.rung(call).await;
    let why = "the softphone is not connected".to_owned();
    house.fact(CallFact::AgentUnreachable { interaction: call, token, agent, why }).await;
    hears(&mut house, call, "extension-greeting").await;
    house.call_ends(call, EndedBy::Customer).await;

    // She signs out while it rings.
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    house.rung(call).await;
    house.desk.sign_out(&anna_page.who, true, Actor::default()).await.unwrap();
    hears(&mut house, call, "extension-greeting").await;
    house.decided_again().await;
}

/// VM-12: how long messages for extensions may be and are kept is set for all of them; what is out of bounds is refused.
#[tokio::test]
async fn administrators_set_how_messages_are_kept() {
    let mut house = open().await;
    let change = async |house: &House, rules: VoicemailRules| {
        let row = house.desk.tenant_settings().await.unwrap();
        let tenant = Tenant { own_voicemail: rules, ..row.item };
        house.desk.update_tenant(tenant, row.version, Actor::default()).await.map(drop)
    };
    let usual = VoicemailRules::default();
    assert_eq!(usual.keep_days, 90);
    for (wrong, field) in [
        (VoicemailRules { keep_days: 0, ..usual.clone() }, "keep_days"),
        (VoicemailRules { length_max_s: 601, ..usual.clone() }, "length_max_s"),
        (VoicemailRules { messages_max: 0, ..usual.clone() }, "messages_max"),
        (VoicemailRules { greeting: Some("nowhere".into()), ..usual.clone() }, "greeting"),
    ] {
        match change(&house, wrong).await {
            Err(Refusal::Invalid { errors }) => {
                assert_eq!(errors[0].pointer, format!("/own_voicemail/{field}"))
            }
            other => panic!("{other:?}"),
        }
    }
    let rules =
        VoicemailRules { greeting: Some("welcome".into()), length_max_s: 10, messages_max: 1, keep_days: 2 };
    change(&house, rules).await.unwrap();
    let ben_page = house.page("ben").await;
    set_for_anna(&house, messages_after(0)).await;
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    hears(&mut house, call, "welcome").await;
    hears(&mut house, call, "voicemail-tone").await;
    let recording = house
        .order(|order| match order {
            CallOrder::RecordMessage { interaction, recording } if *interaction == call => Some(*recording),
            _ => None,
        })
        .await;
    house.fact(CallFact::RecordingStarted { interaction: call, recording }).await;
    house.settled().await;
    house.pass(seconds(10)).await;
    house.order(|order| matches!(order, CallOrder::EndMessage { .. }).then_some(())).await;
    house.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
    hears(&mut house, call, "voicemail-thanks").await;
    house.call_ends(call, EndedBy::System).await;
    let anna_page = house.page("anna").await;
    house.eventually(async |house| own_messages(house, &anna_page).await == [recording]).await;
    let ready = async |house: &House| {
        let row = house.store.recordings().recording(desk::testing::tenant(), recording).await.unwrap();
        row.is_some_and(|row| row.state == RecordingState::Ready)
    };
    house.eventually(ready).await;
    // One is kept at once.
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    hears(&mut house, call, "voicemail-refused").await;
    house.call_ends(call, EndedBy::System).await;
    house.pass(seconds(2 * 86_400 + 7_200)).await;
    house.eventually(async |house| own_messages(house, &anna_page).await.is_empty()).await;
}

/// VM-13: forwarded over the trunks to the number, at once without a phone; who called talks to whoever answers there.
#[tokio::test]
async fn calls_are_forwarded_to_a_number_outside() {
    let mut house = open().await;
    let mut ben_page = house.page("ben").await;
    set_for_anna(&house, forwards_after(10)).await;
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    assert_eq!(is_dialled(&mut house, call).await, "+493099");
    ben_page.state("busy").await;
    ben_page.event("work", |e| e["work"]["phase"] == "dialling").await;
    house.fact(CallFact::FarEndAnswered { interaction: call, trunk: trunk_out() }).await;
    let record = house
        .order(|order| match order {
            CallOrder::JoinFarEnd { interaction, record } if *interaction == call => Some(*record),
            _ => None,
        })
        .await;
    assert_eq!(record, None, "what colleagues say is not recorded, wherever they are");
    house.fact(CallFact::FarEndBridged { interaction: call }).await;
    ben_page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.fact(CallFact::HoldChanged { interaction: call, agent: ben(), held: true }).await;
    ben_page.event("work", |e| e["work"]["phase"] == "held").await;
    house.call_ends(call, EndedBy::Agent).await;
    ben_page.event("work_ended", |_| true).await;
    ben_page.state("ready").await;
    assert_eq!(last_status(&house, &ben_page).await, "passed_on");
}

/// VM-13: it rings for as long as was set, and not at all while a call is up or rings (C20).
#[tokio::test]
async fn who_is_busy_is_forwarded_at_once() {
    let mut house = open().await;
    let (mut anna_page, ben_page, cleo_page) =
        (house.page("anna").await, house.page("ben").await, house.page("cleo").await);
    set_for_anna(&house, forwards_after(10)).await;
    phones_up(&house).await;
    let first = calls_anna(&mut house, &ben_page, ben()).await;
    let (_, token) = house.rung(first).await;
    let second = calls_anna(&mut house, &cleo_page, cleo()).await;
    assert_eq!(is_dialled(&mut house, second).await, "+493099", "her phone rings already");
    house.call_ends(second, EndedBy::Customer).await;
    anna_page.does(Command::Accept { offer: token }).await.unwrap();
    house.bridged(first, anna()).await;
    anna_page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.pass(seconds(30)).await;
    let third = calls_anna(&mut house, &cleo_page, cleo()).await;
    assert_eq!(is_dialled(&mut house, third).await, "+493099", "she talks");
    house.call_ends(third, EndedBy::Customer).await;
    house.call_ends(first, EndedBy::Agent).await;
    anna_page.state("ready").await;
    let fourth = calls_anna(&mut house, &cleo_page, cleo()).await;
    house.rung(fourth).await;
    house.pass(seconds(10)).await;
    assert_eq!(is_dialled(&mut house, fourth).await, "+493099", "she did not take it");
    let ended = |event: &Event| matches!(event, Event::OfferEnded { interaction, why: OfferEnd::CallerLeft, .. } if *interaction == fourth);
    assert!(house.journal().await.iter().any(ended));
    house.decided_again().await;
}

/// VM-13: a number that is not reached is as a colleague who is not: the caller hears busy. And whoever refuses a call means it.
#[tokio::test]
async fn who_is_not_reached_there_either_is_busy() {
    let mut house = open().await;
    let (anna_page, mut ben_page) = (house.page("anna").await, house.page("ben").await);
    set_for_anna(&house, forwards_after(0)).await;
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    is_dialled(&mut house, call).await;
    let why = DialFailure::NoAnswer;
    house.fact(CallFact::DialFailed { interaction: call, why, status: Some(480) }).await;
    assert_eq!(is_rejected(&mut house, call).await, Rejection::Busy);
    ben_page.event("work", |e| e["work"]["phase"] == "refused").await;
    house.call_ends(call, EndedBy::System).await;
    ben_page.state("ready").await;
    assert_eq!(last_status(&house, &ben_page).await, "refused");

    set_for_anna(&house, messages_after(20)).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    let (_, token) = house.rung(call).await;
    anna_page.does(Command::Decline { offer: token }).await.unwrap();
    assert_eq!(is_rejected(&mut house, call).await, Rejection::Busy);
    house.call_ends(call, EndedBy::System).await;
    house.pass(seconds(30)).await;
    assert_eq!(last_status(&house, &ben_page).await, "refused");
}

/// VM-01: customers of a service are not diverted, whatever the agent set.
#[tokio::test]
async fn calls_of_a_service_are_never_diverted() {
    let mut house = open().await;
    let _anna_page = house.page("anna").await;
    set_for_anna(&house, forwards_after(0)).await;
    phones_up(&house).await;
    let call = house.customer_calls("100").await;
    assert_eq!(house.rung(call).await.0, anna());
    house.pass(seconds(30)).await;
    let dials = |order: &CallOrder| matches!(order, CallOrder::Dial { .. });
    assert!(!house.orders_so_far().iter().any(dials));
    assert!(house.desk.configuration().services.contains_key(&help()));
}

/// VM-02, VM-06, VM-13, VM-16: what cannot be is said field by field; a restricted number is none; of others only administrators set it.
#[tokio::test]
async fn a_diversion_that_cannot_be_is_refused() {
    let house = open().await;
    let (anna_page, ben_page, adam_page) =
        (house.page("anna").await, house.page("ben").await, house.page("adam").await);
    let set = async |page: &Page, user, wanted| {
        house.desk.set_diversion(&page.who, user, wanted, Actor::default()).await
    };
    let fields = |refused: Result<Diversion, Refusal>| match refused {
        Err(Refusal::Invalid { errors }) => errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let to = |number: &str| Diversion {
        forwarding: Forwarding { on: true, number: number.into(), after_s: 10 },
        ..Diversion::default()
    };
    let own = house.desk.configuration().users[&ben()].extension.clone().unwrap();
    for number in ["", "letters", "+88212345678", "+4930,12", own.as_str()] {
        assert_eq!(fields(set(&anna_page, anna(), to(number)).await), ["/forwarding/number"], "{number}");
    }
    assert_eq!(fields(set(&anna_page, anna(), messages_after(121)).await), ["/voicemail/after_s"]);
    assert_eq!(fields(set(&ben_page, ben(), messages_after(5)).await), ["/voicemail/on"], "no email address");
    assert!(matches!(set(&ben_page, anna(), messages_after(5)).await, Err(Refusal::Forbidden { .. })));
    assert_eq!(house.desk.diversion(&anna_page.who, anna()).await.unwrap(), Diversion::default());
    let kept = set(&adam_page, anna(), forwards_after(7)).await.unwrap();
    assert_eq!(kept.forwarding.number, "+493099");
    assert_eq!(house.desk.diversion(&anna_page.who, anna()).await.unwrap(), kept);
    // VM-14: what was set for messages is there when forwarding is off again.
    let off = Diversion { forwarding: Forwarding { on: false, ..kept.forwarding.clone() }, ..kept };
    assert_eq!(set(&anna_page, anna(), off).await.unwrap().voicemail, messages_after(5).voicemail);
    let house = house.crash().await;
    let anna_page = house.page("anna").await;
    let kept = house.desk.diversion(&anna_page.who, anna()).await.unwrap();
    assert_eq!(kept.voicemail, messages_after(5).voicemail);
}

/// VM-15: of somebody with a phone on the desk an administrator sets where calls go; messages are their own matter.
#[tokio::test]
async fn forwarding_of_a_desk_phone_is_the_administrators() {
    let house = House::open_with(Setup { phone: PhoneKind::Sip, ..Setup::default() }).await;
    let (ben_page, adam_page) = (house.page("ben").await, house.page("adam").await);
    let wanted = Diversion { voicemail: OwnVoicemail::default(), ..forwards_after(7) };
    let set = async |page: &Page, wanted: &Diversion| {
        house.desk.set_diversion(&page.who, ben(), wanted.clone(), Actor::default()).await
    };
    assert!(matches!(set(&ben_page, &wanted).await, Err(Refusal::NotNow { .. })));
    let kept = set(&adam_page, &wanted).await.unwrap();
    let longer = Diversion { voicemail: OwnVoicemail { on: false, after_s: 40 }, ..kept };
    assert_eq!(set(&ben_page, &longer).await, Ok(longer));
}

/// A message is there after a kill in the middle of it, for its owner alone, and the call has an end.
#[tokio::test]
async fn a_kill_loses_no_message() {
    let mut house = open().await;
    let ben_page = house.page("ben").await;
    set_for_anna(&house, messages_after(0)).await;
    phones_up(&house).await;
    let call = calls_anna(&mut house, &ben_page, ben()).await;
    let recording = speaks(&mut house, call).await;
    house.pass(seconds(10)).await;
    house
        .eventually(async |house| {
            let left = house.store.voicemails().voicemail(desk::testing::tenant(), recording).await.unwrap();
            let row = house.store.recordings().recording(desk::testing::tenant(), recording).await.unwrap();
            left.is_none() && row.is_some()
        })
        .await;
    let house = house.crash().await;
    let anna_page = house.page("anna").await;
    house.eventually(async |house| own_messages(house, &anna_page).await == [recording]).await;
    let ben_page = house.page("ben").await;
    assert_eq!(last_status(&house, &ben_page).await, "interrupted");
    assert_eq!(own_messages(&house, &ben_page).await, []);
    house.decided_again().await;
}
