//! Diversions of extensions: what they may be, and the way a diverted caller goes (VM-02, VM-13).

use std::sync::Arc;

use model::dialling::Dialled;
use model::diversion::{Diversion, Diverted};
use model::id::UserId;
use model::people::User;

use super::{Configuration, FlowInUse};
use crate::floor::Way;
use crate::refusal::FieldError;

impl Configuration {
    /// What somebody set; `None`: nothing ever, or nobody can be called there.
    pub fn diversion_of(&self, user: UserId) -> Option<&Diversion> {
        self.diversions.get(&user).filter(|_| self.colleague(user).is_some())
    }

    /// What a caller goes through who is diverted. `None`: nowhere leads on.
    pub(crate) fn way_of(&self, diversion: &Diversion) -> Option<(FlowInUse, Way)> {
        let (flow, way) = match diversion.leads()?.0 {
            Diverted::Forwarded(number) => (flow::forwarding(number), Way::Number),
            Diverted::Voicemail => (flow::own_voicemail(), Way::Message),
        };
        let ready = self.check(&flow).inspect_err(|faults| tracing::error!(?faults, "a diversion")).ok()?;
        Some((FlowInUse { of: None, ready: Arc::new(ready) }, way))
    }

    /// What is wrong with a diversion that somebody wants. What is switched off may be unfinished, but not out of bounds.
    pub(crate) fn diversion_errors(&self, user: &User, wanted: &Diversion) -> Vec<FieldError> {
        let Diversion { forwarding, voicemail } = wanted;
        let mut errors = Vec::new();
        let mut wrong = |field: &str, why: String| errors.push(FieldError::new(field.to_owned(), why));
        let range = Diversion::AFTER_S;
        for (field, after_s) in
            [("/forwarding/after_s", forwarding.after_s), ("/voicemail/after_s", voicemail.after_s)]
        {
            if !range.contains(&after_s) {
                wrong(field, format!("{} to {}", range.start(), range.end()));
            }
        }
        if !forwarding.number.is_empty() || forwarding.on {
            match Dialled::parse(&forwarding.number).filter(|dialled| dialled.after.is_empty()) {
                None => {
                    wrong("/forwarding/number", "a number outside: 2 to 20 digits, with or without +".into())
                }
                Some(dialled) if self.colleague_at(&dialled.number).is_some() => {
                    wrong(
                        "/forwarding/number",
                        "that is an extension: calls are forwarded to a number outside".into(),
                    );
                }
                Some(dialled) if !self.dialling.permit(&dialled.number) => {
                    wrong("/forwarding/number", "this number may not be dialled".into());
                }
                Some(_) => {}
            }
        }
        if voicemail.on && user.email.is_none() {
            wrong(
                "/voicemail/on",
                "an email address is needed to be told of messages: an administrator enters it".into(),
            );
        }
        if (forwarding.on || voicemail.on) && user.extension.is_none() {
            wrong("/forwarding/on", "only calls to an extension are diverted, and there is none".into());
        }
        errors
    }
}
