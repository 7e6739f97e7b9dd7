//! A future of the client dropped at any of its polls (I17): the books stay right, nothing leaks, later sends work.

use std::future::IntoFuture;
use std::time::Duration;

use rocketmq_driver::{Client, Limits, Message, Producer};
use rocketmq_sim::lab::{self, DropAt, Lab, SendFault, drop_at};

const SECOND: Duration = Duration::from_secs(1);
/// More polls than any of these futures gets.
const MOST_POLLS: u32 = 40;

fn message(body: &str) -> Message {
    let builder = Message::builder("placed".parse().expect("a topic's name")).body(body.to_owned());
    builder.key(body).build().expect("a good message")
}

fn copies(lab: &Lab, key: &str) -> usize {
    lab.stored_with_key("placed", key).len()
}

/// Room for one message at a time, so that sends wait for room too.
async fn narrow(lab: &Lab) -> (Client, Producer) {
    let limits = Limits { messages: 1, producer_messages: 1, topic_messages: 1, ..Limits::default() };
    let client = lab.start(lab.client_builder().limits(limits)).expect("it starts");
    let producer = client.producer("senders").await.expect("the settings are in order");
    (client, producer)
}

/// After the cancelled one: nothing is held, the numbers add up, and the client works.
async fn all_is_well(lab: &Lab, client: &Client, producer: &Producer) {
    producer.flush(20 * SECOND).await.expect("every send gets its verdict");
    producer.send(message("later")).within(20 * SECOND).await.expect("later sends work");
    assert_eq!(copies(lab, "later"), 1);
    let memory = client.memory();
    assert_eq!((memory.messages, memory.message_bytes, memory.waiting_callers), (0, 0, 0), "{memory:?}");
    assert_eq!(memory.requests, 0, "{memory:?}");
    let counters = client.counters();
    let ended = counters.stored + counters.not_stored + counters.may_be_stored + counters.handed_over;
    assert_eq!(counters.sends, ended, "{counters:?}");
    assert_eq!((counters.bad_frames, counters.foreign_answers), (0, 0), "{counters:?}");
    assert!(client.shutdown(SECOND).await.is_empty());
}

/// Every way to drop a future at its k-th poll, until k is beyond its last one.
fn sweep(name: &str, test: impl AsyncFn(Lab, DropAt) -> bool) {
    for kind in [DropAt::AfterPoll, DropAt::InsteadOfPoll] {
        let (mut completed, mut cancelled) = (0, 0);
        for k in 0..MOST_POLLS {
            // Which task goes first decides how many polls there are, so several seeds for each k.
            for seed in 0..4 {
                let run = lab::builder().topic("placed", 2);
                if run.run(seed, async |lab| test(lab, kind(k)).await).value {
                    completed += 1;
                } else {
                    cancelled += 1;
                }
            }
            if cancelled > 0 && completed >= 8 {
                break;
            }
        }
        assert!(completed > 0, "{name}: it never got to its end: more polls than {MOST_POLLS}");
        assert!(cancelled > 0, "{name}: it was never cancelled");
    }
}

#[test]
fn a_send_dropped_at_any_poll() {
    sweep("send", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        let done = drop_at(when, producer.send(message("cut"))).await;
        all_is_well(&lab, &client, &producer).await;
        // Dropped before its first poll it was not sent; later it went on.
        let never_polled = matches!(when, DropAt::AfterPoll(0) | DropAt::InsteadOfPoll(0 | 1));
        assert_eq!(copies(&lab, "cut"), usize::from(!never_polled), "{when:?}");
        done.is_some_and(|result| result.is_ok())
    });
}

#[test]
fn a_send_that_waits_for_room_dropped_at_any_poll() {
    sweep("send without room", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        lab.broker(0).next_sends(1, SendFault::AnswerLate(SECOND));
        let first = producer.enqueue(message("first")).await.expect("there is room for one");
        let done = drop_at(when, producer.send(message("cut"))).await;
        // Behind it another one waits, and gets its turn whatever became of the one before.
        let behind = producer.send(message("behind")).within(10 * SECOND).await;
        behind.expect("the place in the line is passed on");
        first.await.expect("late is not lost");
        all_is_well(&lab, &client, &producer).await;
        assert!(copies(&lab, "cut") <= 1);
        done.is_some_and(|result| result.is_ok())
    });
}

