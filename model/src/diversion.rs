//! Calls made directly to an extension that are led elsewhere: to a number outside, or to a message (VM-01, VM-13).

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::id::{ServiceId, UserId};

/// What becomes of calls to an extension that its owner does not take. As it comes: nothing, the caller hears busy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diversion {
    /// The caller is connected with a number outside.
    pub forwarding: Forwarding,
    /// The caller leaves a message. Kept, but not looked at, while calls are forwarded (VM-14).
    pub voicemail: OwnVoicemail,
}

/// Where calls are forwarded to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forwarding {
    /// Whether they are.
    pub on: bool,
    /// The number outside: digits with an optional `+`. Kept while forwarding is off.
    pub number: String,
    /// So many seconds the extension rings first; 0: it does not. Default 20: four European ring cycles.
    pub after_s: u32,
}

/// Whether messages are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnVoicemail {
    /// Whether they are.
    pub on: bool,
    /// So many seconds the extension rings first; 0: it does not. Default 20.
    pub after_s: u32,
}

const AFTER_S: u32 = 20;

impl Default for Forwarding {
    fn default() -> Self {
        Self { on: false, number: String::new(), after_s: AFTER_S }
    }
}

impl Default for OwnVoicemail {
    fn default() -> Self {
        Self { on: false, after_s: AFTER_S }
    }
}

/// Where a call to an extension goes instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diverted<'a> {
    /// To a number outside.
    Forwarded(&'a str),
    /// To a message.
    Voicemail,
}

impl Diversion {
    /// What [`Forwarding::after_s`] and [`OwnVoicemail::after_s`] may be.
    pub const AFTER_S: RangeInclusive<u32> = 0..=120;

    /// Where to, and after how long; forwarding comes before messages (VM-14). `None`: nowhere.
    pub fn leads(&self) -> Option<(Diverted<'_>, Duration)> {
        let Self { forwarding, voicemail } = self;
        let (to, after_s) = if forwarding.on {
            (Diverted::Forwarded(&forwarding.number), forwarding.after_s)
        } else if voicemail.on {
            (Diverted::Voicemail, voicemail.after_s)
        } else {
            return None;
        };
        Some((to, Duration::from_secs(after_s.into())))
    }
}

/// For whom a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MessageBox {
    /// For whoever answers a service (ROUTE-07).
    Service {
        /// Which.
        service: ServiceId,
    },
    /// For one person alone (VM-11).
    Own {
        /// Whose extension was called.
        owner: UserId,
    },
}

impl MessageBox {
    /// The service, if it is for one.
    pub fn service(self) -> Option<ServiceId> {
        match self {
            Self::Service { service } => Some(service),
            Self::Own { .. } => None,
        }
    }

    /// The person, if it is for one.
    pub fn owner(self) -> Option<UserId> {
        match self {
            Self::Service { .. } => None,
            Self::Own { owner } => Some(owner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    /// VM-14: forwarding comes first, and what was set for messages is back when it is off.
    #[test]
    fn forwarding_comes_before_messages_and_keeps_their_settings() {
        let mut diversion = Diversion::default();
        assert_eq!(diversion.leads(), None);
        diversion.voicemail = OwnVoicemail { on: true, after_s: 15 };
        assert_eq!(diversion.leads(), Some((Diverted::Voicemail, Duration::from_secs(15))));
        diversion.forwarding = Forwarding { on: true, number: "+4930".into(), after_s: 0 };
        assert_eq!(diversion.leads(), Some((Diverted::Forwarded("+4930"), Duration::ZERO)));
        diversion.forwarding.on = false;
        assert_eq!(diversion.leads(), Some((Diverted::Voicemail, Duration::from_secs(15))));
    }

    #[test]
    fn a_box_is_written_as_the_id_it_is() {
        let service = MessageBox::Service { service: ServiceId::from_number(1) };
        let own = MessageBox::Own { owner: UserId::from_number(1) };
        for one in [service, own] {
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<MessageBox>(&text).unwrap(), one, "{text}");
        }
        assert!(serde_json::to_string(&service).unwrap().starts_with(r#"{"service":"#));
    }
}
