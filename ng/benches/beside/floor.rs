//! What codecs cost by themselves, on the core where the programs run.

use media::codec::{Decoder, Encoder, PACKET_SAMPLES_MAX, PAYLOAD_MAX};
use media::driver::pin_to_core;
use model::media::Codec;

use crate::cpu;
use crate::load::Speech;
use crate::profile::{Profile, Said};

/// Streams side by side, so that their states are as cold as in a program with calls.
const STREAMS: usize = 80;
/// Seconds of speech each.
const SECONDS: usize = 3;

/// Microseconds a packet, the mean of both directions; `None` where there is no codec.
pub fn us_per_packet(profile: Profile, said: &Said) -> Option<f64> {
    std::thread::scope(|scope| {
        let work = || {
            pin_to_core(0).ok();
            // Between the laws of G.711 it is a table look-up an octet, 0.04 us a packet: nothing to compare with.
            match profile {
                Profile::Opus => bare(said, Codec::Opus, &said.opus),
                Profile::G729 => bare(said, Codec::G729, &said.g729),
                _ => None,
            }
        };
        scope.spawn(work).join().ok().flatten()
    })
}

fn timed(work: impl FnOnce() -> usize) -> f64 {
    let thread = std::fs::read_link("/proc/thread-self").ok();
    let own = || {
        let folder = thread.as_ref().map(|path| std::path::Path::new("/proc").join(path).join("schedstat"));
        let line = folder.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        line.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default() / 1_000.0
    };
    let before = own();
    let packets = work();
    (own() - before) / packets as f64
}

fn bare(said: &Said, codec: Codec, speech: &Speech) -> Option<f64> {
    let pair = || Some((Encoder::new(codec, 8_000).ok()?, Decoder::new(codec, 8_000).ok()?));
    let mut streams: Vec<_> = (0..STREAMS).map(|_| pair()).collect::<Option<_>>()?;
    let (mut room, mut samples) = ([0; PAYLOAD_MAX], [0; PACKET_SAMPLES_MAX]);
    let us = timed(|| {
        for at in 0..SECONDS * 50 {
            let (voice, packet) = (&said.samples[at % 50], &speech.payloads[at % 50]);
            for (encoder, decoder) in &mut streams {
                std::hint::black_box(encoder.encode(voice, &mut room));
                std::hint::black_box(decoder.decode(packet, &mut samples));
            }
        }
        2 * STREAMS * SECONDS * 50
    });
    Some(us)
}

/// Encoding and decoding apart, with a core to itself and with all cores busy.
pub fn show(said: &Said) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{:>8} {:>6} {:>10} {:>10}", "effort", "cores", "us/encode", "us/decode");
    for busy in [1, cores] {
        for effort in [5, 2, 0] {
            let both = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..busy)
                    .map(|core| {
                        scope.spawn(move || {
                            pin_to_core(core).ok();
                            (encoding(said, effort), decoding(said))
                        })
                    })
                    .collect();
                threads.into_iter().filter_map(|thread| thread.join().ok()).last()
            });
            if let Some((Some(encode), Some(decode))) = both {
                println!("{effort:>8} {busy:>6} {encode:>10.1} {decode:>10.1}");
            }
        }
    }
}

fn encoding(said: &Said, effort: i32) -> Option<f64> {
    let encoder = || {
        let mut encoder = Encoder::new(Codec::Opus, 8_000).ok()?;
        encoder.set_effort(effort);
        Some(encoder)
    };
    let mut streams: Vec<_> = (0..STREAMS).map(|_| encoder()).collect::<Option<_>>()?;
    let mut room = [0; PAYLOAD_MAX];
    Some(timed(|| {
        for at in 0..SECONDS * 50 {
            for encoder in &mut streams {
                std::hint::black_box(encoder.encode(&said.samples[at % 50], &mut room));
            }
        }
        STREAMS * SECONDS * 50
    }))
}

fn decoding(said: &Said) -> Option<f64> {
    let mut streams: Vec<_> =
        (0..STREAMS).map(|_| Decoder::new(Codec::Opus, 8_000).ok()).collect::<Option<_>>()?;
    let mut samples = [0; PACKET_SAMPLES_MAX];
    Some(timed(|| {
        for at in 0..SECONDS * 50 {
            for decoder in &mut streams {
                std::hint::black_box(decoder.decode(&said.opus.payloads[at % 50], &mut samples));
            }
        }
        STREAMS * SECONDS * 50
    }))
}

/// Says whether the main thread got real-time priority, for the record.
pub fn raise_self() -> bool {
    cpu::raise(std::process::id())
}
