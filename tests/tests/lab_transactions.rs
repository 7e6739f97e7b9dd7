//! Transactions as applications hold them, in simulated time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_driver::{
    Check, Client, EndVerdict, LocalTransactionState, Message, Producer, TransactionListener,
};
use rocketmq_sim::lab;

const SECOND: Duration = Duration::from_secs(1);

fn message(body: &str) -> Message {
    Message::new("placed".parse().expect("a topic's name"), body.to_owned())
}

/// Knows the outcome from the second question on.
#[derive(Clone, Default)]
struct SecondTime(Arc<Mutex<Vec<(String, u32)>>>);

impl TransactionListener for SecondTime {
    async fn check(&self, check: &Check) -> LocalTransactionState {
        let body = String::from_utf8_lossy(check.message().message.body()).into_owned();
        self.0.lock().expect("no panic").push((body, check.times()));
        match check.times() {
            1 => LocalTransactionState::Unknown,
            _ => LocalTransactionState::Commit,
        }
    }
}

#[test]
fn commit_rollback_and_nothing() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let committed = producer.send_half(message("a")).await.expect("stored");
        let rolled_back = producer.send_half(message("b")).await.expect("stored");
        let dropped = producer.send_half(message("c")).await.expect("stored");
        assert_eq!(lab.stored("placed").len(), 0, "nobody sees a half message");
        committed.commit().await.expect("done");
        rolled_back.rollback().await.expect("done");
        drop(dropped);
        let stored = lab.stored("placed");
        assert_eq!(stored.len(), 1);
        assert_eq!(&stored[0].body[..], b"a");
    });
}

#[test]
fn a_listener_answers_what_it_knows() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let listener = SecondTime::default();
        let answering = lab.spawn(producer.checks().answer(listener.clone()));
        drop(producer.send_half(message("a")).await.expect("stored"));
        lab.sleep(200 * SECOND).await;
        assert_eq!(lab.stored("placed").len(), 1);
        let asked = listener.0.lock().expect("no panic").clone();
        assert_eq!(asked, [("a".to_owned(), 1), ("a".to_owned(), 2)]);
        producer.close(SECOND).await;
        answering.await.expect("it ends with its producer");
    });
}

#[test]
fn checks_that_nobody_takes_come_again() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        drop(producer.send_half(message("a")).await.expect("stored"));
        lab.sleep(100 * SECOND).await;
        assert_eq!(client.memory().transaction_checks, 0, "nobody was there to take it");
        let mut checks = producer.checks();
        let check = checks.next().await.expect("the producer is open");
        assert!(check.times() > 1, "it was asked before");
        // A check that is dropped is asked again.
        drop(check);
        let check = checks.next().await.expect("the producer is open");
        check.rollback().await.expect("done");
        assert_eq!(client.memory().transaction_checks, 0);
        assert_eq!(lab.stored("placed").len(), 0);
    });
}

#[test]
fn an_end_that_is_dropped_goes_on() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let transaction = producer.send_half(message("a")).await.expect("stored");
        let commit = lab.spawn(async move {
            let _result = transaction.commit().await;
        });
        // It is polled once at least.
        lab.sleep(Duration::from_micros(1)).await;
        commit.abort();
        producer.close(5 * SECOND).await;
        assert_eq!(lab.stored("placed").len(), 1);
    });
}

#[test]
fn a_broker_that_is_gone_leaves_the_end_undone_and_asks_later() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let transaction = producer.send_half(message("a")).await.expect("stored");
        lab.broker(0).crash();
        let error = transaction.commit().within(2 * SECOND).await.expect_err("nobody is there");
        assert_ne!(error.verdict(), EndVerdict::Refused, "{error}");
        lab.broker(0).restart();
        let mut checks = producer.checks();
        if error.verdict() == EndVerdict::NotDelivered {
            checks.next().await.expect("the producer is open").commit().await.expect("done");
        } else {
            lab.sleep(100 * SECOND).await;
        }
        assert_eq!(lab.stored("placed").len(), 1);
    });
}

/// Panics at the first question, while it looks for the answer at the second one, and knows it then.
#[derive(Clone)]
struct Panics {
    lab: lab::Lab,
    asked: Arc<Mutex<Vec<(String, u32)>>>,
}

impl TransactionListener for Panics {
    fn check(&self, check: &Check) -> impl Future<Output = LocalTransactionState> + Send {
        let (body, times) =
            (String::from_utf8_lossy(check.message().message.body()).into_owned(), check.times());
        self.asked.lock().expect("no panic").push((body.clone(), times));
        let panics = body == "b" && times < 3;
        if panics && times == 1 {
            // As a panic, without its noise.
            std::panic::resume_unwind(Box::new("boom"));
        }
        let lab = self.lab.clone();
        async move {
            lab.sleep(Duration::from_millis(10)).await;
            if panics {
                std::panic::resume_unwind(Box::new("boom"));
            }
            LocalTransactionState::Commit
        }
    }
}

#[test]
fn a_listener_that_panics_says_nothing_and_is_asked_again() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        let listener = Panics { lab: lab.clone(), asked: Arc::default() };
        let answering = lab.spawn(producer.checks().answer(listener.clone()));
        for body in ["a", "b", "c"] {
            drop(producer.send_half(message(body)).await.expect("stored"));
        }
        lab.sleep(400 * SECOND).await;
        let mut stored: Vec<_> =
            lab.stored("placed").into_iter().map(|stored| stored.body.to_vec()).collect();
        stored.sort();
        assert_eq!(stored, [b"a", b"b", b"c"], "nothing is lost");
        let mut asked = listener.asked.lock().expect("no panic").clone();
        asked.sort();
        asked.dedup();
        let expected = [("a", 1), ("b", 1), ("b", 2), ("b", 3), ("c", 1)];
        assert_eq!(asked, expected.map(|(body, times)| (body.to_owned(), times)));
        assert_eq!(client.memory().transaction_checks, 0);
        producer.send(message("d")).await.expect("the client lives on");
        producer.close(SECOND).await;
        answering.await.expect("it ends with its producer");
    });
}

/// Calls the client that asks: sends what became of the transaction, and closes the producer once that is done.
struct CallsBack {
    client: Client,
    producer: Producer,
}

impl TransactionListener for CallsBack {
    async fn check(&self, check: &Check) -> LocalTransactionState {
        assert_eq!(self.client.memory().transaction_checks, 1);
        self.producer.send(message("sent by the listener")).await.expect("stored");
        self.producer.flush(SECOND).await.expect("all is done");
        if check.times() == 1 {
            return LocalTransactionState::Unknown;
        }
        assert!(self.producer.close(SECOND).await.is_empty());
        // It is too late for that.
        LocalTransactionState::Commit
    }
}

#[test]
fn a_listener_may_call_its_client_and_close_its_producer() {
    lab::check(0..20, |lab| async move {
        let client = lab.client();
        let producer = client.producer("senders").await.expect("the settings are in order");
        drop(producer.send_half(message("half")).await.expect("stored"));
        let listener = CallsBack { client: client.clone(), producer: producer.clone() };
        producer.checks().answer(listener).await;
        let stored = lab.stored("placed");
        assert_eq!(stored.len(), 2);
        assert!(stored.iter().all(|stored| stored.body == "sent by the listener"));
    });
}
