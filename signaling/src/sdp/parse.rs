//! Reads session descriptions (RFC 8866), strictly where a mistake could mean something else, and with bounds.
//!
//! Lines end in CRLF or, as §5 advises to accept, in LF alone. Lines of types we do not use are checked for their form
//! (`x=`) and skipped. An error names the line, because that is what the person at the far end needs.

use std::net::IpAddr;

use super::description::{Attribute, Connection, Host, Media, Origin, Sdp};

/// Longest description that is read.
pub const BYTES_MAX: usize = 16 * 1024;
/// Most media lines.
pub const MEDIA_MAX: usize = 10;
/// Most `a=candidate` lines, all media lines together.
pub const CANDIDATES_MAX: usize = 64;
/// Most formats of one media line.
pub const FORMATS_MAX: usize = 64;

/// A description that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SDP line {line}: {why}")]
pub struct ParseError {
    /// Counted from 1; 0 when the whole is meant.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Sdp {
    /// Reads a description.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > BYTES_MAX {
            return Err(ParseError { line: 0, why: "longer than 16 KiB" });
        }
        let mut reader = Reader::default();
        let mut rest = bytes;
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let end = rest.iter().position(|&b| b == b'\n');
            let (line, after) = match end {
                Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default()),
                None => (rest, [].as_slice()),
            };
            rest = after;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // Some phones end the body with an empty line.
            if line.is_empty() && rest.is_empty() {
                break;
            }
            reader.line(line).map_err(|why| ParseError { line: number, why })?;
        }
        reader.finish().map_err(|why| ParseError { line: number, why })
    }
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    version_seen: bool,
    origin: Option<Origin>,
    name: Option<String>,
    connection: Option<Connection>,
    attributes: Vec<Attribute>,
    media: Vec<Media>,
    candidates: usize,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let [kind, b'=', value @ ..] = line else { return Err("not of the form `x=value`") };
        if value.iter().any(|b| matches!(b, 0 | b'\r')) {
            return Err("a NUL or a lone CR");
        }
        if !self.version_seen && *kind != b'v' {
            return Err("the first line must be `v=0`");
        }
        match kind {
            b'v' if self.version_seen => Err("a second `v=`"),
            b'v' if value == b"0" => {
                self.version_seen = true;
                Ok(())
            }
            b'v' => Err("a version other than 0"),
            b'o' if self.origin.is_some() || !self.media.is_empty() => Err("`o=` out of place"),
            b'o' => {
                self.origin = Some(origin(utf8(value)?)?);
                Ok(())
            }
            b's' if self.name.is_some() || !self.media.is_empty() => Err("`s=` out of place"),
            // The one text that people write; old phones do so in Latin-1.
            b's' => {
                self.name = Some(String::from_utf8_lossy(value).into_owned());
                Ok(())
            }
            b'm' => self.media_line(utf8(value)?),
            b'c' => self.connection_line(utf8(value)?),
            b'a' => self.attribute_line(utf8(value)?),
            b'a'..=b'z' => Ok(()),
            _ => Err("a type that is not a lower-case letter"),
        }
    }

    fn media_line(&mut self, value: &str) -> Result<(), &'static str> {
        if self.media.len() == MEDIA_MAX {
            return Err("more than 10 media lines");
        }
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let kind = words.next().filter(|word| is_token(word)).ok_or("a media type that is not a token")?;
        let port = words.next().ok_or("no port")?;
        // `port/count` belongs to layered codings over several ports (§5.14); we use the first.
        let port = match port.split_once('/') {
            None => number(port)?,
            Some((first, count)) if number::<u16>(count)? > 0 => number(first)?,
            Some(_) => return Err("a port count of 0"),
        };
        let protocol = words.next().ok_or("no transport")?;
        if !protocol.split('/').all(is_token) {
            return Err("a transport that is not made of tokens");
        }
        let formats: Vec<String> = words.map(str::to_owned).collect();
        match formats.len() {
            0 => return Err("no format"),
            n if n > FORMATS_MAX => return Err("more than 64 formats"),
            _ => {}
        }
        if !formats.iter().all(|format| is_token(format)) {
            return Err("a format that is not a token");
        }
        self.media.push(Media {
            kind: kind.to_owned(),
            port,
            protocol: protocol.to_owned(),
            formats,
            connection: None,
            attributes: Vec::new(),
        });
        Ok(())
    }

    fn connection_line(&mut self, value: &str) -> Result<(), &'static str> {
        let place = match self.media.last_mut() {
            Some(media) => &mut media.connection,
            None => &mut self.connection,
        };
        // A media line may have several for layered multicast (§5.7); the first is the base.
        if place.is_none() {
            *place = Some(Connection { address: connection_host(value)? });
        }
        Ok(())
    }

    fn attribute_line(&mut self, value: &str) -> Result<(), &'static str> {
        let (name, value) = match value.split_once(':') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (value.trim_end(), None),
        };
        if !is_token(name) {
            return Err("an attribute name that is not a token");
        }
        if name == "candidate" {
            self.candidates += 1;
            if self.candidates > CANDIDATES_MAX {
                return Err("more than 64 candidates");
            }
        }
        let attribute = Attribute { name: name.to_owned(), value };
        match self.media.last_mut() {
            Some(media) => media.attributes.push(attribute),
            None => self.attributes.push(attribute),
        }
        Ok(())
    }

    fn finish(self) -> Result<Sdp, &'static str> {
        if !self.version_seen {
            return Err("empty");
        }
        Ok(Sdp {
            origin: self.origin.ok_or("no `o=`")?,
            // `s=` and `t=` are mandatory too, but nothing we do hangs on them and some phones leave them out.
            name: self.name.unwrap_or_else(|| "-".to_owned()),
            connection: self.connection,
            attributes: self.attributes,
            media: self.media,
        })
    }
}

