//! Keys of a request that say how an offer or answer is rewritten and how its media travels.

use std::net::IpAddr;
use std::time::Duration;

use super::flags;
use super::words::{CodecOps, Dtls, Ice, MuxWish, Profile, Replace, RtcpAttribute, Sdes};
use crate::wire::{Value, same_name};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `ICE`.
    pub ice: Ice,
    /// `transport-protocol`.
    pub profile: Option<Profile>,
    /// `DTLS`.
    pub dtls: Option<Dtls>,
    /// `SDES`.
    pub sdes: Sdes,
    /// `rtcp-mux`.
    pub mux: MuxWish,
    /// `replace`.
    pub replace: Replace,
    /// `codec`, and flags that mean the same.
    pub codec: CodecOps,
    /// `ptime`, towards the other side.
    pub ptime: Option<u8>,
    /// `ptime-reverse`, towards this side.
    pub ptime_reverse: Option<u8>,
    /// `direction` and `interface`: names of interfaces, of this side and of the other.
    pub interfaces: Vec<String>,
    /// `address-family` towards the other side: whether it is IPv6.
    pub ipv6: Option<bool>,
    /// `media-address`: written in the place of ours.
    pub media_address: Option<IpAddr>,
    /// `received-from`: where the proxy got the SIP message from.
    pub received_from: Option<IpAddr>,
    /// Flag `SIP-source-address`: media comes from there, whatever the SDP says.
    pub sip_source_address: bool,
    /// Flag `asymmetric`: this side sends from elsewhere than it listens at, and is not followed.
    pub asymmetric: bool,
    /// How `a=rtcp` is written.
    pub rtcp_attribute: RtcpAttribute,
    /// Flag `generate-mid`.
    pub generate_mid: bool,
    /// Flag `strip-extmap`.
    pub strip_extmap: bool,
    /// Flag `loop-protect`.
    pub loop_protect: bool,
    /// Flag `original-sendrecv`: directions are passed on as they are.
    pub original_sendrecv: bool,
    /// Flag `single-codec`: the answer has one audio codec.
    pub single_codec: bool,
    /// Flag `always-transcode`.
    pub always_transcode: bool,
    /// Flag `record-call`, or the key with a true value.
    pub record_call: bool,
    /// Flag `all`: every party.
    pub all: bool,
    /// Media of a subscription are labelled, as SIPREC wants it.
    pub siprec: bool,
    /// Flag `fatal` of delete.
    pub fatal: bool,
    /// `delete-delay`.
    pub delete_delay: Option<Duration>,
    /// `label` of a party.
    pub label: Option<String>,
    /// What is not known here; said once in the log.
    pub unknown: Vec<String>,
    /// What is known and has no effect here; said once in the log.
    pub ignored: Vec<String>,
}

/// Keys that are read elsewhere, or say nothing about the media.
const NOT_OPTIONS: [&str; 27] = [
    "from-tags",
    "command",
    "call-id",
    "from-tag",
    "to-tag",
    "via-branch",
    "sdp",
    "supports",
    "sip-message-type",
    "file",
    "blob",
    "db-id",
    "repeat-times",
    "start-pos",
    "code",
    "digit",
    "duration",
    "volume",
    "pause",
    "limit",
    "metadata",
    "recording-file",
    "recording-dir",
    "recording-pattern",
    "address",
    "xmlrpc-callback",
    "call-ID",
];

/// Words that real scripts send and that have no effect here, each explained in the protocol's page.
pub(super) const IGNORED: [&str; 42] = [
    "trust-address",
    "strict-source",
    "symmetric",
    "media-handover",
    "port-latching",
    "no-port-latching",
    "unidirectional",
    "reset",
    "trickle-ICE",
    "ICE-lite",
    "generate-RTCP",
    "RTCP-mirror",
    "early-media",
    "allow-transcoding",
    "symmetric-codecs",
    "reorder-codecs",
    "inject-DTMF",
    "detect-DTMF",
    "pad-crypto",
    "no-redis-update",
    "egress",
    "media-echo",
    "TOS",
    "OSRTP",
    "T.38",
    "DTLS-fingerprint",
    "DTLS-reverse",
    "recrypt",
    "xmlrpc-callback",
    "drop-traffic",
    "delay-buffer",
    "DTMF-security",
    "DTMF-security-trigger",
    "DTMF-security-trigger-end",
    "DTMF-delay",
    "trigger",
    "trigger-end",
    "trigger-end-time",
    "to-label",
    "set-label",
    "sdp-attr",
    "bundle",
];

impl Options {
    /// Reads the options among the keys of a request.
    pub fn read(body: &Value) -> Self {
        let mut options = Self::default();
        if let Value::Dict(entries) = body {
            for (key, value) in entries {
                options.key(key, value);
            }
        }
        options
    }

