//! SRTP and SRTCP in place.
