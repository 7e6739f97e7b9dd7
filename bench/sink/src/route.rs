//! Where the brokers are, as name servers tell it.

use serde_json::json;
use std::collections::BTreeMap;

/// The topic whose route producers take for topics that have none yet.
pub(crate) const DEFAULT_TOPIC: &[u8] = b"TBW102";
/// Readable, writable, inherited by the topics made from it.
const PERM_OF_DEFAULT_TOPIC: u8 = 7;
/// Readable and writable.
const PERM: u8 = 6;

/// Bodies of the answers to route requests, which are the same for all topics but one.
pub(crate) struct Routes {
    of_default_topic: Vec<u8>,
    of_others: Vec<u8>,
}

impl Routes {
    /// With one broker on each of `ports`.
    pub(crate) fn new(ports: &[u16], queues: u16) -> Self {
        Self {
            of_default_topic: body(ports, queues, PERM_OF_DEFAULT_TOPIC),
            of_others: body(ports, queues, PERM),
        }
    }

    pub(crate) fn of(&self, topic: &[u8]) -> &[u8] {
        if topic == DEFAULT_TOPIC { &self.of_default_topic } else { &self.of_others }
    }
}

fn body(ports: &[u16], queues: u16, perm: u8) -> Vec<u8> {
    let mut brokers = Vec::new();
    let mut queue_datas = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let name = broker_name(index);
        let addresses = BTreeMap::from([("0", format!("127.0.0.1:{port}"))]);
        brokers.push(json!({
            "brokerAddrs": addresses, "brokerName": name, "cluster": "DefaultCluster",
            "enableActingMaster": false,
        }));
        queue_datas.push(json!({
            "brokerName": name, "perm": perm, "readQueueNums": queues, "topicSysFlag": 0,
            "writeQueueNums": queues,
        }));
    }
    // The library writes keys in alphabetical order, as servers do.
    json!({ "brokerDatas": brokers, "filterServerTable": {}, "queueDatas": queue_datas })
        .to_string()
        .into_bytes()
}

/// `broker-a` to `broker-z`, then `broker-aa`.
fn broker_name(index: usize) -> String {
    let letter = |number: usize| char::from(b'a' + (number % 26) as u8);
    match index / 26 {
        0 => format!("broker-{}", letter(index)),
        times => format!("broker-{}{}", letter(times - 1), letter(index)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn the_default_topics_route_is_that_of_a_real_name_server() {
        let real = vectors::frame("5.5.0-json/004-server-get-routeinfo-by-topic-answer-0.bin");
        let body_at = real.windows(2).position(|pair| pair == b"}{").unwrap() + 1;
        assert_eq!(
            String::from_utf8_lossy(Routes::new(&[21911], 8).of(DEFAULT_TOPIC)),
            String::from_utf8_lossy(&real[body_at..])
        );
    }

    #[test]
    fn many_brokers_have_names_and_ports_of_their_own() {
        let ports: Vec<u16> = (1..=64).collect();
        let route: serde_json::Value = serde_json::from_slice(Routes::new(&ports, 4).of(b"Bench")).unwrap();
        let brokers = route["brokerDatas"].as_array().unwrap();
        let names: std::collections::BTreeSet<_> =
            brokers.iter().map(|broker| broker["brokerName"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 64);
        assert_eq!(brokers[63]["brokerAddrs"]["0"], "127.0.0.1:64");
        assert_eq!(brokers[63]["brokerName"], "broker-bl");
        assert_eq!(route["queueDatas"][63]["brokerName"], "broker-bl");
        assert_eq!(route["queueDatas"][0]["perm"], 6);
        assert_eq!(route["queueDatas"][0]["writeQueueNums"], 4);
    }
}
