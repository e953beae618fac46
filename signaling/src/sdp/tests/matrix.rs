use media::control::{Direction, SrtpSuite};
use model::media::Codec;
use model::service::SrtpPolicy;

use super::*;

const ALL: [(Direction, &str); 4] = [
    (Direction::SendRecv, "sendrecv"),
    (Direction::SendOnly, "sendonly"),
    (Direction::RecvOnly, "recvonly"),
    (Direction::Inactive, "inactive"),
];

const fn way(send: bool, receive: bool) -> Direction {
    match (send, receive) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

/// SIP-05, RFC 3264 §6.1 and §8.4: audio flows where both sides want it, and all three forms of hold are hold.
#[test]
fn the_answer_flows_only_where_both_sides_want_it() {
    let ways = [(true, true), (true, false), (false, true), (false, false)];
    for (n, (far_sends, far_hears)) in ways.into_iter().enumerate() {
        for (we_send, we_hear) in ways {
            for null_address in [false, true] {
                let address = if null_address { "c=IN IP4 0.0.0.0\r\n" } else { "" };
                let offer = far(&format!("m=audio 4000 RTP/AVP 8\r\n{address}a={}\r\n", ALL[n].1));
                let ours = held(trunk(), way(we_send, we_hear));
                let (settled, sdp) = answered(&offer, &ours).unwrap();
                let hears_us = far_hears && !null_address;
                let expected = way(we_send && hears_us, we_hear && far_sends);
                assert_eq!(settled.setup.direction, expected, "{offer}");
                assert_eq!(sdp.direction_of(&sdp.media[0]), expected);
                assert_eq!(settled.held, !hears_us);
                assert_eq!(settled.setup.remote.is_none(), null_address, "nothing is sent to 0.0.0.0");
            }
        }
    }
    let v6 = far("m=audio 4000 RTP/AVP 8\r\nc=IN IP6 ::\r\n");
    assert!(answered(&v6, &trunk()).unwrap().0.held);
}

#[test]
fn the_answer_to_our_hold_is_read_the_same_way() {
    for (ours, our_way) in ALL {
        for (_, far_way) in ALL {
            let mine = held(trunk(), ours);
            let offer = offer(&mine, &here(), &SEED, &mut LocalSession::new(0)).unwrap();
            assert!(offer.media[0].has(our_way));
            let theirs = far(&format!("m=audio 4000 RTP/AVP 8\r\na={far_way}\r\n"));
            let setup = apply_answer(&offer, &theirs, &mine, &SEED).unwrap().setup;
            let sends = |way: &str| matches!(way, "sendrecv" | "sendonly");
            let hears = |way: &str| matches!(way, "sendrecv" | "recvonly");
            let expected = way(sends(our_way) && hears(far_way), hears(our_way) && sends(far_way));
            assert_eq!(setup.direction, expected, "{our_way} answered {far_way}");
        }
    }
}

/// SIP-05: SRTP by policy. Rows: what is offered; columns: Accept, Require, Never.
#[test]
fn srtp_is_taken_refused_or_demanded_by_policy() {
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY30}|2^31\r\n");
    let with_mki = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY30}|2^31|1:4\r\n");
    let rows = [
        ("RTP/AVP", "", ["plain", "refused", "plain"]),
        ("RTP/AVPF", "", ["plain", "refused", "plain"]),
        ("RTP/AVP", crypto.as_str(), ["secure", "secure", "plain"]),
        ("RTP/AVP", with_mki.as_str(), ["plain", "refused", "plain"]),
        ("RTP/SAVP", crypto.as_str(), ["secure", "secure", "refused"]),
        ("RTP/SAVPF", crypto.as_str(), ["secure", "secure", "refused"]),
        ("RTP/SAVP", with_mki.as_str(), ["refused"; 3]),
        ("RTP/SAVP", "", ["refused"; 3]),
    ];
    for (protocol, lines, expected) in rows {
        let offer = far(&format!("m=audio 4000 {protocol} 8\r\n{lines}"));
        for (policy, expected) in
            [SrtpPolicy::Accept, SrtpPolicy::Require, SrtpPolicy::Never].into_iter().zip(expected)
        {
            let outcome = match answered(&offer, &Ability::sip(policy)) {
                Err(refusal) => {
                    assert_eq!(refusal.status(), 488);
                    "refused"
                }
                Ok((settled, sdp)) => {
                    assert_eq!(sdp.media[0].protocol, protocol);
                    let secure = settled.setup.security != Security::None;
                    assert_eq!(sdp.media[0].has("crypto"), secure, "said and done are one");
                    if secure { "secure" } else { "plain" }
                }
            };
            assert_eq!(outcome, expected, "{protocol} {lines} {policy:?}");
        }
    }
}

/// SIP-05: of several a=crypto lines the best suite is chosen and answered under its tag, with a key of our own.
#[test]
fn the_best_suite_is_answered_under_its_tag() {
    let lines = |suites: &[(u32, SrtpSuite)]| -> String {
        let far_keys = KeySeed::new([9; 32]);
        let line = |(tag, suite): &(u32, SrtpSuite)| {
            let key = CryptoLine { tag: *tag, key: far_keys.key(*suite) };
            format!("a=crypto:{}\r\n", key.attribute().value.unwrap())
        };
        suites.iter().map(line).collect()
    };
    use SrtpSuite::{AeadAes128Gcm, Aes256CmHmacSha1_80, AesCm128HmacSha1_32, AesCm128HmacSha1_80};
    for (suites, best) in [
        (vec![(1, AesCm128HmacSha1_32), (2, AesCm128HmacSha1_80)], (2, AesCm128HmacSha1_80)),
        (vec![(7, AesCm128HmacSha1_80), (9, AeadAes128Gcm), (3, Aes256CmHmacSha1_80)], (9, AeadAes128Gcm)),
        (vec![(5, AesCm128HmacSha1_32)], (5, AesCm128HmacSha1_32)),
    ] {
        let offer = far(&format!("m=audio 4000 RTP/SAVP 8\r\n{}", lines(&suites)));
        let (settled, sdp) = answered(&offer, &trunk()).unwrap();
        let answered = CryptoLine::all(&sdp.media[0]);
        let (send, receive) = keys(&settled.setup.security);
        assert_eq!(answered, [CryptoLine { tag: best.0, key: send.clone() }]);
        assert_eq!((send.suite, &receive), (best.1, &KeySeed::new([9; 32]).key(best.1)));
        assert_ne!(send.key_and_salt, receive.key_and_salt);
    }
}

