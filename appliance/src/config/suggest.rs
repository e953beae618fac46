//! The word that was perhaps meant.

/// Adds "did you mean" to the parser's message about an unknown key.
pub(super) fn with_suggestion(message: &str) -> String {
    let Some((_, rest)) = message.split_once("unknown field `") else { return message.to_owned() };
    let Some((wrong, known)) = rest.split_once('`') else { return message.to_owned() };
    let best = known
        .split('`')
        .filter(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '_') && w.len() > 1)
        // Of words equally far away, letters that changed places are likelier than other letters.
        .map(|w| (distance(wrong, w), letters(wrong) != letters(w), w))
        .min();
    match best {
        Some((d, _, word)) if d <= wrong.len() / 2 + 1 => format!("{message}\ndid you mean `{word}`?"),
        _ => message.to_owned(),
    }
}

fn letters(word: &str) -> Vec<char> {
    let mut all: Vec<char> = word.chars().collect();
    all.sort_unstable();
    all
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, cb) in b.chars().enumerate() {
            let edited = corner + usize::from(ca != cb);
            corner = row[j + 1];
            row[j + 1] = edited.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
