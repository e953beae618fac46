//! A customer whom a flow asks for marks: a real caller presses them.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::browser::Browser;
use scenarios::pressing::pressing;
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::{Value, json};

use crate::before_agent::prompts;

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;

const FLOW: &str = r##"
name = "Asking"
start = "friendly"

[survey.friendly]
prompt = "friendly"
wait_s = 30
next = "solved"

[survey.solved]
prompt = "solved"
wait_s = 30
next = "bye"

[hangup.bye]
"##;

/// ROUTE-08: a key that is no mark is asked again, the next ones are the answers; record and figures have them, and the page shows
/// them in both languages.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_gives_marks() {
    let sounds = prompts(&[("friendly", 600.0), ("solved", 1_400.0)]);
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.path().display());
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    let flow = admin.post("/flows", json!({ "name": "Asking", "text": FLOW })).await;
    let numbers = admin.get("/numbers").await;
    let path = format!("/numbers/{}", text(&numbers["items"][0]["id"]));
    admin.change(&path, |number| number["flow"] = flow["id"].clone()).await;
    let speech = pressing(CUSTOMER_HZ, 30, &[(3_000, '8'), (5_000, '4'), (8_000, '5')]);
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    let mut sipp = caller.start_speaking(appliance.dir.path(), "customer", "127.0.0.1", &speech);
    let is_rated = |entry: &Value| entry["event"]["type"] == "rated";
    let journal = admin.journal(|all| all.iter().filter(|entry| is_rated(entry)).count() == 2).await;
    let _ = sipp.running.wait(Duration::from_secs(60));
    let rated = journal.iter().find(|entry| is_rated(entry)).expect("an answer");
    let record = admin.get(&format!("/records/{}", text(&rated["event"]["interaction"]))).await;
    let mark = |n: usize| (record["marks"][n]["question"].clone(), record["marks"][n]["given"].clone());
    assert_eq!([mark(0), mark(1)], [(json!("friendly"), json!(4)), (json!("solved"), json!(5))], "{record}");
    let queues = admin.get("/queues").await.to_string();
    assert!(queues.contains("\"mean_mark_percent\":87.5"), "{queues}");

    // In the page: the record of a caller, and the figures of the day.
    let chief = json!({ "login": "chief", "name": "Clara Chief", "email": null, "extension": null, "role": "administrator",
        "group": house.group, "skills": {}, "phone": "none", "disabled": false, "password": PASSWORD });
    admin.post("/users", chief).await;
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(CUSTOMER_HZ, 48_000, 1.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "chief", PASSWORD);
    page.click("Service records");
    page.click("Open record");
    page.see("section[aria-label='What the caller answered']:has-text('Friendly: 4 (1 to 5)'):has-text('Solved: 5 (1 to 5)')");
    page.shot("marks");
    page.assert_clean("a record with marks");
    page.press("Escape");
    page.theme_and_language("dark", "ru");
    page.click("Открыть запись журнала");
    page.see("section[aria-label='Оценки звонившего']:has-text('Friendly: 4 (от 1 до 5)')");
    page.shot("marks-ru");
    page.assert_clean("a record with marks, Russian, dark");
}
