//! Passwords and SIP digests.

use async_trait::async_trait;
use model::id::{Id, TrunkId, UserId};
use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Engine, dialect, rows};
use crate::error::{StoreError, WriteError};
use crate::item::Kind;
use crate::secrets::{DigestSecret, Known, PasswordHash, Secrets};

/// Where the digests of a kind of owner are kept.
struct Digests {
    kind: Kind,
    table: &'static str,
    owners: &'static str,
}

const PHONES: Digests = Digests { kind: Kind::User, table: "phone_secrets", owners: "users" };
const TRUNKS: Digests = Digests { kind: Kind::Trunk, table: "trunk_secrets", owners: "trunks" };

#[async_trait]
impl Secrets for Engine {
    async fn password(&self, user: UserId) -> Result<Option<(PasswordHash, Timestamp)>, StoreError> {
        let query =
            sqlx::query("SELECT phc, changed_at FROM credentials WHERE user_id = $1").bind(user.to_string());
        let Some(row) = query.fetch_optional(self.reading()).await? else { return Ok(None) };
        let hash = PasswordHash::from_phc(rows::text(&row, "phc")?).ok_or_else(|| StoreError::Corrupt {
            column: "phc".into(),
            detail: "not an Argon2id PHC string".into(),
        })?;
        Ok(Some((hash, rows::time(&row, "changed_at")?)))
    }

    async fn set_password(
        &self,
        user: UserId,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let query = sqlx::query(
            "INSERT INTO credentials (user_id, phc, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at",
        );
        let query = query.bind(user.to_string()).bind(hash.as_phc()).bind(rows::micros(now));
        query.execute(self.writing()).await.map_err(|error| refused(&PHONES, user.to_string(), error))?;
        Ok(())
    }

    async fn phone_secret(&self, realm: &str, username: &str) -> Result<Option<Known<UserId>>, StoreError> {
        find(self, &PHONES, realm, username).await
    }

    async fn set_phone_secret(&self, user: UserId, secret: Option<&DigestSecret>) -> Result<(), WriteError> {
        set(self, &PHONES, user.to_string(), secret).await
    }

    async fn trunk_secret(&self, realm: &str, username: &str) -> Result<Option<Known<TrunkId>>, StoreError> {
        find(self, &TRUNKS, realm, username).await
    }

    async fn set_trunk_secret(
        &self,
        trunk: TrunkId,
        secret: Option<&DigestSecret>,
    ) -> Result<(), WriteError> {
        set(self, &TRUNKS, trunk.to_string(), secret).await
    }

    async fn trunk_password(&self, trunk: TrunkId) -> Result<Option<String>, StoreError> {
        let query =
            sqlx::query("SELECT password FROM trunk_passwords WHERE owner = $1").bind(trunk.to_string());
        query.fetch_optional(self.reading()).await?.map(|row| rows::text(&row, "password")).transpose()
    }

    async fn set_trunk_password(&self, trunk: TrunkId, password: Option<&str>) -> Result<(), WriteError> {
        let query = match password {
            None => sqlx::query("DELETE FROM trunk_passwords WHERE owner = $1").bind(trunk.to_string()),
            Some(password) => sqlx::query(
                "INSERT INTO trunk_passwords (owner, password) VALUES ($1, $2)
                 ON CONFLICT (owner) DO UPDATE SET password = excluded.password",
            )
            .bind(trunk.to_string())
            .bind(password),
        };
        query.execute(self.writing()).await.map_err(|error| refused(&TRUNKS, trunk.to_string(), error))?;
        Ok(())
    }
}

async fn find<T: Id>(
    engine: &Engine,
    digests: &Digests,
    realm: &str,
    username: &str,
) -> Result<Option<Known<T>>, StoreError> {
    let sql = format!(
        "SELECT s.owner, o.tenant, s.ha1_md5, s.ha1_sha256 FROM {} s JOIN {} o ON o.id = s.owner
         WHERE s.realm = $1 AND s.username = $2",
        digests.table, digests.owners
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(realm).bind(username);
    let Some(row) = query.fetch_optional(engine.reading()).await? else { return Ok(None) };
    let (md5, sha256) = (rows::text(&row, "ha1_md5")?, rows::text(&row, "ha1_sha256")?);
    let secret = DigestSecret::stored(username.into(), realm.into(), md5, sha256);
    Ok(Some(Known { owner: rows::id(&row, "owner")?, tenant: rows::id(&row, "tenant")?, secret }))
}

async fn set(
    engine: &Engine,
    digests: &Digests,
    owner: String,
    secret: Option<&DigestSecret>,
) -> Result<(), WriteError> {
    let table = digests.table;
    let Some(secret) = secret else {
        let sql = format!("DELETE FROM {table} WHERE owner = $1");
        sqlx::query(AssertSqlSafe(sql)).bind(owner).execute(engine.writing()).await?;
        return Ok(());
    };
    let sql = format!(
        "INSERT INTO {table} (owner, realm, username, ha1_md5, ha1_sha256) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (owner) DO UPDATE SET realm = excluded.realm, username = excluded.username,
         ha1_md5 = excluded.ha1_md5, ha1_sha256 = excluded.ha1_sha256"
    );
    let query =
        sqlx::query(AssertSqlSafe(sql)).bind(owner.clone()).bind(&secret.realm).bind(&secret.username);
    let query = query.bind(secret.ha1_md5()).bind(secret.ha1_sha256());
    query.execute(engine.writing()).await.map_err(|error| refused(digests, owner, error))?;
    Ok(())
}

fn refused(digests: &Digests, owner: String, error: sqlx::Error) -> WriteError {
    match error.as_database_error() {
        Some(e) if dialect::is_taken(e, digests.table, "username") => {
            WriteError::Taken { kind: digests.kind, field: "username" }
        }
        Some(e) if e.is_foreign_key_violation() => {
            WriteError::UnknownReference { kind: digests.kind, id: owner }
        }
        _ => error.into(),
    }
}
