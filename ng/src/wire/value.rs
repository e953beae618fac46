//! What bencode and JSON have in common: numbers, octets, lists, dictionaries.

/// How deep lists and dictionaries may lie in one another.
pub const DEPTH_MAX: usize = 16;
/// How many values one message may have.
pub const VALUES_MAX: usize = 4_096;

/// A value of either encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Text, or octets as they are.
    Text(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A dictionary, in the order it was written.
    Dict(Vec<(String, Value)>),
}

impl Value {
    /// Text as a string; octets that are not UTF-8 are replaced.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(octets) => Some(String::from_utf8_lossy(octets).into_owned()),
            Self::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }
    /// A number, or a decimal string, which proxies send just as well.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(octets) => std::str::from_utf8(octets).ok()?.trim().parse().ok(),
            _ => None,
        }
    }
    /// The members of a list; a text counts as a list of one.
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::List(members) => members.iter().filter_map(Self::text).collect(),
            other => other.text().into_iter().collect(),
        }
    }
    /// What a dictionary has under a name. Names are equal whether written with a space or `-`.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else { return None };
        entries.iter().find(|(key, _)| same_name(key, name)).map(|(_, value)| value)
    }
    /// An empty dictionary.
    pub const fn dict() -> Self {
        Self::Dict(Vec::new())
    }
    /// The dictionary with one entry more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Self>) -> Self {
        if let Self::Dict(entries) = &mut self {
            entries.push((name.into(), value.into()));
        }
        self
    }
    /// `result: ok`.
    pub fn ok() -> Self {
        Self::dict().with("result", "ok")
    }
    /// `result: error` with a reason.
    pub fn error(reason: impl Into<String>) -> Self {
        Self::dict().with("result", "error").with("error-reason", reason.into())
    }
}

/// Two-word names have a form with a space and one with `-`.
pub fn same_name(a: &str, b: &str) -> bool {
    let plain = |c: char| if c == ' ' { '-' } else { c };
    a.len() == b.len() && a.chars().map(plain).eq(b.chars().map(plain))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into_bytes())
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
impl From<Vec<Value>> for Value {
    fn from(members: Vec<Value>) -> Self {
        Self::List(members)
    }
}
