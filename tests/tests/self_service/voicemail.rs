//! A customer leaves a message for a service: a real caller speaks it, and it is played back from the file.

use std::time::Duration;

use scenarios::appliance::{Appliance, House, Options, PASSWORD, text};
use scenarios::browser::Browser;
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::pressing::pressing;
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::{Value, json};

use crate::before_agent::prompts;

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const GREETING_HZ: f64 = 1_400.0;
const THANKS_HZ: f64 = 2_000.0;

/// A service that has callers leave a message when nobody is signed in.
async fn furnish(appliance: &Appliance, admin: &Http) -> House {
    let house = appliance.furnish(admin, NUMBER).await;
    let services = admin.get("/services").await;
    let path = format!("/services/{}", text(&services["items"][0]["id"]));
    admin
        .change(&path, |service| {
            service["queue"]["when_unstaffed"] = json!("voicemail");
            service["queue"]["voicemail"]["greeting"] = json!("leave");
        })
        .await;
    house
}

async fn ready(admin: &Http) -> Value {
    scenarios::until("the message can be played", async || {
        admin.get("/voicemails").await["items"][0]["state"] == "ready"
    })
    .await;
    admin.get("/voicemails").await["items"][0].clone()
}

async fn said(admin: &Http, message: &Value) -> (u32, Vec<Vec<i16>>) {
    let path = format!("/voicemails/{}/message.wav", text(&message["id"]));
    tone::read_wav(&scenarios::eventually_ok(async || admin.bytes(&path).await).await)
}

/// ROUTE-07: the greeting of the service and the tone are heard, what the caller says until the key is the message, nothing of ours
/// is in it, and the caller is thanked and let go.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_leaves_a_message() {
    let sounds = prompts(&[("leave", GREETING_HZ), ("voicemail-thanks", THANKS_HZ)]);
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.path().display());
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    let house = furnish(&appliance, &admin).await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let speech = pressing(CUSTOMER_HZ, 40, &[(12_000, '#')]);
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    let mut sipp = caller.start_speaking(appliance.dir.path(), "customer", "127.0.0.1", &speech);
    let _ = sipp.running.wait(Duration::from_secs(60));
    let datagrams = capture.stop();

    let heard: Vec<i16> =
        rtp_payloads(&datagrams, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    let (greeting, thanks) =
        (tone::seconds_with(&heard, 8_000, GREETING_HZ), tone::seconds_with(&heard, 8_000, THANKS_HZ));
    assert!((1.8..=2.1).contains(&greeting), "the greeting, whole: {greeting} s");
    assert!((1.8..=2.1).contains(&thanks), "and the thanks: {thanks} s");

    let message = ready(&admin).await;
    assert_eq!(
        (&message["service_name"], &message["heard_at"]),
        (&json!("Support"), &Value::Null),
        "{message}"
    );
    let (rate, channels) = said(&admin, &message).await;
    let length = channels[0].len() as f64 / f64::from(rate);
    // Two seconds of greeting and less than one of the tone, then to the key at 12 s.
    assert!((7.0..=10.5).contains(&length), "{length} s");
    let voice = tone::seconds_with(&channels[0], rate, CUSTOMER_HZ);
    assert!(voice > length - 1.0, "the caller speaks for {voice} s of {length} s");
    assert!(tone::seconds_with(&channels[0], rate, GREETING_HZ) < 0.1, "the greeting is no part of it");

    let interaction = text(&message["interaction"]);
    let record = admin.get(&format!("/records/{interaction}")).await;
    assert_eq!((&record["status"], &record["ended_by"]), (&json!("voicemail"), &json!("system")), "{record}");
    assert_eq!((&record["messages"][0]["voicemail"], &record["recording"]), (&message["id"], &Value::Null));
    let path = format!("/voicemails/{}", text(&message["id"]));
    assert_eq!(admin.get("/voicemails/count").await["unheard"], 1);
    in_the_page(&appliance, &admin, &house).await;
    assert_eq!(admin.get("/voicemails/count").await["unheard"], 0);
    assert_eq!(admin.call(reqwest::Method::DELETE, &path, None, None).await.0, 204);
    assert_eq!(admin.get("/voicemails").await["items"], json!([]));
}

/// The count of new messages is in sight wherever one is; playing one marks it as heard; both languages.
async fn in_the_page(appliance: &Appliance, admin: &Http, house: &House) {
    let chief = json!({ "login": "chief", "name": "Clara Chief", "email": null, "extension": null, "role": "administrator",
        "group": house.group, "skills": {}, "phone": "none", "disabled": false, "password": PASSWORD });
    admin.post("/users", chief).await;
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(CUSTOMER_HZ, 48_000, 1.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "chief", PASSWORD);
    page.see("nav button:has-text('Service records') .badge:has-text('1')");
    page.click("Service records New messages: 1");
    page.see("td:has-text('Left a message')");
    page.tab("Voicemail New messages: 1");
    page.see("li:has-text('Support'):has-text('New')");
    page.shot("voicemail");
    page.assert_clean("messages");
    page.click("Listen to the message of Mara Lind");
    page.click("Play");
    page.see("li:has-text('Heard by Clara Chief')");
    page.shot("voicemail-heard");
    page.theme_and_language("dark", "ru");
    page.see("li:has-text('Прослушано: Clara Chief')");
    page.shot("voicemail-ru");
    page.assert_clean("messages, Russian, dark");
}

/// ROUTE-07, RECO-03: `kill -9` in the middle of a message; what was said until then can be heard, by whoever could have heard all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_survives_a_kill() {
    let sounds = prompts(&[("leave", GREETING_HZ)]);
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.path().display());
    let mut appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    furnish(&appliance, &admin).await;
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    let sipp = caller.start(appliance.dir.path(), "customer");
    admin.journal(|all| all.iter().any(|entry| entry["event"]["type"] == "message_begun")).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    appliance.running.signal(libc::SIGKILL);
    appliance.running.wait(Duration::from_secs(30));
    drop(sipp);
    appliance.start_again();

    let admin = appliance.admin().await;
    let message = ready(&admin).await;
    let (rate, channels) = said(&admin, &message).await;
    let voice = tone::seconds_with(&channels[0], rate, CUSTOMER_HZ);
    assert!(voice > 4.0, "{voice} s of five");
    let record = admin.get(&format!("/records/{}", text(&message["interaction"]))).await;
    assert_eq!((&record["status"], &record["recording"]), (&json!("interrupted"), &Value::Null), "{record}");
}
