//! Sign-ins. The browser holds a token of 256 random bits; the database holds its SHA-256, so that a stolen backup
//! opens nothing. No salt is needed: the token cannot be guessed.

use std::fmt;

use async_trait::async_trait;
use model::id::{SessionId, TenantId, UserId};
use model::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::error::{StoreError, WriteError};

/// What the browser holds.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// A token from 256 fresh random bits.
    pub fn from_random(bits: [u8; 32]) -> Self {
        Self(bits)
    }
    /// Reads a token as a cookie brought it: 64 hex digits.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bits = [0; 32];
        hex::decode_to_slice(text, &mut bits).ok()?;
        Some(Self(bits))
    }
    /// The text for the cookie. The only way out of here: `Debug` shows nothing.
    pub fn reveal(&self) -> String {
        hex::encode(self.0)
    }
    pub(crate) fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// One sign-in of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, as the journal names it.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// The user's tenant.
    pub tenant: TenantId,
    /// When.
    pub created_at: Timestamp,
    /// Last request.
    pub seen_at: Timestamp,
    /// Ends by itself.
    pub expires_at: Timestamp,
    /// What a changing request must bring in its header, so that another site's form cannot (CSRF).
    pub csrf: String,
}

/// Sign-ins.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// A new sign-in under `token`.
    async fn open_session(&self, session: &Session, token: &SessionToken) -> Result<(), WriteError>;
    /// The sign-in of a token, unless it has expired.
    async fn session(&self, token: &SessionToken, now: Timestamp) -> Result<Option<Session>, StoreError>;
    /// A request came: moves `seen_at` and `expires_at`. False if there is no such session any more.
    async fn touch_session(
        &self,
        id: SessionId,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Gives the session a new token and CSRF value; the old ones are dead at once (API-03 rotation).
    async fn rotate_session(
        &self,
        id: SessionId,
        token: &SessionToken,
        csrf: &str,
    ) -> Result<bool, StoreError>;
    /// All sign-ins of a user that have not expired, oldest first.
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;
    /// Signs out. False if there was no such session.
    async fn close_session(&self, id: SessionId) -> Result<bool, StoreError>;
    /// Signs a user out everywhere; tells how many sessions ended.
    async fn close_sessions_of(&self, user: UserId) -> Result<u64, StoreError>;
    /// Removes what has expired; tells how many.
    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_is_never_printed_or_stored() {
        let token = SessionToken::from_random([0xab; 32]);
        assert_eq!(SessionToken::from_text(&token.reveal()), Some(token.clone()));
        assert!(!format!("{token:?}").contains("ab"));
        assert_ne!(token.hash(), token.reveal());
        assert_eq!(SessionToken::from_text("ab"), None);
        assert_eq!(SessionToken::from_text(&"zz".repeat(32)), None);
    }
}
