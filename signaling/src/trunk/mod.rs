//! Which trunk a call comes from, whether it has room for it, and what the caller and the dialled number are.
//!
//! A source belongs to a trunk only by an explicit prefix or by digest. Rules that would match half the world are
//! refused when they are set up, because one such rule lets anybody place calls at the operator's cost; an empty list
//! matches nobody.

mod limit;
mod number;
pub mod outage;
mod prefix;
pub mod registration;

pub use limit::{Place, TrunkFull, TrunkPlaces};
pub use number::{Caller, DIGITS_MAX, DISPLAY_MAX, caller, dialled, display_name, number};
pub use prefix::{BadPrefix, Prefix};

use std::collections::HashMap;
use std::net::IpAddr;

use model::id::TrunkId;
use model::service::Trunk;

/// A trunk that cannot be set up as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrunkError {
    /// An address that is no prefix we take.
    #[error("trunk {trunk}: `{text}`: {why}")]
    Address {
        /// The trunk's name.
        trunk: String,
        /// What is written there.
        text: String,
        /// What is wrong with it.
        #[source]
        why: BadPrefix,
    },
    /// Two trunks would answer for one source.
    #[error("trunks {one} and {other} both claim {prefix}")]
    SamePrefix {
        /// A trunk's name.
        one: String,
        /// The other's.
        other: String,
        /// What both name.
        prefix: Prefix,
    },
    /// Two trunks would answer for one user name.
    #[error("trunks {one} and {other} both have the user name {username}")]
    SameUsername {
        /// A trunk's name.
        one: String,
        /// The other's.
        other: String,
        /// What both name.
        username: String,
    },
}

/// Finds the trunk of a request.
#[derive(Clone, Debug, Default)]
pub struct TrunkBook {
    /// Longest prefix first.
    prefixes: Vec<(Prefix, TrunkId)>,
    usernames: HashMap<String, TrunkId>,
}

impl TrunkBook {
    /// Takes the trunks as they are configured.
    ///
    /// # Errors
    /// [`TrunkError`] names what must be changed. Nothing is taken halfway.
    pub fn new<'a>(trunks: impl IntoIterator<Item = &'a Trunk>) -> Result<Self, TrunkError> {
        let mut prefixes: HashMap<Prefix, &Trunk> = HashMap::new();
        let mut usernames: HashMap<&str, &Trunk> = HashMap::new();
        for trunk in trunks {
            for text in &trunk.addresses {
                let prefix: Prefix = text.parse().map_err(|why| TrunkError::Address {
                    trunk: trunk.name.clone(),
                    text: text.clone(),
                    why,
                })?;
                if let Some(other) = prefixes.insert(prefix, trunk).filter(|other| other.id != trunk.id) {
                    let (one, other) = (trunk.name.clone(), other.name.clone());
                    return Err(TrunkError::SamePrefix { one, other, prefix });
                }
            }
            let username = trunk.username.as_deref().filter(|name| !name.is_empty());
            if let Some(name) = username
                && let Some(other) = usernames.insert(name, trunk).filter(|other| other.id != trunk.id)
            {
                let (one, other) = (trunk.name.clone(), other.name.clone());
                return Err(TrunkError::SameUsername { one, other, username: name.to_owned() });
            }
        }
        let mut prefixes: Vec<_> = prefixes.into_iter().map(|(prefix, trunk)| (prefix, trunk.id)).collect();
        prefixes.sort_by_key(|(prefix, _)| (std::cmp::Reverse(prefix.length()), *prefix));
        let usernames = usernames.into_iter().map(|(name, trunk)| (name.to_owned(), trunk.id)).collect();
        Ok(Self { prefixes, usernames })
    }

    /// The trunk to which a source address belongs; of several, the one with the longest prefix.
    pub fn by_source(&self, source: IpAddr) -> Option<TrunkId> {
        self.prefixes.iter().find(|(prefix, _)| prefix.holds(source)).map(|(_, trunk)| *trunk)
    }

    /// The trunk of a user name that digest has proven.
    pub fn by_username(&self, username: &str) -> Option<TrunkId> {
        self.usernames.get(username).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{Id as _, TenantId};
    use model::service::SrtpPolicy;

    fn trunk(n: u64, addresses: &[&str], username: Option<&str>) -> Trunk {
        Trunk {
            id: TrunkId::from_number(n),
            tenant: TenantId::from_number(1),
            name: format!("carrier {n}"),
            addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
            username: username.map(str::to_owned),
            target: None,
            account: None,
            registers: false,
            calls_max: 2,
            srtp: SrtpPolicy::Accept,
        }
    }
    fn found(book: &TrunkBook, source: &str) -> Option<TrunkId> {
        book.by_source(source.parse().unwrap())
    }

    #[test]
    fn a_source_belongs_to_the_trunk_with_the_longest_prefix_and_else_to_nobody() {
        let wide = trunk(1, &["192.0.2.0/24", "2001:db8:1::/48"], None);
        let narrow = trunk(2, &["192.0.2.7"], Some("acme"));
        let book = TrunkBook::new([&wide, &narrow]).unwrap();
        assert_eq!(found(&book, "192.0.2.8"), Some(wide.id));
        assert_eq!(found(&book, "192.0.2.7"), Some(narrow.id));
        assert_eq!(found(&book, "::ffff:192.0.2.7"), Some(narrow.id), "IPv4 seen through an IPv6 socket");
        assert_eq!(found(&book, "2001:db8:1:2::9"), Some(wide.id));
        for stranger in ["192.0.3.7", "2001:db8:2::1", "::1", "0.0.0.0"] {
            assert_eq!(found(&book, stranger), None, "{stranger}");
        }
        assert_eq!(book.by_username("acme"), Some(narrow.id));
        assert_eq!(book.by_username(""), None);
    }

    #[test]
    fn a_trunk_without_addresses_matches_nobody_by_address() {
        let book = TrunkBook::new([&trunk(1, &[], Some(""))]).unwrap();
        assert_eq!((found(&book, "192.0.2.1"), book.by_username("")), (None, None));
    }

    #[test]
    fn a_rule_that_matches_everyone_is_refused_with_the_name_of_its_trunk() {
        for text in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "2000::/3",
            "::ffff:0:0/96",
            "",
            "carrier.example",
            "192.0.2.1/33",
            "192.0.2.1/24",
        ] {
            let error = TrunkBook::new([&trunk(1, &[text], None)]).unwrap_err();
            assert!(error.to_string().starts_with("trunk carrier 1:"), "{error}");
        }
    }

    #[test]
    fn two_trunks_may_not_claim_the_same_source_or_user_name() {
        let (a, b) = (trunk(1, &["192.0.2.0/24"], Some("x")), trunk(2, &["192.0.2.0/24"], None));
        assert!(matches!(TrunkBook::new([&a, &b]), Err(TrunkError::SamePrefix { .. })));
        let c = trunk(3, &[], Some("x"));
        assert!(matches!(TrunkBook::new([&a, &c]), Err(TrunkError::SameUsername { .. })));
    }
}
