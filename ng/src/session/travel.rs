//! How media of a party travels: over which kind of leg, from which address, believed from where.

use std::net::{IpAddr, SocketAddr};

use media::control::{Checks, Direction, Latching, Security, SrtpKey, Transport};
use media::ice::Credentials;

use super::call::Leg;
use super::{Chance, Interface};
use crate::request::{Dtls, Ice, Options, Profile};
use crate::sdp::{Crypto, IceLines, Medium, SUITES, Way};

/// The leg towards the party that wrote this medium.
pub(super) fn towards_writer(
    medium: &Medium,
    interfaces: &[Interface],
    name: Option<&str>,
) -> Result<Transport, String> {
    let secure = medium.profile.is_some_and(Profile::is_secure);
    if secure && medium.crypto.is_empty() {
        return match (&medium.ice, &medium.dtls) {
            (Some(_), Some(_)) => Ok(Transport::Ice),
            (None, Some(_)) => ports(interfaces, name, medium.address.is_ipv6()),
            _ => Err("The offer has no SRTP keys that this node can use".to_owned()),
        };
    }
    ports(interfaces, name, medium.address.is_ipv6())
}

/// The leg towards the party that is offered this profile.
pub(super) fn towards_other(
    profile: Profile,
    medium: &Medium,
    options: &Options,
    interfaces: &[Interface],
    name: Option<&str>,
) -> Result<Transport, String> {
    let by_dtls = is_by_dtls(profile, options);
    if by_dtls && options.dtls == Some(Dtls::Off) {
        return Err("No SRTP key exchange is left: SDES and DTLS are off".to_owned());
    }
    if by_dtls && offers_ice(medium, options) {
        return Ok(Transport::Ice);
    }
    ports(interfaces, name, options.ipv6.unwrap_or(medium.address.is_ipv6()))
}

/// Whether the answerer is offered ICE: as the offerer did it, if nobody says otherwise.
pub(super) fn offers_ice(medium: &Medium, options: &Options) -> bool {
    match options.ice {
        Ice::Remove => false,
        Ice::Force => true,
        Ice::Default => medium.ice.is_some(),
    }
}

/// Whether the offerer's ICE is answered, as the answer's options say.
pub(super) fn answers_ice(offer: &Medium, options: &Options) -> bool {
    offer.ice.is_some() && options.ice != Ice::Remove
}

/// ICE of a leg with ports of its own, as its far end reads it.
pub(super) fn own_ice(leg: &Leg, rtcp_mux: bool) -> Option<IceLines> {
    let Credentials { ufrag, pwd } = leg.credentials.clone()?;
    let (candidates, rtcp) = (vec![leg.created.rtp], (!rtcp_mux).then_some(leg.created.rtcp));
    matches!(leg.transport, Transport::Ports { .. }).then_some(IceLines { ufrag, pwd, candidates, rtcp })
}

/// The checks of such a leg. A far end that is a lite agent like us sends none: then each believes what was signalled
/// (RFC 8445 §6.1.1).
pub(super) fn checks(leg: &Leg, far: &Medium) -> Option<Box<Checks>> {
    let theirs = far.ice.as_ref().filter(|ice| !ice.lite)?;
    let Credentials { ufrag, pwd } = leg.credentials.clone()?;
    let remote_ufrag = theirs.ufrag.clone();
    matches!(leg.transport, Transport::Ports { .. }).then(|| Box::new(Checks { ufrag, pwd, remote_ufrag }))
}

/// Whether keys of this profile come by DTLS.
pub(super) fn is_by_dtls(profile: Profile, options: &Options) -> bool {
    profile.is_dtls() || profile.is_secure() && options.sdes.off
}

pub(super) fn ports(interfaces: &[Interface], name: Option<&str>, ipv6: bool) -> Result<Transport, String> {
    let named = |interface: &&Interface| name.is_none_or(|name| interface.name == name);
    let known = name.filter(|name| interfaces.iter().any(|interface| interface.name == *name));
    let candidates = || interfaces.iter().filter(|interface| known.is_none() || named(interface));
    candidates()
        .find(|interface| interface.bind.is_ipv6() == ipv6)
        .or_else(|| candidates().next())
        .map(|interface| Transport::Ports { interface: interface.bind })
        .ok_or_else(|| "This node has no media interface".to_owned())
}

/// Whether a leg of one kind can go on as the other: ports stay what they are.
pub(super) const fn is_same_kind(a: Transport, b: Transport) -> bool {
    matches!((a, b), (Transport::Ice, Transport::Ice) | (Transport::Ports { .. }, Transport::Ports { .. }))
}

/// A key for each suite of ours, tagged as they will be offered.
pub(super) fn keys(chance: &mut dyn Chance) -> Vec<Crypto> {
    let mut key = |suite: media::control::SrtpSuite| {
        let mut key_and_salt = vec![0; suite.key_and_salt_len()];
        chance.fill(&mut key_and_salt);
        SrtpKey { suite, key_and_salt }
    };
    SUITES.into_iter().zip(1..).map(|(suite, tag)| Crypto { tag, key: key(suite) }).collect()
}

/// The keys that may be offered, with tags from one upwards.
pub(super) fn offered(leg: &Leg, options: &Options) -> Vec<Crypto> {
    let allowed = leg.offered.iter().filter(|crypto| options.sdes.allows(crypto.key.suite.sdp_name()));
    allowed.zip(1..).map(|(crypto, tag)| Crypto { tag, key: crypto.key.clone() }).collect()
}

