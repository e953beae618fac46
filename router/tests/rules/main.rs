//! The rules of the trade, tried on the floor.

mod day;
mod hall;
mod oracle;
mod replay;
mod routing;
mod sim;
mod states;
mod table;
mod voice;
