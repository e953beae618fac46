//! What a migration is. They only go forward; the engines run them (`sql/migrate.rs`).

use sha2::{Digest, Sha256};

/// One step of a schema.
pub(crate) struct Migration {
    /// Its place, from 1 without gaps.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

impl Migration {
    /// Tells whether the migration in the database is this one.
    pub fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.sql.as_bytes()))
    }
}
