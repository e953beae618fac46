//! Steps that wait for the caller's keys: menus and numbers.

use std::time::Duration;

use model::time::Timestamp;

use super::{Effect, PROMPT_MAX, Run, State};
use crate::graph::{Collect, Menu, Node};
use crate::prompt::Prompt;

/// What became of what was asked.
pub(super) enum Answer {
    /// It leads there.
    To(String),
    /// It is asked again, or given up; whether anything was pressed.
    Again { pressed: bool },
}

impl Run {
    /// Asks, the first time or once more, unless keys wait already; where to, if they say it.
    pub(super) fn ask(
        &mut self,
        after: Option<Answer>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Option<String> {
        let ready = self.ready.clone();
        let (prompt, again, most, exits) = match ready.node(&self.node)? {
            Node::Menu(menu) => {
                (&menu.prompt, &menu.again, menu.tries, [menu.timeout.as_ref(), menu.otherwise.as_ref()])
            }
            Node::Collect(collect) => {
                (&collect.prompt, &collect.again, collect.tries, [collect.failed.as_ref(); 2])
            }
            Node::Survey(survey) => {
                let without = survey.unanswered.as_ref().unwrap_or(&survey.next);
                (&survey.prompt, &survey.again, survey.tries, [Some(without); 2])
            }
            _ => return None,
        };
        let State::Asking { tries, .. } = &mut self.state else { return None };
        *tries += 1;
        if *tries > most {
            let pressed = matches!(after, Some(Answer::Again { pressed: true }));
            return exits[usize::from(pressed)].cloned();
        }
        let tries = *tries;
        let again = again.as_ref().filter(|_| tries > 1);
        let prompts: Vec<&Prompt> = again.into_iter().chain([prompt]).collect();
        let prompt = if self.typed.is_empty() { self.play(&prompts, out) } else { None };
        let until = now + if prompt.is_some() { PROMPT_MAX } else { wait_of(ready.node(&self.node)) };
        self.state = State::Asking { tries, prompt, entered: String::new(), until };
        while let Some(key) = self.typed.pop_front() {
            if let Some(answer) = self.key(key, now, out) {
                return self.follow(answer, now, out);
            }
        }
        None
    }

    fn follow(&mut self, answer: Answer, now: Timestamp, out: &mut Vec<Effect>) -> Option<String> {
        match answer {
            Answer::To(next) => Some(next),
            again @ Answer::Again { .. } => self.ask(Some(again), now, out),
        }
    }

    pub(super) fn pressed(&mut self, key: char, now: Timestamp, out: &mut Vec<Effect>) {
        let answer = self.key(key, now, out);
        if let Some(next) = answer.and_then(|answer| self.follow(answer, now, out)) {
            self.enter(next, now, out);
        }
    }

    pub(super) fn waited(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        let State::Asking { entered, .. } = &mut self.state else { return };
        let entered = std::mem::take(entered);
        let answer = match ready.node(&self.node) {
            Some(Node::Collect(collect)) if !entered.is_empty() => self.number(collect, entered, out),
            _ => Answer::Again { pressed: false },
        };
        if let Some(next) = self.follow(answer, now, out) {
            self.enter(next, now, out);
        }
    }

    /// A key at a step that listens; `None`: more are to come.
    fn key(&mut self, key: char, now: Timestamp, out: &mut Vec<Effect>) -> Option<Answer> {
        let ready = self.ready.clone();
        let State::Asking { prompt, entered, until, .. } = &mut self.state else { return None };
        match ready.node(&self.node)? {
            Node::Menu(menu) => Some(self.choose(menu, key, out)),
            Node::Survey(survey) => Some(self.rate(survey, key, out)),
            Node::Collect(collect) => {
                let closes = collect.end.starts_with(key);
                if !closes {
                    entered.push(key);
                    if entered.len() < collect.max {
                        *until = now + Duration::from_secs(collect.wait_s.into());
                        if prompt.take().is_some() {
                            out.push(Effect::Silence);
                        }
                        return None;
                    }
                }
                let entered = std::mem::take(entered);
                Some(self.number(collect, entered, out))
            }
            _ => None,
        }
    }

    fn choose(&mut self, menu: &Menu, key: char, out: &mut Vec<Effect>) -> Answer {
        match menu.choices.get(key.encode_utf8(&mut [0; 4]) as &str) {
            None => Answer::Again { pressed: true },
            Some(next) => {
                if let Some(var) = &menu.into {
                    self.note([(var.clone(), key.to_string())], out);
                }
                Answer::To(next.clone())
            }
        }
    }

    /// Whether a number will do.
    fn number(&mut self, collect: &Collect, entered: String, out: &mut Vec<Effect>) -> Answer {
        let good = entered.len() >= collect.min
            && collect.matches.as_ref().is_none_or(|pattern| self.ready.matches(pattern, &entered))
            && (!collect.luhn || is_luhn(&entered));
        if !good {
            return Answer::Again { pressed: true };
        }
        self.note([(collect.into.clone(), entered)], out);
        Answer::To(collect.next.clone())
    }
}

/// How long a step waits for a key.
pub(super) fn wait_of(node: Option<Node<'_>>) -> Duration {
    Duration::from_secs(u64::from(match node {
        Some(Node::Menu(menu)) => menu.wait_s,
        Some(Node::Collect(collect)) => collect.wait_s,
        Some(Node::Survey(survey)) => survey.wait_s,
        _ => 0,
    }))
}

/// ISO/IEC 7812-1: from the right every second digit is doubled and its digits added; the sum ends in 0.
fn is_luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().rev().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() > 1) else { return false };
    let worth = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) => twice / 10 + twice % 10,
    };
    digits.iter().enumerate().map(worth).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::is_luhn;

    #[test]
    fn a_check_digit_is_checked() {
        for good in ["18", "79927398713", "4111111111111111"] {
            assert!(is_luhn(good), "{good}");
        }
        for bad in ["", "0", "17", "79927398714", "4111111111111112", "41111*"] {
            assert!(!is_luhn(bad), "{bad}");
        }
    }
}
