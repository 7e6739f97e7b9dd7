//! Each thing that can be made to go wrong in a lab has its effect.

use std::time::Duration;

use rocketmq_driver::{Client, Message, Outcome, Producer, Resend};
use rocketmq_sim::cluster::{SendAttempt, SendDecision};
use rocketmq_sim::lab::{self, Connects, Lab, Network, SendFault};

const SECOND: Duration = Duration::from_secs(1);
const GET_ROUTE: i32 = 105;
const SEND: i32 = 310;

fn message(body: &str) -> Message {
    Message::builder("placed".parse().expect("a topic's name"))
        .body(body.to_owned())
        .key(body)
        .build()
        .expect("a good message")
}

/// A producer whose route and connection are warm; its first message is stored.
async fn warm(lab: &Lab) -> (Client, Producer) {
    let client = lab.client();
    let producer = client.producer("senders").await.expect("the settings are in order");
    producer.send(message("warm")).await.expect("nothing goes wrong yet");
    (client, producer)
}

/// A producer that sends once and says what came of it.
async fn careful(lab: &Lab) -> Producer {
    let opened = lab.client().producer("careful").resend(Resend::OnlyWhenNotStored).await;
    let producer = opened.expect("the settings are in order");
    producer.send(message("warm")).await.expect("nothing goes wrong yet");
    producer
}

fn copies(lab: &Lab, key: &str) -> usize {
    lab.stored_with_key("placed", key).len()
}

#[test]
fn a_broker_dies_between_store_and_answer() {
    lab::check(0..20, |lab| async move {
        let producer = careful(&lab).await;
        lab.broker(0).next_sends(1, SendFault::StoreThenCrash);
        let error = producer.send(message("a")).await.expect_err("nobody answered");
        assert_eq!((error.outcome(), copies(&lab, "a")), (Outcome::MayBeStored, 1));
        assert!(!lab.broker(0).is_up());
        let error = producer.send(message("b")).await.expect_err("nobody is there");
        assert_eq!((error.outcome(), copies(&lab, "b")), (Outcome::NotStored, 0));
        lab.broker(0).restart();
        producer.send(message("b")).within(40 * SECOND).await.expect("the broker is back");
        assert_eq!((copies(&lab, "a"), copies(&lab, "b")), (1, 1), "the store was kept");
        assert!(lab.story().contains("broker-a stores a message and dies"));
    });
}

#[test]
fn sends_behind_the_death_are_not_stored() {
    lab::check(0..20, |lab| async move {
        let producer = careful(&lab).await;
        lab.broker(0).next_sends(1, SendFault::StoreThenCrash);
        let mut receipts = Vec::new();
        for number in 0..10 {
            receipts.push(producer.enqueue(message(&number.to_string())).await.expect("there is room"));
        }
        for receipt in receipts {
            receipt.await.expect_err("the broker is dead");
        }
        assert_eq!(lab.stored("placed").len(), 2, "the first message, and the one that it died over");
    });
}

#[test]
fn each_send_fault_has_its_effect() {
    lab::check(0..10, |lab| async move {
        let producer = careful(&lab).await;
        let broker = lab.broker(0);
        let text = String::new;
        let faults = [
            (SendFault::StoreThenReset, Some(Outcome::MayBeStored), 1),
            (SendFault::StoreNoAnswer, Some(Outcome::MayBeStored), 1),
            (SendFault::Lose, Some(Outcome::MayBeStored), 0),
            (SendFault::AnswerLate(5 * SECOND), Some(Outcome::MayBeStored), 1),
            (SendFault::AnswerLate(SECOND / 2), None, 1),
            (SendFault::AnswerTwice, None, 1),
            (SendFault::Refuse { code: 14, remark: text() }, Some(Outcome::NotStored), 0),
            (SendFault::StoreThenAnswer { code: 10, remark: text() }, None, 1),
        ];
        for (number, (fault, outcome, stored)) in faults.into_iter().enumerate() {
            let key = format!("fault-{number}");
            broker.next_sends(10, fault.clone());
            let error = producer.send(message(&key)).await.err();
            broker.clear_send_faults();
            assert_eq!(error.as_ref().map(|error| error.outcome()), outcome, "{fault:?}: {error:?}");
            assert_eq!(copies(&lab, &key), stored, "{fault:?}");
        }
    });
}

