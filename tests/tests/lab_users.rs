//! Users' code that does what it likes: it panics, blocks, sends again, drops the client, or ends the driver's task.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use rocketmq_driver::{Client, Message, Producer, SendErrorKind};
use rocketmq_sim::lab::{self, JoinError, JoinHandle, Lab, SendFault};

const SECOND: Duration = Duration::from_secs(1);

fn message(body: &str) -> Message {
    Message::new("placed".parse().expect("a topic's name"), body.to_owned())
}

/// A client with the handle of its driver's task.
fn with_driver(lab: &Lab) -> (Client, JoinHandle<()>) {
    let (client, driver) = lab.client_builder().build_with(lab.runtime()).expect("the settings are in order");
    (client, lab.spawn(driver))
}

async fn open(client: &Client) -> Producer {
    client.producer("senders").await.expect("the settings are in order")
}

#[test]
fn a_task_that_panics_with_a_send_under_way_harms_nobody_else() {
    lab::check(0..20, |lab| async move {
        let (client, _driver) = with_driver(&lab);
        let producer = open(&client).await;
        lab.broker(0).next_sends(1, SendFault::AnswerLate(SECOND / 2));
        let own = producer.clone();
        let task = lab.spawn(async move {
            let receipt = own.enqueue(message("a")).await.expect("there is room");
            assert_eq!(receipt.topic().as_str(), "other", "the user's code is wrong");
        });
        assert!(matches!(task.await, Err(JoinError::Panicked(_))));
        producer.send(message("b")).await.expect("nobody else is harmed");
        producer.flush(5 * SECOND).await.expect("the send of the task that is gone went on");
        assert_eq!(lab.stored("placed").len(), 2);
        assert_eq!(client.memory().messages, 0);
    });
}

#[test]
fn an_answer_makes_its_waiter_send_again_or_shut_down_at_once() {
    lab::check(0..20, |lab| async move {
        let (client, driver) = with_driver(&lab);
        let producer = open(&client).await;
        // From the poll in which the answer arrives, the handles are used as elsewhere.
        let (again, ending) = (producer.clone(), client.clone());
        let task = lab.spawn(async move {
            let mut last = pin!(again.send(message("0")).into_future());
            let mut sent = 0;
            let result = std::future::poll_fn(|cx| {
                while let Poll::Ready(result) = last.as_mut().poll(cx) {
                    result.expect("it is stored");
                    sent += 1;
                    if sent == 50 {
                        return Poll::Ready(sent);
                    }
                    last.set(again.send(message("again")).into_future());
                    let _view = ending.view();
                }
                Poll::Pending
            });
            let sent = result.await;
            (sent, ending.shutdown(SECOND).await.len())
        });
        assert_eq!(task.await, Ok((50, 0)));
        driver.await.expect("the driver ends in order");
        assert_eq!(lab.stored("placed").len(), 50);
        let error = producer.send(message("late")).await.expect_err("the client has ended");
        assert!(
            matches!(error.kind(), SendErrorKind::ProducerClosed | SendErrorKind::ClientClosed),
            "{error}"
        );
    });
}

#[test]
fn a_task_that_blocks_delays_and_breaks_nothing() {
    // A task that keeps the only thread lets nothing else run: with this executor, no time passes meanwhile. What is left
    // of it is a driver that gets its turn late, with much to do at once.
    lab::check(0..10, |lab| async move {
        let (client, _driver) = with_driver(&lab);
        let producer = open(&client).await;
        producer.send(message("warm")).await.expect("it is stored");
        let mut receipts = Vec::new();
        for number in 0..500 {
            // Not once does the loop wait, so the driver does not run.
            receipts.push(producer.try_enqueue(message(&number.to_string())).expect("there is room"));
        }
        for receipt in receipts {
            receipt.await.expect("it is stored");
        }
        assert_eq!(lab.stored("placed").len(), 501);
    });
}

