//! A customer goes through a flow, and the agent who was asked for answers.

use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::pressing::pressing;
use scenarios::sipp::Caller;
use scenarios::softphone::Softphone;
use scenarios::tone;
use scenarios::web::Web;
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;
/// What the operator's prompts are, so that a capture tells them apart.
const WELCOME_HZ: f64 = 600.0;
const CHOOSE_HZ: f64 = 1_400.0;

const FLOW: &str = r##"
name = "Main"
start = "welcome"

[play.welcome]
prompt = "welcome"
interruptible = false
next = "choose"

[menu.choose]
prompt = "choose"
choices = { 2 = "account" }
timeout = "support"
otherwise = "support"

[collect.account]
prompt = "choose"
into = "account"
min = 4
max = 8
next = "read-back"
failed = "support"

[play.read-back]
prompt = "{account}"
next = "support"

[queue.support]
service = "Support"
priority = 10
"##;

/// The operator's folder of sounds, each a tone of two seconds.
pub(crate) fn prompts(sounds: &[(&str, f64)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("prompts")).expect("a folder");
    for (name, hz) in sounds {
        let file = folder.path().join(format!("prompts/{name}.wav"));
        tone::write_wav(&file, 16_000, &tone::sine(*hz, 16_000, 2.0));
    }
    folder
}

