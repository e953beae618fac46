//! Typed views of the `a=` lines that a call uses. A view of a line that is malformed says so by being absent:
//! an attribute nobody understands must not end a call (RFC 8866 §5.13), so what it would have allowed is not done.

use std::net::{IpAddr, SocketAddr};

use media::control::Direction;

use super::description::{Host, Media, Sdp};
use super::parse::{host, is_token, number};

/// `a=rtpmap`: what a payload type means (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload_type: u8,
    /// Encoding name, as written; names are compared without case.
    pub encoding: String,
    /// RTP clock.
    pub clock_hz: u32,
    /// Channels, 1 unless said.
    pub channels: u8,
}

/// `a=setup`: who opens the DTLS handshake (RFC 4145 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The writer opens it.
    Active,
    /// The reader opens it.
    Passive,
    /// The reader chooses; only in offers.
    ActPass,
    /// Not now.
    HoldConn,
}

/// `a=candidate` (RFC 8839 §5.1), as far as an ICE-lite agent cares: it answers checks and never starts one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// 1: RTP, 2: RTCP.
    pub component: u16,
    /// `udp` or `tcp`, in lower case.
    pub transport: String,
    /// As 5.1.2 of RFC 8445 computes it.
    pub priority: u32,
    /// An address, or a name such as browsers make for mDNS.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `host`, `srflx`, `prflx`, `relay`.
    pub kind: String,
}

impl Sdp {
    /// The value of a session-level attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }
    /// Whether a flag or a value of this name stands at session level.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|a| a.name == name)
    }
    /// The value of an attribute that may stand at the media line or, for all of them, at session level.
    pub fn inherited<'a>(&'a self, media: &'a Media, name: &str) -> Option<&'a str> {
        media.attribute(name).or_else(|| self.attribute(name))
    }
    /// The direction a media line has, seen from the one who wrote it. `sendrecv` unless said (RFC 8866 §6.7).
    pub fn direction_of(&self, media: &Media) -> Direction {
        let among = |attributes: &[super::Attribute]| {
            attributes.iter().find_map(|a| match a.name.as_str() {
                "sendrecv" => Some(Direction::SendRecv),
                "sendonly" => Some(Direction::SendOnly),
                "recvonly" => Some(Direction::RecvOnly),
                "inactive" => Some(Direction::Inactive),
                _ => None,
            })
        };
        among(&media.attributes).or_else(|| among(&self.attributes)).unwrap_or(Direction::SendRecv)
    }
    /// The `c=` that holds for a media line.
    pub fn host_of<'a>(&'a self, media: &'a Media) -> Option<&'a Host> {
        media.connection.as_ref().or(self.connection.as_ref()).map(|c| &c.address)
    }
    /// The address and port to which a media line wants its packets; `None` without one that packets could go to.
    pub fn address_of(&self, media: &Media) -> Option<SocketAddr> {
        let ip = self.host_of(media)?.ip()?;
        (media.port != 0 && !ip.is_multicast()).then(|| SocketAddr::new(ip, media.port))
    }
    /// The hold of RFC 2543: `c=` names no address at all. Seen from old gateways and some phones (RFC 3264 §8.4).
    pub fn has_null_address(&self, media: &Media) -> bool {
        self.host_of(media).and_then(Host::ip).is_some_and(|ip| ip.is_unspecified())
    }
    /// The `a=mid` tags of the first BUNDLE group (RFC 8843 §7).
    pub fn bundle(&self) -> Vec<&str> {
        self.attributes
            .iter()
            .filter(|a| a.name == "group")
            .filter_map(|a| a.value.as_deref()?.strip_prefix("BUNDLE "))
            .map(|tags| tags.split_ascii_whitespace().collect())
            .next()
            .unwrap_or_default()
    }
    /// The SHA-256 fingerprint, in upper case with its hash name. Weaker hashes are not believed (RFC 8122 §5).
    pub fn fingerprint_of(&self, media: &Media) -> Option<String> {
        let at_media = media.attributes("fingerprint").find_map(fingerprint);
        at_media.or_else(|| {
            self.attributes
                .iter()
                .filter(|a| a.name == "fingerprint")
                .find_map(|a| fingerprint(a.value.as_deref()?))
        })
    }
    /// `a=setup` of a media line.
    pub fn setup_of(&self, media: &Media) -> Option<Setup> {
        match self.inherited(media, "setup")?.trim() {
            "active" => Some(Setup::Active),
            "passive" => Some(Setup::Passive),
            "actpass" => Some(Setup::ActPass),
            "holdconn" => Some(Setup::HoldConn),
            _ => None,
        }
    }
    /// `a=ice-ufrag` and `a=ice-pwd`, when both keep the lengths and letters of RFC 8839 §5.4.
    pub fn ice_of<'a>(&'a self, media: &'a Media) -> Option<(&'a str, &'a str)> {
        let ufrag = self.inherited(media, "ice-ufrag")?.trim();
        let pwd = self.inherited(media, "ice-pwd")?.trim();
        let ice_chars = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
        ((4..=256).contains(&ufrag.len())
            && (22..=256).contains(&pwd.len())
            && ice_chars(ufrag)
            && ice_chars(pwd))
        .then_some((ufrag, pwd))
    }
    /// Whether the far end is ICE-lite.
    pub fn is_ice_lite(&self) -> bool {
        self.has("ice-lite")
    }
}

