//! Reads a text: one token ahead, one function a line of the grammar.

use super::error::{Expected, Problem, TextError, shown};
use super::lexer::{Lexer, Piece, Token};
use super::names::{Dictionary, Found, Kind, Names, written};
use super::{NESTED_MAX, TEXT_MAX};
use crate::id::{AgentId, Id};
use crate::skill::{DEPTH_MAX, Level, SkillExpr, TERMS_MAX};

pub fn parse(text: &str, names: &Names) -> Result<SkillExpr, TextError> {
    if text.len() > TEXT_MAX {
        let at = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        return Err(TextError::new(text, at, 0, Problem::TooLong));
    }
    let mut lexer = Lexer::new(text);
    let next = lexer.next()?;
    let mut parser = Parser { lexer, next, names, terms: 0, nested: 0 };
    let whole = parser.condition()?;
    match parser.next.piece {
        Piece::End => Ok(whole.who),
        _ => Err(parser.unexpected(Expected::Operator)),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Token<'a>,
    names: &'a Names,
    /// Terms so far, as [`TERMS_MAX`] counts them.
    terms: usize,
    /// Brackets and `not` that are open.
    nested: usize,
}

/// A condition and how deep it is.
struct Node {
    who: SkillExpr,
    depth: usize,
}

type Read<T> = Result<T, TextError>;

impl<'a> Parser<'a> {
    /// `both { "or" both }`
    fn condition(&mut self) -> Read<Node> {
        self.chain("or", SkillExpr::Or, Self::both)
    }

    /// `one { "and" one }`
    fn both(&mut self) -> Read<Node> {
        self.chain("and", SkillExpr::And, Self::one)
    }

    fn chain(
        &mut self,
        between: &str,
        make: fn(Vec<SkillExpr>) -> SkillExpr,
        part: fn(&mut Self) -> Read<Node>,
    ) -> Read<Node> {
        let first = part(self)?;
        if !self.is_word(between) {
            return Ok(first);
        }
        let sign = self.next.clone();
        self.count(1, &sign)?;
        let (mut depth, mut all) = (first.depth, vec![first.who]);
        while self.is_word(between) {
            self.advance()?;
            let another = part(self)?;
            depth = depth.max(another.depth);
            all.push(another.who);
        }
        self.over(depth, make(all), &sign)
    }

    fn one(&mut self) -> Read<Node> {
        let token = self.next.clone();
        match &token.piece {
            Piece::Open => {
                let inner = self.nest(|parser| {
                    parser.advance()?;
                    parser.condition()
                })?;
                self.take(&Piece::Close, Expected::Close)?;
                Ok(inner)
            }
            Piece::Word(word) => match word.to_ascii_lowercase().as_str() {
                "any" => self.leaf(SkillExpr::Any),
                "nobody" => self.leaf(SkillExpr::Or(Vec::new())),
                "not" => {
                    self.count(1, &token)?;
                    let inner = self.nest(|parser| {
                        parser.advance()?;
                        parser.one()
                    })?;
                    self.over(inner.depth, SkillExpr::Not(Box::new(inner.who)), &token)
                }
                "group" => {
                    self.advance()?;
                    let group = self.name(Kind::Group, |names| &names.groups)?;
                    self.counted(SkillExpr::InGroup(group), 1, &token)
                }
                "agent" => {
                    self.advance()?;
                    self.agents(&token)
                }
                "and" => self.list(SkillExpr::And),
                "or" => self.list(SkillExpr::Or),
                "in" => Err(self.unexpected(Expected::Condition)),
                _ => self.skill(),
            },
            Piece::Quoted(_) | Piece::Id(_) => self.skill(),
            _ => Err(self.unexpected(Expected::Condition)),
        }
    }

    /// `name [ ( ">=" | ">" ) level ]`
    fn skill(&mut self) -> Read<Node> {
        let token = self.next.clone();
        let skill = self.name(Kind::Skill, |names| &names.skills)?;
        let level = match self.next.piece {
            Piece::Comparison(">=" | "≥") => self.level(0)?,
            Piece::Comparison(">") => self.level(1)?,
            Piece::Comparison(operator) => return Err(self.no_comparison(operator, &token)),
            _ => Level::MIN,
        };
        self.counted(SkillExpr::AtLeast { skill, level }, 1, &token)
    }

    /// The level behind an operator, `more` above what is written.
    fn level(&mut self, more: u8) -> Read<Level> {
        self.advance()?;
        let Piece::Word(digits) = self.next.piece else { return Err(self.unexpected(Expected::Level)) };
        let number = digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse::<u8>().ok()).flatten();
        let Some(level) = number.and_then(|number| Level::new(number.checked_add(more)?)) else {
            return Err(self.wrong(Problem::Level { found: shown(digits) }));
        };
        self.advance()?;
        Ok(level)
    }

    /// Other comparisons leave open whether whoever lacks the skill will do, so the author has to say.
    fn no_comparison(&mut self, operator: &'a str, skill: &Token<'_>) -> TextError {
        let (here, name) = (self.next.clone(), self.lexer.text(skill.at, skill.length));
        let level = match self.advance().map(|()| &self.next.piece) {
            Ok(Piece::Word(digits)) => digits.parse::<u8>().ok().filter(|level| (1..=10).contains(level)),
            _ => None,
        };
        let level = level.unwrap_or(7);
        let at_least = |level: u8| if level <= 1 { name.to_owned() } else { format!("{name} >= {level}") };
        let not_above = |level: u8| match level {
            10.. => at_least(1),
            _ => format!("{name} and not {}", at_least(level + 1)),
        };
        let instead = match operator {
            "=>" => at_least(level),
            "<" if level > 1 => not_above(level - 1),
            "<" => format!("not {name}"),
            "<=" | "=<" | "≤" => not_above(level),
            "!=" | "<>" | "≠" if level == 10 => format!("{name} and not {}", at_least(10)),
            "!=" | "<>" | "≠" => format!("{name} and (not {} or {})", at_least(level), at_least(level + 1)),
            _ if level == 10 => at_least(10),
            _ => format!("{} and not {}", at_least(level), at_least(level + 1)),
        };
        let operator = shown(operator);
        self.lexer.error(here.at, here.length, Problem::Comparison { operator, instead })
    }

    /// Behind `agent`: one name, or `in` and a list of them.
    fn agents(&mut self, token: &Token<'a>) -> Read<Node> {
        let name = |parser: &mut Self| parser.name(Kind::Agent, |names| &names.agents);
        if !self.is_word("in") {
            let agent: AgentId = name(self)?;
            return self.counted(SkillExpr::OneOf(vec![agent]), 1, token);
        }
        self.advance()?;
        self.take(&Piece::Open, Expected::Open)?;
        let mut agents = Vec::new();
        while self.next.piece != Piece::Close {
            if !agents.is_empty() {
                self.take(&Piece::Comma, Expected::Comma)?;
            }
            let here = self.next.clone();
            agents.push(name(self)?);
            self.count(1, &here)?;
        }
        self.advance()?;
        let rest = usize::from(agents.is_empty());
        self.counted(SkillExpr::OneOf(agents), rest, token)
    }

    /// `( "and" | "or" ) "(" [ condition { "," condition } ] ")"`
    fn list(&mut self, make: fn(Vec<SkillExpr>) -> SkillExpr) -> Read<Node> {
        let token = self.next.clone();
        let unexpected = self.unexpected(Expected::Condition);
        self.advance()?;
        if self.next.piece != Piece::Open {
            return Err(unexpected);
        }
        self.count(1, &token)?;
        self.advance()?;
        let (mut all, mut depth) = (Vec::new(), 0);
        while self.next.piece != Piece::Close {
            if !all.is_empty() {
                self.take(&Piece::Comma, Expected::Comma)?;
            }
            let part = self.nest(Self::condition)?;
            depth = depth.max(part.depth);
            all.push(part.who);
        }
        self.advance()?;
        self.over(depth, make(all), &token)
    }

    /// The id that a name stands for.
    fn name<I: Id + Ord>(&mut self, kind: Kind, of: fn(&'a Names) -> &'a Dictionary<I>) -> Read<I> {
        let name = match &self.next.piece {
            Piece::Word(word) if !super::is_reserved(word) => (*word).to_owned(),
            Piece::Quoted(name) => name.clone(),
            Piece::Id(id) => {
                let id = id.parse().map_err(|_| self.wrong(Problem::NotAnId { kind, found: shown(id) }))?;
                self.advance()?;
                return Ok(id);
            }
            _ => return Err(self.unexpected(Expected::Name(kind))),
        };
        let found = match of(self.names).find(&name) {
            Found::One(id) => id,
            Found::Several(one) => {
                let instead = shown(&written(one));
                return Err(self.wrong(Problem::Ambiguous { kind, name: shown(&name), instead }));
            }
            Found::None => {
                let following = self.following(&name);
                let instead = self.names.meant(kind, &name, &following);
                return Err(self.wrong(Problem::Unknown { kind, name: shown(&name), instead }));
            }
        };
        self.advance()?;
        Ok(found)
    }

    /// A word with those behind it: a name of several words that should have stood in quotes.
    fn following(&self, name: &str) -> Vec<String> {
        let (mut lexer, mut name, mut all) = (self.lexer.clone(), name.to_owned(), Vec::new());
        while let (Ok(Token { piece: Piece::Word(word), .. }), true) = (lexer.next(), all.len() < 8) {
            name = format!("{name} {word}");
            all.push(name.clone());
        }
        all
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.next.piece, Piece::Word(next) if next.eq_ignore_ascii_case(word))
    }

    fn advance(&mut self) -> Read<()> {
        self.next = self.lexer.next()?;
        Ok(())
    }

    fn take(&mut self, piece: &Piece<'_>, expected: Expected) -> Read<()> {
        if self.next.piece == *piece { self.advance() } else { Err(self.unexpected(expected)) }
    }

    /// Reads something within brackets or behind `not`.
    fn nest(&mut self, read: impl FnOnce(&mut Self) -> Read<Node>) -> Read<Node> {
        if self.nested == NESTED_MAX {
            return Err(self.wrong(Problem::TooDeep));
        }
        self.nested += 1;
        let node = read(self)?;
        self.nested -= 1;
        Ok(node)
    }

    fn count(&mut self, terms: usize, token: &Token<'_>) -> Read<()> {
        self.terms += terms;
        if self.terms > TERMS_MAX {
            return Err(self.lexer.error(token.at, token.length, Problem::TooManyTerms));
        }
        Ok(())
    }

    /// The keyword before us, which is a condition by itself.
    fn leaf(&mut self, who: SkillExpr) -> Read<Node> {
        let token = self.next.clone();
        self.advance()?;
        self.counted(who, 1, &token)
    }

    fn counted(&mut self, who: SkillExpr, terms: usize, token: &Token<'_>) -> Read<Node> {
        self.count(terms, token)?;
        Ok(Node { who, depth: 1 })
    }

    /// Something over conditions of this depth.
    fn over(&self, depth: usize, who: SkillExpr, token: &Token<'_>) -> Read<Node> {
        if depth == DEPTH_MAX {
            return Err(self.lexer.error(token.at, token.length, Problem::TooDeep));
        }
        Ok(Node { who, depth: depth + 1 })
    }

    fn wrong(&self, problem: Problem) -> TextError {
        self.lexer.error(self.next.at, self.next.length, problem)
    }

    fn unexpected(&self, expected: Expected) -> TextError {
        let found = self.lexer.text(self.next.at, self.next.length);
        let digits = !found.is_empty() && found.bytes().all(|c| c.is_ascii_digit());
        let operator = matches!(expected, Expected::Operator | Expected::Close);
        let instead = match self.next.piece {
            // A level without its sign.
            Piece::Word(_) if operator && digits => Some(format!(">= {}", shown(found))),
            _ => None,
        };
        self.wrong(Problem::Expected { expected, found: shown(found), instead })
    }
}
