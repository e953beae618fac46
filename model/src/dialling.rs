//! Numbers that are dialled, and which of them may be (SAFE-01: toll fraud).

use serde::{Deserialize, Serialize};

/// Fewest digits of a number outside.
const DIGITS_MIN: usize = 2;
/// Most digits: E.164 has 15, exit codes and extensions come on top.
const DIGITS_MAX: usize = 20;
/// Most keys that are pressed after the answer, pauses included.
const AFTER_MAX: usize = 32;

/// A number outside, as it is dialled, and what is pressed when it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// Digits with an optional `+`.
    pub number: String,
    /// From the first comma on: each comma is a second's pause (OUT-08). Empty mostly.
    pub after: String,
}

impl Dialled {
    /// Reads what somebody typed or pasted: the separators that people write go. `None`: no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, after) = text.find(',').map_or((text, ""), |at| text.split_at(at));
        let mut digits = String::new();
        for c in number.trim().chars() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if digits.is_empty() => digits.push(c),
                '-' | '.' | '(' | ')' | '/' | ' ' | '\u{a0}' => {}
                _ => return None,
            }
            if digits.len() > DIGITS_MAX + 1 {
                return None;
            }
        }
        let count = digits.trim_start_matches('+').len();
        let after: String = after.chars().filter(|c| !c.is_whitespace()).collect();
        let fit = (DIGITS_MIN..=DIGITS_MAX).contains(&count) && keys(&after);
        fit.then_some(Self { number: digits, after })
    }

    /// Adds keys that are pressed a second after those that there are (OUT-15). `false`: these are none, or too many; nothing is added.
    pub fn then_press(&mut self, more: &str) -> bool {
        let after = format!("{},{more}", self.after);
        let fit = !more.is_empty() && keys(&after);
        if fit {
            self.after = after;
        }
        fit
    }
}

/// Whether these can be pressed after the answer.
fn keys(after: &str) -> bool {
    after.len() <= AFTER_MAX && after.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | ','))
}

/// Which numbers outside may be dialled: the longest prefix that fits a number decides. `00` at the beginning of a number or
/// prefix is the same as `+`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DialRules {
    /// Prefixes that may be dialled; as long as one that may not, they win.
    pub allow: Vec<String>,
    /// Prefixes that may not.
    pub deny: Vec<String>,
    /// Whether numbers may be dialled that none of the prefixes fits.
    pub others: bool,
    /// How many numbers one agent may dial within a minute.
    pub per_minute: u32,
    /// Whether agents may name a number outside as their phone (CONN-06).
    pub own_numbers: bool,
    /// How numbers are dialled here: what one begins with, and what that becomes (OUT-05).
    pub forms: Vec<Form>,
}

/// One way in which numbers are dialled: 0 becomes +49 in Germany, and 810 becomes + in Russia.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Digits.
    pub begins: String,
    /// Digits with an optional `+`, or nothing.
    pub becomes: String,
}

/// Why a number may be called, or may not: the longest prefix that fits; `None`: none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may.
    pub permitted: bool,
    /// By which prefix.
    pub prefix: Option<String>,
}

impl Default for DialRules {
    /// Everything but what toll fraud lives on: satellite and international premium networks, and the premium numbers of some
    /// large countries, also as they are dialled within.
    fn default() -> Self {
        let deny = [
            "+870", "+878", "+881", "+882", "+883",
            "+979", // satellites, global networks, premium rate everywhere
            "+1900", "+1976", "1900", "1976", // North America
            "+49900", "+49137", "0900", "0137", // Germany
            // Great Britain; not as dialled within: 09 is where Nuremberg begins.
            "+449", "+43900", "+43930", "+41900", "+41901", "+41906", "+3389", "+39899", "+7803", "+7809",
        ];
        let deny = deny.into_iter().map(str::to_owned).collect();
        Self { allow: Vec::new(), deny, others: true, per_minute: 20, own_numbers: true, forms: Vec::new() }
    }
}

impl DialRules {
    /// Whether a number may be dialled.
    pub fn permit(&self, number: &str) -> bool {
        self.verdict(number).permitted
    }

    /// The same, and by which prefix.
    pub fn verdict(&self, number: &str) -> Verdict {
        let number = international(&self.normal(number));
        let longest = |prefixes: &[String]| {
            let fits = prefixes.iter().filter(|prefix| number.starts_with(international(prefix).as_str()));
            fits.max_by_key(|prefix| international(prefix).len()).cloned()
        };
        let (allowed, denied) = (longest(&self.allow), longest(&self.deny));
        let length = |prefix: &Option<String>| prefix.as_deref().map(|prefix| international(prefix).len());
        if allowed.is_none() && denied.is_none() {
            return Verdict { permitted: self.others, prefix: None };
        }
        let permitted = length(&allowed) >= length(&denied);
        Verdict { permitted, prefix: if permitted { allowed } else { denied } }
    }

