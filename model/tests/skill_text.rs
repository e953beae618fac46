//! The text form of requirements: what it means, how it is refused, and that it is total.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use model::id::{AgentId, GroupId, Id, SkillId};
use model::skill::text::{Names, TEXT_MAX, parse, print};
use model::skill::{DEPTH_MAX, Level, SkillExpr, TERMS_MAX};
use proptest::prelude::*;

/// Names as tenants have them, and names that are made to be awkward.
const SKILLS: [&str; 12] = [
    "german",
    "billing",
    "trainee",
    "Night shift",
    "русский",
    "技術",
    "and",
    "Group",
    "7",
    "say \"no\" \\",
    "a\nb\u{7}",
    "हिन्दी",
];

fn names() -> Names {
    let mut names = Names::default();
    for (n, name) in (1..).zip(SKILLS) {
        names.skill(SkillId::from_number(n), name);
    }
    for (n, name) in (1..).zip(["Night shift", "sales", "Sales", "in"]) {
        names.group(GroupId::from_number(n), name);
    }
    for (n, login) in (1..).zip(["anna", "anna.k@example.org", "boris", "agent"]) {
        names.agent(AgentId::from_number(n), login);
    }
    names
}

fn skill(name: &str, level: u8) -> SkillExpr {
    let n = SKILLS.iter().position(|known| *known == name).unwrap() as u64 + 1;
    SkillExpr::AtLeast { skill: SkillId::from_number(n), level: Level::new(level).unwrap() }
}
fn agents(numbers: &[u64]) -> SkillExpr {
    SkillExpr::OneOf(numbers.iter().map(|n| AgentId::from_number(*n)).collect())
}
fn not(who: SkillExpr) -> SkillExpr {
    SkillExpr::Not(Box::new(who))
}

