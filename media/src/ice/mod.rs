//! ICE-lite and DTLS for browser legs.
