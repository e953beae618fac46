//! What is wrong with a text, where, and what to write instead.

use std::collections::BTreeMap;
use std::fmt;

use super::names::Kind;
use crate::skill::{DEPTH_MAX, TERMS_MAX};

/// The first error in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// Octets before it.
    pub at: usize,
    /// Octets it covers; 0 at the end of the text.
    pub length: usize,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong. Texts of the author are cut to [`SHOWN_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Longer than [`super::TEXT_MAX`].
    TooLong,
    /// More terms than routing evaluates.
    TooManyTerms,
    /// Nested deeper than routing evaluates.
    TooDeep,
    /// Something else belongs here.
    Expected {
        /// What.
        expected: Expected,
        /// What stands there; nothing at the end of the text.
        found: String,
        /// What was perhaps meant.
        instead: Option<String>,
    },
    /// Nothing has that name.
    Unknown {
        /// What was looked for.
        kind: Kind,
        /// The name.
        name: String,
        /// What was perhaps meant, as it is to be written.
        instead: Option<String>,
    },
    /// Several names differ from this one in nothing but case.
    Ambiguous {
        /// What was looked for.
        kind: Kind,
        /// The name.
        name: String,
        /// One of them, as it is to be written.
        instead: String,
    },
    /// Not a level from 1 to 10.
    Level {
        /// What stands there.
        found: String,
    },
    /// A comparison other than `>=` and `>`: it would leave open whether somebody without the skill will do.
    Comparison {
        /// The operator.
        operator: String,
        /// What to write.
        instead: String,
    },
    /// A sign that the language does not have.
    Sign {
        /// The sign.
        sign: char,
        /// What to write.
        instead: Option<&'static str>,
    },
    /// A quote that is never closed.
    OpenQuote,
    /// A backslash before something that it does not go with.
    Escape,
    /// `#` before something that is not an id of this kind.
    NotAnId {
        /// Whose id would be one.
        kind: Kind,
        /// What stands there.
        found: String,
    },
}

/// What belongs somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A skill, `any`, `not`, …
    Condition,
    /// `and`, `or` or the end.
    Operator,
    /// `and`, `or` or `)`.
    Close,
    /// `,` or `)`.
    Comma,
    /// `(`.
    Open,
    /// The name of something.
    Name(Kind),
    /// A level.
    Level,
}

/// Characters of the author's text that an error repeats.
pub const SHOWN_MAX: usize = 48;

/// Part of a text, short enough to be repeated.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

impl Expected {
    fn code(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Operator => "operator",
            Self::Close => "close",
            Self::Comma => "comma",
            Self::Open => "open",
            Self::Name(Kind::Skill) => "skill",
            Self::Name(Kind::Group) => "group",
            Self::Name(Kind::Agent) => "agent",
            Self::Level => "level",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "a condition: a skill, `group`, `agent`, `any`, `not` or `(`",
            Self::Operator => "`and`, `or` or the end",
            Self::Close => "`and`, `or` or `)`",
            Self::Comma => "`,` or `)`",
            Self::Open => "`(`",
            Self::Name(Kind::Skill) => "the name of a skill",
            Self::Name(Kind::Group) => "the name of a group",
            Self::Name(Kind::Agent) => "the user name of an agent, or `in`",
            Self::Level => "a level from 1 to 10",
        })
    }
}

