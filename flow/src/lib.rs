//! Self-service: what a caller hears and presses before somebody is asked to answer (ROUTE-08).
//!
//! A [`Flow`] is a graph of steps as data: TOML or JSON, one table a step, named by its kind and its name, so that two versions
//! compare line by line. [`Flow::check`] says everything that is wrong with it and gives a [`Ready`], the only thing that can
//! run: every name leads somewhere, every step can be reached, from every step there is a way out, no circle turns without
//! waiting for the caller, every menu says what happens when nothing or something else is pressed.
//!
//! A [`Run`] is one caller in it: a pure state machine. It is told what happened (a prompt ended, a key was pressed, time) and
//! answers what is to be done (play, ask for a queue, hang up); it reads no clock and does no I/O. [`try_out`] runs a script
//! of keys through the same machine and tells the way.
//!
//! ```
//! let text = r#"
//! name = "Main line"
//! start = "language"
//!
//! [menu.language]
//! prompt = "choose-language"
//! choices = { 1 = "english", 2 = "german" }
//! timeout = "english"
//! otherwise = "english"
//!
//! [queue.english]
//! service = "Hotline"
//!
//! [queue.german]
//! service = "Hotline"
//! require = "german >= 5"
//! "#;
//! let flow = flow::Flow::from_text(text)?;
//! let around = flow::Around { prompts: &["choose-language"], services: &["Hotline"], ..Default::default() };
//! let ready = flow.check(&around).map_err(|faults| faults[0].to_string())?;
//! let told = flow::try_out(&ready.into(), &flow::Caller::default(), &flow::Script::from_words("2")?, Default::default());
//! assert_eq!(told.end(), Some("queue Hotline, require german >= 5"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: playing, the queue, and who may change a flow.
#![forbid(unsafe_code)]

mod address;
mod calendar;
mod check;
mod graph;
mod prompt;
mod request;
mod run;
mod speech;
mod template;
mod text;
mod trial;
mod waiting;

pub use calendar::{Calendar, Hours as OpeningHours, Opening};
pub use check::{Around, Fault, Ready};
pub use graph::{
    Callback, CallbackTime, Case, Collect, Flow, GiveBack, HangUp, Hours, Http, If, Kind, Lookup, Menu,
    Method, NODES_MAX, Node, Play, Queue, Route, Set, Survey, Transfer, Voicemail, Wait,
};
pub use prompt::{Item, Prompt};
pub use request::{ANSWER_MAX, LOOK_UP_MAX, LookUp, Reply, Request};
pub use run::{
    CallbackWish, Caller, Effect, End, Input, NoCallback, NotReached, Opened, Refused, Run, TransferWish,
    Wish, WishedTime,
};
pub use speech::{Counted, Language, SPOKEN_MAX};
pub use text::TextError;
pub use trial::{Act, Line, Script, ScriptError, Told, try_out};
pub use waiting::{WHILE_WAITING, announcements, forwarding, minutes_to_say, own_voicemail, voicemail};
