//! SRTP and browsers.

use media::control::{Security, SrtpSuite};
use serde_json::json;

use super::world::{ANNA, BEN, World};

const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn safe_ben() -> String {
    format!("{}a=crypto:4 AES_CM_128_HMAC_SHA1_80 {KEY}|2^31\r\n", BEN.replace("RTP/AVP", "RTP/SAVP"))
}

/// MEDIA-15: plain RTP on one side, SDES on the other.
#[test]
fn srtp_by_sdes_is_offered_with_a_key_a_suite_and_the_answer_chooses_one() {
    let mut world = World::new();
    let text = world.offer(ANNA, json!({"transport-protocol": "RTP/SAVP", "DTLS": "off", "ICE": "remove"}));
    let crypto: Vec<&str> = text.lines().filter(|line| line.starts_with("a=crypto:")).collect();
    assert_eq!(crypto.len(), 5, "{text}");
    assert!(crypto[0].starts_with("a=crypto:1 AEAD_AES_256_GCM inline:") && !crypto[0].ends_with('='));
    assert!(text.contains("RTP/SAVP 8 0 101\r\n"));
    let text = world.answer(&safe_ben(), json!({}));
    assert!(text.contains("RTP/AVP 8 101\r\n") && !text.contains("crypto"), "{text}");
    assert_eq!(world.setup_towards(5_000).security, Security::None);
    let Security::Sdes { send, receive } = world.setup_towards(6_000).security else { panic!("SDES") };
    assert_eq!((send.suite, receive.suite), (SrtpSuite::AesCm128HmacSha1_80, SrtpSuite::AesCm128HmacSha1_80));
    assert_eq!(receive.key_and_salt.len(), 30);
}

#[test]
fn suites_are_left_out_as_asked_and_tags_have_no_gaps() {
    let text = World::new().offer(
        ANNA,
        json!({"transport-protocol": "RTP/SAVP", "SDES": ["no-AEAD_AES_256_GCM", "only-AES_CM_128_HMAC_SHA1_80"]}),
    );
    let crypto: Vec<&str> = text.lines().filter(|line| line.starts_with("a=crypto:")).collect();
    assert_eq!(crypto.len(), 1);
    assert!(crypto[0].starts_with("a=crypto:1 AES_CM_128_HMAC_SHA1_80 "));
}

#[test]
fn an_offerer_with_sdes_gets_one_key_of_ours_and_keeps_it() {
    let mut world = World::new();
    let safe = ANNA.replace("RTP/AVP", "RTP/SAVP");
    let anna =
        format!("{safe}a=crypto:9 F8_128_HMAC_SHA1_80 {KEY}\r\na=crypto:3 AES_CM_128_HMAC_SHA1_32 {KEY}\r\n");
    let offered = world.offer(&anna, json!({"transport-protocol": "RTP/AVP"}));
    assert!(offered.contains("RTP/AVP 8 0 101") && !offered.contains("crypto"), "{offered}");
    let first = world.answer(BEN, json!({}));
    assert!(
        first.contains("RTP/SAVP 8 101\r\n") && first.contains("a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:")
    );
    world.offer(&anna, json!({"transport-protocol": "RTP/AVP", "to-tag": "b"}));
    assert_eq!(world.answer(BEN, json!({})), first, "a re-offer keeps ports and keys");
}

#[test]
fn an_answer_without_a_key_that_was_offered_ends_the_medium() {
    let mut world = World::new();
    world.offer(ANNA, json!({"transport-protocol": "RTP/SAVP"}));
    let text = world.answer(&BEN.replace("RTP/AVP", "RTP/SAVP"), json!({}));
    assert!(text.contains("m=audio 0 RTP/SAVP"), "{text}");
    assert!(world.plane.legs.is_empty());
}

const BROWSER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-options:trickle\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 0 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 11:22\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\n\
    a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=rtpmap:126 telephone-event/8000\r\na=ssrc:5 cname:x\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n";

/// MEDIA-15: a browser's offer towards a phone, with the usual flags.
#[test]
fn a_browser_reaches_a_phone() {
    let mut world = World::new();
    let text = world.offer(
        BROWSER,
        json!({"ICE": "remove", "transport-protocol": "RTP/AVP", "rtcp-mux": ["demux"], "DTLS": "off",
               "replace": ["zero-address"], "flags": ["trust-address"]}),
    );
    assert!(text.contains("RTP/AVP 111 0 126\r\nc=IN IP4 198.51.100.1\r\n"), "{text}");
    for gone in ["ice-", "fingerprint", "setup", "candidate", "rtcp-mux", "a=ssrc"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert!(text.contains("a=group:BUNDLE 0\r\n") && text.contains("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"));
    let ben = BEN.replace("8 101", "0 126").replace("8 PCMA", "0 PCMU").replace("101 tele", "126 tele");
    let text = world.answer(&ben, json!({}));
    assert!(text.contains("m=audio 9000 UDP/TLS/RTP/SAVPF 0 126\r\n"), "{text}");
    for line in [
        "a=setup:passive",
        "a=fingerprint:sha-256 AA:BB",
        "a=rtcp-mux",
        "a=ice-lite",
        "a=ice-ufrag:ourufrag",
        "a=mid:0",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
    }
    assert!(text.contains("a=candidate:1 1 UDP 2130706431 198.51.100.1 9000 typ host\r\n"));
    let browser =
        world.plane.legs.values().flatten().find(|setup| matches!(setup.security, Security::Dtls { .. }));
    let Security::Dtls { remote_ufrag, active, .. } = &browser.unwrap().security else { panic!("DTLS") };
    assert_eq!((remote_ufrag.as_str(), *active), ("abcd", false));
}

#[test]
fn a_phone_reaches_a_browser() {
    let mut world = World::new();
    let text = world.offer(
        ANNA,
        json!({"ICE": "force", "transport-protocol": "UDP/TLS/RTP/SAVPF", "rtcp-mux": ["offer"],
               "SDES": ["off"], "flags": ["generate-mid", "no-rtcp-attribute"]}),
    );
    for line in ["a=setup:actpass", "a=mid:1", "a=rtcp-mux", "a=ice-lite"] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
    }
    let browser = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8 101\r\n\
        c=IN IP4 0.0.0.0\r\na=ice-ufrag:wxyz\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 11:22\r\n\
        a=setup:active\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:101 telephone-event/8000\r\n";
    let text = world.answer(browser, json!({"ICE": "remove", "replace": ["zero-address"]}));
    assert!(text.contains("m=audio 30000 RTP/AVP 8 101\r\nc=IN IP4 198.51.100.1\r\n"), "{text}");
    assert!(text.contains("a=sendrecv\r\n") && !text.contains("ice") && !text.contains("setup"), "{text}");
}

