//! Reading and writing the few types our columns have. Every value that cannot be read is an error with its column.

use model::id::Id;
use model::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;

use super::{Row, dialect};
use crate::error::StoreError;

fn corrupt(column: &str, detail: impl ToString) -> StoreError {
    StoreError::Corrupt { column: column.into(), detail: detail.to_string() }
}

pub(super) fn text(row: &Row, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn text_or_none(row: &Row, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn flag(row: &Row, column: &str) -> Result<bool, StoreError> {
    Ok(row.try_get(column)?)
}

pub(super) fn id<T: Id>(row: &Row, column: &str) -> Result<T, StoreError> {
    text(row, column)?.parse().map_err(|error| corrupt(column, error))
}

pub(super) fn id_or_none<T: Id>(row: &Row, column: &str) -> Result<Option<T>, StoreError> {
    let found = text_or_none(row, column)?;
    found.map(|text| text.parse().map_err(|error| corrupt(column, error))).transpose()
}

/// A number that is never negative.
pub(super) fn count(row: &Row, column: &str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| corrupt(column, format_args!("{value} is negative")))
}

pub(super) fn time(row: &Row, column: &str) -> Result<Timestamp, StoreError> {
    from_micros(column, row.try_get(column)?)
}

/// The moment that [`micros`] wrote.
pub(super) fn from_micros(column: &str, value: i64) -> Result<Timestamp, StoreError> {
    match u64::try_from(value) {
        Ok(_) if value == i64::MAX => Ok(Timestamp::NEVER),
        Ok(value) => Ok(Timestamp::from_micros(value)),
        Err(_) => Err(corrupt(column, format_args!("{value} is negative"))),
    }
}

pub(super) fn time_or_none(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => time(row, column).map(Some),
        None => Ok(None),
    }
}

pub(super) fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&text(row, column)?).map_err(|error| corrupt(column, error))
}

/// The same where NULL means that nothing was chosen.
pub(super) fn json_or_default<T: DeserializeOwned + Default>(
    row: &Row,
    column: &str,
) -> Result<T, StoreError> {
    match text_or_none(row, column)? {
        Some(text) => serde_json::from_str(&text).map_err(|error| corrupt(column, error)),
        None => Ok(T::default()),
    }
}

/// An enum of plain words, such as a role.
pub(super) fn word<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, StoreError> {
    let word = text(row, column)?;
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| corrupt(column, error))
}

/// Microseconds as the databases hold them; "never" is the largest number they have.
pub(super) fn micros(time: Timestamp) -> i64 {
    signed(time.micros())
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Our types always serialise: their maps have ids for keys, and nothing in them fails by itself.
pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn to_word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The values of a statement that inserts many rows: `(?, ?), (?, ?)` or `($1, $2), ($3, $4)`.
pub(super) fn holes(rows: usize, width: usize) -> String {
    let row = |row: usize| (1..=width).map(|n| dialect::hole(row * width + n)).collect::<Vec<_>>().join(", ");
    (0..rows).map(|n| format!("({})", row(n))).collect::<Vec<_>>().join(", ")
}
