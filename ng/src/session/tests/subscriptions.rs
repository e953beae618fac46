//! Copies for recorders and listeners.

use media::control::{Direction, Security};
use serde_json::json;

use super::world::{ANNA, World};

fn recorder(ports: &[u16]) -> String {
    let head = "v=0\r\no=rec 7 7 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n";
    let line = |port: &u16| format!("m=audio {port} RTP/AVP 8\r\na=recvonly\r\n");
    format!("{head}{}", ports.iter().map(line).collect::<String>())
}

/// MEDIA-15: a recorder gets each party's words on a line of its own, and the call does not notice it.
#[test]
fn a_recorder_hears_both_parties_until_it_unsubscribes() {
    let mut world = World::up();
    let (a, b) = (world.leg_towards(5_000), world.leg_towards(6_000));
    let made = world.ask(json!({"command": "subscribe request", "call-id": "c", "flags": ["all", "siprec"]}));
    assert_eq!((&made["result"], &made["from-tags"]), (&json!("ok"), &json!(["a", "b"])), "{made}");
    let tag = made["to-tag"].as_str().unwrap();
    assert!(tag.len() == 64 && tag.chars().all(|c| c.is_ascii_hexdigit()), "{tag}");
    let sdp = made["sdp"].as_str().unwrap();
    assert_eq!(sdp.matches("m=audio ").count(), 2);
    assert_eq!(sdp.matches(" RTP/AVP 8 101\r\nc=IN IP4 198.51.100.1\r\n").count(), 2, "{sdp}");
    assert!(
        sdp.contains("a=label:0\r\n") && sdp.contains("a=label:1\r\n") && sdp.contains("a=sendonly\r\n"),
        "{sdp}"
    );
    let answer = json!({"command": "subscribe answer", "call-id": "c", "to-tag": tag, "sdp": recorder(&[7_000, 7_002])});
    assert_eq!(world.ask(answer)["result"], "ok");
    let (first, second) = (world.leg_towards(7_000), world.leg_towards(7_002));
    assert_eq!((&world.plane.hears[&first], &world.plane.hears[&second]), (&a.to_string(), &b.to_string()));
    assert_eq!((&world.plane.hears[&a], &world.plane.hears[&b]), (&b.to_string(), &a.to_string()));
    assert_eq!(world.setup_towards(7_000).direction, Direction::SendOnly, "nobody hears a recorder");
    for _ in 0..2 {
        let end = world.ask(json!({"command": "unsubscribe", "call-id": "c", "to-tag": tag}));
        assert_eq!(end["result"], "ok");
        assert_eq!(world.plane.legs.len(), 2);
    }
}

/// MEDIA-15: a listener to one party, by SRTP; a medium it refuses is not copied; with the call the copies end.
#[test]
fn copies_end_with_their_call_and_refused_media_are_not_copied() {
    let mut world = World::up();
    let keyed = json!({"command": "subscribe request", "call-id": "c", "from-tag": "b", "to-tag": "l",
        "transport-protocol": "RTP/SAVP"});
    let made = world.ask(keyed);
    let sdp = made["sdp"].as_str().unwrap();
    assert_eq!((&made["from-tag"], &made["to-tag"]), (&json!("b"), &json!("l")));
    assert!(
        sdp.contains("RTP/SAVP 8 101") && sdp.contains("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:"),
        "{sdp}"
    );
    const KEY: &str =
        "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n";
    let safe = format!("{}{KEY}", recorder(&[7_000]).replace("RTP/AVP", "RTP/SAVP"));
    let answer =
        world.ask(json!({"command": "subscribe answer", "call-id": "c", "to-tag": "l", "sdp": safe}));
    assert_eq!(answer["result"], "ok", "{answer}");
    assert!(matches!(world.setup_towards(7_000).security, Security::Sdes { .. }));
    world.ask(json!({"command": "subscribe request", "call-id": "c", "from-tag": "a", "to-tag": "m"}));
    assert_eq!(world.plane.legs.len(), 4);
    let refused =
        json!({"command": "subscribe answer", "call-id": "c", "to-tag": "m", "sdp": recorder(&[0])});
    assert_eq!(world.ask(refused)["result"], "ok");
    assert_eq!(world.plane.legs.len(), 3);
    world.ask(json!({"command": "delete", "call-id": "c", "from-tag": "a", "delete-delay": 0}));
    assert_eq!((world.plane.legs.len(), world.node.machine().legs()), (0, 0));
}

#[test]
fn subscribers_of_one_call_are_bounded_and_a_refused_one_leaves_nothing() {
    let mut world = World::up();
    let request = |tag: usize| json!({"command": "subscribe request", "call-id": "c", "from-tag": "a", "to-tag": format!("s{tag}")});
    for tag in 0..16 {
        assert_eq!(world.ask(request(tag))["result"], "ok");
        assert_eq!(
            world.ask(request(tag))["result"],
            "ok",
            "asked again, it takes the place of the one before"
        );
    }
    assert_eq!(world.ask(request(16))["error-reason"], "Too many subscriptions for this call");
    assert_eq!(world.plane.legs.len(), 2 + 16);
    world.plane.room = world.plane.legs.len();
    world.ask(json!({"command": "unsubscribe", "call-id": "c", "to-tag": "s0"}));
    world.plane.room = world.plane.legs.len();
    assert_eq!(world.ask(request(16))["error-reason"], "Ran out of ports");
    assert_eq!(world.plane.legs.len(), 2 + 15);
    // A call that nobody answered has nothing to copy.
    world.plane.room = 100;
    world.ask(json!({"command": "offer", "call-id": "d", "from-tag": "a", "sdp": ANNA}));
    let early = json!({"command": "subscribe request", "call-id": "d", "from-tag": "a"});
    assert_eq!(world.ask(early)["error-reason"], "No monologues matched");
}
