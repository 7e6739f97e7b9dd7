//! Administrative calls.

mod failures;
mod messages;

use super::{Request, Rig, config, ready};
use crate::client::{Answer, ClientConfig, CloseReason, Command, ConnId, Input};
use crate::command::RequestCode;
use crate::ground::Instant;
use crate::ground::names::BrokerName;
use crate::interface::{
    AdminAnswer, AdminError, AdminRequest, CallFailure, MessageQuery, MessageQueue, OffsetBoundary,
    TopicConfig, TopicPlace,
};
use crate::message::{MessageExt, OffsetMessageId};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

const SHORT: Duration = Duration::from_secs(3);

const TWO_BROKERS: &str = r#"{"brokerAddrTable":{
    "broker-a":{"brokerAddrs":{0:"10.0.0.0:10911",1:"10.0.0.7:10911"},"brokerName":"broker-a","cluster":"C"},
    "broker-b":{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"broker-b","cluster":"C"}},
    "clusterAddrTable":{"C":["broker-a","broker-b"]}}"#;

/// A message as a broker stores it.
struct Stored<'a> {
    topic: &'a str,
    keys: &'a str,
    unique_key: &'a str,
    body: &'a [u8],
    stored_ms: i64,
    offset: i64,
}

const ORDINARY: Stored<'static> =
    Stored { topic: "T", keys: "k", unique_key: "A1", body: b"body", stored_ms: 5, offset: 1_000 };

impl Stored<'_> {
    fn bytes(&self) -> Vec<u8> {
        let properties = format!("KEYS\u{1}{}\u{2}UNIQ_KEY\u{1}{}\u{2}", self.keys, self.unique_key);
        let mut out = vec![0; 4];
        out.extend(0xDAA3_20A7_u32.to_be_bytes());
        out.extend([0; 12]);
        out.extend(7_i64.to_be_bytes());
        out.extend(self.offset.to_be_bytes());
        out.extend([0; 12]);
        out.extend([10, 0, 0, 9, 0, 0, 0x15, 0xB3]);
        out.extend(self.stored_ms.to_be_bytes());
        out.extend([10, 0, 0, 0, 0, 0, 0x2A, 0x9F]);
        out.extend([0; 12]);
        out.extend(i32::try_from(self.body.len()).unwrap().to_be_bytes());
        out.extend(self.body);
        out.push(u8::try_from(self.topic.len()).unwrap());
        out.extend(self.topic.as_bytes());
        out.extend(i16::try_from(properties.len()).unwrap().to_be_bytes());
        out.extend(properties.as_bytes());
        out
    }
}

/// A message as a broker stores it, of these topic, key, unique key, body and place.
pub(super) fn stored_message(topic: &str, keys: &str, unique_key: &str, body: &[u8], offset: i64) -> Vec<u8> {
    Stored { topic, keys, unique_key, body, stored_ms: 5, offset }.bytes()
}

impl Rig {
    fn admin(&mut self, request: AdminRequest) -> u64 {
        let deadline = self.now.mono + SHORT;
        self.command(Command::Admin { request: Box::new(request), deadline })
    }

    fn administered(&mut self, id: u64) -> Result<AdminAnswer, AdminError> {
        match self.answers.remove(&id) {
            Some(Answer::Admin(result)) => result,
            other => panic!("no answer: {other:?}"),
        }
    }

    fn fails(&mut self, id: u64) -> AdminError {
        self.administered(id).expect_err("an error")
    }

