//! Descriptions in the shape that programs in the field write them.

use media::control::{Direction, Latching};
use model::media::Codec;

use super::*;

/// A Chromium page that offers one microphone, as `createOffer` writes it.
const CHROMIUM: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    a=extmap-allow-mixed\r\na=msid-semantic: WMS 5b2f1d0e\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n\
    c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=candidate:3988 1 udp 2113937151 4f3a-11.local 53120 typ host generation 0 network-cost 999\r\n\
    a=ice-ufrag:Yb+d\r\na=ice-pwd:VZz/Ki7Yc2hvGqlPZL9gTk0r\r\na=ice-options:trickle\r\n\
    a=fingerprint:sha-256 0f:1E:2D:3C:4B:5A:69:78:87:96:A5:B4:C3:D2:E1:F0:0F:1E:2D:3C:4B:5A:69:78:87:96:A5:B4:C3:D2:E1:F0\r\n\
    a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\n\
    a=msid:5b2f1d0e 77c1\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n\
    a=rtpmap:126 telephone-event/8000\r\na=ssrc:2231627014 cname:kX1\r\na=ssrc:2231627014 msid:5b2f1d0e 77c1\r\n";

/// SIP-05: a browser gets an ICE-lite answer with our candidates, DTLS passive, muxed, Opus with FEC.
#[test]
fn chromium_is_answered_by_an_ice_lite_side() {
    let (settled, sdp) = answered(&parse(CHROMIUM), &Ability::webrtc()).unwrap();
    let fingerprint = ["AB"; 32].join(":");
    assert_eq!(
        sdp.to_string(),
        format!(
            "v=0\r\no=- 1000 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n\
             m=audio 3478 UDP/TLS/RTP/SAVPF 111 110\r\na=mid:0\r\na=ice-ufrag:ourU\r\na=ice-pwd:ourPasswordOf22Letters\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\na=candidate:1 1 udp 2130706431 192.0.2.1 3478 typ host\r\n\
             a=candidate:2 1 udp 2130706175 2001:db8::1 3478 typ host\r\na=end-of-candidates\r\na=setup:passive\r\n\
             a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 minptime=10;useinbandfec=1;maxplaybackrate=16000;maxaveragebitrate=19000\r\n\
             a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n\
             a=msid:call audio\r\n"
        )
    );
    let setup = settled.setup;
    assert_eq!((setup.remote, setup.rtcp_mux, setup.latching), (None, true, Latching::Off));
    assert_eq!((setup.direction, settled.held), (Direction::SendRecv, false), "0.0.0.0 is no hold here");
    let Security::Dtls { remote_ufrag, remote_pwd, remote_fingerprint, active } = setup.security else {
        panic!()
    };
    assert_eq!(
        (remote_ufrag.as_str(), remote_pwd.as_str(), active),
        ("Yb+d", "VZz/Ki7Yc2hvGqlPZL9gTk0r", false)
    );
    assert!(remote_fingerprint.starts_with("sha-256 0F:1E:"), "in one case, to be compared");
}

#[test]
fn a_browser_without_opus_gets_g711_with_its_own_events() {
    let offer = CHROMIUM.replace("111 63 9 0 8 13 110 126", "0 8 110 126");
    let (settled, sdp) = answered(&parse(&offer), &Ability::webrtc()).unwrap();
    assert_eq!(settled.setup.send.unwrap().codec, Codec::Pcmu);
    assert_eq!(sdp.media[0].formats, ["0", "126"]);
}

#[test]
fn a_browser_with_video_and_data_gets_its_audio_and_keeps_its_bundle_in_order() {
    let offer = CHROMIUM.replace("a=group:BUNDLE 0\r\n", "a=group:BUNDLE 0 1 2\r\n")
        + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n\
           m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n";
    let (_, sdp) = answered(&parse(&offer), &Ability::webrtc()).unwrap();
    assert_eq!(sdp.bundle(), ["0"], "RFC 8843 §7.3.3: refused lines leave the bundle");
    let lines: Vec<_> = sdp.media.iter().map(|m| (m.port, m.mid().unwrap())).collect();
    assert_eq!(lines, [(3_478, "0"), (0, "1"), (0, "2")]);
}

#[test]
fn a_browser_offer_that_lacks_what_security_needs_is_refused() {
    for (from, to) in [
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        ("a=fingerprint", "a=x-print"),
        ("a=ice-ufrag", "a=x"),
        ("a=ice-pwd:VZz/Ki7Yc2hvGqlPZL9gTk0r", "a=ice-pwd:short"),
        ("a=rtcp-mux\r\n", ""),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=group:BUNDLE 0\r\n", "a=ice-lite\r\n"),
    ] {
        let offer = parse(&CHROMIUM.replace(from, to));
        assert_eq!(answered(&offer, &Ability::webrtc()).unwrap_err().status(), 488, "{from}");
    }
    let passive = parse(&CHROMIUM.replace("setup:actpass", "setup:passive"));
    let (settled, sdp) = answered(&passive, &Ability::webrtc()).unwrap();
    assert!(matches!(settled.setup.security, Security::Dtls { active: true, .. }));
    assert_eq!(sdp.setup_of(&sdp.media[0]), Some(Setup::Active));
    let agreed = answer(&parse(CHROMIUM), &Ability::webrtc(), &SEED).unwrap();
    assert_eq!(
        agreed.sdp(&here(), &mut LocalSession::new(0)).unwrap_err().status(),
        500,
        "a leg without ICE"
    );
}

