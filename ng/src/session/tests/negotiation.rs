//! What each party reads, to the line; the texts are what Debian's rtpengine 10.5.3 writes for the same requests.

use media::control::{Direction, Latching, LegSetup};
use model::media::Codec;
use serde_json::json;

use super::world::{ANNA, BEN, World};

/// MEDIA-15: an offer is rewritten as rtpengine does it, line by line.
#[test]
fn an_offer_is_rewritten_line_by_line_as_rtpengine_does_it() {
    let text = World::new().offer(ANNA, json!({}));
    assert_eq!(
        text,
        "v=0\r\no=anna 1 1 IN IP4 192.0.2.5\r\ns=call\r\nc=IN IP4 198.51.100.1\r\nb=AS:80\r\nt=0 0\r\na=foo:bar\r\n\
         m=audio 30002 RTP/AVP 8 0 101\r\na=unknown:x\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\na=rtcp:30003\r\na=ptime:20\r\n"
    );
}

/// MEDIA-15: the answer lists what the answerer took, at our port towards the offerer.
#[test]
fn an_answer_is_rewritten_and_both_legs_are_set_up_and_joined() {
    let mut world = World::new();
    world.offer(ANNA, json!({}));
    let text = world.answer(BEN, json!({"replace": ["origin"]}));
    assert_eq!(
        text,
        "v=0\r\no=ben 7 7 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=sendrecv\r\na=rtcp:30001\r\na=ptime:20\r\n"
    );
    let (anna, ben) = (world.setup_towards(5_000), world.setup_towards(6_000));
    assert_eq!((anna.send.unwrap().codec, ben.send.unwrap().codec), (Codec::Pcma, Codec::Pcma));
    assert_eq!(anna.remote_rtcp, Some("192.0.2.5:5001".parse().unwrap()));
    assert_eq!((anna.direction, ben.direction), (Direction::SendRecv, Direction::SendRecv));
    assert!(anna.events.is_some() && ben.events.is_some());
    let (a, b) = (world.leg_towards(5_000), world.leg_towards(6_000));
    assert_eq!((&world.plane.hears[&a], &world.plane.hears[&b]), (&b.to_string(), &a.to_string()));
}

#[test]
fn a_codec_that_only_the_node_added_is_converted_and_the_offerer_sees_its_own() {
    let mut world = World::new();
    let text = world.offer(ANNA, json!({"codec": {"strip": ["PCMA"], "transcode": ["opus"]}}));
    assert!(text.contains("RTP/AVP 0 96 97 101\r\n"), "{text}");
    assert!(
        text.contains("a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\na=fmtp:97 0-15\r\n")
    );
    let text = world.answer(
        &BEN.replace("8 101", "96 97")
            .replace("8 PCMA/8000", "96 opus/48000/2")
            .replace("101 tele", "97 tele")
            .replace("event/8000", "event/48000"),
        json!({}),
    );
    assert!(text.contains("m=audio 30000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"), "{text}");
    let (anna, ben) = (world.setup_towards(5_000), world.setup_towards(6_000));
    assert_eq!(
        (anna.send.unwrap().codec, ben.send.unwrap().codec, ben.send.unwrap().payload_type),
        (Codec::Pcmu, Codec::Opus, 96)
    );
    assert_eq!((anna.events.unwrap().clock_hz, ben.events.unwrap().clock_hz), (8_000, 48_000));
}

#[test]
fn a_masked_codec_is_hidden_and_a_stripped_one_is_gone() {
    for (flags, list) in [
        (json!({"codec": {"mask": ["PCMA"]}}), "RTP/AVP 0 101\r\n"),
        (json!({"flags": ["codec-strip-PCMA"]}), "RTP/AVP 0 101\r\n"),
        (json!({"codec": {"strip": ["all"], "except": ["PCMA"]}}), "RTP/AVP 8\r\n"),
        (json!({"codec": {"offer": ["PCMU"]}}), "RTP/AVP 0 8 101\r\n"),
    ] {
        let text = World::new().offer(ANNA, flags.clone());
        assert!(text.contains(list), "{flags}: {text}");
    }
}

