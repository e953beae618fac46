//! The words of the house.
//!
//! Ids, points in time, skills, people, services, interactions and the events of the journal: what every other room
//! speaks about. Data only, with the text form of requirements. Nothing here decides, waits, or does I/O, and this crate knows no other room.
#![forbid(unsafe_code)]

pub mod agent;
pub mod block;
pub mod calendar;
pub mod call;
pub mod capacity;
pub mod conference;
pub mod dialling;
pub mod diversion;
pub mod figures;
pub mod flow;
pub mod greeting;
pub mod id;
pub mod interaction;
pub mod journal;
pub mod media;
pub mod people;
pub mod recording;
pub mod report;
pub mod service;
pub mod skill;
pub mod supervision;
pub mod survey;
pub mod target;
pub mod tenant;
pub mod time;
pub mod trace;
pub mod transfer;
pub mod written;
