//! A busy morning: a hundred customers, twenty agents, and afterwards the books must balance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, House, Options, PASSWORD, text};
use scenarios::http::Http;
use scenarios::sipp::{Caller, Sipp};
use scenarios::softphone::Softphone;
use scenarios::tone;
use serde_json::{Value, json};
use tokio::time::Instant;

const AGENTS: usize = 20;
/// Customers who let the agent hang up, ten a second together with the others.
const PATIENT: u32 = 80;
const PATIENT_HZ: f64 = 440.0;
/// Customers of a service that goes first, who hang up by themselves.
const BRISK: u32 = 20;
const BRISK_HZ: f64 = 560.0;

/// Every agent speaks a tone of its own: the recording shows who it was.
fn agent_hz(place: usize) -> f64 {
    700.0 + 40.0 * place as f64
}

/// What one agent lived through.
#[derive(Default)]
struct Diary {
    /// Offers as this console saw them: interaction, from, until.
    offers: Vec<(String, u64, u64)>,
    accepted: u32,
    declined: u32,
    missed: u32,
    talked: Vec<String>,
}

/// STATE-05, STATE-15, ACW-03, RECO-01, REC-07: nobody is lost, nobody is offered twice at a time, every call is recorded
/// with the right voice on each side, and every figure adds up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_customers_are_served_by_twenty_agents_and_every_call_is_accounted_for() {
    let began = Instant::now();
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, "+4930555100").await;
    prepare(&admin, &house).await;
    let places = staff(&appliance, &admin, &house).await;
    let (memory_before, ready_after) = (appliance.running.memory_mib(), began.elapsed());

    let over = Arc::new(AtomicBool::new(false));
    let desks: Vec<_> = places
        .into_iter()
        .map(|(place, agent, phone)| {
            tokio::spawn(serve(place, agent, phone, house.disposition.clone(), over.clone()))
        })
        .collect();
    let called = Instant::now();
    let mut callers = [
        ("patient", "+4930555100", PATIENT, 8, None, PATIENT_HZ),
        ("brisk", "+4930555200", BRISK, 2, Some(9_000), BRISK_HZ),
    ]
    .map(|(name, dial, calls, rate, hold_ms, hz)| {
        Caller { dial, sip_port: appliance.sip, calls, rate, hold_ms, hz, extra: &[] }
            .start(appliance.dir.path(), name)
    });
    let mut memory_most = memory_before;
    while callers.iter_mut().any(|c| c.running.runs()) {
        assert!(called.elapsed() < Duration::from_secs(120), "calls hang:\n{}", admin.get("/calls").await);
        memory_most = memory_most.max(appliance.running.memory_mib());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let calls_took = called.elapsed();
    for (sipp, calls) in callers.iter_mut().zip([PATIENT, BRISK]) {
        let end = sipp.running.wait(Duration::from_secs(1));
        assert!(end.success(), "SIPp ended with {end}:\n{}\n{}", sipp.errors(), appliance.log());
        assert_eq!((successful(sipp), failed(sipp)), (calls, 0), "SIPp counts its calls");
    }
    quiet(&admin).await;
    over.store(true, Ordering::Relaxed);
    let mut diaries = Vec::new();
    for desk in desks {
        diaries.push(desk.await.expect("an agent's day ends well"));
    }

    offers_were_exclusive(&admin, &diaries).await;
    let records = records_are_complete(&admin, &house).await;
    figures_add_up(&admin, &diaries, &records).await;
    for record in &records {
        recorded_well(&admin, record).await;
    }
    assert!(memory_most < 600, "{memory_most} MiB for a hundred calls");
    println!(
        "ready after {ready_after:.1?}; 100 calls took {calls_took:.1?}; all checked after {:.1?}; \
         memory {memory_before} MiB before, {memory_most} MiB at most; {} declined, {} missed",
        began.elapsed(),
        diaries.iter().map(|d| d.declined).sum::<u32>(),
        diaries.iter().map(|d| d.missed).sum::<u32>(),
    );
}

