//! Routes that are empty, wrong or new with every answer.

use std::cell::RefCell;
use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::cluster::Frame;
use crate::memo::Memo;

/// What is wrong with a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum RouteLie {
    /// Success, without a body.
    NoBody,
    /// Success, with an empty object.
    EmptyObject,
    /// No such topic.
    NoTopic,
    /// Any other refusal.
    Refusal,
    NoQueues,
    NoBrokers,
    ReadOnly,
    NoWriteQueues,
    /// No broker has an address with id 0.
    NoMaster,
    /// A static topic, which is spread over brokers by logical queues.
    StaticTopic,
    /// Not even JSON.
    Unreadable,
    /// A broker at an address where nothing listens.
    NoServerThere,
    /// A name server as broker.
    NameServerAsBroker,
    /// Addresses that are none.
    BadAddress(&'static str),
    /// Every entry twice.
    Twice,
    /// A broker name that is none.
    BadName,
    /// Integer keys without quotes, as the servers' own library writes them.
    BareKeys,
    HugeQueues,
    NegativeQueues,
    /// Very much that nobody needs.
    Padding,
    /// Fields that are of another type.
    WrongTypes,
    /// A queue entry of a broker that is not in the route.
    UnknownBroker,
    /// Now all brokers, now all but one; now all queues, now one.
    Flapping,
    /// One broker less, or one queue only.
    Fewer,
}

thread_local! {
    static LIES: RefCell<HashMap<RouteLie, Memo<Option<Bytes>>>> = RefCell::default();
}

impl RouteLie {
    /// Those of which no send can make use.
    pub const EMPTY: [RouteLie; 10] = [
        RouteLie::NoBody,
        RouteLie::EmptyObject,
        RouteLie::NoTopic,
        RouteLie::Refusal,
        RouteLie::NoQueues,
        RouteLie::NoBrokers,
        RouteLie::ReadOnly,
        RouteLie::NoWriteQueues,
        RouteLie::NoMaster,
        RouteLie::StaticTopic,
    ];

    /// Those that lead astray.
    pub const LIES: [RouteLie; 17] = [
        RouteLie::Unreadable,
        RouteLie::NoServerThere,
        RouteLie::NameServerAsBroker,
        RouteLie::BadAddress("10.0.1.1:0"),
        RouteLie::BadAddress("10.0.1.1:65536"),
        RouteLie::BadAddress("10.0.1.1"),
        RouteLie::BadAddress(""),
        RouteLie::BadAddress("ho\nst\u{1b}[31m:10911"),
        RouteLie::BadAddress("10.0.1.1:-1"),
        RouteLie::Twice,
        RouteLie::BadName,
        RouteLie::BareKeys,
        RouteLie::HugeQueues,
        RouteLie::NegativeQueues,
        RouteLie::Padding,
        RouteLie::WrongTypes,
        RouteLie::UnknownBroker,
    ];

    /// Changes the answer to a route query; none when that makes no sense for this one.
    pub(super) fn apply(self, frame: &mut Frame, second: bool) -> Option<()> {
        match self {
            RouteLie::NoBody => (frame.code, frame.body) = (0, Bytes::new()),
            RouteLie::NoTopic | RouteLie::Refusal => {
                frame.code = if self == RouteLie::NoTopic { 17 } else { 1 };
                frame.remark = Some("as drawn".to_owned());
                frame.body = Bytes::new();
            }
            RouteLie::EmptyObject => (frame.code, frame.body) = (0, "{}".into()),
            RouteLie::Unreadable => (frame.code, frame.body) = (0, "{\"brokerDatas\":[{]".into()),
            RouteLie::Flapping if second => return None,
            RouteLie::BareKeys => {
                let text = String::from_utf8_lossy(&frame.body).replace("{\"0\":", "{0:");
                frame.body = text.into_bytes().into();
            }
            _ => {
                frame.body = LIES.with_borrow_mut(|lies| {
                    lies.entry(self).or_default().get(&frame.body, |body| self.told(body))
                })?;
            }
        }
        Some(())
    }

    /// The route as this lie tells it.
    fn told(self, body: &[u8]) -> Option<Bytes> {
        let mut route: Value = serde_json::from_slice(body).ok()?;
        self.change(&mut route)?;
        Some(route.to_string().into_bytes().into())
    }

    fn change(self, route: &mut Value) -> Option<()> {
        let set = |route: &mut Value, name: &str, value: Value| {
            for data in route["queueDatas"].as_array_mut().into_iter().flatten() {
                data[name] = value.clone();
            }
        };
        // A topic that borrows the route goes by the read queues.
        let queues = |route: &mut Value, count: i32| {
            set(route, "writeQueueNums", json!(count));
            set(route, "readQueueNums", json!(count));
        };
        let master = |route: &mut Value, value: Value| {
            let first = route["brokerDatas"].as_array_mut()?.first_mut()?;
            first["brokerAddrs"] = value;
            Some(())
        };
        match self {
            RouteLie::NoQueues => route["queueDatas"] = json!([]),
            RouteLie::NoBrokers => route["brokerDatas"] = json!([]),
            RouteLie::ReadOnly => set(route, "perm", json!(4)),
            RouteLie::NoWriteQueues => queues(route, 0),
            RouteLie::HugeQueues => queues(route, i32::MAX),
            RouteLie::NegativeQueues => queues(route, -3),
            RouteLie::NoMaster => {
                for data in route["brokerDatas"].as_array_mut()? {
                    data["brokerAddrs"] = json!({"1": "10.0.1.99:10911"});
                }
            }
            RouteLie::StaticTopic => {
                route["topicQueueMappingByBroker"] =
                    json!({"broker-a": {"topic": "orders", "totalQueues": 4}});
            }
            RouteLie::NoServerThere => master(route, json!({"0": "10.9.9.9:10911"}))?,
            RouteLie::NameServerAsBroker => master(route, json!({"0": "10.0.0.1:9876"}))?,
            RouteLie::BadAddress(address) => master(route, json!({"0": address}))?,
            RouteLie::Twice => {
                for name in ["brokerDatas", "queueDatas"] {
                    let all = route[name].as_array_mut()?;
                    all.extend_from_within(..);
                }
            }
            RouteLie::BadName => {
                route["brokerDatas"].as_array_mut()?.first_mut()?["brokerName"] = json!("bad\u{0}name");
            }
            RouteLie::Padding => route["filterServerTable"] = json!({"padding": ["x".repeat(100_000)]}),
            RouteLie::WrongTypes => set(route, "perm", json!("six")),
            RouteLie::UnknownBroker => {
                let all = route["queueDatas"].as_array_mut()?;
                let mut another = all.first()?.clone();
                another["brokerName"] = json!("broker-nowhere");
                all.insert(0, another);
            }
            _ => fewer(route)?,
        }
        Some(())
    }
}

fn fewer(route: &mut Value) -> Option<()> {
    let all = route["queueDatas"].as_array_mut()?;
    if all.len() > 1 {
        all.pop();
    } else {
        let first = all.first_mut()?;
        (first["writeQueueNums"], first["readQueueNums"]) = (json!(1), json!(1));
    }
    Some(())
}
