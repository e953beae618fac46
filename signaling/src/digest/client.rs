//! Who we are: digest access authentication as the client does it (RFC 7616; in SIP RFC 3261 §22, RFC 8760). Pure.
//!
//! One [`SignIn`] for each account at a carrier. It keeps the last challenge, so that further requests carry credentials from
//! the start and only a stale nonce costs another turn; and it knows when to stop: who is challenged again after a right answer
//! to a fresh nonce has a wrong password, and asking on would only close the account.

use super::Algorithm;
use super::authorization::{of_digest, parameters};

/// Most turns of one request: a proxy and a server may each ask, and a nonce may be stale.
pub const TURNS_MAX: u8 = 4;

/// Who asks for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// 401: whoever is called.
    Server,
    /// 407: a proxy on the way.
    Proxy,
}

impl Door {
    const fn of(status: u16) -> Option<Self> {
        match status {
            401 => Some(Self::Server),
            407 => Some(Self::Proxy),
            _ => None,
        }
    }
    const fn header(self) -> &'static str {
        match self {
            Self::Server => "Authorization",
            Self::Proxy => "Proxy-Authorization",
        }
    }
}

/// The header field with the challenges of a response; `None`: it asks for no credentials.
pub const fn challenges_in(status: u16) -> Option<&'static str> {
    match Door::of(status) {
        Some(Door::Server) => Some("WWW-Authenticate"),
        Some(Door::Proxy) => Some("Proxy-Authenticate"),
        None => None,
    }
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The operator's to mend.
    #[error("the user name or the password is not accepted")]
    Refused,
    /// Neither side can change it quickly.
    #[error("it asks for a kind of sign-in that is not spoken here")]
    Unusable,
}

/// What one request went through so far.
#[derive(Debug, Default)]
pub struct Turns {
    /// The nonces that it carried last, with those who asked for them.
    carried: Vec<(Door, String)>,
    /// Who had a fresh nonce answered.
    answered: Vec<Door>,
    count: u8,
}

/// An account at a carrier, and what it was challenged with last.
pub struct SignIn {
    username: String,
    password: String,
    known: Vec<(Door, Challenge)>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignIn({:?}, hidden)", self.username)
    }
}

struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// Whether the algorithm was named.
    named: bool,
    /// `qop=auth`; without it, as RFC 2069 counted.
    counted: bool,
    stale: bool,
    /// How often the nonce was used.
    uses: u32,
}

impl SignIn {
    /// An account that was not challenged yet.
    pub const fn new(username: String, password: String) -> Self {
        Self { username, password, known: Vec::new() }
    }

    /// Whether it is the account with this name and password.
    pub fn is(&self, username: &str, password: &str) -> bool {
        self.username == username && self.password == password
    }

    /// The header fields that a request carries: none before the first challenge. `cnonce` is a token nobody can guess.
    pub fn credentials(
        &mut self,
        method: &str,
        uri: &str,
        cnonce: &str,
        turns: &mut Turns,
    ) -> Vec<(&'static str, String)> {
        turns.count = turns.count.saturating_add(1);
        turns.carried.clear();
        let (username, password) = (&self.username, &self.password);
        let mut fields = Vec::new();
        for (door, challenge) in &mut self.known {
            turns.carried.push((*door, challenge.nonce.clone()));
            fields.push((door.header(), challenge.answer((username, password), method, uri, cnonce)));
        }
        fields
    }

