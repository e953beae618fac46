//! What people say to callers who are to leave them a message.

use std::time::Duration;

use async_trait::async_trait;
use model::greeting::Greeting;
use model::id::{GreetingId, TenantId, UserId};
use sqlx::Row as _;

use super::rows::{count, flag, id, micros, signed, text, time};
use super::{Engine, Row};
use crate::error::StoreError;
use crate::greetings::Greetings;

#[async_trait]
impl Greetings for Engine {
    async fn greetings(&self, tenant: TenantId) -> Result<Vec<Greeting>, StoreError> {
        let query = "SELECT id, owner, name, chosen, length_ms, made_at FROM greetings
             WHERE tenant = $1 ORDER BY owner, id";
        let found = sqlx::query(query).bind(tenant.to_string()).fetch_all(self.reading()).await?;
        found.iter().map(read).collect()
    }

    async fn greeting_audio(&self, tenant: TenantId, id: GreetingId) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query("SELECT audio FROM greetings WHERE id = $1 AND tenant = $2");
        let query = query.bind(id.to_string()).bind(tenant.to_string());
        let found = query.fetch_optional(self.reading()).await?;
        Ok(found.map(|row| row.try_get("audio")).transpose()?)
    }

    async fn save_greeting(
        &self,
        tenant: TenantId,
        greeting: &Greeting,
        audio: &[u8],
    ) -> Result<(), StoreError> {
        let Greeting { id, owner, name, chosen, length, made_at } = greeting;
        let query = sqlx::query(
            "INSERT INTO greetings (id, tenant, owner, name, chosen, length_ms, made_at, audio)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET length_ms = excluded.length_ms, made_at = excluded.made_at,
                 audio = excluded.audio",
        );
        let query = query.bind(id.to_string()).bind(tenant.to_string()).bind(owner.to_string());
        let length_ms = signed(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        let query = query.bind(name).bind(*chosen).bind(length_ms).bind(micros(*made_at)).bind(audio);
        query.execute(self.writing()).await?;
        Ok(())
    }

    async fn rename_greeting(&self, tenant: TenantId, id: GreetingId, name: &str) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE greetings SET name = $3 WHERE id = $1 AND tenant = $2");
        query.bind(id.to_string()).bind(tenant.to_string()).bind(name).execute(self.writing()).await?;
        Ok(())
    }

    async fn choose_greeting(
        &self,
        tenant: TenantId,
        owner: UserId,
        id: Option<GreetingId>,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE greetings SET chosen = CASE WHEN id = $3 THEN TRUE ELSE FALSE END
             WHERE owner = $1 AND tenant = $2",
        );
        let query = query.bind(owner.to_string()).bind(tenant.to_string());
        query.bind(id.map(|id| id.to_string())).execute(self.writing()).await?;
        Ok(())
    }

    async fn delete_greeting(&self, tenant: TenantId, id: GreetingId) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM greetings WHERE id = $1 AND tenant = $2");
        query.bind(id.to_string()).bind(tenant.to_string()).execute(self.writing()).await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<Greeting, StoreError> {
    Ok(Greeting {
        id: id(row, "id")?,
        owner: id(row, "owner")?,
        name: text(row, "name")?,
        chosen: flag(row, "chosen")?,
        length: Duration::from_millis(count(row, "length_ms")?),
        made_at: time(row, "made_at")?,
    })
}
