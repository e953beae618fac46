//! Calls to an extension that nobody takes: to a message, and to a number outside.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::browser::Browser;
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::place::Place;
use scenarios::tone;
use serde_json::{Value, json};

use super::{NUMBER, call, gone, phase, record};

const ANNA_HZ: f64 = 1_000.0;
const OUTSIDE_HZ: f64 = 440.0;
const GREETING_HZ: f64 = 1_400.0;

/// An appliance whose greeting of extensions is a tone, with Anna and Boris, who has an email address.
async fn open(sounds: &std::path::Path) -> (Appliance, Http, String) {
    std::fs::create_dir(sounds.join("prompts")).expect("a folder");
    let greeting = sounds.join("prompts/extension-greeting.wav");
    tone::write_wav(&greeting, 16_000, &tone::sine(GREETING_HZ, 16_000, 2.0));
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.display());
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", Some("1001")).await;
    let boris = appliance.hire(&admin, &house, "boris", "browser", Some("1002")).await;
    admin.change(&format!("/users/{boris}"), |user| user["email"] = json!("boris@example.org")).await;
    (appliance, admin, boris)
}

async fn set(http: &Http, path: &str, forwarding: Value, voicemail: Value) -> (u16, Value) {
    let wanted = json!({ "forwarding": forwarding, "voicemail": voicemail });
    let (status, _, answer) = http.call(reqwest::Method::PUT, path, Some(wanted), None).await;
    (status.as_u16(), answer)
}

fn off() -> Value {
    json!({ "on": false, "number": "", "after_s": 20 })
}

/// VM-01, VM-04, VM-05, VM-11: nobody is at the extension: a colleague hears its greeting at once, speaks, and hangs up; the message holds
/// what was said and nothing of ours, its owner alone hears it, calls the colleague back from it and erases it.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_leaves_a_message() {
    let sounds = tempfile::tempdir().expect("a folder");
    let (appliance, admin, boris) = open(sounds.path()).await;
    let path = format!("/users/{boris}/diversion");
    assert_eq!(set(&admin, &path, off(), json!({ "on": true, "after_s": 15 })).await.0, 200);
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let interaction = call(&mut anna.agent, "1002").await;
    admin.journal(|all| all.iter().any(|entry| entry["event"]["type"] == "message_begun")).await;
    let greeting = tone::seconds_with(&anna.phone.heard(), 8_000, GREETING_HZ);
    assert!((1.8..=2.2).contains(&greeting), "the greeting, whole: {greeting} s");
    tokio::time::sleep(Duration::from_secs(4)).await;
    anna.agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    gone(&mut anna.agent, &interaction).await;
    anna.is("ready").await;
    assert_eq!(record(&admin, &interaction).await["status"], "voicemail");

    let own = Http::sign_in(&appliance.base, "boris", PASSWORD).await.expect("signs in");
    scenarios::until("the message can be played", async || {
        own.get("/voicemails?own=true").await["items"][0]["state"] == "ready"
    })
    .await;
    let message = own.get("/voicemails?own=true").await["items"][0].clone();
    assert_eq!((&message["caller"], &message["service"]), (&json!("1001"), &Value::Null), "{message}");
    let address = format!("/voicemails/{}", text(&message["id"]));
    let file = format!("{address}/message.wav");
    let (rate, channels) = tone::read_wav(&scenarios::eventually_ok(async || own.bytes(&file).await).await);
    let length = channels[0].len() as f64 / f64::from(rate);
    let voice = tone::seconds_with(&channels[0], rate, ANNA_HZ);
    assert!(voice > 3.0 && voice > length - 1.0, "Anna speaks for {voice} s of {length} s");
    assert!(tone::seconds_with(&channels[0], rate, GREETING_HZ) < 0.1, "the greeting is no part of it");
    for other in [&admin, &anna.http] {
        assert_eq!(other.get("/voicemails").await["items"], json!([]), "it is Boris's alone");
        assert_eq!(other.call(reqwest::Method::GET, &file, None, None).await.0, 404);
    }
    own.call(reqwest::Method::DELETE, "/session", None, None).await;
    in_the_page(&appliance);
}