    /// Takes the challenges of a 401 or 407; then the request goes out once more, with new [`SignIn::credentials`].
    ///
    /// # Errors
    /// The response is the last word. What was known is forgotten, so that the next request begins anew.
    pub fn challenged(
        &mut self,
        status: u16,
        challenges: &[&str],
        turns: &mut Turns,
    ) -> Result<(), SignInError> {
        let door = Door::of(status).ok_or(SignInError::Unusable)?;
        self.known.retain(|(other, _)| *other != door);
        // The first that is spoken here: whoever asks has sorted them (RFC 8760 §2.4).
        let usable = challenges.iter().find_map(|value| Challenge::parse(value));
        let challenge = usable.ok_or(SignInError::Unusable)?;
        let same = turns.carried.iter().any(|(at, nonce)| *at == door && *nonce == challenge.nonce);
        let judged = same || turns.answered.contains(&door);
        if (judged && !challenge.stale) || turns.count >= TURNS_MAX {
            return Err(SignInError::Refused);
        }
        turns.answered.push(door);
        self.known.push((door, challenge));
        Ok(())
    }
}

impl Challenge {
    fn parse(value: &str) -> Option<Self> {
        let parameters = parameters(of_digest(value)?).ok()?;
        let find = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let algorithm = find("algorithm");
        let qop = find("qop").filter(|qop| !qop.is_empty());
        let counted = qop.is_some_and(|qop| qop.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !counted {
            return None;
        }
        Some(Self {
            realm: find("realm")?.to_owned(),
            nonce: find("nonce").filter(|nonce| !nonce.is_empty())?.to_owned(),
            opaque: find("opaque").map(str::to_owned),
            algorithm: algorithm.map_or(Some(Algorithm::Md5), Algorithm::named)?,
            named: algorithm.is_some(),
            counted,
            stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            uses: 0,
        })
    }

    fn answer(&mut self, (user, password): (&str, &str), method: &str, uri: &str, cnonce: &str) -> String {
        self.uses = self.uses.saturating_add(1);
        let (nc, hash) = (format!("{:08x}", self.uses), self.algorithm);
        let ha1 = hash.hex(&[user, ":", &self.realm, ":", password]);
        let ha2 = hash.hex(&[method, ":", uri]);
        let response = match self.counted {
            true => hash.hex(&[&ha1, ":", &self.nonce, ":", &nc, ":", cnonce, ":auth:", &ha2]),
            false => hash.hex(&[&ha1, ":", &self.nonce, ":", &ha2]),
        };
        let (user, realm, nonce) = (escaped(user), escaped(&self.realm), escaped(&self.nonce));
        let mut value = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
        );
        if self.named {
            value.push_str(&format!(", algorithm={}", hash.name()));
        }
        if self.counted {
            value.push_str(&format!(", cnonce=\"{cnonce}\", qop=auth, nc={nc}"));
        }
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{}\"", escaped(opaque)));
        }
        value
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Authorization;

    const URI: &str = "sip:+4930@carrier.example";

    fn ours() -> SignIn {
        SignIn::new("house".into(), "zanzibar".into())
    }
    fn challenge(nonce: &str, more: &str) -> String {
        format!("Digest realm=\"carrier\", nonce=\"{nonce}\", qop=\"auth\"{more}")
    }
    fn carried(sign_in: &mut SignIn, turns: &mut Turns) -> Vec<(&'static str, String)> {
        sign_in.credentials("INVITE", URI, "cn", turns)
    }

    /// The examples of RFC 7616 §3.9.1: the numbers are the document's, not ours.
    #[test]
    fn the_answers_are_those_of_rfc_7616() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let value = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let mut sign_in = SignIn::new("Mufasa".into(), "Circle of Life".into());
            let mut turns = Turns::default();
            sign_in.challenged(401, &[&value], &mut turns).unwrap();
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let fields = sign_in.credentials("GET", "/dir/index.html", cnonce, &mut turns);
            let (name, value) = &fields[0];
            assert_eq!(*name, "Authorization");
            assert!(value.contains(&format!("response=\"{response}\"")), "{value}");
            assert!(value.contains("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), "{value}");
            assert_eq!(Authorization::parse(value).unwrap().nc, 1, "what we write, we would take");
        }
    }

    #[test]
    fn a_challenge_without_qop_is_answered_as_rfc_2069_did() {
        let (mut sign_in, mut turns) = (ours(), Turns::default());
        sign_in.challenged(401, &["Digest realm=\"r\",nonce=\"n\""], &mut turns).unwrap();
        let value = carried(&mut sign_in, &mut turns).remove(0).1;
        let md5 = Algorithm::Md5;
        let (ha1, ha2) = (md5.hex(&["house:r:zanzibar"]), md5.hex(&["INVITE:", URI]));
        assert!(value.contains(&md5.hex(&[&ha1, ":n:", &ha2])), "{value}");
        assert!(!value.contains("nc=") && !value.contains("algorithm="), "{value}");
    }

    #[test]
    fn the_first_challenge_that_is_spoken_here_is_answered_where_it_was_asked() {
        let (mut sign_in, mut turns) = (ours(), Turns::default());
        assert_eq!(carried(&mut sign_in, &mut turns), [], "nothing before somebody asks");
        let (foreign, ours_512) = ("Basic realm=\"x\"", challenge("a", ", algorithm=SHA-512-256"));
        let (sess, md5) = (challenge("b", ", algorithm=MD5-sess"), challenge("c", ""));
        sign_in.challenged(407, &[foreign, &sess, &ours_512, &md5], &mut turns).unwrap();
        let fields = carried(&mut sign_in, &mut turns);
        assert_eq!(fields[0].0, "Proxy-Authorization");
        assert!(fields[0].1.contains("algorithm=SHA-512-256"), "{fields:?}");
        sign_in.challenged(401, &[&md5], &mut turns).unwrap();
        assert_eq!(carried(&mut sign_in, &mut turns).len(), 2, "proxy and server each have their own");
        assert_eq!(sign_in.challenged(401, &[foreign], &mut Turns::default()), Err(SignInError::Unusable));
    }

    #[test]
    fn a_nonce_is_used_again_and_counted() {
        let (mut sign_in, mut turns) = (ours(), Turns::default());
        sign_in.challenged(401, &[&challenge("a", "")], &mut turns).unwrap();
        for nc in ["nc=00000001", "nc=00000002"] {
            let value = carried(&mut sign_in, &mut Turns::default()).remove(0).1;
            assert!(value.contains(nc), "{value}");
        }
    }

    #[test]
    fn a_wrong_password_is_tried_once() {
        let (mut sign_in, mut turns) = (ours(), Turns::default());
        carried(&mut sign_in, &mut turns);
        sign_in.challenged(401, &[&challenge("a", "")], &mut turns).unwrap();
        carried(&mut sign_in, &mut turns);
        let again = sign_in.challenged(401, &[&challenge("b", "")], &mut turns);
        assert_eq!(again, Err(SignInError::Refused), "a new nonce makes the password no better");
        assert_eq!(carried(&mut sign_in, &mut turns), [], "and it is not offered from the start");
    }

    #[test]
    fn a_stale_nonce_costs_a_turn_but_not_for_ever() {
        let (mut sign_in, mut turns) = (ours(), Turns::default());
        sign_in.challenged(401, &[&challenge("old", "")], &mut Turns::default()).unwrap();
        carried(&mut sign_in, &mut turns);
        let mut told = 0;
        while sign_in.challenged(401, &[&challenge(&format!("n{told}"), ", stale=TRUE")], &mut turns).is_ok()
        {
            carried(&mut sign_in, &mut turns);
            told += 1;
        }
        assert_eq!(told, 3);
    }

    #[test]
    fn a_nonce_that_aged_without_a_word_of_it_is_replaced() {
        let (mut sign_in, mut turns) = (ours(), Turns::default());
        sign_in.challenged(401, &[&challenge("old", "")], &mut Turns::default()).unwrap();
        carried(&mut sign_in, &mut turns);
        assert_eq!(sign_in.challenged(401, &[&challenge("new", "")], &mut turns), Ok(()));
        let mut turns = Turns::default();
        carried(&mut sign_in, &mut turns);
        let same = sign_in.challenged(401, &[&challenge("new", "")], &mut turns);
        assert_eq!(same, Err(SignInError::Refused), "the same nonce, and not stale");
    }
}
