//! All targets.

mod checks;
mod dtls;
mod events;
mod flows;
mod ice;
mod leg;
mod ng;
mod payloads;
mod prompts;
mod recording;
mod requirement;
mod rtp;
mod sip;
mod srtp;

/// Something to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Runs it over one input; panics when a rule is broken.
    pub run: fn(&[u8]),
    /// Mutations in a short pass: what takes a few seconds in a debug build.
    pub tries: u32,
}

/// Every target.
pub const TARGETS: [Target; 26] = [
    Target { name: "rtp", run: rtp::rtp, tries: 100_000 },
    Target { name: "rtcp", run: rtp::rtcp, tries: 100_000 },
    Target { name: "stun", run: ice::stun, tries: 20_000 },
    Target { name: "dtls", run: dtls::records, tries: 10_000 },
    Target { name: "dtls_handshake", run: dtls::handshake, tries: 300 },
    Target { name: "srtp", run: srtp::srtp, tries: 20_000 },
    Target { name: "leg", run: leg::leg, tries: 15_000 },
    Target { name: "checks", run: checks::checks, tries: 15_000 },
    Target { name: "ng_bencode", run: ng::bencode, tries: 100_000 },
    Target { name: "ng_json", run: ng::json, tries: 50_000 },
    Target { name: "ng_sdp", run: ng::sdp, tries: 30_000 },
    Target { name: "ng_request", run: ng::request, tries: 5_000 },
    Target { name: "ng_subscribe", run: ng::subscribe, tries: 5_000 },
    Target { name: "recording", run: recording::recording, tries: 3_000 },
    Target { name: "sdp", run: sip::sdp, tries: 20_000 },
    Target { name: "sip", run: sip::message, tries: 20_000 },
    Target { name: "events", run: events::events, tries: 50_000 },
    Target { name: "opus", run: payloads::opus, tries: 1_000 },
    Target { name: "g722", run: payloads::g722, tries: 3_000 },
    Target { name: "g729", run: payloads::g729, tries: 3_000 },
    Target { name: "g729_encode", run: payloads::g729_encode, tries: 300 },
    Target { name: "comfort_noise", run: payloads::comfort_noise, tries: 2_000 },
    Target { name: "playout", run: payloads::playout, tries: 2_000 },
    Target { name: "prompt", run: prompts::prompt, tries: 300 },
    Target { name: "requirement", run: requirement::requirement, tries: 30_000 },
    Target { name: "flow", run: flows::flow, tries: 30_000 },
];

/// The target of that name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
