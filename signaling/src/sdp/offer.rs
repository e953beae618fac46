//! Offers, and what their answers come to: for calls we place, for an INVITE that came without SDP (the offer is in
//! our 200, the answer in the ACK), and for changes in a running session such as hold.

use media::control::{Format, LegCreated, Security};
use model::service::SrtpPolicy;

use super::ability::{Ability, FarEnd, Refusal, Settled};
use super::answer::dtls;
use super::attributes::Setup;
use super::codecs::{AudioFormats, codec_of};
use super::crypto::{CryptoLine, KeySeed, SUITES};
use super::description::{Media, Sdp};
use super::far::{FarSide, Protection, format, protection, settle};
use super::local::{Audio, Line, LocalSession, write};

/// Offers what we can do: the first offer of a session, or a later one that keeps its lines in their places (§8).
pub fn offer(
    ability: &Ability,
    at: &LegCreated,
    seed: &KeySeed,
    session: &mut LocalSession,
) -> Result<Sdp, Refusal> {
    let before = session.last().map(|sdp| sdp.media.as_slice()).unwrap_or_default();
    let running = before.iter().position(is_audio);
    let audio = Line::Audio(Box::new(audio(ability, seed, running.and_then(|n| before.get(n)))));
    let mut lines: Vec<Line> = before.iter().map(Line::refused).collect();
    match running.and_then(|n| lines.get_mut(n)) {
        Some(line) => *line = audio,
        None => lines.push(audio),
    }
    let body = write(&lines, at, ability.far_end)?;
    Ok(session.sign(body))
}

fn audio(ability: &Ability, seed: &KeySeed, before: Option<&Media>) -> Audio {
    let formats = AudioFormats::to_offer(ability, before);
    let mid = before.and_then(Media::mid).map(str::to_owned);
    match ability.far_end {
        FarEnd::WebRtc => {
            let mid = mid.unwrap_or_else(|| "0".to_owned());
            Audio {
                protocol: "UDP/TLS/RTP/SAVPF".to_owned(),
                formats,
                direction: ability.direction,
                rtcp_mux: true,
                mid: Some(mid),
                bundled: true,
                crypto: Vec::new(),
                setup: Some(Setup::ActPass),
            }
        }
        FarEnd::Sip => {
            // A session keeps its transport: SRTP does not come or go in mid-call.
            let crypto = match before {
                Some(media) => CryptoLine::all(media).into_iter().map(|line| line.key.suite).collect(),
                None if ability.srtp == SrtpPolicy::Require => SUITES.to_vec(),
                None => Vec::new(),
            };
            let usual = if crypto.is_empty() { "RTP/AVP" } else { "RTP/SAVP" };
            Audio {
                protocol: before.map_or(usual, |media| &media.protocol).to_owned(),
                formats,
                direction: ability.direction,
                // Asked for only where it is in use: some gateways stumble over the unknown.
                rtcp_mux: before.is_some_and(|media| media.has("rtcp-mux")),
                mid,
                bundled: false,
                crypto: (1..)
                    .zip(crypto)
                    .map(|(tag, suite)| CryptoLine { tag, key: seed.key(suite) })
                    .collect(),
                setup: None,
            }
        }
    }
}