    /// One key with its value; also `key=value` among the flags.
    pub(super) fn key(&mut self, key: &str, value: &Value) {
        let name = key.replace(' ', "-");
        let word = || value.text().unwrap_or_default();
        match name.as_str() {
            "flags" => value.words().iter().for_each(|flag| flags::word(self, flag)),
            "rtpp-flags" => flags::sentence(self, &word()),
            "replace" => value.words().iter().for_each(|what| self.replace_word(what)),
            "rtcp-mux" => value.words().iter().for_each(|how| self.mux_word(how)),
            "SDES" => value.words().iter().for_each(|how| self.sdes_word(how)),
            "ICE" => match word().as_str() {
                "remove" => self.ice = Ice::Remove,
                "force" => self.ice = Ice::Force,
                "default" => self.ice = Ice::Default,
                other => self.ignored.push(format!("ICE={other}")),
            },
            "transport-protocol" => match word().as_str() {
                "accept" | "transparent" => self.profile = None,
                other => match Profile::read(other) {
                    Some(profile) => self.profile = Some(profile),
                    None => self.unknown.push(format!("transport-protocol={other}")),
                },
            },
            "DTLS" => match word().as_str() {
                "off" | "no" | "disable" => self.dtls = Some(Dtls::Off),
                "passive" => self.dtls = Some(Dtls::Passive),
                "active" => self.dtls = Some(Dtls::Active),
                other => self.unknown.push(format!("DTLS={other}")),
            },
            "codec" => {
                if let Value::Dict(operations) = value {
                    for (operation, names) in operations {
                        for name in names.words() {
                            self.codec_word(operation, &name);
                        }
                    }
                }
            }
            "ptime" => self.ptime = packet_time(value),
            "ptime-reverse" => self.ptime_reverse = packet_time(value),
            "direction" => self.interfaces = value.words(),
            "interface" => self.interfaces = vec![word(), word()],
            "address-family" => match word().as_str() {
                "IP4" | "IPv4" | "ip4" => self.ipv6 = Some(false),
                "IP6" | "IPv6" | "ip6" => self.ipv6 = Some(true),
                _ => {}
            },
            "media-address" => self.media_address = word().parse().ok(),
            "received-from" => self.received_from = value.words().last().and_then(|ip| ip.parse().ok()),
            "delete-delay" => {
                let seconds = value.int().and_then(|s| u64::try_from(s).ok());
                self.delete_delay = seconds.map(|s| Duration::from_secs(s.min(DELETE_DELAY_S_MAX)));
            }
            "label" => self.label = Some(word()),
            "record-call" => self.record_call = matches!(word().as_str(), "yes" | "on" | "true" | "1"),
            _ if NOT_OPTIONS.contains(&name.as_str()) => {}
            _ if IGNORED.contains(&name.as_str()) => self.ignored.push(name),
            _ => self.unknown.push(name),
        }
    }

    pub(super) fn replace_word(&mut self, what: &str) {
        match what.replace(' ', "-").as_str() {
            "origin" | "origin-full" => self.replace.origin = true,
            "session-connection" => self.replace.session_connection = true,
            "zero-address" => self.replace.zero_address = true,
            other => self.ignored.push(format!("replace-{other}")),
        }
    }

    pub(super) fn mux_word(&mut self, how: &str) {
        match how {
            "demux" => self.mux.demux = true,
            "offer" | "require" => self.mux.offer = true,
            "accept" => self.mux.accept = true,
            "reject" => self.mux.reject = true,
            other => self.unknown.push(format!("rtcp-mux-{other}")),
        }
    }

    pub(super) fn sdes_word(&mut self, how: &str) {
        match how {
            "off" | "no" | "disable" => self.sdes.off = true,
            _ => match (how.strip_prefix("no-"), how.strip_prefix("only-")) {
                (Some(suite), _) => self.sdes.without.push(suite.to_owned()),
                (_, Some(suite)) => self.sdes.only.push(suite.to_owned()),
                _ => self.ignored.push(format!("SDES-{how}")),
            },
        }
    }

    pub(super) fn codec_word(&mut self, operation: &str, name: &str) {
        let ops = &mut self.codec;
        let list = match operation {
            "strip" => &mut ops.strip,
            "mask" => &mut ops.mask,
            "consume" => &mut ops.consume,
            "transcode" => &mut ops.transcode,
            "except" => &mut ops.except,
            "offer" => &mut ops.offer,
            "accept" => &mut ops.accept,
            "ignore" => &mut ops.ignore,
            "set" => {
                self.ignored.push(format!("codec-set-{name}"));
                return;
            }
            _ => {
                self.unknown.push(format!("codec-{operation}"));
                return;
            }
        };
        list.push(name.to_owned());
    }
}

/// Longest `delete-delay` in seconds: a day.
const DELETE_DELAY_S_MAX: u64 = 86_400;

fn packet_time(value: &Value) -> Option<u8> {
    value.int().filter(|ms| (10..=60).contains(ms)).and_then(|ms| u8::try_from(ms).ok())
}

/// Whether a flag is written like this.
pub(super) fn is(flag: &str, name: &str) -> bool {
    same_name(flag, name)
}
