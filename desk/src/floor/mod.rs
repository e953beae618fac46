//! The floor service of a tenant: [`core`] decides, [`service`] does.

pub mod call;
pub mod commands;
pub mod core;
pub mod facts;
pub mod recovery;
pub(crate) mod service;
pub mod views;
