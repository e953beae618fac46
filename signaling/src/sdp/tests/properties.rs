use media::control::Direction;
use model::media::Codec;
use model::service::SrtpPolicy;
use proptest::prelude::*;

use super::*;

/// Text that looks like SDP until one looks closer.
fn almost_sdp() -> impl Strategy<Value = Vec<u8>> {
    let lines = [
        "v=0\r\n",
        "o=- 1 1 IN IP4 192.0.2.9\r\n",
        "s=-\r\n",
        "c=IN IP4 198.51.100.9\r\n",
        "c=IN IP6 2001:db8::9\r\n",
        "c=IN IP4 0.0.0.0\r\n",
        "c=IN IP4 host.example\r\n",
        "t=0 0\r\n",
        "m=audio 4000 RTP/AVP 0 8 96 101\r\n",
        "m=audio 0 RTP/AVP 0\r\n",
        "m=audio 4000/2 RTP/SAVP 8 127\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 110\r\n",
        "m=video 9 RTP/AVP 31\r\n",
        "a=rtpmap:96 opus/48000/2\r\n",
        "a=rtpmap:111 opus/48000/2\r\n",
        "a=rtpmap:101 telephone-event/8000\r\n",
        "a=fmtp:96 minptime=10;stereo=1\r\n",
        "a=fmtp:",
        "a=ptime:20\r\n",
        "a=maxptime:0\r\n",
        "a=sendonly\r\n",
        "a=inactive\r\n",
        "a=rtcp-mux\r\n",
        "a=rtcp:9 IN IP4 192.0.2.3\r\n",
        "a=mid:0\r\n",
        "a=group:BUNDLE 0 1\r\n",
        "a=setup:actpass\r\n",
        "a=ice-ufrag:abcd\r\n",
        "a=bundle-only\r\n",
        "a=ice-pwd:abcdefghijklmnopqrstuv\r\n",
        "a=candidate:1 1 udp 1 a.local 9 typ host\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^31\r\n",
        "a=fingerprint:sha-256 AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:\
         AA:AA:AA\r\n",
    ];
    let line = prop_oneof![
        12 => proptest::sample::select(lines.to_vec()).prop_map(|line| line.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    let head = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\n".to_vec();
    (any::<bool>(), proptest::collection::vec(line, 0..24)).prop_map(move |(with_head, lines)| {
        if with_head { [head.clone(), lines.concat()].concat() } else { lines.concat() }
    })
}

fn ability() -> impl Strategy<Value = Ability> {
    let direction = proptest::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]);
    let policy = proptest::sample::select(vec![SrtpPolicy::Accept, SrtpPolicy::Require, SrtpPolicy::Never]);
    let codecs =
        proptest::sample::subsequence(vec![Codec::Opus, Codec::Pcma, Codec::Pcmu], 1..=3).prop_shuffle();
    (any::<bool>(), policy, direction, codecs, any::<bool>(), 10u8..=60).prop_map(
        |(browser, srtp, direction, codecs, events, ptime_ms)| {
            let base = if browser { Ability::webrtc() } else { Ability::sip(srtp) };
            Ability { direction, codecs, events, ptime_ms, ..base }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// SIP-05, SIP-06: arbitrary bytes never panic the parser.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Sdp::parse(&bytes);
    }

    /// SIP-05: what is printed reads back as the same.
    #[test]
    fn what_is_printed_reads_back_equal(bytes in almost_sdp()) {
        if let Ok(sdp) = Sdp::parse(&bytes) {
            prop_assert_eq!(Sdp::parse(sdp.to_string().as_bytes()), Ok(sdp));
        }
    }

    /// SIP-05: whatever is offered, an answer keeps to RFC 3264 and to our own limits.
    #[test]
    fn every_answer_fits_its_offer(bytes in almost_sdp(), ability in ability()) {
        let Ok(offer) = Sdp::parse(&bytes) else { return Ok(()) };
        let Ok((settled, sdp)) = answered(&offer, &ability) else { return Ok(()) };
        let open: Vec<usize> = (0..sdp.media.len()).filter(|n| sdp.media[*n].port != 0).collect();
        prop_assert_eq!(open.len(), 1);
        let (ours, theirs) = (&sdp.media[open[0]], &offer.media[open[0]]);
        prop_assert_eq!(&ours.protocol, &theirs.protocol);
        prop_assert!(ours.formats.iter().all(|format| theirs.formats.contains(format)));
        prop_assert!(ability.codecs.contains(&settled.setup.send.unwrap().codec));
        prop_assert!((10..=60).contains(&settled.setup.send.unwrap().ptime_ms));
        prop_assert_eq!(sdp.direction_of(ours), settled.setup.direction);
        prop_assert_eq!(ours.has("crypto"), matches!(settled.setup.security, Security::Sdes { .. }));
        if ability.srtp == SrtpPolicy::Require {
            prop_assert!(settled.setup.security != Security::None);
        }
        let remote = settled.setup.remote.map(|r| r.ip());
        prop_assert!(remote.is_none_or(|ip| !ip.is_multicast() && !ip.is_unspecified()));
    }

    /// SIP-05: two of us come to terms, whatever either can, if they share a codec and a policy.
    #[test]
    fn our_offer_and_our_answer_agree(a in ability(), b in ability()) {
        let a = Ability { far_end: FarEnd::Sip, ..a };
        let b = Ability { far_end: FarEnd::Sip, ..b };
        let sent = offer(&a, &here(), &SEED, &mut LocalSession::new(1)).unwrap();
        let common = a.codecs.iter().any(|codec| b.codecs.contains(codec));
        let willing = match (a.srtp, b.srtp) {
            (SrtpPolicy::Require, SrtpPolicy::Never) => false,
            (SrtpPolicy::Require, _) => true,
            (_, SrtpPolicy::Require) => false,
            _ => true,
        };
        let other = KeySeed::new([1; 32]);
        let agreed = answer(&sent, &b, &other);
        prop_assert_eq!(agreed.is_ok(), common && willing, "{:?}", agreed);
        let Ok(agreed) = agreed else { return Ok(()) };
        let back = agreed.sdp(&here(), &mut LocalSession::new(2)).unwrap();
        let settled = apply_answer(&sent, &back, &a, &SEED).unwrap();
        let (mine, theirs) = (&settled.setup, &agreed.settled.setup);
        prop_assert_eq!(mine.send.unwrap().codec, theirs.send.unwrap().codec);
        prop_assert_eq!(mine.send.unwrap().payload_type, theirs.send.unwrap().payload_type);
        prop_assert_eq!(mine.events.is_some(), a.events && b.events);
        let sends = |d| matches!(d, Direction::SendRecv | Direction::SendOnly);
        let hears = |d| matches!(d, Direction::SendRecv | Direction::RecvOnly);
        prop_assert_eq!(sends(mine.direction), hears(theirs.direction));
        prop_assert_eq!(hears(mine.direction), sends(theirs.direction));
        if a.srtp == SrtpPolicy::Require {
            let ((my_send, my_receive), (their_send, their_receive)) = (keys(&mine.security), keys(&theirs.security));
            prop_assert_eq!((my_send, my_receive), (their_receive, their_send));
        }
    }
}
