//! Passwords that the appliance makes for people, and secrets that operators give it in files.
#![expect(clippy::disallowed_methods, reason = "a password is randomness from the system")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use desk::auth::password::{Cost, Passwords};
use rand::seq::{IndexedRandom, SliceRandom};

/// Letters and digits that are not mistaken for each other when read aloud or copied by hand.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS: &[u8] = b"23456789";
const SYMBOLS: &[u8] = b"!#%*+-=?";

/// A password of 16 characters with letters, digits and a symbol: about 90 bits.
pub fn password() -> String {
    let mut random = rand::rng();
    let mut pick = |from: &[u8], n: usize| -> Vec<u8> {
        (0..n).filter_map(|_| from.choose(&mut random).copied()).collect()
    };
    let mut characters = [pick(LETTERS, 12), pick(DIGITS, 3), pick(SYMBOLS, 1)].concat();
    characters.shuffle(&mut rand::rng());
    String::from_utf8_lossy(&characters).into_owned()
}

/// Fills a buffer with the system's randomness.
pub fn fill(bytes: &mut [u8]) {
    rand::fill(bytes);
}

/// The hasher of people's passwords.
pub fn passwords() -> Result<Passwords> {
    Ok(Passwords::new(Cost::STRONG, Arc::new(fill))?)
}

/// The longest secret that a file may hold.
const LENGTH_MAX: usize = 4_096;

/// Reads a secret of one line; a file without a folder is a systemd credential. `what` says in errors which key it is for.
pub fn of_file(what: &str, from: &Path) -> Result<String> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|_| from.components().count() == 1);
    let file = credentials.map_or_else(|| from.to_owned(), |folder| PathBuf::from(folder).join(from));
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{what} cannot be read from {}", file.display()))?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    let fits = !text.is_empty() && text.len() <= LENGTH_MAX && !text.chars().any(char::is_control);
    ensure!(fits, "{what} is one line of 1 to {LENGTH_MAX} characters");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ACC-11: 8 to 20 characters with digits, letters and a special symbol, no spaces.
    #[test]
    fn a_made_password_satisfies_the_rule_for_passwords_and_is_never_the_same() {
        let (a, b) = (password(), password());
        assert_ne!(a, b);
        for class in [LETTERS, DIGITS, SYMBOLS] {
            assert!(a.bytes().any(|c| class.contains(&c)), "{a}");
        }
        assert_eq!(a.len(), 16);
    }
}
