//! The rules of the house, held by what `cargo metadata` says: who may know whom, which licences, which crates never.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn metadata() -> Value {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON")
}

/// Room -> rooms it may know. Whatever is not listed may know all.
const MAY_KNOW: [(&str, &[&str]); 11] = [
    ("model", &[]),
    ("fastpath", &[]),
    ("g729", &[]),
    ("router", &["model"]),
    ("flow", &["model"]),
    ("media", &["model", "fastpath", "g729"]),
    ("store", &["model"]),
    ("signaling", &["model", "media"]),
    ("ng", &["model", "media"]),
    ("desk", &["model", "router", "flow", "store"]),
    ("control-api", &["model", "desk"]),
];

#[test]
fn rooms_know_only_whom_the_plan_allows() {
    let metadata = metadata();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().unwrap();
    let rooms: BTreeMap<&str, &Value> = packages
        .iter()
        .filter(|p| members.contains(p["id"].as_str().unwrap()))
        .map(|p| (p["name"].as_str().unwrap(), p))
        .collect();
    for (room, allowed) in MAY_KNOW {
        let package = rooms.get(room).unwrap_or_else(|| panic!("there is no room {room}"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            // A test may bring in more of the house than the room itself may know.
            if rooms.contains_key(name) && dependency["kind"] != "dev" {
                assert!(allowed.contains(&name), "{room} may not know {name}: see ARCHITECTURE.md");
            }
        }
    }
}

/// One licence of each crate must be on the list of deny.toml.
#[test]
fn every_dependency_has_a_licence_that_allows_a_closed_product() {
    let deny = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml")).unwrap();
    let line = deny.lines().find(|l| l.starts_with("allow = [")).unwrap();
    let allowed: BTreeSet<&str> = line.split('"').skip(1).step_by(2).collect();
    assert!(allowed.contains("MIT") && !allowed.iter().any(|l| l.contains("GPL")), "{allowed:?}");
    let metadata = metadata();
    let mut bad = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        match package["license"].as_str() {
            Some(expression) if permits(expression, &allowed) => {}
            other => bad.push(format!("{name}: {other:?}")),
        }
    }
    assert!(bad.is_empty(), "licences to look at:\n{}", bad.join("\n"));
}

/// `A OR B AND C` with parentheses, as SPDX writes it; `/` is an old spelling of OR.
fn permits(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let text = expression.replace('/', " OR ");
    let mut depth = 0_i32;
    for (operator, all) in [(" OR ", false), (" AND ", true)] {
        let mut parts = Vec::new();
        let mut start = 0;
        for (i, c) in text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 && text[i..].starts_with(operator) && i >= start => {
                    parts.push(&text[start..i]);
                    start = i + operator.len();
                }
                _ => {}
            }
        }
        if !parts.is_empty() {
            parts.push(&text[start..]);
            return if all {
                parts.iter().all(|p| permits(p, allowed))
            } else {
                parts.iter().any(|p| permits(p, allowed))
            };
        }
    }
    let text = text.trim();
    match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => permits(inner, allowed),
        None => allowed.contains(text),
    }
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    let allowed = BTreeSet::from(["MIT", "ISC"]);
    assert!(permits("GPL-3.0 OR MIT", &allowed));
    assert!(permits("MIT/Apache-2.0", &allowed));
    assert!(permits("ISC AND (Apache-2.0 OR MIT)", &allowed));
    assert!(!permits("MIT AND GPL-3.0", &allowed));
    assert!(!permits("LGPL-2.1", &allowed));
}

#[test]
fn banned_crates_are_not_in_the_tree() {
    let deny = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml")).unwrap();
    let banned: BTreeSet<&str> =
        deny.lines().filter_map(|l| l.trim().strip_prefix("{ name = \"")?.split('"').next()).collect();
    assert!(banned.contains("g729-sys"));
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.contains(name), "{name} is banned: see deny.toml");
    }
}

/// Every source file of a deciding room forbids unsafe code; in media only the driver may have any.
#[test]
fn deciding_rooms_forbid_unsafe_code() {
    let rooms =
        ["model", "fastpath", "g729", "router", "flow", "store", "signaling", "ng", "desk", "control-api"];
    for room in rooms {
        let file = format!("{}/../{room}/src/lib.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{file} does not forbid unsafe code");
    }
}

/// A migration that lies in the folder and is not in the list is never run: both engines have the same ones, numbered without a gap, and
/// each is listed.
#[test]
fn every_migration_is_in_the_list_of_the_schema() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store");
    let list = std::fs::read_to_string(store.join("src/schema.rs")).expect("the list");
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = std::fs::read_dir(store.join("migrations").join(engine)).expect("a folder");
        folder.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect()
    };
    let all = names("sqlite");
    assert_eq!(all, names("postgres"), "both engines have the same");
    for (number, file) in (1..).zip(&all) {
        let name = file.strip_suffix(".sql").expect("SQL");
        assert!(name.starts_with(&format!("{number:04}_")), "{file} is number {number}");
        let (number, name) = (format!("{number} \""), format!("\"{name}\""));
        let listed = |line: &str| line.trim().starts_with(&number) && line.contains(&name);
        assert!(list.lines().any(listed), "{file} is not listed");
    }
}
