//! The console as people use it: in Chromium, by eye, keyboard and ear.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, House, Options, PASSWORD};
use scenarios::browser::Browser;
use scenarios::http::Http;
use scenarios::pcap::{Capture, Datagram, rtp_payloads};
use scenarios::sipp::{Caller, Sipp};
use scenarios::{eventually, eventually_ok, now_ms, tone};
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;

/// ACC-14, ERR-12, ERR-17, ERR-21, ERR-27: one place to work at a time, and words for each way out.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_elsewhere_is_asked_for_and_ends_the_other_page() {
    let mut office = Office::open().await;
    let page = &mut office.page;
    page.act("goto", json!({ "url": office.appliance.base }));
    page.fill("User name", "anna");
    page.fill("Password", "wrong-guess-1");
    page.click("Sign in");
    page.see("[role=alert]:text-is('User name or password is not correct.')");
    page.assert_clean("a refused sign-in");

    let elsewhere = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signed in");
    let _desk = Agent::connect(&elsewhere, office.appliance.https).await;
    page.fill("Password", PASSWORD);
    page.click("Sign in");
    page.see("[role=alert]:text-is('You are already signed in on another device. Sign in here instead?')");
    page.assert_clean("the question of a second sign-in");
    page.click("Sign in here");
    page.see("[data-state=ready]");

    // A second tab is the same session: the newer one is the desk, the older one offers to take it back.
    let second = page.act("tab", json!({ "url": office.appliance.base }));
    page.see("[data-state]");
    page.act("tab", json!({ "number": 0 }));
    page.see("[role=status]:text-is('The console is open in another tab or window.')");
    page.click("Use it here");
    page.see("[data-state]");
    page.act("tab", json!({ "number": second }));
    page.see("[role=status]:text-is('The console is open in another tab or window.')");
    page.act("tab", json!({ "number": 0 }));

    let _forced = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signed in");
    page.see("[role=status]:text-is('Session ended: you signed in on another device.')");
    page.fill("User name", "anna");
    page.fill("Password", PASSWORD);
    page.click("Sign in");
    page.click("Sign in here");
    page.see("[data-state]");
    page.click("Log out");
    page.see("dialog:has-text('Log out now?')");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
}

/// STATE-02, STATE-12: the menu of states without a mouse; the time in a state runs.
#[tokio::test(flavor = "multi_thread")]
async fn states_are_chosen_by_keyboard_and_their_time_runs() {
    let mut office = Office::open().await;
    office.sign_in("anna");
    let page = &mut office.page;
    page.see("[data-state=ready]");
    page.evaluate("document.querySelector('[data-state]').focus()");
    page.press("Enter");
    page.see("[role=menu]");
    page.assert_clean("state menu");
    let icons = page.count("[role=menuitem] svg");
    assert!(icons >= 7 && icons == page.count("[role=menuitem]"), "every state has its icon");
    page.press("ArrowDown");
    let reason = page.evaluate("document.activeElement.textContent.trim()");
    let reason = reason.as_str().expect("an item has the focus").to_owned();
    assert!(["Lunch", "Away", "Break", "Meeting", "Training"].contains(&&*reason), "{reason}");
    page.press("Enter");
    page.see(&format!("[data-state=not_ready]:has-text('Not ready · {reason}')"));
    let focus = page.evaluate("document.activeElement.dataset.state ?? ''");
    assert_eq!(focus, "not_ready", "the focus is where it was");
    let (since, before) = (now_ms(), seconds_shown(page));
    std::thread::sleep(Duration::from_millis(2_100));
    let after = seconds_shown(page);
    let passed = i64::try_from((now_ms() - since) / 1_000).expect("seconds");
    assert!((1..=passed + 1).contains(&(after - before)), "from {before} s to {after} s in {passed} s");

    for (keys, state) in [("End", "offline"), ("Home", "ready")] {
        page.press("ArrowDown");
        page.see("[role=menu]");
        page.press(keys);
        page.press("Enter");
        page.see(&format!("[data-state={state}]"));
    }
    page.press("ArrowDown");
    page.see("[role=menu]");
    page.press("Escape");
    page.gone("[role=menu]");
    page.press("Alt+KeyK");
    page.see("dialog:has-text('Keyboard shortcuts')");
    page.assert_clean("keyboard shortcuts");
    page.press("Escape");
    page.gone("dialog[open]");
}