#[test]
fn a_busy_broker_is_busy_for_a_while() {
    lab::check(0..10, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        lab.broker(0).busy_for(2 * SECOND);
        // Its last attempt may be without an answer at the deadline, so only the store tells for certain.
        producer.send(message("a")).within(SECOND).await.expect_err("the broker is busy");
        assert_eq!(copies(&lab, "a"), 0);
        assert!(lab.story().contains("code 2 ([TIMEOUT_CLEAN_QUEUE]"), "{}", lab.story());
        lab.sleep(2 * SECOND).await;
        producer.send(message("a")).await.expect("it is not busy any more");
    });
}

#[test]
fn faults_at_random_come_as_often_as_asked() {
    lab::check(0..3, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        lab.broker(0).random_sends(200, SendFault::AnswerTwice);
        for number in 0..500 {
            producer.send(message(&number.to_string())).await.expect("it is stored");
        }
        let twice = _client.counters().duplicate_answers;
        assert!((50..150).contains(&twice), "{twice} of 500");
        assert!(lab.duplicates("placed").is_empty());
    });
}

#[test]
fn a_policy_decides_about_single_sends() {
    lab::check(0..3, |lab| async move {
        let producer = careful(&lab).await;
        lab.broker(0).set_send_policy(|send: &SendAttempt<'_>| match send.keys {
            Some("poison") => SendDecision::Refuse { code: 1, remark: "no".to_owned() },
            _ => SendDecision::Store,
        });
        producer.send(message("good")).await.expect("it is stored");
        producer.send(message("poison")).await.expect_err("it is refused");
        assert_eq!((copies(&lab, "good"), copies(&lab, "poison")), (1, 0));
    });
}

#[test]
fn a_paused_broker_says_nothing_and_goes_on() {
    lab::check(0..10, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        lab.broker(0).pause();
        lab.after(2 * SECOND, |lab| lab.broker(0).resume());
        let before = lab.now();
        producer.send(message("a")).within(10 * SECOND).await.expect("the broker goes on");
        assert!(lab.now() - before >= 2 * SECOND);
    });
}

#[test]
fn a_paused_broker_lets_sockets_fill() {
    lab::check(0..5, |lab| async move {
        let (client, producer) = warm(&lab).await;
        lab.broker(0).pause();
        let body: String = (0..1_000_000_u32)
            .map(|n| char::from(33 + (n.wrapping_mul(2_654_435_761) >> 26) as u8))
            .collect();
        let mut receipts = Vec::new();
        for _ in 0..4 {
            let send = producer.enqueue(message("big")).within(60 * SECOND);
            receipts.push(send.await.expect("there is room"));
            let text = Message::new("placed".parse().expect("a topic's name"), body.clone());
            receipts.push(producer.enqueue(text).within(60 * SECOND).await.expect("there is room"));
        }
        lab.sleep(2 * SECOND).await;
        assert!(client.memory().outbox_bytes > 0, "the socket took everything");
        lab.broker(0).resume();
        for receipt in receipts {
            receipt.await.expect("the broker goes on");
        }
    });
}

#[test]
fn connections_are_reset_refused_and_left_hanging() {
    lab::check(0..10, |lab| async move {
        let (client, producer) = warm(&lab).await;
        let opened = client.counters().connections_opened;
        lab.broker(0).reset_connections();
        producer.send(message("a")).await.expect("a new connection is made");
        assert_eq!(client.counters().connections_opened, opened + 1);
        for connects in [Connects::Refused, Connects::Hanging] {
            lab.broker(0).set_connects(connects);
            lab.broker(0).reset_connections();
            let error = producer.send(message("b")).await.expect_err("there is no connection");
            assert_eq!(error.outcome(), Outcome::NotStored);
            lab.broker(0).set_connects(Connects::Accepted);
            producer.send(message("c")).within(30 * SECOND).await.expect("connects come up again");
        }
        assert_eq!(copies(&lab, "b"), 0);
    });
}

