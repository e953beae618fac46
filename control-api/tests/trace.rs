//! What went over the wire for a call.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use common::Api;
use model::id::{Id as _, InteractionId};
use model::time::Timestamp;
use model::trace::{CallTrace, TracedMessage, Wire};

fn trace() -> CallTrace {
    let message = |at, outgoing, text: &str| TracedMessage {
        at: Timestamp::from_micros(at),
        outgoing,
        wire: Wire::Udp,
        ours: "192.0.2.1:5060".parse().unwrap(),
        theirs: "192.0.2.2:5070".parse().unwrap(),
        bytes: text.replace('\n', "\r\n").into_bytes(),
    };
    let invite = "INVITE sip:100@us SIP/2.0\ni: a\nCSeq: 7 INVITE\nc: application/SDP\n\nv=0\n";
    let ringing = "SIP/2.0 180 Ringing\nCall-ID: a\nCSeq: 7 INVITE\n\n";
    CallTrace {
        interaction: InteractionId::from_number(5),
        messages: vec![message(1_000_000, false, invite), message(1_000_250, true, ringing)],
        left_out: 0,
    }
}

/// SIP-08: the ladder of a call in progress and of one that is over, also as a capture file; for supervisors, and audited.
#[tokio::test]
async fn a_call_is_seen_message_by_message() {
    let api = Api::open().await;
    let (sue, anna) = (api.client("sue").await, api.client("anna").await);
    let path = format!("/records/{}/trace", InteractionId::from_number(5));
    assert_eq!(sue.get(&path).await.status, 404);
    api.shows_trace(Some(trace()));
    assert_eq!(anna.get(&path).await.status, 403);
    let live = sue.get(&path).await.body;
    let [invite, ringing] = [&live["messages"][0], &live["messages"][1]];
    assert_eq!((invite["summary"].as_str(), invite["sdp"].as_bool()), (Some("INVITE"), Some(true)));
    assert_eq!((invite["call_id"].as_str(), invite["cseq"].as_str()), (Some("a"), Some("7 INVITE")));
    assert_eq!((ringing["summary"].as_str(), ringing["after_us"].as_u64()), (Some("180 Ringing"), Some(250)));
    assert_eq!(
        (ringing["ours"].as_str(), ringing["theirs"].as_str()),
        (Some("192.0.2.1:5060"), Some("192.0.2.2:5070"))
    );
    assert!(invite["text"].as_str().unwrap().ends_with("v=0\r\n"));

    api.shows_trace(None);
    api.house.desk.keep_traces(&[trace()]).await;
    assert_eq!(sue.get(&path).await.body, live, "as it was");
    let file = sue.get(&format!("{path}.pcap")).await;
    assert_eq!(
        (file.status, file.headers["content-type"].to_str().unwrap()),
        (200, "application/vnd.tcpdump.pcap")
    );
    let accesses = api.client("adam").await.get("/audit?action=trace.read").await.body;
    assert_eq!(accesses["items"].as_array().unwrap().len(), 3, "{accesses}");
}
