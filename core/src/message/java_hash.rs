//! Java's string hash, so that producers in both languages put a key on the same queue.

/// `String.hashCode()` of Java: over UTF-16 code units, wrapping.
///
/// ```
/// use rocketmq_core::message::java_string_hash;
/// assert_eq!(java_string_hash("TagA"), 2_598_919);
/// ```
#[doc(alias = "hashCode")]
#[must_use]
pub fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The queue of a sharding key among `queues` queues, as Java's `SelectMessageQueueByHash` picks it
/// when the argument is a string: the absolute value of hash modulo count.
///
/// A changed number of queues moves keys to other queues. With no queue at all the answer is 0, so
/// ask for a route first.
#[doc(alias = "SelectMessageQueueByHash")]
#[must_use]
pub fn queue_index_by_hash(key: &str, queues: usize) -> usize {
    let count = i64::try_from(queues).unwrap_or(i64::MAX);
    match i64::from(java_string_hash(key)).checked_rem(count) {
        Some(remainder) => usize::try_from(remainder.unsigned_abs()).unwrap_or(0),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java() {
        let golden = [
            ("", 0),
            ("a", 97),
            ("TagA", 2_598_919),
            ("hello", 99_162_322),
            // One past i32::MAX wraps to the smallest number; a well-known text for it.
            ("polygenelubricants", i32::MIN),
            ("\u{fc}", 252),
            // Outside the basic plane: two units, D83D and DE00.
            ("\u{1f600}", 0xD83D * 31 + 0xDE00),
        ];
        for (text, hash) in golden {
            assert_eq!(java_string_hash(text), hash, "{text:?}");
        }
    }

    #[test]
    fn index_is_the_absolute_remainder() {
        assert_eq!(queue_index_by_hash("TagA", 4), 3);
        assert_eq!(queue_index_by_hash("TagA", 1), 0);
        // i32::MIN % 10 is -8 in Java, and the selector takes its absolute value.
        assert_eq!(queue_index_by_hash("polygenelubricants", 10), 8);
        assert_eq!(queue_index_by_hash("polygenelubricants", 8), 0);
        assert_eq!(queue_index_by_hash("", 16), 0);
    }

    #[test]
    fn every_count_gives_an_index_within() {
        for queues in 1..=300 {
            for key in ["order-1", "order-2", "polygenelubricants", "\u{1f600}"] {
                assert!(queue_index_by_hash(key, queues) < queues);
            }
        }
        assert_eq!(queue_index_by_hash("order-1", 0), 0);
        assert_eq!(queue_index_by_hash("a", usize::MAX), 97);
    }
}
