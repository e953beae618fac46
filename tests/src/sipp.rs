//! SIPp as the customers' side: a real SIP user agent with real RTP.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pcap::{Spoken, write_rtp};
use crate::process::{Running, free_port, free_stretch};
use crate::tone;

/// What a SIPp run does.
pub struct Caller<'a> {
    /// The number to dial.
    pub dial: &'a str,
    /// SIP port of the appliance on 127.0.0.1.
    pub sip_port: u16,
    /// How many calls.
    pub calls: u32,
    /// Calls a second.
    pub rate: u32,
    /// Milliseconds a call is held after its answer; `None`: until the other side hangs up.
    pub hold_ms: Option<u32>,
    /// Tone the callers speak.
    pub hz: f64,
    /// Extra arguments.
    pub extra: &'a [&'a str],
}

/// What a caller speaks, and offers alone.
pub struct Speech {
    /// Its static payload type.
    pub payload_type: u8,
    /// Its name and clock, as SIPp and `a=rtpmap` write them.
    pub map: &'static str,
    /// Lines of the offer about it, each with its end.
    pub lines: &'static str,
    /// What is said.
    pub said: Said,
}

/// How a caller's speech is given.
pub enum Said {
    /// Payloads one after the other, repeated without end.
    Octets(Vec<u8>),
    /// Packets said once.
    Packets(Vec<Spoken>),
}

/// A running SIPp.
pub struct Sipp {
    /// The process.
    pub running: Running,
    /// Port its audio comes from and goes to (the first call's; others count up by four).
    pub media_port: u16,
    /// Where its error log is.
    pub dir: PathBuf,
}

impl<'a> Caller<'a> {
    /// One call that lasts until the other side hangs up.
    pub fn once(dial: &'a str, sip_port: u16, hz: f64) -> Self {
        Self { dial, sip_port, calls: 1, rate: 1, hold_ms: None, hz, extra: &[] }
    }

    /// Begins to call, on 127.0.0.1.
    pub fn start(&self, dir: &Path, name: &str) -> Sipp {
        self.start_at(dir, name, "127.0.0.1")
    }

    /// Begins to call, from an address of this machine to the same address.
    pub fn start_at(&self, dir: &Path, name: &str, address: &str) -> Sipp {
        let octets = tone::sine(self.hz, 8_000, 10.0).into_iter().map(tone::to_mulaw).collect();
        let speech = Speech { payload_type: 0, map: "PCMU/8000", lines: "", said: Said::Octets(octets) };
        self.start_speaking(dir, name, address, &speech)
    }

    /// The same in another codec.
    pub fn start_speaking(&self, dir: &Path, name: &str, address: &str, speech: &Speech) -> Sipp {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir).expect("a folder");
        match &speech.said {
            Said::Octets(octets) => std::fs::write(dir.join("speech.raw"), octets).expect("a file"),
            Said::Packets(packets) => {
                write_rtp(&dir.join("speech.pcap"), packets);
            }
        }
        let scenario = dir.join("caller.xml");
        std::fs::write(&scenario, scenario_text(self.hold_ms, speech)).expect("a file");
        let media_port = free_stretch(u16::try_from(self.calls * 4 + 8).unwrap_or(1_000).min(2_000));
        let mut command = Command::new("sipp");
        command
            .current_dir(&dir)
            .arg(format!("{address}:{}", self.sip_port))
            .args([
                "-sf",
                "caller.xml",
                "-s",
                self.dial,
                "-i",
                address,
                "-nostdin",
                "-trace_err",
                "-trace_stat",
                "-fd",
                "1",
            ])
            .args(["-p", &free_port().to_string()])
            .args(["-mi", address, "-mp", &media_port.to_string()])
            .args([
                "-m",
                &self.calls.to_string(),
                "-r",
                &self.rate.to_string(),
                "-l",
                &self.calls.max(1).to_string(),
            ])
            .args(["-recv_timeout", "180000", "-timeout", "240s"])
            .args(self.extra);
        let running = Running::start("sipp", "sip-tester", &mut command, &dir.join("sipp.log"));
        Sipp { running, media_port, dir }
    }
}

impl Sipp {
    /// What SIPp complained about.
    pub fn errors(&self) -> String {
        traces(&self.dir, "errors")
    }
}

/// What a SIPp that ran in `dir` wrote to its traces of this kind.
pub fn traces(dir: &Path, kind: &str) -> String {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files
        .filter(|f| f.file_name().to_string_lossy().contains(kind))
        .map(|f| std::fs::read_to_string(f.path()).unwrap_or_default())
        .collect()
}

/// Column `name` of the last line of the statistics of a SIPp that ran in `dir`.
pub fn statistic(dir: &Path, name: &str) -> u32 {
    let files = std::fs::read_dir(dir).expect("a folder").flatten();
    let file = files
        .map(|f| f.path())
        .find(|f| f.extension().is_some_and(|e| e == "csv"))
        .expect("SIPp writes statistics");
    let text = std::fs::read_to_string(file).expect("readable");
    let mut lines = text.lines();
    let column = lines.next().and_then(|head| head.split(';').position(|c| c == name)).expect("the column");
    lines.next_back().and_then(|last| last.split(';').nth(column)?.parse().ok()).expect("a number")
}

/// A step that answers the request that just came.
pub const OK: &str = r"
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

  ]]></send>";

/// The customer: INVITE, wait for the answer, speak, and hang up or be hung up on.
fn scenario_text(hold_ms: Option<u32>, speech: &Speech) -> String {
    let Speech { payload_type, map, lines, .. } = speech;
    let (port, play) = match speech.said {
        Said::Octets(_) => {
            ("rtpstream_audio_port", format!(r#"rtp_stream="speech.raw,-1,{payload_type},{map}""#))
        }
        Said::Packets(_) => ("media_port", r#"play_pcap_audio="speech.pcap""#.into()),
    };
    let end = match hold_ms {
        Some(ms) => format!(
            r#"
  <pause milliseconds="{ms}"/>
  <send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Mara Lind" <sip:+4930[call_number]@[local_ip]>;tag=[pid]T[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

  ]]></send>
  <recv response="200"/>"#
        ),
        None => format!("\n  <recv request=\"BYE\"/>{OK}"),
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="customer">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Mara Lind" <sip:+4930[call_number]@[local_ip]>;tag=[pid]T[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:customer@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=customer 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [{port}] RTP/AVP {payload_type} 101
a=rtpmap:{payload_type} {map}
{lines}a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rtd="true"/>
  <send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Mara Lind" <sip:+4930[call_number]@[local_ip]>;tag=[pid]T[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

  ]]></send>
  <nop><action><exec {play}/></action></nop>{end}
</scenario>
"#
    )
}
