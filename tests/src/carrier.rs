//! SIPp as the carrier that takes calls from the appliance.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pcap::write_rtp;
use crate::pressing::pressing;
use crate::process::{Running, free_port, free_stretch};
use crate::sipp::{OK, Said, traces};
use crate::tone;

/// What the carrier does with a call.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Lets its tone be heard before it answers (183), answers, speaks until the other side hangs up.
    Answers,
    /// Refuses with this status.
    Refuses(u16),
    /// Refuses with this status, and tells the cause of the telephone network (Q.850).
    RefusesFor(u16, u8),
    /// Rings until the call is cancelled.
    Rings,
    /// Rings, picks up, and presses this key after so many milliseconds of speaking.
    Presses(char, u64),
}

/// A running carrier.
pub struct Carrier {
    /// The process.
    pub running: Running,
    /// Where it listens on 127.0.0.1, UDP.
    pub sip_port: u16,
    /// Port its audio comes from and goes to (the first call's; others count up by four).
    pub media_port: u16,
    dir: PathBuf,
}

impl Carrier {
    /// Begins to take calls, speaking `hz`.
    pub fn start(dir: &Path, name: &str, manner: Manner, hz: f64) -> Self {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir).expect("a folder");
        let octets: Vec<u8> = tone::sine(hz, 8_000, 10.0).into_iter().map(tone::to_mulaw).collect();
        std::fs::write(dir.join("speech.raw"), octets).expect("a file");
        if let Manner::Presses(key, after_ms) = manner {
            let Said::Packets(packets) = pressing(hz, 60, &[(after_ms, key)]).said else { unreachable!() };
            write_rtp(&dir.join("speech.pcap"), &packets);
        }
        std::fs::write(dir.join("carrier.xml"), scenario_text(manner)).expect("a file");
        let (sip_port, media_port) = (free_port(), free_stretch(64));
        let mut command = Command::new("sipp");
        command
            .current_dir(&dir)
            .args(["-sf", "carrier.xml", "-i", "127.0.0.1", "-nostdin", "-trace_err", "-trace_msg"])
            .args(["-p", &sip_port.to_string(), "-mi", "127.0.0.1", "-mp", &media_port.to_string()]);
        let running = Running::start("sipp", "sip-tester", &mut command, &dir.join("sipp.log"));
        Self { running, sip_port, media_port, dir }
    }

    /// The target of a trunk to it.
    pub fn target(&self) -> String {
        format!("127.0.0.1:{}", self.sip_port)
    }

    /// Every message it sent and got.
    pub fn messages(&self) -> String {
        traces(&self.dir, "messages")
    }
}

fn scenario_text(manner: Manner) -> String {
    let answer = |status: &str, sdp: bool| {
        let body = if sdp {
            "Content-Type: application/sdp
Content-Length: [len]

v=0
o=carrier 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv"
        } else {
            "Content-Length: 0
"
        };
        format!(
            r#"
  <send><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]C[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
{body}
  ]]></send>"#
        )
    };
    let rest = match manner {
        Manner::Refuses(status) => {
            format!("{}\n  <recv request=\"ACK\"/>", answer(&format!("{status} No"), false))
        }
        Manner::RefusesFor(status, cause) => {
            let contact = format!("Reason: Q.850;cause={cause};text=\"of the network\"\nContact:");
            let refusal = answer(&format!("{status} No"), false).replace("Contact:", &contact);
            format!("{refusal}\n  <recv request=\"ACK\"/>")
        }
        Manner::Rings => format!(
            "{}\n  <recv request=\"CANCEL\"/>{OK}{}\n  <recv request=\"ACK\"/>",
            answer("180 Ringing", false),
            // SIPp takes what it repeats from the last message, which is the CANCEL: the INVITE's CSeq is written out.
            answer("487 Request Terminated", false).replace("[last_CSeq:]", "CSeq: 1 INVITE")
        ),
        Manner::Presses(..) => format!(
            r#"{}{}
  <recv request="ACK"/>
  <nop><action><exec play_pcap_audio="speech.pcap"/></action></nop>
  <recv request="BYE"/>{OK}"#,
            answer("180 Ringing", false),
            answer("200 OK", true).replace("rtpstream_audio_port", "media_port"),
        ),
        Manner::Answers => format!(
            r#"{}{}
  <nop><action><exec rtp_stream="speech.raw,-1,0,PCMU/8000"/></action></nop>
  <pause milliseconds="1500"/>{}
  <recv request="ACK"/>
  <recv request="BYE"/>{OK}"#,
            answer("100 Trying", false),
            answer("183 Session Progress", true),
            answer("200 OK", true),
        ),
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="carrier">
  <recv request="INVITE"/>{rest}
</scenario>
"#
    )
}
