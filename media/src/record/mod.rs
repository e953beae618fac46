//! Recordings: the crash-safe container and what is made of it.
