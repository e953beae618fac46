//! The bad days: the process is killed, the database goes away, somebody pulls the plug gently.

use std::time::Duration;

use scenarios::appliance::{Appliance, House, Options, text};
use scenarios::http::Http;
use scenarios::place::Place;
use scenarios::sip::{Line, offer};
use scenarios::sipp::{Caller, Sipp};
use scenarios::{eventually, eventually_ok, now_ms, tone};
use serde_json::{Value, json};
use store::testing::PostgresServer;

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const ANNA_HZ: f64 = 1_000.0;
const BORIS_HZ: f64 = 1_400.0;

/// RECO-03, SAFE-06: `kill -9` in the middle of two calls, at three different moments. Each call has a record with an end and
/// the status "interrupted", and its recording can be played up to a fifth of a second before the kill.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_calls_are_interrupted_and_their_recordings_can_be_played_to_the_end() {
    let (mut appliance, house) = open(Options::default()).await;
    let admin = appliance.admin().await;
    appliance.hire(&admin, &house, "boris", "browser", None).await;
    for (round, talk_ms) in [2_150, 480, 1_310].into_iter().enumerate() {
        // Signing in anew after each kill, whatever the last life left.
        let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
        let mut boris = Place::take(&appliance, "boris", BORIS_HZ).await;
        let customers = [call(&appliance, &format!("a{round}")), call(&appliance, &format!("b{round}"))];
        let (first, second) = tokio::join!(anna.answer(), boris.answer());
        // What the recording must hold is told by what is heard meanwhile, however long it takes to come.
        tokio::join!(anna.comes_to_hear(CUSTOMER_HZ, 1.0), boris.comes_to_hear(CUSTOMER_HZ, 1.0));
        tokio::time::sleep(Duration::from_millis(talk_ms)).await;
        // Both talk at this very moment: what a stalled machine did not send is not lost by the appliance.
        tokio::join!(anna.hears_on(0.02), boris.hears_on(0.02));
        let killed = kill(&mut appliance);
        drop(customers);
        appliance.start_again();

        let admin = appliance.admin().await;
        nothing_is_open(&admin).await;
        for (interaction, hz) in [(first, ANNA_HZ), (second, BORIS_HZ)] {
            let record = admin.get(&format!("/records/{interaction}")).await;
            assert_eq!(
                (&record["status"], &record["ended_by"]),
                (&json!("interrupted"), &json!("system")),
                "{record}"
            );
            let answered = number(&record, "answered_at");
            assert!(
                number(&record, "ended_at") >= killed && number(&record, "completed_at") >= killed,
                "{record}"
            );

            let (rate, channels) = recording(&admin, &interaction).await;
            let length = channels[0].len() as u64 * 1_000 / u64::from(rate);
            let talked = killed - answered;
            println!("round {round}: talked {talked} ms until the kill, recorded {length} ms");
            assert!(length + 200 >= talked, "{} ms are lost: {record}", talked - length);
            assert!(length < talked + 300, "recorded {length} ms of {talked} ms");
            for (channel, own) in channels.iter().zip([CUSTOMER_HZ, hz]) {
                assert!(tone::seconds_with(channel, rate, own) > 1.0, "the voice is there");
                assert!(tone::unbroken(channel, rate, own) > 0.95, "without a hole");
                // 100 ms of padding may stand at the end, where one side's packets came a little later than the other's.
                let tail = &channel[channel.len() - rate as usize / 2..];
                assert!(tone::windows_with(tail, rate, own) >= 0.6, "the voice is there to the end");
            }
        }
    }
    let records = appliance.admin().await.walk("/records", 50).await;
    assert_eq!(records.len(), 6, "none is doubled and none is forgotten");
    a_call_works(&appliance, "after").await;
}

