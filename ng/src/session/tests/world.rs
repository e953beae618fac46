//! A node, a plane that keeps books, and a clock that is moved by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use media::control::{
    Answer, Channel, Command, Event, LegCreated, LegSetup, LegStats, LocalIce, MediaError, PauseReason,
    Source, Transport,
};
use model::id::{LegId, RecordingId};
use model::time::Timestamp;
use serde_json::{Value as Json, json};

use crate::node::{Deed, Node};
use crate::session::{Chance, Config, Input, Interface, JobId};

/// splitmix64: the same seed gives the same keys and ids.
pub struct Seed(pub u64);

impl Seed {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

impl Chance for Seed {
    fn fill(&mut self, octets: &mut [u8]) {
        octets.iter_mut().for_each(|octet| *octet = self.next() as u8);
    }
}

/// What the plane would have.
#[derive(Default)]
pub struct Books {
    pub legs: BTreeMap<LegId, Option<LegSetup>>,
    pub hears: BTreeMap<LegId, String>,
    pub muted: BTreeSet<LegId>,
    pub digits: Vec<(LegId, String)>,
    pub recordings: BTreeMap<RecordingId, [Option<LegId>; 2]>,
    pub paused: BTreeSet<RecordingId>,
    pub stats: LegStats,
    /// Legs it has room for.
    pub room: usize,
    next_port: u16,
}

fn local_ice(candidate: SocketAddr) -> LocalIce {
    LocalIce {
        ufrag: "ourufrag".into(),
        pwd: "ourpasswordthatislongenough".into(),
        fingerprint: "sha-256 AA:BB".into(),
        candidates: vec![candidate],
    }
}

impl Books {
    pub fn carry_out(&mut self, command: &Command) -> Result<Answer, MediaError> {
        let exists = |legs: &BTreeMap<LegId, Option<LegSetup>>, leg: LegId| {
            if legs.contains_key(&leg) { Ok(()) } else { Err(MediaError::NoSuchLeg(leg)) }
        };
        match command {
            Command::CreateLeg { leg, transport, .. } => {
                if self.legs.len() >= self.room {
                    return Err(MediaError::PortsExhausted(self.room));
                }
                assert!(self.legs.insert(*leg, None).is_none(), "no leg is made twice");
                let port = 30_000 + self.next_port;
                self.next_port = (self.next_port + 2) % 10_000;
                let at = |port| SocketAddr::from(([198, 51, 100, 1], port));
                return Ok(Answer::Created(match transport {
                    Transport::Ports { interface } => {
                        let at = |port| SocketAddr::new(*interface, port);
                        LegCreated { rtp: at(port), rtcp: at(port + 1), ice: None }
                    }
                    Transport::Ice => {
                        LegCreated { rtp: at(9_000), rtcp: at(9_000), ice: Some(local_ice(at(9_000))) }
                    }
                }));
            }
            Command::ConfigureLeg { leg, setup } => {
                exists(&self.legs, *leg)?;
                self.legs.insert(*leg, Some((**setup).clone()));
            }
            Command::Hear { leg, source } => {
                exists(&self.legs, *leg)?;
                let heard = match source {
                    Source::Nothing => "nothing".to_owned(),
                    Source::Leg(other) => other.to_string(),
                    Source::Prompt { prompt, .. } | Source::PlayAlong(prompt) => prompt.name().to_owned(),
                };
                self.hears.insert(*leg, heard);
            }
            Command::Bridge { a, b } => {
                exists(&self.legs, *a)?;
                exists(&self.legs, *b)?;
                self.hears.insert(*a, b.to_string());
                self.hears.insert(*b, a.to_string());
            }
            Command::Mute { leg, muted } => {
                exists(&self.legs, *leg)?;
                if *muted {
                    self.muted.insert(*leg);
                } else {
                    self.muted.remove(leg);
                }
            }
            Command::SendDtmf { leg, digits, .. } => {
                exists(&self.legs, *leg)?;
                self.digits.push((*leg, digits.clone()));
            }
            Command::StartRecording { recording, .. } => {
                self.recordings.insert(*recording, [None, None]);
            }
            Command::Tap { recording, channel, leg } => {
                let none = MediaError::NoSuchRecording(*recording);
                let taps = self.recordings.get_mut(recording).ok_or(none)?;
                taps[usize::from(*channel == Channel::Right)] = *leg;
            }
            Command::PauseRecording { recording, why } => {
                assert_eq!(*why, PauseReason::Proxy);
                self.paused.insert(*recording);
            }
            Command::ResumeRecording { recording } => {
                assert!(self.paused.remove(recording), "only what is paused goes on");
            }
            Command::StopRecording { recording } => {
                self.recordings.remove(recording).ok_or(MediaError::NoSuchRecording(*recording))?;
                return Ok(Answer::Recorded { frames: 0, missing: 0 });
            }
            Command::Stats { leg } => {
                exists(&self.legs, *leg)?;
                return Ok(Answer::Stats(Box::new(self.stats)));
            }
            Command::BeginMeasuring { leg } => exists(&self.legs, *leg)?,
            // NG has no word for conferences, and its legs are of one call each.
            Command::Room { .. } | Command::TapRoom { .. } | Command::StopHearing { .. } => {
                panic!("{command:?}")
            }
            Command::DeleteLeg { leg } => {
                exists(&self.legs, *leg)?;
                self.legs.remove(leg);
                return Ok(Answer::Stats(Box::new(self.stats)));
            }
        }
        Ok(Answer::Done)
    }
}

pub struct World {
    pub node: Node,
    pub plane: Books,
    pub now: Timestamp,
    cookie: u64,
}

pub fn proxy() -> SocketAddr {
    "192.0.2.100:40000".parse().unwrap()
}

impl World {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let interface = |name: &str, ip: &str| Interface { name: name.into(), bind: ip.parse().unwrap() };
        let interfaces = vec![
            interface("pub", "198.51.100.1"),
            interface("priv", "10.0.0.1"),
            interface("pub", "2001:db8::1"),
        ];
        let now = Timestamp::from_millis(1_000_000);
        let config = Config { interfaces, fingerprint: "sha-256 AA:BB".into(), ..config };
        let node = Node::new(config, Box::new(Seed(7)), now);
        let plane = Books { room: 100, ..Books::default() };
        Self { node, plane, now, cookie: 0 }
    }

