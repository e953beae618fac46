//! Carriers that want to know who calls: a real Kamailio challenges everything.

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::kamailio::Kamailio;
use scenarios::process::free_port;
use scenarios::softphone::Softphone;
use serde_json::{Value, json};

/// The values of a parameter in requests of one method that the carrier saw behind its proxy.
fn seen(messages: &str, method: &str, parameter: &str) -> Vec<String> {
    let from = |text: &str, mark: &str| text.find(mark).map(|at| text[at + mark.len()..].to_owned());
    messages
        .split("-----------------------------------------------")
        .filter_map(|message| from(message, &format!("{method} sip:")))
        .filter_map(|message| from(&message, "Proxy-Authorization: "))
        .filter_map(|header| from(header.lines().next()?, &format!(" {parameter}=")))
        .map(|value| value.split(',').next().unwrap_or_default().to_owned())
        .collect()
}

pub(crate) async fn calls(agent: &mut Agent, number: &str) {
    agent.send("dial", json!({ "number": number })).await.expect("dialled");
    let work = agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    let interaction = text(&work["work"]["interaction"]);
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    agent.wait_for("after-call work", |event| event["work"]["phase"] == "wrap_up").await;
    agent.send("complete", json!({ "interaction": interaction })).await.expect("complete");
}

/// SIP-02: a trunk whose carrier asks for a name and a password is signed in at, with SHA-256 and with MD5: call, ACK and BYE, with
/// one nonce for several requests and another count for each; nobody is shown the password.
#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_challenges_is_given_our_account() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, "+4930555100").await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let _phone = Softphone::attach(&mut agent, 1_000.0).await;
    let mut trunk = None;
    for hash in ["SHA-256", "MD5"] {
        let dir = appliance.dir.path().join(hash);
        let carrier =
            Carrier::start(appliance.dir.path(), &format!("carrier-{hash}"), Manner::Answers, 440.0);
        let proxy = free_port();
        let _kamailio = Kamailio::guarding(&dir, proxy, carrier.sip_port, ("house", "zanzibar"), hash);
        let target = format!("127.0.0.1:{proxy}");
        match &trunk {
            None => {
                let new = json!({
                    "name": "carrier with a password", "target": target, "account": "house", "account_password": "zanzibar",
                });
                let made = admin.post("/trunks", new).await;
                assert_eq!((&made["account"], &made["account_password"]), (&json!("house"), &Value::Null));
                trunk = Some(format!("/trunks/{}", text(&made["id"])));
            }
            // The password stays with whoever does not give another one.
            Some(path) => {
                admin.change(path, |trunk| trunk["target"] = json!(target)).await;
                assert!(admin.get(path).await.get("account_password").is_none());
            }
        }
        for number in ["+4930111", "+4930222"] {
            calls(&mut agent, number).await;
        }
        scenarios::until("both calls were hung up", async || {
            seen(&carrier.messages(), "BYE", "nonce").len() >= 2
        })
        .await;
        let said = carrier.messages();
        let nonces = |method| seen(&said, method, "nonce");
        assert_eq!((nonces("INVITE").len(), nonces("ACK").len()), (2, 2), "{said}");
        assert_eq!(nonces("INVITE"), nonces("ACK"), "an ACK repeats what its INVITE carried");
        assert_eq!(nonces("INVITE")[0], nonces("BYE")[0], "one nonce for several requests");
        assert_ne!(seen(&said, "INVITE", "nc"), seen(&said, "BYE", "nc"), "each with a count of its own");
        assert_eq!(seen(&said, "BYE", "algorithm"), [hash, hash], "{said}");
        assert!(!said.contains("zanzibar"));
    }
}
