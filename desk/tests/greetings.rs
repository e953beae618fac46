//! What people say to callers who are to leave them a message (VM-03, VM-04, VM-16).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use desk::Refusal;
use desk::audit::{Actor, AuditFilter};
use desk::auth::Identity;
use desk::greetings::GreetingView;
use desk::testing::{House, anna, ben};
use model::diversion::MessageBox;
use model::greeting::Greeting;
use model::id::{GreetingId, Id};

async fn adds(house: &House, who: &Identity, name: &str, sound: &[u8]) -> Result<GreetingView, Refusal> {
    let file = [b"RIFF", sound].concat();
    house.desk.add_greeting(who, anna(), (name, file), Actor::default()).await
}

async fn chooses(house: &House, who: &Identity, which: &GreetingView, chosen: bool) -> GreetingView {
    let wanted = (which.name.as_str(), chosen);
    house.desk.change_greeting(who, (anna(), which.id), wanted, Actor::default()).await.unwrap()
}

/// What Anna's callers hear before the tone.
fn heard(house: &House) -> Option<String> {
    house.desk.configuration().message_rules(MessageBox::Own { owner: anna() }).unwrap().greeting
}

/// The greetings that lie ready, with their sounds.
fn ready(house: &House) -> Vec<(String, Vec<u8>)> {
    house.speaking.held.lock().unwrap().clone().into_iter().collect()
}

/// VM-03, VM-04: of three greetings of hers callers hear the one that she chose, by the sound it has now; without one, that of the house.
#[tokio::test]
async fn callers_hear_the_greeting_that_was_chosen() {
    let house = House::open().await;
    let who = house.sign_in("anna").await;
    let usual = adds(&house, &who, " Usual ", b"a").await.unwrap();
    assert_eq!((usual.name.as_str(), usual.chosen, usual.length_ms), ("Usual", false, 1_000));
    let away = adds(&house, &who, "On holiday", b"bb").await.unwrap();
    assert_eq!(heard(&house).as_deref(), Some("extension-greeting"));
    assert_eq!(ready(&house), []);

    chooses(&house, &who, &usual, true).await;
    assert_eq!(heard(&house), Some(Greeting::sound_of(usual.id)));
    chooses(&house, &who, &away, true).await;
    assert_eq!(heard(&house), Some(Greeting::sound_of(away.id)));
    assert_eq!(ready(&house), [(Greeting::sound_of(away.id), b"RIFFbb".to_vec())]);
    let listed: Vec<_> = house.desk.greetings(&who, anna()).unwrap().into_iter().map(|g| g.chosen).collect();
    assert_eq!(listed, [false, true]);

    let which = (anna(), away.id);
    house.pass(std::time::Duration::from_secs(1)).await;
    let again = house.desk.record_greeting_again(&who, which, b"RIFFccc".to_vec(), Actor::default()).await;
    let again = again.unwrap();
    assert_eq!((again.chosen, again.name.as_str(), again.length_ms), (true, "On holiday", 3_000));
    assert_eq!(ready(&house), [(Greeting::sound_of(away.id), b"RIFFccc".to_vec())]);
    assert_eq!(house.desk.greeting_audio(&who, anna(), away.id).await.unwrap(), b"RIFFccc");

    house.desk.delete_greeting(&who, which, Actor::default()).await.unwrap();
    assert_eq!(heard(&house).as_deref(), Some("extension-greeting"));
    assert_eq!(ready(&house), []);
    chooses(&house, &who, &usual, true).await;
    chooses(&house, &who, &usual, false).await;
    assert_eq!(heard(&house).as_deref(), Some("extension-greeting"));
    let gone = house.desk.greeting_audio(&who, anna(), away.id).await;
    assert!(matches!(gone, Err(Refusal::NotFound { .. })), "{gone:?}");
}

