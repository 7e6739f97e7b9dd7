//! The one message that every load sends: a body, the tag `TagA` and one key.

use bytes::Bytes;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::Message;

/// The producer group of every load.
pub const GROUP: &str = "bench-producer-group";

/// Digits of the largest number.
const MOST_DIGITS: usize = 20;

/// Makes messages that share their body.
#[derive(Clone, Debug)]
pub struct Maker {
    topic: TopicName,
    body: Bytes,
}

impl Maker {
    /// Messages of `bytes` bytes for `topic`.
    #[must_use]
    pub fn new(topic: TopicName, bytes: usize) -> Self {
        Self { topic, body: vec![b'b'; bytes].into() }
    }

    /// The message of this number, with the key `k` and the number.
    ///
    /// # Panics
    /// When the client refuses tag or key.
    #[must_use]
    pub fn make(&self, number: u64) -> Message {
        // Without an allocation of its own: those that are counted are the client's.
        let mut text = [0; 1 + MOST_DIGITS];
        let message = Message::builder(self.topic.clone()).body(self.body.clone());
        message
            .tag("TagA")
            .key(key(number, &mut text))
            .build()
            .expect("plain letters and digits are in order")
    }
}

fn key(number: u64, text: &mut [u8; 1 + MOST_DIGITS]) -> &str {
    let mut at = text.len();
    let mut rest = number;
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    at -= 1;
    text[at] = b'k';
    std::str::from_utf8(&text[at..]).unwrap_or("k")
}

#[cfg(test)]
mod tests {
    use super::Maker;

    #[test]
    fn the_message_is_the_one_that_was_agreed_on() {
        let maker = Maker::new("Bench".parse().unwrap(), 100);
        for number in [0, 7, 10, 4_711, u64::MAX] {
            let message = maker.make(number);
            assert_eq!(message.keys().collect::<Vec<_>>(), [format!("k{number}")]);
            assert_eq!(message.tag(), Some("TagA"));
            assert_eq!(message.body().len(), 100);
        }
    }
}
