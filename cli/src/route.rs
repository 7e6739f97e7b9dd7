//! `rocketmq route`: asks a name server where a topic lives and shows the answer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rocketmq_core::body::{BodyError, RouteLimits, TopicRouteData};
use rocketmq_core::command::{LanguageCode, RequestCode, ResponseCode, version};
use rocketmq_core::request::GetRouteInfoRequestHeader;
use rocketmq_core::wire::{
    EncodeError, FrameError, Header, HeaderError, Inbox, RequestHead, SerializeType, WireLimits,
    encode_request,
};
use rocketmq_driver::Endpoint;
use rocketmq_driver::TopicName;
use serde_json::{Value, json};

use crate::args::RouteArgs;
use crate::dial::dial;
use crate::exit_code;
use crate::text::{printable, push_table};

/// Longest wait for a connection, and again for the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The number of the one request on its connection.
const OPAQUE: i32 = 1;
/// Permission bits of a queue.
const READ: i32 = 4;
const WRITE: i32 = 2;

/// What a name server knows of a topic.
type Known = Option<TopicRouteData>;

/// Why a name server gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The connection failed or the answer did not come in time.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The question cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The answer is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The header of the answer cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The route itself cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The name server refused.
    #[error("refused with {code}: {remark}")]
    Refused {
        /// The response code.
        code: ResponseCode,
        /// The explanation, escaped.
        remark: String,
    },
}

/// Asks one name server after the other until one knows the topic, and prints the route.
///
/// # Errors
/// No name server gave a usable answer, or the output cannot be written.
pub(crate) fn run(args: &RouteArgs) -> io::Result<ExitCode> {
    let mut reasons = Vec::new();
    let mut answered = false;
    for name_server in &args.servers.list(PATIENCE).map_err(io::Error::other)? {
        match ask(name_server, &args.topic) {
            Ok(Some(route)) => {
                let shown = if args.json {
                    format!("{}\n", to_json(&args.topic, name_server, &route))
                } else {
                    to_text(&args.topic, name_server, &route)
                };
                io::stdout().write_all(shown.as_bytes())?;
                return Ok(ExitCode::from(exit_code::SUCCESS));
            }
            Ok(None) => answered = true,
            Err(error) => reasons.push(format!("{name_server}: {error}")),
        }
    }
    if !answered {
        return Err(io::Error::other(format!("no name server answered: {}", reasons.join("; "))));
    }
    if args.json {
        writeln!(io::stdout(), "{}", json!({"topic": args.topic.as_str(), "found": false}))?;
    }
    eprintln!("rocketmq: topic {} has no route", args.topic);
    Ok(ExitCode::from(exit_code::NOT_ALL))
}

/// Asks one name server (`GET_ROUTEINFO_BY_TOPIC`, 105).
fn ask(name_server: &Endpoint, topic: &TopicName) -> Result<Known, AskError> {
    let mut stream = dial(name_server, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&question(topic)?)?;
    let end = Instant::now() + PATIENCE;
    let limits = WireLimits::default();
    let mut inbox = Inbox::new(limits);
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = read_until(&mut stream, &mut buffer, end)?;
        let mut frames = inbox.feed(buffer.get(..count).unwrap_or_default());
        while let Some(frame) = frames.next()? {
            let header = Header::parse(&frame, &limits)?;
            // A name server may ask things of its own; only the answer matters here.
            if header.is_response() && header.opaque == OPAQUE {
                return answer(&header, frame.body);
            }
        }
    }
}

fn question(topic: &TopicName) -> Result<BytesMut, EncodeError> {
    let head = RequestHead {
        code: RequestCode::GET_ROUTEINFO_BY_TOPIC,
        flag: 0,
        opaque: OPAQUE,
        version: version::CURRENT,
        language: LanguageCode::Rust,
    };
    let fields =
        GetRouteInfoRequestHeader { topic: topic.as_str().into(), accept_standard_json_only: Some(true) };
    let mut bytes = BytesMut::new();
    encode_request(&mut bytes, SerializeType::Json, &head, &fields, &[])?;
    Ok(bytes)
}

fn read_until(stream: &mut TcpStream, buffer: &mut [u8], end: Instant) -> io::Result<usize> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(no_answer());
    }
    stream.set_read_timeout(Some(left))?;
    match stream.read(buffer) {
        Ok(0) => Err(io::Error::other("closed the connection without an answer")),
        Ok(count) => Ok(count),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Err(no_answer())
        }
        Err(error) => Err(error),
    }
}

fn no_answer() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", PATIENCE.as_secs()))
}

