//! Re-offers, forks, deletes, time-outs and the bounds.

use std::time::Duration;

use media::control::{Event, MediaError};
use media::quality::Window;
use serde_json::json;

use super::world::{ANNA, BEN, World, proxy};
use crate::node::{Deed, UNDER_WAY_MAX};
use crate::session::{Config, Input};

#[test]
fn a_re_offer_of_either_party_keeps_the_ports() {
    let mut world = World::new();
    let (first, back) = (world.offer(ANNA, json!({})), world.answer(BEN, json!({})));
    assert_eq!(world.offer(ANNA, json!({"to-tag": "b"})), first);
    assert_eq!(world.answer(BEN, json!({})), back);
    let from_ben = world.offer(BEN, json!({"from-tag": "b", "to-tag": "a"}));
    assert!(from_ben.contains("m=audio 30000 "), "towards Anna: {from_ben}");
    let to_ben = world.answer(ANNA, json!({"from-tag": "b", "to-tag": "a"}));
    assert!(to_ben.contains("m=audio 30002 "), "towards Ben: {to_ben}");
    assert_eq!(world.plane.legs.len(), 2);
}

#[test]
fn the_branch_that_answers_last_has_the_call() {
    let mut world = World::new();
    let first = world.offer(ANNA, json!({}));
    assert_eq!(world.offer(ANNA, json!({})), first, "branches that are not told apart share the ports");
    world.answer(BEN, json!({"to-tag": "b1"}));
    world.answer(&BEN.replace("6000", "7000"), json!({"to-tag": "b2"}));
    assert_eq!(world.plane.legs.len(), 2);
    world.setup_towards(7_000);
    let lost = world.ask(
        json!({"command": "delete", "call-id": "c", "from-tag": "a", "to-tag": "b1", "delete-delay": 0}),
    );
    assert_eq!(lost["result"], "ok");
    assert_eq!(world.plane.legs.len(), 2, "the other branch talks on");
    world.ask(
        json!({"command": "delete", "call-id": "c", "from-tag": "a", "to-tag": "b2", "delete-delay": 0}),
    );
    assert_eq!(world.plane.legs.len(), 0);
}

#[test]
fn branches_towards_a_browser_and_a_phone_have_legs_of_their_own() {
    let mut world = World::new();
    let browser = json!({"via-branch": "z1", "ICE": "force", "transport-protocol": "UDP/TLS/RTP/SAVPF"});
    assert!(world.offer(ANNA, browser).contains("a=ice-ufrag:"));
    let phone = world.offer(ANNA, json!({"via-branch": "z2", "ICE": "remove"}));
    assert!(phone.contains("RTP/AVP 8 0 101"), "{phone}");
    assert_eq!(world.plane.legs.len(), 4);
    world.answer(BEN, json!({"via-branch": "z2"}));
    world.setup_towards(6_000);
    world.ask(
        json!({"command": "delete", "call-id": "c", "from-tag": "a", "via-branch": "z1", "delete-delay": 0}),
    );
    assert_eq!(world.plane.legs.len(), 2, "the phone talks on");
    world.setup_towards(6_000);
    world
        .ask(json!({"command": "delete", "call-id": "c", "from-tag": "a", "to-tag": "b", "delete-delay": 0}));
    assert_eq!(world.plane.legs.len(), 0);
}

/// MEDIA-15: delete ends the legs and tells the figures.
#[test]
fn a_delete_without_delay_ends_the_legs_at_once_and_tells_the_figures() {
    let mut world = World::up();
    world.plane.stats.received.packets = 7;
    let answer = world.ask(json!({"command": "delete", "call-id": "c", "from-tag": "a", "delete-delay": 0}));
    assert_eq!(answer["totals"]["RTP"]["packets"], 14, "{answer}");
    assert_eq!(answer["tags"]["a"]["medias"][0]["streams"][0]["stats"]["packets"], 7);
    assert_eq!(
        (world.plane.legs.len(), world.node.machine().legs(), world.node.machine().calls()),
        (0, 0, 0)
    );
}

#[test]
fn a_deleted_call_talks_on_for_its_delay_and_an_offer_saves_it() {
    let mut world = World::up();
    world.ask(json!({"command": "delete", "call-id": "c", "from-tag": "a", "delete delay": 10}));
    world.pass(Duration::from_secs(9));
    assert_eq!(world.plane.legs.len(), 2);
    world.offer(ANNA, json!({"to-tag": "b"}));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.plane.legs.len(), 2, "signalled again");
    let bare = world.ask(json!({"command": "delete", "call-id": "c"}));
    assert_eq!(bare, json!({"result": "ok"}), "without a tag there are no figures");
    world.pass(Duration::from_secs(31));
    assert_eq!((world.plane.legs.len(), world.node.machine().calls()), (0, 0));
}

