//! A table whose keys go stale: a slot that is used again gets another life, so an old key finds nothing.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

/// The key of an entry of [`Slots`]: an index and the life of the slot at that index.
pub struct Key<T> {
    index: u32,
    life: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key from its two parts, for recordings and foreign tables.
    #[must_use]
    pub const fn from_parts(index: u32, life: u32) -> Self {
        Self { index, life, of: PhantomData }
    }

    /// The slot's index.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How often the slot had been given away when this key was made.
    #[must_use]
    pub const fn life(self) -> u32 {
        self.life
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}
impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.life) == (other.index, other.life)
    }
}
impl<T> Eq for Key<T> {}
impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.index, self.life).cmp(&(other.index, other.life))
    }
}
impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.index, self.life).hash(state);
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.life)
    }
}

/// Dense storage with keys that go stale. Freed slots are used again oldest first, so that a stale key
/// stays recognisable for as long as possible.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free_head: u32,
    free_tail: u32,
    used: usize,
}

#[derive(Debug)]
struct Slot<T> {
    life: u32,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Used(T),
    Free { next: u32 },
}

const NONE: u32 = u32::MAX;

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free_head: NONE, free_tail: NONE, used: 0 }
    }
}

impl<T> Slots<T> {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// True when there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Slots for which memory is held, used or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Stores `value` and returns its key.
    // Large values are made where they will stay, which a call could not do.
    #[inline(always)]
    pub fn insert(&mut self, value: T) -> Key<T> {
        self.used += 1;
        if self.free_head != NONE {
            let index = self.free_head;
            if let Some(slot) = self.slots.get_mut(index as usize)
                && let State::Free { next } = slot.state
            {
                self.free_head = next;
                if next == NONE {
                    self.free_tail = NONE;
                }
                slot.life = slot.life.wrapping_add(1);
                slot.state = State::Used(value);
                return Key::from_parts(index, slot.life);
            }
        }
        // More than 2^32 entries cannot be held in memory: limits above this table are far smaller.
        let index = u32::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot { life: 0, state: State::Used(value) });
        Key::from_parts(index, 0)
    }

    /// The entry of `key`, unless the key is stale.
    #[must_use]
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        match self.slots.get(key.index as usize) {
            Some(Slot { life, state: State::Used(value) }) if *life == key.life => Some(value),
            _ => None,
        }
    }

    /// The entry of `key`, unless the key is stale.
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        match self.slots.get_mut(key.index as usize) {
            Some(Slot { life, state: State::Used(value) }) if *life == key.life => Some(value),
            _ => None,
        }
    }

    /// Takes the entry of `key` out, unless the key is stale.
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.life != key.life || matches!(slot.state, State::Free { .. }) {
            return None;
        }
        let State::Used(value) = core::mem::replace(&mut slot.state, State::Free { next: NONE }) else {
            return None;
        };
        self.free_last(key.index);
        Some(value)
    }

    /// Drops the entry of `key` where it stands. False when the key is stale.
    pub fn discard(&mut self, key: Key<T>) -> bool {
        match self.slots.get_mut(key.index as usize) {
            Some(slot) if slot.life == key.life && matches!(slot.state, State::Used(_)) => {
                slot.state = State::Free { next: NONE };
            }
            _ => return false,
        }
        self.free_last(key.index);
        true
    }

    fn free_last(&mut self, index: u32) {
        self.used -= 1;
        if self.free_tail == NONE {
            self.free_head = index;
        } else if let Some(tail) = self.slots.get_mut(self.free_tail as usize) {
            tail.state = State::Free { next: index };
        }
        self.free_tail = index;
    }

    /// All entries in order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| match &slot.state {
            State::Used(value) => {
                Some((Key::from_parts(u32::try_from(index).unwrap_or(NONE), slot.life), value))
            }
            State::Free { .. } => None,
        })
    }

    /// All entries in order of their slots.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key<T>, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(index, slot)| match &mut slot.state {
            State::Used(value) => {
                Some((Key::from_parts(u32::try_from(index).unwrap_or(NONE), slot.life), value))
            }
            State::Free { .. } => None,
        })
    }

    /// The keys of all entries in order of their slots.
    #[must_use]
    pub fn keys(&self) -> Vec<Key<T>> {
        self.iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
#[path = "slots_map_tests.rs"]
mod map_tests;
#[cfg(test)]
mod tests {
    use super::Slots;
    use alloc::vec::Vec;

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slots = Slots::default();
        let a = slots.insert('a');
        assert_eq!(slots.remove(a), Some('a'));
        assert_eq!(slots.remove(a), None);
        let b = slots.insert('b');
        assert_eq!(b.index(), a.index());
        assert_eq!(slots.get(a), None);
        assert_eq!(slots.get(b), Some(&'b'));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn freed_slots_are_used_oldest_first() {
        let mut slots = Slots::default();
        let keys: Vec<_> = (0..4).map(|n| slots.insert(n)).collect();
        for key in &keys {
            slots.remove(*key);
        }
        for n in 0..4 {
            assert_eq!(slots.insert(n).index(), keys[usize::try_from(n).unwrap()].index());
        }
        assert_eq!(slots.insert(9).index(), 4);
    }

    #[test]
    fn random_use_agrees_with_a_map() {
        let mut rng = crate::ground::Rng::new(5);
        let mut slots = Slots::default();
        let mut model: Vec<(super::Key<u64>, u64)> = Vec::new();
        // An interpreter needs a hundred times as long.
        for step in 0..if cfg!(miri) { 300 } else { 5_000 } {
            if rng.below(5) < 3 {
                model.push((slots.insert(step), step));
            } else if !model.is_empty() {
                let at = usize::try_from(rng.below(model.len() as u64)).unwrap();
                let (key, value) = model.swap_remove(at);
                if step % 2 == 0 {
                    assert_eq!(slots.remove(key), Some(value));
                } else {
                    assert!(slots.discard(key) && !slots.discard(key));
                }
                assert_eq!(slots.get(key), None);
            }
            assert_eq!(slots.len(), model.len());
        }
        for (key, value) in model {
            assert_eq!(slots.get(key), Some(&value));
        }
    }
}
