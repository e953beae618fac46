//! What the floor decided by, as text, under a number that the journal names ([`model::journal::Event::Configured`]).
//!
//! The text is the floor's own; the store only keeps it. The newest [`KEPT`] of a tenant are kept: a generation of a hundred
//! agents is some 20 kB, one of ten thousand some 2 MB.

use async_trait::async_trait;
use model::id::TenantId;
use model::time::Timestamp;

use crate::error::StoreError;

/// Generations kept for each tenant; older ones are forgotten, and what happened under them can no longer be decided again.
pub const KEPT: u64 = 200;

/// A configuration that was in force from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, from 1.
    pub number: u64,
    /// When it was stored, just before it came into force.
    pub at: Timestamp,
    /// The configuration.
    pub payload: String,
}

/// Configurations of the past.
#[async_trait]
pub trait Generations: Send + Sync {
    /// Stores a configuration, unless the newest is the same; gives its number.
    async fn keep_generation(
        &self,
        tenant: TenantId,
        payload: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
    /// A configuration by its number; `None` when it is forgotten.
    async fn generation(&self, tenant: TenantId, number: u64) -> Result<Option<Generation>, StoreError>;
    /// What was in force at a moment; before the oldest one, that one.
    async fn generation_at(&self, tenant: TenantId, at: Timestamp) -> Result<Option<Generation>, StoreError>;
}
