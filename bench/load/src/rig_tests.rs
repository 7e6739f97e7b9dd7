use super::{Rig, Setting};
use crate::answers::Shape;
use crate::message::Maker;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::Message;
use rocketmq_core::wire::SerializeType::{self, Json, RocketMq};

fn setting(requests: SerializeType, answers: SerializeType, brokers: usize, queues: usize) -> Setting {
    Setting { requests, answers, shape: Shape { brokers, queues }, seed: 3 }
}

fn batch(maker: &Maker, count: u64) -> Vec<Message> {
    (0..count).map(|number| maker.make(number)).collect()
}

#[test]
fn every_send_is_stored_whatever_the_form_of_the_headers() {
    for (requests, answers) in [(Json, Json), (RocketMq, Json), (RocketMq, RocketMq)] {
        let topic: TopicName = "T".parse().unwrap();
        let mut rig = Rig::new(setting(requests, answers, 1, 8));
        rig.warm_up(std::slice::from_ref(&topic));
        let maker = Maker::new(topic, 1_024);
        for _ in 0..10 {
            rig.submit(&mut batch(&maker, 256));
            assert_eq!(rig.pending(), 256);
            assert_eq!(rig.answer(usize::MAX), 256);
        }
        assert_eq!(rig.verdicts(), (2_561, 0));
        let costs = rig.take_costs();
        assert!(costs.submit.nanos() > 0.0 && costs.write.nanos() > 0.0 && costs.receive.nanos() > 0.0);
        if let Some(allocations) = costs.allocations {
            // The outbox's chunks; each test of this process adds its own.
            assert!(cfg!(feature = "count-allocations") && allocations > 0);
        }
    }
}

#[test]
fn more_sends_than_a_connection_carries_wait_as_values() {
    let topic: TopicName = "T".parse().unwrap();
    let mut rig = Rig::new(setting(Json, Json, 1, 8));
    rig.warm_up(std::slice::from_ref(&topic));
    let maker = Maker::new(topic, 10);
    rig.submit(&mut batch(&maker, 70_000));
    assert_eq!((rig.pending(), rig.under_way()), (65_536, 70_000));
    rig.answer(1_000);
    assert_eq!((rig.pending(), rig.under_way()), (65_536, 69_000));
}

#[test]
fn sends_spread_over_topics_and_brokers() {
    let topics: Vec<TopicName> = (0..50).map(|number| format!("T{number}").parse().unwrap()).collect();
    let mut rig = Rig::new(setting(Json, Json, 5, 2));
    rig.warm_up(&topics);
    let mut messages: Vec<Message> =
        topics.iter().flat_map(|topic| batch(&Maker::new(topic.clone(), 10), 10)).collect();
    rig.submit(&mut messages);
    assert_eq!(rig.pending(), 500);
    // Of each of the five brokers.
    assert_eq!(rig.answer(100), 500);
    assert_eq!(rig.verdicts(), (550, 0));
}