    /// The number as it is looked at and sent to a trunk: what is dialled here, in the form that is understood elsewhere. Of several
    /// beginnings that fit the longest one counts; a number with `+` stays as it is, and one with `00`, unless a form says of it.
    pub fn normal(&self, number: &str) -> String {
        let fits = self.forms.iter().filter(|form| number.starts_with(form.begins.as_str()));
        let exit = |form: &&Form| form.begins.len() == 1 && number.starts_with("00");
        match fits.max_by_key(|form| form.begins.len()) {
            Some(form) if !exit(&form) => {
                format!("{}{}", form.becomes, number.get(form.begins.len()..).unwrap_or_default())
            }
            _ => number.to_owned(),
        }
    }
}

fn international(number: &str) -> String {
    match number.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OUT-01: numbers are typed or pasted as people write them. OUT-08: a comma is a pause before what follows.
    #[test]
    fn a_number_is_taken_as_people_write_it() {
        let read = |text| Dialled::parse(text).map(|d| (d.number, d.after));
        let of = |number: &str, after: &str| Some((number.to_owned(), after.to_owned()));
        assert_eq!(read(" +49 (30) 123-456.7 "), of("+49301234567", ""));
        assert_eq!(read("030/1234,,55#"), of("0301234", ",,55#"));
        assert_eq!(read("110"), of("110", ""));
        let mut later = Dialled::parse("110").unwrap();
        assert!(later.then_press("42") && later.then_press("#"), "OUT-15");
        assert_eq!(later.after, ",42,#");
        assert!(!later.then_press("") && !later.then_press("x") && !later.then_press(&"1".repeat(32)));
        assert_eq!(later.after, ",42,#");
        for none in ["", "1", "+", "030+49", "alice", "123456789012345678901", "*21#", "0301234,x", "٣٤٥٦"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }

    /// SAFE-01: what toll fraud lives on is closed as the appliance comes; the longest prefix decides.
    #[test]
    fn expensive_destinations_are_closed_until_somebody_opens_them() {
        let rules = DialRules::default();
        for denied in ["+881612345678", "00881612345678", "+19005551234", "09001234567", "+449011234567"] {
            assert!(!rules.permit(denied), "{denied}");
        }
        for allowed in ["+4930123456", "030123456", "0911123456", "112", "+12125551234", "00442071234567"] {
            assert!(rules.permit(allowed), "{allowed}");
        }
        let opened = DialRules { allow: vec!["+8816".into()], ..rules.clone() };
        assert!(opened.permit("00881612345678") && !opened.permit("+88171"));
        let home =
            DialRules { allow: vec!["+49".into()], deny: vec!["+49900".into()], others: false, ..rules };
        assert!(home.permit("004930123") && !home.permit("+49900123") && !home.permit("+33123"));
    }

    /// OUT-05: a number is dialled as it is dialled here, with exit prefix and area code, and looked at in one form.
    #[test]
    fn a_number_is_dialled_as_people_dial_here() {
        let form = |begins: &str, becomes: &str| Form { begins: begins.into(), becomes: becomes.into() };
        let forms = vec![form("8", "+7"), form("810", "+"), form("9", "")];
        let rules = DialRules { forms, allow: vec!["+7495".into()], others: false, ..DialRules::default() };
        for (dialled, normal) in [
            ("84951234567", "+74951234567"),
            ("81049301234", "+49301234"),
            ("+84951234567", "+84951234567"),
            ("9112", "112"),
            ("112", "112"),
        ] {
            assert_eq!(rules.normal(dialled), normal);
        }
        let german = DialRules { forms: vec![form("0", "+49")], ..DialRules::default() };
        for (dialled, normal) in [("030123", "+4930123"), ("0043123", "0043123"), ("+43123", "+43123")] {
            assert_eq!(german.normal(dialled), normal);
        }
        let verdict = |number| (rules.verdict(number).permitted, rules.verdict(number).prefix);
        assert_eq!(verdict("84951234567"), (true, Some("+7495".into())));
        assert_eq!(verdict("88091234567"), (false, Some("+7809".into())), "premium, however it is dialled");
        assert_eq!(verdict("84961234567"), (false, None));
    }
}
