//! Calls told as requests and answers, over a plane that keeps books.

mod dialogues;
mod extras;
mod negotiation;
mod security;
mod simulation;
mod subscriptions;
mod world;
