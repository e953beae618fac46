//! SIP endpoint, SDP, trunks, registrar and the call machine.
