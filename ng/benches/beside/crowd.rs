//! 400 calls at once for a minute on all cores: a browser's Opus (ICE, DTLS-SRTP, one port) on one side, a trunk's G.711 or G.729
//! on the other, both directions recorded.
//!
//! Calls begin one by one, 40 a second; the minute is counted from the last one, loss from the first. The load shares the cores, a
//! thread on each; its packets were encoded before, and it has real-time priority where it may, as a network has.
//! Passed when: each recording is whole by its seals and has every payload of both parties as it was sent; no sequence number
//! that we gave to a packet is missing at a far end; none that came was too late for a jitter buffer; every check was answered.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use media::control::Channel;
use media::driver::pin_to_core;
use media::record::{Entry, Reader};
use model::media::Codec;
use serde_json::Value;

use crate::cpu;
use crate::floor;
use crate::load::{self, Counted, Listening, Party, Talk};
use crate::profile::{Profile, Said, Trunk};
use crate::program::Program;

/// How many calls begin in a second.
const CALLS_PER_SECOND: usize = 40;
/// Speech that a packet may wait in a jitter buffer or a transcoder, and so is still there at the end: 120 ms a party.
const HELD_MAX: u64 = 6;
/// How often the program is asked what it counted.
const ASKED: Duration = Duration::from_secs(1);
/// What is counted, not timed, and must have stayed at nothing.
const NOTHING: [&str; 7] = [
    "dropped",
    "record_overruns",
    "playout_late",
    "playout_lost",
    "send_errors",
    "receive_errors",
    "no_buffers",
];

/// Runs it; ends the program with an error where it was not passed.
pub fn gather(folder: &Path, trunk: Trunk, calls: usize, length: Duration) {
    if let Err(why) = attempt(folder, trunk, calls, length) {
        println!("not passed: {why}");
        std::process::exit(1);
    }
}

fn attempt(folder: &Path, trunk: Trunk, calls: usize, length: Duration) -> Result<(), String> {
    std::fs::remove_dir_all(folder).ok();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut program = Program::start_on_all(folder, cores)?;
    let said = Said::prepare();
    println!("{}", Profile::Crowd(trunk).title());
    let mut parties = Vec::new();
    for call in 0..calls {
        let set_up = Profile::Crowd(trunk).set_up(&mut program.client, call, &said);
        parties.extend(set_up.map_err(|why| format!("call {call}: {why}"))?);
    }
    // After the program was started: it has none.
    if !floor::raise_self() {
        println!("no real-time priority here: the load may be late, and be taken for a bad network");
    }
    let ramp = Duration::from_secs(1) * calls as u32 / CALLS_PER_SECOND as u32;
    let talk = Talk { length: ramp + length, ramp, ..Talk::of(length) };
    let talk = Talk { listening: Listening::InTurn, ..talk };
    let (own_before, all_before) = (cpu::own_us(), cpu::machine_us());
    let mut counted = talk_on_all(&mut parties, cores, talk, &mut program);
    let took = counted.took.as_micros() as f64;
    let (load, all) = (cpu::own_us() - own_before, cpu::machine_us() - all_before);
    let counters = program.counters().ok_or("the program told no counts")?;
    for call in 0..calls {
        program.client.delete(call)?;
    }
    println!(
        "{calls} calls, {:.1} s on {cores} cores: {:.2} cores used, {:.2} more by the load, {:.2} by others",
        took / 1e6,
        counted.spent_us / took,
        load / took,
        (all - load - counted.spent_us).max(0.0) / took
    );
    let (half, most) = (counted.delay_ms(0.5), counted.delay_ms(0.99));
    println!(
        "{} packets sent, {} came; delay {half:.1}/{most:.1} ms (p50/p99)",
        counted.sent, counted.received
    );
    let mut wrong = heard(&parties, &counted);
    if counted.took > talk.length + talk.length / 100 {
        wrong.push("the load was late".to_owned());
    }
    let nonzero = NOTHING.iter().map(|name| (name, sum(&counters, name))).filter(|(_, sum)| *sum > 0);
    wrong.extend(nonzero.map(|(name, sum)| format!("{name}: {sum}")));
    let mut spoken: Vec<_> = parties.chunks(2).map(|two| [two[0].spoken(), two[1].spoken()]).collect();
    let mut recorded = Vec::new();
    for file in std::fs::read_dir(&program.recordings).map_err(|why| why.to_string())?.flatten() {
        match whole(&file.path(), &said) {
            Ok(payloads) => recorded.push(payloads),
            Err(why) => wrong.push(format!("{}: {why}", file.path().display())),
        }
    }
    // Which recording is which call's it does not say; the numbers differ by when the call began.
    spoken.sort_unstable();
    recorded.sort_unstable();
    println!("{} recordings whole by their seals", recorded.len());
    if spoken != recorded {
        let sum = |all: &[[u32; 2]]| all.iter().flatten().map(|count| u64::from(*count)).sum::<u64>();
        wrong.push(format!("{} payloads were sent, {} recorded", sum(&spoken), sum(&recorded)));
    }
    if !wrong.is_empty() {
        wrong.truncate(20);
        return Err(wrong.join("; "));
    }
    println!("passed: nothing lost, every recording whole by its seals");
    std::fs::remove_dir_all(folder).ok();
    Ok(())
}