/// SAFE-06: callers who wait, or ring an agent, at the moment of a kill are accounted for, and the agent whose page comes back
/// with its session stands where it stood.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_nobody_waits_or_rings_for_ever() {
    let (mut appliance, _) = open(Options::default()).await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let ringing = call(&appliance, "ringing");
    let offered = anna.agent.wait_for("an offer", |e| e["event"] == "offered").await;
    let waiting = call(&appliance, "waiting");
    let admin = appliance.admin().await;
    scenarios::until("one waits behind the other", async || {
        admin.get("/calls").await["items"].as_array().map(Vec::len) == Some(2)
    })
    .await;
    // A promise is in the journal before the caller hears it; half a second is beyond any group commit.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let killed = kill(&mut appliance);
    drop((ringing, waiting));
    appliance.start_again();

    let admin = appliance.admin().await;
    nothing_is_open(&admin).await;
    let records = admin.walk("/records", 50).await;
    assert_eq!(records.len(), 2, "{records:?}");
    for record in &records {
        assert_eq!(record["status"], "interrupted", "{record}");
        assert!(number(record, "ended_at") >= killed, "{record}");
        assert_eq!(record["answered_at"], Value::Null, "{record}");
    }
    assert!(records.iter().any(|r| r["interaction"] == offered["offer"]["interaction"]));

    // The page reconnects with its cookie: no new sign-in, and the agent is ready again.
    let http = anna.http.clone();
    drop(anna);
    let mut anna = Place::return_to(&appliance, http, ANNA_HZ).await;
    anna.is("ready").await;
    let stale = anna
        .agent
        .send("accept", json!({ "offer": offered["offer"]["offer"] }))
        .await
        .expect_err("the lease is over");
    assert_eq!(stale["type"], "/problems/offer-gone");
    let mut customer = call(&appliance, "next");
    let interaction = anna.answer().await;
    anna.finish(&interaction).await;
    ends_well(&mut customer);
}

/// SAFE-06, OPS-03: PostgreSQL is away for ten seconds. The call goes on, its agent can work, the next caller is served, and
/// when the database is back both records are whole.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_goes_away_during_a_call_and_nobody_on_the_telephone_notices() {
    let server = PostgresServer::start();
    let database = Some(server.create_database("patchbay"));
    let (appliance, house) = open(Options { database, ..Options::default() }).await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let mut customer = call(&appliance, "before");
    let first = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;

    let away_since = now_ms();
    server.stop();
    let heard = anna.hears_on(5.0).await;
    let took = now_ms() - away_since;
    // The audio of five seconds cannot come sooner; later only by as much as the machine is behind.
    assert!((4_500..8_000).contains(&took), "five seconds of audio took {took} ms");
    let share = tone::windows_with(&heard, 8_000, CUSTOMER_HZ);
    assert!(share > 0.95, "the customer is heard without the database: {share:.2}");
    anna.agent.send("mute", json!({ "interaction": first })).await.expect("muting needs no database");
    anna.agent.send("unmute", json!({ "interaction": first })).await.expect("nor does unmuting");
    let code =
        json!({ "interaction": first, "disposition": house.disposition, "comment": "While it was away." });
    anna.agent.send("code", code).await.expect("coded");
    let told = |e: &Value| e["event"] == "banner" && e["code"] == "database_away";
    anna.agent.wait_for("the agent is told, once there was something to write", told).await;
    anna.finish(&first).await;
    ends_well(&mut customer);

    let mut customer = call(&appliance, "meanwhile");
    let second = anna.answer().await;
    // A new call is routed from memory.
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;
    let left = 10_000_u64.saturating_sub(now_ms() - away_since);
    tokio::time::sleep(Duration::from_millis(left)).await;

    server.resume();
    let away = now_ms() - away_since;
    anna.agent
        .wait_for("the agent is told", |e| e["event"] == "banner" && e["code"] == "database_back")
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    anna.finish(&second).await;
    ends_well(&mut customer);
    println!("the database was away for {away} ms");

    let admin = appliance.admin().await;
    let records = admin.walk("/records", 50).await;
    assert_eq!(records.len(), 2, "{records:?}");
    for (interaction, comment) in [(&first, "While it was away."), (&second, "")] {
        let record = admin.get(&format!("/records/{interaction}")).await;
        assert_eq!((&record["status"], &record["ended_by"]), (&json!("normal"), &json!("agent")), "{record}");
        assert_eq!(record["comment"], comment, "{record}");
        let times = ["arrived_at", "queued_at", "offered_at", "answered_at", "ended_at", "completed_at"]
            .map(|t| number(&record, t));
        assert!(times.is_sorted(), "{record}");
        assert_eq!(record["customer_stats"]["lost"], 0, "{record}");
        let (rate, channels) = recording(&admin, interaction).await;
        let length = channels[0].len() as u64 * 1_000 / u64::from(rate);
        assert!(length.abs_diff(times[4] - times[3]) < 700, "{length} ms recorded: {record}");
        for (channel, own) in channels.iter().zip([CUSTOMER_HZ, ANNA_HZ]) {
            assert!(
                tone::seconds_with(channel, rate, own) > 1.0 && tone::unbroken(channel, rate, own) > 0.95,
                "both voices throughout: {record}"
            );
        }
    }
    let count = |entries: &[Value], what: &str| entries.iter().filter(|e| e["event"]["type"] == what).count();
    let journal = admin.journal(|j| count(j, "ended") == 2 && count(j, "completed") == 2).await;
    let numbers: Vec<u64> = journal.iter().filter_map(|e| e["seq"].as_u64()).collect();
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "delivered once, in order: {numbers:?}");
    assert_eq!(count(&journal, "ended"), 2, "each end is told once");
}

