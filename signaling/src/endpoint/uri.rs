//! The little of a SIP URI that routing a call needs (RFC 3261 §19.1).

/// The user part of a `sip:`, `sips:` or `tel:` URI with `%xx` undone, without parameters and password.
/// `None`: no user, or one that is not text.
pub fn user(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let raw = match scheme.to_ascii_lowercase().as_str() {
        "tel" => rest.split([';', '?']).next()?,
        "sip" | "sips" => {
            let (userinfo, _) = rest.split_once('@')?;
            // `;` in a user part begins parameters of a telephone number (`+49…;phone-context=…`).
            userinfo.split([':', ';']).next()?
        }
        _ => return None,
    };
    let user = unescape(raw)?;
    (!user.is_empty()).then_some(user)
}

/// Host and port of a `sip:` or `sips:` URI, as written.
pub fn host_port(uri: &str) -> Option<(&str, Option<u16>)> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
        return None;
    }
    let host_port = rest.rsplit_once('@').map_or(rest, |(_, h)| h).split([';', '?', '>']).next()?;
    match host_port.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port.parse().ok()?),
                None if after.is_empty() => None,
                None => return None,
            };
            Some((host, port))
        }
        None => match host_port.split_once(':') {
            Some((host, port)) => Some((host, Some(port.parse().ok()?))),
            None => Some((host_port, None)),
        },
    }
}

/// The URI of a name-addr or addr-spec (`"A" <sip:a@b>;tag=x` gives `sip:a@b`).
pub fn of_address(value: &str) -> Option<&str> {
    let value = value.trim();
    let without_name = match value.strip_prefix('"') {
        Some(_) => value.get(value.rfind('<')?..)?,
        None => value,
    };
    match without_name.find('<') {
        Some(open) => {
            let inner = without_name.get(open + 1..)?;
            inner.get(..inner.find('>')?)
        }
        // Without brackets, parameters are the header's own (§20.10).
        None => without_name.split(';').next(),
    }
    .map(str::trim)
    .filter(|uri| !uri.is_empty())
}

/// The display name of a name-addr, unquoted. `None` if there is none.
pub fn display_name(value: &str) -> Option<String> {
    let value = value.trim();
    let name = match value.strip_prefix('"') {
        Some(rest) => {
            let (mut name, mut escaped) = (String::new(), false);
            for c in rest.chars() {
                match c {
                    _ if escaped => {
                        escaped = false;
                        name.push(c);
                    }
                    '\\' => escaped = true,
                    '"' => break,
                    _ => name.push(c),
                }
            }
            name
        }
        None => value.split_once('<')?.0.trim().to_owned(),
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
    (!name.trim().is_empty()).then(|| name.trim().to_owned())
}

/// A display name as a quoted string.
pub fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A user part with everything escaped that may not stand there (§25.1: unreserved and user-unreserved).
pub fn escape_user(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for b in user.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,/".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// `%xx` undone; `None` if that is not text.
pub fn unescape(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(b) = rest.next() {
        if b != b'%' {
            bytes.push(b);
            continue;
        }
        let digit = |b: u8| char::from(b).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// A number with all but its last three digits hidden, for logs.
pub fn masked(number: &str) -> String {
    let keep = number.chars().count().saturating_sub(3);
    number.chars().enumerate().map(|(at, c)| if at < keep { '*' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialled_number_is_found_in_all_forms() {
        for (uri, number) in [
            ("sip:+4930123@pbx.example;user=phone", "+4930123"),
            ("sip:+4930123;phone-context=x@pbx.example", "+4930123"),
            ("sips:100@[2001:db8::1]:5061", "100"),
            ("tel:+1-201-555-0123;ext=3", "+1-201-555-0123"),
            ("sip:%31%30:secret@h", "10"),
        ] {
            assert_eq!(user(uri).as_deref(), Some(number), "{uri}");
        }
        for uri in ["sip:host", "mailto:a@b", "sip:%f@h", "sip:@h", "sip:%ff@h"] {
            assert_eq!(user(uri), None, "{uri}");
        }
    }

    #[test]
    fn hosts_with_and_without_ports() {
        assert_eq!(host_port("sip:a@[::1]:5060;transport=tcp"), Some(("::1", Some(5060))));
        assert_eq!(host_port("sip:h.example"), Some(("h.example", None)));
        assert_eq!(host_port("sip:a@h:x"), None);
    }

    #[test]
    fn names_and_addresses_come_apart() {
        assert_eq!(of_address("\"<\\\"x\" <sip:a@b;x>;tag=1"), Some("sip:a@b;x"));
        assert_eq!(of_address("sip:a@b;tag=1"), Some("sip:a@b"));
        assert_eq!(display_name("\"Ana \\\"A\\\" B\" <sip:a@b>").as_deref(), Some("Ana \"A\" B"));
        assert_eq!(display_name("Ana B <sip:a@b>").as_deref(), Some("Ana B"));
        assert_eq!(display_name("<sip:a@b>"), None);
        assert_eq!(quoted("A \"B\"\r\n"), "\"A \\\"B\\\"\"");
        assert_eq!(escape_user("10@x"), "10%40x");
        assert_eq!(masked("+4930123456"), "********456");
    }
}