/// MEDIA-15: codecs that nobody here understands stay in the list and are passed on, parameters and all.
#[test]
fn codecs_that_the_plane_cannot_convert_are_passed_on() {
    let mixed = ANNA
        .replace("8 0 101", "3 97 8 101")
        .replace("a=rtpmap:101", "a=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=30\r\na=rtpmap:101");
    let mut world = World::new();
    let text = world.offer(&mixed, json!({}));
    assert!(text.contains("RTP/AVP 3 97 8 101\r\n"), "{text}");
    assert!(text.contains("a=rtpmap:3 GSM/8000\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=30\r\n"), "{text}");
    let ben = BEN
        .replace("8 101", "97 8 101")
        .replace("a=rtpmap:8 PCMA", "a=rtpmap:97 iLBC/8000\r\na=rtpmap:8 PCMA");
    let text = world.answer(&ben, json!({}));
    assert!(text.contains("RTP/AVP 97 8 101\r\n"), "{text}");
    let (anna, ben) = (world.setup_towards(5_000), world.setup_towards(6_000));
    for setup in [&anna, &ben] {
        let passed: Vec<(u8, u32)> = setup.passed.iter().map(|p| (p.payload_type, p.clock_hz)).collect();
        assert_eq!(passed, [(97, 8_000)], "what was not chosen is not passed");
        assert_eq!(setup.send.map(|send| send.codec), Some(Codec::Pcma));
    }
    assert_eq!(anna.passed[0].format, ben.passed[0].format);
}

#[test]
fn a_call_may_have_nothing_that_we_understand() {
    let mut world = World::new();
    assert!(world.offer(&ANNA.replace("8 0 101", "3"), json!({})).contains("RTP/AVP 3\r\n"));
    let ben = "v=0\r\no=ben 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 6000 RTP/AVP 3\r\n";
    assert!(world.answer(ben, json!({})).contains("RTP/AVP 3\r\n"));
    let setup = world.setup_towards(6_000);
    assert_eq!((setup.send, setup.receive.len(), setup.passed.len()), (None, 0, 1));
    let mut world = World::new();
    let alone = ANNA.replace("8 0 101", "101");
    let answer = world.ask(json!({"command": "offer", "call-id": "c", "from-tag": "a", "sdp": alone}));
    assert_eq!(
        answer["error-reason"], "No codec of the offer can be carried by this node",
        "events alone are no call"
    );
    assert_eq!((world.plane.legs.len(), world.node.machine().calls()), (0, 0));
}

/// MEDIA-15: video has legs of its own beside audio, with the parameters and the feedback that both ends agreed on.
#[test]
fn video_is_relayed_beside_audio() {
    let video = |port: u16| {
        format!(
            "m=video {port} RTP/AVPF 96 97 98\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n\
             a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=99\r\n"
        )
    };
    let mut world = World::new();
    let text = world.offer(&format!("{ANNA}{}", video(5_002)), json!({}));
    assert!(
        text.contains("m=video 30006 RTP/AVPF 96 97 98\r\n") && text.contains("a=rtcp-fb:96 nack pli\r\n"),
        "{text}"
    );
    let text = world.answer(&format!("{BEN}{}", video(6_002).replace("97 98", "97")), json!({}));
    assert!(text.contains("m=video 30004 RTP/AVPF 96 97\r\n"), "{text}");
    let (anna, ben) = (world.setup_towards(5_002), world.setup_towards(6_002));
    let types = |setup: &LegSetup| setup.passed.iter().map(|p| p.payload_type).collect::<Vec<_>>();
    assert_eq!((types(&anna), types(&ben)), (vec![96, 97], vec![96, 97]));
    assert_eq!((anna.send, ben.send), (None, None));
    assert_eq!(ben.video.map(|video| video.repairs), Some(vec![97]));
    assert_eq!(world.plane.legs.len(), 4);
}

#[test]
fn refused_media_keep_their_line_and_other_protocols_pass_with_their_own_address() {
    let more = "m=image 5002 udptl t38\r\nm=application 0 UDP/BFCP *\r\n\
                m=message 7 TCP/MSRP *\r\na=path:msrp://x\r\n";
    let text = World::new().offer(&format!("{ANNA}{more}"), json!({}));
    let tail = text.split_once("m=image").unwrap().1;
    assert_eq!(
        tail,
        " 0 udptl t38\r\nm=application 0 UDP/BFCP *\r\nm=message 7 TCP/MSRP *\r\nc=IN IP4 192.0.2.5\r\na=path:msrp://x\r\n"
    );
}

