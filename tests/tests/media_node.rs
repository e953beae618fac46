//! `patchbay media`: the media plane alone, commanded over NG.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use scenarios::appliance::binary;
use scenarios::call::call;
use scenarios::eventually;
use scenarios::node::Node;
use scenarios::process::{Running, free_port, free_stretch};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// A bencoded dictionary of strings; keys come sorted.
fn bencode(pairs: &[(&str, &str)]) -> String {
    let parts: String = pairs.iter().map(|(k, v)| format!("{}:{k}{}:{v}", k.len(), v.len())).collect();
    format!("d{parts}e")
}

/// Asks and gives the answer without its cookie.
fn ask(proxy: &UdpSocket, cookie: &str, request: &str) -> String {
    proxy.send(format!("{cookie} {request}").as_bytes()).expect("sent");
    let mut buffer = [0; 65_536];
    let length = proxy.recv(&mut buffer).expect("an answer");
    let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
    answer
        .strip_prefix(&format!("{cookie} "))
        .unwrap_or_else(|| panic!("another cookie: {answer}"))
        .to_owned()
}

/// The port of the audio line in an answer.
fn port(answer: &str) -> u16 {
    let line = answer
        .lines()
        .find_map(|l| l.strip_prefix("m=audio "))
        .unwrap_or_else(|| panic!("no audio: {answer}"));
    line.split(' ').next().and_then(|p| p.parse().ok()).expect("a port")
}

/// MEDIA-15: a proxy in whose place of rtpengine the media node stands gets ports of the node for both sides, sees the call, and
/// deletes it; a second node cannot take the address, and says which; SIGTERM ends it.
#[test]
fn a_proxy_offers_answers_queries_and_deletes() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ng, media) = (free_port(), free_stretch(110));
    let node = |log: &str| {
        let mut command = Command::new(binary());
        command.args(["media", "--ng", &format!("127.0.0.1:{ng}"), "--interface", "default/127.0.0.1"]);
        command.args([
            "--ports",
            &format!("{media}-{}", media + 99),
            "--browser-port",
            &(media + 100).to_string(),
        ]);
        command.args(["--threads", "1"]);
        Running::start("patchbay media", "", &mut command, &dir.path().join(log))
    };
    let mut first = node("first.log");
    eventually("the node is ready", Duration::from_secs(20), || {
        assert!(first.runs(), "it ended:\n{}", first.output());
        first.output().contains("ready").then_some(())
    });

    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.connect(("127.0.0.1", ng)).expect("connected");
    proxy.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    assert_eq!(ask(&proxy, "1_1", "d7:command4:pinge"), "d6:result4:ponge");
    let call = [("call-id", "abc"), ("command", "offer"), ("from-tag", "f"), ("sdp", OFFER)];
    let offered = ask(&proxy, "1_2", &bencode(&call));
    let call =
        [("call-id", "abc"), ("command", "answer"), ("from-tag", "f"), ("sdp", ANSWER), ("to-tag", "t")];
    let answered = ask(&proxy, "1_3", &bencode(&call));
    for answer in [&offered, &answered] {
        assert!(answer.contains("6:result2:ok") && answer.contains("c=IN IP4 127.0.0.1"), "{answer}");
        assert!((media..media + 100).contains(&port(answer)), "{answer}");
    }
    assert_ne!(port(&offered), port(&answered));
    let query = [("call-id", "abc"), ("command", "query")];
    assert!(ask(&proxy, "1_4", &bencode(&query)).contains("6:result2:ok"));
    let mut second = node("second.log");
    assert!(!second.wait(Duration::from_secs(20)).success(), "two nodes at one address");
    assert!(second.output().contains(&format!("127.0.0.1:{ng}")), "{}", second.output());
    let delete = [("call-id", "abc"), ("command", "delete"), ("from-tag", "f")];
    assert!(ask(&proxy, "1_5", &bencode(&delete)).contains("6:result2:ok"));
    assert!(ask(&proxy, "1_6", "no dictionary").contains("5:error"), "nonsense is an error, not silence");
    first.signal(libc::SIGTERM);
    assert!(first.wait(Duration::from_secs(20)).success(), "{}", first.output());
}

