//! rtpengine's control protocol.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use media::control::{Answer, Command, LegCreated, LocalIce, MediaError, Transport};
use model::id::{LegId, RecordingId};
use model::time::Timestamp;
use ng::node::{Deed, Node};
use ng::sdp::Sdp;
use ng::session::{Config, Input, Interface};
use ng::wire::{self, Encoding};

use crate::chance::Chance;
use crate::pieces;

/// What is read reads the same when it is written anew.
pub(super) fn bencode(input: &[u8]) {
    let Some(value) = wire::bencode::read(input) else { return };
    let mut written = Vec::new();
    wire::bencode::write(&value, &mut written);
    assert_eq!(wire::bencode::read(&written), Some(value));
}

/// The same for JSON.
pub(super) fn json(input: &[u8]) {
    let Some(value) = wire::json::read(input) else { return };
    let mut written = Vec::new();
    wire::json::write(&value, &mut written);
    assert_eq!(wire::json::read(&written), Some(value));
}

/// A description of any proxy's: read or refused, and its parts asked for.
pub(super) fn sdp(input: &[u8]) {
    let Ok(sdp) = Sdp::read(input) else { return };
    for medium in &sdp.media {
        let _ = (
            medium.is_rtp(),
            medium.rtp_to(),
            medium.rtcp_to(),
            medium.is_held_by_zeros(),
            medium.direction(),
        );
    }
}

/// Requests at a node: each is answered once at most, and none stays under way.
///
/// How a piece comes: bits 0-2: 0 the datagram itself; else a request with the piece as its description; bits 3-5: its flags;
/// bits 6-7: the party, and hours that pass.
pub(super) fn request(input: &[u8]) {
    let mut now = Timestamp::from_millis(1_000_000);
    let mut node = node(now);
    let mut plane = Plane::default();
    for (count, (how, octets)) in pieces(input).enumerate() {
        let datagram = match how & 7 {
            0 => octets.to_vec(),
            kind => {
                let to = if matches!(kind, 2 | 4) { "6:to-tag1:c" } else { "" };
                written(count, COMMANDS[usize::from(kind)], how, to, FLAGS[usize::from(how >> 3 & 7)], octets)
            }
        };
        ask(&mut node, &mut plane, &datagram, now);
        assert!(node.machine().calls() <= 8);
        if how >> 6 == 3 {
            now = now + Duration::from_secs(1_800);
            tell(&mut node, &mut plane, Input::Tick, now);
        }
    }
}

/// Calls with copies for subscribers, on a plane that refuses some of what it is asked for: when the node stops, no leg and no
/// recording is left behind.
///
/// The first octet: each so manieth order is refused, none when it is 0 or 1. How a piece comes: bits 0-2: the command; bits 3-5: its
/// flags; bit 6: the party; bit 7: minutes pass.
pub(super) fn subscribe(input: &[u8]) {
    let Some((refuses, rest)) = input.split_first() else { return };
    let mut now = Timestamp::from_millis(1_000_000);
    let mut node = node(now);
    let mut plane = Plane { refuses: u32::from(*refuses), ..Plane::default() };
    for (count, (how, octets)) in pieces(rest).enumerate() {
        let (command, to) = [
            ("offer", ""),
            ("answer", "6:to-tag1:c"),
            ("subscribe request", "6:to-tag1:s"),
            ("subscribe answer", "6:to-tag1:s"),
            ("unsubscribe", "6:to-tag1:s"),
            ("subscribe request", "6:to-tag1:t"),
            ("start recording", ""),
            ("delete", ""),
        ][usize::from(how & 7)];
        let flags = [
            "",
            "5:flagsl3:alle",
            "5:flagsl3:all6:siprece",
            "9:from-tagsl1:a1:be",
            "18:transport-protocol8:RTP/SAVP",
            "5:flagsl3:all10:no-rtcp-mue",
            "3:ICE5:force",
            "5:codecd5:strip3:alle",
        ][usize::from(how >> 3 & 7)];
        let datagram = written(count, command, how, to, flags, octets);
        ask(&mut node, &mut plane, &datagram, now);
        if how >> 7 != 0 {
            now = now + Duration::from_secs(120);
            tell(&mut node, &mut plane, Input::Tick, now);
        }
    }
    tell(&mut node, &mut plane, Input::End, now);
    assert_eq!((node.machine().calls(), node.machine().legs()), (0, 0), "all calls have ended");
    assert!(plane.legs.is_empty(), "left behind: {:?}", plane.legs);
    assert!(plane.recordings.is_empty(), "still recording: {:?}", plane.recordings);
}

/// A proxy's datagram, answered once at most, and carried out at once.
fn ask(node: &mut Node, plane: &mut Plane, datagram: &[u8], now: Timestamp) {
    let mut deeds = Vec::new();
    let proxy: SocketAddr = "192.0.2.100:40000".parse().expect("an address");
    node.datagram(0, proxy, datagram, now, &mut deeds);
    assert!(plane.settle(node, deeds, now) <= 1, "one answer");
    assert_eq!(node.machine().under_way(), 0, "everything was carried out");
    assert!(node.machine().legs() <= plane.legs.len(), "the node knows of no leg that is not there");
}