/// SIP-05: an offer of ours to a browser, and what its answer comes to.
#[test]
fn a_browser_can_be_offered_to_as_well() {
    let ability = Ability::webrtc();
    let mut session = LocalSession::new(0);
    let ours = offer(&ability, &here_ice(), &SEED, &mut session).unwrap();
    let text = ours.to_string();
    for line in
        ["a=setup:actpass", "a=ice-lite", "a=group:BUNDLE 0", "a=mid:0", "a=rtcp-mux", "a=msid:call audio"]
    {
        assert!(text.lines().any(|l| l == line), "{line} {text}");
    }
    assert_eq!(ours.media[0].formats, ["111", "0", "8", "110", "101"]);
    let theirs =
        CHROMIUM.replace("setup:actpass", "setup:active").replace("111 63 9 0 8 13 110 126", "111 0 110 126");
    let settled = apply_answer(&ours, &parse(&theirs), &ability, &SEED).unwrap();
    assert!(matches!(settled.setup.security, Security::Dtls { active: false, .. }));
    assert_eq!(settled.setup.receive.len(), 2);
    assert!(apply_answer(&ours, &parse(CHROMIUM), &ability, &SEED).is_err(), "actpass is no answer");
    let again =
        offer(&Ability { direction: Direction::SendOnly, ..ability }, &here_ice(), &SEED, &mut session);
    assert_eq!(again.unwrap().media[0].mid(), Some("0"));
}

/// SIP-05: baresip with its `menc srtp` and the usual codecs.
#[test]
fn baresip_with_optional_srtp() {
    let offer = parse(&format!(
        "v=0\r\no=- 3190573042 1862217532 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\na=tool:baresip \
         1.0.0\r\nm=audio 13488 RTP/AVP 96 0 8 101\r\nb=AS:125\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY30}\r\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY30}\r\na=rtpmap:96 opus/48000/2\r\n\
         a=fmtp:96 stereo=1;sprop-stereo=1\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:13489\r\na=sendrecv\r\na=label:1\r\n\
         a=rtcp-rsize\r\na=ssrc:2873465981 cname:sip:ann@far.example\r\na=ptime:20\r\na=minptime:20\r\na=maxptime:20\r\n"
    ));
    let ability = Ability { codecs: vec![Codec::Opus, Codec::Pcma], ..trunk() };
    let (settled, sdp) = answered(&offer, &ability).unwrap();
    assert_eq!(CryptoLine::all(&sdp.media[0])[0].tag, 2, "80 bits of tag before 32");
    assert_eq!(settled.setup.events.map(|e| e.clock_hz), Some(8_000), "the only one it has, beside Opus");
    assert!(settled.opus.unwrap().stereo);
    assert_eq!(settled.setup.remote_rtcp, Some("198.51.100.20:13489".parse().unwrap()));
}

/// SIP-05: SIPp's built-in caller; no more than it must say.
#[test]
fn sipp_says_the_least() {
    let offer = parse(
        "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.1.1\r\ns=-\r\nc=IN IP4 127.0.1.1\r\nt=0 0\r\n\
         m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
    );
    let (settled, sdp) = answered(&offer, &trunk()).unwrap();
    assert_eq!((settled.setup.send.unwrap().codec, settled.setup.events), (Codec::Pcmu, None));
    assert_eq!(sdp.media[0].formats, ["0"]);
}

/// SIP-05: a carrier behind Kamailio and rtpengine: ICE it does not need, RTCP named, hold in mid-call.
#[test]
fn kamailio_with_rtpengine_through_a_hold() {
    let text = |version: u32, direction: &str| {
        format!(
            "v=0\r\no=FreeSWITCH 1763704731 {version} IN IP4 203.0.113.50\r\ns=FreeSWITCH\r\nc=IN IP4 203.0.113.50\r\nt=0 0\r\n\
             a=ice-lite\r\nm=audio 41022 RTP/AVP 8 0 101 13\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtpmap:13 CN/8000\r\na={direction}\r\n\
             a=rtcp:41023\r\na=ptime:20\r\na=ice-ufrag:mGgVIbZT\r\na=ice-pwd:8Cf5sQxvlxcFqnTTmEWHU4Ap8x\r\n\
             a=candidate:M1sCQ7LDf3JkHTZv 1 UDP 2130706431 203.0.113.50 41022 typ host\r\na=end-of-candidates\r\n"
        )
    };
    let mut session = LocalSession::new(0);
    let mut exchange = |version, direction: &str| {
        let agreed = answer(&parse(&text(version, direction)), &trunk(), &SEED).unwrap();
        let sdp = agreed.sdp(&here(), &mut session).unwrap();
        (agreed.settled.held, agreed.settled.setup.direction, sdp.origin.version)
    };
    assert_eq!(exchange(1, "sendrecv"), (false, Direction::SendRecv, 1));
    assert_eq!(exchange(2, "sendonly"), (true, Direction::RecvOnly, 2));
    assert_eq!(exchange(2, "sendonly"), (true, Direction::RecvOnly, 2), "a session refresh");
    assert_eq!(exchange(3, "inactive"), (true, Direction::Inactive, 3));
    assert_eq!(exchange(4, "sendrecv"), (false, Direction::SendRecv, 4));
}