/// OPS-02, MEDIA-15: the node's file is checked before anything is started, and says which key is wrong.
#[test]
fn a_nodes_configuration_is_checked_before_it_is_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let check = |text: &str| {
        let file = dir.path().join("media.toml");
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(binary());
        let output =
            command.args(["media", "--check-config", "--config"]).arg(&file).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let defaults = Command::new(binary()).args(["media", "--print-defaults"]).output().expect("it runs");
    let shown = String::from_utf8_lossy(&defaults.stdout).into_owned();
    let usable = shown.replace("#interfaces = []", "interfaces = [\"in/127.0.0.1\", \"in/::1\"]");
    assert_eq!(check(&usable), (true, String::new()), "the documented file with one address");
    let (good, why) = check("[media]\ninterface = [\"in/127.0.0.1\"]");
    assert!(!good && why.contains("did you mean `interfaces`?"), "{why}");
    let (good, why) = check(
        "[media]\ninterfaces = [\"in/127.0.0.1\"]\n[dtls]\ncert_file = \"/a.pem\"\nkey_file = \"/a.key\"",
    );
    assert!(!good && why.contains("/a.pem"), "{why}");
}

/// MEDIA-15: machines see whether a node lives, has room, and what proxies and packets do.
#[test]
fn a_node_shows_its_health_and_figures() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "node", 20, "calls_max = 1");
    assert_eq!(node.page("/livez").0, 200);
    assert_eq!(node.page("/readyz").0, 200);
    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.connect(("127.0.0.1", node.ng)).expect("connected");
    proxy.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let offer = |id: &str, cookie: &str| {
        let call = [("call-id", id), ("command", "offer"), ("from-tag", "f"), ("sdp", OFFER)];
        ask(&proxy, cookie, &bencode(&call))
    };
    assert!(offer("a", "1").contains("6:result2:ok"));
    assert!(offer("b", "2").contains("Parallel session limit reached"));
    eventually("no room is told", Duration::from_secs(10), || (node.page("/readyz").0 == 503).then_some(()));
    assert_eq!(node.page("/livez").0, 200, "full, and alive");
    // Figures follow what they count by a moment.
    let metrics = eventually("two requests are not counted", Duration::from_secs(10), || {
        let metrics = node.metrics();
        let (done, legs) = (
            metrics.sum("patchbay_ng_requests_total", &["fate=\"done\""]),
            metrics.sum("patchbay_media_legs", &[]),
        );
        (done >= 2.0 && legs >= 2.0).then_some(metrics)
    });
    assert_eq!(metrics.sum("patchbay_ng_calls", &[]), 1.0);
    assert_eq!(metrics.sum("patchbay_ng_calls_refused_total", &[]), 1.0);
    assert_eq!(metrics.sum("patchbay_ng_requests_total", &["fate=\"done\""]), 2.0);
    assert_eq!(metrics.sum("patchbay_media_legs", &[]), 2.0);
    assert_eq!(metrics.sum("patchbay_ports_limit", &[]), 10.0);
    let (status, body) = node.page("/legs");
    let seen: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, seen["totals"]["legs"].as_u64()), (200, Some(2)), "{body}");
    let top = Command::new(binary())
        .args(["media", "top", "--once", "--json", "--call", "a", "--node"])
        .arg(format!("127.0.0.1:{}", node.watch))
        .output()
        .expect("it runs");
    assert!(top.status.success(), "{}", String::from_utf8_lossy(&top.stderr));
    let shown: serde_json::Value = serde_json::from_slice(&top.stdout).expect("JSON");
    let legs = shown["items"].as_array().expect("legs");
    assert_eq!(legs.len(), 2, "{shown}");
    let offerer = legs.iter().find(|leg| leg["who"]["name"] == "f").expect("the offerer's leg");
    assert_eq!((offerer["call"].as_str(), offerer["who"]["kind"].as_str()), (Some("a"), Some("party")));
    // Nothing is negotiated before the answer: nothing flows, and nothing is claimed.
    assert_eq!((&offerer["codec_in"], &offerer["mos"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!(offerer["received"]["packets_per_s"].as_f64(), Some(0.0), "{shown}");
}

/// A call whose first party says `SAID` a second long, recorded by a node with these lines in its file; the container.
fn recorded(dir: &Path, name: &str, lines: &str) -> PathBuf {
    let folder = dir.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let node = Node::start(dir, name, 20, &format!("[recording]\ndir = {folder:?}\n{lines}"));
    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.connect(("127.0.0.1", node.ng)).expect("connected");
    proxy.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let (anna, ben) =
        (UdpSocket::bind("127.0.0.1:0").expect("a port"), UdpSocket::bind("127.0.0.1:0").expect("a port"));
    ben.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let sdp = |phone: &UdpSocket| {
        let port = phone.local_addr().expect("an address").port().to_string();
        OFFER.replace("192.0.2.9", "127.0.0.1").replace("4000", &port)
    };
    let call = [("call-id", "r"), ("command", "offer"), ("from-tag", "f"), ("sdp", &sdp(&anna))];
    assert!(ask(&proxy, "1", &bencode(&call)).contains("6:result2:ok"));
    let call =
        [("call-id", "r"), ("command", "answer"), ("from-tag", "f"), ("sdp", &sdp(&ben)), ("to-tag", "t")];
    let answered = ask(&proxy, "2", &bencode(&call));
    let to = port(&answered);
    let began = ask(&proxy, "3", &bencode(&[("call-id", "r"), ("command", "start recording")]));
    assert!(began.contains("6:result2:ok"), "{began}");
    for seq in 0_u8..50 {
        let mut packet = vec![0x80, 0, 0, seq, 0, 0, 0, 0, 0, 0, 0, 7];
        packet[4..8].copy_from_slice(&(u32::from(seq) * 160).to_be_bytes());
        packet.extend(SAID.repeat(20));
        anna.send_to(&packet, ("127.0.0.1", to)).expect("sent");
        // What Ben hears has been captured.
        let length = ben.recv(&mut [0; 512]).expect("Ben hears it");
        assert_eq!(length, 172);
    }
    let ended = ask(&proxy, "4", &bencode(&[("call-id", "r"), ("command", "stop recording")]));
    assert!(ended.contains("6:result2:ok"), "{ended}");
    let files = std::fs::read_dir(&folder).expect("the folder").map(|file| file.expect("a file").path());
    files.into_iter().find(|file| file.extension().is_some_and(|it| it == "pbr")).expect("a container")
}

const SAID: &[u8; 8] = b"in clear";

/// RECO-05: with a key file a node's recordings are encrypted on the disk and proven with the key; without the recording's own key nobody
/// reads them. Without a key file they are in the clear.
#[test]
fn recordings_of_a_node_are_encrypted_where_it_has_a_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let says = |file: &Path| {
        std::fs::read(file).expect("the container").windows(SAID.len()).any(|octets| octets == SAID)
    };
    let plain = recorded(dir.path(), "plain", "");
    assert!(says(&plain) && !plain.with_extension("key").exists());

    let key = dir.path().join("tenant.key");
    let sealed = recorded(dir.path(), "sealed", &format!("key_file = {key:?}"));
    assert!(!says(&sealed) && sealed.with_extension("key").exists());
    let verify = |node: &str, file: &Path| {
        let mut command = Command::new(binary());
        command
            .args(["recording", "verify"])
            .arg(file)
            .arg("--media")
            .arg(dir.path().join(format!("{node}.toml")));
        let output = command.output().expect("it runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for (node, file) in [("plain", &plain), ("sealed", &sealed)] {
        let proof = verify(node, file);
        assert!(proof.contains("50 of 50 packets") && proof.contains("chain: whole"), "{node}: {proof}");
    }
    std::fs::remove_file(sealed.with_extension("key")).expect("the recording's key");
    let proof = verify("sealed", &sealed);
    assert!(!proof.contains("50 of 50 packets"), "{proof}");
}

/// RECO-04: a party that is recorded and sends nothing, and a disk that is full, are in the node's log with the call's name; the call goes on.
#[test]
fn a_node_says_what_is_wrong_with_a_recording() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = SmallDisk::new(&dir.path().join("full"));
    let node = Node::start(dir.path(), "node", 20, &format!("[recording]\ndir = {:?}", folder.0));
    let socket = |_| UdpSocket::bind("127.0.0.1:0").expect("a port");
    let [mut anna, ben] = call(&node, "one-sided", [0, 1].map(socket));
    let proxy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    proxy.connect(("127.0.0.1", node.ng)).expect("connected");
    proxy.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let record = [("call-id", "one-sided"), ("command", "start recording")];
    assert!(ask(&proxy, "record", &bencode(&record)).contains("6:result2:ok"));
    let mut said = 0_u8;
    let mut until_logged = |what: &str| {
        eventually(what, Duration::from_secs(60), || {
            for _ in 0..25 {
                anna.says();
                assert_eq!(ben.hears(), said, "the call goes on");
                said = said.wrapping_add(1);
                std::thread::sleep(Duration::from_millis(10));
            }
            let log = node.running.output();
            log.lines().any(|line| line.contains(what) && line.contains("one-sided")).then_some(())
        });
    };
    until_logged("a recorded party sends nothing");
    until_logged("a recording is no longer complete");
    let log = node.running.output();
    assert!(log.contains("No space left"), "{log}");
    assert!(!log.contains('\u{1b}'), "no colours where nobody looks: {log}");
}

/// A file system of a few pages, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(at: &Path) -> Self {
        std::fs::create_dir(at).expect("a folder");
        let mount = ["-t", "tmpfs", "-o", "size=64k", "none"];
        let mounted = Command::new("mount").args(mount).arg(at).status().expect("mount runs");
        assert!(mounted.success(), "a file system cannot be mounted: this needs root");
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the node may be ending still.
        Command::new("umount").arg("--lazy").arg(&self.0).status().ok();
    }
}
