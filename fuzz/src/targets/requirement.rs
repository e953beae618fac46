//! Requirements as an administrator writes them (ROUTE-02).

use model::id::{AgentId, GroupId, Id, SkillId};
use model::skill::text::{Names, parse, print};

/// A text is refused with a place in it, or printed in one way that reads back as the same condition.
pub(super) fn requirement(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut names = Names::default();
    for (n, name) in
        (0..).zip(["german", "billing", "Night shift", "NIGHT SHIFT", "not", "русский", "a\"\\b"])
    {
        names.skill(SkillId::from_number(n), name);
        names.group(GroupId::from_number(n), name);
        names.agent(AgentId::from_number(n), name);
    }
    match parse(&text, &names) {
        Ok(who) => {
            let printed = print(&who, &names);
            let again = parse(&printed, &names);
            assert_eq!(again, Ok(who.clone()), "{printed}");
            assert_eq!(print(&who, &names), printed);
        }
        Err(error) => {
            assert!(text.get(error.at..error.at + error.length).is_some(), "{error:?}");
            assert!(error.line >= 1 && error.column >= 1);
            assert!(error.shown(&text).len() < 2_000, "what is shown is bounded");
            assert!(error.to_string().len() < 2_000, "what is said is bounded: {error}");
        }
    }
}
