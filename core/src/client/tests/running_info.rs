//! What a client tells of itself.

use super::{Rig, config, ready};
use crate::client::ConnectionState;
use crate::ground::{Instant, Now};
use crate::producer::ProducerConfig;
use alloc::boxed::Box;
use alloc::string::ToString;
use core::time::Duration;

#[test]
fn a_client_with_work_tells_of_all_of_it() {
    let (mut rig, producer) = ready(&["broker-a"]);
    let mut with_topics = ProducerConfig::new("OTHER".parse().unwrap());
    with_topics.topics = alloc::vec!["T".parse().unwrap()];
    rig.command(crate::client::Command::OpenProducer { config: Box::new(with_topics) });
    rig.pass(Duration::from_secs(1));
    rig.send(producer, "T", Duration::from_secs(3));
    let info = rig.client.running_info(rig.now);
    assert_eq!(info.uptime, Duration::from_secs(1));
    assert_eq!((info.memory, info.counters), (rig.client.memory(), rig.client.counters()));
    let found: alloc::vec::Vec<_> = info
        .producers
        .iter()
        .map(|producer| (producer.group.as_str(), producer.is_open, producer.sends, producer.topics.len()))
        .collect();
    assert_eq!(found, [("PG", true, 1, 0), ("OTHER", true, 0, 1)]);
    assert_eq!(info.cluster.connections[1].state, ConnectionState::Up);
    let text = info.to_string();
    for line in [
        ": running for 1 s",
        "name servers: 127.0.0.1:9876; in use: 127.0.0.1:9876",
        "connection to 10.0.0.0:10911: up, 2 requests wait",
        "broker broker-a: master at 10.0.0.0:10911",
        "topic T: 4 writable queues",
        "producer group PG: open, 1 sends and 0 ends of transactions under way",
        "producer group OTHER: open, 0 sends and 0 ends of transactions under way, declared topics: T",
        "memory: messages=1 ",
        " stored=1 ",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("=0"), "what is zero is left out:\n{text}");
}

#[test]
fn a_client_that_has_nothing_says_so() {
    let mut rig = Rig::new(config());
    let before = Now { mono: Instant::ZERO, unix_ms: 0 };
    let info = rig.client.running_info(before);
    assert_eq!((info.uptime, info.producers.len()), (Duration::ZERO, 0), "time does not go back");
    assert!(info.to_string().contains(": just created for 0 s\n"), "{info}");
    let producer = rig.open("PG");
    rig.command(crate::client::Command::CloseProducer { producer, deadline: Instant::ZERO });
    assert!(rig.client.running_info(rig.now).producers.is_empty());
}