/// ROUTE-02: boolean expressions over skills with levels, as people write them.
#[test]
fn a_text_says_who_may_answer() {
    use SkillExpr::{And, Any, InGroup, Or};
    let billing_or_no_trainee = || Or(vec![skill("billing", 1), not(skill("trainee", 1))]);
    let cases = [
        ("any", Any, "any"),
        ("ANY", Any, "any"),
        ("nobody", Or(vec![]), "nobody"),
        ("german", skill("german", 1), "german"),
        ("German > 6", skill("german", 7), "german >= 7"),
        ("german ≥ 10", skill("german", 10), "german >= 10"),
        (
            "german>=7 AND(billing or not trainee)",
            And(vec![skill("german", 7), billing_or_no_trainee()]),
            "german >= 7 and (billing or not trainee)",
        ),
        (
            "german and billing or trainee",
            Or(vec![And(vec![skill("german", 1), skill("billing", 1)]), skill("trainee", 1)]),
            "(german and billing) or trainee",
        ),
        (
            "not german >= 3 and billing",
            And(vec![not(skill("german", 3)), skill("billing", 1)]),
            "not german >= 3 and billing",
        ),
        ("\"Night shift\" >= 2", skill("Night shift", 2), "\"Night shift\" >= 2"),
        ("group \"Night shift\"", InGroup(GroupId::from_number(1)), "group \"Night shift\""),
        ("group Sales", InGroup(GroupId::from_number(3)), "group Sales"),
        ("agent \"anna\"", agents(&[1]), "agent anna"),
        (
            "agent in (ANNA, anna.k@example.org ,boris)",
            agents(&[1, 2, 3]),
            "agent in (anna, anna.k@example.org, boris)",
        ),
        (
            "\"AND\" and русский and 技術",
            And(vec![skill("and", 1), skill("русский", 1), skill("技術", 1)]),
            "\"and\" and русский and 技術",
        ),
        ("7 >= 7", skill("7", 7), "7 >= 7"),
        ("हिन्दी", skill("हिन्दी", 1), "हिन्दी"),
        (r#""a\nb\u{7}""#, skill("a\nb\u{7}", 1), r#""a\nb\u{7}""#),
        ("((german))", skill("german", 1), "german"),
    ];
    for (text, who, printed) in cases {
        let read = parse(text, &names()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(read, who, "{text}");
        assert_eq!(print(&read, &names()), printed);
    }
}

/// ROUTE-02: an id that has lost its name is still written and read.
#[test]
fn an_id_without_a_name_stands_for_itself() {
    let gone = SkillExpr::AtLeast { skill: SkillId::from_number(99), level: Level::new(4).unwrap() };
    let text = print(&gone, &names());
    assert_eq!(text, "#skill_00000000-0000-0000-0000-000000000063 >= 4");
    assert_eq!(parse(&text, &names()), Ok(gone));
    let twice = {
        let mut names = names();
        names.skill(SkillId::from_number(50), "german");
        names
    };
    let text = print(&skill("german", 1), &twice);
    assert_eq!(
        parse(&text, &twice),
        Ok(skill("german", 1)),
        "of two with one name each stays itself: {text}"
    );
}

/// ROUTE-02: a wrong text is refused with the place, the reason, and what was perhaps meant.
#[test]
fn a_wrong_text_is_refused_with_its_place_and_reason() {
    let cases = [
        ("", 1, "the text ends where a condition: a skill, `group`, `agent`, `any`, `not` or `(` belongs"),
        ("germn >= 7", 1, "there is no skill `germn`; did you mean `german`?"),
        ("german and (biling or x)", 13, "there is no skill `biling`; did you mean `billing`?"),
        ("night shift", 1, "there is no skill `night`; did you mean `\"Night shift\"`?"),
        ("anna", 1, "there is no skill `anna`; did you mean `agent anna`?"),
        ("group SALES", 7, "`SALES` could be more than one group: case decides; did you mean `Sales`?"),
        ("agent borsi", 7, "there is no agent `borsi`; did you mean `boris`?"),
        ("agent zzz", 7, "there is no agent `zzz`"),
        ("group", 6, "the text ends where the name of a group belongs"),
        ("german 7", 8, "`7` stands where `and`, `or` or the end belongs; write `>= 7`"),
        ("(german", 8, "the text ends where `and`, `or` or `)` belongs"),
        ("german)", 7, "`)` stands where `and`, `or` or the end belongs"),
        ("german >= 11", 11, "`11` is not a level from 1 to 10"),
        ("german > 10", 10, "`10` is not a level from 1 to 10"),
        ("german >= 0", 11, "`0` is not a level from 1 to 10"),
        ("german >= 7.5", 11, "`7.5` is not a level from 1 to 10"),
        ("german >=", 10, "the text ends where a level from 1 to 10 belongs"),
        (
            "german < 7",
            8,
            "levels are compared by `>=` and `>` only, not by `<`; write `german and not german >= 7`",
        ),
        (
            "german = 7",
            8,
            "levels are compared by `>=` and `>` only, not by `=`; write `german >= 7 and not german >= 8`",
        ),
        ("german <= 10", 8, "levels are compared by `>=` and `>` only, not by `<=`; write `german`"),
        ("german && billing", 8, "`&` has no meaning here; write `and`"),
        ("“german”", 1, "`“` has no meaning here; write `\"`"),
        ("\"german", 1, "this quote is never closed"),
        ("\"ger\\man\"", 5, "after a backslash comes one of \" \\ n t u{…}"),
        (
            "group #skill_00000000-0000-0000-0000-000000000001",
            7,
            "`skill_00000000-0000-0000-0000-000000000001` is not the id of a group",
        ),
        ("agent in (anna boris)", 16, "`boris` stands where `,` or `)` belongs"),
        ("agent in anna", 10, "`anna` stands where `(` belongs"),
        (
            "german and and billing",
            12,
            "`and` stands where a condition: a skill, `group`, `agent`, `any`, `not` or `(` belongs",
        ),
    ];
    for (text, column, reason) in cases {
        let error = parse(text, &names()).expect_err(text);
        assert_eq!(
            (error.line, error.column, error.problem.to_string()),
            (1, column, reason.to_owned()),
            "{text}"
        );
    }
}

/// ROUTE-02: what an error proposes to write instead of another comparison can be read, and means that comparison.
#[test]
fn what_is_proposed_instead_of_a_comparison_means_it() {
    for sign in ["<", "<=", "=", "!=", "=="] {
        for level in 1..=10_u8 {
            let error = parse(&format!("german {sign} {level}"), &names()).unwrap_err();
            let instead = parse(error.problem.instead().unwrap(), &names()).unwrap();
            for has in 1..=10_u8 {
                let meant = match sign {
                    "<" => has < level,
                    "<=" => has <= level,
                    "!=" => has != level,
                    _ => has == level,
                };
                assert_eq!(holds(&instead, has), meant, "{has} {sign} {level}: {instead:?}");
            }
        }
    }
}

/// For somebody with one skill at this level.
fn holds(who: &SkillExpr, has: u8) -> bool {
    match who {
        SkillExpr::AtLeast { level, .. } => has >= level.get(),
        SkillExpr::And(all) => all.iter().all(|one| holds(one, has)),
        SkillExpr::Or(all) => all.iter().any(|one| holds(one, has)),
        SkillExpr::Not(one) => !holds(one, has),
        other => panic!("{other:?}"),
    }
}

/// ROUTE-02: the position counts lines, characters and octets, and the caret stands under the error.
#[test]
fn the_caret_stands_under_the_error() {
    let text = "русский or\n\tтехнк and german";
    let error = parse(text, &names()).unwrap_err();
    assert_eq!((error.line, error.column, error.at, error.length), (2, 2, 19, 10));
    assert_eq!(error.shown(text), " технк and german\n ^^^^^");
    let long = format!("{}nothing", "german or ".repeat(40));
    let error = parse(&long, &names()).unwrap_err();
    let shown = error.shown(&long);
    let (line, caret) = shown.split_once('\n').unwrap();
    assert_eq!(&line[caret.find('^').unwrap()..], "nothing");
    assert!(line.len() < 130, "{line}");
}

/// ROUTE-02: texts are bounded in length, depth and terms, brackets that change nothing included.
#[test]
fn what_is_too_large_is_refused() {
    let names = names();
    let problem = |text: &str| parse(text, &names).map_err(|error| error.problem.code()).err();
    assert_eq!(problem(&" ".repeat(TEXT_MAX + 1)), Some("too_long"));
    assert_eq!(problem(&"й".repeat(TEXT_MAX)), Some("too_long"));
    assert_eq!(problem(&"(".repeat(TEXT_MAX)), Some("too_deep"));
    assert_eq!(problem(&"not ".repeat(TEXT_MAX / 4)), Some("too_deep"));
    assert_eq!(
        problem(&format!("{}any{}", "and(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX))),
        Some("too_deep")
    );
    assert_eq!(problem(&format!("agent in ({}anna)", "anna,".repeat(TERMS_MAX))), Some("too_many_terms"));
    assert_eq!(problem(&format!("{}any", "any or ".repeat(TERMS_MAX - 2))), None);
    let brackets = format!("{}any{}", "(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX));
    assert_eq!(problem(&brackets), None);
}

fn expression() -> impl Strategy<Value = SkillExpr> {
    let id = 1..16u64;
    let leaf = prop_oneof![
        Just(SkillExpr::Any),
        (id.clone(), 1..=10u8).prop_map(|(n, level)| SkillExpr::AtLeast {
            skill: SkillId::from_number(n),
            level: Level::new(level).unwrap()
        }),
        id.clone().prop_map(|n| SkillExpr::InGroup(GroupId::from_number(n))),
        prop::collection::vec(id, 0..4).prop_map(|all| agents(&all)),
    ];
    let whole = leaf.prop_recursive(15, 200, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(SkillExpr::And),
            prop::collection::vec(inner.clone(), 0..5).prop_map(SkillExpr::Or),
            inner.prop_map(not),
        ]
    });
    whole.prop_filter("within bounds", |who| {
        let (terms, depth) = size(who);
        terms <= TERMS_MAX && depth <= DEPTH_MAX
    })
}

/// Terms and depth.
fn size(who: &SkillExpr) -> (usize, usize) {
    let each = |all: &[SkillExpr]| {
        all.iter().map(size).fold((1, 1), |(terms, depth), one| (terms + one.0, depth.max(one.1 + 1)))
    };
    match who {
        SkillExpr::OneOf(agents) => (agents.len().max(1), 1),
        SkillExpr::And(all) | SkillExpr::Or(all) => each(all),
        SkillExpr::Not(one) => each(std::slice::from_ref(one)),
        _ => (1, 1),
    }
}

/// Pieces of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "any",
        "nobody",
        "and",
        "or",
        "not",
        "group",
        "agent",
        "in",
        "(",
        ")",
        ",",
        ">=",
        ">",
        "<",
        "7",
        "10",
        "german",
        "\"Night shift\"",
        "anna",
        "sales",
        "#skill_00000000-0000-0000-0000-000000000001",
        "\"",
        "\\u{41}",
        "\n",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|all| all.join(" "))
}

fn try_text(text: &str) -> Result<(), TestCaseError> {
    match parse(text, &names()) {
        Ok(who) => {
            let printed = print(&who, &names());
            let again = parse(&printed, &names());
            prop_assert_eq!(again.as_ref(), Ok(&who), "{}", printed);
            prop_assert_eq!(print(&again.unwrap(), &names()), printed);
        }
        Err(error) => {
            prop_assert!(text.get(error.at..error.at + error.length).is_some(), "{:?}", error);
            prop_assert_eq!(text[..error.at].matches('\n').count() + 1, error.line);
            prop_assert_eq!(error.shown(text).lines().count(), 2);
        }
    }
    Ok(())
}

proptest! {
    /// ROUTE-02: every expression can be written, and what is written reads back as the same expression.
    #[test]
    fn what_is_printed_reads_back_the_same(who in expression()) {
        let text = print(&who, &names());
        prop_assert_eq!(parse(&text, &names()), Ok(who), "{}", text);
    }

    /// ROUTE-02, SAFE-05: octets of any kind are a condition or an error with a place in the text.
    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        try_text(&String::from_utf8_lossy(&octets))?;
    }

    /// ROUTE-02: whatever can be read is printed in one way, however it was written.
    #[test]
    fn a_text_that_is_read_is_printed_in_one_way(text in soup()) {
        try_text(&text)?;
    }
}
