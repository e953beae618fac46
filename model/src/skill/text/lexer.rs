//! A text cut into words and signs.

use std::fmt::Write as _;

use super::error::{Problem, TextError};

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Letters and digits: a keyword, a level or a name.
    Word(&'a str),
    /// What stood in quotes: always a name.
    Quoted(String),
    /// What stood after `#`.
    Id(&'a str),
    Open,
    Close,
    Comma,
    /// `>=`, `<`, …
    Comparison(&'a str),
    End,
}

/// A piece and where it stands.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    pub piece: Piece<'a>,
    pub at: usize,
    pub length: usize,
}

#[derive(Clone)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// What a word begins with. Letters of many scripts carry marks that are no letters themselves.
fn begins_word(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '_' | '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{652}'
            | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}'
            | '\u{d4d}' | '\u{e47}'..='\u{e4e}')
}

fn goes_on(c: char) -> bool {
    begins_word(c) || matches!(c, '-' | '.' | '@')
}

/// Whether a name may stand without quotes.
pub fn is_bare(name: &str) -> bool {
    name.starts_with(begins_word) && name.chars().all(goes_on) && !super::is_reserved(name)
}

/// A name in quotes.
pub fn quoted(name: &str) -> String {
    let mut text = String::from("\"");
    for c in name.chars() {
        // Writing to a String does not fail.
        let _ = match c {
            '"' | '\\' => write!(text, "\\{c}"),
            '\n' => write!(text, "\\n"),
            '\t' => write!(text, "\\t"),
            c if c.is_control() => write!(text, "\\u{{{:x}}}", u32::from(c)),
            c => write!(text, "{c}"),
        };
    }
    text.push('"');
    text
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next piece; [`Piece::End`] for ever after the last.
    pub fn next(&mut self) -> Result<Token<'a>, TextError> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        let (at, rest) = (self.at, &self.text[self.at..]);
        let Some(first) = rest.chars().next() else {
            return Ok(Token { piece: Piece::End, at, length: 0 });
        };
        let until = |end: fn(char) -> bool, from: usize| {
            rest[from..].find(|c| !end(c)).map_or(rest.len(), |n| n + from)
        };
        let (piece, length) = match first {
            '(' => (Piece::Open, 1),
            ')' => (Piece::Close, 1),
            ',' => (Piece::Comma, 1),
            '"' => {
                let (name, length) = self.in_quotes(at)?;
                (Piece::Quoted(name), length)
            }
            '#' => {
                let length = until(goes_on, 1);
                (Piece::Id(&rest[1..length]), length)
            }
            '<' | '>' | '=' | '≥' | '≤' | '≠' => {
                let length = until(|c| matches!(c, '<' | '>' | '=' | '≥' | '≤' | '≠'), 0);
                (Piece::Comparison(&rest[..length]), length)
            }
            '!' if rest.starts_with("!=") => (Piece::Comparison("!="), 2),
            c if begins_word(c) => {
                let length = until(goes_on, 0);
                (Piece::Word(&rest[..length]), length)
            }
            sign => {
                let instead = match sign {
                    '&' => Some("and"),
                    '|' => Some("or"),
                    '!' | '¬' => Some("not"),
                    '“' | '”' | '„' | '«' | '»' | '\'' | '‘' | '’' | '`' => Some("\""),
                    ':' => Some(">="),
                    _ => None,
                };
                return Err(self.error(at, sign.len_utf8(), Problem::Sign { sign, instead }));
            }
        };
        self.at = at + length;
        Ok(Token { piece, at, length })
    }

    /// The name in quotes that begin at `start`, and their length.
    fn in_quotes(&self, start: usize) -> Result<(String, usize), TextError> {
        let mut name = String::new();
        let mut letters = self.text[start..].char_indices().skip(1);
        while let Some((at, c)) = letters.next() {
            match c {
                '"' => return Ok((name, at + 1)),
                '\n' => break,
                '\\' => {
                    let escaped = match letters.next() {
                        Some((_, c @ ('"' | '\\'))) => Some(c),
                        Some((_, 'n')) => Some('\n'),
                        Some((_, 't')) => Some('\t'),
                        Some((from, 'u')) => {
                            let code = self.text[start + from..].get(1..).unwrap_or_default();
                            let code = code.strip_prefix('{').and_then(|code| code.split_once('}'));
                            let hex =
                                |code: &&str| code.len() <= 6 && code.bytes().all(|c| c.is_ascii_hexdigit());
                            let code = code.map(|(code, _)| code).filter(hex);
                            // The digits and both braces are behind us then.
                            code.and_then(|code| {
                                letters.nth(code.chars().count() + 1);
                                u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
                            })
                        }
                        _ => None,
                    };
                    name.push(escaped.ok_or_else(|| self.error(start + at, 1, Problem::Escape))?);
                }
                c => name.push(c),
            }
        }
        Err(self.error(start, 1, Problem::OpenQuote))
    }

    pub fn error(&self, at: usize, length: usize, problem: Problem) -> TextError {
        TextError::new(self.text, at, length, problem)
    }

    /// What stands there.
    pub fn text(&self, at: usize, length: usize) -> &'a str {
        &self.text[at..at + length]
    }
}