/// A future that holds the client and is polled by the same task as its driver; it drops the client, or ends it, from
/// there.
#[test]
fn the_client_is_dropped_on_the_task_of_its_own_driver() {
    lab::check(0..20, |lab| async move {
        for shut_down in [false, true] {
            let built = lab.client_builder().build_with(lab.runtime());
            let (client, driver) = built.expect("the settings are in order");
            let store = lab.clone();
            let before = lab.stored("placed").len();
            let both = lab.spawn(async move {
                let mut driver = pin!(driver);
                let mut work = pin!(async move {
                    let producer = open(&client).await;
                    let _receipt = producer.enqueue(message("a")).await.expect("there is room");
                    if shut_down {
                        assert!(client.shutdown(5 * SECOND).await.is_empty());
                    }
                    // Handles, producer and receipt go here, inside of the poll that is the driver's too.
                });
                let mut working = true;
                std::future::poll_fn(|cx| {
                    if working && work.as_mut().poll(cx).is_ready() {
                        working = false;
                    }
                    driver.as_mut().poll(cx)
                })
                .await;
                store.stored("placed").len()
            });
            assert_eq!(both.await, Ok(before + 1), "what was under way was waited for");
            assert!(lab.broker(0).producers("senders").is_empty());
        }
    });
}

#[test]
fn the_last_handle_ends_the_driver() {
    lab::check(0..20, |lab| async move {
        let (client, driver) = with_driver(&lab);
        let producer = open(&client).await;
        producer.send(message("a")).await.expect("it is stored");
        drop(client);
        producer.send(message("b")).await.expect("a producer keeps its client");
        lab.broker(0).next_sends(1, SendFault::AnswerLate(SECOND / 2));
        drop(producer.enqueue(message("c")).await.expect("there is room"));
        let before = lab.now();
        drop(producer);
        driver.await.expect("the driver ends in order");
        let took = lab.now() - before;
        assert!(
            took >= SECOND / 2 && took < SECOND,
            "it waits for what is under way, and no longer: {took:?}"
        );
        assert_eq!(lab.stored("placed").len(), 3);
        assert!(lab.broker(0).producers("senders").is_empty(), "it unregisters");
    });
}

#[test]
fn a_driver_that_is_aborted_tells_everybody() {
    lab::check(0..20, |lab| async move {
        let (client, driver) = with_driver(&lab);
        let producer = open(&client).await;
        producer.send(message("warm")).await.expect("it is stored");
        lab.broker(0).pause();
        let told = Arc::new(Mutex::new(0));
        let mut waiting = Vec::new();
        for number in 0..5 {
            let (producer, told) = (producer.clone(), told.clone());
            waiting.push(lab.spawn(async move {
                let error = producer.send(message(&number.to_string())).await.expect_err("nobody answers");
                assert!(matches!(error.kind(), SendErrorKind::DriverGone), "{error}");
                *told.lock().expect("no panics") += 1;
            }));
        }
        lab.sleep(SECOND / 10).await;
        let before = lab.now();
        driver.abort();
        assert_eq!(driver.await, Err(JoinError::Aborted));
        for task in waiting {
            task.await.expect("it was told");
        }
        assert_eq!((*told.lock().expect("no panics"), lab.now()), (5, before), "at once");
        assert!(client.shutdown(SECOND).await.is_empty());
        let error = producer.send(message("late")).await.expect_err("nobody is there");
        assert!(matches!(error.kind(), SendErrorKind::DriverGone), "{error}");
    });
}

#[test]
fn a_run_may_end_in_the_middle_of_everything() {
    for seed in 0..50 {
        let report = lab::builder().brokers(2).run(seed, |lab| async move {
            let (client, driver) = with_driver(&lab);
            let producer = open(&client).await;
            for number in 0..10 {
                drop(producer.enqueue(message(&number.to_string())).await);
            }
            let receipt = producer.enqueue(message("kept")).await;
            lab.sleep(Duration::from_micros(lab.random_below(5_000))).await;
            // All of it outlives the run.
            (client, driver, producer, receipt)
        });
        let (client, _driver, producer, _receipt) = report.value;
        assert!(producer.try_enqueue(message("late")).is_err());
        assert!(client.counters().sends >= 10);
    }
}
