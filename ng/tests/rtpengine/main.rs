//! The same requests to Debian's rtpengine and to a node of ours: the descriptions must be the same but for ports and keys.
//!
//! rtpengine is Debian's (package rtpengine-daemon), started and ended by the test; `cases` has the requests.

#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]

mod cases;
mod chain;
#[path = "../support/mod.rs"]
mod support;
mod transcoded;

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cases::{AUDIO, BEN, BEN_AUDIO, Case, HEAD, cases, dialogues, list};
use ng::wire::Value;
use support::{Ours, Proxy, sdp_of};

struct Theirs {
    child: Child,
    address: SocketAddr,
}

impl Theirs {
    async fn start() -> Self {
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
            .unwrap_or_else(|e| panic!("rtpengine (Debian package rtpengine-daemon) cannot be started: {e}"));
        let theirs = Self { child, address };
        for _ in 0..50 {
            let mut proxy = Proxy::to(address);
            if proxy.send_raw(b"0 d7:command4:pinge").await.is_some() {
                return theirs;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("rtpengine does not answer at {address}")
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
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
        } else if line.starts_with("a=fingerprint:") {
            words[1] = "PRINT";
        } else if line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:") {
            words[0] = line.split(':').next().unwrap();
        } else if line.starts_with("a=candidate:") {
            (words[0], words[5]) = ("a=candidate", "PORT");
        } else if line == "a=ice-lite" {
            // rtpengine is a full agent, a node of ours is a lite one.
            continue;
        } else if line.starts_with("a=tls-id:") {
            // RFC 8842 asks for it only from those who can restart an association with the same fingerprint.
            continue;
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
    let theirs = Theirs::start().await;
    let ours = Ours::start(300, None, None).await;
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
    let theirs = Theirs::start().await;
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
    let theirs = Theirs::start().await;
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

/// MEDIA-15: subscribers are told what rtpengine would tell them, and in the media of their description read the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_are_those_of_rtpengine() {
    let theirs = Theirs::start().await;
    let ours = Ours::start(40, None, None).await;
    let first = cases().swap_remove(0);
    let id = first.name;
    let subscriber = "v=0\r\no=rec 7 7 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 7000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=recvonly\r\n";
    let mut found = Vec::new();
    for node in [theirs.address, ours.address] {
        let mut proxy = Proxy::to(node);
        negotiate(&mut proxy, &first).await;
        let with = |command: &str| Value::dict().with("command", command).with("call-id", id);
        let mut told = Vec::new();
        for request in [
            with("subscribe request").with("from-tag", "b").with("to-tag", "r"),
            with("subscribe answer").with("to-tag", "r").with("sdp", subscriber),
            with("subscribe request").with("flags", list(&["all", "siprec"])).with("to-tag", "s"),
            with("subscribe request").with("from-tag", "nobody"),
            with("subscribe request"),
            with("subscribe answer").with("to-tag", "unknown").with("sdp", subscriber),
            with("subscribe answer").with("to-tag", "r"),
            with("subscribe answer").with("sdp", subscriber),
            with("unsubscribe").with("to-tag", "s"),
            with("unsubscribe").with("to-tag", "s"),
            with("unsubscribe"),
        ] {
            let answer = proxy.ask(request).await.expect("an answer");
            let mut all = std::collections::BTreeSet::new();
            // Labels are whatever each node counts.
            names(&answer, "", &mut all);
            let all: Vec<String> =
                all.into_iter().map(|name| name.replace("/1", "/N").replace("/0", "/N")).collect();
            let media = answer.get("sdp").and_then(Value::text).unwrap_or_default();
            let media = media.split_once("m=audio").map(|(_, media)| comparable(&format!("m=audio{media}")));
            // Theirs has the speaker's session c=, ours each medium's own.
            let media = media.unwrap_or_default();
            // Theirs repeats the packet time of 20 ms, which is what counts where none is said, for some and not for others.
            let own = ["c=", "a=label", "a=ptime:20"];
            let lines = media.lines().filter(|line| !own.iter().any(|own| line.starts_with(own)));
            let why = answer.get("error-reason").and_then(Value::text);
            told.push((all, lines.map(str::to_owned).collect::<Vec<_>>(), why));
        }
        found.push(told);
    }
    for (turn, (theirs, ours)) in found[0].iter().zip(&found[1]).enumerate() {
        let unique: std::collections::BTreeSet<&String> = theirs.0.iter().collect();
        assert_eq!(unique, ours.0.iter().collect(), "turn {turn}: {:?}, {:?}", theirs.2, ours.2);
        assert_eq!((&theirs.1, &theirs.2), (&ours.1, &ours.2), "turn {turn}");
    }
}

/// MEDIA-15: refusals have the words of rtpengine, which log watchers and proxies match on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_the_words_of_rtpengine() {
    let theirs = Theirs::start().await;
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
        with("subscribe request").with("call-id", "x").with("from-tag", "a"),
        with("subscribe answer").with("call-id", "x").with("to-tag", "r").with("sdp", BEN),
        with("unsubscribe").with("call-id", "x").with("to-tag", "r"),
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
