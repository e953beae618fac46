//! What a stream sounds like: jitter, loss, MOS.
