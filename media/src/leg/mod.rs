//! One party's RTP, both directions, without I/O.
