//! Judges a request's credentials.

use std::net::IpAddr;
use std::time::Duration;

use model::time::Timestamp;
use subtle::ConstantTimeEq as _;

use super::authorization::{Authorization, BadAuthorization};
use super::backoff::Backoff;
use super::nonce::{NONCES_MAX, Nonces, Standing};
use super::{Algorithm, Secrets};

/// Judges credentials for one realm.
pub struct DigestServer {
    realm: String,
    algorithms: Vec<Algorithm>,
    nonces: Nonces,
    backoff: Backoff,
    /// Compared against where there is no user, so that the work is the same.
    nobody: String,
}

/// A request that wants to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its Request-URI, as written.
    pub uri: &'a str,
    /// The values of its `Authorization` (or `Proxy-Authorization`) headers.
    pub authorization: &'a [&'a str],
    /// Where its packet came from.
    pub source: IpAddr,
}

/// What to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It comes from this user.
    Granted {
        /// As the user is named in the store.
        username: String,
    },
    /// Answer 401 with [`DigestServer::challenges`].
    Challenge {
        /// The password was right and only the nonce too old: the client tries again without asking a person.
        stale: bool,
    },
    /// As [`Verdict::Challenge`]: one failure too many, and a pause begins with it.
    Guessed {
        /// The user name that was tried.
        account: String,
        /// How long nothing of this source is looked at, or of others for this account.
        pause: Duration,
    },
    /// Too many failures: answer 403 with `Retry-After`, and look at nothing.
    Paused {
        /// Until it may try again.
        retry_after: Duration,
    },
    /// Answer 400.
    Malformed(&'static str),
}

impl DigestServer {
    /// A server for a realm. `secret` and `nobody` are random and of this run only.
    pub fn new(realm: &str, secret: [u8; 32], nobody: [u8; 32]) -> Self {
        Self::with_capacity(realm, secret, nobody, NONCES_MAX)
    }

    fn with_capacity(realm: &str, secret: [u8; 32], nobody: [u8; 32], nonces: usize) -> Self {
        Self {
            realm: realm.to_owned(),
            // The better one first: a client takes the first that it knows (RFC 8760 §2.3).
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            nonces: Nonces::new(secret, realm.to_owned(), nonces),
            backoff: Backoff::default(),
            nobody: hex::encode(nobody),
        }
    }

