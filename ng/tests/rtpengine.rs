//! The same requests to Debian's rtpengine and to a node of ours: the descriptions must be the same but for ports and keys.
//!
//! Where rtpengine is not installed, or does not start, there is nothing to compare and the test says so.

#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ng::wire::Value;
use support::{Ours, Proxy, sdp_of};

struct Theirs {
    child: Child,
    address: SocketAddr,
}

impl Theirs {
    async fn start() -> Option<Self> {
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("rtpengine")
            .args(["--config-file=none", "--table=-1", "--foreground", "--log-stderr", "--log-level=2"])
            .args(["--interface=127.0.0.1", "--num-threads=1", "--port-min=42000", "--port-max=42999"])
            .arg("--delete-delay=0")
            .arg(format!("--listen-ng={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let theirs = Self { child, address };
        for _ in 0..5 {
            let mut proxy = Proxy::to(address);
            if proxy.send_raw(b"0 d7:command4:pinge").await.is_some() {
                return Some(theirs);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        None
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const HEAD: &str =
    "v=0\r\no=anna 1 1 IN IP4 192.0.2.5\r\ns=call\r\nc=IN IP4 192.0.2.5\r\nb=AS:80\r\nt=0 0\r\na=foo:bar\r\n";
const AUDIO: &str = "m=audio 5000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
    a=unknown:x\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:5001\r\n";
const BEN: &str = "v=0\r\no=ben 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n";
const BEN_AUDIO: &str =
    "m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

struct Case {
    name: &'static str,
    offer: String,
    offer_keys: Value,
    answer: String,
    answer_keys: Value,
}

fn list(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::from(*word)).collect()
}

fn cases() -> Vec<Case> {
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

/// Ports and keys are each node's own.
fn comparable(sdp: &str) -> String {
    let mut out = String::new();
    for line in sdp.split("\r\n") {
        let mut words: Vec<&str> = line.split(' ').collect();
        if line.starts_with("m=") && words[1] != "0" && !line.contains("TCP") {
            words[1] = "PORT";
        } else if line.starts_with("a=rtcp:") {
            words[0] = "a=rtcp:PORT";
        } else if line.starts_with("a=crypto:") {
            words[2] = "KEY";
        }
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

async fn negotiate(proxy: &mut Proxy, case: &Case) -> [String; 2] {
    let keys = |command: &str, sdp: &str, more: &Value| {
        let mut request = Value::dict()
            .with("command", command)
            .with("call-id", case.name)
            .with("from-tag", "a")
            .with("sdp", sdp)
            .with("received-from", vec!["IP4".into(), "127.0.0.1".into()]);
        if let Value::Dict(entries) = more {
            for (key, value) in entries {
                request = request.with(key.as_str(), value.clone());
            }
        }
        request
    };
    let offer = proxy.ask(keys("offer", &case.offer, &case.offer_keys)).await.expect("an answer");
    let answer = keys("answer", &case.answer, &case.answer_keys).with("to-tag", "b");
    let answer = proxy.ask(answer).await.expect("an answer");
    [offer, answer].map(|answer| match answer.get("error-reason").and_then(Value::text) {
        Some(why) => why,
        None => comparable(&sdp_of(&answer)),
    })
}

/// MEDIA-15: what rtpengine writes, a node of ours writes, to the line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptions_are_those_of_rtpengine() {
    let Some(theirs) = Theirs::start().await else {
        eprintln!("rtpengine does not run here: nothing to compare");
        return;
    };
    let ours = Ours::start(200, None, None).await;
    let (mut to_theirs, mut to_ours) = (Proxy::to(theirs.address), Proxy::to(ours.address));
    let mut different = Vec::new();
    for case in cases() {
        let (theirs, ours) = (negotiate(&mut to_theirs, &case).await, negotiate(&mut to_ours, &case).await);
        for (what, theirs, ours) in [("offer", &theirs[0], &ours[0]), ("answer", &theirs[1], &ours[1])] {
            if theirs != ours {
                different.push(format!("=== {}, {what}\n--- rtpengine\n{theirs}--- ours\n{ours}", case.name));
            }
        }
    }
    assert!(different.is_empty(), "{} descriptions differ:\n{}", different.len(), different.join("\n"));
}

/// A request of a longer dialogue: command, from-tag, to-tag, description, further keys.
type Turn = (&'static str, &'static str, Option<&'static str>, String, Value);

fn dialogues() -> Vec<(&'static str, Vec<Turn>)> {
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

/// Ports and keys by the order in which they first appear, so that it shows whether they stay.
fn numbered(sdp: &str, seen: &mut Vec<String>) -> String {
    let mut number = |word: &str| {
        let place = seen.iter().position(|known| known == word).unwrap_or_else(|| {
            seen.push(word.to_owned());
            seen.len() - 1
        });
        format!("#{place}")
    };
    let mut out = String::new();
    for line in sdp.split("\r\n").filter(|line| !line.starts_with("a=rtcp:")) {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if line.starts_with("m=") && words[1] != "0" {
            words[1] = number(&words[1]);
        } else if line.starts_with("a=crypto:") {
            words[2] = number(&words[2]);
        }
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// MEDIA-15: over a whole dialogue ports and keys stay or change as with rtpengine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialogues_are_those_of_rtpengine() {
    let Some(theirs) = Theirs::start().await else {
        eprintln!("rtpengine does not run here: nothing to compare");
        return;
    };
    let ours = Ours::start(100, None, None).await;
    let (mut to_theirs, mut to_ours) = (Proxy::to(theirs.address), Proxy::to(ours.address));
    let mut different = Vec::new();
    for (name, turns) in dialogues() {
        let (mut seen_theirs, mut seen_ours) = (Vec::new(), Vec::new());
        for (turn, (command, from, to, sdp, more)) in turns.into_iter().enumerate() {
            let mut request =
                Value::dict().with("command", command).with("call-id", name).with("from-tag", from);
            if let Some(to) = to {
                request = request.with("to-tag", to);
            }
            request = request.with("sdp", sdp);
            if let Value::Dict(entries) = more {
                request = entries.into_iter().fold(request, |request, (key, value)| request.with(key, value));
            }
            let theirs = to_theirs.ask(request.clone()).await.expect("an answer");
            let ours = to_ours.ask(request).await.expect("an answer");
            let theirs = numbered(&sdp_of(&theirs), &mut seen_theirs);
            let ours = numbered(&sdp_of(&ours), &mut seen_ours);
            if theirs != ours {
                different.push(format!("=== {name}, turn {turn}\n--- rtpengine\n{theirs}--- ours\n{ours}"));
            }
        }
    }
    assert!(different.is_empty(), "{} turns differ:\n{}", different.len(), different.join("\n"));
}

/// Names of a dictionary and of all below it, members of lists by one name.
fn names(value: &Value, at: &str, out: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Dict(entries) => {
            for (name, value) in entries {
                let here = format!("{at}/{name}");
                names(value, &here, out);
                out.insert(here);
            }
        }
        Value::List(members) => members.iter().for_each(|member| names(member, &format!("{at}/*"), out)),
        _ => {}
    }
}

/// MEDIA-15: the figures of a call are where proxies look for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_have_the_shape_of_rtpengines() {
    let Some(theirs) = Theirs::start().await else {
        eprintln!("rtpengine does not run here: nothing to compare");
        return;
    };
    let ours = Ours::start(20, None, None).await;
    let first = cases().swap_remove(0);
    let mut found = Vec::new();
    for node in [theirs.address, ours.address] {
        let mut proxy = Proxy::to(node);
        negotiate(&mut proxy, &first).await;
        for request in ["query", "delete"] {
            let request =
                Value::dict().with("command", request).with("call-id", first.name).with("from-tag", "a");
            let answer = proxy.ask(request.with("delete-delay", 0_u64)).await.expect("an answer");
            let mut all = std::collections::BTreeSet::new();
            names(&answer, "", &mut all);
            found.push(all);
        }
    }
    for (theirs, ours) in [(&found[0], &found[2]), (&found[1], &found[3])] {
        let missing: Vec<&String> =
            theirs.difference(ours).filter(|name| !name.ends_with("/last packet")).collect();
        let added: Vec<&String> = ours.difference(theirs).collect();
        assert!(missing.is_empty() && added.is_empty(), "missing {missing:?}, added {added:?}");
    }
}

/// MEDIA-15: refusals have the words of rtpengine, which log watchers and proxies match on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_the_words_of_rtpengine() {
    let Some(theirs) = Theirs::start().await else {
        eprintln!("rtpengine does not run here: nothing to compare");
        return;
    };
    let ours = Ours::start(20, None, None).await;
    let (mut to_theirs, mut to_ours) = (Proxy::to(theirs.address), Proxy::to(ours.address));
    let mut different = Vec::new();
    let with = |command: &str| Value::dict().with("command", command);
    for request in [
        Value::dict(),
        with("dance"),
        with("ping"),
        with("offer"),
        with("offer").with("sdp", HEAD),
        with("offer").with("sdp", "hello").with("call-id", "x").with("from-tag", "a"),
        with("offer").with("sdp", format!("{HEAD}{AUDIO}")).with("call-id", "x"),
        with("answer").with("sdp", BEN).with("call-id", "x").with("from-tag", "a"),
        with("answer")
            .with("sdp", format!("{BEN}{BEN_AUDIO}"))
            .with("call-id", "x")
            .with("from-tag", "a")
            .with("to-tag", "b"),
        with("delete").with("call-id", "x").with("from-tag", "a"),
        with("delete").with("call-id", "x").with("from-tag", "a").with("flags", list(&["fatal"])),
        with("query").with("call-id", "x"),
        with("query"),
        with("block media").with("call-id", "x").with("from-tag", "a"),
        with("play DTMF").with("call-id", "x").with("from-tag", "a").with("code", "5"),
        with("start recording").with("call-id", "x"),
    ] {
        let (theirs, ours) = (to_theirs.ask(request.clone()).await, to_ours.ask(request.clone()).await);
        let told = |answer: &Option<Value>| {
            ["result", "error-reason", "warning"].map(|key| answer.as_ref()?.get(key)?.text())
        };
        if told(&ours) != told(&theirs) {
            let mut text = Vec::new();
            ng::wire::json::write(&request, &mut text);
            different.push(format!(
                "{}\nrtpengine {:?}\nours {:?}",
                String::from_utf8_lossy(&text),
                told(&theirs),
                told(&ours)
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
