//! Cases for a whole client on a runtime.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, clippy::expect_used)]

use super::{Cluster, Harness, Visit, beside};
use crate::{Client, Message, MessageQueue, Outcome, Producer, SendReceipt, Target};
use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// Long enough for any machine: no case waits for it.
const LONG: Duration = Duration::from_secs(60);
/// A deadline that a case waits for.
const SHORT: Duration = Duration::from_millis(300);

fn message(body: impl Into<Vec<u8>>) -> Message {
    Message::new("contract".parse().unwrap(), body.into())
}

fn queue_of(broker: usize) -> Target {
    let broker_name = format!("b{broker}").parse().unwrap();
    Target::Queue(MessageQueue { topic: "contract".parse().unwrap(), broker_name, queue_id: 0 })
}

/// Runs `work` with a client of the cluster whose driver is polled beside it.
fn with_client<H: Harness, F: Future<Output = ()>>(
    harness: &H,
    cluster: &Cluster,
    work: impl FnOnce(Client, Producer) -> F,
) {
    harness.block_on(async {
        let (client, driver) =
            Client::builder(cluster.name_server().as_str()).build_with(harness.runtime()).unwrap();
        beside(driver, async {
            let producer = client.producer("contract").send_timeout(LONG).await.unwrap();
            work(client, producer).await;
        })
        .await;
    });
}

async fn send_all(producer: &Producer, count: usize) -> Vec<SendReceipt> {
    let mut receipts = Vec::new();
    for number in 0..count {
        receipts.push(producer.enqueue(message(number.to_string())).await.unwrap());
    }
    let mut stored = Vec::new();
    for receipt in receipts {
        stored.push(receipt.await.unwrap());
    }
    stored
}

/// Answers come in pieces of one to seven bytes.
pub fn answers_in_pieces_are_put_together<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, |visit: Visit| {
        drop(visit.stream.set_nodelay(true));
        let mut size = 0;
        visit.serve_with(|stream, mut answer| {
            while !answer.is_empty() {
                size = size % 7 + 1;
                let (piece, rest) = answer.split_at(size.min(answer.len()));
                stream.write_all(piece)?;
                answer = rest;
            }
            Ok(())
        });
    })
    .unwrap();
    with_client(harness, &cluster, async |_client, producer| {
        let receipts = send_all(&producer, 100).await;
        let mut offsets: Vec<i64> = receipts.iter().map(|receipt| receipt.queue_offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, (0..100).collect::<Vec<i64>>());
    });
    assert_eq!(cluster.store().messages(), 100);
}

/// The first connection answers half a frame and is reset; another one takes over.
pub fn a_connection_cut_in_mid_frame_is_replaced<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, |mut visit: Visit| {
        if visit.number > 0 {
            return visit.serve();
        }
        if let Some(answer) = visit.read_request() {
            let half = answer.get(..answer.len() / 2).unwrap_or_default();
            drop(visit.stream.write_all(half));
        }
    })
    .unwrap();
    with_client(harness, &cluster, async |_client, producer| {
        producer.send(message("twice")).retries(5).await.unwrap();
    });
    assert!(cluster.visits() >= 2);
}

/// The first connection answers in another protocol: it ends, and the send goes on elsewhere.
pub fn garbage_ends_a_connection_and_nothing_else<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, |mut visit: Visit| {
        if visit.number > 0 {
            return visit.serve();
        }
        if visit.read_request().is_some() {
            drop(visit.stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
        }
        // The client closes, not the server.
        while visit.read_request().is_some() {}
    })
    .unwrap();
    with_client(harness, &cluster, async |client, producer| {
        producer.send(message("again")).retries(5).await.unwrap();
        assert_eq!(client.counters().bad_frames, 1);
    });
}

/// A broker that nobody started: the send is tried until its deadline and ends *not stored*.
pub fn a_refused_broker_gives_a_verdict_at_the_deadline<H: Harness>(harness: &H) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let cluster = Cluster::with_route(vec![("b0".into(), port)]).unwrap();
    with_client(harness, &cluster, async |client, producer| {
        let error = producer.send(message("nowhere")).within(SHORT).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotStored);
        assert!(error.into_message().is_some_and(|message| message.body() == "nowhere"));
        assert!(client.counters().connects_failed >= 1);
    });
}

/// One broker accepts and reads nothing; sends to the other one are not held up.
pub fn a_stalled_broker_stalls_nobody_else<H: Harness>(harness: &H) {
    let (stop, stopped) = mpsc::channel::<()>();
    let stopped = Mutex::new(stopped);
    let cluster = Cluster::start(2, move |visit: Visit| {
        if visit.broker == 0 {
            // Holds the connection until the case is over.
            let _ = stopped.lock().unwrap().recv();
        } else {
            visit.serve();
        }
    })
    .unwrap();
    with_client(harness, &cluster, async |_client, producer| {
        let body = vec![7; 1024 * 1024];
        let mut stalled = Vec::new();
        for _ in 0..16 {
            stalled
                .push(producer.enqueue(message(body.clone())).to(queue_of(0)).within(SHORT).await.unwrap());
        }
        for _ in 0..50 {
            producer.send(message("fine")).to(queue_of(1)).await.unwrap();
        }
        for receipt in stalled {
            receipt.await.unwrap_err();
        }
    });
    drop(stop);
    assert_eq!(cluster.store().messages(), 50);
}

