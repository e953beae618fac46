//! ITU-T G.729 at 8 kbit/s: 10 ms of speech at 8 kHz in ten octets, silence in two (Annex B) or none.
//!
//! Written from the Recommendation (06/2012): arithmetic is that of its clause 5, 16 and 32 bits with saturation ([`ops`],
//! [`wide`]), so results are the same on every machine. Nothing allocates while coding; the state of a direction is plain
//! data that can be cloned. Any octets decode: there is no invalid frame, only an unlikely one.
//!
//! [`Decoder`] turns frames into samples:
//!
//! ```
//! let mut decoder = g729::Decoder::new();
//! let mut samples = [0i16; g729::SAMPLES];
//! for frame in g729::frame::frames(&[0x78, 0x52, 0x80, 0xa0, 0, 0xfa, 0xc2, 0, 7, 0xd6, 0x12, 0x34]).expect("a packet") {
//!     decoder.decode(frame, &mut samples);
//! }
//! ```
//!
//! [`Encoder`] makes frames of samples:
//!
//! ```
//! let mut encoder = g729::Encoder::new(true);
//! let mut octets = [0u8; 10];
//! let length = encoder.encode(&[0i16; g729::SAMPLES], &mut octets);
//! assert_eq!(length, 2, "nobody speaks: the silence is described");
//! ```
//!
//! What else is in here: the bitstream ([`bits`], [`frame`]), the spectrum ([`lsp`]), excitation ([`codebook`], [`gain`], [`noise`]), the LP filters ([`filter`]), the
//! numbers ([`tables`]). Numbers in comments such as "3.2.4" are clauses of the Recommendation; "Q13" says how
//! many bits stand behind the binary point.
#![forbid(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "an index is that of the equation")]

pub mod bits;
pub mod codebook;
mod correlate;
mod cpu;
mod decoder;
mod dot;
mod encoder;
pub mod filter;
pub mod frame;
pub mod gain;
pub mod lsp;
pub mod noise;
pub mod ops;
pub mod random;
pub mod tables;
pub mod wide;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use frame::{Frame, SAMPLES};
