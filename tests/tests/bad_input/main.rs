//! What no honest peer sends: to SIP, to the media ports, to the API and the consoles' sockets, and to the operator's file.
//! Each test ends with a call that works, in the same process.

mod configuration;
mod doors;
mod media;
mod signalling;
mod treatments;

use std::time::Duration;

use scenarios::appliance::{Appliance, House, Options};
use scenarios::http::Http;
use scenarios::place::Place;
use scenarios::sipp::{Caller, Sipp};
use serde_json::Value;

/// The service's number.
pub const NUMBER: &str = "+4930555100";
/// What customers speak.
pub const CUSTOMER_HZ: f64 = 440.0;
/// What Anna speaks.
pub const ANNA_HZ: f64 = 1_000.0;

/// An appliance with a service, Anna, and its administrator.
pub async fn open() -> (Appliance, House, Http) {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    (appliance, house, admin)
}

/// A customer calls and speaks; hangs up after `hold_ms`, or waits for it.
pub fn call(appliance: &Appliance, name: &str, dial: &str, hold_ms: Option<u32>) -> Sipp {
    let caller = Caller { hold_ms, ..Caller::once(dial, appliance.sip, CUSTOMER_HZ) };
    caller.start(appliance.dir.path(), name)
}

/// The customer's side of the call ended as it should.
pub fn ends_well(customer: &mut Sipp) {
    let end = customer.running.wait(Duration::from_secs(90));
    assert!(end.success(), "SIPp: {end}\n{}", customer.errors());
}

/// Whatever was sent: the process is the one that was started, nothing panicked, and a call works.
pub async fn still_well(appliance: &mut Appliance, admin: &Http) {
    let mut anna = Place::take(appliance, "anna", ANNA_HZ).await;
    a_call_works(appliance, &mut anna, admin).await;
    nothing_broke(appliance);
}

/// A whole call of an agent who is there already.
pub async fn a_call_works(appliance: &Appliance, anna: &mut Place, admin: &Http) {
    let mut customer = call(appliance, &format!("last-{}", scenarios::now_ms()), NUMBER, None);
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;
    anna.finish(&interaction).await;
    ends_well(&mut customer);
    record_is(admin, |r| r["interaction"] == interaction, "normal").await;
}

/// The process is the one that was started, and no part of it panicked.
pub fn nothing_broke(appliance: &mut Appliance) {
    assert!(appliance.running.runs(), "the appliance ended:\n{}", appliance.log());
    let log = appliance.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// The record that fits gets this status.
pub async fn record_is(admin: &Http, fits: impl Fn(&Value) -> bool, status: &str) -> Value {
    for _ in 0..300 {
        let record = admin.walk("/records", 100).await.into_iter().find(|r| fits(r));
        if let Some(record) = record.filter(|r| r["status"].is_string()) {
            assert_eq!(record["status"], status, "{record}");
            return record;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no such record with a status: {:?}", admin.walk("/records", 100).await)
}
