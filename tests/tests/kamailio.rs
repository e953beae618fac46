//! Kamailio's `rtpengine` module commands media nodes: real calls, SIPp to Kamailio to SIPp, with media through the node.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use scenarios::kamailio::Kamailio;
use scenarios::node::Node;
use scenarios::pcap::{Capture, Datagram, rtp_payloads};
use scenarios::process::{Running, free_port, free_stretch};
use scenarios::{eventually, tone};

/// One side of the calls.
struct Party<'a> {
    name: &'a str,
    port: u16,
    media: u16,
    scenario: String,
    /// Tone it speaks.
    hz: f64,
}

impl Party<'_> {
    /// Starts SIPp; `proxy` makes it a caller of so many calls.
    fn start(&self, dir: &Path, proxy: Option<(u16, u32)>, extra: &[&str]) -> Running {
        let dir = dir.join(self.name);
        std::fs::create_dir_all(&dir).expect("a folder");
        let speech: Vec<u8> = tone::sine(self.hz, 8_000, 10.0).into_iter().map(tone::to_mulaw).collect();
        std::fs::write(dir.join("tone.ul"), speech).expect("a file");
        std::fs::write(dir.join("scenario.xml"), &self.scenario).expect("a file");
        let mut command = Command::new("sipp");
        command.current_dir(&dir);
        if let Some((proxy, calls)) = proxy {
            command.arg(format!("127.0.0.1:{proxy}"));
            command.args(["-m", &calls.to_string(), "-r", "2", "-s", "callee"]);
            // The node is chosen by the call-id: with these each is chosen for some.
            command.args(["-cid_str", "%u-of-the-test@127.0.0.1"]);
        }
        command.args([
            "-sf",
            "scenario.xml",
            "-i",
            "127.0.0.1",
            "-mi",
            "127.0.0.1",
            "-nostdin",
            "-trace_err",
        ]);
        command.args(["-p", &self.port.to_string(), "-mp", &self.media.to_string()]);
        command.args(["-recv_timeout", "60000", "-timeout", "120s"]).args(extra);
        Running::start("sipp", "sip-tester", &mut command, &dir.join("sipp.log"))
    }
}

