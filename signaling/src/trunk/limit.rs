//! How many calls a trunk carries at once, both directions.

use std::collections::HashMap;
use std::sync::Arc;

use model::id::TrunkId;

/// A call's place on a trunk. It is free again when this is dropped, however the call ends.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct Place {
    trunk: TrunkId,
    /// One more holder of the trunk's mark: its reference count is the number of calls.
    _mark: Arc<()>,
}

impl Place {
    /// The trunk it is on.
    pub const fn trunk(&self) -> TrunkId {
        self.trunk
    }
}

/// The trunk is full: answer 486 or 503, or try the next trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("trunk {trunk} already carries its limit of {limit} calls")]
pub struct TrunkFull {
    /// The trunk.
    pub trunk: TrunkId,
    /// Its limit.
    pub limit: u32,
}

/// The places on all trunks.
#[derive(Debug, Default)]
pub struct TrunkPlaces {
    marks: HashMap<TrunkId, Arc<()>>,
}

impl TrunkPlaces {
    /// Takes a place. The limit is asked for each time, so that a change of it holds at once for new calls.
    pub fn take(&mut self, trunk: TrunkId, limit: u32) -> Result<Place, TrunkFull> {
        if self.in_use(trunk) >= limit {
            return Err(TrunkFull { trunk, limit });
        }
        let mark = Arc::clone(self.marks.entry(trunk).or_default());
        Ok(Place { trunk, _mark: mark })
    }

    /// Calls on a trunk now.
    pub fn in_use(&self, trunk: TrunkId) -> u32 {
        let holders = self.marks.get(&trunk).map_or(1, Arc::strong_count);
        u32::try_from(holders.saturating_sub(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id as _;

    #[test]
    fn a_full_trunk_takes_a_call_again_when_one_ends() {
        let (acme, other) = (TrunkId::from_number(1), TrunkId::from_number(2));
        let mut places = TrunkPlaces::default();
        let first = places.take(acme, 2).unwrap();
        let second = places.take(acme, 2).unwrap();
        assert_eq!(places.take(acme, 2).unwrap_err(), TrunkFull { trunk: acme, limit: 2 });
        let elsewhere = places.take(other, 1);
        assert!(elsewhere.is_ok(), "each trunk has its own places");
        drop(first);
        assert_eq!((places.in_use(acme), second.trunk()), (1, acme));
        assert!(places.take(acme, 2).is_ok());
        assert_eq!(places.in_use(acme), 1, "the last place was dropped at once");
        assert!(places.take(acme, 1).is_err(), "a lowered limit holds for the next call");
        assert!(places.take(acme, 0).is_err());
    }
}