#[test]
fn what_is_not_there_is_told_in_rtpengines_words() {
    let mut world = World::new();
    let warning = "Call-ID not found or tags didn't match";
    for (request, key, text) in [
        (json!({"command": "delete", "call-id": "x", "from-tag": "a"}), "warning", warning),
        (
            json!({"command": "delete", "call-id": "x", "from-tag": "a", "flags": ["fatal"]}),
            "error-reason",
            warning,
        ),
        (json!({"command": "query", "call-id": "x"}), "error-reason", "Unknown call-id"),
        (
            json!({"command": "answer", "call-id": "x", "from-tag": "a", "to-tag": "b", "sdp": BEN}),
            "error-reason",
            "Unknown call-id",
        ),
        (
            json!({"command": "offer", "call-id": "x", "from-tag": "a"}),
            "error-reason",
            "No SDP body in message",
        ),
        (json!({"command": "offer", "from-tag": "a", "sdp": ANNA}), "error-reason", "No call-id in message"),
        (json!({"command": "offer", "call-id": "x", "sdp": ANNA}), "error-reason", "No from-tag in message"),
        (
            json!({"command": "offer", "call-id": "x", "from-tag": "a", "sdp": "hello"}),
            "error-reason",
            "Failed to parse SDP",
        ),
        (
            json!({"command": "connect", "call-id": "x"}),
            "error-reason",
            "Command not supported by this node: connect",
        ),
    ] {
        assert_eq!(world.ask(request.clone())[key], text, "{request}");
    }
    assert_eq!(world.ask(json!({"command": "ping"})), json!({"result": "pong"}));
    assert_eq!(world.node.machine().calls(), 0);
}

#[test]
fn a_full_node_says_what_makes_proxies_try_another() {
    let mut world = World::new();
    world.plane.room = 1;
    let request = json!({"command": "offer", "call-id": "c", "from-tag": "a", "sdp": ANNA});
    assert_eq!(world.ask(request.clone())["error-reason"], "Ran out of ports");
    assert_eq!((world.plane.legs.len(), world.node.machine().legs()), (0, 0), "half a call is no call");
    let mut world = World::with(Config { calls_max: 0, ..Config::default() });
    assert_eq!(world.ask(request)["error-reason"], "Parallel session limit reached");
}

#[test]
fn a_call_in_which_nothing_comes_any_more_is_ended() {
    let mut world = World::up();
    let (a, b) = (world.leg_towards(5_000), world.leg_towards(6_000));
    world.tell(Event::Started { leg: a });
    world.pass(Duration::from_secs(120));
    assert_eq!(world.plane.legs.len(), 2, "one party talks");
    world.tell(Event::Silent { leg: a, lasting: Duration::from_secs(30) });
    world.pass(Duration::from_secs(29));
    assert_eq!(world.plane.legs.len(), 2);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.plane.legs.len(), 0, "{b} never said anything");
    assert_eq!(world.node.machine().totals().timed_out, 1);
}

#[test]
fn an_offer_that_nobody_answers_is_forgotten() {
    let mut world = World::new();
    world.offer(ANNA, json!({}));
    world.pass(Duration::from_secs(3_599));
    assert_eq!(world.plane.legs.len(), 2);
    world.pass(Duration::from_secs(2));
    assert_eq!((world.plane.legs.len(), world.node.machine().calls()), (0, 0));
}

/// MEDIA-15: a repeated datagram is answered from memory, also while its request is still being carried out.
#[test]
fn a_repeated_datagram_makes_no_second_call() {
    let mut world = World::new();
    let request = format!("c1 {}", json!({"command": "offer", "call-id": "c", "from-tag": "a", "sdp": ANNA}));
    let mut deeds = Vec::new();
    world.node.datagram(0, proxy(), request.as_bytes(), world.now, &mut deeds);
    let mut again = Vec::new();
    world.node.datagram(0, proxy(), request.as_bytes(), world.now, &mut again);
    assert!(again.is_empty(), "the first one is under way");
    let first = world.settle(deeds);
    world.node.datagram(0, proxy(), b"c1 something else", world.now, &mut again);
    assert_eq!(world.settle(again), first);
    assert_eq!((world.plane.legs.len(), world.node.counts().repeated), (2, 2));
}

#[test]
fn requests_of_one_call_wait_for_each_other_and_not_without_end() {
    let mut world = World::new();
    let mut deeds = Vec::new();
    let mut send = |world: &mut World, n: usize, request: serde_json::Value| {
        let datagram = format!("n{n} {request}");
        world.node.datagram(0, proxy(), datagram.as_bytes(), world.now, &mut deeds);
    };
    send(&mut world, 0, json!({"command": "offer", "call-id": "c", "from-tag": "a", "sdp": ANNA}));
    send(
        &mut world,
        1,
        json!({"command": "answer", "call-id": "c", "from-tag": "a", "to-tag": "b", "sdp": BEN}),
    );
    for n in 2..20 {
        send(&mut world, n, json!({"command": "query", "call-id": "c"}));
    }
    let answers = world.settle(deeds);
    let refused = answers.iter().filter(|answer| answer["result"] == "error").count();
    assert_eq!((answers.len(), refused), (20, 3), "sixteen wait, the one before them runs");
    world.setup_towards(6_000);
}