    /// The values of the `WWW-Authenticate` headers of a 401, in this order.
    ///
    /// The realm must not hold quotes or backslashes; it is ours, not the network's.
    pub fn challenges(&self, stale: bool, now: Timestamp, random: [u8; 8]) -> Vec<String> {
        let nonce = self.nonces.make(now, random);
        let stale = if stale { ", stale=true" } else { "" };
        let challenge = |algorithm: &Algorithm| {
            let (realm, name) = (&self.realm, algorithm.name());
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}")
        };
        self.algorithms.iter().map(challenge).collect()
    }

    /// Judges a request. `lookup` finds the secrets of a user by name; `None` is answered like a wrong password.
    pub fn judge(
        &mut self,
        attempt: Attempt<'_>,
        lookup: impl FnOnce(&str) -> Option<Secrets>,
        now: Timestamp,
    ) -> Verdict {
        let credentials = match self.credentials(attempt.authorization) {
            Ok(Some(credentials)) => credentials,
            Ok(None) => return Verdict::Challenge { stale: false },
            Err(why) => return Verdict::Malformed(why),
        };
        if let Some(retry_after) = self.backoff.pause(attempt.source, &credentials.username, now) {
            return Verdict::Paused { retry_after };
        }
        // A digest of another request must not open this one (RFC 7616 §3.4.6, RFC 3261 §22.4 item 7).
        if credentials.uri != attempt.uri {
            return Verdict::Malformed("the uri of the credentials is not the Request-URI");
        }
        let secrets = lookup(&credentials.username);
        let ha1 = secrets.as_ref().and_then(|s| s.ha1(credentials.algorithm));
        let expected = credentials.expected(ha1.unwrap_or(&self.nobody), attempt.method);
        let given = credentials.response.to_ascii_lowercase();
        let right = bool::from(expected.as_bytes().ct_eq(given.as_bytes())) & ha1.is_some();
        if !right {
            return match self.backoff.failed(attempt.source, &credentials.username, now) {
                Some(pause) => Verdict::Guessed { account: credentials.username, pause },
                None => Verdict::Challenge { stale: false },
            };
        }
        let usable = match self.nonces.standing(&credentials.nonce, now) {
            Standing::Stale => false,
            // A count that was used is a replay, or a phone that never counts; a new nonce suits both.
            Standing::Fresh(key) => self.nonces.spend(key, credentials.nc, now),
        };
        if !usable {
            return Verdict::Challenge { stale: true };
        }
        self.backoff.succeeded(attempt.source, &credentials.username);
        Verdict::Granted { username: credentials.username }
    }

    /// The credentials for our realm among those of other realms and schemes.
    fn credentials(&self, headers: &[&str]) -> Result<Option<Authorization>, &'static str> {
        for header in headers {
            match Authorization::parse(header) {
                Ok(credentials) if credentials.realm == self.realm => return Ok(Some(credentials)),
                Ok(_) | Err(BadAuthorization::OtherScheme) => {}
                Err(BadAuthorization::Malformed(why)) => return Err(why),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "sip:pbx.example";

    struct Phone {
        server: DigestServer,
        source: IpAddr,
        now: Timestamp,
    }

    impl Phone {
        fn new() -> Self {
            let server = DigestServer::with_capacity("pbx", [1; 32], [2; 32], 8);
            Self { server, source: IpAddr::from([192, 0, 2, 1]), now: Timestamp::from_millis(1_000_000) }
        }
        fn pass(&mut self, seconds: u64) {
            self.now = self.now + Duration::from_secs(seconds);
        }
        fn nonce(&self) -> String {
            let challenge = self.server.challenges(false, self.now, [9; 8]).remove(0);
            challenge.split('"').nth(3).unwrap().to_owned()
        }
        fn header(&self, user: &str, password: &str, algorithm: Algorithm, nonce: &str, nc: u32) -> String {
            let ha1 = algorithm.hex(&[user, ":pbx:", password]);
            let ha2 = algorithm.hex(&["REGISTER:", URI]);
            let nc = format!("{nc:08x}");
            let response = algorithm.hex(&[&ha1, ":", nonce, ":", &nc, ":cn:auth:", &ha2]);
            format!(
                "Digest username=\"{user}\",realm=\"pbx\",nonce=\"{nonce}\",uri=\"{URI}\",response=\"{response}\",\
                 algorithm={},cnonce=\"cn\",qop=auth,nc={nc}",
                algorithm.name()
            )
        }
        fn send(&mut self, header: &str) -> Verdict {
            let authorization: &[&str] = if header.is_empty() { &[] } else { &[header] };
            let attempt = Attempt { method: "REGISTER", uri: URI, authorization, source: self.source };
            let bob = |user: &str| (user == "bob").then(|| Secrets::of("bob", "pbx", "zanzibar"));
            self.server.judge(attempt, bob, self.now)
        }
        fn tries(&mut self, user: &str, password: &str) -> Verdict {
            let nonce = self.nonce();
            let header = self.header(user, password, Algorithm::Sha256, &nonce, 1);
            self.send(&header)
        }
    }

    const CHALLENGE: Verdict = Verdict::Challenge { stale: false };
    const STALE: Verdict = Verdict::Challenge { stale: true };

    fn granted() -> Verdict {
        Verdict::Granted { username: "bob".into() }
    }

    /// The example of RFC 7616 §3.9.1, both algorithms: the numbers are the document's, not ours.
    #[test]
    fn the_digests_are_those_of_rfc_7616() {
        for (algorithm, response) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let header = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
                 algorithm={}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\"",
                algorithm.name()
            );
            let read = Authorization::parse(&header).unwrap();
            let secrets = Secrets::of("Mufasa", "http-auth@example.org", "Circle of Life");
            assert_eq!(read.expected(secrets.ha1(algorithm).unwrap(), "GET"), response);
        }
    }

    #[test]
    fn a_request_without_credentials_is_challenged_with_sha_256_first() {
        let mut phone = Phone::new();
        assert_eq!(phone.send(""), CHALLENGE);
        assert_eq!(phone.send("NoOneKnowsThisScheme opaque-data=here"), CHALLENGE, "RFC 4475 §3.3.7");
        let challenges = phone.server.challenges(true, phone.now, [0; 8]);
        assert!(challenges[0].contains("algorithm=SHA-256, qop=\"auth\", stale=true"), "{challenges:?}");
        assert!(challenges[1].contains("algorithm=MD5"));
    }

    #[test]
    fn the_right_password_lets_in_by_either_algorithm_and_each_count_once() {
        let mut phone = Phone::new();
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            phone.pass(1);
            let nonce = phone.nonce();
            for nc in 1..4 {
                let header = phone.header("bob", "zanzibar", algorithm, &nonce, nc);
                assert_eq!(phone.send(&header), granted());
                assert_eq!(phone.send(&header), STALE, "sent again by somebody who listened");
            }
        }
    }

    #[test]
    fn an_old_nonce_is_stale_only_for_who_knows_the_password() {
        let mut phone = Phone::new();
        let nonce = phone.nonce();
        phone.pass(301);
        let right = phone.header("bob", "zanzibar", Algorithm::Md5, &nonce, 1);
        assert_eq!(phone.send(&right), STALE);
        let wrong = phone.header("bob", "guess", Algorithm::Md5, &nonce, 1);
        assert_eq!(phone.send(&wrong), CHALLENGE);
    }

    #[test]
    fn unknown_users_and_wrong_passwords_look_alike_to_the_very_pause() {
        let (mut known, mut unknown) = (Phone::new(), Phone::new());
        for _ in 0..12 {
            let of_unknown = match unknown.tries("eve", "guess") {
                Verdict::Guessed { account, pause } if account == "eve" => {
                    Verdict::Guessed { account: "bob".to_owned(), pause }
                }
                other => other,
            };
            assert_eq!(known.tries("bob", "guess"), of_unknown);
        }
        assert_eq!(known.tries("bob", "guess"), Verdict::Paused { retry_after: Duration::from_secs(60) });
        assert_eq!(unknown.tries("eve", "guess"), known.tries("bob", "zanzibar"), "nothing is looked at now");
        known.pass(60);
        assert_eq!(known.tries("bob", "zanzibar"), granted());
    }

    #[test]
    fn a_user_without_a_hash_for_the_algorithm_is_like_an_unknown_one() {
        let mut phone = Phone::new();
        let nonce = phone.nonce();
        let header = phone.header("bob", "zanzibar", Algorithm::Md5, &nonce, 1);
        let attempt =
            Attempt { method: "REGISTER", uri: URI, authorization: &[&header], source: phone.source };
        let only_sha256 = |_: &str| Some(Secrets { md5: None, ..Secrets::of("bob", "pbx", "zanzibar") });
        assert_eq!(phone.server.judge(attempt, only_sha256, phone.now), CHALLENGE);
    }

    #[test]
    fn credentials_open_only_the_request_they_were_made_for() {
        let mut phone = Phone::new();
        let header = phone.header("bob", "zanzibar", Algorithm::Md5, &phone.nonce(), 1);
        let bob = |_: &str| Some(Secrets::of("bob", "pbx", "zanzibar"));
        let mut attempt =
            Attempt { method: "INVITE", uri: URI, authorization: &[&header], source: phone.source };
        assert_eq!(phone.server.judge(attempt, bob, phone.now), CHALLENGE, "another method");
        attempt.method = "REGISTER";
        attempt.uri = "sip:other.example";
        assert!(matches!(phone.server.judge(attempt, bob, phone.now), Verdict::Malformed(_)));
        let other_realm = header.replace("realm=\"pbx\"", "realm=\"else\"");
        assert_eq!(phone.send(&other_realm), CHALLENGE);
        assert_eq!(phone.send(&header), granted(), "none of this spent the nonce");
    }
}