#[test]
fn what_was_cut_off_arrives_when_it_heals() {
    lab::check(0..10, |lab| async move {
        let producer = careful(&lab).await;
        lab.broker(0).cut_off();
        let error = producer.send(message("a")).await.expect_err("nothing gets through");
        assert_eq!((error.outcome(), copies(&lab, "a")), (Outcome::MayBeStored, 0));
        lab.broker(0).heal();
        lab.sleep(SECOND).await;
        assert_eq!(copies(&lab, "a"), 1, "the request was on its way");
        producer.send(message("b")).within(30 * SECOND).await.expect("it is healed");
    });
}

#[test]
fn one_slow_server_slows_nobody_else() {
    lab::builder().brokers(2).check(0..5, |lab| async move {
        let slow = Network { latency: 2 * SECOND, ..Network::default() };
        lab.broker(1).set_network(Some(slow));
        let producer = careful(&lab).await;
        let mut times = Vec::new();
        for number in 0..8 {
            let before = lab.now();
            let send = producer.send(message(&number.to_string())).within(30 * SECOND);
            send.await.expect("slow is not broken");
            times.push(lab.now() - before);
        }
        assert!(times.iter().any(|time| *time < SECOND / 10), "{times:?}");
    });
}

#[test]
fn a_lost_name_server_is_only_missed_for_new_topics() {
    lab::check(0..5, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        lab.name_server(0).crash();
        producer.send(message("a")).await.expect("the route is known");
        let other = Message::new("other".parse().expect("a topic's name"), "b");
        let error = producer.send(other.clone()).await.expect_err("nobody knows the route");
        assert_eq!(error.outcome(), Outcome::NotStored);
        lab.name_server(0).restart();
        producer.send(other).within(60 * SECOND).await.expect("brokers register again");
        assert!(lab.name_server(0).requests(GET_ROUTE) > 0);
        assert_eq!(lab.requests(SEND), 3);
    });
}

#[test]
fn permission_is_taken_away() {
    lab::builder().topic("placed", 4).check(0..5, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        lab.set_topic_permission("placed", 4);
        lab.sleep(60 * SECOND).await;
        let error = producer.send(message("a")).await.expect_err("the topic is for reading");
        assert_eq!(error.outcome(), Outcome::NotStored);
        lab.set_topic_permission("placed", 6);
        lab.sleep(60 * SECOND).await;
        producer.send(message("a")).await.expect("it may be written again");
        lab.broker(0).set_permission(4);
        lab.sleep(60 * SECOND).await;
        producer.send(message("b")).await.expect_err("the broker is for reading");
    });
}

#[test]
fn brokers_leave_and_others_take_over() {
    lab::builder().brokers(2).topic("placed", 4).check(0..5, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        lab.broker(0).leave();
        for number in 0..10 {
            producer.send(message(&number.to_string())).await.expect("the other broker is there");
        }
        assert!(lab.broker(1).stored("placed").len() >= 10);
        assert_eq!(lab.broker(1).producers("senders").len(), 1);
        assert!(lab.broker(0).producers("senders").is_empty());
    });
}

#[test]
fn settings_are_those_of_the_broker() {
    lab::check(0..3, |lab| async move {
        let producer = careful(&lab).await;
        lab.broker(0).settings(|settings| settings.disk_full = true);
        let error = producer.send(message("a")).await.expect_err("the disk is full");
        assert_eq!(error.outcome(), Outcome::NotStored);
        lab.broker(0).settings(|settings| settings.disk_full = false);
        producer.send(message("a")).await.expect("there is room again");
    });
}

#[test]
fn duplicates_are_copies_of_one_message() {
    lab::builder().brokers(2).topic("placed", 4).check(0..10, |lab| async move {
        let (_client, producer) = warm(&lab).await;
        for broker in lab.brokers() {
            broker.next_sends(1, SendFault::StoreThenReset);
        }
        let receipt = producer.send(message("a")).await.expect("the third attempt is answered");
        // Said twice by the application: no duplicate.
        producer.send(message("b")).await.expect("it is stored");
        producer.send(message("b")).await.expect("it is stored");
        let duplicates = lab.duplicates("placed");
        assert_eq!(duplicates.len(), 1, "{duplicates:?}");
        assert_eq!(duplicates[0].unique_key, receipt.message_id.to_string());
        assert_eq!(duplicates[0].copies.len(), 3);
        assert_eq!(lab.stored_count(), 6);
    });
}
