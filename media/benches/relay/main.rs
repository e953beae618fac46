//! How much processor time a packet takes: our relay over both drivers, beside rtpengine in user space, under the same load in
//! one run. One thread each, on core 0; the load on core 1.
//!
//! `cargo bench -p media --bench relay [-- CALLS SECONDS ROUNDS] [PROFILE…] [alone] [bare]`; `alone`:
//! without the peer, `bare`: beside it our drivers without legs, which is the floor. Prints a line a profile and driver; the figures also go to
//! `target/bench/media.json`. Time is what the kernel charges to the threads of the engine (`schedstat`), all of them.

mod bare;
mod cpu;
mod load;
mod ng;

use std::net::IpAddr;
use std::time::Duration;

use media::control::{
    Answer, Command, Direction, Format, Latching, LegSetup, Security, SrtpKey, SrtpSuite, Transport,
};
use media::driver::{DriverChoice, DriverConfig, pin_to_core};
use media::plane::{Interface, Plane, PlaneConfig};
use media::srtp;
use model::id::{Id, LegId};
use model::media::Codec;

use load::Party;

const WARM_UP: Duration = Duration::from_secs(1);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Profile {
    Relay,
    Srtp,
    Transcode,
}

impl Profile {
    const ALL: [Self; 3] = [Self::Relay, Self::Srtp, Self::Transcode];

    const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Srtp => "srtp",
            Self::Transcode => "pcmu-pcma",
        }
    }
    /// The ratio to the peer we want to stay below.
    const fn goal(self) -> f64 {
        match self {
            Self::Relay => 0.55,
            Self::Srtp => 0.45,
            Self::Transcode => 0.25,
        }
    }
    /// Payload types of the two parties of a call.
    const fn types(self) -> [u8; 2] {
        match self {
            Self::Transcode => [0, 8],
            _ => [0, 0],
        }
    }
}

/// The figures of one run.
#[derive(Clone, Debug, serde::Serialize)]
struct Figures {
    engine: String,
    profile: &'static str,
    calls: usize,
    us_per_packet: f64,
    cpu_percent: f64,
    lost_percent: f64,
    wrong: u64,
    delay_p50_ms: f64,
    delay_p99_ms: f64,
    realtime: bool,
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("run it by `cargo bench`: it takes two cores and minutes");
        return;
    }
    let calls = numbers.first().copied().unwrap_or(400);
    let length = Duration::from_secs(numbers.get(1).copied().unwrap_or(3) as u64);
    pin_to_core(1).ok();
    let own = std::process::id();
    for thread in cpu::threads(own, |name| name.starts_with("relay")) {
        cpu::raise(thread);
    }
    let rounds = numbers.get(2).copied().unwrap_or(3);
    println!(
        "{calls} calls; the least disturbed of {rounds} runs of {} s; time a packet that comes in",
        length.as_secs()
    );
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    let some = Profile::ALL.iter().any(|profile| said(profile.name()));
    let mut all = Vec::new();
    for profile in Profile::ALL.into_iter().filter(|profile| !some || said(profile.name())) {
        let mut engines = Vec::new();
        for driver in [DriverChoice::Uring, DriverChoice::Mmsg] {
            engines.extend(ours(profile, driver, calls));
        }
        if said("bare") && profile == Profile::Relay {
            for driver in [DriverChoice::Uring, DriverChoice::Mmsg] {
                engines.extend(bare(driver, calls));
            }
        }
        if !said("alone") {
            engines.extend(theirs(profile, calls));
        }
        // In turns, so that what else the machine does disturbs all alike.
        for _ in 0..rounds {
            for engine in &mut engines {
                engine.measure(profile, length);
            }
        }
        let figures: Vec<Figures> = engines.into_iter().filter_map(|engine| engine.best).collect();
        let peer = figures.iter().find(|figures| figures.engine == PEER);
        if peer.is_none() && !said("alone") {
            println!("{:10} {PEER} is not installed, or did not start: there is no ratio", profile.name());
            std::process::exit(1);
        }
        figures.iter().filter(|figures| figures.engine != PEER).for_each(|ours| show(profile, ours, peer));
        all.extend(figures);
    }
    write(&all);
}

/// The name of the peer.
const PEER: &str = "rtpengine";

/// An engine that carries calls, and its best run so far.
struct Engine {
    name: String,
    pid: u32,
    threads: Vec<u32>,
    parties: Vec<Party>,
    /// Kept while it is measured.
    _alive: Alive,
    best: Option<Figures>,
}

