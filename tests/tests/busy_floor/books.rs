//! The books after the day: journal, records, recordings and figures must tell the same story.

use std::collections::{BTreeMap, HashMap, HashSet};

use scenarios::appliance::{House, text};
use scenarios::http::Http;
use scenarios::tone;
use serde_json::{Value, json};

use super::{AGENTS, BRISK, BRISK_HZ, Diary, PATIENT, PATIENT_HZ, agent_hz};

/// By the journal, in its order: a lease at a time for a customer and for an agent, and one agent a call. By what the
/// twenty consoles saw: no call rang in two places.
pub async fn offers_were_exclusive(admin: &Http, diaries: &[Diary]) {
    let mut leases: HashMap<String, String> = HashMap::new();
    let mut ringing: HashSet<String> = HashSet::new();
    let mut connected: HashMap<String, String> = HashMap::new();
    let mut complete = 0;
    let count = |entries: &[Value], what: &str| entries.iter().filter(|e| e["event"]["type"] == what).count();
    let whole = |j: &[Value]| count(j, "completed") == 100 && count(j, "recording_finished") == 100;
    let journal = admin.journal(whole).await;
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
pub async fn records_are_complete(admin: &Http, house: &House) -> Vec<Value> {
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
        // Agents hang up two seconds after they were told that they talk, or later; the brisk whenever their time is over.
        assert!(brisk || talked >= 1_900, "talked {talked} ms: {record}");
        for side in ["customer_stats", "agent_stats"] {
            let stats = &record[side];
            assert_eq!((&stats["lost"], &stats["rejected"]), (&json!(0), &json!(0)), "{side} of {record}");
            // How many come is up to SIPp's threads, which a busy machine lets wait; that some came is not.
            assert!(stats["packets"].as_u64() > Some(20), "{side} of {record}");
        }
    }
    let count = |service: bool| records.iter().filter(|r| (r["service"] == house.service) == service).count();
    assert_eq!((count(true), count(false)), (PATIENT as usize, BRISK as usize));
    records
}

/// What monitoring sees is what happened.
pub async fn figures_add_up(admin: &Http, diaries: &[Diary], records: &[Value]) {
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
    // Recorded is what came while they talked: not what the customer said to the queue's music, and never more than 20 ms a
    // packet and side allow.
    let recorded = metrics.sum("patchbay_recorded_payloads_total", &[]);
    let talked: u64 =
        records.iter().filter_map(|r| Some(r["ended_at"].as_u64()? - r["answered_at"].as_u64()?)).sum();
    let most = talked as f64 / 20.0 * 2.0 * 1.1;
    assert!(
        recorded <= most.min(known) && recorded > most / 2.0,
        "{recorded} payloads recorded of {known} received in calls; {most} by their length"
    );
}

/// The customer on the left, the agent who is named in the record on the right, as long as they talked.
pub async fn recorded_well(admin: &Http, record: &Value) {
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
        let samples = &channels[channel];
        // Who is slow to begin, on a busy machine, has said less; whoever has begun is recorded without a hole. Two or three
        // seconds have 20 to 30 windows, and one may be cut at each end.
        let (own, whole, other) = (
            tone::windows_with(samples, rate, own),
            tone::unbroken(samples, rate, own),
            tone::windows_with(samples, rate, other),
        );
        assert!(
            own > 0.5 && whole > 0.85 && other < 0.05,
            "channel {channel}: own voice in {own:.2}, without holes {whole:.2}, the other in {other:.2}: {record}"
        );
    }
}
