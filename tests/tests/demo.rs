//! `patchbay demo`, as a stranger meets it: it prints an address and logins, a customer calls, Ctrl-C leaves nothing.

use std::process::Command;
use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::binary;
use scenarios::eventually;
use scenarios::http::Http;
use scenarios::process::{Running, free_port, free_stretch};
use scenarios::softphone::Softphone;
use serde_json::json;

fn demo(dir: &std::path::Path, https: u16, sip: u16) -> Running {
    let media = free_stretch(2_002);
    Running::start(
        "patchbay demo",
        "patchbay",
        Command::new(binary())
            .env("TMPDIR", dir)
            .args(["demo", "--every", "3", "--https-port", &https.to_string()])
            .args(["--sip-port", &sip.to_string(), "--media-port", &media.to_string()]),
        &dir.join("demo.log"),
    )
}

/// What a command says of the running demo, by the file that the demo names.
fn asks(demo: &Running, command: &[&str]) -> String {
    let output = demo.output();
    let named = output.lines().find_map(|line| line.trim().strip_prefix("export PATCHBAY_CONFIG="));
    let named = named.unwrap_or_else(|| panic!("no file is named: {output}"));
    let done = Command::new(binary()).env("PATCHBAY_CONFIG", named).args(command).output().expect("it runs");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// OPS-09, STATE-04: from one command to an answered customer; the sounds are speech, and the end is clean. ROUTE-09, ROUTE-10: the
/// commands that the demo prints show who waits, why, and the past decided again.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_logins_brings_a_customer_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let (https, sip) = (free_port(), free_port());
    let mut demo = demo(dir.path(), https, sip);
    let password = eventually("the demo prints its logins", Duration::from_secs(60), || {
        assert!(demo.runs(), "the demo ended: {}", demo.output());
        let output = demo.output();
        let line = output.lines().find(|l| l.trim_start().starts_with("anna"))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    });
    scenarios::until("a customer waits", async || asks(&demo, &["explain"]).contains("signed in")).await;
    assert!(asks(&demo, &["queues"]).contains("waiting in 2 queues"), "{}", asks(&demo, &["queues"]));
    let again = asks(&demo, &["replay", "--from", "1h"]);
    assert!(again.contains("The journal came out the same."), "{again}");
    let base = format!("https://localhost:{https}");
    assert!(demo.output().contains(&base), "the address is printed: {}", demo.output());
    let http = Http::sign_in(&base, "anna", &password).await.expect("the printed login works");
    let mut agent = Agent::connect(&http, https).await;
    let phone = Softphone::attach(&mut agent, 1_000.0).await;
    agent.send("ready", json!({})).await.expect("ready");
    let offer = agent.wait_for("an offer", |e| e["event"] == "offered").await;
    assert!(offer["offer"]["caller_name"].as_str().is_some_and(|name| !name.is_empty()), "{offer}");
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    agent.wait_for("talking", |e| e["work"]["phase"] == "talking").await;
    let before = phone.heard().len();
    scenarios::until("speech is heard in 40 packets", async || {
        let heard = phone.heard().split_off(before);
        heard.chunks(160).filter(|c| c.iter().any(|s| s.unsigned_abs() > 1_000)).count() > 40
    })
    .await;

    drop(phone);
    demo.signal(libc::SIGINT);
    assert!(demo.wait(Duration::from_secs(60)).success(), "{}", demo.output());
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .expect("readable")
        .flatten()
        .map(|f| f.file_name())
        .filter(|f| f.to_string_lossy().starts_with("patchbay-demo"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let sipp = Command::new("pgrep")
        .args(["-f", &format!("sipp 127.0.0.1:{sip}")])
        .output()
        .expect("pgrep (procps)");
    assert!(sipp.stdout.is_empty(), "a simulated customer still runs");
}

#[test]
fn a_busy_port_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("it was free just now");
    let mut demo = demo(dir.path(), port, free_port());
    assert!(!demo.wait(Duration::from_secs(60)).success());
    let output = demo.output();
    assert!(output.contains(&port.to_string()) && output.contains("--https-port"), "{output}");
}
