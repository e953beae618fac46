//! Who changed or heard what (API-03): every write, every access to a recording, every sign-in.

use std::net::IpAddr;

use model::id::{KeyId, TenantId, UserId};
use store::Store;
pub use store::audit::{AuditEntry, AuditFilter};

use crate::clock::Sources;
use crate::page::{Cursor, Page};
use crate::refusal::Refusal;
use crate::trouble::read;

/// Who did something, and from where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actor {
    /// The person; `None` for the appliance itself, and for programs.
    pub user: Option<UserId>,
    /// The key, when it is a program.
    pub key: Option<KeyId>,
    /// The address the request came from.
    pub address: Option<IpAddr>,
}

/// The audit log of one tenant.
#[derive(Clone)]
pub struct Audit {
    tenant: TenantId,
    store: Store,
    sources: Sources,
}

impl Audit {
    /// Of `tenant`.
    pub fn new(tenant: TenantId, store: Store, sources: Sources) -> Self {
        Self { tenant, store, sources }
    }

    /// Adds an entry. What is audited is not done when this fails.
    pub async fn record(
        &self,
        actor: Actor,
        action: &str,
        target: impl ToString,
        detail: serde_json::Value,
    ) -> Result<(), Refusal> {
        let entry = AuditEntry {
            id: self.sources.id(),
            tenant: self.tenant,
            at: self.sources.now(),
            actor: actor.user,
            key: actor.key,
            address: actor.address.map(|address| address.to_string()),
            action: action.to_owned(),
            target: target.to_string(),
            detail,
        };
        self.store.audit().append_audit(&entry).await.map_err(read)
    }

    /// Adds an entry about something that happened all the same: a failure only goes to the log.
    pub async fn note(&self, actor: Actor, action: &str, target: impl ToString, detail: serde_json::Value) {
        if self.record(actor, action, target, detail).await.is_err() {
            tracing::error!(action, "an audit entry could not be written");
        }
    }

    /// A page of entries, newest first.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, Refusal> {
        self.store.audit().audit_entries(self.tenant, filter, after, limit).await.map_err(read)
    }
}
