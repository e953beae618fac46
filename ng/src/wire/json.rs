//! JSON, read into the values that bencode has too.

use super::value::{DEPTH_MAX, VALUES_MAX, Value};

/// Reads one document; `None` when it is broken, too deep or too large.
pub fn read(octets: &[u8]) -> Option<Value> {
    let document: serde_json::Value = serde_json::from_slice(octets).ok()?;
    convert(document, 0, &mut { VALUES_MAX })
}

fn convert(value: serde_json::Value, depth: usize, left: &mut usize) -> Option<Value> {
    use serde_json::Value as Json;
    *left = left.checked_sub(1)?;
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match value {
        Json::Null => Value::Text(Vec::new()),
        Json::Bool(yes) => Value::Int(i64::from(yes)),
        Json::Number(number) => number.as_i64().map_or_else(|| number.to_string().into(), Value::Int),
        Json::String(text) => text.into(),
        Json::Array(members) => {
            let members: Option<Vec<_>> =
                members.into_iter().map(|member| convert(member, depth + 1, left)).collect();
            Value::List(members?)
        }
        Json::Object(entries) => {
            let entries: Option<Vec<_>> = entries
                .into_iter()
                .map(|(name, value)| Some((name, convert(value, depth + 1, left)?)))
                .collect();
            Value::Dict(entries?)
        }
    })
}

/// Appends a value. Octets that are not UTF-8 are replaced: JSON has no other way to carry them.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Text(octets) => text(&String::from_utf8_lossy(octets), out),
        Value::List(members) => {
            out.push(b'[');
            for (place, member) in members.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write(member, out);
            }
            out.push(b']');
        }
        Value::Dict(entries) => {
            out.push(b'{');
            for (place, (name, value)) in entries.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                text(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}