#[test]
fn an_old_style_hold_keeps_the_zero_address_and_nothing_is_sent_there() {
    let mut world = World::up();
    let text = world.offer(&ANNA.replace("c=IN IP4 192.0.2.5", "c=IN IP4 0.0.0.0"), json!({"to-tag": "b"}));
    assert!(text.contains("c=IN IP4 0.0.0.0\r\n") && text.contains("a=sendonly\r\n"), "{text}");
    world.answer(&format!("{BEN}a=recvonly\r\n"), json!({}));
    let held = world.plane.legs.values().flatten().find(|setup| setup.remote.is_none()).unwrap();
    assert_eq!(held.direction, Direction::RecvOnly);
    let text = world
        .offer(&ANNA.replace("IP4 192.0.2.5\r\nb", "IP4 0.0.0.0\r\nb"), json!({"replace": ["zero-address"]}));
    assert!(text.contains("c=IN IP4 198.51.100.1\r\n"), "{text}");
}

#[test]
fn attributes_about_rtcp_are_written_as_asked() {
    let text = World::new().offer(ANNA, json!({"flags": ["no rtcp attribute"]}));
    assert!(!text.contains("a=rtcp"));
    let text = World::new()
        .offer(ANNA, json!({"flags": ["full-rtcp-attribute", "generate-mid"], "rtcp-mux": ["offer"]}));
    assert!(text.contains("a=rtcp:30003 IN IP4 198.51.100.1\r\na=rtcp-mux\r\n"), "{text}");
    assert!(text.contains("a=unknown:x\r\na=mid:1\r\n"));
    let muxed = format!("{ANNA}a=rtcp-mux\r\n");
    assert!(World::new().offer(&muxed, json!({})).contains("a=rtcp-mux\r\n"));
    let mut world = World::new();
    assert!(!world.offer(&muxed, json!({"rtcp-mux": ["demux"]})).contains("a=rtcp-mux"));
    assert!(world.answer(BEN, json!({})).contains("a=rtcp-mux\r\n"), "accepted on this side alone");
    assert!(world.setup_towards(5_000).rtcp_mux && !world.setup_towards(6_000).rtcp_mux);
}

#[test]
fn a_medium_with_its_own_address_leaves_the_sessions_alone_unless_asked() {
    let own = ANNA.replace("a=unknown:x", "c=IN IP4 192.0.2.6\r\na=unknown:x");
    let text = World::new().offer(&own, json!({}));
    assert!(
        text.contains("s=call\r\nc=IN IP4 192.0.2.5\r\n")
            && text.contains("101\r\nc=IN IP4 198.51.100.1\r\n")
    );
    let text = World::new().offer(&own, json!({"replace": ["session-connection"]}));
    assert!(text.contains("s=call\r\nc=IN IP4 198.51.100.1\r\n"), "{text}");
}

/// MEDIA-12: whom a leg believes follows from what is signalled and from where it was signalled.
#[test]
fn a_private_address_from_elsewhere_is_learnt_and_any_other_is_used_at_once() {
    let home = ANNA.replace("192.0.2.5", "192.168.1.5");
    for (sdp, more, remote, latching) in [
        (ANNA, json!({}), "192.0.2.5:5000", Latching::SameAddress),
        (home.as_str(), json!({"received-from": ["IP4", "203.0.113.7"]}), "192.168.1.5:5000", Latching::Any),
        (
            home.as_str(),
            json!({"received-from": ["IP4", "192.168.1.5"]}),
            "192.168.1.5:5000",
            Latching::SameAddress,
        ),
        (
            home.as_str(),
            json!({"received-from": ["IP4", "203.0.113.7"], "flags": ["SIP-source-address"]}),
            "203.0.113.7:5000",
            Latching::SameAddress,
        ),
        (
            home.as_str(),
            json!({"received-from": ["IP4", "203.0.113.7"], "flags": ["asymmetric"]}),
            "192.168.1.5:5000",
            Latching::Asymmetric,
        ),
    ] {
        let mut world = World::new();
        world.offer(sdp, more);
        world.answer(BEN, json!({}));
        let setup = world.setup_towards(5_000);
        assert_eq!((setup.remote, setup.latching), (Some(remote.parse().unwrap()), latching));
    }
}

