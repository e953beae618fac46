//! Configuration: what administrators set up. Every row has a version and belongs to a tenant.

use async_trait::async_trait;
use model::id::TenantId;
use model::people::{Tenant, User};
use model::service::Number;

use crate::error::{DeleteError, StoreError, WriteError};
use crate::item::Item;
use crate::page::{Cursor, Page, Version, Versioned};

/// One kind of configuration row: groups, skills, reasons, services, dispositions, numbers, trunks, users.
///
/// A row is only ever seen through its tenant: with another tenant's id there is no such row.
#[async_trait]
pub trait Catalogue<T: Item>: Send + Sync {
    /// One row.
    async fn get(&self, tenant: TenantId, id: T::Id) -> Result<Option<Versioned<T>>, StoreError>;
    /// A page of rows in the order they were made; `limit` is cut to [`LIMIT_MAX`](crate::page::LIMIT_MAX).
    async fn list(
        &self,
        tenant: TenantId,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Versioned<T>>, StoreError>;
    /// A new row at version 1. What it refers to must exist in its tenant.
    async fn insert(&self, item: &T) -> Result<Versioned<T>, WriteError>;
    /// Replaces a row if it still is at `expected`, and counts its version on.
    async fn update(&self, item: &T, expected: Version) -> Result<Versioned<T>, WriteError>;
    /// Removes a row nothing refers to; with `expected`, only at that version. Users, services and dispositions also
    /// stay while service records name them.
    async fn delete(&self, tenant: TenantId, id: T::Id, expected: Option<Version>)
    -> Result<(), DeleteError>;
}

/// Every row of a list, page by page; for what the appliance keeps in memory, such as skills at start.
pub async fn all<T: Item>(
    rows: &dyn Catalogue<T>,
    tenant: TenantId,
) -> Result<Vec<Versioned<T>>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = rows.list(tenant, after.as_ref(), crate::page::LIMIT_MAX).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// Customers of the operator.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// One tenant.
    async fn tenant(&self, id: TenantId) -> Result<Option<Versioned<Tenant>>, StoreError>;
    /// One tenant by its name.
    async fn tenant_by_name(&self, name: &str) -> Result<Option<Versioned<Tenant>>, StoreError>;
    /// A page of tenants in the order they were made.
    async fn tenants(
        &self,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Versioned<Tenant>>, StoreError>;
    /// A new tenant.
    async fn insert_tenant(&self, tenant: &Tenant) -> Result<Versioned<Tenant>, WriteError>;
    /// Renames a tenant.
    async fn update_tenant(
        &self,
        tenant: &Tenant,
        expected: Version,
    ) -> Result<Versioned<Tenant>, WriteError>;
    /// Removes a tenant that owns nothing any more.
    async fn delete_tenant(&self, id: TenantId, expected: Option<Version>) -> Result<(), DeleteError>;
}

/// People who sign in. Logins and e-mail addresses are stored and looked for in lower case.
#[async_trait]
pub trait Users: Catalogue<User> {
    /// The user who signs in with this login or e-mail address. Disabled users are found too: the caller refuses them.
    async fn user_by_sign_in(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<Versioned<User>>, StoreError>;
    /// The user with this internal number.
    async fn user_by_extension(
        &self,
        tenant: TenantId,
        extension: &str,
    ) -> Result<Option<Versioned<User>>, StoreError>;
}

/// Dialled numbers. Digits are unique on the appliance, since a call brings no tenant along.
#[async_trait]
pub trait Numbers: Catalogue<Number> {
    /// Where a dialled number leads.
    async fn number_by_digits(&self, digits: &str) -> Result<Option<Versioned<Number>>, StoreError>;
}