/// What the answer to our offer comes to.
///
/// # Errors
/// [`Refusal`] when the answer takes no audio or is no answer to this offer. Its status is of no use then: an answer
/// cannot be answered, so the call is ended.
pub fn apply_answer(
    offer: &Sdp,
    answer: &Sdp,
    ability: &Ability,
    seed: &KeySeed,
) -> Result<Settled, Refusal> {
    if offer.media.len() != answer.media.len() {
        return Err(Refusal::other("the answer has not the media lines of the offer"));
    }
    let (ours, media) = offer
        .media
        .iter()
        .zip(&answer.media)
        .find(|(ours, _)| is_audio(ours))
        .ok_or(Refusal::Ours("we offered no audio"))?;
    if media.kind != ours.kind || media.port == 0 {
        return Err(Refusal::media("the audio was not taken"));
    }
    let security = secured(offer, ours, answer, media, ability, seed)?;
    let mut far = FarSide::of(answer, media, ability)?;
    // An answer cannot begin what the offer did not ask for.
    far.rtcp_mux = far.rtcp_mux && ours.has("rtcp-mux");
    if ability.far_end == FarEnd::WebRtc && !far.rtcp_mux {
        return Err(Refusal::attribute("rtcp-mux is needed"));
    }
    // Some far ends leave out the rtpmap of a payload type whose meaning our offer gave.
    let media = &with_maps(media, ours);
    let chosen: Vec<Format> = media
        .payload_types()
        .filter_map(|pt| format(media, pt, ability))
        .filter(|f| ours.payload_types().any(|pt| codec_of(ours, pt) == Some(f.codec)))
        .collect();
    let send = *chosen.first().ok_or(Refusal::format("no codec in common"))?;
    let settled = settle(far, media, ability, send, receive(&chosen, ours), security);
    Ok(settled)
}

/// What may come: the answered codecs, under the payload types of our offer, and under those of the answer where
/// they differ (RFC 3264 §5.1 lets each side have its own, and not everybody reads it so).
fn receive(chosen: &[Format], ours: &Media) -> Vec<Format> {
    let offered = chosen.iter().filter_map(|f| {
        let payload_type = ours.payload_types().find(|pt| codec_of(ours, *pt) == Some(f.codec))?;
        Some(Format { payload_type, ..*f })
    });
    let mut all: Vec<Format> = offered.collect();
    for format in chosen {
        if all.iter().all(|f| f.payload_type != format.payload_type) {
            all.push(*format);
        }
    }
    all
}

fn with_maps(media: &Media, ours: &Media) -> Media {
    let mut media = media.clone();
    for pt in ours.payload_types() {
        if media.rtp_map(pt).is_none() {
            let prefix = format!("{pt} ");
            let map = ours.attributes.iter().find(|a| {
                a.name == "rtpmap" && a.value.as_deref().is_some_and(|value| value.starts_with(&prefix))
            });
            media.attributes.extend(map.cloned());
        }
    }
    media
}

fn secured(
    offer: &Sdp,
    ours: &Media,
    answer: &Sdp,
    media: &Media,
    ability: &Ability,
    seed: &KeySeed,
) -> Result<Security, Refusal> {
    let same = protection(offer, ours) == protection(answer, media);
    match protection(answer, media).filter(|_| same) {
        None => Err(Refusal::transport("the answer changes the transport")),
        Some(Protection::Dtls) => match answer.setup_of(media) {
            Some(Setup::Active) => dtls(answer, media, false),
            Some(Setup::Passive) => dtls(answer, media, true),
            _ => Err(Refusal::attribute("the answer must be setup:active or setup:passive")),
        },
        Some(Protection::Sdes | Protection::Plain) if media.has("crypto") && ours.has("crypto") => {
            let theirs = CryptoLine::all(media);
            let [line] = theirs.as_slice() else {
                return Err(Refusal::attribute("the answer must have one usable a=crypto line"));
            };
            let offered = CryptoLine::all(ours);
            if !offered.iter().any(|o| o.tag == line.tag && o.key.suite == line.key.suite) {
                return Err(Refusal::attribute("an a=crypto line that was not offered"));
            }
            Ok(Security::Sdes { send: seed.key(line.key.suite), receive: line.key.clone() })
        }
        Some(Protection::Sdes) => Err(Refusal::attribute("no a=crypto line in the answer")),
        Some(Protection::Plain) if ability.srtp == SrtpPolicy::Require => {
            Err(Refusal::transport("SRTP is required"))
        }
        Some(Protection::Plain) => Ok(Security::None),
    }
}

fn is_audio(media: &Media) -> bool {
    media.kind == "audio" && media.port != 0
}