    /// Sends a request in JSON and gives the answer.
    pub fn ask(&mut self, request: Json) -> Json {
        self.cookie += 1;
        let datagram = format!("c{} {request}", self.cookie);
        let mut deeds = Vec::new();
        self.node.datagram(0, proxy(), datagram.as_bytes(), self.now, &mut deeds);
        let mut answers = self.settle(deeds);
        assert_eq!(answers.len(), 1, "one answer: {answers:?}");
        answers.remove(0)
    }

    /// Carries out whatever is to be done; the answers, which are in JSON.
    pub fn settle(&mut self, deeds: Vec<Deed>) -> Vec<Json> {
        let read = |datagram: Vec<u8>| {
            let text = String::from_utf8(datagram).unwrap();
            serde_json::from_str(text.split_once(' ').unwrap().1).unwrap()
        };
        self.settle_raw(deeds).into_iter().map(read).collect()
    }

    /// Carries out whatever is to be done; the answers as they are.
    pub fn settle_raw(&mut self, mut deeds: Vec<Deed>) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        while !deeds.is_empty() {
            let mut more = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Send { datagram, .. } => answers.push(datagram),
                    Deed::Plane { job, command } => self.plane_does(job, &command, &mut more),
                    Deed::Sound { job, source } => {
                        let result = crate::sounds::Sounds::new(None).load(&source);
                        self.node.input(Input::Sound { job, result }, self.now, &mut more);
                    }
                }
            }
            deeds = more;
        }
        answers
    }

    fn plane_does(&mut self, job: JobId, command: &Command, more: &mut Vec<Deed>) {
        let result = self.plane.carry_out(command);
        self.node.input(Input::Plane { job, result }, self.now, more);
    }

    pub fn tell(&mut self, event: Event) {
        let mut deeds = Vec::new();
        self.node.input(Input::Event(event), self.now, &mut deeds);
        self.settle(deeds);
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        let mut deeds = Vec::new();
        self.node.input(Input::Tick, self.now, &mut deeds);
        self.settle(deeds);
    }

    /// An offer of `a` in call `c`; what the answerer gets.
    pub fn offer(&mut self, sdp: &str, more: Json) -> String {
        let answer =
            self.ask(merged(json!({"command": "offer", "call-id": "c", "from-tag": "a", "sdp": sdp}), more));
        assert_eq!(answer["result"], "ok", "{answer}");
        answer["sdp"].as_str().unwrap().to_owned()
    }

    /// The answer of `b`; what the offerer gets.
    pub fn answer(&mut self, sdp: &str, more: Json) -> String {
        let request =
            json!({"command": "answer", "call-id": "c", "from-tag": "a", "to-tag": "b", "sdp": sdp});
        let answer = self.ask(merged(request, more));
        assert_eq!(answer["result"], "ok", "{answer}");
        answer["sdp"].as_str().unwrap().to_owned()
    }

    /// Both legs' setups: towards `a`, towards `b`. Ids of legs made together ascend by chance only, so they are told
    /// apart by where they send.
    pub fn setup_towards(&self, port: u16) -> LegSetup {
        let mut setups = self.plane.legs.values().flatten();
        setups
            .find(|setup| setup.remote.is_some_and(|to| to.port() == port))
            .expect("a leg sends there")
            .clone()
    }

    pub fn leg_towards(&self, port: u16) -> LegId {
        let sends = |setup: &LegSetup| setup.remote.is_some_and(|to| to.port() == port);
        let mut legs = self.plane.legs.iter();
        *legs.find(|(_, setup)| setup.as_ref().is_some_and(sends)).expect("a leg sends there").0
    }

    /// A call that is up: `a` at port 5000, `b` at 6000.
    pub fn up() -> Self {
        let mut world = Self::new();
        world.offer(ANNA, json!({}));
        world.answer(BEN, json!({}));
        world
    }
}

pub fn merged(mut to: Json, from: Json) -> Json {
    let (Json::Object(entries), Json::Object(more)) = (&mut to, from) else { panic!("dictionaries") };
    entries.extend(more);
    to
}

pub const ANNA: &str = "v=0\r\no=anna 1 1 IN IP4 192.0.2.5\r\ns=call\r\nc=IN IP4 192.0.2.5\r\nb=AS:80\r\nt=0 0\r\n\
    a=foo:bar\r\nm=audio 5000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
    a=unknown:x\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:5001\r\n";

pub const BEN: &str = "v=0\r\no=ben 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
    m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
