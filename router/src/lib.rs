//! The floor: who serves whom.
//!
//! One [`Floor`] owns, for one tenant, the routing state of every agent, every place in a queue and every open offer.
//! It is a pure state machine: it is told what happened and what time it is, and answers with journal events and
//! orders. It does no I/O, reads no clock and rolls no dice, so the same inputs give the same journal, byte for byte.
//!
//! ```
//! use model::id::{AgentId, Id, InteractionId, ServiceId, SessionId, TenantId};
//! use model::{interaction::Channel, people::PhoneKind, service::Service, time::Timestamp};
//! use model::skill::{Requirement, SkillExpr};
//! use router::{AgentProfile, Arrival, Floor, FloorConfig, Input, Output};
//!
//! let (ana, hotline) = (AgentId::from_number(1), ServiceId::from_number(1));
//! let config = FloorConfig {
//!     agents: vec![AgentProfile { agent: ana, group: None, skills: Default::default(), at_once: Default::default() }],
//!     services: vec![Service {
//!         id: hotline,
//!         tenant: TenantId::from_number(1),
//!         name: "Hotline".into(),
//!         requirement: Requirement::fixed(SkillExpr::Any),
//!         queue: Default::default(),
//!         disposition_mandatory: false,
//!         record: true,
//!         recording: Default::default(),
//!         open: true,
//!     }],
//!     ..FloorConfig::default()
//! };
//! let mut floor = Floor::new(config)?;
//!
//! // The drive loop: take an input or wait for the deadline, then do every output in order.
//! let call = InteractionId::from_number(1);
//! let inputs = [
//!     Input::LogIn { agent: ana, session: SessionId::from_number(1), phone: PhoneKind::Browser },
//!     Input::Ready { agent: ana },
//!     Input::Arrive(Arrival::new(call, hotline, Channel::Voice)),
//! ];
//! let mut now = Timestamp::from_millis(1_000);
//! let mut out = Vec::new();
//! for input in inputs {
//!     floor.handle(input, now, &mut out)?;
//! }
//! if let Some(due) = floor.next_deadline() {
//!     now = due; // a driver sleeps until then, or until the next input
//!     floor.tick(now, &mut out);
//! }
//! let rung = out.iter().find(|output| matches!(output, Output::Offer { .. }));
//! assert!(rung.is_some(), "Ana was rung, and as she did not answer, is Not ready now");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is built
//! * Deciding code records events; `apply` alone makes them true. [`Floor::replay`] applies the same events, so a
//!   replayed floor is the live one.
//! * The state of an agent is read off facts (signed in, wants work, open offer, work in hand, work to complete) and
//!   stored nowhere.
//! * An offer is a lease with a token and a deadline. An answer names its token; a stale one is refused and changes
//!   nothing.
//! * The order of waiting is virtual seconds of waiting, whatever order a service has (the time waited, the time to the
//!   deadline, a slope). Within one line it is a fixed virtual arrival, which never changes, whatever happens to the
//!   interaction, so nobody is overtaken for ever and whoever comes back keeps the place. Lines of different slopes are
//!   compared by their heads, at the time of the decision.
//! * Interactions that ask for the same thing are a class, agents who can do the same a profile; who fits whom is a bit
//!   matrix. An agent who frees compares the heads of the fitting classes, an arrival the free agents of the fitting
//!   profiles: the cost of an event does not depend on how many wait.
//!
//! # What always holds
//! I1 one lease or one agent for an interaction. I2 no agent carries more queue work than the capacity. I3 nobody free
//! may take anybody who waits. I4 of those who wait, the first place is served first. I5 of the agents who fit, the
//! first of the configured order is rung. I6 equals are served as they came. I7 only a smaller place overtakes. I8 a
//! returned interaction has its old place. I9 every offer ends in time. I10 nobody is lost. I11 the same inputs give the
//! same journal. I12 cumulative steps only widen. I13 a requirement that nobody fits is reported. I14 the cost of an
//! event does not depend on the number waiting. [`Floor::audit`] tests them the slow way.
//!
//! # What the floor ends, and what it does not
//! The floor journals `Ended` for every interaction it has taken: abandoned, turned away, hung up, interrupted. An
//! arrival it refuses ([`Refusal`]: closed, nobody online, queue full) it has never held: whoever asked gives the
//! treatment and journals the end. A callback waits like anybody else, and its pauses are spent off the floor ([`Input::LayAside`]). Not here: media and
//! legs, dispositions, opening hours, what a callback is promised, campaigns.
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate self as router;

mod agent;
mod apply;
mod audit;
mod bits;
mod board;
mod classes;
mod condition;
mod config;
mod configure;
mod due;
mod expected;
mod explain;
mod facts;
mod figures;
mod floor;
mod io;
mod item;
mod lanes;
mod line;
mod offers;
mod order;
mod people;
mod profiles;
mod pump;
mod replay;
mod retrace;
mod slab;
mod steps;
mod timers;
mod transfer;
mod views;
mod work;
mod written;

pub use agent::{Intent, Tally};
pub use audit::walk::{AUDIT_STEPS, Walk};
pub use audit::{INVARIANTS, Violation};
pub use config::{
    AGENTS_MAX, AgentProfile, AgentTerm, CLASSES_MAX, Capacity, ConfigError, DEPTH_MAX, FloorConfig,
    NAMED_MAX, RequirementError, SERVICES_MAX, SKILLS_MAX, STEPS_MAX, TERMS_MAX, Weight,
};
pub use explain::advice::Advice;
pub use explain::choice::{Candidate, Decider, Rank};
pub use explain::{EXPLAINED_AGENTS_MAX, Explanation, Verdict};
pub use figures::{Figures, ServiceFigures};
pub use floor::Floor;
pub use io::{Arrival, Input, Onward, Output, Refusal};
pub use order::Place;
pub use retrace::{Difference, Retrace, Retraced};
pub use views::{AgentView, AwayView, InteractionView, QueueView, Snapshot, Stage};
pub use written::{LOOKED_AT, Pickable};
