//! Recordings: the crash-safe container and what is made of it.
//!
//! While a call lasts, its payloads go as they are, with their arrival times, into an append-only container: that costs
//! a media thread one copy into a ring ([`Tap`]) and no decoding. One writer thread ([`Recorder`]) moves rings to
//! files. Afterwards [`finish`] makes of a container what people listen to: two-channel WAV, Opus or MP3, and peaks for a
//! waveform. The format is told in `docs/protocols/recording.md`.
//!
//! What may be lost: killing the process loses what was not yet written, at most 200 ms; the kernel keeps the rest. A power
//! cut loses up to [`Config::sync_every`] more. Whatever is lost is known: payloads refused by a full ring or a full disk
//! are counted into the container, and a hash chain shows whether anything was changed or taken out.

mod blocks;
mod chain;
mod container;
mod erase;
mod finish;
mod format;
mod keys;
mod mp3;
mod noted;
mod pause;
mod reader;
mod recorder;
mod sealed;
mod sinks;
mod tap;
mod timeline;
mod writer;

pub use erase::{EraseError, Erasing, erase_all, erase_range};
pub use finish::{
    ChannelReport, Erased, FinishError, Finished, Formats, MadeFile, Span, Taken, find_unfinished, finish,
    finish_with, verify,
};
pub use format::{Entry, Head, Payload, ReadError};
pub use keys::{EXTENSION_KEY, KeyError, RecordingKey, Vault};
pub use mp3::{Mp3Error, mp3, mp3_with};
pub use noted::{Noted, forget_erasure, note_erasure, noted_erasures};
pub use reader::{Reader, Tail};
pub use recorder::{Config, Counters, RecordError, Recorder, Report};
pub use sealed::MadeAudio;
pub use tap::{Handle, RingFull, Tap};

/// File name extension of a container that is being written or waits to be finished.
pub const EXTENSION: &str = "pbr";
/// File name extension of a container whose outputs were made.
pub const EXTENSION_DONE: &str = "pbr-done";

#[cfg(test)]
mod tests;