impl Problem {
    /// A stable name, by which a page finds its own words.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::TooManyTerms => "too_many_terms",
            Self::TooDeep => "too_deep",
            Self::Expected { .. } => "expected",
            Self::Unknown { .. } => "unknown",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Level { .. } => "level",
            Self::Comparison { .. } => "comparison",
            Self::Sign { .. } => "sign",
            Self::OpenQuote => "open_quote",
            Self::Escape => "escape",
            Self::NotAnId { .. } => "not_an_id",
        }
    }

    /// What such words are filled with: `expected`, `found`, `kind`, `name`, `instead`; each only where there is one.
    pub fn params(&self) -> BTreeMap<&'static str, String> {
        let mut params = BTreeMap::new();
        let mut put = |key, value: &str| {
            params.insert(key, value.to_owned());
        };
        match self {
            Self::TooLong | Self::TooManyTerms | Self::TooDeep | Self::OpenQuote | Self::Escape => {}
            Self::Expected { expected, found, .. } => {
                put("expected", expected.code());
                put("found", found);
            }
            Self::Unknown { kind, name, .. } | Self::Ambiguous { kind, name, .. } => {
                put("kind", kind.word());
                put("name", name);
            }
            Self::Level { found } => put("found", found),
            Self::Comparison { operator, .. } => put("found", operator),
            Self::Sign { sign, .. } => put("found", sign.encode_utf8(&mut [0; 4])),
            Self::NotAnId { kind, found } => {
                put("kind", kind.word());
                put("found", found);
            }
        }
        if let Some(instead) = self.instead() {
            put("instead", instead);
        }
        params
    }

    /// What to write, as far as that can be told.
    pub fn instead(&self) -> Option<&str> {
        match self {
            Self::Expected { instead, .. } | Self::Unknown { instead, .. } => instead.as_deref(),
            Self::Ambiguous { instead, .. } | Self::Comparison { instead, .. } => Some(instead),
            Self::Sign { instead, .. } => *instead,
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {} octets", super::TEXT_MAX),
            Self::TooManyTerms => write!(f, "more than {TERMS_MAX} terms"),
            Self::TooDeep => write!(f, "nested more than {DEPTH_MAX} deep"),
            Self::Expected { expected, found, .. } if found.is_empty() => {
                write!(f, "the text ends where {expected} belongs")
            }
            Self::Expected { expected, found, .. } => {
                write!(f, "`{found}` stands where {expected} belongs")
            }
            Self::Unknown { kind, name, .. } => write!(f, "there is no {} `{name}`", kind.word()),
            Self::Ambiguous { kind, name, .. } => {
                write!(f, "`{name}` could be more than one {}: case decides", kind.word())
            }
            Self::Level { found } => write!(f, "`{found}` is not a level from 1 to 10"),
            Self::Comparison { operator, .. } => {
                write!(f, "levels are compared by `>=` and `>` only, not by `{operator}`")
            }
            Self::Sign { sign, .. } => write!(f, "`{}` has no meaning here", sign.escape_debug()),
            Self::OpenQuote => f.write_str("this quote is never closed"),
            Self::Escape => f.write_str("after a backslash comes one of \" \\ n t u{…}"),
            Self::NotAnId { kind, found } => write!(f, "`{found}` is not the id of a {}", kind.word()),
        }?;
        match (self, self.instead()) {
            (_, None) => Ok(()),
            (Self::Unknown { .. } | Self::Ambiguous { .. }, Some(instead)) => {
                write!(f, "; did you mean `{instead}`?")
            }
            (_, Some(instead)) => write!(f, "; write `{instead}`"),
        }
    }
}

impl std::error::Error for TextError {}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

/// Characters of a line that are shown on each side of an error.
const AROUND: usize = 60;

impl TextError {
    /// Octets `at..at + length` of the text, both at ends of characters.
    pub(super) fn new(text: &str, at: usize, length: usize, problem: Problem) -> Self {
        let before = &text[..at];
        let line = before.bytes().filter(|octet| *octet == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { at, length, line, column: text[start..at].chars().count() + 1, problem }
    }

    /// The line of `text` with carets under the error, in two lines of characters of the same width; a long line is shown in part.
    pub fn shown(&self, text: &str) -> String {
        let row = text.split('\n').nth(self.line - 1).unwrap_or_default().trim_end_matches('\r');
        let length = text.get(self.at..self.at + self.length).unwrap_or_default();
        let carets = length.lines().next().unwrap_or_default().chars().count().clamp(1, AROUND);
        let skipped = (self.column - 1).saturating_sub(AROUND);
        // A tab or a control character would take the caret away from its place.
        let tame = |c: char| if c.is_control() { ' ' } else { c };
        let part: String = row.chars().skip(skipped).take(2 * AROUND).map(tame).collect();
        let blank = " ".repeat(self.column - 1 - skipped);
        format!("{part}\n{blank}{}", "^".repeat(carets))
    }
}