#[test]
fn an_enqueue_and_its_receipt_dropped_at_any_poll() {
    sweep("enqueue", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        lab.broker(0).next_sends(1, SendFault::AnswerLate(SECOND));
        let first = producer.enqueue(message("first")).await.expect("there is room for one");
        let enqueued = drop_at(when, producer.enqueue(message("cut"))).await;
        let accepted = enqueued.is_some();
        drop(enqueued);
        first.await.expect("late is not lost");
        all_is_well(&lab, &client, &producer).await;
        assert_eq!(copies(&lab, "cut"), usize::from(accepted), "dropped before it was ready, it is not sent");
        accepted
    });
    sweep("receipt", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        let receipt = producer.enqueue(message("cut")).await.expect("there is room");
        let done = drop_at(when, receipt).await;
        all_is_well(&lab, &client, &producer).await;
        assert_eq!(copies(&lab, "cut"), 1, "the send goes on");
        done.is_some()
    });
}

#[test]
fn a_one_way_send_dropped_at_any_poll() {
    sweep("one-way send", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        let done = drop_at(when, producer.send_oneway(message("cut"))).await;
        all_is_well(&lab, &client, &producer).await;
        assert!(copies(&lab, "cut") <= 1);
        done.is_some_and(|result| result.is_ok())
    });
}

#[test]
fn a_send_with_retries_dropped_at_any_poll() {
    sweep("send with retries", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        lab.broker(0).next_sends(1, SendFault::StoreThenReset);
        lab.broker(0).next_sends(1, SendFault::busy());
        let done = drop_at(when, producer.send(message("cut")).within(10 * SECOND)).await;
        lab.sleep(SECOND).await;
        lab.broker(0).clear_send_faults();
        all_is_well(&lab, &client, &producer).await;
        assert!(copies(&lab, "cut") <= 2);
        done.is_some_and(|result| result.is_ok())
    });
}

#[test]
fn opening_flushing_and_closing_dropped_at_any_poll() {
    sweep("open", async |lab, when| {
        let client = lab.client();
        let opened = drop_at(when, client.producer("senders")).await;
        let was_open = opened.is_some();
        drop(opened);
        // The group is free again, if the producer had come up at all.
        lab.sleep(5 * SECOND).await;
        let producer = client.producer("senders").await.expect("the group is free");
        all_is_well(&lab, &client, &producer).await;
        was_open
    });
    sweep("flush", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        let receipt = producer.enqueue(message("a")).await.expect("there is room");
        let done = drop_at(when, producer.flush(SECOND)).await;
        receipt.await.expect("it is stored");
        all_is_well(&lab, &client, &producer).await;
        done.is_some()
    });
    sweep("shutdown", async |lab, when| {
        let (client, producer) = narrow(&lab).await;
        let receipt = producer.enqueue(message("a")).await.expect("there is room");
        let done = drop_at(when, client.shutdown(SECOND)).await;
        receipt.await.expect("it is stored before the end");
        assert!(client.shutdown(SECOND).await.is_empty());
        assert_eq!((copies(&lab, "a"), lab.broker(0).producers("senders").len()), (1, 0));
        done.is_some()
    });
}

#[test]
fn many_sends_cut_by_time_outs_leave_nothing_behind() {
    lab::builder().brokers(2).topic("placed", 2).check(0..20, |lab| async move {
        let (client, producer) = narrow(&lab).await;
        for broker in lab.brokers() {
            broker.random_sends(300, SendFault::AnswerLate(SECOND / 100));
        }
        let mut fetched = 0;
        for number in 0..200 {
            let micros = lab.random_below(10_000);
            let send = producer.send(message(&number.to_string()));
            let cut = lab.timeout(Duration::from_micros(micros), send.into_future()).await;
            fetched += usize::from(cut.is_ok_and(|result| result.is_ok()));
        }
        all_is_well(&lab, &client, &producer).await;
        let stored = lab.stored("placed").len() - 1;
        assert!(stored >= fetched && fetched > 0 && stored > fetched, "{stored} stored, {fetched} fetched");
        assert!(lab.duplicates("placed").is_empty());
    });
}
