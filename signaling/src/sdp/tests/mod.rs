//! Negotiation as a whole: matrices of what is offered and what we can, and the descriptions of real far ends.

mod basics;
mod g729;
mod matrix;
mod properties;
mod samples;

use media::control::{Direction, LegCreated, LocalIce, Security};
use model::service::SrtpPolicy;

use super::*;

pub(super) const SEED: KeySeed = KeySeed::new([42; 32]);
/// A key of 30 octets, for AES_CM_128.
pub(super) const KEY30: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

/// Where the media plane put a trunk's leg.
pub(super) fn here() -> LegCreated {
    LegCreated {
        rtp: "192.0.2.1:30000".parse().unwrap(),
        rtcp: "192.0.2.1:30001".parse().unwrap(),
        ice: None,
    }
}

/// Where the media plane put a browser's leg.
pub(super) fn here_ice() -> LegCreated {
    let ice = LocalIce {
        ufrag: "ourU".into(),
        pwd: "ourPasswordOf22Letters".into(),
        fingerprint: format!("sha-256 {}", ["AB"; 32].join(":")),
        candidates: vec!["192.0.2.1:3478".parse().unwrap(), "[2001:db8::1]:3478".parse().unwrap()],
    };
    let rtp = "192.0.2.1:3478".parse().unwrap();
    LegCreated { rtp, rtcp: rtp, ice: Some(ice) }
}

pub(super) fn parse(text: &str) -> Sdp {
    Sdp::parse(text.as_bytes()).unwrap()
}

/// An offer from 198.51.100.9 with these media lines.
pub(super) fn far(media: &str) -> Sdp {
    parse(&format!(
        "v=0\r\no=far 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{media}"
    ))
}

/// The answer as the far end will read it.
pub(super) fn answered(offer: &Sdp, ability: &Ability) -> Result<(Settled, Sdp), Refusal> {
    let agreed = answer(offer, ability, &SEED)?;
    let at = if ability.far_end == FarEnd::WebRtc { here_ice() } else { here() };
    let sdp = agreed.sdp(&at, &mut LocalSession::new(4_000))?;
    assert_eq!(sdp.media.len(), offer.media.len(), "RFC 3264 §6: as many media lines as the offer");
    Ok((agreed.settled, parse(&sdp.to_string())))
}

pub(super) fn keys(security: &Security) -> (media::control::SrtpKey, media::control::SrtpKey) {
    match security {
        Security::Sdes { send, receive } => (send.clone(), receive.clone()),
        other => panic!("{other:?}"),
    }
}

pub(super) fn trunk() -> Ability {
    Ability::sip(SrtpPolicy::Accept)
}

pub(super) fn held(ability: Ability, direction: Direction) -> Ability {
    Ability { direction, ..ability }
}