/// A short ring, and a second service whose customers go first.
async fn prepare(admin: &Http, house: &House) {
    let mut brisk = admin
        .change(&format!("/services/{}", house.service), |s| s["queue"]["ring_time_ms"] = 5_000.into())
        .await;
    brisk["name"] = "Express".into();
    brisk["queue"]["priority"] = 1_000.into();
    for read_only in ["id", "warnings"] {
        brisk.as_object_mut().expect("an object").remove(read_only);
    }
    let brisk = admin.post("/services", brisk).await;
    admin.post("/numbers", json!({ "digits": "+4930555200", "service": brisk["id"] })).await;
}

/// Twenty agents at their desks, each with a softphone that is connected.
async fn staff(appliance: &Appliance, admin: &Http, house: &House) -> Vec<(usize, Agent, Softphone)> {
    let mut coming = Vec::new();
    for place in 0..AGENTS {
        let login = format!("agent{place:02}");
        appliance.hire(admin, house, &login, "browser", None).await;
        let (base, port) = (appliance.base.clone(), appliance.https);
        coming.push(tokio::spawn(async move {
            let http = Http::sign_in(&base, &login, PASSWORD).await.expect("signs in");
            let mut agent = Agent::connect(&http, port).await;
            let phone = Softphone::attach(&mut agent, agent_hz(place)).await;
            (place, agent, phone)
        }));
    }
    let mut places = Vec::new();
    for place in coming {
        places.push(place.await.expect("an agent comes to work"));
    }
    let ready = admin.get("/agents").await;
    let count =
        ready["items"].as_array().expect("a list").iter().filter(|a| a["state"]["state"] == "ready").count();
    assert_eq!(count, AGENTS, "{ready}");
    places
}

/// One agent's day: accepts most offers, talks two to three seconds, hangs up unless the customer does, completes the
/// work; now and then declines or misses one and chooses Ready again.
async fn serve(
    place: usize,
    mut agent: Agent,
    phone: Softphone,
    disposition: String,
    over: Arc<AtomicBool>,
) -> Diary {
    let (mut diary, mut offered) = (Diary::default(), 0);
    let mut open: HashMap<String, (String, u64, bool)> = HashMap::new();
    let mut express = false;
    let mut hang_up: Option<(Instant, Value)> = None;
    loop {
        let wait = hang_up
            .as_ref()
            .map_or(Duration::from_millis(200), |(at, _)| at.saturating_duration_since(Instant::now()));
        let event = agent.next(wait.min(Duration::from_millis(200))).await;
        if let Some((_, interaction)) = hang_up.take_if(|(at, _)| *at <= Instant::now()) {
            agent.send("hang_up", json!({ "interaction": interaction })).await.expect("the call is up");
        }
        let Some(event) = event else {
            if over.load(Ordering::Relaxed) && open.is_empty() {
                drop(phone);
                return diary;
            }
            continue;
        };
        let at = event["at"].as_u64().unwrap_or_default();
        match event["event"].as_str().unwrap_or_default() {
            "offered" => {
                let offer = &event["offer"];
                let (token, is_express) = (text(&offer["offer"]), offer["service"]["name"] == "Express");
                offered += 1;
                let answer = match (offered + place) % 18 {
                    4 | 13 if !is_express => "decline",
                    8 if !is_express => "miss",
                    _ => "accept",
                };
                open.insert(token.clone(), (text(&offer["interaction"]), at, answer == "miss"));
                if answer != "miss" {
                    express = is_express;
                    // The customer may have left this very moment; the event that ends the offer says so.
                    let _ = agent.send(answer, json!({ "offer": token })).await;
                }
            }
            "offer_ended" => {
                let (interaction, since, _) =
                    open.remove(event["offer"].as_str().expect("an id")).expect("it was offered");
                diary.offers.push((interaction, since, at));
                match event["why"].as_str() {
                    Some("accepted") => diary.accepted += 1,
                    Some("declined") => diary.declined += 1,
                    Some("no_answer") => diary.missed += 1,
                    why => panic!("agent {place}: an offer ended as {why:?}"),
                }
            }
            "me" if event["agent"]["state"]["state"] == "not_ready" => {
                agent.send("ready", json!({})).await.expect("back to work");
            }
            "work" if event["work"]["phase"] == "talking" => {
                let interaction = event["work"]["interaction"].clone();
                if diary.talked.last().map(String::as_str) != interaction.as_str() {
                    diary.talked.push(text(&interaction));
                    let talk = 2_000 + (place * 97 + diary.talked.len() * 211) % 1_000;
                    hang_up = (!express)
                        .then(|| (Instant::now() + Duration::from_millis(talk as u64), interaction));
                }
            }
            "work" if event["work"]["phase"] == "wrap_up" && event["work"]["disposition"].is_null() => {
                let interaction = event["work"]["interaction"].clone();
                if !express {
                    let code = json!({ "interaction": interaction, "disposition": disposition, "comment": "A lamp." });
                    agent.send("code", code).await.expect("coded");
                }
                // The timer of after-call work cannot have come first: it has thirty seconds.
                agent.send("complete", json!({ "interaction": interaction })).await.expect("completed");
            }
            _ => {}
        }
    }
}

