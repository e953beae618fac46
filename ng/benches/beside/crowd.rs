//! 400 calls at once for a minute on all cores: encrypted Opus on one side, G.711 on the other, both directions recorded.
//!
//! The load shares the cores; its packets were encoded before. Passed when nothing that was sent failed to come out, and each
//! recording has every payload of both parties under seals that fit.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use media::control::Channel;
use media::driver::DriverChoice;
use media::record::{Entry, Reader};

use crate::cpu;
use crate::load;
use crate::profile::{Profile, Said};
use crate::program::{Kind, Program};

const CALLS: usize = 400;
const LENGTH: Duration = Duration::from_secs(60);
/// Speech that a packet may wait in a jitter buffer or a transcoder, and so is still there at the end: 120 ms a party.
const HELD_MAX: u64 = 6;

/// Runs it; ends the program with an error where it was not passed.
pub fn gather(folder: &Path) {
    if let Err(why) = attempt(folder) {
        println!("not passed: {why}");
        std::process::exit(1);
    }
}

fn attempt(folder: &Path) -> Result<(), String> {
    std::fs::remove_dir_all(folder).ok();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kind = Kind::Ours(DriverChoice::Uring);
    let mut program = Program::start_with(kind, folder, cores)?;
    let said = Said::prepare();
    let mut parties = Vec::new();
    for call in 0..CALLS {
        parties.extend(Profile::Crowd.set_up(&mut program.client, call, &said)?);
    }
    let before = cpu::spent_us(program.pid());
    let mut counted = load::run(&mut parties, LENGTH);
    let cores_used = (cpu::spent_us(program.pid()) - before) / LENGTH.as_micros() as f64;
    for call in 0..CALLS {
        program.client.delete(call)?;
    }
    let (half, most) = (counted.delay_ms(0.5), counted.delay_ms(0.99));
    println!(
        "{CALLS} calls, {} s, {cores} cores: {cores_used:.2} cores used; {} packets sent, {} came; delay {half:.1}/{most:.1} ms",
        LENGTH.as_secs(),
        counted.sent,
        counted.received
    );
    if counted.wrong > 0 {
        return Err(format!("{} packets were not what was expected", counted.wrong));
    }
    let lost = counted.sent.saturating_sub(counted.received);
    if lost > HELD_MAX * parties.len() as u64 {
        return Err(format!("{lost} packets did not come out"));
    }
    let spoken = counted.sent / parties.len() as u64;
    let mut files = 0;
    for file in std::fs::read_dir(&program.recordings).map_err(|why| why.to_string())?.flatten() {
        files += 1;
        whole(&file.path(), spoken).map_err(|why| format!("{}: {why}", file.path().display()))?;
    }
    if files != CALLS {
        return Err(format!("{files} recordings of {CALLS} calls"));
    }
    println!("passed: {files} recordings, each whole by its seals");
    std::fs::remove_dir_all(folder).ok();
    Ok(())
}

/// Whether a container has so many payloads of each party, and is whole by its own proof.
fn whole(file: &Path, spoken: u64) -> Result<(), String> {
    let open = File::open(file).map_err(|why| why.to_string())?;
    let mut reader = Reader::new(open).map_err(|why| why.to_string())?;
    let mut heard = [0; 2];
    while let Some(entry) = reader.next_entry().map_err(|why| why.to_string())? {
        if let Entry::Payload(payload) = entry {
            heard[usize::from(payload.channel == Channel::Right)] += 1;
        }
    }
    let tail = reader.tail();
    if tail.broken_seals + tail.damaged_octets + tail.torn_octets + tail.unsealed_records > 0
        || tail.good_seals == 0
    {
        return Err(format!("{tail:?}"));
    }
    if heard.iter().any(|heard| *heard < spoken) {
        return Err(format!("{heard:?} payloads of {spoken}"));
    }
    Ok(())
}
