//! ITU-T G.729 at 8 kbit/s: 10 ms of speech at 8 kHz in ten octets, silence in two (Annex B) or none.
//!
//! Written from the Recommendation (06/2012): arithmetic is that of its clause 5, 16 and 32 bits with saturation ([`ops`],
//! [`wide`]), so results are the same on every machine. Nothing allocates while coding; the state of a direction is plain
//! data that can be cloned. Any octets decode: there is no invalid frame, only an unlikely one.
//!
//! What is in here: the bitstream ([`bits`], [`frame`]), the spectrum ([`lsp`]), excitation ([`codebook`], [`gain`]), the LP filters ([`filter`]), the
//! numbers ([`tables`]). Numbers in comments such as "3.2.4" are clauses of the Recommendation; "Q13" says how
//! many bits stand behind the binary point.
#![forbid(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "an index is that of the equation")]

pub mod bits;
pub mod codebook;
mod encoder;
pub mod filter;
pub mod frame;
pub mod gain;
pub mod lsp;
pub mod ops;
pub mod tables;
pub mod wide;

pub use encoder::Encoder;
pub use frame::{Frame, SAMPLES};
