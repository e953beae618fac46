//! RTP and RTCP packets as views on octets.
