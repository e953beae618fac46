//! The block list: callers who are refused (VOICE-16).

use crate::dialling::Dialled;
use crate::id::{BlockId, TenantId, UserId};
use crate::time::Timestamp;

/// A caller, or all whose numbers begin alike, who is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its id.
    pub id: BlockId,
    /// Whose list it is on.
    pub tenant: TenantId,
    /// Digits with an optional `+`, as [`number`] makes them; once in a tenant.
    pub number: String,
    /// All callers whose number begins like this.
    pub prefix: bool,
    /// Why, in people's words.
    pub reason: String,
    /// Who put it there; `None`: a program, or the operator of the appliance.
    pub by: Option<UserId>,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// The number of a block as it is stored, from what somebody typed, pasted, or clicked on: `00` at its beginning becomes `+`.
/// `None`: no number.
pub fn number(text: &str) -> Option<String> {
    let dialled = Dialled::parse(text).filter(|dialled| dialled.after.is_empty())?;
    Some(match dialled.number.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => dialled.number,
    })
}

/// What numbers are compared by: carriers differ in whether they send the `+` of an international number.
pub fn digits(number: &str) -> &str {
    number.strip_prefix('+').or_else(|| number.strip_prefix("00")).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_stored_and_compared_in_one_form() {
        assert_eq!(number(" 0049 (30) 123-4 ").as_deref(), Some("+49301234"));
        assert_eq!(number("+49301234").as_deref(), Some("+49301234"));
        for none in ["", "anonymous", "4", "+49301234,55"] {
            assert_eq!(number(none), None, "{none}");
        }
        for same in ["+49301234", "0049301234", "49301234"] {
            assert_eq!(digits(same), "49301234", "{same}");
        }
        assert_eq!(digits("0301234"), "0301234");
    }
}
