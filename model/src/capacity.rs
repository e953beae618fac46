//! What an agent carries at once, and what may come while something else is in hand (ROUTE-01).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::interaction::Channel;

/// How much one agent carries at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capacity {
    /// What an agent has. Default 100.
    pub units: u32,
    /// A call. Default 100 units, one at once: a call takes the whole agent.
    pub voice: Weight,
    /// A chat. Default 20 units, five at once (C2).
    pub chat: Weight,
    /// An email. Default 20 units, five at once.
    pub email: Weight,
    /// A text message. Default 20 units, five at once.
    pub sms: Weight,
    /// A call that the customer asked for. Default as a call.
    pub callback: Weight,
    /// A record of a campaign. Default as a call.
    pub campaign: Weight,
    /// What may come while something else is in hand.
    pub blending: Blending,
}

/// What one kind of contact takes of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// Units for each, 1 to 1000.
    pub units: u32,
    /// How many at once, whatever the units allow. 0: none at all.
    pub at_once: u32,
}

impl Default for Capacity {
    fn default() -> Self {
        let weight = |units, at_once| Weight { units, at_once };
        let call = weight(100, 1);
        Self {
            units: 100,
            voice: call,
            chat: weight(20, 5),
            email: weight(20, 5),
            sms: weight(20, 5),
            callback: call,
            campaign: call,
            blending: Blending::default(),
        }
    }
}

impl Capacity {
    /// What one of this kind takes.
    pub fn weight(&self, channel: Channel) -> Weight {
        match channel {
            Channel::Voice => self.voice,
            Channel::Chat => self.chat,
            Channel::Email => self.email,
            Channel::Sms => self.sms,
            Channel::Callback => self.callback,
            Channel::Campaign => self.campaign,
        }
    }
    /// The same for an agent with limits of their own, which go before those of group and tenant (C2): 0 closes a kind. Where as
    /// many would not fit into the units, each takes fewer.
    pub fn limited(mut self, at_once: &BTreeMap<Channel, u32>) -> Self {
        let units = self.units;
        for (channel, at_once) in at_once {
            let weight = self.weight_mut(*channel);
            weight.at_once = *at_once;
            if let Some(share) = units.checked_div(*at_once) {
                weight.units = weight.units.min(share.max(1));
            }
        }
        self
    }
    /// The same, to be changed.
    pub fn weight_mut(&mut self, channel: Channel) -> &mut Weight {
        match channel {
            Channel::Voice => &mut self.voice,
            Channel::Chat => &mut self.chat,
            Channel::Email => &mut self.email,
            Channel::Sms => &mut self.sms,
            Channel::Callback => &mut self.callback,
            Channel::Campaign => &mut self.campaign,
        }
    }
}

/// What a new contact meets in a hand that holds another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// It does not come.
    Never,
    /// It comes when there is room for both.
    Beside,
    /// It comes as if the other were not there: the agent puts the other aside.
    Interrupt,
}

/// What may come while something else is in hand, for each pair of different kinds. Of one kind several are beside each
/// other, as many as the weight allows.
///
/// As it comes: nothing comes during a call. Chats, messages and emails stand beside each other; an email is interrupted by a
/// call and by a callback, a chat or a message by nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "BTreeMap<Channel, BTreeMap<Channel, Blend>>",
    into = "BTreeMap<Channel, BTreeMap<Channel, Blend>>"
)]
pub struct Blending([[Blend; Channel::COUNT]; Channel::COUNT]);

impl Default for Blending {
    fn default() -> Self {
        let mut blending = Self([[Blend::Never; Channel::COUNT]; Channel::COUNT]);
        for current in Channel::ALL {
            for new in Channel::ALL {
                blending.0[current as usize][new as usize] = match (current, new) {
                    (Channel::Email, Channel::Voice | Channel::Callback) => Blend::Interrupt,
                    _ if current == new || !(current.is_call() || new.is_call()) => Blend::Beside,
                    _ => Blend::Never,
                };
            }
        }
        blending
    }
}

impl Blending {
    /// What `new` meets in a hand that holds `current`.
    pub fn of(&self, current: Channel, new: Channel) -> Blend {
        if current == new { Blend::Beside } else { self.0[current as usize][new as usize] }
    }
    /// Sets it. Two of one kind are always beside each other.
    pub fn set(&mut self, current: Channel, new: Channel, blend: Blend) {
        if current != new {
            self.0[current as usize][new as usize] = blend;
        }
    }
}

/// Pairs that are not named are as they come.
impl From<BTreeMap<Channel, BTreeMap<Channel, Blend>>> for Blending {
    fn from(named: BTreeMap<Channel, BTreeMap<Channel, Blend>>) -> Self {
        let mut blending = Self::default();
        for (current, row) in named {
            for (new, blend) in row {
                blending.set(current, new, blend);
            }
        }
        blending
    }
}

/// Every pair of different kinds is named, so that a change of what comes as usual changes nobody's choice.
impl From<Blending> for BTreeMap<Channel, BTreeMap<Channel, Blend>> {
    fn from(blending: Blending) -> Self {
        let row = |current: Channel| {
            let others = Channel::ALL.into_iter().filter(move |new| *new != current);
            others.map(|new| (new, blending.of(current, new))).collect()
        };
        Channel::ALL.into_iter().map(|current| (current, row(current))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_is_read_as_it_was_written_and_what_is_missing_is_as_it_comes() {
        let mut capacity = Capacity { units: 200, ..Capacity::default() };
        capacity.blending.set(Channel::Voice, Channel::Chat, Blend::Beside);
        let text = serde_json::to_string(&capacity).expect("a capacity as text");
        assert_eq!(serde_json::from_str::<Capacity>(&text).expect("the same"), capacity);
        let old = r#"{"units":100,"voice":{"units":50,"at_once":2},"blending":{"email":{"chat":"never"}}}"#;
        let read: Capacity = serde_json::from_str(old).expect("an older capacity");
        assert_eq!(read.chat, Capacity::default().chat);
        assert_eq!(read.voice, Weight { units: 50, at_once: 2 });
        assert_eq!(read.blending.of(Channel::Email, Channel::Chat), Blend::Never);
        assert_eq!(read.blending.of(Channel::Email, Channel::Voice), Blend::Interrupt);
    }
}
