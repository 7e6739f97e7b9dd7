use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

use super::ServedCluster;
use crate::cluster::{ClusterConfig, Dialect, Frame, FrameReader, SendAttempt, SendDecision, ServerId};

/// A blocking client of one server.
struct Client {
    stream: TcpStream,
    reader: FrameReader,
}

impl Client {
    fn connect(address: &str) -> Client {
        let stream = TcpStream::connect(address).expect("a connection");
        Client { stream, reader: FrameReader::new(Dialect::V4_9_7) }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("bytes taken");
    }

    /// The next frame; `None` at the end of the stream.
    fn next(&mut self) -> Option<Frame> {
        let mut buffer = [0; 65536];
        loop {
            if let Some(frame) = self.reader.next_frame().expect("good frames") {
                return Some(frame);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.reader.push(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn ask(&mut self, request: &Frame) -> Frame {
        self.write(&request.encode());
        self.next().expect("an answer")
    }
}

fn send(topic: &str, opaque: i32) -> Frame {
    let fields = [
        ("b", topic),
        ("c", "TBW102"),
        ("d", "4"),
        ("e", "0"),
        ("f", "0"),
        ("g", "1"),
        ("h", "0"),
        ("m", "false"),
    ];
    let mut request = Frame::request(310, opaque, &fields);
    request.body = b"hello".to_vec().into();
    request
}

fn broker_address(served: &ServedCluster, index: usize) -> String {
    served.with_cluster(|cluster| cluster.address(ServerId::Broker(index)).to_string())
}

#[test]
fn a_client_finds_the_broker_and_sends() {
    let served =
        ServedCluster::start(ClusterConfig { name_servers: 2, ..ClusterConfig::default() }).expect("a start");
    let addresses = served.name_server_addr();
    for address in addresses.split(';') {
        let mut name_server = Client::connect(address);
        let route = name_server.ask(&Frame::request(105, 1, &[("topic", "TBW102")]));
        let route: serde_json::Value = serde_json::from_slice(&route.body).expect("a route");
        let broker = route["brokerDatas"][0]["brokerAddrs"]["0"].as_str().expect("an address").to_owned();
        let mut client = Client::connect(&broker);
        let answer = client.ask(&send("T", 7));
        assert_eq!((answer.code, answer.opaque), (0, Some(7)));
    }
    assert_eq!(addresses.split(';').count(), 2);
    assert_eq!(served.with_cluster(|cluster| cluster.stored("T").len()), 2);
}

#[test]
fn many_sends_in_flight_are_all_answered() {
    let served = ServedCluster::start(ClusterConfig::default()).expect("a start");
    let mut client = Client::connect(&broker_address(&served, 0));
    let count = 5_000;
    let bytes: Vec<u8> = (0..count).flat_map(|opaque| send("T", opaque).encode()).collect();
    let mut writer = client.stream.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(&bytes).expect("bytes taken"));
    for opaque in 0..count {
        assert_eq!(client.next().expect("an answer").opaque, Some(opaque));
    }
    writing.join().expect("written");
    assert_eq!(served.with_cluster(|cluster| cluster.stored_count()), 5_000);
}

#[test]
fn delayed_answers_come() {
    let served = ServedCluster::start(ClusterConfig::default()).expect("a start");
    served.with_cluster(|cluster| {
        let broker = cluster.broker_mut(0).expect("a broker");
        broker.set_send_policy(|send: &SendAttempt<'_>| SendDecision::Delay {
            millis: if send.number == 0 { 60 } else { 20 },
        });
    });
    let mut client = Client::connect(&broker_address(&served, 0));
    client.write(&[send("T", 1).encode(), send("T", 2).encode()].concat());
    let opaques = [client.next(), client.next()].map(|frame| frame.and_then(|frame| frame.opaque));
    assert_eq!(opaques, [Some(2), Some(1)]);
}

#[test]
fn a_crashed_broker_closes_refuses_and_comes_back_on_its_port() {
    let served =
        ServedCluster::start(ClusterConfig { brokers: 2, ..ClusterConfig::default() }).expect("a start");
    let address = broker_address(&served, 0);
    let mut client = Client::connect(&address);
    assert_eq!(client.ask(&send("T", 1)).code, 0);
    served.crash_broker(0);
    assert_eq!(client.next(), None);
    assert!(TcpStream::connect(&address).is_err());
    served.restart_broker(0).expect("the same port");
    served.restart_broker(0).expect("nothing to do");
    let mut client = Client::connect(&address);
    assert_eq!(client.ask(&send("T", 2)).ext("queueOffset"), Some("1"));
    served.leave_broker(0);
    assert_eq!(client.next(), None);
    assert_eq!(broker_address(&served, 0), address);
}

#[test]
fn a_paused_broker_is_silent_until_it_goes_on() {
    let served = ServedCluster::start(ClusterConfig::default()).expect("a start");
    let mut client = Client::connect(&broker_address(&served, 0));
    assert_eq!(client.ask(&send("T", 1)).code, 0);
    served.pause_broker(0);
    client.write(&send("T", 2).encode());
    let mut late = Client::connect(&broker_address(&served, 0));
    late.write(&send("T", 3).encode());
    assert_eq!(served.with_cluster(|cluster| cluster.stored_count()), 1);
    served.resume_broker(0);
    assert_eq!(client.next().and_then(|frame| frame.opaque), Some(2));
    assert_eq!(late.next().and_then(|frame| frame.opaque), Some(3));
}

#[test]
fn garbage_closes_its_connection_only() {
    let served = ServedCluster::start(ClusterConfig::default()).expect("a start");
    let mut good = Client::connect(&broker_address(&served, 0));
    let mut bad = Client::connect(&broker_address(&served, 0));
    bad.write(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(bad.next(), None);
    assert_eq!(good.ask(&send("T", 1)).code, 0);
}

#[test]
fn a_given_port_is_used_and_a_taken_one_is_an_error() {
    let first = ServedCluster::start(ClusterConfig::default()).expect("a start");
    let taken = first.name_server_addr().parse().expect("an address");
    let config = ClusterConfig { name_server_addresses: vec![taken], ..ClusterConfig::default() };
    assert!(ServedCluster::start(config.clone()).is_err());
    drop(first);
    let second = ServedCluster::start(config).expect("the port is free again");
    assert_eq!(second.name_server_addr(), taken.to_string());
}

#[test]
fn dropping_ends_everything_even_while_paused() {
    let (done, ended) = mpsc::channel();
    let served = ServedCluster::start(ClusterConfig::default()).expect("a start");
    let mut client = Client::connect(&broker_address(&served, 0));
    assert_eq!(client.ask(&send("T", 1)).code, 0);
    served.pause_broker(0);
    client.write(&send("T", 2).encode());
    let dropping = std::thread::spawn(move || {
        drop(served);
        done.send(()).expect("somebody waits");
    });
    assert_eq!(client.next(), None);
    ended.recv().expect("an end");
    dropping.join().expect("no panic");
}
