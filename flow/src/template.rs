//! Texts with places for noted values: `{name}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest value that is noted, in characters. What is longer is cut.
pub const VALUE_MAX: usize = 256;

/// A text in which `{name}` stands for what was noted under that name; `{{` and `}}` are braces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(pub String);

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Stands for itself.
    Text(&'a str),
    /// What was noted under this name.
    Value(&'a str),
}

impl Template {
    /// Its pieces; the error is a brace that has no partner.
    pub fn pieces(&self) -> Result<Vec<Piece<'_>>, String> {
        let (mut pieces, mut rest) = (Vec::new(), self.0.as_str());
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Text(before));
            }
            if brace.starts_with("{{") || brace.starts_with("}}") {
                pieces.push(Piece::Text(&brace[..1]));
                rest = &brace[2..];
            } else if let Some((name, after)) = brace.strip_prefix('{').and_then(|b| b.split_once('}')) {
                pieces.push(Piece::Value(name));
                rest = after;
            } else {
                return Err(format!("`{}` has no partner; a brace itself is written twice", &brace[..1]));
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
        Ok(pieces)
    }

    /// The text with values in their places; what was not noted is empty.
    pub fn fill(&self, vars: &BTreeMap<String, String>) -> String {
        let pieces = self.pieces().unwrap_or_default();
        let text = |piece: &Piece<'_>| match piece {
            Piece::Text(text) => (*text).to_owned(),
            Piece::Value(name) => vars.get(*name).cloned().unwrap_or_default(),
        };
        pieces.iter().map(text).collect::<String>().chars().take(VALUE_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_braces_and_braces_are_doubled() {
        let vars = BTreeMap::from([("lang".to_owned(), "de".to_owned())]);
        let filled = |text: &str| Template(text.to_owned()).fill(&vars);
        assert_eq!(filled("in {lang}, {nothing}!"), "in de, !");
        assert_eq!(filled("{{lang}} {lang}"), "{lang} de");
        for broken in ["{lang", "lang}", "a } b", "{"] {
            assert!(Template(broken.to_owned()).pieces().is_err(), "{broken}");
        }
        assert_eq!(filled(&"{lang}".repeat(200)).len(), VALUE_MAX);
    }
}
