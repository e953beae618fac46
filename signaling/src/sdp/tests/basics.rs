use media::control::{Direction, Latching};
use model::media::Codec;

use super::*;

/// SIP-05: one audio line is taken, the rest is refused in its place with port 0.
#[test]
fn every_line_but_one_audio_is_refused_in_order() {
    let offer =
        far("m=video 5000 RTP/AVP 31\r\na=mid:v\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 0\r\n\
                     m=image 4004 udptl t38\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    let (settled, sdp) = answered(&offer, &trunk()).unwrap();
    let lines: Vec<_> = sdp.media.iter().map(|m| (m.kind.as_str(), m.port, m.protocol.as_str())).collect();
    assert_eq!(
        lines,
        [
            ("video", 0, "RTP/AVP"),
            ("audio", 30_000, "RTP/AVP"),
            ("audio", 0, "RTP/AVP"),
            ("image", 0, "udptl"),
            ("application", 0, "UDP/DTLS/SCTP"),
        ]
    );
    assert_eq!(
        sdp.media[0].attributes,
        [Attribute::new("mid", "v")],
        "nothing of a refused line but its name"
    );
    assert_eq!(settled.setup.remote, Some("198.51.100.9:4000".parse().unwrap()));
}

/// SIP-05: what we do not understand is not mirrored.
#[test]
fn nothing_unknown_comes_back() {
    let offer = parse(
        "v=0\r\no=x 9 9 IN IP4 198.51.100.9\r\ns=Secret project\r\ni=info\r\nc=IN IP4 198.51.100.9\r\nb=AS:64\r\nt=0 0\r\n\
         a=tool:phone 1.0\r\na=x-session:1\r\na=ice-ufrag:farU\r\nm=audio 4000 RTP/AVP 9 18 8 13 101\r\na=x-media:2\r\n\
         a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
         a=rtcp-fb:* nack\r\na=extmap:1 urn:x\r\na=ssrc:1 cname:x\r\na=candidate:1 1 UDP 1 198.51.100.9 4000 typ host\r\n\
         a=rtcp-xr:voip-metrics\r\n",
    );
    let (_, sdp) = answered(&offer, &trunk()).unwrap();
    assert_eq!(
        sdp.to_string(),
        "v=0\r\no=- 1000 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 13 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:60\r\n\
         a=sendrecv\r\n"
    );
}

/// SIP-05: our preference decides among the codecs of the offer, under the offer's payload types.
#[test]
fn the_best_codec_of_ours_that_is_offered_is_taken_under_its_offered_number() {
    let offer = far(
        "m=audio 4000 RTP/AVP 0 8 96 97 98\r\na=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 maxplaybackrate=16000;\
                     useinbandfec=1\r\na=rtpmap:97 telephone-event/48000\r\na=rtpmap:98 telephone-event/8000\r\na=ptime:40\r\n",
    );
    let able = |codecs: &[Codec]| Ability { codecs: codecs.to_vec(), ..trunk() };
    let (opus, sdp) = answered(&offer, &able(&[Codec::Opus, Codec::Pcma])).unwrap();
    let send = opus.setup.send.unwrap();
    assert_eq!((send.payload_type, send.codec, send.ptime_ms), (96, Codec::Opus, 40));
    assert_eq!(opus.setup.events.map(|e| (e.payload_type, e.clock_hz)), Some((97, 48_000)));
    assert_eq!(opus.opus.map(|o| (o.playback_rate_max_hz, o.fec)), Some((16_000, true)));
    assert_eq!(sdp.media[0].formats, ["96", "97"]);
    assert_eq!(sdp.media[0].attribute("rtpmap"), Some("96 opus/48000/2"));
    assert_eq!(sdp.media[0].attribute("fmtp"), Some("96 minptime=10;useinbandfec=1"));
    assert_eq!(sdp.media[0].attribute("ptime"), Some("40"));
    let (alaw, _) = answered(&offer, &able(&[Codec::Pcma])).unwrap();
    assert_eq!(alaw.setup.events.map(|e| (e.payload_type, e.clock_hz)), Some((98, 8_000)));
    assert_eq!((alaw.setup.receive.as_slice(), alaw.opus), ([alaw.setup.send.unwrap()].as_slice(), None));
    let (silent, sdp) = answered(&offer, &Ability { events: false, ..able(&[Codec::Pcmu]) }).unwrap();
    assert_eq!((silent.setup.events, sdp.media[0].formats.len()), (None, 1));
}

/// SIP-05: what cannot be agreed to is refused with 488 and a reason, what cannot be read with 400.
#[test]
fn a_refusal_says_why() {
    for (media, code) in [
        ("m=audio 4000 RTP/AVP 9 18\r\n", "305"),
        ("m=video 4000 RTP/AVP 31\r\n", "304"),
        ("", "304"),
        ("m=audio 0 RTP/AVP 8\r\n", "304"),
        ("m=audio 4000 TCP/RTP/AVP 8\r\n", "302"),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n", "302"),
        ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 224.2.1.1/127\r\n", "301"),
        ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 255.255.255.255\r\n", "301"),
        ("m=audio 4000 RTP/AVP 8\r\nc=IN IP6 ff02::1\r\n", "301"),
        ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 media.example\r\n", "301"),
    ] {
        let refusal = answered(&far(media), &trunk()).unwrap_err();
        let warning = refusal.warning("pbx.example").unwrap();
        assert_eq!((refusal.status(), &warning[..3]), (488, code), "{media} {warning}");
    }
    let malformed = Refusal::from(Sdp::parse(b"v=0\r\nx\r\n").unwrap_err());
    assert_eq!(malformed.status(), 400);
    assert_eq!(malformed.warning("pbx").unwrap(), "399 pbx \"SDP line 2: not of the form `x=value`\"");
    let no_v6 = Ability { ipv6: false, ..trunk() };
    assert!(answered(&far("m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::9\r\n"), &no_v6).is_err());
    let no_c = parse("v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n");
    assert!(answered(&no_c, &trunk()).is_err());
}

#[test]
fn the_address_of_the_line_beats_the_address_of_the_session_and_may_be_ipv6() {
    let agreed = answer(&far("m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::9\r\n"), &trunk(), &SEED).unwrap();
    assert_eq!(agreed.settled.setup.remote, Some("[2001:db8::9]:4000".parse().unwrap()));
    assert!(agreed.is_ipv6());
    let v6 = LegCreated {
        rtp: "[2001:db8::1]:30000".parse().unwrap(),
        rtcp: "[2001:db8::1]:30001".parse().unwrap(),
        ice: None,
    };
    let text = agreed.sdp(&v6, &mut LocalSession::new(0)).unwrap().to_string();
    assert!(text.contains("c=IN IP6 2001:db8::1\r\n"), "{text}");
}

#[test]
fn rtcp_goes_where_the_far_end_says() {
    let rtcp = |lines: &str| {
        let (settled, sdp) = answered(&far(&format!("m=audio 4000 RTP/AVP 8\r\n{lines}")), &trunk()).unwrap();
        (
            settled.setup.remote_rtcp.map(|a| a.to_string()),
            settled.setup.rtcp_mux,
            sdp.media[0].has("rtcp-mux"),
        )
    };
    assert_eq!(rtcp(""), (None, false, false));
    assert_eq!(rtcp("a=rtcp:4017\r\n"), (Some("198.51.100.9:4017".into()), false, false));
    assert_eq!(rtcp("a=rtcp:4017 IN IP4 198.51.100.8\r\n"), (Some("198.51.100.8:4017".into()), false, false));
    assert_eq!(rtcp("a=rtcp:4017 IN IP4 224.0.0.1\r\n"), (Some("198.51.100.9:4017".into()), false, false));
    assert_eq!(rtcp("a=rtcp-mux\r\na=rtcp:4017\r\n"), (None, true, true));
}

/// SIP-05: an INVITE without SDP is offered to in the 200; the ACK brings the answer (late offer).
#[test]
fn a_late_offer_is_ours_and_its_answer_comes_with_the_ack() {
    let ability =
        Ability { codecs: vec![Codec::Opus, Codec::Pcma, Codec::Pcmu], latching: Latching::Any, ..trunk() };
    let mut session = LocalSession::new(4_000);
    let ours = offer(&ability, &here(), &SEED, &mut session).unwrap();
    assert_eq!(
        ours.to_string(),
        "v=0\r\no=- 1000 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 111 8 0 110 101\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n"
    );
    let theirs = far("m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\n");
    let settled = apply_answer(&ours, &theirs, &ability, &SEED).unwrap();
    let setup = settled.setup;
    assert_eq!(
        (setup.send.unwrap().codec, setup.send.unwrap().ptime_ms),
        (Codec::Pcmu, 30),
        "the far end's first"
    );
    assert_eq!(setup.receive.iter().map(|f| f.codec).collect::<Vec<_>>(), [Codec::Pcmu, Codec::Pcma]);
    assert_eq!(setup.events.map(|e| e.payload_type), Some(101));
    assert_eq!((setup.direction, setup.latching), (Direction::SendRecv, Latching::Any));
}

#[test]
fn an_answer_may_number_a_codec_otherwise_or_leave_the_map_out() {
    let ability = Ability { codecs: vec![Codec::Opus], ..trunk() };
    let ours = offer(&ability, &here(), &SEED, &mut LocalSession::new(0)).unwrap();
    let renumbered =
        apply_answer(&ours, &far("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"), &ability, &SEED);
    let setup = renumbered.unwrap().setup;
    assert_eq!(setup.send.unwrap().payload_type, 96);
    assert_eq!(setup.receive.iter().map(|f| f.payload_type).collect::<Vec<_>>(), [111, 96]);
    let bare = apply_answer(&ours, &far("m=audio 4000 RTP/AVP 111\r\n"), &ability, &SEED).unwrap();
    assert_eq!(bare.setup.send.unwrap().codec, Codec::Opus);
}

/// SIP-05: an answer that is none to our offer settles nothing.
#[test]
fn an_answer_that_does_not_fit_is_refused() {
    let ours = offer(&trunk(), &here(), &SEED, &mut LocalSession::new(0)).unwrap();
    for media in [
        "",
        "m=audio 0 RTP/AVP 8\r\n",
        "m=video 4000 RTP/AVP 8\r\n",
        "m=audio 4000 RTP/SAVP 8\r\n",
        "m=audio 4000 RTP/AVP 9\r\n",
        "m=audio 4000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n",
        "m=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 8\r\n",
    ] {
        assert!(apply_answer(&ours, &far(media), &trunk(), &SEED).is_err(), "{media}");
    }
}

/// SIP-05, RFC 3264 §8: the version counts changes, and lines and payload types stay where they were.
#[test]
fn a_later_offer_keeps_its_lines_and_counts_up_only_when_something_changed() {
    let ability = Ability { codecs: vec![Codec::Opus, Codec::Pcma], ..trunk() };
    let mut session = LocalSession::new(4_000);
    let theirs = far("m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n");
    let first = answer(&theirs, &ability, &SEED).unwrap().sdp(&here(), &mut session).unwrap();
    let again = answer(&theirs, &ability, &SEED).unwrap().sdp(&here(), &mut session).unwrap();
    assert_eq!(first, again, "a session refresh is answered with the very same");
    let hold = offer(&held(ability.clone(), Direction::SendOnly), &here(), &SEED, &mut session).unwrap();
    assert_eq!((first.origin.version, hold.origin.version), (1, 2));
    assert_eq!(hold.media[0], first.media[0], "the refused video keeps its place");
    assert_eq!(hold.media[1].formats[..2], ["96", "8"], "Opus keeps its number, A-law comes anew");
    assert!(hold.media[1].has("sendonly"));
    let same = offer(&held(ability.clone(), Direction::SendOnly), &here(), &SEED, &mut session).unwrap();
    assert_eq!(same, hold);
    let resumed = offer(&ability, &here(), &SEED, &mut session).unwrap();
    assert_eq!((resumed.origin.version, resumed.origin.session), (3, first.origin.session));
}

#[test]
fn a_far_end_that_repeats_itself_is_recognised_by_its_version() {
    let (a, b) = (far("m=audio 4000 RTP/AVP 8\r\n"), far("m=audio 4000 RTP/AVP 8\r\n"));
    assert!(same_version(&a, &b));
    let changed = parse(&a.to_string().replace("o=far 1 1", "o=far 1 2"));
    assert!(!same_version(&a, &changed));
}

#[test]
fn no_key_appears_when_a_description_is_logged() {
    let offer =
        far(&format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY30}\r\n"));
    assert!(!format!("{offer:?}").contains(KEY30));
    let agreed = answer(&offer, &trunk(), &SEED).unwrap();
    assert!(format!("{agreed:?}").contains("hidden"));
    assert!(offer.to_string().contains(KEY30), "but it is written where it belongs");
}
