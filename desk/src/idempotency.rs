//! A request that creates something and is repeated gets the first answer again.

use std::future::Future;

use sha2::{Digest, Sha256};
use store::idempotency::{Answer, Reservation};

use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// Longest key.
const KEY_MAX: usize = 128;

/// An answer, and whether it had been given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Not done again.
    pub repeated: bool,
}

impl DeskHandle {
    /// Does `work` once for this key of this actor. `request` is what tells two requests apart; no secrets in it.
    pub async fn once<E: From<Refusal>>(
        &self,
        actor: &str,
        key: Option<&str>,
        request: &[u8],
        work: impl Future<Output = Result<(u16, Vec<u8>), E>>,
    ) -> Result<Given, E> {
        let Some(key) = key else {
            let (status, body) = work.await?;
            return Ok(Given { status, body, repeated: false });
        };
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::Malformed {
                why: "An Idempotency-Key is 1 to 128 visible characters.".into(),
            }
            .into());
        }
        // Two people may choose the same key.
        let key = format!("{actor}:{key}");
        let fingerprint =
            Sha256::digest(request).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (keys, tenant) = (self.0.store.idempotency(), self.tenant());
        match keys.reserve_key(tenant, &key, &fingerprint, self.now()).await.map_err(read)? {
            Reservation::Answered(Answer { status, body }) => {
                return Ok(Given { status, body, repeated: true });
            }
            Reservation::Mismatch => return Err(Refusal::KeyReused.into()),
            Reservation::InProgress => {
                return Err(Refusal::Conflict {
                    why: "The first request with this key is still worked on.".into(),
                }
                .into());
            }
            Reservation::New => {}
        }
        match work.await {
            Ok((status, body)) => {
                let answer = Answer { status, body };
                if let Err(error) = keys.answer_key(tenant, &key, &answer).await {
                    tracing::warn!(%error, "an answer could not be kept for a repeated request");
                }
                Ok(Given { status, body: answer.body, repeated: false })
            }
            Err(refused) => {
                if let Err(error) = keys.release_key(tenant, &key).await {
                    tracing::warn!(%error, "an Idempotency-Key could not be given back");
                }
                Err(refused)
            }
        }
    }
}