fn answer(header: &Header<'_>, body: &[u8]) -> Result<Known, AskError> {
    match ResponseCode(header.code) {
        ResponseCode::SUCCESS => Ok(Some(TopicRouteData::parse(body, &RouteLimits::default())?)),
        ResponseCode::TOPIC_NOT_EXIST => Ok(None),
        code => {
            let remark = printable(header.remark.as_deref().unwrap_or("no remark"));
            Err(AskError::Refused { code, remark })
        }
    }
}

fn to_json(topic: &TopicName, name_server: &Endpoint, route: &TopicRouteData) -> Value {
    let brokers = route.broker_datas.iter().flat_map(|broker| {
        broker.broker_addrs.iter().map(move |(id, address)| {
            json!({
                "cluster": broker.cluster,
                "name": broker.broker_name,
                "id": id,
                "address": address,
            })
        })
    });
    let queues = route.queue_datas.iter().map(|queues| {
        json!({
            "broker": queues.broker_name,
            "read": queues.read_queue_nums,
            "write": queues.write_queue_nums,
            "perm": queues.perm,
        })
    });
    json!({
        "topic": topic.as_str(),
        "found": true,
        "name_server": name_server.to_string(),
        "brokers": brokers.collect::<Vec<_>>(),
        "queues": queues.collect::<Vec<_>>(),
        "order_topic_conf": route.order_topic_conf,
        "static_topic": route.static_topic,
    })
}

fn to_text(topic: &TopicName, name_server: &Endpoint, route: &TopicRouteData) -> String {
    let mut brokers = vec![["CLUSTER", "BROKER", "ID", "ADDRESS"].map(str::to_owned)];
    for broker in &route.broker_datas {
        for (id, address) in &broker.broker_addrs {
            let (cluster, name) = (printable(&broker.cluster), printable(&broker.broker_name));
            brokers.push([cluster, name, id.to_string(), printable(address)]);
        }
    }
    let mut queues = vec![["BROKER", "READ", "WRITE", "PERM"].map(str::to_owned)];
    for of_broker in &route.queue_datas {
        let (read, write) = (of_broker.read_queue_nums, of_broker.write_queue_nums);
        let name = printable(&of_broker.broker_name);
        queues.push([name, read.to_string(), write.to_string(), permission(of_broker.perm)]);
    }
    let mut text = format!("topic {topic}, as name server {name_server} knows it\n");
    if route.static_topic {
        text.push_str("a static topic: its queues are mapped over brokers\n");
    }
    if let Some(conf) = &route.order_topic_conf {
        text.push_str(&format!("order topic: {}\n", printable(conf)));
    }
    for table in [brokers, queues] {
        text.push('\n');
        push_table(&mut text, &table);
    }
    text
}

/// Such as `6 (RW)`.
fn permission(perm: i32) -> String {
    let mark = |bit, letter| if perm & bit == 0 { '-' } else { letter };
    format!("{perm} ({}{})", mark(READ, 'R'), mark(WRITE, 'W'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_core::body::{BrokerData, QueueData};

    fn route() -> TopicRouteData {
        TopicRouteData {
            queue_datas: vec![QueueData {
                broker_name: "broker-a".into(),
                read_queue_nums: 4,
                write_queue_nums: 4,
                perm: 6,
                topic_sys_flag: 0,
            }],
            broker_datas: vec![BrokerData {
                cluster: "DefaultCluster".into(),
                broker_name: "broker-a".into(),
                broker_addrs: [(0, "10.0.1.1:10911".into()), (1, "10.0.1.2:10911".into())].into(),
                ..BrokerData::default()
            }],
            ..TopicRouteData::default()
        }
    }

    #[test]
    fn the_tables_show_every_address_and_queue() {
        let topic: TopicName = "orders".parse().expect("a topic");
        let name_server: Endpoint = "10.0.0.1:9876".parse().expect("an endpoint");
        let expected = "topic orders, as name server 10.0.0.1:9876 knows it\n\
            \n\
            CLUSTER         BROKER    ID  ADDRESS\n\
            DefaultCluster  broker-a  0   10.0.1.1:10911\n\
            DefaultCluster  broker-a  1   10.0.1.2:10911\n\
            \n\
            BROKER    READ  WRITE  PERM\n\
            broker-a  4     4      6 (RW)\n";
        assert_eq!(to_text(&topic, &name_server, &route()), expected);
        let json = to_json(&topic, &name_server, &route());
        assert_eq!(json["brokers"][1]["address"], "10.0.1.2:10911");
        assert_eq!(json["queues"][0]["perm"], 6);
    }

    #[test]
    fn permissions_are_spelled_out() {
        assert_eq!(permission(4), "4 (R-)");
        assert_eq!(permission(2), "2 (-W)");
        assert_eq!(permission(0), "0 (--)");
    }
}
