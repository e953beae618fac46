//! Sounds by name, one after the other: what a caller hears in self-service.

use std::collections::VecDeque;

use model::call::CallFact;

use super::Call;
use super::words::{Heard, Output};

/// What is still to be played, and what is said when it was.
#[derive(Debug)]
pub(super) struct Playing {
    number: u32,
    rest: VecDeque<String>,
}

impl Call {
    /// Sounds for the customer instead of what is heard now; as [`Call::play`], not while customer and agent talk.
    pub(super) fn play_sounds(&mut self, number: u32, sounds: Vec<String>, out: &mut Vec<Output>) {
        if !self.may_be_played_to() {
            return;
        }
        self.then_hang_up = false;
        if sounds.is_empty() {
            self.playing = None;
            self.hear(self.leg, Heard::Nothing, out);
            return;
        }
        self.playing = Some(Playing { number, rest: sounds.into() });
        self.next_sound(out);
    }

    /// The sound that was played is over: the next, or the end of them.
    pub(super) fn next_sound(&mut self, out: &mut Vec<Output>) {
        let Some(playing) = &mut self.playing else { return };
        match playing.rest.pop_front() {
            Some(name) => self.hear(self.leg, Heard::Named(name), out),
            None => {
                let number = playing.number;
                self.playing = None;
                out.push(Output::Fact(CallFact::Played { interaction: self.interaction, number }));
            }
        }
    }
}
