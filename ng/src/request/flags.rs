//! Words among `flags`, and the whole string of `rtpp-flags`. Modules differ in what they take apart before sending.

use super::options::{IGNORED, Options, is};
use super::words::{Ice, Profile, RtcpAttribute};
use crate::wire::Value;

/// Words of one request that are looked at.
const WORDS_MAX: usize = 256;

/// The flags as they stand in a proxy's script.
pub(super) fn sentence(options: &mut Options, text: &str) {
    for flag in text.split_whitespace().take(WORDS_MAX) {
        word(options, flag);
    }
}

/// Takes the rest of a flag whose beginning was known.
type Take = fn(&mut Options, &str);

/// One flag.
pub(super) fn word(options: &mut Options, flag: &str) {
    if let Some((key, value)) = flag.split_once('=') {
        return assignment(options, key, value);
    }
    let plain = flag.replace(' ', "-");
    let lists: [(&str, Take); 4] = [
        ("replace-", Options::replace_word),
        ("rtcp-mux-", Options::mux_word),
        ("SDES-", Options::sdes_word),
        ("transcode-", |options, name| options.codec_word("transcode", name)),
    ];
    for (prefix, take) in lists {
        if let Some(rest) = plain.strip_prefix(prefix) {
            return take(options, rest);
        }
    }
    if let Some((operation, name)) = plain.strip_prefix("codec-").and_then(|rest| rest.split_once('-')) {
        options.codec_word(operation, name);
        return;
    }
    if let Some(profile) = transport(&plain, options.profile) {
        options.profile = Some(profile);
        return;
    }
    match plain.as_str() {
        "SIP-source-address" => options.sip_source_address = true,
        "trust-address" => options.sip_source_address = false,
        "asymmetric" => options.asymmetric = true,
        "generate-mid" => options.generate_mid = true,
        "strip-extmap" => options.strip_extmap = true,
        "loop-protect" => options.loop_protect = true,
        "full-rtcp-attribute" => options.rtcp_attribute = RtcpAttribute::Full,
        "no-rtcp-attribute" => options.rtcp_attribute = RtcpAttribute::Off,
        "original-sendrecv" => options.original_sendrecv = true,
        "single-codec" => options.single_codec = true,
        "always-transcode" => options.always_transcode = true,
        "record-call" => options.record_call = true,
        "all" => options.all = true,
        "SIPREC" | "siprec" => options.siprec = true,
        "fatal" => options.fatal = true,
        "internal" | "external" => options.interfaces.push(plain),
        "WebRTC" | "webrtc" => {
            options.ice = Ice::Force;
            options.profile = Some(Profile::DtlsSavpf);
            options.mux.offer = true;
            options.generate_mid = true;
            options.rtcp_attribute = RtcpAttribute::Off;
            options.sdes.off = true;
        }
        _ if IGNORED.iter().any(|name| is(name, &plain)) => options.ignored.push(plain),
        _ => options.unknown.push(plain),
    }
}

fn assignment(options: &mut Options, key: &str, value: &str) {
    // `[a b]` is a list; the pieces of one that was cut at its blanks are words of their own and end up as unknown.
    let value = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value);
    match key {
        "direction" => options.interfaces.push(value.to_owned()),
        "in-iface" => options.interfaces.insert(0, value.to_owned()),
        "out-iface" => options.interfaces.push(value.to_owned()),
        "replace" => options.replace_word(value),
        _ => match key.strip_prefix("codec-") {
            Some(operation) => options.codec_word(operation, value),
            None => options.key(key, &Value::from(value)),
        },
    }
}

/// `RTP`, `SRTP`, `AVP`, `AVPF`, `DTLS` change one side of the profile each; a whole profile is itself.
fn transport(flag: &str, so_far: Option<Profile>) -> Option<Profile> {
    if let Some(profile) = Profile::read(flag) {
        return Some(profile);
    }
    let before = so_far.unwrap_or(Profile::Avp);
    let feedback = matches!(before, Profile::Avpf | Profile::Savpf | Profile::DtlsSavpf);
    let build = |secure: bool, dtls: bool, feedback: bool| match (secure, dtls, feedback) {
        (false, _, false) => Profile::Avp,
        (false, _, true) => Profile::Avpf,
        (true, false, false) => Profile::Savp,
        (true, false, true) => Profile::Savpf,
        (true, true, false) => Profile::DtlsSavp,
        (true, true, true) => Profile::DtlsSavpf,
    };
    match flag {
        "RTP" => Some(build(false, false, feedback)),
        "SRTP" => Some(build(true, false, feedback)),
        "AVP" => Some(build(before.is_secure(), before.is_dtls(), false)),
        "AVPF" => Some(build(before.is_secure(), before.is_dtls(), true)),
        "DTLS" => Some(build(true, true, feedback)),
        _ => None,
    }
}