/// MEDIA-15: a stock Kamailio drives a call whose media go through the node: both hear each other, hold stops one way and resume
/// brings it back, and after BYE nothing is left.
#[test]
fn two_parties_talk_hold_and_resume_through_the_node_that_kamailio_commands() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "node", 40, "delete_delay_s = 0");
    let (proxy, media) = (free_port(), free_stretch(64));
    let caller = Party { name: "caller", port: free_port(), media, scenario: caller(), hz: 440.0 };
    let callee =
        Party { name: "callee", port: free_port(), media: media + 32, scenario: callee(), hz: 1_000.0 };
    let kamailio = Kamailio::start(dir.path(), proxy, callee.port, &[node.ng]);
    let filter = format!("udp and not port {}", node.ng);
    let capture = Capture::start(dir.path(), "lo", &filter, None);
    let _callee = callee.start(dir.path(), None, &[]);
    let mut calls = caller.start(dir.path(), Some((proxy, 1)), &[]);
    let status = calls.wait(Duration::from_secs(120));
    assert!(status.success(), "{}\n{}", calls.output(), kamailio.running.output());
    eventually("no leg is left after BYE", Duration::from_secs(10), || {
        let metrics = node.metrics();
        let left = metrics.sum("patchbay_ng_calls", &[]) + metrics.sum("patchbay_media_legs", &[]);
        (left == 0.0).then_some(())
    });
    assert_eq!(node.metrics().sum("patchbay_ng_calls_began_total", &[]), 1.0);
    assert_eq!(node.metrics().sum("patchbay_ng_errors_total", &[]), 0.0);
    let wire = Wire(capture.stop());

    // Both descriptions that arrived name the node, none the other party.
    let to_callee = wire.sip(callee.port, "INVITE ")[0].clone();
    let to_caller = wire.sip(caller.port, "SIP/2.0 200")[0].clone();
    for (description, other) in [(&to_callee.1, &caller), (&to_caller.1, &callee)] {
        assert!(node.has(audio_port(description)), "{description}");
        assert!(!description.contains(&format!("m=audio {}", other.media)), "{description}");
    }
    // What each sends to, and where its own audio comes from.
    let callers_media = audio_port(&wire.sip(proxy, "INVITE ")[0].1);
    let callees_media = audio_port(&wire.sip(proxy, "SIP/2.0 200")[0].1);
    let from_node = |to: u16| -> Vec<Datagram> {
        wire.0.iter().filter(|d| d.to.port() == to && node.has(d.from.port())).cloned().collect()
    };
    let (heard_by_caller, heard_by_callee) = (from_node(callers_media), from_node(callees_media));
    // Nobody's audio found a way around the node.
    let around = |d: &&Datagram| is_rtp(d) && !node.has(d.from.port()) && !node.has(d.to.port());
    assert_eq!(wire.0.iter().filter(around).count(), 0, "audio beside the node");

    let held = wire.answer_with(caller.port, "a=recvonly");
    let resumed = wire
        .0
        .iter()
        .find(|d| d.at_us > held && text(d).starts_with("INVITE "))
        .map_or(u64::MAX, |d| d.at_us);
    assert!(resumed > held + 1_000_000, "a hold of more than a second was seen");
    let part = |all: &[Datagram], from: u64, until: u64| -> Vec<Datagram> {
        all.iter().filter(|d| (from..until).contains(&d.at_us)).cloned().collect()
    };
    let hears = |who: &str, packets: &[Datagram], port: u16, hz: f64| {
        let payloads = rtp_payloads(packets, port, 0);
        let samples: Vec<i16> = payloads.concat().into_iter().map(tone::from_mulaw).collect();
        let seconds = samples.len() as f64 / 8_000.0;
        assert!(seconds > 0.8, "{who} heard only {seconds} s");
        let share = tone::unbroken(&samples, 8_000, hz);
        assert!(share > 0.9, "{who} heard {hz} Hz in {share} of the time");
    };
    let always = |all: &[Datagram]| part(all, 0, u64::MAX);
    hears("the caller", &part(&heard_by_caller, 0, held), callers_media, callee.hz);
    hears("the callee", &part(&always(&heard_by_callee), 0, held), callees_media, caller.hz);
    // A moment for what was under way when the hold was answered.
    let on_hold = part(&heard_by_caller, held + 100_000, resumed);
    assert_eq!(on_hold.iter().filter(|d| is_rtp(d)).count(), 0, "the holder hears nobody");
    hears("the held one", &part(&heard_by_callee, held + 100_000, resumed), callees_media, caller.hz);
    hears("the caller again", &part(&heard_by_caller, resumed + 100_000, u64::MAX), callers_media, callee.hz);
}