impl Media {
    /// The value of the first attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }
    /// The values of all attributes of this name.
    pub fn attributes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |a| a.name == name).filter_map(|a| a.value.as_deref())
    }
    /// Whether a flag or a value of this name stands here.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|a| a.name == name)
    }
    /// The payload types of the `m=` line in the writer's order of preference.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|f| number::<u8>(f).ok()).filter(|pt| *pt < 128)
    }
    /// What a payload type means: its `a=rtpmap`, or the static meaning (RFC 3551 §6) of the types we know.
    pub fn rtp_map(&self, payload_type: u8) -> Option<RtpMap> {
        let fixed = |encoding: &str| RtpMap {
            payload_type,
            encoding: encoding.to_owned(),
            clock_hz: 8_000,
            channels: 1,
        };
        self.attributes("rtpmap").filter_map(rtp_map).find(|map| map.payload_type == payload_type).or(
            match payload_type {
                0 => Some(fixed("PCMU")),
                8 => Some(fixed("PCMA")),
                9 => Some(fixed("G722")),
                13 => Some(fixed("CN")),
                18 => Some(fixed("G729")),
                _ => None,
            },
        )
    }
    /// The parameters of a payload type, split at semicolons; names in lower case.
    pub fn format_parameters(&self, payload_type: u8) -> Vec<(String, String)> {
        self.attributes("fmtp")
            .filter_map(|value| value.split_once(' '))
            .find(|(pt, _)| number::<u8>(pt) == Ok(payload_type))
            .map(|(_, parameters)| {
                let pair = |p: &str| {
                    let (name, value) = p.split_once('=').unwrap_or((p, ""));
                    (name.trim().to_ascii_lowercase(), value.trim().to_owned())
                };
                parameters.split(';').map(pair).filter(|(name, _)| !name.is_empty()).collect()
            })
            .unwrap_or_default()
    }
    /// `a=ptime` in milliseconds.
    pub fn ptime_ms(&self) -> Option<u32> {
        number(self.attribute("ptime")?.trim()).ok()
    }
    /// `a=maxptime` in milliseconds.
    pub fn maxptime_ms(&self) -> Option<u32> {
        number(self.attribute("maxptime")?.trim()).ok()
    }
    /// `a=rtcp`: a port other than the next, on the same or another address (RFC 3605 §2.1).
    pub fn rtcp(&self) -> Option<(u16, Option<IpAddr>)> {
        let mut words = self.attribute("rtcp")?.split_ascii_whitespace();
        let port = number(words.next()?).ok().filter(|port| *port != 0)?;
        match (words.next(), words.next(), words.next()) {
            (None, _, _) => Some((port, None)),
            (Some(net), Some(family), Some(address)) => {
                Some((port, Some(host(net, family, address).ok()?.ip()?)))
            }
            _ => None,
        }
    }
    /// `a=mid` (RFC 5888 §4).
    pub fn mid(&self) -> Option<&str> {
        self.attribute("mid").map(str::trim).filter(|mid| is_token(mid) && mid.len() <= 64)
    }
    /// The candidates that can be read.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.attributes("candidate").filter_map(candidate)
    }
}

fn find<'a>(attributes: &'a [super::Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|a| a.name == name).and_then(|a| a.value.as_deref())
}

