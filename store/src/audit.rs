//! Who changed or heard what (API-03). Entries are appended and never changed.

use async_trait::async_trait;
use model::id::{AuditId, KeyId, TenantId, UserId};
use model::time::Timestamp;

use crate::error::StoreError;
use crate::page::{Cursor, Page};

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// In whose tenant it happened.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Who; `None` for the appliance itself, the command line, and programs with a key.
    pub actor: Option<UserId>,
    /// With which key, when it was a program.
    pub key: Option<KeyId>,
    /// From which address, as text.
    pub address: Option<String>,
    /// What was done, such as `user.update` or `recording.play`.
    pub action: String,
    /// To what: an id, or empty.
    pub target: String,
    /// What changed, without secrets.
    pub detail: serde_json::Value,
}

/// The audit log.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry.
    async fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;
    /// A page of entries, newest first.
    async fn audit_entries(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, StoreError>;
}

/// Which entries to list. The default lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Done by this user.
    pub actor: Option<UserId>,
    /// Done to this id.
    pub target: Option<String>,
    /// This was done: `recording.play`.
    pub action: Option<String>,
}
