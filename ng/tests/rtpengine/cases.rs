//! What is asked of both: offers with their answers, and longer dialogues.

use ng::wire::Value;

pub const HEAD: &str =
    "v=0\r\no=anna 1 1 IN IP4 192.0.2.5\r\ns=call\r\nc=IN IP4 192.0.2.5\r\nb=AS:80\r\nt=0 0\r\na=foo:bar\r\n";
pub const AUDIO: &str = "m=audio 5000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
    a=unknown:x\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:5001\r\n";
pub const BEN: &str = "v=0\r\no=ben 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n";
pub const BEN_AUDIO: &str =
    "m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
pub const VIDEO: &str = "m=video 5002 RTP/AVPF 96 97\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n\
    a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";
pub const BEN_VIDEO: &str = "m=video 6002 RTP/AVPF 96 97\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n\
    a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";
const PRINT: &str = "a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF\r\n";
pub const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

pub struct Case {
    pub name: &'static str,
    pub offer: String,
    pub offer_keys: Value,
    pub answer: String,
    pub answer_keys: Value,
}

pub fn list(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::from(*word)).collect()
}

/// ICE of a party.
const ICE: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=candidate:1 1 UDP 2130706431 192.0.2.5 5000 typ host\r\n";

pub fn cases() -> Vec<Case> {
    let none = Value::dict;
    let anna = format!("{HEAD}{AUDIO}");
    let ben = format!("{BEN}{BEN_AUDIO}");
    let case = |name, offer: &str, offer_keys, answer: &str, answer_keys| Case {
        name,
        offer: offer.to_owned(),
        offer_keys,
        answer: answer.to_owned(),
        answer_keys,
    };
    // The suites that both know.
    let both = [
        "no-AES_256_CM_HMAC_SHA1_32",
        "no-AES_192_CM_HMAC_SHA1_80",
        "no-AES_192_CM_HMAC_SHA1_32",
        "no-F8_128_HMAC_SHA1_80",
        "no-F8_128_HMAC_SHA1_32",
        "no-NULL_HMAC_SHA1_80",
        "no-NULL_HMAC_SHA1_32",
    ];
    let safe = |sdp: &str| sdp.replace("RTP/AVP", "RTP/SAVP");
    let stock = || none().with("replace", list(&["origin", "session-connection"])).with("ICE", "remove");
    vec![
        case("no flags at all", &anna, none(), &ben, none()),
        case("Kamailio's stock flags", &anna, stock(), &ben, stock()),
        case("no rtcp attribute", &anna, none().with("flags", list(&["no rtcp attribute"])), &ben, none()),
        case(
            "full rtcp attribute",
            &anna,
            none().with("flags", list(&["full-rtcp-attribute"])),
            &ben,
            none().with("flags", list(&["full-rtcp-attribute"])),
        ),
        case(
            "strip as a dictionary",
            &anna,
            none().with("codec", none().with("strip", list(&["PCMA"]))),
            &ben.replace("8 101", "0 101").replace("8 PCMA", "0 PCMU"),
            none(),
        ),
        case("strip as a flag", &anna, none().with("flags", list(&["codec-strip-PCMU"])), &ben, none()),
        case(
            "mask",
            &anna,
            none().with("codec", none().with("mask", list(&["PCMA"]))),
            &ben.replace("8 101", "0 101").replace("8 PCMA", "0 PCMU"),
            none(),
        ),
        case(
            "hold by direction",
            &anna.replace("sendrecv", "sendonly"),
            none(),
            &format!("{ben}a=recvonly\r\n"),
            none(),
        ),
        case(
            "hold by zeros",
            &anna.replace("c=IN IP4 192.0.2.5", "c=IN IP4 0.0.0.0"),
            none(),
            &format!("{ben}a=recvonly\r\n"),
            none(),
        ),
        case(
            "hold by zeros, replaced",
            &anna.replace("c=IN IP4 192.0.2.5", "c=IN IP4 0.0.0.0"),
            none().with("replace", list(&["zero-address"])),
            &ben,
            none(),
        ),
        case(
            "an address of the medium's own",
            &anna.replace(" 101\r\n", " 101\r\nc=IN IP4 192.0.2.6\r\nb=AS:64\r\n"),
            none(),
            &ben,
            none(),
        ),
        case(
            "the same with session-connection",
            &anna.replace(" 101\r\n", " 101\r\nc=IN IP4 192.0.2.6\r\n"),
            stock(),
            &ben,
            stock(),
        ),
        case(
            "rtcp-mux passed on",
            &format!("{anna}a=rtcp-mux\r\n"),
            none(),
            &format!("{ben}a=rtcp-mux\r\n"),
            none(),
        ),
        case("rtcp-mux refused by the answerer", &format!("{anna}a=rtcp-mux\r\n"), none(), &ben, none()),
        case(
            "rtcp-mux demux",
            &format!("{anna}a=rtcp-mux\r\n"),
            none().with("rtcp-mux", list(&["demux"])),
            &ben,
            none(),
        ),
        case(
            "rtcp-mux offer",
            &anna,
            none().with("rtcp-mux", list(&["offer"])),
            &format!("{ben}a=rtcp-mux\r\n"),
            none(),
        ),
        case(
            "refused media and other protocols",
            &format!("{anna}m=application 0 UDP/BFCP *\r\nm=message 7 TCP/MSRP *\r\na=path:msrp://x\r\n"),
            none(),
            &format!("{ben}m=application 0 UDP/BFCP *\r\nm=message 9 TCP/MSRP *\r\na=path:msrp://y\r\n"),
            none(),
        ),
        case(
            "two audio lines",
            &format!("{anna}{}", AUDIO.replace("5000", "5010").replace("5001", "5011")),
            none(),
            &format!("{ben}{}", BEN_AUDIO.replace("6000", "6010")),
            none(),
        ),
        case(
            "the second audio line refused",
            &format!("{anna}{}", AUDIO.replace("5000", "5010").replace("5001", "5011")),
            none(),
            &format!("{ben}m=audio 0 RTP/AVP 8\r\n"),
            none(),
        ),
        case("a mid is added", &anna, none().with("flags", list(&["generate-mid"])), &ben, none()),
        case(
            "SDES towards the answerer",
            &anna,
            none().with("transport-protocol", "RTP/SAVP").with("DTLS", "off").with("SDES", list(&both)),
            &format!("{}a=crypto:4 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n", safe(&ben)),
            none(),
        ),
        case(
            "SDES of the offerer",
            &format!("{}a=crypto:3 AES_CM_128_HMAC_SHA1_32 {KEY}\r\n", safe(&anna)),
            none().with("transport-protocol", "RTP/AVP").with("DTLS", "off"),
            &ben,
            none(),
        ),
        case("no ptime anywhere", &anna.replace("a=ptime:20\r\n", ""), none(), &ben, none()),
        case(
            "ptime of the answerer",
            &anna,
            none(),
            &format!("{ben}a=ptime:30\r\na=maxptime:40\r\n"),
            none(),
        ),
        case(
            "opus with parameters",
            &format!(
                "{HEAD}m=audio 5000 RTP/AVP 111 8\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
            ),
            none(),
            &format!(
                "{BEN}m=audio 6000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 maxplaybackrate=16000\r\n"
            ),
            none(),
        ),
        case(
            "an added codec and nothing of it chosen",
            &anna,
            none().with("codec", none().with("transcode", list(&["opus"]))),
            &ben,
            none(),
        ),
        case(
            "an added codec is chosen",
            &anna,
            none().with("codec", none().with("strip", list(&["PCMA"])).with("transcode", list(&["opus"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"),
            none(),
        ),
        case(
            "G.729 masked, another added",
            &format!("{HEAD}m=audio 5000 RTP/AVP 18\r\na=fmtp:18 annexb=no\r\n"),
            none().with("codec", none().with("mask", list(&["G729"])).with("transcode", list(&["PCMU"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 0\r\n"),
            none(),
        ),
        case(
            "G.729 that leaves out silence, masked, another added",
            &format!("{HEAD}m=audio 5000 RTP/AVP 18\r\n"),
            none().with("codec", none().with("mask", list(&["G729"])).with("transcode", list(&["PCMU"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 0\r\n"),
            none(),
        ),
        case(
            "G.729 added and chosen",
            &format!("{HEAD}m=audio 5000 RTP/AVP 0\r\n"),
            none().with("codec", none().with("mask", list(&["PCMU"])).with("transcode", list(&["G729"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 18\r\na=fmtp:18 annexb=no\r\n"),
            none(),
        ),
        case(
            "G.729 added by its names",
            &anna,
            none().with("flags", list(&["transcode-G729", "transcode-G729a"])),
            &ben,
            none(),
        ),
        case(
            "G.729 added with parameters",
            &anna,
            none().with("codec", none().with("transcode", list(&["G729/8000///annexb=yes"]))),
            &ben,
            none(),
        ),
        case(
            "G.729 on both sides, silence left out or not",
            &format!("{HEAD}m=audio 5000 RTP/AVP 18\r\na=fmtp:18 annexb=yes\r\n"),
            none(),
            &format!("{BEN}m=audio 6000 RTP/AVP 18\r\na=fmtp:18 annexb=no\r\n"),
            none(),
        ),
        case(
            "an added codec with parameters",
            &format!("{HEAD}m=audio 5000 RTP/AVP 0\r\n"),
            none().with(
                "codec",
                none().with("mask", list(&["PCMU"])).with(
                    "transcode",
                    list(&["opus/48000/2///maxplaybackrate=16000;maxaveragebitrate=19000"]),
                ),
            ),
            &format!("{BEN}m=audio 6000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"),
            none(),
        ),
        case(
            "all stripped but one",
            &anna,
            none().with("codec", none().with("strip", list(&["all"])).with("except", list(&["PCMU"]))),
            &ben.replace("8 101", "0").replace("8 PCMA", "0 PCMU"),
            none(),
        ),
        case(
            "all masked and one added",
            &format!("{HEAD}{}", AUDIO.replace("8 0 101", "0 101")),
            none().with("codec", none().with("mask", list(&["all"])).with("transcode", list(&["PCMA"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 8\r\n"),
            none(),
        ),
        case(
            "all masked, one added, events kept",
            &format!("{HEAD}{}", AUDIO.replace("8 0 101", "0 101")),
            none().with(
                "codec",
                none()
                    .with("mask", list(&["all"]))
                    .with("except", list(&["telephone-event"]))
                    .with("transcode", list(&["PCMA"])),
            ),
            &ben,
            none(),
        ),
        case(
            "flags of OpenSIPS",
            &anna,
            none().with("flags", list(&["codec-mask-PCMA", "transcode-opus", "trust-address"])),
            &format!("{BEN}m=audio 6000 RTP/AVP 0\r\n"),
            none(),
        ),
        case(
            "an order of codecs",
            &anna,
            none().with("codec", none().with("strip", list(&["all"])).with("offer", list(&["PCMU", "PCMA"]))),
            &ben,
            none(),
        ),
        case(
            "a masked codec and another added",
            &format!("{HEAD}m=audio 5000 RTP/AVP 0\r\n"),
            none().with("codec", none().with("mask", list(&["PCMU"])).with("transcode", list(&["PCMA"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 8\r\n"),
            none(),
        ),
        case("ptime as asked", &anna, none().with("ptime", 30_u64), &ben, none()),
        case(
            "directions as they are",
            &anna.replace("a=sendrecv\r\n", ""),
            none().with("flags", list(&["original-sendrecv"])),
            &ben,
            none(),
        ),
        case(
            "ICE without DTLS, removed",
            &format!(
                "{anna}a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=candidate:1 1 UDP 2130706431 192.0.2.5 5000 typ host\r\n"
            ),
            none().with("ICE", "remove"),
            &ben,
            none().with("ICE", "remove"),
        ),
        case("ICE of the offerer alone", &format!("{anna}{ICE}"), none().with("ICE", "remove"), &ben, none()),
        case(
            "ICE of the offerer alone, on one port",
            &format!("{anna}a=rtcp-mux\r\n{ICE}"),
            none().with("ICE", "remove").with("rtcp-mux", list(&["demux"])),
            &ben,
            none(),
        ),
        case("ICE of both", &format!("{anna}{ICE}"), none(), &format!("{ben}{ICE}"), none()),
        case("ICE that is not answered", &format!("{anna}{ICE}"), none(), &ben, none()),
        case(
            "ICE towards the answerer alone",
            &anna,
            none().with("ICE", "force"),
            &format!("{ben}{ICE}"),
            none(),
        ),
        case(
            "AVPF with feedback lines",
            &format!(
                "{HEAD}m=audio 5000 RTP/AVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 useinbandfec=1\r\na=extmap:1 urn:x\r\n"
            ),
            none(),
            &format!("{BEN}m=audio 6000 RTP/AVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"),
            none(),
        ),
        case(
            "strip-extmap",
            &format!("{anna}a=extmap:1 urn:x\r\n"),
            none().with("flags", list(&["strip-extmap"])),
            &ben,
            none(),
        ),
        case(
            "AVPF towards AVP",
            &anna.replace("RTP/AVP", "RTP/AVPF"),
            none().with("transport-protocol", "RTP/AVP"),
            &ben,
            none(),
        ),
        case(
            "codecs that are only passed on",
            &format!(
                "{HEAD}m=audio 5000 RTP/AVP 3 18 97 101\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=30\r\n\
                 a=rtpmap:101 telephone-event/8000\r\n"
            ),
            none(),
            &format!(
                "{BEN}m=audio 6000 RTP/AVP 97 3 101\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=20\r\na=rtpmap:101 telephone-event/8000\r\n"
            ),
            none(),
        ),
        case(
            "an unknown codec is stripped",
            &format!("{HEAD}m=audio 5000 RTP/AVP 97 8\r\na=rtpmap:97 foo/16000\r\n"),
            none().with("codec", none().with("strip", list(&["foo"]))),
            &format!("{BEN}m=audio 6000 RTP/AVP 8\r\n"),
            none(),
        ),
        case("audio and video", &format!("{anna}{VIDEO}"), none(), &format!("{ben}{BEN_VIDEO}"), none()),
        case(
            "video alone, its answer without repairs",
            &format!("{HEAD}{VIDEO}"),
            stock(),
            &format!(
                "{BEN}{}",
                BEN_VIDEO.replace(" 97", "").replace("a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n", "")
            ),
            stock(),
        ),
        case(
            "video is refused",
            &format!("{anna}{VIDEO}"),
            none(),
            &format!("{ben}m=video 0 RTP/AVPF 96\r\n"),
            none(),
        ),
        case(
            "DTLS towards the answerer",
            &anna,
            none()
                .with("transport-protocol", "UDP/TLS/RTP/SAVP")
                .with("ICE", "remove")
                .with("SDES", list(&["off"])),
            &format!("{}a=setup:active\r\n{PRINT}", ben.replace("RTP/AVP", "UDP/TLS/RTP/SAVP")),
            none(),
        ),
        case(
            "DTLS of the offerer",
            &format!("{}a=setup:actpass\r\n{PRINT}", anna.replace("RTP/AVP", "UDP/TLS/RTP/SAVP")),
            none().with("transport-protocol", "RTP/AVP").with("ICE", "remove"),
            &ben,
            none(),
        ),
        case(
            "DTLS of the offerer, whose side we leave it to",
            &format!("{}a=setup:actpass\r\n{PRINT}", anna.replace("RTP/AVP", "UDP/TLS/RTP/SAVP")),
            none().with("transport-protocol", "RTP/AVP").with("ICE", "remove"),
            &ben,
            none().with("DTLS", "passive"),
        ),
        case("mid of the offerer", &format!("{anna}a=mid:zero\r\n"), none(), &ben, none()),
        case(
            "inactive for the session",
            &anna.replace("a=foo:bar\r\n", "a=foo:bar\r\na=inactive\r\n").replace("a=sendrecv\r\n", ""),
            none(),
            &format!("{ben}a=inactive\r\n"),
            none(),
        ),
    ]
}

/// A request of a longer dialogue: command, from-tag, to-tag, description, further keys.
pub type Turn = (&'static str, &'static str, Option<&'static str>, String, Value);

pub fn dialogues() -> Vec<(&'static str, Vec<Turn>)> {
    let none = Value::dict;
    let (anna, ben) = (format!("{HEAD}{AUDIO}"), format!("{BEN}{BEN_AUDIO}"));
    let held = anna.replace("sendrecv", "sendonly");
    vec![
        (
            "hold and return",
            vec![
                ("offer", "a", None, anna.clone(), none()),
                ("answer", "a", Some("b"), ben.clone(), none()),
                ("offer", "a", Some("b"), held, none()),
                ("answer", "a", Some("b"), format!("{ben}a=recvonly\r\n"), none()),
                ("offer", "a", Some("b"), anna.clone(), none()),
                ("answer", "a", Some("b"), ben.clone(), none()),
            ],
        ),
        (
            "the callee offers",
            vec![
                ("offer", "a", None, anna.clone(), none()),
                ("answer", "a", Some("b"), ben.clone(), none()),
                ("offer", "b", Some("a"), ben.clone(), none()),
                ("answer", "b", Some("a"), anna.replace("8 0 101", "8 101"), none()),
            ],
        ),
        (
            "early media, then the answer",
            vec![
                ("offer", "a", None, anna.clone(), none()),
                ("answer", "a", Some("b"), ben.clone(), none()),
                ("answer", "a", Some("b"), ben.clone(), none()),
            ],
        ),
        (
            "a second branch",
            vec![
                ("offer", "a", None, anna.clone(), none().with("via-branch", "z1")),
                ("offer", "a", None, anna.clone(), none().with("via-branch", "z2")),
                ("answer", "a", Some("b"), ben.clone(), none().with("via-branch", "z2")),
            ],
        ),
        (
            "a second medium joins and leaves",
            vec![
                ("offer", "a", None, anna.clone(), none()),
                ("answer", "a", Some("b"), ben.clone(), none()),
                (
                    "offer",
                    "a",
                    Some("b"),
                    format!("{anna}{}", AUDIO.replace("5000", "5010").replace("5001", "5011")),
                    none(),
                ),
                ("answer", "a", Some("b"), format!("{ben}{}", BEN_AUDIO.replace("6000", "6010")), none()),
                ("offer", "a", Some("b"), format!("{anna}m=audio 0 RTP/AVP 8\r\n"), none()),
                ("answer", "a", Some("b"), format!("{ben}m=audio 0 RTP/AVP 8\r\n"), none()),
            ],
        ),
    ]
}
