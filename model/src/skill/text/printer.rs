//! Writes a requirement as [`super::parse`] reads it.

use std::fmt::Display;

use super::names::{Dictionary, Names, written};
use crate::skill::{Level, SkillExpr};

pub fn print(who: &SkillExpr, names: &Names) -> String {
    let mut text = String::new();
    Printer { names, text: &mut text }.write(who, Place::Alone);
    text
}

/// Where a condition stands decides whether it needs brackets.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Alone,
    /// Between signs or behind `not`.
    Within,
}

struct Printer<'a> {
    names: &'a Names,
    text: &'a mut String,
}

impl Printer<'_> {
    fn write(&mut self, who: &SkillExpr, place: Place) {
        match who {
            SkillExpr::Any => self.put("any"),
            SkillExpr::AtLeast { skill, level } => {
                self.name(*skill, |names| &names.skills);
                if *level > Level::MIN {
                    self.put(&format!(" >= {}", level.get()));
                }
            }
            SkillExpr::InGroup(group) => {
                self.put("group ");
                self.name(*group, |names| &names.groups);
            }
            SkillExpr::OneOf(agents) => {
                self.put("agent ");
                if let [agent] = agents[..] {
                    return self.name(agent, |names| &names.agents);
                }
                self.put("in (");
                for (n, agent) in agents.iter().enumerate() {
                    self.put(if n > 0 { ", " } else { "" });
                    self.name(*agent, |names| &names.agents);
                }
                self.put(")");
            }
            SkillExpr::And(all) => self.chain("and", all, place),
            SkillExpr::Or(all) if all.is_empty() => self.put("nobody"),
            SkillExpr::Or(all) => self.chain("or", all, place),
            SkillExpr::Not(inner) => {
                self.put("not ");
                self.write(inner, Place::Within);
            }
        }
    }

    /// Brackets also where `and` binds tighter: a reader should not have to know.
    fn chain(&mut self, sign: &str, all: &[SkillExpr], place: Place) {
        if let [] | [_] = all {
            self.put(sign);
            self.put("(");
            for one in all {
                self.write(one, Place::Alone);
            }
            return self.put(")");
        }
        let (open, close) = if place == Place::Within { ("(", ")") } else { ("", "") };
        self.put(open);
        for (n, one) in all.iter().enumerate() {
            if n > 0 {
                self.put(&format!(" {sign} "));
            }
            self.write(one, Place::Within);
        }
        self.put(close);
    }

    fn name<I: Copy + Ord + Display>(&mut self, id: I, of: fn(&Names) -> &Dictionary<I>) {
        match of(self.names).name(id) {
            Some(name) => self.put(&written(name)),
            None => self.put(&format!("#{id}")),
        }
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }
}
