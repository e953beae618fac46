//! Tables that flows look values up in: a key, and columns with a value each.
//!
//! A table is replaced as a whole. The new rows are written beside the old ones, a part at a time, so that nobody who writes waits
//! long; whoever looks something up finds the old table until the new one is complete.

use async_trait::async_trait;
use model::id::TenantId;
use model::time::Timestamp;

use crate::error::StoreError;

/// What is known of a table without its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupTable {
    /// Unique for its tenant.
    pub name: String,
    /// Names of the columns after the key.
    pub columns: Vec<String>,
    /// Keys are telephone numbers.
    pub phone_keys: bool,
    /// How many.
    pub rows: u64,
    /// When it was replaced last.
    pub changed_at: Timestamp,
}

/// A row: its key, and a value for each column.
pub type LookupRow = (String, Vec<String>);

/// Tables of tenants.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// All of a tenant, by name.
    async fn lookup_tables(&self, tenant: TenantId) -> Result<Vec<LookupTable>, StoreError>;
    /// Puts a table in the place of the one of its name, if there is one. Keys are different from each other. Two of one name are
    /// not to be replaced at the same time.
    async fn replace_lookup_table(
        &self,
        tenant: TenantId,
        table: &LookupTable,
        rows: &[LookupRow],
    ) -> Result<(), StoreError>;
    /// Removes a table; whether there was one.
    async fn delete_lookup_table(&self, tenant: TenantId, name: &str) -> Result<bool, StoreError>;
    /// The values under a key, in the order of the columns; `None`: no such key, or no such table.
    async fn look_up(
        &self,
        tenant: TenantId,
        table: &str,
        key: &str,
    ) -> Result<Option<Vec<String>>, StoreError>;
}