/// The owner's page: settings by keyboard, the message, and both languages.
fn in_the_page(appliance: &Appliance) {
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(OUTSIDE_HZ, 48_000, 1.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "boris", PASSWORD);
    page.click("Service records New messages: 1");
    page.tab("Voicemail New messages: 1");
    page.see("li:has-text('Agent anna'):has-text('For me')");
    page.shot("own-voicemail");
    page.assert_clean("own messages");
    page.click("Settings");
    page.see("dialog fieldset:has-text('Calls to the extension')");
    page.shot("diversion");
    page.assert_clean("settings of calls to the extension");
    page.fill("To the number", "letters");
    page.act("check", json!({ "label": "Forward calls" }));
    page.see("text=Messages are off while calls are forwarded.");
    page.click("Set for the extension");
    page.see("[role=alert]:has-text('a number outside')");
    page.fill("To the number", "+49 30 987-6543");
    page.click("Set for the extension");
    page.see("[role=status]:has-text('Saved')");
    page.press("Escape");
    page.theme_and_language("dark", "ru");
    page.click("Настройки");
    page.see("dialog fieldset:has-text('Звонки на внутренний номер')");
    page.shot("diversion-ru");
    page.assert_clean("settings of calls to the extension, Russian, dark");
}

/// VM-13, VM-16: a call to an extension without a phone goes over the trunk to the number that was set, and both hear each other; a
/// number that the rules of dialling do not permit cannot be set.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_forwarded_to_a_number_outside() {
    let sounds = tempfile::tempdir().expect("a folder");
    let (appliance, admin, boris) = open(sounds.path()).await;
    let carrier = Carrier::start(appliance.dir.path(), "carrier", Manner::Answers, OUTSIDE_HZ);
    let trunks = admin.get("/trunks").await;
    let trunk = format!("/trunks/{}", text(&trunks["items"][0]["id"]));
    admin.change(&trunk, |trunk| trunk["target"] = json!(carrier.target())).await;
    let path = format!("/users/{boris}/diversion");
    let to = |number: &str| json!({ "on": true, "number": number, "after_s": 0 });
    let rest = json!({ "on": true, "after_s": 20 });
    let (status, refused) = set(&admin, &path, to("+88212345678"), rest.clone()).await;
    assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!("/forwarding/number")), "{refused}");
    let (status, kept) = set(&admin, &path, to("+49 30 987-6543"), rest).await;
    assert_eq!((status, &kept["forwarding"]["number"]), (200, &json!("+49309876543")), "{kept}");

    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let interaction = call(&mut anna.agent, "1002").await;
    phase(&mut anna.agent, "talking").await;
    // What was heard before the answer does not count.
    let before = anna.phone.heard().len();
    scenarios::until("Anna hears the number outside", async || {
        tone::seconds_with(&anna.phone.heard().split_off(before), 8_000, OUTSIDE_HZ) > 3.0
    })
    .await;
    anna.agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    gone(&mut anna.agent, &interaction).await;
    anna.is("ready").await;
    let datagrams = capture.stop();
    let heard: Vec<i16> =
        rtp_payloads(&datagrams, carrier.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    let seconds = tone::seconds_with(&heard, 8_000, ANNA_HZ);
    assert!(seconds > 1.5, "the number outside heard Anna {seconds} s");
    let taken = carrier.messages();
    assert!(taken.contains("INVITE sip:+49309876543@127.0.0.1"), "{taken}");
    assert!(taken.contains(&format!("P-Asserted-Identity: <sip:{NUMBER}@127.0.0.1")), "{taken}");
    let record = record(&admin, &interaction).await;
    assert_eq!((&record["status"], &record["recording"]), (&json!("passed_on"), &Value::Null), "{record}");
}