fn rtp_map(value: &str) -> Option<RtpMap> {
    let (payload_type, what) = value.trim().split_once(' ')?;
    let mut parts = what.trim().split('/');
    let encoding = parts.next().filter(|name| is_token(name))?.to_owned();
    let clock_hz = number(parts.next()?).ok().filter(|hz| *hz > 0)?;
    let channels = match parts.next() {
        None => 1,
        Some(channels) => number(channels).ok().filter(|n| *n > 0)?,
    };
    Some(RtpMap {
        payload_type: number(payload_type).ok().filter(|pt| *pt < 128)?,
        encoding,
        clock_hz,
        channels,
    })
}

fn fingerprint(value: &str) -> Option<String> {
    let (hash, hex) = value.trim().split_once(' ')?;
    let octets: Vec<&str> = hex.trim().split(':').collect();
    let well_formed =
        octets.len() == 32 && octets.iter().all(|o| o.len() == 2 && u8::from_str_radix(o, 16).is_ok());
    (hash.eq_ignore_ascii_case("sha-256") && well_formed)
        .then(|| format!("sha-256 {}", hex.trim().to_ascii_uppercase()))
}

fn candidate(value: &str) -> Option<Candidate> {
    let mut words = value.split_ascii_whitespace();
    let _foundation = words.next()?;
    let component = number(words.next()?).ok()?;
    let transport = words.next()?.to_ascii_lowercase();
    let priority = number(words.next()?).ok()?;
    let host = words.next()?.to_owned();
    let port = number(words.next()?).ok()?;
    let kind = (words.next()? == "typ").then(|| words.next())??.to_owned();
    Some(Candidate { component, transport, priority, host, port, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdp(media_lines: &str) -> Sdp {
        let text =
            format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media_lines}");
        Sdp::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn static_payload_types_need_no_rtpmap_but_one_that_is_there_wins() {
        let sdp = sdp("m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 opus/48000/2\r\n");
        let names: Vec<_> = sdp.media[0].payload_types().filter_map(|pt| sdp.media[0].rtp_map(pt)).collect();
        assert_eq!(names.iter().map(|m| m.encoding.as_str()).collect::<Vec<_>>(), ["PCMU", "PCMA", "opus"]);
        assert_eq!((names[2].clock_hz, names[2].channels), (48_000, 2));
    }

    #[test]
    fn a_view_of_a_malformed_line_is_absent() {
        let sdp = sdp("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus\r\na=ptime:fast\r\na=rtcp:0\r\n\
                       a=fingerprint:sha-256 AB:CD\r\na=ice-ufrag:ab\r\na=ice-pwd:short\r\na=setup:maybe\r\n\
                       a=candidate:1 1 udp x 192.0.2.1 4000 typ host\r\na=mid:a b\r\n");
        let m = &sdp.media[0];
        assert_eq!(m.rtp_map(96), None);
        assert_eq!((m.ptime_ms(), m.rtcp(), m.mid()), (None, None, None));
        assert_eq!((sdp.fingerprint_of(m), sdp.ice_of(m), sdp.setup_of(m)), (None, None, None));
        assert_eq!(m.candidates().count(), 0);
    }

    #[test]
    fn a_direction_at_the_media_line_beats_the_one_of_the_session() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=inactive\r\n\
                    m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\na=sendonly\r\n";
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        assert_eq!(sdp.direction_of(&sdp.media[0]), Direction::Inactive);
        assert_eq!(sdp.direction_of(&sdp.media[1]), Direction::SendOnly);
    }

    #[test]
    fn a_candidate_with_an_mdns_name_is_read() {
        let sdp = sdp("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 UDP 2113937151 \
                       9b36eaac-bb2e-49bb-bb78-21c41c499900.local 10004 typ host generation 0\r\n");
        let candidate = sdp.media[0].candidates().next().unwrap();
        assert_eq!(
            (candidate.transport.as_str(), candidate.port, candidate.kind.as_str()),
            ("udp", 10_004, "host")
        );
    }

    #[test]
    fn rtcp_may_live_on_another_port_and_address() {
        let sdp = sdp("m=audio 4000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 126.16.64.4\r\n");
        assert_eq!(sdp.media[0].rtcp(), Some((53_020, Some("126.16.64.4".parse().unwrap()))));
    }
}
