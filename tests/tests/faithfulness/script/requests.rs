//! Requests that several subjects need.

use crate::faithfulness::step::Request;

/// Properties of an ordinary message; the unique key is the given one.
pub(super) fn properties(key: &str) -> String {
    format!("UNIQ_KEY\u{1}{key}\u{2}WAIT\u{1}true\u{2}")
}

/// A message to queue 0, with the short field names.
pub(super) fn send(topic: &str) -> Request {
    Request::new(310)
        .fields(&[
            ("a", "PG"),
            ("b", topic),
            ("c", "TBW102"),
            ("d", "4"),
            ("e", "0"),
            ("f", "0"),
            ("g", "1700000000000"),
            ("h", "0"),
            ("i", &properties("KEY")),
            ("j", "0"),
            ("k", "false"),
            ("m", "false"),
            ("n", "broker-a"),
        ])
        .body("hi")
}

/// A message to queue 0, with the long field names.
pub(super) fn send_long(topic: &str) -> Request {
    Request::new(10)
        .fields(&[
            ("producerGroup", "PG"),
            ("topic", topic),
            ("defaultTopic", "TBW102"),
            ("defaultTopicQueueNums", "4"),
            ("queueId", "0"),
            ("sysFlag", "0"),
            ("bornTimestamp", "1700000000000"),
            ("flag", "0"),
            ("properties", &properties("KEY")),
            ("reconsumeTimes", "0"),
            ("unitMode", "false"),
            ("batch", "false"),
        ])
        .body("hi")
}

/// A message with these properties besides its unique key.
pub(super) fn send_with(topic: &str, pairs: &[(&str, &str)]) -> Request {
    let text: String = pairs.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect();
    send(topic).field("i", &(properties("KEY") + &text))
}

/// A topic with this number of queues.
pub(super) fn create(topic: &str, queues: u32) -> Request {
    let queues = queues.to_string();
    Request::new(17).fields(&[
        ("topic", topic),
        ("defaultTopic", "TBW102"),
        ("readQueueNums", &queues),
        ("writeQueueNums", &queues),
        ("perm", "6"),
        ("topicFilterType", "SINGLE_TAG"),
        ("topicSysFlag", "0"),
        ("order", "false"),
    ])
}

pub(super) fn route(topic: &str) -> Request {
    Request::new(105).field("topic", topic)
}

pub(super) fn max_offset(topic: &str) -> Request {
    Request::new(30).fields(&[("topic", topic), ("queueId", "0")])
}

/// The message that the answer to a step names.
pub(super) fn view(step: &str) -> Request {
    Request::new(33).field("offset", &format!("{{place {step}}}"))
}

/// A change of the broker's settings.
pub(super) fn setting(text: &str) -> Request {
    Request::new(25).body(format!("{text}\n"))
}
