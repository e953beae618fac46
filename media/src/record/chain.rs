//! The hash chain: each seal is SHA-256 over the seal before it and everything written since.

use sha2::{Digest, Sha256};

/// A running chain.
#[derive(Clone)]
pub(super) struct Chain {
    hasher: Sha256,
    /// Records since the beginning, seals included.
    pub(super) records: u64,
    /// The last seal.
    pub(super) link: [u8; 32],
}

impl Chain {
    /// Begins with the header.
    pub(super) fn begin(head: &[u8]) -> Self {
        let link = Sha256::digest(head).into();
        Self { hasher: Self::next(&link), records: 0, link }
    }

    /// Takes in a record, or an encrypted block, as it is written.
    pub(super) fn record(&mut self, octets: &[u8]) {
        self.hasher.update(octets);
        self.records += 1;
    }

    /// What a seal at this place must say.
    pub(super) fn seal(&self) -> [u8; 32] {
        self.hasher.clone().finalize().into()
    }

    /// Goes on from a seal.
    pub(super) fn sealed(&mut self, link: [u8; 32]) {
        self.link = link;
        self.hasher = Self::next(&link);
        self.records += 1;
    }

    fn next(link: &[u8; 32]) -> Sha256 {
        Sha256::new().chain_update(link)
    }
}
