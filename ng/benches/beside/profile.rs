//! What is measured: which calls, how a proxy asks for them, and what we want to reach.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use media::codec::{Encoder, OPUS_COMPLEXITY, PAYLOAD_MAX, g711};
use media::control::{SrtpKey, SrtpSuite};
use media::srtp;
use model::media::Codec;

use crate::load::{Party, Speech};
use crate::ng_client::{Client, Learnt, Line};
use crate::page::Page;
use crate::program::HERE;

/// What a page is asked for by whoever sends what it says to a trunk, as the appliance does: no more than is heard there.
const ASKED_OF_PAGES: &str = "maxplaybackrate=16000;maxaveragebitrate=19000";

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Relay,
    Srtp,
    Laws,
    Opus,
    G729,
    Recorded,
    /// Not measured beside anybody: a browser's Opus to a trunk, recorded.
    Crowd(Trunk),
}

/// What a trunk of the crowd speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trunk {
    G711,
    G729,
}

impl Profile {
    pub const ALL: [Self; 6] = [Self::Relay, Self::Srtp, Self::Laws, Self::Opus, Self::G729, Self::Recorded];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Srtp => "srtp-rtp",
            Self::Laws => "pcmu-pcma",
            Self::Opus => "pcmu-opus",
            Self::G729 => "pcmu-g729",
            Self::Recorded => "recorded",
            Self::Crowd(_) => "crowd",
        }
    }
    pub const fn title(self) -> &'static str {
        match self {
            Self::Relay => "plain relay",
            Self::Srtp => "SRTP (AES-CM, HMAC-SHA1) to RTP",
            Self::Laws => "PCMU to PCMA",
            Self::Opus => "PCMU to Opus",
            Self::G729 => "PCMU to G.729",
            Self::Recorded => "relay, both directions recorded",
            Self::Crowd(Trunk::G711) => "Opus in a browser to G.711, recorded",
            Self::Crowd(Trunk::G729) => "Opus in a browser to G.729, recorded",
        }
    }
    /// The ratio of processor time to the peer's that we want to stay below, and the one we dream of.
    pub const fn goal(self) -> (f64, f64) {
        match self {
            Self::Relay => (0.55, 0.45),
            Self::Srtp => (0.45, 0.35),
            Self::Laws => (0.25, 0.20),
            Self::Opus => (0.20, 0.15),
            Self::G729 => (0.50, 0.35),
            Self::Recorded => (0.60, 0.50),
            Self::Crowd(_) => (1.0, 1.0),
        }
    }
    /// Whether voices are encoded anew, by codecs that cost more than all else.
    pub const fn encodes(self) -> bool {
        matches!(self, Self::Opus | Self::G729)
    }
    /// Calls that are measured; the peer's core carries some 46 with Opus.
    pub const fn sizes(self) -> &'static [usize] {
        match self {
            Self::Opus => &[20, 40],
            Self::G729 => &[50, 100],
            _ => &[500, 1_000],
        }
    }
    /// Further numbers of calls for the chart, out of those that stand.
    pub const fn more_sizes(self) -> &'static [usize] {
        match self {
            Self::Opus => &[10, 30],
            Self::G729 => &[25, 75],
            _ => &[100, 250, 750],
        }
    }
    /// KiB of memory a call at most.
    pub const fn memory_goal_kib(self) -> f64 {
        match self {
            Self::Opus | Self::G729 => 128.0,
            _ => 16.0,
        }
    }

    /// One more call: its parties, who know where to send.
    pub fn set_up(self, client: &mut Client, call: usize, said: &Said) -> Result<[Party; 2], String> {
        let trunk = if self == Self::Crowd(Trunk::G729) { &said.g729 } else { &said.mu };
        let mut caller = Party::new(2 * call, HERE, trunk.clone(), trunk.payload_type);
        let mut callee = Party::new(2 * call + 1, HERE, said.mu.clone(), 0);
        let page = matches!(self, Self::Crowd(_)).then(|| Page::open(call)).transpose()?;
        let key = STANDARD.encode(&far_key().key_and_salt);
        let crypto = (self == Self::Srtp).then_some(key.as_str());
        let opus = format!("opus/48000/2///{ASKED_OF_PAGES}");
        let codec = if trunk.payload_type == 18 { "G729" } else { "PCMU" };
        let crowd = format!("5:codecd4:maskl4:{codec}e9:transcodel{}:{opus}ee5:flagsl6:WebRTCe", opus.len());
        let (profile, more) = match self {
            Self::Relay | Self::Recorded => ("RTP/AVP", "3:ICE6:remove"),
            Self::Srtp => ("RTP/SAVP", "3:ICE6:remove18:transport-protocol7:RTP/AVP4:DTLS3:off"),
            Self::Laws => ("RTP/AVP", "3:ICE6:remove5:codecd4:maskl4:PCMUe9:transcodel4:PCMAee"),
            Self::Opus => ("RTP/AVP", "3:ICE6:remove5:codecd4:maskl4:PCMUe9:transcodel4:opusee"),
            Self::G729 => ("RTP/AVP", "3:ICE6:remove5:codecd4:maskl4:PCMUe9:transcodel4:G729ee"),
            Self::Crowd(_) => ("RTP/AVP", crowd.as_str()),
        };
        let at = caller.addr();
        let map = format!("{codec}/8000");
        // Each frame is sent, and each counts.
        let whole = "a=fmtp:18 annexb=no\r\n";
        let attributes = if codec == "G729" { whole } else { "" };
        let payload_type = trunk.payload_type;
        let offer = Line { at, profile, payload_type, codec: &map, crypto, attributes };
        let offered = client.offer(call, &offer, more)?;
        let (payload_type, codec, speech) = match self {
            Self::Laws => (8, "PCMA/8000", &said.a),
            Self::Opus => (opus_of(&offered)?, "opus/48000/2", &said.opus),
            Self::G729 => (18, "G729/8000", &said.g729),
            Self::Crowd(_) => {
                let payload_type = opus_of(&offered)?;
                let asked = format!("{payload_type} {ASKED_OF_PAGES}");
                if offered.attribute("fmtp") != Some(&asked) {
                    return Err("pages are not asked for a voice of 16 kHz".to_owned());
                }
                (payload_type, "opus/48000/2", &said.page)
            }
            _ => (0, "PCMU/8000", &said.mu),
        };
        callee.speech = Speech { payload_type, ..speech.clone() };
        callee.expects.0 = payload_type;
        let mut attributes = page.as_ref().map(Page::attributes).unwrap_or_default();
        if self == Self::G729 {
            attributes.push_str(whole);
        }
        let profile = if page.is_some() { "UDP/TLS/RTP/SAVPF" } else { "RTP/AVP" };
        let at = callee.addr();
        let answer = Line { at, profile, payload_type, codec, crypto: None, attributes: &attributes };
        let answered = client.answer(call, &answer)?;
        (callee.to, caller.to) = (offered.to, answered.to);
        if self == Self::Srtp {
            let theirs = answered.crypto.as_ref().ok_or("the answer has no key")?;
            let theirs = STANDARD.decode(theirs).map_err(|why| format!("their key: {why}"))?;
            caller.protect = srtp::Sender::new(&far_key()).ok();
            caller.open = srtp::Receiver::new(&SrtpKey { key_and_salt: theirs, ..far_key() }).ok();
        }
        if matches!(self, Self::Relay | Self::Recorded | Self::Srtp) {
            caller.expects.1 = Some(Arc::clone(&said.mu.payloads));
            callee.expects.1 = Some(Arc::clone(&said.mu.payloads));
        }
        if let Some(mut page) = page {
            let (protect, open) = page.connect(&callee.socket, &offered)?;
            (callee.protect, callee.open) = (Some(protect), Some(open));
            callee.page = Some(page);
        }
        if matches!(self, Self::Recorded | Self::Crowd(_)) {
            client.record(call)?;
        }
        Ok([caller, callee])
    }
}

