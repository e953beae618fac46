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
    assert!(config("[sip]\ncodecs = []").unwrap_err().contains("at least one codec"));
    assert!(config("[sip]\ncodecs = [\"g729\", \"g729\"]").unwrap_err().contains("once"));
    assert!(config("[sip]\ncodecs = [\"gsm\"]").unwrap_err().contains("g729"));
    assert!(config("[media]\nport_min = 30001").unwrap_err().contains("even port"));
    assert!(config("[media]\nbrowser_port = 30010").unwrap_err().contains("browser_port"));
    assert!(config("[http]\ncert_file = \"a.pem\"").unwrap_err().contains("both"));
    assert!(config("[database]\nurl = \"mysql://x\"").unwrap_err().contains("sqlite"));
    assert!(config("[trace]\nkeep_days = 400").unwrap_err().contains("0 to 365"));
    assert!(config("[trace]\nhep = \"homer\"").unwrap_err().contains("192.0.2.9:9060"));
    assert!(config("[media]\ninterfaces = [\"eth0\"]").unwrap_err().contains("`eth0`"));
}

/// OPS-02: whatever a slip of the finger makes of the file, it is read or refused in words.
#[test]
fn no_slip_of_the_finger_breaks_the_reader() {
    let keys: String = DEFAULT_FILE
        .lines()
        .map(|line| line.strip_prefix('#').filter(|key| key.contains(" = ")).unwrap_or(line))
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let (mut read, mut refused) = (0, 0);
    for (at, _) in keys.char_indices().step_by(3) {
        let (before, after) = keys.split_at(at);
        let slip = ["", "0", "-", "\"", "[", "=", "\u{202e}", "99999999999999999999", "\n"][at % 9];
        let mut rest = after.chars();
        let typed = if at % 2 == 0 {
            format!("{before}{slip}{after}")
        } else {
            rest.next();
            format!("{before}{slip}{}", rest.as_str())
        };
        match toml::from_str::<File>(&typed)
            .map_err(|e| with_suggestion(&e.to_string()))
            .and_then(|file| Config::try_from(file).map_err(|e| e.to_string()))
        {
            Ok(config) => {
                assert!(!config.interfaces.is_empty() && config.media_threads >= 1);
                assert!(config.ports.0 < config.ports.1);
                read += 1;
            }
            Err(why) => {
                assert!(!why.is_empty());
                refused += 1;
            }
        }
    }
    assert!(read > 20 && refused > 100, "{read} read, {refused} refused");
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