/// VOICE-02, VOICE-03, VOICE-07, VOICE-09, STATE-15, ERR-03, ERR-04, UI-20, KEY-01: an offer declined, an offer missed, an
/// offer taken and ended by keyboard.
#[tokio::test(flavor = "multi_thread")]
async fn offers_ring_count_down_and_are_declined_missed_or_taken() {
    let mut office = Office::open().await;
    office.service(|s| {
        // Long enough for a slow browser to show and decline it, short enough to be missed once.
        s["queue"]["ring_time_ms"] = 12_000.into();
        s["queue"]["refusal_cooldown_ms"] = 1_000.into();
    });
    office.sign_in("anna");
    let mut customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]");
    page.see("[data-state=ringing]");
    let offer = page.text("[role=alertdialog]");
    for shown in ["Incoming call", "for Support", "Mara Lind", "+49 301", "Waited"] {
        assert!(offer.contains(shown), "{shown} is missing in: {offer}");
    }
    let title = page.act("title", json!({}));
    assert_eq!(title, "☎ Mara Lind · Patchbay");
    let left = |page: &mut Browser| page.text("[role=alertdialog] svg text").parse::<i32>().expect("seconds");
    let before = left(page);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(before <= 12 && left(page) < before, "the countdown runs");
    page.click("Decline");
    page.see("[aria-live=polite] :text('You declined an offer and are now Not ready.')");
    page.see("[data-state=not_ready]:has-text('Declined')");
    page.gone("[role=alertdialog]");
    page.shot("declined");
    page.assert_clean("banner");
    // Back in the queue: somebody waits there.
    page.see("tr:has-text('Support') td:text-is('1')");

    // The banner's own button.
    page.act("click", json!({ "name": "Ready", "within": "[aria-live=polite]" }));
    page.gone("[aria-live=polite] p");
    page.see("[role=alertdialog]");
    page.see("[data-state=not_ready]:has-text('No answer')");
    page.see("[aria-live=polite] :text('You missed an offer at ')");
    let banner = page.text("[aria-live=polite]");
    assert!(banner.contains("and are now Not ready. Choose Ready to go on."), "{banner}");
    assert!(banner.split(" at ").nth(1).is_some_and(|t| t.as_bytes()[2] == b':'), "no time in: {banner}");
    assert_eq!(page.act("title", json!({})), "Patchbay");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(page.count("[role=alertdialog]"), 0, "nothing is offered until Ready is chosen");
    let today = page.text("dl");
    assert_eq!(today.split_whitespace().collect::<Vec<_>>(), ["Missed", "1", "Declined", "1"]);

    page.press("Alt+KeyR");
    page.see("[role=alertdialog]");
    page.press("Alt+KeyA");
    page.see("[data-phase=talking]");
    // Alt+Q on a Russian layout: the key in that place says й.
    page.evaluate("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'й', code: 'KeyQ', altKey: true, bubbles: true }))");
    page.see("[data-state=wrap_up]");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
    page.press("Alt+Enter");
    page.see("[data-state=ready]");
}

