//! Real clients against the sink in a thread.

use bench_sink::{AnswerForm, Options, Report, Server};
use rocketmq_tokio::prelude::*;
use rocketmq_tokio::{Client, SerializeType};
use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A sink in a thread, which ends with this value.
struct Sink {
    address: SocketAddr,
    control: Option<BufReader<UnixStream>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Sink {
    fn start(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        let server = Server::bind(&options).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let address = server.address();
        let reports = theirs.try_clone().unwrap();
        let thread = std::thread::spawn(move || server.run(theirs, reports));
        Self { address, control: Some(BufReader::new(ours)), thread: Some(thread) }
    }

    fn stats(&mut self) -> Report {
        let control = self.control.as_mut().unwrap();
        control.get_mut().write_all(b"stats\n").unwrap();
        let mut line = String::new();
        control.read_line(&mut line).unwrap();
        serde_json::from_str(line.strip_prefix("STATS ").unwrap()).unwrap()
    }

    /// The end of standard input ends the sink.
    fn end(&mut self) {
        drop(self.control.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.end();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Sends `count` messages with all of them in flight.
async fn send_all(client: &Client, count: usize) -> Vec<Result<SendReceipt, SendError>> {
    let producer = client.producer("bench").send_timeout(Duration::from_secs(20)).await.unwrap();
    let mut waiting = Vec::new();
    for number in 0..count {
        let message = Message::new("Bench".parse().unwrap(), format!("body {number}"));
        waiting.push(producer.enqueue(message).await.unwrap());
    }
    let mut results = Vec::new();
    for receipt in waiting {
        results.push(receipt.await);
    }
    results
}

#[test]
fn a_client_is_answered_in_all_forms() {
    for answers in [AnswerForm::Json, AnswerForm::Rocketmq, AnswerForm::Same] {
        for requests in [SerializeType::Json, SerializeType::RocketMq] {
            let mut sink = Sink::start(|options| options.answers = answers);
            runtime().block_on(async {
                let name_server = sink.address.to_string();
                let client = Client::builder(name_server.as_str()).serialize_type(requests).start().unwrap();
                let mut places = HashSet::new();
                for receipt in send_all(&client, 200).await {
                    let receipt = receipt.unwrap();
                    assert_eq!(receipt.status, SendStatus::SendOk);
                    assert_eq!(receipt.region.as_deref(), Some("DefaultRegion"));
                    assert!(receipt.transaction_id.is_none(), "the unique id itself came back");
                    assert!(places.insert((receipt.queue.queue_id, receipt.queue_offset)));
                }
                let queues: BTreeSet<i32> = places.iter().map(|(queue, _)| *queue).collect();
                assert_eq!(queues, (0..8).collect());
                client.shutdown(Duration::from_secs(5)).await;
            });
            let report = sink.stats();
            assert_eq!(report.messages, 200, "{answers:?} {requests:?}");
            assert!((1..=2).contains(&report.connections), "{report:?}");
            assert!(report.writes <= report.reads, "{report:?}");
            assert!(report.read_bytes > 200 * 200 && report.write_bytes > 200 * 100, "{report:?}");
            assert!(report.cpu_seconds > 0.0);
            assert_eq!(sink.stats().messages, 0);
        }
    }
}

#[test]
fn each_broker_has_an_address_of_its_own() {
    let mut sink = Sink::start(|options| {
        options.brokers = 30;
        options.queues = 1;
    });
    runtime().block_on(async {
        let name_server = sink.address.to_string();
        let client = Client::builder(name_server.as_str()).start().unwrap();
        let mut brokers = BTreeSet::new();
        for receipt in send_all(&client, 300).await {
            brokers.insert(receipt.unwrap().queue.broker_name.to_string());
        }
        assert_eq!(brokers.len(), 30);
        client.shutdown(Duration::from_secs(5)).await;
    });
    assert!(sink.stats().connections >= 30);
}

#[test]
fn delayed_and_shuffled_answers_reach_their_senders() {
    let ids = std::env::temp_dir().join(format!("sink-end-to-end-{}", std::process::id()));
    let mut sink = Sink::start(|options| {
        options.delay_us = 30_000;
        options.reorder = 64;
        options.error_rate = 0.05;
        options.store_ids = Some(ids.clone());
    });
    let mut told = Vec::new();
    runtime().block_on(async {
        let name_server = sink.address.to_string();
        let client = Client::builder(name_server.as_str()).start().unwrap();
        let start = Instant::now();
        for receipt in send_all(&client, 1_000).await {
            // A busy broker stored nothing: the client tries again, so that each message is there once.
            told.push(receipt.unwrap().message_id.to_string());
        }
        assert!(start.elapsed() >= Duration::from_millis(30));
        client.shutdown(Duration::from_secs(5)).await;
    });
    assert!(sink.stats().messages > 1_000, "none was refused");
    sink.end();
    let stored = std::fs::read_to_string(&ids).unwrap();
    std::fs::remove_file(&ids).unwrap();
    let mut stored: Vec<&str> = stored.lines().collect();
    stored.sort_unstable();
    told.sort_unstable();
    assert_eq!(stored, told);
}

#[test]
fn a_topic_without_route_takes_that_of_the_default_topic() {
    let sink = Sink::start(|options| options.topics = "Other".parse().unwrap());
    runtime().block_on(async {
        let name_server = sink.address.to_string();
        let client = Client::builder(name_server.as_str()).start().unwrap();
        let producer = client.producer("bench").await.unwrap();
        let message = |topic: &str| Message::new(topic.parse().unwrap(), "body");
        assert!(producer.send(message("New")).await.is_ok());
        assert!(producer.send(message("Other")).await.is_ok());
        client.shutdown(Duration::from_secs(5)).await;
    });
}

fn frame(body: usize) -> Vec<u8> {
    let header =
        br#"{"code":310,"extFields":{"e":"1"},"flag":0,"language":"JAVA","opaque":77,"version":513}"#;
    let mut frame = ((4 + header.len() + body) as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&(header.len() as u32).to_be_bytes());
    frame.extend_from_slice(header);
    frame.resize(frame.len() + body, b'x');
    frame
}

/// Reads whole answers and gives the bytes of one.
fn read_answers(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut answer = Vec::new();
    for _ in 0..count {
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        answer.resize(u32::from_be_bytes(length) as usize, 0);
        stream.read_exact(&mut answer).unwrap();
    }
    answer
}

#[test]
fn frames_in_pieces_large_ones_and_the_vip_port_are_served() {
    let mut sink = Sink::start(|_| ());
    let mut stream = TcpStream::connect((sink.address.ip(), sink.address.port() - 2)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in frame(3) {
        stream.write_all(&[byte]).unwrap();
    }
    assert!(read_answers(&mut stream, 1).windows(11).any(|part| part == b"\"opaque\":77"));
    stream.write_all(&[frame(3_000_000), frame(1)].concat()).unwrap();
    read_answers(&mut stream, 2);
    assert_eq!(sink.stats().messages, 3);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    const UNREAD: usize = 40_000;
    let mut sink = Sink::start(|_| ());
    let mut lazy = TcpStream::connect(sink.address).unwrap();
    lazy.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    lazy.write_all(&frame(10).repeat(UNREAD)).unwrap();
    let mut quick = TcpStream::connect(sink.address).unwrap();
    quick.write_all(&frame(10)).unwrap();
    read_answers(&mut quick, 1);
    read_answers(&mut lazy, UNREAD);
    assert_eq!(sink.stats().messages, UNREAD as u64 + 1);
}

#[test]
fn garbage_closes_its_connection_only() {
    let sink = Sink::start(|_| ());
    let mut good = TcpStream::connect(sink.address).unwrap();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\x08\0\0\0\x04nono"] {
        let mut bad = TcpStream::connect(sink.address).unwrap();
        bad.write_all(garbage).unwrap();
        assert!(matches!(bad.read(&mut [0; 10]), Ok(0) | Err(_)));
    }
    good.write_all(&frame(10)).unwrap();
    read_answers(&mut good, 1);
}
