//! The rules of the trade, tried on the floor.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agenda;
mod channels;
mod crowd;
mod day;
mod decided_again;
mod erlang;
mod events;
mod expected;
mod figures;
mod hall;
mod handover;
mod metamorphic;
mod oracle;
mod orders;
mod overflow;
mod protocol;
mod replay;
mod routing;
mod set_up;
mod sim;
mod states;
mod table;
mod transfer;
mod voice;
mod wrap_up;
mod written;