/// MEDIA-15: of three nodes one is dead and one has no port left: Kamailio takes every call to the third, and every call has its audio.
#[test]
fn calls_fail_over_from_a_dead_node_and_from_one_without_ports() {
    const CALLS: u32 = 12;
    let dir = tempfile::tempdir().expect("a folder");
    let good = Node::start(dir.path(), "good", 200, "delete_delay_s = 0");
    // One pair of ports is not enough for a call's two legs.
    let full = Node::start(dir.path(), "full", 2, "delete_delay_s = 0");
    let mut dead = Node::start(dir.path(), "dead", 40, "");
    let (proxy, media) = (free_port(), free_stretch(200));
    let caller = Party { name: "caller", port: free_port(), media, scenario: short_caller(), hz: 440.0 };
    let callee = Party { name: "callee", port: free_port(), media: media + 150, scenario: echo(), hz: 440.0 };
    let kamailio = Kamailio::start(dir.path(), proxy, callee.port, &[good.ng, full.ng, dead.ng]);
    dead.running.signal(libc::SIGKILL);
    dead.running.wait(Duration::from_secs(10));
    let capture = Capture::start(dir.path(), "lo", &format!("udp and not port {}", good.ng), None);
    let _callee = callee.start(dir.path(), None, &["-rtp_echo"]);
    let mut calls = caller.start(dir.path(), Some((proxy, CALLS)), &[]);
    assert!(
        calls.wait(Duration::from_secs(120)).success(),
        "{}\n{}",
        calls.output(),
        kamailio.running.output()
    );
    let metrics = good.metrics();
    assert_eq!(
        metrics.sum("patchbay_ng_calls_began_total", &[]),
        f64::from(CALLS),
        "{}",
        kamailio.running.output()
    );
    assert!(full.metrics().sum("patchbay_ng_failed_total", &[]) > 0.0, "the full node was asked");
    assert_eq!(full.metrics().sum("patchbay_media_legs", &[]), 0.0, "what it began it took back");
    let dead_port = format!("127.0.0.1:{}", dead.ng);
    let given_up = |line: &str| line.contains("can't send command \"offer\"") && line.contains(&dead_port);
    let log = kamailio.running.output();
    assert!(log.lines().any(given_up), "the dead node was asked and given up:\n{log}");
    // The callee sends back what it hears: each caller hears itself, from the port of its answer.
    let wire = Wire(capture.stop());
    let answers = wire.sip(caller.port, "SIP/2.0 200");
    let mut ports: Vec<u16> = answers.iter().map(|(_, text)| audio_port(text)).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), CALLS as usize, "each call has a port of its own");
    for port in ports {
        let echoed: Vec<Datagram> =
            wire.0.iter().filter(|d| d.from.port() == port && is_rtp(d)).cloned().collect();
        let to = echoed.first().unwrap_or_else(|| panic!("nothing came back from {port}")).to.port();
        let samples: Vec<i16> =
            rtp_payloads(&echoed, to, 0).concat().into_iter().map(tone::from_mulaw).collect();
        assert!(samples.len() > 8_000 / 2, "{} samples came back from {port}", samples.len());
        assert!(tone::unbroken(&samples, 8_000, caller.hz) > 0.9, "the echo from {port} is whole");
    }
}

/// What was captured.
struct Wire(Vec<Datagram>);

impl Wire {
    /// SIP messages to a port that begin so, in order, with their times.
    fn sip(&self, to: u16, beginning: &str) -> Vec<(u64, String)> {
        let here = |d: &&Datagram| d.to.port() == to && text(d).starts_with(beginning);
        let found: Vec<_> = self
            .0
            .iter()
            .filter(here)
            .map(|d| (d.at_us, text(d)))
            .filter(|(_, t)| t.contains("m=audio"))
            .collect();
        assert!(!found.is_empty(), "no {beginning} with a description came to {to}");
        found
    }

    /// When the answer with this attribute arrived.
    fn answer_with(&self, to: u16, attribute: &str) -> u64 {
        let answers = self.sip(to, "SIP/2.0 200");
        answers
            .iter()
            .find(|(_, text)| text.contains(attribute))
            .unwrap_or_else(|| panic!("no {attribute}"))
            .0
    }
}

fn text(datagram: &Datagram) -> String {
    String::from_utf8_lossy(&datagram.payload).into_owned()
}

fn is_rtp(datagram: &Datagram) -> bool {
    let local = |addr: SocketAddr| addr.ip().is_loopback();
    local(datagram.from)
        && datagram.payload.len() == 172
        && datagram.payload[0] == 0x80
        && datagram.payload[1] & 0x7f == 0
}

fn audio_port(description: &str) -> u16 {
    let line = description.lines().find_map(|line| line.strip_prefix("m=audio ")).expect("audio");
    line.split(' ').next().and_then(|port| port.parse().ok()).expect("a port")
}

const SPEAK: &str = r#"<nop><action><exec rtp_stream="tone.ul,-1,0,PCMU/8000"/></action></nop>"#;

fn description(who: &str, version: u32, port: &str, way: &str) -> String {
    format!(
        "v=0\no={who} 1 {version} IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [{port}] RTP/AVP 0 101\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na={way}\n"
    )
}

