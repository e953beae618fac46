//! Sounds that can be played: prompts, hold music, tones.

/// A sound, ready to be sent in every codec without work on the packet path.
#[derive(Clone, PartialEq)]
pub struct Prompt {
    /// For logs.
    pub name: String,
    /// Mono samples at 8 kHz.
    pub pcm_8k: Vec<i16>,
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({}, {} samples)", self.name, self.pcm_8k.len())
    }
}
