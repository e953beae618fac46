//! A carrier that does not answer, and comes back.

use std::net::UdpSocket;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::kamailio::Kamailio;
use scenarios::softphone::Softphone;
use serde_json::{Value, json};

use crate::signing_in::calls;

/// The first lines of what came there and nobody answered.
fn unanswered(socket: &UdpSocket) -> Vec<String> {
    let mut datagram = [0; 4_096];
    let next =
        || socket.recv(&mut datagram).ok().map(|n| String::from_utf8_lossy(&datagram[..n]).into_owned());
    let lines = std::iter::from_fn(next);
    lines.map(|message| message.lines().next().unwrap_or_default().to_owned()).collect()
}

/// SIP-02: a trunk that said nothing to one call is tried last by the next ones, and asked by OPTIONS whether it is back; when it
/// answers, also if only to ask for a password, calls go out over it first again.
#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_that_says_nothing_is_tried_last_until_it_answers() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, "+4930555100").await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let _phone = Softphone::attach(&mut agent, 1_000.0).await;
    let nobody = UdpSocket::bind("127.0.0.1:0").expect("a port");
    nobody.set_nonblocking(true).expect("a socket");
    let port = nobody.local_addr().expect("an address").port();
    let spare = Carrier::start(appliance.dir.path(), "spare", Manner::Answers, 440.0);
    let silent =
        admin.post("/trunks", json!({ "name": "first", "target": format!("127.0.0.1:{port}") })).await;
    admin.post("/trunks", json!({ "name": "spare", "target": spare.target() })).await;

    calls(&mut agent, "+4930111").await;
    let heard = unanswered(&nobody);
    assert!(heard.iter().any(|line| line.starts_with("INVITE sip:+4930111@")), "{heard:?}");
    let question = format!("OPTIONS sip:127.0.0.1:{port} SIP/2.0");
    let asked = heard.contains(&question);
    scenarios::until("it is asked whether it is back", async || {
        asked || unanswered(&nobody).contains(&question)
    })
    .await;
    calls(&mut agent, "+4930222").await;
    let heard = unanswered(&nobody);
    assert!(!heard.iter().any(|line| line.contains("+4930222")), "it was not called again: {heard:?}");
    assert!(spare.messages().contains("INVITE sip:+4930222@"));

    drop(nobody);
    let back = Carrier::start(appliance.dir.path(), "back", Manner::Answers, 440.0);
    let dir = appliance.dir.path().join("guard");
    let _guard = Kamailio::guarding(&dir, port, back.sip_port, ("house", "zanzibar"), "MD5");
    scenarios::until("it counts as back", async || appliance.log().contains("tried in its turn again")).await;
    let path = format!("/trunks/{}", text(&silent["id"]));
    let account = |trunk: &mut Value| {
        trunk["account"] = json!("house");
        trunk["account_password"] = json!("zanzibar");
    };
    admin.change(&path, account).await;
    calls(&mut agent, "+4930333").await;
    assert!(back.messages().contains("INVITE sip:+4930333@"), "{}", back.messages());
    assert!(!spare.messages().contains("+4930333"));
}