/// CTRL-01, CTRL-02, CTRL-03, CTRL-05, STATE-16: what both sides hear through mute, hold, keypad and a reload.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_muted_held_typed_into_and_survives_a_reload() {
    let mut office = Office::open().await;
    office.sign_in("anna");
    let capture = Capture::start(office.appliance.dir.path(), "lo", "udp", None);
    let customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.fill("Remark", "Asked for a lamp.");
    let talking = during(|| hears_the_customer(page, "talking"));

    page.click("Hold");
    page.see("[data-phase=held]");
    page.assert_clean("hold");
    let held = during(|| hears_the_customer(page, "held"));
    page.click("Retrieve");
    page.see("[data-phase=talking]");

    page.click("Mute");
    page.see("[data-muted=true]");
    page.assert_clean("mute");
    let muted = during(|| hears_the_customer(page, "muted"));
    page.press("Alt+KeyM");
    page.see("[data-muted=false]");

    page.click("Keypad");
    page.act("click", json!({ "name": "5" }));
    page.press("#");
    page.see("output:text-is('5#')");
    page.assert_clean("keypad");

    page.act("click", json!({ "name": "Busy", "exact": false }));
    page.act("click", json!({ "role": "menuitem", "name": "Lunch" }));
    page.see(":text-is('then Not ready · Lunch')");
    page.see("[data-state=busy]");

    page.evaluate("document.documentElement.dataset.before = 'reload'");
    page.act("reload", json!({}));
    page.see("html:not([data-before]) [data-phase=talking]");
    let (from, until) = during(|| hears_the_customer(page, "after the reload"));
    // Two seconds of these are listening, the rest is the browser's: how fast it can be is not seen on a busy machine.
    assert!(until - from < 10_000_000, "audio took {} ms", (until - from) / 1_000 - 1_500);
    let reloaded = during(|| hears_the_customer(page, "reloaded"));
    assert_eq!(page.evaluate("document.querySelector('textarea').value"), "Asked for a lamp.");
    page.see(":text-is('then Not ready · Lunch')");
    page.theme_and_language("dark", "ru");
    page.shot("talking-ru-dark");
    page.assert_clean("talking, Russian, dark");
    page.theme_and_language("light", "en");
    page.click("Hang up");
    page.see("[data-state=wrap_up]");
    page.click("Complete");
    page.see("[data-state=not_ready]:has-text('Lunch')");

    let packets = capture.stop();
    let share = |(from, to): (u64, u64)| {
        let heard = to_customer(&packets, &customer, from, to);
        assert!(heard.len() > 8_000, "{} samples to the customer", heard.len());
        (tone::windows_with(&heard, 8_000, AGENT_HZ), loudness(&heard))
    };
    // Two thirds: on a busy machine the browser's microphone has gaps of its own.
    assert!(share(talking).0 > 0.66, "the customer hears the agent: {:?}", share(talking));
    let (agent, music) = share(held);
    assert!(agent < 0.01 && music > 300.0, "music and not the agent: {agent} {music}");
    let (agent, noise) = share(muted);
    assert!(agent < 0.01 && noise < 50.0, "silence while muted: {agent} {noise}");
    assert!(share(reloaded).0 > 0.66, "the customer hears the agent again: {:?}", share(reloaded));

    // RFC 4733 §2.3: event code, then the end bit; 5 is itself and # is 11.
    let ended: Vec<u8> = rtp_payloads(&packets, customer.media_port, 101)
        .iter()
        .filter(|e| e.get(1).is_some_and(|flags| flags & 0x80 != 0))
        .map(|e| e[0])
        .collect();
    let mut events = ended.clone();
    events.dedup();
    assert_eq!(events, [5, 11], "each with its end: {ended:?}");

    let records = office.admin.get("/records").await;
    assert_eq!(records["items"].as_array().map(Vec::len), Some(1), "one call, one record: {records}");
    let record = &records["items"][0];
    assert_eq!((&record["status"], &record["holds"]), (&json!("normal"), &json!(1)));
    assert_eq!(record["comment"], "Asked for a lamp.");
    let path = format!("/records/{}/recording.wav", record["interaction"].as_str().expect("an id"));
    let wav = eventually_ok(async || office.admin.bytes(&path).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    let length_ms = channels[0].len() as u64 * 1_000 / u64::from(rate);
    let talked = record["ended_at"].as_u64().zip(record["answered_at"].as_u64()).map(|(e, a)| e - a);
    assert!(talked.is_some_and(|t| length_ms + 700 > t), "{length_ms} ms recorded of {talked:?}");
    let unbroken = tone::unbroken(&channels[0], rate, CUSTOMER_HZ);
    assert!(unbroken > 0.95, "the customer is recorded through the reload: {unbroken}");
}

/// ACW-02, ACW-05, STATE-09, STATE-10, ERR-16: after-call work is completed, continued, or ends by itself.
#[tokio::test(flavor = "multi_thread")]
async fn after_call_work_asks_for_a_disposition_and_ends_by_itself_unless_continued() {
    let mut office = Office::open().await;
    office.service(|s| s["disposition_mandatory"] = true.into());
    // Long enough for a slow browser to do what is done here before it ends.
    office.rules(|r| r["wrap_up_ms"] = 9_000.into());
    office.sign_in("anna");
    for call in ["completed", "by-itself"] {
        let mut customer = office.customer(call, None);
        let page = &mut office.page;
        page.see("[role=alertdialog]");
        page.click("Accept");
        page.see("[data-phase=talking]");
        page.click("Hang up");
        page.see("[data-state=wrap_up]");
        assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
        page.see("[role=timer]:has-text('Ends by itself in 0:0')");
        if call == "completed" {
            page.click("Complete");
            page.see("[role=alert]:has-text('Choose a disposition and fill in the required fields.')");
            page.assert_clean("refused completion");
            page.click("Continue");
            page.see("[role=timer]:text-is('The countdown is stopped.')");
            std::thread::sleep(Duration::from_millis(10_000));
            page.see("[data-state=wrap_up]");
            page.click("Solved");
            page.see("[aria-pressed=true]:has-text('Solved')");
            page.fill("Remark", "Called about the invoice.");
            page.click("Complete");
        } else {
            // Nobody presses anything: what was typed is kept all the same.
            page.fill("Remark", "Line was bad.");
        }
        page.see("[data-state=ready]");
    }
    let records = office.admin.get("/records").await;
    let remarks: Vec<&Value> =
        records["items"].as_array().into_iter().flatten().map(|r| &r["comment"]).collect();
    assert_eq!(remarks, ["Line was bad.", "Called about the invoice."], "{records}");
    assert_eq!(records["items"][1]["disposition_name"], "Solved");
}

