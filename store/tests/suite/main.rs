//! One suite for both engines: every rule runs once on SQLite and once on PostgreSQL (OPS-03).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api_keys;
mod catalogue;
mod crash;
mod fixture;
mod greetings;
mod journal;
mod lookups;
mod messages;
mod migrations;
mod outage;
mod people;
mod records;
mod reports;
mod requests;
mod traces;
mod voicemails;
