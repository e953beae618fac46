//! Somebody who guesses passwords of phones.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::testing::House;
use model::call::CallFact;
use model::journal::Event;

/// SAFE-02: that somebody guesses is told to supervisors, and written down with the address.
#[tokio::test]
async fn guessing_is_reported() {
    let house = House::open().await;
    let mut sue = house.page("sue").await;
    let (source, account) = ("198.51.100.9".parse().unwrap(), "101".to_owned());
    house.fact(CallFact::PasswordGuessed { source, account, paused: Duration::from_secs(60) }).await;
    let banner = sue.banner("password_guessed").await;
    assert_eq!(
        banner["params"],
        serde_json::json!({ "source": "198.51.100.9", "account": "101", "minutes": 1 })
    );
    let written = house.journal().await;
    let guessed = |event: &&Event| matches!(event, Event::PasswordGuessed { pause_s: 60, .. });
    assert_eq!(written.iter().filter(guessed).count(), 1);
}