#[test]
fn a_node_with_too_many_requests_under_way_says_so_as_the_proxy_understands_it() {
    let mut world = World::new();
    let mut deeds = Vec::new();
    for n in 0..UNDER_WAY_MAX {
        let offer = json!({"command": "offer", "call-id": n.to_string(), "from-tag": "a", "sdp": ANNA});
        world.node.datagram(0, proxy(), format!("n{n} {offer}").as_bytes(), world.now, &mut deeds);
    }
    deeds.clear();
    let offer = json!({"command": "offer", "call-id": "more", "from-tag": "a", "sdp": ANNA});
    assert_eq!(world.ask(offer.clone())["error-reason"], "Load limit exceeded");
    let mut offer = offer;
    offer["supports"] = json!(["load limit"]);
    assert_eq!(world.ask(offer)["result"], "load limit");
    assert_eq!(world.node.counts().overloaded, 2);
}

#[test]
fn a_plane_that_refuses_a_setup_fails_the_answer_with_its_words() {
    let mut world = World::new();
    world.offer(ANNA, json!({}));
    let request = json!({"command": "answer", "call-id": "c", "from-tag": "a", "to-tag": "b", "sdp": BEN});
    let mut deeds = Vec::new();
    world.node.datagram(0, proxy(), format!("z {request}").as_bytes(), world.now, &mut deeds);
    let Some(Deed::Plane { job, .. }) = deeds.pop() else { panic!("a command") };
    let result = Err(MediaError::BadSetup("no".into()));
    world.node.input(Input::Plane { job, result }, world.now, &mut deeds);
    assert_eq!(world.settle(deeds)[0]["error-reason"], "the leg cannot be set up: no");
    world.ask(json!({"command": "delete", "call-id": "c", "delete-delay": 0}));
    assert_eq!(world.plane.legs.len(), 0);
}

/// MEDIA-15: query, list and statistics have rtpengine's shape.
#[test]
fn a_call_is_found_by_query_list_and_statistics() {
    let mut world = World::up();
    let answer = world.ask(json!({"command": "query", "call-id": "c"}));
    let stream = &answer["tags"]["a"]["medias"][0]["streams"][0];
    assert_eq!(stream["local port"], 30_000, "{answer}");
    assert_eq!(stream["endpoint"], json!({"family": "IPv4", "address": "192.0.2.5", "port": 5000}));
    assert_eq!(answer["tags"]["b"]["subscriptions"][0], json!({"tag": "a", "type": "offer/answer"}));
    assert_eq!(answer["tags"]["b"]["medias"][0]["protocol"], "RTP/AVP");
    assert_eq!(world.ask(json!({"command": "list"}))["calls"], json!(["c"]));
    let statistics = world.ask(json!({"command": "statistics"}));
    assert_eq!(statistics["statistics"]["currentstatistics"]["sessionsown"], 1);
}

/// MEDIA-15: quality by source, in the units proxies expect: tenths of MOS, milliseconds of jitter, percent, microseconds.
#[test]
fn figures_of_a_source_are_in_rtpengines_units() {
    let mut world = World::up();
    let stats = &mut world.plane.stats;
    stats.received_ssrc = Some(3_000_000_000);
    (stats.received.packets, stats.received.lost) = (980, 20);
    (stats.received.jitter_ms, stats.received.rtt_ms) = (3.6, Some(41.5));
    stats.rtcp_received = 4;
    stats.heard_at = Some(model::time::Timestamp::from_millis(1_234_567));
    let figures = world.ask(json!({"command": "query", "call-id": "c"}));
    assert_eq!(figures["SSRC"]["3000000000"], json!({}), "no window has ended");
    let worst = Window { ended_us: 7_500_000, mos: 3.1, jitter_ms: 9.7, loss_percent: 11.8, rtt_ms: None };
    world.plane.stats.quality = Some(media::quality::MosSummary {
        mean: 4.26,
        p10: 3.5,
        worst,
        best: Window {
            ended_us: 12_500_000,
            mos: 4.4,
            jitter_ms: 1.2,
            loss_percent: 0.0,
            rtt_ms: Some(40.0),
        },
        windows: 9,
        course: media::quality::Course::default(),
    });
    let figures = world.ask(json!({"command": "query", "call-id": "c"}));
    let wanted = json!({
        "average MOS": {"MOS": 43, "jitter": 4, "packet loss": 2, "round-trip time": 83_000, "round-trip time leg": 41_500, "samples": 9},
        "lowest MOS": {"MOS": 31, "jitter": 10, "packet loss": 12, "round-trip time": 41_500, "reported at": 7},
        "highest MOS": {"MOS": 44, "jitter": 1, "packet loss": 0, "round-trip time": 81_500, "round-trip time leg": 40_000, "reported at": 12},
        "MOS progression": {"interval": 5, "entries": []},
    });
    assert_eq!(figures["SSRC"]["3000000000"], wanted);
    let streams = &figures["tags"]["a"]["medias"][0]["streams"];
    assert_eq!((&streams[0]["last packet"], &streams[0]["SSRC"]), (&json!(1_234), &json!(3_000_000_000_u64)));
    assert_eq!(streams[1]["stats"]["packets"], 4);
}
