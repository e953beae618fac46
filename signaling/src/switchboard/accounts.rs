//! Trunks and phones as they are configured now, for whoever asks: the gate by address, the switchboard by name.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use model::call::{CallConfig, Ha1, PhoneAccount};
use model::id::{TrunkId, UserId};
use model::service::Trunk;

use crate::digest::{DigestServer, Secrets, SignIn};
use crate::endpoint::Account;
use crate::endpoint::reach::TrunkAddress;
use crate::service::Random;
use crate::trunk::TrunkBook;

/// The accounts of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    config: CallConfig,
    book: TrunkBook,
    /// Where calls go out to, of trunks whose target is an address.
    targets: HashSet<IpAddr>,
    /// Our accounts at carriers.
    ours: HashMap<TrunkId, Account>,
}

/// Replaced as a whole at each `Configure`.
#[derive(Clone, Default)]
pub(crate) struct SharedAccounts(Arc<RwLock<Arc<Accounts>>>);

impl SharedAccounts {
    pub(crate) fn get(&self) -> Arc<Accounts> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(crate) fn replace(&self, config: CallConfig) {
        let mut accounts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *accounts = Arc::new(Accounts::new(config, &accounts.ours));
    }
}

impl Accounts {
    /// Takes a configuration. A trunk that contradicts the ones before it is left out, so that one mistake does not stop
    /// every carrier.
    fn new(config: CallConfig, before: &HashMap<TrunkId, Account>) -> Self {
        let mut good: Vec<&Trunk> = Vec::new();
        let mut book = TrunkBook::default();
        for (trunk, _) in &config.trunks {
            good.push(trunk);
            match TrunkBook::new(good.iter().copied()) {
                Ok(with) => book = with,
                Err(why) => {
                    tracing::error!(trunk = %trunk.name, %why, "a trunk is left out");
                    good.pop();
                }
            }
        }
        let targets = config.trunks.iter().filter_map(|(trunk, _)| trunk.target.as_deref());
        let targets = targets.filter_map(|target| TrunkAddress::parse(target)?.ip()).collect();
        let ours = config.logins.iter().map(|login| {
            let (username, password) = (&login.username, &login.password);
            let same = |known: &&Account| {
                known.lock().unwrap_or_else(PoisonError::into_inner).is(username, password)
            };
            // An account that did not change keeps its nonce.
            let known = before.get(&login.trunk).filter(same).cloned();
            let new = || Arc::new(Mutex::new(SignIn::new(username.clone(), password.clone())));
            (login.trunk, known.unwrap_or_else(new))
        });
        let ours = ours.collect();
        Self { config, book, targets, ours }
    }

    /// Whether an address belongs to a trunk, for calls in or out: what it sends is not limited. That it may call in, it does
    /// not say.
    pub(crate) fn is_trunk(&self, ip: IpAddr) -> bool {
        self.book.by_source(ip).is_some() || self.targets.contains(&ip)
    }
    /// The trunk an address belongs to.
    pub(crate) fn trunk_at(&self, ip: IpAddr) -> Option<&Trunk> {
        self.trunk(self.book.by_source(ip)?)
    }
    /// The trunk with this digest user name.
    pub(crate) fn trunk_named(&self, username: &str) -> Option<&Trunk> {
        self.trunk(self.book.by_username(username)?)
    }
    /// A trunk by its id.
    pub(crate) fn trunk(&self, id: TrunkId) -> Option<&Trunk> {
        self.config.trunks.iter().map(|(trunk, _)| trunk).find(|trunk| trunk.id == id)
    }
    /// All trunks.
    pub(crate) fn trunks(&self) -> impl Iterator<Item = TrunkId> {
        self.config.trunks.iter().map(|(trunk, _)| trunk.id)
    }
    /// Our account at a trunk.
    pub(crate) fn account(&self, trunk: TrunkId) -> Option<Account> {
        self.ours.get(&trunk).cloned()
    }
    /// The phone account of an extension.
    pub(crate) fn phone(&self, extension: &str) -> Option<&PhoneAccount> {
        self.config.phones.iter().find(|p| p.extension == extension)
    }
    /// The phone account of an agent.
    pub(crate) fn phone_of(&self, agent: UserId) -> Option<&PhoneAccount> {
        self.config.phones.iter().find(|p| p.agent == agent)
    }
    /// The secrets of a trunk or phone by user name.
    pub(crate) fn secrets(&self, username: &str) -> Option<Secrets> {
        let trunk = self.config.trunks.iter().find(|(t, _)| t.username.as_deref() == Some(username));
        let ha1 = trunk.and_then(|(_, ha1)| ha1.as_ref()).or_else(|| self.phone(username).map(|p| &p.ha1))?;
        let Ha1 { md5, sha256 } = ha1;
        Some(Secrets { md5: Some(md5.clone()), sha256: Some(sha256.clone()) })
    }
    pub(crate) fn realm(&self) -> &str {
        &self.config.realm
    }
}

/// A digest server for a realm, with secrets of its own.
pub(crate) fn digest_server(realm: &str, random: &Random) -> DigestServer {
    let (mut secret, mut nobody) = ([0; 32], [0; 32]);
    random(&mut secret);
    random(&mut nobody);
    DigestServer::new(realm, secret, nobody)
}
