//! Steps that ask for a mark.

use model::survey::Mark;

use super::asking::Answer;
use super::{Effect, Run};
use crate::graph::Survey;

impl Run {
    pub(super) fn rate(&mut self, survey: &Survey, key: char, out: &mut Vec<Effect>) -> Answer {
        let given = key.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        let Some(mark) = given.and_then(|given| Mark::new(given, survey.lowest, survey.highest)) else {
            return Answer::Again { pressed: true };
        };
        let question = self.node.clone();
        out.push(Effect::Rated { question, mark });
        if let Some(var) = &survey.into {
            self.note([(var.clone(), key.to_string())], out);
        }
        Answer::To(survey.next.clone())
    }
}