fn origin(value: &str) -> Result<Origin, &'static str> {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    let mut next = || words.next().ok_or("`o=` with fewer than six fields");
    let username = next()?.to_owned();
    let (session, version) = (number(next()?)?, number(next()?)?);
    let (net, family, address) = (next()?, next()?, next()?);
    Ok(Origin { username, session, version, address: host(net, family, address)? })
}

fn connection_host(value: &str) -> Result<Host, &'static str> {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    let mut next = || words.next().ok_or("an address with fewer than three fields");
    let (net, family, address) = (next()?, next()?, next()?);
    // `/ttl` and `/count` follow multicast addresses only, which no call uses; see `Sdp::address_of`.
    host(net, family, address.split('/').next().unwrap_or(address))
}

/// Reads `IN IP4 192.0.2.1`, given as its three words.
pub(super) fn host(net: &str, family: &str, address: &str) -> Result<Host, &'static str> {
    if net != "IN" {
        return Err("a network type other than IN");
    }
    let v6 = match family {
        "IP4" => false,
        "IP6" => true,
        _ => return Err("an address type other than IP4 and IP6"),
    };
    match address.parse::<IpAddr>() {
        Ok(ip) if ip.is_ipv6() == v6 => Ok(Host::Ip(ip)),
        Ok(_) => Err("an address of the other family than its type says"),
        Err(_) if is_host_name(address) => Ok(Host::Name { v6, name: address.to_owned() }),
        Err(_) => Err("neither an address nor a host name"),
    }
}

/// Decimal digits only: no sign, no blanks.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err("not a number");
    }
    text.parse().map_err(|_| "a number that is too large")
}

/// A token of RFC 8866 §9.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| {
            matches!(b, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'~')
        })
}

fn is_host_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && !text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

fn utf8(value: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(value).map_err(|_| "text that is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> (usize, &'static str) {
        let error = Sdp::parse(text.as_bytes()).unwrap_err();
        (error.line, error.why)
    }

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    #[test]
    fn a_plain_description_is_read_and_printed_back() {
        let text = format!("{HEAD}m=audio 4000 RTP/AVP 0 8\r\na=ptime:20\r\na=sendrecv\r\n");
        let sdp = Sdp::parse(text.as_bytes()).unwrap();
        assert_eq!(sdp.media[0].formats, ["0", "8"]);
        assert_eq!(sdp.to_string(), text);
    }

    #[test]
    fn lines_may_end_in_lf_alone_and_the_last_one_in_nothing() {
        let sdp = Sdp::parse(b"v=0\no=- 1 1 IN IP6 ::1\ns=call\nt=0 0\nm=audio 9 RTP/AVP 0").unwrap();
        assert_eq!((sdp.name.as_str(), sdp.media[0].port), ("call", 9));
    }

    #[test]
    fn an_error_names_its_line() {
        assert_eq!(why("o=- 1 1 IN IP4 192.0.2.1\r\n").0, 1);
        assert_eq!(why(&format!("{HEAD}m=audio 70000 RTP/AVP 0\r\n")), (6, "a number that is too large"));
        assert_eq!(why(&format!("{HEAD}m=audio 4000 RTP/AVP\r\n")), (6, "no format"));
        assert_eq!(why(&format!("{HEAD}\r\nm=audio 4000 RTP/AVP 0\r\n")), (6, "not of the form `x=value`"));
        assert_eq!(why("v=0\r\ns=-\r\n"), (2, "no `o=`"));
        assert_eq!(why("v=1\r\n"), (1, "a version other than 0"));
        assert_eq!(
            why("v=0\r\no=- 1 1 IN IP4 ::1\r\n").1,
            "an address of the other family than its type says"
        );
        assert_eq!(why("v=0\r\no=- 1 1 IN IP4 300.1.1.1\r\n").1, "neither an address nor a host name");
        assert_eq!(why("v=0\r\no=- -1 1 IN IP4 1.1.1.1\r\n").1, "not a number");
    }

    #[test]
    fn lines_we_do_not_use_are_read_over_and_not_written() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\ni=talk\r\nu=http://x\r\ne=a@b\r\np=1\r\nb=AS:64\r\n\
                    t=0 0\r\nr=1 2 3\r\nz=0 0\r\nk=clear:x\r\nm=audio 4000 RTP/AVP 0\r\ni=voice\r\nb=AS:64\r\n";
        let printed = Sdp::parse(text.as_bytes()).unwrap().to_string();
        assert!(printed.lines().all(|line| "vostm".contains(&line[..1])), "{printed}");
    }

    #[test]
    fn every_list_has_its_bound() {
        let eleven = HEAD.to_owned() + &"m=audio 4000 RTP/AVP 0\r\n".repeat(11);
        assert_eq!(why(&eleven), (16, "more than 10 media lines"));
        let formats = format!("{HEAD}m=audio 4000 RTP/AVP{}\r\n", " 0".repeat(65));
        assert_eq!(why(&formats), (6, "more than 64 formats"));
        let candidates = format!("{HEAD}m=audio 9 RTP/AVP 0\r\n") + &"a=candidate:1\r\n".repeat(65);
        assert_eq!(why(&candidates), (71, "more than 64 candidates"));
        let long = HEAD.to_owned() + "a=x:" + &"y".repeat(BYTES_MAX);
        assert_eq!(why(&long), (0, "longer than 16 KiB"));
    }
}