fn opus_of(offered: &Learnt) -> Result<u8, String> {
    offered.payload_type("opus").ok_or_else(|| "no Opus offered".to_owned())
}

fn far_key() -> SrtpKey {
    SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key_and_salt: (0..30).collect() }
}

/// A second of something like a voice, encoded once in each codec.
pub struct Said {
    pub mu: Speech,
    pub a: Speech,
    pub opus: Speech,
    pub g729: Speech,
    /// What a page sends that does as it is asked ([`ASKED_OF_PAGES`]).
    pub page: Speech,
    /// The same as samples at 8 kHz, packet by packet.
    pub samples: Vec<Vec<i16>>,
}

impl Said {
    pub fn prepare() -> Self {
        let samples = voice(8_000);
        let law = |encode: fn(i16) -> u8| {
            let packet = |samples: &Vec<i16>| samples.iter().map(|sample| encode(*sample)).collect();
            samples.iter().map(packet).collect::<Arc<[Vec<u8>]>>()
        };
        let (mu, a) = (law(g711::encode_mu), law(g711::encode_a));
        let opus = |rate_hz: u32, effort: i32| {
            let mut encoder = Encoder::new(Codec::Opus, rate_hz).expect("an encoder");
            encoder.set_effort(effort);
            let mut room = [0; PAYLOAD_MAX];
            let packet = |samples: Vec<i16>| {
                let len = encoder.encode(&samples, &mut room).expect("a packet");
                room[..len].to_vec()
            };
            let payloads = voice(rate_hz).into_iter().map(packet).collect();
            Speech { payload_type: 96, payloads, ticks: 960 }
        };
        let mut encoder = Encoder::new(Codec::G729, 8_000).expect("an encoder");
        let packet = |samples: &Vec<i16>| {
            let mut room = vec![0; 20];
            encoder.encode(samples, &mut room).expect("a packet");
            room
        };
        let g729 = samples.iter().map(packet).collect();
        Self {
            mu: Speech { payload_type: 0, payloads: mu, ticks: 160 },
            a: Speech { payload_type: 8, payloads: a, ticks: 160 },
            opus: opus(48_000, OPUS_COMPLEXITY),
            g729: Speech { payload_type: 18, payloads: g729, ticks: 160 },
            // Chromium's effort on a desktop.
            page: opus(16_000, 9),
            samples,
        }
    }
}

/// Packets of 20 ms: harmonics of a gliding pitch, in syllables, with some breath.
fn voice(rate_hz: u32) -> Vec<Vec<i16>> {
    let rate = f64::from(rate_hz);
    let mut noise = 1_u32;
    let mut phase = 0.0;
    let mut sample = |n: usize| {
        let at = n as f64 / rate;
        let pitch = 120.0 + 30.0 * (at * 2.0 * std::f64::consts::TAU).sin();
        phase += pitch / rate;
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let voiced: f64 = (1..20)
            .filter(|harmonic| f64::from(*harmonic) * pitch < rate / 2.0)
            .map(|harmonic| (phase * f64::from(harmonic) * std::f64::consts::TAU).sin() / f64::from(harmonic))
            .sum();
        let syllable = (at * 4.0 * std::f64::consts::TAU).sin().max(0.0);
        let breath = f64::from(noise >> 16) / 32_768.0 - 1.0;
        (6_000.0 * syllable * voiced + 400.0 * breath) as i16
    };
    let frame = rate_hz as usize / 50;
    (0..50).map(|packet| (0..frame).map(|n| sample(packet * frame + n)).collect()).collect()
}
