//! Telephone events (RFC 4733): digits as packets and back.
