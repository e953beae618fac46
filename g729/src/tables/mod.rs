//! The numbers the Recommendation states: codebooks, predictors, windows, filters. Facts, not code.

pub mod analysis;
pub mod gain;
pub mod lsp;
pub mod math;
pub mod noise;
pub mod pitch;
