//! Administrative calls, and what servers answer to them.

use arbitrary::{Result, Unstructured};
use rocketmq_core::client::Command;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::interface::{
    AdminRequest, MessageQuery, MessageQueue, OffsetBoundary, TopicConfig, TopicPlace,
};
use rocketmq_core::message::OffsetMessageId;

use super::ops::TOPICS;
use super::peer::Request;
use super::servers::{frame, stored_message, text};
use super::{Kind, Machine};

impl Machine {
    pub(super) fn administer(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let topic: TopicName = choices.choose(&TOPICS)?.parse().unwrap();
        let broker_name = choices.choose(&["broker-0", "broker-1", "broker-9"])?.parse().unwrap();
        let queue = MessageQueue { topic: topic.clone(), broker_name, queue_id: 1 };
        let request = match choices.int_in_range(0..=9)? {
            0 => AdminRequest::CreateTopic { topic: TopicConfig::new(topic), place: place(choices)? },
            1 => AdminRequest::PublishQueues(topic),
            2 => AdminRequest::MaxOffset(queue),
            3 => AdminRequest::EarliestStoreTime(queue),
            4 => {
                let (timestamp_ms, boundary) = (choices.arbitrary()?, OffsetBoundary::Lower);
                AdminRequest::SearchOffset { queue, timestamp_ms, boundary }
            }
            5 => AdminRequest::QueryMessages(MessageQuery::new(topic, "k")),
            6 => AdminRequest::QueryUniqueKey { topic, key: "A1".into() },
            7 => {
                let id = OffsetMessageId::new("10.0.1.1:10911".parse().unwrap(), 1_000);
                AdminRequest::ViewMessage { id, topic: None }
            }
            8 => AdminRequest::ClusterInfo,
            _ => AdminRequest::TopicList,
        };
        let deadline = self.until(choices)?;
        self.command(Kind::Admin, deadline, Command::Admin { request: Box::new(request), deadline });
        Ok(())
    }
}

fn place(choices: &mut Unstructured<'_>) -> Result<TopicPlace> {
    Ok(match choices.int_in_range(0..=2)? {
        0 => TopicPlace::OnlyCluster,
        1 => TopicPlace::Broker("broker-1".parse().unwrap()),
        _ => TopicPlace::RouteOf("T".parse().unwrap()),
    })
}

pub(super) fn is_admin(code: i64) -> bool {
    matches!(code, 12 | 17 | 29..=33 | 106 | 206)
}

/// An answer that says success, true or not.
pub(super) fn answer(choices: &mut Unstructured<'_>, request: &Request) -> Result<Vec<u8>> {
    const NUMBERS: [&str; 6] = ["7", "0", "-1", "9223372036854775807", "x", ""];
    let number = if choices.ratio(1, 4)? { *choices.choose(&NUMBERS)? } else { NUMBERS[0] };
    let fields = match request.code {
        29..=31 => vec![text("offset", number)],
        32 => vec![text("timestamp", number)],
        12 => vec![text("indexLastUpdateTimestamp", number)],
        _ => Vec::new(),
    };
    let mut body = match request.code {
        106 => CLUSTERS.as_bytes().to_vec(),
        206 => br#"{"topicList":["T","TBW102"]}"#.to_vec(),
        12 | 33 => stored(),
        _ => Vec::new(),
    };
    if choices.ratio(1, 6)? && !body.is_empty() {
        let at = choices.choose_index(body.len())?;
        match choices.arbitrary()? {
            true => body[at] = choices.arbitrary()?,
            false => body.truncate(at),
        }
    }
    frame(choices, request.opaque, 0, "", fields, body)
}

const CLUSTERS: &str = r#"{"brokerAddrTable":{
    "broker-0":{"brokerAddrs":{0:"10.0.1.0:10911"},"brokerName":"broker-0","cluster":"c"},
    "broker-1":{"brokerAddrs":{0:"10.0.1.1:10911"},"brokerName":"broker-1","cluster":"c"}},
    "clusterAddrTable":{"c":["broker-0","broker-1"]}}"#;

/// A message with the key and the unique key that calls ask for, at the place that they ask for.
fn stored() -> Vec<u8> {
    stored_message(0, 1_000, "KEYS\u{1}k\u{2}UNIQ_KEY\u{1}A1\u{2}")
}
