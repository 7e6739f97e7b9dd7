//! Each invariant can fail: a world in which it is broken on purpose says so by its name.

use std::time::Duration;

use rocketmq_core::client::{Action, Answer, CommandId, OwnedInput};
use rocketmq_core::message::Message;

use super::{Event, Order, SimProducer, Tamper, Verdict, World};
use crate::cluster::{ClusterConfig, SendDecision, ServerId, TopicConfig};

const SECOND: Duration = Duration::from_secs(1);

fn ready() -> (World, SimProducer) {
    let mut world = World::new(1, ClusterConfig::default(), |_| {});
    world.change_cluster(|cluster, now| cluster.create_topic(now, &TopicConfig::new("orders", 4)));
    let producer = world.open_producer("group");
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    assert!(matches!(verdict, Verdict::Stored(_)));
    (world, producer)
}

fn decide(world: &mut World, decision: SendDecision) {
    let policy = move |_: &crate::cluster::SendAttempt<'_>| decision.clone();
    world.change_cluster(|cluster, _| {
        cluster.broker_mut(0).into_iter().for_each(|it| it.set_send_policy(policy.clone()))
    });
}

#[test]
#[should_panic(expected = "I1 one verdict: client 0: CommandId(2) answered again")]
fn a_second_verdict_is_noticed() {
    let (mut world, _) = ready();
    world.carry_out(0, Action::Answer { id: CommandId(2), answer: Answer::Flushed(Ok(())) });
    world.finish();
}

#[test]
#[should_panic(expected = "I1 one verdict: client 0, CommandId(99) was never answered")]
fn a_missing_verdict_is_noticed() {
    let (mut world, _) = ready();
    world.pending.insert((0, CommandId(99)));
    world.finish();
}

#[test]
#[should_panic(expected = "I2 no false OK")]
fn a_false_ok_is_noticed() {
    let (mut world, producer) = ready();
    decide(&mut world, SendDecision::Refuse { code: 2, remark: String::new() });
    world.on_answers(|_, frame| {
        let mut frame = frame.clone();
        frame.code = 0;
        let fields = [("msgId", "0A00010100002A9F0000000000000000"), ("queueId", "0"), ("queueOffset", "0")];
        frame.ext_fields = Some(fields.map(|(name, value)| (name.into(), Some(value.into()))).into());
        Tamper::Instead(frame.encode())
    });
    world.send_and_wait(producer, Order::to("orders"));
}

#[test]
#[should_panic(expected = "I3 no false certainty")]
fn a_false_not_stored_is_noticed() {
    let (mut world, producer) = ready();
    world.on_answers(|_, frame| {
        let mut frame = frame.clone();
        frame.code = 13;
        Tamper::Instead(frame.encode())
    });
    world.send_and_wait(producer, Order::to("orders"));
}

#[test]
#[should_panic(expected = "I4 duplicates: k1: 2 copies, 1 allowed")]
fn a_copy_too_many_is_noticed() {
    let (mut world, producer) = ready();
    let pipe = world.pipe_to(0, ServerId::Broker(0)).expect("a connection");
    world.cut_down(pipe, 0);
    let send = world.send(producer, Order::to("orders"));
    world.run_for(SECOND);
    if let Some(Verdict::Stored(receipt)) = &mut world.sends[send.0].verdict {
        assert_eq!(receipt.attempts, 2);
        receipt.attempts = 1;
    }
    world.finish();
}

#[test]
#[should_panic(expected = "I5 bounded memory")]
fn memory_beyond_its_limit_is_noticed() {
    let (mut world, producer) = ready();
    world.clients[0].config.limits.messages = 1;
    world.send(producer, Order::to("orders"));
    world.send(producer, Order::to("orders"));
    world.run_for(SECOND);
}

#[test]
#[should_panic(expected = "I7 deadlines")]
fn an_answer_after_its_deadline_is_noticed() {
    let (mut world, producer) = ready();
    world.pause(ServerId::Broker(0));
    world.send(producer, Order::to("orders"));
    // A driver that never ticks.
    world.clients[0].timer = None;
    world.run_for(10 * SECOND);
}

#[test]
#[should_panic(expected = "I9 determinism")]
fn another_sequence_of_actions_is_noticed() {
    let (mut world, _) = ready();
    world.clients[0].inputs.pop();
    world.finish();
}

#[test]
#[should_panic(expected = "I11 shutdown: client 0 is shut down and wants a tick")]
fn an_action_after_the_end_is_noticed() {
    let (mut world, _) = ready();
    world.clients[0].over = true;
    world.run_for(60 * SECOND);
}

#[test]
#[should_panic(expected = "I12 heartbeat: client 0: ")]
fn a_missing_heartbeat_is_noticed() {
    let (mut world, _) = ready();
    world.run_for(31 * SECOND);
    for pipe in world.pipes.values_mut() {
        pipe.last_heartbeat = 1_000;
    }
    world.run_for(60 * SECOND);
}

#[test]
#[should_panic(expected = "I13 route use: client 0 sends to orders/broker-a/")]
fn a_queue_without_a_route_is_noticed() {
    let (mut world, producer) = ready();
    world.routes.forget();
    world.send_and_wait(producer, Order::to("orders"));
}

#[test]
#[should_panic(expected = "I14 whole frames")]
fn bytes_that_are_no_frames_are_noticed() {
    let (mut world, _) = ready();
    let pipe = world.pipes()[0];
    world.note_written(pipe, b"\xff\xff\xff\xff\xff\xff\xff\xff");
    world.run_for(SECOND);
}

#[test]
#[should_panic(expected = "I15 unique ids")]
fn an_id_that_two_messages_have_is_noticed() {
    let (mut world, producer) = ready();
    let verdict = world.send_and_wait(producer, Order::to("orders"));
    let id = verdict.receipt().expect("stored").message_id;
    let mut message = Message::builder("orders".parse().unwrap()).body("x").key("other").build().unwrap();
    message.set_unique_key(id);
    world.send_and_wait(producer, Order::again(message));
}

#[test]
#[should_panic(expected = "I6 no busy loop")]
fn more_actions_than_work_are_noticed() {
    let (mut world, _) = ready();
    for number in 1_000..2_000 {
        let now = world.now();
        let flush = rocketmq_core::client::Command::Flush { producer: None, deadline: now.mono };
        OwnedInput::Command { id: CommandId(number), command: flush }.give(&mut world.clients[0].core, now);
        world.pending.insert((0, CommandId(number)));
    }
    world.plan(0, Event::Actions { client: 0 });
    world.run_for(SECOND);
}
