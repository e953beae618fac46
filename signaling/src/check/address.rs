//! `From`, `To`, `Contact` and their kind: a display name, a URI, parameters (RFC 3261 §20.10, §25.1).

use super::head::is_token;

/// One address with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name for people, unquoted and unescaped; not yet fit to be shown (see `trunk`).
    pub display: Option<String>,
    /// The URI, as written.
    pub uri: String,
    /// The parameters after the address.
    pub parameters: Vec<Parameter>,
}

/// `name` or `name=value`; the name in lower case, a quoted value without its quotes.
pub type Parameter = (String, Option<String>);

/// A value that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAddress(pub &'static str);

/// The values of `Contact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `*`.
    Star,
    /// Addresses.
    List(Vec<Address>),
}

impl Address {
    /// The value of a parameter; the empty string for one without a value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_deref().unwrap_or(""))
    }
}

/// Most addresses in one header.
const LIST_MAX: usize = 64;

/// Reads a header that holds one address.
pub fn parse_address(value: &str) -> Result<Address, BadAddress> {
    let mut scan = Scan(value);
    let address = scan.address()?;
    scan.blanks();
    if scan.0.is_empty() { Ok(address) } else { Err(BadAddress("More Than One Address")) }
}

/// Reads a header that may hold several, between commas.
pub fn parse_addresses(value: &str) -> Result<Vec<Address>, BadAddress> {
    let mut scan = Scan(value);
    let mut all = vec![scan.address()?];
    loop {
        scan.blanks();
        if scan.0.is_empty() {
            return Ok(all);
        }
        if !scan.take(',') {
            return Err(BadAddress("Something Between Address and Comma"));
        }
        if all.len() == LIST_MAX {
            return Err(BadAddress("Too Many Addresses"));
        }
        all.push(scan.address()?);
    }
}

/// Reads `Contact`.
pub fn parse_contacts(value: &str) -> Result<Contacts, BadAddress> {
    if value.trim() == "*" { Ok(Contacts::Star) } else { parse_addresses(value).map(Contacts::List) }
}

/// Reads from the left; what is left is inside.
pub(super) struct Scan<'a>(pub &'a str);

impl<'a> Scan<'a> {
    pub fn blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }
    pub fn take(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
    /// Everything before the first of these characters, or all.
    pub fn until(&mut self, stop: &[char]) -> &'a str {
        let at = self.0.find(stop).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(at).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }

    fn address(&mut self) -> Result<Address, BadAddress> {
        self.blanks();
        let (display, uri, bare) = if self.take('"') {
            let name = self.quoted()?;
            self.blanks();
            if !self.take('<') {
                return Err(BadAddress("A Name Without an Address"));
            }
            (Some(name), self.bracketed()?, false)
        } else {
            let before = self.until(&['<', '"', ';', ',', ':']);
            if self.take('<') {
                (display(before)?, self.bracketed()?, false)
            } else {
                if !self.0.starts_with(':') {
                    return Err(BadAddress("Not an Address"));
                }
                // Without brackets a `?` or `,` would be ambiguous, so the grammar forbids them there (§20.10).
                let after = self.until(&[';', ',', ' ', '\t']);
                (None, format!("{before}{after}"), true)
            }
        };
        uri_form(&uri)?;
        if bare && uri.contains('?') {
            return Err(BadAddress("A URI With Headers Needs Brackets"));
        }
        Ok(Address { display, uri, parameters: self.parameters()? })
    }

    /// The rest of a quoted string whose first quote is taken.
    fn quoted(&mut self) -> Result<String, BadAddress> {
        let mut text = String::new();
        let mut chars = self.0.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = self.0.get(at + 1..).unwrap_or_default();
                    return Ok(text);
                }
                '\\' => text.push(chars.next().ok_or(BadAddress("Unbalanced Quotes"))?.1),
                c => text.push(c),
            }
        }
        Err(BadAddress("Unbalanced Quotes"))
    }

    fn bracketed(&mut self) -> Result<String, BadAddress> {
        let uri = self.until(&['>']);
        if self.take('>') { Ok(uri.to_owned()) } else { Err(BadAddress("Unbalanced Brackets")) }
    }

    /// `*( ; name [= value] )`, blanks allowed everywhere between.
    pub fn parameters(&mut self) -> Result<Vec<Parameter>, BadAddress> {
        let mut all = Vec::new();
        loop {
            self.blanks();
            if !self.take(';') {
                return Ok(all);
            }
            self.blanks();
            let name = self.until(&[';', ',', '=', ' ', '\t']).to_ascii_lowercase();
            if !is_token(&name) {
                return Err(BadAddress("A Parameter Without a Name"));
            }
            if all.iter().any(|(n, _)| *n == name) {
                return Err(BadAddress("A Parameter Twice"));
            }
            self.blanks();
            let value = if self.take('=') {
                self.blanks();
                let value = if self.take('"') {
                    self.quoted()?
                } else {
                    self.until(&[';', ',', ' ', '\t', '"', '<', '>']).to_owned()
                };
                Some(value)
            } else {
                None
            };
            all.push((name, value));
        }
    }
}

/// A name without quotes: words. Letters beyond ASCII are let through, since many devices do not quote them.
fn display(text: &str) -> Result<Option<String>, BadAddress> {
    let good = |b: u8| !b.is_ascii() || b.is_ascii_alphanumeric() || b"-.!%*_+`'~ \t".contains(&b);
    match text.trim() {
        "" => Ok(None),
        name if name.bytes().all(good) => Ok(Some(name.to_owned())),
        _ => Err(BadAddress("A Name That Must Be Quoted")),
    }
}

/// Enough of a URI to go on with: a scheme, and no character that would end it. Other schemes than `sip` are allowed.
fn uri_form(uri: &str) -> Result<(), BadAddress> {
    let (scheme, rest) = uri.split_once(':').ok_or(BadAddress("A URI Without a Scheme"))?;
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !scheme_ok || rest.is_empty() {
        return Err(BadAddress("A URI Without a Scheme"));
    }
    if rest.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'<' || b == b'"') {
        return Err(BadAddress("A Blank or Quote in a URI"));
    }
    Ok(())
}
