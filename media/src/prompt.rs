//! Sounds that can be played: prompts, hold music, tones.
