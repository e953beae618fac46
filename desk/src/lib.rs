//! What people work on: sign-in, agent sessions, offers, wrap-up, service records.
