//! Steps that take a message.

use super::Checking;
use crate::graph::Voicemail;

impl Checking<'_> {
    pub(super) fn voicemail(&mut self, at: &str, voicemail: &Voicemail) {
        let Voicemail { service, greeting, next, refused } = voicemail;
        if self.flow.while_waiting {
            let said = [
                ("service", service.is_some()),
                ("greeting", greeting.is_some()),
                ("next", next.is_some()),
                ("refused", refused.is_some()),
            ];
            for (field, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
                let what = "whoever waits leaves the message as the service waited for says: leave it out";
                self.fault(format!("{at}.{field}"), what);
            }
            return;
        }
        match service {
            Some(service) => self.service(at, service),
            None if self.flow.direct => {}
            None => self.fault(at, "`service` is missing: for whom the message is"),
        }
        if let Some(greeting) = greeting {
            self.prompt(&format!("{at}.greeting"), greeting);
        }
    }
}
