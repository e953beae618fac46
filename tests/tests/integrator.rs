//! The integrator's guide: its examples are run as they stand there.

use std::process::Command;

use scenarios::appliance::{Appliance, Options};
use serde_json::json;

/// API-03: a key made by an administrator runs every example of the integrator's guide, with curl.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_guide_run_with_a_key() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    appliance.furnish(&admin, "+4930555100").await;
    let privileges = json!([
        "take_interactions",
        "bring_contacts",
        "supervise",
        "see_all_records",
        "see_configuration",
        "administer"
    ]);
    let key = admin.post("/keys", json!({ "name": "Guide", "privileges": privileges })).await;
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/integrator.md"))
        .expect("the guide");
    let examples: Vec<&str> =
        guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 5, "{} examples", examples.len());
    // The certificate of a test is made for it; the guide says how to trust one's own.
    std::fs::write(appliance.dir.path().join(".curlrc"), "insecure\n").expect("written");
    for example in examples {
        let ran = Command::new("sh")
            .args(["-c", &format!("set -e\n{example}")])
            .env("CURL_HOME", appliance.dir.path())
            .env("PATCHBAY", &appliance.base)
            .env("KEY", key["secret"].as_str().expect("a secret"))
            .output()
            .expect("a shell");
        assert!(
            ran.status.success(),
            "{example}\n{}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    let keys = admin.get("/keys").await;
    assert!(keys["items"][0]["used_at"].is_u64(), "{keys}");
}
