//! Live media is watched: by the API, by `patchbay media top`, while a customer talks to an agent.

use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, binary};
use scenarios::http::Http;
use scenarios::sipp::Caller;
use scenarios::softphone::Softphone;
use serde_json::{Value, json};

const NUMBER: &str = "+4930555300";

/// What `patchbay media top ARGS` prints for the appliance.
fn top(appliance: &Appliance, args: &[&str]) -> String {
    let output = Command::new(binary())
        .args(["media", "top"])
        .args(args)
        .arg("--config")
        .arg(appliance.dir.path().join("patchbay.toml"))
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn legs_of(seen: &Value) -> Vec<Value> {
    seen["items"].as_array().unwrap_or_else(|| panic!("no legs in {seen}")).clone()
}

fn of_kind<'a>(legs: &'a [Value], kind: &str) -> &'a Value {
    legs.iter().find(|leg| leg["who"]["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {legs:?}"))
}

/// MEDIA-07: both legs of a call are seen while it lasts, each with its call, codec, security and figures that rise.
#[tokio::test(flavor = "multi_thread")]
async fn the_legs_of_a_call_are_seen_while_it_lasts() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let phone = Softphone::attach(&mut agent, 1_000.0).await;

    let idle = legs_of(&admin.get("/media/legs").await);
    assert_eq!(idle.len(), 1, "{idle:?}");
    assert_eq!(
        (&idle[0]["who"], &idle[0]["call"], &idle[0]["hears"]),
        (&json!({ "kind": "browser", "name": "Agent anna" }), &Value::Null, &json!("nothing"))
    );

    let caller = Caller::once(NUMBER, appliance.sip, 440.0);
    let mut sipp = caller.start(appliance.dir.path(), "customer");
    let offer = agent.wait_for("an offer", |event| event["event"] == "offered").await;
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    let interaction = offer["offer"]["interaction"].as_str().expect("an id").to_owned();
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;

    let path = format!("/calls/{interaction}/legs");
    let mut seen: Vec<Vec<Value>> = Vec::new();
    // Figures need packets, a second of them for quality; then two looks a second apart show that they rise.
    for _ in 0..60 {
        let legs = legs_of(&admin.get(&path).await);
        let rated =
            |leg: &Value| leg["mos"].is_f64() && leg["received"]["packets_per_s"].as_f64() > Some(0.0);
        if legs.len() == 2 && legs.iter().all(rated) {
            seen.push(legs);
        }
        if seen.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1_050)).await;
    }
    let [earlier, later] = &seen[..] else { panic!("no figures: {}", admin.get(&path).await) };
    for (kind, name, security) in [("trunk", "carrier", "none"), ("browser", "Agent anna", "dtls")] {
        let (before, leg) = (of_kind(earlier, kind), of_kind(later, kind));
        assert_eq!((&leg["who"]["name"], &leg["call"]), (&json!(name), &json!(interaction)), "{leg}");
        assert_eq!((&leg["codec_in"], &leg["codec_out"]), (&json!("PCMU"), &json!("PCMU")), "{leg}");
        assert_eq!((&leg["carried"], &leg["recorded"]), (&json!("user"), &json!(true)), "{leg}");
        assert!(leg["security"].as_str().is_some_and(|said| said.starts_with(security)), "{leg}");
        assert!(leg["remote"].as_str().is_some_and(|at| at.starts_with("127.0.0.1:")), "{leg}");
        for way in ["received", "sent"] {
            let count = |leg: &Value| leg[way]["packets"].as_u64().expect("a count");
            assert!(count(leg) > count(before), "{way}: {before} then {leg}");
            // 160 octets of mu-law and 12 of header, every packet; a browser's may have header extensions.
            let each = leg[way]["octets"].as_u64().map_or(0, |octets| octets / count(leg));
            let most = if (kind, way) == ("browser", "received") { 200 } else { 172 };
            assert!((172..=most).contains(&each), "{way}: {leg}");
        }
        assert_eq!(leg["received"]["lost"], 0, "a loopback loses nothing: {leg}");
        assert!(leg["mos"].as_f64().is_some_and(|mos| (1.0..=4.5).contains(&mos)), "{leg}");
        assert!(leg["age_ms"].as_u64() > Some(1_000), "{leg}");
    }
    // They hear each other.
    let (trunk, browser) = (of_kind(later, "trunk"), of_kind(later, "browser"));
    assert_eq!((&trunk["hears_id"], &browser["hears_id"]), (&browser["leg"], &trunk["leg"]));

    let all = admin.get("/media/legs").await;
    assert_eq!((&all["totals"]["legs"], &all["totals"]["rooms"]), (&json!(2), &json!(0)), "{all}");
    assert!(all["totals"]["packets_in_per_s"].as_f64() > Some(0.0), "{all}");
    assert!(all["totals"]["threads"][0]["busy_percent"].is_f64(), "{all}");
    let first = admin.get("/media/legs?limit=1").await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = admin.get(&format!("/media/legs?limit=1&cursor={cursor}")).await;
    let id = |page: &Value| page["items"][0]["leg"].clone();
    assert_eq!([id(&first), id(&second)], [id(&all), all["items"][1]["leg"].clone()]);
    assert_eq!(second["next_cursor"], Value::Null);

    // The same on the command line, for programs and for people.
    let shown: Value = serde_json::from_str(&top(&appliance, &["--once", "--json"])).expect("JSON");
    assert_eq!(shown["totals"]["legs"], 2, "{shown}");
    let leg = of_kind(&legs_of(&shown), "trunk").clone();
    assert_eq!((&leg["call"], &leg["codec_in"]), (&json!(interaction), &json!("PCMU")));
    assert!(leg["received"]["packets_per_s"].as_f64() > Some(0.0), "{leg}");
    let text = top(&appliance, &["--once", "--trunk", "carr", "--sort", "call"]);
    assert!(text.contains("2 legs (2 shown)") && text.contains("trunk carrier"), "{text}");
    assert!(text.contains("browser Agent anna") && !text.contains('\u{1b}'), "{text}");
    let none = top(&appliance, &["--once", "--call", "no such call"]);
    assert!(none.contains("2 legs (0 shown)"), "{none}");

    // Who may not, and what is not.
    let (status, _, problem) = http.call(Method::GET, "/media/legs", None, None).await;
    assert_eq!((status.as_u16(), &problem["type"]), (403, &json!("/problems/forbidden")), "{problem}");
    let (status, ..) = http.call(Method::GET, &path, None, None).await;
    assert_eq!(status.as_u16(), 403);
    let unknown = "/calls/interaction_00000000-0000-0000-0000-000000000001/legs";
    let (status, _, problem) = admin.call(Method::GET, unknown, None, None).await;
    assert_eq!(status.as_u16(), 404, "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|why| why.contains("call")), "{problem}");

    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());
    let left = scenarios::eventually_ok(async || {
        let legs = legs_of(&admin.get("/media/legs").await);
        let status = if legs.len() == 1 { reqwest::StatusCode::OK } else { reqwest::StatusCode::CONFLICT };
        (status, serde_json::to_vec(&legs).expect("JSON"))
    })
    .await;
    let left: Vec<Value> = serde_json::from_slice(&left).expect("JSON");
    assert_eq!((&left[0]["who"]["kind"], &left[0]["call"]), (&json!("browser"), &Value::Null), "{left:?}");
    drop(phone);
}

/// The command says what is missing instead of showing an empty table.
#[test]
fn without_an_appliance_or_a_node_top_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("patchbay.toml");
    std::fs::write(&config, format!("data_dir = \"{}\"\n", dir.path().display())).expect("a file");
    let ask = |args: &[&str]| {
        let output =
            Command::new(binary()).args(["media", "top", "--once"]).args(args).output().expect("it runs");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let why = ask(&["--config", config.to_str().expect("a path")]);
    assert!(why.contains("no appliance answers on") && why.contains("control.sock"), "{why}");
    let nobody = format!("127.0.0.1:{}", scenarios::process::free_port());
    let why = ask(&["--node", &nobody]);
    assert!(why.contains(&format!("no media node answers on {nobody}")), "{why}");
}
