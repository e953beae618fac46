//! Numbers and names as they come in requests, made fit to compare and to show.

use crate::check::{parse_address, parse_addresses, parse_sip_uri};

/// Most digits of a number: E.164 has 15, prefixes and extensions come on top.
pub const DIGITS_MAX: usize = 32;
/// Most characters of a name that is shown.
pub const DISPLAY_MAX: usize = 128;

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The number, if it is one and may be known.
    pub number: Option<String>,
    /// The name as the far end says it, safe to show.
    pub name: Option<String>,
    /// The caller asked to stay unknown (`Privacy: id`, RFC 3325 §9.3, or an anonymous address, RFC 3323 §4.1).
    pub anonymous: bool,
}

/// A user part as a number: its digits, with a leading `+`, `*` and `#` kept.
///
/// Parameters go (`;phone-context=…`, `;npdi`), and so do the separators that people write (RFC 3966 §5.1.1).
/// `None` for what is a name rather than a number.
pub fn number(user: &str) -> Option<String> {
    let user = unescape(user)?;
    let bare = user.split(';').next().unwrap_or_default().trim();
    let mut digits = String::with_capacity(bare.len().min(DIGITS_MAX));
    for c in bare.chars() {
        match c {
            '0'..='9' | '*' | '#' => digits.push(c),
            '+' if digits.is_empty() => digits.push(c),
            '-' | '.' | '(' | ')' | ' ' => {}
            _ => return None,
        }
        if digits.len() > DIGITS_MAX {
            return None;
        }
    }
    digits.contains(|c: char| c != '+').then_some(digits)
}

/// The number in a `sip:`, `sips:` or `tel:` URI: for a Request-URI, what was dialled.
pub fn dialled(uri: &str) -> Option<String> {
    match uri.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => number(rest),
        _ => number(parse_sip_uri(uri).ok()?.user),
    }
}

/// Who calls, by `P-Asserted-Identity` where the trunk is trusted to say it (RFC 3325 §9.1), else by `From`.
///
/// `asserted` are the values of that header, `privacy` those of `Privacy`. From a trunk that is not trusted an
/// asserted identity is worth nothing and is not looked at.
pub fn caller(trusted: bool, asserted: &[&str], from: &str, privacy: &[&str]) -> Caller {
    let private = privacy
        .iter()
        .flat_map(|value| value.split([';', ',']))
        .map(str::trim)
        .any(|value| ["id", "user", "header"].iter().any(|private| value.eq_ignore_ascii_case(private)));
    let asserted = || asserted.iter().filter_map(|value| parse_addresses(value).ok()).flatten();
    // Two may be there, one `sip:` and one `tel:`; the one with a number says more.
    let best = || asserted().find(|a| dialled(&a.uri).is_some()).or_else(|| asserted().next());
    let Some(address) = best().filter(|_| trusted).or_else(|| parse_address(from).ok()) else {
        return Caller { anonymous: true, ..Caller::default() };
    };
    let hidden = parse_sip_uri(&address.uri).is_ok_and(|uri| {
        uri.user.eq_ignore_ascii_case("anonymous") || uri.host.eq_ignore_ascii_case("anonymous.invalid")
    });
    if private || hidden {
        return Caller { anonymous: true, ..Caller::default() };
    }
    let name = address.display.as_deref().and_then(display_name);
    Caller { number: dialled(&address.uri), name, anonymous: false }
}

/// A display name fit to be shown and stored: no control characters, nothing that turns the writing direction or is
/// invisible, runs of blanks made one, at most [`DISPLAY_MAX`] characters. `None` when nothing is left.
pub fn display_name(raw: &str) -> Option<String> {
    let mut out = String::new();
    let mut length = 0;
    for c in raw.chars().filter(|c| !is_trick(*c)) {
        let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        if length == DISPLAY_MAX {
            break;
        }
        out.push(c);
        length += 1;
    }
    out.truncate(out.trim_end().len());
    (!out.is_empty()).then_some(out)
}

