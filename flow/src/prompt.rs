//! What is played: sounds by name, and noted values read out.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::speech::Counted;

/// Sounds of one prompt.
pub const ITEMS_MAX: usize = 16;

/// Sounds one after the other. Written as one text or a list of them: the name of a sound, or a noted value: `{name}` is read out
/// digit by digit, `{name:number}` as a number, `{name:minutes}` as so many minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt(pub Vec<Item>);

/// One sound of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A sound by name.
    Sound(String),
    /// A noted value, digit by digit.
    Digits(String),
    /// A noted value as a number; nothing when it is none.
    Number(String, Counted),
}

impl From<&str> for Item {
    fn from(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(var) => match var.split_once(':') {
                Some((var, "number")) => Self::Number(var.to_owned(), Counted::Nothing),
                Some((var, "minutes")) => Self::Number(var.to_owned(), Counted::Minutes),
                _ => Self::Digits(var.to_owned()),
            },
            None => Self::Sound(text.to_owned()),
        }
    }
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sound(name) => f.write_str(name),
            Self::Digits(var) => write!(f, "{{{var}}}"),
            Self::Number(var, Counted::Nothing) => write!(f, "{{{var}:number}}"),
            Self::Number(var, Counted::Minutes) => write!(f, "{{{var}:minutes}}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "the name of a sound, or a list of names")]
enum Written {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for Prompt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let items = match Written::deserialize(from)? {
            Written::One(item) => vec![item],
            Written::Many(items) => items,
        };
        Ok(Self(items.iter().map(|text| Item::from(text.as_str())).collect()))
    }
}

impl Serialize for Prompt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => to.collect_str(one),
            many => to.collect_seq(many.iter().map(ToString::to_string)),
        }
    }
}
