//! Memory of what waits (PERF-06): a million emails, 50,000 chats and 5,000 calls, with nobody to answer them.

use model::id::{Id, InteractionId, ServiceId};
use model::interaction::Channel;
use model::time::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use router::{Arrival, Floor, FloorConfig, Input};

use crate::house::{Size, config};

const SIZE: Size = Size { agents: 10_000, profiles: 500, classes: 2_000, waiting: 1_055_000, mixed: true };
const QUEUED: [(Channel, u64); 3] =
    [(Channel::Email, 1_000_000), (Channel::Chat, 50_000), (Channel::Voice, 5_000)];
/// One gibibyte for all of it.
const GOAL: f64 = 1_024.0;

/// Fills the floor and prints by how much the process grew: the configuration, and with it everybody who waits.
pub fn run() -> serde_json::Value {
    let before = resident_mib();
    let set_up =
        FloorConfig { interactions_max: SIZE.waiting, ..config(&SIZE, &mut ChaCha8Rng::seed_from_u64(7)) };
    let mut floor = Floor::new(set_up).expect("a configuration within the limits");
    let empty = resident_mib();
    let (mut now, mut out, mut next) = (Timestamp::from_millis(1_000_000), Vec::new(), 0);
    for (channel, count) in QUEUED {
        for _ in 0..count {
            next += 1;
            let service = ServiceId::from_number(next % SIZE.classes + 1);
            now = now + std::time::Duration::from_micros(500);
            out.clear();
            let arrival = Arrival::new(InteractionId::from_number(next), service, channel);
            floor.handle(Input::Arrive(arrival), now, &mut out).expect("there is room");
        }
    }
    let full = resident_mib();
    let each = (full - empty) * 1_048_576.0 / SIZE.waiting as f64;
    println!(
        "memory {:>8.0} MiB for {} waiting (goal {GOAL:.0}, ratio {:.2}), of that {:.0} MiB for the set-up; {each:.0} octets for each who waits",
        full - before,
        SIZE.waiting,
        GOAL / (full - before),
        empty - before,
    );
    serde_json::json!({
        "case": "memory", "waiting": SIZE.waiting, "mib": full - before, "goal_mib": GOAL,
        "set_up_mib": empty - before, "octets_each": each,
    })
}

/// What the process holds in memory, by the kernel's account.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("the kernel tells how much memory a process holds") / 1_024.0
}
