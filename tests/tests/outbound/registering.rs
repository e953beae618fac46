//! Carriers at which we register: a real Kamailio as registrar, over which a customer calls.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, text};
use scenarios::http::Http;
use scenarios::kamailio::Kamailio;
use scenarios::pcap::Capture;
use scenarios::place::Place;
use scenarios::process::free_port;
use scenarios::sipp::Caller;
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;

async fn state(admin: &Http) -> Value {
    admin.get("/trunk-states").await["items"][0].clone()
}

/// SIP-02: a trunk registers with its carrier and renews it in time; a call that the carrier brings over the registration is a customer of the
/// number in `To`; a wrong password is said; taking the trunk away takes the registration back.
#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_registers_and_calls_come_over_it() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    // What comes from this machine is nobody's by its address alone.
    let first = text(&admin.get("/trunks").await["items"][0]["id"]);
    admin.change(&format!("/trunks/{first}"), |trunk| trunk["addresses"] = json!(["192.0.2.1"])).await;
    let proxy = free_port();
    let _kamailio =
        Kamailio::registrar(&appliance.dir.path().join("registrar"), proxy, ("house", "zanzibar-1"));
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let new = json!({
        "name": "registrar", "target": format!("127.0.0.1:{proxy}"), "account": "house", "account_password": "zanzibar-1",
        "registers": true,
    });
    let trunk = format!("/trunks/{}", text(&admin.post("/trunks", new).await["id"]));
    scenarios::until("it is registered", async || state(&admin).await["standing"] == "registered").await;
    let until = state(&admin).await["until"].as_u64().expect("a time");
    let renewed = async || state(&admin).await["until"].as_u64().is_some_and(|later| later > until);
    scenarios::until("it is renewed", renewed).await;
    let shown = async || {
        admin.metrics().await.sum_or_zero("patchbay_trunk_registered", &["trunk=\"registrar\""]) > 0.5
    };
    scenarios::until("the figure says so", shown).await;

    let mut anna = Place::take(&appliance, "anna", 1_000.0).await;
    let mut sipp = Caller::once(NUMBER, proxy, CUSTOMER_HZ).start(appliance.dir.path(), "customer");
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 2.0).await;
    anna.finish(&interaction).await;
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());
    let record = admin.get(&format!("/records/{interaction}")).await;
    assert_eq!((&record["contact"], &record["service"]), (&json!(NUMBER), &json!(house.service)), "{record}");

    admin.change(&trunk, |trunk| trunk["account_password"] = json!("zanzibar-2")).await;
    scenarios::until("a wrong password is said", async || state(&admin).await["standing"] == "refused").await;
    assert_eq!(state(&admin).await["status"], 401);
    admin.change(&trunk, |trunk| trunk["account_password"] = json!("zanzibar-1")).await;
    scenarios::until("it is registered again", async || state(&admin).await["standing"] == "registered")
        .await;
    admin.change(&trunk, |trunk| trunk["registers"] = json!(false)).await;
    assert_eq!(admin.get("/trunk-states").await["items"], json!([]));
    let mut caller = Caller::once(NUMBER, proxy, CUSTOMER_HZ);
    caller.hold_ms = Some(100);
    // The carrier knows nobody any more.
    scenarios::until("it is taken back", async || {
        let mut sipp = caller.start(appliance.dir.path(), "late");
        !sipp.running.wait(Duration::from_secs(60)).success()
    })
    .await;
    let datagrams = capture.stop();
    let registers =
        datagrams.iter().filter(|datagram| datagram.payload.starts_with(b"REGISTER sip:127.0.0.1"));
    let texts: Vec<String> =
        registers.map(|datagram| String::from_utf8_lossy(&datagram.payload).into_owned()).collect();
    assert!(texts.iter().any(|text| text.contains("Expires: 0\r\n")), "the last one takes it back");
    assert!(!texts.iter().any(|text| text.contains("zanzibar")));
}
