//! What a leg tells of itself to those who watch.

use super::incoming::Said;
use super::{Leg, Protection};
use crate::control::{Hears, LegSight, Secured, Security, Spoken};

impl Leg {
    /// The leg as it is now; what only its seat knows is filled in there.
    pub fn sight(&self, thread: usize, hears: Hears) -> LegSight {
        let setup = self.setup.as_ref();
        let sends = setup.and_then(|setup| match setup.send {
            Some(format) => Some(Spoken::Codec(format.codec)),
            None => setup.passed.first().map(|passed| Spoken::Passed(passed.format)),
        });
        LegSight {
            leg: self.id,
            thread,
            browser: self.is_ice(),
            video: self.video.is_some(),
            remote: self.latch.rtp_to().filter(|_| self.may_send()),
            comes_in: self.stream.said.map(|said| match said {
                Said::Codec(codec) => Spoken::Codec(codec),
                Said::Passed { format, .. } => Spoken::Passed(format),
            }),
            goes_out: sends,
            secured: self.secured(),
            hears,
            muted: self.muted,
            recorded: false,
            in_kernel: false,
            stats: self.stats(),
        }
    }

    fn secured(&self) -> Secured {
        match (&self.protection, self.is_ice()) {
            (Protection::Plain, _) => Secured::Plain,
            (Protection::Waiting, _) => match self.setup.as_ref().map(|setup| &setup.security) {
                Some(Security::None) => Secured::Plain,
                _ => Secured::Waiting,
            },
            (Protection::Keyed(keyed), true) => Secured::Dtls(keyed.suite()),
            (Protection::Keyed(keyed), false) => Secured::Sdes(keyed.suite()),
        }
    }
}
