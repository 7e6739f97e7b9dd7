//! Scenarios of what a caller does before a message is handed over.

use std::hint::black_box;

use bytes::Bytes;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::Message;

use crate::probe::Probe;

const BODY: &[u8] = &[b'x'; 1024];

/// Builds the message that the sends of the other scenarios have. Dropping it does not count.
pub(super) fn build(probe: &mut Probe, rounds: u64) {
    let topic: TopicName = "Bench".parse().expect("a topic");
    for _ in 0..rounds {
        let (topic, body, tag, key) = black_box((&topic, BODY, "TagA", "k0000001"));
        let message = probe.measure(|| {
            let builder = Message::builder(topic.clone()).body(Bytes::from_static(body));
            builder.tag(tag).key(key).build()
        });
        assert_eq!(message.expect("a sound message").properties().iter().count(), 3);
    }
}
