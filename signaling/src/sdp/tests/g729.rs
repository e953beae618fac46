//! G.729: payload type 18, packet times, and who may leave out silence (RFC 4856 §2.1.9, RFC 7261).

use super::*;
use model::media::Codec;

fn able(annexb: bool) -> Ability {
    Ability { codecs: vec![Codec::Pcma, Codec::G729], annexb, ..trunk() }
}

/// A far end's line of G.729 that says this of Annex B.
fn line(annexb: Option<&str>) -> String {
    let said = annexb.map(|value| format!("a=fmtp:18 annexb={value}\r\n")).unwrap_or_default();
    format!("m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n{said}")
}

fn said(sdp: &Sdp) -> Vec<(String, String)> {
    sdp.media[0].format_parameters(18)
}

fn annexb(value: &str) -> Vec<(String, String)> {
    vec![("annexb".to_owned(), value.to_owned())]
}

/// Ways to say yes, no, and nothing, which is yes.
const SAID: [(Option<&str>, bool); 6] = [
    (Some("yes"), true),
    (Some("no"), false),
    (None, true),
    (Some("NO"), false),
    (Some("YES"), true),
    (Some("maybe"), true),
];

/// MEDIA-05, SIP-05, RFC 7261 §3.3: every offer meets every setting of ours: no answers no, and both must want it for a yes. What is
/// answered is what the media plane is told.
#[test]
fn an_answer_allows_silence_only_where_both_do() {
    for (theirs, wants) in SAID {
        for ours in [true, false] {
            let (settled, sdp) = answered(&far(&line(theirs)), &able(ours)).unwrap();
            let agreed = wants && ours;
            assert_eq!(said(&sdp), annexb(if agreed { "yes" } else { "no" }), "{theirs:?} meets {ours}");
            assert_eq!(settled.setup.shape.dtx, agreed, "{theirs:?} meets {ours}");
            let send = settled.setup.send.unwrap();
            assert_eq!((send.codec, send.payload_type, send.ptime_ms), (Codec::G729, 18, 20));
        }
    }
}

/// MEDIA-05, SIP-05, RFC 7261 §3.3: who offered no treats every answer as no, also one that forgot to say it; who offered yes obeys the
/// answer.
#[test]
fn an_offer_of_no_stays_no_whatever_is_answered() {
    for (theirs, wants) in SAID {
        for ours in [true, false] {
            let ability = able(ours);
            let offer = offer(&ability, &here(), &SEED, &mut LocalSession::new(0)).unwrap();
            assert_eq!(said(&offer), annexb(if ours { "yes" } else { "no" }));
            let settled = apply_answer(&offer, &far(&line(theirs)), &ability, &SEED).unwrap();
            assert_eq!(settled.setup.shape.dtx, ours && wants, "{ours} was answered {theirs:?}");
        }
    }
}

/// SIP-05: payload type 18 is G.729 with and without its map, also by the name of Annex A; what else stands behind 18 is not.
#[test]
fn the_static_payload_type_needs_no_map() {
    for (map, events) in
        [("", "101"), ("a=rtpmap:18 G729/8000\r\n", "101"), ("a=rtpmap:18 g729a/8000\r\n", "96")]
    {
        let offer = far(&format!(
            "m=audio 4000 RTP/AVP 18 {events}\r\n{map}a=rtpmap:{events} telephone-event/8000\r\n"
        ));
        let (settled, sdp) = answered(&offer, &able(true)).unwrap();
        assert_eq!(settled.setup.send.unwrap().codec, Codec::G729);
        assert_eq!(settled.setup.events.map(|events| events.clock_hz), Some(8_000));
        assert_eq!(sdp.media[0].formats, ["18", events]);
        assert!(sdp.media[0].attributes.iter().any(|a| a.value.as_deref() == Some("18 G729/8000")));
    }
    for wrong in ["a=rtpmap:18 G729/16000\r\n", "a=rtpmap:18 G729D/8000\r\n", "a=rtpmap:18 G729E/8000\r\n"] {
        let offer = far(&format!("m=audio 4000 RTP/AVP 18\r\n{wrong}"));
        assert!(answered(&offer, &able(true)).is_err(), "{wrong}");
    }
    let dynamic = far("m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 G729/8000\r\na=fmtp:97 annexb=no\r\n");
    let (settled, sdp) = answered(&dynamic, &able(true)).unwrap();
    assert_eq!((settled.setup.send.unwrap().payload_type, settled.setup.shape.dtx), (97, false));
    assert_eq!(sdp.media[0].format_parameters(97), annexb("no"));
}

/// SIP-05: whole frames of 10 ms, as many as the far end wishes and allows.
#[test]
fn packets_of_g729_are_as_long_as_the_far_end_wishes() {
    for (lines, sent) in [
        ("", 20),
        ("a=ptime:10\r\n", 10),
        ("a=ptime:30\r\n", 30),
        ("a=ptime:40\r\n", 40),
        ("a=ptime:50\r\n", 50),
        ("a=ptime:60\r\n", 60),
        ("a=ptime:25\r\n", 20),
        ("a=ptime:200\r\n", 60),
        ("a=ptime:5\r\n", 10),
        ("a=maxptime:10\r\n", 10),
        ("a=ptime:60\r\na=maxptime:30\r\n", 30),
    ] {
        let offer = far(&format!("m=audio 4000 RTP/AVP 18\r\n{lines}"));
        let (settled, sdp) = answered(&offer, &able(true)).unwrap();
        assert_eq!(settled.setup.send.unwrap().ptime_ms, sent, "{lines}");
        assert_eq!(sdp.media[0].ptime_ms(), Some(u32::from(sent)), "{lines}");
    }
}

/// SIP-05: G.729 is what is left when there is nothing better, and what is preferred comes first.
#[test]
fn the_order_of_codecs_decides_about_g729_too() {
    let both = far("m=audio 4000 RTP/AVP 18 8 13\r\n");
    let (settled, _) = answered(&both, &able(true)).unwrap();
    assert_eq!(settled.setup.send.unwrap().codec, Codec::Pcma, "G.711 is better where both are offered");
    let thrifty = Ability { codecs: vec![Codec::G729, Codec::Pcma], ..trunk() };
    let (settled, sdp) = answered(&both, &thrifty).unwrap();
    assert_eq!(settled.setup.send.unwrap().codec, Codec::G729);
    assert_eq!(sdp.media[0].formats, ["18"], "comfort noise of G.711 is not for it");
    let offer = offer(&able(true), &here(), &SEED, &mut LocalSession::new(0)).unwrap();
    assert_eq!(offer.media[0].formats, ["8", "18", "101"]);
    assert!(!offer.media[0].has("crypto"));
    assert!(!Ability::webrtc().codecs.contains(&Codec::G729), "browsers have none");
}
