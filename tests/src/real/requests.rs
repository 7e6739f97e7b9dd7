//! The requests a test asks a real server, and what it makes of the answers.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Answer, RealError, ServerConnection, StoredMessage};

const PULL_MESSAGE: i32 = 11;
const UPDATE_AND_CREATE_TOPIC: i32 = 17;
const GET_ALL_TOPIC_CONFIG: i32 = 21;
const UPDATE_BROKER_CONFIG: i32 = 25;
const GET_BROKER_CONFIG: i32 = 26;
const GET_BROKER_RUNTIME_INFO: i32 = 28;
const GET_MAX_OFFSET: i32 = 30;
const GET_ROUTE_INFO_BY_TOPIC: i32 = 105;
const GET_PRODUCER_CONNECTION_LIST: i32 = 204;

const SUCCESS: i32 = 0;
const SYSTEM_ERROR: i32 = 1;
const TOPIC_NOT_EXIST: i32 = 17;
const PULL_RETRY_IMMEDIATELY: i32 = 20;
const PULL_OFFSET_MOVED: i32 = 21;

const READ_AND_WRITE: i32 = 6;

/// "The subscription stands in this request": the group needs no registration then.
const PULL_WITH_SUBSCRIPTION: &str = "4";

/// How long a broker may take to make what it has stored visible; recovery after kill -9 is in it.
const DISPATCH_LIMIT: Duration = Duration::from_secs(60);

/// Number of queues of a topic on one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueCount {
    /// Name of the broker.
    pub broker: String,
    /// Queues to read from, numbered from 0.
    pub read_queues: i32,
    /// Queues to write to, numbered from 0.
    pub write_queues: i32,
    /// Permission bits: 4 read, 2 write.
    pub permission: i32,
}

/// One connection of a producer group, as a broker knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerConnection {
    /// Name of the broker that was asked.
    pub broker: String,
    /// Client id of the producer's heartbeats.
    pub client_id: String,
    /// The client's end of the connection, `ip:port`.
    pub client_address: String,
    /// Language of the heartbeat, `RUST` for us; empty if the broker does not know it.
    pub language: String,
    /// Version of the client, as its ordinal in `MQVersion`.
    pub version: i64,
}