/// Each core with its part of the calls, all at the same time. When something is lost, this says in which second.
fn talk_on_all(parties: &mut [Party], cores: usize, talk: Talk, program: &mut Program) -> Counted {
    let part = 2 * (parties.len() / 2).div_ceil(cores);
    let pid = program.pid();
    let mut counted = Counted::default();
    std::thread::scope(|scope| {
        let parts = parties.chunks_mut(part).enumerate().map(|(core, part)| {
            let meter = move || if core == 0 { cpu::spent_us(pid) } else { 0.0 };
            scope.spawn(move || {
                pin_to_core(core).ok();
                load::run(part, talk, meter)
            })
        });
        let parts: Vec<_> = parts.collect();
        let mut before = 0;
        for second in 1.. {
            std::thread::sleep(ASKED);
            if parts.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
            let Some(counters) = program.counters() else { break };
            let lost = NOTHING.iter().map(|name| sum(&counters, name)).sum();
            if lost > before || second % 10 == 0 {
                println!("after {second} s:");
                counters.as_array().into_iter().flatten().for_each(|thread| println!("  {thread}"));
            }
            before = lost;
        }
        parts.into_iter().for_each(|part| counted.join(part.join().expect("the load runs")));
    });
    counted
}

/// What the far ends have to say against it.
fn heard(parties: &[Party], counted: &Counted) -> Vec<String> {
    let mut against = Vec::new();
    let pages = parties.iter().filter_map(|party| party.page.as_ref());
    let (asked, answered) = pages.fold((0, 0), |sum, page| (sum.0 + page.asked, sum.1 + page.answered));
    println!("{asked} connectivity checks, {answered} answered");
    if asked != answered {
        against.push(format!("{} checks were not answered", asked - answered));
    }
    if counted.wrong > 0 {
        against.push(format!("{} packets were not what was expected", counted.wrong));
    }
    if counted.gaps > 0 {
        against.push(format!("{} sequence numbers are missing", counted.gaps));
    }
    let missing = counted.sent.saturating_sub(counted.received);
    if missing > HELD_MAX * parties.len() as u64 {
        against.push(format!("{missing} packets did not come out"));
    }
    against
}

/// Of all threads.
fn sum(counters: &Value, name: &str) -> u64 {
    counters.as_array().into_iter().flatten().filter_map(|thread| thread[name].as_u64()).sum()
}

/// How many payloads of each party a container has, if they are as they were sent and it is whole by its own proof.
fn whole(file: &Path, said: &Said) -> Result<[u32; 2], String> {
    let open = File::open(file).map_err(|why| why.to_string())?;
    let mut reader = Reader::new(open).map_err(|why| why.to_string())?;
    let all = [&said.mu, &said.page, &said.g729].map(|speech| speech.payloads.iter().collect::<HashSet<_>>());
    let (mut heard, mut changed) = ([0; 2], 0);
    while let Some(entry) = reader.next_entry().map_err(|why| why.to_string())? {
        if let Entry::Payload(payload) = entry {
            heard[usize::from(payload.channel == Channel::Right)] += 1;
            let known = match payload.codec {
                Codec::Opus => &all[1],
                Codec::G729 => &all[2],
                _ => &all[0],
            };
            changed += u64::from(!known.contains(&payload.octets.to_vec()));
        }
    }
    let tail = reader.tail();
    if tail.broken_seals + tail.damaged_octets + tail.torn_octets + tail.unsealed_records > 0
        || tail.good_seals == 0
    {
        return Err(format!("{tail:?}"));
    }
    if changed > 0 {
        return Err(format!("{changed} payloads as nobody sent them"));
    }
    Ok(heard)
}
