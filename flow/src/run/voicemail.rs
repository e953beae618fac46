//! Steps that take a message: greeting, tone, what the caller says, thanks.

use std::time::Duration;

use model::time::Timestamp;

use super::{Effect, End, Input, Opened, PROMPT_MAX, Run, State};
use crate::graph::{Node, Voicemail};
use crate::prompt::{Item, Prompt};

/// Whether a message can be taken is known after this, or it is taken all the same.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// So long nothing is said, and the message is over.
const SILENCE: Duration = Duration::from_secs(5);
/// So late silence is noticed.
const NOTICED_AFTER: Duration = Duration::from_secs(3);
/// How long a message may last when the service could not be asked.
const LENGTH_MAX: Duration = Duration::from_secs(180);

const GREETING: &str = "voicemail-greeting";
const TONE: &str = "voicemail-tone";
const THANKS: &str = "voicemail-thanks";
const REFUSED: &str = "voicemail-refused";

/// How far a message is.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// Whether it can be taken is being asked.
    Asking { until: Timestamp },
    /// The greeting is heard.
    Greeting { number: u32, give_up_at: Timestamp, length_max: Duration },
    /// The tone is heard.
    Tone { number: u32, give_up_at: Timestamp, length_max: Duration },
    /// The caller speaks. `silent_since`: says nothing any more.
    Speaking { since: Timestamp, silent_since: Option<Timestamp>, until: Timestamp },
    /// The last words are heard.
    Parting { number: u32, give_up_at: Timestamp },
}

impl Message {
    pub(super) fn deadline(&self) -> Timestamp {
        match self {
            Self::Asking { until } => *until,
            Self::Greeting { give_up_at, .. }
            | Self::Tone { give_up_at, .. }
            | Self::Parting { give_up_at, .. } => *give_up_at,
            Self::Speaking { silent_since, until, .. } => {
                silent_since.map_or(*until, |since| (since + SILENCE).min(*until))
            }
        }
    }

    /// Whether the prompt that is heard is over.
    fn is_heard(&self, input: &Input, now: Timestamp) -> bool {
        match self {
            Self::Greeting { .. } if *input == Input::Key('#') => true,
            Self::Greeting { number, .. } | Self::Tone { number, .. } | Self::Parting { number, .. } => {
                *input == Input::Played(*number) || (*input == Input::Tick && now >= self.deadline())
            }
            Self::Asking { .. } | Self::Speaking { .. } => false,
        }
    }
}

impl Run {
    pub(super) fn take_message(&mut self, voicemail: &Voicemail, now: Timestamp, out: &mut Vec<Effect>) {
        self.typed.clear();
        let service = voicemail.service.clone().unwrap_or_default();
        // Whoever waits leaves the queue first, and this run with it.
        self.state = match self.ready.flow().while_waiting {
            true => State::Over,
            false => State::Voicemail(Message::Asking { until: now + ANSWER_MAX }),
        };
        out.push(Effect::TakeMessage { service });
    }

    /// How long the caller has spoken, while a message is being spoken: silence at the end is left out.
    pub fn spoken(&self, now: Timestamp) -> Option<Duration> {
        match &self.state {
            State::Voicemail(Message::Speaking { since, silent_since, .. }) => {
                Some(silent_since.unwrap_or(now).since(*since))
            }
            _ => None,
        }
    }

    pub(super) fn with_message(&mut self, input: Input, now: Timestamp, out: &mut Vec<Effect>) {
        let State::Voicemail(message) = &mut self.state else { return };
        if message.is_heard(&input, now) {
            return self.message_heard(now, out);
        }
        match (message, input) {
            (Message::Asking { .. }, Input::MessageTaken(opened)) => self.greet(opened, now, out),
            (Message::Asking { until }, Input::Tick) if now >= *until => {
                self.greet(Opened { greeting: None, length_max: LENGTH_MAX }, now, out);
            }
            (_, Input::NoMessage) => self.no_message(now, out),
            (Message::Speaking { since, silent_since, .. }, Input::Silent(true)) => {
                let noticed = Timestamp::from_millis(
                    now.millis().saturating_sub(u64::try_from(NOTICED_AFTER.as_millis()).unwrap_or(0)),
                );
                *silent_since = Some(noticed.max(*since));
            }
            (Message::Speaking { silent_since, .. }, Input::Silent(false)) => *silent_since = None,
            (Message::Speaking { .. }, Input::Key('#')) => self.message_over(now, out),
            (message @ Message::Speaking { .. }, Input::Tick) if now >= message.deadline() => {
                self.message_over(now, out);
            }
            _ => {}
        }
    }

    fn greet(&mut self, opened: Opened, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        let Some(Node::Voicemail(voicemail)) = ready.node(&self.node) else { return };
        let own = Prompt(vec![Item::Sound(opened.greeting.unwrap_or_else(|| GREETING.into()))]);
        let (give_up_at, length_max) = (now + PROMPT_MAX, opened.length_max);
        match self.play(&[voicemail.greeting.as_ref().unwrap_or(&own)], out) {
            Some(number) => {
                self.state = State::Voicemail(Message::Greeting { number, give_up_at, length_max });
            }
            None => self.sound_tone(length_max, now, out),
        }
    }

    fn sound_tone(&mut self, length_max: Duration, now: Timestamp, out: &mut Vec<Effect>) {
        let number = self.say(TONE, out);
        let give_up_at = now + PROMPT_MAX;
        self.state = State::Voicemail(Message::Tone { number, give_up_at, length_max });
    }

    fn message_heard(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        match self.state {
            State::Voicemail(Message::Greeting { length_max, .. }) => self.sound_tone(length_max, now, out),
            State::Voicemail(Message::Tone { length_max, .. }) => {
                let until = now + length_max;
                self.state = State::Voicemail(Message::Speaking { since: now, silent_since: None, until });
                out.push(Effect::BeginMessage);
            }
            _ => self.end(End::HangUp, out),
        }
    }

    fn message_over(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        out.push(Effect::EndMessage { spoken: self.spoken(now).unwrap_or_default() });
        self.part(THANKS, |voicemail| voicemail.next.as_ref(), now, out);
    }

    fn no_message(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.part(REFUSED, |voicemail| voicemail.refused.as_ref(), now, out);
    }

    /// Leads on, or says the last words.
    fn part(
        &mut self,
        words: &str,
        way: impl Fn(&Voicemail) -> Option<&String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let ready = self.ready.clone();
        let Some(Node::Voicemail(voicemail)) = ready.node(&self.node) else { return };
        if let Some(next) = way(voicemail) {
            return self.enter(next.clone(), now, out);
        }
        let number = self.say(words, out);
        self.state = State::Voicemail(Message::Parting { number, give_up_at: now + PROMPT_MAX });
    }

    fn say(&mut self, sound: &str, out: &mut Vec<Effect>) -> u32 {
        self.prompts += 1;
        out.push(Effect::Play { number: self.prompts, sounds: vec![sound.to_owned()] });
        self.prompts
    }
}
