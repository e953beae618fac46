//! What an operator asks about the floor: who waits and why, whom it rang and why.

use std::process::Command;
use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, binary};
use scenarios::http::Http;
use scenarios::sipp::Caller;
use scenarios::softphone::Softphone;
use serde_json::{Value, json};

const NUMBER: &str = "+4930555300";

/// What `patchbay ARGS` prints for the appliance, which must be well.
fn patchbay(appliance: &Appliance, args: &[&str]) -> String {
    asked(appliance, args).unwrap_or_else(|error| panic!("{error}"))
}

/// What `patchbay ARGS` prints for the appliance, or how it complains.
fn asked(appliance: &Appliance, args: &[&str]) -> Result<String, String> {
    let output = Command::new(binary())
        .args(args)
        .arg("--config")
        .arg(appliance.dir.path().join("patchbay.toml"))
        .output()
        .expect("it runs");
    let told = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    match output.status.success() {
        true => Ok(told(&output.stdout)),
        false => Err(format!("{}{}", told(&output.stdout), told(&output.stderr))),
    }
}

fn json_of(appliance: &Appliance, args: &[&str]) -> Value {
    let text = patchbay(appliance, args);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// ROUTE-09: a caller waits because the only agent is Not ready, is rung for once she is Ready, and both can be asked on the command
/// line, also when the call is over.
#[tokio::test(flavor = "multi_thread")]
async fn route_09_the_command_line_says_why_a_caller_waits_and_why_it_rang() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let phone = Softphone::attach(&mut agent, 1_000.0).await;
    assert_eq!(patchbay(&appliance, &["explain"]).trim(), "Nobody waits.");
    agent.send("not_ready", json!({})).await.expect("not ready");

    let caller = Caller::once(NUMBER, appliance.sip, 440.0);
    let mut sipp = caller.start(appliance.dir.path(), "customer");
    let waiting = scenarios::eventually_ok(async || {
        let waiting = json_of(&appliance, &["explain", "--json"]);
        let there = waiting["items"].as_array().is_some_and(|items| !items.is_empty());
        let status = if there { reqwest::StatusCode::OK } else { reqwest::StatusCode::CONFLICT };
        (status, serde_json::to_vec(&waiting).expect("JSON"))
    })
    .await;
    let waiting: Value = serde_json::from_slice(&waiting).expect("JSON");
    let interaction = waiting["items"][0]["interaction"].as_str().expect("an id").to_owned();
    let text = patchbay(&appliance, &["explain", &interaction]);
    assert!(
        text.contains("waiting") && text.contains("1 fitting agent is signed in and not Ready: Agent anna"),
        "{text}"
    );
    let queues = json_of(&appliance, &["queues", "--json"]);
    assert_eq!(
        (&queues["items"][0]["waiting"], &queues["items"][0]["ready_agents"]),
        (&json!(1), &json!(0)),
        "{queues}"
    );
    let text = patchbay(&appliance, &["queues"]);
    assert!(text.contains("WAITING") && text.contains("1 waiting in 1 queues"), "{text}");

    agent.send("ready", json!({})).await.expect("ready");
    let offer = agent.wait_for("an offer", |event| event["event"] == "offered").await;
    assert_eq!(offer["offer"]["interaction"], interaction);
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    // SIP-08: a call in progress is looked at on the wire.
    let begun = patchbay(&appliance, &["trace", &interaction]);
    assert!(begun.contains("INVITE (SDP)  [1 INVITE]") && begun.contains("200 OK (SDP)"), "{begun}");
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());

    let why = json_of(&appliance, &["explain", &interaction, "--offer", "1", "--json"]);
    assert_eq!((&why["chosen"]["name"], &why["rederived"]), (&json!("Agent anna"), &json!(true)), "{why}");
    assert_eq!(why["offers"][0]["result"], "accepted", "{why}");
    let text = patchbay(&appliance, &["explain", &interaction, "--offer", "last"]);
    assert!(
        text.contains("rung: Agent anna (worked out again from the journal, it is the same agent)"),
        "{text}"
    );

    // SIP-08: and one that is over, until its last answer; as a capture file that others read.
    let whole = scenarios::eventually("the answer to the last BYE is kept", Duration::from_secs(60), || {
        let text = asked(&appliance, &["trace", &interaction, "--whole"]).ok()?;
        text.lines()
            .any(|line| line.contains("--> ") && line.contains("200 OK  [") && line.contains("BYE]"))
            .then_some(text)
    });
    assert!(whole.starts_with(&begun.lines().next().expect("a line")[..12]), "{whole}");
    let capture = appliance.dir.path().join("call.pcap");
    patchbay(&appliance, &["trace", &interaction, "--pcap", capture.to_str().expect("a path")]);
    let read = Command::new("tcpdump").args(["-n", "-A", "-r"]).arg(&capture).output().expect("tcpdump runs");
    let read = String::from_utf8_lossy(&read.stdout).into_owned();
    let packets = read.lines().filter(|line| line.contains(" IP 127.0.0.1.")).count();
    assert_eq!(packets, whole.lines().filter(|line| line.starts_with('+')).count(), "{read}");
    assert!(
        read.contains(&format!("> 127.0.0.1.{}: UDP", appliance.sip)) && read.contains("INVITE sip:"),
        "{read}"
    );

    // ROUTE-10: the whole of it decided again while the appliance runs, and with a colleague more.
    let again = patchbay(&appliance, &["replay", "--from", "1d"]);
    assert!(
        again.contains("The journal came out the same.") && again.contains("1 of them offers"),
        "{again}"
    );
    let tried = json_of(&appliance, &["replay", "--from", "1d", "--agents", "1", "--json"]);
    assert_eq!(tried["recorded"]["total"]["answered"], 1, "{tried}");
    assert_eq!(tried["changed"]["total"]["answered"], 1, "{tried}");
    let table = patchbay(&appliance, &["replay", "--from", "1d", "--ring-time", "30"]);
    assert!(table.contains("TWIN, CHANGED") && table.contains("service level"), "{table}");
    // By now signalling has let go of the call: its trace is in the database.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(patchbay(&appliance, &["trace", &interaction, "--whole"]), whole);
    drop(phone);
}
