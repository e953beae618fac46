//! From the store's errors to refusals: the client learns whose move is next, the log keeps the cause.

use store::{DeleteError, StoreError, WriteError};

use crate::refusal::Refusal;

/// A failed read.
pub fn read(error: StoreError) -> Refusal {
    match error {
        StoreError::BadCursor => Refusal::Malformed { why: "The cursor is not one of this list.".into() },
        StoreError::Away(_) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the database is away");
            Refusal::Unavailable
        }
        StoreError::Corrupt { .. } | StoreError::Refused(_) => internal(error),
    }
}

/// A failed write.
pub fn write(error: WriteError) -> Refusal {
    match error {
        WriteError::Taken { kind, field } => {
            Refusal::Conflict { why: format!("Another {kind} has this {field}.") }
        }
        WriteError::UnknownReference { kind, id } => Refusal::field("", format!("there is no {kind} {id}")),
        WriteError::Conflict { .. } => Refusal::Stale,
        WriteError::NotFound => Refusal::missing("object"),
        WriteError::Store(error) => read(error),
    }
}

/// A failed deletion.
pub fn delete(error: DeleteError) -> Refusal {
    match error {
        DeleteError::InUse { .. } => Refusal::Conflict { why: format!("It cannot be deleted: {error}.") },
        DeleteError::Conflict { .. } => Refusal::Stale,
        DeleteError::NotFound => Refusal::missing("object"),
        DeleteError::Store(error) => read(error),
    }
}

/// Our fault.
pub fn internal(error: impl std::error::Error + 'static) -> Refusal {
    tracing::error!(error = &error as &dyn std::error::Error, "internal error");
    Refusal::Internal
}