/// Waits until everybody is ready again and no recording waits to be finished.
async fn quiet(admin: &Http) {
    for _ in 0..300 {
        let agents = admin.get("/agents").await;
        let ready = agents["items"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|a| a["state"]["state"] == "ready")
            .count();
        let metrics = admin.metrics().await;
        let open =
            metrics.sum("patchbay_recordings_pending", &[]) + metrics.sum("patchbay_calls_active", &[]);
        if ready == AGENTS && open == 0.0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the floor does not come to rest: {}\n{}", admin.get("/agents").await, admin.get("/calls").await);
}

/// By the journal, in its order: a lease at a time for a customer and for an agent, and one agent a call. By what the
/// twenty consoles saw: no call rang in two places.
async fn offers_were_exclusive(admin: &Http, diaries: &[Diary]) {
    let mut leases: HashMap<String, String> = HashMap::new();
    let mut ringing: HashSet<String> = HashSet::new();
    let mut connected: HashMap<String, String> = HashMap::new();
    let mut complete = 0;
    let journal = admin.journal().await;
    let numbers: Vec<u64> = journal.iter().filter_map(|e| e["seq"].as_u64()).collect();
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "the journal has a gap");
    for entry in &journal {
        let event = &entry["event"];
        let (interaction, agent) =
            (event["interaction"].as_str().unwrap_or_default(), event["agent"].as_str().unwrap_or_default());
        match event["type"].as_str().unwrap_or_default() {
            "offered" => {
                let before = leases.insert(interaction.into(), agent.into());
                assert_eq!(before, None, "{interaction} was offered to a second agent: {entry}");
                assert!(ringing.insert(agent.into()), "{agent} was offered a second call: {entry}");
            }
            "accepted" | "offer_ended" => {
                assert_eq!(leases.remove(interaction).as_deref(), Some(agent), "{entry}");
                assert!(ringing.remove(agent), "{entry}");
                if event["type"] == "accepted" {
                    assert_eq!(
                        connected.insert(interaction.into(), agent.into()),
                        None,
                        "two agents took {interaction}"
                    );
                }
            }
            "recording_finished" => {
                assert_eq!(event["complete"], true, "{entry}");
                complete += 1;
            }
            "recording_failed" => panic!("{entry}"),
            _ => {}
        }
    }
    assert!(leases.is_empty(), "still ringing: {leases:?}");
    assert_eq!((connected.len(), complete), (100, 100), "calls connected, recordings complete");

    let mut seen: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for (interaction, from, until) in diaries.iter().flat_map(|d| &d.offers) {
        seen.entry(interaction).or_default().push((*from, *until));
    }
    for (interaction, mut times) in seen {
        times.sort_unstable();
        let apart = times.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(apart, "{interaction} rang in two places at a time: {times:?}");
    }
    let talked: Vec<&String> = diaries.iter().flat_map(|d| &d.talked).collect();
    assert_eq!(talked.len(), 100, "conversations the agents had");
    assert_eq!(talked.iter().collect::<HashSet<_>>().len(), 100, "a call was talked by two agents");
}

