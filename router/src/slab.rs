//! Interactions in slots: reached by number without hashing, and a slot used again is told apart by its generation.

use std::hash::{BuildHasherDefault, Hasher};

/// Where something lies, and which tenant of the slot is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub slot: u32,
    generation: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn insert(&mut self, value: T) -> Key {
        if let Some(slot) = self.free.pop() {
            let (generation, place) = &mut self.slots[slot as usize];
            *place = Some(value);
            return Key { slot, generation: *generation };
        }
        let slot = u32::try_from(self.slots.len()).expect("the floor's limit is far below 2^32 interactions");
        self.slots.push((0, Some(value)));
        Key { slot, generation: 0 }
    }

    pub fn remove(&mut self, key: Key) -> Option<T> {
        let (generation, place) = self.slots.get_mut(key.slot as usize)?;
        if *generation != key.generation {
            return None;
        }
        let value = place.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(key.slot);
        Some(value)
    }

    pub fn get(&self, key: Key) -> Option<&T> {
        let (generation, place) = self.slots.get(key.slot as usize)?;
        if *generation == key.generation { place.as_ref() } else { None }
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (generation, place) = self.slots.get_mut(key.slot as usize)?;
        if *generation == key.generation { place.as_mut() } else { None }
    }

    /// What lies in a slot, by its number; slots may be empty.
    pub fn at(&self, slot: usize) -> Option<(Key, &T)> {
        let (generation, place) = self.slots.get(slot)?;
        Some((Key { slot: u32::try_from(slot).ok()?, generation: *generation }, place.as_ref()?))
    }
    /// How many slots there are, empty ones too.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, (generation, place))| {
            let slot = u32::try_from(slot).ok()?;
            place.as_ref().map(|value| (Key { slot, generation: *generation }, value))
        })
    }
}

/// A map by id. Ids are made by the appliance itself, so the hash need not withstand an attacker; and it has no random
/// start, so that a floor is the same in every process.
pub(crate) type IdMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<IdHasher>>;
/// A set of ids.
pub(crate) type IdSet<K> = std::collections::HashSet<K, BuildHasherDefault<IdHasher>>;

/// Folds words into one with multiplications (the mixing step of splitmix64).
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(23) ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        self.0 = mixed ^ (mixed >> 29);
    }
    fn write_usize(&mut self, _: usize) {
        // The length prefix of a UUID's bytes: always 16, tells nothing.
    }
    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_does_not_reach_the_next_tenant_of_its_slot() {
        let mut slab = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(second.slot, first.slot);
        assert_eq!((slab.get(first), slab.get(second), slab.len()), (None, Some(&"second"), 1));
        assert_eq!(slab.remove(first), None);
    }
}