#[expect(dead_code, reason = "they are only kept and dropped")]
enum Alive {
    Ours(Plane),
    Theirs(ng::Peer),
    Bare(bare::Bare),
}

impl Engine {
    /// Lets the parties talk, and counts what the engine's threads spend.
    fn measure(&mut self, profile: Profile, length: Duration) {
        let realtime = self.threads.iter().all(|thread| cpu::raise(*thread));
        load::run(&mut self.parties, WARM_UP);
        let before = cpu::spent_us(self.pid, &self.threads);
        let mut counted = load::run(&mut self.parties, length);
        let spent = cpu::spent_us(self.pid, &self.threads) - before;
        let figures = Figures {
            engine: self.name.clone(),
            profile: profile.name(),
            calls: self.parties.len() / 2,
            us_per_packet: spent / counted.sent.max(1) as f64,
            cpu_percent: spent / length.as_micros() as f64 * 100.0,
            lost_percent: counted.lost_percent(),
            wrong: counted.wrong,
            delay_p50_ms: counted.delay_ms(0.5),
            delay_p99_ms: counted.delay_ms(0.99),
            realtime,
        };
        // Loss and wrong packets of any run count, whichever run was the quickest.
        let worst =
            |best: &Figures| (best.lost_percent.max(figures.lost_percent), best.wrong + figures.wrong);
        let (lost_percent, wrong) = self.best.as_ref().map_or((figures.lost_percent, figures.wrong), worst);
        let before = self.best.take().filter(|best| best.us_per_packet <= figures.us_per_packet);
        self.best = Some(Figures { lost_percent, wrong, ..before.unwrap_or(figures) });
    }
}

fn show(profile: Profile, ours: &Figures, peer: Option<&Figures>) {
    let against = peer.map_or_else(String::new, |peer| {
        let ratio = ours.us_per_packet / peer.us_per_packet;
        let verdict = if ratio <= profile.goal() { "met" } else { "missed" };
        format!(
            " | rtpengine {:.2} us, lost {:.3} %, delay {:.1}/{:.1} ms | ratio {ratio:.2}, goal {:.2}: {verdict}",
            peer.us_per_packet, peer.lost_percent, peer.delay_p50_ms, peer.delay_p99_ms, profile.goal()
        )
    });
    println!(
        "{:10} {:8} {:.2} us a packet ({:.0} % of a core), lost {:.3} %, delay {:.1}/{:.1} ms{}{against}",
        profile.name(),
        ours.engine,
        ours.us_per_packet,
        ours.cpu_percent,
        ours.lost_percent,
        ours.delay_p50_ms,
        ours.delay_p99_ms,
        if ours.wrong > 0 { format!(", {} WRONG", ours.wrong) } else { String::new() },
    );
}

fn write(all: &[Figures]) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    let text = serde_json::to_string_pretty(all).unwrap_or_default();
    let file = folder.join("media.json");
    match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, text)) {
        Ok(()) => println!("{}", file.display()),
        Err(why) => println!("cannot write {}: {why}", file.display()),
    }
}

/// The parties of a profile, not yet told where to send.
fn parties(profile: Profile, calls: usize) -> Vec<Party> {
    let speech: Vec<u8> = (0..160u8).map(|n| n.wrapping_mul(37)).collect();
    let mut parties: Vec<Party> =
        (0..calls * 2).map(|n| Party::new(n, profile.types()[n % 2], speech.clone())).collect();
    if profile == Profile::Relay {
        parties.iter_mut().for_each(|party| party.expects.1 = Some(speech.clone()));
    }
    if profile == Profile::Srtp {
        for party in parties.iter_mut().step_by(2) {
            party.protect = srtp::Sender::new(&far_key()).ok();
        }
        parties.iter_mut().skip(1).step_by(2).for_each(|party| party.expects.1 = Some(speech.clone()));
    }
    parties
}

/// `gather=MICROSECONDS` tries another gathering time than the default.
fn gather() -> Duration {
    let said = std::env::args().find_map(|arg| arg.strip_prefix("gather=")?.parse().ok());
    said.map_or(DriverConfig::default().gather, Duration::from_micros)
}

fn far_key() -> SrtpKey {
    SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key_and_salt: (0..30).collect() }
}