/// SAFE-06: the first SIGTERM takes no new calls, lets the one in progress end as it would, and then the process exits well.
#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_cuts_nobody_off() {
    let (mut appliance, _) = open(Options::default()).await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let mut customer = call(&appliance, "customer");
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;
    appliance.running.signal(libc::SIGTERM);
    eventually("it says that it stops", Duration::from_secs(60), || {
        appliance.log().contains("no new calls").then_some(())
    });

    let line = Line::to(appliance.sip);
    for _ in 0..3 {
        let refused = line.ask(&line.request("INVITE", NUMBER, &offer(40_000)));
        assert_eq!(refused.status, 503, "{}", refused.text);
        let after = refused.header("Retry-After").and_then(|v| v.parse::<u32>().ok());
        assert!(after.is_some_and(|s| (1..=600).contains(&s)), "{}", refused.text);
    }
    let heard = anna.hears_on(3.0).await;
    assert!(appliance.running.runs(), "it waits for the call");
    assert!(tone::windows_with(&heard, 8_000, CUSTOMER_HZ) > 0.9, "the call goes on");
    anna.finish(&interaction).await;
    ends_well(&mut customer);
    let end = appliance.running.wait(Duration::from_secs(60));
    assert_eq!(end.code(), Some(0), "{end}:\n{}", appliance.log());

    appliance.start_again();
    let admin = appliance.admin().await;
    let record = admin.get(&format!("/records/{interaction}")).await;
    assert_eq!((&record["status"], &record["ended_by"]), (&json!("normal"), &json!("agent")), "{record}");
    let (rate, channels) = recording(&admin, &interaction).await;
    assert!(tone::seconds_with(&channels[0], rate, CUSTOMER_HZ) > 3.5, "all of what was heard, and more");
    assert!(tone::unbroken(&channels[0], rate, CUSTOMER_HZ) > 0.95, "without a hole");
}

/// An appliance with a service and Anna.
async fn open(options: Options<'_>) -> (Appliance, House) {
    let appliance = Appliance::start(&options);
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    (appliance, house)
}

/// A customer calls, speaks, and waits to be hung up on.
fn call(appliance: &Appliance, name: &str) -> Sipp {
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    caller.start(appliance.dir.path(), name)
}

fn ends_well(customer: &mut Sipp) {
    let end = customer.running.wait(Duration::from_secs(60));
    assert!(end.success(), "SIPp: {end}\n{}", customer.errors());
}

/// `kill -9`; returns the moment just before.
fn kill(appliance: &mut Appliance) -> u64 {
    let at = now_ms();
    appliance.running.signal(libc::SIGKILL);
    appliance.running.wait(Duration::from_secs(30));
    at
}

/// No call, nobody in a queue, no record without an end.
async fn nothing_is_open(admin: &Http) {
    assert_eq!(admin.get("/calls").await["items"], json!([]));
    let queues = admin.get("/queues").await;
    assert!(queues["items"].as_array().is_some_and(|q| q.iter().all(|q| q["waiting"] == 0)), "{queues}");
    // The ends are on their way into the records when the appliance is ready.
    scenarios::until("every record has an end", async || {
        let records = admin.walk("/records", 50).await;
        records.iter().all(|r| r["status"].is_string() && r["ended_at"].is_u64())
    })
    .await;
}

fn number(record: &Value, name: &str) -> u64 {
    record[name].as_u64().unwrap_or_else(|| panic!("no {name}: {record}"))
}

/// The recording as it is downloaded: rate, customer, agent.
async fn recording(admin: &Http, interaction: &str) -> (u32, Vec<Vec<i16>>) {
    let path = format!("/records/{interaction}/recording.wav");
    let wav = eventually_ok(async || admin.bytes(&path).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    assert_eq!(channels.len(), 2);
    (rate, channels)
}

/// A whole call, from sign-in to a record.
async fn a_call_works(appliance: &Appliance, name: &str) {
    let mut anna = Place::take(appliance, "anna", ANNA_HZ).await;
    let mut customer = call(appliance, name);
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;
    anna.finish(&interaction).await;
    ends_well(&mut customer);
    let record = appliance.admin().await.get(&format!("/records/{interaction}")).await;
    assert_eq!(text(&record["status"]), "normal");
}
