//! Bencode: `i42e`, `4:text`, `l…e`, `d…e`. Keys of dictionaries need not come sorted; real proxies do not sort.

use super::value::{DEPTH_MAX, VALUES_MAX, Value};

/// Digits a number or a length may have.
const DIGITS_MAX: usize = 19;

/// Reads one value; `None` when it is broken, too deep or too large, or something follows it.
pub fn read(octets: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: octets, left: VALUES_MAX };
    let value = reader.value(0)?;
    // Line ends behind the dictionary come from hand-made requests and harm nobody.
    reader.rest.iter().all(u8::is_ascii_whitespace).then_some(value)
}

/// Appends a value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(number) => out.extend_from_slice(format!("i{number}e").as_bytes()),
        Value::Text(octets) => text(octets, out),
        Value::List(members) => {
            out.push(b'l');
            members.iter().for_each(|member| write(member, out));
            out.push(b'e');
        }
        Value::Dict(entries) => {
            out.push(b'd');
            for (name, value) in entries {
                text(name.as_bytes(), out);
                write(value, out);
            }
            out.push(b'e');
        }
    }
}

fn text(octets: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{}:", octets.len()).as_bytes());
    out.extend_from_slice(octets);
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Values that may still come.
    left: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        match *self.rest.first()? {
            b'i' => {
                self.skip();
                self.number(b'e').map(Value::Int)
            }
            b'0'..=b'9' => self.octets().map(|octets| Value::Text(octets.to_vec())),
            b'l' if depth < DEPTH_MAX => {
                self.skip();
                let mut members = Vec::new();
                while !self.ended()? {
                    members.push(self.value(depth + 1)?);
                }
                Some(Value::List(members))
            }
            b'd' if depth < DEPTH_MAX => {
                self.skip();
                let mut entries = Vec::new();
                while !self.ended()? {
                    let name = String::from_utf8_lossy(self.octets()?).into_owned();
                    entries.push((name, self.value(depth + 1)?));
                }
                Some(Value::Dict(entries))
            }
            _ => None,
        }
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Whether the list or dictionary ends here; `None` at the end of the message.
    fn ended(&mut self) -> Option<bool> {
        let ends = *self.rest.first()? == b'e';
        if ends {
            self.skip();
        }
        Some(ends)
    }

    fn number(&mut self, end: u8) -> Option<i64> {
        let window = self.rest.get(..self.rest.len().min(DIGITS_MAX + 2))?;
        let len = window.iter().position(|octet| *octet == end)?;
        let digits = std::str::from_utf8(window.get(..len)?).ok()?;
        let plain = digits.strip_prefix('-').unwrap_or(digits);
        if plain.is_empty() || !plain.bytes().all(|octet| octet.is_ascii_digit()) {
            return None;
        }
        self.rest = self.rest.get(len + 1..)?;
        digits.parse().ok()
    }

    fn octets(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number(b':')?).ok()?;
        let (octets, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(octets)
    }
}