#[test]
fn of_a_plain_and_an_encrypted_line_the_encrypted_one_is_taken() {
    let offer = far(&format!(
        "m=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY30}\r\n"
    ));
    let ports = |policy| {
        let (_, sdp) = answered(&offer, &Ability::sip(policy)).unwrap();
        [sdp.media[0].port, sdp.media[1].port]
    };
    assert_eq!(ports(SrtpPolicy::Accept), [0, 30_000]);
    assert_eq!(ports(SrtpPolicy::Require), [0, 30_000]);
    assert_eq!(ports(SrtpPolicy::Never), [30_000, 0]);
}

/// SIP-05: where SRTP is required we offer every suite, each with a key of its own, and take only what we offered.
#[test]
fn a_required_srtp_is_offered_and_its_answer_held_to_the_offer() {
    let ability = Ability::sip(SrtpPolicy::Require);
    let ours = offer(&ability, &here(), &SEED, &mut LocalSession::new(0)).unwrap();
    let offered = CryptoLine::all(&ours.media[0]);
    assert_eq!((ours.media[0].protocol.as_str(), offered.len()), ("RTP/SAVP", SUITES.len()));
    let tag = |suite| offered.iter().find(|line| line.key.suite == suite).unwrap().tag;
    let good = tag(SrtpSuite::AesCm128HmacSha1_80);
    let theirs = |tag: u32, more: &str| {
        far(&format!(
            "m=audio 4000 RTP/SAVP 8\r\na=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{KEY30}\r\n{more}"
        ))
    };
    let settled = apply_answer(&ours, &theirs(good, ""), &ability, &SEED).unwrap();
    let (send, receive) = keys(&settled.setup.security);
    assert_eq!(send, SEED.key(SrtpSuite::AesCm128HmacSha1_80));
    assert_eq!(receive.key_and_salt.len(), 30);
    for bad in [
        theirs(good + 1, ""),
        theirs(99, ""),
        theirs(good, &format!("a=crypto:{good} AES_CM_128_HMAC_SHA1_80 inline:{KEY30}\r\n")),
        far("m=audio 4000 RTP/SAVP 8\r\n"),
        far("m=audio 4000 RTP/AVP 8\r\n"),
    ] {
        assert!(apply_answer(&ours, &bad, &ability, &SEED).is_err(), "{bad}");
    }
}

/// SIP-05: a re-offer keeps our key, so that audio goes on without a gap.
#[test]
fn our_key_stays_the_same_over_re_negotiations() {
    let offer_text =
        format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{KEY30}\r\n");
    let mut session = LocalSession::new(0);
    let first = answer(&far(&offer_text), &trunk(), &SEED).unwrap();
    first.sdp(&here(), &mut session).unwrap();
    let hold = offer(&held(trunk(), Direction::SendOnly), &here(), &SEED, &mut session).unwrap();
    let line = CryptoLine::all(&hold.media[0]);
    assert_eq!(
        (line.len(), hold.media[0].protocol.as_str()),
        (1, "RTP/SAVP"),
        "the suite in use and no other"
    );
    assert_eq!(line[0].key, keys(&first.settled.setup.security).0);
    let plain = answer(&far("m=audio 4000 RTP/AVP 8\r\n"), &trunk(), &SEED).unwrap();
    let mut session = LocalSession::new(0);
    plain.sdp(&here(), &mut session).unwrap();
    let again = offer(&trunk(), &here(), &SEED, &mut session).unwrap();
    assert!(!again.media[0].has("crypto"), "and a plain call stays plain");
}

/// MEDIA-05, SIP-05: G.722 is agreed on by its static payload type, with the clock that the profile gives it.
#[test]
fn g722_is_offered_and_taken_with_its_odd_clock() {
    let ours = Ability { codecs: vec![Codec::G722, Codec::Pcma], ..trunk() };
    for map in ["", "a=rtpmap:9 G722/8000\r\n"] {
        let offer =
            far(&format!("m=audio 4000 RTP/AVP 8 9 101\r\n{map}a=rtpmap:101 telephone-event/8000\r\n"));
        let (settled, sdp) = answered(&offer, &ours).unwrap();
        let send = settled.setup.send.unwrap();
        assert_eq!((send.codec, send.payload_type), (Codec::G722, 9));
        assert_eq!(settled.setup.events.map(|events| events.clock_hz), Some(8_000));
        assert_eq!(sdp.media[0].formats, ["9", "101"]);
        assert!(sdp.media[0].attributes.iter().any(|a| a.value.as_deref() == Some("9 G722/8000")));
    }
    let wrong = far("m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 G722/16000\r\n");
    assert!(answered(&wrong, &ours).is_err(), "another clock is another format");
    let offer = offer(&ours, &here(), &SEED, &mut LocalSession::new(0)).unwrap();
    assert_eq!(offer.media[0].formats, ["9", "8", "101"]);
}