/// REC-01, REC-02, REC-07, STATE-22: a house furnished in the browser, its first call, and who sees which records.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_furnishes_the_house_and_the_new_agent_takes_a_call_there() {
    let mut office = Office::open().await;
    // Nobody is there yet: a record without an agent.
    let mut lost = office.customer("lost", Some(500));
    lost.running.wait(Duration::from_secs(60));

    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Admin");
    page.tab("Skills");
    page.click("Add");
    page.fill("Name", "Gardening");
    page.click("Save");
    page.see("button:text-is('Gardening')");
    page.tab("Services");
    page.see("button:text-is('Support')");
    page.click("Add");
    page.fill("Name", "Garden advice");
    page.select("Needs the skill", "Gardening");
    page.fill("Level at least", "3");
    page.click("Save");
    page.see("td:has-text('Gardening ≥ 3')");
    page.click("Garden advice");
    page.fill("Dispositions", "Advised");
    page.act("click", json!({ "name": "Add", "within": "dialog[open]" }));
    page.see("dialog .chip:text-is('Advised')");
    page.shot("service-editor");
    page.assert_clean("service editor");
    page.click("Save");
    page.gone("dialog[open]");
    page.tab("Numbers");
    page.click("Add");
    page.fill("Number", "+4930555300");
    page.select("Leads to", "Garden advice");
    page.click("Save");
    page.see("button:text-is('+49 30 555300')");
    page.tab("Users");
    page.click("Add");
    page.fill("Name", "Gerda Grün");
    page.fill("User name", "gerda");
    page.fill("Password", PASSWORD);
    page.fill("Gardening", "4");
    page.shot("user-editor");
    page.assert_clean("user editor");
    page.click("Save");
    page.see("tr:has-text('gerda') .chip:text-is('Gardening 4')");

    // Somebody is faster.
    page.tab("Skills");
    page.click("Gardening");
    page.see("dialog[open]");
    let skills = office.admin.get("/skills").await;
    let skill = skills["items"].as_array().into_iter().flatten().find(|s| s["name"] == "Gardening").cloned();
    let path =
        format!("/skills/{}", skill.as_ref().and_then(|s| s["id"].as_str()).expect("the skill exists"));
    office.admin.change(&path, |s| s["name"] = "Gardens".into()).await;
    page.fill("Name", "Gardening, all kinds");
    page.click("Save");
    page.see("[role=alert]:has-text('Somebody else changed this in the meantime.')");
    page.click("Save");
    page.see("button:text-is('Gardening, all kinds')");
    page.click("Gardening, all kinds");
    page.act("click", json!({ "name": "Delete", "within": "dialog[open]" }));
    page.act("click", json!({ "name": "Delete", "within": "dialog[open]" }));
    page.see("[role=alert]:has-text('something else still uses this')");
    page.click("Cancel");
    page.gone("dialog[open]");

    // The supervisor's view: an agent is sent to a break and back.
    let anna = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signed in");
    let mut desk = Agent::connect(&anna, office.appliance.https).await;
    page.click("Team");
    page.see("tr:has-text('Agent anna') .chip.ready");
    page.act("click", json!({ "name": "Make Not ready", "within": "tr:has-text('Agent anna')" }));
    page.see("tr:has-text('Agent anna') .chip:has-text('Not ready · Set by a supervisor')");
    desk.wait_for("forced", |e| e["agent"]["state"]["reason"]["kind"] == "forced").await;
    page.act("click", json!({ "name": "Make Ready", "within": "tr:has-text('Agent anna')" }));
    page.see("tr:has-text('Agent anna') .chip.ready");

    page.click("Log out");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
    office.sign_in("gerda");
    office.page.see("[data-phone=up]");
    let mut customer = office.customer_of("garden", "+4930555300", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]:has-text('for Garden advice')");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.click("Advised");
    // Something to be played afterwards.
    std::thread::sleep(Duration::from_secs(4));
    page.click("Hang up");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
    page.click("Complete");
    page.see("[data-state=ready]");

    // Her own record, and only that.
    page.click("Service records");
    page.see("tbody tr:has-text('Garden advice')");
    assert_eq!(page.count("tbody tr"), 1);
    assert_eq!(page.count("nav :text('Team')") + page.count("nav :text('Admin')"), 0, "not hers");
    let columns = page.text("thead").to_lowercase();
    for column in [
        "time",
        "type",
        "caller number",
        "contact number",
        "service",
        "call status",
        "duration",
        "remark",
        "recording",
    ] {
        assert!(columns.contains(column), "{column} is missing in {columns}");
    }
    page.click("Open record");
    page.see("canvas");
    page.click("Play");
    page.see("button:text-is('Pause')");
    eventually("half a second is played", Duration::from_secs(60), || {
        let at = page.evaluate("document.querySelector('audio').currentTime").as_f64().expect("seconds");
        (at > 0.5).then_some(())
    });
    page.press("Escape");

    page.click("Log out");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
    page.sign_in(&office.appliance.base, "chief", PASSWORD);
    page.click("Service records");
    page.see("tbody tr:has-text('Gerda Grün')");
    assert_eq!(page.count("tbody tr"), 2);
    // RECO-06: a supervisor sees who listened.
    page.act("click", json!({ "name": "Open record", "within": "tbody tr:has-text('Gerda Grün')" }));
    page.act("click-css", json!({ "selector": "dialog[open] summary:has-text('Who listened to it')" }));
    page.see("dialog[open] details li:has-text('Gerda Grün')");
    assert_eq!(
        page.count("dialog[open] details li"),
        1,
        "a player's parts are one listening, and looking is none"
    );
    page.evaluate("document.querySelector('dialog[open] details').scrollIntoView()");
    page.shot("who-listened");
    page.assert_clean("who listened");
    page.press("Escape");
    page.gone("dialog[open]");
    page.select("Call status", "Normal end");
    page.click("Filter");
    page.gone("tbody tr:has-text('Support')");
    assert_eq!(page.count("tbody tr"), 1);
    page.click("Clear");
    page.see("tbody tr:has-text('Support')");
    page.fill("Contact number", "+4930555300");
    page.click("Filter");
    page.gone("tbody tr:has-text('Support')");
    page.fill("From", "2001-01-01");
    page.fill("To", "2001-01-02");
    page.click("Filter");
    page.see("td:text-is('No records match.')");
}