fn ours(profile: Profile, driver: DriverChoice, calls: usize) -> Option<Engine> {
    let here: IpAddr = "127.0.0.1".parse().ok()?;
    let before = cpu::threads(std::process::id(), |_| true);
    let plane = Plane::start(PlaneConfig {
        threads: 1,
        interfaces: vec![Interface { bind: here, advertised: here }],
        port_min: if driver == DriverChoice::Uring { 10_000 } else { 14_000 },
        port_max: if driver == DriverChoice::Uring { 13_999 } else { 17_999 },
        driver: DriverConfig { choice: driver, gather: gather(), ..DriverConfig::default() },
        ..PlaneConfig::default()
    })
    .ok()?;
    let media = plane.handle();
    let mut parties = parties(profile, calls);
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    runtime.block_on(async {
        for (n, party) in parties.iter_mut().enumerate() {
            let leg = LegId::from_number(n as u64);
            let create =
                Command::CreateLeg { leg, transport: Transport::Ports { interface: here }, near: None };
            let Ok(Answer::Created(created)) = media.command(create).await else { return None };
            party.to = created.rtp;
            let codec = if party.payload_type == 0 { Codec::Pcmu } else { Codec::Pcma };
            let format = Format { payload_type: party.payload_type, codec, ptime_ms: 20 };
            let security = match party.protect {
                Some(_) => Security::Sdes { send: far_key(), receive: far_key() },
                None => Security::None,
            };
            let setup = LegSetup {
                remote: Some(party.addr()),
                remote_rtcp: None,
                rtcp_mux: false,
                send: Some(format),
                receive: vec![format],
                passed: Vec::new(),
                video: None,
                events: None,
                security,
                direction: Direction::SendRecv,
                latching: Latching::Off,
            };
            media.command(Command::ConfigureLeg { leg, setup: Box::new(setup) }).await.ok()?;
            if n % 2 == 1 {
                let a = LegId::from_number(n as u64 - 1);
                media.command(Command::Bridge { a, b: leg }).await.ok()?;
            }
        }
        Some(())
    })?;
    let own = std::process::id();
    // Threads of planes that were started before are not this one's.
    let threads = cpu::threads(own, |name| name.starts_with("media-") || name.starts_with("record"));
    let threads = threads.into_iter().filter(|thread| !before.contains(thread)).collect();
    let engine = plane.info().threads.first()?.driver.name().to_owned();
    Some(Engine { name: engine, pid: own, threads, parties, _alive: Alive::Ours(plane), best: None })
}

/// The floor: a driver without legs.
fn bare(driver: DriverChoice, calls: usize) -> Option<Engine> {
    let mut parties = parties(Profile::Relay, calls);
    let before = cpu::threads(std::process::id(), |_| true);
    let config = DriverConfig { choice: driver, gather: gather(), ..DriverConfig::default() };
    let bare = bare::Bare::start(config, &mut parties)?;
    let own = std::process::id();
    let threads = cpu::threads(own, |_| true).into_iter().filter(|thread| !before.contains(thread)).collect();
    let name = format!("bare {driver:?}");
    Some(Engine { name, pid: own, threads, parties, _alive: Alive::Bare(bare), best: None })
}

fn theirs(profile: Profile, calls: usize) -> Option<Engine> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut peer = ng::Peer::start(0)?;
    let mut parties = parties(profile, calls);
    let key = STANDARD.encode(&far_key().key_and_salt);
    let (mine, more) = match profile {
        Profile::Relay => ("RTP/AVP", String::new()),
        Profile::Srtp => ("RTP/SAVP", "18:transport-protocol7:RTP/AVP4:DTLS3:off".to_owned()),
        Profile::Transcode => ("RTP/AVP", "5:codecd4:maskl4:PCMUe9:transcodel4:PCMAee".to_owned()),
    };
    for call in 0..calls {
        let (caller, callee) = (parties[2 * call].addr(), parties[2 * call + 1].addr());
        let [offered, answered] = profile.types();
        let crypto = (profile == Profile::Srtp).then_some(key.as_str());
        let to_callee = peer.offer(call, &ng::sdp(caller, mine, offered, crypto), &more)?;
        let to_caller = peer.answer(call, &ng::sdp(callee, "RTP/AVP", answered, None))?;
        parties[2 * call + 1].to = to_callee.to;
        parties[2 * call].to = to_caller.to;
        if profile == Profile::Srtp && to_caller.crypto.is_none() {
            return None;
        }
    }
    let pid = peer.pid();
    let threads = cpu::threads(pid, |_| true);
    Some(Engine { name: PEER.into(), pid, threads, parties, _alive: Alive::Theirs(peer), best: None })
}
