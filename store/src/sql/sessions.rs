//! Sign-ins.

use async_trait::async_trait;
use model::id::{SessionId, UserId};
use model::time::Timestamp;

use super::{Engine, Row, rows};
use crate::error::{StoreError, WriteError};
use crate::item::Kind;
use crate::sessions::{Session, SessionToken, Sessions};

#[async_trait]
impl Sessions for Engine {
    async fn open_session(&self, session: &Session, token: &SessionToken) -> Result<(), WriteError> {
        let query = sqlx::query(
            "INSERT INTO sessions (id, token_hash, user_id, tenant, created_at, seen_at, expires_at, csrf)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        );
        let query = query.bind(session.id.to_string()).bind(token.hash());
        let query = query.bind(session.user.to_string()).bind(session.tenant.to_string());
        let query = query.bind(rows::micros(session.created_at)).bind(rows::micros(session.seen_at));
        let query = query.bind(rows::micros(session.expires_at)).bind(&session.csrf);
        match query.execute(self.writing()).await {
            Ok(_) => Ok(()),
            Err(error) if error.as_database_error().is_some_and(|e| e.is_foreign_key_violation()) => {
                Err(WriteError::UnknownReference { kind: Kind::User, id: session.user.to_string() })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn session(&self, token: &SessionToken, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let query = sqlx::query("SELECT * FROM sessions WHERE token_hash = $1 AND expires_at > $2");
        let query = query.bind(token.hash()).bind(rows::micros(now));
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn touch_session(
        &self,
        id: SessionId,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE id = $1 AND expires_at > $2",
        );
        let query = query.bind(id.to_string()).bind(rows::micros(now)).bind(rows::micros(expires));
        Ok(query.execute(self.writing()).await?.rows_affected() == 1)
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        token: &SessionToken,
        csrf: &str,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE sessions SET token_hash = $2, csrf = $3 WHERE id = $1");
        let query = query.bind(id.to_string()).bind(token.hash()).bind(csrf);
        Ok(query.execute(self.writing()).await?.rows_affected() == 1)
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY id LIMIT 1000",
        );
        let found = query.bind(user.to_string()).bind(rows::micros(now)).fetch_all(self.reading()).await?;
        found.iter().map(read).collect()
    }

    async fn close_session(&self, id: SessionId) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id.to_string());
        Ok(query.execute(self.writing()).await?.rows_affected() == 1)
    }

    async fn close_sessions_of(&self, user: UserId) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.to_string());
        Ok(query.execute(self.writing()).await?.rows_affected())
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(rows::micros(now));
        Ok(query.execute(self.writing()).await?.rows_affected())
    }
}

fn read(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: rows::id(row, "id")?,
        user: rows::id(row, "user_id")?,
        tenant: rows::id(row, "tenant")?,
        created_at: rows::time(row, "created_at")?,
        seen_at: rows::time(row, "seen_at")?,
        expires_at: rows::time(row, "expires_at")?,
        csrf: rows::text(row, "csrf")?,
    })
}
