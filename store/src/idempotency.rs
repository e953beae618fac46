//! Answers already given: a client that repeats a request with the same `Idempotency-Key` gets the first answer again.

use async_trait::async_trait;
use model::id::TenantId;
use model::time::Timestamp;

use crate::error::StoreError;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// New: do the work, then [`IdempotencyKeys::answer_key`].
    New,
    /// The first request is still being worked on (HTTP 409).
    InProgress,
    /// The first request had this answer.
    Answered(Answer),
    /// The key was used for another request (HTTP 422).
    Mismatch,
}

/// An answer to be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Keys of requests.
#[async_trait]
pub trait IdempotencyKeys: Send + Sync {
    /// Takes the key for a request, or tells what became of the first one. `fingerprint` is a digest of the request.
    async fn reserve_key(
        &self,
        tenant: TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Reservation, StoreError>;
    /// Stores the answer of a reserved key.
    async fn answer_key(&self, tenant: TenantId, key: &str, answer: &Answer) -> Result<(), StoreError>;
    /// Gives a reserved key back, when the request failed without effect and may be tried again.
    async fn release_key(&self, tenant: TenantId, key: &str) -> Result<(), StoreError>;
    /// Removes keys older than `before`; tells how many.
    async fn sweep_keys(&self, before: Timestamp) -> Result<u64, StoreError>;
}
