//! Answers an offer (RFC 3264 §6): one audio line is taken, every other line is refused in its place.
//!
//! We answer with one codec and the events that go with its clock. Listing more would be allowed, and would let the far
//! end change codecs in mid-call; some then send another offer to settle it, which is a round trip nobody needs.

use media::control::{Format, LegCreated, Security};
use model::service::SrtpPolicy;

use super::ability::{Ability, FarEnd, Refusal, Settled};
use super::attributes::Setup;
use super::codecs::{AudioFormats, comfort_noise_of, payload_type_of};
use super::crypto::{CryptoLine, KeySeed};
use super::description::{Media, Sdp};
use super::far::{FarSide, Protection, format, protection, settle};
use super::local::{Audio, Line, LocalSession, write};

/// An offer that we can accept, and our answer to it but for our address.
///
/// The address comes last because the media plane gives it, and the plane must first know which kind of leg to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreed {
    /// What to tell the media plane.
    pub settled: Settled,
    lines: Vec<Line>,
    far_end: FarEnd,
}

impl Agreed {
    /// The answer, for the place the media plane made.
    pub fn sdp(&self, at: &LegCreated, session: &mut LocalSession) -> Result<Sdp, Refusal> {
        Ok(session.sign(write(&self.lines, at, self.far_end)?))
    }
    /// Whether the far end is reached by IPv6, so that our leg must be there too.
    pub fn is_ipv6(&self) -> bool {
        self.settled.setup.remote.is_some_and(|remote| remote.is_ipv6())
    }
}

/// Answers an offer, in a new session or a running one.
///
/// # Errors
/// [`Refusal::NotAcceptable`] when no audio line can be taken. In a running session nothing changes then (§8).
pub fn answer(offer: &Sdp, ability: &Ability, seed: &KeySeed) -> Result<Agreed, Refusal> {
    let mut refusal = None;
    let mut taken = None;
    for (at, media) in by_preference(offer) {
        match take(offer, media, ability, seed) {
            Ok(found) => {
                taken = Some((at, found));
                break;
            }
            // The first line is the one the far end would rather have had.
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    let Some((taken_at, (settled, audio))) = taken else {
        return Err(refusal.unwrap_or(Refusal::media("no audio offered")));
    };
    let mut audio = Some(audio);
    let lines = offer
        .media
        .iter()
        .enumerate()
        .map(|(at, media)| match audio.take_if(|_| at == taken_at) {
            Some(audio) => Line::Audio(Box::new(audio)),
            None => Line::refused(media),
        })
        .collect();
    Ok(Agreed { settled, lines, far_end: ability.far_end })
}

/// Audio lines, encrypted ones first: where a far end offers the same call both ways, it may be overheard only one way.
fn by_preference(offer: &Sdp) -> Vec<(usize, &Media)> {
    let mut audio: Vec<_> =
        offer.media.iter().enumerate().filter(|(_, media)| media.kind == "audio").collect();
    audio.sort_by_key(|(_, media)| protection(offer, media) == Some(Protection::Plain));
    audio
}

fn take(offer: &Sdp, media: &Media, ability: &Ability, seed: &KeySeed) -> Result<(Settled, Audio), Refusal> {
    // In a bundle, port 0 may also mean "as the first line" (RFC 8843 §6).
    if media.port == 0 && !(ability.far_end == FarEnd::WebRtc && media.has("bundle-only")) {
        return Err(Refusal::media("the audio is switched off"));
    }
    let (security, crypto, setup) = secure(offer, media, ability, seed)?;
    let far = FarSide::of(offer, media, ability)?;
    if ability.far_end == FarEnd::WebRtc && !far.rtcp_mux {
        return Err(Refusal::attribute("rtcp-mux is needed"));
    }
    let send = choose(media, ability).ok_or(Refusal::format("no codec in common"))?;
    let mut settled = settle(far, media, ability, send, vec![send], security);
    settled.setup.comfort_noise = comfort_noise_of(media, send.codec);
    let mid = media.mid().map(str::to_owned);
    let audio = Audio {
        protocol: media.protocol.clone(),
        formats: AudioFormats::chosen(send, &settled.setup, ability.far_end),
        direction: settled.setup.direction,
        rtcp_mux: far.rtcp_mux,
        bundled: mid.as_deref().is_some_and(|mid| offer.bundle().contains(&mid)),
        mid,
        crypto,
        setup,
    };
    Ok((settled, audio))
}

/// Our best codec that the far end has too.
fn choose(media: &Media, ability: &Ability) -> Option<Format> {
    ability.codecs.iter().find_map(|codec| format(media, payload_type_of(media, *codec)?, ability))
}

type Secured = (Security, Vec<CryptoLine>, Option<Setup>);

fn secure(offer: &Sdp, media: &Media, ability: &Ability, seed: &KeySeed) -> Result<Secured, Refusal> {
    let protection = protection(offer, media).ok_or(Refusal::transport("a transport other than RTP"))?;
    match (ability.far_end, protection) {
        (FarEnd::WebRtc, Protection::Dtls) => {
            let active = match offer.setup_of(media) {
                Some(Setup::ActPass | Setup::Active) | None => false,
                Some(Setup::Passive) => true,
                Some(Setup::HoldConn) => return Err(Refusal::attribute("setup:holdconn")),
            };
            let setup = if active { Setup::Active } else { Setup::Passive };
            Ok((dtls(offer, media, active)?, Vec::new(), Some(setup)))
        }
        (FarEnd::WebRtc, _) => Err(Refusal::transport("browsers need DTLS-SRTP")),
        (FarEnd::Sip, Protection::Dtls) => Err(Refusal::transport("no DTLS-SRTP here")),
        (FarEnd::Sip, Protection::Sdes) if ability.srtp == SrtpPolicy::Never => {
            Err(Refusal::transport("no SRTP here"))
        }
        (FarEnd::Sip, Protection::Plain) if ability.srtp == SrtpPolicy::Never => {
            Ok((Security::None, Vec::new(), None))
        }
        (FarEnd::Sip, protection) => match CryptoLine::best(media) {
            Some(line) => {
                let ours = CryptoLine { tag: line.tag, key: seed.key(line.key.suite) };
                let security = Security::Sdes { send: ours.key.clone(), receive: line.key };
                Ok((security, vec![ours], None))
            }
            None if protection == Protection::Sdes => Err(Refusal::attribute("no usable a=crypto line")),
            None if ability.srtp == SrtpPolicy::Require => Err(Refusal::transport("SRTP is required")),
            None => Ok((Security::None, Vec::new(), None)),
        },
    }
}

/// The far end's side of DTLS and ICE.
pub(super) fn dtls(sdp: &Sdp, media: &Media, active: bool) -> Result<Security, Refusal> {
    let (ufrag, pwd) = sdp.ice_of(media).ok_or(Refusal::attribute("no usable ice-ufrag and ice-pwd"))?;
    if sdp.is_ice_lite() {
        // Two lite sides would both wait for the other's checks.
        return Err(Refusal::attribute("both sides are ICE-lite"));
    }
    let remote_fingerprint = sdp.fingerprint_of(media).ok_or(Refusal::attribute("no SHA-256 fingerprint"))?;
    Ok(Security::Dtls {
        remote_ufrag: ufrag.to_owned(),
        remote_pwd: pwd.to_owned(),
        remote_fingerprint,
        active,
    })
}
