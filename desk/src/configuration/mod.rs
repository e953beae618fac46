//! What administrators set up.

mod snapshot;

pub use self::snapshot::{Configuration, meets};
