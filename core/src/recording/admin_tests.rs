//! Administrative calls in recordings.

use super::admin::{put_admin, read_admin};
use super::parts::Parts;
use crate::ground::Instant;
use crate::interface::{
    AdminRequest, Command, MessageQuery, MessageQueue, OffsetBoundary, TopicConfig, TopicPlace,
};
use crate::message::OffsetMessageId;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub(super) fn every_admin_command() -> impl Iterator<Item = Command> {
    let topic = || "T".parse().unwrap();
    let queue = || MessageQueue { topic: topic(), broker_name: "b 0".parse().unwrap(), queue_id: 7 };
    let id = OffsetMessageId::parse("0A00000200002A9F00000000000003E8").unwrap();
    let mut config = TopicConfig { readable: false, order: true, ..TopicConfig::new(topic()) };
    config.attributes.insert("message.type".into(), Some("FIFO".into()));
    config.attributes.insert("a".into(), None);
    let place = [
        TopicPlace::OnlyCluster,
        TopicPlace::Cluster("C".into()),
        TopicPlace::Broker("b".parse().unwrap()),
        TopicPlace::RouteOf(topic()),
    ];
    let mut requests: Vec<AdminRequest> =
        place.map(|place| AdminRequest::CreateTopic { topic: config.clone(), place }).into();
    for boundary in [OffsetBoundary::Lower, OffsetBoundary::Upper] {
        requests.push(AdminRequest::SearchOffset { queue: queue(), timestamp_ms: -5, boundary });
    }
    requests.extend([
        AdminRequest::TopicRoute(topic()),
        AdminRequest::PublishQueues(topic()),
        AdminRequest::MaxOffset(queue()),
        AdminRequest::MinOffset(queue()),
        AdminRequest::EarliestStoreTime(queue()),
        AdminRequest::ViewMessage { id, topic: None },
        AdminRequest::ViewMessage { id, topic: Some(topic()) },
        AdminRequest::QueryMessages(MessageQuery::new(topic(), "nyckel-å")),
        AdminRequest::QueryUniqueKey { topic: topic(), key: "u".into() },
        AdminRequest::ClusterInfo,
        AdminRequest::TopicList,
    ]);
    let deadline = Instant::from_micros(78);
    requests.into_iter().map(move |request| Command::Admin { request: Box::new(request), deadline })
}

#[test]
fn a_call_that_is_cut_or_has_an_unknown_part_is_refused() {
    for command in every_admin_command() {
        let Command::Admin { request, deadline } = command else {
            panic!("{command:?}");
        };
        let mut bytes = Vec::new();
        put_admin(&mut bytes, &request, deadline);
        for len in 0..bytes.len() {
            assert!(read_admin(&mut Parts::new(&bytes[..len])).is_err(), "{request:?} of {len} bytes");
        }
        // The byte behind the deadline names the request.
        bytes[1] = 200;
        assert!(read_admin(&mut Parts::new(&bytes)).is_err());
    }
}
