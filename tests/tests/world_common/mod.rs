//! What the stories about single messages share.
#![allow(dead_code, reason = "each suite uses its part")]

use std::time::Duration;

use rocketmq_core::producer::{MessageQueue, ProducerConfig, SendError, Target};
use rocketmq_sim::cluster::{ClusterConfig, SendAttempt, SendDecision, ServerId, TopicConfig};
use rocketmq_sim::world::{Order, PipeId, SimProducer, Verdict, World};

/// One second.
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// The first broker.
pub(crate) const BROKER: ServerId = ServerId::Broker(0);
const SEND: i32 = 310;

/// A world with a topic of four queues per broker, an open producer, and one message stored on each broker.
pub(crate) fn ready(brokers: usize) -> (World, SimProducer) {
    ready_with(brokers, |_| {})
}

/// The same with other settings of the producer.
pub(crate) fn ready_with(brokers: usize, tweak: impl FnOnce(&mut ProducerConfig)) -> (World, SimProducer) {
    let config = ClusterConfig { brokers, ..ClusterConfig::default() };
    prepare(World::new(2, config, |_| {}), brokers, tweak)
}

/// The same in a world of the caller's.
pub(crate) fn ready_in(world: World, brokers: usize) -> (World, SimProducer) {
    prepare(world, brokers, |_| {})
}

fn prepare(
    mut world: World,
    brokers: usize,
    tweak: impl FnOnce(&mut ProducerConfig),
) -> (World, SimProducer) {
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let producer = world.try_open_producer(0, "group", tweak).expect("open");
    for index in 0..brokers {
        let verdict =
            world.send_and_wait(producer, Order::to("orders").target(Target::Queue(queue(index, 0))));
        assert!(verdict.receipt().is_some());
    }
    (world, producer)
}

/// A queue of the topic.
pub(crate) fn queue(broker: usize, queue_id: i32) -> MessageQueue {
    let broker_name = ["broker-a", "broker-b", "broker-c"][broker];
    MessageQueue { topic: "orders".parse().unwrap(), broker_name: broker_name.parse().unwrap(), queue_id }
}

/// A small message to the second queue of the first broker.
pub(crate) fn to_broker_a() -> Order {
    Order::to("orders").target(Target::Queue(queue(0, 1)))
}

/// Lets a policy decide about the sends of a broker.
pub(crate) fn policy(
    world: &mut World,
    broker: usize,
    decide: impl FnMut(&SendAttempt<'_>) -> SendDecision + Send + 'static,
) {
    world.change_cluster(|cluster, _| cluster.broker_mut(broker).expect("a broker").set_send_policy(decide));
}

/// The first broker answers the next sends with a code.
pub(crate) fn refuse(world: &mut World, count: u64, code: i32, remark: &str) {
    world.change_cluster(|cluster, _| {
        cluster.broker_mut(0).expect("a broker").answer_next_sends(count, code, remark)
    });
}

/// The connection to the first broker.
pub(crate) fn broker_pipe(world: &World) -> PipeId {
    world.pipe_to(0, BROKER).expect("a connection")
}

/// Sends that have reached brokers.
pub(crate) fn sends(world: &World) -> u64 {
    world.cluster().requests(SEND)
}

/// The error of a send that failed.
pub(crate) fn failed(verdict: &Verdict) -> &SendError {
    verdict.error().unwrap_or_else(|| panic!("not failed but {verdict:?}"))
}