    /// What the name server or broker answers to the next request with this code.
    fn reply(&mut self, code: RequestCode, ext: &[(&'static str, &str)], body: &[u8]) -> Request {
        let request = self.take_request(code);
        let ext = ext.iter().map(|(name, value)| (*name, (*value).to_string())).collect();
        self.answer_raw(request.conn, request.opaque, 0, None, ext, body);
        self.connect_all();
        request
    }

    fn asks(&mut self, request: AdminRequest) -> u64 {
        let id = self.admin(request);
        self.connect_all();
        id
    }

    /// Answers the question for the route, and opens the connections that follow.
    fn route(&mut self, brokers: &[&str]) {
        self.answer_route(brokers);
        self.connect_all();
    }

    fn address_of(&self, conn: ConnId) -> &str {
        &self.addresses[&conn]
    }

    fn has_request(&self, code: RequestCode) -> bool {
        self.requests.iter().any(|request| request.code == code)
    }
}

fn queue(queue_id: i32) -> MessageQueue {
    MessageQueue { topic: "T".parse().unwrap(), broker_name: "broker-a".parse().unwrap(), queue_id }
}

fn create(place: TopicPlace) -> AdminRequest {
    AdminRequest::CreateTopic { topic: TopicConfig::new("New".parse().unwrap()), place }
}

fn query() -> AdminRequest {
    AdminRequest::QueryMessages(MessageQuery::new("T".parse().unwrap(), "k"))
}

fn view(offset: i64) -> AdminRequest {
    let id = OffsetMessageId::new("10.0.0.0:10911".parse().unwrap(), offset);
    AdminRequest::ViewMessage { id, topic: None }
}

fn bodies(messages: &[MessageExt]) -> Vec<&[u8]> {
    messages.iter().map(|message| &message.message.body()[..]).collect()
}

#[test]
fn offsets_are_asked_for_where_the_route_says() {
    let (offset, time) = (&[("offset", "17")][..], &[("timestamp", "1700000000000")][..]);
    let searched =
        AdminRequest::SearchOffset { queue: queue(3), timestamp_ms: 99, boundary: OffsetBoundary::Upper };
    let cases = [
        (AdminRequest::MaxOffset(queue(3)), RequestCode::GET_MAX_OFFSET, offset, AdminAnswer::Offset(17)),
        (AdminRequest::MinOffset(queue(3)), RequestCode::GET_MIN_OFFSET, offset, AdminAnswer::Offset(17)),
        (searched, RequestCode::SEARCH_OFFSET_BY_TIMESTAMP, offset, AdminAnswer::Offset(17)),
        (
            AdminRequest::EarliestStoreTime(queue(3)),
            RequestCode::GET_EARLIEST_MSG_STORETIME,
            time,
            AdminAnswer::StoreTime(Some(1_700_000_000_000)),
        ),
    ];
    for (request, code, ext, answer) in cases {
        let mut rig = Rig::new(config());
        let id = rig.asks(request);
        rig.route(&["broker-a", "broker-b"]);
        let asked = rig.reply(code, ext, b"");
        assert_eq!(rig.address_of(asked.conn), "10.0.0.0:10911");
        assert_eq!((asked.ext["queueId"].as_str(), asked.ext["bname"].as_str()), ("3", "broker-a"));
        assert_eq!(rig.administered(id), Ok(answer));
        assert!(rig.requests.is_empty());
    }
}

#[test]
fn a_queue_without_messages_has_no_store_time() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::EarliestStoreTime(queue(0)));
    rig.route(&["broker-a"]);
    rig.reply(RequestCode::GET_EARLIEST_MSG_STORETIME, &[("timestamp", "-1")], b"");
    assert_eq!(rig.administered(id), Ok(AdminAnswer::StoreTime(None)));
}

#[test]
fn brokers_are_not_asked_about_what_is_not_there() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::MaxOffset(queue(4)));
    rig.route(&["broker-a"]);
    assert_eq!(rig.fails(id), AdminError::UnknownQueue(queue(4)));
    let id = rig.asks(AdminRequest::MaxOffset(queue(0)));
    rig.route(&["broker-b"]);
    assert_eq!(rig.fails(id), AdminError::UnknownQueue(queue(0)));
    let id = rig.asks(AdminRequest::MinOffset(queue(0)));
    let asked = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    rig.answer(&asked, 17, Some("No topic route info"));
    assert_eq!(rig.fails(id), AdminError::TopicUnknown("T".parse().unwrap()));
    assert_eq!(rig.addresses.len(), 1, "only a name server was asked: {:?}", rig.addresses);
}

#[test]
fn what_cannot_be_asked_is_refused_at_once() {
    let mut rig = Rig::new(config());
    let id = rig.admin(AdminRequest::MaxOffset(queue(-1)));
    assert!(matches!(rig.fails(id), AdminError::Invalid(error) if error.field == "queue_id"));
    let request = Box::new(AdminRequest::ClusterInfo);
    let id = rig.command(Command::Admin { request, deadline: rig.now.mono });
    assert_eq!(rig.fails(id), AdminError::Timeout);
    assert!(rig.connects.is_empty());
    let mut rig = Rig::new(ClientConfig::new(crate::ground::endpoint::NameServers::none(), 7));
    let id = rig.admin(AdminRequest::TopicList);
    assert_eq!(rig.fails(id), AdminError::NoNameServerConfigured);
}

#[test]
fn publish_queues_are_those_that_can_be_written() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::PublishQueues("T".parse().unwrap()));
    rig.route(&["broker-a", "broker-b"]);
    let Ok(AdminAnswer::Queues(queues)) = rig.administered(id) else {
        panic!("no queues");
    };
    let texts: Vec<String> = queues.iter().map(ToString::to_string).collect();
    assert_eq!((texts.len(), texts[0].as_str(), texts[7].as_str()), (8, "T/broker-a/0", "T/broker-b/3"));
    let id = rig.asks(AdminRequest::PublishQueues("T".parse().unwrap()));
    let asked = rig.take_request(RequestCode::GET_ROUTEINFO_BY_TOPIC);
    let readable = br#"{"brokerDatas":[{"brokerAddrs":{"0":"a:1"},"brokerName":"a","cluster":"C"}],
        "queueDatas":[{"brokerName":"a","perm":4,"readQueueNums":4,"writeQueueNums":4}]}"#;
    rig.answer_raw(asked.conn, asked.opaque, 0, None, Vec::new(), readable);
    assert_eq!(rig.fails(id), AdminError::NoWritableQueue("T".parse().unwrap()));
}