/// A request of the caller inside its call.
fn inside(method: &str, cseq: u32, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    let retrans = if method == "ACK" { "" } else { " retrans=\"500\"" };
    format!(
        "<send{retrans}><![CDATA[\n{method} [next_url] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n[routes]\n\
         From: <sip:caller@[local_ip]>;tag=[pid]C[call_number]\nTo: <sip:callee@[remote_ip]>[peer_tag_param]\nCall-ID: [call_id]\n\
         CSeq: {cseq} {}\nContact: <sip:caller@[local_ip]:[local_port]>\nMax-Forwards: 70\n{kind}Content-Length: [len]\n\n{body}]]></send>\n",
        method
    )
}

fn invite(port: &str) -> String {
    format!(
        "<send retrans=\"500\"><![CDATA[\nINVITE sip:callee@[remote_ip]:[remote_port] SIP/2.0\n\
         Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nFrom: <sip:caller@[local_ip]>;tag=[pid]C[call_number]\n\
         To: <sip:callee@[remote_ip]>\nCall-ID: [call_id]\nCSeq: 1 INVITE\nContact: <sip:caller@[local_ip]:[local_port]>\n\
         Max-Forwards: 70\nContent-Type: application/sdp\nContent-Length: [len]\n\n{}]]></send>\n\
         <recv response=\"100\" optional=\"true\"/><recv response=\"180\" optional=\"true\"/><recv response=\"200\" rrs=\"true\"/>\n{}",
        description("caller", 1, port, "sendrecv"),
        inside("ACK", 1, "")
    )
}

fn scenario(steps: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"call\">\n{steps}</scenario>\n")
}

/// Talks, holds, talks again, hangs up.
fn caller() -> String {
    let again = |cseq: u32, way: &str| {
        format!(
            "{}<recv response=\"100\" optional=\"true\"/><recv response=\"200\"/>\n{}",
            inside("INVITE", cseq, &description("caller", cseq, "rtpstream_audio_port", way)),
            inside("ACK", cseq, "")
        )
    };
    scenario(&format!(
        "{}{SPEAK}<pause milliseconds=\"2500\"/>\n{}<pause milliseconds=\"2000\"/>\n{}<pause milliseconds=\"2000\"/>\n{}<recv response=\"200\"/>\n",
        invite("rtpstream_audio_port"),
        again(2, "sendonly"),
        again(3, "sendrecv"),
        inside("BYE", 4, "")
    ))
}

/// Talks for a second and hangs up.
fn short_caller() -> String {
    let bye = inside("BYE", 2, "");
    scenario(&format!(
        "{}{SPEAK}<pause milliseconds=\"1500\"/>\n{bye}<recv response=\"200\"/>\n",
        invite("rtpstream_audio_port")
    ))
}

/// An answer of the callee to the request that came last.
fn answered(code: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "<send><![CDATA[\nSIP/2.0 {code}\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:];tag=[pid]A[call_number]\n[last_Call-ID:]\n\
         [last_CSeq:]\nContact: <sip:callee@[local_ip]:[local_port]>\n{kind}Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

/// The same inside the call, where To has its tag already.
fn answered_inside(body: &str) -> String {
    answered("200 OK", body).replace("[last_To:];tag=[pid]A[call_number]", "[last_To:]")
}

fn callee() -> String {
    let port = "rtpstream_audio_port";
    let again = |version: u32, way: &str| {
        format!(
            "<recv request=\"INVITE\"/>\n{}<recv request=\"ACK\"/>\n",
            answered_inside(&description("callee", version, port, way))
        )
    };
    scenario(&format!(
        "<recv request=\"INVITE\" rrs=\"true\"/>\n{}{}<recv request=\"ACK\"/>\n{SPEAK}{}{}<recv request=\"BYE\"/>\n{}",
        answered("180 Ringing", ""),
        answered("200 OK", &description("callee", 1, port, "sendrecv")),
        again(2, "recvonly"),
        again(3, "sendrecv"),
        answered_inside("")
    ))
}

fn echo() -> String {
    scenario(&format!(
        "<recv request=\"INVITE\" rrs=\"true\"/>\n{}<recv request=\"ACK\"/>\n<recv request=\"BYE\"/>\n{}",
        answered("200 OK", &description("callee", 1, "media_port", "sendrecv")),
        answered_inside("")
    ))
}
