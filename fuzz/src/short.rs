//! The short pass: the corpus as it is, then seeded mutations of it. The same seed makes the same inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::chance::Chance;
use crate::mutate::mutate;
use crate::{Corpus, Target};

/// An input that broke a rule.
#[derive(Debug)]
pub struct Finding {
    /// The input; keep it in the corpus as `found-…` once the fault is fixed.
    pub input: Vec<u8>,
    /// What it was made of, or its own name when it is of the corpus.
    pub from: String,
}

impl Finding {
    /// Keeps the input beside what was built, and says where.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, target: &str) -> std::io::Result<PathBuf> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz/found");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{target}-{:08x}", crc32fast::hash(&self.input)));
        std::fs::write(&file, &self.input)?;
        Ok(file)
    }
}

/// Runs a target over its corpus and `tries` mutations; the first input that breaks a rule, if any.
pub fn pass(target: &Target, corpus: &Corpus, tries: u32, seed: u64) -> Option<Finding> {
    for (name, input) in &corpus.inputs {
        if breaks(target, input) {
            return Some(Finding { input: input.clone(), from: name.clone() });
        }
    }
    let mut chance = Chance(seed);
    let mut input = Vec::new();
    for _ in 0..tries {
        let (name, origin) = corpus.inputs.get(chance.below(corpus.inputs.len()))?;
        input.clear();
        input.extend_from_slice(origin);
        mutate(&mut input, &corpus.inputs, &mut chance);
        if breaks(target, &input) {
            return Some(Finding { input, from: name.clone() });
        }
    }
    None
}

fn breaks(target: &Target, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err()
}
