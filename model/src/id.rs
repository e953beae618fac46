//! Typed ids: two kinds never mix, and a reader of a log sees what an id names.
//!
//! Inside, an id is a UUIDv7 (RFC 9562 §5.7), so ids of one kind sort by the time they were made. On the wire and in the
//! database it is text with the kind in front: `call_0198f1c2-…`. The clock and the randomness of an id come from
//! the maker ([`IdSource`]), so a simulation with a seed makes the same ids again.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

use crate::time::Timestamp;

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}_<uuid>`")]
pub struct IdError {
    /// What was read, cut to a length that is safe to print.
    pub text: String,
    /// The kind that was expected.
    pub prefix: &'static str,
}

/// Makes ids from a time and 80 random bits.
///
/// The random part comes from the caller so that a replay with the same seed gives the same ids.
pub trait IdSource {
    /// The time that goes into the id's first 48 bits (milliseconds).
    fn now(&self) -> Timestamp;
    /// Fresh random bytes.
    fn random(&mut self) -> [u8; 10];
}

/// What all ids share: made from parts, seen as a UUID.
pub trait Id: Copy + fmt::Display + FromStr<Err = IdError> {
    /// The kind, as it stands before the underscore.
    const PREFIX: &'static str;
    /// Wraps a UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID inside.
    fn uuid(self) -> Uuid;
    /// A new id from a source of time and randomness.
    fn make(source: &mut impl IdSource) -> Self {
        let random = source.random();
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(source.now().millis(), &random).into_uuid())
    }
    /// When it was made, to the millisecond; `None` for those of [`Id::from_number`].
    fn made_at(self) -> Option<Timestamp> {
        let (seconds, nanos) = self.uuid().get_timestamp()?.to_unix();
        Some(Timestamp::from_millis(seconds * 1_000 + u64::from(nanos) / 1_000_000))
    }
    /// A fixed id for tests and examples, never made by [`Id::make`].
    fn from_number(n: u64) -> Self {
        Self::from_uuid(Uuid::from_u128(u128::from(n)))
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_hyphenated())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|rest| rest.len() == 36)
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.chars().take(64).collect(), prefix: $prefix })
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One customer of the operator: every row and every journal belongs to one.
    TenantId = "tenant";
    /// A person with a sign-in. An agent is a user who takes interactions, so there is no second id for agents.
    UserId = "user";
    /// One sign-in of one user, from sign-in to logout.
    SessionId = "session";
    /// A key that a program signs in with.
    KeyId = "key";
    /// A team with rules of its own (state after login, wrap-up).
    GroupId = "group";
    /// Something an agent can do, with a level.
    SkillId = "skill";
    /// An entry point with its queue, rules and dispositions.
    ServiceId = "service";
    /// A dialled number and the service it leads to.
    NumberId = "number";
    /// An entry of the block list.
    BlockId = "block";
    /// A flow of self-service.
    FlowId = "flow";
    /// What an agent reported as not working.
    ReportId = "report";
    /// What somebody says to callers who are to leave them a message.
    GreetingId = "greeting";
    /// A carrier or PBX that exchanges calls with us.
    TrunkId = "trunk";
    /// How an interaction ended, as the agent coded it.
    DispositionId = "disposition";
    /// A reason for being Not ready.
    ReasonId = "reason";
    /// One customer contact from arrival to disposition, over one or more legs.
    InteractionId = "interaction";
    /// One party's half of an interaction.
    LegId = "leg";
    /// One conference on the media plane.
    RoomId = "room";
    /// One recording; it belongs to an interaction, not to a leg.
    RecordingId = "recording";
    /// One lease of an agent: a stale one changes nothing.
    OfferToken = "offer";
    /// A sound that can be played: prompt or hold music.
    PromptId = "prompt";
    /// One entry of the audit log.
    AuditId = "audit";
}

/// An agent is a user who takes interactions.
pub type AgentId = UserId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_kind_and_reads_back() {
        let id = InteractionId::from_number(7);
        let text = id.to_string();
        assert_eq!(text, "interaction_00000000-0000-0000-0000-000000000007");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(serde_json::from_str::<InteractionId>(&format!("\"{text}\"")).unwrap(), id);
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_the_kind_that_was_wanted() {
        let wrong = LegId::from_number(7).to_string().parse::<UserId>().unwrap_err();
        assert_eq!(wrong.prefix, "user");
        assert!("user_7".parse::<UserId>().is_err());
        assert!("user_0000000000000000000000000000000000000007".parse::<UserId>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later_and_the_same_seed_gives_the_same_id() {
        struct Fixed(u64, u8);
        impl IdSource for Fixed {
            fn now(&self) -> Timestamp {
                Timestamp::from_millis(self.0)
            }
            fn random(&mut self) -> [u8; 10] {
                [self.1; 10]
            }
        }
        let early = LegId::make(&mut Fixed(1_000, 9));
        assert!(early < LegId::make(&mut Fixed(1_001, 0)));
        assert_eq!(early, LegId::make(&mut Fixed(1_000, 9)));
        assert_eq!(early.made_at(), Some(Timestamp::from_millis(1_000)));
        assert_eq!(LegId::from_number(7).made_at(), None);
    }
}
