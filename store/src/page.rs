//! Lists in pages, and rows with versions.

use std::fmt;

/// Rows a page may have at most; a larger wish is cut to this.
pub const LIMIT_MAX: u32 = 200;

/// Where a list goes on. Opaque: only the list that made it can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) String);

impl Cursor {
    /// Takes a cursor as a client sent it back. Whether it fits is found out by the list.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The text to hand out.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where to go on; `None` on the last page.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts `rows`, fetched with one more than `limit`, and makes the cursor from the last row that stays.
    pub(crate) fn cut(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(|row| Cursor(cursor(row))) } else { None };
        Self { items: rows, next }
    }
}

/// Counts the changes of a configuration row, from 1; an ETag is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A configuration row with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The row.
    pub item: T,
    /// Its version, for `ETag` and `If-Match`.
    pub version: Version,
}

/// What a list may fetch: 1 to [`LIMIT_MAX`].
pub(crate) fn bounded(limit: u32) -> u32 {
    limit.clamp(1, LIMIT_MAX)
}
