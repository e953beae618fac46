//! Calls that lead nowhere: the caller is told, and the record says why.

use scenarios::place::Place;
use scenarios::sip::{Line, offer};
use serde_json::json;

use super::{ANNA_HZ, NUMBER, call, ends_well, open, record_is, still_well};

/// VOICE-15: unknown number, closed service, nobody signed in, left in the queue, left while an agent's phone rang: each is treated
/// as configured and recorded as what it was, the last one against that agent.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_reach_nobody_are_treated_as_configured_and_recorded_as_such() {
    let (mut appliance, house, admin) = open().await;
    let line = Line::to(appliance.sip);
    let mut count = 0;
    // Records come newest first, and there is one more each time.
    let mut newest = async |status: &str| {
        count += 1;
        scenarios::until("one record more", async || admin.walk("/records", 100).await.len() == count).await;
        let record = record_is(&admin, |_| true, status).await;
        assert_eq!(record["answered_at"], serde_json::Value::Null, "nobody talked: {record}");
        record
    };

    let unknown = line.ask(&line.request("INVITE", "+4930999999", &offer(40_000)));
    assert_eq!(unknown.status, 404, "{}", unknown.text);
    let record = newest("unknown_number").await;
    assert_eq!((&record["contact"], &record["service"]), (&json!("+4930999999"), &json!(null)), "{record}");

    // Nobody is signed in yet. By default an announcement is played to its end, and then we hang up.
    ends_well(&mut call(&appliance, "nobody", NUMBER, None));
    let record = newest("no_agent_online").await;
    assert_eq!((&record["agent"], &record["ended_by"]), (&json!(null), &json!("system")), "{record}");
    let service = format!("/services/{}", house.service);
    admin.change(&service, |s| s["queue"]["when_unstaffed"] = "reject".into()).await;
    let refused = line.ask(&line.request("INVITE", NUMBER, &offer(40_000)));
    assert_eq!(refused.status, 480, "{}", refused.text);
    newest("no_agent_online").await;
    admin.change(&service, |s| s["queue"]["when_unstaffed"] = "queue".into()).await;
    ends_well(&mut call(&appliance, "impatient", NUMBER, Some(1_500)));
    newest("abandoned").await;

    admin.change(&service, |s| s["open"] = false.into()).await;
    ends_well(&mut call(&appliance, "closed", NUMBER, None));
    newest("closed").await;
    admin.change(&service, |s| s["queue"]["when_closed"] = "reject".into()).await;
    let refused = line.ask(&line.request("INVITE", NUMBER, &offer(40_000)));
    assert_eq!(refused.status, 603, "{}", refused.text);
    newest("closed").await;
    admin.change(&service, |s| s["open"] = true.into()).await;

    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    // Long enough for the offer to be made before, on any machine.
    let mut customer = call(&appliance, "hasty", NUMBER, Some(4_000));
    let offered = anna.agent.wait_for("an offer", |e| e["event"] == "offered").await;
    let over = anna.agent.wait_for("its end", |e| e["event"] == "offer_ended").await;
    assert_eq!((&over["offer"], &over["why"]), (&offered["offer"]["offer"], &json!("caller_left")));
    ends_well(&mut customer);
    let record = newest("abandoned_ringing").await;
    assert_eq!(record["agent"], anna.http.user["id"], "it counts against the agent who let it ring");
    drop(anna);
    still_well(&mut appliance, &admin).await;
}
