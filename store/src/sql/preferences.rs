//! What users want to see or not.

use async_trait::async_trait;
use model::id::{TenantId, UserId};

use super::Engine;
use super::rows::{json, to_json};
use crate::error::StoreError;
use crate::preferences::{Preferences, Wanted};

#[async_trait]
impl Preferences for Engine {
    async fn preferences(&self, tenant: TenantId, user: UserId) -> Result<Wanted, StoreError> {
        let query = sqlx::query("SELECT document FROM user_preferences WHERE user_id = $1 AND tenant = $2");
        let found =
            query.bind(user.to_string()).bind(tenant.to_string()).fetch_optional(self.reading()).await?;
        found.map_or_else(|| Ok(Wanted::default()), |row| json(&row, "document"))
    }

    async fn save_preferences(
        &self,
        tenant: TenantId,
        user: UserId,
        wanted: &Wanted,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO user_preferences (user_id, tenant, document) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET document = excluded.document",
        );
        let query = query.bind(user.to_string()).bind(tenant.to_string()).bind(to_json(wanted));
        query.execute(self.writing()).await?;
        Ok(())
    }
}
