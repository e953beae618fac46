//! A customer whom a flow connects with a number outside: a real caller and a real carrier hear each other through the appliance.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, text};
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::pressing::pressing;
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::{Value, json};

use crate::before_agent::prompts;

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const BRANCH_HZ: f64 = 1_000.0;
const SORRY_HZ: f64 = 1_400.0;

const FLOW: &str = r##"
name = "Branches"
start = "which"

[collect.which]
prompt = "which"
into = "branch"
max = 4
next = "branch"
failed = "bye"

[transfer.branch]
number = "+4930987{branch}"
ring_s = 30
busy = "sorry"
failed = "bye"

[play.sorry]
prompt = "sorry"
interruptible = false
next = "which"

[hangup.bye]
"##;

/// Gives the house's only trunk a target to dial.
async fn dial_over(admin: &Http, carrier: &Carrier) {
    let trunks = admin.get("/trunks").await;
    let path = format!("/trunks/{}", text(&trunks["items"][0]["id"]));
    admin.change(&path, |trunk| trunk["target"] = json!(carrier.target())).await;
}

/// ROUTE-08: a number that is busy leads on in the flow; the next one is heard before it answers, both hear each other, the recording
/// has both, the branch hangs up in its own time, and the record says where the caller went.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_connected_with_a_branch() {
    let sounds = prompts(&[("which", 600.0), ("sorry", SORRY_HZ)]);
    let toml = format!("[sounds]\ndir = \"{}\"", sounds.path().display());
    let appliance = Appliance::start(&Options { toml: &toml, ..Options::default() });
    let admin = appliance.admin().await;
    appliance.furnish(&admin, NUMBER).await;
    let busy = Carrier::start(appliance.dir.path(), "busy", Manner::Refuses(486), BRANCH_HZ);
    let branch = Carrier::start(appliance.dir.path(), "branch", Manner::Answers, BRANCH_HZ);
    dial_over(&admin, &busy).await;
    let tried = admin.post("/flow/try", json!({ "text": FLOW, "script": "0001 busy 6543" })).await;
    assert_eq!(tried["end"], "connects the caller with +49309876543", "{tried}");
    let flow = admin.post("/flows", json!({ "name": "Branches", "text": FLOW })).await;
    let numbers = admin.get("/numbers").await;
    let path = format!("/numbers/{}", text(&numbers["items"][0]["id"]));
    admin.change(&path, |number| number["flow"] = flow["id"].clone()).await;

    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    // The number is keyed in twice: before the one that is busy, and long after its announcement has begun.
    let first = [(2_000, '0'), (2_400, '0'), (2_800, '0'), (3_200, '1')];
    let second = [(18_000, '6'), (18_400, '5'), (18_800, '4'), (19_200, '3')];
    let keys: Vec<(u64, char)> = first.into_iter().chain(second).collect();
    let speech = pressing(CUSTOMER_HZ, 45, &keys);
    let caller = Caller { hold_ms: Some(38_000), ..Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ) };
    let mut sipp = caller.start_speaking(appliance.dir.path(), "customer", "127.0.0.1", &speech);
    let is_failed = |entry: &Value| entry["event"]["type"] == "dial_failed";
    let journal = admin.journal(|entries| entries.iter().any(is_failed)).await;
    let failed = journal.iter().find(|entry| is_failed(entry)).expect("it was busy");
    assert_eq!((&failed["event"]["why"], &failed["event"]["status"]), (&json!("busy"), &json!(486)));
    dial_over(&admin, &branch).await;
    let is_passed = |entry: &Value| entry["event"]["type"] == "passed_on";
    let journal = admin.journal(|entries| entries.iter().any(is_passed)).await;
    let passed = journal.iter().find(|entry| is_passed(entry)).expect("connected");
    assert_eq!(passed["event"]["number"], "+49309876543", "{passed}");
    let interaction = text(&passed["event"]["interaction"]);
    let live = admin.get("/calls").await;
    assert!(live.to_string().contains("passed_on"), "{live}");
    let _ = sipp.running.wait(Duration::from_secs(90));
    let datagrams = capture.stop();

    let voice = |port| -> Vec<i16> {
        rtp_payloads(&datagrams, port, 0).concat().into_iter().map(tone::from_mulaw).collect()
    };
    let (to_caller, to_branch) = (voice(sipp.media_port), voice(branch.media_port));
    let sorry = tone::seconds_with(&to_caller, 8_000, SORRY_HZ);
    assert!((1.8..=2.1).contains(&sorry), "the announcement, whole: {sorry} s");
    assert!(tone::seconds_with(&to_caller, 8_000, BRANCH_HZ) > 5.0, "the caller hears the branch");
    assert!(tone::seconds_with(&to_branch, 8_000, CUSTOMER_HZ) > 5.0, "the branch hears the caller");
    let invited = branch.messages();
    assert!(invited.contains("INVITE sip:+49309876543@127.0.0.1"), "{invited}");
    assert!(invited.contains(&format!("P-Asserted-Identity: <sip:{NUMBER}@127.0.0.1")), "{invited}");
    assert!(invited.contains("BYE sip:carrier@127.0.0.1"), "it is let go: {invited}");
    let record = admin.get(&format!("/records/{interaction}")).await;
    assert_eq!(
        (&record["status"], &record["ended_by"]),
        (&json!("passed_on"), &json!("customer")),
        "{record}"
    );
    assert_eq!(record["passed_on"]["number"], "+49309876543", "{record}");
    let path = format!("/records/{interaction}/recording.wav");
    let wav = scenarios::eventually_ok(async || admin.bytes(&path).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    tone::assert_apart(&channels, rate, [CUSTOMER_HZ, BRANCH_HZ]);
}
