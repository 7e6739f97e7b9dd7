//! Scenarios of what a caller does before a message is handed over.

use std::hint::black_box;

use bytes::Bytes;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::Message;

use crate::probe::Probe;

const BODY: &[u8] = &[b'x'; 1024];
/// How many there are at once, as with many sends under way: the allocator gives more than the few
/// pieces that it has at hand. Equal to the scenario's operations in a round.
const AT_ONCE: usize = 64;

/// Builds the message that the sends of the other scenarios have. Dropping it does not count.
pub(super) fn build(probe: &mut Probe, rounds: u64) {
    let topic: TopicName = "Bench".parse().expect("a topic");
    let mut messages = Vec::with_capacity(AT_ONCE);
    for _ in 0..rounds {
        messages.clear();
        for _ in 0..AT_ONCE {
            let (topic, body, tag, key) = black_box((&topic, BODY, "TagA", "k0000001"));
            let built = probe.measure(|| {
                let builder = Message::builder(topic.clone()).body(Bytes::from_static(body));
                builder.tag(tag).key(key).build()
            });
            messages.push(built.expect("a sound message"));
        }
        assert!(messages.iter().all(|message| message.properties().iter().count() == 3));
    }
}
