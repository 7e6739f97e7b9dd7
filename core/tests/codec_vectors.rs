//! Frames recorded between official clients and servers: we read what they wrote, and write what
//! they would have written.

mod codec_support;

use bytes::BytesMut;
use codec_support::{Captured, FOLDERS, Plain, all_captured, captured, plain};
use rocketmq_core::body::{ClusterInfo, RouteLimits, TopicRouteData, read_topic_list, write_heartbeat_data};
use rocketmq_core::command::{LanguageCode, RequestCode, ResponseCode, version};
use rocketmq_core::message::MessageExt;
use rocketmq_core::request::offset::{read_offset, read_timestamp};
use rocketmq_core::request::query::read_index_last_update;
use rocketmq_core::request::{
    CreateTopicRequestHeader, EndTransactionRequestHeader, GetMaxOffsetRequestHeader,
    GetRouteInfoRequestHeader, QueryMessageRequestHeader, QueueRequestHeader, SearchOffsetRequestHeader,
    SendMessageCommon, SendMessageCommonHeader, SendMessageRequestHeaderV2, SendMessageResponseHeader,
    SendMessageTemplate, UnregisterClientRequestHeader, ViewMessageRequestHeader,
};
use rocketmq_core::wire::{
    Header, Inbox, NoFields, Plain as PlainText, RequestHead, ResponseHead, SerializeType, WireLimits,
    WriteFields, WrittenNumber, encode_request, encode_response,
};
use serde_json::Value;

/// Added by the client's signing hook, after the typed header was written.
const SIGNING: [&str; 2] = ["AccessKey", "Signature"];