/// Characters by which a name could pretend to be another one: bidirectional controls, zero widths, tags.
const fn is_trick(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{061c}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{00ad}'
    )
}

/// Takes the `%xx` escapes out; `None` when what they make is no text.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let mut hex = || char::from(bytes.next()?).to_digit(16);
            out.push(u8::try_from(hex()? * 16 + hex()?).ok()?);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialled_number_loses_what_people_write_into_it() {
        for (user, digits) in [
            ("+49-30-1234.567", Some("+49301234567")),
            ("(030)%201234", Some("0301234")),
            ("%2B4930", Some("+4930")),
            ("4930;phone-context=+49", Some("4930")),
            ("*21#", Some("*21#")),
            ("030+49", None),
            ("alice", None),
            ("", None),
            ("+", None),
            ("123%zz", None),
            ("123%ff", None),
            ("12345678901234567890123456789012", Some("12345678901234567890123456789012")),
            ("123456789012345678901234567890123", None),
        ] {
            assert_eq!(number(user).as_deref(), digits, "{user}");
        }
        assert_eq!(dialled("sip:+4930@pbx.example;user=phone").as_deref(), Some("+4930"));
        assert_eq!(dialled("sip:4930;npdi;rn=1@pbx.example").as_deref(), Some("4930"));
        assert_eq!(dialled("tel:+49-30;phone-context=x").as_deref(), Some("+4930"));
        assert_eq!(dialled("sip:pbx.example"), None);
        assert_eq!(dialled("nonsense"), None);
    }

    #[test]
    fn the_asserted_caller_counts_only_from_a_trusted_trunk() {
        let asserted = ["\"Cullen\" <sip:cullen@x.example>, <tel:+14085264000>"];
        let from = "\"Bank\" <sip:+1900@x.example>;tag=1";
        let trusted = caller(true, &asserted, from, &[]);
        assert_eq!(trusted.number.as_deref(), Some("+14085264000"), "the one with a number");
        let stranger = caller(false, &asserted, from, &[]);
        assert_eq!((stranger.number.as_deref(), stranger.name.as_deref()), (Some("+1900"), Some("Bank")));
        let broken = caller(true, &["<<>"], from, &[]);
        assert_eq!(broken.number.as_deref(), Some("+1900"));
    }

    #[test]
    fn a_caller_who_wants_to_stay_unknown_does() {
        for (from, privacy) in [
            ("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1", ""),
            ("<sip:+4930@anonymous.invalid>;tag=1", ""),
            ("\"Eve\" <sip:+4930@x.example>;tag=1", "id;critical"),
            ("\"Eve\" <sip:+4930@x.example>;tag=1", "header;user"),
            ("not an address", ""),
        ] {
            let caller = caller(true, &[], from, &[privacy]);
            assert_eq!(caller, Caller { anonymous: true, ..Caller::default() }, "{from} {privacy}");
        }
        assert!(!caller(true, &[], "<sip:+4930@x.example>;tag=1", &["none"]).anonymous);
    }

    #[test]
    fn a_name_is_safe_to_show() {
        assert_eq!(display_name(" J\u{0}ohn\r\n \t D\u{7f}oe ").as_deref(), Some("J ohn D oe"));
        assert_eq!(display_name("evil\u{202e}knaB").as_deref(), Some("evilknaB"));
        assert_eq!(display_name("Åsa 王").as_deref(), Some("Åsa 王"));
        assert_eq!(display_name("\u{200b} \t"), None);
        assert_eq!(display_name(&"é".repeat(500)).unwrap().chars().count(), DISPLAY_MAX);
        let quoted = caller(true, &[], "\"A \\\"B\\\" <script>\" <sip:1@x.example>", &[]);
        assert_eq!(
            quoted.name.as_deref(),
            Some("A \"B\" <script>"),
            "text stays text; screens show it as such"
        );
    }
}
