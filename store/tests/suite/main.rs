//! One suite for both engines: every rule runs once on SQLite and once on PostgreSQL (OPS-03).

mod catalogue;
mod crash;
mod fixture;
mod journal;
mod migrations;
mod outage;
mod people;
mod records;
mod requests;
