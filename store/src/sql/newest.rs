//! Lists that begin with the newest: ordered by time, then by id, so that rows of one moment keep one order.

use model::id::Id;
use model::time::Timestamp;
use sqlx::QueryBuilder;

use super::{Db, rows};
use crate::error::StoreError;
use crate::page::Cursor;

/// Where such a list goes on after a row.
pub(super) fn cursor<T: Id>(at: Timestamp, id: T) -> String {
    format!("{:x}.{id}", rows::micros(at))
}

/// Adds "older than the cursor", the order, and one row more than the limit.
pub(super) fn push_page<T: Id>(
    query: &mut QueryBuilder<Db>,
    time_column: &'static str,
    id_column: &'static str,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<(), StoreError> {
    if let Some(cursor) = after {
        let (at, id) = cursor.0.split_once('.').ok_or(StoreError::BadCursor)?;
        let at = i64::from_str_radix(at, 16).map_err(|_| StoreError::BadCursor)?;
        let id = id.parse::<T>().map_err(|_| StoreError::BadCursor)?;
        query.push(format_args!(" AND ({time_column}, {id_column}) < ("));
        query.push_bind(at).push(", ").push_bind(id.to_string()).push(")");
    }
    query.push(format_args!(" ORDER BY {time_column} DESC, {id_column} DESC LIMIT "));
    query.push_bind(i64::from(limit) + 1);
    Ok(())
}
