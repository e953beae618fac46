//! Reads an `Authorization` header (RFC 7616 §3.4) strictly: what is not exactly right is a failed attempt.

use super::Algorithm;

/// Longest header value that is read.
const BYTES_MAX: usize = 4_096;
/// Most parameters.
const PARAMETERS_MAX: usize = 32;

/// The parameters of a digest response.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Who it claims to be.
    pub username: String,
    /// Realm of the challenge it answers.
    pub realm: String,
    /// Nonce of that challenge.
    pub nonce: String,
    /// The URI that was hashed.
    pub uri: String,
    /// The digest, in hex.
    pub response: String,
    /// The hash; MD5 where none is named.
    pub algorithm: Algorithm,
    /// The client's nonce.
    pub cnonce: String,
    /// Nonce count as written, eight hex digits: it is hashed as text.
    pub nc_text: String,
    /// Nonce count, from 1.
    pub nc: u32,
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Authorization({:?} in {:?}, {:?}, nc {})",
            self.username, self.realm, self.algorithm, self.nc
        )
    }
}

/// Why an `Authorization` header is no answer to our challenge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAuthorization {
    /// Another scheme: as if there were no header, so that the client is challenged (RFC 4475 §3.3.7).
    #[error("not the Digest scheme")]
    OtherScheme,
    /// Broken or incomplete: 400.
    #[error("bad digest credentials: {0}")]
    Malformed(&'static str),
}

impl Authorization {
    /// Reads the value of the header.
    pub fn parse(value: &str) -> Result<Self, BadAuthorization> {
        use BadAuthorization::Malformed;
        let rest = of_digest(value).ok_or(BadAuthorization::OtherScheme)?;
        let parameters = parameters(rest).map_err(Malformed)?;
        let find = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let need = |name: &str, why| find(name).filter(|v| !v.is_empty()).ok_or(Malformed(why));
        let algorithm = match find("algorithm") {
            None => Algorithm::Md5,
            Some(name) => Algorithm::named(&name)
                .filter(|algorithm| *algorithm != Algorithm::Sha512_256)
                .ok_or(Malformed("an algorithm that was not offered"))?,
        };
        if !need("qop", "no qop")?.eq_ignore_ascii_case("auth") {
            return Err(Malformed("a qop that was not offered"));
        }
        let nc_text = need("nc", "no nc")?;
        let hex8 = nc_text.len() == 8 && nc_text.bytes().all(|b| b.is_ascii_hexdigit());
        let nc = u32::from_str_radix(&nc_text, 16).ok().filter(|nc| hex8 && *nc > 0);
        Ok(Self {
            username: need("username", "no username")?,
            realm: need("realm", "no realm")?,
            nonce: need("nonce", "no nonce")?,
            uri: need("uri", "no uri")?,
            response: need("response", "no response")?,
            algorithm,
            cnonce: need("cnonce", "no cnonce")?,
            nc: nc.ok_or(Malformed("nc must be eight hex digits above zero"))?,
            nc_text,
        })
    }

    /// The digest that a user with this secret would have sent (RFC 7616 §3.4.1).
    pub(super) fn expected(&self, ha1: &str, method: &str) -> String {
        let ha2 = self.algorithm.hex(&[method, ":", &self.uri]);
        let parts = [ha1, ":", &self.nonce, ":", &self.nc_text, ":", &self.cnonce, ":auth:", &ha2];
        self.algorithm.hex(&parts)
    }
}

/// What follows the name of the Digest scheme in a challenge or an answer; `None`: another scheme.
pub(super) fn of_digest(value: &str) -> Option<&str> {
    let value = value.trim();
    let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("Digest").then_some(rest)
}

/// `name=value` pairs between commas; values are tokens or quoted strings. Names come in lower case, each once.
pub(super) fn parameters(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    if text.len() > BYTES_MAX {
        return Err("too long");
    }
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or("a parameter without `=`")?;
        let name = name.trim().to_ascii_lowercase();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            return Err("a parameter name that is not a token");
        }
        if found.iter().any(|(n, _)| *n == name) {
            return Err("a parameter twice");
        }
        if found.len() == PARAMETERS_MAX {
            return Err("too many parameters");
        }
        let (value, after) = value(after.trim_start_matches([' ', '\t']))?;
        found.push((name, value));
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return Err("something between a value and the comma");
        }
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    Ok(found)
}

/// A value and what follows it.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return if value.contains('"') { Err("a stray quote") } else { Ok((value.to_owned(), rest)) };
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, quoted.get(at + 1..).unwrap_or_default())),
            '\\' => value.push(chars.next().ok_or("an unfinished quoted string")?.1),
            c if c.is_control() => return Err("a control character"),
            c => value.push(c),
        }
    }
    Err("an unfinished quoted string")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Digest username=\"bob\", realm=\"x\", nonce=\"abc\", uri=\"sip:x\", response=\"00\", \
                        algorithm=SHA-256, cnonce=\"c\", qop=auth, nc=00000001";

    #[test]
    fn a_whole_header_is_read() {
        let read = Authorization::parse(GOOD).unwrap();
        assert_eq!((read.username.as_str(), read.algorithm, read.nc), ("bob", Algorithm::Sha256, 1));
        let escaped = Authorization::parse(&GOOD.replace("\"bob\"", "\"b\\\"o,b\"")).unwrap();
        assert_eq!(escaped.username, "b\"o,b");
    }

    #[test]
    fn another_scheme_is_as_good_as_none() {
        assert_eq!(
            Authorization::parse("NoOneKnowsThisScheme opaque-data=here"),
            Err(BadAuthorization::OtherScheme)
        );
        assert_eq!(Authorization::parse(""), Err(BadAuthorization::OtherScheme));
    }

    #[test]
    fn anything_missing_doubled_or_odd_is_malformed() {
        for name in ["username", "realm", "nonce", "uri", "response", "cnonce", "qop", "nc"] {
            let without = GOOD.replace(&format!("{name}="), &format!("x-{name}="));
            // "nonce=" is also the end of "cnonce=": either way one of them is gone.
            assert!(
                matches!(Authorization::parse(&without), Err(BadAuthorization::Malformed(_))),
                "{without}"
            );
        }
        for (from, to) in [
            ("nc=00000001", "nc=1"),
            ("nc=00000001", "nc=00000000"),
            ("nc=00000001", "nc=+0000001"),
            ("qop=auth", "qop=auth-int"),
            ("SHA-256", "SHA-256-sess"),
            ("qop=auth", "qop=auth, nonce=\"z\""),
            ("\"bob\"", "\"bob"),
            ("\"bob\"", "\"bob\" x"),
            ("\"bob\"", "bo\"b"),
            ("\"bob\"", "\"bo\u{7}b\""),
            ("\"bob\"", ""),
        ] {
            let bad = GOOD.replace(from, to);
            assert!(matches!(Authorization::parse(&bad), Err(BadAuthorization::Malformed(_))), "{bad}");
        }
        assert!(Authorization::parse(&("Digest ".to_owned() + &"a".repeat(5_000))).is_err());
    }
}