fn tell(node: &mut Node, plane: &mut Plane, input: Input, now: Timestamp) {
    let mut deeds = Vec::new();
    node.input(input, now, &mut deeds);
    plane.settle(node, deeds, now);
}

fn node(now: Timestamp) -> Node {
    let interfaces = vec![
        Interface { name: "pub".into(), bind: "198.51.100.1".parse().expect("an address") },
        Interface { name: "priv".into(), bind: "2001:db8::1".parse().expect("an address") },
    ];
    let recordings = Some("/nowhere".into());
    let config = Config { interfaces, calls_max: 8, recordings, ..Config::default() };
    Node::new(config, Box::new(Chance(7)), now)
}

const COMMANDS: [&str; 8] = ["ping", "offer", "answer", "offer", "answer", "query", "delete", "play DTMF"];
const FLAGS: [&str; 8] = [
    "3:ICE5:force",
    "18:transport-protocol17:UDP/TLS/RTP/SAVPF",
    "18:transport-protocol8:RTP/SAVP",
    "5:flagsl15:codec-mask-PCMA14:transcode-PCMU4:SDESe",
    "8:rtcp-muxl5:offer7:requiree3:ICE6:remove",
    "9:directionl3:pub4:prive",
    "5:flagsl9:symmetric14:asymmetric-all12:loop-protectee",
    "",
];

/// A request in bencode: what stands in it may be any octets there. Bit 6 of `how`: which party asks.
fn written(count: usize, command: &str, how: u8, to: &str, flags: &str, description: &[u8]) -> Vec<u8> {
    let from = if how >> 6 & 1 == 0 { "a" } else { "b" };
    let mut datagram = format!(
        "{count} d7:command{}:{command}7:call-id1:c8:from-tag1:{from}{to}{flags}12:delete-delayi0e4:code1:53:sdp{}:",
        command.len(),
        description.len()
    )
    .into_bytes();
    datagram.extend_from_slice(description);
    datagram.push(b'e');
    datagram
}

/// A plane that does as it is told, and remembers which legs there are.
#[derive(Default)]
struct Plane {
    legs: BTreeSet<LegId>,
    recordings: BTreeSet<RecordingId>,
    made: u16,
    /// Each so manieth order is refused.
    refuses: u32,
    asked: u32,
}

impl Plane {
    /// Carries out what is to be done; how many answers went out.
    fn settle(&mut self, node: &mut Node, mut deeds: Vec<Deed>, now: Timestamp) -> usize {
        let mut answers = 0;
        while !deeds.is_empty() {
            let mut more = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Send { datagram, .. } => {
                        let (_, payload) = wire::cookie(&datagram).expect("an answer has the cookie");
                        let (encoding, read) = wire::payload(payload);
                        assert!(read.is_ok() && matches!(encoding, Encoding::Bencode | Encoding::Json));
                        answers += 1;
                    }
                    Deed::Plane { job, command } => {
                        node.input(Input::Plane { job, result: self.carry_out(&command) }, now, &mut more);
                    }
                    Deed::Sound { job, .. } => {
                        node.input(
                            Input::Sound { job, result: Err("no sounds here".into()) },
                            now,
                            &mut more,
                        );
                    }
                }
            }
            deeds = more;
        }
        answers
    }

    fn carry_out(&mut self, command: &Command) -> Result<Answer, MediaError> {
        self.asked += 1;
        let ends = matches!(command, Command::DeleteLeg { .. } | Command::StopRecording { .. });
        if self.refuses > 1 && self.asked.is_multiple_of(self.refuses) && !ends {
            return Err(MediaError::Unavailable);
        }
        match command {
            Command::CreateLeg { leg, transport, .. } => {
                assert!(self.legs.insert(*leg), "no leg is made twice");
                self.made = (self.made + 2) % 10_000;
                let at = |port| SocketAddr::from(([198, 51, 100, 1], 30_000 + port));
                let ice = matches!(transport, Transport::Ice).then(|| LocalIce {
                    ufrag: "ourufrag".into(),
                    pwd: "ourpasswordthatislongenough".into(),
                    fingerprint: "sha-256 AA:BB".into(),
                    candidates: vec![at(0)],
                });
                Ok(Answer::Created(LegCreated { rtp: at(self.made), rtcp: at(self.made + 1), ice }))
            }
            Command::DeleteLeg { leg } => {
                assert!(self.legs.remove(leg), "only what is there is deleted");
                Ok(Answer::Stats(Box::default()))
            }
            Command::Stats { .. } => Ok(Answer::Stats(Box::default())),
            Command::StartRecording { recording, .. } => {
                assert!(self.recordings.insert(*recording), "no recording begins twice");
                Ok(Answer::Done)
            }
            Command::StopRecording { recording } => {
                assert!(self.recordings.remove(recording), "only what runs is stopped");
                Ok(Answer::Recorded { frames: 0, missing: 0 })
            }
            _ => Ok(Answer::Done),
        }
    }
}