/// A hundred records, each once, each of a call that was talked and ended by the right side, without a packet lost.
async fn records_are_complete(admin: &Http, house: &House) -> Vec<Value> {
    let records = admin.walk("/records", 17).await;
    let ids: HashSet<&str> = records.iter().filter_map(|r| r["interaction"].as_str()).collect();
    assert_eq!((records.len(), ids.len()), (100, 100), "records, and different ones");
    for record in &records {
        assert_eq!(record["status"], "normal", "{record}");
        let brisk = record["service"] != house.service;
        assert_eq!(record["ended_by"], if brisk { "customer" } else { "agent" }, "{record}");
        assert_eq!(
            record["disposition"],
            if brisk { Value::Null } else { house.disposition.clone().into() },
            "{record}"
        );
        let times: Vec<u64> =
            ["arrived_at", "queued_at", "offered_at", "answered_at", "ended_at", "completed_at"]
                .map(|time| record[time].as_u64().unwrap_or_else(|| panic!("no {time}: {record}")))
                .to_vec();
        assert!(times.is_sorted(), "{record}");
        let talked = times[4] - times[3];
        assert!((1_800..12_000).contains(&talked), "talked {talked} ms: {record}");
        for side in ["customer_stats", "agent_stats"] {
            let stats = &record[side];
            assert_eq!((&stats["lost"], &stats["rejected"]), (&json!(0), &json!(0)), "{side} of {record}");
            // A second and a half: SIPp's own threads may come late on a busy machine, and then speak less.
            let packets = stats["packets"].as_u64().unwrap_or_default();
            assert!(packets * 20 + 1_500 > talked, "{side}: {packets} packets in {talked} ms");
        }
    }
    let count = |service: bool| records.iter().filter(|r| (r["service"] == house.service) == service).count();
    assert_eq!((count(true), count(false)), (PATIENT as usize, BRISK as usize));
    records
}

