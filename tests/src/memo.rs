//! What a pure function made of the same bytes before. Simulated servers say the same things again and again: routes,
//! heartbeats.

use std::collections::HashMap;

/// More different texts than this are forgotten, all at once.
const MOST: usize = 2_048;
/// Texts longer than this are not kept.
const LONGEST: usize = 4_096;

/// The results of one function by its argument.
pub(crate) struct Memo<V> {
    known: HashMap<Box<[u8]>, V>,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Memo { known: HashMap::new() }
    }
}

impl<V: Clone> Memo<V> {
    /// What `read` makes of these bytes; it must depend on nothing else.
    pub(crate) fn get(&mut self, bytes: &[u8], read: impl FnOnce(&[u8]) -> V) -> V {
        if let Some(known) = self.known.get(bytes) {
            return known.clone();
        }
        let value = read(bytes);
        if bytes.len() <= LONGEST {
            if self.known.len() == MOST {
                self.known.clear();
            }
            self.known.insert(bytes.into(), value.clone());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, Memo};

    #[test]
    fn the_same_bytes_are_read_once() {
        let mut memo = Memo::default();
        let mut reads = 0;
        for text in ["a", "b", "a", "b"] {
            let length = memo.get(text.as_bytes(), |bytes| {
                reads += 1;
                bytes.to_vec()
            });
            assert_eq!(length, text.as_bytes());
        }
        assert_eq!(reads, 2);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut memo = Memo::default();
        for number in 0..3 * MOST as u64 {
            memo.get(&number.to_be_bytes(), |_| ());
            assert!(memo.known.len() <= MOST);
        }
        memo.get(&vec![0; LONGEST + 1], |_| ());
        assert!(memo.known.keys().all(|text| text.len() <= LONGEST));
    }
}