/// ROUTE-08, SIP-05: prompts are heard, keys pressed ahead of them lead to the queue, the record and the journal say so, and the agent who takes the
/// call hears the customer.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_goes_through_a_flow_and_reaches_an_agent() {
    let sounds = prompts(&[("welcome", WELCOME_HZ), ("choose", CHOOSE_HZ)]);
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.path().display());
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;

    // A mistake is refused with its place; then the flow is tried out, stored, and the number leads to it.
    let wrong = FLOW.replace("prompt = \"welcome\"", "prompt = \"welcom\"");
    let checked = admin.post("/flow/check", json!({ "text": wrong })).await;
    assert_eq!(checked["valid"], false, "{checked}");
    assert_eq!(checked["faults"][0]["at"], "play.welcome.prompt", "{checked}");
    let tried = admin.post("/flow/try", json!({ "text": FLOW, "script": "2 4711#" })).await;
    assert_eq!(tried["end"], "queue Support, priority 10", "{tried}");
    let flow = admin.post("/flows", json!({ "name": "Main", "text": FLOW })).await;
    assert_eq!((&flow["active"], &flow["versions"][0]["number"]), (&json!(1), &json!(1)), "{flow}");
    let numbers = admin.get("/numbers").await;
    let path = format!("/numbers/{}", text(&numbers["items"][0]["id"]));
    admin.change(&path, |number| number["flow"] = flow["id"].clone()).await;

    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let phone = Softphone::attach(&mut agent, AGENT_HZ).await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let caller = Caller { hold_ms: Some(30_000), ..Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ) };
    // The menu is answered while it is asked; the account number, in the middle of its question.
    let keys = [(3_000, '2'), (3_600, '4'), (3_900, '7'), (4_200, '1'), (4_500, '1'), (4_800, '#')];
    let speech = pressing(CUSTOMER_HZ, 30, &keys);
    let mut sipp = caller.start_speaking(appliance.dir.path(), "customer", "127.0.0.1", &speech);
    let offer = agent.wait_for("an offer", |event| event["event"] == "offered").await;
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    // ROUTE-07: what the caller entered is before the agent.
    assert_eq!(offer["offer"]["noted"], json!({ "account": "4711" }), "{offer}");
    let interaction = text(&offer["offer"]["interaction"]);
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    let before = phone.heard().len();
    scenarios::until("the agent hears the customer", async || {
        tone::seconds_with(&phone.heard().split_off(before), 8_000, CUSTOMER_HZ) > 1.0
    })
    .await;
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    let _ = sipp.running.wait(Duration::from_secs(60));

    let datagrams = capture.stop();
    let heard: Vec<i16> =
        rtp_payloads(&datagrams, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    let seconds = |hz| tone::seconds_with(&heard, 8_000, hz);
    assert!((1.8..=2.1).contains(&seconds(WELCOME_HZ)), "the greeting, whole: {}", seconds(WELCOME_HZ));
    // Heard from the end of the greeting to the key, and again until the first digit of the number.
    assert!((0.8..=3.0).contains(&seconds(CHOOSE_HZ)), "the question, cut short: {}", seconds(CHOOSE_HZ));

    let is_step = |entry: &&Value| entry["event"]["type"] == "flow_step";
    let journal = admin.journal(|entries| entries.iter().filter(is_step).count() >= 5).await;
    let steps: Vec<&Value> = journal.iter().filter(is_step).map(|entry| &entry["event"]).collect();
    let names: Vec<String> =
        steps.iter().map(|event| event["step"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(names, ["welcome", "choose", "account", "read-back", "support"], "{steps:?}");
}

const PLACE_HZ: f64 = 900.0;
const ONE_HZ: f64 = 2_000.0;

/// ROUTE-07: a real caller who waits hears the greeting, the place in the line and a message, is led on to another queue when the wait
/// is too long, and is answered there; record and journal say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_waits_hears_the_place_and_is_led_on() {
    // The words around the number are the operator's here, so that a capture tells them apart.
    let sounds = prompts(&[
        ("welcome", WELCOME_HZ),
        ("choose", CHOOSE_HZ),
        ("position-before", PLACE_HZ),
        ("number-1", ONE_HZ),
        ("position-after", PLACE_HZ),
    ]);
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.path().display());
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let waits = json!({ "when_unstaffed": "queue" });
    let backup = admin.post("/services", json!({ "name": "Backup", "queue": waits })).await;
    let service = format!("/services/{}", house.service);
    admin
        .change(&service, |service| {
            let queue = &mut service["queue"];
            queue["when_unstaffed"] = "queue".into();
            queue["waiting"] =
                json!({ "greeting": "welcome", "position": true, "comfort": ["choose"], "first_after_s": 1 });
            queue["wait_time_max_ms"] = 15_000.into();
            queue["when_waited_long"] = json!({ "service": backup["id"] });
        })
        .await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let phone = Softphone::attach(&mut agent, AGENT_HZ).await;
    agent.send("not_ready", json!({})).await.expect("on a break");
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    let mut sipp = caller.start(appliance.dir.path(), "customer");
    let is_led_on = |entry: &&Value| entry["event"]["type"] == "overflowed";
    let journal = admin.journal(|entries| entries.iter().any(|entry| is_led_on(&entry))).await;
    let led_on = journal.iter().find(is_led_on).expect("led on");
    assert_eq!(
        (&led_on["event"]["why"], &led_on["event"]["to"]["service"]),
        (&json!("waited_long"), &backup["id"])
    );

    agent.send("ready", json!({})).await.expect("ready");
    let offer = agent.wait_for("an offer", |event| event["event"] == "offered").await;
    assert_eq!(offer["offer"]["service"]["name"], "Backup", "{offer}");
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    let interaction = text(&offer["offer"]["interaction"]);
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    scenarios::until("the agent hears the customer", async || {
        tone::seconds_with(&phone.heard(), 8_000, CUSTOMER_HZ) > 1.0
    })
    .await;
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    let _ = sipp.running.wait(Duration::from_secs(60));

    let datagrams = capture.stop();
    let heard: Vec<i16> =
        rtp_payloads(&datagrams, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    let seconds = |hz| tone::seconds_with(&heard, 8_000, hz);
    assert!((1.8..=2.1).contains(&seconds(WELCOME_HZ)), "the greeting: {}", seconds(WELCOME_HZ));
    assert!((3.6..=4.2).contains(&seconds(PLACE_HZ)), "the words around the place: {}", seconds(PLACE_HZ));
    assert!((1.8..=2.1).contains(&seconds(ONE_HZ)), "the place, once: {}", seconds(ONE_HZ));
    assert!((1.8..=2.1).contains(&seconds(CHOOSE_HZ)), "the message: {}", seconds(CHOOSE_HZ));
    let record = admin.get(&format!("/records/{interaction}")).await;
    assert_eq!(record["overflows"][0]["to"], "Backup", "{record}");
    assert_eq!(record["service_name"], "Backup", "{record}");
}

const ASKING: &str = r#"
name = "Known"
start = "within"

[http.within]
url = "http://localhost:PORT/within"
next = "gone"
failed = "slow"

[http.slow]
url = "http://127.0.0.1:PORT/slow"
wait_s = 1
next = "gone"
failed = "gone"
timeout = "crm"

[http.crm]
url = "http://127.0.0.1:PORT/callers/{called}"
secret_headers = { Authorization = "crm" }
picks = { customer_class = "/class" }
next = "support"
failed = "gone"

[hangup.gone]

[queue.support]
service = "Support"
"#;

/// ROUTE-08, API-02: a call is answered by what a real system says; one that hangs does not keep the caller, and one whose name leads within,
/// though only the name is listed, is never asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_flow_asks_a_system_of_the_operator() {
    let web = Web::answering(r#"{"class":"gold","more":[1,2]}"#).await;
    let port = web.port;
    let secrets = tempfile::tempdir().expect("a folder");
    let secret = secrets.path().join("crm");
    std::fs::write(&secret, "Bearer 0815\n").expect("written");
    let toml = format!(
        "[flows]\nhttp_allow = [\"localhost:{port}\", \"127.0.0.1:{port}\"]\nsecrets = {{ crm = \"{}\" }}",
        secret.display()
    );
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let text_of = |from: &str, to: &str| ASKING.replace("PORT", &port.to_string()).replace(from, to);

    let elsewhere = text_of("127.0.0.1", "127.0.0.2");
    let checked = admin.post("/flow/check", json!({ "text": elsewhere })).await;
    let said = checked["faults"][0]["what"].as_str().unwrap_or_default();
    assert!(said.contains("http_allow"), "it says what to add: {checked}");
    let asking = text_of("", "");
    let script = "failed timeout customer_class=gold ok";
    let tried = admin.post("/flow/try", json!({ "text": asking, "script": script })).await;
    assert_eq!(tried["end"], "queue Support", "{tried}");
    let flow = admin.post("/flows", json!({ "name": "Known", "text": asking })).await;
    let numbers = admin.get("/numbers").await;
    let path = format!("/numbers/{}", text(&numbers["items"][0]["id"]));
    admin.change(&path, |number| number["flow"] = flow["id"].clone()).await;

    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let _phone = Softphone::attach(&mut agent, AGENT_HZ).await;
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    let mut sipp = caller.start(appliance.dir.path(), "customer");
    let offer = agent.wait_for("an offer", |event| event["event"] == "offered").await;
    assert_eq!(offer["offer"]["noted"], json!({ "customer_class": "gold" }), "{offer}");
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    let interaction = text(&offer["offer"]["interaction"]);
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    let _ = sipp.running.wait(Duration::from_secs(60));

    let asked = web.asked();
    let first: Vec<&str> = asked.iter().filter_map(|request| request.lines().next()).collect();
    assert_eq!(first, ["GET /slow HTTP/1.1", "GET /callers/%2B4930555100 HTTP/1.1"], "{asked:?}");
    assert!(asked[1].contains("\r\nauthorization: Bearer 0815\r\n"), "{asked:?}");
    let is_step = |entry: &&Value| entry["event"]["type"] == "flow_step";
    let journal = admin.journal(|entries| entries.iter().filter(is_step).count() >= 4).await;
    let steps: Vec<&str> =
        journal.iter().filter(is_step).filter_map(|entry| entry["event"]["step"].as_str()).collect();
    assert_eq!(steps, ["within", "slow", "crm", "support"]);
    assert!(!format!("{journal:?}").contains("0815"), "the secret is in no journal");
}