#[test]
fn each_side_has_the_interface_and_the_address_family_that_was_asked_for() {
    let mut world = World::new();
    let text = world.offer(ANNA, json!({"direction": ["priv", "pub"]}));
    assert!(text.contains("c=IN IP4 198.51.100.1\r\n"), "{text}");
    assert!(world.answer(BEN, json!({})).contains("c=IN IP4 10.0.0.1\r\n"));
    let text = World::new().offer(ANNA, json!({"address family": "IP6", "replace": ["origin"]}));
    assert!(
        text.contains("c=IN IP6 2001:db8::1\r\n") && text.contains("1 1 IN IP6 2001:db8::1\r\n"),
        "{text}"
    );
    let six = ANNA.replace("IN IP4 192.0.2.5", "IN IP6 2001:db8::5");
    let mut world = World::new();
    assert!(world.offer(&six, json!({"address-family": "IP4"})).contains("c=IN IP4 198.51.100.1\r\n"));
    assert!(world.answer(BEN, json!({})).contains("c=IN IP6 2001:db8::1\r\n"), "towards Anna");
    assert_eq!(world.setup_towards(5_000).remote, Some("[2001:db8::5]:5000".parse().unwrap()));
    let text = World::new().offer(ANNA, json!({"media-address": "203.0.113.1"}));
    assert!(text.contains("c=IN IP4 203.0.113.1\r\n"), "{text}");
}

#[test]
fn a_loop_is_marked_and_left_alone_the_second_time() {
    let mut world = World::new();
    let text = world.offer(ANNA, json!({"flags": ["loop-protect"]}));
    assert!(text.contains("a=foo:bar\r\na=rtpengine:"), "{text}");
    let again = World::new().offer(&text, json!({"flags": ["loop-protect"]}));
    assert_eq!(again, text);
}

#[test]
fn octets_of_any_character_set_pass_unchanged() {
    let mut world = World::new();
    let sdp = ANNA.replace("s=call", "s=Grüße");
    assert!(world.offer(&sdp, json!({})).contains("s=Grüße\r\n"));
}

/// MEDIA-05, MEDIA-15, RFC 7261: silence is left out of G.729 towards a party where it and what it was told both allow that, whether the
/// other party has G.729 or not.
#[test]
fn silence_is_left_out_of_g729_only_where_both_said_so() {
    let line = |port: u16, annexb: &str| {
        let said = if annexb.is_empty() { String::new() } else { format!("a=fmtp:18 annexb={annexb}\r\n") };
        format!("m=audio {port} RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n{said}")
    };
    let head = |text: &str| text.split("m=").next().unwrap().to_owned();
    for (offered, answered, agreed) in
        [("yes", "yes", true), ("", "", true), ("yes", "no", false), ("no", "", false), ("no", "no", false)]
    {
        let mut world = World::new();
        world.offer(&(head(ANNA) + &line(5_000, offered)), json!({}));
        world.answer(&(head(BEN) + &line(6_000, answered)), json!({}));
        let (anna, ben) = (world.setup_towards(5_000), world.setup_towards(6_000));
        assert_eq!((anna.send.unwrap().codec, ben.send.unwrap().codec), (Codec::G729, Codec::G729));
        assert_eq!((anna.shape.dtx, ben.shape.dtx), (agreed, agreed), "{offered} was answered {answered}");
    }
    for (offered, agreed) in [("", true), ("yes", true), ("no", false)] {
        let mut world = World::new();
        let offer = head(ANNA) + &line(5_000, offered);
        world.offer(&offer, json!({"codec": {"mask": ["G729"], "transcode": ["PCMA"]}}));
        let text = world.answer(&(head(BEN) + "m=audio 6000 RTP/AVP 8\r\n"), json!({}));
        assert_eq!(text.contains("a=fmtp:18 annexb=no"), !agreed, "{text}");
        let (anna, ben) = (world.setup_towards(5_000), world.setup_towards(6_000));
        assert_eq!((anna.send.unwrap().codec, ben.send.unwrap().codec), (Codec::G729, Codec::Pcma));
        assert_eq!((anna.shape.dtx, ben.shape.dtx), (agreed, false), "{offered}");
    }
}