/// Every page in both themes and both languages: nothing for axe to find, nothing wider than a telephone.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_both_themes_both_languages_and_on_a_telephone() {
    let mut office = Office::open().await;
    let mut customer = office.customer("lost", Some(500));
    customer.running.wait(Duration::from_secs(60));
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    let looks = [("light", "en", 1360), ("dark", "ru", 1360), ("light", "ru", 390), ("dark", "en", 390)];
    for (theme, language, width) in looks {
        page.act("size", json!({ "width": width, "height": if width == 390 { 844 } else { 860 } }));
        page.theme_and_language(theme, language);
        assert_eq!(page.evaluate("document.documentElement.lang"), language);
        let title = page.text("nav button:nth-of-type(1)");
        assert!(title.contains(if language == "ru" { "Рабочее место" } else { "Desk" }), "{title}");
        for (number, section) in ["desk", "records", "team", "admin"].into_iter().enumerate() {
            page.act("click-css", json!({ "selector": format!("nav button:nth-of-type({})", number + 1) }));
            page.see(if section == "desk" { ".empty" } else { "main table tbody" });
            let tabs = if section == "admin" { page.count("[role=tab]") } else { 1 };
            for tab in 1..=tabs {
                if section == "admin" {
                    page.act("click-css", json!({ "selector": format!("[role=tab]:nth-of-type({tab})") }));
                    page.see(&format!("[role=tab][aria-selected=true]:nth-of-type({tab})"));
                    page.see("main table tbody, main [data-preview]");
                }
                let name = format!("{section}-{tab}-{theme}-{language}-{width}");
                page.shot(&name);
                page.assert_clean(&name);
                let over = page.act("overflow", json!({}));
                assert_eq!(over, 0, "{name} is wider than its window");
            }
        }
    }
}

