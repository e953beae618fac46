//! `patchbay media`: a media node with a configuration file of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::appliance::binary;
use crate::eventually;
use crate::metrics::Metrics;
use crate::process::{Running, free_port, free_stretch};

/// A running media node, commanded and asked on 127.0.0.1.
pub struct Node {
    /// The process.
    pub running: Running,
    /// UDP port of NG.
    pub ng: u16,
    /// HTTP port of `/metrics`.
    pub watch: u16,
    /// First of its media ports.
    pub media: u16,
    /// How many there are.
    pub ports: u16,
}

impl Node {
    /// Starts a node with so many media ports, and more lines for its file's `[ng]` section.
    pub fn start(dir: &Path, name: &str, ports: u16, ng_keys: &str) -> Self {
        Self::start_at(dir, name, ports, ng_keys, Ipv4Addr::LOCALHOST, "")
    }

    /// The same with its media at another address, and more lines for the file's `[media]` section.
    pub fn start_at(
        dir: &Path,
        name: &str,
        ports: u16,
        ng_keys: &str,
        at: Ipv4Addr,
        media_keys: &str,
    ) -> Self {
        let (ng, watch, media) = (free_port(), free_port(), free_stretch(ports + 2));
        let file = dir.join(format!("{name}.toml"));
        let last = media + ports - 1;
        let text = format!(
            "[ng]\nlisten = [\"127.0.0.1:{ng}\"]\n{ng_keys}\n[media]\ninterfaces = [\"default/{at}\"]\n{media_keys}\n\
             port_min = {media}\nport_max = {last}\nbrowser_port = {}\nthreads = 1\n[watch]\nlisten = [\"127.0.0.1:{watch}\"]\n",
            last + 1
        );
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(binary());
        command.args(["media", "--config"]).arg(&file);
        let log = dir.join(format!("{name}.log"));
        let mut running = Running::start("patchbay media", "", &mut command, &log);
        eventually("the node is ready", Duration::from_secs(60), || {
            assert!(running.runs(), "it ended:\n{}", running.output());
            running.output().contains("ready").then_some(())
        });
        Self { running, ng, watch, media, ports }
    }

    /// Status and body of a page for machines.
    pub fn page(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.watch)).expect("the node serves HTTP");
        let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("asked");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Its figures now.
    pub fn metrics(&self) -> Metrics {
        let (status, body) = self.page("/metrics");
        assert_eq!(status, 200, "{body}");
        Metrics::parse(&body)
    }

    /// Whether a port is one of its media ports.
    pub fn has(&self, port: u16) -> bool {
        (self.media..self.media + self.ports).contains(&port)
    }
}
