//! Greetings of people's own, before messages for their extension: kept in the page, heard in a call.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::browser::Browser;
use scenarios::http::Http;
use scenarios::place::Place;
use scenarios::tone;
use serde_json::json;

use super::{NUMBER, call, gone, open};

const ANNA_HZ: f64 = 1_000.0;
const VOICE_HZ: f64 = 440.0;
const OWN_HZ: f64 = 1_700.0;

/// VM-03, VM-16: an administrator brings a greeting for Boris and chooses it; a colleague who calls him hears it before the tone, also after
/// the appliance was started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_hears_the_greeting_that_was_chosen() {
    let mut appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", Some("1001")).await;
    let boris = appliance.hire(&admin, &house, "boris", "browser", Some("1002")).await;
    admin.change(&format!("/users/{boris}"), |user| user["email"] = json!("boris@example.org")).await;
    let messages = json!({ "forwarding": { "on": false, "number": "", "after_s": 20 }, "voicemail": { "on": true, "after_s": 0 } });
    let path = format!("/users/{boris}/diversion");
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(messages), None).await.0, 200);

    let file = appliance.dir.path().join("greeting.wav");
    tone::write_wav(&file, 44_100, &tone::sine(OWN_HZ, 44_100, 2.0));
    let path = format!("/users/{boris}/greetings");
    let octets = std::fs::read(&file).expect("written");
    let brought = admin
        .request(reqwest::Method::POST, &format!("{path}?name=Office"))
        .header("x-csrf", admin.csrf())
        .body(octets);
    let made = brought.send().await.expect("an answer");
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = made.json().await.expect("JSON");
    let chosen = json!({ "name": "Office", "chosen": true });
    let one = format!("{path}/{}", text(&made["id"]));
    assert_eq!(admin.call(reqwest::Method::PUT, &one, Some(chosen), None).await.0, 200);
    hears(&appliance).await;
    appliance.running.signal(libc::SIGKILL);
    appliance.running.wait(Duration::from_secs(30));
    appliance.start_again();
    hears(&appliance).await;
}

/// Anna calls Boris, who is not there.
async fn hears(appliance: &Appliance) {
    let mut anna = Place::take(appliance, "anna", ANNA_HZ).await;
    let interaction = call(&mut anna.agent, "1002").await;
    scenarios::until("Anna hears the greeting, whole", async || {
        (1.8..=2.2).contains(&tone::seconds_with(&anna.phone.heard(), 8_000, OWN_HZ))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let greeting = tone::seconds_with(&anna.phone.heard(), 8_000, OWN_HZ);
    assert!((1.8..=2.2).contains(&greeting), "once: {greeting} s");
    anna.agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    gone(&mut anna.agent, &interaction).await;
    anna.is("ready").await;
    anna.http.call(reqwest::Method::DELETE, "/session", None, None).await;
}

/// Gives the page a file with a sound, or none.
fn bring(page: &mut Browser, name: &str, octets: &[u8]) {
    page.evaluate(&format!(
        "(() => {{
            const chosen = new DataTransfer();
            chosen.items.add(new File([new Uint8Array({})], {}));
            const field = document.querySelector('[data-greetings] input[type=file]');
            field.files = chosen.files;
            field.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()",
        json!(octets),
        json!(name)
    ));
}

/// VM-03, VM-04: in the settings a greeting is recorded after one beep, heard, recorded again and kept; another is brought as a file, renamed by
/// keyboard, chosen and deleted for good; then callers hear that of the house.
#[tokio::test(flavor = "multi_thread")]
async fn greetings_are_kept_in_the_page() {
    let (appliance, _, admin) = open().await;
    let dir = appliance.dir.path();
    let microphone = dir.join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(VOICE_HZ, 48_000, 1.0));
    let file = dir.join("away.wav");
    tone::write_wav(&file, 8_000, &tone::sine(OWN_HZ, 8_000, 0.5));
    let mut page = Browser::start(dir, &microphone);
    page.sign_in(&appliance.base, "boris", PASSWORD);
    page.see("[data-state=ready]");
    page.click("Settings");
    page.see("dialog [data-greetings]");
    for _ in 0..2 {
        page.act("click-css", json!({ "selector": "[data-greetings] button:has-text('Record')" }));
        page.see("[data-greetings] [role=status]:has-text('Speak now')");
        tokio::time::sleep(Duration::from_secs(2)).await;
        page.click("Stop");
        page.see("[data-greetings] [role=status]:has-text('Recorded:')");
    }
    page.click("Keep this greeting");
    page.see("[data-greetings] [role=alert]:has-text('a name first')");
    page.fill("Name of the greeting", "Usual");
    page.press("Enter");
    page.see("[data-greetings] li:has-text('Usual')");
    bring(&mut page, "letter.wav", b"Dear caller,");
    page.see("[data-greetings] [role=alert]:has-text('no sound')");
    bring(&mut page, "away.wav", &std::fs::read(&file).expect("written"));
    page.see("[data-greetings] [role=status]:has-text('Recorded:')");
    page.fill("Name of the greeting", "Away");
    page.click("Keep this greeting");
    page.see("[data-greetings] li:has-text('Away')");
    page.act("click", json!({ "role": "radio", "name": "Away", "exact": false }));
    page.see("[data-greetings] [role=status]:has-text('Callers hear “Away”')");
    page.click("Rename: Away");
    page.act("click-css", json!({ "selector": "[data-greetings] li input[maxlength]" }));
    page.press("Control+a");
    page.press("U");
    page.press("Enter");
    page.see("[data-greetings] button[aria-label='Delete: U']");
    page.gone("[data-greetings] li:has-text('Away')");
    page.evaluate("document.querySelector('[data-greetings]').scrollIntoView()");
    page.shot("greetings");
    page.assert_clean("greetings");

    let own = own_greetings(&admin).await;
    assert_eq!(own.len(), 2);
    assert_eq!((&own[1]["name"], &own[1]["chosen"]), (&json!("U"), &json!(true)), "{own:?}");
    page.act("click-css", json!({ "selector": "[data-greetings] button[aria-label='Delete: U']" }));
    page.see("[data-greetings] [role=alert]:has-text('cannot be undone')");
    page.click("Delete for good");
    page.see("[data-greetings] [role=status]:has-text('Deleted.')");
    page.see("[data-greetings] input[value='']:checked");
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("dark", "ru");
    page.click("Настройки");
    page.see("dialog [data-greetings] li");
    page.evaluate("document.querySelector('[data-greetings]').scrollIntoView()");
    page.shot("greetings-ru");
    page.assert_clean("greetings, Russian, dark");
}

/// What is kept, and that what was spoken is in it.
async fn own_greetings(admin: &Http) -> Vec<serde_json::Value> {
    let users = admin.walk("/users", 50).await;
    let boris = users.iter().find(|user| user["login"] == "boris").expect("hired");
    let path = format!("/users/{}/greetings", text(&boris["id"]));
    let own = admin.get(&path).await["items"].as_array().cloned().expect("a list");
    let (_, spoken) = admin.bytes(&format!("{path}/{}/audio", text(&own[0]["id"]))).await;
    let (rate, channels) = tone::read_wav(&spoken);
    let voice = tone::seconds_with(&channels[0], rate, VOICE_HZ);
    assert!(voice > 1.0, "the voice is in the recording for {voice} s");
    own
}
