//! baresip as the desk phone: somebody else's SIP user agent, with no screen and no sound card.
//!
//! It speaks a tone from a file and keeps what it hears in another. Keys are pressed over its control connection
//! (`ctrl_tcp`: JSON in netstrings), which also tells what happens to it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::eventually;
use crate::namespace::Namespace;
use crate::process::Running;
use crate::tone;

const CONTROL_PORT: u16 = 4_444;
/// A source that ends hangs up the call, so it must outlast any.
const SPEECH_SECONDS: f64 = 120.0;

/// Which phone.
pub struct Account<'a> {
    /// Extension: user part of its address, and user name of its digest.
    pub extension: &'a str,
    /// Digest secret.
    pub secret: &'a str,
    /// SIP port of the appliance, at our end of the namespace.
    pub sip_port: u16,
    /// Codecs, as baresip names them, best first.
    pub codecs: &'a str,
    /// More parameters of its account, such as `;mediaenc=srtp-mand`.
    pub parameters: &'a str,
    /// The tone it speaks.
    pub hz: f64,
}

/// A running phone.
pub struct Baresip {
    /// The process.
    pub running: Running,
    dir: PathBuf,
    control: TcpStream,
    said: Arc<Mutex<Vec<Value>>>,
    commands: u32,
}

impl Baresip {
    /// Switches it on, inside the namespace, and waits until it is registered.
    pub fn start(dir: &Path, namespace: &Namespace, account: &Account<'_>) -> Self {
        let dir = dir.join(format!("phone-{}", account.extension));
        std::fs::create_dir_all(&dir).expect("a folder");
        tone::write_wav(&dir.join("speech.wav"), 48_000, &tone::sine(account.hz, 48_000, SPEECH_SECONDS));
        let Account { extension, secret, sip_port, codecs, parameters, .. } = account;
        let here = namespace.here;
        let accounts = format!(
            "<sip:{extension}@{here}:{sip_port}>;auth_user={extension};auth_pass={secret};regint=60;audio_codecs={codecs}{parameters}\n"
        );
        std::fs::write(dir.join("accounts"), accounts).expect("a file");
        std::fs::write(dir.join("contacts"), "").expect("a file");
        std::fs::write(dir.join("config"), config(&dir, namespace)).expect("a file");
        let mut command = namespace.command("baresip");
        command.arg("-f").arg(&dir);
        let log = dir.join("baresip.log");
        let mut running = Running::start("baresip", "baresip-core", &mut command, &log);
        let control =
            eventually("baresip (Debian package baresip-core) listens", Duration::from_secs(60), || {
                assert!(running.runs(), "baresip (Debian package baresip-core) ended:\n{}", running.output());
                TcpStream::connect((namespace.there, CONTROL_PORT)).ok()
            });
        let said = Arc::new(Mutex::new(Vec::new()));
        let (stream, into) = (control.try_clone().expect("a socket can be shared"), said.clone());
        // Ends with the connection, that is, with baresip.
        std::thread::spawn(move || listen(stream, &into));
        let mut phone = Self { running, dir, control, said, commands: 0 };
        phone.wait_until_registered();
        phone
    }

    fn wait_until_registered(&mut self) {
        let mut last = Value::Null;
        for _ in 0..100 {
            // The event of it may have been before we listened, so it is asked.
            last = self.command("reginfo", "");
            if last["data"].as_str().is_some_and(|d| d.contains("OK")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the phone is not registered: {last}\n{}", self.running.output());
    }

    /// Waits for its next event of this kind, such as `CALL_INCOMING`.
    pub fn wait_for(&self, kind: &str) {
        eventually(&format!("{kind} on the phone"), Duration::from_secs(60), || {
            self.take(|frame| frame["event"] == true && frame["type"] == kind)
        });
    }

    /// Presses a key: `accept`, `hangup`, `hold`, `resume`.
    pub fn press(&mut self, key: &str) {
        let answer = self.command(key, "");
        assert_eq!(answer["ok"], true, "{key}: {answer}");
    }

    /// Dials a number at its registrar.
    pub fn dial(&mut self, number: &str) {
        let answer = self.command("dial", number);
        assert_eq!(answer["ok"], true, "dial {number}: {answer}");
    }

    /// Transfers whom it talks to (REFER), without asking first.
    pub fn transfer(&mut self, number: &str) {
        let answer = self.command("transfer", number);
        assert_eq!(answer["ok"], true, "transfer to {number}: {answer}");
    }

    fn command(&mut self, command: &str, parameters: &str) -> Value {
        self.commands += 1;
        let token = self.commands.to_string();
        let frame = json!({ "command": command, "params": parameters, "token": token }).to_string();
        self.control
            .write_all(format!("{}:{frame},", frame.len()).as_bytes())
            .expect("baresip takes commands");
        eventually(&format!("baresip's answer to {command}"), Duration::from_secs(60), || {
            self.take(|frame| frame["response"] == true && frame["token"] == token)
        })
    }

    fn take(&self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut said = self.said.lock().expect("not poisoned");
        let at = said.iter().position(fits)?;
        Some(said.remove(at))
    }

    /// What it heard in its last call, and the rate. To be asked when the call is over.
    pub fn heard(&self) -> (u32, Vec<i16>) {
        let file = std::fs::read_dir(&self.dir)
            .expect("its folder")
            .flatten()
            .map(|f| f.path())
            .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().ends_with("-dec.wav")))
            .max()
            .unwrap_or_else(|| panic!("baresip kept nothing of what it heard:\n{}", self.running.output()));
        let (rate, channels) = tone::read_wav(&std::fs::read(&file).expect("a file"));
        (rate, channels.into_iter().next().expect("one channel at least"))
    }
}

fn config(dir: &Path, namespace: &Namespace) -> String {
    let (dir, there) = (dir.display(), namespace.there);
    format!(
        "\
sip_listen {there}:5060
rtp_ports 10000-10999
rtcp_mux no
audio_source aufile,{dir}/speech.wav
audio_player aubridge,loudspeaker
audio_alert aubridge,bell
ausrc_srate 48000
ausrc_channels 1
ctrl_tcp_listen {there}:{CONTROL_PORT}
snd_path {dir}
module_path /usr/lib/baresip/modules
module g711.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
"
    )
}

/// Reads netstrings until the connection ends.
fn listen(mut stream: TcpStream, into: &Mutex<Vec<Value>>) {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4_096]);
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..length]);
        while let Some((frame, rest)) = netstring(&kept) {
            into.lock().expect("not poisoned").push(frame);
            kept.drain(..rest);
        }
    }
}

/// The first whole frame and where the next begins.
fn netstring(bytes: &[u8]) -> Option<(Value, usize)> {
    let colon = bytes.iter().position(|b| *b == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).expect("digits").parse().expect("a length");
    let frame = bytes.get(colon + 1..colon + 1 + length)?;
    bytes.get(colon + 1 + length)?;
    Some((serde_json::from_slice(frame).expect("baresip speaks JSON"), colon + length + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_where_they_end_and_not_before_they_are_whole() {
        let two = br#"8:{"a": 1},2:{},"#;
        assert_eq!(netstring(two), Some((json!({ "a": 1 }), 11)));
        assert_eq!(netstring(&two[11..]), Some((json!({}), 5)));
        assert_eq!(netstring(&two[..10]), None);
        assert_eq!(netstring(b""), None);
    }
}
