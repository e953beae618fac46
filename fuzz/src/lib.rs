//! Fuzz targets: parsers and state machines that face the network, each as a function over octets (SAFE-05).
//!
//! A target panics when a rule is broken: an assertion of its own, an index out of bounds, an overflow. It is run twice:
//! - `fuzz/tests/short.rs`, part of `make test`, on stable: the whole corpus, and seeded mutations of it ([`short`]);
//! - `fuzz/libfuzzer`, by `make fuzz`, on nightly: libFuzzer with AddressSanitizer, as long as one likes.
//!
//! `corpus/NAME` holds real packets, made by `examples/seeds.rs`, and `found-*`: inputs that once broke a rule, which stay.
#![forbid(unsafe_code)]

mod chance;
mod corpus;
mod mutate;
pub mod peer;
mod pieces;
pub mod short;
mod targets;

pub use corpus::{Corpus, folder};
pub use pieces::{piece, pieces};
pub use targets::{TARGETS, Target, named};