/// Runs `check` on the library's view of one whole frame.
fn decode<T>(bytes: &[u8], check: impl FnOnce(&Header<'_>, &[u8]) -> T) -> T {
    let limits = WireLimits::default();
    let mut inbox = Inbox::new(limits);
    let mut frames = inbox.feed(bytes);
    let frame = frames.next().unwrap().expect("a whole frame");
    let result = check(&Header::parse(&frame, &limits).unwrap(), frame.body);
    assert_eq!(frames.next(), Ok(None));
    result
}

#[test]
fn every_captured_frame_is_read_like_the_independent_decoder_reads_it() {
    let frames = all_captured();
    assert!(frames.len() > 300);
    for frame in frames {
        let expected = plain(&frame.bytes);
        decode(&frame.bytes, |header, body| {
            let name = &frame.name;
            assert_eq!(i64::from(header.code), expected.code, "{name}");
            assert_eq!(i64::from(header.flag), expected.flag, "{name}");
            assert_eq!(i64::from(header.opaque), expected.opaque, "{name}");
            assert_eq!(i64::from(header.version), expected.version, "{name}");
            assert_eq!(header.language.name(), expected.language, "{name}");
            assert_eq!(header.remark.as_deref(), expected.remark.as_deref(), "{name}");
            assert_eq!(body, expected.body, "{name}");
            for (key, value) in &expected.ext {
                assert_eq!(header.ext.get(key).as_deref(), Some(value.as_str()), "{name} {key}");
            }
            let known = header.ext.iter().all(|(key, _)| expected.ext.contains_key(&*key));
            assert!(known, "{name}");
        });
    }
}

#[test]
fn the_index_says_the_same_about_every_captured_frame() {
    for frame in all_captured() {
        let read = plain(&frame.bytes);
        let index = &frame.header_json;
        assert_eq!(index["code"], read.code, "{}", frame.name);
        assert_eq!(index["code"], frame.code, "{}", frame.name);
        assert_eq!(index["opaque"], read.opaque, "{}", frame.name);
        let ext = index.get("extFields").cloned().unwrap_or_else(|| Value::Object([].into_iter().collect()));
        let read_ext = read.ext.into_iter().map(|(key, value)| (key, Value::String(value)));
        assert_eq!(ext, Value::Object(read_ext.collect()), "{}", frame.name);
    }
}

#[test]
fn successful_answers_to_sends_are_read_in_one_pass() {
    let mut seen = 0;
    for frame in all_captured().iter().filter(|frame| frame.name.contains("send-message-v2-answer-0")) {
        let expected = plain(&frame.bytes).ext;
        decode(&frame.bytes, |header, _| {
            assert!(header.is_response() && !header.is_oneway());
            let answer = SendMessageResponseHeader::read(&header.ext).unwrap();
            assert_eq!(answer.msg_id, expected["msgId"]);
            assert_eq!(answer.queue_id.to_string(), expected["queueId"]);
            assert_eq!(answer.queue_offset.to_string(), expected["queueOffset"]);
            let optional = |name: &str| expected.get(name).map(String::as_str);
            assert_eq!(answer.transaction_id.as_deref(), optional("transactionId"));
            assert_eq!(answer.recall_handle.as_deref(), optional("recallHandle"));
            assert_eq!(answer.region.as_deref(), Some("DefaultRegion"));
            assert!(answer.trace_on);
        });
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn captured_routes_are_read() {
    let mut seen = 0;
    for frame in all_captured().iter().filter(|frame| frame.name.contains("routeinfo-by-topic-answer-0")) {
        decode(&frame.bytes, |_, body| {
            let route = TopicRouteData::parse(body, &RouteLimits::default()).unwrap();
            assert_eq!(route.broker_datas.len(), 1);
            assert_eq!(route.broker_datas[0].broker_name, "broker-a");
            assert!(route.broker_datas[0].broker_addrs[&0].starts_with("127.0.0.1:"));
            assert_eq!(route.queue_datas[0].write_queue_nums, 8);
            assert_eq!(route.queue_datas[0].perm, 7);
            assert!(!route.static_topic);
        });
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

/// Writes a request as `java` was written and compares every field.
///
/// Differences, both wanted: `language` is RUST instead of JAVA, and `version` is always 513, the
/// highest one whose server behaviour this client implements, instead of the Java client's own.
fn assert_same_request<H: WriteFields>(java: &Captured, fields: &H, body: &[u8]) {
    let expected = plain(&java.bytes);
    for serialize in [SerializeType::Json, SerializeType::RocketMq] {
        let head = RequestHead {
            code: RequestCode(java.code as i32),
            flag: expected.flag as i32,
            opaque: expected.opaque as i32,
            version: version::CURRENT,
            language: LanguageCode::Rust,
        };
        let mut out = BytesMut::from(&b"before"[..]);
        let written = encode_request(&mut out, serialize, &head, fields, body).unwrap();
        assert_eq!(out.len(), written + 6);
        let ours = plain(&out[6..]);
        let wanted = Plain {
            serialize,
            version: 513,
            language: "RUST".into(),
            ext: unsigned(&expected),
            body: body.to_vec(),
            ..expected.clone()
        };
        assert_eq!(ours, wanted, "{}", java.name);
    }
}

fn unsigned(frame: &Plain) -> std::collections::BTreeMap<String, String> {
    let mut ext = frame.ext.clone();
    ext.retain(|key, _| !SIGNING.contains(&key.as_str()));
    ext
}

fn requests(folder: &str, code: RequestCode) -> Vec<Captured> {
    let mut frames = captured(folder);
    frames.retain(|frame| {
        frame.from_client && frame.code == i64::from(code.0) && plain(&frame.bytes).flag & 1 == 0
    });
    assert!(!frames.is_empty(), "{folder} has no {code}");
    frames
}

#[test]
fn sends_are_written_as_java_writes_them() {
    for folder in FOLDERS {
        let mut compared = 0;
        for frame in requests(folder, RequestCode::SEND_MESSAGE_V2) {
            let java = plain(&frame.bytes);
            // Requests that the recording made incomplete on purpose, to see the refusal.
            if !java.ext.contains_key("n") || !java.ext.contains_key("i") {
                continue;
            }
            let text = |name: &str| java.ext[name].as_str();
            let common = SendMessageCommonHeader {
                producer_group: PlainText::new(text("a")).unwrap(),
                topic: PlainText::new(text("b")).unwrap(),
                default_topic: PlainText::new(text("c")).unwrap(),
                default_topic_queue_nums: text("d").parse().unwrap(),
                sys_flag: text("f").parse().unwrap(),
                reconsume_times: text("j").parse().unwrap(),
                unit_mode: text("k") == "true",
                batch: text("m") == "true",
                broker_name: text("n"),
            };
            let template = SendMessageTemplate::new(&common).unwrap();
            let mut born_timestamp = WrittenNumber::default();
            born_timestamp.set(text("g").parse().unwrap());
            let fields = SendMessageRequestHeaderV2 {
                common: SendMessageCommon::Written(&template),
                queue_id: text("e").parse().unwrap(),
                born_timestamp: &born_timestamp,
                flag: text("h").parse().unwrap(),
                properties: text("i"),
                unique_key: None,
            };
            let unwritten = SendMessageCommon::Unwritten(common);
            assert_same_request(
                &frame,
                &SendMessageRequestHeaderV2 { common: unwritten, ..fields },
                &java.body,
            );
            assert_same_request(&frame, &fields, &java.body);
            compared += 1;
        }
        assert!(compared >= 10, "{folder}: {compared}");
    }
}

#[test]
fn route_requests_are_written_as_java_writes_them() {
    for folder in FOLDERS {
        for frame in requests(folder, RequestCode::GET_ROUTEINFO_BY_TOPIC) {
            let java = plain(&frame.bytes);
            let fields = GetRouteInfoRequestHeader {
                topic: java.ext["topic"].as_str().into(),
                accept_standard_json_only: java.ext.get("acceptStandardJsonOnly").map(|text| text == "true"),
            };
            assert_same_request(&frame, &fields, b"");
        }
    }
}

#[test]
fn ends_of_transactions_are_written_as_java_writes_them() {
    for folder in FOLDERS {
        let mut compared = 0;
        for frame in requests(folder, RequestCode::END_TRANSACTION) {
            let java = plain(&frame.bytes);
            let text = |name: &str| java.ext[name].as_str();
            let optional = |name: &str| java.ext.get(name).map(|text| text.as_str().into());
            let fields = EndTransactionRequestHeader {
                topic: optional("topic"),
                producer_group: text("producerGroup").into(),
                tran_state_table_offset: text("tranStateTableOffset").parse().unwrap(),
                commit_log_offset: text("commitLogOffset").parse().unwrap(),
                commit_or_rollback: text("commitOrRollback").parse().unwrap(),
                from_transaction_check: text("fromTransactionCheck") == "true",
                msg_id: text("msgId").into(),
                transaction_id: optional("transactionId"),
                broker_name: optional("bname"),
            };
            assert_same_request(&frame, &fields, b"");
            compared += 1;
        }
        assert!(compared >= 5, "{folder}: {compared}");
    }
}

#[test]
fn checks_of_real_brokers_are_read() {
    let mut read = 0;
    for frame in all_captured().iter().filter(|frame| !frame.from_client && frame.code == 39) {
        let told = plain(&frame.bytes);
        let mut body = &told.body[..];
        let message = MessageExt::read(&mut body).unwrap();
        assert!(body.is_empty(), "{}: {} bytes are left", frame.name, body.len());
        assert_eq!(message.queue_offset.to_string(), told.ext["tranStateTableOffset"]);
        assert_eq!(message.commit_log_offset.to_string(), told.ext["commitLogOffset"]);
        assert_eq!(message.unique_key().unwrap().as_str(), told.ext["msgId"]);
        assert_eq!(message.offset_message_id().as_str(), told.ext["offsetMsgId"]);
        assert!(message.producer_group().unwrap().starts_with("PG_vectors"));
        assert!(message.transaction_check_times() >= 1);
        read += 1;
    }
    assert_eq!(read, 8);
}

#[test]
fn unregister_requests_are_written_as_java_writes_them() {
    for folder in FOLDERS {
        for frame in requests(folder, RequestCode::UNREGISTER_CLIENT) {
            let java = plain(&frame.bytes);
            let optional = |name: &str| java.ext.get(name).map(|text| text.as_str().into());
            let fields = UnregisterClientRequestHeader {
                client_id: java.ext["clientID"].as_str().into(),
                producer_group: optional("producerGroup"),
                consumer_group: optional("consumerGroup"),
            };
            assert_same_request(&frame, &fields, b"");
        }
    }
}

#[test]
fn heartbeats_are_written_as_java_writes_them() {
    for folder in FOLDERS {
        let mut compared = 0;
        for frame in requests(folder, RequestCode::HEART_BEAT) {
            let java: Value = serde_json::from_slice(&plain(&frame.bytes).body).unwrap();
            if java["consumerDataSet"] != Value::Array(Vec::new()) {
                continue;
            }
            let groups = java["producerDataSet"].as_array().unwrap();
            let groups = groups.iter().map(|group| group["groupName"].as_str().unwrap());
            let mut body = BytesMut::new();
            write_heartbeat_data(&mut body, java["clientID"].as_str().unwrap(), groups);
            assert_same_request(&frame, &NoFields, &body);
            // 4.9.7 does not know these two; a server takes their absence for the same values.
            let mut expected = java.clone();
            expected["heartbeatFingerprint"] = 0.into();
            expected["withoutSub"] = false.into();
            assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected, "{}", frame.name);
            compared += 1;
        }
        assert!(compared > 0, "{folder}");
    }
}

#[test]
fn answers_to_the_broker_are_written_as_java_writes_them() {
    // PUSH_REPLY_MESSAGE_TO_CLIENT is answered with code 0, the request's opaque and no fields.
    for serialize in [SerializeType::Json, SerializeType::RocketMq] {
        let (mut out, remark) = (BytesMut::new(), Some("no such \"group\"\n"));
        let (opaque, version, language) = (376, 513, LanguageCode::Rust);
        let head = ResponseHead { code: ResponseCode::SUCCESS, opaque, remark, version, language };
        encode_response(&mut out, serialize, &head, b"").unwrap();
        let answer = plain(&out);
        assert_eq!((answer.code, answer.flag, answer.opaque, answer.version), (0, 1, 376, 513));
        assert_eq!(answer.remark.as_deref(), remark);
        assert!(answer.ext.is_empty() && answer.body.is_empty());
        decode(&out, |header, _| assert!(header.is_response()));
    }
}

/// Writes the requests of one code with a typed header that is read from what Java wrote.
macro_rules! same_requests {
    ($folder:expr, $code:ident, $header:ident) => {
        for frame in requests($folder, RequestCode::$code) {
            decode(&frame.bytes, |java, _| {
                assert_same_request(&frame, &$header::read(&java.ext).unwrap(), b"");
            });
        }
    };
}

#[test]
fn administrative_requests_are_written_as_java_writes_them() {
    for folder in FOLDERS {
        same_requests!(folder, GET_MAX_OFFSET, GetMaxOffsetRequestHeader);
        same_requests!(folder, GET_MIN_OFFSET, QueueRequestHeader);
        same_requests!(folder, GET_EARLIEST_MSG_STORETIME, QueueRequestHeader);
        same_requests!(folder, SEARCH_OFFSET_BY_TIMESTAMP, SearchOffsetRequestHeader);
        same_requests!(folder, VIEW_MESSAGE_BY_ID, ViewMessageRequestHeader);
        same_requests!(folder, QUERY_MESSAGE, QueryMessageRequestHeader);
        for code in [RequestCode::GET_BROKER_CLUSTER_INFO, RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER] {
            requests(folder, code).iter().for_each(|frame| assert_same_request(frame, &NoFields, b""));
        }
        let mut compared = 0;
        for frame in requests(folder, RequestCode::UPDATE_AND_CREATE_TOPIC) {
            // `force` goes to brokers that do not check it, and an empty text is what no attributes are.
            if !plain(&frame.bytes).ext.contains_key("force") {
                decode(&frame.bytes, |java, _| {
                    let fields = CreateTopicRequestHeader::read(&java.ext).unwrap();
                    assert_same_request(&frame, &fields, b"");
                });
                compared += 1;
            }
        }
        assert!(compared > 0, "{folder}");
    }
}

#[test]
fn captured_answers_to_administrative_requests_are_read() {
    let mut seen = 0;
    for frame in all_captured() {
        let Some((_, name)) = frame.name.split_once("-server-") else {
            continue;
        };
        decode(&frame.bytes, |header, body| {
            match name {
                "get-max-offset-answer-0.bin" => assert!(read_offset(&header.ext).unwrap() > 0),
                "get-min-offset-answer-0.bin" => assert_eq!(read_offset(&header.ext), Ok(0)),
                "search-offset-by-timestamp-answer-0.bin" => assert_eq!(read_offset(&header.ext), Ok(0)),
                "get-earliest-msg-storetime-answer-0.bin" => {
                    assert!(read_timestamp(&header.ext).unwrap() > 1_700_000_000_000);
                }
                "get-broker-cluster-info-answer-0.bin" => {
                    let info = ClusterInfo::parse(body, &RouteLimits::default()).unwrap();
                    assert!(info.brokers["broker-a"].broker_addrs[&0].starts_with("127.0.0.1:"));
                    assert!(info.clusters["DefaultCluster"].contains("broker-a"));
                }
                "get-all-topic-list-from-nameserver-answer-0.bin" => {
                    assert!(read_topic_list(body, 1_000).unwrap().contains("TBW102"));
                }
                "view-message-by-id-answer-0.bin" | "query-message-answer-0.bin" => {
                    let mut rest = body;
                    let message = MessageExt::read(&mut rest).unwrap();
                    assert!(rest.is_empty() && message.message.keys().any(|key| key == "querykey"));
                    assert!(message.unique_key().is_some());
                    if name.starts_with("query") {
                        assert!(read_index_last_update(&header.ext).unwrap() > 1_700_000_000_000);
                    }
                }
                _ => return,
            }
            seen += 1;
        });
    }
    assert!(seen >= 32, "{seen}");
}
