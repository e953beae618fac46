//! Calls: offered, taken, muted, held, ended, wrapped up.

use super::*;

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
