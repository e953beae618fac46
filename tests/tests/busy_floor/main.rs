//! A busy morning: a hundred customers, twenty agents, and afterwards the books must balance.

mod books;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, House, Options, PASSWORD, text};
use scenarios::http::Http;
use scenarios::sipp::{Caller, Sipp, statistic};
use scenarios::softphone::Softphone;
use serde_json::{Value, json};
use tokio::time::Instant;

use books::{figures_add_up, offers_were_exclusive, recorded_well, records_are_complete};

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
        // They go first, so they wait for one of twenty agents to end one talk: far less than this, also on a slow machine.
        ("brisk", "+4930555200", BRISK, 2, Some(14_000), BRISK_HZ),
    ]
    .map(|(name, dial, calls, rate, hold_ms, hz)| {
        Caller { dial, sip_port: appliance.sip, calls, rate, hold_ms, hz, extra: &[] }
            .start(appliance.dir.path(), name)
    });
    let mut memory_most = memory_before;
    while callers.iter_mut().any(|c| c.running.runs()) {
        assert!(called.elapsed() < Duration::from_secs(230), "calls hang:\n{}", admin.get("/calls").await);
        memory_most = memory_most.max(appliance.running.memory_mib());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let calls_took = called.elapsed();
    for (sipp, calls) in callers.iter_mut().zip([PATIENT, BRISK]) {
        let end = sipp.running.wait(Duration::from_secs(30));
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
    // Recordings are finished below everything else, so beside other work this takes its time.
    for _ in 0..900 {
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

fn successful(sipp: &Sipp) -> u32 {
    statistic(&sipp.dir, "SuccessfulCall(C)")
}

fn failed(sipp: &Sipp) -> u32 {
    statistic(&sipp.dir, "FailedCall(C)")
}