/// MEDIA-01, MEDIA-15: DTLS without ICE, towards the answerer and towards the offerer, in the roles that were agreed.
#[test]
fn dtls_needs_no_ice() {
    let keyed = |sdp: &str, setup: &str| {
        format!(
            "{}a=fingerprint:sha-256 11:22\r\na=setup:{setup}\r\n",
            sdp.replace("RTP/AVP", "UDP/TLS/RTP/SAVP")
        )
    };
    let active = |world: &World, port: u16| match world.setup_towards(port).security {
        Security::DtlsAlone { active, .. } => active,
        other => panic!("{other:?}"),
    };
    for (setup, ours) in [("active", false), ("passive", true)] {
        let mut world = World::new();
        let text = world.offer(ANNA, json!({"transport-protocol": "UDP/TLS/RTP/SAVP", "ICE": "remove"}));
        assert!(
            text.contains("a=setup:actpass\r\na=fingerprint:sha-256 AA:BB\r\n") && !text.contains("ice"),
            "{text}"
        );
        world.answer(&keyed(BEN, setup), json!({}));
        assert_eq!(active(&world, 6_000), ours);
    }
    for (setup, flags, said) in [
        ("actpass", json!({}), "active"),
        ("passive", json!({}), "active"),
        ("active", json!({}), "passive"),
        ("actpass", json!({"DTLS": "passive"}), "passive"),
    ] {
        let mut world = World::new();
        world.offer(&keyed(ANNA, setup), json!({"transport-protocol": "RTP/AVP"}));
        let text = world.answer(BEN, flags);
        assert!(text.contains(&format!("a=setup:{said}\r\n")), "{setup}: {text}");
        assert_eq!(active(&world, 5_000), said == "active");
    }
}

/// Browsers take a bundle's first medium for all of them, but each of our legs has its own credentials.
#[test]
fn several_media_with_ice_are_not_bundled() {
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
        a=fingerprint:sha-256 11:22\r\na=setup:actpass\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";
    let whole = format!("{}{video}", BROWSER.split_once("m=video").unwrap().0);
    let mut world = World::new();
    let text = world.offer(&whole, json!({}));
    assert!(!text.contains("BUNDLE") && text.contains("m=video 9000 UDP/TLS/RTP/SAVPF 96\r\n"), "{text}");
}

const ICE: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
    a=candidate:1 1 UDP 2130706431 192.0.2.5 5000 typ host\r\n";

/// MEDIA-12, MEDIA-15: ICE without DTLS is spoken on the port pair, towards whoever speaks it.
#[test]
fn ice_without_dtls_has_candidates_for_both_ports_and_checks_by_our_credentials() {
    let mut world = World::new();
    let text = world.offer(&format!("{ANNA}{ICE}"), json!({"ICE": "remove"}));
    assert!(!text.contains("ice"), "{text}");
    let text = world.answer(BEN, json!({}));
    assert!(text.contains("a=ice-lite\r\n"), "{text}");
    for line in
        ["1 1 UDP 2130706431 198.51.100.1 30000 typ host", "1 2 UDP 2130706430 198.51.100.1 30001 typ host"]
    {
        assert!(text.contains(&format!("a=candidate:{line}\r\n")), "{line} in {text}");
    }
    let checks = world.setup_towards(5_000).checks.expect("Anna is checked");
    assert_eq!(checks.remote_ufrag, "abcd");
    assert!(text.contains(&format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", checks.ufrag, checks.pwd)));
    assert_eq!(world.setup_towards(6_000).checks, None);
}

#[test]
fn ice_that_is_not_answered_or_answered_by_another_lite_agent_is_not_waited_for() {
    let mut world = World::new();
    let text = world.offer(ANNA, json!({"ICE": "force"}));
    assert!(text.contains("a=ice-ufrag:") && text.contains(" 2 UDP "), "{text}");
    world.answer(BEN, json!({}));
    assert_eq!(world.setup_towards(6_000).checks, None);
    let mut world = World::new();
    world.offer(ANNA, json!({"ICE": "force"}));
    let lite = format!("{}{ICE}", BEN.replace("s=-", "s=-\r\na=ice-lite"));
    assert!(!world.answer(&lite, json!({})).contains("ice-ufrag"));
    assert_eq!(world.setup_towards(6_000).checks, None);
}

#[test]
fn an_offerers_ice_may_be_taken_away_from_its_answer() {
    let mut world = World::new();
    world.offer(&format!("{ANNA}{ICE}"), json!({"ICE": "remove"}));
    assert!(!world.answer(BEN, json!({"ICE": "remove"})).contains("ice"));
    assert_eq!(world.setup_towards(5_000).checks, None);
}
