//! Kinds of contact as lanes: what an agent with something in hand may still take.

use model::capacity::{Blend, Capacity, Weight};
use model::interaction::Channel;

/// Kinds of contact.
pub(crate) const LANES: usize = Channel::COUNT;
/// A set of lanes, one bit each.
pub(crate) type Lanes = u8;
/// Every kind.
pub(crate) const EVERY: Lanes = (1 << LANES) - 1;

/// The number of a kind of contact.
pub(crate) fn lane(channel: Channel) -> usize {
    channel as usize
}

/// The set of this kind alone.
pub(crate) fn bit(channel: Channel) -> Lanes {
    1 << lane(channel)
}

/// The kinds for which the agent needs a telephone.
pub(crate) fn calls() -> Lanes {
    Channel::ALL.into_iter().filter(|channel| channel.is_call()).fold(0, |all, channel| all | bit(channel))
}

/// How many of each kind an agent holds.
pub(crate) type Load = [u32; LANES];

/// A capacity, worked out so that one look tells what may come.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub capacity: Capacity,
    weights: [Weight; LANES],
    /// What may come to empty hands.
    rest: Lanes,
    /// What may not come while this is in hand.
    never: [Lanes; LANES],
    /// What puts this aside.
    aside: [Lanes; LANES],
}

impl Limits {
    pub fn of(capacity: Capacity) -> Self {
        let pairs = |current: Channel, blend| {
            let meets = |new: &Channel| capacity.blending.of(current, *new) == blend;
            Channel::ALL.into_iter().filter(meets).fold(0, |all, new| all | bit(new))
        };
        let mut limits = Self {
            capacity,
            weights: Channel::ALL.map(|channel| capacity.weight(channel)),
            rest: 0,
            never: Channel::ALL.map(|current| pairs(current, Blend::Never)),
            aside: Channel::ALL.map(|current| pairs(current, Blend::Interrupt)),
        };
        limits.rest = limits.room(&[0; LANES]);
        limits
    }

    /// The kinds that never come, not even to empty hands.
    pub fn closed(&self) -> Lanes {
        EVERY & !self.rest
    }

    /// The kinds of which one more may come to hands that hold this.
    pub fn open(&self, load: &Load) -> Lanes {
        if *load == [0; LANES] { self.rest } else { self.room(load) }
    }

    fn room(&self, load: &Load) -> Lanes {
        let held = || (0..LANES).filter(|&lane| load[lane] > 0);
        let asked = held().fold(EVERY, |open, lane| open & !self.never[lane]);
        let mut open = asked;
        for new in (0..LANES).filter(|new| asked >> new & 1 == 1) {
            let Weight { units, at_once } = self.weights[new];
            let counts = held().filter(|&lane| self.aside[lane] >> new & 1 == 0);
            let used = counts.fold(units, |used, lane| used.saturating_add(self.held_units(lane, load)));
            if load[new] >= at_once || used > self.capacity.units {
                open &= !(1 << new);
            }
        }
        open
    }

    fn held_units(&self, lane: usize, load: &Load) -> u32 {
        load[lane].saturating_mul(self.weights[lane].units)
    }

    /// Units in use, what is put aside included.
    pub fn units(&self, load: &Load) -> u32 {
        (0..LANES).fold(0, |sum: u32, lane| sum.saturating_add(self.held_units(lane, load)))
    }

    /// I2: whether this may have come about: what nothing puts aside has room, and of no kind there are too many.
    pub fn permits(&self, load: &Load) -> bool {
        let held = || (0..LANES).filter(|&lane| load[lane] > 0);
        let in_hand = held().fold(0, |all: Lanes, lane| all | 1 << lane);
        let counts = held().filter(|&lane| self.aside[lane] & in_hand == 0);
        let used = counts.fold(0, |used: u32, lane| used.saturating_add(self.held_units(lane, load)));
        used <= self.capacity.units && held().all(|lane| load[lane] <= self.weights[lane].at_once)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Channel::{Callback, Campaign, Chat, Email, Sms, Voice};

    fn set(channels: &[Channel]) -> Lanes {
        channels.iter().fold(0, |all, channel| all | bit(*channel))
    }
    fn load(held: &[(Channel, u32)]) -> Load {
        let mut load = [0; LANES];
        held.iter().for_each(|(channel, count)| load[lane(*channel)] = *count);
        load
    }

    /// ROUTE-01: what comes to an agent of the usual capacity, whatever is in hand.
    #[test]
    fn route_01_the_usual_capacity() {
        let limits = Limits::of(Capacity::default());
        assert_eq!(limits.open(&load(&[])), EVERY);
        assert_eq!(limits.open(&load(&[(Voice, 1)])), 0, "a call takes the whole agent");
        assert_eq!(limits.open(&load(&[(Chat, 2)])), set(&[Chat, Email, Sms]));
        assert_eq!(limits.open(&load(&[(Chat, 4)])), set(&[Chat, Email, Sms]));
        assert_eq!(limits.open(&load(&[(Chat, 5)])), 0, "five chats fill the agent");
        assert_eq!(limits.open(&load(&[(Email, 1)])), set(&[Voice, Callback, Chat, Email, Sms]));
        assert_eq!(limits.open(&load(&[(Email, 5)])), set(&[Voice, Callback]), "calls interrupt emails");
        assert_eq!(limits.open(&load(&[(Email, 1), (Voice, 1)])), 0);
        assert_eq!(
            limits.open(&load(&[(Email, 1), (Chat, 1)])),
            set(&[Chat, Email, Sms]),
            "the chat is not put aside"
        );
        assert_eq!(limits.open(&load(&[(Campaign, 1)])), 0);
        assert_eq!(calls(), set(&[Voice, Callback, Campaign]));
    }
}
