//! The text form: TOML, read with the place of an error, written so that two versions compare line by line.

use crate::graph::Flow;

/// Longest text that is read, in octets.
pub const TEXT_MAX: usize = 256 * 1024;

/// Why a text is no flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is too long.
    #[error("a flow has at most {TEXT_MAX} octets of text; this one has {0}")]
    TooLong(usize),
    /// It does not say what a flow is.
    #[error("line {line}, column {column}: {what}")]
    Wrong {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
}

impl Flow {
    /// Reads the text form.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        if text.len() > TEXT_MAX {
            return Err(TextError::TooLong(text.len()));
        }
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            TextError::Wrong { line, column, what: error.message().to_owned() }
        })
    }

    /// Writes the text form: steps by kind and name, one field a line.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}