/// WRTC-01, VOICE-02: between two calls the microphone is closed; who waits for longer than a silent line may last is rung all the
/// same, and heard.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_waited_long_is_rung_all_the_same() {
    let mut office = Office::open_with("silence_timeout_s = 10").await;
    office.sign_in("anna");
    std::thread::sleep(Duration::from_secs(25));
    let mut customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]:has-text('Mara Lind')");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.click("Hang up");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
}

/// An appliance with one service, Anna who can serve it, and a browser whose microphone hums.
struct Office {
    page: Browser,
    appliance: Appliance,
    admin: Http,
    house: House,
}

impl Office {
    async fn open() -> Self {
        Self::open_with("").await
    }

    /// With more lines for `[media]`.
    async fn open_with(media: &str) -> Self {
        let appliance = Appliance::start(&Options { toml: media, ..Options::default() });
        let admin = appliance.admin().await;
        let house = appliance.furnish(&admin, NUMBER).await;
        appliance.hire(&admin, &house, "anna", "browser", None).await;
        // The page's administrator is not the test's: one session a user.
        let chief = json!({ "login": "chief", "name": "Clara Chief", "email": null, "extension": null, "role": "administrator",
            "group": house.group, "skills": {}, "phone": "none", "disabled": false, "password": PASSWORD });
        admin.post("/users", chief).await;
        let microphone = appliance.dir.path().join("microphone.wav");
        tone::write_wav(&microphone, 48_000, &tone::sine(AGENT_HZ, 48_000, 4.0));
        let page = Browser::start(appliance.dir.path(), &microphone);
        Self { page, appliance, admin, house }
    }

    fn sign_in(&mut self, login: &str) {
        self.page.sign_in(&self.appliance.base, login, PASSWORD);
        self.page.see("[data-phone=up]");
    }

    /// Changes the service before the day begins.
    fn service(&self, change: impl FnOnce(&mut Value)) {
        let path = format!("/services/{}", self.house.service);
        now(self.admin.change(&path, change));
    }

    /// Changes the team's rules.
    fn rules(&self, change: impl FnOnce(&mut Value)) {
        let path = format!("/groups/{}", self.house.group);
        now(self.admin.change(&path, |group| change(&mut group["rules"])));
    }

    fn customer(&self, name: &str, hold_ms: Option<u32>) -> Sipp {
        self.customer_of(name, NUMBER, hold_ms)
    }

    fn customer_of(&self, name: &str, dial: &str, hold_ms: Option<u32>) -> Sipp {
        let caller = Caller {
            dial,
            sip_port: self.appliance.sip,
            calls: 1,
            rate: 1,
            hold_ms,
            hz: CUSTOMER_HZ,
            extra: &[],
        };
        caller.start(self.appliance.dir.path(), name)
    }
}

/// Runs a future from a plain function, on this runtime's thread.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Seconds of the clock in the state's pill.
fn seconds_shown(page: &mut Browser) -> i64 {
    let shown = page.text("[data-state] .figures");
    let (minutes, seconds) = shown.split_once(':').expect("m:ss");
    minutes.parse::<i64>().expect("minutes") * 60 + seconds.parse::<i64>().expect("seconds")
}

fn hears_the_customer(page: &mut Browser, when: &str) {
    let heard = page.heard_hz();
    assert!(heard.is_some_and(|hz| (hz - CUSTOMER_HZ).abs() < 12.0), "{when}: the agent hears {heard:?}");
}

/// When something began and ended, in microseconds of the capture's clock; the edges are cut off.
#[expect(clippy::disallowed_methods, reason = "compared with times of a capture")]
fn during(what: impl FnOnce()) -> (u64, u64) {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as u64;
    let from = clock();
    what();
    (from + 400_000, clock() - 100_000)
}

/// What the customer was sent between two moments, as 8 kHz samples.
fn to_customer(packets: &[Datagram], customer: &Sipp, from: u64, to: u64) -> Vec<i16> {
    let then: Vec<Datagram> = packets.iter().filter(|d| (from..to).contains(&d.at_us)).cloned().collect();
    rtp_payloads(&then, customer.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect()
}

/// Root mean square.
fn loudness(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt()
}