/// What monitoring sees is what happened.
async fn figures_add_up(admin: &Http, diaries: &[Diary], records: &[Value]) {
    let metrics = admin.metrics().await;
    let total = |of: fn(&Diary) -> u32| f64::from(diaries.iter().map(of).sum::<u32>());
    for (name, labels, expected) in [
        ("patchbay_calls_total", &["result=\"normal\""][..], 100.0),
        ("patchbay_calls_total", &[], 100.0),
        ("patchbay_calls_active", &[], 0.0),
        ("patchbay_sip_calls_total", &[], 100.0),
        ("patchbay_sip_calls_failed_total", &[], 0.0),
        ("patchbay_sip_call_panics_total", &[], 0.0),
        ("patchbay_sip_malformed_answered_total", &[], 0.0),
        ("patchbay_sip_overloaded_total", &[], 0.0),
        ("patchbay_signaling_queue_overflow_total", &[], 0.0),
        ("patchbay_queue_offered_total", &[], 100.0),
        ("patchbay_queue_answered_total", &[], 100.0),
        ("patchbay_queue_waiting", &[], 0.0),
        ("patchbay_offers_total", &["result=\"accepted\""], total(|d| d.accepted)),
        ("patchbay_offers_total", &["result=\"declined\""], total(|d| d.declined)),
        ("patchbay_offers_total", &["result=\"no_answer\""], total(|d| d.missed)),
        ("patchbay_wrapup_seconds_count", &[], 100.0),
        ("patchbay_recording_failures_total", &[], 0.0),
        ("patchbay_recording_overruns_total", &[], 0.0),
        ("patchbay_media_events_lost_total", &[], 0.0),
        ("patchbay_media_io_errors_total", &["kind=\"receive\""], 0.0),
        ("patchbay_media_io_errors_total", &["kind=\"no_buffer\""], 0.0),
        ("patchbay_rtp_dropped_total", &["reason=\"malformed\""], 0.0),
        ("patchbay_rtp_dropped_total", &["reason=\"bad_tag\""], 0.0),
        ("patchbay_rtp_dropped_total", &["reason=\"wrong_source\""], 0.0),
        // Each agent's softphone stays connected between calls; no leg of a customer is left.
        ("patchbay_media_legs", &[], AGENTS as f64),
    ] {
        assert_eq!(metrics.sum(name, labels), expected, "{name} {labels:?}");
    }
    assert!(total(|d| d.declined) >= 3.0 && total(|d| d.missed) >= 1.0, "too good a day to prove anything");
    let of = |side: &str| records.iter().filter_map(|r| r[side]["packets"].as_u64()).sum::<u64>() as f64;
    let received = metrics.sum("patchbay_rtp_packets_total", &["direction=\"in\""]);
    let known = of("customer_stats") + of("agent_stats");
    assert!(received >= known, "{received} datagrams came, the records know of {known} packets");
    let recorded = metrics.sum("patchbay_recorded_payloads_total", &[]);
    let talked: u64 =
        records.iter().filter_map(|r| Some(r["ended_at"].as_u64()? - r["answered_at"].as_u64()?)).sum();
    let expected = talked as f64 / 20.0 * 2.0;
    assert!(
        (recorded - expected).abs() < expected * 0.1,
        "{recorded} payloads recorded, {expected} by the length of the calls"
    );
}

/// The customer on the left, the agent who is named in the record on the right, as long as they talked.
async fn recorded_well(admin: &Http, record: &Value) {
    assert!(record["recording"].is_string(), "{record}");
    let path = format!("/records/{}/recording.wav", text(&record["interaction"]));
    let wav = scenarios::eventually_ok(async || admin.bytes(&path).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    assert_eq!(channels.len(), 2, "{record}");
    let talked =
        record["ended_at"].as_u64().unwrap_or_default() - record["answered_at"].as_u64().unwrap_or_default();
    let length = channels[0].len() as u64 * 1_000 / u64::from(rate);
    assert!(length.abs_diff(talked) < 700, "recorded {length} ms of {talked} ms: {record}");
    let place: usize =
        text(&record["agent_name"]).trim_start_matches("Agent agent").parse().expect("a number");
    let customer = if record["ended_by"] == "customer" { BRISK_HZ } else { PATIENT_HZ };
    for (channel, own, other) in [(0, customer, agent_hz(place)), (1, agent_hz(place), customer)] {
        let (own, other) = (
            tone::windows_with(&channels[channel], rate, own),
            tone::windows_with(&channels[channel], rate, other),
        );
        assert!(
            own > 0.75 && other < 0.05,
            "channel {channel}: own voice in {own:.2}, the other in {other:.2}: {record}"
        );
    }
}

/// Column `name` of the last line of SIPp's statistics.
fn statistic(sipp: &Sipp, name: &str) -> u32 {
    let files = std::fs::read_dir(&sipp.dir).expect("a folder").flatten();
    let file = files
        .map(|f| f.path())
        .find(|f| f.extension().is_some_and(|e| e == "csv"))
        .expect("SIPp writes statistics");
    let text = std::fs::read_to_string(file).expect("readable");
    let mut lines = text.lines();
    let column = lines.next().and_then(|head| head.split(';').position(|c| c == name)).expect("the column");
    lines.next_back().and_then(|last| last.split(';').nth(column)?.parse().ok()).expect("a number")
}

fn successful(sipp: &Sipp) -> u32 {
    statistic(sipp, "SuccessfulCall(C)")
}

fn failed(sipp: &Sipp) -> u32 {
    statistic(sipp, "FailedCall(C)")
}