/// The security of a leg whose far end answered our offer.
pub(super) fn of_answerer(
    leg: &Leg,
    answer: &Medium,
    profile: Profile,
    options: &Options,
) -> Option<Security> {
    if leg.transport == Transport::Ice {
        let (ice, dtls) = answer.ice.as_ref().zip(answer.dtls.as_ref())?;
        return Some(Security::Dtls {
            remote_ufrag: ice.ufrag.clone(),
            remote_pwd: ice.pwd.clone(),
            remote_fingerprint: dtls.fingerprint.clone(),
            active: dtls.setup == "passive",
        });
    }
    if is_by_dtls(profile, options) {
        let dtls = answer.dtls.as_ref()?;
        let remote_fingerprint = dtls.fingerprint.clone();
        return Some(Security::DtlsAlone { remote_fingerprint, active: dtls.setup == "passive" });
    }
    if !profile.is_secure() {
        return Some(Security::None);
    }
    let ours = offered(leg, options);
    answer.crypto.iter().find_map(|theirs| {
        let ours = ours.iter().find(|our| our.tag == theirs.tag && our.key.suite == theirs.key.suite)?;
        Some(Security::Sdes { send: ours.key.clone(), receive: theirs.key.clone() })
    })
}

/// The security of the leg towards the offerer, and what our answer says of it.
pub(super) fn of_offerer(
    leg: &Leg,
    offer: &Medium,
    options: &Options,
    learns: Latching,
    chance: &mut dyn Chance,
) -> Option<(Security, Option<Crypto>)> {
    if leg.transport == Transport::Ice {
        let (ice, dtls) = offer.ice.as_ref().zip(offer.dtls.as_ref())?;
        let active = dtls.setup == "passive" || dtls.setup == "actpass" && options.dtls == Some(Dtls::Active);
        let security = Security::Dtls {
            remote_ufrag: ice.ufrag.clone(),
            remote_pwd: ice.pwd.clone(),
            remote_fingerprint: dtls.fingerprint.clone(),
            active,
        };
        return Some((security, None));
    }
    if !offer.profile.is_some_and(Profile::is_secure) {
        return Some((Security::None, None));
    }
    if offer.crypto.is_empty() {
        let dtls = offer.dtls.as_ref()?;
        let active = match dtls.setup.as_str() {
            "passive" => true,
            // Who is asked opens the handshake, where it knows the address to open it with.
            "actpass" => options.dtls != Some(Dtls::Passive) && learns != Latching::Any,
            _ => false,
        };
        let remote_fingerprint = dtls.fingerprint.clone();
        return Some((Security::DtlsAlone { remote_fingerprint, active }, None));
    }
    let allowed = |crypto: &&Crypto| options.sdes.allows(crypto.key.suite.sdp_name());
    let theirs = offer.crypto.iter().find(allowed).or_else(|| offer.crypto.first())?;
    let suite = theirs.key.suite;
    let ours = match leg.answered.as_ref().filter(|ours| ours.key.suite == suite) {
        Some(ours) => Crypto { tag: theirs.tag, key: ours.key.clone() },
        None => {
            let mut key_and_salt = vec![0; suite.key_and_salt_len()];
            chance.fill(&mut key_and_salt);
            Crypto { tag: theirs.tag, key: SrtpKey { suite, key_and_salt } }
        }
    };
    let security = Security::Sdes { send: ours.key.clone(), receive: theirs.key.clone() };
    Some((security, Some(ours)))
}

/// Where media goes, and from where it is believed.
///
/// rtpengine learns every party's address from its first packets. The plane does so too, but sends nothing to an address
/// that proved nothing unless it was signalled; so a private address that came through a public one is learnt, and any other
/// is used at once while its port may turn out to be another.
pub(super) fn remote(
    medium: &Medium,
    options: &Options,
) -> (Option<SocketAddr>, Option<SocketAddr>, Latching) {
    let (mut rtp, mut rtcp) = (medium.rtp_to(), medium.rtcp_to());
    let known = if options.asymmetric { Latching::Asymmetric } else { Latching::SameAddress };
    if let Some(source) = options.received_from.filter(|_| options.sip_source_address) {
        rtp = rtp.map(|addr| SocketAddr::new(source, addr.port()));
        rtcp = rtcp.map(|addr| SocketAddr::new(source, addr.port()));
        return (rtp, rtcp, known);
    }
    let elsewhere = options.received_from.is_some_and(|source| source != medium.address);
    let sends = medium.direction().sends_receives().0;
    let behind = elsewhere && sends && is_private(medium.address) && !options.asymmetric;
    let latching = if behind { Latching::Any } else { known };
    (rtp, rtcp, latching)
}

/// Addresses that are not reached from elsewhere: RFC 1918, RFC 6598, link-local, unique local.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || a == 100 && (64..128).contains(&b)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// A direction as our description shows it, as the plane names it.
pub(super) const fn direction(ours: Way) -> Direction {
    match ours {
        Way::SendRecv => Direction::SendRecv,
        Way::SendOnly => Direction::SendOnly,
        Way::RecvOnly => Direction::RecvOnly,
        Way::Inactive => Direction::Inactive,
    }
}
