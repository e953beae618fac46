//! What becomes of calls to extensions that their owners do not take.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::diversion::Diversion;
use model::id::{TenantId, UserId};

use super::Engine;
use super::rows::{id, json, to_json};
use crate::diversions::Diversions;
use crate::error::StoreError;

#[async_trait]
impl Diversions for Engine {
    async fn diversions(&self, tenant: TenantId) -> Result<BTreeMap<UserId, Diversion>, StoreError> {
        let query = sqlx::query("SELECT user_id, document FROM user_diversions WHERE tenant = $1");
        let found = query.bind(tenant.to_string()).fetch_all(self.reading()).await?;
        found.iter().map(|row| Ok((id(row, "user_id")?, json(row, "document")?))).collect()
    }

    async fn save_diversion(
        &self,
        tenant: TenantId,
        user: UserId,
        diversion: &Diversion,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO user_diversions (user_id, tenant, document) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET document = excluded.document",
        );
        let query = query.bind(user.to_string()).bind(tenant.to_string()).bind(to_json(diversion));
        query.execute(self.writing()).await?;
        Ok(())
    }
}