/// Many brokers, each with a connection of its own, all at once.
pub fn many_connections_are_served<H: Harness>(harness: &H) {
    const BROKERS: usize = 60;
    let cluster = Cluster::start(BROKERS, Visit::serve).unwrap();
    with_client(harness, &cluster, async |_client, producer| {
        let mut receipts = Vec::new();
        for round in 0..3_u8 {
            for broker in 0..BROKERS {
                receipts.push(producer.enqueue(message([round])).to(queue_of(broker)).await.unwrap());
            }
        }
        for receipt in receipts {
            receipt.await.unwrap();
        }
    });
    assert_eq!(cluster.store().messages(), BROKERS * 3);
    assert_eq!(cluster.visits(), BROKERS);
}

/// One caller on a thread that the runtime does not know. It is alone, so it writes to the runtime's streams itself:
/// small messages, and ones that the driver has to finish.
pub fn a_lone_caller_sends_from_a_thread_outside<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, Visit::serve).unwrap();
    with_client(harness, &cluster, async |_client, producer| {
        producer.send(message("warm")).await.unwrap();
        let (end, ended) = mpsc::channel::<()>();
        let outside = Arc::new(Mutex::new(None::<Waker>));
        let waiting = outside.clone();
        let caller = thread::spawn(move || {
            for size in [1, 1024, 4 * 1024 * 1024].repeat(5) {
                block_on_this_thread(producer.send(message(vec![b'x'; size])).into_future()).unwrap();
            }
            drop(end);
            if let Some(waker) = waiting.lock().unwrap().take() {
                waker.wake();
            }
        });
        std::future::poll_fn(|cx| {
            *outside.lock().unwrap() = Some(cx.waker().clone());
            if ended.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        caller.join().unwrap();
    });
    assert_eq!(cluster.store().messages(), 16);
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on_this_thread<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        thread::park();
    }
}

/// Messages larger than the kernel's buffers, and a broker that reads 4 KiB at a time.
pub fn large_messages_pass_a_slow_reader<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, Visit::serve).unwrap();
    let body: Vec<u8> = (0..3 * 1024 * 1024).map(|at: u32| (at % 253) as u8).collect();
    with_client(harness, &cluster, async |_client, producer| {
        let mut receipts = Vec::new();
        for _ in 0..6 {
            receipts.push(producer.enqueue(message(body.clone())).await.unwrap());
        }
        for receipt in receipts {
            receipt.await.unwrap();
        }
    });
    let bodies = cluster.store().bodies();
    assert_eq!(bodies.len(), 6);
    assert!(bodies.iter().all(|stored| *stored == body), "a body was not kept");
}

/// A shutdown waits for what is under way, unregisters, and ends the driver.
pub fn a_shutdown_unregisters_and_ends_the_driver<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, Visit::serve).unwrap();
    harness.block_on(async {
        let (client, driver) =
            Client::builder(cluster.name_server().as_str()).build_with(harness.runtime()).unwrap();
        let ended = Cell::new(false);
        let watched = async {
            driver.await;
            ended.set(true);
        };
        let receipt = beside(watched, async {
            let producer = client.producer("contract").await.unwrap();
            let receipt = producer.enqueue(message("last")).await.unwrap();
            let undelivered = client.shutdown(LONG).await;
            assert!(undelivered.is_empty(), "{undelivered:?}");
            receipt.await.unwrap();
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if ended.get() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            producer.send(message("too late")).await
        })
        .await;
        let error = receipt.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotStored);
        assert!(error.into_message().is_some());
    });
    assert_eq!(cluster.store().messages(), 1);
    assert_eq!(cluster.store().unregistered(), 1);
}

/// The last handle is dropped with a message under way: it is still delivered, then the driver ends.
pub fn the_last_handle_takes_the_driver_with_it<H: Harness>(harness: &H) {
    let cluster = Cluster::start(1, Visit::serve).unwrap();
    harness.block_on(async {
        let builder = Client::builder(cluster.name_server().as_str()).drop_budget(LONG);
        let (client, driver) = builder.build_with(harness.runtime()).unwrap();
        let mut driver = Box::pin(driver);
        beside(driver.as_mut(), async {
            let producer = client.producer("contract").await.unwrap();
            // Nobody waits for the answer.
            drop(producer.enqueue(message("orphan")).await.unwrap());
        })
        .await;
        drop(client);
        driver.await;
    });
    assert_eq!(cluster.store().bodies(), [b"orphan"]);
    assert_eq!(cluster.store().unregistered(), 1);
}
