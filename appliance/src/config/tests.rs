//! What a configuration file may say.

use super::*;

fn config(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("patchbay.toml");
    std::fs::write(&file, text).unwrap();
    Config::read(&file).map_err(|e| e.to_string().replace(dir.path().to_str().unwrap(), "."))
}

/// OPS-02: every key is documented at its default.
#[test]
fn the_documented_file_with_every_comment_removed_is_the_default() {
    let all: String = DEFAULT_FILE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => key,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let documented: toml::Table = toml::from_str(&all).unwrap();
    assert_eq!(documented, toml::Table::try_from(File::default()).unwrap());
    assert_eq!(toml::from_str::<File>(DEFAULT_FILE).unwrap(), File::default());
}

/// OPS-02: unknown keys are errors with a suggestion and a place.
#[test]
fn a_misspelt_key_is_refused_with_its_line_and_the_word_that_was_meant() {
    let error = config("[media]\nport_mni = 4000\n").unwrap_err();
    assert!(error.contains("line 2"), "{error}");
    assert!(error.contains("did you mean `port_min`?"), "{error}");
}

#[test]
fn values_outside_their_range_say_the_range() {
    assert!(config("[sip]\ncalls_max = 0").unwrap_err().contains("1 to 10000"));
    assert!(config("[media]\nport_min = 30001").unwrap_err().contains("even port"));
    assert!(config("[media]\nbrowser_port = 30010").unwrap_err().contains("browser_port"));
    assert!(config("[http]\ncert_file = \"a.pem\"").unwrap_err().contains("both"));
    assert!(config("[database]\nurl = \"mysql://x\"").unwrap_err().contains("sqlite"));
    assert!(config("[media]\ninterfaces = [\"eth0\"]").unwrap_err().contains("`eth0`"));
}

#[test]
fn an_interface_may_name_what_far_ends_see() {
    let c = config("[media]\ninterfaces = [\"10.0.0.5=203.0.113.7\"]").unwrap();
    assert_eq!(c.interfaces[0].bind.to_string(), "10.0.0.5");
    assert_eq!(c.interfaces[0].advertise.to_string(), "203.0.113.7");
}

#[test]
fn an_empty_file_is_a_complete_configuration() {
    let c = config("").unwrap();
    assert_eq!(c.database_url, "sqlite:///var/lib/patchbay/patchbay.db");
    assert!(!c.interfaces.is_empty() && c.media_threads >= 1);
}