/// VM-03: three at most, each with a name of its own and a sound that can be played; what is wrong is said.
#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let house = House::open().await;
    let who = house.sign_in("anna").await;
    let wrong = async |name: &str, sound: &[u8]| match adds(&house, &who, name, sound).await {
        Err(Refusal::Invalid { errors }) => format!("{} {}", errors[0].pointer, errors[0].message),
        other => panic!("{other:?}"),
    };
    let one = adds(&house, &who, "One", b"a").await.unwrap();
    assert_eq!(wrong("One", b"b").await, "/name another greeting has this name");
    assert_eq!(wrong("  ", b"b").await, "/name 1 to 60 characters");
    assert_eq!(wrong(&"x".repeat(61), b"b").await, "/name 1 to 60 characters");
    assert_eq!(wrong("Tw\0", b"b").await, "/name 1 to 60 characters");
    assert_eq!(wrong("Long", &[b'x'; 61]).await, " too long");
    let no_sound = house.desk.add_greeting(&who, anna(), ("Two", b"%PDF".to_vec()), Actor::default()).await;
    assert!(matches!(no_sound, Err(Refusal::Invalid { .. })), "{no_sound:?}");
    adds(&house, &who, "Two", b"b").await.unwrap();
    let three = adds(&house, &who, &"ж".repeat(60), b"c").await.unwrap();
    assert!(matches!(adds(&house, &who, "Four", b"d").await, Err(Refusal::NotNow { .. })));
    let to_one = (anna(), three.id);
    let taken = house.desk.change_greeting(&who, to_one, ("One", true), Actor::default()).await;
    assert!(matches!(taken, Err(Refusal::Invalid { .. })), "{taken:?}");
    assert_eq!(heard(&house).as_deref(), Some("extension-greeting"), "nothing of it is done");
    chooses(&house, &who, &one, true).await;
    let wanted = ("Renamed", true);
    house.desk.change_greeting(&who, (anna(), one.id), wanted, Actor::default()).await.unwrap();
    assert_eq!(heard(&house), Some(Greeting::sound_of(one.id)), "still chosen under another name");
}

/// VM-16: administrators keep and choose greetings for others, which is audited; colleagues do not, and see none.
#[tokio::test]
async fn administrators_keep_greetings_for_others() {
    let house = House::open().await;
    let (adam, colleague, supervisor) =
        (house.sign_in("adam").await, house.sign_in("ben").await, house.sign_in("sue").await);
    let made = adds(&house, &adam, "From the office", b"a").await.unwrap();
    house.pass(std::time::Duration::from_secs(1)).await;
    chooses(&house, &adam, &made, true).await;
    assert_eq!(heard(&house), Some(Greeting::sound_of(made.id)));
    for other in [&colleague, &supervisor] {
        assert!(matches!(adds(&house, other, "Mine", b"a").await, Err(Refusal::Forbidden { .. })));
        assert!(matches!(house.desk.greetings(other, anna()), Err(Refusal::Forbidden { .. })));
        let audio = house.desk.greeting_audio(other, anna(), made.id).await;
        assert!(matches!(audio, Err(Refusal::Forbidden { .. })));
        let deleted = house.desk.delete_greeting(other, (anna(), made.id), Actor::default()).await;
        assert!(matches!(deleted, Err(Refusal::Forbidden { .. })));
    }
    // One of somebody else's is not reached through the own ones.
    let own = house.desk.delete_greeting(&colleague, (ben(), made.id), Actor::default()).await;
    assert!(matches!(own, Err(Refusal::NotFound { .. })), "{own:?}");
    let nobodys = house.desk.greeting_audio(&adam, anna(), GreetingId::from_number(7)).await;
    assert!(matches!(nobodys, Err(Refusal::NotFound { .. })), "{nobodys:?}");
    let filter = AuditFilter { action: Some("user.greeting".into()), ..AuditFilter::default() };
    let audited = house.desk.audit().list(&filter, None, 10).await.unwrap().items;
    let what: Vec<_> = audited.iter().rev().map(|entry| entry.detail["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["added", "changed"]);
    assert!(audited.iter().all(|entry| entry.target == anna().to_string()));
}

/// VM-03: after a restart callers hear the greeting again that was chosen before.
#[tokio::test]
async fn a_chosen_greeting_outlives_a_restart() {
    let house = House::open().await;
    let who = house.sign_in("anna").await;
    let made = adds(&house, &who, "Usual", b"a").await.unwrap();
    chooses(&house, &who, &made, true).await;
    let house = house.crash().await;
    assert_eq!(heard(&house), Some(Greeting::sound_of(made.id)));
    house.eventually(async |house| ready(house).len() == 1).await;
    assert_eq!(ready(&house), [(Greeting::sound_of(made.id), b"RIFFa".to_vec())]);
}
