//! SIPp as the customers, who do not speak and wait until the other side hangs up.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use scenarios::process::{Running, free_port};
use scenarios::sipp::{OK, statistic, traces};

use crate::office::{NUMBER, Office};

pub struct Customers {
    pub calls: u32,
    /// A second.
    pub rate: u32,
    pub at_once: u32,
}

pub struct Calling {
    running: Running,
    dir: PathBuf,
}

impl Customers {
    pub fn start(&self, office: &Office, name: &str) -> Calling {
        let dir = office.appliance.dir.path().join(name);
        std::fs::create_dir_all(&dir).expect("a folder");
        std::fs::write(dir.join("customer.xml"), scenario()).expect("a file");
        let mut command = Command::new("sipp");
        command
            .current_dir(&dir)
            .arg(format!("127.0.0.1:{}", office.appliance.sip))
            .args(["-sf", "customer.xml", "-s", NUMBER, "-i", "127.0.0.1", "-nostdin"])
            .args(["-trace_err", "-trace_stat", "-fd", "1", "-p", &free_port().to_string()])
            .args(["-m", &self.calls.to_string(), "-r", &self.rate.to_string()])
            .args(["-l", &self.at_once.to_string(), "-recv_timeout", "60000", "-timeout", "300s"]);
        let running = Running::start("sipp", "sip-tester", &mut command, &dir.join("sipp.log"));
        Calling { running, dir }
    }
}

impl Calling {
    /// Waits for the last call's end; how many failed.
    pub fn end(mut self) -> u32 {
        self.running.wait(Duration::from_secs(310));
        let failed = statistic(&self.dir, "FailedCall(C)");
        if failed > 0 {
            let said = traces(&self.dir, "errors");
            println!("{}", said.lines().take(12).collect::<Vec<_>>().join("\n"));
        }
        failed
    }
}

/// The name in From says when the INVITE was sent, so that whoever gets the call can tell how long that took.
fn scenario() -> String {
    let head = |method: &str, tag: &str| {
        format!(
            r#"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "[timestamp]" <sip:+4930[call_number]@[local_ip]>;tag=[pid]T[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: 1 {method}
Max-Forwards: 70"#
        )
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="customer">
  <send retrans="500"><![CDATA[
{invite}
Contact: <sip:customer@[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=customer 53655765 2353687637 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 9 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
a=ptime:20
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200"/>
  <send><![CDATA[
{ack}
Content-Length: 0

  ]]></send>
  <recv request="BYE"/>{OK}
</scenario>
"#,
        invite = head("INVITE", ""),
        ack = head("ACK", "[peer_tag_param]"),
    )
}
