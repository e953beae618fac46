//! Chromium with the console in it, driven line by line (see `browser/driver.mjs`).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A page in a browser.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Where screenshots go: `target/screenshots`.
    pub shots: PathBuf,
}

impl Browser {
    /// Starts Chromium with `microphone` (48 kHz mono WAV) as its microphone.
    pub fn start(dir: &Path, microphone: &Path) -> Self {
        assert!(Path::new("/usr/bin/chromium").exists(), "Chromium is missing: Debian package chromium");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let log = std::fs::File::create(dir.join("browser.log")).expect("a file");
        let mut child = Command::new("node")
            .arg(here.join("browser/driver.mjs"))
            .arg(dir.join("profile"))
            .arg(microphone)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("node starts (scripts/setup test installs it)");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let shots = here.join("../target/screenshots");
        std::fs::create_dir_all(&shots).expect("a folder");
        let mut browser = Self { child, input, output: BufReader::new(output), shots };
        browser.answer("start");
        browser
    }

    /// Does one thing; panics with the page's words when it fails.
    #[track_caller]
    pub fn act(&mut self, what: &str, mut fields: Value) -> Value {
        fields["do"] = what.into();
        writeln!(self.input, "{fields}").expect("the driver listens");
        self.answer(&fields.to_string())
    }

    #[track_caller]
    fn answer(&mut self, what: &str) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the driver answers");
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("{what}: the driver said `{line}`"));
        assert!(answer["error"].is_null(), "{what}: {} (see target/screenshots/failed.png)", answer["error"]);
        answer["ok"].take()
    }

    /// Opens the console and signs in.
    #[track_caller]
    pub fn sign_in(&mut self, base: &str, login: &str, password: &str) {
        self.act("goto", json!({ "url": format!("{base}/?audio=raw") }));
        self.act("fill", json!({ "label": "User name", "text": login }));
        self.act("fill", json!({ "label": "Password", "text": password }));
        self.click("Sign in");
        self.see("[data-state]");
    }

    /// Clicks a button by its name.
    #[track_caller]
    pub fn click(&mut self, name: &str) {
        self.act("click", json!({ "name": name }));
    }

    /// Waits until a selector is to be seen, at most a minute: a browser on a busy machine takes its time.
    #[track_caller]
    pub fn see(&mut self, selector: &str) {
        self.act("see", json!({ "selector": selector, "timeout": 60_000 }));
    }

    /// Waits until a selector is gone, at most a minute.
    #[track_caller]
    pub fn gone(&mut self, selector: &str) {
        self.act("gone", json!({ "selector": selector, "timeout": 60_000 }));
    }

    /// The text of the first thing a selector finds.
    #[track_caller]
    pub fn text(&mut self, selector: &str) -> String {
        self.act("text", json!({ "selector": selector })).as_str().unwrap_or_default().to_owned()
    }

    /// How many things a selector finds.
    #[track_caller]
    pub fn count(&mut self, selector: &str) -> u64 {
        self.act("count", json!({ "selector": selector })).as_u64().unwrap_or_default()
    }

    /// Writes into the field of a label.
    #[track_caller]
    pub fn fill(&mut self, label: &str, text: &str) {
        self.act("fill", json!({ "label": label, "text": text }));
    }

    /// Chooses in the list of a label, by the option's text or value.
    #[track_caller]
    pub fn select(&mut self, label: &str, value: &str) {
        self.act("select", json!({ "label": label, "value": value }));
    }

    /// Clicks a tab of the page by its name.
    #[track_caller]
    pub fn tab(&mut self, name: &str) {
        self.act("click", json!({ "role": "tab", "name": name }));
    }

    /// Chooses how the console looks and speaks, in its settings.
    #[track_caller]
    pub fn theme_and_language(&mut self, theme: &str, language: &str) {
        self.act("settings", json!({ "theme": theme, "language": language }));
    }

    /// Presses keys, as Playwright names them: `Alt+KeyQ`.
    #[track_caller]
    pub fn press(&mut self, keys: &str) {
        self.act("press", json!({ "keys": keys }));
    }

    /// What a piece of JavaScript says in the page.
    #[track_caller]
    pub fn evaluate(&mut self, code: &str) -> Value {
        self.act("evaluate", json!({ "code": code }))
    }

    /// Keeps a picture of the page as `target/screenshots/NAME.png`.
    #[track_caller]
    pub fn shot(&mut self, name: &str) {
        let file = self.shots.join(format!("{name}.png"));
        self.act("screenshot", json!({ "file": file }));
    }

    /// The frequency heard in most of two seconds, when it is loud enough to be heard.
    pub fn heard_hz(&mut self) -> Option<f64> {
        let heard = self.act("listen", json!({ "count": 10, "every": 200 }));
        let mut loud: Vec<f64> = heard
            .as_array()
            .into_iter()
            .flatten()
            .filter(|h| h["db"].as_f64().is_some_and(|db| db > -50.0))
            .filter_map(|h| h["hz"].as_f64())
            .collect();
        loud.sort_by(f64::total_cmp);
        (loud.len() >= 5).then(|| loud[loud.len() / 2])
    }

    /// Asserts that the browser complained of nothing but that the appliance could not be reached for a while.
    #[track_caller]
    pub fn assert_only_unreachable(&mut self) {
        let complaints = self.act("complaints", json!({}));
        let others = |c: &&Value| {
            !c.as_str()
                .is_some_and(|c| c.contains("net::ERR_CONNECTION") || c.contains("net::ERR_EMPTY_RESPONSE"))
        };
        let serious: Vec<&Value> = complaints.as_array().into_iter().flatten().filter(others).collect();
        assert!(serious.is_empty(), "while the appliance was away the browser complained: {serious:?}");
    }

    /// Asserts that the page as shown has no accessibility findings and the browser no complaints.
    #[track_caller]
    pub fn assert_clean(&mut self, page: &str) {
        let findings = self.act("axe", json!({}));
        assert_eq!(findings, json!([]), "accessibility of {page}");
        let complaints = self.act("complaints", json!({}));
        let serious: Vec<&Value> = complaints
            .as_array()
            .into_iter()
            .flatten()
            // Refusals that the page shows in words of its own; Chromium logs each as an error: nobody is signed in yet,
            // signed in elsewhere or still in use, changed in the meantime, a field that cannot be taken.
            .filter(|c| {
                let refusals = ["status of 401", "status of 409", "status of 412", "status of 422"];
                !c.as_str().is_some_and(|c| refusals.iter().any(|r| c.contains(r)))
            })
            .collect();
        assert!(serious.is_empty(), "{page}: the browser complains: {serious:?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = writeln!(self.input, r#"{{"do":"quit"}}"#);
        for _ in 0..50 {
            if self.child.try_wait().is_ok_and(|s| s.is_some()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
