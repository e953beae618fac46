//! Requirements as people write them: `german >= 7 and (billing or not trainee)` (ROUTE-02).
//!
//! ```text
//! condition   = both { "or" both }
//! both        = one { "and" one }
//! one         = "not" one | "(" condition ")" | "any" | "nobody" | membership | skill | list
//! skill       = name [ ( ">=" | ">" ) level ]                 level = "1" … "10"; without: at least 1
//! membership  = "group" name | "agent" name | "agent" "in" "(" [ name { "," name } ] ")"
//! list        = ( "and" | "or" ) "(" [ condition { "," condition } ] ")"
//! name        = word | "\"" … "\"" | "#" id                   in quotes: \" \\ \n \t \u{…}
//! ```
//!
//! The language is total: every [`SkillExpr`] within bounds is printed, and what is printed reads back as the same expression.
//! That is what `list` is for (people need it not): brackets alone could not write an `and` of one condition or of none.
//! Reading takes one pass and stops at the first error, with its place. Names are found in [`Names`]; case decides only between
//! names that differ in nothing else. Keywords are English in any case, and a name that is one stands in quotes.

mod error;
mod lexer;
mod names;
mod parser;
mod printer;

pub use self::error::{Problem, TextError};
pub use self::names::{Kind, Names};
use super::SkillExpr;

/// Octets of a text that is read. Whatever is printed within [`super::TERMS_MAX`] of names up to 80 characters is shorter.
pub const TEXT_MAX: usize = 128 * 1024;
/// How deep brackets and `not` may stand in one another, counting those that change nothing.
const NESTED_MAX: usize = 2 * super::DEPTH_MAX;

/// Reads a text.
pub fn parse(text: &str, names: &Names) -> Result<SkillExpr, TextError> {
    parser::parse(text, names)
}

/// Writes a text that [`parse`] reads as the same expression. An id without a name of its own is written as `#` and the id.
pub fn print(who: &SkillExpr, names: &Names) -> String {
    printer::print(who, names)
}

/// Words with a meaning of their own.
const RESERVED: [&str; 8] = ["any", "nobody", "and", "or", "not", "group", "agent", "in"];

fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}