impl ServerConnection {
    /// Changes a setting of a running broker (UPDATE_BROKER_CONFIG, 25) and makes sure that it took it: brokers answer
    /// success to settings that they do not know. The broker writes it to its file, so a restart keeps it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), RealError> {
        self.call(UPDATE_BROKER_CONFIG, &[], format!("{key}={value}\n").as_bytes())?;
        match self.setting(key)? {
            Some(now) if now == value => Ok(()),
            now => Err(RealError::malformed(
                format!("setting {key} to {value}"),
                format_args!("it is {now:?} now"),
            )),
        }
    }

    /// The present value of a broker's setting (GET_BROKER_CONFIG, 26), nothing if there is no such setting.
    pub fn setting(&mut self, key: &str) -> Result<Option<String>, RealError> {
        let answer = self.call(GET_BROKER_CONFIG, &[], &[])?;
        let text = String::from_utf8_lossy(&answer.body);
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned()))
    }

    /// Makes a topic on a broker, or changes it (UPDATE_AND_CREATE_TOPIC, 17). `permission`: 4 read, 2 write, 6 both.
    pub fn create_topic(&mut self, topic: &str, queues: i32, permission: i32) -> Result<(), RealError> {
        let (queues, permission) = (queues.to_string(), permission.to_string());
        let fields = [
            ("topic", topic),
            ("defaultTopic", "TBW102"),
            ("readQueueNums", &queues),
            ("writeQueueNums", &queues),
            ("perm", &permission),
            ("topicFilterType", "SINGLE_TAG"),
            ("topicSysFlag", "0"),
            ("order", "false"),
        ];
        self.call(UPDATE_AND_CREATE_TOPIC, &fields, &[]).map(drop)
    }

    /// What the route says for a topic with this permission: a broker that must not be read or written as a whole
    /// (setting `brokerPermission`) takes these rights from all its topics.
    pub(super) fn permission_in_route(&mut self, permission: i32) -> Result<i32, RealError> {
        let setting = self.setting("brokerPermission")?;
        let of_broker = setting.and_then(|text| text.parse::<i32>().ok());
        let of_broker = of_broker.ok_or_else(|| RealError::malformed("brokerPermission", "not a number"))?;
        Ok(if of_broker & READ_AND_WRITE == READ_AND_WRITE { permission } else { permission & of_broker })
    }

    /// Number of messages ever stored in a queue (GET_MAX_OFFSET, 30); 0 for a queue that is not there.
    pub fn max_offset(&mut self, topic: &str, queue_id: i32) -> Result<i64, RealError> {
        let queue_id = queue_id.to_string();
        self.call(GET_MAX_OFFSET, &[("topic", topic), ("queueId", &queue_id), ("committed", "true")], &[])?
            .number("offset")
    }

    /// Waits until all that is in the commit log stands in its queues too, where offsets and pulls see it
    /// (GET_BROKER_RUNTIME_INFO, 28). The broker does that on a thread of its own, after it has answered the send.
    pub fn wait_until_dispatched(&mut self) -> Result<(), RealError> {
        let deadline = Instant::now() + DISPATCH_LIMIT;
        loop {
            let behind = self.bytes_behind()?;
            if behind == Some(0) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let what = format!("{} is still behind its log, by bytes: {behind:?}", self.address());
                return Err(RealError::TooSlow(what));
            }
            // Nothing tells when it has caught up: ask again, but leave it the processor.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Nothing if the broker does not know: for some moments after its start it answers with an exception, because its
    /// statistics are empty.
    fn bytes_behind(&mut self) -> Result<Option<i64>, RealError> {
        let answer = self.ask(GET_BROKER_RUNTIME_INFO, &[], &[])?;
        match answer.code {
            SUCCESS => {}
            SYSTEM_ERROR => return Ok(None),
            _ => return Err(self.refused(GET_BROKER_RUNTIME_INFO, answer)),
        }
        let information = json(&answer, "runtime information")?;
        let behind = &information["table"]["dispatchBehindBytes"];
        let bytes = behind.as_str().and_then(|text| text.parse::<i64>().ok());
        let bytes = bytes.ok_or_else(|| RealError::malformed("dispatchBehindBytes", behind))?;
        Ok(Some(bytes.max(0)))
    }

    /// Number of queues to read from that this broker itself has for a topic (GET_ALL_TOPIC_CONFIG, 21); 0 if it does
    /// not know the topic.
    pub fn read_queues(&mut self, topic: &str) -> Result<i32, RealError> {
        let answer = self.call(GET_ALL_TOPIC_CONFIG, &[], &[])?;
        let table = json(&answer, "table of topics")?;
        let Some(table) = table.get("topicConfigTable").and_then(Value::as_object) else {
            return Err(RealError::malformed("table of topics", "no topicConfigTable"));
        };
        let Some(topic) = table.get(topic) else {
            return Ok(0);
        };
        let count = topic["readQueueNums"].as_i64().and_then(|count| i32::try_from(count).ok());
        count.ok_or_else(|| RealError::malformed("readQueueNums", topic))
    }

    /// All messages of a queue, in their order (PULL_MESSAGE, 11). `broker` is the name put into each of them. An error
    /// if the broker does not hand out all that it says are there.
    pub fn messages(
        &mut self,
        broker: &str,
        topic: &str,
        queue_id: i32,
    ) -> Result<Vec<StoredMessage>, RealError> {
        let end = self.max_offset(topic, queue_id)?;
        let mut messages = Vec::new();
        let mut offset = 0;
        while offset < end {
            let answer = self.pull(topic, &queue_id.to_string(), offset)?;
            let next = match answer.code {
                SUCCESS | PULL_RETRY_IMMEDIATELY | PULL_OFFSET_MOVED => answer.number("nextBeginOffset")?,
                _ => return Err(self.refused(PULL_MESSAGE, answer)),
            };
            if answer.code == SUCCESS {
                messages.extend(StoredMessage::parse_all(broker, &answer.body)?);
            }
            if next <= offset {
                let what = format!(
                    "pull of {topic}, queue {queue_id} of {broker}, with {end} messages, at {offset}"
                );
                return Err(RealError::malformed(what, format_args!("{}, next {next}", answer.remark)));
            }
            offset = next;
        }
        Ok(messages)
    }

    fn pull(&mut self, topic: &str, queue_id: &str, offset: i64) -> Result<Answer, RealError> {
        let offset = offset.to_string();
        let fields = [
            ("consumerGroup", "store-check"),
            ("topic", topic),
            ("queueId", queue_id),
            ("queueOffset", &offset),
            ("maxMsgNums", "1000"),
            ("sysFlag", PULL_WITH_SUBSCRIPTION),
            ("commitOffset", "0"),
            ("suspendTimeoutMillis", "0"),
            ("subscription", "*"),
            ("subVersion", "0"),
        ];
        self.ask(PULL_MESSAGE, &fields, &[])
    }

    /// The connections of a producer group (GET_PRODUCER_CONNECTION_LIST, 204); none if the broker does not know it.
    pub fn producers(&mut self, broker: &str, group: &str) -> Result<Vec<ProducerConnection>, RealError> {
        let answer = self.ask(GET_PRODUCER_CONNECTION_LIST, &[("producerGroup", group)], &[])?;
        match answer.code {
            SUCCESS => {}
            // 5.x has no other code for a group without connections.
            SYSTEM_ERROR if answer.remark.contains("not exist") => return Ok(Vec::new()),
            _ => return Err(self.refused(GET_PRODUCER_CONNECTION_LIST, answer)),
        }
        let list = json(&answer, "list of producers")?;
        let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let connections = list["connectionSet"].as_array().into_iter().flatten();
        Ok(connections
            .map(|one| ProducerConnection {
                broker: broker.to_owned(),
                client_id: text(one, "clientId"),
                client_address: text(one, "clientAddr"),
                language: text(one, "language"),
                version: one["version"].as_i64().unwrap_or_default(),
            })
            .collect())
    }

    /// Asks a name server on which brokers a topic has queues (GET_ROUTEINFO_BY_TOPIC, 105); none if it is unknown.
    pub fn queue_counts(&mut self, topic: &str) -> Result<Vec<QueueCount>, RealError> {
        let fields = [("topic", topic), ("acceptStandardJsonOnly", "true")];
        let answer = self.ask(GET_ROUTE_INFO_BY_TOPIC, &fields, &[])?;
        match answer.code {
            SUCCESS => {}
            TOPIC_NOT_EXIST => return Ok(Vec::new()),
            _ => return Err(self.refused(GET_ROUTE_INFO_BY_TOPIC, answer)),
        }
        let route = json(&answer, "a route")?;
        let number = |one: &Value, name: &str| {
            let number = one[name].as_i64().and_then(|number| i32::try_from(number).ok());
            number.ok_or_else(|| RealError::malformed("a route", name))
        };
        let queues = route["queueDatas"].as_array().into_iter().flatten();
        queues
            .map(|one| {
                Ok(QueueCount {
                    broker: one["brokerName"].as_str().unwrap_or_default().to_owned(),
                    read_queues: number(one, "readQueueNums")?,
                    write_queues: number(one, "writeQueueNums")?,
                    permission: number(one, "perm")?,
                })
            })
            .collect()
    }
}

fn json(answer: &Answer, what: &str) -> Result<Value, RealError> {
    serde_json::from_slice(&answer.body).map_err(|e| RealError::malformed(what, e))
}
