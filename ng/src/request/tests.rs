use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::wire;

fn read(bencode: &str) -> Request {
    Request::read(wire::bencode::read(bencode.as_bytes()).unwrap()).unwrap()
}

/// MEDIA-15: what Kamailio's module sends for its stock configuration.
#[test]
fn kamailios_stock_offer_is_understood_whole() {
    let request = read(concat!(
        "d8:supportsl10:load limite3:sdp3:v=03:ICE6:remove5:flagsl13:trust-address18:SIP-source-addresse",
        "7:replacel6:origin18:session-connectione18:transport-protocol7:RTP/AVP8:rtcp-muxl5:demuxe",
        "7:call-id3:abc13:received-froml3:IP49:192.0.2.8e8:from-tag1:a7:command5:offer16:sip-message-type",
        "11:sip_request10:via-branch9:z9hG4bK.1e"
    ));
    assert_eq!(request.command, Command::Offer);
    assert_eq!((request.call_id.as_deref(), request.from_tag.as_deref()), (Some("abc"), Some("a")));
    assert_eq!(request.via_branch.as_deref(), Some("z9hG4bK.1"));
    let options = request.options;
    assert_eq!((options.ice, options.profile), (Ice::Remove, Some(Profile::Avp)));
    assert!(options.replace.origin && options.replace.session_connection && options.mux.demux);
    assert!(options.sip_source_address);
    assert_eq!(options.received_from, Some("192.0.2.8".parse().unwrap()));
    assert_eq!(options.unknown, Vec::<String>::new());
}

/// MEDIA-15: OpenSIPS leaves codec operations among the flags, Kamailio makes a dictionary of them.
#[test]
fn codec_operations_mean_the_same_as_flags_and_as_a_dictionary() {
    let opensips = read("d7:command5:offer5:flagsl16:codec-strip-PCMA14:transcode-opus15:codec-mask-PCMUee");
    let kamailio = read("d7:command5:offer5:codecd5:stripl4:PCMAe9:transcodel4:opuse4:maskl4:PCMUeee");
    assert_eq!(opensips.options.codec, kamailio.options.codec);
    assert_eq!(opensips.options.codec.transcode, ["opus"]);
}

#[test]
fn names_may_be_written_with_a_space_or_a_dash() {
    let spaced =
        read("d7:command5:offer18:transport protocol8:RTP/SAVP14:address family3:IP612:delete delayi3ee");
    let dashed =
        read("d7:command5:offer18:transport-protocol8:RTP/SAVP14:address-family3:IP612:delete-delay1:3e");
    assert_eq!(spaced.options, dashed.options);
    assert_eq!(dashed.options.delete_delay, Some(Duration::from_secs(3)));
    assert_eq!((dashed.options.profile, dashed.options.ipv6), (Some(Profile::Savp), Some(true)));
}

#[test]
fn a_whole_string_of_flags_is_taken_apart_by_the_node() {
    let text = "replace-origin ICE=force SRTP AVPF rtcp-mux-offer in-iface=pub out-iface=priv SDES-no-NULL_HMAC_SHA1_80";
    let request = read(&format!("d7:command5:offer10:rtpp-flags{}:{text}e", text.len()));
    let options = request.options;
    assert_eq!((options.ice, options.profile), (Ice::Force, Some(Profile::Savpf)));
    assert!(options.replace.origin && options.mux.offer);
    assert_eq!(options.interfaces, ["pub", "priv"]);
    assert!(!options.sdes.allows("NULL_HMAC_SHA1_80") && options.sdes.allows("AEAD_AES_256_GCM"));
}

#[test]
fn what_is_unknown_is_named_and_harms_nothing() {
    let options = read("d7:command5:offer5:flagsl7:sparkle13:strict-sourcee7:sparkle1:1e").options;
    assert_eq!(options.unknown, ["sparkle", "sparkle"]);
    assert_eq!(options.ignored, ["strict-source"]);
}

#[test]
fn a_request_without_a_known_command_is_refused_in_rtpengines_words() {
    let error = |text: &str| Request::read(wire::bencode::read(text.as_bytes()).unwrap()).unwrap_err();
    assert_eq!(error("de"), "Dictionary contains no key \"command\"");
    assert_eq!(error("d7:command5:dancee"), "Unrecognized command");
    assert_eq!(read("d7:command4:meshe").command, Command::NotHere("mesh".into()));
}

proptest! {
    /// SAFE-05: a request of any shape is read or refused.
    #[test]
    fn requests_of_any_shape_never_panic(flags in prop::collection::vec("[a-zA-Z=\\[\\] -]{0,30}", 0..10), key in "[a-zA-Z -]{1,20}", number in any::<i64>()) {
        let flags = Value::List(flags.into_iter().map(Value::from).collect());
        let body = Value::dict().with("command", "offer").with("flags", flags).with(key.clone(), number).with(key, "x");
        let _ = Request::read(body);
    }
}