#[test]
fn clusters_and_topics_come_from_a_name_server() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::ClusterInfo);
    rig.reply(RequestCode::GET_BROKER_CLUSTER_INFO, &[], TWO_BROKERS.as_bytes());
    let Ok(AdminAnswer::Cluster(info)) = rig.administered(id) else {
        panic!("no clusters");
    };
    assert_eq!(info.brokers["broker-a"].broker_addrs[&1], "10.0.0.7:10911");
    assert_eq!(info.clusters["C"].len(), 2);
    let id = rig.asks(AdminRequest::TopicList);
    let code = RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER;
    rig.reply(code, &[], br#"{"topicList":["b","a"]}"#);
    assert_eq!(rig.administered(id), Ok(AdminAnswer::Topics(["a".into(), "b".into()].into())));
}

#[test]
fn a_topic_is_created_on_the_master_of_each_broker() {
    let mut rig = Rig::new(config());
    let mut topic = TopicConfig::new("New".parse().unwrap());
    topic.attributes = [("message.type".into(), Some("FIFO".into())), ("gone".into(), None)].into();
    topic.read_queues = 3;
    let id = rig.asks(AdminRequest::CreateTopic { topic, place: TopicPlace::OnlyCluster });
    rig.reply(RequestCode::GET_BROKER_CLUSTER_INFO, &[], TWO_BROKERS.as_bytes());
    for address in ["10.0.0.0:10911", "10.0.0.1:10911"] {
        let asked = rig.take_request(RequestCode::UPDATE_AND_CREATE_TOPIC);
        assert_eq!(rig.address_of(asked.conn), address);
        let ext = |name: &str| asked.ext[name].as_str();
        assert_eq!((ext("topic"), ext("readQueueNums"), ext("writeQueueNums")), ("New", "3", "8"));
        assert_eq!((ext("perm"), ext("order"), ext("topicFilterType")), ("6", "false", "SINGLE_TAG"));
        assert_eq!(ext("attributes"), "-gone,+message.type=FIFO");
        // A success may have a remark.
        rig.answer(&asked, 0, Some("not set any response code"));
    }
    let names = vec!["broker-a".parse().unwrap(), "broker-b".parse().unwrap()];
    assert_eq!(rig.administered(id), Ok(AdminAnswer::TopicCreated(names)));
}

#[test]
fn a_broker_that_refuses_a_topic_is_named_beside_those_that_have_it() {
    let mut rig = Rig::new(config());
    let id = rig.asks(create(TopicPlace::Cluster("C".into())));
    rig.reply(RequestCode::GET_BROKER_CLUSTER_INFO, &[], TWO_BROKERS.as_bytes());
    let refused = rig.take_request(RequestCode::UPDATE_AND_CREATE_TOPIC);
    rig.answer(&refused, 29, Some("no such attribute"));
    let taken = rig.take_request(RequestCode::UPDATE_AND_CREATE_TOPIC);
    rig.answer(&taken, 0, None);
    let AdminError::Brokers { done, failed } = rig.fails(id) else {
        panic!("another error");
    };
    assert_eq!(done, [BrokerName::try_from("broker-b").unwrap()]);
    assert_eq!(failed[0].broker, Some("broker-a".parse().unwrap()));
    assert!(matches!(&failed[0].why, CallFailure::Refused { remark, .. } if remark == "no such attribute"));
}

#[test]
fn where_a_topic_cannot_be_created_is_told() {
    let two = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{1:"10.0.0.7:1"},"brokerName":"a","cluster":"A"}},
        "clusterAddrTable":{"A":["a"],"B":["b"]}}"#;
    let known = || vec!["A".to_string(), "B".to_string()];
    let no_master = |error: &AdminError| matches!(error, AdminError::Brokers { failed, .. } if failed[0].why == CallFailure::NoMaster);
    let mut rig = Rig::new(config());
    type Is<'a> = &'a dyn Fn(&AdminError) -> bool;
    let cases: [(TopicPlace, Is<'_>); 5] = [
        (TopicPlace::OnlyCluster, &|error| *error == AdminError::WhichCluster(known())),
        (TopicPlace::Cluster("Z".into()), &|error| {
            *error == AdminError::UnknownCluster { cluster: "Z".into(), known: known() }
        }),
        (TopicPlace::Broker("z".parse().unwrap()), &|error| {
            *error == AdminError::UnknownBroker("z".parse().unwrap())
        }),
        (TopicPlace::Broker("a".parse().unwrap()), &no_master),
        (TopicPlace::Cluster("B".into()), &no_master),
    ];
    for (place, is) in cases {
        let id = rig.asks(create(place));
        rig.reply(RequestCode::GET_BROKER_CLUSTER_INFO, &[], two.as_bytes());
        let error = rig.fails(id);
        assert!(is(&error), "{error:?}");
    }
    let id = rig.asks(create(TopicPlace::RouteOf("T".parse().unwrap())));
    rig.route(&["broker-a"]);
    let asked = rig.reply(RequestCode::UPDATE_AND_CREATE_TOPIC, &[], b"");
    assert_eq!(rig.address_of(asked.conn), "10.0.0.0:10911");
    assert!(rig.administered(id).is_ok());
}
