//! What the rules of taking messages may be.

use std::ops::RangeInclusive;

use model::diversion::MessageBox;
use model::greeting::Greeting;
use model::id::UserId;
use model::service::VoicemailRules;

use super::Configuration;
use crate::refusal::FieldError;

/// What callers of an extension hear before the tone (VM-04).
const EXTENSION: &str = "extension-greeting";

impl Configuration {
    /// Greetings of one person, the oldest first.
    pub fn greetings_of(&self, owner: UserId) -> impl Iterator<Item = &Greeting> {
        self.greetings.iter().filter(move |greeting| greeting.owner == owner)
    }

    /// Greetings that callers hear.
    pub(crate) fn chosen_greetings(&self) -> impl Iterator<Item = &Greeting> {
        self.greetings.iter().filter(|greeting| greeting.chosen && self.users.contains_key(&greeting.owner))
    }

    /// How messages in a box are taken and kept. `None`: there is no such service or person any more.
    pub fn message_rules(&self, of: MessageBox) -> Option<VoicemailRules> {
        match of {
            MessageBox::Service { service } => Some(self.services.get(&service)?.queue.voicemail.clone()),
            MessageBox::Own { owner } => {
                let rules = self.own_voicemail.clone();
                let own = self.greetings_of(owner).find(|greeting| greeting.chosen).map(Greeting::sound);
                let greeting = own.or(rules.greeting).or_else(|| Some(EXTENSION.to_owned()));
                self.colleague(owner).map(|_| VoicemailRules { greeting, ..rules })
            }
        }
    }
}

/// Says what is out of bounds. `at`: where the rules are.
pub(super) fn voicemail(rules: &VoicemailRules, at: &str, now: &Configuration, errors: &mut Vec<FieldError>) {
    let mut wrong = |field: &str, why: String| errors.push(FieldError::new(format!("{at}/{field}"), why));
    if let Some(name) = rules.greeting.as_ref().filter(|name| !now.sounds.contains(name)) {
        wrong("greeting", format!("there is no sound {name}"));
    }
    let mut within = |field: &str, value: u32, range: RangeInclusive<u32>| {
        if !range.contains(&value) {
            wrong(field, format!("{} to {}", range.start(), range.end()));
        }
    };
    within("length_max_s", rules.length_max_s, VoicemailRules::LENGTH_MAX_S);
    within("messages_max", rules.messages_max, VoicemailRules::MESSAGES_MAX);
    within("keep_days", rules.keep_days, VoicemailRules::KEEP_DAYS);
}
