//! The operator's file with a mistake in it.

use std::path::PathBuf;
use std::time::Duration;

use scenarios::appliance::Appliance;
use scenarios::eventually;
use scenarios::place::Place;

use super::{ANNA_HZ, CUSTOMER_HZ, NUMBER, call, ends_well, nothing_broke, open, still_well};

/// OPS-02: SIGHUP during a call. A file with a mistake changes nothing and the log says where the mistake is; a good one is taken; the
/// call goes on through all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_configuration_changes_nothing_and_the_log_says_where_it_is() {
    let (mut appliance, _, admin) = open().await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let mut customer = call(&appliance, "customer", NUMBER, None);
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;
    let file = appliance.dir.path().join("patchbay.toml");
    let good = std::fs::read_to_string(&file).expect("its configuration");
    let heard_before = anna.phone.heard().len();
    for (what, bad, told) in [
        ("an unknown key", good.replace("port_min", "port_mni"), "port_mni"),
        ("a word for a number", good.replace("[media]", "[media]\nthreads = \"many\""), "threads"),
        (
            "a value out of range",
            good.replace("[media]", "[media]\nsilence_timeout_s = 1"),
            "silence_timeout_s",
        ),
        ("no TOML", format!("{good}\n[log"), "patchbay.toml"),
        ("no UTF-8", String::new(), "patchbay.toml"),
        ("a level there is not", format!("{good}\n[log]\nlevel = \"shouting\""), "shouting"),
    ] {
        assert_ne!(bad, good, "{what} changes nothing");
        let bytes = if bad.is_empty() { vec![0xff, 0xfe, b'='] } else { bad.into_bytes() };
        std::fs::write(&file, bytes).expect("written");
        let said = told_after_hangup(&appliance, what, "was not reloaded");
        assert!(said.contains(told), "{what}: the log does not name {told}: {said}");
    }
    std::fs::remove_file(&file).expect("removed");
    assert!(told_after_hangup(&appliance, "no file", "was not reloaded").contains("patchbay.toml"));
    std::fs::write(&file, format!("{good}\n[log]\nlevel = \"debug\"")).expect("written");
    told_after_hangup(&appliance, "a good file", "configuration reloaded");
    let metrics = admin.metrics().await;
    for (result, count) in [("refused", 7.0), ("taken", 1.0)] {
        let counted = metrics.sum("patchbay_config_reloads_total", &[&format!("result=\"{result}\"")]);
        assert_eq!(counted, count, "reloads {result}");
    }

    anna.hears_on(1.0).await;
    let heard = &anna.phone.heard()[heard_before..];
    let share = scenarios::tone::windows_with(heard, 8_000, CUSTOMER_HZ);
    // Nothing may be missing but the one window that the end cuts.
    assert!(share > 0.9, "the call went on: {share:.2} of {} samples", heard.len());
    anna.finish(&interaction).await;
    ends_well(&mut customer);
    drop(anna);
    still_well(&mut appliance, &admin).await;
    nothing_broke(&mut appliance);
}

/// Sends SIGHUP and waits for a new line with `words`; returns what was logged since.
fn told_after_hangup(appliance: &Appliance, what: &str, words: &str) -> String {
    let before = appliance.log().len();
    appliance.running.signal(libc::SIGHUP);
    let log: PathBuf = appliance.running.log.clone();
    eventually(&format!("{what}: the log says `{words}`"), Duration::from_secs(60), || {
        let text = String::from_utf8_lossy(&std::fs::read(&log).ok()?).into_owned();
        text.get(before..).filter(|new| new.contains(words)).map(str::to_owned)
    })
}
